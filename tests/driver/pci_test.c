/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The Linux driver's way by the mailbox of a PCI device: which device it takes, which block it
 * gives a CPU, whose interrupt an entry is, and that it leaves nothing behind, whichever call of
 * the kernel fails. What is written into the region is anybody's in the guest who can map it.
 */
#include <stdlib.h>
#include <string.h>

#include "bus.h"

#include "runner/runner.h"
#include "vpmu.h"

#define BLOCKS 3u
#define PEER 7u
#define VECTORS 2u
#define FIRST_IRQ 40
#define NOBODY 99u

enum call { ENABLE, IOMAP, REMAP, ALLOCATE, REQUEST, REQUEST_SECOND, BEGIN, CALLS };

static struct {
	enum call fails; /* CALLS: none */
	int mapped, requested, allocated, begun, enabled;
	int sampling;
	uint32_t rung; /* what the doorbell was told last */
	unsigned int affinity[VECTORS];
	unsigned int interrupted, called[CPUS]; /* bits: on the CPU itself; by another */
	irqreturn_t (*handler)(int irq, void *opaque);
	const struct pci_driver *driver;
	const struct vpmu_transport *transport;
	uint64_t size;
	uint32_t registers[8];
	_Alignas(4096) unsigned char region[(BLOCKS + 1) * VPMU_GUEST_MAILBOX_BLOCK];
} machine;

unsigned int vpmu_timeout_ms = 3;
unsigned int kernel_cpu;
const unsigned int kernel_cpu_numbers[CPUS] = { 0, 1, 2, 3 };
/* The last has no block. */
u32 x86_cpu_to_apicid_of[CPUS] = { 0, 4, 2, 9 };
struct vpmu_cpu *vpmu_cpus_of[CPUS];
struct vpmu_cpu *vpmu_cpus;

static struct pci_dev device, other;

/* ---- the kernel ------------------------------------------------------------------------------ */

void kernel_say(const char *format, ...)
{
	(void)format;
}

int pcim_enable_device(struct pci_dev *enabled)
{
	CHECK(enabled == &device);
	if (machine.fails == ENABLE)
		return -EIO;
	machine.enabled = 1;
	return 0;
}

void pci_set_master(struct pci_dev *master)
{
	CHECK(master == &device && machine.enabled);
}

uint64_t pci_resource_len(struct pci_dev *of, int bar)
{
	CHECK(of == &device && bar == 2);
	return machine.size;
}

uint64_t pci_resource_start(struct pci_dev *of, int bar)
{
	CHECK(of == &device && bar == 2);
	return 0;
}

void *pci_iomap(struct pci_dev *of, int bar, unsigned long most)
{
	CHECK(of == &device && bar == 0 && most == 0);
	if (machine.fails == IOMAP)
		return NULL;
	machine.mapped++;
	return machine.registers;
}

void pci_iounmap(struct pci_dev *of, void *at)
{
	CHECK(of == &device && at == (void *)machine.registers);
	machine.mapped--;
}

void *memremap(uint64_t address, uint64_t size, int flags)
{
	CHECK(address == 0 && size == machine.size && flags == MEMREMAP_WB);
	if (machine.fails == REMAP)
		return NULL;
	machine.mapped++;
	return machine.region;
}

void memunmap(void *at)
{
	CHECK(at == (void *)machine.region);
	machine.mapped--;
}

int pci_alloc_irq_vectors(struct pci_dev *of, int least, int most, int flags)
{
	CHECK(of == &device && least == most && flags == PCI_IRQ_MSIX);
	if (machine.fails == ALLOCATE || most > (int)VECTORS)
		return -ENOSPC;
	machine.allocated = 1;
	return most;
}

void pci_free_irq_vectors(struct pci_dev *of)
{
	CHECK(of == &device && machine.allocated && !machine.requested);
	machine.allocated = 0;
}

int pci_irq_vector(struct pci_dev *of, unsigned int entry)
{
	CHECK(of == &device && entry < VECTORS);
	return FIRST_IRQ + (int)entry;
}

