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
#include <type_traits>

#include <sockless/close_payload.hpp>
#include <sockless/event_range.hpp>
#include <sockless/first_octet.hpp>
#include <sockless/fragmentation.hpp>
#include <sockless/frame_event.hpp>
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
        if constexpr (prefer_small) return take_step(in, event);
        in = in.subspan(take_message(in, event));
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
    // Takes a message that is whole in one short frame, or else whatever is next, and says how many
    // octets that was. This stands in front of its callers, for clang to evaluate them.
    template <role Sender, auto Unmask>
    [[gnu::always_inline]] constexpr std::size_t take_from(std::span<octet> in,
                                                           frame_event& event) noexcept {
        const std::size_t most = message_limit_ < frame_limit_ ? message_limit_ : frame_limit_;
        const expected_frames expected{other(Sender), expected_.rsv1};
        const short_message found = find_short_message(in, expected, most);
        if (found.size == 0) return take_steps(in, event);
        const bool is_ascii = Unmask(found.payload(in), found.key(in, expected.receiver));
        if (!is_ascii && short_message::is_text(in)) return check_text(in, event, found);
        return tell_message(in, event, found);
    }

    // What most messages need is here and calls nothing. None of these is inlined: where GCC 12
    // knows what `in` points to, it warns of what the sizes rule out.
    [[gnu::noinline]] constexpr std::size_t take_message(std::span<octet> in,
                                                         frame_event& event) noexcept {
        const bool between = frame_.taken() == 0 && message_ == fragmentation::none && !ended_;
        if (!between) return take_steps(in, event);
        const bool is_short = expected_.receiver == role::server && in.size() >= 2 &&
                              (in[1] ^ wire::mask) <= detail::longest_short;
        if (!is_short || std::is_constant_evaluated()) return take_from_any(in, event);
        return take_from<role::client, detail::unmask_short>(in, event);
    }

    [[gnu::noinline]] constexpr std::size_t take_from_any(std::span<octet> in,
                                                          frame_event& event) noexcept {
        return expected_.receiver == role::server
                   ? take_from<role::client, detail::unmask_to_ascii>(in, event)
                   : take_from<role::server, detail::unmask_to_ascii>(in, event);
    }

    [[gnu::noinline]] constexpr std::size_t check_text(std::span<octet> in, frame_event& event,
                                                       short_message found) noexcept {
        if (is_utf8(found.payload(in))) return tell_message(in, event, found);
        mask(found.payload(in), found.key(in, expected_.receiver));
        return take_steps(in, event);
    }

    constexpr std::size_t tell_message(std::span<octet> in, frame_event& event,
                                       short_message found) noexcept {
        compressed_ = short_message::compressed(in);
        event = found.event(in);
        offset_ += found.size;
        return found.size;
    }

    [[gnu::noinline]] constexpr std::size_t take_steps(std::span<octet> in,
                                                       frame_event& event) noexcept {
        const std::size_t given = in.size();
        take_step(in, event);
        return given - in.size();
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
        const rule at_once = prefer_small ? rule::none : take_common_header(in);
        if (at_once != rule::none) return at_once;
        while (true) {
            const bool has_header = frame_.has_header();
            if (has_header && !is_control(frame_.op())) return read_data(in, event);
            if (has_header && frame_.left() == 0) break;
            if (in.empty()) return rule::none;
            const octet next = in.front();
            const rule broken = has_header ? take_control(next) : take_header(next);
            if (broken != rule::none) return broken;
            in = in.subspan(1);
        }
        tell_control(event);
        return rule::none;
    }

    constexpr rule take_header(octet next) noexcept {
        const rule broken = frame_.take(next, expected_);
        if (broken != rule::none || is_control(frame_.op())) return broken;
        // The rules of a data frame that need to know more than its header.
        if (frame_.taken() == 1) return follow(message_, frame_.op(), frame_.is_final()).broken;
        return frame_.has_length() ? judge_length() : rule::none;
    }

    // Takes a whole header at a glance, if it is one of those that are common.
    constexpr rule take_common_header(std::span<octet>& in) noexcept {
        const bool may_be =
            frame_.taken() == 0 && in.size() >= 2 && may_come(in[0], expected_.rsv1, message_);
        if (!may_be || !frame_.take_common(in, expected_)) return rule::none;
        const rule broken = is_control(frame_.op()) ? rule::none : judge_length();
        in = in.subspan(frame_.taken() - (broken == rule::none ? 0 : frame_.key_size() + 1));
        return broken;
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

    constexpr rule read_data(std::span<octet>& in, frame_event& event) noexcept {
        const std::size_t size = in.size() < frame_.left() ? in.size() : frame_.left();
        if (size == 0 && frame_.left() > 0) return rule::none;
        const bool checked = type_ == message_type::text && !compressed_;
        const std::size_t room = frame_.is_final() ? frame_.left() : unlimited;
        masking_key key = frame_.key();
        const std::size_t good = unmask(in.first(size), key, checked, text_, room);
        // What stands in front of a bad octet is told first.
        if (good == 0 && size > 0) return rule::bad_text;
        event.payload = in.first(good);
        frame_.advance(good, key);
        in = in.subspan(good);
        event.kind = frame_event::what::slice;
        event.type = type_;
        event.first = fresh_;
        event.compressed = compressed_;
        event.remaining = frame_.left();
        fresh_ = false;
        if (frame_.left() == 0) {
            event.last = frame_.is_final();
            message_ = behind(type_, event.last);
            frame_.end();
        }
        return rule::none;
    }

    constexpr rule take_control(octet next) noexcept {
        const std::size_t index = frame_.length_code() - frame_.left();
        const octet plain = frame_.unmask(next);
        control_[index] = plain;
        if (frame_.op() != opcode::close) return rule::none;
        // No data comes after a Close, so the text checker is free for the reason.
        return judge_close_octet(index, control_[0], plain, frame_.left(), text_);
    }

    constexpr void tell_control(frame_event& event) noexcept {
        event.kind = kind_of(frame_.op());
        event.payload = std::span<octet>(control_).first(frame_.length_code());
        if (frame_.op() == opcode::close) {
            event.code = close_code_of(event.payload);
            event.payload = close_reason_of(event.payload);
            ended_ = true;
        }
        frame_.end();
    }

    // The events of control frames stand in the order of their opcodes.
    static constexpr frame_event::what kind_of(opcode control) noexcept {
        const int index = static_cast<int>(control) - static_cast<int>(opcode::close);
        return static_cast<frame_event::what>(static_cast<int>(frame_event::what::close) + index);
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
