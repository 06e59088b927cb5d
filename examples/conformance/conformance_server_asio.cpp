// The same as conformance_server, on Asio.
//
//     conformance_server_asio [--port N] [--max-message BYTES] [--no-deflate]
//
// Port 0 takes any that is free. Says "listening on 127.0.0.1:PORT" when it does. On SIGTERM it
// tells everybody 1001, and ends.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>

#include <sockless/server_connection.hpp>

#include "../asio/echo_server.hpp"
#include "arguments.hpp"

int main(int count, char** words) try {
    std::uint16_t port = 9001;
    sockless::connection_options options;
    options.from = sockless::origins::any;
    options.limit.message = std::size_t{64} << 20;
    options.time.opening = 10'000;
    options.time.close = 10'000;

    arguments given(count, words);
    while (const auto option = given.next()) {
        if (*option == "--port") {
            port = static_cast<std::uint16_t>(given.number(0, 65'535));
        } else if (*option == "--max-message") {
            options.limit.message = given.number(0, sockless::longest);
        } else if (*option != "--no-deflate") {  // there is no compression yet
            given.unknown();
        }
    }

    asio::io_context io(1);
    on_asio::echo_server server(io, port, options, on_asio::plain);
    std::printf("listening on 127.0.0.1:%d\n", server.port());
    std::fflush(stdout);
    io.run();
    return 0;
} catch (const std::exception& failed) {
    std::fprintf(stderr, "conformance_server_asio: %s\n", failed.what());
    return 1;
}
