// A client's connection: what it asks, how it is refused, and the keys of its frames.

#include <sockless/client_connection.hpp>

#include <sockless/mask_source.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/connections.hpp"

namespace {

using namespace sockless;
using support::counted_keys;
using support::drain;
using support::from_server;
using support::hear;
using support::lines;
using support::octet_vector;
using support::open_client;
using support::report_of;
using support::server_close;
using support::wants_of;
using support::watched;

using test_client = support::client<>;

static_assert(!std::is_default_constructible_v<test_client>);
static_assert(!std::is_constructible_v<test_client, counted_keys>);
static_assert(std::is_constructible_v<test_client, counted_keys&>);
static_assert(!std::is_convertible_v<counted_keys&, test_client>);
static_assert(!std::is_constructible_v<client_connection<mask_source>, mask_source>);

// Every cut of a response in two, and octet by octet.
template <class Use>
void for_each_cut(const std::string& text, const Use& use) {
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
        use(std::vector<std::string>{text.substr(0, cut), text.substr(cut)});
    }
    std::vector<std::string> single;
    for (const char c : text) single.emplace_back(1, c);
    use(single);
}

lines hear_all(connection& ws, const std::vector<std::string>& pieces) {
    lines told;
    for (const std::string& piece : pieces) told = support::both(told, hear(ws, piece));
    return told;
}

}  // namespace

TEST_CASE("A client asks once, and what it asks is well-formed") {
    counted_keys keys;
    test_client ws(keys);
    CHECK(wants_of(ws).empty());
    CHECK(hear(ws).empty());
    CHECK(ws.send_text("too early") == result::not_open);
    CHECK(ws.response().status() == 0);
    CHECK(ws.open({.host = "two words"}) == result::bad_head);
    CHECK(wants_of(ws).empty());
    const std::array headers{field{"Cookie", "a=b"}};
    CHECK(ws.open({.host = "example.com:81",
                   .target = "/chat",
                   .protocols = "chat, superchat",
                   .user = "me",
                   .password = "secret",
                   .headers = headers}) == result::done);
    CHECK(ws.open({.host = "example.com"}) == result::undecided);
    CHECK(wants_of(ws) == "read write");
    const support::parsed_get asked = support::parse_get(support::drain_text(ws));
    CHECK(asked.target == "/chat");
    CHECK(asked.head.one("host") == "example.com:81");
    CHECK(asked.head.one("sec-websocket-protocol") == "chat, superchat");
    CHECK(asked.head.one("authorization") == "Basic bWU6c2VjcmV0");
    CHECK(asked.head.one("cookie") == "a=b");
    CHECK(ws.send_text("too early") == result::not_open);
    CHECK(ws.close() == result::not_open);
}

TEST_CASE("response is valid at open, until the next event is taken") {
    counted_keys keys;
    watched::start();
    std::size_t size = 1;
    for (std::size_t cut = 0; cut < size; ++cut) {
        test_client ws(keys);
        CHECK(ws.open({.host = "a", .protocols = "chat"}) == result::done);
        const std::string text = support::response_to(support::drain_text(ws),
                                                      "Sec-WebSocket-Protocol: chat\r\nX-Y: z\r\n");
        size = text.size();
        octet_vector head = support::octets_of_text(text);
        std::span<octet> in = std::span(head).first(cut);
        CHECK(hear(ws, in).empty());
        in = std::span(head).subspan(cut);
        REQUIRE(ws.next(in).kind == event::what::open);
        ws.release();
        CHECK(ws.send_text("at once") == result::done);
        CHECK(ws.response().status() == 101);
        CHECK(ws.response().protocol().value_or(text_view{}) == "chat");
        CHECK(ws.response().header("x-y").value_or(text_view{}) == "z");
    }
    CHECK(watched::all.held == 0);
}

TEST_CASE("refused: response says why, and `in` starts at the body, which is the caller's") {
    counted_keys keys;
    const std::string head =
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\n\r\n";
    for (std::size_t cut = 0; cut < head.size(); ++cut) {
        test_client ws(keys);
        CHECK(ws.open({.host = "a"}) == result::done);
        drain(ws);
        lines told;
        {
            octet_vector all = support::octets_of_text(head + "body");
            std::span<octet> in = std::span(all).first(cut);
            CHECK(hear(ws, in).empty());
            in = std::span(all).subspan(cut);
            told = hear(ws, in);
            CHECK(support::to_string(in) == "body");
            for (octet& o : all) o = 0xA5;
        }
        CHECK(told == lines{"refused", "closed 1006"});
        CHECK(report_of(ws) == "refused, began nobody, received 1006");
        CHECK(wants_of(ws) == "drop");
        ws.release();
        ws.on_time(0);
        ws.on_time(1'000'000);
        CHECK(ws.response().status() == 401);
        CHECK(ws.response().header("WWW-Authenticate").value_or(text_view{}) == "Basic");
        CHECK(ws.response().reason() == "Unauthorized");
        ws.reset();
        CHECK(ws.response().status() == 0);
    }
}

