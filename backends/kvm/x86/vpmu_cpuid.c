/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What of CPUID shows a PMU of the hardware, and taking it out. */

#include <vpmu/kvm.h>

#define ALL UINT32_MAX
#define ANY_SUBLEAF UINT32_MAX

/* Bits to clear of a leaf, in the order of EAX, EBX, ECX, EDX. */
static const struct {
	uint32_t function;
	uint32_t index;
	uint32_t clear[4];
} rows[] = {
	/* ECX: DTES64 2, DS-CPL 4, PDCM 15 (IA32_PERF_CAPABILITIES); EDX: DS 21 (PEBS and BTS) */
	{ 0x1, ANY_SUBLEAF, { 0, 0, 1u << 2 | 1u << 4 | 1u << 15, 1u << 21 } },
	/* EDX: Arch LBR 19 */
	{ 0x7, 0, { 0, 0, 0, 1u << 19 } },
	/* EAX: leaf 0x23 exists 8 */
	{ 0x7, 1, { 1u << 8, 0, 0, 0 } },
	/* architectural performance monitoring, Arch LBR, and the former's extension */
	{ 0xa, ANY_SUBLEAF, { ALL, ALL, ALL, ALL } },
	{ 0x1c, ANY_SUBLEAF, { ALL, ALL, ALL, ALL } },
	{ 0x23, ANY_SUBLEAF, { ALL, ALL, ALL, ALL } },
	/* ECX: IBS 10, PERFCTR_CORE 23, PERFCTR_NB 24, PERFCTR_LLC 28 */
	{ 0x80000001, ANY_SUBLEAF, { 0, 0, 1u << 10 | 1u << 23 | 1u << 24 | 1u << 28, 0 } },
	/* IBS; PERFMON_V2, LBR_V2 and their numbers of counters and entries */
	{ 0x8000001b, ANY_SUBLEAF, { ALL, ALL, ALL, ALL } },
	{ 0x80000022, ANY_SUBLEAF, { ALL, ALL, ALL, ALL } },
};

static uint32_t bits_clear(uint32_t *value, uint32_t clear)
{
	uint32_t cleared = *value & clear;

	*value &= ~clear;
	return cleared;
}

static uint32_t entry_hide(struct vpmu_kvm_cpuid_entry *entry)
{
	uint32_t cleared = 0;
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (entry->function != rows[i].function ||
		    (rows[i].index != ANY_SUBLEAF && entry->index != rows[i].index))
			continue;
		cleared |= bits_clear(&entry->eax, rows[i].clear[0]);
		cleared |= bits_clear(&entry->ebx, rows[i].clear[1]);
		cleared |= bits_clear(&entry->ecx, rows[i].clear[2]);
		cleared |= bits_clear(&entry->edx, rows[i].clear[3]);
	}
	return cleared;
}

int vpmu_kvm_vpmu_hide(struct vpmu_kvm_cpuid_entry *entries, uint32_t count)
{
	int changed = 0;
	uint32_t i;

	if (!entries && count)
		return VPMU_ERROR_INVALID;
	for (i = 0; i < count; i++)
		changed += entry_hide(&entries[i]) != 0;
	return changed;
}
