/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The phases of the example guest. It opens events, works, reads them and takes PMIs, and writes
 * down what it saw. Where it runs it does not know: see platform.h.
 */
#include "platform.h"

struct asked {
	uint32_t type;
	uint32_t config;
};

#define L1D_READ_MISSES (VPMU_CACHE_L1D | VPMU_CACHE_OP_READ << 8 | VPMU_CACHE_RESULT_MISS << 16)

/* In the order of preference; a host that cannot count the first ones says why. */
static const struct asked asked[MINIVMM_EVENTS] = {
	{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CYCLES },
	{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS },
	{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_BRANCHES },
	{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CACHE_MISSES },
	{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_BRANCH_MISSES },
	{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_CACHE_REFERENCES },
	{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_BUS_CYCLES },
	{ VPMU_TYPE_HARDWARE, VPMU_HARDWARE_REF_CYCLES },
	{ VPMU_TYPE_CACHE, L1D_READ_MISSES },
	{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK },
	{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_CPU_CLOCK },
	{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_CONTEXT_SWITCHES },
	{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_CPU_MIGRATIONS },
	{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_PAGE_FAULTS },
	{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_MINOR_FAULTS },
	{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_MAJOR_FAULTS },
	{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_ALIGNMENT_FAULTS },
	{ VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_EMULATION_FAULTS },
};

static uint32_t panic(struct platform *platform, uint32_t why, int error)
{
	platform->results->error = (uint64_t) - (int64_t)error;
	platform->mark(platform, MINIVMM_PORT_PANIC, why);
	return why;
}

static void phase(struct platform *platform, uint32_t number)
{
	platform->mark(platform, MINIVMM_PORT_PHASE, number);
}

static void step_begin(struct platform *platform, uint32_t step)
{
	platform->mark(platform, MINIVMM_PORT_STEP_BEGIN, step);
}

static void step_end(struct platform *platform, uint32_t step)
{
	platform->mark(platform, MINIVMM_PORT_STEP_END, step);
}

static int is_in(uint64_t mask, uint32_t slot)
{
	return (int)(mask >> slot & 1);
}

static int begin(struct platform *platform)
{
	struct minivmm_results *results = platform->results;
	struct vpmu_guest *guest = &platform->guest;
	int error =
		vpmu_guest_start(guest, platform->way, platform->way_opaque, platform->registers);

	if (error)
		return error;
	results->vcpu = guest->vcpu;
	results->level = guest->level;
	results->features = guest->features;
	error = guest->way->read(guest->opaque, VPMU_CONTEXT_TASK, VPMU_REG_LIMITS,
				 &results->limits);
	if (!error)
		error = guest->way->read(guest->opaque, VPMU_CONTEXT_TASK, VPMU_REG_EPOCH,
					 &results->epoch);
	/* Whoever had the device before us: we begin from reset values. */
	if (!error)
		error = vpmu_guest_reset(guest, VPMU_CONTEXT_TASK, VPMU_RESET_VCPU);
	if (!error)
		error = vpmu_guest_batch_prepare(&platform->batch, platform->task.words,
						 PLATFORM_BATCH_WORDS, platform->task.address,
						 VPMU_CONTEXT_TASK);
	if (!error)
		error = vpmu_guest_batch_prepare(&platform->interrupt_batch,
						 platform->interrupt.words, PLATFORM_BATCH_WORDS,
						 platform->interrupt.address, platform->context);
	return error ? error :
		       vpmu_guest_area_on(guest, VPMU_CONTEXT_TASK, platform->area.address,
					  platform->area.words);
}

static struct guest_perf_attr attr_of(const struct asked *event)
{
	return (struct guest_perf_attr){ .type = event->type, .config = event->config };
}

