// compression.hpp -- what a connection asks of an extension that compresses (RFC 7692, 5 and 6).
//
// A connection knows no algorithm. Whoever owns it may give it one, as it is given memory:
// deflate.hpp has one. Without it nothing is agreed on, and RSV1 stays a bit that breaks a rule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/events.hpp>
#include <sockless/growing.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>
#include <sockless/request_head.hpp>
#include <sockless/server_handshake.hpp>

namespace sockless::inline v0 {

class sending;
class connection;

// Is a message to be compressed, where that was agreed on?
enum class compressing : std::uint8_t { when_long, yes, no };

// Octets of a compressed message, as they arrive.
struct compressed_piece {
    std::span<const octet> octets{};
    message_type type = message_type::binary;
    bool first = false;
    bool last = false;
};

// What has come of them so far.
struct inflated {
    enum class is : std::uint8_t { nothing, slice, message, broken, no_memory };

    is what = is::nothing;
    message_type type = message_type::binary;  // slice, message
    bool first = false;                        // slice: the message begins here
    bool last = false;                         // slice: the message ends here
    bool more = false;                         // ask again before anything else is taken
    rule broken = rule::none;                  // broken
    std::span<octet> payload{};                // slice: valid until the next
};

// The compression of one connection.
class compression {
  public:
    // Where the text of an offer or an answer goes.
    static constexpr std::size_t longest_text = 256;
    using text_room = std::span<char, longest_text>;

    // In a table and not in a vtable, as those of memory are.
    struct functions {
        std::string_view (*offer)(compression&, text_room room) noexcept;
        bool (*agree)(compression&, std::optional<text_view> answer) noexcept;
        std::string_view (*answer)(compression&, const request_head& request,
                                   text_room room) noexcept;
        written (*accept)(compression&, const request_head& request, std::span<octet> out) noexcept;
        bool (*agreed)(const compression&) noexcept;

        void (*take)(compression&, const compressed_piece& piece) noexcept;
        inflated (*inflate)(compression&, growing& message, std::size_t limit) noexcept;
        inflated (*inflate_slice)(compression&, std::size_t limit) noexcept;
        void (*tell)(compression&, connection& to, event& told) noexcept;
        bool (*send)(compression&, sending& to, message_type, std::span<const octet>,
                     compressing how) noexcept;
        std::size_t (*bound)(compression&, std::size_t size, compressing how) noexcept;
        std::size_t (*deflate)(compression&, std::span<const octet> message,
                               std::span<octet> out) noexcept;

        bool (*may_lend)(const compression&, int window_bits) noexcept;
        void (*lent)(compression&) noexcept;

        bool (*has_memory)(const compression&) noexcept;
        void (*release)(compression&) noexcept;
        void (*reset)(compression&) noexcept;
    };

    compression(const compression&) = delete;
    compression& operator=(const compression&) = delete;

    // ---- the opening handshake ----

    // A client: what to offer, and then what the server has made of it. False: what it may not.
    constexpr std::string_view offer(text_room room) noexcept {
        return functions_.offer(*this, room);
    }
    constexpr bool agree(std::optional<text_view> answer) noexcept {
        return functions_.agree(*this, answer);
    }
    // A server: what to answer; empty: no to every offer.
    constexpr std::string_view answer(const request_head& request, text_room room) noexcept {
        return functions_.answer(*this, request, room);
    }
    // And 4.2.2 of RFC 6455: the shortest response with this answer.
    constexpr written accept(const request_head& request, std::span<octet> out) noexcept {
        return functions_.accept(*this, request, out);
    }
    constexpr bool agreed() const noexcept { return functions_.agreed(*this); }

    // ---- octets received ----

    // So many octets can be kept while what they stand for is told slice by slice.
    static constexpr std::size_t bite = 512;

