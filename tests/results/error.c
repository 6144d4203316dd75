/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The error of multiplexed events against the truth: 1 to 4 times more events than counters, on
 * LoongArch's PMU, where any of the 4 counters counts any event. A vCPU runs 7 of each 11 ms, user
 * and kernel code, and exits each half ms; its work changes kind every 1 to 30 ms.
 */
#include <stdio.h>
#include <string.h>

#include "results.h"

#define COUNTERS 4
#define MOST_EVENTS 16
#define SEEDS 12
#define DURATION (1200 * MS)
#define KINDS 3
#define SLICE (4 * MS)

/* Instructions stand in each group of four, for ratios. */
static const struct {
	uint64_t event;
	uint64_t flags;
} events[MOST_EVENTS] = {
	{ 2, 0 },
	{ 4, 0 },
	{ 6, 0 },
	{ 1, 0 },
	{ 2, VPMU_ATTR_EXCLUDE_KERNEL },
	{ 4, VPMU_ATTR_EXCLUDE_KERNEL },
	{ 6, VPMU_ATTR_EXCLUDE_KERNEL },
	{ 5, VPMU_ATTR_EXCLUDE_KERNEL },
	{ 2, 0 },
	{ 3, 0 },
	{ 5, 0 },
	{ 6, VPMU_ATTR_EXCLUDE_USER },
	{ 2, VPMU_ATTR_EXCLUDE_USER },
	{ 3, VPMU_ATTR_EXCLUDE_USER },
	{ 1, VPMU_ATTR_EXCLUDE_USER },
	{ 4, VPMU_ATTR_EXCLUDE_USER },
};

enum method { HOST_SINGLES, HOST_GROUPS, GUEST_ITSELF, GUEST_OVER_HOST, METHODS };

struct run {
	struct stage stage;
	void *task, *host;
	enum method method;
	uint32_t count;
	uint64_t seed;
	uint64_t kind_until;
	uint64_t rates[KINDS][VPMU_SIM_LEVELS][8];
	void *groups[MOST_EVENTS + 2]; /* and the host's */
	uint32_t turn;		       /* of the guest's own rotation */
	uint64_t turn_at, guest_time;  /* ns of guest code */
	uint64_t on_time[MOST_EVENTS]; /* of that, with the event on */
	uint64_t counted[MOST_EVENTS], enabled[MOST_EVENTS], running[MOST_EVENTS];
	uint64_t truth_before[MOST_EVENTS];
};

/* Sums of parts per million. */
struct errors {
	uint64_t sum, most, number;
};

static uint64_t truth_of(const struct run *run, uint32_t event)
{
	uint64_t sum = 0;

	if (!(events[event].flags & VPMU_ATTR_EXCLUDE_USER))
		sum += vpmu_sim_truth(run->stage.sim, 0, VPMU_SIM_GUEST_USER,
				      (uint32_t)events[event].event);
	if (!(events[event].flags & VPMU_ATTR_EXCLUDE_KERNEL))
		sum += vpmu_sim_truth(run->stage.sim, 0, VPMU_SIM_GUEST_KERNEL,
				      (uint32_t)events[event].event);
	return sum;
}

/* Kinds of work differ by up to 16 times in an event. */
static void rates_choose(struct run *run)
{
	static const uint64_t typical[8] = { 0, 3000, 4000, 60, 8, 700, 12, 0 };

	for (uint32_t kind = 0; kind < KINDS; kind++)
		for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++)
			for (uint32_t event = 1; event <= 6; event++)
				run->rates[kind][level][event] =
					(typical[event] << 10)
						<< chance(&run->seed, event == 1 ? 1 : 5) >>
					2;
}

static void rates_set(struct run *run)
{
	uint64_t kind;

	if (stage_now(&run->stage) < run->kind_until)
		return;
	kind = chance(&run->seed, KINDS);
	run->kind_until = stage_now(&run->stage) + MS * (1 + chance(&run->seed, 30));
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++)
		for (uint32_t event = 1; event <= 6; event++)
			must(vpmu_sim_rate(run->stage.sim, 0, level, event,
					   run->rates[kind][level][event]),
			     "a rate");
}

static uint32_t group_size(const struct run *run)
{
	return run->method == HOST_GROUPS ? COUNTERS : 1;
}

