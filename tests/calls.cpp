// Invariants 24 and 41: every call of an endpoint, with good and with bad arguments, in every state
// that an endpoint can be in. What is refused writes nothing and changes nothing.
//
// The states are not made by hand: a search tries all steps from a new endpoint on, and what it
// finds has to be exactly what can_be() says there is.

#include <sockless/endpoint.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"
#include "support/streams.hpp"

namespace {

using namespace sockless;

using octet_vector = std::vector<octet>;
using control_octets = std::array<octet, longest_control_frame>;

constexpr octet fill = 0xA5;

class server : public server_endpoint {
  public:
    static constexpr std::optional<masking_key> key{};
    static constexpr std::optional<masking_key> peer_key{support::client_key};
    using server_endpoint::server_endpoint;
};

class client : public client_endpoint {
  public:
    static constexpr std::optional<masking_key> key{support::client_key};
    static constexpr std::optional<masking_key> peer_key{};
    using client_endpoint::client_endpoint;

    std::size_t control(control_octets& out) { return client_endpoint::control(out, *key); }
    result start(frame_kind frame, std::uint64_t length, frame_start& out) {
        return client_endpoint::start(frame, length, out, *key);
    }
    written write(frame_kind frame, std::span<const octet> payload, std::span<octet> out) {
        return client_endpoint::write(frame, payload, out, *key);
    }
    written ping(std::span<const octet> payload, control_octets& out) {
        return client_endpoint::ping(payload, out, *key);
    }
    written pong(std::span<const octet> payload, control_octets& out) {
        return client_endpoint::pong(payload, out, *key);
    }
};

// ---------------------------------------------------------------------------------------------
// The state of an endpoint, as far as calls depend on it
// ---------------------------------------------------------------------------------------------

enum class reply { none, pong, our_close, answer };  // answer: to a Close that the peer began
enum class reading { between, mid_header, mid_payload, mid_control, ended };

struct situation {
    closing state = closing::open;
    reply due = reply::none;
    bool owed = false;
    fragmentation message = fragmentation::none;  // outgoing
    reading reader = reading::between;

    auto tie() const { return std::tie(state, due, owed, message, reader); }
    friend bool operator<(const situation& a, const situation& b) { return a.tie() < b.tie(); }
};

constexpr std::array<const char*, 4> state_names{"open", "sent", "received", "closed"};
constexpr std::array<const char*, 4> reply_names{"none", "pong", "our Close", "answering Close"};
constexpr std::array<const char*, 3> message_names{"none", "text", "binary"};
constexpr std::array<const char*, 5> reader_names{"between", "mid header", "mid payload",
                                                  "mid control", "ended"};

std::string in_words(const situation& s) {
    const auto index = [](auto value) { return static_cast<std::size_t>(value); };
    return std::string(state_names[index(s.state)]) + "; due: " + reply_names[index(s.due)] +
           (s.owed ? "; owed payload" : "") + "; message: " + message_names[index(s.message)] +
           "; reader: " + reader_names[index(s.reader)];
}

// Which situations there are, from what the comments of endpoint.hpp say.
bool can_be(const situation& s) {
    // "nothing is received or sent any more", and a Close has left only if no frame was open.
    if (s.state == closing::closed) return s.due == reply::none && s.reader == reading::ended;
    // "nothing leaves behind our Close": neither a reply nor a frame.
    if (s.state == closing::sent) return s.due == reply::none && !s.owed;
    const bool ended = s.reader == reading::ended;
    if (s.state == closing::received) {
        // What comes behind the peer's Close is ignored. Our own Close cannot have been begun in
        // the middle of a frame.
        return ended && (s.due != reply::our_close || !s.owed);
    }
    if (s.due == reply::answer) return false;
    // A Close in the middle of a frame answers a broken rule, which ends the reading.
    if (s.due == reply::our_close) return ended || !s.owed;
    return !ended;
}

// ---------------------------------------------------------------------------------------------
// Endpoints in every situation
// ---------------------------------------------------------------------------------------------

template <class End>
octet_vector from_peer(int op, std::string_view payload) {
    return support::frame(true, 0, op, End::peer_key, payload);
}

// An endpoint, and what only its user knows of it.
template <class End>
struct specimen {
    End end;
    endpoint_options options;
    fragmentation message = fragmentation::none;
    reading reader = reading::between;  // unless it has ended
    octet_vector rest{};                // of the frame that it is reading

