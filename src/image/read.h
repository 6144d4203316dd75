/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A proved image, vCPU by vCPU. Proving is bounded, allocates nothing and reads what it is given as
 * bytes; walking trusts what was proved.
 */
#ifndef VPMU_IMAGE_READ_H
#define VPMU_IMAGE_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <vpmu/image.h>

#include "src/core/core.h"

/* The records of one vCPU: places of their words in the image, little-endian. */
struct vpmu_image_vcpu {
	uint32_t id;
	uint32_t record; /* of its first record */
	uint64_t offset;
	const unsigned char *control;		    /* EPOCH to PENDING */
	const unsigned char *attr[VPMU_MAX_SLOTS];  /* NULL: all 0 */
	const unsigned char *event[VPMU_MAX_SLOTS]; /* NULL: all 0 */
	uint64_t opened, enabled, pending;	    /* registers of that name */
	uint64_t present;			    /* slots that have words here */
	uint64_t plain;	  /* slots that were proved already when their words were looked at */
	uint64_t members; /* of these, members of groups */
	uint8_t group[VPMU_MAX_SLOTS]; /* of a leader: how many of these are its members */
	const unsigned char *pairs;    /* of another bank; NULL: none */
	uint32_t pair_record;
	uint32_t pair_count;
	uint32_t bank;
};

struct vpmu_image_walk {
	const unsigned char *image;
	uint64_t offset;
	uint32_t record;
};

/* A 64-bit word of the image. */
static inline uint64_t vpmu_image_word(const unsigned char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return vpmu_little(word);
}

/* Proves the bytes alone: sections 2 to 4 of abi/IMAGE.md. Returns 0, VPMU_ERROR_IMAGE or
 * VPMU_ERROR_NEWER. */
int vpmu_image_prove(const unsigned char *image, uint64_t length, struct vpmu_image_fault *fault);

/* What a proof comes by, so that who needs it has no walk to do. */
struct vpmu_image_found {
	/* Each vCPU at its first record: its id and its place are known. The image may still be
	 * refused. */
	void (*vcpu)(void *opaque, const struct vpmu_image_vcpu *vcpu);
	void *opaque;
	uint64_t tail; /* out: place of what follows the vCPUs: optional records, then END */
	uint32_t tail_records; /* out: how many optional ones */
};

int vpmu_image_prove_found(const unsigned char *image, uint64_t length,
			   struct vpmu_image_found *found, struct vpmu_image_fault *fault);

/* Holds a proved image against a target: section 5, but R-MIG-3 and R-MIG-4. The target was checked
 * by its size. */
int vpmu_image_compare(const unsigned char *image, const struct vpmu_image_target *target,
		       struct vpmu_image_fault *fault);

/* A copy of a target and of what it points to, so that all of it has the sizes of this library. */
struct vpmu_image_copied {
	struct vpmu_image_target target;
	struct vpmu_profile profile;
	struct vpmu_image_platform platform;
	struct vpmu_source_facts facts;
};

/* Checks and copies a target; NULL gives one that asks nothing. Returns 0, VPMU_ERROR_INVALID or
 * _TOO_BIG. */
int vpmu_image_target_copy(struct vpmu_image_copied *to, const struct vpmu_image_target *from);

/*
 * R-MIG-15 of a proved vCPU: open slots the events of which a host cannot count; with *groups
 * those, and the rest of their groups.
 */
uint64_t vpmu_image_missing(const struct vpmu_image_vcpu *vcpu,
			    const struct vpmu_source_facts *facts, uint64_t *groups);
/* Refuses for the first of these slots: R-MIG-5. */
int vpmu_image_refuse_event(const struct vpmu_image_vcpu *vcpu, uint64_t slots,
			    struct vpmu_image_fault *fault);

/* R-MIG-5 of a VMM that chose to be strict: refuses at the first open event that the host cannot
 * count. */
int vpmu_image_compare_events(const unsigned char *image, const struct vpmu_source_facts *facts,
			      struct vpmu_image_fault *fault);

/* What the record VM of a proved image grants; the host's own limits stay as they are in the
 * profile. */
void vpmu_image_narrow(const unsigned char *image, struct vpmu_profile *profile);

void vpmu_image_walk_start(struct vpmu_image_walk *walk, const unsigned char *image);
/* Fills the next vCPU; false after the last one. The walk then stands at the optional records, or
 * at END. */
bool vpmu_image_walk_next(struct vpmu_image_walk *walk, struct vpmu_image_vcpu *vcpu);

#endif
