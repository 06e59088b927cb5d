#!/bin/sh
# run.sh                    installs what is missing, builds everything, runs every test
# run.sh --matrix [STAGE...] the wide matrix, cheap stages first, or the stages named
#
# Builds in build/run, or in $SOCKLESS_BUILD.

cd "$(dirname "$0")/.." || exit
. tests/checks/need.sh

stages="checks firmware bench interop clang14 sanitizers small i386 s390x aarch64 meson consume fuzz coverage tidy"

main() {
    case $1 in
        "") run_tests ;;
        --matrix)
            shift
            for stage; do
                case " $stages " in
                    *" $stage "*) ;;
                    *) refuse "there is no stage $stage; there are: $stages" ;;
                esac
            done
            # shellcheck disable=SC2086 # a list of words
            [ $# -gt 0 ] || set -- $stages
            run_stages "$@"
            ;;
        *) refuse "there is no option $1; there is --matrix [STAGE...]" ;;
    esac
}

refuse() {
    echo "run.sh: $1" >&2
    exit 2
}

run_tests() {
    need c++:g++ cmake:cmake ninja:ninja-build python3:python3 /usr/include/catch2:catch2 /usr/include/zlib.h:zlib1g-dev
    build_and_test "${SOCKLESS_BUILD:-build/run}"
}

build_and_test() { # FOLDER CMAKE-ARGUMENT...; $but_for: tests that are left out
    folder=$1
    shift
    # shellcheck disable=SC2086 # a list of words
    cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release "$@" &&
        cmake --build "$folder" &&
        ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$(getconf _NPROCESSORS_ONLN)" $but_for
}

run_stages() {
    begin=$(date +%s)
    for stage; do
        echo
        echo "==== $stage ===="
        since=$(date +%s)
        "stage_$stage" || { echo "==== $stage failed ===="; exit 1; }
        echo "==== $stage passed in $(($(date +%s) - since)) s ===="
    done
    echo "==== all passed in $(($(date +%s) - begin)) s ===="
}

# ---- the stages ----

stage_checks() {
    need python3:python3
    sh tests/checks/format.sh &&
        sh tests/checks/include_order.sh &&
        sh tests/checks/version.sh &&
        python3 tests/checks/ledger.py &&
        sh tests/checks/cost.sh &&
        sh examples/demo.sh --check
}

stage_clang14() {
    need clang++-14:clang-14
    SOCKLESS_TEST_EFFORT=short build_and_test build/clang14 -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_CXX_FLAGS_RELEASE=-O1
}

need_clang19() { # with its sanitizers and libFuzzer, and with what names the lines in their reports
    need clang++-19:clang-19 llvm-symbolizer-19:llvm-19 \
        /usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.asan-x86_64.a:libclang-rt-19-dev
    export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19
}

stage_sanitizers() {
    need_clang19
    cmake --preset debug -DCMAKE_CXX_COMPILER=clang++-19 &&
        cmake --build --preset debug &&
        ctest --preset debug -LE compiler
}

# What differs from the machine's own build is the library and its tests; not the optimiser, and not
# what the compiler refuses.
library="-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DSOCKLESS_EXAMPLES=OFF"

stage_small() {
    # shellcheck disable=SC2086 # a list of words
    but_for="-LE compiler" SOCKLESS_TEST_EFFORT=short build_and_test build/small $library -DCMAKE_CXX_FLAGS=-DSOCKLESS_SMALL
}

stage_i386() {
    need /usr/lib/gcc/x86_64-linux-gnu/12/32:g++-12-multilib
    # Debian's g++-12-multilib has no /usr/include/asm of its own.
    # shellcheck disable=SC2086 # a list of words
    but_for="-LE compiler" SOCKLESS_TEST_EFFORT=short build_and_test build/i386 $library -DCMAKE_CXX_COMPILER=g++-12 \
        "-DCMAKE_CXX_FLAGS=-m32 -idirafter /usr/include/x86_64-linux-gnu"
}

# A machine of another kind, on an emulator: what puts octets into words and vectors, and whole
# conversations. With SOCKLESS_TEST_EFFORT=whole, every test, which takes five minutes.
emulated() { # MACHINE CMAKE-ARGUMENT...
    machine=$1
    shift
    need "$machine-linux-gnu-g++:g++-$machine-linux-gnu" "qemu-$machine:qemu-user"
    tests="octets sha1 base64 header_list http_head masking mask_source utf8 utf8_blocks \
        frame_header frame_writer frame_reader short_message cases"
    targets=$(printf 'test_%s ' $tests)
    only="-R ^($(echo $tests | tr ' ' '|'))\$"
    if [ "$SOCKLESS_TEST_EFFORT" = whole ]; then
        targets=all
        only=
    fi
    # shellcheck disable=SC2086 # lists of words
    cmake -S . -B "build/$machine" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSOCKLESS_EXAMPLES=OFF \
        -DCMAKE_CXX_FLAGS_RELEASE=-O1 -DCMAKE_TOOLCHAIN_FILE="cmake/$machine.cmake" "$@" &&
        cmake --build "build/$machine" --target $targets &&
        SOCKLESS_TEST_EFFORT=${SOCKLESS_TEST_EFFORT:-short} ctest --test-dir "build/$machine" \
            --output-on-failure --no-tests=error -j "$(getconf _NPROCESSORS_ONLN)" $only
}

# Not warnings on s390x: there g++ sees overflows in vectors, where the other compilers rightly see none.
stage_s390x() { emulated s390x -DSOCKLESS_WERROR=OFF; }

stage_aarch64() { emulated aarch64; }

# What is measured has to be right as well: octets are compared, and no message takes memory.
stage_bench() { sh bench/deflate.sh --check && sh bench/run.sh --quick; }

stage_firmware() { sh tests/checks/firmware.sh && sh bench/figures.sh --check; }

stage_meson() {
    need meson:meson
    rm -rf build/meson build/meson_without_zlib
    meson setup build/meson_without_zlib -Dzlib=disabled &&
        ! meson introspect --tests build/meson_without_zlib | grep -q '"inflating"' &&
        meson compile -C build/meson_without_zlib conformance_server test_deflate_terms &&
        meson setup build/meson --buildtype=release --optimization=0 --werror &&
        meson compile -C build/meson &&
        SOCKLESS_TEST_EFFORT=short meson test -C build/meson --no-suite compiler
}

# Real products on this machine's loopback: those that install in seconds. `python3
# tests/interop/run.py` runs all of them.
stage_interop() {
    need python3:python3 /usr/share/doc/python3-venv:python3-venv node:nodejs npm:npm
    python3 tests/interop/run.py --quick && python3 tests/interop/demo.py
}

stage_consume() { sh tests/checks/consume.sh; }

stage_fuzz() {
    need_clang19
    cmake --preset fuzz &&
        cmake --build --preset fuzz &&
        SOCKLESS_FUZZ_SEED=7692 sh tests/checks/fuzz.sh 20
}

stage_coverage() { sh tests/checks/coverage.sh; }

stage_tidy() { sh tests/checks/tidy.sh; }

main "$@"
