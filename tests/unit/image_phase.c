/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM moves from one scripted world to another: stop, save, load, commit, resume, and every way
 * back. */

#include <stdbool.h>
#include <string.h>

#include "phase_fixture.h"

static uint32_t memory_writes(const struct world *one)
{
	return one->calls[WORLD_GUEST_WRITE] + one->calls[WORLD_GUEST_STORE];
}

/* ---- stop and resume in place ---------------------------------------------------------------- */

static void a_stop_reads_pauses_and_keeps_still(void)
{
	uint32_t writes;

	begin(NULL);
	DONE(VPMU_REG_AREA, RAM | VPMU_REG_AREA_ON_MASK);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 100);
	world_count(&world, 0, 0, 30);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 1);
	CHECK_EQ(world_group(&world, 0, 0)->on, 0);
	CHECK_EQ(count(0), 30);
	writes = memory_writes(&world);
	CHECK_EQ(world_set(vcpu, VPMU_REG_SYNC, 1), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vcpu_batch(vcpu, RAM + 0x2000, 3), VPMU_ERROR_STATE);
	world_notice(&world, 0, 1);
	vpmu_vcpu_notify(vcpu);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	CHECK_EQ(memory_writes(&world), writes);
	CHECK_EQ(world.pmis, 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), VPMU_ERROR_STATE);
	end();
}

static void an_aborted_move_goes_on_with_nothing_lost(void)
{
	uint64_t epoch, opens;

	begin(NULL);
	sample_slot(0, 100);
	open_group(BIT(2) | BIT(3));
	epoch = reg(VPMU_REG_EPOCH);
	world_count(&world, 0, 0, 30);
	opens = world.calls[WORLD_OPEN];
	stop_and_save();
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	world_count(&world, 0, 0, 60);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(count(0), 90);
	CHECK_EQ(left(0), 10);
	CHECK_EQ(reg(VPMU_REG_EPOCH), epoch);
	CHECK_EQ(world.calls[WORLD_OPEN], opens);
	CHECK_EQ(world.dropped, 0);
	CHECK_EQ(flags(0) & VPMU_EVENT_INCOMPLETE, 0);
	end();
}

static void a_stopped_vcpu_may_change_its_thread(void)
{
	uint64_t epoch;

	begin(NULL);
	sample_slot(0, 100);
	epoch = reg(VPMU_REG_EPOCH);
	world_count(&world, 0, 0, 30);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 5), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), 0);
	vpmu_vcpu_enter(vcpu);
	world_count(&world, 5, 0, 12);
	DONE(VPMU_REG_SYNC, 1);
	CHECK_EQ(count(0), 42);
	CHECK_EQ(reg(VPMU_REG_EPOCH), epoch);
	CHECK_EQ(flags(0) & VPMU_EVENT_INCOMPLETE, 0);
	end();
}

static void a_pause_that_fails_is_told(void)
{
	begin(NULL);
	sample_slot(0, 100);
	world_fail(&world, WORLD_RUN, 0, 1, VPMU_ERROR_STARVED);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(state(0), VPMU_STATE_ERROR);
	CHECK_EQ(flags(0) & VPMU_EVENT_INCOMPLETE, VPMU_EVENT_INCOMPLETE);
	save();
	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK(vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE);
	end();
}

/* ---- save ------------------------------------------------------------------------------------ */

static void saving_changes_nothing(void)
{
	static unsigned char again[CAPACITY];
	uint64_t needed = 0, second;
	uint32_t blocks;

	begin(NULL);
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_STATE);
	sample_slot(3, 100);
	stop_and_save();
	blocks = world.calls[WORLD_ALLOCATE];
	CHECK_EQ(vpmu_vm_save(world.vm, &options, NULL, 0, &needed), VPMU_ERROR_LIMIT);
	CHECK_EQ(needed, length);
	CHECK_EQ(vpmu_vm_save(world.vm, &options, again, length - 1, &needed), VPMU_ERROR_LIMIT);
	CHECK_EQ(vpmu_vm_save(world.vm, &options, again, length, &second), 0);
	CHECK_EQ(second, length);
	CHECK(!memcmp(image, again, (size_t)length));
	CHECK_EQ(world.calls[WORLD_ALLOCATE], blocks);
	CHECK(length <= vpmu_image_bound(&world.profile, 1, 0));
	end();
}

