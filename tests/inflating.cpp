// A compressed message on its way in: the right octets, or the rule that is broken, and where.

#include <sockless/inflating.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <zlib.h>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"
#include "support/heap_watch.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"

namespace {

using namespace sockless;
using support::concat;
using support::exact;
using support::octets;
using octet_vector = std::vector<octet>;

static_assert(!std::is_copy_constructible_v<inflating> && !std::is_copy_assignable_v<inflating>);
static_assert(!std::is_move_constructible_v<inflating> && !std::is_move_assignable_v<inflating>);

// ---- compressed messages ----

// DEFLATE with fixed Huffman codes, bit by bit (RFC 1951, 3.2.6).
class deflate_writer {
  public:
    deflate_writer& begin(int type, bool last = false) {
        put(last ? 1 : 0, 1);
        put(static_cast<unsigned>(type), 2);
        return *this;
    }
    deflate_writer& symbol(unsigned which) {
        if (which < 144) return code(0x30 + which, 8);
        if (which < 256) return code(0x190 + which - 144, 9);
        if (which < 280) return code(which - 256, 7);
        return code(0xC0 + which - 280, 8);
    }
    deflate_writer& text(std::string_view octets) {
        for (const char c : octets) symbol(static_cast<octet>(c));
        return *this;
    }
    // Three octets from so far back.
    deflate_writer& three_from(unsigned distance) {
        symbol(257);
        unsigned number = 0;
        while (first_of(number + 1) <= distance) ++number;
        code(number, 5);
        put(distance - first_of(number), extra(number));
        return *this;
    }
    deflate_writer& code(unsigned value, int size) {
        while (size > 0) put(value >> --size & 1, 1);
        return *this;
    }
    deflate_writer& put(unsigned value, int size) {
        for (int i = 0; i < size; ++i) {
            if (bits_ % 8 == 0) octets_.push_back(0);
            octets_.back() = static_cast<octet>(octets_.back() | (value >> i & 1) << bits_ % 8);
            ++bits_;
        }
        return *this;
    }
    // The end of a block.
    deflate_writer& end() { return symbol(256); }
    // All, with what is left of the empty stored block behind it (7.2.1).
    octet_vector message() {
        begin(0);
        return octets_;
    }
    // All, up to the end of the octet.
    octet_vector all() const { return octets_; }

  private:
    static int extra(unsigned number) { return number < 4 ? 0 : static_cast<int>(number) / 2 - 1; }
    static unsigned first_of(unsigned number) {
        return number < 4 ? number + 1 : ((2 + number % 2) << extra(number)) + 1;
    }

