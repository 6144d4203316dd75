/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* What transport_window.c of the Linux driver takes from the kernel, for a test of it in user
 * space: its calls are the test's. */
#ifndef VPMU_TEST_KERNEL_H
#define VPMU_TEST_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef unsigned long long ullong;
typedef int call_single_data_t;

struct attribute_group;
struct perf_event;
struct perf_event_context;
struct pmu;
struct pt_regs;
struct irq_work {
	int queued;
};

#define __force
#define __iomem
#ifndef this_cpu_read
#define DECLARE_PER_CPU(type, name) extern type name
#define this_cpu_read(name) (name)
#endif
#define READ_ONCE(object) (*(const volatile __typeof__(object) *)&(object))

/* The test sets a parameter as the one who loads the module does. */
#define module_param(name, type, mode)       \
	type *kernel_parameter_##name(void); \
	type *kernel_parameter_##name(void)  \
	{                                    \
		return &name;                \
	}                                    \
	extern int kernel_no_mode_##name
#define MODULE_PARM_DESC(name, text) extern int kernel_no_text_##name

enum { NMI_DONE, NMI_HANDLED };
enum { NMI_LOCAL };

typedef int (*nmi_handler)(unsigned int reason, struct pt_regs *regs);

void *ioremap(uint64_t address, size_t size);
void iounmap(void *window);
int register_nmi_handler(unsigned int type, nmi_handler handler, unsigned long flags,
			 const char *name);
void unregister_nmi_handler(unsigned int type, const char *name);
bool irq_work_queue(struct irq_work *work);

#endif
