/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of an image as messages of image.proto, which protobuf-c packs and unpacks. */

#include "bench.h"

#ifdef WITH_PROTOBUF_C

#include <stdlib.h>
#include <string.h>

#include <image.pb-c.h>

#include "src/image/read.h"

#define ROUNDS 50u
#define VM_WORDS (sizeof(struct vpmu_image_vm) / sizeof(uint64_t))

struct slot {
	Bench__Slot message;
	uint64_t attr[VPMU_ATTR_WORDS];
	uint64_t event[VPMU_EVENT_WORDS];
};

struct vcpu {
	Bench__Vcpu message;
	uint64_t control[VPMU_IMAGE_VCPU_WORDS];
	Bench__Slot *list[VPMU_MAX_SLOTS];
	struct slot slots[VPMU_MAX_SLOTS];
};

struct messages {
	Bench__Image image;
	uint64_t vm[VM_WORDS];
	Bench__Vcpu **list;
	struct vcpu *vcpus;
	uint8_t *packed;
	size_t length;
};

static void *memory(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		abort();
	return memory;
}

/* Returns how many words there are: none where the image has no such record. */
static size_t read_words(uint64_t *to, const unsigned char *from, size_t count)
{
	if (!from)
		return 0;
	for (size_t i = 0; i < count; i++)
		to[i] = vpmu_image_word(from + i * sizeof(uint64_t));
	return count;
}

static void fill_slot(struct slot *slot, const unsigned char *attr, const unsigned char *event)
{
	bench__slot__init(&slot->message);
	slot->message.attr = slot->attr;
	slot->message.n_attr = read_words(slot->attr, attr, VPMU_ATTR_WORDS);
	slot->message.event = slot->event;
	slot->message.n_event = read_words(slot->event, event, VPMU_EVENT_WORDS);
}

static void fill_vcpu(struct vcpu *vcpu, const struct vpmu_image_vcpu *found)
{
	bench__vcpu__init(&vcpu->message);
	vcpu->message.id = found->id;
	vcpu->message.control = vcpu->control;
	vcpu->message.n_control = read_words(vcpu->control, found->control, VPMU_IMAGE_VCPU_WORDS);
	vcpu->message.slots = vcpu->list;
	vcpu->message.n_slots = VPMU_MAX_SLOTS;
	for (uint32_t i = 0; i < VPMU_MAX_SLOTS; i++) {
		fill_slot(&vcpu->slots[i], found->attr[i], found->event[i]);
		vcpu->list[i] = &vcpu->slots[i].message;
	}
}

static void fill(struct messages *messages, const unsigned char *image, uint32_t vcpus)
{
	const size_t vm = VPMU_IMAGE_HEADER_BYTES + sizeof(struct vpmu_image_record);
	struct vpmu_image_walk walk;
	struct vpmu_image_vcpu found;

	messages->list = memory(vcpus, sizeof(*messages->list));
	messages->vcpus = memory(vcpus, sizeof(*messages->vcpus));
	bench__image__init(&messages->image);
	messages->image.vm = messages->vm;
	messages->image.n_vm = read_words(messages->vm, image + vm, VM_WORDS);
	messages->image.vcpus = messages->list;
	messages->image.n_vcpus = vcpus;
	vpmu_image_walk_start(&walk, image);
	for (uint32_t i = 0; i < vcpus; i++) {
		if (!vpmu_image_walk_next(&walk, &found))
			abort();
		fill_vcpu(&messages->vcpus[i], &found);
		messages->list[i] = &messages->vcpus[i].message;
	}
	messages->length = bench__image__get_packed_size(&messages->image);
	messages->packed = memory(1, messages->length);
}

static void pack(void *opaque)
{
	struct messages *messages = opaque;

	if (bench__image__pack(&messages->image, messages->packed) != messages->length)
		abort();
}

static void unpack(void *opaque)
{
	struct messages *messages = opaque;
	Bench__Image *image = bench__image__unpack(NULL, messages->length, messages->packed);

	if (!image)
		abort();
	bench__image__free_unpacked(image, NULL);
}

/* What was unpacked packs to the same bytes. */
static void prove_same(const struct messages *messages)
{
	Bench__Image *image = bench__image__unpack(NULL, messages->length, messages->packed);
	uint8_t *again = memory(1, messages->length);

	if (!image || bench__image__get_packed_size(image) != messages->length)
		abort();
	bench__image__pack(image, again);
	if (memcmp(again, messages->packed, messages->length) != 0)
		abort();
	bench__image__free_unpacked(image, NULL);
	free(again);
}

struct protobuf bench_protobuf(const unsigned char *image, uint32_t vcpus)
{
	struct messages messages;
	struct protobuf times = { .measured = true };

	fill(&messages, image, vcpus);
	times.encode = bench_time(pack, &messages, 1, ROUNDS);
	prove_same(&messages);
	times.decode = bench_time(unpack, &messages, 1, ROUNDS);
	free(messages.packed);
	free(messages.vcpus);
	free(messages.list);
	return times;
}

#else

struct protobuf bench_protobuf(const unsigned char *image, uint32_t vcpus)
{
	(void)image;
	(void)vcpus;
	return (struct protobuf){ .encode = -1, .decode = -1 };
}

#endif
