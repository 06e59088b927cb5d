// server_connection.hpp -- a server's connection: it is asked, and it answers (RFC 6455, 4.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sockless/agreed.hpp>
#include <sockless/closing.hpp>
#include <sockless/compression.hpp>
#include <sockless/connection.hpp>
#include <sockless/events.hpp>
#include <sockless/handshaking.hpp>
#include <sockless/http_head.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/options.hpp>
#include <sockless/outcome.hpp>
#include <sockless/request_head.hpp>
#include <sockless/server_handshake.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

// A whole unmasked frame, as a server transmits it.
struct encoded_frame {
    std::span<const octet> octets{};
    std::size_t payload = 0;       // so many of them, at the end
    std::uint8_t window_bits = 0;  // it was compressed on its own, with this window; 0: it was not
};

// All of a server but where its memory comes from.
class server_side : public connection {
    template <class Write>
    constexpr result accept_with(Write write) noexcept {
        if (phase_ != phase::asked) return result::not_open;
        const result done = put_head(write);
        if (done == result::done) {
            accepted();
        } else {
            squeeze_.reset();  // there is nothing that was agreed on
        }
        return answered(done);
    }

  public:
    // At `request` and `plain_request`: valid until it is answered.
    constexpr const request_head& request() const noexcept { return request_; }

    // 4.2.2: yes. `open` comes next.
    constexpr result accept() noexcept {
        return accept_with(
            [&](std::span<octet> out) noexcept { return squeeze_.accept(request_, out); });
    }
    // What `with` says of extensions counts for more than what compression would answer.
    constexpr result accept(answer with) noexcept {
        if (phase_ != phase::asked) return result::not_open;
        std::array<char, compression::longest_text> room{};
        if (with.extensions.empty()) with.extensions = squeeze_.answer(request_, room);
        return accept_with(
            [&](std::span<octet> out) noexcept { return sockless::accept(request_, with, out); });
    }
    // No; and the answer to a plain request.
    constexpr result respond(int status, std::span<const field> headers = {},
                             std::span<const octet> body = {}) noexcept {
        if (phase_ != phase::asked) return result::not_open;
        const result done = put_head(
            [&](std::span<octet> out) { return sockless::respond(status, headers, body, out); });
        if (done == result::done) start_ending(cause::refused);
        return done;
    }
    constexpr result reject(int status = 403, std::span<const field> headers = {},
                            std::span<const octet> body = {}) noexcept {
        return respond(status, headers, body);
    }

    using connection::lend;
    // A server changes nothing of what it is lent.
    constexpr result lend(std::span<const octet> piece, part which) noexcept {
        if (!is_open()) return closed_result();
        return lent(sending_.lend_plain(piece, which), piece.size());
    }
    // A whole message in one frame that is encoded already.
    constexpr result lend(const encoded_frame& frame) noexcept {
        if (!is_open()) return closed_result();
        const bool compressed = frame.window_bits > 0;
        if (compressed && !squeeze_.may_lend(frame.window_bits)) return result::not_offered;
        const result answer =
            lent(sending_.lend_frame(frame.octets, frame.payload), frame.octets.size());
        if (compressed && answer == result::done) squeeze_.lent();
        return answer;
    }

    // Ready for another client. Nothing that was handed out is valid any more.
    constexpr void reset() noexcept {
        restart();
        await_request();
    }

  protected:
    constexpr server_side(memory& from, compression& squeeze,
                          const connection_options& options) noexcept
        : connection(role::server, from, options, table, nullptr, squeeze) {
        await_request();
    }
    // The opening handshake is somebody else's work, and done: see judge().
    constexpr server_side(const agreed&, memory& from, compression& squeeze,
                          const connection_options& options) noexcept
        : connection(role::server, from, options, table, nullptr, squeeze) {
        accepted();
    }
    ~server_side() = default;

  private:
    constexpr void await_request() noexcept {
        handshake_ = server_handshake(options_.limit, options_.from);
        request_ = {};
        start_opening(0);
    }

    static constexpr head_outcome read_head(handshaking& self,
                                            std::span<const octet> head) noexcept {
        auto& mine = static_cast<server_side&>(self);
        const outcome<request_kind> read = mine.handshake_.read(head);
        if (read.what == outcome<request_kind>::is::not_yet) return {};
        if (read.what == outcome<request_kind>::is::broken) {
            return {.broken = read.broken, .used = read.used};
        }
        mine.request_ = mine.handshake_.request(head);
        const bool asks = read.value == request_kind::upgrade;
        return {.told = asks ? event::what::request : event::what::plain_request,
                .used = read.used};
    }
    static constexpr void head_moved(handshaking& self, std::span<const octet> head) noexcept {
        auto& mine = static_cast<server_side&>(self);
        mine.request_ = head.empty() ? request_head{} : mine.handshake_.request(head);
        if (head.empty() || mine.request_.is_upgrade()) return;
        refuse(self, rule::bad_upgrade);  // 426
        mine.start_ending(cause::refused);
    }
    static constexpr void refuse(handshaking& self, rule broken) noexcept {
        auto& mine = static_cast<server_side&>(self);
        // Without memory for it, there is none.
        static_cast<void>(
            mine.put_head([&](std::span<octet> out) { return sockless::refuse(broken, out); }));
    }
    static constexpr side_functions table{read_head, head_moved, refuse};

    server_handshake handshake_;
    request_head request_;
};

namespace detail {
// A base, so that memory is there before what takes it, and goes after it.
template <class Storage, class Compression>
struct server_parts {
    constexpr explicit server_parts(const typename Compression::options& how) noexcept
        : own_compression(how) {}

    Storage own_storage;
    Compression own_compression;
};
}  // namespace detail

template <class Storage = heap, class Compression = no_compression>
class basic_server : private detail::server_parts<Storage, Compression>, public server_side {
    using parts = detail::server_parts<Storage, Compression>;

  public:
    constexpr explicit basic_server(const connection_options& options = {},
                                    const typename Compression::options& how = {}) noexcept
        : parts(how), server_side(parts::own_storage, parts::own_compression, options) {}
    constexpr explicit basic_server(const agreed& terms, const connection_options& options = {},
                                    const typename Compression::options& how = {}) noexcept
        : parts(how), server_side(terms, parts::own_storage, parts::own_compression, options) {}

    // Which knows what was agreed on.
    constexpr const Compression& engine() const noexcept { return parts::own_compression; }
};

using server_connection = basic_server<>;

}  // namespace sockless::inline v0
