/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* What is around the driver in tests that have a device: a kernel with the device's clock, and a
 * transport to it. */
#include <string.h>

#include "device.h"
#include "vpmu.h"

struct vpmu_cpu *vpmu_cpus;
unsigned int vpmu_timeout_ms = 1;

void kernel_say(const char *format, ...)
{
	(void)format;
}

void *kernel_pages(size_t bytes)
{
	void *pages = aligned_alloc(PAGE_BYTES, bytes);

	return pages ? memset(pages, 0, bytes) : NULL;
}

uint64_t local_clock(void)
{
	return device.now;
}

bool vpmu_sample_possible(void)
{
	return false;
}

static int begin(struct vpmu_cpu *cpu, const struct vpmu_guest_way **way, void **opaque,
		 u32 *registers, const void **page)
{
	*way = device_way();
	*opaque = cpu;
	*registers = VPMU_REGISTERS;
	*page = NULL;
	return 0;
}

static u64 attendance(void)
{
	return device.attendance;
}

const struct vpmu_transport *vpmu_transport(void)
{
	static const struct vpmu_transport transport = { .name = "test",
							 .begin = begin,
							 .attendance = attendance };

	return &transport;
}
