#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Golden images, as vpmu_image.py and the C library see them, and everything that damages them.

R-IMG-28: both read each, and write it again as the same bytes. R-IMG-3, R-IMG-4, R-IMG-12: each
truncation and each flipped bit gets the same verdict from both; with the checksum mended it is
refused, or is an image of another state, of which there is one form too.
"""

import argparse
import json
import pathlib
import random
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "abi" / "python"))

# pylint: disable=wrong-import-position
import vpmu_image  # noqa: E402
from conformance_image import LibraryAnswers  # noqa: E402
from image_vectors.runs import python_answers  # noqa: E402

FEW = 700


class Judges:
    """Both implementations, and what they disagreed about."""

    def __init__(self, library):
        self.both = [python_answers()] + ([LibraryAnswers(library)] if library else [])
        self.wrong = []
        self.asked = 0

    def judge(self, data, what):
        """Return the fault that both name."""
        self.asked += 1
        said = [answers.check(data, {}) for answers in self.both]
        if said[0] != said[-1]:
            self.wrong.append(f"{what}: python says {said[0]}, c says {said[-1]}")
        elif said[0]["fault"] == "NONE":
            for answers in self.both:
                if answers.again(data) != data:
                    self.wrong.append(f"{what}: written again it is another")
        return said[0]["fault"]


def flipped(data, bit):
    """Return an image with one bit flipped."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def chosen(rng, numbers, most):
    """Return all numbers, or where these are more than `most`, so many at random."""
    return numbers if len(numbers) <= most else sorted(rng.sample(numbers, most))


def whole(judges, path, data):
    """The image as it stands."""
    if judges.judge(data, path.name) != "NONE":
        judges.wrong.append(f"{path.name}: is refused")
        return
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if vpmu_image.describe(data) != told:
        judges.wrong.append(f"{path.name}: holds something else than {path.stem}.json says")


def damaged(judges, path, data, rng, most):
    """Everything that is shorter, and every flipped bit."""
    for length in chosen(rng, range(len(data)), most):
        if judges.judge(data[:length], f"{path.name}: {length} bytes") not in ("SHORT",):
            judges.wrong.append(f"{path.name}: {length} bytes are not SHORT")
    for bit in chosen(rng, range(8 * len(data)), most):
        what = f"{path.name}: bit {bit} flipped"
        if judges.judge(flipped(data, bit), what) == "NONE":
            judges.wrong.append(f"{what}: is taken")
        if not 160 <= bit < 192:
            judges.judge(vpmu_image.mended(flipped(data, bit)), f"{what}, checksum mended")


def main():
    """Judge every golden image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=pathlib.Path, help="the C library; without it Python alone")
    parser.add_argument("--all", action="store_true", help="every truncation and bit of every image")
    parser.add_argument("--seed", type=int, default=None, help="default: random")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    judges, rng = Judges(arguments.library), random.Random(seed)
    paths = sorted((ROOT / "abi" / "golden").glob("*.vpmuimg"))
    for path in paths:
        data = path.read_bytes()
        whole(judges, path, data)
        small = len(data) < 4096
        damaged(judges, path, data, rng, 1 << 30 if arguments.all and small else FEW if small else 20)
    print(f"{len(paths)} golden images, {judges.asked} images judged, {len(judges.wrong)} problems")
    for text in judges.wrong[:20]:
        print(text)
    return 1 if judges.wrong or len(paths) < 12 else 0


if __name__ == "__main__":
    sys.exit(main())
