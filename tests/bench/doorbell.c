/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doorbell SOCKET: the least that a process beside QEMU's ivshmem device can do. When the guest
 * rings it stores the word that the guest stored before, and nothing else: what the mailbox is
 * measured beside. Ends with QEMU.
 */
#define _GNU_SOURCE

#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <vpmu/abi.h>

#define SIZE 65536u
#define VECTORS 2
#define ASK (16384 / 8)
#define ANSWER (ASK + 8)

static void tell(int to, int64_t number, int descriptor)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec word = { &number, sizeof(number) };
	struct msghdr message = { .msg_iov = &word, .msg_iovlen = 1 };

	if (descriptor >= 0) {
		struct cmsghdr *header = (struct cmsghdr *)control;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
	}
	if (sendmsg(to, &message, MSG_NOSIGNAL) < 0)
		perror("doorbell");
}

static int accept_one(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	unlink(path);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 1) < 0)
		return -1;
	puts("listening");
	fflush(stdout);
	return accept(listener, NULL, NULL);
}

static _Atomic uint64_t *begin(int connection, int *bell)
{
	int memory = memfd_create("doorbell", 0);
	void *region = MAP_FAILED;

	*bell = eventfd(0, EFD_NONBLOCK);
	if (memory >= 0 && ftruncate(memory, SIZE) == 0)
		region = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (region == MAP_FAILED)
		return NULL;
	tell(connection, 0, -1);
	tell(connection, 0, -1);
	tell(connection, -1, memory);
	for (int i = 0; i < VECTORS; i++)
		tell(connection, 1, *bell);
	for (int i = 0; i < VECTORS; i++)
		tell(connection, 0, eventfd(0, 0));
	return region;
}

/* By the same call that vpmu attach waits with. */
static void serve(_Atomic uint64_t *region, int bell, int connection)
{
	struct epoll_event wanted = { .events = EPOLLIN }, ready[16];
	int both = epoll_create1(0);

	wanted.data.fd = bell;
	epoll_ctl(both, EPOLL_CTL_ADD, bell, &wanted);
	wanted.data.fd = connection;
	epoll_ctl(both, EPOLL_CTL_ADD, connection, &wanted);
	for (;;) {
		int count = epoll_wait(both, ready, 16, -1);

		for (int i = 0; i < count; i++) {
			uint64_t rings;

			if (ready[i].data.fd == connection)
				return;
			if (read(bell, &rings, sizeof(rings)) > 0)
				atomic_store(&region[ANSWER], atomic_load(&region[ASK]));
		}
	}
}

int main(int argc, char **argv)
{
	_Atomic uint64_t *region;
	int bell, connection;

	if (argc != 2)
		return 2;
	connection = accept_one(argv[1]);
	region = connection < 0 ? NULL : begin(connection, &bell);
	if (!region)
		return 1;
	serve(region, bell, connection);
	return 0;
}
