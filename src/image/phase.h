/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What saving and loading a VM share. */
#ifndef VPMU_IMAGE_PHASE_H
#define VPMU_IMAGE_PHASE_H

#include "../core/core.h"
#include "read.h"

/*
 * An image between the load and the last commit, in one piece of memory with its bytes. Afterwards it stays where
 * something of it was to be kept.
 */
struct vpmu_loaded {
	uint64_t tail;	  /* place of the first record that was not known; 0: nothing is kept */
	uint32_t records; /* how many these are */
	_Atomic uint32_t uncommitted;
	struct vpmu_image_bank bank; /* size 0: none */
	uint64_t bytes;
	unsigned char image[];
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
