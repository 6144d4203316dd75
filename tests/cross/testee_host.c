/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* The VM on a pipe, and what its library calls: each op of host and source asks the other end. */
#include <stdlib.h>
#include <string.h>

#include <vpmu/transport.h>
#include <vpmu/vpmu.h>

#include "testee.h"

/* The kinds of calls, as vpmu_pipe.py knows them. */
enum {
	CALL_ATTACH = 1,
	CALL_DETACH,
	CALL_OPEN,
	CALL_CLOSE,
	CALL_RUN,
	CALL_READ,
	CALL_PERIOD,
	CALL_CHECK,
	CALL_FETCH,
	CALL_PUT,
	CALL_STORE,
	CALL_PMI,
	CALL_CLOCK,
	CALL_GUEST_CLOCK,
	CALL_LOG,
};

#define THREADS 64

static struct vpmu_vm *vm;
static uint64_t allocated;
static struct {
	vpmu_attention attention;
	void *opaque;
} threads[THREADS];

static uint64_t ask(uint64_t kind, uint64_t count, const uint64_t *word)
{
	struct frame *frame = call_begin();

	frame->words = count;
	memcpy(frame->word, word, (size_t)count * 8);
	return call_make(kind);
}

/* A handle is a number of the other end, or a number and one more, so that it is not NULL. */
static uint64_t number_of(const void *handle)
{
	return (uintptr_t)handle;
}

static int source_probe(void *source, struct vpmu_source_facts *facts)
{
	(void)source;
	facts->hardware_events = 0x7fe;
	facts->software_events = 0x3fe;
	facts->cache_events = 1;
	facts->raw_events = 1;
	return 0;
}

static int source_attach(void *source, const struct vpmu_source_thread *thread, void **attached)
{
	uint64_t word[] = { (uint64_t)thread->id };
	int error = (int)(int64_t)ask(CALL_ATTACH, 1, word);

	(void)source;
	if (error || word[0] >= THREADS)
		return error;
	threads[word[0]].attention = thread->attention;
	threads[word[0]].opaque = thread->opaque;
	*attached = (void *)(uintptr_t)word[0];
	return 0;
}

static void source_detach(void *source, void *attached)
{
	uint64_t word[] = { number_of(attached) };

	(void)source;
	(void)ask(CALL_DETACH, 1, word);
}

/* Answer: error, the event that failed, the group, then the flags of each event. */
static int source_open(void *source, void *attached, struct vpmu_source_event *events,
		       uint32_t count, uint32_t flags, struct vpmu_source_opened *opened)
{
	struct frame *frame = call_begin();
	int error;

	(void)source;
	(void)flags;
	frame->word[0] = number_of(attached);
	for (uint32_t i = 0; i < count; i++)
		frame->word[1 + i] = events[i].tag;
	frame->words = 1 + count;
	error = (int)(int64_t)call_make(CALL_OPEN);
	opened->failed = (uint32_t)frame->word[1];
	if (error)
		return error;
	opened->group = (void *)(uintptr_t)frame->word[2];
	for (uint32_t i = 0; i < count; i++)
		events[i].flags = (uint32_t)frame->word[3 + i];
	return 0;
}

static void source_close(void *source, void *attached, void *group, uint32_t keep)
{
	uint64_t word[] = { number_of(attached), number_of(group) };

	(void)source;
	(void)keep;
	(void)ask(CALL_CLOSE, 2, word);
}

static int source_run(void *source, void *attached, void *group, uint32_t on)
{
	uint64_t word[] = { number_of(attached), number_of(group), on };

	(void)source;
	return (int)(int64_t)ask(CALL_RUN, 3, word);
}

/* Answer: error, enabled, running, flags, then the increase of each event. */
static int source_read(void *source, void *attached, void *group,
		       struct vpmu_source_reading *reading)
{
	uint64_t word[] = { number_of(attached), number_of(group), reading->count };
	struct frame *frame = call_begin();
	int error = (int)(int64_t)ask(CALL_READ, 3, word);

	(void)source;
	reading->enabled = reading->running = 0;
	reading->flags = 0;
	memset(reading->increase, 0, (size_t)reading->count * 8);
	if (error)
		return error;
	reading->enabled = frame->word[1];
	reading->running = frame->word[2];
	reading->flags = (uint32_t)frame->word[3];
	memcpy(reading->increase, frame->word + 4, (size_t)reading->count * 8);
	return 0;
}

static int source_period(void *source, void *attached, void *group, uint32_t member, uint64_t left)
{
	uint64_t word[] = { number_of(attached), number_of(group), member, left };

	(void)source;
	return (int)(int64_t)ask(CALL_PERIOD, 4, word);
}

static void *host_allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	allocated++;
	return calloc(1, (size_t)size);
}

static void host_release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	allocated--;
	free(memory);
}

static int host_check(void *opaque, uint32_t vcpu, uint64_t address, uint64_t size)
{
	uint64_t word[] = { address, size };

	(void)opaque;
	(void)vcpu;
	return (int)(int64_t)ask(CALL_CHECK, 2, word);
}

