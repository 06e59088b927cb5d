// validate.cpp -- How long does it take to unmask text in place, and to see that it is UTF-8?
#include <cstddef>
#include <span>

#include <sockless/masking.hpp>
#include <sockless/payload.hpp>
#include <sockless/utf8.hpp>

#include "kernels.hpp"

namespace {

const bench::question asked([](bool quick) {
    using enum bench::part;
    for (const bench::text_case& each : bench::validated_texts(quick)) {
        bench::add_memcpy("validate " + bench::sized(each.size, each.what), each.size);
    }
    bench::add_validate(ours, "sockless", quick, [](unsigned char* data, std::size_t size) {
        sockless::masking_key key{bench::text_key};
        sockless::utf8_checker text;
        return sockless::unmask(std::span(data, size), key, true, text, size) == size &&
               text.needed() == 0;
    });
});

}  // namespace
