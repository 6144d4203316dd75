/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "fake.h"

#include <stdlib.h>
#include <string.h>

#include "runner/runner.h"

struct group {
	struct vpmu_source_event events[VPMU_MAX_SLOTS];
	uint32_t count, on, flags, hardware;
	uint64_t since; /* read up to here */
	int64_t thread;
};

static int enter(struct fake *fake)
{
	fake->calls++;
	return fake->fail_at && fake->calls == fake->fail_at ? fake->failure : 0;
}

static int probe(void *source, struct vpmu_source_facts *facts)
{
	struct fake *fake = source;
	int error = enter(fake);

	facts->hardware_events = ~fake->unsupported;
	facts->software_events = ~0ull;
	facts->counters = fake->counters;
	return error;
}

static int attach(void *source, const struct vpmu_source_thread *thread, void **attached)
{
	struct fake *fake = source;
	int error = enter(fake);

	CHECK(thread->id > 0 && thread->id < FAKE_THREADS);
	CHECK(thread->attention != NULL);
	if (error)
		return error;
	fake->attached++;
	*attached = (void *)(uintptr_t)thread->id;
	return 0;
}

static void detach(void *source, void *attached)
{
	struct fake *fake = source;

	CHECK(attached != NULL);
	fake->attached--;
}

static int refused(const struct fake *fake, const struct vpmu_source_event *event)
{
	return event->attr.type == VPMU_TYPE_HARDWARE && event->attr.config < 64 &&
	       fake->unsupported & 1ull << event->attr.config;
}

static int check_group(const struct fake *fake, const struct vpmu_source_event *events,
		       uint32_t count, struct vpmu_source_opened *opened, uint32_t *hardware)
{
	*hardware = 0;
	for (uint32_t i = 0; i < count; i++) {
		opened->failed = i;
		if (refused(fake, &events[i]))
			return VPMU_ERROR_UNSUPPORTED;
		*hardware += events[i].attr.type != VPMU_TYPE_HOST_SOFTWARE;
		if (fake->largest && *hardware > fake->largest)
			return VPMU_ERROR_GROUP;
	}
	return 0;
}

static int open_group(void *source, void *attached, struct vpmu_source_event *events,
		      uint32_t count, uint32_t flags, struct vpmu_source_opened *opened)
{
	struct fake *fake = source;
	int64_t thread = (int64_t)(uintptr_t)attached;
	int error = enter(fake);
	uint32_t hardware;
	struct group *group;

	fake->opens++;
	fake->last_flags = flags;
	if (!error)
		error = check_group(fake, events, count, opened, &hardware);
	if (!error && fake->ended[thread])
		error = VPMU_ERROR_GONE;
	if (error)
		return error;
	group = calloc(1, sizeof(*group));
	CHECK(group != NULL);
	memcpy(group->events, events, count * sizeof(*events));
	group->count = count;
	group->flags = flags;
	group->hardware = hardware;
	group->thread = thread;
	fake->groups++;
	fake->events += count;
	if (fake->ends_at_open == thread)
		fake->ended[thread] = 1;
	opened->group = group;
	return 0;
}

static void close_group(void *source, void *attached, void *handle, uint32_t keep)
{
	struct fake *fake = source;
	struct group *group = handle;

	CHECK_EQ(keep, 0);
	CHECK_EQ((uintptr_t)attached, (uintptr_t)group->thread);
	fake->groups--;
	fake->events -= group->count;
	free(group);
}

static int run(void *source, void *attached, void *handle, uint32_t on)
{
	struct fake *fake = source;
	struct group *group = handle;
	int error = enter(fake);

	CHECK_EQ((uintptr_t)attached, (uintptr_t)group->thread);
	fake->runs++;
	if (error)
		return error;
	if (!group->on)
		group->since = fake->now;
	group->on = on;
	return 0;
}

static int read_group(void *source, void *attached, void *handle,
		      struct vpmu_source_reading *reading)
{
	struct fake *fake = source;
	struct group *group = handle;
	int error = enter(fake);
	uint64_t passed;

	CHECK_EQ((uintptr_t)attached, (uintptr_t)group->thread);
	CHECK_EQ(reading->count, group->count);
	fake->reads++;
	memset(reading->increase, 0, group->count * sizeof(reading->increase[0]));
	reading->enabled = 0;
	reading->running = 0;
	reading->flags = 0;
	if (!error && fake->starved && group->hardware && !(group->flags & VPMU_SOURCE_FLEXIBLE))
		error = VPMU_ERROR_STARVED;
	if (error)
		return error;
	passed = fake->now - group->since;
	group->since = fake->now;
	if (!group->on || fake->ended[group->thread] || fake->idle[group->thread])
		return 0;
	reading->enabled = passed;
	reading->running = passed;
	if (group->hardware && fake->half)
		reading->running = passed / 2;
	if (group->hardware && fake->never)
		reading->running = 0;
	for (uint32_t i = 0; i < group->count; i++)
		reading->increase[i] = reading->running * group->events[i].attr.config;
	return 0;
}

static int meter_probe(void *meter, uint64_t config)
{
	struct fake *fake = meter;

	(void)config;
	return fake->meter_error;
}

