// close_payload.cpp -- tests of close_payload.hpp.
#include <sockless/close_payload.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"

using sockless::close_code_of;
using sockless::close_reason_of;
using sockless::cut_reason;
using sockless::judge_close_octet;
using sockless::may_begin_code;
using sockless::may_travel;
using sockless::octet;
using sockless::rule;
using sockless::utf8_checker;

namespace {

using octets = std::vector<octet>;

struct verdict {
    rule broken = rule::none;
    std::size_t at = 0;

    bool operator==(const verdict&) const = default;
};

// What becomes of a body that will have `length` octets, as much of it as is given.
constexpr verdict judged(std::span<const octet> body, std::size_t length,
                         utf8_checker reason = {}) {
    std::uint16_t code = 0xA5A5;
    for (std::size_t i = 0; i < body.size(); ++i) {
        const rule broken = judge_close_octet(i, body[i], length - i - 1, code, reason);
        if (broken != rule::none) return {broken, i};
    }
    return {};
}

constexpr bool is_good(std::string_view reason) {
    std::array<octet, 125> body{0x03, 0xE8};
    for (std::size_t i = 0; i < reason.size(); ++i) body[2 + i] = static_cast<octet>(reason[i]);
    return judged(std::span(body).first(2 + reason.size()), 2 + reason.size()).broken == rule::none;
}
static_assert(is_good("") && is_good("bye") && is_good("\xE2\x82\xAC"));
static_assert(!is_good("\xE2\x82") && !is_good("\xC0\x80"));
static_assert(may_begin_code(0x03) && !may_begin_code(0x04));
static_assert(close_code_of({}) == 1005);
static_assert(sockless::longest_reason == 123);
static_assert(cut_reason("short") == "short");

// The octet of a reason from which on no text of this length goes on; its length if there is none.
std::size_t first_bad(std::string_view reason, std::size_t length) {
    reference::unfinished_code_point end;
    for (std::size_t i = 0; i < reason.size(); ++i) {
        if (!end.take(reference::to_octet(reason[i])) || end.missing() > length - i - 1) return i;
    }
    return reason.size();
}

octets body_of(std::uint32_t code, const std::string& reason) {
    const std::string body = reference::build_close(code, reason);
    return octets(body.begin(), body.end());
}

const std::string mixed = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z\xF4\x8F\xBF\xBF\xEF\xBF\xBF";

}  // namespace

TEST_CASE("a first octet is good if some code that may travel begins with it") {
    for (int high = 0; high < 256; ++high) {
        bool some_may = false;
        for (int low = 0; low < 256; ++low) some_may = some_may || may_travel(high * 256 + low);
        CAPTURE(high);
        CHECK(may_begin_code(static_cast<octet>(high)) == some_may);
    }
}

TEST_CASE("C5 all 65,536 codes are judged, at the first octet that makes them bad") {
    std::size_t good = 0;
    for (std::uint32_t code = 0; code <= 65535; ++code) {
        const octets body = body_of(code, "");
        verdict expected;
        if (!reference::code_may_travel(code)) expected.broken = rule::bad_close_code;
        if (expected.broken != rule::none && may_begin_code(body[0])) expected.at = 1;
        if (judged(body, 2) != expected) FAIL("code " << code);
        if (judged(body, 125) != expected) FAIL("code " << code << " with a reason to come");
        if (judged(body, 2) == verdict{}) ++good;
    }
    CHECK(good == 4 + 8 + 2000);
}

