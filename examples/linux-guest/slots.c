// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// SPDX-FileCopyrightText: 2026 libvpmu contributors
/*
 * The slots of one CPU. perf changes what runs within pmu_disable() and pmu_enable(). The first
 * event that goes stops, in one access, all those of its context, since perf is about to take
 * them all; what is to run is opened or started in one access at the end. So a switch from one
 * task to another costs one access for the events that go and one for those that come. Slots
 * of events that went stay open and stopped for the next events of the same kind, as long as
 * there is room.
 */
#include "vpmu.h"

/* Every event that the device had is void, or not opened; the device itself is left alone. */
void vpmu_cpu_drop(struct vpmu_cpu *cpu)
{
	unsigned int i;

	for (i = 0; i < VPMU_MAX_SLOTS; i++) {
		struct vpmu_slot *slot = &cpu->slots[i];

		if (slot->event && slot->state != VPMU_SLOT_FAILED)
			vpmu_count_void(slot->event);
		slot->state = slot->event ? VPMU_SLOT_FAILED : VPMU_SLOT_FREE;
		slot->group = 0;
	}
}

/* ---- groups of slots ------------------------------------------------------------------------- */

static u64 free_slots(const struct vpmu_cpu *cpu)
{
	u64 mask = 0;
	unsigned int i;

	for (i = 0; i < cpu->guest.slots; i++)
		if (cpu->slots[i].state == VPMU_SLOT_FREE)
			mask |= vpmu_bit(i);
	return mask;
}

static u64 slots_in(const struct vpmu_cpu *cpu, enum vpmu_slot_state state)
{
	u64 mask = 0;
	unsigned int i;

	for (i = 0; i < cpu->guest.slots; i++)
		if (cpu->slots[i].group && cpu->slots[i].state == state)
			mask |= cpu->slots[i].group;
	return mask;
}

static void set_state(struct vpmu_cpu *cpu, u64 mask, enum vpmu_slot_state state)
{
	unsigned int i;

	for (i = 0; i < cpu->guest.slots; i++)
		if (mask & vpmu_bit(i))
			cpu->slots[i].state = state;
}

static bool has_event(const struct vpmu_cpu *cpu, u64 mask)
{
	unsigned int i;

	for (i = 0; i < cpu->guest.slots; i++)
		if (mask & vpmu_bit(i) && cpu->slots[i].event)
			return true;
	return false;
}

/* Adds readings, as many as mask has bits, to the events. */
static void count_all(struct vpmu_cpu *cpu, u64 mask, const struct guest_perf_event *readings)
{
	unsigned int i;

	for (i = 0; i < cpu->guest.slots; i++)
		if (mask & vpmu_bit(i))
			vpmu_count(cpu, i, readings++);
}

typedef int (*slot_call)(struct vpmu_guest *guest, struct vpmu_guest_batch *batch, uint64_t mask,
			 struct guest_perf_event *events, uint64_t *failed);

/* The lowest slots of a mask, as many as one batch reads. */
static u64 part_of(u64 mask, unsigned int most)
{
	u64 part = 0;

	for (; mask && most; most--) {
		part |= mask & -mask;
		mask &= mask - 1;
	}
	return part;
}

/* Starts, stops or reads slots, and counts. false: the device failed, now or a moment before. */
static bool change(struct vpmu_cpu *cpu, slot_call call, u64 mask, u64 *failed)
{
	*failed = 0;
	if (!cpu->ready)
		return false;
	while (mask) {
		u64 part = part_of(mask, VPMU_READ_AT_ONCE), bad;
		int error = call(&cpu->guest, &cpu->task, part, cpu->events, &bad);

		if (error) {
			vpmu_cpu_broken(cpu, error);
			return false;
		}
		count_all(cpu, part, cpu->events);
		*failed |= bad & part;
		mask &= ~part;
	}
	return true;
}

