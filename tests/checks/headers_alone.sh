#!/bin/sh
# headers_alone.sh CXX [FLAG...] -- every header compiles alone, and included twice, with all warnings
# as errors: as it is, without exceptions and RTTI, and small.

[ $# -gt 0 ] || { echo "usage: headers_alone.sh CXX [FLAG...]" >&2; exit 2; }
cd "$(dirname "$0")/../.." || exit

# Without zlib, the headers that need it are left out.
headers=$(cd include/sockless && printf '%s\n' *)
if ! echo "#include <zlib.h>" | "$@" -x c++ -fsyntax-only - 2>/dev/null; then
    headers=$(echo "$headers" | grep -vx -e deflate.hpp -e deflate_pool.hpp -e deflate_streams.hpp -e inflating.hpp -e prepared_deflate.hpp)
fi

# shellcheck disable=SC2016 # its own variables: the header, then the command
compile='header=$1; shift
printf "#include <sockless/%s>\n#include <sockless/%s>\n" "$header" "$header" | "$@" -x c++ -'

for mode in "" "-fno-exceptions -fno-rtti" "-DSOCKLESS_SMALL"; do
    # shellcheck disable=SC2046,SC2086 # several flags each
    echo "$headers" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I HEADER \
        sh -c "$compile" sh HEADER \
        "$@" $mode -std=c++20 -Iinclude $(cat cmake/warnings.txt) -Werror -fsyntax-only || exit 1
done
echo "every header compiles alone"
