/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* The user hypercall of LoongArch. */
#include "private.h"

#define KVM_SIGNATURE_WORD 0x40000000u
#define KVM_SIGNATURE 0x004d564bu /* the bytes "KVM", 0 */
#define KVM_FEATURE_WORD 0x40000004u
#define KVM_FEATURE_USER_HCALL (1u << 25)

int vpmu_guest_find_call(vpmu_guest_cpucfg cpucfg, void *opaque)
{
	if (cpucfg(opaque, KVM_SIGNATURE_WORD) != KVM_SIGNATURE ||
	    !(cpucfg(opaque, KVM_FEATURE_WORD) & KVM_FEATURE_USER_HCALL))
		return VPMU_GUEST_NO_DEVICE;
	return 0;
}

#ifdef __loongarch__

uint32_t vpmu_guest_loongarch_cpucfg(void *opaque, uint32_t word)
{
	uint32_t value;

	(void)opaque;
	__asm__ volatile("cpucfg %0, %1" : "=r"(value) : "r"(word));
	return value;
}

/* hvcl 0x102, which the kernel hands to user space; older assemblers do not know the name. */
static uint64_t call(uint64_t function, uint64_t first, uint64_t second)
{
	register uint64_t a0 __asm__("$r4") = VPMU_CALL_BASE + function;
	register uint64_t a1 __asm__("$r5") = first;
	register uint64_t a2 __asm__("$r6") = second;

	__asm__ volatile(".word 0x002b8102" : "+r"(a0) : "r"(a1), "r"(a2) : "memory");
	return a0;
}

static int answer_error(uint64_t answer)
{
	if (answer == 0)
		return 0;
	return answer == (uint64_t)-2 ? VPMU_GUEST_REFUSED : VPMU_GUEST_FAULT;
}

static int call_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	(void)opaque;
	(void)context;
	*value = call(VPMU_CALL_READ, index, 0);
	return 0;
}

/* That a value was refused shows where it is read back, by this way as by every other. */
static int call_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	int error = answer_error(call(VPMU_CALL_WRITE, index, value));

	(void)opaque;
	(void)context;
	return error == VPMU_GUEST_REFUSED ? 0 : error;
}

static int call_run(void *opaque, uint32_t context, uint64_t address, uint64_t *words,
		    uint32_t count)
{
	int error = answer_error(call(VPMU_CALL_BATCH, address, count));

	(void)opaque;
	(void)context;
	(void)words;
	return error == VPMU_GUEST_REFUSED ? VPMU_GUEST_NOT_RUN : error;
}

const struct vpmu_guest_way *vpmu_guest_way_call(void)
{
	static const struct vpmu_guest_way way = {
		.size = sizeof(way),
		.read = call_read,
		.write = call_write,
		.run = call_run,
	};

	return &way;
}

#else

uint32_t vpmu_guest_loongarch_cpucfg(void *opaque, uint32_t word)
{
	(void)opaque;
	(void)word;
	return 0;
}

const struct vpmu_guest_way *vpmu_guest_way_call(void)
{
	return NULL;
}

#endif
