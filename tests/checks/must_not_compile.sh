#!/bin/sh
# must_not_compile.sh CXX [FLAG...] -- each file in tests/must_not_compile compiles as it stands, and
# with -DMUST_FAIL it does not, for the reason that its line `// expect: REGEX` gives.

[ $# -gt 0 ] || { echo "usage: must_not_compile.sh CXX [FLAG...]" >&2; exit 2; }
cd "$(dirname "$0")/../.." || exit

if [ "$1" != --file ]; then
    printf '%s\n' tests/must_not_compile/*.cpp | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I FILE \
        sh tests/checks/must_not_compile.sh --file FILE "$@" || exit 1
    echo "what must not compile does not"
    exit
fi

# One of them: --file FILE CXX [FLAG...]
file=$2
shift 2

compile() {
    output=$("$@" -std=c++20 -Iinclude -Wall -Wextra -Werror -fsyntax-only "$file" 2>&1)
}

complain() {
    printf '%s: %s\n%s\n' "$file" "$1" "$output"
    exit 1
}

reason=$(sed -n 's,^// expect: ,,p' "$file")
[ -n "$reason" ] || complain "has no line '// expect: REGEX'"
compile "$@" || complain "does not compile even without MUST_FAIL"
compile "$@" -DMUST_FAIL && complain "compiles with MUST_FAIL"
printf '%s' "$output" | grep -qE -e "$reason" || complain "does not compile, but not because of '$reason'"
