/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Overflows as fast as this kernel can make them: are all accounted for, does the host stay within
 * bounds, does anybody else notice. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "overflow_fixture.h"

/* ---- cost and arithmetic ---- */

static void few_interrupts(void)
{
	rig.profile.pmi_rate = 1000;
	rig.profile.pmi_burst = 16;
}

static void print_per_second(const char *what, uint64_t guest_ns)
{
	double seconds = (double)guest_ns / (double)SECOND;

	printf("%s, per second of guest time: %.0f signals, %.0f looks, %.0f interrupts, %.0f "
	       "system calls\n",
	       what, (double)atomic_load(&signals) / seconds, (double)handled / seconds,
	       (double)acks / seconds, (double)rig_calls(&rig) / seconds);
}

/*
 * The host's cost hangs on the interrupts that the guest may take, not on its periods. A slot gives
 * no notice between its overflow and the ack. So of each news there is one notice, and at most one
 * more that comes before its time and one that comes after somebody else looked. A look reads each
 * group and arms each slot once, and so does an ack: by one call for a clock, by three for what is
 * no clock and has a dummy beside it.
 */
static void check_cost(uint64_t wall_ns)
{
	const uint64_t all_slots = SLOTS / 2 * (2 + 4), life = SLOTS * (1 + 3 + 2 + 2 + 1) + 8;
	uint64_t news = 0, most = 16 + wall_ns * rig.profile.pmi_rate / SECOND + 1;

	for (unsigned int i = 0; i < SLOTS; i++) {
		CHECK(delivered[i] + pending(i) <= acks + 1);
		news += delivered[i] + pending(i);
	}
	CHECK(acks > 0);
	CHECK(acks <= most);
	CHECK(handled <= 3 * news + SLOTS + acks);
	CHECK(rig_calls(&rig) <= life + all_slots * (handled + acks) + news);
}

static void storm(const char *what, uint64_t first, uint64_t step)
{
	uint64_t guest, wall;

	begin(few_interrupts);
	for (unsigned int i = 0; i < SLOTS; i++)
		sampling(i, events[i % 4], first + i * step);
	set(vcpu, VPMU_REG_OPEN, ALL_SLOTS);
	wall = clock_ns();
	set(vcpu, VPMU_REG_ENABLE, ALL_SLOTS);
	CHECK_EQ(get(vcpu, VPMU_REG_ENABLED), ALL_SLOTS);
	guest = thread_ns();
	work_for(700 * MILLISECOND);
	guest = thread_ns() - guest;
	set(vcpu, VPMU_REG_DISABLE, ALL_SLOTS);
	wall = clock_ns() - wall;
	print_per_second(what, guest);
	for (unsigned int i = 0; i < SLOTS; i++) {
		check_adds_up(i);
		CHECK_EQ(state(vcpu, i), VPMU_STATE_STOPPED);
	}
	printf("  slot 0: count %" PRIu64 " = %" PRIu64 " delivered + %" PRIu64 " lost, period 1\n",
	       count(vcpu, 0), delivered[0] + pending(0), lost(0));
	check_cost(wall);
	end();
}

static void a_period_of_one_is_bounded(void)
{
	storm("period 1 on 16 slots", 1, 0);
}

static void other_periods_are_bounded(void)
{
	storm("periods from 1 to 226 on 16 slots", 1, 15);
}

static void work_until_all_pend(void)
{
	handled = 0;
	for (unsigned int i = 0; i < 1000 && get(vcpu, VPMU_REG_PENDING) != ALL_SLOTS; i++) {
		fault();
		settle();
		enter_if_due();
	}
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), ALL_SLOTS);
	settle();
	enter_if_due();
}

/* Between a slot's overflow and its ack the kernel has nothing to say of it, however much it
 * overflows. */
