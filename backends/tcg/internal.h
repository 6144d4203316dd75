/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of the TCG source share. */
#ifndef VPMU_TCG_INTERNAL_H
#define VPMU_TCG_INTERNAL_H

#include <vpmu/source.h>
#include <vpmu/tcg.h>

#include "shared.h"
#include "src/sized.h"

struct tcg_event {
	uint32_t kind; /* enum tcg_kind */
	uint32_t tag;
	uint64_t last;	 /* the plugin's count at the last look; while paused: at the pause */
	uint64_t more;	 /* counted and not yet told */
	uint64_t target; /* the count of the next notice; TCG_NEVER */
	uint64_t left;	 /* while paused: counts until the next notice; 0: none */
};

struct tcg_group {
	struct tcg_group *next;
	uint32_t count;
	uint32_t running;
	int64_t since; /* thread time of the last look */
	uint64_t time; /* ns that it ran and did not tell */
	struct tcg_event events[];
};

struct tcg_attached {
	struct tcg_vcpu *shared;
	struct tcg_group *groups;
	vpmu_attention attention;
	void *opaque;
	uint64_t generation;
	uint32_t vcpu;
};

struct vpmu_tcg {
	struct vpmu_tcg_config config;
	struct tcg_header *header;
	struct tcg_vcpu *shared;
	uint32_t vcpus;
	uint32_t counted;
	struct tcg_attached *attached[]; /* by vCPU */
};

/* group.c */
int tcg_open(void *source, void *opaque, struct vpmu_source_event *events, uint32_t count,
	     uint32_t flags, struct vpmu_source_opened *opened);
void tcg_close(void *source, void *opaque, void *closed, uint32_t keep);
int tcg_run(void *source, void *opaque, void *changed, uint32_t on);
int tcg_read(void *source, void *opaque, void *read, struct vpmu_source_reading *reading);
int tcg_period(void *source, void *opaque, void *changed, uint32_t member, uint64_t left);

#endif
