// What a peer does wrong has a name, a section of the RFC, a close code and an offset.
#include <cstdio>
#include <string>
#include <vector>

#include <sockless/frame_reader.hpp>

using namespace sockless;

int main() {
    const std::vector<std::vector<octet>> streams{
        {0x83},                                            // opcode 3 is reserved
        {0x81, 0x05},                                      // a client that does not mask
        {0x89, 0xFE},                                      // a ping of more than 125 octets
        {0x82, 0xFE, 0x00, 0x7D},                          // 125 octets, said with two too many
        {0x81, 0x82, 0x00, 0x00, 0x00, 0x00, 'x', 0xFF},   // text that is not UTF-8
        {0x88, 0x82, 0x00, 0x00, 0x00, 0x00, 0x03, 0xEE},  // 1006 must not travel
    };
    for (std::vector<octet> stream : streams) {
        frame_reader reader(role::server);
        std::span<octet> in(stream);
        for (const frame_event& event : reader.receive(in)) {
            if (event.kind != frame_event::what::violated) continue;
            const violation fault = *reader.fault();
            std::printf("octet %d: %s (RFC %d, %s), close with %d\n", static_cast<int>(fault.at),
                        std::string(name(fault.broken)).c_str(), rfc(fault.broken),
                        std::string(section(fault.broken)).c_str(), event.code);
        }
        if (!reader.fault()) return 1;
    }
    return 0;
}
