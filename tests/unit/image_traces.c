/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random guests, each run twice: once in place, once moved to a new VM after every step. Both see
 * the same, but for the epoch and for how often something was published. What is saved on the way
 * is always a valid image.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vpmu/image.h>

#include "core_fixture.h"
#include "runner/random.h"

#define CAPACITY 0x10000u
#define SLOTS 6u
#define STEPS 12u
#define AREA_AT (RAM + 0x1000u)

static struct world moving;
static struct vpmu_vcpu *moved;
static int thread; /* of the moving guest: each VM has another */
static uint64_t seed;

static const struct vpmu_image_platform platform = {
	.size = sizeof(platform),
	.architecture = VPMU_ARCHITECTURE_X86,
	.transport = VPMU_TRANSPORT_MSR,
	.base = VPMU_MSR_BASE,
};
static const struct vpmu_image_options options = {
	.size = sizeof(options),
	.platform = &platform,
	.keep_unknown = 0,
};

static uint64_t draw(uint64_t below)
{
	return xorshift64(&seed) % below;
}

/* ---- moving ---------------------------------------------------------------------------------- */

static void move(void)
{
	static unsigned char image[CAPACITY];
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	struct vpmu_image_options how = options;
	struct vpmu_vm *before = moving.vm;
	struct vpmu_vcpu *old = moved;
	uint64_t length;

	CHECK_EQ(vpmu_vcpu_stop(old), 0);
	CHECK_EQ(vpmu_vm_save(before, &options, image, CAPACITY, &length), 0);
	CHECK_EQ(world_vm(&moving), 0);
	moved = world_vcpu(&moving, 0, 1 - thread);
	how.lent = (uint32_t)thread;
	CHECK_EQ(vpmu_vm_load(moving.vm, image, length, &how, &fault), 0);
	CHECK_EQ(vpmu_vcpu_commit(moved, 0), 0);
	memset(image, 0xff, (size_t)length);
	vpmu_vcpu_unbind(old);
	CHECK_EQ(vpmu_vcpu_remove(old), 0);
	CHECK_EQ(vpmu_vm_destroy(before), 0);
	thread = 1 - thread;
	CHECK_EQ(vpmu_vcpu_resume(moved), 0);
	vpmu_vcpu_enter(moved);
}

/* ---- what happens ---------------------------------------------------------------------------- */

struct happening {
	uint32_t kind;
	uint64_t index;
	uint64_t value;
	uint64_t more;
};

enum {
	WRITES,
	COUNTS,
	TIME,
	STARVES,
	RETURNS,
	THROTTLES,
	KINDS,
};

static struct happening a_write(void)
{
	static const uint32_t masks[] = { VPMU_REG_OPEN,   VPMU_REG_OPEN,   VPMU_REG_CLOSE,
					  VPMU_REG_ENABLE, VPMU_REG_ENABLE, VPMU_REG_DISABLE,
					  VPMU_REG_SYNC,   VPMU_REG_ACK,    VPMU_REG_CHECK,
					  VPMU_REG_ACK };
	static const uint64_t flags[] = { 0,
					  VPMU_ATTR_PMI,
					  VPMU_ATTR_PMI,
					  VPMU_ATTR_MEMBER,
					  VPMU_ATTR_MEMBER | VPMU_ATTR_PMI,
					  VPMU_ATTR_EXCLUDE_USER };
	static const uint64_t pmis[] = { VPMU_PMI_OFF, VPMU_PMI_NMI,
					 VPMU_PMI_VECTOR | 0x40 << VPMU_REG_PMI_VECTOR_SHIFT };
	struct happening what = { .kind = WRITES };
	unsigned int slot = (unsigned int)draw(SLOTS);

