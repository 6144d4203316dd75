# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# A VM that stops, is saved and loaded, and goes on.
vpmu_test(NAME unit-image-phase LABELS unit SOURCES image_phase.c core_fixture.c
  LIBS vpmu-test-world)
vpmu_test(NAME unit-image-traces LABELS unit SOURCES image_traces.c core_fixture.c
  LIBS vpmu-test-world TIMEOUT 300)
