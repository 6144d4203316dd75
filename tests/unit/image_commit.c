/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A VM moves from one scripted world to another: load, commit, resume, and every way back. */
#include <stdbool.h>
#include <string.h>

#include "phase_fixture.h"

/* Of the only vCPU, in the image. */
#define EPOCH_AT 176

static void a_commit_changes_the_epoch_and_nothing_else(void)
{
	static unsigned char again[CAPACITY];
	uint64_t length_again;

	begin(NULL);
	DONE(VPMU_REG_AREA, RAM | VPMU_REG_AREA_ON_MASK);
	DONE(VPMU_REG_PMI, VPMU_PMI_VECTOR | 40u << VPMU_REG_PMI_VECTOR_SHIFT);
	sample_slot(0, 100);
	open_group(BIT(2) | BIT(5));
	DONE(VPMU_REG_ENABLE, BIT(2));
	world_attr(vcpu, 7, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	DONE(VPMU_REG_CHECK, BIT(7));
	world_time(&world, 0, 1000, 700);
	world_count(&world, 0, 0, 230);
	world_count(&world, 0, 5, 9);
	world_flags(&world, 0, VPMU_EVENT_THROTTLED);
	move(41);
	check_same_registers();
	CHECK_EQ(world_get(arrived, VPMU_REG_EPOCH), reg(VPMU_REG_EPOCH) + 42);
	CHECK_EQ(world_get(arrived, VPMU_REG_EPOCH_REASON), VPMU_EPOCH_RESTORED);
	CHECK_EQ(memory_writes(&there), 0);
	CHECK_EQ(there.calls[WORLD_OPEN], 0);
	CHECK_EQ(vpmu_vm_save(there.vm, &options, again, CAPACITY, &length_again), 0);
	CHECK_EQ(length_again, length);
	/* The checksum, the epoch and its reason. */
	for (uint64_t at = 0; at < length; at++) {
		bool changed = (at >= 20 && at < 24) || (at >= EPOCH_AT && at < EPOCH_AT + 16);

		CHECK(changed || image[at] == again[at]);
	}
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	end();
}

static void counts_and_times_go_on(void)
{
	begin(NULL);
	sample_slot(0, 100);
	world_time(&world, 0, 1000, 900);
	world_count(&world, 0, 0, 30);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(there.calls[WORLD_OPEN], 0);
	CHECK_EQ(vpmu_vcpu_deadline(arrived), 0);
	there.now += 1000000000;
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there.calls[WORLD_OPEN], 1);
	CHECK_EQ(there_reason(0), VPMU_REASON_NONE);
	world_time(&there, 0, 500, 500);
	world_count(&there, 0, 0, 75);
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 105);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_PERIOD_LEFT), 95);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_TIME_ENABLED), 1500);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_TIME_RUNNING), 1400);
	CHECK_EQ(world_get(arrived, VPMU_REG_PENDING), 1);
	CHECK_EQ(there_flags(0) & VPMU_EVENT_INCOMPLETE, 0);
	CHECK_EQ(world_get(arrived, VPMU_REG_EPOCH), 2);
	end();
}

/* A line in each of its states at the moment of the stop; the interrupt comes once, on one side. */
static void the_line_moves(uint64_t line)
{
	begin(NULL);
	DONE(VPMU_REG_AREA, RAM | VPMU_REG_AREA_ON_MASK);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 100);
	if (line != VPMU_LINE_IDLE)
		world_count(&world, 0, 0, 150);
	if (line == VPMU_LINE_RAISED)
		vpmu_vcpu_enter(vcpu);
	move(0);
	CHECK_EQ(world_get(arrived, VPMU_REG_PMI_LINE), line);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(there.pmis, 0);
	CHECK_EQ(world_peek(&there, RAM + 16), world_get(arrived, VPMU_REG_EPOCH));
	CHECK_EQ(world_peek(&there, RAM + 32), world_get(arrived, VPMU_REG_PMI_SEQUENCE));
	CHECK_EQ(world_peek(&there, RAM + 64), there_word(0, VPMU_EVENT_WORD_STATUS));
	vpmu_vcpu_enter(arrived);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(world.pmis + there.pmis, line == VPMU_LINE_IDLE ? 0 : 1);
	CHECK_EQ(there.pmis, line == VPMU_LINE_TO_INJECT ? 1 : 0);
	if (line != VPMU_LINE_IDLE) {
		CHECK_EQ(world_set(arrived, VPMU_REG_ACK, 1), VPMU_ACCESS_DONE);
		CHECK_EQ(world_get(arrived, VPMU_REG_PMI_LINE), VPMU_LINE_IDLE);
	}
	end();
}

