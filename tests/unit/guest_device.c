/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* What the client does with events and the area, and what each of it costs. */
#include "guest_fixture.h"

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

static void failed_area_is_given_up(void)
{
	struct guest_perf_event events[EVENTS];
	uint64_t failed;

	begin();
	area_on();
	open_eight(events);
	CHECK_EQ(vpmu_guest_area_check(&it.guest, VPMU_CONTEXT_TASK), 0);
	memory_is_gone = 1;
	CHECK_EQ(vpmu_guest_read_fresh(&it.guest, NULL, 0x2, events, &failed), 0);
	memory_is_gone = 0;
	CHECK_EQ(vpmu_guest_area_check(&it.guest, VPMU_CONTEXT_TASK), VPMU_GUEST_UNSUPPORTED);
	CHECK_EQ(vpmu_guest_read_stale(&it.guest, 1, events), VPMU_GUEST_UNSUPPORTED);
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
	{ "R-GRP-3", "denied_event_says_why_and_its_group_too",
	  denied_event_says_why_and_its_group_too },
	{ "R-MASK-10", "check_and_warm_keep_nothing_open", check_and_warm_keep_nothing_open },
	{ "R-ACC-6", "reopening_an_open_slot_is_refused_and_harmless",
	  reopening_an_open_slot_is_refused_and_harmless },
	{ "R-ACC-2", "attributes_no_host_takes_are_not_sent",
	  attributes_no_host_takes_are_not_sent },
	{ "R-MASK-3", "disable_enable_and_close_tell_what_failed",
	  disable_enable_and_close_tell_what_failed },
	{ "R-AREA-1", "area_is_turned_on_and_off", area_is_turned_on_and_off },
	{ "R-AREA-7", "failed_area_is_given_up", failed_area_is_given_up },
	{ "R-RST-1", "reset_closes_all", reset_closes_all },
	{ "R-REG-2", "slots_are_picked_from_below", slots_are_picked_from_below },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
