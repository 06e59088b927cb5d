// Invariants 17, 19 to 24 and 36: a client and a server, joined by a pipe that delivers when and in
// pieces as it likes, whose applications call what they like. What one sends is what the other
// delivers, and what an independent reader makes of the octets.

#include <sockless/endpoint.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"
#include "support/log.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"
#include "support/streams.hpp"

namespace {

using namespace sockless;

using octet_vector = std::vector<octet>;
using control_octets = std::array<octet, longest_control_frame>;
using what = frame_event::what;

constexpr octet fill = 0xA5;

// (No std distribution: one seed gives one run everywhere.)
class dice {
  public:
    explicit dice(std::uint64_t seed) : random_(seed) {}

    std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }
    bool one_in(std::size_t count) { return below(count) == 0; }

    octet_vector octets(std::size_t size) {
        octet_vector all(size);
        for (octet& o : all) o = static_cast<octet>(random_());
        return all;
    }

    // UTF-8 of code points of every size.
    octet_vector text(std::size_t size) {
        constexpr std::array<std::uint32_t, 4> most{0x80, 0x800, 0xD800, 0x110000};
        std::string all;
        while (all.size() < size) {
            const auto one = static_cast<std::uint32_t>(below(most[below(4)]));
            all += reference::encode_utf8(one >= 0xD800 && one < 0xE000 ? 0x20 : one);
        }
        return octet_vector(all.begin(), all.end());
    }

    // Often short, at times at an edge of the length's forms.
    std::size_t size() {
        constexpr std::array<std::size_t, 7> edges{0, 1, 125, 126, 127, 65535, 65536};
        if (one_in(200)) return edges[below(7)];
        return one_in(5) ? edges[below(5)] : below(60);
    }

  private:
    std::mt19937_64 random_;
};

// Both roles with the same calls: a client draws a key for each frame.
class server : public server_endpoint {
  public:
    static constexpr bool is_client = false;
    server(const endpoint_options& options, dice&) : server_endpoint(options) {}
};

class client : public client_endpoint {
  public:
    static constexpr bool is_client = true;
    client(const endpoint_options& options, dice& random)
        : client_endpoint(options), random_(&random) {}

    std::size_t control(control_octets& out) { return client_endpoint::control(out, key()); }
    result start(frame_kind frame, std::uint64_t length, frame_start& out) {
        return client_endpoint::start(frame, length, out, key());
    }
    written write(frame_kind frame, std::span<const octet> payload, std::span<octet> out) {
        return client_endpoint::write(frame, payload, out, key());
    }
    written ping(std::span<const octet> payload, control_octets& out) {
        return client_endpoint::ping(payload, out, key());
    }
    written pong(std::span<const octet> payload, control_octets& out) {
        return client_endpoint::pong(payload, out, key());
    }

  private:
    masking_key key() {
        masking_key fresh;
        copy_octets(random_->octets(4), fresh.octets);
        return fresh;
    }

    dice* random_;
};

// A message that an application is about to send, cut into frames.
struct outgoing {
    message_type type = message_type::binary;
    bool compressed = false;
    std::vector<octet_vector> frames{};
    std::size_t next = 0;  // frame

    bool finished() const { return next == frames.size(); }
    frame_kind kind() const { return {type, next + 1 == frames.size(), compressed}; }
};

// What all runs together have come to.
struct totals {
    std::size_t messages = 0;
    std::size_t fragments = 0;
    std::size_t pongs = 0;
    std::size_t refused = 0;
    std::size_t closed = 0;
    std::size_t crossed = 0;
};

// ---------------------------------------------------------------------------------------------
// One end and its application
// ---------------------------------------------------------------------------------------------

template <class End>
class talker {
  public:
    talker(const endpoint_options& options, dice& random, totals& sum)
        : end_(options, random), options_(options), random_(random), sum_(sum) {}

    const endpoint& end() const { return end_; }
    const octet_vector& sent() const { return sent_; }        // all the octets that ever left
    const support::event_log& says() const { return says_; }  // what the peer is to be told
    const support::event_log& hears() const { return hears_; }

