/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the KVM of this host makes of a filter: it is given to a VM without vCPUs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <vpmu/kvm.h>

#include "filter.h"
#include "tool.h"

#define CREATE_VM _IO(0xAE, 0x01)

static char answer[640];

static int64_t control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	int result = ioctl(fd, (unsigned long)request, (unsigned long)argument);

	(void)opaque;
	return result < 0 ? -(int64_t)errno : result;
}

/* The library says in words what failed. */
static void listen(void *opaque, uint32_t level, const char *text)
{
	(void)opaque;
	(void)level;
	snprintf(answer, sizeof(answer), "%s", text);
}

static int is_off(const struct vpmu_kvm_vpmu *vpmu)
{
	return vpmu->kind == VPMU_KVM_VPMU_DISABLED || vpmu->kind == VPMU_KVM_VPMU_HYBRID ||
	       vpmu->kind == VPMU_KVM_VPMU_NO_HARDWARE;
}

static void ask(struct filter_job *job, int vm)
{
	const struct vpmu_kvm_system system = { .size = sizeof(system),
						.control = control,
						.log = listen };
	struct vpmu_kvm_vpmu vpmu = { .size = sizeof(vpmu) };
	int error = vpmu_kvm_event_filter_set(&system, vm, job->vendor, &job->filter);

	job->taken = error == 0;
	if (error) {
		if (!answer[0])
			snprintf(answer, sizeof(answer), "%s", vpmu_error_text(error));
		return;
	}
	if (vpmu_kvm_vpmu_probe(&system, vm, &vpmu) == 0)
		snprintf(answer, sizeof(answer), "%s%s",
			 is_off(&vpmu) ? "It has no effect on this host: " : "", vpmu.sentence);
}

void filter_ask_kvm(struct filter_job *job)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : ioctl(kvm, CREATE_VM, 0);

	answer[0] = '\0';
	job->answer = answer;
	if (vm < 0)
		snprintf(answer, sizeof(answer), "It could not be asked: %s: %s.",
			 kvm < 0 ? "/dev/kvm" : "KVM_CREATE_VM", strerror(errno));
	else
		ask(job, vm);
	if (vm >= 0)
		close(vm);
	if (kvm >= 0)
		close(kvm);
}
