/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* The virtual MSRs and CPUID of x86. */
#include "private.h"

#if defined(__x86_64__) || defined(__i386__)

static int msr_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	const struct vpmu_guest_msr *msr = opaque;
	uint32_t low, high;

	(void)context;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr->base + index) : "memory");
	*value = (uint64_t)high << 32 | low;
	return 0;
}

static int msr_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	const struct vpmu_guest_msr *msr = opaque;

	(void)context;
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr->base + index), "a"((uint32_t)value),
			   "d"((uint32_t)(value >> 32))
			 : "memory");
	return 0;
}

const struct vpmu_guest_way *vpmu_guest_way_msr(void)
{
	static const struct vpmu_guest_way way = {
		.size = sizeof(way),
		.read = msr_read,
		.write = msr_write,
	};

	return &way;
}

void vpmu_guest_x86_cpuid(void *opaque, uint32_t leaf, uint32_t registers[4])
{
	uint32_t a = leaf, b, c = 0, d;

	(void)opaque;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	registers[0] = a;
	registers[1] = b;
	registers[2] = c;
	registers[3] = d;
}

#else

const struct vpmu_guest_way *vpmu_guest_way_msr(void)
{
	return NULL;
}

void vpmu_guest_x86_cpuid(void *opaque, uint32_t leaf, uint32_t registers[4])
{
	(void)opaque;
	(void)leaf;
	for (uint32_t i = 0; i < 4; i++)
		registers[i] = 0;
}

#endif
