# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""report.py vpmu-results [--check]

Run the measurements and write doc/RESULTS.md and its plots. With --check nothing is written: they must be current. Everything is
simulated, so every machine gets the same figures.
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "doc" / "RESULTS.md"
PLOTS = ROOT / "doc" / "plots"
COLORS = ["#1b6ca8", "#d1495b", "#66a182", "#edae49", "#7d4e9e", "#444444"]
HEAD = """<!--
SPDX-FileCopyrightText: 2026 libvpmu contributors
SPDX-License-Identifier: BSD-2-Clause
-->

# Results on simulated PMUs

Written by `scripts/results`. The PMUs are those of `include/vpmu/sim.h`: what happened in truth is known, and time is virtual, so these figures do
not depend on the machine that made them. They say how often and how far off; they say nothing of nanoseconds.
"""
ERROR_TEXT = """
## Multiplexing against the truth

1 to 4 times more events than counters, on LoongArch's 4 counters. A vCPU runs 7 of each 11 ms and exits each half ms; its work changes its kind each 1 to 30 ms,
and the kinds differ up to 16 times in an event. Rotation each 4 ms. Error of an event over 1.2 s, mean (and greatest) of all events and 12 seeds.

* *raw*: the count as it stands, while the host multiplexes. *host*: scaled by enabled and running time. *host groups*: in groups of four.
* *guest itself*: the guest holds 4 pinned slots at a time and rotates by its own clock. *guest over host*: it does so on flexible slots while the host holds 2 of
  the 4 counters; once without the host's running times, as with a PMU that does not tell them, and once with them.
* *ratio*: of an event to the first of its four.

Single events are worse off than groups because a tick moves one group: of eight single events one is exchanged at a time, so each counts for four slices and
waits for four. Nested multiplexing is where a PMU that hides its running times is off by half without a sign of it.
"""
BOUNDARY_TEXT = """
## What the deal costs at each boundary

`abi/OWNERSHIP.md`. A vCPU runs 10 ms, then another thread of the host 1 ms; an exit takes 2 us; the guest uses 4 counters, a host that profiles 2. *blind*: share of time
for which a host that profiles does not have its counters although its own code runs. Guest code it can never count while the guest has the whole PMU: that is {}, {} and
{} of the time here. In the partition of LoongArch's 4 counters the guest has 2.
"""
CENSUS_TEXT = """
## Accesses of a guest's profiler

The same guest samples 4 events on the same simulated Intel PMU, once by an emulated architectural PMU, whose guest does what Linux's driver does and exits at each access, once by this
library's device with an events area. A published census of KVM's emulated vPMU has 9.8 exits per PMI (71539 accesses, 7295 NMIs). A switch is one between two tasks
of 4 events each. The exit that the overflow itself causes is not counted, on either side.
"""


def percent(ppm):
    """A share as text."""
    return f"{ppm / 10000:.2f} %"


