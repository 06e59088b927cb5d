// client_handshake.hpp -- the client's side of the opening handshake (RFC 6455, 4.1).
//
// write() makes the request, and remembers which proof has to come back. read() scans the response,
// and judges it as it comes. A response that refuses is a value: it says why.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/accept_key.hpp>
#include <sockless/base64.hpp>
#include <sockless/extensions.hpp>
#include <sockless/head_fields.hpp>
#include <sockless/head_writer.hpp>
#include <sockless/header_list.hpp>
#include <sockless/http_head.hpp>
#include <sockless/limits.hpp>
#include <sockless/octets.hpp>
#include <sockless/outcome.hpp>
#include <sockless/request_writer.hpp>

namespace sockless::inline v0 {

// A final response, as views into its head.
class response_head {
  public:
    constexpr response_head() noexcept = default;
    // `head` begins with the status line, which has so many octets.
    constexpr response_head(std::span<const octet> head, std::uint16_t status,
                            std::size_t line_size) noexcept
        : head_(head), line_size_(line_size), status_(status) {}

    constexpr std::uint16_t status() const noexcept { return status_; }
    constexpr text_view reason() const noexcept {
        if (head_.empty()) return {};
        const std::size_t around = status_line::before_reason + 2;
        return {head_.subspan(status_line::before_reason, line_size_ - around)};
    }

    // All fields; the lines of one name; the first of these.
    constexpr fields headers() const noexcept { return fields(lines()); }
    constexpr field_values headers(std::string_view name) const noexcept {
        return field_values({lines(), name});
    }
    constexpr std::optional<text_view> header(std::string_view name) const noexcept {
        return headers(name).first();
    }

    // What was agreed on.
    constexpr std::optional<text_view> protocol() const noexcept {
        return header("Sec-WebSocket-Protocol");
    }
    constexpr field_values extensions() const noexcept {
        return headers("Sec-WebSocket-Extensions");
    }

    constexpr std::span<const octet> octets() const noexcept { return head_; }

  private:
    constexpr field_reader lines() const noexcept {
        return field_reader(head_.subspan(line_size_));
    }

    std::span<const octet> head_;
    std::size_t line_size_ = 0;
    std::uint16_t status_ = 0;
};

// What was offered, as it travelled.
struct offer {
    std::string_view protocols{};
    std::string_view extensions{};
};

// 4.1: what makes a 101 the answer to our request. It takes one field after the other.
class response_rules {
  public:
    constexpr rule take(const field_view& line, const accept_value& proof,
                        const offer& ours) noexcept {
        if (same_text(line.name, "Upgrade")) {
            // 2.: exactly this, so that neither a list nor a second line will do.
            return is_first(upgrade) && same_text(line.value, "websocket") ? rule::none
                                                                           : rule::bad_upgrade;
        }
        if (same_text(line.name, "Connection")) {
            // 3.: one of its tokens, and 9110, 5.3 lets a list take several lines.
            if (has_token(line.value, "upgrade")) seen_ |= connection;
            return rule::none;
        }
        if (same_text(line.name, "Sec-WebSocket-Accept")) {
            const bool good = line.value == text_view{proof};
            return is_first(accept) && good ? rule::none : rule::bad_accept;
        }
        // 11.3.2, 11.3.4: these "MUST NOT appear more than once in an HTTP response".
        if (same_text(line.name, "Sec-WebSocket-Protocol")) {
            const bool good = is_offered_protocol(line.value, ours.protocols);
            return is_first(protocol) && good ? rule::none : rule::bad_protocol;
        }
        if (same_text(line.name, "Sec-WebSocket-Extensions")) {
            const bool good = are_offered_extensions(line.value, ours.extensions);
            return is_first(extensions) && good ? rule::none : rule::bad_extension;
        }
        return rule::none;
    }

    // Behind the last field.
    constexpr rule finish() const noexcept {
        if ((seen_ & upgrade) == 0) return rule::bad_upgrade;
        if ((seen_ & connection) == 0) return rule::bad_connection;
        return (seen_ & accept) == 0 ? rule::bad_accept : rule::none;
    }

