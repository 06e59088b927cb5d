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

// The rules that a peer can break, in the order in which they are judged.
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
};

struct rule_entry {
    rule id;
    std::uint16_t code;        // the status code of the Close that answers it (7.4.1)
    std::string_view section;  // of RFC 6455
    std::string_view name;
};

// clang-format off
inline constexpr std::array<rule_entry, 18> rule_table{{
    {rule::none,                   0, "",      "none"},
    {rule::reserved_bits,       1002, "5.2",   "reserved_bits"},
    {rule::reserved_opcode,     1002, "5.2",   "reserved_opcode"},
    {rule::fragmented_control,  1002, "5.5",   "fragmented_control"},
    {rule::nothing_to_continue, 1002, "5.4",   "nothing_to_continue"},
    {rule::unfinished_message,  1002, "5.4",   "unfinished_message"},
    {rule::unmasked_frame,      1002, "5.1",   "unmasked_frame"},
    {rule::masked_frame,        1002, "5.1",   "masked_frame"},
    {rule::long_control,        1002, "5.5",   "long_control"},
    {rule::short_close,         1002, "5.5.1", "short_close"},
    {rule::huge_length,         1002, "5.2",   "huge_length"},
    {rule::padded_length,       1002, "5.2",   "padded_length"},
    {rule::large_frame,         1009, "10.4",  "large_frame"},
    {rule::large_message,       1009, "10.4",  "large_message"},
    {rule::empty_fragments,     1008, "10.4",  "empty_fragments"},
    {rule::bad_text,            1007, "8.1",   "bad_text"},
    {rule::bad_close_code,      1002, "7.4",   "bad_close_code"},
    {rule::bad_reason,          1007, "5.5.1", "bad_reason"},
}};
// clang-format on

namespace detail {
// The codes apart from the words, counted from 1000: firmware that never names a rule does not
// carry the names.
inline constexpr auto rule_codes = [] {
    std::array<std::uint8_t, rule_table.size()> codes{};
    for (std::size_t i = 1; i < codes.size(); ++i) {
        codes[i] = static_cast<std::uint8_t>(rule_table[i].code - 1000);
    }
    return codes;
}();
}  // namespace detail

// Every rule has its row, and a code that may travel.
static_assert([] {
    for (std::size_t i = 1; i < rule_table.size(); ++i) {
        if (static_cast<std::size_t>(rule_table[i].id) != i) return false;
        if (!may_travel(rule_table[i].code)) return false;
    }
    return rule_table[0].id == rule::none;
}());

constexpr std::uint16_t code(rule broken) noexcept {
    if (broken == rule::none) return 0;
    return static_cast<std::uint16_t>(1000 + detail::rule_codes[static_cast<std::size_t>(broken)]);
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
    not_open,       // the connection has ended
    closing,        // our Close is on its way: nothing may follow it (5.5.1)
    control_first,  // a reply is due; take it from control() before anything else
    mid_message,    // another message is unfinished
    mid_frame,      // the frame that was started is still owed payload
    too_large,      // more than the frame may hold
    bad_text,       // not UTF-8
    not_offered,    // an extension that was not agreed on
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
