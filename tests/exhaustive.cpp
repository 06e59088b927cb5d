// exhaustive.cpp -- what is small enough to be tried whole, is tried whole: every pair of first
// octets in every state, every close code, every 16-bit length, every short text. What has to come
// out is told by the reference, octet by octet.
//
// With SOCKLESS_TEST_EFFORT=short every n-th one is tried; each test names its n.

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sockless/frame_reader.hpp>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/listener.hpp"
#include "support/reference.hpp"

using reference::happening;
using sockless::frame_event;
using sockless::frame_reader;
using sockless::octet;
using sockless::role;
using sockless::rule;

namespace {

using happenings = std::vector<happening>;

constexpr std::array roles{role::server, role::client};

// A connection on which something has come already, as both sides of the comparison know it.
class pair_of_readers {
  public:
    pair_of_readers(role receiver, bool rsv1)
        : reader_(receiver, {}, rsv1),
          oracle_({.server = receiver == role::server, .rsv1 = rsv1}) {}

    void begin_with(const std::string& stream) {
        static_cast<void>(reader_.hear(stream));
        for (const char next : stream) oracle_.take(reference::to_octet(next));
    }

    // Both read on from here, the reader octet by octet and once more in one piece. (Copies do, so
    // that the next stream finds things as this one did.) Gives what happened.
    happenings compare(const std::string& stream) const {
        support::listener slow = reader_;
        reference::reader oracle = oracle_;
        happenings all;
        for (const char next : stream) {
            const happenings due = oracle.take(reference::to_octet(next));
            const happenings heard = slow.hear({next});
            if (heard != due) fail(stream, "octet by octet", heard, due);
            all.insert(all.end(), due.begin(), due.end());
        }
        support::listener fast = reader_;
        const happenings heard = fast.hear(stream);
        if (heard != all) fail(stream, "in one piece", heard, all);
        if (fast.reader.offset() != slow.reader.offset())
            fail(stream, "at another offset", heard, all);
        return all;
    }

  private:
    static void fail(const std::string& stream, const std::string& how, const happenings& heard,
                     const happenings& due) {
        happening as_hex;
        as_hex.payload = stream;
        FAIL(reference::to_string(as_hex) << ", " << how << ":\n"
                                          << reference::log(heard) << "instead of:\n"
                                          << reference::log(due));
    }

    support::listener reader_;
    reference::reader oracle_;
};

reference::masking_key key_to(role receiver) {
    if (receiver == role::client) return std::nullopt;
    return std::array<unsigned char, 4>{0x37, 0xFA, 0x21, 0x3D};
}

std::string frame_to(role receiver, bool fin, int rsv, int op, const std::string& payload) {
    return reference::build_frame(fin, rsv, op, key_to(receiver), payload);
}

// What may be under way when the two octets come: the first frame of a message.
struct message_state {
    bool unfinished = false;
    int rsv = 0;
    int op = 0;
    const char* payload = "";
    unsigned good = 0;  // pairs of octets that may come then, and with RSV1 agreed on
    unsigned good_with_rsv1 = 0;
};

// There are 377 heads of control frames: two times 126 lengths, and 125 for a Close. A message
// begins with one of two opcodes, FIN or not, and goes on with one; a data frame has 128 length
// codes.
constexpr message_state message_states[] = {
    {.good = 377 + 4 * 128, .good_with_rsv1 = 377 + 8 * 128},
    {.unfinished = true,
     .op = 1,
     .payload = "text",
     .good = 377 + 2 * 128,
     .good_with_rsv1 = 377 + 2 * 128},
    {.unfinished = true,  // it cannot end with a frame of 0 or 1 octets
     .op = 1,
     .payload = "cut \xF0\x9F",
     .good = 377 + 2 * 128 - 2,
     .good_with_rsv1 = 377 + 2 * 128 - 2},
    {.unfinished = true,
     .op = 2,
     .payload = "binary",
     .good = 377 + 2 * 128,
     .good_with_rsv1 = 377 + 2 * 128},
    {.unfinished = true,
     .rsv = 4,
     .op = 1,
     .payload = "compressed \xF0",
     .good_with_rsv1 = 377 + 2 * 128},
    {.unfinished = true,
     .rsv = 4,
     .op = 2,
     .payload = "compressed",
     .good_with_rsv1 = 377 + 2 * 128},
};

// The octets after the two: a short length, or one that could have been shorter, or too long a
// one; a key; and a payload that as text is bad, cut, or good.
std::vector<std::string> tails() {
    return {std::string("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E", 14),
            std::string(14, '\0'), std::string(14, '\xFF')};
}

bool is_refused_by(const happenings& all, std::uint64_t at) {
    return !all.empty() && all[0].kind == happening::what::violated && all[0].at <= at;
}

// How many heads are not refused.
unsigned compare_all_heads(role receiver, bool rsv1, const message_state& state, unsigned step) {
    pair_of_readers readers(receiver, rsv1);
    std::string begin;
    if (state.unfinished) begin = frame_to(receiver, false, state.rsv, state.op, state.payload);
    readers.begin_with(begin);
    unsigned good = 0;
    for (unsigned head = 0; head < 0x10000; head += step) {
        const std::string two{reference::to_char(head >> 8), reference::to_char(head)};
        if (is_refused_by(readers.compare(two), begin.size() + 1)) continue;
        ++good;
        for (const std::string& tail : tails()) readers.compare(two + tail);
    }
    return good;
}

void compare_all_heads(role receiver, bool rsv1, unsigned step) {
    for (const message_state& state : message_states) {
        if (state.rsv != 0 && !rsv1) continue;
        CAPTURE(receiver == role::server, rsv1, state.op, state.rsv, state.payload);
        const unsigned good = compare_all_heads(receiver, rsv1, state, step);
        CHECK((step > 1 || good == (rsv1 ? state.good_with_rsv1 : state.good)));
    }
}

}  // namespace

