// request_rules.hpp -- what makes a request an opening handshake (RFC 6455, 4.2.1).
//
// It takes one field after the other, wherever they come from, and in any order. Two rules hold for
// every request: it names its host, and has no body. All others are about the handshake, so that
// whoever breaks one is judged when it is clear that there is to be one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sockless/accept_key.hpp>
#include <sockless/extensions.hpp>
#include <sockless/header_list.hpp>
#include <sockless/limits.hpp>
#include <sockless/octets.hpp>
#include <sockless/origin.hpp>
#include <sockless/outcome.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

// The fields that are judged. A WebSocket needs those up to `key`; of those from `host` to
// `content_length` there is at most one.
enum class request_field : std::uint8_t {
    upgrade,
    connection,
    host,
    version,
    key,
    origin,
    content_length,
    transfer_encoding,
    protocol,
    extensions,
    other,
};

struct request_field_entry {
    request_field id;
    rule broken;
    std::string_view name;
};

// clang-format off
inline constexpr std::array<request_field_entry, 10> request_field_table{{
    {request_field::upgrade,           rule::bad_upgrade,    "Upgrade"},
    {request_field::connection,        rule::bad_connection, "Connection"},
    {request_field::host,              rule::bad_host,       "Host"},
    {request_field::version,           rule::bad_version,    "Sec-WebSocket-Version"},
    {request_field::key,               rule::bad_key,        "Sec-WebSocket-Key"},
    {request_field::origin,            rule::foreign_origin, "Origin"},
    {request_field::content_length,    rule::has_body,       "Content-Length"},
    {request_field::transfer_encoding, rule::has_body,       "Transfer-Encoding"},
    {request_field::protocol,          rule::bad_protocol,   "Sec-WebSocket-Protocol"},
    {request_field::extensions,        rule::bad_extension,  "Sec-WebSocket-Extensions"},
}};
// clang-format on

namespace detail {
constexpr std::size_t request_field_names_size() noexcept {
    std::size_t size = 0;
    for (const request_field_entry& entry : request_field_table) size += 1 + entry.name.size();
    return size;
}

// The names in a row, each behind its length, and the rules apart: half of what the table takes.
inline constexpr auto request_field_names = [] {
    std::array<char, request_field_names_size()> names{};
    std::size_t at = 0;
    for (const request_field_entry& entry : request_field_table) {
        names[at++] = static_cast<char>(entry.name.size());
        for (const char c : entry.name) names[at++] = c;
    }
    return names;
}();

inline constexpr auto request_field_sizes = [] {
    std::uint32_t sizes = 0;
    for (const request_field_entry& entry : request_field_table) sizes |= 1U << entry.name.size();
    return sizes;
}();

inline constexpr auto request_field_rules = [] {
    std::array<rule, request_field_table.size()> rules{};
    for (const request_field_entry& entry : request_field_table) {
        rules[static_cast<std::size_t>(entry.id)] = entry.broken;
    }
    return rules;
}();
}  // namespace detail

constexpr request_field find_request_field(text_view name) noexcept {
    // Most fields are none of these, and their size says so.
    const bool may_be = name.size() < 32 && (detail::request_field_sizes >> name.size() & 1) != 0;
    if (!prefer_small && !may_be) return request_field::other;
    const char* next = detail::request_field_names.data();
    std::size_t id = 0;
    while (id < request_field_table.size()) {
        const std::size_t size = static_cast<octet>(*next++);
        if (same_text(name, std::string_view(next, size))) break;
        next += size;
        ++id;
    }
    return static_cast<request_field>(id);
}

class request_rules {
  public:
    constexpr explicit request_rules(const limits& limit) noexcept
        : most_protocols_(limit.protocols),
          most_offers_(limit.offers),
          most_parameters_(limit.parameters) {}

    // Judges a field: does one of those so far break a rule?
    constexpr rule take(request_field id, text_view value) noexcept {
        if (id == request_field::other) return rule::none;
        bool good = is_good(id, value);
        bool& seen = seen_[static_cast<std::size_t>(id)];
        const bool again = seen;
        if (id <= request_field::connection) {
            // In one of the lines the token is enough, and what else they say is not our business.
            seen |= good;
            good = true;
        } else {
            seen = true;
            if (id <= request_field::content_length) good = good && !again;
        }
        if (!good) {
            const rule broken = detail::request_field_rules[static_cast<std::size_t>(id)];
            if (broken <= rule::has_body) return broken;
            if (fault_ == rule::none) fault_ = broken;
        }
        return is_upgrade() ? fault_ : rule::none;
    }

    // Behind the last field: is a rule broken by what did not come?
    constexpr rule finish() const noexcept {
        if (!has(request_field::host)) return rule::bad_host;
        if (!is_upgrade()) return rule::none;
        for (std::size_t id = 0; id <= static_cast<std::size_t>(request_field::key); ++id) {
            if (!seen_[id]) return detail::request_field_rules[id];
        }
        return rule::none;
    }

    constexpr bool is_upgrade() const noexcept { return has(request_field::upgrade); }

  private:
    constexpr bool has(request_field id) const noexcept {
        return seen_[static_cast<std::size_t>(id)];
    }

    constexpr bool is_good(request_field id, text_view value) noexcept {
        switch (id) {
            case request_field::upgrade:
                return has_token(value, "websocket");
            case request_field::connection:
                return has_token(value, "upgrade");
            case request_field::host:
                return static_cast<bool>(parse_authority(value));
            case request_field::version:
                return same_text(value, "13");
            case request_field::key:
                return is_websocket_key(value);
            case request_field::origin:
                return true;  // which, is for origins to say
            case request_field::content_length:
                return same_text(value, "0");
            case request_field::protocol:
                // 4.1: "a list of |subprotocols|", which are tokens.
                return is_list(value, protocols_, most_protocols_, 0);
            case request_field::extensions:
                return is_list(value, offers_, most_offers_, most_parameters_);
            default:
                return false;  // 9112, 6.1: Transfer-Encoding announces a body
        }
    }

    rule fault_ = rule::none;
    std::array<bool, request_field_table.size()> seen_{};
    std::uint8_t most_protocols_;
    std::uint8_t most_offers_;
    std::uint8_t most_parameters_;
    std::size_t protocols_ = 0;
    std::size_t offers_ = 0;
};

}  // namespace sockless::inline v0
