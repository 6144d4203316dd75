/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/*
 * A firmware of 64 KiB that a virtual PC starts from its reset vector. It executes, from there to the end:
 * 5 + 3 * LOOPS + 5 * CALLS + 8 instructions, 1 + LOOPS + 3 * CALLS branches, LOOPS + CALLS + BYTES loads,
 * CALLS + BYTES stores.
 */
#ifndef LOOPS
#define LOOPS 50000
#endif
#define CALLS 1000
#define BYTES 300

	.code16
	.text
	.org 0
start:
	xor %ax, %ax
	mov %ax, %ss
	mov $0x7000, %sp
	mov $LOOPS, %cx
1:	cs lodsb
	dec %cx
	jnz 1b

	mov $CALLS, %cx
1:	call leaf
	dec %cx
	jnz 1b

	xor %si, %si
	mov $0x500, %di
	mov $BYTES, %cx
	cld
	rep movsb

	xor %ax, %ax
	out %al, $0xf4
1:	hlt
	jmp 1b

leaf:	nop
	ret

	.org 0xfff0
	.byte 0xea		/* far jump to start */
	.word 0, 0xf000
	.org 0xffff
	.byte 0
