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

#include <sockless/close_code.hpp>
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
        : frame_(receiver),
          expected_{receiver, rsv1},
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
        if constexpr (prefer_small) return step(in, event);
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

    // What the data frame that is arriving still lacks, or 0; and is its message compressed?
    constexpr std::size_t lacking() const noexcept {
        const bool arriving = !ended_ && frame_.has_header() && !is_control(frame_.op());
        return arriving ? frame_.left() : 0;
    }
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
        const bool between = frame_.place() == 0 && message_ == fragmentation::none && !ended_;
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
        step(in, event);
        return given - in.size();
    }

    [[gnu::always_inline]] constexpr void step(std::span<octet>& in, frame_event& event) noexcept {
        event = {};
        const std::size_t given = in.size();
        if (!ended_) read(in, event);
        offset_ += given - in.size();
        if (ended_) in = in.subspan(in.size());
    }

    // Reads up to the next event, or to an octet that breaks a rule, and stops in front of that.
    [[gnu::always_inline]] constexpr void read(std::span<octet>& in, frame_event& event) noexcept {
        rule broken = prefer_small ? rule::none : take_common_header(in);
        if (broken != rule::none) return tell_violation(broken, event);
        while (!has_all()) {
            if (has_slice(in)) return read_slice(in, event);
            if (in.empty()) {
                if (event.payload.empty()) return;
                break;
            }
            broken = take(in.front(), event);
            // What stands in front of a bad octet is told first.
            if (broken != rule::none && event.payload.empty()) return tell_violation(broken, event);
            if (broken != rule::none) break;
            in = in.subspan(1);
        }
        if (is_control(frame_.op())) return tell_control(event);
        tell_data(event);
    }

    constexpr bool has_all() const noexcept { return frame_.has_header() && frame_.left() == 0; }
    // Is there more than one octet of data, for read_slice() to take?
    constexpr bool has_slice(std::span<const octet> in) const noexcept {
        return !prefer_small && in.size() > 1 && lacking() > 0;
    }
    constexpr rule take(octet& next, frame_event& event) noexcept {
        return frame_.has_header() ? take_payload(next, event) : take_header(next);
    }

    constexpr void tell_violation(rule broken, frame_event& event) noexcept {
        broken_ = broken;
        ended_ = true;
        event.kind = frame_event::what::violated;
        event.broken = broken;
        event.code = detail::code_of_framing(broken);
    }

    [[gnu::noinline]] constexpr rule take_header(octet next) noexcept {
        const rule broken = frame_.take(next, expected_);
        if (broken != rule::none) return broken;
        // The rules of a data frame that need to know more than its header.
        const opcode op = frame_.op();
        const bool is_data = !is_control(op);
        if (is_data && frame_.has_length()) return judge_length();
        if (is_data && frame_.place() == 1) return follow(message_, op, frame_.is_final()).broken;
        return rule::none;
    }

    // Takes a whole header at a glance, if it is one of those that are common.
    constexpr rule take_common_header(std::span<octet>& in) noexcept {
        const bool may_be =
            frame_.place() == 0 && in.size() >= 2 && may_come(in[0], expected_.rsv1, message_);
        const std::size_t size = may_be ? frame_.take_common(in, expected_) : 0;
        if (size == 0) return rule::none;
        const rule broken = is_control(frame_.op()) ? rule::none : judge_length();
        in = in.subspan(size - (broken == rule::none ? 0 : frame_.key_size() + 1));
        return broken;
    }

    constexpr rule judge_length() noexcept {
        const std::size_t length = frame_.left();
        if (frame_.op() != opcode::continuation) {
            message_ = static_cast<fragmentation>(frame_.op());
            fresh_ = true;
            compressed_ = frame_.has_rsv1();
            room_ = compressed_ ? compressed_limit(message_limit_) : message_limit_;
        }
        // 10.4: limits hold as soon as the length is known.
        if (length > frame_limit_) return rule::large_frame;
        if (length > room_) return rule::large_message;
        room_ -= length;
        // 8.1: the text cannot end in this frame if it is too short for the unfinished code point.
        if (frame_.is_final() && length < text_.needed()) return rule::bad_text;
        const bool is_empty = length == 0 && !frame_.is_final();
        if (!is_empty) empty_fragments_ = 0;
        const bool too_many = is_empty && empty_fragments_++ == empty_limit_ && empty_limit_ > 0;
        return too_many ? rule::empty_fragments : rule::none;
    }

    // Takes an octet of payload: of data where it lies, of a control frame into what is kept here.
    constexpr rule take_payload(octet& next, frame_event& event) noexcept {
        const rule broken = is_control(frame_.op()) ? take_control(next) : take_data(next, event);
        if (broken == rule::none) frame_.advance();
        return broken;
    }

    constexpr rule take_control(octet next) noexcept {
        const std::size_t index = frame_.length_code() - frame_.left();
        control_[index] = frame_.unmasked(next);
        if (frame_.op() != opcode::close) return rule::none;
        // No data comes after a Close, so the text checker is free for the reason.
        return judge_close_octet(index, control_[index], frame_.left() - 1, close_code_, text_);
    }

    constexpr rule take_data(octet& next, frame_event& event) noexcept {
        const octet plain = frame_.unmasked(next);
        const bool is_text = message_ == fragmentation::text && !compressed_;
        if (is_text && !text_.take(plain, frame_.room() - 1)) return rule::bad_text;
        next = plain;
        event.payload = {&next - event.payload.size(), event.payload.size() + 1};
        return rule::none;
    }

    // The same for as many octets of data as there are, where that is faster.
    [[gnu::always_inline]] constexpr void read_slice(std::span<octet>& in,
                                                     frame_event& event) noexcept {
        const std::size_t size = in.size() < frame_.left() ? in.size() : frame_.left();
        const bool is_text = message_ == fragmentation::text && !compressed_;
        masking_key key = frame_.key();
        const std::size_t good = unmask(in.first(size), key, is_text, text_, frame_.room());
        if (good == 0) return tell_violation(rule::bad_text, event);
        event.payload = in.first(good);
        frame_.advance(good, key);
        in = in.subspan(good);
        tell_data(event);
    }

    constexpr void tell_data(frame_event& event) noexcept {
        const std::size_t left = frame_.left();
        event.kind = frame_event::what::slice;
        event.type = static_cast<message_type>(message_);  // NOLINT(*EnumCastOutOfRange): not none
        event.first = fresh_;
        event.compressed = compressed_;
        event.remaining = left;
        fresh_ = false;
        if (left > 0) return;
        frame_.end();
        if (!frame_.is_final()) return;
        event.last = true;
        message_ = fragmentation::none;
    }

    constexpr void tell_control(frame_event& event) noexcept {
        const frame_event::what kind = frame_event::of(frame_.op());
        std::span<octet> body = std::span<octet>(control_).first(frame_.length_code());
        if (kind == frame_event::what::close) {
            event.code = close_code_;
            body = close_reason_of(body);
            ended_ = true;
        }
        event.kind = kind;
        event.payload = body;
        frame_.end();
    }

    arriving_frame frame_;
    utf8_checker text_;
    fragmentation message_ = fragmentation::none;
    bool compressed_ = false;
    bool fresh_ = false;  // nothing of the message has been handed out
    bool ended_ = false;
    rule broken_ = rule::none;
    expected_frames expected_;
    std::uint16_t close_code_ = no_status_code;  // 7.1.5: unless the peer says another
    std::uint16_t empty_limit_;
    std::uint16_t empty_fragments_ = 0;  // in a row
    std::size_t room_ = 0;               // what the message may still grow by
    std::size_t message_limit_;
    std::size_t frame_limit_;
    std::uint64_t offset_ = 0;
    std::array<octet, longest_control_payload> control_{};
};

}  // namespace sockless::inline v0
