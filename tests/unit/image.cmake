# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# Images as bytes.
foreach(name bytes checksum convert describe events flip header records state target words)
  vpmu_test(NAME unit-image-${name} LABELS unit SOURCES image_${name}.c image_fixture.c)
endforeach()
