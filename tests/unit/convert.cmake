# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# Conversions: tables of the tests' own, then the page, the vectors and both implementations.
foreach(part to from sizes fields names exclude header)
  vpmu_test(NAME unit-convert-${part} LABELS unit SOURCES convert_${part}.c)
endforeach()

set(scripts ${PROJECT_SOURCE_DIR}/abi/python)
file(GLOB vectors CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/abi/vectors/convert_*.json)
vpmu_script_test(NAME conformance-convert-python LABELS conformance
  COMMAND ${Python3_EXECUTABLE} ${scripts}/conformance_convert.py ${vectors})
vpmu_script_test(NAME conformance-convert-vectors LABELS conformance
  COMMAND ${Python3_EXECUTABLE} ${scripts}/make_convert_vectors.py --check)
if(NOT VPMU_SANITIZE)
  # A sanitizer's run time is not in the Python that would load the library.
  vpmu_script_test(NAME conformance-convert-library LABELS conformance
    COMMAND ${Python3_EXECUTABLE} ${scripts}/conformance_convert.py
      --library $<TARGET_FILE:vpmu> ${vectors})
  vpmu_script_test(NAME conformance-convert-page LABELS conformance
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/convert_page.py $<TARGET_FILE:vpmu>)
endif()
