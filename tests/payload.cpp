// payload.cpp -- tests of payload.hpp.
#include <sockless/payload.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"

using sockless::masking_key;
using sockless::octet;
using sockless::unlimited;
using sockless::unmask;
using sockless::utf8_checker;

namespace {

using octets = std::vector<octet>;

constexpr masking_key some_key{{0x37, 0xFA, 0x21, 0x3D}};

octets masked(std::string text, std::size_t phase) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        text[i] =
            reference::to_char(reference::to_octet(text[i]) ^ some_key.octets[(i + phase) % 4]);
    }
    return {text.begin(), text.end()};
}

// How many octets of a text, which goes on for `following` more, may be told.
std::size_t good_beginning(const std::string& text, std::size_t following) {
    const auto can_go_on = [](const std::string& beginning, std::size_t room) {
        reference::unfinished_code_point point;
        for (const char c : beginning) {
            if (!point.take(reference::to_octet(c))) return false;
        }
        return point.missing() <= room;
    };
    std::size_t good = 0;
    while (good < text.size()) {
        const std::size_t behind = text.size() - good - 1;
        const std::size_t room = following == unlimited ? unlimited : following + behind;
        if (!can_go_on(text.substr(0, good + 1), room)) break;
        ++good;
    }
    return good;
}

using unmasker = std::size_t (*)(std::span<octet>, masking_key&, bool, utf8_checker&, std::size_t);

// All that can be seen of one step.
void check(unmasker step, const std::string& text, std::size_t phase, std::size_t following) {
    CAPTURE(text, phase, following);
    const octets before = masked(text, phase);
    const support::guarded memory{before};
    const std::size_t room = following == unlimited ? unlimited : text.size() + following;
    const std::size_t good = good_beginning(text, following);

    masking_key key = some_key.after(phase);
    utf8_checker checker;
    REQUIRE(step(memory.span(), key, true, checker, room) == good);
    CHECK(key == some_key.after(phase + good));
    for (std::size_t i = 0; i < text.size(); ++i) {
        REQUIRE(memory.span()[i] == (i < good ? reference::to_octet(text[i]) : before[i]));
    }
    utf8_checker expected;
    REQUIRE(expected.accept(std::span<const octet>(memory.span().first(good))) == good);
    CHECK(checker == expected);
}

constexpr std::array<unmasker, 3> all_ways{&unmask, &sockless::detail::unmask_octets,
                                           &sockless::detail::unmask_parts};

// RFC 6455, 5.7: a masked "Hello".
static_assert([] {
    std::array<octet, 5> payload{0x7F, 0x9F, 0x4D, 0x51, 0x58};
    masking_key key = some_key;
    utf8_checker checker;
    return unmask(payload, key, true, checker, 5) == 5 && key == some_key.after(5) &&
           payload == std::array<octet, 5>{'H', 'e', 'l', 'l', 'o'};
}());

TEST_CASE("a piece of text is unmasked up to its first bad octet and no further") {
    const std::string ascii = "0123456789abcdefghijklmnopqrstuvwxyz";
    const std::array<std::string, 8> ends{
        "", "\xC3\xA9", "\xE2\x82", "\xF0\x9F\x98\x80", "\xFF", "\xE2\x28\xA1", "\xF0", "\xED\xA0",
    };
    for (const unmasker way : all_ways) {
        for (const std::string& end : ends) {
            for (std::size_t size = 0; size <= ascii.size(); ++size) {
                for (const std::size_t following : {std::size_t{0}, std::size_t{1}, unlimited}) {
                    check(way, ascii.substr(0, size) + end, size % 4, following);
                    check(way, end + ascii.substr(0, size), 3 - size % 4, following);
                }
            }
        }
    }
}

TEST_CASE("every way to unmask stops at the same octet of any three octets") {
    const unsigned step = support::short_effort() ? 1013 : 101;
    for (unsigned value = 0; value < 0x1000000; value += step) {
        const std::string text{reference::to_char(value >> 16),
                               reference::to_char(value >> 8 & 0xFF),
                               reference::to_char(value & 0xFF)};
        for (const unmasker way : all_ways) check(way, text, value % 4, value % 3);
    }
}

