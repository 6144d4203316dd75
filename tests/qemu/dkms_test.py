# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""dkms_test.py directory host plugin

DKMS builds and installs the driver, in trees of its own, for the kernel of the guests; what it installed counts there; and it takes
away what it installed.
"""

import os
import re
import shutil
import subprocess
import sys

import driver_test
import guest_driver
import kernel
import machine

with open(os.path.join(guest_driver.DRIVER, "dkms.conf"), encoding="utf-8") as file:
    VERSION = re.search(r'PACKAGE_VERSION="(.*)"', file.read()).group(1)


class Dkms:
    """The trees that dkms is told to take in place of the machine's."""

    def __init__(self, directory, release):
        shutil.rmtree(directory, ignore_errors=True)
        self.source, self.tree, self.installed = (os.path.join(directory, name) for name in ("src", "tree", "modules"))
        for path in (self.source, self.tree, os.path.join(self.installed, release)):
            os.makedirs(path)
        self.kernel = ["-k", release, "--kernelsourcedir", kernel.headers()]

    def run(self, action, *words):
        """One action of dkms."""
        # Without a tool to sign with it makes no key in the machine's own tree.
        done = subprocess.run(
            ["dkms", action, "-m", "vpmu", "-v", VERSION, "--sourcetree", self.source, "--dkmstree", self.tree, "--installtree",
             self.installed, "--no-depmod", *words],
            check=False, capture_output=True, text=True, env={**os.environ, "sign_file": "/none"})
        if done.returncode:
            raise machine.Failed(f"dkms {action}: {done.stdout}{done.stderr}")
        return done.stdout

    def modules(self):
        """What stands in the tree of modules."""
        return [os.path.join(path, name) for path, _, names in os.walk(self.installed) for name in names]


def install(dkms):
    """Have the driver built and installed; return the module."""
    subprocess.run(["make", "-s", "-C", guest_driver.DRIVER, "dkms", f"DKMS={dkms.source}/vpmu-{VERSION}"], check=True)
    dkms.run("add")
    dkms.run("build", *dkms.kernel)
    dkms.run("install", *dkms.kernel)
    modules = dkms.modules()
    if len(modules) != 1 or "installed" not in dkms.run("status"):
        raise machine.Failed(f"not installed: {modules}")
    return modules[0]


def main(directory, host, plugin):
    """Install, count, remove."""
    os.makedirs(directory, exist_ok=True)
    try:
        if not shutil.which("dkms") or os.geteuid():
            raise kernel.Missing("dkms is missing" if not os.geteuid() else "dkms works for root only")
        work = guest_driver.build_program(os.path.join(kernel.ROOT, "tests/qemu/work.c"), os.path.join(directory, "work"))
        dkms = Dkms(os.path.join(directory, "dkms"), kernel.release(kernel.image()))
        module = install(dkms)
        guest = guest_driver.Guest(directory, host, plugin)
        lines = guest.run(f"insmod /lib/modules/{os.path.basename(module)}\nexec 2>&1\n" + driver_test.LOOP.format(f"-e {driver_test.INSTRUCTIONS}", ""),
                          [work, module, guest_driver.PERF])
        dkms.run("remove", "--all")
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))
    rows = driver_test.Lines(lines).rows()
    if not driver_test.counted(rows, driver_test.INSTRUCTIONS) or dkms.modules():
        sys.exit("\n".join([f"left: {dkms.modules()}", *lines]))
    print(f"{os.path.relpath(module, dkms.installed)} counted {rows[0]['count']}")


main(*sys.argv[1:])
