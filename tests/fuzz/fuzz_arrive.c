/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that arrives in an image and goes on: an image is loaded, committed and resumed, and then
 * the guest does what the rest of the bytes say, while everything that a watch knows holds. An
 * image that is refused changes nothing. However the guest behaves, what is saved of it at the end
 * is a valid image.
 *
 * Bytes: how the destination is made; the length of what the guest does, in two bytes; the image;
 * what the guest does. Chance would not find length and checksum of an image, nor a VM that has its
 * vCPUs and its place: these are made to fit. What the image grants and what is in it stays.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/device.h"
#include "src/core/profile.h"
#include "src/image/prove.h"
#include "src/image/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(cond) ((cond) ? (void)0 : abort())
#define VCPUS 2u
#define CAPACITY 65536u

/* Of the first byte. */
enum { EQUAL = 1, STUBBED = 2, PREPARED = 4, EARLY = 8, LENT = 16 };

static struct {
	unsigned char bytes[CAPACITY];
	uint64_t length;
	uint8_t how;
	int valid;
} image;

static struct vpmu_image_platform platform;
static struct vpmu_image_options options;

/* ---- an image that fits ---------------------------------------------------------------------- */

static void mend(unsigned char *bytes, uint64_t length)
{
	uint32_t sum;

	for (unsigned int i = 0; i < 4; i++) {
		bytes[16 + i] = (unsigned char)(length >> 8 * i);
		bytes[20 + i] = 0;
	}
	sum = vpmu_crc32c(bytes, length);
	for (unsigned int i = 0; i < 4; i++)
		bytes[20 + i] = (unsigned char)(sum >> 8 * i);
}

static void put(struct vpmu_image_writer *writer, const struct vpmu_image_place *place, uint32_t id)
{
	uint64_t words[VPMU_IMAGE_MAX_RECORD_WORDS];

	for (uint32_t i = 0; i < place->count; i++)
		words[i] = vpmu_image_word(place->words + 8 * (size_t)i);
	vpmu_image_write_record(writer, place->head, id, words, place->count);
}

/* The records of the device from one place to another, as those of this vCPU. */
static void put_vcpu(struct vpmu_image_writer *writer, uint64_t from, uint64_t to, uint32_t id)
{
	struct vpmu_image_place place = { .offset = from };

	while (place.offset < to) {
		vpmu_image_place_read(&place, image.bytes);
		if (place.bank == VPMU_IMAGE_BANK_DEVICE)
			put(writer, &place, id);
		place.offset += VPMU_HEAD_BYTES + VPMU_WORD_BYTES * (uint64_t)place.count;
	}
}

/* The same VM with the vCPUs that the device has: the first ones, or its only one again. */
static void fit(void)
{
	static unsigned char fitted[2 * CAPACITY];
	struct vpmu_image_place vm = { .offset = VPMU_IMAGE_HEADER_BYTES };
	struct vpmu_image_header header = {
		.format = (uint64_t)VPMU_IMAGE_FORMAT << VPMU_IMAGE_HEADER_FORMAT_VERSION_SHIFT,
	};
	struct vpmu_image_writer writer;
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu vcpu;
	uint64_t from = 0, to = 0;

	vpmu_image_write_start(&writer, fitted, sizeof(fitted));
	vpmu_image_place_read(&vm, image.bytes);
	put(&writer, &vm, 0);
	vpmu_image_walk_start(&walk, image.bytes);
	for (uint32_t id = 0; id < VCPUS; id++) {
		uint64_t at = walk.offset;

		if (vpmu_image_walk_next(&walk, &vcpu)) {
			from = at;
			to = walk.offset;
		}
		put_vcpu(&writer, from, to, id);
	}
	header.vm = vpmu_image_header_word(image.bytes, VPMU_IMAGE_HEADER_WORD_VM);
	REQUIRE(vpmu_image_write_end(&writer, &header) == 0);
	if (from && writer.length <= CAPACITY) {
		memcpy(image.bytes, fitted, (size_t)writer.length);
		image.length = writer.length;
		REQUIRE(vpmu_image_check(image.bytes, image.length, NULL, NULL) == 0);
	}
}

/* The destination is where the image says that it is. */
static void choose_platform(void)
{
	uint64_t vm = image.valid ? vpmu_image_header_word(image.bytes, VPMU_IMAGE_HEADER_WORD_VM) :
				    VPMU_ARCHITECTURE_X86;

	platform = (struct vpmu_image_platform){
		.size = sizeof(platform),
		.base = VPMU_MSR_BASE,
		.architecture = (uint32_t)VPMU_FIELD(vm, HEADER_VM_ARCHITECTURE),
		.transport = VPMU_TRANSPORT_MSR,
	};
	if (image.valid) {
		platform.base = vpmu_image_vm_word(image.bytes, VPMU_IMAGE_VM_WORD_BASE);
		platform.line = (uint32_t)vpmu_image_vm_word(image.bytes, VPMU_IMAGE_VM_WORD_LINE);
		platform.transport =
			(uint32_t)vpmu_image_vm_word(image.bytes, VPMU_IMAGE_VM_WORD_TRANSPORT);
	}
	options = (struct vpmu_image_options){
		.size = sizeof(options),
		.platform = &platform,
		.missing = image.how & STUBBED ? VPMU_IMAGE_STUB : VPMU_IMAGE_DEGRADE,
		.lent = image.how & LENT ? 1 : 0,
	};
}

