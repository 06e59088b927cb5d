// client_handshake.cpp -- tests of client_handshake.hpp.
#include <sockless/client_handshake.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
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

using sockless::answer_kind;
using sockless::client_handshake;
using sockless::field;
using sockless::limits;
using sockless::octet;
using sockless::outcome;
using sockless::response_head;
using sockless::result;
using sockless::rule;
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

using is = outcome<answer_kind>::is;
using texts = std::vector<std::string>;

static_assert(std::is_trivially_copyable_v<client_handshake>);
static_assert(std::is_trivially_copyable_v<response_head>);

// RFC 6455, 1.3: the nonce of the example.
constexpr std::array<octet, 16> nonce{'t', 'h', 'e', ' ', 's', 'a', 'm', 'p',
                                      'l', 'e', ' ', 'n', 'o', 'n', 'c', 'e'};

constexpr auto example = literal(
    "HTTP/1.1 101 Switching Protocols\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    "Sec-WebSocket-Protocol: chat\r\n"
    "\r\n"
    "\x81\x05Hello");

// The whole handshake, in the compiler.
constexpr bool opens(std::size_t step) {
    client_handshake handshake;
    std::array<octet, 512> out{};
    const written asked = handshake.write(
        {.host = "server.example.com", .target = "/chat", .protocols = "chat, superchat"}, nonce,
        out);
    if (asked.what != result::done) return false;
    for (std::size_t size = 0; size < example.size() - 7; size += step) {
        const std::span<const octet> front = std::span(example).first(size);
        if (handshake.read(front, "chat, superchat", "").what != is::not_yet) return false;
    }
    const outcome<answer_kind> got = handshake.read(example, "chat, superchat", "");
    return got.what == is::value && got.value == answer_kind::open &&
           got.used == example.size() - 7 &&
           handshake.response(std::span(example).first(got.used)).protocol() ==
               text_view{literal("chat")};
}
static_assert(opens(1));
static_assert(opens(1000));
static_assert([] {
    client_handshake handshake;
    const outcome<answer_kind> got = handshake.read(literal("HTTP/2 101\r\n"), "", "");
    return got.what == is::broken && got.broken == rule::bad_status_line && got.used == 5;
}());

// One that has asked with the nonce of the example.
client_handshake asked(const limits& limit = {}) {
    client_handshake handshake(limit);
    std::array<octet, 512> out{};
    REQUIRE(handshake.write({.host = "a"}, nonce, out).what == result::done);
    return handshake;
}

outcome<answer_kind> read(std::string_view head, std::string_view protocols = {},
                          std::string_view extensions = {}, const limits& limit = {}) {
    return support::read_growing(asked(limit), head,
                                 [&](client_handshake& handshake, std::span<const octet> octets) {
                                     return handshake.read(octets, protocols, extensions);
                                 });
}

const texts upgrade{"HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="};

void check_open(const texts& lines, std::string_view protocols = {},
                std::string_view extensions = {}) {
    const std::string head = head_of(lines);
    const outcome<answer_kind> got = read(head, protocols, extensions);
    CAPTURE(head, name(got.broken), got.used);
    CHECK(got.what == is::value);
    CHECK(got.value == answer_kind::open);
    CHECK(got.used == head.size());
}

void check_broken(const std::string& front, const std::string& head, rule wanted,
                  std::string_view protocols = {}, std::string_view extensions = {},
                  const limits& limit = {}) {
    const outcome<answer_kind> got = read(head, protocols, extensions, limit);
    CAPTURE(head, name(got.broken), name(wanted));
    CHECK(got.what == is::broken);
    CHECK(got.broken == wanted);
    CHECK(got.used == front.size());
}

// Broken by the line feed of this line; one behind the last: of the empty line.
void check_broken_line(const texts& lines, std::size_t line, rule wanted,
                       std::string_view protocols = {}, std::string_view extensions = {}) {
    const std::size_t count = std::min(line + 1, lines.size());
    std::string front =
        head_of(texts(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(count)));
    front.erase(front.size() - (line < lines.size() ? 3 : 1));
    check_broken(front, head_of(lines), wanted, protocols, extensions);
}

}  // namespace

