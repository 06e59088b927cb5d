// sha1.hpp -- SHA-1, for the accept key (RFC 3174, 6.1).
//
// RFC 6455 asks for it as a checksum of a public value. It protects nothing: use it for nothing
// else. A small one has one loop, because a handshake hashes two blocks and no more. The other is
// unrolled so far that its five variables only change their names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sockless/octets.hpp>

namespace sockless::inline v0 {

using sha1_digest = std::array<octet, 20>;

namespace detail {

using sha1_state = std::array<std::uint32_t, 5>;
using sha1_block = std::array<std::uint32_t, 16>;
using sha1_schedule = std::array<std::uint32_t, 80>;

// From E to A: in the order in which the small one goes through them.
inline constexpr sha1_state sha1_begin{0xC3D2E1F0, 0x10325476, 0x98BADCFE, 0xEFCDAB89, 0x67452301};

// 5: the constants K(t), each for 20 steps.
inline constexpr std::array<std::uint32_t, 4> sha1_constants{0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC,
                                                             0xCA62C1D6};

// 6.1: "Method 1 of Computing the Message Digest": the words W(t). The last three are at hand, for
// what has just been stored cannot be loaded again at once.
constexpr sha1_schedule sha1_expand(const sha1_block& block) noexcept {
    sha1_schedule words{};
    for (std::size_t t = 0; t < 16; ++t) words[t] = block[t];
    std::uint32_t third = block[13];
    std::uint32_t second = block[14];
    std::uint32_t last = block[15];
    for (std::size_t t = 16; t < 80; ++t) {
        words[t] = rotate_left(third ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1);
        third = second;
        second = last;
        last = words[t];
    }
    return words;
}

// 20 steps with one function f(t;B,C,D) and one K(t). After five of them, every variable has its
// name again.
template <class Choose>
constexpr void sha1_steps(sha1_state& v, const std::uint32_t* words, std::uint32_t constant,
                          Choose choose) noexcept {
    const auto step = [=](std::uint32_t a, std::uint32_t& b, std::uint32_t c, std::uint32_t d,
                          std::uint32_t& e, std::uint32_t word) noexcept {
        e += word + constant;
        e += choose(b, c, d) + rotate_left(a, 5);
        b = rotate_left(b, 30);
    };
    auto [e, d, c, b, a] = v;
    for (int i = 0; i < 4; ++i, words += 5) {
        step(a, b, c, d, e, words[0]);
        step(e, a, b, c, d, words[1]);
        step(d, e, a, b, c, words[2]);
        step(c, d, e, a, b, words[3]);
        step(b, c, d, e, a, words[4]);
    }
    v = {e, d, c, b, a};
}

constexpr void sha1_mix(sha1_state& state, const sha1_schedule& words) noexcept {
    using word = std::uint32_t;
    const auto choice = [](word b, word c, word d) noexcept { return (b & (c ^ d)) ^ d; };
    const auto parity = [](word b, word c, word d) noexcept { return b ^ c ^ d; };
    const auto majority = [](word b, word c, word d) noexcept { return (b & c) | (d & (b | c)); };
    sha1_state v = state;
    sha1_steps(v, words.data(), sha1_constants[0], choice);
    sha1_steps(v, words.data() + 20, sha1_constants[1], parity);
    sha1_steps(v, words.data() + 40, sha1_constants[2], majority);
    sha1_steps(v, words.data() + 60, sha1_constants[3], parity);
    for (std::size_t i = 0; i < v.size(); ++i) state[i] += v[i];
}

// 5: the function f(t;B,C,D): a choice, a majority, and the same in the second and the fourth row.
constexpr std::uint32_t sha1_choose(std::size_t k, std::uint32_t b, std::uint32_t c,
                                    std::uint32_t d) noexcept {
    const std::uint32_t differ = c ^ d;
    if (k == 0) return (differ & b) ^ d;
    if (k == 2) return (differ & (b ^ d)) ^ d;
    return differ ^ b;
}

// 6.1 once more. E, D, C, B, A and the last 16 words stand in a queue: 84 octets, where all 80
// words take 320. In every step the next word comes in at its end, everything moves up by one, E
// falls out in front, and the new A takes the place of the word that was used.
using sha1_queue = std::array<std::uint32_t, 5 + 16>;

// Puts a word in, and gives the one that falls out.
constexpr std::uint32_t sha1_push(sha1_queue& q, std::uint32_t word) noexcept {
    std::uint32_t* place = q.data() + q.size();
    do {
        const std::uint32_t next = *--place;
        *place = word;
        word = next;
    } while (place != q.data());
    return word;
}

// Mixes in the block that the queue has behind E to A.
[[gnu::always_inline]] constexpr void sha1_mix_small(sha1_queue& q,
                                                     const std::uint32_t* constants) noexcept {
    sha1_state before{};
    for (std::size_t i = 0; i < 5; ++i) before[i] = q[i];
    for (std::size_t k = 0; k < 4; ++k) {
        for (unsigned step = 0; step < 20; ++step) {
            const std::uint32_t e = sha1_push(q, rotate_left(q[18] ^ q[13] ^ q[7] ^ q[5], 1));
            q[4] += e + constants[k];
            q[4] += rotate_left(q[3], 5) + sha1_choose(k, q[2], q[1], q[0]);
            q[2] = rotate_left(q[2], 30);
        }
    }
    for (std::size_t i = 0; i < 5; ++i) q[i] += before[i];
}

constexpr sha1_digest sha1_digest_of(const sha1_state& state) noexcept {
    sha1_digest out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<octet>(state[4 - i / 4] >> (24 - i % 4 * 8));
    }
    return out;
}

}  // namespace detail

// A message in any number of pieces: of less than 4 GiB.
class sha1_hasher {
  public:
    constexpr void take(octet next) noexcept {
        std::uint32_t& word = words_[size_ / 4 % 16];
        word = word << 8 | next;
        if (++size_ % 64 == 0) mix();
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
        words_[14] = size >> 29;
        words_[15] = size << 3;
        mix();
        return detail::sha1_digest_of(state_);
    }

  private:
    constexpr void mix() noexcept { detail::sha1_mix(state_, detail::sha1_expand(words_)); }

    detail::sha1_state state_ = detail::sha1_begin;
    detail::sha1_block words_{};  // of the block so far; what is left of the last shifts out
    std::uint32_t size_ = 0;
};

constexpr sha1_digest sha1(std::span<const octet> message) noexcept {
    sha1_hasher hasher;
    hasher.take(message);
    return hasher.finish();
}

}  // namespace sockless::inline v0
