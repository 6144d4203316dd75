/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* In place of what reads JSON, where the tool is built without jansson. */
#include <stdio.h>

#include "guest.h"
#include "image.h"
#include "tool.h"
#include "watch.h"

#define REMEDY "this vpmu was built without jansson; install libjansson-dev and build again"

static int cannot(const char *what)
{
	fprintf(stderr, "vpmu: %s: " REMEDY "\n", what);
	return -1;
}

int attach_main(int count, char **arguments)
{
	(void)count;
	(void)arguments;
	(void)cannot("attach");
	return TOOL_FAILED;
}

int guest_serve(const char *path)
{
	(void)cannot(path);
	return TOOL_FAILED;
}

int watch_ask(const char *path, struct qmp_asked *asked)
{
	(void)path;
	snprintf(asked->why, sizeof(asked->why), "%s, or use --pid", REMEDY);
	return -1;
}

int host_description(struct host *host, const char *path)
{
	(void)host;
	return cannot(path);
}

int profile_description(struct vpmu_profile *profile, const char *path)
{
	(void)profile;
	return cannot(path);
}
