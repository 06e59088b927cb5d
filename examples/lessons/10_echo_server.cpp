// An echo server in forty lines, for one client after the other: 10_echo_server PORT. It reads no
// clock, so whoever falls silent holds up all others; posix/ has the server for many.
#include <cstdlib>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sockless/server_connection.hpp>

static void serve(int fd) {
    sockless::server_connection ws;
    static sockless::octet buffer[16384];
    std::span<sockless::octet> in;  // received, not yet consumed
    while (!ws.finished()) {
        if (in.empty() && ws.wants().read) {
            const auto n = ::read(fd, buffer, sizeof buffer);
            if (n <= 0) ws.end_of_stream();
            in = std::span(buffer).first(static_cast<std::size_t>(n > 0 ? n : 0));
        }
        for (const sockless::event& e : ws.receive(in)) {  // octets in, events out
            auto r = sockless::result::done;
            if (e.kind == sockless::event::what::request) r = ws.accept();
            if (e.kind == sockless::event::what::message) r = ws.send(e.type, e.payload);
            if (r != sockless::result::done) ws.abort();
        }
        for (auto out = ws.output(); !out.empty(); out = ws.output()) {  // octets out
            const auto n = ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
            if (n <= 0) return;
            ws.written(static_cast<std::size_t>(n));
        }
        if (ws.wants().ending == sockless::ending::half_close) ::shutdown(fd, SHUT_WR);
    }
}

int main(int count, char** words) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(count > 1 ? std::atoi(words[1]) : 9001));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;
    if (::listen(listener, 8) != 0) return 1;
    for (int fd = ::accept(listener, nullptr, nullptr); fd >= 0;
         fd = ::accept(listener, nullptr, nullptr)) {
        serve(fd);
        ::close(fd);
    }
}
