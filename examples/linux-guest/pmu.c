// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// SPDX-FileCopyrightText: 2026 libvpmu contributors
/* The callbacks of perf. It makes them on the CPU that they are about, with interrupts off. */
#include <linux/module.h>

#include "vpmu.h"

static struct pmu vpmu_pmu;

/* ---- opening an event ------------------------------------------------------------------------ */

static int check_attr(const struct perf_event *event)
{
	const struct perf_event_attr *attr = &event->attr;
	u64 class = attr->config & 0xff;

	if (attr->config & ~0xffULL || class == VPMU_TYPE_NONE || class > VPMU_TYPE_HOST_SOFTWARE)
		return -EINVAL;
	if (class != VPMU_TYPE_RAW && attr->config2)
		return -EINVAL;
	/* The host counts all of the guest, and whether it idles is not for it to say. */
	if (attr->exclude_host || attr->exclude_idle ||
	    has_branch_stack((struct perf_event *)event))
		return -EINVAL;
	if (event->attach_state & PERF_ATTACH_TASK && vpmu_pmu.task_ctx_nr == perf_invalid_context)
		return -EINVAL;
	return 0;
}

static int check_group(const struct perf_event *event)
{
	const struct perf_event *sibling;

	if (event->group_leader == event)
		return 0;
	for_each_sibling_event(sibling, event->group_leader)
		if (sibling->pmu == event->pmu && sibling->cpu != event->cpu)
			return -EINVAL;
	return 0;
}

static int vpmu_event_init(struct perf_event *event)
{
	int error;

	if (event->attr.type != vpmu_pmu.type)
		return -ENOENT;
	event->hw.idx = -1;
	event->hw.flags = 0;
	error = check_attr(event);
	if (!error)
		error = check_group(event);
	/* What a child inherits was asked when its parent's was opened. */
	if (error || event->parent)
		return error;
	return vpmu_event_check(event);
}

/* ---- what is to run -------------------------------------------------------------------------- */

static struct vpmu_slot *slot_of(struct vpmu_cpu *cpu, const struct perf_event *event)
{
	int number = event->hw.idx;

	if (!cpu || number < 0 || cpu->slots[number].event != event)
		return NULL;
	return &cpu->slots[number];
}

static void vpmu_disable(struct pmu *pmu)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();

	if (cpu)
		cpu->changing = true;
}

static void flush(struct vpmu_cpu *cpu)
{
	if (vpmu_cpu_usable(cpu))
		vpmu_cpu_flush(cpu);
	cpu->waiting_count = 0;
}

static void vpmu_enable(struct pmu *pmu)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();

	if (!cpu)
		return;
	cpu->changing = false;
	if (!(cpu->transaction & PERF_PMU_TXN_ADD))
		flush(cpu);
}

static void flush_unless_changing(struct vpmu_cpu *cpu)
{
	if (!cpu->changing && !(cpu->transaction & PERF_PMU_TXN_ADD))
		flush(cpu);
}

/* A device that does not answer takes events all the same: they are void, which perf shows. */
static int vpmu_add(struct perf_event *event, int flags)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();
	bool counter = vpmu_event_takes_counter(event);

	event->hw.idx = -1;
	event->hw.state = flags & PERF_EF_START ? 0 : PERF_HES_STOPPED;
	vpmu_count_good(event);
	if (!vpmu_cpu_usable(cpu)) {
		vpmu_count_void(event);
		return 0;
	}
	if (cpu->waiting_count == cpu->guest.slots)
		return -EAGAIN;
	if (counter && !(cpu->guest.features & VPMU_FEATURE_FLEXIBLE) &&
	    cpu->active >= cpu->guest.counting)
		return -EAGAIN;
	event->hw.config_base = counter;
	cpu->active += counter;
	cpu->waiting[cpu->waiting_count++] = event;
	flush_unless_changing(cpu);
	return 0;
}

