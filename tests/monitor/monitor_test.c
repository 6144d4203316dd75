/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The monitor's sets: what may be in one, how it is changed, and what is opened for it. */
#include <string.h>

#include "monitor_fixture.h"

/* Nothing is opened for who does not ask, and all is closed for who does not any more. */
static void off_costs_nothing(void)
{
	struct vpmu_monitor_vm *vms[10];

	begin();
	for (uint32_t i = 0; i < 10; i++) {
		vms[i] = fake_vm(&fake, monitor, i, 0, 1 + i, 1);
		CHECK(vms[i] != NULL);
	}
	CHECK_EQ(fake.opens, 0);
	CHECK_EQ(set_one(vms[3], fake_software(VPMU_SOFTWARE_TASK_CLOCK), 1, VPMU_MONITOR_WANTED),
		 0);
	CHECK_EQ(fake.opens, 0);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM | VPMU_MONITOR_PER_VCPU), 0);
	CHECK_EQ(fake.reads, 0);
	CHECK_EQ(vpmu_monitor_held(monitor), 0);
	CHECK_EQ(vpmu_monitor_apply(vms[3], NULL), 0);
	CHECK_EQ(vpmu_monitor_held(monitor), 1);
	CHECK_EQ(fake.events, 1);
	CHECK_EQ(set_one(vms[3], fake_software(VPMU_SOFTWARE_TASK_CLOCK), 0, LIVE), 0);
	CHECK_EQ(fake.events, 0);
	CHECK_EQ(vpmu_monitor_get(vms[3], VPMU_MONITOR_WANTED, NULL, 0), 1);
	CHECK_EQ(vpmu_monitor_get(vms[3], LIVE, NULL, 0), 0);
	CHECK_EQ(vpmu_monitor_get(vms[3], 3, NULL, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_destroy(monitor), VPMU_ERROR_STATE);
	for (uint32_t i = 0; i < 10; i++)
		vpmu_monitor_vm_remove(vms[i]);
	end();
}

/* All or nothing, over all VMs, and each event says why. */
static void a_set_is_changed_as_a_whole(void)
{
	struct vpmu_monitor_change changes[] = {
		{ .event = fake_hardware(1, VPMU_MONITOR_HOST), .on = 1 },
		{ .event = fake_hardware(2, VPMU_MONITOR_HOST), .on = 1 },
		{ .event = fake_software(3), .on = 1 },
		{ .event = fake_hardware(5, VPMU_MONITOR_HOST), .on = 1 },
	};
	struct vpmu_monitor_report report = { .size = sizeof(report) };
	struct vpmu_monitor_vm *a, *b;

	begin();
	a = fake_vm(&fake, monitor, 1, 0, 1, 2);
	b = fake_vm(&fake, monitor, 2, 0, 3, 2);
	CHECK_EQ(set_one(a, fake_software(7), 1, BOTH_SETS), 0);
	fake.now += 10;
	fake.unsupported = 1u << 2 | 1u << 5;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 4, BOTH_SETS, &report),
		 VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(changes[0].error, 0);
	CHECK_EQ(changes[1].error, VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(changes[2].error, 0);
	CHECK_EQ(changes[3].error, VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(report.failed, 2);
	CHECK_EQ(report.vm, 1);
	CHECK_EQ(report.thread, 1);
	CHECK_EQ(fake.events, 2);
	CHECK_EQ(vpmu_monitor_get(a, VPMU_MONITOR_WANTED, NULL, 0), 1);
	CHECK_EQ(vpmu_monitor_get(b, VPMU_MONITOR_WANTED, NULL, 0), 0);
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 1);
	CHECK_EQ(values[0].value, 2 * 20 * 7);

	/* Asked to, it takes what can be had, and keeps in mind what was wanted. */
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 4, BOTH_SETS | VPMU_MONITOR_SKIP,
				  &report),
		 0);
	CHECK_EQ(report.failed, 2);
	CHECK_EQ(vpmu_monitor_get(a, LIVE, NULL, 0), 3);
	CHECK_EQ(vpmu_monitor_get(a, VPMU_MONITOR_WANTED, NULL, 0), 5);
	CHECK_EQ(vpmu_monitor_get(b, LIVE, NULL, 0), 2);
	CHECK_EQ(fake.events, 10);
	fake.unsupported = 1u << 5;
	CHECK_EQ(vpmu_monitor_apply(b, NULL), 1);
	CHECK_EQ(vpmu_monitor_get(b, LIVE, NULL, 0), 3);
	/* What was counted before goes on through all of this. */
	fake.now += 10;
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 6);
	CHECK_EQ(values[0].vm, 1);
	CHECK_EQ(values[0].value, 2 * 30 * 7);
	vpmu_monitor_vm_remove(a);
	vpmu_monitor_vm_remove(b);
	end();
}

