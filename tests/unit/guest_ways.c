/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* The ways in, over plain memory; a host of a few lines answers the mailbox. */
#include <string.h>

#include <vpmu/guest.h>

#include "runner/runner.h"

static _Alignas(4096) uint64_t window[VPMU_REGISTERS];

static void mmio_register_is_a_word_of_the_window(void)
{
	struct vpmu_guest_mmio mmio = { .window = window };
	const struct vpmu_guest_way *way = vpmu_guest_way_mmio();
	uint64_t value = 0;

	memset(window, 0, sizeof(window));
	CHECK_EQ(way->size, sizeof(*way));
	CHECK(way->run == NULL);
	CHECK_EQ(way->write(&mmio, VPMU_CONTEXT_NMI, 2047, 0x1122334455667788ull), 0);
	CHECK_EQ(window[2047], 0x1122334455667788ull);
	window[3] = 0x8877665544332211ull;
	CHECK_EQ(way->read(&mmio, VPMU_CONTEXT_TASK, 3, &value), 0);
	CHECK_EQ(value, window[3]);
}

static void mmio_start_reads_the_window(void)
{
	struct vpmu_guest_mmio mmio = { .window = window };
	struct vpmu_guest guest;

	memset(window, 0xff, sizeof(window));
	CHECK_EQ(vpmu_guest_start(&guest, vpmu_guest_way_mmio(), &mmio, VPMU_REGISTERS),
		 VPMU_GUEST_NO_DEVICE);
	window[VPMU_REG_MAGIC] = VPMU_MAGIC;
	window[VPMU_REG_LEVEL] = VPMU_LEVEL;
	window[VPMU_REG_LIMITS] = 5;
	CHECK_EQ(vpmu_guest_start(&guest, vpmu_guest_way_mmio(), &mmio, VPMU_REGISTERS), 0);
	CHECK_EQ(guest.slots, 5);
}

static void ways_of_other_machines_are_missing(void)
{
	uint32_t registers[4] = { 1, 1, 1, 1 };

#if defined(__x86_64__) || defined(__i386__)
	CHECK(vpmu_guest_way_msr() != NULL);
	CHECK_EQ(vpmu_guest_way_msr()->size, sizeof(struct vpmu_guest_way));
	vpmu_guest_x86_cpuid(NULL, 0, registers);
	CHECK(registers[0] > 0);
#else
	CHECK(vpmu_guest_way_msr() == NULL);
	vpmu_guest_x86_cpuid(NULL, 0, registers);
	CHECK_EQ(registers[0] | registers[1] | registers[2] | registers[3], 0);
#endif
#ifdef __loongarch__
	CHECK(vpmu_guest_way_call() != NULL);
#else
	CHECK(vpmu_guest_way_call() == NULL);
#endif
}

#define BLOCK_WORDS ((size_t)VPMU_GUEST_MAILBOX_BLOCK / 8)
#define PAGE_WORDS 512

static _Alignas(4096) uint64_t region[3 * BLOCK_WORDS];

/* A host: answers the request that stands in a context's page of block 1. */
static struct {
	uint64_t registers[VPMU_REGISTERS];
	uint32_t result; /* that it answers */
	uint32_t delay;	 /* looks until it answers */
	uint32_t rings;
	uint64_t last; /* request word seen last */
	uint64_t area_at;
} host;

static uint64_t *page_of(uint32_t context)
{
	return &region[2 * BLOCK_WORDS + (size_t)PAGE_WORDS * context];
}

static void host_batch(uint64_t *words, uint32_t count)
{
	for (uint32_t at = 0; count - at > 2; at += 2 + (uint32_t)(words[at] >> 32 & 0xffff)) {
		uint64_t first = words[at] >> 16 & 0xffff, length = words[at] >> 32 & 0xffff;

		if ((words[at] & 0xff) == VPMU_OP_READ)
			memcpy(&words[at + 2], &host.registers[first], (size_t)(8 * length));
		words[at] |= (uint64_t)VPMU_RESULT_DONE << 48;
	}
}

/* AREA takes 1, for the block's own page, and says afterwards where in the region that is. */
static void host_write(uint32_t number, uint64_t value)
{
	if (number == VPMU_REG_AREA && value > 1)
		return;
	if (number == VPMU_REG_AREA && value)
		value |= host.area_at;
	host.registers[number] = value;
}

