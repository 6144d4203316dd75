/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overflows as fast as this kernel can make them, through a whole device whose thread is the test's
 * own. What is asked each time: are all overflows accounted for, does the host stay within bounds,
 * does anybody else notice.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

#define SEED 20260931u

static const uint64_t events[] = { VPMU_SOFTWARE_PAGE_FAULTS, VPMU_SOFTWARE_TASK_CLOCK,
				   VPMU_SOFTWARE_CONTEXT_SWITCHES, VPMU_SOFTWARE_CPU_CLOCK };

static struct rig rig;
static struct vpmu_vcpu *vcpu;
static uint64_t acks, handled;
static uint64_t delivered[SLOTS]; /* pending bits that the guest acknowledged */

static void begin(void (*change)(void))
{
	rig_begin(&rig);
	rig.signal = SIGUSR2;
	if (change)
		change();
	rig_create(&rig);
	signals_go_to(&rig);
	vcpu = rig_vcpu(&rig, 0, gettid());
	set(vcpu, VPMU_REG_PMI, VPMU_PMI_NMI);
	acks = 0;
	handled = 0;
	memset(delivered, 0, sizeof(delivered));
}

static void end(void)
{
	rig_check_ledger(&rig);
	rig_remove(vcpu);
	rig_end(&rig);
}

static void sampling(unsigned int slot, uint64_t event, uint64_t period)
{
	describe(vcpu, slot, VPMU_TYPE_HOST_SOFTWARE, event, period, VPMU_ATTR_PMI);
}

static void set_period(unsigned int slot, uint64_t period)
{
	set(vcpu, VPMU_STRIDE * (slot + 1ull) + VPMU_ATTR_WORD_SAMPLE_PERIOD, period);
}

static uint64_t period_of(unsigned int slot)
{
	return get(vcpu, VPMU_STRIDE * (slot + 1ull) + VPMU_ATTR_WORD_SAMPLE_PERIOD);
}

static uint64_t lost(unsigned int slot)
{
	return word(vcpu, slot, VPMU_EVENT_WORD_LOST);
}

static uint64_t overflows(unsigned int slot)
{
	return word(vcpu, slot, VPMU_EVENT_WORD_OVERFLOWS);
}

static uint64_t pending(unsigned int slot)
{
	return get(vcpu, VPMU_REG_PENDING) >> slot & 1;
}

static void ack(uint64_t mask)
{
	uint64_t acked = get(vcpu, VPMU_REG_PENDING) & mask;

	for (unsigned int i = 0; i < SLOTS; i++)
		delivered[i] += acked >> i & 1;
	set(vcpu, VPMU_REG_ACK, mask);
	acks++;
}

/* The period was the same since the slot was opened: nothing is missing and nothing is twice. */
static int adds_up(unsigned int slot)
{
	uint64_t all = count(vcpu, slot) / period_of(slot);

	return overflows(slot) == all && delivered[slot] + pending(slot) + lost(slot) == all;
}

static void check_adds_up(unsigned int slot)
{
	CHECK_EQ(overflows(slot), count(vcpu, slot) / period_of(slot));
	CHECK_EQ(delivered[slot] + pending(slot) + lost(slot), overflows(slot));
}

/* What a VMM does when KVM_RUN returns: enters again where there is reason to. */
static void enter_if_due(void)
{
	if (!atomic_exchange(&kicked, 0) && vpmu_vcpu_deadline(vcpu) > clock_ns())
		return;
	handled++;
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
}

/* The guest's handler, where an interrupt came. */
static void handle_interrupt(uint64_t *seen)
{
	if (get(vcpu, VPMU_REG_PMI_SEQUENCE) == *seen)
		return;
	*seen = get(vcpu, VPMU_REG_PMI_SEQUENCE);
	ack(get(vcpu, VPMU_REG_PENDING));
}

static void work_for(uint64_t ns)
{
	uint64_t seen = get(vcpu, VPMU_REG_PMI_SEQUENCE), until = thread_ns() + ns;

	for (unsigned int step = 1; thread_ns() < until; step++) {
		fault();
		if (step % 256 == 0)
			settle();
		enter_if_due();
		handle_interrupt(&seen);
	}
}

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
 * counts late.
 */
static void early_looks_cost_no_overflow(void)
{
	enum { PERIOD = 1000, OTHER = 700, TIMES = 20 };

	begin(NULL);
	set(vcpu, VPMU_REG_PMI, VPMU_PMI_OFF);
	sampling(0, VPMU_SOFTWARE_PAGE_FAULTS, PERIOD);
	sampling(1, VPMU_SOFTWARE_MINOR_FAULTS, OTHER);
	set(vcpu, VPMU_REG_OPEN, 3);
	set(vcpu, VPMU_REG_ENABLE, 3);
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
	set(vcpu, VPMU_REG_DISABLE, 3);
	printf("periods of %u and %u faults: %" PRIu64 " and %" PRIu64 " overflows, %" PRIu64
	       " looks\n",
	       PERIOD, OTHER, overflows(0), overflows(1), handled);
	CHECK(overflows(0) >= TIMES);
	CHECK(handled <= 5 * (overflows(0) + overflows(1)));
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_EQ(lost(i), 0);
		check_adds_up(i);
	}
	end();
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
 * counts has what its lone twin has, to within what passes while they are switched.
 */
