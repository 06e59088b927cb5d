// Raw streams of zlib: what they take, what comes out of them, and every way in which they fail.

#include <sockless/deflate_streams.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <zlib.h>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"
#include "support/heap_watch.hpp"
#include "support/octets.hpp"

namespace {

using namespace sockless;
using support::exact;
using support::hex;
using octet_vector = std::vector<octet>;

static_assert(!std::is_copy_constructible_v<inflater> && !std::is_copy_assignable_v<inflater>);
static_assert(!std::is_move_constructible_v<inflater> && !std::is_move_assignable_v<inflater>);
static_assert(!std::is_copy_constructible_v<deflater> && !std::is_copy_assignable_v<deflater>);
static_assert(!std::is_move_constructible_v<deflater> && !std::is_move_assignable_v<deflater>);
static_assert(!std::is_convertible_v<std::span<octet>, inflater>);
static_assert(!std::is_convertible_v<std::span<octet>, deflater>);

// A message has at most 2^30 octets, and takes more than that if it cannot be compressed.
static_assert(detail::zlib_size(0) == 0 && detail::zlib_size(1) == 1);
static_assert(detail::zlib_size(std::size_t{1} << 30) == std::size_t{1} << 30);
static_assert(detail::zlib_size((std::size_t{1} << 30) / 7 * 8) == (std::size_t{1} << 30) / 7 * 8);
static_assert(detail::zlib_size(SIZE_MAX) == std::size_t{1} << 31);

constexpr std::array<octet, 4> marker{0x00, 0x00, 0xFF, 0xFF};

// What zlib takes, by its own word.
struct zlib_book {
    std::size_t takes = 0;
    std::size_t octets = 0;
    std::map<void*, std::unique_ptr<octet[]>> held{};

    static voidpf take(voidpf self, uInt items, uInt size) {
        auto& mine = *static_cast<zlib_book*>(self);
        ++mine.takes;
        mine.octets += std::size_t{items} * size;
        auto octets = std::make_unique<octet[]>(std::size_t{items} * size);
        void* const place = octets.get();
        mine.held[place] = std::move(octets);
        return place;
    }
    static void give_back(voidpf self, voidpf octets) {
        REQUIRE(static_cast<zlib_book*>(self)->held.erase(octets) == 1);
    }
};

z_stream counted_by(zlib_book& book) {
    z_stream stream{};
    stream.zalloc = zlib_book::take;
    stream.zfree = zlib_book::give_back;
    stream.opaque = &book;
    return stream;
}

octet_vector noise(std::size_t size, std::uint32_t seed) {
    std::mt19937 random(seed);
    octet_vector octets(size);
    for (octet& o : octets) o = static_cast<octet>(random());
    return octets;
}

// What compresses well, but not to nothing.
octet_vector prose(std::size_t size, std::uint32_t seed) {
    static constexpr std::array<std::string_view, 8> words{
        "{\"name\": ", "\"value\": ", "the ", "message ", "\xE2\x82\xAC ", "12345, ", "}, ", "of "};
    std::mt19937 random(seed);
    octet_vector octets;
    while (octets.size() < size) {
        const std::string_view word = words.at(random() % words.size());
        octets.insert(octets.end(), word.begin(), word.end());
        if (random() % 4 == 0) octets.push_back(static_cast<octet>(random()));
    }
    octets.resize(size);
    return octets;
}

// All of a message, with the marker behind it, in memory of the size that bound() promises.
octet_vector deflated(deflater& stream, std::span<const octet> message) {
    const exact out(octet_vector(stream.bound(message.size()), 0xA5));
    const octet_vector before(message.begin(), message.end());
    const stream_step step = stream.step(message, out.span());
    REQUIRE(step.what == stream_step::is::done);
    REQUIRE(step.used == message.size());
    // If there is no room left, nobody knows whether that was all.
    REQUIRE(step.made < out.span().size());
    REQUIRE(std::equal(before.begin(), before.end(), message.begin(), message.end()));
    const std::span<octet> made = out.span().first(step.made);
    const octet_vector all(made.begin(), made.end());
    REQUIRE(all.size() >= marker.size());
    REQUIRE(std::equal(marker.begin(), marker.end(), all.end() - marker.size()));
    return all;
}

octet_vector inflated_by(inflater& stream, std::span<const octet> octets, std::size_t size) {
    const exact in(octets);
    const exact out(octet_vector(size + 1));
    const stream_step step = stream.step(in.span(), out.span());
    REQUIRE(step.what == stream_step::is::done);
    REQUIRE(step.used == octets.size());
    REQUIRE(step.made == size);
    REQUIRE(std::equal(octets.begin(), octets.end(), in.span().begin()));
    const std::span<octet> made = out.span().first(step.made);
    return {made.begin(), made.end()};
}

constexpr int least_window = 9;
constexpr int largest_window = 15;

}  // namespace