static void options_that_are_none_are_refused(void)
{
	struct vpmu_image_platform wrong = platform;
	struct vpmu_image_bank bank = { .size = sizeof(bank), .bank = VPMU_IMAGE_BANK_X86_PMU };

	begin(NULL);
	stop_and_save();
#define REFUSES(expected)                                                                         \
	do {                                                                                      \
		CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), (expected)); \
		reset_options();                                                                  \
	} while (0)
	CHECK_EQ(vpmu_vm_save(world.vm, NULL, image, CAPACITY, &length), VPMU_ERROR_INVALID);
	options.size = 8;
	REFUSES(VPMU_ERROR_INVALID);
	options.platform = NULL;
	REFUSES(VPMU_ERROR_INVALID);
	options.missing = VPMU_IMAGE_STUB + 1;
	REFUSES(VPMU_ERROR_INVALID);
	options.accept_loss = 2;
	REFUSES(VPMU_ERROR_INVALID);
	options.keep_unknown = 2;
	REFUSES(VPMU_ERROR_INVALID);
	options.lent = 2;
	REFUSES(VPMU_ERROR_INVALID);
	options.reserved = 1;
	REFUSES(VPMU_ERROR_INVALID);
	options.level = VPMU_LEVEL + 1;
	REFUSES(VPMU_ERROR_INVALID);
	options.bank = &bank;
	REFUSES(VPMU_ERROR_INVALID);
	options.platform = &wrong;
	wrong.size = 0;
	REFUSES(VPMU_ERROR_INVALID);
	wrong = platform;
	options.platform = &wrong;
	wrong.architecture = 0;
	REFUSES(VPMU_ERROR_INVALID);
	wrong.architecture = VPMU_ARCHITECTURE_OTHER + 1;
	options.platform = &wrong;
	REFUSES(VPMU_ERROR_INVALID);
	wrong = platform;
	wrong.transport = 0;
	options.platform = &wrong;
	REFUSES(VPMU_ERROR_INVALID);
	wrong.transport = VPMU_TRANSPORT_MAILBOX + 1;
	options.platform = &wrong;
	REFUSES(VPMU_ERROR_INVALID);
	wrong.transport = VPMU_TRANSPORT_CALL;
	options.platform = &wrong;
	REFUSES(VPMU_ERROR_INVALID);
	wrong.base = 0;
	wrong.reserved = 1;
	options.platform = &wrong;
	REFUSES(VPMU_ERROR_INVALID);
#undef REFUSES
	end();
}

static void draft_level(void)
{
	world.profile.level = VPMU_LEVEL_DRAFT;
}

static void an_older_level_is_written_when_nothing_is_lost(void)
{
	begin(draft_level);
	sample_slot(0, 100);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	options.level = VPMU_LEVEL;
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), 0);
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	world_count(&world, 0, 0, 130);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_STATE);
	options.accept_loss = 1;
	save();
	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	options.level = 0;
	save();
	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	end();
}

