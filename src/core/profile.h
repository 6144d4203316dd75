/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VPMU_CORE_PROFILE_H
#define VPMU_CORE_PROFILE_H

#include "core.h"

/* What is wrong with a profile, in words; NULL when nothing is. */
const char *vpmu_profile_fault(const struct vpmu_profile *profile);

#endif
