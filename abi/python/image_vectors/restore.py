# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Images against a destination: the ceiling of its profile field by field, its platform, what its
host can count and what becomes of the rest; and how each open event will fare."""

from vpmu_image_draft import GRANTS, fine, in_header, in_vm, located, status

from image_vectors.drafts import (
    ACTIVE,
    BOUND,
    CACHE,
    ERROR,
    HARDWARE,
    RAW,
    SOFTWARE,
    STOPPED,
    busy,
    configuration,
    empty,
    fresh,
    one,
    pair,
)

PLATFORM = {"architecture": 1, "transport": 1, "base": 0x4B565000, "line": 0}
HOST = {
    "hardware_events": 0x7FE,
    "software_events": 0x3FE,
    "cache_events": 1,
    "raw_events": 1,
    "counters": 0,
}
PROFILE = {
    name: GRANTS[name]
    for name in (
        "features",
        "period_floor",
        "hardware_events",
        "software_events",
        "cache_events",
        "pmu_model",
        "slots",
        "counting",
        "batch_words",
        "slot_operations",
    )
} | {
    "epoch": 1,
    "level": 1,
    "host_events": 0,
    "creation_rate": 0,
    "creation_burst": 0,
    "pmi_rate": 0,
    "pmi_burst": 0,
}
OK, MISSING, DEGRADED = "OK", "MISSING", "DEGRADED"
NOT_PORTABLE, STARVED, BAD_GROUP = 4, 3, 8


def hexed(words):
    """Return numbers as the files hold them."""
    return {key: hex(value) for key, value in words.items()}


class Cases:
    """The list of tests as it grows."""

    def __init__(self):
        self.tests = []

    def add(self, name, rules, comment, draft, place=fine, events=None, **target):
        """Add a case: what it is to come to is said by hand."""
        held = {
            key: value if isinstance(value, str) else hexed(value) for key, value in target.items()
        }
        test = {
            "id": name,
            "comment": comment,
            "rules": rules.split(),
            "image": draft.bytes().hex(),
            "target": held,
            "expect": place(draft),
        }
        if events is not None:
            test["events"] = events
        self.tests.append(test)


def platform_cases(cases):
    """R-MIG-1."""
    for architecture in range(1, 6):
        cases.add(
            f"architecture-{architecture}",
            "R-MIG-1",
            f"a destination of architecture {architecture}",
            fresh(),
            fine if architecture == 1 else in_header("PLATFORM", "vm"),
            platform={**PLATFORM, "architecture": architecture},
        )
    for image, level in ((1, 1), (1, 2), (2, 1), (2, 2)):
        cases.add(
            f"level-{image}-at-{level}",
            "R-MIG-1",
            f"an image of level {image} for a VM of level {level}",
            busy(level=image),
            fine if image == level else in_header("PLATFORM", "vm"),
            profile={**PROFILE, "level": level},
        )
    for field, values in (
        ("transport", (2, 3, 4)),
        ("base", (0, 0x4B565001, (1 << 64) - 1)),
        ("line", (1, 0xFFFFFFFF)),
    ):
        for value in values:
            also = {"base": 0} if value == 2 and field == "transport" else {}
            cases.add(
                f"{field}-{value:x}",
                "R-MIG-1",
                f"another {field}",
                fresh(),
                in_vm("PLATFORM", field),
                platform={**PLATFORM, **also, field: value},
            )
    cases.add("platform-same", "R-MIG-1", "the same place", busy(), platform=PLATFORM)
    cases.add(
        "platform-line",
        "R-MIG-1",
        "the same line",
        fresh(line=17),
        platform={**PLATFORM, "line": 17},
    )
    cases.add(
        "platform-call",
        "R-MIG-1",
        "hypercalls on both sides",
        fresh(transport=2, base=0),
        platform={**PLATFORM, "transport": 2, "base": 0},
    )
    cases.add(
        "platform-order",
        "R-MIG-1",
        "architecture, transport, base and line differ",
        fresh(),
        in_header("PLATFORM", "vm"),
        platform={"architecture": 2, "transport": 3, "base": 1, "line": 2},
    )
    cases.add(
        "platform-order-transport",
        "R-MIG-1",
        "transport, base and line differ",
        fresh(),
        in_vm("PLATFORM", "transport"),
        platform={**PLATFORM, "transport": 3, "base": 1, "line": 2},
    )
    cases.add(
        "platform-order-base",
        "R-MIG-1",
        "base and line differ",
        fresh(),
        in_vm("PLATFORM", "base"),
        platform={**PLATFORM, "base": 1, "line": 2},
    )
    cases.add(
        "platform-before-profile",
        "R-MIG-1 R-MIG-2",
        "another line, and too small a profile",
        fresh(),
        in_vm("PLATFORM", "line"),
        platform={**PLATFORM, "line": 2},
        profile={**PROFILE, "slots": 1},
    )
    cases.add(
        "image-before-platform",
        "R-MIG-1 R-IMG-17",
        "an image that cannot be, for another architecture",
        fresh().vcpu(0, AREA_STATE=1),
        lambda draft: located("STATE", 1, 160, "AREA_STATE", 0),
        platform={**PLATFORM, "architecture": 2},
    )


def profile_cases(cases):
    """R-MIG-2."""

    def ceiling(name, word, image, equal, above, below, **both):
        """One field: the profile's is the same, leaves more, or leaves less."""
        for what, value, place in (
            ("same", equal, fine),
            ("more", above, fine),
            ("less", below, in_vm("PROFILE", word)),
        ):
            if value is not None:
                cases.add(
                    f"ceiling-{name}-{what}",
                    "R-MIG-2",
                    f"the profile's {name} is {value:#x}, the image's " f"{image:#x}",
                    fresh(**{**both, name: image}),
                    place,
                    profile={**PROFILE, **both, name: value},
                )

    for bit in range(6):
        feature = 1 << bit
        model = 0x77 if feature == 8 else 0
        for what, value, place in (
            ("same", feature, fine),
            ("less", 0, in_vm("PROFILE", "features")),
        ):
            cases.add(
                f"ceiling-feature-{bit}-{what}",
                "R-MIG-2",
                f"feature bit {bit}, profile {value:#x}",
                fresh(features=feature, pmu_model=model),
                place,
                profile={**PROFILE, "features": value, "pmu_model": model if value else 0},
            )
    cases.add(
        "ceiling-features-more",
        "R-MIG-2",
        "more features than the image's",
        fresh(features=0x17, pmu_model=0),
        profile={**PROFILE, "features": 0x3F},
    )
    ceiling("slots", "limits", 4, 4, 63, 3)
    ceiling("counting", "limits", 4, 4, 63, 3)
    ceiling("batch_words", "limits", 64, 64, 4095, 63)
    ceiling("slot_operations", "limits", 100, 100, 65535, 99)
    ceiling("period_floor", "period_floor", 10, 10, 1, 11)
    ceiling("cache_events", "cache_events", 1, 1, None, 0)
    ceiling("cache_events", "cache_events", 0, None, 1, None)
    for bit in range(1, 11):
        cases.add(
            f"ceiling-hardware-{bit}",
            "R-MIG-2",
            f"hardware event {bit} is not in the profile",
            fresh(),
            in_vm("PROFILE", "hardware_events"),
            profile={**PROFILE, "hardware_events": 0x7FE & ~(1 << bit)},
        )
    for bit in range(1, 10):
        cases.add(
            f"ceiling-software-{bit}",
            "R-MIG-2",
            f"software event {bit} is not in the profile",
            fresh(),
            in_vm("PROFILE", "software_events"),
            profile={**PROFILE, "software_events": 0x3FE & ~(1 << bit)},
        )
    cases.add(
        "ceiling-events-more",
        "R-MIG-2",
        "more events than the image's",
        fresh(hardware_events=2, software_events=2),
        profile=PROFILE,
    )
    cases.add(
        "model-other",
        "R-MIG-2",
        "another model",
        fresh(),
        in_vm("PROFILE", "pmu_model"),
        profile={**PROFILE, "pmu_model": 0x78},
    )
    cases.add(
        "model-none",
        "R-MIG-2",
        "no model in the image",
        fresh(features=0x17, pmu_model=0),
        profile=PROFILE,
    )
    cases.add(
        "profile-budgets",
        "R-MIG-2",
        "other budgets are the destination's own",
        busy(),
        profile={
            **PROFILE,
            "host_events": 1,
            "creation_rate": 1,
            "creation_burst": 63,
            "pmi_rate": 1,
            "pmi_burst": 1,
            "epoch": 99,
        },
    )
    order = [
        ("features", "features", 7),
        ("slots", "limits", 1),
        ("period_floor", "period_floor", 99),
        ("pmu_model", "pmu_model", 9),
        ("hardware_events", "hardware_events", 2),
        ("software_events", "software_events", 2),
        ("cache_events", "cache_events", 0),
    ]
    for first in range(len(order)):
        wrong = {name: value for name, _, value in order[first:]}
        if "features" in wrong:
            wrong["pmu_model"] = 0
        cases.add(
            f"profile-order-{order[first][0]}",
            "R-MIG-2",
            f"from {order[first][0]} on all is less",
            fresh(),
            in_vm("PROFILE", order[first][1]),
            profile={**PROFILE, **wrong},
        )


