// closing.hpp -- how far the closing handshake has come (RFC 6455, 7.1).
//
// Every transition is in this file, and nothing here knows whether we are the client or the server:
// one table judges what we send and what the peer sends. The endpoint only asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <sockless/close_code.hpp>
#include <sockless/outcome.hpp>

namespace sockless::inline v0 {

// Two bits: our Close has left, and the peer's has come.
enum class closing : std::uint8_t { open, sent, received, closed };
enum class closing_event : std::uint8_t { send_data, send_close, get_data, get_close, end };

namespace detail {
// no:    5.5.1: nothing is sent after our own Close.
// get_*: 1.4 has us discard whatever follows the peer's Close (rows `received` and `closed`).
inline constexpr auto closing_table = [] {
    using enum closing;
    constexpr std::optional<closing> no;
    // clang-format off
    return std::array<std::array<std::optional<closing>, 5>, 4>{{
        //               send_data  send_close  get_data   get_close  end
        /* open     */ {{open,      sent,       open,      received,  closed}},
        /* sent     */ {{no,        no,         sent,      closed,    closed}},
        /* received */ {{received,  closed,     received,  received,  closed}},
        /* closed   */ {{no,        no,         closed,    closed,    closed}},
    }};
    // clang-format on
}();
}  // namespace detail

// The state behind an event that may happen: what the table says, in less than the table takes (a
// test compares).
constexpr closing behind(closing now, closing_event event) noexcept {
    const auto bits = static_cast<unsigned>(now);
    const auto sent = static_cast<unsigned>(closing::sent);
    const auto received = static_cast<unsigned>(closing::received);
    if (event == closing_event::send_close) return static_cast<closing>(bits | sent);
    if (event == closing_event::get_close) return static_cast<closing>(bits | received);
    return event == closing_event::end ? closing::closed : now;
}

enum class side : std::uint8_t { nobody, us, peer };

// What ended a connection.
enum class cause : std::uint8_t {
    nothing,        // it goes on
    closed,         // both Closes
    violation,      // the peer broke a rule
    end_of_stream,  // the transport ended without a closing handshake
    aborted,        // we dropped it
    refused,        // no WebSocket came out of the opening handshake
    no_memory,
    opening_timeout,
    dead_peer,  // no sign of life
    idle,       // no messages
    close_timeout,
    stalled,  // the peer took nothing of what waited for it
};

constexpr std::string_view name(cause why) noexcept {
    constexpr std::array<std::string_view, 12> names{
        "nothing",   "closed",          "violation", "end_of_stream", "aborted",       "refused",
        "no_memory", "opening_timeout", "dead_peer", "idle",          "close_timeout", "stalled"};
    return names[static_cast<std::size_t>(why)];
}

// How a connection ended, or how far it has come with that.
struct close_report {
    cause why = cause::nothing;
    closing state = closing::open;
    side began = side::nobody;                // whose Close, or failure, came first
    std::optional<std::uint16_t> sent{};      // the code of our Close; 1005: without a code
    std::optional<std::uint16_t> received{};  // the peer's; 1006: it ended without a Close (7.1.5)
    std::optional<violation> fault{};         // what the peer did wrong
    bool clean = false;                       // 7.1.4: both Closes came, and no fault
};

// How far an endpoint has come with it. A code of 0 inside is none, for every Close has one.
class closing_handshake {
  public:
    // Our Close is due. 5.5.1: one leaves, the first; is it this one?
    constexpr bool owe(std::uint16_t code) noexcept {
        if (ours_ != 0) return false;
        ours_ = code;
        we_began_ = theirs_ == 0;
        return true;
    }

    // It has left; the peer's has come.
    constexpr void send() noexcept {
        sent_ = ours_;
        state_ = behind(state_, closing_event::send_close);
    }
    constexpr void receive(std::uint16_t code) noexcept {
        theirs_ = code;
        state_ = behind(state_, closing_event::get_close);
    }

    constexpr void end() noexcept {
        state_ = behind(state_, closing_event::end);
        // 7.1.5: "considered to be 1006" if no Close was received.
        if (theirs_ == 0) theirs_ = abnormal_closure;
    }

    constexpr closing state() const noexcept { return state_; }
    // Was our Close, due or sent, the first?
    constexpr bool we_began() const noexcept { return we_began_; }
    constexpr bool has_ours() const noexcept { return ours_ != 0; }
    constexpr bool has_theirs() const noexcept {
        return theirs_ != 0 && theirs_ != abnormal_closure;
    }

    constexpr close_report report(const std::optional<violation>& fault) const noexcept {
        const cause end = why(fault.has_value());
        return {.why = end,
                .state = state_,
                .began = began(),
                .sent = if_any(sent_),
                .received = if_any(theirs_),
                .fault = fault,
                .clean = end == cause::closed};
    }

    friend constexpr bool operator==(const closing_handshake&,
                                     const closing_handshake&) noexcept = default;

  private:
    constexpr cause why(bool broken) const noexcept {
        if (broken) return cause::violation;
        if (theirs_ == abnormal_closure) return cause::end_of_stream;
        return sent_ != 0 && theirs_ != 0 ? cause::closed : cause::nothing;
    }

    constexpr side began() const noexcept {
        if (we_began_) return side::us;
        return has_theirs() ? side::peer : side::nobody;
    }

    static constexpr std::optional<std::uint16_t> if_any(std::uint16_t code) noexcept {
        return code != 0 ? std::optional(code) : std::nullopt;
    }

    closing state_ = closing::open;
    bool we_began_ = false;
    std::uint16_t ours_ = 0;  // due, or sent
    std::uint16_t sent_ = 0;
    std::uint16_t theirs_ = 0;
};

}  // namespace sockless::inline v0