static void wrong_sets_are_refused(void)
{
	struct vpmu_monitor_change twice[2] = { { .event = fake_software(1), .on = 1 },
						{ .event = fake_software(1), .on = 1 } };
	struct vpmu_monitor_event bad = fake_software(1);
	struct vpmu_monitor_vm *vms[2];
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
	vms[0] = vm;
	vms[1] = vm;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, twice, 2, LIVE, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(twice[1].error, VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_set(monitor, vms, 2, twice, 1, LIVE, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, twice, 1, 0, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, twice, 1, 8, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, twice, 64, LIVE, NULL), VPMU_ERROR_INVALID);
	bad.meter = 3;
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_INVALID);
	bad.meter = VPMU_MONITOR_PMU;
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_INVALID);
	CHECK_EQ(set_one(vm, fake_metered(VPMU_MONITOR_PMU, 7), 1, LIVE), VPMU_ERROR_INVALID);
	bad = fake_software(1);
	bad.scope = VPMU_MONITOR_GUEST;
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_UNSUPPORTED);
	bad.scope = 3;
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_INVALID);
	bad = fake_software(1);
	bad.attr.sample_period = 1;
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_INVALID);
	bad.attr = (struct guest_perf_attr){ .type = 9 };
	CHECK_EQ(set_one(vm, bad, 1, LIVE), VPMU_ERROR_INVALID);
	/* A VM that does not run under KVM would count 0 for ever. */
	CHECK_EQ(set_one(vm, fake_hardware(1, VPMU_MONITOR_GUEST), 1, LIVE),
		 VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(set_one(vm, fake_hardware(1, VPMU_MONITOR_BOTH), 1, LIVE), 0);
	CHECK_EQ(fake.last_flags, VPMU_SOURCE_FLEXIBLE | VPMU_SOURCE_HOST);
	vpmu_monitor_vm_remove(vm);
	end();
}

static void a_set_has_its_limit(void)
{
	struct vpmu_monitor_change changes[VPMU_MONITOR_MAX_EVENTS];
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
	for (uint32_t i = 0; i < VPMU_MONITOR_MAX_EVENTS; i++)
		changes[i] = (struct vpmu_monitor_change){ .event = fake_software(i + 1), .on = 1 };
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, VPMU_MONITOR_MAX_EVENTS, BOTH_SETS,
				  NULL),
		 0);
	CHECK_EQ(vpmu_monitor_held(monitor), VPMU_MONITOR_MAX_EVENTS);
	changes[0] = (struct vpmu_monitor_change){ .event = fake_software(100), .on = 1 };
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 1, BOTH_SETS, NULL),
		 VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_held(monitor), VPMU_MONITOR_MAX_EVENTS);
	CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), VPMU_MONITOR_MAX_EVENTS);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* The scope is what the source is asked for; groups of one scope each. */
static void scopes_are_asked_for(void)
{
	static const struct {
		uint32_t scope, flags;
	} scopes[] = {
		{ VPMU_MONITOR_GUEST, VPMU_SOURCE_FLEXIBLE },
		{ VPMU_MONITOR_HOST,
		  VPMU_SOURCE_FLEXIBLE | VPMU_SOURCE_HOST | VPMU_SOURCE_NO_GUEST },
		{ VPMU_MONITOR_BOTH, VPMU_SOURCE_FLEXIBLE | VPMU_SOURCE_HOST },
	};
	struct vpmu_monitor_vm *vm;

	begin();
	vm = fake_vm(&fake, monitor, 1, VPMU_MONITOR_RUNS_GUEST, 1, 1);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQ(set_one(vm, fake_hardware(1, scopes[i].scope), 1, LIVE), 0);
		CHECK_EQ(fake.last_flags, scopes[i].flags);
		CHECK_EQ(fake.groups, i + 1);
	}
	vpmu_monitor_vm_remove(vm);
	vm = fake_vm(&fake, monitor, 1, VPMU_MONITOR_PINNED, 1, 1);
	CHECK_EQ(set_one(vm, fake_hardware(1, VPMU_MONITOR_BOTH), 1, LIVE), 0);
	CHECK_EQ(fake.last_flags, VPMU_SOURCE_HOST);
	vpmu_monitor_vm_remove(vm);
	end();
}

