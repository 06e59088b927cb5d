// What a connection tells, and what it wants: small, and as the documentation says.

#include <sockless/events.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "support/catch.hpp"

namespace {

using namespace sockless;

static_assert(std::is_trivially_copyable_v<event> && std::is_aggregate_v<event>);
static_assert(std::is_trivially_copyable_v<wants> && std::is_aggregate_v<wants>);
static_assert(std::is_trivially_copyable_v<counters>);
static_assert(sizeof(event) == (sizeof(void*) == 8 ? 32 : 24) ||
              (sizeof(void*) == 4 && alignof(std::uint64_t) == 4));
static_assert(sizeof(event) <= 32);

static_assert(event().kind == event::what::nothing && event().text().empty());
static_assert(!event().first && !event().last && event().code == 0 && event().remaining == 0);
static_assert(event().type == message_type::binary);

constexpr bool says(std::string_view expected) {
    std::array<octet, 2> octets{'h', 'i'};
    return event{.kind = event::what::message, .type = message_type::text, .payload = octets}
               .text() == expected;
}
static_assert(says("hi") && !says("ho") && !says("h"));

static_assert(wants() == wants{.read = false, .write = false, .events = false});
static_assert(wants().ending == ending::keep);
static_assert(wants() != wants{.read = true} && wants() != wants{.write = true});
static_assert(wants() != wants{.events = true} && wants() != wants{.ending = ending::drop});
static_assert(wants{.ending = ending::half_close} != wants{.ending = ending::drop});

// A connection goes on from one to the next, and never back.
static_assert(phase::idle < phase::opening && phase::opening < phase::asked);
static_assert(phase::asked < phase::open && phase::open < phase::ending);
static_assert(phase::ending < phase::ended && phase::ended < phase::finished);

static_assert(traffic() != traffic{.octets = 1} && traffic() != traffic{.frames = 1});
static_assert(traffic() != traffic{.messages = 1} && traffic() != traffic{.control = 1});
static_assert(counters() == counters{} && counters() != counters{.received = {.frames = 1}});
static_assert(counters() != counters{.sent = {.control = 1}});

}  // namespace

TEST_CASE("an event is its payload as octets and as text, and neither is a copy") {
    std::array<octet, 5> octets{'H', 'e', 'l', 'l', 'o'};
    const event told{.kind = event::what::message, .type = message_type::text, .payload = octets};
    CHECK(told.text() == "Hello");
    CHECK(told.text().octets.data() == octets.data());
    octets[0] = 'J';
    CHECK(told.text() == "Jello");
    CHECK(std::string_view(told.text()) == "Jello");
    CHECK(event().text() == "");
    CHECK(says("hi"));
}

TEST_CASE("wants and counters are compared member by member") {
    const wants all{.read = true, .write = true, .events = true, .ending = ending::half_close};
    const std::array others{
        wants{false, true, true, ending::half_close}, wants{true, false, true, ending::half_close},
        wants{true, true, false, ending::half_close}, wants{true, true, true, ending::drop}};
    CHECK(all == wants{true, true, true, ending::half_close});
    for (const wants& other : others) CHECK_FALSE(all == other);

    const counters some{.received = {1, 2, 3, 4}, .sent = {5, 6, 7, 8}};
    CHECK(some == counters{{1, 2, 3, 4}, {5, 6, 7, 8}});
    for (std::size_t member = 0; member < 8; ++member) {
        std::array<std::uint64_t, 8> n{1, 2, 3, 4, 5, 6, 7, 8};
        n[member] = 9;
        const counters other{{n[0], n[1], n[2], n[3]}, {n[4], n[5], n[6], n[7]}};
        CHECK_FALSE(some == other);
    }
}
