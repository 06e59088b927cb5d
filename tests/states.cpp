// Invariants 33 to 35: the closing handshake between two ends, searched to the last state.
//
// A state is a client, a server, and the octets that are in flight between them, both ways. Every
// step that either end, its application or the transport can take is tried in every state. What the
// ends do is done by the library; what they are expected to put on the wire is not.

#include <sockless/endpoint.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"
#include "support/streams.hpp"

namespace {

using namespace sockless;

using octet_vector = std::vector<octet>;
using control_octets = std::array<octet, longest_control_frame>;

constexpr frame_kind begin_text{.type = message_type::text, .last = false};
constexpr frame_kind end_text{.type = message_type::text};

class server : public server_endpoint {
  public:
    static constexpr std::optional<masking_key> key{};
    static constexpr close_code code = 1001;
    using server_endpoint::server_endpoint;
};

class client : public client_endpoint {
  public:
    static constexpr std::optional<masking_key> key{support::client_key};
    static constexpr close_code code = 1000;
    using client_endpoint::client_endpoint;

    std::size_t control(control_octets& out) { return client_endpoint::control(out, *key); }
    result start(frame_kind frame, std::uint64_t length, frame_start& out) {
        return client_endpoint::start(frame, length, out, *key);
    }
    written ping(std::span<const octet> payload, control_octets& out) {
        return client_endpoint::ping(payload, out, *key);
    }
};

// ---------------------------------------------------------------------------------------------
// The wire
// ---------------------------------------------------------------------------------------------

// The frames that may ever be in flight in one direction, by their index. Built by the reference.
enum frame_name : std::uint8_t { whole_text, first_text, last_text, ping, pong, first_close };

std::vector<octet_vector> all_frames(std::optional<masking_key> key) {
    std::vector<octet_vector> frames{
        support::frame(true, 0, 1, key, "t"),  support::frame(false, 0, 1, key, "t"),
        support::frame(true, 0, 0, key, "t"),  support::frame(true, 0, 9, key, "p"),
        support::frame(true, 0, 10, key, "p"),
    };
    for (const std::uint32_t code : {1000U, 1001U, 1007U}) {
        frames.push_back(support::frame(true, 0, 8, key, reference::build_close(code, "")));
    }
    return frames;
}

// The frames in flight in one direction, the front one partly delivered, the last one perhaps
// without its last octet, which its sender still owes.
class lane {
  public:
    bool is_full(unsigned capacity) const { return count_ == capacity; }
    bool empty() const { return count_ == 0; }
    unsigned front() const { return frames_ & 0xF; }
    unsigned delivered() const { return delivered_; }

    // May the next octet be delivered, if the front frame has so many?
    bool ready(std::size_t size) const {
        if (empty()) return false;
        return !(owes_ && count_ == 1 && delivered_ + 1 == size);
    }

    void push(unsigned frame, bool owes) {
        frames_ |= frame << (4 * count_++);
        owes_ = owes;
    }
    void pay() { owes_ = false; }
    void deliver(std::size_t size) {
        if (++delivered_ < size) return;
        delivered_ = 0;
        frames_ >>= 4;
        --count_;
    }

    static constexpr unsigned bits = 20;

    std::uint64_t packed() const {
        return frames_ | count_ << 12 | delivered_ << 14 | (owes_ ? 1U : 0U) << 18;
    }
    static lane unpack(std::uint64_t packed) {
        lane one;
        one.frames_ = packed & 0xFFF;
        one.count_ = packed >> 12 & 0x3;
        one.delivered_ = packed >> 14 & 0xF;
        one.owes_ = (packed >> 18 & 1) != 0;
        return one;
    }

  private:
    unsigned frames_ = 0;  // four bits each
    unsigned count_ = 0;
    unsigned delivered_ = 0;
    bool owes_ = false;
};

// ---------------------------------------------------------------------------------------------
// One end
// ---------------------------------------------------------------------------------------------

enum action : unsigned {
    start_whole,
    start_first,
    start_last,
    pay,
    send_ping,
    drain,
    close,
    fail,
    end,
    receive  // and all above it, which octet
};
constexpr unsigned action_count = receive + 256;
constexpr std::size_t most_conditions = 1 << 12;

// What an action leads to: another condition of the end, and a frame that leaves.
struct consequence {
    bool done = false;
    std::uint16_t next = 0;
    std::optional<std::uint8_t> sends{};  // index of the frame
};

// An end, and what can be seen of it from outside.
template <class End>
struct condition {
    End end{};
    bool in_message = false;   // outgoing
    bool close_left = false;   // a Close of ours has gone onto the wire
    bool close_came = false;   // next() has told of the peer's
    bool was_ended = false;    // end_of_stream() has been called
    octet_vector partial{};    // octets since the last frame boundary of what came
    bool in_incoming = false;  // between the fragments of a message that came