    void act() {
        switch (random_.below(12)) {
            case 0:
            case 1:
            case 2:
                return send_frame();
            case 3:
            case 4:
            case 5:
                return pay();
            case 6:
                return ping();
            case 7:
                return pong();
            case 8:
            case 9:
                return drain();
            case 10:
                return misuse();
            default:
                if (random_.one_in(20)) close();
        }
    }

    void send_frame() {
        if (message_.finished()) message_ = next_message();
        return random_.one_in(2) ? write() : start();
    }

    // Masks the next piece of the open frame, in place or while copying into a span of any size.
    void pay() {
        if (paid_from_.empty()) return;
        const std::size_t size = random_.one_in(3) ? paid_from_.size() : random_.below(20);
        const std::size_t piece = std::min(size, paid_from_.size());
        const octet_vector plain(paid_from_.begin(), paid_from_.begin() + signed_size(piece));
        const octet_vector masked = random_.one_in(2) ? paid_in_place(plain) : paid_copying(plain);
        paid_from_.erase(paid_from_.begin(), paid_from_.begin() + signed_size(piece));
        REQUIRE(end_.owed() == paid_from_.size());
        leave(masked);
        if (piece > 0) tell_slice(plain);
    }

    void drain() {
        const End before = end_;
        control_octets out;
        out.fill(fill);
        const bool due = end_.control_due();
        const std::size_t size = end_.control(out);
        REQUIRE(due == (size > 0));
        untouched(out, size);
        if (size == 0) {
            REQUIRE(end_ == before);
            return;
        }
        leave(std::span(out).first(size));
        if ((out[0] & 0x0F) == 0x0A) {
            ++sum_.pongs;
            tell({.kind = what::pong, .payload = last_ping_});
            count_reply(size);
            return;
        }
        REQUIRE(end_.report().sent.has_value());
        tell({.kind = what::close, .code = *end_.report().sent, .payload = reason_});
        if (asked_to_close_) return;
        REQUIRE(end_.report().sent == end_.report().received);
        count_reply(size);
    }

    void close() {
        const octet_vector reason = random_.text(random_.below(120));
        const auto code = close_code::from(random_.one_in(2) ? 1000 : 3000 + 7);
        const End before = end_;
        const bool with_code = !random_.one_in(5);
        const std::string_view words = text_view{reason};
        const result closed = with_code ? end_.close(*code, words) : end_.close();
        if (closed != result::done) return refuse(before);
        asked_to_close_ = true;
        reason_ = with_code ? reason : octet_vector{};
    }

    void receive(std::span<octet> in) {
        octets_in_ += in.size();
        while (true) {
            const std::size_t before = in.size();
            const frame_event event = end_.next(in);
            REQUIRE(event.kind != what::violated);
            if (event.kind == what::nothing) break;
            REQUIRE(in.size() <= before);
            hears_.add(event, 0);
            if (event.kind == what::ping) {
                last_ping_.assign(event.payload.begin(), event.payload.end());
            }
            if (event.kind == what::slice && event.last) ++sum_.messages;
            if (random_.one_in(2)) drain();
        }
        REQUIRE(in.empty());
    }

    // Brings the open frame to its end, and lets out what is due.
    void settle() {
        while (!paid_from_.empty()) pay();
        drain();
    }

  private:
    static std::ptrdiff_t signed_size(std::size_t size) {
        return static_cast<std::ptrdiff_t>(size);
    }

    static void untouched(std::span<const octet> out, std::size_t from) {
        for (std::size_t i = from; i < out.size(); ++i) REQUIRE(out[i] == fill);
    }

    // 24: what is refused changes nothing.
    void refuse(const End& before) {
        REQUIRE(end_ == before);
        ++sum_.refused;
    }

    // 23: behind our Close nothing leaves.
    void leave(std::span<const octet> octets) {
        if (close_has_left_) REQUIRE(octets.empty());
        sent_.insert(sent_.end(), octets.begin(), octets.end());
        close_has_left_ = end_.report().sent.has_value();
    }

    void tell(const frame_event& event) { says_.add(event, 0); }

