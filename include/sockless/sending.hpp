// sending.hpp -- messages from the application to octets to transmit (RFC 6455, 5.4, 5.5, 6.1).
//
// A message is sent whole, or begun and appended to: every piece becomes a fragment, or all of them
// one frame whose length was announced. Pieces are copied, or lent. Control frames enter between
// frames, and pongs only while there are not too many of them already: the newest one waits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/close_code.hpp>
#include <sockless/close_payload.hpp>
#include <sockless/compression.hpp>
#include <sockless/either_endpoint.hpp>
#include <sockless/events.hpp>
#include <sockless/frame_header.hpp>
#include <sockless/frame_writer.hpp>
#include <sockless/key_source.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>
#include <sockless/outgoing.hpp>
#include <sockless/storage.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

class sending {
  public:
    constexpr sending(either_endpoint& with, memory& from, std::size_t limit, key_source* keys,
                      compression& squeeze) noexcept
        : endpoint_(with), keys_(keys), squeeze_(squeeze), out_(from, limit) {}

    constexpr outgoing& out() noexcept { return out_; }
    constexpr const outgoing& out() const noexcept { return out_; }
    constexpr traffic sent() const noexcept {
        traffic all = sent_;
        all.octets = out_.transmitted();
        return all;
    }

    // All that has been promised to the peer and has not left.
    constexpr std::uint64_t pending() const noexcept { return out_.size() + endpoint_.owed(); }

    // Of another connection.
    constexpr void restart() noexcept {
        out_.restart();
        sent_ = {};
        unfinished_ = shape::none;
        replies_ = 0;
        replies_end_ = 0;
    }

    constexpr result send(message_type type, std::span<const octet> payload,
                          compressing how = compressing::when_long) noexcept {
        const result allowed = may_begin();
        if (allowed != result::done) return allowed;
        if (squeeze_.send(*this, type, payload, how)) return result::done;
        const result answer = put({.type = type}, payload.size(), payload);
        if (answer == result::done) ++sent_.messages;
        return answer;
    }

    // Every piece will be a fragment.
    constexpr result begin(message_type type) noexcept {
        const result allowed = may_begin();
        if (allowed == result::done) {
            unfinished_ = shape::fragments;
            type_ = type;
        }
        return allowed;
    }
    // All pieces will be one frame of this length.
    constexpr result begin(message_type type, std::uint64_t length) noexcept {
        result answer = may_begin();
        if (answer == result::done) answer = put({.type = type}, length, {});
        if (answer == result::done) unfinished_ = shape::frame;
        return answer;
    }
    constexpr result append(std::span<const octet> piece, part which) noexcept {
        return put_piece(piece.size(), which, piece);
    }
    // What is lent is not copied, but masked where it lies.
    constexpr result lend(std::span<octet> piece, part which) noexcept {
        const result answer = put_piece(piece.size(), which, {});
        if (answer == result::done) out_.lend(endpoint_.pay(piece));
        return answer;
    }
    // Nor masked, if it is a server's.
    constexpr result lend_plain(std::span<const octet> piece, part which) noexcept {
        const result answer = put_piece(piece.size(), which, {});
        if (answer == result::done) out_.lend(endpoint_.pay_plain(piece));
        return answer;
    }
    // A server's frame that is encoded already, with its header.
    constexpr result lend_frame(std::span<const octet> whole, std::size_t payload) noexcept {
        const result allowed = may_begin();
        if (allowed != result::done) return allowed;
        if (whole.size() <= payload) return result::wrong_length;
        if (!make_room(0)) return result::full;
        frame_start unused;
        static_cast<void>(endpoint_.start({}, payload, std::nullopt, unused));
        static_cast<void>(endpoint_.pay_plain(whole.last(payload)));
        out_.lend(whole);
        ++sent_.frames;
        ++sent_.messages;
        return result::done;
    }