static void until_the_ack_there_is_silence(void)
{
	uint64_t looks[3];

	begin(NULL);
	set(vcpu, VPMU_REG_PMI, VPMU_PMI_OFF);
	for (unsigned int i = 0; i < SLOTS; i++)
		sampling(i, events[i % 4], 1);
	set(vcpu, VPMU_REG_OPEN, ALL_SLOTS);
	set(vcpu, VPMU_REG_ENABLE, ALL_SLOTS);
	for (unsigned int i = 0; i < 3; i++) {
		work_until_all_pend();
		looks[i] = handled;
		CHECK(handled <= 3ull * SLOTS);
		atomic_store(&signals, 0);
		rig_clear(&rig);
		for (unsigned int j = 0; j < 5000; j++)
			fault();
		spin(20 * MILLISECOND);
		settle();
		CHECK_EQ(atomic_load(&signals), 0);
		CHECK_EQ(raise(SIGUSR2), 0);
		settle();
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(rig_calls(&rig), 0);
		ack(ALL_SLOTS);
	}
	printf("looks until 16 slots of period 1 pend: %" PRIu64 ", %" PRIu64 ", %" PRIu64
	       "; then none\n",
	       looks[0], looks[1], looks[2]);
	set(vcpu, VPMU_REG_DISABLE, ALL_SLOTS);
	for (unsigned int i = 0; i < SLOTS; i++)
		check_adds_up(i);
	end();
}

/*
 * Two slots whose notices each make the host look at both, some of these before their time: it
 * finds each overflow when it happens all the same, and none is lost. It looks a few times for each
 * overflow and not at every count, as it would if the kernel took a new distance of an event that
 * counts late. So it is in a group too, whatever leads that.
 */
static void two_periods(uint64_t leader, unsigned int grouped)
{
	enum { PERIOD = 1000, OTHER = 700, TIMES = 20 };

	begin(NULL);
	set(vcpu, VPMU_REG_PMI, VPMU_PMI_OFF);
	sampling(0, VPMU_SOFTWARE_PAGE_FAULTS, PERIOD);
	sampling(1, VPMU_SOFTWARE_MINOR_FAULTS, OTHER);
	sampling(2, leader, 0);
	for (unsigned int i = 0; grouped && i < 2; i++)
		join(vcpu, i, 2);
	set(vcpu, VPMU_REG_OPEN, 7);
	set(vcpu, VPMU_REG_ENABLE, 7);
	for (unsigned int i = 0; i < TIMES * PERIOD; i++) {
		fault();
		enter_if_due();
		if (!get(vcpu, VPMU_REG_PENDING))
			continue;
		/* What the handler does until it acknowledges counts too. */
		for (unsigned int j = 0; j < 5; j++)
			fault();
		ack(3);
	}
	set(vcpu, VPMU_REG_DISABLE, 7);
	printf("periods of %u and %u faults %s event %" PRIu64 ": %" PRIu64 " and %" PRIu64
	       " overflows, %" PRIu64 " looks\n",
	       PERIOD, OTHER, grouped ? "led by" : "beside", leader, overflows(0), overflows(1),
	       handled);
	CHECK(overflows(0) >= TIMES);
	CHECK(handled <= 5 * (overflows(0) + overflows(1)));
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_EQ(lost(i), 0);
		check_adds_up(i);
	}
	end();
}

static void early_looks_cost_no_overflow(void)
{
	two_periods(VPMU_SOFTWARE_TASK_CLOCK, 0);
	for (unsigned int i = 0; i < EVENTS; i++)
		two_periods(events[i], 1);
}

/* ---- siblings ---- */

static void twins_enable(struct twins *twins)
{
	uint64_t open = get(vcpu, VPMU_REG_OPENED);

	twins_begin(twins, 0);
	set(vcpu, VPMU_REG_ENABLE, open);
	twins_begin(twins, 1);
}

/* Slot i counts the event of twin i. */
static void twins_disable(struct twins *twins)
{
	uint64_t open = get(vcpu, VPMU_REG_OPENED);

	twins_look(twins, 0);
	set(vcpu, VPMU_REG_DISABLE, open);
	twins_look(twins, 1);
	for (unsigned int i = 0; i < TWINS; i++) {
		int agree = twins_agree(twins, i, count(vcpu, i));

		twins_print(twins, i, count(vcpu, i));
		CHECK(agree);
	}
	twins_close(twins);
}

