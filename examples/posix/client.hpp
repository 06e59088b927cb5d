// client.hpp -- one client connection, from the opening handshake to its end.
#pragma once

#include <array>
#include <csignal>
#include <cstddef>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <poll.h>

#include <sockless/client_connection.hpp>
#include <sockless/mask_source.hpp>

#include "socket.hpp"
#include "turn.hpp"

namespace on_posix {

using client = sockless::client_connection<sockless::mask_source>;

// 32 octets that nobody can predict, from the operating system: one mask_source lasts for ever.
inline std::array<sockless::octet, 32> fresh_seed() {
    std::random_device source;
    std::array<sockless::octet, 32> seed{};
    for (sockless::octet& one : seed) one = static_cast<sockless::octet>(source());
    return seed;
}

// Runs until it is finished. on_event(event) hears what happens, and answers.
template <class Handler>
void run(descriptor socket, sockless::connection& peer, Handler on_event) {
    std::signal(SIGPIPE, SIG_IGN);  // write() tells it as well
    link with{.socket = std::move(socket)};
    std::vector<sockless::octet> room(65'536);
    while (true) {
        turn(with, peer, room, on_event);
        if (peer.finished()) return;
        pollfd waiting = awaited(with, peer);
        ::poll(&waiting, 1, patience(due(with, peer)));
    }
}

}  // namespace on_posix
