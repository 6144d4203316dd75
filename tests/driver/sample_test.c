/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * Sampling by the Linux driver, as a module: what perf is told when slots overflow, and that
 * nothing of it is done unless who loads the module asked for it.
 */
#include <string.h>

#include "runner/runner.h"
#include "vpmu.h"

#define SLOTS 4u

struct pt_regs {
	int any;
};

/* Of kernel.h's module_param(). */
bool *kernel_parameter_sampling(void);

struct vpmu_cpu *vpmu_cpus;

static struct {
	int usable, claimed, no_symbol, no_registers, period_error;
	int broken, asked, probes;
	uint64_t slots;
	uint64_t counted[SLOTS]; /* by the readings, a slot each */
	uint64_t told[SLOTS];	 /* periods, added up */
	unsigned int samples[SLOTS];
	int throttles;
	unsigned int periods_set;
	uint64_t period;
} host;

static struct vpmu_cpu cpu;
static struct perf_event events[SLOTS];
static struct pt_regs registers;

/* ---- the kernel ------------------------------------------------------------------------------ */

void kernel_say(const char *format, ...)
{
	(void)format;
}

static int overflowed(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	CHECK(regs == &registers);
	CHECK_EQ(data->period, event->hw.last_period);
	host.told[event - events] += data->period;
	host.samples[event - events]++;
	return host.throttles;
}

int register_kprobe(struct kprobe *probe)
{
	int (*found)(struct perf_event *, struct perf_sample_data *, struct pt_regs *) = overflowed;

	CHECK_STR(probe->symbol_name, "perf_event_overflow");
	if (host.no_symbol)
		return -ENOENT;
	memcpy(&probe->addr, &found, sizeof(probe->addr));
	host.probes++;
	return 0;
}

void unregister_kprobe(struct kprobe *probe)
{
	(void)probe;
	host.probes--;
}

struct pt_regs *get_irq_regs(void)
{
	return host.no_registers ? NULL : &registers;
}

/* ---- the rest of the driver ------------------------------------------------------------------ */

bool vpmu_cpu_usable(struct vpmu_cpu *asked)
{
	CHECK(asked == &cpu);
	return host.usable;
}

void vpmu_cpu_broken(struct vpmu_cpu *broken, int error)
{
	CHECK(broken == &cpu && error < 0);
	host.broken++;
}

/* As count.c: the reading is the slot's. */
void vpmu_count(struct vpmu_cpu *of, unsigned int slot, const struct guest_perf_event *now)
{
	CHECK(of == &cpu);
	CHECK_EQ(now->count >> 32, slot);
	host.counted[slot] += (uint32_t)now->count;
	if (cpu.slots[slot].event)
		cpu.slots[slot].event->count += (uint32_t)now->count;
}

int vpmu_guest_pmi(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t *slots,
		   struct guest_perf_event *readings)
{
	CHECK(guest == &cpu.guest && batch == &cpu.interrupt);
	host.asked++;
	*slots = host.slots;
	for (uint64_t slot = 0; slot < SLOTS; slot++)
		if (host.slots & 1u << slot)
			*readings++ =
				(struct guest_perf_event){ .count = slot << 32 | (100 + slot) };
	return host.claimed;
}

int vpmu_guest_period_set(struct vpmu_guest *guest, uint32_t context, uint32_t slot,
			  uint64_t period)
{
	CHECK(guest == &cpu.guest && context == VPMU_CONTEXT_INTERRUPT && slot < SLOTS);
	host.periods_set++;
	host.period = period;
	return host.period_error;
}

/* ---- cases ----------------------------------------------------------------------------------- */

/* Each slot has a sampling event, and all overflow, unless a test says otherwise. */
static void power_on(void)
{
	memset(&host, 0, sizeof(host));
	memset(&cpu, 0, sizeof(cpu));
	memset(events, 0, sizeof(events));
	host.usable = host.claimed = 1;
	host.slots = (1u << SLOTS) - 1;
	cpu.guest.slots = SLOTS;
	for (unsigned int i = 0; i < SLOTS; i++) {
		events[i].attr.sample_period = 50;
		cpu.slots[i] = (struct vpmu_slot){ .event = &events[i],
						   .attr = { .sample_period = 50 },
						   .state = VPMU_SLOT_ON };
	}
	*kernel_parameter_sampling() = true;
	CHECK_EQ(vpmu_sample_begin(), 0);
	CHECK_EQ(host.probes, 0);
}

