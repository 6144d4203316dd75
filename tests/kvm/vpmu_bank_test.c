/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* KVM's own vPMU in images: what is read, what is refused, and that a load is whole or nothing. */

#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runner/runner.h"
#include "x86_kernel.h"

#define MOST (2 * VPMU_IMAGE_MAX_BANK_PAIRS)

static const struct x86_model models[] = {
	{ .name = "version 1", .version = 1, .counters = 2, .width = 40 },
	{ .name = "version 2",
	  .version = 2,
	  .counters = 4,
	  .width = 48,
	  .fixed = 3,
	  .fixed_width = 48 },
	{ .name = "version 5, all of it",
	  .version = 5,
	  .counters = 8,
	  .width = 48,
	  .fixed = 3,
	  .fixed_width = 48,
	  .tsx = 1,
	  .ds = 1,
	  .capable = 1,
	  .capabilities = 0x7fc0 & ~0xb00u },
	{ .name = "PEBS of format 2",
	  .version = 3,
	  .counters = 4,
	  .width = 48,
	  .fixed = 3,
	  .fixed_width = 40,
	  .ds = 1,
	  .capable = 1,
	  .capabilities = 0x2240 },
	{ .name = "K7", .amd = 1, .version = 1, .counters = 4, .width = 48 },
	{ .name = "core", .amd = 1, .version = 1, .counters = 6, .width = 48, .core = 1 },
	{ .name = "PerfMonV2", .amd = 1, .version = 2, .counters = 6, .width = 48, .core = 1 },
};

#define MODELS TEST_COUNT(models)
#define V2 (&models[1])
#define FULL (&models[2])
#define K7 (&models[4])

/* A kernel, and the bank that the VMM has there. */
struct place {
	struct x86_kernel kernel;
	struct vpmu_kvm_system system;
	struct vpmu_kvm_bank bank;
	struct vpmu_image_bank image;
};

static struct place here;
static struct place there;
static uint64_t pairs[MOST];
static unsigned short random_state[3];

static int32_t fd_of(void *opaque, uint32_t vcpu)
{
	CHECK(opaque == &here || opaque == &there);
	return vcpu == X86_KERNEL_VCPU ? X86_KERNEL_VCPU_FD : -1;
}

static int start(struct place *place, const struct x86_model *host, const struct x86_model *guest)
{
	place->system = x86_kernel_start(&place->kernel, host, guest);
	place->bank = (struct vpmu_kvm_bank){ .size = sizeof(place->bank),
					      .system = &place->system,
					      .vcpu_fd = fd_of,
					      .opaque = place,
					      .fd = X86_KERNEL_FD };
	place->image = (struct vpmu_image_bank){ .size = sizeof(place->image) };
	return vpmu_kvm_pmu_bank(&place->bank, &place->image);
}

static void quiet(struct place *place)
{
	place->kernel.calls = 0;
	place->kernel.write_count = 0;
	place->kernel.said = 0;
	place->kernel.text[0] = '\0';
}

static int save(struct place *place)
{
	memset(pairs, 0x55, sizeof(pairs));
	return place->image.save(place->image.opaque, X86_KERNEL_VCPU, pairs);
}

static int check(struct place *place, int count, uint32_t *culprit)
{
	*culprit = UINT32_MAX;
	return place->image.check(place->image.opaque, X86_KERNEL_VCPU, pairs, (uint32_t)count,
				  culprit);
}

static int load(struct place *place, int count)
{
	return place->image.load(place->image.opaque, X86_KERNEL_VCPU, pairs, (uint32_t)count);
}

static void seed(void)
{
	const char *given = getenv("VPMU_TEST_SEED");
	long long value = given ? strtoll(given, NULL, 0) : (long long)time(NULL);

	(void)printf("VPMU_TEST_SEED=%lld\n", value);
	(void)fflush(stdout);
	memcpy(random_state, &value, sizeof(random_state));
}

static uint64_t any(void)
{
	return (uint64_t)nrand48(random_state) << 42 ^ (uint64_t)nrand48(random_state) << 21 ^
	       (uint64_t)nrand48(random_state);
}

/* Whatever a guest can leave there. */
static void busy(struct place *place)
{
	for (uint32_t i = 0; i < place->kernel.msr_count; i++) {
		if (place->kernel.msrs[i].index != 0x345)
			place->kernel.msrs[i].value = any() & place->kernel.msrs[i].bits;
	}
}

