// pair.hpp -- two endpoints, joined by a pipe that delivers when and as much as it likes.
//
// The input is a program: octet 0 is the configuration, and then each call is an octet (its lowest
// bit says which of the two makes it) with its arguments behind it. A model of the protocol, which
// knows of no frames, says how every call has to end. Invariants 3, 5, 7, 21, 23, 24, 34, 35,
// 36, 41.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <sockless/endpoint.hpp>

#include "fuzz/expect.hpp"
#include "fuzz/source.hpp"
#include "fuzz/tale.hpp"
#include "support/reference.hpp"

namespace fuzz::pair {

using sockless::client_endpoint;
using sockless::closing;
using sockless::frame_kind;
using sockless::masking_key;
using sockless::message_type;
using sockless::result;
using sockless::rule;
using sockless::server_endpoint;
using sockless::side;
using sockless::violation;

using control_frame = std::span<octet, sockless::longest_control_frame>;

inline constexpr octet fill = 0xA5;

// Octets that break a rule between any two frames, and the one of them that does.
struct noise {
    std::vector<octet> octets;
    rule broken;
    std::size_t at;
};

inline noise noise_to(sockless::role receiver, octet which) {
    const bool masked = receiver == sockless::role::server;
    const octet mask = masked ? 0x80 : 0;
    const octet wrong_mask = masked ? 0 : 0x80;
    const auto with_mask = [&](int size) { return static_cast<octet>(size | mask); };
    switch (which % 6) {
        case 0:
            return {{0xFF, 0xFF, 0xFF}, rule::reserved_bits, 0};
        case 1:
            return {{0x83, with_mask(0)}, rule::reserved_opcode, 0};
        case 2:
            return {{0x09, with_mask(0)}, rule::fragmented_control, 0};
        case 3:
            return {{0x89, wrong_mask}, masked ? rule::unmasked_frame : rule::masked_frame, 1};
        case 4:
            return {{0x8A, with_mask(126), 0x00, 0x7E}, rule::long_control, 1};
        default:
            return {{0x88, with_mask(1)}, rule::short_close, 1};
    }
}

// One end with all that it should be doing. What leaves it lies in its wire until it is delivered.
template <class Endpoint>
class party {
  public:
    static constexpr bool is_client = std::is_same_v<Endpoint, client_endpoint>;

    party(const sockless::endpoint_options& options, source& in)
        : options_(options), machine_(options), in_(in), keys_(is_client ? 1 : 2) {}

    // ---- what the other end needs ----

    std::span<const octet> undelivered() const { return std::span(wire_).subspan(delivered_); }
    void delivered(std::size_t count) { delivered_ += count; }
    std::uint64_t delivered() const { return delivered_; }
    const tale& sent_tale() const { return sent_tale_; }

    // ---- what becomes of it ----

    bool is_spoilt() const { return fault_ || ended_ || noisy_; }
    bool is_quiet() const { return owed_ == 0 && due_ == due::none && undelivered().empty(); }
    bool is_clean() const { return machine_.report().clean && machine_.state() == closing::closed; }

    template <class Other>
    void check_heard(const Other& peer) const {
        const bool deaf = ended_ || failed_;
        expect(deaf ? heard_.begins(peer.sent_tale()) : heard_ == peer.sent_tale(),
               "invariant 36: what one sends is what the other is told, in order");
    }

    template <class Other>
    void check(const Other& peer) const {
        const sockless::close_report got = machine_.report();
        expect(got.state == state() && machine_.state() == state(), "invariant 41: the state");
        expect(got.began == began_, "invariant 34: who began");
        expect(got.sent == sent_, "invariant 41: the code that is sent");
        expect(got.received == received_, "invariant 35: the code that is received");
        expect(got.fault == fault_, "invariant 7: the fault is kept");
        expect(got.clean == (!fault_ && sent_ && got_close_), "invariant 34: clean or not");
        expect(machine_.owed() == owed_, "invariant 41: what is owed");
        expect(machine_.control_due() == (due_ != due::none && owed_ == 0),
               "invariant 23: what is due, and when");
        if (!ended_ && !fault_ && !heard_.is_over()) {
            expect(machine_.offset() == peer.delivered(), "invariant 3: octets read");
        }
    }

