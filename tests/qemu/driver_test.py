# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""driver_test.py directory host plugin [kernel=VERSION] test...

The Linux driver in a stock kernel on a stock QEMU, with the counts of the TCG plugin. Each test is a part of the script that
one guest runs; what perf prints is compared with work whose instructions are known.
"""

import os
import re
import sys

import guest_driver
import kernel
import machine

# A host process that is not run for some seconds is not silent. Where it is to be, the wait with interrupts off is short.
INSMOD = "insmod /lib/modules/vpmu.ko sampling=1 timeout_ms={}\n"
LOAD = INSMOD.format(4000)
LOAD_ANEW = "rmmod vpmu\n" + LOAD
LOAD_HASTY = "rmmod vpmu\n" + INSMOD.format(1000)
MILLION = 1_000_000
# Of a loop's program: starting it, its page faults, timer interrupts. Above a busy machine's, far below another task's share.
OVERHEAD = 0.12
# perf counts a program with so much work, more than once; options and the program's command are to be put in.
LOOP = "for i in 1 2; do perf stat -x, {} {}work loop 50; done\n"
INSTRUCTIONS, BRANCHES = "vpmu/instructions/", "vpmu/branches/"
WORK = {INSTRUCTIONS: 100 * MILLION, BRANCHES: 50 * MILLION}


def beside(name, options, events=INSTRUCTIONS):
    """The script's lines for a perf stat that counts meanwhile: it has begun when there is a line of an interval."""
    return f"perf stat -x, {options} -I 200 -o {name}.txt -e {events} sleep 1000 & P=$!\n" \
        f"until grep -q vpmu {name}.txt 2>/dev/null; do sleep 0.1; done\n"


def enough(name, last=",[0-9]*,,vpmu"):
    """The lines that end it when there are two more lines like the last ones are to be: those with a count, unless said."""
    return f"N=$(wc -l <{name}.txt)\nuntil [ $(tail -n +$((N + 1)) {name}.txt | grep -c '{last}') -gt 1 ]; do sleep 0.1; done\n" \
        f"kill -INT $P\nwait $P\n"


# Counts and samples on every CPU, until interrupts come.
SAMPLED = LOAD + """exec 2>&1
perf record -q -a -o /dev/null -c 200000 -e vpmu/instructions/ sleep 1000 &
""" + beside("sampled", "-a", f"{INSTRUCTIONS},{BRANCHES}") + """work busy &
work busy &
until grep vpmu /proc/interrupts | grep -q "[0-9][0-9] .*vpmu"; do sleep 0.5; done
"""


class Lines:
    """What a part of the script printed."""

    def __init__(self, lines):
        self.lines = lines

    def text(self):
        """All of it."""
        return "\n".join(self.lines)

    def rows(self):
        """The rows of perf stat -x, as dictionaries; a count is None where perf printed why there is none."""
        rows = []
        for line in self.lines:
            fields = line.split(",")
            if "vpmu/" not in line or len(fields) < 5:
                continue
            event = next(i for i, field in enumerate(fields) if field.startswith("vpmu/"))
            rows.append({"before": fields[:event - 2], "text": fields[event - 2], "name": fields[event],
                         "count": int(fields[event - 2]) if fields[event - 2].isdigit() else None,
                         "running": int(fields[event + 1]), "percent": float(fields[event + 2])})
        return rows

    def number(self, pattern):
        """The number that a pattern finds."""
        found = re.search(pattern, self.text())
        return int(found.group(1)) if found else None


def counted(rows, *names, cpu=None):
    """Whether perf counted LOOP: in no run less than its work, and in the one with the least not much more, since waiting
    for a host process that is not run for a while only adds."""
    counts = {}
    for row in rows:
        if not cpu or row["before"][-1] == cpu:
            counts.setdefault(row["name"], []).append(row["count"])
    return counts.keys() == set(names) and all(
        None not in counts[name] and WORK[name] <= min(counts[name]) <= WORK[name] * (1 + OVERHEAD) + 3 * MILLION
        for name in names)


def check_exact(lines):
    """R-PUB-1, R-SLOT-3: reading before and after gives the instructions of a loop to the last block."""
    apart = lines.number(r"apart (\d+)")
    return apart is not None and abs(apart - 2 * (50000 - 1000)) < 512, f"{apart} instructions"