// ---- memory ----

TEST_CASE("inflate_memory is enough for what zlib takes, and no more than 12 % and 1 KiB above") {
    for (int bits = 8; bits <= largest_window; ++bits) {
        CAPTURE(bits);
        zlib_book book;
        z_stream stream = counted_by(book);
        REQUIRE(inflateInit2(&stream, -bits) == Z_OK);
        REQUIRE(inflateSetDictionary(&stream, marker.data(), 0) == Z_OK);
        const std::size_t takes = book.takes;
        // And this was all of it.
        deflater other;
        REQUIRE(other.open({.level = 6, .mem_level = 9, .window_bits = bits < 9 ? 9 : bits}));
        octet_vector message = deflated(other, prose(50, 1));
        octet_vector out(200'000);
        for (int round = 0; round < 3; ++round) {
            stream.next_in = message.data();
            stream.avail_in = static_cast<uInt>(message.size());
            stream.next_out = out.data();
            stream.avail_out = static_cast<uInt>(out.size());
            REQUIRE(inflate(&stream, Z_SYNC_FLUSH) == Z_OK);
            REQUIRE(inflateReset(&stream) == Z_OK);
            message = deflated(other, noise(70'000, 2));
            REQUIRE(deflated(other, noise(10, 3)).size() > 10);
            other.reset();
        }
        CHECK(book.takes == takes);
        CHECK(book.octets <= inflate_memory(bits));
        CHECK(inflate_memory(bits) <= book.octets + book.octets * 12 / 100 + 1024);
        inflateEnd(&stream);
        CHECK(book.held.empty());
    }
}

TEST_CASE("deflate_memory is enough for what zlib takes, and no more than 12 % and 1 KiB above") {
    for (int bits = least_window; bits <= largest_window; ++bits) {
        for (int mem_level = 1; mem_level <= 9; ++mem_level) {
            for (const int level : {1, 6, 9}) {
                CAPTURE(bits, mem_level, level);
                zlib_book book;
                z_stream stream = counted_by(book);
                REQUIRE(deflateInit2(&stream, level, Z_DEFLATED, -bits, mem_level,
                                     Z_DEFAULT_STRATEGY) == Z_OK);
                const std::size_t takes = book.takes;
                octet_vector message = prose(5'000, 1);
                octet_vector out(10'000);
                for (int round = 0; round < 2; ++round) {
                    stream.next_in = message.data();
                    stream.avail_in = static_cast<uInt>(message.size());
                    stream.next_out = out.data();
                    stream.avail_out = static_cast<uInt>(out.size());
                    REQUIRE(deflate(&stream, Z_SYNC_FLUSH) == Z_OK);
                    REQUIRE(deflateReset(&stream) == Z_OK);
                }
                CHECK(book.takes == takes);
                const std::size_t octets = deflate_memory(bits, mem_level);
                CHECK(book.octets <= octets);
                CHECK(octets <= book.octets + book.octets * 12 / 100 + 1024);
                deflateEnd(&stream);
                CHECK(book.held.empty());
            }
        }
    }
}

TEST_CASE("An arena of that size is enough wherever it begins, and nothing comes from the heap") {
    const octet_vector message = prose(3'000, 4);
    const auto check = [&](int bits, int mem_level, std::size_t from) {
        CAPTURE(bits, mem_level, from);
        const exact in(octet_vector(inflate_memory(bits) + from));
        const exact out(octet_vector(deflate_memory(bits, mem_level) + from));
        std::size_t allocations = SIZE_MAX;
        octet_vector made(4'000);
        octet_vector back(4'000);
        {
            inflater reader(in.span().subspan(from));
            deflater writer(out.span().subspan(from));
            const support::heap_watch watch;
            for (int again = 0; again < 2; ++again) {
                CHECK(reader.open(bits));
                CHECK(writer.open({.level = 6, .mem_level = mem_level, .window_bits = bits}));
                for (int i = 0; i < 2; ++i) {
                    const stream_step wrote = writer.step(message, made);
                    const stream_step read = reader.step(std::span(made).first(wrote.made), back);
                    CHECK(read.made == message.size());
                }
                reader.close();
                writer.close();
            }
            allocations = watch.count();
        }
        CHECK(allocations == 0);
        CHECK(std::equal(message.begin(), message.end(), back.begin()));
    };
    for (int bits = least_window; bits <= largest_window; ++bits) {
        for (int mem_level = 1; mem_level <= 9; ++mem_level) check(bits, mem_level, 0);
    }
    for (std::size_t from = 1; from <= 32; ++from) check(9, 1, from);
    const exact arena(octet_vector(inflate_memory(8)));
    inflater smallest(arena.span());
    CHECK(smallest.open(8));
}

TEST_CASE("What zlib gets from an arena is aligned, apart from each other, and inside") {
    constexpr std::size_t alignment = alignof(std::max_align_t);
    for (std::size_t from = 0; from <= 2 * alignment; ++from) {
        const exact memory(octet_vector(1'000));
        const std::span<octet> arena = memory.span().subspan(from);
        stream_memory book(arena);
        z_stream stream{};
        book.lend_to(stream);
        const octet* before = arena.data();
        std::size_t octets = 0;
        for (uInt size = 1; size < 40; ++size) {
            auto* const got = static_cast<octet*>(stream.zalloc(stream.opaque, size % 3 + 1, size));
            if (got == nullptr) break;
            REQUIRE(std::bit_cast<std::uintptr_t>(got) % alignment == 0);
            REQUIRE(got >= before);
            before = got + std::size_t{size % 3 + 1} * size;
            REQUIRE(before <= arena.data() + arena.size());
            octets += std::size_t{size % 3 + 1} * size;
            stream.zfree(stream.opaque, got);
        }
        CHECK(octets > 500);
        // To the last octet, and no further.
        book.lend_to(stream);
        const auto* const first = static_cast<octet*>(stream.zalloc(stream.opaque, 1, 1));
        REQUIRE(first != nullptr);
        const std::size_t skipped = static_cast<std::size_t>(first - arena.data()) + alignment;
        const auto rest = static_cast<uInt>(arena.size() - skipped);
        CHECK(stream.zalloc(stream.opaque, 1, rest + 1) == nullptr);
        CHECK(stream.zalloc(stream.opaque, 2, UINT32_MAX) == nullptr);
        CHECK(stream.zalloc(stream.opaque, 1, rest) != nullptr);
        CHECK(stream.zalloc(stream.opaque, 1, 1) == nullptr);
        CHECK(stream.zalloc(stream.opaque, 1, 0) == nullptr);
    }
    // There is not even a place that is aligned.
    std::array<octet, 2> tiny{};
    for (std::size_t from = 0; from < 2; ++from) {
        stream_memory book(std::span<octet>(tiny).subspan(from, 1));
        z_stream stream{};
        book.lend_to(stream);
        CHECK(stream.zalloc(stream.opaque, 1, 2) == nullptr);
    }
}

TEST_CASE("An arena of a quarter less is too small, and that is a clean no") {
    for (int bits = 8; bits <= largest_window; ++bits) {
        CAPTURE(bits);
        const exact arena(octet_vector(inflate_memory(bits) * 3 / 4));
        const support::heap_watch watch;
        inflater stream(arena.span());
        CHECK_FALSE(stream.open(bits));
        CHECK_FALSE(stream.is_open());
        CHECK_FALSE(stream.open(bits));
        stream.close();
        CHECK(watch.held() == 0);
    }
    for (int bits = least_window; bits <= largest_window; ++bits) {
        for (int mem_level = 1; mem_level <= 9; ++mem_level) {
            CAPTURE(bits, mem_level);
            const exact arena(octet_vector(deflate_memory(bits, mem_level) * 3 / 4));
            deflater stream(arena.span());
            CHECK_FALSE(stream.open({.mem_level = mem_level, .window_bits = bits}));
            CHECK_FALSE(stream.is_open());
            stream.close();
            // What fits is open afterwards.
            if (bits > 9 && mem_level > 1) {
                CHECK(stream.open({.mem_level = mem_level - 1, .window_bits = bits - 1}));
            }
        }
    }
}

TEST_CASE("Arenas of every size from 1 on: no, and from some size on always yes") {
    const std::size_t step = support::short_effort() ? 37 : 5;
    bool reads = false;
    bool writes = false;
    for (std::size_t size = 1; size <= deflate_memory(9, 1); size += step) {
        const exact arena(octet_vector(size, 0xA5));
        {
            inflater reader(arena.span());
            const bool opened = reader.open(8);
            CHECK(opened >= reads);
            reads = opened;
        }
        deflater writer(arena.span());
        const bool opened = writer.open({.level = 9, .mem_level = 1, .window_bits = 9});
        CHECK(opened >= writes);
        writes = opened;
        if (!opened) continue;
        octet_vector made(200);
        CHECK(writer.step(prose(100, 5), made).what == stream_step::is::done);
    }
    CHECK(reads);
    CHECK(writes);
}

TEST_CASE("32 the heap refuses at any one time: not open, nothing kept, and open the next time") {
    const support::heap_watch watch;
    {
        inflater stream;
        std::size_t failures = 0;
        bool opened = false;
        for (; !opened; ++failures) {
            const support::no_heap none(failures, 1);
            opened = stream.open(15);
            CHECK(stream.is_open() == opened);
            CHECK((opened || watch.held() == 0));
            REQUIRE(failures < 10);
        }
        CHECK(failures == 3);  // the state and the window
        CHECK(watch.held() == 2);
        const support::no_heap none;
        CHECK(stream.open(15));  // it was already
    }
    CHECK(watch.held() == 0);
    {
        deflater stream;
        std::size_t failures = 0;
        bool opened = false;
        for (; !opened; ++failures) {
            const support::no_heap none(failures, 1);
            opened = stream.open({});
            CHECK(stream.is_open() == opened);
            CHECK((opened || watch.held() == 0));
            REQUIRE(failures < 20);
        }
        CHECK(failures > 3);
        CHECK(watch.held() == failures - 1);
        const support::no_heap none;
        CHECK(stream.open({}));
    }
    CHECK(watch.held() == 0);
}

TEST_CASE("D8 opened and closed again and again, the heap is as it was") {
    const support::heap_watch watch;
    inflater reader;
    deflater writer;
    const int rounds = support::short_effort() ? 100 : 10'000;
    for (int i = 0; i < rounds; ++i) {
        REQUIRE(reader.open(9 + i % 7));
        REQUIRE(writer.open({.level = 1 + i % 9, .mem_level = 1, .window_bits = 9 + i % 7}));
        reader.close();
        writer.close();
        reader.close();
        writer.close();
    }
    CHECK(watch.held() == 0);
}

TEST_CASE("What zlib does not know is not opened: other windows, levels and memory levels") {
    const support::heap_watch watch;
    for (const int bits : {-15, -1, 0, 1, 7, 16, 31, 47, 1000}) {
        CAPTURE(bits);
        inflater stream;
        // No raw stream has a window of 0 bits, or less: for zlib that would be another format.
        if (bits > 0) CHECK_FALSE(stream.open(bits));
    }
    // 7.1.2.1: 8 bits are a window, but not for zlib.
    for (const int bits : {7, 8, 16}) {
        deflater stream;
        CHECK_FALSE(stream.open({.window_bits = bits}));
        CHECK_FALSE(stream.is_open());
    }
    for (const int mem_level : {-1, 0, 10}) {
        deflater stream;
        CHECK_FALSE(stream.open({.mem_level = mem_level}));
    }
    for (const int level : {-2, 10}) {
        deflater stream;
        CHECK_FALSE(stream.open({.level = level}));
    }
    CHECK(watch.held() == 0);
}

// ---- what zlib answers ----

TEST_CASE("32 every answer of zlib has its meaning, and what was taken and written counts") {
    struct {
        int answer;
        stream_step::is what;
    } const answers[] = {
        {Z_OK, stream_step::is::done},
        {Z_BUF_ERROR, stream_step::is::done},
        {Z_STREAM_END, stream_step::is::stream_end},
        {Z_MEM_ERROR, stream_step::is::no_memory},
        {Z_NEED_DICT, stream_step::is::broken},
        {Z_ERRNO, stream_step::is::broken},
        {Z_STREAM_ERROR, stream_step::is::broken},
        {Z_DATA_ERROR, stream_step::is::broken},
        {Z_VERSION_ERROR, stream_step::is::broken},
        {-100, stream_step::is::broken},
        {100, stream_step::is::broken},
    };
    for (const auto& one : answers) {
        const int answer = one.answer;
        CAPTURE(answer);
        const std::array<octet, 7> in{1, 2, 3};
        std::array<octet, 9> out{};
        z_stream stream{};
        const stream_step step = detail::run_zlib(stream, in, out, [&](z_stream* s) {
            CHECK(s == &stream);
            CHECK(s->next_in == in.data());
            CHECK(s->avail_in == 7);
            CHECK(s->next_out == out.data());
            CHECK(s->avail_out == 9);
            s->avail_in -= 5;
            s->avail_out -= 2;
            return answer;
        });
        CHECK(step.what == one.what);
        CHECK(step.used == 5);
        CHECK(step.made == 2);
    }
}

TEST_CASE("More than zlib can count is given in parts") {
    if constexpr (sizeof(std::size_t) > 4) {
        octet one{};
        // Nobody looks at these.
        const std::span<octet> huge(&one, std::size_t{5} << 30);
        z_stream stream{};
        const stream_step step = detail::run_zlib(stream, huge, huge, [](z_stream* s) {
            CHECK(s->avail_in == uInt{1} << 31);
            CHECK(s->avail_out == uInt{1} << 31);
            s->avail_in = 1;
            s->avail_out = 0;
            return Z_OK;
        });
        CHECK(step.used == (std::size_t{1} << 31) - 1);
        CHECK(step.made == std::size_t{1} << 31);
    }
}

TEST_CASE("A stream that is not open does nothing") {
    inflater reader;
    deflater writer;
    std::array<octet, 10> out{};
    CHECK_FALSE(reader.is_open());
    CHECK_FALSE(writer.is_open());
    reader.reset();
    writer.reset();
    CHECK(reader.step(marker, out).what == stream_step::is::broken);
    CHECK(writer.step(marker, out).what == stream_step::is::broken);
    CHECK(out == std::array<octet, 10>{});
}

// ---- streams ----

TEST_CASE("7.2.3.2 what comes after a reset refers to nothing before it") {
    inflater reader;
    REQUIRE(reader.open(15));
    const octet_vector hello = support::octets("\"Hello\"");
    const octet_vector first = support::octets("F2 48 CD C9 C9 07 00 00 00 FF FF");
    const octet_vector second = support::octets("F2 00 11 00 00 00 00 FF FF");
    CHECK(inflated_by(reader, first, 5) == hello);
    CHECK(inflated_by(reader, second, 5) == hello);
    CHECK(inflated_by(reader, second, 5) == hello);
    reader.reset();
    octet_vector out(10);
    CHECK(reader.step(second, out).what == stream_step::is::broken);
    CHECK(reader.step(first, out).what == stream_step::is::broken);  // and it stays so
    reader.reset();
    CHECK_FALSE(reader.is_at_end_of_block());
    CHECK(inflated_by(reader, first, 5) == hello);
    CHECK(reader.is_at_end_of_block());
    reader.close();
    REQUIRE(reader.open(9));
    CHECK_FALSE(reader.is_at_end_of_block());

    deflater writer;
    REQUIRE(writer.open({}));
    CHECK(hex(deflated(writer, hello)) == hex(first));
    CHECK(hex(deflated(writer, hello)) == hex(second));
    writer.reset();
    CHECK(hex(deflated(writer, hello)) == hex(first));
    writer.close();
    REQUIRE(writer.open({}));
    CHECK(hex(deflated(writer, hello)) == hex(first));
}

TEST_CASE("7.2.3.4 a final block ends a stream, and what is behind it is not taken") {
    inflater reader;
    REQUIRE(reader.open(15));
    octet_vector out(10);
    const stream_step step = reader.step(support::octets("F3 48 CD C9 C9 07 00 00"), out);
    CHECK(step.what == stream_step::is::stream_end);
    CHECK(step.used == 7);
    CHECK(step.made == 5);
    CHECK(reader.step(support::octets("00"), out).what == stream_step::is::stream_end);
}

TEST_CASE("is_at_end_of_block: behind the last octet of a block, and nowhere else") {
    const octet_vector blocks = support::octets(
        "F2 48 05 00 00 00 FF FF "        // 7.2.3.5: a block, an empty one
        "CA C9 C9 07 00 00 00 FF FF "     // another block, an empty one
        "00 05 00 FA FF 48 65 6C 6C 6F "  // 7.2.3.3
        "00 00 00 FF FF");
    const std::vector<std::size_t> ends{8, 17, 27, 32};
    inflater reader;
    REQUIRE(reader.open(15));
    octet_vector out(100);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        REQUIRE(reader.step(std::span(blocks).subspan(i, 1), out).used == 1);
        const bool is_end = std::find(ends.begin(), ends.end(), i + 1) != ends.end();
        CAPTURE(i);
        CHECK(reader.is_at_end_of_block() == is_end);
        // To ask for more where there is no more changes nothing.
        CHECK(reader.step({}, out).made == 0);
        CHECK(reader.is_at_end_of_block() == is_end);
    }
}

TEST_CASE("17 messages come back, with every window, memory level and level, bound() is enough") {
    const bool is_short = support::short_effort();
    for (int bits = least_window; bits <= largest_window; bits += is_short ? 3 : 1) {
        for (int mem_level = 1; mem_level <= 9; mem_level += is_short ? 4 : 1) {
            for (const int level : {1, 6, 9}) {
                CAPTURE(bits, mem_level, level);
                deflater writer;
                inflater reader;
                inflater fresh;
                REQUIRE(writer.open({level, mem_level, bits}));
                REQUIRE(reader.open(bits));
                REQUIRE(fresh.open(bits));
                std::mt19937 random(static_cast<std::uint32_t>(bits * 100 + mem_level));
                for (std::uint32_t i = 0; i < 24; ++i) {
                    const std::size_t size = i < 8 ? i + 1 : 1 + random() % (i < 20 ? 700 : 40'000);
                    const octet_vector message = i % 2 == 0 ? prose(size, i) : noise(size, i);
                    const octet_vector octets = deflated(writer, message);
                    REQUIRE(inflated_by(reader, octets, size) == message);
                    REQUIRE(reader.is_at_end_of_block());
                    if (i % 5 != 4) continue;
                    writer.reset();
                    const octet_vector alone = deflated(writer, message);
                    fresh.reset();
                    REQUIRE(inflated_by(fresh, alone, size) == message);
                    REQUIRE(inflated_by(reader, alone, size) == message);
                }
            }
        }
    }
}

TEST_CASE("bound() is enough for what grows: noise of every size, with little memory") {
    for (const int mem_level : {1, 2, 8, 9}) {
        for (const int level : {1, 9}) {
            deflater writer;
            REQUIRE(writer.open({level, mem_level, 9}));
            const std::size_t most = support::short_effort() ? 300 : 2'000;
            for (std::size_t size = 1; size < most; ++size) deflated(writer, noise(size, 8));
            deflated(writer, noise(300'000, 6));
        }
    }
}

TEST_CASE("However little there is to read or to write in a step, the stream is the same") {
    const octet_vector message = prose(300, 7);
    deflater whole;
    REQUIRE(whole.open({.level = 6}));
    const octet_vector octets = deflated(whole, message);
    for (std::size_t in_size = 1; in_size < 12; ++in_size) {
        for (std::size_t out_size = 1; out_size < 12; ++out_size) {
            inflater reader;
            REQUIRE(reader.open(15));
            octet_vector text;
            std::span<const octet> rest = octets;
            std::size_t idle = 0;
            while (idle < 2) {
                const exact in(rest.first(std::min(in_size, rest.size())));
                const exact out(octet_vector(out_size, 0xA5));
                const stream_step step = reader.step(in.span(), out.span());
                REQUIRE(step.what == stream_step::is::done);
                text.insert(text.end(), out.span().begin(),
                            out.span().begin() + static_cast<std::ptrdiff_t>(step.made));
                rest = rest.subspan(step.used);
                idle = step.used + step.made == 0 ? idle + 1 : 0;
            }
            CHECK(rest.empty());
            CHECK(text == message);
            CHECK(reader.is_at_end_of_block());
        }
    }
}
