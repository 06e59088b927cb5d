// close_payload.hpp -- what a Close says: a status code and a reason (RFC 6455, 5.5.1, 7.1.5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sockless/close_code.hpp>
#include <sockless/frame_header.hpp>
#include <sockless/octets.hpp>
#include <sockless/outcome.hpp>
#include <sockless/utf8.hpp>

namespace sockless::inline v0 {

inline constexpr std::size_t longest_reason = longest_control_payload - 2;

// The beginning of a text that fits into a Close, without cutting a code point.
constexpr std::string_view cut_reason(std::string_view text) noexcept {
    return cut_utf8(text, longest_reason);
}

// May a Close of ours say this?
constexpr result judge_reason(std::string_view reason) noexcept {
    if (reason.size() > longest_reason) return result::too_large;
    return is_utf8(reason) ? result::done : result::bad_text;
}

// The two parts of a body that has been judged. 7.1.5: without a code it is 1005.
constexpr std::uint16_t close_code_of(std::span<const octet> body) noexcept {
    return body.empty() ? no_status_code : load_network16(body[0], body[1]);
}
constexpr std::span<octet> close_reason_of(std::span<octet> body) noexcept {
    return body.empty() ? body : body.subspan(2);
}

// Is there any code that may travel and begins with this octet? 1000-1014 do with 0x03, 3000-4999
// with 0x0B to 0x13.
constexpr bool may_begin_code(octet high) noexcept {
    return high == 0x03 || (high >= 0x0B && high <= 0x13);
}

// Judges octet `index` of a body as it comes: `following` octets are still to come, and `code` and
// `reason` remember what came in front of it.
constexpr rule judge_close_octet(std::size_t index, octet next, std::size_t following,
                                 std::uint16_t& code, utf8_checker& reason) noexcept {
    if (index == 0) {
        code = load_network16(next, 0);
        return may_begin_code(next) ? rule::none : rule::bad_close_code;
    }
    if (index == 1) {
        code |= next;
        reason = {};
        return may_travel(code) ? rule::none : rule::bad_close_code;
    }
    return reason.take(next, following) ? rule::none : rule::bad_reason;
}

}  // namespace sockless::inline v0
