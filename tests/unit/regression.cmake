# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# What fuzzing and failing each call has found in the core.
vpmu_test(NAME unit-core-regression LABELS unit SOURCES core_regression.c LIBS vpmu-test-world)
