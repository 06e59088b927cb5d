// deflate.hpp -- permessage-deflate for connections (RFC 7692, 7).
//
//     basic_server<heap, permessage_deflate> ws(options, {.threshold = 64});
//
// Who does not ask for it does not get it. It takes memory: see inflate_memory() and
// deflate_memory(). And where a secret is compressed beside a text of somebody else's, the length
// tells of the secret (RFC 7692, 8; CRIME): send such messages with compressing::no.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/compression.hpp>
#include <sockless/connection.hpp>
#include <sockless/deflate_pool.hpp>
#include <sockless/deflate_streams.hpp>
#include <sockless/deflate_terms.hpp>
#include <sockless/events.hpp>
#include <sockless/growing.hpp>
#include <sockless/inflating.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/request_head.hpp>
#include <sockless/sending.hpp>
#include <sockless/server_handshake.hpp>

namespace sockless::inline v0 {

// Level and threshold are where one octet less begins to cost more than 100 ns, and the memory
// level is the lowest that costs next to nothing: see bench/README.md. Where contexts are not kept,
// a threshold of 256 would be that.
struct deflate_options {
    deflate_wishes wishes{};
    int level = 2;                     // of zlib, 1 to 9
    int mem_level = 5;                 // of zlib, 1 to 9
    std::size_t threshold = 64;        // messages that are shorter leave as they are
    std::size_t slice = 4096;          // octets of a message that is told in slices
    std::size_t most_ratio = 0;        // octets for each that came, from 64 KiB on; 0: any number
    bool release_when_idle = false;    // our context, and streams without one
    std::span<octet> inflate_arena{};  // instead of the heap
    std::span<octet> deflate_arena{};
    deflate_pool* pool = nullptr;  // for directions without a context
};

// Windows of 4 KiB: a quarter of the memory.
constexpr deflate_options low_memory() noexcept {
    return {.wishes = {.window_bits = 12, .peer_window_bits = 12}};
}

class permessage_deflate : public compression {
  public:
    using options = deflate_options;

    explicit permessage_deflate(const options& how = {}) noexcept
        : compression(table),
          how_(how),
          own_inflater_(how.inflate_arena),
          own_deflater_(how.deflate_arena),
          in_(how.slice) {}
    permessage_deflate(const permessage_deflate&) = delete;
    permessage_deflate& operator=(const permessage_deflate&) = delete;
    ~permessage_deflate() { return_inflater(); }

    // What was agreed on.
    const std::optional<deflate_terms>& terms() const noexcept { return terms_; }

  private:
    // ---- the opening handshake ----

    std::string_view offer(text_room room) noexcept {
        ours_ = role::client;
        return put(offer_of(how_.wishes), room);
    }
    bool agree(std::optional<text_view> answer) noexcept {
        if (!answer) return true;
        terms_ = verify_deflate(*answer, how_.wishes);
        return terms_.has_value();
    }
    std::string_view answer(const request_head& request, text_room room) noexcept {
        ours_ = role::server;
        const auto accepted = accept_deflate(request.extensions(), how_.wishes);
        if (!accepted) return {};
        terms_ = accepted->terms;
        // Without memory there is nothing to agree on.
        if (inflating_stream() == nullptr || deflating_stream() == nullptr) {
            forget();
            return {};
        }
        return_inflater();  // until a message comes
        return put(accepted->answer, room);
    }
    static std::string_view put(std::string_view text, text_room room) noexcept {
        return {room.data(), text.copy(room.data(), room.size())};
    }

    role peer() const noexcept { return ours_ == role::server ? role::client : role::server; }
    // 7.1.1: does what this end compresses refer to earlier messages?
    bool keeps_context(role end) const noexcept {
        return end == role::server ? !terms_->server_no_context_takeover
                                   : !terms_->client_no_context_takeover;
    }
    int window_bits(role end) const noexcept {
        return end == role::server ? terms_->server_max_window_bits
                                   : terms_->client_max_window_bits;
    }

    // ---- streams ----

    // Open; null: there is no memory for it.
    inflater* inflating_stream() noexcept {
        if (how_.pool == nullptr || keeps_context(peer())) {
            return own_inflater_.open(window_bits(peer())) ? &own_inflater_ : nullptr;
        }
        if (borrowed_ == nullptr) borrowed_ = how_.pool->borrow();
        return borrowed_;
    }
    deflater* deflating_stream() noexcept {
        const int bits = window_bits(ours_);
        deflate_pool* const pool = how_.pool;
        if (pool == nullptr || keeps_context(ours_) || pool->settings().window_bits > bits) {
            return own_deflater_.open({how_.level, how_.mem_level, bits}) ? &own_deflater_
                                                                          : nullptr;
        }
        deflater& shared = pool->shared_deflater();
        return shared.open(pool->settings()) ? &shared : nullptr;
    }
    void return_inflater() noexcept {
        if (borrowed_ != nullptr) how_.pool->give_back(borrowed_);
        borrowed_ = nullptr;
    }

