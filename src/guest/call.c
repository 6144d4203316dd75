/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* The user hypercall of LoongArch. */
#include "private.h"

#ifdef __loongarch__

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

const struct vpmu_guest_way *vpmu_guest_way_call(void)
{
	return NULL;
}

#endif
