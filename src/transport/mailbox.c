/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mailbox: requests in plain shared memory. It keeps nothing beside that memory, so a region
 * that moves with the VM is all there is to move.
 */
#include "src/core/core.h"

#include <vpmu/transport.h>

#define PAGE 4096u
#define BLOCK 16384u
#define CONTEXTS 3u
#define BATCH_AT 64u
#define BATCH_WORDS 504u

struct request {
	uint64_t block; /* offset of the vCPU's block, whose first page is the events area */
	uint64_t at;	/* offset of the context's page */
	uint32_t sequence;
	uint8_t operation;
	uint16_t index; /* register, or words of a batch */
	uint64_t value;
};

static uint64_t block_at(uint32_t block)
{
	return BLOCK * ((uint64_t)block + 1);
}

uint64_t vpmu_mailbox_size(uint32_t vcpus)
{
	return block_at(vcpus);
}

int vpmu_mailbox_format(struct vpmu_vm *vm, uint32_t vcpus)
{
	struct vpmu_mailbox_header header = {
		.magic = vpmu_little(VPMU_MAGIC),
		.level = vpmu_little(vm->profile.level),
		.vcpus = vpmu_little(vcpus),
		.block_size = vpmu_little(BLOCK),
	};

	return vm->host.guest_write(vm->host_opaque, 0, 0, &header, sizeof(header));
}

static int load(struct vpmu_vcpu *vcpu, uint64_t at, void *to, uint64_t size)
{
	struct vpmu_vm *vm = vcpu->vm;

	return vm->host.guest_read(vm->host_opaque, (uint32_t)vcpu->control[VPMU_REG_VCPU], at, to,
				   size);
}

static int store(struct vpmu_vcpu *vcpu, uint64_t at, uint64_t value)
{
	struct vpmu_vm *vm = vcpu->vm;

	return vm->host.guest_store(vm->host_opaque, (uint32_t)vcpu->control[VPMU_REG_VCPU], at,
				    value);
}

/* 1 when there is a request that was not answered. */
static int fetch(struct vpmu_vcpu *vcpu, uint64_t block, uint64_t at, struct request *request)
{
	struct vpmu_mailbox_request words;
	uint64_t head;

	if (load(vcpu, at, &words.request, sizeof(words.request)) < 0)
		return VPMU_ERROR_MEMORY;
	/* The guest stored the value before the request, so it is read after it. */
	atomic_thread_fence(memory_order_acquire);
	if (load(vcpu, at + offsetof(struct vpmu_mailbox_request, value), &words.value,
		 2 * sizeof(words.value)) < 0)
		return VPMU_ERROR_MEMORY;
	head = vpmu_little(words.request);
	*request = (struct request){
		.block = block,
		.at = at,
		.sequence = (uint32_t)head,
		.operation = (uint8_t)(head >> 32),
		.index = (uint16_t)(head >> 48),
		.value = vpmu_little(words.value),
	};
	return request->sequence != (uint32_t)vpmu_little(words.answer);
}

static uint8_t do_read(struct vpmu_vcpu *vcpu, const struct request *request, uint64_t *value)
{
	int outcome = vpmu_vcpu_read(vcpu, request->index, value);

	return outcome == VPMU_ACCESS_DONE ? VPMU_RESULT_DONE : VPMU_RESULT_FAULT;
}

static uint8_t do_write(struct vpmu_vcpu *vcpu, const struct request *request)
{
	static const uint8_t results[] = {
		[VPMU_ACCESS_DONE] = VPMU_RESULT_DONE,
		[VPMU_ACCESS_REFUSED] = VPMU_RESULT_REFUSED,
		[VPMU_ACCESS_FAULT] = VPMU_RESULT_FAULT,
	};

	uint64_t wanted = request->value;

	if (request->index == VPMU_REG_KICK || (request->index == VPMU_REG_AREA && wanted > 1))
		return VPMU_RESULT_REFUSED;
	if (request->index == VPMU_REG_AREA && wanted)
		wanted |= request->block;
	return results[vpmu_vcpu_write(vcpu, request->index, wanted)];
}

static uint8_t do_batch(struct vpmu_vcpu *vcpu, const struct request *request)
{
	int outcome = VPMU_ACCESS_REFUSED;

	if (request->index <= BATCH_WORDS)
		outcome = vpmu_vcpu_batch(vcpu, request->at + BATCH_AT, request->index);
	return outcome == VPMU_ACCESS_DONE ? VPMU_RESULT_DONE : VPMU_RESULT_REFUSED;
}

static uint8_t carry_out(struct vpmu_vcpu *vcpu, const struct request *request, uint64_t *value)
{
	switch (request->operation) {
	case VPMU_REQUEST_READ:
		return do_read(vcpu, request, value);
	case VPMU_REQUEST_WRITE:
		return do_write(vcpu, request);
	case VPMU_REQUEST_BATCH:
		return do_batch(vcpu, request);
	default:
		return VPMU_RESULT_MALFORMED;
	}
}

/* The guest waits for the answer's sequence, so that is stored last. */
static int reply(struct vpmu_vcpu *vcpu, const struct request *request, uint8_t result,
		 uint64_t value)
{
	uint64_t answer = request->sequence | (uint64_t)result << 32;

	if (store(vcpu, request->at + offsetof(struct vpmu_mailbox_request, result), value) < 0)
		return VPMU_ERROR_MEMORY;
	if (store(vcpu, request->at + offsetof(struct vpmu_mailbox_request, answer), answer) < 0)
		return VPMU_ERROR_MEMORY;
	return 1;
}

static int serve_context(struct vpmu_vcpu *vcpu, uint64_t block, uint64_t at)
{
	struct request request;
	uint64_t value = 0;
	int waiting = fetch(vcpu, block, at, &request);
	uint8_t result;

	if (waiting <= 0)
		return waiting;
	result = carry_out(vcpu, &request, &value);
	return reply(vcpu, &request, result, value);
}

/* A context that cannot be reached does not keep the others waiting. */
static int serve_all(struct vpmu_vcpu *vcpu, uint32_t block)
{
	int served = 0, error = 0;

	for (uint64_t context = VPMU_CONTEXT_TASK; context <= CONTEXTS; context++) {
		uint64_t at = block_at(block) + PAGE * context;
		int one = serve_context(vcpu, block_at(block), at);

		if (one < 0)
			error = one;
		else
			served += one;
	}
	return error < 0 ? error : served;
}

/*
 * An access and its answer are one operation: who resets the VM waits for both. What waits in a
 * stopped vCPU's block is served after its resume, wherever that is.
 */
int vpmu_mailbox_serve(struct vpmu_vcpu *vcpu, uint32_t block)
{
	int served;

	if (vcpu->stopped)
		return 0;
	vpmu_vcpu_begin(vcpu);
	served = serve_all(vcpu, block);
	vpmu_vcpu_end(vcpu);
	return served;
}
