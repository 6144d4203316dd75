/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A small VMM that gives its guest a PMU by libvpmu. What every VMM does for that is in device.c,
 * vm.c, cpu.c and vcpu.c; the rest is its guest, its measurements and its moves.
 *
 * options.c  the command line
 * device.c   what any VMM does for the library: profile, host ops, counter source
 * vm.c       the virtual machine of KVM: memory, guest program, MSR filter
 * cpu.c      how a vCPU begins: CPUID, page tables, registers
 * vcpu.c     the thread of a vCPU and its run loop
 * port.c     the ports by which the guest tells where it is
 * inside.c   where there is no KVM: the guest's code in this process
 * truth.c    the VMM's own events on the same threads, to compare with
 * measure.c  what each step of the guest cost
 * orders.c   what the VMM's own thread asks of a vCPU's thread: stop, go on, take a state
 * cpu_state.c  what KVM knows of a vCPU; ram.c  which pages changed
 * flow.c     pieces of a VM on their way, through a socket or a file
 * move.c     the second half of the demonstration: a running guest moves to another process
 * send.c, receive.c  its two sides; snapshot.c  the same to a file and back
 * calls.c    the library's system calls, counted
 * statistics.c  what the PMUs cost, for those who watch the VM
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

#include <vpmu/image.h>
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
	int move;
	int roam;	     /* the guest counts until it is told to end; it can be moved */
	int incoming;	     /* the vCPUs wait for a state instead of beginning */
	const char *receive; /* be the destination of a move, at this socket */
	const char *save;    /* stop the guest after a while and save it there */
	const char *restore; /* go on with what was saved */
	const char *line; /* stop when the line of vCPU 0 is so, a name of VPMU_LINE_*; NULL: at any
			     moment */
	const char *statistics; /* tell there what the PMUs cost; NULL */
	const char *without;	/* an event that this host cannot serve */
	uint32_t aborts;	/* moves that are aborted half way before the one that is not */
	uint32_t generation;	/* of the restore */
};

/* What a thread asks of the thread of a vCPU; see orders.c. */
enum order {
	ORDER_NONE,
	ORDER_CONFIGURE, /* write down what is open */
	ORDER_STOP,
	ORDER_PREPARE, /* make ready what a configuration has open */
	ORDER_COMMIT,
	ORDER_ABORT,
	ORDER_RESUME,
	ORDER_END,
};

/* Bytes of an image, or of a configuration. */
struct image {
	uint8_t *bytes;
	uint64_t capacity;
	uint64_t length;
};

/* What KVM knows of a vCPU, as it moves: cpu_state.c. */
#define CPU_STATE_SIZE 8192

struct cpu_state {
	uint8_t bytes[CPU_STATE_SIZE];
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
	struct truth begin; /* after the phase's first access to the device */
	struct truth end;   /* after its last one */
	/* What each of the two accesses took: somewhere in it the library read. */
	uint64_t begin_took[SOFTWARE_EVENTS];
	uint64_t end_took[SOFTWARE_EVENTS];
};

struct measure {
	const struct simulated *simulated; /* that knows the truth, or NULL */
	uint32_t cpu;			   /* of it */
	int truth_fd[SOFTWARE_EVENTS];	   /* by VPMU_SOFTWARE_*; the task clock leads the others */
	struct truth before;		   /* the access under way */
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
	uint64_t timer_at;	/* when the timer sends its signal; VPMU_NO_DEADLINE: never */
	_Atomic uint32_t order; /* enum order; NONE again when it was carried out */
	int answer;		/* what became of it */
	uint64_t opens;		/* by its thread while it was stopped: perf_event_open() */
	int elsewhere; /* 1: an order stopped it, so what was done before a run is to be done again */
	int waits;     /* 1: between orders it does not run its guest */
	int ended;
	struct image configuration;  /* of ORDER_CONFIGURE, and for ORDER_PREPARE */
	struct cpu_state state;	     /* of ORDER_STOP, and for ORDER_COMMIT */
	struct vpmu_statistics told; /* by its thread; size 0: nothing yet */
};

