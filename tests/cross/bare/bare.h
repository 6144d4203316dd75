/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
#ifndef CROSS_BARE_H
#define CROSS_BARE_H

#include <stdint.h>

/* Traps so far; of the last one ESTAT and the instruction. */
extern uint64_t bare_traps;
extern uint64_t bare_code;
extern uint32_t bare_instruction;

#endif