    // ---- octets received ----

    void end_message() noexcept {
        if (borrowed_ == nullptr && !keeps_context(peer())) own_inflater_.reset();
        return_inflater();
    }
    inflated inflate(growing& message, std::size_t limit) noexcept {
        inflater* const stream = inflating_stream();
        const inflated got = stream == nullptr
                                 ? inflated{.what = inflated::is::no_memory}
                                 : in_.append_to(message, *stream, {limit, how_.most_ratio});
        if (got.what != inflated::is::nothing) end_message();
        return got;
    }
    inflated inflate_slice(std::size_t limit) noexcept {
        inflater* const stream = inflating_stream();
        const inflated got = stream == nullptr ? inflated{.what = inflated::is::no_memory}
                                               : in_.slice(*stream, {limit, how_.most_ratio});
        if (got.last || got.what == inflated::is::broken) end_message();
        return got;
    }

    // ---- messages to send ----

    std::size_t bound(std::size_t size, compressing how) noexcept {
        if (!terms_ || how == compressing::no) return 0;
        if (how == compressing::when_long && size < how_.threshold) return 0;
        if (window_bits(ours_) < 9) return 0;  // zlib has no raw deflate with 8
        deflater* const stream = deflating_stream();
        return stream == nullptr ? 0 : stream->bound(size);
    }
    std::size_t deflate_message(std::span<const octet> message, std::span<octet> out) noexcept {
        deflater& stream = *deflating_stream();
        const std::size_t size = stream.message(message, out);
        if (!keeps_context(ours_)) stream.reset();
        return size;
    }

    bool may_lend(int bits) const noexcept { return terms_ && bits <= window_bits(ours_); }
    // The peer knows a message that our stream does not, so that forgets the others as well.
    void lent() noexcept {
        if (own_deflater_.is_open()) own_deflater_.reset();
    }

    // ---- memory ----

    bool has_memory() const noexcept {
        const bool kept = own_inflater_.is_open() || own_deflater_.is_open();
        return in_.has_memory() || (how_.release_when_idle && kept);
    }
    void release() noexcept {
        if (in_.is_open()) return;
        in_.release();
        if (!how_.release_when_idle || !terms_) return;
        own_deflater_.close();
        if (!keeps_context(peer())) own_inflater_.close();
    }
    void forget() noexcept {
        in_.reset();
        return_inflater();
        own_inflater_.close();
        own_deflater_.close();
        terms_ = std::nullopt;
    }

    static permessage_deflate& mine(compression& self) noexcept {
        return static_cast<permessage_deflate&>(self);
    }
    static const permessage_deflate& mine(const compression& self) noexcept {
        return static_cast<const permessage_deflate&>(self);
    }
    static const functions table;

    options how_;
    role ours_ = role::server;
    std::optional<deflate_terms> terms_;
    inflater own_inflater_;
    inflater* borrowed_ = nullptr;
    deflater own_deflater_;
    inflating in_;
};

inline constexpr compression::functions permessage_deflate::table{
    .offer = [](compression& self, text_room room) noexcept { return mine(self).offer(room); },
    .agree = [](compression& self,
                std::optional<text_view> answer) noexcept { return mine(self).agree(answer); },
    .answer = [](compression& self, const request_head& request,
                 text_room room) noexcept { return mine(self).answer(request, room); },
    .accept =
        [](compression& self, const request_head& request, std::span<octet> out) noexcept {
            std::array<char, longest_text> room{};
            const std::string_view text = mine(self).answer(request, room);
            return sockless::accept(request, sockless::answer{.extensions = text}, out);
        },
    .agreed = [](const compression& self) noexcept { return mine(self).terms_.has_value(); },
    .take = [](compression& self,
               const compressed_piece& piece) noexcept { mine(self).in_.take(piece); },
    .inflate = [](compression& self, growing& message,
                  std::size_t limit) noexcept { return mine(self).inflate(message, limit); },
    .inflate_slice = [](compression& self,
                        std::size_t limit) noexcept { return mine(self).inflate_slice(limit); },
    .tell = [](compression&, connection& to, event& told) noexcept { tell_inflated(to, told); },
    .send = [](compression&, sending& to, message_type type, std::span<const octet> message,
               compressing how) noexcept { return send_deflated(to, type, message, how); },
    .bound = [](compression& self, std::size_t size,
                compressing how) noexcept { return mine(self).bound(size, how); },
    .deflate =
        [](compression& self, std::span<const octet> message, std::span<octet> out) noexcept {
            return mine(self).deflate_message(message, out);
        },
    .may_lend = [](const compression& self,
                   int bits) noexcept { return mine(self).may_lend(bits); },
    .lent = [](compression& self) noexcept { mine(self).lent(); },
    .has_memory = [](const compression& self) noexcept { return mine(self).has_memory(); },
    .release = [](compression& self) noexcept { mine(self).release(); },
    .reset = [](compression& self) noexcept { mine(self).forget(); },
};

}  // namespace sockless::inline v0