  private:
    static constexpr std::uint8_t upgrade = 1;
    static constexpr std::uint8_t connection = 2;
    static constexpr std::uint8_t accept = 4;
    static constexpr std::uint8_t protocol = 8;
    static constexpr std::uint8_t extensions = 16;

    constexpr bool is_first(std::uint8_t what) noexcept {
        const bool first = (seen_ & what) == 0;
        seen_ |= what;
        return first;
    }

    // 6.: "a subprotocol that was not present in the client's handshake" fails the connection.
    static constexpr bool is_offered_protocol(text_view chosen, std::string_view ours) noexcept {
        const supplied_text text(ours);
        list_reader list(text.view());
        for (text_view offered; list.next(offered);) {
            if (offered == chosen) return true;
        }
        return false;
    }

    // 5.: and so does an extension.
    static constexpr bool are_offered_extensions(text_view chosen, std::string_view ours) noexcept {
        const supplied_text text(ours);
        return every_extension(chosen,
                               [&](text_view name) noexcept { return offers(text.view(), name); });
    }

    std::uint8_t seen_ = 0;
};

// `refused` is every final response but a 101: response() says what it is, and its body, which
// begins behind the head, is the caller's.
enum class answer_kind : std::uint8_t { open, refused };

class client_handshake {
  public:
    constexpr explicit client_handshake(const limits& limit = {}) noexcept
        : limit_(limit), scanner_(limit) {}

    // 4.1: the request. The nonce is fresh and random for every one.
    constexpr written write(const opening& request, std::span<const octet, 16> nonce,
                            std::span<octet> out) noexcept {
        std::array<octet, 24> key{};
        base64_encode(nonce, key);
        const written ours = write_request(request, key, out);
        if (ours.what == result::done) put_accept_key(key, proof_);
        return ours;
    }

    // `head` begins where the response did, and grows from call to call. The lists are those that
    // were offered.
    constexpr outcome<answer_kind> read(std::span<const octet> head, std::string_view protocols,
                                        std::string_view extensions) noexcept {
        using is = outcome<answer_kind>::is;
        head_part part = scanner_.next(head);
        for (; part != head_part::nothing && part != head_part::broken;
             part = scanner_.next(head)) {
            if (part == head_part::start_line) lines_at_ = offset();
            if (part == head_part::field) {
                take(scanner_.line(head), {protocols, extensions});
            } else if (part == head_part::end && finish()) {
                const answer_kind kind = opens() ? answer_kind::open : answer_kind::refused;
                return {is::value, kind, rule::none, scanner_.offset()};
            }
        }
        if (part == head_part::nothing) return {};
        return {is::broken, {}, scanner_.broken(), scanner_.offset()};
    }

    // The response that was read: the same octets, wherever they lie now.
    constexpr response_head response(std::span<const octet> head) const noexcept {
        return {head.subspan(begin_, std::size_t{offset()} - begin_), scanner_.start().status(),
                std::size_t{lines_at_} - begin_};
    }

  private:
    constexpr std::uint16_t offset() const noexcept {
        return static_cast<std::uint16_t>(scanner_.offset());
    }
    constexpr void take(const field_view& line, const offer& ours) noexcept {
        if (opens()) scanner_.fail(rules_.take(line, proof_, ours));
    }

    // Is this the end of the final response, and is that as it should be?
    constexpr bool finish() noexcept {
        if (is_interim()) {
            begin_ = offset();
            scanner_.again(limit_);
            return false;
        }
        if (opens()) scanner_.fail(rules_.finish());
        return scanner_.broken() == rule::none;
    }

    constexpr bool opens() const noexcept { return scanner_.start().status() == 101; }
    // 9110, 15.2: "A client MUST be able to parse one or more 1xx responses received prior to a
    // final response".
    constexpr bool is_interim() const noexcept {
        return scanner_.start().status() / 100 == 1 && !opens();
    }

    limits limit_;
    head_scanner<status_line> scanner_;
    response_rules rules_;
    accept_value proof_{};
    std::uint16_t begin_ = 0;
    std::uint16_t lines_at_ = 0;
};

}  // namespace sockless::inline v0
