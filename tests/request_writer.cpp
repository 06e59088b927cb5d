// request_writer.cpp -- tests of request_writer.hpp.
#include <sockless/request_writer.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/heads.hpp"

using sockless::field;
using sockless::octet;
using sockless::opening;
using sockless::result;
using sockless::text_view;
using sockless::write_request;
using sockless::written;
using support::literal;
using support::text_of;

namespace {

constexpr auto key = literal("dGhlIHNhbXBsZSBub25jZQ==");

// The example of RFC 6455, 1.2, in our order of lines.
static_assert([] {
    std::array<octet, 512> out{};
    const std::array origin{field{"Origin", "http://example.com"}};
    const written done = write_request({.host = "server.example.com",
                                        .target = "/chat",
                                        .protocols = "chat, superchat",
                                        .headers = origin},
                                       key, out);
    return done.what == result::done && text_view{std::span(out).first(done.octets)} ==
                                            "GET /chat HTTP/1.1\r\n"
                                            "Host: server.example.com\r\n"
                                            "Upgrade: websocket\r\n"
                                            "Connection: Upgrade\r\n"
                                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                            "Sec-WebSocket-Version: 13\r\n"
                                            "Sec-WebSocket-Protocol: chat, superchat\r\n"
                                            "Origin: http://example.com\r\n"
                                            "\r\n";
}());

result try_to(const opening& request, std::string* text = nullptr) {
    const support::guarded out(std::vector<octet>(4096, 0xA5));
    const written got = write_request(request, key, out.span());
    if (got.what != result::done) {
        CHECK(got.octets == 0);
        for (const octet o : out.span()) CHECK(o == 0xA5);
    }
    if (text != nullptr) *text = text_of({out.span().first(got.octets)});
    return got.what;
}

support::parsed_get parsed(const opening& request) {
    std::string text;
    REQUIRE(try_to(request, &text) == result::done);
    return support::parse_get(text);
}

// Whatever the octet, either nothing leaves, or what leaves has the lines that it should.
void for_each_octet(std::size_t lines, const std::function<opening(const std::string&)>& make,
                    const std::function<bool(int)>& good) {
    for (int value = 0; value < 256; ++value) {
        const std::string text =
            "x" + std::string(1, static_cast<char>(static_cast<octet>(value))) + "y";
        std::string head;
        CAPTURE(value);
        const result got = try_to(make(text), &head);
        CHECK(got == (good(value) ? result::done : result::bad_head));
        if (got == result::done) CHECK(support::parse_get(head).head.fields.size() == lines);
    }
}

bool is_token(int value) {
    return support::detail::is_token_char(static_cast<char>(static_cast<octet>(value)));
}
bool is_letter(int value) {
    return (value >= '0' && value <= '9') || ((value | 0x20) >= 'a' && (value | 0x20) <= 'z');
}

const opening plain{.host = "a"};

}  // namespace

TEST_CASE("a request says what RFC 6455 wants, and nothing twice") {
    const support::parsed_get got = parsed(plain);
    CHECK(got.target == "/");
    CHECK(got.head.one("host") == "a");
    CHECK(got.head.one("upgrade") == "websocket");
    CHECK(got.head.one("connection") == "Upgrade");
    CHECK(got.head.one("sec-websocket-key") == "dGhlIHNhbXBsZSBub25jZQ==");
    CHECK(got.head.one("sec-websocket-version") == "13");
    CHECK(got.head.fields.size() == 5);
}

