#!/bin/sh
# demo.sh [--check] -- a client and a server talk in memory, and every frame is explained. Installs a
# compiler if there is none. --check prints nothing but how it ended.

case $* in
    "" | --check) ;;
    *) echo "usage: demo.sh [--check]" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/.." || exit
. tests/checks/need.sh
need c++:g++

mkdir -p build &&
    c++ -std=c++20 -O1 -Iinclude examples/conversation.cpp -o build/demo || exit
if [ "$1" = --check ]; then
    build/demo | tail -n 1 | grep -x "both ends closed cleanly: yes"
else
    build/demo
fi
