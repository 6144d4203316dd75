# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""kernel.py [--cache directory] image [version] | headers [version] | checkpatch

Get Debian's own kernel, or the headers of one, without installing it: the packages are downloaded and unpacked below the
cache directory (build/cache of the project unless named). Prints the directory. Exit code 77: they cannot be had.

image: the directory holds vmlinux, which QEMU boots directly (PVH), vmlinuz, release, and the modules of MODULES.
headers: the directory is what `make -C` takes to build a module.
The version is that of a Debian package such as 6.12; without one it is Debian's usual kernel.
checkpatch: the directory holds checkpatch.pl and its lists of words, of the kernel's source.
"""

import fcntl
import io
import lzma
import os
import re
import shutil
import subprocess
import sys
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.path.join(ROOT, "build", "cache")
SKIP = 77
# In the order in which they are to be loaded.
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_console", "msr",
           "irqbypass", "vfio_virqfd", "vfio", "vfio_iommu_type1", "vfio-pci-core", "vfio-pci")
ARCHITECTURE = "amd64"
CHECKPATCH = ("checkpatch.pl", "spelling.txt", "const_structs.checkpatch")


class Missing(Exception):
    """Something cannot be had here; the text says what."""


def run(command, **options):
    """Run a tool; Missing where it is not there or fails."""
    try:
        return subprocess.run(command, check=True, capture_output=True, **options).stdout
    except OSError as error:
        raise Missing(f"{command[0]}: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Missing(f"{' '.join(command)}: {''.join(last) or error.returncode}") from error


def depends(package):
    """Return the packages that one needs."""
    text = run(["apt-cache", "depends", "--no-recommends", "--no-suggests", package]).decode()
    found = re.findall(r"^ [ |]Depends: (\S+)$", text, re.M)
    if not found:
        raise Missing(f"apt knows no package {package}")
    return found


def download(package, directory):
    """Return the path of a package's file."""
    before = set(os.listdir(directory))
    run(["apt-get", "-q", "download", package], cwd=directory)
    new = [name for name in os.listdir(directory) if name not in before and name.endswith(".deb")]
    if not new:
        raise Missing(f"{package} was not downloaded")
    return os.path.join(directory, new[0])


def unpacked(archive):
    """Return the files of a package as a tarfile."""
    return tarfile.open(fileobj=io.BytesIO(run(["dpkg-deb", "--fsys-tarfile", archive])))


def unxz(packed):
    """Return what begins with an xz archive, unpacked."""
    try:
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(packed)
    except lzma.LZMAError:
        return b""


def unzstd(packed):
    """Return what begins with a Zstandard archive, unpacked. What follows it in the image is no error here."""
    try:
        return subprocess.run(["zstd", "-dc"], check=False, input=packed, capture_output=True).stdout
    except OSError as error:
        raise Missing(f"zstd: {error.strerror}") from error


PACKERS = ((b"\xfd7zXZ\x00", unxz), (b"\x28\xb5\x2f\xfd", unzstd))


def uncompressed(image):
    """Return the ELF file inside a bzImage."""
    for mark, unpack in PACKERS:
        place = image.find(mark)
        while place >= 0:
            inside = unpack(image[place:])
            if inside[:4] == b"\x7fELF":
                return inside
            place = image.find(mark, place + 1)
    raise Missing("the kernel image has no ELF file of a kind that is known here")


def take_image(archive, release, directory):
    """Keep of a kernel package what a test needs."""
    with unpacked(archive) as files:
        for member in files:
            name = os.path.basename(member.name)
            if member.name == f"./boot/vmlinuz-{release}":
                packed = files.extractfile(member).read()
                with open(os.path.join(directory, "vmlinuz"), "wb") as out:
                    out.write(packed)
                with open(os.path.join(directory, "vmlinux"), "wb") as out:
                    out.write(uncompressed(packed))
            elif member.isfile() and ".ko" in name and name[:name.index(".ko")] in MODULES:
                packed = files.extractfile(member).read()
                with open(os.path.join(directory, name.removesuffix(".xz")), "wb") as out:
                    out.write(unxz(packed) if name.endswith(".xz") else packed)
    with open(os.path.join(directory, "release"), "w", encoding="utf-8") as out:
        out.write(release + "\n")


