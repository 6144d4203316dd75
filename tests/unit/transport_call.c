/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The user hypercall: section 14 of the specification. */

#include <vpmu/transport.h>

#include "core_fixture.h"

#define FAULT UINT64_MAX
#define REFUSAL (UINT64_MAX - 1)

static uint64_t call(uint64_t function, uint64_t first, uint64_t second)
{
	const uint64_t arguments[6] = {
		VPMU_CALL_BASE + function, first, second, 0xbad, 0xbad, 0xbad
	};

	return vpmu_call(vcpu, arguments);
}

static void use_draft_level(void)
{
	world.profile.level = VPMU_LEVEL_DRAFT;
}

static void probe_answers_the_level(void)
{
	set_up(NULL);
	CHECK_EQ(call(VPMU_CALL_PROBE, 5, 5), VPMU_LEVEL);
	tear_down();
	set_up(use_draft_level);
	CHECK_EQ(call(VPMU_CALL_PROBE, 0, 0), VPMU_LEVEL_DRAFT);
	tear_down();
}

static void read_answers_the_register(void)
{
	set_up(NULL);
	for (unsigned int i = 0; i < VPMU_REGISTERS + 10; i++)
		CHECK_EQ(call(VPMU_CALL_READ, i, 1), reg(i));
	CHECK_EQ(call(VPMU_CALL_READ, BIT(32), 0), UINT64_MAX);
	tear_down();
}

static void write_writes_the_register(void)
{
	set_up(NULL);
	CHECK_EQ(call(VPMU_CALL_WRITE, WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 7), 0);
	CHECK_EQ(reg(WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE)), 7);
	remember();
	CHECK_EQ(call(VPMU_CALL_WRITE, 31, 7), FAULT);
	CHECK_EQ(call(VPMU_CALL_WRITE, UINT64_MAX, 7), FAULT);
	CHECK_EQ(call(VPMU_CALL_WRITE, VPMU_REG_LEVEL, 7), REFUSAL);
	CHECK_EQ(call(VPMU_CALL_WRITE, VPMU_REG_OPEN, BIT(63)), REFUSAL);
	CHECK_UNCHANGED();
	tear_down();
}

static void batch_runs_the_batch(void)
{
	struct batch batch = batch_at(RAM + 0x3000);

	set_up(NULL);
	batch_write(&batch, WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE), 8);
	CHECK_EQ(call(VPMU_CALL_BATCH, batch.address, batch.words), 0);
	CHECK_EQ(batch_result(&batch, 0), VPMU_RESULT_DONE);
	CHECK_EQ(reg(WORLD_ATTR(0, VPMU_ATTR_WORD_COOKIE)), 8);
	remember();
	CHECK_EQ(call(VPMU_CALL_BATCH, batch.address, 0), REFUSAL);
	CHECK_EQ(call(VPMU_CALL_BATCH, batch.address, 257), REFUSAL);
	CHECK_EQ(call(VPMU_CALL_BATCH, batch.address, UINT64_MAX), REFUSAL);
	CHECK_EQ(call(VPMU_CALL_BATCH, batch.address + 1, 3), REFUSAL);
	CHECK_EQ(call(VPMU_CALL_BATCH, UINT64_MAX - 7, 3), REFUSAL);
	CHECK_UNCHANGED();
	tear_down();
}

static void unknown_functions_fault(void)
{
	static const uint64_t unknown[] = { 4, 5, 255, BIT(32), BIT(32) | 1, BIT(63), UINT64_MAX };

	set_up(NULL);
	remember();
	for (unsigned int i = 0; i < TEST_COUNT(unknown); i++)
		CHECK_EQ(call(unknown[i], VPMU_REG_RESET, VPMU_RESET_VCPU), FAULT);
	CHECK_UNCHANGED();
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-CALL-1", "probe_answers_the_level", probe_answers_the_level },
	{ "R-CALL-1", "read_answers_the_register", read_answers_the_register },
	{ "R-CALL-1", "write_writes_the_register", write_writes_the_register },
	{ "R-CALL-1", "batch_runs_the_batch", batch_runs_the_batch },
	{ "R-CALL-1", "unknown_functions_fault", unknown_functions_fault },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
