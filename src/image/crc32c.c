/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC32C, eight bytes at a time: with the CPU's instruction where it has one, else with tables. The
 * tables are linear: an entry is the sum of what each set bit of its byte comes to, so eight words
 * say all of a table.
 */
#include <stdbool.h>

#include <vpmu/image.h>

#include "crc32c.h"
#include "read.h"

#define BIT(byte, n, value) (((byte) >> (n)&1u) * (value##u))
#define SUM(byte, v0, v1, v2, v3, v4, v5, v6, v7)                                    \
	(BIT(byte, 0, v0) ^ BIT(byte, 1, v1) ^ BIT(byte, 2, v2) ^ BIT(byte, 3, v3) ^ \
	 BIT(byte, 4, v4) ^ BIT(byte, 5, v5) ^ BIT(byte, 6, v6) ^ BIT(byte, 7, v7))

/* What a byte comes to when n more bytes followed it. */
/* clang-format off */
#define AFTER_0(byte) \
	SUM(byte, 0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, \
	    0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78)
#define AFTER_1(byte) \
	SUM(byte, 0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, \
	    0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9)
#define AFTER_2(byte) \
	SUM(byte, 0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, \
	    0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743)
#define AFTER_3(byte) \
	SUM(byte, 0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, \
	    0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f)
#define AFTER_4(byte) \
	SUM(byte, 0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, \
	    0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c)
#define AFTER_5(byte) \
	SUM(byte, 0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, \
	    0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6)
#define AFTER_6(byte) \
	SUM(byte, 0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, \
	    0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4)
#define AFTER_7(byte) \
	SUM(byte, 0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, \
	    0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664)

#define FOUR(of, n) of(n), of((n) + 1u), of((n) + 2u), of((n) + 3u)
#define SIXTEEN(of, n) FOUR(of, n), FOUR(of, (n) + 4u), FOUR(of, (n) + 8u), FOUR(of, (n) + 12u)
#define SIXTY_FOUR(of, n) \
	SIXTEEN(of, n), SIXTEEN(of, (n) + 16u), SIXTEEN(of, (n) + 32u), SIXTEEN(of, (n) + 48u)
#define ALL(of) \
	{ SIXTY_FOUR(of, 0u), SIXTY_FOUR(of, 64u), SIXTY_FOUR(of, 128u), SIXTY_FOUR(of, 192u) }

static const uint32_t after[8][256] = {
	ALL(AFTER_0), ALL(AFTER_1), ALL(AFTER_2), ALL(AFTER_3),
	ALL(AFTER_4), ALL(AFTER_5), ALL(AFTER_6), ALL(AFTER_7),
};
/* clang-format on */

static uint32_t one(uint32_t state, unsigned char byte)
{
	return state >> 8 ^ after[0][(state ^ byte) & 0xff];
}

static uint32_t eight(uint32_t state, uint64_t word)
{
	uint32_t low = (uint32_t)word ^ state, high = (uint32_t)(word >> 32);

	return after[7][low & 0xff] ^ after[6][low >> 8 & 0xff] ^ after[5][low >> 16 & 0xff] ^
	       after[4][low >> 24] ^ after[3][high & 0xff] ^ after[2][high >> 8 & 0xff] ^
	       after[1][high >> 16 & 0xff] ^ after[0][high >> 24];
}

uint32_t vpmu_crc32c_tables(uint32_t state, const unsigned char *data, uint64_t length)
{
	for (; length >= 8; length -= 8, data += 8)
		state = eight(state, vpmu_image_word(data));
	for (; length; length--)
		state = one(state, *data++);
	return state;
}

#if defined(__x86_64__)
#define INSTRUCTION __attribute__((target("sse4.2")))

/* CPUID leaf 1, ECX bit 20. */
static bool has_instruction(void)
{
#ifdef __SSE4_2__
	return true;
#else
	uint32_t a = 1, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c >> 20 & 1;
#endif
}

INSTRUCTION static inline uint32_t step_byte(uint32_t state, unsigned char byte)
{
	return __builtin_ia32_crc32qi(state, byte);
}

