// utf8.hpp -- utf8_checker and cut_utf8 against the reference, however the text is cut.
//
// Octet 0 of the input is how many octets the text has behind those that are given (its two lowest
// bits, and `most` of cut_utf8 the other six), octet 1 says where the text is cut, and the rest is
// the text. Invariants 1, 6 and 10.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/close_payload.hpp>
#include <sockless/utf8.hpp>

#include "fuzz/expect.hpp"
#include "fuzz/source.hpp"
#include "support/reference.hpp"

namespace fuzz::utf8 {

using sockless::utf8_checker;

// The text by the reference: which octet is refused, and what each octet still lacks behind it.
struct expected {
    std::size_t taken = 0;
    std::vector<std::size_t> missing{0};  // after so many octets
};

inline expected by_reference(std::span<const octet> text, std::size_t following) {
    expected result;
    reference::unfinished_code_point slow;
    for (const octet next : text) {
        if (!slow.take(next)) break;
        const auto missing = static_cast<std::size_t>(slow.missing());
        const std::size_t behind = text.size() - result.taken - 1;
        if (following != sockless::unlimited && missing > behind + following) break;
        result.missing.push_back(missing);
        ++result.taken;
    }
    return result;
}

inline void check_whole(std::span<const octet> text, std::size_t following, const expected& right) {
    const std::vector<octet> copy(text.begin(), text.end());
    utf8_checker checker;
    expect(checker.accept(copy, following) == right.taken, "invariant 6: the first bad octet");
    if (right.taken == text.size()) {
        expect(checker.needed() == right.missing.back(), "invariant 10: what the text lacks");
    }
}

inline void check_in_pieces(std::span<const octet> text, std::size_t following, octet seed,
                            const expected& right) {
    utf8_checker checker;
    cutter cuts(seed);
    std::size_t done = 0;
    while (done < text.size()) {
        const std::size_t size = cuts.next(text.size() - done);
        const std::vector<octet> piece(text.begin() + static_cast<std::ptrdiff_t>(done),
                                       text.begin() + static_cast<std::ptrdiff_t>(done + size));
        const std::size_t behind = text.size() - done - size;
        const bool known = following != sockless::unlimited;
        const std::size_t taken =
            checker.accept(piece, known ? behind + following : sockless::unlimited);
        done += taken;
        if (taken < size) break;
        expect(done < right.missing.size() && checker.needed() == right.missing[done],
               "invariant 1: the same however the text is cut");
    }
    expect(done == right.taken, "invariant 1: the same octet is refused however the text is cut");
}

inline void check_cut(std::string_view text, std::size_t most) {
    const std::string_view cut = sockless::cut_utf8(text, most);
    expect(cut.data() == text.data() && cut.size() <= most && cut.size() <= text.size(),
           "a cut text is the beginning of the text, and short enough");
    if (!reference::valid_utf8(std::string(text))) return;
    expect(reference::valid_utf8(std::string(cut)), "no code point is cut");
    const std::size_t room = text.size() < most ? text.size() : most;
    for (std::size_t longer = cut.size() + 1; longer <= room; ++longer) {
        expect(!reference::valid_utf8(std::string(text.substr(0, longer))),
               "no longer beginning would do");
    }
}

inline void run(std::span<const octet> input) {
    source in(input);
    const octet configuration = in.take();
    const octet seed = in.take();
    const std::span<const octet> text = in.rest();
    const std::string characters = as_string(text);

    const std::size_t following = configuration & 3U;
    check_whole(text, following, by_reference(text, following));
    check_in_pieces(text, following, seed, by_reference(text, following));
    const expected endless = by_reference(text, sockless::unlimited);
    check_whole(text, sockless::unlimited, endless);
    check_in_pieces(text, sockless::unlimited, seed, endless);

    expect(sockless::is_utf8(text) == reference::valid_utf8(characters),
           "invariant 10: UTF-8 or not");
    check_cut(characters, configuration >> 2U);
    check_cut(characters, text.size() - text.size() / 4);
    expect(sockless::cut_reason(characters) ==
               sockless::cut_utf8(characters, sockless::longest_reason),
           "a reason is cut as any text is");
}

}  // namespace fuzz::utf8
