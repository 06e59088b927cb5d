// masking.cpp -- tests of masking.hpp.
#include <sockless/masking.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"

using sockless::mask;
using sockless::mask_copy;
using sockless::masking_key;
using sockless::octet;
using sockless::role;

namespace {

using octets = std::vector<octet>;

constexpr std::array<masking_key, 3> keys{{
    {{0x37, 0xFA, 0x21, 0x3D}},
    {{0x00, 0x00, 0x00, 0x00}},
    {{0x01, 0x80, 0xFF, 0x7F}},
}};
constexpr std::size_t longest_tried = 64;

octets some_octets(std::size_t size) {
    octets some(size);
    std::uint32_t state = 12345;
    for (octet& o : some) {
        state = state * 1664525 + 1013904223;
        o = static_cast<octet>(state >> 24);
    }
    return some;
}

// RFC 6455, 5.3, word for word, for octets that stand `phase` octets behind the key's beginning.
octets masked(std::span<const octet> plain, const masking_key& key, std::size_t phase) {
    octets result;
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const std::size_t j = (phase + i) % 4;
        result.push_back(static_cast<octet>(plain[i] ^ key.octets[j]));
    }
    return result;
}

constexpr masking_key turned(const masking_key& key, std::size_t count) {
    masking_key result;
    for (std::size_t i = 0; i < 4; ++i) result.octets[i] = key.octets[(i + count % 4) % 4];
    return result;
}

// By blocks of one width, if they can do it.
template <class Block>
masking_key mask_by_blocks(std::span<const octet> from, std::span<octet> to, masking_key key) {
    const std::size_t most = sizeof(Block) < 4 ? 2 * sizeof(Block) : SIZE_MAX;
    if (from.size() < sizeof(Block) || from.size() > most) return mask_copy(from, to, key);
    sockless::detail::mask_by<Block>(from.data(), to.data(), from.size(), key);
    return key.after(from.size());
}

masking_key mask_by_octets(std::span<const octet> from, std::span<octet> to, masking_key key) {
    return sockless::detail::mask_octets(from.data(), to.data(), from.size(), key);
}

#ifdef SOCKLESS_AVX2
masking_key mask_by_avx2(std::span<const octet> from, std::span<octet> to, masking_key key) {
    constexpr std::size_t width = sizeof(sockless::detail::avx2_block);
    if (from.size() < width || __builtin_cpu_supports("avx2") == 0) return mask_copy(from, to, key);
    sockless::detail::mask_avx2(from.data(), to.data(), from.size(), key);
    return key.after(from.size());
}
#endif

// Every way there is to mask octets from one place to another.
using way = masking_key (*)(std::span<const octet>, std::span<octet>, masking_key);
constexpr way all_ways[]{
    mask_copy,
    mask_by_octets,
    mask_by_blocks<octet>,
    mask_by_blocks<std::uint16_t>,
    mask_by_blocks<std::uint32_t>,
    mask_by_blocks<std::uint64_t>,
    mask_by_blocks<sockless::detail::sure_block>,
#ifdef SOCKLESS_AVX2
    mask_by_avx2,
#endif
};

// Room for octets at any distance from an address that 16 divides.
class aligned_room {
  public:
    aligned_room() { octets_.fill(0xA5); }

    std::span<octet> at(std::size_t alignment, std::size_t size) {
        return std::span(octets_).subspan(16 + alignment, size);
    }
    // Is all but this still as it was?
    bool is_clean_around(std::size_t alignment, std::size_t size) const {
        const auto untouched = [](octet o) { return o == 0xA5; };
        const auto begin = octets_.begin() + static_cast<std::ptrdiff_t>(16 + alignment);
        return std::all_of(octets_.begin(), begin, untouched) &&
               std::all_of(begin + static_cast<std::ptrdiff_t>(size), octets_.end(), untouched);
    }

  private:
    alignas(16) std::array<octet, 16 + 16 + longest_tried + 16> octets_{};
};

