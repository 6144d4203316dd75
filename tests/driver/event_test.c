/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * What the Linux driver asks the device before perf may have an event, and what it makes of the
 * answers; its names, which must mean what the library's mean.
 */
#include <string.h>

#include <vpmu/convert.h>

#include "device.h"
#include "runner/runner.h"
#include "vpmu.h"

#define EVENTS 6
#define SPECIFIC_RAW 0x1c2u

static struct perf_event events[EVENTS];
static struct pmu own, foreign;

/* ---- the rest of the driver and of the kernel ------------------------------------------------ */

int smp_call_function_single(int cpu, void (*call)(void *opaque), void *opaque, int wait)
{
	CHECK(wait);
	if (cpu != 0)
		return -ENXIO;
	call(opaque);
	return 0;
}

/* ---- a machine ------------------------------------------------------------------------------- */

static void power_on(void)
{
	device = (struct device){ .fault = FAULT_NONE };
	device_on();
	memset(events, 0, sizeof(events));
	for (unsigned int i = 0; i < EVENTS; i++) {
		events[i].pmu = &own;
		events[i].cpu = -1;
		events[i].group_leader = &events[i];
		events[i].attr.config = VPMU_TYPE_HARDWARE;
		events[i].attr.config1 = 1 + i;
	}
	vpmu_cpus = vpmu_cpu_make(0);
	CHECK(vpmu_cpus != NULL);
	CHECK_EQ(vpmu_cpu_start(vpmu_cpus), 0);
}

static void power_off(void)
{
	vpmu_cpu_free(vpmu_cpus);
	vpmu_cpus = NULL;
	device_off();
}

static int check(uint64_t type, uint64_t config)
{
	events[0].attr.config = type;
	events[0].attr.config1 = config;
	return vpmu_event_check(&events[0]);
}

/* The first `count` events are one group, of which the last is about to be opened. */
static struct perf_event *group_of(unsigned int count)
{
	for (unsigned int i = 1; i < count; i++) {
		events[i].group_leader = &events[0];
		events[i - 1].sibling = i + 1 < count ? &events[i] : NULL;
	}
	return &events[count - 1];
}

/* ---- cases ----------------------------------------------------------------------------------- */

static const struct attribute_group *group_named(const char *name)
{
	for (unsigned int i = 0; vpmu_attr_groups[i]; i++)
		if (vpmu_attr_groups[i]->name && strcmp(vpmu_attr_groups[i]->name, name) == 0)
			return vpmu_attr_groups[i];
	return NULL;
}

/* "class=1,event=2" under that name is what the library calls so. */
static void check_name(const char *name, const char *text)
{
	const char *plain = strncmp(name, "host-", 5) == 0 ? name + 5 : name;
	struct guest_perf_attr attr;
	uint64_t type, config;
	char *end;

	if (strstr(name, ".unit"))
		return;
	CHECK(strncmp(text, "class=", 6) == 0);
	type = strtoull(text + 6, &end, 0);
	CHECK(strncmp(end, ",event=", 7) == 0);
	config = strtoull(end + 7, &end, 0);
	CHECK_STR(end, "\n");
	CHECK_EQ(vpmu_convert_parse(plain, strlen(plain), &attr, NULL), 0);
	CHECK_EQ(attr.type, type);
	CHECK_EQ(attr.config, config);
}

static void names_mean_what_the_library_means(void)
{
	struct attribute **attrs = group_named("events")->attrs;
	static char page[PAGE_BYTES];
	unsigned int count = 0;

	for (; attrs[count]; count++) {
		struct device_attribute *shown =
			container_of(attrs[count], struct device_attribute, attr);

		CHECK(shown->show(NULL, shown, page) > 0);
		check_name(attrs[count]->name, page);
		for (unsigned int i = 0; i < count; i++)
			CHECK(strcmp(attrs[i]->name, attrs[count]->name) != 0);
	}
	CHECK(count > 20);
}