TEST_CASE("a request is written with the nonce in base64") {
    std::array<octet, 512> out{};
    client_handshake handshake;
    const written got = handshake.write({.host = "a", .target = "/b"}, nonce, out);
    REQUIRE(got.what == result::done);
    const support::parsed_get request =
        support::parse_get(text_of({std::span(out).first(got.octets)}));
    CHECK(request.target == "/b");
    CHECK(request.head.one("sec-websocket-key") == "dGhlIHNhbXBsZSBub25jZQ==");
}

TEST_CASE("24 a request that was not written changes nothing") {
    client_handshake handshake = asked();
    std::array<octet, 16> other{};
    std::array<octet, 512> out{};
    CHECK(handshake.write({.host = "a b"}, other, out) == written{result::bad_head, 0});
    const written full = handshake.write({.host = "a"}, other, std::span(out).first(50));
    CHECK(full.what == result::full);
    CHECK(full.octets > 50);
    const std::vector<octet> head = octets_of_text(head_of(upgrade));
    CHECK(handshake.read(head, "", "").what == is::value);
    // Another nonce wants another proof.
    client_handshake again = asked();
    REQUIRE(again.write({.host = "a"}, other, out).what == result::done);
    CHECK(again.read(head, "", "").broken == rule::bad_accept);
}

TEST_CASE("H9 16 octets behind the head are left, and nobody's if it does not open") {
    const std::string head = head_of(upgrade);
    const std::string wrong = head_of(with(upgrade, 3, "Sec-WebSocket-Accept: x"));
    for (const std::string& behind :
         {std::string("\x81\x05Hello"), std::string("\0\r\n", 3), head}) {
        client_handshake handshake = asked();
        for (int i = 0; i < 2; ++i) {
            const outcome<answer_kind> got =
                handshake.read(octets_of_text(head + (i == 0 ? "" : behind)), "", "");
            CHECK(got.what == is::value);
            CHECK(got.value == answer_kind::open);
            CHECK(got.used == head.size());
        }
        client_handshake whole = asked();
        CHECK(whole.read(octets_of_text(head + behind), "", "").used == head.size());
        client_handshake bad = asked();
        CHECK(bad.read(octets_of_text(wrong + behind), "", "").broken == rule::bad_accept);
        CHECK(bad.read(octets_of_text(wrong + behind + behind), "", "").used < wrong.size());
    }
}

TEST_CASE("responses of real servers open") {
    // nginx in front of another, Node.js ws, Python websockets, Go's gorilla, Tomcat
    check_open({"HTTP/1.1 101 Switching Protocols", "Server: nginx/1.22.1",
                "Date: Mon, 01 Jan 2024 00:00:00 GMT", "Connection: upgrade", "Upgrade: websocket",
                upgrade[3]});
    check_open(upgrade);
    check_open(
        {"HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
         upgrade[3], "Date: Mon, 01 Jan 2024 00:00:00 GMT", "Server: Python/3.11 websockets/12.0",
         "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12"},
        "", "permessage-deflate; client_max_window_bits");
    check_open({"HTTP/1.1 101 ", "Upgrade: websocket", "Connection: upgrade", upgrade[3]});
}

TEST_CASE("H9 a response has Upgrade, Connection and the proof, in any case") {
    check_open(with(upgrade, 1, "UPGRADE: WebSocket"));
    check_open(with(upgrade, 2, "connection: keep-alive, upgrade"));
    check_broken_line(without(upgrade, 1), 3, rule::bad_upgrade);
    check_broken_line(without(upgrade, 2), 3, rule::bad_connection);
    check_broken_line(without(upgrade, 3), 3, rule::bad_accept);
    for (const std::string value :
         {"", "websockets", "websocket, h2c", "websocket,", "\"websocket\"", "websocket/13"}) {
        check_broken_line(with(upgrade, 1, "Upgrade: " + value), 1, rule::bad_upgrade);
    }
    for (const std::string value : {"", "close", "no-upgrade", "upgrade2", "\"upgrade\""}) {
        check_broken_line(with(upgrade, 2, "Connection: " + value), 4, rule::bad_connection);
    }
    check_broken_line(and_also(upgrade, {upgrade[1]}), 4, rule::bad_upgrade);
    check_broken_line(and_also(upgrade, {upgrade[3]}), 4, rule::bad_accept);
    texts two = with(upgrade, 2, "Connection: keep-alive");
    two.emplace_back("Connection: Upgrade");
    check_open(two);
}

