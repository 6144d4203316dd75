/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run of the device is made of: its operands, taken from the input, and its steps. */
#ifndef VPMU_FUZZ_STEP_H
#define VPMU_FUZZ_STEP_H

#include <stdint.h>

#include "fuzz/device.h"
#include "world/watch.h"

#define VCPUS 2u

struct device {
	const struct device_options *options;
	const uint8_t *at;
	const uint8_t *end;
	struct world world;
	struct world_watch watches[VCPUS];
	uint64_t before[VCPUS][VPMU_REGISTERS];
	uint64_t flip_at; /* what the guest does to its memory while the library works on a copy */
	uint64_t flip;
	const char *step;
	uint32_t loses; /* 1: this step may lose counts: a reset, or a source that fails */
};

/* Ends the program. */
_Noreturn void broken(const struct device *device, const char *rule);

struct vpmu_vcpu *vcpu_of(struct device *device, unsigned int which);
/* The step resets a vCPU, or may. */
void may_reset(struct device *device);

/* ---- operands: 0 where the input has ended ---- */

uint8_t take8(struct device *device);
uint64_t take(struct device *device, unsigned int bytes);
/* Addresses in RAM, at its borders and outside. */
uint64_t take_address(struct device *device);
uint64_t take_value(struct device *device);
/* Control registers, words of a slot, and anything. */
uint64_t take_index(struct device *device);

/* ---- steps: each with a vCPU ---- */

void step_write(struct device *device, unsigned int which);
void step_read(struct device *device, unsigned int which);
void step_attr(struct device *device, unsigned int which);
void step_mask(struct device *device, unsigned int which);
void step_window(struct device *device, unsigned int which);
void step_call(struct device *device, unsigned int which);
void step_mailbox(struct device *device, unsigned int which);
void step_batch(struct device *device, unsigned int which);
void step_poke(struct device *device, unsigned int which);
void step_flip(struct device *device, unsigned int which);
void step_count(struct device *device, unsigned int which);
void step_time(struct device *device, unsigned int which);
void step_lost(struct device *device, unsigned int which);
void step_refuses(struct device *device, unsigned int which);
void step_fail(struct device *device, unsigned int which);
void step_hide(struct device *device, unsigned int which);
void step_clock(struct device *device, unsigned int which);
void step_notice(struct device *device, unsigned int which);
void step_flags(struct device *device, unsigned int which);
void step_enter(struct device *device, unsigned int which);
void step_bind(struct device *device, unsigned int which);
void step_release(struct device *device, unsigned int which);
void step_reset(struct device *device, unsigned int which);
void step_remove(struct device *device, unsigned int which);

#endif