    // ---- the calls ----

    template <class Other>
    void call(octet what, Other& peer) {
        switch (what % 16) {
            case 0:
            case 1:
                return write(kind(what));
            case 2:
                return start(kind(what));
            case 3:
                return pay_in_place(length());
            case 4:
                return pay_copying(length(), length());
            case 5:
                return send_control(what, true);
            case 6:
                return send_control(what, false);
            case 7:
            case 8:
                return drain();
            case 9:
            case 10:
                return receive(peer, in_.take(), 1 + in_.take() % 4U);
            case 11:
                return receive(peer, peer.undelivered().size(), SIZE_MAX);
            case 12:
                return close_with(what);
            case 13:
                return close_without_code();
            case 14:
                return fail(what);
            default:
                return (what & 16) != 0 ? end_of_stream() : make_noise();
        }
    }

    template <class Other>
    void settle(Other& peer) {
        pay_in_place(static_cast<std::size_t>(owed_));
        drain();
        receive(peer, peer.undelivered().size(), SIZE_MAX);
    }

    void close_without_code() {
        const result right = may_send();
        const Endpoint before = machine_;
        expect(machine_.close() == right, "invariant 41: done, or why not");
        if (right != result::done) return check_unchanged(before);
        queue_close(sockless::no_status_code, {});
    }

  private:
    enum class due { none, pong, close };

    // ---- the model ----

    closing state() const {
        if (ended_ || (sent_ && got_close_)) return closing::closed;
        if (sent_) return closing::sent;
        return got_close_ ? closing::received : closing::open;
    }

    result may_send() const {
        if (state() == closing::closed) return result::not_open;
        const bool ours_is_due = due_ == due::close && began_ == side::us;
        if (state() == closing::sent || ours_is_due) return result::closing;
        if (owed_ > 0) return result::mid_frame;
        return due_ == due::none ? result::done : result::control_first;
    }

    result may_start(message_type type) const {
        if (may_send() != result::done) return may_send();
        return within_message_ && type != type_ ? result::mid_message : result::done;
    }

    // One Close leaves, the first that is due; it counts as sent when it does.
    void queue_close(std::uint16_t code, std::string_view reason) {
        if (due_ == due::close || sent_) return;
        if (began_ == side::nobody) began_ = side::us;
        due_ = due::close;
        due_code_ = code;
        reply_ = code == sockless::no_status_code
                     ? std::string()
                     : reference::build_close(code, std::string(reason));
    }

    void break_off(rule broken) {
        fault_ = violation{broken, machine_.offset()};
        queue_close(sockless::code(broken), {});
    }

    void on(const sockless::frame_event& event) {
        using what = sockless::frame_event::what;
        if (event.kind == what::ping) {
            ++pings_;
            if (!options_.answer_pings || state() != closing::open || due_ == due::close) return;
            due_ = due::pong;
            reply_ = as_string(event.payload);
        }
        if (event.kind == what::close) {
            if (began_ == side::nobody) began_ = side::peer;
            got_close_ = true;
            received_ = event.code;
            if (options_.answer_closes) queue_close(event.code, {});
        }
        if (event.kind == what::violated) break_off(event.broken);
    }

    // ---- arguments ----

    frame_kind kind(octet bits) const {
        return {.type = (bits & 16) != 0 ? message_type::text : message_type::binary,
                .last = (bits & 32) == 0,
                .compressed = options_.rsv1 && (bits & 64) != 0};
    }

    // The octet itself, but for one value: for speed, payloads are short.
    std::size_t length() {
        const octet chosen = in_.take();
        return chosen < 255 ? chosen : 1000;
    }

    masking_key fresh_key() {
        masking_key key;
        for (octet& one : key.octets) one = static_cast<octet>(keys_.roll());
        return key;
    }

    // ---- messages ----