static void check_same(const struct place *a, const struct place *b)
{
	CHECK_EQ(a->kernel.msr_count, b->kernel.msr_count);
	for (uint32_t i = 0; i < a->kernel.msr_count; i++) {
		CHECK_EQ(a->kernel.msrs[i].index, b->kernel.msrs[i].index);
		CHECK_EQ(a->kernel.msrs[i].value, b->kernel.msrs[i].value);
	}
}

/* ---- what is saved --------------------------------------------------------------------------- */

static void registers_stand_in_their_order(void)
{
	static const uint64_t version_2[] = {
		0x300330040201ull,
		0x309,
		0x30a,
		0x30b,
		0xc1,
		0xc2,
		0xc3,
		0xc4,
		0x186,
		0x187,
		0x188,
		0x189,
		0x38d,
		0x38e,
		0x38f,
	};
	static const uint64_t core_2[] = {
		0x4000030060202ull, 0xc0010201, 0xc0010203, 0xc0010205, 0xc0010207,
		0xc0010209,	    0xc001020b, 0xc0010200, 0xc0010202, 0xc0010204,
		0xc0010206,	    0xc0010208, 0xc001020a, 0xc0000300, 0xc0000301,
	};
	static const uint64_t full[] = {
		0xb300330080501ull,
		0x345,
		0x309,
		0x30a,
		0x30b,
		0xc1,
		0xc2,
		0xc3,
		0xc4,
		0xc5,
		0xc6,
		0xc7,
		0xc8,
		0x600,
		0x3f2,
		0x186,
		0x187,
		0x188,
		0x189,
		0x18a,
		0x18b,
		0x18c,
		0x18d,
		0x3f1,
		0x38d,
		0x38e,
		0x38f,
	};
	static const struct {
		const struct x86_model *model;
		const uint64_t *indices;
		int count;
	} rows[] = {
		{ V2, version_2, TEST_COUNT(version_2) },
		{ &models[6], core_2, TEST_COUNT(core_2) },
		{ FULL, full, TEST_COUNT(full) },
	};

	for (unsigned int i = 0; i < TEST_COUNT(rows); i++) {
		CHECK_EQ(start(&here, rows[i].model, rows[i].model), 0);
		CHECK_EQ(save(&here), rows[i].count);
		CHECK_EQ(pairs[0], 0);
		for (int n = 1; n < rows[i].count; n++)
			CHECK_EQ(pairs[2 * n], rows[i].indices[n]);
		CHECK_EQ(pairs[2 * rows[i].count], 0x5555555555555555ull);
	}
}

static void the_shape_is_what_both_have(void)
{
	struct x86_model guest = *FULL;

	/* Bits: kind, version, counters, width, fixed, their width, then flags. */
	CHECK_EQ(start(&here, FULL, FULL), 0);
	CHECK(save(&here) > 0);
	CHECK_EQ(pairs[1], 1ull | 5ull << 8 | 8ull << 16 | 48ull << 24 | 3ull << 32 | 48ull << 40 |
				   1ull << 48 | 1ull << 49 | 1ull << 51);
	CHECK_EQ(pairs[3], FULL->capabilities);
	CHECK_EQ(start(&here, V2, &guest), 0);
	CHECK(save(&here) > 0);
	CHECK_EQ(pairs[1], 1ull | 2ull << 8 | 4ull << 16 | 48ull << 24 | 3ull << 32 | 48ull << 40);
	CHECK_EQ(start(&here, &models[0], &guest), 0);
	CHECK_EQ(save(&here), 1 + 2 + 2);
	CHECK_EQ(pairs[1], 1ull | 1ull << 8 | 2ull << 16 | 40ull << 24);
	CHECK_EQ(start(&here, &models[6], K7), 0);
	CHECK_EQ(save(&here), 1 + 8);
	CHECK_EQ(pairs[1], 2ull | 1ull << 8 | 4ull << 16 | 48ull << 24);
	CHECK_EQ(start(&here, &models[6], &models[6]), 0);
	CHECK(save(&here) > 0);
	CHECK_EQ(pairs[1], 2ull | 2ull << 8 | 6ull << 16 | 48ull << 24 | 1ull << 50);
}

