#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write the register traces of abi/vectors from abi/python/traces.

usage: make_vectors.py [--check]

With --check nothing is written; the files must be current.
"""

import importlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# pylint: disable=wrong-import-position
from traces import TOPICS  # noqa: E402
from vpmu_author import build  # noqa: E402

VECTORS = HERE.parent / "vectors"


def as_text(tests, notes):
    """Return a vector file: a test takes a few lines, a step one."""
    head = {"schema": "schema/trace.json", "algorithm": "vpmu-trace", "level": 1,
            "numberOfTests": len(tests), "notes": notes}
    lines = ["{"] + [f"{json.dumps(k)}: {json.dumps(v)}," for k, v in head.items()]
    lines.append('"tests": [')
    for number, test in enumerate(tests):
        rest = {k: v for k, v in test.items() if k != "steps"}
        lines.append(json.dumps(rest)[:-1] + ',\n "steps": [')
        steps = ["  " + json.dumps(step) for step in test["steps"]]
        lines.append(",\n".join(steps) + "]}" + ("," if number + 1 < len(tests) else ""))
    return "\n".join(lines + ["]}"]) + "\n"


def made():
    """Yield the name and the text of each vector file."""
    for topic in TOPICS:
        module = importlib.import_module(f"traces.{topic}")
        tests = build(topic)
        seen = [test["id"] for test in tests]
        assert len(seen) == len(set(seen)), f"{topic}: two traces of one name"
        yield f"trace_{topic}.json", as_text(tests, {"about": module.__doc__.strip()})


def main():
    """Write or compare."""
    check = sys.argv[1:] == ["--check"]
    stale, total = [], 0
    for name, text in made():
        path = VECTORS / name
        total += text.count('"id": ')
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    print(f"{total} traces; {'stale' if check else 'written'}: {' '.join(stale) or 'none'}")
    if check and stale:
        print("Run abi/python/make_vectors.py and look at what changed.")
        sys.exit(1)


if __name__ == "__main__":
    main()
