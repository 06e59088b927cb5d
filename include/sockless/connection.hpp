// connection.hpp -- a whole connection, from the opening handshake to the last octet (RFC 6455).
//
// Octets received go into next(), which gives events; output() holds octets to transmit, and
// written() says how many have left. wants() and deadline() tell a loop everything else. This class
// adds what comes to what is said and what stands above; server_connection and client_connection
// add their side of the opening handshake, memory and keys. It is neither copied nor moved: I/O may
// point into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <sockless/close_code.hpp>
#include <sockless/closing.hpp>
#include <sockless/deadlines.hpp>
#include <sockless/event_range.hpp>
#include <sockless/events.hpp>
#include <sockless/frame_reader.hpp>
#include <sockless/lifetime.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/options.hpp>
#include <sockless/outcome.hpp>
#include <sockless/outgoing.hpp>
#include <sockless/speaking.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

class connection : public speaking {
  public:
    // ---- octets received, events ----

    constexpr event next(std::span<octet>& in) noexcept;
    constexpr event_range<connection, event> receive(std::span<octet>& in) noexcept {
        return {*this, in};
    }
    void receive(std::span<octet>&&) = delete;  // it would lose what is not consumed yet

    // Where to read to next: behind the unfinished message, or `room`. At most as much as the frame
    // still lacks, so that it all belongs there. It stays where it is until it has been given to
    // next(), whatever else is done meanwhile.
    constexpr std::span<octet> read_target(std::span<octet> room) noexcept {
        if (phase_ != phase::open || flow_.is_paused() || options_.slices) return room;
        const std::size_t lacking = endpoint_.lacking();
        const std::size_t size = room.size() < lacking ? room.size() : lacking;
        const std::span<octet> behind = size > 0 ? message_.tail(size) : std::span<octet>{};
        return behind.empty() ? room : behind;
    }

    constexpr sockless::counters counters() const noexcept {
        return {.received = received_, .sent = sending_.sent()};
    }

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
        head_outcome (*read_head)(connection&, std::span<const octet> head) noexcept;
        // The head that was told is kept here from now on; if it is empty, nobody needs it any
        // more.
        void (*head_moved)(connection&, std::span<const octet> head) noexcept;
        // Puts the answer to a rule that was broken into the output.
        void (*refuse)(connection&, rule) noexcept;
    };
    constexpr connection(role ours, memory& from, const connection_options& options,
                         const side_functions& side, key_source* keys) noexcept
        : speaking(ours, from, options, keys), side_(side) {}
    ~connection() = default;

    // The opening handshake begins: a head will arrive behind what is kept already.
    constexpr void start_opening(std::size_t kept) noexcept {
        lifetime::start_opening();
        kept_ = kept;
    }
    // And is over; `open` is still to be told.
    constexpr void accepted() noexcept {
        start_frames();
        message_.clear();
        open_due_ = true;
    }
    constexpr void restart() noexcept {
        lifetime::restart();
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

  private:
    constexpr event tell(std::span<octet>& in) noexcept;
    constexpr event read_head(std::span<octet>& in) noexcept;
    constexpr head_outcome read_kept_head(std::span<octet>& in) noexcept;
    constexpr event on_head(const head_outcome& head, std::span<octet> at) noexcept;
    constexpr void keep_told_head() noexcept;
    constexpr event read_frames(std::span<octet>& in) noexcept;
    constexpr event on_frame(const frame_event& frame) noexcept;
    constexpr event on_slice(const frame_event& frame) noexcept;

    const side_functions& side_;
    std::size_t kept_ = 0;          // octets in front of the head
    std::span<octet> told_head_{};  // a head that lies in the caller's octets
    bool head_told_ = false;        // the application looks at the head,
    bool message_told_ = false;     // or at the message
};

// ---- octets received, events ----

constexpr event connection::next(std::span<octet>& in) noexcept {
    const std::size_t given = in.size();
    if (message_told_) message_.clear();
    message_told_ = false;
    if (given > 0) on_life();
    const event told = tell(in);
    received_.octets += given - in.size();
    if (given > 0) keep_memory();
    return told;
}

constexpr event connection::tell(std::span<octet>& in) noexcept {
    keep_told_head();
    if (open_due_) {
        open_due_ = false;
        return {.kind = event::what::open};
    }
    if (flow_.is_drained()) {
        flow_.told();
        return {.kind = event::what::drained};
    }
    event told;
    if (phase_ == phase::opening) told = read_head(in);
    if (phase_ == phase::open && told.kind == event::what::nothing) told = read_frames(in);
    if (told.kind != event::what::nothing) return told;
    if (phase_ == phase::ending) in = in.subspan(in.size());
    if (in.empty() || phase_ == phase::asked) on_end_of_input();
    check_ending();
    if (phase_ != phase::ended) return {};
    phase_ = phase::finished;
    return {.kind = event::what::closed,
            .code = *endpoint_.report().received,
            .payload = endpoint_.close_reason()};
}

// ---- the opening handshake ----

constexpr event connection::read_head(std::span<octet>& in) noexcept {
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
constexpr connection::head_outcome connection::read_kept_head(std::span<octet>& in) noexcept {
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

constexpr event connection::on_head(const head_outcome& head, std::span<octet> at) noexcept {
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
constexpr void connection::keep_told_head() noexcept {
    if (!head_told_) return;
    head_told_ = false;
    const std::span<octet> head = told_head_;
    told_head_ = {};
    const bool refused = phase_ == phase::ended && ours_ == role::client;
    if (phase_ != phase::asked && !refused) return side_.head_moved(*this, {});
    const bool kept = message_.append(head);
    if (!kept) end(cause::no_memory);
    side_.head_moved(*this, kept ? message_.octets().subspan(kept_) : std::span<octet>{});
}

// ---- frames ----

constexpr event connection::read_frames(std::span<octet>& in) noexcept {
    while (phase_ == phase::open && !flow_.is_paused()) {
        const frame_event frame = endpoint_.next(in);
        if (frame.kind == frame_event::what::nothing) break;
        const event told = on_frame(frame);
        if (told.kind != event::what::nothing) return told;
    }
    return {};
}

constexpr event connection::on_frame(const frame_event& frame) noexcept {
    if (frame.kind == frame_event::what::slice) return on_slice(frame);
    if (frame.kind == frame_event::what::violated) {
        start_ending(cause::violation);
        return {};
    }
    ++received_.control;
    after_output();
    if (frame.kind == frame_event::what::pong) {
        heartbeat_.on_pong(frame.payload, clock_.now());
        return {.kind = event::what::pong, .payload = frame.payload};
    }
    if (frame.kind == frame_event::what::ping && !options_.answer_pings) {
        return {.kind = event::what::ping, .payload = frame.payload};
    }
    return {};
}

constexpr event connection::on_slice(const frame_event& frame) noexcept {
    event told{.kind = event::what::slice,
               .type = frame.type,
               .first = frame.first,
               .last = frame.last,
               .payload = frame.payload,
               .remaining = frame.remaining};
    if (frame.remaining == 0) ++received_.frames;
    if (frame.last) ++received_.messages;
    on_message();
    if (options_.slices) return told;
    told.kind = event::what::message;
    const bool whole = frame.first && frame.last;
    if (whole && !message_.is_tail(frame.payload)) return told;
    if (!message_.append(frame.payload)) {
        endpoint_.give_up(1011);
        start_ending(cause::no_memory);
        return {};
    }
    if (!frame.last) return {};
    message_told_ = true;
    told.first = true;
    told.payload = message_.octets();
    return told;
}

}  // namespace sockless::inline v0