static void siblings_are_not_disturbed(void)
{
	struct twins twins;

	twins_open(&twins, gettid());
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

/* ---- notices that do not come, or come as one ---- */

static void open_faults(uint64_t period)
{
	sampling(0, VPMU_SOFTWARE_PAGE_FAULTS, period);
	set(vcpu, VPMU_REG_OPEN, 1);
	set(vcpu, VPMU_REG_ENABLE, 1);
}

static void faults(unsigned int times)
{
	for (unsigned int i = 0; i < times; i++)
		fault();
	settle();
}

/* A lost notice costs time, never truth: the next reading finds the overflow, and the next but one
 * is announced. */
static void lost_notices_cost_no_truth(void)
{
	begin(NULL);
	open_faults(3);
	atomic_store(&drop, 1);
	faults(200);
	CHECK(atomic_load(&signals) > 0);
	enter_if_due();
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), 0);
	CHECK_EQ(rig.pmis, 0);
	set(vcpu, VPMU_REG_SYNC, 1);
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), 1);
	CHECK(count(vcpu, 0) >= 200);
	check_adds_up(0);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(rig.pmis, 1);
	atomic_store(&drop, 0);
	ack(1);
	faults(10);
	CHECK_EQ(atomic_load(&kicked), 1);
	enter_if_due();
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), 1);
	CHECK_EQ(rig.pmis, 2);
	set(vcpu, VPMU_REG_DISABLE, 1);
	check_adds_up(0);
	end();
}

/* One lost notice is followed by another at the same distance, without anybody reading. */
static void a_lost_notice_is_given_again(void)
{
	begin(NULL);
	open_faults(3);
	atomic_store(&drop, 1);
	faults(4);
	CHECK(atomic_load(&signals) > 0);
	atomic_store(&drop, 0);
	faults(4);
	CHECK_EQ(atomic_load(&kicked), 1);
	enter_if_due();
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), 1);
	set(vcpu, VPMU_REG_DISABLE, 1);
	check_adds_up(0);
	end();
}

static void block(int how)
{
	sigset_t set_of_one;

	sigemptyset(&set_of_one);
	sigaddset(&set_of_one, SIGUSR2);
	CHECK_EQ(pthread_sigmask(how, &set_of_one, NULL), 0);
}

static void one_signal_stands_for_many(void)
{
	begin(NULL);
	for (unsigned int i = 0; i < 4; i++)
		sampling(i, VPMU_SOFTWARE_PAGE_FAULTS, 1 + i);
	set(vcpu, VPMU_REG_OPEN, 15);
	block(SIG_BLOCK);
	set(vcpu, VPMU_REG_ENABLE, 15);
	faults(1000);
	CHECK_EQ(atomic_load(&signals), 0);
	block(SIG_UNBLOCK);
	settle();
	printf("1000 faults and more on 4 slots: %" PRIu64 " signals\n", atomic_load(&signals));
	CHECK(atomic_load(&signals) >= 1 && atomic_load(&signals) <= 10);
	enter_if_due();
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), 15);
	CHECK_EQ(rig.pmis, 1);
	set(vcpu, VPMU_REG_DISABLE, 15);
	for (unsigned int i = 0; i < 4; i++) {
		CHECK(overflows(i) >= 1000 / (1 + i));
		check_adds_up(i);
	}
	end();
}

/* ---- a notice that races ---- */

static void race_close(void)
{
	set(vcpu, VPMU_REG_CLOSE, 1);
}

static void race_reopen(void)
{
	set(vcpu, VPMU_REG_CLOSE, 1);
	set(vcpu, VPMU_REG_OPEN, 1);
}

static void race_another_event(void)
{
	set(vcpu, VPMU_REG_CLOSE, 1);
	sampling(0, VPMU_SOFTWARE_CPU_MIGRATIONS, 1000000);
	set(vcpu, VPMU_REG_OPEN, 1);
	set(vcpu, VPMU_REG_ENABLE, 1);
}

static void race_disable(void)
{
	set(vcpu, VPMU_REG_DISABLE, 1);
}

static void race_disable_enable(void)
{
	set(vcpu, VPMU_REG_DISABLE, 1);
	set(vcpu, VPMU_REG_ENABLE, 1);
}

static void race_sync(void)
{
	set(vcpu, VPMU_REG_SYNC, 1);
}

static void race_ack_nothing(void)
{
	ack(0);
}

static void race_ack(void)
{
	ack(3);
}

