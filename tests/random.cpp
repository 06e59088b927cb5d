// random.cpp -- random conversations, valid ones and hostile ones, held against the reference octet
// by octet. The numbers in brackets are those of the invariants that every stream has to keep:
//
//   1  any chunking gives the same events and the same final state
//   2  two streams in one piece are what they are one after the other
//   3  what is consumed was given; a call consumes, tells, or is at the end
//   4  a bounded number of calls
//   5  octets that are not consumed are not touched, and nothing outside is
//   6  a refusal names the earliest octet that makes the stream invalid, as the reference does
//   9  no message is above its limit; a higher limit refuses nothing that a lower one took
//  10  text is UTF-8: always a beginning of it, and at the end of the message all of it
//  11  messages are well nested, and control frames change nothing in them
//  12  control frames are short and whole
//  13  a server takes masked frames only, a client unmasked ones
//  14  a valid stream is not refused
//  37  a copy of the machine has the same future
//  38  under other keys, or in the other role, the same happens
//  39  pings between frames, and frames cut into fragments, change no message
//
// Every stream has a seed of its own, which is told if it fails.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/frame_reader.hpp>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"
#include "support/listener.hpp"
#include "support/reference.hpp"

using reference::happening;
using sockless::frame_reader;
using sockless::octet;
using sockless::role;
using what = reference::happening::what;

namespace {

using happenings = std::vector<happening>;

constexpr unsigned all_streams = 24'000;

unsigned streams_to_try(unsigned all) { return support::short_effort() ? all / 12 : all; }

std::size_t below(std::mt19937_64& rng, std::size_t end) {
    return static_cast<std::size_t>(rng() % end);
}

void need(bool kept, const char* words) {
    if (!kept) FAIL(words);
}

sockless::limits to_limits(const reference::options& agreed) {
    const auto to_size = [](std::uint64_t limit) {
        return static_cast<std::size_t>(std::min<std::uint64_t>(limit, sockless::unlimited));
    };
    return {.message = to_size(agreed.message_limit),
            .frame = to_size(agreed.frame_limit),
            .empty_fragments = static_cast<std::uint16_t>(agreed.empty_fragments)};
}

class listener : public support::listener {
  public:
    explicit listener(const reference::options& agreed)
        : support::listener(agreed.server ? role::server : role::client, to_limits(agreed),
                            agreed.rsv1) {}

    void hear(std::string_view piece) {
        const std::vector<octet> octets(piece.begin(), piece.end());
        const support::exact memory(octets);
        std::span<octet> in = memory.span();
        std::size_t calls = 0;
        bool told = true;
        while (told) {
            const bool ended = has_ended();
            const std::span<octet> before = in;
            told = hear_one(in);
            need(in.size() <= before.size() && in.data() == before.data() + consumed(before, in),
                 "(3) what is consumed comes off the front");
            need(std::equal(in.begin(), in.end(), octets.end() - std::ssize(in)),
                 "(5) what is not consumed is not touched");
            need(++calls <= octets.size() + 2, "(4) the number of calls is bounded");
            need(!told || !ended, "(3) nothing is told after the end");
        }
        need(in.empty(), "(3) `nothing` means that all is consumed");
    }

    bool has_ended() const {
        return !heard.empty() &&
               (heard.back().kind == what::close || heard.back().kind == what::violated);
    }