	switch (draw(16)) {
	case 0:
		what.index = VPMU_REG_PMI;
		what.value = pmis[draw(3)];
		break;
	case 1:
		what.index = VPMU_REG_AREA;
		what.value = draw(3) ? AREA_AT | VPMU_REG_AREA_ON_MASK : 0;
		break;
	case 2:
		what.index = WORLD_ATTR(slot, VPMU_ATTR_WORD_SAMPLE_PERIOD);
		what.value = draw(3) ? 1 + draw(90) : 0;
		break;
	case 3:
		what.index = WORLD_ATTR(slot, VPMU_ATTR_WORD_FLAGS);
		what.value = flags[draw(6)];
		break;
	case 4:
		what.index = WORLD_ATTR(slot, VPMU_ATTR_WORD_LINK);
		what.value = draw(SLOTS);
		break;
	case 5:
		what.index = WORLD_ATTR(slot, VPMU_ATTR_WORD_CONFIG);
		what.value = draw(12);
		break;
	case 6:
		what.index = WORLD_ATTR(slot, VPMU_ATTR_WORD_COOKIE);
		what.value = seed;
		break;
	case 7:
		what.index = draw(8) ? VPMU_REG_SYNC : VPMU_REG_RESET;
		what.value = what.index == VPMU_REG_RESET ? VPMU_RESET_VCPU : 1;
		break;
	default:
		what.index = masks[draw(10)];
		what.value = draw(1u << SLOTS);
		break;
	}
	return what;
}

static struct happening something(void)
{
	static const uint8_t kinds[] = { WRITES, WRITES, WRITES,  WRITES,  WRITES,  COUNTS,
					 COUNTS, TIME,	 STARVES, RETURNS, RETURNS, THROTTLES };
	struct happening what = { .kind = kinds[draw(sizeof(kinds))] };

	if (what.kind == WRITES)
		return a_write();
	what.index = draw(SLOTS);
	what.value = draw(300);
	what.more = what.value - draw(what.value + 1);
	return what;
}

/* Of what runs: what stands still would tell it only later, and host events do not move. */
static void throttle(struct world_thread *on)
{
	for (struct world_group *group = on->groups; group; group = group->next)
		group->flags |= group->on ? VPMU_EVENT_THROTTLED : 0;
}

static void happens(struct world *to, struct vpmu_vcpu *guest, int on, const struct happening *what)
{
	unsigned int at = (unsigned int)on;

	/* Events without counters count nothing and have no time. */
	if (to->threads[at].lost &&
	    (what->kind == COUNTS || what->kind == TIME || what->kind == THROTTLES))
		return;
	switch (what->kind) {
	case WRITES:
		world_set(guest, what->index, what->value);
		break;
	case COUNTS:
		world_count(to, at, (unsigned int)what->index, what->value);
		break;
	case TIME:
		world_time(to, at, what->value, what->more);
		break;
	case THROTTLES:
		throttle(&to->threads[at]);
		break;
	default:
		to->threads[0].lost = to->threads[1].lost =
			what->kind == STARVES ? VPMU_ERROR_STARVED : 0;
		break;
	}
}

/* ---- what is compared ------------------------------------------------------------------------ */

static uint64_t comparable(uint64_t index, uint64_t word)
{
	uint64_t within = index % VPMU_STRIDE;

	if (index == VPMU_REG_EPOCH || index == VPMU_REG_EPOCH_REASON)
		return 0;
	if (index < VPMU_STRIDE)
		return word;
	if (within == VPMU_SLOT_EVENT + VPMU_EVENT_WORD_STATUS)
		return word & ~VPMU_EVENT_WORD_STATUS_SEQUENCE_MASK;
	if (within == VPMU_SLOT_EVENT + VPMU_EVENT_WORD_STAMP)
		return 0;
	if (within == VPMU_SLOT_EVENT + VPMU_EVENT_WORD_CONTINUITY)
		return word & VPMU_EVENT_WORD_CONTINUITY_GENERATION_MASK;
	return word;
}

static void compare(uint64_t began, unsigned int step)
{
	static uint64_t stayed[VPMU_REGISTERS], went[VPMU_REGISTERS];

	world_dump(vcpu, stayed);
	world_dump(moved, went);
	for (uint64_t index = 0; index < VPMU_REGISTERS; index++) {
		if (comparable(index, stayed[index]) == comparable(index, went[index]))
			continue;
		printf("seed 0x%llx, step %u: register %llu is 0x%llx where it stayed, 0x%llx where it moved\n",
		       (unsigned long long)began, step, (unsigned long long)index,
		       (unsigned long long)stayed[index], (unsigned long long)went[index]);
		CHECK_EQ(went[index], stayed[index]);
	}
	CHECK_EQ(moving.pmis, world.pmis);
}

