#!/bin/sh
# fuzz.sh SECONDS [FOLDER] -- runs each fuzz target in FOLDER (build/fuzz/fuzz) for so long, over a
# copy of its corpus. An input that breaks something stays in FOLDER, beside the target's log. With
# $SOCKLESS_FUZZ_SEED it begins as it did the last time: what it finds then is news of a change.

case $1 in
    "" | 0 | *[!0-9]*) echo "usage: fuzz.sh SECONDS [FOLDER]" >&2; exit 2 ;;
esac
seconds=$1
corpora=$(cd "$(dirname "$0")/../../fuzz/corpus" && pwd) || exit
cd "${2:-$(dirname "$0")/../../build/fuzz/fuzz}" || exit

# Called for one target: quiet unless it fails.
# shellcheck disable=SC2016 # its own variables
one='target=$1 seconds=$2 corpus=$3/${1#fuzz_} copy=$(mktemp -d)
trap "rm -rf \"$copy\"" EXIT
[ ! -d "$corpus" ] || cp -r "$corpus/." "$copy"
"./$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -seed="${SOCKLESS_FUZZ_SEED:-0}" \
    -artifact_prefix="$target-" "$copy" >"$target.log" 2>&1 || { tail -n 60 "$target.log"; exit 1; }
echo "$target: $(sed -n "s/^stat::number_of_executed_units: *//p" "$target.log") inputs in $seconds s, nothing broken"'

set -- fuzz_*
[ -x "$1" ] || { echo "fuzz.sh: no fuzz targets in $PWD" >&2; exit 1; }
for target; do
    [ ! -x "$target" ] || printf '%s\n' "$target"
done | xargs -P 2 -I TARGET sh -c "$one" sh TARGET "$seconds" "$corpora"
