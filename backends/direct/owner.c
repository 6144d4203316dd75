/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* The deal itself: one table of states and events (abi/OWNERSHIP.md). */
#include <string.h>

#include "owner.h"
#include "src/sized.h"

/* What is done on the way, in this order. */
enum action {
	TELL_HOST_OUT = 1,
	SWAP = 2,   /* the other side's registers are loaded */
	FREEZE = 4, /* the guest's counters stop, or go on: the state says which */
	TELL_HOST_IN = 8,
	TELL_LOST = 16,	    /* unless it knows */
	TELL_REGAINED = 32, /* unless it knows */
};

#define TO_GUEST (TELL_HOST_OUT | SWAP)
#define TO_HOST (SWAP | TELL_HOST_IN)

/* near: 1 where the switch is at entry and exit, 0 where it is at scheduling, 2 either. */
struct transition {
	uint8_t state, event, near, next, actions;
};

#define S(name) VPMU_OWNER_##name
#define EITHER 2

static const struct transition transitions[] = {
	{ S(IDLE), S(SCHED_IN), EITHER, S(HOST), TELL_REGAINED },
	{ S(IDLE), S(LOSE), EITHER, S(LOST_IDLE), 0 },
	{ S(IDLE), S(PROFILE_ON), EITHER, S(IDLE), 0 },
	{ S(IDLE), S(PROFILE_OFF), EITHER, S(IDLE), 0 },

	{ S(HOST), S(SCHED_OUT), EITHER, S(IDLE), 0 },
	{ S(HOST), S(ENTER), EITHER, S(GUEST), TO_GUEST },
	{ S(HOST), S(LOSE), EITHER, S(LOST), TELL_LOST },
	{ S(HOST), S(PROFILE_ON), EITHER, S(HOST), 0 },
	{ S(HOST), S(PROFILE_OFF), EITHER, S(HOST), 0 },

	{ S(GUEST), S(LEAVE), 1, S(HOST), TO_HOST },
	{ S(GUEST), S(LEAVE), 0, S(FROZEN), FREEZE },

	{ S(FROZEN), S(ENTER), EITHER, S(GUEST), FREEZE },
	{ S(FROZEN), S(SCHED_OUT), EITHER, S(IDLE), TO_HOST },
	{ S(FROZEN), S(LOSE), EITHER, S(LOST), TO_HOST | TELL_LOST },
	{ S(FROZEN), S(PROFILE_ON), 1, S(HOST), TO_HOST },
	{ S(FROZEN), S(PROFILE_ON), 0, S(FROZEN), 0 },
	{ S(FROZEN), S(PROFILE_OFF), EITHER, S(FROZEN), 0 },

	{ S(LOST_IDLE), S(SCHED_IN), EITHER, S(LOST), TELL_LOST },
	{ S(LOST_IDLE), S(GAIN), EITHER, S(IDLE), 0 },
	{ S(LOST_IDLE), S(PROFILE_ON), EITHER, S(LOST_IDLE), 0 },
	{ S(LOST_IDLE), S(PROFILE_OFF), EITHER, S(LOST_IDLE), 0 },

	{ S(LOST), S(SCHED_OUT), EITHER, S(LOST_IDLE), 0 },
	{ S(LOST), S(ENTER), EITHER, S(BLIND), 0 },
	{ S(LOST), S(GAIN), EITHER, S(HOST), TELL_REGAINED },
	{ S(LOST), S(PROFILE_ON), EITHER, S(LOST), 0 },
	{ S(LOST), S(PROFILE_OFF), EITHER, S(LOST), 0 },

	{ S(BLIND), S(LEAVE), EITHER, S(LOST), 0 },
};

static const struct transition *find(uint32_t state, uint32_t event, uint32_t near)
{
	for (uint32_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
		const struct transition *row = &transitions[i];

		if (row->state == state && row->event == event &&
		    (row->near == EITHER || row->near == near))
			return row;
	}
	return NULL;
}

/* ---- the account ---- */

static void account_add(const struct vpmu_owner *owner, const struct owner_cpu *cpu,
			struct vpmu_owner_account *account)
{
	uint64_t passed = owner->config.clock(owner->config.opaque, cpu->number) - cpu->since;

	if (cpu->profiling && vpmu_owner_guest_is_loaded(cpu) &&
	    owner->config.division == VPMU_OWNER_GUEST_ONLY)
		account->host_blind += passed;
	if (cpu->state == VPMU_OWNER_BLIND)
		account->guest_blind += passed;
}

/* ---- moving ---- */

static void tell(const struct vpmu_owner *owner, const struct owner_cpu *cpu, uint32_t news)
{
	if (owner->config.tell)
		owner->config.tell(owner->config.opaque, cpu->number, news);
}

/* The host has its share of a partition at all times: it is told nothing. */
static void tell_host(const struct vpmu_owner *owner, const struct owner_cpu *cpu, uint32_t news)
{
	if (owner->config.division == VPMU_OWNER_GUEST_ONLY)
		tell(owner, cpu, news);
}

