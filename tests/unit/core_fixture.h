/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the core share: a VM with one vCPU in a scripted world, short names for what a
 * guest does, and a memory of everything that a guest can see.
 */
#ifndef VPMU_TEST_CORE_FIXTURE_H
#define VPMU_TEST_CORE_FIXTURE_H

#include "runner/runner.h"
#include "world/world.h"

#define BIT(n) (1ull << (n))
#define RAM WORLD_RAM_BASE

extern struct world world;
extern struct vpmu_vcpu *vcpu; /* number 0, on thread 0 */

/* A VM with the vCPU; change, where given, may change world.profile and the tables before. */
void set_up(void (*change)(void));
/* Takes all down; fails the case when something is left, or a table was misused on the way. */
void tear_down(void);

#define DONE(index, value) CHECK_EQ(world_set(vcpu, (index), (value)), VPMU_ACCESS_DONE)
#define REFUSED(index, value) CHECK_EQ(world_set(vcpu, (index), (value)), VPMU_ACCESS_REFUSED)
#define FAULTS(index, value) CHECK_EQ(world_set(vcpu, (index), (value)), VPMU_ACCESS_FAULT)

uint64_t reg(uint64_t index);
uint64_t event_word(unsigned int slot, unsigned int word);
uint64_t state(unsigned int slot);
uint64_t reason(unsigned int slot);
uint64_t flags(unsigned int slot);
uint32_t sequence(unsigned int slot);
uint64_t count(unsigned int slot);
uint64_t left(unsigned int slot);
uint64_t lost(unsigned int slot);

/* Attr words of an event of any type. */
void describe(unsigned int slot, uint64_t type, uint64_t config, uint64_t attr_flags);
/* A cycles event, described, and opened on its own. */
void open_slot(unsigned int slot, uint64_t period, uint64_t attr_flags);
/* Describes a group of cycles events: the lowest slot of the mask leads. */
void describe_group(uint64_t mask);
void open_group(uint64_t mask);
/* Opens with a period and the PMI flag, enables. */
void sample_slot(unsigned int slot, uint64_t period);
/* Counts on the host, which the guest then reads. */
void add_counts(unsigned int slot, uint64_t counts);

/* Everything that the guest sees, remembered and compared. */
void remember(void);
void check_unchanged(const char *file, int line);
#define CHECK_UNCHANGED() check_unchanged(__FILE__, __LINE__)

/* Calls of all ops so far. */
uint32_t all_calls(void);
/* Calls of the source so far. */
uint32_t source_calls(void);

/* A batch under construction in guest memory. */
struct batch {
	uint64_t address;
	uint64_t words;
};

struct batch batch_at(uint64_t address);
/* Adds an entry; values NULL: zeros. Returns the place of its head. */
uint64_t batch_add(struct batch *batch, uint64_t operation, uint64_t first, uint64_t words,
		   const uint64_t *values);
uint64_t batch_write(struct batch *batch, uint64_t index, uint64_t value);
int batch_kick(const struct batch *batch);
uint64_t batch_word(const struct batch *batch, uint64_t place);
uint64_t batch_result(const struct batch *batch, uint64_t place);
uint64_t batch_detail(const struct batch *batch, uint64_t place);

#endif
