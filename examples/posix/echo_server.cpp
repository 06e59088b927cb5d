// An echo server for many clients on one poll() loop:
//
//     echo_server [PORT]
//
// Port 0, the default, takes any that is free. SIGTERM or Ctrl-C ends it.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <sockless/server_connection.hpp>

#include "server.hpp"

namespace {

void on_event(sockless::server_connection& peer, const sockless::event& event) {
    using enum sockless::event::what;
    auto answer = sockless::result::done;
    if (event.kind == request) answer = peer.accept();  // look at peer.request() here
    if (event.kind == message) answer = peer.send(event.type, event.payload);
    // After our Close there are no more echoes. An echo always fits, so nothing else is expected.
    const bool good = answer == sockless::result::done || answer == sockless::result::closing;
    if (!good) peer.abort();
}

}  // namespace

int main(int count, char** words) {
    const int port = count > 1 ? std::atoi(words[1]) : 0;
    on_posix::descriptor listener = on_posix::listen_on(static_cast<std::uint16_t>(port));
    if (!listener) {
        std::fprintf(stderr, "echo_server: port %d: %s\n", port, std::strerror(errno));
        return 1;
    }
    const int taken = on_posix::port_of(listener);
    on_posix::server server(std::move(listener), {});
    std::printf("listening on 127.0.0.1:%d\n", taken);
    std::fflush(stdout);
    server.run(on_event);
    return 0;
}
