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
#include <sockless/compression.hpp>
#include <sockless/deadlines.hpp>
#include <sockless/event_range.hpp>
#include <sockless/events.hpp>
#include <sockless/frame_reader.hpp>
#include <sockless/lifetime.hpp>
#include <sockless/limits.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/options.hpp>
#include <sockless/outcome.hpp>
#include <sockless/outgoing.hpp>
#include <sockless/handshaking.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

class connection : public handshaking {
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

    constexpr event tell(std::span<octet>& in) noexcept;
    constexpr event read_frames(std::span<octet>& in) noexcept;
    constexpr event on_frame(const frame_event& frame) noexcept;
    constexpr event on_slice(const frame_event& frame) noexcept;
    constexpr event on_compressed(const frame_event& frame) noexcept;
    constexpr event inflate() noexcept;
    constexpr event no_memory() noexcept;
    constexpr std::span<octet> bite(std::span<octet> in) const noexcept;
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

// ---- frames ----

constexpr event connection::read_frames(std::span<octet>& in) noexcept {
    while (phase_ == phase::open && !flow_.is_paused()) {
        event told;
        if (slice_due_) {
            told = squeeze_.tell(*this);
        } else {
            std::span<octet> piece = bite(in);
            const std::size_t given = piece.size();
            const frame_event frame = endpoint_.next(piece);
            in = in.subspan(given - piece.size());
            if (frame.kind == frame_event::what::nothing) break;
            told = on_frame(frame);
        }
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
    if (frame.compressed) return on_compressed(frame);
    if (options_.slices) return told;
    told.kind = event::what::message;
    const bool whole = frame.first && frame.last;
    if (whole && !message_.is_tail(frame.payload)) return told;
    if (!message_.append(frame.payload)) return no_memory();
    if (!frame.last) return {};
    message_told_ = true;
    told.first = true;
    told.payload = message_.octets();
    return told;
}

constexpr event connection::no_memory() noexcept {
    endpoint_.give_up(1011);
    start_ending(cause::no_memory);
    return {};
}

// ---- compressed messages ----

// What is compressed is kept until it has been told, so in slices it is taken bite by bite.
constexpr std::span<octet> connection::bite(std::span<octet> in) const noexcept {
    const bool plain = endpoint_.lacking() > 0 && !endpoint_.compressed();
    const bool all = !options_.slices || plain || !squeeze_.agreed();
    return all || in.size() <= compression::bite ? in : in.first(compression::bite);
}

constexpr event connection::on_compressed(const frame_event& frame) noexcept {
    squeeze_.take({frame.payload, frame.type, frame.first, frame.last});
    return squeeze_.tell(*this);
}

constexpr event connection::inflate() noexcept {
    const std::size_t limit = options_.limit.message;
    const inflated got =
        options_.slices ? squeeze_.inflate_slice(limit) : squeeze_.inflate(message_, limit);
    slice_due_ = got.more;
    switch (got.what) {
        case inflated::is::nothing:
            return {};
        case inflated::is::no_memory:
            return no_memory();
        case inflated::is::broken:
            endpoint_.fail(got.broken);
            start_ending(cause::violation);
            return {};
        case inflated::is::message:
            message_told_ = true;
            return {.kind = event::what::message,
                    .type = got.type,
                    .first = true,
                    .last = true,
                    .payload = message_.octets()};
        case inflated::is::slice:
            break;
    }
    return {.kind = event::what::slice,
            .type = got.type,
            .first = got.first,
            .last = got.last,
            .payload = got.payload};
}

constexpr event compression::tell_inflated(connection& to) noexcept { return to.inflate(); }

}  // namespace sockless::inline v0