    // 21: replies are no longer than what came, but for the last one and the keys.
    void count_reply(std::size_t size) {
        replies_out_ += size - (End::is_client ? sizeof(masking_key) : 0);
        REQUIRE(replies_out_ <= octets_in_ + longest_control_frame);
    }

    outgoing next_message() {
        outgoing message;
        message.compressed = options_.rsv1 && random_.one_in(2);
        if (random_.one_in(2)) message.type = message_type::text;
        const bool is_plain_text = message.type == message_type::text && !message.compressed;
        const std::size_t size = random_.size();
        octet_vector all = is_plain_text ? random_.text(size) : random_.octets(size);
        while (random_.one_in(2)) {
            const std::size_t cut = random_.below(all.size() + 1);
            message.frames.emplace_back(all.begin(), all.begin() + signed_size(cut));
            all.erase(all.begin(), all.begin() + signed_size(cut));
        }
        message.frames.push_back(all);
        return message;
    }

    // The frame has left in whole or in part: what is told of it begins here.
    void begin_frame() {
        kind_ = message_.kind();
        first_ = message_.next == 0;
        ++message_.next;
        ++sum_.fragments;
    }

    void tell_slice(octet_vector plain) {
        tell({.kind = what::slice,
              .type = kind_.type,
              .first = first_,
              .last = kind_.last && paid_from_.empty(),
              .compressed = kind_.compressed,
              .payload = plain,
              .remaining = paid_from_.size()});
        first_ = false;
    }

    // Into a span that is too small, and again into one that is not.
    void write() {
        const octet_vector& payload = message_.frames[message_.next];
        const End before = end_;
        const std::size_t room = random_.below(2 * payload.size() + 20);
        const support::exact out(octet_vector(room, fill));
        written wrote = end_.write(message_.kind(), payload, out.span());
        const std::size_t size = header_size(payload.size(), End::is_client) + payload.size();
        if (wrote.what != result::done) {
            untouched(out.span(), 0);
            refuse(before);
        }
        if (wrote.what != result::done && wrote.what != result::full) return;
        REQUIRE(wrote.octets == size);
        REQUIRE((wrote.what == result::full) == (size > room));
        const support::exact again(octet_vector(size, fill));
        const bool retry = wrote.what == result::full;
        if (retry) wrote = end_.write(message_.kind(), payload, again.span());
        REQUIRE(wrote == written{result::done, size});
        const std::span<octet> place = retry ? again.span() : out.span();
        untouched(place, size);
        begin_frame();
        leave(place.first(size));
        tell_slice(payload);
    }

    void start() {
        const octet_vector& payload = message_.frames[message_.next];
        const End before = end_;
        frame_start header;
        header.octets.fill(fill);
        if (end_.start(message_.kind(), payload.size(), header) != result::done) {
            untouched(header.octets, 0);
            return refuse(before);
        }
        untouched(header.octets, header.size);
        REQUIRE(header.size == header_size(payload.size(), End::is_client));
        leave(header.view());
        paid_from_ = payload;
        begin_frame();
        if (payload.empty()) tell_slice({});
    }

    octet_vector paid_in_place(octet_vector plain) {
        const std::size_t size = plain.size();
        const octet_vector behind = random_.octets(size == paid_from_.size() ? 3 : 0);
        plain.insert(plain.end(), behind.begin(), behind.end());
        const std::span<octet> paid = end_.pay(std::span(plain));
        REQUIRE(paid.data() == plain.data());
        REQUIRE(paid.size() == size);
        REQUIRE(std::equal(behind.begin(), behind.end(), plain.begin() + signed_size(size)));
        return octet_vector(paid.begin(), paid.end());
    }

    // 20: into spans of any size comes what one large span would get.
    octet_vector paid_copying(const octet_vector& plain) {
        End twin = end_;
        octet_vector large(plain.size());
        REQUIRE(twin.pay(plain, large) == plain.size());
        octet_vector small;
        while (small.size() < plain.size()) {
            const support::exact out(octet_vector(random_.below(30), fill));
            const auto rest = std::span(plain).subspan(small.size());
            const std::size_t size = end_.pay(rest, out.span());
            REQUIRE(size == std::min(rest.size(), out.span().size()));
            untouched(out.span(), size);
            small.insert(small.end(), out.span().begin(), out.span().begin() + signed_size(size));
        }
        REQUIRE(small == large);
        REQUIRE(end_ == twin);
        return small;
    }

