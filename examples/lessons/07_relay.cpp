// A relay that never holds a message: the slices that come from one client are lent to the
// connection of another, and leave from where they have arrived. Nothing is copied.
#include <cstdio>
#include <vector>

#include <sockless/endpoint.hpp>
#include <sockless/server_connection.hpp>

using namespace sockless;

namespace {

// A client's message of one mebibyte in one frame, as octets.
std::vector<octet> large_message() {
    client_endpoint client;
    std::vector<octet> payload(1 << 20, 'x');
    std::vector<octet> out(payload.size() + longest_header);
    const written wrote = client.write({.type = message_type::text}, payload, out,
                                       masking_key{{0x12, 0x34, 0x56, 0x78}});
    out.resize(wrote.octets);
    return out;
}

// What a program writes to the socket: our own octets, and behind them what was lent.
std::size_t transmit(connection& peer) {
    std::size_t size = 0;
    while (peer.wants().write) {
        const gather out = peer.output_gather();  // writev(out.own, out.lent)
        size += out.own.size() + out.lent.size();
        peer.written(out.own.size() + out.lent.size());
    }
    return size;
}

// The next slice of a message, from one connection to the other.
result relay(const event& slice, server_connection& to) {
    const result begun = slice.first ? to.begin(slice.type) : result::done;
    if (begun != result::done) return begun;
    return to.lend(slice.payload, slice.last ? part::last : part::more);
}

}  // namespace

int main() {
    // Somebody else has done the opening handshakes.
    server_connection from(agreed{}, {.slices = true});
    server_connection to(agreed{});
    std::vector<octet> wire = large_message();
    std::size_t sent = 0;

    for (std::size_t at = 0; at < wire.size(); at += 16384) {  // reads of 16 KiB
        const std::size_t size = wire.size() - at < 16384 ? wire.size() - at : 16384;
        std::span<octet> in = std::span(wire).subspan(at, size);
        for (const event& told : from.receive(in)) {
            if (told.kind != event::what::slice) continue;
            if (relay(told, to) != result::done) return 1;
            sent += transmit(to);  // with a real socket: take the next event when pending() is 0
        }
    }
    std::printf("relayed %zu octets as %zu, holding none\n", wire.size(), sent);
    return sent > wire.size() && to.pending() == 0 ? 0 : 1;
}
