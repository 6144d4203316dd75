// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// SPDX-FileCopyrightText: 2026 libvpmu contributors
/* The module: its CPUs come and go, and before the machine is handed on every device is reset. */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/module.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "vpmu.h"

unsigned int vpmu_timeout_ms = 2000;
module_param_named(timeout_ms, vpmu_timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms, "How long a mailbox's answer is waited for");

DEFINE_PER_CPU(struct vpmu_cpu *, vpmu_cpus);

static const struct vpmu_transport *transport_in_use;
static enum cpuhp_state hotplug_state;

const struct vpmu_transport *vpmu_transport(void)
{
	return READ_ONCE(transport_in_use);
}

static void work(struct irq_work *work)
{
	vpmu_sample_interrupt(container_of(work, struct vpmu_cpu, work));
}

static void called(void *opaque)
{
	vpmu_sample_interrupt(opaque);
}

/* One without a device counts nothing, and the others do. */
static void start_this_cpu(struct vpmu_cpu *cpu)
{
	unsigned long flags;
	int error;

	local_irq_save(flags);
	error = vpmu_cpu_start(cpu);
	local_irq_restore(flags);
	if (error)
		pr_warn("vpmu: CPU %d has no device (%d)\n", smp_processor_id(), error);
}

static void stop_here(void *opaque)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();
	unsigned long flags;

	local_irq_save(flags);
	if (cpu)
		vpmu_cpu_stop(cpu);
	local_irq_restore(flags);
}

static void start_here(void *opaque)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();

	if (cpu && !cpu->ready)
		start_this_cpu(cpu);
}

/* On the CPU. */
static int online(unsigned int number)
{
	struct vpmu_cpu *cpu = per_cpu(vpmu_cpus, number);

	if (!cpu) {
		cpu = vpmu_cpu_make(number);
		if (!cpu)
			return -ENOMEM;
		init_irq_work(&cpu->work, work);
		INIT_CSD(&cpu->call, called, cpu);
		per_cpu(vpmu_cpus, number) = cpu;
	}
	/* Of a machine that wakes, the CPUs come back before the device. */
	if (!cpuhp_tasks_frozen)
		start_this_cpu(cpu);
	return 0;
}

static int offline(unsigned int number)
{
	stop_here(NULL);
	return 0;
}

/* ---- the machine is about to be handed on ---------------------------------------------------- */

static int before_reboot(struct notifier_block *block, unsigned long event, void *opaque)
{
	on_each_cpu(stop_here, NULL, 1);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_block = { .notifier_call = before_reboot };

/* The other CPUs are stopped already, so this one speaks for all. */
static int at_panic(struct notifier_block *block, unsigned long event, void *opaque)
{
	struct vpmu_cpu *cpu = vpmu_this_cpu();

	if (cpu && cpu->ready) {
		cpu->ready = false;
		vpmu_guest_reset(&cpu->guest, VPMU_CONTEXT_NMI, VPMU_RESET_ALL);
	}
	return NOTIFY_DONE;
}

static struct notifier_block panic_block = { .notifier_call = at_panic };

static int around_suspend(struct notifier_block *block, unsigned long event, void *opaque)
{
	if (event == PM_SUSPEND_PREPARE || event == PM_HIBERNATION_PREPARE)
		on_each_cpu(stop_here, NULL, 1);
	if (event == PM_POST_SUSPEND || event == PM_POST_HIBERNATION || event == PM_POST_RESTORE)
		on_each_cpu(start_here, NULL, 1);
	return NOTIFY_DONE;
}

static struct notifier_block suspend_block = { .notifier_call = around_suspend };

/* ---- begin and end --------------------------------------------------------------------------- */

static void nothing(void *opaque)
{
}

static void free_cpus(void)
{
	unsigned int number;

	/* Behind this, no call that another CPU asked for is under way. */
	on_each_cpu(nothing, NULL, 1);
	for_each_possible_cpu(number) {
		struct vpmu_cpu *cpu = per_cpu(vpmu_cpus, number);

		if (!cpu)
			continue;
		irq_work_sync(&cpu->work);
		per_cpu(vpmu_cpus, number) = NULL;
		vpmu_cpu_free(cpu);
	}
}

static bool any_ready(void)
{
	unsigned int number;

	for_each_online_cpu(number)
		if (per_cpu(vpmu_cpus, number) && per_cpu(vpmu_cpus, number)->ready)
			return true;
	return false;
}

int vpmu_begin(const struct vpmu_transport *transport)
{
	int state, error = -ENODEV;

	if (cmpxchg(&transport_in_use, NULL, transport))
		return -EBUSY;
	state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "perf/vpmu:online", online, offline);
	if (state < 0) {
		error = state;
		goto free;
	}
	hotplug_state = state;
	if (any_ready())
		error = vpmu_pmu_register();
	if (error)
		goto remove;
	register_reboot_notifier(&reboot_block);
	register_pm_notifier(&suspend_block);
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
	pr_info("vpmu: by %s%s\n", transport->name,
		vpmu_sample_possible() ? ", with sampling" : ", without sampling");
	return 0;
remove:
	cpuhp_remove_state(hotplug_state);
free:
	free_cpus();
	WRITE_ONCE(transport_in_use, NULL);
	return error;
}

void vpmu_end(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_block);
	unregister_pm_notifier(&suspend_block);
	unregister_reboot_notifier(&reboot_block);
	vpmu_pmu_unregister();
	cpuhp_remove_state(hotplug_state);
	free_cpus();
	WRITE_ONCE(transport_in_use, NULL);
}

static int __init vpmu_init(void)
{
	int error = vpmu_sample_begin();

	if (!error)
		error = vpmu_window_register();
	if (error)
		return error;
	error = vpmu_pci_register();
	if (error)
		vpmu_window_unregister();
	return error;
}

static void __exit vpmu_exit(void)
{
	vpmu_pci_unregister();
	vpmu_window_unregister();
}

module_init(vpmu_init);
module_exit(vpmu_exit);

MODULE_DESCRIPTION("Paravirtual PMU of libvpmu");
MODULE_AUTHOR("libvpmu contributors");
MODULE_LICENSE("Dual BSD/GPL");