def error_table(rows):
    """Methods by times."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = ["| | 1x | 2x | 3x | 4x |", "|---|---|---|---|---|"]
    for method in methods:
        cells = [f"{percent(r['mean_ppm'])} ({percent(r['most_ppm'])})" for r in rows
                 if r["method"] == method]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def boundary_text(rows):
    """With the shares of guest code at each rate of exits."""
    return BOUNDARY_TEXT.format(*[f"{r['guest_ppm'] / 10000:.1f} %" for r in rows[:3]])


def boundary_table(rows):
    """Machines and boundaries by rates of exits."""
    lines = ["| machine | boundary | accesses/s at 1k exits/s | at 10k | at 100k | blind at 1k | at 10k | at 100k |",
             "|---|---|---|---|---|---|---|---|"]
    for at in range(0, len(rows), 3):
        three = rows[at:at + 3]
        cells = [f"{r['accesses_per_second']}" for r in three]
        cells += [percent(r["own_blind_ppm"]) for r in three]
        lines.append(f"| {three[0]['machine']} | {three[0]['boundary']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def census_table(rows):
    """What each costs."""
    lines = ["| PMU | per | exits | register accesses of the host |", "|---|---|---|---|"]
    for r in rows:
        lines.append(f"| {r['pmu']} | {r['per']} | {r['exits'] / r['number']:.2f} | "
                     f"{r['host_accesses'] / r['number']:.2f} |")
    return "\n".join(lines)


class Plot:
    """A plot of lines over a few named places."""

    def __init__(self, title, places, unit, most):
        self.title, self.places, self.unit, self.most = title, places, unit, most
        self.parts = []
        self.lines = 0

    def x(self, at):
        """Place of a value on the axis."""
        return 70 + at * 330 / (len(self.places) - 1)

    def y(self, value):
        """Height of a value; a function where the scale is not linear."""
        return 290 - 240 * self.scale(value) / self.scale(self.most)

    def scale(self, value):
        """Linear."""
        return value

    def line(self, name, values):
        """Add one."""
        color = COLORS[self.lines % len(COLORS)]
        points = " ".join(f"{self.x(i):.1f},{self.y(v):.1f}" for i, v in enumerate(values))
        self.parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        height = 60 + 20 * self.lines
        self.parts.append(f'<text x="435" y="{height}" fill="{color}">{name}</text>')
        self.lines += 1

    def ticks(self):
        """Values to write at the axis."""
        return [self.most * i / 4 for i in range(5)]

    def text(self):
        """The SVG."""
        rows = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 330" font-family="sans-serif" '
                'font-size="12">', '<rect width="720" height="330" fill="white"/>',
                f'<text x="20" y="25" font-size="15">{self.title}</text>']
        for tick in self.ticks():
            height = self.y(tick)
            rows.append(f'<line x1="70" x2="400" y1="{height:.1f}" y2="{height:.1f}" stroke="#ddd"/>')
            rows.append(f'<text x="62" y="{height + 4:.1f}" text-anchor="end">{tick:g}{self.unit}</text>')
        for at, place in enumerate(self.places):
            rows.append(f'<text x="{self.x(at):.1f}" y="310" text-anchor="middle">{place}</text>')
        return "\n".join(rows + self.parts + ["</svg>", ""])


class LogPlot(Plot):
    """The same with powers of ten."""

    def scale(self, value):
        """Decades above 1000."""
        return max(0, len(str(int(value))) - 4 + (value / 10 ** (len(str(int(value))) - 1) - 1) / 9)

    def ticks(self):
        """1000 to the most."""
        return [10 ** n for n in range(3, len(str(int(self.most))))]


def error_plot(rows):
    """Mean errors of the scaled ones."""
    plot = Plot("mean error of scaled counts", ["1x", "2x", "3x", "4x"], " %", 10)
    for method in ("host, scaled", "host groups, scaled", "guest itself, scaled", "guest over host, scaled"):
        plot.line(method, [r["mean_ppm"] / 10000 for r in rows if r["method"] == method])
    return plot.text()


def boundary_plot(rows, machine):
    """Accesses of one machine."""
    plot = LogPlot(f"register accesses per second, {machine}", ["1k exits/s", "10k", "100k"], "", 10 ** 7)
    for way in dict.fromkeys(r["boundary"] for r in rows):
        plot.line(way, [r["accesses_per_second"] for r in rows
                        if r["boundary"] == way and r["machine"] == machine])
    return plot.text()


def outputs(results):
    """Return {path: text} of everything that is written."""
    found = {PLOTS / "error.svg": error_plot(results["error"])}
    pictures = ""
    for machine in ("Intel", "AMD version 1", "LoongArch"):
        name = "boundary-" + machine.lower().replace(" ", "-") + ".svg"
        found[PLOTS / name] = boundary_plot(results["boundary"], machine)
        pictures += f"\n![accesses per second, {machine}](plots/{name})\n"
    found[PAGE] = (HEAD + ERROR_TEXT + "\n" + error_table(results["error"]) + "\n\n![error](plots/error.svg)\n"
                   + boundary_text(results["boundary"]) + "\n" + boundary_table(results["boundary"]) + "\n" + pictures
                   + CENSUS_TEXT + "\n" + census_table(results["census"]) + "\n")
    return found


def main():
    """Measure, then write or compare."""
    run = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True)
    old = []
    for path, text in outputs(json.loads(run.stdout)).items():
        if sys.argv[2:] == ["--check"]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                old.append(str(path.relative_to(ROOT)))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if old:
        sys.exit(f"not what is measured now: {' '.join(old)}; run scripts/results")


main()
