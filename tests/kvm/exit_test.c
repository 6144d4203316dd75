/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Returns of KVM_RUN, made by hand, and their answers. */

#include <string.h>

#include <vpmu/kvm.h>

#include "backends/kvm/uapi.h"
#include "device.h"
#include "runner/runner.h"

#define MMIO 0xd0000000ull
#define MSRS (32u * (DEVICE_SLOTS + 1))

static const struct vpmu_kvm_device place = {
	sizeof(place), MMIO, VPMU_MSR_BASE, DEVICE_SLOTS, 1, 0
};

struct run {
	uint8_t bytes[4096];
};

static void put(struct run *run, unsigned int at, uint64_t value, unsigned int size)
{
	memcpy(run->bytes + at, &value, size);
}

static uint64_t get(const struct run *run, unsigned int at, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, run->bytes + at, size);
	return value;
}

static int msr_exit(struct device *device, struct run *run, uint32_t reason, uint32_t index,
		    uint64_t value)
{
	put(run, KVM_UAPI_RUN_EXIT_REASON, reason, 4);
	put(run, KVM_UAPI_RUN_MSR_INDEX, index, 4);
	put(run, KVM_UAPI_RUN_MSR_DATA, value, 8);
	return vpmu_kvm_exit(&place, device->vcpu, run);
}

static int mmio_exit(struct device *device, struct run *run, uint64_t address, uint32_t length,
		     uint8_t write, uint64_t value)
{
	put(run, KVM_UAPI_RUN_EXIT_REASON, KVM_UAPI_EXIT_MMIO, 4);
	put(run, KVM_UAPI_RUN_MMIO_ADDRESS, address, 8);
	put(run, KVM_UAPI_RUN_MMIO_LENGTH, length, 4);
	put(run, KVM_UAPI_RUN_MMIO_IS_WRITE, write, 1);
	put(run, KVM_UAPI_RUN_MMIO_DATA, value, 8);
	return vpmu_kvm_exit(&place, device->vcpu, run);
}

#define COOKIE (32 + VPMU_ATTR_WORD_COOKIE)

static void msrs_reach_registers(void)
{
	struct device device = { 0 };
	struct run run = { { 0 } };

	device_create(&device);
	run.bytes[KVM_UAPI_RUN_MSR_ERROR] = 1;
	CHECK_EQ(msr_exit(&device, &run, KVM_UAPI_EXIT_X86_RDMSR, VPMU_MSR_BASE, 0), 1);
	CHECK_EQ(get(&run, KVM_UAPI_RUN_MSR_DATA, 8), VPMU_MAGIC);
	CHECK_EQ(run.bytes[KVM_UAPI_RUN_MSR_ERROR], 0);
	CHECK_EQ(msr_exit(&device, &run, KVM_UAPI_EXIT_X86_WRMSR, VPMU_MSR_BASE + COOKIE, 77), 1);
	CHECK_EQ(device_read(&device, COOKIE), 77);
	device_destroy(&device);
}

static void refused_writes_complete(void)
{
	struct device device = { 0 };
	struct run run = { { 0 } };

	device_create(&device);
	run.bytes[KVM_UAPI_RUN_MSR_ERROR] = 1;
	CHECK_EQ(msr_exit(&device, &run, KVM_UAPI_EXIT_X86_WRMSR, VPMU_MSR_BASE, 1), 1);
	CHECK_EQ(run.bytes[KVM_UAPI_RUN_MSR_ERROR], 0);
	CHECK_EQ(device_read(&device, VPMU_REG_MAGIC), VPMU_MAGIC);
	device_destroy(&device);
}

static void undefined_msrs_fault(void)
{
	struct device device = { 0 };
	struct run run = { { 0 } };

	device_create(&device);
	CHECK_EQ(msr_exit(&device, &run, KVM_UAPI_EXIT_X86_RDMSR, VPMU_MSR_BASE + 31, 0), 1);
	CHECK_EQ(run.bytes[KVM_UAPI_RUN_MSR_ERROR], 1);
	run.bytes[KVM_UAPI_RUN_MSR_ERROR] = 0;
	CHECK_EQ(msr_exit(&device, &run, KVM_UAPI_EXIT_X86_WRMSR, VPMU_MSR_BASE + 31, 0), 1);
	CHECK_EQ(run.bytes[KVM_UAPI_RUN_MSR_ERROR], 1);
	device_destroy(&device);
}

