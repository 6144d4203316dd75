#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# The gate: lines and branches of each directory are covered by at least its percentage.

set -euo pipefail

if [ $# -lt 4 ] || [ "$1" = --help ]; then
	cat <<'END'
usage: coverage.sh <source> <build> <regex of labels> <directory>=<percent>... [-- cmake option...]

A line or branch that no test can reach is excluded by a marker of gcovr in the code
(GCOVR_EXCL_LINE, GCOVR_EXCL_BR_LINE), with the reason beside it.
END
	exit 2
fi

source=$1
build=$2
labels=$3
shift 3
gates=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	gates+=("$1")
	shift
done
[ $# -eq 0 ] || shift

if ! command -v gcovr >/dev/null; then
	echo "gcovr is missing: run scripts/install-needs --all"
	exit 77
fi

# Counts of an earlier build do not match new objects.
if [ -d "$build" ]; then
	find "$build" -name '*.gcda' -delete
fi
bash "$source/tests/config/nested.sh" "$source" "$build" gcc "$labels" \
	-DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug -DVPMU_COVERAGE=ON "$@"

gcovr --root "$source" --object-directory "$build" --filter "$source/src/" \
	--json "$build/coverage.json" "$build"
failed=0
for gate in "${gates[@]}"; do
	directory=${gate%=*}
	percent=${gate#*=}
	if ! compgen -G "$source/$directory/*.c" >/dev/null; then
		echo "$directory: no source files, no gate"
		continue
	fi
	echo
	echo "$directory: at least $percent % of lines and branches"
	gcovr --root "$source" --add-tracefile "$build/coverage.json" \
		--filter "$source/$directory/" --txt
	gcovr --root "$source" --add-tracefile "$build/coverage.json" \
		--filter "$source/$directory/" --txt --branches
	python3 "$source/tests/config/coverage_gate.py" "$build/coverage.json" "$directory" \
		"$percent" || failed=1
done
exit $failed
