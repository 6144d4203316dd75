#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# SPDX-FileCopyrightText: 2026 libvpmu contributors

# consumer.sh <build>: install the build into a stage and use it as a program outside would.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1
for tool in pkg-config g++; do
	if ! command -v $tool >/dev/null; then
		echo "$tool is missing: run scripts/install-needs --all"
		exit 77
	fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/stage
prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$build/CMakeCache.txt")
libdir=$(sed -n 's/^CMAKE_INSTALL_LIBDIR:[A-Z]*=//p' "$build/CMakeCache.txt")
DESTDIR=$stage cmake --install "$build" >/dev/null
export PKG_CONFIG_SYSROOT_DIR=$stage
export PKG_CONFIG_LIBDIR=$stage$prefix/$libdir/pkgconfig
export LD_LIBRARY_PATH=$stage$prefix/$libdir

fail() {
	echo "consumer: $1"
	echo "A program that uses the installed library must build by pkg-config and by find_package."
	exit 1
}

# Every installed header, as a user would include it.
headers() {
	find "$stage$prefix/include/vpmu" -name '*.h' -printf '#include <vpmu/%f>\n' | sort
}
{
	headers
	cat "$here/consumer/main.c"
} >"$work/main.c"
cp "$work/main.c" "$work/main.cc"

read -ra cflags < <(pkg-config --cflags vpmu)
read -ra shared < <(pkg-config --libs vpmu)
read -ra static < <(pkg-config --static --libs vpmu)
flags=(-Wall -Wextra -Werror "${cflags[@]}")
cc -std=c11 "${flags[@]}" "$work/main.c" "${shared[@]}" -o "$work/c-shared" || fail "C, shared"
cc -std=c11 "${flags[@]}" "$work/main.c" -static "${static[@]}" -o "$work/c-static" ||
	fail "C, static"
c++ -std=c++17 "${flags[@]}" "$work/main.cc" "${shared[@]}" -o "$work/cxx-shared" ||
	fail "C++, shared"
c++ -std=c++17 "${flags[@]}" "$work/main.cc" -static "${static[@]}" -o "$work/cxx-static" ||
	fail "C++, static"

# Where the prefix is named when it is installed, pkg-config must know of it too.
cmake --install "$build" --prefix "$work/other" >/dev/null
read -ra other < <(env -u PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR="$work/other/$libdir/pkgconfig" \
	pkg-config --cflags --libs vpmu)
[ "${other[*]}" = "-I$work/other/include -L$work/other/$libdir -lvpmu" ] ||
	fail "cmake --install --prefix: ${other[*]}"
if [ -e "$work/other/bin/vpmu" ]; then
	env -u LD_LIBRARY_PATH "$work/other/bin/vpmu" list --json >/dev/null ||
		fail "the installed vpmu does not run"
fi

cp "$here/consumer/CMakeLists.txt" "$work/"
if ! cmake -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$stage$prefix" >"$work/log" 2>&1 ||
	! cmake --build "$work/build" >>"$work/log" 2>&1; then
	cat "$work/log"
	fail "find_package(vpmu)"
fi

expected=$(pkg-config --modversion vpmu)
for program in c-shared c-static cxx-shared cxx-static build/by-package build/by-package-static; do
	[ "$("$work/$program")" = "$expected" ] || fail "$program does not say $expected"
done
if [ -e "$PKG_CONFIG_LIBDIR/vpmu-monitor.pc" ]; then
	read -ra monitor < <(pkg-config --libs vpmu-monitor)
	echo '#include <vpmu/monitor.h>
int main(void) { return vpmu_monitor_destroy(0); }' >"$work/monitor.c"
	cc -std=c11 "${flags[@]}" "$work/monitor.c" "${monitor[@]}" -o "$work/monitor" ||
		fail "vpmu-monitor by pkg-config"
	"$work/monitor" || fail "vpmu-monitor does not run"
	if ldd "$work/c-shared" | grep -q vpmu-monitor; then
		fail "a program that links libvpmu has got libvpmu-monitor too"
	fi
fi
if [ -e "$PKG_CONFIG_LIBDIR/vpmu-guest.pc" ]; then
	read -ra guest < <(pkg-config --static --libs vpmu-guest)
	cc -shared -nostdlib -Wl,--whole-archive "${guest[@]}" -Wl,--no-whole-archive \
		-o "$work/guest.so" || fail "vpmu-guest by pkg-config"
fi
