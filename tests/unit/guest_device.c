/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The client and the device in one process: the way is the device's own read and write, the memory
 * is the test's, and a scripted source counts. Accesses are counted as a VMM would count exits.
 */
#include <stdlib.h>
#include <string.h>

#include <vpmu/guest.h>
#include <vpmu/vpmu.h>

#include "runner/runner.h"

#define EVENTS 8
#define MEMORY_WORDS 4096
#define AREA_WORD 3072
#define PAGE_ADDRESS 0x10000u

/* Guest memory at PAGE_ADDRESS: a batch of each context, then the events area. */
static _Alignas(4096) uint64_t memory[MEMORY_WORDS];
static unsigned int accesses;
static unsigned int fail_at; /* the access that is not answered; 0: none */
static unsigned int interrupts;
static int memory_is_gone;
static void (*in_between)(void); /* called before and after each access */

struct group {
	uint32_t count;
	uint64_t config[VPMU_MAX_SLOTS];
};

static struct {
	uint64_t increase; /* of the next reading of each event, times its config */
	uint64_t time;
	uint64_t denied; /* config that cannot be opened */
	uint64_t left;
	vpmu_attention attention;
	void *attention_opaque;
} script;

static void *op_allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, (size_t)size);
}

static void op_release(void *opaque, void *area, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(area);
}

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

static int source_probe(void *source, struct vpmu_source_facts *facts)
{
	(void)source;
	facts->hardware_events = UINT64_MAX;
	facts->software_events = UINT64_MAX;
	return 0;
}

static int source_attach(void *source, const struct vpmu_source_thread *thread, void **attached)
{
	(void)source;
	script.attention = thread->attention;
	script.attention_opaque = thread->opaque;
	*attached = &script;
	return 0;
}

