/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The thread of a vCPU.
 *
 * Signals. Two end KVM_RUN: the notice that an event overflowed, which the kernel sends to this
 * thread, and the timer of this thread. Both are blocked everywhere but within KVM_RUN
 * (KVM_SET_SIGNAL_MASK), and taken with sigtimedwait() afterwards. So there is no handler and no
 * moment at which a signal could be missed: one that comes between two runs stays pending and ends
 * the next run at once.
 *
 * Time. A halted vCPU sleeps within KVM_RUN, since its interrupt controller is in the kernel. What
 * the library wants to do at a later time, and the wake interrupt that the guest asked for,
 * therefore need a signal too: the timer is set to the nearer of both before each run.
 */

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "minivmm.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define WAKE_RETRY 1000000u

static int failed(struct vcpu *vcpu, const char *what)
{
	snprintf(vcpu->failure, sizeof(vcpu->failure), "%s: %s", what, strerror(errno));
	return -1;
}

int vcpu_pmi(struct vcpu *vcpu, uint32_t mode, uint32_t vector)
{
	return vpmu_kvm_pmi(&vcpu->machine->kvm, &vcpu->target, mode, vector);
}

static int timer_prepare(struct vcpu *vcpu)
{
	struct sigevent event;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGNAL_TIMER;
	event.sigev_notify_thread_id = gettid();
	vcpu->timer_at = VPMU_NO_DEADLINE;
	return timer_create(CLOCK_MONOTONIC, &event, &vcpu->timer);
}

static void timer_adjust(struct vcpu *vcpu)
{
	uint64_t at = vpmu_vcpu_deadline(vcpu->device);
	struct itimerspec when = { { 0, 0 }, { 0, 0 } };

	if (vcpu->wake_at < at)
		at = vcpu->wake_at;
	if (at == vcpu->timer_at)
		return;
	vcpu->timer_at = at;
	if (at != VPMU_NO_DEADLINE) {
		when.it_value.tv_sec = (time_t)(at / 1000000000u);
		when.it_value.tv_nsec = (long)(at % 1000000000u) + !at;
	}
	timer_settime(vcpu->timer, TIMER_ABSTIME, &when, NULL);
}

/* A thread inherits them blocked, so that none can come before it is ready. */
void signals_block(void)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGNAL_NOTICE);
	sigaddset(&blocked, SIGNAL_TIMER);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

/* The signals are blocked in this thread; KVM_RUN lets them through. */
static int signals_prepare(struct vcpu *vcpu)
{
	struct kvm_signal_mask *mask;
	sigset_t within;
	int error;

	pthread_sigmask(SIG_BLOCK, NULL, &within);
	sigdelset(&within, SIGNAL_NOTICE);
	sigdelset(&within, SIGNAL_TIMER);
	mask = calloc(1, sizeof(*mask) + 8);
	if (!mask)
		return -1;
	mask->len = 8; /* the kernel's set has 64 bits */
	memcpy(mask->sigset, &within, 8);
	error = ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, mask);
	free(mask);
	return error;
}

static void signals_take(struct vcpu *vcpu)
{
	const struct timespec at_once = { 0, 0 };
	sigset_t wanted;
	int number;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGNAL_NOTICE);
	sigaddset(&wanted, SIGNAL_TIMER);
	while ((number = sigtimedwait(&wanted, NULL, &at_once)) > 0) {
		if (number == SIGNAL_TIMER)
			vcpu->timer_at = VPMU_NO_DEADLINE;
		else if (vpmu_perf_signalled(vcpu->machine->perf, gettid()))
			measure_kick(&vcpu->measure);
	}
}

static void wake_if_due(struct vcpu *vcpu)
{
	struct kvm_msi wake = { .address_lo = 0xfee00000u | vcpu->number << 12,
				.data = MINIVMM_VECTOR_WAKE };

	if (vcpu->wake_at == VPMU_NO_DEADLINE || clock_now() < vcpu->wake_at)
		return;
	if (ioctl(vcpu->machine->vm_fd, KVM_SIGNAL_MSI, &wake) > 0)
		vcpu->wake_at = VPMU_NO_DEADLINE;
	else
		vcpu->wake_at += WAKE_RETRY;
}

