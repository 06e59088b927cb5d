// mask_source.hpp -- fresh masking keys out of one seed (RFC 6455, 10.3; ChaCha20: RFC 8439, 2.3).
//
// 10.3: "Clients MUST choose a new masking key for each frame, using an algorithm that cannot be
// predicted by end applications that provide data." A client that has 32 octets of randomness from
// its operating system gets every key out of them. Nothing in the library needs this.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sockless/masking.hpp>
#include <sockless/octets.hpp>

namespace sockless::inline v0 {

namespace detail {

// RFC 8439, 2.3: four rows of four words: constants, key, key, and counter with nonce.
using chacha_words = std::array<std::uint32_t, 16>;

// RFC 8439, 2.1.
constexpr void chacha_quarter_round(chacha_words& words, std::size_t a, std::size_t b,
                                    std::size_t c, std::size_t d) noexcept {
    words[a] += words[b];
    words[d] = std::rotl(words[d] ^ words[a], 16);
    words[c] += words[d];
    words[b] = std::rotl(words[b] ^ words[c], 12);
    words[a] += words[b];
    words[d] = std::rotl(words[d] ^ words[a], 8);
    words[c] += words[d];
    words[b] = std::rotl(words[b] ^ words[c], 7);
}

// RFC 8439, 2.3: the block function, with its result in words.
constexpr chacha_words chacha_block(const chacha_words& input) noexcept {
    chacha_words words = input;
    for (int round = 0; round < 20; round += 2) {
        chacha_quarter_round(words, 0, 4, 8, 12);
        chacha_quarter_round(words, 1, 5, 9, 13);
        chacha_quarter_round(words, 2, 6, 10, 14);
        chacha_quarter_round(words, 3, 7, 11, 15);
        chacha_quarter_round(words, 0, 5, 10, 15);
        chacha_quarter_round(words, 1, 6, 11, 12);
        chacha_quarter_round(words, 2, 7, 8, 13);
        chacha_quarter_round(words, 3, 4, 9, 14);
    }
    for (std::size_t i = 0; i < words.size(); ++i) words[i] += input[i];
    return words;
}

// RFC 8439, 2.3: numbers are little-endian.
constexpr std::uint32_t load_little(std::span<const octet, 4> octets) noexcept {
    std::uint32_t word = 0;
    for (std::size_t i = octets.size(); i-- > 0;) word = word << 8 | octets[i];
    return word;
}
constexpr std::array<octet, 4> store_little(std::uint32_t word) noexcept {
    std::array<octet, 4> octets{};
    for (octet& o : octets) {
        o = static_cast<octet>(word);
        word >>= 8;
    }
    return octets;
}

}  // namespace detail

// Half of every block is eight masking keys; the other half is the ChaCha20 key of the next block,
// and the old one is gone: once there is a block there is no seed, and who gets to see this object
// cannot tell the keys that it gave before. No counter can wrap: after 2^64 blocks it goes on as
// ever, and would come back to a ChaCha20 key that it had after about 2^128.
//
// Two with one seed give the same keys, so it is neither copied nor moved, and a seed is used once.
class mask_source {
  public:
    explicit constexpr mask_source(std::span<const octet, 32> seed) noexcept {
        for (std::size_t i = 0; i < half; ++i) {
            words_[i] = detail::load_little(seed.subspan(4 * i).first<4>());
        }
    }
    mask_source(const mask_source&) = delete;
    mask_source(mask_source&&) = delete;
    mask_source& operator=(const mask_source&) = delete;
    mask_source& operator=(mask_source&&) = delete;
    ~mask_source() = default;

    // The key for one frame.
    constexpr masking_key operator()() noexcept {
        if (next_ == words_.size()) refill();
        const masking_key key{detail::store_little(words_[next_])};
        words_[next_++] = 0;  // it is the frame's now
        return key;
    }

  private:
    static constexpr std::size_t half = 8;

    // Counter and nonce stay 0: every block has a key of its own.
    constexpr void refill() noexcept {
        detail::chacha_words input{0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};
        for (std::size_t i = 0; i < half; ++i) input[4 + i] = words_[i];
        words_ = detail::chacha_block(input);
        next_ = half;
    }

    detail::chacha_words words_{};  // the key of the next block, then the masking keys of this one
    std::size_t next_ = words_.size();
};

}  // namespace sockless::inline v0
