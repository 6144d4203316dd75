#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# Configure and build this project another way and run a part of its tests there.

set -euo pipefail

if [ $# -lt 4 ] || [ "$1" = --help ]; then
	cat <<'END'
usage: nested.sh <source> <build> <command that must exist> <regex of labels> [cmake option]...

Exit code 77 if the command (a compiler) is missing.
END
	exit 2
fi

source=$1
build=$2
needed=$3
labels=$4
shift 4

if ! command -v "$needed" >/dev/null; then
	echo "$needed is missing: run scripts/install-needs --all"
	exit 77
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake -S "$source" -B "$build" -DVPMU_NESTED=ON -DVPMU_WERROR=ON -DVPMU_INSTALL=OFF \
	"$@" >"$log" 2>&1 ||
	! cmake --build "$build" -j 2 >"$log" 2>&1; then
	cat "$log"
	echo "The build in $build failed. It was configured with: $*"
	exit 1
fi
ctest --test-dir "$build" --output-on-failure --no-tests=error -j 2 -L "^($labels)\$" -LE '^long$'
