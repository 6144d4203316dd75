/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* KVM's own vPMU: what it is on this host, and switching it off for a VM. */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <vpmu/kvm.h>

#include "backends/kvm/internal.h"
#include "backends/kvm/uapi.h"

#define DEVICES "/sys/bus/event_source/devices/"

static int64_t file_read(const char *path, char *to, uint64_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	int64_t result;

	if (file < 0)
		return -(int64_t)errno;
	result = read(file, to, (size_t)size - 1);
	if (result < 0)
		result = -(int64_t)errno;
	else
		to[result] = '\0';
	(void)close(file);
	return result;
}

/* The first character of a file, or a negative errno value. */
static int64_t file_first(const struct vpmu_kvm_system *system, const char *path)
{
	char text[32] = "";
	int before = errno;
	int64_t result;

	if (system->file_text)
		result = system->file_text(system->opaque, path, text, sizeof(text));
	else
		result = file_read(path, text, sizeof(text));
	errno = before;
	return result < 0 ? result : text[0];
}

/* A parameter of a module: 1 or 0, or a negative errno value. */
static int64_t parameter_read(const struct vpmu_kvm_system *system, const char *path)
{
	int64_t first = file_first(system, path);

	return first < 0 ? first : first == 'Y' || first == '1';
}

static int device_exists(const struct vpmu_kvm_system *system, const char *path)
{
	return file_first(system, path) >= 0;
}

/* KVM writes N into its parameter where it offers no vPMU; the devices tell why. */
static uint32_t kind_of_none(const struct vpmu_kvm_system *system)
{
	if (device_exists(system, DEVICES "cpu_core/type") ||
	    device_exists(system, DEVICES "cpu_atom/type"))
		return VPMU_KVM_VPMU_HYBRID;
	if (file_first(system, DEVICES "cpu/type") == -ENOENT)
		return VPMU_KVM_VPMU_NO_HARDWARE;
	return VPMU_KVM_VPMU_DISABLED;
}

static uint32_t kind_find(const struct vpmu_kvm_system *system)
{
	static const char *const mediated[] = {
		"/sys/module/kvm_intel/parameters/enable_mediated_pmu",
		"/sys/module/kvm_amd/parameters/enable_mediated_pmu",
	};
	int64_t on = parameter_read(system, "/sys/module/kvm/parameters/enable_pmu");
	uint32_t kind = VPMU_KVM_VPMU_EMULATED;
	unsigned int i;

	if (on < 0)
		return VPMU_KVM_VPMU_UNKNOWN;
	if (!on)
		return kind_of_none(system);
	for (i = 0; i < sizeof(mediated) / sizeof(mediated[0]); i++) {
		on = parameter_read(system, mediated[i]);
		if (on > 0)
			return VPMU_KVM_VPMU_MEDIATED;
		/* Older kernels, and the module of the other vendor, have no such parameter. */
		if (on < 0 && on != -ENOENT)
			kind = VPMU_KVM_VPMU_UNKNOWN;
	}
	return kind;
}

static const char *const sentences[] = {
	[VPMU_KVM_VPMU_UNKNOWN] =
		"The parameters of the module kvm under /sys cannot be read or are older than Linux 5.17, so "
		"KVM's vPMU may be on: switch it off for the VM, or filter its events.",
	[VPMU_KVM_VPMU_DISABLED] =
		"KVM's vPMU is off for all VMs: the module kvm has enable_pmu=N, and guests find no PMU of the "
		"hardware.",
	[VPMU_KVM_VPMU_HYBRID] =
		"KVM's vPMU is off for all VMs because this host has several kinds of cores; no parameter "
		"changes that.",
	[VPMU_KVM_VPMU_NO_HARDWARE] =
		"KVM's vPMU is off for all VMs because the kernel of this host uses no hardware PMU.",
	[VPMU_KVM_VPMU_EMULATED] =
		"KVM's vPMU is on and counts with events of the host's perf; it does not tell guests when it "
		"loses a counter, so switch it off where guests are to trust what they read.",
	[VPMU_KVM_VPMU_MEDIATED] =
		"KVM's vPMU is on and mediated: while a VM has it, no event of the host can count a guest, and "
		"the other way round; switch it off for the VM (before its first vCPU), or load kvm_intel or "
		"kvm_amd with enable_mediated_pmu=N.",
};

