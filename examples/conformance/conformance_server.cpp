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
#include "server_settings.hpp"

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
    const auto [port, options] = read_settings(count, words);

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
