#!/bin/sh
# seeds.sh MAKE_SEEDS -- what the program makes of tests/cases is what fuzz/corpus holds.

[ $# = 1 ] || { echo "usage: seeds.sh MAKE_SEEDS" >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd) || exit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$1" "$root/tests/cases" "$scratch" || exit 1
cd "$scratch" || exit
stale=0
for seed in */*; do
    cmp -s "$seed" "$root/fuzz/corpus/$seed" || stale=$((stale + 1))
done
[ $stale = 0 ] || { echo "$stale are missing in fuzz/corpus, or others there: build the target 'seeds'"; exit 1; }
