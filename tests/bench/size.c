/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of an idle vCPU, and how cost grows with the number of vCPUs. */

#define _GNU_SOURCE

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

#define FIXED_BYTES 1536
#define SLOT_BYTES 160
#define EVENTS 8u
#define MOST 1024u

static double idle_bytes(uint32_t slots)
{
	struct device *device = device_create(slots);
	uint64_t before = device->allocated;
	struct vpmu_vcpu *vcpu = device_vcpu(device, 0);
	double bytes = (double)(device->allocated - before);

	device_vcpu_end(vcpu);
	device_destroy(device);
	return bytes;
}

void bench_size(void)
{
	bench_row((struct row){ "bytes_per_vcpu_16_slots", idle_bytes(16), "bytes", AT_MOST,
				FIXED_BYTES + 16 * SLOT_BYTES, "1.5 KiB + 160 bytes a slot", -1,
				true });
	bench_row((struct row){ "bytes_per_vcpu_63_slots", idle_bytes(63), "bytes", AT_MOST,
				FIXED_BYTES + 63 * SLOT_BYTES, "1.5 KiB + 160 bytes a slot", -1,
				true });
}

static void write_register(struct vpmu_vcpu *vcpu, uint32_t index, uint64_t value)
{
	if (vpmu_vcpu_write(vcpu, index, value) != VPMU_ACCESS_DONE)
		abort();
}

static void use(struct vpmu_vcpu *vcpu)
{
	const uint64_t all = (1u << EVENTS) - 1;

	for (uint32_t slot = 0; slot < EVENTS; slot++) {
		uint32_t at = VPMU_STRIDE * (slot + 1);

		write_register(vcpu, at + VPMU_ATTR_WORD_TYPE, VPMU_TYPE_HARDWARE);
		write_register(vcpu, at + VPMU_ATTR_WORD_CONFIG, slot + 1);
	}
	write_register(vcpu, VPMU_REG_OPEN, all);
	write_register(vcpu, VPMU_REG_ENABLE, all);
	write_register(vcpu, VPMU_REG_SYNC, all);
	write_register(vcpu, VPMU_REG_CLOSE, all);
}

/* A whole life of `count` vCPUs: added, bound, used, ended. ns per vCPU. */
static double life(uint32_t count)
{
	static struct vpmu_vcpu *vcpus[MOST];
	struct device *device = device_create(16);
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint32_t id = 0; id < count; id++)
		vcpus[id] = device_vcpu(device, id);
	for (uint32_t id = 0; id < count; id++)
		use(vcpus[id]);
	for (uint32_t id = 0; id < count; id++)
		device_vcpu_end(vcpus[id]);
	clock_gettime(CLOCK_MONOTONIC, &to);
	device_destroy(device);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
	       count;
}

static double least_life(uint32_t count, unsigned int rounds)
{
	double least = life(count);

	while (rounds--) {
		double ns = life(count);

		least = ns < least ? ns : least;
	}
	return least;
}

void bench_growth(void)
{
	double one, sixteen, many, most;

	/* The first round pays for the pages; giving them back would make every round pay. */
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	one = least_life(1, 200);
	sixteen = least_life(16, 100);
	many = least_life(256, 30);
	most = least_life(MOST, 20);

	bench_row((struct row){ "vcpu_life_1", one, "ns", AT_MOST, 20000, "each of 16, ns", sixteen,
				true });
	bench_row((struct row){ "vcpu_life_16", sixteen, "ns", AT_MOST, 20000, "1 alone, ns", one,
				true });
	bench_row((struct row){ "vcpu_life_256", many, "ns", AT_MOST, 20000, "each of 16, ns",
				sixteen, true });
	bench_row((struct row){ "vcpu_life_1024", most, "ns", AT_MOST, 20000, "each of 16, ns",
				sixteen, true });
	bench_row((struct row){ "vcpu_growth", most / sixteen, "ratio", AT_MOST, 1.5,
				"each of 1024 to each of 16", -1, true });
}
