/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

#include "guest_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "world/plain.h"

_Alignas(4096) uint64_t memory[MEMORY_WORDS];
unsigned int accesses;
unsigned int fail_at;
unsigned int interrupts;
int memory_is_gone;
void (*in_between)(void);

struct group {
	uint32_t count;
	uint64_t config[VPMU_MAX_SLOTS];
};

struct script script;

static char *place_of(uint64_t address, uint64_t size)
{
	if (address < PAGE_ADDRESS || size > sizeof(memory) ||
	    address - PAGE_ADDRESS > sizeof(memory) - size)
		return NULL;
	return (char *)memory + (address - PAGE_ADDRESS);
}

static int op_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	(void)opaque;
	(void)vcpu;
	return place_of(address, size) ? 0 : VPMU_ERROR_MEMORY;
}

static int op_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	const char *from = place_of(address, size);

	(void)opaque;
	(void)vcpu;
	if (!from)
		return VPMU_ERROR_MEMORY;
	memcpy(to, from, (size_t)size);
	return 0;
}

static int op_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from, uint64_t size)
{
	char *to = place_of(address, size);

	(void)opaque;
	(void)vcpu;
	if (!to || memory_is_gone)
		return VPMU_ERROR_MEMORY;
	memcpy(to, from, (size_t)size);
	return 0;
}

static int op_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	return op_write(opaque, vcpu, address, &value, sizeof(value));
}

static int op_pmi(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	(void)opaque;
	(void)vcpu;
	CHECK_EQ(mode, VPMU_PMI_VECTOR);
	CHECK_EQ(vector, 0x60);
	interrupts++;
	return 0;
}

static uint64_t op_clock(void *opaque)
{
	(void)opaque;
	return script.time;
}

static int source_attach(void *source, const struct vpmu_source_thread *thread, void **attached)
{
	(void)source;
	script.attention = thread->attention;
	script.attention_opaque = thread->opaque;
	*attached = &script;
	return 0;
}

static int source_open(void *source, void *attached, struct vpmu_source_event *events,
		       uint32_t count, uint32_t flags, struct vpmu_source_opened *opened)
{
	struct group *group;

	(void)source;
	(void)attached;
	(void)flags;
	for (uint32_t i = 0; i < count; i++) {
		if (events[i].attr.config == script.denied) {
			opened->failed = i;
			return VPMU_ERROR_UNSUPPORTED;
		}
	}
	group = calloc(1, sizeof(*group));
	group->count = count;
	for (uint32_t i = 0; i < count; i++) {
		group->config[i] = events[i].attr.config;
		if (events[i].left)
			script.left = events[i].left;
	}
	opened->group = group;
	return 0;
}

static void source_close(void *source, void *attached, void *group, uint32_t keep)
{
	(void)source;
	(void)attached;
	(void)keep;
	free(group);
}

static int source_read(void *source, void *attached, void *opaque,
		       struct vpmu_source_reading *reading)
{
	const struct group *group = opaque;

	(void)source;
	(void)attached;
	reading->enabled = 1000;
	reading->running = 1000;
	for (uint32_t i = 0; i < group->count; i++)
		reading->increase[i] = script.increase * group->config[i];
	return 0;
}

static int source_period(void *source, void *attached, void *group, uint32_t member, uint64_t left)
{
	(void)source;
	(void)attached;
	(void)group;
	(void)member;
	script.left = left;
	return 0;
}

static struct vpmu_host_ops host_ops(void)
{
	struct vpmu_host_ops host = plain_host();

	host.guest_check = op_check;
	host.guest_read = op_read;
	host.guest_write = op_write;
	host.guest_store = op_store;
	host.pmi = op_pmi;
	host.clock = op_clock;
	return host;
}

static struct vpmu_source_ops source_ops(void)
{
	struct vpmu_source_ops source = plain_source();

	source.attach = source_attach;
	source.open = source_open;
	source.close = source_close;
	source.read = source_read;
	source.period = source_period;
	return source;
}

static void let_others_in(void)
{
	void (*work)(void) = in_between;

	in_between = NULL;
	if (work)
		work();
	in_between = work;
}