/* Asks for as many events at a time as there are slots. */
static int check(struct platform *platform)
{
	struct minivmm_event *events = platform->results->events;
	int error = 0;

	for (uint32_t done = 0; !error && done < MINIVMM_EVENTS;) {
		struct guest_perf_attr attrs[MINIVMM_OPENED];
		struct guest_perf_event answers[MINIVMM_OPENED];
		uint32_t count = MINIVMM_EVENTS - done;
		uint64_t failed;

		count = count < MINIVMM_OPENED ? count : MINIVMM_OPENED;
		count = count < platform->guest.slots ? count : platform->guest.slots;
		for (uint32_t i = 0; i < count; i++)
			attrs[i] = attr_of(&asked[done + i]);
		error = vpmu_guest_check(&platform->guest, &platform->batch, (1ull << count) - 1,
					 attrs, answers, &failed);
		for (uint32_t i = 0; !error && i < count; i++, done++) {
			events[done].type = asked[done].type;
			events[done].config = asked[done].config;
			events[done].slot = MINIVMM_NO_SLOT;
			events[done].reason = vpmu_guest_event_reason(&answers[i]);
			events[done].state = vpmu_guest_event_state(&answers[i]);
		}
	}
	return error;
}

/* Gives slots to the first events that the host can count, to the PMU's no more than may count. */
static uint32_t choose(struct platform *platform, struct guest_perf_attr attrs[MINIVMM_OPENED])
{
	struct minivmm_event *events = platform->results->events;
	uint32_t counters = platform->guest.counting, chosen = 0;

	for (uint32_t i = 0; i < MINIVMM_EVENTS; i++) {
		if (chosen == MINIVMM_OPENED || chosen == platform->guest.slots ||
		    events[i].reason != VPMU_REASON_NONE)
			continue;
		if (asked[i].type != VPMU_TYPE_HOST_SOFTWARE) {
			if (!counters)
				continue;
			counters--;
		}
		attrs[chosen] = attr_of(&asked[i]);
		events[i].slot = chosen++;
	}
	return chosen;
}

/* The events of the host's software make one group: the host reads them at one moment, in one
 * call. */
static void group_software(struct guest_perf_attr attrs[MINIVMM_OPENED], uint32_t count)
{
	uint32_t first = 0;

	while (first < count && attrs[first].type != VPMU_TYPE_HOST_SOFTWARE)
		first++;
	if (first < count)
		vpmu_guest_attrs_group(&attrs[first], (1ull << count) - (1ull << first));
}

static int open(struct platform *platform)
{
	struct guest_perf_attr attrs[MINIVMM_OPENED];
	struct guest_perf_event answers[MINIVMM_OPENED];
	struct minivmm_results *results = platform->results;
	uint32_t count = choose(platform, attrs);
	int error;

	if (!count)
		return 0;
	platform->opened = (1ull << count) - 1;
	group_software(attrs, count);
	step_begin(platform, MINIVMM_STEP_OPEN);
	error = vpmu_guest_open(&platform->guest, &platform->batch, platform->opened, attrs,
				VPMU_GUEST_ENABLE, answers, &results->failed);
	step_end(platform, MINIVMM_STEP_OPEN);
	for (uint32_t i = 0; !error && i < MINIVMM_EVENTS; i++) {
		struct minivmm_event *event = &results->events[i];

		if (event->slot == MINIVMM_NO_SLOT)
			continue;
		event->state = vpmu_guest_event_state(&answers[event->slot]);
		event->reason = vpmu_guest_event_reason(&answers[event->slot]);
	}
	return error;
}

static int read_fresh(struct platform *platform, struct guest_perf_event readings[MINIVMM_OPENED])
{
	uint64_t failed;
	int error;

	step_begin(platform, MINIVMM_STEP_FRESH);
	error = vpmu_guest_read_fresh(&platform->guest, &platform->batch, platform->opened,
				      readings, &failed);
	step_end(platform, MINIVMM_STEP_FRESH);
	return error;
}

/* What was published must be what was read: nothing was published since. */
static void read_stale(struct platform *platform,
		       const struct guest_perf_event fresh[MINIVMM_OPENED])
{
	struct minivmm_results *results = platform->results;

	step_begin(platform, MINIVMM_STEP_STALE);
	for (uint32_t slot = 0; slot < MINIVMM_OPENED; slot++) {
		struct guest_perf_event stale;

		if (!is_in(platform->opened, slot))
			continue;
		if (vpmu_guest_read_stale(&platform->guest, slot, &stale))
			results->stale_failures++;
		else if (stale.status != fresh[slot].status || stale.count != fresh[slot].count ||
			 stale.stamp != fresh[slot].stamp)
			results->stale_mismatches++;
	}
	step_end(platform, MINIVMM_STEP_STALE);
}

