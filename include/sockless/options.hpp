// options.hpp -- what an application may choose of a connection.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sockless/limits.hpp>
#include <sockless/masking.hpp>
#include <sockless/origin.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

// What the application may choose.
struct connection_options {
    limits limit{};
    timeouts time{};
    origins from = origins::same_host;  // server: where a page may come from that connects (10.2)
    bool slices = false;                // messages as they come, and not put together
    bool answer_pings = true;           // or the application does, with pong()
    // Whoever does not read its answers gets no more of them. Two ends that both pause can wait for
    // each other for ever, so it is the servers that do.
    enum class pausing : std::uint8_t { servers_only, always, never_at_all };
    pausing pause = pausing::servers_only;
};

// The same, as far as the memory goes. A limit is what it is wherever a message lies.
constexpr connection_options fitted(connection_options wished, capacity most) noexcept {
    limits& limit = wished.limit;
    if (limit.message > most.message) limit.message = most.message;
    if (limit.head >= most.message) limit.head = static_cast<std::uint16_t>(most.message - 1);
    // An answer to one more event fits above `high`, whatever waits.
    const std::size_t answer = limit.message < longest - 160 ? limit.message + 160 : longest;
    const bool is_a_length = limit.high < longest && answer < longest - limit.high;
    const std::size_t least = is_a_length ? answer + limit.high : longest;
    if (limit.output < least) limit.output = least;
    if (limit.output > most.output) {
        limit.output = most.output;
        const std::size_t above = limit.output > answer ? limit.output - answer : 0;
        if (limit.high > above) limit.high = above;
    }
    if (limit.low > limit.high) limit.low = limit.high;
    return wished;
}

// Does it pause?
constexpr bool pauses(const connection_options& options, role ours) noexcept {
    using enum connection_options::pausing;
    return options.pause == always || (options.pause == servers_only && ours == role::server);
}

}  // namespace sockless::inline v0
