// requirements.cpp -- requirements of RFC 6455 that more than one header obeys together: what a
// whole connection does in the opening handshake. docs/rfc6455.md names these tests.
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <sockless/client_connection.hpp>
#include <sockless/request_writer.hpp>
#include <sockless/server_connection.hpp>

#include "support/catch.hpp"
#include "support/connections.hpp"
#include "support/heads.hpp"

using sockless::cause;
using sockless::field;
using sockless::message_type;
using sockless::octet;
using sockless::part;
using sockless::result;
using sockless::rule;
using sockless::write_request;
using support::counted_keys;
using support::drain;
using support::drain_text;
using support::good_request;
using support::hear;
using support::lines;
using support::octet_vector;
using support::parse_get;
using support::parse_response;
using support::response_to;
using support::wants_of;

namespace {

using test_server = support::server<>;
using test_client = support::client<>;

// The good request, with one of its lines replaced, or dropped if there is nothing in its place.
std::string request_with(std::string_view name, const std::string& line) {
    std::string text = good_request;
    const std::size_t begin = text.find("\r\n" + std::string(name) + ": ") + 2;
    const std::size_t end = text.find("\r\n", begin) + 2;
    return text.replace(begin, end - begin, line.empty() ? "" : line + "\r\n");
}
std::string request_and(const std::string& line) {
    return good_request.substr(0, good_request.size() - 2) + line + "\r\n\r\n";
}

// The server has answered for good: with this, and with nothing behind it.
support::parsed_response check_refusal(test_server& ws, int status, cause why) {
    const support::parsed_response got = parse_response(drain_text(ws));
    CHECK(got.status == status);
    CHECK(got.head.all("sec-websocket-accept").empty());
    CHECK(ws.accept() == result::not_open);
    CHECK(ws.send_text("x") == result::not_open);
    CHECK(hear(ws, support::from_client(1, "not looked at")).empty());
    CHECK(wants_of(ws) == "read half_close");
    ws.end_of_stream();
    CHECK(hear(ws) == lines{"closed 1006"});
    CHECK(ws.report().why == why);
    CHECK(drain(ws).empty());
    return got;
}

void check_that_nothing_leaves(test_client& ws) {
    std::array<octet, 1> piece{};
    CHECK(ws.send_text("x") == result::not_open);
    CHECK(ws.send_binary({}) == result::not_open);
    CHECK(ws.begin(message_type::text) == result::not_open);
    CHECK(ws.begin(message_type::binary, 1) == result::not_open);
    CHECK(ws.append({}, part::last) == result::not_open);
    CHECK(ws.lend(piece, part::last) == result::not_open);
    CHECK(ws.ping() == result::not_open);
    CHECK(ws.pong({}) == result::not_open);
    CHECK(ws.close() == result::not_open);
    CHECK(drain(ws).empty());
}

}  // namespace

TEST_CASE("4.1 a client sends nothing between its request and the end of the response") {
    counted_keys keys;
    test_client ws(keys);
    check_that_nothing_leaves(ws);
    REQUIRE(ws.open({.host = "example.com"}) == result::done);
    const std::string response = response_to(drain_text(ws));
    for (std::size_t i = 0; i + 1 < response.size(); ++i) {
        check_that_nothing_leaves(ws);
        REQUIRE(hear(ws, response.substr(i, 1)).empty());
    }
    check_that_nothing_leaves(ws);
    REQUIRE(hear(ws, "\n") == lines{"open"});
    CHECK(ws.send_text("x") == result::done);
    CHECK(drain(ws).size() == 7);
}

TEST_CASE("4.1 a client whose transport does not open is closed, and has nothing to transmit") {
    for (const bool asked : {false, true}) {
        for (const bool aborted : {false, true}) {
            CAPTURE(asked, aborted);
            counted_keys keys;
            test_client ws(keys);
            if (asked) REQUIRE(ws.open({.host = "a"}) == result::done);
            if (aborted) {
                ws.abort();
            } else {
                ws.end_of_stream();
            }
            CHECK(hear(ws) == lines{"closed 1006"});
            CHECK(ws.report().why == (aborted ? cause::aborted : cause::end_of_stream));
            CHECK_FALSE(ws.report().clean);
            CHECK(drain(ws).empty());
            CHECK(wants_of(ws) == "drop");
            CHECK(ws.open({.host = "a"}) == result::not_open);
        }
    }
}

