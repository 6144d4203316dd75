# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""image_seeds.py vectors directory [golden-images seeds-of-fuzz_device]

Write the images of a file of vectors that are right, and one of each fault, as seeds of fuzz_image. With golden images
and seeds of fuzz_device: images that are right, each followed by what one of these seeds does, as seeds of fuzz_arrive.
"""

import json
import os
import pathlib
import struct
import sys

LONGEST = 2048


def images_of(vectors):
    """Yield (name, fault, bytes) of one image of each kind."""
    with open(vectors, encoding="utf-8") as file:
        tests = json.load(file)["tests"]
    seen = set()
    for test in tests:
        fault, image = test["expect"]["fault"], bytes.fromhex(test["image"])
        kind = (fault, test["expect"]["word"], len(image))
        if kind in seen or not 64 <= len(image) <= LONGEST:
            continue
        seen.add(kind)
        yield test["id"], fault, image


def arrivals(vectors, golden, devices):
    """Yield (name, bytes) of seeds of fuzz_arrive."""
    right = [image for _, fault, image in images_of(vectors) if not fault]
    right += [file.read_bytes() for file in sorted(pathlib.Path(golden).glob("*.vpmuimg"))]
    right = [image for image in right if len(image) <= LONGEST * 3 // 4]
    lives = [file.read_bytes() for file in sorted(pathlib.Path(devices).iterdir())]
    for number, image in enumerate(right):
        room = LONGEST - 3 - len(image)
        life = [life for life in lives if len(life) <= room][number * 7 % 50]
        yield f"arrive-{number}", struct.pack("<BH", number % 16, len(life)) + image + life


def main():
    """Write one file for each."""
    if len(sys.argv) > 3:
        seeds = arrivals(sys.argv[1], *sys.argv[3:])
    else:
        seeds = ((f"image-{name}", image) for name, _, image in images_of(sys.argv[1]))
    for name, seed in seeds:
        with open(os.path.join(sys.argv[2], name), "wb") as file:
            file.write(seed)


main()
