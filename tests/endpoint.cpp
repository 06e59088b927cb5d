// One end of an open connection, in both roles: what falls due, what leaves, and how it ends.
//
// What leaves is always read by the independent reader of support/reference.hpp, in the peer's
// role, so that a frame of a client without a mask, or one of a server with a mask, fails any test
// here.

#include <sockless/endpoint.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"
#include "support/heap_watch.hpp"
#include "support/log.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"
#include "support/streams.hpp"

namespace {

using namespace sockless;

using octet_vector = std::vector<octet>;
using control_octets = std::array<octet, longest_control_frame>;
using what = frame_event::what;

constexpr masking_key peer_key{{0xA1, 0x00, 0xFF, 0x5B}};
constexpr frame_kind text{.type = message_type::text};
constexpr frame_kind text_begin{.type = message_type::text, .last = false};
constexpr frame_kind binary{};
constexpr frame_kind binary_begin{.last = false};

// ---------------------------------------------------------------------------------------------
// Both roles with the same calls
// ---------------------------------------------------------------------------------------------

class server : public server_endpoint {
  public:
    static constexpr bool is_client = false;
    using server_endpoint::server_endpoint;
};

class client : public client_endpoint {
  public:
    static constexpr bool is_client = true;
    using client_endpoint::client_endpoint;

    std::size_t control(control_octets& out) {
        return client_endpoint::control(out, support::client_key);
    }
    result start(frame_kind frame, std::uint64_t length, frame_start& out) {
        return client_endpoint::start(frame, length, out, support::client_key);
    }
    written write(frame_kind frame, std::span<const octet> payload, std::span<octet> out) {
        return client_endpoint::write(frame, payload, out, support::client_key);
    }
    written ping(std::span<const octet> payload, control_octets& out) {
        return client_endpoint::ping(payload, out, support::client_key);
    }
    written pong(std::span<const octet> payload, control_octets& out) {
        return client_endpoint::pong(payload, out, support::client_key);
    }
};

// Runs a test with a maker of servers, and again with a maker of clients.
template <class Test>
void for_both_roles(Test test) {
    {
        INFO("server");
        test([](const endpoint_options& options = {}) { return server(options); });
    }
    {
        INFO("client");
        test([](const endpoint_options& options = {}) { return client(options); });
    }
}

// ---------------------------------------------------------------------------------------------
// What comes from the peer, and what it sees
// ---------------------------------------------------------------------------------------------

octet_vector as_octets(std::string_view characters) {
    octet_vector octets;
    for (const char c : characters) octets.push_back(static_cast<octet>(c));
    return octets;
}

template <class End>
octet_vector from_peer(const End&, int op, std::string_view payload = {}, bool fin = true,
                       int rsv = 0) {
    std::optional<masking_key> key;
    if (!End::is_client) key = peer_key;
    return support::frame(fin, rsv, op, key, payload);
}

template <class End>
octet_vector peer_text(const End& end, std::string_view payload) {
    return from_peer(end, 0x1, payload);
}
template <class End>
octet_vector peer_ping(const End& end, std::string_view payload) {
    return from_peer(end, 0x9, payload);
}
template <class End>
octet_vector peer_close(const End& end, std::uint32_t code, std::string_view reason = {}) {
    return from_peer(end, 0x8, reference::build_close(code, std::string(reason)));
}
template <class End>
octet_vector peer_close(const End& end) {
    return from_peer(end, 0x8);
}

// Feeds octets, and gives what the application is told.
std::string told(endpoint& end, octet_vector octets) {
    support::event_log log;
    std::span<octet> in = octets;
    for (frame_event event = end.next(in); event.kind != what::nothing; event = end.next(in)) {
        const std::optional<violation> fault = end.report().fault;
        log.add(event, fault ? fault->at : 0);
    }
    CHECK(in.empty());
    return log.text();
}

std::string in_words(const reference::happening& h, const std::string& payload) {
    using enum reference::happening::what;
    const std::string quoted = ' ' + support::quote(as_octets(payload));
    if (h.kind == ping) return "ping" + quoted;
    if (h.kind == pong) return "pong" + quoted;
    if (h.kind == close) return "close " + std::to_string(h.code) + quoted;
    if (h.kind == violated) return "violated " + h.rule;
    return std::string(h.text ? "text" : "binary") + (h.compressed ? " compressed" : "") +
           (h.first ? " first" : "") + (h.last ? " last" : "") + quoted;
}

// What the peer makes of the octets that we send, one line a frame.
template <class End>
std::string seen(const End&, std::span<const octet> octets) {
    std::string lines;
    std::string payload;
    const reference::options options{.server = End::is_client, .rsv1 = true};
    for (const reference::happening& h : reference::read_all(options, support::to_string(octets))) {
        payload += h.payload;
        if (h.kind == reference::happening::what::data) continue;
        lines += in_words(h, payload) + '\n';
        payload.clear();
    }
    return lines;
}

// Takes the control frame that is due, as the peer sees it.
template <class End>
std::string sent(End& end) {
    control_octets out;
    out.fill(0xA5);
    const bool due = end.control_due();
    const std::size_t size = end.control(out);
    CHECK(due == (size > 0));
    CHECK_FALSE(end.control_due());
    for (std::size_t i = size; i < out.size(); ++i) REQUIRE(out[i] == 0xA5);
    return seen(end, std::span(out).first(size));
}

std::string in_words(const std::optional<std::uint16_t>& code) {
    return code ? std::to_string(*code) : "none";
}

// "closed, us, sent 1000, received 1006, bad_text at 6", and ", clean" where it is.
std::string in_words(const close_report& report) {
    constexpr std::array<const char*, 4> states{"open", "sent", "received", "closed"};
    constexpr std::array<const char*, 3> sides{"nobody", "us", "peer"};
    std::string words = states[static_cast<std::size_t>(report.state)];
    words += std::string(", ") + sides[static_cast<std::size_t>(report.began)];
    words += ", sent " + in_words(report.sent) + ", received " + in_words(report.received);
    if (report.fault) {
        words += ", " + std::string(name(report.fault->broken)) + " at " +
                 std::to_string(report.fault->at);
    }
    return words + (report.clean ? ", clean" : "");
}

std::string report(const endpoint& end) {
    CHECK(end.state() == end.report().state);
    return in_words(end.report());
}

// ---------------------------------------------------------------------------------------------
// Our own frames
// ---------------------------------------------------------------------------------------------

// Opens a frame that is owed so many octets, and gives its header.
template <class End>
octet_vector open_frame(End& end, frame_kind kind, std::uint64_t length) {
    frame_start start;
    REQUIRE(end.start(kind, length, start) == result::done);
    return octet_vector(start.view().begin(), start.view().end());
}

template <class End>
octet_vector whole_frame(End& end, frame_kind kind, std::string_view payload) {
    octet_vector out(payload.size() + longest_header);
    const written wrote = end.write(kind, as_octets(payload), out);
    REQUIRE(wrote.what == result::done);
    out.resize(wrote.octets);
    return out;
}

// Sends a whole frame, as the peer sees it.
template <class End>
std::string send(End& end, frame_kind kind, std::string_view payload) {
    return seen(end, whole_frame(end, kind, payload));
}

template <class End>
void check_refused(const End& before, result expected) {
    const octet_vector some = as_octets("some");
    const auto unchanged = [&](const End& end, std::span<const octet> out) {
        CHECK(end == before);
        for (const octet o : out) REQUIRE(o == 0xA5);
    };
    for (const frame_kind kind : {text, text_begin, binary, binary_begin}) {
        End end = before;
        frame_start start;
        start.octets.fill(0xA5);
        start.size = 0xA5;
        CHECK(end.start(kind, 4, start) == expected);
        unchanged(end, start.octets);
        CHECK(start.size == 0xA5);
        octet_vector out(20, 0xA5);
        CHECK(end.write(kind, some, out) == written{expected, 0});
        unchanged(end, out);
    }
    control_octets out;
    out.fill(0xA5);
    End end = before;
    CHECK(end.ping(some, out) == written{expected, 0});
    CHECK(end.pong(some, out) == written{expected, 0});
    CHECK(end.close(1000) == expected);
    CHECK(end.close(1000, "bye") == expected);
    CHECK(end.close() == expected);
    unchanged(end, out);
}

// ---------------------------------------------------------------------------------------------
// The machine
// ---------------------------------------------------------------------------------------------

TEST_CASE("an endpoint is small, trivially copyable and never throws") {
    STATIC_REQUIRE((sizeof(void*) != 8 || sizeof(server_endpoint) <= 352));
    STATIC_REQUIRE(sizeof(client_endpoint) == sizeof(server_endpoint));
    STATIC_REQUIRE(std::is_trivially_copyable_v<server_endpoint>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<client_endpoint>);
    STATIC_REQUIRE(std::is_nothrow_constructible_v<server_endpoint, const endpoint_options&>);
    STATIC_REQUIRE(noexcept(std::declval<endpoint&>().next(std::declval<std::span<octet>&>())));
    STATIC_REQUIRE(noexcept(std::declval<endpoint&>().close(1000, "")));
}

TEST_CASE("a new endpoint is open, owes nothing and has nothing to say") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(report(end) == "open, nobody, sent none, received none");
        CHECK(end.owed() == 0);
        CHECK(end.offset() == 0);
        CHECK(sent(end) == "");
        CHECK(told(end, {}) == "");
        CHECK(end == make());
    });
}

