/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Counts that are kept in a file, so that they go on after the exporter was started anew. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch.h"

#define MAGIC "vpmu-export-state 1\n"

enum { MOST_BASES = 1 << 20 };

/*
 * What was loaded for a VM that is there and not watched, since its socket was silent when this run
 * began, say: it is for the run that finds it.
 */
struct kept {
	struct kept *next;
	struct vpmu_process *process;
	int64_t pid;
	uint64_t born;
	uint32_t count;
	struct vpmu_monitor_base bases[];
};

/* A VM is the same while its process is: pid, and when that began; 0 when it has ended. */
static uint64_t birth(struct vpmu_process *process, int64_t pid)
{
	struct vpmu_monitor_thread thread = { .thread = pid };

	return vpmu_process_thread(process, &thread) == 0 ? thread.born : 0;
}

static void write_base(FILE *file, const struct vpmu_monitor_base *base)
{
	const struct guest_perf_attr *attr = &base->event.attr;

	fprintf(file,
		"base %u %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u %" PRIu64
		" %" PRIu64 " %" PRIu64 "\n",
		base->event.meter, base->event.scope, attr->type, attr->config, attr->config1,
		attr->config2, attr->flags, base->vcpu, base->value, base->enabled, base->running);
}

static void write_target(FILE *file, struct target *target)
{
	int count = vpmu_monitor_save(target->vm, NULL, 0);
	struct vpmu_monitor_base *bases = calloc((size_t)count + 1, sizeof(*bases));
	int room = count;

	if (!bases)
		return;
	count = vpmu_monitor_save(target->vm, bases, (uint32_t)room);
	fprintf(file, "vm %" PRId64 " %" PRIu64 "\n", target->pid,
		birth(target->process, target->pid));
	for (int i = 0; i < count && i < room; i++)
		write_base(file, &bases[i]);
	free(bases);
}

static void write_kept(FILE *file, const struct kept *kept)
{
	if (birth(kept->process, kept->pid) != kept->born)
		return;
	fprintf(file, "vm %" PRId64 " %" PRIu64 "\n", kept->pid, kept->born);
	for (uint32_t i = 0; i < kept->count; i++)
		write_base(file, &kept->bases[i]);
}

int state_save(struct session *session, const char *path)
{
	char beside[4096];
	FILE *file;
	int failed;

	if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
		return -1;
	file = fopen(beside, "w");
	if (!file)
		return -1;
	fputs(MAGIC, file);
	for (uint32_t i = 0; i < session->target_count; i++)
		if (session->targets[i].vm && !session->targets[i].gone)
			write_target(file, &session->targets[i]);
	for (const struct kept *kept = session->kept; kept; kept = kept->next)
		write_kept(file, kept);
	fputs("end\n", file);
	failed = fflush(file) != 0 || ferror(file) || fsync(fileno(file)) != 0;
	failed |= fclose(file) != 0;
	if (failed || rename(beside, path) != 0) {
		unlink(beside);
		return -1;
	}
	return 0;
}

static int read_base(const char *line, struct vpmu_monitor_base *base)
{
	struct guest_perf_attr *attr = &base->event.attr;

	memset(base, 0, sizeof(*base));
	return sscanf(line,
		      "base %u %u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		      " %u %" SCNu64 " %" SCNu64 " %" SCNu64,
		      &base->event.meter, &base->event.scope, &attr->type, &attr->config,
		      &attr->config1, &attr->config2, &attr->flags, &base->vcpu, &base->value,
		      &base->enabled, &base->running) == 11 ?
		       0 :
		       -1;
}

static struct target *find_target(struct session *session, int64_t pid, uint64_t born)
{
	for (uint32_t i = 0; i < session->target_count; i++) {
		struct target *target = &session->targets[i];

		if (target->vm && target->pid == pid && birth(target->process, pid) == born)
			return target;
	}
	return NULL;
}

/* A VM of the file. */
struct record {
	int64_t pid;
	uint64_t born;
	uint32_t count;
	struct vpmu_monitor_base *bases;
};

/* As long as the process is there: a later one of that number is another VM. */
static void keep(struct session *session, const struct record *record)
{
	size_t bytes = record->count * sizeof(record->bases[0]);
	struct vpmu_process *process;
	struct kept *kept;

	if (vpmu_process_open(NULL, record->pid, &process))
		return;
	kept = birth(process, record->pid) == record->born ? malloc(sizeof(*kept) + bytes) : NULL;
	if (!kept) {
		vpmu_process_close(process);
		return;
	}
	*kept = (struct kept){ .next = session->kept,
			       .process = process,
			       .pid = record->pid,
			       .born = record->born,
			       .count = record->count };
	memcpy(kept->bases, record->bases, bytes);
	session->kept = kept;
}

/* Gives a VM what was read for it. */
static int give(struct session *session, const struct record *record)
{
	const struct target *target;

	if (!record->count)
		return 0;
	target = find_target(session, record->pid, record->born);
	if (!target) {
		keep(session, record);
		return 0;
	}
	return vpmu_monitor_restore(target->vm, record->bases, record->count) ? -1 : 0;
}

/* What was kept for a VM that is found late: before its events begin. */
void state_adopt(struct session *session, struct target *target)
{
	for (struct kept **at = &session->kept; *at; at = &(*at)->next) {
		struct kept *kept = *at;

		if (kept->pid != target->pid || birth(target->process, target->pid) != kept->born)
			continue;
		(void)vpmu_monitor_restore(target->vm, kept->bases, kept->count);
		*at = kept->next;
		vpmu_process_close(kept->process);
		free(kept);
		return;
	}
}

static int read_lines(struct session *session, FILE *file, struct vpmu_monitor_base *bases)
{
	struct record record = { .bases = bases };
	struct record next = record;
	char line[512];

	if (!fgets(line, sizeof(line), file) || strcmp(line, MAGIC) != 0)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "vm %" SCNd64 " %" SCNu64, &next.pid, &next.born) == 2) {
			if (give(session, &record))
				return -1;
			record = next;
		} else if (strcmp(line, "end\n") == 0) {
			return give(session, &record);
		} else if (record.count == MOST_BASES || read_base(line, &bases[record.count++])) {
			return -1;
		}
	}
	return -1;
}

int state_load(struct session *session, const char *path)
{
	FILE *file = fopen(path, "r");
	struct vpmu_monitor_base *bases;
	int result;

	if (!file)
		return errno == ENOENT ? 0 : -1; /* the first time there is none */
	bases = calloc(MOST_BASES, sizeof(*bases));
	result = bases ? read_lines(session, file, bases) : -1;
	free(bases);
	fclose(file);
	return result;
}

void state_end(struct session *session)
{
	while (session->kept) {
		struct kept *kept = session->kept;

		session->kept = kept->next;
		vpmu_process_close(kept->process);
		free(kept);
	}
}