static void source_detach(void *source, void *attached)
{
	(void)source;
	(void)attached;
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

static int source_run(void *source, void *attached, void *group, uint32_t on)
{
	(void)source;
	(void)attached;
	(void)group;
	(void)on;
	return 0;
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

static const struct vpmu_host_ops host_ops = {
	.size = sizeof(host_ops),
	.allocate = op_allocate,
	.release = op_release,
	.guest_check = op_check,
	.guest_read = op_read,
	.guest_write = op_write,
	.guest_store = op_store,
	.pmi = op_pmi,
	.clock = op_clock,
};
static const struct vpmu_source_ops source_ops = {
	.size = sizeof(source_ops),
	.probe = source_probe,
	.attach = source_attach,
	.detach = source_detach,
	.open = source_open,
	.close = source_close,
	.run = source_run,
	.read = source_read,
	.period = source_period,
};

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

static struct {
	struct vpmu_vm *vm;
	struct vpmu_vcpu *vcpu;
	struct vpmu_guest guest;
	struct vpmu_guest_batch batch;
	struct vpmu_guest_batch interrupt;
} it;

static void begin_granted(uint32_t slots, uint32_t batch_words, uint32_t slot_operations)
{
	struct vpmu_profile profile;
	struct vpmu_config config = { .size = sizeof(config),
				      .profile = &profile,
				      .host = &host_ops,
				      .source = &source_ops };

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

static void begin_with(uint32_t batch_words, uint32_t slot_operations)
{
	begin_granted(16, batch_words, slot_operations);
}

static void begin(void)
{
	begin_with(1024, 1000);
}

static void end(void)
{
	vpmu_vcpu_unbind(it.vcpu);
	CHECK_EQ(vpmu_vcpu_remove(it.vcpu), 0);
	CHECK_EQ(vpmu_vm_destroy(it.vm), 0);
}

static void area_on(void)
{
	CHECK_EQ(vpmu_guest_area_on(&it.guest, VPMU_CONTEXT_TASK, PAGE_ADDRESS + 8 * AREA_WORD,
				    &memory[AREA_WORD]),
		 0);
}

static void fill_attrs(struct guest_perf_attr attrs[EVENTS])
{
	memset(attrs, 0, EVENTS * sizeof(*attrs));
	for (uint32_t i = 0; i < EVENTS; i++) {
		attrs[i].type = VPMU_TYPE_HARDWARE;
		attrs[i].config = i + 1;
	}
}

static uint64_t open_eight(struct guest_perf_event events[EVENTS])
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

static void open_and_enable_is_one_access(void)
{
	struct guest_perf_event events[EVENTS];

	begin();
	open_eight(events);
	CHECK_EQ(accesses, 1);
	for (int i = 0; i < EVENTS; i++) {
		CHECK_EQ(vpmu_guest_event_state(&events[i]), VPMU_STATE_ACTIVE);
		CHECK_EQ(vpmu_guest_event_reason(&events[i]), VPMU_REASON_NONE);
		CHECK_EQ(events[i].continuity & 0xffffffff, 1);
	}
	end();
}

static void fresh_read_is_one_access(void)
{
	struct guest_perf_event before[EVENTS], after[EVENTS];
	struct vpmu_guest_delta delta;
	uint64_t failed, mask;

	begin();
	mask = open_eight(before);
	script.increase = 100;
	accesses = 0;
	CHECK_EQ(vpmu_guest_read_fresh(&it.guest, &it.batch, mask, after, &failed), 0);
	CHECK_EQ(accesses, 1);
	CHECK_EQ(failed, 0);
	for (unsigned int i = 0; i < EVENTS; i++) {
		CHECK_EQ(vpmu_guest_delta(&before[i], &after[i], &delta), 0);
		CHECK_EQ(delta.count, 100 * (i + 1));
		CHECK_EQ(delta.time_running, 1000);
	}
	end();
}

static void stale_read_is_no_access(void)
{
	struct guest_perf_event fresh[EVENTS], stale;
	uint64_t failed, mask;
	uint32_t i = 0;

	begin();
	area_on();
	mask = open_eight(fresh);
	script.increase = 7;
	CHECK_EQ(vpmu_guest_read_fresh(&it.guest, &it.batch, mask, fresh, &failed), 0);
	accesses = 0;
	for (uint32_t slot = 0; slot < it.guest.slots; slot++) {
		CHECK_EQ(vpmu_guest_read_stale(&it.guest, slot, &stale), 0);
		if (mask & 1ull << slot)
			CHECK_MEM(&stale, &fresh[i++], sizeof(stale));
	}
	CHECK_EQ(accesses, 0);
	end();
}

static void singly_comes_to_the_same(void)
{
	struct guest_perf_event batched[EVENTS], single[EVENTS];
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed[2], mask = 0x2ff;

	script.increase = 3;
	for (int small = 0; small < 2; small++) {
		begin_with(small ? 3 : 1024, 1000);
		script.denied = 3;
		fill_attrs(attrs);
		CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 0xff, attrs, VPMU_GUEST_ENABLE,
					 small ? single : batched, &failed[small]),
			 0);
		CHECK_EQ(small ? accesses > 100 : accesses == 1, 1);
		mask = 0xfb;
		end();
	}
	CHECK_EQ(failed[0], 1u << 2);
	CHECK_EQ(failed[1], 1u << 2);
	CHECK_EQ(mask, 0xfb);
	CHECK_MEM(batched, single, sizeof(single));
}

/* Opens a batch that is cut wherever it can be: what a whole one comes to, in few accesses. */
static void cut_batch_comes_to_the_same(void)
{
	struct guest_perf_event whole[2][EVENTS], cut[2][EVENTS];
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed[4];

	fill_attrs(attrs);
	attrs[5].link = attrs[6].link = 4;
	attrs[5].flags = attrs[6].flags = VPMU_ATTR_MEMBER;
	for (uint32_t words = VPMU_GUEST_BATCH_WORDS(EVENTS); words >= 10; words--) {
		int first = words == VPMU_GUEST_BATCH_WORDS(EVENTS);
		struct guest_perf_event(*to)[EVENTS] = first ? whole : cut;
		uint64_t *told = first ? failed : failed + 2;

		begin_with(words, 1000);
		script.denied = 3;
		script.increase = 3;
		CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 0xff, attrs, VPMU_GUEST_ENABLE,
					 to[0], &told[0]),
			 0);
		/* No batch but the last leaves room for a slot. */
		CHECK(accesses <= 1 + (VPMU_GUEST_BATCH_WORDS(EVENTS) - 1) / (words - 9));
		CHECK_EQ(accesses == 1, first);
		CHECK_EQ(it.batch.capacity, 1024);
		CHECK_EQ(vpmu_guest_disable(&it.guest, &it.batch, 0xff, to[1], &told[1]), 0);
		end();
		CHECK_MEM(to, whole, sizeof(whole));
		CHECK_MEM(told, failed, 2 * sizeof(*told));
	}
	CHECK_EQ(failed[0], 0x4);
}

