/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Others who want counters. For real where software events show it: a process with pinned events of
 * every CPU and many of the vCPU's thread, and an operator who wants the PMU. On the scripted
 * kernel for the rest: counters taken, given back, a PMU in error, a thread that ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perf/fake.h"
#include "rig.h"

#define HOGGED 200u

static struct rig rig;
static struct fake fake;
static struct vpmu_vcpu *vcpu;

/* ---- for real ---- */

static int hog_open(uint64_t event, pid_t thread, int cpu, uint64_t period)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = event,
					.sample_period = period,
					.pinned = cpu >= 0 };

	return (int)syscall(SYS_perf_event_open, &attr, thread, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

struct hog {
	int descriptors[HOGGED];
	unsigned int held, pinned;
};

/* Pinned events of all that runs on each CPU, and as many of the thread as there is room for. */
static void hog_take(struct hog *hog, pid_t thread)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int cpu = 0; cpu < cpus && hog->held + 4 < HOGGED; cpu++)
		for (uint64_t event = 0; event < 4; event++) {
			int made = hog_open(event, -1, cpu, 0);

			if (made >= 0)
				hog->descriptors[hog->held++] = made;
		}
	hog->pinned = hog->held;
	while (hog->held < HOGGED) {
		int made = hog_open(hog->held % 4, thread, -1, hog->held % 8 ? 0 : 1000000);

		if (made < 0)
			break;
		hog->descriptors[hog->held++] = made;
	}
}

