/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the core share: the register file of a vCPU, and the few things beside it that
 * a guest cannot see.
 */
#ifndef VPMU_CORE_CORE_H
#define VPMU_CORE_CORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <vpmu/image.h>
#include <vpmu/vpmu.h>

#define VPMU_BIT(n) (1ull << (n))
#define VPMU_NO_SLOT 0xffu
#define VPMU_VCPU_LISTS 256u

/* A slot as the guest sees it, and what the host needs to count it. */
struct vpmu_slot {
	uint64_t attr[VPMU_ATTR_WORDS];
	uint64_t event[VPMU_EVENT_WORDS + 1]; /* the last word is level 2's */
	void *host;			      /* leader: the source's group */
	uint64_t members;		      /* leader: slots of the group, its own among them */
	uint64_t retry_at;		      /* leader: when to try the host again */
	uint8_t leader;	    /* of an open or warm slot; of others it means nothing */
	uint8_t condition;  /* leader: what keeps the group from counting */
	uint8_t retries;    /* leader: failed tries in a row */
	uint8_t host_flags; /* how the host counts it: VPMU_EVENT_APPROXIMATE, _THREAD */
};

enum vpmu_asked {
	VPMU_ASKED_RESET = 1,	    /* another vCPU reset the VM */
	VPMU_ASKED_RESET_LATER = 2, /* the same, for the state that it is about to take */
};

enum vpmu_prepared {
	VPMU_PREPARED_NOT,
	VPMU_PREPARED_FLEXIBLE, /* for a VM whose slots the host may multiplex */
	VPMU_PREPARED_PINNED,
};

/* How vpmu_vm_release_pmu() was followed. */
enum vpmu_released {
	VPMU_RELEASED_NOT,
	VPMU_RELEASED_TOLD,
	VPMU_RELEASED_UNSEEN, /* while the vCPU was stopped: its guest knows nothing of it */
};

/* For vpmu_vcpu_statistics(). */
struct vpmu_counts {
	uint64_t exits, batches, pmis, throttled, lost;
};

struct vpmu_vcpu {
	struct vpmu_vm *vm;
	struct vpmu_vcpu *next;	  /* of its list */
	struct vpmu_vcpu *before; /* of all, by id */
	struct vpmu_vcpu *after;
	void *attached; /* the source's; valid while bound */
	uint64_t *batch;
	uint64_t control[VPMU_STRIDE];
	uint64_t warm;	   /* closed slots with a host event ready */
	uint64_t retrying; /* leaders to try again: for their condition, or else for notices */
	uint64_t opening;  /* leaders of a restored vCPU whose host events are yet to be made */
	uint64_t brought;  /* leaders of a restored vCPU for which this host never made events */
	uint64_t stubbed;  /* leaders that count nothing on this host, as the VMM chose */
	uint64_t unarmed; /* slots whose next notice is asked for again: their source took no period
			   */
	uint64_t primed;  /* leaders whose host events run, and what they count is nobody's */
	uint64_t incoming; /* place in the image that was loaded; 0: none, or taken already */
	uint64_t next_creation;
	uint64_t next_injection;
	uint64_t injection_retry;
	uint64_t deadline;
	uint64_t slice_end; /* when the source is to look through what it kept; VPMU_NO_DEADLINE */
	_Atomic uint32_t attention[2]; /* tags 0 to 31, 32 to 63 */
	_Atomic uint32_t requests;
	_Atomic uint32_t busy; /* depth of calls that may write guest memory or inject */
	uint32_t bound;	       /* 1: attached */
	uint32_t stopped;      /* 1: between vpmu_vcpu_stop() or _commit(), and _resume() */
	uint32_t restored; /* 1: took its state from an image and has not resumed: it is stopped */
	uint32_t prepared; /* enum vpmu_prepared: its slots hold what a prepare wrote */
	uint32_t released; /* enum vpmu_released */
	uint32_t thread_gone; /* 1: the source found that the thread it is bound to has ended */
	uint32_t loss_told;   /* VPMU_REASON_* that the VMM was told last */
	uint32_t area_stale;  /* header words that differ from the registers, bits 1 << word */
	uint32_t operations;  /* slot operations of this batch */
	uint32_t epoch_moved; /* 1 << reason: the epoch moved for it in this call */
	uint32_t warned;      /* 1 << enum vpmu_warning: the operator was told */
	uint32_t slot_count;
	struct vpmu_counts counts;
	struct vpmu_slot slots[];
};

