// utf8_four.cpp -- all 2^32 strings of four octets, judged by utf8.hpp and by a decoder.
//
// A block is the 65,536 strings that begin with the same two octets. With `--sample N` one block of
// every N is taken. How many strings of a block are UTF-8 is known before, by counting code points.
#include <sockless/utf8.hpp>

#include <array>
#include <charconv>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>

namespace {

using sockless::octet;
using four_octets = std::array<octet, 4>;

constexpr std::uint32_t all_blocks = 65'536;
constexpr std::uint32_t strings_in_block = 65'536;
constexpr std::uint64_t valid_of_all = 383'270'912;

// ---- the decoder: RFC 3629 by numbers, with neither the table nor the ranges of its section 4
// ----

struct verdict {
    std::size_t taken = 0;  // octets in front of the first from which no text goes on
    std::size_t needed = 0;

    bool operator==(const verdict&) const = default;
};

constexpr std::size_t size_of_point(octet first) {
    if (first < 0x80) return 1;
    if ((first & 0xE0) == 0xC0) return 2;
    if ((first & 0xF0) == 0xE0) return 3;
    return (first & 0xF8) == 0xF0 ? 4 : 0;
}

// Is there a code point of this size among the numbers from `low` to `high`?
constexpr bool holds_point(std::uint32_t low, std::uint32_t high, std::size_t size) {
    constexpr std::array<std::uint32_t, 5> smallest{0, 0x00, 0x80, 0x800, 0x10000};
    const std::uint32_t from = low < smallest[size] ? smallest[size] : low;
    const std::uint32_t to = high > 0x10FFFF ? 0x10FFFF : high;
    return from <= to && (from < 0xD800 || to > 0xDFFF);
}

// How many octets of a code point are acceptable, and how many it needs behind them. (A number in
// it stands for all that its missing octets can make of it.)
constexpr verdict decode(const octet* text, std::size_t rest) {
    const std::size_t size = size_of_point(text[0]);
    if (size == 0) return {};
    std::uint32_t number = size == 1 ? text[0] : text[0] & (0x7FU >> size);
    std::size_t taken = 1;
    while (true) {
        const std::size_t bits = 6 * (size - taken);
        const std::uint32_t low = number << bits;
        if (!holds_point(low, low + ((std::uint32_t{1} << bits) - 1), size)) {
            return {taken - 1, size - taken + 1};
        }
        if (taken == size || taken == rest) return {taken, size - taken};
        if ((text[taken] & 0xC0) != 0x80) return {taken, size - taken};
        number = number << 6 | (text[taken++] & 0x3FU);
    }
}

constexpr verdict judge(const four_octets& text) {
    std::size_t begin = 0;
    while (begin < text.size()) {
        const verdict point = decode(text.data() + begin, text.size() - begin);
        if (point.taken == 0) return {begin, 0};
        begin += point.taken;
        if (point.needed > 0) return {begin, point.needed};
    }
    return {begin, 0};
}

static_assert(judge({'a', 0xE2, 0x82, 0xAC}) == verdict{4, 0});
static_assert(judge({0xF0, 0x9F, 0x98, 0x80}) == verdict{4, 0});
static_assert(judge({'a', 'b', 0xE2, 0x82}) == verdict{4, 1});
static_assert(judge({'a', 0xED, 0xA0, 0x80}) == verdict{2, 2});
static_assert(judge({0xF4, 0x90, 0x80, 0x80}) == verdict{1, 3});
static_assert(judge({'a', 'b', 0xC1, 0xBF}) == verdict{2, 0});
static_assert(judge({0xC3, 0xA9, 0x80, 'a'}) == verdict{2, 0});

// ---- how many strings of a block are UTF-8 ----

// How many code points of each size there are that begin with one octet, and with two.
struct point_counts {
    std::array<std::array<std::uint64_t, 256>, 5> by_one{};
    std::array<std::array<std::uint64_t, 65'536>, 5> by_two{};
};

void count_point(point_counts& counts, std::uint32_t point) {
    if (point < 0x80) {
        ++counts.by_one[1][point];
        return;
    }
    const std::size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    const std::uint32_t mark = (0xF00U >> size) & 0xFFU;
    const std::uint32_t first = mark | point >> 6 * (size - 1);
    const std::uint32_t second = 0x80U | (point >> 6 * (size - 2) & 0x3FU);
    ++counts.by_one[size][first];
    ++counts.by_two[size][first << 8 | second];
}

const point_counts& counts() {
    static const point_counts& all = [] {
        static point_counts counting;
        for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
            if (point < 0xD800 || point > 0xDFFF) count_point(counting, point);
        }
        return counting;
    }();
    return all;
}

