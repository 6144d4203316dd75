/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Hosts and profiles as JSON: what other commands of the tool printed, perhaps elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <vpmu/convert.h>

#include "image.h"

static json_t *load(const char *path, const char *remedy)
{
	json_error_t error;
	struct file file;
	json_t *root;

	if (file_read(&file, path) != 0)
		return NULL;
	root = json_loadb((const char *)file.bytes, (size_t)file.length, 0, &error);
	file_free(&file);
	if (!root)
		fprintf(stderr, "vpmu: %s: line %d: %s: give a file that %s wrote\n", path,
			error.line, error.text, remedy);
	return root;
}

static int complain(const char *path, const char *key, const char *remedy)
{
	fprintf(stderr, "vpmu: %s: no usable \"%s\": give a file that %s wrote\n", path, key,
		remedy);
	return -1;
}

static void add_event(struct host *host, const struct guest_perf_attr *attr)
{
	uint64_t config = attr->config;

	if (attr->type == VPMU_TYPE_HARDWARE) {
		host->facts.hardware_events |= 1ull << config;
	} else if (attr->type == VPMU_TYPE_HOST_SOFTWARE) {
		host->facts.software_events |= 1ull << config;
	} else {
		host->facts.cache_events = 1;
		host->cache_set |=
			1ull << (((config & 0xff) * 3 + (config >> 8 & 0xff)) * 2 + (config >> 16));
	}
}

/* The names of the key's value, all of one type of event. */
static int read_events(struct host *host, const json_t *root, const char *key, uint64_t type)
{
	const json_t *names = json_object_get(json_object_get(root, key), "value");
	const json_t *name;
	size_t index;

	if (!json_is_array(names))
		return complain(host->path, key, "vpmu probe --json");
	json_array_foreach(names, index, name)
	{
		struct guest_perf_attr attr;
		const char *text = json_string_value(name);

		if (!text || vpmu_convert_parse(text, strlen(text), &attr, NULL) != 0 ||
		    attr.type != type)
			return complain(host->path, key, "vpmu probe --json");
		add_event(host, &attr);
	}
	return 0;
}

/* Whether there is a PMU of the host's own whose raw events can be counted. */
static int read_raw(struct host *host, const json_t *root)
{
	const json_t *value = json_object_get(json_object_get(root, "raw_events"), "value");

	if (!json_is_string(value))
		return complain(host->path, "raw_events", "vpmu probe --json");
	host->facts.raw_events = strcmp(json_string_value(value), "yes") == 0;
	return 0;
}

static int read_host(struct host *host, const json_t *root)
{
	const json_t *counters = json_object_get(json_object_get(root, "counters"), "value");

	if (read_events(host, root, "hardware_events", VPMU_TYPE_HARDWARE) ||
	    read_events(host, root, "cache_events", VPMU_TYPE_CACHE) ||
	    read_events(host, root, "software_events", VPMU_TYPE_HOST_SOFTWARE) ||
	    read_raw(host, root))
		return -1;
	if (!json_is_integer(counters) && !json_is_null(counters))
		return complain(host->path, "counters", "vpmu probe --json");
	if (json_integer_value(counters) > 0 && json_integer_value(counters) <= UINT32_MAX)
		host->facts.counters = (uint32_t)json_integer_value(counters);
	return 0;
}

int host_description(struct host *host, const char *path)
{
	json_t *root = load(path, "vpmu probe --json");
	int result;

	*host = (struct host){ .path = path, .facts.size = sizeof(host->facts) };
	if (!root)
		return -1;
	result = read_host(host, root);
	json_decref(root);
	return result;
}

struct member {
	const char *key;
	size_t offset;
	size_t size;
};

#define MEMBER(name)                                             \
	{                                                        \
#name, offsetof(struct vpmu_profile, name),      \
			sizeof(((struct vpmu_profile *)0)->name) \
	}

static const struct member members[] = {
	MEMBER(features),	 MEMBER(period_floor),	  MEMBER(hardware_events),
	MEMBER(software_events), MEMBER(cache_events),	  MEMBER(pmu_model),
	MEMBER(level),		 MEMBER(slots),		  MEMBER(counting),
	MEMBER(batch_words),	 MEMBER(slot_operations),
};

static int word_of(const json_t *value, uint64_t *word)
{
	const char *text = json_string_value(value);
	char *end;

	if (!text || !*text)
		return -1;
	*word = strtoull(text, &end, 0);
	return *end ? -1 : 0;
}

static int read_profile(struct vpmu_profile *profile, const json_t *root, const char *path)
{
	const json_t *object = json_object_get(root, "profile");

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		char *to = (char *)profile + members[i].offset;
		uint64_t word;
		uint32_t half;

		if (word_of(json_object_get(object, members[i].key), &word) ||
		    (members[i].size == sizeof(half) && word > UINT32_MAX))
			return complain(path, members[i].key, "vpmu baseline --json");
		half = (uint32_t)word;
		memcpy(to, members[i].size == sizeof(half) ? (void *)&half : (void *)&word,
		       members[i].size);
	}
	return 0;
}

int profile_description(struct vpmu_profile *profile, const char *path)
{
	json_t *root = load(path, "vpmu baseline --json");
	int result;

	vpmu_profile_default(profile);
	if (!root)
		return -1;
	result = read_profile(profile, root, path);
	json_decref(root);
	return result;
}
