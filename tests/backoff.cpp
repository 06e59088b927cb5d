// backoff.cpp -- tests of backoff.hpp.
#include <sockless/backoff.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using sockless::backoff;
using sockless::backoff_options;
using sockless::cause;
using sockless::close_report;
using sockless::closing;
using sockless::jitter;
using sockless::milliseconds;
using sockless::never;
using sockless::octet;
using sockless::retry;
using sockless::rule;
using sockless::side;
using sockless::text_view;
using sockless::violation;

namespace {

constexpr std::uint32_t lowest = 0;
constexpr std::uint32_t middle = 0x8000'0000;
constexpr std::uint32_t highest = 0xFFFF'FFFF;

constexpr backoff_options simple(jitter spread, std::uint32_t factor = 2) {
    return {.first = 1000, .cap = 10'000, .factor = factor, .spread = spread};
}

constexpr close_report ended_by_peer(int code) {
    const auto number = static_cast<std::uint16_t>(code);
    return {.state = closing::closed, .began = side::peer, .sent = number, .received = number};
}

struct range {
    milliseconds low;
    milliseconds high;
    friend constexpr bool operator==(const range&, const range&) = default;
};

// What the next delay is drawn from, and what comes of all the randomness in between.
range range_of(const backoff& wait) {
    backoff low = wait;
    backoff high = wait;
    return {low.next(lowest), high.next(highest)};
}
std::optional<range> range_of(const backoff& wait, const close_report& why) {
    backoff low = wait;
    backoff high = wait;
    const std::optional<milliseconds> least = low.next(lowest, why);
    const std::optional<milliseconds> most = high.next(highest, why);
    REQUIRE(least.has_value() == most.has_value());
    if (!least) return std::nullopt;
    return range{*least, *most};
}

template <std::size_t Count>
constexpr std::array<milliseconds, Count> delays(backoff wait, std::uint32_t random) {
    std::array<milliseconds, Count> all{};
    for (milliseconds& one : all) one = wait.next(random);
    return all;
}

using six = std::array<milliseconds, 6>;
static_assert(delays<6>(backoff(simple(jitter::full)), highest) ==
              six{1000, 2000, 4000, 8000, 10'000, 10'000});
static_assert(delays<6>(backoff(simple(jitter::full)), middle) ==
              six{500, 1000, 2000, 4000, 5000, 5000});
static_assert(delays<6>(backoff(simple(jitter::full)), lowest) == six{0, 0, 0, 0, 0, 0});
static_assert(delays<6>(backoff(simple(jitter::equal)), lowest) ==
              six{500, 1000, 2000, 4000, 5000, 5000});
static_assert(delays<6>(backoff(simple(jitter::equal)), highest) ==
              six{1000, 2000, 4000, 8000, 10'000, 10'000});
static_assert(delays<6>(backoff(simple(jitter::decorrelated, 3)), highest) ==
              six{3000, 9000, 10'000, 10'000, 10'000, 10'000});
static_assert(delays<6>(backoff(simple(jitter::decorrelated, 3)), lowest) ==
              six{1000, 1000, 1000, 1000, 1000, 1000});
static_assert(!backoff().next(middle, ended_by_peer(1000)));
static_assert(backoff().next(highest, ended_by_peer(1001)) == 5000);
static_assert([] {
    backoff wait;
    const std::array<octet, 2> text{'1', '0'};
    return wait.retry_after("7") && wait.next(lowest) == 7000 && wait.next(lowest) == 0 &&
           wait.retry_after(text_view{text}) && wait.next(lowest) == 10'000 &&
           !wait.retry_after("soon");
}());

const std::array all_jitters{jitter::full, jitter::equal, jitter::decorrelated};

}  // namespace

TEST_CASE("the first delay is between 0 and 5 seconds, as the RFC suggests, and then it doubles") {
    backoff wait;
    std::vector<milliseconds> most;
    for (int i = 0; i < 8; ++i) {
        CHECK(range_of(wait).low == 0);
        most.push_back(wait.next(highest));
    }
    CHECK(most == std::vector<milliseconds>{5000, 10'000, 20'000, 40'000, 80'000, 120'000, 120'000,
                                            120'000});
}

TEST_CASE("full jitter draws from 0, equal jitter from half of the range") {
    CHECK(range_of(backoff(simple(jitter::full))) == range{0, 1000});
    CHECK(range_of(backoff(simple(jitter::equal))) == range{500, 1000});
    const backoff odd({.first = 7, .cap = 7, .factor = 1, .spread = jitter::equal});
    CHECK(range_of(odd) == range{4, 7});
}

TEST_CASE("how far the range has grown does not depend on what was drawn from it") {
    for (const jitter spread : {jitter::full, jitter::equal}) {
        backoff lucky(simple(spread));
        backoff unlucky(simple(spread));
        for (int i = 0; i < 6; ++i) {
            CHECK(range_of(lucky) == range_of(unlucky));
            static_cast<void>(lucky.next(lowest));
            static_cast<void>(unlucky.next(highest));
        }
    }
}

TEST_CASE("decorrelated jitter draws from the first delay to a multiple of the last one") {
    backoff wait({.first = 100, .cap = 5000, .factor = 3, .spread = jitter::decorrelated});
    CHECK(range_of(wait) == range{100, 300});
    const milliseconds one = wait.next(middle);
    CHECK(one == 200);
    CHECK(range_of(wait) == range{100, 3 * one});
    const milliseconds two = wait.next(0xC000'0000);
    CHECK(two == 475);
    CHECK(range_of(wait) == range{100, 3 * two});
    CHECK(wait.next(lowest) == 100);
    CHECK(range_of(wait) == range{100, 300});
    for (int i = 0; i < 10; ++i) static_cast<void>(wait.next(highest));
    CHECK(range_of(wait) == range{100, 5000});
}

TEST_CASE("every delay in the range is drawn as often as any other") {
    // All of 2^32 in steps: 1,001 delays share 4,294,967 draws.
    std::vector<std::uint32_t> times(1001);
    constexpr std::uint64_t step = 1000;
    for (std::uint64_t random = 0; random <= highest; random += step) {
        backoff wait(simple(jitter::full));
        ++times.at(static_cast<std::size_t>(wait.next(static_cast<std::uint32_t>(random))));
    }
    const auto [least, most] = std::minmax_element(times.begin(), times.end());
    CHECK(*least >= 4289);
    CHECK(*most <= 4292);
}

TEST_CASE("more randomness is never a shorter delay, and a range of 2^32 uses all of it") {
    const backoff wide({.first = 0xFFFF'FFFF, .cap = never});
    for (const std::uint32_t random : {0U, 1U, 2U, 0x7FFF'FFFFU, 0x8000'0000U, 0xFFFF'FFFFU}) {
        backoff wait = wide;
        CHECK(wait.next(random) == random);
    }
    const backoff wider({.first = 0x1'FFFF'FFFF, .cap = never});
    for (const std::uint32_t random : {0U, 1U, 2U, 0x7FFF'FFFFU, 0x8000'0000U, 0xFFFF'FFFFU}) {
        backoff wait = wider;
        CHECK(wait.next(random) == milliseconds{2} * random);
    }
}

TEST_CASE("in a range of all times there are, the delay is the randomness as its upper bits") {
    for (const std::uint32_t random : {0U, 1U, 0x8000'0000U, 0xFFFF'FFFFU}) {
        backoff wait({.first = never, .cap = never});
        CHECK(wait.next(random) == milliseconds{random} << 31);
        CHECK(wait.next(random) == milliseconds{random} << 31);
    }
}

TEST_CASE("an advice against it is no delay, and leaves all as it is") {
    struct row {
        std::uint16_t code;
        bool again;
    };
    for (const row& one : {
             row{1000, false}, row{1001, true},  row{1002, false},  row{1003, false},
             row{1004, false}, row{1005, true},  row{1006, true},   row{1007, false},
             row{1008, false}, row{1009, false}, row{1010, false},  row{1011, true},
             row{1012, true},  row{1013, false}, row{1014, true},   row{1015, false},
             row{1016, false}, row{2999, false}, row{3000, false},  row{3003, false},
             row{3008, true},  row{3999, true},  row{4000, true},   row{4999, true},
             row{5000, false}, row{0, false},    row{65535, false},
         }) {
        CAPTURE(one.code);
        backoff wait(simple(jitter::equal));
        REQUIRE(wait.retry_after("1"));
        CHECK(wait.next(lowest, ended_by_peer(one.code)).has_value() == one.again);
        if (!one.again) CHECK(range_of(wait) == range{1500, 2000});
    }
}

TEST_CASE("the application's own codes are waited for like any other") {
    for (const int code : {1001, 1005, 1006, 1011, 1014, 3001, 3008, 4000, 4999}) {
        CAPTURE(code);
        for (const jitter spread : all_jitters) {
            const backoff wait(simple(spread));
            CHECK(range_of(wait, ended_by_peer(code)) == range_of(wait));
            backoff by_code = wait;
            backoff by_failure = wait;
            for (int i = 0; i < 5; ++i) {
                CHECK(by_code.next(middle, ended_by_peer(code)) == by_failure.next(middle));
            }
        }
    }
}

TEST_CASE("a report without a Close from the peer is an abnormal closure") {
    close_report none;
    CHECK(range_of(backoff(simple(jitter::full)), none) == range{0, 1000});
    none = {.state = closing::closed, .received = 1006};
    CHECK(range_of(backoff(simple(jitter::full)), none) == range{0, 1000});
}

TEST_CASE("a peer that broke any rule is left alone, whatever code there was") {
    for (std::size_t i = 1; i < sockless::rule_table.size(); ++i) {
        const rule broken = sockless::rule_table[i].id;
        CAPTURE(sockless::rule_table[i].name);
        CHECK(sockless::retry_advice(code(broken)) == retry::no);
        close_report why = ended_by_peer(1006);
        why.fault = violation{broken, 7};
        backoff wait;
        CHECK_FALSE(wait.next(middle, why));
    }
}

TEST_CASE("who has left does not come back by itself") {
    struct row {
        side began;
        std::uint16_t sent;
        bool again;
    };
    for (const row& one :
         {row{side::us, 1000, false}, row{side::us, 1005, false}, row{side::us, 1001, true},
          row{side::us, 1011, true}, row{side::us, 4000, true}, row{side::peer, 1000, true},
          row{side::peer, 1005, true}, row{side::nobody, 1000, true}}) {
        CAPTURE(one.began, one.sent);
        for (const int received : {1005, 1006, 1012, 4000}) {
            const close_report why{.state = closing::closed,
                                   .began = one.began,
                                   .sent = one.sent,
                                   .received = static_cast<std::uint16_t>(received)};
            backoff wait;
            CHECK(wait.next(middle, why).has_value() == one.again);
        }
    }
    const close_report dropped{.why = cause::aborted, .state = closing::closed, .received = 1006};
    CHECK_FALSE(backoff().next(middle, dropped));
    const close_report ours{.began = side::us, .received = 1006};
    backoff wait;
    CHECK(wait.next(middle, ours).has_value());
}

TEST_CASE("a connection that ended without anybody's will is tried again") {
    for (const cause why : {cause::nothing, cause::end_of_stream, cause::refused, cause::no_memory,
                            cause::opening_timeout, cause::dead_peer, cause::idle,
                            cause::close_timeout, cause::stalled}) {
        CAPTURE(why);
        const close_report report{.why = why, .state = closing::closed, .received = 1006};
        CHECK(backoff().next(middle, report) == 2500);
    }
}

TEST_CASE("a restarting server is left alone for 5 to 30 seconds, and longer the next time") {
    const close_report restart = ended_by_peer(1012);
    CHECK(range_of(backoff(), restart) == range{5000, 30'000});
    for (const jitter spread : all_jitters) {
        const backoff quick({.first = 10, .cap = 100'000, .spread = spread});
        CHECK(range_of(quick, restart) == range{5000, 30'000});
    }

    backoff wait;
    CHECK(wait.next(middle, restart) == 17'500);
    CHECK(range_of(wait) == range{0, 60'000});
    CHECK(range_of(wait, restart) == range{5000, 60'000});

    backoff odd({.first = 10, .cap = 100'000, .factor = 3, .spread = jitter::decorrelated});
    CHECK(odd.next(lowest, restart) == 5000);
    CHECK(range_of(odd) == range{10, 15'000});
    CHECK(range_of(odd, restart) == range{5000, 30'000});
}

TEST_CASE("a range that reaches further than 30 seconds is not made shorter by a restart") {
    const close_report restart = ended_by_peer(1012);
    const backoff_options slow{.first = 60'000, .cap = 80'000, .spread = jitter::equal};
    CHECK(range_of(backoff(slow), restart) == range{30'000, 60'000});
    backoff grown(slow);
    static_cast<void>(grown.next(lowest, restart));
    CHECK(range_of(grown, restart) == range{40'000, 80'000});
}

TEST_CASE("the cap holds for a restart too") {
    const close_report restart = ended_by_peer(1012);
    CHECK(range_of(backoff({.first = 10, .cap = 20'000}), restart) == range{5000, 20'000});
    CHECK(range_of(backoff({.first = 10, .cap = 1000}), restart) == range{1000, 1000});
}

TEST_CASE("Retry-After comes in front of the next delay, once") {
    backoff wait(simple(jitter::full));
    REQUIRE(wait.retry_after("120"));
    CHECK(range_of(wait) == range{120'000, 121'000});
    CHECK(wait.next(highest) == 121'000);
    CHECK(range_of(wait) == range{0, 2000});

    REQUIRE(wait.retry_after("5"));
    CHECK(wait.next(highest, ended_by_peer(1001)) == 7000);
    CHECK(range_of(wait) == range{0, 4000});

    REQUIRE(wait.retry_after("5"));
    CHECK(range_of(wait, ended_by_peer(1012)) == range{10'000, 15'000});

    backoff correlated({.first = 100, .cap = 5000, .factor = 3, .spread = jitter::decorrelated});
    REQUIRE(correlated.retry_after("60"));
    CHECK(correlated.next(middle) == 60'200);
    CHECK(range_of(correlated) == range{100, 600});
}

TEST_CASE("the last Retry-After that was understood counts") {
    backoff wait(simple(jitter::full));
    REQUIRE(wait.retry_after("120"));
    REQUIRE(wait.retry_after("3"));
    CHECK(range_of(wait).low == 3000);
    REQUIRE(wait.retry_after("0"));
    CHECK(range_of(wait).low == 0);
}

TEST_CASE("a Retry-After that is not a number of seconds changes nothing") {
    for (const char* const text :
         {"", " ", "1 ", " 1", "-1", "+1", "1.5", "0x10", "1e3", "/", ":", "1/", "1:", "soon",
          "1,2", "Fri, 31 Dec 1999 23:59:59 GMT", "\xB2", "99999999999999999999x"}) {
        CAPTURE(text);
        backoff wait(simple(jitter::full));
        REQUIRE(wait.retry_after("2"));
        CHECK_FALSE(wait.retry_after(std::string_view(text)));
        CHECK(range_of(wait) == range{2000, 3000});
        const std::string_view view = text;
        CHECK_FALSE(wait.retry_after(text_view{sockless::octets_of(view)}));
        CHECK(range_of(wait) == range{2000, 3000});
    }
    backoff wait;
    CHECK_FALSE(wait.retry_after(std::string_view("1\0", 2)));
    CHECK_FALSE(wait.retry_after(text_view{}));
    // Not even if it is so long that all that follows could have made us forget.
    CHECK_FALSE(wait.retry_after("x" + std::string(100, '0')));
    CHECK_FALSE(wait.retry_after("x" + std::string(100, '9')));
}

TEST_CASE("a Retry-After is read the same from octets as from a string") {
    for (const char* const text :
         {"0", "1", "09", "10", "000000000000000000000000000007", "86399"}) {
        CAPTURE(text);
        backoff from_string;
        backoff from_octets;
        REQUIRE(from_string.retry_after(std::string_view(text)));
        REQUIRE(from_octets.retry_after(text_view{sockless::octets_of(text)}));
        const milliseconds expected = std::stoll(text) * 1000;
        CHECK(range_of(from_string).low == expected);
        CHECK(range_of(from_octets).low == expected);
    }
}

TEST_CASE("a server cannot have us wait for longer than we like") {
    for (const char* const text :
         {"86400", "86401", "9223372036854775", "9223372036854776", "9223372036854775808",
          "18446744073709551616", "99999999999999999999999999999999999999999"}) {
        CAPTURE(text);
        backoff wait;
        REQUIRE(wait.retry_after(text));
        CHECK(range_of(wait).low == 86'400'000);
    }
    backoff brief({.longest_retry_after = 1500});
    REQUIRE(brief.retry_after("1"));
    CHECK(brief.next(lowest) == 1000);
    REQUIRE(brief.retry_after("2"));
    CHECK(brief.next(lowest) == 1500);
    for (const milliseconds none : {milliseconds{0}, milliseconds{-1}, -never - 1}) {
        backoff wait({.longest_retry_after = none});
        REQUIRE(wait.retry_after("10"));
        CHECK(wait.next(lowest) == 0);
    }
    for (const char* const text : {"9223372036854776", "99999999999999999999"}) {
        backoff patient({.longest_retry_after = never});
        REQUIRE(patient.retry_after(text));
        CHECK(patient.next(highest) == never);
    }
    backoff patient({.longest_retry_after = never});
    REQUIRE(patient.retry_after("9223372036854775"));
    CHECK(patient.next(lowest) == 9'223'372'036'854'775'000);
}

TEST_CASE("after a success the delays begin anew") {
    for (const jitter spread : all_jitters) {
        backoff wait(simple(spread, 3));
        const range first = range_of(wait);
        for (int i = 0; i < 4; ++i) static_cast<void>(wait.next(highest));
        CHECK_FALSE(range_of(wait) == first);
        REQUIRE(wait.retry_after("100"));
        wait.reset();
        CHECK(range_of(wait) == first);
    }
}

TEST_CASE("nothing wraps and nothing is longer than the cap, whatever the options are") {
    const std::array<milliseconds, 12> times{
        -never - 1, -1, 0, 1, 2, 5000, 30'000, 0xFFFFFFFF, never / 2, never - 1, never, 1LL << 32};
    const std::array<std::uint32_t, 6> factors{0, 1, 2, 3, 0x8000'0000, 0xFFFF'FFFF};
    for (const milliseconds first : times) {
        for (const milliseconds cap : times) {
            for (const std::uint32_t factor : factors) {
                for (const jitter spread : all_jitters) {
                    backoff wait({.first = first, .cap = cap, .factor = factor, .spread = spread});
                    const milliseconds most = std::max(cap, milliseconds{0});
                    for (const std::uint32_t random : {highest, lowest, middle, highest}) {
                        const milliseconds failed = wait.next(random);
                        const milliseconds slow = *wait.next(random, ended_by_peer(1012));
                        if (failed < 0 || failed > most ||
                            slow < std::min<milliseconds>(5000, most) || slow > most) {
                            FAIL("first " << first << " cap " << cap << " factor " << factor << ": "
                                          << failed << ", " << slow);
                        }
                    }
                    REQUIRE(wait.retry_after("99999999999999999999"));
                    if (wait.next(highest) < 86'400'000) FAIL("a floor was lost");
                }
            }
        }
    }
}

TEST_CASE("a first delay of nothing grows all the same") {
    backoff wait({.first = 0, .cap = 5});
    std::vector<milliseconds> most;
    for (int i = 0; i < 5; ++i) most.push_back(wait.next(highest));
    CHECK(most == std::vector<milliseconds>{0, 2, 4, 5, 5});
}

TEST_CASE("a factor of 1 does not grow, and 0 is 1") {
    for (const std::uint32_t factor : {0U, 1U}) {
        CHECK(delays<6>(backoff(simple(jitter::full, factor)), highest) ==
              six{1000, 1000, 1000, 1000, 1000, 1000});
    }
}

TEST_CASE("the range ends at the cap exactly, and not a step before it") {
    CHECK(delays<3>(backoff({.first = 3, .cap = 9, .factor = 3}), highest) ==
          std::array<milliseconds, 3>{3, 9, 9});
    CHECK(delays<3>(backoff({.first = 3, .cap = 8, .factor = 3}), highest) ==
          std::array<milliseconds, 3>{3, 8, 8});
    CHECK(delays<3>(backoff({.first = 3, .cap = 10, .factor = 3}), highest) ==
          std::array<milliseconds, 3>{3, 9, 10});
    CHECK(delays<2>(backoff({.first = 30, .cap = 10}), highest) ==
          std::array<milliseconds, 2>{10, 10});
}

TEST_CASE("a thousand clients that are sent away at once do not come back at once") {
    std::mt19937 rng(1);
    std::array<int, 5> seconds{};
    for (int i = 0; i < 1000; ++i) {
        backoff wait;
        const auto random = static_cast<std::uint32_t>(rng());
        ++seconds.at(static_cast<std::size_t>(*wait.next(random, ended_by_peer(1001)) / 1001));
    }
    for (const int count : seconds) CHECK((count > 150 && count < 250));
}
