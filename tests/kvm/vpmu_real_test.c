/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Event filters and the vPMU switch under a real KVM: it answers as our model of it says. */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

#include <vpmu/kvm.h>

#include "runner/random.h"
#include "runner/runner.h"

#define CAP_MASKED 226

static int kvm_fd;
static int vm_fd;
static char said[512];

static void listen(void *opaque, uint32_t level, const char *text)
{
	(void)opaque;
	(void)level;
	(void)snprintf(said, sizeof(said), "%s", text);
}

static int64_t control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	int result = ioctl(fd, (unsigned long)request, (unsigned long)argument);

	(void)opaque;
	return result < 0 ? -(int64_t)errno : result;
}

static const struct vpmu_kvm_system heard = { sizeof(heard), control, listen, NULL, NULL };

static void vm_open(void)
{
	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		test_skip("/dev/kvm cannot be opened");
	vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	CHECK(vm_fd >= 0);
	said[0] = '\0';
}

static void vm_close(void)
{
	CHECK_EQ(close(vm_fd), 0);
	CHECK_EQ(close(kvm_fd), 0);
}

static void filters_open(void)
{
	vm_open();
	if (ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_PMU_EVENT_FILTER) <= 0)
		test_skip("this KVM has no event filters");
}

/* KVM itself, without the library: 0 or the errno value. */
static int kvm_answer(const struct vpmu_filter *filter)
{
	return ioctl(vm_fd, KVM_SET_PMU_EVENT_FILTER, filter) == 0 ? 0 : errno;
}

static int has_masked(void)
{
	return ioctl(vm_fd, KVM_CHECK_EXTENSION, CAP_MASKED) > 0;
}

/* KVM compares with the bits of its own vendor's event selects. */
static uint32_t host_vendor(void)
{
	struct vpmu_filter high = { .count = 1,
				    .flags = VPMU_FILTER_MASKED,
				    .entries = { 0x1000000c2 } };

	return kvm_answer(&high) ? VPMU_FILTER_INTEL : VPMU_FILTER_AMD;
}

static void built_filters_are_taken(void)
{
	static struct vpmu_filter_event events[300];
	uint32_t vendor;
	uint32_t action;
	uint32_t flags;
	uint32_t count;
	uint32_t i;

	filters_open();
	vendor = has_masked() ? host_vendor() : VPMU_FILTER_INTEL;
	for (i = 0; i < 300; i++)
		events[i].code = (1 + i % 255) | (uint64_t)(i * 37 % 256) << 8;
	for (action = 0; action < 2; action++) {
		for (flags = 0; flags <= (uint32_t)has_masked(); flags++) {
			for (count = 0; count <= 300; count += 50) {
				struct vpmu_filter_request request = { .size = sizeof(request),
								       .events = events,
								       .event_count = count,
								       .vendor = vendor,
								       .action = action,
								       .flags = flags };
				struct vpmu_filter filter;

				CHECK(vpmu_filter_build(&request, &filter, NULL) >= 0);
				CHECK_EQ(kvm_answer(&filter), 0);
				CHECK_EQ(vpmu_kvm_event_filter_set(&heard, vm_fd, vendor, &filter),
					 0);
			}
		}
	}
	CHECK_STR(said, "");
	vm_close();
}

static int expected_errno(const struct vpmu_filter *filter, uint32_t vendor)
{
	switch (vpmu_filter_check(filter, vendor, NULL)) {
	case 0:
		return 0;
	case VPMU_ERROR_LIMIT:
		return E2BIG;
	default:
		return EINVAL;
	}
}

/* Each bit of an entry, of action, flags and number: KVM refuses what the model refuses, and
 * nothing else. */
