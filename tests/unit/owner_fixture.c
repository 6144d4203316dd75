/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdalign.h>
#include <string.h>

#include <vpmu/convert.h>

#include "owner_fixture.h"

static struct {
	alignas(16) unsigned char sim[0x4000];
	alignas(16) unsigned char owner[0x2000];
	alignas(16) unsigned char guest[2][0x800];
} memory, kept_memory[8];
struct deal deal;
static struct deal kept_deal[8];

static const struct {
	uint32_t model, version, counters, fixed, width, flags;
	uint64_t shared; /* in a partition */
} machines[DEAL_MACHINES] = {
	{ VPMU_CONVERT_MODEL_INTEL, 4, 4, 3, 48, VPMU_SIM_FULL_WRITES, 3 | BIT(33) },
	{ VPMU_CONVERT_MODEL_INTEL, 2, 2, 0, 40, 0, 1 },
	{ VPMU_CONVERT_MODEL_AMD, 1, 6, 0, 48, 0, 0x15 },
	{ VPMU_CONVERT_MODEL_AMD, 2, 6, 0, 48, 0, 0x38 },
	{ VPMU_CONVERT_MODEL_LOONGARCH, 1, 4, 0, 64, 0, 0xc },
};

static uint64_t clock_of(void *opaque, uint32_t cpu)
{
	(void)opaque;
	return vpmu_sim_time(deal.sim, cpu);
}

static void tell(void *opaque, uint32_t cpu, uint32_t news)
{
	(void)opaque;
	CHECK_EQ(cpu, 0);
	CHECK(deal.told < DEAL_NEWS);
	deal.news[deal.told++] = news;
}

static void wait_for(uint32_t moment)
{
	if (deal.slow == moment)
		vpmu_sim_advance(deal.sim, 0, 100);
}

static int real_read(void *opaque, uint32_t cpu, uint32_t number, uint64_t *value)
{
	int error;

	(void)opaque;
	wait_for(1);
	error = deal.fail ? VPMU_ERROR_INVALID :
			    deal.real.read(deal.real.opaque, cpu, number, value);
	wait_for(2);
	return error;
}

static int real_write(void *opaque, uint32_t cpu, uint32_t number, uint64_t value)
{
	int error;

	(void)opaque;
	wait_for(1);
	error = deal.fail ? VPMU_ERROR_INVALID :
			    deal.real.write(deal.real.opaque, cpu, number, value);
	wait_for(2);
	return error;
}

static void sim_begin(uint32_t machine)
{
	struct vpmu_sim_config config;
	uint64_t identity[4];

	CHECK_EQ(vpmu_sim_config_default(machines[machine].model, &config), 0);
	config.version = machines[machine].version;
	config.counters = machines[machine].counters;
	config.fixed = machines[machine].fixed;
	config.width = machines[machine].width;
	config.fixed_width = config.fixed ? config.width : 0;
	config.flags = machines[machine].flags;
	CHECK_EQ(vpmu_sim_create(&config, memory.sim, sizeof(memory.sim), &deal.sim), 0);
	vpmu_sim_registers(deal.sim, &deal.real);
	vpmu_sim_identity(deal.sim, identity);
	CHECK_EQ(vpmu_hardware_describe(config.model, identity, &deal.hardware), 0);
	deal.all = (BIT(config.counters) - 1) | (BIT(config.fixed) - 1) << VPMU_FIXED_FIRST;
}

void deal_begin(uint32_t machine, uint32_t division, uint32_t boundary)
{
	struct vpmu_registers registers = { sizeof(registers), NULL, real_read, real_write };
	struct vpmu_owner_config config = {
		.size = sizeof(config),
		.hardware = &deal.hardware,
		.registers = &registers,
		.clock = clock_of,
		.tell = tell,
		.division = division,
		.boundary = boundary,
		.cpus = 1,
	};

	memset(&deal, 0, sizeof(deal));
	sim_begin(machine);
	deal.division = division;
	deal.shared = division == VPMU_OWNER_GUEST_ONLY ? deal.all :
		      division == VPMU_OWNER_PARTITION	? machines[machine].shared :
							  0;
	config.guest_counters = division == VPMU_OWNER_PARTITION ? deal.shared : 0;
	CHECK(vpmu_owner_size(1) <= sizeof(memory.owner));
	CHECK_EQ(vpmu_owner_create(&config, memory.owner, sizeof(memory.owner), &deal.owner), 0);
	vpmu_owner_host_registers(deal.owner, &deal.host);
	for (uint32_t i = 0; i < 2; i++) {
		CHECK_EQ(vpmu_owner_guest_create(deal.owner, memory.guest[i],
						 sizeof(memory.guest[i]), &deal.guest[i]),
			 0);
		vpmu_owner_guest_registers(deal.guest[i], &deal.guests[i]);
	}
}

