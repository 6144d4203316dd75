/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The source of a move. While the guest runs its memory is copied, again and again what changed
 * meanwhile, and what its vCPUs have open is told, so that the destination makes the host events
 * ready. Then the guest stops, and what is left goes: the last pages, the vCPUs, the image of the
 * PMU.
 */

#include <stdio.h>
#include <string.h>

#include "minivmm.h"

#define ROUNDS_MOST 6
#define FEW_PAGES 128

static int refused(int answer)
{
	return answer < 0 ? -1 : answer;
}

static int put_machine(const struct machine *machine, int fd, char *fault, uint64_t room)
{
	const struct piece piece = { .kind = PIECE_MACHINE,
				     .vcpu = VCPUS,
				     .number = (uint64_t)machine->options.mmio };

	if (flow_put(fd, &piece, NULL))
		return -1;
	return refused(flow_await(fd, fault, room));
}

static int put_configurations(struct machine *machine, int fd, char *fault, uint64_t room)
{
	uint32_t i;

	for (i = 0; i < VCPUS; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];
		const struct image *image = &vcpu->configuration;
		struct piece piece = { .kind = PIECE_CONFIGURATION, .vcpu = i };
		int answer;

		if (order_give(vcpu, ORDER_CONFIGURE) < 0)
			return -1;
		piece.length = image->length;
		if (flow_put(fd, &piece, image->bytes))
			return -1;
		answer = flow_await(fd, fault, room);
		if (answer)
			return refused(answer);
	}
	return 0;
}

static int put_pages(const struct machine *machine, int fd, const uint64_t *bits,
		     struct figures *figures)
{
	struct piece piece = { .kind = PIECE_PAGE, .length = PAGE };
	uint32_t page;

	for (page = 0; page < PAGES; page++) {
		if (!(bits[page / 64] >> page % 64 & 1))
			continue;
		piece.number = page;
		if (flow_put(fd, &piece, machine->ram + (uint64_t)page * PAGE))
			return -1;
		figures->pages++;
	}
	return 0;
}

static void all_pages(const struct machine *machine, uint64_t *bits)
{
	uint32_t page;

	memset(bits, 0, PAGES / 8);
	for (page = 0; page < PAGES; page++) {
		if (!ram_is_empty(machine, page))
			bits[page / 64] |= 1ull << page % 64;
	}
}

/* 0 when few pages are left to copy. */
static int copy_while_it_runs(struct machine *machine, int fd, struct figures *figures, char *fault,
			      uint64_t room)
{
	static uint64_t bits[PAGES / 64];
	uint32_t changed = PAGES;
	int answer;

	if (ram_track(machine, 1))
		return -1;
	all_pages(machine, bits);
	for (figures->rounds = 0; changed > FEW_PAGES && figures->rounds < ROUNDS_MOST;
	     figures->rounds++) {
		answer = put_configurations(machine, fd, fault, room);
		if (answer)
			return answer;
		if (put_pages(machine, fd, bits, figures))
			return -1;
		changed = ram_changed(machine, bits);
		if (put_pages(machine, fd, bits, figures))
			return -1;
	}
	return put_configurations(machine, fd, fault, room);
}

static int put_cpus(struct machine *machine, int fd)
{
	uint32_t i;

	for (i = 0; i < VCPUS; i++) {
		const struct piece piece = { .kind = PIECE_CPU,
					     .vcpu = i,
					     .length = sizeof(machine->vcpus[i].state) };

		if (flow_put(fd, &piece, &machine->vcpus[i].state))
			return -1;
	}
	return 0;
}

static int put_image(struct machine *machine, int fd, struct figures *figures)
{
	struct image *image = &machine->image;
	struct piece piece = { .kind = PIECE_IMAGE };

	if (image_save(machine, image))
		return -1;
	piece.length = image->length;
	figures->image_bytes = image->length;
	return flow_put(fd, &piece, image->bytes);
}