static bool stop_waiting(struct vpmu_cpu *cpu, const struct perf_event *event)
{
	unsigned int i;

	for (i = 0; i < cpu->waiting_count; i++) {
		if (cpu->waiting[i] != event)
			continue;
		cpu->waiting_count--;
		for (; i < cpu->waiting_count; i++)
			cpu->waiting[i] = cpu->waiting[i + 1];
		return true;
	}
	return false;
}

static void vpmu_del(struct perf_event *event, int flags)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();
	struct vpmu_slot *slot = slot_of(cpu, event);

	if (cpu && event->hw.config_base) {
		cpu->active--;
		event->hw.config_base = 0;
	}
	if (cpu && stop_waiting(cpu, event)) {
		if (vpmu_event_is_void(event))
			vpmu_count_void(event);
		return;
	}
	if (slot && slot->state == VPMU_SLOT_ON && vpmu_cpu_usable(cpu))
		vpmu_cpu_freeze(cpu, event->ctx);
	if (vpmu_event_is_void(event))
		vpmu_count_void(event);
	else if (slot && slot->state == VPMU_SLOT_FAILED)
		vpmu_count_nothing(slot);
	if (slot)
		vpmu_cpu_forget(cpu, event->hw.idx);
	event->hw.idx = -1;
	event->hw.state |= PERF_HES_STOPPED | PERF_HES_UPTODATE;
	if (cpu)
		flush_unless_changing(cpu);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_slots(struct vpmu_cpu *cpu, u64 mask)
{
	if (mask && vpmu_cpu_usable(cpu))
		vpmu_cpu_sync(cpu, mask);
}

/* After a reading: what is not counted may be counted again. */
static void retry(struct vpmu_cpu *cpu)
{
	if (cpu->retry && !cpu->changing && vpmu_cpu_usable(cpu))
		vpmu_cpu_retry(cpu);
	cpu->retry = false;
}

/* One that never got a slot waits for one. */
static void read_without_count(struct vpmu_cpu *cpu, struct perf_event *event,
			       struct vpmu_slot *slot)
{
	bool is_void = vpmu_event_is_void(event);

	if (is_void)
		vpmu_count_void(event);
	else
		vpmu_count_nothing(slot);
	if (!cpu || !vpmu_count_time_is_known(event))
		return;
	if (!slot) {
		stop_waiting(cpu, event);
		if (cpu->waiting_count < VPMU_MAX_SLOTS)
			cpu->waiting[cpu->waiting_count++] = event;
	}
	cpu->retry = true;
	if (!(cpu->transaction & PERF_PMU_TXN_READ))
		retry(cpu);
}

static void vpmu_read(struct perf_event *event)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();
	struct vpmu_slot *slot = slot_of(cpu, event);

	if (vpmu_event_is_void(event) || (slot && slot->state == VPMU_SLOT_FAILED)) {
		read_without_count(cpu, event, slot);
		return;
	}
	if (!slot || slot->state != VPMU_SLOT_ON)
		return;
	if (cpu->transaction & PERF_PMU_TXN_READ)
		cpu->reading |= vpmu_bit(event->hw.idx);
	else
		read_slots(cpu, vpmu_bit(event->hw.idx));
}

/*
 * perf stops an event to throttle it, and to look at its count while it changes the period.
 * Its siblings count on, and so does it: what is stopped are its interrupts.
 */
static void vpmu_stop(struct perf_event *event, int flags)
{
	event->hw.state |= PERF_HES_STOPPED;
	if (flags & PERF_EF_UPDATE)
		vpmu_read(event);
}

