/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* What the files of the client share. */
#ifndef VPMU_GUEST_PRIVATE_H
#define VPMU_GUEST_PRIVATE_H

#include <vpmu/guest.h>

/*
 * Memory that the host reads and writes. Each access is made once and in full, no later one
 * overtakes a load, and no store overtakes an earlier one. Machines of 32 bits access a word by
 * halves, the low one last when they store.
 */
typedef uint64_t __attribute__((may_alias)) shared_word;
typedef uint32_t __attribute__((may_alias)) shared_half;

/* Half 0 is the low one: machines are little-endian. */
static inline uint32_t load_half(const volatile void *from, unsigned int half)
{
	return __atomic_load_n((const volatile shared_half *)from + half, __ATOMIC_ACQUIRE);
}

static inline void store_half(volatile void *to, unsigned int half, uint32_t value)
{
	__atomic_store_n((volatile shared_half *)to + half, value, __ATOMIC_RELEASE);
}

static inline uint64_t load_word(const volatile void *from)
{
#if __SIZEOF_POINTER__ >= 8
	return __atomic_load_n((const volatile shared_word *)from, __ATOMIC_ACQUIRE);
#else
	return load_half(from, 0) | (uint64_t)load_half(from, 1) << 32;
#endif
}

static inline void store_word(volatile void *to, uint64_t value)
{
#if __SIZEOF_POINTER__ >= 8
	__atomic_store_n((volatile shared_word *)to, value, __ATOMIC_RELEASE);
#else
	store_half(to, 1, (uint32_t)(value >> 32));
	store_half(to, 0, (uint32_t)value);
#endif
}

/* An access to a register is carried out by this CPU itself: only the compiler must keep the
 * order. */
static inline void order_access(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline uint64_t slot_bit(uint32_t slot)
{
	return 1ull << slot;
}

static inline uint32_t attr_register(uint32_t slot)
{
	return VPMU_STRIDE * (slot + 1) + VPMU_SLOT_ATTR;
}

static inline uint32_t event_register(uint32_t slot)
{
	return VPMU_STRIDE * (slot + 1) + VPMU_SLOT_EVENT;
}

/* Bits of a mask, without the help of libgcc. */
static inline uint32_t slots_of(uint64_t mask)
{
	uint32_t count = 0;

	for (; mask; mask &= mask - 1)
		count++;
	return count;
}

static inline int mask_is_valid(const struct vpmu_guest *guest, uint64_t mask)
{
	return mask && !(mask & ~guest->granted);
}

/* Checks the words that the host published of a slot, and copies them; 0 or VPMU_GUEST_HOST. */
int vpmu_guest_event_take(const uint64_t words[VPMU_EVENT_WORDS], struct guest_perf_event *event);

/* 0, or VPMU_GUEST_INVALID for attributes that every host would refuse to store. */
int vpmu_guest_attr_check(const struct vpmu_guest *guest, const struct guest_perf_attr *attr);

/*
 * A talk is what is said to the device in one batch. It is written down once, as a function that
 * calls the talk_* functions below, and that function is run twice: first to say, then to hear the
 * answers. What does not fit is cut between two steps and said in further batches; a step is one
 * call of those functions. It may be cut anywhere: attr words are of slots that are still closed, a
 * mask is one word, and the results of a slot are one entry. Without a batch, or with one that is
 * too short for a slot, the function is run once, with an access for each register.
 */
enum talk_pass {
	TALK_SAY,
	TALK_HEAR,
	TALK_SINGLY,
};

#define TALK_WHOLE UINT32_MAX
/* The longest step: a head of two words, and the attr words or the results of a slot. */
#define TALK_MOST_WORDS 10u

struct talk {
	struct vpmu_guest *guest;
	struct vpmu_guest_batch *batch; /* NULL: singly, as a task */
	enum talk_pass pass;
	uint32_t step;	  /* the next one */
	uint32_t first;	  /* of this batch; earlier ones are done */
	uint32_t end;	  /* the first that has no room in it; TALK_WHOLE */
	uint32_t place;	  /* of the next entry, when hearing */
	uint32_t refused; /* 1: a value was refused */
	uint64_t failed;  /* slots that failed */
};

int vpmu_guest_talk_write(struct talk *talk, uint32_t first, const uint64_t *values,
			  uint32_t count);
int vpmu_guest_talk_mask(struct talk *talk, uint32_t index, uint64_t mask);
int vpmu_guest_talk_read(struct talk *talk, uint32_t first, uint64_t *values, uint32_t count);
/* Reads a slot's results; event is filled where they are known. */
int vpmu_guest_talk_event(struct talk *talk, uint32_t slot, struct guest_perf_event *event);

/* Runs a talk; refusals and failed slots are no errors of it. */
int vpmu_guest_talk_run(struct talk *talk, int (*say)(struct talk *talk, void *arguments),
			void *arguments);

#endif