static void a_vcpu_without_one_has_no_record(void)
{
	static const struct x86_model none = { .name = "none" };
	static const struct x86_model amd_none = { .amd = 1, .core = 1 };
	uint32_t culprit;
	int count;

	CHECK_EQ(start(&here, V2, &none), 0);
	CHECK_EQ(save(&here), 0);
	CHECK_EQ(start(&here, V2, V2), 0);
	count = save(&here);
	/* KVM of a host may have none; of AMD's, CPUID would still have K7 counters. */
	CHECK_EQ(start(&there, &none, V2), VPMU_KVM_PMU_NONE);
	CHECK_EQ(check(&there, count, &culprit), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(load(&there, count), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(there.kernel.write_count, 0);
	CHECK_EQ(save(&there), 0);
	CHECK_EQ(start(&there, &amd_none, K7), VPMU_KVM_PMU_NONE);
	CHECK_EQ(save(&there), 0);
}

static void what_is_not_carried_is_not_saved(void)
{
	struct x86_model rows[6];

	for (unsigned int i = 0; i < TEST_COUNT(rows); i++)
		rows[i] = *FULL;
	rows[0].capabilities |= 5;	 /* LBR */
	rows[1].capabilities |= 1 << 15; /* metrics */
	rows[2].capabilities |= 1 << 16; /* PEBS by Intel PT */
	rows[3].version = 6;
	rows[4].fixed = 4;
	rows[5].counters = 10;
	for (unsigned int i = 0; i < TEST_COUNT(rows); i++) {
		/* More registers than there are places for: only CPUID says so. */
		struct x86_model made = i < 4 ? rows[i] : *FULL;

		CHECK_EQ(start(&here, &made, &made), 0);
		here.kernel.host = rows[i];
		here.kernel.guest = rows[i];
		CHECK_EQ(vpmu_kvm_pmu_bank(&here.bank, &here.image), 0);
		quiet(&here);
		CHECK_EQ(save(&here), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(here.kernel.said, 1);
	}
	/* A bit of a register that nobody knows. */
	CHECK_EQ(start(&here, V2, V2), 0);
	x86_kernel_msr(&here.kernel, 0x38e)->value = 1ull << 58;
	CHECK_EQ(save(&here), VPMU_ERROR_UNSUPPORTED);
	CHECK(strstr(here.kernel.text, "0x38e") != NULL);
}

/* ---- what comes back ------------------------------------------------------------------------- */

static void a_loaded_pmu_is_saved_the_same(void)
{
	uint64_t first[MOST];
	uint32_t culprit;

	seed();
	for (unsigned int round = 0; round < 100 * MODELS; round++) {
		const struct x86_model *model = &models[round % MODELS];
		int count;

		CHECK_EQ(start(&here, model, model), 0);
		CHECK_EQ(start(&there, model, model), 0);
		busy(&here);
		busy(&there); /* it may have been used before */
		count = save(&here);
		CHECK(count > 1);
		memcpy(first, pairs, sizeof(first));
		quiet(&there);
		CHECK_EQ(check(&there, count, &culprit), 0);
		CHECK_EQ(there.kernel.write_count, 0);
		CHECK_EQ(load(&there, count), 0);
		CHECK_EQ(there.kernel.said, 0);
		check_same(&here, &there);
		CHECK_EQ(save(&there), count);
		CHECK_MEM(pairs, first, sizeof(first));
	}
}

static int is_counter(uint32_t index)
{
	return (index >= 0xc1 && index <= 0xc8) || (index >= 0x309 && index <= 0x30b) ||
	       (index >= 0xc0010004 && index <= 0xc0010007) ||
	       (index >= 0xc0010200 && index % 2 == 1);
}

static int is_control(uint32_t index)
{
	return !is_counter(index) && index != 0x38e && index != 0xc0000300 && index != 0x600 &&
	       index != 0x3f2;
}

/* All that lets something count is 0 before the first counter is set, and set after the last one. */
static void nothing_counts_while_it_is_set(void)
{
	seed();
	for (unsigned int i = 0; i < MODELS; i++) {
		const struct x86_kernel *kernel = &there.kernel;
		uint32_t global = models[i].version < 2 ? 0 : models[i].amd ? 0xc0000301 : 0x38f;
		uint32_t at = 0;
		int count;

		CHECK_EQ(start(&here, &models[i], &models[i]), 0);
		CHECK_EQ(start(&there, &models[i], &models[i]), 0);
		busy(&here);
		busy(&there);
		count = save(&here);
		quiet(&there);
		CHECK_EQ(load(&there, count), 0);
		if (global)
			CHECK_EQ(kernel->writes[0].index, global);
		for (; is_control(kernel->writes[at].index); at++)
			CHECK_EQ(kernel->writes[at].value, 0);
		for (uint32_t n = 0; n < at; n++)
			CHECK(is_control(kernel->writes[n].index));
		for (; !is_control(kernel->writes[at].index); at++)
			CHECK(at < kernel->write_count);
		for (; at < kernel->write_count; at++)
			CHECK(!is_counter(kernel->writes[at].index));
		if (global)
			CHECK_EQ(kernel->writes[at - 1].index, global);
	}
}

static const struct {
	size_t at;
	uint64_t value;
	int wide;
	uint32_t culprit;
} others[] = {
	{ offsetof(struct x86_model, version), 4, 0, 0 },
	{ offsetof(struct x86_model, counters), 4, 0, 0 },
	{ offsetof(struct x86_model, width), 40, 0, 0 },
	{ offsetof(struct x86_model, fixed), 2, 0, 0 },
	{ offsetof(struct x86_model, fixed_width), 40, 0, 0 },
	{ offsetof(struct x86_model, tsx), 0, 0, 0 },
	{ offsetof(struct x86_model, ds), 0, 0, 0 },
	{ offsetof(struct x86_model, capable), 0, 0, 0 },
	{ offsetof(struct x86_model, capabilities), 0x30c0, 1, 1 },
};

/* Fewer counters, narrower ones, another CPU: of the host's or of what the VMM gave to the vCPU. */
static void another_pmu_is_refused_before_anything_is_written(void)
{
	for (unsigned int i = 0; i < 2 * TEST_COUNT(others); i++) {
		struct x86_model other = *FULL;
		unsigned int row = i / 2;
		uint32_t culprit;
		int count;

		memcpy((uint8_t *)&other + others[row].at, &others[row].value,
		       others[row].wide ? 8 : 4);
		CHECK_EQ(start(&here, FULL, FULL), 0);
		count = save(&here);
		CHECK_EQ(start(&there, i % 2 && !others[row].wide ? &other : FULL,
			       i % 2 && !others[row].wide ? FULL : &other),
			 0);
		quiet(&there);
		CHECK_EQ(check(&there, count, &culprit), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(culprit, others[row].culprit);
		CHECK_EQ(there.kernel.said, 1);
		CHECK_EQ(load(&there, count), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(there.kernel.write_count, 0);
	}
	for (unsigned int from = 0; from < MODELS; from++) {
		for (unsigned int to = 0; to < MODELS; to++) {
			uint32_t culprit;
			int count;

			CHECK_EQ(start(&here, &models[from], &models[from]), 0);
			count = save(&here);
			CHECK_EQ(start(&there, &models[to], &models[to]), 0);
			CHECK_EQ(check(&there, count, &culprit),
				 from == to ? 0 : VPMU_ERROR_UNSUPPORTED);
		}
	}
}

/* An image that nobody checked: every bit of every pair, alone. */
static void changed_pairs_are_refused_or_are_that_state(void)
{
	for (unsigned int i = 0; i < MODELS; i++) {
		int count;

		CHECK_EQ(start(&here, &models[i], &models[i]), 0);
		count = save(&here);
		CHECK_EQ(start(&there, &models[i], &models[i]), 0);
		for (uint32_t bit = 0; bit < 128u * (uint32_t)count; bit++) {
			uint32_t culprit;
			uint32_t word = bit / 64;
			const struct x86_msr *msr =
				x86_kernel_msr(&there.kernel, (uint32_t)pairs[word - word % 2]);
			int good =
				word % 2 && word > 1 && msr->index != 0x345 &&
				(msr->bits >> bit % 64 & 1 ||
				 /* AMD's newer kernels know these. */
				 (msr->bits == 0xfffd7ffff && (bit % 64 == 40 || bit % 64 == 41)));

			pairs[word] ^= 1ull << bit % 64;
			CHECK_EQ(check(&there, count, &culprit) == 0, good);
			if (!good) {
				CHECK_EQ(culprit, word / 2);
				quiet(&there);
				CHECK(load(&there, count) < 0);
				CHECK_EQ(there.kernel.write_count, 0);
			}
			pairs[word] ^= 1ull << bit % 64;
		}
	}
}

static void pairs_are_all_of_them_and_no_others(void)
{
	uint32_t culprit;
	int count;

	CHECK_EQ(start(&here, FULL, FULL), 0);
	CHECK_EQ(start(&there, FULL, FULL), 0);
	count = save(&here);
	for (int fewer = 0; fewer < count; fewer++) {
		CHECK_EQ(check(&there, fewer, &culprit), VPMU_ERROR_INVALID);
		CHECK_EQ(culprit, fewer > 1 ? fewer : fewer == 1);
	}
	CHECK_EQ(check(&there, count + 1, &culprit), VPMU_ERROR_INVALID);
	CHECK_EQ(culprit, count);
	CHECK_EQ(check(&there, VPMU_IMAGE_MAX_BANK_PAIRS, &culprit), VPMU_ERROR_INVALID);
	/* Two in the other order; one twice. */
	pairs[6] = 0x30b;
	CHECK_EQ(check(&there, count, &culprit), VPMU_ERROR_INVALID);
	CHECK_EQ(culprit, 3);
	pairs[6] = 0x309;
	CHECK_EQ(check(&there, count, &culprit), VPMU_ERROR_INVALID);
	CHECK_EQ(culprit, 3);
}

static void shapes_that_none_has_are_refused(void)
{
	static const uint64_t shapes[] = {
		0,
		0x300330040200,	 /* no kind */
		0x300330040203,	 /* another */
		0x300330040001,	 /* no version */
		0x300330040601,	 /* a newer one */
		0x300330000201,	 /* no counter */
		0x300330090201,	 /* nine */
		0x300300040201,	 /* no width */
		0x300340040201,	 /* 64 bits */
		0x300430040201,	 /* four fixed counters */
		0x300030040201,	 /* a width of none */
		0x000330040201,	 /* none of three */
		0x400330040201,	 /* 64 bits */
		0x300330040101,	 /* fixed ones in version 1 */
		0x4300330040201, /* core */
		0x30040002,	 /* no version of AMD */
		0x30040302,	 /* a newer one */
		0x30050102,	 /* five K7 counters */
		0x4000030070102, /* seven core counters */
		0x4000030000102, /* none */
		0x2f040102,	 /* another width */
		0x130040102,	 /* a fixed counter */
		0x10030040102,	 /* its width */
		0x1000030040102, /* transactions */
		0x2000030040102, /* DS */
		0x8000030040102, /* capabilities */
		0x10300330040201 /* a bit that means nothing */
	};
	uint32_t culprit;

	CHECK_EQ(start(&there, V2, V2), 0);
	for (unsigned int i = 0; i < TEST_COUNT(shapes); i++) {
		pairs[0] = 0;
		pairs[1] = shapes[i];
		CHECK_EQ(check(&there, 1, &culprit), VPMU_ERROR_INVALID);
		CHECK_EQ(culprit, 0);
	}
}

/* ---- what fails ------------------------------------------------------------------------------ */

static void each_call_fails(void)
{
	uint32_t culprit;
	int count;

	/* CPUID and the list; CPUID, capabilities, registers. */
	for (uint32_t failing = 1; failing <= 2; failing++) {
		struct vpmu_image_bank untouched = { .size = sizeof(untouched) };

		CHECK_EQ(start(&here, FULL, FULL), 0);
		quiet(&here);
		here.kernel.failing = failing;
		here.kernel.failure = -EFAULT;
		CHECK_EQ(vpmu_kvm_pmu_bank(&here.bank, &untouched), VPMU_ERROR_SYSTEM);
		CHECK(!untouched.save && !untouched.check && !untouched.load);
		CHECK_EQ(here.kernel.said, 1);
	}
	for (uint32_t failing = 1; failing <= 3; failing++) {
		CHECK_EQ(start(&here, FULL, FULL), 0);
		quiet(&here);
		here.kernel.failing = failing;
		here.kernel.failure = -EFAULT;
		CHECK_EQ(save(&here), VPMU_ERROR_SYSTEM);
		CHECK_EQ(here.kernel.said, 1);
	}
	CHECK_EQ(start(&here, FULL, FULL), 0);
	busy(&here);
	count = save(&here);
	/* CPUID, capabilities, those of before, the new ones, those again. */
	for (uint32_t failing = 1; failing <= 6; failing++) {
		static struct place before;

		CHECK_EQ(start(&there, FULL, FULL), 0);
		busy(&there);
		before = there;
		quiet(&there);
		there.kernel.failing = failing;
		there.kernel.failure = -EFAULT;
		CHECK_EQ(load(&there, count), failing < 6 ? VPMU_ERROR_SYSTEM : 0);
		check_same(&there, failing < 6 ? &before : &here);
		CHECK_EQ(there.kernel.said, failing < 6);
		quiet(&there);
		CHECK_EQ(check(&there, count, &culprit), failing <= 2 ? VPMU_ERROR_SYSTEM : 0);
	}
}

/* KVM_GET_MSRS and KVM_SET_MSRS stop at the first register that they refuse. */
static void a_partial_transfer_is_found_named_and_undone(void)
{
	seed();
	for (unsigned int i = 0; i < MODELS; i++) {
		uint32_t calls = models[i].capable ? 3 : 2;
		char name[32];
		int count;

		CHECK_EQ(start(&here, &models[i], &models[i]), 0);
		busy(&here);
		count = save(&here);
		for (int64_t stop = 0; stop < count - (int)calls + 1; stop++) {
			quiet(&here);
			here.kernel.failing = calls;
			here.kernel.failure = stop;
			CHECK_EQ(save(&here), VPMU_ERROR_UNSUPPORTED);
			here.kernel.failing = 0;
			CHECK_EQ(save(&here), count);
			(void)snprintf(name, sizeof(name), "MSR 0x%x,",
				       (unsigned int)pairs[2 * (stop + calls - 1)]);
			CHECK(strstr(here.kernel.text, name) != NULL);
		}
		for (int64_t stop = 0; stop < X86_KERNEL_WRITES; stop++) {
			static struct place before;
			int answer;

			CHECK_EQ(start(&there, &models[i], &models[i]), 0);
			busy(&there);
			before = there;
			quiet(&there);
			there.kernel.failing = calls + 1;
			there.kernel.failure = stop;
			answer = load(&there, count);
			if (answer == 0)
				break; /* it was not as long as that */
			CHECK_EQ(answer, VPMU_ERROR_UNSUPPORTED);
			check_same(&there, &before);
			CHECK_EQ(there.kernel.said, 1);
			CHECK(strstr(there.kernel.text, "KVM_SET_MSRS stopped at MSR 0x") != NULL);
			CHECK(stop < X86_KERNEL_WRITES - 1);
		}
		check_same(&there, &here);
	}
}

/* A register that the kernel does not list, one that it refuses, one whose value it drops: each of
 * them. */
static void each_register_is_missing_refused_or_dropped(void)
{
	int count;

	seed();
	CHECK_EQ(start(&here, FULL, FULL), 0);
	busy(&here);
	for (uint32_t i = 0; i < here.kernel.msr_count; i++)
		here.kernel.msrs[i].value |= here.kernel.msrs[i].bits & 3;
	count = save(&here);
	for (int at = 2; at < count; at++) {
		uint32_t index = (uint32_t)pairs[2 * at];
		static struct place before;
		uint32_t culprit;

		CHECK_EQ(start(&there, FULL, FULL), 0);
		there.kernel.unlisted = index;
		CHECK_EQ(vpmu_kvm_pmu_bank(&there.bank, &there.image), 0);
		CHECK_EQ(check(&there, count, &culprit), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(there.kernel.write_count, 0);

		CHECK_EQ(start(&there, FULL, FULL), 0);
		there.kernel.ignored = index;
		before = there;
		CHECK_EQ(load(&there, count), VPMU_ERROR_STATE);
		check_same(&there, &before);

		if (x86_kernel_msr(&there.kernel, index)->bits == (1ull << 48) - 1)
			continue; /* counters are cut, not refused */
		CHECK_EQ(start(&there, FULL, FULL), 0);
		x86_kernel_msr(&there.kernel, index)->bits &= ~3ull;
		x86_kernel_msr(&there.kernel, index)->value &= ~3ull;
		before = there;
		CHECK_EQ(load(&there, count), VPMU_ERROR_UNSUPPORTED);
		check_same(&there, &before);
	}
	/* AMD's bits of host and guest that an older kernel drops. */
	CHECK_EQ(start(&there, K7, K7), 0);
	count = save(&there);
	pairs[2 * 5 + 1] = 1ull << 40;
	CHECK_EQ(load(&there, count), VPMU_ERROR_STATE);
	CHECK_EQ(x86_kernel_msr(&there.kernel, 0xc0010000)->value, 0);
}

static void a_rollback_that_fails_is_told(void)
{
	int count;

	CHECK_EQ(start(&here, V2, V2), 0);
	count = save(&here);
	for (uint32_t too = 4; too <= 5; too++) {
		CHECK_EQ(start(&there, V2, V2), 0);
		quiet(&there);
		there.kernel.failing = 3; /* CPUID, those of before, the new ones */
		there.kernel.failing_too = too;
		there.kernel.failure = 6;
		CHECK_EQ(load(&there, count), VPMU_ERROR_SYSTEM);
		CHECK_EQ(there.kernel.said, 3);
	}
}

static void arguments_are_checked(void)
{
	struct vpmu_image_bank small = { .size = 8 };
	struct vpmu_kvm_bank bank;
	uint32_t culprit;
	uint8_t longer[sizeof(bank) + 8] = { 0 };

	CHECK_EQ(start(&here, V2, V2), 0);
	bank = here.bank;
	CHECK_EQ(vpmu_kvm_pmu_bank(NULL, &here.image), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_pmu_bank(&bank, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_pmu_bank(&bank, &small), VPMU_ERROR_INVALID);
	bank.size--;
	CHECK_EQ(vpmu_kvm_pmu_bank(&bank, &here.image), VPMU_ERROR_INVALID);
	bank = here.bank;
	bank.vcpu_fd = NULL;
	CHECK_EQ(vpmu_kvm_pmu_bank(&bank, &here.image), VPMU_ERROR_INVALID);
	bank = here.bank;
	bank.reserved = 1;
	CHECK_EQ(vpmu_kvm_pmu_bank(&bank, &here.image), VPMU_ERROR_INVALID);
	bank = here.bank;
	bank.size = sizeof(longer);
	memcpy(longer, &bank, sizeof(bank));
	longer[sizeof(bank)] = 1;
	CHECK_EQ(vpmu_kvm_pmu_bank((struct vpmu_kvm_bank *)(void *)longer, &here.image),
		 VPMU_ERROR_TOO_BIG);
	/* A vCPU that the VMM does not know. */
	quiet(&here);
	CHECK_EQ(here.image.save(here.image.opaque, 6, pairs), VPMU_ERROR_GONE);
	CHECK_EQ(here.image.check(here.image.opaque, 6, pairs, 1, &culprit), VPMU_ERROR_GONE);
	CHECK_EQ(here.image.load(here.image.opaque, 6, pairs, 1), VPMU_ERROR_GONE);
	CHECK_EQ(here.kernel.said, 3);
	CHECK_EQ(here.kernel.calls, 0);
	CHECK_EQ(here.image.size, sizeof(here.image));
	CHECK_EQ(here.image.bank, VPMU_IMAGE_BANK_X86_PMU);
}

const struct test_case test_cases[] = {
	{ "R-BANK-4", "registers_stand_in_their_order", registers_stand_in_their_order },
	{ "R-BANK-5", "the_shape_is_what_both_have", the_shape_is_what_both_have },
	{ "R-BANK-1", "a_vcpu_without_one_has_no_record", a_vcpu_without_one_has_no_record },
	{ "R-BANK-7", "what_is_not_carried_is_not_saved", what_is_not_carried_is_not_saved },
	{ "R-BANK-6", "a_loaded_pmu_is_saved_the_same", a_loaded_pmu_is_saved_the_same },
	{ "R-BANK-6", "nothing_counts_while_it_is_set", nothing_counts_while_it_is_set },
	{ "R-BANK-5", "another_pmu_is_refused_before_anything_is_written",
	  another_pmu_is_refused_before_anything_is_written },
	{ "R-BANK-3", "changed_pairs_are_refused_or_are_that_state",
	  changed_pairs_are_refused_or_are_that_state },
	{ "R-BANK-4", "pairs_are_all_of_them_and_no_others", pairs_are_all_of_them_and_no_others },
	{ "R-BANK-2", "shapes_that_none_has_are_refused", shapes_that_none_has_are_refused },
	{ "R-MIG-4", "each_call_fails", each_call_fails },
	{ "R-BANK-6", "a_partial_transfer_is_found_named_and_undone",
	  a_partial_transfer_is_found_named_and_undone },
	{ "R-BANK-6", "each_register_is_missing_refused_or_dropped",
	  each_register_is_missing_refused_or_dropped },
	{ "R-BANK-6", "a_rollback_that_fails_is_told", a_rollback_that_fails_is_told },
	{ "bank", "arguments_are_checked", arguments_are_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
