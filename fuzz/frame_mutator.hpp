// frame_mutator.hpp -- changes a stream of frames as frames: lengths and mask bits stay right.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/source.hpp"
#include "support/reference.hpp"

namespace fuzz {

struct loose_frame {
    octet first = 0;
    int length_octets = 0;  // at least; 0, 2 or 8
    std::array<octet, 4> key{};
    std::string payload;        // not masked
    std::uint64_t missing = 0;  // what the length says beyond it
};

// Reads what looks like frames, right or wrong.
inline std::vector<loose_frame> read_frames(std::span<const octet> stream) {
    std::vector<loose_frame> frames;
    source in(stream);
    while (!in.empty()) {
        loose_frame frame;
        frame.first = in.take();
        const octet second = in.take();
        std::uint64_t length = second & 0x7F;
        if (length > 125) {
            frame.length_octets = length == 126 ? 2 : 8;
            length = 0;
            for (int i = 0; i < frame.length_octets; ++i) length = length << 8 | in.take();
        }
        reference::masking_key mask;
        if ((second & 0x80) != 0) {
            for (octet& one : frame.key) one = in.take();
            mask = frame.key;
        }
        std::string masked;
        while (masked.size() < length && !in.empty()) masked += static_cast<char>(in.take());
        frame.payload = reference::mask(mask, masked);
        frame.missing = length - masked.size();
        frames.push_back(frame);
    }
    return frames;
}

inline std::string write_frames(const std::vector<loose_frame>& frames, bool masked) {
    std::string stream;
    for (const loose_frame& frame : frames) {
        reference::masking_key mask;
        if (masked) mask = frame.key;
        const std::uint64_t length = frame.payload.size() + frame.missing;
        const int size = std::max(frame.length_octets, reference::shortest_length_octets(length));
        stream += reference::build_header((frame.first & 0x80) != 0, frame.first >> 4 & 7,
                                          frame.first & 0x0F, mask, size, length);
        stream += reference::mask(mask, frame.payload);
    }
    return stream;
}

class frame_mutator {
  public:
    // Changes the octets in its argument somehow.
    using scramble = void (*)(std::string& octets);

    frame_mutator(std::uint32_t seed, scramble any_how) : dice_(seed), any_how_(any_how) {}

    void change(std::vector<loose_frame>& frames) {
        if (frames.empty() || dice_.below(8) == 0) return insert(frames, new_frame());
        const std::size_t place = dice_.below(frames.size());
        loose_frame& frame = frames[place];
        switch (dice_.below(9)) {
            case 0:
                frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(place));
                break;
            case 1:
                insert(frames, loose_frame(frame));
                break;
            case 2:
                frame.first = first_octet();
                break;
            case 3:
                frame.first ^= static_cast<octet>(0x10U << dice_.below(4));
                break;
            case 4:
                split(frames, place);
                break;
            case 5:
                frame.payload.insert(dice_.below(frame.payload.size() + 1), some_payload());
                break;
            case 6:
                frame.key = {};
                break;
            case 7:
                set_length(frame);
                break;
            default:
                any_how_(frame.payload);
                break;
        }
    }

  private:
    void insert(std::vector<loose_frame>& frames, const loose_frame& frame) {
        const std::size_t place = dice_.below(frames.size() + 1);
        frames.insert(frames.begin() + static_cast<std::ptrdiff_t>(place), frame);
    }

    // Into two fragments, the second of which goes on with the first.
    void split(std::vector<loose_frame>& frames, std::size_t place) {
        const std::size_t cut = dice_.below(frames[place].payload.size() + 1);
        loose_frame rest = frames[place];
        rest.first &= 0x80;
        rest.payload.erase(0, cut);
        frames[place].missing = 0;
        frames[place].first &= 0x7F;
        frames[place].payload.resize(cut);
        frames.insert(frames.begin() + static_cast<std::ptrdiff_t>(place + 1), rest);
    }

    octet first_octet() {
        constexpr std::array<octet, 6> opcodes{0x0, 0x1, 0x2, 0x8, 0x9, 0xA};
        const int op = opcodes[dice_.below(opcodes.size())];
        return static_cast<octet>(op | (op >= 0x8 || dice_.below(2) == 0 ? 0x80 : 0));
    }

    // To the longest frame, message or control payload of some limits, or one more; at the end of a
    // stream not all of it has to come.
    void set_length(loose_frame& frame) {
        constexpr std::array<std::uint64_t, 14> edges{
            0,    1,    100,     101,         125,     126,        1000,
            1164, 2149, 1 << 20, 0xFFFF + 1U, 1180672, UINT32_MAX, UINT64_MAX >> 1};
        const std::uint64_t length = edges[dice_.below(edges.size())] + dice_.below(2);
        frame.payload.resize(static_cast<std::size_t>(std::min<std::uint64_t>(length, 126)), 'y');
        frame.missing = length - frame.payload.size();
        constexpr std::array<int, 6> forms{0, 0, 0, 0, 2, 8};
        frame.length_octets = forms[dice_.below(forms.size())];
    }

    std::string some_payload() {
        using namespace std::string_view_literals;
        constexpr std::array<std::string_view, 12> pieces{
            ""sv,         "a"sv,        "\xC3\xA9"sv,         "\xE2\x82\xAC"sv,
            "\xED\xA0"sv, "\xE0\x9F"sv, "\xF0\x9F\x98\x80"sv, "\xF4\x90"sv,
            "\x03\xE8"sv, "\x03\xF7"sv, "\x13\x87"sv,         "plain ASCII text"sv};
        if (dice_.below(32) == 0) return std::string(dice_.below(140), 'x');
        return std::string(pieces[dice_.below(pieces.size())]);
    }

    loose_frame new_frame() {
        loose_frame frame;
        frame.first = first_octet();
        frame.payload = some_payload();
        return frame;
    }

    dice dice_;
    scramble any_how_;
};

}  // namespace fuzz
