/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What each side sees: registers of its own, in the hardware while they are loaded, else in
 * memory. */
#include "owner.h"

enum kind {
	KIND_NONE,
	KIND_SELECT,
	KIND_COUNTER,
	KIND_COUNTER_WRITE,
	KIND_FIXED_CONTROL,
	KIND_GLOBAL_CONTROL,
	KIND_STATUS,
	KIND_CLEAR,
};

/* One side on one CPU. */
struct view {
	struct vpmu_owner *owner;
	struct owner_cpu *cpu; /* NULL: a guest that is on none */
	struct owner_image *image;
	uint64_t share;
	int is_guest;
	int loaded;
};

int vpmu_owner_guest_is_loaded(const struct owner_cpu *cpu)
{
	return cpu->state == VPMU_OWNER_GUEST || cpu->state == VPMU_OWNER_FROZEN;
}

/* Counters that are the host's in the hardware at present. */
uint64_t vpmu_owner_host_share(const struct vpmu_owner *owner, const struct owner_cpu *cpu)
{
	if (owner->config.division == VPMU_OWNER_PARTITION)
		return owner->all & ~owner->guests;
	return vpmu_owner_guest_is_loaded(cpu) ? 0 : owner->all;
}

static uint64_t host_view_share(const struct vpmu_owner *owner)
{
	return owner->config.division == VPMU_OWNER_PARTITION ? owner->all & ~owner->guests :
								owner->all;
}

/* ---- which register it is ---- */

static int in_range(uint32_t number, uint32_t first, uint32_t step, uint32_t count, uint32_t *index)
{
	for (uint32_t i = 0; first && i < count; i++) {
		if (first + i * step != number)
			continue;
		*index = i;
		return 1;
	}
	return 0;
}

static enum kind kind_of(const struct vpmu_hardware *hardware, uint32_t number, uint32_t *counter)
{
	const struct {
		enum kind kind;
		uint32_t first, step, count, base;
	} ranges[] = {
		{ KIND_SELECT, hardware->select, hardware->select_step, hardware->counters, 0 },
		{ KIND_COUNTER_WRITE, hardware->counter_write, hardware->counter_step,
		  hardware->counters, 0 },
		{ KIND_COUNTER, hardware->counter, hardware->counter_step, hardware->counters, 0 },
		{ KIND_COUNTER_WRITE, hardware->fixed_counter, 1, hardware->fixed,
		  VPMU_FIXED_FIRST },
		{ KIND_FIXED_CONTROL, hardware->fixed_control, 0, hardware->fixed != 0, 0 },
		{ KIND_GLOBAL_CONTROL, hardware->global_control, 0, 1, 0 },
		{ KIND_STATUS, hardware->global_status, 0, 1, 0 },
		{ KIND_CLEAR, hardware->global_clear, 0, 1, 0 },
	};

	for (uint32_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (!in_range(number, ranges[i].first, ranges[i].step, ranges[i].count, counter))
			continue;
		*counter += ranges[i].base;
		return ranges[i].kind;
	}
	return KIND_NONE;
}

/* ---- values ---- */

static uint64_t mask_of(uint32_t bits)
{
	return bits >= 64 ? UINT64_MAX : OWNER_BIT(bits) - 1;
}

/* As the hardware would keep it: narrow writes are extended by their sign. */
static int counter_value(const struct vpmu_hardware *hardware, uint32_t counter, uint64_t *value)
{
	uint32_t width = counter >= VPMU_FIXED_FIRST ? hardware->fixed_width : hardware->width;

	if (counter < VPMU_FIXED_FIRST && hardware->write_bits < width) {
		*value &= mask_of(hardware->write_bits);
		if (*value >> (hardware->write_bits - 1))
			*value |= ~mask_of(hardware->write_bits);
		*value &= mask_of(width);
	}
	return *value & ~mask_of(width) ? VPMU_ERROR_INVALID : 0;
}

