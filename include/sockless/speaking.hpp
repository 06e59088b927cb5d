// speaking.hpp -- what the application says in a connection (RFC 6455, 6.1, 7.1.2).
//
// Every call ends in a `result`. Whatever is not `done` wrote nothing and changed nothing: who gets
// `full` goes on at `drained`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include <sockless/close_code.hpp>
#include <sockless/compression.hpp>
#include <sockless/events.hpp>
#include <sockless/lifetime.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>
#include <sockless/storage.hpp>
#include <sockless/utf8.hpp>

namespace sockless::inline v0 {

class speaking : public lifetime {
  public:
    // The caller vouches that text is UTF-8.
    constexpr result send(message_type type, std::span<const octet> payload,
                          compressing how = compressing::when_long) noexcept {
        return told(is_open() ? sending_.send(type, payload, how) : closed_result());
    }
    constexpr result send_text(std::string_view text,
                               compressing how = compressing::when_long) noexcept;
    constexpr result send_binary(std::span<const octet> payload,
                                 compressing how = compressing::when_long) noexcept {
        return send(message_type::binary, payload, how);
    }

    // Begins a message of pieces, each of which will be a fragment.
    constexpr result begin(message_type type) noexcept {
        return told(is_open() ? sending_.begin(type) : closed_result());
    }
    // Begins a message of one frame, the length of which is known.
    constexpr result begin(message_type type, std::uint64_t length) noexcept {
        return told(is_open() ? sending_.begin(type, length) : closed_result());
    }
    constexpr result append(std::span<const octet> piece, part which) noexcept {
        return told(is_open() ? sending_.append(piece, which) : closed_result());
    }
    // Not copied: yours again at `drained`. A client masks it where it lies.
    constexpr result lend(std::span<octet> piece, part which) noexcept {
        return is_open() ? lent(sending_.lend(piece, which), piece.size()) : closed_result();
    }

    constexpr result ping(std::span<const octet> payload = {}) noexcept {
        return answered(is_open() ? sending_.control(opcode::ping, payload) : closed_result());
    }
    // For those who answer pings themselves.
    constexpr result pong(std::span<const octet> payload) noexcept {
        return answered(is_open() ? sending_.control(opcode::pong, payload) : closed_result());
    }

    // 7.1.2: begins the closing handshake; what was sent before leaves before it.
    constexpr result close(close_code code = 1000, std::string_view reason = {}) noexcept {
        return close_with(code, reason);
    }
    // The same without a code, which the peer will see as 1005.
    constexpr result close_without_code() noexcept { return close_with(std::nullopt, {}); }

    // The largest payload that send() takes now.
    constexpr std::uint64_t room() const noexcept { return is_open() ? sending_.room() : 0; }
    // What a browser calls bufferedAmount: all that was accepted, and has not been written.
    constexpr std::uint64_t pending() const noexcept {
        return phase_ < phase::ended ? sending_.pending() : 0;
    }

  protected:
    using lifetime::lifetime;
    ~speaking() = default;

    // What follows from an answer to something that belongs to a message.
    constexpr result told(result answer) noexcept {
        if (answer == result::done) on_message();
        return answered(answer);
    }
    constexpr result lent(result answer, std::size_t size) noexcept {
        if (answer == result::done) flow_.on_lent(size);
        return told(answer);
    }
};

constexpr result speaking::send_text(std::string_view text, compressing how) noexcept {
    if (!is_utf8(text)) return result::bad_text;
    if (!std::is_constant_evaluated()) return send(message_type::text, octets_of(text), how);
    // Constant evaluation takes no text for octets, so it gets them.
    const std::span<octet> copy(new_octets(text.size()), text.size());
    copy_text(text, copy);
    const result answer = send(message_type::text, copy, how);
    delete[] copy.data();
    return answer;
}

}  // namespace sockless::inline v0
