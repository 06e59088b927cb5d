// kernels.hpp -- masking and text in blocks against their definitions, octet by octet.
//
// Octet 0 of the input is how many octets the text has behind those that are given (its two lowest
// bits; 3: any number) and how many of ASCII stand in front of them (four times the rest), octet 1
// says where the text is cut, octets 2 to 5 are the key, and the rest is the text. Invariants 1
// to 4.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <sockless/masking.hpp>
#include <sockless/payload.hpp>
#include <sockless/utf8.hpp>

#include "fuzz/expect.hpp"
#include "fuzz/source.hpp"

namespace fuzz::kernels {

using sockless::masking_key;
using sockless::utf8_checker;

// Where a payload stands after some of it.
struct place {
    std::size_t good = 0;
    masking_key key{};
    utf8_checker text{};

    bool operator==(const place&) const = default;
};

inline void check_masking(std::span<const octet> plain, masking_key key) {
    std::vector<octet> slow(plain.size());
    const masking_key after =
        sockless::detail::mask_octets(plain.data(), slow.data(), plain.size(), key);
    std::vector<octet> copy(plain.size());
    expect(sockless::mask_copy(plain, copy, key) == after && copy == slow,
           "invariant 1: masking in blocks is masking octet by octet");
    expect(
        sockless::mask(copy, key) == after && std::equal(copy.begin(), copy.end(), plain.begin()),
        "invariant 1: masking twice is masking not at all");
}

// Both ways to unmask, in pieces that lie in memory of exactly their size.
inline void check_unmasking(std::span<const octet> masked, bool is_text, place begin, octet seed,
                            std::size_t following) {
    place slow = begin;
    place fast = begin;
    cutter cuts(seed);
    std::size_t done = 0;
    while (done < masked.size()) {
        const std::size_t size = cuts.next(masked.size() - done);
        const std::size_t room = following == sockless::unlimited
                                     ? sockless::unlimited
                                     : masked.size() - done + following;
        const std::span<const octet> piece = masked.subspan(done, size);
        std::vector<octet> one(piece.begin(), piece.end());
        std::vector<octet> other = one;
        slow.good = sockless::detail::unmask_octets(one, slow.key, is_text, slow.text, room);
        fast.good = sockless::unmask(other, fast.key, is_text, fast.text, room);
        expect(slow == fast, "invariant 2: the same octet is refused, the same follows");
        expect(one == other, "invariant 3: what is refused stays as it came, and all behind it");
        done += size;
        if (slow.good < size) return;
    }
}

inline void check_text(std::span<const octet> text, std::size_t following) {
    utf8_checker slow;
    std::size_t good = 0;
    for (; good < text.size(); ++good) {
        const std::size_t behind = text.size() - good - 1;
        const bool open = following == sockless::unlimited;
        if (!slow.take(text[good], open ? following : behind + following)) break;
    }
    const std::vector<octet> copy(text.begin(), text.end());
    utf8_checker fast;
    expect(fast.accept(copy, following) == good && fast == slow,
           "invariant 4: text in blocks is text octet by octet");
}

inline void run(std::span<const octet> input) {
    source in(input);
    const octet configuration = in.take();
    const octet seed = in.take();
    masking_key key;
    for (octet& one : key.octets) one = in.take();
    std::vector<octet> text(configuration / 4U * 4U, 'a');
    text.insert(text.end(), in.rest().begin(), in.rest().end());

    const std::size_t few = configuration % 4U;
    const std::size_t following = few == 3 ? sockless::unlimited : few;
    check_masking(text, key);
    check_text(text, following);
    std::vector<octet> masked(text.size());
    sockless::detail::mask_octets(text.data(), masked.data(), text.size(), key);
    for (const bool is_text : {false, true}) {
        check_unmasking(masked, is_text, {.good = 0, .key = key, .text = {}}, seed, following);
    }
}

}  // namespace fuzz::kernels
