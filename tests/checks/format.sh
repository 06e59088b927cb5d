#!/bin/sh
# format.sh [--fix] -- every C++ file is laid out as .clang-format has it, or is made so.

cd "$(dirname "$0")/../.." || exit
. tests/checks/need.sh
need clang-format-19:clang-format-19

files=$(find include tests fuzz examples bench -name '*.[ch]pp' | sort)
case $* in
    --fix)
        # shellcheck disable=SC2086 # one word for each file
        clang-format-19 -i $files
        exit
        ;;
    "") ;;
    *) echo "usage: format.sh [--fix]" >&2; exit 2 ;;
esac

failed=0
for file in $files; do
    clang-format-19 "$file" | diff -u "$file" - >/dev/null && continue
    echo "$file: not laid out as .clang-format has it; sh tests/checks/format.sh --fix does that"
    failed=1
done
[ $failed = 0 ] && echo "every file is laid out alike"
exit $failed
