// uri.cpp -- tests of uri.hpp.
#include <sockless/uri.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/octets.hpp"

using sockless::is_target;
using sockless::octet;
using sockless::octets_of;
using sockless::parse_uri;
using sockless::text_view;
using sockless::uri;

namespace {

constexpr bool is(std::string_view text, bool secure, std::string_view host, int port,
                  std::string_view authority, std::string_view target) {
    const std::optional<uri> found = parse_uri(text);
    return found && found->secure == secure && found->host == host && found->port == port &&
           found->authority == authority && found->target == target;
}
static_assert(is("ws://example.org", false, "example.org", 80, "example.org", ""));
static_assert(is("wss://example.org/chat", true, "example.org", 443, "example.org", "/chat"));
static_assert(is("wss://[::1]:8443?a=b", true, "::1", 8443, "[::1]:8443", "?a=b"));
static_assert(!parse_uri("ws://example.org/#top") && !parse_uri("http://example.org/"));
static_assert(is_target("/%7Euser") && !is_target("/%7") && !is_target("x"));

// "wss host port authority target", or "-"
std::string read(std::string_view text) {
    const support::guarded octets(octets_of(text));
    const std::optional<uri> found = parse_uri(text_view{octets.span()});
    if (!found) return "-";
    // Views into the text, and into nothing else.
    const auto* const begin = octets.span().data();
    for (const std::string_view part : {found->host, found->authority, found->target}) {
        const octet* const at = octets_of(part).data();
        CHECK(at >= begin);
        CHECK(at + part.size() <= begin + octets.span().size());
    }
    return std::string(found->secure ? "wss " : "ws ") + std::string(found->host) + ' ' +
           std::to_string(found->port) + ' ' + std::string(found->authority) + ' ' +
           std::string(found->target);
}

bool target(std::string_view text) {
    const support::guarded octets(octets_of(text));
    return is_target(text_view{octets.span()});
}

constexpr std::string_view unreserved =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
constexpr std::string_view others = "!$&'()*+,;=:@/?";  // sub-delims, and what RFC 3986, 3.3 adds

}  // namespace

TEST_CASE("URIs are taken apart as a client needs them") {
    CHECK(read("ws://example.org") == "ws example.org 80 example.org ");
    CHECK(read("ws://example.org/") == "ws example.org 80 example.org /");
    CHECK(read("wss://example.org") == "wss example.org 443 example.org ");
    CHECK(read("WS://Example.ORG/Chat") == "ws Example.ORG 80 Example.ORG /Chat");
    CHECK(read("wSs://example.org") == "wss example.org 443 example.org ");
    CHECK(read("ws://a:1/b/c?d=e&f=/?") == "ws a 1 a:1 /b/c?d=e&f=/?");
    CHECK(read("ws://a?b") == "ws a 80 a ?b");
    CHECK(read("ws://a:65535?") == "ws a 65535 a:65535 ?");
    CHECK(read("ws://127.0.0.1:9001/getCaseCount") ==
          "ws 127.0.0.1 9001 127.0.0.1:9001 /getCaseCount");
    CHECK(read("ws://a//b") == "ws a 80 a //b");
    CHECK(read("ws://a/%C3%A9%23%00") == "ws a 80 a /%C3%A9%23%00");
    CHECK(read("ws://a./b") == "ws a. 80 a. /b");
}

TEST_CASE("a port that is the default of the scheme is left out of the Host field") {
    CHECK(read("ws://a:80/") == "ws a 80 a /");
    CHECK(read("wss://a:443/") == "wss a 443 a /");
    CHECK(read("ws://a:443/") == "ws a 443 a:443 /");
    CHECK(read("wss://a:80/") == "wss a 80 a:80 /");
    CHECK(read("wss://[::1]:443") == "wss ::1 443 [::1] ");
}

TEST_CASE("an IPv6 address has brackets where it travels, and none where it is looked up") {
    CHECK(read("ws://[::1]") == "ws ::1 80 [::1] ");
    CHECK(read("ws://[2001:DB8::1]:8080/x") == "ws 2001:DB8::1 8080 [2001:DB8::1]:8080 /x");
    CHECK(read("ws://[::ffff:127.0.0.1]?") == "ws ::ffff:127.0.0.1 80 [::ffff:127.0.0.1] ?");
}

