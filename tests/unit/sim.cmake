# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# Simulated PMUs: what each architecture says of its registers, and time.
foreach(part intel amd loongarch time)
  vpmu_test(NAME unit-sim-${part} LABELS unit SOURCES sim_${part}.c)
endforeach()
vpmu_test(NAME unit-convert-selector LABELS unit SOURCES convert_selector.c)
vpmu_test(NAME unit-hardware LABELS unit SOURCES hardware.c)
