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
#include <cstdint>

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
[[gnu::target("avx2")]] inline void look_up(const octet* table, sure_octets& index) noexcept {
    sure_chars from{};
    load(table, from);
    const auto numbers = __builtin_bit_cast(sure_chars, index);
    index = __builtin_bit_cast(sure_octets, __builtin_ia32_pshufb128(from, numbers));
}
#else
inline void look_up(const octet* table, sure_octets& index) noexcept {
    sure_octets from{};
    load(table, from);
    asm("tbl %0.16b, {%1.16b}, %0.16b" : "+w"(index) : "w"(from));
}
#endif

// A block of octets, and those that stand one, two and three in front of each.
template <class Block>
struct neighbours {
    Block three{};
    Block two{};
    Block one{};
    Block next{};
};

// Marks what is wrong with them.
template <class Block>
[[gnu::always_inline]] inline void judge(neighbours<Block>& octets, Block& wrong) noexcept {
    auto& [three, two, one, next] = octets;
    Block low = one & 15;
    one >>= 4;
    next >>= 4;
    look_up(fault_tables[0].data(), one);
    look_up(fault_tables[1].data(), low);
    look_up(fault_tables[2].data(), next);
    const auto tails = __builtin_bit_cast(Block, (two >= 0xE0) | (three >= 0xF0));
    wrong |= (one & low & next) ^ (tails & 0x80);
}

// The same of text; three octets in front of the block are read as well.
template <class Block>
[[gnu::always_inline]] inline void judge(const octet* text, Block& wrong) noexcept {
    neighbours<Block> octets;
    load(text - 3, octets.three);
    load(text - 2, octets.two);
    load(text - 1, octets.one);
    load(text, octets.next);
    judge(octets, wrong);
}

// The same of what nothing stands in front of.
[[gnu::always_inline]] inline void judge_first(const sure_octets& text,
                                               sure_octets& wrong) noexcept {
    constexpr sure_octets none{};
    neighbours<sure_octets> octets{.next = text};
    octets.one = __builtin_shufflevector(none, text, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
                                         27, 28, 29, 30);
    octets.two = __builtin_shufflevector(none, text, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                                         26, 27, 28, 29);
    octets.three = __builtin_shufflevector(none, text, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
                                           24, 25, 26, 27, 28);
    judge(octets, wrong);
}

// Four to 15 octets, and zeros behind them.
[[gnu::always_inline]] inline sure_octets padded(const octet* text, std::size_t size) noexcept {
    std::array<std::uint64_t, 2> words{};
    if (size >= 8) {
        load(text, words[0]);
        load(text + size - 8, words[1]);
        words[1] = words[1] >> (15 - size) * 8 >> 8;
    } else {
        std::uint32_t front = 0;
        std::uint32_t back = 0;
        load(text, front);
        load(text + size - 4, back);
        words[0] = front | std::uint64_t{back} << (size - 4) * 8;
    }
    return __builtin_bit_cast(sure_octets, words);
}

// Is a whole text of at least four octets UTF-8?
[[gnu::always_inline]] inline bool is_text(const octet* text, std::size_t size) noexcept {
    constexpr std::size_t width = sizeof(sure_octets);
    sure_octets wrong{};
    sure_octets next{};
    if (size < width) {
        judge_first(padded(text, size), wrong);
        return merged(wrong) == 0;
    }
    load(text, next);
    judge_first(next, wrong);
    for (std::size_t at = width; at < size; at += width) {
        if (size - at < width) at = size - width;
        if (at >= 3) {
            judge(text + at, wrong);
            continue;
        }
        // What its first three octets need in front of them was there, and has been judged.
        constexpr sure_octets others{0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
        sure_octets last{};
        load(text + at, next);
        judge_first(next, last);
        wrong |= last & -others;
    }
    // The last code point is whole.
    return merged(wrong) == 0 && text[size - 1] < 0xC0 && text[size - 2] < 0xE0 &&
           text[size - 3] < 0xF0;
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
[[gnu::target("avx2"), gnu::flatten]] inline bool is_good_text(const octet* text,
                                                               std::size_t size) noexcept {
    return is_text(text, size);
}
#else
constexpr bool can_judge() noexcept { return true; }
inline std::size_t good_octets(const octet* text, std::size_t size) noexcept {
    return good_by<neon_octets>(text, size);
}
inline bool is_good_text(const octet* text, std::size_t size) noexcept {
    return is_text(text, size);
}
#endif

#else

// Only octet by octet.
constexpr bool can_judge() noexcept { return false; }
inline std::size_t good_octets(const octet*, std::size_t) noexcept { return 0; }
inline bool is_good_text(const octet*, std::size_t) noexcept { return false; }

#endif

// Of a part of a text, it pays from so many octets on.
inline constexpr std::size_t least_judged = 35;

}  // namespace sockless::inline v0::detail
