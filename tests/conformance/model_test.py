# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The model and the runner can fail: a vector that is changed by one bit does not pass."""

import copy
import json
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "abi" / "python"))

# pylint: disable=wrong-import-position
from vpmu_model import Bucket, Slot, Vm  # noqa: E402
from vpmu_numbers import REG, register_index  # noqa: E402
from vpmu_trace import Model, run_test  # noqa: E402
from vpmu_world import World  # noqa: E402


def a_trace(name, topic):
    """Return a copy of a trace."""
    path = ROOT / "abi" / "vectors" / f"trace_{topic}.json"
    tests = json.loads(path.read_text(encoding="utf-8"))["tests"]
    return copy.deepcopy(next(test for test in tests if test["id"] == name))


class Runner(unittest.TestCase):
    """What a trace expects is what decides."""

    def test_unchanged(self):
        """R-SLOT-5: the trace as it stands passes."""
        self.assertIsNone(run_test(a_trace("slots-life", "slots"), Model))

    def test_every_expectation_counts(self):
        """R-ACC-3: with any one expectation dropped the trace fails at that step."""
        whole = a_trace("slots-life", "slots")
        for number, step in enumerate(whole["steps"]):
            if "expect" not in step:
                continue
            trace = copy.deepcopy(whole)
            del trace["steps"][number]["expect"]
            self.assertIn(f"step {number} ", run_test(trace, Model)[0])

    def test_value_counts(self):
        """R-ACC-5: another value than the expected one fails."""
        trace = a_trace("registers-identity", "registers")
        trace["steps"][0]["expect"]["value"] = "0x1"
        self.assertEqual(run_test(trace, Model)[0], "step 0 (read MAGIC)")

    def test_initial_counts(self):
        """R-REG-2: other registers at the start fail."""
        trace = a_trace("registers-identity", "registers")
        trace["initial"]["7"]["EPOCH"] = "0x5"
        self.assertEqual(run_test(trace, Model)[0], "initial registers")


class Arithmetic(unittest.TestCase):
    """The model's own sums."""

    def test_overflows_add_up(self):
        """R-OVF-1: adding in one go or in pieces overflows equally often."""
        for period in (1, 2, 3, 7, 10):
            for pieces in ((5, 5), (1, 9), (10,), (3, 3, 4), (0, 10)):
                whole, parts = Slot(), Slot()
                for slot in (whole, parts):
                    slot.attr[4] = slot.period_left = period
                overflows = sum(parts.add(piece) for piece in pieces)
                self.assertEqual(whole.add(10), overflows)
                self.assertEqual(whole.period_left, parts.period_left)
                self.assertEqual(overflows, 10 // period)

    def test_bucket(self):
        """R-PMI-9: a bucket gives its burst at once and then its rate."""
        bucket = Bucket(2, 3, 0)
        self.assertEqual([bucket.take(1, 0) for _ in range(4)], [True, True, True, False])
        self.assertFalse(bucket.take(1, 499_999_999))
        self.assertTrue(bucket.take(1, 500_000_000))

    def test_registers(self):
        """R-REG-3: a control index behind the last and one behind the last slot are undefined."""
        vcpu = Vm({"slots": 2}, World()).add_vcpu(0)
        self.assertEqual(vcpu.read(REG["RESET"]), ("done", 0))
        self.assertEqual(vcpu.read(REG["RESET"] + 1)[0], "fault")
        self.assertEqual(vcpu.read(register_index("1.continuity"))[0], "done")
        self.assertEqual(vcpu.read(96)[0], "fault")


if __name__ == "__main__":
    unittest.main()
