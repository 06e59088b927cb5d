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

using websocket_key = std::span<const octet, 24>;
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
    return key.size() == websocket_key::extent &&
           detail::run_of(key.octets, detail::in_base64) == 22 && key.octets[22] == '=' &&
           key.octets[23] == '=';
}

namespace detail {

// SHA-1 makes two blocks of a key and the GUID. Behind the key, the first has the GUID and the 1
// that ends a message; the second has their number in bits, and nothing else.
inline constexpr sha1_block block_without_key = [] {
    sha1_block words{};
    std::size_t at = websocket_key::extent;
    for (const char c : websocket_guid) {
        words[at / 4] |= std::uint32_t{static_cast<octet>(c)} << (24 - at % 4 * 8);
        ++at;
    }
    words[15] = 0x80000000;
    return words;
}();
inline constexpr std::uint32_t bits_to_hash = (websocket_key::extent + websocket_guid.size()) * 8;

// The queue in front of the first block. Where the key goes, it has the constants K(t): one table
// instead of three.
inline constexpr sha1_queue queue_without_key = [] {
    sha1_queue queue{};
    for (std::size_t i = 0; i < 5; ++i) queue[i] = sha1_begin[i];
    for (std::size_t i = 0; i < 4; ++i) queue[5 + i] = sha1_constants[i];
    for (std::size_t i = 6; i < 16; ++i) queue[5 + i] = block_without_key[i];
    return queue;
}();

// Leaves the digest in front, from E to A. With all that it calls inlined: nobody else calls it.
[[gnu::always_inline]] constexpr sha1_queue hash_key_small(websocket_key key) noexcept {
    sha1_queue queue;
    for (std::size_t i = 0; i < queue.size(); ++i) queue[i] = queue_without_key[i];
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < key.size(); ++i) {
        word = word << 8 | key[i];
        queue[5 + i / 4] = word;
    }
    for (int block = 0; block < 2; ++block) {
        sha1_mix_small(queue, queue_without_key.data() + 5);
        for (std::size_t i = 0; i < 15; ++i) queue[5 + i] = 0;
        queue[5 + 15] = bits_to_hash;
    }
    return queue;
}

// The second block mixes in the same words each time.
constexpr sha1_state hash_key_fast(websocket_key key) noexcept {
    constexpr sha1_schedule second = [] {
        sha1_block words{};
        words[15] = bits_to_hash;
        return sha1_expand(words);
    }();
    sha1_block first = block_without_key;
    for (std::size_t i = 0; i < 6; ++i) first[i] = load_network32(key.subspan(4 * i));
    sha1_state state = sha1_begin;
    sha1_mix(state, sha1_expand(first));
    sha1_mix(state, second);
    return state;
}

}  // namespace detail

// 4.2.2: the key and the GUID in a row, through SHA-1 and base64.
constexpr void put_accept_key(websocket_key key,
                              std::span<octet, sizeof(accept_value)> out) noexcept {
    if constexpr (prefer_small) {
        detail::sha1_queue digest = detail::hash_key_small(key);
        base64_shift_out(std::span(digest).first<5>(), out);
    } else {
        base64_encode(detail::sha1_digest_of(detail::hash_key_fast(key)), out);
    }
}
// The same of any text.
constexpr accept_value accept_key(text_view key) noexcept {
    accept_value out{};
    if (key.size() == websocket_key::extent) {
        put_accept_key(key.octets.first<websocket_key::extent>(), out);
        return out;
    }
    sha1_hasher hasher;
    hasher.take(key.octets);
    for (const char next : websocket_guid) hasher.take(static_cast<octet>(next));
    base64_encode(hasher.finish(), out);
    return out;
}

}  // namespace sockless::inline v0
