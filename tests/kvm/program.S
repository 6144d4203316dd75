/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The guest: it carries out a list of commands in its memory (machine.h), and begins anew with
 * the list after each OP_END. Runs at the address it is copied to, at privilege level 0.
 */

#define COMMANDS 0x8000
#define NMIS 0x7000
#define INTERRUPTS 0x7008
#define EOI 0xfee000b0
#define X2APIC_EOI 0x80b
#define X2APIC_IS_ON 0x7018

	.section .rodata
	.globl program_begin
	.globl program_rdmsr
	.globl program_fault
	.globl program_nmi
	.globl program_vector
	.globl program_lost
	.globl program_end

	.balign 16
program_begin:
	mov	$COMMANDS, %ebx
next:
	mov	(%rbx), %rax
	mov	8(%rbx), %rcx
	mov	16(%rbx), %rsi
	cmp	$0, %eax
	je	end
	cmp	$1, %eax
	je	program_rdmsr
	cmp	$2, %eax
	je	write_msr
	cmp	$3, %eax
	je	read64
	cmp	$4, %eax
	je	write64
	cmp	$5, %eax
	je	read32
	cmp	$6, %eax
	je	write32
	cmp	$7, %eax
	je	wait
	cmp	$8, %eax
	je	identify
	cmp	$9, %eax
	je	enable_interrupts
	cmp	$10, %eax
	je	read16
	cmp	$11, %eax
	je	halt
	jmp	program_lost

program_rdmsr:
	rdmsr
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, 16(%rbx)
	jmp	done
write_msr:
	mov	%rsi, %rax
	mov	%rsi, %rdx
	shr	$32, %rdx
	wrmsr
	jmp	done
read64:
	mov	(%rcx), %rax
	mov	%rax, 16(%rbx)
	jmp	done
write64:
	mov	%rsi, (%rcx)
	jmp	done
read32:
	mov	(%rcx), %eax
	mov	%rax, 16(%rbx)
	jmp	done
write32:
	mov	%esi, (%rcx)
	jmp	done
read16:
	xor	%eax, %eax
	mov	(%rcx), %ax
	mov	%rax, 16(%rbx)
	jmp	done
wait:
	pause
	cmp	%rsi, (%rcx)
	je	wait
	jmp	done
identify:
	mov	%rbx, %r8
	mov	%ecx, %eax
	xor	%ecx, %ecx
	cpuid
	mov	%ebx, %ebx
	shl	$32, %rbx
	or	%rbx, %rax
	shl	$32, %rdx
	or	%rdx, %rcx
	mov	%r8, %rbx
	mov	%rax, 16(%rbx)
	mov	%rcx, 8(%rbx)
	jmp	done
enable_interrupts:
	sti
	jmp	done
halt:
	hlt
	jmp	done

done:
	movq	$1, 24(%rbx)
	add	$32, %rbx
	jmp	next
end:
	out	%eax, $0x10
	jmp	program_begin

	/* The command faulted: the list goes on behind it. */
	.balign 16
program_fault:
	add	$8, %rsp
	movq	$2, 24(%rbx)
	add	$32, %rbx
	lea	next(%rip), %rax
	mov	%rax, (%rsp)
	iretq

	.balign 16
program_nmi:
	incq	NMIS
	iretq

	.balign 16
program_vector:
	push	%rax
	push	%rcx
	push	%rdx
	incq	INTERRUPTS
	cmpq	$0, X2APIC_IS_ON
	jne	end_by_msr
	mov	$EOI, %eax
	movl	$0, (%rax)
	jmp	end_of_interrupt
end_by_msr:
	xor	%eax, %eax
	xor	%edx, %edx
	mov	$X2APIC_EOI, %ecx
	wrmsr
end_of_interrupt:
	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq

	.balign 16
program_lost:
	out	%eax, $0x11
	jmp	program_lost
program_end:

	.section .note.GNU-stack, "", %progbits
