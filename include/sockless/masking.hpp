// masking.hpp -- who masks, and how (RFC 6455, 5.1, 5.3).
//
// Octet i of the payload is combined by XOR with octet i mod 4 of the key, so masking and unmasking
// are one thing, and a payload in pieces goes on with the key turned by the octets already done.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include <sockless/octets.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

enum class role : std::uint8_t { client, server };

// 5.1: a client masks every frame that it sends, a server none.
constexpr bool masks(role sender) noexcept { return sender == role::client; }
constexpr role other(role one) noexcept {
    return one == role::client ? role::server : role::client;
}

// 5.3: 32 bits, fresh for every frame, that whoever supplies the payload cannot predict. They are
// the caller's to supply: this library has no source of randomness.
struct alignas(std::uint32_t) masking_key {
    std::array<octet, 4> octets{};

    // The key for what follows after `count` octets.
    constexpr masking_key after(std::size_t count) const noexcept {
        const auto word = std::bit_cast<std::uint32_t>(*this);
        const int bits = static_cast<int>(count % 4) * 8;
        const bool lowest_first = std::endian::native == std::endian::little;
        return std::bit_cast<masking_key>(lowest_first ? std::rotr(word, bits)
                                                       : std::rotl(word, bits));
    }

    friend constexpr bool operator==(masking_key, masking_key) noexcept = default;
};

namespace detail {

// The definition of 5.3, for constant evaluation, for small targets and for tails.
constexpr masking_key mask_octets(const octet* from, octet* to, std::size_t size,
                                  masking_key key) noexcept {
    for (std::size_t i = 0; i < size; ++i, key = key.after(1)) {
        to[i] = static_cast<octet>(from[i] ^ key.octets[0]);
    }
    return key;
}

// The same, eight octets at a time: eight is a multiple of four, so every word meets the same key.
inline masking_key mask_words(const octet* from, octet* to, std::size_t size,
                              masking_key key) noexcept {
    const auto half = std::bit_cast<std::uint32_t>(key);
    const std::uint64_t wide = std::uint64_t{half} << 32 | half;
    const std::size_t whole = size - size % sizeof wide;
    std::size_t done = 0;
    for (; done < whole; done += sizeof wide) {
        std::uint64_t word = 0;
        std::memcpy(&word, from + done, sizeof word);
        word ^= wide;
        std::memcpy(to + done, &word, sizeof word);
    }
    return mask_octets(from + done, to + done, size - done, key);
}

}  // namespace detail

// Masks or unmasks as many octets as both spans hold, and gives the key for what follows.
// `from` and `to` are the same octets, or do not overlap.
constexpr masking_key mask_copy(std::span<const octet> from, std::span<octet> to,
                                masking_key key) noexcept {
    const std::size_t size = from.size() < to.size() ? from.size() : to.size();
    if (prefer_small || std::is_constant_evaluated()) {
        return detail::mask_octets(from.data(), to.data(), size, key);
    }
    return detail::mask_words(from.data(), to.data(), size, key);
}

// The same in place.
constexpr masking_key mask(std::span<octet> data, masking_key key) noexcept {
    return mask_copy(data, data, key);
}

}  // namespace sockless::inline v0