TEST_CASE("Without memory to keep it, a refusing response is not kept in octets that may go") {
    watched::start();
    counted_keys keys;
    test_client ws(keys);
    CHECK(ws.open({.host = "a"}) == result::done);
    drain(ws);
    octet_vector head = support::octets_of_text("HTTP/1.1 404 Not Found\r\n\r\n");
    std::span<octet> in = head;
    const support::no_memory none;
    CHECK(hear(ws, in) == lines{"refused", "closed 1006"});
    CHECK(ws.response().octets().data() != head.data());
}

TEST_CASE("H9 an answer that was not asked for fails the connection, however it is cut") {
    counted_keys keys;
    const std::vector<std::pair<std::string, rule>> lines_of_responses{
        {"Sec-WebSocket-Protocol: unasked\r\n", rule::bad_protocol},
        {"Sec-WebSocket-Extensions: unasked\r\n", rule::bad_extension},
        // What the server itself says is not what we offered.
        {"X: a, unasked, b\r\nSec-WebSocket-Extensions: unasked\r\n", rule::bad_extension},
        {"X: a, unasked, b\r\nSec-WebSocket-Protocol: unasked\r\n", rule::bad_protocol},
        {"Upgrade: websocket\r\n", rule::bad_upgrade},
    };
    for (const auto& [more, broken] : lines_of_responses) {
        for (const char* offered : {"", "foo, bar"}) {
            test_client measure(keys);
            const opening request{.host = "a", .protocols = offered, .extensions = offered};
            CHECK(measure.open(request) == result::done);
            const std::string shape = support::response_to(support::drain_text(measure));
            const std::size_t size = shape.size() + more.size();
            for (std::size_t cut = 0; cut < size; ++cut) {
                CAPTURE(more, offered, cut);
                test_client ws(keys);
                CHECK(ws.open(request) == result::done);
                std::string text = support::response_to(support::drain_text(ws));
                text.insert(text.find("\r\n") + 2, more);
                REQUIRE(hear_all(ws, {text.substr(0, cut), text.substr(cut)}) ==
                        lines{"closed 1006"});
                CHECK(ws.report().why == cause::violation);
                CHECK(ws.report().fault->broken == broken);
                CHECK(drain(ws).empty());
            }
        }
    }
}

namespace {

// Offers itself, and takes one answer only.
class picky : public compression {
  public:
    struct options {};
    explicit picky(const options& = {}) noexcept : compression(table) {}

  private:
    static bool pick(compression& self, std::optional<text_view> answer) noexcept {
        const bool is_fine = answer && *answer == "x-picky; fine";
        static_cast<picky&>(self).agreed_ = is_fine;
        return is_fine || !answer;
    }
    static bool has_agreed(const compression& self) noexcept {
        return static_cast<const picky&>(self).agreed_;
    }
    static const functions table;

    bool agreed_ = false;
};

constexpr compression::functions picky::table = [] {
    functions own = no_compression::table;
    own.offer = [](compression&, text_room) noexcept { return std::string_view("x-picky"); };
    own.agree = pick;
    own.agreed = has_agreed;
    own.reset = [](compression& self) noexcept { pick(self, std::nullopt); };
    return own;
}();

}  // namespace

TEST_CASE("H9 an answer that compression does not take fails the connection, however it is cut") {
    counted_keys keys;
    const std::vector<std::pair<std::string, bool>> answers{
        {"", true},
        {"Sec-WebSocket-Extensions: x-picky; fine\r\n", true},
        {"Sec-WebSocket-Extensions: x-picky; bad\r\n", false},
        {"Sec-WebSocket-Extensions: x-picky\r\n", false},
    };
    for (const auto& [more, good] : answers) {
        for (std::size_t cut = 0; cut < 129 + more.size(); ++cut) {
            CAPTURE(more, cut);
            client_connection<counted_keys, watched, picky> ws(keys);
            CHECK(ws.open({.host = "a"}) == result::done);
            const std::string request = support::drain_text(ws);
            CHECK(support::parse_get(request).head.one("sec-websocket-extensions") == "x-picky");
            const std::string text = support::response_to(request, more);
            REQUIRE(text.size() == 129 + more.size());
            const lines told = hear_all(ws, {text.substr(0, cut), text.substr(cut)});
            REQUIRE(told == (good ? lines{"open"} : lines{"closed 1006"}));
            if (good) continue;
            CHECK(ws.report().fault->broken == rule::bad_extension);
            CHECK(ws.report().fault->at < text.size());
            CHECK(drain(ws).empty());
        }
    }
}

TEST_CASE("H9 an answer that was asked for opens, however it is cut") {
    counted_keys keys;
    const opening request{.host = "a", .protocols = "foo, bar", .extensions = "x-one, x-two; y=1"};
    test_client measure(keys);
    CHECK(measure.open(request) == result::done);
    const std::string more = "Sec-WebSocket-Protocol: bar\r\nSec-WebSocket-Extensions: x-two\r\n";
    const std::size_t size = support::response_to(support::drain_text(measure), more).size();
    for (std::size_t cut = 0; cut < size; ++cut) {
        test_client ws(keys);
        CHECK(ws.open(request) == result::done);
        const std::string text = support::response_to(support::drain_text(ws), more);
        REQUIRE(hear_all(ws, {text.substr(0, cut), text.substr(cut)}) == lines{"open"});
    }
}

