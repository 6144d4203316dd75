# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# How a test is added. Exit code 77 means skipped; VPMU_NO_SKIPS turns a skip into a failure,
# except for tests with the label kvm on a host without a usable /dev/kvm.

option(VPMU_NO_SKIPS "A skipped test fails" OFF)
set(VPMU_TEST_RUNNER "check" CACHE STRING "Runner of the test tables: check or plain")
set_property(CACHE VPMU_TEST_RUNNER PROPERTY STRINGS check plain)

# The modules that tests use are packages of the distribution, so its own Python runs them.
if(NOT DEFINED Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
  set(Python3_EXECUTABLE /usr/bin/python3)
endif()
find_package(Python3 COMPONENTS Interpreter REQUIRED)

execute_process(
  COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/config/kvm_usable.py
  RESULT_VARIABLE vpmu_no_kvm OUTPUT_QUIET ERROR_QUIET)

function(vpmu_test_properties name labels timeout)
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout})
  if(NOT VPMU_NO_SKIPS OR ("kvm" IN_LIST labels AND vpmu_no_kvm))
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
  endif()
endfunction()

# vpmu_test(NAME name LABELS label... SOURCES file...
#           [LIBS target...] [ARGS word...] [ENVIRONMENT NAME=value...] [TIMEOUT seconds]
#           [OWN_MAIN])
# One test program, linked with vpmu-static. It defines test_cases and test_case_count (see
# tests/runner/runner.h), or, with OWN_MAIN, main().
function(vpmu_test)
  cmake_parse_arguments(PARSE_ARGV 0 T "OWN_MAIN" "NAME;TIMEOUT"
    "LABELS;SOURCES;LIBS;ARGS;ENVIRONMENT")
  if(T_UNPARSED_ARGUMENTS OR NOT T_NAME OR NOT T_LABELS OR NOT T_SOURCES)
    message(FATAL_ERROR "vpmu_test needs NAME, LABELS and SOURCES: ${ARGV}")
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_executable(${T_NAME} ${T_SOURCES})
  vpmu_target_defaults(${T_NAME})
  target_include_directories(${T_NAME} PRIVATE
    ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/abi/gen)
  if(NOT T_OWN_MAIN)
    target_link_libraries(${T_NAME} PRIVATE vpmu-test-runner)
  endif()
  target_link_libraries(${T_NAME} PRIVATE ${T_LIBS} vpmu-static)
  add_test(NAME ${T_NAME} COMMAND ${T_NAME} ${T_ARGS})
  vpmu_test_properties(${T_NAME} "${T_LABELS}" ${T_TIMEOUT})
  if(VPMU_SANITIZE MATCHES "thread")
    # The thread sanitizer does not follow a forked child that starts threads.
    list(APPEND T_ENVIRONMENT CK_FORK=no)
  endif()
  set_tests_properties(${T_NAME} PROPERTIES ENVIRONMENT "${T_ENVIRONMENT}")
endfunction()

# vpmu_script_test(NAME name LABELS label... COMMAND word...
#                  [ENVIRONMENT NAME=value...] [TIMEOUT seconds] [PROCESSORS n])
# One test that is a command. A script of Python is started as ${Python3_EXECUTABLE} file.
function(vpmu_script_test)
  cmake_parse_arguments(PARSE_ARGV 0 T "" "NAME;TIMEOUT;PROCESSORS" "LABELS;COMMAND;ENVIRONMENT")
  if(T_UNPARSED_ARGUMENTS OR NOT T_NAME OR NOT T_LABELS OR NOT T_COMMAND)
    message(FATAL_ERROR "vpmu_script_test needs NAME, LABELS and COMMAND: ${ARGV}")
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  if(NOT T_PROCESSORS)
    set(T_PROCESSORS 1)
  endif()
  add_test(NAME ${T_NAME} COMMAND ${T_COMMAND} COMMAND_EXPAND_LISTS)
  vpmu_test_properties(${T_NAME} "${T_LABELS}" ${T_TIMEOUT})
  set_tests_properties(${T_NAME} PROPERTIES
    PROCESSORS ${T_PROCESSORS} ENVIRONMENT "${T_ENVIRONMENT}")
endfunction()
