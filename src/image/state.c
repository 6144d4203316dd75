/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU as a whole: R-IMG-17 to R-IMG-26 of abi/IMAGE.md, as tables in their order. */

#include "plain.h"

#define FIRST_VECTOR 32u
#define STATES(a) VPMU_BIT(VPMU_STATE_##a)
#define REASONS(a) VPMU_BIT(VPMU_REASON_##a)

struct slot {
	uint64_t attr[VPMU_ATTR_WORDS];
	uint64_t event[VPMU_MOST_EVENT_WORDS];
	uint64_t state;
	uint64_t reason;
	uint64_t flags;
	bool open;
	bool enabled;
	bool pending;
};

struct state {
	const struct vpmu_image_grant *grant;
	const struct vpmu_image_vcpu *vcpu;
	uint64_t control[VPMU_STRIDE];
	uint8_t events[VPMU_MAX_SLOTS + 1]; /* of a leader's group: that need a counter */
	uint32_t index;			    /* of the slot that is looked at */
	struct slot slot;
	struct slot leader; /* its leader, where it is a member */
};

static bool in(uint64_t mask, uint32_t slot)
{
	return mask >> slot & 1;
}

/* ---- the registers --------------------------------------------------------------------------- */

static uint64_t mode_of(const struct state *state)
{
	return state->control[VPMU_REG_PMI] & VPMU_REG_PMI_MODE_MASK;
}

static bool area_fits(const struct state *state)
{
	uint64_t area = state->control[VPMU_REG_AREA];

	return !area ||
	       (area & VPMU_REG_AREA_ON_MASK && state->grant->profile.features & VPMU_FEATURE_AREA);
}

static bool area_state_fits(const struct state *state)
{
	return (state->control[VPMU_REG_AREA_STATE] == VPMU_AREA_ON) ==
	       (state->control[VPMU_REG_AREA] != 0);
}

static bool pmi_fits(const struct state *state)
{
	uint64_t vector = state->control[VPMU_REG_PMI] >> VPMU_REG_PMI_VECTOR_SHIFT;
	uint64_t features = state->grant->profile.features;

	if (mode_of(state) == VPMU_PMI_VECTOR)
		return features & VPMU_FEATURE_PMI_VECTOR && vector >= FIRST_VECTOR;
	return !vector && (mode_of(state) == VPMU_PMI_OFF || features & VPMU_FEATURE_PMI_NMI);
}

static bool line_fits_mode(const struct state *state)
{
	return mode_of(state) != VPMU_PMI_OFF ||
	       state->control[VPMU_REG_PMI_LINE] == VPMU_LINE_IDLE;
}

static bool enabled_are_open(const struct state *state)
{
	return !(state->control[VPMU_REG_ENABLED] & ~state->control[VPMU_REG_OPENED]);
}

static bool pending_are_open(const struct state *state)
{
	return !(state->control[VPMU_REG_PENDING] & ~state->control[VPMU_REG_OPENED]);
}

/* ---- a slot ---------------------------------------------------------------------------------- */

static bool state_fits(const struct state *state)
{
	const struct slot *slot = &state->slot;
	uint64_t may = STATES(STOPPED) | STATES(ERROR);

	if (!slot->open)
		return slot->state == VPMU_STATE_CLOSED;
	if (slot->enabled)
		may = STATES(ACTIVE) | STATES(PARTIAL) | STATES(INACTIVE) | STATES(ERROR);
	return may >> slot->state & 1;
}

/* Reasons that an open slot can have in each state. */
static const uint64_t reasons[] = {
	[VPMU_STATE_STOPPED] = REASONS(NONE) | REASONS(NOT_PORTABLE) | REASONS(HOST_LIMIT) |
			       REASONS(UNBOUND),
	[VPMU_STATE_ACTIVE] = REASONS(NONE),
	[VPMU_STATE_PARTIAL] = REASONS(NONE),
	[VPMU_STATE_INACTIVE] = REASONS(NONE) | REASONS(NOT_PORTABLE) | REASONS(UNBOUND),
	[VPMU_STATE_ERROR] = REASONS(DENIED) | REASONS(UNSUPPORTED) | REASONS(STARVED) |
			     REASONS(NOT_PORTABLE) | REASONS(HOST_TOOK_PMU) | REASONS(HOST_LIMIT) |
			     REASONS(OPENING) | REASONS(BAD_GROUP) | REASONS(AGAIN),
};

