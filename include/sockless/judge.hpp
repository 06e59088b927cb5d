// judge.hpp -- opening handshakes that somebody else's HTTP server received (RFC 6455, 4.2; 8441).
//
// judge() says whether a request opens a WebSocket, by the very rules of server_handshake, and what
// was agreed on with it. For HTTP/2 and HTTP/3 there is the extended CONNECT
// of RFC 8441 and RFC 9220, which says in pseudo-header fields what HTTP/1.1 says in fields.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/accept_key.hpp>
#include <sockless/agreed.hpp>
#include <sockless/head_fields.hpp>
#include <sockless/header_list.hpp>
#include <sockless/http_head.hpp>
#include <sockless/limits.hpp>
#include <sockless/octets.hpp>
#include <sockless/origin.hpp>
#include <sockless/outcome.hpp>
#include <sockless/request_head.hpp>
#include <sockless/request_rules.hpp>

namespace sockless::inline v0 {

struct parsed_request {
    std::string_view method;
    std::string_view target;
    std::span<const field> fields;
};

// RFC 8441, 4: the pseudo-header fields, and the fields behind them.
struct extended_connect {
    std::string_view method;
    std::string_view protocol;
    std::string_view scheme;
    std::string_view authority;
    std::string_view path;
    std::span<const field> fields;
};

struct policy {
    origins from = origins::same_host;
    std::span<const std::string_view> protocols{};  // ours, the one we like best first
    limits limit{};
};

struct judged {
    std::optional<agreed> with{};
    int status = 0;  // of the response: agreed, or not
    rule broken = rule::none;
    std::span<const field> fields{};  // what a refusal says besides
};

namespace detail {

// 4.4: the version that we speak. 9110, 15.5.22: a 426 says Upgrade as well.
inline constexpr std::array<field, 3> upgrade_fields{{
    {"Sec-WebSocket-Version", "13"},
    {"Upgrade", "websocket"},
    {"Connection", "Upgrade"},
}};

inline judged refused(rule broken) noexcept {
    judged no{.status = status(broken), .broken = broken};
    if (no.status == 426) no.fields = upgrade_fields;
    return no;
}

// The elements of all lines of one name.
class supplied_elements {
  public:
    supplied_elements(std::span<const field> lines, std::string_view name) noexcept
        : lines_(lines), name_(name) {}

    bool next(text_view& out) noexcept {
        while (!list_.next(out)) {
            while (!lines_.empty() &&
                   !same_text(text_view{octets_of(lines_.front().name)}, name_)) {
                lines_ = lines_.subspan(1);
            }
            if (lines_.empty()) return false;
            list_ = list_reader({octets_of(lines_.front().value)});
            lines_ = lines_.subspan(1);
        }
        return true;
    }

  private:
    std::span<const field> lines_;
    std::string_view name_;
    list_reader list_{text_view{}};
};

// What both kinds of requests have in common.
class supplied_request {
  public:
    explicit supplied_request(const policy& ours) noexcept : ours_(ours), rules_(ours.limit) {}

    rule take(request_field id, std::string_view value) noexcept {
        if (id == request_field::host) host_ = value;
        if (id == request_field::origin) origin_ = text_view{octets_of(value)};
        if (id == request_field::key) key_ = value;
        return rules_.take(id, {octets_of(value)});
    }

    // Where somebody else judged the head, we do again: a field that is none smuggles.
    rule take(const field& line) noexcept {
        if (!sockless::is_token(line.name) || !sockless::is_field_value(line.value))
            return rule::bad_field;
        return take(find_request_field({octets_of(line.name)}), line.value);
    }

    // RFC 9113, 8.2.2, and 9114, 4.2: fields about the connection make a request malformed. A key
    // is "not used" (8441, 5), and Host repeats :authority if it is there.
    rule take_extended(const field& line) noexcept {
        const request_field id = find_request_field({octets_of(line.name)});
        const bool is_of_connection =
            id == request_field::upgrade || id == request_field::connection;
        if (is_of_connection) return rule::bad_field;
        const bool is_known = id != request_field::host && id != request_field::key;
        return is_known ? take(line) : rule::none;
    }

    // RFC 9112, 3.2.2: what an absolute target says counts for more than Host.
    rule take_target(std::string_view target) noexcept {
        if (target.starts_with('/')) return rule::none;
        target_host_ = split_target({octets_of(target)}).authority;
        return parse_authority(*target_host_) ? rule::none : rule::bad_target;
    }