/* All slots of a guest through a mailbox, whose batches have 504 words. */
static void many_slots_are_few_accesses(void)
{
	static struct guest_perf_event events[VPMU_MAX_SLOTS];
	static struct guest_perf_attr attrs[VPMU_MAX_SLOTS];
	uint64_t all = (1ull << VPMU_MAX_SLOTS) - 1, failed;

	fill_attrs(attrs);
	for (uint32_t i = 0; i < VPMU_MAX_SLOTS; i++)
		attrs[i] = attrs[i % EVENTS];
	begin_granted(VPMU_MAX_SLOTS, VPMU_GUEST_MAILBOX_WORDS, 1000);
	CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, all, attrs, 0, events, &failed), 0);
	CHECK_EQ(accesses, 3);
	CHECK_EQ(failed, 0);
	script.increase = 1;
	CHECK_EQ(vpmu_guest_enable(&it.guest, &it.batch, 0xff, NULL, &failed), 0);
	accesses = 0;
	CHECK_EQ(vpmu_guest_read_fresh(&it.guest, &it.batch, all, events, &failed), 0);
	CHECK_EQ(accesses, 2);
	CHECK_EQ(failed, 0);
	for (uint32_t i = 0; i < VPMU_MAX_SLOTS; i++)
		CHECK_EQ(events[i].count, i < EVENTS ? 2 * attrs[i].config : 0);
	end();
}

/* What is not said any more after a device that answers no more is not taken for an answer. */
static void batch_that_is_lost_ends_the_call(void)
{
	struct guest_perf_event events[EVENTS] = { 0 };
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed;

	fill_attrs(attrs);
	for (unsigned int lost = 1; lost <= 17; lost++) {
		begin_with(10, 1000);
		script.increase = 3;
		fail_at = lost;
		CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 0xff, attrs, 0, events, &failed),
			 VPMU_GUEST_BUSY);
		CHECK_EQ(accesses, lost);
		fail_at = 0;
		end();
	}
}

static void denied_event_says_why_and_its_group_too(void)
{
	struct guest_perf_event events[EVENTS];
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed;

	begin();
	script.denied = 2;
	fill_attrs(attrs);
	vpmu_guest_attrs_group(attrs, 0x7);
	CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 0xf, attrs, VPMU_GUEST_ENABLE, events,
				 &failed),
		 0);
	CHECK_EQ(accesses, 1);
	CHECK_EQ(failed, 0x7);
	CHECK_EQ(vpmu_guest_event_reason(&events[0]), VPMU_REASON_BAD_GROUP);
	CHECK_EQ(vpmu_guest_event_reason(&events[1]), VPMU_REASON_UNSUPPORTED);
	CHECK_EQ(vpmu_guest_event_reason(&events[2]), VPMU_REASON_BAD_GROUP);
	CHECK_EQ(vpmu_guest_event_state(&events[3]), VPMU_STATE_ACTIVE);
	end();
}

static void check_and_warm_keep_nothing_open(void)
{
	struct guest_perf_event events[EVENTS];
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed, opened = 1;

	begin();
	script.denied = 2;
	fill_attrs(attrs);
	CHECK_EQ(vpmu_guest_check(&it.guest, &it.batch, 0xff, attrs, events, &failed), 0);
	CHECK_EQ(accesses, 1);
	CHECK_EQ(failed, 0x2);
	CHECK_EQ(vpmu_guest_event_reason(&events[1]), VPMU_REASON_UNSUPPORTED);
	CHECK_EQ(vpmu_guest_warm(&it.guest, &it.batch, 0xff, attrs, events, &failed), 0);
	CHECK_EQ(failed, 0x2);
	CHECK_EQ(vpmu_guest_check(&it.guest, NULL, 0xff, attrs, events, &failed), 0);
	CHECK_EQ(failed, 0x2);
	CHECK_EQ(vpmu_vcpu_read(it.vcpu, VPMU_REG_OPENED, &opened), VPMU_ACCESS_DONE);
	CHECK_EQ(opened, 0);
	end();
}

