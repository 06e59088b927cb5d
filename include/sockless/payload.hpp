// payload.hpp -- a payload as it arrives: unmasked, and checked if it is text (RFC 6455, 5.3, 8.1).
//
// Both are done in one step, because an octet that is refused has to stay as it came, and so has
// all after it.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/utf8.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

namespace detail {

// The definition, octet by octet.
constexpr std::size_t unmask_octets(std::span<octet> piece, masking_key& key, bool is_text,
                                    utf8_checker& text, std::size_t room) noexcept {
    for (std::size_t i = 0; i < piece.size(); ++i, key = key.after(1)) {
        const octet plain = piece[i] ^ key.octets[0];
        if (is_text && !text.take(plain, room - i - 1)) return i;
        piece[i] = plain;
    }
    return piece.size();
}

// Checks what is unmasked already, and masks again what is not good.
[[gnu::noinline]] inline std::size_t check_unmasked(std::span<octet> part, masking_key& key,
                                                    utf8_checker& text,
                                                    std::size_t following) noexcept {
    const std::size_t good = text.accept(part, following);
    key = key.after(good);
    mask(part.subspan(good), key);
    return good;
}

// The same in blocks, part by part: what is unmasked is still near when it is checked.
inline std::size_t unmask_blocks(std::span<octet> piece, masking_key& key, bool is_text,
                                 utf8_checker& text, std::size_t room) noexcept {
    constexpr std::size_t longest = 4096;
    std::size_t done = 0;
    while (true) {
        const std::size_t left = piece.size() - done;
        const std::span<octet> part = piece.subspan(done, left < longest ? left : longest);
        const bool is_ascii = !mask_some(part.data(), part.data(), part.size(), key);
        std::size_t good = part.size();
        if (is_text && (!is_ascii || text.needed() > 0)) {
            good = check_unmasked(part, key, text, room - done - good);
        } else {
            key = key.after(good);
        }
        done += good;
        if (good < longest) return done;
    }
}

}  // namespace detail

// Unmasks the next piece of a payload and turns its key. If it is text it is checked: that has at
// most `room` octets, these included. Says how many octets are good; those after them are left as
// they came.
constexpr std::size_t unmask(std::span<octet> piece, masking_key& key, bool is_text,
                             utf8_checker& text, std::size_t room) noexcept {
    if (prefer_small || std::is_constant_evaluated()) {
        return detail::unmask_octets(piece, key, is_text, text, room);
    }
    return detail::unmask_blocks(piece, key, is_text, text, room);
}

}  // namespace sockless::inline v0
