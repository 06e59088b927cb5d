// source.hpp -- decisions from the octets of an input, and what is derived from them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sockless/masking.hpp>
#include <sockless/octets.hpp>

namespace fuzz {

using sockless::octet;

// Takes an input from its front. Behind its end come zeros, so that every input is a whole one.
class source {
  public:
    explicit source(std::span<const octet> input) : input_(input) {}

    bool empty() const { return input_.empty(); }
    octet take() {
        if (input_.empty()) return 0;
        const octet front = input_.front();
        input_ = input_.subspan(1);
        return front;
    }
    std::span<const octet> rest() const { return input_; }

  private:
    std::span<const octet> input_;
};

// Numbers that are the same everywhere for the same seed.
class dice {
  public:
    explicit dice(std::uint32_t seed) : state_(seed * 2654435761U + 0x9E3779B9U) {}

    std::uint32_t roll() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 17;
        state_ ^= state_ << 5;
        if (state_ == 0) state_ = 1;
        return state_;
    }
    std::size_t below(std::size_t count) { return roll() % count; }

  private:
    std::uint32_t state_;
};

// Where to cut a stream, by an octet of the input.
class cutter {
  public:
    explicit cutter(octet seed) : dice_(seed), style_(seed % 4), first_(seed / 4U) {}

    std::size_t next(std::size_t left) {
        std::size_t size = left;
        if (style_ == 0) size = dice_.below(4);
        if (style_ == 1) size = 1 + dice_.below(16);
        if (style_ == 2) size = 1 + dice_.below(left);
        if (style_ == 3 && first_ > 0) size = first_;
        first_ = 0;
        return size < left ? size : left;
    }

  private:
    dice dice_;
    int style_;
    std::size_t first_;
};

// A payload that has another octet wherever it is shifted a little; of ASCII, if it is to be text.
inline std::vector<octet> payload_of(std::size_t size, octet seed, bool text) {
    std::vector<octet> payload(size);
    const octet kept = text ? 0x7F : 0xFF;
    for (std::size_t i = 0; i < size; ++i) {
        payload[i] = static_cast<octet>((seed + i * 7 + (i >> 8)) & kept);
    }
    return payload;
}

inline sockless::masking_key key_of(octet seed) {
    if (seed == 0) return {};
    dice rolled(seed);
    sockless::masking_key key;
    for (octet& one : key.octets) one = static_cast<octet>(rolled.roll());
    return key;
}

// What an output is filled with before the library may write: an octet it does not write stays so.
inline bool all_are(std::span<const octet> octets, octet fill) {
    // Each octet is the one in front of it.
    return octets.empty() || (octets.front() == fill &&
                              std::equal(octets.begin(), octets.end() - 1, octets.begin() + 1));
}

inline std::string as_string(std::span<const octet> octets) {
    return {octets.begin(), octets.end()};
}

}  // namespace fuzz
