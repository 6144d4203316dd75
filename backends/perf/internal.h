/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of the perf source share. */
#ifndef VPMU_PERF_INTERNAL_H
#define VPMU_PERF_INTERNAL_H

#include <stdatomic.h>
#include <stdint.h>

#include <linux/perf_event.h>

#include <vpmu/perf.h>

#include "src/sized.h"

/* Chains of threads, by the low bits of their numbers. */
#define PERF_CHAINS 256

/* Period of an event that is to give no notice: above any distance, below the kernel's limit of
 * 2^63. */
#define PERF_FAR (1ull << 62)

/* In tags: all events that give notices. */
#define PERF_ANY_TAG (1ull << 63)

/* Events that a thread may keep of closed groups. */
#define PERF_KEPT 64

/* Kinds of host-software events, by config. */
#define PERF_KINDS (VPMU_SOFTWARE_EMULATION_FAULTS + 1)

/* Descriptors of a group: one for each event, and its dummy's. */
#define PERF_GROUP_DESCRIPTORS (VPMU_MAX_SLOTS + 1)

/* A call that is interrupted as often as this is given up. */
#define PERF_TRIES 16

/*
 * A thread. It stays in its chain until the source is destroyed, so that a signal handler may walk
 * the chain at any time; a detached one is taken again by the next thread of that chain.
 */
struct perf_thread {
	struct perf_thread *next;
	_Atomic int32_t id; /* 0: free, PERF_CLAIMED: being filled */
	uint32_t own;	    /* enum perf_own */
	uint32_t looked;    /* for a mediated vPMU, since it was attached */
	uint32_t rated;	    /* and for the rate of overflows that the kernel allows */
	vpmu_attention attention;
	void *opaque;
	uint32_t clocks;	 /* with notices, of its open groups */
	struct perf_group *kept; /* closed groups, the last closed first */
	uint32_t kept_events;
	uint32_t place;		  /* enum perf_place */
	struct perf_group *gated; /* open groups that count the guest's runs only */
};

#define PERF_CLAIMED (-1)

/* Whether a thread is one of this process, and may be sent signals. */
enum perf_own { PERF_OWN_UNKNOWN, PERF_OWN_YES, PERF_OWN_NO };

/* Where the edges say that a thread is; nowhere before the first. */
enum perf_place { PERF_NOWHERE, PERF_OUTSIDE, PERF_INSIDE };

/* Whether an event gives notices. */
enum perf_notices {
	PERF_COUNTS,  /* not as it was opened */
	PERF_SAMPLES, /* opened so */
	PERF_DEAF,    /* cannot */
};

struct perf_member {
	struct guest_perf_attr attr;
	uint64_t left;		  /* distance of the next notice from `armed`, 0: none */
	uint64_t armed;		  /* host count when `left` was set */
	uint64_t last;		  /* host count at the last reading */
	uint64_t carried;	  /* counts that the next reading adds */
	uint64_t distance;	  /* the kernel's, of notices; 0: it only counts */
	uint64_t asked, asked_at; /* host count and enabled time when its interval began */
	int32_t descriptor;
	uint32_t notices; /* enum perf_notices */
};

struct perf_group {
	struct perf_group *next;   /* in a pool, or among the gated ones */
	uint64_t enabled, running; /* host times at the last reading */
	uint64_t carried_enabled, carried_running;
	uint32_t count;
	uint32_t flags; /* VPMU_SOURCE_* */
	uint32_t on;
	uint32_t stalled; /* could not be started again, and no reading told so yet */
	uint32_t settled; /* paused, and read since */
	uint32_t aged;	  /* in a pool since before the last slice ended */
	uint32_t gated;	  /* see gate.c */
	uint32_t shut;	  /* what its guest events count is not the guest's */
	uint32_t current; /* read when the guest was left, and not touched since */
	uint32_t slowed;  /* a notice was put off, and no reading told so yet */
	uint32_t clocks;  /* of the thread's that are counted */
	int32_t blurred;  /* why an edge was not read: what came before it and after it is not told
			     apart */
	uint64_t starved; /* time of the thread up to which its starvation was told; 0: it is not
			     starved */
	int32_t dummy;	  /* see vpmu_perf_needs_dummy(); -1: none */
	struct perf_member members[];
};

