# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""coverage_gate.py coverage.json directory percent

Compare the coverage of a directory with its gate and name every line that keeps it below.
"""

import json
import sys


def measured(lines):
    """Yield (line number, kind, covered) for what counts."""
    for line in lines:
        if line.get("gcovr/noncode"):
            continue
        yield line["line_number"], "line", line["count"] > 0
        for branch in line["branches"]:
            yield line["line_number"], "branch", branch["count"] > 0


def main():
    """Return 1 if the directory is below its gate."""
    report, directory, percent = sys.argv[1], sys.argv[2], float(sys.argv[3])
    with open(report, encoding="utf-8") as file:
        files = [f for f in json.load(file)["files"] if f["file"].startswith(directory + "/")]
    if not files:
        print(f"{directory}: nothing was measured. No test ran its code.")
        return 1
    total = {"line": 0, "branch": 0}
    missed = {"line": [], "branch": []}
    for file in files:
        for number, kind, covered in measured(file["lines"]):
            total[kind] += 1
            if not covered:
                missed[kind].append(f"{file['file']}:{number}: {kind} not covered")
    below = False
    for kind, count in total.items():
        share = 100.0 * (count - len(missed[kind])) / count if count else 100.0
        verdict = "" if share >= percent else ": BELOW THE GATE"
        print(f"{directory}: {kind}: {share:.1f} % of {count}, gate {percent:g} %{verdict}")
        if share < percent:
            below = True
            print("\n".join(missed[kind]))
    if below:
        print("Add tests for these lines, or mark what cannot be reached and say why.")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
