// heap_watch.hpp -- counts what is taken from the heap with operator new.
#pragma once

#include <cstddef>

namespace support {

// All allocations of the program so far.
std::size_t heap_allocations() noexcept;

class heap_watch {
  public:
    // How many since this was made.
    std::size_t count() const noexcept { return heap_allocations() - before_; }

  private:
    std::size_t before_ = heap_allocations();
};

}  // namespace support
