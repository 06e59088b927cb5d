// request_head.hpp -- a request that was accepted, as views into its head (RFC 6455, 4.2.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/head_fields.hpp>
#include <sockless/header_list.hpp>
#include <sockless/http_head.hpp>
#include <sockless/octets.hpp>

namespace sockless::inline v0 {

inline constexpr std::size_t websocket_key_size = 24;

namespace detail {
// 9112, 3.2.2: of a target in absolute-form, which begins at `at`, what is between "//" and the
// path or the query. Behind the target comes a blank, if anything does.
constexpr head_piece authority_in(std::span<const octet> all, std::size_t at) noexcept {
    std::size_t begin = at + 7;       // http://
    if (all[at + 4] != ':') ++begin;  // https://: request_line let nothing else pass
    std::size_t end = begin;
    while (end < all.size() && all[end] != '/' && all[end] != '?' && all[end] != ' ') ++end;
    return {static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(end)};
}
}  // namespace detail

// The same, where nothing stands in front of the target; counted from `at` octets before.
constexpr head_piece authority_of(text_view target, std::size_t at) noexcept {
    const head_piece piece = detail::authority_in(target.octets, 0);
    return {static_cast<std::uint16_t>(at + piece.begin),
            static_cast<std::uint16_t>(at + piece.end)};
}

struct target_parts {
    text_view authority{};
    text_view rest{};
};
constexpr target_parts split_target(text_view target) noexcept {
    if (target.empty() || target.octets.front() == '/') return {{}, target};
    const head_piece authority = authority_of(target, 0);
    return {authority.in(target.octets), {target.octets.subspan(authority.end)}};
}

namespace detail {
// Of a target without scheme and authority, up to the query.
constexpr std::size_t path_size(text_view target) noexcept {
    std::size_t size = 0;
    while (size < target.size() && target.octets[size] != '?') ++size;
    return size;
}

// RFC 6265, 4.2.1: cookie-pair *( ";" SP cookie-pair ). The value of the first of this name.
constexpr std::optional<text_view> find_cookie(text_view cookies, std::string_view name) noexcept {
    std::span<const octet> rest = cookies.octets;
    while (!rest.empty()) {
        std::size_t size = 0;
        while (size < rest.size() && rest[size] != ';') ++size;
        const text_view pair = trim({rest.first(size)});
        rest = rest.subspan(size < rest.size() ? size + 1 : size);
        std::size_t equals = 0;
        while (equals < pair.size() && pair.octets[equals] != '=') ++equals;
        if (equals == pair.size() || text_view{pair.octets.first(equals)} != name) continue;
        return text_view{pair.octets.subspan(equals + 1)};
    }
    return std::nullopt;
}

inline constexpr std::array<octet, 1> root{'/'};
}  // namespace detail

// Valid as long as the head stays where it is. All of it may be asked of a request that asks for
// no WebSocket as well, but for the key.
class request_head {
  public:
    constexpr request_head() noexcept = default;
    constexpr request_head(std::span<const octet> head, std::size_t target_size,
                           std::size_t key_at) noexcept
        : head_(head),
          target_size_(static_cast<std::uint16_t>(target_size)),
          key_at_(static_cast<std::uint16_t>(key_at)) {}

    static constexpr std::string_view method() noexcept { return "GET"; }
    constexpr text_view target() const noexcept {
        if (head_.empty()) return {};
        return {head_.subspan(request_line::before_target).first(target_size_)};
    }
    // The target up to "?", and what is behind it.
    constexpr text_view path() const noexcept {
        const text_view all = split_target(target()).rest;
        const std::size_t size = detail::path_size(all);
        // 9110, 4.2.3: "an empty path component is equivalent to an absolute path of "/"".
        return {size == 0 ? detail::root : all.octets.first(size)};
    }
    constexpr text_view query() const noexcept {
        const text_view all = split_target(target()).rest;
        const std::size_t size = detail::path_size(all);
        return {all.octets.subspan(size < all.size() ? size + 1 : size)};
    }

    // The host, and perhaps the port, that the client thinks it talks to. 9112, 3.2.2: what the
    // target says counts for more than Host.
    constexpr text_view host() const noexcept {
        const text_view in_target = split_target(target()).authority;
        return in_target.empty() ? header("Host").value_or(text_view{}) : in_target;
    }
    constexpr std::optional<text_view> origin() const noexcept { return header("Origin"); }

    // All fields; the lines of one name; the first of these.
    constexpr fields headers() const noexcept { return fields(lines()); }
    constexpr field_values headers(std::string_view name) const noexcept {
        return field_values({lines(), name});
    }
    constexpr std::optional<text_view> header(std::string_view name) const noexcept {
        return headers(name).first();
    }
    // The value as it came, quotes and all.
    constexpr std::optional<text_view> cookie(std::string_view name) const noexcept {
        for (const text_view cookies : headers("Cookie")) {
            const std::optional<text_view> value = detail::find_cookie(cookies, name);
            if (value) return value;
        }
        return std::nullopt;
    }

    // The subprotocols that the client speaks, the one it likes best first.
    constexpr field_elements protocols() const noexcept {
        return field_elements(element_reader({lines(), "Sec-WebSocket-Protocol"}));
    }
    constexpr bool offers(std::string_view protocol) const noexcept {
        bool offered = false;
        for (const text_view each : protocols()) offered = offered || each == protocol;
        return offered;
    }
    // The values of the lines that offer extensions.
    constexpr field_values extensions() const noexcept {
        return headers("Sec-WebSocket-Extensions");
    }

    // Does it ask for a WebSocket? If so, with this key.
    constexpr bool is_upgrade() const noexcept { return key_at_ != 0; }
    constexpr text_view key() const noexcept {
        return {head_.subspan(key_at_).first(is_upgrade() ? websocket_key_size : 0)};
    }

    constexpr std::span<const octet> octets() const noexcept { return head_; }

  private:
    constexpr field_reader lines() const noexcept {
        const std::size_t begin = target_size_ + request_line::around_target;
        return field_reader(head_.subspan(head_.empty() ? 0 : begin));
    }

    std::span<const octet> head_;
    std::uint16_t target_size_ = 0;
    std::uint16_t key_at_ = 0;
};

}  // namespace sockless::inline v0
