/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole device as a VMM embeds it: a VM on the perf source. The source's system calls pass
 * through a ledger, which counts them and what the source must never do. Beside it, what is true:
 * events of the test's own.
 */
#ifndef VPMU_TEST_STRESS_RIG_H
#define VPMU_TEST_STRESS_RIG_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include <vpmu/perf.h>
#include <vpmu/vpmu.h>

#include "runner/runner.h"

#define BIT(n) (1ull << (n))
#define MILLISECOND 1000000ull
#define SECOND 1000000000ull
#define SLOTS 16u
#define ALL_SLOTS (BIT(SLOTS) - 1)

/* System calls since the ledger was cleared. */
struct ledger {
	_Atomic uint64_t opens, closes, reads, fcntls, threads;
	_Atomic uint64_t enables, disables, periods;
	/* What no rule allows: */
	_Atomic uint64_t resets;    /* any other ioctl */
	_Atomic uint64_t whole;	    /* a group switched member by member, by the kernel */
	_Atomic uint64_t members;   /* a member switched on its own */
	_Atomic uint64_t elsewhere; /* a call for another thread than the one that makes it */
	_Atomic uint64_t
		inherited; /* an event that spreads to later threads, or is not of one thread */
};

struct rig {
	struct ledger ledger;
	struct vpmu_perf_system real;
	struct vpmu_profile profile; /* may be changed before rig_create() */
	uint32_t perf_flags;
	uint32_t signal;
	uint32_t reserve;	/* descriptors that are the VMM's */
	struct vpmu_perf *perf; /* made by rig_create() unless it is there */
	struct vpmu_vm *vm;
	_Atomic uint64_t pmis;
	_Atomic uint32_t states; /* how often the VMM was told of the PMU */
	_Atomic uint32_t state;	 /* the last reason that it was told */
	_Atomic uint64_t now;	 /* scripted host time; 0: the real one */
	_Atomic uint32_t texts;
	char text[1024]; /* the last one */
};

/* 16 slots, host-software events, a period floor of 1, the draft level. */
void rig_begin(struct rig *rig);
void rig_create(struct rig *rig);
/* The vCPU, bound to the thread. */
struct vpmu_vcpu *rig_vcpu(struct rig *rig, uint32_t id, int64_t thread);
void rig_remove(struct vpmu_vcpu *vcpu);
void rig_end(struct rig *rig);

/* One line of figures of the ledger. */
void rig_print(const struct rig *rig, const char *what);
void rig_clear(struct rig *rig);
uint64_t rig_calls(const struct rig *rig);
void rig_check_ledger(const struct rig *rig);

/* ---- what a guest does; on any thread: what was not done is told by rig_end() ---- */

extern _Atomic uint64_t misses;

uint64_t get(struct vpmu_vcpu *vcpu, uint64_t index);
void set(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value);
uint64_t word(struct vpmu_vcpu *vcpu, unsigned int slot, unsigned int which);
uint64_t state(struct vpmu_vcpu *vcpu, unsigned int slot);
uint64_t reason(struct vpmu_vcpu *vcpu, unsigned int slot);
uint64_t flags(struct vpmu_vcpu *vcpu, unsigned int slot);
uint64_t count(struct vpmu_vcpu *vcpu, unsigned int slot);
/* Writes the attr words of a closed slot. */
void describe(struct vpmu_vcpu *vcpu, unsigned int slot, uint64_t type, uint64_t config,
	      uint64_t period, uint64_t attr_flags);
/* Makes it a member of that leader's group. */
void join(struct vpmu_vcpu *vcpu, unsigned int slot, unsigned int leader);

/* ---- signals: all to one rig ---- */

extern _Atomic(struct rig *) signalled_rig;
extern _Atomic uint64_t signals; /* arrived */
extern _Atomic uint32_t drop;	 /* 1: they are lost */
extern _Atomic uint32_t kicked;	 /* set by each that was not */
void signals_go_to(struct rig *rig);

/* ---- what is true ---- */

/* An event of the thread, counting; `event` is a VPMU_SOFTWARE_*. */
int twin_open(uint64_t event, int64_t thread);
uint64_t twin_read(int twin);

#define TWINS 3u

/*
 * A group of events of one thread, read before and after both ends of what the device counts.
 *
 * It is led by the same event as the guest's group, because the kernel has a list of software
 * events for each CPU, which it walks when something happens. Whoever switches an event of a whole
 * CPU has the events there taken off the list and put on again, PMU by PMU of the groups' leaders,
 * and that may interrupt a walk. Events of the same PMU keep their order; others come before or
 * behind each other, and the walk misses some or counts them twice.
 */
struct twins {
	int descriptors[TWINS];
	uint64_t begin_before[TWINS], begin_after[TWINS], now_before[TWINS], now_after[TWINS];
	uint64_t widest[TWINS]; /* between the bounds, at any look */
	uint64_t looks;
};

/* VPMU_SOFTWARE_* of each. */
extern const uint64_t twin_events[TWINS];

/* Twin number `leader` leads. */
void twins_open(struct twins *twins, int64_t thread, unsigned int leader);
void twins_close(struct twins *twins);
/* Before and after the access that enables. */
void twins_begin(struct twins *twins, int after);
/* Before and after the access that reads. */
void twins_look(struct twins *twins, int after);
/* Whether a count of the event of twin i lies within the bounds. */
int twins_agree(struct twins *twins, unsigned int i, uint64_t counted);
void twins_print(const struct twins *twins, unsigned int i, uint64_t counted);

/* ---- a guest's work and time ---- */

/* Touches one fresh page. The page comes from memory of the calling thread's. */
void fault(void);
uint64_t thread_ns(void);
uint64_t clock_ns(void);
void spin(uint64_t ns);
/* Lets signals arrive that a sanitizer holds back until the program waits. */
void settle(void);
unsigned int descriptors(void);

/* Runs a function in a child process, and passes its verdict on; CHECK works in it. */
void in_child(void (*run)(void));

#endif