/* Closes groups; their events, if any, are on without a slot in the device. */
static void close_groups(struct vpmu_cpu *cpu, u64 mask)
{
	u64 failed;
	unsigned int i;

	if (!mask || !change(cpu, vpmu_guest_close, mask, &failed))
		return;
	for (i = 0; i < cpu->guest.slots; i++) {
		struct vpmu_slot *slot = &cpu->slots[i];

		if (!(mask & vpmu_bit(i)))
			continue;
		slot->state = slot->event ? VPMU_SLOT_FAILED : VPMU_SLOT_FREE;
		slot->group = 0;
		if (slot->event)
			vpmu_count_pause(slot);
	}
}

/* ---- what goes ------------------------------------------------------------------------------- */

static bool group_is_of(const struct vpmu_cpu *cpu, u64 group,
			const struct perf_event_context *context)
{
	unsigned int i;

	for (i = 0; i < cpu->guest.slots; i++)
		if (group & vpmu_bit(i) && cpu->slots[i].event &&
		    cpu->slots[i].event->ctx == context)
			return true;
	return false;
}

/* Stops what counts for a context, or for all. */
void vpmu_cpu_freeze(struct vpmu_cpu *cpu, const struct perf_event_context *context)
{
	u64 mask = 0, failed;
	unsigned int i;

	for (i = 0; i < cpu->guest.slots; i++) {
		struct vpmu_slot *slot = &cpu->slots[i];

		if (slot->group && slot->state == VPMU_SLOT_ON &&
		    (!context || group_is_of(cpu, slot->group, context)))
			mask |= slot->group;
	}
	if (mask && change(cpu, vpmu_guest_disable, mask, &failed))
		set_state(cpu, mask, VPMU_SLOT_FROZEN);
}

/* An event gives its slot up. */
void vpmu_cpu_forget(struct vpmu_cpu *cpu, unsigned int number)
{
	struct vpmu_slot *slot = &cpu->slots[number];
	unsigned int i;

	slot->event = NULL;
	if (slot->state == VPMU_SLOT_FAILED)
		slot->state = VPMU_SLOT_FREE;
	for (i = 0; i < cpu->guest.slots; i++)
		if (cpu->slots[i].group & vpmu_bit(number) &&
		    cpu->slots[i].state == VPMU_SLOT_FROZEN && !has_event(cpu, cpu->slots[i].group))
			set_state(cpu, cpu->slots[i].group, VPMU_SLOT_PARKED);
}

void vpmu_cpu_sync(struct vpmu_cpu *cpu, u64 mask)
{
	u64 failed;

	change(cpu, vpmu_guest_read_fresh, mask, &failed);
}

/* ---- what comes ------------------------------------------------------------------------------ */

/* Takes the next group from those that wait. */
static bool next_group(struct vpmu_cpu *cpu, struct vpmu_newcomers *group)
{
	struct perf_event *leader;
	unsigned int i, left = 0;

	group->count = 0;
	if (!cpu->waiting_count)
		return false;
	leader = cpu->waiting[0]->group_leader;
	for (i = 0; i < cpu->waiting_count; i++) {
		struct perf_event *event = cpu->waiting[i];

		if (event->group_leader == leader) {
			group->events[group->count] = event;
			vpmu_event_attr(event, &group->attrs[group->count]);
			group->count++;
		} else {
			cpu->waiting[left++] = event;
		}
	}
	cpu->waiting_count = left;
	return true;
}

static void give_slot(struct vpmu_cpu *cpu, unsigned int number, struct perf_event *event,
		      enum vpmu_slot_state state)
{
	struct vpmu_slot *slot = &cpu->slots[number];

	slot->event = event;
	slot->state = state;
	vpmu_count_begin(slot);
	slot->sampled = local64_read(&event->count);
	event->hw.idx = number;
}

/*
 * Whether a parked group is of that kind: in the order of the slots, the same events. What is
 * incomplete already would not show another loss.
 */
