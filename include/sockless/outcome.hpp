// outcome.hpp -- what became of it: whose fault, which rule, which section, which close code.
//
// Octets from the peer end in one of three ways: a value, "not yet", or a broken rule. A broken
// rule is the peer's fault and final. What the caller does ends in a `result`: whatever is not
// `done` wrote nothing and changed nothing, and the caller may go on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sockless/close_code.hpp>

namespace sockless::inline v0 {

// The rules that a peer can break. Those of framing stand in the order in which they are judged.
enum class rule : std::uint8_t {
    none,
    reserved_bits,
    reserved_opcode,
    fragmented_control,
    nothing_to_continue,
    unfinished_message,
    unmasked_frame,
    masked_frame,
    long_control,
    short_close,
    huge_length,
    padded_length,
    large_frame,
    large_message,
    empty_fragments,
    bad_text,
    bad_close_code,
    bad_reason,
    bad_compression,
    high_ratio,

    // of the opening handshake
    bad_request_line,
    bad_status_line,
    bad_target,
    long_target,
    bad_field,
    large_head,
    many_fields,
    bad_host,
    has_body,
    bad_upgrade,
    bad_connection,
    bad_version,
    bad_key,
    bad_accept,
    bad_protocol,
    bad_extension,
    bad_pseudo_field,
    foreign_origin,
};

struct rule_entry {
    rule id;
    // The answer: the status code of a Close (7.4.1), or of an HTTP response.
    std::uint16_t code;
    std::uint16_t rfc;
    std::string_view section;
    std::string_view name;
};

// clang-format off
inline constexpr std::array<rule_entry, 38> rule_table{{
    {rule::none,                    0,    0, "",        "none"},
    {rule::reserved_bits,        1002, 6455, "5.2",     "reserved_bits"},
    {rule::reserved_opcode,      1002, 6455, "5.2",     "reserved_opcode"},
    {rule::fragmented_control,   1002, 6455, "5.5",     "fragmented_control"},
    {rule::nothing_to_continue,  1002, 6455, "5.4",     "nothing_to_continue"},
    {rule::unfinished_message,   1002, 6455, "5.4",     "unfinished_message"},
    {rule::unmasked_frame,       1002, 6455, "5.1",     "unmasked_frame"},
    {rule::masked_frame,         1002, 6455, "5.1",     "masked_frame"},
    {rule::long_control,         1002, 6455, "5.5",     "long_control"},
    {rule::short_close,          1002, 6455, "5.5.1",   "short_close"},
    {rule::huge_length,          1002, 6455, "5.2",     "huge_length"},
    {rule::padded_length,        1002, 6455, "5.2",     "padded_length"},
    {rule::large_frame,          1009, 6455, "10.4",    "large_frame"},
    {rule::large_message,        1009, 6455, "10.4",    "large_message"},
    {rule::empty_fragments,      1008, 6455, "10.4",    "empty_fragments"},
    {rule::bad_text,             1007, 6455, "8.1",     "bad_text"},
    {rule::bad_close_code,       1002, 6455, "7.4",     "bad_close_code"},
    {rule::bad_reason,           1007, 6455, "5.5.1",   "bad_reason"},
    {rule::bad_compression,      1007, 7692, "7.2.2",   "bad_compression"},
    {rule::high_ratio,           1009, 6455, "10.4",    "high_ratio"},
    {rule::bad_request_line,      400, 9112, "3",       "bad_request_line"},
    {rule::bad_status_line,       400, 9112, "4",       "bad_status_line"},
    {rule::bad_target,            400, 9112, "3.2",     "bad_target"},
    {rule::long_target,           414, 9110, "15.5.15", "long_target"},
    {rule::bad_field,             400, 9112, "5",       "bad_field"},
    {rule::large_head,            431, 6585, "5",       "large_head"},
    {rule::many_fields,           431, 6585, "5",       "many_fields"},
    {rule::bad_host,              400, 9112, "3.2",     "bad_host"},
    {rule::has_body,              400, 9110, "9.3.1",   "has_body"},
    {rule::bad_upgrade,           426, 6455, "4.1",     "bad_upgrade"},
    {rule::bad_connection,        400, 6455, "4.1",     "bad_connection"},
    {rule::bad_version,           426, 6455, "4.4",     "bad_version"},
    {rule::bad_key,               400, 6455, "4.2.1",   "bad_key"},
    {rule::bad_accept,            400, 6455, "4.1",     "bad_accept"},
    {rule::bad_protocol,          400, 6455, "4.1",     "bad_protocol"},
    {rule::bad_extension,         400, 6455, "9.1",     "bad_extension"},
    {rule::bad_pseudo_field,      400, 8441, "4",       "bad_pseudo_field"},
    {rule::foreign_origin,        403, 6455, "10.2",    "foreign_origin"},
}};
// clang-format on

// Rules of framing are answered with a Close, rules of the opening handshake with a response.
constexpr bool is_of_opening(rule broken) noexcept { return broken >= rule::bad_request_line; }

namespace detail {
inline constexpr auto first_of_opening = static_cast<std::size_t>(rule::bad_request_line);

// The answers apart from the words, counted from `base`: firmware that never names a rule does not
// carry the names.
template <std::size_t From, std::size_t To, int Base>
inline constexpr auto answers = [] {
    std::array<std::uint8_t, To - From> codes{};
    for (std::size_t i = From; i < To; ++i) {
        codes[i - From] = static_cast<std::uint8_t>(rule_table[i].code - Base);
    }
    return codes;
}();
}  // namespace detail

// Every rule has its row, and an answer that may travel.
static_assert([] {
    for (std::size_t i = 1; i < rule_table.size(); ++i) {
        const int answer = rule_table[i].code;
        if (static_cast<std::size_t>(rule_table[i].id) != i) return false;
        if (is_of_opening(rule_table[i].id)) {
            if (answer < 400 || answer > 431) return false;
        } else if (!may_travel(answer)) {
            return false;
        }
    }
    return rule_table[0].id == rule::none;
}());

namespace detail {
constexpr std::uint16_t code_of_framing(rule broken) noexcept {
    constexpr const auto& codes = answers<0, first_of_opening, 1000>;
    return static_cast<std::uint16_t>(1000 + codes[static_cast<std::size_t>(broken)]);
}
}  // namespace detail

// The status code of the Close that answers a rule of framing.
constexpr std::uint16_t code(rule broken) noexcept {
    if (broken == rule::none || is_of_opening(broken)) return 0;
    return detail::code_of_framing(broken);
}
// The status code of the response that answers a rule of the opening handshake.
constexpr std::uint16_t status(rule broken) noexcept {
    if (!is_of_opening(broken)) return 0;
    constexpr const auto& codes = detail::answers<detail::first_of_opening, rule_table.size(), 400>;
    return static_cast<std::uint16_t>(
        400 + codes[static_cast<std::size_t>(broken) - detail::first_of_opening]);
}
constexpr std::uint16_t rfc(rule broken) noexcept {
    return rule_table[static_cast<std::size_t>(broken)].rfc;
}
constexpr std::string_view section(rule broken) noexcept {
    return rule_table[static_cast<std::size_t>(broken)].section;
}
constexpr std::string_view name(rule broken) noexcept {
    return rule_table[static_cast<std::size_t>(broken)].name;
}

// The rule that the peer broke, and the octet that broke it, counted from 0 over the whole stream.
struct violation {
    rule broken = rule::none;
    std::uint64_t at = 0;