TEST_CASE("endpoints are equal if they have come to the same, and not else") {
    for_both_roles([](auto make) {
        auto end = make();
        auto same = make();
        CHECK(told(end, peer_ping(end, "x")) == "ping \"x\"\n");
        CHECK_FALSE(end == same);
        CHECK(told(same, peer_ping(same, "x")) == "ping \"x\"\n");
        CHECK(end == same);
        CHECK(sent(end) == "pong \"x\"\n");
        CHECK_FALSE(end == same);
        CHECK_FALSE(make() == make({.answer_pings = false}));
        CHECK_FALSE(make() == make({.answer_closes = false}));
        CHECK_FALSE(make() == make({.rsv1 = true}));
        CHECK_FALSE(make() == make({.limit = {.message = 5}}));
    });
}

// ---------------------------------------------------------------------------------------------
// Pings and Pongs
// ---------------------------------------------------------------------------------------------

TEST_CASE("a Ping of any size, cut anywhere, is answered with its own octets") {
    for_both_roles([](auto make) {
        std::string payload;
        for (std::size_t size = 0; size <= longest_control_payload; ++size) {
            const octet_vector frame = peer_ping(make(), payload);
            const std::size_t step = size % 8 == 5 ? 1 : 9;
            for (std::size_t cut = 0; cut <= frame.size(); cut += step) {
                CAPTURE(size, cut);
                auto end = make();
                octet_vector place = frame;
                std::span<octet> front = std::span(place).first(cut);
                std::span<octet> back = std::span(place).subspan(cut);
                if (end.next(front).kind == what::nothing) {
                    for (std::size_t i = 0; i < cut; ++i) place[i] = 0xEE;
                    REQUIRE(end.next(back).kind == what::ping);
                }
                for (octet& o : place) o = 0xEE;
                const std::string expected = "pong " + support::quote(as_octets(payload)) + "\n";
                REQUIRE(sent(end) == expected);
                REQUIRE(report(end) == "open, nobody, sent none, received none");
            }
            payload += static_cast<char>('a' + size % 26);
        }
    });
}

TEST_CASE("each Ping is answered once if its Pong is taken, and the latest if not") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(told(end, peer_ping(end, "first")) == "ping \"first\"\n");
        CHECK(sent(end) == "pong \"first\"\n");
        CHECK(sent(end) == "");
        for (const std::string_view payload : {"second, and longer", "third", ""}) {
            CHECK(told(end, peer_ping(end, payload)) ==
                  "ping " + support::quote(as_octets(payload)) + "\n");
            CHECK(end.control_due());
        }
        CHECK(sent(end) == "pong \"\"\n");
        CHECK(sent(end) == "");
    });
}

TEST_CASE("C1 of a million Pings that are never answered the latest is kept, and nothing else") {
    for_both_roles([](auto make) {
        auto end = make();
        std::string payload(longest_control_payload, '.');
        const octet_vector frame = peer_ping(end, payload);
        octet_vector place = frame;
        const std::uint32_t pings = support::short_effort() ? 20'000 : 1'000'000;
        std::uint32_t answered = 0;
        const support::heap_watch watch;
        for (std::uint32_t i = 0; i < pings; ++i) {
            copy_octets(frame, place);
            store_network(i, std::span(place).last(4));
            std::span<octet> in = place;
            if (end.next(in).kind == what::ping && in.empty()) ++answered;
        }
        const std::size_t taken = watch.count();
        CHECK(taken == 0);
        CHECK(answered == pings);
        octet_vector last = frame;
        store_network(pings - 1, std::span(last).last(4));
        std::span<octet> in = last;
        auto other = make();
        CHECK(other.next(in).kind == what::ping);
        CHECK(sent(end) == sent(other));
        CHECK(sent(end) == "");
    });
}

TEST_CASE("C3 a Pong that nobody asked for is told each time, and causes nothing") {
    for_both_roles([](auto make) {
        auto end = make();
        for (int i = 0; i < 3; ++i) {
            CHECK(told(end, from_peer(end, 0xA, "x")) == "pong \"x\"\n");
            CHECK(sent(end) == "");
        }
        CHECK(told(end, peer_ping(end, "y")) == "ping \"y\"\n");
        CHECK(told(end, from_peer(end, 0xA, "x")) == "pong \"x\"\n");
        CHECK(sent(end) == "pong \"y\"\n");
    });
}

TEST_CASE("with Pongs switched off the Ping is told, and the Pong is the caller's") {
    for_both_roles([](auto make) {
        auto end = make({.answer_pings = false});
        CHECK(told(end, peer_ping(end, "x")) == "ping \"x\"\n");
        CHECK(sent(end) == "");
        control_octets out;
        const written wrote = end.pong(as_octets("x"), out);
        CHECK(wrote.what == result::done);
        CHECK(seen(end, std::span(out).first(wrote.octets)) == "pong \"x\"\n");
        CHECK(told(end, peer_close(end, 1000)) == "close 1000 \"\"\n");
        CHECK(sent(end) == "close 1000 \"\"\n");
    });
}

TEST_CASE("C2 a Ping between fragments is answered, and the message goes on") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(told(end, from_peer(end, 0x1, "\xE2\x82", false)) == "text begin \"\\xE2\\x82\"\n");
        CHECK(told(end, peer_ping(end, "x")) == "ping \"x\"\n");
        CHECK(sent(end) == "pong \"x\"\n");
        CHECK(told(end, from_peer(end, 0x0, "\xAC")) == "text end \"\\xAC\"\n");
    });
}

TEST_CASE("while a reply is due nothing else may leave") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(told(end, peer_ping(end, "x")) == "ping \"x\"\n");
        check_refused(end, result::control_first);
        CHECK(sent(end) == "pong \"x\"\n");
        CHECK(send(end, text, "hello") == "text first last \"hello\"\n");
    });
}

TEST_CASE("a Pong waits for the end of the frame that we are sending, and is the latest by then") {
    for_both_roles([](auto make) {
        auto end = make();
        octet_vector wire = open_frame(end, text_begin, 5);
        octet_vector payload = as_octets("hello");
        CHECK(told(end, peer_ping(end, "old")) == "ping \"old\"\n");
        for (std::size_t i = 0; i < payload.size(); ++i) {
            CHECK(end.owed() == 5 - i);
            CHECK_FALSE(end.control_due());
            const auto before = end;
            CHECK(sent(end) == "");
            CHECK(end == before);
            check_refused(end, result::mid_frame);
            if (i == 3) CHECK(told(end, peer_ping(end, "new")) == "ping \"new\"\n");
            CHECK(end.pay(std::span(payload).subspan(i, 1)).size() == 1);
        }
        CHECK(seen(end, support::concat(wire, payload)) == "text first \"hello\"\n");
        check_refused(end, result::control_first);
        CHECK(sent(end) == "pong \"new\"\n");
        CHECK(end.control_due() == false);
        frame_start start;
        CHECK(end.start(text, 0, start) == result::done);
        CHECK(support::hex(start.view().first(1)) == "80");
    });
}

// ---------------------------------------------------------------------------------------------
// A Close that we begin
// ---------------------------------------------------------------------------------------------

TEST_CASE("our Close carries the code and the reason that it was given, or none") {
    for_both_roles([](auto make) {
        auto without = make();
        CHECK(without.close() == result::done);
        CHECK(sent(without) == "close 1005 \"\"\n");
        CHECK(report(without) == "sent, us, sent 1005, received none");

        auto plain = make();
        CHECK(plain.close(1001) == result::done);
        CHECK(sent(plain) == "close 1001 \"\"\n");
        CHECK(report(plain) == "sent, us, sent 1001, received none");

        auto with_reason = make();
        CHECK(with_reason.close(4999, "b\xC3\xBC\xC3\x9F") == result::done);
        CHECK(sent(with_reason) == "close 4999 \"b\\xC3\\xBC\\xC3\\x9F\"\n");
        CHECK(sent(with_reason) == "");
        CHECK(report(with_reason) == "sent, us, sent 4999, received none");
    });
}

TEST_CASE("a Close counts as sent when it leaves, and nothing is in front of it any more") {
    for_both_roles([](auto make) {
        auto end = make();
        REQUIRE(end.close(1000) == result::done);
        CHECK(end.control_due());
        CHECK(report(end) == "open, us, sent none, received none");
        check_refused(end, result::closing);
        CHECK(sent(end) == "close 1000 \"\"\n");
        CHECK(report(end) == "sent, us, sent 1000, received none");
        check_refused(end, result::closing);
    });
}

