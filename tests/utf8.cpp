// utf8.cpp -- tests of utf8.hpp.
#include <sockless/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"

using sockless::cut_utf8;
using sockless::is_utf8;
using sockless::octet;
using sockless::unlimited;
using sockless::utf8_checker;

namespace {

using octets = std::vector<octet>;
using view = std::span<const octet>;

template <class... Numbers>
constexpr auto text_of(Numbers... numbers) {
    return std::array<octet, sizeof...(numbers)>{static_cast<octet>(numbers)...};
}

static_assert(is_utf8(std::span<const octet>{}));
static_assert(is_utf8(text_of('a', 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 0x00)));
static_assert(!is_utf8(text_of(0xC0, 0x80)) && !is_utf8(text_of(0xED, 0xA0, 0x80)));
static_assert(!is_utf8(text_of(0xF4, 0x90, 0x80, 0x80)) && !is_utf8(text_of(0xE2, 0x82)));
static_assert(utf8_checker{}.accept(text_of('a', 0xE2, 0x82)) == 3);
static_assert(utf8_checker{}.accept(text_of('a', 0xE2, 0x82), 0) == 1);
static_assert(cut_utf8("a\xC3\xA9", 2) == "a" && cut_utf8("a\xC3\xA9", 3) == "a\xC3\xA9");

// All octets that a code point can begin with, found by writing down every code point there is.
class all_beginnings {
  public:
    static constexpr octet impossible = 0xFF;

    all_beginnings() {
        for (std::size_t size = 1; size <= 3; ++size) {
            lacking_[size - 1].assign(std::size_t{1} << 8 * size, impossible);
        }
        for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
            if (point < 0xD800 || point > 0xDFFF) add(reference::encode_utf8(point));
        }
        std::sort(fours_.begin(), fours_.end());
    }

    // How many octets are lacking behind these; 0: they are a code point.
    octet lacking(std::uint32_t beginning, std::size_t size) const {
        if (size <= 3) return lacking_[size - 1][beginning];
        return std::binary_search(fours_.begin(), fours_.end(), beginning) ? octet{0} : impossible;
    }

  private:
    void add(const std::string& point) {
        std::uint32_t beginning = 0;
        for (std::size_t size = 1; size <= point.size(); ++size) {
            beginning = beginning << 8 | reference::to_octet(point[size - 1]);
            if (size == 4) {
                fours_.push_back(beginning);
            } else {
                lacking_[size - 1][beginning] = static_cast<octet>(point.size() - size);
            }
        }
    }

    std::array<octets, 3> lacking_;
    std::vector<std::uint32_t> fours_;
};

const all_beginnings& beginnings() {
    static const all_beginnings all;
    return all;
}

struct verdict {
    std::size_t taken = 0;
    std::size_t lacking = 0;  // by the code point that is unfinished in front of what is refused
};

// An octet may be taken if the text can become UTF-8 by at most so many octets as can still come.
verdict judge(view text, std::size_t following) {
    verdict now;
    std::uint32_t beginning = 0;
    std::size_t size = 0;
    for (const octet next : text) {
        const std::size_t rest = text.size() - now.taken - 1;
        const std::size_t to_come = following > unlimited - rest ? unlimited : following + rest;
        beginning = beginning << 8 | next;
        ++size;
        const octet lacking = beginnings().lacking(beginning, size);
        if (lacking == all_beginnings::impossible || lacking > to_come) return now;
        now = {now.taken + 1, lacking};
        if (lacking == 0) beginning = 0;
        if (lacking == 0) size = 0;
    }
    return now;
}

bool is_judged_whole(view text, std::size_t following) {
    const verdict expected = judge(text, following);
    utf8_checker checker;
    if (checker.accept(text, following) != expected.taken) return false;
    if (checker.needed() != expected.lacking) return false;
    // A refusal leaves the checker where it would be had the refused octet not come.
    utf8_checker before;
    return before.accept(text.first(expected.taken)) == expected.taken && checker == before;
}

