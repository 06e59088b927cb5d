// storage.hpp -- where unfinished messages and pending octets live: on the heap, or in the object.
//
// A connection asks its memory for two regions, and takes what it gets: no memory is an answer like
// any other. Write another class on the model of these two to keep connections in a pool.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>

#include <sockless/limits.hpp>
#include <sockless/octets.hpp>

namespace sockless::inline v0 {

enum class region : std::uint8_t { message, output };

// What there can ever be of each.
struct capacity {
    std::size_t message = unlimited;
    std::size_t output = unlimited;
};

// The memory of one connection. The functions stand in a table and not in a vtable, so that
// constant evaluation can call them, and no RTTI is needed.
class memory {
  public:
    struct functions {
        // At least `size` octets, or none.
        std::span<octet> (*take)(memory&, region, std::size_t size) noexcept = nullptr;
        void (*give_back)(memory&, region, std::span<octet>) noexcept = nullptr;
        capacity most{};
    };

    memory(const memory&) = delete;
    memory& operator=(const memory&) = delete;

    constexpr std::span<octet> take(region which, std::size_t size) noexcept {
        return functions_.take(*this, which, size);
    }
    constexpr void give_back(region which, std::span<octet> octets) noexcept {
        if (octets.data() != nullptr) functions_.give_back(*this, which, octets);
    }
    constexpr capacity most() const noexcept { return functions_.most; }

  protected:
    constexpr explicit memory(const functions& own) noexcept : functions_(own) {}
    ~memory() = default;

  private:
    const functions& functions_;
};

// More memory than there was: twice as much, but no more than there may ever be, so that growing
// octet by octet does not copy octet by octet. At least `size`, or none.
constexpr std::span<octet> take_more(memory& from, region which, std::size_t before,
                                     std::size_t size, std::size_t most) noexcept {
    std::size_t wish = before < 128 ? 256 : 2 * before;
    if (wish > most) wish = most;
    return from.take(which, size > wish ? size : wish);
}

// Of `delete[]`; null if there are none. Constant evaluation knows no other new.
constexpr octet* new_octets(std::size_t size) noexcept {
    return std::is_constant_evaluated() ? new octet[size] : new (std::nothrow) octet[size];
}

// Grows with what is in it; given back when nothing is.
class heap : public memory {
  public:
    constexpr heap() noexcept : memory(table) {}

  private:
    static constexpr std::span<octet> allocate(memory&, region, std::size_t size) noexcept {
        octet* const octets = new_octets(size);
        return {octets, octets == nullptr ? 0 : size};
    }
    static constexpr void free(memory&, region, std::span<octet> octets) noexcept {
        delete[] octets.data();
    }
    static constexpr functions table{allocate, free, {}};
};

// Lies in the object itself. `output` holds a message and 160 octets at least, so that one echo
// fits; a message, and the head of the opening handshake, have as many octets as `message`.
template <capacity Capacity = capacity{.message = 2048, .output = 2304}>
class fixed : public memory {
    static_assert(Capacity.message >= 256, "no head of an opening handshake is shorter");
    static_assert(Capacity.output >= Capacity.message + 160, "one echo has to fit");

  public:
    constexpr fixed() noexcept : memory(table) {}

  private:
    static constexpr std::span<octet> lend(memory& self, region which, std::size_t size) noexcept {
        auto& mine = static_cast<fixed&>(self);
        bool& taken = mine.taken_[static_cast<std::size_t>(which)];
        const std::span<octet> all = which == region::message ? std::span<octet>(mine.message_)
                                                              : std::span<octet>(mine.output_);
        if (taken || size > all.size()) return {};
        taken = true;
        return all;
    }
    static constexpr void end_loan(memory& self, region which, std::span<octet>) noexcept {
        static_cast<fixed&>(self).taken_[static_cast<std::size_t>(which)] = false;
    }
    static constexpr functions table{lend, end_loan, Capacity};

    std::array<octet, Capacity.message> message_{};
    std::array<octet, Capacity.output> output_{};
    std::array<bool, 2> taken_{};
};

}  // namespace sockless::inline v0
