// fragmentation.hpp -- which data frame may follow which (RFC 6455, 5.4).
//
// One table for both roles and both directions. Control frames are not in it: they may stand
// between any two fragments and change nothing.
#pragma once

#include <array>
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

namespace detail {
inline constexpr auto fragmentation_table = [] {
    constexpr fragmentation_step none{.next = fragmentation::none};
    constexpr fragmentation_step text{.next = fragmentation::text};
    constexpr fragmentation_step binary{.next = fragmentation::binary};
    // A fragmented message begins with another opcode than 0, goes on with 0 alone, and is not
    // interleaved with another message.
    constexpr fragmentation_step orphan{.broken = rule::nothing_to_continue};
    constexpr fragmentation_step intruder{.broken = rule::unfinished_message};
    // clang-format off
    return std::array<std::array<fragmentation_step, 6>, 3>{{
        //             continuation     text                binary
        //             more    last     more      last      more      last
        /* none   */ {{orphan, orphan,  text,     none,     binary,   none}},
        /* text   */ {{text,   none,    intruder, intruder, intruder, intruder}},
        /* binary */ {{binary, none,    intruder, intruder, intruder, intruder}},
    }};
    // clang-format on
}();
}  // namespace detail

// What a data frame (continuation, text or binary) with this FIN bit does to the message that is
// under way: what the table says, in less than the table takes (a test compares).
constexpr fragmentation_step follow(fragmentation now, opcode data, bool fin) noexcept {
    const bool begins = data != opcode::continuation;
    if (begins && now != fragmentation::none) return {.broken = rule::unfinished_message};
    if (!begins && now == fragmentation::none) return {.broken = rule::nothing_to_continue};
    if (fin) return {.next = fragmentation::none};
    return {.next = begins ? static_cast<fragmentation>(data) : now};
}

// The state in which a message of this type is unfinished.
constexpr fragmentation unfinished(message_type type) noexcept {
    return static_cast<fragmentation>(type);
}

// The state behind a frame of a message of this type, if the frame broke no rule.
constexpr fragmentation behind(message_type type, bool fin) noexcept {
    return fin ? fragmentation::none : unfinished(type);
}

}  // namespace sockless::inline v0