static void a_reset_that_was_asked_for_is_in_the_image(void)
{
	struct vpmu_vcpu *other;
	struct vpmu_image_fault none = { .size = sizeof(none) };

	begin(NULL);
	other = world_vcpu(&world, 1, 1);
	sample_slot(0, 100);
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	CHECK_EQ(world_set(other, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
	CHECK_EQ(vpmu_vcpu_stop(other), 0);
	save();
	CHECK_EQ(vpmu_image_check(image, length, NULL, &none), 0);
	CHECK_EQ(vpmu_vcpu_resume(vcpu), 0);
	CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	vpmu_vcpu_unbind(other);
	CHECK_EQ(vpmu_vcpu_remove(other), 0);
	/* The same again, with the vCPU that had nothing open: the image of both is that of two
	 * vCPUs at reset. */
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_VCPUS);
	end();
}

/* ---- load and commit ------------------------------------------------------------------------- */

static void a_commit_changes_the_epoch_and_nothing_else(void)
{
	static unsigned char again[CAPACITY];
	uint64_t second;

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
	CHECK_EQ(vpmu_vm_save(there.vm, &options, again, CAPACITY, &second), 0);
	CHECK_EQ(second, length);
	/* The checksum, the epoch and its reason. */
	for (uint64_t at = 0; at < length; at++) {
		bool changed = (at >= 20 && at < 24) || (at >= 176 && at < 192);

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
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_STATUS) >> 48 & VPMU_EVENT_INCOMPLETE, 0);
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

/* ---- the destination's own limits ------------------------------------------------------------ */

static void smaller_profile(void)
{
	world.profile.slots = 4;
	world.profile.counting = 2;
	world.profile.batch_words = 100;
	world.profile.slot_operations = 100;
	world.profile.period_floor = 50;
	world.profile.hardware_events = BIT(VPMU_HARDWARE_CYCLES);
	world.profile.cache_events = 0;
	world.profile.features = VPMU_FEATURE_PMI_NMI;
}

static void a_guest_keeps_the_limits_that_it_knows(void)
{
	begin(smaller_profile);
	there.profile.period_floor = 1;
	open_slot(3, 0, 0);
	CHECK(world_get(arrived, VPMU_REG_LIMITS) != reg(VPMU_REG_LIMITS));
	move(0);
	check_same_registers();
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	CHECK_EQ(world_get(arrived, VPMU_STRIDE * 5), UINT64_MAX);
	CHECK_EQ(world_set(arrived, WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 49),
		 VPMU_ACCESS_REFUSED);
	world_attr(arrived, 0, VPMU_HARDWARE_INSTRUCTIONS, 0, 0, 0);
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_reason(0), VPMU_REASON_DENIED);
	end();
}

static void an_abort_gives_the_vm_its_own_limits_back(void)
{
	uint64_t limits;

	begin(smaller_profile);
	limits = world_get(arrived, VPMU_REG_LIMITS);
	move(0);
	CHECK(world_get(arrived, VPMU_REG_LIMITS) != limits);
	CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
	CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	CHECK_EQ(world_get(arrived, VPMU_REG_LIMITS), limits);
	CHECK_EQ(world_set(arrived, WORLD_ATTR(15, VPMU_ATTR_WORD_COOKIE), 5), VPMU_ACCESS_DONE);
	end();
}

static void a_larger_claim_is_refused(void)
{
	reset_options();
	set_up(NULL);
	world_init(&there);
	there.profile.slots = 15;
	CHECK_EQ(world_vm(&there), 0);
	arrived = world_vcpu(&there, 0, 0);
	stop_and_save();
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_PROFILE);
	CHECK_STR(fault.word, "limits");
	end();
}

static void other_vcpus_are_refused(void)
{
	struct vpmu_vcpu *more;

	begin(NULL);
	stop_and_save();
	more = world_vcpu(&there, 9, 1);
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_VCPUS);
	CHECK_STR(fault.word, "counts");
	vpmu_vcpu_unbind(more);
	CHECK_EQ(vpmu_vcpu_remove(more), 0);
	more = world_vcpu(&world, 9, 1);
	CHECK_EQ(vpmu_vcpu_stop(more), 0);
	save();
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.vcpu, 9);
	vpmu_vcpu_unbind(more);
	CHECK_EQ(vpmu_vcpu_remove(more), 0);
	save();
	more = world_vcpu(&there, 9, 1);
	vpmu_vcpu_unbind(arrived);
	CHECK_EQ(vpmu_vcpu_remove(arrived), 0);
	arrived = more;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.vcpu, 0);
	end();
}

