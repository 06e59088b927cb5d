// limits.cpp -- tests of limits.hpp.
#include <sockless/limits.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
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