def check_task(lines):
    """A task's event counts that task and not the busy one beside it on the same CPU."""
    return counted(lines.rows(), INSTRUCTIONS), "not the task's own instructions"


def check_group(lines):
    """R-GRP-6: a group is counted for the same time; two instructions of the loop are one branch."""
    rows = lines.rows()
    good = counted(rows, INSTRUCTIONS, BRANCHES) and \
        [row["running"] for row in rows[0::2]] == [row["running"] for row in rows[1::2]]
    return good, "the two counts do not belong together"


def check_interval(lines):
    """Intervals never count backwards and add up to the work."""
    counts = [row["count"] for row in lines.rows()]
    good = len(counts) > 1 and None not in counts and min(counts) >= 0 and sum(counts) >= 200 * MILLION
    return good, f"{counts}"


def check_cpus(lines):
    """Each CPU's event counts that CPU."""
    rows = lines.rows()
    good = counted(rows, INSTRUCTIONS, cpu="CPU1") and \
        min(row["count"] for row in rows if row["before"][-1] == "CPU0") < 50 * MILLION
    return good, "not only what the CPU did"


def check_many(lines):
    """R-MASK-7, R-SLOT-8: of more events than may count each is counted for a part of the time, and never more than happened."""
    rows = lines.rows()
    good = len(rows) == 6
    for row in rows:
        most = 800 * MILLION * (1 + OVERHEAD)
        good = good and row["count"] is not None and row["count"] <= most and row["percent"] < 100
    return good, "not a part of the time, or more than there was"


def check_unsupported(lines):
    """R-EVT-3, R-GRP-4: what the host cannot count is not supported; neither is a group with too many members."""
    texts = [row["text"] for row in lines.rows()]
    return len(texts) == 4 and texts[0] == texts[-1] == "<not supported>", f"{texts}"


def check_record(lines):
    """R-OVF-2, R-PMI-3, R-PCI-5: samples fall where the work is, ten to one within 3 points; fewer could not tell that."""
    samples = {name: int(number) for number, name in re.findall(r"[\d.]+%\s+(\d+)\s.*\s(\S+)$", lines.text(), re.M)}
    hot, cold = samples.get("hot_function", 0), samples.get("cold_function", 0)
    good = hot + cold >= max(1000, sum(samples.values()) * 0.3) and abs(hot / (hot + cold) - 10 / 11) < 0.03
    return good, f"{samples}"


def check_period(lines):
    """R-OVF-1: between two samples the slot counted the period, to 1 %; it is long, since an interrupt may be late."""
    periods = sorted(int(line) for line in lines.lines if line.strip().isdigit())
    middle = periods[len(periods) // 2] if periods else 0
    return len(periods) > 5 and abs(middle - 100 * MILLION) < MILLION, f"{middle} of {len(periods)}"


def check_hotplug(lines):
    """R-RST-1: a CPU that went and came back counts again."""
    return counted(lines.rows(), INSTRUCTIONS, cpu="CPU1"), "not counted"


def check_reload(lines):
    """R-RST-2: unloaded and loaded again, the driver counts, also while events were open before."""
    return counted(lines.rows(), INSTRUCTIONS), "not counted"


def check_deaf(lines):
    """R-BOX-2, R-PCI-7: while nobody answers nothing is shown as counted; afterwards it is."""
    rows = lines.rows()
    silent, heard = [[row for row in rows if bool(row["before"]) is interval] for interval in (True, False)]
    good = silent[0]["count"] is not None and silent[-1]["count"] is None and counted(heard, INSTRUCTIONS)
    return good and "did not answer" in lines.text(), "silence was not seen, or not its end"


def check_scribble(lines):
    """R-BOX-4, R-PCI-1: a process that writes over the whole memory harms neither kernel nor host, and it heals."""
    good = not re.search(r"BUG|Oops|Call Trace|stall", lines.text())
    return good and counted(lines.rows(), INSTRUCTIONS), "harmed, or not healed"


RECORD = "perf record -q -P -o p.data -c {period} -e vpmu/instructions/ taskset 2 work mix {times} >record.txt 2>&1 || cat record.txt\n"
# name: (script, check, what the host process is told at a line that begins with a text)
TESTS = {
    "exact": ("work exact 1000 50000\n", check_exact, {}),
    "task": ("taskset 1 work busy & B=$!\n" + LOOP.format(f"-e {INSTRUCTIONS}", "taskset 1 ") + "kill $B\n", check_task, {}),
    "group": (LOOP.format(f"-e '{{{INSTRUCTIONS},{BRANCHES}}}'", ""), check_group, {}),
    "interval": ("perf stat -x, -a -I 100 -e vpmu/instructions/ work loop 100\n", check_interval, {}),
    "cpus": (LOOP.format(f"-a -A -e {INSTRUCTIONS}", "taskset 2 "), check_cpus, {}),
    "many": ("perf stat --no-scale -x, -e vpmu/instructions/,vpmu/branches/,vpmu/L1-dcache-loads/,vpmu/L1-dcache-stores/,"
             "vpmu/instructions/,vpmu/branches/ work loop 400\n", check_many, {}),
    "unsupported": ("perf stat -x, -e vpmu/cycles/ true\n"
                    "perf stat -x, -e '{vpmu/instructions/,vpmu/branches/,vpmu/L1-dcache-loads/}' true\n", check_unsupported, {}),
    "record": (RECORD.format(period=200000, times=3000) + "perf report --stdio -n -i p.data 2>/dev/null | grep %\n", check_record, {}),
    "period": (RECORD.format(period=100000000, times=6000) +
               "perf script -i p.data -F period 2>/dev/null | tail -n +2 | sort -n\n", check_period, {}),
    "hotplug": (beside("hotplug", "-a") + "echo 0 > /sys/devices/system/cpu/cpu1/online\n" + enough("hotplug") +
                "echo 1 > /sys/devices/system/cpu/cpu1/online\n" +
                LOOP.format(f"-a -A -e {INSTRUCTIONS}", "taskset 2 "), check_hotplug, {}),
    "reload": (LOAD_ANEW + LOOP.format(f"-e {INSTRUCTIONS}", ""), check_reload, {}),
    "deaf": (LOAD_HASTY + beside("deaf", "-C 0") +
             "ask be deaf\nuntil dmesg | grep 'did not answer'; do sleep 0.1; done\n" + enough("deaf", "not counted") +
             "cat deaf.txt\nask attend again\n" + LOOP.format(f"-e {INSTRUCTIONS}", ""), check_deaf,
             {"be deaf": "deaf", "attend again": "attend"}),
    "scribble": (LOAD_HASTY + "dmesg -c >/dev/null\nDEVICE=/sys/bus/pci/devices/0000:00:02.0\n" + beside("scribble", "-a") +
                 "work scribble $DEVICE/resource2 3\nkill -INT $P\nwait $P\nask attend anew\n" + LOAD_ANEW +
                 LOOP.format(f"-e {INSTRUCTIONS}", "") + "dmesg | tail -n 40\n", check_scribble,
                 {"attend anew": "attend"}),
}


def run(directory, host, plugin, version, names):
    """Boot a guest with the tests; return it and its lines."""
    work = guest_driver.build_program(os.path.join(kernel.ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
    module, _ = guest_driver.build_module(os.path.join(directory, "module"), kernel.headers(version))
    guest = guest_driver.Guest(directory, host, plugin, cpus=2, options=["slots=8", "counting=2"], version=version)
    for name in names:
        guest.hooks.update(TESTS[name][2])
    script = LOAD + "".join(f"echo '@@ {name}'\n{TESTS[name][0]}" for name in names)
    return guest, guest.run(script + "exec 2>&1\n", [work, module, guest_driver.PERF])


def main(directory, host, plugin, names):
    """Run the tests, report."""
    os.makedirs(directory, exist_ok=True)
    version = names.pop(0)[len("kernel="):] if names[0].startswith("kernel=") else ""
    try:
        guest, lines = run(directory, host, plugin, version, names)
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))
    parts = guest_driver.parts_of(lines)
    failed = False
    for name in names:
        part = Lines(parts.get(name, []))
        try:
            good, why = TESTS[name][1](part)
        except (IndexError, KeyError, TypeError) as error:
            good, why = False, f"unexpected output: {error!r}"
        print(f"{'ok' if good else 'FAILED'} {name}: {TESTS[name][1].__doc__}")
        if not good:
            print(f"  {why}\n" + "\n".join("  | " + line for line in part.lines))
            failed = True
    print(f"accesses served {guest.served}, interrupts {guest.interrupts}")
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:4], sys.argv[4:] or list(TESTS))
