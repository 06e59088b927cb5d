// outcome.cpp -- tests of outcome.hpp.
#include <sockless/outcome.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <type_traits>

#include "support/catch.hpp"

using sockless::outcome;
using sockless::result;
using sockless::rule;
using sockless::violation;
using sockless::written;

namespace {

struct expected_rule {
    rule id;
    std::uint16_t code;  // of a Close if it is above 999, else of a response
    std::uint16_t rfc;
    std::string_view section;
    std::string_view name;
};

#define NAMED(enumerator) rule::enumerator, #enumerator

constexpr expected_rule row(rule id, std::string_view name, std::uint16_t code, std::uint16_t rfc,
                            std::string_view section) {
    return {id, code, rfc, section, name};
}

// What each RFC says of the fault that its section forbids: RFC 6455, 7.4.1 for the code of a
// Close.
// clang-format off
constexpr std::array<expected_rule, 38> expected_rules{{
    row(NAMED(none),                   0,    0, ""),
    row(NAMED(reserved_bits),       1002, 6455, "5.2"),
    row(NAMED(reserved_opcode),     1002, 6455, "5.2"),
    row(NAMED(fragmented_control),  1002, 6455, "5.5"),
    row(NAMED(nothing_to_continue), 1002, 6455, "5.4"),
    row(NAMED(unfinished_message),  1002, 6455, "5.4"),
    row(NAMED(unmasked_frame),      1002, 6455, "5.1"),
    row(NAMED(masked_frame),        1002, 6455, "5.1"),
    row(NAMED(long_control),        1002, 6455, "5.5"),
    row(NAMED(short_close),         1002, 6455, "5.5.1"),
    row(NAMED(huge_length),         1002, 6455, "5.2"),
    row(NAMED(padded_length),       1002, 6455, "5.2"),
    row(NAMED(large_frame),         1009, 6455, "10.4"),
    row(NAMED(large_message),       1009, 6455, "10.4"),
    row(NAMED(empty_fragments),     1008, 6455, "10.4"),
    row(NAMED(bad_text),            1007, 6455, "8.1"),
    row(NAMED(bad_close_code),      1002, 6455, "7.4"),
    row(NAMED(bad_reason),          1007, 6455, "5.5.1"),
    row(NAMED(bad_compression),     1007, 7692, "7.2.2"),    // Decompression
    row(NAMED(high_ratio),          1009, 6455, "10.4"),
    row(NAMED(bad_request_line),     400, 9112, "3"),        // Request Line
    row(NAMED(bad_status_line),      400, 9112, "4"),        // Status Line
    row(NAMED(bad_target),           400, 9112, "3.2"),      // Request Target
    row(NAMED(long_target),          414, 9110, "15.5.15"),  // 414 URI Too Long
    row(NAMED(bad_field),            400, 9112, "5"),        // Field Syntax
    row(NAMED(large_head),           431, 6585, "5"),        // 431 Request Header Fields Too Large
    row(NAMED(many_fields),          431, 6585, "5"),
    row(NAMED(bad_host),             400, 9112, "3.2"),      // "MUST respond with a 400"
    row(NAMED(has_body),             400, 9110, "9.3.1"),    // GET
    row(NAMED(bad_upgrade),          426, 6455, "4.1"),
    row(NAMED(bad_connection),       400, 6455, "4.1"),
    row(NAMED(bad_version),          426, 6455, "4.4"),      // 4.2.2 names the 426
    row(NAMED(bad_key),              400, 6455, "4.2.1"),
    row(NAMED(bad_accept),           400, 6455, "4.1"),
    row(NAMED(bad_protocol),         400, 6455, "4.1"),
    row(NAMED(bad_extension),        400, 6455, "9.1"),      // Negotiating Extensions
    row(NAMED(bad_pseudo_field),     400, 8441, "4"),        // The Extended CONNECT Method
    row(NAMED(foreign_origin),       403, 6455, "10.2"),     // Origin Considerations
}};
// clang-format on

// Without a default, so that a compiler's warning asks for the row of a new rule.
constexpr bool has_row(rule id) {
    switch (id) {
        case rule::none:
        case rule::reserved_bits:
        case rule::reserved_opcode:
        case rule::fragmented_control:
        case rule::nothing_to_continue:
        case rule::unfinished_message:
        case rule::unmasked_frame:
        case rule::masked_frame:
        case rule::long_control:
        case rule::short_close:
        case rule::huge_length:
        case rule::padded_length:
        case rule::large_frame:
        case rule::large_message:
        case rule::empty_fragments:
        case rule::bad_text:
        case rule::bad_close_code:
        case rule::bad_reason:
        case rule::bad_compression:
        case rule::high_ratio:
        case rule::bad_request_line:
        case rule::bad_status_line:
        case rule::bad_target:
        case rule::long_target:
        case rule::bad_field:
        case rule::large_head:
        case rule::many_fields:
        case rule::bad_host:
        case rule::has_body:
        case rule::bad_upgrade:
        case rule::bad_connection:
        case rule::bad_version:
        case rule::bad_key:
        case rule::bad_accept:
        case rule::bad_protocol:
        case rule::bad_extension:
        case rule::bad_pseudo_field:
        case rule::foreign_origin:
            for (const expected_rule& expected : expected_rules) {
                if (expected.id == id) return true;
            }
    }
    return false;
}

// Whatever is not `done` changed nothing. Beside `full`, the caller was mistaken. Without a
// default.
constexpr bool is_mistake(result what) {
    switch (what) {
        case result::done:
        case result::full:
            return false;
        case result::not_open:
        case result::closing:
        case result::undecided:
        case result::control_first:
        case result::mid_message:
        case result::mid_frame:
        case result::lent:
        case result::wrong_length:
        case result::too_large:
        case result::bad_text:
        case result::bad_head:
        case result::not_offered:
            return true;
    }
    return false;
}

static_assert(code(rule::bad_text) == 1007);
static_assert(section(rule::short_close) == "5.5.1");
static_assert(name(rule::masked_frame) == "masked_frame");
static_assert(violation{} == violation{rule::none, 0});
static_assert(result{} == result::done);
static_assert(code(rule::bad_host) == 0 && status(rule::bad_host) == 400);
static_assert(code(rule::bad_reason) == 1007 && status(rule::bad_reason) == 0);
static_assert(status(rule::foreign_origin) == 403 && status(rule::long_target) == 414);
static_assert(rfc(rule::large_head) == 6585 && rfc(rule::short_close) == 6455);
static_assert(!is_of_opening(rule::bad_reason) && is_of_opening(rule::bad_request_line));
static_assert(sockless::detail::code_of_framing(rule::large_frame) == 1009);
static_assert(written{} == written{result::done, 0});

}  // namespace