static void what_cannot_be_counted_is_told(uint32_t missing)
{
	struct vpmu_source_facts facts;

	begin(NULL);
	open_group(BIT(0) | BIT(1));
	DONE(VPMU_REG_ENABLE, BIT(0));
	open_slot(4, 0, 0);
	world_count(&world, 0, 0, 30);
	facts = there.facts;
	facts.hardware_events &= ~BIT(VPMU_HARDWARE_CYCLES);
	options.facts = &facts;
	there.threads[0].refuses = VPMU_ERROR_UNSUPPORTED;
	options.missing = missing;
	stop_and_save();
	if (missing == VPMU_IMAGE_STRICT) {
		CHECK_EQ(load(), VPMU_ERROR_IMAGE);
		CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_EVENT);
		options.facts = NULL;
	}
	CHECK_EQ(load(), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	for (unsigned int slot = 0; slot < 5; slot += 4) {
		CHECK_EQ(there_reason(slot), VPMU_REASON_NOT_PORTABLE);
		if (missing != VPMU_IMAGE_STUB)
			CHECK_EQ(there_state(slot), VPMU_STATE_ERROR);
		else
			CHECK_EQ(there_state(slot),
				 slot ? VPMU_STATE_STOPPED : VPMU_STATE_INACTIVE);
	}
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_COUNT), 30);
	CHECK_EQ(there_word(1, VPMU_EVENT_WORD_STATUS) >> 48 & VPMU_EVENT_INCOMPLETE,
		 VPMU_EVENT_INCOMPLETE);
	CHECK_EQ(there_word(4, VPMU_EVENT_WORD_STATUS) >> 48 & VPMU_EVENT_INCOMPLETE, 0);
	CHECK_EQ(world_set(arrived, VPMU_REG_ENABLE, BIT(4)), VPMU_ACCESS_DONE);
	CHECK_EQ(there_state(4),
		 missing == VPMU_IMAGE_STUB ? VPMU_STATE_INACTIVE : VPMU_STATE_ERROR);
	/* On to a third host, which can: the image says all that there is to know. */
	CHECK_EQ(vpmu_vcpu_stop(arrived), 0);
	CHECK_EQ(vpmu_vm_save(there.vm, &options, image, CAPACITY, &length), 0);
	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	vpmu_vcpu_resume(arrived);
	CHECK_EQ(world_set(arrived, VPMU_REG_CLOSE, BIT(0) | BIT(4)), VPMU_ACCESS_DONE);
	there.threads[0].refuses = 0;
	world_attr(arrived, 0, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(there_reason(0), VPMU_REASON_NONE);
	end();
}

static void what_cannot_be_counted_is_refused(void)
{
	what_cannot_be_counted_is_told(VPMU_IMAGE_STRICT);
}

static void what_cannot_be_counted_degrades(void)
{
	what_cannot_be_counted_is_told(VPMU_IMAGE_DEGRADE);
}

static void what_cannot_be_counted_is_stubbed(void)
{
	what_cannot_be_counted_is_told(VPMU_IMAGE_STUB);
}

static void budgets_hold_after_a_restore(void)
{
	reset_options();
	set_up(NULL);
	world_init(&there);
	there.profile.host_events = 1;
	CHECK_EQ(world_vm(&there), 0);
	arrived = world_vcpu(&there, 0, 0);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 3);
	move(0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there_reason(0), VPMU_REASON_NONE);
	CHECK_EQ(there_reason(1), VPMU_REASON_HOST_LIMIT);
	CHECK_EQ(there_word(1, VPMU_EVENT_WORD_STATUS) >> 48 & VPMU_EVENT_INCOMPLETE,
		 VPMU_EVENT_INCOMPLETE);
	end();
}

/* ---- prepare --------------------------------------------------------------------------------- */

static void what_was_prepared_is_taken_over(void)
{
	uint32_t opens;

	begin(NULL);
	CHECK_EQ(prepare(), 0);
	sample_slot(0, 100);
	open_group(BIT(2) | BIT(5));
	CHECK_EQ(prepare(), 3);
	CHECK_EQ(prepare(), 3);
	CHECK_EQ(there.calls[WORLD_OPEN], 2);
	/* The guest goes on meanwhile: another period and cookie fit, another event does not. */
	DONE(VPMU_REG_CLOSE, BIT(2));
	open_slot(2, 0, VPMU_ATTR_EXCLUDE_USER);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_SAMPLE_PERIOD), 200);
	DONE(WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 7);
	CHECK_EQ(prepare(), 2);
	CHECK_EQ(there.calls[WORLD_OPEN], 3);
	DONE(VPMU_REG_ENABLE, BIT(2));
	world_count(&world, 0, 0, 30);
	opens = there.calls[WORLD_OPEN];
	move(0);
	check_same_registers();
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(there.calls[WORLD_OPEN], opens);
	CHECK_EQ(there.live_events, 2);
	CHECK_EQ(world_group(&there, 0, 0)->events[0].left, 170);
	world_count(&there, 0, 0, 170);
	vpmu_vcpu_enter(arrived);
	CHECK_EQ(world_get(arrived, VPMU_REG_PENDING), 1);
	CHECK_EQ(there_word(0, VPMU_EVENT_WORD_LOST), 0);
	end();
}

