/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The backend under a real KVM, with a guest that reads and writes the device. */

#define _DEFAULT_SOURCE /* timers */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include <vpmu/kvm.h>

#include "machine.h"
#include "runner/runner.h"

#define MSR(index) (VPMU_MSR_BASE + (uint64_t)(index))
#define MMIO(index) (MACHINE_MMIO + 8 * (uint64_t)(index))
#define SLOT(n, word) (32 * ((n) + 1) + (word))
#define COOKIE SLOT(0, VPMU_ATTR_WORD_COOKIE)
#define UNDEFINED 31

extern const uint8_t program_begin[];
extern const uint8_t program_rdmsr[];

static struct machine machine;

static void outcomes(const struct command *commands, unsigned int count, uint64_t outcome)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		CHECK_EQ(commands[i].outcome, outcome);
}

static void msrs_are_read_and_written(void)
{
	struct command list[] = {
		{ OP_RDMSR, MSR(VPMU_REG_MAGIC), 0, 0 },
		{ OP_WRMSR, MSR(COOKIE), 0x1122334455667788, 0 },
		{ OP_RDMSR, MSR(COOKIE), 0, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_VCPU), 0, 0 },
		{ OP_WRMSR, MSR(VPMU_REG_MAGIC), 1, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_MAGIC), 0, 0 },
		{ OP_RDMSR, MSR(SLOT(DEVICE_SLOTS - 1, 31)), 9, 0 },
	};

	machine_create(&machine, NULL);
	machine_do(&machine, list, TEST_COUNT(list));
	outcomes(list, TEST_COUNT(list), DONE);
	CHECK_EQ(list[0].value, VPMU_MAGIC);
	CHECK_EQ(list[2].value, 0x1122334455667788);
	CHECK_EQ(list[3].value, 5);
	CHECK_EQ(list[5].value, VPMU_MAGIC);
	CHECK_EQ(list[6].value, 0);
	CHECK_EQ(machine.accesses, TEST_COUNT(list));
	machine_destroy(&machine);
}

/* The fault of an undefined index reaches the guest's handler, and nothing is changed. */
static void undefined_msrs_fault(void)
{
	struct command list[] = {
		{ OP_RDMSR, MSR(UNDEFINED), 77, 0 },
		{ OP_WRMSR, MSR(UNDEFINED), 1, 0 },
		{ OP_RDMSR, MSR(SLOT(DEVICE_SLOTS, 0)), 77, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_LEVEL), 0, 0 },
	};

	machine_create(&machine, NULL);
	machine_do(&machine, list, TEST_COUNT(list));
	outcomes(list, 3, FAULTED);
	CHECK_EQ(list[0].value, 77);
	CHECK_EQ(list[3].outcome, DONE);
	CHECK_EQ(list[3].value, VPMU_LEVEL);
	machine_destroy(&machine);
}

static void window_is_read_and_written(void)
{
	struct command list[] = {
		{ OP_READ64, MMIO(VPMU_REG_MAGIC), 0, 0 },
		{ OP_WRITE64, MMIO(COOKIE), 0x1122334455667788, 0 },
		{ OP_READ64, MMIO(COOKIE), 0, 0 },
		{ OP_READ32, MMIO(COOKIE), 0, 0 },
		{ OP_READ32, MMIO(COOKIE) + 4, 0, 0 },
		{ OP_RDMSR, MSR(COOKIE), 0, 0 },
	};

	machine_create(&machine, NULL);
	machine_do(&machine, list, TEST_COUNT(list));
	outcomes(list, TEST_COUNT(list), DONE);
	CHECK_EQ(list[0].value, VPMU_MAGIC);
	CHECK_EQ(list[2].value, 0x1122334455667788);
	CHECK_EQ(list[3].value, 0x55667788);
	CHECK_EQ(list[4].value, 0x11223344);
	CHECK_EQ(list[5].value, 0x1122334455667788);
	machine_destroy(&machine);
}

