# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Images of the model's VMs, and VMs of images: save, load and commit of abi/IMAGE.md section 6."""

import vpmu_image
from vpmu_image_numbers import ARCHITECTURE, KIND, TRANSPORT, VM

PLATFORM = {"architecture": ARCHITECTURE["X86"], "transport": TRANSPORT["MSR"], "base": 0x4B565000,
            "line": 0}
# What the image's VM is granted; the rest of a profile is the destination's own (R-MIG-2).
NARROWED = ("features", "period_floor", "pmu_model", "hardware_events", "software_events",
            "cache_events")


def vm_words(profile, platform):
    """Return the words of the record VM."""
    limits = (profile["slots"] | profile["counting"] << 8 | profile["batch_words"] << 16
              | profile["slot_operations"] << 32)
    words = {**profile, **platform, "limits": limits}
    return [words[name] for name, _ in VM]


def image_of(vcpus, platform=None, kind="STATE"):
    """Return the image of some vCPUs of a VM of the model."""
    platform = platform or PLATFORM
    profile = vcpus[0].profile
    image = vpmu_image.Image(platform["architecture"], vm_words(profile, platform),
                             profile["level"], KIND[kind])
    for vcpu in sorted(vcpus, key=lambda vcpu: vcpu.number):
        control, attr, event = vcpu.save()
        saved = vpmu_image.Vcpu(vcpu.number, control)
        saved.attr = {slot: words for slot, words in enumerate(attr) if any(words)}
        saved.event = {slot: words for slot, words in enumerate(event) if any(words)}
        image.vcpus.append(saved)
    return image


def save(vm, platform=None):
    """Return the image of a VM whose vCPUs are stopped (R-MIG-7)."""
    if not all(vcpu.stopped for vcpu in vm.vcpus):
        raise ValueError("a vCPU is not stopped")
    return vpmu_image.write(image_of(vm.vcpus, platform))


def load(vm, data, platform=None, facts=None, missing="STRICT"):
    """Prove an image for a VM and narrow the VM to it; return the image (R-MIG-1 to R-MIG-5)."""
    image = vpmu_image.read(data)
    if image.kind != KIND["STATE"]:
        raise vpmu_image.Refusal("HEADER", 8, "format")
    vpmu_image.compare(image, vm.granted, platform or PLATFORM, facts, missing)
    here = {vcpu.number for vcpu in vm.vcpus}
    for vcpu in image.vcpus:
        if vcpu.number not in here:
            raise vpmu_image.Refusal("VCPUS", vcpu.offset, "vcpu", vcpu.record, vcpu.number)
        if vcpu.banks:
            raise vpmu_image.Refusal("BANK", vcpu.offset, "head", vcpu.record, vcpu.number)
    if len(here) > len(image.vcpus):
        raise vpmu_image.Refusal("VCPUS", 48, "counts")
    vm.missing = missing
    limits = image.granted("limits")
    vm.profile.update({name: image.granted(name) for name in NARROWED})
    vm.profile.update(slots=limits & 0xFF, counting=limits >> 8 & 0xFF,
                      batch_words=limits >> 16 & 0xFFFF, slot_operations=limits >> 32)
    return image


def registers_of(image, number):
    """Return what Vcpu.save() gave when the image was made."""
    saved = next(part for part in image.vcpus if part.number == number)
    slots = range(image.slots)
    return (saved.control, [saved.attr_words(slot) for slot in slots],
            [saved.event_words(slot) for slot in slots])


def commit(vcpu, image, generation=0):
    """Give a vCPU its part of an image (R-MIG-9)."""
    vcpu.commit(*registers_of(image, vcpu.number), generation)
