/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What a VM is made of, and what is said when it cannot be made; sized structs; errors. */

#include <string.h>

#include "src/sized.h"

#include "core_fixture.h"

static struct vpmu_config config_of_world(void)
{
	return (struct vpmu_config){
		.size = sizeof(struct vpmu_config),
		.profile = &world.profile,
		.host = &world.host,
		.host_opaque = &world,
		.source = &world.source,
		.source_opaque = &world,
	};
}

/* Creating the VM fails so, says why, and leaves nothing. */
static void check_creation(int error)
{
	struct vpmu_config config = config_of_world();
	struct vpmu_vm *vm = NULL;

	CHECK_EQ(vpmu_vm_create(&config, &vm), error);
	CHECK_EQ(!vm, error != 0);
	if (error == 0)
		CHECK_EQ(vpmu_vm_destroy(vm), 0);
	CHECK_EQ(world.live_blocks, 0);
	CHECK_EQ(world.live_bytes, 0);
}

static void refused_because(const char *member)
{
	world.last_log[0] = 0;
	check_creation(VPMU_ERROR_INVALID);
	CHECK_EQ(world.last_level, VPMU_LOG_ERROR);
	CHECK(strstr(world.last_log, member));
}

static void the_default_is_careful(void)
{
	struct vpmu_profile profile;

	memset(&profile, 0xff, sizeof(profile));
	vpmu_profile_default(&profile);
	CHECK_EQ(profile.size, sizeof(profile));
	CHECK_EQ(profile.level, VPMU_LEVEL);
	CHECK_EQ(profile.slots, 16);
	CHECK_EQ(profile.counting, 4);
	CHECK_EQ(profile.features & (VPMU_FEATURE_RAW | VPMU_FEATURE_HOST_SOFTWARE), 0);
	CHECK_EQ(profile.software_events, 0);
	CHECK(profile.creation_rate && profile.pmi_rate && profile.period_floor > 1);
	world_init(&world);
	world.profile = profile;
	check_creation(0);
	world_end(&world);
}

struct bound {
	const char *name;
	size_t offset;
	uint32_t least;
	uint32_t most;
	const char *text;
};

#define BOUND(member, least, most)                                                        \
	{                                                                                 \
#member, offsetof(struct vpmu_profile, member), least, most, " to " #most \
	}

static void set_member(const struct bound *bound, uint32_t value)
{
	memcpy((char *)&world.profile + bound->offset, &value, sizeof(value));
}

static void numbers_have_bounds(void)
{
	static const struct bound bounds[] = {
		BOUND(cache_events, 0, 1),
		BOUND(level, 1, 2),
		BOUND(slots, 1, 63),
		BOUND(counting, 1, 63),
		BOUND(batch_words, 3, 4095),
		BOUND(slot_operations, 63, 65535),
		BOUND(creation_rate, 0, 1000000000),
		BOUND(creation_burst, 63, 1000000),
		BOUND(pmi_rate, 0, 1000000000),
		BOUND(pmi_burst, 1, 1000000),
	};

	for (unsigned int i = 0; i < TEST_COUNT(bounds); i++) {
		world_init(&world);
		set_member(&bounds[i], bounds[i].least);
		check_creation(0);
		set_member(&bounds[i], bounds[i].most);
		check_creation(0);
		set_member(&bounds[i], bounds[i].most + 1);
		refused_because(bounds[i].name);
		CHECK(strstr(world.last_log, bounds[i].text));
		if (bounds[i].least) {
			set_member(&bounds[i], bounds[i].least - 1);
			refused_because(bounds[i].name);
		}
		world_end(&world);
	}
}

static void masks_name_what_exists(void)
{
	world_init(&world);
	world.profile.features |= VPMU_FEATURE_ALL + 1;
	refused_because("features");
	world.profile.features = BIT(63);
	refused_because("features");
	world.profile.features = VPMU_FEATURE_ALL & ~VPMU_FEATURE_RAW;
	check_creation(0);
	world.profile.hardware_events = BIT(0);
	refused_because("hardware_events");
	world.profile.hardware_events = BIT(11);
	refused_because("hardware_events");
	world.profile.hardware_events = 0;
	check_creation(0);
	world.profile.software_events = BIT(10);
	refused_because("software_events");
	world.profile.software_events = BIT(0);
	refused_because("software_events");
	world_end(&world);
}

