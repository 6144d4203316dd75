/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of the direct source share. */
#ifndef VPMU_DIRECT_INTERNAL_H
#define VPMU_DIRECT_INTERNAL_H

#include <stddef.h>

#include <vpmu/convert.h>
#include <vpmu/direct.h>

#define DIRECT_BIT(n) (1ull << (n))
#define DIRECT_NOWHERE UINT32_MAX
/* A control register whose value is not known. */
#define DIRECT_UNKNOWN UINT64_MAX
#define DIRECT_MOST_CPUS 4096
/* Events that a task or CPU may keep of closed groups. */
#define DIRECT_KEPT 64

/* Whose groups; with pinned or flexible it makes the class. */
enum direct_kind { DIRECT_CPU, DIRECT_TASK, DIRECT_KINDS };
enum direct_list { DIRECT_PINNED, DIRECT_FLEXIBLE, DIRECT_LISTS };

struct direct_event {
	struct guest_perf_attr attr;
	struct direct_group *group;
	uint64_t select;  /* the event and its filters, without what starts it */
	uint64_t allowed; /* bits of the counters that can count it */
	uint64_t count;	  /* so far */
	uint64_t given;	  /* of these told by readings */
	uint64_t target;  /* count at which a notice is due; 0: none */
	uint64_t raw;	  /* the counter when it was last looked at */
	uint64_t armed;	  /* counts from there to its overflow; 0: it is past */
	uint32_t counter; /* that counts it, or DIRECT_NOWHERE */
	uint32_t tag;
};

struct direct_group {
	struct direct_group *next;
	struct direct_context *context;
	uint64_t enabled, running;	     /* not yet told by readings */
	uint64_t enabled_mark, running_mark; /* times of the context up to which these go */
	uint32_t count;
	uint32_t flags; /* VPMU_SOURCE_* */
	uint32_t on;
	uint32_t placed;
	uint32_t starved; /* pinned, and there was no room */
	uint32_t failed;  /* it may have missed counts, and no reading told so yet */
	uint32_t aged;	  /* kept since before the last slice ended */
	struct direct_event events[];
};

struct direct_context {
	struct vpmu_direct *direct;
	struct direct_cpu *cpu; /* where it is, or NULL */
	uint32_t kind;		/* enum direct_kind */
	uint32_t sides;		/* VPMU_DIRECT_HOST, VPMU_DIRECT_GUEST */
	uint32_t ticks;		/* its time passes */
	uint32_t waiting;	/* a flexible group found no room */
	uint64_t time, since;	/* its time, up to `since` of the clock */
	vpmu_attention attention;
	void *opaque;
	struct direct_group *groups[DIRECT_LISTS];
	struct direct_group *kept; /* closed groups, the last closed last */
	uint32_t kept_events;
};

struct direct_cpu {
	uint32_t number;
	uint32_t in_guest;
	uint32_t out;	 /* its registers are somebody else's */
	uint32_t taken;	 /* and tasks are told so */
	uint32_t broken; /* a register faulted: what it counts is not known any more */
	uint64_t rotate_at;
	struct direct_context *contexts[DIRECT_KINDS];
	struct direct_event *has[VPMU_COUNTERS];   /* as the registers are */
	struct direct_event *wants[VPMU_COUNTERS]; /* as they are to be */
	uint64_t select[VPMU_FIXED_FIRST];	   /* as last written */
	uint64_t known;				   /* bits of counters whose `select` is */
	uint64_t fixed_control;
	uint64_t global_control;
};

struct vpmu_direct {
	struct vpmu_hardware hardware;
	struct vpmu_registers registers;
	struct vpmu_direct_config config;
	uint32_t attached;
	struct direct_cpu cpus[];
};

/* count.c: events and their registers */
uint64_t vpmu_direct_now(const struct vpmu_direct *direct, uint32_t cpu);
/* NULL where there is no such CPU. */
struct direct_cpu *vpmu_direct_cpu(struct vpmu_direct *direct, uint32_t number);
void vpmu_direct_fold(struct vpmu_direct *direct, struct direct_cpu *cpu,
		      struct direct_event *event);
void vpmu_direct_arm(struct vpmu_direct *direct, struct direct_cpu *cpu,
		     struct direct_event *event);
/* Makes the registers as they are wanted. */
void vpmu_direct_apply(struct vpmu_direct *direct, struct direct_cpu *cpu);
/* The same events, where guest code was entered or left. */
void vpmu_direct_gate(struct vpmu_direct *direct, struct direct_cpu *cpu);

/* place.c */
int vpmu_direct_fits(struct direct_group *group);
void vpmu_direct_schedule(struct vpmu_direct *direct, struct direct_cpu *cpu);
/* Adds what passed since the marks. */
void vpmu_direct_settle(const struct vpmu_direct *direct, struct direct_group *group);
uint64_t vpmu_direct_time(const struct vpmu_direct *direct, const struct direct_context *context);

/* group.c */
int vpmu_direct_open(void *source, void *attached, struct vpmu_source_event *events, uint32_t count,
		     uint32_t flags, struct vpmu_source_opened *opened);
void vpmu_direct_close(void *source, void *attached, void *handle, uint32_t keep);
int vpmu_direct_run(void *source, void *attached, void *handle, uint32_t on);
int vpmu_direct_read(void *source, void *attached, void *handle,
		     struct vpmu_source_reading *reading);
int vpmu_direct_period(void *source, void *attached, void *handle, uint32_t member, uint64_t left);
/* Ends what is kept, or only what is aged: 1 while something is left. */
int vpmu_direct_kept_end(struct vpmu_direct *direct, struct direct_context *context,
			 uint32_t only_aged);

#endif
