/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#define _GNU_SOURCE
#include "rig.h"

#include <inttypes.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define DESCRIPTORS 4096

_Atomic uint64_t misses;

/* ---- the ledger ---- */

/* What the kernel was told of each descriptor: its thread, negative for a member. 0: not one of
 * ours. */
static _Atomic int64_t owners[DESCRIPTORS];

static void add(_Atomic uint64_t *number)
{
	atomic_fetch_add_explicit(number, 1, memory_order_relaxed);
}

static int64_t self(struct rig *rig)
{
	return rig->real.thread_self(rig->real.opaque);
}

static void check_owner(struct rig *rig, int32_t descriptor)
{
	int64_t owner = atomic_load(&owners[descriptor]);

	if (owner != self(rig) && owner != -self(rig))
		add(&rig->ledger.elsewhere);
}

static int64_t ledger_open(void *opaque, void *bytes, int64_t thread, int32_t cpu, int32_t group,
			   uint64_t open_flags)
{
	struct rig *rig = opaque;
	const struct perf_event_attr *attr = bytes;
	int64_t me = self(rig), result;

	if (thread != 0 && thread != me)
		add(&rig->ledger.elsewhere);
	if (attr->inherit || cpu != -1)
		add(&rig->ledger.inherited);
	result = rig->real.event_open(rig->real.opaque, bytes, thread, cpu, group, open_flags);
	if (result < 0 || result >= DESCRIPTORS)
		return result;
	add(&rig->ledger.opens);
	/* A dummy, which nobody reads, is in a group to be switched: nothing else of it stands
	 * still. */
	atomic_store(&owners[result], group >= 0 && attr->read_format != 0 ? -me : me);
	return result;
}

static int64_t ledger_ioctl(void *opaque, int32_t descriptor, uint64_t request, uint64_t argument)
{
	struct rig *rig = opaque;
	struct ledger *ledger = &rig->ledger;
	int toggles = request == PERF_EVENT_IOC_ENABLE || request == PERF_EVENT_IOC_DISABLE;

	check_owner(rig, descriptor);
	if (request == PERF_EVENT_IOC_ENABLE)
		add(&ledger->enables);
	else if (request == PERF_EVENT_IOC_DISABLE)
		add(&ledger->disables);
	else if (request == PERF_EVENT_IOC_PERIOD)
		add(&ledger->periods);
	else
		add(&ledger->resets);
	if (toggles && argument)
		add(&ledger->whole);
	if (toggles && atomic_load(&owners[descriptor]) < 0)
		add(&ledger->members);
	return rig->real.event_ioctl(rig->real.opaque, descriptor, request, argument);
}

static int64_t ledger_fcntl(void *opaque, int32_t descriptor, int32_t command, uint64_t argument)
{
	struct rig *rig = opaque;

	add(&rig->ledger.fcntls);
	check_owner(rig, descriptor);
	return rig->real.event_fcntl(rig->real.opaque, descriptor, command, argument);
}

static int64_t ledger_read(void *opaque, int32_t descriptor, void *to, uint64_t size)
{
	struct rig *rig = opaque;

	add(&rig->ledger.reads);
	check_owner(rig, descriptor);
	return rig->real.event_read(rig->real.opaque, descriptor, to, size);
}

static int64_t ledger_close(void *opaque, int32_t descriptor)
{
	struct rig *rig = opaque;

	add(&rig->ledger.closes);
	atomic_store(&owners[descriptor], 0);
	return rig->real.event_close(rig->real.opaque, descriptor);
}

static int64_t ledger_thread_exists(void *opaque, int64_t thread, uint32_t own)
{
	struct rig *rig = opaque;

	add(&rig->ledger.threads);
	return rig->real.thread_exists(rig->real.opaque, thread, own);
}

void rig_clear(struct rig *rig)
{
	memset(&rig->ledger, 0, sizeof(rig->ledger));
}

uint64_t rig_calls(const struct rig *rig)
{
	const struct ledger *l = &rig->ledger;

	return l->opens + l->closes + l->reads + l->fcntls + l->threads + l->enables + l->disables +
	       l->periods;
}

