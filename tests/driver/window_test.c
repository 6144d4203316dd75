/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The Linux driver's ways by virtual MSRs, the hypercall and the MMIO window: which of them it
 * takes, what it says to the rest of the driver, and that it leaves nothing behind. CPUID and the
 * calls of the kernel are tables here; the accesses are those of src/guest.
 */
#include <string.h>

#include "kernel.h"
#include "runner/runner.h"
#include "vpmu.h"

#define BLOCK 0x40000000u
#define MSR_BASE 0x4b564e00u
#define WINDOW 0xfed50000u

extern ullong *kernel_parameter_mmio(void);

enum call { BEGIN, REMAP, NMI, CALLS };

static struct {
	int has_call, has_msr, has_mmio;
	int no_device;	 /* behind the hypercall is another one's */
	enum call fails; /* CALLS: none */
	int begun, mapped, handlers;
	uint64_t address;
	const struct vpmu_transport *transport;
	nmi_handler handler;
	uint64_t window[VPMU_MMIO_SIZE / 8];
} machine;

struct vpmu_cpu *vpmu_cpus;

static struct vpmu_cpu one_cpu;
static struct vpmu_area_header area;

/* ---- the machine ----------------------------------------------------------------------------- */

void vpmu_guest_x86_cpuid(void *opaque, uint32_t leaf, uint32_t registers[4])
{
	(void)opaque;
	memset(registers, 0, 4 * sizeof(registers[0]));
	if (!machine.has_msr && !machine.has_mmio)
		return;
	if (leaf == BLOCK) {
		registers[0] = BLOCK + 2;
		registers[1] = registers[2] = registers[3] = VPMU_CPUID_SIGNATURE;
	} else if (leaf == BLOCK + 1 && machine.has_msr) {
		registers[1] = MSR_BASE;
		registers[2] = VPMU_REGISTERS;
	} else if (leaf == BLOCK + 2 && machine.has_mmio) {
		registers[0] = WINDOW;
		registers[2] = VPMU_MMIO_SIZE;
	}
}

static const struct vpmu_guest_way msr_way = { .size = sizeof(msr_way) };

const struct vpmu_guest_way *vpmu_guest_way_msr(void)
{
	return &msr_way;
}

int vpmu_guest_find_call(vpmu_guest_cpucfg cpucfg, void *opaque)
{
	CHECK(cpucfg == vpmu_guest_loongarch_cpucfg && !opaque);
	return machine.has_call ? 0 : VPMU_GUEST_NO_DEVICE;
}

uint32_t vpmu_guest_loongarch_cpucfg(void *opaque, uint32_t word)
{
	(void)opaque;
	(void)word;
	return 0;
}

static const struct vpmu_guest_way call_way = { .size = sizeof(call_way) };

const struct vpmu_guest_way *vpmu_guest_way_call(void)
{
	return &call_way;
}

void *ioremap(uint64_t address, size_t size)
{
	if (machine.fails == REMAP || size != VPMU_MMIO_SIZE)
		return NULL;
	machine.address = address;
	machine.mapped++;
	return machine.window;
}

void iounmap(void *window)
{
	CHECK(window == (void *)machine.window);
	machine.mapped--;
}

int register_nmi_handler(unsigned int type, nmi_handler handler, unsigned long flags,
			 const char *name)
{
	(void)flags;
	CHECK(type == NMI_LOCAL && name);
	if (machine.fails == NMI)
		return -ENOMEM;
	machine.handler = handler;
	machine.handlers++;
	return 0;
}

void unregister_nmi_handler(unsigned int type, const char *name)
{
	CHECK(type == NMI_LOCAL && name);
	machine.handlers--;
}

bool irq_work_queue(struct irq_work *work)
{
	work->queued++;
	return true;
}

/* ---- the rest of the driver ------------------------------------------------------------------ */

int vpmu_begin(const struct vpmu_transport *transport)
{
	if (machine.fails == BEGIN || (machine.no_device && strcmp(transport->name, "call") == 0))
		return -ENODEV;
	machine.transport = transport;
	machine.begun++;
	return 0;
}

void vpmu_end(void)
{
	machine.begun--;
}

static void power_on(int has_msr, int has_mmio, ullong parameter)
{
	memset(&machine, 0, sizeof(machine));
	memset(&one_cpu, 0, sizeof(one_cpu));
	memset(&area, 0, sizeof(area));
	machine.has_msr = has_msr;
	machine.has_mmio = has_mmio;
	machine.fails = CALLS;
	*kernel_parameter_mmio() = parameter;
	vpmu_cpus = &one_cpu;
}

static void check_nothing_left(void)
{
	CHECK(!machine.begun && !machine.mapped && !machine.handlers);
}

/* ---- cases ----------------------------------------------------------------------------------- */

static void msrs_come_before_the_window(void)
{
	const struct vpmu_guest_way *way = NULL;
	const void *page = NULL;
	void *opaque = NULL;
	u32 registers = 0;

	power_on(1, 1, 0);
	CHECK_EQ(vpmu_window_register(), 0);
	CHECK_STR(machine.transport->name, "msr");
	CHECK_EQ(machine.mapped, 0);
	CHECK_EQ(machine.transport->begin(&one_cpu, &way, &opaque, &registers, &page), 0);
	CHECK(way == &msr_way && opaque == (void *)&one_cpu.msr && !page);
	CHECK_EQ(one_cpu.msr.base, MSR_BASE);
	CHECK_EQ(registers, VPMU_REGISTERS);
	vpmu_window_unregister();
	check_nothing_left();
}

