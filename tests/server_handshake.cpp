// server_handshake.cpp -- tests of server_handshake.hpp.
#include <sockless/server_handshake.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/heads.hpp"
#include "support/heap_watch.hpp"

using sockless::accept;
using sockless::answer;
using sockless::field;
using sockless::limits;
using sockless::octet;
using sockless::origins;
using sockless::outcome;
using sockless::refuse;
using sockless::request_head;
using sockless::request_kind;
using sockless::respond;
using sockless::result;
using sockless::rule;
using sockless::server_handshake;
using sockless::text_view;
using sockless::written;
using support::and_also;
using support::head_of;
using support::literal;
using support::octets_of_text;
using support::text_of;
using support::with;
using support::without;

namespace {

using is = outcome<request_kind>::is;
using texts = std::vector<std::string>;

static_assert(std::is_trivially_copyable_v<server_handshake>);

// RFC 6455, 1.2 and 1.3: the whole handshake, in the compiler.
constexpr auto example = literal(
    "GET /chat HTTP/1.1\r\n"
    "Host: server.example.com\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Origin: http://server.example.com\r\n"
    "Sec-WebSocket-Protocol: chat, superchat\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "\r\n"
    "\x81\x85");

constexpr bool opens(std::size_t step) {
    server_handshake handshake;
    for (std::size_t size = 0; size < example.size() - 2; size += step) {
        if (handshake.read(std::span(example).first(size)).what != is::not_yet) return false;
    }
    const outcome<request_kind> got = handshake.read(example);
    if (got.what != is::value || got.value != request_kind::upgrade) return false;
    if (got.used != example.size() - 2) return false;
    std::array<octet, 256> out{};
    const written done = accept(handshake.request(example), {.protocol = "chat"}, out);
    return done.what == result::done && text_view{std::span(out).first(done.octets)} ==
                                            "HTTP/1.1 101 Switching Protocols\r\n"
                                            "Upgrade: websocket\r\n"
                                            "Connection: Upgrade\r\n"
                                            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                                            "Sec-WebSocket-Protocol: chat\r\n"
                                            "\r\n";
}
static_assert(opens(1));
static_assert(opens(100));

static_assert([] {
    server_handshake handshake;
    const outcome<request_kind> got = handshake.read(literal("GET /chat HTTP/1.0\r\n"));
    return got.what == is::broken && got.broken == rule::bad_request_line && got.used == 17;
}());

static_assert([] {
    std::array<octet, sockless::longest_refusal> out{};
    return refuse(rule::bad_version, out) == written{result::done, out.size()} && out[9] == '4' &&
           out[10] == '2' && out[11] == '6';
}());

outcome<request_kind> read(std::string_view head, const limits& limit = {},
                           const origins& from = origins::same_host) {
    return support::read_growing(server_handshake(limit, from), head,
                                 [](server_handshake& handshake, std::span<const octet> octets) {
                                     return handshake.read(octets);
                                 });
}

const texts upgrade{"GET /chat HTTP/1.1",
                    "Host: a",
                    "Upgrade: websocket",
                    "Connection: Upgrade",
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                    "Sec-WebSocket-Version: 13"};

void check_upgrade(const texts& lines, const limits& limit = {},
                   const origins& from = origins::same_host) {
    const std::string head = head_of(lines);
    const outcome<request_kind> got = read(head, limit, from);
    CAPTURE(head, name(got.broken), got.used);
    CHECK(got.what == is::value);
    CHECK(got.value == request_kind::upgrade);
    CHECK(got.used == head.size());
}

// Broken by the octet behind `front`, which is the beginning of the head.
void check_broken(const std::string& front, const std::string& head, rule wanted,
                  const limits& limit = {}, const origins& from = origins::same_host) {
    const outcome<request_kind> got = read(head, limit, from);
    CAPTURE(head, name(got.broken), name(wanted));
    CHECK(got.what == is::broken);
    CHECK(got.broken == wanted);
    CHECK(got.used == front.size());
}

// Broken by the line feed of this line; one behind the last: of the empty line.
void check_broken_line(const texts& lines, std::size_t line, rule wanted, const limits& limit = {},
                       const origins& from = origins::same_host) {
    std::string front = head_of(
        texts(lines.begin(),
              lines.begin() + static_cast<std::ptrdiff_t>(std::min(line + 1, lines.size()))));
    front.erase(front.size() - (line < lines.size() ? 3 : 1));
    check_broken(front, head_of(lines), wanted, limit, from);
}

// A handshake that has read this head, and the head.
struct request {
    explicit request(const texts& lines, const origins& from = origins::any)
        : octets(octets_of_text(head_of(lines))), handshake({}, from) {
        REQUIRE(handshake.read(octets.span()).what == is::value);
    }
    request_head head() const { return handshake.request(octets.span()); }