TEST_CASE("H9 another proof is refused, at every octet of it") {
    const std::string proof = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    for (std::size_t at = 0; at < proof.size(); ++at) {
        const bool letter = (proof[at] | 0x20) >= 'a' && (proof[at] | 0x20) <= 'z';
        std::string other = proof;
        other[at] = letter ? static_cast<char>(proof[at] ^ 0x20) : 'A';
        check_broken_line(with(upgrade, 3, "Sec-WebSocket-Accept: " + other), 3, rule::bad_accept);
    }
    for (const std::string other :
         {"", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo==",
          "S3PPLMBITXAQ9KYGZZHZRBK+XOO=", "dGhlIHNhbXBsZSBub25jZQ=="}) {
        check_broken_line(with(upgrade, 3, "Sec-WebSocket-Accept: " + other), 3, rule::bad_accept);
    }
    check_open(with(upgrade, 3, "Sec-WebSocket-Accept:\t " + proof + " \t"));
}

TEST_CASE("H9 44 a subprotocol or an extension that nobody asked for is refused") {
    const texts chat = and_also(upgrade, {"Sec-WebSocket-Protocol: chat"});
    check_open(chat, "chat");
    check_open(chat, "superchat, chat");
    check_broken_line(chat, 4, rule::bad_protocol);
    check_broken_line(chat, 4, rule::bad_protocol, "superchat, Chat");
    for (const std::string value : {"", "chat, superchat", "CHAT", "chat,"}) {
        check_broken_line(and_also(upgrade, {"Sec-WebSocket-Protocol: " + value}), 4,
                          rule::bad_protocol, "chat, superchat");
    }
    check_broken_line(and_also(upgrade, {chat[4], chat[4]}), 5, rule::bad_protocol, "chat");
    check_open(upgrade, "chat", "a");

    const texts both = and_also(upgrade, {"Sec-WebSocket-Extensions: b; x=1, a"});
    check_open(both, "", "a, b; y");
    check_broken_line(both, 4, rule::bad_extension, "", "a");
    check_broken_line(both, 4, rule::bad_extension, "", "");
    check_broken_line(both, 4, rule::bad_extension, "", "A, b");
    for (const std::string value : {"", ",", "a;", "a b", "a; b=\"", "a; b=c d"}) {
        check_broken_line(and_also(upgrade, {"Sec-WebSocket-Extensions: " + value}), 4,
                          rule::bad_extension, "", "a, b, c, d");
    }
    check_broken_line(
        and_also(upgrade, {"Sec-WebSocket-Extensions: a", "Sec-WebSocket-Extensions: b"}), 5,
        rule::bad_extension, "", "a, b");
}

TEST_CASE("H9 every final status but 101 is a refusal, with its fields, and its body is left") {
    for (const int status :
         {200, 204, 301, 302, 307, 400, 401, 403, 404, 426, 429, 500, 503, 599, 0, 99, 600, 999}) {
        std::string digits = std::to_string(status);
        while (digits.size() < 3) digits.insert(0, "0");
        const std::string head =
            head_of({"HTTP/1.1 " + digits + " Some Reason", "Location: /elsewhere",
                     "Retry-After: 5", "WWW-Authenticate: Basic realm=\"x\"", "Content-Length: 4",
                     "Upgrade: x", "Sec-WebSocket-Accept: x", "Sec-WebSocket-Protocol: a, b",
                     "Sec-WebSocket-Extensions: ;"});
        const outcome<answer_kind> got = read(head);
        CAPTURE(status);
        CHECK(got.what == is::value);
        CHECK(got.value == answer_kind::refused);
        CHECK(got.used == head.size());

        client_handshake handshake = asked();
        const support::guarded octets(octets_of_text(head + "body"));
        CHECK(handshake.read(octets.span(), "", "").used == head.size());
        const response_head response = handshake.response(octets.span());
        CHECK(response.status() == status);
        CHECK(text_of(response.reason()) == "Some Reason");
        CHECK(text_of(*response.header("location")) == "/elsewhere");
        CHECK(text_of(*response.header("Retry-After")) == "5");
        CHECK(text_of(*response.header("WWW-Authenticate")) == "Basic realm=\"x\"");
        CHECK(!response.header("Set-Cookie"));
        CHECK(text_of({response.octets()}) == head);
        int lines = 0;
        for (const sockless::field_view& line : response.headers()) {
            lines += line.name.empty() ? 0 : 1;
        }
        CHECK(lines == 8);
    }
    CHECK(read("HTTP/1.0 503 \r\n\r\n").value == answer_kind::refused);
    CHECK(read("HTTP/1.0 503 \r\n\r\n").what == is::value);
    check_broken("HTTP/1.0 10", "HTTP/1.0 101 x\r\n\r\n", rule::bad_status_line);
}

