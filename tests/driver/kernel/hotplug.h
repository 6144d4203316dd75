/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* What main.c of the Linux driver takes from the kernel, on a machine whose CPUs come and go: its
 * calls are the test's. Included before anything that is declared for each CPU. */
#ifndef VPMU_TEST_HOTPLUG_H
#define VPMU_TEST_HOTPLUG_H

#define CPUS 3u

extern unsigned int kernel_cpu;
#define DECLARE_PER_CPU(type, name) extern type name[CPUS]
#define DEFINE_PER_CPU(type, name) type name[CPUS]
#define per_cpu(name, cpu) (name)[cpu]
#define this_cpu_read(name) (name)[kernel_cpu]
#define smp_processor_id() kernel_cpu
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < CPUS; (cpu)++)
#define for_each_online_cpu(cpu)               \
	for ((cpu) = 0; (cpu) < CPUS; (cpu)++) \
		if (kernel_online[cpu])

#include "kernel.h"

extern bool kernel_online[CPUS];

#define WRITE_ONCE(object, value) (*(volatile __typeof__(object) *)&(object) = (value))
#define cmpxchg(at, old, value) __sync_val_compare_and_swap(at, old, value)

enum cpuhp_state { CPUHP_AP_ONLINE_DYN = 100 };
typedef int (*cpuhp_call)(unsigned int cpu);
extern bool cpuhp_tasks_frozen;
int cpuhp_setup_state(enum cpuhp_state state, const char *name, cpuhp_call online,
		      cpuhp_call offline);
void cpuhp_remove_state(enum cpuhp_state state);
void on_each_cpu(void (*call)(void *opaque), void *opaque, int wait);

struct notifier_block {
	int (*notifier_call)(struct notifier_block *block, unsigned long event, void *opaque);
};
struct atomic_notifier_head {
	struct notifier_block *block;
};
enum { NOTIFY_DONE };
enum {
	PM_HIBERNATION_PREPARE = 1,
	PM_POST_HIBERNATION,
	PM_SUSPEND_PREPARE,
	PM_POST_SUSPEND,
	PM_RESTORE_PREPARE,
	PM_POST_RESTORE
};
extern struct atomic_notifier_head panic_notifier_list;
int register_reboot_notifier(struct notifier_block *block);
int unregister_reboot_notifier(struct notifier_block *block);
int register_pm_notifier(struct notifier_block *block);
int unregister_pm_notifier(struct notifier_block *block);
int atomic_notifier_chain_register(struct atomic_notifier_head *list, struct notifier_block *block);
int atomic_notifier_chain_unregister(struct atomic_notifier_head *list,
				     struct notifier_block *block);

void init_irq_work(struct irq_work *work, void (*call)(struct irq_work *work));
void irq_work_sync(struct irq_work *work);
void kernel_init_call(const call_single_data_t *data, void (*call)(void *opaque), void *opaque);
#define INIT_CSD kernel_init_call

#define __init
#define __exit
#define module_init(call) int (*const kernel_module_init)(void) = (call)
#define module_exit(call) void (*const kernel_module_exit)(void) = (call)
extern int (*const kernel_module_init)(void);
extern void (*const kernel_module_exit)(void);
#define module_param_named(name, value, type, mode) extern int kernel_no_mode_##name
#define MODULE_DESCRIPTION(text) extern int kernel_no_description
#define MODULE_AUTHOR(text) extern int kernel_no_author
#define MODULE_LICENSE(text) extern int kernel_no_license

#endif
