/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known about Linux perf and decides how the source works, each fact with the rule that the
 * library made of it. Through a whole device: what a guest sees, and the system calls that its
 * accesses come to. Facts 5 to 7, on what is refused or said, are in scope_test.c.
 */
#define _GNU_SOURCE
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rig.h"

#define GROUP 8u

static struct rig rig;

static void begin(uint32_t number)
{
	rig_begin(&rig);
	rig.signal = number;
	rig_create(&rig);
	if (number)
		signals_go_to(&rig);
}

static void group_described(struct vpmu_vcpu *vcpu, unsigned int first, uint64_t period)
{
	static const uint64_t events[] = { VPMU_SOFTWARE_TASK_CLOCK, VPMU_SOFTWARE_PAGE_FAULTS,
					   VPMU_SOFTWARE_CONTEXT_SWITCHES,
					   VPMU_SOFTWARE_MINOR_FAULTS };

	for (unsigned int i = 0; i < GROUP; i++) {
		describe(vcpu, first + i, VPMU_TYPE_HOST_SOFTWARE, events[i % 4], i ? period : 0,
			 VPMU_ATTR_PMI);
		if (i)
			join(vcpu, first + i, first);
	}
}

/* ---- fact 1 ---- */

struct owner {
	uint32_t id;
	struct vpmu_vcpu *vcpu;
	uint64_t rounds;
	_Atomic uint32_t *stop;
};

/* A vCPU's life on its own thread, from bind to unbind. */
static void *own_life(void *opaque)
{
	struct owner *owner = opaque;

	if (vpmu_vcpu_bind(owner->vcpu, gettid()) != 0)
		return NULL;
	while (!atomic_load(owner->stop)) {
		uint64_t open = get(owner->vcpu, VPMU_REG_OPENED);

		if (!open) {
			group_described(owner->vcpu, 0, 3);
			set(owner->vcpu, VPMU_REG_OPEN, BIT(GROUP) - 1);
			set(owner->vcpu, VPMU_REG_ENABLE, 1);
		}
		fault();
		set(owner->vcpu, owner->rounds & 1 ? VPMU_REG_SYNC : VPMU_REG_ACK, BIT(GROUP) - 1);
		vpmu_vcpu_enter(owner->vcpu);
		vpmu_vcpu_leave(owner->vcpu);
		if (++owner->rounds % 64 == 0)
			set(owner->vcpu, VPMU_REG_RESET, VPMU_RESET_ALL);
	}
	vpmu_vcpu_unbind(owner->vcpu);
	return NULL;
}

/*
 * From another thread each change of an event interrupts the CPU of its thread. Whatever anyone
 * asks for, another vCPU by a reset of all, the operator by taking the PMU, is done by the thread
 * itself.
 */
static void events_change_on_their_own_thread(void)
{
	static struct owner owners[2];
	_Atomic uint32_t stop = 0;
	pthread_t threads[2];

	begin(SIGUSR2);
	for (uint32_t i = 0; i < 2; i++) {
		owners[i] = (struct owner){ .id = i, .stop = &stop };
		CHECK_EQ(vpmu_vcpu_add(rig.vm, i, &owners[i].vcpu), 0);
		CHECK_EQ(pthread_create(&threads[i], NULL, own_life, &owners[i]), 0);
	}
	for (int i = 0; i < 100; i++) {
		vpmu_vm_release_pmu(rig.vm);
		settle();
		vpmu_vm_return_pmu(rig.vm);
		settle();
	}
	atomic_store(&stop, 1);
	for (uint32_t i = 0; i < 2; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
		CHECK(owners[i].rounds > 0);
		CHECK_EQ(vpmu_vcpu_remove(owners[i].vcpu), 0);
	}
	rig_print(&rig, "two vCPUs, reset and taken from elsewhere");
	CHECK(rig.ledger.opens >= GROUP);
	CHECK(rig.ledger.enables > 0);
	rig_check_ledger(&rig);
	rig_end(&rig);
}

/* ---- facts 2, 3 and 4 ---- */

/* A reset costs a call and leaves the times, so ratios across it are wrong: counts only grow, by
 * subtraction. */
