#!/bin/sh
# deflate.sh [--quick] [--json FILE]    what permessage-deflate costs beside zlib alone
# deflate.sh --levels [--quick]         what levels, memory levels, windows and thresholds give
# deflate.sh --memory                   octets of heap per open connection
# deflate.sh --update                   writes those into the README
# deflate.sh --update-times             writes what the first says into bench/README.md
# deflate.sh --check                    fails if the README says something else

cd "$(dirname "$0")/.." || exit
. tests/checks/need.sh
need g++-12:g++-12 /usr/include/zlib.h:zlib1g-dev

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
g++-12 -std=c++20 -O2 -DBUILD='"g++-12 -O2"' -Iinclude bench/deflate.cpp -o "$scratch/deflate" -lz ||
    exit

from_readme() { sed -n '/^<!-- deflate -->$/,/^<!-- end of deflate -->$/p' README.md | sed '1d;$d'; }

put() { # FILE: what is between its marks becomes what was measured now
    sed -i -e "/^<!-- deflate -->$/r $scratch/now" \
        -e '/^<!-- deflate -->$/,/^<!-- end of deflate -->$/{/^<!--/!d}' "$1"
}

case $1 in
    --update)
        "$scratch/deflate" --memory >"$scratch/now" || exit
        put README.md
        ;;
    --update-times)
        shift
        "$scratch/deflate" "$@" >"$scratch/now" || exit
        printf '\nMeasured on %s.\n' "$(date +%F)" >>"$scratch/now"
        put bench/README.md
        ;;
    --check)
        "$scratch/deflate" --memory >"$scratch/now" || exit
        from_readme | diff - "$scratch/now" ||
            { echo "the README's octets are stale: sh bench/deflate.sh --update"; exit 1; }
        echo "deflate: the README's octets are those of today"
        ;;
    *) "$scratch/deflate" "$@" ;;
esac