struct vpmu_loaded; /* src/image */

struct vpmu_vm {
	struct vpmu_profile profile; /* in force: what was granted, or less after a restore */
	struct vpmu_profile granted;
	struct vpmu_host_ops host;
	void *host_opaque;
	struct vpmu_source_ops source;
	void *source_opaque;
	struct vpmu_vcpu *vcpus[VPMU_VCPU_LISTS]; /* by the lowest bits of their ids */
	struct vpmu_vcpu *first;		  /* all, in the order of their ids */
	struct vpmu_vcpu *last;
	struct vpmu_loaded
		*loaded; /* an image between load and the last commit, and what is kept of it */
	uint64_t loaded_size;	  /* of its memory */
	uint32_t missing;	  /* what becomes of restored events that this host cannot count */
	_Atomic uint32_t resumed; /* 1: a vCPU went on with what was loaded */
	uint64_t creation_interval; /* ns; 0: no limit */
	uint64_t injection_interval;
	atomic_flag lock; /* guards the list of vCPUs; nothing is called while it is held */
	_Atomic uint32_t released;
	_Atomic uint32_t host_events;
};

/* ---- words ----------------------------------------------------------------------------------- */

static inline unsigned int vpmu_lowest(uint64_t mask)
{
#if defined(__x86_64__) || defined(__aarch64__) || defined(__loongarch__) || defined(__s390x__)
	return (unsigned int)__builtin_ctzll(mask);
#else
	/* Where the machine has no such instruction, compilers call a library that kernels do not
	 * have. */
	unsigned int slot = 0;

	for (unsigned int step = 32; step; step /= 2) {
		if (!(mask & ((1ull << step) - 1))) {
			mask >>= step;
			slot += step;
		}
	}
	return slot;
#endif
}

static inline uint32_t vpmu_count_bits(uint64_t mask)
{
	uint32_t count = 0;

	for (; mask; mask &= mask - 1)
		count++;
	return count;
}

static inline uint64_t vpmu_saturating_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* A word as it stands in guest memory. */
static inline uint64_t vpmu_little(uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(value);
#else
	return value;
#endif
}

/* So many of them, to a place of any alignment. */
static inline void vpmu_little_words(unsigned char *to, const uint64_t *words, uint32_t count)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (uint32_t i = 0; i < count; i++) {
		uint64_t word = vpmu_little(words[i]);

		memcpy(to + (size_t)i * sizeof(word), &word, sizeof(word));
	}
#else
	memcpy(to, words, (size_t)count * sizeof(words[0]));
#endif
}

static inline uint8_t vpmu_slot_state(const struct vpmu_slot *slot)
{
	return (uint8_t)(slot->event[VPMU_EVENT_WORD_STATUS] >> VPMU_EVENT_WORD_STATUS_STATE_SHIFT);
}

static inline uint8_t vpmu_slot_reason(const struct vpmu_slot *slot)
{
	return (uint8_t)(slot->event[VPMU_EVENT_WORD_STATUS] >>
			 VPMU_EVENT_WORD_STATUS_REASON_SHIFT);
}

static inline uint16_t vpmu_slot_flags(const struct vpmu_slot *slot)
{
	return (uint16_t)(slot->event[VPMU_EVENT_WORD_STATUS] >>
			  VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT);
}

static inline bool vpmu_slot_is_member(const struct vpmu_slot *slot)
{
	return slot->attr[VPMU_ATTR_WORD_FLAGS] & VPMU_ATTR_MEMBER;
}

static inline uint8_t vpmu_slot_link(const struct vpmu_slot *slot)
{
	return (uint8_t)(slot->attr[VPMU_ATTR_WORD_LINK] & VPMU_ATTR_WORD_LINK_LEADER_MASK);
}

static inline uint64_t vpmu_now(const struct vpmu_vcpu *vcpu)
{
	return vcpu->vm->host.clock(vcpu->vm->host_opaque);
}

/* ---- rule.c ---------------------------------------------------------------------------------- */

struct vpmu_rule;
const struct vpmu_rule *vpmu_rule_control(const struct vpmu_vcpu *vcpu, uint32_t index);
const struct vpmu_rule *vpmu_rule_slot(const struct vpmu_vcpu *vcpu, uint32_t word);

