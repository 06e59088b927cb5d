// pair.cpp -- libFuzzer runs the body of pair.hpp.
#include "fuzz/pair.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::pair::run({data, size});
    return 0;
}
