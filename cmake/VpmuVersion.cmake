# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# The version stands in three places: the project, include/vpmu/version.h and the newest node of
# the symbol map. vpmu_check_version() stops the configuration when they differ.

function(vpmu_check_version)
  set(map ${PROJECT_SOURCE_DIR}/src/vpmu.map)
  set(header ${PROJECT_SOURCE_DIR}/include/vpmu/version.h)
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY
    CMAKE_CONFIGURE_DEPENDS ${map} ${header})

  file(STRINGS ${map} nodes REGEX "^VPMU_[0-9]+\\.[0-9]+")
  list(TRANSFORM nodes REPLACE "^VPMU_([0-9]+\\.[0-9]+).*" "\\1")
  list(SORT nodes COMPARE NATURAL ORDER DESCENDING)
  list(GET nodes 0 newest)
  set(expected ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  if(NOT newest STREQUAL expected)
    message(FATAL_ERROR
      "The project is version ${PROJECT_VERSION}, but the newest node of src/vpmu.map is "
      "VPMU_${newest}. Add a node VPMU_${expected}, or correct the version in CMakeLists.txt.")
  endif()

  file(STRINGS ${header} lines REGEX "^#define VPMU_VERSION_(MAJOR|MINOR|PATCH) ")
  set(numbers)
  foreach(word MAJOR MINOR PATCH)
    if(NOT "${lines}" MATCHES "VPMU_VERSION_${word} ([0-9]+)")
      message(FATAL_ERROR "include/vpmu/version.h does not define VPMU_VERSION_${word}.")
    endif()
    list(APPEND numbers ${CMAKE_MATCH_1})
  endforeach()
  list(JOIN numbers . in_header)
  if(NOT in_header STREQUAL PROJECT_VERSION)
    message(FATAL_ERROR
      "The project is version ${PROJECT_VERSION}, but include/vpmu/version.h says "
      "${in_header}. Make them equal.")
  endif()
endfunction()
