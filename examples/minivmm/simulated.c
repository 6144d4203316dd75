/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The guest on a simulated PMU. Its program is the same and runs in this process, one vCPU after
 * the other, each on a CPU of its own; time is virtual and passes where the program asks for it,
 * sleeps, or exits. So there is a truth for cycles, instructions, cache and branch events, whatever
 * machine this is.
 *
 * The PMU has fewer counters than the guest has events, and a host that profiles beside it, so that
 * the guest's events are multiplexed. While the guest sleeps the host takes the PMU away, and gives
 * it back.
 */

#include <stdlib.h>
#include <string.h>

#include <vpmu/convert.h>

#include "guest/platform.h"
#include "simulated.h"

#define EXIT_NS 2000u
#define STEP_NS 1000u
#define SLEEP_STEP_NS 500000u
#define SLICE_NS 1000000u
/* The work of the guest changes between two kinds that often. */
#define WINDOW_NS 5300000u

/* The vCPU whose program runs; there is one at a time. */
static struct inside {
	struct platform platform; /* first: the guest's functions get only this */
	struct vcpu *vcpu;
	struct simulated *simulated;
	uint32_t level; /* of the guest's code */
	int due;	/* a PMI was injected and not yet taken */
	int handles;	/* the guest is in its handler */
} inside;

/* ---- the machine ---- */

static const struct {
	uint32_t event;
	/* in a thousand ns, times 1000: guest user, guest kernel, host; and the same for the other
	 * kind of work */
	uint32_t rates[2][VPMU_SIM_LEVELS];
} workload[] = {
	{ VPMU_HARDWARE_CYCLES, { { 3000000, 3000000, 3000000 }, { 2700000, 3000000, 3000000 } } },
	{ VPMU_HARDWARE_INSTRUCTIONS,
	  { { 5100000, 1800000, 1500000 }, { 2100000, 1800000, 1500000 } } },
	{ VPMU_HARDWARE_CACHE_REFERENCES, { { 40000, 60000, 90000 }, { 260000, 60000, 90000 } } },
	{ VPMU_HARDWARE_CACHE_MISSES, { { 2000, 9000, 12000 }, { 61000, 9000, 12000 } } },
	{ VPMU_HARDWARE_BRANCHES, { { 900000, 400000, 330000 }, { 380000, 400000, 330000 } } },
	{ VPMU_HARDWARE_BRANCH_MISSES, { { 5000, 7000, 6000 }, { 19000, 7000, 6000 } } },
	{ VPMU_HARDWARE_BUS_CYCLES, { { 100000, 100000, 100000 }, { 100000, 100000, 100000 } } },
	{ VPMU_HARDWARE_REF_CYCLES,
	  { { 2500000, 2500000, 2500000 }, { 2500000, 2500000, 2500000 } } },
};

static void rates_set(struct simulated *simulated, uint32_t cpu, uint32_t kind)
{
	for (uint32_t i = 0; i < sizeof(workload) / sizeof(workload[0]); i++)
		for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++)
			vpmu_sim_rate(simulated->sim, cpu, level, workload[i].event,
				      workload[i].rates[kind][level] * (1ull << 20) / 1000000);
}

static uint64_t direct_clock(void *opaque, uint32_t cpu)
{
	const struct simulated *simulated = opaque;

	return vpmu_sim_time(simulated->sim, cpu);
}

static uint32_t direct_cpu(void *opaque)
{
	const struct simulated *simulated = opaque;

	return simulated->cpu;
}

static void *direct_allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, size);
}

static void direct_release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

static int sim_make(struct simulated *simulated, uint32_t model)
{
	struct vpmu_sim_config config;
	uint64_t identity[4];
	int error = vpmu_sim_config_default(model, &config);

	if (error)
		return error;
	config.cpus = VCPUS;
	if (model == VPMU_CONVERT_MODEL_INTEL)
		config.counters = 4;
	simulated->memory = calloc(1, vpmu_sim_size(&config));
	if (!simulated->memory)
		return VPMU_ERROR_NO_MEMORY;
	error = vpmu_sim_create(&config, simulated->memory, vpmu_sim_size(&config),
				&simulated->sim);
	if (error)
		return error;
	vpmu_sim_registers(simulated->sim, &simulated->registers);
	vpmu_sim_identity(simulated->sim, identity);
	return vpmu_hardware_describe(model, identity, &simulated->hardware);
}

