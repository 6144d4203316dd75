/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the files of vpmu attach share. */
#ifndef VPMU_ATTACH_H
#define VPMU_ATTACH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <vpmu/perf.h>
#include <vpmu/tcg.h>
#include <vpmu/vpmu.h>

#define ATTACH_VCPUS 256u   /* most blocks of a region that this program serves */
#define ATTACH_GUEST 0	    /* the guest's peer number */
#define ATTACH_HOST 1	    /* this program's */
#define ATTACH_SAID (-4096) /* in place of a negated errno value: what is wrong was told */

struct attach_options {
	const char *socket; /* that QEMU's ivshmem device connects to */
	const char *qmp;
	const char *state;	/* directory of what outlives this process; NULL */
	const char *bus;	/* that QEMU's dbus-vmstate connects to; NULL */
	const char *statistics; /* socket of who is told what the PMU cost; NULL */
	const char *tcg;	/* the plugin's file; NULL: count with perf */
	uint32_t vcpus;
	uint32_t vectors;
	uint32_t sampling_us; /* between two looks for overflows of a thread that gives no notice */
	struct vpmu_profile profile;
};

/* attach_options.c: 0, or an exit code after saying why, or -1 after the help. */
int attach_options_read(struct attach_options *options, int count, char **arguments);

/* attach_server.c: the region, the events, and the ivshmem protocol */
struct attach_wires {
	unsigned char *region;
	uint64_t size;
	int memory;	/* of the region; -1: none yet */
	int connection; /* to QEMU; -1: none, or it was taken over */
	int process;	/* pidfd of QEMU; -1: none */
	pid_t pid;
	uint32_t vectors;
	int host[ATTACH_VCPUS];	 /* eventfd by vector: the guest rings */
	int guest[ATTACH_VCPUS]; /* and this program interrupts */
};
uint64_t attach_region_size(uint32_t vcpus);
int attach_listen(const char *path);
void attach_wires_empty(struct attach_wires *wires);
int attach_wires_new(struct attach_wires *wires, const struct attach_options *options);
void attach_wires_drop(struct attach_wires *wires);
/* Takes a connection of QEMU, and gives it the region and the events: 0, or a negated errno value. */
int attach_accept(struct attach_wires *wires, int listener);
void attach_refuse(int listener);
/* 1 when QEMU ended, or gave its device up. */
int attach_is_gone(const struct attach_wires *wires);
/* 1 while the thread is a task of the process that has the region. */
int attach_has_task(const struct attach_wires *wires, pid_t thread);

/* attach_state.c: what is needed to attend to a QEMU again after this process ended */
int attach_state_save(const struct attach_wires *wires, const char *directory);
/* 1: taken back from a QEMU that runs; 0: there was nothing; or a negated errno value. */
int attach_state_take(struct attach_wires *wires, const struct attach_options *options);
void attach_state_forget(const char *directory);

/* attach_source.c: a counter source for threads of another process */
struct attach_source;
struct attach_thread_ops {
	void *opaque;
	pid_t process;				      /* whose threads they are */
	int (*is_ours)(void *opaque, int64_t thread); /* whether it may be counted */
	int64_t (*thread_of)(void *opaque, uint32_t vcpu);
};
struct attach_source *attach_source_new(const struct attach_options *options, int runs_guest,
					const struct attach_thread_ops *threads);
void attach_source_drop(struct attach_source *source);
const struct vpmu_source_ops *attach_source_ops(const struct attach_source *source);
void *attach_source_opaque(struct attach_source *source);
/* The number by which the source knows a vCPU. */
int64_t attach_source_id(const struct attach_source *source, uint32_t vcpu, int64_t thread);
/* Becomes readable when events may have overflowed; -1. */
int attach_source_notice(const struct attach_source *source);
/* Whether overflows must be looked for, since nothing tells. */
int attach_source_polls(const struct attach_source *source);
/* Tells the vCPU's user of overflows that may have happened. */
void attach_source_look(struct attach_source *source, uint32_t vcpu);

/* attach_counter.c: 1 when the plugin in a process counts in a file; 0; or a negated errno value
 * where that cannot be seen */
int attach_counts_in(pid_t process, const struct stat *file);
/* The process whose plugin does; 0 where none is seen. */
pid_t attach_who_counts_in(const struct stat *file);

/* attach_vm.c: the PMU of one VM */
struct attach_vm;
struct attach_machine;
struct attach_vm *attach_vm_new(const struct attach_options *options, struct attach_wires *wires,
				const struct attach_machine *machine);
void attach_vm_drop(struct attach_vm *vm);
/* What QEMU says: a vCPU, its thread, its number in hardware. Those that are not named until the
 * end are gone. */
void attach_vm_scan_begin(struct attach_vm *vm);
void attach_vm_scan(struct attach_vm *vm, uint32_t vcpu, int64_t thread, uint32_t hardware);
void attach_vm_scan_end(struct attach_vm *vm);
int attach_vm_knows(const struct attach_vm *vm, uint32_t vcpu);
/* The guest rang for a vector. */
void attach_vm_serve(struct attach_vm *vm, uint32_t vector);
/* Does what is due: when it wants to be called next, ns of CLOCK_MONOTONIC. */
uint64_t attach_vm_work(struct attach_vm *vm);
int attach_vm_notice(const struct attach_vm *vm);

/* attach_move.c: the state of a VM that moves. The functions answer NULL, or why not. */
int attach_vm_can_move(const struct attach_vm *vm);
const char *attach_vm_save(struct attach_vm *vm, unsigned char **bytes, size_t *length);
const char *attach_vm_load(struct attach_vm *vm, const unsigned char *bytes, size_t length);

/* attach_keep.c: the counts, for whoever attends after this program left in good order */
void attach_keep(struct attach_vm *vm, const char *directory);
void attach_keep_take(struct attach_vm *vm, const char *directory);
void attach_keep_forget(const char *directory);

/* attach_bus.c: the D-Bus of QEMU's dbus-vmstate. */
struct attach_bus;
struct attach_bus_ops {
	void *opaque;
	const char *(*save)(void *opaque, unsigned char **bytes, size_t *length);
	const char *(*load)(void *opaque, const unsigned char *bytes, size_t length);
};
struct attach_bus *attach_bus_new(const char *path, const struct attach_bus_ops *ops);
void attach_bus_drop(struct attach_bus *bus);
int attach_bus_listener(const struct attach_bus *bus);
int attach_bus_connection(const struct attach_bus *bus);
void attach_bus_accept(struct attach_bus *bus);
void attach_bus_work(struct attach_bus *bus);
/* 1 while QEMU is being greeted: attach_bus_work() is to be called again soon. */
int attach_bus_greets(const struct attach_bus *bus);

/* attach_tell.c: tells who connects what the PMU of each vCPU cost and got; without a VM, of none */
void attach_tell(const struct attach_vm *vm, int listener);

/* attach_cpus.c: asks QEMU for its vCPUs: 0, or a negated errno value; -ENODATA: it had no number
 * for some, which are left out. */
int attach_cpus(struct attach_vm *vm, const struct attach_wires *wires, const char *qmp);
/* What QEMU says of its machine. 0, or a negated errno value. */
struct attach_machine {
	int kvm;	 /* it runs its guest by KVM */
	char target[32]; /* architecture, as QEMU names it */
};
int attach_ask_machine(const struct attach_wires *wires, const char *qmp,
		       struct attach_machine *machine);

/* attach.c */
__attribute__((format(printf, 1, 2))) void attach_say(const char *format, ...);
uint64_t attach_now(void);

#endif