static bool group_fits(const struct vpmu_cpu *cpu, u64 group, const struct vpmu_newcomers *wanted)
{
	unsigned int i, at = 0;

	if (hweight64(group) != wanted->count)
		return false;
	for (i = 0; i < cpu->guest.slots; i++) {
		const struct guest_perf_attr *have = &cpu->slots[i].attr;
		const struct guest_perf_attr *want = &wanted->attrs[at];

		if (!(group & vpmu_bit(i)))
			continue;
		if (have->type != want->type || have->config != want->config ||
		    have->config1 != want->config1 || have->config2 != want->config2 ||
		    have->sample_period != want->sample_period ||
		    vpmu_guest_event_flags(&cpu->slots[i].last) & VPMU_EVENT_INCOMPLETE ||
		    (have->flags & ~(u64)VPMU_ATTR_MEMBER) != want->flags)
			return false;
		at++;
	}
	return true;
}

static u64 reuse_group(struct vpmu_cpu *cpu, const struct vpmu_newcomers *wanted)
{
	unsigned int i, slot, at = 0;

	for (i = 0; i < cpu->guest.slots; i++) {
		u64 group = cpu->slots[i].group;

		if (!group || cpu->slots[i].state != VPMU_SLOT_PARKED ||
		    !group_fits(cpu, group, wanted))
			continue;
		for (slot = 0; slot < cpu->guest.slots; slot++)
			if (group & vpmu_bit(slot))
				give_slot(cpu, slot, wanted->events[at++], VPMU_SLOT_FROZEN);
		return group;
	}
	return 0;
}

/* Free slots, after closing what is parked where need be. 0: too few, or the device failed. */
u64 vpmu_cpu_room(struct vpmu_cpu *cpu, unsigned int count)
{
	u64 mask = vpmu_guest_slots_pick(&cpu->guest, ~free_slots(cpu), count);

	if (!mask) {
		close_groups(cpu, slots_in(cpu, VPMU_SLOT_PARKED));
		mask = vpmu_guest_slots_pick(&cpu->guest, ~free_slots(cpu), count);
	}
	return cpu->ready ? mask : 0;
}

/* Slots for a group that is to be opened. */
static u64 room_for(struct vpmu_cpu *cpu, struct vpmu_newcomers *group)
{
	u64 mask = vpmu_cpu_room(cpu, group->count);
	unsigned int i, at = 0;

	if (!mask)
		return 0;
	vpmu_guest_attrs_group(group->attrs, mask);
	for (i = 0; i < cpu->guest.slots; i++) {
		if (!(mask & vpmu_bit(i)))
			continue;
		give_slot(cpu, i, group->events[at], VPMU_SLOT_FAILED);
		cpu->slots[i].attr = group->attrs[at++];
	}
	return mask;
}

/*
 * The slots of a mask that could not be opened or started are closed: their events are not
 * counted.
 */
static void settle(struct vpmu_cpu *cpu, u64 leaders, u64 failed)
{
	u64 close = 0;
	unsigned int i;

	for (i = 0; i < cpu->guest.slots; i++)
		if (leaders & vpmu_bit(i) && cpu->slots[i].group & failed)
			close |= cpu->slots[i].group;
	close_groups(cpu, close);
}

static void opening_clear(struct vpmu_opening *opening)
{
	opening->mask = 0;
	opening->leaders = 0;
	opening->count = 0;
}

