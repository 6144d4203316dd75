/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What saving and loading a VM share. */
#ifndef VPMU_IMAGE_PHASE_H
#define VPMU_IMAGE_PHASE_H

#include "../core/core.h"
#include "read.h"

/*
 * An image between the load and the last commit, in one piece of memory with the bytes that are
 * copied. Afterwards it stays where something of it is to be saved again: what this library does
 * not know.
 */
struct vpmu_loaded {
	const unsigned char *image; /* until the last commit: the copy, or the caller's bytes */
	_Atomic uint32_t uncommitted;
	uint32_t kept_records;	     /* optional records */
	uint64_t kept_bytes;	     /* of them */
	const unsigned char *kept;   /* them; NULL: nothing is kept */
	uint64_t version, may;	     /* as they stand in the words of the header */
	struct vpmu_image_bank bank; /* size 0: none */
	unsigned char bytes[];
};

/* The options with what they point to, checked by their sizes. */
struct vpmu_phase {
	struct vpmu_image_options options;
	struct vpmu_image_platform platform;
	struct vpmu_source_facts facts;
	struct vpmu_image_bank bank;
};

int vpmu_phase_take(struct vpmu_phase *phase, const struct vpmu_image_options *caller);
/* What the image is held against, of this VM as it was made. */
struct vpmu_image_target vpmu_phase_target(const struct vpmu_phase *phase,
					   const struct vpmu_vm *vm);
/* Gives back what was loaded. */
void vpmu_loaded_free(struct vpmu_vm *vm);

#endif