TEST_CASE("4.1 the proof of an earlier request opens nothing") {
    counted_keys keys;
    test_client ws(keys);
    REQUIRE(ws.open({.host = "a"}) == result::done);
    const std::string response = response_to(drain_text(ws));
    ws.reset();
    REQUIRE(ws.open({.host = "a"}) == result::done);
    drain(ws);
    CHECK(hear(ws, response) == lines{"closed 1006"});
    CHECK(ws.report().fault->broken == rule::bad_accept);
    CHECK(wants_of(ws) == "drop");
}

TEST_CASE("4.1 the elements of a list that leaves are not empty") {
    for (const std::string_view list : {",", "a,", ",a", "a,,b", "a, ,b"}) {
        CAPTURE(list);
        std::array<octet, 512> out{};
        const auto key = support::literal("dGhlIHNhbXBsZSBub25jZQ==");
        CHECK(write_request({.host = "a", .protocols = list}, key, out).what == result::bad_head);
    }
}

TEST_CASE("4.2 a request that opens nothing gets its status and the version that we speak, once") {
    struct row {
        std::string request;
        int status;
        rule broken;
    };
    for (const row& each : {
             row{"POST" + good_request.substr(3), 400, rule::bad_request_line},
             row{request_with("Host", ""), 400, rule::bad_host},
             row{request_with("Connection", "Connection: close"), 400, rule::bad_connection},
             row{request_with("Sec-WebSocket-Key", "Sec-WebSocket-Key: x"), 400, rule::bad_key},
             row{request_and("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400, rule::bad_key},
             row{request_with("Sec-WebSocket-Version", ""), 426, rule::bad_version},
             row{request_and("Sec-WebSocket-Version: 13"), 426, rule::bad_version},
             row{request_with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), 426,
                 rule::bad_version},
             row{request_with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 25"), 426,
                 rule::bad_version},
             row{request_and("Sec-WebSocket-Protocol: \xC3\xA9"), 400, rule::bad_protocol},
             row{request_and("Sec-WebSocket-Extensions: a;"), 400, rule::bad_extension},
             row{request_and("Origin: https://elsewhere.example"), 403, rule::foreign_origin},
         }) {
        CAPTURE(each.request);
        test_server ws;
        CHECK(hear(ws, each.request).empty());
        const support::parsed_response got = check_refusal(ws, each.status, cause::violation);
        CHECK(got.head.one("sec-websocket-version") == "13");
        CHECK(ws.report().fault->broken == each.broken);
    }
}

TEST_CASE("4.2.2 a server can redirect, ask for credentials, or not have what was asked for") {
    struct row {
        int status;
        field line;
    };
    for (const row& each :
         {row{307, {"Location", "wss://other.example/"}},
          row{401, {"WWW-Authenticate", "Basic realm=\"x\""}}, row{404, {"X", "y"}}}) {
        CAPTURE(each.status);
        test_server ws;
        octet_vector octets = support::octets_of_text(good_request);
        std::span<octet> in = octets;
        REQUIRE(ws.next(in).kind == sockless::event::what::request);
        CHECK(ws.reject(each.status, std::span(&each.line, 1)) == result::done);
        const support::parsed_response got = check_refusal(ws, each.status, cause::refused);
        CHECK(got.head.one(support::detail::lower(std::string(each.line.name))) == each.line.value);
    }
}

TEST_CASE("9.1 an extension that was only offered is not in use, either way") {
    counted_keys keys;
    test_client ws(keys);
    REQUIRE(ws.open({.host = "a", .extensions = "permessage-deflate"}) == result::done);
    const std::string request = drain_text(ws);
    CHECK(parse_get(request).head.one("sec-websocket-extensions") == "permessage-deflate");
    REQUIRE(hear(ws, response_to(request)) == lines{"open"});
    REQUIRE(ws.send_text("plain") == result::done);
    CHECK(drain(ws).front() == 0x81);
    CHECK(hear(ws, support::octets("C1 00")).empty());
    CHECK(ws.report().fault->broken == rule::reserved_bits);
}

TEST_CASE("10.3 what was sent is ours: the application cannot change it any more") {
    counted_keys keys;
    test_client ws(keys);
    support::open_client(ws);
    octet_vector mine(1000, octet{0});
    REQUIRE(ws.send_binary(mine) == result::done);
    const octet_vector begun = drain(ws, 10);
    mine.assign(mine.size(), octet{0xFF});
    const octet_vector rest = drain(ws);
    // The key of this frame, over and over: the payload is all zeros.
    const octet_vector key(begun.begin() + 4, begun.begin() + 8);
    REQUIRE(begun.size() + rest.size() == 1008);
    for (std::size_t i = 0; i < rest.size(); ++i) CHECK(rest[i] == key[(i + 2) % 4]);
}