/* What the window does not take: all ones, no fault of the guest's, nothing written. */
static void window_faults(void)
{
	struct command list[] = {
		{ OP_READ64, MMIO(UNDEFINED), 0, 0 },  { OP_WRITE64, MMIO(UNDEFINED), 1, 0 },
		{ OP_READ16, MMIO(COOKIE), 0, 0 },     { OP_WRITE32, MMIO(COOKIE), 1, 0 },
		{ OP_READ64, MMIO(COOKIE) + 4, 0, 0 }, { OP_READ64, MMIO(2047), 0, 0 },
		{ OP_READ64, MMIO(COOKIE), 5, 0 },
	};

	machine_create(&machine, NULL);
	machine_do(&machine, list, TEST_COUNT(list));
	outcomes(list, TEST_COUNT(list), DONE);
	CHECK_EQ(list[0].value, UINT64_MAX);
	CHECK_EQ(list[2].value, 0xffff);
	CHECK_EQ(list[4].value, UINT64_MAX);
	CHECK_EQ(list[5].value, UINT64_MAX);
	CHECK_EQ(list[6].value, 0);
	machine_destroy(&machine);
}

static void guest_discovers_by_cpuid(void)
{
	const uint64_t v = VPMU_CPUID_SIGNATURE;
	struct command list[] = {
		{ OP_CPUID, VPMU_CPUID_BASE, 0, 0 },
		{ OP_CPUID, VPMU_CPUID_BASE + 1, 0, 0 },
		{ OP_CPUID, VPMU_CPUID_BASE + 2, 0, 0 },
	};

	machine_create(&machine, NULL);
	machine_do(&machine, list, TEST_COUNT(list));
	CHECK_EQ(list[0].value, (VPMU_CPUID_BASE + 2) | v << 32);
	CHECK_EQ(list[0].address, v | v << 32);
	CHECK_EQ(list[1].value, VPMU_LEVEL | (uint64_t)VPMU_MSR_BASE << 32);
	CHECK_EQ(list[1].address, 32 * (DEVICE_SLOTS + 1));
	CHECK_EQ(list[2].value, MACHINE_MMIO);
	CHECK_EQ(list[2].address, VPMU_MMIO_SIZE);
	machine_destroy(&machine);
}

/* An MSR that the VMM filters for itself exits to the VMM; so do ours, beside it. */
static void vmm_keeps_its_own_filter(void)
{
	uint8_t bitmap[8] = { 0 };
	struct vpmu_kvm_filter theirs = {
		.ranges = { { .flags = 1, .count = 1, .base = 0x35, .bitmap = bitmap } }
	};
	struct command list[] = {
		{ OP_RDMSR, MSR(VPMU_REG_MAGIC), 0, 0 },
		{ OP_RDMSR, 0x35, 0, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_LEVEL), 0, 0 },
	};

	machine_create(&machine, &theirs);
	machine_load(&machine, list, TEST_COUNT(list));
	CHECK_EQ(machine_exit(&machine), KVM_EXIT_X86_RDMSR);
	CHECK_EQ(vpmu_kvm_exit(&machine.place, machine.device.vcpu, machine.run), 1);
	CHECK_EQ(machine_exit(&machine), KVM_EXIT_X86_RDMSR);
	CHECK_EQ(machine.run->msr.index, 0x35);
	CHECK_EQ(vpmu_kvm_exit(&machine.place, machine.device.vcpu, machine.run), 0);
	machine.run->msr.error = 0;
	machine.run->msr.data = 0x10001;
	machine_run(&machine);
	CHECK_EQ(machine_word(&machine, 0x8000 + 16), VPMU_MAGIC);
	CHECK_EQ(machine_word(&machine, 0x8000 + 32 + 16), 0x10001);
	CHECK_EQ(machine_word(&machine, 0x8000 + 64 + 16), VPMU_LEVEL);
	machine_destroy(&machine);
}

/* Reads an MSR in the guest: 1 when it exits and is not the device's. */
static int exits_to_vmm(uint32_t msr)
{
	struct command list[] = { { OP_RDMSR, msr, 0, 0 } };
	int exits = 0;

	machine_load(&machine, list, 1);
	while (machine_exit(&machine) != KVM_EXIT_IO) {
		CHECK_EQ(machine.run->exit_reason, KVM_EXIT_X86_RDMSR);
		CHECK_EQ(machine.run->msr.index, msr);
		if (vpmu_kvm_exit(&machine.place, machine.device.vcpu, machine.run))
			continue;
		exits++;
		machine.run->msr.error = 0;
		machine.run->msr.data = 0;
	}
	return exits;
}

