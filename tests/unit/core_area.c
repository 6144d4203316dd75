/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The events area: section 9 of the specification. */

#include <string.h>

#include "core_fixture.h"

#define AREA (RAM + 0x2000)
#define OTHER (RAM + 0x5000)

static uint64_t header(unsigned int word)
{
	return world_peek(&world, AREA + 8 * word);
}

static uint64_t record(unsigned int slot, unsigned int word)
{
	return world_peek(&world, AREA + 64 * (slot + 1) + 8 * word);
}

static void the_page_is_filled_at_once(void)
{
	set_up(NULL);
	memset(world.ram + (AREA - RAM), 0xa5, 0x1000);
	memset(world.known + (AREA - RAM), 0xa5, 0x1000);
	sample_slot(3, 10);
	world_count(&world, 0, 3, 25);
	DONE(VPMU_REG_SYNC, BIT(3));
	open_slot(15, 7, 0);
	world_clean(&world);
	DONE(VPMU_REG_AREA, AREA | 1);
	CHECK_EQ(reg(VPMU_REG_AREA), AREA | 1);
	CHECK_EQ(reg(VPMU_REG_AREA_STATE), VPMU_AREA_ON);
	CHECK_EQ(header(0), VPMU_MAGIC);
	CHECK_EQ(header(1), VPMU_LEVEL);
	CHECK_EQ(header(2), reg(VPMU_REG_EPOCH));
	CHECK_EQ(header(3), BIT(3));
	CHECK_EQ(header(4), 0);
	CHECK_EQ(header(5), reg(VPMU_REG_VCPU));
	CHECK_EQ(header(6), 0);
	CHECK_EQ(header(7), 0);
	for (unsigned int slot = 0; slot < 63; slot++) {
		for (unsigned int word = 0; word < 8; word++)
			CHECK_EQ(record(slot, word), slot < 16 ? event_word(slot, word) : 0);
	}
	CHECK(world_is_dirty(&world, AREA, 8));
	CHECK(!world_is_dirty(&world, AREA - 0x1000, 0x1000));
	CHECK(!world_is_dirty(&world, AREA + 0x1000, 0x1000));
	tear_down();
}

static void grant_63(void)
{
	world.profile.slots = 63;
}

static void records_stand_at_64_times_their_number(void)
{
	set_up(grant_63);
	DONE(VPMU_REG_AREA, AREA | 1);
	for (unsigned int slot = 0; slot < 63; slot++) {
		world_clean(&world);
		world_attr(vcpu, slot, VPMU_HARDWARE_CYCLES, 0, 0, 0);
		DONE(VPMU_REG_OPEN, BIT(slot));
		CHECK_EQ(record(slot, VPMU_EVENT_WORD_CONTINUITY), BIT(32) | 1);
		CHECK(world_is_dirty(&world, AREA + 64 * (slot + 1), 64));
		CHECK(!world_is_dirty(&world, AREA, 64 * (slot + 1)));
		CHECK(!world_is_dirty(&world, AREA + 64 * (slot + 2), 0x1000));
	}
	tear_down();
}

static void a_page_that_cannot_be_written_is_refused(void)
{
	set_up(NULL);
	DONE(VPMU_REG_AREA, OTHER | 1);
	remember();
	REFUSED(VPMU_REG_AREA, (RAM + WORLD_RAM_SIZE) | 1);
	REFUSED(VPMU_REG_AREA, 0xffffffffff001);
	REFUSED(VPMU_REG_AREA, 1);
	world_fail(&world, WORLD_GUEST_CHECK, 0, 1, VPMU_ERROR_MEMORY);
	REFUSED(VPMU_REG_AREA, AREA | 1);
	world_fail(&world, WORLD_GUEST_WRITE, 0, 1, VPMU_ERROR_MEMORY);
	REFUSED(VPMU_REG_AREA, AREA | 1);
	CHECK_UNCHANGED();
	world_fail(&world, WORLD_GUEST_WRITE, 63, 1, VPMU_ERROR_MEMORY);
	REFUSED(VPMU_REG_AREA, AREA | 1);
	CHECK_EQ(reg(VPMU_REG_AREA), OTHER | 1);
	CHECK_EQ(reg(VPMU_REG_AREA_STATE), VPMU_AREA_ON);
	/* The old page is still the one that is written. */
	open_slot(0, 0, 0);
	CHECK_EQ(world_peek(&world, OTHER + 64 + 56), BIT(32) | 1);
	tear_down();
}

