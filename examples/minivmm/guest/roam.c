/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that is moved while it counts. It does not know of it: it reads its events again and
 * again, and writes down whatever no guest may ever see. What it has open changes on the way, and
 * so does its memory.
 */
#include "platform.h"

#define GROUP 0x7ull   /* three events that are read at one moment */
#define SAMPLED 0x8ull /* one that raises PMIs */
#define CHANGING 0x10ull
#define ALL (GROUP | SAMPLED | CHANGING)
#define SLOTS 5u
#define SAMPLED_SLOT 3u
#define ROUNDS_PER_CHANGE 8u
#define ROUNDS_PER_SLEEP 32u

struct roamer {
	struct platform *platform;
	struct minivmm_roaming *seen;
	struct guest_perf_event last[SLOTS];
	uint32_t known; /* 1: last holds readings */
};

static struct guest_perf_attr event_of(uint32_t software)
{
	return (struct guest_perf_attr){ .type = VPMU_TYPE_HOST_SOFTWARE, .config = software };
}

static int open_events(struct roamer *roamer, uint64_t slots, const struct guest_perf_attr *attrs)
{
	struct platform *platform = roamer->platform;
	struct guest_perf_event answers[SLOTS];
	uint64_t failed = 0;
	int error = vpmu_guest_open(&platform->guest, &platform->batch, slots, attrs,
				    VPMU_GUEST_ENABLE, answers, &failed);

	roamer->seen->errors += failed != 0;
	return error;
}

static int open_changing(struct roamer *roamer)
{
	static const uint32_t kinds[] = { VPMU_SOFTWARE_PAGE_FAULTS, VPMU_SOFTWARE_CPU_CLOCK };
	const struct guest_perf_attr attr = event_of(kinds[roamer->seen->reopened % 2]);

	return open_events(roamer, CHANGING, &attr);
}

static int begin(struct roamer *roamer)
{
	struct platform *platform = roamer->platform;
	struct guest_perf_attr group[] = { event_of(VPMU_SOFTWARE_TASK_CLOCK),
					   event_of(VPMU_SOFTWARE_CONTEXT_SWITCHES),
					   event_of(VPMU_SOFTWARE_CPU_MIGRATIONS) };
	struct guest_perf_attr sampled = event_of(VPMU_SOFTWARE_TASK_CLOCK);
	int error = guest_pmi_on(platform);

	vpmu_guest_attrs_group(group, GROUP);
	sampled.flags = VPMU_ATTR_PMI;
	sampled.sample_period = platform->parameters->pmi_period;
	platform->ready = 1;
	if (!error)
		error = open_events(roamer, GROUP, group);
	if (!error)
		error = open_events(roamer, SAMPLED, &sampled);
	return error ? error : open_changing(roamer);
}

static void check_event(struct roamer *roamer, uint32_t slot, const struct guest_perf_event *now)
{
	const struct guest_perf_event *last = &roamer->last[slot];
	struct minivmm_roaming *seen = roamer->seen;

	seen->above += now->time_running > now->time_enabled;
	seen->errors += vpmu_guest_event_state(now) == VPMU_STATE_ERROR;
	seen->incomplete += (vpmu_guest_event_flags(now) & VPMU_EVENT_INCOMPLETE) != 0;
	if (!roamer->known || (uint32_t)now->continuity != (uint32_t)last->continuity)
		return;
	seen->backwards += now->count < last->count || now->lost < last->lost ||
			   now->time_enabled < last->time_enabled ||
			   now->time_running < last->time_running;
}

static int read_all(struct roamer *roamer)
{
	struct platform *platform = roamer->platform;
	struct guest_perf_event now[SLOTS];
	uint64_t failed = 0;
	int error = vpmu_guest_read_fresh(&platform->guest, &platform->batch, ALL, now, &failed);

	if (error)
		return error;
	roamer->seen->errors += failed != 0;
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		check_event(roamer, slot, &now[slot]);
	roamer->seen->epoch_changes += roamer->known &&
				       now[0].continuity >> 32 != roamer->last[0].continuity >> 32;
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		roamer->last[slot] = now[slot];
	roamer->known = 1;
	roamer->seen->rounds++;
	return 0;
}

/* Another event in a slot: what was made ready elsewhere for the one before is stale. */
static int change(struct roamer *roamer)
{
	struct platform *platform = roamer->platform;
	struct guest_perf_event last;
	uint64_t failed;
	int error = vpmu_guest_close(&platform->guest, &platform->batch, CHANGING, &last, &failed);

	roamer->seen->reopened++;
	return error ? error : open_changing(roamer);
}

static void compute(struct platform *platform)
{
	uint64_t pages = platform->touch_bytes / 4096;
	uint64_t page = platform->deadline % pages;

	platform->touch[page * (4096 / sizeof(uint64_t))]++;
	while (platform->time(platform) < platform->deadline)
		;
}

static int one_round(struct roamer *roamer)
{
	struct platform *platform = roamer->platform;
	int error;

	platform->deadline = platform->time(platform) + platform->parameters->spin_us;
	platform->user(platform, compute);
	if (roamer->seen->rounds % ROUNDS_PER_SLEEP == ROUNDS_PER_SLEEP - 1)
		platform->sleep(platform, (uint32_t)platform->parameters->halt_us);
	error = read_all(roamer);
	if (!error && roamer->seen->rounds % ROUNDS_PER_CHANGE == 0)
		error = change(roamer);
	return error;
}

static int read_pending(struct platform *platform, uint64_t *pending)
{
	return platform->guest.way->read(platform->guest.opaque, VPMU_CONTEXT_TASK,
					 VPMU_REG_PENDING, pending);
}

/*
 * Every overflow was announced by a PMI, is pending, or is told as lost, once each. The event is
 * stopped first; a PMI that is still under way comes between two accesses, so all is read until
 * none did.
 */
static int account(struct roamer *roamer)
{
	struct platform *platform = roamer->platform;
	const struct guest_perf_event *sampled = &roamer->last[SAMPLED_SLOT];
	const volatile uint64_t *taken = &platform->results->pmi_overflows;
	uint64_t before, pending = 0, pending_after = 0, told, failed;
	int error = vpmu_guest_disable(&platform->guest, &platform->batch, SAMPLED, NULL, &failed);

	if (error)
		return error;
	do {
		before = *taken;
		error = read_pending(platform, &pending);
		if (!error)
			error = read_all(roamer);
		if (!error)
			error = read_pending(platform, &pending_after);
	} while (!error && (before != *taken || pending != pending_after));
	told = before + sampled->lost + (pending >> SAMPLED_SLOT & 1);
	roamer->seen->miscounted += !error &&
				    told != sampled->count / platform->parameters->pmi_period;
	return error;
}

int guest_roam(struct platform *platform)
{
	const volatile uint64_t *finish = &platform->parameters->finish;
	struct roamer roamer = { .platform = platform, .seen = &platform->results->roaming };
	struct vpmu_guest *guest = &platform->guest;
	int error = begin(&roamer);

	while (!error && !*finish)
		error = one_round(&roamer);
	if (!error)
		error = account(&roamer);
	if (error)
		return error;
	roamer.seen->task_clock = roamer.last[0].count;
	return guest->way->read(guest->opaque, VPMU_CONTEXT_TASK, VPMU_REG_EPOCH,
				&roamer.seen->epoch);
}
