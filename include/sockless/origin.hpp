// origin.hpp -- whose pages may connect (RFC 6455, 10.2; RFC 6454, 4 and 6).
//
// A browser lets every page open a WebSocket to every host, with the user's cookies, and says in
// Origin whose page it was. Whoever trusts cookies has to look at it. Origins are compared as what
// they are, a scheme, a host and a port: never as pieces of text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/header_list.hpp>
#include <sockless/octets.hpp>

namespace sockless::inline v0 {

// host [ ":" port ], as in a Host field, an origin or a URI: the host is that many octets in front,
// the brackets of an IPv6 address among them. Without a host, it is none.
struct alignas(4) authority {
    std::uint16_t host = 0;
    std::uint16_t port = 0;

    constexpr explicit operator bool() const noexcept { return host != 0; }
};

// RFC 1035, 2.3.4: a name has at most 255 octets.
inline constexpr std::size_t longest_host = 255;
inline constexpr std::size_t longest_authority = longest_host + 6;

namespace detail {
constexpr bool is_digit(octet o) noexcept { return o >= '0' && o <= '9'; }
constexpr bool is_hex_digit(octet o) noexcept {
    return is_digit(o) || is_within(static_cast<octet>(o | 0x20), 'a', 'f');
}

// Of a name or an IPv4 address, how many octets in front; 0 if there is none. RFC 3986, 3.2.2 has
// more, of which no resolver and no browser makes a host: a name of any other script comes as
// Punycode. A single dot may end it, no label is empty.
constexpr std::size_t name_size(std::span<const octet> text) noexcept {
    const std::size_t size = run_of(text, in_host);
    octet before = '.';
    for (const octet o : text.first(size)) {
        if (o == '.' && before == '.') return 0;
        before = o;
    }
    return size;
}

// The same of an IPv6 address in brackets. Whether it is one is for whoever connects to say: here,
// addresses are only compared.
constexpr std::size_t address_size(std::span<const octet> text) noexcept {
    constexpr auto in_address = [](auto o) noexcept {
        return is_within(o, '0', ':') |
               is_within(static_cast<decltype(o)>(o | octet{0x20}), 'a', 'f') | (o == octet{'.'});
    };
    const std::size_t size = 1 + run_of(text.subspan(1), in_address);
    return size < 3 || size == text.size() || text[size] != ']' ? 0 : size + 1;
}

// 1 to 65535 as a browser writes it: no sign, no zero in front. 0 if it is none.
constexpr std::uint16_t read_port(std::span<const octet> digits) noexcept {
    std::uint32_t port = 0;
    for (const octet o : digits) {
        const std::uint32_t digit = o - std::uint32_t{'0'};
        port = port * 10 + digit;
        if (digit > 9 || port == 0 || port > 65535) return 0;
    }
    return static_cast<std::uint16_t>(port);
}
}  // namespace detail

// `usual` is the port if none is said.
constexpr authority parse_authority(text_view text, std::uint16_t usual = 0) noexcept {
    const std::span<const octet> all = text.octets;
    if (all.empty()) return {};
    const std::size_t host = all[0] == '[' ? detail::address_size(all) : detail::name_size(all);
    if (host == 0 || host > longest_host) return {};
    if (host == all.size()) return {static_cast<std::uint16_t>(host), usual};
    const std::uint16_t port = all[host] == ':' ? detail::read_port(all.subspan(host + 1)) : 0;
    if (port == 0) return {};
    return {static_cast<std::uint16_t>(host), port};
}

// The same of a text that the caller supplies. It is copied: constant evaluation has no other way
// to make octets of it.
constexpr authority parse_authority(std::string_view text) noexcept {
    std::array<octet, longest_authority> copy{};
    if (text.size() > copy.size()) return {};
    return parse_authority(text_view{std::span<const octet>(copy).first(copy_text(text, copy))});
}

// A page's origin, as RFC 6454, 6.2 writes it. Without a host, it is none.
struct origin_parts {
    text_view scheme{};
    text_view host{};
    std::uint16_t port = 0;  // 0: none is said, and the scheme has no default

