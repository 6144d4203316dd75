/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * A move of the VM. The other process gets the guest as a copy of this one, its memory, its CPU's registers and its clock; of KVM, the
 * VMM and the host it gets nothing but the image: all of that is overwritten there and begun anew, on hardware of another pace.
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
	BLACKOUT = 5000
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

/* Nothing of an access is pending when the vCPU's state is taken, and the next KVM_RUN has nothing to complete. */
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
	for (uint32_t level = 0; level < VPMU_SIM_LEVELS; level++) {
		for (uint32_t event = 0; event < VPMU_SIM_EVENTS; event++)
			truth_before[level][event] += vpmu_sim_truth(machine.sim, 0, level, event);
	}
	guest_clock_ahead += vpmu_sim_time(machine.sim, 0);
}

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
	PLAYED(vpmu_vcpu_resume(machine.vcpu), 0);
}

void move_if_due(enum played_moment moment)
{
	uint32_t version = machine.version;
	int status = 0;
	long child;

	if (!played_counts.armed || moment != played_plan.moment || --played_plan.number)
		return;
	played_plan.moment = PLAYED_STAYS;
	options_make();
	source_save(moment);
	child = ground_call(CALL_FORK, CHILD_ENDED, 0, 0, 0);
	if (child == 0) {
		played_counts.moves++;
		destination_load(version);
		return;
	}
	PLAYED(ground_call(CALL_WAIT4, child, (long)&status, 0, 0), child);
	ground_exit(status & 0x7f ? 1 : status >> 8 & 0xff);
}
