// masking.hpp -- who masks, and how (RFC 6455, 5.1, 5.3).
//
// Octet i of the payload is combined by XOR with octet i mod 4 of the key, so masking and unmasking
// are one thing, and a payload in pieces goes on with the key turned by the octets already done.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <sockless/blocks.hpp>
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
        const auto word = detail::bit_cast<std::uint32_t>(*this);
        const int bits = static_cast<int>(count % 4) * 8;
        const auto turned = detail::lowest_first ? detail::rotate_right(word, bits)
                                                 : detail::rotate_left(word, bits);
        return detail::bit_cast<masking_key>(turned);
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

template <class Block>
[[gnu::always_inline]] inline void repeat(masking_key key, Block& block) noexcept {
    const auto word = bit_cast<std::uint32_t>(key);
    const std::uint64_t twice = std::uint64_t{word} << 32 | word;
    if constexpr (sizeof block > sizeof twice) block = Block{} ^ word;
    if constexpr (sizeof block <= sizeof twice) copy_memory(&twice, &block, sizeof block);
}

template <class Block>
[[gnu::always_inline]] inline void mask_block(const octet* from, octet* to, const Block& wide,
                                              Block& all) noexcept {
    Block block{};
    load(from, block);
    block ^= wide;
    all |= block;
    copy_memory(&block, to, sizeof block);
}

// Both ends of at least one block, which overlap if there are not two; masked. And the key.
template <class Block>
struct masked_ends {
    Block head{};
    Block tail{};
    Block wide{};

    [[gnu::always_inline]] masked_ends(const octet* from, std::size_t size,
                                       masking_key key) noexcept {
        const std::size_t last = size - sizeof(Block);
        load(from, head);
        load(from + last, tail);
        repeat(key.after(last), wide);
        tail ^= wide;
        repeat(key, wide);
        head ^= wide;
    }
};

// The same for one block or two. No octet goes alone. Is any octet of the result above 127?
template <class Block>
[[gnu::always_inline]] inline bool mask_ends(const octet* from, octet* to, std::size_t size,
                                             masking_key key) noexcept {
    const masked_ends<Block> ends(from, size, key);
    copy_memory(&ends.head, to, sizeof(Block));
    copy_memory(&ends.tail, to + size - sizeof(Block), sizeof(Block));
    return has_high(ends.head | ends.tail);
}

// The same for up to two of those that every machine has.
[[gnu::always_inline]] inline bool mask_short(const octet* from, octet* to, std::size_t size,
                                              masking_key key) noexcept {
    if constexpr (sizeof(sure_block) > 8) {
        if (size >= sizeof(sure_block)) return mask_ends<sure_block>(from, to, size, key);
    }
    if (size >= 8) return mask_ends<std::uint64_t>(from, to, size, key);
    if (size >= 4) return mask_ends<std::uint32_t>(from, to, size, key);
    if (size >= 2) return mask_ends<std::uint16_t>(from, to, size, key);
    return size > 0 && mask_ends<octet>(from, to, size, key);
}
inline constexpr std::size_t longest_short = 2 * sizeof(sure_block);

// From so many octets on it pays to write blocks where they begin in memory.
inline constexpr std::size_t aligned_from = 1024;

// The same for any number of blocks, but one at least. What is left behind the last whole block is
// a block as well, which overlaps it.
template <class Block>
[[gnu::always_inline]] inline bool mask_by(const octet* from, octet* to, std::size_t size,
                                           masking_key key) noexcept {
    const std::size_t last = size - sizeof(Block);
    // The last before anything that it overlaps is written.
    const masked_ends<Block> ends(from, size, key);
    Block all = ends.head | ends.tail;
    Block wide = ends.wide;
    std::size_t at = sizeof(Block);
    if (size >= aligned_from) {
        // So none of them lies in two lines of a cache. The first overlaps the head.
        Block first{};
        at -= bit_cast<std::uintptr_t>(to) % sizeof(Block);
        load(from + at, first);
        repeat(key.after(at), wide);
        first ^= wide;
        all |= first;
        copy_memory(&ends.head, to, sizeof(Block));
        copy_memory(&first, to + at, sizeof(Block));
        at += sizeof(Block);
    } else {
        copy_memory(&ends.head, to, sizeof(Block));
    }
    // Two at a time: one is so little code that half the speed would depend on where it lies.
    for (; at + sizeof(Block) < last; at += 2 * sizeof(Block)) {
        mask_block(from + at, to + at, wide, all);
        mask_block(from + at + sizeof(Block), to + at + sizeof(Block), wide, all);
    }
    if (at < last) mask_block(from + at, to + at, wide, all);
    copy_memory(&ends.tail, to + last, sizeof(Block));
    return has_high(all);
}

#ifdef SOCKLESS_AVX2
[[gnu::target("avx2"), gnu::flatten]] inline bool mask_avx2(const octet* from, octet* to,
                                                            std::size_t size,
                                                            masking_key key) noexcept {
    return mask_by<avx2_block>(from, to, size, key);
}
#endif

// The same for any size, with the best that this machine has.
inline bool mask_some(const octet* from, octet* to, std::size_t size, masking_key key) noexcept {
#ifdef SOCKLESS_AVX2
    if (size > 32 && __builtin_cpu_supports("avx2")) return mask_avx2(from, to, size, key);
#endif
    if (size > longest_short) return mask_by<sure_block>(from, to, size, key);
    return mask_short(from, to, size, key);
}

// These unmask in place, and say whether they have seen that all of it is ASCII. What a server
// sends has no key, and stays as it is.
constexpr bool unmask_to_ascii(std::span<octet> data, masking_key key) noexcept {
    if (std::is_constant_evaluated()) {
        mask_octets(data.data(), data.data(), data.size(), key);
        return false;
    }
    return key != masking_key{} && !mask_some(data.data(), data.data(), data.size(), key);
}
[[gnu::always_inline]] inline bool unmask_short(std::span<octet> data, masking_key key) noexcept {
    return !mask_short(data.data(), data.data(), data.size(), key);
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
    detail::mask_some(from.data(), to.data(), size, key);
    return key.after(size);
}

// The same in place.
constexpr masking_key mask(std::span<octet> data, masking_key key) noexcept {
    return mask_copy(data, data, key);
}

}  // namespace sockless::inline v0
