// close_code.cpp -- tests of close_code.hpp.
#include <sockless/close_code.hpp>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "support/catch.hpp"

using sockless::browser_may_send;
using sockless::close_code;
using sockless::close_code_name;
using sockless::may_travel;
using sockless::retry;
using sockless::retry_advice;

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

struct facts {
    retry advice;
    std::string_view name;
};

const std::map<int, facts> registered{
    {1000, {retry::no, "normal closure"}},
    {1001, {retry::backoff, "going away"}},
    {1002, {retry::no, "protocol error"}},
    {1003, {retry::no, "unsupported data"}},
    {1004, {retry::no, "reserved"}},
    {1005, {retry::backoff, "no status received"}},
    {1006, {retry::backoff, "abnormal closure"}},
    {1007, {retry::no, "invalid frame payload data"}},
    {1008, {retry::no, "policy violation"}},
    {1009, {retry::no, "message too big"}},
    {1010, {retry::no, "mandatory extension"}},
    {1011, {retry::backoff, "internal error"}},
    {1012, {retry::slow, "service restart"}},
    {1013, {retry::elsewhere, "try again later"}},
    {1014, {retry::backoff, "bad gateway"}},
    {1015, {retry::no, "TLS handshake"}},
    {3000, {retry::no, "unauthorized"}},
    {3003, {retry::no, "forbidden"}},
    {3008, {retry::backoff, "timeout"}},
};

facts expected_facts(int code) {
    const auto found = registered.find(code);
    if (found != registered.end()) return found->second;
    if (code / 1000 == 3) return {retry::application, "unregistered"};
    if (code / 1000 == 4) return {retry::application, "private use"};
    return {retry::no, "reserved"};
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

TEST_CASE("every number has a name, its own or that of its range") {
    for_all_numbers([](int number) {
        const std::string_view expected = expected_facts(number).name;
        if (close_code_name(number) != expected) FAIL(number << ": " << close_code_name(number));
    });
}

TEST_CASE("every number has an advice for a client that might try again") {
    for_all_numbers([](int number) {
        if (retry_advice(number) != expected_facts(number).advice) FAIL("number " << number);
    });
}

TEST_CASE("the registry is in ascending order and has every entry of the table") {
    CHECK(sockless::close_code_registry.size() == registered.size());
    int before = 0;
    for (const auto& entry : sockless::close_code_registry) {
        CAPTURE(entry.code);
        CHECK(entry.code > before);
        REQUIRE(registered.count(entry.code) == 1);
        CHECK(entry.name == registered.at(entry.code).name);
        CHECK(entry.advice == registered.at(entry.code).advice);
        before = entry.code;
    }
}

TEST_CASE("what is only reported has a name, although it may not travel") {
    for (const int code : {1005, 1006, 1015}) {
        CAPTURE(code);
        CHECK(close_code_name(code) != "reserved");
        CHECK_FALSE(close_code::from(code).has_value());
    }
}
