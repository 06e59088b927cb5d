// accept_key.cpp -- tests of accept_key.hpp.
#include <sockless/accept_key.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/octets.hpp"

using sockless::accept_key;
using sockless::accept_value;
using sockless::is_websocket_key;
using sockless::octet;
using sockless::octets_of;
using sockless::text_view;

namespace {

constexpr std::array<octet, 24> key_of(std::string_view text) {
    std::array<octet, 24> key{};
    sockless::copy_text(text, key);
    return key;
}

constexpr bool is_answered(std::string_view key, std::string_view accept) {
    const std::array<octet, 24> octets = key_of(key);
    const accept_value value = accept_key(text_view{octets});
    return is_websocket_key(text_view{octets}) && text_view{value} == accept;
}

// RFC 6455, 1.3; the others were computed by another program (Python's hashlib and base64).
static_assert(is_answered("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
static_assert(is_answered("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="));
static_assert(is_answered("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="));
static_assert([] {
    const std::array<octet, 24> key = key_of("dGhlIHNhbXBsZSBub25jZQ==");
    return sockless::detail::hash_key_small(key)[4] == sockless::detail::hash_key_fast(key)[4];
}());

bool is_key(std::string_view text) {
    const support::guarded end(octets_of(text));
    const support::guarded_front front(octets_of(text));
    const bool is = is_websocket_key(text_view{end.span()});
    CHECK(is_websocket_key(text_view{front.span()}) == is);
    return is;
}

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

TEST_CASE("the key of RFC 6455, 1.3 and others have the right answer") {
    CHECK(is_answered("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    CHECK(is_answered("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="));
    CHECK(is_answered("w4v7O6xFTi36lq3RNcgctw==", "Oy4NRAQ13jhfONC7bP8dTKb4PTU="));
}

TEST_CASE("a key is hashed as the letters that came") {
    CHECK(is_answered("/////////////////////+==", "3BVAQ6Z9FcOLtfBDpV3+0WEa6Ts="));
}

TEST_CASE("H6 a key of any other length is refused") {
    for (std::size_t size = 0; size <= 64; ++size) {
        CAPTURE(size);
        CHECK_FALSE(is_key(std::string(size, 'A')));
        CHECK_FALSE(is_key(std::string(size, '=')));
        for (std::size_t padding = 1; padding <= 3 && padding <= size; ++padding) {
            const std::string text = std::string(size - padding, 'A') + std::string(padding, '=');
            CHECK(is_key(text) == (size == 24 && padding == 2));
        }
    }
}

TEST_CASE("H6 a key has nothing but letters in front of its padding") {
    const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
    for (std::size_t place = 0; place < key.size(); ++place) {
        for (unsigned o = 0; o < 256; ++o) {
            std::string text = key;
            text[place] = static_cast<char>(static_cast<octet>(o));
            CAPTURE(place, o);
            const bool good = place < 22 ? alphabet.find(text[place]) != std::string_view::npos
                                         : text[place] == '=';
            CHECK(is_key(text) == good);
        }
    }
}

TEST_CASE("H6 bits that decoding drops may be anything in a key") {
    for (const char last : alphabet) {
        CAPTURE(last);
        CHECK(is_key("dGhlIHNhbXBsZSBub25jZ" + std::string(1, last) + "=="));
    }
}

TEST_CASE("H6 sixteen octets are what a key stands for") {
    for (std::size_t size = 0; size <= 48; ++size) {
        std::vector<octet> letters(sockless::base64_size(size));
        sockless::base64_encode(std::vector<octet>(size, octet{0x5A}), letters);
        CAPTURE(size);
        CHECK(is_key(support::to_string(letters)) == (size == 16));
    }
}

TEST_CASE("H6 a blank beside a key is not part of it") {
    for (const std::string_view text :
         {" dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ== ", " GhlIHNhbXBsZSBub25jZQ==",
          "dGhlIHNhbXBsZSBub25jZQ= ", "\"GhlIHNhbXBsZSBub25jZ\"==",
          "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="}) {
        CAPTURE(text);
        CHECK_FALSE(is_key(text));
    }
}

TEST_CASE("both ways to hash a key come to the same") {
    std::mt19937 random(1300);
    std::array<octet, 24> key{};
    for (int round = 0; round < 1000; ++round) {
        for (octet& o : key) o = static_cast<octet>(random());
        const auto queue = sockless::detail::hash_key_small(key);
        sockless::detail::sha1_state small{};
        std::copy_n(queue.begin(), small.size(), small.begin());
        REQUIRE(small == sockless::detail::hash_key_fast(key));
        std::array<octet, 28> expected{};
        sockless::base64_encode(sockless::detail::sha1_digest_of(small), expected);
        std::array<octet, 28> shifted{};
        sockless::base64_shift_out(small, shifted);
        REQUIRE(shifted == expected);
    }
}

TEST_CASE("whatever the text is, the answer is its SHA-1 with the GUID behind it, in base64") {
    for (std::size_t size = 0; size < 100; ++size) {
        const std::string key(size, 'k');
        const std::string all = key + std::string(sockless::websocket_guid);
        std::array<octet, 28> expected{};
        sockless::base64_encode(sockless::sha1(octets_of(all)), expected);
        CHECK(sockless::accept_key({octets_of(key)}) == expected);
    }
}