  private:
    static std::size_t consumed(std::span<octet> before, std::span<octet> after) {
        return before.size() - after.size();
    }
};

// ---- what is agreed on, and the stream ----------------------------------------------------------

struct limit_set {
    std::uint64_t message;
    std::uint64_t frame;
    std::uint32_t empty_fragments;
};

constexpr limit_set limit_sets[] = {
    {1 << 20, UINT64_MAX, 1024},
    {1 << 20, UINT64_MAX, 3},
    {UINT64_MAX, UINT64_MAX, 0},
    {100, 100, 2},
    {300, 40, 1},
    {1000, 126, 65535},
    {65536, 65535, 4},
    {0, 0, 5},
    {UINT64_MAX, 200, 1},
    {64, UINT64_MAX - 1, 1024},
};

struct conversation {
    reference::options agreed;
    bool hostile = false;
    std::string stream;
};

conversation random_conversation(std::mt19937_64& rng, bool hostile) {
    const limit_set& limits = limit_sets[rng() % std::size(limit_sets)];
    conversation one;
    one.agreed.server = rng() % 2 == 0;
    one.agreed.rsv1 = rng() % 3 == 0;
    one.agreed.message_limit = limits.message;
    one.agreed.frame_limit = limits.frame;
    one.agreed.empty_fragments = limits.empty_fragments;
    one.hostile = hostile;
    one.stream = reference::random_stream(rng, one.agreed, hostile ? 100 : 0);
    return one;
}

struct expectation {
    happenings all;
    std::vector<std::size_t> after;  // how many of them have happened after so many octets
};

expectation expect(const conversation& one) {
    expectation due;
    reference::reader oracle(one.agreed);
    due.after.push_back(0);
    for (const char next : one.stream) {
        for (const happening& h : oracle.take(reference::to_octet(next))) due.all.push_back(h);
        due.after.push_back(due.all.size());
    }
    return due;
}

// ---- reading it ---------------------------------------------------------------------------------

// One piece more, after which exactly what the reference tells has been told (6).
void hear_piece(listener& reader, const conversation& one, const expectation& due, std::size_t from,
                std::size_t size) {
    reader.hear(std::string_view(one.stream).substr(from, size));
    if (reader.heard.size() == due.after[from + size]) return;
    FAIL("(6) after " << from + size << " octets:\n"
                      << reference::log(reader.heard) << "instead of " << due.after[from + size]
                      << " of:\n"
                      << reference::log(due.all));
}

listener hear_pieces(const conversation& one, const expectation& due, std::size_t longest,
                     std::mt19937_64* rng) {
    listener reader(one.agreed);
    for (std::size_t from = 0; from < one.stream.size();) {
        const std::size_t wanted = rng == nullptr ? longest : below(*rng, longest + 1);
        const std::size_t size = std::min(wanted, one.stream.size() - from);
        hear_piece(reader, one, due, from, size);
        from += size;
    }
    if (reader.heard != due.all) {
        FAIL("(6) got:\n"
             << reference::log(reader.heard) << "instead of:\n"
             << reference::log(due.all));
    }
    return reader;
}

// The same fault, or the same future: what is left of a message that is over makes no difference.
void need_same_end(listener left, listener right, const conversation& one) {
    need(left.reader.offset() == right.reader.offset(), "(1) the same offset");
    std::mt19937_64 rng(one.stream.size());
    const std::string future = reference::random_stream(rng, one.agreed, 0);
    for (std::size_t i = 0; i < future.size(); ++i) {
        left.hear(std::string_view(future).substr(i, 1));
        right.hear(std::string_view(future).substr(i, 1));
    }
    need(left.heard == right.heard, "(1) the same future");
    need(left.reader.fault() == right.reader.fault(), "(1) the same fault");
    need(left.reader.lacking() == right.reader.lacking(), "(1) as much of the frame is lacking");
}

void read_in_all_ways(const conversation& one, const expectation& due, std::mt19937_64& rng) {
    const listener slow = hear_pieces(one, due, 1, nullptr);
    const listener whole =
        hear_pieces(one, due, std::max<std::size_t>(one.stream.size(), 1), nullptr);
    need_same_end(slow, whole, one);
    const std::size_t longest = std::size_t{1} << (1 + rng() % 10);
    const listener cut = hear_pieces(one, due, longest, &rng);
    need_same_end(slow, cut, one);
}

void copy_has_the_same_future(const conversation& one, const expectation& due,
                              std::mt19937_64& rng) {
    const std::size_t middle = below(rng, one.stream.size() + 1);
    listener original(one.agreed);
    hear_piece(original, one, due, 0, middle);
    listener copy = original;
    need(copy.reader == original.reader, "(37) a copy is the same");
    hear_piece(original, one, due, middle, one.stream.size() - middle);
    for (std::size_t at = middle; at < one.stream.size(); ++at) hear_piece(copy, one, due, at, 1);
    need(copy.heard == original.heard, "(37) the same happens to a copy");
    need_same_end(copy, original, one);
}

// ---- what is true of every log ------------------------------------------------------------------

std::uint64_t wire_limit(const reference::options& agreed, bool compressed) {
    const std::uint64_t limit = agreed.message_limit;
    if (!compressed || limit > UINT64_MAX / 2) return limit;
    return limit + limit / 8 + 1024;
}

// A message as it comes, data octet by data octet.
class message_judge {
  public:
    explicit message_judge(const reference::options& agreed) : agreed_(agreed) {}

