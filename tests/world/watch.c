/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <string.h>

#include "world/watch.h"

#define BIT(n) (1ull << (n))
#define COUNTING_STATES \
	(BIT(VPMU_STATE_ACTIVE) | BIT(VPMU_STATE_PARTIAL) | BIT(VPMU_STATE_INACTIVE))
#define TIMES_AND_COUNTS                                                  \
	(BIT(VPMU_EVENT_WORD_COUNT) | BIT(VPMU_EVENT_WORD_TIME_ENABLED) | \
	 BIT(VPMU_EVENT_WORD_TIME_RUNNING) | BIT(VPMU_EVENT_WORD_LOST) |  \
	 BIT(VPMU_EVENT_WORD_OVERFLOWS))

/* Everything that a check needs of one look. */
struct look {
	struct world *world;
	const struct world_watch *watch; /* words and truth as of before */
	const uint64_t *now;
};

/* A slot of a look. */
struct view {
	unsigned int index;
	uint64_t bit;
	const uint64_t *attr;
	const uint64_t *event;
	const uint64_t *old; /* event words of before */
	uint8_t state;
	uint8_t reason;
	uint16_t flags;
	uint8_t open;
	uint8_t enabled;
};

static unsigned int slots_of(const uint64_t *words)
{
	return (unsigned int)(words[VPMU_REG_LIMITS] & VPMU_REG_LIMITS_SLOTS_MASK);
}

static struct view view_of(const struct look *look, unsigned int index)
{
	const uint64_t *event = &look->now[WORLD_EVENT(index, 0)];
	uint64_t status = event[VPMU_EVENT_WORD_STATUS];

	return (struct view){
		.index = index,
		.bit = BIT(index),
		.attr = &look->now[WORLD_ATTR(index, 0)],
		.event = event,
		.old = &look->watch->words[WORLD_EVENT(index, 0)],
		.state = (uint8_t)(status >> VPMU_EVENT_WORD_STATUS_STATE_SHIFT),
		.reason = (uint8_t)(status >> VPMU_EVENT_WORD_STATUS_REASON_SHIFT),
		.flags = (uint16_t)(status >> VPMU_EVENT_WORD_STATUS_FLAGS_SHIFT),
		.open = look->now[VPMU_REG_OPENED] >> index & 1,
		.enabled = look->now[VPMU_REG_ENABLED] >> index & 1,
	};
}

/* ---- control registers ---- */

static const char *check_masks(const struct look *look)
{
	const uint64_t *now = look->now;
	uint64_t opened = now[VPMU_REG_OPENED];

	if (opened >> slots_of(now))
		return "R-MASK-1: a slot that is not granted is open";
	if (now[VPMU_REG_ENABLED] & ~opened)
		return "R-MASK-12: ENABLED has a closed slot";
	if (now[VPMU_REG_PENDING] & ~opened)
		return "R-MASK-12: PENDING has a closed slot";
	if (now[VPMU_REG_ERROR] & ~opened)
		return "R-MASK-12: ERROR has a closed slot";
	return NULL;
}

static const char *check_counting(const struct look *look)
{
	uint64_t limit = (look->now[VPMU_REG_LIMITS] & VPMU_REG_LIMITS_COUNTING_MASK) >>
			 VPMU_REG_LIMITS_COUNTING_SHIFT;
	uint64_t count = 0;

	for (unsigned int i = 0; i < slots_of(look->now); i++) {
		struct view view = view_of(look, i);

		count += view.enabled && view.attr[VPMU_ATTR_WORD_TYPE] != VPMU_TYPE_HOST_SOFTWARE;
	}
	if (count > limit && !(look->now[VPMU_REG_FEATURES] & VPMU_FEATURE_FLEXIBLE))
		return "R-MASK-7: more events are enabled than may count at once";
	return NULL;
}

static const char *check_line(const struct look *look)
{
	const uint64_t *now = look->now;
	uint64_t mode = now[VPMU_REG_PMI] & VPMU_REG_PMI_MODE_MASK;
	uint64_t line = now[VPMU_REG_PMI_LINE];
	int driven = 0;

	for (unsigned int i = 0; i < slots_of(now); i++) {
		struct view view = view_of(look, i);

		driven |= now[VPMU_REG_PENDING] & view.bit &&
			  view.attr[VPMU_ATTR_WORD_FLAGS] & VPMU_ATTR_PMI;
	}
	if (line > VPMU_LINE_RAISED)
		return "R-PMI-1: PMI_LINE has no such value";
	if (mode == VPMU_PMI_OFF && line != VPMU_LINE_IDLE)
		return "R-PMI-7: the PMI is off and the line is not idle";
	if (line == VPMU_LINE_TO_INJECT && !driven)
		return "R-PMI-6: the line is to inject and nothing drives it";
	if (line == VPMU_LINE_IDLE && driven && mode != VPMU_PMI_OFF)
		return "R-PMI-2: the line is driven and idle";
	return NULL;
}

