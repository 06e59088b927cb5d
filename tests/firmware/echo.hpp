// echo.hpp -- what the probes do with an endpoint: echo, answer pings, and close.
#pragma once

#include <array>
#include <span>

#include <sockless/endpoint.hpp>

using namespace sockless;

using transmitter = void (*)(std::span<const octet>);

namespace {

void drain(server_endpoint& peer, transmitter transmit) {
    std::array<octet, longest_control_frame> control;
    const std::size_t size = peer.control(control);
    if (size > 0) transmit(std::span(control).first(size));
}

result echo(server_endpoint& peer, const frame_event& slice, transmitter transmit) {
    frame_start start;
    const result started =
        peer.start({.type = slice.type, .last = slice.last}, slice.payload.size(), start);
    if (started != result::done) return started;
    transmit(start.view());
    transmit(peer.pay_plain(slice.payload));
    return result::done;
}

bool converse(server_endpoint& peer, std::span<octet>& in, transmitter transmit) {
    for (const frame_event& event : peer.receive(in)) {
        drain(peer, transmit);
        if (event.kind != frame_event::what::slice) continue;
        if (echo(peer, event, transmit) != result::done)
            static_cast<void>(peer.close(1011, "echo"));
    }
    drain(peer, transmit);
    if (peer.state() == closing::closed) peer.end_of_stream();
    return peer.state() != closing::closed;
}

}  // namespace
