// inflate.hpp -- whatever arrives as compressed messages at a server, and what zlib has compressed.
//
// Octet 0 of the input chooses limits, and whether what follows is a program for zlib or compressed
// already; octet 1 the window that is agreed on and the size of slices; octet 2 cuts. Then come
// messages. The outcome is the same however the stream is cut and however it is told: whole, or in
// slices of any size. What zlib has compressed comes out as it went in. Invariants 1, 3, 4, 5, 9,
// 10, 17, 27, 31.
//
// zlib sees a distance beyond a window that is smaller than 32 KiB only where it has to look into
// that window: what it has written in the same call is there as well. So where less was agreed on,
// streams that break that agreement are refused sooner or later, or never, depending on the cuts.
// Then no more is asked for than that the outcomes agree as far as they go.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

#include <sockless/deflate.hpp>
#include <sockless/server_connection.hpp>

#include "fuzz/counted_memory.hpp"
#include "fuzz/expect.hpp"
#include "fuzz/left_frames.hpp"
#include "fuzz/source.hpp"
#include "fuzz/zlib_streams.hpp"
#include "support/reference.hpp"

namespace fuzz::inflate {

using connection_pair::begins;
using connection_pair::counted;
using connection_pair::message;
using sockless::event;
using sockless::rule;

// ---- what was agreed on, and what comes ----

struct setting {
    explicit setting(source& in) {
        const octet one = in.take();
        const octet two = in.take();
        cut = in.take();
        is_program = one >= 128;
        limit = std::array<std::size_t, 4>{300, 5000, 70'000, 200'000}[one % 4U];
        if (is_program) limit = 200'000;
        ratio = is_program ? 0 : std::array<std::size_t, 4>{0, 0, 4, 100}[one / 4 % 4U];
        takeover = (one & 16) == 0;
        pool = (one & 32) != 0;
        arena = (one & 64) != 0;
        window_bits = 15 - two % 8;
        slice = std::array<std::size_t, 8>{1, 2, 3, 7, 64, 300, 4096, 100'000}[two / 8 % 8U];
        if (limit > 5000) slice += 60;
    }

    // Do all distances that the format knows go into it? A pool has nothing smaller.
    bool is_full_window() const { return window_bits == 15 || (pool && !takeover); }

    bool is_program;
    std::size_t limit;
    std::size_t ratio;
    bool takeover;
    bool pool;
    bool arena;
    int window_bits;
    std::size_t slice;
    octet cut;
};

// As it travels, and what it says, if that is known.
struct sent_message {
    bool text = false;
    bool compressed = true;
    std::string payload;
    std::optional<std::string> meaning;
};

// In how many fragments, and where a Ping goes.
inline void put_frames(const sent_message& one, octet how, std::string& stream) {
    const std::size_t fragments = 1U + how / 2 % 4U;
    const reference::masking_key key = key_of(how).octets;
    for (std::size_t i = 0; i < fragments; ++i) {
        const std::size_t from = one.payload.size() * i / fragments;
        const std::size_t to = one.payload.size() * (i + 1) / fragments;
        if ((how & 8) != 0) stream += reference::build_frame(true, 0, 9, key, "?");
        const int op = i > 0 ? 0 : one.text ? 1 : 2;
        const int rsv = i == 0 && one.compressed ? 4 : 0;
        stream += reference::build_frame(i + 1 == fragments, rsv, op, key,
                                         one.payload.substr(from, to - from));
    }
}

inline std::string take_octets(source& in, std::size_t count) {
    const std::string taken = as_string(in.rest().first(std::min(count, in.rest().size())));
    for (std::size_t i = 0; i < taken.size(); ++i) in.take();
    return taken;
}

// ---- messages that zlib compresses ----

class program {
  public:
    program(source& in, const setting& how)
        : in_(in),
          how_(how),
          front_(in.take()),
          stream_(level(), bits(), mem_level(), front_ % 5) {}