TEST_CASE("every pair of first octets in every state is judged as the reference judges it") {
    const unsigned step = support::short_effort() ? 13 : 1;
    for (const role receiver : roles) {
        compare_all_heads(receiver, false, step);
        compare_all_heads(receiver, true, step);
    }
}

namespace {

// Once more from 7.4, not from the library: how many octets of a code are read before it is certain
// that it may not travel; 2: it may.
unsigned good_octets(unsigned code) {
    const auto may_travel = [](unsigned c) {
        return c == 1000 || c == 1001 || c == 1002 || c == 1003 || (c > 1006 && c < 1015) ||
               (c > 2999 && c < 5000);
    };
    if (may_travel(code)) return 2;
    for (unsigned low = 0; low < 256; ++low) {
        if (may_travel((code & 0xFF00) | low)) return 1;
    }
    return 0;
}

// Whether it passes.
bool compare_close_code(const pair_of_readers& readers, role receiver, unsigned code,
                        const std::string& reason) {
    const std::string frame = frame_to(receiver, true, 0, 8, reference::build_close(code, reason));
    const happenings all = readers.compare(frame);
    const unsigned good = good_octets(code);
    const std::uint64_t body = receiver == role::server ? 6 : 2;
    happening due;
    due.kind = good == 2 ? happening::what::close : happening::what::violated;
    due.code = static_cast<std::uint16_t>(good == 2 ? code : 1002);
    if (good == 2) due.payload = reason;
    if (good < 2) due.rule = "bad_close_code";
    if (good < 2) due.at = body + good;
    if (all != happenings{due}) FAIL(code << ": " << reference::log(all));
    return good == 2;
}

}  // namespace

TEST_CASE("every close code passes, or is refused at the octet that makes it impossible") {
    const unsigned step = support::short_effort() ? 7 : 1;
    for (const role receiver : roles) {
        const pair_of_readers readers(receiver, false);
        unsigned good = 0;
        for (unsigned code = 0; code < 0x10000; code += step) {
            if (compare_close_code(readers, receiver, code, "")) ++good;
            compare_close_code(readers, receiver, code, "w\xC3\xA4hrend");
        }
        CHECK((step > 1 || good == 4 + 8 + 2000));
    }
}

namespace {

std::string header_to(role receiver, int op, int length_octets, std::uint64_t length) {
    return reference::build_header(true, 0, op, key_to(receiver), length_octets, length);
}

// The first slice after a header, which tells the length that was read.
frame_event first_slice(frame_reader& reader, std::string header, octet& payload) {
    std::vector<octet> octets(header.begin(), header.end());
    std::span<octet> in = octets;
    const frame_event none = reader.next(in);
    if (none.kind != frame_event::what::nothing || !in.empty()) return none;
    in = {&payload, 1};
    return reader.next(in);
}

// Whether it may be written so.
bool check_length(role receiver, unsigned length) {
    frame_reader reader(receiver);
    octet payload = 0;
    const std::string header = header_to(receiver, 2, 2, length);
    const frame_event event = first_slice(reader, header, payload);
    if (length >= 126) {
        const bool good = event.kind == frame_event::what::slice && event.payload.size() == 1 &&
                          event.remaining == length - 1U && reader.offset() == header.size() + 1;
        if (!good) FAIL(length << " is declared, " << event.remaining << " remain");
    } else if (event.broken != rule::padded_length || reader.fault()->at != 3) {
        FAIL(length << " may not be written with two octets");
    }
    return length >= 126;
}

}  // namespace