constexpr bool is_close_frame(std::span<const octet> out, std::initializer_list<int> expected) {
    if (out.size() != expected.size()) return false;
    std::size_t i = 0;
    for (const int o : expected) {
        if (out[i++] != o) return false;
    }
    return true;
}

constexpr bool server_closes() {
    server_endpoint end;
    control_octets out{};
    return end.close(1000, "bye") == result::done &&
           is_close_frame(std::span(out).first(end.control(out)),
                          {0x88, 0x05, 0x03, 0xE8, 'b', 'y', 'e'});
}

constexpr bool client_closes() {
    client_endpoint end;
    control_octets out{};
    return end.close(1000) == result::done &&
           is_close_frame(std::span(out).first(end.control(out, support::client_key)),
                          {0x88, 0x82, 0x37, 0xFA, 0x21, 0x3D, 0x34, 0x12});
}

TEST_CASE("the octets of a Close are the same at compile time and at run time") {
    STATIC_REQUIRE(server_closes());
    STATIC_REQUIRE(client_closes());
    CHECK(server_closes());
    CHECK(client_closes());
}

TEST_CASE("every code that may travel does, both ways") {
    for_both_roles([](auto make) {
        int travelled = 0;
        for (int number = 0; number <= 65535; ++number) {
            const std::optional<close_code> code = close_code::from(number);
            if (!code) continue;
            ++travelled;
            const std::string expected = "close " + std::to_string(number) + " \"\"\n";
            auto end = make();
            auto answering = make();
            REQUIRE(end.close(*code) == result::done);
            REQUIRE(sent(end) == expected);
            REQUIRE(told(answering, peer_close(answering, code->value())) == expected);
            REQUIRE(sent(answering) == expected);
            REQUIRE(answering.report().received == code->value());
            REQUIRE(answering.report().sent == code->value());
        }
        CHECK(travelled == 4 + 8 + 2000);
    });
}

TEST_CASE("a reason of 123 octets fits, and one of 124 is refused and changes nothing") {
    for_both_roles([](auto make) {
        const std::string longest_text(longest_reason, 'r');
        auto end = make();
        for (const std::size_t size : {124U, 125U, 200U, 70000U}) {
            CHECK(end.close(1000, std::string(size, 'r')) == result::too_large);
            CHECK(end == make());
        }
        CHECK(end.close(1000, longest_text) == result::done);
        CHECK(sent(end) == "close 1000 " + support::quote(as_octets(longest_text)) + "\n");
    });
}

TEST_CASE("a reason is cut on request, and no code point of it is") {
    for_both_roles([](auto make) {
        for (const std::string_view tail : {"", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
            for (std::size_t front = 115; front <= 130; ++front) {
                CAPTURE(front, tail.size());
                const std::string all =
                    std::string(front, 'r') + std::string(tail) + std::string(20, 's');
                std::size_t size = front;
                if (front + tail.size() <= 123) size = 123;
                if (front > 123) size = 123;
                auto end = make();
                CHECK(end.close(1000, all) == result::too_large);
                CHECK(end.close(1000, cut_reason(all)) == result::done);
                CHECK(sent(end) ==
                      "close 1000 " + support::quote(as_octets(all.substr(0, size))) + "\n");
            }
        }
    });
}

TEST_CASE("a reason that is not UTF-8 is refused and changes nothing") {
    for_both_roles([](auto make) {
        for (const std::string_view reason :
             {"\xFF", "ok\x80", "\xC3", "\xE2\x82", "\xED\xA0\x80", "\xF0\x9F\x98", "\xC0\x80"}) {
            CAPTURE(reason.size());
            auto end = make();
            CHECK(end.close(1000, reason) == result::bad_text);
            CHECK(end == make());
            CHECK(sent(end) == "");
        }
    });
}

TEST_CASE("behind our Close nothing leaves, whether or not it has been taken") {
    for_both_roles([](auto make) {
        auto end = make();
        REQUIRE(end.close(1000, "bye") == result::done);
        check_refused(end, result::closing);
        CHECK(told(end, peer_ping(end, "x")) == "ping \"x\"\n");
        CHECK(sent(end) == "close 1000 \"bye\"\n");
        check_refused(end, result::closing);
        CHECK(told(end, peer_ping(end, "y")) == "ping \"y\"\n");
        CHECK(sent(end) == "");
        CHECK(told(end, peer_close(end, 1000)) == "close 1000 \"\"\n");
        CHECK(sent(end) == "");
        check_refused(end, result::not_open);
    });
}

TEST_CASE("what arrives between our Close and the peer's is still delivered") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(told(end, from_peer(end, 0x1, "be", false)) == "text begin \"be\"\n");
        REQUIRE(end.close(1001) == result::done);
        CHECK(told(end, from_peer(end, 0x0, "fore")) == "text end \"fore\"\n");
        CHECK(sent(end) == "close 1001 \"\"\n");
        CHECK(told(end, peer_text(end, "behind")) == "text \"behind\"\n");
        CHECK(told(end, from_peer(end, 0xA, "x")) == "pong \"x\"\n");
        CHECK(report(end) == "sent, us, sent 1001, received none");
        CHECK(told(end, peer_close(end, 3000, "so long")) == "close 3000 \"so long\"\n");
        CHECK(report(end) == "closed, us, sent 1001, received 3000, clean");
        CHECK(sent(end) == "");
    });
}

TEST_CASE("what arrives between the Closes is still checked, and answered with no second Close") {
    for_both_roles([](auto make) {
        for (const bool drain_first : {false, true}) {
            auto end = make();
            const octet_vector bad = peer_text(end, "ok\xFF");
            const std::string at = std::to_string(bad.size() - 1);
            REQUIRE(end.close(1001) == result::done);
            if (drain_first) CHECK(sent(end) == "close 1001 \"\"\n");
            CHECK(told(end, bad) ==
                  "text begin \"ok\"\nviolated bad_text 8.1 1007 at " + at + "\n");
            CHECK(sent(end) == (drain_first ? "" : "close 1001 \"\"\n"));
            CHECK(sent(end) == "");
            const std::string fault = ", bad_text at " + at;
            CHECK(report(end) == "sent, us, sent 1001, received none" + fault);
            CHECK(told(end, peer_close(end, 1000)) == "");
            CHECK(report(end) == "sent, us, sent 1001, received none" + fault);
            check_refused(end, result::closing);
            end.end_of_stream();
            CHECK(report(end) == "closed, us, sent 1001, received 1006" + fault);
            CHECK(sent(end) == "");
        }
    });
}

// ---------------------------------------------------------------------------------------------
// A Close that the peer begins
// ---------------------------------------------------------------------------------------------

TEST_CASE("the peer's Close is answered with its code and without its reason, once") {
    for_both_roles([](auto make) {
        for (const std::uint32_t code : {1000U, 1001U, 1011U, 1014U, 3000U, 3999U, 4000U, 4999U}) {
            auto end = make();
            const std::string number = std::to_string(code);
            CHECK(told(end, peer_close(end, code, "bye")) == "close " + number + " \"bye\"\n");
            CHECK(report(end) == "received, peer, sent none, received " + number);
            check_refused(end, result::control_first);
            CHECK(sent(end) == "close " + number + " \"\"\n");
            CHECK(sent(end) == "");
            CHECK(report(end) ==
                  "closed, peer, sent " + number + ", received " + number + ", clean");
            check_refused(end, result::not_open);
        }
    });
}

TEST_CASE("a Close without a code is 1005, and is answered without one") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(told(end, peer_close(end)) == "close 1005 \"\"\n");
        CHECK(sent(end) == "close 1005 \"\"\n");
        CHECK(report(end) == "closed, peer, sent 1005, received 1005, clean");
    });
}

TEST_CASE("a connection has not closed cleanly before our own Close has left") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(told(end, peer_close(end, 1000)) == "close 1000 \"\"\n");
        auto cut_off = end;
        cut_off.end_of_stream();
        CHECK(report(cut_off) == "closed, peer, sent none, received 1000");
        CHECK(sent(cut_off) == "");
        CHECK(sent(end) == "close 1000 \"\"\n");
        end.end_of_stream();
        CHECK(report(end) == "closed, peer, sent 1000, received 1000, clean");

        auto crossing = make();
        REQUIRE(crossing.close(1001) == result::done);
        CHECK(told(crossing, peer_close(crossing, 1000)) == "close 1000 \"\"\n");
        CHECK(report(crossing) == "received, us, sent none, received 1000");
        check_refused(crossing, result::closing);
        CHECK(sent(crossing) == "close 1001 \"\"\n");
        CHECK(sent(crossing) == "");
        CHECK(report(crossing) == "closed, us, sent 1001, received 1000, clean");
    });
}

