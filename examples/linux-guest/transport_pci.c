// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// SPDX-FileCopyrightText: 2026 libvpmu contributors
/* The mailbox in a PCI device (abi/SPEC.md section 14.1). */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/smp.h>

#include "vpmu.h"

static struct {
	struct pci_dev *device;
	void __iomem *registers;
	void *region;
	u64 size;
	unsigned int vectors; /* interrupts that were requested */
} pci;

static u64 word_at(u64 offset)
{
	return READ_ONCE(*(u64 *)(pci.region + offset));
}

static u64 header_word(size_t offset)
{
	return word_at(VPMU_PCI_HEADER_AT + offset);
}

static unsigned int doorbell_vectors(void)
{
	u64 vectors = header_word(offsetof(struct vpmu_pci_header, vectors));

	return clamp_t(u64, vectors, 1, VPMU_PCI_MAX_VECTORS);
}

/* The number by which the machine knows a CPU. */
static u32 hardware_id(unsigned int cpu)
{
#if defined(CONFIG_X86)
	return per_cpu(x86_cpu_to_apicid, cpu);
#elif defined(CONFIG_RISCV)
	return cpuid_to_hartid_map(cpu);
#elif defined(CONFIG_LOONGARCH)
	return cpu_logical_map(cpu);
#else
	return cpu;
#endif
}

static int block_of(unsigned int cpu)
{
	u64 blocks = word_at(offsetof(struct vpmu_mailbox_header, vcpus));
	u64 wanted = VPMU_PCI_VCPU_PRESENT | hardware_id(cpu);
	u64 block;

	blocks = min_t(u64, blocks, VPMU_PCI_MAX_VCPUS);
	for (block = 0; block < blocks; block++)
		if (word_at(VPMU_PCI_TABLE_AT + 8 * block) == wanted)
			return block;
	return -ENODEV;
}

static void ring(void *opaque)
{
	const struct vpmu_cpu *cpu = opaque;
	u64 peer = header_word(offsetof(struct vpmu_pci_header, peer));
	u64 block = ((void *)cpu->mailbox.block - pci.region) / VPMU_GUEST_MAILBOX_BLOCK - 1;

	/* The request is in memory before the doorbell. */
	wmb();
	writel((u16)peer << 16 | (u16)(block % doorbell_vectors()),
	       pci.registers + VPMU_PCI_DOORBELL);
}

static void wait_a_little(void *opaque)
{
	udelay(1);
}

static int pci_begin(struct vpmu_cpu *cpu, const struct vpmu_guest_way **way, void **opaque,
		     u32 *registers, const void **page)
{
	int block = block_of(smp_processor_id());
	int error;

	if (block < 0)
		return VPMU_GUEST_NO_DEVICE;
	cpu->mailbox.doorbell = ring;
	cpu->mailbox.relax = wait_a_little;
	cpu->mailbox.opaque = cpu;
	cpu->mailbox.tries = 1000 * vpmu_timeout_ms;
	error = vpmu_guest_mailbox_prepare(&cpu->mailbox, pci.region, pci.size, block);
	if (error)
		return error;
	*way = vpmu_guest_way_mailbox();
	*opaque = &cpu->mailbox;
	*registers = VPMU_REGISTERS;
	*page = cpu->mailbox.block;
	return 0;
}

static u64 pci_attendance(void)
{
	return header_word(offsetof(struct vpmu_pci_header, attendance));
}

static bool pci_present(void)
{
	return block_of(smp_processor_id()) >= 0;
}

/* The entry is routed by its interrupt; the vector has no meaning. */
static void pci_pmi(u32 *mode, u32 *vector)
{
	if (!pci.vectors)
		return;
	*mode = VPMU_PMI_VECTOR;
	*vector = 255;
}

static const struct vpmu_transport pci_transport = {
	.name = "mailbox",
	.begin = pci_begin,
	.attendance = pci_attendance,
	.present = pci_present,
	.pmi = pci_pmi,
};

