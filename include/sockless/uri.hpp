// uri.hpp -- where a client connects: ws and wss URIs (RFC 6455, 3; RFC 3986).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <sockless/header_list.hpp>
#include <sockless/octets.hpp>
#include <sockless/origin.hpp>

namespace sockless::inline v0 {

// Views into the text that it was read from.
struct uri {
    bool secure = false;
    std::string_view host{};       // as a resolver and TLS want it: an IPv6 address has no brackets
    std::uint16_t port = 0;        // 80 or 443 if none is said
    std::string_view authority{};  // as the Host field wants it: without a port that is the default
    std::string_view target{};     // path and query: from "/" or "?" on, or empty
};

namespace detail {
// RFC 3986, 3.3 and 3.4: pchar, "/" and "?", less the percent sign.
constexpr bool is_target_octet(octet o) noexcept {
    constexpr std::string_view others = "-._~!$&'()*+,;=:@/?";
    return is_letter(o) || is_digit(o) ||
           others.find(static_cast<char>(o)) != std::string_view::npos;
}
}  // namespace detail

// A path with a query or without, of URI characters: empty, or with "/" or "?" in front. 3: a
// fragment "MUST NOT be used on these URIs", and a "#" that is meant comes as "%23".
constexpr bool is_target(std::string_view text) noexcept {
    if (!text.empty() && text.front() != '/' && text.front() != '?') return false;
    std::size_t hex_digits = 0;  // that a percent sign still needs
    for (const char c : text) {
        const octet o = static_cast<octet>(c);
        if (hex_digits > 0) {
            if (!detail::is_hex_digit(o)) return false;
            --hex_digits;
        } else if (o == '%') {
            hex_digits = 2;
        } else if (!detail::is_target_octet(o)) {
            return false;
        }
    }
    return hex_digits == 0;
}

namespace detail {
// Takes this from the front, in any case.
constexpr bool take_text(std::string_view& text, std::string_view front) noexcept {
    if (text.size() < front.size()) return false;
    for (std::size_t i = 0; i < front.size(); ++i) {
        if (lower_case(static_cast<octet>(text[i])) != static_cast<octet>(front[i])) return false;
    }
    text.remove_prefix(front.size());
    return true;
}
}  // namespace detail

// 3: "ws:" or "wss:", "//", host, port, path and query. Nothing else: no user, and of hosts and
// ports what parse_authority() takes.
constexpr std::optional<uri> parse_uri(std::string_view text) noexcept {
    uri found{.secure = detail::take_text(text, "wss://")};
    if (!found.secure && !detail::take_text(text, "ws://")) return std::nullopt;
    std::size_t size = 0;
    while (size < text.size() && text[size] != '/' && text[size] != '?') ++size;
    found.authority = {text.data(), size};
    found.target = {text.data() + size, text.size() - size};
    const authority where = parse_authority(found.authority);
    if (!where || !is_target(found.target)) return std::nullopt;

    const std::uint16_t usual = found.secure ? 443 : 80;
    found.port = where.port == 0 ? usual : where.port;
    found.host = {text.data(), where.host};
    if (found.port == usual) found.authority = found.host;
    if (found.host.front() == '[') found.host = {text.data() + 1, where.host - 2U};
    return found;
}

}  // namespace sockless::inline v0
