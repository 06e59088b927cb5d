// event_range.hpp -- a range over next(): `for (const auto& event : machine.receive(in))`.
//
// Taking events is lazy: `in` always begins right after the last event taken, so that a loop may
// be left early and nothing is lost.
#pragma once

#include <span>

#include <sockless/octets.hpp>

namespace sockless::inline v0 {

template <class Machine, class Event>
class event_range {
  public:
    struct end_mark {};

    class iterator {
      public:
        constexpr iterator(Machine& machine, std::span<octet>& in) noexcept
            : machine_(machine), in_(in) {
            machine_.next(in_, event_);
        }

        constexpr const Event& operator*() const noexcept { return event_; }
        constexpr const Event* operator->() const noexcept { return &event_; }
        constexpr iterator& operator++() noexcept {
            machine_.next(in_, event_);
            return *this;
        }
        friend constexpr bool operator==(const iterator& left, end_mark) noexcept {
            return left.event_.kind == Event::what::nothing;
        }

      private:
        Machine& machine_;
        std::span<octet>& in_;
        Event event_;
    };

    constexpr event_range(Machine& machine, std::span<octet>& in) noexcept
        : machine_(machine), in_(in) {}

    constexpr iterator begin() const noexcept { return {machine_, in_}; }
    constexpr end_mark end() const noexcept { return {}; }

  private:
    Machine& machine_;
    std::span<octet>& in_;
};

}  // namespace sockless::inline v0
