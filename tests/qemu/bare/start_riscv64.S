/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/* Machine mode, as QEMU's virt starts without firmware. One hart works. */
	.section .start, "ax"
	.globl _start
_start:
	csrr t0, mhartid
	bnez t0, 1f
	la sp, stack_top
	call bare_main
1:	wfi
	j 1b

	.bss
	.balign 16
	.skip 65536
stack_top:
