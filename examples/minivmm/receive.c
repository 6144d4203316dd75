/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The destination of a move. Its vCPUs have threads from the beginning, and wait: what the source
 * tells of its open events is made ready on them. What arrives is proved before it is taken, and
 * until the commit all can be given up.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "minivmm.h"

#define ROOM 512

struct receiving {
	struct machine *machine;
	struct figures *figures;
	int fd;
	int begun;     /* the machine is there */
	int committed; /* its guest runs */
	uint64_t opens;
};

/* 0, or the fault in words. A file awaits no answer. */
static int answer(const struct receiving *receiving, const char *fault)
{
	if (receiving->machine->options.restore) {
		if (fault)
			fprintf(stderr, "minivmm: %s: %s\n", receiving->machine->options.restore,
				fault);
		return fault ? -1 : 0;
	}
	if (flow_answer(receiving->fd, fault))
		return -1;
	return 0;
}

static int take_machine(struct receiving *receiving, const struct piece *piece)
{
	struct machine *machine = receiving->machine;

	if (piece->vcpu != VCPUS || piece->length || receiving->begun)
		return answer(receiving, "it is a machine of another kind");
	machine->options.mmio = piece->number != 0;
	if (vm_start(machine))
		return answer(receiving, "no machine can be made here");
	receiving->begun = 1;
	return answer(receiving, NULL);
}

static int fits(const struct image *image, const struct piece *piece)
{
	return piece->length <= image->capacity;
}

/* Every configuration is held against this host first, so that a move that must fail does so before
 * it costs anything. */
static int take_configuration(struct receiving *receiving, const struct piece *piece)
{
	struct vcpu *vcpu = &receiving->machine->vcpus[piece->vcpu % VCPUS];
	const struct vpmu_image_options options = image_options(receiving->machine);
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	struct image *image = &vcpu->configuration;
	char room[ROOM];
	int error;

	if (!fits(image, piece) || flow_rest(receiving->fd, image->bytes, piece->length))
		return -1;
	image->length = piece->length;
	error = vpmu_image_check(
		image->bytes, image->length,
		&(struct vpmu_image_target){ .size = sizeof(struct vpmu_image_target),
					     .profile = &receiving->machine->profile,
					     .platform = options.platform,
					     .facts = options.facts },
		&fault);
	if (error < 0)
		return answer(receiving, image_fault_text(error, &fault, room, sizeof(room)));
	error = order_give(vcpu, ORDER_PREPARE);
	if (error > 0)
		receiving->figures->prepared += (uint64_t)error;
	return answer(receiving, error < 0 ? vpmu_error_text(error) : NULL);
}

static int take_page(struct receiving *receiving, const struct piece *piece)
{
	if (piece->number >= PAGES || piece->length != PAGE)
		return -1;
	return flow_rest(receiving->fd, receiving->machine->ram + piece->number * PAGE, PAGE);
}

static int take_stopping(struct receiving *receiving, const struct piece *piece)
{
	(void)piece;
	receiving->opens = opens_made();
	return 0;
}

static int take_cpu(struct receiving *receiving, const struct piece *piece)
{
	struct cpu_state *state = &receiving->machine->vcpus[piece->vcpu % VCPUS].state;

	if (piece->length != sizeof(*state))
		return -1;
	return flow_rest(receiving->fd, state, sizeof(*state));
}

/* One image, which is lent: its bytes stay as they are until the move is aborted, whatever else is
 * sent. */
static int take_image(struct receiving *receiving, const struct piece *piece)
{
	struct machine *machine = receiving->machine;
	struct vpmu_image_options options = image_options(machine);
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	struct image *image = &machine->image;
	char room[ROOM];
	int error;

	if (image->length || !fits(image, piece) ||
	    flow_rest(receiving->fd, image->bytes, piece->length))
		return -1;
	image->length = piece->length;
	options.lent = 1;
	receiving->figures->image_bytes = image->length;
	error = vpmu_vm_load(machine->device, image->bytes, image->length, &options, &fault);
	return answer(receiving,
		      error < 0 ? image_fault_text(error, &fault, room, sizeof(room)) : NULL);
}

static int take_commit(struct receiving *receiving, const struct piece *piece)
{
	struct machine *machine = receiving->machine;
	int error = order_all(machine, ORDER_COMMIT);

	(void)piece;
	if (error >= 0 && vm_clock_follow(machine))
		error = VPMU_ERROR_SYSTEM;
	if (error >= 0)
		error = order_all(machine, ORDER_RESUME);
	receiving->figures->resumed_at = clock_now();
	receiving->figures->opens = opens_made() - receiving->opens + opens_of(machine);
	receiving->committed = error >= 0;
	/* Before the source hears of it: the guest goes on there. */
	if (error < 0)
		order_all(machine, ORDER_END);
	return answer(receiving, error < 0 ? vpmu_error_text(error) : NULL);
}

static int take_abort(struct receiving *receiving, const struct piece *piece)
{
	int error = order_all(receiving->machine, ORDER_ABORT);

	(void)piece;
	if (error >= 0)
		error = vpmu_vm_abort(receiving->machine->device);
	if (error >= 0)
		receiving->machine->image.length = 0;
	receiving->figures->prepared = 0;
	return answer(receiving, error < 0 ? vpmu_error_text(error) : NULL);
}

static int (*const pieces[])(struct receiving *receiving, const struct piece *piece) = {
	[PIECE_MACHINE] = take_machine, [PIECE_CONFIGURATION] = take_configuration,
	[PIECE_PAGE] = take_page,	[PIECE_STOPPING] = take_stopping,
	[PIECE_CPU] = take_cpu,		[PIECE_IMAGE] = take_image,
	[PIECE_COMMIT] = take_commit,	[PIECE_ABORT] = take_abort,
};

int receive_pieces(struct machine *machine, int fd, struct figures *figures)
{
	struct receiving receiving = { .machine = machine, .figures = figures, .fd = fd };
	struct piece piece;
	int error = 0;

	while (!error && !receiving.committed) {
		error = flow_begin(fd, &piece);
		if (!error && (piece.kind >= PIECE_ANSWER || !pieces[piece.kind] ||
			       (!receiving.begun && piece.kind != PIECE_MACHINE)))
			error = -1;
		if (!error)
			error = pieces[piece.kind](&receiving, &piece);
	}
	if (error && receiving.begun)
		order_all(machine, ORDER_END);
	return error;
}

static int accept_one(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = -1;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (listener >= 0 && !bind(listener, (struct sockaddr *)&address, sizeof(address)) &&
	    !listen(listener, 1))
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		perror("minivmm: no connection");
	if (listener >= 0)
		close(listener);
	return fd;
}

int receive_run(struct machine *machine)
{
	struct figures figures = { 0 };
	const struct piece piece = { .kind = PIECE_FIGURES, .length = sizeof(figures) };
	int fd = accept_one(machine->options.receive);
	int error;

	if (fd < 0)
		return -1;
	error = receive_pieces(machine, fd, &figures);
	if (!error)
		guest_finish(machine);
	vm_end(machine);
	figures_of_guest(machine, &figures);
	if (!error)
		error = flow_put(fd, &piece, &figures);
	close(fd);
	return error;
}
