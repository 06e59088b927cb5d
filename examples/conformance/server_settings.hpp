// server_settings.hpp -- what both conformance servers are told on their command line, and what
// they have in common besides.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sockless/options.hpp>

#include "arguments.hpp"

struct server_settings {
    std::uint16_t port = 9001;
    sockless::connection_options options{};
    bool deflate = true;
};

inline server_settings read_settings(int count, char** words) {
    server_settings found;
    found.options.from = sockless::origins::any;
    found.options.limit.message = std::size_t{64} << 20;
    found.options.time.opening = 10'000;
    found.options.time.close = 10'000;

    arguments given(count, words);
    while (const auto option = given.next()) {
        if (*option == "--port") {
            found.port = static_cast<std::uint16_t>(given.number(0, 65'535));
        } else if (*option == "--max-message") {
            found.options.limit.message = given.number(0, sockless::longest);
        } else if (*option == "--no-deflate") {
            found.deflate = false;
        } else {
            given.unknown();
        }
    }
    return found;
}
