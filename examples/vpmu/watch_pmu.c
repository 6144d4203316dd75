/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What a vpmu attach tells of the PMU that it gives a VM. It may stall or lie: an answer that is
 * not whole is none. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "watch.h"

enum { MOST_TEXT = 1 << 20, PATIENCE_MS = 200, PATIENCE_AGAIN_MS = 50 };

struct pmu_view {
	struct vpmu_monitor_pmu meter;
	const char *path;
	struct pmu_line {
		uint32_t vcpu;
		struct vpmu_statistics told;
	} * lines;
	uint32_t count;
	int silent; /* which was said */
};

static int statistics(void *opaque, uint32_t vcpu, struct vpmu_statistics *to)
{
	const struct pmu_view *view = opaque;

	for (uint32_t i = 0; i < view->count; i++) {
		if (view->lines[i].vcpu != vcpu)
			continue;
		*to = view->lines[i].told;
		return 0;
	}
	return VPMU_ERROR_GONE;
}

struct pmu_view *pmu_view_new(const char *path)
{
	struct pmu_view *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->meter = (struct vpmu_monitor_pmu){ .size = sizeof(view->meter),
						 .opaque = view,
						 .statistics = statistics };
	view->path = path;
	return view;
}

void *pmu_view_meter(struct pmu_view *view)
{
	return view ? &view->meter : NULL;
}

void pmu_view_drop(struct pmu_view *view)
{
	if (view)
		free(view->lines);
	free(view);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int connection, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connection < 0)
		return -errno;
	if (connect(connection, (struct sockaddr *)&address, sizeof(address)) == 0)
		return connection;
	error = -errno;
	close(connection);
	return error;
}

/* Reads to the end: bytes, or a negated errno value. */
static int receive(int connection, char *text, int room, int patience)
{
	int64_t until = now_ns() + patience * 1000000ll;
	int used = 0;

	while (used < room) {
		struct pollfd one = { .fd = connection, .events = POLLIN };
		int64_t left = (until - now_ns()) / 1000000;
		ssize_t got;

		if (left <= 0 || poll(&one, 1, (int)left) == 0)
			return -ETIMEDOUT;
		got = recv(connection, text + used, (size_t)(room - used), MSG_DONTWAIT);
		if (got == 0)
			return used;
		if (got > 0)
			used += (int)got;
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EMSGSIZE;
}

static int take_line(const char *text, struct pmu_line *line)
{
	struct vpmu_statistics *told = &line->told;
	int length = 0;

	/* The time is the VMM's to measure, and this one does not. */
	*line = (struct pmu_line){ .told = { .size = sizeof(*told), .time = UINT64_MAX } };
	if (sscanf(text,
		   "vcpu %" SCNu32 " events %" SCNu64 " exits %" SCNu64 " batches %" SCNu64
		   " pmis %" SCNu64 " throttled %" SCNu64 " lost %" SCNu64 "%n",
		   &line->vcpu, &told->events, &told->exits, &told->batches, &told->pmis,
		   &told->throttled, &told->lost, &length) != 7)
		return -EPROTO;
	return text[length] == '\0' ? 0 : -EPROTO;
}

static int take(struct pmu_view *view, char *text)
{
	char *next = text + strlen(PMU_GREETING);

	if (strncmp(text, PMU_GREETING, strlen(PMU_GREETING)) != 0)
		return -EPROTO;
	view->count = 0;
	while (strcmp(next, PMU_END) != 0) {
		char *end = strchr(next, '\n');
		int error = -EPROTO;

		if (end && view->count < MOST_VCPUS) {
			*end = '\0';
			error = take_line(next, &view->lines[view->count]);
		}
		if (error)
			return error;
		view->count++;
		next = end + 1;
	}
	return 0;
}

static int ask(struct pmu_view *view, int patience)
{
	int connection = connect_to(view->path);
	char *text;
	int result = -ENOMEM;

	if (connection < 0)
		return connection;
	text = malloc(MOST_TEXT);
	if (!view->lines)
		view->lines = calloc(MOST_VCPUS, sizeof(*view->lines));
	if (text && view->lines) {
		result = receive(connection, text, MOST_TEXT - 1, patience);
		if (result >= 0) {
			text[result] = '\0';
			result = take(view, text);
		}
	}
	free(text);
	close(connection);
	return result;
}

/* One that stalls is asked again, but not at the cost of all the others, and many that fall silent
 * at once not for longer than a turn has. What was not told in this turn is not known. */
void pmu_view_look(struct session *session, struct pmu_view *view)
{
	int hurried = view && (view->silent || session->fresh <= 0);
	int64_t *budget = hurried ? &session->patience : &session->fresh;
	int64_t began = now_ns();
	int error = -ETIMEDOUT;

	if (!view)
		return;
	if (*budget > 0)
		error = ask(view, hurried ? PATIENCE_AGAIN_MS : PATIENCE_MS);
	*budget -= (now_ns() - began) / 1000000;
	if (error)
		view->count = 0;
	if (error && hurried)
		return;
	if (error)
		complain(
			session,
			"%s: %s. It is the socket that vpmu attach was given with --statistics, for its user.",
			view->path,
			error == -EPROTO ? "what answers is no vpmu attach" : strerror(-error));
	view->silent = error != 0;
}

void pmu_view_forget(struct pmu_view *view)
{
	if (view)
		view->count = 0;
}
