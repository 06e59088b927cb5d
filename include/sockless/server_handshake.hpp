// server_handshake.hpp -- the server's side of the opening handshake (RFC 6455, 4.2).
//
// read() scans a request, and judges it as it comes. A request that is good is answered with
// accept() or with a response of the application's own, one that broke a rule with refuse(). All
// of them write a whole answer, or nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/accept_key.hpp>
#include <sockless/extensions.hpp>
#include <sockless/head_writer.hpp>
#include <sockless/header_list.hpp>
#include <sockless/http_head.hpp>
#include <sockless/limits.hpp>
#include <sockless/octets.hpp>
#include <sockless/origin.hpp>
#include <sockless/outcome.hpp>
#include <sockless/request_head.hpp>
#include <sockless/request_rules.hpp>

namespace sockless::inline v0 {

// A `plain` request is good, and asks for no WebSocket.
enum class request_kind : std::uint8_t { plain, upgrade };

class server_handshake {
  public:
    constexpr explicit server_handshake(const limits& limit = {},
                                        const origins& from = origins::same_host) noexcept
        : scanner_(limit), rules_(limit), from_(from) {}

    // `head` begins where the request did, and grows from call to call. A rule that is broken by
    // what did not come is broken by the last octet of the head.
    constexpr outcome<request_kind> read(std::span<const octet> head) noexcept {
        using is = outcome<request_kind>::is;
        while (true) {
            const head_part part = scanner_.next(head);
            if (part == head_part::nothing) return {};
            if (part == head_part::broken) break;
            scanner_.fail(judge(part, head));
            if (part == head_part::end) break;
        }
        const rule broken = scanner_.broken();
        return {broken == rule::none ? is::value : is::broken, kind(), broken, scanner_.offset()};
    }

    // The request that was read: the same octets, wherever they lie now.
    constexpr request_head request(std::span<const octet> head) const noexcept {
        const std::size_t key_at = rules_.is_upgrade() ? at(request_field::key).begin : 0U;
        return {head.first(scanner_.offset()), scanner_.start().target_size(), key_at};
    }

  private:
    constexpr head_piece at(request_field id) const noexcept {
        return places_[static_cast<std::size_t>(id)];
    }

    constexpr rule judge(head_part part, std::span<const octet> head) noexcept {
        if (part == head_part::field) return take_field(head);
        return part == head_part::end ? finish(head) : take_target(head);
    }

    constexpr rule take_target(std::span<const octet> head) noexcept {
        if (head[request_line::before_target] == '/') return rule::none;
        // 9112, 3.2.2: what an absolute target says counts for more than Host.
        target_host_ = detail::authority_in(head, request_line::before_target);
        return parse_authority(target_host_.in(head)) ? rule::none : rule::bad_target;
    }

    constexpr rule take_field(std::span<const octet> head) noexcept {
        const request_field id = find_request_field(scanner_.name().in(head));
        head_piece& place = places_[static_cast<std::size_t>(id)];
        place = scanner_.value();
        return rules_.take(id, place.in(head));
    }

    constexpr rule finish(std::span<const octet> head) const noexcept {
        const rule broken = rules_.finish();
        if (broken != rule::none || !rules_.is_upgrade()) return broken;
        const head_piece host = target_host_.begin != 0 ? target_host_ : at(request_field::host);
        const head_piece origin = at(request_field::origin);
        if (origin.begin == 0) return rule::none;
        return from_.allow(origin.in(head), host.in(head)) ? rule::none : rule::foreign_origin;
    }

    constexpr request_kind kind() const noexcept {
        return rules_.is_upgrade() ? request_kind::upgrade : request_kind::plain;
    }

