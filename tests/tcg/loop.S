/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/* A firmware of 64 KiB with one long loop of four blocks, for measuring what a plugin costs. */
	.code16
	.text
	.org 0
start:
	mov $LOOPS, %ecx
1:	add $3, %eax
	xor %ecx, %eax
	test $1, %cl
	jz 2f
	add $5, %ebx
	rol $1, %ebx
2:	add %eax, %ebx
	jmp 3f
3:	xor %ebx, %edx
	dec %ecx
	jnz 1b
	out %al, $0xf4
1:	hlt
	jmp 1b

	.org 0xfff0
	.byte 0xea
	.word 0, 0xf000
	.org 0xffff
	.byte 0