int request_irq(int irq, irqreturn_t (*handler)(int irq, void *opaque), int flags, const char *name,
		void *opaque)
{
	unsigned int entry = (unsigned int)(uintptr_t)opaque;

	CHECK(flags == IRQF_NOBALANCING && name && irq == FIRST_IRQ + (int)entry);
	if (machine.fails == REQUEST + entry)
		return -EBUSY;
	machine.handler = handler;
	machine.requested |= 1 << entry;
	return 0;
}

/* The driver's end comes first: what an interrupt would touch is gone with it. */
void free_irq(int irq, void *opaque)
{
	unsigned int entry = (unsigned int)(uintptr_t)opaque;

	CHECK(irq == FIRST_IRQ + (int)entry && machine.requested & 1 << entry && !machine.begun);
	machine.requested &= ~(1 << entry);
}

void irq_set_affinity_and_hint(int irq, const unsigned int *mask)
{
	machine.affinity[irq - FIRST_IRQ] = mask ? *mask : NOBODY;
}

int smp_call_function_single_async(unsigned int cpu, call_single_data_t *call)
{
	CHECK(call == &vpmu_cpus_of[cpu]->call);
	machine.called[cpu]++;
	return 0;
}

void writel(uint32_t value, void *to)
{
	CHECK(to == (char *)machine.registers + VPMU_PCI_DOORBELL);
	machine.rung = value;
}

void udelay(unsigned int us)
{
	CHECK_EQ(us, 1);
}

int pci_register_driver(struct pci_driver *driver)
{
	machine.driver = driver;
	return 0;
}

void pci_unregister_driver(struct pci_driver *driver)
{
	CHECK(driver == machine.driver);
}

/* ---- the rest of the driver ------------------------------------------------------------------ */

bool vpmu_sample_possible(void)
{
	return machine.sampling;
}

void vpmu_sample_interrupt(struct vpmu_cpu *cpu)
{
	CHECK(cpu == vpmu_cpus_of[kernel_cpu]);
	machine.interrupted++;
}

int vpmu_begin(const struct vpmu_transport *transport)
{
	if (machine.fails == BEGIN)
		return -ENODEV;
	machine.transport = transport;
	machine.begun = 1;
	return 0;
}

void vpmu_end(void)
{
	CHECK(machine.begun);
	machine.begun = 0;
}

/* ---- the device ------------------------------------------------------------------------------ */

static uint64_t *word_at(uint64_t offset)
{
	return (uint64_t *)(void *)(machine.region + offset);
}

static struct vpmu_mailbox_header *header(void)
{
	return (struct vpmu_mailbox_header *)(void *)machine.region;
}

static struct vpmu_pci_header *pci_header(void)
{
	return (struct vpmu_pci_header *)(void *)(machine.region + VPMU_PCI_HEADER_AT);
}

static void power_on(void)
{
	memset(&machine, 0, sizeof(machine));
	machine.fails = CALLS;
	machine.sampling = 1;
	machine.size = sizeof(machine.region);
	kernel_cpu = 0;
	*header() = (struct vpmu_mailbox_header){ .magic = VPMU_MAGIC,
						  .level = VPMU_LEVEL,
						  .vcpus = BLOCKS,
						  .block_size = VPMU_GUEST_MAILBOX_BLOCK };
	*pci_header() =
		(struct vpmu_pci_header){ .attendance = 5, .peer = PEER, .vectors = VECTORS };
	/* The blocks are in the order of the CPUs' numbers in hardware. */
	*word_at(VPMU_PCI_TABLE_AT) = VPMU_PCI_VCPU_PRESENT | 0;
	*word_at(VPMU_PCI_TABLE_AT + 8) = VPMU_PCI_VCPU_PRESENT | 2;
	*word_at(VPMU_PCI_TABLE_AT + 16) = VPMU_PCI_VCPU_PRESENT | 4;
	CHECK_EQ(vpmu_pci_register(), 0);
}

static int probe(void)
{
	CHECK(machine.driver->id_table[0].vendor == VPMU_PCI_VENDOR &&
	      machine.driver->id_table[0].device == VPMU_PCI_DEVICE);
	return machine.driver->probe(&device, machine.driver->id_table);
}