static uint64_t fixed_bits(uint64_t share, uint64_t field)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < VPMU_COUNTERS - VPMU_FIXED_FIRST; i++)
		if (share & OWNER_BIT(VPMU_FIXED_FIRST + i))
			bits |= field << 4 * i;
	return bits;
}

/* ---- reads ---- */

static uint64_t read_counter(const struct view *view, uint32_t counter)
{
	const struct vpmu_hardware *hardware = &view->owner->hardware;

	if (!view->loaded)
		return view->image->counter[counter];
	return vpmu_owner_get(view->owner, view->cpu,
			      vpmu_owner_counter_register(hardware, hardware->counter, counter));
}

static uint64_t read_status(const struct view *view)
{
	uint64_t status = view->image->status;

	if (view->loaded)
		status |=
			vpmu_owner_get(view->owner, view->cpu, view->owner->hardware.global_status);
	return status & view->share;
}

static int view_read(const struct view *view, uint32_t number, uint64_t *value)
{
	uint32_t counter = 0;
	enum kind kind = kind_of(&view->owner->hardware, number, &counter);

	if (kind == KIND_NONE)
		return VPMU_ERROR_INVALID;
	if (kind <= KIND_COUNTER_WRITE && !(view->share & OWNER_BIT(counter)))
		return VPMU_ERROR_INVALID;
	switch (kind) {
	case KIND_SELECT:
		*value = view->image->select[counter];
		break;
	case KIND_FIXED_CONTROL:
		*value = view->image->fixed_control;
		break;
	case KIND_GLOBAL_CONTROL:
		*value = view->image->global_control;
		break;
	case KIND_STATUS:
		*value = read_status(view);
		break;
	case KIND_CLEAR:
		*value = 0;
		break;
	default:
		*value = read_counter(view, counter);
	}
	return 0;
}

/* ---- writes ---- */

/* What no longer counts stands still from here on, at the value that it has now. It may have
 * overflowed before. */
static void note_stop(const struct view *view, uint32_t counter)
{
	view->cpu->ended |= OWNER_BIT(counter);
	view->image->counter[counter] = read_counter(view, counter);
	view->cpu->shadow.counter[counter] = view->image->counter[counter];
}

static int write_select(const struct view *view, uint32_t counter, uint64_t value)
{
	struct vpmu_owner *owner = view->owner;
	uint64_t before = view->image->select[counter];

	if (value & ~owner->hardware.select_bits)
		return VPMU_ERROR_INVALID;
	view->image->select[counter] = value;
	if (!view->loaded)
		return 0;
	vpmu_owner_set_select(owner, view->cpu, counter,
			      vpmu_owner_select(owner, view->cpu, view->is_guest, value));
	if (before && !value)
		note_stop(view, counter);
	return 0;
}

static int write_counter(const struct view *view, uint32_t counter, uint64_t value)
{
	const struct vpmu_hardware *hardware = &view->owner->hardware;
	int error = counter_value(hardware, counter, &value);

	if (error)
		return error;
	view->image->counter[counter] = value;
	if (!view->loaded)
		return 0;
	view->cpu->shadow.counter[counter] = value;
	vpmu_owner_set(view->owner, view->cpu,
		       vpmu_owner_counter_register(hardware, hardware->counter_write, counter),
		       value);
	return 0;
}

static void fixed_stopped(const struct view *view, uint64_t before, uint64_t after)
{
	for (uint32_t i = 0; i < view->owner->hardware.fixed; i++) {
		uint32_t counter = VPMU_FIXED_FIRST + i;

		if (before >> 4 * i & 15 && !(after >> 4 * i & 15))
			note_stop(view, counter);
	}
}

static int write_fixed_control(const struct view *view, uint64_t value)
{
	uint64_t before = view->image->fixed_control;

	if (value & ~fixed_bits(view->share, 11))
		return VPMU_ERROR_INVALID;
	view->image->fixed_control = value;
	if (!view->loaded)
		return 0;
	vpmu_owner_set_fixed(view->owner, view->cpu);
	fixed_stopped(view, before, value);
	return 0;
}