    octet_vector octets_;
    std::size_t bits_ = 0;
};

octet_vector octets_of_text(std::string_view text) {
    octet_vector all;
    for (const char c : text) all.push_back(static_cast<octet>(c));
    return all;
}

// By zlib itself, on its own.
class zlib_writer {
  public:
    explicit zlib_writer(int level = 6, int bits = 15) {
        REQUIRE(deflateInit2(&stream_, level, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    }
    zlib_writer(const zlib_writer&) = delete;
    zlib_writer& operator=(const zlib_writer&) = delete;
    ~zlib_writer() { deflateEnd(&stream_); }

    octet_vector message(std::string_view text) {
        if (text.empty()) return {0x00};
        octet_vector in = octets_of_text(text);
        octet_vector out(text.size() + text.size() / 8 + 1'000);
        stream_.next_in = in.data();
        stream_.avail_in = static_cast<uInt>(in.size());
        stream_.next_out = out.data();
        stream_.avail_out = static_cast<uInt>(out.size());
        REQUIRE(deflate(&stream_, Z_SYNC_FLUSH) == Z_OK);
        REQUIRE(stream_.avail_out > 0);
        out.resize(out.size() - stream_.avail_out - 4);
        return out;
    }

  private:
    z_stream stream_{};
};

octet_vector compressed(std::string_view text, int level = 6) {
    return zlib_writer(level).message(text);
}

// ---- how it arrives ----

using pieces = std::vector<std::span<const octet>>;

// Whole, octet by octet, cut in two everywhere, and in three if it is short.
void for_each_cut(std::span<const octet> all, const std::function<void(const pieces&)>& use) {
    use({all});
    pieces single;
    for (std::size_t i = 0; i < all.size(); ++i) single.push_back(all.subspan(i, 1));
    if (!single.empty()) use(single);
    for (std::size_t i = 0; i <= all.size(); ++i) use({all.first(i), all.subspan(i)});
    if (all.size() > 20) return;
    for (std::size_t i = 0; i <= all.size(); ++i) {
        for (std::size_t j = i; j <= all.size(); ++j) {
            use({all.first(i), all.subspan(i, j - i), all.subspan(j)});
        }
    }
}

pieces bites(std::span<const octet> all) {
    pieces cut;
    while (all.size() > compression::bite) {
        cut.push_back(all.first(compression::bite));
        all = all.subspan(compression::bite);
    }
    cut.push_back(all);
    return cut;
}

struct heard {
    std::string text;
    inflated::is what = inflated::is::nothing;
    rule broken = rule::none;

    friend bool operator==(const heard&, const heard&) = default;
};

std::ostream& operator<<(std::ostream& out, const heard& of) {
    return out << '(' << of.text.size() << " octets: " << of.text << ", "
               << static_cast<int>(of.what) << ", " << name(of.broken) << ')';
}

constexpr inflating_limits plenty{.message = 1'000'000};

// As one message, in what is there already.
template <class Stream>
heard append(inflating& in, Stream& stream, message_type type, const pieces& cut,
             const inflating_limits& most = plenty) {
    heap storage;
    growing message(storage, unlimited);
    const std::array<octet, 3> before{1, 2, 3};
    REQUIRE(message.append(before));
    heard all;
    for (std::size_t i = 0; i < cut.size(); ++i) {
        const exact copy(cut[i]);
        in.take({copy.span(), type, i == 0, i + 1 == cut.size()});
        CHECK(in.is_open());
        const inflated got = in.append_to(message, stream, most);
        REQUIRE(message.size() <= most.message + 3);
        all = {support::to_string(message.octets().subspan(3)), got.what, got.broken};
        if (got.what != inflated::is::nothing) {
            REQUIRE((got.what != inflated::is::message || i + 1 == cut.size()));
            REQUIRE((got.what != inflated::is::message || got.type == type));
            REQUIRE((got.what != inflated::is::message || !in.is_open()));
            REQUIRE(std::equal(before.begin(), before.end(), message.octets().begin()));
            REQUIRE(std::equal(copy.span().begin(), copy.span().end(), cut[i].begin()));
            break;
        }
        REQUIRE(i + 1 < cut.size());
    }
    // What broke a rule is no message.
    if (all.what != inflated::is::message) all.text.clear();
    return all;
}

// Slice by slice. Octets that have been taken are gone after the first.
template <class Stream>
heard slices(inflating& in, std::size_t size, Stream& stream, message_type type, const pieces& cut,
             const inflating_limits& most = plenty) {
    heard all;
    bool first = true;
    for (std::size_t i = 0; i < cut.size(); ++i) {
        const exact copy(cut[i]);
        in.take({copy.span(), type, i == 0, i + 1 == cut.size()});
        CHECK(in.is_open());
        for (bool more = true; more;) {
            const inflated got = in.slice(stream, most);
            for (octet& o : copy.span()) o = 0xA5;
            more = got.more;
            if (got.what == inflated::is::nothing) {
                REQUIRE_FALSE(more);
                continue;
            }
            if (got.what != inflated::is::slice) {
                all.what = got.what;
                all.broken = got.broken;
                return all;
            }
            REQUIRE(got.type == type);
            REQUIRE(got.first == first);
            REQUIRE(got.payload.size() <= size);
            REQUIRE((got.last || !got.payload.empty()));
            REQUIRE((!got.last || (!more && i + 1 == cut.size() && !in.is_open())));
            first = false;
            all.text += support::to_string(got.payload);
            REQUIRE(all.text.size() <= most.message);
            if (got.last) {
                all.what = inflated::is::message;
                return all;
            }
        }
    }
    return all;
}

heard message_of(std::string_view text) { return {std::string(text), inflated::is::message}; }
heard broken_by(rule broken, std::string_view told = "") {
    return {std::string(told), inflated::is::broken, broken};
}

// In every way: whole, and in slices of many octets and of each size up to one more than a short
// message has, each for every cut.
void check(std::span<const octet> payload, message_type type, const heard& wanted,
           const inflating_limits& most = plenty, int bits = 15) {
    CAPTURE(support::hex(payload));
    inflater stream;
    REQUIRE(stream.open(bits));
    const bool is_broken = wanted.what == inflated::is::broken;
    const heard as_one = is_broken ? broken_by(wanted.broken) : wanted;
    for_each_cut(payload, [&](const pieces& cut) {
        inflating in(1);
        stream.reset();
        REQUIRE(append(in, stream, type, cut, most) == as_one);
        CHECK_FALSE(in.has_memory());
    });
    std::vector<std::size_t> sizes{64, 4096};
    const std::size_t every = std::clamp<std::size_t>(wanted.text.size() + 1, 9, 16);
    for (std::size_t size = 1; size <= every; ++size) sizes.push_back(size);
    for (const std::size_t size : sizes) {
        inflating in(size);
        for_each_cut(payload, [&](const pieces& cut) {
            if (cut[0].size() > compression::bite) return;
            stream.reset();
            REQUIRE(slices(in, size, stream, type, cut, most) == wanted);
            if (!is_broken) return;
            // And it stays so.
            REQUIRE(in.slice(stream, most).broken == wanted.broken);
            in.reset();
            CHECK_FALSE(in.is_open());
        });
    }
}

// The same where nobody can say what it has to be: it is the same in all of them.
heard check_same(std::span<const octet> payload, message_type type) {
    inflater stream;
    REQUIRE(stream.open(15));
    inflating whole(100'000);
    const heard wanted = slices(whole, 100'000, stream, type, bites(payload));
    check(payload, type, wanted);
    return wanted;
}

constexpr auto text = message_type::text;
constexpr auto binary = message_type::binary;

// A code point of each length, an escape, and plain letters.
const std::string mixed = "a\xC3\xA9\xE2\x82\xAC\n\xF0\x9D\x84\x9Ez";

}  // namespace

// ---- right messages ----

TEST_CASE("7.2.3 the examples of the RFC") {
    check(octets("F2 48 CD C9 C9 07 00"), text, message_of("Hello"));
    check(octets("00 05 00 FA FF 48 65 6C 6C 6F 00"), text, message_of("Hello"));
    check(octets("F3 48 CD C9 C9 07 00 00"), text, message_of("Hello"));
    check(octets("F2 48 05 00 00 00 FF FF CA C9 C9 07 00"), text, message_of("Hello"));
    check(octets("00"), text, message_of(""));
    check(octets("00"), binary, message_of(""));
}

TEST_CASE("7.2.3.2 a message may refer to the one before it, and to nothing behind a reset") {
    inflater stream;
    REQUIRE(stream.open(15));
    inflating in(3);
    const octet_vector first = octets("F2 48 CD C9 C9 07 00");
    const octet_vector second = octets("F2 00 11 00 00");
    for (int i = 0; i < 3; ++i) {
        CHECK(append(in, stream, text, {first}) == message_of("Hello"));
        CHECK(append(in, stream, text, {second}) == message_of("Hello"));
        CHECK(slices(in, 3, stream, text, {second}) == message_of("Hello"));
        in.release();
        CHECK(slices(in, 3, stream, text, {octets("00")}) == message_of(""));
        CHECK(append(in, stream, text, {{}}) == message_of(""));
        CHECK(append(in, stream, text, {second}) == message_of("Hello"));
        stream.reset();
    }
    for_each_cut(second, [&](const pieces& cut) {
        stream.reset();
        CHECK(append(in, stream, text, {first}) == message_of("Hello"));
        REQUIRE(append(in, stream, text, cut) == message_of("Hello"));
        REQUIRE(slices(in, 3, stream, text, cut) == message_of("Hello"));
    });
    stream.reset();
    CHECK(append(in, stream, text, {second}) == broken_by(rule::bad_compression));
}

TEST_CASE("D5 an empty message has one octet, or none, or any number of empty blocks") {
    for (const char* payload :
         {"", "00", "02 00", "00 00 00 FF FF 00", "00 00 00 FF FF 02 00", "01 00 00 FF FF",
          "01 00 00 FF FF 00", "03 00", "03 00 00", "03 00 03 00", "03 00 01 00 00 FF FF 03 00 00",
          "00 00 00 FF FF 00 00 00 FF FF 00 00 00 FF FF 00"}) {
        for (const message_type type : {text, binary}) {
            check(octets(payload), type, message_of(""));
            check(octets(payload), type, message_of(""), {.message = 0});
        }
    }
}

TEST_CASE("D5 stored blocks, and several blocks of every kind") {
    check(octets("00 01 00 FE FF 61 00 01 00 FE FF 62 00"), text, message_of("ab"));
    check(octets("00 01 00 FE FF 61 00 00 00 FF FF 00 01 00 FE FF 62 00"), text, message_of("ab"));
    check(deflate_writer().begin(1).text("ab").end().begin(1).text("cd").end().message(), text,
          message_of("abcd"));
    check(deflate_writer()
              .begin(1)
              .text("ab")
              .three_from(2)
              .end()
              .begin(1)
              .three_from(5)
              .end()
              .message(),
          text, message_of("ababaaba"));
    // A block with codes of its own, and behind it one that refers to it.
    const std::string many = "aaaaabaaaaacaaaaaadaaaaeaaaaaafaaaaabaaaaacaaaaaadaaaa";
    zlib_writer writer(9);
    const octet_vector marker = octets("00 00 FF FF");
    octet_vector payload = writer.message(many);
    payload = concat(payload, marker, writer.message(many));
    payload = concat(payload, marker, writer.message("!"));
    check(payload, text, message_of(many + many + "!"));
    // Level 0 stores all.
    check(compressed(std::string(300, 'x'), 0), text, message_of(std::string(300, 'x')));
}

TEST_CASE("7.2.3.4 a block with BFINAL in the middle, at the end, and with and without an octet") {
    const std::string hello = "F3 48 CD C9 C9 07 00 ";
    check(octets(hello), text, message_of("Hello"));
    check(octets(hello + "00"), text, message_of("Hello"));
    check(octets(hello + hello), text, message_of("HelloHello"));
    check(octets(hello + hello + "00"), text, message_of("HelloHello"));
    check(octets(hello + "F2 48 CD C9 C9 07 00"), text, message_of("HelloHello"));
    check(octets("F2 48 05 00 00 00 FF FF " + hello), text, message_of("HeHello"));
    // 7.2.2: the window stays.
    check(octets(hello + "F2 00 11 00 00"), text, message_of("HelloHello"));
    check(octets("01 05 00 FA FF 48 65 6C 6C 6F"), text, message_of("Hello"));
    check(octets("01 05 00 FA FF 48 65 6C 6C 6F 00"), text, message_of("Hello"));
    check(octets("01 05 00 FA FF 48 65 6C 6C 6F " + hello + "00"), text, message_of("HelloHello"));
    // The message behind it begins like any other.
    inflater stream;
    REQUIRE(stream.open(15));
    inflating in(2);
    for (const char* behind : {"", "00"}) {
        for (int i = 0; i < 3; ++i) {
            const octet_vector payload = octets(hello + behind);
            CHECK(append(in, stream, text, {payload}) == message_of("Hello"));
            CHECK(slices(in, 2, stream, text, {payload}) == message_of("Hello"));
            CHECK(append(in, stream, text, {octets("F2 48 CD C9 C9 07 00")}) ==
                  message_of("Hello"));
            CHECK(append(in, stream, text, {octets("F2 00 11 00 00")}) == message_of("Hello"));
        }
    }
}

TEST_CASE("A message that ends exactly with its room, of every size, is whole") {
    inflater stream;
    REQUIRE(stream.open(15));
    for (const int level : {0, 1, 9}) {
        for (std::size_t size = 0; size <= 600; size += support::short_effort() ? 3U : 1U) {
            std::string message(size, 'x');
            for (std::size_t i = 0; i < size; ++i) {
                if (i % 3 == 0) message[i] = static_cast<char>('a' + i * i % 23);
            }
            CAPTURE(level, size);
            const octet_vector payload = compressed(message, level);
            for (const std::size_t limit : {size, size + 1, size + 2}) {
                inflating in(size > 0 ? size : 1);
                stream.reset();
                REQUIRE(append(in, stream, text, {payload}, {limit}) == message_of(message));
                stream.reset();
                REQUIRE(slices(in, size + 1, stream, text, bites(payload), {limit}) ==
                        message_of(message));
            }
        }
    }
}

TEST_CASE("17 random messages come back, with and without a context, in every kind of slices") {
    const std::uint32_t rounds = support::short_effort() ? 5 : 40;
    for (std::uint32_t seed = 0; seed < rounds; ++seed) {
        std::mt19937 random(seed);
        const int bits = 9 + static_cast<int>(random() % 7);
        zlib_writer writer(1 + static_cast<int>(random() % 9), bits);
        inflater stream;
        REQUIRE(stream.open(bits));
        const std::size_t size = 1 + random() % (seed % 2 == 0 ? 10 : 5'000);
        inflating in(size);
        for (int i = 0; i < 20; ++i) {
            std::string message(random() % (i % 4 == 0 ? 20'000 : 300), ' ');
            const std::size_t variety = 1 + random() % 200;
            for (char& c : message) c = static_cast<char>(random() % variety);
            const octet_vector payload = writer.message(message);
            pieces cut;
            std::span<const octet> rest = payload;
            while (!rest.empty()) {
                const std::size_t most = std::min(rest.size(), compression::bite);
                const std::size_t some = random() % (most + 1);
                cut.push_back(rest.first(some));
                rest = rest.subspan(some);
            }
            if (random() % 2 == 0) cut.push_back({});
            if (random() % 2 == 0) {
                REQUIRE(append(in, stream, binary, cut) == message_of(message));
            } else {
                REQUIRE(slices(in, size, stream, binary, cut) == message_of(message));
            }
            if (random() % 3 == 0) in.release();
        }
    }
}

// ---- wrong messages ----

TEST_CASE("D5 what is no DEFLATE breaks a rule, behind all that was right") {
    struct {
        octet_vector payload;
        std::string told;
    } const wrongs[] = {
        {octets("06"), ""},  // the kind of block that there is not
        {octets("07"), ""},
        {octets("FF FF FF FF"), ""},
        {octets("00 05 00 00 00 48"), ""},  // a length that does not agree with itself
        {octets("00 05 00 FA FF 48 65 6C 6C 6F 06"), "Hello"},
        {octets("F2 48 CD C9 C9 07 00 00 00 FF FF FF"), "Hello"},  // garbage behind the last block
        {octets("F3 48 CD C9 C9 07 00 FF FF"), "Hello"},           // and behind a final one
        {octets("F3 48 CD C9 C9 07 00 00 06"), "Hello"},
        {deflate_writer().begin(1).symbol(286).end().message(), ""},  // 3.2.6: "will never occur"
        {deflate_writer().begin(1).text("ab").symbol(287).end().message(), "ab"},
        {deflate_writer().begin(1).text("ab").symbol(257).code(30, 5).end().message(), "ab"},
        {deflate_writer().begin(1).text("ab").symbol(257).code(31, 5).end().message(), "ab"},
        {deflate_writer().begin(2).put(30, 5).put(0, 5).put(0, 4).message(), ""},  // 287 lengths
        {deflate_writer().begin(2).put(0, 5).put(31, 5).put(0, 4).message(), ""},  // 32 distances
        {deflate_writer().begin(2).put(0, 14).put(0xFFF, 12).message(), ""},  // codes that clash
    };
    for (const auto& [payload, told] : wrongs) {
        check(payload, binary, broken_by(rule::bad_compression, told));
        check(payload, text, broken_by(rule::bad_compression, told));
    }
}

TEST_CASE("D5 a distance beyond all that there was breaks a rule, at every place") {
    for (std::size_t size = 0; size < 12; ++size) {
        const std::string before = std::string("abcdefghijkl").substr(0, size);
        for (unsigned distance = 1; distance < 20; ++distance) {
            CAPTURE(size, distance);
            const octet_vector payload =
                deflate_writer().begin(1).text(before).three_from(distance).end().message();
            if (distance > size) {
                check(payload, text, broken_by(rule::bad_compression, before));
            } else {
                std::string whole = before;
                for (int i = 0; i < 3; ++i) whole += whole[whole.size() - distance];
                check(payload, text, message_of(whole));
            }
        }
    }
    check(deflate_writer().begin(1).text("ab").three_from(32'768).end().message(), text,
          broken_by(rule::bad_compression, "ab"));
}

TEST_CASE("D5 a distance beyond the window is the right text or a broken rule, and nothing else") {
    std::string before;
    for (int i = 0; i < 600; ++i) before += static_cast<char>('a' + i * i % 26);
    for (const unsigned distance : {255U, 256U, 257U, 258U, 300U, 511U, 512U, 513U, 600U}) {
        for (const int bits : {8, 9}) {
            CAPTURE(distance, bits);
            const unsigned window = 1U << bits;
            const octet_vector payload =
                deflate_writer().begin(1).text(before).three_from(distance).end().message();
            const std::string whole = before + before.substr(before.size() - distance, 3);
            inflater stream;
            REQUIRE(stream.open(bits));
            for (std::size_t size = 1; size < 700; size += size < 12 ? 1 : 37) {
                inflating in(size);
                stream.reset();
                const heard got = slices(in, size, stream, text, bites(payload));
                const bool is_right = got == message_of(whole);
                const bool is_refused = got.broken == rule::bad_compression;
                REQUIRE((is_right || is_refused));
                REQUIRE(got.text.size() >= before.size());
                REQUIRE(whole.starts_with(got.text));
                if (distance <= window) REQUIRE(is_right);
                // What is not in the window can only be in the slice.
                if (distance >= window + size) REQUIRE(is_refused);
                stream.reset();
                const heard as_one = append(in, stream, text, bites(payload));
                REQUIRE(
                    (as_one == message_of(whole) || as_one == broken_by(rule::bad_compression)));
            }
        }
    }
}

TEST_CASE("D5 a message that ends within a block breaks a rule, wherever that is") {
    // What stands for the end is read as what is missing. So text may turn out to be none first.
    for (const int level : {1, 9}) {
        for (const std::string& whole : {std::string("Hello"), mixed + mixed + mixed,
                                         std::string("abcabcabcabcdabcabcabcabcd 0123456789")}) {
            const octet_vector payload = compressed(whole, level);
            for (std::size_t size = 1; size < payload.size(); ++size) {
                CAPTURE(size);
                const std::span<const octet> some = std::span(payload).first(size);
                const heard as_octets = check_same(some, binary);
                CHECK(as_octets.what == inflated::is::broken);
                CHECK(as_octets.broken == rule::bad_compression);
                const heard as_text = check_same(some, text);
                CHECK(as_text.what == inflated::is::broken);
                CHECK(as_octets.text.starts_with(as_text.text));
            }
        }
    }
    // In the header of a stored block, and in what it holds.
    const octet_vector stored = octets("00 0A 00 F5 FF 61 62 63 64 65 66 67 68 69 6A");
    for (std::size_t size = 1; size < stored.size(); ++size) {
        const heard got = check_same(std::span(stored).first(size), binary);
        if (size == 1) {
            CHECK(got == message_of(""));
        } else if (size == 11) {  // exactly what stands for the end is missing
            CHECK(got == message_of(std::string("abcdef\0\0\xFF\xFF", 10)));
        } else {
            CHECK(got.broken == rule::bad_compression);
        }
    }
    // All of it, but nothing behind it, where there has to be something.
    CHECK(check_same(stored, binary).broken == rule::bad_compression);
}

TEST_CASE("Random octets, and messages with an octet changed, end somehow and always alike") {
    std::mt19937 random(7692);
    const int rounds = support::short_effort() ? 30 : 300;
    for (int i = 0; i < rounds; ++i) {
        octet_vector payload(1 + random() % 12);
        for (octet& o : payload) o = static_cast<octet>(random());
        check_same(payload, i % 2 == 0 ? text : binary);
        payload = compressed(i % 3 == 0 ? mixed : "Hello, hello, hello, hello!");
        payload[random() % payload.size()] = static_cast<octet>(random());
        check_same(payload, i % 2 == 0 ? text : binary);
    }
}

// ---- text ----

TEST_CASE("U3 an octet that cannot be text is refused as it comes out, at every place") {
    for (std::size_t at = 0; at < mixed.size(); ++at) {
        for (const char wrong : {'\xFF', '\xC0'}) {
            std::string bad = mixed;
            bad[at] = wrong;
            CAPTURE(at);
            check(compressed(bad), text, broken_by(rule::bad_text, bad.substr(0, at)));
            check(compressed(bad), binary, message_of(bad));
        }
    }
    // What is behind it does not count: neither garbage nor the limit.
    check(octets("00 02 00 FD FF 61 FF 06"), text, broken_by(rule::bad_text, "a"));
    check(octets("00 03 00 FC FF 61 FF 61 00"), text, broken_by(rule::bad_text, "a"),
          {.message = 2});
    check(octets("00 03 00 FC FF 61 62 FF 00"), text, broken_by(rule::large_message, "ab"),
          {.message = 2});
}

TEST_CASE("U2 text that ends within a code point breaks a rule, and all other text is good") {
    for (std::size_t size = 0; size <= mixed.size(); ++size) {
        const std::string some = mixed.substr(0, size);
        const bool is_whole = reference::valid_utf8(some);
        CAPTURE(size);
        check(compressed(some), text,
              is_whole ? message_of(some) : broken_by(rule::bad_text, some));
        check(compressed(some), binary, message_of(some));
        // With a final block as well.
        if (size == 0) continue;
        deflate_writer writer;
        writer.begin(1, true).text(some).end();
        check(writer.all(), text, is_whole ? message_of(some) : broken_by(rule::bad_text, some));
    }
    // The next message is judged on its own.
    inflater stream;
    REQUIRE(stream.open(15));
    inflating in(2);
    const octet_vector half = octets("00 01 00 FE FF C3 00");
    CHECK(append(in, stream, text, {half}) == broken_by(rule::bad_text));
    CHECK(append(in, stream, text, {octets("00 01 00 FE FF A9 00")}) == broken_by(rule::bad_text));
    CHECK(append(in, stream, text, {octets("00 01 00 FE FF 61 00")}) == message_of("a"));
}

TEST_CASE("U3 one octet above 127 is found at every place of every length that is seen at once") {
    inflater stream;
    REQUIRE(stream.open(15));
    inflating in(4096);
    for (std::size_t size = 1; size <= 140; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            CAPTURE(size, at);
            std::string bad(size, 'x');
            bad[at] = '\xFF';
            const octet_vector sent = compressed(bad);
            stream.reset();
            REQUIRE(append(in, stream, text, {sent}) == broken_by(rule::bad_text));
            stream.reset();
            REQUIRE(slices(in, 4096, stream, text, {sent}) ==
                    broken_by(rule::bad_text, bad.substr(0, at)));
            in.reset();
        }
    }
    // Where a code point is unfinished, ASCII is as bad as anything else.
    const std::string front = std::string(20, 'x') + "\xE2\x82";
    for (const std::string_view next : {"\xAC", "x", "\xE2"}) {
        const std::string behind = std::string(next) + std::string(40, 'x');
        zlib_writer writer;
        const octet_vector first = concat(writer.message(front), octets("00 00 FF FF"));
        const octet_vector second = writer.message(behind);
        const bool good = next == "\xAC";
        stream.reset();
        REQUIRE(append(in, stream, text, {first, second}) ==
                (good ? message_of(front + behind) : broken_by(rule::bad_text)));
        stream.reset();
        REQUIRE(slices(in, 4096, stream, text, {first, second}) ==
                (good ? message_of(front + behind) : broken_by(rule::bad_text, front)));
        in.reset();
    }
}

// ---- limits ----

TEST_CASE("D2 a message of exactly the limit passes, and one octet more does not") {
    for (const std::size_t size : {0U, 1U, 2U, 5U, 8U, 9U, 10U}) {
        const std::string some = std::string("abcabcabcabc").substr(0, size);
        CAPTURE(size);
        for (const int level : {0, 9}) {
            const octet_vector payload = compressed(some, level);
            for (std::size_t limit = 0; limit < size + 3; ++limit) {
                const heard wanted = limit < size
                                         ? broken_by(rule::large_message, some.substr(0, limit))
                                         : message_of(some);
                check(payload, text, wanted, {.message = limit});
            }
        }
    }
    inflater stream;
    REQUIRE(stream.open(15));
    inflating in(4'096);
    for (const std::size_t size : {255U, 256U, 257U, 511U, 512U, 4'096U, 8'192U, 65'536U}) {
        const octet_vector payload = compressed(std::string(size, 'x'));
        CAPTURE(size);
        stream.reset();
        CHECK(append(in, stream, text, {payload}, {size}).what == inflated::is::message);
        stream.reset();
        CHECK(append(in, stream, text, {payload}, {size - 1}) == broken_by(rule::large_message));
        stream.reset();
        CHECK(slices(in, 4'096, stream, text, bites(payload), {size}).text.size() == size);
        stream.reset();
        CHECK(slices(in, 4'096, stream, text, bites(payload), {size - 1}) ==
              broken_by(rule::large_message, std::string(size - 1, 'x')));
        in.reset();
    }
}

TEST_CASE("D1 a bomb is refused at the limit, and memory never holds more") {
    const std::size_t limit = std::size_t{1} << 20;
    const octet_vector bomb =
        compressed(std::string((support::short_effort() ? 8 : 64) * limit, '\0'), 9);
    CHECK(bomb.size() < limit / 8);
    inflater stream;
    REQUIRE(stream.open(15));
    for (const std::size_t size : {std::size_t{4'096}, std::size_t{100'000}}) {
        inflating in(size);
        stream.reset();
        const heard got = slices(in, size, stream, binary, bites(bomb), {limit});
        CHECK(got == broken_by(rule::large_message, std::string(limit, '\0')));
    }
    inflating in(1);
    stream.reset();
    CHECK(append(in, stream, binary, {bomb}, {limit}) == broken_by(rule::large_message));
    stream.reset();
    CHECK(append(in, stream, binary, bites(bomb), {limit}) == broken_by(rule::large_message));
}

TEST_CASE("A ratio that is too high is refused at each 64 KiB, however the message was cut") {
    inflater stream;
    REQUIRE(stream.open(15));
    const auto judged = [&](std::size_t size, std::size_t ratio) {
        const octet_vector payload = compressed(std::string(size, 'x'), 9);
        inflating in(1'000);
        stream.reset();
        const rule broken = append(in, stream, text, {payload}, {1'000'000, ratio}).broken;
        stream.reset();
        CHECK(append(in, stream, text, bites(payload), {1'000'000, ratio}).broken == broken);
        stream.reset();
        const heard other = slices(in, 1'000, stream, text, bites(payload), {1'000'000, ratio});
        CHECK(other.broken == broken);
        // What was judged has been told.
        CHECK(other.text.size() == (broken == rule::none ? size : std::size_t{65'536}));
        return broken;
    };
    CHECK(judged(65'535, 1) == rule::none);
    CHECK(judged(65'536, 1) == rule::high_ratio);
    CHECK(judged(65'536, 0) == rule::none);
    CHECK(judged(500'000, 0) == rule::none);
    CHECK(judged(500'000, 100) == rule::high_ratio);
    CHECK(judged(500'000, 1'100) == rule::none);
    // At the end, too: what comes behind the last 64 KiB counts.
    std::string grows(65'536, ' ');
    std::mt19937 letters(2);
    for (char& c : grows) c = static_cast<char>('a' + letters() % 16);
    const octet_vector front = compressed(grows);
    const std::size_t fine = grows.size() / front.size() + 1;
    const octet_vector all = compressed(grows + std::string(60'000, 'x'));
    for (const auto& [payload, wanted] :
         {std::pair(front, rule::none), std::pair(all, rule::high_ratio)}) {
        inflating in(1'000);
        stream.reset();
        CHECK(append(in, stream, text, {payload}, {1'000'000, fine}).broken == wanted);
        stream.reset();
        CHECK(append(in, stream, text, bites(payload), {1'000'000, fine}).broken == wanted);
        stream.reset();
        CHECK(slices(in, 1'000, stream, text, bites(payload), {1'000'000, fine}).broken == wanted);
    }
    // What came in front counts; a message after it begins anew.
    inflating in(1'000);
    std::string noise(70'000, ' ');
    std::mt19937 random(1);
    for (char& c : noise) c = static_cast<char>('a' + random() % 16);
    const std::string whole = noise + std::string(500'000, 'x');
    stream.reset();
    CHECK(slices(in, 1'000, stream, text, bites(compressed(whole)), {1'000'000, 20}).text == whole);
    stream.reset();
    CHECK(slices(in, 1'000, stream, text, bites(compressed(std::string(500'000, 'x'))),
                 {1'000'000, 20})
              .broken == rule::high_ratio);
}

// ---- memory ----

namespace {

// Exactly what is asked for, as often as there is some.
class scarce : public memory {
  public:
    explicit scarce(std::size_t times) noexcept : memory(table), left_(times) {}

  private:
    static std::span<octet> take_one(memory& self, region, std::size_t size) noexcept {
        auto& mine = static_cast<scarce&>(self);
        if (mine.left_ == 0) return {};
        --mine.left_;
        return {new octet[size], size};
    }
    static void take_back(memory&, region, std::span<octet> octets) noexcept {
        delete[] octets.data();
    }
    static constexpr functions table{take_one, take_back, {}};

    std::size_t left_;
};

}  // namespace

TEST_CASE("32 without memory for a message that is what is said, at every time it is lacking") {
    const octet_vector payload = compressed(std::string(2'000, 'x'));
    inflater stream;
    REQUIRE(stream.open(15));
    std::size_t times = 0;
    for (bool whole = false; !whole; ++times) {
        REQUIRE(times < 10);
        scarce storage(times);
        growing message(storage, unlimited);
        inflating in(1);
        stream.reset();
        in.take({payload, text, true, true});
        const inflated got = in.append_to(message, stream, plenty);
        whole = got.what == inflated::is::message;
        CHECK((whole || got.what == inflated::is::no_memory));
        CHECK((!whole || message.size() == 2'000));
    }
    CHECK(times == 4);  // 512 octets, and each time twice as many
}

TEST_CASE("32 without memory for slices that is what is said, and the next time it goes on") {
    const octet_vector payload = octets("F2 48 CD C9 C9 07 00");
    const support::heap_watch watch;
    {
        inflater stream;
        REQUIRE(stream.open(15));
        inflating in(2);
        in.take({payload, text, true, true});
        {
            const support::no_heap none;
            CHECK(in.slice(stream, plenty).what == inflated::is::no_memory);
            CHECK_FALSE(in.has_memory());
            CHECK(in.is_open());
        }
        const inflated got = in.slice(stream, plenty);
        CHECK(got.first);
        CHECK(support::to_string(got.payload) == "He");
        CHECK(in.has_memory());
    }
    CHECK(watch.held() == 0);
}

TEST_CASE("Memory for slices is taken once, and given back between messages or with a reset") {
    inflater stream;
    REQUIRE(stream.open(15));
    const octet_vector payload = compressed(std::string(100, 'x'));
    inflating in(7);
    const support::heap_watch watch;
    CHECK_FALSE(in.has_memory());
    in.take({payload, text, true, false});
    CHECK(in.slice(stream, plenty).payload.size() == 7);
    CHECK(in.has_memory());
    CHECK(watch.count() == 1);
    while (in.slice(stream, plenty).more) {
    }
    in.take({{}, text, false, true});
    CHECK(in.slice(stream, plenty).last);
    CHECK(watch.count() == 1);
    in.release();
    CHECK_FALSE(in.has_memory());
    CHECK(watch.held() == 0);
    in.release();
    in.take({payload, text, true, false});
    CHECK(in.slice(stream, plenty).first);
    in.reset();
    CHECK(watch.held() == 0);
    CHECK_FALSE(in.is_open());
    // Nothing is left of it.
    stream.reset();
    CHECK(slices(in, 7, stream, text, {payload}) == message_of(std::string(100, 'x')));
}

TEST_CASE("Slices are 1 octet at least, and what was taken may lie anywhere") {
    static octet_vector on_heap = octets("F2 48 CD C9 C9 07 00");
    static std::array<octet, 7> at_start{0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
    std::array<octet, 7> on_stack = at_start;
    for (const std::span<octet> payload :
         {std::span<octet>(on_heap), std::span<octet>(at_start), std::span<octet>(on_stack)}) {
        inflater stream;
        REQUIRE(stream.open(15));
        inflating in(0);
        in.take({payload, text, true, true});
        std::string all;
        inflated got = in.slice(stream, plenty);
        for (octet& o : payload) o = 0xA5;
        while (got.more) {
            CHECK(got.payload.size() == 1);
            all += support::to_string(got.payload);
            got = in.slice(stream, plenty);
        }
        CHECK(got.last);
        CHECK(all == "Hello");
    }
    // As much as may be taken at once.
    inflater stream;
    REQUIRE(stream.open(15));
    inflating in(1'000);
    const octet_vector payload = compressed(std::string(compression::bite - 6, 'x'), 0);
    REQUIRE(payload.size() == compression::bite);
    CHECK(slices(in, 1'000, stream, text, {payload}) ==
          message_of(std::string(compression::bite - 6, 'x')));
}

// ---- a stream that fails ----

namespace {

// Does as it is told: so many octets from each step, and then an answer.
struct told_stream {
    std::vector<stream_step> steps;
    bool at_end = true;
    bool writes = true;
    std::size_t resets = 0;
    std::size_t most_room = 0;

    stream_step step(std::span<const octet> in, std::span<octet> out) noexcept {
        most_room = std::max(most_room, out.size());
        stream_step next;
        if (steps.empty()) {
            next.used = in.size();
        } else {
            next = steps.front();
            steps.erase(steps.begin());
        }
        next.used = std::min(next.used, in.size());
        next.made = std::min(next.made, out.size());
        if (writes) std::fill_n(out.begin(), next.made, octet{'x'});
        return next;
    }
    void reset_behind_end() noexcept { ++resets; }
    bool is_at_end_of_block() const noexcept { return at_end; }
};

}  // namespace

TEST_CASE("32 every answer of a stream, in front of the end and behind octets that were made") {
    using is = stream_step::is;
    const octet_vector payload(10);
    const auto both = [&](const std::vector<stream_step>& steps, bool at_end, const heard& wanted) {
        told_stream stream{.steps = steps, .at_end = at_end};
        inflating in(100);
        CHECK(slices(in, 100, stream, text, {payload}) == wanted);
        stream = {.steps = steps, .at_end = at_end};
        heard as_one = wanted;
        if (wanted.what != inflated::is::message) as_one.text.clear();
        CHECK(append(in, stream, text, {payload}) == as_one);
        return stream.resets;
    };
    both({{is::done, 5, 2}, {is::done, 5, 3}}, true, message_of("xxxxx"));
    both({{is::done, 5, 2}, {is::done, 5, 3}}, false, broken_by(rule::bad_compression, "xxxxx"));
    both({{is::no_memory, 0, 0}}, true, {"", inflated::is::no_memory});
    both({{is::done, 5, 2}, {is::no_memory, 2, 1}}, true, {"", inflated::is::no_memory});
    both({{is::broken, 0, 0}}, true, broken_by(rule::bad_compression));
    both({{is::broken, 5, 3}}, true, broken_by(rule::bad_compression, "xxx"));
    both({{is::done, 5, 2}, {is::broken, 2, 1}}, true, broken_by(rule::bad_compression, "xxx"));
    CHECK(both({{is::stream_end, 10, 3}}, false, message_of("xxx")) == 1);
    CHECK(both({{is::stream_end, 5, 3}, {is::stream_end, 5, 1}}, false, message_of("xxxx")) == 2);
    CHECK(both({{is::stream_end, 5, 3}, {is::done, 5, 1}}, false,
               broken_by(rule::bad_compression, "xxxx")) == 1);
}

namespace {

// Room that nobody looks at.
class endless : public memory {
  public:
    endless() noexcept : memory(table) {}

  private:
    static std::span<octet> take_one(memory&, region, std::size_t size) noexcept {
        static octet one{};
        return {&one, size};
    }
    static void take_back(memory&, region, std::span<octet>) noexcept {}
    static constexpr functions table{take_one, take_back, {}};
};

}  // namespace

TEST_CASE("Room that zlib cannot count is given in parts, and nothing is forgotten in a stream") {
    if constexpr (sizeof(std::size_t) > 4) {
        const std::size_t part = std::size_t{1} << 31;
        endless storage;
        growing message(storage, unlimited);
        REQUIRE(message.tail(3 * part).size() == 3 * part);
        inflating in(1);
        const octet_vector payload(10);
        in.take({payload, binary, true, true});
        using is = stream_step::is;
        told_stream stream{.steps = {{is::done, 14, part}, {is::done, 4, part}, {is::done, 0, 5}},
                           .writes = false};
        CHECK(in.append_to(message, stream, {.message = SIZE_MAX}).what == inflated::is::message);
        CHECK(message.size() == 2 * part + 5);
        CHECK(stream.most_room == part);
    }
}
