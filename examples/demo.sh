#!/bin/sh
# demo.sh [--port N | --check] -- serves a page and its WebSocket on 127.0.0.1:8080 (or on port N), and
# draws every frame that passes. Installs a compiler if there is none. --check plays one scripted round,
# shows what passed, and says how it went.

cd "$(dirname "$0")/.." || exit
. tests/checks/need.sh
need c++:g++

mkdir -p build &&
    c++ -std=c++20 -O1 -Iinclude examples/demo/demo.cpp -o build/demo &&
    exec build/demo "$@"