static int write_global_control(const struct view *view, uint64_t value)
{
	if (value & ~view->share)
		return VPMU_ERROR_INVALID;
	view->image->global_control = value;
	if (view->loaded)
		vpmu_owner_set_controls(view->owner, view->cpu);
	return 0;
}

static int write_clear(const struct view *view, uint64_t value)
{
	if (value & ~view->share)
		return VPMU_ERROR_INVALID;
	view->image->status &= ~value;
	view->image->untold &= ~value;
	if (view->loaded && value)
		vpmu_owner_set(view->owner, view->cpu, view->owner->hardware.global_clear, value);
	return 0;
}

static int view_write(const struct view *view, uint32_t number, uint64_t value)
{
	uint32_t counter = 0;
	enum kind kind = kind_of(&view->owner->hardware, number, &counter);

	if (kind <= KIND_COUNTER_WRITE && !(view->share & OWNER_BIT(counter)))
		return VPMU_ERROR_INVALID;
	switch (kind) {
	case KIND_SELECT:
		return write_select(view, counter, value);
	case KIND_COUNTER_WRITE:
		return write_counter(view, counter, value);
	case KIND_FIXED_CONTROL:
		return write_fixed_control(view, value);
	case KIND_GLOBAL_CONTROL:
		return write_global_control(view, value);
	case KIND_CLEAR:
		return write_clear(view, value);
	default:
		/* The other way to write a counter, and what can only be read. */
		return VPMU_ERROR_INVALID;
	}
}

/* ---- the tables ---- */

static int outcome(const struct view *view, int error)
{
	if (error && view->cpu)
		view->cpu->account.refused++;
	if (view->image->broken || (view->cpu && view->cpu->broken))
		return VPMU_ERROR_INVALID;
	return error;
}

static int host_view(void *opaque, uint32_t cpu, struct view *view)
{
	struct vpmu_owner *owner = opaque;

	if (cpu >= owner->config.cpus)
		return VPMU_ERROR_INVALID;
	view->owner = owner;
	view->cpu = &owner->cpus[cpu];
	view->image = &view->cpu->host;
	view->share = host_view_share(owner);
	view->is_guest = 0;
	view->loaded = vpmu_owner_host_share(owner, view->cpu) != 0;
	return 0;
}

static int host_read(void *opaque, uint32_t cpu, uint32_t number, uint64_t *value)
{
	struct view view;
	int error = host_view(opaque, cpu, &view);

	return error ? error : outcome(&view, view_read(&view, number, value));
}

static int host_write(void *opaque, uint32_t cpu, uint32_t number, uint64_t value)
{
	struct view view;
	int error = host_view(opaque, cpu, &view);

	return error ? error : outcome(&view, view_write(&view, number, value));
}

static struct view guest_view(struct vpmu_owner_guest *guest)
{
	return (struct view){
		.owner = guest->owner,
		.cpu = guest->cpu,
		.image = &guest->image,
		.share = guest->owner->guests,
		.is_guest = 1,
		.loaded = guest->cpu && vpmu_owner_guest_is_loaded(guest->cpu),
	};
}

static int guest_read(void *opaque, uint32_t cpu, uint32_t number, uint64_t *value)
{
	const struct view view = guest_view(opaque);

	(void)cpu;
	return outcome(&view, view_read(&view, number, value));
}

static int guest_write(void *opaque, uint32_t cpu, uint32_t number, uint64_t value)
{
	const struct view view = guest_view(opaque);

	(void)cpu;
	return outcome(&view, view_write(&view, number, value));
}

void vpmu_owner_host_registers(struct vpmu_owner *owner, struct vpmu_registers *registers)
{
	*registers = (struct vpmu_registers){ sizeof(*registers), owner, host_read, host_write };
}

void vpmu_owner_guest_registers(struct vpmu_owner_guest *guest, struct vpmu_registers *registers)
{
	*registers = (struct vpmu_registers){ sizeof(*registers), guest, guest_read, guest_write };
}