static void host_serve(uint32_t context)
{
	uint64_t *page = page_of(context), request = page[0];
	uint32_t number = (uint32_t)(request >> 48);

	if ((uint32_t)request == (uint32_t)page[2])
		return;
	host.last = request;
	switch (request >> 32 & 0xff) {
	case VPMU_REQUEST_READ:
		page[3] = host.registers[number];
		break;
	case VPMU_REQUEST_WRITE:
		host_write(number, page[1]);
		break;
	case VPMU_REQUEST_BATCH:
		host_batch(&page[8], number);
		break;
	default:
		test_fail(__FILE__, __LINE__, "request", request, 0);
	}
	page[2] = (request & 0xffffffff) | (uint64_t)host.result << 32;
}

static void serve_all(void)
{
	for (uint32_t context = VPMU_CONTEXT_TASK; context <= VPMU_CONTEXT_NMI; context++)
		host_serve(context);
}

static void doorbell(void *opaque)
{
	CHECK_EQ((uintptr_t)opaque, (uintptr_t)&host);
	host.rings++;
	if (!host.delay)
		serve_all();
}

static void relax(void *opaque)
{
	(void)opaque;
	if (host.delay && !--host.delay)
		serve_all();
}

static struct vpmu_guest_mailbox mailbox;

static void begin(void)
{
	memset(region, 0, sizeof(region));
	memset(&host, 0, sizeof(host));
	host.result = VPMU_RESULT_DONE;
	region[0] = VPMU_MAGIC;
	region[1] = VPMU_LEVEL;
	region[2] = 2;
	region[3] = VPMU_GUEST_MAILBOX_BLOCK;
	page_of(VPMU_CONTEXT_NMI)[0] = UINT32_MAX;
	page_of(VPMU_CONTEXT_NMI)[2] = UINT32_MAX;
	mailbox = (struct vpmu_guest_mailbox){
		.doorbell = doorbell, .relax = relax, .opaque = &host, .tries = 10
	};
	CHECK_EQ(vpmu_guest_mailbox_prepare(&mailbox, region, sizeof(region), 1), 0);
	CHECK_EQ((uintptr_t)mailbox.block, (uintptr_t)&region[2 * BLOCK_WORDS]);
}

static void mailbox_reads_and_writes(void)
{
	const struct vpmu_guest_way *way = vpmu_guest_way_mailbox();
	uint64_t value = 0;

	begin();
	for (uint32_t context = VPMU_CONTEXT_TASK; context <= VPMU_CONTEXT_NMI; context++) {
		CHECK_EQ(way->write(&mailbox, context, 40 + context, 7 + context), 0);
		CHECK_EQ(host.registers[40 + context], 7 + context);
		CHECK_EQ(way->read(&mailbox, context, 40 + context, &value), 0);
		CHECK_EQ(value, 7 + context);
		CHECK_EQ(page_of(context)[0] >> 48, 40 + context);
	}
	CHECK_EQ(host.rings, 6);
	CHECK_EQ(way->read(&mailbox, 0, 1, &value), VPMU_GUEST_INVALID);
	CHECK_EQ(way->write(&mailbox, 4, 1, value), VPMU_GUEST_INVALID);
	CHECK_EQ(way->run(&mailbox, 4, 0, &value, 1), VPMU_GUEST_INVALID);
}

