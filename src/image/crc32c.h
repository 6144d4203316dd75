/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC32C: polynomial 0x1EDC6F41, reflected. */
#ifndef VPMU_IMAGE_CRC32C_H
#define VPMU_IMAGE_CRC32C_H

#include <stdint.h>

/* Goes on with a register that was neither inverted at the start nor is at the end. */
uint32_t vpmu_crc32c_more(uint32_t state, const unsigned char *data, uint64_t length);
/* The same with tables alone, as on a CPU that has no instruction for it. */
uint32_t vpmu_crc32c_tables(uint32_t state, const unsigned char *data, uint64_t length);

#endif
