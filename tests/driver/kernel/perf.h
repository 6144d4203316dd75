/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* What the driver's files beside the transports take from the kernel: perf's structures, as far as
 * a driver of it sees them, and small things. There is one CPU. */
#ifndef VPMU_TEST_PERF_H
#define VPMU_TEST_PERF_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "kernel.h"

#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 12, 0)

typedef int64_t local64_t;
#define local64_read(at) (*(at))
#define local64_set(at, value) (*(at) = (int64_t)(value))
#define local64_add(value, at) (*(at) += (int64_t)(value))

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define NSEC_PER_USEC 1000L
#define hweight64(mask) ((unsigned int)__builtin_popcountll(mask))
#define __ffs64(mask) ((unsigned int)__builtin_ctzll(mask))

void kernel_say(const char *format, ...);
#define pr_err kernel_say
#define pr_info kernel_say
#define pr_warn kernel_say
#define pr_warn_ratelimited kernel_say

/* linux/slab.h and below; addresses are the guest's physical ones as they are. */
#define GFP_KERNEL 0
#define __GFP_ZERO 0
#define PAGE_BYTES 4096u
#define cpu_to_node(cpu) (cpu)
#define kzalloc_node(size, flags, node) calloc(1, size)
#define kfree free
#define __get_free_pages(flags, order) ((unsigned long)kernel_pages(PAGE_BYTES << (order)))
#define get_zeroed_page(flags) ((unsigned long)kernel_pages(PAGE_BYTES))
#define free_pages(at, order) free((void *)(at))
#define free_page(at) free((void *)(at))
#define virt_to_phys(at) ((uint64_t)(uintptr_t)(at))
#ifndef smp_processor_id
#define smp_processor_id() 0
#endif
#ifndef per_cpu
#define per_cpu(name, cpu) (name)
#define for_each_online_cpu(cpu) for ((cpu) = 0; (cpu) < 1; (cpu)++)
#endif
#define raw_cpu_read this_cpu_read
#define THIS_MODULE NULL
void *kernel_pages(size_t bytes);
uint64_t local_clock(void);

/* linux/perf_event.h */
enum { PERF_EVENT_STATE_INACTIVE, PERF_EVENT_STATE_ACTIVE };
enum { PERF_PMU_TXN_ADD = 1, PERF_PMU_TXN_READ = 2 };
enum { PERF_EF_START = 1, PERF_EF_UPDATE = 4 };
enum { PERF_HES_STOPPED = 1, PERF_HES_UPTODATE = 2 };
enum { perf_invalid_context = -1, perf_hw_context, perf_sw_context };
enum { PERF_ATTACH_TASK = 4, PERF_PMU_CAP_NO_INTERRUPT = 1 };

struct perf_event_attr {
	uint32_t type;
	uint64_t config, config1, config2, sample_period;
	int exclude_user, exclude_kernel, exclude_host, exclude_idle;
};

struct hw_perf_event {
	int idx, flags, state;
	unsigned long config_base;
	local64_t prev_count;
	uint64_t sample_period, last_period;
};

struct perf_event_context {
	uint64_t time, timestamp;
};

struct perf_event {
	struct hw_perf_event hw;
	struct perf_event_attr attr;
	struct perf_event *group_leader, *sibling, *parent;
	struct perf_event_context *ctx;
	struct pmu *pmu;
	int cpu, attach_state, state;
	local64_t count;
	uint64_t total_time_running, tstamp;
};

#define for_each_sibling_event(at, leader) \
	for ((at) = (leader)->sibling; (at); (at) = (at)->sibling)
#define is_sampling_event(event) ((event)->attr.sample_period != 0)
#define has_branch_stack(event) ((void)(event), 0)

struct pmu {
	void *module;
	const char *name;
	const struct attribute_group **attr_groups;
	uint32_t type;
	int task_ctx_nr, capabilities;
	int (*event_init)(struct perf_event *event);
	void (*pmu_enable)(struct pmu *pmu);
	void (*pmu_disable)(struct pmu *pmu);
	int (*add)(struct perf_event *event, int flags);
	void (*del)(struct perf_event *event, int flags);
	void (*start)(struct perf_event *event, int flags);
	void (*stop)(struct perf_event *event, int flags);
	void (*read)(struct perf_event *event);
	void (*start_txn)(struct pmu *pmu, unsigned int flags);
	int (*commit_txn)(struct pmu *pmu);
	void (*cancel_txn)(struct pmu *pmu);
	int (*check_period)(struct perf_event *event, uint64_t value);
};

struct perf_sample_data {
	uint64_t address, period;
};
#define perf_sample_data_init(data, at, since) \
	(*(data) = (struct perf_sample_data){ .address = (at), .period = (since) })

/* linux/kprobes.h, asm/irq_regs.h */
struct kprobe {
	const char *symbol_name;
	void *addr;
};
int register_kprobe(struct kprobe *probe);
void unregister_kprobe(struct kprobe *probe);
struct pt_regs *get_irq_regs(void);

/* linux/sysfs.h, linux/device.h */
struct device;
struct attribute {
	const char *name;
	int mode;
};
struct attribute_group {
	const char *name;
	struct attribute **attrs;
};
struct device_attribute {
	struct attribute attr;
	ssize_t (*show)(struct device *device, struct device_attribute *attribute, char *page);
};
#define DEVICE_ATTR_RO(called) \
	struct device_attribute dev_attr_##called = { .attr = { #called, 0444 }, called##_show }
#define PMU_FORMAT_ATTR(called, text) \
	static struct device_attribute format_attr_##called = { .attr = { #called, 0444 } }
#define container_of(at, type, member) ((type *)(void *)((char *)(at)-offsetof(type, member)))
#define sysfs_emit(page, ...) snprintf(page, PAGE_BYTES, __VA_ARGS__)
#define sysfs_emit_at(page, at, ...) snprintf((page) + (at), PAGE_BYTES - (size_t)(at), __VA_ARGS__)

/* What keeps others away; there are none. */
#define local_irq_save(flags) ((flags) = 0)
#define local_irq_restore(flags) ((void)(flags))
#define preempt_disable() ((void)0)
#define preempt_enable() ((void)0)
int smp_call_function_single(int cpu, void (*call)(void *opaque), void *opaque, int wait);

int perf_pmu_register(struct pmu *pmu, const char *name, int type);
void perf_pmu_unregister(struct pmu *pmu);

#endif
