#!/bin/sh
# readme.sh CXX [FLAG...] -- the programs in the README compile as they stand there, and are as short as
# promised. The server and the client, which are the first two, talk to each other over a pair of sockets.

[ $# -gt 0 ] || { echo "usage: readme.sh CXX [FLAG...]" >&2; exit 2; }
cd "$(dirname "$0")/../.." || exit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

awk -v folder="$scratch" '/^```cpp/ {inside = 1; ++block; next} /^```/ {inside = 0}
                          inside {print > (folder "/" block ".txt")}' README.md
for block in "$scratch"/*.txt; do
    lines=$(grep -c . "$block")
    [ "$lines" -le 25 ] || { echo "README.md: a block of $lines lines, more than 25"; exit 1; }
done

# The third is the inside of a function. It needs zlib.
if echo "#include <zlib.h>" | "$@" -x c++ -fsyntax-only - 2>/dev/null; then
    {
        grep -h "^#include" "$scratch/1.txt" "$scratch/3.txt"
        echo "sockless::result compressed(std::string_view secret) {"
        grep -v "^#include" "$scratch/3.txt"
        echo "    return r;"
        echo "}"
    } >"$scratch/third.cpp"
    "$@" -std=c++20 -Iinclude -fsyntax-only "$scratch/third.cpp" || exit 1
fi

cat - "$scratch/1.txt" "$scratch/2.txt" tests/checks/readme_main.txt >"$scratch/readme.cpp" <<'EOF'
#include <array>
#include <cstdio>
#include <span>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>
EOF
"$@" -std=c++20 -Iinclude -pthread "$scratch/readme.cpp" -o "$scratch/readme" && "$scratch/readme"
