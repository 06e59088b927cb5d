// A whole server: the opening handshake, and then an endpoint that echoes, answers pings and
// closes.
#include <memory>

#include <sockless/endpoint.hpp>
#include <sockless/server_handshake.hpp>

using namespace sockless;

using transmitter = void (*)(std::span<const octet>);

struct server {
    bool is_open = false;
    server_handshake handshake{};
    server_endpoint peer{};
};

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

// Answers the request, once it is whole, and leaves what is behind it.
bool open(server& self, std::span<octet>& in, transmitter transmit) {
    static_assert(longest_refusal <= shortest_acceptance);
    std::array<octet, shortest_acceptance> answer;
    const outcome<request_kind> got = self.handshake.read(in);
    if (got.what == outcome<request_kind>::is::not_yet) return true;
    self.is_open = got.value == request_kind::upgrade;
    // Whoever asks for no WebSocket is told that there is nothing else: with a 426, too.
    const rule broken = got.broken == rule::none ? rule::bad_version : got.broken;
    const written ours =
        self.is_open ? accept(self.handshake.request(in), answer) : refuse(broken, answer);
    transmit(std::span(answer).first(ours.octets));
    in = in.subspan(got.used);
    return self.is_open;
}

}  // namespace

// `in` is all that has come of the request, and behind it what has come since.
extern "C" bool probe(server& self, bool is_new, std::span<octet>& in, transmitter transmit) {
    if (is_new) std::construct_at(&self);
    if (!self.is_open && !open(self, in, transmit)) return false;
    return !self.is_open || converse(self.peer, in, transmit);
}
