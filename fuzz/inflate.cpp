// inflate.cpp -- libFuzzer runs the body of inflate.hpp.
#include "fuzz/inflate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::inflate::run({data, size});
    return 0;
}
