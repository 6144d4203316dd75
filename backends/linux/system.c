/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The system calls of backends/linux. This file alone knows errno, and leaves it as it was. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* Turns the answer of a system call into ours: `saved` is errno from before the call. */
static int64_t answer(int64_t result, int saved)
{
	if (result < 0)
		result = -(int64_t)errno;
	errno = saved;
	return result;
}

static int64_t file_read(void *opaque, const char *path, char *to, uint64_t size)
{
	int saved = errno;
	uint64_t used = 0;
	ssize_t length = 1;
	int file = open(path, O_RDONLY | O_CLOEXEC);

	(void)opaque;
	if (file < 0)
		return answer(-1, saved);
	while (length > 0 && used < size - 1) {
		length = read(file, to + used, (size_t)(size - 1 - used));
		used += length > 0 ? (uint64_t)length : 0;
	}
	to[used] = '\0';
	length = (ssize_t)answer(length < 0 ? -1 : (int64_t)used, saved);
	close(file);
	errno = saved;
	return length;
}

static int64_t file_write(void *opaque, const char *path, const char *text, uint64_t length)
{
	int saved = errno;
	int64_t result;
	int file = open(path, O_WRONLY | O_CLOEXEC);

	(void)opaque;
	if (file < 0)
		return answer(-1, saved);
	result = answer(write(file, text, (size_t)length), saved);
	close(file);
	errno = saved;
	return result;
}

static int64_t list(void *opaque, const char *path, void (*entry)(void *to, const char *name),
		    void *to)
{
	int saved = errno;
	DIR *directory = opendir(path);
	const struct dirent *found;

	(void)opaque;
	if (!directory)
		return answer(-1, saved);
	errno = 0;
	while ((found = readdir(directory)) != NULL)
		if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
			entry(to, found->d_name);

	int64_t result = -(int64_t)errno;

	closedir(directory);
	errno = saved;
	return result;
}

static int64_t link_read(void *opaque, const char *path, char *to, uint64_t size)
{
	int saved = errno;
	int64_t length = readlink(path, to, (size_t)(size - 1));

	(void)opaque;
	if (length < 0)
		return answer(-1, saved);
	to[length] = '\0';
	return length;
}

static int64_t directory_make(void *opaque, const char *path)
{
	int saved = errno;

	(void)opaque;
	return answer(mkdir(path, 0755), saved);
}

static int64_t directory_remove(void *opaque, const char *path)
{
	int saved = errno;

	(void)opaque;
	return answer(rmdir(path), saved);
}

static int64_t process_open(void *opaque, int64_t pid)
{
	int saved = errno;

	(void)opaque;
	return answer(syscall(SYS_pidfd_open, (pid_t)pid, 0), saved);
}

/* A pidfd becomes readable when its process ends. */
static int64_t process_alive(void *opaque, int32_t descriptor)
{
	struct pollfd poll_for = { .fd = descriptor, .events = POLLIN };
	int saved = errno;
	int result = poll(&poll_for, 1, 0);

	(void)opaque;
	if (result < 0)
		return answer(-1, saved);
	return result > 0 ? -ESRCH : 0;
}

static int64_t close_one(void *opaque, int32_t descriptor)
{
	int saved = errno;

	(void)opaque;
	return answer(close(descriptor), saved);
}

static int64_t descriptor_limit(void *opaque)
{
	int saved = errno;
	struct rlimit limit;
	uint64_t soft;

	(void)opaque;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return answer(-1, saved);
	soft = limit.rlim_cur;
	return soft > INT64_MAX ? INT64_MAX : (int64_t)soft;
}

static void *allocate(void *opaque, uint64_t size)
{
	int saved = errno;
	void *memory = size > SIZE_MAX ? NULL : calloc(1, (size_t)size);

	(void)opaque;
	errno = saved;
	return memory;
}

static void release(void *opaque, void *memory, uint64_t size)
{
	int saved = errno;

	(void)opaque;
	(void)size;
	free(memory);
	errno = saved;
}

void vpmu_linux_system_default(struct vpmu_linux_system *system)
{
	*system = (struct vpmu_linux_system){
		.size = sizeof(*system),
		.file_read = file_read,
		.file_write = file_write,
		.list = list,
		.link_read = link_read,
		.directory_make = directory_make,
		.directory_remove = directory_remove,
		.process_open = process_open,
		.process_alive = process_alive,
		.close = close_one,
		.descriptor_limit = descriptor_limit,
		.allocate = allocate,
		.release = release,
	};
}

static int is_whole(const struct vpmu_linux_system *system)
{
	return system->file_read && system->file_write && system->list && system->link_read &&
	       system->directory_make && system->directory_remove && system->process_open &&
	       system->process_alive && system->close && system->descriptor_limit &&
	       system->allocate && system->release;
}

int vpmu_linux_system_copy(struct vpmu_linux_system *to, const struct vpmu_linux_system *from)
{
	int error;

	if (!from) {
		vpmu_linux_system_default(to);
		return 0;
	}
	error = vpmu_sized_check(from, sizeof(*to));
	if (error)
		return error;
	memcpy(to, from, sizeof(*to));
	return is_whole(to) ? 0 : VPMU_ERROR_INVALID;
}

int vpmu_linux_error(int64_t result)
{
	static const struct {
		int number, error;
	} known[] = {
		{ ESRCH, VPMU_ERROR_GONE },	    { ENOENT, VPMU_ERROR_GONE },
		{ EINVAL, VPMU_ERROR_GONE },	    { EACCES, VPMU_ERROR_DENIED },
		{ EPERM, VPMU_ERROR_DENIED },	    { EROFS, VPMU_ERROR_DENIED },
		{ EMFILE, VPMU_ERROR_LIMIT },	    { ENFILE, VPMU_ERROR_LIMIT },
		{ ENOSPC, VPMU_ERROR_LIMIT },	    { ENOMEM, VPMU_ERROR_NO_MEMORY },
		{ ENOSYS, VPMU_ERROR_UNSUPPORTED }, { EOPNOTSUPP, VPMU_ERROR_UNSUPPORTED },
	};

	if (result >= 0)
		return 0;
	for (uint32_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].number == -result)
			return known[i].error;
	return VPMU_ERROR_SYSTEM;
}

static void count_entry(void *to, const char *name)
{
	(void)name;
	++*(int64_t *)to;
}

int64_t vpmu_linux_descriptors(void *opaque)
{
	struct vpmu_linux_system system;
	int64_t used = -1; /* the listing itself needs one, which is closed again */
	int64_t limit, result;

	if (vpmu_linux_system_copy(&system, opaque))
		return -EINVAL;
	limit = system.descriptor_limit(system.opaque);
	result = system.list(system.opaque, "/proc/self/fd", count_entry, &used);
	if (limit < 0 || result < 0)
		return limit < 0 ? limit : result;
	return limit > used ? limit - used : 0;
}