/* ---- register.c ------------------------------------------------------------------------------ */

bool vpmu_register_defined(const struct vpmu_vcpu *vcpu, uint64_t index);
uint64_t vpmu_register_get(struct vpmu_vcpu *vcpu, uint32_t index);
/* An access, and for a mask the slots for which it failed. */
int vpmu_register_set(struct vpmu_vcpu *vcpu, uint32_t index, uint64_t value, uint64_t *failed);
/* Slot operations that this write would make. */
uint32_t vpmu_register_cost(const struct vpmu_vcpu *vcpu, uint32_t index, uint64_t value);
void vpmu_register_reset(struct vpmu_vcpu *vcpu);

/* ---- event.c: does a configuration describe an event that this VM is granted? ---------------- */

uint8_t vpmu_event_check(const struct vpmu_profile *profile, const uint64_t *attr);
/* Whether it needs a counter of the host, as hardware, cache and raw events do; and how many of
 * these slots do. */
bool vpmu_event_takes_counter(const uint64_t *attr);
uint32_t vpmu_event_hardware_count(const struct vpmu_vcpu *vcpu, uint64_t slots);

/* ---- mask.c ---------------------------------------------------------------------------------- */

/* What a mask register does; returns the failed mask. */
typedef uint64_t (*vpmu_mask_effect)(struct vpmu_vcpu *vcpu, uint64_t mask);
uint64_t vpmu_mask_open(struct vpmu_vcpu *vcpu, uint64_t mask);
uint64_t vpmu_mask_check(struct vpmu_vcpu *vcpu, uint64_t mask);
uint64_t vpmu_mask_warm(struct vpmu_vcpu *vcpu, uint64_t mask);
uint64_t vpmu_mask_close(struct vpmu_vcpu *vcpu, uint64_t mask);
uint64_t vpmu_mask_enable(struct vpmu_vcpu *vcpu, uint64_t mask);
uint64_t vpmu_mask_disable(struct vpmu_vcpu *vcpu, uint64_t mask);
uint64_t vpmu_mask_sync(struct vpmu_vcpu *vcpu, uint64_t mask);
uint64_t vpmu_mask_ack(struct vpmu_vcpu *vcpu, uint64_t mask);

/* ---- group.c: an open group, from its parts to its end --------------------------------------- */

/* Leaders of the open groups that have a slot in the mask. */
uint64_t vpmu_group_leaders(const struct vpmu_vcpu *vcpu, uint64_t mask);
bool vpmu_group_enabled(const struct vpmu_vcpu *vcpu, unsigned int leader);
/* Starts and reads: what keeps the group from counting is its condition afterwards. */
void vpmu_group_start(struct vpmu_vcpu *vcpu, unsigned int leader);
void vpmu_group_stop(struct vpmu_vcpu *vcpu, unsigned int leader);
/* Stops the host's side only: to the guest it stays enabled. */
void vpmu_group_pause(struct vpmu_vcpu *vcpu, unsigned int leader);
/* Reads the host and adds; does not publish. */
void vpmu_group_read(struct vpmu_vcpu *vcpu, unsigned int leader);
void vpmu_group_publish(struct vpmu_vcpu *vcpu, unsigned int leader);
void vpmu_group_condition(struct vpmu_vcpu *vcpu, unsigned int leader, uint8_t reason);
/* Takes the host's side away, for a reason that the guest sees; and gives it back where that can
 * be. */
void vpmu_group_suspend(struct vpmu_vcpu *vcpu, unsigned int leader, uint8_t reason);
void vpmu_group_resume(struct vpmu_vcpu *vcpu, unsigned int leader);
/* An enabled group is not counted while the guest runs, since the vCPU has no thread. */
void vpmu_group_miss(struct vpmu_vcpu *vcpu, unsigned int leader);
/* Tries an enabled group again, after a while that grows. */
void vpmu_group_try_later(struct vpmu_vcpu *vcpu, unsigned int leader);
/* Tries the groups again that are due. */
void vpmu_group_retry(struct vpmu_vcpu *vcpu);
/* Looks after the groups of which the source gave notice. */
void vpmu_group_notice(struct vpmu_vcpu *vcpu, uint64_t tags);

/* ---- host.c: the host's side of a group ------------------------------------------------------ */

