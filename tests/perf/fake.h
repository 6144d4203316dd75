/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A kernel of a few lines behind struct vpmu_perf_system, which can be told to fail at any call. */
#ifndef VPMU_TEST_PERF_FAKE_H
#define VPMU_TEST_PERF_FAKE_H

#include <stdint.h>

#include <linux/perf_event.h>

#include <vpmu/perf.h>

#define FAKE_EVENTS 256
#define FAKE_FIRST 1000 /* first descriptor */
#define FAKE_THREAD 4321
#define FAKE_OTHER 4322

/* errno that a log function leaves behind, and that of the test before each call. */
#define FAKE_ERRNO 77
#define ERRNO_BEFORE 4242

enum fake_call {
	FAKE_OPEN,
	FAKE_IOCTL,
	FAKE_FCNTL,
	FAKE_READ,
	FAKE_CLOSE,
	FAKE_THREADS,
	FAKE_FILE,
	FAKE_TIME,
	FAKE_ALLOCATE,
	FAKE_CALLS
};

struct fake_event {
	struct perf_event_attr attr;
	uint32_t used;
	uint32_t own;
	uint32_t leader; /* its place */
	uint64_t order;	 /* of opening */
	uint32_t on;
	uint32_t dead; /* pinned, and lost its counter */
	uint64_t count, enabled, running;
	uint64_t left;	       /* counts until it overflows, where it samples */
	int32_t owner, number; /* who gets which signal */
	uint32_t async;
};

struct fake {
	struct fake_event events[FAKE_EVENTS];
	uint32_t opened; /* events in use of the thread */
	uint32_t own;	 /* and of the caller's: probes and keepers, at the end of the table */
	uint32_t periods;
	uint64_t events_ever;
	uint32_t memory; /* pieces of memory in use */
	uint32_t calls[FAKE_CALLS];
	uint32_t all_calls;

	uint32_t fail_at;	     /* this call fails, from 1; 0: none */
	uint32_t fail_on;	     /* and all after it */
	int64_t failure;	     /* with this answer */
	int64_t answers[FAKE_CALLS]; /* the next calls of a kind fail so */
	uint32_t skip[FAKE_CALLS];   /* but for so many of them first */
	uint32_t times[FAKE_CALLS];  /* how many fail then */

	uint32_t attr_size;   /* what this kernel knows; 0: anything */
	uint32_t no_sampling; /* hardware events cannot sample */
	uint32_t counters;    /* for pinned hardware groups; 0: without end */
	int64_t (*driver)(
		const struct perf_event_attr *attr); /* what the PMU's says of an event; NULL: 0 */
	uint32_t thread_ended;
	uint32_t thread_foreign;
	uint64_t true_count[16]; /* by perf's config: what happened while it was on */
	const char *mediated, *paranoid, *capabilities, *pmu, *rate;
	uint32_t unprivileged; /* may not count the kernel */
	uint32_t gate;	       /* VPMU_PERF_GATE_* of the source */
	uint32_t turns;	       /* a flexible group counts in one of so many passes; 0: in all */
	uint32_t passes;
	uint64_t overflows; /* of events that announce theirs */
	uint64_t limit;
	uint64_t thread_time; /* ns that the thread has had */

	char text[1024]; /* last text told */
	uint32_t texts;
	uint64_t tags;
	uint32_t notices;
};

/* A source on the fake; its table calls the fake. */
void fake_begin(struct fake *fake);
int fake_source(struct fake *fake, uint32_t flags, uint32_t number, struct vpmu_perf **perf);
int fake_attach(struct fake *fake, struct vpmu_perf *perf, void **attached);

/* Has the source open the keepers that hardware events and clocks need; calls count from then on. */
void fake_warm_up(struct fake *fake, struct vpmu_perf *perf, void *attached);

/* Time passes on the thread: every group that is on counts config + 1 of each event per ns. */
void fake_pass(struct fake *fake, uint64_t ns, uint64_t running_ns);

/* The next `times` calls of a kind, after `skip` good ones, answer with `failure`. */
void fake_fail(struct fake *fake, enum fake_call call, uint32_t skip, uint32_t times,
	       int64_t failure);

#endif