TEST_CASE("a payload that is not text is unmasked whole") {
    const std::string noise = "\xFF\xC0\xED\xA0\x80 and more than one word";
    for (const unmasker way : all_ways) {
        octets data = masked(noise, 0);
        masking_key key = some_key;
        utf8_checker checker;
        CHECK(way(data, key, false, checker, unlimited) == noise.size());
        CHECK(checker == utf8_checker{});
        CHECK(std::string(data.begin(), data.end()) == noise);
        CHECK(key == some_key.after(noise.size()));
    }
}

TEST_CASE("a code point may be cut between pieces") {
    for (const unmasker way : all_ways) {
        octets data = masked("\xF0\x9F\x98\x80", 0);
        masking_key key = some_key;
        utf8_checker checker;
        for (std::size_t i = 0; i < 4; ++i) {
            CHECK(way(std::span(data).subspan(i, 1), key, true, checker, 4 - i) == 1);
            CHECK(checker.needed() == 3 - i);
        }
        CHECK(data == octets{0xF0, 0x9F, 0x98, 0x80});
    }
}

// Two ways to unmask a copy of the same octets, in two pieces.
void check_alike(const std::string& text, std::size_t phase, std::size_t cut,
                 std::size_t following) {
    const octets before = masked(text, phase);
    const support::guarded fast{before};
    const support::guarded_front front{before};
    octets slow = before;
    struct end {
        std::size_t good = 0;
        masking_key key;
        utf8_checker checker;
        bool operator==(const end&) const = default;
    };
    const auto run = [&](unmasker way, std::span<octet> data) {
        end result{.good = 0, .key = some_key.after(phase), .checker = {}};
        for (const std::size_t size : {cut, data.size() - cut}) {
            const std::size_t left = data.size() - result.good;
            const std::size_t room = following == unlimited ? unlimited : left + following;
            const std::size_t good =
                way(data.subspan(result.good, size), result.key, true, result.checker, room);
            result.good += good;
            if (good < size) break;
        }
        return result;
    };
    const end expected = run(&sockless::detail::unmask_octets, slow);
    const bool same =
        run(&unmask, fast.span()) == expected && run(&unmask, front.span()) == expected;
    if (!same || !std::equal(slow.begin(), slow.end(), fast.span().begin()) ||
        !std::equal(slow.begin(), slow.end(), front.span().begin())) {
        FAIL("size " << text.size() << " phase " << phase << " cut " << cut << ", good is "
                     << expected.good);
    }
}

TEST_CASE("a text of any length, cut and spoilt anywhere, is unmasked as octet by octet") {
    const std::array<std::string, 5> points{
        "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
        "text \xC3\xA9 with \xE2\x82\xAC more of \xF0\x9F\x98\x80\xED\x9F\xBF everything"};
    for (const std::string& point : points) {
        std::string text;
        while (text.size() < 300) text += point;
        for (std::size_t size = 0; size <= 300; ++size) {
            const std::string whole = text.substr(0, size);
            for (std::size_t cut = 0; cut <= size; cut += size < 80 ? 1 : 23) {
                check_alike(whole, cut % 4, cut, cut % 3 == 0 ? unlimited : cut % 3 - 1);
            }
            for (std::size_t i = 0; i < size; i += size < 80 ? 1 : 7) {
                std::string spoilt = whole;
                spoilt[i] = "\x80\xC1\xE1\xF5 "[i % 5];
                check_alike(spoilt, i % 4, 0, i % 3 == 0 ? unlimited : i % 3 - 1);
                check_alike(spoilt, i % 4, i, unlimited);
            }
        }
    }
}

TEST_CASE("a long text is judged in parts that may cut a code point") {
    for (const std::string point : {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
        for (std::size_t begin = 0; begin < 4; ++begin) {
            std::string text(begin, 'x');
            while (text.size() < 9000) text += point;
            for (const std::size_t size :
                 std::array<std::size_t, 9>{4094, 4095, 4096, 4097, 4098, 8191, 8192, 8193, 9000}) {
                for (const std::size_t following : {std::size_t{0}, std::size_t{1}, unlimited}) {
                    check_alike(text.substr(0, size), begin, 0, following);
                }
            }
            for (const std::size_t i :
                 std::array<std::size_t, 7>{4093, 4095, 4096, 4097, 4200, 8190, 8999}) {
                std::string spoilt = text.substr(0, 9000);
                spoilt[i] = '\xC0';
                check_alike(spoilt, begin, 0, 0);
            }
        }
    }
}

}  // namespace
