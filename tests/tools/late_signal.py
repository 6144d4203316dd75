# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""late_signal.py vpmu library: a signal that comes just before vpmu guest waits ends it all the same."""

import os
import pty
import subprocess
import sys


def main(tool, library):
    """The port's other end is open and says nothing."""
    host, port = pty.openpty()
    with subprocess.Popen([tool, "guest", "serve", "--port", os.ttyname(port)], stdin=subprocess.DEVNULL,
                          env={**os.environ, "LD_PRELOAD": library}) as served:
        try:
            code = served.wait(60)
        except subprocess.TimeoutExpired:
            served.kill()
            sys.exit("the signal was lost")
    os.close(host)
    if code:
        sys.exit(f"it ended with {code}")


main(*sys.argv[1:])