static void open_all(struct run *run)
{
	uint32_t size = group_size(run);
	int on = run->method == HOST_SINGLES || run->method == HOST_GROUPS;

	for (uint32_t i = 0; i < run->count; i += size) {
		struct vpmu_source_event made[COUNTERS];
		struct vpmu_source_opened opened;

		memset(made, 0, sizeof(made));
		for (uint32_t n = 0; n < size; n++) {
			made[n].attr.type = VPMU_TYPE_HARDWARE;
			made[n].attr.config = events[i + n].event;
			made[n].attr.flags = events[i + n].flags;
			made[n].tag = i + n;
		}
		must(run->stage.ops->open(run->stage.direct, run->task, made, size,
					  run->method == GUEST_ITSELF ? 0 : VPMU_SOURCE_FLEXIBLE,
					  &opened),
		     "a group");
		run->groups[i] = opened.group;
		if (on)
			must(run->stage.ops->run(run->stage.direct, run->task, opened.group, 1),
			     "a start");
	}
}

static void host_open(struct run *run)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct vpmu_source_event event = { .attr = { .type = VPMU_TYPE_HARDWARE,
							     .config = 1 } };
		struct vpmu_source_opened opened;

		must(run->stage.ops->open(run->stage.direct, run->host, &event, 1, 0, &opened),
		     "the host's");
		must(run->stage.ops->run(run->stage.direct, run->host, opened.group, 1), "start");
		run->groups[run->count + i] = opened.group;
	}
}

static void read_one(struct run *run, uint32_t first)
{
	struct vpmu_source_reading reading = { .count = group_size(run) };

	must(run->stage.ops->read(run->stage.direct, run->task, run->groups[first], &reading),
	     "a reading");
	for (uint32_t n = 0; n < reading.count; n++) {
		run->counted[first + n] += reading.increase[n];
		run->enabled[first + n] += reading.enabled;
		run->running[first + n] += reading.running;
	}
}

/* The guest's own rotation: four events at a time, a new four each 4 ms of its time. */
static void turn(struct run *run, uint32_t on)
{
	for (uint32_t n = 0; n < COUNTERS && n < run->count; n++) {
		uint32_t event = (run->turn * COUNTERS + n) % run->count;

		must(run->stage.ops->run(run->stage.direct, run->task, run->groups[event], on),
		     "a turn");
	}
}

static void guest_rotates(struct run *run)
{
	if (run->method != GUEST_ITSELF && run->method != GUEST_OVER_HOST)
		return;
	if (run->guest_time < run->turn_at)
		return;
	turn(run, 0);
	run->turn++;
	run->turn_at = run->guest_time + SLICE;
	turn(run, 1);
}

static void guest_passes(struct run *run, uint32_t level, uint64_t ns)
{
	int by_turns = run->method == GUEST_ITSELF || run->method == GUEST_OVER_HOST;

	rates_set(run);
	stage_pass(&run->stage, level, ns);
	run->guest_time += ns;
	for (uint32_t n = 0; by_turns && n < COUNTERS && n < run->count; n++)
		run->on_time[(run->turn * COUNTERS + n) % run->count] += ns;
}

static void work(struct run *run)
{
	uint64_t cycle = 11 * MS, on = 7 * MS;

	while (stage_now(&run->stage) < DURATION) {
		if (stage_now(&run->stage) % cycle >= on) {
			stage_edge(&run->stage, run->task, VPMU_EDGE_SCHED_OUT);
			stage_pass(&run->stage, VPMU_SIM_HOST,
				   cycle - stage_now(&run->stage) % cycle);
			stage_edge(&run->stage, run->task, VPMU_EDGE_SCHED_IN);
		}
		stage_edge(&run->stage, run->task, VPMU_EDGE_ENTER);
		guest_passes(run, VPMU_SIM_GUEST_USER, 400000);
		guest_passes(run, VPMU_SIM_GUEST_KERNEL, 100000);
		stage_edge(&run->stage, run->task, VPMU_EDGE_LEAVE);
		vpmu_direct_tick(run->stage.direct, 0);
		guest_rotates(run);
		stage_pass(&run->stage, VPMU_SIM_HOST, 3000);
	}
}

