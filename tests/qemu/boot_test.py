# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""boot_test.py directory

Debian's kernel boots under QEMU, loads its modules, runs a script and is powered off: what every other test here needs.
"""

import os
import sys

import initramfs
import kernel
import machine

SCRIPT = "uname -r\nload {modules}\nlsmod\n"


@machine.again
def boot(image, archive):
    """Boot; return what the guest printed."""
    with machine.Machine(image, archive) as guest:
        return guest.run()


def main(directory):
    """Boot once."""
    os.makedirs(directory, exist_ok=True)
    archive = os.path.join(directory, "boot.gz")
    try:
        image = kernel.image()
        initramfs.make(archive, SCRIPT.format(modules=" ".join(kernel.MODULES)), image=image)
        lines = boot(image, archive)
    except kernel.Missing as missing:
        machine.skip(missing)
    except machine.Failed as failed:
        sys.exit(str(failed))
    loaded = {line.split()[0] for line in lines[2:]}
    wanted = {name.replace("-", "_") for name in kernel.MODULES}
    if lines[0] != kernel.release(image) or not loaded >= wanted:
        sys.exit("\n".join(["unexpected output:", *lines]))
    print(f"Linux {lines[0]} booted and loaded {len(loaded)} modules")


main(sys.argv[1])