    // Whatever comes now is taken and ignored.
    bool is_deaf() const { return close_came || was_ended || end.report().fault.has_value(); }

    // Everything that its future can depend on. (Not offset(): it only counts.)
    auto key() const {
        const close_report report = end.report();
        const std::optional<rule> broken =
            report.fault ? std::optional(report.fault->broken) : std::nullopt;
        return std::tuple(report.state, report.began, report.sent, report.received, broken,
                          report.clean, end.owed(), end.control_due(), reply(), in_message,
                          close_left, close_came, was_ended, partial, in_incoming);
    }

    // What control() will give, if need be behind the open frame.
    octet_vector reply() const {
        condition copy = *this;
        octet_vector payload(1);
        static_cast<void>(copy.end.pay(std::span(payload)));
        control_octets out;
        const std::size_t size = copy.end.control(out);
        return octet_vector(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    }
};

// All conditions that one end gets into, and what each action makes of them. The search knows them
// by number, and a number stands for all ends with the same key: that these have the same future is
// checked for each one that comes to a key by another way.
template <class End>
class half {
  public:
    half() { intern({}); }

    const std::vector<octet_vector>& frames() const { return frames_; }
    std::size_t size() const { return conditions_.size(); }
    const condition<End>& at(std::uint16_t index) const { return conditions_[index]; }

    consequence act(std::uint16_t from, unsigned what) {
        std::optional<consequence>& known = consequences_[from][what];
        if (known) return *known;
        condition<End> after = conditions_[from];
        consequence found = apply(after, what);
        if (found.done) {
            if (after.is_deaf()) {
                after.partial.clear();
                after.in_incoming = false;
            }
            judge(after);
            found.next = intern(after);
        }
        return consequences_[from][what].emplace(found);
    }

  private:
    std::uint16_t intern(const condition<End>& one) {
        const auto [place, is_new] =
            numbers_.emplace(one.key(), static_cast<std::uint16_t>(conditions_.size()));
        if (is_new) {
            REQUIRE(conditions_.size() < most_conditions);
            conditions_.push_back(one);
            consequences_.emplace_back(action_count);
            if (one.is_deaf()) check_deaf(one);
        } else {
            compare(one, conditions_[place->second]);
        }
        return place->second;
    }

    static void check_deaf(const condition<End>& one) {
        for (unsigned value = 0; value < 256; ++value) {
            End copy = one.end;
            octet_vector place{static_cast<octet>(value)};
            std::span<octet> in = place;
            REQUIRE(copy.next(in).kind == frame_event::what::nothing);
            REQUIRE(in.empty());
            REQUIRE(copy == one.end);
        }
    }

    // Each action does the same with both.
    void compare(const condition<End>& left, const condition<End>& right) {
        for (unsigned what = 0; what < action_count; ++what) {
            const bool comes =
                what < receive || comes_next(left, static_cast<octet>(what - receive));
            if (!comes) continue;
            condition<End> left_after = left;
            condition<End> right_after = right;
            const consequence from_left = apply(left_after, what);
            const consequence from_right = apply(right_after, what);
            REQUIRE(from_left.done == from_right.done);
            REQUIRE(from_left.sends == from_right.sends);
            REQUIRE(left_after.key() == right_after.key());
        }
    }

    // Is there a frame that goes on with this octet, and may come now?
    bool comes_next(const condition<End>& one, octet next) const {
        if (one.is_deaf()) return false;
        octet_vector begun = one.partial;
        begun.push_back(next);
        for (std::size_t i = 0; i < peer_frames_.size(); ++i) {
            if (i <= last_text && one.in_incoming != (i == last_text)) continue;
            const octet_vector& frame = peer_frames_[i];
            if (std::equal(begun.begin(), begun.end(), frame.begin(),
                           frame.begin() +
                               static_cast<std::ptrdiff_t>(std::min(begun.size(), frame.size())))) {
                return true;
            }
        }
        return false;
    }

