/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "names.h"

#include <stddef.h>

#include "abi/gen/names.h"

static const char *const *const tables[] = {
	[VPMU_NAMES_CONTROL] = vpmu_names_control,
	[VPMU_NAMES_SLOT] = vpmu_names_slot,
	[VPMU_NAMES_IMAGE_HEADER] = vpmu_names_image_header,
	[VPMU_NAMES_IMAGE_RECORD] = vpmu_names_image_record,
	[VPMU_NAMES_IMAGE_VM] = vpmu_names_image_vm,
	[VPMU_NAMES_TYPE] = vpmu_names_type,
	[VPMU_NAMES_HARDWARE] = vpmu_names_hardware,
	[VPMU_NAMES_CACHE] = vpmu_names_cache,
	[VPMU_NAMES_CACHE_OP] = vpmu_names_cache_op,
	[VPMU_NAMES_CACHE_RESULT] = vpmu_names_cache_result,
	[VPMU_NAMES_SOFTWARE] = vpmu_names_software,
	[VPMU_NAMES_STATE] = vpmu_names_state,
	[VPMU_NAMES_REASON] = vpmu_names_reason,
	[VPMU_NAMES_EPOCH] = vpmu_names_epoch,
	[VPMU_NAMES_AREA] = vpmu_names_area,
	[VPMU_NAMES_PMI] = vpmu_names_pmi,
	[VPMU_NAMES_LINE] = vpmu_names_line,
	[VPMU_NAMES_IMAGE_KIND] = vpmu_names_image_kind,
	[VPMU_NAMES_IMAGE_BANK] = vpmu_names_image_bank,
	[VPMU_NAMES_ARCHITECTURE] = vpmu_names_architecture,
	[VPMU_NAMES_TRANSPORT] = vpmu_names_transport,
	[VPMU_NAMES_FEATURE] = vpmu_names_feature,
	[VPMU_NAMES_ATTR] = vpmu_names_attr,
	[VPMU_NAMES_EVENT] = vpmu_names_event,
};

const char *vpmu_image_name(enum vpmu_names of, uint64_t number)
{
	return tables[of][number];
}
