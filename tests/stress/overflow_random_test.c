/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Overflows and notices at any moment, while the guest does anything. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "overflow_fixture.h"
#include "runner/random.h"

#define SEED 20260931u
/* Of steps chosen like that so many open and arm events on any machine. */
#define LEAST_STEPS 1000u

static uint32_t random_state;

static uint32_t next(void)
{
	return xorshift32(&random_state);
}

struct seen {
	uint64_t generation, count;
};

static uint64_t generation(unsigned int slot)
{
	return word(vcpu, slot, VPMU_EVENT_WORD_CONTINUITY) & UINT32_MAX;
}

static void open_some(uint64_t mask)
{
	mask &= ~get(vcpu, VPMU_REG_OPENED);
	for (unsigned int i = 0; i < SLOTS; i++) {
		if (!(mask >> i & 1))
			continue;
		sampling(i, events[next() % 4], 1 + next() % 50);
		if (i % 4)
			join(vcpu, i, i - i % 4);
	}
	set(vcpu, VPMU_REG_OPEN, mask);
}

static void rebind(void)
{
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, gettid()), 0);
}

static void random_step(void)
{
	uint64_t mask = next() & ALL_SLOTS;

	switch (next() % 12) {
	case 0:
		open_some(mask);
		break;
	case 1:
		set(vcpu, VPMU_REG_CLOSE, mask & mask >> 2);
		break;
	case 2:
	case 3:
		set(vcpu, VPMU_REG_ENABLE, mask);
		break;
	case 4:
		set(vcpu, VPMU_REG_DISABLE, mask);
		break;
	case 5:
		set(vcpu, VPMU_REG_SYNC, mask);
		break;
	case 6:
		ack(mask);
		break;
	case 7:
		if (next() % 16 == 0)
			rebind();
		break;
	case 8:
		settle();
		break;
	default:
		fault();
	}
	enter_if_due();
}

/* What breaks a rule, or NULL. A slot that was opened anew begins anew. */
static const char *look(struct seen *seen)
{
	uint64_t open = get(vcpu, VPMU_REG_OPENED);

	if ((get(vcpu, VPMU_REG_PENDING) | get(vcpu, VPMU_REG_ENABLED)) & ~open)
		return "a closed slot is pending or enabled";
	for (unsigned int i = 0; i < SLOTS; i++) {
		if (!(open >> i & 1))
			continue;
		if (generation(i) != seen[i].generation) {
			seen[i] = (struct seen){ generation(i), 0 };
			delivered[i] = 0;
		}
		if (count(vcpu, i) < seen[i].count)
			return "a count fell";
		seen[i].count = count(vcpu, i);
		if (!adds_up(i))
			return "an overflow is missing or twice";
	}
	return NULL;
}

struct sender {
	pid_t thread;
	_Atomic uint32_t stop;
	uint64_t sent;
};

/* Notices at any moment, with nothing behind them. */
static void *send_signals(void *opaque)
{
	struct sender *sender = opaque;
	const struct timespec some = { 0, 70000 };

	while (!atomic_load(&sender->stop)) {
		syscall(SYS_tgkill, getpid(), sender->thread, SIGUSR2);
		sender->sent++;
		nanosleep(&some, NULL);
	}
	return NULL;
}

static void nothing_is_missing_ever(void)
{
	static struct seen seen[SLOTS];
	struct sender sender = { .thread = gettid() };
	const char *broken = NULL;
	uint64_t until, steps = 0;
	pthread_t thread;

	random_state = SEED;
	printf("seed %u\n", SEED);
	begin(NULL);
	CHECK_EQ(pthread_create(&thread, NULL, send_signals, &sender), 0);
	until = clock_ns() + 1500 * MILLISECOND;
	while (!broken && (steps < LEAST_STEPS || clock_ns() < until)) {
		random_step();
		broken = look(seen);
		steps++;
	}
	atomic_store(&sender.stop, 1);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	printf("%" PRIu64 " steps, %" PRIu64 " signals sent, %" PRIu64 " arrived, %" PRIu64
	       " looks\n",
	       steps, sender.sent, atomic_load(&signals), handled);
	if (broken)
		printf("step %" PRIu64 ": %s\n", steps, broken);
	CHECK(!broken);
	CHECK(rig.ledger.opens > 0 && rig.ledger.periods > 0);
	end();
}

const struct test_case test_cases[] = {
	{ "R-OVF-2", "nothing is missing, ever", nothing_is_missing_ever },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
