/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A scripted world around the library: guest RAM, clocks, a PMI, an allocator and a counter source,
 * all of which do what the test says and count what the library asked of them. Tables of functions
 * as a VMM and a backend give them; the library cannot tell the difference.
 *
 * A thread of the source is named by its number, 0 to WORLD_THREADS - 1; the number given to
 * vpmu_vcpu_bind(). Counters may be read at any time; everything else belongs to one thread at a
 * time.
 */
#ifndef VPMU_TEST_WORLD_H
#define VPMU_TEST_WORLD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <vpmu/vpmu.h>

#define WORLD_RAM_BASE 0x100000u /* guest-physical */
#define WORLD_RAM_SIZE 0x20000u
#define WORLD_THREADS 8u
#define WORLD_EDGES (VPMU_EDGE_RELEASE + 1)
#define WORLD_LOG 256u /* entries kept of each log; more are counted */
#define WORLD_ALWAYS UINT32_MAX

/* Register numbers of a slot's words. */
#define WORLD_ATTR(slot, word) (VPMU_STRIDE * ((slot) + 1u) + VPMU_SLOT_ATTR + (word))
#define WORLD_EVENT(slot, word) (VPMU_STRIDE * ((slot) + 1u) + VPMU_SLOT_EVENT + (word))

/* Everything that the library calls. */
enum world_op {
	WORLD_ALLOCATE,
	WORLD_RELEASE,
	WORLD_GUEST_CHECK,
	WORLD_GUEST_READ,
	WORLD_GUEST_WRITE,
	WORLD_GUEST_STORE,
	WORLD_PMI,
	WORLD_CLOCK,
	WORLD_GUEST_CLOCK,
	WORLD_LOGGED,
	WORLD_PROBE,
	WORLD_ATTACH,
	WORLD_DETACH,
	WORLD_OPEN,
	WORLD_CLOSE,
	WORLD_RUN,
	WORLD_READ,
	WORLD_PERIOD,
	WORLD_EDGE,
	WORLD_OPS,
};

/* How calls of one op fail: `skip` succeed, then `times` fail with `error`, then all succeed. */
struct world_failure {
	uint32_t skip;
	uint32_t times;
	int error;
};

/* A store of one word, or an injected interrupt. */
struct world_store {
	uint32_t vcpu;
	uint64_t address;
	uint64_t value;
};

struct world_pmi {
	uint32_t vcpu;
	uint32_t mode;
	uint32_t vector;
};

struct world_group {
	struct world_group *next;
	struct world_thread *thread;
	uint32_t count;
	uint32_t on;
	uint32_t flexible;
	uint32_t flags; /* of the next reading */
	uint64_t enabled;
	uint64_t running;
	uint64_t increase[VPMU_MAX_SLOTS];
	struct vpmu_source_event events[VPMU_MAX_SLOTS]; /* as opened; left counts down */
};

struct world_thread {
	struct world *world;
	struct world_group *groups; /* live ones */
	vpmu_attention attention;
	void *opaque;
	uint32_t attached;
	uint32_t event_flags;		    /* VPMU_EVENT_* that open answers */
	int lost;			    /* VPMU_ERROR_* that every reading gives; 0: none */
	uint64_t lost_time;		    /* enabled time that every such reading tells */
	int refuses;			    /* VPMU_ERROR_* that every open gives; 0: none */
	uint64_t delivered[VPMU_MAX_SLOTS]; /* counts handed over in readings, by tag, since that
					       tag was opened last */
	uint64_t edges[WORLD_EDGES];	    /* how often each was told */
};

struct world {
	/* What the VM is made of; change before world_vm(). */
	struct vpmu_profile profile;
	struct vpmu_host_ops host;
	struct vpmu_source_ops source;
	struct vpmu_source_facts facts;
	struct vpmu_vm *vm;

	/* What the world answers. */
	uint64_t now;
	uint64_t guest_now;
	uint32_t silent;     /* 1: counting past `left` raises no notice */
	uint32_t open_index; /* event that a failing open names */
	uint32_t reused;     /* events that open says it did not have to make */
	int kept;	     /* the answer to the end of a slice */
	uint64_t hidden;     /* guest-physical range that is no RAM at present */
	uint64_t hidden_size;
	/* Called when the library has fetched guest memory; may change it. */
	void (*fetched)(struct world *world, uint64_t address, uint64_t size);
	void *opaque; /* the test's */

