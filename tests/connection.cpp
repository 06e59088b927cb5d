// A whole connection: octets in, events out; messages in, octets out.

#include <sockless/connection.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/application.hpp"
#include "support/catch.hpp"
#include "support/connections.hpp"
#include "support/effort.hpp"
#include "support/heap_watch.hpp"
#include "support/reference.hpp"

namespace {

using namespace sockless;
using support::application;
using support::both;
using support::client_close;
using support::concat;
using support::counted_keys;
using support::drain;
using support::exact;
using support::feed;
using support::for_each_cut_of;
using support::from_client;
using support::from_server;
using support::hear;
using support::lines;
using support::octet_vector;
using support::octets_of_size;
using support::open_client;
using support::open_server;
using support::report_of;
using support::server_close;
using support::wants_of;
using support::watched;

using test_server = support::server<>;
using test_client = support::client<>;

static_assert(!std::is_copy_constructible_v<server_connection>);
static_assert(!std::is_move_constructible_v<server_connection>);
static_assert(!std::is_copy_assignable_v<server_connection>);
static_assert(!std::is_move_assignable_v<server_connection>);
static_assert(!std::is_move_constructible_v<client_connection<counted_keys>>);
static_assert(sizeof(std::size_t) < 8 || sizeof(event) == 32);
static_assert(std::is_nothrow_default_constructible_v<server_connection>);

}  // namespace

// ---- events ----

TEST_CASE("While a request waits for its answer nothing is told") {
    test_server ws;
    octet_vector stream =
        concat(support::octets_of_text(support::good_request), from_client(1, "later"));
    std::span<octet> in = stream;
    CHECK(hear(ws, in) == lines{"request"});
    CHECK(hear(ws).empty());
    CHECK(hear(ws, in).empty());
    CHECK(wants_of(ws).empty());
    CHECK(ws.accept() == result::done);
    CHECK(hear(ws, in) == lines{"open", "text \"later\""});
}

TEST_CASE("Everything complete in front of a violation or a Close is delivered first") {
    const std::vector<std::pair<octet_vector, std::string>> ends{
        {support::octets("F1 80 00000000"),
         "violation, began us, sent 1002, received 1006, "
         "reserved_bits"},
        {client_close(1001, "bye"), "closed clean, began peer, sent 1001, received 1001"},
    };
    for (const auto& [end, wanted_report] : ends) {
        const std::string& report = wanted_report;
        const octet_vector stream = concat(from_client(1, "one"), from_client(10, "pong"),
                                           from_client(2, "two"), end, from_client(1, "late"));
        for_each_cut_of(stream.size(), [&](const std::vector<std::size_t>& sizes) {
            test_server ws;
            open_server(ws);
            application app(ws);
            feed(app, stream, sizes);
            const lines before_end{"text \"one\"", "pong \"pong\"", "binary 74 77 6F"};
            REQUIRE(app.told == before_end);
            drain(ws);
            ws.end_of_stream();
            app.receive({});
            REQUIRE(app.told.size() == 4);
            CHECK(report_of(ws) == report);
        });
    }
}

TEST_CASE(
    "Taking events is lazy: `in` starts right behind the last one, and the rest is untouched") {
    const std::vector<octet_vector> frames{from_client(1, "one"), from_client(2, "two"),
                                           from_client(10, "three"), from_client(1, "four")};
    octet_vector stream = concat(frames[0], frames[1], frames[2], frames[3]);
    const octet_vector before = stream;
    test_server ws;
    open_server(ws);
    std::span<octet> in = stream;
    std::size_t end = 0;
    lines told;
    for (const octet_vector& frame : frames) {
        for (const event& e : ws.receive(in)) {
            told.push_back(support::line_of(e));
            break;  // early: nothing is lost
        }
        end += frame.size();
        CHECK(in.data() == stream.data() + end);
        CHECK(in.size() == stream.size() - end);
        CHECK(std::equal(in.begin(), in.end(), before.begin() + static_cast<std::ptrdiff_t>(end)));
    }
    CHECK(told == lines{"text \"one\"", "binary 74 77 6F", "pong \"three\"", "text \"four\""});
    CHECK(hear(ws, in).empty());
}

TEST_CASE("receive with nothing in `in` is legal and only resumes") {
    test_server ws;
    for (int i = 0; i < 3; ++i) CHECK(hear(ws).empty());
    CHECK(hear(ws, "GET / HT").empty());
    for (int i = 0; i < 3; ++i) CHECK(hear(ws).empty());
    ws.reset();
    open_server(ws);
    for (int i = 0; i < 3; ++i) CHECK(hear(ws).empty());
    CHECK(hear(ws, support::octets("81 85 37 FA")).empty());
    for (int i = 0; i < 3; ++i) CHECK(hear(ws).empty());
    CHECK(wants_of(ws) == "read");
    CHECK(hear(ws, support::octets("21 3D 7F 9F 4D 51 58")) == lines{"text \"Hello\""});
}

TEST_CASE("A small message is handed out where it lies; a fragmented one from memory of ours") {
    test_server ws;
    open_server(ws);
    octet_vector stream =
        concat(from_client(1, "one"), from_client(1, "tw", false), from_client(0, "o"));
    std::span<octet> in = stream;
    const event one = ws.next(in);
    CHECK(one.kind == event::what::message);
    CHECK(one.first);
    CHECK(one.last);
    CHECK(one.remaining == 0);
    CHECK(one.text() == "one");
    CHECK(one.payload.data() == stream.data() + 6);
    const event two = ws.next(in);
    CHECK(two.text() == "two");
    CHECK(two.first);
    CHECK(two.last);
    CHECK(in.empty());
}