static void an_interrupt_comes_once(void)
{
	the_line_moves(VPMU_LINE_IDLE);
	the_line_moves(VPMU_LINE_TO_INJECT);
	the_line_moves(VPMU_LINE_RAISED);
}

static void clones_differ(void)
{
	uint64_t epochs[2];

	begin(NULL);
	for (uint32_t clone = 0; clone < 2; clone++) {
		if (!clone)
			stop_and_save();
		CHECK_EQ(load(), 0);
		CHECK_EQ(vpmu_vcpu_commit(arrived, clone + 1), 0);
		epochs[clone] = world_get(arrived, VPMU_REG_EPOCH);
		CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
		CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	}
	CHECK(epochs[0] != epochs[1]);
	CHECK(epochs[0] != reg(VPMU_REG_EPOCH));
	CHECK(epochs[1] != reg(VPMU_REG_EPOCH));
	end();
}

/* A slot shows the low half of the epoch, and that a commit changed it. */
static void each_commit_shows_in_the_low_half(void)
{
	static const uint32_t generations[] = { 0, 1, UINT32_MAX - 1, UINT32_MAX };
	uint64_t epochs[TEST_COUNT(generations)];

	for (unsigned int i = 0; i < TEST_COUNT(generations); i++) {
		begin(NULL);
		open_slot(0, 0, 0);
		move(generations[i]);
		CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
		vpmu_vcpu_enter(arrived);
		epochs[i] = world_get(arrived, VPMU_REG_EPOCH);
		CHECK(epochs[i] > reg(VPMU_REG_EPOCH));
		CHECK((uint32_t)epochs[i] != (uint32_t)reg(VPMU_REG_EPOCH));
		CHECK_EQ(there_word(0, VPMU_EVENT_WORD_CONTINUITY) >> 32, (uint32_t)epochs[i]);
		CHECK(!i || epochs[i] > epochs[i - 1]);
		end();
	}
}

/* What an image claims of its past does not keep the VM from moving on. */
static void an_epoch_stays_one_that_an_image_can_have(void)
{
	static const struct {
		uint64_t claimed;
		uint32_t generation;
		uint64_t after;
	} rows[] = {
		{ VPMU_IMAGE_MAX_EPOCH - 1, 0, VPMU_IMAGE_MAX_EPOCH },
		{ VPMU_IMAGE_MAX_EPOCH, 0, 1 },
		{ VPMU_IMAGE_MAX_EPOCH, UINT32_MAX, (1ull << 32) + 1 },
		{ VPMU_IMAGE_MAX_EPOCH - 5, 41, 37 },
	};

	for (unsigned int i = 0; i < TEST_COUNT(rows); i++) {
		begin(NULL);
		open_slot(0, 0, 0);
		stop_and_save();
		put_word(EPOCH_AT, rows[i].claimed);
		CHECK_EQ(load(), 0);
		CHECK_EQ(vpmu_vcpu_commit(arrived, rows[i].generation), 0);
		CHECK_EQ(world_get(arrived, VPMU_REG_EPOCH), rows[i].after);
		CHECK_EQ(vpmu_vm_save(there.vm, &options, image, CAPACITY, &length), 0);
		CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
		CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
		vpmu_vcpu_unbind(arrived);
		CHECK_EQ(vpmu_vcpu_bind(arrived, 0), 0);
		CHECK_EQ(world_get(arrived, VPMU_REG_EPOCH),
			 rows[i].after == VPMU_IMAGE_MAX_EPOCH ? 1 : rows[i].after + 1);
		end();
	}
}

static void an_area_that_is_gone_is_told(void)
{
	begin(NULL);
	DONE(VPMU_REG_AREA, RAM | VPMU_REG_AREA_ON_MASK);
	move(0);
	world_hide(&there, RAM, 4096);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(world_get(arrived, VPMU_REG_AREA_STATE), VPMU_AREA_FAILED);
	end();
}

