/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * vpmu guest: the mailbox of a device that vfio-pci has. Its memory comes from there in place of
 * the resource files, and so do its interrupts, which are the PMIs (Linux,
 * Documentation/driver-api/vfio.rst).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define DEVICES "/sys/bus/pci/devices"
#define DOORBELLS VFIO_PCI_BAR0_REGION_INDEX
#define MEMORY VFIO_PCI_BAR2_REGION_INDEX

static int fails(struct agent *agent, const char *what)
{
	agent_add_why(agent, "vfio", what);
	return -1;
}

/* The group's number is the last part of where the link leads. */
static int open_group(struct agent *agent, const char *device)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char link[PATH_MAX], target[PATH_MAX], path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), DEVICES "/%s/iommu_group", device);
	length = readlink(link, target, sizeof(target) - 1);
	if (length <= 0)
		return fails(agent, "the device is in no IOMMU group");
	target[length] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%.64s", strrchr(target, '/') + 1);
	agent->vfio.group = open(path, O_RDWR | O_CLOEXEC);
	if (agent->vfio.group < 0)
		return fails(agent, "the group cannot be opened: not root, or another has it");
	if (ioctl(agent->vfio.group, VFIO_GROUP_GET_STATUS, &status) < 0 ||
	    !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return fails(agent, "a driver has another device of its group");
	return 0;
}

static int open_device(struct agent *agent, const char *device)
{
	agent->vfio.container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (agent->vfio.container < 0)
		return fails(agent, "/dev/vfio/vfio cannot be opened");
	if (open_group(agent, device) < 0)
		return -1;
	if (ioctl(agent->vfio.group, VFIO_GROUP_SET_CONTAINER, &agent->vfio.container) < 0 ||
	    ioctl(agent->vfio.container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) < 0)
		return fails(agent, "the IOMMU cannot be used (modprobe vfio_iommu_type1)");
	agent->vfio.device = ioctl(agent->vfio.group, VFIO_GROUP_GET_DEVICE_FD, device);
	return agent->vfio.device < 0 ? fails(agent, "the device is not to be had") : 0;
}

static int region(const struct agent *agent, uint32_t index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	return ioctl(agent->vfio.device, VFIO_DEVICE_GET_REGION_INFO, info);
}

/* Without being bus master it could not interrupt. */
static int enable(const struct agent *agent)
{
	struct vfio_region_info info;
	uint16_t command = 0;
	off_t at;

	if (region(agent, VFIO_PCI_CONFIG_REGION_INDEX, &info) < 0)
		return -1;
	at = (off_t)info.offset + PCI_COMMAND;
	if (pread(agent->vfio.device, &command, sizeof(command), at) != sizeof(command))
		return -1;
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	return pwrite(agent->vfio.device, &command, sizeof(command), at) == sizeof(command) ? 0 :
											      -1;
}

int agent_map_vfio(struct agent *agent, const char *device)
{
	struct vfio_region_info doorbells, memory;
	void *mapped;

	if (open_device(agent, device) < 0)
		return -1;
	if (enable(agent) < 0 || region(agent, DOORBELLS, &doorbells) < 0 ||
	    region(agent, MEMORY, &memory) < 0 || doorbells.size <= VPMU_PCI_DOORBELL ||
	    !(memory.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return fails(agent, "the device is not what it seems");
	mapped = mmap(NULL, memory.size, PROT_READ | PROT_WRITE, MAP_SHARED, agent->vfio.device,
		      (off_t)memory.offset);
	if (mapped == MAP_FAILED)
		return fails(agent, "its memory cannot be mapped");
	agent->region = mapped;
	agent->region_size = memory.size;
	agent->vfio.doorbell = doorbells.offset + VPMU_PCI_DOORBELL;
	return 0;
}

void agent_ring_vfio(const struct agent *agent, uint32_t value)
{
	/* One that is lost shows as a host that does not answer. */
	if (pwrite(agent->vfio.device, &value, sizeof(value), (off_t)agent->vfio.doorbell) < 0)
		return;
}

void agent_unmap_vfio(struct agent *agent)
{
	int *all[] = { &agent->vfio.interrupt, &agent->vfio.device, &agent->vfio.group,
		       &agent->vfio.container };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
}

/* All entries come to one place: whose it was, the vCPUs are asked. */
static int take_entries(const struct agent *agent, uint32_t count)
{
	_Alignas(struct vfio_irq_set) unsigned char
		bytes[sizeof(struct vfio_irq_set) + VPMU_PCI_MAX_VECTORS * sizeof(int32_t)];
	struct vfio_irq_set *set = (struct vfio_irq_set *)(void *)bytes;

	*set = (struct vfio_irq_set){
		.argsz = (uint32_t)(sizeof(*set) + count * sizeof(int32_t)),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.count = count,
	};
	for (uint32_t i = 0; i < count; i++)
		memcpy(set->data + i * sizeof(int32_t), &agent->vfio.interrupt, sizeof(int32_t));
	return ioctl(agent->vfio.device, VFIO_DEVICE_SET_IRQS, set);
}

int agent_take_interrupts(struct agent *agent)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX };

	if (agent->vfio.device < 0)
		return -1;
	agent->vfio.interrupt = eventfd(0, EFD_CLOEXEC);
	if (agent->vfio.interrupt < 0 ||
	    ioctl(agent->vfio.device, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0 || !info.count)
		return -1;
	return take_entries(agent,
			    info.count < VPMU_PCI_MAX_VECTORS ? info.count : VPMU_PCI_MAX_VECTORS);
}

int agent_await_interrupt(const struct agent *agent)
{
	uint64_t count;

	return read(agent->vfio.interrupt, &count, sizeof(count)) == sizeof(count) ? 0 : -1;
}
