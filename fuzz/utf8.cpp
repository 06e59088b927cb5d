// utf8.cpp -- libFuzzer runs the body of utf8.hpp.
#include "fuzz/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::utf8::run({data, size});
    return 0;
}
