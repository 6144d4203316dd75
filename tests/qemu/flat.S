/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A multiboot kernel that uses the virtual MSRs and prints what it finds, a word of 16 digits per line: the MSR base, MAGIC,
 * OPENED after OPEN, two counts of task-clock, EPOCH_REASON, and MSR 0x35, which is QEMU's own affair.
 */
	.set	PORT, 0x3f8
	.set	EXIT, 0xf4
	.set	SLOT, 32		/* registers of slot 0: attr words, from 16 on its results */

	.section .text
	.code32
	.align	4
	.long	0x1badb002, 0, -0x1badb002
	.globl	_start
_start:
	cli
	movl	$0x90000, %esp
	movl	$0x40000000, %edi	/* R-MSR-2: the block is searched */
1:	movl	%edi, %eax
	xorl	%ecx, %ecx
	cpuid
	cmpl	$0x756d7076, %ebx
	jne	2f
	cmpl	$0x756d7076, %ecx
	je	3f
2:	addl	$0x100, %edi
	cmpl	$0x40010000, %edi
	jb	1b
	movb	$1, %al			/* no block */
	outb	%al, $EXIT
3:	leal	1(%edi), %eax
	cpuid
	movl	%ebx, %edi		/* base */
	movl	%ebx, %eax
	xorl	%edx, %edx
	call	print
	movl	$0, %ecx		/* MAGIC */
	call	show
	movl	$SLOT + 0, %ecx		/* type: host software */
	movl	$4, %eax
	call	set
	movl	$SLOT + 1, %ecx		/* config: task-clock */
	movl	$2, %eax
	call	set
	movl	$18, %ecx		/* OPEN */
	movl	$1, %eax
	call	set
	movl	$14, %ecx		/* OPENED */
	call	show
	movl	$20, %ecx		/* ENABLE */
	movl	$1, %eax
	call	set
	call	sync_and_show
	movl	$20000, %esi
4:	decl	%esi
	jnz	4b
	call	sync_and_show
	movl	$8, %ecx		/* EPOCH_REASON */
	call	show
	movl	$0x35, %ecx
	rdmsr
	call	print
	movb	$0, %al
	outb	%al, $EXIT
5:	hlt
	jmp	5b

/* Writes eax to register ecx. */
set:	addl	%edi, %ecx
	xorl	%edx, %edx
	wrmsr
	ret

/* Prints register ecx. */
show:	addl	%edi, %ecx
	rdmsr
	jmp	print

sync_and_show:
	movl	$22, %ecx		/* SYNC */
	movl	$1, %eax
	call	set
	movl	$SLOT + 17, %ecx	/* count */
	jmp	show

/* Prints edx:eax. */
print:	pushl	%eax
	movl	%edx, %eax
	call	half
	popl	%eax
	call	half
	movb	$10, %al
	jmp	put

half:	movl	%eax, %ebp
	movl	$8, %ebx
6:	roll	$4, %ebp
	movl	%ebp, %eax
	andb	$15, %al
	addb	$'0', %al
	cmpb	$'9', %al
	jbe	7f
	addb	$'a' - '0' - 10, %al
7:	call	put
	decl	%ebx
	jnz	6b
	ret

put:	pushl	%edx
	movw	$PORT, %dx
	outb	%al, %dx
	popl	%edx
	ret

	.section .note.GNU-stack, "", @progbits