	/* What the library did. */
	_Atomic uint32_t calls[WORLD_OPS];
	_Atomic uint32_t failed[WORLD_OPS]; /* calls that failed because the test wanted it */
	_Atomic uint32_t fallible; /* calls that could have failed, since world_fail_nth() */
	_Atomic uint32_t live_bytes;
	_Atomic uint32_t live_blocks;
	_Atomic uint32_t live_groups;
	_Atomic uint32_t live_events;
	_Atomic uint32_t live_threads;
	_Atomic uint32_t keeps;	  /* groups closed with leave to keep their events */
	_Atomic uint32_t dropped; /* counts that were never read: groups closed with some */
	_Atomic uint32_t misuses; /* calls that break the contract of the tables; see last_misuse */
	const char *last_misuse;
	_Atomic uint32_t stores; /* entries ever; the first WORLD_LOG are kept */
	struct world_store store[WORLD_LOG];
	_Atomic uint32_t pmis;
	_Atomic uint32_t injected[WORLD_THREADS]; /* by the low bits of the vCPU's number */
	struct world_pmi pmi[WORLD_LOG];
	uint32_t last_level;
	char last_log[256];

	/* Inner matters. */
	struct world_failure failures[WORLD_OPS];
	uint32_t fail_from; /* 0: none */
	uint32_t fail_forever;
	int fail_source; /* what the source's calls then answer; 0: each its own */
	uint32_t track;	 /* 1: account for each byte of RAM; one thread at a time */
	uint32_t call;	 /* number of the library call */
	uint32_t fetched_twice;
	uint8_t *ram;
	uint8_t *known;	 /* what the test and the host ops put there */
	uint8_t *dirty;	 /* per byte */
	uint8_t *author; /* per byte: 1 + vCPU for which the library wrote it; 0: the test did */
	uint32_t *fetched_in; /* per byte: library call that last fetched it */
	struct world_thread threads[WORLD_THREADS];
};

/* The only memory of the world itself: world_hosted.c, or the test's own where there is no libc. */
void *world_take(size_t size); /* filled with 0 */
void world_give(void *memory);

/* A world with the default profile, all events granted and countable, clocks at 1000. */
void world_init(struct world *world);
/* Removes nothing of the library's; ends the world's own memory. */
void world_end(struct world *world);
/* Creates the VM; 0 or an error. */
int world_vm(struct world *world);
/* Adds a vCPU and, unless thread is -1, binds it; NULL on failure. */
struct vpmu_vcpu *world_vcpu(struct world *world, uint32_t id, int thread);

/* ---- the source ---- */

/* The live group that has the tag, or NULL. */
struct world_group *world_group(struct world *world, unsigned int thread, unsigned int tag);
/* Events happen: nothing unless the group runs and has its counters. Raises notices. */
void world_count(struct world *world, unsigned int thread, unsigned int tag, uint64_t counts);
/* Thread time passes: for running groups enabled and running, or enabled only while they lack
 * counters. */
void world_time(struct world *world, unsigned int thread, uint64_t enabled, uint64_t running);
/* Flags of the next readings of the thread's groups. */
void world_flags(struct world *world, unsigned int thread, uint32_t flags);
void world_notice(struct world *world, unsigned int thread, uint64_t tags);

/* ---- failures ---- */

void world_fail(struct world *world, enum world_op op, uint32_t skip, uint32_t times, int error);
/* The n-th fallible call from now (1: the next) fails, once or with all after it; 0: none. */
void world_fail_nth(struct world *world, uint32_t n, uint32_t forever);

/* ---- guest memory ---- */

uint64_t world_peek(struct world *world, uint64_t address);
void world_poke(struct world *world, uint64_t address, uint64_t value);
void world_hide(struct world *world, uint64_t address, uint64_t size);
/* To be called before a call of the library: bytes may be fetched anew. */
void world_next_call(struct world *world);
void world_clean(struct world *world);
/* 1 if the host ops marked a byte of the range dirty since world_clean(). */
int world_is_dirty(const struct world *world, uint64_t address, uint64_t size);
/* 1 if the library wrote all of the range last, for this vCPU. */
int world_is_from(const struct world *world, uint32_t vcpu, uint64_t address, uint64_t size);
/* Bytes that changed and were not marked dirty. */
uint32_t world_unmarked(const struct world *world);

/* ---- registers ---- */

/* All ones where the register is undefined. */
uint64_t world_get(struct vpmu_vcpu *vcpu, uint64_t index);
/* VPMU_ACCESS_* */
int world_set(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value);
/* The whole register file: VPMU_REGISTERS words. */
void world_dump(struct vpmu_vcpu *vcpu, uint64_t *words);
/* Writes the attr words of a closed slot: a hardware event, period and flags; leader with MEMBER. */
void world_attr(struct vpmu_vcpu *vcpu, unsigned int slot, uint64_t config, uint64_t period,
		uint64_t flags, uint64_t leader);

#endif
