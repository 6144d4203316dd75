/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The calls that are made of KVM, and each of them failing. */

#include <errno.h>
#include <string.h>

#include <vpmu/kvm.h>

#include "backends/kvm/uapi.h"
#include "runner/runner.h"

struct call {
	int32_t fd;
	uint64_t request;
	uint64_t argument;
};

/* KVM as a script: call number `failing` answers `failure`. */
static struct {
	struct call calls[8];
	unsigned int count;
	unsigned int failing;
	int64_t failure;
	int64_t answer;
	unsigned int said;
	uint64_t reasons;
	struct kvm_uapi_filter filter;
	struct kvm_uapi_msi msi;
	uint8_t immediate_exit;
	const uint8_t *run;
} kvm;

static int64_t control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	const void *memory = (const void *)(uintptr_t)argument;

	CHECK(opaque == &kvm);
	kvm.calls[kvm.count++] = (struct call){ fd, request, argument };
	if (request == KVM_UAPI_ENABLE_CAP)
		memcpy(&kvm.reasons, (const uint8_t *)memory + 8, sizeof(kvm.reasons));
	if (request == KVM_UAPI_X86_SET_MSR_FILTER)
		memcpy(&kvm.filter, memory, sizeof(kvm.filter));
	if (request == KVM_UAPI_SIGNAL_MSI)
		memcpy(&kvm.msi, memory, sizeof(kvm.msi));
	if (request == KVM_UAPI_RUN)
		kvm.immediate_exit = kvm.run[KVM_UAPI_RUN_IMMEDIATE_EXIT];
	return kvm.count == kvm.failing ? kvm.failure : kvm.answer;
}

static void listen(void *opaque, uint32_t level, const char *text)
{
	CHECK(opaque == &kvm && level <= VPMU_LOG_NOTE && strlen(text) > 20);
	kvm.said++;
}

static struct vpmu_kvm_system script(unsigned int failing, int64_t failure, int64_t answer)
{
	struct vpmu_kvm_system made = { sizeof(made), control, listen, &kvm, NULL };

	memset(&kvm, 0, sizeof(kvm));
	kvm.failing = failing;
	kvm.failure = failure;
	kvm.answer = answer;
	return made;
}

static const struct vpmu_kvm_target target = { sizeof(target), 7, 8, 3, 0 };
static const struct vpmu_kvm_device device = { sizeof(device), 0, VPMU_MSR_BASE, 16, 1, 0 };

static void filter_calls_in_order(void)
{
	struct vpmu_kvm_system system = script(0, 0, 1);

	CHECK_EQ(vpmu_kvm_filter_set(&system, 7, 1, NULL, &device), 0);
	CHECK_EQ(kvm.count, 4);
	CHECK_EQ(kvm.calls[0].request, KVM_UAPI_CHECK_EXTENSION);
	CHECK_EQ(kvm.calls[0].argument, KVM_UAPI_CAP_X86_USER_SPACE_MSR);
	CHECK_EQ(kvm.calls[1].argument, KVM_UAPI_CAP_X86_MSR_FILTER);
	CHECK_EQ(kvm.calls[2].request, KVM_UAPI_ENABLE_CAP);
	CHECK_EQ(kvm.reasons, 1 | KVM_UAPI_MSR_EXIT_REASON_FILTER);
	CHECK_EQ(kvm.calls[3].request, KVM_UAPI_X86_SET_MSR_FILTER);
	CHECK_EQ(kvm.calls[3].fd, 7);
	CHECK_EQ(kvm.filter.ranges[0].base, VPMU_MSR_BASE);
	CHECK_EQ(kvm.filter.ranges[0].nmsrs, 544);
	CHECK_EQ(kvm.filter.ranges[0].flags, 3);
	CHECK_EQ(kvm.said, 0);
}