static void members_fit_each_other(void)
{
	world_init(&world);
	world.profile.period_floor = 0;
	refused_because("period_floor");
	world.profile.period_floor = BIT(63);
	refused_because("period_floor");
	world.profile.period_floor = BIT(63) - 1;
	check_creation(0);
	world.profile.epoch = 0;
	refused_because("epoch");
	world.profile.epoch = BIT(63) + 1;
	refused_because("epoch");
	world.profile.epoch = BIT(63);
	check_creation(0);
	world.profile.pmu_model = 1;
	refused_because("pmu_model");
	world.profile.features |= VPMU_FEATURE_RAW;
	check_creation(0);
	world.profile.pmu_model = 0;
	refused_because("pmu_model");
	world.profile.features &= ~VPMU_FEATURE_RAW;
	world.profile.creation_burst = 0;
	refused_because("creation_burst");
	world.profile.creation_rate = 0;
	check_creation(0);
	world.profile.pmi_burst = 0;
	refused_because("pmi_burst");
	world.profile.pmi_rate = 0;
	check_creation(0);
	world_end(&world);
}

typedef void (*any_function)(void);

/* Takes one function out of a table, which begins with its size. */
static void check_missing(void *table, size_t size, size_t required)
{
	for (size_t at = sizeof(uint64_t); at < size; at += sizeof(any_function)) {
		any_function kept, none = NULL;

		memcpy(&kept, (char *)table + at, sizeof(kept));
		memcpy((char *)table + at, &none, sizeof(none));
		check_creation(at < required ? VPMU_ERROR_INVALID : 0);
		memcpy((char *)table + at, &kept, sizeof(kept));
	}
}

static void required_functions_are_there(void)
{
	world_init(&world);
	check_missing(&world.host, sizeof(world.host), offsetof(struct vpmu_host_ops, guest_clock));
	world.source.edges = 0;
	check_missing(&world.source, sizeof(world.source), offsetof(struct vpmu_source_ops, edge));
	world.source.edges = 1u << VPMU_EDGE_SLICE;
	world.source.edge = NULL;
	refused_because("required function");
	world.source.edges = 0;
	world.host.clock = NULL;
	refused_because("required function");
	world_end(&world);
}

static void creating_needs_memory(void)
{
	world_init(&world);
	world_fail(&world, WORLD_ALLOCATE, 0, 1, VPMU_ERROR_NO_MEMORY);
	check_creation(VPMU_ERROR_NO_MEMORY);
	check_creation(0);
	world_end(&world);
}

/* A struct as a newer caller has it: a tail that this library does not know. */
union longer {
	struct vpmu_config config;
	struct vpmu_profile profile;
	struct vpmu_host_ops host;
	struct vpmu_source_ops source;
	uint64_t size;
	uint8_t bytes[512];
};

static void check_sizes(union longer *longer, const struct vpmu_config *config, size_t known)
{
	struct vpmu_vm *vm = NULL;

	longer->size = known - 1;
	CHECK_EQ(vpmu_vm_create(config, &vm), VPMU_ERROR_INVALID);
	longer->size = 0;
	CHECK_EQ(vpmu_vm_create(config, &vm), VPMU_ERROR_INVALID);
	longer->size = UINT64_MAX;
	CHECK_EQ(vpmu_vm_create(config, &vm), VPMU_ERROR_TOO_BIG);
	for (size_t at = known; at < sizeof(longer->bytes); at += 37) {
		longer->size = sizeof(longer->bytes);
		longer->bytes[at] = 1;
		CHECK_EQ(vpmu_vm_create(config, &vm), VPMU_ERROR_TOO_BIG);
		longer->bytes[at] = 0;
	}
	CHECK(!vm);
	CHECK_EQ(world.live_blocks, 0);
	longer->size = sizeof(longer->bytes);
	CHECK_EQ(vpmu_vm_create(config, &vm), 0);
	CHECK_EQ(vpmu_vm_destroy(vm), 0);
}

static void structs_tell_their_size(void)
{
	union longer longer;
	struct vpmu_config config;

	world_init(&world);
	config = config_of_world();

	memset(&longer, 0, sizeof(longer));
	longer.profile = world.profile;
	config.profile = &longer.profile;
	check_sizes(&longer, &config, sizeof(longer.profile));
	config.profile = &world.profile;

	memset(&longer, 0, sizeof(longer));
	longer.host = world.host;
	config.host = &longer.host;
	check_sizes(&longer, &config, sizeof(longer.host));
	config.host = &world.host;

	memset(&longer, 0, sizeof(longer));
	longer.source = world.source;
	config.source = &longer.source;
	check_sizes(&longer, &config, sizeof(longer.source));
	config.source = &world.source;

	memset(&longer, 0, sizeof(longer));
	longer.config = config;
	check_sizes(&longer, &longer.config, sizeof(longer.config));
	world_end(&world);
}

