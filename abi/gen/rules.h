/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Made by abi/generate.py from abi/vpmu.toml; edit that. */

/* The rule of every word: what the core checks before a write, and what the write causes. */
#ifndef VPMU_GEN_RULES_H
#define VPMU_GEN_RULES_H

#include <stdint.h>

enum vpmu_rule_flag {
	VPMU_RULE_READ = 1,
	VPMU_RULE_WRITE = 2,
	VPMU_RULE_CLOSED = 4,
	VPMU_RULE_SAVED = 8,
	VPMU_RULE_PROFILE = 16,
	VPMU_RULE_KEPT = 32,
};

enum vpmu_rule_check {
	VPMU_CHECK_NONE,
	VPMU_CHECK_SLOTS,
	VPMU_CHECK_AREA,
	VPMU_CHECK_PMI,
	VPMU_CHECK_KICK,
	VPMU_CHECK_RESET,
	VPMU_CHECK_PERIOD,
	VPMU_CHECK_COUNT,
};

enum vpmu_rule_effect {
	VPMU_EFFECT_NONE,
	VPMU_EFFECT_OPEN,
	VPMU_EFFECT_CLOSE,
	VPMU_EFFECT_ENABLE,
	VPMU_EFFECT_DISABLE,
	VPMU_EFFECT_SYNC,
	VPMU_EFFECT_ACK,
	VPMU_EFFECT_CHECK,
	VPMU_EFFECT_WARM,
	VPMU_EFFECT_KICK,
	VPMU_EFFECT_RESET,
	VPMU_EFFECT_AREA,
	VPMU_EFFECT_PMI,
	VPMU_EFFECT_PERIOD,
	VPMU_EFFECT_COUNT,
};

/* A word without a level is not defined: control words fault, slot words read 0. */
struct vpmu_rule {
	uint64_t mask;	  /* bits that may be set */
	uint64_t limited; /* bits of the field that has a greatest value */
	uint64_t maximum; /* that value, in place */
	uint64_t reset;
	uint8_t flags;
	uint8_t level;
	uint8_t check;
	uint8_t effect;
};

static const struct vpmu_rule vpmu_control_rules[32] = {
	[0] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_PROFILE, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[1] = { .mask = 0xffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_PROFILE, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[2] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_PROFILE, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[3] = { .mask = 0xffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_PROFILE, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[4] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_PROFILE, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[5] = { .mask = 0xffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_PROFILE, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[6] = { .mask = 0xffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_PROFILE, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[7] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED | VPMU_RULE_KEPT, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[8] = { .mask = 0xffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED | VPMU_RULE_KEPT, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[9] = { .mask = 0xffffffffff001ull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_AREA, .effect = VPMU_EFFECT_AREA },
	[10] = { .mask = 0xffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[11] = { .mask = 0xffffull, .limited = 0xffull, .maximum = 0x2ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_PMI, .effect = VPMU_EFFECT_PMI },
	[12] = { .mask = 0xffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[13] = { .mask = 0xffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[14] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[15] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[16] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[17] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[18] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_WRITE, .level = 1, .check = VPMU_CHECK_SLOTS, .effect = VPMU_EFFECT_OPEN },
	[19] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_WRITE, .level = 1, .check = VPMU_CHECK_SLOTS, .effect = VPMU_EFFECT_CLOSE },
	[20] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_WRITE, .level = 1, .check = VPMU_CHECK_SLOTS, .effect = VPMU_EFFECT_ENABLE },
	[21] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_WRITE, .level = 1, .check = VPMU_CHECK_SLOTS, .effect = VPMU_EFFECT_DISABLE },
	[22] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_WRITE, .level = 1, .check = VPMU_CHECK_SLOTS, .effect = VPMU_EFFECT_SYNC },
	[23] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_WRITE, .level = 1, .check = VPMU_CHECK_SLOTS, .effect = VPMU_EFFECT_ACK },
	[24] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_WRITE, .level = 1, .check = VPMU_CHECK_SLOTS, .effect = VPMU_EFFECT_CHECK },
	[25] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_WRITE, .level = 1, .check = VPMU_CHECK_SLOTS, .effect = VPMU_EFFECT_WARM },
	[26] = { .mask = 0xfffffffffffffff8ull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_WRITE, .level = 1, .check = VPMU_CHECK_KICK, .effect = VPMU_EFFECT_KICK },
	[27] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE, .level = 1, .check = VPMU_CHECK_RESET, .effect = VPMU_EFFECT_RESET },
};

static const struct vpmu_rule vpmu_slot_rules[32] = {
	[0] = { .mask = 0xffull, .limited = 0xffull, .maximum = 0x4ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE | VPMU_RULE_CLOSED | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[1] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE | VPMU_RULE_CLOSED | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[2] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE | VPMU_RULE_CLOSED | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[3] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE | VPMU_RULE_CLOSED | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[4] = { .mask = 0x7fffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_PERIOD, .effect = VPMU_EFFECT_PERIOD },
	[5] = { .mask = 0xfull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE | VPMU_RULE_CLOSED | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[6] = { .mask = 0xffffffff0000003full, .limited = 0x3full, .maximum = 0x3eull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE | VPMU_RULE_CLOSED | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[7] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_WRITE | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[16] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[17] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[18] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[19] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[20] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[21] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[22] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[23] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 1, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
	[24] = { .mask = 0xffffffffffffffffull, .limited = 0x0ull, .maximum = 0x0ull, .reset = 0, .flags = VPMU_RULE_READ | VPMU_RULE_SAVED, .level = 2, .check = VPMU_CHECK_NONE, .effect = VPMU_EFFECT_NONE },
};

#endif