static void vpmu_start(struct perf_event *event, int flags)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();
	struct vpmu_slot *slot = slot_of(cpu, event);
	struct guest_perf_attr attr;
	int error;

	event->hw.state = 0;
	if (!slot || slot->state != VPMU_SLOT_ON || !is_sampling_event(event))
		return;
	vpmu_event_attr(event, &attr);
	if (attr.sample_period == slot->attr.sample_period || !vpmu_cpu_usable(cpu))
		return;
	error = vpmu_guest_period_set(&cpu->guest, VPMU_CONTEXT_TASK, event->hw.idx,
				      attr.sample_period);
	if (error)
		vpmu_cpu_broken(cpu, error);
	slot->attr.sample_period = attr.sample_period;
}

static int vpmu_check_period(struct perf_event *event, u64 value)
{
	struct vpmu_cpu *cpu = raw_cpu_read(vpmu_cpus);

	return cpu && value < cpu->guest.period_floor ? -EINVAL : 0;
}

/* ---- transactions ---------------------------------------------------------------------------- */

static void vpmu_start_txn(struct pmu *pmu, unsigned int flags)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();

	if (!cpu)
		return;
	cpu->transaction = flags;
	cpu->reading = 0;
}

static int vpmu_commit_txn(struct pmu *pmu)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();

	if (!cpu)
		return 0;
	if (cpu->transaction & PERF_PMU_TXN_READ)
		read_slots(cpu, cpu->reading);
	cpu->transaction = 0;
	retry(cpu);
	flush_unless_changing(cpu);
	return 0;
}

/* perf deletes the events itself. */
static void vpmu_cancel_txn(struct pmu *pmu)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();

	if (!cpu)
		return;
	cpu->transaction = 0;
	flush_unless_changing(cpu);
}

/* ---- registration ---------------------------------------------------------------------------- */

static struct pmu vpmu_pmu = {
	.module = THIS_MODULE,
	.name = "vpmu",
	.attr_groups = vpmu_attr_groups,
	.event_init = vpmu_event_init,
	.pmu_enable = vpmu_enable,
	.pmu_disable = vpmu_disable,
	.add = vpmu_add,
	.del = vpmu_del,
	.start = vpmu_start,
	.stop = vpmu_stop,
	.read = vpmu_read,
	.start_txn = vpmu_start_txn,
	.commit_txn = vpmu_commit_txn,
	.cancel_txn = vpmu_cancel_txn,
	.check_period = vpmu_check_period,
};

/*
 * Until Linux 6.1 one PMU only may have the hardware context of tasks, in the whole time since
 * the machine started; every other is demoted, with a warning, to have no events of tasks at
 * all, be it this one loaded a second time. The capability says that PMUs may share it. That
 * is true only where no other has it, which shows by raw events being unknown. Else the
 * context of software events has to do.
 */
static void choose_context(void)
{
	vpmu_pmu.task_ctx_nr = perf_hw_context;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	struct perf_event_attr attr = {
		.type = PERF_TYPE_RAW,
		.size = sizeof(attr),
		.disabled = 1,
	};
	struct perf_event *event = perf_event_create_kernel_counter(&attr, 0, NULL, NULL, NULL);

	if (PTR_ERR(event) == -ENOENT) {
		vpmu_pmu.capabilities |= PERF_PMU_CAP_HETEROGENEOUS_CPUS;
		return;
	}
	if (!IS_ERR(event))
		perf_event_release_kernel(event);
	pr_info("vpmu: another PMU has this kernel's only hardware context: perf does not rotate the events of this one\n");
	vpmu_pmu.task_ctx_nr = perf_sw_context;
#endif
}

int vpmu_pmu_register(void)
{
	int error;

	choose_context();
	if (!vpmu_sample_possible())
		vpmu_pmu.capabilities |= PERF_PMU_CAP_NO_INTERRUPT;
	error = perf_pmu_register(&vpmu_pmu, "vpmu", -1);
	if (!error && vpmu_pmu.task_ctx_nr == perf_invalid_context)
		pr_warn("vpmu: this kernel counts no events of tasks here, only of CPUs\n");
	return error;
}

void vpmu_pmu_unregister(void)
{
	perf_pmu_unregister(&vpmu_pmu);
}