static int stop_all(struct machine *machine, int fd, struct figures *figures)
{
	const struct piece piece = { .kind = PIECE_STOPPING };

	machine->stop_by = clock_now() + 30000000000u;
	if (flow_put(fd, &piece, NULL))
		return -1;
	if (order_all(machine, ORDER_STOP) < 0)
		return -1;
	vpmu_vcpu_peek(machine->vcpus[0].device, VPMU_REG_PMI_LINE, &figures->line);
	return 0;
}

/* From here on the guest stands still. */
static int put_the_rest(struct machine *machine, int fd, struct figures *figures)
{
	static uint64_t bits[PAGES / 64];

	if (machine->dirty)
		ram_changed(machine, bits);
	else
		all_pages(machine, bits);
	if (put_pages(machine, fd, bits, figures) || put_cpus(machine, fd))
		return -1;
	return put_image(machine, fd, figures);
}

static int abort_move(struct machine *machine, int fd, char *fault, uint64_t room)
{
	const struct piece piece = { .kind = PIECE_ABORT };
	int answer = flow_put(fd, &piece, NULL);

	if (!answer)
		answer = flow_await(fd, fault, room);
	return order_all(machine, ORDER_RESUME) < 0 ? -1 : refused(answer);
}

/* On all threads, while the guest stood still. */
uint64_t opens_of(const struct machine *machine)
{
	uint64_t opens = 0;
	uint32_t i;

	for (i = 0; i < VCPUS; i++)
		opens += machine->vcpus[i].opens;
	return opens;
}

static int commit(struct machine *machine, int fd, struct figures *figures, uint64_t opens,
		  char *fault, uint64_t room)
{
	const struct piece piece = { .kind = PIECE_COMMIT };
	struct piece answer;
	int error;

	if (flow_put(fd, &piece, NULL))
		return -1;
	error = flow_await(fd, fault, room);
	/* It said no, and nothing of the guest runs there. Where it said nothing, nobody knows. */
	if (error > 0)
		order_all(machine, ORDER_RESUME);
	if (error)
		return refused(error);
	figures->opens = opens_made() - opens + opens_of(machine);
	order_all(machine, ORDER_END);
	if (flow_begin(fd, &answer) || answer.kind != PIECE_FIGURES ||
	    answer.length != sizeof(machine->there))
		return -1;
	return flow_rest(fd, &machine->there, sizeof(machine->there));
}

/* Until the destination has said that it can go on, the guest is this side's, and goes on here
 * whatever happens there. */
static int send_once(struct machine *machine, int fd, struct figures *figures, char *fault,
		     uint64_t room)
{
	uint64_t opens;
	int answer = copy_while_it_runs(machine, fd, figures, fault, room);

	if (answer)
		return answer;
	opens = opens_made();
	if (stop_all(machine, fd, figures))
		return -1;
	figures->stopped_at = clock_now();
	answer = put_the_rest(machine, fd, figures);
	if (!answer)
		answer = flow_await(fd, fault, room);
	if (!answer && machine->options.aborts) {
		machine->options.aborts--;
		answer = abort_move(machine, fd, fault, room);
		return answer ? answer : send_once(machine, fd, figures, fault, room);
	}
	if (!answer)
		return commit(machine, fd, figures, opens, fault, room);
	order_all(machine, ORDER_RESUME);
	return refused(answer);
}

int send_machine(struct machine *machine, int fd, struct figures *figures, char *fault,
		 uint64_t room)
{
	int answer = put_machine(machine, fd, fault, room);

	return answer ? answer : send_once(machine, fd, figures, fault, room);
}

int send_to_file(struct machine *machine, int fd, struct figures *figures)
{
	const struct piece what = { .kind = PIECE_MACHINE,
				    .vcpu = VCPUS,
				    .number = (uint64_t)machine->options.mmio };
	const struct piece end = { .kind = PIECE_COMMIT };

	if (flow_put(fd, &what, NULL) || stop_all(machine, fd, figures) ||
	    put_the_rest(machine, fd, figures) || flow_put(fd, &end, NULL))
		return -1;
	order_all(machine, ORDER_END);
	return 0;
}
