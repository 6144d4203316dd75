/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of the monitor share. */
#ifndef VPMU_MONITOR_INTERNAL_H
#define VPMU_MONITOR_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <vpmu/monitor.h>

#include "src/sized.h"

/* How far an event of a vCPU, or of a VM, has come. */
struct monitor_total {
	uint64_t count, enabled, running;
	uint64_t last; /* of a meter: its value at the last reading + 1; 0: there was none */
};

/* Events that are opened and read at once: a range of the live set. */
struct monitor_group {
	void *handle; /* the source's; NULL: there is none */
	uint16_t first, count;
	uint8_t state; /* VPMU_MONITOR_OK, or what keeps it from counting */
	int32_t error;
};

/* What counts on one thread for one live set. */
struct monitor_counting {
	uint32_t events, groups;
	struct monitor_total *totals; /* one for each event */
	struct monitor_group group[]; /* room for one for each event */
};

struct monitor_vcpu {
	int64_t thread;
	uint64_t born;
	void *attached; /* the source's; NULL: it is none of the VM's threads */
	struct monitor_counting *now;
	struct monitor_counting *next; /* while the set is changed */
	uint32_t number;
	uint32_t gone;	/* the thread has ended */
	int32_t error;	/* why it is not wholly counted */
	uint32_t known; /* it was followed before */
	uint32_t named; /* by the list that is being followed */
};

struct monitor_set {
	struct vpmu_monitor_event *events;
	uint32_t count;
};

struct vpmu_monitor_vm {
	struct vpmu_monitor *monitor;
	struct vpmu_monitor_vm_config config;
	/* Held by who changes sets or threads, of many VMs too; taken before the other. */
	pthread_mutex_t changing;
	pthread_mutex_t lock; /* what readings see */
	struct monitor_set wanted, live;
	struct monitor_set next_wanted, next_live; /* while the set is changed */
	struct monitor_vcpu *vcpus;
	struct monitor_total
		*left; /* for each live event: what vCPUs left behind, or the VM's own */
	struct monitor_total *next_left; /* while the set is changed */
	void *meters[VPMU_MONITOR_METERS];
	void *next_meters[VPMU_MONITOR_METERS]; /* opened by this change */
	struct vpmu_monitor_base *bases;
	uint32_t vcpu_count, vcpu_room, base_count;
	uint32_t chosen; /* by the change under way */
	uint64_t held;	 /* host events */
};

struct vpmu_monitor {
	struct vpmu_monitor_config config;
	struct vpmu_source_ops source;
	struct vpmu_monitor_meter_ops meters[VPMU_MONITOR_METERS]; /* size 0: there is none */
	pthread_rwlock_t table;					   /* vms, vm_count, vm_room */
	pthread_mutex_t setting; /* one change at a time: it is of many VMs */
	struct vpmu_monitor_vm **vms;
	uint64_t vm_count, vm_room;
	_Atomic uint64_t held;
	/* Threads that open events of two VMs may both be the first. */
	_Atomic uint32_t counters; /* hardware events that fit the PMU at once; 0: not known */
	_Atomic uint32_t probed;
};

/* What became of the events of a next set. */
struct monitor_outcome {
	int32_t errors[VPMU_MONITOR_MAX_EVENTS];
	int32_t fatal; /* of no single event */
	int64_t thread;
	uint32_t vm;
};

/* monitor.c */
void *vpmu_monitor_allocate(const struct vpmu_monitor *monitor, uint64_t size);
void vpmu_monitor_release(const struct vpmu_monitor *monitor, void *memory, uint64_t size);

/* event.c: what an event is, and which go together */
int vpmu_monitor_event_valid(const struct vpmu_monitor *monitor, const struct vpmu_monitor_vm *vm,
			     const struct vpmu_monitor_event *event);
int vpmu_monitor_event_same(const struct vpmu_monitor_event *a, const struct vpmu_monitor_event *b);
int vpmu_monitor_event_is_hardware(const struct vpmu_monitor_event *event);
/* Events of one class stand together in a set and may share a group. */
uint32_t vpmu_monitor_event_class(const struct vpmu_monitor_event *event);
uint32_t vpmu_monitor_event_kind(const struct vpmu_monitor_event *event);
uint32_t vpmu_monitor_event_type(const struct vpmu_monitor_event *event);

/* names.c */
#define MONITOR_NAMES 29u
const struct vpmu_monitor_info *vpmu_monitor_named(uint32_t index);

