# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""initramfs.py [--image directory] output script [file[:place]...]

Make an initramfs of busybox, a shell script that it runs, and files: programs with their libraries in /bin, modules (.ko) in
/lib/modules, both unless a place is named. The modules of the image are in /lib/modules. When the script ends, the guest is
powered off.

The script runs with /proc, /sys, /dev, /tmp and /sys/kernel/debug there; `load name...` loads modules of /lib/modules;
`ask text` prints the text with a question mark and waits for a line on the console, which whoever listens writes.
"""

import gzip
import os
import subprocess
import sys

import kernel

BUSYBOX = "/bin/busybox"
APPLETS = ("awk", "basename", "cat", "chmod", "cp", "cut", "date", "dd", "dirname", "dmesg", "echo", "env", "expr", "false",
           "find", "grep", "head", "hexdump", "id", "insmod", "kill", "ln", "ls", "lsmod", "mkdir", "mknod", "mount", "mv", "od",
           "ps", "reboot", "rm", "rmmod", "sed", "seq", "sh", "sleep", "sort", "stat", "stty", "sync", "tail", "taskset", "time",
           "timeout", "touch", "tr", "true", "uname", "usleep", "wc")
DIRECTORIES = ("bin", "dev", "etc", "lib", "lib64", "lib/modules", "proc", "sys", "tmp", "usr", "var")
INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t debugfs debug /sys/kernel/debug 2>/dev/null
ln -s /proc/self/fd /dev/fd 2>/dev/null
# The line before may be the firmware's, without an end.
echo
stty -echo
echo "=== script"
sh /script
echo "=== end $?"
# That is done when the line is out, which what the kernel says next would otherwise stand in.
stty -echo
echo o > /proc/sysrq-trigger
sleep 100
"""
SCRIPT_HEAD = """export PATH=/bin HOME=/tmp
cd /tmp
load() { for module in "$@"; do insmod /lib/modules/$module.ko || return; done; }
ask() { echo "$@" "?"; read answer; }
"""


class Archive:
    """A cpio archive of the kind that Linux takes."""

    def __init__(self):
        self.parts = []
        self.names = set()

    def add(self, name, mode, content=b""):
        """Add a file, directory or link, with the directories above it."""
        above = os.path.dirname(name)
        if above and above not in self.names:
            self.add(above, 0o40755)
        if name in self.names:
            return
        self.names.add(name)
        self.entry(name, mode, content)

    def entry(self, name, mode, content):
        """Append one entry."""
        words = (len(self.parts) + 1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % word for word in words) + name.encode() + b"\0"
        self.parts.append(head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4))

    def text(self):
        """Return the whole archive."""
        self.entry("TRAILER!!!", 0, b"")
        return b"".join(self.parts)


def read(path):
    """Return the content of a file."""
    with open(path, "rb") as file:
        return file.read()


def libraries(path):
    """Return the shared libraries of a program."""
    listed = subprocess.run(["ldd", path], check=False, capture_output=True, text=True).stdout
    return [word for word in listed.split() if word.startswith("/")]


def place_of(source):
    """Return where a file goes unless told."""
    name = os.path.basename(source)
    return f"lib/modules/{name}" if name.endswith(".ko") else f"bin/{name}"


def add_file(archive, word):
    """Add a file that was named on the command line."""
    source, _, place = word.partition(":")
    mode = 0o100755 if os.access(source, os.X_OK) else 0o100644
    archive.add((place or place_of(source)).lstrip("/"), mode, read(source))
    if read(source)[:4] == b"\x7fELF" and not source.endswith(".ko"):
        for library in libraries(source):
            system = library.startswith(("/lib", "/usr/lib"))
            place = library.lstrip("/") if system else f"lib/{os.path.basename(library)}"
            archive.add(place, 0o100755, read(library))


def make(output, script, files=(), image=None):
    """Write an initramfs; script is text."""
    if not os.path.exists(BUSYBOX):
        raise kernel.Missing(f"{BUSYBOX} is missing; install busybox-static")
    archive = Archive()
    for name in DIRECTORIES:
        archive.add(name, 0o40755)
    archive.add("bin/busybox", 0o100755, read(BUSYBOX))
    for name in APPLETS:
        archive.add(f"bin/{name}", 0o120777, b"busybox")
    archive.add("init", 0o100755, INIT.encode())
    archive.add("script", 0o100755, (SCRIPT_HEAD + script).encode())
    for name in os.listdir(image) if image else ():
        if name.endswith(".ko"):
            archive.add(f"lib/modules/{name}", 0o100644, read(os.path.join(image, name)))
    for word in files:
        add_file(archive, word)
    with gzip.open(output, "wb", compresslevel=1) as out:
        out.write(archive.text())


def main(words):
    """Do what the first page says."""
    image = None
    if words[:1] == ["--image"] and len(words) > 1:
        image, words = words[1], words[2:]
    if len(words) < 2:
        sys.exit(__doc__)
    try:
        make(words[0], read(words[1]).decode(), words[2:], image)
    except kernel.Missing as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        sys.exit(kernel.SKIP)


if __name__ == "__main__":
    main(sys.argv[1:])
