# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""move_test.py directory root tool plugin

A guest that counts all the time is moved, while it runs, from one QEMU to another, each with a vpmu attach of its own: its counts go on,
and every one is right, R-EPO-6. Where the destination refuses, the guest stays where it is, and goes on: R-PCI-8.
"""

import os
import sys

import attach
import bare

MACHINE = "riscv64"
wrong = []


def check(good, what):
    """Note what is wrong."""
    if not good:
        wrong.append(what)
        print("WRONG:", what)


class End:
    """One of the two QEMUs with its vpmu attach. With `with`, both end when the block does."""

    def __init__(self, directory, tool, plugin, guest, incoming, *words):
        os.makedirs(directory)
        self.guest = guest
        self.incoming = incoming
        self.qemu = self.heard = None
        self.side = attach.Attach(tool, directory, "--bus", os.path.join(directory, "bus"), *words, plugin=plugin,
                                  options=",memory=on")

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Start both."""
        self.side.start()
        words = [*self.side.words(), *self.side.moving_words(), *(["-incoming", "defer"] if self.incoming else [])]
        self.qemu = bare.start(MACHINE, self.guest, words, "go on")
        self.heard = bare.Heard(self.qemu)
        self.side.wait_for("vCPU 1 found")

    def wait_for_rounds(self, more):
        """Wait until the guest went on for a while."""
        self.heard.wait_for("rounds", self.heard.count("rounds") + more)

    def stop(self):
        """End both, as far as they are there."""
        if self.qemu and self.qemu.poll() is None:
            bare.kill(self.qemu)
        if self.heard:
            self.heard.join()
        self.side.end()


def ends(directory, tool, plugin, guest, *destination):
    """The two ends of a move."""
    source = End(os.path.join(directory, "source"), tool, plugin, guest, False)
    target = End(os.path.join(directory, "target"), tool, plugin, guest, True, *destination)
    return source, target


def move(directory, source, target):
    """Move; return what QEMU says of it."""
    source.wait_for_rounds(2)
    answer = attach.migrate(source.side.own, target.side.own, os.path.join(directory, "way"))
    print(answer.get("status"), "downtime", answer.get("downtime"), "ms")
    return answer


def moved(directory, tool, plugin, guest):
    """The guest goes on at the destination with its counts."""
    source, target = ends(directory, tool, plugin, guest)
    with source, target:
        answer = move(directory, source, target)
        check(answer["status"] == "completed", answer)
        target.wait_for_rounds(3)
        target.side.wait_for("came here with its counts")
    seen = source.heard.lines + target.heard.lines
    check(sum(line.startswith("life") for line in seen) == 1, f"the guest had to begin anew: {seen}")
    check(not any(line.startswith(("wrong", "broken")) for line in seen), seen)


def refused(directory, tool, plugin, guest):
    """A destination that grants less refuses, and the guest goes on at the source."""
    source, target = ends(directory, tool, plugin, guest, "--slots", "2")
    with source, target:
        answer = move(directory, source, target)
        check(answer["status"] == "failed", f"moved to where less is granted: {answer}")
        source.wait_for_rounds(3)
    check(any("Load:" in line for line in target.side.lines), f"no reason is told: {target.side.lines}")
    check(sum(line.startswith("life") for line in source.heard.lines) == 1, f"the guest had to begin anew: {source.heard.lines}")
    check(not any(line.startswith(("wrong", "broken")) for line in source.heard.lines), source.heard.lines)


def too_long(directory, tool):
    """What is longer than QEMU's stream carries is told when QEMU attaches, not when it moves."""
    os.makedirs(directory)
    side = attach.Attach(tool, directory, "--bus", os.path.join(directory, "bus"), vcpus=64)
    with side, bare.subprocess.Popen(["timeout", "-s", "KILL", "30", "qemu-system-riscv64", "-S", "-M", "virt", "-bios",
                                      "none", "-display", "none", *side.words()]) as qemu:
        side.wait_for("longer than the 1 MiB")
        bare.kill(qemu)


def main():
    """Move, and try to."""
    directory, root, tool, plugin = sys.argv[1:]
    bare.need(MACHINE)
    bare.fresh(directory)
    guest = bare.build(MACHINE, root, directory)
    moved(os.path.join(directory, "moved"), tool, plugin, guest)
    refused(os.path.join(directory, "refused"), tool, plugin, guest)
    too_long(os.path.join(directory, "long"), tool)
    sys.exit(bool(wrong))


main()
