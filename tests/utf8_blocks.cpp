// utf8_blocks.cpp -- tests of utf8_blocks.hpp.
#include <sockless/utf8_blocks.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/utf8.hpp>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/reference.hpp"

using sockless::octet;
using sockless::utf8_checker;

namespace {

using view = std::span<const octet>;

// The first octet that octet by octet is refused.
std::size_t first_refused(view text) {
    utf8_checker checker;
    std::size_t taken = 0;
    while (taken < text.size() && checker.take(text[taken])) ++taken;
    return taken;
}

// The widest step.
constexpr std::size_t farthest = 128;

// A fault is told in front of a refused octet, or right behind it; and not far in front.
void check_wide(view text, std::size_t refused) {
    const std::size_t good = sockless::detail::good_octets(text.data(), text.size());
    const bool right = good == text.size() ? refused + 1 >= text.size()
                                           : good <= refused + 1 && refused < text.size() &&
                                                 refused < good + farthest;
    if (!right) FAIL("good " << good << ", refused " << refused << " of " << text.size());
}

void check(view text) {
    if (!sockless::detail::can_judge()) return;
    const std::size_t size = text.size();
    const std::size_t refused = first_refused(text);
    if (refused >= 3 && size >= sockless::detail::least_judged) check_wide(text, refused);
    if (size >= 4) {
        utf8_checker checker;
        bool whole = true;
        for (std::size_t i = 0; i < size; ++i) whole = whole && checker.take(text[i], size - 1 - i);
        const bool good = sockless::detail::is_good_text(text.data(), size);
        if (good != whole) FAIL("whole, " << refused << " of " << size);
    }
}

// Texts of one kind of code point, and of many.
std::vector<std::string> long_texts(std::size_t size) {
    const std::vector<std::vector<std::uint32_t>> kinds{
        {'a', 'b'},
        {0x80, 0x7FF, 0xE9},
        {0x800, 0xFFFF, 0xD7FF, 0xE000, 0x4E2D},
        {0x10000, 0x10FFFF, 0x1F600, 0xFFFFF, 0x100000},
        {'a', 0xE9, 'b', 0x20AC, 'c', 0x1F600, 0x7F, 0x80, 0x800, 0xFFFF}};
    std::vector<std::string> texts;
    for (const auto& kind : kinds) {
        std::string text;
        for (std::size_t i = 0; text.size() < size; ++i) {
            text += reference::encode_utf8(kind[i % kind.size()]);
        }
        texts.push_back(text);
    }
    return texts;
}

view octets(std::string_view text) { return sockless::octets_of(text); }

constexpr octet awkward[]{0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2,
                          0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xF8, 0xFF};

}  // namespace

TEST_CASE("the tables say of every two octets what is wrong with them") {
    for (unsigned value = 0; value < 0x10000; ++value) {
        const auto first = static_cast<octet>(value >> 8);
        const auto second = static_cast<octet>(value & 0xFF);
        const auto& tables = sockless::detail::fault_tables;
        const unsigned found =
            tables[0][first >> 4U] & tables[1][first & 15U] & tables[2][second >> 4U];
        utf8_checker checker;
        const bool begins = first >= 0xC0;
        const bool good =
            begins ? checker.take(first) && checker.take(second) : second < 0x80 || second >= 0xC0;
        if ((found == 0) != good) FAIL(value << ": " << found);
    }
}

TEST_CASE("blocks of good text have no fault, at any length and any alignment") {
    for (const std::string& text : long_texts(300)) {
        for (std::size_t size = 1; size <= 300; ++size) {
            const support::guarded at_end(octets(text).first(size));
            const support::guarded_front in_front(octets(text).first(size));
            check(at_end.span());
            check(in_front.span());
        }
    }
}

TEST_CASE("a fault is found wherever it stands") {
    for (const std::size_t size :
         {std::size_t{4}, std::size_t{7}, std::size_t{8}, std::size_t{15}, std::size_t{16},
          std::size_t{17}, std::size_t{18}, std::size_t{19}, std::size_t{34}, std::size_t{35},
          std::size_t{36}, std::size_t{67}, std::size_t{131}, std::size_t{132}, std::size_t{170},
          std::size_t{300}}) {
        for (const std::string& text : long_texts(size)) {
            const support::guarded memory(octets(text).first(size));
            for (std::size_t i = 0; i < size; ++i) {
                const octet before = memory.span()[i];
                for (const octet bad : awkward) {
                    memory.span()[i] = bad;
                    check(memory.span());
                }
                memory.span()[i] = before;
            }
        }
    }
}

TEST_CASE("any three awkward octets are judged alike at every place of a block") {
    for (const octet first : awkward) {
        for (const octet second : awkward) {
            for (const octet third : awkward) {
                for (std::size_t place = 3; place < 140; place += 1) {
                    std::string changed(150, 'a');
                    changed[place] = reference::to_char(first);
                    changed[place + 1] = reference::to_char(second);
                    changed[place + 2] = reference::to_char(third);
                    check(octets(changed));
                }
            }
        }
    }
}

TEST_CASE("any three awkward octets are judged alike at every place of a short text") {
    std::vector<std::size_t> sizes{31, 32, 33, 34, 35, 36};
    for (std::size_t size = 4; size <= 20; ++size) sizes.push_back(size);
    for (const std::size_t size : sizes) {
        const support::guarded memory(std::vector<octet>(size, 'a'));
        const std::span<octet> text = memory.span();
        for (std::size_t place = 0; place + 3 <= size; ++place) {
            for (const octet first : awkward) {
                for (const octet second : awkward) {
                    for (const octet third : awkward) {
                        text[place] = first;
                        text[place + 1] = second;
                        text[place + 2] = third;
                        check(text);
                    }
                }
            }
            text[place] = text[place + 1] = text[place + 2] = 'a';
        }
    }
}