void rig_print(const struct rig *rig, const char *what)
{
	const struct ledger *l = &rig->ledger;

	printf("%s: %" PRIu64 " system calls: open %" PRIu64 ", close %" PRIu64 ", read %" PRIu64
	       ", enable %" PRIu64 ", disable %" PRIu64 ", period %" PRIu64 "\n",
	       what, rig_calls(rig), l->opens, l->closes, l->reads, l->enables, l->disables,
	       l->periods);
}

void rig_check_ledger(const struct rig *rig)
{
	CHECK_EQ(rig->ledger.resets, 0);
	CHECK_EQ(rig->ledger.whole, 0);
	CHECK_EQ(rig->ledger.members, 0);
	CHECK_EQ(rig->ledger.elsewhere, 0);
	CHECK_EQ(rig->ledger.inherited, 0);
}

/* ---- the host ---- */

static void *host_allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, (size_t)size);
}

static void host_release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

/* No guest memory: neither area nor batches. */
static int host_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	(void)opaque;
	(void)vcpu;
	(void)address;
	(void)size;
	return VPMU_ERROR_MEMORY;
}

static int host_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	(void)to;
	return host_check(opaque, vcpu, address, size);
}

static int host_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
		      uint64_t size)
{
	(void)from;
	return host_check(opaque, vcpu, address, size);
}

static int host_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	return host_check(opaque, vcpu, address, value);
}

static int host_pmi(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	(void)vcpu;
	(void)mode;
	(void)vector;
	add(&((struct rig *)opaque)->pmis);
	return 0;
}

static void host_pmu_state(void *opaque, uint32_t vcpu, uint32_t why)
{
	struct rig *rig = opaque;

	(void)vcpu;
	atomic_store(&rig->state, why);
	atomic_fetch_add(&rig->states, 1);
}

static uint64_t host_clock(void *opaque)
{
	uint64_t scripted = atomic_load(&((struct rig *)opaque)->now);

	return scripted ? scripted : clock_ns();
}

static void log_text(void *opaque, uint32_t level, const char *text)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct rig *rig = opaque;

	(void)level;
	pthread_mutex_lock(&lock);
	(void)snprintf(rig->text, sizeof(rig->text), "%s", text);
	pthread_mutex_unlock(&lock);
	atomic_fetch_add(&rig->texts, 1);
}

/* ---- the VM ---- */

void rig_begin(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	atomic_store(&misses, 0);
	vpmu_profile_default(&rig->profile);
	rig->profile.features |= VPMU_FEATURE_HOST_SOFTWARE;
	rig->profile.software_events = BIT(VPMU_SOFTWARE_EMULATION_FAULTS + 1) - 2;
	rig->profile.slots = SLOTS;
	rig->profile.period_floor = 1;
	rig->profile.creation_rate = 0;
	rig->profile.level = VPMU_LEVEL_DRAFT;
}

static void source_create(struct rig *rig)
{
	struct vpmu_perf_system system;
	struct vpmu_perf_config config = { .size = sizeof(config),
					   .flags = rig->perf_flags,
					   .signal = rig->signal,
					   .system = &system,
					   .log = log_text,
					   .log_opaque = rig,
					   .descriptor_reserve = rig->reserve };

	vpmu_perf_system_default(&rig->real);
	system = rig->real;
	system.opaque = rig;
	system.event_open = ledger_open;
	system.event_ioctl = ledger_ioctl;
	system.event_fcntl = ledger_fcntl;
	system.event_read = ledger_read;
	system.event_close = ledger_close;
	system.thread_exists = ledger_thread_exists;
	CHECK_EQ(vpmu_perf_create(&config, &rig->perf), 0);
}

