# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Images in the C library in another process, perhaps on another machine (vpmu_pipe.py)."""

from image_vectors.runs import NO_FAULT
from vpmu_image_numbers import FAULT
from vpmu_library import ERRORS, PROFILE_32, PROFILE_64
from vpmu_pipe import MISSING, PLATFORM_WORDS, signed

NOWHERE = (1 << 32) - 1
FAULTS = {value: name for name, value in FAULT.items()}
VERDICTS = ("OK", "DEGRADED", "MISSING")
PARTS = (
    ("profile", PROFILE_64[1:] + PROFILE_32),
    ("platform", PLATFORM_WORDS),
    ("facts", ("hardware_events", "software_events", "cache_events", "raw_events",
               "counters")))


def target_words(target):
    """Return the words of a target."""
    given = sum(1 << bit for bit, (name, _) in enumerate(PARTS) if target.get(name) is not None)
    words = [given, MISSING.index(target.get("missing", "STRICT"))]
    for name, fields in PARTS:
        words += [(target.get(name) or {}).get(field, 0) for field in fields]
    return words


def place_of(words, name):
    """Return a fault as the vectors have it."""
    fault, record, offset, vcpu, slot, _ = words
    record, vcpu, slot = (None if word == NOWHERE else word for word in (record, vcpu, slot))
    return {"fault": FAULTS[fault], "record": record, "offset": offset, "vcpu": vcpu,
            "slot": slot, "word": name.decode()}


class PipeAnswers:
    """What image_vectors/runs.py asks."""

    def __init__(self, testee):
        self.testee = testee

    def check(self, data, target):
        """Return the place at which an image is refused, or NO_FAULT."""
        (error, *fault), name = self.testee.ask("image_check", target_words(target), data)
        if error == 0:
            return dict(NO_FAULT)
        place = place_of(fault, name[:-1])
        wanted = ERRORS["NEWER" if place["fault"] == "NEWER" else "IMAGE"]
        if signed(error) != wanted or not fault[-1]:
            place["answer"] = signed(error)
        return place

    def again(self, data):
        """Write an image for the level that it has."""
        return self.convert(data, int.from_bytes(data[28:32], "little"), False)[2]

    def events(self, data, facts):
        """Return vCPU, slot, verdict and reason of each open event."""
        (*words, error), _ = self.testee.ask("image_events", target_words({"facts": facts}), data)
        if error:
            return [("answer", signed(error))]
        return [(words[at], words[at + 1], VERDICTS[words[at + 2]], words[at + 3])
                for at in range(0, len(words), 4)]

    def convert(self, data, level, accept_loss):
        """Return outcome, place and bytes."""
        (error, *fault), data = self.testee.ask("image_convert", [level, int(accept_loss)], data)
        name, _, image = data.partition(b"\0")
        if error == 0:
            return "DONE", None, image
        outcome = {ERRORS["STATE"]: "LOSS", ERRORS["IMAGE"]: "IMAGE", ERRORS["NEWER"]: "IMAGE",
                   ERRORS["INVALID"]: "INVALID"}.get(signed(error), str(signed(error)))
        return outcome, None if outcome == "INVALID" else place_of(fault, name), b""
