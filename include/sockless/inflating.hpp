// inflating.hpp -- a compressed message on its way in (RFC 7692, 7.2.2).
//
// Limits count what is inflated, and hold while it is: there is never more of it than one octet
// above a limit. Text is judged as it comes out.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <sockless/blocks.hpp>
#include <sockless/compression.hpp>
#include <sockless/deflate_streams.hpp>
#include <sockless/growing.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>
#include <sockless/storage.hpp>
#include <sockless/utf8.hpp>

namespace sockless::inline v0 {

// What there may be of a message.
struct inflating_limits {
    std::size_t message = 0;
    std::size_t ratio = 0;  // octets for each that came, from 64 KiB on; 0: any number
};

class inflating {
  public:
    explicit inflating(std::size_t slice) noexcept : slice_(slice > 0 ? slice : 1) {}
    inflating(const inflating&) = delete;
    inflating& operator=(const inflating&) = delete;
    ~inflating() { release(); }

    // A message has begun, and not ended.
    bool is_open() const noexcept { return open_; }
    bool has_memory() const noexcept { return kept_ != nullptr; }

    void take(const compressed_piece& piece) noexcept {
        if (piece.first) {
            type_ = piece.type;
            open_ = first_ = fresh_ = true;
            used_ = made_ = 0;
            text_ = {};
        }
        in_ = piece.octets;
        last_ = piece.last;
        tail_ = 0;
    }

    // Puts all that has come behind what is in `message`. The stream is an inflater.
    template <class Stream>
    inflated append_to(growing& message, Stream& stream, const inflating_limits& most) noexcept {
        bool full = true;
        while (full) {
            const std::size_t left = room(most);
            const std::span<octet> out = left > 0
                                             ? message.space(detail::zlib_size(left), quick_room)
                                             : std::span(one_more_);
            if (out.empty()) return {.what = inflated::is::no_memory};
            const stream_step step = fill(stream, out);
            if (step.what == stream_step::is::no_memory) return {.what = inflated::is::no_memory};
            const rule broken = judge(step, out, most);
            if (broken != rule::none) return refusal(broken);
            message.add(step.made);
            full = step.made == out.size();
        }
        if (!last_) return {};
        const rule broken = finish(stream, most);
        if (broken != rule::none) return refusal(broken);
        return {.what = inflated::is::message, .type = type_};
    }

    // The next slice of it, in memory of our own.
    template <class Stream>
    inflated slice(Stream& stream, const inflating_limits& most) noexcept {
        if (due_ != rule::none) return refusal(due_);
        if (!keep()) return {.what = inflated::is::no_memory};
        const std::size_t left = room(most);
        std::span<octet> out(kept_, detail::zlib_size(left < slice_ ? left : slice_));
        if (out.empty()) out = one_more_;
        const stream_step step = fill(stream, out);
        if (step.what == stream_step::is::no_memory) return {.what = inflated::is::no_memory};
        const std::size_t before = made_;
        due_ = judge(step, out, most);
        const bool full = due_ == rule::none && step.made == out.size();
        bool ended = due_ == rule::none && !full && last_;
        if (ended) due_ = finish(stream, most);
        if (due_ != rule::none) ended = false;
        // What stands in front of an octet that breaks a rule is told first.
        const std::size_t good = made_ - before;
        if (good == 0 && due_ != rule::none) return refusal(due_);
        if (good == 0 && !ended) return {};
        const inflated told{.what = inflated::is::slice,
                            .type = type_,
                            .first = first_,
                            .last = ended,
                            .more = full || due_ != rule::none,
                            .payload = out.first(good)};
        first_ = false;
        return told;
    }

    // Of another connection.
    void reset() noexcept {
        open_ = false;
        due_ = rule::none;
        in_ = {};
        release();
    }
    // Between messages.
    void release() noexcept {
        delete[] kept_;
        kept_ = nullptr;
    }

  private:
    // 7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the
    // message."
    static constexpr std::array<octet, 4> tail{0x00, 0x00, 0xFF, 0xFF};

    static constexpr std::size_t mark = 65'536;

    // With less than 258 octets of room zlib goes octet by octet.
    static constexpr std::size_t quick_room = 512;

    static inflated refusal(rule broken) noexcept {
        return {.what = inflated::is::broken, .broken = broken};
    }

    std::span<const octet> input() const noexcept {
        if (!in_.empty()) return in_;
        // Where a stream has just ended, or nothing came, nothing was taken away from the end.
        if (!last_ || fresh_) return {};
        return std::span<const octet>(tail).subspan(tail_);
    }

