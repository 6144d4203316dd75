/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The source itself: its life, and the threads that it knows. */
#include <signal.h>
#include <string.h>

#include "internal.h"

/* Signals above 31 are real-time ones: their queue can be full, and what comes instead ends the
 * VMM. */
static int signal_is_fit(uint32_t number)
{
	return number < 32 && number != SIGKILL && number != SIGSTOP;
}

static int system_is_whole(const struct vpmu_perf_system *system)
{
	return system->event_open && system->event_ioctl && system->event_fcntl &&
	       system->event_read && system->event_close && system->thread_exists &&
	       system->thread_self && system->descriptor_limit && system->file_text &&
	       system->allocate && system->release;
}

void vpmu_perf_mediated_look(struct vpmu_perf *perf)
{
	const struct vpmu_perf_system *system = &perf->system;
	static const char *const paths[] = {
		"/sys/module/kvm_intel/parameters/enable_mediated_pmu",
		"/sys/module/kvm_amd/parameters/enable_mediated_pmu",
	};
	uint32_t on = 0;
	char text[8];

	for (unsigned int i = 0; !on && i < sizeof(paths) / sizeof(paths[0]); i++)
		on = system->file_text(system->opaque, paths[i], text, sizeof(text)) > 0 &&
		     (text[0] == 'Y' || text[0] == '1');
	atomic_store(&perf->mediated, on);
}

static int config_check(const struct vpmu_perf_config *config, struct vpmu_perf_system *system)
{
	if (config->flags & ~(VPMU_PERF_THREADS_RUN_GUEST | VPMU_PERF_BESIDE_MEDIATED |
			      VPMU_PERF_THREADS_WATCHED | VPMU_PERF_LOONGARCH))
		return VPMU_ERROR_INVALID;
	if (!signal_is_fit(config->signal) || config->gate > VPMU_PERF_GATE_ALWAYS)
		return VPMU_ERROR_INVALID;
	if (!config->system) {
		vpmu_perf_system_default(system);
		return 0;
	}
	int error = vpmu_sized_copy(system, sizeof(*system), config->system);

	if (error)
		return error;
	return system_is_whole(system) ? 0 : VPMU_ERROR_INVALID;
}

int vpmu_perf_create(const struct vpmu_perf_config *config, struct vpmu_perf **perf)
{
	struct vpmu_perf_system system;
	struct vpmu_perf_config copy;
	struct vpmu_perf *made;
	int error = vpmu_sized_copy(&copy, sizeof(copy), config);

	if (!error)
		error = config_check(&copy, &system);
	if (error)
		return error;
	made = system.allocate(system.opaque, sizeof(*made));
	if (!made)
		return VPMU_ERROR_NO_MEMORY;
	made->system = system;
	made->config = copy;
#ifdef __loongarch__
	made->config.flags |= VPMU_PERF_LOONGARCH;
#endif
	made->gates = made->config.gate == VPMU_PERF_GATE_ALWAYS ||
		      (made->config.gate == VPMU_PERF_GATE_AUTOMATIC &&
		       made->config.flags & VPMU_PERF_LOONGARCH);
	vpmu_perf_mediated_look(made);
	vpmu_perf_limit_look(made);
	vpmu_perf_rate_look(made);
	*perf = made;
	return 0;
}

int vpmu_perf_destroy(struct vpmu_perf *perf)
{
	if (!perf)
		return 0;
	if (atomic_load(&perf->attached) != 0)
		return VPMU_ERROR_STATE;

	struct vpmu_perf_system system = perf->system;

	vpmu_perf_keepers_end(perf);
	for (unsigned int i = 0; i < PERF_CHAINS; i++) {
		struct perf_thread *thread = atomic_load(&perf->chains[i]);

		while (thread) {
			struct perf_thread *next = thread->next;

			system.release(system.opaque, thread, sizeof(*thread));
			thread = next;
		}
	}
	system.release(system.opaque, perf, sizeof(*perf));
	return 0;
}

static struct perf_thread *_Atomic *chain_of(struct vpmu_perf *perf, int64_t id)
{
	return &perf->chains[(uint64_t)id % PERF_CHAINS];
}

/* Takes a detached thread of the chain. */
static struct perf_thread *thread_claim(struct perf_thread *_Atomic *chain)
{
	for (struct perf_thread *thread = atomic_load(chain); thread; thread = thread->next) {
		int32_t none = 0;

		if (atomic_compare_exchange_strong(&thread->id, &none, PERF_CLAIMED))
			return thread;
	}
	return NULL;
}

static struct perf_thread *thread_add(struct vpmu_perf *perf, struct perf_thread *_Atomic *chain)
{
	struct perf_thread *thread =
		perf->system.allocate(perf->system.opaque, sizeof(struct perf_thread));

	if (!thread)
		return NULL;
	atomic_init(&thread->id, PERF_CLAIMED);
	thread->next = atomic_load(chain);
	while (!atomic_compare_exchange_weak(chain, &thread->next, thread))
		;
	return thread;
}

static int thread_attach(void *source, const struct vpmu_source_thread *thread, void **attached)
{
	struct vpmu_perf *perf = source;
	struct vpmu_source_thread copy;
	struct perf_thread *known;
	int error = vpmu_sized_copy(&copy, sizeof(copy), thread);

	if (error)
		return error;
	if (copy.id <= 0 || copy.id > INT32_MAX || !copy.attention)
		return VPMU_ERROR_INVALID;
	known = thread_claim(chain_of(perf, copy.id));
	if (!known)
		known = thread_add(perf, chain_of(perf, copy.id));
	if (!known)
		return VPMU_ERROR_NO_MEMORY;
	vpmu_perf_limit_look(perf);
	known->looked = 0;
	known->rated = 0;
	known->clocks = 0;
	known->own = PERF_OWN_UNKNOWN;
	known->place = PERF_NOWHERE;
	known->attention = copy.attention;
	known->opaque = copy.opaque;
	atomic_store(&known->id, (int32_t)copy.id);
	atomic_fetch_add(&perf->attached, 1);
	*attached = known;
	return 0;
}

static void thread_detach(void *source, void *attached)
{
	struct vpmu_perf *perf = source;
	struct perf_thread *thread = attached;

	vpmu_perf_pool_end(perf, thread);
	atomic_store(&thread->id, 0);
	atomic_fetch_sub(&perf->attached, 1);
}

int vpmu_perf_signalled(struct vpmu_perf *perf, int64_t id)
{
	struct perf_thread *thread;
	int found = 0;

	if (id == 0)
		id = perf->system.thread_self(perf->system.opaque);
	for (thread = atomic_load(chain_of(perf, id)); thread; thread = thread->next) {
		if (id <= 0 || atomic_load(&thread->id) != id)
			continue;
		thread->attention(thread->opaque, PERF_ANY_TAG);
		found = 1;
	}
	return found;
}

const struct vpmu_source_ops *vpmu_perf_ops(void)
{
	static const struct vpmu_source_ops ops = {
		.size = sizeof(ops),
		.probe = vpmu_perf_probe,
		.attach = thread_attach,
		.detach = thread_detach,
		.open = vpmu_perf_open,
		.close = vpmu_perf_close,
		.run = vpmu_perf_run,
		.read = vpmu_perf_read,
		.period = vpmu_perf_period,
		.edge = vpmu_perf_edge,
		.edges = 1u << VPMU_EDGE_ENTER | 1u << VPMU_EDGE_LEAVE | 1u << VPMU_EDGE_SLICE |
			 1u << VPMU_EDGE_RELEASE,
	};

	return &ops;
}