static bool reason_fits(const struct state *state)
{
	const struct slot *slot = &state->slot;

	return !slot->open || reasons[slot->state] >> slot->reason & 1;
}

static uint64_t running(const struct slot *slot)
{
	return slot->event[VPMU_EVENT_WORD_TIME_RUNNING];
}

static uint64_t enabled(const struct slot *slot)
{
	return slot->event[VPMU_EVENT_WORD_TIME_ENABLED];
}

static bool times_fit(const struct state *state)
{
	return running(&state->slot) <= enabled(&state->slot);
}

static bool multiplexed_fits(const struct state *state)
{
	const struct slot *slot = &state->slot;

	return !(slot->flags & VPMU_EVENT_MULTIPLEXED) == (running(slot) == enabled(slot));
}

static bool lower_bound_fits(const struct state *state)
{
	const uint64_t going = STATES(ACTIVE) | STATES(PARTIAL) | STATES(INACTIVE);
	const struct slot *slot = &state->slot;

	return !(slot->flags & VPMU_EVENT_LOWER_BOUND) == !(going >> slot->state & 1);
}

static bool rearm_fits(const struct state *state)
{
	const struct slot *slot = &state->slot;

	return !slot->open || slot->pending || !(slot->flags & VPMU_EVENT_REARM);
}

/* Overflows that the slot knows of one by one. */
static uint64_t known_overflows(const struct slot *slot)
{
	return vpmu_saturating_add(slot->event[VPMU_EVENT_WORD_LOST], slot->pending);
}

static bool lost_fits(const struct state *state)
{
	return known_overflows(&state->slot) <= state->slot.event[VPMU_EVENT_WORD_COUNT];
}

static bool overflows_fit(const struct state *state)
{
	const struct slot *slot = &state->slot;
	uint64_t overflows = slot->event[VPMU_EVENT_WORD_OVERFLOWS];

	return state->grant->level <= VPMU_LEVEL ||
	       (known_overflows(slot) <= overflows &&
		overflows <= slot->event[VPMU_EVENT_WORD_COUNT]);
}

/* ---- an open slot ---------------------------------------------------------------------------- */

static bool period_is_there(const struct state *state)
{
	return !state->slot.event[VPMU_EVENT_WORD_PERIOD_LEFT] ==
	       !state->slot.attr[VPMU_ATTR_WORD_SAMPLE_PERIOD];
}

static bool period_fits(const struct state *state)
{
	const struct slot *slot = &state->slot;

	return slot->flags & VPMU_EVENT_REARM ||
	       slot->event[VPMU_EVENT_WORD_PERIOD_LEFT] <= slot->attr[VPMU_ATTR_WORD_SAMPLE_PERIOD];
}

static bool event_fits(const struct state *state)
{
	return vpmu_event_check(&state->grant->profile, state->slot.attr) == VPMU_REASON_NONE;
}

static bool is_member(const struct slot *slot)
{
	return slot->attr[VPMU_ATTR_WORD_FLAGS] & VPMU_ATTR_MEMBER;
}

static bool leader_fits(const struct state *state)
{
	return !is_member(&state->slot) || (state->leader.open && !is_member(&state->leader));
}

static bool leader_enabled(const struct state *state)
{
	return !is_member(&state->slot) || state->slot.enabled == state->leader.enabled;
}

static bool leader_state(const struct state *state)
{
	return !is_member(&state->slot) || (state->slot.state == state->leader.state &&
					    state->slot.reason == state->leader.reason);
}

static bool leader_time_enabled(const struct state *state)
{
	return !is_member(&state->slot) || enabled(&state->slot) == enabled(&state->leader);
}

static bool leader_time_running(const struct state *state)
{
	return !is_member(&state->slot) || running(&state->slot) == running(&state->leader);
}

static bool takes_counter(const struct state *state, uint32_t slot)
{
	uint64_t type = vpmu_image_word_of(state->vcpu->attr[slot], VPMU_ATTR_WORD_TYPE);

	return type >= VPMU_TYPE_HARDWARE && type <= VPMU_TYPE_RAW;
}

static bool group_fits(const struct state *state)
{
	return is_member(&state->slot) ||
	       state->events[state->index] <= state->grant->profile.counting;
}

/* ---- at last --------------------------------------------------------------------------------- */

