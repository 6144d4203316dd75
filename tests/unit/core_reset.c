/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Reset: section 10 of the specification. */

#include "src/core/core.h"

#include "core_fixture.h"

#define AREA (RAM + 0x2000)

static const unsigned int kept[] = {
	VPMU_REG_MAGIC,	 VPMU_REG_LEVEL,	VPMU_REG_FEATURES,
	VPMU_REG_LIMITS, VPMU_REG_PERIOD_FLOOR, VPMU_REG_PMU_MODEL,
	VPMU_REG_VCPU,	 VPMU_REG_EPOCH,	VPMU_REG_EPOCH_REASON,
};

static int is_kept(unsigned int index)
{
	for (unsigned int i = 0; i < TEST_COUNT(kept); i++) {
		if (kept[i] == index)
			return 1;
	}
	return 0;
}

/* Everything in use: area, PMI raised, groups, a warm group, an error, a retry, a moved epoch. */
static void use_everything(void)
{
	DONE(VPMU_REG_AREA, AREA | 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_VECTOR | 50 << 8);
	sample_slot(0, 10);
	open_group(BIT(2) | BIT(3));
	describe_group(BIT(5));
	DONE(VPMU_REG_WARM, BIT(5));
	world_count(&world, 0, 0, 25);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, 0), 0);
	describe_group(BIT(6));
	DONE(VPMU_REG_WARM, BIT(6));
	world_count(&world, 0, 0, 7);
	world_fail(&world, WORLD_READ, 0, 1, VPMU_ERROR_STARVED);
	DONE(VPMU_REG_ENABLE, BIT(2));
	CHECK_EQ(reg(VPMU_REG_ERROR), BIT(2) | BIT(3));
	CHECK(vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE);
}

static void check_reset_values(struct vpmu_vcpu *of, const uint64_t *before)
{
	for (unsigned int index = 0; index < VPMU_REGISTERS; index++) {
		uint64_t value = world_get(of, index);

		if (index < 32 ? index > VPMU_REG_RESET : index >= 32 * 17)
			CHECK_EQ(value, UINT64_MAX);
		else
			CHECK_EQ(value, is_kept(index) ? before[index] : 0);
	}
}

static void check_quiet_after_reset(void)
{
	uint32_t pmis = world.pmis;

	CHECK_EQ(world.live_groups, 0);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	world_clean(&world);
	world.now += 10000000000;
	world_notice(&world, 0, BIT(63));
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_notify(vcpu);
	CHECK_EQ(world.pmis, pmis);
	CHECK(!world_is_dirty(&world, RAM, WORLD_RAM_SIZE));
}

static void a_key_resets_this_vcpu(void)
{
	static uint64_t before[VPMU_REGISTERS];

	set_up(NULL);
	use_everything();
	world_dump(vcpu, before);
	CHECK(before[VPMU_REG_EPOCH] > 1);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	check_reset_values(vcpu, before);
	check_quiet_after_reset();
	/* And it works anew, from the start. */
	open_slot(0, 0, 0);
	CHECK_EQ(event_word(0, VPMU_EVENT_WORD_CONTINUITY) & 0xffffffff, 1);
	tear_down();
}

/* A vCPU that was never used reads as one that was reset: nothing of the table of registers but 0
 * may be needed for it. */
static void a_new_vcpu_needs_no_reset(void)
{
	static uint64_t before[VPMU_REGISTERS];

	set_up(NULL);
	for (unsigned int index = 0; index < VPMU_REGISTERS; index++)
		before[index] = world_get(vcpu, index);
	check_reset_values(vcpu, before);
	vpmu_vcpu_reset(vcpu);
	check_reset_values(vcpu, before);
	tear_down();
}

static void the_vmm_resets_as_the_guest_does(void)
{
	static uint64_t before[VPMU_REGISTERS];

	set_up(NULL);
	use_everything();
	world_dump(vcpu, before);
	vpmu_vcpu_reset(vcpu);
	check_reset_values(vcpu, before);
	check_quiet_after_reset();
	tear_down();
}

static void only_the_keys_reset(void)
{
	static const uint64_t near[] = { 0,
					 1,
					 UINT64_MAX,
					 VPMU_RESET_VCPU - 1,
					 VPMU_RESET_ALL + 1,
					 VPMU_RESET_VCPU | BIT(63),
					 VPMU_RESET_VCPU & 0xffffffff };

	set_up(NULL);
	use_everything();
	remember();
	for (unsigned int i = 0; i < TEST_COUNT(near); i++)
		REFUSED(VPMU_REG_RESET, near[i]);
	for (unsigned int bit = 2; bit < 64; bit++)
		REFUSED(VPMU_REG_RESET, VPMU_RESET_VCPU ^ BIT(bit));
	CHECK_UNCHANGED();
	tear_down();
}