/* What a slot is written with: nothing that perf did not ask for, and no period below the floor. */
static void words_of_a_slot(void)
{
	struct guest_perf_attr attr;

	power_on();
	events[0].attr.exclude_user = 1;
	events[0].attr.config2 = 77; /* of raw events alone */
	vpmu_event_attr(&events[0], &attr);
	CHECK(attr.type == VPMU_TYPE_HARDWARE && attr.config == 1 && attr.config1 == 0);
	CHECK(attr.flags == VPMU_ATTR_EXCLUDE_USER && attr.sample_period == 0 && attr.link == 0);
	events[1].attr.config = VPMU_TYPE_RAW;
	events[1].attr.config1 = SPECIFIC_RAW;
	events[1].attr.config2 = 77;
	events[1].attr.exclude_kernel = 1;
	events[1].attr.sample_period = events[1].hw.sample_period = 1;
	vpmu_cpus->guest.pmu_model = 9;
	vpmu_cpus->guest.period_floor = 1000;
	vpmu_event_attr(&events[1], &attr);
	CHECK(attr.type == VPMU_TYPE_RAW && attr.config == SPECIFIC_RAW && attr.config1 == 77);
	CHECK_EQ(attr.flags, VPMU_ATTR_EXCLUDE_KERNEL | VPMU_ATTR_PMI);
	CHECK_EQ(attr.sample_period, 1000);
	CHECK_EQ(attr.link >> VPMU_ATTR_WORD_LINK_MODEL_SHIFT, 9);
	events[1].hw.sample_period = 5000;
	vpmu_event_attr(&events[1], &attr);
	CHECK_EQ(attr.sample_period, 5000);
	power_off();
}

/* R-SLOT-9: what the device cannot count, perf cannot open; what it may count later, it can. */
static void answers_of_the_device(void)
{
	power_on();
	CHECK_EQ(check(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS), 0);
	CHECK_EQ(check(VPMU_TYPE_RAW, SPECIFIC_RAW), -ENXIO);
	CHECK_EQ(check(VPMU_TYPE_HOST_SOFTWARE, VPMU_SOFTWARE_TASK_CLOCK), -ENXIO);
	CHECK_EQ(check(VPMU_TYPE_CACHE, VPMU_CACHE_L1D), -EOPNOTSUPP);
	CHECK_EQ(check(VPMU_TYPE_HARDWARE, 99), -EINVAL);
	/* On the event's CPU, where it has one. */
	events[0].cpu = 0;
	CHECK_EQ(check(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS), 0);
	events[0].cpu = 1;
	CHECK_EQ(check(VPMU_TYPE_HARDWARE, VPMU_HARDWARE_INSTRUCTIONS), -ENXIO);
	CHECK_EQ(device_opened(), 0);
	power_off();
}

/* A group is asked about as one, without events of other PMUs in it. */
static void groups_are_asked_about_whole(void)
{
	power_on();
	events[1].attr.config = VPMU_TYPE_RAW;
	CHECK(vpmu_event_check(group_of(3)) < 0);
	events[1].pmu = &foreign;
	CHECK_EQ(vpmu_event_check(&events[2]), 0);
	events[0].pmu = &foreign;
	CHECK_EQ(vpmu_event_check(&events[2]), 0);
	/* More than there are slots does not come to run, and shows no number. */
	power_off();
	power_on();
	CHECK_EQ(vpmu_event_check(group_of(EVENTS)), 0);
	CHECK_EQ(device_opened(), 0);
	power_off();
}

/* An answer that does not come is no answer, and the device is asked no more. */
static void a_device_that_fails(void)
{
	static const enum device_fault faults[] = { FAULT_LOST_REQUEST, FAULT_LOST_ANSWER,
						    FAULT_DEAF };

	for (unsigned int i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		power_on();
		device.fault = faults[i];
		device.at = 1;
		device.calls = 0;
		CHECK_EQ(vpmu_event_check(&events[0]), -EIO);
		CHECK(device.hit && !vpmu_cpus->ready);
		CHECK_EQ(vpmu_event_check(&events[0]), -ENODEV);
		device.fault = FAULT_NONE;
		device_mend();
		CHECK_EQ(vpmu_event_check(&events[0]), 0);
		power_off();
	}
	/* What the host's own source refuses now it may grant later. */
	power_on();
	device.fault = FAULT_SOURCE;
	device.at = 1;
	CHECK_EQ(vpmu_event_check(&events[0]), 0);
	CHECK(device.hit && vpmu_cpus->ready);
	power_off();
	vpmu_cpus = NULL;
	CHECK_EQ(vpmu_event_check(&events[0]), -ENODEV);
}

const struct test_case test_cases[] = {
	{ "driver", "names_mean_what_the_library_means", names_mean_what_the_library_means },
	{ "driver", "words_of_a_slot", words_of_a_slot },
	{ "R-SLOT-9", "answers_of_the_device", answers_of_the_device },
	{ "driver", "groups_are_asked_about_whole", groups_are_asked_about_whole },
	{ "R-BOX-6", "a_device_that_fails", a_device_that_fails },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
