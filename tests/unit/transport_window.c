/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual MSRs and the MMIO window: section 14 of the specification. */

#include <string.h>

#include <vpmu/transport.h>

#include "core_fixture.h"

#define MMIO_BASE 0xfed50000u

static const struct vpmu_window msr = { sizeof(msr), VPMU_MSR_BASE, 0, 0 };
static const struct vpmu_window mmio = { sizeof(mmio), MMIO_BASE, 3, 0 };

static int access_of(const struct vpmu_window *window, uint64_t address, uint32_t width,
		     uint32_t write, uint64_t *value)
{
	struct vpmu_window_access access = { address, width, write, *value };
	int outcome = vpmu_window_access(window, vcpu, &access);

	*value = access.value;
	CHECK_EQ(access.address, address);
	return outcome;
}

static int load(const struct vpmu_window *window, uint64_t address, uint32_t width, uint64_t *value)
{
	*value = 0x5555555555555555;
	return access_of(window, address, width, 0, value);
}

static int store(const struct vpmu_window *window, uint64_t address, uint32_t width, uint64_t value)
{
	return access_of(window, address, width, 1, &value);
}

static void msrs_are_registers(void)
{
	uint64_t value;

	set_up(NULL);
	open_slot(3, 0, 0);
	for (unsigned int i = 0; i < VPMU_REGISTERS; i++) {
		int defined = i < 32 ? i <= VPMU_REG_RESET : i < 32 * 17;

		CHECK_EQ(load(&msr, VPMU_MSR_BASE + i, 8, &value),
			 defined ? VPMU_ACCESS_DONE : VPMU_ACCESS_FAULT);
		CHECK_EQ(value, reg(i));
	}
	CHECK_EQ(store(&msr, VPMU_MSR_BASE + VPMU_REG_CLOSE, 8, BIT(3)), VPMU_ACCESS_DONE);
	CHECK_EQ(reg(VPMU_REG_OPENED), 0);
	CHECK_EQ(store(&msr, VPMU_MSR_BASE + VPMU_REG_CLOSE, 8, BIT(63)), VPMU_ACCESS_REFUSED);
	CHECK_EQ(store(&msr, VPMU_MSR_BASE + 31, 8, 0), VPMU_ACCESS_FAULT);
	tear_down();
}

static void addresses_beside_the_window_are_not_ours(void)
{
	static const uint64_t beside[] = { 0, VPMU_MSR_BASE - 1, VPMU_MSR_BASE + VPMU_REGISTERS,
					   BIT(32) | VPMU_MSR_BASE, UINT64_MAX };
	static const uint64_t beside_mmio[] = { 0, MMIO_BASE - 8, MMIO_BASE - 1,
						MMIO_BASE + VPMU_MMIO_SIZE, UINT64_MAX };
	uint64_t value;

	set_up(NULL);
	remember();
	for (unsigned int i = 0; i < TEST_COUNT(beside); i++) {
		CHECK_EQ(load(&msr, beside[i], 8, &value), VPMU_ACCESS_NOT_MINE);
		CHECK_EQ(value, 0x5555555555555555);
		CHECK_EQ(store(&msr, beside[i], 8, 1), VPMU_ACCESS_NOT_MINE);
	}
	for (unsigned int i = 0; i < TEST_COUNT(beside_mmio); i++) {
		CHECK_EQ(load(&mmio, beside_mmio[i], 8, &value), VPMU_ACCESS_NOT_MINE);
		CHECK_EQ(store(&mmio, beside_mmio[i], 4, 1), VPMU_ACCESS_NOT_MINE);
	}
	CHECK_UNCHANGED();
	tear_down();
}

static void the_window_may_stand_at_the_end_of_all_addresses(void)
{
	struct vpmu_window last = { sizeof(last), UINT64_MAX - VPMU_MMIO_SIZE + 1, 3, 0 };
	uint64_t value;

	set_up(NULL);
	CHECK_EQ(load(&last, last.base, 8, &value), VPMU_ACCESS_DONE);
	CHECK_EQ(value, VPMU_MAGIC);
	CHECK_EQ(load(&last, UINT64_MAX - 7, 8, &value), VPMU_ACCESS_FAULT);
	CHECK_EQ(load(&last, 0, 8, &value), VPMU_ACCESS_NOT_MINE);
	tear_down();
}

static void the_mmio_window_has_eight_bytes_for_each(void)
{
	uint64_t value;

	set_up(NULL);
	for (unsigned int i = 0; i < 32 * 17; i++) {
		(void)load(&mmio, MMIO_BASE + 8 * i, 8, &value);
		CHECK_EQ(value, reg(i));
	}
	CHECK_EQ(store(&mmio, MMIO_BASE + 8 * WORLD_ATTR(5, VPMU_ATTR_WORD_COOKIE), 8, 77),
		 VPMU_ACCESS_DONE);
	CHECK_EQ(reg(WORLD_ATTR(5, VPMU_ATTR_WORD_COOKIE)), 77);
	CHECK_EQ(store(&mmio, MMIO_BASE + 8 * VPMU_REG_LEVEL, 8, 1), VPMU_ACCESS_REFUSED);
	CHECK_EQ(load(&mmio, MMIO_BASE + VPMU_MMIO_SIZE - 8, 8, &value), VPMU_ACCESS_FAULT);
	CHECK_EQ(value, UINT64_MAX);
	tear_down();
}

static void registers_are_those_of_the_vcpu_that_asks(void)
{
	struct vpmu_vcpu *first;
	uint64_t value;

	set_up(NULL);
	first = vcpu;
	vcpu = world_vcpu(&world, 9, 1);
	CHECK_EQ(load(&mmio, MMIO_BASE + 8 * VPMU_REG_VCPU, 8, &value), VPMU_ACCESS_DONE);
	CHECK_EQ(value, 9);
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
	vcpu = first;
	CHECK_EQ(load(&mmio, MMIO_BASE + 8 * VPMU_REG_VCPU, 8, &value), VPMU_ACCESS_DONE);
	CHECK_EQ(value, 0);
	tear_down();
}

