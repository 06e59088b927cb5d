// The table of the closing handshake: all of it, held against what RFC 6455, 1.4, 5.5.1 and 7.1
// say.

#include <sockless/closing.hpp>

#include <array>
#include <cstddef>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

using sockless::closing;
using sockless::closing_event;
using sockless::closing_handshake;
using sockless::side;

template <class Value>
struct named {
    Value value;
    std::string_view name;
};

constexpr std::array<named<closing>, 4> states{{{closing::open, "open"},
                                                {closing::sent, "sent"},
                                                {closing::received, "received"},
                                                {closing::closed, "closed"}}};

constexpr std::array<named<closing_event>, 5> events{{{closing_event::send_data, "send_data"},
                                                      {closing_event::send_close, "send_close"},
                                                      {closing_event::get_data, "get_data"},
                                                      {closing_event::get_close, "get_close"},
                                                      {closing_event::end, "end"}}};

// What the table says; nothing, if it must not happen.
constexpr std::optional<closing> follow(closing now, closing_event event) {
    const auto& row = sockless::detail::closing_table[static_cast<std::size_t>(now)];
    return row[static_cast<std::size_t>(event)];
}

std::string name_of(std::optional<closing> state) {
    if (!state) return "no";
    for (const named<closing>& entry : states) {
        if (entry.value == *state) return std::string(entry.name);
    }
    return "?";
}

std::string whole_product() {
    std::string lines;
    for (const named<closing>& from : states) {
        for (const named<closing_event>& event : events) {
            lines += std::string(from.name) + " + " + std::string(event.name) + " -> " +
                     name_of(follow(from.value, event.value)) + "\n";
        }
    }
    return lines;
}

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// The states that can be reached from one by any events.
std::set<closing> reachable(closing from) {
    std::set<closing> found;
    std::vector<closing> waiting{from};
    while (!waiting.empty()) {
        const closing state = waiting.back();
        waiting.pop_back();
        if (!found.insert(state).second) continue;
        for (const named<closing_event>& event : events) {
            if (const auto next = follow(state, event.value)) waiting.push_back(*next);
        }
    }
    return found;
}

// What each state knows: whose Close has been seen. 7.1.3 and 7.1.4 are about nothing else.
struct closes {
    bool ours;
    bool theirs;
};
constexpr closes seen(closing state) {
    return {state == closing::sent || state == closing::closed,
            state == closing::received || state == closing::closed};
}

// The code says what the table says, of all that may happen.
constexpr bool code_agrees() {
    bool same = true;
    for (const auto& from : states) {
        for (const auto& event : events) {
            const std::optional<closing> next = follow(from.value, event.value);
            same = same && (!next || *next == sockless::behind(from.value, event.value));
        }
    }
    return same;
}
static_assert(code_agrees());

// 5.5.1: an endpoint that has received a Close sends one; 7.1.4: with both, it is over.
static_assert(follow(closing::open, closing_event::get_close) == closing::received);
static_assert(follow(closing::received, closing_event::send_close) == closing::closed);
static_assert(follow(closing::open, closing_event::send_close) == closing::sent);
static_assert(follow(closing::sent, closing_event::get_close) == closing::closed);
// 5.5.1: "The application MUST NOT send any more data frames after sending a Close frame."
static_assert(!follow(closing::sent, closing_event::send_data));
static_assert(!follow(closing::closed, closing_event::send_data));

TEST_CASE("every state of closing with every event is as in the snapshot") {
    CHECK(code_agrees());
    const std::string expected = contents(SOCKLESS_TEST_DIR "/snapshots/closing.txt");
    const std::string got = whole_product();
    if (got != expected) std::ofstream("closing.txt", std::ios::binary) << got;
    INFO("on a difference, what was found is in closing.txt, in the folder that the test ran in");
    CHECK(got == expected);
}

TEST_CASE("the open state is left by the first Close or the end, and never entered again") {
    for (const named<closing>& from : states) {
        for (const named<closing_event>& event : events) {
            CAPTURE(from.name, event.name);
            const bool data =
                event.value == closing_event::send_data || event.value == closing_event::get_data;
            const bool stays_open = from.value == closing::open && data;
            CHECK((follow(from.value, event.value) == closing::open) == stays_open);
        }
    }
}

TEST_CASE("the table lets nothing be sent behind our own Close") {
    for (const named<closing>& from : states) {
        CAPTURE(from.name);
        const bool may = !seen(from.value).ours;
        CHECK(follow(from.value, closing_event::send_data).has_value() == may);
        CHECK(follow(from.value, closing_event::send_close).has_value() == may);
    }
}

