/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Capabilities of this process, by libcap where it is there and by the system call otherwise. */
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef WITH_LIBCAP
#include <sys/capability.h>
#endif

#include "tool.h"

#ifdef WITH_LIBCAP
int capability_held(enum capability number)
{
	cap_t set = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	if (!set)
		return 0;
	if (cap_get_flag(set, (cap_value_t)number, CAP_EFFECTIVE, &value) != 0)
		value = CAP_CLEAR;
	cap_free(set);
	return value == CAP_SET;
}
#else
int capability_held(enum capability number)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) != 0)
		return 0;
	return data[number / 32].effective >> (number % 32) & 1;
}
#endif

/* In a user namespace of its own a process may hold what the kernel does not count for perf. */
void check_capabilities(struct finding *finding)
{
	if (capability_held(CAPABILITY_PERFMON))
		finding_add_word(finding, "cap_perfmon");
	if (capability_held(CAPABILITY_SYS_ADMIN))
		finding_add_word(finding, "cap_sys_admin");
	finding->kind = KIND_WORDS;
	finding->verdict = finding->value[0] ? VERDICT_OK : VERDICT_LIMITED;
	if (!finding->value[0])
		finding_set_remedy(
			finding, "To count guests whatever perf_event_paranoid says, give the VMM "
				 "CAP_PERFMON (CAP_SYS_ADMIN before Linux 5.8).");
}
