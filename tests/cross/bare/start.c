/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* The ground of programs that run on LoongArch without a system, on the machine "virt" of QEMU. */
#include "bare.h"
#include "ground/ground.h"

#define UART ((volatile uint8_t *)0x1fe001e0)
#define UART_STATUS 5
#define UART_HAS_BYTE 0x01
#define UART_HAS_ROOM 0x20
/* The register of the generic event device that switches the power, and the value that switches it
 * off. */
#define POWER ((volatile uint8_t *)0x100e001c)
#define POWER_OFF 0x34

void bare_begin(void);
void bare_trap(uint64_t status, uint64_t instruction);

uint64_t bare_traps;
uint64_t bare_code;
uint32_t bare_instruction;

/* A trap steps over its instruction; ESTAT 5, ERA 6, BADI 8, EENTRY 12. */
__asm__(".text\n.globl _start\n_start:\n"
	" la.local $sp, bare_stack_end\n"
	" la.local $t0, bare_entry\n"
	" csrwr $t0, 0xc\n"
	" bl bare_begin\n"
	"1: idle 0\n b 1b\n"
	".balign 4096\nbare_entry:\n"
	" addi.d $sp, $sp, -32\n st.d $a0, $sp, 0\n st.d $a1, $sp, 8\n st.d $ra, $sp, 16\n"
	" st.d $t0, $sp, 24\n"
	" la.local $t0, bare_traps\n ld.d $a0, $t0, 0\n addi.d $a0, $a0, 1\n st.d $a0, $t0, 0\n"
	" csrrd $a0, 0x5\n la.local $t0, bare_code\n st.d $a0, $t0, 0\n"
	" csrrd $a0, 0x8\n la.local $t0, bare_instruction\n st.w $a0, $t0, 0\n"
	" csrrd $a0, 0x6\n addi.d $a0, $a0, 4\n csrwr $a0, 0x6\n"
	" ld.d $a0, $sp, 0\n ld.d $a1, $sp, 8\n ld.d $ra, $sp, 16\n ld.d $t0, $sp, 24\n"
	" addi.d $sp, $sp, 32\n ertn\n"
	".bss\n.balign 16\n.skip 65536\nbare_stack_end:\n.skip 16\n.text\n");

void ground_read(int file, void *to, size_t size)
{
	(void)file;
	for (size_t i = 0; i < size; i++) {
		while (!(UART[UART_STATUS] & UART_HAS_BYTE))
			;
		((volatile uint8_t *)to)[i] = UART[0];
	}
}

void ground_write(int file, const void *from, size_t size)
{
	(void)file;
	for (size_t i = 0; i < size; i++) {
		while (!(UART[UART_STATUS] & UART_HAS_ROOM))
			;
		UART[0] = ((const uint8_t *)from)[i];
	}
}

_Noreturn void ground_exit(int code)
{
	(void)code;
	for (;;)
		*POWER = POWER_OFF;
}

void bare_begin(void)
{
	ground_exit(ground_main());
}
