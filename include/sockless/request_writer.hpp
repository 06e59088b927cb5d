// request_writer.hpp -- the request that a client opens with (RFC 6455, 4.1).
#pragma once

#include <span>
#include <string_view>

#include <sockless/head_writer.hpp>
#include <sockless/header_list.hpp>
#include <sockless/http_head.hpp>
#include <sockless/octets.hpp>
#include <sockless/origin.hpp>
#include <sockless/outcome.hpp>
#include <sockless/uri.hpp>

namespace sockless::inline v0 {

// What a client asks for. parse_uri() gives host (its `authority`) and target.
struct opening {
    std::string_view host;          // with the port, unless it goes without saying
    std::string_view target = "/";  // may be empty, or begin with "?"
    std::string_view protocols{};   // "chat, superchat": the one it likes best first
    std::string_view extensions{};  // as they travel
    std::string_view user{};        // for RFC 7617, without a colon
    std::string_view password{};
    std::string_view bearer{};  // for RFC 6750
    std::span<const field> headers{};
};

// 4.1: "The elements [...] MUST all be unique strings."
constexpr bool are_protocols(std::string_view list) noexcept {
    name_reader reader(list);
    for (std::string_view one; reader.next(one);) {
        if (!is_token(one)) return false;
        name_reader others = reader;
        for (std::string_view other; others.next(other);) {
            if (one == other) return false;
        }
    }
    // What follows a name is told from it by a comma alone.
    return list.find(';') == std::string_view::npos;
}

// RFC 7617, 2: "The user-id and password MUST NOT contain any control characters".
constexpr bool has_no_control(std::string_view text) noexcept {
    bool good = true;
    for (const char c : text) good = good && c != '\t' && is_field_octet(static_cast<octet>(c));
    return good;
}

// The user ends at the first colon.
constexpr bool are_credentials(std::string_view user, std::string_view password) noexcept {
    bool good = !user.empty() || password.empty();
    for (const char c : user) good = good && c != ':';
    return good && has_no_control(user) && has_no_control(password);
}

// RFC 6750, 2.1: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
constexpr bool is_bearer(std::string_view token) noexcept {
    bool padding = false;
    for (const char c : token) {
        padding = padding || c == '=';
        const auto o = static_cast<octet>(c);
        const bool letter = detail::in_host(o) || c == '~' || c == '+' || c == '/';
        if (padding ? c != '=' : !letter) return false;
    }
    return token.empty() || token.front() != '=';
}

// Are the caller's fields none of those that we write? At most one says who asks.
constexpr bool are_request_fields(const opening& request) noexcept {
    int authorizations = (request.user.empty() ? 0 : 1) + (request.bearer.empty() ? 0 : 1);
    for (const field& line : request.headers) {
        const supplied_text name(line.name);
        if (same_text(name.view(), "Host")) return false;
        if (same_text(name.view(), "Authorization")) ++authorizations;
    }
    return authorizations <= 1 && may_leave(request.headers);
}

constexpr bool may_leave(const opening& request) noexcept {
    const supplied_text extensions(request.extensions);
    return parse_authority(request.host) && is_target(request.target) &&
           is_field_value(request.protocols) && are_protocols(request.protocols) &&
           is_field_value(request.extensions) && has_no_gap(request.extensions) &&
           (request.extensions.empty() ||
            every_extension(extensions.view(), [](text_view) noexcept { return true; })) &&
           are_credentials(request.user, request.password) && is_bearer(request.bearer) &&
           are_request_fields(request);
}

constexpr written write_request(const opening& request, std::span<const octet, 24> key,
                                std::span<octet> out) noexcept {
    if (!may_leave(request)) return {result::bad_head, 0};
    return write_head(out, [&](head_writer& writer) noexcept {
        writer.put("GET ");
        if (!request.target.starts_with('/')) writer.put("/");
        writer.put(request.target);
        writer.put(" HTTP/1.1\r\n");
        writer.put_line("Host", request.host);
        writer.put("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ");
        writer.put(key);
        writer.put("\r\nSec-WebSocket-Version: 13\r\n");
        if (!request.protocols.empty())
            writer.put_line("Sec-WebSocket-Protocol", request.protocols);
        if (!request.extensions.empty()) {
            writer.put_line("Sec-WebSocket-Extensions", request.extensions);
        }
        if (!request.user.empty()) {
            writer.put("Authorization: Basic ");
            writer.put_credentials(request.user, request.password);
            writer.put("\r\n");
        }
        if (!request.bearer.empty()) {
            writer.put("Authorization: Bearer ");
            writer.put(request.bearer);
            writer.put("\r\n");
        }
        writer.put_lines(request.headers);
        writer.put("\r\n");
    });
}

}  // namespace sockless::inline v0
