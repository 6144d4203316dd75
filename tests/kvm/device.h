/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A VM of one vCPU whose events count what the test says. */
#ifndef VPMU_TEST_KVM_DEVICE_H
#define VPMU_TEST_KVM_DEVICE_H

#include <stdint.h>

#include <vpmu/vpmu.h>

struct device {
	struct vpmu_vm *vm;
	struct vpmu_vcpu *vcpu;
	uint64_t increase; /* what each event counts until it is read next */
	int (*pmi)(void *opaque, uint32_t mode, uint32_t vector);
	void *pmi_opaque;
	uint8_t *ram;
	uint64_t ram_size;
	vpmu_attention attention;
	void *attention_opaque;
	uint64_t reads; /* readings of groups */
	uint64_t now;	/* host time, ns */
};

#define DEVICE_SLOTS 16

/* Creates the VM and binds its vCPU, number 5; RAM and PMI may be set before. */
void device_create(struct device *device);
void device_destroy(struct device *device);

/* Every event counts that much, and the source gives notice. */
void device_overflow(struct device *device, uint64_t increase);

uint64_t device_read(struct device *device, uint64_t index);

#endif
