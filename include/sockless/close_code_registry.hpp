// close_code_registry.hpp -- what close codes are called, and what a client does about them (RFC
// 6455, 7.2.3, 7.4; the IANA registry of close codes).
//
// Nothing in the protocol needs this: it is for people, and for whoever connects again.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sockless::inline v0 {

// What a client should do about a connection that ended with a code.
enum class retry : std::uint8_t {
    no,           // it would end the same way again, or it is finished
    backoff,      // 7.2.3: after a random delay, growing from one attempt to the next
    slow,         // the same, beginning with 5 to 30 seconds: everybody was sent away at once
    elsewhere,    // only at another address, or when a person asks for it
    application,  // the code is the application's own, and so is the answer
};

struct registered_close_code {
    std::uint16_t code;
    retry advice;
    std::string_view name;
};

// clang-format off
inline constexpr std::array<registered_close_code, 19> close_code_registry{{
    {1000, retry::no,        "normal closure"},
    {1001, retry::backoff,   "going away"},
    {1002, retry::no,        "protocol error"},
    {1003, retry::no,        "unsupported data"},
    {1004, retry::no,        "reserved"},
    {1005, retry::backoff,   "no status received"},
    {1006, retry::backoff,   "abnormal closure"},
    {1007, retry::no,        "invalid frame payload data"},
    {1008, retry::no,        "policy violation"},
    {1009, retry::no,        "message too big"},
    {1010, retry::no,        "mandatory extension"},
    {1011, retry::backoff,   "internal error"},
    {1012, retry::slow,      "service restart"},
    {1013, retry::elsewhere, "try again later"},
    {1014, retry::backoff,   "bad gateway"},
    {1015, retry::no,        "TLS handshake"},
    {3000, retry::no,        "unauthorized"},
    {3003, retry::no,        "forbidden"},
    {3008, retry::backoff,   "timeout"},
}};
// clang-format on

// The name of a code, or of the range that an unregistered one lies in.
constexpr std::string_view close_code_name(int code) noexcept {
    for (const registered_close_code& entry : close_code_registry) {
        if (entry.code == code) return entry.name;
    }
    if (code >= 4000 && code <= 4999) return "private use";
    if (code >= 3000 && code <= 3999) return "unregistered";
    return "reserved";
}

constexpr retry retry_advice(int code) noexcept {
    for (const registered_close_code& entry : close_code_registry) {
        if (entry.code == code) return entry.advice;
    }
    return code >= 3000 && code <= 4999 ? retry::application : retry::no;
}

}  // namespace sockless::inline v0