// Calls check(key, phase, length) for all of M1's.
template <class Check>
void for_all_lengths(Check check) {
    for (const masking_key& key : keys) {
        for (std::size_t phase = 0; phase < 4; ++phase) {
            for (std::size_t length = 0; length <= longest_tried; ++length) {
                check(key, phase, length);
            }
        }
    }
}

// RFC 6455, 5.7: "A single-frame masked text message".
constexpr std::array<octet, 5> hello{'H', 'e', 'l', 'l', 'o'};
constexpr std::array<octet, 5> masked_hello{0x7F, 0x9F, 0x4D, 0x51, 0x58};

constexpr std::array<octet, 5> hello_in_place() {
    std::array<octet, 5> text = hello;
    return mask(text, keys[0]) == turned(keys[0], 5) ? text : std::array<octet, 5>{};
}
constexpr std::array<octet, 5> hello_in_pieces(std::size_t cut) {
    std::array<octet, 5> text = hello;
    const masking_key next = mask(std::span(text).first(cut), keys[0]);
    mask(std::span(text).subspan(cut), next);
    return text;
}
static_assert(hello_in_place() == masked_hello);
static_assert(hello_in_pieces(0) == masked_hello && hello_in_pieces(3) == masked_hello);
static_assert(keys[0].after(0) == keys[0] && keys[0].after(5) == turned(keys[0], 1));
static_assert(masks(role::client) && !masks(role::server));
static_assert(other(role::client) == role::server && other(role::server) == role::client);

}  // namespace

TEST_CASE("a client masks and a server does not") {
    CHECK(masks(role::client));
    CHECK_FALSE(masks(role::server));
    CHECK(other(role::client) == role::server);
    CHECK(other(role::server) == role::client);
}

TEST_CASE("the key goes on where any number of octets has left it") {
    for (const masking_key& key : keys) {
        for (std::size_t count = 0; count < 1000; ++count) {
            if (key.after(count) != turned(key, count)) FAIL("after " << count);
            const std::size_t large = SIZE_MAX - count;
            if (key.after(large) != turned(key, large)) FAIL("after " << large);
        }
    }
    CHECK(keys[0].after(1) == masking_key{{0xFA, 0x21, 0x3D, 0x37}});
    CHECK(keys[0].after(2) == masking_key{{0x21, 0x3D, 0x37, 0xFA}});
    CHECK(keys[0].after(3) == masking_key{{0x3D, 0x37, 0xFA, 0x21}});
    CHECK(keys[0].after(4) == keys[0]);
}

TEST_CASE("two keys are equal if their four octets are") {
    for (std::size_t i = 0; i < 4; ++i) {
        masking_key changed = keys[0];
        changed.octets[i] ^= 0x01;
        CHECK_FALSE(changed == keys[0]);
    }
    CHECK(masking_key{{0x37, 0xFA, 0x21, 0x3D}} == keys[0]);
    CHECK(masking_key{} == keys[1]);
}

TEST_CASE("M1 masking in place is the octet loop at any length, phase and alignment") {
    const octets source = some_octets(longest_tried);
    for_all_lengths([&](const masking_key& key, std::size_t phase, std::size_t length) {
        const std::span<const octet> plain = std::span(source).first(length);
        const octets expected = masked(plain, key, phase);
        for (std::size_t alignment = 0; alignment < 16; ++alignment) {
            aligned_room room;
            const std::span<octet> text = room.at(alignment, length);
            std::copy(plain.begin(), plain.end(), text.begin());
            const masking_key next = mask(text, turned(key, phase));
            if (!std::equal(text.begin(), text.end(), expected.begin()) ||
                next != turned(key, phase + length) || !room.is_clean_around(alignment, length)) {
                FAIL("length " << length << " phase " << phase << " alignment " << alignment);
            }
        }
    });
}

