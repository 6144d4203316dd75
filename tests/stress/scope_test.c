/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts about Linux perf for which an event is refused to a guest, or said to count something else:
 * who may count what, which filters are ignored, whose the PMU is. Each with the rule that the
 * library made of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "perf/fake.h"
#include "rig.h"

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

static void end(struct vpmu_vcpu *vcpu)
{
	rig_remove(vcpu);
	rig_end(&rig);
	CHECK_EQ(fake.opened + fake.own + fake.memory, 0);
}

static void begin_scripted(void)
{
	fake_begin(&fake);
	rig_begin(&rig);
}

/* A VM on the scripted kernel, as it is by then; its thread runs a guest. */
static struct vpmu_vcpu *create(uint32_t perf_flags)
{
	CHECK_EQ(fake_source(&fake, perf_flags, SIGUSR2, &rig.perf), 0);
	rig_create(&rig);
	return rig_vcpu(&rig, 0, FAKE_THREAD);
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

	twins_open(&twins, gettid(), 0);
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
	end(vcpu);
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
	end(vcpu);
}

/* A hardware event is asked for the guest alone; where the driver does not read that, it says
 * approximate. */
static void the_guest_alone_is_asked_for(void)
{
	struct vpmu_vcpu *vcpu;
	unsigned int asked = 0;

	begin_scripted();
	vcpu = create(VPMU_PERF_THREADS_RUN_GUEST);
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
	end(vcpu);
}

/* ---- fact 6 ---- */

/* Such an event would keep VMs with a mediated vPMU from starting, other tenants' too. */
static void a_mediated_vpmu_comes_first(void)
{
	struct vpmu_vcpu *vcpu;

	begin_scripted();
	fake.mediated = "Y";
	vcpu = create(VPMU_PERF_THREADS_RUN_GUEST);
	describe(vcpu, 0, VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES, 0, 0);
	describe(vcpu, 1, VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK, 0, 0);
	refused(vcpu, 0, VPMU_REASON_DENIED);
	CHECK_EQ(fake.calls[FAKE_OPEN], 0);
	CHECK(strstr(fake.text, "VPMU_PERF_BESIDE_MEDIATED"));
	set(vcpu, VPMU_REG_OPEN, 2);
	CHECK_EQ(get(vcpu, VPMU_REG_OPENED), 2);
	end(vcpu);
}

/* The operator may choose otherwise. A VM that has the PMU then takes it, and the event waits for
 * its end. */
static void the_operator_may_opt_in(void)
{
	uint64_t epoch;
	struct vpmu_vcpu *vcpu;

	begin_scripted();
	fake.mediated = "Y";
	rig.now = SECOND;
	vcpu = create(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_BESIDE_MEDIATED);
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
	end(vcpu);
}

/* ---- fact 7 ---- */

/* A pinned event without its counter reads 0 bytes, in silence: no count of 0 may come of it. */
static void no_bytes_is_starved(void)
{
	struct vpmu_vcpu *vcpu;

	begin_scripted();
	rig.now = SECOND;
	vcpu = create(VPMU_PERF_THREADS_RUN_GUEST);
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
	end(vcpu);
}

const struct test_case test_cases[] = {
	{ "R-SLOT-9", "privileges are not needed for clocks",
	  privileges_are_not_needed_for_clocks },
	{ "fact-5", "ignored filters are told", ignored_filters_are_told },
	{ "R-SLOT-12", "the guest alone is asked for", the_guest_alone_is_asked_for },
	{ "fact-6", "a mediated vPMU comes first", a_mediated_vpmu_comes_first },
	{ "fact-6", "the operator may opt in", the_operator_may_opt_in },
	{ "fact-7", "no bytes is starved", no_bytes_is_starved },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
