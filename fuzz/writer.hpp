// writer.hpp -- whatever frame_writer wrote reads as what it was given.
//
// The input is a program: octet 0 is the configuration (bit 0: frames are masked), octet 1 says
// where the reader's stream is cut, and then each call is an octet with its arguments behind it.
// Besides reading the result, every octet is compared with what the reference builds. Invariants
// 17, 19, 20, 22, 24 and 25.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sockless/frame_reader.hpp>
#include <sockless/frame_writer.hpp>

#include "fuzz/expect.hpp"
#include "fuzz/source.hpp"
#include "fuzz/tale.hpp"
#include "support/reference.hpp"

namespace fuzz::writer {

using sockless::frame_kind;
using sockless::frame_writer;
using sockless::masking_key;
using sockless::message_type;
using sockless::opcode;
using sockless::result;

// What is owed is counted in a size_t.
inline constexpr std::uint64_t longest_frame = SIZE_MAX < UINT64_MAX ? SIZE_MAX : UINT64_MAX >> 1;

// A data frame that has been started, as the reference sees it.
struct open_frame {
    bool fin = true;
    int rsv = 0;
    int op = 0;
    std::optional<masking_key> key;
    std::uint64_t length = 0;
    std::string payload;  // as much as has been paid, not masked

    std::string octets() const {
        reference::masking_key mask;
        if (key) mask = key->octets;
        const int size = reference::shortest_length_octets(length);
        return reference::build_header(fin, rsv, op, mask, size, length) +
               reference::mask(mask, payload);
    }
};

class program {
  public:
    explicit program(std::span<const octet> input) : in_(input), masked_((in_.take() & 1) != 0) {}

    void run() {
        for (int calls = 0; !in_.empty() && calls < most_calls; ++calls) call();
        if (owed() <= 1000) pay_in_place(static_cast<std::size_t>(owed()));
        const bool readable = !frame_ || frame_->length < sockless::longest / 2;
        finish_expected();
        expect(as_string(wire_) == expected_, "invariants 18, 19, 22: what the reference writes");
        if (readable) check_reading();
    }

  private:
    static constexpr int most_calls = 200;

    std::uint64_t owed() const { return frame_ ? frame_->length - frame_->payload.size() : 0; }

    void call() {
        const octet what = in_.take();
        switch (what % 8) {
            case 0:
            case 1:
                write(kind(what), length());
                break;
            case 2:
            case 3:
                start(kind(what), what >= 224 ? long_length() : length());
                break;
            case 4:
                pay_in_place(length());
                break;
            case 5:
            case 6:
                pay_copying(length(), length());
                break;
            default:
                control(what);
                break;
        }
    }

    // ---- arguments ----

    static frame_kind kind(octet bits) {
        return {.type = (bits & 8) != 0 ? message_type::text : message_type::binary,
                .last = (bits & 16) == 0,
                .compressed = (bits & 32) != 0};
    }

    // The octet itself, but for one value: for speed, payloads are short.
    std::size_t length() {
        const octet chosen = in_.take();
        return chosen < 255 ? chosen : 1000;
    }

    // What a header may promise; programs do not live to pay all of it.
    std::uint64_t long_length() {
        constexpr std::array<std::uint64_t, 8> edges{65535,
                                                     65536,
                                                     65537,
                                                     std::uint64_t{1} << 32,
                                                     longest_frame - 1,
                                                     longest_frame,
                                                     longest_frame + 1,
                                                     UINT64_MAX};
        return edges[in_.take() % 8];
    }

    std::optional<masking_key> key() {
        if (!masked_) return std::nullopt;
        return key_of(in_.take());
    }

    // ---- what has to come of it ----

    result allowed(message_type type, std::uint64_t size) const {
        if (owed() > 0) return result::mid_frame;
        if (within_message_ && type != type_) return result::mid_message;
        return size > longest_frame ? result::too_large : result::done;
    }

    void begin_expected(const frame_kind& kind, std::uint64_t size,
                        const std::optional<masking_key>& key) {
        finish_expected();
        first_ = !within_message_;
        if (first_) compressed_ = kind.compressed;
        type_ = kind.type;
        within_message_ = !kind.last;
        open_frame next;
        next.fin = kind.last;
        next.rsv = first_ && kind.compressed ? 4 : 0;
        next.op = first_ ? static_cast<int>(kind.type) : 0;
        next.key = key;
        next.length = size;
        frame_ = next;
        pay_expected({});
    }

    void pay_expected(std::span<const octet> paid) {
        if (!frame_) return;
        const bool fresh = frame_->payload.empty();
        if (!paid.empty() || frame_->length == 0) {
            told_.payload(type_ == message_type::text, first_ && fresh, compressed_, paid);
        }
        frame_->payload.append(paid.begin(), paid.end());
        if (owed() > 0) return;
        told_.end_frame(frame_->fin);
        finish_expected();
    }

    void finish_expected() {
        if (frame_) expected_ += frame_->octets();
        frame_.reset();
    }

    // ---- the calls ----

    void write(const frame_kind& kind, std::size_t size) {
        const auto payload = payload_of(size, in_.take(), kind.type == message_type::text);
        const auto mask = key();
        const int space = in_.take();
        const result right = allowed(kind.type, size);
        const std::size_t needed = size + header_size(size);
        // Room enough, and then some; or too little.
        std::size_t room = needed + static_cast<std::size_t>(space % 16);
        if (space >= 128) room = needed - 1 - static_cast<std::size_t>(space) % needed;
        std::vector<octet> out(room, 0xA5);
        const frame_writer before = writer_;
        const sockless::written got = writer_.write(kind, payload, out, mask);
        if (right == result::done && room >= needed) {
            expect(got == sockless::written{result::done, needed},
                   "invariant 19: the size is known");
            expect(all_are(std::span(out).subspan(needed), 0xA5), "invariant 20: nothing behind");
            begin_expected(kind, size, mask);
            pay_expected(payload);
            send(std::span(out).first(needed));
            return;
        }
        const bool full = right == result::done;
        expect(
            got == (full ? sockless::written{result::full, needed} : sockless::written{right, 0}),
            "invariant 24: a refusal says why");
        expect(all_are(out, 0xA5) && writer_ == before, "invariant 24: a refusal changes nothing");
    }

