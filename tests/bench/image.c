/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images of a big VM: 63 open slots of each of 1024 vCPUs, beside a copy of the bytes and
 * protobuf-c. The checksum is apart. Decoding is what a host must do before the first commit.
 */

#include <stdlib.h>
#include <string.h>

#include <vpmu/image.h>

#include "bench.h"
#include "src/image/crc32c.h"

#define VCPUS 1024u
#define SLOTS 63u
#define ROUNDS 200u

/* What is timed. */
enum call { COPY, CHECKSUM, SAVE, PROVE, LOAD, CALLS };

struct images {
	struct vpmu_vm *vm;
	struct vpmu_vm *target; /* with the same vCPUs, nothing open */
	unsigned char *image;
	unsigned char *copy;
	uint64_t capacity;
	uint64_t length;
	uint32_t sum;
};

static const struct vpmu_image_platform platform = {
	.size = sizeof(platform),
	.base = VPMU_MSR_BASE,
	.architecture = VPMU_ARCHITECTURE_X86,
	.transport = VPMU_TRANSPORT_MSR,
};

static const struct vpmu_image_options options = { .size = sizeof(options), .platform = &platform };
static const struct vpmu_image_options lent = { .size = sizeof(lent),
						.platform = &platform,
						.lent = 1 };

static void must(int result)
{
	if (result < 0)
		abort();
}

static void write_register(struct vpmu_vcpu *vcpu, uint32_t index, uint64_t value)
{
	must(vpmu_vcpu_write(vcpu, index, value));
}

/* All slots open, counting, and read once; in groups of as many, in which every other event is one
 * of a cache. */
static void use(struct vpmu_vcpu *vcpu, uint32_t group)
{
	const uint64_t all = (1ull << SLOTS) - 1;

	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		uint32_t at = VPMU_STRIDE * (slot + 1);
		uint32_t leader = slot - slot % group;
		bool cache = (slot - leader) % 2;

		write_register(vcpu, at + VPMU_ATTR_WORD_TYPE,
			       cache ? VPMU_TYPE_CACHE : VPMU_TYPE_HARDWARE);
		write_register(vcpu, at + VPMU_ATTR_WORD_CONFIG, cache ? slot % 3 : slot % 10 + 1);
		write_register(vcpu, at + VPMU_ATTR_WORD_COOKIE, slot);
		if (slot != leader) {
			write_register(vcpu, at + VPMU_ATTR_WORD_FLAGS, VPMU_ATTR_MEMBER);
			write_register(vcpu, at + VPMU_ATTR_WORD_LINK, leader);
		}
	}
	write_register(vcpu, VPMU_REG_OPEN, all);
	write_register(vcpu, VPMU_REG_ENABLE, all);
	must(vpmu_vcpu_stop(vcpu));
}

static void save(void *opaque)
{
	struct images *images = opaque;

	must(vpmu_vm_save(images->vm, &options, images->image, images->capacity, &images->length));
}

static void prove(void *opaque)
{
	struct images *images = opaque;

	must(vpmu_image_check(images->image, images->length, NULL, NULL));
}

static void copy(void *opaque)
{
	struct images *images = opaque;

	memcpy(images->copy, images->image, (size_t)images->length);
}

static void load(struct images *images, const struct vpmu_image_options *how)
{
	must(vpmu_vm_load(images->target, images->image, images->length, how, NULL));
	must(vpmu_vm_abort(images->target));
}

static void load_lent(void *opaque)
{
	load(opaque, &lent);
}

/* With memory for the VM's own copy, which the host fills with 0 and takes back. */
static void load_copied(void *opaque)
{
	load(opaque, &options);
}

static void checksum(void *opaque)
{
	struct images *images = opaque;

	images->sum ^= vpmu_crc32c(images->image, images->length);
}

static void checksum_tables(void *opaque)
{
	struct images *images = opaque;

	images->sum ^= vpmu_crc32c_tables(UINT32_MAX, images->image, images->length);
}

static void add_protobuf_rows(const struct images *images, double encoded, double copied)
{
	struct protobuf times = bench_protobuf(images->image, VCPUS);

	bench_row((struct row){ "image_encode_protobuf_c", times.encode / encoded, "ratio", NO_BAR,
				0, "protobuf-c to this library; protobuf-c's pack, us",
				times.encode / 1e3, times.measured });
	bench_row((struct row){ "image_decode_protobuf_c", times.decode / copied, "ratio", NO_BAR,
				0, "protobuf-c to a load with its copy; unpack and free, us",
				times.decode / 1e3, times.measured });
}

