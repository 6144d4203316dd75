/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* KVM's own vPMU: what is found of it, switching it off, event filters, and each call failing. */

#include <errno.h>
#include <string.h>

#include <vpmu/kvm.h>

#include "backends/kvm/uapi.h"
#include "runner/runner.h"

#define FD 7

/* A kernel of three extensions, some files, and a call that fails. */
static struct {
	int64_t extensions[3]; /* capability, filter, masked */
	const char *files[6];  /* of paths[], NULL: not there */
	int64_t files_fail;    /* errno value for files that are not there */
	unsigned int failing;  /* number of the call */
	int64_t failure;
	unsigned int calls;
	unsigned int said[3];
	char text[512];
	struct kvm_uapi_enable_cap cap;
	struct vpmu_filter filter;
	int filters;
} host;

enum {
	ENABLE_PMU,
	MEDIATED_INTEL,
	MEDIATED_AMD,
	CPU,
	CPU_CORE,
	CPU_ATOM,
	FILES,
};

static const char *const paths[FILES] = {
	"/sys/module/kvm/parameters/enable_pmu",
	"/sys/module/kvm_intel/parameters/enable_mediated_pmu",
	"/sys/module/kvm_amd/parameters/enable_mediated_pmu",
	"/sys/bus/event_source/devices/cpu/type",
	"/sys/bus/event_source/devices/cpu_core/type",
	"/sys/bus/event_source/devices/cpu_atom/type",
};

static int64_t extension(uint64_t number)
{
	static const uint64_t numbers[] = { 212, 173, 226 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (numbers[i] == number)
			return host.extensions[i];
	}
	return -EINVAL;
}

static int64_t control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	const void *memory = (const void *)(uintptr_t)argument;

	CHECK(opaque == &host && fd == FD);
	if (++host.calls == host.failing)
		return host.failure;
	if (request == KVM_UAPI_CHECK_EXTENSION)
		return extension(argument);
	if (request == KVM_UAPI_ENABLE_CAP) {
		memcpy(&host.cap, memory, sizeof(host.cap));
		return 0;
	}
	CHECK_EQ(request, KVM_UAPI_SET_PMU_EVENT_FILTER);
	memcpy(&host.filter, memory, sizeof(host.filter));
	host.filters++;
	return 0;
}

static int64_t file_text(void *opaque, const char *path, char *to, uint64_t size)
{
	unsigned int i;

	CHECK(opaque == &host && size >= 2);
	for (i = 0; i < FILES; i++) {
		if (strcmp(paths[i], path) != 0)
			continue;
		errno = ENOENT;
		if (!host.files[i])
			return host.files_fail;
		memcpy(to, host.files[i], strlen(host.files[i]) + 1);
		return (int64_t)strlen(host.files[i]);
	}
	test_fail(__FILE__, __LINE__, path, 0, 1);
}

static void listen(void *opaque, uint32_t level, const char *text)
{
	CHECK(opaque == &host && level <= VPMU_LOG_NOTE && strlen(text) > 20);
	CHECK(strlen(text) < sizeof(host.text));
	memcpy(host.text, text, strlen(text) + 1);
	host.said[level]++;
}

static const struct vpmu_kvm_system kernel = { sizeof(kernel), control, listen, &host, file_text };

/* A host that has all of it, the vPMU emulated. */
static void host_reset(void)
{
	memset(&host, 0, sizeof(host));
	host.extensions[0] = KVM_UAPI_PMU_CAP_DISABLE;
	host.extensions[1] = 1;
	host.extensions[2] = 1;
	host.files_fail = -ENOENT;
	host.files[ENABLE_PMU] = "Y\n";
	host.files[CPU] = "4\n";
}

