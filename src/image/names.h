/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Names as the tables of abi/IMAGE.md and abi/SPEC.md have them. */
#ifndef VPMU_IMAGE_NAMES_H
#define VPMU_IMAGE_NAMES_H

#include <stdint.h>

enum vpmu_names {
	/* words, by their places */
	VPMU_NAMES_CONTROL,
	VPMU_NAMES_SLOT,
	VPMU_NAMES_IMAGE_HEADER,
	VPMU_NAMES_IMAGE_RECORD,
	VPMU_NAMES_IMAGE_VM,
	/* values */
	VPMU_NAMES_TYPE,
	VPMU_NAMES_HARDWARE,
	VPMU_NAMES_CACHE,
	VPMU_NAMES_CACHE_OP,
	VPMU_NAMES_CACHE_RESULT,
	VPMU_NAMES_SOFTWARE,
	VPMU_NAMES_STATE,
	VPMU_NAMES_REASON,
	VPMU_NAMES_EPOCH,
	VPMU_NAMES_AREA,
	VPMU_NAMES_PMI,
	VPMU_NAMES_LINE,
	VPMU_NAMES_IMAGE_KIND,
	VPMU_NAMES_IMAGE_BANK,
	VPMU_NAMES_ARCHITECTURE,
	VPMU_NAMES_TRANSPORT,
	/* bits, by their numbers */
	VPMU_NAMES_FEATURE,
	VPMU_NAMES_ATTR,
	VPMU_NAMES_EVENT,
};

/* A number that was proved to be in the table. */
const char *vpmu_image_name(enum vpmu_names of, uint64_t number);

#endif