static void mailbox_runs_batches(void)
{
	uint64_t words[600], value = 0, failed = 0;
	struct vpmu_guest_batch batch;
	struct vpmu_guest guest;
	uint32_t place = 0;

	begin();
	host.registers[VPMU_REG_MAGIC] = VPMU_MAGIC;
	host.registers[VPMU_REG_LEVEL] = VPMU_LEVEL;
	host.registers[VPMU_REG_LIMITS] = 63 | 4095ull << 16;
	CHECK_EQ(vpmu_guest_start(&guest, vpmu_guest_way_mailbox(), &mailbox, VPMU_REGISTERS), 0);
	CHECK_EQ(vpmu_guest_batch_prepare(&batch, words, 600, 0, VPMU_CONTEXT_INTERRUPT), 0);
	CHECK_EQ(vpmu_guest_batch_read(&batch, VPMU_REG_MAGIC, 1), 0);
	CHECK_EQ(vpmu_guest_batch_run(&guest, &batch), 0);
	CHECK_EQ(host.last >> 48, 3);
	CHECK_EQ(vpmu_guest_batch_take(&batch, &place,
				       vpmu_guest_batch_head(VPMU_OP_READ, VPMU_REG_MAGIC, 1),
				       &value, &failed),
		 0);
	CHECK_EQ(value, VPMU_MAGIC);
	vpmu_guest_batch_clear(&batch);
	CHECK_EQ(vpmu_guest_batch_read(&batch, 0, 503), 0);
	CHECK_EQ(vpmu_guest_batch_run(&guest, &batch), VPMU_GUEST_ROOM);
	vpmu_guest_batch_clear(&batch);
	CHECK_EQ(vpmu_guest_batch_read(&batch, 0, 502), 0);
	CHECK_EQ(vpmu_guest_batch_run(&guest, &batch), 0);
}

static void mailbox_area_is_the_block(void)
{
	uint64_t *area = &region[2 * BLOCK_WORDS];
	struct vpmu_guest guest;

	begin();
	host.area_at = 2ull * VPMU_GUEST_MAILBOX_BLOCK;
	host.registers[VPMU_REG_MAGIC] = VPMU_MAGIC;
	host.registers[VPMU_REG_LEVEL] = VPMU_LEVEL;
	host.registers[VPMU_REG_LIMITS] = 63 | 4095ull << 16;
	CHECK_EQ(vpmu_guest_start(&guest, vpmu_guest_way_mailbox(), &mailbox, VPMU_REGISTERS), 0);
	CHECK_EQ(vpmu_guest_area_on_block(&guest, 1, area), VPMU_GUEST_UNSUPPORTED);
	guest.features = VPMU_FEATURE_AREA;
	CHECK_EQ(vpmu_guest_area_on_block(&guest, 1, NULL), VPMU_GUEST_INVALID);
	/* What is no events area turns it off again. */
	CHECK_EQ(vpmu_guest_area_on_block(&guest, 1, area), VPMU_GUEST_HOST);
	CHECK_EQ(host.registers[VPMU_REG_AREA], 0);
	area[0] = VPMU_MAGIC;
	area[1] = VPMU_LEVEL;
	CHECK_EQ(vpmu_guest_area_on_block(&guest, 1, area), 0);
	CHECK_EQ(host.registers[VPMU_REG_AREA], host.area_at | VPMU_REG_AREA_ON_MASK);
	CHECK_EQ((uintptr_t)guest.area, (uintptr_t)area);
	host.registers[VPMU_REG_AREA] = 0;
	host.result = VPMU_RESULT_REFUSED;
	CHECK_EQ(vpmu_guest_area_on_block(&guest, 1, area), VPMU_GUEST_REFUSED);
	CHECK(guest.area == NULL);
	/* An address of the guest's own is not for a mailbox. */
	host.result = VPMU_RESULT_DONE;
	CHECK_EQ(vpmu_guest_area_on(&guest, 1, 0x4000, area), VPMU_GUEST_REFUSED);
}

static void mailbox_waits_for_a_bounded_time(void)
{
	const struct vpmu_guest_way *way = vpmu_guest_way_mailbox();
	uint64_t value = 99;

	begin();
	host.registers[5] = 6;
	host.delay = 9;
	CHECK_EQ(way->read(&mailbox, 1, 5, &value), 0);
	CHECK_EQ(value, 6);
	host.delay = 100;
	value = 99;
	CHECK_EQ(way->read(&mailbox, 1, 5, &value), VPMU_GUEST_BUSY);
	CHECK_EQ(value, 99);
	/* The answer to the request that was given up is not taken for the next one's. */
	page_of(1)[2] = (uint32_t)page_of(1)[0] | (uint64_t)VPMU_RESULT_DONE << 32;
	CHECK_EQ(way->read(&mailbox, 1, 5, &value), VPMU_GUEST_BUSY);
}