bool is_judged_in_two(view text, std::size_t cut, std::size_t following) {
    const verdict expected = judge(text, following);
    const std::size_t rest = text.size() - cut;
    const std::size_t behind = following > unlimited - rest ? unlimited : following + rest;
    utf8_checker checker;
    std::size_t taken = checker.accept(text.first(cut), behind);
    if (taken == cut) taken += checker.accept(text.subspan(cut), following);
    return taken == expected.taken && checker.needed() == expected.lacking;
}

bool is_judged_octet_by_octet(view text, std::size_t following) {
    const verdict expected = judge(text, following);
    utf8_checker checker;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t rest = text.size() - i - 1;
        const std::size_t behind = following > unlimited - rest ? unlimited : following + rest;
        const utf8_checker before = checker;
        const bool taken = checker.take(text[i], behind);
        if (taken != (i < expected.taken)) return false;
        if (!taken) return checker == before && checker.needed() == expected.lacking;
    }
    return checker.needed() == expected.lacking;
}

bool is_judged_well(view text, std::size_t following) {
    if (!is_judged_whole(text, following) || !is_judged_octet_by_octet(text, following))
        return false;
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        if (!is_judged_in_two(text, cut, following)) return false;
    }
    return true;
}

bool is_judged_well_in_any_case(view text) {
    const bool good = judge(text, 0).taken == text.size();
    return is_utf8(text) == good && is_judged_well(text, 0) && is_judged_whole(text, 1) &&
           is_judged_whole(text, 2) && is_judged_well(text, unlimited);
}

view view_of(const std::string& text, octets& memory) {
    memory.assign(text.begin(), text.end());
    return memory;
}

const std::string e_acute = "\xC3\xA9";
const std::string euro = "\xE2\x82\xAC";
const std::string grin = "\xF0\x9F\x98\x80";
const std::string kosme = "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5";

// Does a text in two pieces come to the same as octet by octet?
bool same_in_two_pieces(view text, std::size_t cut, std::size_t following) {
    utf8_checker slow;
    std::size_t expected = 0;
    for (; expected < text.size(); ++expected) {
        const std::size_t behind = text.size() - expected - 1;
        if (!slow.take(text[expected], following == unlimited ? unlimited : behind + following))
            break;
    }
    utf8_checker fast;
    const std::size_t behind = text.size() - cut;
    std::size_t got =
        fast.accept(text.first(cut), following == unlimited ? unlimited : behind + following);
    if (got == cut) got += fast.accept(text.subspan(cut), following);
    return got == expected && fast == slow;
}

}  // namespace

TEST_CASE("U3 all strings of up to three octets are refused at the first that nothing can follow") {
    const std::size_t stride = support::short_effort() ? 251 : 1;
    for (std::size_t size = 0; size <= 3; ++size) {
        const std::size_t step = size == 3 ? stride : 1;
        for (std::size_t number = 0; number < std::size_t{1} << 8 * size; number += step) {
            std::array<octet, 3> text{};
            for (std::size_t i = 0; i < size; ++i) {
                text[i] = static_cast<octet>(number >> 8 * (size - 1 - i));
            }
            if (!is_judged_well_in_any_case(std::span(text).first(size))) {
                FAIL(support::hex(std::span(text).first(size)));
            }
        }
    }
}

TEST_CASE("U3 all strings of four octets from the edges of every range are judged well") {
    const octets edges = support::octets(
        "00 41 7F 80 8F 90 9F A0 BF C0 C1 C2 DF E0 E1 EC ED EE EF F0 F1 F3 F4 F5 F7 F8 FF");
    const std::size_t stride = support::short_effort() ? 7 : 1;
    const std::size_t count = edges.size() * edges.size() * edges.size() * edges.size();
    for (std::size_t number = 0; number < count; number += stride) {
        std::array<octet, 4> text{};
        std::size_t rest = number;
        for (octet& o : text) {
            o = edges[rest % edges.size()];
            rest /= edges.size();
        }
        if (!is_judged_well_in_any_case(text)) FAIL(support::hex(text));
    }
}