    constexpr result control(opcode op, std::span<const octet> payload) noexcept {
        if (payload.size() > longest_control_payload) return result::too_large;
        const result allowed = may_send();
        if (allowed != result::done) return allowed;
        if (!make_room(longest_control_frame)) return result::full;
        std::array<octet, longest_control_frame> frame{};
        const written done = endpoint_.send_control(op, payload, drawn_key(keys_).key, frame);
        out_.append(std::span<const octet>(frame).first(done.octets));
        ++sent_.control;
        return done.what;
    }

    // Our Close, which comes behind a pong that waits, and behind what is lent.
    constexpr result close(std::optional<close_code> code, std::string_view reason) noexcept {
        const result good = judge_reason(reason);
        const result allowed = may_send();
        if (allowed != result::done && allowed != result::lent) return allowed;
        if (endpoint_.close_due()) return result::closing;
        if (good != result::done) return good;
        // If there is no room for that pong, the Close is what the peer gets.
        if (!make_room(0)) endpoint_.drop_pong();
        return code ? endpoint_.close(*code, reason) : endpoint_.close();
    }

    // Moves the control frame that is due to the output, if it may go there now.
    constexpr void move_control() noexcept {
        if (!endpoint_.control_due()) return;
        if (endpoint_.close_due() || waiting_replies() <= most_replies - longest_control_frame) {
            move_any_control();
        }
    }

    // May a frame leave now? A pong that waits leaves before it.
    constexpr result may_send() const noexcept {
        if (out_.lent() > 0) return result::lent;
        const result allowed = endpoint_.may_send();
        if (allowed != result::control_first) return allowed;
        return endpoint_.close_due() ? result::closing : result::done;
    }

    // The largest payload that send() takes now.
    constexpr std::uint64_t room() const noexcept {
        const std::size_t taken = out_.own() + reply_size();
        if (may_begin() != result::done || taken > out_.limit()) return 0;
        const std::size_t free = out_.limit() - taken;
        std::size_t most = 0;
        for (const std::size_t largest : {std::size_t{125}, std::size_t{0xFFFF}, out_.limit()}) {
            const std::size_t header = header_size(largest, keys_ != nullptr);
            const std::size_t payload = free > header ? free - header : 0;
            const std::size_t fits = payload < largest ? payload : largest;
            most = fits > most ? fits : most;
        }
        return most;
    }

  private:
    friend class compression;

    enum class shape : std::uint8_t { none, fragments, frame };

    static constexpr std::size_t most_replies = 4096;

    // Room that the control frame takes that is due, and may leave.
    constexpr std::size_t reply_size() const noexcept {
        if (!endpoint_.control_due() || out_.lent() > 0) return 0;
        const std::size_t payload = endpoint_.reply_size();
        return header_size(payload, keys_ != nullptr) + payload;
    }
    // Makes room, and moves the pong that waits into it first.
    constexpr bool make_room(std::size_t size) noexcept {
        const std::size_t reply = reply_size();
        if (!out_.reserve(size + reply)) return false;
        if (reply > 0) move_any_control();
        return true;
    }

    constexpr result may_begin() const noexcept {
        const result allowed = may_send();
        if (allowed != result::done && allowed != result::mid_frame) return allowed;
        return unfinished_ == shape::none ? allowed : result::mid_message;
    }

    // A frame's header, and of its payload what is copied behind it: nothing, or all.
    constexpr result put(frame_kind frame, std::uint64_t length,
                         std::span<const octet> payload) noexcept {
        if (length > longest_sent) return result::too_large;
        const std::size_t header = header_size(length, keys_ != nullptr);
        const std::size_t limit = out_.limit();
        if (payload.size() > limit || header > limit - payload.size()) return result::too_large;
        if (!make_room(header + payload.size())) return result::full;
        ++sent_.frames;
        const drawn_key drawn(keys_);
        const std::span<octet> run = out_.space();
        const bool at_once = payload.size() == length && header + length <= run.size();
        if (!prefer_small && at_once) {
            out_.add(endpoint_.write(frame, payload, run, drawn.key).octets);
            return result::done;
        }
        frame_start start;
        static_cast<void>(endpoint_.start(frame, length, drawn.key, start));
        out_.append(start.view());
        copy(payload);
        return result::done;
    }

