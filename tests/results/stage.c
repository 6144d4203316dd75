/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results.h"

void must(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, vpmu_error_text(result));
	exit(1);
}

uint64_t chance(uint64_t *seed, uint64_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (*seed >> 20) % below;
}

static uint64_t clock_of(void *opaque, uint32_t cpu)
{
	return vpmu_sim_time(((struct stage *)opaque)->sim, cpu);
}

static uint32_t cpu_of(void *opaque)
{
	(void)opaque;
	return 0;
}

static void *allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

static void attention(void *opaque, uint64_t tags)
{
	((struct stage *)opaque)->notices |= tags;
}

struct vpmu_sim_config stage_config(uint32_t model)
{
	struct vpmu_sim_config config;

	must(vpmu_sim_config_default(model, &config), "a configuration");
	return config;
}

void stage_begin(struct stage *stage, const struct vpmu_sim_config *config, uint64_t slice)
{
	const struct vpmu_direct_config direct = {
		.size = sizeof(direct),
		.hardware = &stage->hardware,
		.registers = &stage->registers,
		.opaque = stage,
		.allocate = allocate,
		.release = release,
		.clock = clock_of,
		.cpu = cpu_of,
		.slice = slice,
		.cpus = 1,
	};
	uint64_t identity[4];

	memset(stage, 0, sizeof(*stage));
	stage->memory = calloc(1, vpmu_sim_size(config));
	if (!stage->memory)
		must(VPMU_ERROR_NO_MEMORY, "memory");
	must(vpmu_sim_create(config, stage->memory, vpmu_sim_size(config), &stage->sim),
	     "a machine");
	vpmu_sim_registers(stage->sim, &stage->registers);
	vpmu_sim_identity(stage->sim, identity);
	must(vpmu_hardware_describe(config->model, identity, &stage->hardware), "a description");
	must(vpmu_direct_create(&direct, &stage->direct), "a source");
	stage->ops = vpmu_direct_ops();
}

void stage_end(struct stage *stage)
{
	must(vpmu_direct_destroy(stage->direct), "the source's end");
	free(stage->memory);
}

void *stage_task(struct stage *stage)
{
	const struct vpmu_source_thread thread = { sizeof(thread), 1, attention, stage };
	void *attached = NULL;

	must(stage->ops->attach(stage->direct, &thread, &attached), "a task");
	return attached;
}

void *stage_host(struct stage *stage)
{
	void *attached = NULL;

	must(vpmu_direct_attach_cpu(stage->direct, 0, VPMU_DIRECT_HOST | VPMU_DIRECT_GUEST,
				    attention, stage, &attached),
	     "the host");
	return attached;
}

void stage_edge(struct stage *stage, void *task, uint32_t edge)
{
	must(stage->ops->edge(stage->direct, task, edge), "an edge");
}

void stage_pass(struct stage *stage, uint32_t level, uint64_t ns)
{
	must(vpmu_sim_level(stage->sim, 0, level), "a level");
	while (ns) {
		ns -= vpmu_sim_advance(stage->sim, 0, ns);
		if (vpmu_sim_interrupt(stage->sim, 0))
			vpmu_direct_interrupt(stage->direct, 0);
	}
}

uint64_t stage_accesses(const struct stage *stage)
{
	struct vpmu_sim_accesses accesses;

	vpmu_sim_accesses(stage->sim, 0, &accesses);
	if (accesses.faults)
		must(VPMU_ERROR_SYSTEM, "a register");
	return accesses.reads + accesses.writes;
}

uint64_t stage_now(const struct stage *stage)
{
	return vpmu_sim_time(stage->sim, 0);
}
