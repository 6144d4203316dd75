/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A client of QMP, the protocol by which QEMU is asked and told. A QMP socket serves one client at
 * a time: open, ask, close. Each wait is bounded, and so is the length of a message; jansson bounds
 * its depth.
 */
#ifndef VPMU_QMP_H
#define VPMU_QMP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

/* ms that an answer is waited for, unless there is reason to wait less. */
#define QMP_PATIENCE 1000

struct qmp {
	int socket;
	int64_t patience; /* ms for an answer */
	pid_t process;	  /* behind the socket, as the kernel tells */
	char *text;	  /* what was received */
	size_t size;
	size_t used; /* bytes in it */
	size_t line; /* of them the last message with its end */
	json_t *message;
};

/* Connects and greets: 0, or a negated errno value. On success qmp_close() is called later. */
int qmp_open(struct qmp *qmp, const char *path, int64_t patience);
void qmp_close(struct qmp *qmp);

/*
 * Executes a command, its arguments a JSON object or NULL: 0 and the answer's "return", which
 * stands until the next call; or a negated errno value, -EREMOTEIO when QEMU answered with an
 * error, whose "desc" is then the answer.
 */
int qmp_ask(struct qmp *qmp, const char *command, const char *arguments, const json_t **answer);

/* A member that is an integer from 0 to most: 0, or -EPROTO. */
int qmp_number(const json_t *object, const char *key, int64_t most, int64_t *number);
/* Copies a member that is a text of printable ASCII: 0, or -EPROTO where it is none or too long. */
int qmp_text(const json_t *object, const char *key, char *to, size_t size);

#endif