    void write(const frame_kind& kind) {
        const auto payload = payload_of(length(), in_.take(), kind.type == message_type::text);
        const std::size_t room = in_.take() % 2 != 0 ? payload.size() : payload.size() + 14;
        std::vector<octet> out(room, fill);
        const Endpoint before = machine_;
        const sockless::written got = write(kind, payload, std::span(out));
        result right = may_start(kind.type);
        if (right == result::done && got.octets > room) right = result::full;
        expect(got.what == right, "invariant 41: done, or why not");
        if (right != result::done) {
            expect(all_are(out, fill), "invariant 24: a refused call writes nothing");
            return check_unchanged(before);
        }
        expect(all_are(std::span(out).subspan(got.octets), fill), "invariant 20: nothing behind");
        begin(kind, payload.size());
        pay_expected(payload);
        send(std::span(out).first(got.octets));
    }

    sockless::written write(const frame_kind& kind, std::span<const octet> payload,
                            std::span<octet> out) {
        if constexpr (is_client) {
            return machine_.write(kind, payload, out, fresh_key());
        } else {
            return machine_.write(kind, payload, out);
        }
    }

    void start(const frame_kind& kind) {
        const std::size_t size = length();
        const Endpoint before = machine_;
        sockless::frame_start out;
        out.octets.fill(fill);
        const result right = may_start(kind.type);
        expect(start(kind, size, out) == right, "invariant 41: done, or why not");
        if (right != result::done) {
            expect(all_are(out.octets, fill), "invariant 24: a refused call writes nothing");
            return check_unchanged(before);
        }
        begin(kind, size);
        pay_expected({});
        send(out.view());
    }

    result start(const frame_kind& kind, std::uint64_t size, sockless::frame_start& out) {
        if constexpr (is_client) {
            return machine_.start(kind, size, out, fresh_key());
        } else {
            return machine_.start(kind, size, out);
        }
    }

    void begin(const frame_kind& kind, std::size_t size) {
        first_ = !within_message_;
        if (first_) compressed_ = kind.compressed;
        type_ = kind.type;
        within_message_ = !kind.last;
        last_ = kind.last;
        fresh_ = true;
        owed_ = size;
    }

    void pay_in_place(std::size_t size) {
        const auto plain = payload_of(size, in_.take(), type_ == message_type::text);
        std::vector<octet> piece = plain;
        const std::span<octet> paid = machine_.pay(piece);
        expect(paid.size() == std::min<std::uint64_t>(size, owed_),
               "invariant 41: what was lacking");
        if (paid.empty()) return;
        pay_expected(std::span(plain).first(paid.size()));
        send(paid);
    }

    void pay_copying(std::size_t size, std::size_t room) {
        const auto plain = payload_of(size, in_.take(), type_ == message_type::text);
        std::vector<octet> out(room, fill);
        const std::size_t paid = machine_.pay(plain, out);
        expect(paid == std::min<std::uint64_t>(std::min(size, room), owed_),
               "invariant 41: what was lacking");
        expect(all_are(std::span(out).subspan(paid), fill), "invariant 20: nothing behind");
        if (paid == 0) return;
        pay_expected(std::span(plain).first(paid));
        send(std::span(out).first(paid));
    }

    void pay_expected(std::span<const octet> paid) {
        owed_ -= paid.size();
        if (!paid.empty() || owed_ == 0) {
            sent_tale_.payload(type_ == message_type::text, first_ && fresh_, compressed_, paid);
            fresh_ = false;
        }
        if (owed_ == 0) sent_tale_.end_frame(last_);
    }

    // ---- control frames ----

    void send_control(octet bits, bool ping) {
        const auto payload = payload_of(length() % 130, bits, false);
        result right = may_send();
        if (right == result::done && payload.size() > 125) right = result::too_large;
        std::vector<octet> out(sockless::longest_control_frame, fill);
        const Endpoint before = machine_;
        const sockless::written got = send_control(ping, payload, control_frame(out));
        expect(got.what == right, "invariant 41: done, or why not");
        expect(all_are(std::span(out).subspan(got.octets), fill), "invariant 20: nothing behind");
        check_unchanged(before);
        if (right != result::done) return;
        sent_tale_.control(ping ? entry::what::ping : entry::what::pong, 0, payload);
        send(std::span(out).first(got.octets));
    }

