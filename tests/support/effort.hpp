// effort.hpp -- how much a test tries.
#pragma once

#include <cstdlib>
#include <string_view>

namespace support {

// SOCKLESS_TEST_EFFORT=short asks for a sample where there is much to try.
inline bool short_effort() {
    static const bool asked = [] {
        const char* const effort = std::getenv("SOCKLESS_TEST_EFFORT");
        return effort != nullptr && std::string_view(effort) == "short";
    }();
    return asked;
}

}  // namespace support
