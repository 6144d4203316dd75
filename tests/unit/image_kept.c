/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What a later version added is kept as long as it leaves room for all that the guest may open. */
#include <string.h>

#include "phase_fixture.h"

#define HEAD_BYTES 16ull
#define RECORD_BYTES (HEAD_BYTES + 8ull * VPMU_IMAGE_MAX_RECORD_WORDS)
#define OPTIONAL (1ull << VPMU_IMAGE_RECORD_HEAD_OPTIONAL_SHIFT)

static unsigned char great[VPMU_IMAGE_MAX_BYTES];

static void put_great(uint64_t at, uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++)
		great[at + i] = (unsigned char)(value >> 8 * i);
}

/* The image with so many bytes of optional records before its end: its length. */
static uint64_t grow(uint64_t bytes)
{
	uint64_t at = length - HEAD_BYTES, records = 0, all = length + bytes;

	memset(great, 0, sizeof(great));
	memcpy(great, image, (size_t)at);
	for (uint64_t next; bytes; bytes -= next, at += next, records++) {
		next = bytes < RECORD_BYTES ? bytes : RECORD_BYTES;
		put_great(at,
			  9 | OPTIONAL |
				  (next - HEAD_BYTES) / 8 << VPMU_IMAGE_RECORD_HEAD_COUNT_SHIFT);
	}
	/* END is all 0. Of its own the image has VM, the vCPU and END. */
	put_great(8 * VPMU_IMAGE_HEADER_WORD_COUNTS,
		  1 | (3 + records) << VPMU_IMAGE_HEADER_COUNTS_RECORDS_SHIFT);
	put_great(8 * VPMU_IMAGE_HEADER_WORD_SIZE, all);
	put_great(8 * VPMU_IMAGE_HEADER_WORD_SIZE,
		  all | (uint64_t)vpmu_crc32c(great, all) << VPMU_IMAGE_HEADER_SIZE_CHECKSUM_SHIFT);
	return all;
}

/* The length of what the VM that took it saves. */
static uint64_t length_again(uint64_t bytes, uint32_t lent)
{
	uint64_t all = grow(bytes), again = 0;

	options.lent = lent;
	CHECK_EQ(vpmu_vm_load(there.vm, great, all, &options, &fault), 0);
	CHECK_EQ(vpmu_vcpu_commit(arrived, 0), 0);
	CHECK_EQ(vpmu_vm_save(there.vm, &options, NULL, 0, &again), VPMU_ERROR_LIMIT);
	CHECK_EQ(vpmu_vcpu_abort(arrived), 0);
	CHECK_EQ(vpmu_vm_abort(there.vm), 0);
	return again;
}

static void what_is_kept_never_keeps_a_vm_from_being_saved(void)
{
	begin(NULL);
	options.keep_unknown = 1;
	stop_and_save();
	for (uint32_t lent = 0; lent < 2; lent++) {
		uint64_t room = VPMU_IMAGE_MAX_BYTES - vpmu_image_bound(&world.profile, 1, 0);

		CHECK_EQ(length_again(room, lent), length + room);
		CHECK_EQ(length_again(room + 8, lent), length);
	}
	end();
}

const struct test_case test_cases[] = {
	{ "R-MIG-7", "what_is_kept_never_keeps_a_vm_from_being_saved",
	  what_is_kept_never_keeps_a_vm_from_being_saved },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
