// accept_key.hpp -- the server's proof that it read the client's key (RFC 6455, 4.2.2).
//
// It shows that the answer comes from a WebSocket server and belongs to this request, and nothing
// else: both values are public, so nobody needs to compare them in constant time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sockless/base64.hpp>
#include <sockless/header_list.hpp>
#include <sockless/octets.hpp>
#include <sockless/sha1.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

using accept_value = std::array<octet, 28>;

// 1.3: the GUID "which is unlikely to be used by network endpoints that do not understand the
// WebSocket Protocol".
inline constexpr std::string_view websocket_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

namespace detail {
// RFC 4648, 4: the letters of base64.
inline constexpr auto in_base64 = [](auto o) noexcept {
    return is_letter(o) | is_within(o, '/', '9') | (o == octet{'+'});
};
}  // namespace detail

// 4.2.1: "a base64-encoded [...] value that, when decoded, is 16 bytes in length": 22 letters and
// the padding. The last letter has four bits that decoding drops, and they may be anything: 4.2.2
// has us hash the letters ("It is not necessary for the server to base64-decode"), RFC 4648, 3.5
// leaves it to us, and some clients draw 22 letters at random.
constexpr bool is_websocket_key(text_view key) noexcept {
    return key.size() == 24 && detail::run_of(key.octets, detail::in_base64) == 22 &&
           key.octets[22] == '=' && key.octets[23] == '=';
}

namespace detail {

// The two blocks that SHA-1 makes of a key and the GUID, with no key in them yet: 60 octets, the 1
// behind them, and their number in bits.
inline constexpr auto accept_blocks = [] {
    std::array<sha1_block, 2> blocks{};
    std::size_t at = 24;
    for (const char c : websocket_guid) {
        blocks[0][at / 4] |= std::uint32_t{static_cast<octet>(c)} << (24 - at % 4 * 8);
        ++at;
    }
    blocks[0][15] = 0x80000000;
    blocks[1][15] = 60 * 8;
    return blocks;
}();

// Only the first has something of the key; the other mixes in the same words each time.
constexpr sha1_digest hash_key(text_view key) noexcept {
    constexpr sha1_schedule second = sha1_expand(accept_blocks[1]);
    sha1_block first = accept_blocks[0];
    for (std::size_t i = 0; i < 6; ++i) first[i] = load_network32(key.octets.subspan(4 * i));
    sha1_state state = sha1_begin;
    sha1_mix(state, sha1_expand(first));
    sha1_mix(state, second);
    return sha1_digest_of(state);
}

}  // namespace detail

// 4.2.2: the key and the GUID in a row, through SHA-1 and base64.
constexpr void put_accept_key(text_view key, std::span<octet, sizeof(accept_value)> out) noexcept {
    if (!prefer_small && key.size() == 24) {
        base64_encode(detail::hash_key(key), out);
        return;
    }
    sha1_hasher hasher;
    hasher.take(key.octets);
    for (const char next : websocket_guid) hasher.take(static_cast<octet>(next));
    base64_encode(hasher.finish(), out);
}
constexpr accept_value accept_key(text_view key) noexcept {
    accept_value out{};
    put_accept_key(key, out);
    return out;
}

}  // namespace sockless::inline v0
