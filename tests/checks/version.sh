#!/bin/sh
# version.sh -- every mention of the version agrees with the macros in version.hpp.

cd "$(dirname "$0")/../.." || exit
. tests/checks/need.sh
need cmake:cmake c++:g++ ninja:ninja-build python3:python3

failed=0
agree() { # WHO SAYS EXPECTED
    [ "$2" = "$3" ] && return
    echo "$1 says '$2', version.hpp says '$3'"
    failed=1
}

macro() { sed -n "s/^#define SOCKLESS_VERSION_$1 \([0-9]*\)$/\1/p" include/sockless/version.hpp; }
version=$(macro MAJOR).$(macro MINOR).$(macro PATCH)

for header in include/sockless/*.hpp; do
    [ "${header##*/}" = sockless.hpp ] ||
        agree "$header" "$(sed -n 's/^namespace .*inline \(v[0-9]*\).*/\1/p' "$header")" "v$(macro MAJOR)"
done

agree CHANGELOG.md "$(sed -n 's/^## \[*v*\([0-9.]*[0-9]\).*/\1/p' CHANGELOG.md | head -n 1)" "$version"
for found in $(grep -oiE '(sockless|version|tag)[^0-9a-z]{1,3}v?[0-9]+\.[0-9]+\.[0-9]+' README.md |
    grep -oE '[0-9.]+$'); do
    agree README.md "$found" "$version"
done

# Both build systems read the header; the consumers in tests/consumer prove what comes out installed.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake -S . -B "$scratch" -G Ninja -DSOCKLESS_TESTS=OFF -DSOCKLESS_EXAMPLES=OFF >"$scratch/log" 2>&1 ||
    cat "$scratch/log"
agree CMake "$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$scratch/CMakeCache.txt")" "$version"
agree cmake/version.py "$(cmake/version.py)" "$version"
agree meson.build "$(grep -o "^    version: run_command('cmake/version.py'" meson.build | wc -l) reading" "1 reading"

[ $failed = 0 ] && echo "version $version, everywhere"
exit $failed
