// What a connection waits for, what leaves it, and everything that can end it.

#include <sockless/lifetime.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/connections.hpp"
#include "support/heap_watch.hpp"

namespace {

using namespace sockless;
using support::both;
using support::client_close;
using support::counted_keys;
using support::drain;
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

const octet_vector reserved_bits = support::octets("F1 80 00000000");

// Whatever comes now, nothing is told, and nothing changes.
template <class Connection>
void check_that_it_is_over(Connection& ws) {
    CHECK(ws.finished());
    CHECK(wants_of(ws) == "drop");
    const std::string report = report_of(ws);
    const counters before = ws.counters();
    octet_vector more = from_client(1, "more");
    std::span<octet> in = more;
    CHECK(hear(ws, in).empty());
    CHECK(hear(ws).empty());
    CHECK(more == from_client(1, "more"));
    ws.end_of_stream();
    ws.end_of_stream();
    ws.abort();
    ws.written(1);
    ws.on_time(1'000'000'000);
    CHECK(ws.send_text("more") == result::not_open);
    CHECK(ws.close() == result::not_open);
    CHECK(ws.ping() == result::not_open);
    CHECK(ws.pong({}) == result::not_open);
    CHECK(ws.begin(message_type::text) == result::not_open);
    CHECK(ws.begin(message_type::text, 5) == result::not_open);
    CHECK(ws.append({}, part::last) == result::not_open);
    CHECK(ws.lend(std::span<octet>{}, part::last) == result::not_open);
    CHECK(ws.output().empty());
    CHECK(ws.room() == 0);
    CHECK(ws.pending() == 0);
    CHECK(hear(ws).empty());
    CHECK(wants_of(ws) == "drop");
    CHECK(report_of(ws) == report);
    CHECK(ws.counters() == before);
}

struct ending_case {
    std::string name;
    std::function<lines(test_server&)> run;  // from a fresh one to `closed`
    std::string report;
};

lines opened(test_server& ws, const octet_vector& received = {}) {
    open_server(ws);
    return received.empty() ? lines{} : hear(ws, received);
}

// All ways in which a server's connection comes to an end.
const std::vector<ending_case> endings{
    {"we close",
     [](test_server& ws) {
         open_server(ws);
         CHECK(ws.close(1001, "bye") == result::done);
         CHECK(support::hex(drain(ws)) == "88 05 03 E9 62 79 65");
         return hear(ws, client_close(1001));
     },
     "closed clean, began us, sent 1001, received 1001"},
    {"the peer closes",
     [](test_server& ws) {
         lines told = opened(ws, client_close(4000));
         CHECK(support::hex(drain(ws)) == "88 02 0F A0");
         return both(told, hear(ws));
     },
     "closed clean, began peer, sent 4000, received 4000"},
    {"the peer closes without a code",
     [](test_server& ws) {
         lines told = opened(ws, from_client(8, ""));
         CHECK(support::hex(drain(ws)) == "88 00");
         return both(told, hear(ws));
     },
     "closed clean, began peer, sent 1005, received 1005"},
    {"both close at once",
     [](test_server& ws) {
         open_server(ws);
         CHECK(ws.close(1001) == result::done);
         lines told = hear(ws, client_close(1000));
         CHECK(support::hex(drain(ws)) == "88 02 03 E9");
         return both(told, hear(ws));
     },
     "closed clean, began us, sent 1001, received 1000"},
    {"a violation, and the end of the stream",
     [](test_server& ws) {
         lines told = opened(ws, reserved_bits);
         CHECK(support::hex(drain(ws)) == "88 02 03 EA");
         CHECK(wants_of(ws) == "read half_close");
         ws.end_of_stream();
         return both(told, hear(ws));
     },
     "violation, began us, sent 1002, received 1006, reserved_bits"},
    {"a violation, and nothing more",
     [](test_server& ws) {
         ws.on_time(0);
         lines told = opened(ws, reserved_bits);
         drain(ws);
         ws.on_time(9'999);
         told = both(told, hear(ws));
         CHECK_FALSE(ws.finished());
         ws.on_time(10'000);
         return both(told, hear(ws));
     },
     "violation, began us, sent 1002, received 1006, reserved_bits"},
    {"a violation behind our Close",
     [](test_server& ws) {
         open_server(ws);
         CHECK(ws.close(1001) == result::done);
         drain(ws);
         lines told = hear(ws, reserved_bits);
         CHECK(drain(ws).empty());
         ws.end_of_stream();
         return both(told, hear(ws));
     },
     "violation, began us, sent 1001, received 1006, reserved_bits"},
    {"the stream ends before anything came",
     [](test_server& ws) {
         ws.end_of_stream();
         return hear(ws);
     },
     "end, began nobody, received 1006"},
    {"the stream ends in the head",
     [](test_server& ws) {
         lines told = hear(ws, "GET / HTTP/1.1\r\nHos");
         ws.end_of_stream();
         return both(told, hear(ws));
     },
     "end, began nobody, received 1006"},
    {"the stream ends while the answer is awaited",
     [](test_server& ws) {
         CHECK(hear(ws, support::good_request) == lines{"request"});
         ws.end_of_stream();
         return hear(ws);
     },
     "end, began nobody, received 1006"},
    {"the stream ends while it is open",
     [](test_server& ws) {
         open_server(ws);
         ws.end_of_stream();
         return hear(ws);
     },
     "end, began nobody, received 1006"},
    {"the stream ends in a frame",
     [](test_server& ws) {
         lines told = opened(ws, support::octets("81 85 37 FA 21 3D 7F"));
         ws.end_of_stream();
         return both(told, hear(ws));
     },
     "end, began nobody, received 1006"},
    {"the stream ends behind our Close",
     [](test_server& ws) {
         open_server(ws);
         CHECK(ws.close() == result::done);
         drain(ws);
         ws.end_of_stream();
         return hear(ws);
     },
     "end, began us, sent 1000, received 1006"},
    {"the stream ends behind the peer's Close, and then cannot be written to",
     [](test_server& ws) {
         lines told = opened(ws, client_close(1000));
         ws.end_of_stream();
         told = both(told, hear(ws));
         CHECK(told.empty());
         ws.end_of_stream();
         return hear(ws);
     },
     "end, began peer, sent 1000, received 1000"},
    {"the stream ends behind the peer's Close, and ours leaves",
     [](test_server& ws) {
         lines told = opened(ws, client_close(1000));
         ws.end_of_stream();
         told = both(told, hear(ws));
         drain(ws);
         return both(told, hear(ws));
     },
     "closed clean, began peer, sent 1000, received 1000"},
    {"we abort before anything came",
     [](test_server& ws) {
         ws.abort();
         return hear(ws);
     },
     "aborted, began nobody, received 1006"},
    {"we abort while the answer is awaited",
     [](test_server& ws) {
         CHECK(hear(ws, support::good_request) == lines{"request"});
         ws.abort();
         return hear(ws);
     },
     "aborted, began nobody, received 1006"},
    {"we abort instead of hearing that it is open",
     [](test_server& ws) {
         CHECK(hear(ws, support::good_request) == lines{"request"});
         CHECK(ws.accept() == result::done);
         ws.abort();
         return hear(ws);
     },
     "aborted, began nobody, received 1006"},
    {"we abort while it is open",
     [](test_server& ws) {
         open_server(ws);
         CHECK(ws.send_text("never") == result::done);
         ws.abort();
         return hear(ws);
     },
     "aborted, began nobody, received 1006"},
    {"we abort behind our Close",
     [](test_server& ws) {
         open_server(ws);
         CHECK(ws.close() == result::done);
         drain(ws);
         ws.abort();
         return hear(ws);
     },
     "aborted, began us, sent 1000, received 1006"},
    {"we abort behind a violation",
     [](test_server& ws) {
         lines told = opened(ws, reserved_bits);
         ws.abort();
         return both(told, hear(ws));
     },
     "violation, began us, sent 1002, received 1006, reserved_bits"},
    {"we refuse",
     [](test_server& ws) {
         CHECK(hear(ws, support::good_request) == lines{"request"});
         CHECK(ws.reject() == result::done);
         drain(ws);
         CHECK(wants_of(ws) == "read half_close");
         ws.end_of_stream();
         return hear(ws);
     },
     "refused, began nobody, received 1006"},
    {"the request is none",
     [](test_server& ws) {
         CHECK(hear(ws, "POST / HTTP/1.1\r\n\r\n").empty());
         CHECK(support::parse_response(support::drain_text(ws)).status == 400);
         CHECK(wants_of(ws) == "read half_close");
         ws.end_of_stream();
         return hear(ws);
     },
     "violation, began nobody, received 1006, bad_request_line"},
    {"the request takes too long",
     [](test_server& ws) {
         ws.on_time(5);
         lines told = hear(ws, "GET / HT");
         CHECK(ws.deadline() == 10'005);
         ws.on_time(10'004);
         CHECK(wants_of(ws) == "read");
         ws.on_time(10'005);
         return both(told, hear(ws));
     },
     "opening_timeout, began nobody, received 1006"},
    {"the peer is dead",
     [](test_server& ws) {
         ws.on_time(0);
         open_server(ws);
         CHECK(ws.deadline() <= 30'000);
         ws.on_time(30'000);
         CHECK(support::hex(drain(ws)) == "89 04 00 00 00 01");
         ws.on_time(49'999);
         CHECK(hear(ws).empty());
         ws.on_time(50'000);
         return hear(ws);
     },
     "dead_peer, began nobody, received 1006"},
    {"the peer closes slowly",
     [](test_server& ws) {
         ws.on_time(0);
         open_server(ws);
         CHECK(ws.close(1001) == result::done);
         drain(ws);
         ws.on_time(9'999);
         CHECK(hear(ws).empty());
         ws.on_time(10'000);
         return hear(ws);
     },
     "close_timeout, began us, sent 1001, received 1006"},
    {"the peer takes nothing",
     [](test_server& ws) {
         ws.on_time(0);
         open_server(ws);
         CHECK(ws.send_binary(octets_of_size(100)) == result::done);
         ws.on_time(59'999);
         CHECK(ws.output().size() >= 102);
         CHECK(hear(ws).empty());
         ws.on_time(60'000);
         return hear(ws);
     },
     "stalled, began nobody, received 1006"},
};

}  // namespace

TEST_CASE("35 A3 exactly one `closed`, last, whatever ended it, and the report says which") {
    for (const ending_case& one : endings) {
        CAPTURE(one.name);
        watched::start();
        {
            test_server ws;
            const lines told = one.run(ws);
            const std::string received = std::to_string(*ws.report().received);
            CHECK(told == lines{"closed " + received});
            CHECK(report_of(ws) == one.report);
            check_that_it_is_over(ws);
        }
        CHECK(watched::all.held == 0);
        CHECK_FALSE(watched::all.wrong);
    }
}

TEST_CASE("A2 a connection may go away at every state, and gives all memory back") {
    for (const ending_case& one : endings) {
        CAPTURE(one.name);
        watched::start();
        {
            test_server ws;
            static_cast<void>(one.run(ws));
        }
        CHECK(watched::all.held == 0);
    }
    const std::vector<std::function<void(test_server&)>> unfinished{
        [](test_server&) {},
        [](test_server& ws) { hear(ws, "GET / HTT"); },
        [](test_server& ws) { hear(ws, support::good_request); },
        [](test_server& ws) {
            hear(ws, support::good_request);
            hear(ws);  // kept
        },
        [](test_server& ws) { opened(ws, from_client(1, "half a mess", false)); },
        [](test_server& ws) {
            open_server(ws);
            CHECK(ws.begin(message_type::text) == result::done);
            CHECK(ws.append(octets_of_size(500), part::more) == result::done);
        },
        [](test_server& ws) {
            open_server(ws);
            CHECK(ws.send_binary(octets_of_size(500)) == result::done);
            CHECK_FALSE(ws.output().empty());
            CHECK(ws.send_binary(octets_of_size(5000)) == result::done);  // stands behind
        },
        [](test_server& ws) { opened(ws, reserved_bits); },
    };
    for (const auto& run : unfinished) {
        watched::start();
        {
            test_server ws;
            run(ws);
        }
        CHECK(watched::all.held == 0);
        CHECK_FALSE(watched::all.wrong);
    }
}

TEST_CASE("35 no messages either way for too long is a Close with 1001") {
    connection_options options;
    options.time.idle = 60'000;
    SECTION("which the peer answers") {
        test_server ws(options);
        ws.on_time(0);
        open_server(ws);
        ws.on_time(20'000);
        CHECK(hear(ws, from_client(2, "x")) == lines{"binary 78"});
        ws.on_time(79'999);
        CHECK(hear(ws, from_client(10, "")) == lines{"pong \"\""});  // life, but no message
        drain(ws);
        ws.on_time(80'000);
        CHECK(support::hex(drain(ws)) == "88 02 03 E9");
        CHECK(hear(ws, client_close(1001)) == lines{"closed 1001"});
        CHECK(report_of(ws) == "idle clean, began us, sent 1001, received 1001");
    }
    SECTION("which the peer does not answer") {
        test_server ws(options);
        ws.on_time(0);
        open_server(ws);
        hear(ws, from_client(10, ""));
        ws.on_time(60'000);
        drain(ws);
        ws.on_time(70'000);
        CHECK(hear(ws) == lines{"closed 1006"});
        CHECK(report_of(ws) == "idle, began us, sent 1001, received 1006");
    }
    SECTION("and there is no place for it in the middle of a frame") {
        test_server ws(options);
        ws.on_time(0);
        open_server(ws);
        CHECK(ws.begin(message_type::binary, 5) == result::done);
        drain(ws);
        ws.on_time(60'000);
        CHECK(hear(ws) == lines{"closed 1006"});
        CHECK(report_of(ws) == "idle, began nobody, received 1006");
    }
    SECTION("and a message that we send is one") {
        test_server ws(options);
        ws.on_time(0);
        open_server(ws);
        ws.on_time(50'000);
        CHECK(ws.send_text("x") == result::done);
        drain(ws);
        ws.on_time(60'000);
        CHECK(drain(ws).empty());
        CHECK(ws.send_text("still open") == result::done);
    }
    SECTION("and does not cut the closing handshake short") {
        test_server ws(options);
        ws.on_time(0);
        open_server(ws);
        ws.on_time(59'000);
        CHECK(ws.close(1000) == result::done);
        drain(ws);
        ws.on_time(60'000);
        CHECK(hear(ws, client_close(1000)) == lines{"closed 1000"});
        CHECK(report_of(ws) == "closed clean, began us, sent 1000, received 1000");
    }
}

TEST_CASE("35 a client waits for the server to hang up first") {
    counted_keys keys;
    SECTION("which it does") {
        test_client ws(keys);
        open_client(ws);
        CHECK(hear(ws, server_close(1001)).empty());
        CHECK(wants_of(ws) == "write");  // our Close first
        drain(ws);
        CHECK(wants_of(ws) == "read");
        CHECK(hear(ws).empty());
        ws.end_of_stream();
        CHECK(wants_of(ws) == "events");
        CHECK(hear(ws) == lines{"closed 1001"});
        CHECK(report_of(ws) == "closed clean, began peer, sent 1001, received 1001");
        check_that_it_is_over(ws);
    }
    SECTION("or does not") {
        test_client ws(keys);
        ws.on_time(0);
        open_client(ws);
        CHECK(ws.close(1000) == result::done);
        drain(ws);
        ws.on_time(4'000);
        CHECK(hear(ws, server_close(1000)).empty());
        ws.on_time(9'999);
        CHECK(hear(ws, from_server(1, "thrown away")).empty());
        ws.on_time(10'000);
        CHECK(hear(ws) == lines{"closed 1000"});
        CHECK(report_of(ws) == "closed clean, began us, sent 1000, received 1000");
    }
    SECTION("or the stream ends before our Close has left") {
        test_client ws(keys);
        open_client(ws);
        CHECK(hear(ws, server_close(1001)).empty());
        ws.end_of_stream();
        CHECK(wants_of(ws) == "write");
        CHECK(hear(ws).empty());
        drain(ws);
        CHECK(wants_of(ws) == "events");
        CHECK(hear(ws) == lines{"closed 1001"});
        CHECK(report_of(ws) == "closed clean, began peer, sent 1001, received 1001");
    }
}

TEST_CASE("A server drops first in a clean close, and only when its Close has left") {
    test_server ws;
    open_server(ws);
    CHECK(hear(ws, client_close(1000)).empty());
    CHECK(wants_of(ws) == "write");
    ws.written(ws.output().size() - 1 - 1);  // 88 02 03 E8 but the last two
    CHECK(hear(ws).empty());
    CHECK(wants_of(ws) == "write");
    drain(ws);
    CHECK(wants_of(ws) == "events drop");
    CHECK(hear(ws) == lines{"closed 1000"});
}

TEST_CASE("A violation flushes the Close, half-closes, reads and discards until the end") {
    test_server ws;
    ws.on_time(0);
    open_server(ws);
    CHECK(hear(ws, support::concat(from_client(1, "first"), reserved_bits, from_client(1, "no"))) ==
          lines{"text \"first\""});
    CHECK(wants_of(ws) == "read write");
    CHECK(support::hex(drain(ws)) == "88 02 03 EA");
    CHECK(wants_of(ws) == "read half_close");
    CHECK(hear(ws, octets_of_size(1000)).empty());
    CHECK(wants_of(ws) == "read half_close");
    ws.end_of_stream();
    CHECK(wants_of(ws) == "events half_close");
    CHECK(hear(ws) == lines{"closed 1006"});
}

TEST_CASE("A Close that finds no memory leaves when there is some, and no half is closed before") {
    watched::start();
    test_server ws;
    open_server(ws);
    ws.release();
    {
        const support::no_memory none;
        CHECK(hear(ws, reserved_bits).empty());
        CHECK(wants_of(ws) == "read");
        CHECK(hear(ws).empty());
        CHECK(wants_of(ws) == "read");
    }
    CHECK(hear(ws).empty());
    CHECK(wants_of(ws) == "read write");
    CHECK(support::hex(drain(ws)) == "88 02 03 EA");
    CHECK(wants_of(ws) == "read half_close");
}

TEST_CASE("The peer's half of the stream may end before our last word has left") {
    test_server ws;
    open_server(ws);
    CHECK(hear(ws, reserved_bits).empty());
    ws.end_of_stream();
    CHECK(hear(ws).empty());
    CHECK(support::hex(drain(ws)) == "88 02 03 EA");
    CHECK(hear(ws) == lines{"closed 1006"});
}

TEST_CASE("What time and end of stream cause comes out of receive and next as well") {
    test_server ws;
    ws.on_time(0);
    ws.on_time(10'000);
    CHECK(wants_of(ws) == "events drop");
    std::span<octet> in;
    const event closed = ws.next(in);
    CHECK(closed.kind == event::what::closed);
    CHECK(closed.code == 1006);
    CHECK(ws.finished());
}

TEST_CASE("Never called means no deadlines") {
    connection_options options;
    options.time.idle = 1;
    test_server ws(options);
    CHECK(ws.deadline() == never);
    open_server(ws);
    CHECK(ws.send_text("x") == result::done);
    CHECK(ws.close() == result::done);
    CHECK(ws.deadline() == never);
    CHECK(hear(ws).empty());
}

TEST_CASE("The first call sets the origin and starts the opening deadline") {
    for (const milliseconds origin : {milliseconds{0}, milliseconds{-5'000'000},
                                      milliseconds{1} << 40, -(milliseconds{1} << 61)}) {
        test_server ws;
        CHECK(ws.deadline() == never);
        ws.on_time(origin);
        CHECK(ws.deadline() == origin + 10'000);
        ws.on_time(origin + 9'999);
        CHECK(hear(ws).empty());
        ws.on_time(origin + 10'000);
        CHECK(hear(ws) == lines{"closed 1006"});
    }
}

TEST_CASE("A time that runs backwards counts as equal, and one that stands still as well") {
    test_server ws;
    ws.on_time(1'000);
    open_server(ws);
    ws.on_time(31'000);
    drain(ws);
    ws.on_time(0);
    ws.on_time(-1'000'000'000);
    CHECK(hear(ws, from_client(10, std::string_view("\0\0\0\1", 4))).size() == 1);
    CHECK(ws.round_trip() == 0);
    for (int i = 0; i < 100; ++i) ws.on_time(31'000);
    CHECK(drain(ws).empty());
    CHECK(ws.deadline() >= 31'000);
    ws.on_time(61'000);
    CHECK(support::hex(drain(ws)) == "89 04 00 00 00 02");
}

TEST_CASE("A time that jumps to the end of time does no harm") {
    test_server ws;
    ws.on_time(INT64_MIN);
    open_server(ws);
    ws.on_time(INT64_MIN + 30'000);
    drain(ws);
    ws.on_time(never - 1);
    CHECK(hear(ws, from_client(10, std::string_view("\0\0\0\1", 4))).size() == 1);
    CHECK(ws.round_trip() >= 0);
}

TEST_CASE("A jump over the pong deadline with octets waiting in the socket is no death") {
    test_server ws;
    ws.on_time(0);
    open_server(ws);
    ws.on_time(30'000);
    CHECK(drain(ws).size() == 6);
    ws.on_time(10'000'000);
    SECTION("if the loop reads") {
        CHECK(hear(ws, from_client(1, "here")) == lines{"text \"here\""});
        CHECK(wants_of(ws) == "read");
        CHECK(hear(ws).empty());
    }
    SECTION("and the loop is told to read") {
        CHECK(ws.wants().read);
        CHECK(ws.wants().events);
    }
}

TEST_CASE("Any octet received counts as life") {
    test_server ws;
    ws.on_time(0);
    open_server(ws);
    ws.on_time(30'000);
    drain(ws);
    ws.on_time(49'999);
    CHECK(hear(ws, support::octets("81")).empty());  // of a header
    ws.on_time(79'998);
    CHECK(drain(ws).empty());
    ws.on_time(79'999);
    CHECK(support::hex(drain(ws)) == "89 04 00 00 00 02");
    ws.on_time(99'998);
    CHECK(hear(ws).empty());
    ws.on_time(99'999);
    CHECK(hear(ws) == lines{"closed 1006"});
    CHECK(report_of(ws) == "dead_peer, began nobody, received 1006");
}

TEST_CASE("The pong clock starts when the ping's last octet is written") {
    test_server ws;
    ws.on_time(0);
    open_server(ws);
    CHECK(ws.round_trip() == never);
    ws.on_time(30'000);
    CHECK(ws.output().size() == 6);
    ws.on_time(40'000);
    ws.written(5);
    ws.on_time(45'000);
    CHECK(ws.output().size() == 1);
    ws.written(1);
    ws.on_time(64'999);
    CHECK(hear(ws).empty());
    CHECK(hear(ws, from_client(10, "wrong")) == lines{"pong \"wrong\""});
    CHECK(ws.round_trip() == never);
    CHECK(hear(ws, from_client(10, std::string_view("\0\0\0\1", 4))) ==
          lines{"pong \"\\x00\\x00\\x00\\x01\""});
    CHECK(ws.round_trip() == 19'999);
}

TEST_CASE("An automatic ping waits for its place, and is dropped where there is none") {
    test_server ws;
    ws.on_time(0);
    open_server(ws);
    SECTION("behind the frame that is open") {
        CHECK(ws.begin(message_type::binary, 3) == result::done);
        ws.on_time(30'000);
        CHECK(support::hex(drain(ws)) == "82 03");
        CHECK(ws.append(support::octets("010203"), part::last) == result::done);
        CHECK(support::hex(drain(ws)) == "01 02 03 89 04 00 00 00 01");
    }
    SECTION("behind what was lent") {
        octet_vector lent(3);
        CHECK(ws.begin(message_type::binary) == result::done);
        CHECK(ws.lend(std::span(lent), part::last) == result::done);
        ws.on_time(30'000);
        CHECK(support::hex(drain(ws)) == "82 03 00 00 00 89 04 00 00 00 01");
    }
    SECTION("not behind our Close") {
        CHECK(ws.close() == result::done);
        drain(ws);
        ws.on_time(30'000);
        CHECK(drain(ws).empty());
    }
}

TEST_CASE("Nothing is sent behind our Close, not even when the ping is due") {
    connection_options options;
    options.time.close = never;
    test_server ws(options);
    ws.on_time(0);
    open_server(ws);
    CHECK(ws.close() == result::done);
    CHECK(support::hex(drain(ws)) == "88 02 03 E8");
    ws.on_time(30'000);
    CHECK(hear(ws, from_client(9, "?")).empty());
    CHECK(drain(ws).empty());
}

TEST_CASE("Stalling is measured from the last octet that was taken") {
    test_server ws;
    ws.on_time(0);
    open_server(ws);
    CHECK(ws.send_binary(octets_of_size(100)) == result::done);
    hear(ws, from_client(10, ""));
    ws.on_time(29'000);
    hear(ws, from_client(10, ""));
    CHECK(ws.output().size() == 102);
    ws.written(1);
    ws.on_time(58'000);
    hear(ws, from_client(10, ""));
    CHECK(ws.send_binary(octets_of_size(10)) == result::done);  // no progress
    ws.on_time(87'000);
    hear(ws, from_client(10, ""));
    ws.on_time(88'999);
    CHECK(hear(ws).empty());
    ws.on_time(89'000);
    CHECK(hear(ws) == lines{"closed 1006"});
    CHECK(report_of(ws) == "stalled, began nobody, received 1006");
}

// ---- output ----

TEST_CASE("More than was offered changes nothing") {
    test_server ws;
    open_server(ws);
    CHECK(ws.send_text("Hello") == result::done);
    ws.written(1);  // nothing was offered
    CHECK(ws.pending() == 7);
    const std::span<const octet> run = ws.output();
    CHECK(run.size() == 7);
    ws.written(8);
    ws.written(SIZE_MAX);
    ws.written(0);
    CHECK(ws.pending() == 7);
    CHECK(ws.output().data() == run.data());
    ws.written(3);
    ws.written(5);
    CHECK(ws.pending() == 4);
    CHECK(support::hex(ws.output()) == "65 6C 6C 6F");
    CHECK(ws.counters().sent.octets == support::good_response.size() + 3);
}

TEST_CASE("The next run of octets stays put until written, while anything else is called") {
    watched::start();
    {
        test_server ws;
        ws.on_time(0);
        open_server(ws);
        CHECK(ws.send_binary(octets_of_size(100)) == result::done);
        const std::span<const octet> run = ws.output();
        const octet_vector before(run.begin(), run.end());
        CHECK(before.size() == 102);
        for (std::size_t i = 0; i < 40; ++i) {
            CHECK(ws.send_binary(octets_of_size(i * 40)) == result::done);
            CHECK(octet_vector(run.begin(), run.end()) == before);
        }
        CHECK(hear(ws, from_client(9, "?")).empty());
        CHECK(hear(ws, from_client(1, "half", false)).empty());
        ws.on_time(50'000);
        ws.release();
        CHECK(ws.close() == result::done);
        CHECK(octet_vector(run.begin(), run.end()) == before);
    }
    CHECK(watched::all.held == 0);
}

TEST_CASE("An asynchronous write in flight is not freed under the feet of whoever writes") {
    watched::start();
    test_server ws;
    ws.on_time(0);
    open_server(ws);
    CHECK(ws.send_binary(octets_of_size(100)) == result::done);
    const std::span<const octet> run = ws.output();
    const octet_vector before(run.begin(), run.end());
    ws.abort();
    CHECK(hear(ws) == lines{"closed 1006"});
    CHECK(ws.send_text("too late") == result::not_open);
    ws.on_time(100'000);
    CHECK(watched::all.sizes.size() > 0);
    if (!watched::all.sizes.empty()) CHECK(octet_vector(run.begin(), run.end()) == before);
    ws.written(run.size());
    CHECK(ws.counters().sent.octets == support::good_response.size());
}

TEST_CASE("21 all octets leave in their order, whatever is written when") {
    for (const std::size_t most : {1U, 3U, 100U, 1'000'000U}) {
        test_server ws;
        open_server(ws);
        octet_vector wanted;
        octet_vector got;
        for (std::size_t i = 0; i < 100; ++i) {
            const octet_vector payload = octets_of_size(i * 13 % 400);
            const octet_vector sent = support::frame(true, 0, 2, std::nullopt, payload);
            REQUIRE(ws.send_binary(payload) == result::done);
            wanted = support::concat(wanted, sent);
            static_cast<void>(ws.output());
            if (i % 3 != 0) got = support::concat(got, drain(ws, most));
        }
        got = support::concat(got, drain(ws));
        CHECK(got == wanted);
    }
}

TEST_CASE("At most two runs are offered: own, then lent") {
    test_server ws;
    open_server(ws);
    octet_vector lent = octets_of_size(20);
    CHECK(ws.begin(message_type::binary) == result::done);
    CHECK(ws.lend(std::span(lent), part::last) == result::done);
    const gather runs = ws.output_gather();
    CHECK(support::hex(runs.own) == "82 14");
    CHECK(runs.lent.data() == lent.data());
    CHECK(runs.lent.size() == 20);
    ws.written(12);
    CHECK(ws.pending() == 10);
    CHECK(hear(ws).empty());
    const gather rest = ws.output_gather();
    CHECK(rest.own.empty());
    CHECK(rest.lent.data() == lent.data() + 10);
    ws.written(10);
    CHECK(hear(ws) == lines{"drained"});
}

// ---- flow ----

namespace {

connection_options small_output() {
    connection_options options;
    options.limit.message = 100;
    options.limit.high = 1'000;
    options.limit.low = 300;
    return options;
}

// Sends messages of 102 octets on the wire, so many of them.
template <class Connection>
void send_many(Connection& ws, int count) {
    for (int i = 0; i < count; ++i) REQUIRE(ws.send_binary(octets_of_size(100)) == result::done);
}

}  // namespace

TEST_CASE("Above high, a server stops yielding events until it falls to low") {
    test_server ws(small_output());
    open_server(ws);
    send_many(ws, 9);
    CHECK(wants_of(ws) == "read write");
    CHECK(ws.send_binary(octets_of_size(80)) == result::done);  // 918 + 82: just at the mark
    CHECK(wants_of(ws) == "read write");
    CHECK(ws.ping() == result::done);
    CHECK(wants_of(ws) == "write");

    const octet_vector received = support::concat(from_client(1, "one"), from_client(1, "two"));
    octet_vector waiting = received;
    std::span<octet> in = waiting;
    CHECK(hear(ws, in).empty());
    CHECK(in.size() == received.size());
    CHECK(waiting == received);

    static_cast<void>(ws.output());
    ws.written(1002 - 301);
    CHECK(wants_of(ws) == "write");
    CHECK(hear(ws, in).empty());
    static_cast<void>(ws.output());
    ws.written(1);
    CHECK(wants_of(ws) == "write events");
    CHECK(hear(ws, in) == lines{"drained", "text \"one\"", "text \"two\""});
    CHECK(wants_of(ws) == "read write");
    drain(ws);
    CHECK(hear(ws).empty());
}

TEST_CASE("Flow is off for clients, since two pausing peers can deadlock") {
    counted_keys keys;
    test_client ws(keys, small_output());
    open_client(ws);
    send_many(ws, 10);
    CHECK(wants_of(ws) == "read write");
    CHECK(hear(ws, from_server(1, "one")) == lines{"text \"one\""});
    connection_options options = small_output();
    options.pause = connection_options::pausing::always;
    test_client pausing(keys, options);
    open_client(pausing);
    send_many(pausing, 10);
    CHECK(wants_of(pausing) == "write");
    options.pause = connection_options::pausing::never_at_all;
    test_server never_pausing(options);
    open_server(never_pausing);
    send_many(never_pausing, 10);
    CHECK(wants_of(never_pausing) == "read write");
}

TEST_CASE("limits.output bounds what waits, and a command that goes beyond is full") {
    connection_options options = small_output();
    options.pause = connection_options::pausing::never_at_all;
    test_server ws(options);
    open_server(ws);
    std::size_t sent = 0;
    result last = result::done;
    while (last == result::done && sent < 1000) {
        last = ws.send_binary(octets_of_size(100));
        if (last == result::done) ++sent;
    }
    CHECK(last == result::full);
    CHECK(sent * 102 <= 1'000 + 100 + 160);
    CHECK((sent + 1) * 102 > 1'000 + 100 + 160);
    CHECK(ws.pending() == sent * 102);
    CHECK(drain(ws, sent * 102 - 301).size() > 0);
    CHECK(hear(ws).empty());
    drain(ws, 1);
    CHECK(hear(ws) == lines{"drained"});
    CHECK(hear(ws).empty());
    drain(ws);
    CHECK(hear(ws).empty());
}

TEST_CASE("One echo per event always fits") {
    test_server ws(small_output());
    open_server(ws);
    int echoed = 0;
    for (int i = 0; i < 200; ++i) {
        octet_vector received =
            support::concat(from_client(9, std::string(125, 'p')),
                            support::frame(true, 0, 2, support::client_key, octets_of_size(100)));
        std::span<octet> in = received;
        while (!in.empty()) {
            for (const event& e : ws.receive(in)) {
                if (e.kind != event::what::message) continue;
                REQUIRE(ws.send(e.type, e.payload) == result::done);
                ++echoed;
            }
            if (!in.empty()) drain(ws, 50);
        }
    }
    CHECK(echoed == 200);
}

TEST_CASE("Time that we spend paused never counts as the peer's death") {
    connection_options options = small_output();
    options.time.stall = never;
    test_server ws(options);
    ws.on_time(0);
    open_server(ws);
    SECTION("before the ping") {
        send_many(ws, 10);
        ws.on_time(29'000);
        ws.on_time(1'000'000);
        CHECK(ws.counters().sent.control == 0);
        CHECK(hear(ws).empty());
        drain(ws);
        ws.on_time(1'029'999);
        CHECK(drain(ws).empty());
        ws.on_time(1'030'000);
        CHECK(drain(ws).size() == 6);
    }
    SECTION("between the ping and the pong") {
        ws.on_time(30'000);
        CHECK(drain(ws).size() == 6);
        ws.on_time(40'000);
        send_many(ws, 10);
        ws.on_time(5'000'000);
        CHECK(hear(ws).empty());
        drain(ws);
        CHECK(hear(ws) == lines{"drained"});
        ws.on_time(5'029'999);
        CHECK(hear(ws).empty());
        ws.on_time(5'030'000);
        CHECK(drain(ws).size() == 6);
        ws.on_time(5'049'999);
        CHECK(hear(ws).empty());
        ws.on_time(5'050'000);
        CHECK(hear(ws) == lines{"closed 1006"});
    }
    SECTION("while the ping itself leaves") {
        ws.on_time(30'000);
        CHECK(ws.output().size() == 6);
        send_many(ws, 10);
        CHECK(drain(ws, 6).size() == 6);  // still paused
        CHECK(wants_of(ws) == "write");
        ws.on_time(5'000'000);
        CHECK(hear(ws).empty());
        octet_vector received = from_client(1, "old");
        std::span<octet> in = received;
        CHECK(hear(ws, in).empty());
        CHECK(in.size() == received.size());
        ws.on_time(9'000'000);
        CHECK(hear(ws).empty());
    }
}

TEST_CASE("Events stay where they are while we are paused and the stream has ended") {
    test_server ws(small_output());
    open_server(ws);
    send_many(ws, 10);
    octet_vector received = from_client(1, "last words");
    std::span<octet> in = received;
    ws.end_of_stream();
    CHECK(wants_of(ws) == "write");
    CHECK(hear(ws, in).empty());
    CHECK(in.size() == received.size());
    CHECK(hear(ws).empty());  // nothing was lost by asking
    drain(ws);
    CHECK(wants_of(ws) == "events");
    CHECK(hear(ws, in) == lines{"drained", "text \"last words\"", "closed 1006"});
}

TEST_CASE("drained comes once when lent memory comes back, and not before") {
    SECTION("of a piece that is larger than all marks") {
        test_server ws;
        open_server(ws);
        octet_vector lent = octets_of_size(200'000);
        CHECK(ws.begin(message_type::binary, lent.size()) == result::done);
        CHECK(ws.lend(std::span(lent), part::last) == result::done);
        lines told;
        while (ws.pending() > 0) {
            drain(ws, 1'000);
            const lines now = hear(ws);
            if (ws.output_gather().lent.size() > 0) CHECK(now.empty());
            told = both(told, now);
        }
        CHECK(told == lines{"drained"});
        CHECK(hear(ws).empty());
    }
    SECTION("of a small one") {
        test_server ws;
        open_server(ws);
        octet_vector lent = octets_of_size(5);
        CHECK(ws.begin(message_type::binary) == result::done);
        CHECK(ws.lend(std::span(lent), part::last) == result::done);
        drain(ws, 6);
        CHECK(hear(ws).empty());
        drain(ws, 1);
        CHECK(hear(ws) == lines{"drained"});
    }
    SECTION("of an empty one, at once") {
        test_server ws;
        open_server(ws);
        CHECK(ws.begin(message_type::binary) == result::done);
        CHECK(ws.lend(std::span<octet>{}, part::last) == result::done);
        CHECK(hear(ws) == lines{"drained"});
        CHECK(support::hex(drain(ws)) == "82 00");
        CHECK(hear(ws).empty());
    }
    SECTION("behind a full output") {
        connection_options options = small_output();
        options.pause = connection_options::pausing::never_at_all;
        test_server ws(options);
        open_server(ws);
        send_many(ws, 12);
        CHECK(ws.send_binary(octets_of_size(100)) == result::full);
        octet_vector lent = octets_of_size(200);
        CHECK(ws.begin(message_type::binary) == result::done);
        CHECK(ws.lend(std::span(lent), part::last) == result::done);
        drain(ws, 12 * 102 + 4);
        CHECK(ws.pending() == 200);  // below the low mark, but lent
        CHECK(hear(ws).empty());
        drain(ws);
        CHECK(hear(ws) == lines{"drained"});
        CHECK(hear(ws).empty());
    }
}

// ---- in the middle of a frame ----

TEST_CASE("A violation by the peer in the middle of our frame drops without a Close") {
    test_server ws;
    open_server(ws);
    CHECK(ws.begin(message_type::binary, 10) == result::done);
    CHECK(hear(ws, reserved_bits) == lines{"closed 1006"});
    CHECK(report_of(ws) == "violation, began us, received 1006, reserved_bits");
    check_that_it_is_over(ws);
}

TEST_CASE("A peer's Close in the middle of our frame waits for the rest of it") {
    test_server ws;
    open_server(ws);
    CHECK(ws.begin(message_type::binary, 2) == result::done);
    CHECK(hear(ws, client_close(1000)).empty());
    CHECK(support::hex(drain(ws)) == "82 02");
    CHECK(hear(ws, from_client(1, "ignored")).empty());
    CHECK(ws.append(octets_of_size(2), part::last) == result::done);
    CHECK(support::hex(drain(ws)) == "00 07 88 02 03 E8");
    CHECK(hear(ws) == lines{"closed 1000"});
}

// ---- memory ----

TEST_CASE("An idle open server_connection holds no heap after its idle release") {
    watched::start();
    test_server ws;
    ws.on_time(0);
    open_server(ws);
    SECTION("after sending") {
        CHECK(ws.send_binary(octets_of_size(1000)) == result::done);
        drain(ws);
        CHECK(watched::all.held > 0);
        ws.on_time(999);
        CHECK(watched::all.held > 0);
        CHECK(ws.deadline() == 1'000);
        ws.on_time(1'000);
        CHECK(watched::all.held == 0);
    }
    SECTION("after receiving only") {
        ws.on_time(5'000);
        CHECK(watched::all.held == 0);
        CHECK(hear(ws, from_client(1, "in ", false)).empty());
        CHECK(hear(ws, from_client(0, "pieces")) == lines{"text \"in pieces\""});
        hear(ws);
        CHECK(watched::all.held > 0);
        ws.on_time(6'000);
        CHECK(watched::all.held == 0);
    }
    SECTION("but not in the middle of a message, which ends later") {
        CHECK(hear(ws, from_client(1, "in ", false)).empty());
        CHECK(ws.ping() == result::done);
        drain(ws);
        ws.on_time(2'000);
        CHECK(watched::all.held > 0);
        CHECK(hear(ws, from_client(0, "pieces")) == lines{"text \"in pieces\""});
        hear(ws);
        ws.on_time(4'000);
        CHECK(watched::all.held == 0);
    }
    SECTION("at once by release") {
        CHECK(ws.send_binary(octets_of_size(1000)) == result::done);
        ws.release();
        CHECK(drain(ws).size() == 1004);
        ws.release();
        CHECK(watched::all.held == 0);
        CHECK(ws.send_text("still works") == result::done);
        CHECK(drain(ws).size() == 13);
    }
    CHECK(hear(ws, from_client(1, "still works")) == lines{"text \"still works\""});
}

TEST_CASE("The heap is what server_connection gives back") {
    const support::heap_watch watch;
    server_connection ws;
    CHECK(watch.count() == 0);
    ws.on_time(0);
    open_server(ws);
    CHECK(watch.count() > 0);
    ws.on_time(1'000);
    CHECK(ws.deadline() == 30'000);  // nothing to give back any more
}

TEST_CASE("reset makes another connection of it") {
    watched::start();
    for (const ending_case& one : endings) {
        CAPTURE(one.name);
        test_server ws;
        for (int again = 0; again < 3; ++again) {
            static_cast<void>(one.run(ws));
            ws.reset();
            CHECK(ws.counters() == counters{});
            CHECK(report_of(ws) == "nothing, began nobody");
            CHECK(ws.deadline() == never);
            CHECK(ws.round_trip() == never);
            CHECK(wants_of(ws) == "read");
        }
        open_server(ws);
        CHECK(hear(ws, from_client(1, "x")) == lines{"text \"x\""});
        CHECK(hear(ws, client_close()).empty());
        CHECK(drain(ws).size() == 4);
        CHECK(hear(ws) == lines{"closed 1000"});
    }
}

TEST_CASE("reset forgets output that had grown behind what was offered") {
    watched::start();
    {
        test_server ws;
        open_server(ws);
        CHECK(ws.send_binary(octets_of_size(200)) == result::done);
        CHECK_FALSE(ws.output().empty());
        CHECK(ws.send_binary(octets_of_size(5'000)) == result::done);
        ws.abort();
        CHECK(hear(ws) == lines{"closed 1006"});
        ws.reset();
        CHECK(hear(ws, support::good_request) == lines{"request"});
        CHECK(ws.accept() == result::done);
        CHECK(wants_of(ws) == "write events");
        CHECK(support::drain_text(ws) == support::good_response);
    }
    CHECK(watched::all.held == 0);
}
