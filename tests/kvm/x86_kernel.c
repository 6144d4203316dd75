/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "x86_kernel.h"

#include <errno.h>
#include <string.h>

#include "runner/runner.h"

#define LOW(bits) (((uint64_t)1 << (bits)) - 1)

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void add(struct x86_kernel *kernel, uint32_t index, uint64_t bits)
{
	kernel->msrs[kernel->msr_count++] = (struct x86_msr){ index, bits, 0 };
}

static void add_intel(struct x86_kernel *kernel, const struct x86_model *is)
{
	uint32_t format = is->capable ? is->capabilities >> 8 & 0xf : 0;
	uint32_t adaptive = format && is->capabilities >> 14 & 1;
	uint32_t version = is->version;
	uint64_t global = LOW(is->counters) | LOW(is->fixed) << 32;
	uint64_t fixed_control = 0;

	for (uint32_t i = 0; i < is->fixed; i++) {
		add(kernel, 0x309 + i, LOW(is->fixed_width));
		fixed_control |= 0xbull << 4 * i | (uint64_t)adaptive << (32 + 4 * i);
	}
	for (uint32_t i = 0; i < is->counters; i++) {
		add(kernel, 0xc1 + i, LOW(is->width));
		add(kernel, 0x186 + i,
		    0xffdfffff | (is->tsx ? 3ull << 32 : 0) | (uint64_t)adaptive << 34);
	}
	if (version > 1) {
		add(kernel, 0x38d, fixed_control);
		add(kernel, 0x38e, global | 3ull << 62 | 1ull << 55);
		add(kernel, 0x38f, global);
		x86_kernel_msr(kernel, 0x38f)->value = LOW(is->counters);
	}
	if (is->ds)
		add(kernel, 0x600, UINT64_MAX);
	if (format)
		add(kernel, 0x3f1, adaptive ? global : LOW(is->counters));
	if (adaptive && format > 3)
		add(kernel, 0x3f2, 0xff00000f);
	if (is->capable) {
		add(kernel, 0x345, 0);
		x86_kernel_msr(kernel, 0x345)->value = is->capabilities;
	}
}

static void add_amd(struct x86_kernel *kernel, const struct x86_model *is)
{
	for (uint32_t i = 0; i < is->counters; i++) {
		add(kernel, is->core ? 0xc0010201 + 2 * i : 0xc0010004 + i, LOW(48));
		add(kernel, is->core ? 0xc0010200 + 2 * i : 0xc0010000 + i, 0xfffd7ffff);
	}
	if (is->version > 1) {
		add(kernel, 0xc0000300, LOW(is->counters));
		add(kernel, 0xc0000301, LOW(is->counters));
		x86_kernel_msr(kernel, 0xc0000301)->value = LOW(is->counters);
	}
}

struct x86_msr *x86_kernel_msr(struct x86_kernel *kernel, uint32_t index)
{
	for (uint32_t i = 0; i < kernel->msr_count; i++) {
		if (kernel->msrs[i].index == index)
			return &kernel->msrs[i];
	}
	return NULL;
}

/* ---- CPUID and the list ---------------------------------------------------------------------- */

static void leaf(struct kvm_uapi_cpuid2 *cpuid, uint32_t function, const uint32_t *words)
{
	cpuid->entries[cpuid->nent++] = (struct vpmu_kvm_cpuid_entry){ .function = function,
								       .eax = words[0],
								       .ebx = words[1],
								       .ecx = words[2],
								       .edx = words[3] };
}

static int64_t cpuid(const struct x86_model *is, uint64_t argument)
{
	struct kvm_uapi_cpuid2 *to = (void *)(uintptr_t)argument;

	if (to->nent < 8)
		return -E2BIG;
	to->nent = 0;
	/* A subleaf that must not be taken for the leaf. */
	to->entries[to->nent++] =
		(struct vpmu_kvm_cpuid_entry){ .function = 0xa, .index = 1, .eax = 0x7f3f05 };
	if (is->amd) {
		leaf(to, 0, (const uint32_t[]){ 0x10, 0x68747541, 0x444d4163, 0x69746e65 });
		leaf(to, 0x80000001, (const uint32_t[]){ 0, 0, is->core << 23, 0 });
		leaf(to, 0x80000022,
		     (const uint32_t[]){ is->version > 1, is->version > 1 ? is->counters : 0, 0,
					 0 });
		return 0;
	}
	leaf(to, 0, (const uint32_t[]){ 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69 });
	leaf(to, 1, (const uint32_t[]){ 0, 0, is->capable << 15, is->ds << 21 });
	leaf(to, 7, (const uint32_t[]){ 0, is->tsx << 11, 0, 0 });
	leaf(to, 0xa,
	     (const uint32_t[]){ is->version | is->counters << 8 | is->width << 16 | 7u << 24, 0, 0,
				 is->fixed | is->fixed_width << 5 });
	return 0;
}

static uint32_t list_all(const struct x86_kernel *kernel, uint32_t *to)
{
	static const struct {
		uint32_t first, count, amd;
	} rows[] = {
		{ 0x309, 3, 0 }, { 0x38d, 3, 0 },      { 0x3f1, 2, 0 },	     { 0x600, 1, 0 },
		{ 0xc1, 8, 0 },	 { 0x186, 8, 0 },      { 0xc0010000, 8, 1 }, { 0xc0010200, 12, 1 },
		{ 0x10, 1, 0 },	 { 0xc0000300, 4, 1 },
	};
	uint32_t count = 0;

	for (unsigned int i = 0; i < TEST_COUNT(rows) && kernel->host.version; i++) {
		for (uint32_t n = 0; n < rows[i].count && rows[i].amd == kernel->host.amd; n++) {
			if (rows[i].first + n != kernel->unlisted)
				to[count++] = rows[i].first + n;
		}
	}
	to[count++] = 0xc0000080;
	return count;
}

