// utf8_blocks.hpp -- UTF-8 judged a block at a time (RFC 3629; Keiser and Lemire, "Validating UTF-8
// in less than one instruction per byte", 2021).
//
// Whether an octet may stand where it stands is decided by the three in front of it. Eight faults
// show in two octets: each is a product of three sets, one of higher halves and one of lower halves
// of an octet, and one of higher halves of the next. A processor that looks 16 or more halves up at
// once finds all eight of all octets of a block in three steps.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <sockless/blocks.hpp>
#include <sockless/octets.hpp>

namespace sockless::inline v0::detail {

// For each half of an octet the faults that it can have a part in: bit i is fault i. A table is
// there twice, as a vector of 32 octets looks up in each of its halves.
alignas(32) inline constexpr auto fault_tables = [] {
    // clang-format off
    constexpr std::array<std::array<unsigned, 3>, 8> faults{{  // bit i: half i is in the set
        {0x00FF, 0xFFFF, 0x0F00},  // ASCII, then a tail
        {0xF000, 0xFFFF, 0xF0FF},  // a lead, then no tail
        {0x1000, 0x0003, 0x0F00},  // C0 or C1: too long a form
        {0x4000, 0x0001, 0x0300},  // E0, then 80 to 9F: too long a form
        {0x4000, 0x2000, 0x0C00},  // ED, then A0 to BF: a surrogate
        {0x8000, 0xFFF0, 0x0E00},  // F4 or above, then 90 or above: beyond U+10FFFF
        {0x8000, 0xFFE1, 0x0100},  // F0, then 80 to 8F: too long a form; F5 or above: beyond
        {0x0F00, 0xFFFF, 0x0F00},  // two tails: a fault, but for the third and fourth octet of one
    }};
    // clang-format on
    std::array<std::array<octet, 32>, 3> tables{};
    for (unsigned table = 0; table < 3; ++table) {
        for (unsigned half = 0; half < 16; ++half) {
            unsigned mine = 0;
            for (unsigned i = 0; i < 8; ++i) mine |= (faults[i][table] >> half & 1U) << i;
            tables[table][half] = tables[table][half + 16] = static_cast<octet>(mine);
        }
    }
    return tables;
}();

#if defined(SOCKLESS_AVX2) || defined(SOCKLESS_NEON)

// Replaces the numbers below 16 in a block by what a table has there.
#ifdef SOCKLESS_AVX2
[[gnu::target("avx2")]] inline void look_up(const octet* table, avx2_octets& index) noexcept {
    avx2_chars from{};
    load(table, from);
    const auto numbers = __builtin_bit_cast(avx2_chars, index);
    index = __builtin_bit_cast(avx2_octets, __builtin_ia32_pshufb256(from, numbers));
}
#else
inline void look_up(const octet* table, neon_octets& index) noexcept {
    neon_octets from{};
    load(table, from);
    asm("tbl %0.16b, {%1.16b}, %0.16b" : "+w"(index) : "w"(from));
}
#endif

// Marks what is wrong with a block of octets; three in front of it are read as well.
template <class Block>
[[gnu::always_inline]] inline void judge(const octet* text, Block& wrong) noexcept {
    Block three{};
    Block two{};
    Block one{};
    Block next{};
    load(text - 3, three);
    load(text - 2, two);
    load(text - 1, one);
    load(text, next);
    Block low = one & 15;
    one >>= 4;
    next >>= 4;
    look_up(fault_tables[0].data(), one);
    look_up(fault_tables[1].data(), low);
    look_up(fault_tables[2].data(), next);
    const auto tails = __builtin_bit_cast(Block, (two >= 0xE0) | (three >= 0xF0));
    wrong |= (one & low & next) ^ (tails & 0x80);
}

// How many octets in front are free of faults, if the first three are; there are at least three and
// a block. Whether the last of them begins a code point, and which, is not known.
template <class Block>
[[gnu::always_inline]] inline std::size_t good_by(const octet* text, std::size_t size) noexcept {
    constexpr std::size_t width = sizeof(Block);
    std::size_t good = 3;
    Block wrong{};
    for (; size - good >= 4 * width; good += 4 * width) {
        Block all{};
        for (std::size_t i = 0; i < 4; ++i) {
            Block block{};
            load(text + good - 3 + i * width, block);
            all |= block;
        }
        if (!has_high(all)) {
            good -= 3;
            continue;
        }
        for (std::size_t i = 0; i < 4; ++i) judge(text + good + i * width, wrong);
        if (merged(wrong) != 0) return good;
    }
    for (; good < size; good += width) {
        if (size - good < width) good = size - width;
        judge(text + good, wrong);
        if (merged(wrong) != 0) return good;
    }
    return size;
}

#ifdef SOCKLESS_AVX2
inline bool can_judge() noexcept { return __builtin_cpu_supports("avx2") != 0; }
[[gnu::target("avx2"), gnu::flatten]] inline std::size_t good_octets(const octet* text,
                                                                     std::size_t size) noexcept {
    return good_by<avx2_octets>(text, size);
}
#else
constexpr bool can_judge() noexcept { return true; }
inline std::size_t good_octets(const octet* text, std::size_t size) noexcept {
    return good_by<neon_octets>(text, size);
}
#endif

#else

// Only octet by octet.
constexpr bool can_judge() noexcept { return false; }
inline std::size_t good_octets(const octet*, std::size_t) noexcept { return 0; }

#endif

inline constexpr std::size_t least_judged = 35;  // octets, for that

// A text that is too short for that is judged behind zeros. Is it free of faults?
inline bool is_good_short(std::span<const octet> text) noexcept {
    std::array<octet, 3 + 64> padded{};
    copy_octets(text, {padded.data() + padded.size() - text.size(), text.size()});
    const std::size_t size = text.size() > 32 ? 67 : 35;
    return good_octets(padded.data() + padded.size() - size, size) == size;
}

}  // namespace sockless::inline v0::detail
