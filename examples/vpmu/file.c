/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

#include <errno.h>

/* One byte more than any image has: what is longer is seen to be. */
#define MOST (VPMU_IMAGE_MAX_BYTES + 1u)

int file_read(struct file *file, const char *path)
{
	FILE *from = fopen(path, "rb");

	*file = (struct file){ .path = path };
	if (from)
		file->bytes = malloc(MOST);
	if (file->bytes)
		file->length = fread(file->bytes, 1, MOST, from);
	if (!from || !file->bytes || ferror(from)) {
		fprintf(stderr, "vpmu: %s cannot be read: %s\n", path, strerror(errno));
		if (from)
			fclose(from);
		file_free(file);
		return -1;
	}
	fclose(from);
	return 0;
}

void file_free(struct file *file)
{
	free(file->bytes);
	file->bytes = NULL;
}
