// judge.cpp -- tests of judge.hpp.
#include <sockless/judge.hpp>

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sockless/server_handshake.hpp>

#include "support/catch.hpp"
#include "support/heads.hpp"

using sockless::agreed;
using sockless::extended_connect;
using sockless::field;
using sockless::judge;
using sockless::judged;
using sockless::octet;
using sockless::origins;
using sockless::parsed_request;
using sockless::policy;
using sockless::response_fields;
using sockless::rule;
using support::text_of;

namespace {

using lines = std::vector<field>;

static_assert(std::is_trivially_copyable_v<agreed>);
// The fields would point to nothing.
template <class Agreed>
concept gives_fields = requires(Agreed&& with) { response_fields(std::forward<Agreed>(with)); };
static_assert(gives_fields<const agreed&>);
static_assert(!gives_fields<agreed>);

const lines upgrade{{"host", "a"},
                    {"upgrade", "websocket"},
                    {"connection", "Upgrade"},
                    {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
                    {"sec-websocket-version", "13"}};

lines and_also(lines all, const lines& more) {
    all.insert(all.end(), more.begin(), more.end());
    return all;
}
lines without(std::size_t index) {
    lines all = upgrade;
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(index));
    return all;
}
lines with(std::size_t index, const field& line) {
    lines all = upgrade;
    all[index] = line;
    return all;
}

judged of_lines(const lines& all, const policy& ours = {}) {
    return judge(parsed_request{"GET", "/chat", all}, ours);
}

judged connect(const lines& all, const policy& ours = {}) {
    return judge(extended_connect{"CONNECT", "websocket", "https", "a", "/chat", all}, ours);
}
const lines version{{"sec-websocket-version", "13"}};

void check_refused(const judged& got, rule broken, int status) {
    CAPTURE(name(got.broken), name(broken));
    CHECK(!got.with);
    CHECK(got.broken == broken);
    CHECK(got.status == status);
}
void check_refused(const judged& got, rule broken) {
    check_refused(got, broken, sockless::status(broken));
}

// "name: value|name: value"
template <class Fields>
std::string text_of(const Fields& all) {
    std::string text;
    for (const field& line : all) {
        if (!text.empty()) text += '|';
        text += std::string(line.name) + ": " + std::string(line.value);
    }
    return text;
}

}  // namespace