static void without_area(void)
{
	world.profile.features &= ~VPMU_FEATURE_AREA;
}

static void page_and_bit_belong_together(void)
{
	set_up(NULL);
	remember();
	REFUSED(VPMU_REG_AREA, AREA);
	REFUSED(VPMU_REG_AREA, AREA | 3);
	REFUSED(VPMU_REG_AREA, AREA | 0x801);
	CHECK_UNCHANGED();
	tear_down();
	set_up(without_area);
	remember();
	REFUSED(VPMU_REG_AREA, AREA | 1);
	REFUSED(VPMU_REG_AREA, AREA);
	DONE(VPMU_REG_AREA, 0);
	CHECK_UNCHANGED();
	tear_down();
}

static void zero_turns_the_area_off(void)
{
	set_up(NULL);
	DONE(VPMU_REG_AREA, AREA | 1);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_AREA, 0);
	CHECK_EQ(reg(VPMU_REG_AREA), 0);
	CHECK_EQ(reg(VPMU_REG_AREA_STATE), VPMU_AREA_OFF);
	world_clean(&world);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK(!world_is_dirty(&world, RAM, WORLD_RAM_SIZE));
	tear_down();
}

static void a_new_page_ends_the_old_one(void)
{
	set_up(NULL);
	DONE(VPMU_REG_AREA, OTHER | 1);
	DONE(VPMU_REG_AREA, AREA | 1);
	world_clean(&world);
	open_slot(0, 0, 0);
	CHECK(world_is_dirty(&world, AREA, 0x1000));
	CHECK(!world_is_dirty(&world, OTHER, 0x1000));
	tear_down();
}

/* What a reader on another CPU sees between the steps of a record's writing. */
static uint64_t record_at_write[8];
static uint32_t stores_at_write;
static int (*real_write)(void *opaque, uint32_t id, uint64_t address, const void *from,
			 uint64_t size);

static int look_and_write(void *opaque, uint32_t id, uint64_t address, const void *from,
			  uint64_t size)
{
	for (unsigned int word = 0; word < 8; word++)
		record_at_write[word] = record(0, word);
	stores_at_write = world.stores;
	return real_write(opaque, id, address, from, size);
}

static void watch_writes(void)
{
	real_write = world.host.guest_write;
	world.host.guest_write = look_and_write;
}

static void a_record_is_odd_while_it_is_written(void)
{
	uint32_t before, stores;

	set_up(watch_writes);
	DONE(VPMU_REG_AREA, AREA | 1);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	before = sequence(0);
	stores = world.stores;
	world_count(&world, 0, 0, 99);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(world.stores, stores + 2);
	CHECK_EQ(world.store[stores].address, AREA + 64);
	CHECK_EQ((uint32_t)world.store[stores].value, before + 1);
	CHECK_EQ(world.store[stores + 1].address, AREA + 64);
	CHECK_EQ(world.store[stores + 1].value, event_word(0, VPMU_EVENT_WORD_STATUS));
	CHECK_EQ(sequence(0), before + 2);
	/* The seven other words were written between the two stores. */
	CHECK_EQ(stores_at_write, stores + 1);
	CHECK_EQ((uint32_t)record_at_write[0], before + 1);
	CHECK_EQ(record_at_write[1], 0);
	CHECK_EQ(record(0, 1), 99);
	tear_down();
}

