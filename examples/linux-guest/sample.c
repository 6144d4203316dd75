// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// SPDX-FileCopyrightText: 2026 libvpmu contributors
/*
 * Sampling. The kernel does not export perf_event_overflow() to modules: a driver that is
 * built into the kernel calls it; a module looks it up with a kprobe when it is loaded with
 * sampling=1.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <asm/irq_regs.h>

#include "vpmu.h"

typedef int (*overflow_call)(struct perf_event *event, struct perf_sample_data *data,
			     struct pt_regs *regs);

static overflow_call overflow;

#ifdef MODULE

static bool sampling;
module_param(sampling, bool, 0444);
MODULE_PARM_DESC(sampling, "Look up what the kernel keeps to itself, so that perf record works");

int vpmu_sample_begin(void)
{
	struct kprobe probe = { .symbol_name = "perf_event_overflow" };
	int error;

	if (!sampling)
		return 0;
	error = register_kprobe(&probe);
	if (error) {
		pr_warn("vpmu: perf_event_overflow() was not found (%d): no sampling\n", error);
		return 0;
	}
	overflow = (overflow_call)probe.addr;
	unregister_kprobe(&probe);
	return 0;
}

#else

int vpmu_sample_begin(void)
{
	overflow = perf_event_overflow;
	return 0;
}

#endif

bool vpmu_sample_possible(void)
{
	return overflow;
}

static void take_sample(struct vpmu_cpu *cpu, unsigned int number, struct pt_regs *regs)
{
	struct vpmu_slot *slot = &cpu->slots[number];
	struct perf_event *event = slot->event;
	struct perf_sample_data data;
	u64 count = local64_read(&event->count);

	/*
	 * What was counted since the sample before: the period, and what ran on until the
	 * interrupt.
	 */
	event->hw.last_period = count - slot->sampled;
	slot->sampled = count;
	perf_sample_data_init(&data, 0, event->hw.last_period);
	if (event->hw.state & PERF_HES_STOPPED)
		return;
	/* Throttled: perf starts it again at the next tick. */
	if (overflow(event, &data, regs)) {
		event->hw.state |= PERF_HES_STOPPED;
		if (!vpmu_guest_period_set(&cpu->guest, VPMU_CONTEXT_INTERRUPT, number, 0))
			slot->attr.sample_period = 0;
	}
}

/* In a hard interrupt, on the CPU whose device it is. */
void vpmu_sample_interrupt(struct vpmu_cpu *cpu)
{
	const struct guest_perf_event *reading = cpu->overflowed;
	struct pt_regs *regs = get_irq_regs();
	u64 slots;
	unsigned int i;
	int claimed;

	if (!vpmu_cpu_usable(cpu))
		return;
	claimed = vpmu_guest_pmi(&cpu->guest, &cpu->interrupt, &slots, cpu->overflowed);
	if (claimed < 0)
		vpmu_cpu_broken(cpu, claimed);
	if (claimed <= 0)
		return;
	for (i = 0; i < cpu->guest.slots; i++) {
		struct vpmu_slot *slot = &cpu->slots[i];

		if (!(slots & vpmu_bit(i)))
			continue;
		if (slot->group || slot->state == VPMU_SLOT_ON)
			vpmu_count(cpu, i, reading);
		reading++;
		if (overflow && regs && slot->event && slot->state == VPMU_SLOT_ON &&
		    is_sampling_event(slot->event))
			take_sample(cpu, i, regs);
	}
}
