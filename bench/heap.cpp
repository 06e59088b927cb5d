// heap.cpp -- malloc itself, so that nobody gets past it. glibc only.
#include <cstddef>

#include <malloc.h>

#include "heap.hpp"

// Threads of a program that has some count, too, and none of them is measured.
namespace {
bench::heap_book book;
}

bench::heap_book bench::heap_now() { return book; }

extern "C" {
// glibc's own, under the names that it keeps for this.
void* __libc_malloc(std::size_t size);                     // NOLINT(*-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t size);  // NOLINT(*-reserved-identifier)
void* __libc_realloc(void* octets, std::size_t size);      // NOLINT(*-reserved-identifier)
void __libc_free(void* octets);                            // NOLINT(*-reserved-identifier)

void* malloc(std::size_t size) noexcept {
    void* const octets = __libc_malloc(size);
    ++book.taken;
    book.held += malloc_usable_size(octets);
    return octets;
}
void* calloc(std::size_t count, std::size_t size) noexcept {
    void* const octets = __libc_calloc(count, size);
    ++book.taken;
    book.held += malloc_usable_size(octets);
    return octets;
}
void* realloc(void* octets, std::size_t size) noexcept {
    book.held -= malloc_usable_size(octets);
    void* const moved = __libc_realloc(octets, size);
    ++book.taken;
    book.held += malloc_usable_size(moved);
    return moved;
}
void free(void* octets) noexcept {
    book.held -= malloc_usable_size(octets);
    __libc_free(octets);
}
}
