// close_code_registry.cpp -- tests of close_code_registry.hpp.
#include <sockless/close_code_registry.hpp>

#include <climits>
#include <map>
#include <string_view>

#include <sockless/close_code.hpp>

#include "support/catch.hpp"

using sockless::close_code;
using sockless::close_code_name;
using sockless::retry;
using sockless::retry_advice;

namespace {

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