static void device_is_there(void)
{
	struct command list[] = {
		{ OP_RDMSR, MSR(VPMU_REG_MAGIC), 0, 0 },
		{ OP_RDMSR, MSR(SLOT(DEVICE_SLOTS - 1, 0)), 9, 0 },
		{ OP_RDMSR, MSR(UNDEFINED), 0, 0 },
	};

	machine_do(&machine, list, TEST_COUNT(list));
	CHECK_EQ(list[0].value, VPMU_MAGIC);
	CHECK_EQ(list[1].value, 0);
	CHECK_EQ(list[2].outcome, FAULTED);
}

#define TSC 0x10
#define APIC_BASE 0x1b

/* The rule of the model in filter_test.c is KVM's: a VMM that allows a few MSRs only. */
static void default_deny_is_kept(void)
{
	uint8_t bitmap[8] = { 1 };
	struct vpmu_kvm_filter theirs = {
		.flags = 1, .ranges = { { .flags = 1, .count = 2, .base = TSC, .bitmap = bitmap } }
	};

	machine_create(&machine, &theirs);
	device_is_there();
	CHECK_EQ(exits_to_vmm(TSC), 0);
	CHECK_EQ(exits_to_vmm(TSC + 1), 1);
	CHECK_EQ(exits_to_vmm(APIC_BASE), 1);
	CHECK_EQ(exits_to_vmm(VPMU_MSR_BASE - 1), 1);
	CHECK_EQ(exits_to_vmm(VPMU_MSR_BASE + 32 * (DEVICE_SLOTS + 1)), 1);
	machine_destroy(&machine);
}

/* All 16 ranges in use, one of them over our MSRs and allowing them. */
static void full_filter_is_kept(void)
{
	uint8_t bitmap[2][128];
	struct vpmu_kvm_filter theirs = { .flags = 0 };
	unsigned int i;

	memset(bitmap[0], 0, sizeof(bitmap[0]));
	memset(bitmap[1], 0xff, sizeof(bitmap[1]));
	for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++) {
		theirs.ranges[i].flags = 3;
		theirs.ranges[i].count = 1;
		theirs.ranges[i].base = 0x30 + i;
		theirs.ranges[i].bitmap = bitmap[0];
	}
	theirs.ranges[3].base = VPMU_MSR_BASE - 10;
	theirs.ranges[3].count = 700;
	theirs.ranges[3].bitmap = bitmap[1];
	machine_create(&machine, &theirs);
	device_is_there();
	CHECK_EQ(exits_to_vmm(0x32), 1);
	CHECK_EQ(exits_to_vmm(0x3f), 1);
	CHECK_EQ(exits_to_vmm(TSC), 0);
	machine_destroy(&machine);
}

/* KVM itself holds nothing of the device, so nothing of it moves by KVM's own lists. */
static void kvm_holds_no_register(void)
{
	struct kvm_msrs *one = calloc(1, sizeof(*one) + sizeof(one->entries[0]));
	struct kvm_msr_list *list;
	unsigned int i;

	machine_create(&machine, NULL);
	CHECK(one);
	one->nmsrs = 1;
	one->entries[0].index = VPMU_MSR_BASE + COOKIE;
	one->entries[0].data = 5;
	CHECK(ioctl(machine.vcpu_fd, KVM_GET_MSRS, one) <= 0);
	CHECK(ioctl(machine.vcpu_fd, KVM_SET_MSRS, one) <= 0);
	free(one);
	CHECK_EQ(device_read(&machine.device, COOKIE), 0);
	list = calloc(1, sizeof(*list) + 4096 * sizeof(list->indices[0]));
	CHECK(list);
	list->nmsrs = 4096;
	CHECK_EQ(ioctl(machine.kvm_fd, KVM_GET_MSR_INDEX_LIST, list), 0);
	CHECK(list->nmsrs > 0);
	for (i = 0; i < list->nmsrs; i++)
		CHECK(list->indices[i] - VPMU_MSR_BASE >= VPMU_REGISTERS);
	free(list);
	machine_destroy(&machine);
}

