// One frame in ten lines: the octets of a masked "Hello" (RFC 6455, 5.7) become an event.
#include <cstdio>

#include <sockless/frame_reader.hpp>

int main() {
    sockless::octet received[] = {0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58};
    sockless::frame_reader reader(sockless::role::server);
    std::span<sockless::octet> in = received;
    for (const auto& event : reader.receive(in)) {
        if (event.kind != sockless::frame_event::what::slice) continue;
        const std::string_view text = event.text();
        std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
    }
    return reader.fault() ? 1 : 0;
}
