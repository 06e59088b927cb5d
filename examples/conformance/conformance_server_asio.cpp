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
#include "server_settings.hpp"

int main(int count, char** words) try {
    const auto [port, options] = read_settings(count, words);

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
