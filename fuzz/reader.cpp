// reader.cpp -- libFuzzer runs the body of reader.hpp, and changes its streams frame by frame as
// well.
#include <cstddef>
#include <cstdint>
#include <span>

#include "fuzz/frame_mutator.hpp"
#include "fuzz/own_mutator.hpp"
#include "fuzz/reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed) {
    if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, room);
    return fuzz::change_behind(2, data, size, room, [&](std::span<const std::uint8_t> stream) {
        auto frames = fuzz::read_frames(stream);
        fuzz::frame_mutator(seed, fuzz::mutate).change(frames);
        return fuzz::write_frames(frames, (data[0] & 1) != 0);
    });
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::reader::run({data, size});
    return 0;
}