static void a_vcpu_without_a_thread_takes_its_state(void)
{
	begin(NULL);
	sample_slot(0, 100);
	world_count(&world, 0, 0, 30);
	vpmu_vcpu_unbind(arrived);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(there_reason(0), VPMU_REASON_UNBOUND);
	CHECK_EQ(there_state(0), VPMU_STATE_INACTIVE);
	CHECK_EQ(vpmu_vcpu_bind(arrived, 0), 0);
	world_count(&there, 0, 0, 5);
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 35);
	end();
}

static void a_released_pmu_stays_released(void)
{
	begin(NULL);
	sample_slot(0, 100);
	vpmu_vm_release_pmu(there.vm);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there_reason(0), VPMU_REASON_HOST_TOOK_PMU);
	CHECK_EQ(there.calls[WORLD_OPEN], 0);
	vpmu_vm_return_pmu(there.vm);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there_reason(0), VPMU_REASON_NONE);
	end();
}

static void every_refusal_leaves_the_vm_as_it_was(void)
{
	static uint64_t before[VPMU_REGISTERS], after[VPMU_REGISTERS];

	begin(NULL);
	sample_slot(0, 100);
	stop_and_save();
	world_dump(arrived, before);
	image[200] ^= 1;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_CHECKSUM);
	image[200] ^= 1;
	world_fail(&there, WORLD_ALLOCATE, 0, 1, VPMU_ERROR_NO_MEMORY);
	CHECK_EQ(load(), VPMU_ERROR_NO_MEMORY);
	CHECK_EQ(vpmu_vm_load(there.vm, image, VPMU_IMAGE_MAX_BYTES + 1ull, &options, &fault),
		 VPMU_ERROR_IMAGE);
	CHECK_EQ(vpmu_vm_load(there.vm, image, length, NULL, &fault), VPMU_ERROR_INVALID);
	fault.size = 8;
	CHECK_EQ(vpmu_vm_load(there.vm, image, length, &options, &fault), VPMU_ERROR_INVALID);
	fault.size = sizeof(fault);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vcpu_abort(arrived), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vm_load(there.vm, image, length, &options, NULL), 0);
	CHECK_EQ(load(), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), VPMU_ERROR_STATE);
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(vpmu_vm_abort(there.vm), VPMU_ERROR_STATE);
	CHECK_EQ(load(), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
	CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	world_dump(arrived, after);
	CHECK(!memcmp(before, after, sizeof(before)));
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 0), VPMU_ACCESS_DONE);
	/* A VM whose guest has something open is not given another's state. */
	world_attr(arrived, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(load(), VPMU_ERROR_STATE);
	end();
}

static void a_vm_that_went_on_keeps_what_it_was_given(void)
{
	begin(NULL);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(vpmu_vcpu_abort(arrived), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	CHECK_EQ(world_get(arrived, VPMU_REG_EPOCH), 2);
	end();
}

const struct test_case test_cases[] = {
	{ "R-MIG-8", "a_commit_changes_the_epoch_and_nothing_else",
	  a_commit_changes_the_epoch_and_nothing_else },
	{ "R-MIG-10", "counts_and_times_go_on", counts_and_times_go_on },
	{ "R-MIG-10", "an_interrupt_comes_once", an_interrupt_comes_once },
	{ "R-EPO-5", "clones_differ", clones_differ },
	{ "R-EPO-1", "each_commit_shows_in_the_low_half", each_commit_shows_in_the_low_half },
	{ "R-MIG-9", "an_epoch_stays_one_that_an_image_can_have",
	  an_epoch_stays_one_that_an_image_can_have },
	{ "phases", "an_area_that_is_gone_is_told", an_area_that_is_gone_is_told },
	{ "phases", "a_vcpu_without_a_thread_takes_its_state",
	  a_vcpu_without_a_thread_takes_its_state },
	{ "phases", "a_released_pmu_stays_released", a_released_pmu_stays_released },
	{ "R-MIG-14", "every_refusal_leaves_the_vm_as_it_was",
	  every_refusal_leaves_the_vm_as_it_was },
	{ "phases", "a_vm_that_went_on_keeps_what_it_was_given",
	  a_vm_that_went_on_keeps_what_it_was_given },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