void rig_create(struct rig *rig)
{
	const struct vpmu_host_ops host = {
		.size = sizeof(host),
		.allocate = host_allocate,
		.release = host_release,
		.guest_check = host_check,
		.guest_read = host_read,
		.guest_write = host_write,
		.guest_store = host_store,
		.pmi = host_pmi,
		.clock = host_clock,
		.log = log_text,
		.pmu_state = host_pmu_state,
	};
	struct vpmu_config config = { .size = sizeof(config),
				      .profile = &rig->profile,
				      .host = &host,
				      .host_opaque = rig,
				      .source = vpmu_perf_ops() };

	if (!rig->perf)
		source_create(rig);
	config.source_opaque = rig->perf;
	CHECK_EQ(vpmu_vm_create(&config, &rig->vm), 0);
}

struct vpmu_vcpu *rig_vcpu(struct rig *rig, uint32_t id, int64_t thread)
{
	struct vpmu_vcpu *vcpu = NULL;

	CHECK_EQ(vpmu_vcpu_add(rig->vm, id, &vcpu), 0);
	CHECK_EQ(vpmu_vcpu_bind(vcpu, thread), 0);
	return vcpu;
}

void rig_remove(struct vpmu_vcpu *vcpu)
{
	vpmu_vcpu_unbind(vcpu);
	CHECK_EQ(vpmu_vcpu_remove(vcpu), 0);
}

void rig_end(struct rig *rig)
{
	settle();
	atomic_store(&signalled_rig, NULL);
	CHECK_EQ(vpmu_vm_destroy(rig->vm), 0);
	CHECK_EQ(vpmu_perf_destroy(rig->perf), 0);
	CHECK_EQ(misses, 0);
}

/* ---- what a guest does ---- */

uint64_t get(struct vpmu_vcpu *vcpu, uint64_t index)
{
	uint64_t value = 0;

	if (vpmu_vcpu_read(vcpu, index, &value) != VPMU_ACCESS_DONE)
		add(&misses);
	return value;
}

void set(struct vpmu_vcpu *vcpu, uint64_t index, uint64_t value)
{
	if (vpmu_vcpu_write(vcpu, index, value) != VPMU_ACCESS_DONE)
		add(&misses);
}

static uint64_t attr_index(unsigned int slot, unsigned int which)
{
	return VPMU_STRIDE * (slot + 1ull) + which;
}

uint64_t word(struct vpmu_vcpu *vcpu, unsigned int slot, unsigned int which)
{
	return get(vcpu, attr_index(slot, VPMU_SLOT_EVENT + which));
}

uint64_t state(struct vpmu_vcpu *vcpu, unsigned int slot)
{
	return word(vcpu, slot, VPMU_EVENT_WORD_STATUS) >> 32 & 0xff;
}

uint64_t reason(struct vpmu_vcpu *vcpu, unsigned int slot)
{
	return word(vcpu, slot, VPMU_EVENT_WORD_STATUS) >> 40 & 0xff;
}

uint64_t flags(struct vpmu_vcpu *vcpu, unsigned int slot)
{
	return word(vcpu, slot, VPMU_EVENT_WORD_STATUS) >> 48;
}

uint64_t count(struct vpmu_vcpu *vcpu, unsigned int slot)
{
	return word(vcpu, slot, VPMU_EVENT_WORD_COUNT);
}

void describe(struct vpmu_vcpu *vcpu, unsigned int slot, uint64_t type, uint64_t config,
	      uint64_t period, uint64_t attr_flags)
{
	set(vcpu, attr_index(slot, VPMU_ATTR_WORD_TYPE), type);
	set(vcpu, attr_index(slot, VPMU_ATTR_WORD_CONFIG), config);
	set(vcpu, attr_index(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD), period);
	set(vcpu, attr_index(slot, VPMU_ATTR_WORD_FLAGS), attr_flags);
	set(vcpu, attr_index(slot, VPMU_ATTR_WORD_LINK), 0);
}

void join(struct vpmu_vcpu *vcpu, unsigned int slot, unsigned int leader)
{
	uint64_t before = get(vcpu, attr_index(slot, VPMU_ATTR_WORD_FLAGS));

	set(vcpu, attr_index(slot, VPMU_ATTR_WORD_FLAGS), before | VPMU_ATTR_MEMBER);
	set(vcpu, attr_index(slot, VPMU_ATTR_WORD_LINK), leader);
}
