/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/*
 * The layouts of the guest ABI, as symbols whose sizes are a size or an offset plus 1: nm tells
 * them for an object of any machine. Also C++17.
 */
#include <vpmu/abi.h>

#define SIZE(type)                                              \
	extern const char size_##type[sizeof(struct type) + 1]; \
	const char size_##type[sizeof(struct type) + 1] = { 0 };
#define PLACE(type, member)                                                           \
	extern const char place_##type##_##member[offsetof(struct type, member) + 1]; \
	const char place_##type##_##member[offsetof(struct type, member) + 1] = { 0 };

#ifdef __cplusplus
extern "C" {
#endif

SIZE(guest_perf_attr)
PLACE(guest_perf_attr, type)
PLACE(guest_perf_attr, config)
PLACE(guest_perf_attr, config1)
PLACE(guest_perf_attr, config2)
PLACE(guest_perf_attr, sample_period)
PLACE(guest_perf_attr, flags)
PLACE(guest_perf_attr, link)
PLACE(guest_perf_attr, cookie)
SIZE(guest_perf_event)
PLACE(guest_perf_event, status)
PLACE(guest_perf_event, count)
PLACE(guest_perf_event, time_enabled)
PLACE(guest_perf_event, time_running)
PLACE(guest_perf_event, period_left)
PLACE(guest_perf_event, lost)
PLACE(guest_perf_event, stamp)
PLACE(guest_perf_event, continuity)
SIZE(vpmu_area_header)
PLACE(vpmu_area_header, magic)
PLACE(vpmu_area_header, level)
PLACE(vpmu_area_header, epoch)
PLACE(vpmu_area_header, pending)
PLACE(vpmu_area_header, pmi_sequence)
PLACE(vpmu_area_header, vcpu)
SIZE(vpmu_batch_entry)
PLACE(vpmu_batch_entry, head)
PLACE(vpmu_batch_entry, detail)
SIZE(vpmu_mailbox_header)
PLACE(vpmu_mailbox_header, magic)
PLACE(vpmu_mailbox_header, level)
PLACE(vpmu_mailbox_header, vcpus)
PLACE(vpmu_mailbox_header, block_size)
SIZE(vpmu_mailbox_request)
PLACE(vpmu_mailbox_request, request)
PLACE(vpmu_mailbox_request, value)
PLACE(vpmu_mailbox_request, answer)
PLACE(vpmu_mailbox_request, result)

#ifdef __cplusplus
}
#endif
