/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated machine and its registers, for the tests of each architecture. */
#ifndef VPMU_TEST_SIM_FIXTURE_H
#define VPMU_TEST_SIM_FIXTURE_H

#include <stdalign.h>

#include <vpmu/convert.h>
#include <vpmu/sim.h>

#include "runner/runner.h"

#define BIT(n) (1ull << (n))
/* The rate at which one event happens each ns. */
#define EACH_NS BIT(20)

static alignas(16) unsigned char sim_memory[64 * 1024];
static struct vpmu_registers table;

static struct vpmu_sim *sim_made(const struct vpmu_sim_config *config)
{
	struct vpmu_sim *sim;

	CHECK(vpmu_sim_size(config) && vpmu_sim_size(config) <= sizeof(sim_memory));
	CHECK_EQ(vpmu_sim_create(config, sim_memory, sizeof(sim_memory), &sim), 0);
	vpmu_sim_registers(sim, &table);
	return sim;
}

static struct vpmu_sim_config sim_config(uint32_t model)
{
	struct vpmu_sim_config config;

	CHECK_EQ(vpmu_sim_config_default(model, &config), 0);
	return config;
}

static uint64_t get(uint32_t number)
{
	uint64_t value = 0;

	CHECK_EQ(table.read(table.opaque, 0, number, &value), 0);
	return value;
}

static void set(uint32_t number, uint64_t value)
{
	CHECK_EQ(table.write(table.opaque, 0, number, value), 0);
}

static inline void set_faults(uint32_t number, uint64_t value)
{
	uint64_t before = 0, after = 0;
	int readable = table.read(table.opaque, 0, number, &before) == 0;

	CHECK_EQ(table.write(table.opaque, 0, number, value), VPMU_ERROR_INVALID);
	CHECK_EQ(table.read(table.opaque, 0, number, &after) == 0, readable);
	CHECK_EQ(before, after);
}

static inline void get_faults(uint32_t number)
{
	uint64_t value = 1;

	CHECK_EQ(table.read(table.opaque, 0, number, &value), VPMU_ERROR_INVALID);
}

/* One event each ns at the level, and the CPU is there. */
static inline void happen(struct vpmu_sim *sim, uint32_t level, uint32_t event)
{
	CHECK_EQ(vpmu_sim_rate(sim, 0, level, event, EACH_NS), 0);
	CHECK_EQ(vpmu_sim_level(sim, 0, level), 0);
}

#endif