    void ping() {
        octet_vector payload = random_.octets(random_.below(126));
        control_octets out;
        control_frame(what::ping, payload, out, end_.ping(payload, out));
    }
    void pong() {
        octet_vector payload = random_.octets(random_.below(126));
        control_octets out;
        control_frame(what::pong, payload, out, end_.pong(payload, out));
    }
    void control_frame(what kind, octet_vector& payload, const control_octets& out, written wrote) {
        if (wrote.what != result::done) return;
        REQUIRE(wrote.octets == header_size(payload.size(), End::is_client) + payload.size());
        leave(std::span(out).first(wrote.octets));
        tell({.kind = kind, .payload = payload});
    }

    // Calls that are never right.
    void misuse() {
        const End before = end_;
        control_octets out;
        out.fill(fill);
        frame_start header;
        header.octets.fill(fill);
        const octet_vector long_payload(126 + random_.below(10));
        REQUIRE(end_.ping(long_payload, out).what != result::done);
        REQUIRE(end_.pong(long_payload, out).what != result::done);
        REQUIRE(end_.close(1000, std::string(124, 'r')) != result::done);
        REQUIRE(end_.close(1000, "\xFF") != result::done);
        REQUIRE(end_.start({}, UINT64_MAX - random_.below(9), header) != result::done);
        REQUIRE(end_.write({}, long_payload, std::span(out).first(9)).what != result::done);
        untouched(out, 0);
        untouched(header.octets, 0);
        refuse(before);
    }

    End end_;
    endpoint_options options_;
    dice& random_;
    totals& sum_;
    octet_vector sent_;
    support::event_log says_;
    support::event_log hears_;
    outgoing message_;
    frame_kind kind_;         // of the frame that is open
    bool first_ = false;      // nothing of its message has been told
    octet_vector paid_from_;  // what the open frame is still owed
    octet_vector last_ping_;
    octet_vector reason_;
    bool asked_to_close_ = false;
    bool close_has_left_ = false;
    std::size_t octets_in_ = 0;
    std::size_t replies_out_ = 0;
};

// ---------------------------------------------------------------------------------------------
// Both ends
// ---------------------------------------------------------------------------------------------

// What an independent reader makes of the octets that were sent to a server, or to a client.
std::string read_independently(bool server, const octet_vector& octets) {
    support::event_log log;
    bool has_data = false;
    const reference::options options{.server = server, .rsv1 = true};
    for (const reference::happening& h : reference::read_all(options, support::to_string(octets))) {
        using enum reference::happening::what;
        octet_vector payload(h.payload.begin(), h.payload.end());
        frame_event event{.kind = what::slice,
                          .type = h.text ? message_type::text : message_type::binary,
                          .first = h.first && (h.kind == data || !has_data),
                          .last = h.last,
                          .compressed = h.compressed,
                          .code = h.code,
                          .payload = payload,
                          .remaining = h.kind == frame_end ? 0U : 1U};
        has_data = h.kind == data;
        if (h.kind == ping) event.kind = what::ping;
        if (h.kind == pong) event.kind = what::pong;
        if (h.kind == close) event.kind = what::close;
        if (h.kind == violated) event.kind = what::violated;
        log.add(event, 0);
    }
    return log.text();
}

class pair {
  public:
    pair(std::uint64_t seed, totals& sum)
        : random_(seed),
          sum_(sum),
          rsv1_(random_.one_in(2)),
          client_(options(), random_, sum),
          server_(options(), random_, sum) {}

    void run() {
        for (std::size_t i = 0; i < 100; ++i) {
            switch (random_.below(4)) {
                case 0:
                    client_.act();
                    break;
                case 1:
                    server_.act();
                    break;
                case 2:
                    deliver(client_, server_, delivered_to_server_);
                    break;
                default:
                    deliver(server_, client_, delivered_to_client_);
            }
        }
        settle();
        compare();
        if (random_.one_in(2)) finish();
    }

