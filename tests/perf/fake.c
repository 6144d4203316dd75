/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#define _GNU_SOURCE
#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "runner/runner.h"

/* Counts a call; its failure, or 0. */
static int64_t enter(struct fake *fake, enum fake_call call)
{
	fake->calls[call]++;
	fake->all_calls++;
	if (fake->fail_at && (fake->all_calls == fake->fail_at ||
			      (fake->fail_on && fake->all_calls > fake->fail_at)))
		return fake->failure;
	if (fake->times[call] == 0)
		return 0;
	if (fake->skip[call] > 0) {
		fake->skip[call]--;
		return 0;
	}
	fake->times[call]--;
	return fake->answers[call];
}

static struct fake_event *event_of(struct fake *fake, int32_t descriptor)
{
	struct fake_event *event = &fake->events[descriptor - FAKE_FIRST];

	CHECK(descriptor >= FAKE_FIRST && descriptor < FAKE_FIRST + FAKE_EVENTS);
	CHECK(event->used);
	return event;
}

static uint32_t is_hardware(const struct fake_event *event)
{
	return event->attr.type != PERF_TYPE_SOFTWARE;
}

/* Nobody reads it for its own sake. */
static uint32_t is_dummy(const struct fake_event *event)
{
	return event->attr.type == PERF_TYPE_SOFTWARE && event->attr.read_format == 0;
}

/* The rules of the kernel that the source must keep to. */
static int64_t attr_check(struct fake *fake, struct perf_event_attr *attr, int32_t group)
{
	const uint8_t *bytes = (const uint8_t *)attr;

	/* What the kernel does not know must be 0. */
	for (uint32_t i = fake->attr_size; fake->attr_size && i < attr->size; i++)
		if (bytes[i]) {
			attr->size = fake->attr_size;
			return -E2BIG;
		}
	if (group >= 0 && (attr->pinned || attr->disabled))
		return -EINVAL;
	if (attr->sample_period >> 63)
		return -EINVAL;
	if (fake->unprivileged && !attr->exclude_kernel)
		return -EACCES;
	if (fake->no_sampling && attr->type != PERF_TYPE_SOFTWARE && attr->sample_period)
		return -EOPNOTSUPP;
	if (fake->driver && attr->type != PERF_TYPE_SOFTWARE)
		return fake->driver(attr);
	return 0;
}

static int64_t event_open(void *opaque, void *bytes, int64_t thread, int32_t cpu, int32_t group,
			  uint64_t flags)
{
	struct fake *fake = opaque;
	struct perf_event_attr *attr = bytes;
	int64_t failure = enter(fake, FAKE_OPEN);
	uint32_t own = thread == 0;
	uint32_t i = own ? FAKE_EVENTS - 1 : 0;

	CHECK_EQ(cpu, -1);
	CHECK_EQ(flags, PERF_FLAG_FD_CLOEXEC);
	CHECK(thread == FAKE_THREAD || thread == FAKE_OTHER || thread == 0);
	if (!failure)
		failure = attr_check(fake, attr, group);
	if (failure)
		return failure;
	if (fake->thread_ended && !own)
		return -ESRCH;
	while (i < FAKE_EVENTS && fake->events[i].used)
		i += own ? UINT32_MAX : 1;
	CHECK(i < FAKE_EVENTS);
	fake->events[i] = (struct fake_event){ .used = 1, .own = own, .leader = i };
	memcpy(&fake->events[i].attr, attr, attr->size);
	fake->events[i].on = !attr->disabled;
	fake->events[i].left = attr->sample_period;
	if (group >= 0) {
		fake->events[i].leader = (uint32_t)(group - FAKE_FIRST);
		CHECK_EQ(event_of(fake, group)->leader, fake->events[i].leader);
	}
	fake->events[i].order = fake->events_ever++;
	fake->opened += !own;
	fake->own += own;
	return FAKE_FIRST + i;
}

static int64_t set_period(struct fake *fake, struct fake_event *event, const void *argument)
{
	uint64_t period;

	memcpy(&period, argument, sizeof(period));
	CHECK(event->async);
	fake->periods++;
	if (period == 0 || period >> 63)
		return -EINVAL;
	event->attr.sample_period = period;
	event->left = period;
	return 0;
}

static int64_t event_ioctl(void *opaque, int32_t descriptor, uint64_t request, uint64_t argument)
{
	struct fake *fake = opaque;
	struct fake_event *event = event_of(fake, descriptor);
	int64_t failure = enter(fake, FAKE_IOCTL);

	if (failure)
		return failure;
	if (request == PERF_EVENT_IOC_PERIOD)
		return set_period(fake, event, (const void *)(uintptr_t)argument);
	CHECK(request == PERF_EVENT_IOC_ENABLE || request == PERF_EVENT_IOC_DISABLE);
	CHECK_EQ(argument, 0);
	if (!is_dummy(event))
		CHECK_EQ(event->leader, (uint32_t)(descriptor - FAKE_FIRST));
	event->on = request == PERF_EVENT_IOC_ENABLE;
	if (event->on)
		event->dead = 0;
	return 0;
}

