/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A batch: fetched whole into private memory, run there, written back once. What the guest does to
 * its own copy meanwhile changes nothing.
 */
#include "core.h"

#define HEAD_WORDS 2u
#define FIRST_SHIFT 16u
#define COUNT_SHIFT 32u
#define RESULT_SHIFT 48u

struct entry {
	uint64_t *words; /* its head and what follows, in the private copy */
	uint64_t place;	 /* of the head, in words from the start of the batch */
	uint64_t room;	 /* words from the head to the end of the batch */
	uint8_t operation;
	uint8_t bank;
	uint16_t first;
	uint16_t count;
};

static void swap_all(uint64_t *words, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		words[i] = vpmu_little(words[i]);
}

static struct entry entry_at(uint64_t *batch, uint64_t place, uint64_t words)
{
	uint64_t head = batch[place];

	return (struct entry){
		.words = &batch[place],
		.place = place,
		.room = words - place,
		.operation = (uint8_t)head,
		.bank = (uint8_t)(head >> 8),
		.first = (uint16_t)(head >> FIRST_SHIFT),
		.count = (uint16_t)(head >> COUNT_SHIFT),
	};
}

static void answer(struct entry *entry, uint16_t result, uint64_t detail)
{
	entry->words[0] &= (1ull << RESULT_SHIFT) - 1;
	entry->words[0] |= (uint64_t)result << RESULT_SHIFT;
	entry->words[1] = detail;
}

static bool head_is_wrong(const struct entry *entry)
{
	if (entry->operation != VPMU_OP_READ && entry->operation != VPMU_OP_WRITE)
		return true;
	return entry->bank != VPMU_BANK_DEVICE || !entry->count ||
	       entry->count > entry->room - HEAD_WORDS;
}

/* These change where results go, or end the batch's own state under it. */
static bool barred(uint32_t index)
{
	return index == VPMU_REG_AREA || index == VPMU_REG_KICK || index == VPMU_REG_RESET;
}

/* Whether the entry is malformed, and the place of what makes it so. */
static bool find_malformed(const struct vpmu_vcpu *vcpu, const struct entry *entry, uint64_t *place)
{
	*place = entry->place;
	if (head_is_wrong(entry))
		return true;
	for (uint32_t i = 0; i < entry->count; i++) {
		uint32_t index = entry->first + i;

		*place = entry->place + HEAD_WORDS + i;
		if (!vpmu_register_defined(vcpu, index))
			return true;
		if (entry->operation == VPMU_OP_WRITE && barred(index))
			return true;
	}
	return false;
}

static void run_read(struct vpmu_vcpu *vcpu, struct entry *entry)
{
	for (uint32_t i = 0; i < entry->count; i++)
		entry->words[HEAD_WORDS + i] = vpmu_register_get(vcpu, entry->first + i);
	answer(entry, VPMU_RESULT_DONE, 0);
}

static bool affordable(struct vpmu_vcpu *vcpu, uint32_t index, uint64_t value)
{
	uint32_t cost = vpmu_register_cost(vcpu, index, value);

	if (cost > vcpu->vm->profile.slot_operations - vcpu->operations)
		return false;
	vcpu->operations += cost;
	return true;
}

/* Returns whether the batch goes on. */
static bool run_write(struct vpmu_vcpu *vcpu, struct entry *entry)
{
	uint64_t failed, all_failed = 0, refused_at = 0;

	for (uint32_t i = 0; i < entry->count; i++) {
		uint64_t place = entry->place + HEAD_WORDS + i;
		uint64_t value = entry->words[HEAD_WORDS + i];

		if (!affordable(vcpu, entry->first + i, value)) {
			answer(entry, VPMU_RESULT_AGAIN, place);
			return false;
		}
		if (vpmu_register_set(vcpu, entry->first + i, value, &failed) && !refused_at)
			refused_at = place;
		all_failed |= failed;
	}
	if (refused_at)
		answer(entry, VPMU_RESULT_REFUSED, refused_at);
	else
		answer(entry, all_failed ? VPMU_RESULT_SLOTS_FAILED : VPMU_RESULT_DONE, all_failed);
	return true;
}

static bool run_entry(struct vpmu_vcpu *vcpu, struct entry *entry)
{
	uint64_t place;

	if (find_malformed(vcpu, entry, &place)) {
		answer(entry, VPMU_RESULT_MALFORMED, place);
		return false;
	}
	if (entry->operation == VPMU_OP_READ) {
		run_read(vcpu, entry);
		return true;
	}
	return run_write(vcpu, entry);
}

/* Entries that will not be reached say so; where the next would begin is told by their counts. */
static void mark_unreached(uint64_t *batch, uint64_t place, uint64_t words)
{
	while (place + HEAD_WORDS <= words) {
		struct entry entry = entry_at(batch, place, words);

		answer(&entry, VPMU_RESULT_NOT_RUN, 0);
		if (entry.count > entry.room - HEAD_WORDS)
			return;
		place += HEAD_WORDS + entry.count;
	}
}

static void run_entries(struct vpmu_vcpu *vcpu, uint64_t *batch, uint64_t words)
{
	uint64_t place = 0;
	bool go_on = true;

	while (go_on && place + HEAD_WORDS <= words) {
		struct entry entry = entry_at(batch, place, words);

		go_on = run_entry(vcpu, &entry);
		if (!go_on && entry.count > entry.room - HEAD_WORDS)
			return;
		place += HEAD_WORDS + entry.count;
	}
	mark_unreached(batch, place, words);
}

static bool fetch(struct vpmu_vcpu *vcpu, uint64_t address, uint64_t words)
{
	struct vpmu_vm *vm = vcpu->vm;
	uint64_t size = words * sizeof(uint64_t);
	uint32_t id = (uint32_t)vcpu->control[VPMU_REG_VCPU];

	if (!words || words > vm->profile.batch_words || address & (sizeof(uint64_t) - 1))
		return false;
	if (address > UINT64_MAX - size || vpmu_area_overlaps(vcpu, address, size))
		return false;
	if (vm->host.guest_check(vm->host_opaque, id, address, size) < 0)
		return false;
	if (!vcpu->batch)
		vcpu->batch = vm->host.allocate(vm->host_opaque,
						vm->granted.batch_words * sizeof(uint64_t));
	return vcpu->batch &&
	       vm->host.guest_read(vm->host_opaque, id, address, vcpu->batch, size) >= 0;
}

bool vpmu_batch_run(struct vpmu_vcpu *vcpu, uint64_t address, uint64_t words)
{
	struct vpmu_vm *vm = vcpu->vm;

	if (!fetch(vcpu, address, words))
		return false;
	vcpu->counts.batches++;
	swap_all(vcpu->batch, words);
	vcpu->operations = 0;
	run_entries(vcpu, vcpu->batch, words);
	swap_all(vcpu->batch, words);
	if (vm->host.guest_write(vm->host_opaque, (uint32_t)vcpu->control[VPMU_REG_VCPU], address,
				 vcpu->batch, words * sizeof(uint64_t)) < 0)
		vpmu_vcpu_warn(vcpu, VPMU_WARNING_BATCH);
	return true;
}

int vpmu_vcpu_batch(struct vpmu_vcpu *vcpu, uint64_t address, uint64_t words)
{
	bool run;

	if (vcpu->stopped)
		return VPMU_ERROR_STATE;
	vcpu->counts.exits++;
	vpmu_vcpu_begin(vcpu);
	run = vpmu_batch_run(vcpu, address, words);
	vpmu_vcpu_end(vcpu);
	return run ? VPMU_ACCESS_DONE : VPMU_ACCESS_REFUSED;
}
