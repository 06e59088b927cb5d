// close_code.cpp -- tests of close_code.hpp.
#include <sockless/close_code.hpp>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

#include "support/catch.hpp"

using sockless::browser_may_send;
using sockless::close_code;
using sockless::may_travel;

namespace {

// Constant evaluation alone makes one from a number.
static_assert(close_code(1000).value() == 1000);
static_assert(close_code(4999).value() == 4999);
static_assert(close_code(1014) == *close_code::from(1014));
static_assert(close_code(1000) != close_code(1001));
static_assert(!close_code::from(1006));
static_assert(sockless::no_status_code == 1005 && !may_travel(sockless::no_status_code));
static_assert(sockless::abnormal_closure == 1006 && !may_travel(sockless::abnormal_closure));

// RFC 6455, 7.4.1, with what the IANA registry has added since, one by one.
const std::set<int> travelling{1000, 1001, 1002, 1003, 1007, 1008,
                               1009, 1010, 1011, 1012, 1013, 1014};

bool should_travel(int code) {
    return travelling.count(code) == 1 || code / 1000 == 3 || code / 1000 == 4;
}

// Codes, and what an int can hold beside them: what would be a code if it were cut to 16 bits, too.
template <class Check>
void for_all_numbers(Check check) {
    for (int number = -70'000; number <= 140'000; ++number) check(number);
    for (const int number : {INT_MIN, INT_MIN + 1, INT_MAX - 1, INT_MAX}) check(number);
    for (int turn = -8; turn <= 8; ++turn) check(turn * 65'536 + 1000);
}

}  // namespace

TEST_CASE("1000-1003, 1007-1014 and 3000-4999 may travel, and no other number") {
    int count = 0;
    for_all_numbers([&](int number) {
        if (may_travel(number) != should_travel(number)) FAIL("number " << number);
        if (may_travel(number) && number >= 0 && number <= 65'535) ++count;
    });
    CHECK(count == 12 + 2000 + 1);  // 1000 is checked twice
}

TEST_CASE("a close code is made of a number that may travel, and of no other") {
    for_all_numbers([](int number) {
        const std::optional<close_code> code = close_code::from(number);
        if (code.has_value() != should_travel(number)) FAIL("number " << number);
        if (code && code->value() != number) FAIL("number " << number << " becomes another");
    });
}

TEST_CASE("close codes are equal if their numbers are") {
    for (const int left : {1000, 1014, 3000, 4999}) {
        for (const int right : {1000, 1014, 3000, 4999}) {
            CHECK((*close_code::from(left) == *close_code::from(right)) == (left == right));
        }
    }
}

TEST_CASE("a close code written as a literal has its number") {
    CHECK(close_code(1000).value() == 1000);
    CHECK(close_code(1003).value() == 1003);
    CHECK(close_code(1007).value() == 1007);
    CHECK(close_code(1014).value() == 1014);
    CHECK(close_code(3000).value() == 3000);
    CHECK(close_code(4999).value() == 4999);
}

TEST_CASE("a script in a browser may close with 1000 and 3000-4999") {
    for_all_numbers([](int number) {
        const bool expected = number == 1000 || number / 1000 == 3 || number / 1000 == 4;
        if (browser_may_send(number) != expected) FAIL("number " << number);
        if (browser_may_send(number) && !may_travel(number))
            FAIL("but not on the wire: " << number);
    });
}
