/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The counter source of vpmu attach: perf on the threads of another process, or a plugin in QEMU.
 * Threads of others end at any time and their numbers come again, so a thread is looked at once
 * more after each event was opened on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"

struct watched {
	vpmu_attention attention;
	void *opaque;
	void *inner; /* what the inner source attached */
	struct watched *next;
	int64_t thread;
	uint32_t groups;  /* open ones */
	uint32_t periods; /* 1 while one of them may have a notice to wait for */
};

struct attach_source {
	struct attach_thread_ops threads;
	struct vpmu_source_ops ops;
	struct vpmu_perf *perf;
	struct vpmu_tcg *tcg;
	void *shared; /* the plugin's file */
	uint64_t shared_size;
	int notice; /* its FIFO */
	struct watched *watched;
	uint32_t periods; /* threads with periods */
};

static void *allocate(void *opaque, uint64_t size)
{
	(void)opaque;
	return calloc(1, size);
}

static void release(void *opaque, void *memory, uint64_t size)
{
	(void)opaque;
	(void)size;
	free(memory);
}

static void tell(void *opaque, uint32_t level, const char *text)
{
	(void)opaque;
	(void)level;
	attach_say("%s", text);
}

/* ---- perf, with a second look ---------------------------------------------------------------- */

static int perf_probe(void *opaque, struct vpmu_source_facts *facts)
{
	struct attach_source *source = opaque;

	return vpmu_perf_ops()->probe(source->perf, facts);
}

static int perf_attach(void *opaque, const struct vpmu_source_thread *thread, void **attached)
{
	struct attach_source *source = opaque;
	struct watched *made = calloc(1, sizeof(*made));
	int error;

	if (!made)
		return VPMU_ERROR_NO_MEMORY;
	made->attention = thread->attention;
	made->opaque = thread->opaque;
	made->thread = thread->id;
	error = vpmu_perf_ops()->attach(source->perf, thread, &made->inner);
	if (error < 0) {
		free(made);
		return error;
	}
	made->next = source->watched;
	source->watched = made;
	*attached = made;
	return error;
}

static void note_no_period(struct attach_source *source, struct watched *watched)
{
	source->periods -= watched->periods;
	watched->periods = 0;
}

static void perf_detach(void *opaque, void *attached)
{
	struct attach_source *source = opaque;
	struct watched *watched = attached, **at = &source->watched;

	note_no_period(source, watched);
	while (*at != watched)
		at = &(*at)->next;
	*at = watched->next;
	vpmu_perf_ops()->detach(source->perf, watched->inner);
	free(watched);
}

static void note_period(struct attach_source *source, struct watched *watched, uint64_t left)
{
	if (!left)
		return;
	source->periods += !watched->periods;
	watched->periods = 1;
}

static int perf_open(void *opaque, void *attached, struct vpmu_source_event *events, uint32_t count,
		     uint32_t flags, struct vpmu_source_opened *opened)
{
	struct attach_source *source = opaque;
	struct watched *watched = attached;
	int error =
		vpmu_perf_ops()->open(source->perf, watched->inner, events, count, flags, opened);

	if (error < 0)
		return error;
	if (!source->threads.is_ours(source->threads.opaque, watched->thread)) {
		vpmu_perf_ops()->close(source->perf, watched->inner, opened->group, 0);
		opened->failed = 0;
		return VPMU_ERROR_GONE;
	}
	watched->groups++;
	for (uint32_t i = 0; i < count; i++)
		note_period(source, watched, events[i].left);
	return error;
}

static void perf_close(void *opaque, void *attached, void *group, uint32_t keep)
{
	struct attach_source *source = opaque;
	struct watched *watched = attached;

	vpmu_perf_ops()->close(source->perf, watched->inner, group, keep);
	if (--watched->groups == 0)
		note_no_period(source, watched);
}

static int perf_run(void *opaque, void *attached, void *group, uint32_t on)
{
	struct attach_source *source = opaque;
	struct watched *watched = attached;

	return vpmu_perf_ops()->run(source->perf, watched->inner, group, on);
}

static int perf_read(void *opaque, void *attached, void *group, struct vpmu_source_reading *reading)
{
	struct attach_source *source = opaque;
	struct watched *watched = attached;

	return vpmu_perf_ops()->read(source->perf, watched->inner, group, reading);
}

static int perf_period(void *opaque, void *attached, void *group, uint32_t member, uint64_t left)
{
	struct attach_source *source = opaque;
	struct watched *watched = attached;

	note_period(source, watched, left);
	return vpmu_perf_ops()->period(source->perf, watched->inner, group, member, left);
}

static int perf_edge(void *opaque, void *attached, uint32_t edge)
{
	struct attach_source *source = opaque;
	struct watched *watched = attached;

	return vpmu_perf_ops()->edge(source->perf, watched->inner, edge);
}

static int begin_perf(struct attach_source *source, int runs_guest)
{
	struct vpmu_perf_config config = {
		.size = sizeof(config),
		.flags = runs_guest ? VPMU_PERF_THREADS_RUN_GUEST : 0,
		.log = tell,
		/* The edges of another process's threads are not known here. */
		.gate = VPMU_PERF_GATE_NEVER,
	};

	source->ops = (struct vpmu_source_ops){
		.size = sizeof(source->ops),
		.probe = perf_probe,
		.attach = perf_attach,
		.detach = perf_detach,
		.open = perf_open,
		.close = perf_close,
		.run = perf_run,
		.read = perf_read,
		.period = perf_period,
		.edge = perf_edge,
		.edges = vpmu_perf_ops()->edges,
	};
	return vpmu_perf_create(&config, &source->perf);
}

/* ---- the plugin ------------------------------------------------------------------------------ */

