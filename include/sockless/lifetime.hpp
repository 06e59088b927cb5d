// lifetime.hpp -- how long a connection lives, and what it waits for (RFC 6455, 7.1, 7.2).
//
// It knows of time, of output that leaves, of both ends of the closing handshake, and of all that
// can end a connection. What is said in it, speaking.hpp and connection.hpp know.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/close_code.hpp>
#include <sockless/closing.hpp>
#include <sockless/compression.hpp>
#include <sockless/deadlines.hpp>
#include <sockless/either_endpoint.hpp>
#include <sockless/events.hpp>
#include <sockless/flow.hpp>
#include <sockless/growing.hpp>
#include <sockless/heartbeat.hpp>
#include <sockless/key_source.hpp>
#include <sockless/limits.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/options.hpp>
#include <sockless/outcome.hpp>
#include <sockless/outgoing.hpp>
#include <sockless/sending.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

class lifetime {
  public:
    lifetime(const lifetime&) = delete;
    lifetime& operator=(const lifetime&) = delete;

    // The next run of them. They stay where they are until they have been written.
    constexpr std::span<const octet> output() noexcept { return sending_.out().offer(); }
    // All that can leave at once: our own, and behind them what was lent.
    constexpr gather output_gather() noexcept { return sending_.out().offer_both(); }
    constexpr void written(std::size_t count) noexcept;
    // Gives back what memory is not in use, without waiting for `timeouts.idle_release`.
    constexpr void release() noexcept;

    // The transport has ended, or failed. A second time says that nothing can be written either.
    constexpr void end_of_stream() noexcept {
        if (end_of_stream_) end(cause::end_of_stream);
        end_of_stream_ = true;
    }

    // ---- the loop around it ----

    constexpr sockless::wants wants() const noexcept;
    constexpr bool finished() const noexcept { return phase_ == phase::finished; }

    // Time, of whatever origin: the first call of a turn. Without it nothing is ever too late.
    constexpr void on_time(milliseconds now) noexcept;
    // When on_time() has something to do.
    constexpr milliseconds deadline() const noexcept { return clock_.next(); }

    // No closing handshake: drop the transport now.
    constexpr void abort() noexcept { end(cause::aborted); }
    constexpr close_report report() const noexcept;

  protected:
    constexpr lifetime(role ours, memory& from, const connection_options& wished, key_source* keys,
                       compression& squeeze) noexcept
        : options_(fitted(wished, from.most())),
          ours_(ours),
          squeeze_(squeeze),
          endpoint_(fresh_endpoint()),
          message_(from, from.most().message),
          sending_(endpoint_, from, options_.limit.output, keys, squeeze),
          flow_(options_.limit.high, options_.limit.low, pauses(options_, ours)),
          clock_(wished.time) {}
    ~lifetime() = default;

    constexpr bool is_open() const noexcept { return phase_ == phase::open; }
    constexpr result closed_result() const noexcept {
        return phase_ == phase::asked ? result::undecided : result::not_open;
    }
    constexpr result answered(result answer) noexcept {
        if (answer == result::full) flow_.on_full();
        after_output();
        return answer;
    }
    constexpr result close_with(std::optional<close_code> code, std::string_view reason) noexcept;

    constexpr void start_ending(cause why) noexcept;
    constexpr void end(cause why) noexcept;
    constexpr void restart() noexcept;
    constexpr either_endpoint fresh_endpoint() const noexcept {
        return {ours_,
                {.limit = options_.limit,
                 .rsv1 = squeeze_.agreed(),
                 .answer_pings = options_.answer_pings}};
    }

    constexpr void on_life() noexcept;
    constexpr void on_message() noexcept {
        if (!clock_.runs(timer::close)) clock_.start(timer::idle);
    }
    // There was traffic: memory is kept for more of it.
    constexpr void keep_memory() noexcept {
        const bool holds =
            message_.has_memory() || sending_.out().has_memory() || squeeze_.has_memory();
        if (holds && is_open()) clock_.start(timer::release);
    }
    constexpr void on_end_of_input() noexcept;
    constexpr void after_output() noexcept;

