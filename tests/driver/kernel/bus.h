/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* What transport_pci.c takes from the kernel, on a machine of a few CPUs: its calls are the test's.
 */
#ifndef VPMU_TEST_BUS_H
#define VPMU_TEST_BUS_H

#include "kernel.h"

#define CPUS 4u

typedef uint16_t u16;
typedef int irqreturn_t;
enum { IRQ_NONE, IRQ_HANDLED };
enum { IRQF_NOBALANCING = 1, PCI_IRQ_MSIX = 4, MEMREMAP_WB = 1 };

struct device {
	int number;
};
struct pci_dev {
	struct device dev;
};
struct pci_device_id {
	unsigned int vendor, device;
};
struct pci_driver {
	const char *name;
	const struct pci_device_id *id_table;
	int (*probe)(struct pci_dev *device, const struct pci_device_id *id);
	void (*remove)(struct pci_dev *device);
};
#define PCI_DEVICE(of, is) .vendor = (of), .device = (is)
#define MODULE_DEVICE_TABLE(bus, ids) extern int kernel_no_table_##bus

#define per_cpu(name, cpu) (name##_of[cpu])
#define for_each_online_cpu(cpu) for ((cpu) = 0; (cpu) < CPUS; (cpu)++)
#define cpumask_of(cpu) (&kernel_cpu_numbers[cpu])
#define smp_processor_id() kernel_cpu
extern unsigned int kernel_cpu;
extern const unsigned int kernel_cpu_numbers[CPUS];
extern u32 x86_cpu_to_apicid_of[CPUS];
extern struct vpmu_cpu *vpmu_cpus_of[CPUS];

#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define clamp_t(type, value, least, most) \
	((type)(value) < (type)(least) ? (type)(least) : min_t(type, value, most))
#define wmb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
void writel(uint32_t value, void *to);
void udelay(unsigned int us);

#define dev_info(device, ...) ((void)(device), kernel_say(__VA_ARGS__))
void kernel_say(const char *format, ...);
int pcim_enable_device(struct pci_dev *device);
void pci_set_master(struct pci_dev *device);
uint64_t pci_resource_len(struct pci_dev *device, int bar);
uint64_t pci_resource_start(struct pci_dev *device, int bar);
void *pci_iomap(struct pci_dev *device, int bar, unsigned long most);
void pci_iounmap(struct pci_dev *device, void *at);
void *memremap(uint64_t address, uint64_t size, int flags);
void memunmap(void *at);
int pci_alloc_irq_vectors(struct pci_dev *device, int least, int most, int flags);
void pci_free_irq_vectors(struct pci_dev *device);
int pci_irq_vector(struct pci_dev *device, unsigned int entry);
int request_irq(int irq, irqreturn_t (*handler)(int irq, void *opaque), int flags, const char *name,
		void *opaque);
void free_irq(int irq, void *opaque);
void irq_set_affinity_and_hint(int irq, const unsigned int *mask);
int smp_call_function_single_async(unsigned int cpu, call_single_data_t *call);
int pci_register_driver(struct pci_driver *driver);
void pci_unregister_driver(struct pci_driver *driver);

#endif
