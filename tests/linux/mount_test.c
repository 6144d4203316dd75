/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The resctrl of this machine, where it has one. */
#include <stdio.h>
#include <unistd.h>

#include <vpmu/linux.h>

#include "runner/runner.h"

/* Hardware may have no number yet of a group that is new. */
static void may_read(int error)
{
	CHECK(error == 0 || error == VPMU_ERROR_TAKEN);
}

/* The real one, on a machine that has it. */
static void a_real_mount_measures(void)
{
	const struct vpmu_monitor_meter_ops *ops = vpmu_resctrl_ops();
	char name[] = "vpmu-test";
	struct vpmu_resctrl *resctrl;
	uint64_t value;
	void *group;

	if (vpmu_resctrl_create(NULL, NULL, &resctrl)) {
		(void)printf("not tried: this machine has no resctrl with monitoring\n");
		return;
	}
	CHECK_EQ(ops->open(resctrl, name, &group), 0);
	CHECK_EQ(ops->thread(resctrl, group, getpid()), 0);
	for (uint64_t i = 0; i < 3; i++)
		if (ops->probe(resctrl, i) == 0)
			may_read(ops->read(resctrl, group, VPMU_MONITOR_WHOLE_VM, i, &value));
	ops->close(resctrl, group);
	vpmu_resctrl_destroy(resctrl);
}

const struct test_case test_cases[] = {
	{ "linux-resctrl", "a real mount measures", a_real_mount_measures },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
