// event_range.cpp -- tests of event_range.hpp.
#include <sockless/event_range.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "support/catch.hpp"

using sockless::event_range;
using sockless::octet;

namespace {

struct event {
    enum class what : std::uint8_t { nothing, number };

    what kind = what::nothing;
    octet value = 0;
};

// Gives an event for each even octet, and passes over the odd ones in front of it.
struct machine {
    std::size_t calls = 0;

    constexpr void next(std::span<octet>& in, event& told) noexcept {
        ++calls;
        told = {};
        while (!in.empty() && told.kind == event::what::nothing) {
            const octet value = in.front();
            in = in.subspan(1);
            if (value % 2 == 0) told = {event::what::number, value};
        }
    }

    constexpr event_range<machine, event> receive(std::span<octet>& in) noexcept {
        return {*this, in};
    }
};

constexpr int sum(std::array<octet, 6> octets) {
    machine even;
    std::span<octet> in = octets;
    int all = 0;
    for (const event& each : even.receive(in)) all += each.value;
    return in.empty() ? all : -1;
}
static_assert(sum({1, 2, 3, 4, 5, 6}) == 12);
static_assert(sum({1, 1, 1, 1, 1, 1}) == 0);

}  // namespace

TEST_CASE("a range gives every event until there is nothing") {
    std::array<octet, 7> octets{2, 4, 1, 6, 3, 8, 5};
    machine even;
    std::span<octet> in = octets;
    std::vector<int> values;
    for (const event& each : even.receive(in)) values.push_back(each.value);
    CHECK(values == std::vector<int>{2, 4, 6, 8});
    CHECK(in.empty());
    CHECK(even.calls == 5);
}

TEST_CASE("a range takes no event before it is asked for one") {
    std::array<octet, 4> octets{1, 2, 3, 4};
    machine even;
    std::span<octet> in = octets;
    const event_range<machine, event> range = even.receive(in);
    CHECK(even.calls == 0);
    CHECK(in.size() == 4);

    auto each = range.begin();
    CHECK(even.calls == 1);
    CHECK(in.size() == 2);
    CHECK_FALSE(each == range.end());
    CHECK(each->value == 2);
    CHECK((*each).value == 2);
    CHECK(even.calls == 1);

    auto& same = ++each;
    CHECK(&same == &each);
    CHECK(even.calls == 2);
    CHECK(in.empty());
    CHECK(each->value == 4);
    CHECK_FALSE(each == range.end());

    ++each;
    CHECK(even.calls == 3);
    CHECK(each == range.end());
    CHECK(range.end() == each);
}

TEST_CASE("a loop that is left early leaves the rest where it is") {
    std::array<octet, 6> octets{1, 2, 3, 4, 5, 6};
    machine even;
    std::span<octet> in = octets;
    for (const event& each : even.receive(in)) {
        if (each.value == 4) break;
    }
    CHECK(in.data() == octets.data() + 4);
    CHECK(in.size() == 2);
    std::vector<int> values;
    for (const event& each : even.receive(in)) values.push_back(each.value);
    CHECK(values == std::vector<int>{6});
}

TEST_CASE("a range over no octets asks once") {
    machine even;
    std::span<octet> in;
    std::size_t events = 0;
    for ([[maybe_unused]] const event& each : even.receive(in)) ++events;
    CHECK(events == 0);
    CHECK(even.calls == 1);
}

TEST_CASE("a range follows the caller's variable") {
    std::array<octet, 2> first{2, 4};
    std::array<octet, 2> second{6, 8};
    machine even;
    std::span<octet> in = first;
    std::vector<int> values;
    for (const event& each : even.receive(in)) {
        values.push_back(each.value);
        if (each.value == 2) in = second;
    }
    CHECK(values == std::vector<int>{2, 6, 8});
}
