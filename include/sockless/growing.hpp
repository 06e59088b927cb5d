// growing.hpp -- octets that are put together: an unfinished message, or an unfinished head.
//
// Memory is taken as octets come, or as a caller is about to read them, and never because a header
// declares a length.
#pragma once

#include <cstddef>
#include <span>

#include <sockless/octets.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

class growing {
  public:
    constexpr growing(memory& from, std::size_t most) noexcept : from_(from), most_(most) {}
    growing(const growing&) = delete;
    growing& operator=(const growing&) = delete;
    constexpr ~growing() { from_.give_back(region::message, memory_); }

    constexpr std::span<octet> octets() const noexcept { return memory_.first(size_); }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool has_memory() const noexcept { return !memory_.empty(); }

    // Where the next octets go: as many as asked for, or none if there is no memory.
    constexpr std::span<octet> tail(std::size_t count) noexcept {
        if (memory_.size() - size_ < count && !grow(size_ + count)) return {};
        return memory_.subspan(size_, count);
    }
    // The same for as many as there is memory for, of at most so many. If that is fewer than wished
    // for, there will be more memory, as far as there can be.
    constexpr std::span<octet> space(std::size_t most, std::size_t wish = 1) noexcept {
        const std::size_t room = most_ > size_ ? most_ - size_ : 1;
        std::size_t few = wish < most ? wish : most;
        if (few > room) few = room;
        const std::size_t had = memory_.size() - size_;
        if (had < few && !grow(size_ + few) && had == 0) return {};
        const std::span<octet> free = memory_.subspan(size_);
        return free.first(free.size() < most ? free.size() : most);
    }
    // Do these octets lie there already?
    constexpr bool is_tail(std::span<const octet> octets) const noexcept {
        return has_memory() && octets.data() == memory_.data() + size_;
    }
    // So many of them are there now.
    constexpr void add(std::size_t count) noexcept { size_ += count; }

    // False, and nothing is different, if there is no memory. Octets that stand where they belong
    // already are not copied.
    constexpr bool append(std::span<const octet> octets) noexcept {
        const std::span<octet> to = tail(octets.size());
        if (to.size() < octets.size()) return false;
        if (!is_tail(octets)) copy_octets(octets, to);
        add(octets.size());
        return true;
    }

    constexpr void shrink(std::size_t size) noexcept { size_ = size; }
    constexpr void clear() noexcept { size_ = 0; }
    constexpr void release() noexcept {
        from_.give_back(region::message, memory_);
        memory_ = {};
        size_ = 0;
    }

  private:
    constexpr bool grow(std::size_t size) noexcept {
        const std::span<octet> larger =
            take_more(from_, region::message, memory_.size(), size, most_);
        if (larger.size() < size) return false;
        copy_octets(octets(), larger);
        from_.give_back(region::message, memory_);
        memory_ = larger;
        return true;
    }

    memory& from_;
    std::size_t most_;
    std::span<octet> memory_{};
    std::size_t size_ = 0;
};

}  // namespace sockless::inline v0
