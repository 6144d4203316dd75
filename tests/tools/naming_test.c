/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Names of VMs are the choice of whoever starts them; each has a monitoring group all the same. */
#include <stdio.h>
#include <string.h>

#include "examples/vpmu/watch.h"
#include "runner/runner.h"

static const char *group_of(const char *name)
{
	static struct target target;

	target = (struct target){ .pid = 42 };
	snprintf(target.name, sizeof(target.name), "%s", name);
	name_group(&target);
	return target.group;
}

static void each_name_has_a_group(void)
{
	char longest[NAME_ROOM];

	memset(longest, 'x', sizeof(longest));
	longest[NAME_ROOM - 1] = '\0';
	CHECK_STR(group_of("web-1_a.b"), "web-1_a.b");
	CHECK_STR(group_of(longest), longest);
	CHECK_STR(group_of("web 1,a/b"), "vpmu.web_1_a_b-42");
	CHECK_STR(group_of(".."), "vpmu...-42");
	/* Nobody is given the group of another by a name that looks like one. */
	CHECK_STR(group_of("vpmu.web_1_a_b-42"), "vpmu.vpmu.web_1_a_b-42-42");
	longest[0] = '/';
	CHECK_STR(group_of(longest), "vpmu._xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-42");
}

const struct test_case test_cases[] = {
	{ "tool-naming", "each name has a group", each_name_has_a_group },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
