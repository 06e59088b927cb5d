// counted_memory.hpp -- what a connection is given: memory that counts and refuses, and keys that
// are noted.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <sockless/masking.hpp>
#include <sockless/sending.hpp>
#include <sockless/storage.hpp>

#include "fuzz/source.hpp"

namespace fuzz::connection_pair {

using sockless::masking_key;
using sockless::region;

struct shape {
    sockless::capacity most;
    bool refuses = false;   // one of eight
    bool generous = false;  // gives more than was asked for
};

// Nothing is thrown out of the library: what is broken is kept until somebody looks.
class counted final : public sockless::memory {
  public:
    counted(const functions& own, const shape& with, octet seed)
        : memory(own), shape_(with), dice_(seed) {}
    ~counted() = default;

    static const functions& table(std::size_t which) {
        static constexpr std::array<functions, 3> tables{{
            {take_some, take_back, {}},
            {take_some, take_back, {.message = 256, .output = 416}},
            {take_some, take_back, {.message = 700, .output = 1500}},
        }};
        return tables[which];
    }

    void set_bound(std::size_t bound) { bound_ = bound; }
    bool refused() const { return refused_; }
    const char* broken() const { return broken_; }
    bool is_empty() const { return given_.empty(); }

  private:
    struct loan {
        region which;
        std::size_t size;
        std::unique_ptr<octet[]> octets;
    };

    static std::span<octet> take_some(memory& self, region which, std::size_t size) noexcept {
        return static_cast<counted&>(self).give(which, size);
    }
    static void take_back(memory& self, region which, std::span<octet> octets) noexcept {
        static_cast<counted&>(self).get_back(which, octets);
    }

    std::span<octet> give(region which, std::size_t size) {
        const std::size_t most =
            which == region::message ? shape_.most.message : shape_.most.output;
        refused_ = size > most || (shape_.refuses && dice_.below(8) == 0);
        if (refused_) return {};
        if (size > bound_) broken_ = "invariant 27: memory keeps within the limits";
        if (shape_.generous) size += std::min(dice_.below(40), most - size);
        given_.push_back({which, size, std::unique_ptr<octet[]>(new octet[size])});
        const auto same = [&](const loan& one) { return one.which == which; };
        if (std::count_if(given_.begin(), given_.end(), same) > 3) {
            broken_ = "invariant 27: there are not many regions";
        }
        return {given_.back().octets.get(), size};
    }

    void get_back(region which, std::span<octet> octets) {
        const auto found = std::find_if(given_.begin(), given_.end(), [&](const loan& one) {
            return one.octets.get() == octets.data();
        });
        if (found == given_.end() || found->which != which || found->size != octets.size()) {
            broken_ = "invariant 27: what is given back was taken";
            return;
        }
        given_.erase(found);
    }

    shape shape_;
    dice dice_;
    std::vector<loan> given_;
    std::size_t bound_ = sockless::unlimited;
    bool refused_ = false;
    const char* broken_ = nullptr;
};

class noted_keys final : public sockless::key_source {
  public:
    noted_keys() : key_source(next) {}
    const std::vector<masking_key>& drawn() const { return drawn_; }
    void forget() { drawn_.clear(); }

  private:
    static masking_key next(key_source& self) noexcept {
        auto& mine = static_cast<noted_keys&>(self);
        masking_key key;
        for (octet& one : key.octets) one = static_cast<octet>(mine.dice_.roll());
        mine.drawn_.push_back(key);
        return key;
    }
    dice dice_{7};
    std::vector<masking_key> drawn_;
};

}  // namespace fuzz::connection_pair
