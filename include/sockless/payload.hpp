// payload.hpp -- a payload as it arrives: unmasked, and checked if it is text (RFC 6455, 5.3, 8.1).
//
// Both are done in one step, because an octet that is refused has to stay as it came, and so has
// all after it.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include <sockless/frame_header.hpp>
#include <sockless/limits.hpp>
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

// The same in blocks, for no more than is still near when it is checked.
inline std::size_t unmask_part(std::span<octet> part, masking_key& key, bool is_text,
                               utf8_checker& text, std::size_t following) noexcept {
    const bool is_ascii = unmask_to_ascii(part, key);
    if (is_text && (!is_ascii || text.needed() > 0)) {
        return check_unmasked(part, key, text, following);
    }
    key = key.after(part.size());
    return part.size();
}

inline constexpr std::size_t longest_part = 4096;

[[gnu::noinline]] inline std::size_t unmask_parts(std::span<octet> piece, masking_key& key,
                                                  bool is_text, utf8_checker& text,
                                                  std::size_t room) noexcept {
    std::size_t done = 0;
    while (done < piece.size()) {
        const std::size_t left = piece.size() - done;
        const std::span<octet> part =
            piece.subspan(done, left < longest_part ? left : longest_part);
        const std::size_t following = room - done - part.size();
        const std::size_t good = unmask_part(part, key, is_text, text, following);
        done += good;
        if (good < part.size()) break;
    }
    return done;
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
    if (piece.size() > detail::longest_part) {
        return detail::unmask_parts(piece, key, is_text, text, room);
    }
    return detail::unmask_part(piece, key, is_text, text, room - piece.size());
}

// The same for as much of a data frame's payload as there is.
constexpr std::size_t unmask(std::span<octet> in, arriving_frame& frame, bool is_text,
                             utf8_checker& text) noexcept {
    const std::size_t size = in.size() < frame.left() ? in.size() : frame.left();
    const std::size_t room = frame.is_final() ? frame.left() : unlimited;
    masking_key key = frame.key();
    const std::size_t good = unmask(in.first(size), key, is_text, text, room);
    frame.advance(good, key);
    return good;
}

}  // namespace sockless::inline v0
