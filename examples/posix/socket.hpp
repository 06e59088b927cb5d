// socket.hpp -- POSIX sockets: who owns a descriptor, how to listen, how to connect.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sockless/limits.hpp>

namespace on_posix {

// Owns a descriptor; closes it.
class descriptor {
  public:
    explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

  private:
    int fd_;
};

// Time that never runs backwards, for connection::on_time().
inline sockless::milliseconds now() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

inline void set_non_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// A short answer shall not wait until there is more to send.
inline void set_no_delay(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

namespace detail {
// The functions of sockets take every kind of address for this one.
inline sockaddr* any_address(sockaddr_in& address) {
    return reinterpret_cast<sockaddr*>(&address);  // NOLINT(*-reinterpret-cast)
}
}  // namespace detail

// Listens on 127.0.0.1; port 0 takes any that is free. Nothing, and errno says why, if it cannot.
inline descriptor listen_on(std::uint16_t port) {
    descriptor listener(::socket(AF_INET, SOCK_STREAM, 0));
    if (!listener) return listener;
    const int on = 1;
    ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener.get(), detail::any_address(address), sizeof address) != 0 ||
        ::listen(listener.get(), SOMAXCONN) != 0) {
        return descriptor();
    }
    set_non_blocking(listener.get());
    return listener;
}

inline std::uint16_t port_of(const descriptor& listener) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(listener.get(), detail::any_address(address), &size);
    return ntohs(address.sin_port);
}

namespace detail {
inline descriptor connect_to(const addrinfo& where, int patience) {
    descriptor socket(::socket(where.ai_family, where.ai_socktype, where.ai_protocol));
    if (!socket) return socket;
    set_non_blocking(socket.get());
    set_no_delay(socket.get());
    if (::connect(socket.get(), where.ai_addr, where.ai_addrlen) == 0) return socket;
    if (errno != EINPROGRESS) return descriptor();
    pollfd waiting{.fd = socket.get(), .events = POLLOUT, .revents = 0};
    int error = 0;
    socklen_t size = sizeof error;
    const bool done = ::poll(&waiting, 1, patience) == 1 &&
                      ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
                      error == 0;
    return done ? std::move(socket) : descriptor();
}
}  // namespace detail

// Connects to the first address of this name that answers. Nothing if none does in time.
inline descriptor connect_to(const std::string& host, std::uint16_t port, int patience = 10'000) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0) {
        return descriptor();
    }
    descriptor socket;
    for (const addrinfo* one = found; one != nullptr && !socket; one = one->ai_next) {
        socket = detail::connect_to(*one, patience);
    }
    ::freeaddrinfo(found);
    return socket;
}

}  // namespace on_posix