/* A reader by the book never takes a torn record, wherever the writer is. */
static unsigned int looks, torn, taken;

static void read_by_the_book(void)
{
	uint64_t words[8];
	uint32_t first = (uint32_t)record(0, 0);

	looks++;
	for (unsigned int word = 0; word < 8; word++)
		words[word] = record(0, word);
	if (first % 2 || first != (uint32_t)record(0, 0)) {
		torn++;
		return;
	}
	taken++;
	/* Count and time are kept alike by the test. */
	CHECK_EQ(words[VPMU_EVENT_WORD_COUNT], words[VPMU_EVENT_WORD_TIME_ENABLED]);
}

static int read_and_write(void *opaque, uint32_t id, uint64_t address, const void *from,
			  uint64_t size)
{
	int error;

	read_by_the_book();
	error = real_write(opaque, id, address, from, size);
	read_by_the_book();
	return error;
}

static void watch_as_reader(void)
{
	real_write = world.host.guest_write;
	world.host.guest_write = read_and_write;
}

static void a_reader_by_the_book_takes_no_torn_record(void)
{
	looks = torn = taken = 0;
	set_up(watch_as_reader);
	DONE(VPMU_REG_AREA, AREA | 1);
	open_slot(0, 0, 0);
	DONE(VPMU_REG_ENABLE, 1);
	for (unsigned int step = 1; step < 50; step++) {
		world_count(&world, 0, 0, step);
		world_time(&world, 0, step, step);
		DONE(VPMU_REG_SYNC, 1);
		read_by_the_book();
	}
	CHECK(torn >= 98);
	CHECK(taken >= 49);
	tear_down();
}

static void the_header_follows_its_registers(void)
{
	uint32_t stores;

	set_up(NULL);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	DONE(VPMU_REG_AREA, AREA | 1);
	sample_slot(0, 10);
	stores = world.stores;
	world_count(&world, 0, 0, 10);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(header(3), 1);
	/* The record was complete before the word that announces it. */
	CHECK_EQ(world.stores, stores + 3);
	CHECK_EQ(world.store[stores + 1].address, AREA + 64);
	CHECK_EQ(world.store[stores + 2].address, AREA + 24);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(header(4), 1);
	DONE(VPMU_REG_ACK, 1);
	CHECK_EQ(header(3), 0);
	vpmu_vm_release_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(header(2), reg(VPMU_REG_EPOCH));
	CHECK_EQ(header(2), 2);
	vpmu_vm_return_pmu(world.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(header(2), 3);
	world_count(&world, 0, 0, 10);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(header(3), 1);
	DONE(VPMU_REG_CLOSE, 1);
	CHECK_EQ(header(3), 0);
	tear_down();
}

/* The guest fills the page with anything: no register and no behaviour depends on it. */
static void the_area_is_never_read(void)
{
	set_up(NULL);
	DONE(VPMU_REG_AREA, AREA | 1);
	sample_slot(0, 10);
	for (unsigned int step = 1; step < 20; step++) {
		memset(world.ram + (AREA - RAM), (int)(step * 37), 0x1000);
		memset(world.known + (AREA - RAM), (int)(step * 37), 0x1000);
		world_count(&world, 0, 0, 1);
		DONE(VPMU_REG_SYNC, 1);
		CHECK_EQ(count(0), step);
		CHECK_EQ(record(0, 0), event_word(0, 0));
	}
	CHECK_EQ(world.calls[WORLD_GUEST_READ], 0);
	tear_down();
}

static void an_area_that_fails_is_turned_off(void)
{
	set_up(NULL);
	DONE(VPMU_REG_AREA, AREA | 1);
	open_slot(0, 0, 0);
	world_hide(&world, AREA, 0x1000);
	DONE(VPMU_REG_ENABLE, 1);
	CHECK_EQ(state(0), VPMU_STATE_ACTIVE);
	CHECK_EQ(reg(VPMU_REG_AREA), 0);
	CHECK_EQ(reg(VPMU_REG_AREA_STATE), VPMU_AREA_FAILED);
	CHECK_EQ(world.last_level, VPMU_LOG_WARNING);
	world_hide(&world, 0, 0);
	world_clean(&world);
	DONE(VPMU_REG_SYNC, 1);
	CHECK(!world_is_dirty(&world, RAM, WORLD_RAM_SIZE));
	CHECK_EQ(reg(VPMU_REG_AREA_STATE), VPMU_AREA_FAILED);
	DONE(VPMU_REG_AREA, AREA | 1);
	CHECK_EQ(reg(VPMU_REG_AREA_STATE), VPMU_AREA_ON);
	DONE(VPMU_REG_AREA, 0);
	CHECK_EQ(reg(VPMU_REG_AREA_STATE), VPMU_AREA_OFF);
	tear_down();
}

/* Each step of the writing of records and header fails in turn. */
static void each_failing_store_turns_the_area_off(void)
{
	static const enum world_op ops[] = { WORLD_GUEST_STORE, WORLD_GUEST_WRITE };

	for (unsigned int op = 0; op < 2; op++) {
		for (uint32_t skip = 0; skip < (op ? 2 : 5); skip++) {
			set_up(NULL);
			DONE(VPMU_REG_AREA, AREA | 1);
			describe_group(3);
			DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 10);
			DONE(VPMU_REG_OPEN, 3);
			DONE(VPMU_REG_ENABLE, 3);
			world_count(&world, 0, 0, 15);
			world_fail(&world, ops[op], skip, 1, VPMU_ERROR_MEMORY);
			DONE(VPMU_REG_SYNC, 1);
			CHECK_EQ(reg(VPMU_REG_AREA), 0);
			CHECK_EQ(reg(VPMU_REG_AREA_STATE), VPMU_AREA_FAILED);
			CHECK_EQ(count(0), 15);
			CHECK_EQ(reg(VPMU_REG_PENDING), 1);
			tear_down();
		}
	}
}

