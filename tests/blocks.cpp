// blocks.cpp -- tests of blocks.hpp.
#include <sockless/blocks.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "support/catch.hpp"

using sockless::octet;
using sockless::detail::high_bits;
using sockless::detail::load;
using sockless::detail::merged;

namespace {

// Octets of which one is not 0, as a block and back.
template <class Block>
void check_each_octet() {
    for (std::size_t i = 0; i < sizeof(Block); ++i) {
        for (unsigned value = 0; value < 256; ++value) {
            std::array<octet, sizeof(Block)> octets{};
            octets[i] = static_cast<octet>(value);
            Block block{};
            load(octets.data(), block);
            std::array<octet, sizeof(Block)> copy{};
            std::memcpy(copy.data(), &block, sizeof block);
            if (copy != octets || (merged(block) != 0) != (value != 0) ||
                ((merged(block) & high_bits) != 0) != (value >= 0x80)) {
                FAIL("octet " << i << " is " << value);
            }
        }
    }
}

}  // namespace

TEST_CASE("a block of any width is what was loaded, and knows whether it is zeros, or ASCII") {
    check_each_octet<octet>();
    check_each_octet<std::uint16_t>();
    check_each_octet<std::uint32_t>();
    check_each_octet<std::uint64_t>();
    check_each_octet<sockless::detail::sure_block>();
}
