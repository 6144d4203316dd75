/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "unit/convert_attr.h"

/* user, kernel, hypervisor, idle, host, guest: h honoured, i ignored, r refused */
static const char golden[][7] = {
	[VPMU_CONVERT_PMU_X86_CORE] = "hhiihh",	  [VPMU_CONVERT_PMU_AMD_IBS] = "rrrrrr",
	[VPMU_CONVERT_PMU_NO_EXCLUDE] = "rrrrrr", [VPMU_CONVERT_PMU_ARM64_VHE] = "hhirhh",
	[VPMU_CONVERT_PMU_ARM64_NVHE] = "hhhrhh", [VPMU_CONVERT_PMU_LOONGARCH] = "hhiiii",
	[VPMU_CONVERT_PMU_SOFTWARE] = "iiiiii",
};

static int rank(char c)
{
	return c == 'h' ? VPMU_CONVERT_HONOURED :
	       c == 'i' ? VPMU_CONVERT_IGNORED :
			  VPMU_CONVERT_REFUSED;
}

/* Each flag alone and every set of flags: the worst of its members. */
static void every_set(void)
{
	for (uint32_t pmu = 0; pmu < TEST_COUNT(golden); pmu++) {
		for (uint32_t set = 0; set < 64; set++) {
			int worst = VPMU_CONVERT_HONOURED;

			for (uint32_t flag = 0; flag < 6; flag++) {
				int own = rank(golden[pmu][flag]);

				if (set >> flag & 1 && own > worst)
					worst = own;
			}
			CHECK_EQ(vpmu_convert_exclude(pmu, set), worst);
		}
	}
}

static void unknown(void)
{
	CHECK_EQ(vpmu_convert_exclude(TEST_COUNT(golden), 0), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_convert_exclude(UINT32_MAX, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_convert_exclude(0, 64), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_convert_exclude(0, FLAG(31)), VPMU_ERROR_INVALID);
}

const struct test_case test_cases[] = {
	{ "R-CONV-24", "every set", every_set },
	{ "R-CONV-24", "unknown kinds and flags", unknown },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