TEST_CASE("U2 every code point is taken in any pieces") {
    const std::uint32_t stride = support::short_effort() ? 7 : 1;
    std::uint32_t count = 0;
    for (std::uint32_t point = 0; point <= 0x10FFFF; point += stride) {
        const std::string encoded = reference::encode_utf8(point);
        const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
        octets memory;
        const view text = view_of(encoded, memory);
        if (is_utf8(text) == is_surrogate) FAIL("U+" << std::hex << point);
        if (is_surrogate) continue;
        ++count;
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            utf8_checker checker;
            const std::size_t head = checker.accept(text.first(cut), text.size() - cut);
            const std::size_t needed = checker.needed();
            const std::size_t tail = checker.accept(text.subspan(cut), 0);
            if (head != cut || needed != (cut == 0 ? 0 : text.size() - cut) ||
                tail != text.size() - cut || checker != utf8_checker{}) {
                FAIL("U+" << std::hex << point << " cut at " << cut);
            }
        }
    }
    CHECK(count >= (0x110000 - 0x800) / stride - 1);
}

TEST_CASE("U2 every code point is taken octet by octet") {
    const std::uint32_t stride = support::short_effort() ? 7 : 1;
    for (std::uint32_t point = 0; point <= 0x10FFFF; point += stride) {
        if (point >= 0xD800 && point <= 0xDFFF) continue;
        octets memory;
        const view text = view_of(reference::encode_utf8(point), memory);
        utf8_checker checker;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const std::size_t rest = text.size() - i - 1;
            utf8_checker same = checker;
            if (checker.accept(text.subspan(i, 1), rest) != 1 || checker.needed() != rest ||
                !same.take(text[i], rest) || same != checker) {
                FAIL("U+" << std::hex << point << " octet " << i);
            }
        }
    }
}

TEST_CASE("U3 the stress classes of Markus Kuhn are refused at their octet") {
    struct bad_text {
        const char* octets;
        std::size_t taken;
    };
    // clang-format off
    const bad_text table[] = {
        // overlong
        {"C0 AF", 0},                   {"C1 BF", 0},             {"C0 80", 0},
        {"E0 80 AF", 1},                {"E0 9F BF", 1},          {"E0 80 80", 1},
        {"F0 80 80 AF", 1},             {"F0 8F BF BF", 1},       {"F0 80 80 80", 1},
        {"F8 80 80 80 AF", 0},          {"F8 87 BF BF BF", 0},
        {"FC 80 80 80 80 AF", 0},       {"FC 83 BF BF BF BF", 0},
        // surrogates, single and paired
        {"ED A0 80", 1},                {"ED AD BF", 1},          {"ED AE 80", 1},
        {"ED AF BF", 1},                {"ED B0 80", 1},          {"ED BE 80", 1},
        {"ED BF BF", 1},                {"ED A0 80 ED B0 80", 1}, {"ED AF BF ED BF BF", 1},
        // above U+10FFFF
        {"F4 90 80 80", 1},             {"F4 BF BF BF", 1},       {"F5 80 80 80", 0},
        {"F7 BF BF BF", 0},             {"F8 88 80 80 80", 0},    {"FC 84 80 80 80 80", 0},
        // octets that are in no text
        {"FE", 0},                      {"FF", 0},                {"FE FE FF FF", 0},
        // lonely tails
        {"80", 0},                      {"BF", 0},                {"80 BF", 0},
        {"80 BF 80 BF 80 BF 80", 0},    {"C3 A9 80", 2},          {"E2 82 AC 80", 3},
        {"F0 9F 98 80 BF", 4},
        // cut short by a beginning
        {"C3 20", 1},                   {"E2 20", 1},             {"E2 82 20", 2},
        {"F0 20", 1},                   {"F0 9F 20", 2},          {"F0 9F 98 20", 3},
        {"C3 C3", 1},                   {"E2 82 E2", 2},          {"F0 9F 98 F0", 3},
    };
    // clang-format on
    for (const bad_text& row : table) {
        const octets bad = support::octets(row.octets);
        CAPTURE(row.octets);
        for (const std::string& before : {std::string(), std::string("a"), kosme, kosme + grin}) {
            const octets text = support::concat(before, bad);
            utf8_checker checker;
            CHECK(checker.accept(text) == before.size() + row.taken);
            CHECK_FALSE(is_utf8(text));
            CHECK_FALSE(reference::valid_utf8(support::to_string(text)));
        }
    }
}

