/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* Differences between readings, and scaling, without the help of libgcc. */
#include "private.h"

static int went_back(const struct guest_perf_event *before, const struct guest_perf_event *after)
{
	return after->count < before->count || after->time_enabled < before->time_enabled ||
	       after->time_running < before->time_running || after->lost < before->lost;
}

static int at_end(const struct guest_perf_event *event)
{
	return event->count == UINT64_MAX || event->time_enabled == UINT64_MAX ||
	       event->time_running == UINT64_MAX || event->lost == UINT64_MAX;
}

/* What the host did not count in between stands in none of the numbers. */
static int lost_between(const struct guest_perf_event *before, const struct guest_perf_event *after)
{
	return (vpmu_guest_event_flags(after) & ~vpmu_guest_event_flags(before) &
		VPMU_EVENT_INCOMPLETE) != 0;
}

int vpmu_guest_delta(const struct guest_perf_event *before, const struct guest_perf_event *after,
		     struct vpmu_guest_delta *delta)
{
	if (before->continuity != after->continuity || lost_between(before, after))
		return VPMU_GUEST_BROKEN;
	if (went_back(before, after))
		return VPMU_GUEST_HOST;
	if (at_end(after))
		return VPMU_GUEST_UNKNOWN;
	*delta = (struct vpmu_guest_delta){
		.count = after->count - before->count,
		.time_enabled = after->time_enabled - before->time_enabled,
		.time_running = after->time_running - before->time_running,
		.lost = after->lost - before->lost,
		.flags = vpmu_guest_event_flags(after),
	};
	return 0;
}

struct product {
	uint64_t high;
	uint64_t low;
};

static struct product multiply(uint64_t a, uint64_t b)
{
	uint64_t a_low = (uint32_t)a, a_high = a >> 32, b_low = (uint32_t)b, b_high = b >> 32;
	uint64_t low = a_low * b_low, middle = a_high * b_low + (low >> 32);
	uint64_t other = a_low * b_high + (uint32_t)middle;

	return (struct product){
		.high = a_high * b_high + (middle >> 32) + (other >> 32),
		.low = other << 32 | (uint32_t)low,
	};
}

/* Long division, bit by bit. The quotient fits in 64 bits because high < divisor. */
static uint64_t divide(struct product dividend, uint64_t divisor)
{
	uint64_t remainder = dividend.high, quotient = 0, low = dividend.low;

	for (uint32_t bit = 0; bit < 64; bit++) {
		uint64_t carry = remainder >> 63;

		remainder = remainder << 1 | low >> 63;
		low <<= 1;
		quotient <<= 1;
		if (carry || remainder >= divisor) {
			remainder -= divisor;
			quotient |= 1;
		}
	}
	return quotient;
}

int vpmu_guest_estimate(const struct vpmu_guest_delta *delta, struct vpmu_guest_estimate *estimate)
{
	struct product product;

	if (delta->time_running > delta->time_enabled)
		return VPMU_GUEST_HOST;
	if (delta->flags & VPMU_EVENT_INCOMPLETE)
		return VPMU_GUEST_BROKEN;
	if (!delta->time_running)
		return VPMU_GUEST_UNKNOWN;
	if (delta->time_running == delta->time_enabled) {
		*estimate = (struct vpmu_guest_estimate){ .value = delta->count };
		return 0;
	}
	product = multiply(delta->count, delta->time_enabled);
	if (product.high >= delta->time_running)
		return VPMU_GUEST_UNKNOWN;
	*estimate = (struct vpmu_guest_estimate){
		.value = divide(product, delta->time_running),
		.estimated = 1,
	};
	return 0;
}