/* Tells what it holds, then switches it on and off until it is killed. */
static _Noreturn void hog_life(pid_t thread, int report)
{
	struct hog hog = { .held = 0 };
	unsigned int held[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	hog_take(&hog, thread);
	held[0] = hog.pinned;
	held[1] = hog.held;
	if (write(report, held, sizeof(held)) != (ssize_t)sizeof(held))
		_exit(1);
	for (unsigned int i = 0;; i++) {
		unsigned long request = i % 3 ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE;

		if (hog.held)
			ioctl(hog.descriptors[i % hog.held], request, 0);
	}
}

static pid_t hog_begin(void)
{
	unsigned int held[2] = { 0, 0 };
	pid_t child, thread = gettid();
	int ends[2];

	CHECK_EQ(pipe(ends), 0);
	(void)fflush(stdout);
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		hog_life(thread, ends[1]);
	CHECK_EQ(read(ends[0], held, sizeof(held)), sizeof(held));
	close(ends[0]);
	close(ends[1]);
	printf("the hog holds %u pinned events of CPUs and %u of the thread\n", held[0],
	       held[1] - held[0]);
	if (held[1] == 0)
		printf("it may not open any here: nothing is hogged\n");
	return child;
}

static void work(void)
{
	for (uint64_t until = thread_ns() + 300 * MILLISECOND; thread_ns() < until;) {
		fault();
		if (atomic_exchange(&kicked, 0))
			vpmu_vcpu_enter(vcpu);
		set(vcpu, VPMU_REG_ACK, get(vcpu, VPMU_REG_PENDING));
	}
}

/* What needs no counter is taken by nobody: the guest's counts are those of its twins. */
static void software_events_are_not_hogged(void)
{
	struct twins twins;
	pid_t child;

	rig_begin(&rig);
	rig.signal = SIGUSR2;
	rig_create(&rig);
	signals_go_to(&rig);
	vcpu = rig_vcpu(&rig, 0, gettid());
	child = hog_begin();
	for (unsigned int i = 0; i < TWINS; i++) {
		describe(vcpu, i, VPMU_TYPE_HOST_SOFTWARE, twin_events[i], i ? 0 : 7,
			 VPMU_ATTR_PMI);
		if (i)
			join(vcpu, i, 0);
	}
	set(vcpu, VPMU_REG_OPEN, BIT(TWINS) - 1);
	twins_open(&twins, gettid(), 0);
	twins_begin(&twins, 0);
	set(vcpu, VPMU_REG_ENABLE, 1);
	twins_begin(&twins, 1);
	work();
	twins_look(&twins, 0);
	set(vcpu, VPMU_REG_SYNC, 1);
	twins_look(&twins, 1);
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	for (unsigned int i = 0; i < TWINS; i++) {
		int agree = twins_agree(&twins, i, count(vcpu, i));

		twins_print(&twins, i, count(vcpu, i));
		CHECK(agree);
		CHECK_EQ(state(vcpu, i), VPMU_STATE_ACTIVE);
		CHECK_EQ(flags(vcpu, i) & (VPMU_EVENT_INCOMPLETE | VPMU_EVENT_MULTIPLEXED), 0);
	}
	twins_close(&twins);
	rig_remove(vcpu);
	rig_end(&rig);
}

/* Whoever wants the PMU for himself knows when the VM holds no event any more, kept ones among
 * them. */
static void a_release_is_told(void)
{
	unsigned int before = descriptors();

	rig_begin(&rig);
	rig_create(&rig);
	vcpu = rig_vcpu(&rig, 0, gettid());
	for (unsigned int i = 0; i < 4; i++)
		describe(vcpu, i, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 0, 0);
	set(vcpu, VPMU_REG_OPEN, 15);
	set(vcpu, VPMU_REG_ENABLE, 1);
	set(vcpu, VPMU_REG_CLOSE, 8);
	CHECK_EQ(rig.states, 0);
	vpmu_vm_release_pmu(rig.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(rig.states, 1);
	CHECK_EQ(rig.state, VPMU_REASON_HOST_TOOK_PMU);
	/* One that never counts is kept for the next, and is none of a guest's. */
	CHECK_EQ(descriptors(), before + 1);
	vpmu_vm_return_pmu(rig.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(rig.states, 2);
	CHECK_EQ(rig.state, VPMU_REASON_NONE);
	CHECK_EQ(descriptors(), before + 1 + 3);
	CHECK_EQ(state(vcpu, 0), VPMU_STATE_ACTIVE);
	rig_remove(vcpu);
	rig_end(&rig);
}

/* ---- on the scripted kernel ---- */

static uint64_t epoch(void)
{
	return get(vcpu, VPMU_REG_EPOCH);
}

static void begin_scripted(void)
{
	fake_begin(&fake);
	rig_begin(&rig);
	rig.now = SECOND;
	CHECK_EQ(fake_source(&fake, VPMU_PERF_THREADS_RUN_GUEST, SIGUSR2, &rig.perf), 0);
	rig_create(&rig);
	vcpu = rig_vcpu(&rig, 0, FAKE_THREAD);
	for (unsigned int i = 0; i < 2; i++)
		describe(vcpu, i, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES + i, 0, 0);
	join(vcpu, 1, 0);
	set(vcpu, VPMU_REG_OPEN, 3);
	set(vcpu, VPMU_REG_ENABLE, 3);
	CHECK_EQ(state(vcpu, 0), VPMU_STATE_ACTIVE);
	fake_pass(&fake, 1000, 1000);
	set(vcpu, VPMU_REG_SYNC, 3);
	CHECK_EQ(count(vcpu, 0), 1000);
	CHECK_EQ(count(vcpu, 1), 2000);
}

static void end_scripted(void)
{
	rig_remove(vcpu);
	rig_end(&rig);
	CHECK_EQ(fake.opened, 0);
	CHECK_EQ(fake.memory, 0);
}

/* What the guest counted stays, and what it did not is told for good. */
static void check_error(uint64_t why, uint64_t counted)
{
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_EQ(state(vcpu, i), VPMU_STATE_ERROR);
		CHECK_EQ(reason(vcpu, i), why);
		CHECK(flags(vcpu, i) & VPMU_EVENT_INCOMPLETE);
		CHECK_EQ(count(vcpu, i), counted * (i + 1));
	}
}

static void check_counts_again(uint64_t counted)
{
	set(vcpu, VPMU_REG_SYNC, 3);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_EQ(state(vcpu, i), VPMU_STATE_ACTIVE);
		CHECK_EQ(reason(vcpu, i), VPMU_REASON_NONE);
		CHECK(flags(vcpu, i) & VPMU_EVENT_INCOMPLETE);
		CHECK_EQ(count(vcpu, i), counted * (i + 1));
	}
}

/* Enters at each deadline, as a VMM does: the waits between the tries, ms, and calls of the kernel
 * for each. */
static void check_back_off(unsigned int tries)
{
	uint64_t wait, before = 0, first = rig.now;

	printf("tries after");
	for (unsigned int i = 0; i < tries; i++) {
		uint32_t calls = fake.all_calls;

		CHECK(vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE);
		wait = vpmu_vcpu_deadline(vcpu) - rig.now;
		CHECK(wait >= before && wait <= 2 * SECOND);
		rig.now = vpmu_vcpu_deadline(vcpu) - 1;
		vpmu_vcpu_enter(vcpu);
		CHECK_EQ(fake.all_calls, calls);
		rig.now++;
		vpmu_vcpu_enter(vcpu);
		CHECK(fake.all_calls > calls && fake.all_calls <= calls + 8);
		printf(" %u", (unsigned int)((rig.now - first) / MILLISECOND));
		before = wait;
	}
	printf(" ms\n");
	CHECK(before > 10 * MILLISECOND);
}

/* The hog takes the counters: starved, tried at growing intervals, back with its counts as soon as
 * they are free. */
static void a_hog_starves_for_a_while(void)
{
	begin_scripted();
	fake.counters = 1;
	set(vcpu, VPMU_REG_SYNC, 3);
	check_error(VPMU_REASON_STARVED, 1000);
	check_back_off(10);
	check_error(VPMU_REASON_STARVED, 1000);
	fake_pass(&fake, 500, 500);
	fake.counters = 0;
	rig.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(vcpu, 0), VPMU_STATE_ACTIVE);
	fake_pass(&fake, 1000, 1000);
	check_counts_again(2000);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	CHECK_EQ(epoch(), 1);
	end_scripted();
}

