/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device while another CPU of the guest writes all over the memory that the library reads. What
 * a run does depends on the moment, so that a finding may need several tries to come back.
 */
#include <pthread.h>
#include <stdlib.h>

#include "fuzz/device.h"
#include "runner/random.h"

#define FLIPS 64u

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t there_is_memory = PTHREAD_COND_INITIALIZER;
static volatile uint8_t *memory; /* under the lock */

static void *flip(void *unused)
{
	uint32_t state = 2463534242u;

	(void)unused;
	for (;;) {
		pthread_mutex_lock(&lock);
		while (!memory)
			pthread_cond_wait(&there_is_memory, &lock);
		for (unsigned int i = 0; i < FLIPS; i++) {
			uint32_t at = xorshift32(&state);

			/* Mostly where the heads of entries stand. */
			memory[at % WORLD_RAM_SIZE & ~(at >> 24 & 7u)] ^= (uint8_t)(at >> 16);
		}
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	pthread_t thread;

	(void)argc;
	(void)argv;
	if (pthread_create(&thread, NULL, flip, NULL))
		abort();
	return 0;
}

static void begin(struct world *world)
{
	pthread_mutex_lock(&lock);
	memory = world->ram;
	pthread_cond_signal(&there_is_memory);
	pthread_mutex_unlock(&lock);
}

static void end(struct world *world)
{
	(void)world;
	pthread_mutex_lock(&lock);
	memory = NULL;
	pthread_mutex_unlock(&lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct device_options options = { .memory_moves = 1,
						       .begin = begin,
						       .end = end };

	device_run(&options, data, size);
	return 0;
}