    void feed(octet_vector octets) {
        std::span<octet> in = octets;
        while (end.next(in).kind != frame_event::what::nothing) continue;
        REQUIRE(in.empty());
    }

    octet_vector drained() const {
        End copy = end;
        control_octets out;
        const std::size_t size = copy.control(out);
        return octet_vector(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    }

    // What is due, if need be behind the end of the open frame.
    reply due() const {
        specimen copy = *this;
        octet_vector payload(static_cast<std::size_t>(end.owed()));
        static_cast<void>(copy.end.pay(std::span(payload)));
        const octet_vector frame = copy.drained();
        if (frame.empty()) return reply::none;
        if (frame[0] == 0x8A) return reply::pong;
        REQUIRE(frame[0] == 0x88);
        return end.report().began == side::us ? reply::our_close : reply::answer;
    }

    situation where() const {
        const close_report report = end.report();
        const bool ended = report.fault.has_value() || report.received.has_value();
        return {end.state(), due(), end.owed() > 0, message, ended ? reading::ended : reader};
    }
};

template <class End>
using step = std::function<void(specimen<End>&)>;

template <class End>
step<End> begin_frame(message_type type, bool last, std::uint64_t length) {
    return [=](specimen<End>& s) {
        frame_start start;
        if (s.end.start({.type = type, .last = last}, length, start) != result::done) return;
        s.message = fragmentation::none;
        if (!last)
            s.message = type == message_type::text ? fragmentation::text : fragmentation::binary;
    };
}

template <class End>
step<End> read_part(int op, std::size_t size, reading reader) {
    return [=](specimen<End>& s) {
        if (!s.rest.empty()) return;
        const octet_vector frame = from_peer<End>(op, "abc");
        const auto cut = frame.begin() + static_cast<std::ptrdiff_t>(size);
        s.feed(octet_vector(frame.begin(), cut));
        s.rest.assign(cut, frame.end());
        s.reader = reader;
    };
}

template <class End>
step<End> read_frame(int op, std::string_view payload) {
    return [=](specimen<End>& s) {
        if (s.rest.empty()) s.feed(from_peer<End>(op, payload));
    };
}

template <class End>
std::vector<step<End>> all_steps() {
    using s = specimen<End>;
    const std::size_t head = End::peer_key ? 6 : 2;
    std::vector<step<End>> steps;
    for (const message_type type : {message_type::text, message_type::binary}) {
        for (const bool last : {false, true}) {
            steps.push_back(begin_frame<End>(type, last, 0));
            steps.push_back(begin_frame<End>(type, last, 2));
        }
    }
    steps.push_back([](s& one) {
        octet_vector payload(2);
        static_cast<void>(one.end.pay(std::span(payload)));
    });
    steps.push_back(read_part<End>(0x2, 1, reading::mid_header));
    steps.push_back(read_part<End>(0x2, head + 1, reading::mid_payload));
    steps.push_back(read_part<End>(0x9, head + 1, reading::mid_control));
    steps.push_back([](s& one) {
        one.feed(std::exchange(one.rest, {}));
        one.reader = reading::between;
    });
    steps.push_back(read_frame<End>(0x9, "ping"));
    steps.push_back(read_frame<End>(0x8, ""));
    steps.push_back(read_frame<End>(0x8, "\x03\xE8 bye"));
    steps.push_back(read_frame<End>(0x3, "reserved"));
    steps.push_back([](s& one) { static_cast<void>(one.end.close(1000, "bye")); });
    steps.push_back([](s& one) { static_cast<void>(one.end.close()); });
    steps.push_back([](s& one) {
        control_octets out;
        static_cast<void>(one.end.control(out));
    });
    steps.push_back([](s& one) { one.end.fail(rule::bad_text); });
    steps.push_back([](s& one) { one.end.end_of_stream(); });
    return steps;
}

// What tells two endpoints apart here: the situation, and all that is to be reported.
template <class End>
std::string key_of(const specimen<End>& s) {
    const close_report report = s.end.report();
    const auto number = [](const std::optional<std::uint16_t>& code) {
        return code ? std::to_string(*code) : "-";
    };
    return in_words(s.where()) + "; " + std::to_string(static_cast<int>(report.began)) + ' ' +
           number(report.sent) + ' ' + number(report.received) + ' ' +
           (report.fault ? std::string(name(report.fault->broken)) : "");
}

template <class End>
using specimens = std::map<std::string, specimen<End>>;

template <class End>
specimens<End> search(const endpoint_options& options) {
    const std::vector<step<End>> steps = all_steps<End>();
    specimens<End> found;
    std::deque<specimen<End>> waiting{{End(options), options}};
    while (!waiting.empty()) {
        const specimen<End> one = waiting.front();
        waiting.pop_front();
        if (!found.emplace(key_of(one), one).second) continue;
        for (const step<End>& step : steps) {
            specimen<End> next = one;
            step(next);
            if (!(next.end == one.end)) waiting.push_back(next);
        }
    }
    return found;
}

template <class End>
const std::vector<specimens<End>>& all_specimens() {
    static const std::vector<specimens<End>> all{
        search<End>({}),
        search<End>({.answer_pings = false, .answer_closes = false}),
        search<End>({.rsv1 = true, .answer_closes = false}),
    };
    return all;
}

// Runs a test on an endpoint in each state, as a server and as a client.
template <class Test>
void for_each_specimen(Test test) {
    const auto run = [&](const auto& all) {
        for (const auto& found : all) {
            for (const auto& [key, one] : found) {
                INFO(key);
                test(one);
            }
        }
    };
    {
        INFO("server");
        run(all_specimens<server>());
    }
    {
        INFO("client");
        run(all_specimens<client>());
    }
}

template <class End>
std::set<situation> situations_found() {
    std::set<situation> found;
    for (const specimens<End>& some : all_specimens<End>()) {
        for (const auto& [key, one] : some) found.insert(one.where());
    }
    return found;
}

std::set<situation> situations_that_can_be() {
    std::set<situation> all;
    for (int i = 0; i < 4 * 4 * 2 * 3 * 5; ++i) {
        const situation s{static_cast<closing>(i % 4), static_cast<reply>(i / 4 % 4),
                          i / 16 % 2 != 0, static_cast<fragmentation>(i / 32 % 3),
                          static_cast<reading>(i / 96)};
        if (can_be(s)) all.insert(s);
    }
    return all;
}

TEST_CASE("41 the search finds every situation that can be, and no other") {
    const std::set<situation> expected = situations_that_can_be();
    CHECK(expected.size() == 66 + 15 + 21 + 6);
    for (const std::set<situation>& found :
         {situations_found<server>(), situations_found<client>()}) {
        for (const situation& s : expected) {
            INFO("missing: " << in_words(s));
            CHECK(found.count(s) == 1);
        }
        for (const situation& s : found) {
            INFO("unexpected: " << in_words(s));
            CHECK(expected.count(s) == 1);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// What a frame of the caller's gets
// ---------------------------------------------------------------------------------------------

constexpr std::nullopt_t none = std::nullopt;  // there is no such situation
using row = std::array<std::optional<result>, 8>;

constexpr std::array<row, 4> permission_table = [] {
    using enum result;
    // clang-format off
    return std::array<row, 4>{{
        // due:         nothing             a Pong                    our Close          an answering Close
        // owed:        no        yes        no             yes        no       yes       no             yes
        /* open     */ {done,     mid_frame, control_first, mid_frame, closing, closing,  none,          none},
        /* sent     */ {closing,  none,      none,          none,      none,    none,     none,          none},
        /* received */ {done,     mid_frame, control_first, mid_frame, closing, none,     control_first, mid_frame},
        /* closed   */ {not_open, not_open,  none,          none,      none,    none,     none,          none},
    }};
    // clang-format on
}();

result permission(const situation& s) {
    const std::size_t column = static_cast<std::size_t>(s.due) * 2 + (s.owed ? 1 : 0);
    const std::optional<result> allowed =
        permission_table[static_cast<std::size_t>(s.state)][column];
    REQUIRE(allowed.has_value());
    return *allowed;
}

std::span<const octet> untouched(std::span<const octet> out, std::size_t from) {
    for (std::size_t i = from; i < out.size(); ++i) REQUIRE(out[i] == fill);
    return out.first(from);
}

octet_vector as_vector(std::span<const octet> octets) {
    return octet_vector(octets.begin(), octets.end());
}

constexpr std::array<frame_kind, 6> kinds{
    {{.type = message_type::text},
     {.type = message_type::text, .last = false},
     {.type = message_type::text, .compressed = true},
     {.type = message_type::binary},
     {.type = message_type::binary, .last = false},
     {.type = message_type::binary, .last = false, .compressed = true}}};

// What the next frame gets, as far as it depends on what it is.
template <class End>
result permission(const specimen<End>& before, frame_kind kind) {
    if (kind.compressed && !before.options.rsv1) return result::not_offered;
    const result allowed = permission(before.where());
    if (allowed != result::done || before.message == fragmentation::none) return allowed;
    const bool in_text = before.message == fragmentation::text;
    return in_text == (kind.type == message_type::text) ? result::done : result::mid_message;
}

// The opcode of the next frame, and its RSV bits, of which RSV1 is 4.
int opcode_of_next(const situation& s, frame_kind kind) {
    if (s.message != fragmentation::none) return 0;
    return kind.type == message_type::text ? 1 : 2;
}
int rsv_of_next(const situation& s, frame_kind kind) {
    return kind.compressed && s.message == fragmentation::none ? 4 : 0;
}

template <class End>
void try_start(const specimen<End>& before, frame_kind kind, std::uint64_t length) {
    CAPTURE(static_cast<int>(kind.type), kind.last, kind.compressed, length);
    const situation s = before.where();
    result expected = permission(before, kind);
    if (expected == result::done && length > sockless::longest_sent) expected = result::too_large;
    End end = before.end;
    frame_start start;
    start.octets.fill(fill);
    start.size = fill;
    REQUIRE(end.start(kind, length, start) == expected);
    if (expected != result::done) {
        REQUIRE(end == before.end);
        REQUIRE(start.size == fill);
        untouched(start.octets, 0);
        return;
    }
    const std::string header =
        reference::build_header(kind.last, rsv_of_next(s, kind), opcode_of_next(s, kind),
                                End::key ? reference::masking_key(End::key->octets) : std::nullopt,
                                reference::shortest_length_octets(length), length);
    REQUIRE(support::to_string(untouched(start.octets, start.size)) == header);
    REQUIRE(end.owed() == length);
    REQUIRE(end.state() == before.end.state());
}

TEST_CASE("24 41 start() in every state, with every kind of frame and lengths up to the last") {
    for_each_specimen([](const auto& one) {
        for (const frame_kind kind : kinds) {
            for (const std::uint64_t length :
                 {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{65536}, UINT64_MAX >> 1,
                  std::uint64_t{1} << 63, UINT64_MAX}) {
                try_start(one, kind, length);
            }
        }
    });
}

template <class End>
void try_write(const specimen<End>& before, frame_kind kind, std::size_t size, std::size_t room) {
    CAPTURE(static_cast<int>(kind.type), kind.last, kind.compressed, size, room);
    const situation s = before.where();
    const octet_vector payload(size, 'p');
    const octet_vector frame =
        support::frame(kind.last, rsv_of_next(s, kind), opcode_of_next(s, kind), End::key, payload);
    written expected{permission(before, kind), 0};
    if (expected.what == result::done) {
        expected = {room < frame.size() ? result::full : result::done, frame.size()};
    }
    End end = before.end;
    octet_vector out(room, fill);
    REQUIRE(end.write(kind, payload, out) == expected);
    if (expected.what != result::done) {
        REQUIRE(end == before.end);
        untouched(out, 0);
        return;
    }
    REQUIRE(as_vector(untouched(out, frame.size())) == frame);
    REQUIRE(end.owed() == 0);
    REQUIRE(end.state() == before.end.state());
}

TEST_CASE("24 41 write() in every state, with every kind of frame and spans of any size") {
    for_each_specimen([](const auto& one) {
        const std::size_t key = one.end.key ? 4 : 0;
        for (const frame_kind kind : kinds) {
            for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{200}}) {
                const std::size_t needed = size + key + (size > 125 ? 4 : 2);
                for (const std::size_t room : {std::size_t{0}, needed - 1, needed, needed + 5}) {
                    try_write(one, kind, size, room);
                }
            }
        }
    });
}

template <class End, class Call>
void try_control_frame(const specimen<End>& before, int op, std::size_t size, Call call) {
    CAPTURE(op, size);
    const octet_vector payload(size, 'p');
    result expected = permission(before.where());
    if (expected == result::done && size > 125) expected = result::too_large;
    End end = before.end;
    control_octets out;
    out.fill(fill);
    const written wrote = call(end, payload, out);
    REQUIRE(wrote.what == expected);
    REQUIRE(end == before.end);
    const octet_vector frame = support::frame(true, 0, op, End::key, payload);
    const bool done = expected == result::done;
    REQUIRE(wrote.octets == (done ? frame.size() : 0));
    REQUIRE(as_vector(untouched(out, wrote.octets)) == (done ? frame : octet_vector{}));
}

TEST_CASE("24 41 ping() and pong() in every state, with payloads up to too large ones") {
    for_each_specimen([](const auto& one) {
        for (const std::size_t size : {0U, 1U, 125U, 126U, 65536U}) {
            try_control_frame(one, 0x9, size, [](auto& end, const auto& payload, auto& out) {
                return end.ping(payload, out);
            });
            try_control_frame(one, 0xA, size, [](auto& end, const auto& payload, auto& out) {
                return end.pong(payload, out);
            });
        }
    });
}

// ---------------------------------------------------------------------------------------------
// Closes
// ---------------------------------------------------------------------------------------------

// Expects that exactly this leaves next, and what comes of it.
template <class End>
void check_close_leaves(specimen<End> after, std::string_view body) {
    REQUIRE(after.drained() == support::frame(true, 0, 0x8, End::key, body));
    const closing before = after.end.state();
    control_octets out;
    REQUIRE(after.end.control(out) > 0);
    REQUIRE(after.end.state() == (before == closing::open ? closing::sent : closing::closed));
    const int code =
        body.empty() ? 1005 : static_cast<octet>(body[0]) * 256 + static_cast<octet>(body[1]);
    REQUIRE(after.end.report().sent == code);
    REQUIRE(after.end.control(out) == 0);
}

template <class End, class Call>
void try_close(const specimen<End>& before, std::string_view body, result if_permitted, Call call) {
    result expected = permission(before.where());
    if (expected == result::done) expected = if_permitted;
    specimen<End> after = before;
    REQUIRE(call(after.end) == expected);
    if (expected != result::done) {
        REQUIRE(after.end == before.end);
        return;
    }
    REQUIRE(after.end.state() == before.end.state());
    REQUIRE_FALSE(after.end.report().sent.has_value());
    REQUIRE(after.end.report().began != side::nobody);
    check_close_leaves(after, body);
}

TEST_CASE("24 41 close() in every state, with reasons of any kind and without") {
    const std::string longest_text(123, 'r');
    const std::string code = "\x0B\xB8";  // 3000
    for_each_specimen([&](const auto& one) {
        const auto with = [&](std::string_view reason, result expected) {
            CAPTURE(reason);
            try_close(one, code + std::string(reason), expected,
                      [&](auto& end) { return end.close(3000, reason); });
        };
        try_close(one, code, result::done, [](auto& end) { return end.close(3000); });
        try_close(one, "", result::done, [](auto& end) { return end.close(); });
        with("", result::done);
        with("b\xC3\xBC", result::done);
        with(longest_text, result::done);
        with(longest_text + "r", result::too_large);
        with(std::string(70000, 'r'), result::too_large);
        with("\xFF", result::bad_text);
        with("b\xC3", result::bad_text);
        with(longest_text.substr(1) + "\xC3", result::bad_text);
    });
}

TEST_CASE("24 41 control() in every state writes what is due between frames, else nothing") {
    for_each_specimen([](const auto& one) {
        auto end = one.end;
        control_octets out;
        out.fill(fill);
        const situation s = one.where();
        const bool due = s.due != reply::none && !s.owed;
        REQUIRE(end.control_due() == due);
        const std::size_t size = end.control(out);
        REQUIRE(untouched(out, size).empty() != due);
        REQUIRE_FALSE(end.control_due());
        if (!due) REQUIRE(end == one.end);
        if (s.due == reply::pong) REQUIRE(end.state() == one.end.state());
        if (due && s.due != reply::pong) REQUIRE(end.report().sent.has_value());
        const auto once = end;
        out.fill(fill);
        REQUIRE(end.control(out) == 0);
        untouched(out, 0);
        REQUIRE(end == once);
    });
}

TEST_CASE("41 fail() in every state ends the reading, and a Close is due unless one was") {
    for_each_specimen([](const auto& one) {
        const situation s = one.where();
        const close_report before = one.end.report();
        for (const rule_entry& entry : rule_table) {
            if (is_of_opening(entry.id)) continue;
            CAPTURE(entry.name);
            auto after = one;
            after.end.fail(entry.id);
            const bool cannot_fail =
                entry.id == rule::none || before.fault || s.state == closing::closed;
            if (cannot_fail) {
                REQUIRE(after.end == one.end);
                continue;
            }
            REQUIRE(after.end.report().fault == violation{entry.id, one.end.offset()});
            REQUIRE(after.end.state() == s.state);
            REQUIRE(after.end.owed() == one.end.owed());
            REQUIRE(after.where().reader == reading::ended);
            if (s.owed) {
                octet_vector payload(2);
                static_cast<void>(after.end.pay(std::span(payload)));
            }
            if (s.state == closing::sent) {
                REQUIRE(after.drained().empty());
            } else if (s.due == reply::our_close || s.due == reply::answer) {
                REQUIRE(after.due() == s.due);
                if (!s.owed) REQUIRE(after.drained() == one.drained());
            } else {
                check_close_leaves(after, reference::build_close(entry.code, ""));
            }
        }
    });
}

TEST_CASE("35 41 end_of_stream() in every state: nothing leaves or comes any more") {
    for_each_specimen([](const auto& one) {
        const close_report before = one.end.report();
        auto after = one;
        after.end.end_of_stream();
        const close_report report = after.end.report();
        REQUIRE(report.state == closing::closed);
        REQUIRE(report.began == before.began);
        REQUIRE(report.sent == before.sent);
        REQUIRE(report.received == before.received.value_or(1006));
        REQUIRE(report.fault == before.fault);
        REQUIRE(after.end.owed() == one.end.owed());
        REQUIRE(after.where().due == reply::none);
        REQUIRE(permission(after.where()) == result::not_open);
        const auto once = after.end;
        after.end.end_of_stream();
        REQUIRE(after.end == once);
    });
}

TEST_CASE("a report is clean exactly if both Closes went and nothing was wrong") {
    for_each_specimen([](const auto& one) {
        const close_report report = one.end.report();
        const bool theirs = report.received && *report.received != 1006;
        const bool both = report.sent.has_value() && theirs;
        const bool clean = both && !report.fault;
        REQUIRE(report.clean == clean);
        if (both) REQUIRE(report.state == closing::closed);
    });
}

// ---------------------------------------------------------------------------------------------
// Payload, and octets received
// ---------------------------------------------------------------------------------------------

template <class End>
void try_pay_in_place(const specimen<End>& before, std::size_t size) {
    const octet_vector piece(size, 'p');
    const std::uint64_t owed = before.end.owed();
    const std::size_t paid = owed < size ? static_cast<std::size_t>(owed) : size;
    End end = before.end;
    octet_vector place = piece;
    const std::span<octet> given = end.pay(std::span(place));
    REQUIRE(given.data() == place.data());
    REQUIRE(given.size() == paid);
    REQUIRE(end.owed() == owed - paid);
    const octet_vector rest(place.begin() + static_cast<std::ptrdiff_t>(paid), place.end());
    REQUIRE(rest == octet_vector(size - paid, 'p'));
    if (paid == 0) REQUIRE(end == before.end);
    REQUIRE(end.report().state == before.end.report().state);
}

template <class End>
void try_pay_copying(const specimen<End>& before, std::size_t size, std::size_t room) {
    const octet_vector piece(size, 'p');
    const std::uint64_t owed = before.end.owed();
    std::size_t paid = size < room ? size : room;
    if (owed < paid) paid = static_cast<std::size_t>(owed);
    End end = before.end;
    octet_vector out(room, fill);
    REQUIRE(end.pay(piece, out) == paid);
    REQUIRE(end.owed() == owed - paid);
    REQUIRE(piece == octet_vector(size, 'p'));
    untouched(out, paid);
    if (paid == 0) REQUIRE(end == before.end);
}

TEST_CASE("41 pay() in every state takes what is owed and leaves the rest alone") {
    for_each_specimen([](const auto& one) {
        for (const std::size_t size : {0U, 1U, 2U, 100U}) {
            CAPTURE(size);
            try_pay_in_place(one, size);
            for (const std::size_t room : {0U, 1U, 2U, 100U}) try_pay_copying(one, size, room);
        }
    });
}

TEST_CASE("41 next() and receive() in every state: of nothing comes nothing") {
    for_each_specimen([](const auto& one) {
        auto end = one.end;
        std::span<octet> in;
        REQUIRE(end.next(in).kind == frame_event::what::nothing);
        REQUIRE(end.receive(in).begin() == end.receive(in).end());
        REQUIRE(end == one.end);
    });
}

TEST_CASE("41 next() in every state behind the end takes all and leaves it as it was") {
    for_each_specimen([](const auto& one) {
        if (one.where().reader != reading::ended) return;
        auto end = one.end;
        const octet_vector late =
            support::octets("89 80 00000000 | 88 00 | FF FF | 81 05 \"Hello\"");
        octet_vector place = late;
        std::span<octet> in = place;
        REQUIRE(end.next(in).kind == frame_event::what::nothing);
        REQUIRE(in.empty());
        REQUIRE(place == late);
        REQUIRE(end == one.end);
    });
}

// What is due behind a control frame from the peer, by what was due before it.
template <class End>
reply due_behind(const specimen<End>& before, int op) {
    const situation s = before.where();
    const bool may_answer = s.state == closing::open && s.due != reply::our_close;
    if (op == 0x9 && may_answer && before.options.answer_pings) return reply::pong;
    if (op == 0x8 && may_answer && before.options.answer_closes) return reply::answer;
    return s.due;
}

TEST_CASE("41 next() in every state between frames takes a Ping, a Pong and a Close") {
    for_each_specimen([](const auto& one) {
        const situation s = one.where();
        if (s.reader != reading::between) return;
        const close_report before = one.end.report();
        for (const int op : {0x8, 0x9, 0xA}) {
            CAPTURE(op);
            auto after = one;
            after.feed(from_peer<decltype(after.end)>(op, "\x03\xE9"));
            const close_report report = after.end.report();
            REQUIRE(after.due() == due_behind(one, op));
            REQUIRE(after.end.owed() == one.end.owed());
            REQUIRE(report.sent == before.sent);
            REQUIRE_FALSE(report.fault.has_value());
            if (op != 0x8) {
                REQUIRE(report.state == s.state);
                REQUIRE(report.began == before.began);
                continue;
            }
            REQUIRE(report.received == 1001);
            REQUIRE(report.state ==
                    (s.state == closing::open ? closing::received : closing::closed));
            const side began = before.began == side::nobody ? side::peer : before.began;
            REQUIRE(report.began == began);
        }
    });
}

TEST_CASE("41 next() in every state before the end goes on with the frame that it is in") {
    for_each_specimen([](const auto& one) {
        const situation s = one.where();
        if (s.reader == reading::ended) return;
        auto after = one;
        octet_vector rest = one.rest;
        if (s.reader == reading::between) rest = from_peer<decltype(after.end)>(0x2, "abc");
        const octet_vector next_frame = from_peer<decltype(after.end)>(0xA, "next");
        rest = support::concat(rest, next_frame);
        std::span<octet> in = rest;
        const frame_event event = after.end.next(in);
        const bool control = s.reader == reading::mid_control;
        REQUIRE(event.kind == (control ? frame_event::what::ping : frame_event::what::slice));
        const std::string payload = support::to_string(event.payload);
        REQUIRE(payload == (s.reader == reading::mid_payload ? "bc" : "abc"));
        REQUIRE(as_vector(in) == next_frame);
        REQUIRE(after.end.state() == s.state);
        REQUIRE(after.end.owed() == one.end.owed());
    });
}

}  // namespace