    sent_message next(octet how) {
        sent_message one{.text = (how & 1) != 0, .payload = {}, .meaning = {}};
        if (!how_.takeover) stream_.reset();
        const octet plan = in_.take();
        std::string said;
        for (int parts = plan % 4; parts > 0 && said.size() < 60'000; --parts) {
            const std::string part = some_octets(one.text);
            constexpr std::array<int, 6> flushes{Z_NO_FLUSH,      Z_SYNC_FLUSH, Z_FULL_FLUSH,
                                                 Z_PARTIAL_FLUSH, Z_BLOCK,      Z_FINISH};
            one.payload += stream_.step(part, flushes[in_.take() % flushes.size()]);
            said += part;
        }
        end(one.payload, plan / 4);
        before_ = said;
        one.meaning = std::move(said);
        return one;
    }

  private:
    // zlib has no window of 8 bits, but stored blocks need none.
    int level() const { return how_.window_bits == 8 ? 0 : front_ % 10; }
    int bits() const { return std::max(9, how_.window_bits - front_ / 10 % 3); }
    int mem_level() const { return 1 + front_ / 30 % 9; }

    // 7.2.1, in all ways that it allows; and one that it does not, which is common: a stream that
    // has ended, and no block behind it.
    void end(std::string& payload, int way) {
        if (way % 4 >= 2) {
            payload += stream_.step({}, Z_FINISH);
            if (way % 4 == 2) payload += '\0';
            return;
        }
        payload += stream_.step({}, Z_SYNC_FLUSH);
        // Where everything has been flushed already, zlib has nothing to add.
        if (payload.empty()) payload = '\0' + std::string(sync_marker);
        expect(payload.ends_with(sync_marker), "zlib ends what it flushes with a marker");
        payload.resize(payload.size() - sync_marker.size());
    }

    std::string some_octets(bool text) {
        const octet kind = in_.take();
        const octet size = in_.take();
        std::string octets;
        switch (kind % 4) {
            case 0:
                octets = take_octets(in_, size);
                break;
            case 1:
                octets.assign(std::size_t{size} * 64, static_cast<char>(kind));
                break;
            case 2:
                octets = before_.substr(0, std::size_t{size} * 64);
                break;
            default:
                dice rolled(kind);
                for (std::size_t i = 0; i < size * 4U; ++i) {
                    octets += static_cast<char>(rolled.roll());
                }
        }
        if (text) {
            for (char& one : octets) one = static_cast<char>(one & 0x7F);
        }
        return octets;
    }

