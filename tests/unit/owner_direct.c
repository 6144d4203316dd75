/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two direct sources on one PMU, one for each side of a deal: the host's rotates from its timer at
 * any moment, also while the guest owns the PMU, and the guest's samples. Both count their truth.
 */
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <vpmu/direct.h>

#include "owner_fixture.h"
#include "runner/random.h"

#define EVENT VPMU_HARDWARE_BRANCHES
#define STEPS 1500
#define PERIOD 3000

/* A side's source: one pinned event, and for the host more flexible ones than there are counters. */
struct client {
	struct vpmu_direct *direct;
	void *cpu;
	void *pinned;
	uint64_t count, enabled, running; /* read so far */
	uint64_t notices;
	uint64_t wanted, wanted_running;
};

static struct client host, guest;
static alignas(16) unsigned char heap[0x40000];
static uint64_t heap_used;
static uint64_t taken; /* notices of the guest's period */
static uint64_t seed;

static uint32_t chance(uint32_t below)
{
	return (uint32_t)(xorshift64(&seed) >> 33) % below;
}

static void *allocate(void *opaque, uint64_t size)
{
	void *given = heap + heap_used;

	(void)opaque;
	heap_used += (size + 15) & ~15ull;
	CHECK(heap_used <= sizeof(heap));
	memset(given, 0, (size_t)size);
	return given;
}

static void release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)memory;
	(void)size;
}

static uint64_t clock_of(void *opaque, uint32_t cpu)
{
	(void)opaque;
	return vpmu_sim_time(deal.sim, cpu);
}

static uint32_t cpu_of(void *opaque)
{
	(void)opaque;
	return 0;
}

static void attention(void *opaque, uint64_t tags)
{
	struct client *client = opaque;

	client->notices += tags & 1;
}

static void *open_event(struct client *client, uint64_t config, uint32_t flags, uint64_t left,
			uint32_t tag)
{
	const struct vpmu_source_ops *ops = vpmu_direct_ops();
	struct vpmu_source_event event = { .attr = { .type = VPMU_TYPE_HARDWARE, .config = config },
					   .left = left,
					   .tag = tag };
	struct vpmu_source_opened opened;

	CHECK_EQ(ops->open(client->direct, client->cpu, &event, 1, flags, &opened), 0);
	CHECK_EQ(ops->run(client->direct, client->cpu, opened.group, 1), 0);
	return opened.group;
}

static void client_begin(struct client *client, const struct vpmu_registers *registers,
			 uint64_t left)
{
	const struct vpmu_direct_config config = {
		.size = sizeof(config),
		.hardware = &deal.hardware,
		.registers = registers,
		.allocate = allocate,
		.release = release,
		.clock = clock_of,
		.cpu = cpu_of,
		.slice = 5000,
		.cpus = 1,
	};

	memset(client, 0, sizeof(*client));
	CHECK_EQ(vpmu_direct_create(&config, &client->direct), 0);
	CHECK_EQ(vpmu_direct_attach_cpu(client->direct, 0, VPMU_DIRECT_HOST | VPMU_DIRECT_GUEST,
					attention, client, &client->cpu),
		 0);
	client->pinned = open_event(client, EVENT, 0, left, 0);
}

static void client_read(struct client *client)
{
	struct vpmu_source_reading reading = { .count = 1 };

	CHECK_EQ(vpmu_direct_ops()->read(client->direct, client->cpu, client->pinned, &reading), 0);
	client->count += reading.increase[0];
	client->enabled += reading.enabled;
	client->running += reading.running;
}

/* What was told since the last look is passed on. */
static void pass_on(void)
{
	for (uint32_t i = 0; i < deal.told; i++) {
		if (deal.news[i] == MOVE(HOST_OUT))
			vpmu_direct_lose(host.direct, 0, 0);
		if (deal.news[i] == MOVE(HOST_IN))
			vpmu_direct_gain(host.direct, 0, 0);
	}
	deal.told = 0;
}