static const char *check_identity(const struct look *look)
{
	const uint64_t *now = look->now, *old = look->watch->words;

	if (now[VPMU_REG_MAGIC] != VPMU_MAGIC)
		return "R-REG-1: MAGIC changed";
	for (unsigned int i = VPMU_REG_OPEN; i <= VPMU_REG_KICK; i++) {
		if (now[i])
			return "R-ACC-4: a register that the guest only writes does not read 0";
	}
	if (!look->watch->valid)
		return NULL;
	for (unsigned int i = VPMU_REG_LEVEL; i <= VPMU_REG_VCPU; i++) {
		if (now[i] != old[i])
			return "R-ACC-4: a register that the VMM sets changed";
	}
	if (now[VPMU_REG_EPOCH] < old[VPMU_REG_EPOCH])
		return "R-EPO-1: EPOCH went back";
	return NULL;
}

static uint32_t injected_by_now(struct world *world, const uint64_t *now)
{
	return atomic_load(&world->injected[now[VPMU_REG_VCPU] % WORLD_THREADS]);
}

static const char *check_sequence(const struct look *look)
{
	uint32_t more = injected_by_now(look->world, look->now) - look->watch->injected;
	uint32_t expected = (uint32_t)look->watch->words[VPMU_REG_PMI_SEQUENCE] + more;

	if (look->watch->valid && look->now[VPMU_REG_PMI_SEQUENCE] != expected)
		return "R-PMI-3: PMI_SEQUENCE is not the number of interrupts delivered";
	return NULL;
}

static const char *check_area_state(const struct look *look)
{
	uint64_t area = look->now[VPMU_REG_AREA], state = look->now[VPMU_REG_AREA_STATE];

	if (!area != (state != VPMU_AREA_ON))
		return "R-AREA-7: AREA and AREA_STATE disagree";
	return area && !(area & VPMU_REG_AREA_ON_MASK) ? "R-AREA-1: a page without on" : NULL;
}

/* ---- slots ---- */

static const char *check_state(const struct look *look, const struct view *view)
{
	int error = look->now[VPMU_REG_ERROR] >> view->index & 1;

	if ((view->state == VPMU_STATE_CLOSED) != !view->open)
		return "R-MASK-12: OPENED and the state disagree";
	if ((view->state == VPMU_STATE_ERROR) != error)
		return "R-MASK-12: ERROR and the state disagree";
	if (!view->open)
		return NULL;
	if (COUNTING_STATES & BIT(view->state) && !view->enabled)
		return "R-SLOT-6: a slot counts that is not enabled";
	if (view->state == VPMU_STATE_STOPPED && view->enabled)
		return "R-SLOT-6: an enabled slot is stopped";
	if (error != (view->reason && view->state == VPMU_STATE_ERROR))
		return "R-SLOT-7: an error without a reason";
	return NULL;
}

static const char *check_reason(const struct look *look, const struct view *view)
{
	uint64_t allowed[] = {
		[VPMU_STATE_CLOSED] = UINT64_MAX,
		[VPMU_STATE_STOPPED] = BIT(VPMU_REASON_NONE) | BIT(VPMU_REASON_UNBOUND) |
				       BIT(VPMU_REASON_HOST_LIMIT) | BIT(VPMU_REASON_NOT_PORTABLE),
		[VPMU_STATE_ACTIVE] = BIT(VPMU_REASON_NONE),
		[VPMU_STATE_PARTIAL] = BIT(VPMU_REASON_NONE),
		[VPMU_STATE_INACTIVE] = BIT(VPMU_REASON_NONE) | BIT(VPMU_REASON_UNBOUND) |
					BIT(VPMU_REASON_NOT_PORTABLE),
		[VPMU_STATE_ERROR] = UINT64_MAX,
	};

	(void)look;
	if (view->state > VPMU_STATE_ERROR || view->reason > VPMU_REASON_INVALID)
		return "R-SLOT-7: no such state or reason";
	if (!(allowed[view->state] & BIT(view->reason)))
		return "R-SLOT-7: a reason that this state cannot have";
	return NULL;
}

