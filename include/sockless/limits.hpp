// limits.hpp -- every limit with its default, on octets and on time (RFC 6455, 10.4).
//
// A limit holds what the application would have to hold: octets of a message, not of a read. It is
// applied as soon as a header declares a length, before any payload has come.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sockless::inline v0 {

inline constexpr std::size_t unlimited = SIZE_MAX;

struct limits {
    std::size_t message = std::size_t{1} << 20;  // octets of one message
    std::size_t frame = unlimited;               // octets of one frame as it travels
    std::uint16_t empty_fragments = 1024;        // in a row in one message; 0: any number

    // of the opening handshake
    std::uint16_t head = 8192;        // octets of a request or response head
    std::uint16_t header_lines = 64;  // lines behind the first
    std::uint16_t target = 4096;      // octets of the request target
    std::uint8_t protocols = 16;      // subprotocols offered
    std::uint8_t offers = 8;          // extensions offered
    std::uint8_t parameters = 8;      // of one of them

    // of a connection's output. What may wait is at least `high`, a message and 160 octets, so that
    // whoever takes an event can answer it. Above `high`, a connection that pauses gives no events
    // until its output has fallen to `low`.
    std::size_t output = 0;
    std::size_t high = 65'536;
    std::size_t low = 16'384;
};

// Time is counted from wherever the caller likes.
using milliseconds = std::int64_t;
inline constexpr milliseconds never = INT64_MAX;

// How long a connection waits. `never` switches one off.
struct timeouts {
    milliseconds opening = 10'000;      // for the opening handshake to be complete
    milliseconds ping = 30'000;         // of silence, before we ask whether the peer is there
    milliseconds pong = 20'000;         // for any sign of life after that
    milliseconds idle = never;          // without a message either way
    milliseconds close = 10'000;        // for the closing handshake, and for the peer to hang up
    milliseconds stall = 60'000;        // for the peer to take any of what waits for it
    milliseconds idle_release = 1'000;  // without traffic, before memory is given back
};

// The longest length there is: `unlimited` itself stands for "longer than a size_t can say".
inline constexpr std::size_t longest = unlimited - 1;

// RFC 7692 leaves the limit of a compressed message to us: the octets on the wire may exceed those
// of the message, which are counted as they are inflated, by what deflate can add to noise.
constexpr std::size_t compressed_limit(std::size_t message) noexcept {
    const std::size_t extra = message / 8 + 1024;
    return message > longest - extra ? longest : message + extra;
}

}  // namespace sockless::inline v0
