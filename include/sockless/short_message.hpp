// short_message.hpp -- a whole message in one frame of up to 65,535 octets, which is most of what
// ever arrives (RFC 6455, 5.2).
//
//    1r00 0001  M lllllll                       [ key, 4 octets ]  up to 125 octets
//    1r00 0010  M 1111110  length, 2 octets     [ key, 4 octets ]  126 octets and more
//
// What is here only ever accepts one, all of it there. Whatever else comes, or breaks a rule, is
// left as it is, for the reader to take step by step.
#pragma once

#include <cstddef>
#include <span>

#include <sockless/frame_event.hpp>
#include <sockless/frame_header.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>

namespace sockless::inline v0 {

struct short_message {
    std::size_t head = 0;
    std::size_t size = 0;  // of the frame; 0: there is none

    static constexpr message_type type(std::span<const octet> in) noexcept {
        return static_cast<message_type>(in[0] & wire::opcode_bits);
    }
    static constexpr bool compressed(std::span<const octet> in) noexcept {
        return (in[0] & wire::rsv1) != 0;
    }
    static constexpr bool is_text(std::span<const octet> in) noexcept {
        return type(in) == message_type::text && !compressed(in);
    }
    constexpr std::span<octet> payload(std::span<octet> in) const noexcept {
        return in.subspan(head, size - head);
    }
    // All 0, if there is none.
    constexpr masking_key key(std::span<const octet> in, role receiver) const noexcept {
        masking_key key;
        if (masks(other(receiver)))
            copy_octets(in.subspan(head - sizeof key, sizeof key), key.octets);
        return key;
    }
    // What is told of it, once it is unmasked.
    constexpr frame_event event(std::span<octet> in) const noexcept {
        return {.kind = frame_event::what::slice,
                .type = type(in),
                .first = true,
                .last = true,
                .compressed = compressed(in),
                .payload = payload(in)};
    }
};

constexpr short_message find_short_message(std::span<const octet> in, expected_frames expected,
                                           std::size_t most) noexcept {
    const bool masked = masks(other(expected.receiver));
    const std::size_t key_size = masked ? sizeof(masking_key) : 0;
    if (in.size() < 2 + key_size) return {};
    const int allowed = expected.rsv1 ? wire::rsv1 : 0;
    const auto type = static_cast<message_type>((in[0] | allowed) ^ (wire::fin | allowed));
    if (type != message_type::text && type != message_type::binary) return {};
    // Above 127, if it is not masked as it should be.
    std::size_t length = in[1] ^ (masked ? wire::mask : 0);
    std::size_t head = 2 + key_size;
    if (length >= wire::length16) {
        head += 2;
        if (length != wire::length16 || in.size() < head) return {};
        length = load_network16(in[2], in[3]);
        if (length < wire::length16) return {};
    }
    if (length > most || length > in.size() - head) return {};
    return {head, head + length};
}

}  // namespace sockless::inline v0
