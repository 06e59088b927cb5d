// close_code.hpp -- the status codes of a Close, as data (RFC 6455, 7.4).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sockless::inline v0 {

// 7.4.1: these stand for "no code" and "no Close". An endpoint reports them and never sends them.
inline constexpr std::uint16_t no_status_code = 1005;
inline constexpr std::uint16_t abnormal_closure = 1006;

// May a Close carry this code? 7.4.1 and the IANA registry give meaning to 1000-1003 and 1007-1014;
// 7.4.2 leaves 3000-3999 to libraries (registered) and 4000-4999 to private use, and the rest to
// future versions of the protocol.
constexpr bool may_travel(int code) noexcept {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

// May a script in a browser pass this code to WebSocket.close()? (WHATWG WebSockets, 3.1)
constexpr bool browser_may_send(int code) noexcept {
    return code == 1000 || (code >= 3000 && code <= 4999);
}

// A code that may travel. One that may not cannot be written: close_code(1006) does not compile.
class close_code {
  public:
    consteval close_code(int code) noexcept : value_(static_cast<std::uint16_t>(code)) {
        if (!may_travel(code)) this_close_code_may_not_travel();
    }

    static constexpr std::optional<close_code> from(int code) noexcept {
        if (!may_travel(code)) return std::nullopt;
        return close_code(static_cast<std::uint16_t>(code), checked{});
    }

    constexpr std::uint16_t value() const noexcept { return value_; }
    friend constexpr bool operator==(close_code, close_code) noexcept = default;

  private:
    struct checked {};
    constexpr close_code(std::uint16_t code, checked) noexcept : value_(code) {}

    static void this_close_code_may_not_travel() noexcept;  // never defined: ends the compilation

    std::uint16_t value_;
};

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