static void nothing_is_reset(void)
{
	uint64_t counts = 0, enabled = 0;
	struct vpmu_vcpu *vcpu;

	begin(SIGUSR2);
	vcpu = rig_vcpu(&rig, 0, gettid());
	group_described(vcpu, 0, 5);
	set(vcpu, VPMU_REG_OPEN, BIT(GROUP) - 1);
	for (unsigned int i = 0; i < 50; i++) {
		set(vcpu, VPMU_REG_ENABLE, 1);
		for (unsigned int j = 0; j < 10; j++)
			fault();
		set(vcpu, VPMU_STRIDE * 2 + VPMU_ATTR_WORD_SAMPLE_PERIOD, 5 + i);
		set(vcpu, i & 1 ? VPMU_REG_DISABLE : VPMU_REG_SYNC, 2);
		set(vcpu, VPMU_REG_ACK, get(vcpu, VPMU_REG_PENDING));
		CHECK(count(vcpu, 1) >= counts + 10);
		CHECK(word(vcpu, 1, VPMU_EVENT_WORD_TIME_ENABLED) > enabled);
		counts = count(vcpu, 1);
		enabled = word(vcpu, 1, VPMU_EVENT_WORD_TIME_ENABLED);
		CHECK_EQ(word(vcpu, 1, VPMU_EVENT_WORD_TIME_RUNNING), enabled);
	}
	set(vcpu, VPMU_REG_CLOSE, 1);
	rig_check_ledger(&rig);
	rig_remove(vcpu);
	rig_end(&rig);
}

/* Members stay enabled; the leader alone is switched, by one call for all of them, and not by
 * PERF_IOC_FLAG_GROUP. */
static void the_leader_alone_is_switched(void)
{
	struct vpmu_vcpu *vcpu;

	begin(0);
	vcpu = rig_vcpu(&rig, 0, gettid());
	group_described(vcpu, 0, 0);
	set(vcpu, VPMU_REG_OPEN, BIT(GROUP) - 1);
	rig_clear(&rig);
	set(vcpu, VPMU_REG_ENABLE, BIT(GROUP - 1));
	CHECK_EQ(get(vcpu, VPMU_REG_ENABLED), BIT(GROUP) - 1);
	CHECK_EQ(rig.ledger.enables, 1);
	set(vcpu, VPMU_REG_DISABLE, BIT(3));
	CHECK_EQ(get(vcpu, VPMU_REG_ENABLED), 0);
	CHECK_EQ(rig.ledger.disables, 1);
	rig_check_ledger(&rig);
	rig_print(&rig, "a group of 8 switched on and off");
	rig_remove(vcpu);
	rig_end(&rig);
}

/* A group of 8 costs one call to read, however many of its slots the guest names; a read of the
 * registers none. */
static void a_group_is_one_read(void)
{
	struct vpmu_vcpu *vcpu;

	begin(0);
	vcpu = rig_vcpu(&rig, 0, gettid());
	group_described(vcpu, 0, 0);
	set(vcpu, VPMU_REG_OPEN, BIT(GROUP) - 1);
	set(vcpu, VPMU_REG_ENABLE, 1);
	rig_clear(&rig);
	for (unsigned int i = 0; i < 100; i++) {
		fault();
		set(vcpu, VPMU_REG_SYNC, BIT(GROUP) - 1);
	}
	CHECK_EQ(rig_calls(&rig), 100);
	CHECK_EQ(rig.ledger.reads, 100);
	for (unsigned int i = 0; i < GROUP; i++)
		(void)count(vcpu, i);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_leave(vcpu);
	CHECK_EQ(rig_calls(&rig), 100);
	CHECK(count(vcpu, 1) >= 100);
	rig_remove(vcpu);
	rig_end(&rig);
}

/* ---- fact 8 ---- */

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#define THIS_ARCH 0
#endif

#define DIES(number)                                         \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

