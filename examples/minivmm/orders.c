/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What belongs to a vCPU is done on its own thread: its host events are that thread's, and KVM's
 * vCPU is. Another thread gives an order and waits; the vCPU's thread carries it out between two
 * runs of its guest, or at once while the vCPU waits for its state.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minivmm.h"

#define NOT_YET INT32_MAX

int order_prepare(struct machine *machine)
{
	uint32_t i;

	if (pthread_mutex_init(&machine->orders, NULL) ||
	    pthread_cond_init(&machine->ordered, NULL))
		return -1;
	for (i = 0; i < VCPUS; i++) {
		struct image *image = &machine->vcpus[i].configuration;

		machine->vcpus[i].waits = machine->options.incoming;
		image->capacity = 64 * 1024;
		image->bytes = malloc(image->capacity);
		if (!image->bytes)
			return -1;
	}
	return 0;
}

int order_give(struct vcpu *vcpu, enum order order)
{
	struct machine *machine = vcpu->machine;
	int answer;

	pthread_mutex_lock(&machine->orders);
	vcpu->order = order;
	pthread_cond_broadcast(&machine->ordered);
	/* Ends KVM_RUN, or the next one at once. */
	if (!vcpu->ended)
		pthread_kill(vcpu->thread, SIGNAL_TIMER);
	while (vcpu->order != ORDER_NONE && !vcpu->ended)
		pthread_cond_wait(&machine->ordered, &machine->orders);
	answer = vcpu->ended && vcpu->order != ORDER_NONE ? VPMU_ERROR_GONE : vcpu->answer;
	pthread_mutex_unlock(&machine->orders);
	return answer;
}

int order_all(struct machine *machine, enum order order)
{
	int answer = 0;
	uint32_t i;

	for (i = 0; i < VCPUS; i++) {
		int one = order_give(&machine->vcpus[i], order);

		answer = answer < 0 ? answer : one;
	}
	return answer;
}

static int configure(struct vcpu *vcpu)
{
	const struct vpmu_image_options options = image_options(vcpu->machine);
	struct image *image = &vcpu->configuration;

	return vpmu_vcpu_configuration(vcpu->device, &options, image->bytes, image->capacity,
				       &image->length);
}

/* An exit that was answered is completed first, so that no access is under way in what is saved. */
static int complete(struct vcpu *vcpu)
{
	int left = vpmu_kvm_complete(&vcpu->machine->kvm, vcpu->fd, vcpu->run);

	while (left > 0 && vcpu_answer(vcpu))
		left = vpmu_kvm_complete(&vcpu->machine->kvm, vcpu->fd, vcpu->run);
	return left > 0 ? VPMU_ERROR_SYSTEM : left;
}

/* Whether vCPU 0 is to stop at a certain state of its interrupt line, and that is another now. */
static int line_is_other(const struct vcpu *vcpu)
{
	const char *wanted = vcpu->machine->options.line;
	uint64_t line = 0;

	if (!wanted || vcpu->number || clock_now() > vcpu->machine->stop_by)
		return 0;
	vpmu_vcpu_peek(vcpu->device, VPMU_REG_PMI_LINE, &line);
	return strcmp(name_of_line(line), wanted) != 0;
}

/* A stop reads the events a last time, which may change the line; then the vCPU goes on, and stops
 * at another moment. */
static int stop(struct vcpu *vcpu)
{
	int error = complete(vcpu);

	if (error < 0)
		return error;
	vpmu_vcpu_stop(vcpu->device);
	if (line_is_other(vcpu)) {
		vpmu_vcpu_resume(vcpu->device);
		return NOT_YET;
	}
	vcpu->waits = 1;
	vcpu->elsewhere = 1;
	return cpu_state_get(vcpu) ? VPMU_ERROR_SYSTEM : 0;
}

static int prepare(struct vcpu *vcpu)
{
	const struct vpmu_image_options options = image_options(vcpu->machine);
	const struct image *image = &vcpu->configuration;

	return vpmu_vcpu_prepare(vcpu->device, image->bytes, image->length, &options, NULL);
}

static int commit(struct vcpu *vcpu)
{
	if (cpu_state_set(vcpu))
		return VPMU_ERROR_SYSTEM;
	return vpmu_vcpu_commit(vcpu->device, vcpu->machine->options.generation);
}

/* Nothing was prepared or committed where a move ended early. */
static int give_up(struct vcpu *vcpu)
{
	int error = vpmu_vcpu_abort(vcpu->device);

	return error == VPMU_ERROR_STATE ? 0 : error;
}

static int resume(struct vcpu *vcpu)
{
	vcpu->waits = 0;
	return vpmu_vcpu_resume(vcpu->device);
}

static int end(struct vcpu *vcpu)
{
	vcpu->done = 1;
	return 0;
}

static int (*const orders[])(struct vcpu *vcpu) = {
	[ORDER_CONFIGURE] = configure,
	[ORDER_STOP] = stop,
	[ORDER_PREPARE] = prepare,
	[ORDER_COMMIT] = commit,
	[ORDER_ABORT] = give_up,
	[ORDER_RESUME] = resume,
	[ORDER_END] = end,
};

/* 0 when it is still to be done. */
static int carry_out(struct vcpu *vcpu, uint32_t order)
{
	uint64_t before = opens_made();
	int answer = orders[order](vcpu);

	if (order == ORDER_STOP || order == ORDER_COMMIT || order == ORDER_RESUME)
		vcpu->opens += opens_made() - before;
	if (answer == NOT_YET)
		return 0;
	pthread_mutex_lock(&vcpu->machine->orders);
	vcpu->answer = answer;
	vcpu->order = ORDER_NONE;
	pthread_cond_broadcast(&vcpu->machine->ordered);
	pthread_mutex_unlock(&vcpu->machine->orders);
	return 1;
}

static void wait_for_order(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->machine->orders);
	while (vcpu->order == ORDER_NONE)
		pthread_cond_wait(&vcpu->machine->ordered, &vcpu->machine->orders);
	pthread_mutex_unlock(&vcpu->machine->orders);
}

int order_take(struct vcpu *vcpu)
{
	for (;;) {
		uint32_t order = vcpu->order;

		if (order == ORDER_NONE && !vcpu->waits)
			return 1;
		if (order == ORDER_NONE)
			wait_for_order(vcpu);
		else if (!carry_out(vcpu, order))
			return 1;
		if (order == ORDER_END)
			return 0;
	}
}