// Strings of `size` octets that are UTF-8: what the last code point of each size leaves in front.
constexpr std::uint64_t valid_strings(std::size_t size) {
    constexpr std::array<std::uint64_t, 5> points{0, 128, 1920, 61'440, 1'048'576};
    if (size == 0) return 1;
    std::uint64_t sum = 0;
    for (std::size_t last = 1; last <= size; ++last)
        sum += points[last] * valid_strings(size - last);
    return sum;
}
static_assert(valid_strings(4) == valid_of_all);

std::uint64_t valid_in_block(std::uint32_t block) {
    const std::uint32_t first = block >> 8;
    const std::uint32_t second = block & 0xFF;
    std::uint64_t valid = 0;
    for (std::size_t size = 2; size <= 4; ++size) {
        valid += counts().by_two[size][block] * valid_strings(4 - size);
        valid +=
            counts().by_one[1][first] * counts().by_one[size - 1][second] * valid_strings(4 - size);
    }
    return valid;
}

// ---- the comparison ----

verdict judge_by_checker(const four_octets& text) {
    sockless::utf8_checker checker;
    const std::size_t taken = checker.accept(text);
    return {taken, checker.needed()};
}

// How many strings that begin as `text` does are UTF-8. `text` becomes the first that is not judged
// alike, if there is one.
std::optional<std::uint64_t> compare_block(four_octets& text) {
    std::uint64_t valid = 0;
    for (std::uint32_t rest = 0; rest < strings_in_block; ++rest) {
        text[2] = static_cast<octet>(rest >> 8);
        text[3] = static_cast<octet>(rest);
        const verdict got = judge_by_checker(text);
        if (got != judge(text)) return std::nullopt;
        if (got == verdict{4, 0}) ++valid;
    }
    return valid;
}

// Not the first block of every N: of every 256th, the second octets would all be alike. This way
// one of 256 has the first octets C2-C5, D8-DD and EF-F4 with second octets that can follow them.
constexpr std::uint32_t sampled(std::uint32_t index, std::uint32_t stride) {
    return index * stride + index * 245 % stride;
}

int run(std::uint32_t stride) {
    const std::uint32_t blocks = all_blocks / stride;
    std::uint64_t valid = 0;
    std::uint64_t expected = 0;
    std::uint32_t passed = 0;
    std::uint32_t failed = 0;
    for (std::uint32_t index = 0; index < blocks; ++index) {
        const std::uint32_t block = sampled(index, stride);
        four_octets text{static_cast<octet>(block >> 8), static_cast<octet>(block)};
        const std::optional<std::uint64_t> found = compare_block(text);
        expected += valid_in_block(block);
        valid += found.value_or(0);
        if (found == valid_in_block(block)) {
            ++passed;
        } else if (++failed <= 10) {
            std::printf("wrong: %02X %02X %02X %02X\n", text[0], text[1], text[2], text[3]);
        }
    }
    if (stride == 1 && expected != valid_of_all) ++failed;  // the counting itself is wrong
    std::printf("%" PRIu64 " of %" PRIu64
                " strings of four octets are UTF-8, and should be %" PRIu64 "\n%" PRIu32
                " passed, %" PRIu32 " failed\n",
                valid, std::uint64_t{blocks} * strings_in_block, expected, passed, failed);
    return failed == 0 ? 0 : 1;
}

// The N of `--sample N`, or 1.
std::optional<std::uint32_t> stride_of(int count, char** arguments) {
    if (count == 1) return 1;
    if (count != 3 || std::string_view(arguments[1]) != "--sample") return std::nullopt;
    const std::string_view number = arguments[2];
    std::uint32_t stride = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), stride);
    const bool is_number = error == std::errc() && end == number.data() + number.size();
    return is_number && stride >= 1 && stride <= all_blocks ? std::optional(stride) : std::nullopt;
}

}  // namespace

int main(int count, char** arguments) {
    const std::optional<std::uint32_t> stride = stride_of(count, arguments);
    if (stride) return run(*stride);
    std::fprintf(stderr, "usage: utf8_four [--sample N], with N from 1 to 65536\n");
    return 2;
}
