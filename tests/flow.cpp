// When to take no more events, and when the application hears that there is room again.

#include <sockless/flow.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "support/catch.hpp"

namespace {

using namespace sockless;

constexpr std::size_t high = 100;
constexpr std::size_t low = 30;

// Output of any size, without anything in it that matters.
class sized_output {
  public:
    constexpr void become(std::size_t size) {
        out_.clear();
        out_.release();
        const std::array<octet, 64> some{};
        while (size > 0) {
            const std::size_t piece = std::min(size, some.size());
            if (!out_.reserve(piece)) return;
            out_.append(std::span(some).first(piece));
            size -= piece;
        }
    }
    constexpr outgoing& operator*() { return out_; }

  private:
    heap memory_;
    outgoing out_{memory_, unlimited};
};

constexpr bool pauses_between_its_marks() {
    sized_output out;
    flow gate(high, low, true);
    out.become(high);
    if (gate.changes(*out) || gate.is_paused()) return false;
    out.become(high + 1);
    if (!gate.changes(*out) || !gate.is_paused() || gate.changes(*out)) return false;
    out.become(low + 1);
    if (gate.changes(*out) || !gate.is_paused()) return false;
    out.become(low);
    return gate.changes(*out) && !gate.is_paused() && !gate.changes(*out);
}
static_assert(pauses_between_its_marks());

}  // namespace

TEST_CASE("a connection pauses above the high mark until its output has fallen to the low one") {
    CHECK(pauses_between_its_marks());
    sized_output out;
    flow gate(high, low, true);
    for (int round = 0; round < 3; ++round) {
        for (std::size_t size = 0; size <= high; ++size) {
            out.become(size);
            CHECK_FALSE(gate.changes(*out));
            CHECK_FALSE(gate.is_paused());
        }
        out.become(high + 1);
        CHECK(gate.changes(*out));
        for (std::size_t size = high + 50; size > low; --size) {
            out.become(size);
            CHECK_FALSE(gate.changes(*out));
            CHECK(gate.is_paused());
        }
        out.become(low);
        CHECK(gate.changes(*out));
        CHECK_FALSE(gate.is_paused());
    }
}

TEST_CASE("what is lent counts as output as well") {
    sized_output out;
    flow gate(high, low, true);
    const std::array<octet, 71> lent{};
    out.become(low);
    (*out).lend(std::span(lent).first(70));
    CHECK_FALSE(gate.changes(*out));
    (*out).lend(lent);
    CHECK(gate.changes(*out));
    CHECK(gate.is_paused());
    (*out).lend(std::span(lent).first(1));
    CHECK_FALSE(gate.changes(*out));
    (*out).lend({});
    CHECK(gate.changes(*out));
    CHECK_FALSE(gate.is_paused());
}

TEST_CASE("whoever may not pause does not, but hears when the output has fallen from above high") {
    sized_output out;
    flow gate(high, low, false);
    out.become(10 * high);
    CHECK_FALSE(gate.changes(*out));
    CHECK_FALSE(gate.is_paused());
    out.become(low + 1);
    CHECK_FALSE(gate.changes(*out));
    gate.on_written(*out);
    CHECK_FALSE(gate.is_drained());
    out.become(low);
    gate.on_written(*out);
    CHECK(gate.is_drained());
    gate.told();
    gate.on_written(*out);
    CHECK_FALSE(gate.is_drained());
}

TEST_CASE("nothing drains of which nobody was told that it is full") {
    sized_output out;
    flow gate(high, low, true);
    for (const std::size_t size : {high, low + 1, low, std::size_t{0}}) {
        out.become(size);
        CHECK_FALSE(gate.changes(*out));
        gate.on_written(*out);
        CHECK_FALSE(gate.is_drained());
    }
}

TEST_CASE("who was told full hears once that the output has fallen to the low mark") {
    for (const bool may_pause : {false, true}) {
        sized_output out;
        flow gate(high, low, may_pause);
        for (int round = 0; round < 3; ++round) {
            out.become(50);
            gate.on_full();
            gate.on_full();
            gate.on_written(*out);
            CHECK_FALSE(gate.is_drained());
            out.become(low + 1);
            gate.on_written(*out);
            CHECK_FALSE(gate.is_drained());
            out.become(low);
            CHECK_FALSE(gate.is_drained());
            gate.on_written(*out);
            CHECK(gate.is_drained());
            CHECK(gate.is_drained());
            gate.told();
            CHECK_FALSE(gate.is_drained());
            out.become(0);
            gate.on_written(*out);
            CHECK_FALSE(gate.is_drained());
        }
    }
}

TEST_CASE("who has lent something hears once that all of it is back") {
    sized_output out;
    flow gate(high, low, true);
    const std::array<octet, 20> lent{};
    gate.on_lent(20);
    (*out).lend(lent);
    gate.on_written(*out);
    CHECK_FALSE(gate.is_drained());
    (*out).lend(std::span(lent).last(1));
    gate.on_written(*out);
    CHECK_FALSE(gate.is_drained());
    (*out).lend({});
    gate.on_written(*out);
    CHECK(gate.is_drained());
    gate.told();
    gate.on_written(*out);
    CHECK_FALSE(gate.is_drained());
}

TEST_CASE(
    "what is lent comes back above the low mark, too, whoever waits for room goes on waiting") {
    sized_output out;
    flow gate(high, low, true);
    out.become(low + 1);
    gate.on_full();
    gate.on_lent(5);
    gate.on_written(*out);
    CHECK(gate.is_drained());
    gate.told();
    gate.on_written(*out);
    CHECK_FALSE(gate.is_drained());
    out.become(low);
    gate.on_written(*out);
    CHECK(gate.is_drained());
}

TEST_CASE("both at once are told once") {
    sized_output out;
    flow gate(high, low, true);
    gate.on_full();
    gate.on_lent(5);
    gate.on_written(*out);
    CHECK(gate.is_drained());
    gate.told();
    gate.on_written(*out);
    CHECK_FALSE(gate.is_drained());
}

TEST_CASE("nothing that is lent is back at once") {
    sized_output out;
    flow gate(high, low, true);
    gate.on_lent(0);
    CHECK(gate.is_drained());
    gate.told();
    gate.on_written(*out);
    CHECK_FALSE(gate.is_drained());
}

TEST_CASE("marks of zero pause as soon as there is anything") {
    sized_output out;
    flow gate(0, 0, true);
    CHECK_FALSE(gate.changes(*out));
    out.become(1);
    CHECK(gate.changes(*out));
    CHECK(gate.is_paused());
    out.become(0);
    CHECK(gate.changes(*out));
    gate.on_written(*out);
    CHECK(gate.is_drained());
}

TEST_CASE("of another connection nothing is known") {
    sized_output out;
    flow gate(high, low, true);
    out.become(high + 1);
    CHECK(gate.changes(*out));
    gate.on_lent(1);
    gate.on_lent(0);
    gate.restart();
    CHECK_FALSE(gate.is_paused());
    CHECK_FALSE(gate.is_drained());
    out.become(0);
    gate.on_written(*out);
    CHECK_FALSE(gate.is_drained());
    out.become(high + 1);
    CHECK(gate.changes(*out));
}
