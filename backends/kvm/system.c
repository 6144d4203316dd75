/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The calls of KVM, their errors, and the checks of what a VMM hands over. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <vpmu/kvm.h>

#include "internal.h"

static int64_t system_control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	int before = errno;
	int64_t result;

	(void)opaque;
	result = ioctl(fd, (unsigned long)request, (unsigned long)argument);
	if (result < 0)
		result = -(int64_t)errno;
	errno = before;
	return result;
}

int kvm_system_take(struct vpmu_kvm_system *system, const struct vpmu_kvm_system *given)
{
	static const struct vpmu_kvm_system own = { .size = sizeof(own),
						    .control = system_control };
	int error;

	*system = own;
	if (!given)
		return 0;
	error = vpmu_sized_check(given, sizeof(*given));
	if (error)
		return error;
	if (!given->control)
		return VPMU_ERROR_INVALID;
	*system = *given;
	return 0;
}

int64_t kvm_call(const struct vpmu_kvm_system *system, int32_t fd, uint32_t request,
		 uint64_t argument)
{
	return system->control(system->opaque, fd, request, argument);
}

static int error_of(int64_t result)
{
	static const struct {
		int number;
		int error;
	} known[] = {
		{ EPERM, VPMU_ERROR_DENIED },	    { EACCES, VPMU_ERROR_DENIED },
		{ EBADF, VPMU_ERROR_INVALID },	    { ENOTTY, VPMU_ERROR_UNSUPPORTED },
		{ EINVAL, VPMU_ERROR_UNSUPPORTED }, { EOPNOTSUPP, VPMU_ERROR_UNSUPPORTED },
		{ ENXIO, VPMU_ERROR_UNSUPPORTED },  { ENOMEM, VPMU_ERROR_NO_MEMORY },
	};
	unsigned int i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (result == -(int64_t)known[i].number)
			return known[i].error;
	}
	return VPMU_ERROR_SYSTEM;
}

void kvm_say(const struct vpmu_kvm_system *system, uint32_t level, const char *text)
{
	if (system->log)
		system->log(system->opaque, level, text);
}

int kvm_failed(const struct vpmu_kvm_system *system, int64_t result, const char *call,
	       const char *remedy)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "kvm: %s failed with errno %d; %s", call, (int)-result,
		       remedy);
	kvm_say(system, VPMU_LOG_ERROR, text);
	return error_of(result);
}
