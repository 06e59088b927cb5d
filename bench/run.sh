#!/bin/sh
# run.sh [--quick] [--json FILE]   measures everything, and says it as tables and as one array of JSON
# run.sh --update [--json FILE]    writes the tables and the pictures of it into bench/README.md, too
#
# --quick is one build, few cases, no Beast: it shows that results are right, and no figures.
# --only STEP... stands last, and does some of: kernels instructions echo memory size cost deflate

quick=
update=
json=
steps="kernels instructions echo memory size cost deflate"
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=--quick ;;
        --update) update=--update ;;
        --json)
            [ $# -gt 1 ] || { echo "run.sh: --json wants a file" >&2; exit 2; }
            shift
            json=$(realpath -m "$1")
            ;;
        --only)
            shift
            steps=$*
            break
            ;;
        *) echo "usage: run.sh [--quick|--update] [--json FILE] [--only STEP...]" >&2; exit 2 ;;
    esac
    shift
done
[ -z "$quick" ] || [ -z "$update" ] || { echo "run.sh: --quick has no figures to keep" >&2; exit 2; }
cd "$(dirname "$0")/.." || exit
. tests/checks/need.sh
. tests/checks/processor_ms.sh
need g++-12:g++-12 python3:python3 /usr/include/benchmark/benchmark.h:libbenchmark-dev \
    /usr/include/zlib.h:zlib1g-dev /usr/include/valgrind/callgrind.h:valgrind
[ -n "$quick" ] || need clang++-14:clang-14

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
[ -n "$json" ] || json=$scratch/results.json
facts=$scratch/facts
tab=$(printf '\t')
: >"$facts"