    support::exact octets;
    server_handshake handshake;
};

// Writes into every room there is: whole, or not at all.
std::string write_everywhere(const std::function<written(std::span<octet>)>& write) {
    const std::size_t size = write({}).octets;
    REQUIRE(size > 0);
    std::string text;
    for (std::size_t room = 0; room <= size + 3; ++room) {
        const support::guarded out(std::vector<octet>(room, 0xA5));
        const written got = write(out.span());
        const std::size_t used = room < size ? 0 : size;
        CAPTURE(room, size);
        CHECK(got == written{used == 0 ? result::full : result::done, size});
        for (const octet o : out.span().subspan(used)) CHECK(o == 0xA5);
        if (used != 0) text = text_of({out.span().first(used)});
    }
    return text;
}

// Writes nothing, and says that it did not.
void check_nothing(result wanted, const std::function<written(std::span<octet>)>& write) {
    const support::guarded out(std::vector<octet>(1024, 0xA5));
    CHECK(write(out.span()) == written{wanted, 0});
    for (const octet o : out.span()) CHECK(o == 0xA5);
}

// ---- what real clients send ---------------------------------------------------------------------

const std::vector<texts> real_clients{
    // Chromium
    {"GET /chat HTTP/1.1", "Host: 127.0.0.1:8080", "Connection: Upgrade", "Pragma: no-cache",
     "Cache-Control: no-cache",
     "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/120.0.0.0 Safari/537.36",
     "Upgrade: websocket", "Origin: http://127.0.0.1:8080", "Sec-WebSocket-Version: 13",
     "Accept-Encoding: gzip, deflate, br", "Accept-Language: en-US,en;q=0.9",
     "Cookie: session=0123456789abcdef; theme=dark", "Sec-WebSocket-Key: 6QnXCyrZQGqZBcFqXoNDsg==",
     "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"},
    // Firefox
    {"GET / HTTP/1.1", "Host: localhost:9001",
     "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
     "Accept: */*", "Accept-Language: en-US,en;q=0.5", "Accept-Encoding: gzip, deflate, br",
     "Sec-WebSocket-Version: 13", "Origin: http://localhost:9001",
     "Sec-WebSocket-Protocol: chat, superchat", "Sec-WebSocket-Extensions: permessage-deflate",
     "Sec-WebSocket-Key: x5cDlL0C0cLg4mJ7JdLBUg==", "DNT: 1", "Connection: keep-alive, Upgrade",
     "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: websocket", "Sec-Fetch-Site: same-origin",
     "Pragma: no-cache", "Cache-Control: no-cache", "Upgrade: websocket"},
    // curl
    {"GET /echo HTTP/1.1", "Host: localhost:9001", "User-Agent: curl/8.5.0", "Accept: */*",
     "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
     "Sec-WebSocket-Key: NVwjmQUcWCenfWu98asDmg=="},
    // Python, websockets
    {"GET / HTTP/1.1", "Host: localhost:8765", "Upgrade: websocket", "Connection: Upgrade",
     "Sec-WebSocket-Key: 7L1rTkKbEb0YJZ3iT0TPoA==", "Sec-WebSocket-Version: 13",
     "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
     "User-Agent: Python/3.11 websockets/12.0"},
    // Node.js, ws
    {"GET /path?token=abc HTTP/1.1", "Sec-WebSocket-Version: 13",
     "Sec-WebSocket-Key: Iv8io/9s+lYFgZWcXczP8Q==", "Connection: Upgrade", "Upgrade: websocket",
     "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
     "Sec-WebSocket-Protocol: json", "Host: localhost:8080"},
};

}  // namespace

TEST_CASE("heads of real clients are accepted") {
    for (const texts& lines : real_clients) {
        check_upgrade(lines);
        const request asked(lines);
        const std::string text =
            write_everywhere([&](std::span<octet> out) { return accept(asked.head(), out); });
        CHECK(support::parse_response(text).status == 101);
    }
    const request chromium(real_clients[0]);
    CHECK(chromium.head().cookie("theme") == text_view{literal("dark")});
    const request firefox(real_clients[1]);
    CHECK(firefox.head().offers("superchat"));
    const request node(real_clients[4]);
    CHECK(text_of(node.head().path()) == "/path");
    CHECK(text_of(node.head().query()) == "token=abc");
}

TEST_CASE("octets behind the head are left, and not looked at") {
    const std::string head = head_of(upgrade);
    for (const std::string& behind :
         {std::string("\x81\x85"), std::string("\0\r\n", 3), std::string(20000, '\xFF'), head}) {
        const outcome<request_kind> got = [&] {
            server_handshake handshake;
            return handshake.read(octets_of_text(head + behind));
        }();
        CHECK(got.what == is::value);
        CHECK(got.used == head.size());
    }
    // Nor does it matter that there are more of them when one asks again.
    server_handshake handshake;
    for (const std::string& behind : {std::string(), std::string("\r\nHost: b\r\n\r\n")}) {
        const outcome<request_kind> got = handshake.read(octets_of_text(head + behind));
        CHECK(got.what == is::value);
        CHECK(got.value == request_kind::upgrade);
        CHECK(got.used == head.size());
    }
}

TEST_CASE("a request may lie elsewhere when it is asked about") {
    const std::string head = head_of(and_also(upgrade, {"Origin: http://a"}));
    server_handshake handshake;
    for (std::size_t size = 0; size <= head.size(); ++size) {
        const support::guarded piece(octets_of_text(head.substr(0, size)));
        static_cast<void>(handshake.read(piece.span()));
    }
    const support::guarded moved(octets_of_text(head + "more"));
    const request_head request = handshake.request(moved.span());
    CHECK(request.is_upgrade());
    CHECK(request.octets().data() == moved.span().data());
    CHECK(request.octets().size() == head.size());
    CHECK(text_of(request.target()) == "/chat");
    CHECK(text_of(request.key()) == "dGhlIHNhbXBsZSBub25jZQ==");
    CHECK(text_of(request.host()) == "a");
    CHECK(text_of(*request.origin()) == "http://a");
}

