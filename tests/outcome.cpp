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

namespace {

struct expected_rule {
    rule id;
    std::uint16_t code;
    std::string_view section;
    std::string_view name;
};

#define NAMED(enumerator) rule::enumerator, #enumerator

constexpr expected_rule row(rule id, std::string_view name, std::uint16_t code,
                            std::string_view section) {
    return {id, code, section, name};
}

// What RFC 6455 says in 7.4.1 of the fault that each section forbids.
// clang-format off
constexpr std::array<expected_rule, 18> expected_rules{{
    row(NAMED(none),                   0, ""),
    row(NAMED(reserved_bits),       1002, "5.2"),
    row(NAMED(reserved_opcode),     1002, "5.2"),
    row(NAMED(fragmented_control),  1002, "5.5"),
    row(NAMED(nothing_to_continue), 1002, "5.4"),
    row(NAMED(unfinished_message),  1002, "5.4"),
    row(NAMED(unmasked_frame),      1002, "5.1"),
    row(NAMED(masked_frame),        1002, "5.1"),
    row(NAMED(long_control),        1002, "5.5"),
    row(NAMED(short_close),         1002, "5.5.1"),
    row(NAMED(huge_length),         1002, "5.2"),
    row(NAMED(padded_length),       1002, "5.2"),
    row(NAMED(large_frame),         1009, "10.4"),
    row(NAMED(large_message),       1009, "10.4"),
    row(NAMED(empty_fragments),     1008, "10.4"),
    row(NAMED(bad_text),            1007, "8.1"),
    row(NAMED(bad_close_code),      1002, "7.4"),
    row(NAMED(bad_reason),          1007, "5.5.1"),
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
            for (const expected_rule& expected : expected_rules) {
                if (expected.id == id) return true;
            }
    }
    return false;
}

static_assert(code(rule::bad_text) == 1007);
static_assert(section(rule::short_close) == "5.5.1");
static_assert(name(rule::masked_frame) == "masked_frame");
static_assert(violation{} == violation{rule::none, 0});
static_assert(result{} == result::done);

}  // namespace

TEST_CASE("every rule has its section, its close code, and the name of its enumerator") {
    REQUIRE(sockless::rule_table.size() == expected_rules.size());
    for (std::size_t i = 0; i < expected_rules.size(); ++i) {
        const expected_rule& expected = expected_rules[i];
        CAPTURE(expected.name);
        CHECK(static_cast<std::size_t>(expected.id) == i);
        CHECK(has_row(static_cast<rule>(i)));
        CHECK(sockless::rule_table[i].id == expected.id);
        CHECK(code(expected.id) == expected.code);
        CHECK(section(expected.id) == expected.section);
        CHECK(name(expected.id) == expected.name);
    }
}

TEST_CASE("a broken rule is answered with 1002, 1007, 1008 or 1009") {
    std::set<int> codes;
    for (const auto& entry : sockless::rule_table) {
        if (entry.id != rule::none) codes.insert(code(entry.id));
    }
    CHECK(codes == std::set<int>{1002, 1007, 1008, 1009});
    CHECK(code(rule::none) == 0);
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