/* A hog that comes and goes: how much of its time a guest's event has counted shows at every loss,
 * not at the first alone. */
static void every_loss_shows_in_the_times(void)
{
	uint64_t enabled = 1000, running = 1000;

	begin_scripted();
	for (unsigned int loss = 0; loss < 5; loss++) {
		fake.counters = 1;
		set(vcpu, VPMU_REG_SYNC, 3);
		CHECK_EQ(state(vcpu, 0), VPMU_STATE_ERROR);
		fake_pass(&fake, 500, 500);
		fake.counters = 0;
		rig.now = vpmu_vcpu_deadline(vcpu);
		vpmu_vcpu_enter(vcpu);
		fake_pass(&fake, 1000, 1000);
		set(vcpu, VPMU_REG_SYNC, 3);
		enabled += 1500;
		running += 1000;
		for (unsigned int i = 0; i < 2; i++) {
			CHECK_EQ(state(vcpu, i), VPMU_STATE_ACTIVE);
			CHECK_EQ(word(vcpu, i, VPMU_EVENT_WORD_TIME_ENABLED), enabled);
			CHECK_EQ(word(vcpu, i, VPMU_EVENT_WORD_TIME_RUNNING), running);
			CHECK(flags(vcpu, i) & VPMU_EVENT_MULTIPLEXED);
			CHECK_EQ(count(vcpu, i), running * (i + 1));
		}
	}
	end_scripted();
}