static int way_read(void *opaque, uint32_t context, uint32_t index, uint64_t *value)
{
	int answer;

	(void)context;
	let_others_in();
	accesses++;
	answer = vpmu_vcpu_read(opaque, index, value);
	let_others_in();
	return answer == VPMU_ACCESS_DONE ? 0 : VPMU_GUEST_FAULT;
}

static int way_write(void *opaque, uint32_t context, uint32_t index, uint64_t value)
{
	int answer;

	(void)context;
	let_others_in();
	if (++accesses == fail_at)
		return VPMU_GUEST_BUSY;
	answer = vpmu_vcpu_write(opaque, index, value);
	let_others_in();
	return answer == VPMU_ACCESS_FAULT ? VPMU_GUEST_FAULT : 0;
}

static const struct vpmu_guest_way way = { .size = sizeof(way),
					   .read = way_read,
					   .write = way_write };

struct pair it;

void begin_granted(uint32_t slots, uint32_t batch_words, uint32_t slot_operations)
{
	struct vpmu_host_ops host = host_ops();
	struct vpmu_source_ops source = source_ops();
	struct vpmu_profile profile;
	struct vpmu_config config = {
		.size = sizeof(config), .profile = &profile, .host = &host, .source = &source
	};

	memset(memory, 0xa5, sizeof(memory));
	memset(&script, 0, sizeof(script));
	script.time = 1000;
	vpmu_profile_default(&profile);
	profile.slots = slots;
	profile.counting = slots;
	profile.batch_words = batch_words;
	profile.slot_operations = slot_operations;
	profile.creation_rate = 0;
	profile.pmi_rate = 0;
	profile.period_floor = 1;
	CHECK_EQ(vpmu_vm_create(&config, &it.vm), 0);
	CHECK_EQ(vpmu_vcpu_add(it.vm, 4, &it.vcpu), 0);
	CHECK_EQ(vpmu_vcpu_bind(it.vcpu, 77), 0);
	CHECK_EQ(vpmu_guest_start(&it.guest, &way, it.vcpu, VPMU_REGISTERS), 0);
	CHECK_EQ(it.guest.vcpu, 4);
	CHECK_EQ(vpmu_guest_batch_prepare(&it.batch, memory, 1024, PAGE_ADDRESS, VPMU_CONTEXT_TASK),
		 0);
	CHECK_EQ(vpmu_guest_batch_prepare(&it.interrupt, &memory[1024], 1024, PAGE_ADDRESS + 8192,
					  VPMU_CONTEXT_INTERRUPT),
		 0);
	interrupts = 0;
	accesses = 0;
}

void begin_with(uint32_t batch_words, uint32_t slot_operations)
{
	begin_granted(16, batch_words, slot_operations);
}

void begin(void)
{
	begin_with(1024, 1000);
}

void end(void)
{
	vpmu_vcpu_unbind(it.vcpu);
	CHECK_EQ(vpmu_vcpu_remove(it.vcpu), 0);
	CHECK_EQ(vpmu_vm_destroy(it.vm), 0);
}

void area_on(void)
{
	CHECK_EQ(vpmu_guest_area_on(&it.guest, VPMU_CONTEXT_TASK, PAGE_ADDRESS + 8 * AREA_WORD,
				    &memory[AREA_WORD]),
		 0);
}

void fill_attrs(struct guest_perf_attr attrs[EVENTS])
{
	memset(attrs, 0, EVENTS * sizeof(*attrs));
	for (uint32_t i = 0; i < EVENTS; i++) {
		attrs[i].type = VPMU_TYPE_HARDWARE;
		attrs[i].config = i + 1;
	}
}

uint64_t open_eight(struct guest_perf_event events[EVENTS])
{
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed = 1, mask = vpmu_guest_slots_pick(&it.guest, 0x5, EVENTS);

	CHECK_EQ(mask, 0x3fa);
	fill_attrs(attrs);
	accesses = 0;
	CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, mask, attrs, VPMU_GUEST_ENABLE, events,
				 &failed),
		 0);
	CHECK_EQ(failed, 0);
	return mask;
}
