# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""embed.py program: the embedding of README.md counts, moves by an image and counts on, or says why not and shows no number."""

import re
import resource
import subprocess
import sys


def run(limit=None):
    """Run it, perhaps with so few descriptors that no event can be had."""
    return subprocess.run([sys.argv[1]], check=False, capture_output=True, text=True, timeout=60,
                          preexec_fn=lambda: limit and resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))


def main():
    """R-SLOT-3, R-SLOT-4, R-MIG-9: what both lines of it say."""
    result = run()
    print(result.stdout + result.stderr)
    assert result.returncode == 0, result.returncode
    lines = [[int(number) for number in re.findall(r"\d+", line)] for line in result.stdout.splitlines()]
    assert len(lines) == 2, lines
    for count, running, enabled, _ in lines:
        assert 0 < running <= enabled and count > 0, lines
    assert lines[1][0] > lines[0][0] and lines[1][2] > lines[0][2], lines
    assert lines[1][3] == lines[0][3] + 1, lines
    refused = run(16)
    assert refused.returncode == 1 and not refused.stdout, refused.stdout
    assert "does not open, reason 6" in refused.stderr, refused.stderr


main()
