// sha1.cpp -- tests of sha1.hpp.
#include <sockless/sha1.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"

using sockless::octet;
using sockless::sha1;
using sockless::sha1_digest;
using sockless::sha1_hasher;

namespace {

constexpr int digit(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

// Is this the digest of the text? In hexadecimal digits, as the standards print it.
constexpr bool is_digest(const sha1_digest& digest, std::string_view digits) {
    std::size_t i = 0;
    for (const char c : digits) {
        if (c == ' ') continue;
        const int half = i % 2 == 0 ? digest.at(i / 2) >> 4 : digest.at(i / 2) & 0xF;
        if (half != digit(c)) return false;
        ++i;
    }
    return i == 40;
}

constexpr bool hashes_to(std::string_view text, std::string_view digits) {
    sha1_hasher hasher;
    for (const char c : text) hasher.take(static_cast<octet>(c));
    return is_digest(hasher.finish(), digits);
}

// FIPS 180: no block but the padding, one block, two, and three. RFC 3174, 7.3: test 4.
static_assert(hashes_to("", "DA39A3EE 5E6B4B0D 3255BFEF 95601890 AFD80709"));
static_assert(hashes_to("abc", "A9993E36 4706816A BA3E2571 7850C26C 9CD0D89D"));
static_assert(hashes_to("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                        "84983E44 1C3BD26E BAAE4AA1 F95129E5 E54670F1"));
static_assert(
    hashes_to("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
              "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
              "A49B2446 A02C645B F419F995 B6709125 3A04A259"));
static_assert([] {
    sha1_hasher hasher;
    for (std::size_t i = 0; i < 640; ++i) hasher.take(static_cast<octet>('0' + i % 8));
    return is_digest(hasher.finish(), "DEA356A2 CDDD90C7 A7ECEDC5 EBB56393 4F460452");
}());
static_assert(!hashes_to("abd", "A9993E36 4706816A BA3E2571 7850C26C 9CD0D89D"));

std::vector<octet> pattern(std::size_t size) {
    std::vector<octet> octets(size);
    for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<octet>(i * 7 + 3);
    return octets;
}

}  // namespace

TEST_CASE("the vectors of the standards are the same at run time") {
    CHECK(hashes_to("", "DA39A3EE 5E6B4B0D 3255BFEF 95601890 AFD80709"));
    CHECK(hashes_to("abc", "A9993E36 4706816A BA3E2571 7850C26C 9CD0D89D"));
    CHECK(hashes_to("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                    "84983E44 1C3BD26E BAAE4AA1 F95129E5 E54670F1"));
}

TEST_CASE("a million times the letter a") {
    const std::vector<octet> letters(1'000'000, octet{'a'});
    CHECK(is_digest(sha1(letters), "34AA973C D4C4DAA4 F61EEB2B DBAD2731 6534016F"));
}

// Where the padding begins, fills or just misses a block.
TEST_CASE("lengths at which a block or its padding ends") {
    struct row {
        std::size_t size;
        std::string_view digits;
    };
    constexpr std::array<row, 9> rows{{
        {55, "C1C8BBDC22796E28C0E15163D20899B65621D65A"},
        {56, "C2DB330F6083854C99D4B5BFB6E8F29F201BE699"},
        {63, "03F09F5B158A7A8CDAD920BDDC29B81C18A551F5"},
        {64, "0098BA824B5C16427BD7A1122A5A442A25EC644D"},
        {65, "11655326C708D70319BE2610E8A57D9A5B959D3B"},
        {119, "EE971065AAA017E0632A8CA6C77BB3BF8B1DFC56"},
        {120, "F34C1488385346A55709BA056DDD08280DD4C6D6"},
        {127, "89D95FA32ED44A7C610B7EE38517DDF57E0BB975"},
        {128, "AD5B3FDBCB526778C2839D2F151EA753995E26A0"},
    }};
    for (const row& each : rows) {
        CAPTURE(each.size);
        CHECK(is_digest(sha1(std::vector<octet>(each.size, octet{'a'})), each.digits));
    }
}

// The digest of all digests was computed by another program (Python's hashlib).
TEST_CASE("every length from 0 to 300 has the right digest, and no octet beside it is read") {
    sha1_hasher all;
    for (std::size_t size = 0; size <= 300; ++size) {
        const std::vector<octet> octets = pattern(size);
        const support::guarded end(octets);
        const support::guarded_front front(octets);
        const sha1_digest digest = sha1(end.span());
        CHECK(sha1(front.span()) == digest);
        all.take(digest);
    }
    CHECK(is_digest(all.finish(), "43DEBF5006166594C976375F1C06253E43D53DDF"));
}

TEST_CASE("pieces make the same digest as the whole") {
    const std::vector<octet> octets = pattern(150);
    const sha1_digest whole = sha1(octets);
    for (std::size_t first = 0; first <= octets.size(); ++first) {
        for (const std::size_t middle : {0U, 1U, 63U, 64U, 65U}) {
            const std::span<const octet> rest = std::span<const octet>(octets).subspan(first);
            const std::size_t size = std::min<std::size_t>(middle, rest.size());
            sha1_hasher hasher;
            hasher.take(std::span<const octet>(octets).first(first));
            hasher.take(rest.first(size));
            hasher.take(rest.subspan(size));
            CAPTURE(first, size);
            CHECK(hasher.finish() == whole);
        }
    }
}

TEST_CASE("every bit of a message counts") {
    std::vector<octet> octets = pattern(70);
    const sha1_digest before = sha1(octets);
    for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
        const auto mask = static_cast<octet>(1U << bit % 8);
        octets[bit / 8] ^= mask;
        CHECK(sha1(octets) != before);
        octets[bit / 8] ^= mask;
    }
    CHECK(sha1(octets) == before);
}

// The digest was computed by another program (Python's hashlib).
TEST_CASE("the length of a message may need more than 32 bits") {
    if (support::short_effort()) return;
    const std::vector<octet> block(std::size_t{1} << 20);
    sha1_hasher hasher;
    for (int i = 0; i < 512; ++i) hasher.take(block);
    CHECK(is_digest(hasher.finish(), "5B088492C9F4778F409B7AE61477DEC124C99033"));
}

TEST_CASE("both ways to mix in a block come to the same") {
    std::mt19937 random(3174);
    for (int round = 0; round < 1000; ++round) {
        sockless::detail::sha1_state fast{};
        for (std::uint32_t& word : fast) word = static_cast<std::uint32_t>(random());
        sockless::detail::sha1_queue queue{};
        std::copy(fast.begin(), fast.end(), queue.begin());
        sockless::detail::sha1_block block{};
        for (std::uint32_t& word : block) word = static_cast<std::uint32_t>(random());
        std::copy(block.begin(), block.end(), queue.begin() + 5);
        sockless::detail::sha1_mix(fast, sockless::detail::sha1_expand(block));
        sockless::detail::sha1_mix_small(queue, sockless::detail::sha1_constants.data());
        REQUIRE(std::equal(fast.begin(), fast.end(), queue.begin()));
    }
}
