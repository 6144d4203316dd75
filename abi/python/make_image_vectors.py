#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write abi/vectors/image_decode.json, image_restore.json and image_convert.json.

usage: make_image_vectors.py [--check]

Each case says by hand what is to come out, and vpmu_image.py must agree while it is written. With
--check nothing is written; the files must be current.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# pylint: disable=wrong-import-position
import vpmu_image  # noqa: E402
from image_vectors import convert, decode, restore  # noqa: E402
from image_vectors.runs import RUNNERS, python_answers  # noqa: E402

VECTORS = HERE.parent / "vectors"
NOTE = (
    "images are hexadecimal bytes; a place has the number of the record, the byte, the vCPU, the "
    "slot and the word, null where that does not apply (abi/IMAGE.md section 1.1)"
)


def as_text(topic, tests, about):
    """Return a vector file, a test a line."""
    head = {
        "schema": f"schema/image_{topic}.json",
        "algorithm": f"vpmu-image-{topic}",
        "numberOfTests": len(tests),
        "notes": {"about": about, "form": NOTE},
    }
    lines = ["{"] + [f"{json.dumps(k)}: {json.dumps(v)}," for k, v in head.items()]
    return (
        "\n".join(lines + ['"tests": [', ",\n".join(json.dumps(test) for test in tests), "]}"])
        + "\n"
    )


def checked(topic, tests):
    """Return tests, each of which vpmu_image.py answers as the author did."""
    for test in tests:
        wanted, got = RUNNERS[f"vpmu-image-{topic}"](python_answers(), test)
        assert wanted == got, f"{topic}: {test['id']}: author {wanted}, vpmu_image {got}"
    names = [test["id"] for test in tests]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"{topic}: more than one test is called {sorted(twice)}"
    return tests


def main():
    """Write or compare."""
    check = sys.argv[1:] == ["--check"]
    assert vpmu_image.crc32c(b"123456789") == 0xE3069283
    stale, total = [], 0
    for module in (decode, restore, convert):
        topic = module.__name__.rsplit(".", maxsplit=1)[-1]
        tests = checked(topic, module.tests())
        text = as_text(topic, tests, " ".join(module.__doc__.split()))
        path, total = VECTORS / f"image_{topic}.json", total + len(tests)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if not check:
                path.write_text(text, encoding="utf-8")
    print(
        f"{total} tests of images; {'stale' if check else 'written'}: {' '.join(stale) or 'none'}"
    )
    if check and stale:
        print("Run abi/python/make_image_vectors.py and look at what changed.")
        sys.exit(1)


if __name__ == "__main__":
    main()