    consequence apply(condition<End>& c, unsigned what) {
        switch (what) {
            case start_whole:
                return start(c, end_text, !c.in_message, whole_text);
            case start_first:
                return start(c, begin_text, !c.in_message, first_text);
            case start_last:
                return start(c, end_text, c.in_message, last_text);
            case pay:
                return pay_octet(c);
            case send_ping:
                return ping_peer(c);
            case drain:
                return drain_control(c);
            case close:
                return {c.end.close(End::code) == result::done};
            case fail:
                c.end.fail(rule::bad_text);
                return {true};
            case end:
                c.end.end_of_stream();
                c.was_ended = true;
                return {true};
            default:
                return get(c, static_cast<octet>(what - receive));
        }
    }

    consequence start(condition<End>& c, frame_kind kind, bool fits, frame_name name) {
        frame_start out;
        if (!fits || c.end.start(kind, 1, out) != result::done) return {};
        octet_vector expected = frames_[name];
        expected.pop_back();
        REQUIRE(octet_vector(out.view().begin(), out.view().end()) == expected);
        REQUIRE_FALSE(c.close_left);
        c.in_message = !kind.last;
        return {true, 0, name};
    }

    consequence pay_octet(condition<End>& c) {
        if (c.end.owed() == 0) return {};
        octet_vector payload{'t'};
        REQUIRE(c.end.pay(std::span(payload)).size() == 1);
        REQUIRE(payload[0] == frames_[whole_text].back());
        REQUIRE_FALSE(c.close_left);
        return {true};
    }

    consequence ping_peer(condition<End>& c) {
        control_octets out;
        const octet_vector payload{'p'};
        const written wrote = c.end.ping(payload, out);
        if (wrote.what != result::done) return {};
        return sent(c, std::span(out).first(wrote.octets));
    }

    consequence drain_control(condition<End>& c) {
        control_octets out;
        const std::size_t size = c.end.control(out);
        if (size == 0) return {};
        return sent(c, std::span(out).first(size));
    }

    // At most one Close ever leaves, and nothing behind it. Control frames leave between frames.
    consequence sent(condition<End>& c, std::span<const octet> octets) {
        REQUIRE_FALSE(c.close_left);
        REQUIRE(c.end.owed() == 0);
        const octet_vector frame(octets.begin(), octets.end());
        for (std::size_t i = ping; i < frames_.size(); ++i) {
            if (frame != frames_[i]) continue;
            c.close_left = i >= first_close;
            return {true, 0, static_cast<std::uint8_t>(i)};
        }
        FAIL("not a frame that may leave: " << support::hex(octets));
        return {};
    }

    consequence get(condition<End>& c, octet next) {
        octet_vector place{next};
        std::span<octet> in = place;
        const frame_event event = c.end.next(in);
        REQUIRE(in.empty());
        // The peer does nothing wrong.
        REQUIRE(event.kind != frame_event::what::violated);
        c.partial.push_back(next);
        if (event.kind == frame_event::what::nothing) return {true};
        c.partial.clear();
        if (event.kind == frame_event::what::slice) c.in_incoming = !event.last;
        c.close_came = event.kind == frame_event::what::close;
        return {true};
    }

    // What is true of one end alone, whatever the other does.
    static void judge(const condition<End>& c) {
        const close_report report = c.end.report();
        REQUIRE(report.sent.has_value() == c.close_left);
        if (report.state == closing::closed) REQUIRE(report.received.has_value());
        // 7.1.5: 1006 if no Close came.
        const bool abnormal = c.was_ended && !c.close_came;
        REQUIRE((report.received == 1006) == abnormal);
        REQUIRE(report.received.has_value() == (abnormal != c.close_came));
        const bool exchanged = c.close_left && c.close_came;
        const bool closed = exchanged || c.was_ended;
        REQUIRE((report.state == closing::closed) == closed);
        // 7.1.4: clean if both Closes were exchanged.
        const bool clean = exchanged && !report.fault;
        REQUIRE(report.clean == clean);
    }

    std::vector<octet_vector> frames_ = all_frames(End::key);
    std::vector<octet_vector> peer_frames_ =
        all_frames(End::key ? std::nullopt : std::optional(support::client_key));
    std::vector<condition<End>> conditions_;
    std::map<decltype(condition<End>{}.key()), std::uint16_t> numbers_;
    std::vector<std::vector<std::optional<consequence>>> consequences_;
};

// ---------------------------------------------------------------------------------------------
// Both ends
// ---------------------------------------------------------------------------------------------

struct state {
    std::uint16_t left = 0;   // the client
    std::uint16_t right = 0;  // the server
    lane to_right;
    lane to_left;

