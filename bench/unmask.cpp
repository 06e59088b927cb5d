// unmask.cpp -- How long does it take to unmask in place?
#include <algorithm>
#include <cstddef>
#include <span>

#include <sockless/masking.hpp>

#include "kernels.hpp"

namespace {

const bench::question asked([](bool quick) {
    using enum bench::part;
    for (const std::size_t size : bench::unmasked_sizes(quick)) {
        bench::add_memcpy("unmask " + std::to_string(size), size);
    }
    bench::add_unmask(peer, "loop of octets", quick, [](unsigned char* data, std::size_t size) {
        bench::mask_octets(data, size, bench::any_key);
        return true;
    });
    bench::add_unmask(peer, "loop of words", quick, [](unsigned char* data, std::size_t size) {
        bench::mask_words(data, size, bench::any_key);
        return true;
    });
    bench::add_unmask(ours, "sockless", quick, [](unsigned char* data, std::size_t size) {
        sockless::mask(std::span(data, size), sockless::masking_key{bench::any_key});
        return true;
    });
    // What a machine without AVX2 takes.
    bench::add_unmask(ours, "sockless, sure blocks", quick,
                      [](unsigned char* data, std::size_t size) {
                          namespace detail = sockless::detail;
                          detail::mask_by<detail::sure_block>(data, data, size, {bench::any_key});
                          return true;
                      });
});

}  // namespace
