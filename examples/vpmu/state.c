/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Counts that are kept in a file, so that they go on after the exporter was started anew. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch.h"

#define MAGIC "vpmu-export-state 1\n"

enum { MOST_BASES = 1 << 20 };

/* A VM is the same while its process is: pid, and when that began. */
static uint64_t birth(const struct target *target)
{
	struct vpmu_monitor_thread thread = { .thread = target->pid };

	return vpmu_process_thread(target->process, &thread) == 0 ? thread.born : 0;
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
	fprintf(file, "vm %" PRId64 " %" PRIu64 "\n", target->pid, birth(target));
	for (int i = 0; i < count && i < room; i++)
		write_base(file, &bases[i]);
	free(bases);
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

		if (target->vm && target->pid == pid && birth(target) == born)
			return target;
	}
	return NULL;
}

/* Gives a VM what was read for it. */
static int give(struct target *target, const struct vpmu_monitor_base *bases, uint32_t count)
{
	if (!target || !count)
		return 0;
	return vpmu_monitor_restore(target->vm, bases, count) ? -1 : 0;
}

static int read_lines(struct session *session, FILE *file, struct vpmu_monitor_base *bases)
{
	struct target *target = NULL;
	uint32_t count = 0;
	uint64_t born;
	int64_t pid;
	char line[512];

	if (!fgets(line, sizeof(line), file) || strcmp(line, MAGIC) != 0)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "vm %" SCNd64 " %" SCNu64, &pid, &born) == 2) {
			if (give(target, bases, count))
				return -1;
			target = find_target(session, pid, born);
			count = 0;
		} else if (strcmp(line, "end\n") == 0) {
			return give(target, bases, count);
		} else if (count == MOST_BASES || read_base(line, &bases[count++])) {
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
		return 0; /* the first time there is none */
	bases = calloc(MOST_BASES, sizeof(*bases));
	result = bases ? read_lines(session, file, bases) : -1;
	free(bases);
	fclose(file);
	return result;
}
