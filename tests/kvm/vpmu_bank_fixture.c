/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#define _GNU_SOURCE
#include "vpmu_bank_fixture.h"
#include "runner/random.h"

#include <string.h>

const struct x86_model models[MODELS] = {
	{ .name = "version 1", .version = 1, .counters = 2, .width = 40 },
	{ .name = "version 2",
	  .version = 2,
	  .counters = 4,
	  .width = 48,
	  .fixed = 3,
	  .fixed_width = 48 },
	{ .name = "version 5, all of it",
	  .version = 5,
	  .counters = 8,
	  .width = 48,
	  .fixed = 3,
	  .fixed_width = 48,
	  .tsx = 1,
	  .ds = 1,
	  .capable = 1,
	  .capabilities = 0x7fc0 & ~0xb00u },
	{ .name = "PEBS of format 2",
	  .version = 3,
	  .counters = 4,
	  .width = 48,
	  .fixed = 3,
	  .fixed_width = 40,
	  .ds = 1,
	  .capable = 1,
	  .capabilities = 0x2240 },
	{ .name = "K7", .amd = 1, .version = 1, .counters = 4, .width = 48 },
	{ .name = "core", .amd = 1, .version = 1, .counters = 6, .width = 48, .core = 1 },
	{ .name = "PerfMonV2", .amd = 1, .version = 2, .counters = 6, .width = 48, .core = 1 },
};

struct place here;
struct place there;
uint64_t pairs[MOST];
static uint64_t random_state;

static int32_t fd_of(void *opaque, uint32_t vcpu)
{
	CHECK(opaque == &here || opaque == &there);
	return vcpu == X86_KERNEL_VCPU ? X86_KERNEL_VCPU_FD : -1;
}

int start(struct place *place, const struct x86_model *host, const struct x86_model *guest)
{
	place->system = x86_kernel_start(&place->kernel, host, guest);
	place->bank = (struct vpmu_kvm_bank){ .size = sizeof(place->bank),
					      .system = &place->system,
					      .vcpu_fd = fd_of,
					      .opaque = place,
					      .fd = X86_KERNEL_FD };
	place->image = (struct vpmu_image_bank){ .size = sizeof(place->image) };
	return vpmu_kvm_pmu_bank(&place->bank, &place->image);
}

void quiet(struct place *place)
{
	place->kernel.calls = 0;
	place->kernel.write_count = 0;
	place->kernel.said = 0;
	place->kernel.text[0] = '\0';
}

int save(struct place *place)
{
	memset(pairs, 0x55, sizeof(pairs));
	return place->image.save(place->image.opaque, X86_KERNEL_VCPU, pairs);
}

int check(struct place *place, int count, uint32_t *culprit)
{
	*culprit = UINT32_MAX;
	return place->image.check(place->image.opaque, X86_KERNEL_VCPU, pairs, (uint32_t)count,
				  culprit);
}

int load(struct place *place, int count)
{
	return place->image.load(place->image.opaque, X86_KERNEL_VCPU, pairs, (uint32_t)count);
}

void seed(void)
{
	random_state = test_seed();
}

void busy(struct place *place)
{
	for (uint32_t i = 0; i < place->kernel.msr_count; i++) {
		if (place->kernel.msrs[i].index != 0x345)
			place->kernel.msrs[i].value = xorshift64(&random_state) &
						      place->kernel.msrs[i].bits;
	}
}

void check_same(const struct place *a, const struct place *b)
{
	CHECK_EQ(a->kernel.msr_count, b->kernel.msr_count);
	for (uint32_t i = 0; i < a->kernel.msr_count; i++) {
		CHECK_EQ(a->kernel.msrs[i].index, b->kernel.msrs[i].index);
		CHECK_EQ(a->kernel.msrs[i].value, b->kernel.msrs[i].value);
	}
}
