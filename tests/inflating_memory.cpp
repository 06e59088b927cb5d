// Compressed messages that fill memory to its last octet, and come in any two pieces: the tail that
// is supplied goes into zlib together with the last octets of a message, if they are few.
#include <array>
#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include <zlib.h>

#include <sockless/deflate_streams.hpp>
#include <sockless/growing.hpp>
#include <sockless/inflating.hpp>
#include <sockless/storage.hpp>

#include "support/catch.hpp"

namespace {

using namespace sockless;
using octet_vector = std::vector<octet>;

octet_vector letters(std::size_t size, unsigned kinds) {
    std::minstd_rand random(static_cast<unsigned>(size + kinds));
    octet_vector text(size);
    for (octet& each : text) each = static_cast<octet>('a' + random() % kinds);
    return text;
}

// As a message travels, by zlib itself; `flush` may end the stream.
octet_vector packed(octet_vector message, int flush) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    octet_vector out(message.size() * 2 + 64);
    stream.next_in = message.data();
    stream.avail_in = static_cast<uInt>(message.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&stream, flush) == (flush == Z_FINISH ? Z_STREAM_END : Z_OK));
    out.resize(out.size() - stream.avail_out - (flush == Z_FINISH ? 0 : 4));
    deflateEnd(&stream);
    return out;
}

struct unpacked_message {
    inflated::is what = inflated::is::nothing;
    octet_vector text{};
    friend bool operator==(const unpacked_message&, const unpacked_message&) = default;
};

// In two pieces, and then the same once more with the same streams.
unpacked_message unpacked(std::span<const octet> message, std::size_t cut, inflater& stream) {
    heap storage;
    growing text(storage, unlimited);
    inflating in(100);
    in.take({message.first(cut), message_type::binary, true, false});
    const inflated first = in.append_to(text, stream, {1U << 20, 0});
    if (first.what != inflated::is::nothing) return {first.what};
    in.take({message.subspan(cut), message_type::binary, false, true});
    const inflated second = in.append_to(text, stream, {1U << 20, 0});
    return {second.what, {text.octets().begin(), text.octets().end()}};
}

}  // namespace

TEST_CASE("a message that fills memory to its last octet is whole, in any two pieces") {
    for (const unsigned kinds : {1U, 3U, 26U}) {
        for (const std::size_t size : {1U, 100U, 254U, 255U, 256U, 257U, 258U, 511U, 512U, 513U,
                                       1023U, 1024U, 1025U, 2048U}) {
            for (const int flush : {Z_SYNC_FLUSH, Z_FINISH}) {
                const octet_vector text = letters(size, kinds);
                const octet_vector message = packed(text, flush);
                inflater stream;
                REQUIRE(stream.open(15));
                CAPTURE(kinds, size, flush);
                for (std::size_t cut = 0; cut <= message.size(); ++cut) {
                    if (unpacked(message, cut, stream) !=
                        unpacked_message{inflated::is::message, text}) {
                        FAIL("cut at " << cut);
                    }
                    if (cut > 80 && cut + 600 < message.size()) cut += 7;
                }
            }
        }
    }
}

TEST_CASE("a message that ends in the middle of a block is broken, in any two pieces") {
    const octet_vector message = packed(letters(600, 26), Z_SYNC_FLUSH);
    for (std::size_t size = 1; size + 1 < message.size(); size += size < 20 ? 1 : 13) {
        for (std::size_t cut = 0; cut <= size; cut += 3) {
            inflater stream;
            REQUIRE(stream.open(15));
            CAPTURE(size, cut);
            CHECK(unpacked(std::span(message).first(size), cut, stream).what ==
                  inflated::is::broken);
        }
    }
}