/* Hardware events that do not fit the PMU at once are put into several groups, told by the probe or
 * found out. */
static void large_sets_are_split(void)
{
	for (uint32_t told = 0; told < 2; told++) {
		struct vpmu_monitor_change changes[8];
		struct vpmu_monitor_vm *vm;

		begin();
		fake.largest = 3;
		fake.counters = told ? 3 : 0;
		vm = fake_vm(&fake, monitor, 1, 0, 1, 1);
		for (uint32_t i = 0; i < 8; i++)
			changes[i] = (struct vpmu_monitor_change){
				.event = fake_hardware(i + 1, VPMU_MONITOR_HOST), .on = 1
			};
		CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, changes, 8, LIVE, NULL), 0);
		CHECK_EQ(fake.groups, 3);
		CHECK_EQ(fake.opens, told ? 3 : 4);
		fake.now += 10;
		CHECK_EQ(read_all(VPMU_MONITOR_PER_VM), 8);
		for (uint32_t i = 0; i < 8; i++)
			CHECK_EQ(values[i].value, 10 * (i + 1));
		vpmu_monitor_vm_remove(vm);
		end();
	}
}

/* Too few descriptors: known before the first event is opened, and half a set never. */
static void the_descriptor_limit_is_seen_before(void)
{
	struct vpmu_monitor_report report = { .size = sizeof(report) };
	struct vpmu_monitor_change change = { .event = fake_software(1), .on = 1 };
	struct vpmu_monitor_vm *vms[10];

	begin();
	for (uint32_t i = 0; i < 10; i++)
		vms[i] = fake_vm(&fake, monitor, i, 0, 1 + i, 1);
	fake.descriptors = 25;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, &change, 1, BOTH_SETS, &report),
		 VPMU_ERROR_LIMIT);
	CHECK_EQ(fake.opens, 0);
	CHECK_EQ(report.needed, 10);
	CHECK_EQ(report.available, 25);
	fake.descriptors = 26;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, &change, 1, BOTH_SETS, &report), 0);
	/* A limit that is met in the middle is undone. */
	fake.fail_at = fake.calls + 2 * 10 + 3 * 4 + 3; /* the fourth open */
	fake.failure = VPMU_ERROR_LIMIT;
	change.event = fake_software(2);
	fake.descriptors = 1000;
	CHECK_EQ(vpmu_monitor_set(monitor, NULL, 0, &change, 1, BOTH_SETS | VPMU_MONITOR_SKIP,
				  &report),
		 VPMU_ERROR_LIMIT);
	CHECK_EQ(fake.events, 10);
	CHECK_EQ(vpmu_monitor_held(monitor), 10);
	for (uint32_t i = 0; i < 10; i++)
		vpmu_monitor_vm_remove(vms[i]);
	end();
}

static const char *const libvirt_names[] = {
	"cmt",
	"mbmt",
	"mbml",
	"cpu_cycles",
	"instructions",
	"cache_references",
	"cache_misses",
	"branch_instructions",
	"branch_misses",
	"bus_cycles",
	"stalled_cycles_frontend",
	"stalled_cycles_backend",
	"ref_cpu_cycles",
	"cpu_clock",
	"task_clock",
	"page_faults",
	"context_switches",
	"cpu_migrations",
	"page_faults_min",
	"page_faults_maj",
	"alignment_faults",
	"emulation_faults",
};

