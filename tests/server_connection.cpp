// A server's connection: the request, its answers, and what only a server lends.

#include <sockless/server_connection.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/connections.hpp"

namespace {

using namespace sockless;
using support::client_close;
using support::concat;
using support::drain;
using support::exact;
using support::from_client;
using support::hear;
using support::lines;
using support::octet_vector;
using support::octets_of_size;
using support::open_server;
using support::report_of;
using support::wants_of;
using support::watched;

using test_server = support::server<>;

const std::string plain = "GET /health?x HTTP/1.1\r\nHost: a.example\r\n\r\n";

// Hears one event. The head is the caller's, and has to stay until it is answered.
[[nodiscard]] exact ask(test_server& ws, std::string_view head) {
    exact copy{support::octets_of_text(head)};
    std::span<octet> in = copy.span();
    REQUIRE(ws.next(in).kind != event::what::nothing);
    REQUIRE(in.empty());
    return copy;
}

}  // namespace

TEST_CASE("request is valid until answered, although its octets are overwritten meanwhile") {
    for (std::size_t cut = 0; cut < support::good_request.size(); ++cut) {
        test_server ws;
        {
            octet_vector head = support::octets_of_text(support::good_request);
            std::span<octet> in = std::span(head).first(cut);
            CHECK(hear(ws, in).empty());
            in = std::span(head).subspan(cut);
            bool asked = false;
            for (const event& e : ws.receive(in)) {
                asked = e.kind == event::what::request;
                CHECK(ws.request().target() == "/chat?room=1");
                break;  // to answer later
            }
            CHECK(asked);
            std::span<octet> nothing;
            CHECK(hear(ws, nothing).empty());  // from now on it is kept
            for (octet& o : head) o = 0xA5;
        }
        for (int i = 0; i < 3; ++i) CHECK(hear(ws).empty());
        ws.on_time(0);
        ws.on_time(1'000'000);
        ws.release();
        CHECK(ws.request().target() == "/chat?room=1");
        CHECK(ws.request().header("sec-websocket-version") == text_view{support::octets("3133")});
        CHECK(ws.request().octets().size() == support::good_request.size());
        CHECK(ws.accept({.protocol = "superchat"}) == result::done);
        CHECK(support::parse_head(support::drain_text(ws)).one("sec-websocket-protocol") ==
              "superchat");
        CHECK(hear(ws) == lines{"open"});
    }
}

TEST_CASE("A plain request that nobody answers gets 426") {
    for (const bool in_pieces : {false, true}) {
        test_server ws;
        if (in_pieces) {
            CHECK(hear(ws, std::string_view(plain).substr(0, 9)).empty());
            CHECK(hear(ws, std::string_view(plain).substr(9)) == lines{"plain_request"});
        } else {
            CHECK(hear(ws, plain + "a body that nobody asked for") == lines{"plain_request"});
        }
        const support::parsed_response answer = support::parse_response(support::drain_text(ws));
        CHECK(answer.status == 426);
        CHECK(answer.head.one("sec-websocket-version") == "13");
        CHECK(wants_of(ws) == "read half_close");
        CHECK(hear(ws, "more").empty());
        ws.end_of_stream();
        CHECK(hear(ws) == lines{"closed 1006"});
        CHECK(report_of(ws) == "refused, began nobody, received 1006");
    }
}

