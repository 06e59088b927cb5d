// What an application may choose, and what becomes of it in the memory that there is.

#include <sockless/options.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sockless/masking.hpp>
#include <sockless/octets.hpp>

#include "support/catch.hpp"

namespace {

using namespace sockless;
using pausing = connection_options::pausing;

constexpr connection_options with(limits limit) { return {.limit = limit}; }

constexpr limits fit(limits limit, capacity most) { return fitted(with(limit), most).limit; }

constexpr capacity endless{};
constexpr capacity small{.message = 2048, .output = 2304};

// Does it let a page of another host in?
bool lets_strangers_in(const connection_options& options) {
    const text_view page{octets_of("https://stranger.example")};
    const text_view host{octets_of("host.example")};
    return options.from.allow(page, host);
}

static_assert(fit({}, endless).output == (std::size_t{1} << 20) + 65'536 + 160);
static_assert(fit({}, endless).high == 65'536 && fit({}, endless).low == 16'384);
static_assert(fit({}, endless).message == std::size_t{1} << 20 && fit({}, endless).head == 8192);
static_assert(fit({}, small).message == 2048 && fit({}, small).head == 2047);
static_assert(fit({}, small).output == 2304);
static_assert(fit({}, small).high == 96 && fit({}, small).low == 96);

static_assert(pauses({}, role::server) && !pauses({}, role::client));

}  // namespace

TEST_CASE("the options are those of the documentation unless somebody chooses") {
    const connection_options options;
    CHECK(options.limit.message == 1'048'576);
    CHECK(options.limit.high == 65'536);
    CHECK(options.limit.low == 16'384);
    CHECK(options.limit.output == 0);
    CHECK(options.time.opening == 10'000);
    CHECK(options.time.idle == never);
    CHECK_FALSE(lets_strangers_in(options));
    CHECK_FALSE(lets_strangers_in(fitted(options, small)));
    CHECK_FALSE(options.slices);
    CHECK(options.answer_pings);
    CHECK(options.pause == pausing::servers_only);
}

TEST_CASE("servers pause, clients do not, unless all of them are to, or none") {
    struct row {
        pausing pause;
        bool server;
        bool client;
    };
    for (const row& entry :
         {row{pausing::servers_only, true, false}, row{pausing::always, true, true},
          row{pausing::never_at_all, false, false}}) {
        const connection_options options{.pause = entry.pause};
        CHECK(pauses(options, role::server) == entry.server);
        CHECK(pauses(options, role::client) == entry.client);
    }
}

TEST_CASE("what is no matter of memory stays as it was chosen") {
    const connection_options wished{
        .limit = {.frame = 7,
                  .empty_fragments = 8,
                  .header_lines = 9,
                  .target = 10,
                  .protocols = 11,
                  .offers = 12,
                  .parameters = 13},
        .time = {.opening = 14, .idle = 15},
        .from = origins::any,
        .slices = true,
        .answer_pings = false,
        .pause = pausing::always,
    };
    for (const capacity most : {endless, small}) {
        const connection_options got = fitted(wished, most);
        CHECK(got.limit.frame == 7);
        CHECK(got.limit.empty_fragments == 8);
        CHECK(got.limit.header_lines == 9);
        CHECK(got.limit.target == 10);
        CHECK(got.limit.protocols == 11);
        CHECK(got.limit.offers == 12);
        CHECK(got.limit.parameters == 13);
        CHECK(got.time.opening == 14);
        CHECK(got.time.idle == 15);
        CHECK(lets_strangers_in(got));
        CHECK(got.slices);
        CHECK_FALSE(got.answer_pings);
        CHECK(got.pause == pausing::always);
    }
}

TEST_CASE("a message is as long as chosen, or as long as there is memory for it") {
    CHECK(fit({.message = 100}, small).message == 100);
    CHECK(fit({.message = 2047}, small).message == 2047);
    CHECK(fit({.message = 2048}, small).message == 2048);
    CHECK(fit({.message = 2049}, small).message == 2048);
    CHECK(fit({.message = unlimited}, small).message == 2048);
    CHECK(fit({.message = unlimited}, endless).message == unlimited);
    CHECK(fit({.message = 0}, endless).message == 0);
}

TEST_CASE("a head that is too long by one octet fits into the memory for messages") {
    CHECK(fit({.head = 8192}, {.message = 8193}).head == 8192);
    CHECK(fit({.head = 8192}, {.message = 8192}).head == 8191);
    CHECK(fit({.head = 8192}, {.message = 256}).head == 255);
    CHECK(fit({.head = 255}, {.message = 256}).head == 255);
    CHECK(fit({.head = UINT16_MAX}, {.message = UINT16_MAX}).head == UINT16_MAX - 1);
    CHECK(fit({.head = UINT16_MAX}, {.message = UINT16_MAX + std::size_t{1}}).head == UINT16_MAX);
    CHECK(fit({.head = UINT16_MAX}, endless).head == UINT16_MAX);
}

TEST_CASE("output that may wait is at least the high mark, a message and 160 octets") {
    CHECK(fit({.message = 1000, .output = 0, .high = 500}, endless).output == 1660);
    CHECK(fit({.message = 1000, .output = 1659, .high = 500}, endless).output == 1660);
    CHECK(fit({.message = 1000, .output = 1660, .high = 500}, endless).output == 1660);
    CHECK(fit({.message = 1000, .output = 1661, .high = 500}, endless).output == 1661);
    CHECK(fit({.message = 1000, .output = unlimited, .high = 500}, endless).output == unlimited);
    CHECK(fit({.message = 0, .high = 0}, endless).output == 160);
    CHECK(fit({.message = 1000, .high = 500}, endless).high == 500);
}

TEST_CASE("where memory ends the high mark comes down, so that an answer fits above it") {
    CHECK(fit({.message = 1000}, small).high == 2304 - 1160);
    CHECK(fit({.message = 2048}, {.message = 2048, .output = 2208}).high == 0);
    CHECK(fit({.message = 2048}, {.message = 2048, .output = 2209}).high == 1);
    CHECK(fit({.message = 100, .high = 500}, small).high == 500);
    CHECK(fit({.message = 100, .high = 500}, small).output == 760);
    CHECK(fit({.message = 100, .high = 2044}, small).high == 2044);
    CHECK(fit({.message = 100, .high = 2044}, small).output == 2304);
    CHECK(fit({.message = 100, .high = 2045}, small).high == 2044);
    // memory of a kind that has less for output than for a message
    CHECK(fit({.message = 2048}, {.message = 2048, .output = 1000}).high == 0);
    CHECK(fit({.message = 2048}, {.message = 2048, .output = 1000}).output == 1000);
}

TEST_CASE("the low mark is not above the high one") {
    CHECK(fit({.high = 500, .low = 499}, endless).low == 499);
    CHECK(fit({.high = 500, .low = 500}, endless).low == 500);
    CHECK(fit({.high = 500, .low = 501}, endless).low == 500);
    CHECK(fit({.high = 500, .low = unlimited}, endless).low == 500);
    CHECK(fit({.message = 2000, .low = 143}, small).low == 143);
    CHECK(fit({.message = 2000, .low = 145}, small).low == 144);
}

TEST_CASE("limits without an end stay without one, and no sum of them wraps round") {
    for (const std::size_t message : {unlimited, unlimited - 1, unlimited - 160, unlimited - 161,
                                      unlimited - 162, unlimited / 2 + 1}) {
        for (const std::size_t high : {std::size_t{0}, std::size_t{1}, std::size_t{65'536},
                                       unlimited / 2, unlimited - 1, unlimited}) {
            CAPTURE(message, high);
            const limits got = fit({.message = message, .high = high}, endless);
            CHECK(got.message == message);
            CHECK(got.high == high);
            CHECK(got.output >= std::min(message, unlimited - 1));
            CHECK(got.output >= std::min(high, unlimited - 1));
        }
    }
}

TEST_CASE("a high mark without an end leaves room for everything, not for one message less") {
    CHECK(fit({.message = 1000, .high = unlimited - 1}, endless).output >= unlimited - 1);
    CHECK(fit({.message = 1000, .high = unlimited}, endless).output >= unlimited - 1);
    CHECK(fit({.message = 1000, .high = unlimited}, small).output == 2304);
}

namespace {

// Every combination of sizes that are near an edge.
template <class Use>
void for_each_choice(Use use) {
    const std::array<std::size_t, 12> sizes{0,    1,    96,   159,     160,           1000,
                                            2047, 2048, 2304, 100'000, unlimited - 1, unlimited};
    for (const capacity most : {endless, small, capacity{.message = 256, .output = 416}}) {
        for (const std::size_t message : sizes) {
            for (const std::size_t output : sizes) {
                for (const std::size_t high : sizes) {
                    const limits wished{.message = message, .output = output, .high = high};
                    CAPTURE(most.message, message, output, high);
                    use(wished, fit(wished, most), most);
                }
            }
        }
    }
}

}  // namespace

TEST_CASE("whatever is chosen, an answer fits above the high mark, and no more than memory holds") {
    for_each_choice([](const limits& wished, const limits& got, capacity most) {
        REQUIRE(got.message == std::min(wished.message, most.message));
        REQUIRE(got.low <= got.high);
        REQUIRE(got.output <= most.output);
        if (got.message < unlimited / 2 && got.high < unlimited / 2) {
            REQUIRE(got.output >= got.high + got.message + 160);
        } else {
            REQUIRE(got.output >= unlimited - 1);
        }
    });
}

TEST_CASE("whatever is chosen, the high mark does not become more than that") {
    for_each_choice([](const limits& wished, const limits& got, capacity) {
        REQUIRE(got.high <= wished.high);
    });
    CHECK(fit({.message = 100, .output = 5000, .high = 10}, small).high == 10);
}
