// deflate_pair.cpp -- libFuzzer runs the body of deflate_pair.hpp.
#include "fuzz/deflate_pair.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::deflate_pair::run({data, size});
    return 0;
}