    source& in_;
    const setting& how_;
    octet front_;
    zlib_deflater stream_;
    std::string before_;
};

// ---- the server that it comes to ----

class server_end final : public sockless::server_side {
  public:
    using server_side::server_side;
    server_end(sockless::memory& from, sockless::compression& squeeze,
               const sockless::connection_options& options)
        : server_side(from, squeeze, options) {}
};

struct story {
    std::vector<message> heard;
    rule fault = rule::none;
};

// How it is told.
struct way {
    bool slices = false;
    std::size_t slice = 4096;
    std::optional<octet> cut{};
    std::size_t ratio = 0;
};

class listener {
  public:
    listener(const setting& how, const way& way)
        : how_(how),
          way_(way),
          memory_(counted::table(0), {}, 0),
          arena_(how.arena ? sockless::inflate_memory(how.window_bits) : 0),
          squeeze_(squeezing()),
          server_(std::make_unique<server_end>(memory_, squeeze_, options())) {
        memory_.set_bound(std::max<std::size_t>(2 * how.limit + 1024, 70'000 + how.limit));
        open();
    }

    story hear(std::string_view stream) {
        std::size_t calls = 0;
        cutter cut(way_.cut.value_or(0));
        while (!stream.empty()) {
            const std::size_t size = way_.cut ? cut.next(stream.size()) : stream.size();
            calls = size > 0 ? 0 : calls + 1;
            expect(calls < 1000, "a cutter goes on");
            read(stream.substr(0, size));
            stream.remove_prefix(size);
        }
        story told{std::move(heard_), rule::none};
        const sockless::close_report report = server_->report();
        if (report.fault) {
            told.fault = report.fault->broken;
            expect(report.sent == sockless::code(told.fault), "invariant 8: the code of the rule");
        }
        expect(report.why == sockless::cause::nothing || report.why == sockless::cause::violation,
               "nothing ends it but a violation");
        server_.reset();
        expect(memory_.is_empty(), "invariant 27: all memory is given back");
        if (memory_.broken() != nullptr) expect(false, memory_.broken());
        return told;
    }

  private:
    sockless::deflate_options squeezing() {
        sockless::deflate_options chosen{.slice = way_.slice, .most_ratio = way_.ratio};
        chosen.wishes.peer_window_bits = static_cast<std::uint8_t>(how_.window_bits);
        chosen.wishes.peer_takeover = how_.takeover;
        if (how_.arena) chosen.inflate_arena = arena_;
        if (how_.pool) chosen.pool = &pool_;
        return chosen;
    }
    sockless::connection_options options() const {
        sockless::connection_options chosen;
        chosen.limit.message = how_.limit;
        chosen.limit.empty_fragments = 0;
        chosen.slices = way_.slices;
        return chosen;
    }

    void open() {
        const std::string asked =
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
        // Where the limit is low, so is that of the head.
        std::vector<octet> octets(asked.begin(), asked.end());
        std::span<octet> in(octets);
        expect(server_->next(in).kind == event::what::request, "a request is told");
        expect(server_->accept() == sockless::result::done, "it is accepted");
        server_->written(server_->output().size());
        expect(server_->next(in).kind == event::what::open, "and the connection is open");
        expect(squeeze_.terms().has_value() &&
                   squeeze_.terms()->client_max_window_bits == how_.window_bits &&
                   squeeze_.terms()->client_no_context_takeover == !how_.takeover,
               "permessage-deflate is agreed on");
    }

    void read(std::string_view piece) {
        // Of its own, so that who looks behind its end is seen.
        const std::unique_ptr<octet[]> room(new octet[piece.size()]);
        std::copy(piece.begin(), piece.end(), room.get());
        std::span<octet> in(room.get(), piece.size());
        for (int idle = 0; idle < 2;) {
            const std::size_t before = in.size();
            const event told = server_->next(in);
            server_->written(server_->output().size());
            if (told.kind == event::what::nothing && in.empty()) break;
            const bool moves = in.size() < before || !told.payload.empty() || told.last;
            idle = moves ? 0 : idle + 1;
            expect(idle < 2, "invariant 4: every call consumes or tells");
            note(told);
        }
        expect(!server_->wants().events, "all that there is has been told");
    }

    void note(const event& told) {
        using enum event::what;
        expect(told.kind == nothing || told.kind == message || told.kind == slice ||
                   told.kind == closed,
               "nothing else happens");
        if (told.kind == message) {
            expect(!way_.slices, "whole messages are told whole");
            heard_.push_back(
                {told.type == sockless::message_type::text, true, as_string(told.payload)});
        }
        if (told.kind == slice) {
            const bool within = !heard_.empty() && !heard_.back().whole;
            expect(way_.slices && told.first == !within, "invariant 11: a message begins once");
            if (!within) heard_.push_back({told.type == sockless::message_type::text, false, {}});
            heard_.back().payload += as_string(told.payload);
            heard_.back().whole = told.last;
        }
        if (heard_.empty()) return;
        expect(heard_.back().payload.size() <= how_.limit, "invariant 9: the limit");
        expect(!heard_.back().text || !heard_.back().whole ||
                   reference::valid_utf8(heard_.back().payload),
               "invariant 10: text is UTF-8");
    }

    const setting& how_;
    way way_;
    counted memory_;
    std::vector<octet> arena_;
    sockless::deflate_pool pool_;
    sockless::permessage_deflate squeeze_;
    std::unique_ptr<server_end> server_;
    std::vector<message> heard_;
};

// ---- what has to agree ----

inline std::vector<message> without_unfinished(std::vector<message> heard) {
    if (!heard.empty() && !heard.back().whole) heard.pop_back();
    return heard;
}

inline bool same(const std::vector<message>& one, const std::vector<message>& other) {
    return begins(one, other) && begins(other, one);
}

class comparison {
  public:
    explicit comparison(std::span<const octet> input) : in_(input), how_(in_) {}

    void run() {
        compose();
        const story whole = hear({});
        const story cut = hear({.cut = how_.cut});
        const story sliced = hear({.slices = true, .slice = how_.slice});
        const story both = hear({.slices = true, .slice = 5, .cut = how_.cut});
        compare(sliced, both);
        compare(whole, cut);
        compare(whole, {without_unfinished(sliced.heard), sliced.fault});
        check_meaning(whole);
        if (how_.ratio > 0) check_ratio(sliced);
    }

  private:
    void compose() {
        std::optional<program> plan;
        if (how_.is_program) plan.emplace(in_, how_);
        zlib_inflater zlib(how_.is_full_window() ? 15 : how_.window_bits);
        for (int i = 0; i < 8 && !in_.empty(); ++i) {
            const octet how = in_.take();
            sent_message one = plan ? plan->next(how) : given(how);
            if (!one.compressed) {
                one.meaning = one.payload;
            } else if (!plan && readable_) {
                if (!how_.takeover) zlib.reset();
                one.meaning = zlib.message(one.payload, how_.limit + 1, 4096);
                readable_ = one.meaning.has_value();
            }
            put_frames(one, how, stream_);
            sent_.push_back(std::move(one));
        }
    }

    sent_message given(octet how) {
        const bool is_long = (how & 32) != 0;
        std::size_t size = in_.take();
        if (is_long) size = size << 8 | in_.take();
        return {.text = (how & 1) != 0,
                .compressed = (how & 16) == 0,
                .payload = take_octets(in_, size),
                .meaning = {}};
    }

    story hear(const way& how) const { return listener(how_, how).hear(stream_); }

    void compare(const story& one, const story& other) const {
        if (how_.is_full_window() || how_.is_program) {
            expect(same(one.heard, other.heard), "invariant 1: the same is told");
            expect(one.fault == other.fault, "invariant 1: the same rule is broken");
            return;
        }
        expect(begins(one.heard, other.heard) || begins(other.heard, one.heard),
               "invariant 1: the same is told, as far as it goes");
        expect(one.fault == other.fault || one.fault == rule::bad_compression ||
                   other.fault == rule::bad_compression,
               "invariant 1: the same rule is broken, if zlib sees it");
    }

    // Every message is what zlib makes of it.
    void check_meaning(const story& told) const {
        expect(told.heard.size() <= sent_.size(), "invariant 17: what is told was sent");
        for (std::size_t i = 0; i < told.heard.size(); ++i) {
            if (!how_.is_full_window() && !sent_[i].meaning) continue;
            expect(sent_[i].meaning == told.heard[i].payload && sent_[i].text == told.heard[i].text,
                   "invariant 17: what is told is what was sent");
        }
        if (!how_.is_program) return;
        expect(told.heard.size() == sent_.size() && told.fault == rule::none,
               "invariant 17: what zlib compresses is told");
    }

    // Where it is judged, zlib may have taken an octet more or less, by how the message was cut.
    void check_ratio(const story& without) const {
        for (const way& one :
             {way{.ratio = how_.ratio}, way{.cut = how_.cut, .ratio = how_.ratio},
              way{.slices = true, .slice = how_.slice, .cut = how_.cut, .ratio = how_.ratio}}) {
            const story told = hear(one);
            const bool refused = told.fault == rule::high_ratio;
            if (!how_.is_full_window()) continue;
            expect(begins(told.heard, without.heard), "a limit adds nothing");
            expect(refused || told.fault == without.fault, "nor another rule");
            for (std::size_t i = 0; i < told.heard.size(); ++i) {
                const std::size_t size = told.heard[i].payload.size();
                if (!told.heard[i].whole || size <= 65'536 || !sent_[i].compressed) continue;
                expect(size / how_.ratio <= sent_[i].payload.size(), "the ratio is kept");
            }
        }
    }

    source in_;
    setting how_;
    std::string stream_;
    std::vector<sent_message> sent_;
    bool readable_ = true;
};

inline void run(std::span<const octet> input) { comparison(input).run(); }

}  // namespace fuzz::inflate