/* R-PUB-3: the moved guest's memory says what its registers say. */
static void compare_area(void)
{
	if (world_get(moved, VPMU_REG_AREA_STATE) != VPMU_AREA_ON)
		return;
	CHECK_EQ(world_peek(&moving, AREA_AT + 16), world_get(moved, VPMU_REG_EPOCH));
	CHECK_EQ(world_peek(&moving, AREA_AT + 24), world_get(moved, VPMU_REG_PENDING));
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		for (unsigned int word = 0; word < VPMU_EVENT_WORDS; word++)
			CHECK_EQ(world_peek(&moving, AREA_AT + 64 * (slot + 1) + 8 * word),
				 world_get(moved, WORLD_EVENT(slot, word)));
	}
}

/* ---- traces ---------------------------------------------------------------------------------- */

static void begin_world(struct world *one, uint32_t level)
{
	one->profile.level = level;
	one->profile.slots = SLOTS;
	one->profile.counting = 4;
	one->profile.period_floor = 1;
	one->profile.creation_rate = 0;
	one->profile.pmi_rate = 0;
	one->now = one->guest_now = 1000;
	one->threads[0].lost = one->threads[1].lost = 0;
	one->pmis = 0;
	CHECK_EQ(world_vm(one), 0);
}

static void end_vm(struct world *one, struct vpmu_vcpu *guest)
{
	vpmu_vcpu_unbind(guest);
	CHECK_EQ(vpmu_vcpu_remove(guest), 0);
	CHECK_EQ(vpmu_vm_destroy(one->vm), 0);
	CHECK_EQ(one->live_groups, 0);
	CHECK_EQ(one->live_blocks, 0);
	CHECK_STR(one->last_misuse ? one->last_misuse : "", "");
}

/* Whoever stays is read at the same moments; the clock lets every retry be due. */
static void step(uint64_t began, unsigned int number)
{
	struct happening what = something();

	world.now += 2000000000;
	moving.now += 2000000000;
	happens(&world, vcpu, 0, &what);
	happens(&moving, moved, thread, &what);
	vpmu_vcpu_enter(vcpu);
	vpmu_vcpu_enter(moved);
	world_set(vcpu, VPMU_REG_SYNC, (1u << SLOTS) - 1);
	move();
	vpmu_vcpu_enter(vcpu);
	world_set(vcpu, VPMU_REG_SYNC, (1u << SLOTS) - 1);
	world_set(moved, VPMU_REG_SYNC, (1u << SLOTS) - 1);
	compare(began, number);
	compare_area();
}

static void trace(uint64_t began)
{
	uint32_t level = began & 1 ? VPMU_LEVEL : VPMU_LEVEL_DRAFT;

	seed = began | 2;
	thread = 0;
	begin_world(&world, level);
	begin_world(&moving, level);
	vcpu = world_vcpu(&world, 0, 0);
	moved = world_vcpu(&moving, 0, 0);
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		world_attr(vcpu, slot, VPMU_HARDWARE_CYCLES, 0, 0, 0);
		world_attr(moved, slot, VPMU_HARDWARE_CYCLES, 0, 0, 0);
	}
	for (unsigned int number = 0; number < STEPS; number++)
		step(began, number);
	end_vm(&world, vcpu);
	end_vm(&moving, moved);
}

/* R-MIG-8, R-MIG-10, R-MIG-11: a guest that is moved after each step sees what it would have seen. */
static void a_moved_guest_sees_the_same(void)
{
	const char *wanted = getenv("VPMU_TRACES");
	uint64_t traces = wanted ? strtoull(wanted, NULL, 10) : 3000;
	uint64_t first = (uint64_t)time(NULL) << 20 | 1;

	printf("%llu traces from seed 0x%llx\n", (unsigned long long)traces,
	       (unsigned long long)first);
	world_init(&world);
	world_init(&moving);
	for (uint64_t i = 0; i < traces; i++)
		trace((uint64_t)((first + i) * 0x9e3779b97f4a7c15ull) << 1 | (i & 1));
	world_end(&world);
	world_end(&moving);
}

const struct test_case test_cases[] = {
	{ "R-MIG-8", "a_moved_guest_sees_the_same", a_moved_guest_sees_the_same },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
