/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The machine: its life, its levels and rates, and how its registers are found. */
#include <string.h>

#include "internal.h"

static const struct sim_kind *kind_of(const struct vpmu_sim_config *config)
{
	switch (config->model) {
	case VPMU_CONVERT_MODEL_INTEL:
		return &vpmu_sim_intel;
	case VPMU_CONVERT_MODEL_AMD:
		return config->version == 2 ? &vpmu_sim_amd_global : &vpmu_sim_amd;
	case VPMU_CONVERT_MODEL_LOONGARCH:
		return &vpmu_sim_loongarch;
	default:
		return NULL;
	}
}

int vpmu_sim_config_default(uint32_t model, struct vpmu_sim_config *config)
{
	static const struct vpmu_sim_config defaults[] = {
		{ .model = VPMU_CONVERT_MODEL_INTEL,
		  .version = 4,
		  .counters = 8,
		  .fixed = 3,
		  .width = 48,
		  .fixed_width = 48,
		  .flags = VPMU_SIM_FULL_WRITES },
		{ .model = VPMU_CONVERT_MODEL_AMD, .version = 2, .counters = 6, .width = 48 },
		{ .model = VPMU_CONVERT_MODEL_LOONGARCH, .version = 1, .counters = 4, .width = 64 },
	};

	for (uint32_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		if (defaults[i].model != model)
			continue;
		*config = defaults[i];
		config->size = sizeof(*config);
		config->cpus = 1;
		return 0;
	}
	return VPMU_ERROR_INVALID;
}

static int config_check(const struct vpmu_sim_config *config)
{
	const unsigned char *bytes = (const void *)config;

	if (config->size < sizeof(*config))
		return VPMU_ERROR_INVALID;
	for (uint64_t i = sizeof(*config); i < config->size; i++)
		if (bytes[i])
			return VPMU_ERROR_TOO_BIG;
	if (config->cpus == 0 || config->cpus > VPMU_SIM_CPUS || !kind_of(config) ||
	    !kind_of(config)->fits(config))
		return VPMU_ERROR_INVALID;
	return 0;
}

uint64_t vpmu_sim_size(const struct vpmu_sim_config *config)
{
	if (config_check(config))
		return 0;
	return sizeof(struct vpmu_sim) + (uint64_t)config->cpus * sizeof(struct sim_cpu);
}

static uint64_t low_bits(uint32_t width)
{
	return width >= 64 ? UINT64_MAX : SIM_BIT(width) - 1;
}

int vpmu_sim_create(const struct vpmu_sim_config *config, void *memory, uint64_t room,
		    struct vpmu_sim **sim)
{
	struct vpmu_sim *made = memory;
	int error = config_check(config);

	if (error)
		return error;
	if (!memory || room < vpmu_sim_size(config))
		return VPMU_ERROR_INVALID;
	memset(memory, 0, (size_t)vpmu_sim_size(config));
	memcpy(&made->config, config, sizeof(made->config));
	made->kind = kind_of(config);
	for (uint32_t i = 0; i < config->counters; i++)
		made->mask[i] = low_bits(config->width);
	for (uint32_t i = 0; i < config->fixed; i++)
		made->mask[VPMU_FIXED_FIRST + i] = low_bits(config->fixed_width);
	for (uint32_t i = 0; i < config->cpus; i++) {
		made->cpus[i].level = VPMU_SIM_HOST;
		made->kind->reset(made, &made->cpus[i]);
	}
	*sim = made;
	return 0;
}

void vpmu_sim_identity(const struct vpmu_sim *sim, uint64_t identity[4])
{
	sim->kind->identity(&sim->config, identity);
}

/* ---- registers ---- */

static const struct sim_register *find(const struct vpmu_sim *sim, uint32_t number, uint32_t *index)
{
	for (uint32_t i = 0; i < sim->kind->register_count; i++) {
		const struct sim_register *range = &sim->kind->registers[i];

		for (uint32_t at = 0; at < range->count(sim); at++) {
			if (range->first + range->step * at != number)
				continue;
			*index = at;
			return range;
		}
	}
	return NULL;
}

static int register_read(void *opaque, uint32_t cpu, uint32_t number, uint64_t *value)
{
	struct vpmu_sim *sim = opaque;
	const struct sim_register *range;
	uint32_t index;
	int error;

	if (cpu >= sim->config.cpus)
		return VPMU_ERROR_INVALID;
	sim->cpus[cpu].accesses.reads++;
	range = find(sim, number, &index);
	*value = 0;
	if (range)
		error = range->read(sim, &sim->cpus[cpu], index, value);
	else
		error = sim->kind->missing_faults ? VPMU_ERROR_INVALID : 0;
	sim->cpus[cpu].accesses.faults += error != 0;
	return error;
}

static int register_write(void *opaque, uint32_t cpu, uint32_t number, uint64_t value)
{
	struct vpmu_sim *sim = opaque;
	const struct sim_register *range;
	uint32_t index;
	int error;

	if (cpu >= sim->config.cpus)
		return VPMU_ERROR_INVALID;
	sim->cpus[cpu].accesses.writes++;
	range = find(sim, number, &index);
	if (range)
		error = range->write(sim, &sim->cpus[cpu], index, value);
	else
		error = sim->kind->missing_faults ? VPMU_ERROR_INVALID : 0;
	sim->cpus[cpu].accesses.faults += error != 0;
	return error;
}

void vpmu_sim_registers(struct vpmu_sim *sim, struct vpmu_registers *registers)
{
	registers->size = sizeof(*registers);
	registers->opaque = sim;
	registers->read = register_read;
	registers->write = register_write;
}

/* ---- levels, rates, truth ---- */

static int is_place(const struct vpmu_sim *sim, uint32_t cpu, uint32_t level, uint32_t event)
{
	return cpu < sim->config.cpus && level < VPMU_SIM_LEVELS && event > 0 &&
	       event < VPMU_SIM_EVENTS;
}

int vpmu_sim_rate(struct vpmu_sim *sim, uint32_t cpu, uint32_t level, uint32_t event, uint64_t rate)
{
	if (!is_place(sim, cpu, level, event) || rate > SIM_MOST_RATE)
		return VPMU_ERROR_INVALID;
	sim->cpus[cpu].rate[level][event] = rate;
	return 0;
}

int vpmu_sim_level(struct vpmu_sim *sim, uint32_t cpu, uint32_t level)
{
	if (!is_place(sim, cpu, level, 1))
		return VPMU_ERROR_INVALID;
	sim->cpus[cpu].level = level;
	return 0;
}

uint64_t vpmu_sim_truth(const struct vpmu_sim *sim, uint32_t cpu, uint32_t level, uint32_t event)
{
	return is_place(sim, cpu, level, event) ? sim->cpus[cpu].truth[level][event] : 0;
}

uint64_t vpmu_sim_time(const struct vpmu_sim *sim, uint32_t cpu)
{
	return cpu < sim->config.cpus ? sim->cpus[cpu].now : 0;
}

void vpmu_sim_accesses(const struct vpmu_sim *sim, uint32_t cpu, struct vpmu_sim_accesses *accesses)
{
	if (cpu < sim->config.cpus)
		*accesses = sim->cpus[cpu].accesses;
}
