// deflate_pair.hpp -- a client and a server that both compress, joined by a pipe that delivers when
// and as much as it likes.
//
// The input is a program: an octet of options for both, six for each end, and then
// each call is an octet (its lowest bit says which of the two makes it) with its arguments behind
// it. Nothing goes wrong here, so every message arrives as it was said and in order, both ends
// count the same and close cleanly; and what left is what zlib reads with the windows that were
// agreed on. Invariants 4, 17, 27, 33, 36.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sockless/client_connection.hpp>
#include <sockless/deflate.hpp>
#include <sockless/prepared_deflate.hpp>
#include <sockless/server_connection.hpp>

#include "fuzz/counted_memory.hpp"
#include "fuzz/expect.hpp"
#include "fuzz/left_frames.hpp"
#include "fuzz/source.hpp"
#include "fuzz/zlib_streams.hpp"

namespace fuzz::deflate_pair {

using connection_pair::begins;
using connection_pair::counted;
using connection_pair::left_frame;
using connection_pair::message;
using connection_pair::noted_keys;
using connection_pair::take_frame;
using connection_pair::whole_ones;
using sockless::event;
using sockless::message_type;
using sockless::part;
using sockless::result;
using what = sockless::event::what;

inline constexpr std::size_t largest_message = 100'000;

class server_end final : public sockless::server_side {
  public:
    server_end(sockless::memory& from, sockless::compression& squeeze,
               const sockless::connection_options& options)
        : server_side(from, squeeze, options) {}
};
class client_end final : public sockless::client_side {
  public:
    client_end(sockless::memory& from, sockless::compression& squeeze,
               const sockless::connection_options& options, sockless::key_source& keys)
        : client_side(from, squeeze, options, keys) {}
};

// ---- options ----

inline sockless::connection_options connection_options_of(octet chosen) {
    sockless::connection_options options;
    options.limit.message = largest_message;
    if ((chosen & 1) != 0) options.limit.high = options.limit.low = 300;
    options.slices = (chosen & 2) != 0;
    options.pause = static_cast<sockless::connection_options::pausing>(std::min(chosen / 4 % 4, 2));
    options.time = {.ping = sockless::never, .stall = sockless::never, .idle_release = 5};
    return options;
}

// Arenas and a pool are somebody else's.
struct surroundings {
    std::vector<octet> inflate_arena;
    std::vector<octet> deflate_arena;
    sockless::deflate_pool* pool = nullptr;
};

inline sockless::deflate_options deflate_options_of(source& in, surroundings& around) {
    const octet windows = in.take();
    const octet flags = in.take();
    const octet levels = in.take();
    const octet rest = in.take();
    sockless::deflate_options options;
    options.wishes = {.window_bits = static_cast<std::uint8_t>(15 - windows % 8),
                      .peer_window_bits = static_cast<std::uint8_t>(15 - windows / 8 % 8),
                      .takeover = (flags & 1) == 0,
                      .peer_takeover = (flags & 2) == 0,
                      .insists = (flags & 4) != 0};
    options.level = 1 + levels % 9;
    options.mem_level = 1 + levels / 9 % 9;
    options.threshold = std::array<std::size_t, 4>{0, 1, 128, 1000}[rest % 4U];
    options.slice = std::array<std::size_t, 4>{50, 1, 333, 4096}[rest / 4 % 4U];
    options.release_when_idle = (flags & 8) != 0;
    if ((flags & 16) == 0) around.pool = nullptr;
    options.pool = around.pool;
    if ((flags & 32) != 0) {
        around.inflate_arena.resize(sockless::inflate_memory(15));
        options.inflate_arena = around.inflate_arena;
    }
    if ((flags & 64) != 0) {
        // Where there is too little of it, messages leave as they are.
        const bool enough = (flags & 128) == 0;
        around.deflate_arena.resize(enough ? sockless::deflate_memory(15, options.mem_level)
                                           : 10'000);
        options.deflate_arena = around.deflate_arena;
    }
    return options;
}

// ---- one end, and its application ----

class party {
  public:
    party(bool is_server, source& in, sockless::deflate_pool& pool)
        : is_server_(is_server),
          in_(in),
          around_{.inflate_arena = {}, .deflate_arena = {}, .pool = &pool},
          options_(connection_options_of(in.take())),
          memory_(counted::table(0), {.most = {}, .generous = (in.take() & 1) != 0}, 1),
          squeeze_(deflate_options_of(in, around_)) {
        if (is_server) {
            server_ = std::make_unique<server_end>(memory_, squeeze_, options_);
            here_ = server_.get();
        } else {
            client_ = std::make_unique<client_end>(memory_, squeeze_, options_, keys_);
            here_ = client_.get();
        }
    }
    party(const party&) = delete;
    party& operator=(const party&) = delete;

    void meet(party& peer) { peer_ = &peer; }

    // ---- from conversation to conversation ----

    void ask() { expect(client_->open({.host = "a"}) == result::done, "a client asks"); }
    bool is_open() const { return open_; }

    void reset() {
        if (is_server_) {
            server_->reset();
        } else {
            client_->reset();
        }
        lent_.clear();
        pipe_.clear();
        sent_.clear();
        said_.clear();
        heard_.clear();
        open_ = over_ = ended_ = unfinished_ = false;
    }

    void destroy() {
        server_.reset();
        client_.reset();
        expect(memory_.is_empty(), "invariant 27: all memory is given back");
        if (memory_.broken() != nullptr) expect(false, memory_.broken());
    }

    // ---- the calls ----

    void call(octet chosen) {
        switch (chosen % 16) {
            case 0:
                return write(in_.take());
            case 1:
                return write(SIZE_MAX);
            case 2:
                return receive(in_.take());
            case 3:
                return receive(1 + in_.take() % 4U);
            case 4:
                return receive(SIZE_MAX);
            case 5:
            case 6:
            case 7:
            case 8:
                return send(chosen / 16);
            case 9:
                return begin(chosen >= 64);
            case 10:
                return append(chosen >= 64);
            case 11:
                return control(chosen >= 64);
            case 12:
                return pass_time();
            case 13:
                return lend_prepared(chosen >= 64);
            case 14:
                return send(chosen / 16);
            default:
                if (chosen >= 112) close();
        }
    }

    bool settle() {
        const std::uint64_t before =
            here_->counters().sent.octets + here_->counters().received.octets;
        const bool was_over = over_;
        write(SIZE_MAX);
        receive(SIZE_MAX);
        const sockless::wants peers = peer_->here_->wants();
        if (peers.ending != sockless::ending::keep && !peers.write && peer_->pipe_.empty() &&
            !std::exchange(ended_, true)) {
            here_->end_of_stream();
            receive(0);
        }
        const std::uint64_t after =
            here_->counters().sent.octets + here_->counters().received.octets;
        return after != before || over_ != was_over;
    }

    void finish() {
        if (unfinished_ && here_->append({}, part::last) == result::done) {
            said_.back().whole = true;
            unfinished_ = false;
        }
        close();
    }

    // ---- what has to be true ----

    void check() const {
        expect(begins(peer_->heard_, said_), "invariant 36: what one says is what the other hears");
        expect(over_ == here_->finished(), "`closed` is told once, and last");
    }

    void check_end() const {
        const sockless::close_report report = here_->report();
        expect(over_ && report.clean && !report.fault, "invariant 33: a clean end");
        const std::size_t whole = whole_ones(said_);
        expect(whole_ones(peer_->heard_) == whole, "invariant 36: all that is said is heard");
        const sockless::traffic sent = here_->counters().sent;
        expect(sent == peer_->here_->counters().received, "what is sent is what is received");
        expect(sent.messages == whole, "every message is counted");
        check_wire();
    }

    void check_terms() const {
        if (!is_server_) return;
        expect(squeeze_.terms() == peer_->squeeze_.terms() || !squeeze_.terms(),
               "both ends agree on the same");
    }

  private:
    // ---- octets ----

    void write(std::size_t most) {
        while (most > 0 && here_->wants().write) {
            const std::span<const octet> out = here_->output();
            const std::size_t size = std::min(most, out.size());
            sent_ += as_string(out.first(size));
            pipe_ += as_string(out.first(size));
            here_->written(size);
            most -= size;
        }
    }

    void receive(std::size_t most) {
        std::string& pipe = peer_->pipe_;
        for (std::size_t taken = 0;;) {
            const std::size_t count =
                std::min<std::size_t>({most - taken, pipe.size(), std::size_t{1500}});
            std::span<octet> in{};
            const std::unique_ptr<octet[]> room(new octet[count]);
            if (count > 0 && here_->wants().read) {
                in = here_->read_target({room.get(), count});
                std::copy_n(pipe.begin(), in.size(), in.begin());
                pipe.erase(0, in.size());
                taken += in.size();
            }
            const bool some = !in.empty();
            take_events(in);
            if (!some) return;
        }
    }

    void take_events(std::span<octet> in) {
        for (std::size_t calls = 0;; ++calls) {
            expect(calls < 2 * largest_message, "invariant 4: events come to an end");
            const event told = here_->next(in);
            note(told);
            if (told.kind != what::nothing) continue;
            if (in.empty()) break;
            // It pauses until its own output has left.
            expect(here_->wants().write || over_, "what comes is taken");
            write(SIZE_MAX);
        }
        expect(!here_->wants().events || in.empty(), "wants().events: no more of them");
    }

    void note(const event& told) {
        switch (told.kind) {
            case what::request:
                expect(server_->accept() == result::done, "a server accepts");
                break;
            case what::open:
                open_ = true;
                break;
            case what::message:
                expect(!options_.slices, "messages are told whole");
                heard_.push_back({told.type == message_type::text, true, as_string(told.payload)});
                break;
            case what::slice: {
                const bool within = !heard_.empty() && !heard_.back().whole;
                expect(told.first == !within, "invariant 11: a message begins once");
                if (!within) heard_.push_back({told.type == message_type::text, false, {}});
                heard_.back().payload += as_string(told.payload);
                heard_.back().whole = told.last;
                break;
            }
            case what::drained:
                lent_.clear();
                break;
            case what::closed:
                over_ = true;
                break;
            case what::nothing:
            case what::pong:
                break;
            default:
                expect(false, "nothing else happens");
        }
    }

    // ---- the application ----

    // Octets that say much or little, and what has been said before.
    std::string payload(bool text) {
        const octet kind = in_.take();
        const octet length = in_.take();
        const std::size_t size = length < 200   ? length
                                 : length < 254 ? (length - 190U) * 50U
                                                : (length - 253U) * 40'000U;
        std::string octets;
        if (kind % 4 == 1) octets.assign(size, static_cast<char>(kind));
        if (kind % 4 == 2 && !said_.empty()) {
            octets = said_[kind / 4 % said_.size()].payload.substr(0, size);
        }
        if (kind % 4 == 3) {
            dice rolled(kind);
            while (octets.size() < size) octets += static_cast<char>(rolled.roll());
        }
        while (octets.size() < size) octets += static_cast<char>('a' + octets.size() * kind % 23);
        if (text) {
            for (char& one : octets) one = static_cast<char>(one & 0x7F);
        }
        return octets;
    }

    void send(octet chosen) {
        const bool text = (chosen & 1) != 0;
        const auto how = static_cast<sockless::compressing>(chosen / 2 % 3);
        const std::string octets = payload(text);
        const result got = here_->send(text ? message_type::text : message_type::binary,
                                       sockless::octets_of(octets), how);
        if (got == result::done) said_.push_back({text, true, octets});
    }

    void begin(bool text) {
        const result got = here_->begin(text ? message_type::text : message_type::binary);
        if (got != result::done) return;
        said_.push_back({text, false, {}});
        unfinished_ = true;
    }

    void append(bool last) {
        if (!unfinished_) return;
        const std::string octets = payload(said_.back().text);
        if (said_.back().payload.size() + octets.size() > largest_message) return;
        const result got =
            here_->append(sockless::octets_of(octets), last ? part::last : part::more);
        if (got != result::done) return;
        said_.back().payload += octets;
        said_.back().whole = last;
        unfinished_ = !last;
    }

    void control(bool ping) {
        const std::string octets = payload(false).substr(0, 125);
        const result got = ping ? here_->ping(sockless::octets_of(octets))
                                : here_->pong(sockless::octets_of(octets));
        expect(got != result::too_large, "a control frame fits");
    }

    // What is compressed once, for many.
    void lend_prepared(bool text) {
        if (!is_server_) return;
        const sockless::deflate_settings how{.window_bits = 9 + in_.take() % 7};
        const std::string octets = payload(text);
        lent_.push_back(std::make_unique<sockless::prepared_deflate>(
            text ? message_type::text : message_type::binary, sockless::octets_of(octets), how));
        if (sockless::lend(*server_, *lent_.back()) == result::done) {
            said_.push_back({text, true, octets});
        } else {
            lent_.pop_back();
        }
    }

    // Long enough for what may be given back while there is no traffic.
    void pass_time() {
        now_ += in_.take() % 8;
        here_->on_time(now_);
    }

    void close() {
        if (open_ && !over_) static_cast<void>(here_->close());
    }

    // ---- what left, as zlib reads it ----

    void check_wire() const {
        const std::size_t head = sent_.find("\r\n\r\n");
        std::string_view rest = std::string_view(sent_).substr(head + 4);
        const auto& terms = squeeze_.terms();
        const int bits = !terms       ? 15
                         : is_server_ ? terms->server_max_window_bits
                                      : terms->client_max_window_bits;
        const bool anew = terms && (is_server_ ? terms->server_no_context_takeover
                                               : terms->client_no_context_takeover);
        zlib_inflater zlib(bits);
        std::size_t at = 0;
        std::string payload;
        bool compressed = false;
        while (const std::optional<left_frame> frame = take_frame(rest)) {
            if ((frame->first & 0x08) != 0) continue;
            if ((frame->first & 0x0F) != 0) compressed = (frame->first & 0x40) != 0;
            expect(!compressed || terms, "RSV1 where it was agreed on");
            payload += frame->payload;
            if ((frame->first & 0x80) == 0) continue;
            expect(at < said_.size(), "no more leaves than was said");
            if (compressed && anew) zlib.reset();
            // Octet by octet, zlib looks into its window for everything.
            const std::size_t step = said_[at].payload.size() > 4000 ? 50 : 1;
            const auto read =
                compressed ? zlib.message(payload, largest_message, step) : std::optional(payload);
            expect(read == said_[at].payload, "what leaves is what zlib reads with that window");
            payload.clear();
            ++at;
        }
    }

    bool is_server_;
    source& in_;
    surroundings around_;
    sockless::connection_options options_;
    counted memory_;
    sockless::permessage_deflate squeeze_;
    noted_keys keys_;
    std::unique_ptr<server_end> server_;
    std::unique_ptr<client_end> client_;
    sockless::connection* here_ = nullptr;
    party* peer_ = nullptr;

    std::string sent_;  // all that has left, and what of it has not arrived
    std::string pipe_;
    std::vector<std::unique_ptr<sockless::prepared_deflate>> lent_;
    std::vector<message> said_;
    std::vector<message> heard_;
    sockless::milliseconds now_ = 0;
    bool open_ = false;
    bool over_ = false;
    bool ended_ = false;
    bool unfinished_ = false;
};

// ---- both of them ----

class conversation {
  public:
    explicit conversation(std::span<const octet> input)
        : in_(input),
          shared_(in_.take()),
          pool_({.level = 1 + shared_ % 9,
                 .mem_level = 1 + shared_ / 9 % 9,
                 .window_bits = 15 - shared_ / 81 * 2}),
          server_(true, in_, pool_),
          client_(false, in_, pool_) {
        server_.meet(client_);
        client_.meet(server_);
    }

    void run() {
        for (int i = 0; i < 3; ++i) {
            if (i > 0) {
                server_.reset();
                client_.reset();
            }
            client_.ask();
            settle();
            expect(client_.is_open() && server_.is_open(), "both ends are open");
            server_.check_terms();
            talk();
            end();
            if (in_.empty()) break;
        }
        client_.destroy();
        server_.destroy();
    }

  private:
    void talk() {
        for (int calls = 0; calls < 200 && !in_.empty(); ++calls) {
            const octet next = in_.take();
            if (next == 255) break;  // the next conversation
            ((next & 1) != 0 ? server_ : client_).call(next >> 1U);
            server_.check();
            client_.check();
        }
    }

    void settle() {
        bool moved = true;
        for (int round = 0; moved; ++round) {
            expect(round < 2000, "invariant 4: the pipe comes to rest");
            moved = client_.settle();
            moved = server_.settle() || moved;
        }
    }

    void end() {
        settle();
        client_.finish();
        settle();
        server_.finish();
        settle();
        server_.check();
        client_.check();
        server_.check_end();
        client_.check_end();
    }

    source in_;
    octet shared_;
    sockless::deflate_pool pool_;
    party server_;
    party client_;
};

inline void run(std::span<const octet> input) { conversation(input).run(); }

}  // namespace fuzz::deflate_pair
