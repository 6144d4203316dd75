# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""demo.py directory tool plugin [--json]

What scripts/demo-qemu shows: perf in a stock guest on a stock QEMU, beside what is true, and a move to a second QEMU while
perf counts.
"""

import json
import os
import re
import sys

import attach
import bare
import guest_driver
import kernel
import machine

MILLION = 1_000_000
LOOPS = 50 * MILLION
EXACT = (1000, 50000)  # two lengths of a loop of two instructions
SCRIPT = f"""ask attended
insmod /lib/modules/vpmu.ko sampling=1
exec 2>&1
echo "@ stat"
perf stat -x, -e '{{vpmu/instructions/,vpmu/branches/}}' work loop {LOOPS // MILLION}
perf stat -x, -e vpmu/cycles/ true
echo "@ exact"
work exact {EXACT[0]} {EXACT[1]}
echo "@ record"
perf record -q -o p.data -c 200000 -e vpmu/instructions/ work mix 2000 >record.txt || cat record.txt
perf report --stdio -i p.data | grep _function
grep -i vpmu /proc/interrupts
echo "@ epoch"
cat /sys/bus/event_source/devices/vpmu/epoch
echo "@ interval"
work busy & B=$!
perf stat -x, -a -I 250 -o i.txt -e vpmu/instructions/ sleep 1000 & P=$!
intervals() {{ grep -c vpmu/ i.txt; }}
until [ $(intervals) -ge 4 ]; do sleep 0.1; done 2>/dev/null
echo "before $(intervals)"
ask moved
end=$(($(intervals) + 4))
until [ $(intervals) -ge $end ]; do sleep 0.1; done
kill -INT $P
wait $P
kill $B
cat i.txt
echo "@ epoch after"
cat /sys/bus/event_source/devices/vpmu/epoch
"""


class Guest:
    """One of the two QEMUs, with its vpmu attach."""

    def __init__(self, directory, tool, plugin, image, initramfs, incoming):
        bare.fresh(directory)
        self.side = attach.Attach(tool, directory, "--bus", os.path.join(directory, "bus"), plugin=plugin, vcpus=2,
                                  vectors=2)
        words = [*self.side.words(), *self.side.moving_words(), *(["-incoming", "defer"] if incoming else [])]
        self.machine = machine.Machine(image, initramfs, words, cpus=2, time_limit=1200)

    def __enter__(self):
        try:
            self.side.start()
            self.machine.start()
            self.side.wait_for("vCPU 1 found")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.machine.stop()
        self.side.end()


def make(directory):
    """Build what goes into the guest; return kernel and initramfs."""
    image = kernel.image()
    work = guest_driver.build_program(os.path.join(kernel.ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
    module, _ = guest_driver.build_module(os.path.join(directory, "module"))
    initramfs = os.path.join(directory, "initramfs")
    guest_driver.initramfs.make(initramfs, SCRIPT, [work, module, guest_driver.PERF], image)
    return image, initramfs


def collect(guest, parts):
    """Put the guest's lines under the mark before them, until it ends or asks."""
    name = parts.get("now", "")
    while True:
        line = guest.machine.line()
        if line is None:
            raise guest.machine.failure("the machine ended before its script")
        if line.startswith("=== end") or machine.asks(line):
            return
        if line.startswith("@ "):
            name = parts["now"] = line[2:]
        else:
            parts.setdefault(name, []).append(line)


def perf_descriptors(process):
    """How many events of perf a process holds: with the plugin as source none is opened, in the blackout or elsewhere."""
    where = f"/proc/{process}/fd"
    return sum("perf_event" in os.readlink(os.path.join(where, name)) for name in os.listdir(where))


@machine.again
def run(directory, tool, plugin):
    """Boot, move, and return what the guest printed and what QEMU said of the move."""
    parts = {}
    image, initramfs = make(directory)
    # The second is there before: on a busy machine the guest would be done while it starts.
    with Guest(os.path.join(directory, "second"), tool, plugin, image, initramfs, True) as second, \
            Guest(os.path.join(directory, "first"), tool, plugin, image, initramfs, False) as first:
        collect(first, parts)
        first.machine.answer()
        collect(first, parts)
        answer = attach.migrate(first.side.own, second.side.own, os.path.join(directory, "way"))
        parts["opens"] = perf_descriptors(second.side.process.pid)
        first.machine.stop()
        second.machine.answer()
        collect(second, parts)
        first.side.end()
    said = re.search(r"state of (\d+) bytes, image (\d+)", "\n".join(first.side.lines))
    parts["image"] = int(said.group(2)) if said else None
    return parts, answer


def counts_of(lines):
    """The counts of perf stat -x, by name; None where perf printed why there is none."""
    found = []
    for line in lines:
        fields = line.split(",")
        at = next((i for i, field in enumerate(fields) if field.startswith("vpmu/")), 0)
        if at >= 2:
            text = fields[at - 2]
            found.append((fields[at], int(text) if re.fullmatch(r"-?\d+", text) else None))
    return found


def result(parts, answer):
    """What is shown, as the JSON has it."""
    events = [{"name": name, "guest_count": count,
               "truth": {"vpmu/instructions/": 2 * LOOPS, "vpmu/branches/": LOOPS}.get(name)}
              for name, count in counts_of(parts.get("stat", []))]
    apart = re.search(r"apart (\d+)", "\n".join(parts.get("exact", [])))
    events.append({"name": "vpmu/instructions/ of a loop alone", "guest_count": int(apart.group(1)) if apart else None,
                   "truth": 2 * (EXACT[1] - EXACT[0])})
    share = {name: float(percent) for percent, name in re.findall(
        r"([\d.]+)%\s.*\b(hot_function|cold_function)\b", "\n".join(parts.get("record", [])))}
    intervals = [count for _, count in counts_of(parts.get("interval", []))]
    epochs = [dict(line.split() for line in parts.get(name, []) if re.fullmatch(r"\d+ \d+", line))
              for name in ("epoch", "epoch after")]
    return {
        "events": events,
        "hot_percent": share.get("hot_function"), "cold_percent": share.get("cold_function"),
        "interrupts": sum(int(n) for line in parts.get("record", []) if ":" in line
                          for n in line.split(":")[1].split()[:2] if n.isdigit()),
        "intervals": intervals,
        "migration": {
            "status": answer.get("status"), "downtime_ms": answer.get("downtime"),
            "epoch_changes": max((int(epoch) - int(epochs[0].get(cpu, 0)) for cpu, epoch in epochs[1].items()), default=0),
            "backwards": sum(count is None or count < 0 for count in intervals),
            "perf_opens_in_blackout": parts["opens"],
            "image_bytes": parts["image"],
            "intervals_before": int(re.search(r"before (\d+)", "\n".join(parts["interval"])).group(1)),
        },
    }


def show(shown):
    """Print it for people."""
    print("In the guest, Debian's perf with the driver of examples/linux-guest:\n")
    print(f"  {'event':36} {'guest':>12} {'true':>12}")
    for event in shown["events"]:
        count = "not supported" if event["guest_count"] is None else event["guest_count"]
        print(f"  {event['name']:36} {count:>12} {'' if event['truth'] is None else event['truth']:>12}")
    print(f"\n  perf record: hot_function {shown['hot_percent']} %, cold_function {shown['cold_percent']} %, "
          f"of a program built ten to one; {shown['interrupts']} interrupts")
    move = shown["migration"]
    print(f"\n  perf stat -I 250, and a move to another QEMU after {move['intervals_before']} intervals:")
    print("  " + " ".join(str(count) for count in shown["intervals"]))
    print(f"\n  moved in {move['downtime_ms']} ms of standing; epoch changes: {move['epoch_changes']}, counts that "
          f"went backwards: {move['backwards']}, image: {move['image_bytes']} bytes")


def is_good(shown):
    """Whether it is what it ought to be."""
    stat = {event["name"]: event for event in shown["events"]}
    move = shown["migration"]
    loops = [stat["vpmu/instructions/"], stat["vpmu/branches/"]]
    alone = stat["vpmu/instructions/ of a loop alone"]
    good = all(event["guest_count"] and event["truth"] <= event["guest_count"] <= event["truth"] * 1.12 + 3 * MILLION
               for event in loops)
    good = good and alone["guest_count"] and abs(alone["guest_count"] - alone["truth"]) < 512
    good = good and stat["vpmu/cycles/"]["guest_count"] is None and shown["interrupts"] > 0
    good = good and shown["hot_percent"] and shown["hot_percent"] > 5 * shown["cold_percent"]
    return bool(good and move["status"] == "completed" and move["backwards"] == 0 and move["epoch_changes"] == 1
                and len(shown["intervals"]) > move["intervals_before"])


def main(directory, tool, plugin, *words):
    """Run and show. R-PCI-5: the samples come by interrupts of the device. R-PCI-8: the guest moves with all of it."""
    directory = os.path.abspath(directory)
    os.makedirs(directory, exist_ok=True)
    try:
        parts, answer = run(directory, os.path.abspath(tool), os.path.abspath(plugin))
    except kernel.Missing as missing:
        machine.skip(missing)
    except (machine.Failed, RuntimeError, TimeoutError) as failed:
        sys.exit(f"demo: {failed}")
    shown = result(parts, answer)
    if "--json" in words:
        print(json.dumps(shown, indent=2))
    else:
        show(shown)
    if not is_good(shown):
        print("\n".join(f"{name}: {lines}" for name, lines in parts.items()), file=sys.stderr)
        sys.exit("demo: that is not as it ought to be")


if __name__ == "__main__":
    main(*sys.argv[1:])