static const struct {
	const char *files[FILES];
	int64_t files_fail;
	uint32_t kind;
} hosts[] = {
	{ { "Y\n", NULL, NULL, "4\n", NULL, NULL }, -ENOENT, VPMU_KVM_VPMU_EMULATED },
	{ { "Y\n", "N\n", NULL, "4\n", NULL, NULL }, -ENOENT, VPMU_KVM_VPMU_EMULATED },
	{ { "Y\n", NULL, "N\n", "4\n", NULL, NULL }, -ENOENT, VPMU_KVM_VPMU_EMULATED },
	{ { "Y\n", "Y\n", NULL, "4\n", NULL, NULL }, -ENOENT, VPMU_KVM_VPMU_MEDIATED },
	{ { "1\n", NULL, "1\n", "4\n", NULL, NULL }, -ENOENT, VPMU_KVM_VPMU_MEDIATED },
	{ { "Y\n", NULL, "Y\n", NULL, NULL, NULL }, -EACCES, VPMU_KVM_VPMU_MEDIATED },
	{ { "Y\n", "N\n", NULL, "4\n", NULL, NULL }, -EACCES, VPMU_KVM_VPMU_UNKNOWN },
	{ { NULL, NULL, NULL, NULL, NULL, NULL }, -ENOENT, VPMU_KVM_VPMU_UNKNOWN },
	{ { NULL, "Y\n", NULL, "4\n", NULL, NULL }, -EACCES, VPMU_KVM_VPMU_UNKNOWN },
	{ { "N\n", NULL, NULL, "4\n", NULL, NULL }, -ENOENT, VPMU_KVM_VPMU_DISABLED },
	{ { "N\n", NULL, NULL, NULL, NULL, NULL }, -EACCES, VPMU_KVM_VPMU_DISABLED },
	{ { "0\n", "Y\n", NULL, "4\n", NULL, NULL }, -ENOENT, VPMU_KVM_VPMU_DISABLED },
	{ { "", NULL, NULL, "4\n", NULL, NULL }, -ENOENT, VPMU_KVM_VPMU_DISABLED },
	{ { "N\n", NULL, NULL, NULL, "4\n", "10\n" }, -ENOENT, VPMU_KVM_VPMU_HYBRID },
	{ { "N\n", NULL, NULL, NULL, NULL, "10\n" }, -ENOENT, VPMU_KVM_VPMU_HYBRID },
	{ { "N\n", NULL, NULL, NULL, NULL, NULL }, -ENOENT, VPMU_KVM_VPMU_NO_HARDWARE },
};

static void host_take(unsigned int row)
{
	host_reset();
	memcpy(host.files, hosts[row].files, sizeof(host.files));
	host.files_fail = hosts[row].files_fail;
}

static void kinds_are_told_apart(void)
{
	const char *sentences[VPMU_KVM_VPMU_MEDIATED + 1] = { NULL };
	unsigned int i;
	unsigned int j;

	for (i = 0; i < TEST_COUNT(hosts); i++) {
		struct vpmu_kvm_vpmu vpmu = { .size = sizeof(vpmu) };

		host_take(i);
		errno = ERANGE;
		CHECK_EQ(vpmu_kvm_vpmu_probe(&kernel, FD, &vpmu), 0);
		CHECK_EQ(errno, ERANGE);
		CHECK_EQ(vpmu.kind, hosts[i].kind);
		CHECK_EQ(vpmu.can_disable, 1);
		CHECK_EQ(vpmu.can_filter, 1);
		CHECK_EQ(vpmu.can_mask, 1);
		sentences[vpmu.kind] = vpmu.sentence;
	}
	for (i = 0; i < TEST_COUNT(sentences); i++) {
		CHECK(sentences[i] && strlen(sentences[i]) > 40);
		for (j = 0; j < i; j++)
			CHECK(strcmp(sentences[i], sentences[j]) != 0);
	}
}

static void extensions_are_told(void)
{
	struct vpmu_kvm_vpmu vpmu = { .size = sizeof(vpmu) };

	host_reset();
	host.extensions[0] = 2;
	host.extensions[2] = 0;
	CHECK_EQ(vpmu_kvm_vpmu_probe(&kernel, FD, &vpmu), 0);
	CHECK_EQ(vpmu.can_disable, 0);
	CHECK_EQ(vpmu.can_filter, 1);
	CHECK_EQ(vpmu.can_mask, 0);
	host.extensions[1] = 0;
	CHECK_EQ(vpmu_kvm_vpmu_probe(&kernel, FD, &vpmu), 0);
	CHECK_EQ(vpmu.can_filter, 0);
}

static const struct {
	int64_t failure;
	int error;
} failures[] = {
	{ -EPERM, VPMU_ERROR_DENIED },	   { -ENOTTY, VPMU_ERROR_UNSUPPORTED },
	{ -ENOMEM, VPMU_ERROR_NO_MEMORY }, { -EBADF, VPMU_ERROR_INVALID },
	{ -EIO, VPMU_ERROR_SYSTEM },
};

