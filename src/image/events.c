/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* How events will fare at a host: R-MIG-15 of abi/IMAGE.md. */

#include "prove.h"

static void read_attr(const struct vpmu_image_vcpu *vcpu, uint32_t slot, uint64_t *attr)
{
	for (uint32_t i = 0; i < VPMU_ATTR_WORDS; i++)
		attr[i] = vpmu_image_word_of(vcpu->attr[slot], i);
}

/* An event that is granted. */
static bool countable(const struct vpmu_source_facts *facts, const uint64_t *attr)
{
	uint64_t config = attr[VPMU_ATTR_WORD_CONFIG];

	switch (attr[VPMU_ATTR_WORD_TYPE]) {
	case VPMU_TYPE_HARDWARE:
		return facts->hardware_events >> config & 1;
	case VPMU_TYPE_CACHE:
		return facts->cache_events;
	case VPMU_TYPE_RAW:
		return facts->raw_events;
	default:
		return facts->software_events >> config & 1;
	}
}

static uint32_t leader_of(const uint64_t *attr, uint32_t slot)
{
	if (!(attr[VPMU_ATTR_WORD_FLAGS] & VPMU_ATTR_MEMBER))
		return slot;
	return (uint32_t)(attr[VPMU_ATTR_WORD_LINK] & VPMU_ATTR_WORD_LINK_LEADER_MASK);
}

uint64_t vpmu_image_missing(const struct vpmu_image_vcpu *vcpu,
			    const struct vpmu_source_facts *facts, uint64_t *groups)
{
	uint64_t opened = vpmu_image_control_of(vcpu, VPMU_REG_OPENED), missing = 0, leaders = 0;
	uint64_t attr[VPMU_ATTR_WORDS];

	for (uint64_t rest = opened; rest; rest &= rest - 1) {
		uint32_t slot = vpmu_lowest(rest);

		read_attr(vcpu, slot, attr);
		if (!countable(facts, attr)) {
			missing |= VPMU_BIT(slot);
			leaders |= VPMU_BIT(leader_of(attr, slot));
		}
	}
	*groups = missing;
	for (uint64_t rest = leaders ? opened : 0; rest; rest &= rest - 1) {
		uint32_t slot = vpmu_lowest(rest);

		read_attr(vcpu, slot, attr);
		*groups |= (leaders >> leader_of(attr, slot) & 1) << slot;
	}
	return missing;
}

int vpmu_image_refuse_event(const struct vpmu_image_vcpu *vcpu, uint64_t slots,
			    struct vpmu_image_fault *fault)
{
	const struct vpmu_image_fault told = {
		.fault = VPMU_IMAGE_FAULT_EVENT,
		.record = vcpu->record,
		.offset = vcpu->offset,
		.vcpu = vcpu->id,
		.slot = vpmu_lowest(slots),
		.word = vpmu_image_name(VPMU_NAMES_SLOT, VPMU_ATTR_WORD_TYPE),
		.text = "the destination cannot count this open event",
	};

	return vpmu_image_refuse(fault, &told);
}

/* Which slots of a vCPU fare how. */
struct fares {
	uint64_t missing;
	uint64_t groups;
	uint64_t starved;
};

static uint64_t counter_events(const struct vpmu_image_vcpu *vcpu, uint64_t slots)
{
	uint64_t attr[VPMU_ATTR_WORDS], found = 0;

	for (; slots; slots &= slots - 1) {
		read_attr(vcpu, vpmu_lowest(slots), attr);
		if (vpmu_event_takes_counter(attr))
			found |= VPMU_BIT(vpmu_lowest(slots));
	}
	return found;
}

static void foresee(const struct vpmu_image_vcpu *vcpu, const struct vpmu_source_facts *facts,
		    struct fares *fares)
{
	uint64_t taking = counter_events(vcpu, vpmu_image_control_of(vcpu, VPMU_REG_ENABLED));

	fares->missing = vpmu_image_missing(vcpu, facts, &fares->groups);
	if (facts->counters && vpmu_count_bits(taking) > facts->counters)
		fares->starved = taking;
}