TEST_CASE("A response that is none ends the connection without a word") {
    counted_keys keys;
    for_each_cut("HTTP/1.0 101 X\r\n\r\n", [&](const std::vector<std::string>& pieces) {
        test_client ws(keys);
        CHECK(ws.open({.host = "a"}) == result::done);
        drain(ws);
        REQUIRE(hear_all(ws, pieces) == lines{"closed 1006"});
        CHECK(report_of(ws) == "violation, began nobody, received 1006, bad_status_line");
        CHECK(wants_of(ws) == "drop");
        CHECK(drain(ws).empty());
    });
}

TEST_CASE("H2 a flood of interim responses ends at the limit of the head") {
    counted_keys keys;
    watched::start();
    test_client ws(keys);
    CHECK(ws.open({.host = "a"}) == result::done);
    drain(ws);
    for (int i = 0; i < 1'000 && !ws.finished(); ++i) hear(ws, "HTTP/1.1 102 Wait\r\n\r\n");
    CHECK(ws.finished());
    CHECK(report_of(ws) == "violation, began nobody, received 1006, large_head");
    CHECK(watched::all.most_held <= 40'000);
}

TEST_CASE("M6 two frames never have one key, with keys from a mask_source") {
    const std::array<octet, 32> seed{1, 2, 3};
    mask_source keys(seed);
    client_connection<mask_source, watched> ws(keys);
    open_client(ws);
    std::set<std::string> seen;
    for (int i = 0; i < 1'000; ++i) {
        CHECK(ws.send_binary({}) == result::done);
        const octet_vector frame = drain(ws);
        REQUIRE(frame.size() == 6);
        seen.insert(support::hex(frame).substr(6));
    }
    CHECK(seen.size() == 1'000);
}

TEST_CASE("A nonce is fresh for every request, after reset as well") {
    counted_keys keys;
    test_client ws(keys);
    std::set<std::string> seen;
    for (int again = 0; again < 5; ++again) {
        CHECK(ws.open({.host = "a", .protocols = again % 2 == 0 ? "chat" : ""}) == result::done);
        const std::string request = support::drain_text(ws);
        seen.insert(support::parse_get(request).head.one("sec-websocket-key"));
        CHECK(hear(ws, support::response_to(request)) == lines{"open"});
        CHECK(ws.open({.host = "a"}) == result::not_open);
        CHECK(ws.send_text("x") == result::done);
        CHECK(hear(ws, server_close(1001)).empty());
        drain(ws);
        ws.end_of_stream();
        CHECK(hear(ws) == lines{"closed 1001"});
        CHECK(ws.open({.host = "a"}) == result::not_open);
        ws.reset();
        CHECK(wants_of(ws).empty());
    }
    CHECK(seen.size() == 5);
}

TEST_CASE("A client that lacks memory asks nothing, and may try again") {
    counted_keys keys;
    watched::start();
    {
        test_client ws(keys);
        for (std::size_t first = 0; first < 2; ++first) {
            const support::no_memory none(SIZE_MAX, first);
            CHECK(ws.open({.host = "a", .protocols = "chat"}) != result::done);
            CHECK(drain(ws).empty());
            CHECK(wants_of(ws).empty());
            ws.release();
        }
        CHECK(ws.open({.host = "a", .protocols = "chat", .extensions = "x"}) == result::done);
        const lines told = hear(ws, support::response_to(support::drain_text(ws)));
        CHECK(told.back() == "open");
    }
    CHECK(watched::all.held == 0);
    support::client<fixed<capacity{.message = 256, .output = 500}>> small(keys);
    CHECK(small.open({.host = "a", .target = "/" + std::string(500, 'a')}) == result::too_large);
    const std::string extensions = "x; y=" + std::string(120, 'z');
    CHECK(small.open({.host = "a", .protocols = std::string(200, 'p')}) == result::done);
    small.reset();
    CHECK(small.open({.host = "a", .protocols = std::string(150, 'p'), .extensions = extensions}) ==
          result::too_large);
    CHECK(drain(small).empty());
    CHECK(wants_of(small).empty());
    CHECK(small.open({.host = "a"}) == result::done);
}

TEST_CASE("A client on fixed storage converses, and is dead or stalled like any other") {
    counted_keys keys;
    support::client<fixed<>> ws(keys);
    ws.on_time(0);
    open_client(ws);
    CHECK(hear(ws, from_server(2, "\x01", false)).empty());
    CHECK(hear(ws, from_server(0, "\x02")) == lines{"binary 01 02"});
    ws.on_time(30'000);
    CHECK(drain(ws).size() == 10);
    ws.on_time(50'000);
    CHECK(hear(ws) == lines{"closed 1006"});
    CHECK(ws.report().why == cause::dead_peer);
    ws.reset();
    ws.on_time(0);
    CHECK(ws.open({.host = "a"}) == result::done);
    ws.on_time(10'000);
    CHECK(hear(ws) == lines{"closed 1006"});
    CHECK(report_of(ws) == "opening_timeout, began nobody, received 1006");
}
