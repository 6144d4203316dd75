/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images for tests, word by word. The whole one has everything that an image can have: a group, a
 * host-software and a raw event, a closed slot that kept its words, a vCPU with state of another
 * bank, an optional record.
 */
#ifndef TESTS_UNIT_IMAGE_FIXTURE_H
#define TESTS_UNIT_IMAGE_FIXTURE_H

#include <stdint.h>

#include <vpmu/image.h>

#include "runner/runner.h"

#define IMAGE_BYTES 16384u
#define IMAGE_NO_SLOT VPMU_IMAGE_NOWHERE

struct image {
	unsigned char bytes[IMAGE_BYTES];
	uint64_t length;
};

/* Records of the whole image, in their order. */
enum {
	WHOLE_VM,
	WHOLE_VCPU,   /* id 3 */
	WHOLE_LEADER, /* slot 0, and its event words */
	WHOLE_LEADER_EVENT,
	WHOLE_MEMBER, /* slot 1 */
	WHOLE_MEMBER_EVENT,
	WHOLE_SOFTWARE, /* slot 2 */
	WHOLE_SOFTWARE_EVENT,
	WHOLE_RAW, /* slot 3, stopped */
	WHOLE_RAW_EVENT,
	WHOLE_CLOSED_EVENT, /* slot 5: event words alone */
	WHOLE_PLAIN,	    /* slot 6 */
	WHOLE_PLAIN_EVENT,
	WHOLE_SECOND, /* id 9 */
	WHOLE_BANK,
	WHOLE_OPTIONAL,
	WHOLE_END,
};

/* Words of a record's head. */
#define HEAD (-2)
#define VCPU_WORD (-1)
/* Instead of a record: the header. */
#define HEADER UINT32_MAX

void image_whole(struct image *image, uint32_t level);
/* Without optional record and other bank: what a library of today writes. */
void image_small(struct image *image, uint32_t level);

void image_begin(struct image *image);
void image_add(struct image *image, uint64_t head, uint64_t vcpu, const uint64_t *words);
/* A head of a record of registers. */
uint64_t image_head(uint32_t bank, uint32_t first, uint32_t count);
/* END, header and checksum. */
void image_finish(struct image *image, uint32_t architecture, uint32_t level, uint64_t must,
		  uint32_t vcpus, uint32_t records);

/* Where a word is: of a record, or of the header. */
uint64_t image_at(const struct image *image, uint32_t record, int word);
uint64_t image_get(const struct image *image, uint64_t at);
void image_set(struct image *image, uint64_t at, uint64_t value);
/* Makes the checksum right again. */
void image_mend(struct image *image);

/* Refused so, with this place. */
void image_refused(const struct image *image, uint32_t fault, uint32_t record, uint64_t offset,
		   uint32_t vcpu, uint32_t slot, const char *word);

#endif
