// connection_pair.cpp -- libFuzzer runs the body of connection_pair.hpp.
#include "fuzz/connection_pair.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::connection_pair::run({data, size});
    return 0;
}
