// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// SPDX-FileCopyrightText: 2026 libvpmu contributors
/* Events: their names and formats, and what the host says of them. */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "vpmu.h"

PMU_FORMAT_ATTR(class, "config:0-7");
PMU_FORMAT_ATTR(event, "config1:0-63");
PMU_FORMAT_ATTR(extra, "config2:0-63");

static struct attribute *format_attrs[] = {
	&format_attr_class.attr,
	&format_attr_event.attr,
	&format_attr_extra.attr,
	NULL,
};

static const struct attribute_group format_group = {
	.name = "format",
	.attrs = format_attrs,
};

struct named {
	struct device_attribute attribute;
	const char *text;
};

static ssize_t named_show(struct device *device, struct device_attribute *attribute, char *page)
{
	return sysfs_emit(page, "%s\n", container_of(attribute, struct named, attribute)->text);
}

/* clang-format off */
#define NAMED(is, means) \
	(&((struct named[]){ { \
		.attribute = { .attr = { .name = (is), .mode = 0444 }, .show = named_show }, \
		.text = (means), \
	} })[0].attribute.attr)
/* clang-format on */

/*
 * Numbers of VPMU_HARDWARE_*, cache events and VPMU_SOFTWARE_* as abi/SPEC.md section 12 has
 * them.
 */
static struct attribute *event_attrs[] = {
	NAMED("cycles", "class=1,event=1"),
	NAMED("instructions", "class=1,event=2"),
	NAMED("cache-references", "class=1,event=3"),
	NAMED("cache-misses", "class=1,event=4"),
	NAMED("branches", "class=1,event=5"),
	NAMED("branch-misses", "class=1,event=6"),
	NAMED("bus-cycles", "class=1,event=7"),
	NAMED("stalled-cycles-frontend", "class=1,event=8"),
	NAMED("stalled-cycles-backend", "class=1,event=9"),
	NAMED("ref-cycles", "class=1,event=10"),
	NAMED("L1-dcache-loads", "class=2,event=0x0"),
	NAMED("L1-dcache-stores", "class=2,event=0x100"),
	NAMED("L1-dcache-load-misses", "class=2,event=0x10000"),
	NAMED("L1-icache-load-misses", "class=2,event=0x10001"),
	NAMED("LLC-loads", "class=2,event=0x2"),
	NAMED("LLC-stores", "class=2,event=0x102"),
	NAMED("LLC-load-misses", "class=2,event=0x10002"),
	NAMED("LLC-store-misses", "class=2,event=0x10102"),
	NAMED("dTLB-loads", "class=2,event=0x3"),
	NAMED("dTLB-load-misses", "class=2,event=0x10003"),
	NAMED("dTLB-store-misses", "class=2,event=0x10103"),
	NAMED("iTLB-load-misses", "class=2,event=0x10004"),
	NAMED("branch-loads", "class=2,event=0x5"),
	NAMED("branch-load-misses", "class=2,event=0x10005"),
	NAMED("host-cpu-clock", "class=4,event=1"),
	NAMED("host-cpu-clock.unit", "ns"),
	NAMED("host-task-clock", "class=4,event=2"),
	NAMED("host-task-clock.unit", "ns"),
	NAMED("host-page-faults", "class=4,event=3"),
	NAMED("host-context-switches", "class=4,event=4"),
	NAMED("host-cpu-migrations", "class=4,event=5"),
	NAMED("host-minor-faults", "class=4,event=6"),
	NAMED("host-major-faults", "class=4,event=7"),
	NULL,
};

static const struct attribute_group event_group = {
	.name = "events",
	.attrs = event_attrs,
};

/* One line per CPU: it changes whenever continuity of counting broke. */
static ssize_t epoch_show(struct device *device, struct device_attribute *attribute, char *page)
{
	unsigned int number;
	int length = 0;

	for_each_online_cpu(number) {
		const struct vpmu_cpu *cpu = per_cpu(vpmu_cpus, number);

		if (cpu && cpu->ready)
			length += sysfs_emit_at(page, length, "%u %llu\n", number, cpu->epoch);
	}
	return length;
}
static DEVICE_ATTR_RO(epoch);

static ssize_t transport_show(struct device *device, struct device_attribute *attribute, char *page)
{
	return sysfs_emit(page, "%s\n", vpmu_transport()->name);
}
static DEVICE_ATTR_RO(transport);

static struct attribute *device_attrs[] = {
	&dev_attr_epoch.attr,
	&dev_attr_transport.attr,
	NULL,
};

