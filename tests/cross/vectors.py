# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""vectors.py machine root

Build the library for a machine, put it on a pipe, and run all vectors of abi/vectors against it.
"""

import json
import pathlib
import sys
import tempfile

from machines import PARTS, Machine

SHOWN = 10


def runners(root, testee):
    """Return {algorithm: runner of vectors}."""
    sys.path.insert(0, str(root / "abi" / "python"))
    # pylint: disable=import-outside-toplevel
    import conformance
    import conformance_convert as convert
    import conformance_image as image
    import vpmu_pipe
    import vpmu_pipe_image
    device = vpmu_pipe.device(testee)
    conversions = vpmu_pipe.PipeConversions(testee, convert.ERRORS, convert.VERDICTS)
    found = {"vpmu-trace": lambda vectors: conformance.run_traces(vectors, device)}
    for algorithm in convert.RUNNERS:
        found[algorithm] = lambda vectors: convert.judged(vectors, conversions)
    images = vpmu_pipe_image.PipeAnswers(testee)
    for algorithm in image.RUNNERS:
        found[algorithm] = lambda vectors: image.yielded(vectors, images)
    return found


def run(root, testee, files=None):
    """Run every file, or only some; return how many tests ran and what failed."""
    known, ran, failed, strange = runners(root, testee), 0, [], []
    for path in sorted((root / "abi" / "vectors").glob("*.json")):
        if files and path.name not in files:
            continue
        vectors = json.loads(path.read_text(encoding="utf-8"))
        if vectors["algorithm"] not in known:
            strange.append(f"{path.name}: nothing here runs {vectors['algorithm']}")
            continue
        before = ran
        for number, wrong in known[vectors["algorithm"]](vectors):
            ran += 1
            if wrong:
                failed.append(f"{path.name}: {number}: {wrong}")
        if ran - before != vectors["numberOfTests"]:
            strange.append(f"{path.name}: {ran - before} tests ran")
    return ran, failed + strange


def main():
    """Build, run, and say what came of it."""
    root = pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as directory:
        machine = Machine(sys.argv[1], sys.argv[2], directory)
        parts = machine.compile(machine.sources(*PARTS) + machine.pipe())
        program = machine.link("testee", parts + machine.ground())
        sys.path.insert(0, str(root / "abi" / "python"))
        import vpmu_pipe  # pylint: disable=import-outside-toplevel
        testee = vpmu_pipe.Testee([*machine.runner, program])
        expected = "big" if machine.name == "s390x" else "little"
        if testee.order != expected:
            sys.exit(f"{machine.name} is {testee.order}-endian")
        ran, failed = run(root, testee)
        ended = testee.end()
    print("\n".join(failed[:SHOWN]))
    print(f"{sys.argv[1]}: {ran} vectors, {len(failed)} failed")
    sys.exit(1 if failed or ended or ran < 1000 else 0)


if __name__ == "__main__":
    main()
