// sha1.hpp -- SHA-1, for the accept key (RFC 3174, 6.1).
//
// RFC 6455 asks for it as a checksum of a public value. It protects nothing: use it for nothing
// else. The loop is rolled and keeps 16 words, because a handshake hashes two blocks and no more.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sockless/octets.hpp>

namespace sockless::inline v0 {

using sha1_digest = std::array<octet, 20>;

// A message in any number of pieces: of less than 4 GiB.
class sha1_hasher {
  public:
    constexpr void take(octet next) noexcept {
        last_ = last_ << 8 | next;
        if (++size_ % 4 != 0) return;
        push(last_);
        if (size_ % 64 == 0) mix();
    }

    constexpr void take(std::span<const octet> piece) noexcept {
        for (const octet next : piece) take(next);
    }

    // Ends the message, and gives its digest.
    constexpr sha1_digest finish() noexcept {
        // 4: a "1", as many "0"s as it takes, and the length of the message in bits.
        const std::uint32_t size = size_;
        take(0x80);
        while (size_ % 64 != 56) take(0);
        push(size >> 29);
        push(size << 3);
        mix();

        sha1_digest out{};
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = static_cast<octet>(state_[i / 4] >> (24 - i % 4 * 8));
        }
        return out;
    }

  private:
    constexpr void push(std::uint32_t word) noexcept {
        for (std::size_t i = 1; i < words_.size(); ++i) words_[i - 1] = words_[i];
        words_.back() = word;
    }

    // 6.2: "Method 2 of Computing the Message Digest": the 16 words are a queue.
    constexpr void mix() noexcept {
        std::array<std::uint32_t, 5> v = state_;
        for (unsigned t = 0; t < 80; ++t) {
            const std::uint32_t next = std::rotl(v[0], 5) + choose(t, v) + v[4] + words_[0];
            v = {next, v[0], std::rotl(v[1], 30), v[2], v[3]};
            push(std::rotl(words_[13] ^ words_[8] ^ words_[2] ^ words_[0], 1));
        }
        for (std::size_t i = 0; i < v.size(); ++i) state_[i] += v[i];
    }

    // 5: the function f(t;B,C,D) and the constant K(t), of which there are four each.
    static constexpr std::uint32_t choose(unsigned t,
                                          const std::array<std::uint32_t, 5>& v) noexcept {
        const auto [a, b, c, d, e] = v;
        if (t < 20) return ((b & c) | (~b & d)) + 0x5A827999;
        if (t < 40) return (b ^ c ^ d) + 0x6ED9EBA1;
        if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC;
        return (b ^ c ^ d) + 0xCA62C1D6;
    }

    std::array<std::uint32_t, 5> state_{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    std::array<std::uint32_t, 16> words_{};  // of the block so far, the oldest in front
    std::uint32_t last_ = 0;                 // of which all, or some, is the next of them
    std::uint32_t size_ = 0;
};

constexpr sha1_digest sha1(std::span<const octet> message) noexcept {
    sha1_hasher hasher;
    hasher.take(message);
    return hasher.finish();
}

}  // namespace sockless::inline v0
