/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* KVM: completion of exits, the feature word, registers, and the PMU that it lends. */
#include <errno.h>
#include <string.h>

#include "backends/kvm/loongarch/uapi.h"
#include "backends/kvm/uapi.h"
#include "machine.h"
#include "played.h"

static uint32_t reason_get(void)
{
	uint32_t reason;

	memcpy(&reason, machine.run + KVM_UAPI_RUN_EXIT_REASON, sizeof(reason));
	return reason;
}

static void put(unsigned int at, const void *value, unsigned int size)
{
	memcpy(machine.run + at, value, size);
}

/* As kvm_arch_vcpu_ioctl_run(): completed before immediate_exit is looked at, and forgotten after
 * that only. */
static int64_t kvm_run(void)
{
	static const uint32_t none;

	if (machine.mmio_read_is_due) {
		memcpy(&machine.trapped->regs[machine.completes_register],
		       machine.run + KVM_UAPI_RUN_MMIO_DATA, 8);
		machine.trapped->pc += 4;
		machine.mmio_read_is_due = 0;
		played_counts.completions++;
	}
	if (reason_get() == KVM_UAPI_EXIT_HYPERCALL) {
		machine.trapped->pc += 4;
		memcpy(&machine.trapped->regs[4], machine.run + KVM_UAPI_RUN_HYPERCALL_RET, 8);
		played_counts.completions++;
	}
	if (machine.run[KVM_UAPI_RUN_IMMEDIATE_EXIT])
		return -EINTR;
	put(KVM_UAPI_RUN_EXIT_REASON, &none, sizeof(none));
	return 0;
}

static int64_t kvm_feature(const struct kvm_uapi_device_attr *attr, uint64_t request)
{
	uint64_t *word = (uint64_t *)(uintptr_t)attr->addr;
	uint64_t valid = 1u << 1 | 1u << 2 | (machine.version >= 614 ? 1u << 25 : 0);

	if (attr->attr != KVM_UAPI_CPUCFG_KVM_FEATURE || machine.version < 612)
		return -EINVAL;
	if (request == KVM_UAPI_GET_DEVICE_ATTR) {
		*word = machine.features;
		return 0;
	}
	if (*word & ~valid || (machine.features_are_set && *word != machine.features))
		return -EINVAL;
	machine.features = *word;
	machine.features_are_set = 1;
	return 0;
}

/* As kvm_lose_pmu() and kvm_own_pmu(): out of the guest its registers are in memory, and the
 * hardware's are 0. */
void kvm_lose_pmu(void)
{
	const struct vpmu_registers *hardware = &machine.registers;

	if (!machine.perf_is_loaded)
		return;
	for (uint32_t i = 0; i < PERF_CSRS; i++) {
		PLAYED(hardware->read(hardware->opaque, 0, PERF_CSR + i, &machine.perf[i]), 0);
		PLAYED(hardware->write(hardware->opaque, 0, PERF_CSR + i, 0), 0);
	}
	machine.perf_is_loaded = 0;
}

void kvm_own_pmu(void)
{
	const struct vpmu_registers *hardware = &machine.registers;

	if (!(machine.cpucfg6 & 1))
		return;
	/* Counters first, so that none counts on from an old value. */
	for (uint32_t i = PERF_CSRS; i-- > 0;)
		PLAYED(hardware->write(hardware->opaque, 0, PERF_CSR + i, machine.perf[i]), 0);
	machine.perf_is_loaded = 1;
}

/* csrrd, csrwr and csrxchg of the PMU's registers, which the guest has for itself. */
int kvm_perf_access(struct cpu *cpu, uint32_t instruction)
{
	const struct vpmu_registers *hardware = &machine.registers;
	uint32_t number = instruction >> 10 & 0x3fff;
	uint64_t *to = &cpu->regs[instruction & 31];
	uint64_t mask = 0, old = 0;

	if (instruction >> 24 != 4 || !machine.perf_is_loaded || number < PERF_CSR ||
	    number >= PERF_CSR + PERF_CSRS)
		return 0;
	if ((instruction >> 5 & 31) == 1)
		mask = UINT64_MAX;
	else if (instruction >> 5 & 31)
		mask = cpu->regs[instruction >> 5 & 31];
	PLAYED(hardware->read(hardware->opaque, 0, number, &old), 0);
	if (mask)
		PLAYED(hardware->write(hardware->opaque, 0, number, (*to & mask) | (old & ~mask)),
		       0);
	*to = old;
	cpu->pc += 4;
	return 1;
}

/* The software copies: there is no vCPU that runs meanwhile. A width other than the host's, or more
 * counters, it refuses. */
static int64_t kvm_register(const struct kvm_uapi_one_reg *reg, uint64_t request)
{
	const uint64_t perf = reg->id - KVM_UAPI_REG_CSR((uint64_t)PERF_CSR);
	uint64_t *value = (uint64_t *)(uintptr_t)reg->addr;
	uint64_t *kept = NULL;

	if (reg->id == KVM_UAPI_REG_CPUCFG(6u))
		kept = &machine.cpucfg6;
	else if (reg->id == KVM_UAPI_REG_CSR(KVM_UAPI_CSR_CRMD))
		kept = &played_mode;
	else if (perf < 8 * PERF_CSRS && perf % 8 == 0)
		kept = &machine.perf[perf / 8];
	if (!kept || machine.perf_is_loaded)
		return -EINVAL;
	if (request == KVM_UAPI_GET_ONE_REG) {
		*value = *kept;
		return 0;
	}
	if (kept == &machine.cpucfg6 && *value && *value != HOST_PMU)
		return -EINVAL;
	/* The hazard of a control with a privilege level where there is no PMU. */
	PLAYED(kept >= machine.perf && kept < machine.perf + PERF_CSRS && !(machine.cpucfg6 & 1) &&
		       *value & 0xf0000,
	       0);
	*kept = *value;
	return 0;
}

int64_t kvm_control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	const void *memory = (const void *)(uintptr_t)argument;

	(void)opaque;
	PLAYED(fd, request == KVM_UAPI_HAS_DEVICE_ATTR ? VM_FD : VCPU_FD);
	switch (request) {
	case KVM_UAPI_HAS_DEVICE_ATTR:
		return machine.version >= 612 ? 0 : -ENOTTY;
	case KVM_UAPI_RUN:
		return kvm_run();
	case KVM_UAPI_GET_DEVICE_ATTR:
	case KVM_UAPI_SET_DEVICE_ATTR:
		return kvm_feature(memory, request);
	case KVM_UAPI_GET_ONE_REG:
	case KVM_UAPI_SET_ONE_REG:
		return kvm_register(memory, request);
	case KVM_UAPI_INTERRUPT:
		PLAYED(((const struct kvm_uapi_interrupt *)memory)->irq, SWI1);
		played_status |= 1u << SWI1;
		return 0;
	default:
		return -ENOTTY;
	}
}

const struct vpmu_kvm_system kvm_system = { .size = sizeof(kvm_system), .control = kvm_control };