    head_scanner<request_line> scanner_;
    request_rules rules_;
    head_piece target_host_;
    std::array<head_piece, request_field_table.size() + 1> places_{};
    origins from_;
};

// What a server says with its 101 besides what it has to.
struct answer {
    std::string_view protocol{};    // one of those that were offered
    std::string_view extensions{};  // as they travel, and each of them offered
    std::span<const field> headers{};
};

namespace detail {
inline constexpr auto switching_protocols = literal_octets(
    "HTTP/1.1 101 Switching Protocols\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: ");
inline constexpr auto end_of_head = literal_octets("\r\n\r\n");

constexpr bool are_offered(const request_head& request, text_view extensions) noexcept {
    return every_extension(extensions, [&](text_view name) noexcept {
        bool offered = false;
        for (const text_view line : request.extensions()) offered = offered || offers(line, name);
        return offered;
    });
}
}  // namespace detail

inline constexpr std::size_t shortest_acceptance =
    detail::switching_protocols.size() + sizeof(accept_value) + detail::end_of_head.size();

// 4.2.2: the shortest answer that opens a WebSocket.
constexpr written accept(const request_head& request, std::span<octet> out) noexcept {
    constexpr std::size_t size = shortest_acceptance;
    if (!request.is_upgrade()) return {result::not_offered, 0};
    if (out.size() < size) return {result::full, size};
    const std::span<octet> proof = out.subspan(detail::switching_protocols.size());
    put_accept_key(request.key().octets.first<websocket_key::extent>(),
                   proof.first<sizeof(accept_value)>());
    copy_octets(detail::switching_protocols, out);
    copy_octets(detail::end_of_head, proof.subspan(sizeof(accept_value)));
    return {result::done, size};
}

constexpr written accept(const request_head& request, const answer& with,
                         std::span<octet> out) noexcept {
    if (!request.is_upgrade()) return {result::not_offered, 0};
    if (!with.protocol.empty() && !request.offers(with.protocol)) return {result::not_offered, 0};
    if (!is_field_value(with.extensions)) return {result::bad_head, 0};
    const supplied_text extensions(with.extensions);
    if (!with.extensions.empty() && !detail::are_offered(request, extensions.view())) {
        return {result::not_offered, 0};
    }
    if (!may_leave(with.headers) || !has_no_gap(with.extensions)) return {result::bad_head, 0};
    accept_value proof{};
    put_accept_key(request.key().octets.first<websocket_key::extent>(), proof);
    return write_head(out, [&](head_writer& writer) noexcept {
        writer.put(detail::switching_protocols);
        writer.put(proof);
        writer.put("\r\n");
        if (!with.protocol.empty()) writer.put_line("Sec-WebSocket-Protocol", with.protocol);
        if (!with.extensions.empty()) writer.put_line("Sec-WebSocket-Extensions", with.extensions);
        writer.put_lines(with.headers);
        writer.put("\r\n");
    });
}

struct reason_entry {
    int status;
    std::string_view text;
};

// clang-format off
inline constexpr std::array<reason_entry, 21> reason_table{{
    {200, "OK"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {410, "Gone"},
    {414, "URI Too Long"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
}};
// clang-format on

// 9110, 15: the reason phrase of a status code; of one that is not in the table, none.
constexpr std::string_view reason_phrase(int status) noexcept {
    for (const reason_entry& entry : reason_table) {
        if (entry.status == status) return entry.text;
    }
    return {};
}

// A whole response that ends the connection. The fields are not those that say so, or how long the
// body is.
constexpr written respond(int status, std::span<const field> headers, std::span<const octet> body,
                          std::span<octet> out) noexcept {
    if (status < 200 || status > 599 || !may_leave(headers)) return {result::bad_head, 0};
    // 9110, 15.3.5, 15.3.6, 15.4.5: these have no content, and what would say so, means more.
    const bool has_no_body = status == 204 || status == 205 || status == 304;
    if (has_no_body && !body.empty()) return {result::bad_head, 0};
    return write_head(out, [&](head_writer& writer) noexcept {
        writer.put("HTTP/1.1 ");
        writer.put_number(static_cast<std::size_t>(status));
        writer.put(" ");
        writer.put(reason_phrase(status));
        writer.put("\r\nConnection: close\r\n");
        if (status != 204 && status != 304) {
            writer.put("Content-Length: ");
            writer.put_number(body.size());
            writer.put("\r\n");
        }
        writer.put_lines(headers);
        writer.put("\r\n");
        writer.put(body);
    });
}

namespace detail {
// The status is still to be written over this one. 9110, 7.8: any response may say Upgrade, a 426
// has to; and 4.4 wants the version there. So every refusal says both.
inline constexpr auto refusal = literal_octets(
    "HTTP/1.1 400 \r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade, close\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Content-Length: 0\r\n"
    "\r\n");

// The last two digits of each status, four bits each: firmware has no division.
inline constexpr auto refusal_digits = [] {
    std::array<octet, rule_table.size() - first_of_opening> digits{};
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const int last = rule_table[first_of_opening + i].code - 400;
        digits[i] = static_cast<octet>(last / 10 << 4 | last % 10);
    }
    return digits;
}();
}  // namespace detail

inline constexpr std::size_t longest_refusal = detail::refusal.size();

// The answer to a request that broke a rule.
constexpr written refuse(rule broken, std::span<octet> out) noexcept {
    if (!is_of_opening(broken)) return {result::bad_head, 0};
    if (out.size() < longest_refusal) return {result::full, longest_refusal};
    copy_octets(detail::refusal, out);
    const octet digits =
        detail::refusal_digits[static_cast<std::size_t>(broken) - detail::first_of_opening];
    out[10] = static_cast<octet>('0' + (digits >> 4));
    out[11] = static_cast<octet>('0' + (digits & 15));
    return {result::done, longest_refusal};
}

}  // namespace sockless::inline v0