TEST_CASE("nothing is taken from the heap") {
    const std::vector<octet> head = octets_of_text(head_of(real_clients[0]));
    std::array<octet, 512> out{};
    const support::heap_watch heap;
    server_handshake handshake;
    const outcome<request_kind> got = handshake.read(head);
    const written open = accept(handshake.request(head), {.extensions = "permessage-deflate"}, out);
    const written no = refuse(rule::bad_key, out);
    CHECK(heap.count() == 0);
    CHECK(got.what == is::value);
    CHECK(open.what == result::done);
    CHECK(no.what == result::done);
}

TEST_CASE("a request that asks for no WebSocket is plain, whatever else it says") {
    for (const texts& lines :
         {texts{"GET / HTTP/1.1", "Host: a"}, texts{"GET / HTTP/1.1", "host: [::1]:80"},
          without(upgrade, 2), with(upgrade, 2, "Upgrade: h2c"),
          with(upgrade, 2, "Upgrade: websockets"), with(upgrade, 2, "Upgrade: web, socket"),
          with(upgrade, 2, "Upgrade:"),
          texts{"GET http://b/ HTTP/1.1", "Host: a", "Content-Length: 0"},
          texts{"GET / HTTP/1.1", "Host: a", "Sec-WebSocket-Version: 7", "Origin: x", "Origin: y",
                "Sec-WebSocket-Key:", "Sec-WebSocket-Protocol: (",
                "Sec-WebSocket-Extensions: ("}}) {
        const std::string head = head_of(lines);
        const outcome<request_kind> got = read(head);
        CAPTURE(head);
        CHECK(got.what == is::value);
        CHECK(got.value == request_kind::plain);
        CHECK(got.used == head.size());
        const request asked(lines);
        CHECK(!asked.head().is_upgrade());
        check_nothing(result::not_offered,
                      [&](std::span<octet> out) { return accept(asked.head(), out); });
        check_nothing(result::not_offered,
                      [&](std::span<octet> out) { return accept(asked.head(), answer{}, out); });
    }
}

