// heap_watch.hpp -- counts what is taken from the heap with operator new, and makes it fail.
#pragma once

#include <cstddef>
#include <cstdint>

namespace support {

// All allocations of the program so far, and those of them that were not given back.
std::size_t heap_allocations() noexcept;
std::size_t heap_held() noexcept;

// Operator new (std::nothrow) gives memory `after` times from now on, and then `count` times none.
void refuse_heap(std::size_t after, std::size_t count) noexcept;

class heap_watch {
  public:
    // How many since this was made.
    std::size_t count() const noexcept { return heap_allocations() - before_; }
    // And how many more there are now than there were then.
    std::size_t held() const noexcept { return heap_held() - held_before_; }

  private:
    std::size_t before_ = heap_allocations();
    std::size_t held_before_ = heap_held();
};

// As long as it lives, so many that ask for memory without exceptions get none.
class no_heap {
  public:
    explicit no_heap(std::size_t after = 0, std::size_t count = SIZE_MAX) noexcept {
        refuse_heap(after, count);
    }
    no_heap(const no_heap&) = delete;
    no_heap& operator=(const no_heap&) = delete;
    ~no_heap() { refuse_heap(0, 0); }
};

}  // namespace support