static void judge(const struct fares *fares, struct vpmu_image_event *event)
{
	uint64_t bit = VPMU_BIT(event->slot);

	if (fares->groups & bit) {
		event->verdict = VPMU_IMAGE_MISSING;
		event->reason = fares->missing & bit ? VPMU_REASON_NOT_PORTABLE :
						       VPMU_REASON_BAD_GROUP;
	} else if (fares->starved & bit) {
		event->verdict = VPMU_IMAGE_DEGRADED;
		event->reason = VPMU_REASON_STARVED;
	}
}

static int show_vcpu(const struct vpmu_image_vcpu *vcpu, const struct vpmu_source_facts *facts,
		     vpmu_image_visit visit, void *opaque)
{
	uint64_t rest = vpmu_image_control_of(vcpu, VPMU_REG_OPENED);
	struct fares fares = { 0 };
	int result = 0;

	if (facts)
		foresee(vcpu, facts, &fares);
	for (; !result && rest; rest &= rest - 1) {
		struct vpmu_image_event event = { .vcpu = vcpu->id, .slot = vpmu_lowest(rest) };
		uint64_t attr[VPMU_ATTR_WORDS];

		read_attr(vcpu, event.slot, attr);
		memcpy(&event.attr, attr, sizeof(attr));
		judge(&fares, &event);
		result = visit(opaque, &event);
	}
	return result;
}

int vpmu_image_events(const void *image, uint64_t length, const struct vpmu_image_target *target,
		      vpmu_image_visit visit, void *opaque, struct vpmu_image_fault *fault)
{
	struct vpmu_image_copied at;
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu vcpu;
	int result = vpmu_image_fault_start(fault);

	if (!result)
		result = vpmu_image_target_copy(&at, target);
	if (!result)
		result = vpmu_image_prove(image, length, fault);
	if (result)
		return result;
	vpmu_image_walk_start(&walk, image);
	while (!result && vpmu_image_walk_next(&walk, &vcpu))
		result = show_vcpu(&vcpu, at.target.facts, visit, opaque);
	return result;
}

/* ---- a profile ------------------------------------------------------------------------------- */

struct shown {
	const struct vpmu_source_facts *facts;
	vpmu_image_visit visit;
	void *opaque;
};

static int show(const struct shown *shown, uint64_t type, uint64_t config)
{
	struct vpmu_image_event event = {
		.vcpu = VPMU_IMAGE_NOWHERE,
		.slot = VPMU_IMAGE_NOWHERE,
		.attr = { .type = type, .config = config },
	};
	uint64_t attr[VPMU_ATTR_WORDS];

	memcpy(attr, &event.attr, sizeof(attr));
	if (!countable(shown->facts, attr)) {
		event.verdict = VPMU_IMAGE_MISSING;
		event.reason = VPMU_REASON_NOT_PORTABLE;
	}
	return shown->visit(shown->opaque, &event);
}

static int show_bits(const struct shown *shown, uint64_t type, uint64_t bits)
{
	int result = 0;

	for (; !result && bits; bits &= bits - 1)
		result = show(shown, type, vpmu_lowest(bits));
	return result;
}

static int show_profile(const struct shown *shown, const struct vpmu_profile *profile)
{
	int result = show_bits(shown, VPMU_TYPE_HARDWARE, profile->hardware_events);

	if (!result && profile->cache_events)
		result = show(shown, VPMU_TYPE_CACHE, 0);
	if (!result && profile->features & VPMU_FEATURE_RAW)
		result = show(shown, VPMU_TYPE_RAW, 0);
	if (!result && profile->features & VPMU_FEATURE_HOST_SOFTWARE)
		result = show_bits(shown, VPMU_TYPE_HOST_SOFTWARE, profile->software_events);
	return result;
}

int vpmu_profile_events(const struct vpmu_profile *profile, const struct vpmu_source_facts *facts,
			vpmu_image_visit visit, void *opaque)
{
	const struct vpmu_image_target asked = {
		.size = sizeof(asked),
		.profile = profile,
		.facts = facts,
	};
	struct vpmu_image_copied copied;
	const struct shown shown = { &copied.facts, visit, opaque };
	int error = vpmu_image_target_copy(&copied, &asked);

	return error ? error : show_profile(&shown, &copied.profile);
}
