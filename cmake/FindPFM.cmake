# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# FindPFM: libpfm4 ships neither a pkg-config file nor a CMake package.
# Defines PFM_FOUND and the imported target PFM::PFM.

find_path(PFM_INCLUDE_DIR perfmon/pfmlib_perf_event.h)
find_library(PFM_LIBRARY pfm)
mark_as_advanced(PFM_INCLUDE_DIR PFM_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(PFM REQUIRED_VARS PFM_LIBRARY PFM_INCLUDE_DIR)

if(PFM_FOUND AND NOT TARGET PFM::PFM)
  add_library(PFM::PFM UNKNOWN IMPORTED)
  set_target_properties(PFM::PFM PROPERTIES
    IMPORTED_LOCATION ${PFM_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${PFM_INCLUDE_DIR})
endif()
