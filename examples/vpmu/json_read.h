/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Reading JSON in place. A value is a pointer to where it begins in a text that ends with a 0. Each function takes NULL
 * for "no value" and answers it, so that look-ups can be nested.
 */
#ifndef VPMU_JSON_READ_H
#define VPMU_JSON_READ_H

#include <stddef.h>
#include <stdint.h>

/* Where a value ends; NULL where there is no whole value, or more than 64 deep. */
const char *json_end(const char *value);
/* The value of an object's member. */
const char *json_member(const char *object, const char *key);
/* An array's element, from 0. */
const char *json_element(const char *array, unsigned int index);
/* 0, and an integer; -1. */
int json_integer(const char *value, int64_t *number);
/* 1 for true, 0 for false, -1. */
int json_boolean(const char *value);
/* Length of a string, copied with a 0 behind it; -1 where it is none, is too long, or has a character beyond ASCII. */
int json_string(const char *value, char *to, size_t size);

#endif
