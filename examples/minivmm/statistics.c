/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What the PMU of each vCPU cost and got, told to whoever connects to a socket, as vpmu stat, top
 * and export read it (doc/monitor.md). The library answers on the vCPU's own thread, so each thread
 * writes down what it said last.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "minivmm.h"

/* Room for all of it: a line is shorter than this. */
#define LINE 256

void statistics_note(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	struct vpmu_statistics now = { .size = sizeof(now) };

	if (!machine->options.statistics || vpmu_vcpu_statistics(vcpu->device, &now))
		return;
	pthread_mutex_lock(&machine->telling);
	vcpu->told = now;
	pthread_mutex_unlock(&machine->telling);
}

/* The last line says that there is no more. A vCPU that has not run yet has nothing to tell. */
static size_t put_all(struct machine *machine, char *text, size_t room)
{
	int used = snprintf(text, room, "vpmu-statistics 1\n");

	pthread_mutex_lock(&machine->telling);
	for (uint32_t i = 0; i < VCPUS; i++) {
		const struct vpmu_statistics *told = &machine->vcpus[i].told;

		if (told->size)
			used += snprintf(text + used, room - (size_t)used,
					 "vcpu %" PRIu32 " events %" PRIu64 " exits %" PRIu64
					 " batches %" PRIu64 " pmis %" PRIu64 " throttled %" PRIu64
					 " lost %" PRIu64 "\n",
					 i, told->events, told->exits, told->batches, told->pmis,
					 told->throttled, told->lost);
	}
	pthread_mutex_unlock(&machine->telling);
	used += snprintf(text + used, room - (size_t)used, "end\n");
	return (size_t)used;
}

static void *tell(void *opaque)
{
	struct machine *machine = opaque;
	char text[LINE * (VCPUS + 2)];
	int connection;

	signals_block();
	/* Nobody is waited for: it fits what a socket holds. */
	while ((connection = accept(machine->listener, NULL, NULL)) >= 0) {
		size_t length = put_all(machine, text, sizeof(text));

		if (send(connection, text, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			fprintf(stderr, "minivmm: the statistics could not be sent\n");
		close(connection);
	}
	return NULL;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
	} else if (listener >= 0) {
		memcpy(address.sun_path, path, strlen(path) + 1);
		if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		    listen(listener, 4) == 0)
			return listener;
	}
	fprintf(stderr, "minivmm: %s: %s\n", path, strerror(errno));
	if (listener >= 0)
		close(listener);
	return -1;
}

int statistics_begin(struct machine *machine)
{
	const char *path = machine->options.statistics;

	if (!path)
		return 0;
	machine->listener = listen_at(path);
	if (machine->listener < 0)
		return -1;
	pthread_mutex_init(&machine->telling, NULL);
	if (pthread_create(&machine->teller, NULL, tell, machine) == 0)
		return 0;
	fprintf(stderr, "minivmm: no thread for the statistics\n");
	close(machine->listener);
	unlink(path);
	return -1;
}

void statistics_end(struct machine *machine)
{
	if (!machine->options.statistics)
		return;
	shutdown(machine->listener, SHUT_RDWR);
	pthread_join(machine->teller, NULL);
	close(machine->listener);
	unlink(machine->options.statistics);
	pthread_mutex_destroy(&machine->telling);
}
