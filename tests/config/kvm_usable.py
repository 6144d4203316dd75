# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors
"""Say whether /dev/kvm can create a VM here. Exit code 0 if so, 1 if not."""

import fcntl
import os
import sys

KVM_GET_API_VERSION = 0xAE00
KVM_CREATE_VM = 0xAE01


def reason():
    """Return why KVM is not usable, or None."""
    try:
        fd = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        return f"cannot open /dev/kvm: {error.strerror}"
    try:
        if fcntl.ioctl(fd, KVM_GET_API_VERSION, 0) != 12:
            return "/dev/kvm does not speak API version 12"
        os.close(fcntl.ioctl(fd, KVM_CREATE_VM, 0))
    except OSError as error:
        return f"/dev/kvm cannot create a VM: {error.strerror}"
    finally:
        os.close(fd)
    return None


if __name__ == "__main__":
    WHY = reason()
    print(WHY or "/dev/kvm is usable")
    sys.exit(1 if WHY else 0)
