// connection.hpp -- a whole connection, from the opening handshake to the last octet (RFC 6455).
//
// Octets received go into next(), which gives events; output() holds octets to transmit, and
// written() says how many have left. wants() and deadline() tell a loop everything else. This class
// adds what comes to what is said and what stands above; server_connection and client_connection
// add their side of the opening handshake, memory and keys. It is neither copied nor moved: I/O may
// point into it.
#pragma once

#include <cstddef>
#include <span>

#include <sockless/close_code.hpp>
#include <sockless/closing.hpp>
#include <sockless/compression.hpp>
#include <sockless/deadlines.hpp>
#include <sockless/event_range.hpp>
#include <sockless/events.hpp>
#include <sockless/frame_event.hpp>
#include <sockless/limits.hpp>
#include <sockless/octets.hpp>
#include <sockless/options.hpp>
#include <sockless/handshaking.hpp>

namespace sockless::inline v0 {

class connection : public handshaking {
  public:
    // ---- octets received, events ----

    constexpr event next(std::span<octet>& in) noexcept {
        event told;
        next(in, told);
        return told;
    }
    // The same into an event that is there already.
    constexpr void next(std::span<octet>& in, event& told) noexcept;
    constexpr event_range<connection, event> receive(std::span<octet>& in) noexcept {
        return {*this, in};
    }
    void receive(std::span<octet>&&) = delete;  // it would lose what is not consumed yet

    // Where to read to next: behind the unfinished message, or `room`. At most as much as the frame
    // still lacks, so that it all belongs there. It stays where it is until it has been given to
    // next(), whatever else is done meanwhile.
    constexpr std::span<octet> read_target(std::span<octet> room) noexcept {
        if (phase_ != phase::open || flow_.is_paused() || options_.slices) return room;
        const std::size_t lacking = endpoint_.compressed() ? 0 : endpoint_.lacking();
        const std::size_t size = room.size() < lacking ? room.size() : lacking;
        const std::span<octet> behind = size > 0 ? message_.tail(size) : std::span<octet>{};
        return behind.empty() ? room : behind;
    }

    // Between our last automatic ping and its pong; `never` if there was none yet.
    constexpr milliseconds round_trip() const noexcept { return heartbeat_.round_trip(); }
    constexpr sockless::counters counters() const noexcept {
        return {.received = received_, .sent = sending_.sent()};
    }

  protected:
    using handshaking::handshaking;
    ~connection() = default;

  private:
    friend class compression;

