/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stddef.h>

#include <vpmu/error.h>

static const char *const texts[] = {
	[0] = "no error",
	[-VPMU_ERROR_INVALID] = "an argument is out of its range",
	[-VPMU_ERROR_TOO_BIG] = "a struct is newer than this library",
	[-VPMU_ERROR_NO_MEMORY] = "out of memory",
	[-VPMU_ERROR_DENIED] = "permission is missing",
	[-VPMU_ERROR_UNSUPPORTED] = "this host cannot do it",
	[-VPMU_ERROR_STARVED] = "others hold the counters",
	[-VPMU_ERROR_TAKEN] = "the host uses the PMU itself",
	[-VPMU_ERROR_LIMIT] = "a limit of the host is reached",
	[-VPMU_ERROR_GONE] = "the thread is gone",
	[-VPMU_ERROR_GROUP] = "the events do not make a group",
	[-VPMU_ERROR_STATE] = "not allowed in the present state",
	[-VPMU_ERROR_MEMORY] = "guest memory cannot be reached",
	[-VPMU_ERROR_EXISTS] = "it exists already",
	[-VPMU_ERROR_SYSTEM] = "the operating system failed",
	[-VPMU_ERROR_IMAGE] = "the image is refused",
	[-VPMU_ERROR_NEWER] = "the image needs a newer library",
};

const char *vpmu_error_text(int error)
{
	size_t number = 0u - (unsigned int)error;

	return number < sizeof(texts) / sizeof(texts[0]) ? texts[number] : "unknown error";
}
