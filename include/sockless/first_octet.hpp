// first_octet.hpp -- which octets a frame may begin with (RFC 6455, 5.2, 5.4, 5.5).
//
// The answers are computed from the rules, when this is compiled: a set for each state that a
// reader can be in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <sockless/fragmentation.hpp>
#include <sockless/frame_header.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>

namespace sockless::inline v0 {

namespace detail {

inline constexpr octet rsv2_and_3 = wire::rsv_bits & ~wire::rsv1;

// A first octet without RSV2 and RSV3: the index of a bit in a set.
constexpr unsigned squeeze(octet first) noexcept {
    return (first & (wire::fin | wire::rsv1)) >> 2U | (first & wire::opcode_bits);
}

// By whether RSV1 was agreed on, and by the unfinished message.
inline constexpr auto first_octets = [] {
    std::array<std::array<std::uint64_t, 3>, 2> sets{};
    for (unsigned rsv1 = 0; rsv1 < 2; ++rsv1) {
        for (unsigned message = 0; message < 3; ++message) {
            for (unsigned index = 0; index < 64; ++index) {
                const auto first = static_cast<octet>((index & 0x30) << 2 | (index & 0x0F));
                const auto op = static_cast<opcode>(first & wire::opcode_bits);
                if (judge_first_octet(first, {.rsv1 = rsv1 != 0}) != rule::none) continue;
                if (!is_control(op) &&
                    follow(static_cast<fragmentation>(message), op, (first & wire::fin) != 0)
                            .broken != rule::none) {
                    continue;
                }
                sets[rsv1][message] |= std::uint64_t{1} << index;
            }
        }
    }
    return sets;
}();

}  // namespace detail

// Does a frame that begins so break no rule yet, behind this much of a message?
constexpr bool may_come(octet first, bool rsv1, fragmentation message) noexcept {
    const std::uint64_t set = detail::first_octets[rsv1 ? 1 : 0][static_cast<std::size_t>(message)];
    return (first & detail::rsv2_and_3) == 0 && (set >> detail::squeeze(first) & 1) != 0;
}

}  // namespace sockless::inline v0
