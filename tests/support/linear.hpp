// linear.hpp -- does a text of twice the length take twice the time?
#pragma once

#include <chrono>
#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

#include <sockless/octets.hpp>

namespace support {

// The same piece again and again, between two others.
class repeated {
  public:
    static constexpr std::size_t shorter = std::size_t{1} << 11;
    static constexpr std::size_t longer = std::size_t{1} << 15;

    explicit repeated(std::string_view piece, std::string_view front = {},
                      std::string_view back = {})
        : shorter_(fill(piece, front, back, shorter)), longer_(fill(piece, front, back, longer)) {}

    // 2 KiB of it, or 32.
    sockless::text_view first(std::size_t size) const {
        return {sockless::octets_of(size == shorter ? shorter_ : longer_)};
    }

  private:
    static std::string fill(std::string_view piece, std::string_view front, std::string_view back,
                            std::size_t size) {
        std::string text(front);
        while (text.size() + piece.size() + back.size() <= size) text += piece;
        return text += back;
    }

    std::string shorter_;
    std::string longer_;
};

// Whether the time grows by less than 2.2 each time that the length is doubled, four times over:
// then 32 KiB take less than 23 times as long as 2 KiB. (Quadratic work takes 256 times as long.)
// It is the processor's time, of two runs in a row, because what shares the processor slows both
// down; one such pair is enough, and a machine that is busy gets more of them. `use(size)` gives
// something, so that nothing is optimised away.
template <class Use>
bool takes_linear_time(const Use& use) {
    volatile std::size_t kept = 0;
    const auto time = [&](std::size_t size) {
        const std::clock_t begin = std::clock();
        for (int again = 0; again < 10; ++again) kept = kept + use(size);
        return std::clock() - begin + 1;  // what takes less than a tick takes one
    };
    using clock = std::chrono::steady_clock;
    const clock::time_point end = clock::now() + std::chrono::seconds(10);
    do {
        const std::clock_t shorter = time(repeated::shorter);
        if (time(repeated::longer) < 23 * shorter) return true;
    } while (clock::now() < end);
    return false;
}

}  // namespace support
