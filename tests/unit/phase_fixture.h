/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of a VM's move share: a second world with a VM of the same vCPU, an image, short
 * names for the steps. */
#ifndef VPMU_TEST_PHASE_FIXTURE_H
#define VPMU_TEST_PHASE_FIXTURE_H

#include <vpmu/image.h>

#include "core_fixture.h"

#define CAPACITY 0x20000u

/* The destination; the source is that of core_fixture.h. */
extern struct world there;
extern struct vpmu_vcpu *arrived;
/* Number 5, on thread 1, where there are two. */
extern struct vpmu_vcpu *second, *second_arrived;

extern unsigned char image[CAPACITY];
extern uint64_t length;
extern struct vpmu_image_fault fault;

extern const struct vpmu_image_platform platform;
extern struct vpmu_image_options options;

void reset_options(void);
/* Both VMs; change is applied to the source's, or to the destination's. */
void begin(void (*change)(void));
void begin_there(void (*change)(void));
/* With a second vCPU in each. */
void begin_two(void);
void end_two(void);
/* Takes both down; fails the case when something is left. */
void end(void);

void save(void);
void stop_and_save(void);
int load(void);
/* Up to the commit, which is as the guest sees it still stopped. */
void move(uint32_t generation);
int prepare(void);
/* Adds to the image what this library does not know: a record before END, a later version, a bit of
 * what it may have. */
void add_optional(void);
/* Puts a word into the image, and mends its checksum. */
void put_word(uint64_t at, uint64_t value);

/* The guest's view on both sides is the same, but for what a commit changes. */
void check_same_registers(void);
uint64_t there_word(unsigned int slot, unsigned int word);
uint64_t there_state(unsigned int slot);
uint64_t there_reason(unsigned int slot);
uint64_t there_flags(unsigned int slot);
/* Calls so far that write guest memory. */
uint32_t memory_writes(const struct world *one);

#endif
