// client_connection.hpp -- a client's connection: it asks, and masks what it sends (RFC 6455, 4.1).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <sockless/client_handshake.hpp>
#include <sockless/compression.hpp>
#include <sockless/connection.hpp>
#include <sockless/events.hpp>
#include <sockless/handshaking.hpp>
#include <sockless/key_source.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/outcome.hpp>
#include <sockless/request_writer.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

// All of a client but where its memory and its keys come from.
class client_side : public connection {
  public:
    // 4.1: asks for a WebSocket. `open` comes next, or `refused`, or `closed`.
    constexpr result open(const opening& request) noexcept {
        if (phase_ == phase::opening) return result::undecided;
        if (phase_ != phase::idle) return result::not_open;
        opening asking = request;
        std::array<char, compression::longest_text> room{};
        compresses_ = asking.extensions.empty();
        if (compresses_) asking.extensions = squeeze_.offer(room);
        std::array<octet, 16> nonce{};
        for (std::size_t i = 0; i < nonce.size(); i += sizeof(masking_key)) {
            copy_octets(keys_.draw().octets, std::span<octet>(nonce).subspan(i));
        }
        const result asked =
            put_head([&](std::span<octet> out) { return handshake_.write(asking, nonce, out); });
        if (asked != result::done) return answered(asked);
        if (!keep(request.protocols) || !keep(asking.extensions)) {
            sending_.out().clear();
            message_.clear();
            return result::too_large;
        }
        protocols_ = request.protocols.size();
        offered_ = message_.size();
        start_opening(offered_);
        return answered(asked);
    }

    // At `open`, until the next event is taken; from `refused` on, until reset().
    constexpr const response_head& response() const noexcept { return response_; }

    // Ready to ask again.
    constexpr void reset() noexcept {
        restart();
        handshake_ = client_handshake(options_.limit);
        response_ = {};
    }

  protected:
    constexpr client_side(memory& from, compression& squeeze, const connection_options& options,
                          key_source& keys) noexcept
        : connection(role::client, from, options, table, &keys, squeeze),
          keys_(keys),
          handshake_(options_.limit) {}
    ~client_side() = default;

  private:
    // What was offered is compared with what the server takes of it.
    constexpr bool keep(std::string_view text) noexcept {
        const std::span<octet> place = message_.tail(text.size());
        message_.add(copy_text(text, place));
        return place.size() == text.size();
    }

    static constexpr head_outcome read_head(handshaking& self,
                                            std::span<const octet> head) noexcept {
        auto& mine = static_cast<client_side&>(self);
        const outcome<answer_kind> read = mine.read_head(head);
        if (read.what == outcome<answer_kind>::is::not_yet) return {};
        if (read.what == outcome<answer_kind>::is::broken) {
            return {.broken = read.broken, .used = read.used};
        }
        mine.response_ = mine.handshake_.response(head.first(read.used));
        const bool opens = read.value == answer_kind::open;
        if (opens && mine.compresses_ &&
            !mine.squeeze_.agree(mine.response_.extensions().first())) {
            return {.broken = rule::bad_extension, .used = read.used - 1};
        }
        return {.told = opens ? event::what::open : event::what::refused, .used = read.used};
    }
    constexpr outcome<answer_kind> read_head(std::span<const octet> head) noexcept {
        const std::span<const octet> offered = message_.octets();
        if (offered_ == 0) return handshake_.read(head, {}, {});
        return handshake_.read(head, text_view{offered.first(protocols_)},
                               text_view{offered.first(offered_).subspan(protocols_)});
    }
    static constexpr void head_moved(handshaking& self, std::span<const octet> head) noexcept {
        auto& mine = static_cast<client_side&>(self);
        mine.response_ = head.empty() ? response_head{} : mine.handshake_.response(head);
    }
    // 4.1: the client fails the connection, and says nothing.
    static constexpr void refuse(handshaking&, rule) noexcept {}
    static constexpr side_functions table{read_head, head_moved, refuse};

    key_source& keys_;
    client_handshake handshake_;
    response_head response_;
    std::size_t offered_ = 0;    // octets of what was offered,
    std::size_t protocols_ = 0;  // and how many of them are protocols
    bool compresses_ = false;    // the extensions are those of our compression
};

namespace detail {
template <class Keys, class Storage, class Compression>
struct client_parts {
    constexpr client_parts(Keys& from, const typename Compression::options& how) noexcept
        : own_keys(from), own_compression(how) {}

    Storage own_storage;
    keys_of<Keys> own_keys;
    Compression own_compression;
};
}  // namespace detail

// 5.3: the keys have to be unpredictable, each of them. mask_source gives such; the caller owns it.
template <class Keys, class Storage = heap, class Compression = no_compression>
class client_connection : private detail::client_parts<Keys, Storage, Compression>,
                          public client_side {
    using parts = detail::client_parts<Keys, Storage, Compression>;

  public:
    constexpr explicit client_connection(Keys& keys, const connection_options& options = {},
                                         const typename Compression::options& how = {}) noexcept
        : parts(keys, how),
          client_side(parts::own_storage, parts::own_compression, options, parts::own_keys) {}
    client_connection(Keys&&, const connection_options& = {},
                      const typename Compression::options& = {}) = delete;  // gone too early

    // Which knows what was agreed on.
    constexpr const Compression& engine() const noexcept { return parts::own_compression; }
};

}  // namespace sockless::inline v0
