/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A VM that has KVM's own vPMU besides the device moves with both, as one image. */

#include <string.h>

#include "device.h"
#include "runner/runner.h"
#include "x86_kernel.h"

#define CAPACITY 65536

static const struct x86_model model = { .name = "version 2",
					.version = 2,
					.counters = 4,
					.width = 48,
					.fixed = 3,
					.fixed_width = 48 };

static const struct vpmu_image_platform platform = { .size = sizeof(platform),
						     .base = VPMU_MSR_BASE,
						     .architecture = VPMU_ARCHITECTURE_X86,
						     .transport = VPMU_TRANSPORT_MSR };

struct place {
	struct x86_kernel kernel;
	struct vpmu_kvm_system system;
	struct vpmu_kvm_bank bank;
	struct vpmu_image_bank functions;
	struct vpmu_image_options options;
	struct device device;
};

static struct place here;
static struct place there;
static uint8_t image[CAPACITY];
static uint8_t again[CAPACITY];
static struct vpmu_image_fault fault;

static int32_t fd_of(void *opaque, uint32_t vcpu)
{
	CHECK(opaque == &here || opaque == &there);
	return vcpu == X86_KERNEL_VCPU ? X86_KERNEL_VCPU_FD : -1;
}

static void start(struct place *place, const struct x86_model *host)
{
	memset(place, 0, sizeof(*place));
	place->system = x86_kernel_start(&place->kernel, host, &model);
	place->bank = (struct vpmu_kvm_bank){ .size = sizeof(place->bank),
					      .system = &place->system,
					      .vcpu_fd = fd_of,
					      .opaque = place,
					      .fd = X86_KERNEL_FD };
	place->functions.size = sizeof(place->functions);
	CHECK(vpmu_kvm_pmu_bank(&place->bank, &place->functions) >= 0);
	place->options = (struct vpmu_image_options){ .size = sizeof(place->options),
						      .platform = &platform,
						      .bank = &place->functions };
	device_create(&place->device);
	fault.size = sizeof(fault);
}

static void both_start(const struct x86_model *destination)
{
	start(&here, &model);
	start(&there, destination);
	x86_kernel_msr(&here.kernel, 0xc2)->value = 0xfffffffffff0;
	x86_kernel_msr(&here.kernel, 0x187)->value = 0x5300c0;
	x86_kernel_msr(&here.kernel, 0x38f)->value = 0x700000002;
	CHECK_EQ(vpmu_vcpu_stop(here.device.vcpu), 0);
}

static void both_end(void)
{
	device_destroy(&here.device);
	device_destroy(&there.device);
}

static uint64_t save(struct place *place, uint8_t *to)
{
	uint64_t length = 0;

	CHECK_EQ(vpmu_vm_save(place->device.vm, &place->options, to, CAPACITY, &length), 0);
	return length;
}

static void both_move_as_one(void)
{
	uint64_t length;

	both_start(&model);
	length = save(&here, image);
	CHECK_EQ(vpmu_image_check(image, length, NULL, &fault), 0);
	CHECK_EQ(vpmu_vm_load(there.device.vm, image, length, &there.options, &fault), 0);
	CHECK_EQ(there.kernel.write_count, 0);
	/* What KVM refuses at the commit changes nothing, and the commit can be made again. */
	there.kernel.ignored = 0x187;
	CHECK_EQ(vpmu_vcpu_commit(there.device.vcpu, 0), VPMU_ERROR_STATE);
	CHECK_EQ(x86_kernel_msr(&there.kernel, 0xc2)->value, 0);
	there.kernel.ignored = 0;
	CHECK_EQ(vpmu_vcpu_commit(there.device.vcpu, 0), 0);
	for (uint32_t i = 0; i < here.kernel.msr_count; i++)
		CHECK_EQ(there.kernel.msrs[i].value, here.kernel.msrs[i].value);
	CHECK_EQ(save(&there, again), length);
	/* After a commit the device's epoch differs; the records of the other bank are the last but
	 * END. */
	CHECK_MEM(again + length - 16 - 15 * 16, image + length - 16 - 15 * 16, 15 * 16 + 16);
	CHECK_EQ(vpmu_vcpu_resume(there.device.vcpu), 0);
	both_end();
}

static void a_host_that_cannot_refuses_all(void)
{
	struct x86_model narrow = model;
	uint64_t length;

	narrow.width = 40;
	both_start(&narrow);
	length = save(&here, image);
	CHECK_EQ(vpmu_vm_load(there.device.vm, image, length, &there.options, &fault),
		 VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_BANK);
	CHECK_EQ(fault.vcpu, X86_KERNEL_VCPU);
	CHECK_EQ(there.kernel.write_count, 0);
	/* The pair that it cannot take: the first, which is the shape, of the record before END. */
	CHECK_STR(fault.word, "index");
	CHECK_EQ(fault.offset, length - 16 - 15 * 16);
	there.options.bank = NULL;
	CHECK_EQ(vpmu_vm_load(there.device.vm, image, length, &there.options, &fault),
		 VPMU_ERROR_IMAGE);
	CHECK_EQ(fault.fault, VPMU_IMAGE_FAULT_BANK);
	CHECK_STR(fault.word, "head");
	CHECK_EQ(vpmu_vcpu_resume(here.device.vcpu), 0);
	both_end();
}

const struct test_case test_cases[] = {
	{ "R-IMG-13", "both_move_as_one", both_move_as_one },
	{ "R-MIG-4", "a_host_that_cannot_refuses_all", a_host_that_cannot_refuses_all },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
