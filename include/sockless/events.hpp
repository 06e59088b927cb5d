// events.hpp -- what a connection tells the application, and what it wants of the loop around it.
//
// A connection begins with `request` or `plain_request` (servers) or `refused` (clients), or goes
// on to `open`; then messages come; `closed` is told once, and last, whatever ended it.
#pragma once

#include <cstdint>
#include <span>

#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>

namespace sockless::inline v0 {

struct event {
    enum class what : std::uint8_t {
        nothing,
        plain_request,  // a well-formed GET that asks for no WebSocket: respond(), or it gets a 426
        request,        // asks for a WebSocket: accept() or reject()
        refused,        // the server wants no WebSocket: see response(); a body is in `in`
        open,
        message,
        slice,  // of a message, if `options.slices`
        ping,   // if they are not answered automatically
        pong,
        drained,  // the output has room again, and what was lent is yours
        closed,   // the last event; its payload is the peer's reason: see report()
    };

    using enum what;

    what kind = what::nothing;
    message_type type = message_type::binary;  // message, slice
    bool first = false;                        // slice: the message begins here
    bool last = false;                         // slice: the message ends here
    std::uint16_t code = 0;                    // closed: the peer's, or 1005, or 1006
    std::span<octet> payload{};                // valid until the next event is taken
    std::uint64_t remaining = 0;               // slice: still to come of this frame

    constexpr text_view text() const noexcept { return {payload}; }
};

// One to copy from: what clang would make of {} waits for itself.
inline constexpr event no_event{};

// How far a connection has come.
enum class phase : std::uint8_t {
    idle,      // a client that has not been told whom to ask
    opening,   // a head is arriving
    asked,     // the head is whole, and the application's answer is awaited
    open,      // frames
    ending,    // no more events; output leaves, input is thrown away
    ended,     // `closed` is due
    finished,  // `closed` has been told
};

// What should become of the transport. half_close: transmit nothing more, and receive until its
// end.
enum class ending : std::uint8_t { keep, half_close, drop };

struct wants {
    bool read = false;    // octets, or the end of the stream
    bool write = false;   // there is output()
    bool events = false;  // receive() has something to tell without new octets
    sockless::ending ending = ending::keep;

    friend constexpr bool operator==(const wants&, const wants&) noexcept = default;
};

// Is this piece the last of its message?
enum class part : std::uint8_t { more, last };

struct traffic {
    std::uint64_t octets = 0;    // of the whole stream, the opening handshake among them
    std::uint64_t frames = 0;    // data frames
    std::uint64_t messages = 0;  // that are whole
    std::uint64_t control = 0;   // control frames

    friend constexpr bool operator==(const traffic&, const traffic&) noexcept = default;
};

struct counters {
    traffic received{};
    traffic sent{};

    friend constexpr bool operator==(const counters&, const counters&) noexcept = default;
};

}  // namespace sockless::inline v0