static void write_down(struct minivmm_reading *to, const struct guest_perf_event *from)
{
	to->count = from->count;
	to->time_enabled = from->time_enabled;
	to->time_running = from->time_running;
	to->continuity = from->continuity;
}

static void finish_span(struct platform *platform, struct minivmm_span *span,
			const struct guest_perf_event before[MINIVMM_OPENED],
			const struct guest_perf_event after[MINIVMM_OPENED])
{
	for (uint32_t slot = 0; slot < MINIVMM_OPENED; slot++) {
		struct vpmu_guest_delta delta;

		if (!is_in(platform->opened, slot))
			continue;
		write_down(&span->begin[slot], &before[slot]);
		write_down(&span->end[slot], &after[slot]);
		if (vpmu_guest_delta(&before[slot], &after[slot], &delta))
			span->broken |= 1ull << slot;
	}
	for (uint32_t i = 0; i < MINIVMM_EVENTS; i++) {
		struct minivmm_event *event = &platform->results->events[i];
		const struct guest_perf_event *last = &after[event->slot % MINIVMM_OPENED];

		if (event->slot == MINIVMM_NO_SLOT)
			continue;
		event->state = vpmu_guest_event_state(last);
		event->flags = vpmu_guest_event_flags(last);
		event->generation = (uint32_t)last->continuity;
		event->epoch = last->continuity >> 32;
	}
	span->measured = 1;
}

/* Runs a phase with a fresh reading at both its ends. */
static int measure(struct platform *platform, uint32_t number,
		   void (*work)(struct platform *platform))
{
	struct guest_perf_event before[MINIVMM_OPENED], after[MINIVMM_OPENED];
	int error;

	phase(platform, number);
	if (!platform->opened) {
		work(platform);
		return 0;
	}
	error = read_fresh(platform, before);
	if (error)
		return error;
	read_stale(platform, before);
	work(platform);
	error = read_fresh(platform, after);
	if (error)
		return error;
	read_stale(platform, after);
	finish_span(platform, &platform->results->spans[number], before, after);
	return 0;
}

static void compute(struct platform *platform)
{
	while (platform->time(platform) < platform->deadline)
		;
}

static void spin(struct platform *platform)
{
	platform->deadline = platform->time(platform) + platform->parameters->spin_us;
	platform->user(platform, compute);
}

static void write_pages(struct platform *platform)
{
	const uint64_t words_of_page = 4096 / sizeof(uint64_t);
	uint64_t pages = platform->parameters->touch_pages;

	for (uint64_t page = 0; page < pages && page < platform->touch_bytes / 4096; page++)
		*(volatile uint64_t *)&platform->touch[page * words_of_page] = page;
}

static void touch(struct platform *platform)
{
	platform->user(platform, write_pages);
}

static void halt(struct platform *platform)
{
	platform->sleep(platform, (uint32_t)platform->parameters->halt_us);
}

static int enough_pmis(const struct platform *platform)
{
	const volatile uint64_t *taken = &platform->results->pmi_taken;

	return *taken >= platform->parameters->pmi_count;
}

static void wait_for_pmis(struct platform *platform)
{
	while (!enough_pmis(platform) && platform->time(platform) < platform->deadline)
		;
}

int guest_pmi_on(struct platform *platform)
{
	struct vpmu_guest *guest = &platform->guest;
	uint32_t mode = platform->vcpu % 2 ? VPMU_PMI_VECTOR : VPMU_PMI_NMI;
	int error = VPMU_GUEST_UNSUPPORTED;

	for (uint32_t tries = 0; error == VPMU_GUEST_UNSUPPORTED && tries < 2; tries++) {
		error = vpmu_guest_pmi_set(guest, VPMU_CONTEXT_TASK, mode,
					   mode == VPMU_PMI_VECTOR ? MINIVMM_VECTOR_PMI : 0);
		if (!error)
			platform->results->pmi_mode = mode;
		mode = VPMU_PMI_NMI + VPMU_PMI_VECTOR - mode;
	}
	return error;
}