static void race_sync_ack(void)
{
	set(vcpu, VPMU_REG_SYNC, 1);
	ack(1);
}

static void race_period(void)
{
	set_period(0, 1000000);
}

static void race_no_period(void)
{
	set_period(0, 0);
}

static void race_rebind(void)
{
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, gettid()), 0);
}

static void race_unbind(void)
{
	vpmu_vcpu_unbind(vcpu);
}

static void race_reset(void)
{
	set(vcpu, VPMU_REG_RESET, VPMU_RESET_VCPU);
}

static void race_release(void)
{
	vpmu_vm_release_pmu(rig.vm);
}

static void race_release_return(void)
{
	vpmu_vm_release_pmu(rig.vm);
	vpmu_vcpu_enter(vcpu);
	vpmu_vm_return_pmu(rig.vm);
}

/* What is so after the notice was looked at: slot 0 open, enabled, pending, and whether its sum is
 * to be checked. */
static const struct race {
	const char *name;
	void (*act)(void);
	uint8_t open, enabled, pending, exact;
} races[] = {
	{ "close", race_close, 0, 0, 0, 0 },
	{ "close, open", race_reopen, 1, 0, 0, 0 },
	{ "close, open another", race_another_event, 1, 1, 0, 1 },
	{ "disable", race_disable, 1, 0, 1, 1 },
	{ "disable, enable", race_disable_enable, 1, 1, 1, 1 },
	{ "sync", race_sync, 1, 1, 1, 1 },
	{ "ack of nothing", race_ack_nothing, 1, 1, 1, 1 },
	{ "ack of all", race_ack, 1, 1, 1, 1 },
	{ "sync, ack", race_sync_ack, 1, 1, 0, 1 },
	{ "period", race_period, 1, 1, 1, 0 },
	{ "no period", race_no_period, 1, 1, 1, 0 },
	{ "unbind, bind", race_rebind, 1, 1, 1, 1 },
	{ "unbind", race_unbind, 1, 1, 1, 1 },
	{ "reset", race_reset, 0, 0, 0, 0 },
	{ "release", race_release, 1, 1, 1, 1 },
	{ "release, return", race_release_return, 1, 1, 1, 1 },
};

static void check_race(const struct race *race)
{
	CHECK_EQ(get(vcpu, VPMU_REG_OPENED) & 1, race->open);
	CHECK_EQ(get(vcpu, VPMU_REG_ENABLED) & 1, race->enabled);
	CHECK_EQ(get(vcpu, VPMU_REG_PENDING), race->pending);
	if (race->exact)
		check_adds_up(0);
	if (!race->open)
		CHECK_EQ(get(vcpu, VPMU_REG_PMI_LINE) == VPMU_LINE_TO_INJECT, 0);
}

/* The notice was given before the action and is looked at after it; then one more comes that
 * nothing stands behind. */
static void run_race(const struct race *race)
{
	uint64_t before;

	begin(NULL);
	sampling(1, VPMU_SOFTWARE_PAGE_FAULTS, 0);
	set(vcpu, VPMU_REG_OPEN, 2);
	set(vcpu, VPMU_REG_ENABLE, 2);
	/* So many that the library's own faults are not news. */
	open_faults(1000);
	for (unsigned int i = 0; i < 100 && !atomic_load(&kicked); i++)
		faults(100);
	CHECK_EQ(atomic_load(&kicked), 1);
	race->act();
	vpmu_vcpu_enter(vcpu);
	check_race(race);
	set(vcpu, VPMU_REG_SYNC, 2);
	before = count(vcpu, 1);
	rig_clear(&rig);
	CHECK_EQ(raise(SIGUSR2), 0);
	settle();
	vpmu_vcpu_enter(vcpu);
	check_race(race);
	CHECK(rig_calls(&rig) <= 4);
	if (race->act != race_unbind && race->act != race_release && race->act != race_reset) {
		fault();
		set(vcpu, VPMU_REG_SYNC, 2);
		CHECK(count(vcpu, 1) > before);
	}
	end();
}

static void notices_race(void)
{
	for (unsigned int i = 0; i < TEST_COUNT(races); i++) {
		printf("a notice against: %s\n", races[i].name);
		run_race(&races[i]);
	}
}

/* ---- anything, at any moment ---- */

static uint32_t random_state;

static uint32_t next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
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
			race_rebind();
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
	while (!broken && clock_ns() < until) {
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

	twins_open(&twins, gettid());
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
	{ "R-OVF-3", "lost notices cost no truth", lost_notices_cost_no_truth },
	{ "R-OVF-3", "a lost notice is given again", a_lost_notice_is_given_again },
	{ "R-OVF-3", "one signal stands for many", one_signal_stands_for_many },
	{ "R-PMI-5", "notices race", notices_race },
	{ "R-OVF-2", "nothing is missing, ever", nothing_is_missing_ever },
	{ "R-OVF-1", "unread notices cost no count", unread_notices_cost_no_count },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