/* The kernel keeps the symbol to itself, so it is not looked for unasked. */
static void a_module_samples_where_it_was_asked_to(void)
{
	*kernel_parameter_sampling() = false;
	CHECK_EQ(vpmu_sample_begin(), 0);
	CHECK(!vpmu_sample_possible());
	*kernel_parameter_sampling() = true;
	host.no_symbol = 1;
	CHECK_EQ(vpmu_sample_begin(), 0);
	CHECK(!vpmu_sample_possible());
	power_on();
	CHECK(vpmu_sample_possible());
}

/* What perf is told of an event's samples adds up to what it counted. */
static void periods_add_up_to_the_count(void)
{
	power_on();
	cpu.slots[0].sampled = 0;
	for (unsigned int i = 0; i < 3; i++) {
		vpmu_sample_interrupt(&cpu);
		/* A reading in between counts too, and belongs to the next sample. */
		events[1].count += 7;
	}
	for (unsigned int i = 0; i < SLOTS; i++) {
		CHECK_EQ(host.samples[i], 3);
		CHECK_EQ(host.counted[i], 3 * (100 + i));
		CHECK_EQ(host.told[i], 3 * (100 + i) + (i == 1 ? 14 : 0));
	}
	CHECK_EQ(host.periods_set, 0);
}

/* R-PMI-5: readings come in the order of the slots that overflowed, and of no others. */
static void readings_are_of_the_slots_that_overflowed(void)
{
	power_on();
	host.slots = 1u << 1 | 1u << 3;
	vpmu_sample_interrupt(&cpu);
	for (unsigned int i = 0; i < SLOTS; i++) {
		CHECK_EQ(host.counted[i], i % 2 ? 100 + i : 0);
		CHECK_EQ(host.samples[i], i % 2);
	}
	/* One that is of nobody any more is neither counted nor sampled; a frozen one is counted. */
	power_on();
	cpu.slots[0] = (struct vpmu_slot){ .state = VPMU_SLOT_FREE };
	cpu.slots[1].state = VPMU_SLOT_FROZEN;
	cpu.slots[1].group = 1u << 1;
	events[2].attr.sample_period = 0;
	vpmu_sample_interrupt(&cpu);
	CHECK(host.counted[0] == 0 && host.counted[1] == 101 && host.counted[2] == 102);
	CHECK(!host.samples[0] && !host.samples[1] && !host.samples[2] && host.samples[3] == 1);
}

/* perf starts a throttled event again itself; until then its interrupts are off, and it counts on. */
static void a_throttled_event_is_silent(void)
{
	power_on();
	host.slots = 1u << 2;
	host.throttles = 1;
	vpmu_sample_interrupt(&cpu);
	CHECK(events[2].hw.state & PERF_HES_STOPPED);
	CHECK(host.periods_set == 1 && host.period == 0 && cpu.slots[2].attr.sample_period == 0);
	vpmu_sample_interrupt(&cpu);
	CHECK_EQ(host.samples[2], 1);
	CHECK_EQ(host.counted[2], 204);
	/* What it counted meanwhile is in no later sample. */
	events[2].hw.state = 0;
	host.throttles = 0;
	vpmu_sample_interrupt(&cpu);
	CHECK_EQ(host.told[2], 204);
	/* Where the host does not take the period, the slot has the one that it had. */
	power_on();
	host.throttles = 1;
	host.period_error = VPMU_GUEST_BUSY;
	vpmu_sample_interrupt(&cpu);
	CHECK_EQ(cpu.slots[2].attr.sample_period, 50);
}

static void check_nothing(int asked, int broken)
{
	vpmu_sample_interrupt(&cpu);
	CHECK(host.asked == asked && host.broken == broken);
	for (unsigned int i = 0; i < SLOTS; i++)
		CHECK(!host.samples[i] && !host.counted[i]);
}

static void an_interrupt_of_others_does_nothing(void)
{
	power_on();
	host.usable = 0;
	check_nothing(0, 0);
	power_on();
	host.claimed = 0;
	check_nothing(1, 0);
	power_on();
	host.claimed = VPMU_GUEST_BUSY;
	check_nothing(1, 1);
	/* Without registers there is no place to show: the slots count. */
	power_on();
	host.no_registers = 1;
	vpmu_sample_interrupt(&cpu);
	CHECK(host.counted[0] == 100 && !host.samples[0]);
}

const struct test_case test_cases[] = {
	{ "driver", "a_module_samples_where_it_was_asked_to",
	  a_module_samples_where_it_was_asked_to },
	{ "driver", "periods_add_up_to_the_count", periods_add_up_to_the_count },
	{ "R-PMI-5", "readings_are_of_the_slots_that_overflowed",
	  readings_are_of_the_slots_that_overflowed },
	{ "driver", "a_throttled_event_is_silent", a_throttled_event_is_silent },
	{ "driver", "an_interrupt_of_others_does_nothing", an_interrupt_of_others_does_nothing },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
