// deadlines.hpp -- what a connection waits for, and until when (RFC 6455, 7.1.1, 10.7; 5.5.2).
//
// Time is an argument: nothing here reads a clock. It stands at 0 until it is told for the first
// time, never runs backwards, and whatever waited before has waited for nothing by then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <sockless/limits.hpp>

namespace sockless::inline v0 {

enum class timer : std::uint8_t { opening, ping, pong, idle, close, stall, release };

constexpr milliseconds duration(const timeouts& time, timer which) noexcept {
    switch (which) {
        case timer::opening:
            return time.opening;
        case timer::ping:
            return time.ping;
        case timer::pong:
            return time.pong;
        case timer::idle:
            return time.idle;
        case timer::close:
            return time.close;
        case timer::stall:
            return time.stall;
        case timer::release:
            return time.idle_release;
    }
    return never;
}

class deadlines {
  public:
    constexpr explicit deadlines(const timeouts& time = {}) noexcept : time_(time) {
        due_.fill(never);
    }

    constexpr void set_now(milliseconds now) noexcept {
        if (!started_) {
            for (milliseconds& due : due_) due = later(now, due);
        }
        if (!started_ || now > now_) now_ = now;
        started_ = true;
    }
    constexpr milliseconds now() const noexcept { return now_; }

    // Starts a timer anew.
    constexpr void start(timer which) noexcept {
        due_[index(which)] = later(now_, duration(time_, which));
    }
    constexpr void stop(timer which) noexcept { due_[index(which)] = never; }
    constexpr void stop_all() noexcept { due_.fill(never); }
    constexpr bool runs(timer which) const noexcept { return due_[index(which)] != never; }

    // Has it run out? It tells so once.
    constexpr bool take(timer which) noexcept {
        if (!started_ || due_[index(which)] > now_ || !runs(which)) return false;
        stop(which);
        return true;
    }

    // When the first of them runs out.
    constexpr milliseconds next() const noexcept {
        milliseconds first = never;
        for (const milliseconds due : due_) first = due < first ? due : first;
        return started_ ? first : never;
    }

  private:
    static constexpr std::size_t index(timer which) noexcept {
        return static_cast<std::size_t>(which);
    }
    // A wait of less than nothing is over at once, and one past the end of time lasts for ever.
    static constexpr milliseconds later(milliseconds now, milliseconds wait) noexcept {
        if (wait <= 0) return now;
        if (wait == never || (now > 0 && wait >= never - now)) return never;
        return now + wait;
    }

    timeouts time_;
    std::array<milliseconds, 7> due_{};
    milliseconds now_ = 0;
    bool started_ = false;
};

}  // namespace sockless::inline v0