TEST_CASE("U3 every octet is a beginning, a tail, or in no text") {
    for (int value = 0; value < 256; ++value) {
        const octet one = static_cast<octet>(value);
        const bool begins = one < 0x80 || (one >= 0xC2 && one <= 0xF4);
        CAPTURE(value);
        CHECK(utf8_checker{}.accept(std::span(&one, 1)) == (begins ? 1 : 0));
        CHECK(utf8_checker{}.accept(std::span(&one, 1), 0) == (one < 0x80 ? 1 : 0));
        CHECK(utf8_checker{}.take(one) == begins);
        CHECK(utf8_checker{}.take(one, 0) == (one < 0x80));
        CHECK(is_utf8(std::span(&one, 1)) == (one < 0x80));
    }
}

TEST_CASE("the edges of every range are text") {
    for (const char* const text :
         {"00", "7F", "C2 80", "DF BF", "E0 A0 80", "ED 9F BF", "EE 80 80", "EF BF BD", "EF BF BE",
          "EF BF BF", "F0 90 80 80", "F3 BF BF BF", "F4 80 80 80", "F4 8F BF BF"}) {
        CAPTURE(text);
        CHECK(is_utf8(support::octets(text)));
    }
}

TEST_CASE("a code point that the text has no room for is refused at its first octet") {
    for (const std::string& point : {e_acute, euro, grin, std::string("\xF4\x8F\xBF\xBF")}) {
        for (const std::string& before :
             {std::string(), std::string("a"), euro, kosme, std::string("nine of it")}) {
            for (std::size_t there = 1; there < point.size(); ++there) {
                octets memory;
                const view text = view_of(before + point.substr(0, there), memory);
                const std::size_t lacking = point.size() - there;
                for (std::size_t following = 0; following <= 3; ++following) {
                    const bool fits = following >= lacking;
                    utf8_checker checker;
                    CAPTURE(support::hex(text), following);
                    CHECK(checker.accept(text, following) == (fits ? text.size() : before.size()));
                    CHECK(checker.needed() == (fits ? lacking : 0));
                    if (!fits) CHECK(checker == utf8_checker{});
                }
            }
        }
    }
}

TEST_CASE("every beginning of a code point is judged by what may follow") {
    std::size_t count = 0;
    for (std::size_t size = 1; size <= 3; ++size) {
        const std::size_t all = std::size_t{1} << 8 * size;
        for (std::size_t number = 0; number < all; ++number) {
            const octet lacking = beginnings().lacking(static_cast<std::uint32_t>(number), size);
            if (lacking == 0 || lacking == all_beginnings::impossible) continue;
            ++count;
            std::array<octet, 4> text{'a'};
            for (std::size_t i = 0; i < size; ++i) {
                text[1 + i] = static_cast<octet>(number >> 8 * (size - 1 - i));
            }
            for (std::size_t following = 0; following <= 3; ++following) {
                if (!is_judged_well(std::span(text).first(1 + size), following)) {
                    FAIL(support::hex(std::span(text).first(1 + size)) << " and " << following);
                }
            }
        }
    }
    // C2-DF, E0-EF and F0-F4; two octets of three and of four; three octets of four.
    CHECK(count == 30 + 16 + 5 + (65536 - 2048 - 2048) / 64 + 1048576 / 4096 + 1048576 / 64);
}

TEST_CASE("behind a refused octet the text can go on with another one") {
    utf8_checker checker;
    CHECK(checker.accept(support::octets("E2 82 41")) == 2);
    CHECK(checker.needed() == 1);
    CHECK(checker.accept(support::octets("AC 41"), 0) == 2);
    CHECK(checker.accept(support::octets("FF")) == 0);
    CHECK(checker.accept(support::octets("41 F0 80")) == 2);
    CHECK(checker.needed() == 3);
    CHECK(checker.accept(support::octets("80")) == 0);  // still the narrower range behind F0
    CHECK(checker.accept(support::octets("90 80 80 41"), 0) == 4);
    CHECK(checker.accept(support::octets("41 E2 82"), 0) == 1);
    CHECK(checker.accept(support::octets("42 C3 A9"), 0) == 3);
    CHECK(checker == utf8_checker{});
}

