/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A VMM of a few hundred lines that gives its guest a PMU by libvpmu.
 *
 * device.c   what any VMM does for the library: profile, host ops, counter source
 * vm.c       the virtual machine of KVM: memory, guest program, MSR filter
 * cpu.c      how a vCPU begins: CPUID, page tables, registers
 * vcpu.c     the thread of a vCPU and its run loop
 * port.c     the ports by which the guest tells where it is
 * inside.c   where there is no KVM: the guest's code in this process
 * truth.c    the VMM's own events on the same threads, to compare with
 * measure.c  what each step of the guest cost
 * calls.c    the library's system calls, counted
 * report.c   the table; json.c  the same for programs
 *
 * With --source sim the guest runs on a simulated PMU whose truth is known:
 * simulated.c         its machine, its host, its time
 * simulated_report.c  what was counted beside the truth
 */
#ifndef MINIVMM_H
#define MINIVMM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include <vpmu/kvm.h>
#include <vpmu/perf.h>
#include <vpmu/vpmu.h>

#include "guest/shared.h"

#define VCPUS 2
#define SLOTS 16
#define MMIO_WINDOW 0xd0000000ull
/* Software events are numbered from 1, as VPMU_SOFTWARE_*. */
#define SOFTWARE_EVENTS 10

struct options {
	const char *guest; /* file of the guest program */
	int mmio;
	int json;
	int inside;
	uint32_t simulated; /* enum vpmu_convert_model, or 0 */
};

/* The VMM's own reading of what the thread of a vCPU did. */
struct truth {
	uint64_t enabled;
	uint64_t running;
	uint64_t value[SOFTWARE_EVENTS];		 /* by VPMU_SOFTWARE_* */
	uint64_t hardware[VPMU_HARDWARE_REF_CYCLES + 1]; /* by VPMU_HARDWARE_*; simulated PMUs */
};

/* What is counted of the library's work for a vCPU. */
struct costs {
	uint64_t exits; /* returns of KVM_RUN for an access to the device */
	uint64_t kicks; /* returns of KVM_RUN for a notice of overflow */
	uint64_t calls; /* system calls of the library */
};

struct step {
	uint64_t runs;
	struct costs least;
	struct costs most;
};

struct span {
	uint64_t accesses;
	struct truth begin; /* at the phase's first access to the device */
	struct truth end;   /* at its last one */
};

struct measure {
	const struct simulated *simulated; /* that knows the truth, or NULL */
	uint32_t cpu;			   /* of it */
	int truth_fd[SOFTWARE_EVENTS];	   /* by VPMU_SOFTWARE_*; the task clock leads the others */
	struct costs now;
	struct costs at_begin; /* of the step under way */
	struct costs at_kick;  /* at the first kick after the last PMI */
	int kicked;
	uint32_t phase;
	struct span spans[MINIVMM_PHASES];
	struct step steps[MINIVMM_STEPS];
};

struct vcpu {
	struct machine *machine;
	uint32_t number;
	struct vpmu_vcpu *device;
	struct measure measure;
	uint64_t wake_at; /* when the guest wants its wake interrupt, ns; VPMU_NO_DEADLINE: not */
	int done;
	char failure[160]; /* why it ended early, or empty */
	int fd;
	struct kvm_run *run;
	uint64_t run_size;
	struct vpmu_kvm_target target;
	pthread_t thread;
	timer_t timer;
	uint64_t timer_at; /* when the timer sends its signal; VPMU_NO_DEADLINE: never */
};

struct machine {
	struct options options;
	uint8_t *ram; /* MINIVMM_RAM_SIZE bytes */
	struct vpmu_perf *perf;
	struct vpmu_vm *device;
	int (*pmi)(struct vcpu *vcpu, uint32_t mode, uint32_t vector);
	uint64_t (*clock)(const struct vcpu *vcpu);
	uint64_t (*now)(void); /* the time of deadlines */
	struct simulated *simulated;
	struct vcpu vcpus[VCPUS];
	atomic_int stop; /* the VMM gives up; looked at when a signal ended KVM_RUN */
	int kvm_fd;
	int vm_fd;
	struct vpmu_kvm_system kvm;
	uint64_t tsc_khz;
	int64_t tsc_offset; /* of the guest's time-stamp counter to the host's */
	struct vpmu_kvm_device place;
};

/* The signals that end KVM_RUN: an event overflowed, and a time has come. */
#define SIGNAL_NOTICE SIGUSR2
#define SIGNAL_TIMER SIGUSR1

/* device.c */
int device_create(struct machine *machine);
void device_destroy(struct machine *machine);
void parameters_fill(struct machine *machine);
const struct minivmm_results *results_of(const struct machine *machine, uint32_t vcpu);
uint64_t clock_now(void);

/* vm.c: 0, or -1 and it has said why */
int vm_is_possible(void);
int vm_run(struct machine *machine);

/* cpu.c: how a vCPU begins */
int cpu_prepare(struct vcpu *vcpu);
void page_tables_make(struct machine *machine);

/* vcpu.c */
void *vcpu_thread(void *vcpu);
int vcpu_pmi(struct vcpu *vcpu, uint32_t mode, uint32_t vector);

/* port.c: a write of the guest to one of its ports; 0 when the guest ends */
int port_write(struct vcpu *vcpu, uint32_t port, uint32_t value);

/* inside.c */
int inside_run(struct machine *machine);

/* simulated.c */
int simulated_create(struct machine *machine, struct vpmu_config *config,
		     struct vpmu_profile *profile);
void simulated_destroy(struct machine *machine);
int simulated_run(struct machine *machine);
void simulated_truth(const struct simulated *simulated, uint32_t cpu, struct truth *truth);

/* simulated_report.c */
void simulated_print(const struct machine *machine);

/* truth.c: on the vCPU's thread */
int truth_open(struct measure *measure);
void truth_read(const struct measure *measure, struct truth *truth);
void truth_close(struct measure *measure);

/* measure.c */
void measure_access(struct measure *measure);
void measure_kick(struct measure *measure);
void measure_phase(struct measure *measure, uint32_t phase);
void measure_step_begin(struct measure *measure, uint32_t step);
void measure_step_end(struct measure *measure, uint32_t step);

/* calls.c: the operating system's functions, each call counted for the thread that makes it */
void calls_of_perf(struct vpmu_perf_system *system);
void calls_of_kvm(struct vpmu_kvm_system *system);
uint64_t calls_made(void);
void operator_log(void *opaque, uint32_t level, const char *text);

/* totals.c: figures of an event over the measured phases */
struct total {
	uint64_t phases; /* measured; 0: there are no figures */
	uint64_t count;
	uint64_t enabled;
	uint64_t running;
	int has_truth;
	uint64_t truth;
};
void total_make(const struct vcpu *vcpu, const struct minivmm_results *results, uint32_t event,
		uint32_t only_phase, struct total *total);
#define ALL_PHASES UINT32_MAX

/* The share by which two figures differ, in millionths; UINT64_MAX: they cannot be compared. */
uint64_t difference_of(uint64_t seen, uint64_t truth);

/* names.c: never NULL */
const char *name_of_state(uint64_t state);
const char *name_of_reason(uint64_t reason);
const char *name_of_flag(uint32_t bit); /* NULL behind the last */
const char *name_of_phase(uint32_t phase);
void name_of_event(const struct minivmm_event *event, char *text, uint32_t room);

/* report.c, json.c */
void report_print(const struct machine *machine);
void json_print(const struct machine *machine);

#endif
