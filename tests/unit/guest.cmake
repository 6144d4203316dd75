# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# The guest's client.
find_package(Threads REQUIRED)
foreach(name find host numbers ways device)
  vpmu_test(NAME unit-guest-${name} LABELS unit SOURCES guest_${name}.c
    LIBS vpmu-guest-hosted Threads::Threads)
endforeach()