    sockless::written send_control(bool ping, std::span<const octet> payload, control_frame out) {
        if constexpr (is_client) {
            const masking_key key = fresh_key();
            return ping ? machine_.ping(payload, out, key) : machine_.pong(payload, out, key);
        } else {
            return ping ? machine_.ping(payload, out) : machine_.pong(payload, out);
        }
    }

    void drain() {
        std::vector<octet> out(sockless::longest_control_frame, fill);
        std::optional<masking_key> key;
        const Endpoint before = machine_;
        const std::size_t size = drain(key, control_frame(out));
        expect(all_are(std::span(out).subspan(size), fill), "invariant 20: nothing behind");
        if (owed_ > 0 || due_ == due::none) {
            expect(size == 0, "invariant 23: nothing leaves that is not due");
            return check_unchanged(before);
        }
        reference::masking_key its;
        if (key) its = key->octets;
        const int op = due_ == due::pong ? 0xA : 0x8;
        expect(as_string(std::span(out).first(size)) ==
                   reference::build_frame(true, 0, op, its, reply_),
               "invariant 23: the reply that is due, with the newest payload");
        if (due_ == due::pong) count_pong(size);
        tell_reply();
        send(std::span(out).first(size));
        if (due_ == due::close) sent_ = due_code_;
        due_ = due::none;
    }

    std::size_t drain(std::optional<masking_key>& key, control_frame out) {
        if constexpr (is_client) {
            key = fresh_key();
            return machine_.control(out, *key);
        } else {
            return machine_.control(out);
        }
    }

    void count_pong(std::size_t size) {
        replies_ += size;
        ++pongs_;
        expect(pongs_ <= pings_, "invariant 21: one pong for a ping, at most");
        expect(replies_ <= machine_.offset() + (is_client ? 4 * pings_ : 0),
               "invariant 21: no more comes out than goes in, but for the keys");
    }

    void tell_reply() {
        const std::vector<octet> payload(reply_.begin(), reply_.end());
        if (due_ == due::pong) return sent_tale_.control(entry::what::pong, 0, payload);
        if (payload.empty()) {
            return sent_tale_.control(entry::what::close, sockless::no_status_code, {});
        }
        sent_tale_.control(entry::what::close, due_code_, std::span(payload).subspan(2));
    }

    // ---- the end ----

    void close_with(octet bits) {
        constexpr std::array<int, 4> codes{1000, 1014, 3000, 4999};
        const sockless::close_code code = *sockless::close_code::from(codes[in_.take() % 4]);
        const octet size = in_.take();
        std::string reason(size % 128U, 'r');
        if ((bits & 16) != 0) reason += "\xE2\x82\xAC";
        if ((bits & 32) != 0) reason += "\xE2\x82";
        if (size >= 128) reason = std::string(sockless::cut_reason(reason));
        result right = may_send();
        if (right == result::done && reason.size() > 123) right = result::too_large;
        if (right == result::done && !reference::valid_utf8(reason)) right = result::bad_text;
        const Endpoint before = machine_;
        expect(machine_.close(code, reason) == right, "invariant 41: done, or why not");
        if (right != result::done) return check_unchanged(before);
        queue_close(code.value(), reason);
    }

    void fail(octet bits) {
        const rule broken = (bits & 16) != 0 ? rule::bad_text : rule::large_message;
        const Endpoint before = machine_;
        machine_.fail(broken);
        if (fault_ || state() == closing::closed) return check_unchanged(before);
        failed_ = true;
        break_off(broken);
    }

    void end_of_stream() {
        machine_.end_of_stream();
        ended_ = true;
        due_ = due::none;
        if (!received_) received_ = sockless::abnormal_closure;
    }

    // ---- the pipe ----

    void make_noise() {
        const octet which = in_.take();
        if (owed_ > 0) return;
        const noise made =
            noise_to(is_client ? sockless::role::server : sockless::role::client, which);
        sent_tale_.violated(made.broken, sockless::code(made.broken), wire_.size() + made.at);
        wire_.insert(wire_.end(), made.octets.begin(), made.octets.end());
        noisy_ = true;
    }

