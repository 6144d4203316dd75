#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Run the vectors of conversions against the C library or the Python implementation.

usage: conformance_convert.py [--library libvpmu.so] file...
"""

import argparse
import ctypes
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# pylint: disable=wrong-import-position
import vpmu_convert as convert  # noqa: E402

ERRORS = {0: "NONE", -1: "INVALID", -2: "TOO_BIG", -4: "DENIED", -5: "UNSUPPORTED"}
VERDICTS = ("accept", "drop", "refuse", "never", "reserved")
ORIGINS = ("zero", "guest", "host")
U32, U64, TEXT = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_char_p


class Sized(ctypes.Structure):
    """A struct whose first member is its size."""

    def __init__(self, **values):
        super().__init__(size=ctypes.sizeof(self), **values)


class Attr(ctypes.Structure):
    """struct guest_perf_attr."""

    _fields_ = [(word, U64) for word in convert.WORDS]

    def words(self):
        """Return the words that are not 0."""
        return {word: getattr(self, word) for word in convert.WORDS if getattr(self, word)}


class To(Sized):
    """struct vpmu_convert_to."""

    _fields_ = [(n, U64) for n in ("size", "bytes", "left", "read_format", "config_mask",
                                   "config1_mask", "config2_mask")] + \
        [(n, U32) for n in ("flags", "pmu_type", "pmu_model", "wakeup_events")]


class From(Sized):
    """struct vpmu_convert_from."""

    _fields_ = [(n, U64) for n in ("size", "left", "config_mask", "config1_mask",
                                   "config2_mask")] + \
        [(n, U32) for n in ("flags", "pmu_type", "pmu_model", "reserved")]


class Report(Sized):
    """struct vpmu_convert_report."""

    _fields_ = [("size", U64), ("supported", U64), ("dropped", U64 * 2), ("name", TEXT),
                ("reason", TEXT), ("field", U32), ("verdict", U32), ("enable", U32),
                ("reserved", U32)]


class Field(Sized):
    """struct vpmu_convert_field."""

    _fields_ = [("size", U64), ("name", TEXT), ("reason", TEXT)] + \
        [(n, U32) for n in ("offset", "width", "first_bit", "version", "verdict",
                            "kernel_verdict", "origin", "reserved")]


class PythonConversions:
    """vpmu_convert.py."""

    @staticmethod
    def to_perf(attr, options, room):
        """Return error, name and bytes."""
        try:
            return "NONE", "", convert.to_perf(attr, options, room)
        except convert.Refusal as refusal:
            return refusal.error, refusal.name, b""

    @staticmethod
    def from_perf(data, options):
        """Return error, name, verdict, dropped, enable and words."""
        return convert.from_perf(data, options)

    @staticmethod
    def names(text):
        """Return error, name, words and the text that is written for them."""
        try:
            attr = {word: value for word, value in convert.parse(text).items() if value}
            return "NONE", "", attr, convert.name(attr)
        except convert.Refusal as refusal:
            return refusal.error, refusal.name, {}, ""


class LibraryConversions:
    """The C library."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.vpmu_convert_to_perf.argtypes = (
            ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, U64, ctypes.c_void_p)
        self.library.vpmu_convert_from_perf.argtypes = (
            ctypes.c_void_p, U64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
        self.library.vpmu_convert_parse.argtypes = (
            ctypes.c_char_p, U64, ctypes.c_void_p, ctypes.c_void_p)
        self.library.vpmu_convert_name.argtypes = (ctypes.c_void_p, ctypes.c_char_p, U64)
        self.fields = tuple(self._field(i) for i in range(self.library.vpmu_convert_field_count()))

    def _field(self, index):
        """Return a row of the table in the form of convert.FIELDS."""
        field = Field()
        if self.library.vpmu_convert_field_at(index, ctypes.byref(field)) != 0:
            raise ValueError(f"field {index} has no description")
        return (field.name.decode(), field.offset, field.width, field.first_bit, field.version,
                VERDICTS[field.verdict], VERDICTS[field.kernel_verdict], ORIGINS[field.origin])

    def to_perf(self, attr, options, room):
        """Return error, name and bytes."""
        report, data = Report(), ctypes.create_string_buffer(b"\xa5" * 160, 160)
        result = self.library.vpmu_convert_to_perf(
            ctypes.byref(Attr(**attr)), ctypes.byref(To(**options)), data, room,
            ctypes.byref(report))
        size = max(result, 0)
        if data.raw[size:] != b"\xa5" * (160 - size):
            return "bytes written past the struct", "", b""
        return ERRORS[min(result, 0)], report.name.decode(), data.raw[:size]

    def from_perf(self, data, options):
        """Return error, name, verdict, dropped, enable and words."""
        report, attr = Report(), Attr()
        result = self.library.vpmu_convert_from_perf(
            data, len(data), ctypes.byref(From(**options)), ctypes.byref(attr),
            ctypes.byref(report))
        bits = report.dropped[0] | report.dropped[1] << 64
        dropped = [row[0] for i, row in enumerate(self.fields) if bits >> i & 1]
        return (ERRORS[result], report.name.decode(), VERDICTS[report.verdict], dropped,
                report.enable, attr.words())

    def names(self, text):
        """Return error, name, words and the text that is written for them."""
        report, attr, written = Report(), Attr(), ctypes.create_string_buffer(32)
        result = self.library.vpmu_convert_parse(text.encode(), len(text), ctypes.byref(attr),
                                                 ctypes.byref(report))
        if result == 0 and self.library.vpmu_convert_name(ctypes.byref(attr), written, 32) < 0:
            return "it has no name again", "", {}, ""
        return ERRORS[result], report.name.decode(), attr.words(), written.value.decode()


def numbers(words):
    """Return the numbers of a test."""
    return {key: int(value, 16) for key, value in words.items()}


def run_to(conversions, test):
    """Return what a test should give and what it gave."""
    options = numbers(test["options"])
    room = options.pop("room", convert.NEWEST)
    error, name, data = conversions.to_perf(numbers(test["attr"]), options, room)
    return (test["error"], test["name"], test["bytes"]), (error, name, data.hex())


def run_from(conversions, test):
    """Return what a test should give and what it gave."""
    wanted = tuple(test[key] for key in ("error", "name", "verdict", "dropped", "enable"))
    got = conversions.from_perf(bytes.fromhex(test["bytes"]), numbers(test["options"]))
    return wanted + (numbers(test["attr"]),), tuple(got)


def run_names(conversions, test):
    """Return what a test should give and what it gave."""
    wanted = (test["error"], test["name"], numbers(test["attr"]), test["written"])
    return wanted, conversions.names(test["text"])


RUNNERS = {"vpmu-convert-to-perf": run_to, "vpmu-convert-from-perf": run_from,
           "vpmu-convert-names": run_names}


def judged(vectors, conversions):
    """Yield (id, None) or (id, (place, expected, got)), as scripts/conformance takes them."""
    for test in vectors["tests"]:
        wanted, got = RUNNERS[vectors["algorithm"]](conversions, test)
        yield test["id"], None if wanted == got else (test["comment"], wanted, got)


def yielded(vectors, library_path):
    """Judge the library at a path, or without one the Python implementation."""
    yield from judged(vectors, LibraryConversions(str(library_path)) if library_path
                      else PythonConversions())


def run(vectors, library_path):
    """Return (id, whether it passed, message) of each test; library_path None: Python."""
    return [(number, not wrong, "{}: expected {}, got {}".format(*wrong) if wrong else "")
            for number, wrong in yielded(vectors, library_path)]


ALGORITHMS = {algorithm: {"python": lambda vectors, _: yielded(vectors, None), "c": yielded}
              for algorithm in RUNNERS}


def main():
    """Run files, print what failed."""
    if sys.byteorder != "little":
        print("the vectors are for little-endian machines")
        sys.exit(77)
    parser = argparse.ArgumentParser(description="Run the vectors of conversions.")
    parser.add_argument("--library", help="path of libvpmu.so; without it the Python code is run")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    failed = 0
    for path in arguments.files:
        vectors = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        results = run(vectors, arguments.library)
        wrong = [result for result in results if not result[1]]
        if vectors["numberOfTests"] != len(vectors["tests"]):
            wrong.append((0, False, "numberOfTests is not the number of tests"))
        for number, _, message in wrong:
            print(f"{pathlib.Path(path).name}: test {number}: {message}")
        print(f"{pathlib.Path(path).name}: {len(results)} tests, {len(wrong)} failed")
        failed += len(wrong)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
