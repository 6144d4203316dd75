/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The TCG source, on memory that the test writes as the plugin does. */
#include <stdlib.h>
#include <string.h>

#include <vpmu/tcg.h>

#include "backends/tcg/shared.h"
#include "runner/runner.h"

#define VCPUS 2u

static union {
	_Alignas(4096) unsigned char bytes[TCG_SHARED_SIZE(VCPUS)];
	struct tcg_header header;
} file;

static struct world {
	int64_t time;
	int64_t time_error;
	unsigned int allocations; /* that are out */
	unsigned int fail_at;	  /* the allocation that fails, from 1; 0: none */
	unsigned int asked;
	uint64_t tags;
} world;

static struct tcg_vcpu *vcpu(uint32_t index)
{
	return (struct tcg_vcpu *)(file.bytes + TCG_VCPUS_AT) + index;
}

static int64_t thread_time(void *opaque, uint32_t index)
{
	CHECK(opaque == &world && index < VCPUS);
	return world.time_error ? world.time_error : world.time;
}

static void *allocate(void *opaque, uint64_t size)
{
	CHECK(opaque == &world);
	if (++world.asked == world.fail_at)
		return NULL;
	world.allocations++;
	return calloc(1, (size_t)size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	CHECK(opaque == &world && size > 0);
	world.allocations--;
	free(memory);
}

static void attention(void *opaque, uint64_t tags)
{
	CHECK(opaque == &world);
	world.tags |= tags;
}

static struct vpmu_tcg_config config_new(void)
{
	return (struct vpmu_tcg_config){
		.size = sizeof(struct vpmu_tcg_config),
		.shared = file.bytes,
		.shared_size = sizeof(file),
		.opaque = &world,
		.thread_time = thread_time,
		.allocate = allocate,
		.release = release,
	};
}

static void plugin_start(uint64_t counted)
{
	memset(&world, 0, sizeof(world));
	memset(file.bytes, 0, sizeof(file.bytes));
	for (uint32_t i = 0; i < VCPUS; i++)
		for (unsigned int kind = 0; kind < TCG_KINDS; kind++)
			atomic_store(&vcpu(i)->target[kind], TCG_NEVER);
	file.header.magic = TCG_MAGIC;
	file.header.vcpus = VCPUS;
	file.header.counted = counted;
	atomic_store(&file.header.generation, 4);
}

static const struct vpmu_source_ops *ops;
static struct vpmu_tcg *tcg;
static void *attached;

static int attach(int64_t id)
{
	struct vpmu_source_thread thread = {
		.size = sizeof(thread),
		.id = id,
		.attention = attention,
		.opaque = &world,
	};

	return ops->attach(tcg, &thread, &attached);
}

static void begin(uint64_t counted)
{
	struct vpmu_tcg_config config = config_new();

	plugin_start(counted);
	config = config_new();
	ops = vpmu_tcg_ops();
	CHECK_EQ(vpmu_tcg_create(&config, &tcg), 0);
	CHECK_EQ(attach(1), 0);
}

static void end(void)
{
	ops->detach(tcg, attached);
	CHECK_EQ(vpmu_tcg_destroy(tcg), 0);
	CHECK_EQ(world.allocations, 0);
}

static struct vpmu_source_event event_of(uint64_t type, uint64_t config, uint64_t left)
{
	return (struct vpmu_source_event){
		.attr = { .type = type, .config = config },
		.left = left,
		.tag = 5,
	};
}

static struct vpmu_source_event instructions(uint64_t left)
{
	return event_of(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS, left);
}

static void *open_one(struct vpmu_source_event event)
{
	struct vpmu_source_opened opened = { 0 };

	CHECK_EQ(ops->open(tcg, attached, &event, 1, 0, &opened), 0);
	return opened.group;
}

static void ran(uint64_t more, int64_t ns)
{
	atomic_fetch_add(&vcpu(1)->count[TCG_INSTRUCTIONS], more);
	world.time += ns;
}

static uint64_t target(void)
{
	return atomic_load(&vcpu(1)->target[TCG_INSTRUCTIONS]);
}

static uint64_t increase(void *group)
{
	struct vpmu_source_reading reading = { .count = 1 };

	CHECK_EQ(ops->read(tcg, attached, group, &reading), 0);
	CHECK_EQ(reading.enabled, reading.running);
	return reading.increase[0];
}

static void check_increases(void)
{
	struct vpmu_source_reading reading = { .count = 1 };
	void *group;

	begin(1u << TCG_INSTRUCTIONS);
	ran(1000, 50);
	group = open_one(instructions(0));
	ran(10, 5);
	CHECK_EQ(increase(group), 0);
	CHECK_EQ(ops->run(tcg, attached, group, 1), 0);
	ran(7, 3);
	CHECK_EQ(ops->read(tcg, attached, group, &reading), 0);
	CHECK_EQ(reading.increase[0], 7);
	CHECK_EQ(reading.enabled, 3);
	CHECK_EQ(increase(group), 0);
	ran(2, 1);
	CHECK_EQ(ops->run(tcg, attached, group, 0), 0);
	ran(100, 100);
	CHECK_EQ(ops->read(tcg, attached, group, &reading), 0);
	CHECK_EQ(reading.increase[0], 2);
	CHECK_EQ(reading.running, 1);
	ops->close(tcg, attached, group, 1);
	end();
}

static void check_kinds(void)
{
	static const uint64_t loads = VPMU_CACHE_L1D | VPMU_CACHE_OP_READ << 8;
	struct vpmu_source_facts facts = { .size = sizeof(facts) };
	struct vpmu_source_opened opened = { 0 };
	struct vpmu_source_event events[] = {
		instructions(0),
		event_of(VPMU_TYPE_CACHE, loads, 0),
	};

	begin(1u << TCG_INSTRUCTIONS | 1u << TCG_BRANCHES);
	CHECK_EQ(ops->probe(tcg, &facts), 0);
	CHECK_EQ(facts.hardware_events,
		 1u << VPMU_HARDWARE_INSTRUCTIONS | 1u << VPMU_HARDWARE_BRANCHES);
	CHECK_EQ(facts.cache_events, 0);
	CHECK_EQ(ops->open(tcg, attached, events, 2, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(opened.failed, 1);
	events[0].attr.flags = VPMU_ATTR_EXCLUDE_USER;
	CHECK_EQ(ops->open(tcg, attached, events, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(opened.failed, 0);
	events[0] = event_of(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0);
	CHECK_EQ(ops->open(tcg, attached, events, 1, 0, &opened), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(world.allocations, 2);
	end();
}

static void check_flags(void)
{
	struct vpmu_source_opened opened = { 0 };
	struct vpmu_source_event event = instructions(0);

	begin(1u << TCG_INSTRUCTIONS);
	CHECK_EQ(ops->open(tcg, attached, &event, 1, 0, &opened), 0);
	CHECK_EQ(event.flags, VPMU_EVENT_APPROXIMATE);
	ops->close(tcg, attached, opened.group, 0);
	end();
	begin(1u << TCG_INSTRUCTIONS | TCG_PRECISE);
	CHECK_EQ(ops->open(tcg, attached, &event, 1, 0, &opened), 0);
	CHECK_EQ(event.flags, 0);
	ops->close(tcg, attached, opened.group, 0);
	end();
}

static void check_notices(void)
{
	void *first, *second;

	begin(1u << TCG_INSTRUCTIONS);
	ran(500, 1);
	first = open_one(instructions(100));
	second = open_one(instructions(30));
	CHECK_EQ(target(), TCG_NEVER);
	CHECK_EQ(ops->run(tcg, attached, first, 1), 0);
	CHECK_EQ(target(), 600);
	CHECK_EQ(ops->run(tcg, attached, second, 1), 0);
	CHECK_EQ(target(), 530);
	ran(29, 1);
	CHECK_EQ(vpmu_tcg_notified(tcg, 1), 0);
	CHECK_EQ(world.tags, 0);
	ran(1, 1);
	CHECK_EQ(vpmu_tcg_notified(tcg, 1), 1);
	CHECK_EQ(world.tags, 1u << 5);
	CHECK_EQ(target(), 600);
	CHECK_EQ(vpmu_tcg_notified(tcg, 1), 0);
	CHECK_EQ(ops->period(tcg, attached, second, 0, 20), 0);
	CHECK_EQ(target(), 550);
	CHECK_EQ(ops->period(tcg, attached, second, 0, 0), 0);
	CHECK_EQ(target(), 600);
	ops->close(tcg, attached, first, 0);
	CHECK_EQ(target(), TCG_NEVER);
	ops->close(tcg, attached, second, 0);
	CHECK_EQ(vpmu_tcg_notified(tcg, 0), 0);
	CHECK_EQ(vpmu_tcg_notified(tcg, VCPUS), 0);
	end();
}

static void check_paused_notice(void)
{
	void *group;

	begin(1u << TCG_INSTRUCTIONS);
	group = open_one(instructions(100));
	CHECK_EQ(ops->run(tcg, attached, group, 1), 0);
	ran(40, 1);
	CHECK_EQ(ops->run(tcg, attached, group, 0), 0);
	CHECK_EQ(target(), TCG_NEVER);
	ran(1000, 1);
	CHECK_EQ(vpmu_tcg_notified(tcg, 1), 0);
	CHECK_EQ(ops->run(tcg, attached, group, 1), 0);
	CHECK_EQ(target(), 1040 + 60);
	ran(80, 1);
	CHECK_EQ(ops->run(tcg, attached, group, 0), 0);
	CHECK_EQ(ops->run(tcg, attached, group, 1), 0);
	CHECK_EQ(target(), 1040 + 80 + 1);
	CHECK_EQ(ops->run(tcg, attached, group, 0), 0);
	CHECK_EQ(ops->period(tcg, attached, group, 0, 9), 0);
	CHECK_EQ(ops->run(tcg, attached, group, 1), 0);
	CHECK_EQ(target(), 1120 + 9);
	CHECK_EQ(ops->period(tcg, attached, group, 0, UINT64_MAX - 5), 0);
	CHECK_EQ(target(), TCG_NEVER);
	CHECK_EQ(ops->period(tcg, attached, group, 1, 5), VPMU_ERROR_INVALID);
	ops->close(tcg, attached, group, 0);
	end();
}

static void check_gone(void)
{
	struct vpmu_source_reading reading = { .count = 1 };
	void *group;

	begin(1u << TCG_INSTRUCTIONS);
	ran(500, 10);
	group = open_one(instructions(0));
	CHECK_EQ(ops->run(tcg, attached, group, 1), 0);
	atomic_store(&vcpu(1)->count[TCG_INSTRUCTIONS], 499);
	CHECK_EQ(ops->read(tcg, attached, group, &reading), VPMU_ERROR_GONE);
	CHECK_EQ(reading.increase[0], 0);
	atomic_store(&vcpu(1)->count[TCG_INSTRUCTIONS], 600);
	atomic_store(&file.header.generation, 8);
	CHECK_EQ(ops->read(tcg, attached, group, &reading), VPMU_ERROR_GONE);
	CHECK_EQ(reading.enabled, 0);
	CHECK_EQ(ops->run(tcg, attached, group, 0), VPMU_ERROR_GONE);
	atomic_store(&file.header.generation, 4);
	world.time_error = VPMU_ERROR_GONE;
	CHECK_EQ(ops->read(tcg, attached, group, &reading), VPMU_ERROR_GONE);
	world.time_error = 0;
	CHECK_EQ(increase(group), 100);
	ops->close(tcg, attached, group, 0);
	group = open_one(instructions(0));
	atomic_store(&file.header.generation, 8);
	CHECK_EQ(ops->run(tcg, attached, group, 1), VPMU_ERROR_GONE);
	ops->close(tcg, attached, group, 0);
	end();
}

static void check_create(void)
{
	struct vpmu_tcg_config config = config_new();
	struct vpmu_tcg *none = NULL;

	plugin_start(1);
	CHECK_EQ(vpmu_tcg_create(NULL, &none), VPMU_ERROR_INVALID);
	config.size--;
	CHECK_EQ(vpmu_tcg_create(&config, &none), VPMU_ERROR_INVALID);
	config = config_new();
	config.thread_time = NULL;
	CHECK_EQ(vpmu_tcg_create(&config, &none), VPMU_ERROR_INVALID);
	config = config_new();
	config.shared = file.bytes + 4;
	CHECK_EQ(vpmu_tcg_create(&config, &none), VPMU_ERROR_INVALID);
	config = config_new();
	config.shared_size = TCG_SHARED_SIZE(VCPUS) - 1;
	CHECK_EQ(vpmu_tcg_create(&config, &none), VPMU_ERROR_STATE);
	config.shared_size = 8;
	CHECK_EQ(vpmu_tcg_create(&config, &none), VPMU_ERROR_STATE);
	config = config_new();
	atomic_store(&file.header.generation, 5);
	CHECK_EQ(vpmu_tcg_create(&config, &none), VPMU_ERROR_STATE);
	plugin_start(1);
	file.header.magic++;
	CHECK_EQ(vpmu_tcg_create(&config, &none), VPMU_ERROR_STATE);
	plugin_start(1);
	file.header.vcpus = UINT64_MAX / 64;
	CHECK_EQ(vpmu_tcg_create(&config, &none), VPMU_ERROR_STATE);
	plugin_start(1);
	world.fail_at = 1;
	CHECK_EQ(vpmu_tcg_create(&config, &none), VPMU_ERROR_NO_MEMORY);
	CHECK(!none);
	CHECK_EQ(vpmu_tcg_destroy(NULL), 0);
}

static void check_attach(void)
{
	begin(1);
	CHECK_EQ(attach(1), VPMU_ERROR_EXISTS);
	CHECK_EQ(attach(-1), VPMU_ERROR_INVALID);
	CHECK_EQ(attach(VCPUS), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_tcg_destroy(tcg), VPMU_ERROR_STATE);
	world.fail_at = world.asked + 1;
	CHECK_EQ(attach(0), VPMU_ERROR_NO_MEMORY);
	end();
}

static void check_memory(void)
{
	struct vpmu_source_opened opened = { 0 };
	struct vpmu_source_event event = instructions(0);

	begin(1);
	world.fail_at = world.asked + 1;
	CHECK_EQ(ops->open(tcg, attached, &event, 1, 0, &opened), VPMU_ERROR_NO_MEMORY);
	end();
}

const struct test_case test_cases[] = {
	{ "tcg", "readings are what the vCPU did since the last while the group ran",
	  check_increases },
	{ "tcg", "what the plugin does not count does not open", check_kinds },
	{ "tcg", "counts by the block are approximate", check_flags },
	{ "tcg", "the plugin is told the nearest notice", check_notices },
	{ "tcg", "a pause keeps the distance of a notice", check_paused_notice },
	{ "tcg", "a plugin that starts anew ends what was counted", check_gone },
	{ "tcg", "memory that no plugin prepared is refused", check_create },
	{ "tcg", "a vCPU is attached once", check_attach },
	{ "tcg", "a group needs memory", check_memory },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