struct vpmu_perf {
	struct vpmu_perf_system system;
	struct vpmu_perf_config config;
	_Atomic uint32_t mediated;	  /* KVM keeps the PMU, as it was last seen */
	uint32_t gates;			  /* groups that count a guest are gated */
	_Atomic uint32_t told;		  /* bits of the texts that the log has had */
	_Atomic uint32_t attached;	  /* threads attached */
	_Atomic uint32_t clock_floor;	  /* least distance of a clock's notices, ns */
	_Atomic uint32_t notice_interval; /* ns in which another event gives two; 0: any number */
	_Atomic int32_t limit;		  /* of descriptors, as it was last seen */
	_Atomic int32_t keepers[PERF_KINDS]; /* 0: none, ~descriptor; else none can be had */
	struct perf_thread *_Atomic chains[PERF_CHAINS];
};

/* What failed, for the choice of an error and a text. */
enum perf_call {
	PERF_OPEN_LEADER = 1,
	PERF_OPEN_MEMBER = 2,
	PERF_NOTICE = 4,
	PERF_IOCTL = 8,
	PERF_READ = 16,
};

/* Refusals of the source itself. */
enum perf_refusal {
	PERF_NO_GUEST,
	PERF_MEDIATED,
	PERF_NOT_SPLIT,
	PERF_NO_EVENT,
	PERF_NEIGHBOUR,
	PERF_FOREIGN,
	PERF_NO_NOTICE,
};

/* source.c */

/*
 * Looks whether KVM keeps the PMU for its guests: then events that count a guest and such VMs shut
 * each other out. Its module, which has that parameter for as long as it is loaded, may come later
 * than the source.
 */
void vpmu_perf_mediated_look(struct vpmu_perf *perf);

/* attr.c */
int vpmu_perf_counts_guest(const struct guest_perf_attr *attr);
int vpmu_perf_is_clock(const struct guest_perf_attr *attr);
/* Looks how often the kernel lets events overflow. */
void vpmu_perf_rate_look(struct vpmu_perf *perf);
/* The distance of a notice that is asked for after a reading: `left`, or more. */
uint64_t vpmu_perf_put_off(const struct vpmu_perf *perf, struct perf_group *group,
			   struct perf_member *member, uint64_t left);
uint64_t vpmu_perf_distance(const struct vpmu_perf *perf, const struct perf_thread *thread,
			    const struct guest_perf_attr *attr, uint64_t left);
uint64_t vpmu_perf_member_distance(const struct vpmu_perf *perf, const struct perf_thread *thread,
				   const struct perf_group *group,
				   const struct perf_member *member);
/* Before distances are asked for of a group that is open or to be opened, and when it is no more. */
void vpmu_perf_clocks_join(struct perf_thread *thread, struct perf_group *group);
void vpmu_perf_clocks_part(struct perf_thread *thread, struct perf_group *group);
/*
 * Whether the kernel takes a new distance of this event late. It gives a software event that
 * counts, while that is on, one notice at the very next count and one after the distance before
 * (__perf_event_period() leaves nothing of the period, and perf_swevent_set_period() goes on with
 * hw.last_period, kernel/events/core.c), unless the event is put on its CPU anew in between
 * (perf_swevent_add()). A dummy in the group that is switched off and on has all of them put on
 * anew.
 */
int vpmu_perf_needs_dummy(const struct perf_member *member);
int vpmu_perf_raw_is_cut(const struct vpmu_perf *perf, const struct guest_perf_attr *attr);
/* Whether it counts what runs beside the thread too. */
int vpmu_perf_counts_neighbour(const struct guest_perf_attr *attr);
int vpmu_perf_attr_fill(struct perf_event_attr *to, const struct guest_perf_attr *from,
			uint32_t how, uint64_t period);

/* open.c: descriptors, or a negated errno value */
int64_t vpmu_perf_event_open(struct vpmu_perf *perf, const struct guest_perf_attr *event,
			     uint64_t period, int64_t thread, int32_t group, uint32_t flags);
/* Fills PERF_GROUP_DESCRIPTORS of them; the one after the events is the dummy's or -1. */
int vpmu_perf_open_all(struct vpmu_perf *perf, struct perf_thread *thread, struct perf_group *group,
		       int32_t *descriptors, uint32_t *failed);
int64_t vpmu_perf_dummy_open(struct vpmu_perf *perf, int64_t thread, int32_t leader,
			     uint64_t config);
void vpmu_perf_close_all(struct vpmu_perf *perf, const int32_t *descriptors, uint32_t count);
int vpmu_perf_admit(struct vpmu_perf *perf, const struct guest_perf_attr *attr, uint32_t flags,
		    int64_t thread);
