/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a deal costs at each boundary: register accesses per second, and the share of time for which
 * a host that profiles does not have its counters. A vCPU runs 10 ms, then another thread of the
 * host 1 ms; an exit takes 2 us. The guest uses 4 counters, the host 2 when it profiles.
 */
#include <stdio.h>
#include <stdlib.h>

#include "results.h"

#define DURATION (110 * MS)
#define EXIT 2000u
#define GUEST_COUNTERS 4
#define HOST_COUNTERS 2

static const struct {
	const char *name;
	uint32_t model, version;
} machines[] = {
	{ "Intel", VPMU_CONVERT_MODEL_INTEL, 4 },
	{ "AMD version 2", VPMU_CONVERT_MODEL_AMD, 2 },
	{ "AMD version 1", VPMU_CONVERT_MODEL_AMD, 1 },
	{ "LoongArch", VPMU_CONVERT_MODEL_LOONGARCH, 1 },
};

static const struct {
	const char *name;
	uint32_t division, boundary, profiles;
} ways[] = {
	{ "entry and exit", VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_ENTRY, 1 },
	{ "scheduling", VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AT_SCHEDULE, 1 },
	{ "automatic, host profiles", VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AUTOMATIC, 1 },
	{ "automatic, host does not", VPMU_OWNER_GUEST_ONLY, VPMU_OWNER_AUTOMATIC, 0 },
	{ "partition, scheduling", VPMU_OWNER_PARTITION, VPMU_OWNER_AT_SCHEDULE, 1 },
};

static const uint64_t exit_rates[] = { 1000, 10000, 100000 };

static uint64_t clock_of(void *opaque, uint32_t cpu)
{
	return vpmu_sim_time(((struct stage *)opaque)->sim, cpu);
}

static void counters_start(const struct stage *stage, const struct vpmu_registers *registers,
			   uint32_t first, uint32_t count)
{
	const struct vpmu_hardware *hardware = &stage->hardware;

	for (uint32_t i = first; i < first + count; i++) {
		struct guest_perf_attr attr = { .type = VPMU_TYPE_HARDWARE, .config = 1 + i % 6 };
		struct vpmu_convert_selector selector = { .size = sizeof(selector) };

		must(vpmu_convert_selector(&attr, hardware->model, &selector), "a selector");
		must(registers->write(registers->opaque, 0,
				      hardware->select + i * hardware->select_step,
				      selector.event | hardware->user | hardware->kernel |
					      hardware->enable | hardware->interrupt),
		     "a selector");
	}
	if (hardware->global_control)
		must(registers->write(registers->opaque, 0, hardware->global_control,
				      ((1ull << count) - 1) << first),
		     "the control");
}

struct play {
	struct stage stage;
	struct vpmu_owner *owner;
	struct vpmu_owner_guest *guest;
	uint64_t guest_time; /* ns of guest code */
};

static void move(struct play *play, uint32_t event)
{
	must(vpmu_owner_move(play->owner, 0, event,
			     event == VPMU_OWNER_SCHED_IN ? play->guest : NULL),
	     "a transition");
}

static void pass(struct play *play, uint32_t level, uint64_t ns)
{
	must(vpmu_sim_level(play->stage.sim, 0, level), "a level");
	while (ns)
		ns -= vpmu_sim_advance(play->stage.sim, 0, ns);
}

static void slice(struct play *play, uint64_t exits)
{
	uint64_t end = stage_now(&play->stage) + 10 * MS, between = 1000 * MS / exits - EXIT;

	move(play, VPMU_OWNER_SCHED_IN);
	while (stage_now(&play->stage) < end) {
		move(play, VPMU_OWNER_ENTER);
		pass(play, VPMU_SIM_GUEST_USER, between);
		play->guest_time += between;
		move(play, VPMU_OWNER_LEAVE);
		pass(play, VPMU_SIM_HOST, EXIT);
	}
	move(play, VPMU_OWNER_SCHED_OUT);
	pass(play, VPMU_SIM_HOST, MS);
}

static void deal_make(struct play *play, uint32_t way)
{
	struct vpmu_owner_config config = {
		.size = sizeof(config),
		.hardware = &play->stage.hardware,
		.registers = &play->stage.registers,
		.opaque = &play->stage,
		.clock = clock_of,
		.division = ways[way].division,
		.boundary = ways[way].boundary,
		.cpus = 1,
	};
	/* In a partition of LoongArch's 4 counters the guest uses 2. */
	uint32_t most = play->stage.hardware.counters - HOST_COUNTERS;
	uint32_t guests = most < GUEST_COUNTERS ? most : GUEST_COUNTERS;
	struct vpmu_registers registers;

	if (config.division == VPMU_OWNER_PARTITION)
		config.guest_counters = (1ull << guests) - 1;
	else
		guests = GUEST_COUNTERS;
	must(vpmu_owner_create(&config, calloc(1, vpmu_owner_size(1)), vpmu_owner_size(1),
			       &play->owner),
	     "a deal");
	must(vpmu_owner_guest_create(play->owner, calloc(1, vpmu_owner_guest_size()),
				     vpmu_owner_guest_size(), &play->guest),
	     "a guest");
	vpmu_owner_guest_registers(play->guest, &registers);
	counters_start(&play->stage, &registers, 0, guests);
	if (!ways[way].profiles)
		return;
	vpmu_owner_host_registers(play->owner, &registers);
	counters_start(&play->stage, &registers,
		       config.division == VPMU_OWNER_PARTITION ? guests : 0, HOST_COUNTERS);
	move(play, VPMU_OWNER_PROFILE_ON);
}

/* Of the time without counters, what is the host's own code. */
static uint64_t own_blind(const struct play *play, uint64_t blind)
{
	return blind > play->guest_time ? blind - play->guest_time : 0;
}

static void measure(uint32_t machine, uint32_t way, uint64_t exits, int first)
{
	struct vpmu_sim_config config = stage_config(machines[machine].model);
	struct vpmu_owner_account account;
	uint64_t begin, time;
	struct play play;

	config.version = machines[machine].version;
	play.guest_time = 0;
	stage_begin(&play.stage, &config, 0);
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++)
		for (uint32_t event = 1; event <= 6; event++)
			must(vpmu_sim_rate(play.stage.sim, 0, level, event, 1000000), "a rate");
	deal_make(&play, way);
	begin = stage_accesses(&play.stage);
	while (stage_now(&play.stage) < DURATION)
		slice(&play, exits);
	time = stage_now(&play.stage);
	must(vpmu_owner_account(play.owner, 0, &account), "the account");
	printf("%s\n    { \"machine\": \"%s\", \"boundary\": \"%s\", \"exits_per_second\": %llu, "
	       "\"accesses_per_second\": %llu, \"own_blind_ppm\": %llu, \"guest_ppm\": %llu }",
	       first ? "" : ",", machines[machine].name, ways[way].name, (unsigned long long)exits,
	       (unsigned long long)((stage_accesses(&play.stage) - begin) * 1000 * MS / time),
	       (unsigned long long)(own_blind(&play, account.host_blind) * 1000000 / time),
	       (unsigned long long)(play.guest_time * 1000000 / time));
	free(play.guest);
	free(play.owner);
	stage_end(&play.stage);
}

void results_boundary(void)
{
	int first = 1;

	printf("  \"boundary\": [");
	for (uint32_t machine = 0; machine < sizeof(machines) / sizeof(machines[0]); machine++)
		for (uint32_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++)
			for (uint32_t rate = 0; rate < 3; rate++, first = 0)
				measure(machine, way, exit_rates[rate], first);
	printf("\n  ]");
}
