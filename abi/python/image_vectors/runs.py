# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What a test of images asks an implementation, and what comes out.

An implementation has check(data, target), events(data, facts) and convert(data, level, accept); see
python_answers().
"""

import vpmu_image

NO_FAULT = {"fault": "NONE", "record": None, "offset": 0, "vcpu": None, "slot": None, "word": ""}


def numbers(words):
    """Return numbers that a vector holds as texts."""
    return {key: int(value, 16) for key, value in words.items()} if words is not None else None


def target_of(test):
    """Return the target that a test names."""
    target = test.get("target", {})
    return {
        "profile": numbers(target.get("profile")),
        "platform": numbers(target.get("platform")),
        "facts": numbers(target.get("facts")),
        "missing": target.get("missing", "STRICT"),
    }


def run_decode(answers, test):
    """An image alone: the verdict, and where it is good, its bytes when it is written again."""
    data = bytes.fromhex(test["image"])
    place = answers.check(data, {})
    again = None
    if place["fault"] == "NONE":
        again = answers.again(data) == data
    return (test["expect"], True if test["expect"]["fault"] == "NONE" else None), (place, again)


def run_restore(answers, test):
    """An image against a target: the verdict, and how its events will fare."""
    data, target = bytes.fromhex(test["image"]), target_of(test)
    place = answers.check(data, target)
    got = {"expect": place}
    if "events" in test:
        got["events"] = [list(event) for event in answers.events(data, target["facts"])]
    return {key: test[key] for key in got}, got


def run_convert(answers, test):
    """An image for another level."""
    data = bytes.fromhex(test["image"])
    outcome, place, image = answers.convert(data, int(test["level"], 16), test["accept_loss"])
    return (test["outcome"], test["place"], test["written"]), (outcome, place, image.hex())


RUNNERS = {
    "vpmu-image-decode": run_decode,
    "vpmu-image-restore": run_restore,
    "vpmu-image-convert": run_convert,
}


class PythonAnswers:
    """vpmu_image.py."""

    @staticmethod
    def check(data, target):
        """Return the place at which an image is refused, or NO_FAULT."""
        try:
            vpmu_image.compare(vpmu_image.read(data), **target)
        except vpmu_image.Refusal as refusal:
            return refusal.place()
        return dict(NO_FAULT)

    @staticmethod
    def again(data):
        """Read an image and write it."""
        return vpmu_image.write(vpmu_image.read(data))

    @staticmethod
    def events(data, facts):
        """Return vCPU, slot, verdict and reason of each open event."""
        return [
            (vcpu.number, slot, verdict, reason)
            for vcpu, slot, verdict, reason in vpmu_image.fares(vpmu_image.read(data), facts)
        ]

    @staticmethod
    def convert(data, level, accept_loss):
        """Return outcome, place and bytes."""
        try:
            return "DONE", None, vpmu_image.convert(data, level, accept_loss)
        except vpmu_image.Loss as loss:
            return "LOSS", {"fault": "NONE", **loss.place}, b""
        except vpmu_image.Refusal as refusal:
            return "IMAGE", refusal.place(), b""
        except ValueError:
            return "INVALID", None, b""


def python_answers():
    """Return the Python implementation."""
    return PythonAnswers