static void mailbox_answers_are_told_apart(void)
{
	static const struct {
		uint32_t result;
		int read;
		int write;
		int run;
	} rows[] = {
		{ VPMU_RESULT_DONE, 0, 0, 0 },
		{ VPMU_RESULT_SLOTS_FAILED, 0, 0, 0 },
		{ VPMU_RESULT_REFUSED, VPMU_GUEST_REFUSED, 0, VPMU_GUEST_NOT_RUN },
		{ VPMU_RESULT_FAULT, VPMU_GUEST_FAULT, VPMU_GUEST_FAULT, VPMU_GUEST_FAULT },
		{ VPMU_RESULT_NOT_RUN, VPMU_GUEST_HOST, VPMU_GUEST_HOST, VPMU_GUEST_HOST },
		{ 0xff, VPMU_GUEST_HOST, VPMU_GUEST_HOST, VPMU_GUEST_HOST },
	};
	const struct vpmu_guest_way *way = vpmu_guest_way_mailbox();
	uint64_t value = 0;

	begin();
	for (unsigned int i = 0; i < TEST_COUNT(rows); i++) {
		uint64_t words[3] = { VPMU_OP_READ | 1ull << 32, 0, 0 };

		host.result = rows[i].result;
		CHECK_EQ(way->read(&mailbox, 1, 5, &value), rows[i].read);
		CHECK_EQ(way->write(&mailbox, 1, 5, value), rows[i].write);
		CHECK_EQ(way->run(&mailbox, 1, 0, words, 3), rows[i].run);
	}
}

static int prepare(uint32_t word, uint64_t value, uint32_t block)
{
	uint64_t kept = region[word];
	int answer;

	region[word] = value;
	answer = vpmu_guest_mailbox_prepare(&mailbox, region, sizeof(region), block);
	region[word] = kept;
	return answer;
}

static void mailbox_header_is_checked(void)
{
	begin();
	CHECK_EQ(prepare(0, 0, 0), VPMU_GUEST_NO_DEVICE);
	CHECK_EQ(prepare(1, 0, 0), VPMU_GUEST_LEVEL);
	CHECK_EQ(prepare(1, 3, 0), VPMU_GUEST_LEVEL);
	CHECK_EQ(prepare(3, 4096, 0), VPMU_GUEST_HOST);
	CHECK_EQ(prepare(2, 1, 1), VPMU_GUEST_HOST);
	CHECK_EQ(prepare(2, UINT64_MAX, 2), VPMU_GUEST_HOST);
	CHECK_EQ(prepare(2, UINT64_MAX, UINT32_MAX), VPMU_GUEST_HOST);
	CHECK_EQ(vpmu_guest_mailbox_prepare(&mailbox, region, VPMU_GUEST_MAILBOX_BLOCK, 0),
		 VPMU_GUEST_HOST);
	CHECK_EQ(vpmu_guest_mailbox_prepare(&mailbox, region, 100, 0), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_mailbox_prepare(&mailbox, NULL, sizeof(region), 0), VPMU_GUEST_INVALID);
	mailbox.tries = 0;
	CHECK_EQ(prepare(0, VPMU_MAGIC, 0), VPMU_GUEST_INVALID);
	mailbox.tries = 1;
	mailbox.doorbell = NULL;
	CHECK_EQ(prepare(0, VPMU_MAGIC, 0), VPMU_GUEST_INVALID);
}

const struct test_case test_cases[] = {
	{ "R-MMIO-1", "mmio_register_is_a_word_of_the_window",
	  mmio_register_is_a_word_of_the_window },
	{ "R-MMIO-1", "mmio_start_reads_the_window", mmio_start_reads_the_window },
	{ "R-CALL-1", "ways_of_other_machines_are_missing", ways_of_other_machines_are_missing },
	{ "R-BOX-2", "mailbox_reads_and_writes", mailbox_reads_and_writes },
	{ "R-BOX-3", "mailbox_runs_batches", mailbox_runs_batches },
	{ "R-BOX-3", "mailbox_area_is_the_block", mailbox_area_is_the_block },
	{ "R-BOX-2", "mailbox_waits_for_a_bounded_time", mailbox_waits_for_a_bounded_time },
	{ "R-BOX-2", "mailbox_answers_are_told_apart", mailbox_answers_are_told_apart },
	{ "R-BOX-1", "mailbox_header_is_checked", mailbox_header_is_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