TEST_CASE("M1 masking while copying is the octet loop, from and to any alignment") {
    const octets source = some_octets(longest_tried);
    for_all_lengths([&](const masking_key& key, std::size_t phase, std::size_t length) {
        const std::span<const octet> plain = std::span(source).first(length);
        const octets expected = masked(plain, key, phase);
        for (std::size_t i = 0; i < 16 * 16; ++i) {
            const std::size_t from = i / 16;
            const std::size_t to = i % 16;
            const way how = all_ways[(from + to + length) % std::size(all_ways)];
            aligned_room in;
            aligned_room out;
            const std::span<octet> text = in.at(from, length);
            const std::span<octet> got = out.at(to, length);
            std::copy(plain.begin(), plain.end(), text.begin());
            const masking_key next = how(text, got, turned(key, phase));
            if (!std::equal(got.begin(), got.end(), expected.begin()) ||
                !std::equal(text.begin(), text.end(), plain.begin()) ||
                next != turned(key, phase + length) || !out.is_clean_around(to, length)) {
                FAIL("length " << length << " phase " << phase << " from " << from << " to " << to);
            }
        }
    });
}

TEST_CASE("M1 every way to mask gives the same in place") {
    const octets source = some_octets(longest_tried);
    for_all_lengths([&](const masking_key& key, std::size_t phase, std::size_t length) {
        const octets expected = masked(std::span(source).first(length), key, phase);
        for (const way how : all_ways) {
            octets text(source.begin(), source.begin() + static_cast<std::ptrdiff_t>(length));
            const masking_key next = how(text, text, turned(key, phase));
            if (text != expected || next != turned(key, phase + length))
                FAIL("length " << length << " phase " << phase);
        }
    });
}

TEST_CASE("M2 masking touches nothing outside, at both ends of a page") {
    const octets source = some_octets(longest_tried);
    for_all_lengths([&](const masking_key& key, std::size_t phase, std::size_t length) {
        const std::span<const octet> plain = std::span(source).first(length);
        const octets expected = masked(plain, key, phase);
        const support::guarded end(plain);
        const support::guarded_front front(plain);
        const support::exact heap(plain);
        for (const std::span<octet> text : {end.span(), front.span(), heap.span()}) {
            mask(text, turned(key, phase));
            if (!std::equal(text.begin(), text.end(), expected.begin())) FAIL("length " << length);
        }
        for (const way how : all_ways) {
            const support::guarded to_end(octets(length, 0xA5));
            const support::guarded_front to_front(octets(length, 0xA5));
            how(end.span(), to_end.span(), turned(key, phase));
            how(front.span(), to_front.span(), turned(key, phase));
            for (const std::span<octet> text : {to_end.span(), to_front.span()}) {
                if (!std::equal(text.begin(), text.end(), plain.begin())) FAIL("length " << length);
            }
        }
    });
}

TEST_CASE("M1, M2 every way to mask is the octet loop at any length up to 300 and any alignment") {
    constexpr std::size_t longest = 300;
    const octets source = some_octets(longest);
    const support::guarded memory(octets(longest + 32, 0xA5));
    const support::guarded_front front(source);
    for (std::size_t phase = 0; phase < 4; ++phase) {
        const masking_key key = turned(keys[2], phase);
        const octets expected = masked(source, key, 0);
        for (std::size_t length = 0; length <= longest; ++length) {
            for (const way how : all_ways) {
                // The last of these ends where memory does, and the last of all begins there.
                for (std::size_t i = 0; i <= 32; ++i) {
                    const std::span<octet> all = i < 32 ? memory.span() : front.span();
                    const std::size_t begin = i < 32 ? all.size() - length - (31 - i) : 0;
                    const std::span<octet> text = all.subspan(begin, length);
                    std::copy_n(source.begin(), length, text.begin());
                    if (how(text, text, key) != key.after(length) ||
                        !std::equal(text.begin(), text.end(), expected.begin())) {
                        FAIL("length " << length << " phase " << phase << " place " << i);
                    }
                    if ((begin > 0 && all[begin - 1] != 0xA5) ||
                        (i < 31 && all[begin + length] != 0xA5 && i < 32)) {
                        FAIL("outside of length " << length << " place " << i);
                    }
                    std::fill(text.begin(), text.end(), 0xA5);
                }
            }
        }
    }
}

