/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Lent PMUs of LoongArch as a bank of an image (abi/IMAGE.md R-MIG-4): saved on one host, checked
 * and set on another. */

#include <errno.h>
#include <string.h>

#include <vpmu/image.h>

#include "loongarch_kernel.h"
#include "runner/runner.h"

#define COUNTING 0x1f0000u /* all privilege levels, and the interrupt */
#define PAIRS 9		   /* CPUCFG6, 4 counters, 4 controls */
#define VCPU 5

static struct kernel here, there;
static struct vpmu_kvm_system systems[2];
static struct vpmu_kvm_bank states[2];
static struct vpmu_image_bank source, destination;
static uint64_t pairs[2 * VPMU_IMAGE_MAX_BANK_PAIRS];

static int32_t descriptor(void *opaque, uint32_t vcpu)
{
	(void)opaque;
	return vcpu == VCPU ? KERNEL_VCPU : -1;
}

static void side_start(unsigned int side, struct kernel *kernel, struct vpmu_image_bank *bank)
{
	systems[side] = kernel_start(kernel, 702);
	kernel->cpucfg6 = KERNEL_HOST_PMU;
	states[side] = (struct vpmu_kvm_bank){ .size = sizeof(states[side]),
					       .system = &systems[side],
					       .vcpu_fd = descriptor,
					       .fd = KERNEL_VM };
	*bank = (struct vpmu_image_bank){ .size = sizeof(*bank) };
	CHECK_EQ(vpmu_kvm_loongarch_bank(&states[side], bank), 0);
	CHECK_EQ(bank->bank, VPMU_IMAGE_BANK_LOONGARCH_PMU);
}

/* A source whose guest counts with all counters, its pairs, and a destination that lent the same
 * PMU. */
static void start(void)
{
	side_start(0, &here, &source);
	side_start(1, &there, &destination);
	for (uint64_t i = 0; i < 4; i++) {
		here.perf[2 * i] = COUNTING | (0x3ff - i);
		here.perf[2 * i + 1] = UINT64_MAX - i;
	}
	memset(pairs, 0xee, sizeof(pairs));
	CHECK_EQ(source.save(source.opaque, VCPU, pairs), PAIRS);
	there.calls = 0;
}

static int check(uint32_t count, uint32_t *culprit)
{
	return destination.check(destination.opaque, VCPU, pairs, count, culprit);
}

static int load(uint32_t count)
{
	return destination.load(destination.opaque, VCPU, pairs, count);
}

static void nothing_was_set(void)
{
	for (unsigned int i = 0; i < 8; i++)
		CHECK_EQ(there.perf[i], 0);
	CHECK_EQ(there.host_is_corrupted, 0);
}

static void pairs_are_in_the_order_of_the_load(void)
{
	static const uint32_t order[PAIRS] = { 0x40030, 0x11008, 0x11018, 0x11028, 0x11038,
					       0x11000, 0x11010, 0x11020, 0x11030 };

	start();
	for (uint64_t i = 0; i < PAIRS; i++)
		CHECK_EQ(pairs[2 * i], order[i]);
	CHECK_EQ(pairs[1], KERNEL_HOST_PMU);
	CHECK_EQ(pairs[2ull * PAIRS], 0xeeeeeeeeeeeeeeeeull);
}

static void a_pmu_moves_through_the_bank(void)
{
	uint32_t culprit = 77;

	start();
	CHECK_EQ(check(PAIRS, &culprit), 0);
	nothing_was_set();
	CHECK_EQ(load(PAIRS), 0);
	CHECK_MEM(there.perf, here.perf, sizeof(here.perf));
	CHECK_EQ(there.cpucfg6, KERNEL_HOST_PMU);
	CHECK_EQ(there.counter_is_late, 0);
	CHECK_EQ(there.host_is_corrupted, 0);
}

/* What its registers hold as plain storage stays behind, and no privilege level is ever written. */
static void a_guest_without_a_pmu_moves_without_one(void)
{
	uint32_t culprit;

	start();
	here.cpucfg6 = 0;
	CHECK_EQ(source.save(source.opaque, VCPU, pairs), 1);
	CHECK_EQ(pairs[1], 0);
	CHECK_EQ(check(1, &culprit), VPMU_ERROR_UNSUPPORTED);
	there.cpucfg6 = 0;
	CHECK_EQ(check(1, &culprit), 0);
	CHECK_EQ(load(1), 0);
	nothing_was_set();
	CHECK_EQ(there.cpucfg6, 0);
	/* A control of a guest without a PMU. */
	pairs[2] = 0x11000;
	pairs[3] = COUNTING;
	CHECK_EQ(check(2, &culprit), VPMU_ERROR_INVALID);
	CHECK_EQ(culprit, 1);
	CHECK_EQ(load(2), VPMU_ERROR_INVALID);
	nothing_was_set();
}

