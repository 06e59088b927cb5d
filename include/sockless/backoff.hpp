// backoff.hpp -- how long a client waits before it connects again (RFC 6455, 7.2.3).
//
// 7.2.3: "The first reconnect attempt SHOULD be delayed by a random amount of time", and further
// ones "by increasingly longer amounts of time, using a method such as truncated binary exponential
// backoff". The randomness is an argument: 32 uniform bits for every delay. Nothing in the library
// needs this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <sockless/close_code.hpp>
#include <sockless/close_code_registry.hpp>
#include <sockless/closing.hpp>
#include <sockless/limits.hpp>
#include <sockless/octets.hpp>

namespace sockless::inline v0 {

// What is drawn, when the range has grown to `reach`.
enum class jitter : std::uint8_t {
    full,          // from 0 to reach
    equal,         // from half of it
    decorrelated,  // from `first` to `factor` times the delay drawn before; a factor of 3 is usual
};

struct backoff_options {
    milliseconds first = 5'000;  // 7.2.3: "between 0 and 5 seconds is a reasonable initial delay"
    milliseconds cap = 120'000;  // the range grows no further
    std::uint32_t factor = 2;    // by which it grows; 0 is 1
    jitter spread = jitter::full;
    milliseconds longest_retry_after = 86'400'000;  // a server that wants more gets no more
};

class backoff {
  public:
    constexpr explicit backoff(const backoff_options& options = {}) noexcept
        : cap_(at_least(options.cap, 0)),
          first_(at_most(at_least(options.first, 0), cap_)),
          longest_floor_(at_least(options.longest_retry_after, 0)),
          factor_(options.factor > 0 ? options.factor : 1),
          spread_(options.spread),
          reach_(beginning()) {}

    // The delay before the next attempt, after one that has not led to an open connection.
    constexpr milliseconds next(std::uint32_t random) noexcept { return take(random, lowest()); }

    // The delay after a connection that was open, or nothing: do not connect again. Nothing also
    // stands for "only elsewhere": who has another address goes on with next(random). A code of the
    // application's own is a reason to wait like any other; whoever knows better looks at it first.
    constexpr std::optional<milliseconds> next(std::uint32_t random,
                                               const close_report& why) noexcept {
        const retry advised = advice(why);
        if (advised == retry::no || advised == retry::elsewhere) return std::nullopt;
        if (advised != retry::slow) return next(random);
        const milliseconds low = at_least(lowest(), at_most(slow_low, cap_));
        reach_ = at_least(reach_, at_most(slow_high, cap_));
        return take(random, low);
    }

    // RFC 9110, 10.2.3: the Retry-After of a refusal. The next delay comes on top of it, so that
    // not everybody comes back in the same moment. Only seconds are understood: a date, which takes
    // a clock, changes nothing, and so does all else; then it is false.
    constexpr bool retry_after(std::string_view seconds) noexcept {
        milliseconds sum = 0;
        for (const char c : seconds) sum = with_digit(sum, static_cast<octet>(c));
        return take_floor(seconds.size(), sum);
    }
    constexpr bool retry_after(text_view seconds) noexcept {
        milliseconds sum = 0;
        for (const octet o : seconds.octets) sum = with_digit(sum, o);
        return take_floor(seconds.size(), sum);
    }

    // To be called when a connection has been open for a while, say as long as `cap`, and not as
    // soon as it opens: a server that accepts everybody and drops them at once is to see longer and
    // longer delays.
    constexpr void reset() noexcept {
        reach_ = beginning();
        floor_ = 0;
    }

  private:
    // The IANA registry on 1012: "a randomized delay of 5 - 30s".
    static constexpr milliseconds slow_low = 5'000;
    static constexpr milliseconds slow_high = 30'000;

    static constexpr milliseconds at_least(milliseconds one, milliseconds least) noexcept {
        return one < least ? least : one;
    }
    static constexpr milliseconds at_most(milliseconds one, milliseconds most) noexcept {
        return one > most ? most : one;
    }

    static constexpr retry advice(const close_report& why) noexcept {
        // Who broke a rule would break it again.
        if (why.fault) return retry::no;
        // We have left, whatever came back: abort(), close(1000), or close() without a code.
        if (why.why == cause::aborted) return retry::no;
        if (why.began == side::us && (why.sent == 1000 || why.sent == no_status_code)) {
            return retry::no;
        }
        return retry_advice(why.received.value_or(abnormal_closure));
    }

    constexpr milliseconds beginning() const noexcept {
        return spread_ == jitter::decorrelated ? grown(first_) : first_;
    }
    constexpr milliseconds lowest() const noexcept {
        if (spread_ == jitter::full) return 0;
        return spread_ == jitter::equal ? reach_ - reach_ / 2 : first_;
    }
    // Even nothing grows, or there would never be a delay.
    constexpr milliseconds grown(milliseconds reach) const noexcept {
        const milliseconds from = at_least(reach, 1);
        return from > cap_ / factor_ ? cap_ : from * factor_;
    }

    // Draws from `low` to the end of the range.
    constexpr milliseconds take(std::uint32_t random, milliseconds low) noexcept {
        // The upper bits of the product of count and random, which has 96: no modulo, no bias worth
        // mentioning, no overflow.
        const std::uint64_t count = static_cast<std::uint64_t>(reach_ - low) + 1;
        const std::uint64_t high = (count >> 32) * random;
        const std::uint64_t product = high + ((count & 0xFFFF'FFFF) * random >> 32);
        const milliseconds drawn = low + static_cast<milliseconds>(product);
        reach_ = grown(spread_ == jitter::decorrelated ? drawn : reach_);
        const milliseconds floor = floor_;
        floor_ = 0;
        return floor > never - drawn ? never : floor + drawn;
    }

    // Below 0 and staying there: not a number. One more than the longest is as good as any number
    // above it.
    constexpr milliseconds with_digit(milliseconds sum, octet digit) const noexcept {
        if (sum < 0 || digit < '0' || digit > '9') return -1;
        return at_most(sum * 10 + (digit - '0'), longest_floor_ / 1000 + 1);
    }
    constexpr bool take_floor(std::size_t digits, milliseconds seconds) noexcept {
        if (digits == 0 || seconds < 0) return false;
        floor_ = seconds > longest_floor_ / 1000 ? longest_floor_ : seconds * 1000;
        return true;
    }

    milliseconds cap_;
    milliseconds first_;
    milliseconds longest_floor_;
    std::uint32_t factor_;
    jitter spread_;
    milliseconds reach_;      // the end of the range that the next delay is drawn from
    milliseconds floor_ = 0;  // what a server asked for
};

}  // namespace sockless::inline v0
