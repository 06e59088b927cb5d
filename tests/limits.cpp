// limits.cpp -- tests of limits.hpp.
#include <sockless/limits.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"

using sockless::compressed_limit;
using sockless::longest;
using sockless::unlimited;

namespace {

constexpr std::size_t all_ones = std::numeric_limits<std::size_t>::max();

static_assert(unlimited == all_ones);
static_assert(longest == all_ones - 1);
static_assert(sockless::limits{}.message == 1'048'576);
static_assert(sockless::limits{}.frame == unlimited);
static_assert(sockless::limits{}.empty_fragments == 1024);
static_assert(sockless::limits{}.head == 8192 && sockless::limits{}.header_lines == 64);
static_assert(std::is_same_v<sockless::milliseconds, std::int64_t>);
static_assert(sockless::never == 0x7FFF'FFFF'FFFF'FFFF);
static_assert(sockless::timeouts{}.idle == sockless::never);
static_assert(compressed_limit(1'048'576) == 1'048'576 + 131'072 + 1024);
static_assert(compressed_limit(unlimited) == longest);

// An eighth and 1 KiB on top, unless that wraps or is no length any more.
std::size_t sum_or_longest(std::size_t message) {
    const std::size_t sum = message + message / 8 + 1024;
    return sum < message ? longest : std::min(sum, longest);
}

// The smallest message whose limit cannot grow by all that deflate may add.
std::size_t first_that_is_full() {
    std::size_t low = 0;
    std::size_t high = all_ones;
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        const std::size_t sum = middle + middle / 8 + 1024;
        if (sum < middle || sum >= longest) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

}  // namespace

TEST_CASE("the defaults are 1 MiB for a message and 1,024 empty fragments in a row") {
    const sockless::limits defaults;
    CHECK(defaults.message == 1'048'576);
    CHECK(defaults.frame == all_ones);
    CHECK(defaults.empty_fragments == 1024);
    CHECK(longest == all_ones - 1);
}

TEST_CASE("the defaults of the opening handshake bound what a stranger can make us hold") {
    const sockless::limits defaults;
    CHECK(defaults.head == 8192);
    CHECK(defaults.header_lines == 64);
    CHECK(defaults.target == 4096);
    CHECK(defaults.protocols == 16);
    CHECK(defaults.offers == 8);
    CHECK(defaults.parameters == 8);
    CHECK(defaults.target < defaults.head);
}

TEST_CASE("by default a connection pauses at 64 KiB of output and goes on at 16 KiB") {
    const sockless::limits defaults;
    CHECK(defaults.output == 0);  // as much as it has to be
    CHECK(defaults.high == 65'536);
    CHECK(defaults.low == 16'384);
}

TEST_CASE("a limit is changed by its name, and the others stay") {
    constexpr sockless::limits small{.message = 125, .head = 1024, .low = 0};
    constexpr sockless::limits defaults;
    CHECK(small.message == 125);
    CHECK(small.head == 1024);
    CHECK(small.low == 0);
    CHECK(small.frame == defaults.frame);
    CHECK(small.high == defaults.high);
}

TEST_CASE("by default a connection waits for everything but the next message") {
    const sockless::timeouts defaults;
    CHECK(defaults.opening == 10'000);
    CHECK(defaults.ping == 30'000);
    CHECK(defaults.pong == 20'000);
    CHECK(defaults.idle == sockless::never);
    CHECK(defaults.close == 10'000);
    CHECK(defaults.stall == 60'000);
    CHECK(defaults.idle_release == 1'000);
}

TEST_CASE("never is later than any time there is") {
    constexpr sockless::milliseconds latest = std::numeric_limits<sockless::milliseconds>::max();
    CHECK(sockless::never == latest);
    CHECK(std::min(sockless::never, sockless::milliseconds{1}) == 1);
}

TEST_CASE("compressed octets may exceed a message by an eighth and 1 KiB") {
    CHECK(compressed_limit(0) == 1024);
    CHECK(compressed_limit(7) == 7 + 1024);
    CHECK(compressed_limit(8) == 8 + 1 + 1024);
    CHECK(compressed_limit(1000) == 1000 + 125 + 1024);
}

TEST_CASE("the limit of a compressed message never wraps") {
    std::vector<std::size_t> messages{0, longest, unlimited, all_ones / 2, all_ones / 9 * 8};
    for (std::size_t i = 0; i < 3000; ++i) {
        messages.push_back(all_ones - i);
        messages.push_back(first_that_is_full() - 1500 + i);
    }
    for (unsigned bit = 0; bit < std::numeric_limits<std::size_t>::digits; ++bit) {
        messages.push_back(std::size_t{1} << bit);
        messages.push_back((std::size_t{1} << bit) - 1);
    }
    for (const std::size_t message : messages) {
        if (compressed_limit(message) != sum_or_longest(message)) FAIL("message " << message);
    }
    CHECK(compressed_limit(first_that_is_full()) == longest);
    CHECK(compressed_limit(first_that_is_full() - 1) < longest);
}