TEST_CASE("H8 what is no GET of HTTP/1.1 is refused at once") {
    for (const std::string method : {"POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "PRI", "get"}) {
        check_broken("", head_of(with(upgrade, 0, method + " /chat HTTP/1.1")),
                     rule::bad_request_line);
    }
    check_broken("GE", head_of(with(upgrade, 0, "GEX / HTTP/1.1")), rule::bad_request_line);
    check_broken("GET /chat HTTP/1.", head_of(with(upgrade, 0, "GET /chat HTTP/1.0")),
                 rule::bad_request_line);
    check_broken("GET /chat HTTP/", head_of(with(upgrade, 0, "GET /chat HTTP/2")),
                 rule::bad_request_line);
    check_broken("GET ", head_of(with(upgrade, 0, "GET * HTTP/1.1")), rule::bad_target);
    check_broken("", std::string("\x16\x03\x01\x00\xF1\x01\x00", 7), rule::bad_request_line);
    check_broken("", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", rule::bad_request_line);
}

TEST_CASE("H6 a key of any other length is refused") {
    for (std::size_t size = 0; size <= 64; ++size) {
        const std::string key =
            size < 2 ? std::string(size, 'A') : std::string(size - 2, 'A') + "==";
        if (size == 24) {
            check_upgrade(with(upgrade, 4, "Sec-WebSocket-Key: " + key));
        } else {
            check_broken_line(with(upgrade, 4, "Sec-WebSocket-Key: " + key), 4, rule::bad_key);
        }
        if (size != 24) continue;
        check_broken_line(and_also(upgrade, {upgrade[4]}), 6, rule::bad_key);
        for (std::size_t at = 0; at < size; ++at) {
            std::string other = key;
            other[at] = '?';
            check_broken_line(with(upgrade, 4, "Sec-WebSocket-Key: " + other), 4, rule::bad_key);
        }
    }
    check_broken_line(without(upgrade, 4), 6 - 1, rule::bad_key);
}

TEST_CASE("H8 H12 every version but 13 is refused with a 426") {
    for (int version = -1; version < 300; ++version) {
        const texts lines = with(upgrade, 5, "Sec-WebSocket-Version: " + std::to_string(version));
        if (version == 13) {
            check_upgrade(lines);
        } else {
            check_broken_line(lines, 5, rule::bad_version);
        }
    }
    for (const std::string version : {"", "013", "13, 8", "8, 13", "13;", "x13", "13 13"}) {
        check_broken_line(with(upgrade, 5, "Sec-WebSocket-Version: " + version), 5,
                          rule::bad_version);
    }
    check_broken_line(and_also(upgrade, {"Sec-WebSocket-Version: 13"}), 6, rule::bad_version);
    check_broken_line(and_also(upgrade, {"sec-websocket-version: 8"}), 6, rule::bad_version);
    check_broken_line(without(upgrade, 5), 5, rule::bad_version);
    CHECK(status(rule::bad_version) == 426);
}

TEST_CASE("H12 the drafts before RFC 6455 are not spoken") {
    // hixie-76, with its eight octets behind the head
    const std::string head =
        head_of({"GET /demo HTTP/1.1", "Host: example.com", "Connection: Upgrade",
                 "Upgrade: WebSocket", "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00",
                 "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5", "Origin: http://example.com"});
    const outcome<request_kind> got = read(head);
    CHECK(got.what == is::broken);
    CHECK(got.broken == rule::bad_version);
    // The headers know of one version, and of no field of another.
    for (const std::string file : {"server_handshake", "request_rules", "client_handshake",
                                   "request_writer", "judge", "accept_key"}) {
        std::ifstream in(std::string(SOCKLESS_TEST_DIR) + "/../include/sockless/" + file + ".hpp");
        REQUIRE(in);
        const std::string text(std::istreambuf_iterator<char>(in), {});
        for (const std::string other : {"Key1", "Key2", "Sec-WebSocket-Origin", "hixie", "hybi"}) {
            CHECK(text.find(other) == std::string::npos);
        }
    }
}

TEST_CASE("H8 an upgrade needs Connection, and a token is compared whole") {
    check_broken_line(without(upgrade, 3), 5, rule::bad_connection);
    for (const std::string value : {"", "close", "keep-alive", "no-upgrade", "upgrades",
                                    "Upgrade/1", "\"Upgrade\"", "Upgrade Upgrade", "Upgrade;q=1"}) {
        check_broken_line(with(upgrade, 3, "Connection: " + value), 6, rule::bad_connection);
    }
    for (const std::string value : {"upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade,",
                                    ",,Upgrade ,\t keep-alive", "keep-alive,upgrade"}) {
        check_upgrade(with(upgrade, 3, "Connection: " + value));
    }
    texts two = with(upgrade, 3, "Connection: keep-alive");
    two.emplace_back("CONNECTION: upgrade");
    check_upgrade(two);
    texts upgrades = with(upgrade, 2, "Upgrade: h2c");
    upgrades.emplace_back("upgrade: IRC/6.9, WebSocket");
    check_upgrade(upgrades);
}

TEST_CASE("H8 a request has one host") {
    check_broken_line(without(upgrade, 1), 5, rule::bad_host);
    check_broken_line(texts{"GET / HTTP/1.1"}, 1, rule::bad_host);
    check_broken_line(and_also(upgrade, {"Host: a"}), 6, rule::bad_host);
    check_broken_line(texts{"GET / HTTP/1.1", "Host: a", "host: b"}, 2, rule::bad_host);
    for (const std::string host :
         {"", "a b", "a,b", "a/", "http://a", "u@a", "a:b", "a:0", "[::1", "\"a\"", "\xFF"}) {
        check_broken_line(with(upgrade, 1, "Host: " + host), 1, rule::bad_host);
    }
    for (const std::string host : {"a.b.c:1", "127.0.0.1", "[2001:db8::1]:65535", "A", "xn--a"}) {
        check_upgrade(with(upgrade, 1, "Host: " + host));
    }
}

TEST_CASE("H8 a request has no body") {
    for (const std::string length : {"1", "00", "", "0x0", "0, 0", "+0", "18446744073709551616"}) {
        check_broken_line(and_also(upgrade, {"Content-Length: " + length}), 6, rule::has_body);
        check_broken_line(texts{"GET / HTTP/1.1", "Content-Length: " + length}, 1, rule::has_body);
    }
    check_upgrade(and_also(upgrade, {"Content-Length: 0"}));
    check_broken_line(and_also(upgrade, {"Content-Length: 0", "Content-Length: 0"}), 7,
                      rule::has_body);
    for (const std::string coding : {"chunked", "identity", "", "0", "gzip, chunked"}) {
        check_broken_line(and_also(upgrade, {"transfer-encoding: " + coding}), 6, rule::has_body);
        check_broken_line(texts{"GET / HTTP/1.1", "Transfer-Encoding: " + coding}, 1,
                          rule::has_body);
    }
}

TEST_CASE("H3 H7 lists that are none are refused") {
    for (const std::string value : {"", ",", "a b", "\"a\"", "a,\"", "a/b", "a\x80"}) {
        check_broken_line(and_also(upgrade, {"Sec-WebSocket-Protocol: " + value}), 6,
                          rule::bad_protocol);
    }
    for (const std::string value : {"", ",", "a b", "a;", "a; b=", "a; b=\"\"", "a; b=\"c", "\""}) {
        check_broken_line(and_also(upgrade, {"Sec-WebSocket-Extensions: " + value}), 6,
                          rule::bad_extension);
    }
}

TEST_CASE("H2 what is offered is counted over all lines") {
    limits limit;
    limit.protocols = 2;
    limit.offers = 2;
    limit.parameters = 2;
    texts lines =
        and_also(upgrade, {"Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Extensions: c; d; e",
                           "Sec-WebSocket-Extensions: f"});
    check_upgrade(lines, limit);
    lines.emplace_back("Sec-WebSocket-Protocol: g");
    check_broken_line(lines, 9, rule::bad_protocol, limit);
    lines.back() = "Sec-WebSocket-Extensions: g";
    check_broken_line(lines, 9, rule::bad_extension, limit);
    check_broken_line(and_also(upgrade, {"Sec-WebSocket-Extensions: a; b; c; d"}), 6,
                      rule::bad_extension, limit);
}

TEST_CASE("H13 an origin that may not connect is refused, and two of them are") {
    check_upgrade(and_also(upgrade, {"Origin: http://a"}));
    check_upgrade(and_also(upgrade, {"Origin: https://a"}));
    check_upgrade(and_also(upgrade, {"Origin: http://b"}), {}, origins::any);
    check_upgrade(upgrade);
    for (const std::string origin : {"http://b", "http://a.b", "http://ba", "null", "", "a",
                                     "http://a/", "http://a:81", "http://a, http://a"}) {
        check_broken_line(and_also(upgrade, {"Origin: " + origin}), 7, rule::foreign_origin);
    }
    check_broken_line(and_also(upgrade, {"Origin: http://a", "Origin: http://a"}), 7,
                      rule::foreign_origin);
    check_broken_line(and_also(upgrade, {"Origin: http://a", "origin: x"}), 7, rule::foreign_origin,
                      {}, origins::any);
    const std::array<std::string_view, 1> list{"https://example.org"};
    check_upgrade(and_also(upgrade, {"Origin: https://example.org"}), {}, origins(list));
    check_broken_line(and_also(upgrade, {"Origin: http://a"}), 7, rule::foreign_origin, {},
                      origins(list));
}

TEST_CASE("an absolute target says which host is meant") {
    check_upgrade(with(upgrade, 0, "GET http://b:8080/chat HTTP/1.1"));
    texts lines = with(upgrade, 0, "GET http://b:8080/chat HTTP/1.1");
    lines.emplace_back("Origin: http://b:8080");
    check_upgrade(lines);
    lines.back() = "Origin: http://a";
    check_broken_line(lines, 7, rule::foreign_origin);
    lines = with(upgrade, 0, "GET https://b HTTP/1.1");
    lines.emplace_back("Origin: https://b:443");
    check_upgrade(lines);
    for (const std::string target :
         {"http://u@b/", "http://b:/", "http://b:0?x", "https://[x]", "http://a,b"}) {
        check_broken_line(with(upgrade, 0, "GET " + target + " HTTP/1.1"), 0, rule::bad_target);
    }
    // There has to be a Host all the same.
    lines = without(upgrade, 1);
    lines[0] = "GET http://b/ HTTP/1.1";
    check_broken_line(lines, 5, rule::bad_host);
}

TEST_CASE("a fault is known as soon as it matters") {
    const texts late{"GET / HTTP/1.1",     "Host: a", "Sec-WebSocket-Key: x",
                     "Upgrade: websocket", "X: y",    "Sec-WebSocket-Version: 13",
                     "Connection: Upgrade"};
    check_broken_line(late, 3, rule::bad_key);
    texts early = late;
    std::swap(early[1], early[3]);
    check_broken_line(early, 2, rule::bad_key);
}

TEST_CASE("H7 every octet at every place: accepted, or refused where it stands") {
    const std::string head = head_of(upgrade);
    const std::string_view token = "Upgrade: websocket\r\nConnection: Upgrade";
    const std::size_t upgrade_at = head.find(token);
    for (std::size_t at = 0; at < head.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string other = head;
            other[at] = static_cast<char>(static_cast<octet>(value));
            server_handshake handshake;
            const outcome<request_kind> got = handshake.read(octets_of_text(other));
            const bool bad =
                (value < ' ' && value != '\t' && value != '\r' && value != '\n') || value == 0x7F;
            CAPTURE(at, value);
            if (bad) {
                CHECK(got.what == is::broken);
                CHECK(got.used == at);
            }
            // What opens is the same but for case, the target, the host, the key, and what
            // separates.
            if (got.what == is::value && got.value == request_kind::upgrade && other != head) {
                const bool letter = (value | 0x20) == (head[at] | 0x20);
                const bool in_line = at > upgrade_at;
                const bool free = at < upgrade_at || head.find("Key: ") < at;
                const bool blank = (value == '\t' || value == ',') && head[at] == ' ';
                CHECK((letter || blank || free || !in_line));
            }
            if (got.what == is::broken) CHECK(got.used <= other.size() - 1);
        }
    }
}

TEST_CASE("H7 obs-fold, bare ends of lines and blanks before a colon are refused") {
    const std::string head = head_of(upgrade);
    const std::size_t line = head.find("Upgrade:");
    struct row {
        std::string text;
        std::size_t more;  // octets in front of the one that is refused
    };
    for (const row& each : std::vector<row>{{" x", 0},
                                            {"\tx", 0},
                                            {": x\r\n", 0},
                                            {"x : y\r\n", 1},
                                            {"x\r\n", 1},
                                            {"x: y\n", 4},
                                            {"x: y\rz", 5},
                                            {"\n", 0},
                                            {"\rx", 1},
                                            {"x\xFF: y\r\n", 1}}) {
        check_broken(head.substr(0, line) + std::string(each.more, 'x'),
                     head.substr(0, line) + each.text + head.substr(line), rule::bad_field);
    }
    check_upgrade(and_also(upgrade, {"X:", "Y: \t ", "Z: \x80\xFF"}));
}

TEST_CASE("H4 the upgrade may come last of many lines, and never beyond the limit") {
    texts lines{"GET / HTTP/1.1", "Host: a"};
    while (lines.size() < 61) lines.push_back("X-" + std::to_string(lines.size()) + ": y");
    for (const std::size_t i : {std::size_t{3}, std::size_t{4}, std::size_t{5}, std::size_t{2}}) {
        lines.push_back(upgrade[i]);
    }
    REQUIRE(lines.size() == 65);
    check_upgrade(lines);
    texts many{"GET / HTTP/1.1", "Host: a"};
    while (many.size() < 98) many.push_back("X: y");
    for (const std::size_t i : {std::size_t{3}, std::size_t{4}, std::size_t{5}, std::size_t{2}}) {
        many.push_back(upgrade[i]);
    }
    REQUIRE(many.size() == 102);
    const std::string front = head_of(texts(many.begin(), many.begin() + 65));
    check_broken(front.substr(0, front.size() - 2), head_of(many), rule::many_fields);
    limits wide;
    wide.header_lines = 101;
    check_upgrade(many, wide);
}

TEST_CASE("H5 odd tokens are names like any other") {
    texts odd = upgrade;
    for (const std::string name :
         {"__proto__", "constructor", "toString", "hasOwnProperty", "!#$%&'*+-.^_`|~", "0", "-",
          "Sec-WebSocket", "Sec-WebSocket-", "Sec-WebSocket-Accept", "Sec-WebSocket-Keys"}) {
        odd.push_back(name + ": constructor");
    }
    odd.emplace_back("Sec-WebSocket-Extensions: constructor, __proto__; toString=valueOf");
    odd.emplace_back("Sec-WebSocket-Protocol: constructor");
    check_upgrade(odd);
    const request asked(odd);
    CHECK(text_of(*asked.head().header("__PROTO__")) == "constructor");
    check_nothing(result::not_offered, [&](std::span<octet> out) {
        return accept(asked.head(), {.protocol = "toString"}, out);
    });
}

TEST_CASE("H1 4 MiB of head are refused at the limit, however they come, in the same time") {
    std::vector<octet> head = octets_of_text("GET / HTTP/1.1\r\nHost: a\r\n");
    const std::vector<octet> line = octets_of_text("X: " + std::string(1000, 'v') + "\r\n");
    while (head.size() < std::size_t{4} << 20) head.insert(head.end(), line.begin(), line.end());
    limits limit;
    limit.head = 0xFFFF;
    limit.header_lines = 0xFFFF;
    const auto time_of = [&](std::size_t step, int rounds) {
        const std::clock_t begin = std::clock();
        for (int i = 0; i < rounds; ++i) {
            server_handshake handshake(limit);
            outcome<request_kind> got;
            for (std::size_t size = step; got.what == is::not_yet; size += step) {
                got = handshake.read(std::span(head).first(std::min(size, head.size())));
            }
            if (got.broken != rule::large_head || got.used != 65534) FAIL("not at the limit");
        }
        return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    };
    time_of(head.size(), 1);
    // A scan from the beginning each time would take more than 10,000 times as long.
    const auto whole = time_of(head.size(), 5);
    const auto by_octet = time_of(1, 5);
    CHECK(by_octet < whole * 60 + 0.05);
    server_handshake usual;
    const outcome<request_kind> got = usual.read(head);
    CHECK(got.broken == rule::large_head);
    CHECK(got.used == 8191);
}

TEST_CASE("H2 H3 hostile lines cost what they are long") {
    const auto time_of = [](const std::string& value) {
        limits limit;
        limit.head = 0xFFFF;
        limit.protocols = limit.offers = limit.parameters = 0xFF;
        const std::vector<octet> head = octets_of_text(head_of(and_also(upgrade, {value})));
        const std::clock_t begin = std::clock();
        for (int i = 0; i < 200; ++i) {
            server_handshake handshake(limit);
            if (handshake.read(head).what == is::not_yet) FAIL("not yet");
        }
        return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    };
    for (const std::string name :
         {"Sec-WebSocket-Protocol: b", "Sec-WebSocket-Extensions: b; c=\"",
          "Connection: ", "Upgrade: ", "Host: ", "Origin: http://", "Content-Length: "}) {
        for (const std::string text : {" ", ",", "\"", "\\", ";", "=", "a", "a,", "\\a", "a;"}) {
            const auto repeated = [&](std::size_t size) {
                std::string line = name;
                while (line.size() < size) line += text;
                return line + "x";
            };
            const auto half = time_of(repeated(15000));
            const auto whole = time_of(repeated(30000));
            CAPTURE(name, text);
            // Twice as much, and not four times.
            CHECK(whole < half * 3 + 0.02);
        }
    }
}

TEST_CASE("40 the order of lines, the case of names and blanks decide nothing") {
    struct row {
        texts lines;
        rule broken;
    };
    const std::vector<row> rows{
        {and_also(upgrade, {"Origin: http://a", "Sec-WebSocket-Protocol: p, q"}), rule::none},
        {and_also(upgrade, {"Origin: http://b"}), rule::foreign_origin},
        {with(upgrade, 3, "Connection: close"), rule::bad_connection},
        {with(upgrade, 5, "Sec-WebSocket-Version: 12"), rule::bad_version},
        {without(upgrade, 4), rule::bad_key},
        {without(upgrade, 1), rule::bad_host},
        {and_also(upgrade, {"Transfer-Encoding: chunked"}), rule::has_body},
        {and_also(upgrade, {"Sec-WebSocket-Extensions: ;"}), rule::bad_extension},
        {and_also(upgrade, {"Sec-WebSocket-Protocol: ;"}), rule::bad_protocol},
        {and_also(upgrade, {"Host: a"}), rule::bad_host},
    };
    std::mt19937 random(6455);
    for (const row& each : rows) {
        for (int round = 0; round < 200; ++round) {
            texts lines = each.lines;
            std::shuffle(lines.begin() + 1, lines.end(), random);
            for (std::size_t i = 1; i < lines.size(); ++i) {
                const std::size_t colon = lines[i].find(':');
                for (std::size_t at = 0; at < colon; ++at) {
                    char& c = lines[i][at];
                    const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
                    if (letter && random() % 2 == 0) c = static_cast<char>(c ^ 0x20);
                }
                const auto blanks = [&] {
                    return std::string(random() % 3, random() % 2 ? ' ' : '\t');
                };
                const std::size_t value = lines[i].find_first_not_of(' ', colon + 1);
                lines[i] =
                    lines[i].substr(0, colon + 1) + blanks() + lines[i].substr(value) + blanks();
            }
            server_handshake handshake;
            const outcome<request_kind> got = handshake.read(octets_of_text(head_of(lines)));
            CHECK(got.broken == each.broken);
            CHECK((got.what == is::value) == (each.broken == rule::none));
        }
    }
}

TEST_CASE("15 what opens is a GET with version 13, one key, Upgrade and Connection") {
    std::mt19937 random(13);
    const texts pool{"Host: a",
                     "Upgrade: websocket",
                     "Upgrade: h2c",
                     "Connection: close",
                     "Connection: Upgrade",
                     "Sec-WebSocket-Version: 13",
                     upgrade[4],
                     "Sec-WebSocket-Key: x",
                     "Sec-WebSocket-Version: 8",
                     "Content-Length: 0",
                     "Content-Length: 1",
                     "Origin: http://a",
                     "Origin: http://b",
                     "X: y"};
    int opened = 0;
    for (int round = 0; round < 20000; ++round) {
        texts lines = upgrade;
        std::vector<int> count(pool.size());
        lines.resize(1);
        for (std::size_t i = 0; i < pool.size(); ++i) {
            // Mostly what belongs there.
            const bool good = i == 0 || i == 1 || i == 4 || i == 5 || i == 6;
            count[i] = random() % 8 == 0 ? static_cast<int>(random() % 3) : good ? 1 : 0;
            for (int n = 0; n < count[i]; ++n) lines.push_back(pool[i]);
        }
        std::shuffle(lines.begin() + 1, lines.end(), random);
        server_handshake handshake;
        const outcome<request_kind> got = handshake.read(octets_of_text(head_of(lines)));
        const bool wanted = count[0] == 1 && count[1] > 0 && count[4] > 0 && count[5] == 1 &&
                            count[6] == 1 && count[7] == 0 && count[8] == 0 && count[9] <= 1 &&
                            count[10] == 0 && count[11] <= 1 && count[12] == 0;
        const bool opens = got.what == is::value && got.value == request_kind::upgrade;
        if (opens != wanted) FAIL(head_of(lines));
        opened += opens ? 1 : 0;
    }
    CHECK(opened > 1000);
}

TEST_CASE("H11 the shortest acceptance") {
    const request asked(upgrade);
    const std::string text =
        write_everywhere([&](std::span<octet> out) { return accept(asked.head(), out); });
    CHECK(text.size() == sockless::shortest_acceptance);
    const support::parsed_response got = support::parse_response(text);
    CHECK(got.status == 101);
    CHECK(got.head.one("upgrade") == "websocket");
    CHECK(got.head.one("connection") == "Upgrade");
    CHECK(got.head.one("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(got.head.fields.size() == 3);
    CHECK(got.head.body.empty());
    CHECK(text == write_everywhere(
                      [&](std::span<octet> out) { return accept(asked.head(), answer{}, out); }));
}

TEST_CASE("H11 an acceptance with all there may be") {
    const request asked(
        and_also(upgrade, {"Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Extensions: x; y=1, z",
                           "Sec-WebSocket-Protocol: c", "Sec-WebSocket-Extensions: w"}));
    const std::array headers{field{"Set-Cookie", "a=b"}, field{"Set-Cookie", "c=d"},
                             field{"Server", ""}};
    const answer with{.protocol = "c", .extensions = "w, x; q=\"r\"", .headers = headers};
    const support::parsed_response got = support::parse_response(
        write_everywhere([&](std::span<octet> out) { return accept(asked.head(), with, out); }));
    CHECK(got.status == 101);
    CHECK(got.head.one("sec-websocket-protocol") == "c");
    CHECK(got.head.one("sec-websocket-extensions") == "w, x; q=\"r\"");
    CHECK(got.head.all("set-cookie") == texts{"a=b", "c=d"});
    CHECK(got.head.one("server").empty());
    CHECK(got.head.fields.size() == 8);
}

TEST_CASE("44 what was not offered is not accepted") {
    const request asked(
        and_also(upgrade, {"Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Extensions: x; y=1"}));
    const auto check = [&](const answer& with, result wanted) {
        CAPTURE(with.protocol, with.extensions);
        check_nothing(wanted,
                      [&](std::span<octet> out) { return accept(asked.head(), with, out); });
    };
    for (const std::string_view protocol : {"A", "c", "a, b", "ab", " a", "a\r\n"}) {
        check({.protocol = protocol}, result::not_offered);
    }
    for (const std::string_view extensions : {"y", "X", "x, z", "z, x", "x;", "x y", ",", "x; ="}) {
        check({.extensions = extensions}, result::not_offered);
    }
    for (const std::string_view extensions : {"x\r\nX: y", " x", "x ", "x\n"}) {
        check({.extensions = extensions}, result::bad_head);
    }
    const request nothing(upgrade);
    check_nothing(result::not_offered, [&](std::span<octet> out) {
        return accept(nothing.head(), {.protocol = "a"}, out);
    });
    check_nothing(result::not_offered, [&](std::span<octet> out) {
        return accept(nothing.head(), {.extensions = "x"}, out);
    });
}

TEST_CASE("H10 26 every octet in every field of an answer") {
    const request asked(
        and_also(upgrade, {"Sec-WebSocket-Protocol: xy, xyz", "Sec-WebSocket-Extensions: xy"}));
    std::vector<octet> out(2048);
    for (int value = 0; value < 256; ++value) {
        const char c = static_cast<char>(static_cast<octet>(value));
        const std::string text = "x" + std::string(1, c) + "y";
        const std::array named{field{text, "v"}};
        const std::array valued{field{"n", text}};
        const auto lines_of = [&](const written& got) {
            if (got.what != result::done) return std::size_t{0};
            return support::parse_response(text_of({std::span(out).first(got.octets)}))
                .head.fields.size();
        };
        const bool token = support::detail::is_token_char(c);
        const bool inside = value == '\t' || (value >= ' ' && value != 0x7F);
        CAPTURE(value);
        CHECK(lines_of(accept(asked.head(), {.headers = named}, out)) == (token ? 4 : 0));
        CHECK(lines_of(accept(asked.head(), {.headers = valued}, out)) == (inside ? 4 : 0));
        CHECK(lines_of(accept(asked.head(), {.protocol = text}, out)) == 0);
        CHECK(lines_of(accept(asked.head(), {.extensions = "xy; " + text}, out)) ==
              (token || c == ';' || c == '=' ? 4 : 0));
        CHECK(lines_of(respond(404, named, {}, out)) == (token ? 3 : 0));
        CHECK(lines_of(respond(404, valued, {}, out)) == (inside ? 3 : 0));
    }
    const std::array ours{field{"sec-websocket-accept", "x"}};
    check_nothing(result::bad_head, [&](std::span<octet> room) {
        return accept(asked.head(), {.headers = ours}, room);
    });
}

TEST_CASE("H11 every refusal is a whole response") {
    int refusals = 0;
    for (const sockless::rule_entry& entry : sockless::rule_table) {
        if (!sockless::is_of_opening(entry.id)) {
            check_nothing(result::bad_head,
                          [&](std::span<octet> out) { return refuse(entry.id, out); });
            continue;
        }
        const std::string text =
            write_everywhere([&](std::span<octet> out) { return refuse(entry.id, out); });
        CAPTURE(entry.name);
        CHECK(text.size() == sockless::longest_refusal);
        const support::parsed_response got = support::parse_response(text);
        CHECK(got.status == status(entry.id));
        CHECK(got.head.one("connection") == "Upgrade, close");
        CHECK(got.head.one("upgrade") == "websocket");
        CHECK(got.head.one("sec-websocket-version") == "13");
        CHECK(got.head.one("content-length") == "0");
        CHECK(got.head.fields.size() == 4);
        ++refusals;
    }
    CHECK(refusals == 18);
}

TEST_CASE("H11 responses of the application's own are whole, and end the connection") {
    const std::array headers{field{"Location", "/elsewhere"}, field{"X", "y"}};
    for (const int status : {200, 201, 205, 299, 301, 400, 404, 426, 500, 503, 599}) {
        const std::vector<octet> body = octets_of_text(status == 205 ? "" : "\r\n<p>\xFF");
        const support::parsed_response got = support::parse_response(write_everywhere(
            [&](std::span<octet> out) { return respond(status, headers, body, out); }));
        CAPTURE(status);
        CHECK(got.status == status);
        CHECK(got.reason == sockless::reason_phrase(status));
        CHECK(got.head.one("connection") == "close");
        CHECK(got.head.one("location") == "/elsewhere");
        CHECK(got.head.body == text_of({body}));
        CHECK(got.head.fields.size() == 4);
    }
    for (const int status : {204, 304}) {
        const support::parsed_response got = support::parse_response(
            write_everywhere([&](std::span<octet> out) { return respond(status, {}, {}, out); }));
        CHECK(got.status == status);
        CHECK(got.head.fields.size() == 1);
    }
    CHECK(sockless::reason_phrase(404) == "Not Found");
    CHECK(sockless::reason_phrase(299).empty());
}

TEST_CASE("H10 a response that may not leave does not") {
    for (const int status : {-1, 0, 100, 101, 199, 600, 999, 65736}) {
        check_nothing(result::bad_head,
                      [&](std::span<octet> out) { return respond(status, {}, {}, out); });
    }
    const std::vector<octet> body = octets_of_text("x");
    for (const int status : {204, 205, 304}) {
        check_nothing(result::bad_head,
                      [&](std::span<octet> out) { return respond(status, {}, body, out); });
    }
    for (const std::string_view name : {"Content-Length", "Transfer-Encoding", "Connection",
                                        "Upgrade", "Sec-WebSocket-Accept", "a b", ""}) {
        const std::array lines{field{name, "1"}};
        check_nothing(result::bad_head,
                      [&](std::span<octet> out) { return respond(200, lines, body, out); });
    }
}