/* What is told of a move. */
struct figures {
	uint64_t stopped_at; /* when the source was told to stop, ns */
	uint64_t resumed_at; /* when the last vCPU went on */
	uint64_t opens;	     /* perf_event_open() between the two, on both sides */
	uint64_t prepared;   /* host events that were ready at the destination */
	uint64_t image_bytes;
	uint64_t pages; /* sent, in all rounds */
	uint64_t rounds;
	uint64_t epoch; /* of vCPU 0 at the end */
	uint64_t line;	/* of vCPU 0 at the stop, VPMU_LINE_* */
	uint64_t refused;
	uint64_t failed;	     /* vCPUs that did not come to their end */
	struct minivmm_roaming seen; /* by the guest, all vCPUs */
	uint64_t pmis;
	uint64_t unclaimed; /* interrupts that the handler did not claim */
};

struct machine {
	struct options options;
	uint8_t *ram;		 /* MINIVMM_RAM_SIZE bytes */
	_Atomic uint64_t *dirty; /* a bit for each page that the library wrote to; NULL: not noted */
	struct figures there;	 /* the destination's */
	uint64_t stop_by;	 /* when a stop no longer waits for a certain line */
	struct vpmu_profile profile;
	struct vpmu_source_facts facts;
	struct vpmu_image_platform platform;
	struct image image;
	pthread_mutex_t orders;
	pthread_cond_t ordered;
	struct vpmu_perf *perf;
	struct vpmu_vm *device;
	int (*pmi)(struct vcpu *vcpu, uint32_t mode, uint32_t vector);
	uint64_t (*clock)(const struct vcpu *vcpu);
	uint64_t (*now)(void); /* the time of deadlines */
	struct simulated *simulated;
	struct vcpu vcpus[VCPUS];
	pthread_mutex_t telling; /* what vCPUs told */
	pthread_t teller;
	int listener;
	uint32_t started; /* threads */
	atomic_int stop;  /* the VMM gives up; looked at when a signal ended KVM_RUN */
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

/* options.c */
void options_take(struct options *options, char **words);

/* device.c */
int device_create(struct machine *machine);
void device_destroy(struct machine *machine);
void parameters_fill(struct machine *machine);
const struct minivmm_results *results_of(const struct machine *machine, uint32_t vcpu);
uint64_t clock_now(void);

/* vm.c: 0, or -1 and it has said why */
int vm_is_possible(void);
int vm_run(struct machine *machine);
int vm_start(struct machine *machine);	      /* its vCPUs run, or wait where they are incoming */
void vm_end(struct machine *machine);	      /* when they came to their end */
int vm_clock_follow(struct machine *machine); /* after the guest's clock was set */

/* orders.c: gives an order and waits until it was carried out; its answer */
int order_give(struct vcpu *vcpu, enum order order);
int order_all(struct machine *machine, enum order order);
/* On the vCPU's thread: carries out what was ordered; 0 when the thread is to end. */
int order_take(struct vcpu *vcpu);
int order_prepare(struct machine *machine);

/* cpu_state.c: on the vCPU's thread; 0 or -1 */
int cpu_state_get(struct vcpu *vcpu);
int cpu_state_set(struct vcpu *vcpu);

/* ram.c */
#define PAGE 4096u
#define PAGES (MINIVMM_RAM_SIZE / PAGE)
int ram_track(struct machine *machine, int on);
void ram_note(struct machine *machine, uint64_t address, uint64_t size);
/* Pages that changed since it was asked last, in `bits`, PAGES of them; how many. */
uint32_t ram_changed(struct machine *machine, uint64_t *bits);
int ram_is_empty(const struct machine *machine, uint32_t page);

/* flow.c: 0, or -1 */
enum piece_kind {
	PIECE_MACHINE = 1,
	PIECE_CONFIGURATION,
	PIECE_PAGE,
	PIECE_STOPPING,
	PIECE_CPU,
	PIECE_IMAGE,
	PIECE_COMMIT,
	PIECE_ABORT,
	PIECE_ANSWER, /* number: 0 is well; else the text says what is not */
	PIECE_FIGURES,
};

struct piece {
	uint32_t kind;
	uint32_t vcpu;
	uint64_t number; /* a page's, or an answer */
	uint64_t length; /* of what follows */
};

int flow_put(int fd, const struct piece *piece, const void *bytes);
int flow_begin(int fd, struct piece *piece);
int flow_rest(int fd, void *bytes, uint64_t length);
int flow_answer(int fd, const char *fault);
/* 0; 1 when the other side refused, and then `fault` says why; -1 when it is gone */
int flow_await(int fd, char *fault, uint64_t room);

/* move.c */
void figures_of_guest(const struct machine *machine, struct figures *figures);
struct vpmu_image_options image_options(const struct machine *machine);
int image_save(struct machine *machine, struct image *image);
const char *image_fault_text(int error, const struct vpmu_image_fault *fault, char *room,
			     uint64_t size);
/* For a while, until each vCPU has got on. */
void guest_go_on(struct machine *machine);
void guest_finish(struct machine *machine);
int move_run(struct machine *machine, struct figures *figures);
void move_print(const struct options *options, const struct figures *figures);
void move_json(const struct figures *figures);

/* send.c: 0; 1 refused, and the guest went on; -1 */
int send_machine(struct machine *machine, int fd, struct figures *figures, char *fault,
		 uint64_t room);
uint64_t opens_of(const struct machine *machine);
int send_to_file(struct machine *machine, int fd, struct figures *figures);
/* receive.c */
int receive_run(struct machine *machine);
int receive_pieces(struct machine *machine, int fd, struct figures *figures);
/* snapshot.c */
int snapshot_save(struct machine *machine);
int snapshot_restore(struct machine *machine);

/* cpu.c: how a vCPU begins */
int cpu_prepare(struct vcpu *vcpu);
void page_tables_make(struct machine *machine);

/* vcpu.c */
void signals_block(void);
void *vcpu_thread(void *vcpu);
int vcpu_pmi(struct vcpu *vcpu, uint32_t mode, uint32_t vector);
int vcpu_answer(struct vcpu *vcpu); /* the exit in its run structure; 1 to run on */

/* port.c: a write of the guest to one of its ports; 0 when the guest ends */
int port_write(struct vcpu *vcpu, uint32_t port, uint32_t value);

/* inside.c */
struct platform; /* guest/platform.h */
int inside_run(struct machine *machine);
/* Where the guest's program in this process finds what is its own; the functions are missing. */
void inside_place(const struct vcpu *vcpu, struct platform *platform);

/* simulated.c */
int simulated_create(struct machine *machine, struct vpmu_config *config,
		     struct vpmu_profile *profile);
void simulated_destroy(struct machine *machine);
int simulated_run(struct machine *machine);
void simulated_truth(const struct simulated *simulated, uint32_t cpu, struct truth *truth);

/* simulated_report.c */
void simulated_print(const struct machine *machine);

/* statistics.c: 0, or -1 and it has said why */
int statistics_begin(struct machine *machine);
void statistics_end(struct machine *machine);
/* On the vCPU's thread. */
void statistics_note(struct vcpu *vcpu);

/* truth.c: on the vCPU's thread */
int truth_open(struct measure *measure);
void truth_read(const struct measure *measure, struct truth *truth);
void truth_close(struct measure *measure);

/* measure.c */
void measure_before_access(struct measure *measure);
void measure_access(struct measure *measure);
void measure_kick(struct measure *measure);
void measure_phase(struct measure *measure, uint32_t phase);
void measure_step_begin(struct measure *measure, uint32_t step);
void measure_step_end(struct measure *measure, uint32_t step);

/* calls.c: the operating system's functions, each call counted for the thread that makes it */
void calls_of_perf(struct vpmu_perf_system *system);
void calls_of_kvm(struct vpmu_kvm_system *system);
uint64_t calls_made(void);
uint64_t opens_made(void); /* perf_event_open(), by this thread */
void operator_log(void *opaque, uint32_t level, const char *text);

/* totals.c: figures of an event over the measured phases */
struct total {
	uint64_t phases; /* measured; 0: there are no figures */
	uint64_t count;
	uint64_t enabled;
	uint64_t running;
	int has_truth;
	uint64_t truth;
	uint64_t unsure; /* the count may be off the truth by so much */
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
const char *name_of_line(uint64_t line);
void name_of_event(const struct minivmm_event *event, char *text, uint32_t room);

/* report.c, json.c */
void report_print(const struct machine *machine);
void json_print(const struct machine *machine);

#endif
