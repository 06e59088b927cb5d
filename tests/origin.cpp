// origin.cpp -- tests of origin.hpp.
#include <sockless/origin.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/octets.hpp"

using sockless::authority;
using sockless::default_port;
using sockless::octet;
using sockless::octets_of;
using sockless::origin_parts;
using sockless::origins;
using sockless::parse_authority;
using sockless::parse_origin;
using sockless::text_view;

namespace {

template <std::size_t Size>
struct literal {
    std::array<octet, Size> octets{};
    constexpr literal(const char (&text)[Size]) { sockless::copy_text({text, Size - 1}, octets); }
    constexpr operator text_view() const { return {std::span(octets).first(Size - 1)}; }
};

constexpr std::array<std::string_view, 4> ours{"https://example.org", "https://example.org:8443",
                                               "https://*.example.net", "http://[::1]:3000"};

static_assert(origins(ours).allow(literal("https://example.org"), literal("x")));
static_assert(origins(ours).allow(literal("https://www.example.net"), literal("x")));
static_assert(!origins(ours).allow(literal("https://example.net"), literal("x")));
static_assert(!origins(ours).allow(literal("http://example.org"), literal("example.org")));
static_assert(origins(ours).allow(std::nullopt, literal("x")));
static_assert(origins::same_host.allow(literal("http://example.org"), literal("example.org")));
static_assert(!origins::same_host.allow(literal("http://example.com"), literal("example.org")));
static_assert(origins::any.allow(literal("null"), literal("example.org")));
static_assert(parse_origin(literal("https://example.org:8443")).port == 8443);
static_assert(parse_authority("[::1]:80").host == 5);
static_assert(!parse_authority("example.org:0") && !parse_authority(""));
// An entry longer than any origin stands for none.
static_assert(
    !origins(std::array<std::string_view, 1>{std::string_view(
                 "https://"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")})
         .allow(literal("https://a"), literal("x")));

bool allows(const origins& from, std::string_view origin, std::string_view host) {
    const support::guarded page(octets_of(origin));
    const support::guarded where(octets_of(host));
    const support::guarded_front page_front(octets_of(origin));
    const support::guarded_front where_front(octets_of(host));
    const bool allowed = from.allow(text_view{page.span()}, text_view{where.span()});
    CHECK(from.allow(text_view{page_front.span()}, text_view{where_front.span()}) == allowed);
    return allowed;
}

bool lists(std::string_view entry, std::string_view origin) {
    const std::array<std::string_view, 1> list{entry};
    return allows(origins(list), origin, "example.org");
}

// "host|port", or "-"
std::string parsed_authority(std::string_view text) {
    const support::guarded octets(octets_of(text));
    const authority found = parse_authority(text_view{octets.span()});
    const authority same = parse_authority(text);
    CHECK(found.host == same.host);
    CHECK(found.port == same.port);
    if (!found) return found.port == 0 ? "-" : "a port of no host";
    return std::string(text.substr(0, found.host)) + '|' + std::to_string(found.port);
}

std::string parsed_origin(std::string_view text) {
    const support::guarded octets(octets_of(text));
    const origin_parts found = parse_origin(text_view{octets.span()});
    if (!found) return "-";
    return std::string(std::string_view(found.scheme)) + '|' +
           std::string(std::string_view(found.host)) + '|' + std::to_string(found.port);
}

// None of these is https://example.org, whatever its author hopes that somebody compares.
constexpr std::string_view nul("https://example.org\0", 20);
constexpr std::string_view nul_within("https://example.org\0.evil.com", 29);
const std::vector<std::string_view> hostile = {
    // nothing, and nobody
    "", " ", "null", "NULL", "undefined", "*", "://", "https", "https:", "https:/", "https://",
    "file://", "about:blank", "data:text/html,x", "javascript://example.org/%0A",
    "blob:https://example.org/1",
    // ours in front
    "https://example.org.evil.com", "https://example.orgevil.com", "https://example.org-evil.com",
    "https://example.org_evil.com", "https://example.organic", "https://example.org.",
    "https://example.org..", "https://example.org,evil.com", "https://example.org;evil.com",
    // ours behind
    "https://evil.com.example.org", "https://evilexample.org", "https://evil-example.org",
    "https://www.example.org", "https://.example.org", "https://..example.org",
    "https://*.example.org", "https://evil.com/https://example.org",
    // ours within
    "https://evil.com/example.org", "https://evil.com?example.org", "https://evil.com#example.org",
    "https://evil.com\\example.org", "https://evil.com:443/example.org",
    "https://evil.com%2Fexample.org", "https://a.example.org.b.com",
    // user information
    "https://example.org@evil.com", "https://evil.com@example.org", "https://@example.org",
    "https://u:p@example.org", "https://example.org:443@evil.com", "https://example.org:@evil.com",
    // a path, a query, a fragment
    "https://example.org/", "https://example.org/x", "https://example.org?", "https://example.org#",
    "https://example.org\\", "https://example.org//", "https:///example.org",
    // ports
    "https://example.org:", "https://example.org:80", "https://example.org:444",
    "https://example.org:0443", "https://example.org:00443", "https://example.org:+443",
    "https://example.org:-443", "https://example.org: 443", "https://example.org:443 ",
    "https://example.org:443:443", "https://example.org:65979", "https://example.org:4294967739",
    "https://example.org:0", "https://example.org:1BB", "https://example.org:443/",
    "https://example.org:443.evil.com", "https://example.org:99999999999999999999443",
    // schemes
    "http://example.org", "HTTP://example.org", "ws://example.org", "wss://example.org",
    "ftp://example.org", "httpss://example.org", "xhttps://example.org", "http://example.org:443",
    "https+x://example.org", "//example.org", "example.org", "example.org:443",
    "https//example.org", "https:example.org", "https:\\\\example.org", "https:/example.org",
    "view-source:https://example.org", "chrome-extension://example.org", " ://example.org",
    // octets
    " https://example.org", "https://example.org ", "\thttps://example.org",
    "https://example.org\t", "https://exa mple.org", "https://example\t.org",
    "https://example.org\r", "https://example.org\n", "https://example.org\x7F", nul, nul_within,
    "\"https://example.org\"", "'https://example.org'", "<https://example.org>",
    "https://example.org\xC2\xA0",      // a no-break space
    "https://ex\xD0\xB0mple.org",       // a Cyrillic letter
    "https://example\xE3\x80\x82org",   // an ideographic full stop
    "https://\xEF\xBD\x85xample.org",   // a letter of full width
    "https://example.org\xE2\x80\x8B",  // a space of no width
    "\xEF\xBB\xBFhttps://example.org",  // a byte order mark
    "https://\xC5\xBF"
    "example.org",                 // a long s, whose upper case is S
    "http\xC5\xBF://example.org",  // the same in the scheme
    "https://xn--xample-9uf.org", "https://ex%61mple.org", "https://example%2Eorg",
    "https://example.or", "https://xample.org", "https://exampleorg", "https://example..org",
    // several
    "https://example.org https://evil.com", "https://evil.com https://example.org",
    "https://example.org,https://evil.com", "https://example.org, https://example.org",
    "https://example.org https://example.org", "null https://example.org",
    // addresses
    "https://[::1]", "https://[example.org]", "https://[example.org", "https://example.org]",
    "https://[]", "https://[::ffff:93.184.216.34]", "https://93.184.216.34", "https://0x5db8d822",
    "https://localhost", "https://127.0.0.1"};

}  // namespace

TEST_CASE("H13 origins that only look like ours are refused") {
    REQUIRE(hostile.size() >= 40);
    for (const std::string_view origin : hostile) {
        CAPTURE(origin);
        CHECK_FALSE(lists("https://example.org", origin));
        CHECK_FALSE(allows(origins(std::span<const std::string_view>{}), origin, "example.org"));
        // Behind TLS or not, a server has the same Host; that is where http differs.
        const bool http = origin == "http://example.org" || origin == "HTTP://example.org";
        CHECK(allows(origins::same_host, origin, "example.org") == http);
        CHECK(allows(origins::any, origin, "example.org"));
    }
}

TEST_CASE("H13 no hostile origin passes a wildcard, but for names below ours") {
    for (const std::string_view origin : hostile) {
        CAPTURE(origin);
        const bool below =
            origin == "https://evil.com.example.org" || origin == "https://www.example.org";
        CHECK(lists("https://*.example.org", origin) == below);
    }
    for (const std::string_view origin :
         {"https://a.example.org", "https://a.b.example.org", "https://A.Example.ORG",
          "https://a.example.org:443", "https://xn--9d0b.example.org", "https://1_-.example.org"}) {
        CAPTURE(origin);
        CHECK(lists("https://*.example.org", origin));
    }
    for (const std::string_view origin :
         {"https://example.org", "https://.example.org", "https://a..example.org",
          "https://aexample.org", "https://a.example.org:8443", "http://a.example.org",
          "https://a.example.org.", "https://a.example.org.com", "https://evil.com/a.example.org",
          "https://u@a.example.org", "https://[::1].example.org", "https://a b.example.org",
          "https://example.org.example.com", "https://.a.example.org"}) {
        CAPTURE(origin);
        CHECK_FALSE(lists("https://*.example.org", origin));
    }
    CHECK(lists("https://*.example.org:8443", "https://a.example.org:8443"));
    CHECK_FALSE(lists("https://*.example.org:8443", "https://a.example.org"));
}

TEST_CASE("H13 an origin is ours if scheme, host and port are") {
    for (const std::string_view origin :
         {"https://example.org", "HTTPS://EXAMPLE.ORG", "https://Example.Org:443",
          "https://example.org:8443", "https://www.example.net", "http://[::1]:3000"}) {
        CAPTURE(origin);
        CHECK(allows(origins(ours), origin, "elsewhere"));
    }
    for (const std::string_view origin :
         {"https://example.org:3000", "https://example.net", "http://[::1]", "https://[::1]:3000",
          "http://[::2]:3000", "http://[0:0:0:0:0:0:0:1]:3000", "http://::1:3000"}) {
        CAPTURE(origin);
        CHECK_FALSE(allows(origins(ours), origin, "elsewhere"));
    }
    CHECK(lists("https://example.org:443", "https://example.org"));
    CHECK(lists("http://example.org", "http://example.org:80"));
    CHECK(lists("app://com.example", "app://com.example"));
    CHECK(lists("app://com.example:7", "APP://com.example:7"));
    CHECK_FALSE(lists("app://com.example", "app://com.example:80"));
    CHECK_FALSE(lists("app://com.example", "apps://com.example"));
}

TEST_CASE("H13 an entry that is no origin stands for nobody") {
    for (const std::string_view entry :
         {"", "*", "null", "example.org", "*.example.org", "https://", "https://*", "https://*.",
          "https://example.org/", "*://example.org", "https://*example.org", "https://*.*.org",
          "https://a.*.org", "https://example.*", "https://example.org:*", "://example.org",
          "https://example.org:0443", "https://u@example.org", "https:example.org"}) {
        CAPTURE(entry);
        for (const std::string_view origin :
             {"https://example.org", "https://a.example.org", "https://evilexample.org", "null",
              "https://a.b.org", "https://*", "https://*.", "", "https://x.", "example.org"}) {
            CAPTURE(origin);
            CHECK_FALSE(lists(entry, origin));
        }
        CHECK_FALSE(lists(entry, entry));
    }
    CHECK_FALSE(lists("https://" + std::string(1000, 'a'), "https://" + std::string(1000, 'a')));
}

TEST_CASE("H13 without an Origin everybody passes") {
    const text_view host{octets_of("example.org")};
    CHECK(origins::same_host.allow(std::nullopt, host));
    CHECK(origins::any.allow(std::nullopt, host));
    CHECK(origins(ours).allow(std::nullopt, host));
    CHECK(origins(std::span<const std::string_view>{}).allow(std::nullopt, host));
    // An empty one is one.
    CHECK_FALSE(origins::same_host.allow(text_view{}, host));
    CHECK_FALSE(origins::same_host.allow(text_view{}, text_view{}));
}

TEST_CASE("H13 a page of the same host has its host and its port") {
    struct row {
        std::string_view origin;
        std::string_view host;
    };
    constexpr std::array<row, 14> same{{
        {"http://example.org", "example.org"},
        {"https://example.org", "example.org"},
        {"http://example.org", "example.org:80"},
        {"https://example.org", "example.org:443"},
        {"http://example.org:80", "example.org"},
        {"https://example.org:443", "example.org"},
        {"http://example.org:8080", "example.org:8080"},
        {"https://example.org:80", "example.org:80"},
        {"HTTP://Example.ORG", "eXample.org"},
        {"http://[::1]:8080", "[::1]:8080"},
        {"https://[2001:DB8::1]", "[2001:db8::1]"},
        {"http://127.0.0.1:1", "127.0.0.1:1"},
        {"http://localhost:65535", "localhost:65535"},
        {"http://example.org.", "example.org."},
    }};
    for (const row& each : same) {
        CAPTURE(each.origin, each.host);
        CHECK(allows(origins::same_host, each.origin, each.host));
    }
    constexpr std::array<row, 27> others{{
        {"http://example.org", "example.org:443"},
        {"https://example.org", "example.org:80"},
        {"http://example.org", "example.org:8080"},
        {"http://example.org:8080", "example.org"},
        {"http://example.org:8080", "example.org:8081"},
        {"http://example.org:443", "example.org"},
        {"https://example.org:80", "example.org"},
        {"http://example.org", "www.example.org"},
        {"http://www.example.org", "example.org"},
        {"http://example.org", "example.org.evil.com"},
        {"http://example.org.", "example.org"},
        {"http://example.org", ""},
        {"http://", ""},
        {"https://", ""},
        {"http://:80", ":80"},
        {"http://example.org", "example.org:"},
        {"http://example.org:", "example.org:"},
        {"http://example.org", "http://example.org"},
        {"example.org", "example.org"},
        {"ftp://example.org", "example.org"},
        {"ftp://example.org:21", "example.org:21"},
        {"httpx://example.org", "example.org"},
        {"xttps://example.org", "example.org"},
        {"http://a/b", "a/b"},
        {"http://u@a", "u@a"},
        {"http://::1", "::1"},
        {"null", "null"},
    }};
    for (const row& each : others) {
        CAPTURE(each.origin, each.host);
        CHECK_FALSE(allows(origins::same_host, each.origin, each.host));
    }
}

TEST_CASE("an authority is a host and perhaps a port") {
    CHECK(parsed_authority("a") == "a|0");
    CHECK(parsed_authority("example.org") == "example.org|0");
    CHECK(parsed_authority("example.org.") == "example.org.|0");
    CHECK(parsed_authority("example.org.:1") == "example.org.|1");
    CHECK(parsed_authority("A-b_c.9:65535") == "A-b_c.9|65535");
    CHECK(parsed_authority("127.0.0.1:10") == "127.0.0.1|10");
    CHECK(parsed_authority("[::]") == "[::]|0");
    CHECK(parsed_authority("[2001:DB8::1]:8080") == "[2001:DB8::1]|8080");
    CHECK(parsed_authority("[::ffff:127.0.0.1]:1") == "[::ffff:127.0.0.1]|1");
    for (const std::string_view text : {"",
                                        ".",
                                        "..",
                                        ".a",
                                        "a..b",
                                        "a..",
                                        ":",
                                        ":80",
                                        "a:",
                                        "a:0",
                                        "a:00",
                                        "a:01",
                                        "a:080",
                                        "a:65536",
                                        "a:99999",
                                        "a:4294967297",
                                        "a:18446744073709551617",
                                        "a:8x",
                                        "a:x",
                                        "a:-1",
                                        "a:+1",
                                        "a: 1",
                                        "a:1 ",
                                        "a:1:1",
                                        " a",
                                        "a ",
                                        "a/",
                                        "a?",
                                        "a#",
                                        "u@a",
                                        "a@",
                                        "a\\b",
                                        "a*",
                                        "*",
                                        "*.a",
                                        "a%41",
                                        "a,b",
                                        "a!b",
                                        "a~b",
                                        "a'b",
                                        "(a)",
                                        "a;b",
                                        "a=b",
                                        "[",
                                        "[]",
                                        "[:",
                                        "[:]",
                                        "[1]",
                                        "[::1",
                                        "::1",
                                        "[::1]x",
                                        "[::1]]",
                                        "[[::1]]",
                                        "[::1]:",
                                        "[::1]:0",
                                        "[::g]",
                                        "[::1%25eth0]",
                                        "[::1 ]",
                                        "[a/b]",
                                        "]",
                                        "a[::1]",
                                        "[v1.x]",
                                        "a\x80",
                                        "\xC3\xA9"}) {
        CAPTURE(text);
        // One digit is too little for an address, and so is one colon.
        CHECK(parsed_authority(text) == "-");
    }
}

TEST_CASE("any octet in a host but letters, digits, dots, hyphens and underscores is refused") {
    for (unsigned i = 0; i < 256; ++i) {
        const char c = static_cast<char>(static_cast<octet>(i));
        const bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        const std::string name = "a" + std::string(1, c) + "b";
        const std::string address = "[:" + std::string(1, c) + "]";
        CAPTURE(i);
        CHECK((parsed_authority(name) == name + "|0") ==
              (alphanumeric || c == '.' || c == '-' || c == '_'));
        CHECK((parsed_authority(name) != "-") == (parsed_authority(name) == name + "|0"));
        CHECK((parsed_authority(address) != "-") == (hex || c == ':' || c == '.'));
        const std::string port = "a:" + std::string(1, c) + "1";
        CHECK((parsed_authority(port) != "-") == (c >= '1' && c <= '9'));
    }
}

TEST_CASE("a host has at most 255 octets") {
    const std::string longest(255, 'a');
    CHECK(parsed_authority(longest) == longest + "|0");
    CHECK(parsed_authority(longest + ":65535") == longest + "|65535");
    CHECK(parsed_authority(longest + 'a') == "-");
    CHECK(parsed_authority(longest + "a:1") == "-");
    const std::string address = '[' + std::string(253, ':') + ']';
    CHECK(parsed_authority(address) == address + "|0");
    CHECK(parsed_authority('[' + std::string(254, ':') + ']') == "-");
    CHECK(sockless::longest_authority == 261);
}

TEST_CASE("every port is read as what it says") {
    for (unsigned port = 1; port <= 65535; ++port) {
        const std::string text = "a:" + std::to_string(port);
        const authority found = parse_authority(text);
        if (found.port != port || found.host != 1) FAIL_CHECK(text);
    }
}

TEST_CASE("an origin is a scheme, a host and a port") {
    CHECK(parsed_origin("http://example.org") == "http|example.org|80");
    CHECK(parsed_origin("https://example.org") == "https|example.org|443");
    CHECK(parsed_origin("HTTPS://example.org") == "HTTPS|example.org|443");
    CHECK(parsed_origin("https://example.org:80") == "https|example.org|80");
    CHECK(parsed_origin("chrome-extension://abc") == "chrome-extension|abc|0");
    CHECK(parsed_origin("a0+-.Z://b") == "a0+-.Z|b|0");
    CHECK(parsed_origin("app://[::1]:1") == "app|[::1]|1");
    for (const std::string_view text : {"",
                                        "null",
                                        "http",
                                        "http:",
                                        "http:/",
                                        "http://",
                                        "://a",
                                        "http://*.a",
                                        "http://*",
                                        "http:///a",
                                        "http:/a",
                                        "ht tp://a",
                                        "http ://a",
                                        "http://a/",
                                        "http://u@a",
                                        "a",
                                        "http://a:0",
                                        "http://a http://b",
                                        "ht\xC3\xA9://a",
                                        "http:x/a",
                                        "http:/xa",
                                        "*://a",
                                        "1a://b",
                                        "+a://b",
                                        "-a://b",
                                        ".a://b",
                                        "a_b://c",
                                        "a*://b"}) {
        CAPTURE(text);
        CHECK(parsed_origin(text) == "-");
    }
}

TEST_CASE("http and https have a port that goes without saying") {
    CHECK(default_port(text_view{octets_of("http")}) == 80);
    CHECK(default_port(text_view{octets_of("HTTPS")}) == 443);
    for (const std::string_view scheme : {"", "ws", "wss", "httpss", "htt", "ftp"}) {
        CHECK(default_port(text_view{octets_of(scheme)}) == 0);
    }
}