static void check_nothing_left(void)
{
	CHECK(!machine.mapped && !machine.requested && !machine.allocated && !machine.begun);
}

static void take_away(void)
{
	machine.driver->remove(&device);
	check_nothing_left();
	vpmu_pci_unregister();
}

static int begin_on(unsigned int cpu)
{
	static struct vpmu_cpu cpus[CPUS];
	const struct vpmu_guest_way *way = NULL;
	const void *page = NULL;
	void *opaque = NULL;
	u32 registers = 0;
	int error;

	kernel_cpu = cpu;
	vpmu_cpus_of[cpu] = &cpus[cpu];
	cpus[cpu] = (struct vpmu_cpu){ .ready = false };
	error = machine.transport->begin(&cpus[cpu], &way, &opaque, &registers, &page);
	if (error)
		return error;
	CHECK(way == vpmu_guest_way_mailbox() && opaque == &cpus[cpu].mailbox);
	CHECK(page == cpus[cpu].mailbox.block && registers == VPMU_REGISTERS);
	CHECK_EQ(cpus[cpu].mailbox.tries, 1000 * vpmu_timeout_ms);
	cpus[cpu].ready = true;
	return 0;
}

static unsigned int block_of(unsigned int cpu)
{
	const unsigned char *at = vpmu_cpus_of[cpu]->mailbox.block;

	return (unsigned int)((at - machine.region) / VPMU_GUEST_MAILBOX_BLOCK) - 1;
}

/* ---- cases ----------------------------------------------------------------------------------- */

/* R-PCI-3: the block with the CPU's number in hardware, not with that of the kernel. */
static void a_cpu_has_the_block_of_its_hardware(void)
{
	static const unsigned int blocks[CPUS] = { 0, 2, 1, NOBODY };

	power_on();
	CHECK_EQ(probe(), 0);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		int there = blocks[cpu] != NOBODY;

		CHECK_EQ(begin_on(cpu), there ? 0 : VPMU_GUEST_NO_DEVICE);
		CHECK_EQ(machine.transport->present(), there);
		if (there)
			CHECK_EQ(block_of(cpu), blocks[cpu]);
	}
	CHECK_EQ(machine.transport->attendance(), 5);
	/* Entry 0 is of blocks 0 and 2, and goes to the CPU of the first. */
	CHECK_EQ(machine.affinity[0], 0);
	CHECK_EQ(machine.affinity[1], 2);
	take_away();
}

/* R-PCI-4: what the header says is looked at anew for each ring, and is anybody's. */
static void the_doorbell_is_told_peer_and_vector(void)
{
	struct vpmu_guest_mailbox *mailbox;

	power_on();
	CHECK_EQ(probe(), 0);
	CHECK_EQ(begin_on(1), 0);
	mailbox = &vpmu_cpus_of[1]->mailbox;
	mailbox->doorbell(mailbox->opaque);
	CHECK_EQ(machine.rung, PEER << 16 | 2 % VECTORS);
	pci_header()->vectors = 0;
	mailbox->doorbell(mailbox->opaque);
	CHECK_EQ(machine.rung, PEER << 16);
	pci_header()->vectors = UINT64_MAX;
	pci_header()->peer = 0xabcd00010002u;
	mailbox->doorbell(mailbox->opaque);
	CHECK_EQ(machine.rung, 2u << 16 | 2);
	mailbox->relax(mailbox->opaque);
	take_away();
}

static void check_interrupt(unsigned int entry, unsigned int own, unsigned int others)
{
	unsigned int called = 0;

	memset(machine.called, 0, sizeof(machine.called));
	machine.interrupted = 0;
	CHECK_EQ(machine.handler(FIRST_IRQ + (int)entry, (void *)(uintptr_t)entry), IRQ_HANDLED);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		called |= machine.called[cpu] << cpu;
	CHECK_EQ(machine.interrupted, own);
	CHECK_EQ(called, others);
}

