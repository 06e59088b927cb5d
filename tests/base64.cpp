// base64.cpp -- tests of base64.hpp.
#include <sockless/base64.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/octets.hpp"

using sockless::base64_encode;
using sockless::base64_encoder;
using sockless::base64_letter;
using sockless::base64_size;
using sockless::copy_text;
using sockless::octet;
using sockless::octets_of;
using sockless::text_view;

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// RFC 4648, 10.
constexpr std::array<std::array<std::string_view, 2>, 7> vectors{{
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
}};

constexpr bool encodes_to(std::string_view text, std::string_view letters) {
    std::array<octet, 16> in{};
    std::array<octet, 16> out{};
    const std::size_t size = copy_text(text, in);
    const std::size_t needed = base64_encode(std::span(in).first(size), out);
    return needed == letters.size() && text_view{std::span(out).first(needed)} == letters;
}

constexpr bool all_vectors() {
    for (const auto& [text, letters] : vectors) {
        if (!encodes_to(text, letters)) return false;
        if (base64_size(text.size()) != letters.size()) return false;
    }
    return true;
}
static_assert(all_vectors());

std::string encode(std::span<const octet> octets) {
    const support::guarded in(octets);
    const support::guarded out(std::vector<octet>(base64_size(octets.size())));
    REQUIRE(base64_encode(in.span(), out.span()) == out.span().size());
    return support::to_string(out.span());
}

// The octets that letters stand for, bit by bit: six of each letter, and those that are left over
// are zero.
std::vector<octet> decode(std::string_view letters) {
    std::vector<bool> bits;
    for (const char letter : letters.substr(0, letters.find('='))) {
        const std::size_t value = alphabet.find(letter);
        REQUIRE(value != std::string_view::npos);
        for (int bit = 5; bit >= 0; --bit) bits.push_back((value >> bit & 1) != 0);
    }
    std::vector<octet> octets(bits.size() / 8);
    for (std::size_t i = 0; i < bits.size(); ++i) {
        if (i / 8 == octets.size()) {
            CHECK_FALSE(bits[i]);
        } else if (bits[i]) {
            octets[i / 8] |= static_cast<octet>(0x80 >> i % 8);
        }
    }
    return octets;
}

std::vector<octet> random_octets(std::mt19937& rng, std::size_t size) {
    std::vector<octet> octets(size);
    for (octet& o : octets) o = static_cast<octet>(rng());
    return octets;
}

}  // namespace

TEST_CASE("the vectors of RFC 4648 hold at run time, in exactly the memory they need") {
    CHECK(all_vectors());
    for (const auto& [text, letters] : vectors) {
        CHECK(encode(octets_of(text)) == letters);
        CHECK(support::to_string(decode(letters)) == text);
    }
}

TEST_CASE("every letter stands for its place in the alphabet") {
    for (unsigned value = 0; value < 64; ++value) {
        CHECK(base64_letter(value) == static_cast<octet>(alphabet[value]));
        CHECK(base64_letter(value + 0xFFFFFFC0U) == static_cast<octet>(alphabet[value]));
    }
}

TEST_CASE("all octets in a row") {
    std::vector<octet> all(256);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<octet>(i);
    const std::string letters =
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+"
        "P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9"
        "fn+AgYKDhIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKztLW2t7i5uru8"
        "vb6/wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v8PHy8/T19vf4+fr7"
        "/P3+/w==";
    CHECK(encode(all) == letters);
    CHECK(decode(letters) == all);
}

TEST_CASE("what is encoded comes back, for every length up to 100") {
    std::mt19937 rng(1);
    for (std::size_t size = 0; size <= 100; ++size) {
        const std::vector<octet> octets = random_octets(rng, size);
        const std::string letters = encode(octets);
        CHECK(letters.size() == (size + 2) / 3 * 4);
        CHECK(letters.find_first_of('=') ==
              (size % 3 == 0 ? std::string::npos : letters.size() - (3 - size % 3)));
        CHECK(decode(letters) == octets);
    }
}

TEST_CASE("sizes do not overflow") {
    constexpr std::size_t most = SIZE_MAX / 4 * 3;
    CHECK(base64_size(most) == most / 3 * 4);
    CHECK(base64_size(most - 1) == most / 3 * 4);
    CHECK(base64_size(most - 3) == most / 3 * 4 - 4);
}

TEST_CASE("what has no room is counted and not written") {
    const std::vector<octet> octets(octets_of("fooba").begin(), octets_of("fooba").end());
    for (std::size_t room = 0; room <= 10; ++room) {
        CAPTURE(room);
        const support::guarded out(std::vector<octet>(room, octet{0xA5}));
        CHECK(base64_encode(octets, out.span()) == 8);
        CHECK(support::to_string(out.span()) ==
              (std::string("Zm9vYmE=") + "\xA5\xA5").substr(0, room));
    }
}

TEST_CASE("pieces are encoded as if they were one, in any room") {
    const std::string text = "user:pass word";
    const std::string letters = "dXNlcjpwYXNzIHdvcmQ=";
    for (std::size_t room = 0; room <= letters.size() + 1; ++room) {
        CAPTURE(room);
        const support::guarded out(std::vector<octet>(room, octet{0xA5}));
        base64_encoder encoder(out.span());
        for (const char c : text) encoder.take(static_cast<octet>(c));
        CHECK(encoder.finish() == letters.size());
        CHECK(support::to_string(out.span()) == (letters + '\xA5').substr(0, room));
    }
    std::mt19937 rng(2);
    for (std::size_t size = 0; size <= 20; ++size) {
        const std::vector<octet> octets = random_octets(rng, size);
        std::array<octet, 28> out{};
        base64_encoder encoder(out);
        for (const octet o : octets) encoder.take(o);
        const std::size_t needed = encoder.finish();
        CHECK(support::to_string(std::span(out).first(needed)) == encode(octets));
    }
}
