// opcode.cpp -- tests of opcode.hpp.
#include <sockless/opcode.hpp>

#include <array>
#include <cstddef>
#include <string_view>

#include "support/catch.hpp"

using sockless::is_control;
using sockless::is_reserved;
using sockless::message_type;
using sockless::opcode;
using sockless::opcode_of;

namespace {

// RFC 6455, 5.2, in the order of the numbers: data and control, and what is reserved for each.
constexpr std::string_view kinds = "DDDdddddCCCccccc";

constexpr bool is_one_of(char kind, std::string_view kinds_of_it) {
    return kinds_of_it.find(kind) != std::string_view::npos;
}

static_assert(!is_reserved(opcode::pong) && is_control(opcode::pong));
static_assert(!is_reserved(opcode::binary) && !is_control(opcode::binary));
static_assert(is_reserved(opcode{0x3}) && !is_control(opcode{0x3}));
static_assert(is_reserved(opcode{0xF}) && is_control(opcode{0xF}));

}  // namespace

TEST_CASE("each of the sixteen opcodes is data, control, or reserved for one of them") {
    REQUIRE(kinds.size() == 16);
    for (std::size_t number = 0; number < 16; ++number) {
        const auto op = static_cast<opcode>(number);
        CAPTURE(number);
        CHECK(is_reserved(op) == is_one_of(kinds[number], "dc"));
        CHECK(is_control(op) == is_one_of(kinds[number], "Cc"));
    }
}

TEST_CASE("the opcodes have the numbers of RFC 6455, 5.2") {
    CHECK(opcode::continuation == opcode{0x0});
    CHECK(opcode::text == opcode{0x1});
    CHECK(opcode::binary == opcode{0x2});
    CHECK(opcode::close == opcode{0x8});
    CHECK(opcode::ping == opcode{0x9});
    CHECK(opcode::pong == opcode{0xA});
}

TEST_CASE("a message's type has the opcode of its first frame") {
    CHECK(opcode_of(message_type::text) == opcode::text);
    CHECK(opcode_of(message_type::binary) == opcode::binary);
    STATIC_REQUIRE(opcode_of(message_type::text) == opcode{1});
    STATIC_REQUIRE(opcode_of(message_type::binary) == opcode{2});
}