static void tell_guest(const struct vpmu_owner *owner, const struct owner_cpu *cpu, uint32_t lost)
{
	if (cpu->guest->lost == lost)
		return;
	cpu->guest->lost = lost;
	tell(owner, cpu, lost ? VPMU_OWNER_GUEST_LOST : VPMU_OWNER_GUEST_REGAINED);
}

static void act(struct vpmu_owner *owner, struct owner_cpu *cpu, const struct transition *row)
{
	if (row->actions & TELL_HOST_OUT)
		tell_host(owner, cpu, VPMU_OWNER_HOST_OUT);
	if (row->actions & SWAP)
		vpmu_owner_swap(owner, cpu, row->next);
	cpu->state = row->next;
	if (row->actions & FREEZE)
		vpmu_owner_freeze(owner, cpu);
	if (row->actions & TELL_HOST_IN)
		tell_host(owner, cpu, VPMU_OWNER_HOST_IN);
	if (row->actions & TELL_LOST)
		tell_guest(owner, cpu, 1);
	if (row->actions & TELL_REGAINED)
		tell_guest(owner, cpu, 0);
}

static uint32_t is_near(const struct vpmu_owner *owner, const struct owner_cpu *cpu, uint32_t event)
{
	uint32_t profiling = event == VPMU_OWNER_PROFILE_ON || cpu->profiling;

	return owner->config.boundary == VPMU_OWNER_AT_ENTRY ||
	       (owner->config.boundary == VPMU_OWNER_AUTOMATIC && profiling);
}

static int event_check(const struct vpmu_owner *owner, uint32_t event,
		       const struct vpmu_owner_guest *guest)
{
	if (event >= VPMU_OWNER_EVENTS || (event == VPMU_OWNER_SCHED_IN) != (guest != NULL))
		return VPMU_ERROR_INVALID;
	if (guest && (guest->owner != owner || guest->cpu))
		return guest->owner != owner ? VPMU_ERROR_INVALID : VPMU_ERROR_STATE;
	if (event == VPMU_OWNER_GAIN && owner->config.division == VPMU_OWNER_HOST_ONLY)
		return VPMU_ERROR_DENIED;
	return 0;
}

static void guest_follow(struct owner_cpu *cpu, uint32_t event)
{
	if (!cpu->guest)
		return;
	cpu->guest->image.broken |= cpu->broken;
	if (event != VPMU_OWNER_SCHED_OUT)
		return;
	cpu->guest->cpu = NULL;
	cpu->guest = NULL;
}

int vpmu_owner_move(struct vpmu_owner *owner, uint32_t number, uint32_t event,
		    struct vpmu_owner_guest *guest)
{
	struct owner_cpu *cpu = number < owner->config.cpus ? &owner->cpus[number] : NULL;
	int error = cpu ? event_check(owner, event, guest) : VPMU_ERROR_INVALID;
	const struct transition *row;

	if (error)
		return error;
	row = find(cpu->state, event, is_near(owner, cpu, event));
	if (!row)
		return VPMU_ERROR_STATE;
	account_add(owner, cpu, &cpu->account);
	cpu->since = owner->config.clock(owner->config.opaque, number);
	if (guest) {
		guest->cpu = cpu;
		cpu->guest = guest;
	}
	if (event == VPMU_OWNER_PROFILE_ON || event == VPMU_OWNER_PROFILE_OFF)
		cpu->profiling = event == VPMU_OWNER_PROFILE_ON;
	act(owner, cpu, row);
	guest_follow(cpu, event);
	return cpu->broken ? VPMU_ERROR_SYSTEM : 0;
}

int vpmu_owner_state(const struct vpmu_owner *owner, uint32_t cpu)
{
	return cpu < owner->config.cpus ? (int)owner->cpus[cpu].state : VPMU_ERROR_INVALID;
}

int vpmu_owner_account(const struct vpmu_owner *owner, uint32_t cpu,
		       struct vpmu_owner_account *account)
{
	if (cpu >= owner->config.cpus)
		return VPMU_ERROR_INVALID;
	*account = owner->cpus[cpu].account;
	account_add(owner, &owner->cpus[cpu], account);
	return 0;
}

/* ---- interrupts ---- */

static int asks_for_interrupts(const struct vpmu_owner *owner, const struct owner_image *image,
			       uint64_t share)
{
	for (uint32_t i = 0; i < VPMU_FIXED_FIRST; i++)
		if (share & OWNER_BIT(i) && image->select[i] & owner->hardware.interrupt)
			return 1;
	return 0;
}

static int overflowed(const struct vpmu_owner *owner, struct owner_image *image, uint64_t status,
		      uint64_t share)
{
	uint64_t untold = image->untold;

	if (!owner->hardware.global_status)
		return asks_for_interrupts(owner, image, share);
	image->untold = 0;
	return ((status & share) | untold) != 0;
}

