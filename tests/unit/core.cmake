# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# The core in a scripted world.
set(core_tests
  access area batch batch_bad deadlines epoch events groups masks masks_closed overflow pmi
  publication reset slots slot_words)
foreach(name IN LISTS core_tests)
  string(REPLACE "_" "-" dashed ${name})
  vpmu_test(NAME unit-core-${dashed} LABELS unit SOURCES core_${name}.c core_fixture.c
    LIBS vpmu-test-world)
endforeach()
