/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* The events area and the PMI: registers that are written, then read back. */
#include "private.h"

static int write_back(struct vpmu_guest *guest, uint32_t context, uint32_t index, uint64_t value)
{
	uint64_t now = ~value;
	int error = guest->way->write(guest->opaque, context, index, value);

	if (!error)
		error = guest->way->read(guest->opaque, context, index, &now);
	if (error)
		return error;
	return now == value ? 0 : VPMU_GUEST_REFUSED;
}

static uint64_t header_word(const void *page, size_t offset)
{
	return load_word((const char *)page + offset);
}

int vpmu_guest_area_use(struct vpmu_guest *guest, const void *page)
{
	if (!page || (uintptr_t)page % sizeof(uint64_t))
		return VPMU_GUEST_INVALID;
	if (header_word(page, offsetof(struct vpmu_area_header, magic)) != VPMU_MAGIC ||
	    header_word(page, offsetof(struct vpmu_area_header, level)) != guest->level ||
	    header_word(page, offsetof(struct vpmu_area_header, vcpu)) != guest->vcpu)
		return VPMU_GUEST_HOST;
	guest->area = page;
	return 0;
}

static int use_or_off(struct vpmu_guest *guest, uint32_t context, const void *page)
{
	int error;

	order_access();
	error = vpmu_guest_area_use(guest, page);
	if (error)
		vpmu_guest_area_off(guest, context);
	return error;
}

int vpmu_guest_area_on(struct vpmu_guest *guest, uint32_t context, uint64_t address,
		       const void *page)
{
	int error;

	if (!page || !address || address & ~VPMU_REG_AREA_PAGE_MASK)
		return VPMU_GUEST_INVALID;
	if (!(guest->features & VPMU_FEATURE_AREA))
		return VPMU_GUEST_UNSUPPORTED;
	guest->area = NULL;
	error = write_back(guest, context, VPMU_REG_AREA, address | VPMU_REG_AREA_ON_MASK);
	return error ? error : use_or_off(guest, context, page);
}

/* Where that is the host says by itself: it is not the guest's address. */
int vpmu_guest_area_on_block(struct vpmu_guest *guest, uint32_t context, const void *page)
{
	uint64_t now = 0;
	int error;

	if (!page)
		return VPMU_GUEST_INVALID;
	if (!(guest->features & VPMU_FEATURE_AREA))
		return VPMU_GUEST_UNSUPPORTED;
	guest->area = NULL;
	error = guest->way->write(guest->opaque, context, VPMU_REG_AREA, VPMU_REG_AREA_ON_MASK);
	if (!error)
		error = guest->way->read(guest->opaque, context, VPMU_REG_AREA, &now);
	if (error)
		return error;
	return now & VPMU_REG_AREA_ON_MASK ? use_or_off(guest, context, page) : VPMU_GUEST_REFUSED;
}

int vpmu_guest_area_off(struct vpmu_guest *guest, uint32_t context)
{
	guest->area = NULL;
	return guest->way->write(guest->opaque, context, VPMU_REG_AREA, 0);
}

int vpmu_guest_area_check(struct vpmu_guest *guest, uint32_t context)
{
	uint64_t state = 0;
	int error = guest->way->read(guest->opaque, context, VPMU_REG_AREA_STATE, &state);

	if (error)
		return error;
	if (state == VPMU_AREA_ON)
		return 0;
	guest->area = NULL;
	return VPMU_GUEST_UNSUPPORTED;
}

int vpmu_guest_period_set(struct vpmu_guest *guest, uint32_t context, uint32_t slot,
			  uint64_t period)
{
	if (slot >= guest->slots || period & ~VPMU_ATTR_WORD_SAMPLE_PERIOD_PERIOD_MASK ||
	    (period && period < guest->period_floor))
		return VPMU_GUEST_INVALID;
	return write_back(guest, context, attr_register(slot) + VPMU_ATTR_WORD_SAMPLE_PERIOD,
			  period);
}

static int pmi_mode_check(const struct vpmu_guest *guest, uint32_t mode, uint32_t vector)
{
	uint64_t needed = 0;

	if (mode > VPMU_PMI_VECTOR ||
	    (mode == VPMU_PMI_VECTOR ? vector < 32 || vector > 255 : vector != 0))
		return VPMU_GUEST_INVALID;
	if (mode == VPMU_PMI_NMI)
		needed = VPMU_FEATURE_PMI_NMI;
	if (mode == VPMU_PMI_VECTOR)
		needed = VPMU_FEATURE_PMI_VECTOR;
	return needed & ~guest->features ? VPMU_GUEST_UNSUPPORTED : 0;
}

int vpmu_guest_pmi_set(struct vpmu_guest *guest, uint32_t context, uint32_t mode, uint32_t vector)
{
	uint64_t sequence = 0;
	int error = pmi_mode_check(guest, mode, vector);

	if (error)
		return error;
	error = guest->way->read(guest->opaque, context, VPMU_REG_PMI_SEQUENCE, &sequence);
	if (error)
		return error;
	guest->pmi_sequence = (uint32_t)sequence;
	return write_back(guest, context, VPMU_REG_PMI,
			  mode | (uint64_t)vector << VPMU_REG_PMI_VECTOR_SHIFT);
}
