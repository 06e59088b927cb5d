#!/bin/sh
# tidy.sh [HEADER...] -- clang-tidy over every header, or those named, each as a program of its own.

cd "$(dirname "$0")/../.." || exit
. tests/checks/need.sh
need clang-tidy-19:clang-tidy-19 c++:g++

# sockless.hpp is a list: nothing in it uses what it includes.
# shellcheck disable=SC2046 # one word for each header
[ $# -gt 0 ] || set -- $(find include/sockless -name '*.hpp' ! -name sockless.hpp | sort)

printf '%s\n' "$@" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I HEADER \
    clang-tidy-19 --quiet --warnings-as-errors='*' HEADER -- \
    -x c++ -std=c++20 -Iinclude -Wno-pragma-once-outside-header
