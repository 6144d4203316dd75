/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* Images on a pipe: of the VM there, and as bytes, which are the bytes of the frame. */
#include <string.h>

#include <vpmu/image.h>

#include "testee.h"

#define PLATFORM_WORDS 4
#define FACTS_WORDS 5
#define EVENT_WORDS 4

/* Which parts of a target there are. */
enum { WITH_PROFILE = 1, WITH_PLATFORM = 2, WITH_FACTS = 4 };

static struct vpmu_image_platform platform = { .size = sizeof(platform) };
static struct vpmu_source_facts facts = { .size = sizeof(facts) };
static struct vpmu_profile profile = { .size = sizeof(profile) };

static void answers_error(int error)
{
	vm_answers((uint64_t)(int64_t)error);
}

static const uint64_t *platform_take(const uint64_t *word)
{
	platform.base = word[0];
	platform.architecture = (uint32_t)word[1];
	platform.transport = (uint32_t)word[2];
	platform.line = (uint32_t)word[3];
	return word + PLATFORM_WORDS;
}

static const uint64_t *facts_take(const uint64_t *word)
{
	facts.hardware_events = word[0];
	facts.software_events = word[1];
	facts.cache_events = (uint32_t)word[2];
	facts.raw_events = (uint32_t)word[3];
	facts.counters = (uint32_t)word[4];
	return word + FACTS_WORDS;
}

/* Words: which parts there are, missing, then the parts in their order. */
static struct vpmu_image_target target_take(const uint64_t *word)
{
	struct vpmu_image_target target = { .size = sizeof(target), .missing = (uint32_t)word[1] };
	uint64_t parts = word[0];

	word = vm_profile(word + 2, &profile);
	word = platform_take(word);
	(void)facts_take(word);
	target.profile = parts & WITH_PROFILE ? &profile : NULL;
	target.platform = parts & WITH_PLATFORM ? &platform : NULL;
	target.facts = parts & WITH_FACTS ? &facts : NULL;
	return target;
}

/* Adds a fault, and the name of its word with a 0. */
static void answers_fault(const struct vpmu_image_fault *fault)
{
	size_t length = strlen(fault->word) + 1;

	vm_answers(fault->fault);
	vm_answers(fault->record);
	vm_answers(fault->offset);
	vm_answers(fault->vcpu);
	vm_answers(fault->slot);
	vm_answers(fault->text[0] != '\0');
	memcpy(answer.byte, fault->word, length);
	answer.bytes = length;
}

void image_check(const uint64_t *word)
{
	struct vpmu_image_target target = target_take(word);
	struct vpmu_image_fault fault = { .size = sizeof(fault), .word = "", .text = "" };

	answers_error(vpmu_image_check(request.byte, request.bytes, &target, &fault));
	answers_fault(&fault);
}

static int visit(void *opaque, const struct vpmu_image_event *event)
{
	(void)opaque;
	if (answer.words + EVENT_WORDS > FRAME_WORDS)
		return 1;
	vm_answers(event->vcpu);
	vm_answers(event->slot);
	vm_answers(event->verdict);
	vm_answers(event->reason);
	return 0;
}

/* The events, then what the walk answered. */
void image_events(const uint64_t *word)
{
	struct vpmu_image_target target = target_take(word);

	answers_error(vpmu_image_events(request.byte, request.bytes, &target, visit, NULL, NULL));
}

/* Words: level and accept_loss. Answer: error and fault, with the image behind the fault's word. */
void image_convert(const uint64_t *word)
{
	static uint8_t made[FRAME_BYTES];
	struct vpmu_image_fault fault = { .size = sizeof(fault), .word = "", .text = "" };
	uint64_t written = 0;
	int error = vpmu_image_convert(request.byte, request.bytes, (uint32_t)word[0],
				       (uint32_t)word[1], made, request.bytes, &written, &fault);

	answers_error(error);
	answers_fault(&fault);
	if (error)
		return;
	memcpy(answer.byte + answer.bytes, made, (size_t)written);
	answer.bytes += written;
}

static struct vpmu_image_options options_take(const uint64_t *word)
{
	struct vpmu_image_options options = { .size = sizeof(options), .platform = &platform };

	options.missing = (uint32_t)*platform_take(word);
	return options;
}

/* Words: the platform, then missing. */
void vm_save(const uint64_t *word)
{
	struct vpmu_image_options options = options_take(word);
	uint64_t length = 0;

	answers_error(vpmu_vm_save(vm_of_testee(), &options, answer.byte, FRAME_BYTES, &length));
	answer.bytes = length;
}

void vm_load(const uint64_t *word)
{
	struct vpmu_image_options options = options_take(word);

	answers_error(vpmu_vm_load(vm_of_testee(), request.byte, request.bytes, &options, NULL));
}

void vcpu_commit(const uint64_t *word)
{
	answers_error(vpmu_vcpu_commit((struct vpmu_vcpu *)(uintptr_t)word[0], (uint32_t)word[1]));
}
