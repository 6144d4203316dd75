# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Images written for another level (abi/IMAGE.md section 7): what is written, what would be lost."""

from vpmu_image_draft import in_state, located

from image_vectors.drafts import busy, configuration, empty, fresh, one, pair, with_bank


class Cases:
    """The list of tests as it grows."""

    def __init__(self):
        self.tests = []

    def add(self, name, comment, draft, level, outcome, written=b"", place=None, accept_loss=False):
        """Add a case: what it is to come to is said by hand."""
        self.tests.append(
            {
                "id": name,
                "comment": comment,
                "rules": ["R-IMG-27"],
                "image": draft.bytes().hex(),
                "level": hex(level),
                "accept_loss": accept_loss,
                "outcome": outcome,
                "place": place(draft) if place else None,
                "written": written.hex(),
            }
        )


def lost_at(slot, vcpu=0):
    """Where a word would be lost."""

    def place(draft):
        number, at = draft.place((vcpu, slot, "event"))
        return located("NONE", number, at + 16 + 64, "overflows", vcpu, slot)

    return place


def tests():
    """Return all cases."""
    cases = Cases()
    for name, draft in (
        ("empty", empty()),
        ("fresh", fresh()),
        ("busy", busy()),
        ("bank", with_bank()),
        ("configuration", configuration()),
        ("busy-2", busy(level=2)),
    ):
        level = draft.level
        cases.add(
            f"same-{name}", "the same level: the same bytes", draft, level, "DONE", draft.bytes()
        )
        cases.add(
            f"same-{name}-loss",
            "the same level, with a loss accepted that there is not",
            draft,
            level,
            "DONE",
            draft.bytes(),
            accept_loss=True,
        )
    kept = fresh(level=2).with_header(version=9, may=5)
    kept.optional += [[9 | 1 << 31 | 1 << 32, 3, [1]]]
    down = fresh(level=1).with_header(version=9, may=5)
    down.optional += kept.optional
    for name, upper, lower in (
        ("empty", empty(level=2), empty()),
        ("fresh", fresh(level=2), fresh()),
        ("bank", fresh(level=2).bank(0, 1, (1, 2)), fresh().bank(0, 1, (1, 2))),
        ("open", one(level=2), one()),
        ("group", pair(level=2), pair()),
        ("optional", kept, down),
    ):
        for accept in (False, True):
            cases.add(
                f"down-{name}-{'accept' if accept else 'keep'}",
                "level 2 to 1, nothing to lose",
                upper,
                1,
                "DONE",
                lower.bytes(),
                accept_loss=accept,
            )
    loss = one(level=2, overflows=3, count=9)
    cases.add("loss", "overflows would be lost", loss, 1, "LOSS", place=lost_at(0))
    cases.add(
        "loss-accepted",
        "overflows are left out",
        loss,
        1,
        "DONE",
        one(count=9).bytes(),
        accept_loss=True,
    )
    several = busy(level=2).vcpu(3).slot(3, 3, overflows=2)
    cases.add(
        "loss-first",
        "two words would be lost: the first is named",
        several,
        1,
        "LOSS",
        place=lost_at(0, 3),
    )
    cases.add(
        "loss-several-accepted",
        "both are left out",
        several,
        1,
        "DONE",
        busy().bytes(),
        accept_loss=True,
    )
    closed = fresh(level=2).slot(0, 1, count=1, overflows=1)
    cases.add(
        "loss-closed",
        "a closed slot's overflows would be lost",
        closed,
        1,
        "LOSS",
        place=lost_at(1),
    )
    for level in (0, 3):
        cases.add(
            f"level-{level}",
            f"level {level} of an image of level 2",
            busy(level=2),
            level,
            "INVALID",
        )
    cases.add("up", "a higher level than the image's", busy(), 2, "INVALID")
    cases.add(
        "wrong",
        "an image that is refused",
        fresh().vcpu(0, AREA_STATE=1),
        1,
        "IMAGE",
        place=in_state("AREA_STATE"),
    )
    return cases.tests