static void filter_failures(void)
{
	static const struct {
		int64_t failure;
		int error;
	} failures[] = {
		{ -EPERM, VPMU_ERROR_DENIED },	     { -EINVAL, VPMU_ERROR_UNSUPPORTED },
		{ -ENOTTY, VPMU_ERROR_UNSUPPORTED }, { -ENOMEM, VPMU_ERROR_NO_MEMORY },
		{ -EBADF, VPMU_ERROR_INVALID },	     { -EIO, VPMU_ERROR_SYSTEM },
	};
	unsigned int call;
	unsigned int i;

	for (i = 0; i < TEST_COUNT(failures); i++) {
		for (call = 1; call <= 4; call++) {
			struct vpmu_kvm_system system = script(call, failures[i].failure, 1);

			CHECK_EQ(vpmu_kvm_filter_set(&system, 7, 0, NULL, &device),
				 failures[i].error);
			CHECK_EQ(kvm.count, call);
			CHECK_EQ(kvm.said, 1);
		}
	}
}

/* A kernel without one of the two is told apart from a failing one. */
static void filter_unsupported(void)
{
	unsigned int call;

	for (call = 1; call <= 2; call++) {
		struct vpmu_kvm_system system = script(call, 0, 1);

		CHECK_EQ(vpmu_kvm_filter_set(&system, 7, 0, NULL, &device), VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(kvm.count, call);
		CHECK_EQ(kvm.said, 1);
	}
}

static void filter_refuses_before_any_call(void)
{
	struct vpmu_kvm_system system = script(0, 0, 1);
	struct vpmu_kvm_device wrong = device;

	wrong.msr_base = 0;
	CHECK_EQ(vpmu_kvm_filter_set(&system, 7, 0, NULL, &wrong), VPMU_ERROR_INVALID);
	CHECK_EQ(kvm.count, 0);
	CHECK_EQ(kvm.said, 1);
}

static void filter_overlap_is_told(void)
{
	struct vpmu_kvm_system system = script(0, 0, 1);
	uint8_t bitmap[8] = { 0xff };
	struct vpmu_kvm_filter theirs = { .ranges = { { .flags = 3,
							.count = 2,
							.base = VPMU_MSR_BASE + 543,
							.bitmap = bitmap } } };

	CHECK_EQ(vpmu_kvm_filter_set(&system, 7, 0, &theirs, &device), 1);
	CHECK_EQ(kvm.said, 1);
	CHECK_EQ(kvm.filter.ranges[1].base, VPMU_MSR_BASE + 543);
	CHECK_EQ(kvm.filter.ranges[1].bitmap == bitmap, 1);
}

/* What cannot be merged is told in words, and no call is made. */
static void filter_without_room_is_told(void)
{
	struct vpmu_kvm_system system = script(0, 0, 1);
	struct {
		struct vpmu_kvm_device device;
		uint64_t tail;
	} newer = { device, 1 };
	uint8_t bitmap[8] = { 0 };
	struct vpmu_kvm_filter full = { .flags = 0 };
	unsigned int i;

	for (i = 0; i < VPMU_KVM_FILTER_RANGES; i++) {
		full.ranges[i].flags = 3;
		full.ranges[i].count = 1;
		full.ranges[i].base = i;
		full.ranges[i].bitmap = bitmap;
	}
	CHECK_EQ(vpmu_kvm_filter_set(&system, 7, 0, &full, &device), VPMU_ERROR_LIMIT);
	CHECK_EQ(kvm.said, 1);
	newer.device.size = sizeof(newer);
	CHECK_EQ(vpmu_kvm_filter_set(&system, 7, 0, NULL, &newer.device), VPMU_ERROR_TOO_BIG);
	CHECK_EQ(kvm.said, 2);
	CHECK_EQ(kvm.count, 0);
}

/* A VMM that listens to nothing is told nothing. */
static void silence_is_kept(void)
{
	struct vpmu_kvm_system system = script(1, -EIO, 1);

	system.log = NULL;
	CHECK_EQ(vpmu_kvm_filter_set(&system, 7, 0, NULL, &device), VPMU_ERROR_SYSTEM);
	CHECK_EQ(kvm.said, 0);
}

static void system_is_checked(void)
{
	struct vpmu_kvm_system system = script(0, 0, 1);

	system.control = NULL;
	CHECK_EQ(vpmu_kvm_filter_set(&system, 7, 0, NULL, &device), VPMU_ERROR_INVALID);
	system = script(0, 0, 1);
	system.size = 8;
	CHECK_EQ(vpmu_kvm_filter_set(&system, 7, 0, NULL, &device), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_complete(&system, 7, &system), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_pmi(&system, &target, VPMU_PMI_NMI, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(kvm.count, 0);
}

/* Without a table the operating system's call is made, and errno stays as it was. */
static void own_call_keeps_errno(void)
{
	errno = ERANGE;
	CHECK_EQ(vpmu_kvm_filter_set(NULL, -1, 0, NULL, &device), VPMU_ERROR_INVALID);
	CHECK_EQ(errno, ERANGE);
}

static void nmi_is_injected(void)
{
	struct vpmu_kvm_system system = script(0, 0, 0);

	CHECK_EQ(vpmu_kvm_pmi(&system, &target, VPMU_PMI_NMI, 0), 0);
	CHECK_EQ(kvm.count, 1);
	CHECK_EQ(kvm.calls[0].fd, 8);
	CHECK_EQ(kvm.calls[0].request, KVM_UAPI_NMI);
	system = script(1, -EINVAL, 0);
	CHECK_EQ(vpmu_kvm_pmi(&system, &target, VPMU_PMI_NMI, 0), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(kvm.said, 1);
}

static void vector_is_a_fixed_message(void)
{
	struct vpmu_kvm_system system = script(0, 0, 1);

	CHECK_EQ(vpmu_kvm_pmi(&system, &target, VPMU_PMI_VECTOR, 255), 0);
	CHECK_EQ(kvm.calls[0].fd, 7);
	CHECK_EQ(kvm.calls[0].request, KVM_UAPI_SIGNAL_MSI);
	CHECK_EQ(kvm.msi.address_lo, 0xfee03000u);
	CHECK_EQ(kvm.msi.address_hi, 0);
	CHECK_EQ(kvm.msi.data, 255);
	CHECK_EQ(kvm.msi.flags, 0);
}

/* Not delivered is an error, so that the line stays to inject. */
static void vector_not_delivered(void)
{
	struct vpmu_kvm_system system = script(0, 0, 0);

	CHECK_EQ(vpmu_kvm_pmi(&system, &target, VPMU_PMI_VECTOR, 32), VPMU_ERROR_STATE);
	system = script(1, -EPERM, 1);
	CHECK_EQ(vpmu_kvm_pmi(&system, &target, VPMU_PMI_VECTOR, 32), VPMU_ERROR_STATE);
	CHECK_EQ(kvm.said, 0);
	system = script(1, -EINVAL, 1);
	CHECK_EQ(vpmu_kvm_pmi(&system, &target, VPMU_PMI_VECTOR, 32), VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(kvm.said, 1);
}

/* Other vectors are SMI, INIT and the like; other modes do not exist. */
static void vectors_are_checked(void)
{
	static const struct {
		uint32_t mode;
		uint32_t vector;
	} wrong[] = {
		{ VPMU_PMI_VECTOR, 31 },
		{ VPMU_PMI_VECTOR, 256 },
		{ VPMU_PMI_VECTOR, 0x200 },
		{ VPMU_PMI_VECTOR, 0x400 },
		{ VPMU_PMI_VECTOR, 0x500 },
		{ VPMU_PMI_VECTOR, UINT32_MAX },
		{ VPMU_PMI_NMI, 32 },
		{ VPMU_PMI_OFF, 0 },
		{ 3, 40 },
	};
	struct vpmu_kvm_system system = script(0, 0, 1);
	unsigned int i;

	for (i = 0; i < TEST_COUNT(wrong); i++)
		CHECK_EQ(vpmu_kvm_pmi(&system, &target, wrong[i].mode, wrong[i].vector),
			 VPMU_ERROR_INVALID);
	CHECK_EQ(kvm.count, 0);
}

/* Ids that KVM would cut to 8 bits, or read as everybody, are refused. */
static void apic_ids_are_checked(void)
{
	static const struct {
		uint32_t id;
		uint32_t flags;
		int result;
		uint32_t low;
		uint32_t high;
	} ids[] = {
		{ 0, 0, 0, 0xfee00000u, 0 },
		{ 254, 0, 0, 0xfeefe000u, 0 },
		{ 255, 0, VPMU_ERROR_INVALID, 0, 0 },
		{ 256, 0, VPMU_ERROR_INVALID, 0, 0 },
		{ 255, VPMU_KVM_APIC_ID_32, 0, 0xfeeff000u, 0 },
		{ 256, VPMU_KVM_APIC_ID_32, 0, 0xfee00000u, 0x100 },
		{ 0x12345, VPMU_KVM_APIC_ID_32, 0, 0xfee45000u, 0x12300 },
		{ UINT32_MAX, VPMU_KVM_APIC_ID_32, VPMU_ERROR_INVALID, 0, 0 },
		{ 1, 2, VPMU_ERROR_INVALID, 0, 0 },
	};
	unsigned int i;

	for (i = 0; i < TEST_COUNT(ids); i++) {
		struct vpmu_kvm_target other = { sizeof(other), 7, 8, ids[i].id, ids[i].flags };
		struct vpmu_kvm_system system = script(0, 0, 1);

		CHECK_EQ(vpmu_kvm_pmi(&system, &other, VPMU_PMI_VECTOR, 64), ids[i].result);
		CHECK_EQ(kvm.msi.address_lo, ids[i].low);
		CHECK_EQ(kvm.msi.address_hi, ids[i].high);
	}
}

static void target_is_checked(void)
{
	struct vpmu_kvm_system system = script(0, 0, 1);
	struct vpmu_kvm_target small = target;

	small.size--;
	CHECK_EQ(vpmu_kvm_pmi(&system, &small, VPMU_PMI_NMI, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_pmi(&system, NULL, VPMU_PMI_NMI, 0), VPMU_ERROR_INVALID);
	CHECK_EQ(kvm.count, 0);
}

static void completion(void)
{
	static const struct {
		int64_t answer;
		int result;
		unsigned int said;
	} rows[] = {
		{ -EINTR, 0, 0 },
		{ -EAGAIN, 0, 0 },
		{ 0, 1, 0 },
		{ -EIO, VPMU_ERROR_SYSTEM, 1 },
		{ -EBADF, VPMU_ERROR_INVALID, 1 },
	};
	uint8_t run[4096] = { 0 };
	unsigned int before;
	unsigned int i;

	for (i = 0; i < TEST_COUNT(rows); i++) {
		for (before = 0; before < 2; before++) {
			struct vpmu_kvm_system system = script(0, 0, rows[i].answer);

			kvm.run = run;
			run[KVM_UAPI_RUN_IMMEDIATE_EXIT] = (uint8_t)before;
			CHECK_EQ(vpmu_kvm_complete(&system, 8, run), rows[i].result);
			CHECK_EQ(kvm.calls[0].fd, 8);
			CHECK_EQ(kvm.calls[0].request, KVM_UAPI_RUN);
			CHECK_EQ(kvm.immediate_exit, 1);
			CHECK_EQ(run[KVM_UAPI_RUN_IMMEDIATE_EXIT], before);
			CHECK_EQ(kvm.said, rows[i].said);
		}
	}
	CHECK_EQ(vpmu_kvm_complete(NULL, 8, NULL), VPMU_ERROR_INVALID);
}

const struct test_case test_cases[] = {
	{ "filter", "calls in order", filter_calls_in_order },
	{ "filter", "each call fails", filter_failures },
	{ "filter", "a kernel without it", filter_unsupported },
	{ "filter", "refused before any call", filter_refuses_before_any_call },
	{ "filter", "an overlap is told", filter_overlap_is_told },
	{ "filter", "what cannot be merged is told", filter_without_room_is_told },
	{ "system", "silence is kept", silence_is_kept },
	{ "system", "the table is checked", system_is_checked },
	{ "system", "errno is kept", own_call_keeps_errno },
	{ "R-PMI-3", "NMI", nmi_is_injected },
	{ "R-PMI-3", "a vector is a fixed message", vector_is_a_fixed_message },
	{ "R-PMI-3", "what is not delivered is an error", vector_not_delivered },
	{ "R-PMI-8", "vectors are checked", vectors_are_checked },
	{ "pmi", "APIC ids are checked", apic_ids_are_checked },
	{ "pmi", "the target is checked", target_is_checked },
	{ "complete", "answers of KVM_RUN", completion },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
