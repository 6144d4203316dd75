/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The life of the Linux driver on a machine whose CPUs come and go: each is begun with and given
 * back on itself, and what fails leaves nothing behind.
 */
#include <linux/cpu.h>

#include <stdlib.h>
#include <string.h>

#include "runner/runner.h"
#include "vpmu.h"

enum call { MAKE, START, SET_UP, REGISTER, SAMPLE, WINDOW, PCI, CALLS };

static struct machine {
	unsigned int fails[CALLS]; /* which of these calls fails, from 1 */
	unsigned int calls[CALLS];
	unsigned int made; /* and not freed */
	bool on[CPUS];	   /* what its device is */
	uint32_t reset_context[CPUS];
	uint64_t reset[CPUS];
	unsigned int warnings;
	cpuhp_call online, offline;
	struct notifier_block *reboot, *suspend;
	bool pmu, window, pci;
	void (*work)(struct irq_work *work);
	void (*called)(void *opaque);
	void *opaque[CPUS];
	struct vpmu_cpu *sampled;
} machine;

static const struct vpmu_transport transport = { .name = "test" };
static const struct vpmu_transport other = { .name = "another" };

static bool fails(enum call call)
{
	return ++machine.calls[call] == machine.fails[call];
}

/* ---- the kernel ------------------------------------------------------------------------------ */

unsigned int kernel_cpu;
bool kernel_online[CPUS];
bool cpuhp_tasks_frozen;
struct atomic_notifier_head panic_notifier_list;

void kernel_say(const char *format, ...)
{
	machine.warnings += strstr(format, "no device") != NULL;
}

void on_each_cpu(void (*call)(void *opaque), void *opaque, int wait)
{
	unsigned int here = kernel_cpu;

	CHECK(wait);
	for_each_online_cpu(kernel_cpu) call(opaque);
	kernel_cpu = here;
}

static int on_cpu(unsigned int cpu, cpuhp_call call)
{
	unsigned int here = kernel_cpu;
	int error;

	kernel_cpu = cpu;
	error = call(cpu);
	kernel_cpu = here;
	return error;
}

/* As the kernel: where a CPU refuses, those before it are brought back. */
int cpuhp_setup_state(enum cpuhp_state state, const char *name, cpuhp_call online,
		      cpuhp_call offline)
{
	unsigned int cpu;
	int error = 0;

	CHECK(state == CPUHP_AP_ONLINE_DYN && name && !machine.online);
	if (fails(SET_UP))
		return -ENOSPC;
	for (cpu = 0; cpu < CPUS && !error; cpu++)
		error = kernel_online[cpu] ? on_cpu(cpu, online) : 0;
	if (!error) {
		machine.online = online;
		machine.offline = offline;
		return CPUHP_AP_ONLINE_DYN + 1;
	}
	while (--cpu > 0)
		if (kernel_online[cpu - 1])
			CHECK_EQ(on_cpu(cpu - 1, offline), 0);
	return error;
}

void cpuhp_remove_state(enum cpuhp_state state)
{
	unsigned int cpu;

	CHECK(state == CPUHP_AP_ONLINE_DYN + 1 && machine.offline);
	for_each_online_cpu(cpu) CHECK_EQ(on_cpu(cpu, machine.offline), 0);
	machine.online = machine.offline = NULL;
}

static int chain(struct notifier_block **place, struct notifier_block *block,
		 struct notifier_block *before)
{
	CHECK(*place == before);
	*place = block;
	return 0;
}

int register_reboot_notifier(struct notifier_block *block)
{
	return chain(&machine.reboot, block, NULL);
}

int unregister_reboot_notifier(struct notifier_block *block)
{
	return chain(&machine.reboot, NULL, block);
}

int register_pm_notifier(struct notifier_block *block)
{
	return chain(&machine.suspend, block, NULL);
}

int unregister_pm_notifier(struct notifier_block *block)
{
	return chain(&machine.suspend, NULL, block);
}

int atomic_notifier_chain_register(struct atomic_notifier_head *list, struct notifier_block *block)
{
	return chain(&list->block, block, NULL);
}