static void check_window(uint64_t address)
{
	const struct vpmu_guest_way *way = NULL;
	const void *page = NULL;
	void *opaque = NULL;
	uint64_t value = 0;
	u32 registers = 0;

	CHECK_EQ(vpmu_window_register(), 0);
	CHECK_STR(machine.transport->name, "mmio");
	CHECK_EQ(machine.address, address);
	CHECK_EQ(machine.transport->begin(&one_cpu, &way, &opaque, &registers, &page), 0);
	CHECK_EQ(registers, VPMU_REGISTERS);
	machine.window[VPMU_REG_MAGIC] = VPMU_MAGIC;
	CHECK_EQ(way->read(opaque, VPMU_CONTEXT_TASK, VPMU_REG_MAGIC, &value), 0);
	CHECK_EQ(value, VPMU_MAGIC);
	vpmu_window_unregister();
	check_nothing_left();
}

/* CPUID tells where it is, or the one who loads the module, who knows better. */
static void the_window_is_where_it_is_told(void)
{
	power_on(0, 1, 0);
	check_window(WINDOW);
	power_on(0, 0, 0x1000);
	check_window(0x1000);
	power_on(0, 1, 0x1000);
	check_window(0x1000);
}

static void the_hypercall_comes_first(void)
{
	const struct vpmu_guest_way *way = NULL;
	const void *page = NULL;
	void *opaque = NULL;
	u32 registers = 0;

	power_on(0, 1, 0);
	machine.has_call = 1;
	CHECK_EQ(vpmu_window_register(), 0);
	CHECK_STR(machine.transport->name, "call");
	CHECK_EQ(machine.transport->begin(&one_cpu, &way, &opaque, &registers, &page), 0);
	CHECK(way == &call_way && !page);
	CHECK_EQ(registers, VPMU_REGISTERS);
	vpmu_window_unregister();
	check_nothing_left();
	/* Unless no device is behind it, or the one who loads the module knows better. */
	power_on(0, 1, 0);
	machine.has_call = machine.no_device = 1;
	check_window(WINDOW);
	power_on(0, 0, 0x1000);
	machine.has_call = 1;
	check_window(0x1000);
}

/* Then there may be a mailbox. */
static void where_there_is_neither_nothing_is_begun(void)
{
	power_on(0, 0, 0);
	CHECK_EQ(vpmu_window_register(), 0);
	check_nothing_left();
	vpmu_window_unregister();
	check_nothing_left();
}

static void what_fails_leaves_nothing_behind(void)
{
	static const int errors[CALLS] = { [BEGIN] = -ENODEV, [REMAP] = -ENOMEM, [NMI] = -ENOMEM };

	for (unsigned int by_msr = 0; by_msr < 2; by_msr++)
		for (unsigned int call = 0; call < CALLS; call++) {
			if (by_msr && call == REMAP)
				continue;
			power_on((int)by_msr, !by_msr, 0);
			machine.fails = (enum call)call;
			CHECK_EQ(vpmu_window_register(), errors[call]);
			check_nothing_left();
			vpmu_window_unregister();
			check_nothing_left();
		}
}

/* R-PMI-10: an NMI is claimed where the device says that it sent one, and by nobody else. */
static void an_nmi_is_claimed_once_it_was_sent(void)
{
	u32 mode = 0, vector = 1;

	power_on(1, 0, 0);
	CHECK_EQ(vpmu_window_register(), 0);
	machine.transport->pmi(&mode, &vector);
	CHECK_EQ(mode, VPMU_PMI_NMI);
	CHECK_EQ(vector, 0);
	CHECK_EQ(machine.handler(0, NULL), NMI_DONE); /* not begun with */
	one_cpu.ready = true;
	CHECK_EQ(machine.handler(0, NULL), NMI_DONE); /* without an area */
	one_cpu.guest.area = (const void *)&area;
	CHECK_EQ(machine.handler(0, NULL), NMI_DONE); /* none was sent */
	area.pmi_sequence = 1;
	CHECK_EQ(machine.handler(0, NULL), NMI_HANDLED);
	CHECK_EQ(one_cpu.work.queued, 1);
	one_cpu.guest.pmi_sequence = 1; /* it was handled */
	CHECK_EQ(machine.handler(0, NULL), NMI_DONE);
	vpmu_cpus = NULL;
	CHECK_EQ(machine.handler(0, NULL), NMI_DONE);
	vpmu_window_unregister();
	check_nothing_left();
}

const struct test_case test_cases[] = {
	{ "driver", "msrs_come_before_the_window", msrs_come_before_the_window },
	{ "R-CALL-2", "the_hypercall_comes_first", the_hypercall_comes_first },
	{ "driver", "the_window_is_where_it_is_told", the_window_is_where_it_is_told },
	{ "driver", "where_there_is_neither_nothing_is_begun",
	  where_there_is_neither_nothing_is_begun },
	{ "driver", "what_fails_leaves_nothing_behind", what_fails_leaves_nothing_behind },
	{ "R-PMI-10", "an_nmi_is_claimed_once_it_was_sent", an_nmi_is_claimed_once_it_was_sent },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
