/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The memory between the plugin, which counts, and the source, which reads. Words are of this
 * machine's byte order: both run on it.
 */
#ifndef VPMU_TCG_SHARED_H
#define VPMU_TCG_SHARED_H

#include <stdatomic.h>
#include <stdint.h>

#define TCG_MAGIC 0x3167637475706d76u /* vpmutcg1 */
#define TCG_VCPUS_AT 4096u
#define TCG_MAX_VCPUS 4096u
#define TCG_NEVER UINT64_MAX

enum tcg_kind { TCG_INSTRUCTIONS, TCG_BRANCHES, TCG_LOADS, TCG_STORES, TCG_KINDS };

/* Bit of tcg_header.counted beside 1 << kind: counted one by one. */
#define TCG_PRECISE 0x100u

struct tcg_header {
	_Atomic uint64_t generation; /* of the plugin's start: odd while it prepares the memory */
	uint64_t magic;
	uint64_t vcpus;
	uint64_t counted; /* bits 1 << kind, TCG_PRECISE */
};

/* Written by the vCPU's thread, but for the targets. A vCPU has cache lines of its own. */
struct tcg_vcpu {
	_Atomic uint64_t count[TCG_KINDS];
	_Atomic uint64_t target[TCG_KINDS]; /* the count of which the source wants notice, once; or
					       TCG_NEVER */
	uint64_t repeating; /* plugin: mark of the string instruction that ended the last block; 0:
			       none */
	uint64_t repeated_at; /* instructions counted then */
	uint64_t reserved[6];
};

#define TCG_SHARED_SIZE(vcpus) (TCG_VCPUS_AT + (uint64_t)(vcpus) * sizeof(struct tcg_vcpu))

#endif