    connection_options options_;
    role ours_;
    phase phase_ = phase::idle;
    cause why_ = cause::nothing;
    bool open_due_ = false;
    bool slice_due_ = false;  // of compressed octets that were taken
    compression& squeeze_;
    either_endpoint endpoint_;
    growing message_;  // before it is open: the head
    sending sending_;
    flow flow_;
    deadlines clock_;
    heartbeat heartbeat_;
    traffic received_;
    violation fault_{};          // in the opening handshake
    std::size_t head_size_ = 0;  // octets in front of the first frame

  private:
    constexpr bool both_closes() const noexcept {
        return endpoint_.state() == closing::closed && endpoint_.report().clean;
    }
    // 7.1.1: the server closes the TCP connection first.
    constexpr bool drops_first() const noexcept { return ours_ == role::server && both_closes(); }
    constexpr bool is_paused() const noexcept { return is_open() && flow_.is_paused(); }
    // What is said last still has to leave, even to who says nothing more.
    constexpr bool awaits_flush() const noexcept {
        return phase_ == phase::ending && sending_.out().size() > 0;
    }
    // Of what has come, there is nothing more to tell but that it has ended.
    constexpr bool hears_end() const noexcept {
        return end_of_stream_ && phase_ < phase::ended && !is_paused() && !awaits_flush();
    }
    constexpr void check_ending() noexcept;
    constexpr void ask_for_life() noexcept;
    constexpr void pause_or_go_on() noexcept;

    bool end_of_stream_ = false;
    bool no_life_ = false;  // unless there is something to read
    bool clean_ = false;
};

// ---- octets to transmit ----

constexpr void lifetime::written(std::size_t count) noexcept {
    outgoing& out = sending_.out();
    if (count == 0 || !out.written(count)) return;
    clock_.stop(timer::stall);
    if (heartbeat_.leaves(out.transmitted(), clock_.now()) && !is_paused()) {
        clock_.start(timer::pong);
    }
    flow_.on_written(out);
    after_output();
}

// Whatever has been put into the output, or taken out: what follows from it.
constexpr void lifetime::after_output() noexcept {
    if (heartbeat_.is_due()) ask_for_life();
    sending_.move_control();
    if (phase_ == phase::open && both_closes()) start_ending(cause::nothing);
    pause_or_go_on();
    check_ending();
    if (phase_ >= phase::ended) return;
    const bool waits = sending_.out().size() > 0;
    if (waits && !clock_.runs(timer::stall)) clock_.start(timer::stall);
    keep_memory();
}

constexpr void lifetime::ask_for_life() noexcept {
    const result asked =
        is_open() ? sending_.control(opcode::ping, heartbeat_.payload()) : result::not_open;
    if (asked == result::done) return heartbeat_.sent(sending_.out().appended());
    if (asked == result::not_open || asked == result::closing) heartbeat_.skip();
}

constexpr void lifetime::pause_or_go_on() noexcept {
    if (!is_open() || !flow_.changes(sending_.out())) return;
    // The silence of a peer that we do not listen to means nothing.
    clock_.stop(timer::pong);
    clock_.stop(timer::ping);
    heartbeat_.skip();
    if (!flow_.is_paused()) clock_.start(timer::ping);
}

// ---- the end ----

constexpr result lifetime::close_with(std::optional<close_code> code,
                                      std::string_view reason) noexcept {
    const result answer = is_open() ? sending_.close(code, reason) : closed_result();
    if (answer == result::done) {
        clock_.stop(timer::idle);
        clock_.start(timer::close);
    }
    return answered(answer);
}

// There is nothing more to tell of what has come.
constexpr void lifetime::on_end_of_input() noexcept {
    if (no_life_) end(cause::dead_peer);
    if (hears_end()) end(cause::end_of_stream);
}