    // The next octets of a compressed message. For slices they are kept, and are a `bite` at most.
    constexpr void take(const compressed_piece& piece) noexcept { functions_.take(*this, piece); }
    // Puts all that they stand for behind what is in `message`, which may become that long.
    constexpr inflated inflate(growing& message, std::size_t limit) noexcept {
        return functions_.inflate(*this, message, limit);
    }
    // The next slice of it.
    constexpr inflated inflate_slice(std::size_t limit) noexcept {
        return functions_.inflate_slice(*this, limit);
    }

    // What there is to tell of it: tell_inflated(), or nothing.
    constexpr void tell(connection& to, event& told) noexcept { functions_.tell(*this, to, told); }

    // ---- messages to send ----

    // False: it leaves as it is. Else it has left by send_deflated().
    constexpr bool send(sending& to, message_type type, std::span<const octet> message,
                        compressing how) noexcept {
        return functions_.send(*this, to, type, message, how);
    }

    // The room that a message of this size may take when it is compressed; 0: it leaves as it is.
    constexpr std::size_t bound(std::size_t size, compressing how) noexcept {
        return functions_.bound(*this, size, how);
    }
    // Compresses a whole message into as much room, and says how much of it that took.
    constexpr std::size_t deflate(std::span<const octet> message, std::span<octet> out) noexcept {
        return functions_.deflate(*this, message, out);
    }

    // May a message leave that was compressed on its own, with such a window? And now it has.
    constexpr bool may_lend(int window_bits) const noexcept {
        return functions_.may_lend(*this, window_bits);
    }
    constexpr void lent() noexcept { functions_.lent(*this); }

    // ---- memory ----

    constexpr bool has_memory() const noexcept { return functions_.has_memory(*this); }
    // Gives back what can do without, until there is traffic again.
    constexpr void release() noexcept { functions_.release(*this); }
    // Of another connection: nothing is agreed on.
    constexpr void reset() noexcept { functions_.reset(*this); }

  protected:
    constexpr explicit compression(const functions& own) noexcept : functions_(own) {}
    ~compression() = default;

    // What connections do with it stands there; only who compresses reaches it from here.
    static constexpr void tell_inflated(connection& to, event& told) noexcept;
    static constexpr bool send_deflated(sending& to, message_type type,
                                        std::span<const octet> message, compressing how) noexcept;

  private:
    const functions& functions_;
};

// None: what a connection has whose owner wants no more.
class no_compression : public compression {
  public:
    struct options {};
    constexpr explicit no_compression(const options& = {}) noexcept : compression(table) {}

    // Whoever writes another may begin with these.
    static constexpr functions table{
        .offer = [](compression&, text_room) noexcept { return std::string_view{}; },
        .agree = [](compression&, std::optional<text_view>) noexcept { return true; },
        .answer = [](compression&, const request_head&,
                     text_room) noexcept { return std::string_view{}; },
        .accept = [](compression&, const request_head& request,
                     std::span<octet> out) noexcept { return sockless::accept(request, out); },
        .agreed = [](const compression&) noexcept { return false; },
        .take = [](compression&, const compressed_piece&) noexcept {},
        .inflate = [](compression&, growing&, std::size_t) noexcept { return inflated{}; },
        .inflate_slice = [](compression&, std::size_t) noexcept { return inflated{}; },
        .tell = [](compression&, connection&, event&) noexcept {},
        .send = [](compression&, sending&, message_type, std::span<const octet>,
                   compressing) noexcept { return false; },
        .bound = [](compression&, std::size_t, compressing) noexcept { return std::size_t{0}; },
        .deflate = [](compression&, std::span<const octet>,
                      std::span<octet>) noexcept { return std::size_t{0}; },
        .may_lend = [](const compression&, int) noexcept { return false; },
        .lent = [](compression&) noexcept {},
        .has_memory = [](const compression&) noexcept { return false; },
        .release = [](compression&) noexcept {},
        .reset = [](compression&) noexcept {},
    };
};

}  // namespace sockless::inline v0
