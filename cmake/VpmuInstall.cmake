# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# Headers, libraries, pkg-config files and the CMake package.

include(CMakePackageConfigHelpers)

set(vpmu_installed vpmu vpmu-static)
set(vpmu_pc vpmu.pc)
if(TARGET vpmu-guest)
  list(APPEND vpmu_installed vpmu-guest)
  list(APPEND vpmu_pc vpmu-guest.pc)
endif()
if(TARGET vpmu-monitor)
  list(APPEND vpmu_installed vpmu-monitor vpmu-monitor-static)
  list(APPEND vpmu_pc vpmu-monitor.pc)
endif()

install(TARGETS ${vpmu_installed} EXPORT vpmuTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/vpmu
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

foreach(dir INCLUDEDIR LIBDIR)
  set(VPMU_PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
    set(VPMU_PC_${dir} "${CMAKE_INSTALL_${dir}}")
  endif()
endforeach()
foreach(pc IN LISTS vpmu_pc)
  configure_file(${PROJECT_SOURCE_DIR}/${pc}.in ${PROJECT_BINARY_DIR}/${pc} @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  # "cmake --install --prefix" names the prefix only now.
  install(CODE "
    cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_PREFIX NORMALIZE OUTPUT_VARIABLE prefix)
    cmake_path(APPEND prefix \"${CMAKE_INSTALL_LIBDIR}/pkgconfig/${pc}\" OUTPUT_VARIABLE pc)
    file(READ \"\$ENV{DESTDIR}\${pc}\" text)
    string(REPLACE \"prefix=${CMAKE_INSTALL_PREFIX}\\n\" \"prefix=\${prefix}\\n\" text \"\${text}\")
    file(WRITE \"\$ENV{DESTDIR}\${pc}\" \"\${text}\")")
endforeach()

set(vpmu_package ${CMAKE_INSTALL_LIBDIR}/cmake/vpmu)
install(EXPORT vpmuTargets NAMESPACE vpmu:: DESTINATION ${vpmu_package})
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/vpmuConfig.cmake.in ${PROJECT_BINARY_DIR}/vpmuConfig.cmake
  INSTALL_DESTINATION ${vpmu_package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vpmuConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/vpmuConfig.cmake ${PROJECT_BINARY_DIR}/vpmuConfigVersion.cmake
  DESTINATION ${vpmu_package})
