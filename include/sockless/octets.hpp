// octets.hpp -- octets, text that is made of octets, and network byte order (RFC 6455, 5.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#ifndef __GNUC__
#include <cstring>
#endif

namespace sockless::inline v0 {

using octet = unsigned char;

// Octets that are text. A string_view over octets takes a cast that constant evaluation refuses;
// this one compares with a string_view everywhere, and becomes one at run time. Aligned as a whole,
// it goes through registers on 32-bit ARM as well, and not through memory.
struct alignas(8) text_view {
    std::span<const octet> octets;

    constexpr std::size_t size() const noexcept { return octets.size(); }
    constexpr bool empty() const noexcept { return octets.empty(); }

    // The only cast in the library from octets to characters.
    operator std::string_view() const noexcept {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
        return {reinterpret_cast<const char*>(octets.data()), octets.size()};
    }

    friend constexpr bool operator==(text_view text, std::string_view other) noexcept {
        if (text.octets.size() != other.size()) return false;
        for (std::size_t i = 0; i < other.size(); ++i) {
            if (text.octets[i] != static_cast<octet>(other[i])) return false;
        }
        return true;
    }
    friend constexpr bool operator==(text_view text, text_view other) noexcept {
        if (text.octets.size() != other.octets.size()) return false;
        for (std::size_t i = 0; i < other.octets.size(); ++i) {
            if (text.octets[i] != other.octets[i]) return false;
        }
        return true;
    }
};

namespace detail {

// gcc and clang know memcpy without <cstring>, which is 220 lines.
#ifdef __GNUC__
inline void copy_memory(const void* from, void* to, std::size_t size) noexcept {
    __builtin_memcpy(to, from, size);
}
inline void move_memory(const void* from, void* to, std::size_t size) noexcept {
    __builtin_memmove(to, from, size);
}
#else
inline void copy_memory(const void* from, void* to, std::size_t size) noexcept {
    std::memcpy(to, from, size);
}
inline void move_memory(const void* from, void* to, std::size_t size) noexcept {
    std::memmove(to, from, size);
}
#endif

// What is needed of <bit>, without its 250 lines.
template <class To, class From>
constexpr To bit_cast(const From& from) noexcept {
    return __builtin_bit_cast(To, from);
}
constexpr std::uint32_t rotate_right(std::uint32_t word, int bits) noexcept {
    return word >> (bits & 31) | word << (-bits & 31);
}
constexpr std::uint32_t rotate_left(std::uint32_t word, int bits) noexcept {
    return word << (bits & 31) | word >> (-bits & 31);
}
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
inline constexpr bool lowest_first = false;
#else
inline constexpr bool lowest_first = true;
#endif

// What memcpy does, for constant evaluation.
constexpr void copy_each(const octet* from, octet* to, std::size_t size) noexcept {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
}

}  // namespace detail

// Copies as many octets as both spans hold, and says how many. They must not overlap.
constexpr std::size_t copy_octets(std::span<const octet> from, std::span<octet> to) noexcept {
    const std::size_t size = from.size() < to.size() ? from.size() : to.size();
    if (std::is_constant_evaluated()) {
        detail::copy_each(from.data(), to.data(), size);
    } else if (size != 0) {  // memcpy takes no null pointer, not even for nothing
        detail::copy_memory(from.data(), to.data(), size);
    }
    return size;
}

// Moves `size` octets within a span to where they begin earlier; they may overlap.
constexpr void move_forward(std::span<octet> octets, std::size_t from, std::size_t to,
                            std::size_t size) noexcept {
    if (std::is_constant_evaluated()) {
        for (std::size_t i = 0; i < size; ++i) octets[to + i] = octets[from + i];
    } else if (size != 0) {
        detail::move_memory(octets.data() + from, octets.data() + to, size);
    }
}

// The octets of a text, and the only cast the other way.
inline std::span<const octet> octets_of(std::string_view text) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
    return {reinterpret_cast<const octet*>(text.data()), text.size()};
}

// The same of a literal, in constant evaluation as well.
template <std::size_t Size>
consteval std::array<octet, Size - 1> literal_octets(const char (&text)[Size]) noexcept {
    std::array<octet, Size - 1> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<octet>(text[i]);
    return octets;
}

// Copies as much of a text as there is room for, and says how much.
constexpr std::size_t copy_text(std::string_view text, std::span<octet> to) noexcept {
    if (!std::is_constant_evaluated()) return copy_octets(octets_of(text), to);
    const std::size_t size = text.size() < to.size() ? text.size() : to.size();
    for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<octet>(text[i]);
    return size;
}

// 5.2: "Multibyte length quantities are expressed in network byte order": the highest octet first.
constexpr void store_network(std::uint64_t value, std::span<octet> out) noexcept {
    for (std::size_t i = out.size(); i-- > 0; value >>= 8) out[i] = static_cast<octet>(value);
}

constexpr std::uint16_t load_network16(octet high, octet low) noexcept {
    return static_cast<std::uint16_t>(high << 8 | low);
}

constexpr std::uint32_t load_network32(std::span<const octet> octets) noexcept {
    return std::uint32_t{load_network16(octets[0], octets[1])} << 16 |
           load_network16(octets[2], octets[3]);
}

}  // namespace sockless::inline v0
