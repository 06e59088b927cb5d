// frame_event.hpp -- what a reader of frames tells (RFC 6455, 5.2, 6.2, 7.1.7).
#pragma once

#include <cstdint>
#include <span>

#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>

namespace sockless::inline v0 {

struct frame_event {
    enum class what : std::uint8_t { nothing, slice, close, ping, pong, violated };

    what kind = what::nothing;
    message_type type = message_type::binary;  // slice
    bool first = false;                        // slice: the message begins here
    bool last = false;                         // slice: the message ends here
    bool compressed = false;                   // slice: of a message with RSV1; not checked as text
    rule broken = rule::none;                  // violated
    std::uint16_t code = 0;       // close: the peer's; violated: the one to answer with
    std::span<octet> payload{};   // slice: in `in`; control: kept here until the next event
    std::uint64_t remaining = 0;  // slice: still to come of this frame

    constexpr text_view text() const noexcept { return {payload}; }

    // The events of control frames stand in the order of their opcodes.
    static constexpr what of(opcode control) noexcept {
        const int index = static_cast<int>(control) - static_cast<int>(opcode::close);
        return static_cast<what>(static_cast<int>(what::close) + index);
    }
};

}  // namespace sockless::inline v0