int vpmu_owner_interrupt(struct vpmu_owner *owner, uint32_t number)
{
	struct owner_cpu *cpu = number < owner->config.cpus ? &owner->cpus[number] : NULL;
	uint64_t status = 0;
	uint64_t hosts;
	int sides = 0;

	if (!cpu)
		return VPMU_ERROR_INVALID;
	hosts = vpmu_owner_host_share(owner, cpu);
	if (owner->hardware.global_status)
		status = vpmu_owner_get(owner, cpu, owner->hardware.global_status);
	if (overflowed(owner, &cpu->host, status & hosts, owner->all))
		sides |= VPMU_OWNER_SIDE_HOST;
	if (cpu->guest && overflowed(owner, &cpu->guest->image, status & ~hosts, owner->guests))
		sides |= VPMU_OWNER_SIDE_GUEST;
	return sides;
}

/* ---- life ---- */

static uint64_t counters_of(const struct vpmu_hardware *hardware)
{
	return (OWNER_BIT(hardware->counters) - 1) | (OWNER_BIT(hardware->fixed) - 1)
							     << VPMU_FIXED_FIRST;
}

static int hardware_is_possible(const struct vpmu_hardware *hardware)
{
	return hardware->counters >= 1 && hardware->counters <= VPMU_FIXED_FIRST &&
	       hardware->fixed <= VPMU_COUNTERS - VPMU_FIXED_FIRST && hardware->width >= 32 &&
	       hardware->width <= 64 && hardware->write_bits >= 32 &&
	       (!hardware->fixed || (hardware->fixed_control && hardware->global_control)) &&
	       !hardware->global_status == !hardware->global_clear;
}

static int config_check(const struct vpmu_owner_config *config)
{
	int error = vpmu_sized_check(config, sizeof(*config));

	if (!error)
		error = vpmu_sized_check(config->hardware, sizeof(*config->hardware));
	if (!error)
		error = vpmu_sized_check(config->registers, sizeof(*config->registers));
	if (error)
		return error;
	if (!config->clock || !config->registers->read || !config->registers->write ||
	    config->division > VPMU_OWNER_PARTITION || config->boundary > VPMU_OWNER_AUTOMATIC ||
	    config->cpus == 0 || config->cpus > OWNER_MOST_CPUS ||
	    !hardware_is_possible(config->hardware) ||
	    config->guest_counters & ~counters_of(config->hardware) ||
	    (config->division != VPMU_OWNER_PARTITION && config->guest_counters))
		return VPMU_ERROR_INVALID;
	return 0;
}

uint64_t vpmu_owner_size(uint32_t cpus)
{
	if (cpus == 0 || cpus > OWNER_MOST_CPUS)
		return 0;
	return sizeof(struct vpmu_owner) + (uint64_t)cpus * sizeof(struct owner_cpu);
}

static uint64_t guests_of(const struct vpmu_owner *owner)
{
	switch (owner->config.division) {
	case VPMU_OWNER_GUEST_ONLY:
		return owner->all;
	case VPMU_OWNER_PARTITION:
		return owner->config.guest_counters;
	default:
		return 0;
	}
}

int vpmu_owner_create(const struct vpmu_owner_config *config, void *memory, uint64_t room,
		      struct vpmu_owner **owner)
{
	struct vpmu_owner *made = memory;
	int error = config_check(config);

	if (error)
		return error;
	if (!memory || room < vpmu_owner_size(config->cpus))
		return VPMU_ERROR_INVALID;
	memset(memory, 0, (size_t)vpmu_owner_size(config->cpus));
	memcpy(&made->config, config, sizeof(made->config));
	memcpy(&made->hardware, config->hardware, sizeof(made->hardware));
	memcpy(&made->registers, config->registers, sizeof(made->registers));
	made->all = counters_of(&made->hardware);
	made->guests = guests_of(made);
	for (uint32_t i = 0; !error && i < config->cpus; i++) {
		struct owner_cpu *cpu = &made->cpus[i];

		cpu->number = i;
		cpu->state = config->division == VPMU_OWNER_HOST_ONLY ? VPMU_OWNER_LOST_IDLE :
									VPMU_OWNER_IDLE;
		cpu->since = config->clock(config->opaque, i);
		error = vpmu_owner_clear_all(made, cpu);
	}
	if (!error)
		*owner = made;
	return error;
}

uint64_t vpmu_owner_guest_size(void)
{
	return sizeof(struct vpmu_owner_guest);
}

int vpmu_owner_guest_create(struct vpmu_owner *owner, void *memory, uint64_t room,
			    struct vpmu_owner_guest **guest)
{
	struct vpmu_owner_guest *made = memory;

	if (!memory || room < vpmu_owner_guest_size())
		return VPMU_ERROR_INVALID;
	memset(made, 0, sizeof(*made));
	made->owner = owner;
	*guest = made;
	return 0;
}
