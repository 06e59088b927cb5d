// writer.cpp -- libFuzzer runs the body of writer.hpp.
#include "fuzz/writer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::writer::run({data, size});
    return 0;
}
