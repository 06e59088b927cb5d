// The server that conformance suites drive: it echoes every message, and takes every path and
// origin.
//
//     conformance_server [--port N] [--max-message BYTES] [--no-deflate]
//
// Port 0 takes any that is free. Says "listening on 127.0.0.1:PORT" when it does. Compresses for
// whoever offers that, if it was built with zlib. On SIGTERM it tells everybody 1001, and ends.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <sockless/server_connection.hpp>

#include "../posix/server.hpp"
#include "compressing.hpp"
#include "server_settings.hpp"

namespace {

void echo(sockless::server_side& peer, const sockless::event& event) {
    using enum sockless::event::what;
    auto answer = sockless::result::done;
    if (event.kind == request) answer = peer.accept();
    if (event.kind == message) answer = peer.send(event.type, event.payload);
    // After our Close there are no more echoes. An echo always fits, so nothing else is expected.
    const bool good = answer == sockless::result::done || answer == sockless::result::closing;
    if (!good) peer.abort();
}

template <class Compression>
int serve(const server_settings& with, const typename Compression::options& how) {
    on_posix::descriptor listener = on_posix::listen_on(with.port);
    if (!listener) {
        std::fprintf(stderr, "conformance_server: port %d: %s\n", with.port, std::strerror(errno));
        return 1;
    }
    const int taken = on_posix::port_of(listener);
    on_posix::server<Compression> server(std::move(listener), with.options, how);
    std::printf("listening on 127.0.0.1:%d\n", taken);
    std::fflush(stdout);
    server.run(echo);
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const server_settings with = read_settings(count, words);
    return with.deflate ? serve<engine>(with, compress_all)
                        : serve<sockless::no_compression>(with, {});
}
