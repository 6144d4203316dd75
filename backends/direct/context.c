/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The source itself, and the tasks and CPUs that are attached to it. */
#include <string.h>

#include "internal.h"
#include "src/sized.h"

static int hardware_is_possible(const struct vpmu_hardware *hardware)
{
	return hardware->counters >= 1 && hardware->counters <= VPMU_FIXED_FIRST &&
	       hardware->fixed <= VPMU_COUNTERS - VPMU_FIXED_FIRST && hardware->width >= 32 &&
	       hardware->width <= 64 && hardware->overflow <= hardware->width &&
	       hardware->overflow >= 32 && hardware->overflow <= 63 && hardware->write_bits >= 32 &&
	       (!hardware->fixed || (hardware->fixed_width >= 32 && hardware->fixed_width <= 63 &&
				     hardware->fixed_control && hardware->global_control)) &&
	       (!hardware->global_status || hardware->global_clear) &&
	       (hardware->enable | hardware->user | hardware->kernel) != 0;
}

static int config_check(const struct vpmu_direct_config *config)
{
	int error = vpmu_sized_check(config, sizeof(*config));

	if (!error)
		error = vpmu_sized_check(config->hardware, sizeof(*config->hardware));
	if (!error)
		error = vpmu_sized_check(config->registers, sizeof(*config->registers));
	if (error)
		return error;
	if (!config->allocate || !config->release || !config->clock || !config->cpu ||
	    !config->registers->read || !config->registers->write || config->cpus == 0 ||
	    config->cpus > DIRECT_MOST_CPUS || !hardware_is_possible(config->hardware))
		return VPMU_ERROR_INVALID;
	return 0;
}

static uint64_t direct_bytes(uint32_t cpus)
{
	return sizeof(struct vpmu_direct) + (uint64_t)cpus * sizeof(struct direct_cpu);
}

int vpmu_direct_create(const struct vpmu_direct_config *config, struct vpmu_direct **direct)
{
	struct vpmu_direct *made;
	int error = config_check(config);

	if (error)
		return error;
	made = config->allocate(config->opaque, direct_bytes(config->cpus));
	if (!made)
		return VPMU_ERROR_NO_MEMORY;
	memcpy(&made->config, config, sizeof(made->config));
	memcpy(&made->hardware, config->hardware, sizeof(made->hardware));
	memcpy(&made->registers, config->registers, sizeof(made->registers));
	for (uint32_t i = 0; i < config->cpus; i++) {
		made->cpus[i].number = i;
		made->cpus[i].rotate_at = VPMU_DIRECT_NEVER;
		/* The value after a reset is not 0 everywhere: it is written before anything
		 * counts. */
		made->cpus[i].global_control = DIRECT_UNKNOWN;
		made->cpus[i].fixed_control = DIRECT_UNKNOWN;
	}
	*direct = made;
	return 0;
}

int vpmu_direct_destroy(struct vpmu_direct *direct)
{
	if (!direct)
		return 0;
	if (direct->attached)
		return VPMU_ERROR_STATE;
	direct->config.release(direct->config.opaque, direct, direct_bytes(direct->config.cpus));
	return 0;
}

/* ---- attaching ---- */

static struct direct_context *context_make(struct vpmu_direct *direct, uint32_t kind,
					   vpmu_attention attention, void *opaque)
{
	struct direct_context *context =
		direct->config.allocate(direct->config.opaque, sizeof(*context));

	if (!context)
		return NULL;
	context->direct = direct;
	context->kind = kind;
	context->attention = attention;
	context->opaque = opaque;
	direct->attached++;
	return context;
}

static int attach(void *source, const struct vpmu_source_thread *thread, void **attached)
{
	struct direct_context *context;
	int error = vpmu_sized_check(thread, sizeof(*thread));

	if (error)
		return error;
	if (!thread->attention)
		return VPMU_ERROR_INVALID;
	context = context_make(source, DIRECT_TASK, thread->attention, thread->opaque);
	if (!context)
		return VPMU_ERROR_NO_MEMORY;
	context->sides = VPMU_DIRECT_GUEST;
	*attached = context;
	return 0;
}