    void start(const frame_kind& kind, std::uint64_t size) {
        const auto mask = key();
        const result right = allowed(kind.type, size);
        const frame_writer before = writer_;
        sockless::frame_start out;
        out.octets.fill(0xA5);
        out.size = 0xA5;
        expect(writer_.start(kind, size, mask, out) == right, "invariant 24: done, or why not");
        if (right != result::done) {
            expect(writer_ == before && out.size == 0xA5 && all_are(out.octets, 0xA5),
                   "invariant 24: a refusal changes nothing");
            return;
        }
        expect(out.size == header_size(size), "invariant 19: the shortest header");
        expect(all_are(std::span(out.octets).subspan(out.size), 0xA5),
               "invariant 20: nothing behind");
        begin_expected(kind, size, mask);
        send(out.view());
    }

    void pay_in_place(std::size_t size) {
        const auto plain = payload_of(size, in_.take(), type_ == message_type::text);
        std::vector<octet> piece = plain;
        const std::size_t right = size < owed() ? size : static_cast<std::size_t>(owed());
        const std::span<octet> paid = writer_.pay(piece);
        expect(paid.data() == piece.data() && paid.size() == right,
               "invariant 17: as many octets as the frame lacked");
        expect(std::equal(plain.begin() + static_cast<std::ptrdiff_t>(right), plain.end(),
                          piece.begin() + static_cast<std::ptrdiff_t>(right)),
               "invariant 5: nothing is masked behind");
        pay_expected(std::span(plain).first(right));
        send(paid);
    }

    void pay_copying(std::size_t size, std::size_t room) {
        const auto plain = payload_of(size, in_.take(), type_ == message_type::text);
        std::size_t right = size < room ? size : room;
        if (owed() < right) right = static_cast<std::size_t>(owed());
        frame_writer twin = writer_;
        std::vector<octet> out(room, 0xA5);
        std::vector<octet> other(room, 0x5A);
        expect(writer_.pay(plain, out) == right && twin.pay(plain, other) == right,
               "invariant 17: as many octets as the frame lacked and there was room for");
        expect(twin == writer_, "invariant 37: the same future");
        expect(std::equal(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(right),
                          other.begin()),
               "invariant 25: the same octets whatever was there before");
        expect(all_are(std::span(out).subspan(right), 0xA5) &&
                   all_are(std::span(other).subspan(right), 0x5A),
               "invariant 20: nothing behind the size that is told");
        pay_expected(std::span(plain).first(right));
        send(std::span(out).first(right));
    }

    // Control frames go between frames; that they do is the caller's, or the endpoint's, to see to.
    void control(octet bits) {
        if (owed() > 0) return;
        const bool ping = (bits & 8) != 0;
        const std::size_t size = length() % 130;
        const auto payload = payload_of(size, in_.take(), false);
        const auto mask = key();
        std::vector<octet> out(sockless::longest_control_frame, 0xA5);
        const sockless::written got =
            sockless::write_control(ping ? opcode::ping : opcode::pong, payload, mask,
                                    std::span<octet, sockless::longest_control_frame>(out));
        if (size > 125) {
            expect(got == sockless::written{result::too_large, 0} && all_are(out, 0xA5),
                   "invariant 12: a control payload has 125 octets at most");
            return;
        }
        expect(got == sockless::written{result::done, size + header_size(size)},
               "invariant 19: the size is known");
        expect(all_are(std::span(out).subspan(got.octets), 0xA5), "invariant 20: nothing behind");
        reference::masking_key its;
        if (mask) its = mask->octets;
        expected_ += reference::build_frame(true, 0, ping ? 0x9 : 0xA, its, as_string(payload));
        told_.control(ping ? entry::what::ping : entry::what::pong, 0, payload);
        send(std::span(out).first(got.octets));
    }

    // ---- what was written ----

    std::size_t header_size(std::uint64_t size) const {
        const int more = reference::shortest_length_octets(size);
        return 2 + static_cast<std::size_t>(more) + (masked_ ? 4 : 0);
    }

    void send(std::span<const octet> octets) {
        wire_.insert(wire_.end(), octets.begin(), octets.end());
        expect(writer_.owed() == owed(), "invariant 17: what is owed");
        expect((writer_.message() != sockless::fragmentation::none) == within_message_,
               "invariant 17: the message that is unfinished");
    }

    void check_reading() const {
        using sockless::unlimited;
        sockless::frame_reader machine(
            masked_ ? sockless::role::server : sockless::role::client,
            {.message = unlimited, .frame = unlimited, .empty_fragments = 0}, true);
        std::vector<octet> copy = wire_;
        tale read;
        feed(machine, copy, wire_, read);
        expect(read == told_, "invariant 17: decode(encode(x)) == x");
    }

    source in_;
    bool masked_;
    frame_writer writer_;
    std::vector<octet> wire_;

    // What the writer should have done.
    std::string expected_;
    tale told_;
    std::optional<open_frame> frame_;
    message_type type_ = message_type::binary;
    bool within_message_ = false;
    bool first_ = false;  // the open frame is the first of its message
    bool compressed_ = false;
};

inline void run(std::span<const octet> input) { program(input).run(); }

}  // namespace fuzz::writer
