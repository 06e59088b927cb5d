// connection_pair.hpp -- a client's and a server's connection, joined by a pipe that delivers when
// and as much as it likes, and damages it if it is told to.
//
// The input is a program: six octets of configuration, and then each call is an octet (its lowest
// bit says which of the two makes it) with its arguments behind it. Memory may be refused, clocks
// jump, and the applications call what they like, whenever they like. What leaves is read by a
// parser of its own; what arrives is held against what the other application said. Invariants 3, 4,
// 5, 7, 11, 13, 16, 19, 22, 23, 24, 27, 33, 35, 36, 41.
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
#include <utility>
#include <vector>

#include <sockless/client_connection.hpp>
#include <sockless/compression.hpp>
#include <sockless/prepared.hpp>
#include <sockless/server_connection.hpp>

#include "fuzz/counted_memory.hpp"
#include "fuzz/expect.hpp"
#include "fuzz/left_frames.hpp"
#include "fuzz/source.hpp"

namespace fuzz::connection_pair {

using sockless::connection;
using sockless::connection_options;
using sockless::ending;
using sockless::event;
using sockless::message_type;
using sockless::milliseconds;
using sockless::never;
using sockless::part;
using sockless::result;
using what = sockless::event::what;

// A base, so that it is there before what takes it.
struct without_compression {
    sockless::no_compression squeeze{};
};
class server_end final : private without_compression, public sockless::server_side {
  public:
    server_end(sockless::memory& from, const connection_options& options)
        : server_side(from, squeeze, options) {}
};
class client_end final : private without_compression, public sockless::client_side {
  public:
    client_end(sockless::memory& from, const connection_options& options, noted_keys& keys)
        : client_side(from, squeeze, options, keys) {}
};

// ---- options ----

inline sockless::timeouts timeouts_of(octet chosen) {
    switch (chosen % 6) {
        case 1:
            return {.opening = 0,
                    .ping = 0,
                    .pong = 0,
                    .idle = 0,
                    .close = 0,
                    .stall = 0,
                    .idle_release = 0};
        case 2:
            return {.opening = never,
                    .ping = never,
                    .pong = never,
                    .close = never,
                    .stall = never,
                    .idle_release = never};
        case 3:
            return {.opening = 100,
                    .ping = 10,
                    .pong = 20,
                    .idle = 500,
                    .close = 50,
                    .stall = 60,
                    .idle_release = 5};
        case 4:
            return {.ping = 1, .pong = never, .idle = 100, .close = 1000};
        case 5:
            return {.opening = never - 1, .ping = -5, .idle = 1000, .stall = 1};
        default:
            return {};
    }
}

inline connection_options options_of(octet one, octet two, octet time) {
    constexpr std::array<std::size_t, 4> messages{1 << 20, 300, 1000, sockless::unlimited};
    constexpr std::array<std::size_t, 4> highs{65'536, 0, 300, 2000};
    constexpr std::array<std::size_t, 4> lows{16'384, 0, 100, 5000};
    connection_options options;
    options.limit.message = messages[one % 4];
    options.limit.high = highs[one / 4 % 4];
    options.limit.low = lows[one / 16 % 4];
    options.limit.frame = one / 64 == 1 ? 200 : sockless::unlimited;
    options.limit.output = one / 64 == 2 ? 5000 : 0;
    options.limit.head = one / 64 == 3 ? 300 : 8192;
    options.slices = (two & 1) != 0;
    options.answer_pings = (two & 2) == 0;
    options.pause = static_cast<connection_options::pausing>(two / 4 % 3);
    options.from = sockless::origins::any;
    options.time = timeouts_of(time);
    return options;
}

inline shape shape_of(octet chosen) {
    shape one;
    if (chosen % 4 == 2) one.most = {.message = 256, .output = 416};
    if (chosen % 4 == 3) one.most = {.message = 700, .output = 1500};
    one.refuses = chosen / 4 % 4 == 1;
    one.generous = chosen / 4 % 4 == 2;
    return one;
}

inline std::size_t table_of(octet chosen) { return chosen % 4 < 2 ? 0 : chosen % 4 - 1U; }

// ---- one end, and its application ----

class party {
  public:
    party(bool is_server, const connection_options& options, octet memory, source& in)
        : is_server_(is_server),
          options_(options),
          shape_(shape_of(memory)),
          memory_(counted::table(table_of(memory)), shape_, memory),
          in_(in) {
        const sockless::limits limit = sockless::fitted(options, shape_.most).limit;
        const std::size_t message = std::min<std::size_t>(limit.message, 200'000);
        memory_.set_bound(
            std::max({2 * message + 1024, 2 * std::size_t{limit.head} + 1024, limit.output}));
        if (is_server) {
            server_ = std::make_unique<server_end>(memory_, options);
            here_ = server_.get();
        } else {
            client_ = std::make_unique<client_end>(memory_, options, keys_);
            here_ = client_.get();
        }
    }
    party(const party&) = delete;
    party& operator=(const party&) = delete;

    void meet(party& peer) { peer_ = &peer; }

    // ---- from conversation to conversation ----

    void start(octet chosen) {
        if (is_server_) return;
        static constexpr std::array<sockless::opening, 4> openings{{
            {.host = "example.org"},
            {.host = "a:8080", .target = "?q", .protocols = "chat"},
            {.host = "[::1]", .target = "/a", .protocols = "b, chat", .extensions = "x; y=1"},
            {.host = "h", .extensions = "x"},
        }};
        opening_ = openings[chosen % 4];
        // Where memory is refused, there will be some another time.
        result got = client_->open(opening_);
        for (int i = 0; i < 9 && got == result::full; ++i) got = client_->open(opening_);
        expect(got == result::done || got == result::full || got == result::too_large,
               "invariant 41: a client asks");
        idle_ = got != result::done;
        nonce_keys_ = keys_.drawn().size();
        expect(idle_ || client_->open(opening_) == result::undecided, "invariant 41: it asks once");
    }

    void reset() {
        if (is_server_) {
            server_->reset();
        } else {
            client_->reset();
            keys_.forget();
        }
        flight_.reset();
        lent_.clear();
        pipe_.clear();
        sent_.clear();
        said_.clear();
        heard_.clear();
        fresh_room({});
        consumed_ = 0;
        over_ = open_ = asked_ = upgrade_ = refused_ = ended_ = silent_ = false;
        began_ = closed_by_us_ = damaged_ = aborted_ = fragments_ = unfinished_ = is_timed_ =
            cut_off_ = idle_ = false;
        left_to_pay_ = 0;
        expect(!here_->finished() && here_->pending() == 0, "reset() begins anew");
    }

    void destroy() {
        flight_.reset();
        server_.reset();
        client_.reset();
        expect(memory_.is_empty(), "invariant 27: all memory is given back");
    }

    // ---- what becomes of it ----

    bool is_over() const { return over_; }
    bool is_quiet() const { return pipe_.empty() && here_->output().empty(); }

    void check() {
        if (memory_.broken() != nullptr) expect(false, memory_.broken());
        check_flight();
        check_payload();
        const sockless::wants wants = here_->wants();
        expect(!wants.write || here_->pending() > 0, "what is written was pending");
        expect(wants.write || here_->pending() == left_to_pay_ || wants.ending == ending::drop,
               "what is pending is written, or to be paid");
        const bool gone = wants.ending == ending::drop;
        expect(!gone || over_ || wants.events, "the transport is dropped when `closed` is due");
        expect(here_->finished() == over_, "finished when `closed` has been told");
        if (over_) {
            expect(wants == sockless::wants{.ending = ending::drop},
                   "in the end, it wants nothing");
            expect(here_->deadline() == never, "in the end, it waits for nothing");
            expect(here_->report().why != sockless::cause::nothing, "it ended for a reason");
        }
        expect(over_ || idle_ || asked_ || wants.read || wants.write || wants.events,
               "invariant 4: it always waits for something");
        if (silent_) expect(!wants.write, "a half that is closed stays closed");
        silent_ = silent_ || wants.ending == ending::half_close;
        const sockless::counters counted = here_->counters();
        expect(counted.sent.octets == sent_.size(), "invariant 3: octets sent");
        expect(counted.received.octets == consumed_, "invariant 3: octets received");
    }

    // At the end of a conversation.
    void check_story() const {
        const std::size_t head = sent_.find("\r\n\r\n");
        if (head == npos) return;
        if (is_server_ && !accepted_head()) {
            expect(said_.empty(), "invariant 16: messages are for those who are open");
            const std::size_t at = sent_.find("Content-Length: ");
            const std::size_t body = at < head ? std::stoul(sent_.substr(at + 16)) : 0;
            return expect(sent_.size() <= head + 4 + body, "invariant 18: one answer, not two");
        }
        const left all = read_left(std::string_view(sent_).substr(head + 4), !is_server_);
        expect(begins(all.messages, said_), "invariant 36: what leaves is what was said");
        expect(!all.close || here_->report().sent == all.close, "invariant 41: the code sent");
        for (std::size_t i = 0; i < all.keys.size(); ++i) {
            expect(all.keys[i] == keys_.drawn().at(i + nonce_keys_),
                   "invariant 22: a key for each frame");
        }
        if (here_->report().clean) expect(all.close.has_value(), "invariant 33: both Closes");
        if (peer_->damaged_) return;
        expect(begins(peer_->heard_, said_), "invariant 36: what one says is what the other hears");
        const bool both = here_->report().clean && peer_->here_->report().clean;
        expect(!both || whole_ones(peer_->heard_) == whole_ones(said_),
               "invariant 36: nothing is lost in a clean close");
    }

    bool is_damaged() const { return damaged_; }
    bool may_fail() const {
        return shape_.refuses || aborted_ || idle_ || is_timed_ || left_to_pay_ > 0;
    }
    bool has_fault() const { return here_->report().fault.has_value(); }
    sockless::cause why() const { return here_->report().why; }

    // ---- the calls ----

    void call(octet chosen) {
        switch (chosen % 20) {
            case 0:
                return write_all();
            case 1:
                return begin_write(chosen >= 128);
            case 2:
                return end_write(in_.take());
            case 3:
            case 4:
                return receive(in_.take(), 1 + in_.take() % 4U);
            case 5:
                return receive(SIZE_MAX, SIZE_MAX);
            case 6:
                return send(chosen >= 128);
            case 7:
                return begin(chosen >= 128);
            case 8:
                return append();
            case 9:
                return lend();
            case 10:
                return control(chosen >= 128);
            case 11:
                return close(in_.take());
            case 12:
            case 13:
                return pass_time(in_.take());
            case 14:
                return answer(in_.take());
            case 15:
                return fill_room();
            case 16:
                return lend_frame();
            case 17:
                return damage(in_.take());
            case 18:
                return rare(in_.take());
            default:
                return receive(0, SIZE_MAX);
        }
    }

    // ---- a good end ----

    // Whatever waits on either side of it moves on. Did anything?
    bool settle() {
        const std::uint64_t before = sent_.size() + consumed_;
        const bool was_over = over_;
        if (asked_) answer(0);
        if (asked_) answer(3);
        if (asked_) abort();
        finish_message();
        write_all();
        receive(SIZE_MAX, SIZE_MAX);
        check();
        return sent_.size() + consumed_ != before || over_ != was_over;
    }

    void close_now() {
        if (over_ || !open_) return;
        finish_message();
        if (here_->close() == result::done) closed_by_us_ = true;
    }

    // Time passes, and nothing else happens.
    void wait() {
        receive(0, SIZE_MAX);
        for (int i = 0; i < 40 && !over_ && here_->deadline() != never; ++i) {
            set_time(here_->deadline());
        }
        // A wait past the end of time lasts for ever.
        if (closed_by_us_ && is_timed_ && now_ < never / 4 && options_.time.close < never / 4) {
            expect(over_, "7.1.1: behind the deadline of the close it ends");
        }
        if (!over_) abort();
        receive(0, SIZE_MAX);
        check();
        expect(over_, "invariant 35: everything ends, and is told");
    }

    void abort() {
        aborted_ = true;
        here_->abort();
        receive(0, SIZE_MAX);
    }

  private:
    static constexpr std::size_t npos = std::string::npos;

    struct written_out {
        std::span<const octet> first;
        std::span<const octet> second;
        std::string copy;
    };
    struct lent_piece {
        std::unique_ptr<octet[]> octets;
        std::string copy;
    };

    static std::string text_of(std::span<const octet> octets) { return as_string(octets); }

    bool accepted_head() const { return sent_.starts_with("HTTP/1.1 101 "); }

    // ---- octets out ----

    void check_flight() {
        if (!flight_) return;
        expect(text_of(flight_->first) + text_of(flight_->second) == flight_->copy,
               "invariant 5: what is offered stays until it has been written");
    }

    void begin_write(bool both) {
        if (flight_) return;
        const bool wanted = here_->wants().write;
        sockless::gather out{.own = {}, .lent = {}};
        if (both) {
            out = here_->output_gather();
        } else {
            out.own = here_->output();
        }
        expect(wanted == (out.own.size() + out.lent.size() > 0), "invariant 41: wants().write");
        if (!wanted) return;
        flight_ = written_out{out.own, out.lent, text_of(out.own) + text_of(out.lent)};
    }

    void end_write(std::size_t most) {
        if (!flight_) return;
        check_flight();
        const written_out out = *std::exchange(flight_, std::nullopt);
        // The transport is gone, and so is what it would have taken.
        if (here_->wants().ending == ending::drop) return;
        const std::size_t size = std::min(most, out.copy.size());
        const std::uint64_t before = here_->pending();
        here_->written(out.copy.size() + 1'000'000);
        expect(here_->pending() == before, "more than was offered changes nothing");
        sent_ += out.copy.substr(0, size);
        pipe_ += out.copy.substr(0, size);
        here_->written(size);
        if (here_->wants().ending == ending::drop) return;
        const std::uint64_t after = here_->pending();
        expect(after + size >= before && after + size <= before + 131U * 4,
               "what is written is no longer pending");
    }

    void write_all() {
        for (int i = 0; i < 1000; ++i) {
            begin_write(false);
            if (!flight_) return;
            end_write(SIZE_MAX);
        }
        expect(false, "invariant 4: output comes to an end");
    }

    // ---- octets in, events ----

    void fresh_room(std::span<octet> in) {
        check_payload();
        payload_ = {};
        in_buffer_ = in;
    }

    void read(std::size_t most) {
        if (!in_buffer_.empty() || !here_->wants().read) return;
        if (peer_->pipe_.empty()) {
            const ending peers = peer_->here_->wants().ending;
            const bool ends = peers == ending::drop ||
                              (peers == ending::half_close && !peer_->here_->wants().write);
            if (most > 0 && (ends || cut_off_)) end_of_stream();
            return;
        }
        if (most == 0) return;
        const std::size_t size = std::min<std::size_t>(most, 1500);
        check_payload();
        payload_ = {};
        std::unique_ptr<octet[]> room(new octet[size]);
        const std::span<octet> target = here_->read_target({room.get(), size});
        expect(!target.empty() && target.size() <= size, "invariant 41: where to read to");
        const std::span<octet> again = here_->read_target({room.get(), size});
        expect(shape_.refuses || again.data() == target.data(), "it stays where it is");
        const std::size_t count = std::min(target.size(), peer_->pipe_.size());
        std::copy_n(peer_->pipe_.begin(), count, target.begin());
        peer_->pipe_.erase(0, count);
        in_buffer_ = target.first(count);
        room_ = std::move(room);
    }

    void end_of_stream() {
        if (ended_) return;
        ended_ = true;
        here_->end_of_stream();
    }

    void receive(std::size_t most, std::size_t events) {
        do {
            read(most);
            most -= std::min(most, in_buffer_.size());
            if (!take_events(events)) return;
        } while (most > 0 && !peer_->pipe_.empty() && here_->wants().read);
        if (most == SIZE_MAX) {
            read(most);  // the end, perhaps
            take_events(events);
        }
    }

    // False if it was left early.
    bool take_events(std::size_t most) {
        std::size_t calls = in_buffer_.size() + 8;
        for (; most > 0; --most) {
            expect(calls-- > 0, "invariant 4: n octets take n and a few calls");
            const std::string before = text_of(in_buffer_);
            const octet* const end = in_buffer_.data() + in_buffer_.size();
            const bool waits = here_->wants().events;
            check_payload();
            payload_ = {};
            const event told = here_->next(in_buffer_);
            consumed_ += before.size() - in_buffer_.size();
            expect(in_buffer_.size() <= before.size() &&
                       in_buffer_.data() + in_buffer_.size() == end &&
                       before.ends_with(text_of(in_buffer_)),
                   "invariant 3: octets are taken off the front, and others not touched");
            if (before.empty()) {
                expect(!waits || told.kind != what::nothing, "wants().events: there is one");
                expect(waits || told.kind == what::nothing || memory_.refused(),
                       "wants().events: there is none");
            }
            if (told.kind == what::nothing) {
                expect(!here_->wants().events, "wants().events: no more of them");
                const bool paused = !here_->wants().read && here_->wants().write;
                expect(in_buffer_.empty() || over_ || asked_ || paused, "what comes is taken");
                return true;
            }
            if (!hear(told, calls)) return false;
        }
        return false;
    }

    void check_payload() {
        expect(text_of(payload_) == payload_copy_.substr(0, payload_.size()),
               "a payload stays until the next event is taken");
        if (asked_) {
            expect(text_of(server_->request().octets()) == request_,
                   "a request stays until it is answered");
        }
    }

    bool hear(const event& told, std::size_t& calls) {
        expect(!over_, "`closed` is told once, and last");
        payload_ = told.payload;
        payload_copy_ = text_of(told.payload);
        note(told);
        const octet reaction = in_.take();
        if (asked_ && reaction % 8 != 7) answer(reaction / 8U);
        if (told.kind == what::message && reaction % 8 == 4) echo(told);
        if (reaction % 8 == 6) {
            calls += 2;
            const octet chosen = in_.take();
            // What takes events is not for an event's handler.
            constexpr std::array<octet, 10> calls_of{0, 1, 2, 6, 7, 8, 9, 10, 11, 14};
            call(static_cast<octet>(calls_of[chosen % 10] + (chosen >= 128 ? 120 : 0)));
        }
        check_payload();
        return reaction % 8 != 5;
    }

    void note(const event& told) {
        switch (told.kind) {
            case what::nothing:
                break;
            case what::plain_request:
            case what::request:
                expect(is_server_ && !began_, "a server is asked once, and first");
                began_ = asked_ = true;
                upgrade_ = told.kind == what::request;
                request_ = text_of(server_->request().octets());
                expect(server_->request().is_upgrade() == upgrade_, "it asks for a WebSocket");
                check_request();
                break;
            case what::refused:
                expect(!is_server_ && !began_, "a client is refused once, and first");
                began_ = refused_ = true;
                expect(client_->response().status() != 101, "a 101 does not refuse");
                break;
            case what::open:
                expect(!open_ && !refused_ && (is_server_ ? upgrade_ : !began_), "open once");
                expect(!asked_, "it opens when it is answered");
                began_ = open_ = true;
                break;
            case what::message:
                expect(open_ && !options_.slices, "invariant 16: messages come when it is open");
                heard_.push_back({told.type == message_type::text, true, payload_copy_});
                expect(told.payload.size() <= options_.limit.message, "invariant 9: the limit");
                break;
            case what::slice:
                note_slice(told);
                break;
            case what::ping:
                expect(open_ && !options_.answer_pings, "pings are told to who answers them");
                expect(told.payload.size() <= 125, "invariant 12: a ping's payload");
                break;
            case what::pong:
                expect(open_ && told.payload.size() <= 125, "invariant 12: a pong's payload");
                break;
            case what::drained:
                give_back_lent();
                break;
            case what::closed:
                over_ = true;
                asked_ = false;
                expect(here_->report().received == told.code, "invariant 35: the peer's code");
                give_back_lent();
                break;
        }
    }

    void check_request() const {
        if (damaged_ || peer_->damaged_ || !upgrade_) return;
        const sockless::opening& right = peer_->opening_;
        expect(server_->request().host() == right.host, "invariant 36: the host that was asked");
        expect(server_->request().offers("chat") ==
                   (right.protocols.find("chat") != std::string_view::npos),
               "invariant 36: what was offered");
    }

    void note_slice(const event& told) {
        expect(open_ && options_.slices, "invariant 16: slices come when it is open");
        const bool within = !heard_.empty() && !heard_.back().whole;
        expect(told.first == !within, "invariant 11: a message begins once");
        if (!within) heard_.push_back({told.type == message_type::text, false, {}});
        message& last = heard_.back();
        expect(last.text == (told.type == message_type::text), "invariant 11: and is of one type");
        expect(!told.last || told.remaining == 0, "invariant 11: a message ends with a frame");
        last.payload += payload_copy_;
        last.whole = told.last;
        expect(last.payload.size() <= options_.limit.message, "invariant 9: the limit");
    }

    // What is lent is ours again: a server has not touched it.
    void give_back_lent() {
        check_flight();
        for (const lent_piece& piece : lent_) {
            if (!is_server_) continue;
            expect(text_of({piece.octets.get(), piece.copy.size()}) == piece.copy,
                   "a server changes nothing of what it is lent");
        }
        // Behind the end, a write may still be under way.
        if (!lent_.empty() && over_) flight_.reset();
        lent_.clear();
    }

    // ---- the application ----

    std::size_t length() {
        const octet chosen = in_.take();
        if (chosen < 250) return chosen;
        constexpr std::array<std::size_t, 6> lengths{300, 600, 1000, 2000, 3000, 70'000};
        return lengths[chosen - 250U];
    }

    std::vector<octet> payload(bool text, std::size_t size) {
        return payload_of(size, static_cast<octet>(said_.size() * 31), text);
    }

    // What is refused changes nothing, but that replies which were due may leave in front of it.
    result checked(result got, std::uint64_t before, std::uint64_t least, std::uint64_t most) {
        const std::uint64_t after = here_->pending();
        if (here_->wants().ending == ending::drop) return got;
        const bool done = got == result::done;
        expect(after >= before + (done ? least : 0), "what was accepted is pending");
        expect(after <= before + 131U * 3 + (done ? most : 0), "what was refused is not pending");
        return got;
    }

    void send(bool text) {
        const auto octets = payload(text, length());
        const std::uint64_t before = here_->pending();
        const result got =
            checked(here_->send(text ? message_type::text : message_type::binary, octets), before,
                    octets.size(), octets.size() + 14);
        if (got == result::done) said_.push_back({text, true, text_of(octets)});
    }

    void echo(const event& told) {
        const std::string copy = payload_copy_;
        const std::uint64_t most = here_->room();
        const bool room = most > 0 && most >= copy.size();
        const result got = here_->send(told.type, told.payload);
        if (got == result::done) {
            said_.push_back({told.type == message_type::text, true, copy});
        } else {
            expect(!room || memory_.refused(), "room() says what send() takes");
        }
    }

    // To the last octet that there is room for.
    void fill_room() {
        const std::uint64_t most = here_->room();
        if (most == 0 || most > 100'000) return;
        const auto room = static_cast<std::size_t>(most);
        const auto octets = payload(false, room + 1);
        expect(here_->send(message_type::binary, octets) != result::done, "room(): no more of it");
        if (here_->room() != room) return;
        const result got = here_->send(message_type::binary, std::span(octets).first(room));
        expect(got == result::done || memory_.refused(), "room(): so much of it");
        if (got == result::done) {
            said_.push_back({false, true, text_of(std::span(octets).first(room))});
        }
    }

    bool within() const { return unfinished_; }

    void begin(bool text) {
        const message_type type = text ? message_type::text : message_type::binary;
        const octet chosen = in_.take();
        const std::uint64_t before = here_->pending();
        result got = result::done;
        std::uint64_t size = 0;
        if (chosen % 2 == 0) {
            got = checked(here_->begin(type), before, 0, 0);
        } else {
            size = chosen == 255 ? std::uint64_t{1} << 40 : length();
            got = checked(here_->begin(type, size), before, size, size + 14);
        }
        expect(!within() || got != result::done, "invariant 11: one message at a time");
        if (got != result::done) return;
        said_.push_back({text, false, {}});
        fragments_ = chosen % 2 == 0;
        left_to_pay_ = size;
        unfinished_ = true;
        said_.back().whole = !fragments_ && size == 0;
    }

    // A piece was taken.
    void noted(std::span<const octet> piece, bool last) {
        said_.back().payload += text_of(piece);
        if (!fragments_) left_to_pay_ -= piece.size();
        // The header of one frame says where the message ends.
        said_.back().whole = last || (!fragments_ && left_to_pay_ == 0);
        unfinished_ = !last;
    }

    std::vector<octet> piece(bool& last) {
        const octet chosen = in_.take();
        std::size_t size = length();
        if (chosen % 4 >= 2 && !fragments_ && left_to_pay_ < 10'000) {
            size = static_cast<std::size_t>(left_to_pay_);
        }
        last = chosen % 2 == 1;
        return payload(within() && said_.back().text, size);
    }

    void append() {
        bool last = false;
        const auto octets = piece(last);
        const std::uint64_t before = here_->pending();
        const result got = checked(here_->append(octets, last ? part::last : part::more), before, 0,
                                   octets.size() + 14);
        expect(got != result::done || within(), "invariant 11: what goes on has begun");
        if (got == result::done) noted(octets, last);
    }

    lent_piece& new_lent(std::span<const octet> octets) {
        lent_.push_back({std::unique_ptr<octet[]>(new octet[octets.size()]), text_of(octets)});
        std::copy(octets.begin(), octets.end(), lent_.back().octets.get());
        return lent_.back();
    }

    void lend() {
        bool last = false;
        const auto octets = piece(last);
        const std::span<octet> place{new_lent(octets).octets.get(), octets.size()};
        const part which = last ? part::last : part::more;
        const std::uint64_t before = here_->pending();
        const result got = checked(is_server_ && octets.size() % 2 == 0
                                       ? server_->lend(std::span<const octet>(place), which)
                                       : here_->lend(place, which),
                                   before, 0, octets.size() + 14);
        expect(got != result::done || within(), "invariant 11: what goes on has begun");
        if (got == result::done) {
            noted(octets, last);
        } else {
            expect(text_of(place) == text_of(octets),
                   "invariant 24: what is refused stays as it is");
            lent_.pop_back();
        }
    }

    void lend_frame() {
        if (!is_server_) return;
        const auto octets = payload(false, length());
        std::vector<octet> whole(sockless::encoded_size(octets.size()));
        const auto frame = sockless::encode_frame(message_type::binary, octets, whole);
        const lent_piece& place = new_lent(whole);
        const sockless::encoded_frame moved{{place.octets.get(), whole.size()}, frame->payload};
        if (server_->lend(moved) == result::done) {
            said_.push_back({false, true, text_of(octets)});
        } else {
            lent_.pop_back();
        }
    }

    void control(bool ping) {
        const auto octets = payload(false, length());
        const std::uint64_t before = here_->pending();
        const result got = checked(ping ? here_->ping(octets) : here_->pong(octets), before,
                                   octets.size(), octets.size() + 6);
        expect(got != result::done || octets.size() <= 125, "invariant 12: 125 octets at most");
    }

    void close(octet chosen) {
        constexpr std::array<std::string_view, 4> reasons{"", "bye", "\xC3\xA9", "\xC3"};
        const std::string_view reason = reasons[chosen % 4];
        const sockless::close_code code = chosen >= 128 ? sockless::close_code(1000) : 4999;
        const result got = here_->close(code, reason);
        expect(got != result::done || reason != "\xC3", "invariant 24: a reason is UTF-8");
        if (got == result::done) closed_by_us_ = true;
    }

    void answer(octet chosen) {
        if (!asked_) return;
        constexpr std::array<sockless::field, 1> ours{{{"X-Ours", "1"}}};
        const std::string_view body = "no";
        result got = result::done;
        switch (upgrade_ ? chosen % 8 : 4 + chosen % 4) {
            case 0:
            case 1:
                got = server_->accept();
                break;
            case 2:
                got = server_->accept({.protocol = "chat"});
                break;
            case 3:
                got = server_->accept({.extensions = "x", .headers = ours});
                break;
            case 4:
                got = server_->reject();
                break;
            case 5:
                got = server_->respond(200, ours, sockless::octets_of(body));
                break;
            case 6:
                got = server_->respond(204);
                break;
            default:
                expect(server_->respond(101) != result::done, "invariant 41: a 101 is no answer");
                return;
        }
        if (got == result::done) asked_ = false;
    }

    void finish_message() {
        if (over_ || !within() || left_to_pay_ > 100'000) return;
        const auto octets = payload(said_.back().text, static_cast<std::size_t>(left_to_pay_));
        if (here_->append(octets, part::last) == result::done) noted(octets, true);
    }

    // ---- time ----

    void pass_time(octet chosen) {
        constexpr std::array<milliseconds, 16> steps{
            0,         1,        5,    10,     50,         999,         1000,
            10'000,    -1,       -500, 30'000, 86'400'000, -86'400'000, milliseconds{1} << 50,
            INT64_MIN, INT64_MAX};
        if (chosen >= 192 && here_->deadline() != never) return set_time(here_->deadline());
        const milliseconds step = steps[chosen % 16];
        if (step == INT64_MIN || step == INT64_MAX) return set_time(step);
        set_time(asked_time_ > INT64_MAX / 2 || asked_time_ < INT64_MIN / 2 ? asked_time_
                                                                            : asked_time_ + step);
    }

    bool is_due() const { return here_->deadline() <= now_ && here_->deadline() != never; }

    void set_time(milliseconds now) {
        here_->on_time(now);
        now_ = is_timed_ ? std::max(now, now_) : now;
        asked_time_ = now;
        is_timed_ = true;
        receive(0, SIZE_MAX);
        for (int i = 0; i < 8 && is_due(); ++i) {
            here_->on_time(now_);
            receive(0, SIZE_MAX);
        }
        expect(!is_due(), "invariant 4: time that has come is not waited for");
    }

    // ---- damage ----

    void damage(octet chosen) {
        using namespace std::string_view_literals;
        constexpr std::array<std::string_view, 7> noises{
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv,
            "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\nbody"sv,
            "HTTP/1.1 100 \r\n\r\n"sv,
            "\x89\x80\0\0\0\0"sv,
            "\x81\x01x"sv,
            "\x88\x02\x03\xE8"sv,
            "\xFF\xFF"sv,
        };
        // All that may be heard from now on is not what was said.
        if (chosen % 4 < 2 && pipe_.empty()) return;
        peer_->damaged_ = true;
        if (chosen % 4 == 0) {
            char& one = pipe_[in_.take() % pipe_.size()];
            one = static_cast<char>(one ^ (1 << (chosen / 4 % 8)));
        } else if (chosen % 4 == 1) {
            pipe_.resize(in_.take() % pipe_.size());
        } else if (chosen % 4 == 2) {
            pipe_ += noises[chosen / 4 % noises.size()];
        } else {
            pipe_.resize(pipe_.size() / 2);
            peer_->cut_off_ = true;
        }
    }

    void rare(octet chosen) {
        switch (chosen % 6) {
            case 0:
                aborted_ = true;
                return here_->abort();
            case 1:
                aborted_ = true;
                ended_ = true;
                return here_->end_of_stream();
            case 2:
                if (here_->wants().ending == ending::drop) flight_.reset();
                return is_server_ ? server_->release() : client_->release();
            case 3:
                return here_->written(1'000'000);
            case 4:
                expect(here_->send_text("\xC3") != result::done, "invariant 10: text is UTF-8");
                return;
            default:
                here_->written(0);
        }
    }

    bool is_server_;
    connection_options options_;
    shape shape_;
    counted memory_;
    noted_keys keys_;
    source& in_;
    std::unique_ptr<server_end> server_;
    std::unique_ptr<client_end> client_;
    connection* here_ = nullptr;
    party* peer_ = nullptr;
    sockless::opening opening_{};

    std::string sent_;  // all that has left, and what of it has not arrived
    std::string pipe_;
    std::optional<written_out> flight_;
    std::vector<lent_piece> lent_;
    std::vector<message> said_;
    std::vector<message> heard_;

    std::unique_ptr<octet[]> room_;
    std::span<octet> in_buffer_;
    std::span<octet> payload_;  // that was told last
    std::string payload_copy_;
    std::string request_;
    std::uint64_t consumed_ = 0;
    std::size_t nonce_keys_ = 0;
    std::uint64_t left_to_pay_ = 0;

    bool over_ = false;
    bool open_ = false;
    bool asked_ = false;
    bool upgrade_ = false;
    bool refused_ = false;
    bool began_ = false;
    bool idle_ = false;
    bool ended_ = false;
    bool cut_off_ = false;
    bool silent_ = false;
    bool closed_by_us_ = false;
    bool damaged_ = false;
    bool aborted_ = false;
    bool fragments_ = false;
    bool unfinished_ = false;
    bool is_timed_ = false;
    milliseconds now_ = 0;
    milliseconds asked_time_ = 0;
};

// ---- both of them ----

class conversation {
  public:
    explicit conversation(std::span<const octet> input)
        : in_(input),
          how_(in_.take()),
          server_(true, next_options(), how_, in_),
          client_(false, next_options(), static_cast<octet>(how_ / 16), in_) {
        server_.meet(client_);
        client_.meet(server_);
    }

    void run() {
        for (int i = 0; i < 3; ++i) {
            if (i > 0) {
                server_.reset();
                client_.reset();
            }
            talk();
            end();
            if (in_.empty()) break;
        }
        client_.destroy();
        server_.destroy();
    }

  private:
    connection_options next_options() {
        const octet one = in_.take();
        const octet two = in_.take();
        return options_of(one, two, static_cast<octet>(two / 16));
    }

    void talk() {
        const octet chosen = in_.take();
        client_.start(chosen);
        silently_ = chosen >= 128;
        if ((chosen & 64) != 0) settle();
        for (int calls = 0; calls < 400 && !in_.empty(); ++calls) {
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
        if (!silently_) settle();
        client_.close_now();
        server_.close_now();
        if (!silently_) settle();
        client_.check_story();
        server_.check_story();
        const bool good = !client_.is_damaged() && !server_.is_damaged() && !client_.may_fail() &&
                          !server_.may_fail();
        if (good && !silently_) {
            expect(client_.is_over() && server_.is_over(),
                   "invariant 33: both ends come to an end");
        }
        client_.wait();
        server_.wait();
        client_.check_story();
        server_.check_story();
    }

    source in_;
    octet how_;
    party server_;
    party client_;
    bool silently_ = false;
};

inline void run(std::span<const octet> input) { conversation(input).run(); }

}  // namespace fuzz::connection_pair
