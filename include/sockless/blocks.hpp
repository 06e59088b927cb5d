// blocks.hpp -- many octets at once, as the compiler has them without a vendor's header.
//
// A block is a number or a vector. What is written for any block runs at every width, and a target
// that has no vectors, or a compiler that has no such types, takes words of eight octets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <sockless/octets.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0::detail {

// What every machine of this kind has, and what only the processor itself can tell that it has.
#if defined(__GNUC__) && (defined(__SSE2__) || defined(__ARM_NEON))
using sure_block = std::uint32_t __attribute__((vector_size(16)));
using sure_octets = octet __attribute__((vector_size(16)));
using sure_chars = char __attribute__((vector_size(16)));
#else
using sure_block = std::uint64_t;
using sure_octets = octet;
#endif
#ifdef SOCKLESS_AVX2
using avx2_block = std::uint32_t __attribute__((vector_size(32)));
using avx2_octets = octet __attribute__((vector_size(32)));
using avx2_chars = char __attribute__((vector_size(32)));
#endif
#ifdef SOCKLESS_NEON
using neon_octets = octet __attribute__((vector_size(16)));
#endif

template <class Block>
[[gnu::always_inline]] inline void load(const octet* from, Block& block) noexcept {
    copy_memory(from, &block, sizeof block);
}

// All words of a block, merged by OR.
template <class Block>
[[gnu::always_inline]] inline std::uint64_t merged(const Block& block) noexcept {
    std::array<std::uint64_t, (sizeof block + 7) / 8> words{};
    copy_memory(&block, words.data(), sizeof block);
    std::uint64_t all = 0;
    for (const std::uint64_t word : words) all |= word;
    return all;
}

// Which octet is the first that a comparison of vectors has set? Their size, if none is.
template <class Compared>
std::size_t first_set(const Compared& compared) noexcept {
#ifdef __SSE2__
    const int bits = __builtin_ia32_pmovmskb128(bit_cast<sure_chars>(compared));
    return static_cast<std::size_t>(__builtin_ctz(unsigned(bits) | 1U << sizeof compared));
#else
    std::array<std::uint64_t, 2> words{};
    copy_memory(&compared, words.data(), sizeof words);
    const std::size_t at = words[0] != 0 ? 0 : 1;
    const int zeros = lowest_first ? __builtin_ctzll(words[at]) : __builtin_clzll(words[at]);
    return at * sizeof words[at] + static_cast<std::size_t>(zeros) / 8;
#endif
}

// Those of octets that are not ASCII.
inline constexpr std::uint64_t high_bits = 0x8080808080808080;

template <class Block>
[[gnu::always_inline]] inline bool has_high(const Block& block) noexcept {
#ifdef __SSE2__
    if constexpr (sizeof block % sizeof(sure_block) == 0) {
        std::array<sure_block, sizeof block / sizeof(sure_block)> parts{};
        copy_memory(&block, parts.data(), sizeof block);
        for (std::size_t i = 1; i < parts.size(); ++i) parts[0] |= parts[i];
        return __builtin_ia32_pmovmskb128(bit_cast<sure_chars>(parts[0])) != 0;
    }
#endif
    return (merged(block) & high_bits) != 0;
}

}  // namespace sockless::inline v0::detail
