/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A client of QMP, the protocol by which QEMU is asked and told. A QMP socket serves one client at a time: open, ask,
 * close. Each wait is bounded. Answers are JSON texts, see json_read.h.
 */
#ifndef VPMU_QMP_H
#define VPMU_QMP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct qmp {
	int socket;
	pid_t process; /* behind the socket, as the kernel tells */
	char *text;    /* what was received */
	size_t size;
	size_t used; /* bytes in it */
	size_t line; /* of them the last message with its end */
};

/* Connects and greets: 0, or a negated errno value. On success qmp_close() is called later. */
int qmp_open(struct qmp *qmp, const char *path);
void qmp_close(struct qmp *qmp);

/*
 * Executes a command, its arguments a JSON object or NULL: 0 and the answer's "return", which stands until the next call;
 * or a negated errno value, -EREMOTEIO when QEMU answered with an error, whose "desc" is then the answer.
 */
int qmp_ask(struct qmp *qmp, const char *command, const char *arguments, const char **answer);

#endif
