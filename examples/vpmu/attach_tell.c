/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What the PMU of each vCPU cost and got, for vpmu stat, top and export: told to whoever connects,
 * a line for each vCPU, and at once, so that nobody is waited for. The last line says that there is
 * no more.
 */
#include <inttypes.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach_vm.h"
#include "watch.h"

static void tell_vcpu(struct text_buffer *text, uint32_t number, const struct vpmu_vcpu *vcpu)
{
	struct vpmu_statistics told = { .size = sizeof(told) };

	if (vpmu_vcpu_statistics(vcpu, &told) == 0)
		text_add(text,
			 "vcpu %" PRIu32 " events %" PRIu64 " exits %" PRIu64 " batches %" PRIu64
			 " pmis %" PRIu64 " throttled %" PRIu64 " lost %" PRIu64 "\n",
			 number, told.events, told.exits, told.batches, told.pmis, told.throttled,
			 told.lost);
}

void attach_tell(const struct attach_vm *vm, int listener)
{
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct text_buffer text = { 0 };

	if (connection < 0)
		return;
	text_add(&text, PMU_GREETING);
	for (uint32_t i = 0; vm && i < vm->vcpus; i++)
		if (vm->vcpu[i].pmu)
			tell_vcpu(&text, i, vm->vcpu[i].pmu);
	text_add(&text, PMU_END);
	/* What does not fit is missing together with the end, and the reader sees that. */
	if (!text.failed && send(connection, text.at, text.used, MSG_NOSIGNAL) < 0)
		attach_say("the statistics could not be sent");
	text_end(&text);
	close(connection);
}
