# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Each vector file follows its schema, counts its tests right, and names each test once."""

import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is missing; run scripts/install-needs --all")
    sys.exit(77)

VECTORS = pathlib.Path(__file__).resolve().parent.parent.parent / "abi" / "vectors"


def problems(path, schemas):
    """Yield what is wrong with a vector file."""
    vectors = json.loads(path.read_text(encoding="utf-8"))
    name = vectors.get("schema", "")
    if name not in schemas:
        schema = json.loads((VECTORS / name).read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        schemas[name] = jsonschema.Draft202012Validator(schema)
    for error in schemas[name].iter_errors(vectors):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
    tests = vectors["tests"]
    if vectors["numberOfTests"] != len(tests):
        yield f"numberOfTests is {vectors['numberOfTests']}, there are {len(tests)}"
    names = [test["id"] for test in tests]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"more than one test is called {name}"


def main():
    """Check every file."""
    schemas, wrong, files = {}, 0, sorted(VECTORS.glob("*.json"))
    for path in files:
        for problem in problems(path, schemas):
            wrong += 1
            print(f"{path.name}: {problem}")
    print(f"{len(files)} files, {wrong} problems")
    sys.exit(1 if wrong or not files else 0)


main()
