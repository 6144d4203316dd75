# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# The deal between host and guest about the PMU.
foreach(part states leaks truth direct)
  vpmu_test(NAME unit-owner-${part} LABELS unit SOURCES owner_${part}.c owner_fixture.c)
endforeach()