/*
 * What overflows all the time leads a group, and another such one is in it: the sibling that only
 * counts has what its twin has, to within what passes while they are switched.
 */
static void siblings_are_not_disturbed(void)
{
	struct twins twins;

	twins_open(&twins, gettid(), 1);
	begin(NULL);
	sampling(0, VPMU_SOFTWARE_PAGE_FAULTS, 0);
	sampling(1, VPMU_SOFTWARE_TASK_CLOCK, 1);
	sampling(2, VPMU_SOFTWARE_CONTEXT_SWITCHES, 1);
	sampling(3, VPMU_SOFTWARE_PAGE_FAULTS, 1);
	join(vcpu, 0, 1);
	join(vcpu, 2, 1);
	join(vcpu, 3, 1);
	set(vcpu, VPMU_REG_OPEN, 15);
	twins_enable(&twins);
	work_for(300 * MILLISECOND);
	twins_disable(&twins);
	CHECK_EQ(count(vcpu, 3), count(vcpu, 0));
	CHECK_EQ(flags(vcpu, 0) & VPMU_EVENT_MULTIPLEXED, 0);
	for (unsigned int i = 1; i < 4; i++)
		check_adds_up(i);
	end();
}

/* ---- throttling ---- */

#define RING_PAGES 16u

/* The test's own event, as often as the guest's can give notice, with a ring in which the kernel
 * says that it throttles. */
static int witness_open(void **ring, size_t size)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_TASK_CLOCK,
					.sample_period = 100000,
					.watermark = 1,
					.wakeup_watermark = 1u << 30 };
	int witness = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	CHECK(witness >= 0);
	*ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, witness, 0);
	return witness;
}

static unsigned int throttled(const void *ring)
{
	const struct perf_event_mmap_page *head = ring;
	const unsigned char *data = (const unsigned char *)ring + head->data_offset;
	unsigned int found = 0;

	for (uint64_t at = 0; at < head->data_head;) {
		struct perf_event_header header;

		memcpy(&header, data + at, sizeof(header));
		found += header.type == PERF_RECORD_THROTTLE;
		at += header.size;
	}
	return found;
}

static void print_throttled(const void *ring)
{
	if (ring == MAP_FAILED)
		printf("no ring: the kernel cannot tell whether it throttled\n");
	else if (throttled(ring))
		printf("the kernel throttled a like event %u times\n", throttled(ring));
	else
		printf("not provoked: kernel.perf_event_max_sample_rate allows more than these\n");
}

/* Notices as often as they can come, which nobody looks at; a limit of this host's may be below
 * that. */
static void unread_notices_cost_no_count(void)
{
	size_t size = (RING_PAGES + 1) * (size_t)sysconf(_SC_PAGESIZE);
	struct twins twins;
	int witness;
	void *ring;

	twins_open(&twins, gettid(), 1);
	begin(NULL);
	block(SIG_BLOCK);
	for (unsigned int i = 0; i < TWINS; i++)
		sampling(i, twin_events[i], i == 1);
	join(vcpu, 0, 1);
	join(vcpu, 2, 1);
	set(vcpu, VPMU_REG_OPEN, 7);
	witness = witness_open(&ring, size);
	twins_enable(&twins);
	for (uint64_t until = thread_ns() + 200 * MILLISECOND; thread_ns() < until;)
		fault();
	twins_disable(&twins);
	block(SIG_UNBLOCK);
	print_throttled(ring);
	check_adds_up(1);
	close(witness);
	end();
}

const struct test_case test_cases[] = {
	{ "R-OVF-2", "a period of 1 is bounded", a_period_of_one_is_bounded },
	{ "R-OVF-2", "other periods are bounded", other_periods_are_bounded },
	{ "R-OVF-3", "until the ack there is silence", until_the_ack_there_is_silence },
	{ "R-OVF-3", "early looks cost no overflow", early_looks_cost_no_overflow },
	{ "R-OVF-1", "siblings are not disturbed", siblings_are_not_disturbed },
	{ "R-OVF-1", "unread notices cost no count", unread_notices_cost_no_count },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