static void interrupts(void)
{
	int sides;

	if (!vpmu_sim_interrupt(deal.sim, 0))
		return;
	sides = vpmu_owner_interrupt(deal.owner, 0);
	CHECK(sides > 0);
	if (sides & VPMU_OWNER_SIDE_HOST)
		vpmu_direct_interrupt(host.direct, 0);
	if (sides & VPMU_OWNER_SIDE_GUEST)
		vpmu_direct_interrupt(guest.direct, 0);
	if (!guest.notices)
		return;
	CHECK_EQ(guest.notices, 1);
	guest.notices = 0;
	taken++;
	CHECK_EQ(vpmu_direct_ops()->period(guest.direct, guest.cpu, guest.pinned, 0, PERIOD), 0);
}

static uint64_t truth_of(uint32_t first, uint32_t last)
{
	uint64_t sum = 0;

	for (uint32_t level = first; level <= last; level++)
		sum += vpmu_sim_truth(deal.sim, 0, level, EVENT);
	return sum;
}

static void pass(void)
{
	uint32_t state = deal_state();
	int code_of_guest = state == MOVE(GUEST) || state == MOVE(BLIND);
	int loaded = state == MOVE(GUEST) || state == MOVE(FROZEN);
	uint64_t guests = truth_of(0, 1), all = truth_of(0, 2), ns = 1 + chance(4000);
	uint64_t begin = vpmu_sim_time(deal.sim, 0);

	vpmu_sim_level(deal.sim, 0, code_of_guest ? chance(2) : VPMU_SIM_HOST);
	while (ns) {
		ns -= vpmu_sim_advance(deal.sim, 0, ns);
		interrupts();
	}
	if (state == MOVE(GUEST))
		guest.wanted += truth_of(0, 1) - guests;
	if (loaded && deal.division == VPMU_OWNER_GUEST_ONLY)
		return;
	host.wanted += truth_of(0, 2) - all;
	host.wanted_running += vpmu_sim_time(deal.sim, 0) - begin;
}

static void history(uint32_t machine, uint32_t boundary)
{
	deal_begin(machine, VPMU_OWNER_GUEST_ONLY, boundary);
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++)
		for (uint32_t event = 1; event <= 6; event++)
			vpmu_sim_rate(deal.sim, 0, level, event, 100000 * event + 300000 * level);
	heap_used = 0;
	taken = 0;
	client_begin(&host, &deal.host, 0);
	client_begin(&guest, &deal.guests[0], PERIOD);
	for (uint32_t i = 0; i < 7; i++)
		open_event(&host, 1 + i % 6, VPMU_SOURCE_FLEXIBLE, 0, 1 + i);
	for (uint32_t step = 0; step < STEPS; step++) {
		deal_move(chance(VPMU_OWNER_EVENTS));
		pass_on();
		/* The host's timer asks nobody who owns the PMU. */
		vpmu_direct_tick(host.direct, 0);
		pass();
		if (chance(8))
			continue;
		client_read(&host);
		client_read(&guest);
		CHECK_EQ(host.count, host.wanted);
		CHECK_EQ(guest.count, guest.wanted);
		CHECK_EQ(host.enabled, vpmu_sim_time(deal.sim, 0));
		CHECK_EQ(host.running, host.wanted_running);
	}
	CHECK(host.wanted > 0);
	/* Each period had its notice; the last may still be under way. */
	CHECK(taken > 0);
	CHECK(taken <= guest.wanted / PERIOD);
	CHECK(guest.wanted - taken * PERIOD < PERIOD * (1 + taken / 4));
	deal_accesses();
}

static void both_sides_count_their_truth(void)
{
	uint64_t seeds[] = { 1, 2, 3, test_seed() };

	for (uint32_t i = 0; i < TEST_COUNT(seeds); i++) {
		seed = seeds[i] * 0x9e3779b97f4a7c15ull | 1;
		printf("seed %llu\n", (unsigned long long)seeds[i]);
		for (uint32_t at = 0; at < DEAL_MACHINES * 3; at++)
			history(at % DEAL_MACHINES, at / DEAL_MACHINES);
	}
}

const struct test_case test_cases[] = {
	{ "R-OWN-12", "both sides count their truth (R-OWN-3, R-OWN-15)",
	  both_sides_count_their_truth },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
