/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A benchmark adds its rows to a list; bench.c prints it. */
#ifndef VPMU_BENCH_BENCH_H
#define VPMU_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include <vpmu/perf.h>
#include <vpmu/vpmu.h>

/* Which side of its bar a value must be on; NO_BAR: it only tells. */
enum bound { AT_MOST, AT_LEAST, NO_BAR };

struct row {
	const char *name;
	double value;
	const char *unit;
	enum bound bound;
	double bar;
	const char *peer;  /* what it was measured beside, in words */
	double peer_value; /* negative: there is none */
	bool measured;	   /* false: this machine cannot */
};

void bench_row(struct row row);

/* Least time of `rounds` rounds of `repeat` calls each, in ns per call. */
double bench_time(void (*call)(void *opaque), void *opaque, unsigned int repeat,
		  unsigned int rounds);

struct timed {
	void (*call)(void *opaque);
	double ns; /* out: the least */
};

/* The same of several calls that are compared, one of each in each round: what else the machine
 * does then, and what the caches hold, are alike for all. */
void bench_in_turn(struct timed *timed, unsigned int count, void *opaque, unsigned int rounds);

/* A device on a source that answers at once; counts what the library asks for. */
struct device {
	struct vpmu_vm *vm;
	uint64_t allocated; /* bytes */
	uint64_t calls;	    /* of host ops and source functions, the clock among them */
	unsigned char *ram;
	int64_t thread; /* that its vCPUs are bound to */
};

#define DEVICE_RAM 65536u

struct device *device_create(uint32_t slots);
/* On a source of the caller's, which is not counted in calls. */
struct device *device_create_on(uint32_t slots, const struct vpmu_source_ops *source,
				void *source_opaque, int64_t thread);
void device_destroy(struct device *device);
struct vpmu_vcpu *device_vcpu(struct device *device, uint32_t id);
void device_vcpu_end(struct vpmu_vcpu *vcpu);

/* A perf source whose system calls are counted, and how often one of these made a host event. */
struct vpmu_perf *bench_perf_source(void);
uint64_t bench_perf_opens(void);

/* protobuf-c with the words of a proved image of this many vCPUs, ns. It makes no checksum and
 * proves nothing. */
struct protobuf {
	double encode; /* from messages that are filled already */
	double decode; /* and giving the messages back */
	bool measured; /* false: built without protobuf-c, both are negative */
};

struct protobuf bench_protobuf(const unsigned char *image, uint32_t vcpus);

/* ns of a bare exit of KVM to user space and back; negative where there is no KVM. */
double bench_bare_exit(void);

void bench_access(void);
void bench_size(void);
void bench_growth(void);
void bench_image(void);
void bench_perf(void);
void bench_blackout(void);
/* Last: it raises the limit of descriptors and starts threads. */
void bench_monitor(void);

#endif