constexpr void lifetime::start_ending(cause why) noexcept {
    phase_ = phase::ending;
    why_ = why_ == cause::nothing ? why : why_;
    using enum timer;
    for (const timer over : {opening, ping, pong, idle}) clock_.stop(over);
    if (!clock_.runs(timer::close)) clock_.start(timer::close);
    // In the middle of a frame there is no place for a Close, and no use for the rest of it.
    if (endpoint_.owed() > 0) return end(why);
    after_output();
}

constexpr void lifetime::check_ending() noexcept {
    if (phase_ != phase::ending || sending_.out().size() > 0) return;
    // A client that has refused a response has nothing to wait for either.
    const bool refuses = ours_ == role::client && fault_.broken != rule::none;
    if (refuses || drops_first()) end(why_);
}

constexpr void lifetime::end(cause why) noexcept {
    if (phase_ >= phase::ended) return;
    phase_ = phase::ended;
    clean_ = both_closes() && sending_.out().size() == 0;
    if (why_ == cause::nothing) why_ = clean_ ? cause::closed : why;
    endpoint_.end_of_stream();
    sending_.out().clear();
    flow_.restart();
    open_due_ = slice_due_ = no_life_ = false;
    clock_.stop_all();
}

constexpr close_report lifetime::report() const noexcept {
    close_report report = endpoint_.report();
    report.why = why_;
    report.clean = clean_;
    if (fault_.broken != rule::none)
        report.fault = fault_;
    else if (report.fault)
        report.fault->at += head_size_;
    return report;
}

constexpr void lifetime::release() noexcept {
    if (message_.size() == 0 && endpoint_.lacking() == 0) message_.release();
    sending_.out().release();
    squeeze_.release();
}

constexpr void lifetime::restart() noexcept {
    squeeze_.reset();
    message_.clear();
    sending_.restart();
    endpoint_ = fresh_endpoint();
    clock_ = deadlines(options_.time);
    heartbeat_ = {};
    received_ = {};
    fault_ = {};
    head_size_ = 0;
    why_ = cause::nothing;
    phase_ = phase::idle;
    flow_.restart();
    open_due_ = slice_due_ = end_of_stream_ = no_life_ = clean_ = false;
}

// ---- the loop around it ----

constexpr void lifetime::on_life() noexcept {
    no_life_ = false;
    clock_.stop(timer::pong);
    if (is_open() && !is_paused()) clock_.start(timer::ping);
}

constexpr wants lifetime::wants() const noexcept {
    const bool has_output = sending_.out().size() > 0;
    const bool waits = phase_ == phase::ended || open_due_ || flow_.is_drained() || hears_end() ||
                       (slice_due_ && !is_paused());
    // A peer is dead only if there is nothing to read, so look at that first.
    sockless::wants all{.write = has_output, .events = waits || no_life_};
    const bool leaves = both_closes() && (has_output || drops_first());
    const bool listens = phase_ == phase::opening || (is_open() && !is_paused()) ||
                         (phase_ == phase::ending && !leaves);
    all.read = listens && !waits && !end_of_stream_;
    // A Close that found no memory may still find some.
    const bool says_more = has_output || endpoint_.control_due();
    if (phase_ == phase::ending && !says_more && !both_closes()) all.ending = ending::half_close;
    if (phase_ >= phase::ended) all.ending = ending::drop;
    return all;
}

constexpr void lifetime::on_time(milliseconds now) noexcept {
    clock_.set_now(now);
    if (clock_.take(timer::opening)) end(cause::opening_timeout);
    if (clock_.take(timer::close)) end(cause::close_timeout);
    if (clock_.take(timer::stall)) end(cause::stalled);
    if (clock_.take(timer::idle)) {
        why_ = cause::idle;
        if (close_with(close_code(1001), {}) != result::done) end(cause::idle);
    }
    if (clock_.take(timer::pong)) no_life_ = true;
    if (clock_.take(timer::ping)) {
        heartbeat_.fall_due();
        after_output();
    }
    if (clock_.take(timer::release)) release();
}

}  // namespace sockless::inline v0
