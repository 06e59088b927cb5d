// limits.hpp -- every limit with its default, in one aggregate (RFC 6455, 10.4).
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