static void an_access_without_a_vcpu_is_refused(void)
{
	struct vpmu_window_access access = { MMIO_BASE + 8 * VPMU_REG_RESET, 8, 1, VPMU_RESET_ALL };

	set_up(NULL);
	sample_slot(0, 10);
	remember();
	CHECK_EQ(vpmu_window_access(&mmio, NULL, &access), VPMU_ACCESS_REFUSED);
	CHECK_EQ(access.value, VPMU_RESET_ALL);
	access.write = 0;
	CHECK_EQ(vpmu_window_access(&mmio, NULL, &access), VPMU_ACCESS_REFUSED);
	CHECK_EQ(access.value, UINT64_MAX);
	access.address = MMIO_BASE - 8;
	CHECK_EQ(vpmu_window_access(&mmio, NULL, &access), VPMU_ACCESS_NOT_MINE);
	CHECK_UNCHANGED();
	tear_down();
}

static void halves_may_be_read(void)
{
	uint64_t value;

	set_up(NULL);
	CHECK_EQ(load(&mmio, MMIO_BASE, 4, &value), VPMU_ACCESS_DONE);
	CHECK_EQ(value, VPMU_MAGIC & 0xffffffff);
	CHECK_EQ(load(&mmio, MMIO_BASE + 4, 4, &value), VPMU_ACCESS_DONE);
	CHECK_EQ(value, VPMU_MAGIC >> 32);
	CHECK_EQ(load(&mmio, MMIO_BASE + 8 * 31, 4, &value), VPMU_ACCESS_FAULT);
	CHECK_EQ(value, UINT64_MAX);
	CHECK_EQ(load(&mmio, MMIO_BASE + 8 * 31 + 4, 4, &value), VPMU_ACCESS_FAULT);
	tear_down();
}

static void all_other_accesses_fault(void)
{
	static const uint32_t widths[] = { 0, 1, 2, 3, 4, 5, 7, 8, 16, 64, UINT32_MAX };
	uint64_t value;

	set_up(NULL);
	remember();
	for (unsigned int i = 0; i < TEST_COUNT(widths); i++) {
		for (uint64_t offset = 0; offset < 16; offset++) {
			uint64_t at = MMIO_BASE + 8 * WORLD_ATTR(0, VPMU_ATTR_WORD_CONFIG) + offset;

			if (!(widths[i] == 8 && offset % 8 == 0))
				CHECK_EQ(store(&mmio, at, widths[i], 1), VPMU_ACCESS_FAULT);
			if ((widths[i] == 8 && offset % 8 == 0) ||
			    (widths[i] == 4 && offset % 4 == 0))
				continue;
			CHECK_EQ(load(&mmio, at, widths[i], &value), VPMU_ACCESS_FAULT);
			CHECK_EQ(value, UINT64_MAX);
		}
	}
	/* It begins in the window and ends behind it. */
	CHECK_EQ(load(&mmio, MMIO_BASE + VPMU_MMIO_SIZE - 4, 8, &value), VPMU_ACCESS_FAULT);
	CHECK_UNCHANGED();
	tear_down();
}

static void a_window_is_checked(void)
{
	struct {
		struct vpmu_window window;
		uint64_t tail;
	} newer = { { sizeof(newer), MMIO_BASE, 3, 0 }, 0 };
	struct vpmu_window bad = mmio;
	uint64_t value;

	set_up(NULL);
	bad.size = sizeof(bad) - 1;
	CHECK_EQ(load(&bad, MMIO_BASE, 8, &value), VPMU_ERROR_INVALID);
	bad = mmio;
	bad.reserved = 1;
	CHECK_EQ(load(&bad, MMIO_BASE, 8, &value), VPMU_ERROR_INVALID);
	for (uint32_t shift = 0; shift < 70; shift++) {
		bad = mmio;
		bad.shift = shift;
		CHECK_EQ(load(&bad, MMIO_BASE, 8, &value),
			 shift == 0 || shift == 3 ? VPMU_ACCESS_DONE : VPMU_ERROR_INVALID);
	}
	CHECK_EQ(load(&newer.window, MMIO_BASE, 8, &value), VPMU_ACCESS_DONE);
	newer.tail = 1;
	CHECK_EQ(load(&newer.window, MMIO_BASE, 8, &value), VPMU_ERROR_TOO_BIG);
	tear_down();
}

const struct test_case test_cases[] = {
	{ "R-MSR-1", "msrs_are_registers", msrs_are_registers },
	{ "R-MSR-1", "addresses_beside_the_window_are_not_ours",
	  addresses_beside_the_window_are_not_ours },
	{ "R-MMIO-1", "the_window_may_stand_at_the_end_of_all_addresses",
	  the_window_may_stand_at_the_end_of_all_addresses },
	{ "R-MMIO-1", "the_mmio_window_has_eight_bytes_for_each",
	  the_mmio_window_has_eight_bytes_for_each },
	{ "R-MMIO-1", "registers_are_those_of_the_vcpu_that_asks",
	  registers_are_those_of_the_vcpu_that_asks },
	{ "R-MMIO-1", "an_access_without_a_vcpu_is_refused", an_access_without_a_vcpu_is_refused },
	{ "R-MMIO-2", "halves_may_be_read", halves_may_be_read },
	{ "R-MMIO-2", "all_other_accesses_fault", all_other_accesses_fault },
	{ "sized", "a_window_is_checked", a_window_is_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