/* The answer of KVM_CHECK_EXTENSION, or a VPMU_ERROR_*. */
static int64_t extension_check(const struct vpmu_kvm_system *system, int32_t fd, uint32_t number)
{
	int64_t result = kvm_call(system, fd, KVM_UAPI_CHECK_EXTENSION, number);

	if (result < 0)
		return kvm_failed(system, result, "KVM_CHECK_EXTENSION",
				  "is the descriptor that of /dev/kvm or of a VM?");
	return result;
}

int vpmu_kvm_vpmu_probe(const struct vpmu_kvm_system *system, int32_t fd,
			struct vpmu_kvm_vpmu *vpmu)
{
	static const uint32_t numbers[] = { KVM_UAPI_CAP_PMU_CAPABILITY,
					    KVM_UAPI_CAP_PMU_EVENT_FILTER,
					    KVM_UAPI_CAP_PMU_EVENT_MASKED_EVENTS };
	struct vpmu_kvm_system use;
	int64_t answers[3];
	unsigned int i;
	int error = kvm_system_take(&use, system);

	if (!error)
		error = vpmu_sized_check(vpmu, sizeof(*vpmu));
	if (error)
		return error;
	for (i = 0; i < 3; i++) {
		answers[i] = extension_check(&use, fd, numbers[i]);
		if (answers[i] < 0)
			return (int)answers[i];
	}
	vpmu->kind = kind_find(&use);
	vpmu->sentence = sentences[vpmu->kind];
	vpmu->can_disable = (answers[0] & KVM_UAPI_PMU_CAP_DISABLE) != 0;
	vpmu->can_filter = answers[1] > 0;
	vpmu->can_mask = answers[2] > 0;
	return 0;
}

/* KVM does not offer to switch it off. That is well only where it is off. */
static int off_without_capability(const struct vpmu_kvm_system *system)
{
	uint32_t kind = kind_find(system);

	if (kind == VPMU_KVM_VPMU_DISABLED || kind == VPMU_KVM_VPMU_HYBRID ||
	    kind == VPMU_KVM_VPMU_NO_HARDWARE) {
		kvm_say(system, VPMU_LOG_NOTE, sentences[kind]);
		return VPMU_KVM_VPMU_WAS_OFF;
	}
	kvm_say(system, VPMU_LOG_ERROR,
		"kvm: this kernel cannot switch its vPMU off for one VM (Linux 5.18 can) and does not say that "
		"it is off; hide it in CPUID, and load kvm with enable_pmu=N where no VM needs it");
	return VPMU_ERROR_UNSUPPORTED;
}

int vpmu_kvm_vpmu_off(const struct vpmu_kvm_system *system, int32_t vm_fd)
{
	struct kvm_uapi_enable_cap cap = { .cap = KVM_UAPI_CAP_PMU_CAPABILITY,
					   .args = { KVM_UAPI_PMU_CAP_DISABLE } };
	struct vpmu_kvm_system use;
	int64_t result;
	int error = kvm_system_take(&use, system);

	if (error)
		return error;
	result = extension_check(&use, vm_fd, KVM_UAPI_CAP_PMU_CAPABILITY);
	if (result < 0)
		return (int)result;
	if (!(result & KVM_UAPI_PMU_CAP_DISABLE))
		return off_without_capability(&use);
	result = kvm_call(&use, vm_fd, KVM_UAPI_ENABLE_CAP, (uint64_t)(uintptr_t)&cap);
	if (result >= 0)
		return 0;
	error = kvm_failed(&use, result, "KVM_ENABLE_CAP of KVM_CAP_PMU_CAPABILITY",
			   "switch the vPMU off before the VM's first vCPU is created");
	/* The capability is there, so the value is not what is wrong. */
	return result == -EINVAL ? VPMU_ERROR_STATE : error;
}