TEST_CASE("whatever is no ws or wss URI is refused") {
    for (const std::string_view text : {"",
                                        "w",
                                        "ws",
                                        "ws:",
                                        "ws:/",
                                        "ws://",
                                        "wss://",
                                        "ws:///",
                                        "ws://?",
                                        "ws:a",
                                        "ws:/a",
                                        "ws:\\\\a",
                                        "//a",
                                        "/a",
                                        "a",
                                        "a:80",
                                        "http://a",
                                        "https://a",
                                        "wsx://a",
                                        "wsss://a",
                                        "xws://a",
                                        "ws ://a",
                                        " ws://a",
                                        "ws:// a",
                                        "ws://a ",
                                        "ws://a/ ",
                                        "\tws://a",
                                        "ws://a\n",
                                        "ws://a\r\nHost: b",  // schemes, blanks and line ends
                                        "ws://u@a",
                                        "ws://u:p@a",
                                        "ws://@a",
                                        "ws://u:p@a:80/",
                                        "ws://a@",  // a user
                                        "ws://a#",
                                        "ws://a/#",
                                        "ws://a/#b",
                                        "ws://a?#",
                                        "ws://a/b#c?d",  // a fragment
                                        "ws://:80",
                                        "ws://:80/",
                                        "ws://a:",
                                        "ws://a:/",
                                        "ws://a:0",
                                        "ws://a:00",  // ports
                                        "ws://a:080",
                                        "ws://a:65536",
                                        "ws://a:100000",
                                        "ws://a:4294967376",
                                        "ws://a:-1",
                                        "ws://a:+80",
                                        "ws://a: 80",
                                        "ws://a:80 ",
                                        "ws://a:8o",
                                        "ws://a:80:80",
                                        "ws://a:80a",
                                        "ws://[]",
                                        "ws://[:]",
                                        "ws://[::1",
                                        "ws://::1",
                                        "ws://[::1]x",
                                        "ws://[::1]:",  // IPv6
                                        "ws://[::1]:x",
                                        "ws://[::g]",
                                        "ws://[fe80::1%25eth0]",
                                        "ws://[fe80::1%eth0]",
                                        "ws://.",
                                        "ws://.a",
                                        "ws://a..b",
                                        "ws://a_b!",
                                        "ws://a%41",
                                        "ws://*",
                                        "ws://a,b",  // hosts
                                        "ws://\xC3\xA9",
                                        "ws://a\\b",
                                        "ws://a|b",
                                        "ws://a<b",
                                        "ws://{a}",
                                        "ws://a/%",
                                        "ws://a/%4",
                                        "ws://a/%4g",
                                        "ws://a/%g4",
                                        "ws://a/%%41",
                                        "ws://a/%4%41",
                                        "ws://a/\"",
                                        "ws://a/<>",
                                        "ws://a/\\",
                                        "ws://a/^",
                                        "ws://a/`",
                                        "ws://a/{}",
                                        "ws://a/|",
                                        "ws://a/[",
                                        "ws://a/]",
                                        "ws://a/b c",
                                        "ws://a/\x7F",
                                        "ws://a/\xC3\xA9",
                                        "ws://a?b c"}) {
        CAPTURE(text);
        CHECK(read(text) == "-");
    }
    CHECK(read(std::string_view("ws://a\0", 7)) == "-");
    CHECK(read(std::string_view("ws://a/\0", 8)) == "-");
    CHECK(read(std::string_view("ws\0://a", 7)) == "-");
    CHECK(read("ws://" + std::string(255, 'a')) != "-");
    CHECK(read("ws://" + std::string(256, 'a')) == "-");
    CHECK(read("ws://" + std::string(300, 'a')) == "-");
}

TEST_CASE("every beginning of a URI is judged by itself") {
    const std::string_view text = "wss://[::1]:8443/a?b=%41";
    std::string judged;
    for (std::size_t size = 0; size <= text.size(); ++size) {
        judged += read(text.substr(0, size)) == "-" ? 'n' : 'y';
    }
    // Behind "]", each digit of the port, and all of the target but the middle of "%41".
    CHECK(judged == "nnnnnnnnnnnynyyyyyyyyynny");
}

TEST_CASE("H10 any octet in a target that is no URI character is refused") {
    for (unsigned i = 0; i < 256; ++i) {
        const std::string one(1, static_cast<char>(static_cast<octet>(i)));
        const bool good = unreserved.find(one) != std::string_view::npos ||
                          others.find(one) != std::string_view::npos;
        const bool digit = i < 128 && std::string_view("0123456789abcdefABCDEF").find(one) !=
                                          std::string_view::npos;
        CAPTURE(i);
        CHECK(target("/" + one) == good);
        CHECK(target("/a" + one + "b") == good);
        CHECK(target("?" + one) == good);
        CHECK(target("/%" + one + "0") == digit);
        CHECK(target("/%0" + one) == digit);
        CHECK(target(one) == (one == "/" || one == "?"));
        CHECK((read("ws://a/" + one) != "-") == good);
    }
}

TEST_CASE("a target is empty or begins with a slash or a question mark") {
    CHECK(target(""));
    CHECK(target("/"));
    CHECK(target("?"));
    CHECK(target("//"));
    CHECK(target("/%41%42"));
    CHECK_FALSE(target("a"));
    CHECK_FALSE(target("a/"));
    CHECK_FALSE(target("*"));
    CHECK_FALSE(target("%2F"));
    CHECK_FALSE(target("http://a/"));
    CHECK_FALSE(target("/%"));
    CHECK_FALSE(target("/%4"));
}
