/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing an image, record by record, into a buffer of the caller's. What does not fit is only
 * counted, so one walk serves for the length and for the bytes.
 */
#ifndef VPMU_IMAGE_WRITE_H
#define VPMU_IMAGE_WRITE_H

#include <stdint.h>

#include <vpmu/image.h>

#include "src/core/core.h"

struct vpmu_image_writer {
	unsigned char *to;
	uint64_t capacity;
	uint64_t length; /* what it takes, whether it fits or not */
	uint32_t records;
	uint32_t vcpus;
	uint64_t must;
};

/* Leaves room for the header. */
void vpmu_image_write_start(struct vpmu_image_writer *writer, void *to, uint64_t capacity);
/* One record of words in the host's order; all 0 of a slot is left out by the caller. */
void vpmu_image_write_record(struct vpmu_image_writer *writer, uint64_t head, uint32_t vcpu,
			     const uint64_t *words, uint32_t count);
/*
 * Slots at level 1, from the first on, as long as neither record of one is left out and both fit:
 * how many were written. `head` is that of the first one's attr words.
 */
uint32_t vpmu_image_write_slots(struct vpmu_image_writer *writer, uint64_t head, uint32_t vcpu,
				const struct vpmu_slot *slots, uint32_t count);
/* Bytes as they are: records that were kept. */
void vpmu_image_write_bytes(struct vpmu_image_writer *writer, const unsigned char *bytes,
			    uint64_t length, uint32_t records);
/*
 * END, header and checksum. `header` has what only the caller knows: kind, version, architecture,
 * level, may, in the host's order; the rest of it is filled here. Returns 0, or VPMU_ERROR_LIMIT
 * where it did not fit.
 */
int vpmu_image_write_end(struct vpmu_image_writer *writer, struct vpmu_image_header *header);

#endif