/* A write of 32 bits to a port of ours; there are no other ports. */
static int exit_port(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint32_t value = 0;

	if (run->io.direction != KVM_EXIT_IO_OUT || run->io.size != sizeof(value) ||
	    run->io.count != 1) {
		snprintf(vcpu->failure, sizeof(vcpu->failure), "the guest used port 0x%x wrongly",
			 run->io.port);
		return 0;
	}
	memcpy(&value, (const uint8_t *)run + run->io.data_offset, sizeof(value));
	return port_write(vcpu, run->io.port, value);
}

int vcpu_answer(struct vcpu *vcpu)
{
	int handled;

	measure_before_access(&vcpu->measure);
	handled = vpmu_kvm_exit(&vcpu->machine->place, vcpu->device, vcpu->run);
	if (handled == VPMU_KVM_HANDLED) {
		measure_access(&vcpu->measure);
		return 1;
	}
	if (handled == VPMU_KVM_NOT_MINE && vcpu->run->exit_reason == KVM_EXIT_IO)
		return exit_port(vcpu);
	snprintf(vcpu->failure, sizeof(vcpu->failure), "unexpected exit %u of KVM_RUN",
		 vcpu->run->exit_reason);
	return 0;
}

static int run_once(struct vcpu *vcpu)
{
	int result;

	wake_if_due(vcpu);
	vpmu_vcpu_enter(vcpu->device);
	/* Here a PMI was just injected, if one was due; what was ordered may take the vCPU
	 * elsewhere. */
	if (vcpu->order != ORDER_NONE && !order_take(vcpu))
		return 0;
	if (vcpu->elsewhere) {
		vcpu->elsewhere = 0;
		return 1;
	}
	timer_adjust(vcpu);
	result = ioctl(vcpu->fd, KVM_RUN, 0);
	vpmu_vcpu_leave(vcpu->device);
	statistics_note(vcpu);
	if (!result)
		return vcpu_answer(vcpu);
	if (errno != EINTR && errno != EAGAIN) {
		failed(vcpu, "KVM_RUN");
		return 0;
	}
	vpmu_kvm_interrupted(vcpu->run);
	signals_take(vcpu);
	if (vcpu->order != ORDER_NONE) {
		/* An overflow that was noticed is the library's before the vCPU stops. */
		vpmu_vcpu_notify(vcpu->device);
		if (!order_take(vcpu))
			return 0;
	}
	if (!atomic_load(&vcpu->machine->stop))
		return 1;
	snprintf(vcpu->failure, sizeof(vcpu->failure), "the guest did not end in time");
	return 0;
}

static void end_announce(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->machine->orders);
	vcpu->ended = 1;
	pthread_cond_broadcast(&vcpu->machine->ordered);
	pthread_mutex_unlock(&vcpu->machine->orders);
}

void *vcpu_thread(void *opaque)
{
	struct vcpu *vcpu = opaque;
	char name[16];
	int error;

	/* As QEMU names them, so that operators' tools find the vCPUs. */
	(void)snprintf(name, sizeof(name), "CPU %u/KVM", vcpu->number % 1000);
	pthread_setname_np(pthread_self(), name);
	if (signals_prepare(vcpu) || timer_prepare(vcpu)) {
		failed(vcpu, "no signals or no timer for the thread");
		return NULL;
	}
	if (truth_open(&vcpu->measure)) {
		failed(vcpu, "no events of the VMM's own");
	} else if ((error = vpmu_vcpu_bind(vcpu->device, gettid()))) {
		snprintf(vcpu->failure, sizeof(vcpu->failure), "no PMU for the thread: %s",
			 vpmu_error_text(error));
	} else {
		while (order_take(vcpu) && run_once(vcpu))
			;
	}
	end_announce(vcpu);
	vpmu_vcpu_unbind(vcpu->device);
	truth_close(&vcpu->measure);
	timer_delete(vcpu->timer);
	return NULL;
}
