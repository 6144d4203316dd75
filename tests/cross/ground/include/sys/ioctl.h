/* SPDX-License-Identifier: BSD-2-Clause */
/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
#ifndef GROUND_IOCTL_H
#define GROUND_IOCTL_H

int ioctl(int file, unsigned long request, ...);

#endif