/* R-PCI-5: an entry is of all blocks that have it, wherever it arrives. */
static void an_entry_is_of_its_blocks(void)
{
	u32 mode = VPMU_PMI_OFF, vector = 0;

	power_on();
	CHECK_EQ(probe(), 0);
	machine.transport->pmi(&mode, &vector);
	CHECK_EQ(mode, VPMU_PMI_VECTOR);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		(void)begin_on(cpu);
	kernel_cpu = 0;
	check_interrupt(0, 1, 1u << 1);
	check_interrupt(1, 0, 1u << 2);
	kernel_cpu = 2;
	check_interrupt(0, 0, 1u << 0 | 1u << 1);
	check_interrupt(1, 1, 0);
	/* A CPU whose device is not begun with, or that was never online, is asked nothing. */
	vpmu_cpus_of[1]->ready = false;
	vpmu_cpus_of[2] = NULL;
	check_interrupt(0, 0, 1u << 0);
	check_interrupt(1, 0, 0);
	pci_header()->vectors = 0;
	check_interrupt(0, 0, 1u << 0);
	take_away();
}

static void without_sampling_no_interrupt_is_asked_for(void)
{
	u32 mode = VPMU_PMI_OFF, vector = 0;

	power_on();
	machine.sampling = 0;
	CHECK_EQ(probe(), 0);
	CHECK(!machine.allocated && !machine.requested);
	machine.transport->pmi(&mode, &vector);
	CHECK_EQ(mode, VPMU_PMI_OFF);
	take_away();
}

/* Without interrupts the device counts all the same; without anything else it is not taken. */
static void what_fails_leaves_nothing_behind(void)
{
	for (unsigned int call = 0; call < CALLS; call++) {
		int counts = call == ALLOCATE || call == REQUEST || call == REQUEST_SECOND;
		u32 mode = VPMU_PMI_OFF, vector = 0;

		power_on();
		machine.fails = (enum call)call;
		CHECK_EQ(probe() == 0, counts);
		if (counts) {
			machine.transport->pmi(&mode, &vector);
			CHECK_EQ(mode, VPMU_PMI_OFF);
			CHECK(!machine.requested && !machine.allocated);
			machine.driver->remove(&device);
		}
		check_nothing_left();
		/* And the device can be taken when it is tried again. */
		machine.fails = CALLS;
		CHECK_EQ(probe(), 0);
		CHECK_EQ(machine.driver->probe(&other, machine.driver->id_table), -EBUSY);
		take_away();
	}
}

static void check_refused(void)
{
	CHECK_EQ(probe(), -ENODEV);
	check_nothing_left();
	power_on();
}

/* Others use such devices for other things, and what a region says of itself may be beyond it. */
static void what_is_no_mailbox_is_left_alone(void)
{
	power_on();
	header()->magic++;
	check_refused();
	header()->block_size *= 2;
	check_refused();
	header()->vcpus = BLOCKS + 1;
	check_refused();
	header()->vcpus = UINT64_MAX;
	check_refused();
	machine.size = VPMU_GUEST_MAILBOX_BLOCK;
	check_refused();
	/* One that becomes so later gives no CPU a block beyond its end. */
	CHECK_EQ(probe(), 0);
	header()->vcpus = UINT64_MAX;
	*word_at(VPMU_PCI_TABLE_AT + 8ull * (VPMU_PCI_MAX_VCPUS - 1)) = VPMU_PCI_VCPU_PRESENT | 9;
	CHECK(begin_on(3) < 0);
	take_away();
}

const struct test_case test_cases[] = {
	{ "R-PCI-3", "a_cpu_has_the_block_of_its_hardware", a_cpu_has_the_block_of_its_hardware },
	{ "R-PCI-4", "the_doorbell_is_told_peer_and_vector", the_doorbell_is_told_peer_and_vector },
	{ "R-PCI-5", "an_entry_is_of_its_blocks", an_entry_is_of_its_blocks },
	{ "driver", "without_sampling_no_interrupt_is_asked_for",
	  without_sampling_no_interrupt_is_asked_for },
	{ "driver", "what_fails_leaves_nothing_behind", what_fails_leaves_nothing_behind },
	{ "R-PCI-1", "what_is_no_mailbox_is_left_alone", what_is_no_mailbox_is_left_alone },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