/* The value read is no part of the vCPU's state until the exit is completed. */
static void pending_exit_is_completed(void)
{
	struct command list[] = { { OP_RDMSR, MSR(VPMU_REG_MAGIC), 0, 0 } };
	const uint64_t at = 0x10000 + (uint64_t)(program_rdmsr - program_begin);
	struct kvm_regs before;
	struct kvm_regs after;

	machine_create(&machine, NULL);
	machine_load(&machine, list, 1);
	CHECK_EQ(machine_exit(&machine), KVM_EXIT_X86_RDMSR);
	CHECK_EQ(vpmu_kvm_exit(&machine.place, machine.device.vcpu, machine.run), 1);
	CHECK_EQ(ioctl(machine.vcpu_fd, KVM_GET_REGS, &before), 0);
	CHECK_EQ(before.rip, at);
	CHECK_EQ(vpmu_kvm_complete(NULL, machine.vcpu_fd, machine.run), 0);
	CHECK_EQ(ioctl(machine.vcpu_fd, KVM_GET_REGS, &after), 0);
	CHECK_EQ(after.rip, at + 2);
	CHECK_EQ(after.rdx << 32 | after.rax, VPMU_MAGIC);
	CHECK_EQ(machine.run->immediate_exit, 0);
	machine_run(&machine);
	CHECK_EQ(machine_word(&machine, 0x8000 + 16), VPMU_MAGIC);
	machine_destroy(&machine);
}

/* Completing twice, or with nothing to complete, runs nothing. */
static void completion_runs_nothing(void)
{
	struct command list[] = { { OP_WRITE64, 0x7010, 1, 0 } };
	struct kvm_regs regs;

	machine_create(&machine, NULL);
	machine_load(&machine, list, 1);
	CHECK_EQ(vpmu_kvm_complete(NULL, machine.vcpu_fd, machine.run), 0);
	CHECK_EQ(vpmu_kvm_complete(NULL, machine.vcpu_fd, machine.run), 0);
	CHECK_EQ(ioctl(machine.vcpu_fd, KVM_GET_REGS, &regs), 0);
	CHECK_EQ(regs.rip, 0x10000);
	CHECK_EQ(machine_word(&machine, 0x7010), 0);
	machine_run(&machine);
	CHECK_EQ(machine_word(&machine, 0x7010), 1);
	machine_destroy(&machine);
}

/* Opens slot 0 with a period of 1000 and starts it. */
static void sampling_begins(uint64_t pmi)
{
	struct command list[] = {
		{ OP_WRMSR, MSR(SLOT(0, VPMU_ATTR_WORD_TYPE)), VPMU_TYPE_HARDWARE, 0 },
		{ OP_WRMSR, MSR(SLOT(0, VPMU_ATTR_WORD_CONFIG)), VPMU_HARDWARE_CYCLES, 0 },
		{ OP_WRMSR, MSR(SLOT(0, VPMU_ATTR_WORD_SAMPLE_PERIOD)), 0, 0 },
		{ OP_WRMSR, MSR(SLOT(0, VPMU_ATTR_WORD_FLAGS)), VPMU_ATTR_PMI, 0 },
		{ OP_WRMSR, MSR(VPMU_REG_PMI), pmi, 0 },
		{ OP_WRMSR, MSR(VPMU_REG_OPEN), 1, 0 },
		{ OP_WRMSR, MSR(VPMU_REG_ENABLE), 1, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_ENABLED), 0, 0 },
	};

	list[2].value = device_read(&machine.device, VPMU_REG_PERIOD_FLOOR);
	machine_do(&machine, list, TEST_COUNT(list));
	outcomes(list, TEST_COUNT(list), DONE);
	CHECK_EQ(list[7].value, 1);
}

static uint64_t period(void)
{
	return device_read(&machine.device, SLOT(0, VPMU_ATTR_WORD_SAMPLE_PERIOD));
}

static uint64_t line(void)
{
	return device_read(&machine.device, VPMU_REG_PMI_LINE);
}

