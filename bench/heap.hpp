// heap.hpp -- a book of the heap, of everybody's: of new, and of malloc in a library of C.
#pragma once

#include <cstddef>

namespace bench {

struct heap_book {
    std::size_t taken = 0;  // so many allocations; a realloc is one
    std::size_t held = 0;   // octets, as malloc has rounded them
};

heap_book heap_now();

}  // namespace bench
