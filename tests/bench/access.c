/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What one register access costs in the library, beside the exit that brings it. */

#include <vpmu/transport.h>

#include "src/core/core.h"

#include "bench.h"

#define MSR 0x4b565000u

struct subject {
	struct vpmu_window window;
	struct vpmu_vcpu *vcpu;
	struct vpmu_window_access access;
};

static void access_once(void *opaque)
{
	struct subject *subject = opaque;

	vpmu_window_access(&subject->window, subject->vcpu, &subject->access);
}

/* Each register number to its slot, or to none. */
static void look_up_all(void *opaque)
{
	struct subject *subject = opaque;
	volatile uint64_t defined = 0;

	for (uint64_t index = 0; index < VPMU_REGISTERS; index++)
		defined = defined + vpmu_register_defined(subject->vcpu, index);
}

static void enter_and_leave(void *opaque)
{
	struct subject *subject = opaque;

	vpmu_vcpu_enter(subject->vcpu);
	vpmu_vcpu_leave(subject->vcpu);
}

static double access_ns(struct subject *subject, uint32_t index, uint32_t write, uint64_t value)
{
	subject->access.address = MSR + index;
	subject->access.width = 8;
	subject->access.write = write;
	subject->access.value = value;
	return bench_time(access_once, subject, 100000, 20);
}

static void share_row(const char *name, double ns, double bare)
{
	bench_row((struct row){ name, 100 * ns / bare, "%", AT_MOST, 2, "bare KVM exit, ns", bare,
				bare > 0 });
}

void bench_access(void)
{
	struct device *device = device_create(16);
	struct subject subject = {
		.window = { .size = sizeof(subject.window), .base = MSR },
		.vcpu = device_vcpu(device, 0),
	};
	uint32_t config = VPMU_STRIDE * 16 + VPMU_ATTR_WORD_CONFIG;
	double bare = bench_bare_exit();
	double reading =
		access_ns(&subject, VPMU_STRIDE + VPMU_SLOT_EVENT + VPMU_EVENT_WORD_COUNT, 0, 0);
	double writing = access_ns(&subject, config, 1, 1);
	uint64_t calls = device->calls;

	bench_row((struct row){ "register_read", reading, "ns", AT_MOST, 60, "bare KVM exit, ns",
				bare, true });
	bench_row((struct row){ "register_write", writing, "ns", AT_MOST, 60, "bare KVM exit, ns",
				bare, true });
	bench_row((struct row){ "register_to_slot",
				bench_time(look_up_all, &subject, 100, 20) / VPMU_REGISTERS, "ns",
				AT_MOST, 5, "each of the 2048 register numbers", -1, true });
	share_row("register_read_share", reading, bare);
	share_row("register_write_share", writing, bare);
	bench_row((struct row){ "idle_enter_leave",
				bench_time(enter_and_leave, &subject, 100000, 20), "ns", AT_MOST,
				60, "bare KVM exit, ns", bare, true });
	bench_row((struct row){ "idle_calls", (double)(device->calls - calls), "calls", AT_MOST, 0,
				"2000000 entries of an idle vCPU", -1, true });
	device_vcpu_end(subject.vcpu);
	device_destroy(device);
}
