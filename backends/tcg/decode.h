/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the plugin must know of an instruction. */
#ifndef VPMU_TCG_DECODE_H
#define VPMU_TCG_DECODE_H

#include <stddef.h>
#include <stdint.h>

/* Answers of a decoder. */
#define DECODE_BRANCH 1u   /* a jump, a call or a return, direct or not, conditional or not */
#define DECODE_REPEATED 2u /* x86: a string instruction with a repeat prefix */

typedef unsigned int (*decoder)(const uint8_t *bytes, size_t size);

/* The decoder of a QEMU target, "x86_64"; NULL where there is none. */
decoder decoder_for(const char *target);

#endif
