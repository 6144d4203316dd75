/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the proof share: where they are in the image, and how they refuse it. */
#ifndef VPMU_IMAGE_PROVE_H
#define VPMU_IMAGE_PROVE_H

#include "names.h"
#include "read.h"

#define VPMU_FIELD(word, name) (((word)&VPMU_IMAGE_##name##_MASK) >> VPMU_IMAGE_##name##_SHIFT)
#define VPMU_STATUS(word, name) \
	(((word)&VPMU_EVENT_WORD_STATUS_##name##_MASK) >> VPMU_EVENT_WORD_STATUS_##name##_SHIFT)
#define VPMU_WORD_BYTES 8u
#define VPMU_HEAD_BYTES 16u
#define VPMU_VM_WORDS (sizeof(struct vpmu_image_vm) / VPMU_WORD_BYTES)
#define VPMU_VM_OFFSET (VPMU_IMAGE_HEADER_BYTES + VPMU_HEAD_BYTES) /* of the words of VM */
#define VPMU_FIRST_CONTROL VPMU_REG_EPOCH
#define VPMU_MOST_EVENT_WORDS (VPMU_EVENT_WORDS + 1u)

/* A record, read from its head. */
struct vpmu_image_place {
	const unsigned char *words;
	uint64_t offset; /* of the head */
	uint64_t head;
	uint64_t vcpu;
	uint32_t number;
	uint32_t kind;
	uint32_t bank;
	uint32_t first;
	uint32_t count;
	bool optional;
};

/* What the rules depend on that were said before. */
struct vpmu_image_grant {
	struct vpmu_profile profile; /* what VM grants */
	uint64_t slots;		     /* a bit for each granted slot */
	uint32_t level;
	uint32_t event_words;
};

/* A word of the header, and of the record VM. */
static inline uint64_t vpmu_image_header_word(const unsigned char *image, uint32_t word)
{
	return vpmu_image_word(image + (size_t)word * VPMU_WORD_BYTES);
}

static inline uint64_t vpmu_image_vm_word(const unsigned char *image, uint32_t word)
{
	return vpmu_image_word(image + VPMU_VM_OFFSET + (size_t)word * VPMU_WORD_BYTES);
}

/* A word of a record that may not be there: all 0. */
static inline uint64_t vpmu_image_word_of(const unsigned char *words, uint32_t index)
{
	return words ? vpmu_image_word(words + (size_t)index * VPMU_WORD_BYTES) : 0;
}

static inline uint64_t vpmu_image_control_of(const struct vpmu_image_vcpu *vcpu, uint32_t index)
{
	return vpmu_image_word_of(vcpu->control, index - VPMU_FIRST_CONTROL);
}

/* ---- fault.c: all return VPMU_ERROR_IMAGE, or _NEWER ----------------------------------------- */

/* Makes a caller's fault ready, which may be NULL: 0 or VPMU_ERROR_INVALID. */
int vpmu_image_fault_start(struct vpmu_image_fault *fault);
/* As `told` says. */
int vpmu_image_refuse(struct vpmu_image_fault *fault, const struct vpmu_image_fault *told);
/* A word of the header; a word of the record VM. */
int vpmu_image_refuse_header(struct vpmu_image_fault *fault, uint32_t kind, uint32_t word,
			     const char *text);
int vpmu_image_refuse_vm(struct vpmu_image_fault *fault, uint32_t kind, uint32_t word,
			 const char *text);

/* ---- header.c -------------------------------------------------------------------------------- */

/* R-IMG-1, and what the header says. */
int vpmu_image_identify(const unsigned char *image, uint64_t length, struct vpmu_image_info *info,
			struct vpmu_image_fault *fault);
/* R-IMG-1 to R-IMG-5, but what needs the records. */
int vpmu_image_header_prove(const unsigned char *image, uint64_t length,
			    struct vpmu_image_info *info, struct vpmu_image_fault *fault);
/* What needs them: how many there were, of how many vCPUs, of which other banks. */
int vpmu_image_header_settle(const struct vpmu_image_info *info, uint32_t records, uint32_t vcpus,
			     uint64_t must, struct vpmu_image_fault *fault);

/* ---- words.c --------------------------------------------------------------------------------- */

/* R-IMG-15. */
int vpmu_image_vm_prove(const unsigned char *words, struct vpmu_image_fault *fault);
/* R-IMG-16, of a record of a vCPU that has its shape. */
int vpmu_image_words_prove(const struct vpmu_image_grant *grant,
			   const struct vpmu_image_place *place, struct vpmu_image_fault *fault);

/* ---- state.c --------------------------------------------------------------------------------- */

/* R-IMG-17 to R-IMG-26. */
int vpmu_image_state_prove(const struct vpmu_image_grant *grant, const struct vpmu_image_vcpu *vcpu,
			   struct vpmu_image_fault *fault);

/* ---- walk.c ---------------------------------------------------------------------------------- */

void vpmu_image_place_read(struct vpmu_image_place *place, const unsigned char *image);
/* Of an image the record VM of which was proved. */
void vpmu_image_grant_read(struct vpmu_image_grant *grant, const unsigned char *image);
/* Adds a record of registers that has its shape to its vCPU. */
void vpmu_image_vcpu_add(struct vpmu_image_vcpu *vcpu, const struct vpmu_image_place *place);
void vpmu_image_vcpu_start(struct vpmu_image_vcpu *vcpu, const struct vpmu_image_place *place);

#endif