    constexpr explicit operator bool() const noexcept { return !host.empty(); }
};

// 0 if there is none.
constexpr std::uint16_t default_port(text_view scheme) noexcept {
    if (same_text(scheme, "http")) return 80;
    return same_text(scheme, "https") ? 443 : 0;
}

namespace detail {
// RFC 3986, 3.1: a letter, and then letters, digits and three marks.
constexpr bool is_scheme_octet(octet o, bool first) noexcept {
    return is_letter(o) || (!first && (is_digit(o) || o == '+' || o == '-' || o == '.'));
}

// `wild` is whether there is a "*." in front of the host.
constexpr origin_parts parse_origin(text_view text, bool& wild) noexcept {
    std::size_t scheme = 0;
    while (scheme < text.size() && is_scheme_octet(text.octets[scheme], scheme == 0)) ++scheme;
    std::span<const octet> rest = text.octets.subspan(scheme);
    if (scheme == 0 || !starts_with(rest, "://")) return {};
    rest = rest.subspan(3);
    wild = rest.size() > 2 && rest[0] == '*' && rest[1] == '.';
    if (wild) rest = rest.subspan(2);
    const text_view name{text.octets.first(scheme)};
    const authority where = parse_authority(text_view{rest}, default_port(name));
    return {name, {rest.first(where.host)}, where.port};
}

// Is the page one of those that an entry of a list stands for?
constexpr bool is_listed(origin_parts page, text_view entry) noexcept {
    bool wild = false;
    const origin_parts listed = parse_origin(entry, wild);
    if (!listed) return false;
    const std::size_t size = listed.host.size();
    if (wild) {
        // A dot in front of what is ours; a page's host has a label in front of that.
        if (page.host.size() <= size) return false;
        const std::size_t front = page.host.size() - size;
        if (page.host.octets[front - 1] != '.') return false;
        page.host = {page.host.octets.subspan(front)};
    }
    return same_text(page.scheme, listed.scheme) && same_text(page.host, listed.host) &&
           page.port == listed.port;
}

constexpr bool is_listed(const origin_parts& page, std::string_view entry) noexcept {
    std::array<octet, longest_authority + 64> copy{};  // the scheme, "://" and "*." as well
    if (entry.size() > copy.size()) return false;
    return is_listed(page, text_view{std::span<const octet>(copy).first(copy_text(entry, copy))});
}
}  // namespace detail

// scheme "://" host [ ":" port ] and nothing else: "null" is the origin of nobody in particular.
constexpr origin_parts parse_origin(text_view text) noexcept {
    bool wild = false;
    const origin_parts found = detail::parse_origin(text, wild);
    return wild ? origin_parts{} : found;
}

namespace detail {
using origin_list = std::span<const std::string_view>;

// A server does not know whether TLS was in front of it, so the scheme only says which port goes
// without saying. Whoever has to tell http from https lists the origin.
constexpr bool is_of_same_host(text_view page, text_view host, const origin_list&) noexcept {
    const bool tls = page.size() > 4 && (page.octets[4] | 0x20) == 's';
    const std::size_t front = tls ? 8 : 7;
    const std::uint16_t usual = tls ? 443 : 80;
    if (!begins_with(page, {tls ? "https://" : "http://", front})) return false;
    page = {page.octets.subspan(front)};

    const authority theirs = parse_authority(page, usual);
    const authority ours = parse_authority(host, usual);
    return theirs && theirs.port == ours.port &&
           same_text({page.octets.first(theirs.host)}, text_view{host.octets.first(ours.host)});
}

constexpr bool is_of_list(text_view origin, text_view, const origin_list& list) noexcept {
    const origin_parts page = parse_origin(origin);
    bool found = false;
    for (const std::string_view entry : list) found = found || (page && is_listed(page, entry));
    return found;
}

constexpr bool is_any(text_view, text_view, const origin_list&) noexcept { return true; }
}  // namespace detail

// The pages that may connect: those of our own host, those of a list, or all.
class origins {
  public:
    static const origins same_host;
    static const origins any;

    // Entries such as "https://example.org", "https://example.org:8443" and, for every name below
    // it but not for itself, "https://*.example.org". The list has to stay where it is.
    constexpr origins(detail::origin_list list) noexcept
        : judge_(detail::is_of_list), list_(list) {}

    // `host` is the value of the Host field.
    constexpr bool allow(std::optional<text_view> origin, text_view host) const noexcept {
        // 10.2 is about browsers, and a browser always sends an Origin (4.1). Whatever else
        // connects could send any, and has nobody's cookies.
        return !origin || judge_(*origin, host, list_);
    }

  private:
    // A pointer, so that firmware carries only the policy that it uses.
    using judge = bool (*)(text_view page, text_view host, const detail::origin_list& list);

    constexpr explicit origins(judge which) noexcept : judge_(which) {}

    judge judge_;
    detail::origin_list list_{};
};

inline constexpr origins origins::same_host{detail::is_of_same_host};
inline constexpr origins origins::any{detail::is_any};

}  // namespace sockless::inline v0
