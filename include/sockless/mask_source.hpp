// mask_source.hpp -- fresh masking keys out of one seed (RFC 6455, 10.3; ChaCha20: RFC 8439, 2.3).
//
// 10.3: "Clients MUST choose a new masking key for each frame, using an algorithm that cannot be
// predicted by end applications that provide data." A client that has 32 octets of randomness from
// its operating system gets every key out of them. Nothing in the library needs this.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

namespace detail {

// RFC 8439, 2.3: four rows of four words: constants, key, key, and counter with nonce.
using chacha_words = std::array<std::uint32_t, 16>;

// RFC 8439, 2.1. A word may be a vector: then these are as many blocks, side by side.
template <class Word>
constexpr void chacha_turn(Word& word, const Word& other, int bits) noexcept {
    word ^= other;
    word = word << bits | word >> (32 - bits);
}
template <class Words>
constexpr void chacha_quarter_round(Words& words, std::size_t a, std::size_t b, std::size_t c,
                                    std::size_t d) noexcept {
    words[a] += words[b];
    chacha_turn(words[d], words[a], 16);
    words[c] += words[d];
    chacha_turn(words[b], words[c], 12);
    words[a] += words[b];
    chacha_turn(words[d], words[a], 8);
    words[c] += words[d];
    chacha_turn(words[b], words[c], 7);
}

// RFC 8439, 2.3: the block function, with its result in words.
template <class Words>
constexpr void chacha_block(const Words& input, Words& words) noexcept {
    words = input;
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
}

// Four blocks in a row, of the counters 0 to 3.
using chacha_blocks = std::array<std::uint32_t, 64>;

constexpr void chacha_one_by_one(chacha_words input, chacha_blocks& out) noexcept {
    chacha_words block{};
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (i % 16 == 0) {
            input[12] = static_cast<std::uint32_t>(i / 16);
            chacha_block(input, block);
        }
        out[i] = block[i % 16];
    }
}

#ifdef __GNUC__
inline void chacha_side_by_side(const chacha_words& input, chacha_blocks& out) noexcept {
    using four = std::uint32_t __attribute__((vector_size(16)));
    std::array<four, 16> all{};
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += input[i];
    all[12] = four{0, 1, 2, 3};
    std::array<four, 16> blocks{};
    chacha_block(all, blocks);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = blocks[i % 16][i / 16];
}
#else
inline void chacha_side_by_side(const chacha_words& input, chacha_blocks& out) noexcept {
    chacha_one_by_one(input, out);
}
#endif

// RFC 8439, 2.3: numbers are little-endian.
constexpr std::uint32_t load_little(std::span<const octet, 4> octets) noexcept {
    std::uint32_t word = 0;
    for (std::size_t i = octets.size(); i-- > 0;) word = word << 8 | octets[i];
    return word;
}
constexpr masking_key key_of(std::uint32_t word) noexcept {
    if constexpr (!lowest_first) {
        word = word << 24 | (word & 0xFF00) << 8 | (word >> 8 & 0xFF00) | word >> 24;
    }
    return bit_cast<masking_key>(word);
}

}  // namespace detail

// Of every four blocks the first 32 octets are the ChaCha20 key of the next four, and the rest is
// 56 masking keys. The old key is gone: once there are blocks there is no seed, and who gets to see
// this object cannot tell the keys that it gave before. No counter can wrap: after 2^64 times it
// goes on as ever, and would come back to a ChaCha20 key that it had after about 2^128.
//
// Two with one seed give the same keys, so it is neither copied nor moved, and a seed is used once.
class mask_source {
  public:
    explicit constexpr mask_source(std::span<const octet, 32> seed) noexcept {
        for (std::size_t i = 0; i < key_size; ++i) {
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
        const masking_key key = detail::key_of(words_[next_]);
        words_[next_++] = 0;  // it is the frame's now
        return key;
    }

  private:
    static constexpr std::size_t key_size = 8;

    // The nonce stays 0: no two times have the same key.
    constexpr void refill() noexcept {
        detail::chacha_words input{0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};
        for (std::size_t i = 0; i < key_size; ++i) input[4 + i] = words_[i];
        if (prefer_small || std::is_constant_evaluated()) {
            detail::chacha_one_by_one(input, words_);
        } else {
            detail::chacha_side_by_side(input, words_);
        }
        next_ = key_size;
    }

    detail::chacha_blocks words_{};  // the key of the next blocks, then the masking keys of these
    std::size_t next_ = words_.size();
};

}  // namespace sockless::inline v0