/* A signal is named, with its thread, before it is switched on. */
static int64_t event_fcntl(void *opaque, int32_t descriptor, int32_t command, uint64_t argument)
{
	struct fake *fake = opaque;
	struct fake_event *event = event_of(fake, descriptor);
	int64_t failure = enter(fake, FAKE_FCNTL);
	const struct f_owner_ex *owner = (void *)(uintptr_t)argument;

	if (failure)
		return failure;
	if (command == F_SETOWN_EX) {
		CHECK_EQ(owner->type, F_OWNER_TID);
		event->owner = owner->pid;
	} else if (command == F_SETSIG) {
		event->number = (int32_t)argument;
	} else {
		CHECK_EQ(command, F_SETFL);
		CHECK_EQ(argument, O_ASYNC);
		CHECK(event->owner && event->number);
		event->async = 1;
	}
	return 0;
}

/* Whether a pinned group finds its counters. */
static uint32_t finds_counters(const struct fake *fake, uint32_t leader)
{
	uint32_t needed = 0;

	if (fake->counters == 0)
		return 1;
	for (uint32_t i = 0; i < FAKE_EVENTS; i++)
		needed += fake->events[i].used && fake->events[i].leader == leader &&
			  is_hardware(&fake->events[i]);
	return needed <= fake->counters;
}

/* Where an event stands in the readings of its group: the leader first, then as they were opened. */
static uint64_t place_of(const struct fake *fake, const struct fake_event *event)
{
	uint64_t place = 0;

	for (uint32_t i = 0; i < FAKE_EVENTS; i++)
		place += fake->events[i].used && fake->events[i].leader == event->leader &&
			 fake->events[i].order < event->order;
	return place;
}

static int64_t event_read(void *opaque, int32_t descriptor, void *to, uint64_t size)
{
	struct fake *fake = opaque;
	struct fake_event *event = event_of(fake, descriptor);
	int64_t failure = enter(fake, FAKE_READ);
	uint64_t *words = to;
	uint64_t count = 0;

	if (failure)
		return failure;
	if (event->on && event->attr.pinned && !finds_counters(fake, event->leader))
		event->dead = 1;
	if (event->dead)
		return 0;
	for (uint32_t i = 0; i < FAKE_EVENTS; i++)
		if (fake->events[i].used && fake->events[i].leader == event->leader) {
			CHECK(size >= (4 + count) * sizeof(uint64_t));
			words[3 + place_of(fake, &fake->events[i])] = fake->events[i].count;
			count++;
		}
	words[0] = count;
	words[1] = event->enabled;
	words[2] = event->running;
	return (int64_t)((3 + count) * sizeof(uint64_t));
}

/* A leader is closed after its members. */
static int64_t event_close(void *opaque, int32_t descriptor)
{
	struct fake *fake = opaque;
	struct fake_event *event = event_of(fake, descriptor);
	int64_t failure = enter(fake, FAKE_CLOSE);

	event->used = 0;
	fake->opened -= !event->own;
	fake->own -= event->own;
	for (uint32_t i = 0; i < FAKE_EVENTS; i++)
		CHECK(!fake->events[i].used ||
		      fake->events[i].leader != (uint32_t)(descriptor - FAKE_FIRST));
	return failure;
}

static int64_t thread_exists(void *opaque, int64_t thread, uint32_t own)
{
	struct fake *fake = opaque;
	int64_t failure = enter(fake, FAKE_THREADS);

	CHECK_EQ(thread, FAKE_THREAD);
	if (failure)
		return failure;
	return fake->thread_ended || (own && fake->thread_foreign) ? -ESRCH : 0;
}

static int64_t thread_time(void *opaque, int64_t thread)
{
	struct fake *fake = opaque;
	int64_t failure = enter(fake, FAKE_TIME);

	CHECK_EQ(thread, FAKE_THREAD);
	return failure ? failure : (int64_t)fake->thread_time;
}

static int64_t thread_self(void *opaque)
{
	(void)opaque;
	return FAKE_THREAD;
}

static int64_t descriptor_limit(void *opaque)
{
	return (int64_t)((struct fake *)opaque)->limit;
}

static int64_t file_text(void *opaque, const char *path, char *to, uint64_t size)
{
	struct fake *fake = opaque;
	int64_t failure = enter(fake, FAKE_FILE);
	const char *text = NULL;

	if (failure)
		return failure;
	if (strstr(path, "kvm_intel"))
		text = fake->mediated;
	else if (strstr(path, "perf_event_paranoid"))
		text = fake->paranoid;
	else if (strstr(path, "perf_event_max_sample_rate"))
		text = fake->rate;
	else if (strstr(path, "status"))
		text = fake->capabilities;
	else if (strstr(path, "devices/cpu/"))
		text = fake->pmu;
	if (!text)
		return -ENOENT;
	CHECK(strlen(text) < size);
	memcpy(to, text, strlen(text) + 1);
	return (int64_t)strlen(text);
}

