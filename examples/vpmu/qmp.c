/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* QMP: messages are JSON objects, one in a line (QEMU, docs/interop/qmp-spec). */
#include "qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LONGEST (1u << 20) /* message */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int wait_for(int socket, short events, int64_t until)
{
	struct pollfd one = { .fd = socket, .events = events };
	int64_t left = until - now_ms();
	int ready;

	if (left <= 0)
		return -ETIMEDOUT;
	ready = poll(&one, 1, (int)left);
	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	return ready ? 0 : -ETIMEDOUT;
}

static int send_all(struct qmp *qmp, const char *text, size_t length, int64_t until)
{
	while (length > 0) {
		ssize_t sent = send(qmp->socket, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		int error = 0;

		if (sent > 0) {
			text += sent;
			length -= (size_t)sent;
		} else if (errno == EAGAIN || errno == EINTR) {
			error = wait_for(qmp->socket, POLLOUT, until);
		} else {
			error = -errno;
		}
		if (error)
			return error;
	}
	return 0;
}

static int make_room(struct qmp *qmp)
{
	size_t size = qmp->size ? qmp->size * 2 : 4096;
	char *text;

	if (qmp->used + 1 < qmp->size)
		return 0;
	if (size > LONGEST)
		return -EMSGSIZE;
	text = realloc(qmp->text, size);
	if (!text)
		return -ENOMEM;
	qmp->text = text;
	qmp->size = size;
	return 0;
}

static int receive_some(struct qmp *qmp, int64_t until)
{
	int error = make_room(qmp);
	ssize_t got;

	if (!error)
		error = wait_for(qmp->socket, POLLIN, until);
	if (error)
		return error;
	got = recv(qmp->socket, qmp->text + qmp->used, qmp->size - 1 - qmp->used, MSG_DONTWAIT);
	if (got == 0)
		return -ECONNRESET;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	qmp->used += (size_t)got;
	return 0;
}

/* The next message; one that says a thing twice is none. */
static int next_message(struct qmp *qmp, int64_t until)
{
	const char *end;

	qmp->used -= qmp->line;
	if (qmp->used)
		memmove(qmp->text, qmp->text + qmp->line, qmp->used);
	qmp->line = 0;
	while (!qmp->used || !(end = memchr(qmp->text, '\n', qmp->used))) {
		int error = receive_some(qmp, until);

		if (error)
			return error;
	}
	qmp->line = (size_t)(end - qmp->text) + 1;
	json_decref(qmp->message);
	qmp->message = json_loadb(qmp->text, qmp->line, JSON_REJECT_DUPLICATES, NULL);
	return json_is_object(qmp->message) ? 0 : -EPROTO;
}

/* Events come in between. */
static int next_answer(struct qmp *qmp, const json_t **answer, int64_t until)
{
	for (;;) {
		int error = next_message(qmp, until);

		if (error)
			return error;
		*answer = json_object_get(qmp->message, "return");
		if (*answer)
			return 0;
		*answer = json_object_get(json_object_get(qmp->message, "error"), "desc");
		if (*answer)
			return -EREMOTEIO;
	}
}

int qmp_ask(struct qmp *qmp, const char *command, const char *arguments, const json_t **answer)
{
	static const char plain[] = "{\"execute\":\"%s\"}\n";
	static const char with[] = "{\"execute\":\"%s\",\"arguments\":%s}\n";
	int64_t until = now_ms() + qmp->patience;
	const json_t *ignored;
	char text[2048];
	int length = arguments ? snprintf(text, sizeof(text), with, command, arguments) :
				 snprintf(text, sizeof(text), plain, command);
	int error;

	if (length < 0 || (size_t)length >= sizeof(text))
		return -EMSGSIZE;
	error = send_all(qmp, text, (size_t)length, until);
	return error ? error : next_answer(qmp, answer ? answer : &ignored, until);
}

static int connect_to(struct qmp *qmp, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	qmp->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (qmp->socket < 0)
		return -errno;
	if (connect(qmp->socket, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockopt(qmp->socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	qmp->process = peer.pid;
	return 0;
}

int qmp_open(struct qmp *qmp, const char *path, int64_t patience)
{
	int error;

	*qmp = (struct qmp){ .socket = -1, .patience = patience };
	error = connect_to(qmp, path);
	if (!error)
		error = next_message(qmp, now_ms() + patience);
	if (!error && !json_object_get(qmp->message, "QMP"))
		error = -EPROTO;
	if (!error)
		error = qmp_ask(qmp, "qmp_capabilities", NULL, NULL);
	if (error)
		qmp_close(qmp);
	return error;
}

void qmp_close(struct qmp *qmp)
{
	if (qmp->socket >= 0)
		close(qmp->socket);
	json_decref(qmp->message);
	free(qmp->text);
	*qmp = (struct qmp){ .socket = -1 };
}

int qmp_number(const json_t *object, const char *key, int64_t most, int64_t *number)
{
	const json_t *value = json_object_get(object, key);

	*number = json_integer_value(value);
	return json_is_integer(value) && *number >= 0 && *number <= most ? 0 : -EPROTO;
}

int qmp_text(const json_t *object, const char *key, char *to, size_t size)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);

	if (!text || length >= size)
		return -EPROTO;
	for (size_t i = 0; i < length; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return -EPROTO;
	memcpy(to, text, length + 1);
	return 0;
}
