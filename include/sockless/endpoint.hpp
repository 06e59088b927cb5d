// endpoint.hpp -- both directions of an open connection (RFC 6455, 5, 6, 7).
//
// Octets received go into next(), which gives events. Octets to transmit come from start() and
// pay(), or write(), for messages, and from control() for what the protocol itself owes: pongs, and
// Closes. There is room for one such frame, so take it after each event; a newer pong replaces an
// older one (5.5.3). Control frames leave between frames only, and nothing leaves after our Close.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/close_code.hpp>
#include <sockless/close_payload.hpp>
#include <sockless/closing.hpp>
#include <sockless/event_range.hpp>
#include <sockless/frame_event.hpp>
#include <sockless/frame_header.hpp>
#include <sockless/frame_reader.hpp>
#include <sockless/frame_writer.hpp>
#include <sockless/limits.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>

namespace sockless::inline v0 {

struct endpoint_options {
    limits limit{};
    bool rsv1 = false;          // an extension that was agreed on gives RSV1 a meaning
    bool answer_pings = true;   // or the caller does, with pong()
    bool answer_closes = true;  // or the caller does, with close()
};

// What both roles have in common. Use server_endpoint or client_endpoint.
class endpoint {
  public:
    constexpr frame_event next(std::span<octet>& in) noexcept {
        frame_event event;
        next(in, event);
        return event;
    }
    // The same into an event that is there already.
    constexpr void next(std::span<octet>& in, frame_event& event) noexcept {
        reader_.next(in, event);
        if (event.kind > frame_event::what::slice) answer(event);
    }

    constexpr event_range<endpoint, frame_event> receive(std::span<octet>& in) noexcept {
        return {*this, in};
    }
    void receive(std::span<octet>&&) = delete;  // it would lose what is not consumed yet

    // The transport has ended, in whatever way; nothing is received, and no frame begins any more.
    constexpr void end_of_stream() noexcept {
        reader_.stop();
        due_ = reply::none;
        closing_.end();
    }

    // 7.1.7: a layer above found what it was given to break a rule of framing.
    constexpr void fail(rule broken) noexcept {
        if (sockless::code(broken) == 0 || is_closed()) return;
        reader_.fail(broken);
        queue_close(sockless::code(broken));
    }

    // A layer above cannot go on, for a reason that is no fault of the peer's: nothing is received
    // any more, and a Close takes the place of a pong that is due.
    constexpr void give_up(close_code code) noexcept {
        if (is_closed()) return;
        reader_.stop();
        queue_close(code.value());
    }

    // 7.1.2: begins the closing handshake, or answers the peer's Close. The Close comes out of
    // control(), and counts as sent then. A reason has at most 123 octets: see cut_reason().
    constexpr result close(close_code code, std::string_view reason = {}) noexcept {
        const result allowed = may_send();
        if (allowed != result::done) return allowed;
        const result good = judge_reason(reason);
        if (good != result::done) return good;
        queue_close(code.value());  // which puts the code in front
        const std::size_t size = copy_text(reason, std::span<octet>(reply_).subspan(2));
        reply_size_ = static_cast<std::uint8_t>(2 + size);
        return result::done;
    }

    // The same without a code, which the peer will see as 1005.
    constexpr result close() noexcept {
        const result allowed = may_send();
        if (allowed == result::done) queue_close(no_status_code);
        return allowed;
    }

    // The next octets of the frame that start() began: in place, masked if we are a client. Gives
    // back as many as the frame still lacked.
    constexpr std::span<octet> pay(std::span<octet> piece) noexcept { return writer_.pay(piece); }
    // The same while copying; says how many octets were lacking, given and held.
    constexpr std::size_t pay(std::span<const octet> piece, std::span<octet> out) noexcept {
        return writer_.pay(piece, out);
    }
    // What the open outgoing frame still lacks; 0: we are between frames.
    constexpr std::uint64_t owed() const noexcept { return writer_.owed(); }

    // Will control() write something now?
    constexpr bool control_due() const noexcept { return due_ != reply::none && owed() == 0; }
    // Is it a Close?
    constexpr bool close_due() const noexcept { return due_ == reply::close; }

