// heartbeat.hpp -- pings that ask a silent peer whether it is there (RFC 6455, 5.5.2, 5.5.3).
//
// Each has a payload of its own, so that its pong is known again and the way there and back can be
// timed. It is on its way from when its last octet has been written.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <sockless/limits.hpp>
#include <sockless/octets.hpp>

namespace sockless::inline v0 {

class heartbeat {
  public:
    constexpr void fall_due() noexcept {
        due_ = true;
        ++number_;
    }
    constexpr void skip() noexcept { due_ = false; }
    constexpr bool is_due() const noexcept { return due_; }

    constexpr std::array<octet, 4> payload() const noexcept {
        std::array<octet, 4> number{};
        store_network(number_, number);
        return number;
    }
    // It has been put into the output, where it ends at this offset of the stream.
    constexpr void sent(std::uint64_t end) noexcept {
        due_ = false;
        waits_ = true;
        end_ = end;
        left_ = never;
    }
    // So much of the stream has been written. Tells once that the ping has left.
    constexpr bool leaves(std::uint64_t transmitted, milliseconds now) noexcept {
        if (!waits_ || transmitted < end_) return false;
        waits_ = false;
        left_ = now;
        return true;
    }

    constexpr void on_pong(std::span<const octet> echoed, milliseconds now) noexcept {
        if (left_ == never || text_view{echoed} != text_view{payload()}) return;
        const bool is_a_number = left_ >= 0 || now <= never + left_;
        round_trip_ = is_a_number ? now - left_ : never;
        left_ = never;
    }

    // `never` as long as no ping was answered.
    constexpr milliseconds round_trip() const noexcept { return round_trip_; }

  private:
    std::uint64_t end_ = 0;
    milliseconds left_ = never;
    milliseconds round_trip_ = never;
    std::uint32_t number_ = 0;
    bool due_ = false;
    bool waits_ = false;  // in the output
};

}  // namespace sockless::inline v0
