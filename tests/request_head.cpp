// request_head.cpp -- tests of request_head.hpp.
#include <sockless/request_head.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/heads.hpp"

using sockless::octet;
using sockless::request_head;
using sockless::text_view;
using support::head_of;
using support::literal;
using support::octets_of_text;
using support::text_of;

namespace {

static_assert(std::is_trivially_copyable_v<request_head>);
static_assert(sizeof(request_head) <= 3 * sizeof(void*));

constexpr auto sample = literal(
    "GET /chat?room=1 HTTP/1.1\r\nHost: a\r\nCookie: id=7; lang=en\r\n"
    "Sec-WebSocket-Protocol: chat, superchat\r\n\r\n");
constexpr request_head sample_head(sample, 12, 0);
static_assert(sample_head.target() == "/chat?room=1");
static_assert(sample_head.path() == "/chat" && sample_head.query() == "room=1");
static_assert(sample_head.host() == "a" && !sample_head.origin());
static_assert(sample_head.cookie("lang") == text_view{literal("en")});
static_assert(sample_head.offers("superchat") && !sample_head.offers("super"));
static_assert(!sample_head.is_upgrade() && sample_head.key().empty());
static_assert(sample_head.method() == "GET");

// A head that lies where a step outside is noticed.
struct request {
    explicit request(const std::string& target, std::vector<std::string> lines = {})
        : octets(octets_of_text(text(target, std::move(lines)))), target_size(target.size()) {}

    static std::string text(const std::string& target, std::vector<std::string> lines) {
        lines.insert(lines.begin(), "GET " + target + " HTTP/1.1");
        return head_of(lines);
    }
    request_head head(std::size_t key_at = 0) const { return {octets.span(), target_size, key_at}; }

    support::guarded octets;
    std::size_t target_size;
};

std::string text_or_none(const std::optional<text_view>& text) {
    return text ? text_of(*text) : "none";
}

}  // namespace

TEST_CASE("a target has a path and a query, and perhaps a host in front") {
    struct row {
        std::string target;
        std::string path;
        std::string query;
        std::string host;
    };
    for (const row& each : std::vector<row>{
             {"/", "/", "", "field"},
             {"/a/b", "/a/b", "", "field"},
             {"/a?", "/a", "", "field"},
             {"/a?b=c", "/a", "b=c", "field"},
             {"/a?b?c/d", "/a", "b?c/d", "field"},
             {"/?b", "/", "b", "field"},
             {"//x", "//x", "", "field"},
             {"http://x", "/", "", "x"},
             {"http://x/", "/", "", "x"},
             {"HTTP://x:8080/a?b", "/a", "b", "x:8080"},
             {"https://[::1]:443?b", "/", "b", "[::1]:443"},
             {"https://x?b/c", "/", "b/c", "x"},
         }) {
        const request asked(each.target, {"Host: field"});
        CAPTURE(each.target);
        CHECK(text_of(asked.head().target()) == each.target);
        CHECK(text_of(asked.head().path()) == each.path);
        CHECK(text_of(asked.head().query()) == each.query);
        CHECK(text_of(asked.head().host()) == each.host);
        CHECK(asked.head().octets().size() == asked.octets.span().size());
    }
}

TEST_CASE("the authority in a target ends with the target, however that is given") {
    for (const std::string text :
         {"http://a:80", "http://a:80/b", "http://a:80?b", "http://a:80 HTTP/1.1"}) {
        const support::guarded target(octets_of_text(text));
        const sockless::head_piece piece = sockless::authority_of({target.span()}, 4);
        CHECK(piece.begin == 4 + 7);
        CHECK(piece.end == 4 + 11);
    }
}

TEST_CASE("H7 fields are found by name, the first of several, blank or not") {
    const request asked("/", {"Host: a", "X: 1", "x: 2", "Blank:   ", "Origin: http://b"});
    const request_head head = asked.head();
    CHECK(text_or_none(head.header("X")) == "1");
    CHECK(text_or_none(head.header("x")) == "1");
    CHECK(text_or_none(head.header("blank")).empty());
    CHECK(text_or_none(head.header("none")) == "none");
    CHECK(text_or_none(head.header("")) == "none");
    CHECK(text_or_none(head.origin()) == "http://b");
    std::string all;
    for (const text_view value : head.headers("X")) all += text_of(value);
    CHECK(all == "12");
    int lines = 0;
    for (const sockless::field_view& line : head.headers()) lines += line.name.empty() ? 0 : 1;
    CHECK(lines == 5);
}

TEST_CASE("a cookie is found by its whole name, in any of the lines") {
    const request asked("/", {"Cookie: a=1; b=2;c=3 ; aa=4", "Cookie: d=5=6; e; =7; f=; g=\"8\"",
                              "cookie: h=9; a=10;"});
    const request_head head = asked.head();
    struct row {
        std::string name;
        std::string value;
    };
    for (const row& each :
         {row{"a", "1"}, row{"b", "2"}, row{"c", "3"}, row{"aa", "4"}, row{"d", "5=6"},
          row{"e", "none"}, row{"", "7"}, row{"f", ""}, row{"g", "\"8\""}, row{"h", "9"},
          row{"A", "none"}, row{"aaa", "none"}, row{"d=5", "none"}}) {
        CAPTURE(each.name);
        CHECK(text_or_none(head.cookie(each.name)) == each.value);
    }
    CHECK(text_or_none(request("/", {"Host: a"}).head().cookie("a")) == "none");
}

TEST_CASE("subprotocols and extensions are offered over several lines") {
    const request asked("/", {"Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Extensions: x; y=1",
                              "sec-websocket-protocol: ,c", "sec-websocket-extensions: z"});
    const request_head head = asked.head();
    std::string protocols;
    for (const text_view each : head.protocols()) protocols += text_of(each) + ";";
    CHECK(protocols == "a;b;c;");
    std::string extensions;
    for (const text_view each : head.extensions()) extensions += text_of(each) + ";";
    CHECK(extensions == "x; y=1;z;");
    for (const std::string each : {"a", "b", "c"}) CHECK(head.offers(each));
    for (const std::string each : {"C", "", "ab", "a,", "a, b"}) CHECK(!head.offers(each));
}

TEST_CASE("a request for a WebSocket has a key") {
    const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
    const request asked("/", {"Sec-WebSocket-Key: " + key});
    const request_head head = asked.head(16 + 19);
    CHECK(head.is_upgrade());
    CHECK(text_of(head.key()) == key);
    CHECK(!asked.head().is_upgrade());
    CHECK(asked.head().key().empty());
}

TEST_CASE("a request that is none says nothing") {
    const request_head none;
    CHECK(none.target().empty());
    CHECK(text_of(none.path()) == "/");
    CHECK(none.query().empty());
    CHECK(none.host().empty());
    CHECK(none.key().empty());
    CHECK(!none.origin());
    CHECK(!none.cookie("a"));
    CHECK(!none.offers("a"));
    CHECK(!none.is_upgrade());
    CHECK(none.octets().empty());
    CHECK(request_head::method() == "GET");
    CHECK(!none.headers().first());
}
