/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Places of the file system that this tool makes its own: what is another's is left alone. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tool.h"

/* A socket that nobody serves refuses; so does a file that is none, which was looked at before. */
static int is_served(const struct sockaddr_un *address)
{
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int refused = probe >= 0 &&
		      connect(probe, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
		      errno == ECONNREFUSED;

	if (probe >= 0)
		close(probe);
	return !refused;
}

int place_for_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat found;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	if (lstat(path, &found) != 0)
		return errno == ENOENT ? 0 : -errno;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (!S_ISSOCK(found.st_mode) || is_served(&address))
		return -EADDRINUSE;
	return unlink(path) == 0 ? 0 : -errno;
}

int place_for_file(const char *path)
{
	struct stat found;

	if (lstat(path, &found) != 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISREG(found.st_mode) ? 0 : -EEXIST;
}
