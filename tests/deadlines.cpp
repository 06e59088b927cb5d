// What a connection waits for, with a clock that stands still, jumps, and runs backwards.

#include <sockless/deadlines.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace sockless;

constexpr std::array all_timers{timer::opening, timer::ping,  timer::pong,   timer::idle,
                                timer::close,   timer::stall, timer::release};

// Each of another length, so that none is taken for another.
constexpr timeouts different{.opening = 1,
                             .ping = 20,
                             .pong = 300,
                             .idle = 4000,
                             .close = 50'000,
                             .stall = 600'000,
                             .idle_release = 7'000'000};

constexpr timeouts all_of(milliseconds wait) {
    return {.opening = wait,
            .ping = wait,
            .pong = wait,
            .idle = wait,
            .close = wait,
            .stall = wait,
            .idle_release = wait};
}

// When one timer runs out that is started at a time.
constexpr milliseconds due(milliseconds now, milliseconds wait) {
    deadlines clock(all_of(wait));
    clock.set_now(now);
    clock.start(timer::stall);
    return clock.next();
}

// The same if the time is told after it was started.
constexpr milliseconds due_before(milliseconds now, milliseconds wait) {
    deadlines clock(all_of(wait));
    clock.start(timer::stall);
    clock.set_now(now);
    return clock.next();
}

struct row {
    milliseconds now;
    milliseconds wait;
    milliseconds due;
};

constexpr std::array<row, 24> rows{{
    {0, 10, 10},
    {0, 0, 0},
    {0, -1, 0},
    {0, INT64_MIN, 0},
    {0, never, never},
    {0, never - 1, never - 1},
    {1, never - 1, never},
    {1, never - 2, never - 1},
    {2, never - 2, never},
    {1000, 10, 1010},
    {1000, -10, 1000},
    {1000, never, never},
    {-1, never - 1, never - 2},
    {-1, never, never},
    {-1000, 10, -990},
    {-1000, -10, -1000},
    {INT64_MIN, 10, INT64_MIN + 10},
    {INT64_MIN, never - 1, -2},
    {INT64_MIN, never, never},
    {INT64_MIN, INT64_MIN, INT64_MIN},
    {never - 1, 0, never - 1},
    {never - 1, 1, never},
    {never - 1, INT64_MIN, never - 1},
    {never - 10, 9, never - 1},
}};

constexpr bool every_row_is_true() {
    for (const row& entry : rows) {
        if (due(entry.now, entry.wait) != entry.due) return false;
        if (due_before(entry.now, entry.wait) != entry.due) return false;
    }
    return true;
}
static_assert(every_row_is_true());

static_assert([] {
    deadlines clock(different);
    clock.start(timer::ping);
    if (clock.next() != never || clock.take(timer::ping)) return false;
    clock.set_now(100);
    if (clock.next() != 120) return false;
    clock.set_now(119);
    if (clock.take(timer::ping)) return false;
    clock.set_now(120);
    return clock.take(timer::ping) && !clock.take(timer::ping) && clock.next() == never;
}());

static_assert(deadlines().next() == never && deadlines().now() == 0);

}  // namespace