int vpmu_direct_attach_cpu(struct vpmu_direct *direct, uint32_t number, uint32_t flags,
			   vpmu_attention attention, void *opaque, void **attached)
{
	struct direct_context *context;

	if (number >= direct->config.cpus || !attention || flags == 0 ||
	    flags & ~(uint32_t)(VPMU_DIRECT_HOST | VPMU_DIRECT_GUEST))
		return VPMU_ERROR_INVALID;
	if (direct->cpus[number].contexts[DIRECT_CPU])
		return VPMU_ERROR_EXISTS;
	context = context_make(direct, DIRECT_CPU, attention, opaque);
	if (!context)
		return VPMU_ERROR_NO_MEMORY;
	context->sides = flags;
	context->cpu = &direct->cpus[number];
	context->cpu->contexts[DIRECT_CPU] = context;
	context->since = vpmu_direct_now(direct, number);
	context->ticks = 1;
	*attached = context;
	return 0;
}

/* ---- a task comes, enters, leaves, goes ---- */

static void tick_on(struct vpmu_direct *direct, struct direct_context *task)
{
	task->since = vpmu_direct_now(direct, task->cpu->number);
	task->ticks = 1;
}

static void tick_off(struct vpmu_direct *direct, struct direct_context *task)
{
	task->time = vpmu_direct_time(direct, task);
	task->ticks = 0;
}

static void leave(struct vpmu_direct *direct, struct direct_context *task)
{
	if (!task->ticks)
		return;
	tick_off(direct, task);
	task->cpu->in_guest = 0;
	vpmu_direct_gate(direct, task->cpu);
}

/* Of each event by its own tag: "all of them" would be those that give notices. */
static void task_tell(const struct direct_context *task)
{
	uint64_t tags = 0;

	for (uint32_t list = 0; list < DIRECT_LISTS; list++)
		for (const struct direct_group *group = task->groups[list]; group;
		     group = group->next)
			for (uint32_t i = 0; i < group->count; i++)
				tags |= DIRECT_BIT(group->events[i].tag);
	if (tags)
		task->attention(task->opaque, tags);
}

/* What its groups count is not known, wherever they are read. */
static void task_fail(struct direct_context *task)
{
	for (uint32_t list = 0; list < DIRECT_LISTS; list++)
		for (struct direct_group *group = task->groups[list]; group; group = group->next)
			group->failed |= group->on;
	task_tell(task);
}

/* Its groups give up their counters: all are off while that is decided. */
static void sched_out(struct vpmu_direct *direct, struct direct_context *task)
{
	struct direct_cpu *cpu = task->cpu;

	if (!cpu)
		return;
	leave(direct, task);
	for (uint32_t list = 0; list < DIRECT_LISTS; list++) {
		for (struct direct_group *group = task->groups[list]; group; group = group->next) {
			vpmu_direct_settle(direct, group);
			group->placed = 0;
		}
	}
	cpu->contexts[DIRECT_TASK] = NULL;
	vpmu_direct_schedule(direct, cpu);
	task->cpu = NULL;
	if (cpu->broken)
		task_fail(task);
}

static void sched_in(struct vpmu_direct *direct, struct direct_context *task)
{
	uint32_t number = direct->config.cpu(direct->config.opaque);
	struct direct_cpu *cpu = vpmu_direct_cpu(direct, number);

	if (cpu && task->cpu == cpu)
		return;
	sched_out(direct, task);
	if (!cpu) {
		task_fail(task);
		return;
	}
	if (cpu->contexts[DIRECT_TASK])
		sched_out(direct, cpu->contexts[DIRECT_TASK]);
	cpu->contexts[DIRECT_TASK] = task;
	task->cpu = cpu;
	vpmu_direct_schedule(direct, cpu);
	if (cpu->taken)
		task_tell(task);
}

static void enter(struct vpmu_direct *direct, struct direct_context *task)
{
	sched_in(direct, task);
	if (!task->cpu || task->ticks)
		return;
	tick_on(direct, task);
	task->cpu->in_guest = 1;
	vpmu_direct_gate(direct, task->cpu);
}

static void detach(void *source, void *attached)
{
	struct vpmu_direct *direct = source;
	struct direct_context *context = attached;

	vpmu_direct_kept_end(direct, context, 0);
	if (context->kind == DIRECT_TASK)
		sched_out(direct, context);
	else
		context->cpu->contexts[DIRECT_CPU] = NULL;
	direct->attached--;
	direct->config.release(direct->config.opaque, context, sizeof(*context));
}