static void reset_reads_nothing_and_writes_nothing(void)
{
	uint32_t reads;

	set_up(NULL);
	use_everything();
	world_count(&world, 0, 0, 1000);
	reads = world.calls[WORLD_READ];
	world_clean(&world);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	CHECK_EQ(world.calls[WORLD_READ], reads);
	CHECK(!world_is_dirty(&world, RAM, WORLD_RAM_SIZE));
	CHECK_EQ(world_peek(&world, AREA), VPMU_MAGIC);
	tear_down();
}

/* A header word that is due and the interrupt that is due are forgotten. */
static void what_was_due_is_forgotten(void)
{
	set_up(NULL);
	DONE(VPMU_REG_AREA, AREA | 1);
	DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
	sample_slot(0, 10);
	world_count(&world, 0, 0, 10);
	world_fail(&world, WORLD_PMI, 0, 1, VPMU_ERROR_SYSTEM);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reg(VPMU_REG_PMI_LINE), VPMU_LINE_TO_INJECT);
	DONE(VPMU_REG_RESET, VPMU_RESET_VCPU);
	check_quiet_after_reset();
	tear_down();
}

static void all_vcpus_are_reset(void)
{
	static uint64_t before[VPMU_REGISTERS];
	struct vpmu_vcpu *first, *second;

	set_up(NULL);
	first = vcpu;
	use_everything();
	world_dump(first, before);
	second = world_vcpu(&world, 300, 1);
	vcpu = second;
	sample_slot(4, 10);
	world_clean(&world);
	DONE(VPMU_REG_RESET, VPMU_RESET_ALL);
	CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	CHECK_EQ(reg(VPMU_REG_RESET), 0);
	vcpu = first;
	check_reset_values(vcpu, before);
	CHECK_EQ(world.live_groups, 0);
	CHECK(!world_is_dirty(&world, RAM, WORLD_RAM_SIZE));
	/* A reset of one leaves the other. */
	sample_slot(0, 10);
	CHECK_EQ(world_set(second, VPMU_REG_RESET, VPMU_RESET_VCPU), VPMU_ACCESS_DONE);
	CHECK_EQ(reg(VPMU_REG_OPENED), 1);
	vpmu_vcpu_unbind(second);
	CHECK_EQ(vpmu_vcpu_remove(second), 0);
	tear_down();
}