    constexpr void tell(std::span<octet>& in, event& told) noexcept;
    constexpr void tell_end(std::span<octet>& in, event& told) noexcept;
    constexpr void read_frames(std::span<octet>& in, event& told) noexcept;
    constexpr void read_frame(std::span<octet>& in, frame_event& frame) noexcept;
    constexpr void on_slice(const frame_event& frame, event& told) noexcept;
    constexpr void on_part(const frame_event& frame, event& told) noexcept;
    constexpr void on_other_frame(const frame_event& frame, event& told) noexcept;
    constexpr void inflate(event& told) noexcept;
    constexpr void no_memory() noexcept;
};

// ---- octets received, events ----

constexpr void connection::next(std::span<octet>& in, event& told) noexcept {
    const std::size_t given = in.size();
    told = no_event;
    if (message_told_) message_.clear();
    message_told_ = false;
    if (given > 0) on_life();
    tell(in, told);
    received_.octets += given - in.size();
    if (given > 0) keep_memory();
}

constexpr void connection::tell(std::span<octet>& in, event& told) noexcept {
    if (head_told_) keep_told_head();
    if (open_due_) {
        open_due_ = false;
        told.kind = event::what::open;
        return;
    }
    if (flow_.is_drained()) {
        flow_.told();
        told.kind = event::what::drained;
        return;
    }
    if (phase_ == phase::opening) told = read_head(in);
    if (phase_ == phase::open && told.kind == event::what::nothing) read_frames(in, told);
    if (told.kind == event::what::nothing) tell_end(in, told);
}

// There is nothing to tell of frames, and perhaps there never will be again.
constexpr void connection::tell_end(std::span<octet>& in, event& told) noexcept {
    if (phase_ == phase::ending) {
        in = in.subspan(in.size());
        after_output();  // there may be memory now
    }
    if (in.empty() || phase_ == phase::asked) on_end_of_input();
    if (phase_ != phase::ended) return;
    phase_ = phase::finished;
    told.kind = event::what::closed;
    told.code = *endpoint_.report().received;
    told.payload = endpoint_.close_reason();
}

// ---- frames ----

constexpr void connection::read_frames(std::span<octet>& in, event& told) noexcept {
    frame_event frame;
    while (told.kind == event::what::nothing && phase_ == phase::open && !flow_.is_paused()) {
        if (slice_due_) {
            squeeze_.tell(*this, told);
            continue;
        }
        read_frame(in, frame);
        if (frame.kind == frame_event::what::nothing) return;
        if (frame.kind == frame_event::what::slice) {
            on_slice(frame, told);
        } else {
            on_other_frame(frame, told);
        }
    }
}

// What is compressed is kept until it has been told, so in slices it is taken bite by bite.
constexpr void connection::read_frame(std::span<octet>& in, frame_event& frame) noexcept {
    const bool bites = options_.slices && squeeze_.agreed() &&
                       (endpoint_.lacking() == 0 || endpoint_.compressed());
    if (!bites || in.size() <= compression::bite) return endpoint_.next(in, frame);
    std::span<octet> bite = in.first(compression::bite);
    endpoint_.next(bite, frame);
    in = in.subspan(compression::bite - bite.size());
}

constexpr void connection::on_other_frame(const frame_event& frame, event& told) noexcept {
    if (frame.kind == frame_event::what::violated) return start_ending(cause::violation);
    ++received_.control;
    after_output();
    if (frame.kind == frame_event::what::pong) {
        heartbeat_.on_pong(frame.payload, clock_.now());
        told.kind = event::what::pong;
        told.payload = frame.payload;
    } else if (frame.kind == frame_event::what::ping && !options_.answer_pings) {
        told.kind = event::what::ping;
        told.payload = frame.payload;
    }
}

constexpr void connection::on_slice(const frame_event& frame, event& told) noexcept {
    if (frame.remaining == 0) ++received_.frames;
    if (frame.last) ++received_.messages;
    on_message();
    const bool is_piece = !frame.first || !frame.last || message_.is_tail(frame.payload);
    if (frame.compressed || (is_piece && !options_.slices)) return on_part(frame, told);
    // One by one: clang copies a whole one in pieces that wait for each other.
    told.kind = options_.slices ? event::what::slice : event::what::message;
    told.type = frame.type;
    told.first = frame.first;
    told.last = frame.last;
    told.payload = frame.payload;
    told.remaining = frame.remaining;
}

// What becomes part of a message that is told whole, or has to be inflated.
constexpr void connection::on_part(const frame_event& frame, event& told) noexcept {
    if (frame.compressed) {
        squeeze_.take({frame.payload, frame.type, frame.first, frame.last});
        return squeeze_.tell(*this, told);
    }
    if (!message_.append(frame.payload)) return no_memory();
    if (!frame.last) return;
    message_told_ = true;
    told = {.kind = event::what::message,
            .type = frame.type,
            .first = true,
            .last = true,
            .payload = message_.octets()};
}

constexpr void connection::no_memory() noexcept {
    endpoint_.give_up(1011);
    start_ending(cause::no_memory);
}

// ---- compressed messages ----

constexpr void connection::inflate(event& told) noexcept {
    const std::size_t limit = options_.limit.message;
    const inflated got =
        options_.slices ? squeeze_.inflate_slice(limit) : squeeze_.inflate(message_, limit);
    slice_due_ = got.more;
    if (got.what == inflated::is::nothing) return;
    if (got.what == inflated::is::no_memory) return no_memory();
    if (got.what == inflated::is::broken) {
        endpoint_.fail(got.broken);
        return start_ending(cause::violation);
    }
    message_told_ = got.what == inflated::is::message;
    told.kind = message_told_ ? event::what::message : event::what::slice;
    told.type = got.type;
    told.first = message_told_ || got.first;
    told.last = message_told_ || got.last;
    told.payload = message_told_ ? message_.octets() : got.payload;
}

constexpr void compression::tell_inflated(connection& to, event& told) noexcept {
    to.inflate(told);
}

}  // namespace sockless::inline v0
