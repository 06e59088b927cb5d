// A whole server: the opening handshake, and then an endpoint that echoes, answers pings and
// closes.
#include <new>

#include <sockless/server_handshake.hpp>

#include "echo.hpp"

struct server {
    bool is_open = false;
    server_handshake handshake{};
    server_endpoint peer{};
};

namespace {

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
    if (is_new) new (&self) server;
    if (!self.is_open && !open(self, in, transmit)) return false;
    return !self.is_open || converse(self.peer, in, transmit);
}