/* Names of perf, and libvirt's for the same events. */
static void names_are_known(void)
{
	static const char *const bad[] = { "",		"cycle", "cyclesx",
					   "L1-dcache", "LLC-",	 "cpu/cycles/" };
	struct vpmu_monitor_info infos[64];
	struct vpmu_monitor_info info = { .size = sizeof(info) };
	int count;

	for (size_t i = 0; i < sizeof(libvirt_names) / sizeof(libvirt_names[0]); i++) {
		struct vpmu_monitor_info own = { .size = sizeof(own) };

		CHECK_EQ(vpmu_monitor_name(libvirt_names[i], strlen(libvirt_names[i]), &info), 0);
		CHECK_STR(info.libvirt, libvirt_names[i]);
		CHECK_EQ(vpmu_monitor_name(info.name, strlen(info.name), &own), 0);
		CHECK_MEM(&own.event, &info.event, sizeof(own.event));
	}
	CHECK_EQ(vpmu_monitor_name("LLC-load-misses", 15, &info), 0);
	CHECK_EQ(info.event.attr.config, VPMU_CACHE_LL | VPMU_CACHE_RESULT_MISS << 16);
	CHECK_EQ(vpmu_monitor_name("cs", 2, &info), 0);
	CHECK_STR(info.name, "context-switches");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(vpmu_monitor_name(bad[i], strlen(bad[i]), &info), VPMU_ERROR_INVALID);
	begin();
	fake.unsupported = 1u << VPMU_HARDWARE_BUS_CYCLES;
	fake.meter_error = VPMU_ERROR_DENIED;
	for (uint32_t i = 0; i < 64; i++)
		infos[i].size = sizeof(info);
	count = vpmu_monitor_list(monitor, infos, 64);
	CHECK_EQ(count, 29);
	for (int i = 0; i < count; i++) {
		int expected = strcmp(infos[i].name, "bus-cycles") ? 0 : VPMU_ERROR_UNSUPPORTED;

		if (infos[i].event.meter != VPMU_MONITOR_SOURCE)
			expected = VPMU_ERROR_DENIED;
		CHECK_EQ(infos[i].error, expected);
		CHECK_EQ(infos[i].reason[0] == 0, expected == 0);
	}
	CHECK_EQ(fake.events, 0);
	infos[0].size = 1;
	CHECK_EQ(vpmu_monitor_list(monitor, infos, 1), VPMU_ERROR_INVALID);
	end();
}

static void sizes_are_checked(void)
{
	struct {
		struct vpmu_monitor_config known;
		uint64_t tail;
	} wide;
	struct vpmu_source_ops source;
	struct vpmu_monitor *made = NULL;

	memset(&wide, 0, sizeof(wide));
	memset(&fake, 0, sizeof(fake));
	fake_config(&fake, &wide.known);
	wide.known.size = sizeof(wide);
	wide.tail = 1;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), VPMU_ERROR_TOO_BIG);
	wide.tail = 0;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), 0);
	CHECK_EQ(vpmu_monitor_destroy(made), 0);
	wide.known.size = 8;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), VPMU_ERROR_INVALID);
	wide.known.size = sizeof(wide.known);
	wide.known.release = NULL;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), VPMU_ERROR_INVALID);
	fake_config(&fake, &wide.known);
	source = *wide.known.source;
	source.read = NULL;
	wide.known.source = &source;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_create(NULL, &made), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_monitor_destroy(NULL), 0);
	vpmu_monitor_vm_remove(NULL);
	/* Without an allocator of the caller's there is malloc(). */
	fake_config(&fake, &wide.known);
	wide.known.allocate = NULL;
	wide.known.release = NULL;
	CHECK_EQ(vpmu_monitor_create(&wide.known, &made), 0);
	CHECK_EQ(vpmu_monitor_destroy(made), 0);
}

const struct test_case test_cases[] = {
	{ "monitor-off", "off costs nothing", off_costs_nothing },
	{ "monitor-set", "a set is changed as a whole", a_set_is_changed_as_a_whole },
	{ "monitor-set", "wrong sets are refused", wrong_sets_are_refused },
	{ "monitor-set", "a set has its limit", a_set_has_its_limit },
	{ "monitor-scope", "scopes are asked for", scopes_are_asked_for },
	{ "monitor-set", "large sets are split", large_sets_are_split },
	{ "monitor-limit", "the descriptor limit is seen before",
	  the_descriptor_limit_is_seen_before },
	{ "monitor-names", "names are known", names_are_known },
	{ "monitor-create", "sizes are checked", sizes_are_checked },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
