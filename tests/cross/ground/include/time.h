/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* As much of time.h as the tests use: a seed. */
#ifndef GROUND_TIME_H
#define GROUND_TIME_H

typedef long time_t;

time_t time(time_t *to);

#endif
