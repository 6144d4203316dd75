/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The filter of the events that guests may count with KVM's own vPMU. */

#include <errno.h>
#include <stdio.h>

#include <vpmu/kvm.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/uapi.h"

static int extension_need(const struct vpmu_kvm_system *system, int32_t vm_fd, uint32_t number,
			  const char *missing)
{
	int64_t result = kvm_call(system, vm_fd, KVM_UAPI_CHECK_EXTENSION, number);

	if (result < 0)
		return kvm_failed(system, result, "KVM_CHECK_EXTENSION",
				  "is the descriptor that of a VM?");
	if (result)
		return 0;
	kvm_say(system, VPMU_LOG_ERROR, missing);
	return VPMU_ERROR_UNSUPPORTED;
}

static int extensions_need(const struct vpmu_kvm_system *system, int32_t vm_fd, uint32_t flags)
{
	int error = extension_need(
		system, vm_fd, KVM_UAPI_CAP_PMU_EVENT_FILTER,
		"kvm: this kernel has no filter of events (Linux 5.3 has it on x86); switch its vPMU off");

	if (error || !(flags & VPMU_FILTER_MASKED))
		return error;
	return extension_need(
		system, vm_fd, KVM_UAPI_CAP_PMU_EVENT_MASKED_EVENTS,
		"kvm: this kernel knows no masked entries of event filters (Linux 6.3 does); build "
		"the filter without them");
}

static int filter_refuse(const struct vpmu_kvm_system *system,
			 const struct vpmu_filter_report *report, int error)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "kvm: the event filter is refused: %s (entry 0x%llx); build it with "
		       "vpmu_filter_build() for the vendor of this host",
		       report->reason, (unsigned long long)report->code);
	kvm_say(system, VPMU_LOG_ERROR, text);
	return error;
}

/* Refuses what KVM would, and what it would take without effect. */
static int filter_check(const struct vpmu_kvm_system *system, uint32_t vendor,
			const struct vpmu_filter *filter)
{
	struct vpmu_filter_report report = { .size = sizeof(report) };
	int error = vpmu_filter_check(filter, vendor, &report);

	if (error)
		return filter_refuse(system, &report, error);
	if (!report.dropped)
		return 0;
	report.reason =
		"KVM drops plain entries with bits besides event select and unit mask, and says nothing";
	return filter_refuse(system, &report, VPMU_ERROR_INVALID);
}

int vpmu_kvm_event_filter_set(const struct vpmu_kvm_system *system, int32_t vm_fd, uint32_t vendor,
			      const struct vpmu_filter *filter)
{
	struct vpmu_kvm_system use;
	int64_t result;
	int error = kvm_system_take(&use, system);

	if (error)
		return error;
	if (!filter)
		return VPMU_ERROR_INVALID;
	error = filter_check(&use, vendor, filter);
	if (!error)
		error = extensions_need(&use, vm_fd, filter->flags);
	if (error)
		return error;
	result = kvm_call(&use, vm_fd, KVM_UAPI_SET_PMU_EVENT_FILTER, (uint64_t)(uintptr_t)filter);
	if (result >= 0)
		return 0;
	error = kvm_failed(
		&use, result, "KVM_SET_PMU_EVENT_FILTER",
		"is the vendor that of this host, and has the kernel room for the entries?");
	if (result == -EINVAL || result == -EFAULT)
		return VPMU_ERROR_INVALID;
	return result == -E2BIG ? VPMU_ERROR_LIMIT : error;
}
