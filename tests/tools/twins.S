/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A boot sector that has every vCPU of an x86 machine run for ever: the first wakes the others. */
	.code16
	.globl _start
_start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movb	$0xeb, 0x8000		/* jmp . for the others, at 0x8000 */
	movb	$0xfe, 0x8001
	lgdtl	table
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$8, $protected

	.code32
protected:
	movw	$16, %ax
	movw	%ax, %ds
	movl	$0xfee00000, %ebx
	orl	$0x100, 0xf0(%ebx)	/* the local APIC on */
	movl	$0xc4500, 0x300(%ebx)	/* INIT to all others */
	movl	$10000000, %ecx
1:	loop	1b
	movl	$0xc4608, 0x300(%ebx)	/* start at 0x8000 */
	movl	$1000000, %ecx
2:	loop	2b
3:	movl	$0xc4608, 0x300(%ebx)	/* and again, for those that are plugged later: nothing to one that runs */
	movl	$10000000, %ecx
4:	loop	4b
	jmp	3b

	.balign 8
descriptors:
	.quad	0
	.quad	0x00cf9a000000ffff
	.quad	0x00cf92000000ffff
table:
	.word	23
	.long	descriptors

	.org	510
	.word	0xaa55