TEST_CASE("respond answers a plain request whole, and half-closes") {
    test_server ws;
    const exact head_of_ws = ask(ws, plain);
    CHECK(ws.request().path() == "/health");
    CHECK_FALSE(ws.request().is_upgrade());
    CHECK(ws.accept() == result::not_offered);
    CHECK(ws.accept({.protocol = "chat"}) == result::not_offered);
    const std::array headers{field{"Content-Type", "text/plain"}};
    const octet_vector body = octets_of_size(30'000);
    CHECK(ws.respond(200, headers, body) == result::done);
    CHECK(ws.respond(200) == result::not_open);
    CHECK(ws.accept() == result::not_open);
    CHECK(wants_of(ws) == "read write");
    std::string answer;
    while (ws.wants().write) {
        answer += support::to_string(drain(ws, 1'000));
        CHECK(hear(ws).empty());
    }
    const support::parsed_response parsed = support::parse_response(answer);
    CHECK(parsed.status == 200);
    CHECK(parsed.head.one("content-type") == "text/plain");
    CHECK(parsed.head.body == support::to_string(body));
    CHECK(wants_of(ws) == "read half_close");
    ws.end_of_stream();
    CHECK(hear(ws) == lines{"closed 1006"});
    CHECK(report_of(ws) == "refused, began nobody, received 1006");
}

TEST_CASE("A response leaves whole, although the client has closed its half already") {
    test_server ws;
    const exact head_of_ws = ask(ws, plain);
    CHECK(ws.respond(200, {}, octets_of_size(10'000)) == result::done);
    std::string answer = support::to_string(drain(ws, 100));
    ws.end_of_stream();
    CHECK(hear(ws).empty());
    answer += support::drain_text(ws);
    CHECK(support::parse_response(answer).head.body.size() == 10'000);
    CHECK(hear(ws) == lines{"closed 1006"});
}

TEST_CASE("A response that the client does not fetch ends with the close deadline") {
    test_server ws;
    ws.on_time(0);
    const exact head_of_ws = ask(ws, plain);
    ws.on_time(100'000);  // the application may take its time
    CHECK(ws.respond(200) == result::done);
    test_server slow;
    slow.on_time(0);
    const exact head_of_slow = ask(slow, plain);
    CHECK(slow.respond(200) == result::done);
    slow.on_time(9'999);
    CHECK(hear(slow).empty());
    slow.on_time(10'000);
    CHECK(hear(slow) == lines{"closed 1006"});
    CHECK(report_of(slow) == "refused, began nobody, received 1006");
}

TEST_CASE("reject says no to a WebSocket, with status, headers and body") {
    test_server ws;
    const exact head_of_ws = ask(ws, support::good_request);
    const std::array headers{field{"WWW-Authenticate", "Basic realm=\"x\""}};
    CHECK(ws.reject(401, headers, support::octets("\"who?\"")) == result::done);
    const support::parsed_response answer = support::parse_response(support::drain_text(ws));
    CHECK(answer.status == 401);
    CHECK(answer.head.one("www-authenticate") == "Basic realm=\"x\"");
    CHECK(answer.head.body == "who?");
    test_server other;
    const exact head_of_other = ask(other, support::good_request);
    CHECK(other.reject() == result::done);
    CHECK(support::parse_response(support::drain_text(other)).status == 403);
}

TEST_CASE("24 an answer that may not leave changes nothing, and another may be tried") {
    test_server ws;
    CHECK(ws.accept() == result::not_open);
    CHECK(ws.reject() == result::not_open);
    const exact head_of_ws = ask(ws, support::good_request);
    const std::array smuggled{field{"X", "y\r\nSet-Cookie: z"}};
    CHECK(ws.accept({.headers = smuggled}) == result::bad_head);
    CHECK(ws.reject(403, smuggled) == result::bad_head);
    CHECK(ws.respond(99) == result::bad_head);
    CHECK(ws.accept({.protocol = "unasked"}) == result::not_offered);
    CHECK(ws.accept({.extensions = "permessage-deflate"}) == result::not_offered);
    CHECK(ws.reject(403, {}, octets_of_size(2'000'000)) == result::too_large);
    CHECK(wants_of(ws).empty());
    CHECK(drain(ws).empty());
    CHECK(ws.accept() == result::done);
    CHECK(support::drain_text(ws) == support::good_response);
    CHECK(ws.accept() == result::not_open);
    CHECK(hear(ws) == lines{"open"});
}

TEST_CASE(
    "A rule that a request breaks is answered by its own status, and it is told as closed only") {
    const std::vector<std::pair<std::string, int>> requests{
        {"POST / HTTP/1.1\r\n", 400},
        {"GET /" + std::string(5'000, 'x'), 414},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9'000, 'x'), 431},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
         426},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Origin: http://evil\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
         403},
        {"\x16\x03\x01\x02", 400},
        {"PRI * HTTP/2.0\r\n", 400},
    };
    for (const auto& [request, status] : requests) {
        for (const std::size_t size : {request.size(), std::size_t{1}, std::size_t{1'000}}) {
            CAPTURE(request, size);
            watched::start();
            test_server ws;
            std::string_view rest = request;
            std::string answer;
            while (!rest.empty()) {
                CHECK(hear(ws, rest.substr(0, size)).empty());
                rest.remove_prefix(std::min(size, rest.size()));
                answer += support::drain_text(ws);
            }
            CHECK(support::parse_response(answer).status == status);
            CHECK(ws.report().fault->broken != rule::none);
            CHECK(sockless::status(ws.report().fault->broken) == status);
            CHECK(watched::all.most_held <= 40'000);
            ws.end_of_stream();
            CHECK(hear(ws) == lines{"closed 1006"});
        }
    }
}

TEST_CASE("Whose opening handshake was somebody else's work begins with open") {
    agreed terms{};
    test_server ws(terms);
    CHECK(wants_of(ws) == "events");
    octet_vector stream = concat(from_client(1, "one"), client_close());
    std::span<octet> in = stream;
    CHECK(hear(ws, in) == lines{"open", "text \"one\""});
    CHECK(support::hex(drain(ws)) == "88 02 03 E8");
    CHECK(hear(ws) == lines{"closed 1000"});
    CHECK(ws.request().octets().empty());
    ws.reset();
    open_server(ws);  // the next client has a handshake of its own
}

TEST_CASE("A server lends what nobody may change, and whole frames that are encoded already") {
    test_server ws;
    open_server(ws);
    const octet_vector payload = support::octets("\"Hello\"");
    CHECK(ws.lend(std::span<const octet>(payload), part::last) == result::not_open);
    CHECK(ws.begin(message_type::text) == result::done);
    CHECK(ws.lend(std::span<const octet>(payload), part::more) == result::done);
    CHECK(ws.output_gather().lent.data() == payload.data());
    CHECK(ws.lend(std::span<const octet>(payload), part::last) == result::lent);
    CHECK(support::hex(drain(ws)) == "01 05 48 65 6C 6C 6F");
    CHECK(hear(ws) == lines{"drained"});
    const octet_vector frame = support::octets("81 05 \"Hello\"");
    const encoded_frame whole{frame, 5};
    CHECK(ws.lend(whole) == result::mid_message);
    CHECK(ws.lend(std::span<const octet>(payload), part::last) == result::done);
    CHECK(ws.lend(whole) == result::lent);
    drain(ws);
    CHECK(ws.lend(whole) == result::done);
    CHECK(ws.output().data() == frame.data());
    CHECK(ws.pending() == 7);
    CHECK(ws.counters().sent.messages == 2);
    CHECK(support::hex(drain(ws)) == "81 05 48 65 6C 6C 6F");
    CHECK(hear(ws) == lines{"drained"});
    CHECK(ws.close() == result::done);
    CHECK(ws.lend(whole) == result::closing);
    ws.abort();
    CHECK(ws.lend(whole) == result::not_open);
    CHECK(ws.lend(std::span<const octet>(payload), part::last) == result::not_open);
}

TEST_CASE("A server on fixed storage is used again and again") {
    support::server<fixed<>> ws;
    for (int again = 0; again < 5; ++again) {
        open_server(ws);
        CHECK(hear(ws, from_client(1, "half ", false)).empty());
        CHECK(hear(ws, from_client(0, "and half")) == lines{"text \"half and half\""});
        CHECK(ws.send_binary(octets_of_size(2'048)) == result::done);
        if (again % 2 == 0) {
            CHECK(drain(ws).size() == 2'052);
            hear(ws);
            CHECK(hear(ws, client_close()).empty());
            drain(ws);
            CHECK(hear(ws) == lines{"closed 1000"});
        }
        ws.reset();
    }
}