TEST_CASE("behind the peer's Close everything is taken and ignored") {
    for_both_roles([](auto make) {
        for (const bool drain_first : {false, true}) {
            auto end = make();
            const octet_vector close = peer_close(end, 1000);
            const octet_vector more = support::concat(
                peer_close(end, 1001, "again"), peer_ping(end, "x"), support::octets("FF FF 70"));
            CHECK(told(end, support::concat(close, more)) == "close 1000 \"\"\n");
            if (drain_first) CHECK(sent(end) == "close 1000 \"\"\n");
            const auto before = end;
            CHECK(told(end, more) == "");
            CHECK(end == before);
            CHECK(end.offset() == close.size());
            CHECK(sent(end) == (drain_first ? "" : "close 1000 \"\"\n"));
        }
    });
}

TEST_CASE("a Close takes the place of a Pong that was not taken") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(told(end, support::concat(peer_ping(end, "long payload"), peer_close(end, 1001))) ==
              "ping \"long payload\"\nclose 1001 \"\"\n");
        CHECK(sent(end) == "close 1001 \"\"\n");
        CHECK(sent(end) == "");
    });
}

TEST_CASE("two ends that close at once are both closed and clean, with one Close each") {
    client left;
    server right;
    REQUIRE(left.close(1000, "left") == result::done);
    REQUIRE(right.close(1001, "right") == result::done);
    CHECK(sent(left) == "close 1000 \"left\"\n");
    CHECK(sent(right) == "close 1001 \"right\"\n");
    CHECK(told(left, peer_close(left, 1001, "right")) == "close 1001 \"right\"\n");
    CHECK(told(right, peer_close(right, 1000, "left")) == "close 1000 \"left\"\n");
    CHECK(report(left) == "closed, us, sent 1000, received 1001, clean");
    CHECK(report(right) == "closed, us, sent 1001, received 1000, clean");
    CHECK(sent(left) == "");
    CHECK(sent(right) == "");
}

TEST_CASE("our reply to a Close waits for the end of the frame that we are sending") {
    for_both_roles([](auto make) {
        for (const frame_kind kind : {text, text_begin}) {
            auto end = make();
            octet_vector wire = open_frame(end, kind, 5);
            octet_vector payload = as_octets("hello");
            CHECK(end.pay(std::span(payload).first(2)).size() == 2);
            CHECK(told(end, peer_close(end, 1000)) == "close 1000 \"\"\n");
            CHECK(end.state() == closing::received);
            CHECK(sent(end) == "");
            check_refused(end, result::mid_frame);
            CHECK(end.owed() == 3);
            CHECK(end.pay(std::span(payload).subspan(2)).size() == 3);
            CHECK(seen(end, support::concat(wire, payload)) ==
                  (kind.last ? "text first last \"hello\"\n" : "text first \"hello\"\n"));
            CHECK(sent(end) == "close 1000 \"\"\n");
            CHECK(sent(end) == "");
        }
    });
}

TEST_CASE("the peer's Close ends our message between two of its fragments") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(send(end, text_begin, "be") == "text first \"be\"\n");
        CHECK(told(end, peer_close(end, 1000)) == "close 1000 \"\"\n");
        check_refused(end, result::control_first);
        CHECK(sent(end) == "close 1000 \"\"\n");
        check_refused(end, result::not_open);
    });
}

TEST_CASE("our own Close ends our message between two of its fragments") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(send(end, binary_begin, "be") == "binary first \"be\"\n");
        CHECK(end.close(1000) == result::done);
        check_refused(end, result::closing);
        CHECK(sent(end) == "close 1000 \"\"\n");
        check_refused(end, result::closing);
    });
}

TEST_CASE("with Closes switched off the caller answers the peer's, and may send before") {
    for_both_roles([](auto make) {
        auto end = make({.answer_closes = false});
        CHECK(told(end, support::concat(peer_ping(end, "x"), peer_close(end, 1000, "bye"))) ==
              "ping \"x\"\nclose 1000 \"bye\"\n");
        CHECK(report(end) == "received, peer, sent none, received 1000");
        check_refused(end, result::control_first);
        CHECK(sent(end) == "pong \"x\"\n");
        CHECK(send(end, text, "last words") == "text first last \"last words\"\n");
        CHECK(told(end, peer_text(end, "ignored")) == "");
        auto without = end;
        CHECK(end.close(3001, "done") == result::done);
        CHECK(report(end) == "received, peer, sent none, received 1000");
        check_refused(end, result::control_first);
        CHECK(sent(end) == "close 3001 \"done\"\n");
        CHECK(report(end) == "closed, peer, sent 3001, received 1000, clean");
        check_refused(end, result::not_open);
        CHECK(without.close() == result::done);
        CHECK(sent(without) == "close 1005 \"\"\n");
        CHECK(report(without) == "closed, peer, sent 1005, received 1000, clean");
    });
}

TEST_CASE("with Closes switched off the answer to our own still ends the connection") {
    for_both_roles([](auto make) {
        auto end = make({.answer_closes = false});
        REQUIRE(end.close(1000) == result::done);
        CHECK(sent(end) == "close 1000 \"\"\n");
        CHECK(told(end, peer_close(end, 1000)) == "close 1000 \"\"\n");
        CHECK(report(end) == "closed, us, sent 1000, received 1000, clean");
        CHECK(sent(end) == "");
    });
}

// ---------------------------------------------------------------------------------------------
// Violations
// ---------------------------------------------------------------------------------------------

// A stream that breaks a rule at its last octet.
struct breach {
    rule broken;
    octet_vector stream;
    endpoint_options options{};
};

template <class End>
std::vector<breach> breaches(const End& end) {
    const bool masked = !End::is_client;
    const auto head = [&](const char* first, const char* unmasked, const char* masked_length) {
        return support::octets(std::string(first) + (masked ? masked_length : unmasked));
    };
    // What ends with the octet that is refused: the whole frame without what stands behind it.
    const auto up_to = [](octet_vector frame, std::size_t behind) {
        frame.resize(frame.size() - behind);
        return frame;
    };
    const std::size_t key = masked ? 4 : 0;
    const octet_vector empty_begin = from_peer(end, 0x1, "", false);
    const octet_vector empty_more = from_peer(end, 0x0, "", false);
    std::vector<breach> all{
        {rule::reserved_bits, support::octets("C1")},
        {rule::reserved_opcode, support::octets("83")},
        {rule::fragmented_control, support::octets("09")},
        {rule::nothing_to_continue, support::octets("80")},
        {rule::unfinished_message, support::concat(empty_begin, support::octets("81"))},
        {rule::long_control, head("89", "7E", "FE")},
        {rule::short_close, head("88", "01", "81")},
        {rule::huge_length, head("82", "7F 80", "FF 80")},
        {rule::padded_length, head("82", "7E 007D", "FE 007D")},
        {rule::large_frame, up_to(from_peer(end, 0x2, "12345"), 5 + key), {.limit = {.frame = 4}}},
        {rule::large_message,
         up_to(from_peer(end, 0x2, "12345"), 5 + key),
         {.limit = {.message = 4}}},
        {rule::empty_fragments,
         support::concat(empty_begin, up_to(empty_more, key)),
         {.limit = {.empty_fragments = 1}}},
        {rule::bad_text, from_peer(end, 0x1, "\xFF")},
        {rule::bad_close_code, peer_close(end, 1006)},
        {rule::bad_reason, peer_close(end, 1000, "ok\xFF")},
    };
    if (masked) all.push_back({rule::unmasked_frame, support::octets("81 00")});
    if (!masked) all.push_back({rule::masked_frame, support::octets("81 80")});
    return all;
}

std::string fault_words(const breach& one) {
    return std::string(name(one.broken)) + " at " + std::to_string(one.stream.size() - 1);
}

// The last line that is told of a stream that breaks a rule.
std::string violated_line(const breach& one) {
    return "violated " + std::string(name(one.broken)) + ' ' + std::string(section(one.broken)) +
           ' ' + std::to_string(code(one.broken)) + " at " + std::to_string(one.stream.size() - 1) +
           '\n';
}

bool ends_with(const std::string& all, const std::string& end) {
    return all.size() >= end.size() && all.substr(all.size() - end.size()) == end;
}