/* ---- the destination ------------------------------------------------------------------------- */

/* It grants what the image claims; otherwise what the bytes say, which may be less. */
static void before(struct world *world)
{
	struct vpmu_profile equal = world->profile;

	if (!image.valid)
		return;
	vpmu_image_narrow(image.bytes, &equal);
	world->profile.level = equal.level;
	if (image.how & EQUAL && !vpmu_profile_fault(&equal))
		world->profile = equal;
}

static void see(struct world *world, uint64_t words[VCPUS][VPMU_REGISTERS])
{
	struct vpmu_vcpu *vcpu = world->vm->first;

	for (uint32_t id = 0; id < VCPUS; id++, vcpu = vcpu->after)
		world_dump(vcpu, words[id]);
}

static int load(struct world *world)
{
	static uint64_t was[VCPUS][VPMU_REGISTERS], is[VCPUS][VPMU_REGISTERS];
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	int error;

	see(world, was);
	error = vpmu_vm_load(world->vm, image.bytes, image.length, &options, &fault);
	if (error) {
		REQUIRE(error == VPMU_ERROR_IMAGE || error == VPMU_ERROR_NEWER);
		REQUIRE(fault.fault && fault.text[0] && fault.word[0]);
		REQUIRE(vpmu_vm_abort(world->vm) == 0);
		see(world, is);
		REQUIRE(!memcmp(was, is, sizeof(was)));
	}
	return !error;
}

/* R-MIG-8: what was committed is saved as it came, but for the epoch. */
static void save_again(struct world *world)
{
	static unsigned char again[CAPACITY];
	uint64_t length = 0;

	REQUIRE(vpmu_vm_save(world->vm, &options, again, sizeof(again), &length) == 0);
	REQUIRE(vpmu_image_check(again, length, NULL, NULL) == 0);
	REQUIRE(length == image.length);
	REQUIRE(!memcmp(again + VPMU_IMAGE_HEADER_BYTES, image.bytes + VPMU_IMAGE_HEADER_BYTES,
			VPMU_VM_OFFSET + VPMU_VM_WORDS * VPMU_WORD_BYTES -
				VPMU_IMAGE_HEADER_BYTES));
}

/* The guest is there before the host events are: each of its vCPUs writes first, if it is early. */
static void go_on(struct vpmu_vcpu *vcpu)
{
	REQUIRE(vpmu_vcpu_resume(vcpu) == 0);
	if (image.how & EARLY) {
		(void)world_set(vcpu, VPMU_REG_DISABLE, 1);
		(void)world_set(vcpu, VPMU_REG_CLOSE, 2);
		(void)world_set(vcpu, VPMU_REG_ENABLE, 5);
	}
	vpmu_vcpu_enter(vcpu);
}

static int arrive(struct world *world)
{
	struct vpmu_vcpu *vcpu;

	for (vcpu = world->vm->first; vcpu && image.how & PREPARED; vcpu = vcpu->after)
		(void)vpmu_vcpu_prepare(vcpu, image.bytes, image.length, &options, NULL);
	for (vcpu = world->vm->first; vcpu && image.how & PREPARED && !image.valid;
	     vcpu = vcpu->after)
		(void)vpmu_vcpu_abort(vcpu);
	if (!load(world)) {
		for (vcpu = world->vm->first; vcpu; vcpu = vcpu->after)
			(void)vpmu_vcpu_abort(vcpu);
		return 0;
	}
	for (vcpu = world->vm->first; vcpu; vcpu = vcpu->after)
		REQUIRE(vpmu_vcpu_commit(vcpu, image.how) == 0);
	save_again(world);
	for (vcpu = world->vm->first; vcpu; vcpu = vcpu->after)
		go_on(vcpu);
	return 1;
}

/* R-MIG-7: a guest can do nothing that keeps its VM from being saved. */
static void leave(struct world *world)
{
	static unsigned char last[2 * CAPACITY];
	uint64_t length = 0;

	for (struct vpmu_vcpu *vcpu = world->vm->first; vcpu; vcpu = vcpu->after)
		REQUIRE(vpmu_vcpu_stop(vcpu) == 0);
	REQUIRE(vpmu_vm_save(world->vm, &options, last, sizeof(last), &length) == 0);
	REQUIRE(vpmu_image_check(last, length, NULL, NULL) == 0);
	for (struct vpmu_vcpu *vcpu = world->vm->first; vcpu; vcpu = vcpu->after)
		REQUIRE(vpmu_vcpu_resume(vcpu) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct device_options device = { .before = before,
						      .arrive = arrive,
						      .end = leave };
	size_t steps;

	if (size < 3 + VPMU_IMAGE_HEADER_BYTES || size > CAPACITY / 4)
		return 0;
	steps = data[1] | (size_t)data[2] << 8;
	steps = steps < size - 3 - VPMU_IMAGE_HEADER_BYTES ? steps :
							     size - 3 - VPMU_IMAGE_HEADER_BYTES;
	image.how = data[0];
	image.length = (size - 3 - steps) / 8 * 8;
	memcpy(image.bytes, data + 3, (size_t)image.length);
	mend(image.bytes, image.length);
	image.valid = !vpmu_image_check(image.bytes, image.length, NULL, NULL);
	if (image.valid)
		fit();
	choose_platform();
	device_run(&device, data + size - steps, steps);
	return 0;
}
