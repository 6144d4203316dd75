# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The example of abi/SPEC.md does what it says: read from the page, and run on the model, access by access and as a batch."""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "abi" / "python"))

# pylint: disable=wrong-import-position
from vpmu_model import Vm  # noqa: E402
from vpmu_numbers import REG, register_index  # noqa: E402
from vpmu_world import World  # noqa: E402

PAGE = (ROOT / "abi" / "SPEC.md").read_text(encoding="utf-8")
COUNTED = {0: 1000, 1: 70}


def part(name):
    """Return the text between two markers."""
    return re.search(f"<!-- begin {name} -->\n(.*?)<!-- end {name} -->", PAGE, re.S)[1]


def index_of(name):
    """Return the number of a register that a row names, "0x12 OPEN" or "0x31 slot 0, count"."""
    slot = re.fullmatch(r"slot (\d+), (\w+)", name)
    return register_index(f"{slot[1]}.{slot[2]}") if slot else REG[name]


class Example(unittest.TestCase):
    """Section 15."""

    def setUp(self):
        self.world = World()
        self.vcpu = Vm({}, self.world).add_vcpu(0)
        self.vcpu.bind(0)

    def count(self):
        """What the guest does is counted."""
        for slot, number in COUNTED.items():
            self.world.count(0, slot, number)
        self.world.time(0, 0, 500, 500)

    def test_accesses(self):
        """R-MASK-9: each row is the register that it names, is done, and reads what it says."""
        seen = {}
        for row in re.findall(r"^\| (read|write) \| (0x\w+) (.*?) \| *(\w*) *\|", part("example"), re.M):
            access, number, name, value = row[0], int(row[1], 16), row[2], row[3]
            self.assertEqual(number, index_of(name), row)
            if name == "SYNC":
                self.count()
            if access == "write":
                self.assertEqual(self.vcpu.write(number, int(value, 0)), "done", row)
                continue
            outcome, seen[name] = self.vcpu.read(number)
            self.assertEqual(outcome, "done", row)
            if value:
                self.assertEqual(seen[name], int(value, 0), row)
        self.assertEqual((seen["slot 0, count"], seen["slot 1, count"]), (COUNTED[0], COUNTED[1]))
        self.assertEqual((seen["slot 0, time_enabled"], seen["slot 0, time_running"]), (500, 500))
        self.assertEqual(self.vcpu.read(REG["OPENED"])[1], 0)

    def test_batch(self):
        """R-BAT-3: the batch opens, enables and reads, and all its heads say so."""
        lines = [re.match(r"((?: +(?:0x)?[0-9a-f]+\b)+)", line)[1].split() for line in part("example-batch").splitlines()]
        words = [int(word, 0) for line in lines for word in line]
        kick = int(re.search(r"^(0x\w+) is written to register 0x1a, KICK", PAGE, re.M)[1], 16)
        self.world.poke(0x10000, words)
        self.assertEqual(self.vcpu.write(REG["KICK"], kick), "done")
        after = self.world.peek(0x10000, len(words))
        place = 0
        for line in lines:
            self.assertEqual(after[place] >> 48, 1, line)
            place += len(line)
        self.assertEqual(place, kick >> 52)
        self.assertEqual(self.vcpu.read(REG["ENABLED"])[1], 3)
        self.assertEqual(after[place - 8] >> 32 & 0xff, 2)


if __name__ == "__main__":
    unittest.main()
