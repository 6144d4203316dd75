# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# The core and the transports in a scripted world.
set(core_tests
  access area batch batch_bad binding budgets deadlines epoch events groups keeping lock loss masks masks_closed
  notice overflow pmi profile publication reset review slots slot_words statistics)
foreach(name IN LISTS core_tests)
  string(REPLACE "_" "-" dashed ${name})
  vpmu_test(NAME unit-core-${dashed} LABELS unit SOURCES core_${name}.c core_fixture.c
    LIBS vpmu-test-world)
endforeach()
foreach(name call mailbox window)
  vpmu_test(NAME unit-transport-${name} LABELS unit SOURCES transport_${name}.c core_fixture.c
    LIBS vpmu-test-world)
endforeach()