static int sample(struct platform *platform, uint64_t slot)
{
	struct vpmu_guest *guest = &platform->guest;
	struct minivmm_results *results = platform->results;
	struct guest_perf_event event = { 0 };
	uint64_t period = platform->parameters->pmi_period, failed;
	struct guest_perf_attr attr = { .type = VPMU_TYPE_HOST_SOFTWARE,
					.config = VPMU_SOFTWARE_TASK_CLOCK,
					.flags = VPMU_ATTR_PMI };
	int error;

	if (!(guest->features & VPMU_FEATURE_HOST_SOFTWARE)) {
		attr.type = VPMU_TYPE_HARDWARE;
		attr.config = VPMU_HARDWARE_INSTRUCTIONS;
	}
	attr.sample_period = period < guest->period_floor ? guest->period_floor : period;
	platform->ready = 1;
	error = vpmu_guest_open(guest, &platform->batch, slot, &attr, VPMU_GUEST_ENABLE, &event,
				&failed);
	if (error || failed)
		return error;
	platform->deadline = platform->time(platform) + platform->parameters->pmi_limit_us;
	platform->user(platform, wait_for_pmis);
	error = vpmu_guest_close(guest, &platform->batch, slot, &event, &failed);
	results->pmi_lost = event.lost;
	results->pmi_count = event.count;
	return error;
}

static int take_pmis(struct platform *platform)
{
	uint64_t slot = vpmu_guest_slots_pick(&platform->guest, platform->opened, 1);
	int error;

	phase(platform, MINIVMM_PHASE_PMI);
	error = guest_pmi_on(platform);
	if (error == VPMU_GUEST_UNSUPPORTED || !slot)
		return 0;
	return error ? error : sample(platform, slot);
}

void guest_pmi(struct platform *platform)
{
	struct minivmm_results *results = platform->results;
	uint64_t slots;
	int claimed;

	if (!platform->ready) {
		results->pmi_spurious++;
		return;
	}
	step_begin(platform, MINIVMM_STEP_PMI);
	claimed = vpmu_guest_pmi(&platform->guest, &platform->interrupt_batch, &slots, NULL);
	step_end(platform, MINIVMM_STEP_PMI);
	if (claimed < 0)
		results->pmi_errors++;
	if (!claimed)
		results->pmi_spurious++;
	if (claimed <= 0)
		return;
	for (; slots; slots &= slots - 1)
		results->pmi_overflows++;
	results->pmi_taken++;
}

static int finish(struct platform *platform)
{
	uint64_t failed;
	int error = 0;

	phase(platform, MINIVMM_PHASE_CLOSE);
	if (platform->opened)
		error = vpmu_guest_close(&platform->guest, &platform->batch, platform->opened, NULL,
					 &failed);
	return error ? error :
		       vpmu_guest_reset(&platform->guest, VPMU_CONTEXT_TASK, VPMU_RESET_VCPU);
}

static int work(struct platform *platform)
{
	int error;

	if (platform->parameters->roam)
		return guest_roam(platform);
	phase(platform, MINIVMM_PHASE_CHECK);
	error = check(platform);
	phase(platform, MINIVMM_PHASE_OPEN);
	if (!error)
		error = open(platform);
	if (!error)
		error = measure(platform, MINIVMM_PHASE_SPIN, spin);
	if (!error)
		error = measure(platform, MINIVMM_PHASE_TOUCH, touch);
	if (!error)
		error = measure(platform, MINIVMM_PHASE_HALT, halt);
	if (!error)
		error = take_pmis(platform);
	return error ? error : finish(platform);
}

uint32_t guest_run(struct platform *platform)
{
	struct minivmm_results *results = platform->results;
	int error;

	results->magic = MINIVMM_MAGIC;
	results->version = MINIVMM_VERSION;
	phase(platform, MINIVMM_PHASE_START);
	if (platform->parameters->magic != MINIVMM_MAGIC ||
	    platform->parameters->version != MINIVMM_VERSION)
		return panic(platform, MINIVMM_PANIC_PARAMETERS, 0);
	error = begin(platform);
	if (error)
		return panic(platform, MINIVMM_PANIC_NO_DEVICE, error);
	error = work(platform);
	if (error)
		return panic(platform, MINIVMM_PANIC_DEVICE, error);
	results->complete = 1;
	platform->mark(platform, MINIVMM_PORT_DONE, 0);
	return 0;
}
