// octets.cpp -- tests of octets.hpp.
#include <sockless/octets.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"

using sockless::copy_octets;
using sockless::copy_text;
using sockless::literal_octets;
using sockless::load_network16;
using sockless::octet;
using sockless::octets_of;
using sockless::store_network;
using sockless::text_view;

namespace {

constexpr std::array<octet, 5> hello{'H', 'e', 'l', 'l', 'o'};
constexpr std::array<octet, 3> euro{0xE2, 0x82, 0xAC};

static_assert(sockless::detail::rotate_left(0x80000001, 1) == 3);
static_assert(sockless::detail::rotate_right(3, 1) == 0x80000001);
static_assert(sockless::detail::bit_cast<std::uint32_t>(std::array<octet, 4>{1, 0, 0, 0}) ==
              (sockless::detail::lowest_first ? 1U : 1U << 24));

static_assert(literal_octets("Hello") == hello && literal_octets("").empty());
static_assert(std::is_unsigned_v<octet> && sizeof(octet) == 1);
static_assert(text_view{hello} == std::string_view("Hello"));
static_assert(std::string_view("Hello") == text_view{hello});
static_assert(text_view{hello} != std::string_view("Hellu"));
static_assert(text_view{hello} != std::string_view("Hell"));
static_assert(text_view{euro} == std::string_view("\xE2\x82\xAC"));
static_assert(text_view{} == std::string_view());
static_assert(text_view{hello}.size() == 5 && !text_view{hello}.empty());
static_assert(text_view{}.size() == 0 && text_view{}.empty());

// What copying `from` octets to room for `to` leaves behind in eight octets of A5.
constexpr std::array<octet, 8> after_copy(std::size_t from, std::size_t to) {
    const std::array<octet, 8> source{1, 2, 3, 4, 5, 6, 7, 8};
    std::array<octet, 8> target{};
    for (octet& o : target) o = 0xA5;
    const std::size_t copied =
        copy_octets(std::span(source).first(from), std::span(target).first(to));
    return copied == (from < to ? from : to) ? target : std::array<octet, 8>{};
}
static_assert(after_copy(3, 8) == std::array<octet, 8>{1, 2, 3, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5});
static_assert(after_copy(8, 2) == std::array<octet, 8>{1, 2, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5});
static_assert(after_copy(8, 8) == std::array<octet, 8>{1, 2, 3, 4, 5, 6, 7, 8});

// What copying a text to room for `to` octets leaves behind in six octets of A5.
constexpr std::array<octet, 6> after_text(std::string_view text, std::size_t to) {
    std::array<octet, 6> target{};
    for (octet& o : target) o = 0xA5;
    const std::size_t copied = copy_text(text, std::span(target).first(to));
    return copied == (text.size() < to ? text.size() : to) ? target : std::array<octet, 6>{};
}
static_assert(after_text("", 6) == std::array<octet, 6>{0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5});
static_assert(after_text("abc", 0) == std::array<octet, 6>{0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5});
static_assert(after_text("abc", 2) == std::array<octet, 6>{'a', 'b', 0xA5, 0xA5, 0xA5, 0xA5});
static_assert(after_text("\xE2\x82\xAC", 6) ==
              std::array<octet, 6>{0xE2, 0x82, 0xAC, 0xA5, 0xA5, 0xA5});

template <std::size_t Size>
constexpr std::array<octet, Size> stored(std::uint64_t value) {
    std::array<octet, Size> out{};
    store_network(value, out);
    return out;
}
static_assert(stored<2>(0x1234) == std::array<octet, 2>{0x12, 0x34});
static_assert(stored<8>(0x0102030405060708) == std::array<octet, 8>{1, 2, 3, 4, 5, 6, 7, 8});
static_assert(stored<8>(UINT64_MAX >> 1) ==
              std::array<octet, 8>{0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF});
static_assert(load_network16(0x12, 0x34) == 0x1234);

}  // namespace

TEST_CASE("text becomes a string_view of the same octets") {
    const std::string_view text = text_view{euro};
    CHECK(text == "\xE2\x82\xAC");
    CHECK(static_cast<const void*>(text.data()) == euro.data());
    CHECK(std::string_view(text_view{}).empty());
}

