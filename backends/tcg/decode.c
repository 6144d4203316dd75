/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Branches by their encodings: Intel 64 and IA-32 Architectures Software Developer's Manual volume
 * 2, appendix A; The RISC-V Instruction Set Manual volume I, chapters 2.5 and 16; LoongArch
 * Reference Manual volume 1, 2.2.5.
 */
#include "decode.h"

#include <string.h>

static int is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66:
	case 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return 1;
	default:
		return 0;
	}
}

static int x86_is_branch(uint8_t opcode, uint8_t next)
{
	unsigned int operation = (next >> 3) & 7u; /* of the ModRM byte */

	if ((opcode >= 0x70 && opcode <= 0x7f) || (opcode >= 0xe0 && opcode <= 0xe3))
		return 1;
	switch (opcode) {
	case 0x0f:
		return next >= 0x80 && next <= 0x8f;
	case 0xff:
		return operation >= 2 && operation <= 5;
	case 0x9a:
	case 0xc2:
	case 0xc3:
	case 0xca:
	case 0xcb:
	case 0xcf:
	case 0xe8:
	case 0xe9:
	case 0xea:
	case 0xeb:
		return 1;
	default:
		return 0;
	}
}

static int x86_is_string(uint8_t opcode)
{
	return (opcode >= 0x6c && opcode <= 0x6f) || (opcode >= 0xa4 && opcode <= 0xa7) ||
	       (opcode >= 0xaa && opcode <= 0xaf);
}

/* A byte from 0x40 to 0x4f is a REX prefix where more follows, and a whole instruction elsewhere. */
static unsigned int x86(const uint8_t *bytes, size_t size)
{
	unsigned int repeated = 0;
	size_t at = 0;

	while (at + 1 < size && is_prefix(bytes[at])) {
		if (bytes[at] == 0xf2 || bytes[at] == 0xf3)
			repeated = DECODE_REPEATED;
		at++;
	}
	if (at + 1 < size && (bytes[at] & 0xf0u) == 0x40)
		at++;
	if (at >= size)
		return 0;
	if (x86_is_string(bytes[at]))
		return repeated;
	return x86_is_branch(bytes[at], at + 1 < size ? bytes[at + 1] : 0) ? DECODE_BRANCH : 0;
}

static unsigned int riscv_short(unsigned int word)
{
	unsigned int function = word >> 13, first = (word >> 7) & 31u, second = (word >> 2) & 31u;

	if ((word & 3u) == 1)
		return function >= 5 ? DECODE_BRANCH : 0;
	if ((word & 3u) == 2 && function == 4 && first && !second)
		return DECODE_BRANCH;
	return 0;
}

/* 64-bit only: the short jump-and-link of 32-bit code is another instruction there. */
static unsigned int riscv64(const uint8_t *bytes, size_t size)
{
	unsigned int operation;

	if (size < 2)
		return 0;
	if ((bytes[0] & 3u) != 3)
		return riscv_short(bytes[0] | (unsigned int)bytes[1] << 8);
	operation = bytes[0] & 0x7fu;
	return operation == 0x63 || operation == 0x67 || operation == 0x6f ? DECODE_BRANCH : 0;
}

static unsigned int loongarch(const uint8_t *bytes, size_t size)
{
	unsigned int operation = size == 4 ? bytes[3] >> 2 : 0;

	return operation >= 0x10 && operation <= 0x1b ? DECODE_BRANCH : 0;
}

static const struct {
	const char *target;
	decoder decode;
} decoders[] = {
	{ "i386", x86 },
	{ "loongarch64", loongarch },
	{ "riscv64", riscv64 },
	{ "x86_64", x86 },
};

decoder decoder_for(const char *target)
{
	for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++)
		if (strcmp(decoders[i].target, target) == 0)
			return decoders[i].decode;
	return NULL;
}
