#!/bin/sh
# include_order.sh -- sockless.hpp is the table of contents: a header includes only what stands above
# it there. Its sections "framing" and "opening" never meet, nothing names a leaf, standard headers are
# light ones (and zlib is for one header), and a header is one idea: short, and with its name in its first line.

cd "$(dirname "$0")/../../include/sockless" || exit

standard="array bit compare concepts cstddef cstdint cstring initializer_list limits new optional span \
string_view type_traits utility"
leaves="judge close_code_registry prepared mask_source backoff pipe deflate_terms deflate_streams deflate_pool inflating deflate prepared_deflate"
banned="detail impl util common base helper manager"
longest=320

# The names under a heading of the table of contents.
section() {
    sed -n "/^\/\/ $1\$/,/^\/\/ /s,^#include <sockless/\(.*\)\.hpp>.*,\1,p" sockless.hpp | tr '\n' ' '
}
framing=$(section framing)
opening=$(section opening)

failed=0
complain() {
    echo "include/sockless/$1"
    failed=1
}

has() { # WORD LIST: is it one of them?
    case " $2 " in *" $1 "*) ;; *) return 1 ;; esac
}

ours() { sed -n 's,^ *# *include <sockless/\(.*\)\.hpp>.*,\1,p' "$1"; }
others() { sed -n 's,^ *# *include *,,p' "$1" | grep -v '^<sockless/.*\.hpp>' | tr -d '<>'; }

# Everything that a header reaches, itself included. The list is in order, so what stands above is known.
reach() { eval "echo \$reach_$1"; }

check() { # NAME ABOVE: the names that it may include
    file=$1.hpp
    all=$1
    for name in $(ours "$file"); do
        has "$name" "$2" || complain "$file: includes $name.hpp, which does not stand above it"
        all="$all $(reach "$name")"
    done
    eval "reach_$1=\$all"
    [ "$1" = sockless ] || check_floors "$1" "$all"

    for name in $(others "$file"); do
        has "$name" "$standard" || [ "$1 $name" = "deflate_streams zlib.h" ] || complain "$file: includes $name, which is not on the list of light headers"
    done
    has "$1" "$banned" && complain "$file: says nothing by its name"
    head -1 "$file" | grep -qE "^// $1\.hpp -- [^ ]" ||
        complain "$file: line 1 is not '// $file -- what it is'"
    grep -qx '#pragma once' "$file" || complain "$file: has no #pragma once"
    lines=$(wc -l <"$file")
    [ "$lines" -le "$longest" ] || complain "$file: $lines lines, more than $longest"
}

check_floors() { # NAME REACHED
    for name in $2; do
        if has "$1" "$framing" && has "$name" "$opening"; then
            complain "$1.hpp: framing, but reaches $name.hpp of the opening"
        elif has "$1" "$opening" && has "$name" "$framing"; then
            complain "$1.hpp: opening, but reaches $name.hpp of framing"
        fi
    done
}

[ -n "$framing" ] || complain "sockless.hpp: has no section 'framing'"
above=
for chapter in $(ours sockless.hpp); do
    if [ -f "$chapter.hpp" ]; then
        check "$chapter" "$above"
        above="$above $chapter"
    else
        complain "sockless.hpp: lists $chapter.hpp, which does not exist"
    fi
    has "$chapter" "$leaves" && complain "sockless.hpp: lists the leaf $chapter.hpp"
done
check sockless "$above"

below="$above sockless"
for leaf in $leaves; do
    [ ! -f "$leaf.hpp" ] || check "$leaf" "$below"
    below="$below $leaf"
done

for path in *; do
    has "${path%.hpp}.hpp" "$path" || complain "$path: is no header"
    has "${path%.hpp}" "$below" || complain "$path: is neither listed in sockless.hpp nor a leaf"
done

[ $failed = 0 ] && echo "include order:$above"
exit $failed