TEST_CASE("text differs from a string that differs in one octet, wherever it is") {
    const text_view text{hello};
    CHECK(text == std::string_view("Hello"));
    for (std::size_t i = 0; i < hello.size(); ++i) {
        std::string other = "Hello";
        other[i] = '\xFF';
        CHECK_FALSE(text == std::string_view(other));
    }
}

TEST_CASE("text differs from a string that is longer or shorter") {
    CHECK_FALSE(text_view{hello} == std::string_view("Hello!"));
    CHECK_FALSE(text_view{hello} == std::string_view("Hell"));
    CHECK_FALSE(text_view{hello} == std::string_view());
    CHECK(text_view{} == std::string_view());
}

TEST_CASE("what lies behind a text is no part of it") {
    for (std::size_t size = 0; size < hello.size(); ++size) {
        const text_view text{std::span(hello).first(size)};
        CAPTURE(size);
        CHECK(text == std::string_view("Hello").substr(0, size));
        CHECK_FALSE(text == std::string_view("Hello").substr(0, size + 1));
        CHECK_FALSE(text == std::string_view("Hello"));
    }
}

TEST_CASE("text compares all values of an octet") {
    for (int value = 0; value < 256; ++value) {
        const std::array<octet, 1> one{static_cast<octet>(value)};
        const std::string same(1, static_cast<char>(one[0]));
        const std::string next(1, static_cast<char>(static_cast<octet>(value + 1)));
        CAPTURE(value);
        CHECK(text_view{one} == std::string_view(same));
        CHECK_FALSE(text_view{one} == std::string_view(next));
    }
}

TEST_CASE("copying takes what both sides hold and writes nothing behind it") {
    const std::array<octet, 8> source{1, 2, 3, 4, 5, 6, 7, 8};
    for (std::size_t from = 0; from <= 8; ++from) {
        for (std::size_t to = 0; to <= 8; ++to) {
            const std::size_t size = std::min(from, to);
            std::vector<octet> expected(8, 0xA5);
            for (std::size_t i = 0; i < size; ++i) expected[i] = source[i];
            std::vector<octet> target(8, 0xA5);
            CAPTURE(from, to);
            CHECK(copy_octets(std::span(source).first(from), std::span(target).first(to)) == size);
            CHECK(target == expected);
        }
    }
}

TEST_CASE("copying from nowhere or to nowhere is copying nothing") {
    std::array<octet, 2> two{1, 2};
    CHECK(copy_octets({}, two) == 0);
    CHECK(copy_octets(two, {}) == 0);
    CHECK(copy_octets({}, {}) == 0);
    CHECK(two == std::array<octet, 2>{1, 2});
}

TEST_CASE("octets move forward over each other, and those behind them stay") {
    constexpr auto moved = [](std::size_t from, std::size_t to, std::size_t size) {
        std::array<octet, 8> octets{1, 2, 3, 4, 5, 6, 7, 8};
        sockless::move_forward(octets, from, to, size);
        return octets;
    };
    STATIC_REQUIRE(moved(4, 2, 3) == std::array<octet, 8>{1, 2, 5, 6, 7, 6, 7, 8});
    for (std::size_t from = 0; from <= 8; ++from) {
        for (std::size_t to = 0; to <= from; ++to) {
            for (std::size_t size = 0; size <= 8 - from; ++size) {
                std::array<octet, 8> expected{1, 2, 3, 4, 5, 6, 7, 8};
                for (std::size_t i = 0; i < size; ++i) {
                    expected[to + i] = static_cast<octet>(from + i + 1);
                }
                CAPTURE(from, to, size);
                CHECK(moved(from, to, size) == expected);
            }
        }
    }
}

TEST_CASE("a text is as long as its octets, and empty if there are none") {
    for (std::size_t size = 0; size <= hello.size(); ++size) {
        const text_view text{std::span(hello).first(size)};
        CAPTURE(size);
        CHECK(text.size() == size);
        CHECK(text.empty() == (size == 0));
    }
    CHECK(text_view{}.empty());
}

TEST_CASE("the octets of a text lie where its characters do") {
    const std::string text("a\0\x80\xFF", 4);
    const std::span<const octet> octets = octets_of(text);
    CHECK(static_cast<const void*>(octets.data()) == text.data());
    CHECK(std::vector<octet>(octets.begin(), octets.end()) == std::vector<octet>{'a', 0, 128, 255});
    CHECK(octets_of({}).empty());
    CHECK(octets_of(std::string_view(text).substr(1, 2)).size() == 2);
}