static void kvm_agrees_with_the_model(void)
{
	const struct vpmu_filter good = { .count = 2, .entries = { 0xc0, 0xc4 } };
	static struct vpmu_filter filter;
	uint32_t vendor;
	uint32_t flags;
	uint32_t bit;

	filters_open();
	if (!has_masked())
		test_skip("this KVM has no masked entries");
	vendor = host_vendor();
	for (flags = 0; flags < 8; flags++) {
		for (bit = 0; bit < 64; bit++) {
			filter = good;
			filter.flags = flags;
			filter.entries[1] |= 1ull << bit;
			CHECK_EQ(kvm_answer(&filter), expected_errno(&filter, vendor));
		}
	}
	for (bit = 0; bit < 32; bit++) {
		filter = good;
		filter.action = 1u << bit;
		CHECK_EQ(kvm_answer(&filter), expected_errno(&filter, vendor));
		filter = good;
		filter.flags = 1u << bit;
		CHECK_EQ(kvm_answer(&filter), expected_errno(&filter, vendor));
		/* Counters that do not exist are taken. */
		filter = good;
		filter.fixed_counters = 1u << bit;
		CHECK_EQ(kvm_answer(&filter), expected_errno(&filter, vendor));
	}
	filter = good;
	filter.count = 300;
	CHECK_EQ(kvm_answer(&filter), 0);
	filter.count = 301;
	CHECK_EQ(kvm_answer(&filter), E2BIG);
	CHECK_EQ(expected_errno(&filter, vendor), E2BIG);
	vm_close();
}

static void random_filters(void)
{
	uint64_t state = test_seed();
	static struct vpmu_filter filter;
	unsigned int refused = 0;
	uint32_t vendor;
	uint32_t round;
	uint32_t i;

	filters_open();
	if (!has_masked())
		test_skip("this KVM has no masked entries");
	vendor = host_vendor();
	for (round = 0; round < 200; round++) {
		memset(&filter, 0, sizeof(filter));
		filter.action = (uint32_t)xorshift64(&state) % 2;
		filter.flags = (uint32_t)xorshift64(&state) % 4 != 0;
		filter.count = (uint32_t)xorshift64(&state) % 10;
		for (i = 0; i < filter.count; i++) {
			uint64_t entry = xorshift64(&state);

			/* Mostly bits that mean something. */
			filter.entries[i] = xorshift64(&state) % 10 ? entry & 0xff8000000000ffff :
								      entry;
		}
		CHECK_EQ(kvm_answer(&filter), expected_errno(&filter, vendor));
		refused += expected_errno(&filter, vendor) != 0;
	}
	CHECK(refused > 0 && refused < 200);
	vm_close();
}

/* The library's refusals make no call, and its answers are those of KVM. */
static void bad_filters_are_refused(void)
{
	struct vpmu_filter filter = { .count = 1, .entries = { 0xc0 } };
	uint32_t vendor;

	filters_open();
	vendor = has_masked() ? host_vendor() : VPMU_FILTER_INTEL;
	filter.action = 2;
	CHECK_EQ(vpmu_kvm_event_filter_set(&heard, vm_fd, vendor, &filter), VPMU_ERROR_INVALID);
	CHECK(said[0] != '\0');
	filter.action = 0;
	filter.count = 301;
	CHECK_EQ(vpmu_kvm_event_filter_set(&heard, vm_fd, vendor, &filter), VPMU_ERROR_LIMIT);
	filter.count = 1;
	CHECK_EQ(vpmu_kvm_event_filter_set(NULL, vm_fd, vendor, &filter), 0);
	/* An event of AMD's on a host of Intel: plain it is refused by us, masked by KVM too. */
	filter.entries[0] = 0x1000000c2;
	filter.flags = has_masked() ? VPMU_FILTER_MASKED : 0;
	if (vendor == VPMU_FILTER_INTEL && has_masked())
		CHECK_EQ(vpmu_kvm_event_filter_set(&heard, vm_fd, VPMU_FILTER_AMD, &filter),
			 VPMU_ERROR_INVALID);
	vm_close();
}

