# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""convert_page.py libvpmu.so

The tables of abi/CONVERT.md are those of the Python implementation and of the library (R-CONV-1,
R-CONV-5, R-CONV-24, R-CONV-27), and the vectors fit their schemas.
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


class Selector(ctypes.Structure):
    """struct vpmu_convert_selector"""
    _fields_ = [("size", ctypes.c_uint64), ("event", ctypes.c_uint64),
                ("fixed", ctypes.c_uint32), ("only_fixed", ctypes.c_uint32)]


def cell_of(library, attr, model):
    """Return what the table of selectors should say."""
    selector = Selector(size=ctypes.sizeof(Selector))
    result = library.vpmu_convert_selector(attr, model, ctypes.byref(selector))
    if result:
        return "-"
    width = 4 if model < 3 else 2
    code = "only" if selector.only_fixed else f"0x{selector.event:0{width}x}"
    return code + (f" f{selector.fixed}" if selector.fixed != 0xffffffff else "")


def selector_problems(path):
    """Yield what differs between the table of selectors and the library, over all generic events."""
    library = ctypes.CDLL(path)
    page = {row[0]: row[1:] for row in headed("event")[1:]}
    events = [(1, n) for n in range(1, 11)]
    events += [(2, c | o << 8 | r << 16) for c in range(7) for o in range(3) for r in range(2)]
    text = ctypes.create_string_buffer(32)
    for kind, config in events:
        attr = (ctypes.c_uint64 * 8)(kind, config)
        library.vpmu_convert_name(attr, text, ctypes.c_uint64(32))
        name = text.value.decode()
        cells = [cell_of(library, attr, model) for model in (1, 2, 3)]
        if cells != page.pop(name, ["-", "-", "-"]):
            yield f"the selectors of {name}: the library says {cells}"
    for name in page:
        yield f"the page has selectors of {name}, which is no event"


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
    found = [f"differ: {what}" for what in problems(sys.argv[1])]
    found += list(selector_problems(sys.argv[1])) + list(schema_problems())
    print("\n".join(found) or "the tables agree and the vectors fit")
    sys.exit(1 if found else 0)


main()