TEST_CASE("octets are a text again, of the same octets") {
    std::string all;
    for (int value = 0; value < 256; ++value) {
        all.push_back(static_cast<char>(static_cast<octet>(value)));
    }
    const std::string_view back = text_view{octets_of(all)};
    CHECK(back.data() == all.data());
    CHECK(back == all);
}

TEST_CASE("copying a text takes as much as there is room for and writes nothing behind it") {
    const std::string source("a\0\x80\xFFz.", 6);
    const std::vector<octet> octets{'a', 0, 0x80, 0xFF, 'z', '.'};
    for (std::size_t from = 0; from <= 6; ++from) {
        for (std::size_t to = 0; to <= 6; ++to) {
            const std::size_t size = std::min(from, to);
            std::vector<octet> expected(6, 0xA5);
            for (std::size_t i = 0; i < size; ++i) expected[i] = octets[i];
            std::vector<octet> target(6, 0xA5);
            const std::string_view text = std::string_view(source).substr(0, from);
            CAPTURE(from, to);
            CHECK(copy_text(text, std::span(target).first(to)) == size);
            CHECK(target == expected);
        }
    }
    CHECK(copy_text({}, {}) == 0);
    CHECK(copy_text("abc", {}) == 0);
}

TEST_CASE("network order has the highest octet first, in any number of octets") {
    const std::uint64_t value = 0xF1E2D3C4B5A69788;
    const std::array<octet, 8> all{0xF1, 0xE2, 0xD3, 0xC4, 0xB5, 0xA6, 0x97, 0x88};
    for (std::size_t size = 0; size <= 8; ++size) {
        std::array<octet, 9> out{};
        out.fill(0xA5);
        store_network(value, std::span(out).first(size));
        CAPTURE(size);
        CHECK(std::equal(all.end() - static_cast<std::ptrdiff_t>(size), all.end(), out.begin()));
        CHECK(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(size), out.end(),
                          [](octet o) { return o == 0xA5; }));
    }
}

TEST_CASE("more octets than the value has begin with zeros") {
    CHECK(stored<10>(0x0102030405060708) == std::array<octet, 10>{0, 0, 1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("all 65,536 pairs of octets make the number that they were stored from") {
    std::uint32_t right = 0;
    for (std::uint32_t value = 0; value <= 0xFFFF; ++value) {
        const std::array<octet, 2> pair = stored<2>(value);
        if (pair[0] == value / 256 && pair[1] == value % 256 &&
            load_network16(pair[0], pair[1]) == value) {
            ++right;
        }
    }
    CHECK(right == 65536);
}

TEST_CASE("what constant evaluation does in the place of memcpy") {
    const std::array<octet, 4> from{1, 2, 3, 4};
    for (std::size_t size = 0; size <= from.size(); ++size) {
        std::array<octet, 4> to{0xA5, 0xA5, 0xA5, 0xA5};
        sockless::detail::copy_each(from.data(), to.data(), size);
        for (std::size_t i = 0; i < to.size(); ++i) CHECK(to[i] == (i < size ? from[i] : 0xA5));
    }
}

TEST_CASE("two views of text are equal if their octets are") {
    const std::array<octet, 3> one{'a', 'b', 'c'};
    const std::array<octet, 3> same = one;
    const sockless::text_view whole{one};
    CHECK(whole == sockless::text_view{same});
    CHECK_FALSE(whole == sockless::text_view{std::span(one).first(2)});
    for (std::size_t i = 0; i < one.size(); ++i) {
        std::array<octet, 3> other = one;
        other[i] = 'x';
        CHECK_FALSE(whole == sockless::text_view{other});
    }
    STATIC_REQUIRE(sockless::text_view{} == sockless::text_view{});
}

TEST_CASE("a word is rotated by any number of bits") {
    const std::uint32_t word = 0x12345679;
    for (int bits = 0; bits < 32; ++bits) {
        const std::uint64_t twice = std::uint64_t{word} << 32 | word;
        CHECK(sockless::detail::rotate_right(word, bits) ==
              static_cast<std::uint32_t>(twice >> bits));
        CHECK(sockless::detail::rotate_left(word, bits) ==
              static_cast<std::uint32_t>(twice << bits >> 32));
    }
}
