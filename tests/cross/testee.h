/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* What the two halves of the library on a pipe share: requests, and what the library calls. */
#ifndef CROSS_TESTEE_H
#define CROSS_TESTEE_H

#include <stdint.h>

#include <vpmu/vpmu.h>

#define FRAME_WORDS 8192
#define FRAME_BYTES 0x100000 /* the longest record, and what is around it */

struct frame {
	uint64_t kind;
	uint64_t words;
	uint64_t bytes;
	uint64_t word[FRAME_WORDS];
	uint8_t byte[FRAME_BYTES];
};

/* What is asked for, and what is answered. */
extern struct frame request;
extern struct frame answer;

void frame_read(struct frame *frame);
void frame_write(struct frame *frame);

/* A call the other way: the frame to fill, which holds the answer after call_make(): its first
 * word. */
struct frame *call_begin(void);
uint64_t call_make(uint64_t kind);

/* Adds a word to the answer of the request that is being carried out. */
void vm_answers(uint64_t word);

/* Requests about the VM, of which there is one at a time. */
void vm_create(const uint64_t *word);
void vm_destroy(const uint64_t *word);
void vm_add(const uint64_t *word);
void vm_format(const uint64_t *word);
void vm_attend(const uint64_t *word);
void vm_release(const uint64_t *word);
void vm_return(const uint64_t *word);
void vm_save(const uint64_t *word);
void vm_load(const uint64_t *word);
void vcpu_commit(const uint64_t *word);
struct vpmu_vm *vm_of_testee(void);

/* Takes a profile, 64-bit words first, in the order of its struct; returns what is behind it. */
const uint64_t *vm_profile(const uint64_t *word, struct vpmu_profile *profile);

/* Requests about images as bytes. */
void image_check(const uint64_t *word);
void image_events(const uint64_t *word);
void image_convert(const uint64_t *word);

#endif