static void add_checksum_rows(struct images *images, double sum)
{
	double bytes = (double)images->length;
	double tables = bench_time(checksum_tables, images, 1, ROUNDS);

	bench_row((struct row){ "image_checksum", bytes / sum, "GB/s", AT_LEAST, 1.5,
				"as long as an image takes, us", sum / 1e3, true });
	bench_row((struct row){ "image_checksum_tables", bytes / tables, "GB/s", AT_LEAST, 1.5,
				"without the CPU's instruction", -1, true });
}

/* What is left of a call without the checksum, in copies of the image. */
static double copies(const struct timed *timed, enum call call)
{
	return (timed[call].ns - timed[CHECKSUM].ns) / timed[COPY].ns;
}

static double us(const struct timed *timed, enum call call)
{
	return (timed[call].ns - timed[CHECKSUM].ns) / 1e3;
}

/* Of these each finds in the caches what the others leave there. */
static void time_calls(struct timed *timed, struct images *images)
{
	const struct timed calls[CALLS] = {
		[COPY] = { .call = copy },	[CHECKSUM] = { .call = checksum },
		[SAVE] = { .call = save },	[PROVE] = { .call = prove },
		[LOAD] = { .call = load_lent },
	};

	memcpy(timed, calls, sizeof(calls));
	bench_in_turn(timed, CALLS, images, ROUNDS);
}

static void add_rows(struct images *images)
{
	struct timed timed[CALLS];
	double copied;

	time_calls(timed, images);
	/* Its memory comes new from the host each time, and the caches are cold afterwards. */
	copied = bench_time(load_copied, images, 1, ROUNDS) - timed[CHECKSUM].ns;
	bench_row((struct row){ "image_encode_per_copy", copies(timed, SAVE), "copies", AT_MOST,
				1.5, "save; memcpy of the image, us", timed[COPY].ns / 1e3, true });
	bench_row((struct row){ "image_decode_per_copy", copies(timed, LOAD), "copies", AT_MOST,
				1.5, "load of a lent image and abort, us", us(timed, LOAD), true });
	bench_row((struct row){ "image_decode_copied", copied / timed[COPY].ns, "copies", NO_BAR, 0,
				"load with memory and a copy of its own, us", copied / 1e3, true });
	bench_row((struct row){ "image_proof_per_copy", copies(timed, PROVE), "copies", AT_MOST,
				1.5, "proof alone, us", us(timed, PROVE), true });
	add_checksum_rows(images, timed[CHECKSUM].ns);
	add_protobuf_rows(images, timed[SAVE].ns - timed[CHECKSUM].ns, copied);
}

static void add_group_rows(struct images *images)
{
	struct timed timed[CALLS];

	time_calls(timed, images);
	bench_row((struct row){ "image_decode_groups", copies(timed, LOAD), "copies", AT_MOST, 1.5,
				"the same with groups of four and cache events, us",
				us(timed, LOAD), true });
}

static void bench_with(uint32_t group, void (*add)(struct images *images))
{
	struct device *device = device_create(SLOTS);
	struct device *target = device_create(SLOTS);
	struct images images = { .vm = device->vm, .target = target->vm };
	struct vpmu_profile profile;

	vpmu_profile_default(&profile);
	profile.slots = SLOTS;
	images.capacity = vpmu_image_bound(&profile, VCPUS, 0);
	images.image = malloc((size_t)images.capacity);
	images.copy = malloc((size_t)images.capacity);
	if (!images.image || !images.copy)
		abort();
	memset(images.copy, 1, (size_t)images.capacity);
	for (uint32_t id = 0; id < VCPUS; id++)
		use(device_vcpu(device, id), group);
	for (uint32_t id = 0; id < VCPUS; id++)
		device_vcpu(target, id);
	save(&images);
	add(&images);
	free(images.image);
	free(images.copy);
	device_destroy(target);
	device_destroy(device);
}

void bench_image(void)
{
	bench_with(1, add_rows);
	bench_with(4, add_group_rows);
}
