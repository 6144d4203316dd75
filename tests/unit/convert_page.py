# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""convert_page.py libvpmu.so

The tables of abi/CONVERT.md are those of the Python implementation and of the library (R-CONV-1,
R-CONV-5, R-CONV-24), and the vectors fit their schemas.
"""

import ctypes
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "abi" / "python"))

# pylint: disable=wrong-import-position
import conformance_convert  # noqa: E402
import vpmu_convert as convert  # noqa: E402


def tables():
    """Return the tables of the page, each a list of rows of cells."""
    found, rows = [], []
    for line in (ROOT / "abi" / "CONVERT.md").read_text(encoding="utf-8").splitlines() + [""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            found.append([rows[0]] + rows[2:])
            rows = []
    return found


def headed(word):
    """Return the rows of the table whose first cell is the word."""
    return next(table for table in tables() if table[0][0] == word)


def page_fields():
    """Return the table of fields in the form of convert.FIELDS."""
    return tuple((row[0], *(int(cell) for cell in row[1:5]), *row[5:])
                 for row in headed("field")[1:])


def problems(library):
    """Yield what differs."""
    if page_fields() != convert.FIELDS:
        yield "the fields of the page and of vpmu_convert.py"
    if conformance_convert.LibraryConversions(library).fields != page_fields():
        yield "the fields of the page and of the library"
    if tuple(int(cell) for cell in headed("version")[1][1:]) != convert.SIZES:
        yield "the sizes of the page and of vpmu_convert.py"
    page = ["".join(row[1:]) for row in headed("PMU")[1:]]
    if page != list(convert.EXCLUSIONS.values()):
        yield "the exclude flags of the page and of vpmu_convert.py"
    honesty = ctypes.CDLL(library).vpmu_convert_exclude
    for number, pmu in enumerate(convert.EXCLUSIONS):
        for flags in range(64):
            if "hir"[honesty(number, flags)] != convert.exclude(pmu, flags):
                yield f"exclude flags {flags} of {pmu} in the library"


def schema_problems():
    """Yield what does not fit its schema."""
    try:
        import jsonschema  # pylint: disable=import-outside-toplevel
    except ImportError:
        print("jsonschema is missing: run scripts/install-needs --all")
        sys.exit(77)
    vectors = ROOT / "abi" / "vectors"
    for path in sorted(vectors.glob("convert_*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        schema = json.loads((vectors / data["schema"]).read_text(encoding="utf-8"))
        for error in jsonschema.Draft202012Validator(schema).iter_errors(data):
            yield f"{path.name}: {error.json_path}: {error.message[:200]}"


def main():
    """Print what is wrong."""
    found = [f"differ: {what}" for what in problems(sys.argv[1])] + list(schema_problems())
    print("\n".join(found) or "the tables agree and the vectors fit")
    sys.exit(1 if found else 0)


main()