TEST_CASE("A payload is valid until the next event is taken: sending never invalidates it") {
    connection_options options;
    options.answer_pings = false;
    const octet_vector big = octets_of_size(3'000);
    const std::vector<std::pair<std::string, octet_vector>> streams{
        {"whole", support::frame(true, 0, 2, support::client_key, big)},
        {"fragmented", concat(support::frame(false, 0, 2, support::client_key, big),
                              support::frame(true, 0, 0, support::client_key, ""))},
        {"ping", from_client(9, std::string(125, 'p'))},
        {"pong", from_client(10, std::string(125, 'p'))},
    };
    for (const auto& [name, stream] : streams) {
        for (const bool by_target : {false, true}) {
            CAPTURE(name, by_target);
            watched::start();
            test_server ws(options);
            ws.on_time(0);
            open_server(ws);
            octet_vector room(stream.size());
            std::span<const octet> rest = stream;
            std::span<octet> in = room;
            if (by_target) {
                // The header alone first, so that the payload is read where it belongs.
                copy_octets(rest.first(8), room);
                in = std::span(room).first(8);
                CHECK(hear(ws, in).empty());
                rest = rest.subspan(8);
                while (in.empty() && rest.size() > 8) {
                    const std::span<octet> target = ws.read_target(room);
                    in = target.first(copy_octets(rest, target));
                    rest = rest.subspan(in.size());
                    if (rest.size() >= 6) CHECK(hear(ws, in).empty());
                }
                if (name == "fragmented") {
                    copy_octets(rest, room);
                    in = std::span(room).first(rest.size());
                }
            } else {
                copy_octets(rest, room);
            }
            const event e = ws.next(in);
            REQUIRE((e.kind == event::what::message || e.kind == event::what::ping ||
                     e.kind == event::what::pong));
            const octet_vector before(e.payload.begin(), e.payload.end());
            CHECK(before.size() == (e.kind == event::what::message ? 3'000U : 125U));
            for (int i = 0; i < 3; ++i) {
                CHECK(ws.send(message_type::binary, e.payload) == result::done);
                CHECK(ws.send_text("more") == result::done);
                CHECK(ws.ping(e.payload.first(100)) == result::done);
                CHECK(ws.pong(e.payload.first(100)) == result::done);
            }
            CHECK(ws.begin(message_type::binary) == result::done);
            CHECK(ws.append(e.payload, part::more) == result::done);
            CHECK(ws.append(e.payload, part::last) == result::done);
            drain(ws);
            ws.release();
            ws.on_time(2'000);
            ws.release();
            static_cast<void>(ws.read_target(room));
            CHECK(ws.close(1000, "done") == result::done);
            CHECK_FALSE(watched::all.wrong);
            CHECK(octet_vector(e.payload.begin(), e.payload.end()) == before);
        }
    }
}

TEST_CASE("ping is told only with automatic pongs off, and pong answers it") {
    connection_options options;
    options.answer_pings = false;
    test_server by_hand(options);
    open_server(by_hand);
    CHECK(hear(by_hand, from_client(9, "?")) == lines{"ping \"?\""});
    CHECK(drain(by_hand).empty());
    CHECK(by_hand.pong(support::octets("3F")) == result::done);
    CHECK(support::hex(drain(by_hand)) == "8A 01 3F");
    test_server by_itself;
    open_server(by_itself);
    CHECK(hear(by_itself, from_client(9, "?")).empty());
    CHECK(support::hex(drain(by_itself)) == "8A 01 3F");
    CHECK(hear(by_itself, from_client(10, "!")) == lines{"pong \"!\""});
    CHECK(hear(by_itself, from_client(10, "!")) == lines{"pong \"!\""});
}

TEST_CASE("slice instead of message, if options.slices") {
    connection_options options;
    options.slices = true;
    test_server ws(options);
    open_server(ws);
    CHECK(hear(ws, from_client(1, "one")) == lines{"slice first last text \"one\", 0"});
    const octet_vector frame = from_client(2, "Hello", false);
    const std::span<const octet> all(frame);
    CHECK(hear(ws, all.first(6)).empty());
    CHECK(hear(ws, all.subspan(6, 2)) == lines{"slice first binary 48 65, 3"});
    CHECK(hear(ws, all.subspan(8)) == lines{"slice binary 6C 6C 6F, 0"});
    CHECK(hear(ws, from_client(9, "")).empty());
    CHECK(hear(ws, from_client(0, "")) == lines{"slice last binary , 0"});
    CHECK(ws.counters().received.messages == 2);
    CHECK(ws.counters().received.frames == 3);
    // Slices may end inside a code point, and a good prefix is told in front of the bad octet.
    CHECK(hear(ws, from_client(1, "\xC3", false)) == lines{"slice first text \"\\xC3\", 0"});
    CHECK(hear(ws, from_client(0, "\xA9..\xFF..")) == lines{"slice text \"\\xA9..\", 3"});
    CHECK(support::hex(drain(ws)) == "8A 00 88 02 03 EF");
    CHECK(ws.report().fault->broken == rule::bad_text);
    // Slices are never kept.
    octet_vector room(100);
    CHECK(ws.read_target(room).data() == room.data());
}

TEST_CASE("The fault is at the octet that broke the rule, counted from 0 over the whole stream") {
    for (const std::size_t in_front : {0U, 1U, 3U}) {
        test_server ws;
        open_server(ws);
        octet_vector stream;
        for (std::size_t i = 0; i < in_front; ++i) stream = concat(stream, from_client(1, "x"));
        hear(ws, concat(stream, support::octets("81 05")));
        REQUIRE(ws.report().fault.has_value());
        CHECK(ws.report().fault->broken == rule::unmasked_frame);
        CHECK(ws.report().fault->at == support::good_request.size() + stream.size() + 1);
    }
    test_server ws;
    hear(ws, "GET / HTTP/1.1\r\n :\r\n");
    CHECK(ws.report().fault == violation{rule::bad_field, 16});
}

// ---- limits and memory ----

TEST_CASE("A message of exactly the limit passes, and one more is 1009 at the header") {
    connection_options options;
    options.limit.message = 1'000;
    for (const bool whole : {true, false}) {
        test_server ws(options);
        open_server(ws);
        const octet_vector good =
            support::frame(true, 0, 2, support::client_key, octets_of_size(1'000));
        const octet_vector bad =
            support::frame(true, 0, 2, support::client_key, octets_of_size(1'001));
        if (whole) {
            CHECK(hear(ws, good).size() == 1);
            CHECK(hear(ws, bad).empty());
        } else {
            lines told;
            for (const octet& o : good) told = both(told, hear(ws, std::span(&o, 1)));
            CHECK(told.size() == 1);
            watched::start();
            CHECK(hear(ws, std::span(bad).first(3)).empty());
            CHECK(drain(ws).empty());
            CHECK(hear(ws, std::span(bad).first(4).subspan(3)).empty());
        }
        CHECK(support::hex(drain(ws)) == "88 02 03 F1");
        CHECK(ws.report().fault->broken == rule::large_message);
    }
}

TEST_CASE("The effective limits of a fixed storage hold at the header, wherever the message lies") {
    using small = fixed<capacity{.message = 300, .output = 500}>;
    connection_options options;
    options.limit.message = 1'000;
    for (const bool whole : {true, false}) {
        support::server<small> ws(options);
        open_server(ws);
        const octet_vector good =
            support::frame(true, 0, 2, support::client_key, octets_of_size(300));
        const octet_vector bad =
            support::frame(true, 0, 2, support::client_key, octets_of_size(301));
        lines told;
        if (whole) told = hear(ws, good);
        if (!whole) {
            for (const octet& o : good) told = both(told, hear(ws, std::span(&o, 1)));
        }
        CHECK(told.size() == 1);
        CHECK(hear(ws, std::span(bad).first(whole ? bad.size() : 4)).empty());
        CHECK(support::hex(drain(ws)) == "88 02 03 F1");
    }
    // And a smaller limit than the capacity counts as well.
    options.limit.message = 200;
    support::server<small> ws(options);
    open_server(ws);
    CHECK(hear(ws, support::octets("82 FE 00 C9")).empty());
    CHECK(support::hex(drain(ws)) == "88 02 03 F1");
    // A head has to fit, too.
    support::server<small> other;
    CHECK(hear(other, "GET / HTTP/1.1\r\nX: " + std::string(279, 'x')).empty());
    CHECK(other.counters().sent == traffic{});
    CHECK(other.wants().read);
    CHECK(hear(other, "xx").empty());
    CHECK(support::parse_response(support::drain_text(other)).status == 431);
}

TEST_CASE("27 both ends on fixed storage hold a whole conversation without a single allocation") {
    const octet_vector request = support::octets_of_text(support::good_request);
    const octet_vector frames =
        concat(from_client(1, "half ", false), from_client(9, "?"), from_client(0, "and half"),
               from_client(2, "whole"), client_close());
    octet_vector from_us;
    from_us.reserve(1000);
    octet_vector stream = concat(request, frames);
    const support::heap_watch watch;
    {
        support::server<fixed<>> ws;
        ws.on_time(0);
        std::span<octet> in = stream;
        while (!ws.finished()) {
            for (const event& e : ws.receive(in)) {
                auto answer = result::done;
                if (e.kind == event::what::request) answer = ws.accept();
                if (e.kind == event::what::message) answer = ws.send(e.type, e.payload);
                if (answer != result::done) ws.abort();
            }
            for (auto out = ws.output(); !out.empty(); out = ws.output()) {
                from_us.insert(from_us.end(), out.begin(), out.end());
                ws.written(out.size());
            }
            ws.on_time(5'000);
        }
        if (!ws.report().clean) from_us.clear();
    }
    const std::size_t allocations = watch.count();
    CHECK(allocations == 0);
    CHECK(support::to_string(from_us) ==
          support::good_response + "\x8A\x01?\x81\x0Dhalf and half\x82\x05whole\x88\x02\x03\xE8");

    counted_keys keys;
    std::string asked(1000, ' ');
    const support::heap_watch second;
    support::client<fixed<>> client(keys);
    const result opened = client.open({.host = "example.com", .protocols = "chat"});
    const auto run = client.output();
    std::copy(run.begin(), run.end(), asked.begin());
    const std::size_t size = run.size();
    client.written(size);
    CHECK(second.count() == 0);
    CHECK(opened == result::done);
    asked.resize(size);
    octet_vector answer = concat(
        support::octets_of_text(support::response_to(asked, "Sec-WebSocket-Protocol: chat\r\n")),
        from_server(1, "half ", false), from_server(0, "and half"), server_close());
    std::array<event::what, 10> kinds{};
    std::size_t count = 0;
    const support::heap_watch third;
    for (octet& o : answer) {
        std::span<octet> in(&o, 1);
        for (const event& e : client.receive(in)) kinds.at(count++) = e.kind;
    }
    CHECK(third.count() == 0);
    CHECK(count == 2);
    CHECK(kinds[0] == event::what::open);
    CHECK(kinds[1] == event::what::message);
}

TEST_CASE("L5 28 memory is reserved by what is asked to read, never by what a header declares") {
    if constexpr (sizeof(std::size_t) > 4) {
        watched::start();
        connection_options options;
        options.limit.message = std::size_t{1} << 41U;
        test_server ws(options);
        open_server(ws);
        ws.release();
        CHECK(hear(ws, support::octets("82 FF 00 00 01 00 00 00 00 00 | 00 00 00 00")).empty());
        CHECK(watched::all.held == 0);
        octet_vector room(16'384);
        const std::span<octet> target = ws.read_target(room);
        CHECK(target.size() == 16'384);
        CHECK(target.data() != room.data());
        CHECK(watched::all.held <= 2 * 16'384);
        for (int i = 0; i < 64; ++i) {
            const std::span<octet> next = ws.read_target(std::span(room).first(100));
            CHECK(next.size() == 100);
            std::span<octet> in = next;
            CHECK(hear(ws, in).empty());
        }
        CHECK(watched::all.held <= 2 * 16'384);
    }
}

// ---- read_target ----

TEST_CASE("read_target is room itself for heads, control frames, and between frames") {
    octet_vector room(100);
    const auto is_room = [&](connection& ws) {
        const std::span<octet> target = ws.read_target(room);
        return target.data() == room.data() && target.size() == room.size();
    };
    test_server ws;
    CHECK(is_room(ws));
    CHECK(hear(ws, std::string_view(support::good_request).substr(0, 20)).empty());
    CHECK(is_room(ws));
    CHECK(hear(ws, std::string_view(support::good_request).substr(20)) == lines{"request"});
    CHECK(is_room(ws));
    CHECK(ws.accept() == result::done);
    CHECK(is_room(ws));
    CHECK(hear(ws) == lines{"open"});
    CHECK(is_room(ws));
    const octet_vector ping = from_client(9, "Hello");
    for (const octet& o : ping) {
        CHECK(hear(ws, std::span(&o, 1)).empty());
        CHECK(is_room(ws));
    }
    const octet_vector hello = from_client(2, "Hello");
    CHECK(hear(ws, std::span(hello).first(5)).empty());  // not all of the key yet
    CHECK(is_room(ws));
    CHECK(hear(ws, support::octets("3D")).empty());
    CHECK_FALSE(is_room(ws));
    CHECK(ws.read_target({}).empty());
    CHECK(hear(ws, std::span(hello).subspan(6)).size() == 1);
    CHECK(is_room(ws));
    CHECK(hear(ws, from_client(1, "x", false)).empty());
    CHECK(is_room(ws));
    ws.abort();
    CHECK(is_room(ws));
}

TEST_CASE("read_target is never longer than what the open frame lacks, nor than room") {
    test_server ws;
    open_server(ws);
    octet_vector room(100);
    const octet_vector frame =
        support::frame(true, 0, 2, support::client_key, octets_of_size(1'000));
    CHECK(hear(ws, std::span(frame).first(8)).empty());
    std::size_t sent = 8;
    const octet* last_end = nullptr;
    for (const std::size_t size : {1U, 7U, 50U, 99U, 100U}) {
        const std::span<octet> target = ws.read_target(std::span(room).first(size));
        CHECK(target.size() == size);
        CHECK(ws.read_target(std::span(room).first(size)).data() == target.data());  // stays put
        if (last_end != nullptr && size < 50) CHECK(target.data() == last_end);
        copy_octets(std::span(frame).subspan(sent, size), target);
        std::span<octet> in = target;
        CHECK(hear(ws, in).empty());
        CHECK(in.empty());
        sent += size;
        last_end = target.data() + size;
    }
    octet_vector large(5'000);
    const std::span<octet> target = ws.read_target(large);
    CHECK(target.size() == frame.size() - sent);
    CHECK(target.data() != large.data());
    copy_octets(std::span(frame).subspan(sent), target);
    std::span<octet> in = target;
    const event e = ws.next(in);
    CHECK(e.kind == event::what::message);
    CHECK(octet_vector(e.payload.begin(), e.payload.end()) == octets_of_size(1'000));
}

TEST_CASE("A payload that was read into its place is not copied") {
    watched::start();
    test_server ws;
    open_server(ws);
    const octet_vector frame =
        support::frame(true, 0, 2, support::client_key, octets_of_size(5'000));
    CHECK(hear(ws, std::span(frame).first(8)).empty());
    octet_vector room(5'000);
    const std::size_t takes = watched::all.takes;
    const std::span<octet> target = ws.read_target(room);
    copy_octets(std::span(frame).subspan(8), target);
    SECTION("at once") {
        std::span<octet> in = target;
        const event e = ws.next(in);
        CHECK(e.payload.data() == target.data());
        CHECK(e.payload.size() == 5'000);
    }
    SECTION("in two parts of it") {
        std::span<octet> in = target.first(2'000);
        CHECK(hear(ws, in).empty());
        CHECK(ws.read_target(room).data() == target.data() + 2'000);
        in = target.subspan(2'000);
        const event e = ws.next(in);
        CHECK(e.payload.data() == target.data());
        CHECK(octet_vector(e.payload.begin(), e.payload.end()) == octets_of_size(5'000));
    }
    SECTION("and all else may be called meanwhile") {
        CHECK(ws.send_binary(octets_of_size(10'000)) == result::done);
        ws.on_time(0);
        ws.on_time(10'000);
        ws.release();
        CHECK(ws.ping() == result::done);
        drain(ws);
        std::span<octet> in = target;
        const event e = ws.next(in);
        CHECK(octet_vector(e.payload.begin(), e.payload.end()) == octets_of_size(5'000));
        return;
    }
    CHECK(watched::all.takes == takes + 1);
}

TEST_CASE("Without memory, read_target is room, and the message fails as it would have") {
    watched::start();
    test_server ws;
    open_server(ws);
    ws.release();
    const support::no_memory none;
    const octet_vector frame = from_client(2, "Hello");
    CHECK(hear(ws, std::span(frame).first(6)).empty());
    octet_vector room(100);
    CHECK(ws.read_target(room).data() == room.data());
    CHECK(hear(ws, std::span(frame).subspan(6)) == lines{"binary 48 65 6C 6C 6F"});  // needs none
}

namespace {

// Receives a stream as a loop does that reads up to so much at once, into read_target() or not.
lines receive_all(connection& ws, std::span<const octet> stream, std::size_t most, bool by_target) {
    octet_vector room(most);
    lines told;
    while (!stream.empty() && !ws.finished()) {
        const std::span<octet> target = by_target ? ws.read_target(room) : std::span<octet>(room);
        std::span<octet> in = target.first(copy_octets(stream, target));
        stream = stream.subspan(in.size());
        while (!in.empty() && !ws.finished()) {
            told = both(told, hear(ws, in));
            drain(ws);
        }
    }
    ws.end_of_stream();
    return both(told, hear(ws));
}

}  // namespace

TEST_CASE("S1 messages of 1 MiB in reads of 16 KiB are the same by read_target as without") {
    connection_options options;
    const std::size_t mebibyte = std::size_t{1} << 20U;
    const octet_vector payload = octets_of_size(mebibyte);
    std::string text;
    while (text.size() + 4 <= 50'000) text += "a\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E";
    const std::span<const octet> all(payload);
    const auto part_of = [&](std::size_t begin, std::size_t end, int op, bool fin) {
        return support::frame(fin, 0, op, support::client_key, all.first(end).subspan(begin));
    };
    const octet_vector stream = concat(
        part_of(0, mebibyte, 2, true), part_of(0, 100, 2, false), from_client(9, "between"),
        part_of(100, 400'000, 0, false), from_client(10, "?"), part_of(400'000, 400'000, 0, false),
        part_of(400'000, mebibyte, 0, true), from_client(1, text),
        from_client(1, text.substr(0, 2), false), from_client(0, text.substr(2, 30'001), false),
        from_client(9, ""), from_client(0, text.substr(30'003)), from_client(1, "end"));
    test_server plain(options);
    open_server(plain);
    const lines wanted = receive_all(plain, stream, stream.size(), false);
    CHECK(wanted.size() == 7);
    CHECK(wanted[0] == support::summary(payload));
    for (const std::size_t most : {16'384U, 4'099U, 1'000'000U}) {
        for (const bool by_target : {true, false}) {
            test_server ws(options);
            open_server(ws);
            CHECK(receive_all(ws, stream, most, by_target) == wanted);
            CHECK(ws.counters().received.octets == support::good_request.size() + stream.size());
            CHECK(ws.counters().received == plain.counters().received);
        }
    }
}

TEST_CASE("S1 S3 1 random streams tell the same however they are cut, and however they are read") {
    std::mt19937_64 random(6455);
    const int runs = support::short_effort() ? 60 : 400;
    for (int run = 0; run < runs; ++run) {
        reference::options agreed;
        agreed.message_limit = 2'000;
        connection_options options;
        options.limit.message = 2'000;
        const std::string made = reference::random_stream(random, agreed);
        const octet_vector stream(made.begin(), made.end());
        test_server whole(options);
        open_server(whole);
        const lines wanted = receive_all(whole, stream, stream.size() + 1, false);
        for (const std::size_t most : {1U, 2U, 7U, 100U}) {
            for (const bool by_target : {false, true}) {
                test_server ws(options);
                open_server(ws);
                REQUIRE(receive_all(ws, stream, most, by_target) == wanted);
                CHECK(report_of(ws) == report_of(whole));
                CHECK(ws.counters().received.messages == whole.counters().received.messages);
                CHECK(ws.counters().received.frames == whole.counters().received.frames);
                CHECK(ws.counters().received.control == whole.counters().received.control);
                CHECK(ws.counters().sent == whole.counters().sent);
            }
        }
    }
}

// ---- no memory ----

TEST_CASE("Refused memory is 1011 while receiving") {
    watched::start();
    {
        test_server ws;
        open_server(ws);
        ws.release();
        CHECK(ws.send_text("keeps the output's memory") == result::done);
        const support::no_memory none;
        CHECK(hear(ws, from_client(1, "in ", false)).empty());
        CHECK(support::hex(drain(ws)).ends_with("88 02 03 F3"));
        CHECK(wants_of(ws) == "read half_close");
        ws.end_of_stream();
        CHECK(hear(ws) == lines{"closed 1006"});
        CHECK(report_of(ws) == "no_memory, began us, sent 1011, received 1006");
    }
    CHECK(watched::all.held == 0);
}

TEST_CASE("Without memory at any one take, or from it on, all is clean and given back") {
    const octet_vector stream =
        concat(support::octets_of_text(support::good_request), from_client(1, "half ", false),
               from_client(9, "?"), from_client(0, std::string(600, 'x')), from_client(2, "whole"),
               client_close());
    bool stays = false;
    for (std::size_t fail = 0; fail <= 60; ++fail) {
        for (const bool for_ever : {false, true}) {
            CAPTURE(fail, for_ever);
            watched::start();
            {
                const support::no_memory none(for_ever ? SIZE_MAX : 1, fail);
                test_server ws;
                ws.on_time(0);
                std::size_t closed = 0;
                std::span<const octet> rest = stream;
                milliseconds now = 0;
                for (int turn = 0; turn < 2'000 && !ws.finished(); ++turn) {
                    now += 10;
                    ws.on_time(now);
                    octet piece = 0;
                    std::span<octet> in(&piece, 1);
                    const bool reads = ws.wants().read && !rest.empty();
                    if (ws.wants().read && rest.empty()) ws.end_of_stream();
                    if (reads) piece = rest.front();
                    if (!reads) in = {};
                    if (reads) rest = rest.subspan(1);
                    for (const event& e : ws.receive(in)) {
                        closed += e.kind == event::what::closed ? 1U : 0U;
                        result answer = result::done;
                        if (e.kind == event::what::request) answer = ws.accept();
                        if (e.kind == event::what::message) answer = ws.send(e.type, e.payload);
                        if (answer != result::done) {
                            CHECK(answer == result::full);
                            ws.abort();
                        }
                    }
                    drain(ws);
                }
                CHECK(ws.finished());
                CHECK(closed == 1);
                stays = ws.report().clean;
            }
            CHECK(watched::all.held == 0);
            CHECK_FALSE(watched::all.wrong);
        }
    }
    CHECK(stays);  // the last of them no longer met a take that failed
}

// ---- sending ----

TEST_CASE("counters: frames, messages, control frames and octets, both ways") {
    test_server ws;
    open_server(ws);
    CHECK(ws.counters().received == traffic{.octets = support::good_request.size()});
    CHECK(ws.counters().sent == traffic{.octets = support::good_response.size()});
    std::size_t octets = support::good_response.size();
    const auto check_sent = [&](std::uint64_t frames, std::uint64_t messages,
                                std::uint64_t control) {
        octets += drain(ws).size();
        CHECK(ws.counters().sent == traffic{octets, frames, messages, control});
    };
    CHECK(ws.send_text("one") == result::done);
    check_sent(1, 1, 0);
    CHECK(ws.begin(message_type::binary) == result::done);
    check_sent(1, 1, 0);
    CHECK(ws.append(octets_of_size(3), part::more) == result::done);
    check_sent(2, 1, 0);
    CHECK(ws.append(octets_of_size(3), part::last) == result::done);
    check_sent(3, 2, 0);
    CHECK(ws.begin(message_type::binary, 5) == result::done);
    check_sent(4, 2, 0);
    CHECK(ws.append(octets_of_size(5), part::last) == result::done);
    check_sent(4, 3, 0);
    CHECK(ws.ping() == result::done);
    check_sent(4, 3, 1);
    octet_vector lent(9);
    CHECK(ws.begin(message_type::binary, 9) == result::done);
    CHECK(ws.lend(std::span(lent), part::last) == result::done);
    check_sent(5, 4, 1);
    CHECK(ws.close() == result::done);
    check_sent(5, 4, 2);
}

TEST_CASE("23 after our Close nothing leaves, and what arrives meanwhile is still delivered") {
    test_server ws;
    open_server(ws);
    CHECK(ws.close(1001) == result::done);
    CHECK(hear(ws, concat(from_client(1, "late"), from_client(9, "?"), from_client(10, "!"))) ==
          lines{"text \"late\"", "pong \"!\""});
    CHECK(support::hex(drain(ws)) == "88 02 03 E9");
    CHECK(hear(ws, from_client(9, "?")).empty());
    CHECK(drain(ws).empty());
    CHECK(hear(ws, concat(client_close(1000), from_client(1, "ignored"))) == lines{"closed 1000"});
    CHECK(drain(ws).empty());
}

TEST_CASE("C1 28 a million pings from a peer that never reads take constant memory") {
    const int pings = support::short_effort() ? 100'000 : 1'000'000;
    counted_keys keys;
    const auto flood = [&](connection& ws, std::optional<masking_key> key) {
        octet_vector frame = support::frame(true, 0, 9, key, std::string(125, 'p'));
        const std::size_t header = frame.size() - 125;
        std::size_t most = 0;
        for (int i = 0; i < pings; ++i) {
            octet_vector copy = frame;
            std::array<octet, 4> number{};
            store_network(static_cast<std::uint64_t>(i), number);
            for (std::size_t at = 0; at < 4; ++at) {
                copy[header + at] = number[at] ^ (key ? key->octets[at] : octet{0});
            }
            std::span<octet> in = copy;
            if (ws.next(in).kind != event::what::nothing || !in.empty()) FAIL("an event");
            if (i == 1'000) most = watched::all.most_held;
            if (i > 1'000 && watched::all.most_held != most) FAIL("more memory");
        }
        CHECK(ws.pending() <= 4'096);
        CHECK(ws.pending() > 2'048);
        CHECK(most <= 2 * 8'192);
        const octet_vector sent = drain(ws);
        // The newest is still to come, now that there is room.
        std::array<octet, 4> number{};
        store_network(static_cast<std::uint64_t>(pings) - 1, number);
        const octet_vector last(sent.end() - 125, sent.end());
        return std::pair(last, number);
    };
    watched::start();
    test_server server;
    open_server(server);
    const auto [last, number] = flood(server, support::client_key);
    CHECK(std::equal(number.begin(), number.end(), last.begin()));
    watched::start();
    test_client client(keys);
    open_client(client);
    flood(client, std::nullopt);
}

// ---- every call in every state ----

namespace {

using action = std::function<void(test_server&)>;

octet_vector& lent_memory() {
    static octet_vector memory = octets_of_size(8);
    return memory;
}

// Everything that an application may do.
const std::vector<std::pair<std::string, action>> actions{
    {"accept", [](test_server& ws) { static_cast<void>(ws.accept()); }},
    {"reject", [](test_server& ws) { static_cast<void>(ws.reject()); }},
    {"respond", [](test_server& ws) { static_cast<void>(ws.respond(200)); }},
    {"send_text", [](test_server& ws) { static_cast<void>(ws.send_text("text")); }},
    {"send_binary",
     [](test_server& ws) { static_cast<void>(ws.send_binary(octets_of_size(200))); }},
    {"begin", [](test_server& ws) { static_cast<void>(ws.begin(message_type::text)); }},
    {"begin 8", [](test_server& ws) { static_cast<void>(ws.begin(message_type::text, 8)); }},
    {"append more",
     [](test_server& ws) { static_cast<void>(ws.append(octets_of_size(4), part::more)); }},
    {"append last",
     [](test_server& ws) { static_cast<void>(ws.append(octets_of_size(4), part::last)); }},
    {"lend",
     [](test_server& ws) { static_cast<void>(ws.lend(std::span(lent_memory()), part::last)); }},
    {"lend plain",
     [](test_server& ws) {
         static_cast<void>(ws.lend(std::span<const octet>(lent_memory()), part::more));
     }},
    {"ping", [](test_server& ws) { static_cast<void>(ws.ping()); }},
    {"pong", [](test_server& ws) { static_cast<void>(ws.pong({})); }},
    {"close", [](test_server& ws) { static_cast<void>(ws.close()); }},
    {"abort", [](test_server& ws) { ws.abort(); }},
    {"end_of_stream", [](test_server& ws) { ws.end_of_stream(); }},
    {"output", [](test_server& ws) { static_cast<void>(ws.output()); }},
    {"gather", [](test_server& ws) { static_cast<void>(ws.output_gather()); }},
    {"written", [](test_server& ws) { ws.written(1); }},
    {"drain", [](test_server& ws) { drain(ws); }},
    {"on_time", [](test_server& ws) { ws.on_time(ws.deadline() == never ? 0 : ws.deadline()); }},
    {"release", [](test_server& ws) { ws.release(); }},
    {"room", [](test_server& ws) { static_cast<void>(ws.room()); }},
    {"request", [](test_server& ws) { static_cast<void>(ws.request()); }},
    {"read_target",
     [](test_server& ws) {
         static octet_vector room(64);
         static_cast<void>(ws.read_target(room));
     }},
    {"reset", [](test_server& ws) { ws.reset(); }},
};

// What holds whatever has been done. `wants().events` promises an event to whoever receives
// nothing: no loop may spin on it.
void check_promises(test_server& ws) {
    const wants now = ws.wants();
    const bool has_output = !ws.output().empty();
    if (now.write != has_output) FAIL("write without output, or output without write");
    if (now.ending == ending::drop && ws.report().why == cause::nothing) FAIL("drop, and no cause");
    if (ws.finished() && (now.events || now.read || now.write)) FAIL("wants something at the end");
}

// Takes one event where one is promised.
void check_event(test_server& ws) {
    const bool promised = ws.wants().events;
    std::span<octet> in;
    const event e = ws.next(in);
    const bool came = e.kind != event::what::nothing;
    // That memory is lacking, or that nobody answered, may turn out only now.
    const cause why = ws.report().why;
    const bool turned_out = why == cause::no_memory || why == cause::refused;
    if (promised != came && !(came && turned_out)) {
        FAIL("promised " << promised << ", came " << support::line_of(e) << ", then wants "
                         << wants_of(ws) << " and reports " << report_of(ws));
    }
}

}  // namespace

TEST_CASE("41 A1 every call inside every event, and in every state") {
    const octet_vector opened = support::octets_of_text(support::good_request);
    const octet_vector frames =
        concat(from_client(1, "one"), from_client(9, "?"), from_client(10, "!"),
               from_client(2, "t", false), from_client(0, "wo"), client_close());
    for (const auto& [name, act] : actions) {
        for (std::size_t at = 0; at < 12; ++at) {
            for (const auto& [second_name, second] : actions) {
                CAPTURE(name, at, second_name);
                watched::start();
                {
                    test_server ws;
                    ws.on_time(0);
                    const octet_vector all = concat(opened, frames);
                    const exact stream{all};
                    std::span<octet> in = stream.span();
                    std::size_t events = 0;
                    std::size_t closed = 0;
                    for (int turn = 0; turn < 20 && !ws.finished(); ++turn) {
                        for (const event& e : ws.receive(in)) {
                            const octet_vector payload(e.payload.begin(), e.payload.end());
                            if (e.kind == event::what::closed) ++closed;
                            if (events++ == at) {
                                act(ws);
                                second(ws);
                                if (name != "reset" && second_name != "reset") {
                                    REQUIRE(octet_vector(e.payload.begin(), e.payload.end()) ==
                                            payload);
                                }
                            }
                            if (e.kind == event::what::request) static_cast<void>(ws.accept());
                            check_promises(ws);
                        }
                        if (turn > 5) ws.end_of_stream();
                        check_promises(ws);
                        drain(ws);
                    }
                    CHECK(closed <= 2);  // one, and one after a reset
                }
                REQUIRE(watched::all.held == 0);
                REQUIRE_FALSE(watched::all.wrong);
            }
        }
    }
}

TEST_CASE("wants().events promises an event: no adapter can spin, in random runs") {
    std::mt19937_64 random(35);
    const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
    const std::vector<octet_vector> pieces{
        support::octets_of_text(support::good_request),
        support::octets_of_text("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        support::octets_of_text("GET / HT"),
        from_client(1, "one"),
        from_client(9, "?"),
        from_client(10, "!"),
        from_client(1, "open", false),
        from_client(0, "end"),
        support::octets("82 85 00000000 41 42"),
        support::octets("43 44 45"),
        client_close(),
        support::octets("FF"),
    };
    const int runs = support::short_effort() ? 2'000 : 20'000;
    for (int run = 0; run < runs; ++run) {
        connection_options options;
        options.limit.message = 300;
        options.limit.high = 300 + below(3) * 300;
        options.limit.low = below(300);
        options.slices = below(4) == 0;
        options.answer_pings = below(4) != 0;
        options.time.idle = below(2) == 0 ? never : 50'000;
        watched::start();
        const std::size_t failures = below(4) == 0 ? 1 + below(9) : 0;
        const support::no_memory none(failures, below(8));
        test_server ws(options);
        std::span<octet> in;
        octet_vector memory;
        milliseconds now = 0;
        if (below(4) != 0) {
            memory = pieces[0];
            in = memory;
            hear(ws, in);
            static_cast<void>(ws.accept());
        }
        std::size_t closed = ws.finished() ? 1 : 0;
        const std::size_t steps = 5 + below(40);
        for (std::size_t step = 0; step < steps; ++step) {
            const std::size_t what = below(8);
            if (what == 0) {
                now += static_cast<milliseconds>(below(40'000));
                ws.on_time(now);
            } else if (what <= 3 && in.empty() && ws.wants().read) {
                memory = pieces[below(pieces.size())];
                in = memory;
                while (!in.empty()) {
                    const std::size_t before = in.size();
                    const event e = ws.next(in);
                    if (e.kind == event::what::closed) ++closed;
                    if (e.kind == event::what::nothing && in.size() == before) break;
                    check_promises(ws);
                }
            } else {
                const std::size_t chosen = below(actions.size() - 1);  // but not reset
                const std::string& name = actions[chosen].first;
                if ((name == "end_of_stream" || name == "abort") && below(8) != 0) continue;
                actions[chosen].second(ws);
            }
            check_promises(ws);
            if (in.empty() && !ws.finished()) {
                check_event(ws);
                if (ws.finished()) ++closed;
            }
        }
        REQUIRE(closed <= 1);
        REQUIRE(closed == (ws.finished() ? 1U : 0U));
    }
}

// ---- in constant evaluation ----

namespace {

// A server with this storage hears a whole conversation, octet by octet or at once, and answers.
template <class Storage>
constexpr bool converses(std::size_t most) {
    constexpr auto request = support::literal(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    constexpr std::array<octet, 32> frames{
        0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,  // 5.7: "Hello"
        0x02, 0x81, 0,    0,    0,    0,    1,                             // a fragment
        0x80, 0x81, 0,    0,    0,    0,    2,                             // and the last
        0x88, 0x81, 0,    0,    0,    0,    0,                             // a Close of 1 octet
    };
    constexpr auto answer = support::literal(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        "\x81\x05Hello\x82\x02\x01\x02\x81\x03"
        "end\x88\x02\x03\xEA");
    std::array<octet, request.size() + frames.size()> stream{};
    copy_octets(request, stream);
    copy_octets(frames, std::span(stream).subspan(request.size()));
    std::array<octet, answer.size()> sent{};
    std::size_t size = 0;
    std::size_t messages = 0;
    bool good = true;

    basic_server<Storage> ws;
    ws.on_time(0);
    std::span<octet> rest = stream;
    std::span<octet> in;
    while (!ws.finished()) {
        if (in.empty() && ws.wants().read) {
            const std::size_t count = most < rest.size() ? most : rest.size();
            in = rest.first(count);
            rest = rest.subspan(count);
            if (count == 0) ws.end_of_stream();
        }
        for (const event& e : ws.receive(in)) {
            if (e.kind == event::what::request) good = good && ws.accept() == result::done;
            if (e.kind != event::what::message) continue;
            good = good && ws.send(e.type, e.payload) == result::done;
            if (++messages == 2) good = good && ws.send_text("end") == result::done;
        }
        while (!ws.output().empty()) {
            const std::span<const octet> out = ws.output();
            size += copy_octets(out, std::span(sent).subspan(size));
            ws.written(out.size());
        }
    }
    return good && sent == answer && size == answer.size() &&
           ws.report().fault->broken == rule::short_close;
}

static_assert(converses<fixed<capacity{.message = 256, .output = 600}>>(1'000));
static_assert(converses<heap>(1'000));
static_assert(converses<heap>(40));

}  // namespace

TEST_CASE("The same conversation holds at run time") {
    watched::start();
    for (const std::size_t most : {1U, 2U, 40U, 1'000U}) {
        CHECK(converses<heap>(most));
        CHECK(converses<fixed<>>(most));
        CHECK(converses<watched>(most));
    }
}