    void see(const happening& h) {
        if (h.kind == what::data || h.kind == what::frame_end) see_data(h);
        if (h.kind == what::ping || h.kind == what::pong) {
            need(h.payload.size() <= 125, "(12) a control payload is short");
        }
        if (h.kind == what::close) need(h.payload.size() <= 123, "(12) a reason is short");
    }

  private:
    void see_data(const happening& h) {
        if (!under_way_) begin(h);
        need(h.text == text_ && h.compressed == compressed_, "(11) a message has one type");
        need(!(h.kind == what::data && h.first) || payload_.empty(), "(11) it begins once");
        payload_ += h.payload;
        need(payload_.size() <= wire_limit(agreed_, compressed_), "(9) it is within its limit");
        if (text_ && !compressed_) see_text(h);
        if (h.last) under_way_ = false;
    }

    void begin(const happening& h) {
        need(h.first, "(11) a message begins with a first frame");
        under_way_ = true;
        text_ = h.text;
        compressed_ = h.compressed;
        payload_.clear();
        unfinished_.forget();
    }

    void see_text(const happening& h) {
        for (const char next : h.payload) {
            need(unfinished_.take(reference::to_octet(next)), "(10) text is UTF-8 so far");
        }
        if (h.last) need(reference::valid_utf8(payload_), "(10) a whole text is UTF-8");
    }

    reference::options agreed_;
    bool under_way_ = false;
    bool text_ = false;
    bool compressed_ = false;
    std::string payload_;
    reference::unfinished_code_point unfinished_;
};

void judge_log(const conversation& one, const happenings& all) {
    message_judge judge(one.agreed);
    for (const happening& h : all) judge.see(h);
    const bool refused = !all.empty() && all.back().kind == what::violated;
    need(one.hostile || !refused, "(14) a valid stream is not refused");
}

void higher_limits_refuse_nothing_more(const conversation& one, const happenings& all) {
    if (!all.empty() && all.back().kind == what::violated) return;
    reference::options higher = one.agreed;
    higher.message_limit +=
        higher.message_limit < UINT64_MAX / 2 ? higher.message_limit / 2 + 1 : 0;
    higher.frame_limit += higher.frame_limit < UINT64_MAX / 2 ? 1 : 0;
    if (higher.empty_fragments > 0) higher.empty_fragments = (higher.empty_fragments + 1) % 65536;
    listener reader(higher);
    reader.hear(one.stream);
    need(reader.heard == all, "(9) a higher limit refuses nothing more");
}

// The MASK bit of the first frame is wrong now, and whatever follows does not matter.
void only_the_right_masking_passes(const conversation& one) {
    if (one.hostile || one.stream.empty()) return;
    std::string stream = one.stream;
    stream[1] = reference::to_char(reference::to_octet(stream[1]) ^ 0x80U);
    listener reader(one.agreed);
    reader.hear(stream);
    happening due;
    due.kind = what::violated;
    due.rule = one.agreed.server ? "unmasked_frame" : "masked_frame";
    due.code = 1002;
    due.at = 1;
    need(reader.heard == happenings{due}, "(13) the other masking is refused");
}

// ---- which rules were broken --------------------------------------------------------------------

class histogram {
  public:
    void count(const happenings& all) {
        for (const happening& h : all) {
            if (h.kind == what::violated) ++hits_[h.rule];
            if (h.kind == what::close) ++closes_;
        }
        ++streams_;
    }