    // The number of a condition has 12 bits: see most_conditions.
    std::uint64_t packed() const {
        return (std::uint64_t{left} << 12 | right) << 2 * lane::bits |
               to_right.packed() << lane::bits | to_left.packed();
    }
    static state unpack(std::uint64_t bits) {
        constexpr std::uint64_t lane_mask = (std::uint64_t{1} << lane::bits) - 1;
        return {static_cast<std::uint16_t>(bits >> (12 + 2 * lane::bits)),
                static_cast<std::uint16_t>(bits >> 2 * lane::bits & 0xFFF),
                lane::unpack(bits >> lane::bits & lane_mask), lane::unpack(bits & lane_mask)};
    }
};

// Gives each number that it has not seen before the next index.
class numbering {
  public:
    // The index of a number, and whether it is new.
    std::pair<std::uint32_t, bool> add(std::uint64_t number) {
        if (numbers_.size() * 2 >= places_.size()) grow();
        std::uint32_t& place = places_[find(number)];
        if (place != free) return {place, false};
        place = static_cast<std::uint32_t>(numbers_.size());
        numbers_.push_back(number);
        return {place, true};
    }
    std::uint64_t operator[](std::uint32_t index) const { return numbers_[index]; }
    std::uint32_t size() const { return static_cast<std::uint32_t>(numbers_.size()); }

  private:
    static constexpr std::uint32_t free = UINT32_MAX;

    std::size_t find(std::uint64_t number) const {
        std::uint64_t mixed = number * 0x9E3779B97F4A7C15;
        auto at = static_cast<std::size_t>((mixed ^ mixed >> 32) % places_.size());
        while (places_[at] != free && numbers_[places_[at]] != number) {
            at = at + 1 == places_.size() ? 0 : at + 1;
        }
        return at;
    }

    void grow() {
        places_.assign(places_.size() * 2 + 16, free);
        for (std::uint32_t i = 0; i < size(); ++i) places_[find(numbers_[i])] = i;
    }

    std::vector<std::uint64_t> numbers_;
    std::vector<std::uint32_t> places_;
};

class search {
  public:
    // capacity: how many frames may be in flight in one direction.
    explicit search(unsigned capacity) : capacity_(capacity) {
        states_.add(state{}.packed());
        for (std::uint32_t at = 0; at < states_.size(); ++at) {
            const state from = state::unpack(states_[at]);
            judge(from);
            orderly_begin_.push_back(orderly_.size());
            for (unsigned what = 0; what < receive; ++what) {
                act<true>(from, what);
                act<false>(from, what);
            }
            deliver<true>(from);
            deliver<false>(from);
        }
        orderly_begin_.push_back(orderly_.size());
    }

    std::size_t states() const { return states_.size(); }
    std::size_t steps() const { return steps_; }
    std::size_t conditions() const { return clients_.size() + servers_.size(); }
    std::size_t simultaneous() const { return simultaneous_; }
    std::size_t abnormal() const { return abnormal_; }

    // How many states there are in which nobody has failed and nothing was cut off.
    std::size_t undisturbed() const {
        std::size_t count = 0;
        for (std::uint32_t at = 0; at < states_.size(); ++at) {
            if (is_undisturbed(state::unpack(states_[at]))) ++count;
        }
        return count;
    }

    // From how many states do the ends come to a clean end, if the applications do no more than
    // close, pay what they owe and drain control()?
    std::size_t with_clean_end() const {
        std::vector<bool> reaches(states_.size());
        std::size_t count = 0;
        std::size_t before = 0;
        do {
            before = count;
            for (std::uint32_t at = states_.size(); at-- > 0;) {
                if (reaches[at] || !leads_to_clean_end(at, reaches)) continue;
                reaches[at] = true;
                ++count;
            }
        } while (count != before);
        return count;
    }

  private:
    template <bool Left>
    auto& half_of() {
        if constexpr (Left) {
            return clients_;
        } else {
            return servers_;
        }
    }