TEST_CASE("C5 a bad code is bad whatever came in front of the body, and a good one is remembered") {
    utf8_checker reason;
    for (const auto before : std::to_array<std::uint16_t>({0x0000, 0x03E8, 0xFFFF})) {
        std::uint16_t code = before;
        CHECK(judge_close_octet(0, 0x02, 1, code, reason) == rule::bad_close_code);
        code = before;
        CHECK(judge_close_octet(0, 0xFF, 124, code, reason) == rule::bad_close_code);
        code = before;
        CHECK(judge_close_octet(0, 0x03, 1, code, reason) == rule::none);
        CHECK(judge_close_octet(1, 0xE8, 0, code, reason) == rule::none);
        CHECK(code == 1000);
        CHECK(judge_close_octet(2, 'a', 0, code, reason) == rule::none);
        CHECK(code == 1000);
    }
    std::uint16_t code = 0x0300;
    CHECK(judge_close_octet(1, 0xEE, 0, code, reason) == rule::bad_close_code);
    code = 0x0B00;
    CHECK(judge_close_octet(1, 0xE8, 0, code, reason) == rule::none);
}

TEST_CASE("C5 a reason that ends inside a code point is refused where that begins") {
    for (std::size_t size = 0; size <= mixed.size(); ++size) {
        const std::string reason = mixed.substr(0, size);
        const std::size_t bad = first_bad(reason, size);
        const verdict expected = bad == size ? verdict{} : verdict{rule::bad_reason, 2 + bad};
        CAPTURE(size);
        CHECK(judged(body_of(1000, reason), 2 + size) == expected);
        CHECK((expected == verdict{}) == reference::valid_utf8(reason));
    }
}

TEST_CASE("a reason that goes on is good so far, at every octet") {
    const octets body = body_of(4999, mixed);
    for (std::size_t size = 0; size <= body.size(); ++size) {
        CAPTURE(size);
        CHECK(judged(std::span(body).first(size), body.size()) == verdict{});
        CHECK(judged(std::span(body).first(size), 125) == verdict{});
    }
}

TEST_CASE("C5 one bad octet in a reason is refused at its place") {
    for (std::size_t place = 0; place < mixed.size(); ++place) {
        for (int value = 0; value < 256; ++value) {
            std::string reason = mixed;
            reason[place] = static_cast<char>(static_cast<octet>(value));
            const std::size_t bad = first_bad(reason, reason.size());
            const verdict expected =
                bad == reason.size() ? verdict{} : verdict{rule::bad_reason, 2 + bad};
            if (judged(body_of(1001, reason), 2 + reason.size()) != expected) {
                FAIL("octet " << value << " at " << place);
            }
        }
    }
}

TEST_CASE("a reason is judged from its beginning, whatever was judged before it") {
    utf8_checker unfinished;
    REQUIRE(unfinished.accept(support::octets("F0 9F")) == 2);
    CHECK(judged(body_of(1000, "bye"), 5, unfinished) == verdict{});
    CHECK(judged(body_of(1000, "\x98\x80"), 4, unfinished) == verdict{rule::bad_reason, 2});
}

TEST_CASE("a body without octets has the code 1005 and no reason") {
    CHECK(close_code_of({}) == 1005);
    CHECK(close_reason_of({}).empty());
    CHECK(judged({}, 0) == verdict{});
}

TEST_CASE("a body is a code and a reason") {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{123}}) {
        octets body = body_of(3008, std::string(size, 'r'));
        const std::span<octet> reason = close_reason_of(body);
        CAPTURE(size);
        CHECK(close_code_of(body) == 3008);
        CHECK(reason.size() == size);
        CHECK(reason.data() == body.data() + 2);
        CHECK(support::to_string(reason) == std::string(size, 'r'));
    }
    for (std::uint32_t code = 0; code <= 65535; ++code) {
        if (close_code_of(body_of(code, "x")) != code) FAIL("code " << code);
    }
}

TEST_CASE("a reason is cut to 123 octets and to whole code points") {
    for (std::size_t before = 0; before < 5; ++before) {
        std::string text(before, 'a');
        while (text.size() < 300) text += mixed;
        for (std::size_t size = 0; size <= text.size(); ++size) {
            const std::string whole = text.substr(0, size);
            if (!reference::valid_utf8(whole)) continue;
            std::size_t expected = size < 123 ? size : 123;
            while (!reference::valid_utf8(whole.substr(0, expected))) --expected;
            CAPTURE(before, size);
            CHECK(cut_reason(whole) == std::string_view(whole).substr(0, expected));
        }
    }
}