/* The guest need not wait: ENABLE tries at once, DISABLE ends the tries. */
static void the_guest_may_ask_at_once(void)
{
	begin_scripted();
	fake.counters = 1;
	set(vcpu, VPMU_REG_ENABLE, 3);
	check_error(VPMU_REASON_STARVED, 1000);
	set(vcpu, VPMU_REG_ENABLE, 3);
	check_error(VPMU_REASON_STARVED, 1000);
	fake.counters = 0;
	set(vcpu, VPMU_REG_ENABLE, 3);
	check_counts_again(1000);
	fake.counters = 1;
	set(vcpu, VPMU_REG_SYNC, 3);
	set(vcpu, VPMU_REG_DISABLE, 3);
	CHECK_EQ(state(vcpu, 0), VPMU_STATE_STOPPED);
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	CHECK(flags(vcpu, 0) & VPMU_EVENT_INCOMPLETE);
	end_scripted();
}

/* The kernel forgets a loss when the event is started again: a guest that asks for no reading
 * before must be told all the same. */
static void asking_hides_no_loss(void)
{
	begin_scripted();
	fake.counters = 1;
	fake_pass(&fake, 500, 500);
	fake.counters = 0;
	set(vcpu, VPMU_REG_ENABLE, 3);
	CHECK_EQ(state(vcpu, 0), VPMU_STATE_ACTIVE);
	fake_pass(&fake, 1000, 1000);
	check_counts_again(2000);
	end_scripted();
}

/* What the kernel knows of the notices of a hardware event of the vCPU's; 0: it gives none. */
static uint64_t fake_period(uint64_t event)
{
	uint64_t period = UINT64_MAX;

	for (unsigned int i = 0; i < FAKE_EVENTS; i++) {
		const struct fake_event *of = &fake.events[i];

		if (of->used && !of->own && of->attr.type == PERF_TYPE_HARDWARE &&
		    of->attr.config == event - VPMU_HARDWARE_CYCLES)
			period = of->attr.sample_period;
	}
	return period;
}

/* A period that begins while the group is starved leaves it so: started behind everybody's back,
 * its time would count twice. */
static void a_period_starts_no_starved_group(void)
{
	begin_scripted();
	fake.counters = 1;
	set(vcpu, VPMU_REG_SYNC, 3);
	fake.counters = 0;
	set(vcpu, VPMU_STRIDE * 2 + VPMU_ATTR_WORD_SAMPLE_PERIOD, 50000);
	check_error(VPMU_REASON_STARVED, 1000);
	fake_pass(&fake, 500, 500);
	rig.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	fake_pass(&fake, 1000, 1000);
	check_counts_again(2000);
	CHECK_EQ(word(vcpu, 0, VPMU_EVENT_WORD_TIME_ENABLED), 2500);
	CHECK_EQ(word(vcpu, 0, VPMU_EVENT_WORD_TIME_RUNNING), 2000);
	/* R-OVF-3: now that it counts it gives notices. */
	CHECK_EQ(fake_period(VPMU_HARDWARE_CYCLES), 1ull << 62);
	CHECK_EQ(fake_period(VPMU_HARDWARE_CYCLES + 1), 50000);
	end_scripted();
}

/* Somebody holds the PMU alone: the guest is told that the host took it, and when it is back. */
static void a_busy_pmu_comes_back(void)
{
	uint64_t before;

	begin_scripted();
	before = epoch();
	fake_fail(&fake, FAKE_READ, 0, 1, -EBUSY);
	set(vcpu, VPMU_REG_SYNC, 3);
	check_error(VPMU_REASON_HOST_TOOK_PMU, 1000);
	CHECK_EQ(epoch(), before + 1);
	CHECK_EQ(get(vcpu, VPMU_REG_EPOCH_REASON), VPMU_EPOCH_HOST_TOOK_PMU);
	fake_fail(&fake, FAKE_OPEN, 0, 1000, -EBUSY);
	check_back_off(9);
	check_error(VPMU_REASON_HOST_TOOK_PMU, 1000);
	CHECK_EQ(epoch(), before + 1);
	fake_fail(&fake, FAKE_OPEN, 0, 0, 0);
	rig.now = vpmu_vcpu_deadline(vcpu);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(epoch(), before + 2);
	CHECK_EQ(get(vcpu, VPMU_REG_EPOCH_REASON), VPMU_EPOCH_PMU_RETURNED);
	fake_pass(&fake, 1000, 1000);
	check_counts_again(2000);
	end_scripted();
}

