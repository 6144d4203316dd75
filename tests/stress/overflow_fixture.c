/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#define _GNU_SOURCE
#include "overflow_fixture.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

const uint64_t events[EVENTS] = { VPMU_SOFTWARE_PAGE_FAULTS, VPMU_SOFTWARE_TASK_CLOCK,
				  VPMU_SOFTWARE_CONTEXT_SWITCHES, VPMU_SOFTWARE_CPU_CLOCK };

struct rig rig;
struct vpmu_vcpu *vcpu;
uint64_t acks, handled;
uint64_t delivered[SLOTS]; /* pending bits that the guest acknowledged */

void begin(void (*change)(void))
{
	rig_begin(&rig);
	rig.signal = SIGUSR2;
	if (change)
		change();
	rig_create(&rig);
	signals_go_to(&rig);
	vcpu = rig_vcpu(&rig, 0, gettid());
	set(vcpu, VPMU_REG_PMI, VPMU_PMI_NMI);
	acks = 0;
	handled = 0;
	memset(delivered, 0, sizeof(delivered));
}

void end(void)
{
	rig_check_ledger(&rig);
	rig_remove(vcpu);
	rig_end(&rig);
}

void sampling(unsigned int slot, uint64_t event, uint64_t period)
{
	describe(vcpu, slot, VPMU_TYPE_HOST_SOFTWARE, event, period, VPMU_ATTR_PMI);
}

void set_period(unsigned int slot, uint64_t period)
{
	set(vcpu, VPMU_STRIDE * (slot + 1ull) + VPMU_ATTR_WORD_SAMPLE_PERIOD, period);
}

static uint64_t period_of(unsigned int slot)
{
	return get(vcpu, VPMU_STRIDE * (slot + 1ull) + VPMU_ATTR_WORD_SAMPLE_PERIOD);
}

uint64_t lost(unsigned int slot)
{
	return word(vcpu, slot, VPMU_EVENT_WORD_LOST);
}

uint64_t overflows(unsigned int slot)
{
	return word(vcpu, slot, VPMU_EVENT_WORD_OVERFLOWS);
}

uint64_t pending(unsigned int slot)
{
	return get(vcpu, VPMU_REG_PENDING) >> slot & 1;
}

void ack(uint64_t mask)
{
	uint64_t acked = get(vcpu, VPMU_REG_PENDING) & mask;

	for (unsigned int i = 0; i < SLOTS; i++)
		delivered[i] += acked >> i & 1;
	set(vcpu, VPMU_REG_ACK, mask);
	acks++;
}

int adds_up(unsigned int slot)
{
	uint64_t all = count(vcpu, slot) / period_of(slot);

	return overflows(slot) == all && delivered[slot] + pending(slot) + lost(slot) == all;
}

void check_adds_up(unsigned int slot)
{
	CHECK_EQ(overflows(slot), count(vcpu, slot) / period_of(slot));
	CHECK_EQ(delivered[slot] + pending(slot) + lost(slot), overflows(slot));
}

void enter_if_due(void)
{
	if (!atomic_exchange(&kicked, 0) && vpmu_vcpu_deadline(vcpu) > clock_ns())
		return;
	handled++;
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
}

/* The guest's handler, where an interrupt came. */
static void handle_interrupt(uint64_t *seen)
{
	if (get(vcpu, VPMU_REG_PMI_SEQUENCE) == *seen)
		return;
	*seen = get(vcpu, VPMU_REG_PMI_SEQUENCE);
	ack(get(vcpu, VPMU_REG_PENDING));
}

void work_for(uint64_t ns)
{
	uint64_t seen = get(vcpu, VPMU_REG_PMI_SEQUENCE), until = thread_ns() + ns;

	for (unsigned int step = 1; thread_ns() < until; step++) {
		fault();
		if (step % 256 == 0)
			settle();
		enter_if_due();
		handle_interrupt(&seen);
	}
}

void open_faults(uint64_t period)
{
	sampling(0, VPMU_SOFTWARE_PAGE_FAULTS, period);
	set(vcpu, VPMU_REG_OPEN, 1);
	set(vcpu, VPMU_REG_ENABLE, 1);
}

void faults(unsigned int times)
{
	for (unsigned int i = 0; i < times; i++)
		fault();
	settle();
}

void block(int how)
{
	sigset_t set_of_one;

	sigemptyset(&set_of_one);
	sigaddset(&set_of_one, SIGUSR2);
	CHECK_EQ(pthread_sigmask(how, &set_of_one, NULL), 0);
}