/* Guest memory goes over the pipe as the bytes that it is. */
static int host_read(void *opaque, uint32_t vcpu, uint64_t address, void *to, uint64_t size)
{
	uint64_t word[] = { address, size };
	struct frame *frame = call_begin();
	int error = (int)(int64_t)ask(CALL_FETCH, 2, word);

	(void)opaque;
	(void)vcpu;
	if (!error)
		memcpy(to, frame->byte, (size_t)size);
	return error;
}

static int host_write(void *opaque, uint32_t vcpu, uint64_t address, const void *from,
		      uint64_t size)
{
	struct frame *frame = call_begin();

	(void)opaque;
	(void)vcpu;
	frame->words = 1;
	frame->word[0] = address;
	frame->bytes = size;
	memcpy(frame->byte, from, (size_t)size);
	return (int)(int64_t)call_make(CALL_PUT);
}

static int host_store(void *opaque, uint32_t vcpu, uint64_t address, uint64_t value)
{
	uint64_t word[] = { address, value };

	(void)opaque;
	(void)vcpu;
	return (int)(int64_t)ask(CALL_STORE, 2, word);
}

static int host_pmi(void *opaque, uint32_t vcpu, uint32_t mode, uint32_t vector)
{
	uint64_t word[] = { vcpu, mode, vector };

	(void)opaque;
	return (int)(int64_t)ask(CALL_PMI, 3, word);
}

static uint64_t host_clock(void *opaque)
{
	(void)opaque;
	return ask(CALL_CLOCK, 0, NULL);
}

static uint64_t host_guest_clock(void *opaque, uint32_t vcpu)
{
	(void)opaque;
	(void)vcpu;
	return ask(CALL_GUEST_CLOCK, 0, NULL);
}

static void host_log(void *opaque, uint32_t level, const char *text)
{
	struct frame *frame = call_begin();

	(void)opaque;
	frame->words = 1;
	frame->word[0] = level;
	frame->bytes = strlen(text);
	memcpy(frame->byte, text, strlen(text));
	(void)call_make(CALL_LOG);
}

static const struct vpmu_source_ops source = {
	.size = sizeof(source),
	.probe = source_probe,
	.attach = source_attach,
	.detach = source_detach,
	.open = source_open,
	.close = source_close,
	.run = source_run,
	.read = source_read,
	.period = source_period,
};

static const struct vpmu_host_ops host = {
	.size = sizeof(host),
	.allocate = host_allocate,
	.release = host_release,
	.guest_check = host_check,
	.guest_read = host_read,
	.guest_write = host_write,
	.guest_store = host_store,
	.pmi = host_pmi,
	.clock = host_clock,
	.guest_clock = host_guest_clock,
	.log = host_log,
};

const uint64_t *vm_profile(const uint64_t *word, struct vpmu_profile *profile)
{
	uint64_t *wide[] = { &profile->features, &profile->period_floor, &profile->hardware_events,
			     &profile->software_events, &profile->epoch };
	uint32_t *narrow[] = { &profile->cache_events,	  &profile->pmu_model,
			       &profile->level,		  &profile->slots,
			       &profile->counting,	  &profile->batch_words,
			       &profile->slot_operations, &profile->host_events,
			       &profile->creation_rate,	  &profile->creation_burst,
			       &profile->pmi_rate,	  &profile->pmi_burst };

	for (unsigned int i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		*wide[i] = *word++;
	for (unsigned int i = 0; i < sizeof(narrow) / sizeof(narrow[0]); i++)
		*narrow[i] = (uint32_t)*word++;
	return word;
}

/* Words: the profile. */
void vm_create(const uint64_t *word)
{
	struct vpmu_profile profile = { .size = sizeof(profile) };
	struct vpmu_config config = {
		.size = sizeof(config), .profile = &profile, .host = &host, .source = &source
	};

	(void)vm_profile(word, &profile);
	vm_answers((uint64_t)(int64_t)vpmu_vm_create(&config, &vm));
}

struct vpmu_vm *vm_of_testee(void)
{
	return vm;
}

/* Answer: the error, and how many allocations were not given back. */
void vm_destroy(const uint64_t *word)
{
	(void)word;
	vm_answers((uint64_t)(int64_t)vpmu_vm_destroy(vm));
	vm_answers(allocated);
}

void vm_add(const uint64_t *word)
{
	struct vpmu_vcpu *vcpu = NULL;

	vm_answers((uint64_t)(int64_t)vpmu_vcpu_add(vm, (uint32_t)word[0], &vcpu));
	vm_answers(number_of(vcpu));
}

void vm_format(const uint64_t *word)
{
	vm_answers((uint64_t)(int64_t)vpmu_mailbox_format(vm, (uint32_t)word[0]));
}

void vm_attend(const uint64_t *word)
{
	threads[word[0]].attention(threads[word[0]].opaque, word[1]);
}

void vm_release(const uint64_t *word)
{
	(void)word;
	vpmu_vm_release_pmu(vm);
}

void vm_return(const uint64_t *word)
{
	(void)word;
	vpmu_vm_return_pmu(vm);
}