int atomic_notifier_chain_unregister(struct atomic_notifier_head *list,
				     struct notifier_block *block)
{
	return chain(&list->block, NULL, block);
}

static void notify(struct notifier_block *block, unsigned long event)
{
	CHECK_EQ(block->notifier_call(block, event, NULL), NOTIFY_DONE);
}

void init_irq_work(struct irq_work *work, void (*call)(struct irq_work *work))
{
	work->queued = 1;
	machine.work = call;
}

void irq_work_sync(struct irq_work *work)
{
	work->queued = 0;
}

void kernel_init_call(const call_single_data_t *data, void (*call)(void *opaque), void *opaque)
{
	CHECK(data == &((struct vpmu_cpu *)opaque)->call);
	machine.called = call;
	machine.opaque[kernel_cpu] = opaque;
}

static void go_offline(unsigned int cpu)
{
	CHECK_EQ(on_cpu(cpu, machine.offline), 0);
	kernel_online[cpu] = false;
}

static void go_online(unsigned int cpu)
{
	kernel_online[cpu] = true;
	CHECK_EQ(on_cpu(cpu, machine.online), 0);
}

/* ---- the rest of the driver ------------------------------------------------------------------ */

struct vpmu_cpu *vpmu_cpu_make(unsigned int number)
{
	struct vpmu_cpu *cpu = fails(MAKE) ? NULL : calloc(1, sizeof(*cpu));

	CHECK_EQ(number, kernel_cpu);
	machine.made += cpu != NULL;
	return cpu;
}

/* Nothing that was asked of it may still come, and no CPU may find it. */
void vpmu_cpu_free(struct vpmu_cpu *cpu)
{
	for (unsigned int number = 0; number < CPUS; number++)
		CHECK(vpmu_cpus[number] != cpu);
	CHECK(!cpu->work.queued && !cpu->ready);
	machine.made--;
	free(cpu);
}

int vpmu_cpu_start(struct vpmu_cpu *cpu)
{
	CHECK(cpu == vpmu_cpus[kernel_cpu] && !cpu->ready && !machine.on[kernel_cpu]);
	if (fails(START))
		return VPMU_GUEST_NO_DEVICE;
	cpu->ready = machine.on[kernel_cpu] = true;
	return 0;
}

void vpmu_cpu_stop(struct vpmu_cpu *cpu)
{
	CHECK(cpu == vpmu_cpus[kernel_cpu]);
	cpu->ready = machine.on[kernel_cpu] = false;
}

int vpmu_guest_reset(struct vpmu_guest *guest, uint32_t context, uint64_t key)
{
	CHECK(guest == &vpmu_cpus[kernel_cpu]->guest);
	machine.reset_context[kernel_cpu] = context;
	machine.reset[kernel_cpu] = key;
	return 0;
}

int vpmu_pmu_register(void)
{
	CHECK(!machine.pmu);
	machine.pmu = !fails(REGISTER);
	return machine.pmu ? 0 : -ENOMEM;
}

/* perf lets go of every event first, on CPUs that still have a device. */
void vpmu_pmu_unregister(void)
{
	CHECK(machine.pmu && machine.online);
	machine.pmu = false;
}

int vpmu_sample_begin(void)
{
	return fails(SAMPLE) ? -EINVAL : 0;
}

bool vpmu_sample_possible(void)
{
	return true;
}

void vpmu_sample_interrupt(struct vpmu_cpu *cpu)
{
	machine.sampled = cpu;
}

int vpmu_window_register(void)
{
	machine.window = !fails(WINDOW);
	return machine.window ? 0 : -EBUSY;
}

void vpmu_window_unregister(void)
{
	CHECK(machine.window);
	machine.window = false;
}

int vpmu_pci_register(void)
{
	machine.pci = !fails(PCI);
	return machine.pci ? 0 : -EBUSY;
}

void vpmu_pci_unregister(void)
{
	CHECK(machine.pci);
	machine.pci = false;
}

/* ---- the cases ------------------------------------------------------------------------------- */