static bool enabled_fit(const struct state *state)
{
	uint64_t enabled = state->control[VPMU_REG_ENABLED];
	uint32_t most = state->grant->profile.counting, count = 0;

	if (state->grant->profile.features & VPMU_FEATURE_FLEXIBLE ||
	    vpmu_count_bits(enabled) <= most)
		return true;
	for (; enabled; enabled &= enabled - 1)
		count += takes_counter(state, vpmu_lowest(enabled));
	return count <= most;
}

static bool is_driven(const struct state *state)
{
	uint64_t pending = state->control[VPMU_REG_PENDING];

	for (; pending; pending &= pending - 1) {
		const unsigned char *attr = state->vcpu->attr[vpmu_lowest(pending)];

		if (vpmu_image_word_of(attr, VPMU_ATTR_WORD_FLAGS) & VPMU_ATTR_PMI)
			return true;
	}
	return false;
}

static bool line_fits(const struct state *state)
{
	uint64_t line = state->control[VPMU_REG_PMI_LINE];

	return mode_of(state) == VPMU_PMI_OFF ||
	       line != (is_driven(state) ? VPMU_LINE_IDLE : VPMU_LINE_TO_INJECT);
}

/* ---- the tables ------------------------------------------------------------------------------ */

struct rule {
	bool (*holds)(const struct state *state);
	const char *word;
	const char *text;
};

#define RULES(table) table, sizeof(table) / sizeof((table)[0])
#define ROW(holds, word, text) { holds, word, text },
#define HOLDS(holds, word, text) holds(state) &&

static const struct rule before[] = {
	{ area_fits, "AREA", "neither 0 nor on, or without the feature AREA" },
	{ area_state_fits, "AREA_STATE", "it is not ON exactly where AREA is on" },
	{ pmi_fits, "PMI", "a mode or a vector that the guest cannot set" },
	{ line_fits_mode, "PMI_LINE", "the line is not idle while there are no PMIs" },
	{ enabled_are_open, "ENABLED", "a slot is enabled and not open" },
	{ pending_are_open, "PENDING", "a slot is pending and not open" },
};

/* clang-format off */
#define OF_SLOT(RULE) \
	RULE(state_fits, "status", "the state is none of a slot that is open and enabled so") \
	RULE(reason_fits, "status", "the reason is none of this state") \
	RULE(times_fit, "time_running", "it ran for longer than it was enabled") \
	RULE(multiplexed_fits, "status", "MULTIPLEXED is not what the times say") \
	RULE(lower_bound_fits, "status", "LOWER_BOUND is not what the state says") \
	RULE(rearm_fits, "status", "REARM of a slot that is not pending") \
	RULE(lost_fits, "lost", "more overflows than counts") \
	RULE(overflows_fit, "overflows", "fewer than are lost and pending, or more than counts")

#define OF_OPEN_SLOT(RULE) \
	RULE(period_is_there, "period_left", "it is not 0 exactly where the period is") \
	RULE(period_fits, "period_left", "more is left than the period has") \
	RULE(event_fits, "type", "no event that the VM is granted") \
	RULE(leader_fits, "link", "the leader is not open, or a member itself") \
	RULE(leader_enabled, "ENABLED", "member and leader are not both enabled or both not") \
	RULE(leader_state, "status", "member and leader differ in state or reason") \
	RULE(leader_time_enabled, "time_enabled", "member and leader differ") \
	RULE(leader_time_running, "time_running", "member and leader differ") \
	RULE(group_fits, "link", "more events in the group than may count at once")
/* clang-format on */

static const struct rule of_slot[] = { OF_SLOT(ROW) };
static const struct rule of_open_slot[] = { OF_OPEN_SLOT(ROW) };

/* All of them at once: which one does not hold is asked afterwards. */
static bool slot_fits(const struct state *state)
{
	return OF_SLOT(HOLDS)(!state->slot.open || (OF_OPEN_SLOT(HOLDS) true));
}

static const struct rule after[] = {
	{ enabled_fit, "ENABLED", "more events are enabled than may count at once" },
	{ line_fits, "PMI_LINE", "it is not what the pending slots say" },
};