/* The handler's part: what is pending, and the acknowledgement. */
static void handler_answers(uint64_t counter, uint64_t taken)
{
	struct command list[] = {
		{ OP_WAIT, counter, taken - 1, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_PMI_SEQUENCE), 0, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_PENDING), 0, 0 },
		{ OP_WRMSR, MSR(VPMU_REG_ACK), 1, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_PMI_LINE), 9, 0 },
	};

	machine_do(&machine, list, TEST_COUNT(list));
	CHECK_EQ(list[1].value, taken);
	CHECK_EQ(list[2].value, 1);
	CHECK_EQ(list[4].value, VPMU_LINE_IDLE);
	CHECK_EQ(machine_word(&machine, counter), taken);
}

static void nmi_arrives(void)
{
	machine_create(&machine, NULL);
	sampling_begins(VPMU_PMI_NMI);
	device_overflow(&machine.device, period());
	handler_answers(MACHINE_NMIS, 1);
	device_overflow(&machine.device, period());
	handler_answers(MACHINE_NMIS, 2);
	CHECK_EQ(machine_word(&machine, MACHINE_INTERRUPTS), 0);
	machine_destroy(&machine);
}

static void apic_turns_on(void)
{
	struct command list[] = {
		{ OP_WRITE32, MACHINE_SVR, 0x1ff, 0 },
		{ OP_STI, 0, 0, 0 },
	};

	machine_do(&machine, list, TEST_COUNT(list));
	outcomes(list, TEST_COUNT(list), DONE);
}

static void vector_arrives(void)
{
	machine_create(&machine, NULL);
	apic_turns_on();
	sampling_begins(VPMU_PMI_VECTOR | MACHINE_VECTOR << 8);
	device_overflow(&machine.device, period());
	handler_answers(MACHINE_INTERRUPTS, 1);
	device_overflow(&machine.device, period());
	handler_answers(MACHINE_INTERRUPTS, 2);
	CHECK_EQ(machine_word(&machine, MACHINE_NMIS), 0);
	machine_destroy(&machine);
}

/* An APIC id that does not fit in 8 bits is not cut to that of another vCPU. */
static void vector_arrives_at_long_ids(void)
{
	struct command on[] = {
		{ OP_WRMSR, APIC_BASE, 0xfee00c00, 0 },
		{ OP_WRMSR, 0x80f, 0x1ff, 0 },
		{ OP_RDMSR, 0x802, 0, 0 },
		{ OP_WRITE64, MACHINE_X2APIC_IS_ON, 1, 0 },
		{ OP_STI, 0, 0, 0 },
	};

	machine_create_as(&machine, NULL, 256);
	machine_do(&machine, on, TEST_COUNT(on));
	outcomes(on, TEST_COUNT(on), DONE);
	CHECK_EQ(on[2].value, 256);
	sampling_begins(VPMU_PMI_VECTOR | MACHINE_VECTOR << 8);
	device_overflow(&machine.device, period());
	handler_answers(MACHINE_INTERRUPTS, 1);
	machine_destroy(&machine);
}

/* With its APIC off the vCPU takes no vector: the line stays to inject until it does. */
static void lost_vector_is_tried_again(void)
{
	struct command nothing[] = { { OP_RDMSR, MSR(VPMU_REG_PMI_SEQUENCE), 9, 0 } };

	machine_create(&machine, NULL);
	sampling_begins(VPMU_PMI_VECTOR | MACHINE_VECTOR << 8);
	device_overflow(&machine.device, period());
	machine_do(&machine, nothing, 1);
	CHECK_EQ(nothing[0].value, 0);
	CHECK_EQ(line(), VPMU_LINE_TO_INJECT);
	CHECK_EQ(machine_word(&machine, MACHINE_INTERRUPTS), 0);
	CHECK(vpmu_vcpu_deadline(machine.device.vcpu) != VPMU_NO_DEADLINE);
	apic_turns_on();
	machine.device.now += 10000000000ull;
	handler_answers(MACHINE_INTERRUPTS, 1);
	machine_destroy(&machine);
}

/* A second overflow of a line that is raised makes no second interrupt. */
static void one_interrupt_until_acknowledged(void)
{
	struct command nothing[] = { { OP_RDMSR, MSR(VPMU_REG_PENDING), 0, 0 } };

	machine_create(&machine, NULL);
	sampling_begins(VPMU_PMI_NMI);
	device_overflow(&machine.device, period());
	machine_do(&machine, nothing, 1);
	CHECK_EQ(nothing[0].value, 1);
	CHECK_EQ(line(), VPMU_LINE_RAISED);
	device_overflow(&machine.device, 2 * period());
	nothing[0].outcome = 0;
	machine_do(&machine, nothing, 1);
	CHECK_EQ(machine_word(&machine, MACHINE_NMIS), 1);
	handler_answers(MACHINE_NMIS, 1);
	CHECK_EQ(device_read(&machine.device, SLOT(0, VPMU_SLOT_EVENT + VPMU_EVENT_WORD_LOST)), 2);
	machine_destroy(&machine);
}

static unsigned int attempts;

static int refuse_once(void *opaque, uint32_t mode, uint32_t vector)
{
	(void)opaque;
	return attempts++ ? vpmu_kvm_pmi(NULL, &machine.target, mode, vector) : VPMU_ERROR_STATE;
}

static void on_timer(int number)
{
	(void)number;
}

/* A timer whose signal ends KVM_RUN, again and again: one that comes between two runs is lost. */
static timer_t kicks_begin(void)
{
	struct sigaction action = { .sa_handler = on_timer };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	const struct itimerspec when = { { 0, 20000000 }, { 0, 20000000 } };
	timer_t timer;

	CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	CHECK_EQ(timer_settime(timer, 0, &when, NULL), 0);
	return timer;
}

/*
 * A halted vCPU makes no exit: what was not delivered at once arrives because the VMM kicks it at
 * the deadline.
 */
static void halted_vcpu_gets_its_due(void)
{
	struct command list[] = {
		{ OP_HALT, 0, 0, 0 },
		{ OP_RDMSR, MSR(VPMU_REG_PENDING), 0, 0 },
	};
	uint64_t deadline;
	timer_t timer;

	attempts = 0;
	machine_create(&machine, NULL);
	sampling_begins(VPMU_PMI_NMI);
	machine.device.pmi = refuse_once;
	device_overflow(&machine.device, period());
	machine_load(&machine, list, TEST_COUNT(list));
	timer = kicks_begin();
	CHECK_EQ(machine_step(&machine), MACHINE_KICKED);
	CHECK_EQ(attempts, 1);
	CHECK_EQ(line(), VPMU_LINE_TO_INJECT);
	deadline = vpmu_vcpu_deadline(machine.device.vcpu);
	CHECK(deadline > machine.device.now && deadline != VPMU_NO_DEADLINE);
	machine.device.now = deadline;
	machine_run(&machine);
	CHECK_EQ(timer_delete(timer), 0);
	CHECK_EQ(attempts, 2);
	CHECK_EQ(machine_word(&machine, MACHINE_NMIS), 1);
	CHECK_EQ(machine_word(&machine, 0x8000 + 32 + 16), 1);
	machine_destroy(&machine);
}

const struct test_case test_cases[] = {
	{ "R-MSR-1", "MSRs are read and written", msrs_are_read_and_written },
	{ "R-MSR-1", "an undefined MSR faults in the guest", undefined_msrs_fault },
	{ "R-MMIO-1", "the window is read and written", window_is_read_and_written },
	{ "R-MMIO-2", "faults of the window", window_faults },
	{ "R-MSR-2", "the guest discovers the device by CPUID", guest_discovers_by_cpuid },
	{ "filter", "the VMM keeps its own filter", vmm_keeps_its_own_filter },
	{ "filter", "a filter that denies by default is kept", default_deny_is_kept },
	{ "filter", "a full filter is kept", full_filter_is_kept },
	{ "state", "KVM holds no register of the device", kvm_holds_no_register },
	{ "complete", "a pending exit is completed", pending_exit_is_completed },
	{ "complete", "completion runs nothing", completion_runs_nothing },
	{ "R-PMI-3", "an NMI arrives", nmi_arrives },
	{ "R-PMI-3", "a vector arrives", vector_arrives },
	{ "R-PMI-3", "a vector arrives at long APIC ids", vector_arrives_at_long_ids },
	{ "R-PMI-3", "a lost vector is tried again", lost_vector_is_tried_again },
	{ "R-PMI-9", "a halted vCPU gets its PMI at the deadline", halted_vcpu_gets_its_due },
	{ "R-PMI-4", "one interrupt until it is acknowledged", one_interrupt_until_acknowledged },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