/* An exit that is somebody else's is left as it is, byte for byte. */
static void others_are_left_alone(void)
{
	static const uint32_t msrs[] = { VPMU_MSR_BASE - 1, VPMU_MSR_BASE + MSRS, 0x35, 0,
					 UINT32_MAX };
	static const uint64_t addresses[] = { MMIO - 8, MMIO + VPMU_MMIO_SIZE, 0, UINT64_MAX };
	struct device device = { 0 };
	struct run run;
	struct run before;
	unsigned int i;

	device_create(&device);
	memset(&run, 0xa5, sizeof(run));
	for (i = 0; i < TEST_COUNT(msrs); i++) {
		CHECK_EQ(msr_exit(&device, &run, KVM_UAPI_EXIT_X86_RDMSR, msrs[i], 9), 0);
		CHECK_EQ(get(&run, KVM_UAPI_RUN_MSR_DATA, 8), 9);
		CHECK_EQ(msr_exit(&device, &run, KVM_UAPI_EXIT_X86_WRMSR, msrs[i], 9), 0);
		CHECK_EQ(run.bytes[KVM_UAPI_RUN_MSR_ERROR], 0xa5);
	}
	for (i = 0; i < TEST_COUNT(addresses); i++) {
		CHECK_EQ(mmio_exit(&device, &run, addresses[i], 8, 0, 9), 0);
		CHECK_EQ(get(&run, KVM_UAPI_RUN_MMIO_DATA, 8), 9);
	}
	for (i = 0; i < 64; i++) {
		if (i == KVM_UAPI_EXIT_MMIO || i == KVM_UAPI_EXIT_X86_RDMSR ||
		    i == KVM_UAPI_EXIT_X86_WRMSR)
			continue;
		put(&run, KVM_UAPI_RUN_EXIT_REASON, i, 4);
		before = run;
		CHECK_EQ(vpmu_kvm_exit(&place, device.vcpu, &run), 0);
		CHECK_MEM(&run, &before, sizeof(run));
	}
	device_destroy(&device);
}

/* Without a base of its own a transport claims nothing, not even what begins at 0. */
static void absent_transports_claim_nothing(void)
{
	struct vpmu_kvm_device absent = place;
	struct device device = { 0 };
	struct run run = { { 0 } };

	device_create(&device);
	absent.msr_base = 0;
	absent.mmio_base = 0;
	put(&run, KVM_UAPI_RUN_EXIT_REASON, KVM_UAPI_EXIT_X86_RDMSR, 4);
	CHECK_EQ(vpmu_kvm_exit(&absent, device.vcpu, &run), 0);
	put(&run, KVM_UAPI_RUN_EXIT_REASON, KVM_UAPI_EXIT_MMIO, 4);
	put(&run, KVM_UAPI_RUN_MMIO_LENGTH, 8, 4);
	CHECK_EQ(vpmu_kvm_exit(&absent, device.vcpu, &run), 0);
	device_destroy(&device);
}

static void window_reaches_registers(void)
{
	struct device device = { 0 };
	struct run run = { { 0 } };

	device_create(&device);
	CHECK_EQ(mmio_exit(&device, &run, MMIO, 8, 0, 0), 1);
	CHECK_EQ(get(&run, KVM_UAPI_RUN_MMIO_DATA, 8), VPMU_MAGIC);
	CHECK_EQ(mmio_exit(&device, &run, MMIO + 8ull * COOKIE, 8, 1, 0x1122334455667788), 1);
	CHECK_EQ(device_read(&device, COOKIE), 0x1122334455667788);
	CHECK_EQ(mmio_exit(&device, &run, MMIO + 8ull * COOKIE, 4, 0, UINT64_MAX), 1);
	CHECK_EQ(get(&run, KVM_UAPI_RUN_MMIO_DATA, 8), 0xffffffff55667788);
	CHECK_EQ(mmio_exit(&device, &run, MMIO + 8ull * COOKIE + 4, 4, 0, 0), 1);
	CHECK_EQ(get(&run, KVM_UAPI_RUN_MMIO_DATA, 4), 0x11223344);
	device_destroy(&device);
}

