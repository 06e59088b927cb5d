// memory.cpp -- What does an open connection hold, when a message has come and gone, and it is
// idle?
//
// The object and all that it has of the heap; octets as malloc has rounded them.
#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "echo.hpp"
#include "heap.hpp"

namespace bench {

void measure_memory() {
    constexpr std::size_t count = 100;
    dice random;
    const octets payload = payload_of(kind::ascii, 1024, random);
    const octets frame = masked_frame(payload, true, random);
    const octets expected = unmasked_frame(payload);
    const octets request(browser_request, browser_request + std::strlen(browser_request));
    octets room;
    room.reserve(4096);
    for (const echoer& who : echoers()) {
        if (who.role == part::floor || !who.make) continue;
        std::vector<std::unique_ptr<echo_peer>> all(count);
        std::size_t before = 0;
        for (std::size_t i = 0; i < count; ++i) {
            // The first one takes what all of them share.
            if (i == 1) {
                all.front()->idle();
                before = heap_now().held;
            }
            all[i] = who.make();
            if (who.shakes_hands) {
                room = request;
                const view answer = all[i]->take(room.data(), room.size());
                must(answer.size > 0, "an answer");
                all[i]->written(answer.size);
            }
            room = frame;
            const view echo = all[i]->take(room.data(), room.size());
            must(echo.size == expected.size() &&
                     std::memcmp(echo.data, expected.data(), echo.size) == 0,
                 "an echo");
            all[i]->written(echo.size);
        }
        for (const auto& each : all) each->idle();
        const auto held = static_cast<double>(heap_now().held - before);
        tell("memory", who, "octets", held / static_cast<double>(count - 1));
    }
}

}  // namespace bench
