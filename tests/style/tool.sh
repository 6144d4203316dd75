#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# tool.sh <check>: run one tool over the project. Exit code 77 if the tool is missing.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

need() {
	if ! command -v "$1" >/dev/null; then
		echo "$1 is missing: run scripts/install-needs --all"
		exit 77
	fi
}

shell_scripts() {
	python3 tests/style/style.py '*' | while read -r file; do
		if head -n 1 "$file" | grep -aqE '^#!.*\b(ba)?sh$'; then
			echo "$file"
		fi
	done
}

case $1 in
format)
	need clang-format
	scripts/format --check
	;;
reuse)
	need reuse
	if ! reuse lint; then
		echo "Give the file the two SPDX lines, or name it in .reuse/dep5 if it cannot hold them."
		exit 1
	fi
	;;
tidy)
	need clang-tidy
	if ! scripts/tidy "$2"; then
		echo "Correct the code; the checks are chosen in .clang-tidy."
		exit 1
	fi
	;;
shellcheck)
	need shellcheck
	mapfile -t files < <(shell_scripts)
	if ! shellcheck "${files[@]}"; then
		echo "Correct the script; the wiki page of each SC number says how."
		exit 1
	fi
	;;
codespell)
	need codespell
	mapfile -t files < <(python3 tests/style/style.py '*')
	if ! codespell --config .codespellrc "${files[@]}"; then
		echo "Correct the word, or add it to ignore-words-list in .codespellrc."
		exit 1
	fi
	;;
doxygen)
	need doxygen
	mkdir -p "$2"
	if ! {
		cat doc/Doxyfile
		echo "OUTPUT_DIRECTORY = $2"
	} | doxygen -; then
		echo "Each function, structure, member and constant of include/vpmu has a comment."
		exit 1
	fi
	;;
generated)
	if [ ! -e abi/generate.py ]; then
		echo "abi/generate.py is not there: nothing is generated"
		exit 0
	fi
	if ! python3 abi/generate.py --check; then
		echo "Run python3 abi/generate.py and commit what it writes."
		exit 1
	fi
	;;
*)
	echo "unknown check: $1"
	exit 2
	;;
esac
