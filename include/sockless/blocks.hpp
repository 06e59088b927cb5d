// blocks.hpp -- many octets at once, as the compiler has them without a vendor's header.
//
// A block is a number or a vector. What is written for any block runs at every width, and a target
// that has no vectors, or a compiler that has no such types, takes words of eight octets.
#pragma once

#include <array>
#include <cstdint>

#include <sockless/octets.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0::detail {

// What every machine of this kind has, and what only the processor itself can tell that it has.
#if defined(__GNUC__) && (defined(__SSE2__) || defined(__ARM_NEON))
using sure_block = std::uint64_t __attribute__((vector_size(16)));
#else
using sure_block = std::uint64_t;
#endif
#ifdef SOCKLESS_AVX2
using avx2_block = std::uint64_t __attribute__((vector_size(32)));
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

// Those of octets that are not ASCII.
inline constexpr std::uint64_t high_bits = 0x8080808080808080;

}  // namespace sockless::inline v0::detail
