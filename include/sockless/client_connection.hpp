// client_connection.hpp -- a client's connection: it asks, and masks what it sends (RFC 6455, 4.1).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <sockless/client_handshake.hpp>
#include <sockless/connection.hpp>
#include <sockless/events.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/outcome.hpp>
#include <sockless/request_writer.hpp>
#include <sockless/sending.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

// All of a client but where its memory and its keys come from.
class client_side : public connection {
  public:
    // 4.1: asks for a WebSocket. `open` comes next, or `refused`, or `closed`.
    constexpr result open(const opening& request) noexcept {
        if (phase_ == phase::opening) return result::undecided;
        if (phase_ != phase::idle) return result::not_open;
        std::array<octet, 16> nonce{};
        for (std::size_t i = 0; i < nonce.size(); i += sizeof(masking_key)) {
            copy_octets(keys_.draw().octets, std::span(nonce).subspan(i));
        }
        const result asked =
            put_head([&](std::span<octet> out) { return handshake_.write(request, nonce, out); });
        if (asked != result::done) return answered(asked);
        if (!keep(request.protocols) || !keep(request.extensions)) {
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
    constexpr client_side(memory& from, const connection_options& options,
                          key_source& keys) noexcept
        : connection(role::client, from, options, table, &keys),
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

    static constexpr head_outcome read_head(connection& self,
                                            std::span<const octet> head) noexcept {
        auto& mine = static_cast<client_side&>(self);
        const outcome<answer_kind> read = mine.read_head(head);
        if (read.what == outcome<answer_kind>::is::not_yet) return {};
        if (read.what == outcome<answer_kind>::is::broken) {
            return {.broken = read.broken, .used = read.used};
        }
        mine.response_ = mine.handshake_.response(head.first(read.used));
        const bool opens = read.value == answer_kind::open;
        return {.told = opens ? event::what::open : event::what::refused, .used = read.used};
    }
    constexpr outcome<answer_kind> read_head(std::span<const octet> head) noexcept {
        const std::span<const octet> offered = message_.octets();
        if (offered_ == 0) return handshake_.read(head, {}, {});
        return handshake_.read(head, text_view{offered.first(protocols_)},
                               text_view{offered.first(offered_).subspan(protocols_)});
    }
    static constexpr void head_moved(connection& self, std::span<const octet> head) noexcept {
        auto& mine = static_cast<client_side&>(self);
        mine.response_ = head.empty() ? response_head{} : mine.handshake_.response(head);
    }
    // 4.1: the client fails the connection, and says nothing.
    static constexpr void refuse(connection&, rule) noexcept {}
    static constexpr side_functions table{read_head, head_moved, refuse};

    key_source& keys_;
    client_handshake handshake_;
    response_head response_;
    std::size_t offered_ = 0;    // octets of what was offered,
    std::size_t protocols_ = 0;  // and how many of them are protocols
};

namespace detail {
// Keys come from what the caller has: anything that gives a masking_key when it is called.
template <class Keys>
class keys_of : public key_source {
  public:
    constexpr explicit keys_of(Keys& keys) noexcept : key_source(call), keys_(keys) {}

  private:
    static constexpr masking_key call(key_source& self) noexcept {
        return static_cast<keys_of&>(self).keys_();
    }
    Keys& keys_;
};

template <class Keys, class Storage>
struct with_keys_and_storage {
    constexpr explicit with_keys_and_storage(Keys& from) noexcept : own_keys(from) {}

    Storage own_storage;
    keys_of<Keys> own_keys;
};
}  // namespace detail

// 5.3: the keys have to be unpredictable, each of them. mask_source gives such; the caller owns it.
template <class Keys, class Storage = heap>
class client_connection : private detail::with_keys_and_storage<Keys, Storage>, public client_side {
    using parts = detail::with_keys_and_storage<Keys, Storage>;

  public:
    constexpr explicit client_connection(Keys& keys,
                                         const connection_options& options = {}) noexcept
        : parts(keys), client_side(parts::own_storage, options, parts::own_keys) {}
    client_connection(Keys&&,
                      const connection_options& = {}) = delete;  // it would be gone too early
};

}  // namespace sockless::inline v0
