/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The source itself: its life, what it can count, and its vCPUs. */
#include "internal.h"

#include <string.h>

static int config_check(const struct vpmu_tcg_config *config)
{
	if (!config->thread_time || !config->allocate || !config->release || !config->shared)
		return VPMU_ERROR_INVALID;
	if ((uintptr_t)config->shared % _Alignof(struct tcg_vcpu))
		return VPMU_ERROR_INVALID;
	return config->shared_size < TCG_SHARED_SIZE(1) ? VPMU_ERROR_STATE : 0;
}

/* Each word is read once: QEMU may change them at any time. */
static int header_check(const struct vpmu_tcg_config *config, uint64_t *vcpus, uint64_t *counted)
{
	volatile struct tcg_header *header = config->shared;

	if ((atomic_load(&header->generation) & 1u) || header->magic != TCG_MAGIC)
		return VPMU_ERROR_STATE;
	*vcpus = header->vcpus;
	*counted = header->counted;
	if (*vcpus < 1 || *vcpus > TCG_MAX_VCPUS || TCG_SHARED_SIZE(*vcpus) > config->shared_size)
		return VPMU_ERROR_STATE;
	return 0;
}

static uint64_t source_size(uint64_t vcpus)
{
	return sizeof(struct vpmu_tcg) + vcpus * sizeof(struct tcg_attached *);
}

int vpmu_tcg_create(const struct vpmu_tcg_config *config, struct vpmu_tcg **tcg)
{
	struct vpmu_tcg_config copy;
	uint64_t vcpus, counted;
	struct vpmu_tcg *made;
	int error = vpmu_sized_copy(&copy, sizeof(copy), config);

	if (!error)
		error = config_check(&copy);
	if (!error)
		error = header_check(&copy, &vcpus, &counted);
	if (error)
		return error;
	made = copy.allocate(copy.opaque, source_size(vcpus));
	if (!made)
		return VPMU_ERROR_NO_MEMORY;
	made->config = copy;
	made->header = copy.shared;
	made->shared = (struct tcg_vcpu *)((char *)copy.shared + TCG_VCPUS_AT);
	made->vcpus = (uint32_t)vcpus;
	made->counted = (uint32_t)counted;
	*tcg = made;
	return 0;
}

int vpmu_tcg_destroy(struct vpmu_tcg *tcg)
{
	if (!tcg)
		return 0;
	for (uint32_t i = 0; i < tcg->vcpus; i++)
		if (tcg->attached[i])
			return VPMU_ERROR_STATE;
	tcg->config.release(tcg->config.opaque, tcg, source_size(tcg->vcpus));
	return 0;
}

static int probe(void *source, struct vpmu_source_facts *facts)
{
	struct vpmu_source_facts known = { .size = sizeof(known) };
	const struct vpmu_tcg *tcg = source;

	if (facts->size < sizeof(known))
		return VPMU_ERROR_INVALID;
	if (tcg->counted & 1u << TCG_INSTRUCTIONS)
		known.hardware_events |= 1u << VPMU_HARDWARE_INSTRUCTIONS;
	if (tcg->counted & 1u << TCG_BRANCHES)
		known.hardware_events |= 1u << VPMU_HARDWARE_BRANCHES;
	known.cache_events = (tcg->counted & 1u << TCG_LOADS) != 0;
	known.size = facts->size;
	memcpy(facts, &known, sizeof(known));
	return 0;
}

static int attach(void *source, const struct vpmu_source_thread *thread, void **attached)
{
	struct vpmu_tcg *tcg = source;
	struct vpmu_source_thread copy;
	struct tcg_attached *made;
	int error = vpmu_sized_copy(&copy, sizeof(copy), thread);

	if (error)
		return error;
	if (!copy.attention || copy.id < 0 || copy.id >= (int64_t)tcg->vcpus)
		return VPMU_ERROR_INVALID;
	if (tcg->attached[copy.id])
		return VPMU_ERROR_EXISTS;
	made = tcg->config.allocate(tcg->config.opaque, sizeof(*made));
	if (!made)
		return VPMU_ERROR_NO_MEMORY;
	made->shared = &tcg->shared[copy.id];
	made->attention = copy.attention;
	made->opaque = copy.opaque;
	made->generation = atomic_load(&tcg->header->generation);
	made->vcpu = (uint32_t)copy.id;
	tcg->attached[copy.id] = made;
	*attached = made;
	return 0;
}

static void detach(void *source, void *opaque)
{
	struct vpmu_tcg *tcg = source;
	struct tcg_attached *attached = opaque;

	tcg->attached[attached->vcpu] = NULL;
	tcg->config.release(tcg->config.opaque, attached, sizeof(*attached));
}

const struct vpmu_source_ops *vpmu_tcg_ops(void)
{
	static const struct vpmu_source_ops ops = {
		.size = sizeof(ops),
		.probe = probe,
		.attach = attach,
		.detach = detach,
		.open = tcg_open,
		.close = tcg_close,
		.run = tcg_run,
		.read = tcg_read,
		.period = tcg_period,
	};

	return &ops;
}
