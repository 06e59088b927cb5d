// server_endpoint.cpp -- the opening handshake and frames, with no heap: every slice goes back.
#include <array>
#include <cstddef>
#include <span>

#include <unistd.h>

#include <sockless/endpoint.hpp>
#include <sockless/server_handshake.hpp>

namespace {

using sockless::octet;

std::array<octet, 4096> room;
sockless::server_endpoint ws;

bool transmit(std::span<const octet> out) {
    return ::write(1, out.data(), out.size()) == static_cast<ssize_t>(out.size());
}

// What came behind the request.
std::span<octet> shake_hands() {
    sockless::server_handshake handshake;
    std::array<octet, 256> answer{};
    for (std::size_t got = 0; got < room.size();) {
        const ssize_t size = ::read(0, room.data() + got, room.size() - got);
        if (size <= 0) return {};
        got += static_cast<std::size_t>(size);
        const std::span<octet> head = std::span(room).first(got);
        const auto read = handshake.read(head);
        if (read.what == decltype(read)::is::not_yet) continue;
        const bool good = read.what == decltype(read)::is::value;
        const sockless::written out = good ? sockless::accept(handshake.request(head), answer)
                                           : sockless::refuse(read.broken, answer);
        if (!transmit(std::span(answer).first(out.octets)) || !good) return {};
        return head.subspan(read.used);
    }
    return {};
}

bool answer(const sockless::frame_event& each) {
    std::array<octet, sockless::longest_control_frame> control{};
    if (each.kind == sockless::frame_event::what::slice) {
        sockless::frame_start head;
        const sockless::frame_kind frame{.type = each.type,
                                         .last = each.last && each.remaining == 0};
        if (ws.start(frame, each.payload.size(), head) != sockless::result::done) return false;
        if (!transmit(head.view()) || !transmit(ws.pay_plain(each.payload))) return false;
    }
    return transmit(std::span(control).first(ws.control(control)));
}

}  // namespace

int main() {
    std::span<octet> in = shake_hands();
    while (ws.state() != sockless::closing::closed) {
        for (const sockless::frame_event& each : ws.receive(in)) {
            if (!answer(each)) return 1;
        }
        const ssize_t size = ::read(0, room.data(), room.size());
        if (size <= 0) ws.end_of_stream();
        in = std::span(room).first(size > 0 ? static_cast<std::size_t>(size) : 0);
    }
}
