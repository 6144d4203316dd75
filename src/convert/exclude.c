/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <vpmu/convert.h>

#define EXCLUSIONS 6
#define PMUS 7

#define HONOURED VPMU_CONVERT_HONOURED
#define IGNORED VPMU_CONVERT_IGNORED
#define REFUSED VPMU_CONVERT_REFUSED

/* In the order of enum vpmu_convert_exclusion: user, kernel, hypervisor, idle, host, guest. */
static const uint8_t honesty[PMUS][EXCLUSIONS] = {
	[VPMU_CONVERT_PMU_X86_CORE] = { HONOURED, HONOURED, IGNORED, IGNORED, HONOURED, HONOURED },
	[VPMU_CONVERT_PMU_AMD_IBS] = { REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED },
	[VPMU_CONVERT_PMU_NO_EXCLUDE] = { REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED },
	[VPMU_CONVERT_PMU_ARM64_VHE] = { HONOURED, HONOURED, IGNORED, REFUSED, HONOURED, HONOURED },
	[VPMU_CONVERT_PMU_ARM64_NVHE] = { HONOURED, HONOURED, HONOURED, REFUSED, HONOURED,
					  HONOURED },
	/* exclude_hv takes out privilege level 1, where no hypervisor runs. */
	[VPMU_CONVERT_PMU_LOONGARCH] = { HONOURED, HONOURED, IGNORED, IGNORED, IGNORED, IGNORED },
	/* Faults look at user and kernel, the clocks do not: nobody can rely on it. */
	[VPMU_CONVERT_PMU_SOFTWARE] = { IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED },
};

int vpmu_convert_exclude(uint32_t pmu, uint32_t excludes)
{
	int worst = HONOURED;

	if (pmu >= PMUS || excludes >> EXCLUSIONS != 0)
		return VPMU_ERROR_INVALID;
	for (uint32_t i = 0; i < EXCLUSIONS; i++) {
		if (excludes >> i & 1 && honesty[pmu][i] > worst)
			worst = honesty[pmu][i];
	}
	return worst;
}
