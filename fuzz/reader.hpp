// reader.hpp -- frame_reader against the reference, however the stream is cut.
//
// Octet 0 of the input is the configuration (bit 0: we are the server; bit 1: RSV1 is agreed on;
// bits 2 and 3: the limits), octet 1 says where the stream is cut, and the rest is the stream.
// Invariants 1, 3 to 7, 9 to 13 and 37.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sockless/frame_reader.hpp>

#include "fuzz/expect.hpp"
#include "fuzz/source.hpp"
#include "fuzz/tale.hpp"
#include "support/reference.hpp"

namespace fuzz::reader {

using sockless::frame_reader;
using sockless::limits;

inline constexpr limits no_limits{
    .message = sockless::unlimited, .frame = sockless::unlimited, .empty_fragments = 0};
inline constexpr std::array<limits, 4> limits_choice{
    limits{}, limits{.message = 125}, limits{.message = 1000, .frame = 100, .empty_fragments = 2},
    no_limits};

struct setup {
    sockless::role receiver;
    bool rsv1;
    limits limit;

    frame_reader make() const { return frame_reader(receiver, limit, rsv1); }
    reference::options options() const {
        reference::options agreed;
        agreed.server = receiver == sockless::role::server;
        agreed.rsv1 = rsv1;
        agreed.message_limit = limit.message;
        agreed.frame_limit = limit.frame;
        agreed.empty_fragments = limit.empty_fragments;
        return agreed;
    }
};

inline setup setup_of(octet configuration) {
    return {(configuration & 1) != 0 ? sockless::role::server : sockless::role::client,
            (configuration & 2) != 0, limits_choice[configuration >> 2 & 3]};
}

// ---- what the reference tells ----

struct expected {
    tale told;
    std::vector<progress> after;  // so many octets
    std::uint64_t offset = 0;     // octets read, those behind the end not counted
};

inline sockless::rule rule_called(const std::string& name) {
    for (const sockless::rule_entry& known : sockless::rule_table) {
        if (known.name == name) return known.id;
    }
    expect(false, "the reference and the library have the same rules");
    return sockless::rule::none;
}

inline void note(const reference::happening& h, tale& told) {
    using what = reference::happening::what;
    const std::vector<octet> payload(h.payload.begin(), h.payload.end());
    switch (h.kind) {
        case what::data:
            told.payload(h.text, h.first, h.compressed, payload);
            break;
        case what::frame_end:
            if (!told.within_frame()) told.payload(h.text, h.first, h.compressed, {});
            told.end_frame(h.last);
            break;
        case what::ping:
            told.control(entry::what::ping, 0, payload);
            break;
        case what::pong:
            told.control(entry::what::pong, 0, payload);
            break;
        case what::close:
            told.control(entry::what::close, h.code, payload);
            break;
        case what::violated:
            told.violated(rule_called(h.rule), h.code, h.at);
            break;
    }
}

inline expected by_reference(const setup& chosen, std::span<const octet> stream) {
    expected result;
    result.after.reserve(stream.size() + 1);
    result.after.push_back({});
    reference::reader slow(chosen.options());
    for (const octet next : stream) {
        const bool over = result.told.is_over();
        for (const reference::happening& h : slow.take(next)) note(h, result.told);
        result.after.push_back(result.told.so_far());
        const bool refused =
            result.told.is_over() && result.told.entries().back().kind == entry::what::violated;
        if (!over && !refused) ++result.offset;
    }
    return result;
}

// ---- what the library tells ----

// Nothing that comes behind the end of a stream tells anything or changes anything.
inline void check_end(frame_reader& machine, tale& told) {
    constexpr std::array<octet, 8> more{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'};
    const frame_reader before = machine;
    const tale told_before = told;
    std::vector<octet> copy(more.begin(), more.end());
    feed(machine, copy, more, told);
    expect(std::equal(copy.begin(), copy.end(), more.begin()),
           "invariant 7: octets behind the end are not unmasked");
    expect(machine == before, "invariant 7: the end is sticky");
    expect(told == told_before, "invariant 7: nothing is told behind the end");
}

inline void check_outcome(frame_reader& machine, tale& told, const expected& right) {
    expect(told == right.told, "invariants 1, 6, 14: what the reference tells");
    expect(machine.offset() == right.offset, "invariant 6: octets read");
    const bool refused = told.is_over() && told.entries().back().kind == entry::what::violated;
    expect(machine.fault().has_value() == refused, "invariant 7: the fault is kept");
    if (refused) {
        const entry& last = told.entries().back();
        expect(*machine.fault() == sockless::violation{last.broken, right.offset},
               "invariant 6: the rule and the octet that broke it");
    }
    if (told.is_over()) check_end(machine, told);
}

inline void read_whole(const setup& chosen, std::span<const octet> stream, const expected& right) {
    std::vector<octet> copy(stream.begin(), stream.end());
    frame_reader machine = chosen.make();
    tale told;
    feed(machine, {}, {}, told);
    feed(machine, copy, stream, told);
    check_outcome(machine, told, right);
}

// Every piece lies in memory of its own that is gone when the next one comes, and so does the
// reader: what it knows it has to carry with it.
inline void read_in_pieces(const setup& chosen, std::span<const octet> stream, octet seed,
                           const expected& right) {
    auto machine = std::make_unique<frame_reader>(chosen.make());
    tale told;
    cutter cuts(seed);
    for (std::size_t done = 0; done < stream.size();) {
        const std::span<const octet> piece = stream.subspan(done, cuts.next(stream.size() - done));
        std::vector<octet> copy(piece.begin(), piece.end());
        feed(*machine, copy, piece, told);
        done += piece.size();
        expect(told.so_far() == right.after[done], "invariant 1: told as soon as it has come");
        machine = std::make_unique<frame_reader>(*machine);
    }
    check_outcome(*machine, told, right);
}

inline void read_octet_by_octet(const setup& chosen, std::span<const octet> stream,
                                const expected& right) {
    const auto one = std::make_unique<octet[]>(1);
    frame_reader machine = chosen.make();
    tale told;
    for (std::size_t i = 0; i < stream.size(); ++i) {
        one[0] = stream[i];
        feed(machine, {one.get(), 1}, stream.subspan(i, 1), told);
        expect(told.so_far() == right.after[i + 1], "invariant 6: told at the earliest octet");
    }
    check_outcome(machine, told, right);
}

// ---- what holds for every stream ----

inline void check_message(std::span<const octet> message, const entry& frame, const setup& chosen) {
    expect(message.size() <= reference::largest_message(chosen.options(), frame.compressed),
           "invariant 9: no message is longer than the limit");
    if (frame.text && !frame.compressed && frame.last) {
        expect(reference::valid_utf8(as_string(message)), "invariant 10: a text is UTF-8");
    }
}

inline void check_messages(const tale& told, const setup& chosen) {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool within_message = false;
    for (const entry& one : told.entries()) {
        if (one.kind != entry::what::part && one.kind != entry::what::frame) continue;
        expect(one.first != within_message, "invariant 11: messages follow one another");
        expect(one.size <= chosen.limit.frame, "invariant 9: no frame is longer than the limit");
        if (one.first) begin = end;
        end += one.size;
        within_message = !one.last;
        check_message(told.data().subspan(begin, end - begin), one, chosen);
    }
}

// With higher limits nothing is told otherwise; at most, it goes on behind.
inline void check_higher_limits(setup chosen, std::span<const octet> stream, const tale& limited) {
    using sockless::rule;
    chosen.limit = no_limits;
    std::vector<octet> copy(stream.begin(), stream.end());
    frame_reader machine = chosen.make();
    tale told;
    feed(machine, copy, stream, told);
    const bool refused =
        !limited.entries().empty() && limited.entries().back().kind == entry::what::violated;
    const rule broken = refused ? limited.entries().back().broken : rule::none;
    if (broken == rule::large_frame || broken == rule::large_message ||
        broken == rule::empty_fragments) {
        expect(limited.without_violation().begins(told), "invariant 9: limits only end a stream");
    } else {
        expect(told == limited, "invariant 9: a higher limit refuses nothing");
    }
}

inline void run(std::span<const octet> input) {
    source in(input);
    const setup chosen = setup_of(in.take());
    const octet seed = in.take();
    const std::span<const octet> stream = in.rest();
    const expected right = by_reference(chosen, stream);
    read_whole(chosen, stream, right);
    read_in_pieces(chosen, stream, seed, right);
    read_octet_by_octet(chosen, stream, right);
    check_messages(right.told, chosen);
    check_higher_limits(chosen, stream, right.told);
}

}  // namespace fuzz::reader
