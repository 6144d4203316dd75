# SPDX-FileCopyrightText: 2026 libvpmu contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The register traces, one module for each topic."""

TOPICS = ("registers", "refusals", "slots", "events", "groups", "masks", "publication", "overflow",
          "pmi", "batch", "area", "reset", "continuity", "transports", "review", "moving")
