// fragmentation.hpp -- which data frame may follow which (RFC 6455, 5.4).
//
// The same for both roles and both directions. Control frames are not in it: they may stand between
// any two fragments and change nothing.
#pragma once

#include <cstdint>

#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>

namespace sockless::inline v0 {

// The message that is unfinished, if any.
enum class fragmentation : std::uint8_t { none, text, binary };

// What a data frame does to it: a broken rule, or the state after the frame.
struct fragmentation_step {
    rule broken = rule::none;
    fragmentation next = fragmentation::none;

    friend constexpr bool operator==(fragmentation_step, fragmentation_step) noexcept = default;
};

// What a data frame (continuation, text or binary) with this FIN bit does to the message that is
// under way. It begins with another opcode than 0, goes on with 0 alone, and is not interleaved
// with another one.
constexpr fragmentation_step follow(fragmentation now, opcode data, bool fin) noexcept {
    const bool begins = data != opcode::continuation;
    if (now == fragmentation::none && !begins) return {.broken = rule::nothing_to_continue};
    if (now != fragmentation::none && begins) return {.broken = rule::unfinished_message};
    if (fin) return {.next = fragmentation::none};
    return {.next = begins ? static_cast<fragmentation>(data) : now};
}

// The state in which a message of this type is unfinished.
constexpr fragmentation unfinished(message_type type) noexcept {
    return static_cast<fragmentation>(type);
}

}  // namespace sockless::inline v0
