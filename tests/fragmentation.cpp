// fragmentation.cpp -- tests of fragmentation.hpp.
#include <sockless/fragmentation.hpp>

#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "support/catch.hpp"

using sockless::behind;
using sockless::follow;
using sockless::fragmentation;
using sockless::fragmentation_step;
using sockless::message_type;
using sockless::opcode;
using sockless::rule;

namespace {

constexpr std::array all_states{fragmentation::none, fragmentation::text, fragmentation::binary};
constexpr std::array all_opcodes{opcode::continuation, opcode::text, opcode::binary};

std::string_view word(fragmentation state) {
    if (state == fragmentation::none) return "none";
    return state == fragmentation::text ? "text" : "binary";
}

std::string_view word(opcode op) {
    if (op == opcode::continuation) return "continuation";
    return op == opcode::text ? "text" : "binary";
}

// The full product, a line for each: state, opcode, FIN -> the next state, or the broken rule.
std::string full_product() {
    std::ostringstream lines;
    for (const fragmentation state : all_states) {
        for (const opcode op : all_opcodes) {
            for (const bool fin : {false, true}) {
                const fragmentation_step step = follow(state, op, fin);
                lines << word(state) << ' ' << word(op) << (fin ? " last" : " more") << " -> ";
                if (step.broken == rule::none) {
                    lines << word(step.next) << '\n';
                } else {
                    lines << "! " << name(step.broken) << '\n';
                }
            }
        }
    }
    return lines.str();
}

std::string contents(const std::string& path) {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    return all.str();
}

// RFC 6455, 5.4, without a table: a continuation continues, all else begins, and only one is open.
constexpr bool agrees(fragmentation state, opcode op, bool fin) {
    const bool open = state != fragmentation::none;
    const bool continues = op == opcode::continuation;
    const fragmentation_step step = follow(state, op, fin);
    if (continues && !open) return step.broken == rule::nothing_to_continue;
    if (!continues && open) return step.broken == rule::unfinished_message;
    if (step.broken != rule::none) return false;
    if (fin) return step.next == fragmentation::none;
    if (continues) return step.next == state;
    return step.next == (op == opcode::text ? fragmentation::text : fragmentation::binary);
}

constexpr bool all_agree() {
    for (const fragmentation state : all_states) {
        for (const opcode op : all_opcodes) {
            if (!agrees(state, op, false) || !agrees(state, op, true)) return false;
        }
    }
    return true;
}
static_assert(all_agree());
// The code says what the table says.
static_assert([] {
    bool same = true;
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 6; ++column) {
            same = same &&
                   follow(static_cast<fragmentation>(row), static_cast<opcode>(column / 2),
                          column % 2 == 1) == sockless::detail::fragmentation_table[row][column];
        }
    }
    return same;
}());
static_assert(follow(fragmentation::none, opcode::text, false) ==
              fragmentation_step{rule::none, fragmentation::text});
static_assert(unfinished(message_type::text) == fragmentation::text);

}  // namespace

TEST_CASE("the whole product of states and data frames is as in the snapshot") {
    const std::string got = full_product();
    const std::string expected = contents(SOCKLESS_TEST_DIR "/snapshots/fragmentation.txt");
    // Tests run in the build folder; there the difference can be looked at, and taken over.
    if (got != expected) std::ofstream("fragmentation.txt") << got;
    CHECK(got == expected);
}

TEST_CASE("F1 each data frame continues an open message or begins one where none is open") {
    for (const fragmentation state : all_states) {
        for (const opcode op : all_opcodes) {
            for (const bool fin : {false, true}) {
                CAPTURE(word(state), word(op), fin);
                CHECK(agrees(state, op, fin));
            }
        }
    }
}

TEST_CASE("a refused frame opens no message") {
    for (const fragmentation state : all_states) {
        for (const opcode op : all_opcodes) {
            for (const bool fin : {false, true}) {
                const fragmentation_step step = follow(state, op, fin);
                CAPTURE(word(state), word(op), fin);
                if (step.broken != rule::none) CHECK(step.next == fragmentation::none);
            }
        }
    }
}

TEST_CASE("a step is its rule and its state") {
    const fragmentation_step step{rule::none, fragmentation::text};
    CHECK(step == fragmentation_step{rule::none, fragmentation::text});
    CHECK_FALSE(step == fragmentation_step{rule::none, fragmentation::binary});
    CHECK_FALSE(step == fragmentation_step{rule::unfinished_message, fragmentation::text});
    CHECK(fragmentation_step{} == fragmentation_step{rule::none, fragmentation::none});
}

TEST_CASE("an unfinished message is of the type that its first frame had") {
    CHECK(unfinished(message_type::text) == fragmentation::text);
    CHECK(unfinished(message_type::binary) == fragmentation::binary);
    for (const message_type type : {message_type::text, message_type::binary}) {
        CHECK(unfinished(type) == follow(fragmentation::none, opcode_of(type), false).next);
        for (const bool fin : {false, true}) {
            CHECK(behind(type, fin) == follow(fragmentation::none, opcode_of(type), fin).next);
            CHECK(behind(type, fin) ==
                  follow(unfinished(type), sockless::opcode::continuation, fin).next);
        }
    }
}
