// zlib_streams.hpp -- zlib by itself, as a peer of ours would use it: the oracle of what deflates
// and inflates.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <zlib.h>

#include "fuzz/expect.hpp"
#include "fuzz/source.hpp"

namespace fuzz {

inline constexpr std::string_view sync_marker{"\x00\x00\xFF\xFF", 4};

inline Bytef* to_zlib(std::string_view octets) {
    // zlib takes no pointer to const, and changes nothing.
    return reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
}

class zlib_deflater {
  public:
    zlib_deflater(int level, int window_bits, int mem_level, int strategy) {
        expect(deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, mem_level, strategy) == Z_OK,
               "zlib opens a stream");
    }
    zlib_deflater(const zlib_deflater&) = delete;
    zlib_deflater& operator=(const zlib_deflater&) = delete;
    ~zlib_deflater() { deflateEnd(&stream_); }

    void reset() { deflateReset(&stream_); }
    // What comes of it, up to such a flush. Behind Z_FINISH a new stream begins.
    std::string step(std::string_view in, int flush) {
        std::string made;
        std::array<char, 512> room{};
        stream_.next_in = to_zlib(in);
        stream_.avail_in = static_cast<uInt>(in.size());
        do {
            stream_.next_out = to_zlib({room.data(), room.size()});
            stream_.avail_out = room.size();
            ::deflate(&stream_, flush);
            made.append(room.data(), room.size() - stream_.avail_out);
        } while (stream_.avail_out == 0);
        expect(stream_.avail_in == 0, "zlib takes everything");
        if (flush == Z_FINISH) reset();
        return made;
    }

  private:
    z_stream stream_{};
};

class zlib_inflater {
  public:
    explicit zlib_inflater(int window_bits) {
        expect(inflateInit2(&stream_, -window_bits) == Z_OK, "zlib opens a stream");
    }
    zlib_inflater(const zlib_inflater&) = delete;
    zlib_inflater& operator=(const zlib_inflater&) = delete;
    ~zlib_inflater() { inflateEnd(&stream_); }

    void reset() { inflateReset(&stream_); }
    // 7.2.2: what a message says; nothing, if zlib refuses it, or there is more than so much of it.
    // With steps of one octet, zlib sees each distance that goes beyond the window.
    std::optional<std::string> message(std::string_view payload, std::size_t most,
                                       std::size_t step) {
        std::string made;
        bool ended = true;  // nothing of a stream was read
        if (!run(payload, most, step, made, ended)) return std::nullopt;
        // Where a stream has just ended, there was no marker to take away.
        if (!ended && !run(sync_marker, most, step, made, ended)) return std::nullopt;
        if (!ended && stream_.data_type != 128) return std::nullopt;
        return made;
    }

  private:
    bool run(std::string_view in, std::size_t most, std::size_t step, std::string& made,
             bool& ended) {
        std::array<char, 4096> room{};
        step = std::min(step, room.size());
        stream_.next_in = to_zlib(in);
        stream_.avail_in = static_cast<uInt>(in.size());
        do {
            if (stream_.avail_in > 0) ended = false;
            stream_.next_out = to_zlib({room.data(), room.size()});
            stream_.avail_out = static_cast<uInt>(step);
            const int got = ::inflate(&stream_, Z_SYNC_FLUSH);
            made.append(room.data(), step - stream_.avail_out);
            if (got == Z_STREAM_END) {
                ended = true;
                inflateResetKeep(&stream_);  // 7.2.2: the window stays
            } else if (got != Z_OK && got != Z_BUF_ERROR) {
                return false;
            }
            if (made.size() > most) return false;
        } while (stream_.avail_in > 0 || stream_.avail_out == 0);
        return true;
    }

    z_stream stream_{};
};

}  // namespace fuzz
