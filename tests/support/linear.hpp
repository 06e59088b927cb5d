// linear.hpp -- does a text of twice the length take twice the time?
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
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
// The shortest of several runs counts, and a machine that is busy with something else gets another
// chance. `use(size)` gives something, so that nothing is optimised away.
template <class Use>
bool takes_linear_time(const Use& use) {
    using clock = std::chrono::steady_clock;
    volatile std::size_t kept = 0;
    const auto time = [&](std::size_t size) {
        clock::duration shortest = clock::duration::max();
        for (int run = 0; run < 4; ++run) {
            const clock::time_point begin = clock::now();
            for (int again = 0; again < 10; ++again) kept = kept + use(size);
            shortest = std::min(shortest, clock::now() - begin);
        }
        return shortest;
    };
    const clock::time_point end = clock::now() + std::chrono::seconds(2);
    for (bool first = true; first || clock::now() < end; first = false) {
        const clock::duration base = time(repeated::shorter);
        if (time(repeated::longer) < 23 * base) return true;
    }
    return false;
}

}  // namespace support
