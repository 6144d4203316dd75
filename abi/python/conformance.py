# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Which runner runs which vectors.

ALGORITHMS maps the algorithm that a vector file names to {implementation: runner}. A runner takes
the contents of the file and the path of the C library, and yields (id, None) for a test that
passed, or (id, (place, expected, got)). Every module conformance_*.py beside this one adds its own.
"""

import importlib
import pathlib

import vpmu_library
from vpmu_trace import Model, run_test

IMPLEMENTATIONS = ("python", "c")


def guarded(test, implementation):
    """Run a trace; what stops it is a failure too."""
    try:
        return run_test(test, implementation)
    except Exception as error:  # pylint: disable=broad-except
        return "stopped", "the trace to end", f"{type(error).__name__}: {error}"


def run_traces(vectors, implementation):
    """Run register traces."""
    for test in vectors["tests"]:
        yield test["id"], guarded(test, implementation)


def all_algorithms():
    """Return the algorithms of this module and of those beside it."""
    found = {"vpmu-trace": {
        "python": lambda vectors, _: run_traces(vectors, Model),
        "c": lambda vectors, library: run_traces(vectors, vpmu_library.load(str(library)))}}
    for path in sorted(pathlib.Path(__file__).parent.glob("conformance_*.py")):
        found.update(importlib.import_module(path.stem).ALGORITHMS)
    return found


ALGORITHMS = all_algorithms()
