// base64.hpp -- octets as letters, six bits each (RFC 4648, 4).
//
// One way only: neither end of an opening handshake has to decode the other's letters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sockless/octets.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

// How many letters stand for so many octets.
constexpr std::size_t base64_size(std::size_t octets) noexcept {
    return octets / 3 * 4 + (octets % 3 != 0 ? 4 : 0);
}

// Of the six lowest bits.
constexpr octet base64_letter(std::uint32_t bits) noexcept {
    const std::uint32_t value = bits & 0x3F;
    std::uint32_t letter = 'A' + value;
    if (value > 25) letter += 'a' - 'Z' - 1;
    if (value > 51) letter -= 'z' + 1 - '0';
    if (value > 61) letter = '+' + (value - 62) * ('/' - '+');
    return static_cast<octet>(letter);
}

namespace detail {
inline constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Encodes three octets as four letters, as often as there are three and room for four.
constexpr std::size_t base64_groups(std::span<const octet> octets, std::span<octet> out) noexcept {
    std::size_t done = 0;
    for (; octets.size() >= 3 && out.size() - done >= 4; octets = octets.subspan(3)) {
        const std::uint32_t bits =
            std::uint32_t{octets[0]} << 16 | load_network16(octets[1], octets[2]);
        for (const int shift : {18, 12, 6, 0}) {
            out[done++] = static_cast<octet>(base64_letters[bits >> shift & 0x3F]);
        }
    }
    return done;
}
}  // namespace detail

// Encodes as much as there is room for, and says how many letters the whole needs.
constexpr std::size_t base64_encode(std::span<const octet> octets, std::span<octet> out) noexcept {
    const std::size_t size = octets.size();
    const std::size_t needed = base64_size(size);
    std::size_t i = 0;
    if constexpr (!prefer_small) i = detail::base64_groups(octets, out);
    for (; i < out.size() && i < needed; ++i) {
        // The six bits begin in this octet, behind 0, 6, 4 or 2 others, and may end in the next.
        // 3.5: what the last letter lacks "MUST be set to zero".
        const std::size_t first = i * 3 / 4;
        std::uint32_t bits = first < size ? std::uint32_t{octets[first]} << 8 : 0;
        if (first + 1 < size) bits |= octets[first + 1];
        out[i] = first < size ? base64_letter(bits >> (4 + (i + 3) % 4 * 2)) : octet{'='};
    }
    return needed;
}

// Encodes a number of five words, the lowest first, by shifting it out at its top: 27 letters, and
// padding, for the last group has two octets.
constexpr void base64_shift_out(std::span<std::uint32_t, 5> number,
                                std::span<octet, 28> out) noexcept {
    for (std::size_t i = 0; i < 27; ++i) {
        std::uint32_t six = 0;
        for (std::uint32_t& word : number) {
            const std::uint32_t top = word >> 26;
            word = word << 6 | six;
            six = top;
        }
        out[i] = base64_letter(six);
    }
    out[27] = '=';
}

// Encodes pieces as if they were one. What `out` has no room for is counted and not written.
class base64_encoder {
  public:
    constexpr explicit base64_encoder(std::span<octet> out) noexcept : out_(out) {}

    constexpr void take(octet next) noexcept {
        group_[have_++] = next;
        if (have_ == group_.size()) flush();
    }

    // Ends the text, and says how many letters it needs.
    constexpr std::size_t finish() noexcept {
        flush();
        return size_;
    }

  private:
    constexpr void flush() noexcept {
        const std::size_t used = size_ < out_.size() ? size_ : out_.size();
        size_ += base64_encode(std::span<const octet>(group_).first(have_), out_.subspan(used));
        have_ = 0;
    }

    std::span<octet> out_;
    std::size_t size_ = 0;
    std::array<octet, 3> group_{};
    std::size_t have_ = 0;
};

}  // namespace sockless::inline v0