    // The last octets of a message that are few, with the tail behind them: a step of its own for
    // the tail would cost more than their copy.
    std::span<const octet> with_tail(std::span<octet> whole) const noexcept {
        if (!last_ || in_.empty() || in_.size() > whole.size() - tail.size()) return input();
        const std::size_t size = copy_octets(in_, whole);
        return whole.first(size + copy_octets(tail, whole.subspan(size)));
    }

    // Inflates until there is no more room, or nothing more to inflate.
    template <class Stream>
    stream_step fill(Stream& stream, std::span<octet> out) noexcept {
        std::array<octet, compression::bite + tail.size()> whole;  // NOLINT(*-member-init)
        stream_step all;
        do {
            const stream_step step = stream.step(with_tail(whole), out.subspan(all.made));
            all.made += step.made;
            const std::size_t mine = step.used < in_.size() ? step.used : in_.size();
            in_ = in_.subspan(mine);
            used_ += mine;
            tail_ += step.used - mine;
            if (step.used > 0) fresh_ = false;
            all.what = step.what;
            if (step.what == stream_step::is::stream_end) {
                // 7.2.3.4: behind a block with BFINAL, another stream may begin. 7.2.2: with the
                // same window.
                stream.reset_behind_end();
                fresh_ = true;
            } else if (step.what != stream_step::is::done) {
                return all;
            }
        } while (all.made < out.size() && !input().empty());
        return all;
    }

    // How much more there may be, up to where the ratio is judged: at each 64 KiB and at the end,
    // so that it does not matter how the message was cut.
    std::size_t room(const inflating_limits& most) const noexcept {
        const std::size_t left = most.message - made_;
        const std::size_t to_mark = mark - made_ % mark;
        return most.ratio > 0 && to_mark < left ? to_mark : left;
    }

    // Is that little, and all of it ASCII? Most of what is inflated is, and this is quickly seen.
    bool is_plainly_ascii(std::span<const octet> text) const noexcept {
        constexpr std::size_t width = sizeof(detail::sure_block);
        if (text_.needed() > 0 || text.size() < width || text.size() > 8 * width) return false;
        detail::sure_block all{};
        detail::load(text.last(width).data(), all);
        for (; text.size() > width; text = text.subspan(width)) {
            detail::sure_block block{};
            detail::load(text.data(), block);
            all |= block;
        }
        return !detail::has_high(all);
    }

    // Counts what was made, as far as it is good.
    rule judge(const stream_step& step, std::span<const octet> out,
               const inflating_limits& most) noexcept {
        if (step.made > most.message - made_) return rule::large_message;
        const std::span<const octet> made = out.first(step.made);
        const bool judged = type_ == message_type::text && !is_plainly_ascii(made);
        const std::size_t good = judged ? text_.accept(made) : made.size();
        made_ += good;
        if (good < made.size()) return rule::bad_text;
        if (step.what == stream_step::is::broken) return rule::bad_compression;
        return made_ % mark == 0 ? judge_ratio(most) : rule::none;
    }

    rule judge_ratio(const inflating_limits& most) const noexcept {
        const bool judged = most.ratio > 0 && made_ >= mark;
        return judged && made_ / most.ratio > used_ ? rule::high_ratio : rule::none;
    }

    template <class Stream>
    rule finish(const Stream& stream, const inflating_limits& most) noexcept {
        open_ = false;
        // A stream that needed some of the tail to end lacked octets of its own.
        const bool ended =
            fresh_ ? tail_ == 0 || tail_ == tail.size() : stream.is_at_end_of_block();
        if (!ended) return rule::bad_compression;
        return text_.needed() > 0 ? rule::bad_text : judge_ratio(most);
    }

    // Memory for a slice, and behind it for the octets that are not inflated yet.
    bool keep() noexcept {
        if (kept_ == nullptr) kept_ = new_octets(slice_ + compression::bite);
        if (kept_ == nullptr) return false;
        const std::span<octet> place(kept_ + slice_, compression::bite);
        if (in_.data() < place.data() || in_.data() >= place.data() + place.size()) {
            in_ = place.first(copy_octets(in_, place));
        }
        return true;
    }

    std::size_t slice_;
    octet* kept_ = nullptr;
    std::span<const octet> in_{};
    std::size_t tail_ = 0;  // octets of it that were taken
    std::size_t used_ = 0;  // octets of the message, and what came of them
    std::size_t made_ = 0;
    utf8_checker text_;
    message_type type_ = message_type::binary;
    rule due_ = rule::none;  // a rule that is broken behind what was told
    bool open_ = false;
    bool first_ = false;  // nothing of the message was told
    bool last_ = false;   // all of it has come
    bool fresh_ = false;  // the stream has taken nothing
    std::array<octet, 1> one_more_{};
};

}  // namespace sockless::inline v0
