// heap_watch.cpp -- every form of operator new and delete, replaced by one that counts.

#include "support/heap_watch.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> held{0};

// What is refused: by default, nothing.
std::atomic<std::size_t> still_given{0};
std::atomic<std::size_t> still_refused{0};

// Where something is refused there is one thread.
bool is_refused() noexcept {
    if (still_refused == 0) return false;
    if (still_given > 0) {
        --still_given;
        return false;
    }
    --still_refused;
    return true;
}

void* count(void* memory) noexcept {
    if (memory == nullptr) return nullptr;
    allocations.fetch_add(1, std::memory_order_relaxed);
    held.fetch_add(1, std::memory_order_relaxed);
    return memory;
}

void* allocate(std::size_t size) noexcept { return count(std::malloc(size == 0 ? 1 : size)); }

void* allocate(std::size_t size, std::align_val_t alignment) noexcept {
    const auto unit = static_cast<std::size_t>(alignment);
    const std::size_t whole = (size + unit - 1) / unit * unit + (size == 0 ? unit : 0);
    return count(std::aligned_alloc(unit, whole));
}

void give_back(void* memory) noexcept {
    if (memory != nullptr) held.fetch_sub(1, std::memory_order_relaxed);
    std::free(memory);
}

void* or_throw(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

std::size_t support::heap_allocations() noexcept {
    return allocations.load(std::memory_order_relaxed);
}
std::size_t support::heap_held() noexcept { return held.load(std::memory_order_relaxed); }

void support::refuse_heap(std::size_t after, std::size_t count) noexcept {
    still_given = after;
    still_refused = count;
}

// clang-format off
using size = std::size_t;
using align = std::align_val_t;
using nothrow = const std::nothrow_t&;

void* operator new(size n) { return or_throw(allocate(n)); }
void* operator new[](size n) { return or_throw(allocate(n)); }
void* operator new(size n, align a) { return or_throw(allocate(n, a)); }
void* operator new[](size n, align a) { return or_throw(allocate(n, a)); }
void* operator new(size n, nothrow) noexcept { return is_refused() ? nullptr : allocate(n); }
void* operator new[](size n, nothrow) noexcept { return is_refused() ? nullptr : allocate(n); }
void* operator new(size n, align a, nothrow) noexcept { return is_refused() ? nullptr : allocate(n, a); }
void* operator new[](size n, align a, nothrow) noexcept { return is_refused() ? nullptr : allocate(n, a); }

void operator delete(void* p) noexcept { give_back(p); }
void operator delete[](void* p) noexcept { give_back(p); }
void operator delete(void* p, size) noexcept { give_back(p); }
void operator delete[](void* p, size) noexcept { give_back(p); }
void operator delete(void* p, align) noexcept { give_back(p); }
void operator delete[](void* p, align) noexcept { give_back(p); }
void operator delete(void* p, size, align) noexcept { give_back(p); }
void operator delete[](void* p, size, align) noexcept { give_back(p); }
void operator delete(void* p, nothrow) noexcept { give_back(p); }
void operator delete[](void* p, nothrow) noexcept { give_back(p); }
void operator delete(void* p, align, nothrow) noexcept { give_back(p); }
void operator delete[](void* p, align, nothrow) noexcept { give_back(p); }
// clang-format on
