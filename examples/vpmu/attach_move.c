/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A VM that moves: what goes into QEMU's stream, and comes out of it. It is the image, and the part
 * of the region that is in use. QEMU moves the region too, as memory of the guest, but does not see
 * what is written to it from here.
 */
#include "attach_vm.h"

#ifdef WITH_MOVE
#include <stdlib.h>
#include <string.h>

#include <vpmu/image.h>
#include <vpmu/transport.h>

#define CARRIED_MAGIC 0x65766f6d756d7076u /* vpmumove */
#define CARRIER_LIMIT (1u << 20)	  /* of dbus-vmstate */

/* Before the image and the region, little-endian as the image is. */
struct carried {
	unsigned char magic[8];
	unsigned char image[8]; /* bytes */
	unsigned char region[8];
};

static void put_word(unsigned char to[8], uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get_word(const unsigned char from[8])
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < 8; i++)
		value |= (uint64_t)from[i] << 8 * i;
	return value;
}

/* Blocks behind the last vCPU are not used. */
static uint64_t region_used(const struct attach_vm *vm)
{
	uint32_t blocks = 0;

	for (uint32_t i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].pmu)
			blocks = i + 1;
	return vpmu_mailbox_size(blocks);
}

int attach_vm_can_move(const struct attach_vm *vm)
{
	uint64_t image = vpmu_image_bound(&vm->profile, vm->vcpus, 0);

	return sizeof(struct carried) + image + vpmu_mailbox_size(vm->vcpus) <= CARRIER_LIMIT;
}

static const char *save_into(struct attach_vm *vm, unsigned char *bytes, uint64_t region,
			     size_t *length)
{
	struct carried head;
	uint64_t image;
	const char *why = attach_image_save(vm, bytes + sizeof(head),
					    CARRIER_LIMIT - sizeof(head) - region, &image);

	if (why)
		return why;
	put_word(head.magic, CARRIED_MAGIC);
	put_word(head.image, image);
	put_word(head.region, region);
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head) + image, vm->wires->region, region);
	*length = sizeof(head) + image + region;
	attach_say("the VM leaves with a state of %zu bytes, image %llu", *length,
		   (unsigned long long)image);
	return NULL;
}

/*
 * QEMU asks when the guest stands already. Where the move fails it lets the guest go on, and nobody
 * says so here. So this VM goes on at once: where the move succeeds, its guest does nothing any
 * more that could be counted.
 */
const char *attach_vm_save(struct attach_vm *vm, unsigned char **bytes, size_t *length)
{
	uint64_t region = region_used(vm);
	const char *why;

	if (sizeof(struct carried) + region >= CARRIER_LIMIT)
		return "the state is longer than 1 MiB, more than QEMU carries";
	*bytes = malloc(CARRIER_LIMIT);
	if (!*bytes)
		return "out of memory";
	attach_image_stop(vm);
	why = save_into(vm, *bytes, region, length);
	attach_image_resume(vm);
	if (!why)
		return NULL;
	free(*bytes);
	*bytes = NULL;
	return why;
}

/* The region as it stood; what it says of who attends, and of the vCPUs here, is of this process. */
static void load_region(struct attach_vm *vm, const unsigned char *region, uint64_t length)
{
	unsigned char *table = vm->wires->region + VPMU_PCI_TABLE_AT;
	unsigned char own[8 * ATTACH_VCPUS];

	memcpy(own, table, sizeof(own));
	memcpy(vm->wires->region, region, length);
	memcpy(table, own, sizeof(own));
	attach_vm_attend(vm);
}

const char *attach_vm_load(struct attach_vm *vm, const unsigned char *bytes, size_t length)
{
	struct carried head;
	uint64_t image, region;
	const char *why;

	if (length < sizeof(head))
		return "the state is cut off";
	memcpy(&head, bytes, sizeof(head));
	image = get_word(head.image);
	region = get_word(head.region);
	if (get_word(head.magic) != CARRIED_MAGIC || image > length - sizeof(head) ||
	    region != length - sizeof(head) - image || region != region_used(vm))
		return "the state is of something else, or of other vCPUs";
	why = attach_image_load(vm, bytes + sizeof(head), image);
	if (why)
		return why;
	load_region(vm, bytes + sizeof(head) + image, region);
	attach_image_resume(vm);
	for (uint32_t i = 0; i < vm->wires->vectors; i++)
		attach_vm_serve(vm, i);
	return NULL;
}

#else

int attach_vm_can_move(const struct attach_vm *vm)
{
	(void)vm;
	return 0;
}

const char *attach_vm_save(struct attach_vm *vm, unsigned char **bytes, size_t *length)
{
	(void)vm;
	(void)bytes;
	(void)length;
	return "built without libdbus";
}

const char *attach_vm_load(struct attach_vm *vm, const unsigned char *bytes, size_t length)
{
	(void)vm;
	(void)bytes;
	(void)length;
	return "built without libdbus";
}

#endif
