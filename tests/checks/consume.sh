#!/bin/sh
# consume.sh -- installs the library with CMake and with meson, moves it, and builds the program in
# tests/consumer against it in each of the ways that the README promises.

cd "$(dirname "$0")/../.." || exit
. tests/checks/need.sh
need cmake:cmake ninja:ninja-build meson:meson pkg-config:pkg-config c++:g++

source=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

quietly() { # COMMAND...: what it prints is of interest only if it fails
    "$@" >"$scratch/log" 2>&1 || { echo "failed: $*"; cat "$scratch/log"; exit 1; }
}

run() { # WAY PROGRAM
    printf '%s: ' "$1"
    "$2" || exit 1
}

by_cmake() { # WAY ARGUMENT
    quietly cmake -S tests/consumer/cmake -B "$scratch/$1" -G Ninja "$2"
    quietly cmake --build "$scratch/$1"
    run "$1" "$scratch/$1/consumer"
}

by_pkg_config() { # WAY FOLDER-OF-THE-PC-FILE
    version=$(PKG_CONFIG_PATH=$2 pkg-config --modversion sockless) &&
        flags=$(PKG_CONFIG_PATH=$2 pkg-config --cflags sockless) || exit 1
    # shellcheck disable=SC2086 # several flags
    quietly c++ -std=c++20 $flags "-DPACKAGE_VERSION=\"$version\"" tests/consumer/consumer.cpp \
        -o "$scratch/consumer"
    run "$1" "$scratch/consumer"
}

# Installed by CMake, then moved: nothing may remember where it was.
quietly cmake -S . -B "$scratch/build" -G Ninja -DSOCKLESS_TESTS=OFF -DSOCKLESS_EXAMPLES=OFF
quietly cmake --install "$scratch/build" --prefix "$scratch/first"
mv "$scratch/first" "$scratch/moved"
by_cmake find_package "-DCMAKE_PREFIX_PATH=$scratch/moved"
by_cmake add_subdirectory "-DSOCKLESS_SOURCE=$source"
by_pkg_config pkg-config "$scratch/moved/share/pkgconfig"

# As a meson subproject, whose own tests stay out of it; then installed by meson.
mkdir -p "$scratch/project/subprojects"
cp tests/consumer/meson/meson.build tests/consumer/consumer.cpp "$scratch/project"
ln -s "$source" "$scratch/project/subprojects/sockless"
quietly meson setup "$scratch/subproject" "$scratch/project"
quietly meson compile -C "$scratch/subproject"
run subproject "$scratch/subproject/consumer"
quietly meson install -C "$scratch/subproject" --destdir "$scratch/staged"
export PKG_CONFIG_SYSROOT_DIR="$scratch/staged"
by_pkg_config "pkg-config by meson" "$scratch/staged/usr/local/share/pkgconfig"
