/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files about KVM's event filter share. */
#ifndef VPMU_CONVERT_FILTER_H
#define VPMU_CONVERT_FILTER_H

#include <vpmu/filter.h>

#define FILTER_UMASK 0xff00ull
#define FILTER_EXCLUDE (1ull << 55)
#define FILTER_MASK_SHIFT 56
/* Event selects of the register's bits, from 0 to 0xff or 0xfff. */
#define FILTER_INTEL_SELECTS 0x100u
#define FILTER_AMD_SELECTS 0x1000u

/* Fixed counters that an event of Intel's can name: event select 0, unit mask 1 to 4. */
#define FILTER_NAMED_COUNTERS 4u

int vpmu_filter_vendor_exists(uint32_t vendor);

/* The bits of a register that are the event select. */
uint64_t vpmu_filter_select_bits(uint32_t vendor);

/* The code of the event on a programmable counter that a fixed counter counts too; 0: none. */
uint64_t vpmu_filter_twin(uint32_t counter);

/* What KVM answers, of a filter that is known to be good. */
int vpmu_filter_decide(const struct vpmu_filter *filter, uint32_t vendor, uint64_t code);
int vpmu_filter_decide_fixed(const struct vpmu_filter *filter, uint32_t counter);

/* As vpmu_convert_report_begin() does for its report. */
struct vpmu_filter_report *vpmu_filter_report_begin(struct vpmu_filter_report *report,
						    struct vpmu_filter_report *own, int *error);

/* Writes down what failed, and returns the error. */
int vpmu_filter_report_fail(struct vpmu_filter_report *report, int error, const char *reason,
			    uint64_t code, uint32_t index);

#endif