TEST_CASE("a broken rule is told once and answered with one Close of its code") {
    for_both_roles([](auto make) {
        CHECK(breaches(make()).size() == static_cast<std::size_t>(rule::bad_reason) - 1);
        for (const breach& one : breaches(make())) {
            const std::string number = std::to_string(code(one.broken));
            const std::string fault = fault_words(one);
            CAPTURE(fault);
            auto end = make(one.options);
            CHECK(ends_with(told(end, one.stream), violated_line(one)));
            CHECK(end.offset() == one.stream.size() - 1);
            CHECK(report(end) == "open, us, sent none, received none, " + fault);
            check_refused(end, result::closing);
            CHECK(told(end, support::concat(peer_ping(end, "x"), peer_close(end, 1000))) == "");
            CHECK(report(end) == "open, us, sent none, received none, " + fault);
            CHECK(sent(end) == "close " + number + " \"\"\n");
            CHECK(sent(end) == "");
            check_refused(end, result::closing);
            CHECK(told(end, support::concat(peer_ping(end, "x"), peer_close(end, 1000))) == "");
            CHECK(sent(end) == "");
            CHECK(report(end) == "sent, us, sent " + number + ", received none, " + fault);
            end.end_of_stream();
            CHECK(report(end) == "closed, us, sent " + number + ", received 1006, " + fault);
            check_refused(end, result::not_open);
        }
    });
}

TEST_CASE("every rule is checked between the Closes, and answered with no second one") {
    for_both_roles([](auto make) {
        for (const breach& one : breaches(make())) {
            const std::string fault = fault_words(one);
            CAPTURE(fault);
            auto end = make(one.options);
            REQUIRE(end.close(4000) == result::done);
            CHECK(sent(end) == "close 4000 \"\"\n");
            CHECK(ends_with(told(end, one.stream), violated_line(one)));
            CHECK(report(end) == "sent, us, sent 4000, received none, " + fault);
            CHECK(sent(end) == "");
            check_refused(end, result::closing);
        }
    });
}

TEST_CASE("a violation while we are sending a frame is answered at its end") {
    for_both_roles([](auto make) {
        for (const breach& one : breaches(make())) {
            CAPTURE(name(one.broken));
            auto end = make(one.options);
            octet_vector wire = open_frame(end, binary, 5);
            octet_vector payload = as_octets("hello");
            CHECK(end.pay(std::span(payload).first(1)).size() == 1);
            CHECK(ends_with(told(end, one.stream), violated_line(one)));
            CHECK(sent(end) == "");
            check_refused(end, result::closing);
            CHECK(end.pay(std::span(payload).subspan(1, 3)).size() == 3);
            CHECK(sent(end) == "");
            CHECK(end.pay(std::span(payload).subspan(4)).size() == 1);
            CHECK(seen(end, support::concat(wire, payload)) == "binary first last \"hello\"\n");
            CHECK(sent(end) == "close " + std::to_string(code(one.broken)) + " \"\"\n");
            CHECK(sent(end) == "");
        }
    });
}

TEST_CASE("a violation takes the place of a Pong that was not taken") {
    for_both_roles([](auto make) {
        auto end = make();
        const octet_vector ping = peer_ping(end, "x");
        CHECK(told(end, support::concat(ping, support::octets("70"))) ==
              "ping \"x\"\nviolated reserved_bits 5.2 1002 at " + std::to_string(ping.size()) +
                  "\n");
        CHECK(sent(end) == "close 1002 \"\"\n");
        CHECK(sent(end) == "");
    });
}

TEST_CASE("with Pongs and Closes switched off a violation is answered all the same") {
    for_both_roles([](auto make) {
        auto end = make({.answer_pings = false, .answer_closes = false});
        CHECK(told(end, support::octets("70")) == "violated reserved_bits 5.2 1002 at 0\n");
        CHECK(sent(end) == "close 1002 \"\"\n");
    });
}

TEST_CASE("everything in front of a violation is delivered first") {
    for_both_roles([](auto make) {
        auto end = make();
        const octet_vector stream = support::concat(
            peer_text(end, "one"), from_peer(end, 0x2, "two"), peer_text(end, "three\xC3("));
        CHECK(told(end, stream) ==
              "text \"one\"\nbinary 74 77 6F\ntext begin \"three\\xC3\"\n"
              "violated bad_text 8.1 1007 at " +
                  std::to_string(stream.size() - 1) + "\n");
    });
}

// ---------------------------------------------------------------------------------------------
// A layer above that finds a broken rule
// ---------------------------------------------------------------------------------------------

TEST_CASE("a layer above fails an open connection with the rule that was broken") {
    for_both_roles([](auto make) {
        for (const rule_entry& entry : rule_table) {
            if (entry.id == rule::none || is_of_opening(entry.id)) continue;
            CAPTURE(entry.name);
            auto end = make();
            const octet_vector message = peer_text(end, "ok");
            CHECK(told(end, message) == "text \"ok\"\n");
            end.fail(entry.id);
            const std::string fault =
                ", " + std::string(entry.name) + " at " + std::to_string(message.size());
            CHECK(report(end) == "open, us, sent none, received none" + fault);
            CHECK(told(end, support::concat(message, peer_close(end, 1000))) == "");
            check_refused(end, result::closing);
            const std::string number = std::to_string(entry.code);
            CHECK(sent(end) == "close " + number + " \"\"\n");
            CHECK(sent(end) == "");
            CHECK(report(end) == "sent, us, sent " + number + ", received none" + fault);
        }
    });
}

TEST_CASE("no rule broken is no failure") {
    for_both_roles([](auto make) {
        auto end = make();
        end.fail(rule::none);
        CHECK(end == make());
        CHECK(sent(end) == "");
        CHECK(told(end, peer_text(end, "ok")) == "text \"ok\"\n");
    });
}

TEST_CASE("a layer above may fail the connection in the middle of a frame from the peer") {
    for_both_roles([](auto make) {
        const octet_vector frame = from_peer(make(), 0x1, "hello");
        for (std::size_t cut = 0; cut <= frame.size(); ++cut) {
            CAPTURE(cut);
            const auto place = frame.begin() + static_cast<std::ptrdiff_t>(cut);
            auto end = make();
            told(end, octet_vector(frame.begin(), place));
            end.fail(rule::large_message);
            CHECK(told(end, octet_vector(place, frame.end())) == "");
            CHECK(sent(end) == "close 1009 \"\"\n");
            CHECK(report(end) ==
                  "sent, us, sent 1009, received none, large_message at " + std::to_string(cut));
        }
    });
}

TEST_CASE("a layer above fails the connection while we are sending a frame") {
    for_both_roles([](auto make) {
        auto end = make();
        octet_vector wire = open_frame(end, text, 2);
        octet_vector payload = as_octets("ab");
        end.fail(rule::bad_text);
        CHECK(sent(end) == "");
        CHECK(end.pay(std::span(payload)).size() == 2);
        CHECK(seen(end, support::concat(wire, payload)) == "text first last \"ab\"\n");
        CHECK(sent(end) == "close 1007 \"\"\n");
    });
}

TEST_CASE("a layer above that fails behind our Close sends no second one") {
    for_both_roles([](auto make) {
        for (const bool drain_first : {false, true}) {
            auto end = make();
            REQUIRE(end.close(1000, "bye") == result::done);
            if (drain_first) CHECK(sent(end) == "close 1000 \"bye\"\n");
            end.fail(rule::bad_text);
            CHECK(sent(end) == (drain_first ? "" : "close 1000 \"bye\"\n"));
            CHECK(report(end) == "sent, us, sent 1000, received none, bad_text at 0");
            CHECK(told(end, peer_close(end, 1000)) == "");
            end.end_of_stream();
            CHECK(report(end) == "closed, us, sent 1000, received 1006, bad_text at 0");
        }
    });
}

TEST_CASE("a layer above that fails behind the peer's Close answers it with its own code") {
    for_both_roles([](auto make) {
        auto end = make({.answer_closes = false});
        const octet_vector close = peer_close(end, 1000);
        CHECK(told(end, close) == "close 1000 \"\"\n");
        end.fail(rule::bad_text);
        CHECK(sent(end) == "close 1007 \"\"\n");
        CHECK(report(end) == "closed, peer, sent 1007, received 1000, bad_text at " +
                                 std::to_string(close.size()));
        check_refused(end, result::not_open);
    });
}

TEST_CASE("a layer above that fails when the answer to a Close is due changes the report only") {
    for_both_roles([](auto make) {
        auto end = make();
        const octet_vector close = peer_close(end, 1000);
        CHECK(told(end, close) == "close 1000 \"\"\n");
        end.fail(rule::bad_text);
        CHECK(sent(end) == "close 1000 \"\"\n");
        CHECK(sent(end) == "");
        CHECK(report(end) == "closed, peer, sent 1000, received 1000, bad_text at " +
                                 std::to_string(close.size()));
    });
}

TEST_CASE("the first failure counts, and what has ended cannot fail") {
    for_both_roles([](auto make) {
        auto failed = make();
        failed.fail(rule::bad_text);
        auto before = failed;
        failed.fail(rule::large_message);
        CHECK(failed == before);

        auto violated = make();
        CHECK(told(violated, support::octets("70")) == "violated reserved_bits 5.2 1002 at 0\n");
        before = violated;
        violated.fail(rule::bad_text);
        CHECK(violated == before);

        auto closed = make();
        CHECK(told(closed, peer_close(closed, 1000)) == "close 1000 \"\"\n");
        CHECK(sent(closed) == "close 1000 \"\"\n");
        before = closed;
        closed.fail(rule::bad_text);
        CHECK(closed == before);

        auto ended = make();
        ended.end_of_stream();
        before = ended;
        ended.fail(rule::bad_text);
        CHECK(ended == before);
    });
}

