// kernels.cpp -- libFuzzer runs the body of kernels.hpp.
#include "fuzz/kernels.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::kernels::run({data, size});
    return 0;
}