static int prove(const struct state *state, uint32_t slot, const struct rule *rules, size_t count,
		 struct vpmu_image_fault *fault)
{
	for (size_t i = 0; i < count; i++) {
		if (!rules[i].holds(state)) {
			const struct vpmu_image_fault told = {
				.fault = VPMU_IMAGE_FAULT_STATE,
				.record = state->vcpu->record,
				.offset = state->vcpu->offset,
				.vcpu = state->vcpu->id,
				.slot = slot,
				.word = rules[i].word,
				.text = rules[i].text,
			};

			return vpmu_image_refuse(fault, &told);
		}
	}
	return 0;
}

static void read_slot(const struct state *state, uint32_t index, struct slot *slot)
{
	for (uint32_t i = 0; i < VPMU_ATTR_WORDS; i++)
		slot->attr[i] = vpmu_image_word_of(state->vcpu->attr[index], i);
	for (uint32_t i = 0; i < state->grant->event_words; i++)
		slot->event[i] = vpmu_image_word_of(state->vcpu->event[index], i);
	slot->state = VPMU_STATUS(slot->event[VPMU_EVENT_WORD_STATUS], STATE);
	slot->reason = VPMU_STATUS(slot->event[VPMU_EVENT_WORD_STATUS], REASON);
	slot->flags = VPMU_STATUS(slot->event[VPMU_EVENT_WORD_STATUS], FLAGS);
	slot->open = in(state->control[VPMU_REG_OPENED], index);
	slot->enabled = in(state->control[VPMU_REG_ENABLED], index);
	slot->pending = in(state->control[VPMU_REG_PENDING], index);
}

static uint32_t leader_of(const struct state *state, uint32_t slot)
{
	const unsigned char *attr = state->vcpu->attr[slot];
	uint64_t link = vpmu_image_word_of(attr, VPMU_ATTR_WORD_LINK);

	if (!(vpmu_image_word_of(attr, VPMU_ATTR_WORD_FLAGS) & VPMU_ATTR_MEMBER))
		return slot;
	return (uint32_t)(link & VPMU_ATTR_WORD_LINK_LEADER_MASK);
}

/* Slots that R-IMG-18 to R-IMG-24 are still to be asked of, the leaders of members among them, and
 * the events of their groups. */
static uint64_t open_questions(struct state *state)
{
	const struct vpmu_image_vcpu *vcpu = state->vcpu;
	uint64_t left = (vcpu->present | vcpu->opened) & ~vcpu->plain;

	for (uint64_t rest = left & vcpu->opened; rest; rest &= rest - 1)
		left |= VPMU_BIT(leader_of(state, vpmu_lowest(rest)));
	for (uint64_t rest = left ? vcpu->opened : 0; rest; rest &= rest - 1) {
		uint32_t slot = vpmu_lowest(rest);

		if (takes_counter(state, slot))
			state->events[leader_of(state, slot)]++;
	}
	return left & state->grant->slots;
}

static int prove_slot(struct state *state, uint32_t index, struct vpmu_image_fault *fault)
{
	int error;

	state->index = index;
	read_slot(state, index, &state->slot);
	if (is_member(&state->slot))
		read_slot(state,
			  (uint32_t)(state->slot.attr[VPMU_ATTR_WORD_LINK] &
				     VPMU_ATTR_WORD_LINK_LEADER_MASK),
			  &state->leader);
	if (slot_fits(state))
		return 0;
	error = prove(state, index, RULES(of_slot), fault);
	return error ? error : prove(state, index, RULES(of_open_slot), fault);
}

static int prove_slots(struct state *state, uint64_t slots, struct vpmu_image_fault *fault)
{
	int error = 0;

	for (; !error && slots; slots &= slots - 1)
		error = prove_slot(state, vpmu_lowest(slots), fault);
	return error;
}

int vpmu_image_state_prove(const struct vpmu_image_grant *grant, const struct vpmu_image_vcpu *vcpu,
			   struct vpmu_image_fault *fault)
{
	struct state state = { .grant = grant, .vcpu = vcpu };
	int error;

	for (uint32_t i = 0; i < VPMU_IMAGE_VCPU_WORDS; i++)
		state.control[VPMU_FIRST_CONTROL + i] = vpmu_image_word_of(vcpu->control, i);
	error = prove(&state, VPMU_IMAGE_NOWHERE, RULES(before), fault);
	if (!error)
		error = prove_slots(&state, open_questions(&state), fault);
	return error ? error : prove(&state, VPMU_IMAGE_NOWHERE, RULES(after), fault);
}
