/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A whole device whose thread is the test's own, a guest that samples on it, and what the guest was
 * told of. */
#ifndef VPMU_TEST_STRESS_OVERFLOW_FIXTURE_H
#define VPMU_TEST_STRESS_OVERFLOW_FIXTURE_H

#include <stdint.h>

#include "rig.h"

#define EVENTS 4u

extern const uint64_t events[EVENTS];

extern struct rig rig;
extern struct vpmu_vcpu *vcpu;
extern uint64_t acks, handled;
extern uint64_t delivered[SLOTS]; /* pending bits that the guest acknowledged */

/* change, where given, may change the rig before the VM is made of it. */
void begin(void (*change)(void));
void end(void);

/* Describes an event that gives interrupts. */
void sampling(unsigned int slot, uint64_t event, uint64_t period);
void set_period(unsigned int slot, uint64_t period);
uint64_t lost(unsigned int slot);
uint64_t overflows(unsigned int slot);
uint64_t pending(unsigned int slot);
void ack(uint64_t mask);

/* The period was the same since the slot was opened: nothing is missing and nothing is twice. */
int adds_up(unsigned int slot);
void check_adds_up(unsigned int slot);

/* What a VMM does when KVM_RUN returns: enters again where there is reason to. */
void enter_if_due(void);
void work_for(uint64_t ns);

/* Slot 0 samples page faults, and they come. */
void open_faults(uint64_t period);
void faults(unsigned int times);
/* SIG_BLOCK or SIG_UNBLOCK for the notices. */
void block(int how);

#endif
