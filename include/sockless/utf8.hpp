// utf8.hpp -- text is UTF-8, judged octet by octet as it comes (RFC 6455, 8.1; RFC 3629).
//
// The checker keeps no text, only what the next octet may be. It refuses an octet as soon as no
// text that goes on from there can be UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <sockless/blocks.hpp>
#include <sockless/limits.hpp>
#include <sockless/octets.hpp>
#include <sockless/utf8_blocks.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

class utf8_checker {
  public:
    // Takes the next octet of a text, or refuses it and stays as it was. `following` is how many
    // octets the text has at most after this one: the first octet of a code point that they cannot
    // complete is refused as well.
    constexpr bool take(octet next, std::size_t following = unlimited) noexcept {
        if (needed_ > 0) {
            if (!may_follow(next)) return false;
            --needed_;
            lead_ = 0;
            return true;
        }
        if (next < 0x80) return true;
        if (next < 0xC2 || next > 0xF4) return false;
        // Its first four bits are C or D if one octet follows, E if two do, and F if three.
        const octet needed = next < 0xE0 ? 1 : static_cast<octet>((next >> 4) - 0xC);
        if (needed > following) return false;
        needed_ = needed;
        lead_ = next;
        return true;
    }

    // Takes octets up to the first that has to be refused, and says how many it took.
    constexpr std::size_t accept(std::span<const octet> text,
                                 std::size_t following = unlimited) noexcept {
        std::size_t taken = 0;
        if (!prefer_small && !std::is_constant_evaluated()) {
            taken = take_blocks(text);
        }
        while (taken < text.size()) {
            if (!prefer_small && !std::is_constant_evaluated()) {
                taken += skip_ascii(text.subspan(taken));
                if (taken == text.size()) break;
            }
            if (!take(text[taken])) break;
            ++taken;
        }
        const std::size_t rest = text.size() - taken;
        if (needed_ <= following || needed_ - following <= rest) return taken;
        // The octet that began this code point, if it is one of these, was already one too many.
        std::size_t lead = taken;
        while (lead > 0 && is_tail(text[lead - 1])) --lead;
        if (lead == 0) return taken;
        *this = {};
        return lead - 1;
    }

    // How many octets the unfinished code point still needs; 0: the text may end here.
    constexpr std::size_t needed() const noexcept { return needed_; }

    friend constexpr bool operator==(const utf8_checker&, const utf8_checker&) noexcept = default;

  private:
    static constexpr bool is_tail(octet o) noexcept { return (o & 0xC0) == 0x80; }

    // May this go on with the code point? RFC 3629, 4: the second octet of some has a narrower
    // range, which is what keeps out overlong forms, surrogates and all above U+10FFFF.
    constexpr bool may_follow(octet next) const noexcept {
        octet lowest = 0x80;
        octet highest = 0xBF;
        if (lead_ == 0xE0) lowest = 0xA0;
        if (lead_ == 0xED) highest = 0x9F;
        if (lead_ == 0xF0) lowest = 0x90;
        if (lead_ == 0xF4) highest = 0x8F;
        return next >= lowest && next <= highest;
    }

    // Takes octets in blocks, up to a code point that has something bad in it or behind it.
    std::size_t take_blocks(std::span<const octet> text) noexcept {
        if (!detail::can_judge() || text.size() < detail::least_judged) return 0;
        for (std::size_t i = 0; i < 3; ++i) {
            if (!take(text[i])) return i;
        }
        const std::size_t good = detail::good_octets(text.data(), text.size());
        if (good == 3) return 3;
        // The last code point is taken again: it may be unfinished, or an octet that begins none.
        std::size_t lead = good;
        while (good - lead < 3 && is_tail(text[lead - 1])) --lead;
        *this = {};
        return lead - 1;
    }

    // How many octets in front are whole words of ASCII, if the text may begin with one here.
    std::size_t skip_ascii(std::span<const octet> text) const noexcept {
        std::size_t skipped = 0;
        std::uint64_t word = 0;
        while (needed_ == 0 && text.size() - skipped >= sizeof word) {
            detail::load(text.data() + skipped, word);
            if ((word & detail::high_bits) != 0) break;
            skipped += sizeof word;
        }
        return skipped;
    }

    octet needed_ = 0;
    octet lead_ = 0;  // the octet in front, if it began the code point
};

constexpr bool is_utf8(std::span<const octet> text) noexcept {
    if (!prefer_small && !std::is_constant_evaluated()) {
        const std::size_t size = text.size();
        const bool is_short = size >= 4 && size <= 128 && detail::can_judge();
        if (is_short && detail::is_good_text(text.data(), size)) return true;
    }
    return utf8_checker{}.accept(text, 0) == text.size();
}

constexpr bool is_utf8(std::string_view text) noexcept {
    if (!prefer_small && !std::is_constant_evaluated()) return is_utf8(octets_of(text));
    utf8_checker checker;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t following = text.size() - i - 1;
        if (!checker.take(static_cast<octet>(text[i]), following)) return false;
    }
    return true;
}

// The longest beginning of a text that has at most `most` octets and cuts no code point.
constexpr std::string_view cut_utf8(std::string_view text, std::size_t most) noexcept {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<octet>(text[most]) & 0xC0) == 0x80) --most;
    return {text.data(), most};
}

}  // namespace sockless::inline v0
