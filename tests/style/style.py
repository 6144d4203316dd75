# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""What the style checks share: the files of the project, and how a problem is reported.

As a program, style.py prints the files that match its patterns.
"""

import fnmatch
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def all_files():
    """Return every file of the project, relative to its top: what git knows or would add."""
    try:
        listed = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True, text=True).stdout.split("\0")
        names = [name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for directory, below, files in os.walk(ROOT):
            below[:] = [d for d in below if d not in (".git", "build", "__pycache__")]
            names += [os.path.relpath(os.path.join(directory, f), ROOT) for f in files]
    return sorted(name for name in set(names) if os.path.isfile(os.path.join(ROOT, name)))


def files(*patterns):
    """Return the files that match one of the patterns; a * matches slashes too."""
    return [n for n in all_files() if any(fnmatch.fnmatchcase(n, p) for p in patterns)]


def text_of(name):
    """Return the text of a file, or None if it is not text."""
    try:
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def code_of(name):
    """Return the text of a C file with comments and strings blanked, lines kept."""
    text = text_of(name) or ""
    out = []
    i = 0
    while i < len(text):
        if text.startswith("/*", i):
            end = text.find("*/", i + 2)
            end = len(text) if end < 0 else end + 2
        elif text.startswith("//", i):
            end = text.find("\n", i)
            end = len(text) if end < 0 else end
        elif text[i] in "\"'":
            end = i + 1
            while end < len(text) and text[end] not in (text[i], "\n"):
                end += 2 if text[end] == "\\" else 1
            end += 1
        else:
            out.append(text[i])
            i += 1
            continue
        out.append("".join(c if c == "\n" else " " for c in text[i:end]))
        i = end
    return "".join(out)


class Problems:
    """Collects what is wrong; done() prints the remedy and ends the program."""

    def __init__(self, remedy):
        self.remedy = remedy
        self.count = 0

    def report(self, name, line, what):
        """Print one problem and its place."""
        self.count += 1
        print(f"{name}:{line}: {what}" if line else f"{name}: {what}")

    def done(self):
        """End the program: 1 if there was a problem."""
        if self.count:
            print(f"\n{self.count} problem(s). {self.remedy}")
        sys.exit(1 if self.count else 0)


if __name__ == "__main__":
    print("\n".join(files(*sys.argv[1:])))