    template <bool Left>
    void act(const state& from, unsigned what) {
        const lane& out = Left ? from.to_right : from.to_left;
        const bool needs_room = what != pay && what != close && what != fail && what != end;
        if (needs_room && out.is_full(capacity_)) return;
        const consequence c = half_of<Left>().act(Left ? from.left : from.right, what);
        if (!c.done) return;
        state to = from;
        (Left ? to.left : to.right) = c.next;
        lane& line = Left ? to.to_right : to.to_left;
        if (c.sends) line.push(*c.sends, *c.sends <= last_text);
        if (what == pay) line.pay();
        silence(to);
        const bool orderly = what == pay || what == close || what == drain;
        count(to, orderly);
    }

    // The transport delivers an octet to an end.
    template <bool Left>
    void deliver(const state& from) {
        const lane& line = Left ? from.to_left : from.to_right;
        if (line.empty()) return;
        const octet_vector& frame = half_of<!Left>().frames()[line.front()];
        if (!line.ready(frame.size())) return;
        const octet next = frame[line.delivered()];
        const consequence c = half_of<Left>().act(Left ? from.left : from.right, receive + next);
        state to = from;
        (Left ? to.left : to.right) = c.next;
        (Left ? to.to_left : to.to_right).deliver(frame.size());
        silence(to);
        count(to, true);
    }

    // What goes to an end that ignores it need not be followed.
    void silence(state& s) const {
        if (clients_.at(s.left).is_deaf()) s.to_left = {};
        if (servers_.at(s.right).is_deaf()) s.to_right = {};
    }

    void count(const state& to, bool orderly) {
        ++steps_;
        const std::uint32_t index = states_.add(to.packed()).first;
        if (orderly) orderly_.push_back(index);
    }

    bool leads_to_clean_end(std::uint32_t at, const std::vector<bool>& reaches) const {
        for (std::size_t i = orderly_begin_[at]; i < orderly_begin_[at + 1]; ++i) {
            if (reaches[orderly_[i]]) return true;
        }
        return is_clean_end(state::unpack(states_[at]));
    }

    template <class End>
    static bool is_undisturbed(const condition<End>& c) {
        return !c.was_ended && !c.end.report().fault;
    }
    bool is_undisturbed(const state& s) const {
        return is_undisturbed(clients_.at(s.left)) && is_undisturbed(servers_.at(s.right));
    }
    bool is_clean_end(const state& s) const {
        return is_undisturbed(s) && clients_.at(s.left).end.report().clean &&
               servers_.at(s.right).end.report().clean;
    }

    // What is true of both ends together.
    void judge(const state& s) {
        const close_report left = clients_.at(s.left).end.report();
        const close_report right = servers_.at(s.right).end.report();
        // A Close is not invented on the way: who has one got it from the other.
        if (clients_.at(s.left).close_came) REQUIRE(left.received == right.sent);
        if (servers_.at(s.right).close_came) REQUIRE(right.received == left.sent);
        if (left.received == 1006) ++abnormal_;
        if (!is_clean_end(s)) return;
        // Nothing is left over, and both say who began, but for Closes that crossed.
        REQUIRE(s.to_left.empty());
        REQUIRE(s.to_right.empty());
        REQUIRE(left.began != side::nobody);
        const bool crossed = left.began == right.began;
        if (crossed) {
            REQUIRE(left.began == side::us);
            REQUIRE(left.sent == 1000);
            REQUIRE(right.sent == 1001);
            ++simultaneous_;
        } else {
            // 5.5.1: the answer echoes the code.
            REQUIRE(left.sent == right.sent);
        }
    }

    unsigned capacity_;
    half<client> clients_;
    half<server> servers_;
    numbering states_;
    std::vector<std::uint32_t> orderly_;  // where such steps lead to, one state behind the other
    std::vector<std::size_t> orderly_begin_;
    std::size_t steps_ = 0;
    std::size_t simultaneous_ = 0;
    std::size_t abnormal_ = 0;
};

TEST_CASE("33 34 35 two ends and all that can be between them close as RFC 6455, 7 says") {
    const search all(support::short_effort() ? 2 : 3);
    WARN(all.states() << " states, " << all.undisturbed() << " of them undisturbed, " << all.steps()
                      << " steps, " << all.conditions() << " conditions of one end");
    // Closes that cross end cleanly, and an end that is cut off says 1006.
    CHECK(all.simultaneous() > 0);
    CHECK(all.abnormal() > 0);
    // From every state in which nobody has failed both ends can still close cleanly. From any other
    // the end of the stream is left, behind which half::judge() has found `closed`.
    CHECK(all.with_clean_end() == all.undisturbed());
}

}  // namespace
