// short_message.hpp -- a whole message in one short frame: most of what ever arrives (RFC
// 6455, 5.2).
//
//    1000 0001  M lllllll  [ key, 4 octets ]  payload, at most 125 octets
//    1000 0010
//
// What is here only ever accepts one, all of it there. Whatever else comes, or breaks a rule, is
// left as it is, for the reader to take step by step.
#pragma once

#include <cstddef>
#include <span>

#include <sockless/frame_header.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/payload.hpp>
#include <sockless/utf8.hpp>

namespace sockless::inline v0 {

struct short_message {
    message_type type = message_type::binary;
    std::size_t head = 2;
    std::size_t size = 0;  // of the frame; 0: there is none

    constexpr std::span<octet> payload(std::span<octet> in) const noexcept {
        return in.subspan(head, size - head);
    }
};

constexpr short_message find_short_message(std::span<const octet> in, role receiver,
                                           std::size_t most) noexcept {
    const bool masked = masks(other(receiver));
    const std::size_t head = masked ? 2 + sizeof(masking_key) : 2;
    if (in.size() < head) return {};
    const auto type = static_cast<message_type>(in[0] ^ wire::fin);
    if (type != message_type::text && type != message_type::binary) return {};
    // 126 and above: an extended length, or not masked as it should be.
    const std::size_t length = in[1] ^ (masked ? wire::mask : 0);
    if (length >= wire::length16 || length > most || length > in.size() - head) return {};
    return {type, head, head + length};
}

// Unmasks it, unless it is text that is not UTF-8: then it stays as it came.
constexpr bool unmask(short_message found, std::span<octet> in) noexcept {
    const std::span<octet> payload = found.payload(in);
    masking_key key;
    copy_octets(in.subspan(2, found.head - 2), key.octets);
    const masking_key first_key = key;
    utf8_checker text;
    const bool is_text = found.type == message_type::text;
    const std::size_t good = unmask(payload, key, is_text, text, payload.size());
    if (good == payload.size()) return true;
    detail::mask_octets(payload.data(), payload.data(), good, first_key);
    return false;
}

}  // namespace sockless::inline v0
