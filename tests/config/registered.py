# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""registered.py build-directory

A build that was configured with VPMU_NO_SKIPS must hold no test that could be skipped or disabled
in silence. Tests get their properties from vpmu_test() and vpmu_script_test(); this finds those
that were added another way.
"""

import json
import subprocess
import sys

import kvm_usable

SKIPPING = ("SKIP_RETURN_CODE", "SKIP_REGULAR_EXPRESSION", "DISABLED")


def tests_of(build):
    """Yield the name and the properties of each test."""
    text = subprocess.run(
        ["ctest", "--test-dir", build, "--show-only=json-v1"],
        check=True, capture_output=True, text=True).stdout
    for test in json.loads(text)["tests"]:
        yield test["name"], {p["name"]: p["value"] for p in test.get("properties", [])}


def main():
    """Print each test that may be skipped."""
    kvm_is_missing = kvm_usable.reason() is not None
    bad = 0
    for name, properties in tests_of(sys.argv[1]):
        if kvm_is_missing and "kvm" in properties.get("LABELS", []):
            continue
        for key in SKIPPING:
            if properties.get(key):
                print(f"test {name}: has {key}, so it may be skipped in silence. "
                      "Add it with vpmu_test() or vpmu_script_test() instead.")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