static void reopening_an_open_slot_is_refused_and_harmless(void)
{
	struct guest_perf_event events[EVENTS];
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed, opened = 0;

	begin();
	open_eight(events);
	fill_attrs(attrs);
	attrs[0].config = 9;
	attrs[1].config = 9;
	/* Slot 1 is open, slot 0 is not: neither may be left with what was not asked for. */
	CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 0x3, attrs, 0, events, &failed),
		 VPMU_GUEST_REFUSED);
	CHECK_EQ(vpmu_vcpu_read(it.vcpu, VPMU_REG_OPENED, &opened), VPMU_ACCESS_DONE);
	CHECK_EQ(opened, 0x3fa);
	end();
}

static void attributes_no_host_takes_are_not_sent(void)
{
	struct guest_perf_event events[EVENTS];
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed;

	begin();
	fill_attrs(attrs);
	it.guest.period_floor = 100;
	for (int i = 0; i < 6; i++) {
		struct guest_perf_attr attr = attrs[0];

		attr.type = i == 0 ? VPMU_TYPE_HOST_SOFTWARE + 1 : attr.type;
		attr.flags = i == 1 ? VPMU_ATTR_ALL + 1 : 0;
		attr.link = i == 2 ? 63 : i == 3 ? 64 : 0;
		attr.sample_period = i == 4 ? 99 : i == 5 ? 1ull << 63 : 0;
		CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 1, &attr, 0, events, &failed),
			 VPMU_GUEST_INVALID);
	}
	CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 1, attrs, 2, events, &failed),
		 VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 1ull << 16, attrs, 0, events, &failed),
		 VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_close(&it.guest, &it.batch, 0, NULL, &failed), VPMU_GUEST_INVALID);
	CHECK_EQ(accesses, 0);
	end();
}

static void disable_enable_and_close_tell_what_failed(void)
{
	for (int singly = 0; singly < 2; singly++) {
		struct guest_perf_event events[EVENTS];
		struct vpmu_guest_batch *batch = singly ? NULL : &it.batch;
		uint64_t failed;

		begin();
		open_eight(events);
		CHECK_EQ(vpmu_guest_disable(&it.guest, batch, 0x3, events, &failed), 0);
		CHECK_EQ(failed, 0x1);
		CHECK_EQ(vpmu_guest_event_state(&events[1]), VPMU_STATE_STOPPED);
		CHECK_EQ(vpmu_guest_enable(&it.guest, batch, 0x3, events, &failed), 0);
		CHECK_EQ(failed, 0x1);
		CHECK_EQ(vpmu_guest_event_state(&events[1]), VPMU_STATE_ACTIVE);
		CHECK_EQ(vpmu_guest_close(&it.guest, batch, 0x3fb, NULL, &failed), 0);
		CHECK_EQ(failed, 0x1);
		CHECK_EQ(vpmu_guest_read_fresh(&it.guest, batch, 0x2, events, &failed), 0);
		CHECK_EQ(failed, 0x2);
		end();
	}
}

static void again_is_continued(void)
{
	uint64_t masks[2] = { 0, 0 }, value[1] = { 0 }, failed = 0;
	uint32_t place = 0;

	begin_with(1024, 63);
	/* 16 bits of CHECK each: the fourth word is past 63 slot operations. */
	for (int i = 0; i < 6; i++) {
		masks[0] = 0xffff;
		CHECK_EQ(vpmu_guest_batch_write(&it.batch, VPMU_REG_SYNC, masks, 1), 0);
	}
	masks[1] = 0xffff;
	CHECK_EQ(vpmu_guest_batch_write(&it.batch, VPMU_REG_CHECK, masks, 2), 0);
	CHECK_EQ(vpmu_guest_batch_read(&it.batch, VPMU_REG_VCPU, 1), 0);
	CHECK_EQ(vpmu_guest_batch_run(&it.guest, &it.batch), 0);
	CHECK_EQ(accesses, 3);
	for (int i = 0; i < 6; i++) {
		failed = 0;
		CHECK_EQ(vpmu_guest_batch_take(&it.batch, &place,
					       vpmu_guest_batch_head(VPMU_OP_WRITE, VPMU_REG_SYNC,
								     1),
					       NULL, &failed),
			 0);
		CHECK_EQ(failed, 0xffff);
	}
	CHECK_EQ(vpmu_guest_batch_take(&it.batch, &place,
				       vpmu_guest_batch_head(VPMU_OP_WRITE, VPMU_REG_CHECK, 2),
				       NULL, &failed),
		 0);
	CHECK_EQ(vpmu_guest_batch_take(&it.batch, &place,
				       vpmu_guest_batch_head(VPMU_OP_READ, VPMU_REG_VCPU, 1), value,
				       &failed),
		 0);
	CHECK_EQ(value[0], 4);
	end();
}