void vpmu_perf_plan_notices(struct vpmu_perf *perf, struct perf_thread *thread,
			    struct perf_member *member, uint32_t wanted);

/* budget.c */
void vpmu_perf_limit_look(struct vpmu_perf *perf);
/* The descriptor of a new event, or -EMFILE, and it is closed, where that is one of the VMM's own. */
int64_t vpmu_perf_leave_reserve(struct vpmu_perf *perf, int64_t descriptor);
void vpmu_perf_describe_limit(struct vpmu_perf *perf, char *to, size_t size);

/* group.c */
int vpmu_perf_open(void *source, void *attached, struct vpmu_source_event *events, uint32_t count,
		   uint32_t flags, struct vpmu_source_opened *opened);
void vpmu_perf_close(void *source, void *attached, void *handle, uint32_t keep);
int vpmu_perf_run(void *source, void *attached, void *handle, uint32_t on);
int vpmu_perf_read(void *source, void *attached, void *handle, struct vpmu_source_reading *reading);
int vpmu_perf_period(void *source, void *attached, void *handle, uint32_t index, uint64_t left);

int64_t vpmu_perf_group_toggle(struct vpmu_perf *perf, const struct perf_group *group, uint32_t on);
/* Takes up what a paused group counted since it was read: 0 or VPMU_ERROR_*. */
int vpmu_perf_group_settle(struct vpmu_perf *perf, struct perf_thread *thread,
			   struct perf_group *group);
void vpmu_perf_group_end(struct vpmu_perf *perf, struct perf_group *group);
/* How far a member has still to go to its notice. Counts not taken up yet bring it early only. */
uint64_t vpmu_perf_member_left(const struct perf_member *member);
/* A new distance for an event that gives notices: 0 or a negated errno value. Behind a gate the
 * kernel gets it at the next entry. */
int64_t vpmu_perf_member_period(struct vpmu_perf *perf, const struct perf_thread *thread,
				const struct perf_group *group, struct perf_member *member,
				uint64_t left);

/* gate.c */
void vpmu_perf_gate_plan(const struct vpmu_perf *perf, struct perf_group *group);
/* After a reading, or where nothing was counted since the last: the gate is where the thread is. */
void vpmu_perf_gate_follow(const struct perf_thread *thread, struct perf_group *group);
void vpmu_perf_gate_join(struct perf_thread *thread, struct perf_group *group);
void vpmu_perf_gate_part(struct perf_thread *thread, struct perf_group *group);
/* Whether what such an event of the group counts now is not the guest's. */
static inline int vpmu_perf_gate_shuts(const struct perf_group *group,
				       const struct guest_perf_attr *attr)
{
	return group->shut && vpmu_perf_counts_guest(attr);
}
/* Puts notices off behind a shut gate, and has the kernel give them behind an open one. */
void vpmu_perf_gate_notices(struct vpmu_perf *perf, const struct perf_thread *thread,
			    struct perf_group *group);
int vpmu_perf_gate_edge(struct vpmu_perf *perf, struct perf_thread *thread, uint32_t place);

/* pool.c */
int vpmu_perf_pool_keep(struct vpmu_perf *perf, struct perf_thread *thread,
			struct perf_group *group);
struct perf_group *vpmu_perf_pool_take(struct vpmu_perf *perf, struct perf_thread *thread,
				       const struct vpmu_source_event *events, uint32_t count,
				       uint32_t flags);
/* Closes all that is kept: how many events. */
uint32_t vpmu_perf_pool_end(struct vpmu_perf *perf, struct perf_thread *thread);
int vpmu_perf_edge(void *source, void *attached, uint32_t edge);

/* keeper.c */
void vpmu_perf_keep_kind(struct vpmu_perf *perf, const struct guest_perf_attr *attr);
void vpmu_perf_keepers_end(struct vpmu_perf *perf);

/* probe.c */
int vpmu_perf_probe(void *source, struct vpmu_source_facts *facts);

/* report.c: the error that stands for a negated errno value, told to the log once */
int vpmu_perf_failed(struct vpmu_perf *perf, enum perf_call call,
		     const struct guest_perf_attr *attr, int64_t thread, int64_t code);
int vpmu_perf_refuse(struct vpmu_perf *perf, enum perf_refusal refusal,
		     const struct guest_perf_attr *attr, int64_t thread);

#endif
