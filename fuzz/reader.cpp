// reader.cpp -- libFuzzer runs the body of reader.hpp, and changes its streams frame by frame as
// well.
#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/frame_mutator.hpp"
#include "fuzz/reader.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t room);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void mutate(std::string& octets) {
    std::vector<std::uint8_t> copy(octets.begin(), octets.end());
    copy.resize(octets.size() + 16);
    copy.resize(LLVMFuzzerMutate(copy.data(), octets.size(), copy.size()));
    octets.assign(copy.begin(), copy.end());
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed) {
    constexpr std::size_t head = 2;
    if (seed % 2 == 0 || size <= head) return LLVMFuzzerMutate(data, size, room);
    auto frames = fuzz::read_frames({data + head, size - head});
    fuzz::frame_mutator(seed, mutate).change(frames);
    const std::string stream = fuzz::write_frames(frames, (data[0] & 1) != 0);
    const std::size_t kept = std::min(stream.size(), room - head);
    std::copy_n(stream.begin(), kept, data + head);
    return head + kept;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::reader::run({data, size});
    return 0;
}