static void again_within_an_entry_is_continued(void)
{
	/* The words of SYNC, ACK and CHECK in one entry. */
	uint64_t masks[3] = { 0xffff, 0xffff, 0xffff }, failed = 0;
	uint64_t head = vpmu_guest_batch_head(VPMU_OP_WRITE, VPMU_REG_SYNC, 3);
	uint32_t place = 0;

	begin_with(1024, 63);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(vpmu_guest_batch_write(&it.batch, VPMU_REG_SYNC, masks, 3), 0);
	CHECK_EQ(vpmu_guest_batch_run(&it.guest, &it.batch), 0);
	CHECK_EQ(accesses, 2);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(vpmu_guest_batch_take(&it.batch, &place, head, NULL, &failed), 0);
	for (int i = 0; i < 2; i++)
		CHECK_MEM(&it.batch.words[2 + 5 * i], masks, sizeof(masks));
	end();
}

static uint64_t open_sampled(uint64_t period)
{
	struct guest_perf_attr attr = { .type = VPMU_TYPE_HARDWARE,
					.config = 1,
					.sample_period = period,
					.flags = VPMU_ATTR_PMI };
	struct guest_perf_event event;
	uint64_t failed;

	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, VPMU_CONTEXT_TASK, VPMU_PMI_VECTOR, 0x60), 0);
	CHECK_EQ(vpmu_guest_open(&it.guest, &it.batch, 0x8, &attr, VPMU_GUEST_ENABLE, &event,
				 &failed),
		 0);
	CHECK_EQ(failed, 0);
	return 0x8;
}

static void overflow(void)
{
	script.increase = script.left;
	script.attention(script.attention_opaque, 1ull << 63);
	vpmu_vcpu_enter(it.vcpu);
	script.increase = 0;
}

static void take_a_pmi(unsigned int cost_of_claimed, unsigned int cost_of_other)
{
	struct guest_perf_event events[VPMU_MAX_SLOTS];
	uint64_t slots = 99;

	open_sampled(1000);
	accesses = 0;
	CHECK_EQ(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, events), 0);
	CHECK_EQ(slots, 0);
	CHECK_EQ(accesses, cost_of_other);
	for (unsigned int i = 1; i < 4; i++) {
		overflow();
		CHECK_EQ(interrupts, i);
		accesses = 0;
		CHECK_EQ(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, events), 1);
		CHECK_EQ(accesses, cost_of_claimed);
		CHECK_EQ(slots, 0x8);
		CHECK_EQ(events[0].count, 1000 * i);
		CHECK_EQ(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, events), 0);
	}
}

static void pmi_is_one_access(void)
{
	begin();
	area_on();
	take_a_pmi(1, 0);
	end();
}

static void pmi_without_an_area_is_two(void)
{
	begin();
	take_a_pmi(2, 1);
	end();
}

static void pmi_without_room_is_taken_all_the_same(void)
{
	struct guest_perf_event events[VPMU_MAX_SLOTS];
	uint64_t slots;

	begin();
	it.guest.batch_words = 3;
	open_sampled(10);
	overflow();
	CHECK_EQ(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, events), 1);
	CHECK_EQ(slots, 0x8);
	CHECK_EQ(events[0].count, 10);
	end();
}

static void pmi_settings_are_checked(void)
{
	begin();
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, VPMU_PMI_VECTOR, 31), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, VPMU_PMI_VECTOR, 256), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, VPMU_PMI_NMI, 32), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, 3, 0), VPMU_GUEST_INVALID);
	it.guest.features &= ~VPMU_FEATURE_PMI_NMI;
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, VPMU_PMI_NMI, 0), VPMU_GUEST_UNSUPPORTED);
	CHECK_EQ(vpmu_guest_pmi_set(&it.guest, 1, VPMU_PMI_OFF, 0), 0);
	end();
}

