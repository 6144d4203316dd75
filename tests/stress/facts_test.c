/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known about Linux perf and decides how the source works, each fact with the rule that the
 * library made of it. Through a whole device: what a guest sees, and the system calls that its
 * accesses come to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "perf/fake.h"
#include "rig.h"

#define GROUP 8u

static struct rig rig;
static struct fake fake;

static void begin(uint32_t number)
{
	rig_begin(&rig);
	rig.signal = number;
	rig_create(&rig);
	if (number)
		signals_go_to(&rig);
}

/* A VM on the scripted kernel, whose thread runs a guest. */
static struct vpmu_vcpu *begin_fake(uint32_t perf_flags)
{
	CHECK_EQ(fake_source(&fake, perf_flags, SIGUSR2, &rig.perf), 0);
	rig_create(&rig);
	return rig_vcpu(&rig, 0, FAKE_THREAD);
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

/* ---- privileges ---- */

static int paranoid(void)
{
	FILE *file = fopen("/proc/sys/kernel/perf_event_paranoid", "r");
	int level = 99;

	if (file && fscanf(file, "%d", &level) != 1)
		level = 99;
	if (file)
		(void)fclose(file);
	return level;
}

static void spend_in_the_kernel(uint64_t ns)
{
	uint64_t until = thread_ns() + ns;
	char bytes[4096];
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	while (thread_ns() < until)
		CHECK_EQ(read(zero, bytes, sizeof(bytes)), sizeof(bytes));
	close(zero);
}

/* Clocks count all the time of the thread for anybody, that in the kernel as well; what would count
 * a part is denied. */
static void nobody_counts_clocks(void)
{
	struct twins twins;
	struct vpmu_vcpu *vcpu;

	twins_open(&twins, gettid());
	CHECK_EQ(setresgid(65534, 65534, 65534), 0);
	CHECK_EQ(setresuid(65534, 65534, 65534), 0);
	begin(SIGUSR2);
	vcpu = rig_vcpu(&rig, 0, gettid());
	describe(vcpu, 1, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 1000000,
		 VPMU_ATTR_PMI);
	set(vcpu, VPMU_REG_OPEN, 2);
	CHECK_EQ(get(vcpu, VPMU_REG_OPENED), 2);
	twins_begin(&twins, 0);
	set(vcpu, VPMU_REG_ENABLE, 2);
	twins_begin(&twins, 1);
	spend_in_the_kernel(30 * MILLISECOND);
	twins_look(&twins, 0);
	set(vcpu, VPMU_REG_SYNC, 2);
	twins_look(&twins, 1);
	twins_print(&twins, 1, count(vcpu, 1));
	CHECK(twins_agree(&twins, 1, count(vcpu, 1)));
	CHECK_EQ(word(vcpu, 1, VPMU_EVENT_WORD_OVERFLOWS), count(vcpu, 1) / 1000000);
	if (paranoid() == 2) {
		describe(vcpu, 0, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 0, 0);
		set(vcpu, VPMU_REG_OPEN, 1);
		CHECK_EQ(reason(vcpu, 0), VPMU_REASON_DENIED);
	}
	twins_close(&twins);
	rig_remove(vcpu);
	rig_end(&rig);
}

static void privileges_are_not_needed_for_clocks(void)
{
	if (geteuid() != 0 || paranoid() > 2)
		printf("not tried: needs root, and kernel.perf_event_paranoid 2 or less\n");
	else
		in_child(nobody_counts_clocks);
}

/* ---- fact 5 ---- */

static void refused(struct vpmu_vcpu *vcpu, unsigned int slot, uint64_t why)
{
	set(vcpu, VPMU_REG_OPEN, BIT(slot));
	CHECK_EQ(get(vcpu, VPMU_REG_OPENED) & BIT(slot), 0);
	CHECK_EQ(state(vcpu, slot), VPMU_STATE_CLOSED);
	CHECK_EQ(reason(vcpu, slot), why);
	CHECK_EQ(count(vcpu, slot), 0);
}

/*
 * Software events take exclude flags and ignore them. One that asks for a part of the thread is
 * refused; one that does not says that it counts the thread. A thread without a guest would read 0
 * for ever under exclude_host.
 */
static void ignored_filters_are_told(void)
{
	struct vpmu_vcpu *vcpu;

	begin(0);
	vcpu = rig_vcpu(&rig, 0, gettid());
	describe(vcpu, 0, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 0,
		 VPMU_ATTR_EXCLUDE_KERNEL);
	refused(vcpu, 0, VPMU_REASON_UNSUPPORTED);
	describe(vcpu, 0, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 0,
		 VPMU_ATTR_EXCLUDE_USER);
	refused(vcpu, 0, VPMU_REASON_UNSUPPORTED);
	describe(vcpu, 1, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0, 0);
	refused(vcpu, 1, VPMU_REASON_UNSUPPORTED);
	describe(vcpu, 0, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS, 0, 0);
	set(vcpu, VPMU_REG_OPEN, 1);
	CHECK_EQ(flags(vcpu, 0), VPMU_EVENT_THREAD);
	set(vcpu, VPMU_REG_ENABLE, 1);
	CHECK_EQ(flags(vcpu, 0) & VPMU_EVENT_THREAD, VPMU_EVENT_THREAD);
	rig_remove(vcpu);
	rig_end(&rig);
}

/* A hardware event is asked for the guest alone; where the driver does not read that, it says
 * approximate. */
static void the_guest_alone_is_asked_for(void)
{
	struct vpmu_vcpu *vcpu;
	unsigned int asked = 0;

	fake_begin(&fake);
	rig_begin(&rig);
	vcpu = begin_fake(VPMU_PERF_THREADS_RUN_GUEST);
	describe(vcpu, 0, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0, 0);
	set(vcpu, VPMU_REG_OPEN, 1);
	CHECK_EQ(get(vcpu, VPMU_REG_OPENED), 1);
	CHECK_EQ(flags(vcpu, 0) & VPMU_EVENT_THREAD, 0);
#ifdef __loongarch__
	CHECK_EQ(flags(vcpu, 0), VPMU_EVENT_APPROXIMATE);
#else
	CHECK_EQ(flags(vcpu, 0), 0);
#endif
	for (unsigned int i = 0; i < FAKE_EVENTS; i++) {
		if (!fake.events[i].used || fake.events[i].attr.type != PERF_TYPE_HARDWARE)
			continue;
		CHECK_EQ(fake.events[i].attr.exclude_host, 1);
		CHECK_EQ(fake.events[i].attr.exclude_guest, 0);
		asked++;
	}
	CHECK_EQ(asked, 1);
	rig_remove(vcpu);
	rig_end(&rig);
}

/* ---- fact 6 ---- */

/* Such an event would keep VMs with a mediated vPMU from starting, other tenants' too. */
static void a_mediated_vpmu_comes_first(void)
{
	struct vpmu_vcpu *vcpu;

	fake_begin(&fake);
	fake.mediated = "Y";
	rig_begin(&rig);
	vcpu = begin_fake(VPMU_PERF_THREADS_RUN_GUEST);
	describe(vcpu, 0, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0, 0);
	describe(vcpu, 1, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 0, 0);
	refused(vcpu, 0, VPMU_REASON_DENIED);
	CHECK_EQ(fake.calls[FAKE_OPEN], 0);
	CHECK(strstr(fake.text, "VPMU_PERF_BESIDE_MEDIATED"));
	set(vcpu, VPMU_REG_OPEN, 2);
	CHECK_EQ(get(vcpu, VPMU_REG_OPENED), 2);
	rig_remove(vcpu);
	rig_end(&rig);
}

/* The operator may choose otherwise. A VM that has the PMU then takes it, and the event waits for
 * its end. */
static void the_operator_may_opt_in(void)
{
	uint64_t epoch;
	struct vpmu_vcpu *vcpu;

	fake_begin(&fake);
	fake.mediated = "Y";
	rig_begin(&rig);
	rig.now = SECOND;
	vcpu = begin_fake(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_BESIDE_MEDIATED);
	describe(vcpu, 0, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0, 0);
	set(vcpu, VPMU_REG_OPEN, 1);
	set(vcpu, VPMU_REG_ENABLE, 1);
	CHECK_EQ(state(vcpu, 0), VPMU_STATE_ACTIVE);
	epoch = get(vcpu, VPMU_REG_EPOCH);
	vpmu_vm_release_pmu(rig.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(reason(vcpu, 0), VPMU_REASON_HOST_TOOK_PMU);
	CHECK_EQ(fake.opened, 0);
	fake_fail(&fake, FAKE_OPEN, 0, 2, -EOPNOTSUPP);
	vpmu_vm_return_pmu(rig.vm);
	vpmu_vcpu_enter(vcpu);
	CHECK_EQ(state(vcpu, 0), VPMU_STATE_ERROR);
	CHECK_EQ(reason(vcpu, 0), VPMU_REASON_HOST_TOOK_PMU);
	CHECK(get(vcpu, VPMU_REG_EPOCH) > epoch);
	for (int i = 0; i < 4 && state(vcpu, 0) == VPMU_STATE_ERROR; i++) {
		rig.now = vpmu_vcpu_deadline(vcpu);
		vpmu_vcpu_enter(vcpu);
	}
	CHECK_EQ(state(vcpu, 0), VPMU_STATE_ACTIVE);
	CHECK(flags(vcpu, 0) & VPMU_EVENT_INCOMPLETE);
	rig_remove(vcpu);
	rig_end(&rig);
}

/* ---- fact 7 ---- */

/* A pinned event without its counter reads 0 bytes, in silence: no count of 0 may come of it. */
static void no_bytes_is_starved(void)
{
	struct vpmu_vcpu *vcpu;

	fake_begin(&fake);
	rig_begin(&rig);
	rig.now = SECOND;
	vcpu = begin_fake(VPMU_PERF_THREADS_RUN_GUEST);
	for (unsigned int i = 0; i < 2; i++)
		describe(vcpu, i, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES + i, 0, 0);
	join(vcpu, 1, 0);
	set(vcpu, VPMU_REG_OPEN, 3);
	set(vcpu, VPMU_REG_ENABLE, 3);
	fake_pass(&fake, 1000, 1000);
	fake.counters = 1;
	set(vcpu, VPMU_REG_SYNC, 3);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_EQ(state(vcpu, i), VPMU_STATE_ERROR);
		CHECK_EQ(reason(vcpu, i), VPMU_REASON_STARVED);
		CHECK(flags(vcpu, i) & VPMU_EVENT_INCOMPLETE);
		CHECK(!(flags(vcpu, i) & VPMU_EVENT_LOWER_BOUND));
	}
	CHECK_EQ(get(vcpu, VPMU_REG_ERROR), 3);
	CHECK(vpmu_vcpu_deadline(vcpu) != VPMU_NO_DEADLINE);
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
	{ "R-SLOT-9", "privileges are not needed for clocks",
	  privileges_are_not_needed_for_clocks },
	{ "fact-5", "ignored filters are told", ignored_filters_are_told },
	{ "R-SLOT-12", "the guest alone is asked for", the_guest_alone_is_asked_for },
	{ "fact-6", "a mediated vPMU comes first", a_mediated_vpmu_comes_first },
	{ "fact-6", "the operator may opt in", the_operator_may_opt_in },
	{ "fact-7", "no bytes is starved", no_bytes_is_starved },
	{ "fact-8", "nothing polls", nothing_polls },
	{ "fact-9", "only standard signals are taken", only_standard_signals_are_taken },
	{ "fact-9", "a full queue kills nobody", a_full_queue_kills_nobody },
	{ "fact-10", "events do not spread", events_do_not_spread },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