TEST_CASE("any result above 127 is told") {
    for (std::size_t length = 1; length <= 300; ++length) {
        octets plain(length, 0x7F);
        for (std::size_t i = 0; i < length; ++i) {
            plain[i] = 0x80;
            octets text = masked(plain, keys[0], 0);
            if (!sockless::detail::mask_some(text.data(), text.data(), length, keys[0])) {
                FAIL("octet " << i << " of " << length);
            }
            plain[i] = 0x7F;
        }
        octets text = masked(plain, keys[0], 0);
        if (sockless::detail::mask_some(text.data(), text.data(), length, keys[0])) FAIL(length);
    }
    CHECK_FALSE(sockless::detail::mask_some(nullptr, nullptr, 0, keys[0]));
}

TEST_CASE("M3 masking in pieces is masking at once, at any two cuts") {
    const octets source = some_octets(longest_tried);
    const octets expected = masked(source, keys[0], 0);
    for (std::size_t first = 0; first <= longest_tried; ++first) {
        for (std::size_t second = first; second <= longest_tried; ++second) {
            octets text = source;
            const std::span<octet> all = text;
            masking_key key = mask(all.first(first), keys[0]);
            key = mask(all.subspan(first, second - first), key);
            key = mask(all.subspan(second), key);
            if (text != expected || key != keys[0]) FAIL("cut at " << first << ", " << second);

            octets copy(longest_tried, 0xA5);
            const std::span<const octet> from = source;
            const std::span<octet> to = copy;
            key = mask_copy(from.first(first), to, keys[0]);
            key = mask_copy(from.subspan(first, second - first), to.subspan(first), key);
            key = mask_copy(from.subspan(second), to.subspan(second), key);
            if (copy != expected || key != keys[0])
                FAIL("copied, cut at " << first << ", " << second);
        }
    }
}

TEST_CASE("M3 masking octet by octet is masking at once") {
    const octets source = some_octets(longest_tried + 3);
    octets text = source;
    masking_key key = keys[2];
    for (octet& o : text) key = mask(std::span(&o, 1), key);
    CHECK(text == masked(source, keys[2], 0));
    CHECK(key == turned(keys[2], source.size()));
}

TEST_CASE("masking while copying takes what both sides hold and writes nothing behind it") {
    const octets source = some_octets(24);
    for (std::size_t from = 0; from <= 24; ++from) {
        for (std::size_t to = 0; to <= 24; ++to) {
            const std::size_t size = std::min(from, to);
            octets expected = masked(std::span(source).first(size), keys[0], 0);
            expected.resize(24, 0xA5);
            octets got(24, 0xA5);
            const std::span<octet> out = std::span(got).first(to);
            const masking_key next = mask_copy(std::span(source).first(from), out, keys[0]);
            if (got != expected || next != turned(keys[0], size)) FAIL(from << " to " << to);
        }
    }
}

TEST_CASE("masking nothing leaves the key as it is") {
    octets two{1, 2};
    CHECK(mask({}, keys[0]) == keys[0]);
    CHECK(mask_copy({}, two, keys[0]) == keys[0]);
    CHECK(mask_copy(two, {}, keys[0]) == keys[0]);
    CHECK(two == octets{1, 2});
    for (const way how : all_ways) CHECK(how({}, {}, keys[0]) == keys[0]);
}

TEST_CASE("masking twice is masking not at all") {
    for_all_lengths([](const masking_key& key, std::size_t phase, std::size_t length) {
        const octets source = some_octets(length);
        octets text = source;
        mask(text, turned(key, phase));
        mask(text, turned(key, phase));
        if (text != source) FAIL("length " << length);
    });
}

TEST_CASE("the example of RFC 6455, 5.7 is masked as it says") {
    std::array<octet, 5> text = hello;
    mask(text, keys[0]);
    CHECK(text == masked_hello);
    mask(text, keys[0]);
    CHECK(text == hello);
}