int deal_move(uint32_t event)
{
	return vpmu_owner_move(deal.owner, 0, event,
			       event == MOVE(SCHED_IN) ? deal.guest[0] : NULL);
}

uint32_t deal_state(void)
{
	return (uint32_t)vpmu_owner_state(deal.owner, 0);
}

int deal_reach(uint32_t state)
{
	static const uint32_t ways[VPMU_OWNER_STATES][5] = {
		[MOVE(IDLE)] = { VPMU_OWNER_EVENTS },
		[MOVE(HOST)] = { MOVE(SCHED_IN), VPMU_OWNER_EVENTS },
		[MOVE(GUEST)] = { MOVE(SCHED_IN), MOVE(ENTER), VPMU_OWNER_EVENTS },
		[MOVE(FROZEN)] = { MOVE(SCHED_IN), MOVE(ENTER), MOVE(LEAVE), VPMU_OWNER_EVENTS },
		[MOVE(LOST_IDLE)] = { MOVE(LOSE), VPMU_OWNER_EVENTS },
		[MOVE(LOST)] = { MOVE(LOSE), MOVE(SCHED_IN), VPMU_OWNER_EVENTS },
		[MOVE(BLIND)] = { MOVE(LOSE), MOVE(SCHED_IN), MOVE(ENTER), VPMU_OWNER_EVENTS },
	};

	for (uint32_t i = 0; ways[state][i] != VPMU_OWNER_EVENTS; i++)
		CHECK_EQ(deal_move(ways[state][i]), 0);
	return deal_state() == state;
}

void deal_keep(uint32_t depth)
{
	memcpy(&kept_memory[depth], &memory, sizeof(memory));
	kept_deal[depth] = deal;
}

void deal_restore(uint32_t depth)
{
	memcpy(&memory, &kept_memory[depth], sizeof(memory));
	deal = kept_deal[depth];
}

uint64_t deal_accesses(void)
{
	struct vpmu_sim_accesses accesses;

	vpmu_sim_accesses(deal.sim, 0, &accesses);
	CHECK_EQ(accesses.faults, 0);
	return accesses.reads + accesses.writes;
}

uint64_t deal_get(const struct vpmu_registers *registers, uint32_t number)
{
	uint64_t value = 0;

	CHECK_EQ(registers->read(registers->opaque, 0, number, &value), 0);
	return value;
}

void deal_set(const struct vpmu_registers *registers, uint32_t number, uint64_t value)
{
	CHECK_EQ(registers->write(registers->opaque, 0, number, value), 0);
}

uint32_t deal_select(uint32_t counter)
{
	return deal.hardware.select + counter * deal.hardware.select_step;
}

static uint32_t counter_number(uint32_t first, uint32_t counter)
{
	return counter >= VPMU_FIXED_FIRST ?
		       deal.hardware.fixed_counter + counter - VPMU_FIXED_FIRST :
		       first + counter * deal.hardware.counter_step;
}

uint32_t deal_counter(uint32_t counter)
{
	return counter_number(deal.hardware.counter, counter);
}

uint32_t deal_counter_write(uint32_t counter)
{
	return counter_number(deal.hardware.counter_write, counter);
}

void deal_start(const struct vpmu_registers *registers, uint32_t counter, uint64_t event)
{
	struct guest_perf_attr attr = { .type = VPMU_TYPE_HARDWARE, .config = event };
	struct vpmu_convert_selector selector = { .size = sizeof(selector) };

	CHECK_EQ(vpmu_convert_selector(&attr, deal.hardware.model, &selector), 0);
	deal_set(registers, deal_select(counter),
		 selector.event | deal.hardware.user | deal.hardware.kernel |
			 deal.hardware.interrupt | deal.hardware.enable);
	if (deal.hardware.global_control)
		deal_set(registers, deal.hardware.global_control,
			 deal_get(registers, deal.hardware.global_control) | BIT(counter));
}
