# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# What every target of this project is compiled with.

option(VPMU_WERROR "Treat warnings as errors" OFF)
set(VPMU_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")
option(VPMU_COVERAGE "Measure the coverage of the tests (gcc)" OFF)

get_property(vpmu_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT vpmu_multi_config)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Kind of build" FORCE)
endif()

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()

set(VPMU_WARNINGS
  -pedantic-errors -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow
  -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef)

if(VPMU_SANITIZE)
  add_compile_options(
    -fsanitize=${VPMU_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${VPMU_SANITIZE})
endif()

if(VPMU_COVERAGE)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "VPMU_COVERAGE needs gcc: its data are read with gcov")
  endif()
  # Tests with threads would otherwise lose counts, and gcov then shows negative ones.
  add_compile_options(--coverage -fprofile-update=atomic -fprofile-abs-path -O0 -g)
  add_link_options(--coverage)
endif()

# vpmu_target_defaults(target): C11 without extensions, hidden symbols, position independent,
# and this project's warnings.
function(vpmu_target_defaults target)
  set_target_properties(${target} PROPERTIES
    C_STANDARD 11
    C_STANDARD_REQUIRED ON
    C_EXTENSIONS OFF
    C_VISIBILITY_PRESET hidden
    POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE ${VPMU_WARNINGS})
  if(VPMU_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
