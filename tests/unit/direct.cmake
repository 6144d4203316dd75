# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# The direct source on simulated PMUs.
foreach(part count place vcpu)
  vpmu_test(NAME unit-direct-${part} LABELS unit SOURCES direct_${part}.c direct_fixture.c
    LIBS vpmu-test-world)
endforeach()

# Its scheduling against a second scheduler.
add_executable(direct-schedule direct_schedule.c direct_fixture.c)
vpmu_target_defaults(direct-schedule)
target_include_directories(direct-schedule PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(direct-schedule PRIVATE vpmu-static)
vpmu_script_test(NAME unit-direct-model LABELS unit
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/direct_model.py
    $<TARGET_FILE:direct-schedule>)