    friend constexpr bool operator==(const violation&, const violation&) noexcept = default;
};

// What became of a command. `full` is flow: there was not enough room, try again with more. All
// below it are the caller's mistakes, which are never sticky.
enum class [[nodiscard]] result : std::uint8_t {
    done,
    full,
    not_open,       // the connection has ended, or has not begun
    closing,        // our Close is on its way: nothing may follow it (5.5.1)
    undecided,      // the request has no answer yet
    control_first,  // a reply is due; take it from control() before anything else
    mid_message,    // another message is unfinished
    mid_frame,      // the frame that was started is still owed payload
    lent,           // memory that was lent has not come back yet
    wrong_length,   // not the length that was announced
    too_large,      // more than there may ever be
    bad_text,       // not UTF-8
    bad_head,       // not a request or a response that may leave
    not_offered,    // what the peer did not offer, or what was not agreed on
};

constexpr std::string_view name(result of) noexcept {
    constexpr std::array<std::string_view, 14> names{
        "done",          "full",        "not_open",  "closing",    "undecided",
        "control_first", "mid_message", "mid_frame", "lent",       "wrong_length",
        "too_large",     "bad_text",    "bad_head",  "not_offered"};
    return names[static_cast<std::size_t>(of)];
}

// How writing something whole ended.
struct [[nodiscard]] written {
    result what = result::done;
    std::size_t octets = 0;  // `done`: written; `full`: needed

    friend constexpr bool operator==(const written&, const written&) noexcept = default;
};

// How reading a prefix of the stream ended.
template <class Value>
struct outcome {
    enum class is : std::uint8_t { value, not_yet, broken };

    is what = is::not_yet;
    Value value{};             // if `value`
    rule broken = rule::none;  // if `broken`
    std::size_t used = 0;      // octets of the value, or in front of the one that broke the rule
};

}  // namespace sockless::inline v0
