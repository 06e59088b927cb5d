#!/bin/sh
# firmware.sh [--update] -- what the codec costs on a microcontroller. Each probe in tests/firmware is
# compiled for Cortex-M0 and M3; what its functions reach is counted, may not grow by more than 5 % over
# tests/firmware/sizes.txt, and may need nothing but what mini.c defines and what the compiler brings
# along (libgcc). --update writes sizes.txt anew. Of the server, the stack is counted, too: all but what
# memcpy and its like take.

case $* in
    "" | --update) ;;
    *) echo "usage: firmware.sh [--update]" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.." || exit
. tests/checks/need.sh
need arm-none-eabi-g++:gcc-arm-none-eabi \
    /usr/lib/arm-none-eabi/newlib:libstdc++-arm-none-eabi-newlib

sizes=tests/firmware/sizes.txt
most_for_frames=1536
most_for_codec=4608
most_stack=512
flags="-Os -mthumb -ffunction-sections -fdata-sections"
cxx_flags="-std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -DSOCKLESS_SMALL -DNDEBUG -Iinclude"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

failed=0
complain() {
    echo "firmware: $*"
    failed=1
}

# Code, constants and initialised data: what lies in flash.
flash() { arm-none-eabi-size "$1" | awk 'NR == 2 {print $1 + $2}'; }

defined() { arm-none-eabi-nm --defined-only "$1" 2>/dev/null | awk 'NF == 3 && $2 != "t" {print $3}'; }

# What is defined once, and not wherever it is needed, is what others may call.
roots() { arm-none-eabi-nm --defined-only "$1" | awk '$2 == "T" {print $3}'; }

within() { # MOST SIZE WHAT
    [ "$2" -le "$1" ] || complain "$3 is larger than $1 octets"
}

check() { # PROBE CPU
    cpu="-mcpu=$2"
    # shellcheck disable=SC2046,SC2086,SC2015 # several words each; all of these, or a complaint
    arm-none-eabi-g++ $flags $cpu $cxx_flags -fcallgraph-info=su -c "tests/firmware/$1.cpp" -o "$scratch/probe.o" &&
        arm-none-eabi-ld -r --gc-sections $(roots "$scratch/probe.o" | sed 's/^/-u /') "$scratch/probe.o" -o "$scratch/reached.o" &&
        arm-none-eabi-gcc $flags $cpu -c tests/firmware/mini.c -o "$scratch/mini.o" ||
        { complain "$1 does not build for $2"; return; }

    libgcc=$(arm-none-eabi-gcc -mthumb "$cpu" -print-libgcc-file-name)
    { defined "$scratch/mini.o"; defined "$libgcc" | grep -vi unwind; } >"$scratch/allowed"
    foreign=$(arm-none-eabi-nm -u "$scratch/probe.o" | awk '{print $2}' | grep -vxF -f "$scratch/allowed")
    # shellcheck disable=SC2086 # onto one line
    [ -z "$foreign" ] || complain "$1 on $2 needs" $foreign

    size=$(flash "$scratch/reached.o")
    echo "$1 $2 $size" >>"$scratch/sizes.txt"
    echo "$1 on $2: $size octets"
    case $1 in
        frames) within $most_for_frames "$size" "$1 on $2" ;;
        codec) within $most_for_codec "$size" "$1 on $2" ;;
        server)
            # shellcheck disable=SC2046 # onto one line
            stack=$(awk -v roots="$(echo $(roots "$scratch/probe.o"))" -f tests/checks/stack.awk "$scratch/probe.ci")
            echo "stack of $1 on $2: $stack octets"
            within $most_stack "$stack" "the stack of $1 on $2"
            ;;
    esac
}

grown() { # prints the probes that grew, or that have no baseline
    awk 'NR == FNR {before[$1 " " $2] = $3; next}
         {key = $1 " " $2}
         !(key in before) {print key " is not in the baseline (--update)"; next}
         $3 * 100 > before[key] * 105 {print key " grew from " before[key] " to " $3 " octets"}' \
        "$sizes" "$scratch/sizes.txt"
}

for probe in tests/firmware/*.cpp; do
    for cpu in cortex-m0 cortex-m3; do
        check "$(basename "$probe" .cpp)" $cpu
    done
done

if [ "$1" = --update ]; then
    cp "$scratch/sizes.txt" "$sizes"
elif [ ! -f "$sizes" ]; then
    complain "there is no $sizes yet (--update)"
else
    growth=$(grown)
    [ -z "$growth" ] || complain "$growth"
fi
exit $failed
