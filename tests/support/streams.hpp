// streams.hpp -- one stream, read in every way it can be cut.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include <sockless/limits.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>

namespace support {

using sockless::octet;

struct reader_setup {
    sockless::role receiver = sockless::role::server;
    sockless::limits limit{};
    bool rsv1 = false;
};

// The key of every frame that a client sends in these tests: the one of RFC 6455, 5.7.
inline constexpr sockless::masking_key client_key{{0x37, 0xFA, 0x21, 0x3D}};

// The sizes of the pieces that a stream is cut into, without a last one for what remains.
using cutting = std::span<const std::size_t>;

// Whole, octet by octet, cut in two at every place, and in three at every pair of places if there
// are at most 40 octets, else at random. Above 4096 octets, or with short effort, a sample.
void for_each_cutting(std::size_t size, const std::function<void(cutting)>& use);

// Reads the stream with a frame_reader, cut in each of these ways, from memory where a step outside
// is noticed. Gives the log, after these have been found true, or else fails the test:
// - the log, the frames in it, offset() and fault() are the same however the stream is cut,
// - and the same as those of the reference reader;
// - next() takes nothing from the heap, consumes all or tells something, and needs at most two
//   calls more than there are octets;
// - octets not consumed, an octet that is refused, and all behind the end stay as they came;
// - `remaining` counts down to 0 in every frame, and slices are well nested;
// - behind `close` and `violated` everything is consumed, nothing told, and nothing changed.
std::string read(const reader_setup& setup, std::span<const octet> stream);

// The same with a server_endpoint or client_endpoint, whose control() is asked after each event.
// The log has the frames that leave as `-> 8A 05 ...`, which have to be those of the reference
// builder: one Pong for each Ping, the code of the peer's Close or the one of the broken rule. Both
// times that it writes, over octets of A5 and over 5A, it writes the same and nothing behind.
std::string read_endpoint(const reader_setup& setup, std::span<const octet> stream);

}  // namespace support