/* CPUs 0 and 1 are there. */
static void power_on(void)
{
	memset(&machine, 0, sizeof(machine));
	kernel_cpu = 0;
	cpuhp_tasks_frozen = false;
	kernel_online[0] = kernel_online[1] = true;
	kernel_online[2] = false;
}

static unsigned int devices_on(void)
{
	return machine.on[0] + 2u * machine.on[1] + 4u * machine.on[2];
}

static void check_nothing_left(void)
{
	CHECK_EQ(machine.made, 0);
	CHECK_EQ(devices_on(), 0);
	CHECK(!machine.pmu && !machine.online && !machine.reboot && !machine.suspend);
	CHECK(!panic_notifier_list.block && !vpmu_transport());
}

static void begin(void)
{
	power_on();
	CHECK_EQ(vpmu_begin(&transport), 0);
	CHECK(vpmu_transport() == &transport && machine.pmu);
	CHECK_EQ(devices_on(), 3);
}

static void end(void)
{
	vpmu_end();
	check_nothing_left();
}

static void one_device_is_used_at_a_time(void)
{
	begin();
	CHECK_EQ(vpmu_begin(&other), -EBUSY);
	CHECK(vpmu_transport() == &transport);
	CHECK_EQ(devices_on(), 3);
	end();
	CHECK_EQ(vpmu_begin(&other), 0);
	end();
}

/* A CPU without a device counts nothing and is told of; the others count. */
static void what_fails_leaves_nothing_behind(void)
{
	static const struct {
		enum call call;
		unsigned int times;
		int error;
	} failures[] = {
		{ SET_UP, 1, -ENOSPC },	  { MAKE, 1, -ENOMEM }, { MAKE, 2, -ENOMEM },
		{ REGISTER, 1, -ENOMEM }, { START, 1, 0 },	{ START, 2, 0 },
	};

	for (unsigned int i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		power_on();
		machine.fails[failures[i].call] = failures[i].times;
		CHECK_EQ(vpmu_begin(&transport), failures[i].error);
		CHECK_EQ(machine.calls[failures[i].call] >= failures[i].times, 1);
		if (!failures[i].error) {
			CHECK_EQ(machine.warnings, 1);
			CHECK_EQ(devices_on(), 3u & ~(1u << (failures[i].times - 1)));
			vpmu_end();
		}
		check_nothing_left();
		/* And it can be tried again. */
		begin();
		end();
	}
}

static void without_any_device_there_is_no_pmu(void)
{
	power_on();
	kernel_online[1] = false;
	machine.fails[START] = 1;
	CHECK_EQ(vpmu_begin(&transport), -ENODEV);
	CHECK_EQ(machine.calls[REGISTER], 0);
	check_nothing_left();
}

static void cpus_come_and_go(void)
{
	struct vpmu_cpu *first;

	begin();
	go_online(2);
	CHECK_EQ(devices_on(), 7);
	first = vpmu_cpus[1];
	go_offline(1);
	CHECK_EQ(devices_on(), 5);
	/* Its memory waits for it. */
	go_online(1);
	CHECK(devices_on() == 7 && vpmu_cpus[1] == first);
	CHECK_EQ(machine.made, 3);
	go_offline(2);
	end();
}

static void a_cpu_that_has_no_memory_does_not_come(void)
{
	begin();
	machine.fails[MAKE] = 3;
	kernel_cpu = 2;
	CHECK_EQ(machine.online(2), -ENOMEM);
	kernel_cpu = 0;
	/* None of its own: nothing is done there. */
	kernel_online[2] = true;
	notify(machine.suspend, PM_POST_SUSPEND);
	notify(machine.reboot, 0);
	kernel_online[2] = false;
	CHECK_EQ(devices_on(), 0);
	end();
}

static void before_a_reboot_every_device_is_given_back(void)
{
	begin();
	go_online(2);
	notify(machine.reboot, 0);
	CHECK_EQ(devices_on(), 0);
	end();
}