TEST_CASE("what was agreed on can be asked") {
    const std::string head =
        head_of(and_also(upgrade, {"Sec-WebSocket-Protocol: chat",
                                   "Sec-WebSocket-Extensions: a; b=1", "X: 1", "X: 2"}));
    client_handshake handshake = asked();
    const support::guarded octets(octets_of_text(head + "\x81"));
    REQUIRE(handshake.read(octets.span(), "chat", "a").what == is::value);
    const response_head response = handshake.response(octets.span());
    CHECK(text_of(*response.protocol()) == "chat");
    std::string extensions;
    for (const text_view each : response.extensions()) extensions += text_of(each);
    CHECK(extensions == "a; b=1");
    std::string values;
    for (const text_view each : response.headers("x")) values += text_of(each);
    CHECK(values == "12");
    CHECK(response.status() == 101);
    CHECK(text_of(response.reason()) == "Switching Protocols");
    const response_head none;
    CHECK(none.status() == 0);
    CHECK(none.reason().empty());
    CHECK(!none.protocol());
    CHECK(none.octets().empty());
}

TEST_CASE("interim responses are passed over") {
    const std::string interim = head_of({"HTTP/1.1 103 Early Hints", "Link: </a>", "Upgrade: no"});
    const std::string go_on = "HTTP/1.1 100 \r\n\r\n";
    for (const std::string& front : {interim, go_on, interim + go_on + interim}) {
        const std::string open = front + head_of(upgrade);
        CHECK(read(open).value == answer_kind::open);
        CHECK(read(open).what == is::value);
        CHECK(read(open).used == open.size());
        const std::string refused = front + head_of({"HTTP/1.1 404 No", "X: y"});
        CHECK(read(refused).value == answer_kind::refused);
        CHECK(read(refused).used == refused.size());
        client_handshake handshake = asked();
        const support::guarded octets(octets_of_text(refused));
        REQUIRE(handshake.read(octets.span(), "", "").what == is::value);
        const response_head response = handshake.response(octets.span());
        CHECK(text_of({response.octets()}) == refused.substr(front.size()));
        CHECK(text_of(response.reason()) == "No");
        CHECK(text_of(*response.header("X")) == "y");
        CHECK(!response.header("Link"));
    }
    // What an interim response says about the upgrade is not about the final one.
    const std::string said = head_of({"HTTP/1.1 199 ", upgrade[1], upgrade[2], upgrade[3]});
    CHECK(read(said + head_of({upgrade[0]})).broken == rule::bad_upgrade);
}

TEST_CASE("H3 an interim response that fills the limit leaves no room for the final one") {
    const std::string interim = head_of({"HTTP/1.1 103 Early Hints"});
    limits limit;
    limit.head = static_cast<std::uint16_t>(interim.size());
    for (const std::string_view behind : {"", "H", "HTTP/1.1 101"}) {
        const outcome<answer_kind> got = read(interim + std::string(behind), {}, {}, limit);
        CHECK(got.what == is::broken);
        CHECK(got.broken == rule::large_head);
        CHECK(got.used == interim.size() - 1);
    }
    ++limit.head;
    CHECK(read(interim, {}, {}, limit).what == is::not_yet);
}

