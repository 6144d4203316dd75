// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// SPDX-FileCopyrightText: 2026 libvpmu contributors
/*
 * Virtual MSRs, the hypercall and the MMIO window: CPUID tells of the first and the last, KVM's
 * feature word of the hypercall; the window's place may also come from a parameter.
 */
#include <linux/io.h>
#include <linux/module.h>

#include "vpmu.h"

static unsigned long long mmio;
module_param(mmio, ullong, 0444);
MODULE_PARM_DESC(mmio, "Physical address of the MMIO window, where CPUID does not tell");

static struct vpmu_guest_place place;
static void __iomem *window;

static int msr_begin(struct vpmu_cpu *cpu, const struct vpmu_guest_way **way, void **opaque,
		     u32 *registers, const void **page)
{
	cpu->msr.base = place.msr_base;
	*way = vpmu_guest_way_msr();
	*opaque = &cpu->msr;
	*registers = place.msr_count;
	return *way ? 0 : VPMU_GUEST_NO_DEVICE;
}

static int call_begin(struct vpmu_cpu *cpu, const struct vpmu_guest_way **way, void **opaque,
		      u32 *registers, const void **page)
{
	*way = vpmu_guest_way_call();
	*opaque = NULL;
	*registers = VPMU_REGISTERS;
	return *way ? 0 : VPMU_GUEST_NO_DEVICE;
}

static int mmio_begin(struct vpmu_cpu *cpu, const struct vpmu_guest_way **way, void **opaque,
		      u32 *registers, const void **page)
{
	cpu->mmio.window = (void __force *)window;
	*way = vpmu_guest_way_mmio();
	*opaque = &cpu->mmio;
	*registers = VPMU_REGISTERS;
	return 0;
}

#ifdef CONFIG_X86

#include <asm/nmi.h>

/* The handler proper runs as soon as interrupts may; the NMI only claims. */
static int handle_nmi(unsigned int reason, struct pt_regs *regs)
{
	struct vpmu_cpu *cpu = this_cpu_read(vpmu_cpus);
	const struct vpmu_area_header *area;

	if (!cpu || !cpu->ready || !cpu->guest.area)
		return NMI_DONE;
	area = cpu->guest.area;
	if ((u32)READ_ONCE(area->pmi_sequence) == cpu->guest.pmi_sequence)
		return NMI_DONE;
	irq_work_queue(&cpu->work);
	return NMI_HANDLED;
}

static void window_pmi(u32 *mode, u32 *vector)
{
	*mode = VPMU_PMI_NMI;
	*vector = 0;
}

static int begin_nmi(void)
{
	return register_nmi_handler(NMI_LOCAL, handle_nmi, 0, "vpmu");
}

static void end_nmi(void)
{
	unregister_nmi_handler(NMI_LOCAL, "vpmu");
}

#else

#define window_pmi NULL

static int begin_nmi(void)
{
	return 0;
}

static void end_nmi(void)
{
}

#endif

static const struct vpmu_transport msr_transport = {
	.name = "msr",
	.begin = msr_begin,
	.pmi = window_pmi,
};

static const struct vpmu_transport call_transport = {
	.name = "call",
	.begin = call_begin,
	.pmi = window_pmi,
};

static const struct vpmu_transport mmio_transport = {
	.name = "mmio",
	.begin = mmio_begin,
	.pmi = window_pmi,
};

static bool registered;

static int begin(const struct vpmu_transport *transport)
{
	int error = begin_nmi();

	if (error)
		return error;
	error = vpmu_begin(transport);
	registered = !error;
	if (error)
		end_nmi();
	return error;
}

/*
 * The hypercall goes to whatever the VMM has behind it; that there is no device shows at the first
 * access, and other ways are left.
 */
static int begin_call(void)
{
	if (mmio || vpmu_guest_find_call(vpmu_guest_loongarch_cpucfg, NULL))
		return -ENODEV;
	return begin(&call_transport);
}

/* 0 too where there is none of them: the PCI device may come later. */
int vpmu_window_register(void)
{
	int error = begin_call();

	if (error != -ENODEV)
		return error;
	if (vpmu_guest_find(vpmu_guest_x86_cpuid, NULL, &place) == 0 && place.msr_base)
		return begin(&msr_transport);
	if (!mmio)
		mmio = place.mmio_address;
	if (!mmio)
		return 0;
	window = ioremap(mmio, VPMU_MMIO_SIZE);
	if (!window)
		return -ENOMEM;
	error = begin(&mmio_transport);
	if (error) {
		iounmap(window);
		window = NULL;
	}
	return error;
}

void vpmu_window_unregister(void)
{
	if (!registered)
		return;
	vpmu_end();
	end_nmi();
	if (window)
		iounmap(window);
	registered = false;
}