    // Why the peer closes, in its own words, once its Close has come.
    constexpr std::span<octet> close_reason() noexcept {
        return closing_.has_theirs() ? reader_.close_reason() : std::span<octet>{};
    }

    // What the data frame that is arriving still lacks, or 0; and whether it is compressed.
    constexpr std::size_t lacking() const noexcept { return reader_.lacking(); }
    constexpr bool compressed() const noexcept { return reader_.compressed(); }
    constexpr std::uint64_t offset() const noexcept { return reader_.offset(); }
    constexpr closing state() const noexcept { return closing_.state(); }
    constexpr close_report report() const noexcept { return closing_.report(reader_.fault()); }

    friend constexpr bool operator==(const endpoint&, const endpoint&) noexcept = default;

  protected:
    constexpr endpoint(role ours, const endpoint_options& options) noexcept
        : answer_pings_(options.answer_pings),
          answer_closes_(options.answer_closes),
          reader_(ours, options.limit, options.rsv1) {}

    using maybe_key = std::optional<masking_key>;

    constexpr std::span<const octet> pay_plain(std::span<const octet> piece) noexcept {
        return writer_.pay_plain(piece);
    }

    // Inlined, so that a server knows of no key.
    [[gnu::always_inline]] constexpr std::size_t control(
        const maybe_key& key, std::span<octet, longest_control_frame> out) noexcept {
        if (!control_due()) return 0;
        if (due_ == reply::close) closing_.send();
        const auto op = static_cast<opcode>(due_);
        due_ = reply::none;
        return detail::put_control(op, std::span<const octet>(reply_).first(reply_size_), key, out);
    }

    constexpr result start(frame_kind frame, std::uint64_t length, const maybe_key& key,
                           frame_start& out) noexcept {
        const result allowed = may_send(frame);
        return allowed == result::done ? writer_.start_next(frame, length, key, out) : allowed;
    }

    constexpr written write(frame_kind frame, std::span<const octet> payload, std::span<octet> out,
                            const maybe_key& key) noexcept {
        const result allowed = may_send(frame);
        return allowed == result::done ? writer_.write(frame, payload, out, key)
                                       : written{allowed, 0};
    }

    constexpr written send_control(opcode op, std::span<const octet> payload, const maybe_key& key,
                                   std::span<octet, longest_control_frame> out) noexcept {
        const result allowed = may_send();
        return allowed == result::done ? write_control(op, payload, key, out) : written{allowed, 0};
    }

    // Of the control frame that is due.
    constexpr std::size_t reply_size() const noexcept { return reply_size_; }
    // A pong that is due is not sent.
    constexpr void drop_pong() noexcept {
        if (due_ == reply::pong) due_ = reply::none;
    }

    // May a frame of the caller's leave now?
    constexpr result may_send() const noexcept {
        if (is_closed()) return result::not_open;
        if (closing_.we_began()) return result::closing;  // 5.5.1: nothing follows our Close
        if (owed() > 0) return result::mid_frame;
        return due_ == reply::none ? result::done : result::control_first;
    }

    // 5.2: RSV1 leaves only if an extension gave it a meaning.
    constexpr result may_send(frame_kind frame) const noexcept {
        return frame.compressed && !reader_.rsv1() ? result::not_offered : may_send();
    }

  private:
    enum class reply : std::uint8_t {
        none = 0,
        close = static_cast<std::uint8_t>(opcode::close),
        pong = static_cast<std::uint8_t>(opcode::pong),
    };

    constexpr bool is_closed() const noexcept { return state() == closing::closed; }

    constexpr void answer(const frame_event& event) noexcept {
        if (event.kind == frame_event::what::ping) return on_ping(event.payload);
        if (event.kind == frame_event::what::close) return on_close(event.code);
        // 7.1.7: "the endpoint SHOULD send a Close frame with an appropriate status code".
        if (event.kind == frame_event::what::violated) queue_close(event.code);
    }

