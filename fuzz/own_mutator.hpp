// own_mutator.hpp -- what libFuzzer's targets share that change their inputs in a way of their own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t room);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed);

namespace fuzz {

// libFuzzer's own way.
inline void mutate(std::string& octets) {
    std::vector<std::uint8_t> copy(octets.begin(), octets.end());
    copy.resize(octets.size() + 16);
    copy.resize(LLVMFuzzerMutate(copy.data(), octets.size(), copy.size()));
    octets.assign(copy.begin(), copy.end());
}

// Leaves the first octets of an input, which choose a setting, as they are, and puts what `change`
// makes of the rest behind them. Without a rest libFuzzer changes everything.
template <class Change>
std::size_t change_behind(std::size_t front, std::uint8_t* data, std::size_t size, std::size_t room,
                          Change change) {
    if (size <= front) return LLVMFuzzerMutate(data, size, room);
    const std::string changed = change(std::span<const std::uint8_t>(data + front, size - front));
    const std::size_t kept = std::min(changed.size(), room - front);
    std::copy_n(changed.begin(), kept, data + front);
    return front + kept;
}

}  // namespace fuzz