static void probe_failures(void)
{
	unsigned int call;
	unsigned int i;

	for (i = 0; i < TEST_COUNT(failures); i++) {
		for (call = 1; call <= 3; call++) {
			struct vpmu_kvm_vpmu vpmu = { .size = sizeof(vpmu), .kind = 77 };

			host_reset();
			host.failing = call;
			host.failure = failures[i].failure;
			CHECK_EQ(vpmu_kvm_vpmu_probe(&kernel, FD, &vpmu), failures[i].error);
			CHECK_EQ(host.calls, call);
			CHECK_EQ(host.said[VPMU_LOG_ERROR], 1);
			CHECK_EQ(vpmu.kind, 77);
		}
	}
}

static void structs_are_checked(void)
{
	struct vpmu_kvm_system system = kernel;
	struct vpmu_kvm_vpmu vpmu = { .size = sizeof(vpmu) - 1 };
	struct vpmu_filter filter = { .action = VPMU_FILTER_ALLOW };

	host_reset();
	CHECK_EQ(vpmu_kvm_vpmu_probe(&kernel, FD, &vpmu), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_vpmu_probe(&kernel, FD, NULL), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_INTEL, NULL),
		 VPMU_ERROR_INVALID);
	vpmu.size = sizeof(vpmu);
	system.size--;
	CHECK_EQ(vpmu_kvm_vpmu_probe(&system, FD, &vpmu), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_vpmu_off(&system, FD), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_event_filter_set(&system, FD, VPMU_FILTER_INTEL, &filter),
		 VPMU_ERROR_INVALID);
	CHECK_EQ(host.calls, 0);
}

static void off_is_switched(void)
{
	host_reset();
	CHECK_EQ(vpmu_kvm_vpmu_off(&kernel, FD), 0);
	CHECK_EQ(host.calls, 2);
	CHECK_EQ(host.cap.cap, 212);
	CHECK_EQ(host.cap.flags, 0);
	CHECK_EQ(host.cap.args[0], 1);
	CHECK_EQ(host.said[VPMU_LOG_ERROR], 0);
}

/* Without the capability it is off already, or may be on; never is one taken for the other. */
static void off_without_capability(void)
{
	unsigned int i;

	for (i = 0; i < TEST_COUNT(hosts); i++) {
		uint32_t kind = hosts[i].kind;
		int was_off = kind == VPMU_KVM_VPMU_DISABLED || kind == VPMU_KVM_VPMU_HYBRID ||
			      kind == VPMU_KVM_VPMU_NO_HARDWARE;

		host_take(i);
		host.extensions[0] = i % 2 ? 0 : 2;
		CHECK_EQ(vpmu_kvm_vpmu_off(&kernel, FD),
			 was_off ? VPMU_KVM_VPMU_WAS_OFF : VPMU_ERROR_UNSUPPORTED);
		CHECK_EQ(host.calls, 1);
		CHECK_EQ(host.said[VPMU_LOG_NOTE], was_off);
		CHECK_EQ(host.said[VPMU_LOG_ERROR], !was_off);
	}
}

static void off_failures(void)
{
	unsigned int call;
	unsigned int i;

	for (i = 0; i < TEST_COUNT(failures); i++) {
		for (call = 1; call <= 2; call++) {
			host_reset();
			host.failing = call;
			host.failure = failures[i].failure;
			CHECK_EQ(vpmu_kvm_vpmu_off(&kernel, FD), failures[i].error);
			CHECK_EQ(host.calls, call);
			CHECK_EQ(host.said[VPMU_LOG_ERROR], 1);
		}
	}
}

static void off_comes_too_late(void)
{
	host_reset();
	host.failing = 2;
	host.failure = -EINVAL;
	CHECK_EQ(vpmu_kvm_vpmu_off(&kernel, FD), VPMU_ERROR_STATE);
	CHECK_EQ(host.said[VPMU_LOG_ERROR], 1);
	CHECK(strstr(host.text, "first vCPU") != NULL);
}

static struct vpmu_filter some_filter(uint32_t flags)
{
	struct vpmu_filter made = { .count = 1, .flags = flags, .entries = { 0xc0 } };

	return made;
}

static void filter_is_given(void)
{
	struct vpmu_filter filter = some_filter(0);

	host_reset();
	host.extensions[2] = 0;
	CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_INTEL, &filter), 0);
	CHECK_EQ(host.calls, 2);
	CHECK_EQ(host.filters, 1);
	CHECK_MEM(&host.filter, &filter, sizeof(filter));
	filter.flags = VPMU_FILTER_MASKED;
	CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_INTEL, &filter),
		 VPMU_ERROR_UNSUPPORTED);
	CHECK(strstr(host.text, "masked") != NULL);
	host.extensions[2] = 1;
	CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_INTEL, &filter), 0);
	CHECK_EQ(host.filters, 2);
	host.extensions[1] = 0;
	CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_INTEL, &filter),
		 VPMU_ERROR_UNSUPPORTED);
	CHECK_EQ(host.filters, 2);
	CHECK_EQ(host.said[VPMU_LOG_ERROR], 2);
}

