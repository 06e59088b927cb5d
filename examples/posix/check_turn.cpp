// check_turn -- a connection that pauses in the middle of what has been read goes on as soon as its
// peer reads, even if nothing new comes; and it never asks for a turn that would do nothing.
#include <array>
#include <cstddef>
#include <cstdio>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include <sockless/endpoint.hpp>
#include <sockless/server_connection.hpp>

#include "socket.hpp"
#include "turn.hpp"

using namespace sockless;

namespace {

constexpr std::size_t messages = 60;
constexpr std::size_t size = 1000;

// All that a client sends.
std::vector<octet> questions() {
    std::vector<octet> wire;
    client_endpoint client;
    const std::array<octet, size> payload{};
    for (std::size_t i = 0; i < messages; ++i) {
        std::array<octet, size + longest_header> frame{};
        const auto wrote = client.write({}, payload, frame, masking_key{{1, 2, 3, 4}});
        wire.insert(wire.end(), frame.begin(), frame.begin() + static_cast<int>(wrote.octets));
    }
    return wire;
}

}  // namespace

int main() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) return 1;
    on_posix::link with{.socket = on_posix::descriptor(ends[0])};
    const on_posix::descriptor client(ends[1]);
    on_posix::set_non_blocking(ends[0]);
    const int few = 4096;
    ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &few, sizeof few);

    server_connection peer(agreed{}, {.limit = {.high = 4096, .low = 1024}});
    std::vector<octet> room(65'536);
    std::vector<octet> read(4096);
    const std::vector<octet> wire = questions();
    if (::write(client.get(), wire.data(), wire.size()) != static_cast<ssize_t>(wire.size())) {
        return 1;
    }

    std::size_t echoed = 0;
    bool paused = false;
    for (int turns = 0; turns < 10'000 && echoed < messages * (size + 4); ++turns) {
        pollfd waiting = on_posix::awaited(with, peer);
        const bool at_once = on_posix::due(with, peer) <= on_posix::now();
        const bool can = ::poll(&waiting, 1, 0) == 1;
        if (at_once || can) {
            const std::uint64_t before = peer.counters().sent.octets + with.unread.size();
            on_posix::turn(with, peer, room, [&](const event& told) {
                if (told.kind != event::what::message) return;
                if (peer.send(told.type, told.payload) != result::done) peer.abort();
            });
            paused = paused || !with.unread.empty();
            const bool nothing = before == peer.counters().sent.octets + with.unread.size();
            if (nothing && turns > 0) return 2;
        } else {
            const ssize_t got = ::recv(client.get(), read.data(), read.size(), MSG_DONTWAIT);
            if (got <= 0) return 3;  // both wait for each other
            echoed += static_cast<std::size_t>(got);
        }
    }
    std::printf("%zu octets echoed\n", echoed);
    return paused && echoed == messages * (size + 4) ? 0 : 4;
}