uint8_t vpmu_host_reason(int error);
/*
 * Makes the host's side of a group. Returns the reason why not; *culprit is the slot that it is
 * about, or VPMU_NO_SLOT for all of them.
 */
uint8_t vpmu_host_make(struct vpmu_vcpu *vcpu, unsigned int leader, uint64_t members,
		       unsigned int *culprit);
/* With keep the source may keep the host events for a later group. */
void vpmu_host_unmake(struct vpmu_vcpu *vcpu, unsigned int leader, bool keep);
void vpmu_host_warm_drop(struct vpmu_vcpu *vcpu, uint64_t mask);
/*
 * Warm groups that will count as soon as the vCPU goes on run already: to start one of many host
 * events makes a kernel schedule all of its thread's anew, which is not for the blackout. While the
 * thread waits they take no counters. They give no notices.
 */
void vpmu_host_prime(struct vpmu_vcpu *vcpu, uint64_t leaders);
/* Pauses them again; what cannot be paused and read is given up. */
void vpmu_host_unprime(struct vpmu_vcpu *vcpu, uint64_t leaders);
/* From here on what they count is the guest's, and so are their notices: 1. 0 where they do not run
 * yet; an error where what they counted so far cannot be told from it. */
int vpmu_host_hand_over(struct vpmu_vcpu *vcpu, unsigned int leader);
/* Where a slot stands among the events of its group: the leader first, then the others in order. */
unsigned int vpmu_group_position(uint64_t members, unsigned int leader, unsigned int slot);

/* ---- publish.c ------------------------------------------------------------------------------- */

void vpmu_slot_publish(struct vpmu_vcpu *vcpu, unsigned int index, uint8_t state, uint8_t reason);
void vpmu_slot_flag(struct vpmu_slot *slot, uint64_t set, uint64_t clear);

/* ---- overflow.c ------------------------------------------------------------------------------ */

/* Adds counts to a slot; true when it overflowed and was not pending. */
bool vpmu_overflow_add(struct vpmu_vcpu *vcpu, unsigned int index, uint64_t increase);
void vpmu_overflow_arm(struct vpmu_vcpu *vcpu, unsigned int index);
/* All slots of a group, also for no notices: the period may have gone since the events were made. */
void vpmu_overflow_arm_group(struct vpmu_vcpu *vcpu, unsigned int leader);
void vpmu_overflow_period(struct vpmu_vcpu *vcpu, unsigned int index, bool was_pending);

/* ---- pmi.c ----------------------------------------------------------------------------------- */

bool vpmu_pmi_valid(const struct vpmu_vcpu *vcpu, uint64_t value);
void vpmu_pmi_mode(struct vpmu_vcpu *vcpu);
void vpmu_pmi_raise(struct vpmu_vcpu *vcpu, unsigned int slot);
void vpmu_pmi_closed(struct vpmu_vcpu *vcpu);
void vpmu_pmi_ack(struct vpmu_vcpu *vcpu);
void vpmu_pmi_inject(struct vpmu_vcpu *vcpu);

/* ---- area.c ---------------------------------------------------------------------------------- */

bool vpmu_area_valid(const struct vpmu_vcpu *vcpu, uint64_t value);
bool vpmu_area_set(struct vpmu_vcpu *vcpu, uint64_t value);
/* The whole page again: nothing was written while the vCPU was stopped. */
void vpmu_area_rewrite(struct vpmu_vcpu *vcpu);
void vpmu_area_record(struct vpmu_vcpu *vcpu, unsigned int slot);
void vpmu_area_changed(struct vpmu_vcpu *vcpu, uint32_t control);
void vpmu_area_flush(struct vpmu_vcpu *vcpu);
bool vpmu_area_overlaps(const struct vpmu_vcpu *vcpu, uint64_t address, uint64_t size);

/* ---- batch.c --------------------------------------------------------------------------------- */

bool vpmu_batch_run(struct vpmu_vcpu *vcpu, uint64_t address, uint64_t words);

/* ---- edge.c: what the source is told --------------------------------------------------------- */