static void a_stale_prepare_costs_nothing_but_time(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	CHECK_EQ(prepare(), 1);
	DONE(VPMU_REG_CLOSE, 1);
	open_slot(1, 0, 0);
	DONE(VPMU_REG_ENABLE, 2);
	move(0);
	CHECK_EQ(there.live_groups, 0);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	vpmu_vcpu_enter(arrived);
	world_count(&there, 0, 1, 4);
	CHECK_EQ(world_set(arrived, VPMU_REG_SYNC, 2), VPMU_ACCESS_DONE);
	CHECK_EQ(there_word(1, VPMU_EVENT_WORD_COUNT), 4);
	end();
}

static void a_prepare_leaves_no_trace_when_aborted(void)
{
	static uint64_t before[VPMU_REGISTERS], after[VPMU_REGISTERS];

	begin(NULL);
	world_dump(arrived, before);
	sample_slot(0, 100);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
	CHECK_EQ(there.live_groups, 0);
	world_dump(arrived, after);
	CHECK(!memcmp(before, after, sizeof(before)));
	CHECK_EQ(vpmu_vcpu_abort(arrived), VPMU_ERROR_STATE);
	end();
}

static void a_prepare_has_its_conditions(void)
{
	struct vpmu_vcpu *other;

	begin(NULL);
	open_slot(0, 0, 0);
	CHECK_EQ(vpmu_vcpu_configuration(vcpu, NULL, image, CAPACITY, &length), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_vcpu_configuration(vcpu, &options, NULL, 0, &length), VPMU_ERROR_LIMIT);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(vpmu_vcpu_prepare(arrived, image, length, NULL, &fault), VPMU_ERROR_INVALID);
	fault.size = 0;
	CHECK_EQ(prepare(), VPMU_ERROR_INVALID);
	fault.size = sizeof(fault);
	/* A configuration is no state. */
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_HEADER);
	CHECK_EQ(vpmu_vm_load(there.vm, image, length, &options, NULL), VPMU_ERROR_IMAGE);
	image[70] ^= 1;
	CHECK_EQ(vpmu_vcpu_prepare(arrived, image, length, &options, &fault), VPMU_ERROR_IMAGE);
	options.platform = &(struct vpmu_image_platform){ .size = sizeof(platform),
							  .architecture = VPMU_ARCHITECTURE_ARM,
							  .transport = VPMU_TRANSPORT_MMIO };
	image[70] ^= 1;
	CHECK_EQ(vpmu_vcpu_prepare(arrived, image, length, &options, &fault), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_PLATFORM);
	reset_options();
	other = world_vcpu(&there, 5, 1);
	CHECK_EQ(vpmu_vcpu_prepare(other, image, length, &options, &fault), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_VCPUS);
	vpmu_vcpu_unbind(other);
	CHECK_EQ(vpmu_vcpu_prepare(other, image, length, &options, &fault), VPMU_ERROR_STATE);
	CHECK_EQ(vpmu_vcpu_remove(other), 0);
	CHECK_EQ(there.live_groups, 1);
	CHECK_EQ(world_set(arrived, VPMU_REG_OPEN, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(prepare(), VPMU_ERROR_STATE);
	CHECK_EQ(world_set(arrived, VPMU_REG_CLOSE, 1), VPMU_ACCESS_DONE);
	CHECK_EQ(vpmu_vcpu_stop(arrived), 0);
	CHECK_EQ(prepare(), VPMU_ERROR_STATE);
	end();
}

static void what_the_host_refuses_is_not_ready(void)
{
	begin(NULL);
	open_slot(0, 0, 0);
	open_slot(1, 0, 0);
	world_fail(&there, WORLD_OPEN, 0, 1, VPMU_ERROR_LIMIT);
	CHECK_EQ(prepare(), 1);
	CHECK_EQ(prepare(), 2);
	end();
}

/* ---- another bank ---------------------------------------------------------------------------- */

static struct {
	int save;
	int check;
	int load;
	uint64_t pairs[2 * VPMU_IMAGE_MAX_BANK_PAIRS];
	uint32_t loads;
	uint32_t culprit;
} bank_answers;

static int bank_save(void *opaque, uint32_t id, uint64_t *pairs)
{
	(void)opaque;
	(void)id;
	pairs[0] = 0x38f;
	pairs[1] = 3;
	pairs[2] = 0xc1;
	pairs[3] = UINT64_MAX;
	return bank_answers.save;
}

static int bank_check(void *opaque, uint32_t id, const uint64_t *pairs, uint32_t pair_count,
		      uint32_t *culprit)
{
	(void)opaque;
	(void)id;
	(void)pairs;
	CHECK_EQ(pair_count, 2);
	*culprit = bank_answers.culprit;
	return bank_answers.check;
}

static int bank_load(void *opaque, uint32_t id, const uint64_t *pairs, uint32_t pair_count)
{
	(void)opaque;
	(void)id;
	memcpy(bank_answers.pairs, pairs, 2 * pair_count * sizeof(*pairs));
	bank_answers.loads++;
	return bank_answers.load;
}

static void an_in_kernel_pmu_has_one_owner(void)
{
	static struct vpmu_image_bank bank = {
		.size = sizeof(bank),
		.save = bank_save,
		.check = bank_check,
		.load = bank_load,
		.bank = VPMU_IMAGE_BANK_X86_PMU,
	};

	begin(NULL);
	memset(&bank_answers, 0, sizeof(bank_answers));
	options.bank = &bank;
	CHECK_EQ(vpmu_vcpu_stop(vcpu), 0);
	save();
	bank_answers.save = VPMU_ERROR_SYSTEM;
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_SYSTEM);
	bank_answers.save = VPMU_IMAGE_MAX_BANK_PAIRS + 1;
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_INVALID);
	bank_answers.save = 2;
	save();
	options.bank = NULL;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_BANK);
	bank.bank = VPMU_IMAGE_BANK_LOONGARCH_PMU;
	options.bank = &bank;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	bank.bank = VPMU_IMAGE_BANK_X86_PMU;
	bank_answers.check = VPMU_ERROR_UNSUPPORTED;
	bank_answers.culprit = 1;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_STR(fault.word, "index");
	bank_answers.culprit = 2;
	CHECK_EQ(load(), VPMU_ERROR_IMAGE);
	CHECK_STR(fault.word, "head");
	bank_answers.check = 0;
	CHECK_EQ(load(), 0);
	bank_answers.load = VPMU_ERROR_SYSTEM;
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), VPMU_ERROR_SYSTEM);
	bank_answers.load = 0;
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(bank_answers.pairs[2], 0xc1);
	CHECK_EQ(bank_answers.pairs[3], UINT64_MAX);
	CHECK_EQ(bank_answers.loads, 2);
	CHECK_EQ(vpmu_vcpu_resume(arrived), 0);
	bank.bank = 9;
	options.bank = &bank;
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), VPMU_ERROR_INVALID);
	bank.bank = VPMU_IMAGE_BANK_LOONGARCH_PMU;
	CHECK_EQ(vpmu_vm_save(world.vm, &options, image, CAPACITY, &length), 0);
	bank.bank = VPMU_IMAGE_BANK_X86_PMU;
	end();
}