def make_image(meta, directory):
    """Fill a directory with the kernel that a meta package stands for."""
    package = next(p for p in depends(meta) if p.startswith("linux-image-"))
    take_image(download(package, directory), package[len("linux-image-"):], directory)


def make_headers(meta, directory):
    """Fill a directory with the headers that a meta package stands for."""
    package = next(p for p in depends(meta) if p.startswith("linux-headers-"))
    wanted = [package] + [p for p in depends(package)
                          if p.startswith(("linux-headers-", "linux-kbuild-"))]
    for name in wanted:
        run(["dpkg-deb", "-x", download(name, directory), directory])
    tree = os.path.join(directory, "usr", "src", package)
    # The only absolute path in there.
    makefile = os.path.join(tree, "Makefile")
    with open(makefile, encoding="utf-8") as file:
        text = file.read()
    with open(makefile, "w", encoding="utf-8") as file:
        file.write(text.replace("include /usr/src/", f"include {directory}/usr/src/"))
    os.symlink(os.path.relpath(tree, directory), os.path.join(directory, "headers"))


def make_checkpatch(directory):
    """Fill a directory with the kernel's checker of style. It stands near the end of a large archive."""
    package = next(p for p in depends("linux-source") if p.startswith("linux-source-"))
    with unpacked(download(package, directory)) as files:
        source = next(m for m in files if m.name.endswith(f"/{package}.tar.xz"))
        with tarfile.open(fileobj=files.extractfile(source), mode="r:xz") as tree:
            for member in tree:
                name = member.name.removeprefix(f"{package}/scripts/")
                if name in CHECKPATCH:
                    with open(os.path.join(directory, name), "wb") as out:
                        out.write(tree.extractfile(member).read())


def make_once(cache, name, make):
    """Return a directory of the cache, made where it is not there; several processes may ask."""
    directory = os.path.join(cache, name)
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, f"{name}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(directory) and os.path.exists(os.path.join(directory, ".whole")):
            return directory
        shutil.rmtree(directory, ignore_errors=True)
        os.mkdir(directory)
        make(directory)
        for archive in os.listdir(directory):
            if archive.endswith(".deb"):
                os.remove(os.path.join(directory, archive))
        with open(os.path.join(directory, ".whole"), "w", encoding="utf-8"):
            pass
    return directory


def of_version(what, version, make, cache):
    """Return the directory of an image or of headers."""
    meta = f"linux-{what}-{version}-{ARCHITECTURE}" if version else f"linux-{what}-{ARCHITECTURE}"
    return make_once(cache, f"{what}-{version}" if version else what, lambda directory: make(meta, directory))


def image(version="", cache=CACHE):
    """Return the directory with the kernel of a version."""
    return of_version("image", version, make_image, cache)


def headers(version="", cache=CACHE):
    """Return the directory with the headers of a version."""
    return os.path.join(of_version("headers", version, make_headers, cache), "headers")


def checkpatch(cache=CACHE):
    """Return the directory with checkpatch.pl."""
    return make_once(cache, "checkpatch", make_checkpatch)


def release(directory):
    """Return the release of the kernel in a directory."""
    with open(os.path.join(directory, "release"), encoding="utf-8") as file:
        return file.read().strip()


def main(words):
    """Do what the first page says."""
    cache = CACHE
    if words[:1] == ["--cache"] and len(words) > 1:
        cache, words = os.path.abspath(words[1]), words[2:]
    if words[:1] not in (["image"], ["headers"], ["checkpatch"]) or len(words) > 2:
        sys.exit(__doc__)
    try:
        if words[0] == "checkpatch":
            print(checkpatch(cache))
        else:
            print({"image": image, "headers": headers}[words[0]]("".join(words[1:]), cache))
    except Missing as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        sys.exit(SKIP)


if __name__ == "__main__":
    main(sys.argv[1:])