static void without_log(void)
{
	world.host.log = NULL;
}

static void a_vmm_need_not_listen(void)
{
	set_up(without_log);
	DONE(VPMU_REG_AREA, AREA | 1);
	open_slot(0, 0, 0);
	world_hide(&world, AREA, 0x1000);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(reg(VPMU_REG_AREA_STATE), VPMU_AREA_FAILED);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-AREA-1", "the_page_is_filled_at_once", the_page_is_filled_at_once },
	{ "R-AREA-1", "a_page_that_cannot_be_written_is_refused",
	  a_page_that_cannot_be_written_is_refused },
	{ "R-AREA-1", "page_and_bit_belong_together", page_and_bit_belong_together },
	{ "R-AREA-1", "zero_turns_the_area_off", zero_turns_the_area_off },
	{ "R-AREA-1", "a_new_page_ends_the_old_one", a_new_page_ends_the_old_one },
	{ "R-AREA-2", "records_stand_at_64_times_their_number",
	  records_stand_at_64_times_their_number },
	{ "R-AREA-3", "a_record_is_odd_while_it_is_written", a_record_is_odd_while_it_is_written },
	{ "R-AREA-4", "a_reader_by_the_book_takes_no_torn_record",
	  a_reader_by_the_book_takes_no_torn_record },
	{ "R-AREA-5", "the_header_follows_its_registers", the_header_follows_its_registers },
	{ "R-AREA-6", "the_area_is_never_read", the_area_is_never_read },
	{ "R-AREA-7", "an_area_that_fails_is_turned_off", an_area_that_fails_is_turned_off },
	{ "R-AREA-7", "each_failing_store_turns_the_area_off",
	  each_failing_store_turns_the_area_off },
	{ "R-AREA-7", "a_vmm_need_not_listen", a_vmm_need_not_listen },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
