# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The numbers that the model states for itself are those of abi/vpmu.toml, all of them; other languages have those of C."""

import pathlib
import re
import sys
import unittest

ABI = pathlib.Path(__file__).resolve().parent.parent.parent / "abi"
sys.path[:0] = [str(ABI / "gen"), str(ABI / "python")]

# pylint: disable=wrong-import-position
import vpmu_abi  # noqa: E402
import vpmu_image_numbers as image  # noqa: E402
import vpmu_numbers  # noqa: E402

# The prefix of the generated names, and the model's table.
TABLES = {"TYPE": "TYPE", "HARDWARE": "HARDWARE", "CACHE_OP": "CACHE_OP",
          "CACHE_RESULT": "CACHE_RESULT", "SOFTWARE": "SOFTWARE", "STATE": "STATE",
          "REASON": "REASON", "EPOCH": "EPOCH", "AREA": "AREA", "PMI": "PMI", "LINE": "LINE",
          "OP": "OP", "BANK": "BANK", "RESULT": "RESULT", "REQUEST": "REQUEST",
          "CONTEXT": "CONTEXT", "CALL": "CALL", "FEATURE": "FEATURE", "ATTR": "ATTR_FLAG",
          "EVENT": "EVENT_FLAG", "REG": "REG", "ATTR_WORD": "ATTR_WORD",
          "EVENT_WORD": "EVENT_WORD", "PCI": "PCI"}
OTHERS = {"DRAFT_LEVEL": "LEVEL_DRAFT", "STRIDE": "STRIDE", "SLOT_EVENT": "EVENT_AT"}


# The same for images.
IMAGE_TABLES = {"IMAGE_KIND": "KIND", "RECORD": "RECORD", "IMAGE_BANK": "BANK",
                "ARCHITECTURE": "ARCHITECTURE", "TRANSPORT": "TRANSPORT", "IMAGE_FAULT": "FAULT",
                "IMAGE_MUST": "MUST"}
IMAGE_LAYOUTS = {"IMAGE_HEADER": "HEADER", "IMAGE_RECORD": "RECORD_HEAD", "IMAGE_VM": "VM"}


def stated_of_images():
    """Return every number of images under its generated name."""
    numbers = {f"IMAGE_{name}": getattr(image, name) for name in (
        "MAGIC", "FORMAT", "READER", "HEADER_BYTES", "MAX_BYTES", "MAX_VCPUS", "MAX_RECORD_WORDS",
        "MAX_BANK_PAIRS", "MAX_EPOCH", "VCPU_WORDS")}
    for prefix, table in IMAGE_TABLES.items():
        for name, value in getattr(image, table).items():
            numbers[f"{prefix}_{name}"] = value
    for prefix, table in IMAGE_LAYOUTS.items():
        for place, (name, mask) in enumerate(getattr(image, table)):
            numbers[f"{prefix}_WORD_{name.upper()}"] = place
            numbers[f"{prefix}_MASK_{name.upper()}"] = mask
    return numbers


def stated():
    """Return every number of the model under its generated name."""
    numbers = {name: getattr(vpmu_numbers, name) for name in (
        "MAGIC", "LEVEL", "MAX_SLOTS", "MAX_BATCH_WORDS", "RESET_VCPU", "RESET_ALL", "AREA_SIZE",
        "CPUID_SIGNATURE", "CALL_BASE", "CPUID_BASE", "MSR_BASE", "MMIO_SIZE")}
    numbers.update({name: getattr(vpmu_numbers, own) for name, own in OTHERS.items()})
    for prefix, table in TABLES.items():
        for name, value in getattr(vpmu_numbers, table).items():
            numbers[f"{prefix}_{name.upper()}"] = value
    for name, value in vpmu_numbers.CACHE.items():
        numbers[f"CACHE_{name}"] = value
    return numbers


def generated():
    """Return the numbers for Python, and of these the places of fields."""
    numbers = {name: value for name, value in vars(vpmu_abi).items()
               if name.isupper() and isinstance(value, int)}
    return numbers, {name: value for name, value in numbers.items() if name.endswith(("_SHIFT", "_MASK"))}


class Constants(unittest.TestCase):
    """Lists of the same numbers."""

    def test_same(self):
        """R-REG-1: both lists hold the same names with the same values."""
        numbers, fields = generated()
        self.assertGreater(len(numbers), 100)
        self.assertEqual(numbers.pop("SLOT_ATTR"), 0)
        self.assertEqual({name: value for name, value in numbers.items() if name not in fields},
                         {**stated(), **stated_of_images()})

    def test_fields(self):
        """R-REG-1: a field is where it is in C."""
        header = (ABI.parent / "include/vpmu/abi.h").read_text(encoding="utf-8")
        in_c = {name: int(value, 0) for name, value in re.findall(
            r"^#define VPMU_(\w+_(?:SHIFT|MASK)) (0x[0-9a-f]+|\d+)(?:ull)?$", header, re.M)}
        self.assertGreater(len(in_c), 50)
        self.assertEqual(generated()[1], in_c)

    def test_rust(self):
        """R-REG-1: Rust has what Python has."""
        text = (ABI / "gen/vpmu_abi.rs").read_text(encoding="utf-8")
        in_rust = {name: int(value, 0) for name, value in re.findall(
            r"^pub const (\w+): u64 = (0x[0-9a-f]+|\d+);$", text, re.M)}
        self.assertEqual(in_rust, generated()[0])


if __name__ == "__main__":
    unittest.main()