/* ---- many vCPUs ------------------------------------------------------------------------------ */

static void vcpus_stand_in_the_order_of_their_ids(void)
{
	static const uint32_t ids[] = { 700, 3, 256, UINT32_MAX - 1, 4, 255, 1 };
	struct vpmu_vcpu *others[TEST_COUNT(ids)];
	struct vpmu_image_info info = { .size = sizeof(info) };

	begin(NULL);
	for (unsigned int i = 0; i < TEST_COUNT(ids); i++) {
		CHECK_EQ(vpmu_vcpu_add(world.vm, ids[i], &others[i]), 0);
		CHECK_EQ(vpmu_vcpu_stop(others[i]), 0);
	}
	stop_and_save();
	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	CHECK_EQ(vpmu_image_info(image, length, &info, NULL), 0);
	CHECK_EQ(info.vcpus, TEST_COUNT(ids) + 1);
	for (unsigned int i = 0; i < TEST_COUNT(ids); i++) {
		CHECK_EQ(vpmu_vcpu_remove(others[i]), 0);
		save();
		CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	}
	end();
}

const struct test_case test_cases[] = {
	{ "R-MIG-6", "a_stop_reads_pauses_and_keeps_still", a_stop_reads_pauses_and_keeps_still },
	{ "R-MIG-6", "an_aborted_move_goes_on_with_nothing_lost",
	  an_aborted_move_goes_on_with_nothing_lost },
	{ "R-MIG-6", "a_stopped_vcpu_may_change_its_thread", a_stopped_vcpu_may_change_its_thread },
	{ "phases", "a_pause_that_fails_is_told", a_pause_that_fails_is_told },
	{ "R-MIG-7", "saving_changes_nothing", saving_changes_nothing },
	{ "phases", "options_that_are_none_are_refused", options_that_are_none_are_refused },
	{ "R-IMG-27", "an_older_level_is_written_when_nothing_is_lost",
	  an_older_level_is_written_when_nothing_is_lost },
	{ "phases", "a_reset_that_was_asked_for_is_in_the_image",
	  a_reset_that_was_asked_for_is_in_the_image },
	{ "R-MIG-8", "a_commit_changes_the_epoch_and_nothing_else",
	  a_commit_changes_the_epoch_and_nothing_else },
	{ "R-MIG-10", "counts_and_times_go_on", counts_and_times_go_on },
	{ "R-MIG-10", "an_interrupt_comes_once", an_interrupt_comes_once },
	{ "R-EPO-5", "clones_differ", clones_differ },
	{ "phases", "an_area_that_is_gone_is_told", an_area_that_is_gone_is_told },
	{ "phases", "a_vcpu_without_a_thread_takes_its_state",
	  a_vcpu_without_a_thread_takes_its_state },
	{ "phases", "a_released_pmu_stays_released", a_released_pmu_stays_released },
	{ "R-MIG-14", "every_refusal_leaves_the_vm_as_it_was",
	  every_refusal_leaves_the_vm_as_it_was },
	{ "phases", "a_vm_that_went_on_keeps_what_it_was_given",
	  a_vm_that_went_on_keeps_what_it_was_given },
	{ "R-MIG-2", "a_guest_keeps_the_limits_that_it_knows",
	  a_guest_keeps_the_limits_that_it_knows },
	{ "R-MIG-2", "an_abort_gives_the_vm_its_own_limits_back",
	  an_abort_gives_the_vm_its_own_limits_back },
	{ "R-MIG-2", "a_larger_claim_is_refused", a_larger_claim_is_refused },
	{ "R-MIG-3", "other_vcpus_are_refused", other_vcpus_are_refused },
	{ "R-MIG-5", "what_cannot_be_counted_is_refused", what_cannot_be_counted_is_refused },
	{ "R-MIG-5", "what_cannot_be_counted_degrades", what_cannot_be_counted_degrades },
	{ "R-MIG-5", "what_cannot_be_counted_is_stubbed", what_cannot_be_counted_is_stubbed },
	{ "R-MIG-12", "budgets_hold_after_a_restore", budgets_hold_after_a_restore },
	{ "R-MIG-12", "what_was_prepared_is_taken_over", what_was_prepared_is_taken_over },
	{ "R-MIG-13", "a_stale_prepare_costs_nothing_but_time",
	  a_stale_prepare_costs_nothing_but_time },
	{ "R-MIG-14", "a_prepare_leaves_no_trace_when_aborted",
	  a_prepare_leaves_no_trace_when_aborted },
	{ "R-MIG-13", "a_prepare_has_its_conditions", a_prepare_has_its_conditions },
	{ "R-MIG-13", "what_the_host_refuses_is_not_ready", what_the_host_refuses_is_not_ready },
	{ "R-MIG-4", "an_in_kernel_pmu_has_one_owner", an_in_kernel_pmu_has_one_owner },
	{ "R-IMG-9", "vcpus_stand_in_the_order_of_their_ids",
	  vcpus_stand_in_the_order_of_their_ids },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