/* The others are stopped and can do nothing; and a second panic has nothing to reset. */
static void at_a_panic_one_cpu_resets_all(void)
{
	begin();
	kernel_cpu = 1;
	notify(panic_notifier_list.block, 0);
	CHECK_EQ(machine.reset[1], VPMU_RESET_ALL);
	CHECK_EQ(machine.reset_context[1], VPMU_CONTEXT_NMI);
	CHECK(machine.reset[0] == 0 && !vpmu_cpus[1]->ready);
	machine.reset[1] = 0;
	notify(panic_notifier_list.block, 0);
	CHECK_EQ(machine.reset[1], 0);
	kernel_cpu = 0;
	end();
}

/* The other CPUs come back before the device does, so that none is asked then. */
static void a_machine_sleeps_and_wakes(void)
{
	static const unsigned long ways[][2] = {
		{ PM_SUSPEND_PREPARE, PM_POST_SUSPEND },
		{ PM_HIBERNATION_PREPARE, PM_POST_HIBERNATION },
		{ PM_HIBERNATION_PREPARE, PM_POST_RESTORE },
	};

	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		begin();
		notify(machine.suspend, ways[i][0]);
		CHECK_EQ(devices_on(), 0);
		cpuhp_tasks_frozen = true;
		go_offline(1);
		go_online(1);
		CHECK_EQ(devices_on(), 0);
		cpuhp_tasks_frozen = false;
		notify(machine.suspend, ways[i][1]);
		CHECK_EQ(devices_on(), 3);
		/* Told twice, nothing is begun anew. */
		notify(machine.suspend, ways[i][1]);
		CHECK_EQ(devices_on(), 3);
		end();
	}
}

static void a_cpu_that_wakes_without_its_device_is_told_of(void)
{
	begin();
	notify(machine.suspend, PM_SUSPEND_PREPARE);
	machine.fails[START] = machine.calls[START] + 2;
	notify(machine.suspend, PM_POST_SUSPEND);
	CHECK_EQ(devices_on(), 1);
	CHECK_EQ(machine.warnings, 1);
	end();
}

static void an_interrupt_is_its_cpus(void)
{
	begin();
	machine.work(&vpmu_cpus[1]->work);
	CHECK(machine.sampled == vpmu_cpus[1]);
	machine.called(machine.opaque[0]);
	CHECK(machine.sampled == vpmu_cpus[0]);
	end();
}

static void a_module_that_cannot_begin_leaves_nothing(void)
{
	static const enum call calls[] = { SAMPLE, WINDOW, PCI };

	for (unsigned int i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		power_on();
		machine.fails[calls[i]] = 1;
		CHECK(kernel_module_init() < 0);
		CHECK(!machine.window && !machine.pci);
	}
	power_on();
	CHECK_EQ(kernel_module_init(), 0);
	CHECK(machine.window && machine.pci);
	kernel_module_exit();
	CHECK(!machine.window && !machine.pci);
}

const struct test_case test_cases[] = {
	{ "driver", "one_device_is_used_at_a_time", one_device_is_used_at_a_time },
	{ "driver", "what_fails_leaves_nothing_behind", what_fails_leaves_nothing_behind },
	{ "driver", "without_any_device_there_is_no_pmu", without_any_device_there_is_no_pmu },
	{ "driver", "cpus_come_and_go", cpus_come_and_go },
	{ "driver", "a_cpu_that_has_no_memory_does_not_come",
	  a_cpu_that_has_no_memory_does_not_come },
	{ "driver", "before_a_reboot_every_device_is_given_back",
	  before_a_reboot_every_device_is_given_back },
	{ "driver", "at_a_panic_one_cpu_resets_all", at_a_panic_one_cpu_resets_all },
	{ "driver", "a_machine_sleeps_and_wakes", a_machine_sleeps_and_wakes },
	{ "driver", "a_cpu_that_wakes_without_its_device_is_told_of",
	  a_cpu_that_wakes_without_its_device_is_told_of },
	{ "driver", "an_interrupt_is_its_cpus", an_interrupt_is_its_cpus },
	{ "driver", "a_module_that_cannot_begin_leaves_nothing",
	  a_module_that_cannot_begin_leaves_nothing },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