    // FAILs if there is a rule that no stream broke.
    void judge() {
        std::printf("%u streams, %u with a Close; broken were:\n", streams_, closes_);
        for (const sockless::rule_entry& entry : sockless::rule_table) {
            if (entry.id == sockless::rule::none || is_of_opening(entry.id)) continue;
            if (entry.id > sockless::rule::bad_reason) continue;  // those are of whoever inflates
            const std::string rule(entry.name);
            std::printf("%7u %s\n", hits_[rule], rule.c_str());
            CAPTURE(rule);
            CHECK(hits_[rule] > 0);
        }
    }

  private:
    std::map<std::string, unsigned> hits_;
    unsigned closes_ = 0;
    unsigned streams_ = 0;
};

}  // namespace

TEST_CASE("random streams, valid and hostile, are read as the reference reads them") {
    histogram broken_rules;
    for (unsigned seed = 1; seed <= streams_to_try(all_streams); ++seed) {
        CAPTURE(seed);
        std::mt19937_64 rng(seed);
        const conversation one = random_conversation(rng, seed % 3 != 0);
        const expectation due = expect(one);
        broken_rules.count(due.all);
        read_in_all_ways(one, due, rng);
        copy_has_the_same_future(one, due, rng);
        judge_log(one, due.all);
        higher_limits_refuse_nothing_more(one, due.all);
        only_the_right_masking_passes(one);
    }
    broken_rules.judge();
}

// ---- streams taken apart and put together again -------------------------------------------------

namespace {

struct plain_frame {
    bool fin = true;
    int rsv = 0;
    int op = 0;
    std::string payload{};
};

// Of a valid stream, whose frames are all whole: up to a Close, if there is one.
std::vector<plain_frame> take_apart(const std::string& stream) {
    std::vector<plain_frame> frames;
    const auto at = [&](std::size_t place) { return reference::to_octet(stream.at(place)); };
    for (std::size_t place = 0; place < stream.size();) {
        plain_frame frame{
            .fin = at(place) >= 0x80, .rsv = at(place) / 16 % 8, .op = at(place) % 16};
        const bool masked = at(place + 1) >= 0x80;
        std::size_t length = at(place + 1) % 128;
        const std::size_t extended = length < 126 ? 0 : length == 126 ? 2 : 8;
        if (extended > 0) length = 0;
        place += 2;
        for (std::size_t i = 0; i < extended; ++i) length = length * 256 + at(place++);
        reference::masking_key key;
        if (masked) key = {{at(place), at(place + 1), at(place + 2), at(place + 3)}};
        place += masked ? 4 : 0;
        frame.payload = reference::mask(key, stream.substr(place, length));
        place += length;
        frames.push_back(frame);
        if (frame.op == 0x8) break;
    }
    return frames;
}

std::string put_together(const std::vector<plain_frame>& frames, bool masked,
                         std::mt19937_64& rng) {
    std::string stream;
    for (const plain_frame& frame : frames) {
        reference::masking_key key;
        const std::uint64_t drawn = rng();
        if (masked) {
            key.emplace();
            for (std::size_t i = 0; i < 4; ++i) (*key)[i] = static_cast<octet>(drawn >> (8 * i));
        }
        stream += reference::build_frame(frame.fin, frame.rsv, frame.op, key, frame.payload);
    }
    return stream;
}

happenings hear_all(const reference::options& agreed, const std::string& stream) {
    listener reader(agreed);
    reader.hear(stream);
    return reader.heard;
}

conversation random_valid_conversation(std::mt19937_64& rng) {
    conversation one;
    one.agreed.server = rng() % 2 == 0;
    one.agreed.rsv1 = rng() % 3 == 0;
    one.stream = reference::random_stream(rng, one.agreed, 0);
    return one;
}

// What is left if it does not matter how the messages were cut into frames.
happenings without_fragments(const happenings& all) {
    happenings messages;
    for (happening h : all) {
        if (h.kind == what::frame_end && !h.last) continue;
        h.first = false;
        messages.push_back(h);
    }
    return messages;
}

happenings without_pings(happenings all) {
    std::erase_if(all, [](const happening& h) { return h.kind == what::ping; });
    return all;
}

std::vector<plain_frame> with_pings(const std::vector<plain_frame>& frames, std::mt19937_64& rng) {
    std::vector<plain_frame> more;
    for (const plain_frame& frame : frames) {
        for (std::uint64_t count = rng() % 3; count > 0; --count) {
            more.push_back({.op = 0x9, .payload = std::string(below(rng, 126), '\xFF')});
        }
        more.push_back(frame);
    }
    return more;
}

// Every data frame becomes up to three, cut anywhere, also within a code point.
std::vector<plain_frame> with_more_fragments(const std::vector<plain_frame>& frames,
                                             std::mt19937_64& rng) {
    std::vector<plain_frame> more;
    for (plain_frame frame : frames) {
        for (std::uint64_t cuts = frame.op < 0x8 ? rng() % 3 : 0; cuts > 0; --cuts) {
            const std::size_t size = below(rng, frame.payload.size() + 1);
            more.push_back({.fin = false,
                            .rsv = frame.rsv,
                            .op = frame.op,
                            .payload = frame.payload.substr(0, size)});
            frame.rsv = 0;
            frame.op = 0x0;
            frame.payload.erase(0, size);
        }
        more.push_back(frame);
    }
    return more;
}

}  // namespace

