// handshaking.hpp -- the opening handshake in a connection (RFC 6455, 4).
//
// A head is read where it lies. What is not whole yet is kept, and what turns out to belong to the
// first frame stays where it is. server_connection and client_connection know what a head says.
#pragma once

#include <cstddef>
#include <span>

#include <sockless/closing.hpp>
#include <sockless/compression.hpp>
#include <sockless/deadlines.hpp>
#include <sockless/events.hpp>
#include <sockless/growing.hpp>
#include <sockless/key_source.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/options.hpp>
#include <sockless/outcome.hpp>
#include <sockless/outgoing.hpp>
#include <sockless/speaking.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

class handshaking : public speaking {
  protected:
    // How reading a head ended; `told` is what the application hears of it.
    struct head_outcome {
        event::what told = event::what::nothing;
        rule broken = rule::none;
        std::size_t used = 0;

        constexpr bool is_whole() const noexcept {
            return told != event::what::nothing || broken != rule::none;
        }
    };
    // What only a server, or only a client, does.
    struct side_functions {
        head_outcome (*read_head)(handshaking&, std::span<const octet> head) noexcept;
        // The head that was told is kept here from now on; if it is empty, nobody needs it any
        // more.
        void (*head_moved)(handshaking&, std::span<const octet> head) noexcept;
        // Puts the answer to a rule that was broken into the output.
        void (*refuse)(handshaking&, rule) noexcept;
    };
    constexpr handshaking(role ours, memory& from, const connection_options& options,
                          const side_functions& side, key_source* keys,
                          compression& squeeze) noexcept
        : speaking(ours, from, options, keys, squeeze), side_(side) {}
    ~handshaking() = default;

    // The opening handshake begins: a head will arrive behind what is kept already.
    constexpr void start_opening(std::size_t kept) noexcept {
        phase_ = phase::opening;
        clock_.start(timer::opening);
        kept_ = kept;
    }
    // And is over; `open` is still to be told.
    constexpr void accepted() noexcept {
        start_frames();
        message_.clear();
        open_due_ = true;
    }
    constexpr void restart() noexcept {
        speaking::restart();
        told_head_ = {};
        head_told_ = message_told_ = false;
    }

    // Puts what `write` writes into the output, which is empty, whole or not at all.
    template <class Write>
    constexpr result put_head(Write write) noexcept {
        const sockless::written size = write(std::span<octet>{});
        if (size.what != result::full) return size.what;
        outgoing& out = sending_.out();
        if (size.octets > out.limit()) return result::too_large;
        if (!out.reserve(size.octets)) return result::full;
        out.add(write(out.space().first(size.octets)).octets);
        return result::done;
    }

    constexpr event read_head(std::span<octet>& in) noexcept;
    constexpr void keep_told_head() noexcept;

    bool message_told_ = false;  // the application looks at message_
    bool head_told_ = false;     // and at the head

  private:
    constexpr void start_frames() noexcept {
        phase_ = phase::open;
        if (squeeze_.agreed()) endpoint_ = fresh_endpoint();
        clock_.start(timer::ping);
        clock_.start(timer::idle);
    }
    constexpr head_outcome read_kept_head(std::span<octet>& in) noexcept;
    constexpr event on_head(const head_outcome& head, std::span<octet> at) noexcept;

    const side_functions& side_;
    std::size_t kept_ = 0;          // octets in front of the head
    std::span<octet> told_head_{};  // a head that lies in the caller's octets
};

constexpr event handshaking::read_head(std::span<octet>& in) noexcept {
    if (in.empty()) return {};
    if (message_.size() > kept_) return on_head(read_kept_head(in), {});
    const std::span<octet> all = in;
    const head_outcome head = side_.read_head(*this, all);
    if (!head.is_whole() && !message_.append(all)) end(cause::no_memory);
    const std::size_t used = head.is_whole() ? head.used : all.size();
    in = in.subspan(used);
    return on_head(head, all.first(used));
}

// Puts the next octets behind those of the head that have been kept. What turns out to belong to
// the first frame stays where it is.
constexpr handshaking::head_outcome handshaking::read_kept_head(std::span<octet>& in) noexcept {
    const std::size_t before = message_.size() - kept_;
    const std::size_t room = options_.limit.head + std::size_t{1} - before;
    const std::size_t size = in.size() < room ? in.size() : room;
    if (!message_.append(in.first(size))) {
        end(cause::no_memory);
        return {};
    }
    const head_outcome head = side_.read_head(*this, message_.octets().subspan(kept_));
    const std::size_t used = head.is_whole() ? head.used : before + size;
    message_.shrink(kept_ + used);
    in = in.subspan(used - before);
    return head;
}

constexpr event handshaking::on_head(const head_outcome& head, std::span<octet> at) noexcept {
    if (head.broken != rule::none) {
        fault_ = {head.broken, head.used};
        side_.refuse(*this, head.broken);
        start_ending(cause::violation);
        return {};
    }
    if (head.told == event::what::nothing) return {};
    clock_.stop(timer::opening);
    told_head_ = at;
    head_told_ = true;
    phase_ = phase::asked;
    if (head.told == event::what::refused) end(cause::refused);
    head_size_ = head.used;
    if (head.told == event::what::open) {
        start_frames();
        message_told_ = true;  // the head is looked at
    }
    return {.kind = head.told};
}

// The head has been told; who still wants to see it finds it in memory of our own from now on.
constexpr void handshaking::keep_told_head() noexcept {
    head_told_ = false;
    const std::span<octet> head = told_head_;
    told_head_ = {};
    const bool refused = phase_ == phase::ended && ours_ == role::client;
    if (phase_ != phase::asked && !refused) return side_.head_moved(*this, {});
    const bool kept = message_.append(head);
    if (!kept) end(cause::no_memory);
    side_.head_moved(*this, kept ? message_.octets().subspan(kept_) : std::span<octet>{});
}

}  // namespace sockless::inline v0
