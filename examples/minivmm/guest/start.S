/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry of each vCPU, the way into user mode and back, the stubs of exceptions and interrupts. */

	.code64
	.section .start, "ax"
	.globl _start
/* rdi: number of the vCPU; rsp: its stack. */
_start:
	xorl	%ebp, %ebp
	call	bare_main
1:	cli
	hlt
	jmp	1b

	.text
/* bare_segments(const void *gdtr, const void *idtr): loads the tables; CS by an iretq. */
	.globl bare_segments
bare_segments:
	lgdt	(%rdi)
	lidt	(%rsi)
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$0x28, %eax
	ltr	%ax
	movq	%rsp, %rdx
	pushq	$0x10
	pushq	%rdx
	pushq	$2
	pushq	$0x08
	leaq	1f(%rip), %rax
	pushq	%rax
	iretq
1:	ret

/*
 * bare_enter_user(entry, argument, stack, uint64_t *kernel_stack): goes to user mode, interrupts on.
 * It returns when bare_trap() has seen user code leave: by bare_leave_user, on the stack stored here.
 */
	.globl bare_enter_user
bare_enter_user:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rcx)
	pushq	$0x1b
	pushq	%rdx
	pushq	$0x202
	pushq	$0x23
	pushq	%rdi
	movq	%rsi, %rdi
	iretq

	.globl bare_leave_user
bare_leave_user:
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

/* Where a function run in user mode returns to: an exception is the way out. */
	.globl bare_user_end
bare_user_end:
	ud2

common:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	movq	%rsp, %rdi
	cld
	call	bare_trap
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

/* A stub of 16 bytes for each vector; those of exceptions with an error code push none. */
	.globl bare_stubs
	.balign 16
bare_stubs:
	.set vector, 0
	/* 8, 10 to 14, 17, 21, 29, 30 */
	.set WITH_ERROR_CODE, 0x60227d00
	.rept 256
	.balign 16
	.if vector >= 32 || !(1 << vector & WITH_ERROR_CODE)
	pushq	$0
	.endif
	pushq	$vector
	jmp	common
	.set vector, vector + 1
	.endr

	.section .note.GNU-stack, "", @progbits