static int direct_make(struct simulated *simulated)
{
	const struct vpmu_direct_config config = {
		.size = sizeof(config),
		.hardware = &simulated->hardware,
		.registers = &simulated->registers,
		.opaque = simulated,
		.allocate = direct_allocate,
		.release = direct_release,
		.clock = direct_clock,
		.cpu = direct_cpu,
		.slice = SLICE_NS,
		.cpus = VCPUS,
	};

	return vpmu_direct_create(&config, &simulated->direct);
}

static uint64_t virtual_now(void)
{
	return inside.vcpu ? vpmu_sim_time(inside.simulated->sim, inside.vcpu->number) : 0;
}

int simulated_create(struct machine *machine, struct vpmu_config *config,
		     struct vpmu_profile *profile)
{
	struct simulated *simulated = calloc(1, sizeof(*simulated));
	int error;

	if (!simulated)
		return VPMU_ERROR_NO_MEMORY;
	machine->simulated = simulated;
	machine->now = virtual_now;
	error = sim_make(simulated, machine->options.simulated);
	if (!error)
		error = direct_make(simulated);
	config->source = vpmu_direct_ops();
	config->source_opaque = simulated->direct;
	/* More events than there are counters: the host multiplexes. */
	profile->features &= ~(uint64_t)VPMU_FEATURE_HOST_SOFTWARE;
	profile->features |= VPMU_FEATURE_FLEXIBLE;
	profile->software_events = 0;
	profile->counting = MINIVMM_OPENED;
	return error;
}

void simulated_destroy(struct machine *machine)
{
	if (!machine->simulated)
		return;
	vpmu_direct_destroy(machine->simulated->direct);
	free(machine->simulated->memory);
	free(machine->simulated);
}

void simulated_truth(const struct simulated *simulated, uint32_t cpu, struct truth *truth)
{
	for (uint32_t event = 1; event <= VPMU_HARDWARE_REF_CYCLES; event++)
		truth->hardware[event] =
			vpmu_sim_truth(simulated->sim, cpu, VPMU_SIM_GUEST_USER, event) +
			vpmu_sim_truth(simulated->sim, cpu, VPMU_SIM_GUEST_KERNEL, event);
}

/* ---- time ---- */

/* So many ns at a level, or fewer: until the PMU interrupts. */
static uint64_t pass(uint32_t level, uint64_t ns)
{
	struct simulated *simulated = inside.simulated;
	uint32_t cpu = inside.vcpu->number;
	uint64_t left = WINDOW_NS - vpmu_sim_time(simulated->sim, cpu) % WINDOW_NS;

	rates_set(simulated, cpu, vpmu_sim_time(simulated->sim, cpu) / WINDOW_NS & 1);
	vpmu_sim_level(simulated->sim, cpu, level);
	return vpmu_sim_advance(simulated->sim, cpu, ns < left ? ns : left);
}

static void host_interrupts(void)
{
	struct simulated *simulated = inside.simulated;
	uint32_t cpu = inside.vcpu->number;

	if (vpmu_sim_interrupt(simulated->sim, cpu))
		vpmu_direct_interrupt(simulated->direct, cpu);
	vpmu_direct_tick(simulated->direct, cpu);
}

static void pass_host(uint64_t ns)
{
	while (ns) {
		ns -= pass(VPMU_SIM_HOST, ns);
		host_interrupts();
	}
}

/* Into the guest again; a PMI comes first, but not within its own handler. */
static void guest_enter(void)
{
	vpmu_vcpu_enter(inside.vcpu->device);
	while (inside.due && !inside.handles) {
		inside.due = 0;
		inside.handles = 1;
		guest_pmi(&inside.platform);
		inside.handles = 0;
	}
}

