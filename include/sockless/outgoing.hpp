// outgoing.hpp -- octets to transmit: what has been offered stays where it is.
//
// Octets go into a ring, which never moves what is in it, so an asynchronous write may be under way
// while more is appended. A ring that is too small is replaced by a larger one; if it has been
// offered, the larger one stands behind it until it is empty. Behind all of them come octets that
// were lent: nothing is appended until those have left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <sockless/octets.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

// First in, first out.
class ring {
  public:
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr std::size_t room() const noexcept { return memory_.size() - size_; }

    // The next octets that leave, and the next place for others: each up to the end of the memory.
    constexpr std::span<const octet> front() const noexcept {
        const std::size_t to_end = memory_.size() - begin_;
        return memory_.subspan(begin_, size_ < to_end ? size_ : to_end);
    }
    constexpr std::span<octet> space() const noexcept {
        const std::size_t to_end = memory_.size() - begin_;
        if (size_ < to_end) return memory_.subspan(begin_ + size_);
        return memory_.subspan(size_ - to_end, room());
    }
    constexpr void add(std::size_t count) noexcept { size_ += count; }
    constexpr void drop(std::size_t count) noexcept {
        size_ -= count;
        begin_ += count;
        if (begin_ >= memory_.size()) begin_ -= memory_.size();
        if (size_ == 0) begin_ = 0;
    }

    // Moves what is in it to other memory, and gives the old.
    constexpr std::span<octet> move_to(std::span<octet> other) noexcept {
        const std::span<octet> old = memory_;
        const std::size_t first = copy_octets(front(), other);
        copy_octets(old.first(size_ - first), other.subspan(first));
        memory_ = other;
        begin_ = 0;
        return old;
    }

    constexpr std::span<octet> memory() const noexcept { return memory_; }

  private:
    std::span<octet> memory_{};
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
};

// What can leave in one system call: octets of our own, and behind them octets that were lent.
struct gather {
    std::span<const octet> own{};
    std::span<const octet> lent{};
};

class outgoing {
  public:
    constexpr outgoing(memory& from, std::size_t limit) noexcept : from_(from), limit_(limit) {}
    outgoing(const outgoing&) = delete;
    outgoing& operator=(const outgoing&) = delete;
    constexpr ~outgoing() { release_all(); }

    constexpr std::size_t own() const noexcept { return front_.size() + back_.size(); }
    constexpr std::size_t lent() const noexcept { return lent_.size(); }
    constexpr std::size_t size() const noexcept { return own() + lent(); }
    constexpr std::size_t limit() const noexcept { return limit_; }
    constexpr bool has_memory() const noexcept { return !front_.memory().empty(); }
    constexpr std::uint64_t appended() const noexcept { return transmitted_ + size(); }
    constexpr std::uint64_t transmitted() const noexcept { return transmitted_; }

    // Makes sure that so much can be appended; false, and nothing is different, if it cannot.
    constexpr bool reserve(std::size_t count) noexcept {
        if (count > limit_ || own() > limit_ - count) return false;
        return tail().room() >= count || grow(count);
    }
    // The same in one run: the place for the next octets holds them all.
    constexpr bool reserve_run(std::size_t count) noexcept {
        if (!reserve(count)) return false;
        if (space().size() >= count) return true;
        return offered_ > 0 ? give_memory(back_, count) : give_memory(tail(), own() + count);
    }
    // A place for the next octets of what was reserved; there may be another behind it.
    constexpr std::span<octet> space() noexcept { return tail().space(); }
    constexpr void add(std::size_t count) noexcept { tail().add(count); }

    constexpr void append(std::span<const octet> octets) noexcept {
        while (!octets.empty()) {
            const std::size_t copied = copy_octets(octets, space());
            add(copied);
            octets = octets.subspan(copied);
        }
    }
    constexpr void lend(std::span<const octet> octets) noexcept { lent_ = octets; }

    // The next octets, which stay where they are until they have been written.
    constexpr std::span<const octet> offer() noexcept {
        const std::span<const octet> run = front_.size() > 0 ? front_.front() : lent_;
        offer(run.size());
        return run;
    }
    constexpr gather offer_both() noexcept {
        gather both{.own = front_.front(), .lent = {}};
        if (both.own.size() == own()) both.lent = lent_;
        offer(both.own.size() + both.lent.size());
        return both;
    }
    // So many have been written; more than were offered is a mistake, and false.
    constexpr bool written(std::size_t count) noexcept {
        if (count > offered_) return false;
        offered_ -= count;
        transmitted_ += count;
        const std::size_t mine = count < front_.size() ? count : front_.size();
        front_.drop(mine);
        lent_ = lent_.subspan(count - mine);
        if (front_.size() == 0 && !back_.memory().empty()) {
            from_.give_back(region::output, front_.memory());
            front_ = back_;
            back_ = {};
        }
        return true;
    }

    // Forgets everything. What has been offered may still be read until its memory is given back.
    constexpr void clear() noexcept {
        front_.drop(front_.size());
        from_.give_back(region::output, back_.memory());
        back_ = {};
        lent_ = {};
        offered_ = 0;
    }
    constexpr void restart() noexcept {
        clear();
        transmitted_ = 0;
    }
    // Gives memory back if none of it is needed.
    constexpr void release() noexcept {
        if (own() == 0 && offered_ == 0) release_all();
    }

  private:
    // An offer is not taken back by a smaller one.
    constexpr void offer(std::size_t size) noexcept {
        offered_ = size > offered_ ? size : offered_;
    }

    constexpr ring& tail() noexcept { return back_.memory().empty() ? front_ : back_; }

    constexpr bool grow(std::size_t count) noexcept {
        if (back_.memory().empty() && offered_ > 0) return give_memory(back_, count);
        return give_memory(tail(), tail().size() + count);
    }
    constexpr bool give_memory(ring& to, std::size_t size) noexcept {
        const std::span<octet> larger =
            take_more(from_, region::output, to.memory().size(), size, limit_);
        if (larger.size() < size) return false;
        from_.give_back(region::output, to.move_to(larger));
        return true;
    }
    constexpr void release_all() noexcept {
        from_.give_back(region::output, front_.memory());
        from_.give_back(region::output, back_.memory());
        front_ = back_ = {};
    }

    memory& from_;
    ring front_;
    ring back_;
    std::span<const octet> lent_{};
    std::size_t offered_ = 0;
    std::size_t limit_;
    std::uint64_t transmitted_ = 0;
};

}  // namespace sockless::inline v0
