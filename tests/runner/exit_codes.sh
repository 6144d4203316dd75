#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# exit_codes.sh program expected: the program must end with this exit code.

set -euo pipefail

code=0
output=$("$1" 2>&1) || code=$?
if [ "$code" -ne "$2" ]; then
	printf '%s\n' "$output" "$1 ended with $code, expected $2"
	exit 1
fi