/* A PMU that answers nonsense, at any call: no count is made up, and the group comes back. */
static void a_pmu_in_error_comes_back(void)
{
	static const struct {
		enum fake_call call;
		int64_t failure;
		uint64_t register_written;
	} rows[] = {
		{ FAKE_READ, -EIO, VPMU_REG_SYNC },	  { FAKE_READ, 24, VPMU_REG_SYNC },
		{ FAKE_READ, -EINVAL, VPMU_REG_SYNC },	  { FAKE_IOCTL, -EIO, VPMU_REG_ENABLE },
		{ FAKE_IOCTL, -ENODEV, VPMU_REG_ENABLE },
	};

	for (unsigned int i = 0; i < TEST_COUNT(rows); i++) {
		begin_scripted();
		if (rows[i].call == FAKE_IOCTL)
			set(vcpu, VPMU_REG_DISABLE, 3);
		fake_fail(&fake, rows[i].call, 0, 1, rows[i].failure);
		set(vcpu, rows[i].register_written, 3);
		check_error(VPMU_REASON_HOST_LIMIT, 1000);
		fake_fail(&fake, FAKE_OPEN, 0, 1000, -EIO);
		check_back_off(4);
		fake_fail(&fake, FAKE_OPEN, 0, 0, 0);
		set(vcpu, VPMU_REG_ENABLE, 3);
		fake_pass(&fake, 1000, 1000);
		check_counts_again(2000);
		end_scripted();
	}
}

/* Hot-unplug without unbind: the thread is found to be gone, the vCPU waits for another, and goes
 * on from its counts. */
static void an_ended_thread_is_followed_by_another(void)
{
	uint64_t before;

	begin_scripted();
	before = epoch();
	fake.thread_ended = 1;
	set(vcpu, VPMU_REG_SYNC, 3);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_EQ(state(vcpu, i), VPMU_STATE_INACTIVE);
		CHECK_EQ(reason(vcpu, i), VPMU_REASON_UNBOUND);
		CHECK(flags(vcpu, i) & VPMU_EVENT_INCOMPLETE);
		CHECK_EQ(count(vcpu, i), 1000 * (i + 1));
	}
	CHECK_EQ(vpmu_vcpu_deadline(vcpu), VPMU_NO_DEADLINE);
	vpmu_vcpu_unbind(vcpu);
	fake.thread_ended = 0;
	CHECK_EQ(vpmu_vcpu_bind(vcpu, FAKE_THREAD), 0);
	CHECK(epoch() > before);
	CHECK_EQ(get(vcpu, VPMU_REG_EPOCH_REASON), VPMU_EPOCH_THREAD_CHANGED);
	CHECK_EQ(word(vcpu, 0, VPMU_EVENT_WORD_CONTINUITY) >> 32, epoch());
	fake_pass(&fake, 1000, 1000);
	check_counts_again(2000);
	end_scripted();
}

const struct test_case test_cases[] = {
	{ "R-SLOT-6", "software events are not hogged", software_events_are_not_hogged },
	{ "R-EPO-3", "a release is told", a_release_is_told },
	{ "R-SLOT-11", "a hog starves for a while", a_hog_starves_for_a_while },
	{ "R-SLOT-10", "every loss shows in the times", every_loss_shows_in_the_times },
	{ "R-EPO-4", "the guest may ask at once", the_guest_may_ask_at_once },
	{ "R-SLOT-11", "asking hides no loss (R-MASK-6)", asking_hides_no_loss },
	{ "R-SLOT-10", "a period starts no starved group", a_period_starts_no_starved_group },
	{ "R-EPO-3", "a busy PMU comes back", a_busy_pmu_comes_back },
	{ "R-EPO-4", "a PMU in error comes back", a_pmu_in_error_comes_back },
	{ "R-EPO-1", "an ended thread is followed by another",
	  an_ended_thread_is_followed_by_another },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
