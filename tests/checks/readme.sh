#!/bin/sh
# readme.sh CXX [FLAG...] -- the server and the client in the README compile as they stand there, are as
# short as promised, and talk to each other over a pair of sockets.

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

cat - "$scratch"/[0-9]*.txt tests/checks/readme_main.txt >"$scratch/readme.cpp" <<'EOF'
#include <array>
#include <cstdio>
#include <span>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>
EOF
"$@" -std=c++20 -Iinclude -pthread "$scratch/readme.cpp" -o "$scratch/readme" && "$scratch/readme"
