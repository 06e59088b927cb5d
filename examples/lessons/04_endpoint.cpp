// Both directions of an open connection without any memory of its own: server_endpoint in a loop.
// Somebody else did the opening handshake, keeps the octets, and transmits them.
#include <array>
#include <cstdio>
#include <cstring>
#include <vector>

#include <sockless/endpoint.hpp>

using namespace sockless;

namespace {

std::vector<octet> transmitted;

void transmit(std::span<const octet> octets) {
    transmitted.insert(transmitted.end(), octets.begin(), octets.end());
}

void on_octets(server_endpoint& peer, std::span<octet> in) {
    for (const frame_event& event : peer.receive(in)) {
        std::array<octet, longest_control_frame> control{};
        transmit(std::span(control).first(peer.control(control)));  // a pong, a Close, or nothing
        if (event.kind != frame_event::what::slice) continue;

        frame_start start;  // echo it, without a copy
        if (peer.start({.type = event.type, .last = event.last}, event.payload.size(), start) !=
            result::done) {
            continue;  // we are closing
        }
        transmit(start.view());
        transmit(peer.pay(event.payload));
    }
}

}  // namespace

int main() {
    client_endpoint client;  // what we are asked
    std::array<octet, 64> asked{};
    const masking_key key{{0x37, 0xFA, 0x21, 0x3D}};  // fresh and unpredictable in a real client
    const written text = client.write({.type = message_type::text}, octets_of("Hello"), asked, key);
    if (client.close(1000, "bye") != result::done) return 1;
    std::array<octet, longest_control_frame> close{};
    const std::size_t size = client.control(close, key);

    server_endpoint server;
    on_octets(server, std::span(asked).first(text.octets));
    on_octets(server, std::span(close).first(size));
    for (const octet one : transmitted) std::printf("%02X ", one);
    std::printf("\nclosed with %d\n", *server.report().received);
    return server.report().clean ? 0 : 1;
}
