# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# libvpmu-monitor, for those who run the machines. A VMM links none of it.

add_library(vpmu-monitor SHARED $<TARGET_OBJECTS:vpmu-monitor-objects>)
add_library(vpmu-monitor-static STATIC $<TARGET_OBJECTS:vpmu-monitor-objects>)
add_library(vpmu::vpmu-monitor ALIAS vpmu-monitor)
add_library(vpmu::vpmu-monitor-static ALIAS vpmu-monitor-static)
foreach(library vpmu-monitor vpmu-monitor-static)
  set_target_properties(${library} PROPERTIES LINKER_LANGUAGE C OUTPUT_NAME vpmu-monitor)
  target_include_directories(${library} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
set_target_properties(vpmu-monitor PROPERTIES
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/src/vpmu-monitor.map)
target_link_options(vpmu-monitor PRIVATE
  LINKER:--version-script=${PROJECT_SOURCE_DIR}/src/vpmu-monitor.map)
if(NOT VPMU_SANITIZE)
  target_link_options(vpmu-monitor PRIVATE LINKER:-z,defs)
endif()
