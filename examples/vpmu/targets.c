/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* VMs as a command line names them. */
#include <stdlib.h>

#include "watch.h"

static struct target *target_add(struct session *session)
{
	if (!session->targets || session->target_count == MOST_TARGETS) {
		complain(session, "more than %d VMs. Watch them with several commands.",
			 MOST_TARGETS);
		return NULL;
	}
	session->named = &session->targets[session->target_count++];
	return session->named;
}

int session_add_pid(struct session *session, const char *text)
{
	struct target *target;
	char *end;
	long long pid = strtoll(text, &end, 10);

	if (*end || end == text || pid <= 0 || pid > INT32_MAX) {
		complain(session, "%s is no process number", text);
		return TOOL_USAGE;
	}
	for (uint32_t i = 0; i < session->target_count; i++) {
		session->named = &session->targets[i];
		if (session->targets[i].pid == pid)
			return 0;
	}
	target = target_add(session);
	if (!target)
		return TOOL_FAILED;
	target->pid = pid;
	return 0;
}

int session_add_qmp(struct session *session, const char *path)
{
	struct target *target = target_add(session);

	if (!target)
		return TOOL_FAILED;
	target->qmp = path;
	return 0;
}

int session_add_pmu(struct session *session, const char *path)
{
	struct target *target = session->named;

	if (!target || target->pmu) {
		complain(session, "--pmu goes behind the --pid or --qmp of its VM, once");
		return TOOL_USAGE;
	}
	target->pmu = pmu_view_new(path);
	return target->pmu ? 0 : TOOL_FAILED;
}
