/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Pieces of a VM on their way. This VMM moves between two processes of one machine, so a piece is a
 * plain struct; what is not the VMM's own, the library's image, has a format of its own.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "minivmm.h"

static int write_all(int fd, const void *bytes, uint64_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t done = write(fd, at, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		at += done;
		length -= (uint64_t)done;
	}
	return 0;
}

int flow_put(int fd, const struct piece *piece, const void *bytes)
{
	if (write_all(fd, piece, sizeof(*piece)))
		return -1;
	return write_all(fd, bytes, piece->length);
}

int flow_rest(int fd, void *bytes, uint64_t length)
{
	char *at = bytes;

	while (length) {
		ssize_t done = read(fd, at, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		at += done;
		length -= (uint64_t)done;
	}
	return 0;
}

int flow_begin(int fd, struct piece *piece)
{
	return flow_rest(fd, piece, sizeof(*piece));
}

int flow_answer(int fd, const char *fault)
{
	const struct piece piece = { .kind = PIECE_ANSWER,
				     .number = fault != NULL,
				     .length = fault ? strlen(fault) : 0 };

	return flow_put(fd, &piece, fault);
}

int flow_await(int fd, char *fault, uint64_t room)
{
	struct piece piece;

	if (flow_begin(fd, &piece) || piece.kind != PIECE_ANSWER || piece.length >= room)
		return -1;
	fault[piece.length] = 0;
	return flow_rest(fd, fault, piece.length) ? -1 : piece.number != 0;
}
