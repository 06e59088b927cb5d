// frame_reader.hpp -- octets received to events (RFC 6455, 5, 6.2).
//
// next() takes what it used off the front of `in` and gives one event; `nothing` means that it
// needs more octets. Payload is unmasked where it lies and handed out as a span of the caller's
// octets, in slices as it arrives; a control payload is kept here until it is whole. Every data
// frame, an empty one too, ends with exactly one slice that has nothing `remaining`.
//
// An octet that breaks a rule ends the stream, as does a Close: what follows is taken and ignored.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <sockless/close_payload.hpp>
#include <sockless/event_range.hpp>
#include <sockless/first_octet.hpp>
#include <sockless/fragmentation.hpp>
#include <sockless/frame_header.hpp>
#include <sockless/limits.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>
#include <sockless/payload.hpp>
#include <sockless/short_message.hpp>
#include <sockless/utf8.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

struct frame_event {
    enum class what : std::uint8_t { nothing, slice, close, ping, pong, violated };

    what kind = what::nothing;
    message_type type = message_type::binary;  // slice
    bool first = false;                        // slice: the message begins here
    bool last = false;                         // slice: the message ends here
    bool compressed = false;                   // slice: of a message with RSV1; not checked as text
    rule broken = rule::none;                  // violated
    std::uint16_t code = 0;       // close: the peer's; violated: the one to answer with
    std::span<octet> payload{};   // slice: in `in`; control: kept here until the next event
    std::uint64_t remaining = 0;  // slice: still to come of this frame

    constexpr text_view text() const noexcept { return {payload}; }
};

class frame_reader {
  public:
    constexpr explicit frame_reader(role receiver, const limits& limit = {},
                                    bool rsv1 = false) noexcept
        : expected_{receiver, rsv1},
          empty_limit_(limit.empty_fragments),
          message_limit_(limit.message < longest ? limit.message : longest),
          frame_limit_(limit.frame < longest ? limit.frame : longest) {}

    constexpr frame_event next(std::span<octet>& in) noexcept {
        frame_event event;
        next(in, event);
        return event;
    }

    // The same into an event that is there already, because to copy one costs more than to make it.
    constexpr void next(std::span<octet>& in, frame_event& event) noexcept {
        if constexpr (prefer_small) {
            take_step(in, event);
        } else {
            take_message(in, event);
        }
    }

    constexpr event_range<frame_reader, frame_event> receive(std::span<octet>& in) noexcept {
        return {*this, in};
    }
    void receive(std::span<octet>&&) = delete;  // it would lose what is not consumed yet

    // A layer above found that what it was given breaks a rule; nothing is read any more.
    constexpr void fail(rule broken) noexcept {
        if (broken == rule::none) return;
        if (broken_ == rule::none) broken_ = broken;
        ended_ = true;
    }
    constexpr void stop() noexcept { ended_ = true; }

    // What the data frame that is arriving still lacks; 0: none is.
    constexpr std::size_t lacking() const noexcept {
        const bool arriving = !ended_ && frame_.has_header() && !is_control(frame_.op());
        return arriving ? frame_.left() : 0;
    }

    // Is the message that arrives compressed?
    constexpr bool compressed() const noexcept { return compressed_; }

    // After a Close: its reason, which is kept as long as the reader.
    constexpr std::span<octet> close_reason() noexcept {
        return close_reason_of(std::span<octet>(control_).first(frame_.length_code()));
    }

    // Did an extension give RSV1 a meaning?
    constexpr bool rsv1() const noexcept { return expected_.rsv1; }

    // How many octets have been read, those after the end not counted.
    constexpr std::uint64_t offset() const noexcept { return offset_; }
    constexpr std::optional<violation> fault() const noexcept {
        if (broken_ == rule::none) return std::nullopt;
        return violation{broken_, offset_};
    }

    friend constexpr bool operator==(const frame_reader&, const frame_reader&) noexcept = default;