# Peers that are not there are left out, and that is said.
peers=
peer() { # NAME HEADER PACKAGE
    if [ ! -e "$2" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        install_packages "$3" || { apt-get update -q >/dev/null && install_packages "$3"; }
    fi
    if [ -e "$2" ]; then peers="$peers $1"; else echo "$1 is not installed ($3): it is left out"; fi
}
peer wslay /usr/include/wslay/wslay.h libwslay-dev
peer websocketpp /usr/include/websocketpp/processors/hybi13.hpp libwebsocketpp-dev
if [ -n "$quick" ]; then
    echo "Beast takes long to compile: --quick leaves it out"
else
    peer beast /usr/include/boost/beast/websocket.hpp libboost-dev
fi
has() { case " $peers " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
libraries=-lbenchmark
! has wslay || libraries="$libraries -lwslay"

# ---- one build ----

warnings=$(cat cmake/warnings.txt)

compile() { # STANDARD SOURCE OBJECT, with $compiler and $flags
    # shellcheck disable=SC2086 # lists of words
    "$compiler" "-std=$1" $flags -DNDEBUG $warnings -Werror -Iinclude -c "bench/$2" -o "$3"
}

link() { # PROGRAM OBJECT...
    program=$1
    shift
    # shellcheck disable=SC2086 # a list of words
    "$compiler" "$@" -o "$program" $libraries -lz -lpthread
}

build_micro() { # COMPILER FLAG...: into $scratch/micro
    compiler=$1
    shift
    flags=$*
    rm -f "$scratch"/micro*
    for source in main heap unmask validate receive send handshake echo memory; do
        compile c++20 "$source.cpp" "$scratch/micro_$source.o" || return
    done
    for source in $peers; do
        compile c++17 "peers/$source.cpp" "$scratch/micro_$source.o" || return
    done
    link "$scratch/micro" "$scratch"/micro_*.o
}

# ---- steps ----

time_kernels() { # COMPILER FLAG...
    echo "== $*"
    build_micro "$@" || exit
    # It warns of how Debian built the library, which is not what runs in the loops.
    "$scratch/micro" $quick ${quick:+--rounds 3} --json "$scratch/micro.json" >"$scratch/said" 2>&1 ||
        { cat "$scratch/said"; exit 1; }
    python3 bench/report.py --facts-of "$scratch/micro.json" "$*" >>"$facts" || exit
}

step_kernels() {
    if [ -z "$quick" ]; then
        time_kernels clang++-14 -O2
        time_kernels clang++-14 -O3 -march=x86-64-v3
        time_kernels g++-12 -O3 -march=x86-64-v3
    fi
    time_kernels g++-12 -O2
}

# The last build is still there.
step_instructions() {
    echo "== instructions"
    [ -x "$scratch/micro" ] || build_micro g++-12 -O2 || exit
    only=${quick:+16 ascii}
    "$scratch/micro" $quick --list --only "$only" >"$scratch/list" || exit
    (cd "$scratch" && valgrind -q --tool=callgrind --callgrind-out-file=counted \
        ./micro $quick --instructions --only "$only") || exit
    python3 bench/report.py --facts-of-counted "$scratch" "g++-12 -O2" >>"$facts" || exit
}

facts_of() { # --echo|--memory
    [ -x "$scratch/micro" ] || build_micro g++-12 -O2 || exit
    "$scratch/micro" $quick "$1" >"$scratch/told" || exit
    sed "s/^/g++-12 -O2$tab/" "$scratch/told" >>"$facts"
}

step_echo() {
    echo "== echo"
    facts_of --echo
}

step_memory() {
    echo "== memory"
    facts_of --memory
}

text_of() { # PROGRAM: octets of code and constants
    size "$1" | awk 'NR == 2 {print $1}'
}

shakes_hands() { # the example of 1.3, and the first of 5.7
    { printf 'GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        printf 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
        printf '\201\205\067\372\041\075\177\237\115\121\130'
    } | "$scratch/sized" >"$scratch/echoed"
    grep -q 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' "$scratch/echoed" && grep -q Hello "$scratch/echoed"
}

size_of() { # ROLE STANDARD SOURCE: without what a program is that does nothing but read and write
    # shellcheck disable=SC2086 # a list of words
    g++-12 "-std=$2" -Os -ffunction-sections -fdata-sections -Wl,--gc-sections -DNDEBUG \
        $warnings -Werror -Iinclude "bench/size/$3.cpp" -o "$scratch/sized" || exit
    [ "$3" = nothing ] || shakes_hands || { echo "bench: wrong: bench/size/$3.cpp"; exit 1; }
    octets=$(text_of "$scratch/sized")
    [ "$3" != nothing ] || least=$octets
    printf 'g++-12 -Os\tsize\t%s\t%s\toctets\t%s\n' "$3" "$1" $((octets - least)) >>"$facts"
}

step_size() {
    echo "== size"
    size_of floor c++20 nothing
    size_of ours c++20 server_endpoint
    size_of ours c++20 server_connection
    ! has wslay || printf 'g++-12 -Os\tsize\twslay, its library\tpeer\toctets\t%s\n' \
        "$(text_of /usr/lib/*/libwslay.so)" >>"$facts"
    [ -n "$quick" ] || ! has websocketpp || size_of peer c++17 websocketpp
    ! has beast || size_of peer c++17 beast
}

cost() { # NAME ROLE STANDARD HEADER...: lines, and the best of seven in time, at -O2
    name=$1
    role=$2
    standard=$3
    shift 3
    for header; do echo "#include <$header>"; done >"$scratch/one.cpp"
    lines=$(g++-12 "-std=$standard" -Iinclude -E -P "$scratch/one.cpp" | grep -c .)
    best=
    rounds="1 2 3 4 5 6 7"
    [ -z "$quick" ] || rounds=1
    for _ in $rounds; do
        ms=$(processor_ms g++-12 "-std=$standard" -O2 -Iinclude -c "$scratch/one.cpp" -o "$scratch/one.o") ||
            exit
        [ -n "$best" ] && [ "$best" -le "$ms" ] || best=$ms
    done
    fact="g++-12 -O2${tab}compile$tab$name$tab$role"
    printf '%s\tns\t%s000000\n%s\tlines\t%s\n' "$fact" "$best" "$fact" "$lines" >>"$facts"
}

step_cost() {
    echo "== cost of compiling"
    cost "span, string_view, cstring" floor c++20 span string_view cstring
    cost sockless/endpoint.hpp ours c++20 sockless/endpoint.hpp
    cost sockless/sockless.hpp ours c++20 sockless/sockless.hpp
    ! has wslay || cost wslay/wslay.h peer c++20 wslay/wslay.h
    [ -n "$quick" ] || ! has websocketpp ||
        cost websocketpp/server.hpp peer c++17 websocketpp/config/core.hpp websocketpp/server.hpp
    ! has beast || cost boost/beast/websocket.hpp peer c++20 boost/beast/websocket.hpp
}

# Not so many figures that --quick takes long: it is here for what is compared.
step_deflate() {
    echo "== deflate"
    rounds=${quick:+--quick}
    # shellcheck disable=SC2086 # a word, or none
    sh bench/deflate.sh ${update:+--update-times} $rounds --json "$scratch/deflate.json" >/dev/null || exit
    python3 bench/report.py --facts-of-deflate "$scratch/deflate.json" >>"$facts" || exit
}

for step in $steps; do
    "step_$step"
done
# shellcheck disable=SC2086 # a word, or none
python3 bench/report.py $update ${quick:+--quick} --json "$json" "$facts"