    constexpr void on_ping(std::span<const octet> payload) noexcept {
        // 5.5.2: a Pong answers a Ping. We send none once our Close has gone, or is about to:
        // nothing leaves after it, although 5.5.2 excuses only who has received a Close.
        if (closing_.has_ours() || !answer_pings_) return;
        due_ = reply::pong;
        reply_size_ = static_cast<std::uint8_t>(payload.size());
        copy_octets(payload, std::span<octet>(reply_).first(reply_size_));
    }

    constexpr void on_close(std::uint16_t code) noexcept {
        closing_.receive(code);
        // 5.5.1: "the endpoint typically echos the status code it received".
        if (answer_closes_) queue_close(code);
    }

    // 5.5.1: one Close leaves, the first that was due.
    constexpr void queue_close(std::uint16_t code) noexcept {
        if (!closing_.owe(code)) return;
        due_ = reply::close;
        reply_size_ = code == no_status_code ? 0 : 2;
        store_network(code, std::span<octet>(reply_).first<2>());
    }

    // The two that hold a control payload stand last: firmware reaches what is near in less code.
    frame_writer writer_;
    closing_handshake closing_;
    reply due_ = reply::none;
    std::uint8_t reply_size_ = 0;
    bool answer_pings_;
    bool answer_closes_;
    frame_reader reader_;
    std::array<octet, longest_control_payload> reply_{};
};

// A server masks nothing, so nothing here takes a key.
class server_endpoint : public endpoint {
  public:
    constexpr explicit server_endpoint(const endpoint_options& options = {}) noexcept
        : endpoint(role::server, options) {}

    // The next octets of the frame that start() began, which leave as they are.
    using endpoint::pay_plain;

    // Writes the control frame that is due, and says its size; 0: none is, or a frame is open.
    [[nodiscard]] constexpr std::size_t control(
        std::span<octet, longest_control_frame> out) noexcept {
        return endpoint::control(std::nullopt, out);
    }
    // Starts a data frame: see frame_writer. The caller vouches that text is UTF-8.
    constexpr result start(frame_kind frame, std::uint64_t length, frame_start& out) noexcept {
        return endpoint::start(frame, length, std::nullopt, out);
    }
    // Writes a whole data frame, or says how many octets it takes.
    constexpr written write(frame_kind frame, std::span<const octet> payload,
                            std::span<octet> out) noexcept {
        return endpoint::write(frame, payload, out, std::nullopt);
    }
    constexpr written ping(std::span<const octet> payload,
                           std::span<octet, longest_control_frame> out) noexcept {
        return endpoint::send_control(opcode::ping, payload, std::nullopt, out);
    }
    constexpr written pong(std::span<const octet> payload,
                           std::span<octet, longest_control_frame> out) noexcept {
        return endpoint::send_control(opcode::pong, payload, std::nullopt, out);
    }
};

// A client passes a fresh, unpredictable key for every frame (5.3). A key is used up only by a call
// that wrote a frame.
class client_endpoint : public endpoint {
  public:
    constexpr explicit client_endpoint(const endpoint_options& options = {}) noexcept
        : endpoint(role::client, options) {}

    [[nodiscard]] constexpr std::size_t control(std::span<octet, longest_control_frame> out,
                                                masking_key key) noexcept {
        return endpoint::control(key, out);
    }
    constexpr result start(frame_kind frame, std::uint64_t length, frame_start& out,
                           masking_key key) noexcept {
        return endpoint::start(frame, length, key, out);
    }
    constexpr written write(frame_kind frame, std::span<const octet> payload, std::span<octet> out,
                            masking_key key) noexcept {
        return endpoint::write(frame, payload, out, key);
    }
    constexpr written ping(std::span<const octet> payload,
                           std::span<octet, longest_control_frame> out, masking_key key) noexcept {
        return endpoint::send_control(opcode::ping, payload, key, out);
    }
    constexpr written pong(std::span<const octet> payload,
                           std::span<octet, longest_control_frame> out, masking_key key) noexcept {
        return endpoint::send_control(opcode::pong, payload, key, out);
    }
};

}  // namespace sockless::inline v0
