/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * A move of the VM. The other process gets the guest as a copy of this one, its memory, its CPU's
 * registers and its clock; of KVM, the VMM and the host it gets nothing but the image: all of that
 * is overwritten there and begun anew, on hardware of another pace.
 */
#include <stdio.h>
#include <string.h>

#include <vpmu/image.h>

#include "ground/ground.h"
#include "machine.h"
#include "played.h"

enum {
	CALL_FORK = 220,
	CALL_WAIT4 = 260,
	CHILD_ENDED = 17,
	IMAGE_BYTES = 0x10000,
	BLACKOUT = 5000,
	NEXT_TRY = 2 /* moments from a move that was given up to the next */
};

static uint8_t configuration[IMAGE_BYTES], image[IMAGE_BYTES];
static uint64_t configuration_length, image_length;
uint64_t guest_clock_ahead;
uint64_t truth_before[VPMU_SIM_LEVELS][VPMU_SIM_EVENTS];

static struct vpmu_image_platform platform = { .size = sizeof(platform),
					       .architecture = VPMU_ARCHITECTURE_LOONGARCH };
static struct vpmu_image_bank bank = { .size = sizeof(bank) };
static struct vpmu_source_facts facts = { .size = sizeof(facts) };
static struct vpmu_image_options options = { .size = sizeof(options), .platform = &platform };

static int32_t descriptor(void *opaque, uint32_t vcpu)
{
	(void)opaque;
	return vcpu == VCPU_ID ? VCPU_FD : -1;
}

static void options_make(void)
{
	static struct vpmu_kvm_bank state = {
		.size = sizeof(state), .system = &kvm_system, .vcpu_fd = descriptor, .fd = VM_FD
	};
	int calls = machine.version >= 614;

	platform.transport = calls ? VPMU_TRANSPORT_CALL : VPMU_TRANSPORT_MMIO;
	platform.base = calls ? 0 : WINDOW_BASE;
	PLAYED(vpmu_kvm_loongarch_bank(&state, &bank), 0);
	options.bank = played_plan.lent ? &bank : NULL;
	PLAYED(vpmu_direct_ops()->probe(machine.direct, &facts), 0);
	options.facts = &facts;
	options.missing = VPMU_IMAGE_STRICT;
}

static void image_print(void)
{
	static const char digits[] = "0123456789abcdef";
	char text[65] = "";

	printf("image ");
	for (uint64_t at = 0; at < image_length;) {
		uint32_t length = 0;

		for (; length < 64 && at < image_length; at++) {
			text[length++] = digits[image[at] >> 4];
			text[length++] = digits[image[at] & 15];
		}
		text[length] = '\0';
		printf("%s", text);
	}
	printf("\n");
}

/* The moments are so chosen that each state of the line moves. */
static uint64_t line_at(enum played_moment moment)
{
	switch (moment) {
	case PLAYED_AT_INTERRUPT:
		return VPMU_LINE_TO_INJECT;
	case PLAYED_RAISED:
		return VPMU_LINE_RAISED;
	default:
		return VPMU_LINE_IDLE;
	}
}

/* Nothing of an access is pending when the vCPU's state is taken, and the next KVM_RUN has nothing
 * to complete. */
static void source_save(enum played_moment moment)
{
	uint64_t line = UINT64_MAX;

	PLAYED(vpmu_vcpu_configuration(machine.vcpu, &options, configuration, IMAGE_BYTES,
				       &configuration_length),
	       0);
	PLAYED(vpmu_kvm_complete(&kvm_system, VCPU_FD, machine.run), 0);
	PLAYED(vpmu_vcpu_stop(machine.vcpu), 0);
	PLAYED(vpmu_vm_save(machine.vm, &options, image, IMAGE_BYTES, &image_length), 0);
	image_print();
	PLAYED(vpmu_vcpu_read(machine.vcpu, VPMU_REG_PMI_LINE, &line), 0);
	PLAYED(line, line_at(moment));
}

/* The guest takes along what happened to it, and its clock. */
static void guest_goes(void)
{
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++) {
		for (uint32_t event = 0; event < VPMU_SIM_EVENTS; event++)
			truth_before[level][event] += vpmu_sim_truth(machine.sim, 0, level, event);
	}
	guest_clock_ahead += vpmu_sim_time(machine.sim, 0);
}

/* The VM at the destination is committed: it can go on there, or be given up. */
static void destination_load(uint32_t version)
{
	struct vpmu_image_fault fault = { .size = sizeof(fault), .word = "", .text = "" };
	int answer;

	memory_spoil();
	machine_begin(version, 3);
	options_make();
	level_set(VPMU_SIM_HOST);
	PLAYED(vpmu_vcpu_prepare(machine.vcpu, configuration, configuration_length, &options,
				 NULL) >= 0,
	       1);
	PLAYED(vpmu_sim_advance(machine.sim, 0, BLACKOUT), BLACKOUT);
	guest_clock_ahead -= BLACKOUT;
	answer = vpmu_vm_load(machine.vm, image, image_length, &options, &fault);
	if (answer)
		played_fail(fault.text, (uint64_t)(int64_t)answer, fault.offset);
	PLAYED(vpmu_vcpu_commit(machine.vcpu, 0), 0);
}

/* R-MIG-7, R-MIG-14: at the source the guest goes on as if nothing had been, but for the time. */
static void source_goes_on(void)
{
	static uint8_t again[IMAGE_BYTES];
	uint64_t length = 0;

	level_set(VPMU_SIM_HOST);
	PLAYED(vpmu_sim_advance(machine.sim, 0, BLACKOUT), BLACKOUT);
	PLAYED(vpmu_vm_save(machine.vm, &options, again, IMAGE_BYTES, &length), 0);
	PLAYED(length, image_length);
	PLAYED(memcmp(again, image, (size_t)length), 0);
	PLAYED(vpmu_vcpu_resume(machine.vcpu), 0);
	played_counts.given_up++;
}

static int child_runs(long *code)
{
	long child = ground_call(CALL_FORK, CHILD_ENDED, 0, 0, 0);
	int status = 0;

	if (child == 0)
		return 1;
	PLAYED(ground_call(CALL_WAIT4, child, (long)&status, 0, 0), child);
	*code = status & 0x7f ? 1 : status >> 8 & 0xff;
	return 0;
}

/* The destination takes the whole VM and loses it. */
static void move_in_vain(void)
{
	uint32_t version = machine.version;
	long code = 0;

	if (child_runs(&code)) {
		guest_goes();
		destination_load(version);
		PLAYED(vpmu_vcpu_abort(machine.vcpu), 0);
		PLAYED(vpmu_vm_abort(machine.vm), 0);
		machine_end();
		ground_exit(0);
	}
	PLAYED(code, 0);
	source_goes_on();
}

void move_if_due(enum played_moment moment)
{
	uint32_t version = machine.version;
	long code = 0;

	if (!played_counts.armed || moment != played_plan.moment || --played_plan.number)
		return;
	options_make();
	source_save(moment);
	if (played_plan.given_up) {
		move_in_vain();
		played_plan.number = NEXT_TRY;
		if (--played_plan.given_up == 0 && played_plan.stays)
			played_plan.moment = PLAYED_STAYS;
		return;
	}
	played_plan.moment = PLAYED_STAYS;
	if (!child_runs(&code))
		ground_exit((int)code);
	played_counts.moves++;
	guest_goes();
	destination_load(version);
	PLAYED(vpmu_vcpu_resume(machine.vcpu), 0);
}