/* An entry may be shared, and may arrive at another CPU than the one whose device it is of. */
static irqreturn_t handle(int irq, void *opaque)
{
	unsigned int entry = (unsigned long)opaque;
	unsigned int number, vectors = doorbell_vectors();

	for_each_online_cpu(number) {
		struct vpmu_cpu *cpu = per_cpu(vpmu_cpus, number);
		u64 block;

		if (!cpu || !cpu->ready)
			continue;
		block = ((void *)cpu->mailbox.block - pci.region) / VPMU_GUEST_MAILBOX_BLOCK - 1;
		if (block % vectors != entry)
			continue;
		if (number == smp_processor_id())
			vpmu_sample_interrupt(cpu);
#ifdef CONFIG_SMP
		else
			smp_call_function_single_async(number, &cpu->call);
#endif
	}
	return IRQ_HANDLED;
}

static void free_vectors(void)
{
	while (pci.vectors) {
		int irq = pci_irq_vector(pci.device, --pci.vectors);

		irq_set_affinity_and_hint(irq, NULL);
		free_irq(irq, (void *)(unsigned long)pci.vectors);
	}
	pci_free_irq_vectors(pci.device);
}

/* Each entry goes to the CPU of the first block that has it. */
static void route(int irq, unsigned int entry)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		int block = block_of(cpu);

		if (block >= 0 && block % doorbell_vectors() == entry) {
			irq_set_affinity_and_hint(irq, cpumask_of(cpu));
			return;
		}
	}
}

static void request_vectors(struct pci_dev *device)
{
	int wanted = doorbell_vectors();
	int got = pci_alloc_irq_vectors(device, wanted, wanted, PCI_IRQ_MSIX);
	unsigned int entry;

	if (got < 0) {
		dev_info(&device->dev, "no interrupts (%d), so no sampling\n", got);
		return;
	}
	for (entry = 0; entry < got; entry++) {
		int irq = pci_irq_vector(device, entry);
		int error = request_irq(irq, handle, IRQF_NOBALANCING, "vpmu",
					(void *)(unsigned long)entry);

		if (error) {
			free_vectors();
			return;
		}
		pci.vectors = entry + 1;
		route(irq, entry);
	}
}

/* Others use such devices for other things. */
static int check_region(void)
{
	u64 vcpus;

	if (pci.size < 2 * VPMU_GUEST_MAILBOX_BLOCK ||
	    word_at(offsetof(struct vpmu_mailbox_header, magic)) != VPMU_MAGIC)
		return -ENODEV;
	vcpus = word_at(offsetof(struct vpmu_mailbox_header, vcpus));
	if (word_at(offsetof(struct vpmu_mailbox_header, block_size)) != VPMU_GUEST_MAILBOX_BLOCK ||
	    vcpus > pci.size / VPMU_GUEST_MAILBOX_BLOCK - 1)
		return -ENODEV;
	return 0;
}

static int map(struct pci_dev *device)
{
	pci.size = pci_resource_len(device, 2);
	pci.registers = pci_iomap(device, 0, 0);
	pci.region = memremap(pci_resource_start(device, 2), pci.size, MEMREMAP_WB);
	if (!pci.registers || !pci.region)
		return -ENOMEM;
	return check_region();
}

static void unmap(struct pci_dev *device)
{
	if (pci.region)
		memunmap(pci.region);
	if (pci.registers)
		pci_iounmap(device, pci.registers);
	pci.region = NULL;
	pci.registers = NULL;
	pci.device = NULL;
}

static int vpmu_pci_probe(struct pci_dev *device, const struct pci_device_id *id)
{
	int error;

	if (pci.device)
		return -EBUSY;
	error = pcim_enable_device(device);
	if (error)
		return error;
	pci.device = device;
	error = map(device);
	if (error)
		goto unmap;
	pci_set_master(device);
	if (vpmu_sample_possible())
		request_vectors(device);
	error = vpmu_begin(&pci_transport);
	if (!error)
		return 0;
	if (pci.vectors)
		free_vectors();
unmap:
	unmap(device);
	return error;
}

static void vpmu_pci_remove(struct pci_dev *device)
{
	vpmu_end();
	if (pci.vectors)
		free_vectors();
	unmap(device);
}

static const struct pci_device_id ids[] = { { PCI_DEVICE(VPMU_PCI_VENDOR, VPMU_PCI_DEVICE) }, {} };
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver driver = {
	.name = "vpmu",
	.id_table = ids,
	.probe = vpmu_pci_probe,
	.remove = vpmu_pci_remove,
};

int vpmu_pci_register(void)
{
	return pci_register_driver(&driver);
}

void vpmu_pci_unregister(void)
{
	pci_unregister_driver(&driver);
}
