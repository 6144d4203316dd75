# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# A VM that stops, is saved and loaded, and goes on.
foreach(name stop save commit limits prepare bank moves meets lent kept primed)
  vpmu_test(NAME unit-image-${name} LABELS unit SOURCES image_${name}.c phase_fixture.c core_fixture.c
    LIBS vpmu-test-world)
endforeach()
vpmu_test(NAME unit-image-traces LABELS unit SOURCES image_traces.c core_fixture.c
  LIBS vpmu-test-world TIMEOUT 300)
vpmu_script_test(NAME unit-image-traces-long LABELS long TIMEOUT 3600
  COMMAND $<TARGET_FILE:unit-image-traces> ENVIRONMENT VPMU_TRACES=100000 CK_FORK=no)
