# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The vectors of images, for vpmu_image.py and for the C library."""

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_int,
    c_uint32,
    c_uint64,
    c_void_p,
)

from image_vectors.runs import NO_FAULT, RUNNERS, python_answers
from vpmu_image_numbers import FAULT
from vpmu_library import ERRORS, Platform, Profile, SourceFacts

NOWHERE = (1 << 32) - 1
FAULTS = {value: name for name, value in FAULT.items()}
MISSING = ("STRICT", "DEGRADE", "STUB")
VERDICTS = ("OK", "DEGRADED", "MISSING")


class Fault(Structure):
    """struct vpmu_image_fault."""

    _fields_ = [
        ("size", c_uint64),
        ("fault", c_uint32),
        ("record", c_uint32),
        ("offset", c_uint64),
        ("vcpu", c_uint32),
        ("slot", c_uint32),
        ("word", c_char_p),
        ("text", c_char_p),
    ]

    def place(self):
        """Return it as the vectors have it."""
        record, vcpu, slot = (
            None if value == NOWHERE else value for value in (self.record, self.vcpu, self.slot)
        )
        return {
            "fault": FAULTS[self.fault],
            "record": record,
            "offset": self.offset,
            "vcpu": vcpu,
            "slot": slot,
            "word": self.word.decode(),
        }


class Target(Structure):
    """struct vpmu_image_target."""

    _fields_ = [
        ("size", c_uint64),
        ("profile", POINTER(Profile)),
        ("platform", POINTER(Platform)),
        ("facts", POINTER(SourceFacts)),
        ("missing", c_uint32),
        ("reserved", c_uint32),
    ]


class Event(Structure):
    """struct vpmu_image_event."""

    _fields_ = [
        ("vcpu", c_uint32),
        ("slot", c_uint32),
        ("attr", c_uint64 * 8),
        ("verdict", c_uint32),
        ("reason", c_uint32),
    ]


VISIT = CFUNCTYPE(c_int, c_void_p, POINTER(Event))


def sized(kind, **values):
    """Return a struct with its size."""
    return kind(size=ctypes.sizeof(kind), **values)


def target_struct(target):
    """Return struct vpmu_image_target."""
    made = sized(Target, missing=MISSING.index(target.get("missing", "STRICT")))
    for name, kind in (("profile", Profile), ("platform", Platform), ("facts", SourceFacts)):
        if target.get(name) is not None:
            setattr(made, name, ctypes.pointer(sized(kind, **target[name])))
    return made


class LibraryAnswers:
    """The C library."""

    def __init__(self, path):
        library = ctypes.CDLL(str(path))
        self.check_image = library.vpmu_image_check
        self.check_image.argtypes = [c_char_p, c_uint64, c_void_p, POINTER(Fault)]
        self.convert_image = library.vpmu_image_convert
        self.convert_image.argtypes = [
            c_char_p,
            c_uint64,
            c_uint32,
            c_uint32,
            c_void_p,
            c_uint64,
            POINTER(c_uint64),
            POINTER(Fault),
        ]
        self.visit_events = library.vpmu_image_events
        self.visit_events.argtypes = [c_char_p, c_uint64, c_void_p, VISIT, c_void_p, POINTER(Fault)]
        self.fault = sized(Fault)

    def check(self, data, target):
        """Return the place at which an image is refused, or NO_FAULT."""
        fault = self.fault
        held = byref(target_struct(target)) if target else None
        answer = self.check_image(data, len(data), held, fault)
        if answer == 0:
            return dict(NO_FAULT)
        place = fault.place()
        wanted = ERRORS["NEWER" if place["fault"] == "NEWER" else "IMAGE"]
        if answer != wanted or not fault.text:
            place["answer"] = answer
        return place

    def again(self, data):
        """Write an image for the level that it has."""
        return self.convert(data, int.from_bytes(data[28:32], "little"), False)[2]

    def events(self, data, facts):
        """Return vCPU, slot, verdict and reason of each open event."""
        seen = []

        def visit(_opaque, event):
            seen.append((event[0].vcpu, event[0].slot, VERDICTS[event[0].verdict], event[0].reason))
            return 0

        answer = self.visit_events(
            data, len(data), byref(target_struct({"facts": facts})), VISIT(visit), None, None
        )
        return seen if answer == 0 else [("answer", answer)]

    def convert(self, data, level, accept_loss):
        """Return outcome, place and bytes."""
        written, fault = c_uint64(), self.fault
        to = ctypes.create_string_buffer(max(len(data), 1))
        answer = self.convert_image(
            data, len(data), level, int(accept_loss), to, len(data), byref(written), fault
        )
        if answer == 0:
            return "DONE", None, to.raw[: written.value]
        if answer == ERRORS["INVALID"]:
            return "INVALID", None, b""
        outcome = {ERRORS["STATE"]: "LOSS", ERRORS["IMAGE"]: "IMAGE", ERRORS["NEWER"]: "IMAGE"}
        return outcome.get(answer, str(answer)), fault.place(), b""


def yielded(vectors, answers):
    """Yield (id, None) or (id, (place, expected, got)), as scripts/conformance takes them."""
    for test in vectors["tests"]:
        try:
            wanted, got = RUNNERS[vectors["algorithm"]](answers, test)
        except Exception as error:  # pylint: disable=broad-except
            wanted, got = "an answer", f"{type(error).__name__}: {error}"
        yield test["id"], None if wanted == got else (test["comment"], wanted, got)


ALGORITHMS = {
    algorithm: {
        "python": lambda vectors, _: yielded(vectors, python_answers()),
        "c": lambda vectors, library: yielded(vectors, LibraryAnswers(library)),
    }
    for algorithm in RUNNERS
}