static const char *check_flags(const struct look *look, const struct view *view)
{
	int less = view->event[VPMU_EVENT_WORD_TIME_RUNNING] <
		   view->event[VPMU_EVENT_WORD_TIME_ENABLED];
	int counting = COUNTING_STATES >> view->state & 1;
	int rearm = !!(view->flags & VPMU_EVENT_REARM);

	if (view->event[VPMU_EVENT_WORD_STATUS] & 1)
		return "R-PUB-2: an odd sequence in a register";
	if (!!(view->flags & VPMU_EVENT_LOWER_BOUND) != counting)
		return "R-SLOT-8: LOWER_BOUND and the state disagree";
	if (!!(view->flags & VPMU_EVENT_MULTIPLEXED) != less)
		return "R-SLOT-8: MULTIPLEXED and the times disagree";
	if (view->open && rearm && !(look->now[VPMU_REG_PENDING] & view->bit))
		return "R-OVF-5: REARM without a pending bit";
	return NULL;
}

static const char *check_attr(const struct look *look, const struct view *view)
{
	uint64_t period = view->attr[VPMU_ATTR_WORD_SAMPLE_PERIOD];
	uint64_t link = view->attr[VPMU_ATTR_WORD_LINK];

	if (view->attr[VPMU_ATTR_WORD_TYPE] > VPMU_TYPE_HOST_SOFTWARE ||
	    view->attr[VPMU_ATTR_WORD_FLAGS] & ~VPMU_ATTR_WORD_FLAGS_FLAGS_MASK ||
	    link & ~(VPMU_ATTR_WORD_LINK_LEADER_MASK | VPMU_ATTR_WORD_LINK_MODEL_MASK) ||
	    (link & VPMU_ATTR_WORD_LINK_LEADER_MASK) >= VPMU_MAX_SLOTS)
		return "R-ACC-2: an attr word has a value that is refused";
	if (period && (period < look->now[VPMU_REG_PERIOD_FLOOR] || period >> 63))
		return "R-OVF-4: a period below the floor, or with bit 63";
	return NULL;
}

static const char *check_words(const struct look *look, const struct view *view)
{
	uint64_t period = view->attr[VPMU_ATTR_WORD_SAMPLE_PERIOD];
	uint64_t left = view->event[VPMU_EVENT_WORD_PERIOD_LEFT];

	if (view->event[VPMU_EVENT_WORD_TIME_RUNNING] > view->event[VPMU_EVENT_WORD_TIME_ENABLED])
		return "R-SLOT-4: running exceeds enabled";
	for (unsigned int i = VPMU_ATTR_WORDS; i < VPMU_SLOT_EVENT; i++) {
		if (view->attr[i])
			return "R-REG-3: a word without a meaning does not read 0";
	}
	for (unsigned int i = VPMU_EVENT_WORDS + (look->now[VPMU_REG_LEVEL] > 1);
	     i < VPMU_STRIDE - VPMU_SLOT_EVENT; i++) {
		if (view->event[i])
			return "R-REG-3: a word without a meaning does not read 0";
	}
	if (!view->open || view->flags & VPMU_EVENT_REARM)
		return NULL;
	if (period ? !left || left > period : left)
		return "R-OVF-1: period_left is not from 1 to sample_period";
	return NULL;
}

static const char *check_group(const struct look *look, const struct view *view)
{
	static const uint64_t same = BIT(VPMU_EVENT_WORD_TIME_ENABLED) |
				     BIT(VPMU_EVENT_WORD_TIME_RUNNING);
	struct view leader;

	if (!view->open || !(view->attr[VPMU_ATTR_WORD_FLAGS] & VPMU_ATTR_MEMBER))
		return NULL;
	leader = view_of(look, (unsigned int)(view->attr[VPMU_ATTR_WORD_LINK] &
					      VPMU_ATTR_WORD_LINK_LEADER_MASK));
	if (!leader.open)
		return "R-GRP-3: a member is open without its leader";
	if (leader.enabled != view->enabled || leader.state != view->state ||
	    leader.reason != view->reason)
		return "R-GRP-6: a member's state is not its leader's";
	for (unsigned int i = 0; i < VPMU_EVENT_WORDS; i++) {
		if (same & BIT(i) && view->event[i] != leader.event[i])
			return "R-GRP-6: a member's times are not its leader's";
	}
	return NULL;
}