// ---------------------------------------------------------------------------------------------
// The end of the stream
// ---------------------------------------------------------------------------------------------

// Ends the stream twice: the second time nothing changes any more, whatever comes is ignored, and
// nothing leaves.
template <class End>
std::string report_of_end(End& end) {
    end.end_of_stream();
    const End once = end;
    end.end_of_stream();
    CHECK(end == once);
    CHECK(told(end, support::concat(peer_text(end, "late"), peer_close(end, 1000))) == "");
    CHECK(sent(end) == "");
    CHECK(end == once);
    check_refused(end, result::not_open);
    return report(end);
}

TEST_CASE("35 the end of the stream without any Close is 1006, and nobody's") {
    for_both_roles([](auto make) {
        const octet_vector frame = from_peer(make(), 0x1, "hello");
        for (std::size_t cut = 0; cut <= frame.size(); ++cut) {
            CAPTURE(cut);
            auto end = make();
            const auto place = frame.begin() + static_cast<std::ptrdiff_t>(cut);
            told(end, octet_vector(frame.begin(), place));
            CHECK(report_of_end(end) == "closed, nobody, sent none, received 1006");
            CHECK(end.offset() == cut);
        }
        auto pinged = make();
        CHECK(told(pinged, peer_ping(pinged, "x")) == "ping \"x\"\n");
        CHECK(report_of_end(pinged) == "closed, nobody, sent none, received 1006");
    });
}

TEST_CASE("35 the end of the stream behind our Close is 1006, whether or not it was taken") {
    for_both_roles([](auto make) {
        auto end = make();
        REQUIRE(end.close(1001, "bye") == result::done);
        auto early = end;
        CHECK(report_of_end(early) == "closed, us, sent none, received 1006");
        CHECK(sent(end) == "close 1001 \"bye\"\n");
        CHECK(report_of_end(end) == "closed, us, sent 1001, received 1006");
    });
}

TEST_CASE("35 the end of the stream behind the peer's Close keeps its code") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(told(end, peer_close(end, 3000)) == "close 3000 \"\"\n");
        auto early = end;
        CHECK(report_of_end(early) == "closed, peer, sent none, received 3000");
        CHECK(sent(end) == "close 3000 \"\"\n");
        CHECK(report_of_end(end) == "closed, peer, sent 3000, received 3000, clean");

        auto received = make({.answer_closes = false});
        CHECK(told(received, peer_close(received, 1000)) == "close 1000 \"\"\n");
        CHECK(report_of_end(received) == "closed, peer, sent none, received 1000");
    });
}

TEST_CASE("35 the end of the stream behind both Closes changes nothing") {
    for_both_roles([](auto make) {
        auto end = make();
        REQUIRE(end.close(1000) == result::done);
        CHECK(sent(end) == "close 1000 \"\"\n");
        CHECK(told(end, peer_close(end, 1001)) == "close 1001 \"\"\n");
        const auto before = end;
        CHECK(report_of_end(end) == "closed, us, sent 1000, received 1001, clean");
        CHECK(end == before);
    });
}

TEST_CASE("35 the end of the stream behind a violation is 1006") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(told(end, support::octets("70")) == "violated reserved_bits 5.2 1002 at 0\n");
        auto early = end;
        CHECK(report_of_end(early) == "closed, us, sent none, received 1006, reserved_bits at 0");
        CHECK(sent(end) == "close 1002 \"\"\n");
        CHECK(report_of_end(end) == "closed, us, sent 1002, received 1006, reserved_bits at 0");
    });
}

TEST_CASE("35 the end of the stream leaves the frame that we are sending as it is") {
    for_both_roles([](auto make) {
        auto end = make();
        const octet_vector header = open_frame(end, text, 5);
        octet_vector payload = as_octets("hello");
        CHECK(end.pay(std::span(payload).first(3)).size() == 3);
        CHECK(report_of_end(end) == "closed, nobody, sent none, received 1006");
        CHECK(end.owed() == 2);
        CHECK(end.pay(std::span(payload).subspan(3)).size() == 2);
        CHECK(seen(end, support::concat(header, payload)) == "text first last \"hello\"\n");
        CHECK(sent(end) == "");
    });
}

// ---------------------------------------------------------------------------------------------
// Sending
// ---------------------------------------------------------------------------------------------

TEST_CASE("both roles send before anything has come, whole and in fragments") {
    for_both_roles([](auto make) {
        auto end = make();
        CHECK(send(end, text, "hello") == "text first last \"hello\"\n");
        CHECK(send(end, binary, "") == "binary first last \"\"\n");
        octet_vector wire = whole_frame(end, binary_begin, "be");
        control_octets out;
        const written ping = end.ping(as_octets("p"), out);
        wire = support::concat(wire, std::span(out).first(ping.octets));
        frame_start start;
        CHECK(end.start(text, 2, start) == result::mid_message);
        const octet_vector header = open_frame(end, binary, 4);
        octet_vector payload = as_octets("hind");
        CHECK(end.pay(std::span(payload)).size() == 4);
        CHECK(seen(end, support::concat(wire, header, payload)) ==
              "binary first \"be\"\nping \"p\"\nbinary last \"hind\"\n");
    });
}

TEST_CASE("5.1 each kind of frame of a client has a mask, and none of a server has") {
    for_both_roles([](auto make) {
        using end_type = decltype(make());
        const int mask = end_type::is_client ? 0x80 : 0;
        const auto mask_bit = [](std::span<const octet> out) { return out[1] & 0x80; };
        auto end = make();
        octet_vector out(20);
        for (const frame_kind kind : {text, binary, text_begin, text, binary_begin, binary}) {
            CHECK(end.write(kind, as_octets("x"), out).what == result::done);
            CHECK(mask_bit(out) == mask);
            CHECK(end.write(kind, {}, out).what == result::done);
            CHECK(mask_bit(out) == mask);
            if (!kind.last) continue;
            CHECK(end.write({.type = kind.type, .last = false}, {}, out).what == result::done);
            frame_start start;
            CHECK(end.start(kind, 0, start) == result::done);
            CHECK(mask_bit(start.octets) == mask);
        }
        control_octets control;
        CHECK(end.ping({}, control).what == result::done);
        CHECK(mask_bit(control) == mask);
        CHECK(end.pong({}, control).what == result::done);
        CHECK(mask_bit(control) == mask);
        for (int i = 0; i < 4; ++i) {
            auto closing = make();
            if (i == 0) CHECK(closing.close(1000) == result::done);
            if (i == 1) told(closing, peer_close(closing, 1000));
            if (i == 2) told(closing, support::octets("70"));
            if (i == 3) told(closing, peer_ping(closing, "x"));
            CHECK(closing.control(control) > 0);
            CHECK(mask_bit(control) == mask);
        }
    });
}

TEST_CASE("header and payload are paid in pieces of any size, in place or while copying") {
    for_both_roles([](auto make) {
        const octet_vector plain = as_octets("a payload that is longer than eight");
        for (std::size_t step = 1; step <= plain.size() + 3; ++step) {
            CAPTURE(step);
            auto lending = make();
            auto copying = make();
            octet_vector lent = plain;
            octet_vector copied(plain.size() + 8, 0xA5);
            octet_vector header = open_frame(lending, text, plain.size());
            CHECK(open_frame(copying, text, plain.size()) == header);
            for (std::size_t done = 0; done < plain.size(); done += step) {
                const std::span<octet> piece = std::span(lent).subspan(done);
                const std::size_t size = piece.size() < step ? piece.size() : step;
                REQUIRE(lending.pay(piece.first(size)).data() == piece.data());
                REQUIRE(copying.pay(std::span(plain).subspan(done),
                                    std::span(copied).subspan(done, step < 8 ? step : size)) ==
                        size);
                REQUIRE(lending == copying);
            }
            CHECK(lending.owed() == 0);
            CHECK(seen(lending, support::concat(header, lent)) ==
                  "text first last " + support::quote(plain) + "\n");
            CHECK(copied == support::concat(lent, octet_vector(8, 0xA5)));
        }
    });
}