TEST_CASE("what is optional is a line of its own") {
    const std::array headers{field{"Origin", "http://a"}, field{"Cookie", "b=c"}};
    const support::parsed_get got = parsed({.host = "a:8080",
                                            .target = "/chat?x",
                                            .protocols = "one, two",
                                            .extensions = "permessage-deflate; a=\"b\"",
                                            .user = "Aladdin",
                                            .password = "open sesame",
                                            .headers = headers});
    CHECK(got.target == "/chat?x");
    CHECK(got.head.one("host") == "a:8080");
    CHECK(got.head.one("sec-websocket-protocol") == "one, two");
    CHECK(got.head.one("sec-websocket-extensions") == "permessage-deflate; a=\"b\"");
    CHECK(got.head.one("authorization") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(got.head.one("origin") == "http://a");
    CHECK(got.head.one("cookie") == "b=c");
    CHECK(got.head.fields.size() == 10);
    CHECK(parsed({.host = "a", .bearer = "mF_9.B5f-4.1JqM="}).head.one("authorization") ==
          "Bearer mF_9.B5f-4.1JqM=");
    CHECK(parsed({.host = "a", .user = "u"}).head.one("authorization") == "Basic dTo=");
}

TEST_CASE("a target begins with a slash, even where it was left out") {
    struct row {
        std::string given;
        std::string sent;
    };
    for (const row& each : {row{"", "/"}, row{"/", "/"}, row{"?a=b", "/?a=b"}, row{"/a?b", "/a?b"},
                            row{"//a", "//a"}}) {
        CHECK(parsed({.host = "a", .target = each.given}).target == each.sent);
    }
    for (const std::string bad : {"a", "http://a/", "*", " /", "/ ", "/a b", "/#", "#", "/\r\nX: y",
                                  "/ HTTP/1.1\r\nX: y", "/%", "/%2", "/%2g", "/\xC3\xA9"}) {
        CAPTURE(bad);
        CHECK(try_to({.host = "a", .target = bad}) == result::bad_head);
    }
}

TEST_CASE("H10 every octet in a target") {
    std::string target;
    for_each_octet(
        5,
        [&](const std::string& text) {
            target = "/" + text;
            return opening{.host = "a", .target = target};
        },
        [](int value) {
            return is_letter(value) ||
                   (value != 0 && value < 128 &&
                    std::string_view("-._~!$&'()*+,;=:@/?").find(static_cast<char>(value)) !=
                        std::string_view::npos);
        });
    CHECK(parsed({.host = "a", .target = "/%23%fF"}).target == "/%23%fF");
}

TEST_CASE("H10 every octet in a host") {
    for_each_octet(
        5, [](const std::string& text) { return opening{.host = text}; },
        [](int value) { return is_letter(value) || value == '.' || value == '-' || value == '_'; });
    for (const std::string bad : {"", ":80", "a:", "a:0", "a:65536", "a:+80", "u@a", "[::1", "::1",
                                  "a/", "a?", " a", "a "}) {
        CAPTURE(bad);
        CHECK(try_to({.host = bad}) == result::bad_head);
    }
    for (const std::string good : {"a", "a.", "127.0.0.1:80", "[::1]", "[::1]:65535"}) {
        CAPTURE(good);
        CHECK(parsed({.host = good}).head.one("host") == good);
    }
}

TEST_CASE("H10 every octet in a list of subprotocols") {
    for_each_octet(
        6, [](const std::string& text) { return opening{.host = "a", .protocols = text}; },
        [](int value) { return is_token(value) || value == ','; });
    for (const std::string bad :
         {"a, a", "a,b,a", " a", "a ", "a b", "a, b c", "\"a\"", "a, \"b", "a;b", "a\r\nX: y"}) {
        CAPTURE(bad);
        CHECK(try_to({.host = "a", .protocols = bad}) == result::bad_head);
    }
    CHECK(try_to({.host = "a", .protocols = "a, A"}) == result::done);
}

TEST_CASE("H10 every octet in a list of extensions") {
    for_each_octet(
        6, [](const std::string& text) { return opening{.host = "a", .extensions = text}; },
        [](int value) { return is_token(value) || value == ',' || value == ';'; });
    for (const std::string bad : {"a b", "a;", "a; b=", ",", " a", "a; b=\"c d\"", "a\r\nX: y"}) {
        CAPTURE(bad);
        CHECK(try_to({.host = "a", .extensions = bad}) == result::bad_head);
    }
}

TEST_CASE("H10 every octet in a user, a password and a token") {
    const auto printable = [](int value) { return value >= ' ' && value != 0x7F; };
    for_each_octet(
        6, [](const std::string& text) { return opening{.host = "a", .user = text}; },
        [&](int value) { return printable(value) && value != ':'; });
    for_each_octet(
        6,
        [](const std::string& text) { return opening{.host = "a", .user = "u", .password = text}; },
        printable);
    for_each_octet(
        6, [](const std::string& text) { return opening{.host = "a", .bearer = text}; },
        [](int value) {
            return is_letter(value) ||
                   (value != 0 && std::string_view("-._~+/").find(static_cast<char>(value)) !=
                                      std::string_view::npos);
        });
    CHECK(try_to({.host = "a", .password = "p"}) == result::bad_head);
    CHECK(try_to({.host = "a", .bearer = "="}) == result::bad_head);
    CHECK(try_to({.host = "a", .bearer = "a=b"}) == result::bad_head);
    CHECK(try_to({.host = "a", .bearer = "a=="}) == result::done);
}

TEST_CASE("H10 every octet in the caller's fields") {
    std::array<field, 1> lines;
    for_each_octet(
        6,
        [&](const std::string& text) {
            lines[0] = {text, "v"};
            return opening{.host = "a", .headers = lines};
        },
        is_token);
    for_each_octet(
        6,
        [&](const std::string& text) {
            lines[0] = {"n", text};
            return opening{.host = "a", .headers = lines};
        },
        [](int value) { return value == '\t' || (value >= ' ' && value != 0x7F); });
}

TEST_CASE("H10 the caller's fields are none of those that are written anyway") {
    for (const std::string name :
         {"Host", "HOST", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
          "Sec-WebSocket-Protocol", "sec-websocket-extensions", "Content-Length",
          "Transfer-Encoding"}) {
        const std::array lines{field{name, "x"}};
        CAPTURE(name);
        CHECK(try_to({.host = "a", .headers = lines}) == result::bad_head);
    }
    // At most one line says who asks.
    const std::array once{field{"authorization", "x"}};
    const std::array twice{field{"Authorization", "x"}, field{"AUTHORIZATION", "y"}};
    CHECK(try_to({.host = "a", .headers = once}) == result::done);
    CHECK(try_to({.host = "a", .headers = twice}) == result::bad_head);
    CHECK(try_to({.host = "a", .user = "u", .headers = once}) == result::bad_head);
    CHECK(try_to({.host = "a", .bearer = "b", .headers = once}) == result::bad_head);
    CHECK(try_to({.host = "a", .user = "u", .bearer = "b"}) == result::bad_head);
}

TEST_CASE("a request is written whole, or its size is said and nothing is written") {
    const opening request{.host = "a", .target = "?x", .protocols = "p", .user = "u"};
    std::string whole;
    REQUIRE(try_to(request, &whole) == result::done);
    for (std::size_t room = 0; room <= whole.size() + 2; ++room) {
        const support::guarded out(std::vector<octet>(room, 0xA5));
        const written got = write_request(request, key, out.span());
        const std::size_t used = room < whole.size() ? 0 : whole.size();
        CAPTURE(room);
        CHECK(got == written{used == 0 ? result::full : result::done, whole.size()});
        CHECK(text_of({out.span().first(used)}) == whole.substr(0, used));
        for (const octet o : out.span().subspan(used)) CHECK(o == 0xA5);
    }
}
