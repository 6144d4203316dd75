/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Descriptions of PMUs, from what the CPU says of itself. */
#include <string.h>

#include <vpmu/convert.h>
#include <vpmu/registers.h>

#define BIT(n) (1ull << (n))
#define EVENTS (BIT(VPMU_HARDWARE_REF_CYCLES + 1) - 2)

/* CPUID 0xa, EBX: a bit is set for an architectural event that is missing. */
static const uint32_t intel_missing[] = {
	VPMU_HARDWARE_CYCLES,		VPMU_HARDWARE_INSTRUCTIONS, VPMU_HARDWARE_BUS_CYCLES,
	VPMU_HARDWARE_CACHE_REFERENCES, VPMU_HARDWARE_CACHE_MISSES, VPMU_HARDWARE_BRANCHES,
	VPMU_HARDWARE_BRANCH_MISSES
};

static const struct vpmu_hardware intel = {
	.user = BIT(16),
	.kernel = BIT(17),
	.interrupt = BIT(20),
	.enable = BIT(22),
	.select_bits = 0xffd7ffff,
	.select = 0x186,
	.select_step = 1,
	.counter = 0xc1,
	.counter_write = 0xc1,
	.counter_step = 1,
	.fixed_counter = 0x309,
	.fixed_control = 0x38d,
	.global_control = 0x38f,
	.global_status = 0x38e,
	.global_clear = 0x390,
	.write_bits = 32,
};

static int describe_intel(const uint64_t words[4], struct vpmu_hardware *made)
{
	uint32_t version = words[0] & 0xff;
	uint32_t known = words[0] >> 24 & 0xff;

	*made = intel;
	made->counters = words[0] >> 8 & 0xff;
	made->width = words[0] >> 16 & 0xff;
	made->fixed = words[2] & 0x1f;
	made->fixed_width = words[2] >> 5 & 0xff;
	made->overflow = made->width;
	if (version < 2 || made->counters == 0 || made->width < 32 || made->width > 63)
		return VPMU_ERROR_UNSUPPORTED;
	if (made->counters > 32)
		made->counters = 32;
	/* Fixed counters past these count what no generic event asks for. */
	if (made->fixed > 3)
		made->fixed = 3;
	made->events = EVENTS;
	for (uint32_t i = 0; i < sizeof(intel_missing) / sizeof(intel_missing[0]); i++)
		if (i >= known || words[1] >> i & 1)
			made->events &= ~BIT(intel_missing[i]);
	if (words[3] & BIT(13)) {
		made->counter_write = 0x4c1;
		made->write_bits = made->width;
	}
	return 0;
}

static const struct vpmu_hardware amd = {
	.user = BIT(16),
	.kernel = BIT(17),
	.interrupt = BIT(20),
	.enable = BIT(22),
	.guest = BIT(40),
	.host = BIT(41),
	.select_bits = 0x30fffd7ffff,
	.events = EVENTS,
	.counters = 6,
	.width = 48,
	.overflow = 48,
	.write_bits = 48,
	.select = 0xc0010200,
	.select_step = 2,
	.counter = 0xc0010201,
	.counter_write = 0xc0010201,
	.counter_step = 2,
};

static int describe_amd(const uint64_t words[4], struct vpmu_hardware *made)
{
	*made = amd;
	if (!(words[0] & BIT(23)))
		return VPMU_ERROR_UNSUPPORTED;
	if (words[1] & 1) {
		made->global_status = 0xc0000300;
		made->global_control = 0xc0000301;
		made->global_clear = 0xc0000302;
		made->counters = words[2] & 15;
	}
	return made->counters ? 0 : VPMU_ERROR_UNSUPPORTED;
}

/* A counter overflows when its bit 63 becomes 1, and goes on. */
static const struct vpmu_hardware loongarch = {
	.user = BIT(18) | BIT(19),
	.kernel = BIT(16),
	.interrupt = BIT(20),
	.select_bits = 0x1f03ff,
	.events = EVENTS,
	.select = 0x200,
	.select_step = 2,
	.counter = 0x201,
	.counter_write = 0x201,
	.counter_step = 2,
};

static int describe_loongarch(const uint64_t words[4], struct vpmu_hardware *made)
{
	*made = loongarch;
	made->counters = (words[0] >> 4 & 15) + 1;
	made->width = (words[0] >> 8 & 63) + 1;
	made->overflow = made->width - 1;
	made->write_bits = made->width;
	return words[0] & 1 && made->width == 64 ? 0 : VPMU_ERROR_UNSUPPORTED;
}

int vpmu_hardware_describe(uint32_t model, const uint64_t identity[4],
			   struct vpmu_hardware *hardware)
{
	static int (*const describe[])(const uint64_t words[4], struct vpmu_hardware *made) = {
		[VPMU_CONVERT_MODEL_INTEL] = describe_intel,
		[VPMU_CONVERT_MODEL_AMD] = describe_amd,
		[VPMU_CONVERT_MODEL_LOONGARCH] = describe_loongarch,
	};
	struct vpmu_hardware made;
	int error;

	if (model >= sizeof(describe) / sizeof(describe[0]) || !describe[model])
		return VPMU_ERROR_INVALID;
	error = describe[model](identity, &made);
	if (error)
		return error;
	made.size = sizeof(made);
	made.model = model;
	*hardware = made;
	return 0;
}