TEST_CASE("a code point that has begun before is gone on with, whatever may follow") {
    const octets point = support::octets("F0 9F 98 80");
    for (std::size_t before = 1; before <= 3; ++before) {
        for (std::size_t now = 0; before + now <= 4; ++now) {
            for (std::size_t following = 0; following <= 3; ++following) {
                utf8_checker checker;
                REQUIRE(checker.accept(std::span(point).first(before)) == before);
                CAPTURE(before, now, following);
                CHECK(checker.accept(std::span(point).subspan(before, now), following) == now);
                CHECK(checker.needed() == 4 - before - now);
            }
        }
    }
}

TEST_CASE("octets at once are octets one by one, also where less follows than was said") {
    const octets edges = support::octets("41 80 8F 90 9F A0 BF C0 C2 E0 E2 ED F0 F1 F4 F5");
    const std::size_t count = edges.size() * edges.size() * edges.size();
    const std::size_t stride = support::short_effort() ? 7 : 1;
    for (const char* const begun :
         {"", "C3", "E0", "E2", "ED", "E2 82", "F0", "F4", "F1 80", "F1 80 80"}) {
        utf8_checker before;
        REQUIRE(before.accept(support::octets(begun)) == support::octets(begun).size());
        for (std::size_t number = 0; number < 4 * count; number += stride) {
            const std::array<octet, 3> text{edges[number % 16], edges[number / 16 % 16],
                                            edges[number / 256 % 16]};
            const std::size_t following = number / count;
            utf8_checker one_by_one = before;
            std::size_t taken = 0;
            while (taken < 3 && one_by_one.take(text[taken], following + 2 - taken)) ++taken;
            utf8_checker at_once = before;
            if (at_once.accept(text, following) != taken || at_once != one_by_one) {
                FAIL(begun << " | " << support::hex(text) << " and " << following);
            }
        }
    }
}