static void filter_failures(void)
{
	static const struct {
		int64_t failure;
		int error;
	} more[] = {
		{ -EINVAL, VPMU_ERROR_INVALID },
		{ -EFAULT, VPMU_ERROR_INVALID },
		{ -E2BIG, VPMU_ERROR_LIMIT },
		{ -ENOMEM, VPMU_ERROR_NO_MEMORY },
	};
	struct vpmu_filter filter = some_filter(VPMU_FILTER_MASKED);
	unsigned int call;
	unsigned int i;

	for (i = 0; i < TEST_COUNT(failures); i++) {
		for (call = 1; call <= 3; call++) {
			host_reset();
			host.failing = call;
			host.failure = failures[i].failure;
			CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_AMD, &filter),
				 failures[i].error);
			CHECK_EQ(host.calls, call);
			CHECK_EQ(host.filters, 0);
			CHECK_EQ(host.said[VPMU_LOG_ERROR], 1);
		}
	}
	for (i = 0; i < TEST_COUNT(more); i++) {
		host_reset();
		host.failing = 3;
		host.failure = more[i].failure;
		CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_AMD, &filter),
			 more[i].error);
		CHECK_EQ(host.said[VPMU_LOG_ERROR], 1);
	}
}

/* What KVM would refuse, and what it would take and drop: no call is made. */
static void filter_is_checked_first(void)
{
	struct vpmu_filter filter = some_filter(0);

	host_reset();
	filter.entries[0] = 0x1000000c2;
	CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_INTEL, &filter),
		 VPMU_ERROR_INVALID);
	CHECK(strstr(host.text, "0x1000000c2") != NULL);
	CHECK_EQ(host.calls, 0);
	CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_AMD, &filter), 0);
	host.calls = 0;
	filter.flags = VPMU_FILTER_MASKED;
	CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_INTEL, &filter),
		 VPMU_ERROR_INVALID);
	filter.count = 301;
	CHECK_EQ(vpmu_kvm_event_filter_set(&kernel, FD, VPMU_FILTER_INTEL, &filter),
		 VPMU_ERROR_LIMIT);
	CHECK_EQ(host.calls, 0);
	CHECK_EQ(host.said[VPMU_LOG_ERROR], 3);
}

/* Without a table the operating system is asked: a descriptor that is none, and errno as before. */
static void own_calls_keep_errno(void)
{
	struct vpmu_kvm_vpmu vpmu = { .size = sizeof(vpmu) };

	errno = ERANGE;
	CHECK_EQ(vpmu_kvm_vpmu_probe(NULL, -1, &vpmu), VPMU_ERROR_INVALID);
	CHECK_EQ(vpmu_kvm_vpmu_off(NULL, -1), VPMU_ERROR_INVALID);
	CHECK_EQ(errno, ERANGE);
}

/* A table without file_text reads the files of this machine; whatever they say, it is one of the
 * kinds. */
static void own_files_are_read(void)
{
	struct vpmu_kvm_vpmu vpmu = { .size = sizeof(vpmu) };
	struct vpmu_kvm_system system = kernel;

	host_reset();
	system.file_text = NULL;
	errno = ERANGE;
	CHECK_EQ(vpmu_kvm_vpmu_probe(&system, FD, &vpmu), 0);
	CHECK_EQ(errno, ERANGE);
	CHECK(vpmu.kind <= VPMU_KVM_VPMU_MEDIATED);
}

const struct test_case test_cases[] = {
	{ "vpmu", "kinds are told apart", kinds_are_told_apart },
	{ "vpmu", "extensions are told", extensions_are_told },
	{ "vpmu", "each call of the probe fails", probe_failures },
	{ "vpmu", "structs are checked", structs_are_checked },
	{ "vpmu", "it is switched off", off_is_switched },
	{ "vpmu", "off without the capability", off_without_capability },
	{ "vpmu", "each call of off fails", off_failures },
	{ "vpmu", "off comes too late", off_comes_too_late },
	{ "filter", "a filter is given to KVM", filter_is_given },
	{ "filter", "each call fails", filter_failures },
	{ "filter", "a filter is checked first", filter_is_checked_first },
	{ "system", "errno is kept", own_calls_keep_errno },
	{ "system", "the files of this machine", own_files_are_read },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