INSTRUCTION static inline uint32_t step_word(uint32_t state, uint64_t word)
{
	return (uint32_t)__builtin_ia32_crc32di(state, word);
}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32) && !defined(__clang__)
#define INSTRUCTION

static bool has_instruction(void)
{
	return true;
}

static inline uint32_t step_byte(uint32_t state, unsigned char byte)
{
	return __builtin_aarch64_crc32cb(state, byte);
}

static inline uint32_t step_word(uint32_t state, uint64_t word)
{
	return __builtin_aarch64_crc32cx(state, word);
}
#elif defined(__loongarch_lp64) && !defined(__clang__)
#define INSTRUCTION

static bool has_instruction(void)
{
	return true;
}

static inline uint32_t step_byte(uint32_t state, unsigned char byte)
{
	return (uint32_t)__builtin_loongarch_crcc_w_b_w((char)byte, (int)state);
}

static inline uint32_t step_word(uint32_t state, uint64_t word)
{
	return (uint32_t)__builtin_loongarch_crcc_w_d_w((long)word, (int)state);
}
#endif

#ifdef INSTRUCTION
/* Bytes from which on it is worth to ask: under a hypervisor the question costs as much as some KiB
 * with tables. */
#define WORTH_ASKING 16384u

/* A CPU begins such an instruction every cycle and ends it two later: three blocks side by side
 * cost as much as one. */
#define BLOCK ((size_t)4096)
#define BLOCKS (3 * BLOCK)

/* What a state comes to when a block of zeros follows: linear, so a word for each of its bits says
 * all. */
static uint32_t after_block(uint32_t state)
{
	static const uint32_t of_bit[32] = {
		0xc2a5b65e, 0x80a71a4d, 0x04a2426b, 0x094484d6, 0x128909ac, 0x25121358, 0x4a2426b0,
		0x94484d60, 0x2d7cec31, 0x5af9d862, 0xb5f3b0c4, 0x6e0b1779, 0xdc162ef2, 0xbdc02b15,
		0x7e6c20db, 0xfcd841b6, 0xfc5cf59d, 0xfd559dcb, 0xff474d67, 0xfb62ec3f, 0xf329ae8f,
		0xe3bf2bef, 0xc292212f, 0x80c834af, 0x047c1faf, 0x08f83f5e, 0x11f07ebc, 0x23e0fd78,
		0x47c1faf0, 0x8f83f5e0, 0x1aeb9d31, 0x35d73a62,
	};
	uint32_t sum = 0;

	for (unsigned int i = 0; i < 32; i++)
		sum ^= of_bit[i] & (0u - (state >> i & 1));
	return sum;
}

INSTRUCTION static uint32_t three_blocks(uint32_t state, const unsigned char *data)
{
	uint32_t second = 0, third = 0;

	for (const unsigned char *end = data + BLOCK; data < end; data += 8) {
		state = step_word(state, vpmu_image_word(data));
		second = step_word(second, vpmu_image_word(data + BLOCK));
		third = step_word(third, vpmu_image_word(data + 2 * BLOCK));
	}
	return after_block(after_block(state) ^ second) ^ third;
}

INSTRUCTION static uint32_t instructions(uint32_t state, const unsigned char *data, uint64_t length)
{
	for (; length >= BLOCKS; length -= BLOCKS, data += BLOCKS)
		state = three_blocks(state, data);
	for (; length >= 8; length -= 8, data += 8)
		state = step_word(state, vpmu_image_word(data));
	for (; length; length--)
		state = step_byte(state, *data++);
	return state;
}

uint32_t vpmu_crc32c_more(uint32_t state, const unsigned char *data, uint64_t length)
{
	static uint32_t (*const ways[])(uint32_t state, const unsigned char *data,
					uint64_t length) = { vpmu_crc32c_tables, instructions };

	if (length < WORTH_ASKING)
		return vpmu_crc32c_tables(state, data, length);
	return ways[has_instruction()](state, data, length);
}
#else
uint32_t vpmu_crc32c_more(uint32_t state, const unsigned char *data, uint64_t length)
{
	return vpmu_crc32c_tables(state, data, length);
}
#endif

uint32_t vpmu_crc32c(const void *data, uint64_t length)
{
	return ~vpmu_crc32c_more(UINT32_MAX, data, length);
}