static void another_pmu_is_refused(void)
{
	static const uint32_t others[] = { 0, 0x7f23, 0x7e33, 0x3f33, 0x7f31 };

	for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		uint32_t culprit = 77;

		start();
		there.cpucfg6 = others[i];
		CHECK_EQ(check(PAIRS, &culprit), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(culprit, 0);
		CHECK_EQ(there.said, 1);
		CHECK_EQ(load(PAIRS), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(there.cpucfg6, others[i]);
		nothing_was_set();
	}
}

/* Before KVM is asked anything. */
static void hostile_pairs_are_refused(void)
{
	static const struct {
		uint64_t word; /* of the pairs */
		uint64_t value;
		uint64_t culprit;
	} rows[] = {
		{ 0, 0x40028, 0 },    { 0, 0x11008, 0 },
		{ 1, 0xffffu, 0 },    { 1, 1ull << 63 | 0x7f33, 0 },
		{ 1, 0x7f32, 0 },     { 1, 0x7f43, 0 },
		{ 1, 0x7f23, 4 },     { 1, 0x403f33, 0 },
		{ 2, 0x11018, 1 },    { 2, 0x11000, 1 },
		{ 4, 0x11008, 2 },    { 8, 0x11000, 4 },
		{ 10, 0x11010, 5 },   { 11, 1u << 23, 5 },
		{ 13, 1u << 24, 6 },  { 15, 1ull << 63, 7 },
		{ 17, 0x1f0400u, 8 }, { 16, 0x10000, 8 },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t culprit = 77;

		start();
		pairs[rows[i].word] = rows[i].value;
		CHECK_EQ(check(PAIRS, &culprit), VPMU_ERROR_INVALID);
		CHECK_EQ(culprit, rows[i].culprit);
		CHECK_EQ(load(PAIRS), VPMU_ERROR_INVALID);
		CHECK_EQ(there.calls, 0);
		nothing_was_set();
	}
}

static void pairs_too_few_or_too_many_are_refused(void)
{
	for (uint32_t count = 1; count <= VPMU_IMAGE_MAX_BANK_PAIRS; count++) {
		uint32_t culprit = 77;

		if (count == PAIRS)
			continue;
		start();
		CHECK_EQ(check(count, &culprit), VPMU_ERROR_INVALID);
		CHECK_EQ(culprit, count < PAIRS ? count - 1 : PAIRS);
		CHECK_EQ(load(count), VPMU_ERROR_INVALID);
		CHECK_EQ(there.calls, 0);
	}
}

/* What the destination's vCPU had before. */
static void use(void)
{
	for (uint64_t i = 0; i < 4; i++) {
		there.perf[2 * i] = COUNTING | (0x100 + i);
		there.perf[2 * i + 1] = 1000 + i;
	}
}

static void a_load_sets_all_or_nothing(void)
{
	static struct kernel before;
	uint32_t failing = 1;

	for (;; failing++) {
		int answer;

		start();
		use();
		before = there;
		there.failing = failing;
		there.failure = -EIO;
		answer = load(PAIRS);
		CHECK_EQ(there.host_is_corrupted, 0);
		if (!answer)
			break;
		CHECK(answer == VPMU_ERROR_SYSTEM || answer == VPMU_ERROR_UNSUPPORTED);
		CHECK_MEM(there.perf, before.perf, sizeof(before.perf));
		CHECK_EQ(there.cpucfg6, before.cpucfg6);
	}
	/* The check; what was there; the question to the VM, CPUCFG6 twice, 8 registers; all again.
	 */
	CHECK_EQ(failing, 1 + PAIRS + 1 + 2 + 8 + PAIRS + 1);
	CHECK_MEM(there.perf, here.perf, sizeof(here.perf));
}

static void a_value_that_is_not_kept_is_found(void)
{
	static struct kernel before;

	for (uint32_t number = 0; number < 8; number++) {
		start();
		use();
		there.ignored = number + 1;
		before = there;
		CHECK_EQ(load(PAIRS), VPMU_ERROR_STATE);
		CHECK_EQ(there.said, 1);
		CHECK_MEM(there.perf, before.perf, sizeof(before.perf));
	}
}

static void a_rollback_that_fails_is_told(void)
{
	/* The last register of the image, then the question to the VM. */
	start();
	use();
	there.failing = 1 + PAIRS + 1 + 2 + 8;
	there.failing_too = there.failing + 1;
	there.failure = -EIO;
	CHECK_EQ(load(PAIRS), VPMU_ERROR_SYSTEM);
	CHECK_EQ(there.said, 3);
}

/* A guest may set the bits whose meaning only its maker knows, and moves all the same. Of one that
 * nobody knows the save fails, and not the load on another host. */
static void a_guest_cannot_keep_itself_from_moving(void)
{
	start();
	for (unsigned int i = 0; i < 4; i++)
		here.perf[2 * (size_t)i] |= 3u << 21;
	CHECK_EQ(source.save(source.opaque, VCPU, pairs), PAIRS);
	CHECK_EQ(load(PAIRS), 0);
	CHECK_MEM(there.perf, here.perf, sizeof(here.perf));
	for (uint32_t bit = 10; bit < 64; bit++) {
		if (bit >= 16 && bit <= 22)
			continue;
		start();
		here.perf[4] |= 1ull << bit;
		CHECK_EQ(source.save(source.opaque, VCPU, pairs), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(here.said, 1);
	}
}

static void each_call_of_a_save_fails(void)
{
	for (uint32_t failing = 1; failing <= PAIRS; failing++) {
		start();
		here.calls = 0;
		here.failing = failing;
		here.failure = -EIO;
		CHECK_EQ(source.save(source.opaque, VCPU, pairs), VPMU_ERROR_SYSTEM);
	}
}

static void a_vcpu_without_descriptor_is_gone(void)
{
	uint32_t culprit;

	start();
	CHECK_EQ(source.save(source.opaque, 1, pairs), VPMU_ERROR_GONE);
	CHECK_EQ(destination.check(destination.opaque, 1, pairs, PAIRS, &culprit), VPMU_ERROR_GONE);
	CHECK_EQ(destination.load(destination.opaque, 1, pairs, PAIRS), VPMU_ERROR_GONE);
	nothing_was_set();
}

static void banks_that_are_none_are_refused(void)
{
	struct vpmu_kvm_bank state;

	start();
	state = states[0];
	state.vcpu_fd = NULL;
	CHECK_EQ(vpmu_kvm_loongarch_bank(&state, &source), VPMU_ERROR_INVALID);
	state = states[0];
	state.reserved = 1;
	CHECK_EQ(vpmu_kvm_loongarch_bank(&state, &source), VPMU_ERROR_INVALID);
	state = states[0];
	state.size = 8;
	CHECK_EQ(vpmu_kvm_loongarch_bank(&state, &source), VPMU_ERROR_INVALID);
	source.size = 8;
	CHECK_EQ(vpmu_kvm_loongarch_bank(&states[0], &source), VPMU_ERROR_INVALID);
}

const struct test_case test_cases[] = {
	{ "R-MIG-4", "pairs_are_in_the_order_of_the_load", pairs_are_in_the_order_of_the_load },
	{ "R-MIG-4", "a_pmu_moves_through_the_bank", a_pmu_moves_through_the_bank },
	{ "R-MIG-4", "a_guest_without_a_pmu_moves_without_one",
	  a_guest_without_a_pmu_moves_without_one },
	{ "R-MIG-4", "another_pmu_is_refused", another_pmu_is_refused },
	{ "R-MIG-4", "hostile_pairs_are_refused", hostile_pairs_are_refused },
	{ "R-BANK-8", "pairs_too_few_or_too_many_are_refused",
	  pairs_too_few_or_too_many_are_refused },
	{ "R-BANK-6", "a_load_sets_all_or_nothing", a_load_sets_all_or_nothing },
	{ "R-BANK-6", "a_value_that_is_not_kept_is_found", a_value_that_is_not_kept_is_found },
	{ "R-BANK-6", "a_rollback_that_fails_is_told", a_rollback_that_fails_is_told },
	{ "R-BANK-7", "a_guest_cannot_keep_itself_from_moving",
	  a_guest_cannot_keep_itself_from_moving },
	{ "faults", "each_call_of_a_save_fails", each_call_of_a_save_fails },
	{ "faults", "a_vcpu_without_descriptor_is_gone", a_vcpu_without_descriptor_is_gone },
	{ "faults", "banks_that_are_none_are_refused", banks_that_are_none_are_refused },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
