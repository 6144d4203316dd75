/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What arch/loongarch/kvm of Linux answers, by version: 6.7 the first with KVM, 6.12 with PMU and
 * feature word, 6.13 with an interrupt controller, 6.14 with user hypercalls, 6.19 with the PMU by
 * GCFG, 7.2 with INT_PCOV.
 */

#include <errno.h>
#include <string.h>

#include "backends/kvm/loongarch/uapi.h"
#include "backends/kvm/uapi.h"
#include "loongarch_kernel.h"
#include "runner/runner.h"

#define CRMD_ID 0x9030000000010000ull
#define CPUCFG6_ID 0x9030000000040030ull
#define PERF_ID(n) (0x9030000000011000ull + 8 * (uint64_t)(n))
#define PRIVILEGES 0xf0000u

static int64_t feature_word(struct kernel *kernel, uint64_t *word, int set)
{
	uint64_t valid = 1u << 1 | 1u << 2 | 1u << 24;

	if (kernel->version < 612)
		return -EINVAL;
	valid |= kernel->version >= 614 ? 1u << 25 : 0;
	valid |= kernel->version >= 700 ? 1u << 3 : 0;
	if (!set) {
		*word = kernel->features;
		return 0;
	}
	if (*word & ~valid || (kernel->features_are_set && *word != kernel->features))
		return -EINVAL;
	kernel->features = *word;
	kernel->features_are_set = 1;
	return 0;
}

static int64_t attribute(struct kernel *kernel, int32_t fd, uint64_t request, uint64_t argument)
{
	const struct kvm_uapi_device_attr *attr = (const void *)(uintptr_t)argument;

	CHECK_EQ(attr->flags, 0);
	if (fd == KERNEL_VCPU && request != KVM_UAPI_HAS_DEVICE_ATTR) {
		CHECK_EQ(attr->group, 0);
		CHECK_EQ(attr->attr, 0x40000004);
		return feature_word(kernel, (uint64_t *)(uintptr_t)attr->addr,
				    request == KVM_UAPI_SET_DEVICE_ATTR);
	}
	CHECK(fd == KERNEL_VM && request == KVM_UAPI_HAS_DEVICE_ATTR);
	CHECK_EQ(attr->attr, 5);
	if (kernel->version < 612)
		return -ENOTTY;
	if (kernel->version < 619)
		return kernel->host_pmu & 1 ? 0 : -ENXIO;
	return kernel->lends ? 0 : -ENXIO;
}

static int64_t cpucfg6_set(struct kernel *kernel, uint64_t value)
{
	if (value & ~(kernel->version >= 612 && kernel->host_pmu & 1 ? 0x7fffull : 0))
		return -EINVAL;
	if (value & 1 &&
	    ((value ^ kernel->host_pmu) & 0x3f00 || (value & 0xf0) > (kernel->host_pmu & 0xf0) ||
	     (value & 0x4000 && !(kernel->host_pmu & 0x4000))))
		return -EINVAL;
	kernel->cpucfg6 = value;
	return 0;
}

static void perf_set(struct kernel *kernel, uint64_t number, uint64_t value)
{
	uint64_t running = 0;

	for (unsigned int i = 0; i < 8; i += 2)
		running |= kernel->perf[i] & PRIVILEGES;
	if (number % 2 == 0 && value & PRIVILEGES && !(kernel->cpucfg6 & 1))
		kernel->host_is_corrupted = 1;
	if (number % 2 && value && running)
		kernel->counter_is_late = 1;
	if (number + 1 != kernel->ignored)
		kernel->perf[number] = value;
}

