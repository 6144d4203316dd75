/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What a QEMU says of its vCPUs. It may stall or lie: nothing is believed that the kernel can be
 * asked. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qmp.h"
#include "watch.h"

static const struct {
	int number;
	const char *text;
} reasons[] = {
	{ ETIMEDOUT,
	  "QEMU does not answer. Another client may hold the socket: give QEMU one -qmp for vpmu alone." },
	{ EAGAIN,
	  "the socket is busy: another client waits there. Give QEMU one -qmp for vpmu alone." },
	{ ENOENT, "there is no such socket. Start QEMU with -qmp unix:PATH,server=on,wait=off" },
	{ ECONNREFUSED, "nobody serves this socket: its QEMU has ended, or it is none" },
	{ EACCES, "this user may not use the socket. Run vpmu as QEMU's user" },
	{ ENAMETOOLONG, "the path is too long for a socket" },
	{ EPROTO, "what answers does not speak QMP. Is this the right socket?" },
	{ ECONNRESET, "the connection was closed. Is this a QMP socket?" },
	{ EMSGSIZE, "the answer has no end. This is no QMP socket." },
	{ EREMOTEIO, "QEMU refuses query-cpus-fast. It needs QEMU 2.12 or later." },
};

static int fail(struct qmp_asked *asked, int error)
{
	const char *text = strerror(-error);

	asked->busy = error == -ETIMEDOUT || error == -EAGAIN;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].number == -error)
			text = reasons[i].text;
	snprintf(asked->why, sizeof(asked->why), "%s", text);
	return -1;
}

static int take_vcpus(const json_t *list, struct qmp_vcpu *vcpus, uint32_t room)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list))
		return -EPROTO;
	if (count > room)
		count = room;
	for (size_t i = 0; i < count; i++) {
		const json_t *vcpu = json_array_get(list, i);

		if (qmp_number(vcpu, "cpu-index", UINT32_MAX - 1, &vcpus[i].index) < 0 ||
		    qmp_number(vcpu, "thread-id", INT32_MAX, &vcpus[i].thread) < 0 ||
		    vcpus[i].thread == 0)
			return -EPROTO;
	}
	return (int)count;
}

/* A VM may have no name. An answer that did not come in time comes later, in place of the next. */
static int ask_name(struct qmp *qmp, char *name)
{
	const json_t *answer;
	int error = qmp_ask(qmp, "query-name", NULL, &answer);

	if (error || qmp_text(answer, "name", name, NAME_ROOM) < 0)
		name[0] = '\0';
	return error == -EREMOTEIO ? 0 : error;
}

int watch_ask(const char *path, struct qmp_asked *asked)
{
	struct qmp qmp;
	const json_t *answer;
	int result = qmp_open(&qmp, path, asked->patience ? asked->patience : QMP_PATIENCE);

	if (result < 0)
		return fail(asked, result);
	asked->pid = qmp.process;
	result = asked->name[0] ? 0 : ask_name(&qmp, asked->name);
	if (!result)
		result = qmp_ask(&qmp, "query-cpus-fast", NULL, &answer);
	if (!result)
		result = take_vcpus(answer, asked->vcpus, MOST_VCPUS);
	qmp_close(&qmp);
	return result < 0 ? fail(asked, result) : result;
}