TEST_CASE("under other keys, and in the other role, the same happens") {
    unsigned happened = 0;
    for (unsigned seed = 1; seed <= streams_to_try(6'000); ++seed) {
        CAPTURE(seed);
        std::mt19937_64 rng(seed);
        const conversation one = random_valid_conversation(rng);
        const happenings all = hear_all(one.agreed, one.stream);
        const std::vector<plain_frame> frames = take_apart(one.stream);
        reference::options agreed = one.agreed;
        need(hear_all(agreed, put_together(frames, agreed.server, rng)) == all, "(38) other keys");
        agreed.server = !agreed.server;
        need(hear_all(agreed, put_together(frames, agreed.server, rng)) == all, "(38) other role");
        happened += all.empty() ? 0U : 1U;
    }
    CHECK(happened == streams_to_try(6'000));
}

TEST_CASE("pings between frames, and more fragments, change no message") {
    unsigned changed = 0;
    for (unsigned seed = 1; seed <= streams_to_try(6'000); ++seed) {
        CAPTURE(seed);
        std::mt19937_64 rng(seed);
        const conversation one = random_valid_conversation(rng);
        const happenings all = hear_all(one.agreed, one.stream);
        const std::vector<plain_frame> frames = take_apart(one.stream);
        const bool masked = one.agreed.server;
        const happenings pinged =
            hear_all(one.agreed, put_together(with_pings(frames, rng), masked, rng));
        need(without_pings(pinged) == without_pings(all), "(39) pings");
        const happenings cut =
            hear_all(one.agreed, put_together(with_more_fragments(frames, rng), masked, rng));
        need(without_fragments(cut) == without_fragments(all), "(39) fragments");
        changed += pinged != all && cut != all ? 1U : 0U;
    }
    CHECK(changed > streams_to_try(6'000) / 2);
}

TEST_CASE("two streams in one piece are what they are one after the other") {
    unsigned joined = 0;
    for (unsigned seed = 1; seed <= streams_to_try(6'000); ++seed) {
        CAPTURE(seed);
        std::mt19937_64 rng(seed);
        const conversation one = random_valid_conversation(rng);
        happenings both = hear_all(one.agreed, one.stream);
        if (!both.empty() && both.back().kind == what::close) continue;
        const std::string next = reference::random_stream(rng, one.agreed);
        for (happening h : hear_all(one.agreed, next)) {
            if (h.kind == what::violated) h.at += one.stream.size();
            both.push_back(h);
        }
        need(hear_all(one.agreed, one.stream + next) == both, "(2) batching");
        ++joined;
    }
    CHECK(joined > streams_to_try(6'000) / 3);
}
