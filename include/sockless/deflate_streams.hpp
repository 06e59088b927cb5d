// deflate_streams.hpp -- raw streams of zlib, and where their memory comes from (RFC 1951, RFC
// 7692).
//
// An inflater knows nothing of messages, and a deflater only what RFC 7692 makes of one; of frames
// they know nothing. Each takes all of its memory when it is opened, and gives it back when it is
// closed: from an arena of the caller's, or the heap.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <zlib.h>

#include <sockless/octets.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

// Earlier ones write past their memory (CVE-2018-25032, CVE-2022-37434).
#if !defined(SOCKLESS_ALLOW_OLD_ZLIB)
static_assert(ZLIB_VERNUM >= 0x12d0, "zlib is older than 1.2.13: see SOCKLESS_ALLOW_OLD_ZLIB");
#endif

// The octets that zlib takes at the most: what an arena has to have for one of them. zconf.h gives
// the parts that depend on the parameters; what comes on top is the same for all.
constexpr std::size_t inflate_memory(int window_bits) noexcept {
    return (std::size_t{1} << window_bits) + 7'680;
}
constexpr std::size_t deflate_memory(int window_bits, int mem_level) noexcept {
    return (std::size_t{1} << (window_bits + 2)) + (std::size_t{1} << (mem_level + 9)) + 6'656;
}

// How a deflater works, in zlib's words.
struct deflate_settings {
    int level = 2;      // 1 to 9
    int mem_level = 5;  // 1 to 9
    int window_bits = 15;
};

// What zlib asks for memory: it does so a few times while a stream is opened, and never later.
class stream_memory {
  public:
    explicit stream_memory(std::span<octet> arena = {}) noexcept : arena_(arena) {}

    void lend_to(z_stream& stream) noexcept {
        used_ = 0;
        stream.zalloc = take;
        stream.zfree = give_back;
        stream.opaque = this;
    }

  private:
    static voidpf take(voidpf self, uInt items, uInt size) noexcept {
        auto& mine = *static_cast<stream_memory*>(self);
        const std::size_t octets = std::size_t{items} * size;
        if (mine.arena_.empty()) return new_octets(octets);
        constexpr std::size_t alignment = alignof(std::max_align_t);
        const auto next = detail::bit_cast<std::uintptr_t>(mine.arena_.data() + mine.used_);
        const std::size_t begin = mine.used_ + (alignment - next % alignment) % alignment;
        if (begin > mine.arena_.size() || octets > mine.arena_.size() - begin) return Z_NULL;
        mine.used_ = begin + octets;
        return mine.arena_.data() + begin;
    }
    static void give_back(voidpf self, voidpf octets) noexcept {
        if (static_cast<stream_memory*>(self)->arena_.empty()) delete[] static_cast<octet*>(octets);
    }

    std::span<octet> arena_;
    std::size_t used_ = 0;
};

// How far a step went.
struct stream_step {
    enum class is : std::uint8_t { done, stream_end, broken, no_memory };

    is what = is::done;
    std::size_t used = 0;  // octets taken
    std::size_t made = 0;  // octets written
};

namespace detail {
// zlib counts in 32 bits. What cannot be compressed takes an eighth more than it has.
constexpr uInt zlib_size(std::size_t size) noexcept {
    constexpr std::size_t most = std::size_t{1} << 31;
    return static_cast<uInt>(size < most ? size : most);
}

// Runs zlib over what is given. It takes no pointer to const, and changes nothing.
template <class Function>
stream_step run_zlib(z_stream& stream, std::span<const octet> in, std::span<octet> out,
                     Function function) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    stream.next_in = const_cast<octet*>(in.data());
    stream.avail_in = zlib_size(in.size());
    stream.next_out = out.data();
    stream.avail_out = zlib_size(out.size());
    const uInt given = stream.avail_in;
    const uInt room = stream.avail_out;
    const int answer = function(&stream);
    stream_step step{.used = given - stream.avail_in, .made = room - stream.avail_out};
    switch (answer) {
        case Z_OK:
        case Z_BUF_ERROR:  // there was nothing to do, or no room for it
            break;
        case Z_STREAM_END:
            step.what = stream_step::is::stream_end;
            break;
        case Z_MEM_ERROR:
            step.what = stream_step::is::no_memory;
            break;
        default:
            step.what = stream_step::is::broken;
    }
    return step;
}
}  // namespace detail