static void area_is_turned_on_and_off(void)
{
	struct guest_perf_event event;

	begin();
	CHECK_EQ(vpmu_guest_read_stale(&it.guest, 0, &event), VPMU_GUEST_UNSUPPORTED);
	CHECK_EQ(vpmu_guest_area_on(&it.guest, 1, PAGE_ADDRESS + 8, memory), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_area_on(&it.guest, 1, 0x100000, memory), VPMU_GUEST_REFUSED);
	/* The device fills another page than the one that is looked at. */
	CHECK_EQ(vpmu_guest_area_on(&it.guest, 1, PAGE_ADDRESS, &memory[AREA_WORD]),
		 VPMU_GUEST_HOST);
	area_on();
	CHECK_EQ(vpmu_guest_read_stale(&it.guest, 0, &event), 0);
	CHECK_EQ(vpmu_guest_read_stale(&it.guest, 16, &event), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_area_off(&it.guest, 1), 0);
	CHECK_EQ(vpmu_guest_read_stale(&it.guest, 0, &event), VPMU_GUEST_UNSUPPORTED);
	it.guest.features = 0;
	CHECK_EQ(vpmu_guest_area_on(&it.guest, 1, PAGE_ADDRESS, memory), VPMU_GUEST_UNSUPPORTED);
	end();
}

static void batch_in_the_area_is_not_run(void)
{
	uint64_t failed;

	begin();
	area_on();
	it.batch.words = &memory[AREA_WORD];
	it.batch.address = PAGE_ADDRESS + 8 * AREA_WORD;
	CHECK_EQ(vpmu_guest_close(&it.guest, &it.batch, 1, NULL, &failed), VPMU_GUEST_NOT_RUN);
	end();
}

static void reset_closes_all(void)
{
	struct guest_perf_event events[EVENTS];
	uint64_t opened = 1;

	begin();
	area_on();
	open_eight(events);
	CHECK_EQ(vpmu_guest_reset(&it.guest, 1, 5), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_reset(&it.guest, 1, VPMU_RESET_ALL), 0);
	CHECK_EQ(vpmu_vcpu_read(it.vcpu, VPMU_REG_OPENED, &opened), VPMU_ACCESS_DONE);
	CHECK_EQ(opened, 0);
	CHECK_EQ(vpmu_guest_reset(&it.guest, 1, VPMU_RESET_VCPU), 0);
	end();
}

static void failed_area_is_given_up(void)
{
	struct guest_perf_event events[EVENTS];
	uint64_t failed;

	begin();
	area_on();
	open_eight(events);
	CHECK_EQ(vpmu_guest_area_check(&it.guest, VPMU_CONTEXT_TASK), 0);
	memory_is_gone = 1;
	vpmu_guest_read_fresh(&it.guest, NULL, 0x2, events, &failed);
	memory_is_gone = 0;
	CHECK_EQ(vpmu_guest_area_check(&it.guest, VPMU_CONTEXT_TASK), VPMU_GUEST_UNSUPPORTED);
	CHECK_EQ(vpmu_guest_read_stale(&it.guest, 1, events), VPMU_GUEST_UNSUPPORTED);
	end();
}

static void period_is_changed(void)
{
	uint64_t slots;

	begin();
	open_sampled(1000);
	it.guest.period_floor = 10;
	CHECK_EQ(vpmu_guest_period_set(&it.guest, 1, 16, 50), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_period_set(&it.guest, 1, 3, 9), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_period_set(&it.guest, 1, 3, 1ull << 63), VPMU_GUEST_INVALID);
	CHECK_EQ(vpmu_guest_period_set(&it.guest, 1, 3, 50), 0);
	CHECK_EQ(script.left, 50);
	overflow();
	CHECK_EQ(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, NULL), 1);
	CHECK_EQ(slots, 0x8);
	end();
}

static unsigned int visits, chances, stride;

/* What an NMI handler may do: read, claim, acknowledge, with a batch of its own. */
static void visit(void)
{
	struct guest_perf_event events[VPMU_MAX_SLOTS];
	uint64_t slots, failed;

	/* Not each time: a reading that is always disturbed gives up. */
	if (++chances % stride)
		return;
	visits++;
	CHECK_EQ(vpmu_guest_read_fresh(&it.guest, &it.interrupt, 0xff, events, &failed), 0);
	CHECK(vpmu_guest_pmi(&it.guest, &it.interrupt, &slots, events) >= 0);
}

/* Each reading of the script adds so much: words of two readings do not fit together. */
static void check_whole(const struct guest_perf_event events[EVENTS])
{
	for (uint64_t i = 0; i < EVENTS; i++) {
		CHECK_EQ(events[i].count / (5 * (i + 1)), events[i].time_enabled / 1000);
		CHECK_EQ(events[i].time_enabled, events[i].time_running);
	}
}