static const struct attribute_group device_group = {
	.attrs = device_attrs,
};

const struct attribute_group *vpmu_attr_groups[] = {
	&format_group,
	&event_group,
	&device_group,
	NULL,
};

/* What is written into a slot; membership of a group comes later. */
void vpmu_event_attr(struct perf_event *event, struct guest_perf_attr *attr)
{
	const struct perf_event_attr *from = &event->attr;
	const struct vpmu_cpu *cpu = vpmu_this_cpu();

	*attr = (struct guest_perf_attr){
		.type = from->config & 0xff,
		.config = from->config1,
		.sample_period = is_sampling_event(event) ? event->hw.sample_period : 0,
	};
	if (attr->type == VPMU_TYPE_RAW) {
		attr->config1 = from->config2;
		attr->link = (u64)cpu->guest.pmu_model << VPMU_ATTR_WORD_LINK_MODEL_SHIFT;
	}
	if (attr->sample_period) {
		attr->sample_period = max(attr->sample_period, cpu->guest.period_floor);
		attr->flags |= VPMU_ATTR_PMI;
	}
	if (from->exclude_user)
		attr->flags |= VPMU_ATTR_EXCLUDE_USER;
	if (from->exclude_kernel)
		attr->flags |= VPMU_ATTR_EXCLUDE_KERNEL;
}

bool vpmu_event_takes_counter(const struct perf_event *event)
{
	return (event->attr.config & 0xff) != VPMU_TYPE_HOST_SOFTWARE;
}

/* What a reason means to who opens an event; 0: it may be tried. */
static int reason_error(u32 reason)
{
	switch (reason) {
	case VPMU_REASON_DENIED:
		return -ENXIO;
	case VPMU_REASON_UNSUPPORTED:
	case VPMU_REASON_NOT_PORTABLE:
		return -EOPNOTSUPP;
	case VPMU_REASON_INVALID:
	case VPMU_REASON_BAD_GROUP:
		return -EINVAL;
	default:
		return 0;
	}
}

/* Has the host look at the group, and make its events ready. Interrupts are off. */
static int ask(struct vpmu_cpu *cpu, struct vpmu_newcomers *group)
{
	u64 mask = vpmu_cpu_room(cpu, group->count);
	u64 failed;
	unsigned int i;
	int error;

	/*
	 * The slots are taken by others: what does not fit is not scheduled, so nothing is
	 * untrue.
	 */
	if (!mask || group->count > VPMU_OPEN_AT_ONCE)
		return 0;
	vpmu_guest_attrs_group(group->attrs, mask);
	error = vpmu_guest_warm(&cpu->guest, &cpu->task, mask, group->attrs, cpu->events, &failed);
	if (error == VPMU_GUEST_INVALID || error == VPMU_GUEST_REFUSED)
		return -EINVAL;
	if (error) {
		vpmu_cpu_broken(cpu, error);
		return -EIO;
	}
	for (i = 0, error = 0; i < group->count && !error; i++)
		error = reason_error(vpmu_guest_event_reason(&cpu->events[i]));
	return error;
}

static void add_member(struct vpmu_newcomers *group, struct perf_event *event)
{
	if (group->count < VPMU_MAX_SLOTS)
		vpmu_event_attr(event, &group->attrs[group->count++]);
}

struct question {
	struct perf_event *event;
	int answer;
};

static void check_here(void *opaque)
{
	struct question *question = opaque;
	struct perf_event *event = question->event, *leader = event->group_leader, *sibling;
	struct vpmu_cpu *cpu = vpmu_this_cpu();
	struct vpmu_newcomers *group;
	unsigned long flags;

	local_irq_save(flags);
	if (vpmu_cpu_usable(cpu)) {
		group = &cpu->newcomers;
		group->count = 0;
		if (leader != event) {
			if (leader->pmu == event->pmu)
				add_member(group, leader);
			for_each_sibling_event(sibling, leader)
				if (sibling->pmu == event->pmu)
					add_member(group, sibling);
		}
		add_member(group, event);
		question->answer = ask(cpu, group);
	} else {
		question->answer = -ENODEV;
	}
	local_irq_restore(flags);
}

/* In process context: on the event's CPU or, for a task's, on this one. */
int vpmu_event_check(struct perf_event *event)
{
	struct question question = { .event = event, .answer = -ENODEV };
	int error;

	if (event->cpu < 0) {
		preempt_disable();
		check_here(&question);
		preempt_enable();
		return question.answer;
	}
	error = smp_call_function_single(event->cpu, check_here, &question, 1);
	return error ? error : question.answer;
}
