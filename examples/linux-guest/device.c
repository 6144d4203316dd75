// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// SPDX-FileCopyrightText: 2026 libvpmu contributors
/* The life of one CPU's device: it is begun with, found to be in order or not, and given back. */
#include <linux/io.h>
#include <linux/slab.h>

#include "vpmu.h"

struct vpmu_cpu *vpmu_cpu_make(unsigned int number)
{
	struct vpmu_cpu *cpu = kzalloc_node(sizeof(*cpu), GFP_KERNEL, cpu_to_node(number));

	if (!cpu)
		return NULL;
	cpu->words = (u64 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);
	cpu->page = (void *)get_zeroed_page(GFP_KERNEL);
	if (cpu->words && cpu->page)
		return cpu;
	vpmu_cpu_free(cpu);
	return NULL;
}

void vpmu_cpu_free(struct vpmu_cpu *cpu)
{
	if (!cpu)
		return;
	free_pages((unsigned long)cpu->words, 1);
	free_page((unsigned long)cpu->page);
	kfree(cpu);
}

void vpmu_cpu_broken(struct vpmu_cpu *cpu, int error)
{
	if (!cpu->ready)
		return;
	pr_err("vpmu: CPU %d: the host did not answer as it must (%d); nothing is counted there\n",
	       smp_processor_id(), error);
	cpu->ready = false;
	vpmu_cpu_drop(cpu);
}

static int take_epoch(struct vpmu_cpu *cpu)
{
	u64 epoch = 0;
	int error =
		cpu->guest.way->read(cpu->guest.opaque, VPMU_CONTEXT_TASK, VPMU_REG_EPOCH, &epoch);

	if (error)
		return error;
	if (cpu->epoch && cpu->epoch != epoch)
		pr_info("vpmu: CPU %d: continuity of counting broke, epoch %llu\n",
			smp_processor_id(), epoch);
	cpu->epoch = epoch;
	return 0;
}

/*
 * Somebody else attends to the device. Where that one took over, our slots are open as they
 * were. Where none was open nothing shows that, so the area and PMIs are begun with anew.
 */
static void look_again(struct vpmu_cpu *cpu, u64 attendance)
{
	u64 opened = 0, mine = 0;
	unsigned int i;
	int error;

	for (i = 0; i < cpu->guest.slots; i++)
		if (cpu->slots[i].state != VPMU_SLOT_FREE &&
		    cpu->slots[i].state != VPMU_SLOT_FAILED)
			mine |= vpmu_bit(i);
	cpu->attendance = attendance;
	error = cpu->guest.way->read(cpu->guest.opaque, VPMU_CONTEXT_TASK, VPMU_REG_OPENED,
				     &opened);
	if (!error)
		error = take_epoch(cpu);
	if (!error && mine && opened == mine)
		return;
	vpmu_cpu_drop(cpu);
	if (!error)
		error = vpmu_cpu_start(cpu);
	if (error)
		vpmu_cpu_broken(cpu, error);
}

/* To be asked before an access. A device that failed is tried again when somebody else attends. */
bool vpmu_cpu_usable(struct vpmu_cpu *cpu)
{
	const struct vpmu_transport *transport = vpmu_transport();
	u64 attendance;

	if (!cpu || !transport)
		return false;
	attendance = transport->attendance ? transport->attendance() : 1;
	if (cpu->ready && attendance == cpu->attendance)
		return true;
	if (!attendance) {
		if (cpu->ready)
			vpmu_cpu_broken(cpu, VPMU_GUEST_NO_DEVICE);
		return false;
	}
	/* Who attends anew has yet to find this CPU. */
	if (cpu->attendance == attendance || (transport->present && !transport->present()))
		return false;
	if (cpu->ready)
		look_again(cpu, attendance);
	else
		vpmu_cpu_start(cpu);
	return cpu->ready;
}

static int begin_area(struct vpmu_cpu *cpu, const void *fixed)
{
	if (!(cpu->guest.features & VPMU_FEATURE_AREA))
		return 0;
	if (fixed)
		return vpmu_guest_area_on_block(&cpu->guest, VPMU_CONTEXT_TASK, fixed);
	return vpmu_guest_area_on(&cpu->guest, VPMU_CONTEXT_TASK, virt_to_phys(cpu->page),
				  cpu->page);
}

static int begin_pmi(struct vpmu_cpu *cpu)
{
	const struct vpmu_transport *transport = vpmu_transport();
	u32 mode = VPMU_PMI_OFF, vector = 0;
	int error;

	if (transport->pmi && vpmu_sample_possible())
		transport->pmi(&mode, &vector);
	if (mode == VPMU_PMI_OFF)
		return 0;
	error = vpmu_guest_pmi_set(&cpu->guest, VPMU_CONTEXT_TASK, mode, vector);
	return error == VPMU_GUEST_UNSUPPORTED ? 0 : error;
}

/* Begins anew: reset values, the area, PMIs. */
int vpmu_cpu_start(struct vpmu_cpu *cpu)
{
	const struct vpmu_transport *transport = vpmu_transport();
	const struct vpmu_guest_way *way;
	const void *page = NULL;
	void *opaque;
	u32 registers = 0;
	int error = transport->begin(cpu, &way, &opaque, &registers, &page);

	if (!error)
		error = vpmu_guest_start(&cpu->guest, way, opaque, registers);
	if (!error)
		error = vpmu_guest_reset(&cpu->guest, VPMU_CONTEXT_TASK, VPMU_RESET_VCPU);
	if (!error)
		error = vpmu_guest_batch_prepare(&cpu->task, cpu->words, VPMU_WORDS,
						 virt_to_phys(cpu->words), VPMU_CONTEXT_TASK);
	if (!error)
		error = vpmu_guest_batch_prepare(&cpu->interrupt, cpu->words + VPMU_WORDS,
						 VPMU_WORDS, virt_to_phys(cpu->words + VPMU_WORDS),
						 VPMU_CONTEXT_INTERRUPT);
	if (!error)
		error = begin_area(cpu, page);
	if (!error)
		error = begin_pmi(cpu);
	if (!error)
		error = take_epoch(cpu);
	/* Where it is not there yet, it is looked for again. */
	cpu->attendance = 0;
	if (error != VPMU_GUEST_NO_DEVICE)
		cpu->attendance = transport->attendance ? transport->attendance() : 1;
	cpu->ready = !error;
	return error;
}

/*
 * Gives the device back: the last counts are taken, then nothing is written or injected any
 * more.
 */
void vpmu_cpu_stop(struct vpmu_cpu *cpu)
{
	if (!vpmu_cpu_usable(cpu))
		return;
	vpmu_cpu_freeze(cpu, NULL);
	if (cpu->ready)
		vpmu_guest_reset(&cpu->guest, VPMU_CONTEXT_TASK, VPMU_RESET_VCPU);
	vpmu_cpu_drop(cpu);
	cpu->ready = false;
}
