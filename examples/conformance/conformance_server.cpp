// The server that conformance suites drive: it echoes every message, and takes every path and
// origin.
//
//     conformance_server [--port N] [--max-message BYTES] [--no-deflate]
//
// Port 0 takes any that is free. Says "listening on 127.0.0.1:PORT" when it does. On SIGTERM it
// tells everybody 1001, and ends.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <sockless/server_connection.hpp>

#include "../posix/server.hpp"
#include "arguments.hpp"

namespace {

void echo(sockless::server_connection& peer, const sockless::event& event) {
    using enum sockless::event::what;
    auto answer = sockless::result::done;
    if (event.kind == request) answer = peer.accept();
    if (event.kind == message) answer = peer.send(event.type, event.payload);
    // After our Close there are no more echoes. An echo always fits, so nothing else is expected.
    const bool good = answer == sockless::result::done || answer == sockless::result::closing;
    if (!good) peer.abort();
}

}  // namespace

int main(int count, char** words) {
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

    on_posix::descriptor listener = on_posix::listen_on(port);
    if (!listener) {
        std::fprintf(stderr, "conformance_server: port %d: %s\n", port, std::strerror(errno));
        return 1;
    }
    const int taken = on_posix::port_of(listener);
    on_posix::server server(std::move(listener), options);
    std::printf("listening on 127.0.0.1:%d\n", taken);
    std::fflush(stdout);
    server.run(echo);
    return 0;
}
