/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Events as the registers of PMUs name them (abi/CONVERT.md section 8). */

#include <string.h>

#include <vpmu/convert.h>

#include "events.h"
#include "report.h"

#define MODELS 3
/* No code of any model is 0 but that of LoongArch's cycles, so a code is kept with a bit that says
 * it exists. */
#define CODE(code) ((code) | EXISTS)
#define FIXED(counter) ((uint64_t)((counter) + 1) << 40)
#define EXISTS (1ull << 48)

struct selector_row {
	uint32_t type;
	uint32_t config;
	uint64_t code[MODELS]; /* 0: the model has no such event */
};

#define HARDWARE(event, intel, amd, loongarch)             \
	{                                                  \
		VPMU_TYPE_HARDWARE, VPMU_HARDWARE_##event, \
		{                                          \
			intel, amd, loongarch              \
		}                                          \
	}
#define CACHE(cache, op, result, amd, loongarch)                       \
	{                                                              \
		VPMU_TYPE_CACHE,                                       \
			VPMU_CACHE_##cache | VPMU_CACHE_OP_##op << 8 | \
				VPMU_CACHE_RESULT_##result << 16,      \
		{                                                      \
			0, amd, loongarch                              \
		}                                                      \
	}

/*
 * Intel SDM volume 3, "Architectural Performance Events" and fixed counters; Linux,
 * amd_f17h_perfmon_event_map and its cache table in arch/x86/events/amd/core.c;
 * arch/loongarch/kernel/perf_event.c.
 */
static const struct selector_row rows[] = {
	HARDWARE(CYCLES, CODE(0x003c) | FIXED(1), CODE(0x0076), CODE(0x00)),
	HARDWARE(INSTRUCTIONS, CODE(0x00c0) | FIXED(0), CODE(0x00c0), CODE(0x01)),
	HARDWARE(CACHE_REFERENCES, CODE(0x4f2e), CODE(0xff60), CODE(0x08)),
	HARDWARE(CACHE_MISSES, CODE(0x412e), CODE(0x0964), CODE(0x09)),
	HARDWARE(BRANCHES, CODE(0x00c4), CODE(0x00c2), CODE(0x02)),
	HARDWARE(BRANCH_MISSES, CODE(0x00c5), CODE(0x00c3), CODE(0x03)),
	HARDWARE(BUS_CYCLES, CODE(0x013c), 0, 0),
	HARDWARE(REF_CYCLES, FIXED(2), 0, 0),
	CACHE(L1D, READ, ACCESS, CODE(0x0040), CODE(0x08)),
	CACHE(L1D, READ, MISS, CODE(0xc860), CODE(0x09)),
	CACHE(L1D, WRITE, ACCESS, 0, CODE(0x08)),
	CACHE(L1D, WRITE, MISS, 0, CODE(0x09)),
	CACHE(L1D, PREFETCH, ACCESS, CODE(0xff5a), CODE(0xaa)),
	CACHE(L1D, PREFETCH, MISS, 0, CODE(0xa9)),
	CACHE(L1I, READ, ACCESS, CODE(0x0080), CODE(0x06)),
	CACHE(L1I, READ, MISS, CODE(0x0081), CODE(0x07)),
	CACHE(LL, READ, ACCESS, 0, CODE(0x0c)),
	CACHE(LL, READ, MISS, 0, CODE(0x0d)),
	CACHE(LL, WRITE, ACCESS, 0, CODE(0x0c)),
	CACHE(LL, WRITE, MISS, 0, CODE(0x0d)),
	CACHE(DTLB, READ, ACCESS, CODE(0xff45), CODE(0x04)),
	CACHE(DTLB, READ, MISS, CODE(0xf045), CODE(0x3c)),
	CACHE(DTLB, WRITE, ACCESS, 0, CODE(0x04)),
	CACHE(DTLB, WRITE, MISS, 0, CODE(0x3c)),
	CACHE(ITLB, READ, ACCESS, CODE(0x0084), 0),
	CACHE(ITLB, READ, MISS, CODE(0xff85), CODE(0x3b)),
	CACHE(BPU, READ, ACCESS, CODE(0x00c2), CODE(0x02)),
	CACHE(BPU, READ, MISS, CODE(0x00c3), CODE(0x03)),
};

/* Bits that a raw event may have. */
static const uint64_t raw_bits[MODELS] = { 0xff84ffff, 0xfff84ffff, 0x3ff };

static uint64_t code_of(const struct guest_perf_attr *attr, uint32_t model)
{
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == attr->type && rows[i].config == attr->config)
			return rows[i].code[model];
	return 0;
}

static int encode(const struct guest_perf_attr *attr, uint32_t model,
		  struct vpmu_convert_selector *made)
{
	uint64_t code;

	made->fixed = VPMU_CONVERT_NO_FIXED;
	made->only_fixed = 0;
	if (attr->type == VPMU_TYPE_RAW) {
		made->event = attr->config;
		return attr->config & ~raw_bits[model] ? VPMU_ERROR_DENIED : 0;
	}
	code = code_of(attr, model);
	if (!code)
		return VPMU_ERROR_UNSUPPORTED;
	made->event = code & (FIXED(0) - 1);
	made->only_fixed = !(code & EXISTS);
	if (code >> 40 & 0xff)
		made->fixed = (uint32_t)(code >> 40 & 0xff) - 1;
	return 0;
}

int vpmu_convert_selector(const struct guest_perf_attr *attr, uint32_t model,
			  struct vpmu_convert_selector *selector)
{
	struct vpmu_convert_selector made;
	const char *reason;
	int error = vpmu_sized_check(selector, sizeof(made));

	if (error)
		return error;
	if (model < VPMU_CONVERT_MODEL_INTEL || model > VPMU_CONVERT_MODEL_LOONGARCH)
		return VPMU_ERROR_INVALID;
	if ((attr->type == VPMU_TYPE_RAW) && (attr->config1 || attr->config2))
		return VPMU_ERROR_UNSUPPORTED;
	if (vpmu_convert_event_fault(attr, &reason))
		return VPMU_ERROR_INVALID;
	memcpy(&made, selector, sizeof(made));
	error = encode(attr, model - 1, &made);
	if (!error)
		memcpy(selector, &made, sizeof(made));
	return error;
}