static void a_config_has_all_parts(void)
{
	struct vpmu_config config;
	struct vpmu_vm *vm = NULL;

	world_init(&world);
	config = config_of_world();
	config.profile = NULL;
	CHECK_EQ(vpmu_vm_create(&config, &vm), VPMU_ERROR_INVALID);
	config = config_of_world();
	config.host = NULL;
	CHECK_EQ(vpmu_vm_create(&config, &vm), VPMU_ERROR_INVALID);
	config = config_of_world();
	config.source = NULL;
	CHECK_EQ(vpmu_vm_create(&config, &vm), VPMU_ERROR_INVALID);
	CHECK(!vm);
	world_end(&world);
}

/* A struct that is refused changes nothing; one with an empty tail is a newer caller's. */
static void what_is_known_is_copied(void)
{
	uint64_t from[4] = { sizeof(from), 11, 0, 0 };
	uint64_t to[2] = { 9, 9 };

	CHECK_EQ(vpmu_sized_copy(to, sizeof(to), NULL), VPMU_ERROR_INVALID);
	from[0] = sizeof(to) - 1;
	CHECK_EQ(vpmu_sized_copy(to, sizeof(to), from), VPMU_ERROR_INVALID);
	from[0] = VPMU_SIZED_LARGEST + 1;
	CHECK_EQ(vpmu_sized_copy(to, sizeof(to), from), VPMU_ERROR_TOO_BIG);
	CHECK_EQ(to[0], 9);
	CHECK_EQ(to[1], 9);
	from[0] = sizeof(from);
	CHECK_EQ(vpmu_sized_copy(to, sizeof(to), from), 0);
	CHECK_EQ(to[0], sizeof(from));
	CHECK_EQ(to[1], 11);
}

static void errors_have_words(void)
{
	for (int error = 0; error >= VPMU_ERROR_NEWER; error--) {
		const char *text = vpmu_error_text(error);

		CHECK(strlen(text) > 5);
		CHECK(text[strlen(text) - 1] != '.');
		CHECK(strcmp(text, "unknown error"));
		for (int other = 0; other > error; other--)
			CHECK(strcmp(text, vpmu_error_text(other)));
	}
	CHECK_STR(vpmu_error_text(1), "unknown error");
	CHECK_STR(vpmu_error_text(VPMU_ERROR_NEWER - 1), "unknown error");
	CHECK_STR(vpmu_error_text(INT32_MIN), "unknown error");
	CHECK_STR(vpmu_error_text(INT32_MAX), "unknown error");
}

static void error_numbers_are_pinned(void)
{
	CHECK_EQ(VPMU_ERROR_INVALID, -1);
	CHECK_EQ(VPMU_ERROR_TOO_BIG, -2);
	CHECK_EQ(VPMU_ERROR_NO_MEMORY, -3);
	CHECK_EQ(VPMU_ERROR_DENIED, -4);
	CHECK_EQ(VPMU_ERROR_UNSUPPORTED, -5);
	CHECK_EQ(VPMU_ERROR_STARVED, -6);
	CHECK_EQ(VPMU_ERROR_TAKEN, -7);
	CHECK_EQ(VPMU_ERROR_LIMIT, -8);
	CHECK_EQ(VPMU_ERROR_GONE, -9);
	CHECK_EQ(VPMU_ERROR_GROUP, -10);
	CHECK_EQ(VPMU_ERROR_STATE, -11);
	CHECK_EQ(VPMU_ERROR_MEMORY, -12);
	CHECK_EQ(VPMU_ERROR_EXISTS, -13);
	CHECK_EQ(VPMU_ERROR_SYSTEM, -14);
}

const struct test_case test_cases[] = {
	{ "profile", "the_default_is_careful", the_default_is_careful },
	{ "profile", "numbers_have_bounds", numbers_have_bounds },
	{ "profile", "masks_name_what_exists", masks_name_what_exists },
	{ "R-EPO-2", "members_fit_each_other", members_fit_each_other },
	{ "create", "required_functions_are_there", required_functions_are_there },
	{ "create", "creating_needs_memory", creating_needs_memory },
	{ "create", "a_config_has_all_parts", a_config_has_all_parts },
	{ "sized", "structs_tell_their_size", structs_tell_their_size },
	{ "sized", "what_is_known_is_copied", what_is_known_is_copied },
	{ "errors", "errors_have_words", errors_have_words },
	{ "errors", "error_numbers_are_pinned", error_numbers_are_pinned },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
