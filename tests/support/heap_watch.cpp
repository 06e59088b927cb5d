// heap_watch.cpp -- every form of operator new and delete, replaced by one that counts.

#include "support/heap_watch.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> allocations{0};

void* allocate(std::size_t size) noexcept {
    allocations.fetch_add(1, std::memory_order_relaxed);
    return std::malloc(size == 0 ? 1 : size);
}

void* allocate(std::size_t size, std::align_val_t alignment) noexcept {
    allocations.fetch_add(1, std::memory_order_relaxed);
    const auto unit = static_cast<std::size_t>(alignment);
    return std::aligned_alloc(unit, (size + unit - 1) / unit * unit + (size == 0 ? unit : 0));
}

void* or_throw(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

std::size_t support::heap_allocations() noexcept {
    return allocations.load(std::memory_order_relaxed);
}

// clang-format off
using size = std::size_t;
using align = std::align_val_t;
using nothrow = const std::nothrow_t&;

void* operator new(size n) { return or_throw(allocate(n)); }
void* operator new[](size n) { return or_throw(allocate(n)); }
void* operator new(size n, align a) { return or_throw(allocate(n, a)); }
void* operator new[](size n, align a) { return or_throw(allocate(n, a)); }
void* operator new(size n, nothrow) noexcept { return allocate(n); }
void* operator new[](size n, nothrow) noexcept { return allocate(n); }
void* operator new(size n, align a, nothrow) noexcept { return allocate(n, a); }
void* operator new[](size n, align a, nothrow) noexcept { return allocate(n, a); }

void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, size) noexcept { std::free(p); }
void operator delete[](void* p, size) noexcept { std::free(p); }
void operator delete(void* p, align) noexcept { std::free(p); }
void operator delete[](void* p, align) noexcept { std::free(p); }
void operator delete(void* p, size, align) noexcept { std::free(p); }
void operator delete[](void* p, size, align) noexcept { std::free(p); }
void operator delete(void* p, nothrow) noexcept { std::free(p); }
void operator delete[](void* p, nothrow) noexcept { std::free(p); }
void operator delete(void* p, align, nothrow) noexcept { std::free(p); }
void operator delete[](void* p, align, nothrow) noexcept { std::free(p); }
// clang-format on
