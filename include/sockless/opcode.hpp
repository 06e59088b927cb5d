// opcode.hpp -- what a frame is (RFC 6455, 5.2, 5.5, 5.6).
#pragma once

#include <cstdint>

#include <sockless/octets.hpp>

namespace sockless::inline v0 {

// 5.2: 3-7 are reserved for further data frames, B-F for further control frames.
enum class opcode : std::uint8_t {
    continuation = 0x0,
    text = 0x1,
    binary = 0x2,
    close = 0x8,
    ping = 0x9,
    pong = 0xA,
};

// 5.6: what an application sends and receives.
enum class message_type : std::uint8_t { text = 1, binary = 2 };

constexpr bool is_reserved(opcode op) noexcept {
    const auto number = static_cast<octet>(op);
    return (number & 0x7) > 2;  // of either kind, the first three have a meaning
}

// 5.5: "opcodes where the most significant bit of the opcode is 1".
constexpr bool is_control(opcode op) noexcept { return (static_cast<octet>(op) & 0x8) != 0; }

constexpr opcode opcode_of(message_type type) noexcept { return static_cast<opcode>(type); }

}  // namespace sockless::inline v0
