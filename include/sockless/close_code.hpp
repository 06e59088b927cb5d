// close_code.hpp -- the status codes of a Close (RFC 6455, 7.4).
#pragma once

#include <cstdint>
#include <optional>

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

}  // namespace sockless::inline v0
