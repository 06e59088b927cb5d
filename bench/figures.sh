#!/bin/sh
# figures.sh            prints the README's table of figures, measured here and now
# figures.sh --update   writes it into the README
# figures.sh --check    fails if the README's table says something else (times are not compared)

case $* in
    "" | --update | --check) ;;
    *) echo "usage: figures.sh [--update|--check]" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/.." || exit
. tests/checks/need.sh
. tests/checks/processor_ms.sh
need g++-12:g++-12 python3:python3 arm-none-eabi-g++:gcc-arm-none-eabi \
    /usr/lib/arm-none-eabi/newlib:libstdc++-arm-none-eabi-newlib

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

lines() { echo "#include <sockless/$1>" | g++-12 -std=c++20 -Iinclude -E -P -x c++ - | grep -c .; }

seconds() { # of compiling an empty program with this header, the best of twelve
    echo "#include <sockless/$1>" >"$scratch/one.cpp"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
        processor_ms g++-12 -std=c++20 -O2 -Iinclude -c "$scratch/one.cpp" -o "$scratch/one.o" || exit
    done | sort -n | awk 'NR == 1 {printf "%.2f", $1 / 1e3}'
}

firmware() { # PROBE, or "stack of PROBE": octets on Cortex-M0 and Cortex-M3
    sh tests/checks/firmware.sh |
        sed -n "s/^$1 on cortex-m[03]: \([0-9]*\) octets\$/\1/p" |
        awk '{both = both slash $1; slash = " / "} END {printf "%s octets", both}'
}

table() {
    echo "| figure | measured |"
    echo "|---|---|"
    g++-12 -std=c++20 -Iinclude bench/sizes.cpp -o "$scratch/sizes" && "$scratch/sizes"
    echo "| flash of frames only, Cortex-M0 / M3, \`-Os\` | $(firmware frames) |"
    echo "| flash of an endpoint that echoes, Cortex-M0 / M3, \`-Os\` | $(firmware endpoint) |"
    echo "| flash of a server's codec: opening handshake and endpoint, Cortex-M0 / M3, \`-Os\` | $(firmware codec) |"
    echo "| flash of a server that echoes, Cortex-M0 / M3, \`-Os\` | $(firmware server) |"
    echo "| stack of a server that echoes, Cortex-M0 / M3, \`-Os\` | $(firmware "stack of server") |"
    echo "| flash of a whole server connection on fixed storage, Cortex-M0 / M3, \`-Os\` | $(firmware connection) |"
    for header in frame_reader.hpp endpoint.hpp sockless.hpp; do
        echo "| \`$header\`, preprocessed | $(lines $header) lines |"
    done
    for header in endpoint.hpp sockless.hpp; do
        echo "| \`$header\`, compiled at \`-O2\` | $(seconds $header) s |"
    done
    echo
    processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    echo "Measured with $(g++-12 --version | head -n 1 | sed 's/ (.*) / /') on $(uname -m)" \
        "($processor) and $(arm-none-eabi-g++ --version | head -n 1 | sed 's/ (.*) / /')" \
        "by \`sh bench/figures.sh\`."
}

from_readme() { sed -n '/^<!-- figures -->$/,/^<!-- end of figures -->$/p' README.md | sed '1d;$d'; }
comparable() { grep '^|' "$1" | grep -v ' s |$'; }

table >"$scratch/now" || exit
case $1 in
    "") cat "$scratch/now" ;;
    --update)
        sed -i -e "/^<!-- figures -->$/r $scratch/now" \
            -e '/^<!-- figures -->$/,/^<!-- end of figures -->$/{/^<!--/!d}' README.md
        ;;
    --check)
        from_readme >"$scratch/readme"
        comparable "$scratch/now" >"$scratch/left"
        comparable "$scratch/readme" | diff - "$scratch/left" ||
            { echo "the README's figures are stale: sh bench/figures.sh --update"; exit 1; }
        echo "figures: the README's are those of today"
        ;;
esac