TEST_CASE("every timer has its own duration out of the options") {
    CHECK(duration(different, timer::opening) == 1);
    CHECK(duration(different, timer::ping) == 20);
    CHECK(duration(different, timer::pong) == 300);
    CHECK(duration(different, timer::idle) == 4000);
    CHECK(duration(different, timer::close) == 50'000);
    CHECK(duration(different, timer::stall) == 600'000);
    CHECK(duration(different, timer::release) == 7'000'000);
    CHECK(duration(different, static_cast<timer>(7)) == never);
    for (const timer which : all_timers) {
        deadlines clock(different);
        clock.set_now(5);
        clock.start(which);
        CHECK(clock.next() == 5 + duration(different, which));
        for (const timer other : all_timers) CHECK(clock.runs(other) == (other == which));
    }
}

TEST_CASE("without options the durations are those of the defaults") {
    deadlines clock;
    clock.set_now(0);
    const std::array<milliseconds, 7> expected{10'000, 30'000, 20'000, never, 10'000, 60'000, 1000};
    for (std::size_t i = 0; i < all_timers.size(); ++i) {
        clock.start(all_timers[i]);
        CHECK(clock.next() == expected[i]);
        clock.stop(all_timers[i]);
    }
}

TEST_CASE("a sum of times ends where time does, at both ends") {
    for (const row& entry : rows) {
        CAPTURE(entry.now, entry.wait);
        CHECK(due(entry.now, entry.wait) == entry.due);
        CHECK(due_before(entry.now, entry.wait) == entry.due);
    }
}

TEST_CASE("as long as no time was told, nothing is too late, whatever was started") {
    for (const milliseconds wait :
         {milliseconds{0}, milliseconds{-1}, INT64_MIN, milliseconds{1}}) {
        deadlines clock(all_of(wait));
        for (const timer which : all_timers) {
            clock.start(which);
            CHECK(clock.runs(which));
            CHECK_FALSE(clock.take(which));
            CHECK(clock.runs(which));
        }
        CHECK(clock.next() == never);
        CHECK(clock.now() == 0);
    }
}

TEST_CASE("the first time is the origin: what waited before has waited for nothing by then") {
    for (const milliseconds origin : {milliseconds{0}, milliseconds{-1'000'000'000'000},
                                      milliseconds{1'700'000'000'000}, INT64_MIN}) {
        CAPTURE(origin);
        deadlines clock(different);
        clock.start(timer::opening);
        clock.start(timer::close);
        clock.set_now(origin);
        CHECK(clock.now() == origin);
        CHECK(clock.next() == origin + 1);
        CHECK_FALSE(clock.take(timer::opening));
        CHECK_FALSE(clock.take(timer::close));
        CHECK_FALSE(clock.runs(timer::pong));
        clock.set_now(origin + 1);
        CHECK(clock.take(timer::opening));
        CHECK(clock.next() == origin + 50'000);
    }
}

TEST_CASE("a timer runs out at its time, not before, and tells so once") {
    deadlines clock(different);
    clock.set_now(1000);
    clock.start(timer::pong);
    clock.start(timer::idle);
    clock.set_now(1299);
    CHECK_FALSE(clock.take(timer::pong));
    CHECK(clock.next() == 1300);
    clock.set_now(1300);
    CHECK(clock.next() == 1300);
    CHECK(clock.take(timer::pong));
    CHECK_FALSE(clock.take(timer::pong));
    CHECK_FALSE(clock.runs(timer::pong));
    CHECK(clock.next() == 5000);
    CHECK_FALSE(clock.take(timer::idle));
    CHECK_FALSE(clock.take(timer::ping));
}

TEST_CASE("time that stands still or runs backwards is no later than it was") {
    deadlines clock(different);
    clock.set_now(1000);
    clock.start(timer::ping);
    for (const milliseconds earlier :
         {milliseconds{1000}, milliseconds{999}, milliseconds{0}, milliseconds{-5}, INT64_MIN}) {
        clock.set_now(earlier);
        CHECK(clock.now() == 1000);
        CHECK(clock.next() == 1020);
        CHECK_FALSE(clock.take(timer::ping));
    }
    clock.set_now(INT64_MIN);
    clock.start(timer::pong);
    CHECK(clock.next() == 1020);
    clock.set_now(1020);
    CHECK(clock.take(timer::ping));
    CHECK(clock.next() == 1300);
}

TEST_CASE("time that jumps runs out of every timer that it passed") {
    for (const milliseconds later : {milliseconds{7'001'000}, milliseconds{1} << 50, never - 1}) {
        deadlines clock(different);
        clock.set_now(0);
        for (const timer which : all_timers) clock.start(which);
        clock.set_now(later);
        CHECK(clock.next() == 1);
        for (const timer which : all_timers) {
            CHECK(clock.take(which));
            CHECK_FALSE(clock.take(which));
        }
        CHECK(clock.next() == never);
    }
    deadlines clock(different);
    clock.set_now(INT64_MIN);
    for (const timer which : all_timers) clock.start(which);
    clock.set_now(never);
    for (const timer which : all_timers) CHECK(clock.take(which));
}

TEST_CASE("a timer that waits for ever never runs out, not even at the end of time") {
    deadlines clock(all_of(never));
    for (const timer which : all_timers) clock.start(which);
    clock.set_now(0);
    for (const timer which : all_timers) clock.start(which);
    clock.set_now(never);
    for (const timer which : all_timers) {
        CHECK_FALSE(clock.runs(which));
        CHECK_FALSE(clock.take(which));
    }
    CHECK(clock.next() == never);
}

TEST_CASE("a timer that is started again begins anew, and one that is stopped is over") {
    deadlines clock(different);
    clock.set_now(0);
    clock.start(timer::ping);
    clock.set_now(15);
    clock.start(timer::ping);
    clock.set_now(34);
    CHECK_FALSE(clock.take(timer::ping));
    CHECK(clock.next() == 35);
    clock.set_now(100);
    clock.stop(timer::ping);
    CHECK_FALSE(clock.runs(timer::ping));
    CHECK_FALSE(clock.take(timer::ping));
    CHECK(clock.next() == never);

    for (const timer which : all_timers) clock.start(which);
    clock.stop_all();
    for (const timer which : all_timers) CHECK_FALSE(clock.runs(which));
    CHECK(clock.next() == never);
    clock.set_now(never - 1);
    for (const timer which : all_timers) CHECK_FALSE(clock.take(which));
}

TEST_CASE("timers do what a list of them does, over thousands of steps") {
    std::mt19937_64 random(7);
    for (int round = 0; round < 200; ++round) {
        deadlines clock(different);
        std::map<timer, milliseconds> list;
        std::optional<milliseconds> now;
        const auto origin = static_cast<milliseconds>(random());
        for (int step = 0; step < 100; ++step) {
            const timer which = all_timers[static_cast<std::size_t>(random() % all_timers.size())];
            switch (random() % 4) {
                case 0: {
                    const milliseconds wait = duration(different, which);
                    if (now && *now > never - 8'000'000) break;
                    list[which] = now.value_or(0) + wait;
                    clock.start(which);
                    break;
                }
                case 1:
                    list.erase(which);
                    clock.stop(which);
                    break;
                case 2: {
                    const bool over = now && list.contains(which) && list[which] <= *now;
                    REQUIRE(clock.take(which) == over);
                    if (over) list.erase(which);
                    break;
                }
                default: {
                    if (!now) {
                        const milliseconds first = origin / 2;
                        for (auto& entry : list) entry.second += first;
                        now = first;
                        clock.set_now(first);
                        break;
                    }
                    const milliseconds step_by =
                        static_cast<milliseconds>(random() % 100'000) - 1000;
                    clock.set_now(*now + step_by);
                    if (step_by > 0) now = *now + step_by;
                    break;
                }
            }
            milliseconds first = never;
            for (const auto& entry : list) first = entry.second < first ? entry.second : first;
            REQUIRE(clock.next() == (now ? first : never));
            REQUIRE(clock.now() == now.value_or(0));
            for (const timer each : all_timers) REQUIRE(clock.runs(each) == list.contains(each));
        }
    }
}