static uint32_t generation(const uint64_t *event)
{
	return (uint32_t)event[VPMU_EVENT_WORD_CONTINUITY];
}

static const char *check_past(const struct look *look, const struct view *view)
{
	if (!look->watch->valid)
		return NULL;
	if (view->event[VPMU_EVENT_WORD_STATUS] == view->old[VPMU_EVENT_WORD_STATUS]) {
		if (memcmp(view->event, view->old, (VPMU_EVENT_WORDS + 1) * sizeof(uint64_t)))
			return "R-PUB-2: results changed without a publication";
		return NULL;
	}
	if (generation(view->event) != generation(view->old))
		return NULL;
	for (unsigned int i = 0; i <= VPMU_EVENT_WORDS; i++) {
		if (TIMES_AND_COUNTS & BIT(i) && view->event[i] < view->old[i])
			return "R-SLOT-3: a count, a time or lost decreased";
	}
	return NULL;
}

static const char *check_truth(const struct look *look, const struct view *view)
{
	if (view->event[VPMU_EVENT_WORD_COUNT] != look->watch->truth[view->index])
		return "honest: a count is not what the source delivered";
	return NULL;
}

/* ---- the host's side ---- */

static uint64_t tags_of(const struct world_group *group)
{
	uint64_t tags = 0;

	for (uint32_t i = 0; i < group->count; i++)
		tags |= BIT(group->events[i].tag);
	return tags;
}

/* Slots of the open group that the slot leads. */
static uint64_t members_of(const struct look *look, unsigned int leader)
{
	uint64_t members = BIT(leader);

	for (unsigned int i = 0; i < slots_of(look->now); i++) {
		struct view view = view_of(look, i);

		if (view.open && view.attr[VPMU_ATTR_WORD_FLAGS] & VPMU_ATTR_MEMBER &&
		    (view.attr[VPMU_ATTR_WORD_LINK] & VPMU_ATTR_WORD_LINK_LEADER_MASK) == leader)
			members |= view.bit;
	}
	return members;
}

static const char *check_host_group(const struct look *look, const struct world_group *group)
{
	uint64_t tags = tags_of(group), opened = look->now[VPMU_REG_OPENED];
	unsigned int leader = group->events[0].tag;
	uint64_t enabled;

	if (!(tags & opened))
		return group->on ? "harmless: a warm group runs" : NULL;
	if (tags & ~opened || tags != members_of(look, leader))
		return "R-GRP-6: the host's group is not the guest's";
	enabled = look->now[VPMU_REG_ENABLED] & BIT(leader);
	if (group->on && !enabled)
		return "honest: the host counts a group that is not enabled";
	if (!group->on && enabled && view_of(look, leader).state != VPMU_STATE_ERROR)
		return "honest: a group seems to count and the host has it paused";
	return NULL;
}

static const char *check_host(const struct look *look, const struct view *view)
{
	const struct world_watch *watch = look->watch;

	if (!(COUNTING_STATES & BIT(view->state)) || watch->bound < 0 ||
	    view->reason == VPMU_REASON_UNBOUND || view->reason == VPMU_REASON_NOT_PORTABLE)
		return NULL;
	if (!world_group(look->world, (unsigned int)watch->bound, view->index))
		return "R-SLOT-9: a slot seems to count and the host has no event for it";
	return NULL;
}

static const char *check_host_groups(const struct look *look)
{
	const struct world_group *group;
	const char *broken = NULL;

	if (look->watch->bound < 0)
		return NULL;
	group = look->world->threads[look->watch->bound].groups;
	for (; group && !broken; group = group->next)
		broken = check_host_group(look, group);
	return broken;
}

/* ---- the events area ---- */

/* A word that the test wrote over, or another vCPU, tells nothing. */
static int lies(const struct look *look, uint64_t address, uint64_t value)
{
	uint32_t id = (uint32_t)look->now[VPMU_REG_VCPU];

	return world_is_from(look->world, id, address, sizeof(value)) &&
	       world_peek(look->world, address) != value;
}

