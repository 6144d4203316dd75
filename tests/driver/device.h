/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* The device of the driver's tests: the library itself, with a source whose counts are a straight
 * line over time, and with faults. */
#ifndef VPMU_TEST_DRIVER_DEVICE_H
#define VPMU_TEST_DRIVER_DEVICE_H

#include <stdint.h>

#include <vpmu/guest.h>

enum device_fault {
	FAULT_NONE,
	FAULT_LOST_REQUEST, /* the access is not made, and is not answered */
	FAULT_LOST_ANSWER,  /* it is made, and is not answered */
	FAULT_DEAF,	    /* nothing is answered from there on */
	FAULT_REPLACED,	    /* somebody else attends, who knows of nothing that was open */
	FAULT_SOURCE,	    /* the host's source refuses a call */
	FAULT_KINDS
};

struct device {
	uint64_t now;	     /* ns */
	uint64_t attendance; /* 0: nobody */
	unsigned int calls;  /* that a fault may hit */
	unsigned int at;     /* the one that it does hit, from 1 */
	enum device_fault fault;
	int hit;
	unsigned int after; /* accesses after it went deaf */
};
extern struct device device;

void device_on(void);
void device_off(void);
const struct vpmu_guest_way *device_way(void);
/* Somebody else attends, and answers. */
void device_mend(void);
uint64_t device_opened(void);

#endif