TEST_CASE("a request that somebody else parsed is agreed on") {
    const judged got = of_lines(upgrade);
    REQUIRE(got.with);
    CHECK(got.broken == rule::none);
    CHECK(got.status == 101);
    CHECK(!got.with->extended);
    CHECK(got.with->status() == 101);
    CHECK(got.with->protocol().empty());
    CHECK(text_of(response_fields(*got.with)) ==
          "Upgrade: websocket|Connection: Upgrade|"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(response_fields(*got.with).size() == 3);
}

TEST_CASE("what was agreed on owns what it says") {
    agreed kept;
    {
        const std::string chat = "chat";
        const std::array<std::string_view, 1> ours{chat};
        const std::string offered = "superchat, chat";
        const judged got =
            of_lines(and_also(upgrade, {{"sec-websocket-protocol", offered}}), {.protocols = ours});
        REQUIRE(got.with);
        kept = *got.with;
    }
    CHECK(text_of(kept.protocol()) == "chat");
    CHECK(text_of(response_fields(kept)).ends_with("|Sec-WebSocket-Protocol: chat"));
    CHECK(response_fields(kept).size() == 4);
}

TEST_CASE("of the subprotocols offered, ours come first, and one that is too long never") {
    const std::string longest(64, 'l');
    const std::string longer(65, 'm');
    const std::string two = longest + ",three";
    const lines offered = and_also(upgrade, {{"X", "two"},
                                             {"Sec-WebSocket-Protocol", "one, two"},
                                             {"sec-websocket-protocol", longer},
                                             {"SEC-WEBSOCKET-PROTOCOL", two}});
    const auto chosen = [&](const std::vector<std::string_view>& ours) {
        const judged got = of_lines(offered, {.protocols = ours});
        REQUIRE(got.with);
        return text_of(got.with->protocol());
    };
    CHECK(chosen({"two", "one"}) == "two");
    CHECK(chosen({"zero", "three", "one"}) == "three");
    CHECK(chosen({"One", "ne", "onetwo"}).empty());
    CHECK(chosen({}).empty());
    CHECK(chosen({longer, longest}) == longest);
    CHECK(chosen({longer}).empty());
}

TEST_CASE("H8 what is no handshake is not agreed on") {
    for (const std::string_view method : {"POST", "get", "", "CONNECT", "GETS"}) {
        check_refused(judge(parsed_request{method, "/", upgrade}, {}), rule::bad_request_line);
    }
    for (const std::string_view target : {"", "*", "a", "/a b", "/#", "/\r\nX: y", "/ HTTP/1.1\r\n",
                                          "ws://a/", "http:///", "/\xFF"}) {
        CAPTURE(target);
        check_refused(judge(parsed_request{"GET", target, upgrade}, {}), rule::bad_target);
    }
    CHECK(judge(parsed_request{"GET", "http://a/", upgrade}, {}).with);
    check_refused(judge(parsed_request{"GET", "/" + std::string(4096, 'a'), upgrade}, {}),
                  rule::long_target);
    check_refused(of_lines(without(0)), rule::bad_host);
    check_refused(of_lines(without(1)), rule::bad_upgrade, 426);
    check_refused(of_lines(without(2)), rule::bad_connection);
    check_refused(of_lines(without(3)), rule::bad_key);
    check_refused(of_lines(without(4)), rule::bad_version, 426);
    check_refused(of_lines(with(4, {"Sec-WebSocket-Version", "8"})), rule::bad_version, 426);
    check_refused(of_lines(and_also(upgrade, {{"Origin", "http://b"}})), rule::foreign_origin);
    check_refused(of_lines(and_also(upgrade, {{"Content-Length", "1"}})), rule::has_body);
    check_refused(of_lines(and_also(upgrade, {{"Host", "a"}})), rule::bad_host);
    CHECK(of_lines(and_also(upgrade, {{"Origin", "http://a"}})).with);
    CHECK(of_lines(and_also(upgrade, {{"Origin", "http://b"}}), {.from = origins::any}).with);
}

TEST_CASE("H8 a refusal of the version says which one we speak") {
    const std::string version_and_upgrade =
        "Sec-WebSocket-Version: 13|Upgrade: websocket|Connection: Upgrade";
    CHECK(text_of(of_lines(without(4)).fields) == version_and_upgrade);
    CHECK(text_of(of_lines(without(1)).fields) == version_and_upgrade);
    CHECK(text_of(connect({}).fields) == "Sec-WebSocket-Version: 13");
    CHECK(of_lines(without(3)).fields.empty());
    CHECK(connect(and_also(version, {{"origin", "https://b"}})).fields.empty());
    CHECK(of_lines(upgrade).fields.empty());
}

TEST_CASE("H10 a field that is none is refused, whoever let it pass") {
    for (int value = 0; value < 256; ++value) {
        const char c = static_cast<char>(static_cast<octet>(value));
        const std::string text = "x" + std::string(1, c) + "y";
        const bool token = support::detail::is_token_char(c);
        const bool inside = value == '\t' || (value >= ' ' && value != 0x7F);
        CAPTURE(value);
        CHECK(of_lines(and_also(upgrade, {{text, "v"}})).broken ==
              (token ? rule::none : rule::bad_field));
        CHECK(of_lines(and_also(upgrade, {{"n", text}})).broken ==
              (inside ? rule::none : rule::bad_field));
        CHECK(connect(and_also(version, {{"n", text}})).broken ==
              (inside ? rule::none : rule::bad_field));
    }
    check_refused(of_lines({{"", "v"}}), rule::bad_field);
    check_refused(of_lines({{"n", " v"}}), rule::bad_field);
}

TEST_CASE("H4 there are no more lines than the limit") {
    policy ours;
    ours.limit.header_lines = 5;
    CHECK(of_lines(upgrade, ours).with);
    check_refused(of_lines(and_also(upgrade, {{"x", "y"}}), ours), rule::many_fields);
    ours.limit.header_lines = 1;
    CHECK(connect(version, ours).with);
    check_refused(connect(and_also(version, {{"x", "y"}}), ours), rule::many_fields);
}

TEST_CASE("an extended CONNECT is agreed on, without a proof") {
    const std::array<std::string_view, 1> protocols{"chat"};
    const judged got = connect(and_also(version, {{"origin", "https://a"},
                                                  {"sec-websocket-protocol", "chat"},
                                                  {"sec-websocket-extensions", "x; y"},
                                                  {"sec-websocket-key", "ignored"},
                                                  {"host", "ignored"}}),
                               {.protocols = protocols});
    REQUIRE(got.with);
    CHECK(got.status == 200);
    CHECK(got.with->extended);
    CHECK(got.with->status() == 200);
    CHECK(text_of(response_fields(*got.with)) == "Sec-WebSocket-Protocol: chat");
    const judged plain = connect(version);
    REQUIRE(plain.with);
    CHECK(text_of(response_fields(*plain.with)).empty());
    CHECK(judge(extended_connect{"CONNECT", "websocket", "http", "a:80", "/?x", version}, {}).with);
}

TEST_CASE("pseudo-header fields are judged like the line and the fields that they stand for") {
    const extended_connect good{"CONNECT", "websocket", "https", "a", "/", version};
    CHECK(judge(good, {}).with);
    for (const std::string_view method : {"GET", "connect", ""}) {
        extended_connect bad = good;
        bad.method = method;
        check_refused(judge(bad, {}), rule::bad_pseudo_field);
    }
    for (const std::string_view protocol : {"", "websockets", "WebSocket", "connect-udp"}) {
        extended_connect bad = good;
        bad.protocol = protocol;
        check_refused(judge(bad, {}), rule::bad_pseudo_field, 501);
    }
    for (const std::string_view scheme : {"", "ws", "wss", "HTTPS", "ftp"}) {
        extended_connect bad = good;
        bad.scheme = scheme;
        check_refused(judge(bad, {}), rule::bad_pseudo_field);
    }
    for (const std::string_view path : {"", "*", "a", "?x", "https://a/"}) {
        extended_connect bad = good;
        bad.path = path;
        check_refused(judge(bad, {}), rule::bad_pseudo_field);
    }
    for (const std::string_view path : {"/#", "/ ", "/\n", "/\xC3"}) {
        extended_connect bad = good;
        bad.path = path;
        check_refused(judge(bad, {}), rule::bad_target);
    }
    for (const std::string_view authority : {"", "u@a", "a:0", "a b", "a,b"}) {
        extended_connect bad = good;
        bad.authority = authority;
        check_refused(judge(bad, {}), rule::bad_host);
    }
}

TEST_CASE("the fields of an extended CONNECT are judged, too") {
    check_refused(connect({}), rule::bad_version, 400);
    check_refused(connect({{"sec-websocket-version", "8"}}), rule::bad_version, 400);
    for (const std::string_view name : {"connection", "upgrade", "Upgrade"}) {
        check_refused(connect(and_also(version, {{name, "websocket"}})), rule::bad_field);
    }
    check_refused(connect(and_also(version, {{"transfer-encoding", "x"}})), rule::has_body);
    check_refused(connect(and_also(version, {{"origin", "https://b"}})), rule::foreign_origin);
    check_refused(connect(and_also(version, {{"sec-websocket-protocol", "("}, {"x", "y"}})),
                  rule::bad_protocol);
    CHECK(connect(and_also(version, {{"origin", "https://b"}}), {.from = origins::any}).with);
}

TEST_CASE("15 judge() and the handshake never disagree") {
    std::mt19937 random(6455);
    const lines pool{{"Host", "a"},
                     {"Host", "a b"},
                     {"Upgrade", "websocket"},
                     {"Upgrade", "h2c"},
                     {"Connection", "close"},
                     {"Connection", "Upgrade"},
                     {"Sec-WebSocket-Version", "13"},
                     {"Sec-WebSocket-Version", "8"},
                     {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                     {"Sec-WebSocket-Key", "x"},
                     {"Sec-WebSocket-Protocol", "a, b"},
                     {"Sec-WebSocket-Protocol", ""},
                     {"Sec-WebSocket-Extensions", "a; b"},
                     {"Sec-WebSocket-Extensions", "a;"},
                     {"Origin", "http://a"},
                     {"Origin", "null"},
                     {"Content-Length", "0"},
                     {"Content-Length", "7"},
                     {"Transfer-Encoding", "chunked"},
                     {"X", "y"}};
    int agreements = 0;
    for (int round = 0; round < 20000; ++round) {
        lines all;
        for (std::size_t i = 0; i < pool.size(); ++i) {
            const bool good = i == 0 || i == 2 || i == 5 || i == 6 || i == 8;
            if (random() % 12 == 0 ? random() % 2 == 0 : good) all.push_back(pool[i]);
        }
        std::string head = "GET /chat HTTP/1.1\r\n";
        for (const field& line : all) {
            head += std::string(line.name) + ": " + std::string(line.value) + "\r\n";
        }
        sockless::server_handshake handshake;
        const auto received = handshake.read(support::octets_of_text(head + "\r\n"));
        const judged got = of_lines(all);
        using is = sockless::outcome<sockless::request_kind>::is;
        const bool opens =
            received.what == is::value && received.value == sockless::request_kind::upgrade;
        const bool plain = received.what == is::value && !opens;
        const rule wanted = plain ? rule::bad_upgrade : received.broken;
        if (opens != got.with.has_value() || got.broken != wanted) FAIL(head);
        agreements += opens ? 1 : 0;
    }
    CHECK(agreements > 1000);
}