/* ns for which a thread of QEMU has run: the first number of its schedstat. When it ended its
 * number may be of a thread of others. */
static int64_t thread_time(void *opaque, uint32_t vcpu)
{
	struct attach_source *source = opaque;
	int64_t thread = source->threads.thread_of(source->threads.opaque, vcpu);
	char path[64], text[64];
	ssize_t got;
	int file;

	if (thread <= 0 || snprintf(path, sizeof(path), "/proc/%d/task/%lld/schedstat",
				    (int)source->threads.process, (long long)thread) < 0)
		return VPMU_ERROR_GONE;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return VPMU_ERROR_GONE;
	got = read(file, text, sizeof(text) - 1);
	close(file);
	if (got <= 0)
		return VPMU_ERROR_GONE;
	text[got] = '\0';
	return (int64_t)strtoll(text, NULL, 10);
}

/* A plugin locks its file as long as its QEMU lives; without one, what is there would never
 * change. */
static int has_plugin(int file)
{
	struct flock all = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return fcntl(file, F_OFD_GETLK, &all) == 0 && all.l_type != F_UNLCK;
}

static void blame(const char *path, pid_t process, pid_t other)
{
	char who[32] = "another process";

	if (other)
		(void)snprintf(who, sizeof(who), "process %d", (int)other);
	attach_say("%s: QEMU %d does not count in it, %s does: --tcg must name the file that this "
		   "QEMU's -plugin has as shared=FILE",
		   path, (int)process, who);
}

/* The file must be the one that this QEMU counts in: the counts of another would look as true. */
static int check_counter(pid_t process, int file, const char *path)
{
	struct stat found;
	int counts;

	if (fstat(file, &found) < 0 || !S_ISREG(found.st_mode) || found.st_size < 1) {
		attach_say("%s: not a file of the plugin", path);
		return -1;
	}
	if (!has_plugin(file)) {
		attach_say("%s: no QEMU has the plugin with this file", path);
		return -1;
	}
	counts = attach_counts_in(process, &found);
	if (counts < 0)
		attach_say("%s: whether QEMU %d counts in it cannot be seen (%s): this needs its "
			   "user, or the right to trace it",
			   path, (int)process, strerror(-counts));
	if (counts == 0)
		blame(path, process, attach_who_counts_in(&found));
	return counts > 0 ? 0 : -1;
}

static int map_shared(struct attach_source *source, const char *path)
{
	int file = open(path, O_RDWR | O_CLOEXEC);
	void *memory = MAP_FAILED;
	struct stat found;

	if (file < 0) {
		attach_say("%s: %s", path, strerror(errno));
		return VPMU_ERROR_SYSTEM;
	}
	if (check_counter(source->threads.process, file, path) == 0 && fstat(file, &found) == 0)
		memory = mmap(NULL, (size_t)found.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file,
			      0);
	close(file);
	if (memory == MAP_FAILED)
		return VPMU_ERROR_SYSTEM;
	source->shared = memory;
	source->shared_size = (uint64_t)found.st_size;
	return 0;
}

static int open_notice(const char *path)
{
	char name[4096];

	if ((size_t)snprintf(name, sizeof(name), "%s.notify", path) >= sizeof(name))
		return -1;
	return open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static int begin_tcg(struct attach_source *source, const char *path)
{
	struct vpmu_tcg_config config = {
		.size = sizeof(config),
		.opaque = source,
		.thread_time = thread_time,
		.allocate = allocate,
		.release = release,
	};
	int error = map_shared(source, path);

	if (error)
		return error;
	config.shared = source->shared;
	config.shared_size = source->shared_size;
	source->notice = open_notice(path);
	source->ops = *vpmu_tcg_ops();
	return vpmu_tcg_create(&config, &source->tcg);
}

/* ---- either ---------------------------------------------------------------------------------- */

struct attach_source *attach_source_new(const struct attach_options *options, int runs_guest,
					const struct attach_thread_ops *threads)
{
	struct attach_source *source = calloc(1, sizeof(*source));
	int error;

	if (!source)
		return NULL;
	source->threads = *threads;
	source->notice = -1;
	error = options->tcg ? begin_tcg(source, options->tcg) : begin_perf(source, runs_guest);
	if (!error)
		return source;
	attach_say("nothing to count with: %s", vpmu_error_text(error));
	attach_source_drop(source);
	return NULL;
}

void attach_source_drop(struct attach_source *source)
{
	if (!source)
		return;
	vpmu_perf_destroy(source->perf);
	vpmu_tcg_destroy(source->tcg);
	if (source->shared)
		munmap(source->shared, source->shared_size);
	if (source->notice >= 0)
		close(source->notice);
	free(source);
}

const struct vpmu_source_ops *attach_source_ops(const struct attach_source *source)
{
	return &source->ops;
}

void *attach_source_opaque(struct attach_source *source)
{
	return source->tcg ? (void *)source->tcg : source;
}

int64_t attach_source_id(const struct attach_source *source, uint32_t vcpu, int64_t thread)
{
	return source->tcg ? (int64_t)vcpu : thread;
}

int attach_source_notice(const struct attach_source *source)
{
	return source->notice;
}

int attach_source_polls(const struct attach_source *source)
{
	return source->periods > 0;
}

void attach_source_look(struct attach_source *source, uint32_t vcpu)
{
	int64_t thread = source->threads.thread_of(source->threads.opaque, vcpu);

	if (source->tcg)
		vpmu_tcg_notified(source->tcg, vcpu);
	for (struct watched *watched = source->watched; watched; watched = watched->next)
		if (watched->thread == thread && watched->periods)
			watched->attention(watched->opaque, 1ull << 63);
}