TEST_CASE("every 16-bit length is read for what it is, and refused below 126") {
    for (const role receiver : roles) {
        const pair_of_readers readers(receiver, false);
        unsigned good = 0;
        for (unsigned length = 0; length < 0x10000; ++length) {
            if (check_length(receiver, length)) ++good;
        }
        CHECK(good == 0x10000 - 126);
        const unsigned step = support::short_effort() ? 7 : 1;
        for (unsigned length = 0; length < 0x10000; length += step) {
            readers.compare(header_to(receiver, 1, 2, length) + "x");
        }
    }
}

TEST_CASE("every length of up to 16 bits is refused as a 64-bit one at its sixth octet of zero") {
    const unsigned step = support::short_effort() ? 7 : 1;
    for (const role receiver : roles) {
        const pair_of_readers readers(receiver, false);
        happening due;
        due.kind = happening::what::violated;
        due.rule = "padded_length";
        due.code = 1002;
        due.at = 7;
        for (unsigned length = 0; length < 0x10000; length += step) {
            const happenings all = readers.compare(header_to(receiver, 2, 8, length));
            if (all != happenings{due}) FAIL(length << ": " << reference::log(all));
        }
        CHECK(readers.compare(header_to(receiver, 2, 8, 0x10000)).empty());
    }
}

namespace {

// A text as one frame, as an unfinished message, and cut between two fragments: how much may still
// come is then known at the length of the last one. Says whether the text is good.
bool compare_text(const pair_of_readers& readers, role receiver, const std::string& text) {
    const happenings whole = readers.compare(frame_to(receiver, true, 0, 1, text));
    const bool good = whole.back().kind == happening::what::frame_end;
    if (good != reference::valid_utf8(text)) FAIL(reference::log(whole));
    readers.compare(frame_to(receiver, false, 0, 1, text) + frame_to(receiver, true, 0, 0, ""));
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
        readers.compare(frame_to(receiver, false, 0, 1, text.substr(0, cut)) +
                        frame_to(receiver, true, 0, 0, text.substr(cut)));
    }
    return good;
}

// Both ends of every stretch of octets that RFC 3629 tells apart.
constexpr unsigned edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                              0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
                              0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};

}  // namespace

TEST_CASE("every text of one and two octets is judged as the reference judges it") {
    const unsigned step = support::short_effort() ? 17 : 1;
    for (const role receiver : roles) {
        const pair_of_readers readers(receiver, false);
        unsigned good_ones = 0;
        for (unsigned one = 0; one < 0x100; ++one) {
            if (compare_text(readers, receiver, {reference::to_char(one)})) ++good_ones;
        }
        CHECK(good_ones == 128);
        unsigned good_twos = 0;
        for (unsigned two = 0; two < 0x10000; two += step) {
            const std::string text{reference::to_char(two >> 8), reference::to_char(two)};
            if (compare_text(readers, receiver, text)) ++good_twos;
        }
        CHECK((step > 1 || good_twos == 128 * 128 + 30 * 64));
    }
}

TEST_CASE("texts of three octets are judged as the reference judges them") {
    // Every pair of octets, and after it all octets where a code point may go on, else one of
    // those at an edge, another one for each pair.
    const role receiver = role::client;
    const pair_of_readers readers(receiver, false);
    const unsigned step = support::short_effort() ? 17 : 1;
    unsigned good = 0;
    for (unsigned two = 0; two < 0x10000; two += step) {
        const bool may_go_on = two >= 0xE000 && (two & 0xC0) == 0x80;
        for (unsigned i = 0; i < (may_go_on ? 0x100 : 1); ++i) {
            const unsigned three = may_go_on ? i : edges[two % std::size(edges)];
            const std::string text{reference::to_char(two >> 8), reference::to_char(two),
                                   reference::to_char(three)};
            if (compare_text(readers, receiver, text) && may_go_on) ++good;
        }
    }
    // RFC 3629, 4: all of U+0800 to U+FFFF but the surrogates.
    CHECK((step > 1 || good == 0x10000 - 0x800 - 0x800));
}
