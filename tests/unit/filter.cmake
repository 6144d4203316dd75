# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# KVM's filter of events: its rules, building one, names, and both against a second model.
foreach(part rules build names random)
  vpmu_test(NAME unit-filter-${part} LABELS unit SOURCES filter_${part}.c)
endforeach()