static void disturb(struct vpmu_guest_batch *batch, uint32_t batch_words)
{
	struct guest_perf_event events[EVENTS];
	struct guest_perf_attr attrs[EVENTS];
	uint64_t failed;

	begin_with(batch_words, 1000);
	area_on();
	script.increase = 5;
	fill_attrs(attrs);
	in_between = visit;
	CHECK_EQ(vpmu_guest_open(&it.guest, batch, 0xff, attrs, VPMU_GUEST_ENABLE, events, &failed),
		 0);
	CHECK_EQ(failed, 0);
	check_whole(events);
	CHECK_EQ(vpmu_guest_read_fresh(&it.guest, batch, 0xff, events, &failed), 0);
	CHECK_EQ(failed, 0);
	check_whole(events);
	in_between = NULL;
	end();
}

static void handlers_may_come_between_any_two_accesses(void)
{
	visits = 0;
	for (stride = 1; stride < 5; stride++)
		disturb(&it.batch, 1024);
	CHECK(visits > 4);
	visits = 0;
	for (stride = 37; stride < 60; stride++)
		disturb(NULL, 1024);
	CHECK(visits > 100);
	visits = 0;
	for (stride = 2; stride < 9; stride++)
		disturb(&it.batch, 83);
	CHECK(visits > 4);
}

static void slots_are_picked_from_below(void)
{
	struct vpmu_guest guest = { .slots = 5, .granted = 0x1f };

	CHECK_EQ(vpmu_guest_slots_pick(&guest, 0, 5), 0x1f);
	CHECK_EQ(vpmu_guest_slots_pick(&guest, 0x2, 2), 0x5);
	CHECK_EQ(vpmu_guest_slots_pick(&guest, 0x2, 5), 0);
}

const struct test_case test_cases[] = {
	{ "R-BAT-3", "open_and_enable_is_one_access", open_and_enable_is_one_access },
	{ "R-MASK-9", "fresh_read_is_one_access", fresh_read_is_one_access },
	{ "R-PUB-3", "stale_read_is_no_access", stale_read_is_no_access },
	{ "R-BAT-1", "singly_comes_to_the_same", singly_comes_to_the_same },
	{ "R-BAT-3", "cut_batch_comes_to_the_same", cut_batch_comes_to_the_same },
	{ "R-BOX-3", "many_slots_are_few_accesses", many_slots_are_few_accesses },
	{ "R-BAT-8", "batch_that_is_lost_ends_the_call", batch_that_is_lost_ends_the_call },
	{ "R-GRP-3", "denied_event_says_why_and_its_group_too",
	  denied_event_says_why_and_its_group_too },
	{ "R-MASK-10", "check_and_warm_keep_nothing_open", check_and_warm_keep_nothing_open },
	{ "R-ACC-6", "reopening_an_open_slot_is_refused_and_harmless",
	  reopening_an_open_slot_is_refused_and_harmless },
	{ "R-ACC-2", "attributes_no_host_takes_are_not_sent",
	  attributes_no_host_takes_are_not_sent },
	{ "R-MASK-3", "disable_enable_and_close_tell_what_failed",
	  disable_enable_and_close_tell_what_failed },
	{ "R-BAT-7", "again_is_continued", again_is_continued },
	{ "R-BAT-7", "again_within_an_entry_is_continued", again_within_an_entry_is_continued },
	{ "R-PMI-10", "pmi_is_one_access", pmi_is_one_access },
	{ "R-PMI-10", "pmi_without_an_area_is_two", pmi_without_an_area_is_two },
	{ "R-PMI-5", "pmi_without_room_is_taken_all_the_same",
	  pmi_without_room_is_taken_all_the_same },
	{ "R-PMI-8", "pmi_settings_are_checked", pmi_settings_are_checked },
	{ "R-AREA-1", "area_is_turned_on_and_off", area_is_turned_on_and_off },
	{ "R-BAT-1", "batch_in_the_area_is_not_run", batch_in_the_area_is_not_run },
	{ "R-RST-1", "reset_closes_all", reset_closes_all },
	{ "R-AREA-7", "failed_area_is_given_up", failed_area_is_given_up },
	{ "R-OVF-5", "period_is_changed", period_is_changed },
	{ "R-ACC-7", "handlers_may_come_between_any_two_accesses",
	  handlers_may_come_between_any_two_accesses },
	{ "R-REG-2", "slots_are_picked_from_below", slots_are_picked_from_below },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
