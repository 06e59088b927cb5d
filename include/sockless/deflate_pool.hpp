// deflate_pool.hpp -- streams that many connections share (RFC 7692, 7.1.1).
//
// A connection that keeps no context from message to message needs a stream only while there is a
// message. So one stream deflates for all of them, and there are as many that inflate as there are
// messages that arrive at the same time.
#pragma once

#include <new>

#include <sockless/deflate_streams.hpp>

namespace sockless::inline v0 {

// For the connections of one thread, all of which it outlives.
class deflate_pool {
  public:
    deflate_pool() noexcept = default;
    explicit deflate_pool(const deflate_settings& how) noexcept : how_(how) {}
    deflate_pool(const deflate_pool&) = delete;
    deflate_pool& operator=(const deflate_pool&) = delete;
    ~deflate_pool() {
        while (pooled* const one = unused_) {
            unused_ = one->next;
            delete one;
        }
    }

    const deflate_settings& settings() const noexcept { return how_; }
    deflater& shared_deflater() noexcept { return deflater_; }

    // One that is open and fresh; null if there is no memory.
    inflater* borrow() noexcept {
        pooled* const one = unused_ != nullptr ? unused_ : new (std::nothrow) pooled;
        if (one == nullptr) return nullptr;
        unused_ = one->next;
        if (one->open(15)) return one;
        give_back(one);
        return nullptr;
    }
    void give_back(inflater* one) noexcept {
        auto* const mine = static_cast<pooled*>(one);
        if (mine->is_open()) mine->reset();
        mine->next = unused_;
        unused_ = mine;
    }

  private:
    struct pooled : inflater {
        pooled* next = nullptr;
    };

    deflate_settings how_{};
    deflater deflater_;
    pooled* unused_ = nullptr;
};

}  // namespace sockless::inline v0
