# need.sh -- install what a script needs and the machine lacks. To be sourced; then for example
#
#     need cmake:cmake /usr/include/catch2:catch2
#
# Each word names a command or a path, and Debian's package for it. As root on Debian, what is
# missing is installed; elsewhere a missing command is an error that says what is needed.
# shellcheck shell=sh

need() {
    missing=
    for word; do
        thing=${word%%:*}
        case $thing in
            /*) [ -e "$thing" ] || ! command -v apt-get >/dev/null ;;
            *) command -v "$thing" >/dev/null ;;
        esac || missing="$missing ${word#*:}"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "$0: please install what Debian calls:$missing" >&2
        exit 1
    fi
    echo "installing:$missing"
    # shellcheck disable=SC2086 # one word for each package
    install_packages $missing || { apt-get update -q >&2 && install_packages $missing; } || exit 1
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >/dev/null
}