static int meter_open(void *meter, void *vm, void **handle)
{
	struct fake *fake = meter;
	int error = enter(fake);

	if (!error)
		error = fake->meter_error;
	if (error)
		return error;
	fake->handles++;
	*handle = vm ? vm : fake;
	return 0;
}

static int meter_thread(void *meter, void *handle, int64_t thread)
{
	struct fake *fake = meter;

	int error = enter(fake);

	CHECK(handle != NULL);
	CHECK(thread > 0 && thread < FAKE_THREADS);
	if (fake->ends_at_meter == thread)
		fake->ended[thread] = 1;
	/* The kernel finds whoever has the number now. */
	if (!error)
		fake->metered[thread] = 1;
	return error;
}

static void meter_forget(void *meter, void *handle, int64_t thread)
{
	struct fake *fake = meter;

	CHECK(handle != NULL);
	CHECK_EQ(fake->metered[thread], 1);
	fake->metered[thread] = 0;
}

static int meter_read(void *meter, void *handle, uint32_t vcpu, uint64_t config, uint64_t *value)
{
	struct fake *fake = meter;
	int error = enter(fake);

	CHECK(handle != NULL);
	if (!error)
		error = fake->meter_error;
	*value = fake->meter * (config + 1) + (vcpu == VPMU_MONITOR_WHOLE_VM ? 0 : vcpu);
	return error;
}

static void meter_close(void *meter, void *handle)
{
	struct fake *fake = meter;

	CHECK(handle != NULL);
	fake->handles--;
}

static void *allocate(void *opaque, uint64_t size)
{
	struct fake *fake = opaque;

	CHECK(size > 0);
	if (enter(fake))
		return NULL;
	fake->memory++;
	return calloc(1, (size_t)size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	struct fake *fake = opaque;

	CHECK(size > 0);
	fake->memory--;
	free(memory);
}

static int64_t descriptors(void *opaque)
{
	struct fake *fake = opaque;

	return fake->descriptors - fake->events;
}

static int check(void *opaque, int64_t thread, uint64_t born)
{
	struct fake *fake = opaque;

	fake->checks++;
	CHECK_EQ(born, (uint64_t)thread * 10);
	return fake->ended[thread] ? VPMU_ERROR_GONE : 0;
}

void fake_config(struct fake *fake, struct vpmu_monitor_config *config)
{
	static const struct vpmu_source_ops source = {
		.size = sizeof(source),
		.probe = probe,
		.attach = attach,
		.detach = detach,
		.open = open_group,
		.close = close_group,
		.run = run,
		.read = read_group,
	};
	static const struct vpmu_monitor_meter_ops whole = {
		.size = sizeof(whole),
		.probe = meter_probe,
		.open = meter_open,
		.thread = meter_thread,
		.read = meter_read,
		.close = meter_close,
		.forget = meter_forget,
	};
	static const struct vpmu_monitor_meter_ops each = {
		.size = sizeof(each),
		.per_vcpu = 1,
		.probe = meter_probe,
		.open = meter_open,
		.read = meter_read,
		.close = meter_close,
	};

	*config = (struct vpmu_monitor_config){
		.size = sizeof(*config),
		.source = &source,
		.source_opaque = fake,
		.meters = { NULL, &whole, &each },
		.meter_opaque = { NULL, fake, fake },
		.opaque = fake,
		.allocate = allocate,
		.release = release,
		.descriptors = descriptors,
	};
}

struct vpmu_monitor_vm *fake_vm(struct fake *fake, struct vpmu_monitor *monitor, uint32_t id,
				uint32_t flags, uint32_t first, uint32_t vcpus)
{
	struct vpmu_monitor_vm_config config = {
		.size = sizeof(config), .id = id, .flags = flags, .opaque = fake, .check = check
	};
	struct vpmu_monitor_thread threads[FAKE_THREADS] = { { 0 } };
	struct vpmu_monitor_vm *vm = NULL;

	if (vpmu_monitor_vm_add(monitor, &config, &vm))
		return NULL;
	for (uint32_t i = 0; i < vcpus; i++) {
		threads[i].thread = first + i;
		threads[i].born = (first + i) * 10ull;
		threads[i].vcpu = i;
	}
	if (vpmu_monitor_vm_threads(vm, threads, vcpus)) {
		vpmu_monitor_vm_remove(vm);
		return NULL;
	}
	return vm;
}

struct vpmu_monitor_event fake_hardware(uint64_t config, uint32_t scope)
{
	return (struct vpmu_monitor_event){
		.attr = { .type = VPMU_TYPE_HARDWARE, .config = config }, .scope = scope
	};
}

struct vpmu_monitor_event fake_software(uint64_t config)
{
	return (struct vpmu_monitor_event){ .attr = { .type = VPMU_TYPE_HOST_SOFTWARE,
						      .config = config },
					    .scope = VPMU_MONITOR_BOTH };
}

struct vpmu_monitor_event fake_metered(uint32_t meter, uint64_t config)
{
	return (struct vpmu_monitor_event){ .attr = { .config = config },
					    .meter = meter,
					    .scope = VPMU_MONITOR_BOTH };
}