class inflater {
  public:
    explicit inflater(std::span<octet> arena = {}) noexcept : memory_(arena) {}
    inflater(const inflater&) = delete;
    inflater& operator=(const inflater&) = delete;
    ~inflater() { close(); }

    bool is_open() const noexcept { return open_; }
    // False: no memory.
    bool open(int window_bits) noexcept {
        if (open_) return true;
        stream_ = {};
        memory_.lend_to(stream_);
        at_end_ = false;
        open_ = inflateInit2(&stream_, -window_bits) == Z_OK;
        // It would take the window later; an empty dictionary makes it do so now.
        if (open_ && inflateSetDictionary(&stream_, no_octets.data(), 0) != Z_OK) close();
        return open_;
    }
    void close() noexcept {
        if (open_) inflateEnd(&stream_);
        open_ = false;
    }
    // A new stream begins, and knows nothing of what came before.
    void reset() noexcept {
        inflateReset(&stream_);
        at_end_ = false;
    }
    // The same with the window of the stream that has ended.
    void reset_behind_end() noexcept {
        inflateResetKeep(&stream_);
        at_end_ = false;
    }

    stream_step step(std::span<const octet> in, std::span<octet> out) noexcept {
        const stream_step done = detail::run_zlib(
            stream_, in, out, [](z_stream* s) noexcept { return ::inflate(s, Z_SYNC_FLUSH); });
        // There zlib can do nothing without input, but forgets where it is.
        if (!in.empty() || !at_end_) at_end_ = stream_.data_type == 128;
        return done;
    }
    // Is this the end of a block, and of its last octet?
    bool is_at_end_of_block() const noexcept { return at_end_; }

  private:
    static constexpr std::array<octet, 1> no_octets{};

    z_stream stream_{};
    stream_memory memory_;
    bool open_ = false;
    bool at_end_ = false;
};

class deflater {
  public:
    explicit deflater(std::span<octet> arena = {}) noexcept : memory_(arena) {}
    deflater(const deflater&) = delete;
    deflater& operator=(const deflater&) = delete;
    ~deflater() { close(); }

    bool is_open() const noexcept { return open_; }
    // False: no memory.
    bool open(const deflate_settings& how) noexcept {
        if (open_) return true;
        stream_ = {};
        memory_.lend_to(stream_);
        open_ = deflateInit2(&stream_, how.level, Z_DEFLATED, -how.window_bits, how.mem_level,
                             Z_DEFAULT_STRATEGY) == Z_OK;
        return open_;
    }
    void close() noexcept {
        if (open_) deflateEnd(&stream_);
        open_ = false;
    }
    void reset() noexcept { deflateReset(&stream_); }

    // The room that a message of this size needs; 0: zlib, which counts octets in 32 bits, cannot.
    std::size_t bound(std::size_t size) noexcept {
        constexpr std::size_t most = std::size_t{1} << 30;
        return size > most ? 0 : deflateBound(&stream_, static_cast<uLong>(size)) + 16;
    }
    // 7.2.1: compresses it, in as much room, and says how much of that it took.
    std::size_t message(std::span<const octet> plain, std::span<octet> out) noexcept {
        // 7.2.3.6: an empty message is an empty stored block, and only its first octet stays.
        if (plain.empty()) {
            out[0] = 0x00;
            return 1;
        }
        // "Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end."
        return step(plain, out).made - 4;
    }
    // All of it, up to a marker: an empty stored block, which ends with its last octet.
    stream_step step(std::span<const octet> in, std::span<octet> out) noexcept {
        return detail::run_zlib(stream_, in, out,
                                [](z_stream* s) noexcept { return ::deflate(s, Z_SYNC_FLUSH); });
    }

  private:
    z_stream stream_{};
    stream_memory memory_;
    bool open_ = false;
};

}  // namespace sockless::inline v0