static void probe_answers(void)
{
	struct vpmu_kvm_vpmu of_system = { .size = sizeof(of_system) };
	struct vpmu_kvm_vpmu of_vm = { .size = sizeof(of_vm) };

	vm_open();
	CHECK_EQ(vpmu_kvm_vpmu_probe(NULL, kvm_fd, &of_system), 0);
	CHECK_EQ(vpmu_kvm_vpmu_probe(NULL, vm_fd, &of_vm), 0);
	CHECK_EQ(of_system.kind, of_vm.kind);
	CHECK_EQ(of_vm.can_filter, ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_PMU_EVENT_FILTER) > 0);
	CHECK_EQ(of_vm.can_disable,
		 ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_PMU_CAPABILITY) & KVM_PMU_CAP_DISABLE);
	/* KVM offers to switch off what is on, and only that. */
	if (of_vm.kind == VPMU_KVM_VPMU_DISABLED || of_vm.kind == VPMU_KVM_VPMU_HYBRID ||
	    of_vm.kind == VPMU_KVM_VPMU_NO_HARDWARE)
		CHECK_EQ(of_vm.can_disable, 0);
	(void)printf("%s\n", of_vm.sentence);
	(void)fflush(stdout);
	vm_close();
}

/* Before the first vCPU it is switched off, or was; after it KVM says that it is too late. */
static void off_before_the_first_vcpu(void)
{
	struct vpmu_kvm_vpmu vpmu = { .size = sizeof(vpmu) };
	int vcpu_fd;

	vm_open();
	CHECK_EQ(vpmu_kvm_vpmu_probe(&heard, vm_fd, &vpmu), 0);
	if (!vpmu.can_disable && vpmu.kind >= VPMU_KVM_VPMU_EMULATED)
		test_skip("this KVM has a vPMU and no switch for it");
	CHECK_EQ(vpmu_kvm_vpmu_off(&heard, vm_fd), vpmu.can_disable ? 0 : VPMU_KVM_VPMU_WAS_OFF);
	CHECK_EQ(said[0] != '\0', !vpmu.can_disable);
	vcpu_fd = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
	CHECK(vcpu_fd >= 0);
	CHECK_EQ(vpmu_kvm_vpmu_off(&heard, vm_fd),
		 vpmu.can_disable ? VPMU_ERROR_STATE : VPMU_KVM_VPMU_WAS_OFF);
	CHECK_EQ(close(vcpu_fd), 0);
	vm_close();
}

/* The entries of KVM_GET_SUPPORTED_CPUID with the PMU hidden are taken by a vCPU. */
static void hidden_cpuid_is_taken(void)
{
	/* Laid out as struct kvm_cpuid2. */
	static struct {
		uint32_t count;
		uint32_t padding;
		struct vpmu_kvm_cpuid_entry entries[256];
	} cpuid;
	int vcpu_fd;

	vm_open();
	cpuid.count = 256;
	CHECK_EQ(ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &cpuid), 0);
	CHECK(vpmu_kvm_vpmu_hide(cpuid.entries, cpuid.count) >= 0);
	CHECK_EQ(vpmu_kvm_vpmu_hide(cpuid.entries, cpuid.count), 0);
	vcpu_fd = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
	CHECK(vcpu_fd >= 0);
	CHECK_EQ(ioctl(vcpu_fd, KVM_SET_CPUID2, &cpuid), 0);
	CHECK_EQ(close(vcpu_fd), 0);
	vm_close();
}

const struct test_case test_cases[] = {
	{ "filter", "built filters are taken", built_filters_are_taken },
	{ "filter", "KVM agrees with the model", kvm_agrees_with_the_model },
	{ "filter", "random filters, KVM and the model", random_filters },
	{ "filter", "bad filters are refused", bad_filters_are_refused },
	{ "vpmu", "the probe answers", probe_answers },
	{ "vpmu", "off before the first vCPU", off_before_the_first_vcpu },
	{ "vpmu", "CPUID without a PMU is taken", hidden_cpuid_is_taken },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
