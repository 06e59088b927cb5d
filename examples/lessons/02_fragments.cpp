// A message in two fragments, with a ping between them (RFC 6455, 5.4). It arrives one octet at a
// time: slices are as long as what is there, the message is the same at every cut of the stream.
#include <array>
#include <cstdio>
#include <string>

#include <sockless/frame_reader.hpp>

using namespace sockless;

int main() {
    std::array<octet, 22> received{0x01, 0x83, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D,  // "Hel"
                                   0x89, 0x80, 0x37, 0xFA, 0x21, 0x3D,                    // a ping
                                   0x80, 0x82, 0x00, 0x00, 0x00, 0x00, 'l'};              // "lo"
    frame_reader reader(role::server);
    std::string message;
    int events = 0;
    const auto take = [&](std::span<octet> in) {
        for (const frame_event& event : reader.receive(in)) {
            ++events;
            if (event.kind == frame_event::what::ping) std::printf("ping\n");
            if (event.kind != frame_event::what::slice) continue;
            message += std::string_view(event.text());
            std::printf("slice \"%s\"%s%s, %d of its frame to come\n",
                        std::string(event.text()).c_str(), event.first ? ", first" : "",
                        event.last ? ", last" : "", static_cast<int>(event.remaining));
        }
    };
    for (octet& one : received) take({&one, 1});
    std::array<octet, 1> rest{'o'};
    take(rest);
    std::printf("message \"%s\"\n", message.c_str());
    return message == "Hello" && events == 6 ? 0 : 1;
}
