/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What QEMU and this program share: the region and an event for each vector and direction. They are
 * handed over as QEMU's ivshmem-server does (QEMU, docs/specs/ivshmem-spec).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <vpmu/transport.h>

#include "attach.h"
#include "tool.h"

#define PROTOCOL 0
#define UNKNOWN_PROTOCOL (-1)
#define REGION (-1)
#define PATIENCE_S 5

int attach_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener, error = place_for_socket(path);

	if (error)
		return error;
	memcpy(address.sun_path, path, strlen(path) + 1);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0)
		return -errno;
	if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(path, 0600) == 0 && listen(listener, 4) == 0)
		return listener;
	error = -errno;
	close(listener);
	return error;
}

/* A BAR has a power of two of bytes. */
uint64_t attach_region_size(uint32_t vcpus)
{
	uint64_t size = 1;

	while (size < vpmu_mailbox_size(vcpus))
		size *= 2;
	return size;
}

/* Nobody may make the region shorter while it is used here. */
static int make_region(struct attach_wires *wires, uint32_t vcpus)
{
	uint64_t size = attach_region_size(vcpus);

	wires->memory = memfd_create("vpmu", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (wires->memory < 0 || ftruncate(wires->memory, (off_t)size) < 0 ||
	    fcntl(wires->memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		return -errno;
	wires->region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, wires->memory, 0);
	if (wires->region == MAP_FAILED) {
		wires->region = NULL;
		return -errno;
	}
	wires->size = size;
	return 0;
}

void attach_wires_empty(struct attach_wires *wires)
{
	*wires = (struct attach_wires){ .memory = -1, .connection = -1, .process = -1, .pid = -1 };
	for (uint32_t i = 0; i < ATTACH_VCPUS; i++)
		wires->host[i] = wires->guest[i] = -1;
}

int attach_wires_new(struct attach_wires *wires, const struct attach_options *options)
{
	int error;

	attach_wires_empty(wires);
	error = make_region(wires, options->vcpus);
	for (uint32_t i = 0; i < options->vectors && !error; i++) {
		wires->host[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		wires->guest[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (wires->host[i] < 0 || wires->guest[i] < 0)
			error = -errno;
	}
	wires->vectors = options->vectors;
	if (error)
		attach_wires_drop(wires);
	return error;
}

static void close_one(int descriptor)
{
	if (descriptor >= 0)
		close(descriptor);
}

void attach_wires_drop(struct attach_wires *wires)
{
	for (uint32_t i = 0; i < ATTACH_VCPUS; i++) {
		close_one(wires->host[i]);
		close_one(wires->guest[i]);
	}
	if (wires->region)
		munmap(wires->region, wires->size);
	close_one(wires->memory);
	close_one(wires->connection);
	close_one(wires->process);
	attach_wires_empty(wires);
}

/* A number, and a descriptor with it unless that is -1. */
static int tell(int connection, int64_t number, int descriptor)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec word = { .iov_base = &number, .iov_len = sizeof(number) };
	struct msghdr message = { .msg_iov = &word, .msg_iovlen = 1 };

	if (descriptor >= 0) {
		struct cmsghdr *header;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
	}
	if (sendmsg(connection, &message, MSG_NOSIGNAL) == sizeof(number))
		return 0;
	return errno ? -errno : -EIO;
}

/* The guest's own events come last: QEMU then has all that it may ring. */
static int hand_over(const struct attach_wires *wires)
{
	int error = tell(wires->connection, PROTOCOL, -1);

	if (!error)
		error = tell(wires->connection, ATTACH_GUEST, -1);
	if (!error)
		error = tell(wires->connection, REGION, wires->memory);
	for (uint32_t i = 0; i < wires->vectors && !error; i++)
		error = tell(wires->connection, ATTACH_HOST, wires->host[i]);
	for (uint32_t i = 0; i < wires->vectors && !error; i++)
		error = tell(wires->connection, ATTACH_GUEST, wires->guest[i]);
	return error;
}

static int who_connected(struct attach_wires *wires)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(wires->connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	wires->pid = peer.pid;
	wires->process = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	return wires->process < 0 ? -errno : 0;
}

int attach_accept(struct attach_wires *wires, int listener)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int error;

	wires->connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	/* One that never reads is no QEMU, and is not waited for until it does. */
	if (wires->connection < 0 ||
	    setsockopt(wires->connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	error = who_connected(wires);
	return error ? error : hand_over(wires);
}

/* QEMU waits for ever where it is told nothing, and gives up where it is told of a protocol that it
 * does not know. */
void attach_refuse(int listener)
{
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (connection < 0)
		return;
	(void)tell(connection, UNKNOWN_PROTOCOL, -1);
	close(connection);
}

/* The process is the same one as long as its descriptor shows it alive. */
int attach_has_task(const struct attach_wires *wires, pid_t thread)
{
	char path[64];
	struct stat found;

	if (wires->process < 0 || thread <= 0 ||
	    snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)wires->pid, (int)thread) < 0)
		return 0;
	if (stat(path, &found) < 0)
		return 0;
	return syscall(SYS_pidfd_send_signal, wires->process, 0, NULL, 0) == 0 || errno == EPERM;
}

/* A connection says nothing; that it can be read means that it ended. */
int attach_is_gone(const struct attach_wires *wires)
{
	struct pollfd both[] = {
		{ .fd = wires->process, .events = POLLIN },
		{ .fd = wires->connection, .events = POLLIN },
	};

	return poll(both, 2, 0) > 0;
}
