/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Which encodings are branches and repeated instructions. */
#include "backends/tcg/decode.h"
#include "runner/runner.h"

struct code {
	uint8_t bytes[8];
	size_t size;
	unsigned int answer;
};

static void check(const char *target, const struct code *codes, size_t count)
{
	decoder decode = decoder_for(target);

	CHECK(decode != NULL);
	for (size_t i = 0; i < count; i++)
		CHECK_EQ(i << 8 | decode(codes[i].bytes, codes[i].size), i << 8 | codes[i].answer);
}

#define ALL(codes) (codes), sizeof(codes) / sizeof((codes)[0])

static void check_x86(void)
{
	static const struct code codes[] = {
		{ { 0x75, 0xfe }, 2, DECODE_BRANCH },		  /* jne */
		{ { 0x0f, 0x84, 1, 2, 3, 4 }, 6, DECODE_BRANCH }, /* je */
		{ { 0x0f, 0x1f, 0x00 }, 3, 0 },			  /* nop */
		{ { 0xe8, 1, 2, 3, 4 }, 5, DECODE_BRANCH },	  /* call */
		{ { 0xc3 }, 1, DECODE_BRANCH },			  /* ret */
		{ { 0xf3, 0xc3 }, 2, DECODE_BRANCH },		  /* rep ret */
		{ { 0xf2, 0xff, 0xd0 }, 3, DECODE_BRANCH },	  /* bnd call *%rax */
		{ { 0x41, 0xff, 0xe3 }, 3, DECODE_BRANCH },	  /* jmp *%r11 */
		{ { 0xff, 0xc0 }, 2, 0 },			  /* inc %eax */
		{ { 0xff, 0x36 }, 2, 0 },			  /* push */
		{ { 0x48 }, 1, 0 },				  /* dec %eax */
		{ { 0xe2, 0xfe }, 2, DECODE_BRANCH },		  /* loop */
		{ { 0xcd, 0x80 }, 2, 0 },			  /* int */
		{ { 0xf3, 0xa4 }, 2, DECODE_REPEATED },		  /* rep movsb */
		{ { 0xf3, 0x48, 0xab }, 3, DECODE_REPEATED },	  /* rep stosq */
		{ { 0x48, 0xab }, 2, 0 },			  /* stosq */
		{ { 0xf3, 0x90 }, 2, 0 },			  /* pause */
		{ { 0xf2, 0xae }, 2, DECODE_REPEATED },		  /* repne scasb */
		{ { 0x66 }, 1, 0 },				  /* cut off */
	};

	check("x86_64", ALL(codes));
	check("i386", ALL(codes));
}

static void check_riscv(void)
{
	static const struct code codes[] = {
		{ { 0x63, 0, 0, 0 }, 4, DECODE_BRANCH },    /* beq */
		{ { 0x6f, 0, 0, 0 }, 4, DECODE_BRANCH },    /* j */
		{ { 0x67, 0x80, 0, 0 }, 4, DECODE_BRANCH }, /* ret */
		{ { 0x13, 0, 0, 0 }, 4, 0 },		    /* nop */
		{ { 0x73, 0, 0, 0 }, 4, 0 },		    /* ecall */
		{ { 0x01, 0xa0 }, 2, DECODE_BRANCH },	    /* c.j */
		{ { 0x01, 0xc1 }, 2, DECODE_BRANCH },	    /* c.beqz */
		{ { 0x01, 0xe1 }, 2, DECODE_BRANCH },	    /* c.bnez */
		{ { 0x82, 0x80 }, 2, DECODE_BRANCH },	    /* c.jr ra */
		{ { 0x82, 0x90 }, 2, DECODE_BRANCH },	    /* c.jalr ra */
		{ { 0x02, 0x90 }, 2, 0 },		    /* c.ebreak */
		{ { 0x86, 0x80 }, 2, 0 },		    /* c.mv */
		{ { 0x01, 0x25 }, 2, 0 },		    /* c.addiw */
		{ { 0x01 }, 1, 0 },			    /* cut off */
	};

	check("riscv64", ALL(codes));
}

static void check_loongarch(void)
{
	static const struct code codes[] = {
		{ { 0, 0, 0, 0x40 }, 4, DECODE_BRANCH },    /* beqz */
		{ { 0x20, 0, 0, 0x4c }, 4, DECODE_BRANCH }, /* ret */
		{ { 0, 0, 0, 0x50 }, 4, DECODE_BRANCH },    /* b */
		{ { 0, 0, 0, 0x54 }, 4, DECODE_BRANCH },    /* bl */
		{ { 0, 0, 0, 0x6c }, 4, DECODE_BRANCH },    /* bgeu */
		{ { 0, 0, 0x40, 0x03 }, 4, 0 },		    /* nop */
		{ { 0, 0, 0x2b, 0 }, 4, 0 },		    /* syscall */
		{ { 0, 0, 0, 0x70 }, 4, 0 },
	};

	check("loongarch64", ALL(codes));
}

static void check_others(void)
{
	CHECK(decoder_for("sparc64") == NULL);
}

const struct test_case test_cases[] = {
	{ "tcg", "branches of x86", check_x86 },
	{ "tcg", "branches of RISC-V", check_riscv },
	{ "tcg", "branches of LoongArch", check_loongarch },
	{ "tcg", "no branches are counted elsewhere", check_others },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