/* Faults of the window: all ones, nothing written, and never a byte beyond the access. */
static void window_faults(void)
{
	static const struct {
		uint64_t offset;
		uint32_t length;
	} wrong[] = {
		{ 8 * COOKIE, 1 },     { 8 * COOKIE, 2 }, { 8 * COOKIE + 1, 8 },
		{ 8 * COOKIE + 2, 4 }, { 8 * 31, 8 },	  { 8 * 31, 4 },
		{ 8 * MSRS, 8 },       { 0x3ff8, 8 },	  { 8 * COOKIE, 3 },
		{ 8 * COOKIE + 4, 8 }, { 8 * COOKIE, 0 },
	};
	struct device device = { 0 };
	struct run run = { { 0 } };
	unsigned int i;

	device_create(&device);
	CHECK_EQ(vpmu_vcpu_write(device.vcpu, COOKIE, 42), VPMU_ACCESS_DONE);
	for (i = 0; i < TEST_COUNT(wrong); i++) {
		uint32_t length = wrong[i].length;
		uint64_t ones = length == 8 ? UINT64_MAX : (1ull << 8 * length) - 1;

		CHECK_EQ(mmio_exit(&device, &run, MMIO + wrong[i].offset, length, 0, 0), 1);
		CHECK_EQ(get(&run, KVM_UAPI_RUN_MMIO_DATA, 8), ones);
		CHECK_EQ(mmio_exit(&device, &run, MMIO + wrong[i].offset, length, 1, 7), 1);
		CHECK_EQ(device_read(&device, COOKIE), 42);
	}
	CHECK_EQ(mmio_exit(&device, &run, MMIO + 8 * COOKIE, 4, 1, 7), 1);
	CHECK_EQ(device_read(&device, COOKIE), 42);
	device_destroy(&device);
}

static void impossible_arguments(void)
{
	struct vpmu_kvm_device small = place;
	struct device device = { 0 };
	struct run run = { { 0 } };

	device_create(&device);
	CHECK_EQ(mmio_exit(&device, &run, MMIO, 9, 0, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(mmio_exit(&device, &run, MMIO, UINT32_MAX, 1, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_exit(&place, device.vcpu, NULL), VPMU_ERROR_INVALID);
	small.size = 8;
	CHECK_EQ(vpmu_kvm_exit(&small, device.vcpu, &run), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_exit(NULL, device.vcpu, &run), VPMU_ERROR_INVALID);
	device_destroy(&device);
}

static void without_a_vcpu(void)
{
	struct device device = { 0 };
	struct run run = { { 0 } };
	struct vpmu_vcpu *vcpu;

	device_create(&device);
	vcpu = device.vcpu;
	device.vcpu = NULL;
	CHECK_EQ(mmio_exit(&device, &run, MMIO, 8, 0, 5), 1);
	CHECK_EQ(get(&run, KVM_UAPI_RUN_MMIO_DATA, 8), UINT64_MAX);
	CHECK_EQ(mmio_exit(&device, &run, MMIO + 8 * COOKIE, 8, 1, 5), 1);
	device.vcpu = vcpu;
	CHECK_EQ(device_read(&device, COOKIE), 0);
	device_destroy(&device);
}

const struct test_case test_cases[] = {
	{ "R-MSR-1", "MSRs are registers", msrs_reach_registers },
	{ "R-MSR-1", "a refused write completes", refused_writes_complete },
	{ "R-MSR-1", "an undefined MSR faults", undefined_msrs_fault },
	{ "exit", "others are left alone", others_are_left_alone },
	{ "exit", "an absent transport claims nothing", absent_transports_claim_nothing },
	{ "R-MMIO-1", "the window shows registers", window_reaches_registers },
	{ "R-MMIO-2", "faults of the window", window_faults },
	{ "exit", "impossible arguments", impossible_arguments },
	{ "R-MMIO-1", "an access without a vCPU is refused", without_a_vcpu },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
