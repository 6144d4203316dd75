/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of words, as the tables of abi/IMAGE.md and abi/SPEC.md have them. */

#include "prove.h"

const char *const vpmu_image_header_words[] = {
	"magic", "format", "size", "vm", "must", "may", "counts", "reserved",
};

const char *const vpmu_image_vm_words[] = {
	"features",	   "limits",	   "period_floor", "pmu_model", "hardware_events",
	"software_events", "cache_events", "transport",	   "base",	"line",
};

static const char *const control[VPMU_STRIDE] = {
	[VPMU_REG_EPOCH] = "EPOCH",
	[VPMU_REG_EPOCH_REASON] = "EPOCH_REASON",
	[VPMU_REG_AREA] = "AREA",
	[VPMU_REG_AREA_STATE] = "AREA_STATE",
	[VPMU_REG_PMI] = "PMI",
	[VPMU_REG_PMI_LINE] = "PMI_LINE",
	[VPMU_REG_PMI_SEQUENCE] = "PMI_SEQUENCE",
	[VPMU_REG_OPENED] = "OPENED",
	[VPMU_REG_ENABLED] = "ENABLED",
	[VPMU_REG_PENDING] = "PENDING",
};

static const char *const slot[VPMU_STRIDE] = {
	[VPMU_ATTR_WORD_TYPE] = "type",
	[VPMU_ATTR_WORD_CONFIG] = "config",
	[VPMU_ATTR_WORD_CONFIG1] = "config1",
	[VPMU_ATTR_WORD_CONFIG2] = "config2",
	[VPMU_ATTR_WORD_SAMPLE_PERIOD] = "sample_period",
	[VPMU_ATTR_WORD_FLAGS] = "flags",
	[VPMU_ATTR_WORD_LINK] = "link",
	[VPMU_ATTR_WORD_COOKIE] = "cookie",
	[VPMU_SLOT_EVENT + VPMU_EVENT_WORD_STATUS] = "status",
	[VPMU_SLOT_EVENT + VPMU_EVENT_WORD_COUNT] = "count",
	[VPMU_SLOT_EVENT + VPMU_EVENT_WORD_TIME_ENABLED] = "time_enabled",
	[VPMU_SLOT_EVENT + VPMU_EVENT_WORD_TIME_RUNNING] = "time_running",
	[VPMU_SLOT_EVENT + VPMU_EVENT_WORD_PERIOD_LEFT] = "period_left",
	[VPMU_SLOT_EVENT + VPMU_EVENT_WORD_LOST] = "lost",
	[VPMU_SLOT_EVENT + VPMU_EVENT_WORD_STAMP] = "stamp",
	[VPMU_SLOT_EVENT + VPMU_EVENT_WORD_CONTINUITY] = "continuity",
	[VPMU_SLOT_EVENT + VPMU_EVENT_WORD_OVERFLOWS] = "overflows",
};

const char *vpmu_image_control_name(uint32_t index)
{
	return control[index];
}

const char *vpmu_image_slot_name(uint32_t word)
{
	return slot[word];
}