def at_event(slot, vcpu=0):
    """An open event that the destination cannot count."""

    def place(draft):
        number, at = draft.place((vcpu, "control"))
        return located("EVENT", number, at, "type", vcpu, slot)

    return place


def event_cases(cases):
    """R-MIG-5 and R-MIG-15."""
    kinds = {
        "hardware": ({"type": HARDWARE, "config": 3}, {"hardware_events": 0x7F6}),
        "software": ({"type": SOFTWARE, "config": 9}, {"software_events": 0x1FE}),
        "cache": ({"type": CACHE, "config": 0}, {"cache_events": 0}),
        "raw": ({"type": RAW, "config": 1, "link": 0x77 << 32}, {"raw_events": 0}),
    }
    for name, (words, lack) in kinds.items():
        for what, facts, verdict in (
            ("counted", HOST, [0, 2, OK, 0]),
            ("missing", {**HOST, **lack}, [0, 2, MISSING, NOT_PORTABLE]),
        ):
            for missing in ("STRICT", "DEGRADE", "STUB"):
                strict = what == "missing" and missing == "STRICT"
                cases.add(
                    f"{what}-{name}-{missing.lower()}",
                    "R-MIG-5 R-MIG-15",
                    f"a {name} event, {what}, {missing.lower()}",
                    one(2, **words),
                    at_event(2) if strict else fine,
                    [verdict],
                    facts=facts,
                    missing=missing,
                )
        cases.add(
            f"closed-{name}",
            "R-MIG-5",
            f"a closed slot with a {name} event asks for nothing",
            fresh().slot(0, 1, **words),
            fine,
            [],
            facts={**HOST, **lack},
            missing="STRICT",
        )
    lack = {**HOST, "hardware_events": 0x7FA}
    cases.add(
        "group-missing",
        "R-MIG-5 R-MIG-15",
        "a member is missing, and so its group is",
        pair(),
        at_event(1),
        [[0, 0, MISSING, BAD_GROUP], [0, 1, MISSING, NOT_PORTABLE]],
        facts=lack,
        missing="STRICT",
    )
    cases.add(
        "group-missing-all",
        "R-MIG-5 R-MIG-15",
        "a whole group is missing",
        pair(),
        at_event(0),
        [[0, 0, MISSING, NOT_PORTABLE], [0, 1, MISSING, NOT_PORTABLE]],
        facts={**HOST, "hardware_events": 0},
        missing="STRICT",
    )
    cases.add(
        "group-other",
        "R-MIG-15",
        "another group is missing nothing",
        pair().slot(0, 3, opened=True, type=CACHE, config=0, status=status(STOPPED), continuity=1),
        fine,
        [[0, 0, MISSING, BAD_GROUP], [0, 1, MISSING, NOT_PORTABLE], [0, 3, OK, 0]],
        facts=lack,
        missing="DEGRADE",
    )
    cases.add(
        "second-vcpu-missing",
        "R-MIG-5",
        "the second vCPU's event is missing",
        fresh()
        .vcpu(6)
        .slot(6, 1, opened=True, type=HARDWARE, config=2, status=status(STOPPED), continuity=1),
        at_event(1, 6),
        [[6, 1, MISSING, NOT_PORTABLE]],
        facts=lack,
        missing="STRICT",
    )
    for counters, verdict in ((0, [OK, 0]), (2, [OK, 0]), (1, [DEGRADED, STARVED])):
        cases.add(
            f"counters-{counters}",
            "R-MIG-15",
            f"two count, the host has {counters or 'unknown'} counters",
            pair().slot(
                0, 2, opened=True, type=HARDWARE, config=5, continuity=1, status=status(STOPPED)
            ),
            fine,
            [[0, 0, *verdict], [0, 1, *verdict], [0, 2, OK, 0]],
            facts={**HOST, "counters": counters},
            missing="STRICT",
        )
    cases.add(
        "counters-software",
        "R-MIG-15",
        "a software event needs no counter",
        pair(ACTIVE, type=SOFTWARE),
        fine,
        [[0, 0, OK, 0], [0, 1, OK, 0]],
        facts={**HOST, "counters": 1},
        missing="STRICT",
    )
    cases.add(
        "counters-each-vcpu",
        "R-MIG-15",
        "each vCPU has the host's counters",
        pair()
        .vcpu(1)
        .slot(
            1,
            0,
            opened=True,
            enabled=True,
            type=HARDWARE,
            config=1,
            continuity=1,
            status=status(ACTIVE, 0, BOUND),
        ),
        fine,
        [[0, 0, DEGRADED, STARVED], [0, 1, DEGRADED, STARVED], [1, 0, OK, 0]],
        facts={**HOST, "counters": 1},
        missing="STRICT",
    )
    cases.add(
        "counters-missing",
        "R-MIG-15",
        "missing comes before degraded",
        pair(),
        fine,
        [[0, 0, MISSING, BAD_GROUP], [0, 1, MISSING, NOT_PORTABLE]],
        facts={**lack, "counters": 1},
        missing="STUB",
    )
    cases.add(
        "error-missing",
        "R-MIG-5",
        "an event in ERROR is open",
        one(0, ERROR, 4),
        at_event(0),
        [[0, 0, MISSING, NOT_PORTABLE]],
        facts=lack,
        missing="STRICT",
    )
    cases.add(
        "configuration-missing",
        "R-MIG-5",
        "a configuration is asked the same",
        configuration(),
        at_event(1),
        [[0, 0, MISSING, BAD_GROUP], [0, 1, MISSING, NOT_PORTABLE]],
        facts=lack,
        missing="STRICT",
    )
    cases.add(
        "nothing-open",
        "R-MIG-5",
        "a host that counts nothing, and nothing open",
        empty(),
        fine,
        [],
        facts=dict.fromkeys(HOST, 0),
        missing="STRICT",
    )
    cases.add(
        "profile-before-event",
        "R-MIG-2 R-MIG-5",
        "too small a profile, and an event that is missing",
        pair(),
        in_vm("PROFILE", "limits"),
        profile={**PROFILE, "slots": 3},
        facts=lack,
        missing="STRICT",
    )
    cases.add(
        "all-of-it",
        "R-MIG-1 R-MIG-2 R-MIG-5",
        "platform, profile and facts suffice",
        busy(),
        fine,
        [[3, 0, OK, 0], [3, 1, OK, 0], [3, 2, OK, 0]],
        platform=PLATFORM,
        profile=PROFILE,
        facts=HOST,
        missing="STRICT",
    )


def tests():
    """Return all cases."""
    cases = Cases()
    for add in (platform_cases, profile_cases, event_cases):
        add(cases)
    return cases.tests
