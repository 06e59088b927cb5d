# Another machine, CMAKE_SYSTEM_PROCESSOR: Debian's cross compiler builds for it, and qemu-user runs the
# tests.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_CXX_COMPILER ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${CMAKE_SYSTEM_PROCESSOR})

# Static, so that the emulator needs no foreign libraries; and last of all the machine's own headers,
# for Catch2, which is nothing else.
set(CMAKE_CXX_FLAGS_INIT "-idirafter /usr/include")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
