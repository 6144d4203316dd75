/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* KVM's own vPMU in images under a real KVM, whatever it has. */

#define _GNU_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

#include <vpmu/image.h>
#include <vpmu/kvm.h>

#include "runner/runner.h"

static int kvm_fd;
static int vm_fd;
static int32_t vcpu_fds[2];
static uint64_t pairs[2 * VPMU_IMAGE_MAX_BANK_PAIRS];

/* Laid out as struct kvm_cpuid2. */
static struct {
	uint32_t count;
	uint32_t padding;
	struct vpmu_kvm_cpuid_entry entries[256];
} cpuid;

/* Laid out as struct kvm_msrs. */
static struct {
	uint32_t count;
	uint32_t padding;
	struct kvm_msr_entry entry;
} capabilities = { 1, 0, { .index = 0x345 } };

static int32_t fd_of(void *opaque, uint32_t vcpu)
{
	(void)opaque;
	return vcpu < 2 ? vcpu_fds[vcpu] : -1;
}

static void vm_open(void)
{
	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		test_skip("/dev/kvm cannot be opened");
	vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	CHECK(vm_fd >= 0);
	cpuid.count = 256;
	CHECK_EQ(ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &cpuid), 0);
	for (unsigned int i = 0; i < 2; i++) {
		vcpu_fds[i] = ioctl(vm_fd, KVM_CREATE_VCPU, i);
		CHECK(vcpu_fds[i] >= 0);
		CHECK_EQ(ioctl(vcpu_fds[i], KVM_SET_CPUID2, &cpuid), 0);
		/* No LBR, which older kernels grant by themselves; some have no such register. */
		(void)ioctl(vcpu_fds[i], KVM_SET_MSRS, &capabilities);
	}
}

static void vm_close(void)
{
	for (unsigned int i = 0; i < 2; i++)
		CHECK_EQ(close(vcpu_fds[i]), 0);
	CHECK_EQ(close(vm_fd), 0);
	CHECK_EQ(close(kvm_fd), 0);
}

/* Where KVM has no vPMU nothing is saved, and a PMU of another host is refused. */
static void none_is_said(struct vpmu_image_bank *image)
{
	uint32_t culprit = 0;

	CHECK_EQ(image->save(image->opaque, 0, pairs), 0);
	pairs[0] = 0;
	pairs[1] = 0x30040102; /* the counters of the K7 */
	for (unsigned int i = 0; i < 8; i++) {
		pairs[2 + 2 * i] = 0xc0010000 + (i + 4) % 8;
		pairs[3 + 2 * i] = 0;
	}
	CHECK_EQ(image->check(image->opaque, 0, pairs, 9, &culprit), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(image->load(image->opaque, 0, pairs, 9), VPMU_ERROR_UNSUPPORTED);
}

/* Where it has one: what one vCPU was given is saved, and the other takes it. */
static void one_moves(struct vpmu_image_bank *image)
{
	static uint64_t seen[2 * VPMU_IMAGE_MAX_BANK_PAIRS];
	int count = image->save(image->opaque, 0, pairs);

	CHECK(count > 1);
	for (int i = 1; i < count; i++) {
		/* The first counter of either vendor, and its selector: instructions, not enabled. */
		if (pairs[2 * i] == 0xc1 || pairs[2 * i] == 0xc0010201 ||
		    pairs[2 * i] == 0xc0010004)
			pairs[2 * i + 1] = 0x12345678;
		if (pairs[2 * i] == 0x186 || pairs[2 * i] == 0xc0010200 ||
		    pairs[2 * i] == 0xc0010000)
			pairs[2 * i + 1] = 0x100c0;
	}
	CHECK_EQ(image->load(image->opaque, 1, pairs, (uint32_t)count), 0);
	CHECK_EQ(image->save(image->opaque, 1, seen), count);
	CHECK_MEM(seen, pairs, 16 * (size_t)count);
}

static void a_pmu_moves_or_there_is_none(void)
{
	struct vpmu_kvm_bank bank = { .size = sizeof(bank), .vcpu_fd = fd_of };
	struct vpmu_image_bank image = { .size = sizeof(image) };
	int answer;

	vm_open();
	bank.fd = kvm_fd;
	answer = vpmu_kvm_pmu_bank(&bank, &image);
	(void)printf("KVM of this host has %s vPMU\n", answer ? "no" : "a");
	(void)fflush(stdout);
	if (answer == VPMU_KVM_PMU_NONE)
		none_is_said(&image);
	else
		one_moves(&image);
	CHECK(answer >= 0);
	vm_close();
}

const struct test_case test_cases[] = {
	{ "R-BANK-1", "a_pmu_moves_or_there_is_none", a_pmu_moves_or_there_is_none },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
