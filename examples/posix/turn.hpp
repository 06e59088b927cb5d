// turn.hpp -- one turn of a connection on a non-blocking socket: all that can be done right now.
#pragma once

#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <span>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <sockless/connection.hpp>

#include "socket.hpp"

namespace on_posix {

// A socket, and what has come out of it that the connection would not take yet, because its peer
// does not read our answers.
struct link {
    descriptor socket{};
    std::vector<sockless::octet> unread{};
};

namespace detail {
// Is it over, or is there only nothing to be done now?
inline bool has_failed() { return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR; }

inline std::span<sockless::octet> receive(int fd, sockless::connection& peer,
                                          std::span<sockless::octet> target) {
    const ssize_t size = ::read(fd, target.data(), target.size());
    if (size == 0 || (size < 0 && has_failed())) peer.end_of_stream();
    return target.first(size > 0 ? static_cast<std::size_t>(size) : 0);
}

inline iovec run_of(std::span<const sockless::octet> octets) {
    // writev() changes nothing, but its type does not say so.
    return {const_cast<sockless::octet*>(octets.data()), octets.size()};  // NOLINT(*-const-cast)
}

// As much as the socket takes.
inline void transmit(int fd, sockless::connection& peer) {
    while (peer.wants().write) {
        const sockless::gather out = peer.output_gather();
        const std::array<iovec, 2> runs{run_of(out.own), run_of(out.lent)};
        const ssize_t size = ::writev(fd, runs.data(), 2);
        if (size < 0 && has_failed()) peer.end_of_stream();
        if (size <= 0) return;
        peer.written(static_cast<std::size_t>(size));
    }
}
}  // namespace detail

// `room` is where octets are read to; all connections may share one, which is free again when this
// returns. on_event(event) hears what happens, and answers. When peer.finished(), close the socket.
template <class Handler>
void turn(link& with, sockless::connection& peer, std::span<sockless::octet> room,
          const Handler& on_event) {
    peer.on_time(now());
    std::span<sockless::octet> in = with.unread;
    if (in.empty() && peer.wants().read) {
        in = detail::receive(with.socket.get(), peer, peer.read_target(room));
    }
    for (const sockless::event& event : peer.receive(in)) on_event(event);
    with.unread = std::vector(in.begin(), in.end());
    detail::transmit(with.socket.get(), peer);
    const bool half_close = peer.wants().ending == sockless::ending::half_close;
    if (half_close) ::shutdown(with.socket.get(), SHUT_WR);
}

// What to wait for until the next turn: the socket,
inline pollfd awaited(const link& with, const sockless::connection& peer) {
    const sockless::wants wants = peer.wants();
    const int events = (wants.read ? POLLIN : 0) | (wants.write ? POLLOUT : 0);
    // A negative descriptor is passed over: poll() would tell of errors that nobody asked for.
    return {events != 0 ? with.socket.get() : -1, static_cast<short>(events), 0};
}

// and time: when the next turn is due, whatever the socket does.
inline sockless::milliseconds due(const link& with, const sockless::connection& peer) {
    const sockless::wants wants = peer.wants();
    const bool at_once = wants.events || (wants.read && !with.unread.empty());
    return at_once ? 0 : peer.deadline();
}

// The same as poll() wants it.
inline int patience(sockless::milliseconds due) {
    const sockless::milliseconds left = due == sockless::never ? -1 : due - now();
    if (due != sockless::never && left < 0) return 0;
    return left < INT_MAX ? static_cast<int>(left) : INT_MAX;
}

}  // namespace on_posix
