# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""image_seeds.py vectors directory

Write the images of a file of vectors that are right, and one of each fault, as seeds of fuzz_image.
"""

import json
import os
import sys

LONGEST = 2048


def main():
    """Write one file for each, named as the vector is."""
    with open(sys.argv[1], encoding="utf-8") as file:
        tests = json.load(file)["tests"]
    seen = set()
    for test in tests:
        fault, image = test["expect"]["fault"], bytes.fromhex(test["image"])
        kind = (fault, test["expect"]["word"], len(image))
        if kind in seen or not 64 <= len(image) <= LONGEST:
            continue
        seen.add(kind)
        with open(os.path.join(sys.argv[2], f"image-{test['id']}"), "wb") as file:
            file.write(image)


main()