  private:
    // Not inlined: where GCC 12 knows what `in` points to, it warns of what the sizes rule out.
    [[gnu::noinline]] constexpr void take_message(std::span<octet>& in,
                                                  frame_event& event) noexcept {
        if (!take_short_message(in, event)) take_step(in, event);
    }

    // Takes a whole message in one short frame, if there is one and it breaks no rule.
    constexpr bool take_short_message(std::span<octet>& in, frame_event& event) noexcept {
        const bool between = frame_.taken() == 0 && message_ == fragmentation::none && !ended_;
        if (!between) return false;
        const std::size_t most = message_limit_ < frame_limit_ ? message_limit_ : frame_limit_;
        const short_message found = find_short_message(in, expected_, most);
        if (found.size == 0) return false;
        const std::span<octet> payload = found.payload(in);
        const masking_key key = found.key(in, expected_.receiver);
        const bool is_text = found.type == message_type::text && !found.compressed;
        if (!unmask_whole(payload, key, is_text)) return false;
        event = {.kind = frame_event::what::slice,
                 .type = found.type,
                 .first = true,
                 .last = true,
                 .compressed = found.compressed,
                 .payload = payload};
        compressed_ = found.compressed;
        offset_ += found.size;
        in = in.subspan(found.size);
        return true;
    }

    constexpr void take_step(std::span<octet>& in, frame_event& event) noexcept {
        event = {};
        if (!ended_) {
            const std::size_t given = in.size();
            const rule broken = read_event(in, event);
            offset_ += given - in.size();
            if (broken != rule::none) {
                broken_ = broken;
                ended_ = true;
                event.kind = frame_event::what::violated;
                event.broken = broken;
                event.code = detail::code_of_framing(broken);
            }
        }
        if (ended_) in = in.subspan(in.size());
    }

    // Reads up to the next event, or to an octet that breaks a rule, and stops in front of that.
    constexpr rule read_event(std::span<octet>& in, frame_event& event) noexcept {
        rule broken = prefer_small ? rule::none : take_common_header(in);
        if (broken != rule::none) return broken;
        std::size_t good = 0;  // octets of a data frame's payload
        while (broken != rule::none || !frame_.has_header() || frame_.left() > 0) {
            if (in.empty() || broken != rule::none) {
                // What stands in front of a bad octet is told first.
                if (good == 0) return broken;
                break;
            }
            const std::size_t size = prefer_small ? 0 : take_data(in);
            if (size == 0) broken = take_octet(in, good);
            good += size;
        }
        const bool control = is_control(frame_.op());
        if (control) tell_control(event);
        if (!control) tell_slice({in.data() - good, good}, event);
        return rule::none;
    }

    constexpr rule take_common_header(std::span<octet>& in) noexcept {
        const bool may_be =
            frame_.taken() == 0 && in.size() >= 2 && may_come(in[0], expected_.rsv1, message_);
        if (!may_be || !frame_.take_common(in, expected_)) return rule::none;
        const rule broken = is_control(frame_.op()) ? rule::none : judge_length();
        in = in.subspan(frame_.taken() - (broken == rule::none ? 0 : frame_.key_size() + 1));
        return broken;
    }

    // Takes the next octet of a header or a payload, and counts those of data.
    constexpr rule take_octet(std::span<octet>& in, std::size_t& good) noexcept {
        if (!frame_.has_header()) {
            const rule broken = take_header(in.front());
            if (broken != rule::none) return broken;
        } else {
            const rule broken = take_payload(in.front());
            if (broken != rule::none) return broken;
            if (!is_control(frame_.op())) ++good;
        }
        in = in.subspan(1);
        return rule::none;
    }

    constexpr rule take_header(octet next) noexcept {
        const rule broken = frame_.take(next, expected_);
        if (broken != rule::none || is_control(frame_.op())) return broken;
        // The rules of a data frame that need to know more than its header.
        if (frame_.taken() == 1) return follow(message_, frame_.op(), frame_.is_final()).broken;
        return frame_.has_length() ? judge_length() : rule::none;
    }

