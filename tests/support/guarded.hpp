// guarded.hpp -- copies of octets in memory where a step outside is noticed.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <sockless/octets.hpp>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#include <unistd.h>

#include <new>
#endif

namespace support {

using sockless::octet;

// In an allocation of exactly their size, which AddressSanitizer watches.
class exact {
  public:
    explicit exact(std::span<const octet> octets)
        : octets_(std::make_unique<octet[]>(octets.size())), size_(octets.size()) {
        sockless::copy_octets(octets, span());
    }

    std::span<octet> span() const { return {octets_.get(), size_}; }

  private:
    std::unique_ptr<octet[]> octets_;
    std::size_t size_;
};

#if __has_include(<sys/mman.h>)

namespace detail {

// Pages between two that may not be touched. They are used again and again: mapping is slow.
struct guarded_pages {
    octet* begin = nullptr;
    std::size_t size = 0;
};

inline std::vector<guarded_pages>& unused_pages() {
    static std::vector<guarded_pages> pages;
    return pages;
}

inline guarded_pages map_pages(std::size_t size) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t whole = (size / page + 1) * page;
    void* const all = ::mmap(nullptr, whole + 2 * page, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) throw std::bad_alloc();
    octet* const begin = static_cast<octet*>(all) + page;
    if (::mprotect(all, page, PROT_NONE) != 0 || ::mprotect(begin + whole, page, PROT_NONE) != 0) {
        throw std::bad_alloc();
    }
    return {begin, whole};
}

inline guarded_pages take_pages(std::size_t size) {
    std::vector<guarded_pages>& unused = unused_pages();
    for (guarded_pages& candidate : unused) {
        if (candidate.size < size) continue;
        const guarded_pages taken = candidate;
        candidate = unused.back();
        unused.pop_back();
        return taken;
    }
    return map_pages(size);
}

class guarded_octets {
  public:
    guarded_octets(const guarded_octets&) = delete;
    guarded_octets& operator=(const guarded_octets&) = delete;

    std::span<octet> span() const { return octets_; }

  protected:
    guarded_octets(std::span<const octet> octets, bool at_end)
        : pages_(take_pages(octets.size())),
          octets_(std::span(pages_.begin, pages_.size)
                      .subspan(at_end ? pages_.size - octets.size() : 0, octets.size())) {
        sockless::copy_octets(octets, octets_);
    }
    // Whoever keeps a pointer to them finds something else there.
    ~guarded_octets() {
        for (octet& o : octets_) o = 0xA5;
        unused_pages().push_back(pages_);
    }

  private:
    guarded_pages pages_;
    std::span<octet> octets_;
};

}  // namespace detail

// Behind their last octet comes a page that may not be touched.
class guarded : public detail::guarded_octets {
  public:
    explicit guarded(std::span<const octet> octets) : guarded_octets(octets, true) {}
};

// The same in front of their first.
class guarded_front : public detail::guarded_octets {
  public:
    explicit guarded_front(std::span<const octet> octets) : guarded_octets(octets, false) {}
};

#else

using guarded = exact;
using guarded_front = exact;

#endif

}  // namespace support
