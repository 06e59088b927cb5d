// A relay that never holds a message: slices from one connection become frames on another as they
// arrive, with header-only sends. The payload is unmasked and masked where it lies, never copied.
#include <array>
#include <cstdio>
#include <vector>

#include <sockless/endpoint.hpp>

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

}  // namespace

int main() {
    std::vector<octet> wire = large_message();
    server_endpoint from_client;
    client_endpoint to_upstream;
    std::size_t sent = 0;
    std::size_t replied = 0;

    for (std::size_t at = 0; at < wire.size(); at += 16384) {  // reads of 16 KiB
        const std::size_t size = wire.size() - at < 16384 ? wire.size() - at : 16384;
        std::span<octet> in = std::span(wire).subspan(at, size);
        for (const frame_event& event : from_client.receive(in)) {
            std::array<octet, longest_control_frame> reply{};
            replied += from_client.control(reply);  // write(reply): a pong or a Close, if due
            if (event.kind != frame_event::what::slice) continue;
            frame_start start;
            const masking_key key{{1, 2, 3, 4}};  // fresh and unpredictable in a real program
            const frame_kind kind{.type = event.type, .last = event.last};
            if (to_upstream.start(kind, event.payload.size(), start, key) != result::done) return 1;
            const std::span<const octet> payload = to_upstream.pay(event.payload);
            sent += start.view().size() + payload.size();  // writev(start.view(), payload)
        }
    }
    std::printf("relayed %zu octets as %zu, holding none\n", wire.size(), sent);
    return sent > wire.size() && replied == 0 ? 0 : 1;
}