  private:
    endpoint_options options() {
        return {
            .rsv1 = rsv1_, .answer_pings = !random_.one_in(8), .answer_closes = !random_.one_in(8)};
    }

    template <class From, class To>
    void deliver(const From& from, To& to, std::size_t& delivered) {
        const std::size_t left = from.sent().size() - delivered;
        const std::size_t size = random_.one_in(3) ? left : std::min(left, random_.below(40));
        const auto piece = std::span(from.sent()).subspan(delivered, size);
        delivered += size;
        if (random_.one_in(2)) {
            to.receive(support::exact(piece).span());
        } else {
            to.receive(support::guarded(piece).span());
        }
    }

    bool quiet() const {
        return delivered_to_server_ == client_.sent().size() &&
               delivered_to_client_ == server_.sent().size() && !client_.end().control_due() &&
               !server_.end().control_due();
    }

    void settle() {
        do {
            client_.settle();
            server_.settle();
            deliver(client_, server_, delivered_to_server_);
            deliver(server_, client_, delivered_to_client_);
        } while (!quiet());
    }

    // 17, 36: what one sends is what the other delivers.
    void compare() {
        REQUIRE(server_.hears().text() == client_.says().text());
        REQUIRE(client_.hears().text() == server_.says().text());
        REQUIRE(read_independently(true, client_.sent()) == client_.says().text());
        REQUIRE(read_independently(false, server_.sent()) == server_.says().text());
    }

    void finish() {
        if (random_.one_in(2)) client_.close();
        if (random_.one_in(2)) server_.close();
        settle();
        client_.close();
        settle();
        server_.close();
        settle();
        compare();
        const close_report left = client_.end().report();
        const close_report right = server_.end().report();
        REQUIRE(left.clean);
        REQUIRE(right.clean);
        REQUIRE(left.state == closing::closed);
        REQUIRE(right.state == closing::closed);
        REQUIRE(left.sent == right.received);
        REQUIRE(right.sent == left.received);
        ++sum_.closed;
        if (left.began == right.began) ++sum_.crossed;
    }

    dice random_;
    totals& sum_;
    bool rsv1_;
    talker<client> client_;
    talker<server> server_;
    std::size_t delivered_to_server_ = 0;
    std::size_t delivered_to_client_ = 0;
};

TEST_CASE("17 19 20 21 22 23 24 36 what one end sends is what the other delivers") {
    const std::size_t runs = support::short_effort() ? 500 : 10000;
    totals sum;
    for (std::uint64_t seed = 0; seed < runs; ++seed) {
        CAPTURE(seed);
        pair(seed, sum).run();
    }
    // All of it has happened, and often.
    CHECK(sum.messages > runs);
    CHECK(sum.fragments > sum.messages);
    CHECK(sum.pongs > runs);
    CHECK(sum.refused > runs);
    CHECK(sum.closed > runs / 3);
    CHECK(sum.crossed > runs / 30);
}

// ---------------------------------------------------------------------------------------------
// Amplification
// ---------------------------------------------------------------------------------------------

TEST_CASE("21 of Pings that cost nothing no more comes out than went in, but for the keys") {
    for (const std::size_t size : {0U, 1U, 60U, 125U}) {
        server_endpoint server_end;
        client_endpoint client_end;
        const octet_vector payload(size, 'p');
        const octet_vector to_server = support::frame(true, 0, 9, support::client_key, payload);
        const octet_vector to_client = support::frame(true, 0, 9, std::nullopt, payload);
        std::size_t server_out = 0;
        std::size_t client_out = 0;
        for (int i = 0; i < 1000; ++i) {
            control_octets out;
            octet_vector place = to_server;
            std::span<octet> in = place;
            REQUIRE(server_end.next(in).kind == what::ping);
            server_out += server_end.control(out);
            place = to_client;
            in = place;
            REQUIRE(client_end.next(in).kind == what::ping);
            client_out += client_end.control(out, support::client_key);
        }
        CHECK(server_out == 1000 * (to_server.size() - 4));
        CHECK(client_out == 1000 * (to_client.size() + 4));
    }
}

}  // namespace
