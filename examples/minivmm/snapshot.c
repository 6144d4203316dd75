/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A guest is stopped into a file, and goes on from it, as often as one likes: each time of another
 * generation. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "minivmm.h"

static int file_failed(const char *path)
{
	fprintf(stderr, "minivmm: %s: %s\n", path, strerror(errno));
	return -1;
}

int snapshot_save(struct machine *machine)
{
	struct figures figures = { 0 };
	int fd = open(machine->options.save, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int error;

	if (fd < 0)
		return file_failed(machine->options.save);
	error = vm_start(machine);
	if (!error) {
		guest_go_on(machine);
		error = send_to_file(machine, fd, &figures);
	}
	vm_end(machine);
	if (close(fd) || error)
		return file_failed(machine->options.save);
	figures_of_guest(machine, &figures);
	figures.failed = 0;
	if (machine->options.json)
		move_json(&figures);
	else
		printf("The guest was stopped and saved to %s, %llu bytes of it its PMU.\n",
		       machine->options.save, (unsigned long long)figures.image_bytes);
	return 0;
}

int snapshot_restore(struct machine *machine)
{
	struct figures figures = { 0 };
	int fd = open(machine->options.restore, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return file_failed(machine->options.restore);
	error = receive_pieces(machine, fd, &figures);
	close(fd);
	if (!error)
		guest_finish(machine);
	vm_end(machine);
	if (error)
		return -1;
	figures_of_guest(machine, &figures);
	if (machine->options.json)
		move_json(&figures);
	else
		printf("The guest went on from %s in epoch %llu and saw %llu epoch changes, %llu counts "
		       "backwards.\n",
		       machine->options.restore, (unsigned long long)figures.epoch,
		       (unsigned long long)figures.seen.epoch_changes,
		       (unsigned long long)figures.seen.backwards);
	return figures.failed ? -1 : 0;
}