static const char *check_area(const struct look *look)
{
	static const uint8_t header[] = { VPMU_REG_MAGIC,   VPMU_REG_LEVEL,	   VPMU_REG_EPOCH,
					  VPMU_REG_PENDING, VPMU_REG_PMI_SEQUENCE, VPMU_REG_VCPU };
	uint64_t page = look->now[VPMU_REG_AREA] & VPMU_REG_AREA_PAGE_MASK;

	if (!look->now[VPMU_REG_AREA] || look->watch->area_lies)
		return NULL;
	for (unsigned int i = 0; i < sizeof(header); i++) {
		if (lies(look, page + 8 * i, look->now[header[i]]))
			return "R-AREA-5: the area's header is not what the registers say";
	}
	for (unsigned int slot = 0; slot < slots_of(look->now); slot++) {
		for (unsigned int i = 0; i < VPMU_EVENT_WORDS; i++) {
			if (lies(look, page + 64ull * (slot + 1) + 8ull * i,
				 look->now[WORLD_EVENT(slot, i)]))
				return "R-PUB-3: a record is not what the registers say";
		}
	}
	return NULL;
}

/* ---- a look ---- */

static const char *check_slot(const struct look *look, unsigned int index)
{
	static const char *(*const checks[])(const struct look *, const struct view *) = {
		check_attr,  check_state, check_reason, check_flags, check_words,
		check_group, check_past,  check_truth,	check_host,
	};
	struct view view = view_of(look, index);
	const char *broken = NULL;

	for (unsigned int i = 0; !broken && i < sizeof(checks) / sizeof(checks[0]); i++)
		broken = checks[i](look, &view);
	return broken;
}

static const char *check_all(const struct look *look)
{
	static const char *(*const checks[])(const struct look *) = {
		check_masks,	check_counting,	  check_line,	     check_sequence,
		check_identity, check_area_state, check_host_groups, check_area,
	};
	const char *broken = NULL;

	for (unsigned int i = 0; !broken && i < sizeof(checks) / sizeof(checks[0]); i++)
		broken = checks[i](look);
	for (unsigned int slot = 0; !broken && slot < slots_of(look->now); slot++)
		broken = check_slot(look, slot);
	return broken;
}

static uint64_t delivered(struct world *world, uint32_t threads, unsigned int slot)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < WORLD_THREADS; i++) {
		uint64_t *one = &world->threads[i].delivered[slot];

		if (!(threads >> i & 1))
			continue;
		sum = *one > UINT64_MAX - sum ? UINT64_MAX : sum + *one;
		*one = 0;
	}
	return sum;
}

/* A slot that was opened anew starts at 0; a closed one keeps what it has. */
static void follow_truth(struct world *world, struct world_watch *watch, const uint64_t *now)
{
	for (unsigned int i = 0; i < slots_of(now); i++) {
		uint64_t more = delivered(world, watch->threads, i);
		uint64_t *truth = &watch->truth[i];
		int anew = generation(&now[WORLD_EVENT(i, 0)]) !=
			   generation(&watch->words[WORLD_EVENT(i, 0)]);

		if (!watch->valid)
			*truth = now[WORLD_EVENT(i, VPMU_EVENT_WORD_COUNT)];
		else if (anew)
			*truth = 0;
		else
			*truth = more > UINT64_MAX - *truth ? UINT64_MAX : *truth + more;
	}
}

void world_watch_begin(struct world_watch *watch, struct vpmu_vcpu *vcpu, int thread)
{
	memset(watch, 0, sizeof(*watch));
	watch->vcpu = vcpu;
	watch->bound = thread;
	watch->threads = thread < 0 ? 0 : 1u << thread;
}

void world_watch_forget(struct world_watch *watch)
{
	watch->valid = 0;
}

const char *world_watch_look(struct world *world, struct world_watch *watch)
{
	uint64_t now[VPMU_REGISTERS];
	struct look look = { world, watch, now };
	const char *broken;

	memset(now, 0, sizeof(now));
	now[VPMU_REG_LIMITS] = world_get(watch->vcpu, VPMU_REG_LIMITS);
	for (unsigned int i = 0; i < VPMU_STRIDE * (slots_of(now) + 1); i++)
		(void)vpmu_vcpu_read(watch->vcpu, i, &now[i]);
	follow_truth(world, watch, now);
	broken = check_all(&look);
	memcpy(watch->words, now, sizeof(now));
	watch->injected = injected_by_now(world, now);
	watch->valid = 1;
	watch->threads = watch->bound < 0 ? 0 : 1u << watch->bound;
	return broken;
}
