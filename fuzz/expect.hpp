// expect.hpp -- what a body does when an invariant does not hold.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace fuzz {

[[noreturn]] inline void print_and_abort(const char* invariant) {
    std::fprintf(stderr, "broken: %s\n", invariant);
    std::abort();
}

// A fuzzer aborts, so that libFuzzer keeps the input; a test that runs the same bodies sets a
// function that throws. It must not return.
inline void (*on_broken)(const char* invariant) = print_and_abort;

inline void expect(bool holds, const char* invariant) {
    if (!holds) on_broken(invariant);
}

}  // namespace fuzz
