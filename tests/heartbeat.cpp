// Pings that ask a silent peer whether it is there, and how long the way there and back is.

#include <sockless/heartbeat.hpp>

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace sockless;

using ping_payload = std::array<octet, 4>;

// A ping that has left at a time.
constexpr heartbeat asked(milliseconds now) {
    heartbeat beat;
    beat.fall_due();
    beat.sent(100);
    static_cast<void>(beat.leaves(100, now));
    return beat;
}

// The time between a ping and its pong.
constexpr milliseconds timed(milliseconds asked_at, milliseconds answered_at) {
    heartbeat beat = asked(asked_at);
    beat.on_pong(beat.payload(), answered_at);
    return beat.round_trip();
}

static_assert(heartbeat().round_trip() == never && !heartbeat().is_due());
static_assert(timed(1000, 1042) == 42);
static_assert(timed(0, 0) == 0);
static_assert(timed(-1000, 1000) == 2000);
static_assert(timed(INT64_MIN, INT64_MIN + 5) == 5);
static_assert(timed(never - 5, never - 1) == 4);
static_assert(timed(-1, never - 2) == never - 1);
static_assert([] {
    heartbeat beat;
    beat.fall_due();
    beat.sent(6);
    return !beat.leaves(5, 0) && beat.leaves(6, 0) && !beat.leaves(7, 0);
}());

}  // namespace

TEST_CASE("a ping is due until it was sent, or is skipped") {
    heartbeat beat;
    CHECK_FALSE(beat.is_due());
    beat.fall_due();
    CHECK(beat.is_due());
    beat.skip();
    CHECK_FALSE(beat.is_due());
    beat.fall_due();
    beat.sent(10);
    CHECK_FALSE(beat.is_due());
    beat.fall_due();
    CHECK(beat.is_due());
}

TEST_CASE("every ping has another payload, which stays until the next is due") {
    heartbeat beat;
    std::set<ping_payload> seen;
    for (int i = 0; i < 1000; ++i) {
        beat.fall_due();
        const ping_payload payload = beat.payload();
        CHECK(seen.insert(payload).second);
        if (i % 3 == 0) beat.skip();
        if (i % 3 == 1) beat.sent(static_cast<std::uint64_t>(i));
        CHECK(beat.payload() == payload);
    }
    CHECK(*seen.begin() == ping_payload{0, 0, 0, 1});
    CHECK(*seen.rbegin() == ping_payload{0, 0, 0x03, 0xE8});
}

TEST_CASE("a ping has left with its last octet, and tells so once") {
    heartbeat beat;
    CHECK_FALSE(beat.leaves(0, 1));
    CHECK_FALSE(beat.leaves(UINT64_MAX, 1));
    beat.fall_due();
    CHECK_FALSE(beat.leaves(UINT64_MAX, 1));  // it is not even in the output
    beat.sent(1000);
    CHECK_FALSE(beat.leaves(0, 1));
    CHECK_FALSE(beat.leaves(999, 1));
    CHECK(beat.leaves(1000, 1));
    CHECK_FALSE(beat.leaves(1000, 1));
    CHECK_FALSE(beat.leaves(2000, 1));
    beat.fall_due();
    beat.sent(UINT64_MAX);
    CHECK_FALSE(beat.leaves(UINT64_MAX - 1, 1));
    CHECK(beat.leaves(UINT64_MAX, 1));
}

TEST_CASE("the pong clock starts when the ping's last octet is written, not when it was sent") {
    heartbeat beat;
    beat.fall_due();
    beat.sent(1000);
    CHECK_FALSE(beat.leaves(999, 100));
    CHECK(beat.leaves(1001, 5000));
    beat.on_pong(beat.payload(), 5030);
    CHECK(beat.round_trip() == 30);
}

TEST_CASE("only the pong that echoes the whole payload of the last ping is timed") {
    const ping_payload right = asked(0).payload();
    const std::vector<std::vector<octet>> wrong{
        {},
        {right[0]},
        {right[0], right[1], right[2]},
        {right[0], right[1], right[2], right[3], 0},
        {0, 0, 0, 0},
        {0, 0, 0, 2},
        {1, 0, 0, 1},
        std::vector<octet>(125, octet{0}),
    };
    for (const std::vector<octet>& payload : wrong) {
        heartbeat beat = asked(1000);
        beat.on_pong(payload, 1010);
        CHECK(beat.round_trip() == never);
        beat.on_pong(right, 1020);
        CHECK(beat.round_trip() == 20);
        beat.on_pong(payload, 1030);
        CHECK(beat.round_trip() == 20);
    }
}

TEST_CASE("a pong is timed once, and none before its ping has left") {
    heartbeat beat;
    beat.on_pong(beat.payload(), 5);
    CHECK(beat.round_trip() == never);
    beat.fall_due();
    beat.on_pong(beat.payload(), 6);
    CHECK(beat.round_trip() == never);
    beat.sent(10);
    beat.on_pong(beat.payload(), 7);
    CHECK(beat.round_trip() == never);
    CHECK(beat.leaves(10, 100));
    beat.on_pong(beat.payload(), 130);
    CHECK(beat.round_trip() == 30);
    beat.on_pong(beat.payload(), 190);
    CHECK(beat.round_trip() == 30);
}

TEST_CASE("the pong of an older ping is not that of a newer one") {
    heartbeat beat = asked(100);
    const ping_payload old = beat.payload();
    beat.fall_due();
    beat.on_pong(old, 150);
    CHECK(beat.round_trip() == never);
    beat.sent(200);
    beat.on_pong(beat.payload(), 160);
    CHECK(beat.round_trip() == never);
    CHECK(beat.leaves(200, 300));
    beat.on_pong(old, 310);
    CHECK(beat.round_trip() == never);
    beat.on_pong(beat.payload(), 320);
    CHECK(beat.round_trip() == 20);
}

TEST_CASE("every ping that is answered is timed anew") {
    heartbeat beat;
    for (milliseconds i = 1; i <= 100; ++i) {
        const auto end = static_cast<std::uint64_t>(i) * 10;
        beat.fall_due();
        beat.sent(end);
        CHECK(beat.leaves(end, i * 1000));
        beat.on_pong(beat.payload(), i * 1001);
        CHECK(beat.round_trip() == i);
    }
}

TEST_CASE("a time there and back that no number holds does not wrap round") {
    struct row {
        milliseconds asked_at;
        milliseconds answered_at;
    };
    const std::vector<row> rows{{INT64_MIN, never - 1}, {INT64_MIN, 0}, {-2, never}};
    for (const row& entry : rows) CHECK(timed(entry.asked_at, entry.answered_at) >= 0);
}
