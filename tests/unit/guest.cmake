# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# The guest's client.
find_package(Threads REQUIRED)
foreach(name device batch pmi)
  vpmu_test(NAME unit-guest-${name} LABELS unit SOURCES guest_${name}.c guest_fixture.c
    LIBS vpmu-guest-hosted vpmu-test-world)
endforeach()
set(names find host)
# The arithmetic is judged by the compiler's own of 128 bits, and only 64-bit guests write the MMIO window.
if(CMAKE_SIZEOF_VOID_P EQUAL 8)
  list(APPEND names numbers ways)
endif()
foreach(name IN LISTS names)
  vpmu_test(NAME unit-guest-${name} LABELS unit SOURCES guest_${name}.c
    LIBS vpmu-guest-hosted Threads::Threads)
endforeach()