/* The source's answer; 0 when it does not want to know. */
int vpmu_edge_tell(struct vpmu_vcpu *vcpu, uint32_t edge);
/* Something may have been kept: a slice begins unless one is under way. */
void vpmu_slice_begin(struct vpmu_vcpu *vcpu);
bool vpmu_slice_over(const struct vpmu_vcpu *vcpu);
/* Ends it, and begins the next while something is kept. */
void vpmu_slice_end(struct vpmu_vcpu *vcpu);

/* ---- loss.c ---------------------------------------------------------------------------------- */

/* Tells the VMM what keeps open slots from counting, where that changed. */
void vpmu_loss_tell(struct vpmu_vcpu *vcpu);

/* ---- state.c: a vCPU stops, takes a state, goes on ------------------------------------------- */

/* Where the saved words of a vCPU stand, little-endian. They were proved. */
struct vpmu_state {
	const unsigned char *control;		    /* EPOCH to PENDING */
	const unsigned char *attr[VPMU_MAX_SLOTS];  /* NULL: all 0 */
	const unsigned char *event[VPMU_MAX_SLOTS]; /* NULL: all 0 */
	enum vpmu_prepared as;			    /* how events are made for it */
};

/* Makes host events for what is open there, and keeps those of an earlier prepare that fit. Returns
 * how many are ready. */
uint32_t vpmu_state_prepare(struct vpmu_vcpu *vcpu, const struct vpmu_state *state);
/* Assigns the words. Host events that a prepare made are taken over where they fit. */
void vpmu_state_take(struct vpmu_vcpu *vcpu, const struct vpmu_state *state, uint32_t generation);
/* Back to where vpmu_vcpu_add() left it. */
void vpmu_state_forget(struct vpmu_vcpu *vcpu);
/* Makes the host events of the groups that a restore left without. */
void vpmu_state_open(struct vpmu_vcpu *vcpu);
/* What the profile in force says in the registers. */
void vpmu_identity_fill(struct vpmu_vcpu *vcpu, uint32_t id);
uint64_t vpmu_identity_limits(const struct vpmu_profile *profile);

/* ---- epoch.c, reset.c, vcpu.c, vm.c ---------------------------------------------------------- */

void vpmu_epoch_add(struct vpmu_vcpu *vcpu, uint64_t steps, uint8_t reason);
void vpmu_epoch_move(struct vpmu_vcpu *vcpu, uint8_t reason);
void vpmu_reset_apply(struct vpmu_vcpu *vcpu);
void vpmu_reset_all(struct vpmu_vcpu *vcpu);
bool vpmu_reset_unfinished(struct vpmu_vcpu *vcpu);
/* What a guest may bring about again and again, and the operator is told once of each vCPU. */
enum vpmu_warning {
	VPMU_WARNING_PERIOD,
	VPMU_WARNING_AREA,
	VPMU_WARNING_BATCH,
};
void vpmu_vcpu_warn(struct vpmu_vcpu *vcpu, enum vpmu_warning warning);
/* Around every call on a vCPU that may write guest memory or inject; one within another is part of
 * it. */
void vpmu_vcpu_begin(struct vpmu_vcpu *vcpu);
/* The PMU was released or given back. A stopped vCPU gets its host events back when it goes on. */
void vpmu_release_follow(struct vpmu_vcpu *vcpu);
void vpmu_vcpu_end(struct vpmu_vcpu *vcpu);
/* For all vCPUs of the VM but one, with the list locked. */
void vpmu_vm_each_other(struct vpmu_vcpu *vcpu,
			void (*visit)(struct vpmu_vcpu *other, void *opaque), void *opaque);
void vpmu_vm_lock(struct vpmu_vm *vm);
void vpmu_vm_unlock(struct vpmu_vm *vm);
void vpmu_vm_log(const struct vpmu_vm *vm, uint32_t level, const char *text);

/* ---- bucket.c -------------------------------------------------------------------------------- */

/*
 * A rate limit with a burst, kept as one time: what was taken is paid for at that time. Needs no
 * division.
 */
uint64_t vpmu_bucket_interval(uint32_t rate);
bool vpmu_bucket_take(uint64_t *paid, uint64_t interval, uint32_t burst, uint32_t count,
		      uint64_t now);
/* Gives back at once what was just taken, or a part of it. */
void vpmu_bucket_refund(uint64_t *paid, uint64_t interval, uint32_t count);
/* When one can be taken. */
uint64_t vpmu_bucket_ready(uint64_t paid, uint64_t interval, uint32_t burst);

#endif
