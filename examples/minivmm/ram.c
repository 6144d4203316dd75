/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Which pages of the guest's memory changed. KVM notes what the guest stores; what the library
 * stores for it, by the host ops, KVM does not see, so the host ops note that.
 */

#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "minivmm.h"

#define WORDS (PAGES / 64)

int ram_track(struct machine *machine, int on)
{
	struct kvm_userspace_memory_region region = { .flags = on ? KVM_MEM_LOG_DIRTY_PAGES : 0,
						      .memory_size = MINIVMM_RAM_SIZE,
						      .userspace_addr = (uintptr_t)machine->ram };

	if (!machine->dirty)
		machine->dirty = calloc(WORDS, sizeof(machine->dirty[0]));
	if (!machine->dirty || ioctl(machine->vm_fd, KVM_SET_USER_MEMORY_REGION, &region)) {
		perror("minivmm: KVM does not note which pages change");
		return -1;
	}
	return 0;
}

void ram_note(struct machine *machine, uint64_t address, uint64_t size)
{
	uint64_t page;

	if (!machine->dirty || !size)
		return;
	for (page = address / PAGE; page <= (address + size - 1) / PAGE; page++)
		atomic_fetch_or(&machine->dirty[page / 64], 1ull << page % 64);
}

uint32_t ram_changed(struct machine *machine, uint64_t *bits)
{
	struct kvm_dirty_log log = { .dirty_bitmap = bits };
	uint32_t count = 0;
	uint32_t i;

	memset(bits, 0, PAGES / 8);
	if (ioctl(machine->vm_fd, KVM_GET_DIRTY_LOG, &log))
		memset(bits, 0xff, PAGES / 8);
	for (i = 0; i < WORDS; i++) {
		bits[i] |= atomic_exchange(&machine->dirty[i], 0);
		count += (uint32_t)__builtin_popcountll(bits[i]);
	}
	return count;
}

int ram_is_empty(const struct machine *machine, uint32_t page)
{
	static const uint8_t empty[PAGE];

	return !memcmp(machine->ram + (uint64_t)page * PAGE, empty, PAGE);
}
