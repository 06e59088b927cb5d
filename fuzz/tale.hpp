// tale.hpp -- what a stream told, with the slices of each frame merged, so that two readings can be
// compared however they were cut.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <sockless/frame_reader.hpp>

#include "fuzz/expect.hpp"
#include "fuzz/source.hpp"

namespace fuzz {

struct entry {
    enum class what { part, frame, ping, pong, close, violated };

    what kind = what::part;  // part: of a data frame that has not ended
    bool text = false;
    bool first = false;  // the message begins with this frame
    bool last = false;   // it ends with this frame
    bool compressed = false;
    std::uint16_t code = 0;
    sockless::rule broken = sockless::rule::none;
    std::uint64_t at = 0;
    std::size_t size = 0;  // octets of data, or of a control payload

    bool operator==(const entry&) const = default;
};

// How far a tale has come.
struct progress {
    std::size_t entries = 0;
    std::size_t octets = 0;
    bool within_frame = false;

    bool operator==(const progress&) const = default;
};

class tale {
  public:
    void payload(bool text, bool first, bool compressed, std::span<const octet> octets) {
        if (is_over()) return;
        if (within_frame()) {
            entry& open = entries_.back();
            expect(!first, "invariant 11: a message begins once");
            expect(open.text == text && open.compressed == compressed,
                   "invariant 11: a frame is of one kind");
            open.size += octets.size();
        } else {
            add({.text = text, .first = first, .compressed = compressed, .size = octets.size()});
        }
        data_.insert(data_.end(), octets.begin(), octets.end());
    }

    void end_frame(bool last) {
        if (is_over()) return;
        expect(within_frame(), "invariant 11: what ends has begun");
        entries_.back().kind = entry::what::frame;
        entries_.back().last = last;
    }

    void control(entry::what kind, std::uint16_t code, std::span<const octet> octets) {
        if (is_over()) return;
        expect(!within_frame(), "invariant 11: no control frame within a frame");
        expect(octets.size() <= 125, "invariant 12: a control payload has 125 octets at most");
        add({.kind = kind, .code = code, .size = octets.size()});
        control_.insert(control_.end(), octets.begin(), octets.end());
    }

    void violated(sockless::rule broken, std::uint16_t code, std::uint64_t at) {
        if (is_over()) return;
        add({.kind = entry::what::violated, .code = code, .broken = broken, .at = at});
    }

    bool within_frame() const {
        return !entries_.empty() && entries_.back().kind == entry::what::part;
    }
    bool is_over() const {
        return !entries_.empty() && (entries_.back().kind == entry::what::close ||
                                     entries_.back().kind == entry::what::violated);
    }
    progress so_far() const { return {entries_.size(), data_.size(), within_frame()}; }

    const std::vector<entry>& entries() const { return entries_; }
    std::span<const octet> data() const { return data_; }  // of all frames, one behind the other

    // Is this the beginning of the other, which may have more of the last frame and behind it?
    bool begins(const tale& other) const {
        const bool same_octets = begins(data_, other.data_) && begins(control_, other.control_);
        if (!within_frame()) return same_octets && begins(entries_, other.entries_);
        const std::size_t whole = entries_.size() - 1;
        if (!same_octets || other.entries_.size() <= whole) return false;
        entry rest = other.entries_[whole];
        if (rest.size < entries_[whole].size) return false;
        rest.kind = entry::what::part;
        rest.last = false;
        rest.size = entries_[whole].size;
        return rest == entries_[whole] &&
               std::equal(entries_.begin(), entries_.end() - 1, other.entries_.begin());
    }

    // The same without its last entry, if that is a violation.
    tale without_violation() const {
        tale shorter = *this;
        if (!entries_.empty() && entries_.back().kind == entry::what::violated) {
            shorter.entries_.pop_back();
        }
        return shorter;
    }

    bool operator==(const tale&) const = default;

  private:
    template <class T>
    static bool begins(const std::vector<T>& one, const std::vector<T>& other) {
        return one.size() <= other.size() && std::equal(one.begin(), one.end(), other.begin());
    }

    void add(const entry& next) { entries_.push_back(next); }

    std::vector<entry> entries_;
    std::vector<octet> data_;
    std::vector<octet> control_;
};

// Writes down an event.
inline void note(const sockless::frame_event& event, std::uint64_t offset, tale& told) {
    using what = sockless::frame_event::what;
    switch (event.kind) {
        case what::nothing:
            break;
        case what::slice:
            told.payload(event.type == sockless::message_type::text, event.first, event.compressed,
                         event.payload);
            if (event.remaining == 0) told.end_frame(event.last);
            expect(event.remaining == 0 || !event.last,
                   "invariant 11: a message ends with a frame");
            break;
        case what::ping:
            told.control(entry::what::ping, 0, event.payload);
            break;
        case what::pong:
            told.control(entry::what::pong, 0, event.payload);
            break;
        case what::close:
            told.control(entry::what::close, event.code, event.payload);
            break;
        case what::violated:
            expect(event.code == sockless::code(event.broken), "invariant 8: a rule has one code");
            told.violated(event.broken, event.code, offset);
            break;
    }
}

// Feeds octets to a reader or an endpoint until it asks for more or has told so many events, and
// holds every call against what a call may do. `original` is what `in` held before anything was
// unmasked. Every event is noted, then `heard` has it. Says how many octets are left.
template <class Machine, class Hear>
std::size_t feed(Machine& machine, std::span<octet> in, std::span<const octet> original, tale& told,
                 std::size_t most_events, Hear heard) {
    using what = sockless::frame_event::what;
    const octet* const end = in.data() + in.size();
    const std::size_t most_calls = in.size() + 2;
    for (std::size_t events = 0; events < most_events; ++events) {
        expect(events < most_calls, "invariant 4: n octets take n and a few calls");
        const bool over = told.is_over();
        const std::size_t had = in.size();
        const sockless::frame_event event = machine.next(in);
        expect(in.size() <= had && in.data() + in.size() == end,
               "invariant 3: octets are taken off the front");
        expect(std::equal(in.begin(), in.end(), original.last(in.size()).begin()),
               "invariant 5: octets that are not consumed are not touched");
        if (event.kind == what::nothing) {
            expect(in.empty(), "invariant 3: more is asked for when nothing is left");
            break;
        }
        expect(!over, "invariant 7: nothing is told behind the end");
        if (event.kind == what::slice && !event.payload.empty()) {
            expect(event.payload.data() + event.payload.size() == in.data(),
                   "invariant 5: a slice lies where it arrived, and `in` begins behind it");
        }
        note(event, machine.offset(), told);
        heard(event);
    }
    return in.size();
}

template <class Machine>
void feed(Machine& machine, std::span<octet> in, std::span<const octet> original, tale& told) {
    feed(machine, in, original, told, SIZE_MAX, [](const sockless::frame_event&) {});
}

}  // namespace fuzz
