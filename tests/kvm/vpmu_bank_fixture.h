/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* KVM's own vPMU as another bank of images: one on the host that a VM leaves, one where it arrives.
 */
#ifndef VPMU_TEST_KVM_VPMU_BANK_FIXTURE_H
#define VPMU_TEST_KVM_VPMU_BANK_FIXTURE_H

#include <stdint.h>

#include "runner/runner.h"
#include "x86_kernel.h"

#define MOST (2 * VPMU_IMAGE_MAX_BANK_PAIRS)

#define MODELS 7u
#define V1 (&models[0])
#define V2 (&models[1])
#define FULL (&models[2])
#define K7 (&models[4])
#define PERFMON_V2 (&models[6])

extern const struct x86_model models[MODELS];

/* A kernel, and the bank that the VMM has there. */
struct place {
	struct x86_kernel kernel;
	struct vpmu_kvm_system system;
	struct vpmu_kvm_bank bank;
	struct vpmu_image_bank image;
};

extern struct place here;
extern struct place there;
/* What save() wrote, and what check() and load() are given. */
extern uint64_t pairs[MOST];

/* A host of one model whose VMM gave its vCPU another; the bank's answer. */
int start(struct place *place, const struct x86_model *host, const struct x86_model *guest);
/* Forgets what was called, written and said. */
void quiet(struct place *place);
int save(struct place *place);
int check(struct place *place, int count, uint32_t *culprit);
int load(struct place *place, int count);

/* VPMU_TEST_SEED repeats a run. */
void seed(void);
/* Whatever a guest can leave there. */
void busy(struct place *place);
void check_same(const struct place *a, const struct place *b);

#endif
