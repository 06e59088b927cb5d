// accept_key.hpp -- the server's proof that it read the client's key (RFC 6455, 4.2.2).
//
// It shows that the answer comes from a WebSocket server and belongs to this request, and nothing
// else: both values are public, so nobody needs to compare them in constant time.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <sockless/base64.hpp>
#include <sockless/octets.hpp>
#include <sockless/sha1.hpp>

namespace sockless::inline v0 {

using accept_value = std::array<octet, 28>;

// 1.3: the GUID "which is unlikely to be used by network endpoints that do not understand the
// WebSocket Protocol".
inline constexpr std::string_view websocket_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// 4.2.1: "a base64-encoded [...] value that, when decoded, is 16 bytes in length": 22 letters and
// the padding. The last letter has four bits that decoding drops, and they may be anything: 4.2.2
// has us hash the letters ("It is not necessary for the server to base64-decode"), RFC 4648, 3.5
// leaves it to us, and some clients draw 22 letters at random.
constexpr bool is_websocket_key(text_view key) noexcept {
    if (key.size() != 24) return false;
    for (std::size_t i = 0; i < 22; ++i) {
        if (!base64_value(key.octets[i])) return false;
    }
    return key.octets[22] == '=' && key.octets[23] == '=';
}

// 4.2.2: the key and the GUID in a row, through SHA-1 and base64.
constexpr accept_value accept_key(text_view key) noexcept {
    sha1_hasher hasher;
    hasher.take(key.octets);
    for (const char next : websocket_guid) hasher.take(static_cast<octet>(next));
    accept_value out{};
    base64_encode(hasher.finish(), out);
    return out;
}

}  // namespace sockless::inline v0
