#!/bin/sh
# coverage.sh [--alone] -- lines, branches and MC/DC of include/sockless, by all tests together: whole,
# but for what tests/coverage_exceptions.txt names. With --alone, each header also by nothing but the
# test of its own name.

case $* in
    "" | --alone) ;;
    *) echo "usage: coverage.sh [--alone]" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.." || exit
. tests/checks/need.sh
need cmake:cmake ninja:ninja-build clang++-19:clang-19 llvm-cov-19:llvm-19 python3:python3 \
    /usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.profile-x86_64.a:libclang-rt-19-dev \
    /usr/include/catch2:catch2

build=build/coverage
rm -rf $build/profiles
cmake --preset coverage >/dev/null && cmake --build --preset coverage && ctest --preset coverage || exit 1

export_all() { # PROGRAM...: what the tests in these programs cover together, one export for each
    # shellcheck disable=SC2046 # one word for each file
    llvm-profdata-19 merge -o $build/merged.profdata $(printf "$build/profiles/%s.profraw " "$@") || return
    for program; do
        llvm-cov-19 export -instr-profile=$build/merged.profdata "$build/tests/$program" \
            -sources include/sockless >"$build/$program.json" 2>"$build/$program.log" ||
            { cat "$build/$program.log"; return 1; }
    done
}

programs=$(cd $build/profiles && printf '%s\n' *.profraw | sed 's/\.profraw$//')
# shellcheck disable=SC2046,SC2086 # one word for each program
export_all $programs && python3 tests/checks/coverage.py $(printf "$build/%s.json " $programs) || exit 1
[ "$1" = --alone ] || exit 0

echo
echo "Each header by the test of its own name:"
failed=0
for header in include/sockless/*.hpp; do
    name=$(basename "$header" .hpp)
    export_all "$name" && python3 tests/checks/coverage.py --only "$name.hpp" "$build/$name.json" || failed=1
done
exit $failed
