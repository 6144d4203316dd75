/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* The host of a VM and the VM: memory, clocks, hardware. */
#include <stdlib.h>
#include <string.h>

#include <vpmu/convert.h>

#include "machine.h"
#include "played.h"

/* ---- host ops -------------------------------------------------------------------------------- */

enum { PIECES = 256 };

/* What was allocated and not given back. */
static struct {
	void *memory;
	uint64_t size;
} pieces[PIECES];

static void *allocate(void *opaque, uint64_t size)
{
	uint32_t at = 0;

	(void)opaque;
	while (pieces[at].memory)
		PLAYED(++at < PIECES, 1);
	pieces[at].size = size;
	pieces[at].memory = calloc(1, (size_t)size);
	return pieces[at].memory;
}

static void release(void *opaque, void *memory, uint64_t size)
{
	uint32_t at = 0;

	(void)opaque;
	while (pieces[at].memory != memory)
		PLAYED(++at < PIECES, 1);
	PLAYED(pieces[at].size, size);
	pieces[at].memory = NULL;
	free(memory);
}

void memory_spoil(void)
{
	for (uint32_t at = 0; at < PIECES; at++) {
		if (pieces[at].memory)
			memset(pieces[at].memory, 0xee, (size_t)pieces[at].size);
		pieces[at].memory = NULL;
	}
	memset(&machine, 0xee, sizeof(machine));
}

static int ram_check(void *opaque, uint32_t id, uint64_t address, uint64_t size)
{
	(void)opaque;
	(void)id;
	return address > PLAYED_RAM_SIZE || size > PLAYED_RAM_SIZE - address ? VPMU_ERROR_MEMORY :
									       0;
}

static int ram_read(void *opaque, uint32_t id, uint64_t address, void *to, uint64_t size)
{
	int error = ram_check(opaque, id, address, size);

	if (!error)
		memcpy(to, played_ram + address, (size_t)size);
	return error;
}

static int ram_write(void *opaque, uint32_t id, uint64_t address, const void *from, uint64_t size)
{
	int error = ram_check(opaque, id, address, size);

	if (!error)
		memcpy(played_ram + address, from, (size_t)size);
	return error;
}

static int ram_store(void *opaque, uint32_t id, uint64_t address, uint64_t value)
{
	return ram_write(opaque, id, address, &value, sizeof(value));
}

static int inject(void *opaque, uint32_t id, uint32_t mode, uint32_t vector)
{
	(void)opaque;
	(void)id;
	return vpmu_kvm_loongarch_pmi(&kvm_system, &target, mode, vector);
}

static uint64_t now(void *opaque)
{
	(void)opaque;
	return vpmu_sim_time(machine.sim, 0);
}

static uint64_t guest_now(void *opaque, uint32_t id)
{
	(void)id;
	return guest_clock_ahead + now(opaque);
}

static uint64_t direct_clock(void *opaque, uint32_t cpu)
{
	(void)opaque;
	return vpmu_sim_time(machine.sim, cpu);
}

static uint32_t direct_cpu(void *opaque)
{
	(void)opaque;
	return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void hardware_begin(uint32_t pace)
{
	struct vpmu_direct_config config = { .size = sizeof(config),
					     .allocate = allocate,
					     .release = release,
					     .clock = direct_clock,
					     .cpu = direct_cpu,
					     .cpus = 1 };
	struct vpmu_sim_config pmu;
	struct vpmu_hardware hardware = { .size = sizeof(hardware) };
	uint64_t identity[4];

	PLAYED(vpmu_sim_config_default(VPMU_CONVERT_MODEL_LOONGARCH, &pmu), 0);
	PLAYED(vpmu_sim_create(&pmu, machine.sim_memory, sizeof(machine.sim_memory), &machine.sim),
	       0);
	machine.registers.size = sizeof(machine.registers);
	vpmu_sim_registers(machine.sim, &machine.registers);
	vpmu_sim_identity(machine.sim, identity);
	PLAYED(vpmu_hardware_describe(VPMU_CONVERT_MODEL_LOONGARCH, identity, &hardware), 0);
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++) {
		for (uint32_t event = 1; event < VPMU_SIM_EVENTS; event++)
			PLAYED(vpmu_sim_rate(machine.sim, 0, level, event,
					     ((level + 1) * 300000ull + event * 70001ull) * pace),
			       0);
	}
	config.hardware = &hardware;
	config.registers = &machine.registers;
	PLAYED(vpmu_direct_create(&config, &machine.direct), 0);
}

static void vm_begin(void)
{
	static const struct vpmu_host_ops host = {
		.size = sizeof(host),
		.allocate = allocate,
		.release = release,
		.guest_check = ram_check,
		.guest_read = ram_read,
		.guest_write = ram_write,
		.guest_store = ram_store,
		.pmi = inject,
		.clock = now,
		.guest_clock = guest_now,
	};
	struct vpmu_profile profile = { .size = sizeof(profile) };
	struct vpmu_config config = { .size = sizeof(config),
				      .profile = &profile,
				      .host = &host,
				      .source = vpmu_direct_ops(),
				      .source_opaque = machine.direct };

	vpmu_profile_default(&profile);
	profile.pmi_rate = 0;
	if (played_plan.lent)
		profile.hardware_events = profile.cache_events = 0;
	PLAYED(vpmu_vm_create(&config, &machine.vm), 0);
	PLAYED(vpmu_vcpu_add(machine.vm, VCPU_ID, &machine.vcpu), 0);
	PLAYED(vpmu_vcpu_bind(machine.vcpu, 1), 0);
}

static void pmu_begin(void)
{
	struct vpmu_kvm_loongarch_pmu pmu = {
		.size = sizeof(pmu), .counters = 4, .width = 64, .user_mode = 1, .version = 1
	};

	if (played_plan.lent) {
		PLAYED(vpmu_kvm_loongarch_pmu_lend(&kvm_system, &target, &pmu, 0), 0);
		PLAYED(machine.cpucfg6, HOST_PMU);
		return;
	}
	machine.cpucfg6 = HOST_PMU;
	PLAYED(vpmu_kvm_loongarch_pmu_off(&kvm_system, VCPU_FD), 0);
	PLAYED(machine.cpucfg6, 0);
}

void machine_begin(uint32_t version, uint32_t pace)
{
	memset(&machine, 0, sizeof(machine));
	machine.version = version;
	machine.features = 1u << 1;
	hardware_begin(pace);
	vm_begin();
	PLAYED(vpmu_kvm_loongarch_calls_on(&kvm_system, VCPU_FD),
	       version >= 614 ? 0 : VPMU_ERROR_UNSUPPORTED);
	pmu_begin();
}

void machine_end(void)
{
	vpmu_vcpu_unbind(machine.vcpu);
	PLAYED(vpmu_vcpu_remove(machine.vcpu), 0);
	PLAYED(vpmu_vm_destroy(machine.vm), 0);
	PLAYED(vpmu_direct_destroy(machine.direct), 0);
}
