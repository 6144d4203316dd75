/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Anything in any order behind the gate, beside a model that knows who ran when: what is told of
 * guest events is what the runs held, never more, and less only where an error was told: a counter
 * that was lost, or a call that failed. VPMU_TEST_SEED repeats a run.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "runner/random.h"
#include "source_fixture.h"

#define GROUPS 4u
#define EVENTS 3u
#define STEPS 20000u

/* What the model knows of an open group; counts are those of an event with one per ns. */
struct modelled {
	void *group;
	uint64_t guest, thread;	    /* while it was on */
	uint64_t told, told_thread; /* of a guest event, of a host-software one */
	uint32_t on;
	uint32_t lossy; /* an error was told */
};

static struct modelled groups[GROUPS];
static uint32_t inside;
static uint64_t state;

static uint64_t pick(uint64_t below)
{
	return xorshift64(&state) % below;
}

static void pass(void)
{
	uint64_t ns = 1 + pick(1000);

	fake_pass(&fake, ns, ns);
	for (uint32_t i = 0; i < GROUPS; i++) {
		if (!groups[i].group || !groups[i].on)
			continue;
		groups[i].thread += ns;
		groups[i].guest += inside ? ns : 0;
	}
}

/* Outside no event of a guest is to give notice, whatever was asked for and refused before. */
static void check_notices(void)
{
	for (uint32_t i = 0; i < FAKE_EVENTS; i++) {
		const struct fake_event *event = &fake.events[i];

		if (event->used && event->async && event->attr.type == PERF_TYPE_HARDWARE &&
		    fake.events[event->leader].on)
			CHECK_EQ(event->attr.sample_period, FAR);
	}
}

static void cross(void)
{
	(void)ops->edge(perf, attached, inside ? VPMU_EDGE_LEAVE : VPMU_EDGE_ENTER);
	inside = !inside;
}

static int open_group(struct modelled *m)
{
	struct vpmu_source_event events[EVENTS] = {
		{ .attr = { .type = VPMU_TYPE_HARDWARE, .config = VPMU_HARDWARE_CYCLES },
		  .left = pick(2) ? 10000 + pick(50000) : 0 },
		{ .attr = { .type = VPMU_TYPE_HARDWARE, .config = VPMU_HARDWARE_CYCLES } },
		{ .attr = { .type = VPMU_TYPE_HOST_SOFTWARE, .config = VPMU_SOFTWARE_CPU_CLOCK } },
	};
	struct vpmu_source_opened opened = { 0 };
	int error = ops->open(perf, attached, events, EVENTS, 0, &opened);

	*m = (struct modelled){ .group = opened.group };
	return error;
}

static void read_group(struct modelled *m)
{
	struct vpmu_source_reading r = { .count = EVENTS };
	int error = ops->read(perf, attached, m->group, &r);

	m->lossy |= error < 0;
	m->told += r.increase[0];
	m->told_thread += r.increase[2];
	CHECK_EQ(r.increase[0], r.increase[1]);
	CHECK(m->told <= m->guest);
	CHECK(m->told_thread <= m->thread);
	if (!m->lossy)
		CHECK_EQ(m->told, m->guest);
}

static void run_group(struct modelled *m, uint32_t on)
{
	if (ops->run(perf, attached, m->group, on) < 0)
		m->lossy = 1;
	else
		m->on = on;
}

static void close_modelled(struct modelled *m)
{
	if (m->on)
		run_group(m, 0);
	read_group(m);
	if (!m->lossy)
		CHECK_EQ(m->told_thread, m->thread);
	ops->close(perf, attached, m->group, (uint32_t)pick(2));
	*m = (struct modelled){ 0 };
}

/* A pinned group loses its counters. */
static void lose(void)
{
	uint32_t at = (uint32_t)pick(FAKE_EVENTS);
	struct fake_event *event = &fake.events[at];

	if (!event->used || event->leader != at || !event->on || !event->attr.pinned)
		return;
	event->dead = 1;
}

static void fail(void)
{
	static const enum fake_call calls[] = { FAKE_OPEN, FAKE_IOCTL, FAKE_READ, FAKE_FCNTL };

	fake_fail(&fake, calls[pick(4)], (uint32_t)pick(4), 1, -EIO);
}

static void one_step(uint32_t failures)
{
	struct modelled *m = &groups[pick(GROUPS)];

	switch (pick(failures ? 9 : 7)) {
	case 0:
	case 1:
		cross();
		break;
	case 2:
		if (!m->group)
			(void)open_group(m);
		else if (pick(8) == 0)
			close_modelled(m);
		break;
	case 3:
		if (!m->group)
			break;
		run_group(m, !m->on);
		/* As the core does: a start that lost its counters, and what was lost before a
		 * pause, shows. */
		read_group(m);
		break;
	case 4:
		if (m->group)
			read_group(m);
		break;
	case 5:
		if (m->group && ops->period(perf, attached, m->group, (uint32_t)pick(2),
					    pick(3) ? 10000 + pick(50000) : 0) < 0)
			m->lossy = 1;
		break;
	case 7:
		if (pick(50) == 0)
			lose();
		break;
	case 8:
		if (pick(50) == 0)
			fail();
		break;
	default:
		if (pick(100) == 0)
			(void)ops->edge(perf, attached, VPMU_EDGE_SLICE);
		break;
	}
	pass();
	if (!inside && !failures)
		check_notices();
}

static void live(uint32_t failures)
{
	state = test_seed() * 0x9e3779b97f4a7c15;
	fake_begin(&fake);
	memset(groups, 0, sizeof(groups));
	inside = 0;
	begin(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_LOONGARCH, SIGUSR2);
	cross();
	cross();
	for (uint32_t step = 0; step < STEPS; step++)
		one_step(failures);
	for (uint32_t i = 0; i < GROUPS; i++)
		if (groups[i].group)
			close_modelled(&groups[i]);
	end();
}

static void every_count_is_the_runs(void)
{
	live(0);
}

static void no_count_is_the_vmms(void)
{
	live(1);
}

const struct test_case test_cases[] = {
	{ "R-SLOT-12", "every count is the runs'", every_count_is_the_runs },
	{ "R-SLOT-12", "no count is the VMM's", no_count_is_the_vmms },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
