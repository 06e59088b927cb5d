// server_connection.cpp -- the server of the README.
#include <array>
#include <cstddef>
#include <span>

#include <unistd.h>

#include <sockless/server_connection.hpp>

int main() {
    static sockless::server_connection ws;
    static std::array<sockless::octet, 4096> room;
    std::span<sockless::octet> in;
    while (!ws.finished()) {
        if (in.empty() && ws.wants().read) {
            const ssize_t size = ::read(0, room.data(), room.size());
            if (size <= 0) ws.end_of_stream();
            in = std::span(room).first(size > 0 ? static_cast<std::size_t>(size) : 0);
        }
        for (const sockless::event& each : ws.receive(in)) {
            sockless::result answer = sockless::result::done;
            if (each.kind == sockless::event::request) answer = ws.accept();
            if (each.kind == sockless::event::message) answer = ws.send(each.type, each.payload);
            if (answer != sockless::result::done) ws.abort();
        }
        for (auto out = ws.output(); !out.empty(); out = ws.output()) {
            const ssize_t size = ::write(1, out.data(), out.size());
            if (size <= 0) return 1;
            ws.written(static_cast<std::size_t>(size));
        }
    }
}