    judged finish(std::span<const field> lines, bool extended) noexcept {
        const rule broken = finish_rules();
        if (broken != rule::none) return refused(broken);
        if (!rules_.is_upgrade()) return refused(rule::bad_upgrade);
        judged done;
        done.with.emplace().extended = extended;
        if (!extended) {
            put_accept_key(octets_of(key_).first<websocket_key::extent>(), done.with->proof);
        }
        choose_protocol(lines, *done.with);
        done.status = done.with->status();
        return done;
    }

  private:
    static range_of<supplied_elements, text_view> protocols(std::span<const field> lines) noexcept {
        return range_of<supplied_elements, text_view>({lines, "Sec-WebSocket-Protocol"});
    }

    rule finish_rules() const noexcept {
        const rule broken = rules_.finish();
        if (broken != rule::none || !rules_.is_upgrade()) return broken;
        const text_view host = target_host_.value_or(text_view{octets_of(host_)});
        return ours_.from.allow(origin_, host) ? rule::none : rule::foreign_origin;
    }

    void choose_protocol(std::span<const field> lines, agreed& with) const noexcept {
        for (const std::string_view our : ours_.protocols) {
            if (our.size() > longest_protocol) continue;
            for (const text_view offered : protocols(lines)) {
                if (offered != our) continue;
                with.protocol_size = static_cast<std::uint8_t>(copy_text(our, with.protocol_text));
                return;
            }
        }
    }

    policy ours_;
    request_rules rules_;
    std::string_view host_;
    std::string_view key_;
    std::optional<text_view> origin_;
    std::optional<text_view> target_host_;
};

// A target, as part of a request line that was received: octet by octet, and then its end.
constexpr rule judge_target(std::string_view target, const limits& limit) noexcept {
    request_line line(limit);
    for (const char c : std::string_view("GET "))
        static_cast<void>(line.take(static_cast<octet>(c)));
    for (const char c : target) {
        const rule broken = c == ' ' ? rule::bad_target : line.take(static_cast<octet>(c));
        if (broken != rule::none) return broken;
    }
    return line.take(' ');
}

}  // namespace detail

// A request of HTTP/1.1. One that asks for no WebSocket is answered with a 426 if nobody else wants
// it.
inline judged judge(const parsed_request& request, const policy& ours) noexcept {
    if (request.method != "GET") return detail::refused(rule::bad_request_line);
    const rule bad_target = detail::judge_target(request.target, ours.limit);
    if (bad_target != rule::none) return detail::refused(bad_target);
    if (request.fields.size() > ours.limit.header_lines) return detail::refused(rule::many_fields);
    detail::supplied_request rules(ours);
    const rule bad_host = rules.take_target(request.target);
    if (bad_host != rule::none) return detail::refused(bad_host);
    for (const field& line : request.fields) {
        const rule broken = rules.take(line);
        if (broken != rule::none) return detail::refused(broken);
    }
    return rules.finish(request.fields, false);
}

// A request of HTTP/2 or HTTP/3.
inline judged judge(const extended_connect& request, const policy& ours) noexcept {
    if (request.method != "CONNECT") return detail::refused(rule::bad_pseudo_field);
    // RFC 9220, 3: of a protocol "that is unknown", "the server SHOULD respond [...] with a 501".
    if (request.protocol != "websocket") return {std::nullopt, 501, rule::bad_pseudo_field};
    // RFC 8441, 5: "https" stands for "wss", and "http" for "ws".
    if (request.scheme != "https" && request.scheme != "http") {
        return detail::refused(rule::bad_pseudo_field);
    }
    if (!request.path.starts_with('/')) return detail::refused(rule::bad_pseudo_field);
    const rule bad_path = detail::judge_target(request.path, ours.limit);
    if (bad_path != rule::none) return detail::refused(bad_path);
    if (request.fields.size() > ours.limit.header_lines) return detail::refused(rule::many_fields);

    // 5: these are "superseded by the ":protocol" pseudo-header field", and say the same.
    detail::supplied_request rules(ours);
    rule broken = rules.take(request_field::host, request.authority);
    static_cast<void>(rules.take(request_field::upgrade, "websocket"));
    static_cast<void>(rules.take(request_field::connection, "upgrade"));
    static_cast<void>(rules.take(request_field::key, "AAAAAAAAAAAAAAAAAAAAAA=="));
    for (const field& line : request.fields) {
        if (broken != rule::none) break;
        broken = rules.take_extended(line);
    }
    judged found =
        broken != rule::none ? detail::refused(broken) : rules.finish(request.fields, true);
    if (found.status == 426) {  // RFC 9113, 8.6: without Upgrade, there is no 426 either
        found.status = 400;
        found.fields = found.fields.first(1);
    }
    return found;
}

}  // namespace sockless::inline v0