static void guest_exit(void)
{
	vpmu_vcpu_leave(inside.vcpu->device);
	host_interrupts();
	pass_host(EXIT_NS);
}

/* Guest code runs; what interrupts it ends in an exit. */
static void pass_guest(uint64_t ns)
{
	const struct simulated *simulated = inside.simulated;
	uint32_t cpu = inside.vcpu->number;

	while (ns) {
		uint64_t before = vpmu_sim_time(simulated->sim, cpu);
		uint64_t tick = vpmu_direct_tick(simulated->direct, cpu);
		uint64_t passed = pass(inside.level, ns);

		ns -= passed;
		if (before + passed < tick && !vpmu_sim_interrupt(simulated->sim, cpu) &&
		    before + passed < vpmu_vcpu_deadline(inside.vcpu->device))
			continue;
		vpmu_vcpu_leave(inside.vcpu->device);
		vpmu_direct_interrupt(simulated->direct, cpu);
		vpmu_direct_tick(simulated->direct, cpu);
		pass_host(EXIT_NS);
		guest_enter();
	}
}

/* ---- what the guest's program uses ---- */

static int way_answer(int outcome)
{
	measure_access(&inside.vcpu->measure);
	guest_enter();
	return outcome == VPMU_ACCESS_FAULT ? VPMU_GUEST_FAULT : 0;
}

static int way_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	(void)opaque;
	(void)context;
	guest_exit();
	return way_answer(vpmu_vcpu_read(inside.vcpu->device, index, value));
}

static int way_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	(void)opaque;
	(void)context;
	guest_exit();
	return way_answer(vpmu_vcpu_write(inside.vcpu->device, index, value));
}

static const struct vpmu_guest_way way = { sizeof(way), way_read, way_write, NULL };

static void inside_mark(struct platform *platform, uint32_t port, uint32_t value)
{
	(void)platform;
	port_write(inside.vcpu, port, value);
}

static uint64_t inside_time(const struct platform *platform)
{
	(void)platform;
	pass_guest(STEP_NS);
	return virtual_now() / 1000;
}

static void inside_user(struct platform *platform, void (*work)(struct platform *platform))
{
	inside.level = VPMU_SIM_GUEST_USER;
	pass_guest(50 * STEP_NS);
	work(platform);
	inside.level = VPMU_SIM_GUEST_KERNEL;
}

/* The host sleeps for the guest; in the middle of it the host wants the PMU for itself. */
static void inside_sleep(struct platform *platform, uint32_t microseconds)
{
	struct simulated *simulated = inside.simulated;
	uint64_t begin = virtual_now(), length = 1000ull * microseconds;
	uint32_t cpu = inside.vcpu->number;
	uint32_t taken = 0;

	guest_exit();
	while (virtual_now() < begin + length) {
		uint32_t want = virtual_now() >= begin + length / 4 &&
				virtual_now() < begin + length / 2;

		if (want && !taken)
			vpmu_direct_lose(simulated->direct, cpu, VPMU_DIRECT_TAKEN);
		if (!want && taken)
			vpmu_direct_gain(simulated->direct, cpu, VPMU_DIRECT_TAKEN);
		if (want != taken || virtual_now() >= vpmu_vcpu_deadline(inside.vcpu->device)) {
			vpmu_vcpu_enter(inside.vcpu->device);
			vpmu_vcpu_leave(inside.vcpu->device);
		}
		taken = want;
		pass_host(SLEEP_STEP_NS);
	}
	guest_enter();
	platform->results->wakes++;
}

static int inside_pmi(struct vcpu *vcpu, uint32_t mode, uint32_t vector)
{
	(void)vcpu;
	(void)mode;
	(void)vector;
	inside.due = 1;
	return 0;
}

static uint64_t inside_clock(const struct vcpu *vcpu)
{
	return vpmu_sim_time(inside.simulated->sim, vcpu->number);
}