TEST_CASE("long texts at once are octets one by one, spoilt and cut anywhere") {
    const std::string mixed = "ab" + e_acute + "c" + euro + grin + "d" + grin + euro + e_acute;
    for (const std::string& one : {std::string("a"), e_acute, euro, grin, mixed}) {
        std::string text;
        while (text.size() < 150) text += one;
        for (const std::size_t size :
             {std::size_t{31}, std::size_t{34}, std::size_t{68}, text.size()}) {
            for (std::size_t i = 0; i < size; ++i) {
                for (const char bad : {text[i], '\x41', '\x80', '\xC0', '\xE2', '\xF5'}) {
                    std::string spoilt = text.substr(0, size);
                    spoilt[i] = bad;
                    const support::guarded memory{view(sockless::octets_of(spoilt))};
                    for (const std::size_t cut : {std::size_t{0}, i, i + 1, size / 2}) {
                        for (const std::size_t following :
                             {std::size_t{0}, std::size_t{2}, unlimited}) {
                            if (!same_in_two_pieces(memory.span(), cut, following)) {
                                FAIL(one << " at " << i << " of " << size << ", cut at " << cut);
                            }
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE("nothing is taken of an empty text") {
    utf8_checker checker;
    CHECK(checker.accept(view{}) == 0);
    CHECK(checker.accept(view{}, 0) == 0);
    CHECK(checker == utf8_checker{});
    CHECK(checker.accept(support::octets("E2")) == 1);
    const utf8_checker begun = checker;
    CHECK(checker.accept(view{}) == 0);
    CHECK(checker.accept(view{}, 2) == 0);
    CHECK(checker == begun);
    CHECK_FALSE(checker == utf8_checker{});
}

TEST_CASE("nothing is taken of an empty text that ends too early") {
    const octets point = support::octets("F0 9F 98 80");
    for (std::size_t before = 1; before <= 3; ++before) {
        for (std::size_t following = 0; following < 4 - before; ++following) {
            utf8_checker checker;
            REQUIRE(checker.accept(std::span(point).first(before)) == before);
            const utf8_checker begun = checker;
            CAPTURE(before, following);
            CHECK(checker.accept(view{}, following) == 0);
            CHECK(checker == begun);
        }
    }
}

TEST_CASE("runs of ASCII around a code point are taken at any length and alignment") {
    const std::size_t stride = support::short_effort() ? 5 : 1;
    std::array<octet, 128> memory{};
    for (const std::string& point : {e_acute, euro, grin}) {
        for (std::size_t before = 0; before <= 40; ++before) {
            for (std::size_t behind = 0; behind <= 40; behind += stride) {
                for (std::size_t alignment = 0; alignment < 8; ++alignment) {
                    const std::string string =
                        std::string(before, 'a') + point + std::string(behind, '\x7F');
                    const auto text = std::span(memory).subspan(alignment, string.size());
                    std::copy(string.begin(), string.end(), text.begin());
                    if (!is_utf8(text)) FAIL(before << " " << behind << " " << alignment);
                    for (octet& o : text) {
                        const octet good = o;
                        const auto place = static_cast<std::size_t>(&o - text.data());
                        o = 0xFF;
                        if (utf8_checker{}.accept(text) != place) FAIL(before << " " << place);
                        o = good;
                    }
                }
            }
        }
    }
}

TEST_CASE("an octet that is not ASCII is found at any place of a run of ASCII") {
    for (std::size_t size = 1; size <= 40; ++size) {
        octets text(size, 0x7F);
        for (octet& o : text) {
            for (const octet bad : {octet{0x80}, octet{0xC0}, octet{0xFF}}) {
                o = bad;
                const auto place = static_cast<std::size_t>(&o - text.data());
                if (utf8_checker{}.accept(text) != place) FAIL(size << " " << place);
            }
            o = 0x7F;
        }
    }
}

TEST_CASE("ASCII inside a code point is not skipped") {
    const octets ascii(24, 'a');
    for (const char* const begun : {"C3", "E2", "E2 82", "F0", "F0 9F", "F0 9F 98"}) {
        utf8_checker checker;
        const octets beginning = support::octets(begun);
        REQUIRE(checker.accept(beginning) == beginning.size());
        const std::size_t needed = checker.needed();
        CAPTURE(begun);
        CHECK(checker.accept(ascii) == 0);
        CHECK(checker.needed() == needed);
    }
}

TEST_CASE("a text is read to its end and no further, at both ends of a page") {
    for (std::size_t before = 0; before <= 20; ++before) {
        for (std::size_t behind = 0; behind <= 20; ++behind) {
            octets memory;
            const std::string string = std::string(before, 'a') + grin + std::string(behind, 'b');
            const view text = view_of(string, memory);
            const support::guarded end(text);
            const support::guarded_front front(text);
            const support::exact heap(text);
            if (!is_utf8(end.span()) || !is_utf8(front.span()) || !is_utf8(heap.span())) {
                FAIL(before << " " << behind);
            }
            // What would complete the text lies outside of it.
            const support::guarded cut(text.first(before + 3));
            if (utf8_checker{}.accept(cut.span(), 0) != before) FAIL(before);
        }
    }
}

TEST_CASE("a text is cut in front of the code point that does not fit") {
    const std::array<std::string, 5> texts{
        "plain", "a" + e_acute + euro + grin + "z" + grin + euro + e_acute, grin + grin + grin,
        kosme, ""};
    for (const std::string& text : texts) {
        for (std::size_t most = 0; most <= text.size() + 2; ++most) {
            std::size_t expected = std::min(most, text.size());
            while (!reference::valid_utf8(text.substr(0, expected))) --expected;
            const std::string_view cut = cut_utf8(text, most);
            CAPTURE(text, most);
            CHECK(cut.size() == expected);
            CHECK(cut.data() == text.data());
        }
        CHECK(cut_utf8(text, unlimited) == text);
    }
}

TEST_CASE("what lies behind a text does not change where it is cut") {
    const std::string_view memory = "ab\x80\x80";
    for (std::size_t size = 0; size <= 2; ++size) {
        const std::string_view text = memory.substr(0, size);
        for (std::size_t most = 0; most <= 3; ++most) {
            CAPTURE(size, most);
            CHECK(cut_utf8(text, most).size() == std::min(size, most));
        }
    }
}

TEST_CASE("cutting what is not text stays inside it") {
    const std::string tails(5, '\x80');
    for (std::size_t most = 0; most < tails.size(); ++most) CHECK(cut_utf8(tails, most).empty());
    CHECK(cut_utf8(tails, 5) == tails);
    CHECK(cut_utf8("\xFF\xFF\xFF", 2) == "\xFF\xFF");
}