static int64_t one_reg(struct kernel *kernel, uint64_t request, uint64_t argument)
{
	const struct kvm_uapi_one_reg *reg = (const void *)(uintptr_t)argument;
	uint64_t *value = (uint64_t *)(uintptr_t)reg->addr;
	int set = request == KVM_UAPI_SET_ONE_REG;

	if (reg->id == CRMD_ID && !set) {
		*value = kernel->crmd;
		return 0;
	}
	if (reg->id == CPUCFG6_ID) {
		if (set)
			return cpucfg6_set(kernel, *value);
		*value = kernel->cpucfg6;
		return 0;
	}
	if (reg->id < PERF_ID(0) || reg->id > PERF_ID(7) || kernel->version < 612)
		return -EINVAL;
	if (set)
		perf_set(kernel, (reg->id - PERF_ID(0)) / 8, *value);
	else
		*value = kernel->perf[(reg->id - PERF_ID(0)) / 8];
	return 0;
}

static int64_t interrupt(struct kernel *kernel, uint64_t argument)
{
	int32_t irq = ((const struct kvm_uapi_interrupt *)(uintptr_t)argument)->irq;
	uint64_t bit = 1ull << (irq < 0 ? -irq : irq);

	if (irq == 0 || irq >= 15 || irq <= -15)
		return -EINVAL;
	/* Older kernels take it, and deliver nothing. */
	if ((irq == 10 || irq == -10) && kernel->version < 702)
		return 0;
	kernel->status = irq > 0 ? kernel->status | bit : kernel->status & ~bit;
	return 0;
}

static int64_t line(struct kernel *kernel, uint64_t argument)
{
	const struct kvm_uapi_irq_level *level = (const void *)(uintptr_t)argument;

	if (kernel->version < 613)
		return -ENXIO;
	if (level->irq >= 256)
		return -EINVAL;
	kernel->lines[level->irq] = level->level;
	return 0;
}

/* Completes what stands in the struct, and forgets it only when the guest runs. */
static int64_t run(struct kernel *kernel)
{
	uint32_t reason = 0;

	memcpy(&reason, kernel->run + 8, sizeof(reason));
	if (reason == 3) {
		kernel->pc += 4;
		memcpy(&kernel->a0, kernel->run + 88, sizeof(kernel->a0));
	}
	if (kernel->run[1])
		return kernel->runs_on ? 0 : -EINTR;
	memset(kernel->run + 8, 0, sizeof(reason));
	return 0;
}

static int64_t control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	struct kernel *kernel = opaque;

	CHECK(fd == KERNEL_VM || fd == KERNEL_VCPU);
	kernel->calls++;
	if (kernel->calls == kernel->failing || kernel->calls == kernel->failing_too)
		return kernel->failure;
	switch (request) {
	case KVM_UAPI_SET_DEVICE_ATTR:
	case KVM_UAPI_GET_DEVICE_ATTR:
	case KVM_UAPI_HAS_DEVICE_ATTR:
		return attribute(kernel, fd, request, argument);
	case KVM_UAPI_GET_ONE_REG:
	case KVM_UAPI_SET_ONE_REG:
		CHECK_EQ(fd, KERNEL_VCPU);
		return one_reg(kernel, request, argument);
	case KVM_UAPI_INTERRUPT:
		CHECK_EQ(fd, KERNEL_VCPU);
		return interrupt(kernel, argument);
	case KVM_UAPI_IRQ_LINE:
		CHECK_EQ(fd, KERNEL_VM);
		return line(kernel, argument);
	case KVM_UAPI_RUN:
		return run(kernel);
	default:
		return -ENOTTY;
	}
}

static void listen(void *opaque, uint32_t level, const char *text)
{
	struct kernel *kernel = opaque;

	CHECK(level <= VPMU_LOG_NOTE && strlen(text) > 20);
	kernel->said++;
}

struct vpmu_kvm_system kernel_start(struct kernel *kernel, uint32_t version)
{
	struct vpmu_kvm_system system = { sizeof(system), control, listen, kernel, NULL };

	memset(kernel, 0, sizeof(*kernel));
	kernel->version = version;
	kernel->host_pmu = KERNEL_HOST_PMU;
	kernel->lends = 1;
	kernel->features = 1u << 1 | 1u << 2;
	kernel->cpucfg6 = 0;
	return system;
}