    // False, if there is nothing to gain, or no place for it.
    constexpr bool send_deflated(message_type type, std::span<const octet> payload,
                                 compressing how) noexcept {
        const std::size_t most = squeeze_.bound(payload.size(), how);
        const std::size_t front = header_size(most, keys_ != nullptr);
        if (most == 0 || !out_.reserve_run(reply_size() + front + most)) return false;
        move_any_control();
        const std::span<octet> run = out_.space();
        const std::size_t size = squeeze_.deflate(payload, run.subspan(front, most));
        // A header may turn out to be shorter than it could have been.
        const std::size_t head = header_size(size, keys_ != nullptr);
        if (head < front) move_forward(run, front, head, size);
        frame_start start;
        static_cast<void>(
            endpoint_.start({.type = type, .compressed = true}, size, drawn_key(keys_).key, start));
        copy_octets(start.view(), run);
        endpoint_.pay(run.subspan(head, size));
        out_.add(head + size);
        ++sent_.frames;
        ++sent_.messages;
        return true;
    }

    // The next piece of a message; of what is copied, all is or nothing.
    constexpr result put_piece(std::size_t size, part which,
                               std::span<const octet> copied) noexcept {
        if (unfinished_ == shape::none) return result::not_open;
        if (out_.lent() > 0) return result::lent;
        const bool last = which == part::last;
        const result answer = unfinished_ == shape::fragments ? put_fragment(size, last, copied)
                                                              : put_part(size, last, copied);
        if (answer == result::done && last) {
            unfinished_ = shape::none;
            ++sent_.messages;
        }
        return answer;
    }
    constexpr result put_fragment(std::size_t size, bool last,
                                  std::span<const octet> copied) noexcept {
        const result allowed = may_send();
        if (allowed != result::done) return allowed;
        return put({.type = type_, .last = last}, size, copied);
    }
    // Of the one frame that all pieces are.
    constexpr result put_part(std::size_t size, bool last, std::span<const octet> copied) noexcept {
        if (size > endpoint_.owed() || (last && size < endpoint_.owed())) {
            return result::wrong_length;
        }
        if (copied.size() > out_.limit()) return result::too_large;
        if (!out_.reserve(copied.size())) return result::full;
        copy(copied);
        return result::done;
    }

    constexpr void copy(std::span<const octet> payload) noexcept {
        while (!payload.empty()) {
            const std::size_t paid = endpoint_.pay(payload, out_.space());
            out_.add(paid);
            payload = payload.subspan(paid);
        }
    }

    constexpr std::size_t waiting_replies() noexcept {
        if (out_.transmitted() >= replies_end_) replies_ = 0;
        return replies_;
    }

    constexpr void move_any_control() noexcept {
        if (reply_size() == 0 || !out_.reserve(reply_size())) return;
        std::array<octet, longest_control_frame> frame{};
        const std::size_t size = endpoint_.control(drawn_key(keys_).key, frame);
        out_.append(std::span<const octet>(frame).first(size));
        replies_ += size;
        replies_end_ = out_.appended();
        ++sent_.control;
    }

    either_endpoint& endpoint_;
    key_source* keys_;
    compression& squeeze_;
    outgoing out_;
    traffic sent_;
    shape unfinished_ = shape::none;
    message_type type_ = message_type::binary;
    std::size_t replies_ = 0;        // octets of automatic replies that wait in the output
    std::uint64_t replies_end_ = 0;  // where the last of them ends in the stream
};

constexpr bool compression::send_deflated(sending& to, message_type type,
                                          std::span<const octet> message,
                                          compressing how) noexcept {
    return to.send_deflated(type, message, how);
}

}  // namespace sockless::inline v0