TEST_CASE("H2 a flood of interim responses, lines without end and a long reason are refused") {
    std::string flood;
    while (flood.size() < 20000) flood += "HTTP/1.1 100 \r\n\r\n";
    check_broken(flood.substr(0, 8191), flood, rule::large_head);
    limits limit;
    limit.head = 1000;
    check_broken(flood.substr(0, 999), flood.substr(0, 2000), rule::large_head, "", "", limit);
    check_broken(std::string(999, 'x'), "HTTP/1.1 101 " + std::string(5000, 'x'), rule::large_head,
                 "", "", limit);
    std::string lines = "HTTP/1.1 101 x\r\n";
    for (int i = 0; i < 64; ++i) lines += "a: b\r\n";
    check_broken(lines, lines + "a: b\r\n\r\n", rule::many_fields);
    // As many lines as there may be, in each of several heads.
    const std::string most = lines + "\r\n";
    std::string two = most;
    two.replace(9, 3, "100");
    CHECK(read(two + most).broken == rule::bad_upgrade);
}

TEST_CASE("H1 a response of exactly the limit passes") {
    const std::string head = head_of(upgrade);
    limits limit;
    limit.head = static_cast<std::uint16_t>(head.size());
    CHECK(read(head, "", "", limit).what == is::value);
    limit.head = static_cast<std::uint16_t>(head.size() - 1);
    check_broken(head.substr(0, head.size() - 2), head, rule::large_head, "", "", limit);
}

TEST_CASE("H7 every octet at every place of a response: accepted, or refused where it stands") {
    const std::string head = head_of(upgrade);
    const client_handshake fresh = asked();
    for (std::size_t at = 0; at < head.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string other = head;
            other[at] = static_cast<char>(static_cast<octet>(value));
            client_handshake handshake = fresh;
            const outcome<answer_kind> got = handshake.read(octets_of_text(other), "", "");
            const bool bad =
                (value < ' ' && value != '\t' && value != '\r' && value != '\n') || value == 0x7F;
            CAPTURE(at, value);
            if (bad) {
                CHECK(got.what == is::broken);
                CHECK(got.used == at);
            }
            // The proof is compared octet by octet, all else but the reason in any case.
            if (got.what == is::value && got.value == answer_kind::open && other != head) {
                const std::size_t proof = head.find("s3pP");
                const bool in_reason = at >= 13 && at < head.find("\r\n");
                const bool letter = (value | 0x20) == (head[at] | 0x20) && at < proof;
                const bool separates = head[at] == ' ' && (value == '\t' || value == ',');
                CHECK((in_reason || letter || separates));
            }
        }
    }
    const std::string second = head.substr(0, head.find("Upgrade:"));
    for (const std::string line : {" x: y\r\n", "\tx\r\n", ": x\r\n", "\n"}) {
        check_broken(second, second + line + head.substr(second.size()), rule::bad_field);
    }
}

TEST_CASE("40 the order of lines, the case of names and blanks decide nothing for a client") {
    std::mt19937 random(13);
    struct row {
        texts lines;
        rule broken;
    };
    for (const row& each :
         {row{and_also(upgrade, {"Sec-WebSocket-Protocol: p", "X: y"}), rule::none},
          row{with(upgrade, 2, "Connection: close"), rule::bad_connection},
          row{with(upgrade, 1, "Upgrade: h2c"), rule::bad_upgrade},
          row{without(upgrade, 3), rule::bad_accept},
          row{and_also(upgrade, {"Sec-WebSocket-Protocol: q"}), rule::bad_protocol}}) {
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
                lines[i].insert(colon + 1, random() % 3, '\t');
                lines[i] += std::string(random() % 3, ' ');
            }
            client_handshake handshake = asked();
            const outcome<answer_kind> got =
                handshake.read(octets_of_text(head_of(lines)), "p", "");
            CHECK(got.broken == each.broken);
            CHECK((got.what == is::value) == (each.broken == rule::none));
        }
    }
}

TEST_CASE("a client takes nothing from the heap") {
    const std::vector<octet> head = octets_of_text(
        head_of(and_also(upgrade, {"Sec-WebSocket-Protocol: chat",
                                   "Sec-WebSocket-Extensions: permessage-deflate"})));
    std::array<octet, 512> out{};
    const support::heap_watch heap;
    client_handshake handshake;
    const written asked =
        handshake.write({.host = "a", .protocols = "chat", .user = "u"}, nonce, out);
    const outcome<answer_kind> got = handshake.read(head, "chat", "permessage-deflate");
    CHECK(heap.count() == 0);
    CHECK(asked.what == result::done);
    CHECK(got.what == is::value);
}
