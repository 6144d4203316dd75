/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* What the files of the driver share. */
#ifndef VPMU_DRIVER_H
#define VPMU_DRIVER_H

#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/smp.h>
#include <linux/version.h>

#include <vpmu/guest.h>

/* Words of a batch: what one page of a mailbox holds. */
#define VPMU_WORDS VPMU_GUEST_MAILBOX_WORDS
/* Slots that a batch of that size can open, or read, at once. */
#define VPMU_OPEN_AT_ONCE 24
#define VPMU_READ_AT_ONCE 48

enum vpmu_slot_state {
	VPMU_SLOT_FREE,	  /* closed */
	VPMU_SLOT_PARKED, /* open and stopped, of no event: kept for the next one of the kind */
	VPMU_SLOT_FROZEN, /* open and stopped, while perf changes what is to run */
	VPMU_SLOT_ON,	  /* open and enabled */
	VPMU_SLOT_FAILED, /* of an event, but the device did not open it */
};

struct vpmu_slot {
	struct perf_event *event;
	struct guest_perf_attr attr;  /* as it stands in the device */
	struct guest_perf_event last; /* the reading that was added to the event */
	enum vpmu_slot_state state;
	u64 group;   /* of a group's leader: its slots; of others 0 */
	u64 running; /* the event's running time when it got the slot */
	u64 sampled; /* its count at the last sample */
};

/* A group of events that wait for slots. */
struct vpmu_newcomers {
	struct perf_event *events[VPMU_MAX_SLOTS];
	struct guest_perf_attr attrs[VPMU_MAX_SLOTS];
	unsigned int count;
};

/* Groups that are to be opened in one access. */
struct vpmu_opening {
	u64 mask;
	u64 leaders;
	unsigned int count;
	struct guest_perf_attr attrs[VPMU_MAX_SLOTS];
};

/* One CPU's device. Touched on that CPU only, with interrupts off. */
struct vpmu_cpu {
	struct vpmu_guest guest;
	struct vpmu_guest_batch task, interrupt;
	struct vpmu_guest_mailbox mailbox;
	union {
		struct vpmu_guest_mmio mmio;
		struct vpmu_guest_msr msr;
	};
	u64 *words;    /* of both batches */
	void *page;    /* the events area, where it is not part of a mailbox */
	bool ready;    /* the device answers; false: nothing may be asked of it */
	bool changing; /* perf is within pmu_disable() */
	unsigned int transaction;
	unsigned int active; /* hardware, cache and raw events that perf counts on */
	unsigned int waiting_count;
	struct perf_event *waiting[VPMU_MAX_SLOTS]; /* to be opened */
	u64 reading;				    /* slots that a read transaction wants */
	bool retry;				    /* what is not counted is to be tried again */
	u64 attendance;
	u64 epoch;
	struct irq_work work;
	call_single_data_t call;
	struct guest_perf_event events[VPMU_MAX_SLOTS];	    /* room for one answer, of a task */
	struct guest_perf_event overflowed[VPMU_MAX_SLOTS]; /* and of the handler */
	struct vpmu_slot slots[VPMU_MAX_SLOTS];
	struct vpmu_newcomers newcomers; /* for one call */
	struct vpmu_opening opening;
};

/* How the device is reached; one for the machine. */
struct vpmu_transport {
	const char *name;
	/*
	 * Fills way, opaque and registers for this CPU; page is where the events area is, if it
	 * is fixed.
	 */
	int (*begin)(struct vpmu_cpu *cpu, const struct vpmu_guest_way **way, void **opaque,
		     u32 *registers, const void **page);
	/* 0: nobody attends; else a number that changes when somebody else does. NULL: always 1. */
	u64 (*attendance)(void);
	/* Whether who attends knows of this CPU. NULL: always. */
	bool (*present)(void);
	/* Says how PMIs come, as of vpmu_guest_pmi_set(). NULL: they do not. */
	void (*pmi)(u32 *mode, u32 *vector);
};

DECLARE_PER_CPU(struct vpmu_cpu *, vpmu_cpus);

static inline struct vpmu_cpu *vpmu_this_cpu(void)
{
	return this_cpu_read(vpmu_cpus);
}

static inline u64 vpmu_bit(unsigned int slot)
{
	return 1ULL << slot;
}

/* main.c */
extern unsigned int vpmu_timeout_ms;
int vpmu_begin(const struct vpmu_transport *transport);
void vpmu_end(void);
const struct vpmu_transport *vpmu_transport(void);

/* transport_pci.c, transport_window.c */
int vpmu_pci_register(void);
void vpmu_pci_unregister(void);
int vpmu_window_register(void);
void vpmu_window_unregister(void);

/* device.c and slots.c: all on the CPU itself, with interrupts off */
struct vpmu_cpu *vpmu_cpu_make(unsigned int number);
void vpmu_cpu_free(struct vpmu_cpu *cpu);
int vpmu_cpu_start(struct vpmu_cpu *cpu);
void vpmu_cpu_stop(struct vpmu_cpu *cpu);
bool vpmu_cpu_usable(struct vpmu_cpu *cpu);
void vpmu_cpu_broken(struct vpmu_cpu *cpu, int error);

void vpmu_cpu_drop(struct vpmu_cpu *cpu);
void vpmu_cpu_freeze(struct vpmu_cpu *cpu, const struct perf_event_context *context);
void vpmu_cpu_flush(struct vpmu_cpu *cpu);
void vpmu_cpu_sync(struct vpmu_cpu *cpu, u64 mask);
void vpmu_cpu_retry(struct vpmu_cpu *cpu);
void vpmu_cpu_forget(struct vpmu_cpu *cpu, unsigned int slot);
u64 vpmu_cpu_room(struct vpmu_cpu *cpu, unsigned int count);

/* count.c: adding what a slot counted to its event */
void vpmu_count(struct vpmu_cpu *cpu, unsigned int slot, const struct guest_perf_event *now);
void vpmu_count_nothing(struct vpmu_slot *slot);
void vpmu_count_pause(struct vpmu_slot *slot);
void vpmu_count_begin(struct vpmu_slot *slot);
bool vpmu_count_time_is_known(const struct perf_event *event);
void vpmu_count_good(struct perf_event *event);
void vpmu_count_void(struct perf_event *event);
bool vpmu_event_is_void(const struct perf_event *event);

/* event.c */
extern const struct attribute_group *vpmu_attr_groups[];
void vpmu_event_attr(struct perf_event *event, struct guest_perf_attr *attr);
int vpmu_event_check(struct perf_event *event);
bool vpmu_event_takes_counter(const struct perf_event *event);

/* pmu.c */
int vpmu_pmu_register(void);
void vpmu_pmu_unregister(void);

/* sample.c */
int vpmu_sample_begin(void);
bool vpmu_sample_possible(void);
void vpmu_sample_interrupt(struct vpmu_cpu *cpu);

#endif
