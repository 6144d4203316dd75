/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* R-CALL-2: a machine without KVM has no such call. The client finds that out, and executing the
 * call all the same traps. */
#include <stdio.h>

#include <vpmu/guest.h>

#include "bare.h"
#include "ground/ground.h"

#define NOT_AN_INSTRUCTION 0xd /* exception code INE */

static void say(const char *what, uint64_t seen, uint64_t wanted)
{
	printf("%s %s: 0x%llx, 0x%llx\n", seen == wanted ? "so" : "not so", what,
	       (unsigned long long)seen, (unsigned long long)wanted);
}

int ground_main(void)
{
	uint64_t value = 5;

	say("KVM's signature", vpmu_guest_loongarch_cpucfg(NULL, 0x40000000), 0);
	say("the answer", (uint64_t)vpmu_guest_find_call(vpmu_guest_loongarch_cpucfg, NULL),
	    (uint64_t)VPMU_GUEST_NO_DEVICE);
	say("traps before the call", bare_traps, 0);
	(void)vpmu_guest_way_call()->read(NULL, VPMU_CONTEXT_TASK, VPMU_REG_MAGIC, &value);
	say("traps after the call", bare_traps, 1);
	say("exception code", bare_code >> 16 & 0x3f, NOT_AN_INSTRUCTION);
	say("instruction", bare_instruction, 0x002b8102);
	say("it looks like a device", value == VPMU_MAGIC, 0);
	printf("end\n");
	return 0;
}
