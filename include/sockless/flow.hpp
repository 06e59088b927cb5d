// flow.hpp -- when to take no more events, and when there is room again.
//
// Whoever does not read its answers gets no more of them: above the high mark of the output a
// connection pauses until it has fallen to the low one. An application that was told `full`, or has
// lent something, hears once when to go on.
#pragma once

#include <cstddef>

#include <sockless/outgoing.hpp>

namespace sockless::inline v0 {

class flow {
  public:
    constexpr flow(std::size_t high, std::size_t low, bool may_pause) noexcept
        : high_(high), low_(low), may_pause_(may_pause) {}

    constexpr bool is_paused() const noexcept { return paused_; }
    // Is `drained` to be told? Once, and not while something is lent.
    constexpr bool is_drained() const noexcept { return drained_ && !lent_; }
    constexpr void told() noexcept { drained_ = false; }

    constexpr void on_full() noexcept { full_ = true; }
    constexpr void on_lent(std::size_t size) noexcept { (size > 0 ? lent_ : drained_) = true; }
    constexpr void on_written(const outgoing& out) noexcept {
        if (full_ && out.size() <= low_) {
            full_ = false;
            drained_ = true;
        }
        if (lent_ && out.lent() == 0) {
            lent_ = false;
            drained_ = true;
        }
    }
    // True if it begins or ends to pause.
    constexpr bool changes(const outgoing& out) noexcept {
        if (out.size() > high_) full_ = true;
        const bool pause = may_pause_ && out.size() > (paused_ ? low_ : high_);
        const bool changes = pause != paused_;
        paused_ = pause;
        return changes;
    }

    constexpr void restart() noexcept { full_ = lent_ = drained_ = paused_ = false; }

  private:
    std::size_t high_;
    std::size_t low_;
    bool may_pause_;
    bool paused_ = false;
    bool full_ = false;
    bool lent_ = false;
    bool drained_ = false;
};

}  // namespace sockless::inline v0