static int64_t list(const struct x86_kernel *kernel, uint64_t argument)
{
	struct kvm_uapi_msr_list *to = (void *)(uintptr_t)argument;

	if (to->nmsrs < 64)
		return -E2BIG;
	to->nmsrs = list_all(kernel, to->indices);
	return 0;
}

/* ---- registers ------------------------------------------------------------------------------- */

static int is_listed(const struct x86_kernel *kernel, uint32_t index)
{
	uint32_t all[64];
	uint32_t count = list_all(kernel, all);

	for (uint32_t i = 0; i < count; i++) {
		if (all[i] == index)
			return 1;
	}
	return 0;
}

static int set_one(struct x86_kernel *kernel, const struct kvm_uapi_msr_entry *entry)
{
	struct x86_msr *msr = x86_kernel_msr(kernel, entry->index);
	int is_counter = entry->index < 0x186 || (entry->index >= 0x309 && entry->index < 0x30c);

	CHECK(kernel->write_count < X86_KERNEL_WRITES);
	kernel->writes[kernel->write_count++] = (struct x86_msr){ entry->index, 0, entry->data };
	if (!msr)
		return is_listed(kernel, entry->index) && !entry->data;
	if (entry->index == kernel->ignored)
		return 1;
	/* Counters are cut, and so are AMD's selectors and its global control; others are refused. */
	if (entry->data & ~msr->bits && !is_counter && !kernel->guest.amd)
		return 0;
	msr->value = entry->data & msr->bits;
	return 1;
}

static int get_one(struct x86_kernel *kernel, struct kvm_uapi_msr_entry *entry)
{
	struct x86_msr *msr = x86_kernel_msr(kernel, entry->index);

	entry->data = msr ? msr->value : 0;
	return msr || is_listed(kernel, entry->index);
}

static int64_t registers(struct x86_kernel *kernel, int set, uint64_t argument, int64_t most)
{
	struct kvm_uapi_msrs *msrs = (void *)(uintptr_t)argument;
	uint32_t i;

	CHECK(msrs->nmsrs > 0 && msrs->nmsrs <= KVM_UAPI_MSRS_ROOM && !msrs->pad);
	for (i = 0; i < msrs->nmsrs && i < most; i++) {
		CHECK_EQ(msrs->entries[i].reserved, 0);
		if (!(set ? set_one(kernel, &msrs->entries[i]) :
			    get_one(kernel, &msrs->entries[i])))
			break;
	}
	return i;
}

static int64_t control(void *opaque, int32_t fd, uint64_t request, uint64_t argument)
{
	struct x86_kernel *kernel = opaque;
	int64_t most = INT64_MAX;

	kernel->calls++;
	if (kernel->calls == kernel->failing || kernel->calls == kernel->failing_too) {
		if (kernel->failure < 0)
			return kernel->failure;
		most = kernel->failure;
	}
	CHECK_EQ(fd,
		 request == KVM_UAPI_GET_SUPPORTED_CPUID || request == KVM_UAPI_GET_MSR_INDEX_LIST ?
			 X86_KERNEL_FD :
			 X86_KERNEL_VCPU_FD);
	switch (request) {
	case KVM_UAPI_GET_SUPPORTED_CPUID:
		return cpuid(&kernel->host, argument);
	case KVM_UAPI_GET_CPUID2:
		return cpuid(&kernel->guest, argument);
	case KVM_UAPI_GET_MSR_INDEX_LIST:
		return list(kernel, argument);
	case KVM_UAPI_GET_MSRS:
	case KVM_UAPI_SET_MSRS:
		return registers(kernel, request == KVM_UAPI_SET_MSRS, argument, most);
	default:
		return -ENOTTY;
	}
}

static void listen(void *opaque, uint32_t level, const char *text)
{
	struct x86_kernel *kernel = opaque;

	CHECK(level <= VPMU_LOG_NOTE && strlen(text) > 20 && strlen(text) < sizeof(kernel->text));
	if (!kernel->said++)
		memcpy(kernel->text, text, strlen(text) + 1);
}

struct vpmu_kvm_system x86_kernel_start(struct x86_kernel *kernel, const struct x86_model *host,
					const struct x86_model *guest)
{
	struct vpmu_kvm_system system = { sizeof(system), control, listen, kernel, NULL };
	struct x86_model is = *guest;

	memset(kernel, 0, sizeof(*kernel));
	kernel->host = *host;
	kernel->guest = *guest;
	/* KVM cuts what the VMM asked for down to what there is. */
	is.version = lesser(is.version, host->version);
	is.counters = lesser(is.counters, host->counters);
	is.width = lesser(is.width, host->width);
	is.fixed = is.version > 1 ? lesser(is.fixed, host->fixed) : 0;
	is.fixed_width = lesser(is.fixed_width, host->fixed_width);
	is.core = is.core && host->core;
	if (is.version && guest->amd == host->amd)
		(host->amd ? add_amd : add_intel)(kernel, &is);
	return system;
}