TEST_CASE("every rule has its RFC and section, its answer, and the name of its enumerator") {
    REQUIRE(sockless::rule_table.size() == expected_rules.size());
    for (std::size_t i = 0; i < expected_rules.size(); ++i) {
        const expected_rule& expected = expected_rules[i];
        CAPTURE(expected.name);
        CHECK(static_cast<std::size_t>(expected.id) == i);
        CHECK(has_row(static_cast<rule>(i)));
        CHECK(sockless::rule_table[i].id == expected.id);
        CHECK(sockless::rule_table[i].code == expected.code);
        CHECK(rfc(expected.id) == expected.rfc);
        CHECK(section(expected.id) == expected.section);
        CHECK(name(expected.id) == expected.name);
    }
}

TEST_CASE("a rule of framing is answered with a Close, a rule of the opening with a response") {
    std::size_t of_opening = 0;
    for (const expected_rule& expected : expected_rules) {
        CAPTURE(expected.name);
        const bool opening = expected.code > 0 && expected.code < 1000;
        CHECK(is_of_opening(expected.id) == opening);
        CHECK(code(expected.id) == (opening ? 0 : expected.code));
        CHECK(status(expected.id) == (opening ? expected.code : 0));
        if (opening) ++of_opening;
        if (opening || expected.id == rule::none) continue;
        CHECK(sockless::detail::code_of_framing(expected.id) == expected.code);
    }
    CHECK(of_opening == 18);
}

TEST_CASE("a broken rule of framing is answered with 1002, 1007, 1008 or 1009") {
    std::set<int> codes;
    for (const auto& entry : sockless::rule_table) {
        if (entry.id != rule::none) codes.insert(code(entry.id));
    }
    CHECK(codes == std::set<int>{0, 1002, 1007, 1008, 1009});
    CHECK(code(rule::none) == 0);
}

TEST_CASE("a broken rule of the opening is answered with 400, 403, 414, 426 or 431") {
    std::set<int> statuses;
    for (const auto& entry : sockless::rule_table) statuses.insert(status(entry.id));
    CHECK(statuses == std::set<int>{0, 400, 403, 414, 426, 431});
    CHECK(status(rule::none) == 0);
}

TEST_CASE("there is no result but done, full and the caller's mistakes") {
    for (int i = 0; i < 14; ++i) {
        CAPTURE(i);
        CHECK(is_mistake(static_cast<result>(i)) == (i >= 2));
    }
    CHECK_FALSE(is_mistake(static_cast<result>(14)));
    CHECK(result::done < result::full);
    CHECK(result::full < result::not_open);
}

TEST_CASE("two ends of writing are one if result and octets are") {
    const written one{result::full, 7};
    CHECK(one == written{result::full, 7});
    CHECK_FALSE(one == written{result::full, 8});
    CHECK_FALSE(one == written{result::done, 7});
    CHECK(written{}.what == result::done);
    CHECK(written{}.octets == 0);
}

TEST_CASE("two violations are one if rule and place are") {
    const violation one{rule::bad_text, 7};
    CHECK(one == violation{rule::bad_text, 7});
    CHECK_FALSE(one == violation{rule::bad_text, 8});
    CHECK_FALSE(one == violation{rule::bad_reason, 7});
    CHECK(violation{}.broken == rule::none);
    CHECK(violation{}.at == 0);
}

TEST_CASE("an outcome is not yet anything until it is said to be") {
    const outcome<int> nothing;
    CHECK(nothing.what == outcome<int>::is::not_yet);
    CHECK(nothing.value == 0);
    CHECK(nothing.broken == rule::none);
    CHECK(nothing.used == 0);
    STATIC_REQUIRE(std::is_trivially_copyable_v<outcome<int>>);
}