static void run_once(struct run *run, enum method method, uint32_t count, uint64_t seed)
{
	struct vpmu_sim_config config = stage_config(VPMU_CONVERT_MODEL_LOONGARCH);

	memset(run, 0, sizeof(*run));
	run->method = method;
	run->count = count;
	run->seed = seed * 0x9e3779b97f4a7c15ull | 1;
	config.counters = COUNTERS;
	stage_begin(&run->stage, &config, SLICE);
	run->task = stage_task(&run->stage);
	run->host = stage_host(&run->stage);
	rates_choose(run);
	open_all(run);
	if (method == GUEST_ITSELF || method == GUEST_OVER_HOST)
		turn(run, 1);
	run->turn_at = SLICE;
	if (method == GUEST_OVER_HOST)
		host_open(run);
	work(run);
	for (uint32_t i = 0; i < count; i += group_size(run))
		read_one(run, i);
}

static void run_end(struct run *run)
{
	for (uint32_t i = 0; i < run->count; i += group_size(run))
		run->stage.ops->close(run->stage.direct, run->task, run->groups[i], 0);
	for (uint32_t i = 0; i < 2 && run->method == GUEST_OVER_HOST; i++)
		run->stage.ops->close(run->stage.direct, run->host, run->groups[run->count + i], 0);
	run->stage.ops->detach(run->stage.direct, run->task);
	run->stage.ops->detach(run->stage.direct, run->host);
	stage_end(&run->stage);
}

static void error_add(struct errors *errors, double seen, double truth)
{
	double apart = seen > truth ? seen - truth : truth - seen;
	uint64_t ppm = truth > 0 ? (uint64_t)(apart * 1000000 / truth + 0.5) : 0;

	errors->sum += ppm;
	errors->most = ppm > errors->most ? ppm : errors->most;
	errors->number++;
}

static double scaled(uint64_t count, uint64_t whole, uint64_t part)
{
	return part ? (double)count * (double)whole / (double)part : 0;
}

static void error_print(const char *name, uint32_t times, const struct errors *errors)
{
	static int before;

	printf("%s\n    { \"method\": \"%s\", \"times\": %u, \"mean_ppm\": %llu, \"most_ppm\": %llu }",
	       before ? "," : "", name, times, (unsigned long long)(errors->sum / errors->number),
	       (unsigned long long)errors->most);
	before = 1;
}

static void measure(enum method method, uint32_t times)
{
	static struct run run;
	struct errors raw = { 0, 0, 0 }, good = { 0, 0, 0 }, ratio = { 0, 0, 0 };
	static const char *const names[METHODS] = { "host", "host groups", "guest itself",
						    "guest over host" };
	char name[64];

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		run_once(&run, method, COUNTERS * times, seed);
		for (uint32_t i = 0; i < run.count; i++) {
			double truth = (double)truth_of(&run, i);
			uint64_t whole = method >= GUEST_ITSELF ? run.guest_time : run.enabled[i];
			uint32_t lead = i - i % COUNTERS;
			double estimate = scaled(run.counted[i], whole, run.running[i]);
			double leads = scaled(run.counted[lead], whole, run.running[lead]);

			error_add(&raw,
				  method >= GUEST_ITSELF ?
					  scaled(run.counted[i], whole, run.on_time[i]) :
					  (double)run.counted[i],
				  truth);
			error_add(&good, estimate, truth);
			if (i != lead)
				error_add(&ratio, leads > 0 ? estimate / leads : 0,
					  truth / (double)truth_of(&run, lead));
		}
		run_end(&run);
	}
	if (method == HOST_SINGLES)
		error_print("raw", times, &raw);
	if (method == GUEST_OVER_HOST)
		error_print("guest over host, host's times not known", times, &raw);
	snprintf(name, sizeof(name), "%s, scaled", names[method]);
	error_print(name, times, &good);
	if (method <= HOST_GROUPS) {
		snprintf(name, sizeof(name), "%s, ratio to the leader", names[method]);
		error_print(name, times, &ratio);
	}
}

void results_error(void)
{
	printf("  \"error\": [");
	for (uint32_t method = 0; method < METHODS; method++)
		for (uint32_t times = 1; times <= 4; times++)
			measure((enum method)method, times);
	printf("\n  ]");
}