/* Opens and starts what was collected. */
static void open_now(struct vpmu_cpu *cpu, struct vpmu_opening *opening)
{
	const struct guest_perf_event *reading = cpu->events;
	u64 failed, closed = 0;
	unsigned int i, at = 0;
	int error;

	if (!opening->mask)
		return;
	/* In the order of the slots, as the mask is. */
	for (i = 0; i < cpu->guest.slots; i++)
		if (opening->mask & vpmu_bit(i))
			opening->attrs[at++] = cpu->slots[i].attr;
	error = VPMU_GUEST_NO_DEVICE;
	if (cpu->ready)
		error = vpmu_guest_open(&cpu->guest, &cpu->task, opening->mask, opening->attrs,
					VPMU_GUEST_ENABLE, cpu->events, &failed);
	if (error) {
		vpmu_cpu_broken(cpu, error);
		opening_clear(opening);
		return;
	}
	for (i = 0; i < cpu->guest.slots; i++) {
		struct vpmu_slot *slot = &cpu->slots[i];

		if (!(opening->mask & vpmu_bit(i)))
			continue;
		if (vpmu_guest_event_state(reading) == VPMU_STATE_CLOSED) {
			closed |= vpmu_bit(i);
		} else {
			slot->state = VPMU_SLOT_ON;
			slot->last = (struct guest_perf_event){ .continuity = reading->continuity };
			vpmu_count(cpu, i, reading);
		}
		reading++;
	}
	for (i = 0; i < cpu->guest.slots; i++)
		if (opening->leaders & vpmu_bit(i) && cpu->slots[i].group & closed)
			cpu->slots[i].group = 0;
	settle(cpu, opening->leaders, failed);
	opening_clear(opening);
}

static void add_to_opening(struct vpmu_cpu *cpu, struct vpmu_opening *opening,
			   struct vpmu_newcomers *group)
{
	u64 mask;
	unsigned int i;

	if (opening->count + group->count > VPMU_OPEN_AT_ONCE)
		open_now(cpu, opening);
	mask = room_for(cpu, group);
	if (!mask) {
		for (i = 0; i < group->count; i++)
			vpmu_count_void(group->events[i]);
		return;
	}
	cpu->slots[__ffs64(mask)].group = mask;
	opening->mask |= mask;
	opening->leaders |= mask & -mask;
	opening->count += group->count;
}

/* Opens what is new and starts what is to run: perf has made up its mind. */
void vpmu_cpu_flush(struct vpmu_cpu *cpu)
{
	struct vpmu_newcomers *group = &cpu->newcomers;
	struct vpmu_opening *opening = &cpu->opening;
	u64 start = slots_in(cpu, VPMU_SLOT_FROZEN), failed = 0;

	while (next_group(cpu, group)) {
		u64 again = reuse_group(cpu, group);

		if (again)
			start |= again;
		else
			add_to_opening(cpu, opening, group);
	}
	if (start && change(cpu, vpmu_guest_enable, start, &failed)) {
		set_state(cpu, start, VPMU_SLOT_ON);
		settle(cpu, start, failed);
	}
	open_now(cpu, opening);
}

/* Groups of which an event was lost. */
static u64 lost_groups(const struct vpmu_cpu *cpu)
{
	u64 mask = 0, lost = 0;
	unsigned int i;

	for (i = 0; i < cpu->guest.slots; i++)
		if (cpu->slots[i].state == VPMU_SLOT_ON && cpu->slots[i].event &&
		    vpmu_event_is_void(cpu->slots[i].event))
			lost |= vpmu_bit(i);
	for (i = 0; i < cpu->guest.slots; i++)
		if (cpu->slots[i].group & lost)
			mask |= cpu->slots[i].group;
	return mask;
}

/*
 * Tries once more to open what the host could not count, and opens anew what it lost. Events that
 * never had a slot may wait already; those for which there is no room then are tried another time.
 */
void vpmu_cpu_retry(struct vpmu_cpu *cpu)
{
	unsigned int i;

	close_groups(cpu, lost_groups(cpu));
	for (i = 0; i < cpu->guest.slots; i++) {
		struct perf_event *event = cpu->slots[i].event;

		if (!event || cpu->slots[i].state != VPMU_SLOT_FAILED ||
		    cpu->waiting_count == VPMU_MAX_SLOTS)
			continue;
		if (!vpmu_event_is_void(event))
			vpmu_count_nothing(&cpu->slots[i]);
		vpmu_cpu_forget(cpu, i);
		event->hw.idx = -1;
		cpu->waiting[cpu->waiting_count++] = event;
	}
	vpmu_cpu_flush(cpu);
}