static void inside_fill(struct vcpu *vcpu)
{
	memset(&inside, 0, sizeof(inside));
	inside.vcpu = vcpu;
	inside.simulated = vcpu->machine->simulated;
	inside.level = VPMU_SIM_GUEST_KERNEL;
	inside_place(vcpu, &inside.platform);
	inside.platform.way = &way;
	inside.platform.mark = inside_mark;
	inside.platform.time = inside_time;
	inside.platform.user = inside_user;
	inside.platform.sleep = inside_sleep;
}

/* ---- the host's own profiling ---- */

static void host_attention(void *opaque, uint64_t tags)
{
	(void)opaque;
	(void)tags;
}

static int host_open(struct simulated *simulated, uint32_t cpu)
{
	static const uint64_t events[SIMULATED_HOST_EVENTS] = { VPMU_HARDWARE_CYCLES,
								VPMU_HARDWARE_CACHE_MISSES };
	const struct vpmu_source_ops *ops = vpmu_direct_ops();
	struct simulated_host *host = &simulated->hosts[cpu];
	int error = vpmu_direct_attach_cpu(simulated->direct, cpu, VPMU_DIRECT_HOST, host_attention,
					   NULL, &host->attached);

	for (uint32_t i = 0; !error && i < SIMULATED_HOST_EVENTS; i++) {
		struct vpmu_source_event event = { .attr = { .type = VPMU_TYPE_HARDWARE,
							     .config = events[i] } };
		struct vpmu_source_opened opened;

		error = ops->open(simulated->direct, host->attached, &event, 1, 0, &opened);
		if (error)
			break;
		host->groups[i] = opened.group;
		host->events[i] = (uint32_t)events[i];
		host->truth[i] =
			vpmu_sim_truth(simulated->sim, cpu, VPMU_SIM_HOST, host->events[i]);
		error = ops->run(simulated->direct, host->attached, opened.group, 1);
	}
	return error;
}

static void host_close(struct simulated *simulated, uint32_t cpu)
{
	const struct vpmu_source_ops *ops = vpmu_direct_ops();
	struct simulated_host *host = &simulated->hosts[cpu];

	for (uint32_t i = 0; i < SIMULATED_HOST_EVENTS && host->groups[i]; i++) {
		struct vpmu_source_reading reading = { .count = 1 };

		if (!ops->read(simulated->direct, host->attached, host->groups[i], &reading))
			host->counts[i] = reading.increase[0];
		host->truth[i] =
			vpmu_sim_truth(simulated->sim, cpu, VPMU_SIM_HOST, host->events[i]) -
			host->truth[i];
		ops->close(simulated->direct, host->attached, host->groups[i], 0);
	}
	if (host->attached)
		ops->detach(simulated->direct, host->attached);
}

/* ---- running ---- */

static int vcpu_run(struct vcpu *vcpu)
{
	struct simulated *simulated = vcpu->machine->simulated;
	int error;

	inside_fill(vcpu);
	simulated->cpu = vcpu->number;
	vcpu->measure.simulated = simulated;
	vcpu->measure.cpu = vcpu->number;
	error = host_open(simulated, vcpu->number);
	if (!error)
		error = vpmu_vcpu_bind(vcpu->device, vcpu->number + 1);
	if (!error) {
		guest_enter();
		guest_run(&inside.platform);
		vpmu_vcpu_leave(vcpu->device);
		vpmu_vcpu_unbind(vcpu->device);
	}
	host_close(simulated, vcpu->number);
	return error;
}

int simulated_run(struct machine *machine)
{
	int error = 0;

	machine->ram = aligned_alloc(VPMU_AREA_SIZE, MINIVMM_RAM_SIZE);
	if (!machine->ram)
		return -1;
	memset(machine->ram, 0, MINIVMM_RAM_SIZE);
	machine->pmi = inside_pmi;
	machine->clock = inside_clock;
	machine->tsc_khz = 1000000; /* the guest's clock counts ns */
	parameters_fill(machine);
	for (uint32_t i = 0; i < VCPUS && !error; i++)
		error = vcpu_run(&machine->vcpus[i]);
	return error ? -1 : 0;
}