TEST_CASE("whatever the peer does has a result in every state of closing") {
    for (const named<closing>& from : states) {
        CAPTURE(from.name);
        CHECK(follow(from.value, closing_event::get_data) == from.value);
        CHECK(follow(from.value, closing_event::get_close).has_value());
        CHECK(follow(from.value, closing_event::end) == closing::closed);
    }
}

TEST_CASE("each event of closing adds what it says, and no state forgets a Close") {
    for (const named<closing>& from : states) {
        for (const named<closing_event>& event : events) {
            const std::optional<closing> to = follow(from.value, event.value);
            if (!to || event.value == closing_event::end) continue;
            CAPTURE(from.name, event.name);
            const bool ours = seen(from.value).ours || event.value == closing_event::send_close;
            const bool theirs = seen(from.value).theirs || event.value == closing_event::get_close;
            CHECK(seen(*to).ours == ours);
            CHECK(seen(*to).theirs == theirs);
        }
    }
}

TEST_CASE("closed is reached from every state, and leads nowhere else") {
    for (const named<closing>& from : states) {
        CAPTURE(from.name);
        CHECK(reachable(from.value).count(closing::closed) == 1);
    }
    CHECK(reachable(closing::closed) == std::set<closing>{closing::closed});
    CHECK(reachable(closing::open).size() == states.size());
}

TEST_CASE("a close report about nothing says that nothing has happened") {
    constexpr sockless::close_report report;
    STATIC_REQUIRE(report.state == closing::open);
    STATIC_REQUIRE(report.began == sockless::side::nobody);
    STATIC_REQUIRE(!report.sent);
    STATIC_REQUIRE(!report.received);
    STATIC_REQUIRE(!report.fault);
    STATIC_REQUIRE(!report.clean);
}

// What has happened to a closing handshake: (o)ur Close is due, it is (s)ent, (t)heirs has come,
// the transport has (e)nded.
constexpr sockless::close_report after(std::string_view happened, bool broken = false) {
    closing_handshake handshake;
    for (const char event : happened) {
        if (event == 'o') static_cast<void>(handshake.owe(1001));
        if (event == 's') handshake.send();
        if (event == 't') handshake.receive(4000);
        if (event == 'e') handshake.end();
    }
    if (!broken) return handshake.report(std::nullopt);
    return handshake.report(sockless::violation{sockless::rule::bad_text, 7});
}

TEST_CASE("a report says whose Close came first, which codes went where, and how it ended") {
    using sockless::cause;
    struct row {
        std::string_view events;
        closing state;
        side began;
        int sent;  // or 0
        int received;
        cause why;
    };
    // clang-format off
    constexpr std::array<row, 13> rows{{
        {"",     closing::open,     side::nobody, 0,    0,    cause::nothing},
        {"o",    closing::open,     side::us,     0,    0,    cause::nothing},
        {"os",   closing::sent,     side::us,     1001, 0,    cause::nothing},
        {"ost",  closing::closed,   side::us,     1001, 4000, cause::closed},
        {"ot",   closing::received, side::us,     0,    4000, cause::nothing},
        {"ots",  closing::closed,   side::us,     1001, 4000, cause::closed},
        {"t",    closing::received, side::peer,   0,    4000, cause::nothing},
        {"to",   closing::received, side::peer,   0,    4000, cause::nothing},
        {"tos",  closing::closed,   side::peer,   1001, 4000, cause::closed},
        {"e",    closing::closed,   side::nobody, 0,    1006, cause::end_of_stream},
        {"oe",   closing::closed,   side::us,     0,    1006, cause::end_of_stream},
        {"ose",  closing::closed,   side::us,     1001, 1006, cause::end_of_stream},
        {"te",   closing::closed,   side::peer,   0,    4000, cause::nothing},
    }};
    // clang-format on
    for (const row& each : rows) {
        CAPTURE(each.events);
        const sockless::close_report report = after(each.events);
        CHECK(report.state == each.state);
        CHECK(report.began == each.began);
        CHECK(report.sent.value_or(0) == each.sent);
        CHECK(report.received.value_or(0) == each.received);
        CHECK(report.why == each.why);
        CHECK(report.clean == (each.why == cause::closed));
        const sockless::close_report broken = after(each.events, true);
        CHECK(broken.why == cause::violation);
        CHECK_FALSE(broken.clean);
        CHECK(broken.fault == sockless::violation{sockless::rule::bad_text, 7});
    }
}

TEST_CASE("the first Close that is due is the one that leaves") {
    closing_handshake handshake;
    CHECK_FALSE(handshake.has_ours());
    CHECK(handshake.owe(1000));
    CHECK_FALSE(handshake.owe(1002));
    CHECK(handshake.has_ours());
    CHECK_FALSE(handshake.has_theirs());
    handshake.send();
    CHECK(handshake.report(std::nullopt).sent == 1000);
    CHECK_FALSE(handshake.owe(1011));
}

}  // namespace