static int edge_told(void *source, void *attached, uint32_t edge)
{
	static void (*const moves[])(struct vpmu_direct * direct, struct direct_context * task) = {
		[VPMU_EDGE_ENTER] = enter,
		[VPMU_EDGE_LEAVE] = leave,
		[VPMU_EDGE_SCHED_IN] = sched_in,
		[VPMU_EDGE_SCHED_OUT] = sched_out,
	};
	struct direct_context *context = attached;

	if (edge == VPMU_EDGE_SLICE || edge == VPMU_EDGE_RELEASE)
		return vpmu_direct_kept_end(source, context, edge == VPMU_EDGE_SLICE);
	if (edge >= sizeof(moves) / sizeof(moves[0]) || context->kind != DIRECT_TASK)
		return VPMU_ERROR_INVALID;
	moves[edge](source, context);
	return 0;
}

/* ---- somebody else's registers ---- */

static void cpu_settle(const struct vpmu_direct *direct, const struct direct_cpu *cpu)
{
	for (uint32_t kind = 0; kind < DIRECT_KINDS; kind++)
		for (uint32_t list = 0; cpu->contexts[kind] && list < DIRECT_LISTS; list++)
			for (struct direct_group *group = cpu->contexts[kind]->groups[list]; group;
			     group = group->next)
				vpmu_direct_settle(direct, group);
}

static void set_taken(struct vpmu_direct *direct, struct direct_cpu *cpu, uint32_t taken)
{
	cpu->taken = taken;
	vpmu_direct_schedule(direct, cpu);
	if (cpu->contexts[DIRECT_TASK])
		task_tell(cpu->contexts[DIRECT_TASK]);
}

void vpmu_direct_lose(struct vpmu_direct *direct, uint32_t number, uint32_t flags)
{
	struct direct_cpu *cpu = vpmu_direct_cpu(direct, number);

	if (!cpu)
		return;
	cpu_settle(direct, cpu);
	if (flags & VPMU_DIRECT_TAKEN)
		set_taken(direct, cpu, 1);
	else
		cpu->out = 1;
}

void vpmu_direct_gain(struct vpmu_direct *direct, uint32_t number, uint32_t flags)
{
	struct direct_cpu *cpu = vpmu_direct_cpu(direct, number);

	if (!cpu)
		return;
	cpu_settle(direct, cpu);
	if (flags & VPMU_DIRECT_TAKEN)
		set_taken(direct, cpu, 0);
	else
		cpu->out = 0;
}

/* ---- the table ---- */

static int can_count(const struct vpmu_hardware *hardware, uint32_t event)
{
	struct guest_perf_attr attr = { .type = VPMU_TYPE_HARDWARE, .config = event };
	struct vpmu_convert_selector selector = { .size = sizeof(selector) };

	return hardware->events & DIRECT_BIT(event) &&
	       !vpmu_convert_selector(&attr, hardware->model, &selector) &&
	       (!selector.only_fixed || selector.fixed < hardware->fixed);
}

static int probe(void *source, struct vpmu_source_facts *facts)
{
	const struct vpmu_direct *direct = source;
	int error = vpmu_sized_check(facts, sizeof(*facts));

	if (error)
		return error;
	facts->hardware_events = 0;
	for (uint32_t event = 1; event <= VPMU_HARDWARE_REF_CYCLES; event++)
		if (can_count(&direct->hardware, event))
			facts->hardware_events |= DIRECT_BIT(event);
	facts->software_events = 0;
	facts->cache_events = direct->hardware.model != VPMU_CONVERT_MODEL_INTEL;
	facts->raw_events = 1;
	facts->counters = direct->hardware.counters + direct->hardware.fixed;
	facts->reserved = 0;
	return 0;
}

const struct vpmu_source_ops *vpmu_direct_ops(void)
{
	static const struct vpmu_source_ops ops = {
		.size = sizeof(ops),
		.probe = probe,
		.attach = attach,
		.detach = detach,
		.open = vpmu_direct_open,
		.close = vpmu_direct_close,
		.run = vpmu_direct_run,
		.read = vpmu_direct_read,
		.period = vpmu_direct_period,
		.edge = edge_told,
		.edges = (1u << VPMU_EDGE_ENTER) | (1u << VPMU_EDGE_LEAVE) |
			 (1u << VPMU_EDGE_SCHED_IN) | (1u << VPMU_EDGE_SCHED_OUT) |
			 (1u << VPMU_EDGE_SLICE) | (1u << VPMU_EDGE_RELEASE),
	};

	return &ops;
}