    void send(std::span<const octet> octets) {
        expect(!sent_, "invariant 23: nothing leaves behind the Close");
        wire_.insert(wire_.end(), octets.begin(), octets.end());
    }

    template <class Other>
    void receive(Other& peer, std::size_t most, std::size_t most_events) {
        const std::span<const octet> wire = peer.undelivered();
        const std::span<const octet> piece = wire.first(std::min(most, wire.size()));
        std::vector<octet> copy(piece.begin(), piece.end());
        std::span<octet> in(copy);
        const std::size_t left = feed(machine_, in, piece, heard_, most_events,
                                      [&](const sockless::frame_event& event) { on(event); });
        peer.delivered(piece.size() - left);
    }

    void check_unchanged(const Endpoint& before) const {
        expect(machine_ == before, "invariant 24: a refused call changes nothing");
    }

    sockless::endpoint_options options_;
    Endpoint machine_;
    source& in_;
    dice keys_;
    std::vector<octet> wire_;
    std::size_t delivered_ = 0;
    bool noisy_ = false;

    tale sent_tale_;  // what the other end has to be told
    tale heard_;

    // the frame and the message that are leaving
    std::uint64_t owed_ = 0;
    message_type type_ = message_type::binary;
    bool within_message_ = false;
    bool first_ = false;
    bool last_ = false;
    bool fresh_ = false;  // nothing of the frame has been paid
    bool compressed_ = false;

    // the protocol
    due due_ = due::none;
    std::string reply_;
    std::uint16_t due_code_ = 0;
    std::optional<std::uint16_t> sent_;
    std::optional<std::uint16_t> received_;
    std::optional<violation> fault_;
    side began_ = side::nobody;
    bool got_close_ = false;
    bool ended_ = false;
    bool failed_ = false;
    std::uint64_t pings_ = 0;
    std::uint64_t pongs_ = 0;
    std::uint64_t replies_ = 0;
};

class conversation {
  public:
    explicit conversation(std::span<const octet> input)
        : in_(input),
          configuration_(in_.take()),
          server_(options(configuration_ >> 1), in_),
          client_(options(configuration_ >> 3), in_) {}

    void run() {
        constexpr int most_calls = 200;
        for (int calls = 0; !in_.empty() && calls < most_calls; ++calls) {
            const octet what = in_.take();
            if ((what & 1) != 0) {
                server_.call(what >> 1, client_);
            } else {
                client_.call(what >> 1, server_);
            }
            check();
        }
        settle();
        check_heard();
        if (!server_.is_spoilt() && !client_.is_spoilt()) close_both();
    }

  private:
    // A zero means that the endpoint answers by itself.
    sockless::endpoint_options options(int bits) const {
        return {.limit = {.message = sockless::unlimited,
                          .frame = sockless::unlimited,
                          .empty_fragments = 0},
                .rsv1 = (configuration_ & 1) != 0,
                .answer_pings = (bits & 1) == 0,
                .answer_closes = (bits & 2) == 0};
    }

    void check() const {
        server_.check(client_);
        client_.check(server_);
    }

    // Whatever is owed, due or on its way arrives; no end can keep the other busy for ever.
    void settle() {
        for (int round = 0; round < 4 && !is_quiet(); ++round) {
            server_.settle(client_);
            client_.settle(server_);
            check();
        }
        expect(is_quiet(), "invariant 36: the pipe comes to rest");
    }

    bool is_quiet() const { return server_.is_quiet() && client_.is_quiet(); }

    void check_heard() const {
        server_.check_heard(client_);
        client_.check_heard(server_);
    }

    void close_both() {
        server_.close_without_code();
        if ((configuration_ & 128) != 0) settle();
        client_.close_without_code();
        settle();
        check_heard();
        expect(server_.is_clean() && client_.is_clean(), "invariant 33: both ends close cleanly");
    }

    source in_;
    octet configuration_;
    party<server_endpoint> server_;
    party<client_endpoint> client_;
};

inline void run(std::span<const octet> input) { conversation(input).run(); }

}  // namespace fuzz::pair
