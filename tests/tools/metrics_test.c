/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What vpmu export tells of vCPUs and their sums, of values that no host gives at will. */
#include <stdio.h>
#include <string.h>

#include "examples/vpmu/watch.h"
#include "runner/runner.h"

#define WHOLE VPMU_MONITOR_WHOLE_VM

static struct vpmu_monitor_value given[4];
static uint64_t given_count;

int session_read(struct session *session, uint32_t flags)
{
	session->values = given;
	session->value_count = given_count;
	CHECK_EQ(!(flags & VPMU_MONITOR_PER_VCPU), session->sums_only);
	return 0;
}

struct target *session_target(struct session *session, const struct vpmu_monitor_value *value)
{
	return &session->targets[value->vm];
}

struct selected *session_event(struct session *session, const struct vpmu_monitor_value *value)
{
	return &session->events[value->event];
}

const char *scope_name(uint32_t scope)
{
	CHECK_EQ(scope, VPMU_MONITOR_BOTH);
	return "both";
}

uint64_t vpmu_monitor_held(const struct vpmu_monitor *monitor)
{
	(void)monitor;
	return 0;
}

static const char *told(enum metrics_form form, uint64_t most_series)
{
	static char copy[8192];
	static struct target target = { .name = "web", .vcpus = 2 };
	static struct session session;
	struct text_buffer text = { 0 };

	target.vm = (struct vpmu_monitor_vm *)&target;
	session = (struct session){
		.targets = &target, .target_count = 1, .event_count = 1, .most_series = most_series
	};
	session.events[0] =
		(struct selected){ .event.scope = VPMU_MONITOR_BOTH, .name = "cycles", .unit = "" };
	metrics_write(&session, &text, form);
	CHECK(!text.failed && text.used < sizeof(copy));
	memcpy(copy, text.at, text.used);
	copy[text.used] = '\0';
	text_end(&text);
	given_count = 0;
	return copy;
}

static void give(uint32_t vcpu, uint64_t count, uint64_t enabled, uint64_t running)
{
	given[given_count++] = (struct vpmu_monitor_value){
		.value = count,
		.enabled = enabled,
		.running = running,
		.vcpu = vcpu,
		.state = running < enabled ? VPMU_MONITOR_SCALED : VPMU_MONITOR_OK,
	};
}

/* One vCPU counted 1000 all the time and one 10 in a tenth of it: together 1100. The sums of counts
 * and times would make 1836 of it. */
static void a_sum_of_parts_cannot_be_scaled(void)
{
	const char *text;

	give(WHOLE, 1010, 200, 110);
	text = told(METRICS_TEXT, 1);
	CHECK(strstr(text,
		     "vpmu_events_total{vm=\"web\",vcpu=\"\",event=\"cycles\",scope=\"both\"} "
		     "1010\n"));
	CHECK(strstr(text, "vpmu_event_state{vm=\"web\",vcpu=\"\",event=\"cycles\",scope=\"both\"} "
			   "1\n"));
	CHECK(!strstr(text, "vpmu_event_enabled") && !strstr(text, "vpmu_event_running"));
	give(WHOLE, 1010, 200, 110);
	text = told(METRICS_JSON, 1);
	CHECK(strstr(text, "\"state\": \"scaled\", \"value\": 1010}"));
}

static void what_can_be_scaled_has_its_times(void)
{
	const char *text;

	give(WHOLE, 1010, 200, 200);
	text = told(METRICS_TEXT, 1);
	CHECK(strstr(text, "vpmu_event_enabled_seconds_total{vm=\"web\",vcpu=\"\","));
	CHECK(strstr(text, "vpmu_event_running_seconds_total{vm=\"web\",vcpu=\"\","));
	give(1, 10, 100, 10);
	text = told(METRICS_TEXT, 0);
	CHECK(strstr(text, "vpmu_event_running_seconds_total{vm=\"web\",vcpu=\"1\","
			   "event=\"cycles\",scope=\"both\"} 0.000000010\n"));
	give(1, 10, 100, 10);
	text = told(METRICS_JSON, 0);
	CHECK(strstr(text, "\"value\": 10, \"enabled\": 100, \"running\": 10}"));
}

const struct test_case test_cases[] = {
	{ "tool-metrics", "a sum of parts cannot be scaled", a_sum_of_parts_cannot_be_scaled },
	{ "tool-metrics", "what can be scaled has its times", what_can_be_scaled_has_its_times },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