/* From here on a wait for a descriptor, or a mapping of one, ends the process. */
static int polling_kills(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_poll
		DIES(SYS_poll),
#endif
#ifdef SYS_select
		DIES(SYS_select),
#endif
#ifdef SYS_epoll_wait
		DIES(SYS_epoll_wait),
#endif
		DIES(SYS_ppoll),
		DIES(SYS_pselect6),
		DIES(SYS_epoll_create1),
		DIES(SYS_epoll_ctl),
		DIES(SYS_epoll_pwait),
#ifdef SYS_mmap
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, UINT32_MAX, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void whole_life(void)
{
	struct vpmu_vcpu *vcpu;

	CHECK_EQ(polling_kills(), 0);
	begin(SIGUSR2);
	vcpu = rig_vcpu(&rig, 0, gettid());
	for (unsigned int round = 0; round < 3; round++) {
		group_described(vcpu, 0, 3);
		set(vcpu, VPMU_REG_CHECK, BIT(GROUP) - 1);
		set(vcpu, VPMU_REG_WARM, BIT(GROUP) - 1);
		set(vcpu, VPMU_REG_OPEN, BIT(GROUP) - 1);
		set(vcpu, VPMU_REG_ENABLE, 1);
		for (unsigned int i = 0; i < 20; i++) {
			fault();
			vpmu_vcpu_enter(vcpu);
			set(vcpu, VPMU_REG_ACK, get(vcpu, VPMU_REG_PENDING));
		}
		CHECK(count(vcpu, 1) >= 10);
		set(vcpu, VPMU_REG_DISABLE, 1);
		set(vcpu, VPMU_REG_CLOSE, 1);
	}
	CHECK(atomic_load(&signals) > 0);
	rig_remove(vcpu);
	rig_end(&rig);
}

/* A descriptor of perf without a mapping polls as hung up, at once and always: so nothing here
 * waits for one. */
static void nothing_polls(void)
{
	if (!THIS_ARCH)
		test_skip("no filter of system calls is made for this machine");
	in_child(whole_life);
}

/* ---- fact 9 ---- */

static void only_standard_signals_are_taken(void)
{
	struct vpmu_perf_config config = { .size = sizeof(config) };
	struct vpmu_perf *perf = NULL;
	unsigned int taken = 0;

	for (uint32_t number = 1; number <= 1000; number++) {
		config.signal = number;
		if (vpmu_perf_create(&config, &perf) != 0)
			continue;
		CHECK(number < 32 && number != SIGKILL && number != SIGSTOP);
		CHECK_EQ(vpmu_perf_destroy(perf), 0);
		taken++;
	}
	CHECK_EQ(taken, 29);
}

static void overflows_without_room(void)
{
	const struct rlimit none = { 0, 0 };
	struct vpmu_vcpu *vcpu;

	CHECK_EQ(setrlimit(RLIMIT_SIGPENDING, &none), 0);
	CHECK(signal(SIGIO, SIG_DFL) != SIG_ERR);
	begin(SIGUSR2);
	vcpu = rig_vcpu(&rig, 0, gettid());
	describe(vcpu, 0, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 1, VPMU_ATTR_PMI);
	set(vcpu, VPMU_REG_OPEN, 1);
	set(vcpu, VPMU_REG_ENABLE, 1);
	for (unsigned int i = 0; i < 100; i++) {
		fault();
		vpmu_vcpu_enter(vcpu);
		set(vcpu, VPMU_REG_ACK, 1);
	}
	settle();
	printf("no room for queued signals: %u faults, %u signals\n", 100,
	       (unsigned int)atomic_load(&signals));
	CHECK(atomic_load(&signals) > 0);
	rig_remove(vcpu);
	rig_end(&rig);
}

/* With its queue full the kernel sends SIGIO in a real-time signal's place, which ends the VMM; a
 * standard one arrives. */
static void a_full_queue_kills_nobody(void)
{
	in_child(overflows_without_room);
}

/* ---- fact 10 ---- */

struct child_thread {
	_Atomic uint32_t go, done;
};

static void *faults_of_another(void *opaque)
{
	struct child_thread *other = opaque;

	for (unsigned int i = 0; i < 5000; i++)
		fault();
	atomic_store(&other->done, 1);
	return NULL;
}

/* An event is of one vCPU's thread, and no later thread of it, as those that a VMM starts for its
 * own work, adds to it. */
static void events_do_not_spread(void)
{
	static struct child_thread other;
	struct vpmu_vcpu *vcpu;
	uint64_t truth;
	pthread_t thread;
	int twin = twin_open(VPMU_SOFTWARE_PAGE_FAULTS, gettid());

	CHECK(twin >= 0);
	begin(0);
	vcpu = rig_vcpu(&rig, 0, gettid());
	describe(vcpu, 0, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 0, 0);
	set(vcpu, VPMU_REG_OPEN, 1);
	truth = twin_read(twin);
	set(vcpu, VPMU_REG_ENABLE, 1);
	CHECK_EQ(pthread_create(&thread, NULL, faults_of_another, &other), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	set(vcpu, VPMU_REG_DISABLE, 1);
	truth = twin_read(twin) - truth;
	printf("beside a thread of 5000 faults: %u counted, at most %u true\n",
	       (unsigned int)count(vcpu, 0), (unsigned int)truth);
	CHECK_EQ(other.done, 1);
	CHECK(count(vcpu, 0) <= truth);
	CHECK(truth < 5000);
	rig_check_ledger(&rig);
	rig_remove(vcpu);
	rig_end(&rig);
	close(twin);
}

const struct test_case test_cases[] = {
	{ "fact-1", "events change on their own thread", events_change_on_their_own_thread },
	{ "fact-2", "nothing is reset", nothing_is_reset },
	{ "fact-3", "the leader alone is switched", the_leader_alone_is_switched },
	{ "fact-4", "a group is one read", a_group_is_one_read },
	{ "fact-8", "nothing polls", nothing_polls },
	{ "fact-9", "only standard signals are taken", only_standard_signals_are_taken },
	{ "fact-9", "a full queue kills nobody", a_full_queue_kills_nobody },
	{ "fact-10", "events do not spread", events_do_not_spread },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