/* counting.c: the events of one thread */
void vpmu_monitor_counting_end(struct vpmu_monitor_vm *vm, const struct monitor_vcpu *vcpu,
			       struct monitor_counting *counting);
/* Opens and starts all source events of a set; with outcome->fatal nothing is left open. */
struct monitor_counting *vpmu_monitor_counting_begin(struct vpmu_monitor_vm *vm,
						     struct monitor_vcpu *vcpu,
						     const struct monitor_set *set,
						     struct monitor_outcome *outcome);
/* Reads and adds up. */
void vpmu_monitor_counting_read(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu,
				struct monitor_counting *counting, uint32_t flags);
/* Forgets what was counted up to now. */
void vpmu_monitor_counting_skip(struct vpmu_monitor_vm *vm, const struct monitor_vcpu *vcpu,
				struct monitor_counting *counting);
uint32_t vpmu_monitor_counting_held(const struct monitor_counting *counting);
const struct monitor_group *vpmu_monitor_counting_failed(const struct monitor_counting *counting);

/* totals.c: what was counted, over changes of sets and threads */
void vpmu_monitor_total_add(struct monitor_total *total, const struct monitor_total *more);
/* Takes over what the same events of another set had. */
void vpmu_monitor_totals_move(struct monitor_total *to, const struct monitor_set *to_set,
			      const struct monitor_total *from, const struct monitor_set *from_set);
/* Adds what the caller brought: of a vCPU, or all that is left with VPMU_MONITOR_WHOLE_VM. Each
 * record serves once. */
void vpmu_monitor_totals_base(struct vpmu_monitor_vm *vm, struct monitor_total *totals,
			      const struct monitor_set *set, uint32_t vcpu);
/* count * enabled / running, where running is smaller and not 0, to 31 bits of precision. */
uint64_t vpmu_monitor_scale(uint64_t count, uint64_t enabled, uint64_t running);

/* meter.c */
int vpmu_monitor_meters_begin(struct vpmu_monitor_vm *vm, struct monitor_outcome *outcome);
void vpmu_monitor_meters_undo(struct vpmu_monitor_vm *vm);
void vpmu_monitor_meters_commit(struct vpmu_monitor_vm *vm);
void vpmu_monitor_meters_end(struct vpmu_monitor_vm *vm);
int vpmu_monitor_meters_thread(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu);
/* Reads all events of meters, so that they count from now on. */
void vpmu_monitor_meters_read(struct vpmu_monitor_vm *vm, uint32_t vcpu,
			      struct monitor_total *totals);
/* Reads one event of a vCPU or VPMU_MONITOR_WHOLE_VM: 0, VPMU_ERROR_*, or 1 where it has no value
 * of its own. */
int vpmu_monitor_meter_read(struct vpmu_monitor_vm *vm, uint32_t vcpu,
			    const struct vpmu_monitor_event *event, struct monitor_total *total);

/* The VM's part of vpmu_monitor_held(), counted anew. */
void vpmu_monitor_count_held(struct vpmu_monitor_vm *vm);
int vpmu_monitor_set_has(const struct monitor_set *set, const struct vpmu_monitor_event *event);

/* change.c: a set of one VM, changed in two steps */
#define MONITOR_CHANGES (2 * VPMU_MONITOR_MAX_EVENTS)
int vpmu_monitor_change_plan(struct vpmu_monitor_vm *vm, const struct vpmu_monitor_change *changes,
			     uint32_t count, uint32_t flags);
/* Host events that the plan has to open. */
uint64_t vpmu_monitor_change_need(const struct vpmu_monitor_vm *vm);
/* Opens all that is planned: 0, or the first error; those of events are in the changes. */
int vpmu_monitor_change_begin(struct vpmu_monitor_vm *vm, struct vpmu_monitor_change *changes,
			      uint32_t count, struct monitor_outcome *outcome);
void vpmu_monitor_change_undo(struct vpmu_monitor_vm *vm);
void vpmu_monitor_change_commit(struct vpmu_monitor_vm *vm);

/* set.c */
void vpmu_monitor_set_end(const struct vpmu_monitor *monitor, struct monitor_set *set);

/* threads.c */
/* Asks whether the thread is the VM's still; 0, or it is gone. */
int vpmu_monitor_vcpu_check(const struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu);
void vpmu_monitor_vcpu_end(struct vpmu_monitor_vm *vm, struct monitor_vcpu *vcpu);

#endif