/* The other vCPU resets itself before it does anything else, whatever call it is. */
static void each_call_begins_with_the_reset(void)
{
	struct batch batch = batch_at(RAM + 0x4000);
	struct vpmu_vcpu *other;

	for (unsigned int call = 0; call < 6; call++) {
		set_up(NULL);
		other = world_vcpu(&world, 1, 1);
		DONE(VPMU_REG_PMI, VPMU_PMI_NMI);
		sample_slot(0, 10);
		DONE(VPMU_REG_AREA, AREA | 1);
		batch = batch_at(RAM + 0x4000);
		batch_add(&batch, VPMU_OP_READ, VPMU_REG_OPENED, 1, NULL);
		/* Entering, with no other work to do. */
		world.silent = call == 2;
		world_count(&world, 0, 0, 10);
		CHECK_EQ(world_set(other, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
		world_clean(&world);
		if (call == 0)
			CHECK_EQ(reg(VPMU_REG_OPENED), 0);
		else if (call == 1)
			DONE(VPMU_REG_SYNC, 1);
		else if (call == 2)
			vpmu_vcpu_enter(vcpu);
		else if (call == 3)
			vpmu_vcpu_notify(vcpu);
		else if (call == 4)
			vpmu_vcpu_unbind(vcpu);
		else
			CHECK_EQ(vpmu_vcpu_batch(vcpu, batch.address, batch.words),
				 VPMU_ACCESS_DONE);
		CHECK_EQ(vcpu->control[VPMU_REG_OPENED], 0);
		CHECK_EQ(world.pmis, 0);
		CHECK(!world_is_dirty(&world, AREA, 0x1000));
		vpmu_vcpu_unbind(other);
		CHECK_EQ(vpmu_vcpu_remove(other), 0);
		tear_down();
	}
}

/* What another vCPU does in the midst of an operation of ours. */
static struct vpmu_vcpu *resetting;
static uint64_t reset_read;
static int (*real_store)(void *opaque, uint32_t id, uint64_t address, uint64_t value);
static void (*real_close)(void *source, void *attached, void *group, uint32_t keep);

static int reset_and_store(void *opaque, uint32_t id, uint64_t address, uint64_t value)
{
	if (resetting && id == 0) {
		CHECK_EQ(world_set(resetting, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
		reset_read = world_get(resetting, VPMU_REG_RESET);
	}
	return real_store(opaque, id, address, value);
}

static void reset_and_close(void *source, void *attached, void *group, uint32_t keep)
{
	if (resetting)
		CHECK_EQ(world_set(resetting, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
	real_close(source, attached, group, keep);
}

static void interrupt_operations(void)
{
	resetting = NULL;
	real_store = world.host.guest_store;
	real_close = world.source.close;
	world.host.guest_store = reset_and_store;
	world.source.close = reset_and_close;
}

static void an_operation_under_way_may_end(void)
{
	struct vpmu_vcpu *other;

	set_up(interrupt_operations);
	other = world_vcpu(&world, 1, 1);
	DONE(VPMU_REG_AREA, AREA | 1);
	open_slot(0, 0, 0);
	resetting = other;
	reset_read = 0;
	DONE(VPMU_REG_ENABLE, 1);
	resetting = NULL;
	CHECK_EQ(reset_read, 1);
	CHECK_EQ(world_get(other, VPMU_REG_RESET), 0);
	CHECK_EQ(reg(VPMU_REG_AREA), 0);
	CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	vpmu_vcpu_unbind(other);
	CHECK_EQ(vpmu_vcpu_remove(other), 0);
	tear_down();
}

/* A second reset of all while the first is being carried out: what runs after it is reset again. */
static void a_reset_during_a_reset_is_not_lost(void)
{
	struct vpmu_vcpu *other;

	set_up(interrupt_operations);
	other = world_vcpu(&world, 1, 1);
	open_slot(0, 0, 0);
	CHECK_EQ(world_set(other, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
	resetting = other;
	DONE(VPMU_REG_AREA, AREA | 1);
	resetting = NULL;
	CHECK_EQ(reg(VPMU_REG_AREA), 0);
	CHECK_EQ(reg(VPMU_REG_AREA_STATE), VPMU_AREA_OFF);
	vpmu_vcpu_unbind(other);
	CHECK_EQ(vpmu_vcpu_remove(other), 0);
	tear_down();
}

static void a_call_that_ended_is_not_under_way(void)
{
	struct batch batch = batch_at(RAM + 0x4000);
	struct vpmu_vcpu *other;

	set_up(NULL);
	other = world_vcpu(&world, 1, 1);
	for (unsigned int call = 0; call < 6; call++) {
		batch = batch_at(RAM + 0x4000);
		batch_add(&batch, VPMU_OP_READ, VPMU_REG_OPENED, 1, NULL);
		world_notice(&world, 0, 1);
		if (call == 0)
			vpmu_vcpu_notify(vcpu);
		else if (call == 1)
			vpmu_vcpu_enter(vcpu);
		else if (call == 2)
			vpmu_vcpu_reset(vcpu);
		else if (call == 3)
			CHECK_EQ(batch_kick(&batch), VPMU_ACCESS_DONE);
		else if (call == 4)
			CHECK_EQ(vpmu_vcpu_batch(vcpu, batch.address, batch.words),
				 VPMU_ACCESS_DONE);
		else
			DONE(VPMU_REG_ACK, 0);
		CHECK_EQ(world_set(other, VPMU_REG_RESET, VPMU_RESET_ALL), VPMU_ACCESS_DONE);
		CHECK_EQ(world_get(other, VPMU_REG_RESET), 0);
		vpmu_vcpu_enter(vcpu);
	}
	vpmu_vcpu_unbind(other);
	CHECK_EQ(vpmu_vcpu_remove(other), 0);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-RST-3", "a_call_that_ended_is_not_under_way", a_call_that_ended_is_not_under_way },
	{ "R-RST-1", "a_key_resets_this_vcpu", a_key_resets_this_vcpu },
	{ "R-RST-1", "a_new_vcpu_needs_no_reset", a_new_vcpu_needs_no_reset },
	{ "R-RST-1", "the_vmm_resets_as_the_guest_does", the_vmm_resets_as_the_guest_does },
	{ "R-RST-1", "only_the_keys_reset", only_the_keys_reset },
	{ "R-RST-1", "all_vcpus_are_reset", all_vcpus_are_reset },
	{ "R-RST-1", "a_reset_during_a_reset_is_not_lost", a_reset_during_a_reset_is_not_lost },
	{ "R-RST-2", "what_was_due_is_forgotten", what_was_due_is_forgotten },
	{ "R-RST-2", "each_call_begins_with_the_reset", each_call_begins_with_the_reset },
	{ "R-RST-3", "an_operation_under_way_may_end", an_operation_under_way_may_end },
	{ "R-RST-4", "reset_reads_nothing_and_writes_nothing",
	  reset_reads_nothing_and_writes_nothing },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
