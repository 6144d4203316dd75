# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""What each part may include: the arrows of CONTRIBUTING.md."""

import os
import re

import style

STANDARD = {"stdint.h", "stddef.h", "stdbool.h", "stdatomic.h", "stdalign.h", "stdnoreturn.h",
            "limits.h", "string.h"}
# A kernel has no stdint.h: in these headers its own types stand behind __KERNEL__.
FOR_KERNELS = {"include/vpmu/abi.h", "include/vpmu/guest.h"}
KERNEL = {"linux/types.h", "linux/stddef.h"}
ABI = r"abi/gen/.*|include/vpmu/(abi|export|version)\.h"
SIZED = r"src/sized\.h"
PUBLIC = r"include/vpmu/.*"
INNER = rf"{PUBLIC}|{SIZED}"
# part: (what it may include of this project, whether hosted headers are allowed)
RULES = [
    (r"abi/gen/.*", ABI, False),
    (r"include/vpmu/abi\.h", ABI, False),
    (r"include/vpmu/.*", PUBLIC, True),
    (SIZED, r"include/vpmu/error\.h", False),
    (r"src/core/.*", rf"{ABI}|{INNER}|src/core/.*", False),
    (r"src/transport/.*", rf"{ABI}|{INNER}|src/(core|transport)/.*", False),
    (r"src/image/.*", rf"{ABI}|{INNER}|src/(core|image)/.*", False),
    (r"src/convert/.*", rf"{ABI}|{SIZED}|include/vpmu/(convert|filter)\.h|src/convert/.*", False),
    (r"src/guest/.*", rf"{ABI}|include/vpmu/guest\.h|src/guest/.*", False),
    (r"src/monitor/.*", rf"{INNER}|src/monitor/.*", True),
    (r"backends/(direct|sim)/.*", rf"{INNER}|backends/\1/.*", False),
    (r"backends/([^/]+)/.*", rf"{INNER}|backends/\1/.*", True),
    (r"examples/([^/]+)/.*", rf"{PUBLIC}|examples/\1/.*", True),
]
WHERE = ("include", "", "abi/gen")


def resolve(name, target, known):
    """Return the file of this project that an #include means, or None."""
    places = [os.path.normpath(os.path.join(os.path.dirname(name), target))]
    places += [os.path.normpath(os.path.join(where, target)) for where in WHERE]
    return next((place for place in places if place in known), None)


def main():
    """Check each #include of each C file."""
    problems = style.Problems(
        "abi <- core <- {transport, image}; convert and guest know only abi; backends know the "
        "public headers; core knows no backend; examples know what is installed.")
    known = set(style.all_files())
    for name in style.files("*.c", "*.h"):
        rule = next((r for r in RULES if re.fullmatch(r[0], name)), None)
        if not rule:
            continue
        part, allowed, hosted = rule
        allowed = re.fullmatch(part, name).expand(allowed) if r"\1" in allowed else allowed
        for number, line in enumerate((style.text_of(name) or "").splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            target = match.group(2)
            own = resolve(name, target, known)
            if own:
                if not re.fullmatch(allowed, own):
                    problems.report(name, number, f"may not include {own}")
                if name.startswith("examples/") and own.startswith("include/") \
                        and not (match.group(1) == "<" and target.startswith("vpmu/")):
                    problems.report(name, number, f"includes an installed header as <vpmu/...>, "
                                                  f"not {target}")
            elif target.startswith(("src/", "vpmu/", "abi/", "backends/")):
                problems.report(name, number, f"{target} does not exist")
            elif name in FOR_KERNELS and target in KERNEL:
                continue
            elif not hosted and target not in STANDARD:
                problems.report(name, number, f"<{target}> is not freestanding; allowed are "
                                              f"{' '.join(sorted(STANDARD))}")
    problems.done()


main()