    constexpr rule judge_length() noexcept {
        if (frame_.op() != opcode::continuation) begin_message();
        // 10.4: limits hold as soon as the length is known.
        if (frame_.left() > frame_limit_) return rule::large_frame;
        if (frame_.left() > room_) return rule::large_message;
        const rule broken = count_empty_fragment();
        if (broken != rule::none) return broken;
        // 8.1: the text cannot end in this frame if it is too short for the unfinished code point.
        if (frame_.is_final() && frame_.left() < text_.needed()) return rule::bad_text;
        room_ -= frame_.left();
        return rule::none;
    }

    constexpr rule count_empty_fragment() noexcept {
        if (frame_.left() > 0 || frame_.is_final()) {
            empty_fragments_ = 0;
            return rule::none;
        }
        if (empty_fragments_ == empty_limit_ && empty_limit_ > 0) return rule::empty_fragments;
        ++empty_fragments_;
        return rule::none;
    }

    constexpr void begin_message() noexcept {
        type_ = static_cast<message_type>(frame_.op());
        fresh_ = true;
        compressed_ = frame_.has_rsv1();
        room_ = compressed_ ? compressed_limit(message_limit_) : message_limit_;
    }

    // Takes octets of a data frame's payload at once, up to a bad one, and says how many.
    constexpr std::size_t take_data(std::span<octet>& in) noexcept {
        if (!frame_.has_header() || is_control(frame_.op())) return 0;
        const std::size_t good = unmask(in, frame_, is_checked(), text_);
        in = in.subspan(good);
        return good;
    }

    // Takes the next octet of any payload.
    constexpr rule take_payload(octet& next) noexcept {
        const octet plain = next ^ frame_.key().octets[0];
        const std::size_t following = frame_.left() - 1;
        octet* to = &next;
        rule broken = rule::none;
        if (is_control(frame_.op())) {
            const std::size_t index = frame_.length_code() - frame_.left();
            to = &control_[index];
            // No data comes after a Close, so the text checker is free for the reason.
            if (frame_.op() == opcode::close)
                broken = judge_close_octet(index, control_[0], plain, following, text_);
        } else if (is_checked() && !text_.take(plain, frame_.is_final() ? following : unlimited)) {
            broken = rule::bad_text;
        }
        if (broken == rule::none) *to = frame_.unmask(next);
        return broken;
    }

    constexpr bool is_checked() const noexcept {
        return type_ == message_type::text && !compressed_;
    }

    constexpr void tell_slice(std::span<octet> slice, frame_event& event) noexcept {
        event.payload = slice;
        event.kind = frame_event::what::slice;
        event.type = type_;
        event.first = fresh_;
        event.compressed = compressed_;
        event.remaining = frame_.left();
        fresh_ = false;
        if (frame_.left() == 0) {
            event.last = frame_.is_final();
            message_ = event.last ? fragmentation::none : unfinished(type_);
            frame_.end();
        }
    }

    constexpr void tell_control(frame_event& event) noexcept {
        using what = frame_event::what;
        // The events of control frames stand in the order of their opcodes.
        const int index = static_cast<int>(frame_.op()) - static_cast<int>(opcode::close);
        event.kind = static_cast<what>(static_cast<int>(what::close) + index);
        event.payload = std::span<octet>(control_).first(frame_.length_code());
        if (frame_.op() == opcode::close) {
            event.code = close_code_of(event.payload);
            event.payload = close_reason_of(event.payload);
            ended_ = true;
        }
        frame_.end();
    }

    arriving_frame frame_;
    utf8_checker text_;
    fragmentation message_ = fragmentation::none;
    bool compressed_ = false;
    message_type type_ = message_type::binary;
    bool fresh_ = false;  // nothing of the message has been handed out
    bool ended_ = false;
    rule broken_ = rule::none;
    expected_frames expected_;
    std::uint16_t empty_limit_;
    std::uint16_t empty_fragments_ = 0;  // in a row
    std::size_t room_ = 0;               // what the message may still grow by
    std::size_t message_limit_;
    std::size_t frame_limit_;
    std::uint64_t offset_ = 0;
    std::array<octet, longest_control_payload> control_{};
};

}  // namespace sockless::inline v0
