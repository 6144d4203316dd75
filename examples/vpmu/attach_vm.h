/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A VM, as the files that look after it see it. */
#ifndef VPMU_ATTACH_VM_H
#define VPMU_ATTACH_VM_H

#include "attach.h"

struct attach_vcpu {
	struct vpmu_vcpu *pmu; /* NULL: QEMU has no such vCPU */
	int64_t thread;
	int bound;
	int named; /* by the scan under way */
};

struct attach_vm {
	struct attach_wires *wires;
	struct attach_source *source;
	struct vpmu_vm *pmu;
	struct vpmu_profile profile;
	uint64_t look; /* when overflows are looked for next */
	uint64_t sampling_ns;
	uint64_t attendance;
	uint32_t vcpus;
	char target[32]; /* architecture of the guest, as QEMU names it */
	int left_out;	 /* it was said that there are more vCPUs than blocks */
	struct attach_vcpu vcpu[ATTACH_VCPUS];
};

/* attach_vm.c: writes the words that say who attends (abi/SPEC.md R-PCI-2). */
void attach_vm_attend(struct attach_vm *vm);

/* attach_image.c: those with a reason answer NULL, or why not. A loaded VM is stopped, or nothing
 * was changed. */
void attach_image_stop(struct attach_vm *vm);
void attach_image_resume(struct attach_vm *vm);
const char *attach_image_save(struct attach_vm *vm, unsigned char *image, uint64_t capacity,
			      uint64_t *length);
const char *attach_image_load(struct attach_vm *vm, const unsigned char *image, uint64_t length);

#endif
