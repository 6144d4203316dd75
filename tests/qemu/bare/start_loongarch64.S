/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */

/* Direct addresses, as QEMU's virt starts a kernel. One CPU works. */
	.section .start, "ax"
	.globl _start
_start:
	csrrd $t0, 0x20
	andi $t0, $t0, 0x1ff
	bnez $t0, 1f
	la.local $sp, stack_top
	bl bare_main
1:	idle 0
	b 1b

	.bss
	.balign 16
	.skip 65536
stack_top:
