# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""qemu.py build-directory [--json]

What the plugin, the mailbox and perf in a guest cost under a stock QEMU, each beside the least that could do as much. Prints
rows as vpmu-bench does.
"""

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "qemu"))
import attach  # noqa: E402  pylint: disable=wrong-import-position
import bare  # noqa: E402  pylint: disable=wrong-import-position
import guest_driver  # noqa: E402  pylint: disable=wrong-import-position
import kernel  # noqa: E402  pylint: disable=wrong-import-position
import machine  # noqa: E402  pylint: disable=wrong-import-position
import switch_test  # noqa: E402  pylint: disable=wrong-import-position

ROUNDS = 25
PLUGIN_ROUNDS = 20
LOOPS = 60_000_000  # of four blocks each
OVERHEAD = """insmod /lib/modules/vpmu.ko
exec 2>&1
now() { awk '{ print $1 * 1000 }' /proc/uptime; }
P="perf stat -o /dev/null -e {vpmu/instructions/,vpmu/branches/}"
for i in 1 2 3; do
A=$(now); work loop 1; B=$(now); work loop 101; C=$(now)
$P work loop 1; D=$(now); $P work loop 101; E=$(now)
echo "times $A $B $C $D $E"
done
"""


def row(name, value, unit, bar, peer, peer_value):
    """A row of the table."""
    return {"name": name, "value": value, "unit": unit, "bound": "at most", "bar": bar, "holds": value <= bar,
            "peer_value": peer_value, "peer": peer}


def time_plugin(plugin, rom):
    """Processor time of QEMU with a plugin, for one loop."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(["timeout", "-s", "KILL", "60", "qemu-system-x86_64", "-accel", "tcg", "-M", "pc", "-nodefaults", "-display",
                    "none", "-m", "16", "-bios", rom, "-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-plugin", plugin],
                   check=False)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def plugin_row(build, directory):
    """The plugin beside one that counts instructions and does nothing else."""
    rom = os.path.join(directory, "rom")
    subprocess.run(["gcc", "-m32", "-c", f"-DLOOPS={LOOPS}", os.path.join(ROOT, "tests/tcg/loop.S"), "-o", rom + ".o"],
                   check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", rom + ".o", rom], check=True)
    own = f"{build}/backends/tcg/libvpmu-tcg.so,shared={directory}/counts"
    peer = f"{build}/tests/bench/libvpmu-bench-plugin.so"
    times = {own: [], peer: []}
    # In turn, and each of both as often the first: what else the machine does falls on both alike.
    for number in range(PLUGIN_ROUNDS):
        for one in (own, peer) if number % 2 else (peer, own):
            times[one].append(time_plugin(one, rom))
    own, peer = min(times[own]), min(times[peer])
    return row("plugin slow-down", own / peer, "x", 1.1, "s with a plugin that only counts", peer)


def round_trip(guest, words, task):
    """The median of a guest's round trips, in its ticks."""
    with bare.start("riscv64", guest, words, task) as qemu:
        text = qemu.stdout.read()
    found = re.search(r"round trip \d+ (\d+)", text)
    if not found:
        sys.exit(f"the guest did not measure: {text}")
    return int(found.group(1)) / 10  # of 100 ns, in us


def mailbox_row(build, directory):
    """A request and its answer beside a ring and one stored word."""
    guest = bare.build("riscv64", ROOT, directory)
    times = []
    for _ in range(ROUNDS):
        with attach.Attach(f"{build}/examples/vpmu/vpmu", directory) as side:
            asked = round_trip(guest, side.words(), "ask")
        socket = os.path.join(directory, "ring")
        with subprocess.Popen([f"{build}/tests/bench/vpmu-bench-doorbell", socket], stdout=subprocess.PIPE) as echo:
            echo.stdout.readline()
            rang = round_trip(guest, ["-chardev", f"socket,path={socket},id=iv", "-device",
                                      "ivshmem-doorbell,vectors=2,chardev=iv"], "ring")
        times.append((asked, rang))
    # Which CPUs the host gives to the two changes a time by three; a quarter of the rounds has luck.
    asked, rang = (statistics.quantiles(column, n=4)[0] for column in zip(*times))
    return row("mailbox round trip", asked / rang, "x", 1.2, "us of a bare doorbell", rang)


@machine.again
def measured(build, directory, image, initramfs):
    """Boot a guest beside vpmu attach; return its lines."""
    with attach.Attach(f"{build}/examples/vpmu/vpmu", directory, vcpus=1, vectors=1,
                       plugin=f"{build}/backends/tcg/libvpmu-tcg.so") as side:
        with machine.Machine(image, initramfs, side.words()) as guest:
            return guest.run()


def overhead_row(build, directory):
    """A loop under perf stat in a guest beside the loop alone."""
    work = guest_driver.build_program(os.path.join(ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
    module, _ = guest_driver.build_module(os.path.join(directory, "module"))
    image = kernel.image()
    initramfs = os.path.join(directory, "initramfs")
    guest_driver.initramfs.make(initramfs, OVERHEAD, [work, module, guest_driver.PERF], image)
    lines = measured(build, directory, image, initramfs)
    times = [[float(word) for word in line.split()[1:]] for line in lines if line.startswith("times")]
    # What starting the programs takes is in both of each two.
    alone = min((c - b) - (b - a) for a, b, c, _, _ in times)
    counted = min((e - d) - (d - c) for _, _, c, d, e in times)
    return row("perf stat of a loop", counted / alone, "x", 1.1, "ms of the loop alone", alone)


def switch_row(build, directory):
    """Accesses of the device for each time that a task with four events is switched out, or in."""
    seen = switch_test.measure(os.path.join(directory, "switch"), f"{build}/tests/qemu/vpmu-qemu-host",
                               f"{build}/backends/tcg/libvpmu-tcg.so")
    exits, switches = max(((accesses - switch_test.BESIDE) / (2 * switches), switches) for _, accesses, switches, _ in seen)
    return row("exits each way of a switch", exits, "1", 1.0, "switches out and in, four events", switches)


def main():
    """Measure and print."""
    build = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        rows = [measure(build, directory) for measure in (plugin_row, mailbox_row, overhead_row, switch_row)]
    if "--json" in sys.argv:
        print(json.dumps({"results": rows}, indent=2))
    else:
        print(f"{'name':26} {'value':>12} {'unit':6} {'must be':8} {'bar':>12} {'holds':6} beside")
        for one in rows:
            print(f"{one['name']:26} {one['value']:12.2f} {one['unit']:6} {one['bound']:8} {one['bar']:12.2f} "
                  f"{'yes' if one['holds'] else 'NO':6} {one['peer']}: {one['peer_value']:.2f}")
    sys.exit(not all(one["holds"] for one in rows))


main()