static void *allocate(void *opaque, uint64_t size)
{
	struct fake *fake = opaque;

	if (enter(fake, FAKE_ALLOCATE))
		return NULL;
	fake->memory++;
	return calloc(1, (size_t)size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	struct fake *fake = opaque;

	/* What is given back is not read again. */
	memset(memory, 0xa5, (size_t)size);
	free(memory);
	fake->memory--;
}

static void log_text(void *opaque, uint32_t level, const char *text)
{
	struct fake *fake = opaque;

	CHECK(level <= VPMU_LOG_NOTE);
	CHECK(strlen(text) < sizeof(fake->text));
	CHECK(strchr(text, '\n') == NULL);
	memcpy(fake->text, text, strlen(text) + 1);
	fake->texts++;
	errno = FAKE_ERRNO;
}

static void note(void *opaque, uint64_t tags)
{
	struct fake *fake = opaque;

	fake->tags |= tags;
	fake->notices++;
}

void fake_begin(struct fake *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->limit = FAKE_FIRST + FAKE_EVENTS + VPMU_PERF_RESERVE;
	fake->thread_time = 1000000;
	errno = ERRNO_BEFORE;
}

int fake_source(struct fake *fake, uint32_t flags, uint32_t number, struct vpmu_perf **perf)
{
	const struct vpmu_perf_system system = {
		.size = sizeof(system),
		.opaque = fake,
		.event_open = event_open,
		.event_ioctl = event_ioctl,
		.event_fcntl = event_fcntl,
		.event_read = event_read,
		.event_close = event_close,
		.thread_exists = thread_exists,
		.thread_self = thread_self,
		.thread_time = thread_time,
		.descriptor_limit = descriptor_limit,
		.file_text = file_text,
		.allocate = allocate,
		.release = release,
	};
	const struct vpmu_perf_config config = {
		.size = sizeof(config),
		.flags = flags,
		.signal = number,
		.system = &system,
		.log = log_text,
		.log_opaque = fake,
		.gate = fake->gate,
	};

	return vpmu_perf_create(&config, perf);
}

int fake_attach(struct fake *fake, struct vpmu_perf *perf, void **attached)
{
	const struct vpmu_source_thread thread = {
		.size = sizeof(thread), .id = FAKE_THREAD, .attention = note, .opaque = fake
	};

	return vpmu_perf_ops()->attach(perf, &thread, attached);
}

void fake_warm_up(struct fake *fake, struct vpmu_perf *perf, void *attached)
{
	const struct vpmu_source_ops *ops = vpmu_perf_ops();
	struct vpmu_source_event clock = { .attr = { .type = VPMU_TYPE_HOST_SOFTWARE,
						     .config = VPMU_SOFTWARE_TASK_CLOCK } };
	struct vpmu_source_opened opened = { 0 };

	CHECK_EQ(ops->open(perf, attached, &clock, 1, 0, &opened), 0);
	ops->close(perf, attached, opened.group, 0);
	CHECK_EQ(fake->own, 1);
	memset(fake->calls, 0, sizeof(fake->calls));
	fake->all_calls = 0;
}

/* Overflows are announced as they happen, until another period is set. */
static void count_on(struct fake *fake, struct fake_event *event, uint64_t counts)
{
	uint64_t period = event->attr.sample_period;

	event->count += counts;
	if (event->attr.config < 16)
		fake->true_count[event->attr.config] += counts;
	if (!event->async || counts < event->left) {
		event->left -= event->async ? counts : 0;
		return;
	}
	fake->overflows += 1 + (counts - event->left) / period;
	event->left = period - (counts - event->left) % period;
}

/* Whether it has its turn of the counters that it shares. */
static int has_turn(const struct fake *fake, const struct fake_event *leader)
{
	uint32_t place = (uint32_t)(leader - fake->events);

	return !fake->turns || leader->attr.pinned || !is_hardware(leader) ||
	       (fake->passes + place) % fake->turns == 0;
}

void fake_pass(struct fake *fake, uint64_t ns, uint64_t running_ns)
{
	fake->thread_time += ns;
	fake->passes++;
	for (uint32_t i = 0; i < FAKE_EVENTS; i++) {
		struct fake_event *event = &fake->events[i];
		struct fake_event *leader = &fake->events[event->leader];

		if (!event->used)
			continue;
		if (fake->counters && leader->on && leader->attr.pinned)
			leader->dead |= !finds_counters(fake, event->leader);
		if (!leader->on || leader->dead || fake->thread_ended)
			continue;
		event->enabled += ns;
		if (!has_turn(fake, leader))
			continue;
		event->running += running_ns;
		count_on(fake, event, running_ns * (event->attr.config + 1));
	}
}

void fake_fail(struct fake *fake, enum fake_call call, uint32_t skip, uint32_t times,
	       int64_t failure)
{
	fake->skip[call] = skip;
	fake->times[call] = times;
	fake->answers[call] = failure;
}