TEST_CASE("of more payload than is owed, the rest is given back as it was") {
    for_both_roles([](auto make) {
        auto end = make();
        octet_vector header = open_frame(end, binary, 3);
        octet_vector place = as_octets("abcdef");
        const std::span<octet> paid = end.pay(std::span(place));
        CHECK(paid.data() == place.data());
        CHECK(paid.size() == 3);
        CHECK(seen(end, support::concat(header, paid)) == "binary first last \"abc\"\n");
        CHECK(support::to_string(std::span(place).subspan(3)) == "def");
        const auto before = end;
        CHECK(end.pay(std::span(place)).empty());
        octet_vector out(6, 0xA5);
        CHECK(end.pay(as_octets("xyz"), out) == 0);
        CHECK(out == octet_vector(6, 0xA5));
        CHECK(end == before);
    });
}

TEST_CASE("a frame that does not fit says what it takes, and changes nothing") {
    for_both_roles([](auto make) {
        using end_type = decltype(make());
        const std::size_t head = end_type::is_client ? 6 : 2;
        const octet_vector payload = as_octets("hello");
        for (std::size_t room = 0; room < head + payload.size(); ++room) {
            auto end = make();
            const support::guarded out(octet_vector(room, 0xA5));
            CHECK(end.write(text, payload, out.span()) ==
                  written{result::full, head + payload.size()});
            CHECK(support::to_string(out.span()) == std::string(room, '\xA5'));
            CHECK(end == make());
        }
        auto end = make();
        const support::guarded out(octet_vector(head + payload.size(), 0xA5));
        CHECK(end.write(text, payload, out.span()) == written{result::done, head + 5});
        CHECK(seen(end, out.span()) == "text first last \"hello\"\n");
    });
}

TEST_CASE("C4 a Ping or Pong of ours has up to 125 octets, and 126 are refused") {
    for_both_roles([](auto make) {
        auto end = make();
        control_octets out;
        for (const std::size_t size : {0U, 1U, 125U}) {
            const octet_vector payload(size, 'p');
            const written ping = end.ping(payload, out);
            CHECK(ping.what == result::done);
            CHECK(seen(end, std::span(out).first(ping.octets)) ==
                  "ping " + support::quote(payload) + "\n");
            const written pong = end.pong(payload, out);
            CHECK(seen(end, std::span(out).first(pong.octets)) ==
                  "pong " + support::quote(payload) + "\n");
        }
        out.fill(0xA5);
        const auto before = end;
        CHECK(end.ping(octet_vector(126), out) == written{result::too_large, 0});
        CHECK(end.pong(octet_vector(126), out) == written{result::too_large, 0});
        CHECK(end == before);
        for (const octet o : out) REQUIRE(o == 0xA5);
    });
}

TEST_CASE("F5 a compressed message has RSV1 on its first frame only, between other frames too") {
    for_both_roles([](auto make) {
        auto end = make({.rsv1 = true});
        octet_vector out(20);
        const auto first_octet = [&](frame_kind kind) {
            REQUIRE(end.write(kind, as_octets("x"), out).what == result::done);
            return static_cast<int>(out[0]);
        };
        using enum message_type;
        CHECK(first_octet({.type = message_type::text, .compressed = true}) == 0xC1);
        CHECK(first_octet({.type = binary, .last = false, .compressed = true}) == 0x42);
        CHECK(told(end, peer_ping(end, "x")) == "ping \"x\"\n");
        CHECK(sent(end) == "pong \"x\"\n");
        CHECK(first_octet({.type = binary, .last = false, .compressed = true}) == 0x00);
        CHECK(first_octet({.type = binary, .last = true, .compressed = true}) == 0x80);
        CHECK(first_octet({.type = binary, .last = false}) == 0x02);
        CHECK(first_octet({.type = binary, .last = true, .compressed = true}) == 0x80);
        CHECK(told(end, from_peer(end, 0x1, "\xC2\x01", true, 4)) == "text compressed C2 01\n");
    });
}

TEST_CASE("an endpoint says whether the message that arrives is compressed, as its reader does") {
    for_both_roles([](auto make) {
        auto end = make({.rsv1 = true});
        CHECK_FALSE(end.compressed());
        CHECK(told(end, from_peer(end, 0x1, "\xC2", false, 4)) == "text compressed begin C2\n");
        CHECK(end.compressed());
        told(end, peer_ping(end, "x"));
        CHECK(end.compressed());
        told(end, from_peer(end, 0x0, "\x01", true));
        CHECK(told(end, from_peer(end, 0x1, "x", true)) == "text \"x\"\n");
        CHECK_FALSE(end.compressed());
    });
}

TEST_CASE("F5 nothing leaves with RSV1 that was not agreed on") {
    for_both_roles([](auto make) {
        auto end = make({});
        const auto before = end;
        octet_vector out(20, 0xA5);
        frame_start start;
        start.octets.fill(0xA5);
        CHECK(end.write({.compressed = true}, as_octets("x"), out) ==
              written{result::not_offered, 0});
        CHECK(end.start({.compressed = true}, 1, start) == result::not_offered);
        CHECK(end == before);
        for (const octet o : out) REQUIRE(o == 0xA5);
        for (const octet o : start.octets) REQUIRE(o == 0xA5);
        CHECK(end.start({}, 0, start) == result::done);
    });
}

// ---------------------------------------------------------------------------------------------
// Keys
// ---------------------------------------------------------------------------------------------

class key_source {
  public:
    masking_key draw() {
        masking_key key;
        for (octet& o : key.octets) o = static_cast<octet>(random_());
        drawn_.push_back(key);
        return key;
    }
    const std::vector<masking_key>& drawn() const { return drawn_; }

  private:
    std::mt19937 random_{6455};
    std::vector<masking_key> drawn_;
};

masking_key key_on_wire(std::span<const octet> frame) {
    masking_key key;
    copy_octets(frame.subspan(2, 4), key.octets);
    return key;
}

TEST_CASE("M6 every frame of a client shows the key that was drawn for it") {
    client_endpoint end;
    key_source keys;
    std::vector<masking_key> shown;
    control_octets control;
    octet_vector out(100);
    frame_start start;
    for (int i = 0; i < 50; ++i) {
        REQUIRE(end.write(binary_begin, as_octets("abc"), out, keys.draw()).what == result::done);
        shown.push_back(key_on_wire(out));
        REQUIRE(end.ping(as_octets("ping"), control, keys.draw()).what == result::done);
        shown.push_back(key_on_wire(control));
        REQUIRE(end.pong({}, control, keys.draw()).what == result::done);
        shown.push_back(key_on_wire(control));
        REQUIRE(end.start(binary, 5, start, keys.draw()) == result::done);
        shown.push_back(key_on_wire(start.view()));
        octet_vector payload = as_octets("12345");
        REQUIRE(end.pay(std::span(payload)).size() == 5);
        mask(payload, keys.drawn().back());
        REQUIRE(support::to_string(payload) == "12345");
        told(end, support::octets("89 01 78"));
        REQUIRE(end.control(control, keys.draw()) == 7);
        shown.push_back(key_on_wire(control));
    }
    REQUIRE(end.close(1000) == result::done);
    REQUIRE(end.control(control, keys.draw()) == 8);
    shown.push_back(key_on_wire(control));
    CHECK(shown == keys.drawn());
}

TEST_CASE("M6 a key that went with a call which wrote nothing is forgotten") {
    constexpr masking_key lost{{0xBA, 0xD0, 0xBA, 0xD0}};
    client_endpoint end;
    control_octets control;
    octet_vector out(20);
    frame_start start;
    REQUIRE(end.start(text, 5, start, support::client_key) == result::done);
    const client_endpoint before = end;
    CHECK(end.control(control, lost) == 0);
    CHECK(end.start(text, 5, start, lost) == result::mid_frame);
    CHECK(end.write(text, {}, out, lost).what == result::mid_frame);
    CHECK(end.ping({}, control, lost).what == result::mid_frame);
    CHECK(end.pong({}, control, lost).what == result::mid_frame);
    CHECK(end == before);
    octet_vector payload = as_octets("Hello");
    CHECK(end.pay(std::span(payload)).size() == 5);
    CHECK(support::hex(payload) == "7F 9F 4D 51 58");
}

// ---------------------------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------------------------

TEST_CASE("receive() gives the events of next(), and may be left early") {
    for_both_roles([](auto make) {
        auto end = make();
        octet_vector octets =
            support::concat(peer_text(end, "one"), peer_ping(end, "two"), peer_text(end, "three"));
        const std::size_t third = peer_text(end, "three").size();
        std::span<octet> in = octets;
        std::string words;
        for (const frame_event& event : end.receive(in)) {
            words += support::to_string(event.payload) + ' ';
            if (event.kind == what::ping) break;
        }
        CHECK(words == "one two ");
        CHECK(in.size() == third);
        CHECK(sent(end) == "pong \"two\"\n");
        for (const frame_event& event : end.receive(in)) words += support::to_string(event.payload);
        CHECK(words == "one two three");
        CHECK(in.empty());
        CHECK(end.receive(in).begin() == end.receive(in).end());
    });
}

template <class End>
support::reader_setup setup_of(const End&) {
    return {.receiver = End::is_client ? role::client : role::server, .limit = {}};
}

