/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The client and the device in one process: the way is the device's own read and write, the memory
 * is the test's, and a scripted source counts. Accesses are counted as a VMM would count exits.
 */
#ifndef VPMU_TEST_GUEST_FIXTURE_H
#define VPMU_TEST_GUEST_FIXTURE_H

#include <vpmu/guest.h>
#include <vpmu/vpmu.h>

#include "runner/runner.h"

#define EVENTS 8
#define MEMORY_WORDS 4096
#define AREA_WORD 3072
#define PAGE_ADDRESS 0x10000u

/* Guest memory at PAGE_ADDRESS: a batch of each context, then the events area. */
extern uint64_t memory[MEMORY_WORDS];
extern unsigned int accesses;
extern unsigned int fail_at; /* the access that is not answered; 0: none */
extern unsigned int interrupts;
extern int memory_is_gone;
extern void (*in_between)(void); /* called before and after each access */

/* What the source does; begin() clears it. */
struct script {
	uint64_t increase; /* of the next reading of each event, times its config */
	uint64_t time;
	uint64_t denied; /* config that cannot be opened */
	uint64_t left;
	vpmu_attention attention;
	void *attention_opaque;
};

/* The device, and the client with a batch of two contexts. */
struct pair {
	struct vpmu_vm *vm;
	struct vpmu_vcpu *vcpu;
	struct vpmu_guest guest;
	struct vpmu_guest_batch batch;
	struct vpmu_guest_batch interrupt;
};

extern struct script script;
extern struct pair it;

void begin_granted(uint32_t slots, uint32_t batch_words, uint32_t slot_operations);
void begin_with(uint32_t batch_words, uint32_t slot_operations);
void begin(void);
void end(void);

void area_on(void);
/* Hardware events of config 1 and on. */
void fill_attrs(struct guest_perf_attr attrs[EVENTS]);
/* Opens and enables them in slots that were picked; the slots. */
uint64_t open_eight(struct guest_perf_event events[EVENTS]);

#endif
