// kernels.hpp -- what unmask.cpp and validate.cpp are given, and their peers as well.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "inputs.hpp"
#include "question.hpp"

namespace bench {

// Unmasking again and again in place would need the octets restored each time. With this key text
// of any kind turns into other valid text, and back: a lead of 0xC2 into one of 0xC3.
constexpr std::array<unsigned char, 4> text_key{1, 1, 1, 1};
constexpr std::array<unsigned char, 4> any_key{0x37, 0xFA, 0x21, 0x3D};

// So many rounds in one that no call is too short to be timed.
inline std::size_t times(std::size_t size) { return size < 4096 ? 64 : size < 65'536 ? 8 : 1; }

inline std::vector<std::size_t> unmasked_sizes(bool quick) {
    if (quick) return {64, 4096, 65'536};
    return {16, 125, 1024, 4096, 65'536, 1'048'576};
}

struct text_case {
    kind what;
    std::size_t size;
};

inline std::vector<text_case> validated_texts(bool quick) {
    if (quick) return {{kind::ascii, 4096}, {kind::cjk, 4096}};
    std::vector<text_case> all;
    for (const kind what : {kind::ascii, kind::latin, kind::cjk, kind::emoji}) {
        for (const std::size_t size : {64U, 4096U, 65'536U}) all.push_back({what, size});
    }
    return all;
}

// Where blocks lie can make a copy take twice its time, and unmasking, too; so it is settled: 16
// octets behind a line, as malloc has large ones.
class block {
  public:
    explicit block(std::size_t size) : room_(size + page) {
        void* start = room_.data();
        std::size_t left = room_.size();
        must(std::align(page / 2, size + 16, start, left) != nullptr, "room");
        data_ = static_cast<unsigned char*>(start) + 16;
    }
    block(const block&) = delete;
    block& operator=(const block&) = delete;
    ~block() = default;

    static constexpr std::size_t page = 4096;
    unsigned char* data() { return data_; }

  private:
    octets room_;
    unsigned char* data_ = nullptr;
};

// `unmask(data, size)` unmasks in place, and answers whether the octets are good. The second time
// restores the octets, which is how it is checked.
template <class Unmask>
void add_kernel(part role, const std::string& name, const std::string& variant, const octets& plain,
                std::array<unsigned char, 4> key, Unmask unmask) {
    const std::size_t size = plain.size();
    const auto room = std::make_shared<block>(size);
    unsigned char* const data = room->data();
    std::copy(plain.begin(), plain.end(), data);
    must(unmask(data, size), "good octets");
    for (std::size_t i = 0; i < size; ++i) {
        must(data[i] == (plain[i] ^ key[i % 4]), "an octet that was unmasked");
    }
    const std::size_t count = times(size);
    add(role, name, variant, count, [room, data, size, unmask, count] {
        for (std::size_t i = 0; i < count; ++i) {
            must(unmask(data, size), "good octets");
            keep(data);
        }
    });
}

template <class Unmask>
void add_unmask(part role, const std::string& variant, bool quick, Unmask unmask) {
    for (const std::size_t size : unmasked_sizes(quick)) {
        dice random;
        add_kernel(role, "unmask " + std::to_string(size), variant,
                   payload_of(kind::binary, size, random), any_key, unmask);
    }
}

template <class Unmask>
void add_validate(part role, const std::string& variant, bool quick, Unmask unmask) {
    for (const text_case& each : validated_texts(quick)) {
        dice random;
        add_kernel(role, "validate " + sized(each.size, each.what), variant,
                   payload_of(each.what, each.size, random), text_key, unmask);
    }
}

// From one half of a page to the other.
inline void add_memcpy(const std::string& name, std::size_t size) {
    const std::size_t distance = (size + block::page - 1) / block::page * block::page + 2048;
    const auto room = std::make_shared<block>(distance + size);
    unsigned char* const from = room->data();
    const std::size_t count = times(size);
    add(part::floor, name, "memcpy", count, [room, from, distance, size, count] {
        for (std::size_t i = 0; i < count; ++i) {
            std::memcpy(from + distance, from, size);
            keep(from);
        }
    });
}

// ---- what anybody would write ----

inline void mask_words(unsigned char* data, std::size_t size, std::array<unsigned char, 4> key) {
    std::uint32_t half = 0;
    std::memcpy(&half, key.data(), sizeof half);
    const std::uint64_t wide = std::uint64_t{half} << 32 | half;
    std::size_t i = 0;
    for (std::uint64_t word = 0; i + sizeof word <= size; i += sizeof word) {
        std::memcpy(&word, data + i, sizeof word);
        word ^= wide;
        std::memcpy(data + i, &word, sizeof word);
    }
    for (; i < size; ++i) data[i] = static_cast<unsigned char>(data[i] ^ key[i % 4]);
}

inline void mask_octets(unsigned char* data, std::size_t size, std::array<unsigned char, 4> key) {
    for (std::size_t i = 0; i < size; ++i) {
        data[i] = static_cast<unsigned char>(data[i] ^ key[i % 4]);
    }
}

}  // namespace bench