TEST_CASE("S1 however the stream is cut, the same is told and the same is sent") {
    for_both_roles([](auto make) {
        const auto end = make();
        const auto read = [&](const octet_vector& stream) {
            return support::read_endpoint(setup_of(end), stream);
        };
        const std::string mask = decltype(make())::is_client ? "8" : "0";
        const octet_vector ping = peer_ping(end, "p");
        const octet_vector begin = from_peer(end, 0x1, "Hel", false);
        const octet_vector finish = from_peer(end, 0x0, "lo");
        const std::string whole =
            read(support::concat(begin, ping, finish, peer_close(end, 1000, "x"), ping));
        CHECK(whole.find("text begin \"Hel\"\nping \"p\"\n-> 8A ") == 0);
        CHECK(whole.find("\ntext end \"lo\"\nclose 1000 \"x\"\n-> 88 ") != std::string::npos);
        const std::string spoiled = read(support::concat(begin, ping, support::octets("81"), ping));
        CHECK(spoiled.find("\nviolated unfinished_message 5.4 1002 at ") != std::string::npos);
        CHECK(spoiled.find("\n-> 88 " + mask + "2 ") != std::string::npos);
        CHECK(read(support::concat(ping, ping, from_peer(end, 0xA, "q"), peer_close(end)))
                  .find("close 1005 \"\"\n-> 88 " + mask + "0") != std::string::npos);
    });
}

TEST_CASE("invariant 37: a copy that reads and sends the same has the same future") {
    for_both_roles([](auto make) {
        const auto fresh = make();
        const octet_vector stream =
            support::concat(from_peer(fresh, 0x1, "Hel", false), peer_ping(fresh, "ping"),
                            from_peer(fresh, 0x0, "lo"), peer_close(fresh, 1000, "bye"));
        for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
            CAPTURE(cut);
            const auto place = stream.begin() + static_cast<std::ptrdiff_t>(cut);
            auto end = make();
            told(end, octet_vector(stream.begin(), place));
            auto copy = end;
            CHECK(copy == end);
            CHECK(told(copy, octet_vector(place, stream.end())) ==
                  told(end, octet_vector(place, stream.end())));
            CHECK(sent(copy) == sent(end));
            CHECK(copy == end);
        }
    });
}

TEST_CASE("invariant 38: a server and a client tell the same of the same messages") {
    client left;
    server right;
    const auto both = [&](int op, std::string_view payload, bool fin = true) {
        const std::string words = told(left, from_peer(left, op, payload, fin));
        CHECK(told(right, from_peer(right, op, payload, fin)) == words);
        CHECK(sent(left) == sent(right));
        CHECK(in_words(left.report()) == in_words(right.report()));
        return words;
    };
    CHECK(both(0x1, "hello") == "text \"hello\"\n");
    CHECK(both(0x2, "be", false) == "binary begin 62 65\n");
    CHECK(both(0x9, "ping") == "ping \"ping\"\n");
    CHECK(both(0x0, "hind") == "binary end 68 69 6E 64\n");
    CHECK(both(0xA, "pong") == "pong \"pong\"\n");
    CHECK(both(0x8, "\x03\xE8 bye") == "close 1000 \" bye\"\n");
}

TEST_CASE("a whole life of an endpoint takes nothing from the heap") {
    for_both_roles([](auto make) {
        auto end = make();
        octet_vector in_octets = support::concat(
            from_peer(end, 0x1, "Hel", false), peer_ping(end, std::string(125, 'p')),
            from_peer(end, 0x0, "lo"), peer_text(end, std::string(2000, 't')),
            peer_close(end, 1000, std::string(123, 'r')));
        octet_vector payload(300, 'o');
        octet_vector out(400);
        control_octets control;
        frame_start start;
        std::span<octet> in = in_octets;
        std::size_t octets = 0;
        const support::heap_watch watch;
        octets += end.write(text, payload, out).octets;
        octets += end.start(text, 300, start) == result::done ? start.size : 0U;
        octets += end.pay(std::span(payload)).size();
        octets += end.ping(std::span(payload).first(9), control).octets;
        for (const frame_event& event : end.receive(in)) {
            octets += event.payload.size();
            octets += end.control(control);
        }
        end.end_of_stream();
        const std::size_t taken = watch.count();
        CHECK(taken == 0);
        CHECK(octets > 3000);
        CHECK(report(end) == "closed, peer, sent 1000, received 1000, clean");
    });
}

// ---------------------------------------------------------------------------------------------
// Whatever else is under way
// ---------------------------------------------------------------------------------------------

// What may be under way when a control frame comes: both directions, and a Close of ours.
struct busy {
    bool in_incoming = false;  // between the fragments of a message that comes
    enum { no_message, in_message, in_frame } outgoing = no_message;
    enum { open, close_due, close_sent } ours = open;
};

template <class End>
End made_busy(End end, busy with) {
    if (with.in_incoming) CHECK(told(end, from_peer(end, 0x1, "\xC3", false)) != "");
    if (with.outgoing == busy::in_message) send(end, text_begin, "x");
    if (with.outgoing == busy::in_frame) open_frame(end, text, 1);
    if (with.ours != busy::open) CHECK(end.close(4000) == result::done);
    if (with.ours == busy::close_sent) CHECK(sent(end) == "close 4000 \"\"\n");
    return end;
}

// What leaves, if need be after the end of the open frame.
template <class End>
std::string sent_at_last(End& end) {
    if (end.owed() > 0) CHECK(sent(end) == "");
    octet_vector payload(static_cast<std::size_t>(end.owed()), 'x');
    CHECK(end.pay(std::span(payload)).size() == payload.size());
    return sent(end);
}

template <class End>
void check_control_frames(const End& before, busy with) {
    const std::string due = with.ours == busy::close_due ? "close 4000 \"\"\n" : "";
    const bool is_open = with.ours == busy::open;
    for (const int op : {0x9, 0xA}) {
        End end = before;
        const std::string name = op == 0x9 ? "ping" : "pong";
        CHECK(told(end, from_peer(end, op, "?")) == name + " \"?\"\n");
        CHECK(sent_at_last(end) == (is_open && op == 0x9 ? "pong \"?\"\n" : due));
        if (!with.in_incoming) continue;
        CHECK(told(end, from_peer(end, 0x0, "\xBC")) == "text end \"\\xBC\"\n");
    }
    End end = before;
    CHECK(told(end, peer_close(end, 1001)) == "close 1001 \"\"\n");
    CHECK(sent_at_last(end) == (is_open ? "close 1001 \"\"\n" : due));
    CHECK(report(end) == (is_open ? "closed, peer, sent 1001, received 1001, clean"
                                  : "closed, us, sent 4000, received 1001, clean"));
    CHECK(told(end, from_peer(end, 0x0, "\xBC")) == "");
}

TEST_CASE("6.2 control frames are handled alike, whatever messages are under way") {
    for_both_roles([](auto make) {
        for (const bool in_incoming : {false, true}) {
            for (const auto outgoing : {busy::no_message, busy::in_message, busy::in_frame}) {
                for (const auto ours : {busy::open, busy::close_due, busy::close_sent}) {
                    // A Close cannot be asked for within a frame.
                    if (outgoing == busy::in_frame && ours != busy::open) continue;
                    CAPTURE(in_incoming, outgoing, ours);
                    const busy with{in_incoming, outgoing, ours};
                    check_control_frames(made_busy(make(), with), with);
                }
            }
        }
    });
}

TEST_CASE("7.1.7 of what is right no Close falls due, whatever comes and whatever is sent") {
    for_both_roles([](auto make) {
        auto end = make({.rsv1 = true});
        octet_vector stream = support::concat(
            peer_text(end, "whole"), from_peer(end, 0x2, ""), from_peer(end, 0x1, "\xE2", false),
            peer_ping(end, "between"), from_peer(end, 0x0, "", false), from_peer(end, 0xA, "late"),
            from_peer(end, 0x0, "\x82\xAC"), from_peer(end, 0x2, "deflated", true, 4),
            peer_ping(end, ""));
        std::string left;
        control_octets out;
        for (octet& next : stream) {
            std::span<octet> in(&next, 1);
            CHECK(end.next(in).kind != what::violated);
            left += sent(end);
            CHECK(send(end, text, "whole") == "text first last \"whole\"\n");
            const octet_vector begin = whole_frame(end, binary_begin, "be");
            CHECK(end.ping({}, out).what == result::done);
            CHECK(seen(end, support::concat(begin, whole_frame(end, binary, "hind"))) ==
                  "binary first \"be\"\nbinary last \"hind\"\n");
            CHECK(end.pong({}, out).what == result::done);
            CHECK(report(end) == "open, nobody, sent none, received none");
        }
        CHECK(left == "pong \"between\"\npong \"\"\n");
    });
}

}  // namespace
