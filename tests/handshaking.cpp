// The opening handshake in a connection: a head in any pieces, kept where it has to be, and what
// comes behind it.

#include <sockless/handshaking.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/application.hpp"
#include "support/catch.hpp"
#include "support/connections.hpp"

namespace {

using namespace sockless;
using support::application;
using support::client_close;
using support::concat;
using support::counted_keys;
using support::drain;
using support::feed;
using support::for_each_cut_of;
using support::from_client;
using support::from_server;
using support::hear;
using support::lines;
using support::octet_vector;
using support::report_of;
using support::server_close;
using support::wants_of;
using support::watched;

using test_server = support::server<>;
using test_client = support::client<>;

static_assert(!std::is_copy_constructible_v<handshaking>);
static_assert(!std::is_destructible_v<handshaking>);

class opening_server : public application {
  public:
    opening_server(test_server& ws, bool later) : application(ws), ws_(ws), later_(later) {}

    void answer() {
        CHECK(ws_.request().path() == "/chat");
        CHECK(ws_.request().query() == "room=1");
        CHECK(ws_.request().host() == "example.com");
        CHECK(ws_.request().key() == "dGhlIHNhbXBsZSBub25jZQ==");
        CHECK(ws_.request().offers("superchat"));
        CHECK(ws_.accept() == result::done);
    }
    bool asked = false;

  private:
    void on_event(const event& e) override {
        if (e.kind != event::what::request) return;
        asked = true;
        if (!later_) answer();
    }

    test_server& ws_;
    bool later_;
};

const octet_vector first_frames =
    concat(from_client(1, "one"), from_client(9, "?"), from_client(2, "tw", false),
           from_client(0, "o"), from_client(1, ""), client_close(1000));
const lines first_events{"request",         "open",      "text \"one\"",
                         "binary 74 77 6F", "text \"\"", "closed 1000"};

}  // namespace

TEST_CASE("16 S1 frames directly behind the request: none lost, none doubled, however it is cut") {
    const octet_vector stream =
        concat(support::octets_of_text(support::good_request), first_frames);
    for (const bool later : {false, true}) {
        for_each_cut_of(stream.size(), [&](const std::vector<std::size_t>& sizes) {
            watched::start();
            {
                test_server ws;
                opening_server app(ws, later);
                std::span<const octet> rest = stream;
                std::string sent;
                for (const std::size_t size : sizes) {
                    app.receive(rest.first(size));
                    rest = rest.subspan(size);
                    if (later && app.asked) {
                        app.receive({});  // what it has told is kept from now on
                        app.receive({});
                        CHECK(app.told == lines{"request"});
                        app.asked = false;
                        app.answer();
                        app.receive({});
                    }
                    sent += support::drain_text(ws);
                }
                app.receive({});
                REQUIRE(app.told == first_events);
                CHECK(sent == support::good_response + "\x8A\x01?\x88\x02\x03\xE8");
                CHECK(ws.counters().received.octets == stream.size());
                CHECK(ws.counters().received.messages == 3);
                CHECK(ws.counters().received.frames == 4);
                CHECK(ws.counters().received.control == 2);
                CHECK(ws.counters().sent.octets == sent.size());
                CHECK(ws.counters().sent.control == 2);
            }
            CHECK(watched::all.held == 0);
        });
    }
}

TEST_CASE("16 S1 frames directly behind the response: none lost, none doubled, however it is cut") {
    const octet_vector frames =
        concat(from_server(1, "one"), from_server(9, "?"), from_server(2, "tw", false),
               from_server(0, "o"), from_server(1, ""), server_close(1000));
    counted_keys keys;
    test_client measure(keys);
    CHECK(measure.open({.host = "example.com", .protocols = "chat"}) == result::done);
    const std::size_t size =
        support::response_to(support::drain_text(measure)).size() + frames.size();
    for_each_cut_of(size, [&](const std::vector<std::size_t>& sizes) {
        test_client ws(keys);
        CHECK(ws.open({.host = "example.com", .protocols = "chat"}) == result::done);
        const octet_vector stream =
            concat(support::octets_of_text(support::response_to(support::drain_text(ws))), frames);
        REQUIRE(stream.size() == size);
        application app(ws);
        feed(app, stream, sizes);
        drain(ws);
        ws.end_of_stream();
        app.receive({});
        REQUIRE(app.told ==
                lines{"open", "text \"one\"", "binary 74 77 6F", "text \"\"", "closed 1000"});
        CHECK(report_of(ws) == "closed clean, began peer, sent 1000, received 1000");
        CHECK(ws.counters().received.octets == size);
    });
}

TEST_CASE("H9 nothing is told of frames behind a response that is not verified") {
    counted_keys keys;
    for (const std::string& wrong :
         {std::string("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
          support::good_response,  // the proof of another key
          std::string("HTTP/1.2 101 Switching Protocols\r\n\r\n"), std::string("\x81\x05Hello")}) {
        const octet_vector stream =
            concat(support::octets_of_text(wrong), from_server(1, "too early"));
        for_each_cut_of(stream.size(), [&](const std::vector<std::size_t>& sizes) {
            test_client ws(keys);
            CHECK(ws.open({.host = "example.com"}) == result::done);
            drain(ws);
            application app(ws);
            feed(app, stream, sizes);
            app.receive({});
            REQUIRE(app.told == lines{"closed 1006"});
            CHECK(ws.report().why == cause::violation);
            CHECK(drain(ws).empty());
        });
    }
}

TEST_CASE("No answer means no further event, and octets behind the head stay in `in`") {
    test_server ws;
    octet_vector stream = concat(support::octets_of_text(support::good_request),
                                 from_client(1, "one"), from_client(1, "two"));
    const octet_vector behind = concat(from_client(1, "one"), from_client(1, "two"));
    std::span<octet> in = stream;
    CHECK(hear(ws, in) == lines{"request"});
    for (int again = 0; again < 3; ++again) {
        CHECK(hear(ws, in).empty());
        CHECK(octet_vector(in.begin(), in.end()) == behind);
        CHECK(wants_of(ws).empty());
    }
    CHECK(ws.send_text("x") == result::undecided);
    CHECK(ws.begin(message_type::text) == result::undecided);
    CHECK(ws.begin(message_type::text, 1) == result::undecided);
    CHECK(ws.append({}, part::last) == result::undecided);
    CHECK(ws.lend(std::span<octet>{}, part::last) == result::undecided);
    CHECK(ws.ping() == result::undecided);
    CHECK(ws.pong({}) == result::undecided);
    CHECK(ws.close() == result::undecided);
    CHECK(ws.accept() == result::done);
    CHECK(hear(ws, in) == lines{"open", "text \"one\"", "text \"two\""});
}

TEST_CASE("A head that came in one piece and is answered at once is not copied") {
    watched::start();
    test_server ws;
    octet_vector head = support::octets_of_text(support::good_request);
    std::span<octet> in = head;
    CHECK(hear(ws, in) == lines{"request"});
    CHECK(watched::all.takes == 1);  // asked again by the loop, it had to be kept
    test_server other;
    watched::start();
    in = head;
    CHECK(other.next(in).kind == event::what::request);
    CHECK(watched::all.takes == 0);
    CHECK(other.request().octets().data() == head.data());
    CHECK(other.accept() == result::done);
    CHECK(watched::all.takes == 1);  // the answer
    CHECK(other.next(in).kind == event::what::open);
    CHECK(watched::all.takes == 1);
}

TEST_CASE("Refused memory while the head is kept ends the connection") {
    watched::start();
    SECTION("of a head in pieces, the first one") {
        const support::no_memory none;
        test_server ws;
        CHECK(hear(ws, "GET ") == lines{"closed 1006"});
        CHECK(report_of(ws) == "no_memory, began nobody, received 1006");
    }
    SECTION("the next one") {
        const support::no_memory none(SIZE_MAX, 1);
        test_server ws;
        CHECK(hear(ws, "GET ").empty());
        CHECK(hear(ws, std::string(300, '/')) == lines{"closed 1006"});
        CHECK(report_of(ws) == "no_memory, began nobody, received 1006");
    }
    SECTION("that is not answered at once") {
        const support::no_memory none;
        test_server ws;
        CHECK(hear(ws, support::good_request) == lines{"request", "closed 1006"});
        CHECK(report_of(ws) == "no_memory, began nobody, received 1006");
    }
    SECTION("while it is answered") {
        const support::no_memory none(2);
        test_server ws;
        octet_vector head = support::octets_of_text(support::good_request);
        std::span<octet> in = head;
        CHECK(ws.next(in).kind == event::what::request);
        CHECK(ws.accept() == result::full);
        CHECK(ws.reject() == result::full);
        CHECK(ws.accept() == result::done);
    }
    SECTION("while it is refused") {
        const support::no_memory none;
        test_server ws;
        CHECK(hear(ws, "POST").empty());
        CHECK(wants_of(ws) == "read half_close");
        ws.end_of_stream();
        CHECK(hear(ws) == lines{"closed 1006"});
        CHECK(report_of(ws) == "violation, began nobody, received 1006, bad_request_line");
    }
}

TEST_CASE("A head that does not fit into its limit ends at one octet more, however it is cut") {
    const octet_vector head = support::octets_of_text(support::good_request);
    for (const bool fits : {true, false}) {
        connection_options options;
        options.limit.head =
            static_cast<decltype(options.limit.head)>(head.size() - (fits ? 0 : 1));
        for_each_cut_of(head.size(), [&](const std::vector<std::size_t>& sizes) {
            watched::start();
            {
                test_server ws(options);
                application app(ws);
                feed(app, head, sizes);
                if (fits) {
                    REQUIRE(app.told == lines{"request"});
                } else {
                    REQUIRE(app.told.empty());
                    REQUIRE(support::drain_text(ws).starts_with("HTTP/1.1 431 "));
                    ws.end_of_stream();
                    app.receive({});
                    REQUIRE(app.told == lines{"closed 1006"});
                    REQUIRE(ws.report().fault->broken == rule::large_head);
                }
                REQUIRE(watched::all.most_held <= 2 * head.size() + 1'000);
            }
            CHECK(watched::all.held == 0);
        });
    }
}

TEST_CASE("A head leaves whole or not at all: without memory, too large, or none that may leave") {
    counted_keys keys;
    watched::start();
    support::client<fixed<capacity{.message = 256, .output = 500}>> small(keys);
    CHECK(small.open({.host = "a", .target = "/" + std::string(500, 'a')}) == result::too_large);
    CHECK(drain(small).empty());
    CHECK(small.open({.host = "two words"}) == result::bad_head);
    CHECK(drain(small).empty());
    CHECK(small.open({.host = "a"}) == result::done);
    test_client other(keys);
    {
        const support::no_memory none;
        CHECK(other.open({.host = "a"}) == result::full);
        CHECK(drain(other).empty());
    }
    CHECK(other.open({.host = "a"}) == result::done);
    CHECK_FALSE(drain(other).empty());
}

TEST_CASE("A response that refuses is kept, one that opens is not, and what is neither ends it") {
    counted_keys keys;
    const std::string refusal = "HTTP/1.1 404 Not Found\r\nX-Why: not here\r\n\r\n";
    for_each_cut_of(refusal.size(), [&](const std::vector<std::size_t>& sizes) {
        test_client ws(keys);
        CHECK(ws.open({.host = "a"}) == result::done);
        drain(ws);
        application app(ws);
        feed(app, support::octets_of_text(refusal), sizes);
        app.receive({});
        REQUIRE(app.told == lines{"refused", "closed 1006"});
        CHECK(ws.response().status() == 404);
        CHECK(ws.response().header("x-why").value_or(text_view{}) == "not here");
        ws.reset();
        CHECK(ws.open({.host = "a"}) == result::done);
        CHECK(hear(ws, support::response_to(support::drain_text(ws))) == lines{"open"});
        CHECK(ws.response().status() == 0);
    });
    // Without memory to keep it, nobody finds it where it was.
    watched::start();
    test_client ws(keys);
    CHECK(ws.open({.host = "a"}) == result::done);
    drain(ws);
    octet_vector head = support::octets_of_text(refusal);
    std::span<octet> in = head;
    const support::no_memory none;
    CHECK(hear(ws, in) == lines{"refused", "closed 1006"});
    CHECK(ws.response().octets().data() != head.data());
}

TEST_CASE(
    "Nothing comes of nothing, and of a request whose connection was aborted nothing is kept") {
    watched::start();
    test_server ws;
    for (int i = 0; i < 3; ++i) CHECK(hear(ws).empty());
    octet_vector head = support::octets_of_text(support::good_request);
    std::span<octet> in = std::span(head).first(10);
    CHECK(hear(ws, in).empty());
    for (int i = 0; i < 3; ++i) CHECK(hear(ws).empty());
    ws.reset();
    in = head;
    CHECK(ws.next(in).kind == event::what::request);
    ws.abort();
    CHECK(hear(ws, in) == lines{"closed 1006"});
    CHECK(ws.request().octets().data() != head.data());
    CHECK(report_of(ws) == "aborted, began nobody, received 1006");
}

TEST_CASE("No head in time, and the connection ends; in time, and that clock has stopped") {
    test_server ws;
    ws.on_time(0);
    CHECK(hear(ws, "GET / HT").empty());
    ws.on_time(10'000);
    CHECK(hear(ws) == lines{"closed 1006"});
    CHECK(report_of(ws) == "opening_timeout, began nobody, received 1006");
    ws.reset();
    ws.on_time(0);
    CHECK(hear(ws, support::good_request) == lines{"request"});
    ws.on_time(1'000'000);
    CHECK(hear(ws).empty());
    CHECK(ws.accept() == result::done);
    CHECK(hear(ws) == lines{"open"});
}

namespace {

// Agrees to whatever is asked for by its name, and compresses nothing.
class agreeable : public compression {
  public:
    struct options {
        bool says_yes = true;
    };
    explicit agreeable(const options& how) noexcept : compression(table), says_yes_(how.says_yes) {}

  private:
    static agreeable& mine(compression& self) noexcept { return static_cast<agreeable&>(self); }
    static const functions table;

    bool says_yes_;
    bool agreed_ = false;

  public:
    static std::string_view say(compression& self, text_room room) noexcept {
        if (!mine(self).says_yes_) return {};
        constexpr std::string_view text = "x-agreeable";
        return {room.data(), text.copy(room.data(), room.size())};
    }
    static bool agree_to(compression& self, bool answered) noexcept {
        mine(self).agreed_ = answered && mine(self).says_yes_;
        return true;
    }
    static bool has_agreed(const compression& self) noexcept {
        return static_cast<const agreeable&>(self).agreed_;
    }
};

constexpr compression::functions agreeable::table = [] {
    functions own = no_compression::table;
    own.offer = [](compression& self, text_room room) noexcept { return say(self, room); };
    own.agree = [](compression& self, std::optional<text_view> answer) noexcept {
        return agree_to(self, answer.has_value());
    };
    own.answer = [](compression& self, const request_head&, text_room room) noexcept {
        agree_to(self, true);
        return say(self, room);
    };
    own.accept = [](compression& self, const request_head& request, std::span<octet> out) noexcept {
        agree_to(self, true);
        std::array<char, longest_text> room{};
        return sockless::accept(request, sockless::answer{.extensions = say(self, room)}, out);
    };
    own.agreed = has_agreed;
    own.inflate = [](compression&, growing&, std::size_t) noexcept {
        return inflated{.what = inflated::is::message, .type = message_type::binary};
    };
    own.tell = [](compression&, connection& to, event& told) noexcept { tell_inflated(to, told); };
    own.reset = [](compression& self) noexcept { agree_to(self, false); };
    return own;
}();

}  // namespace

TEST_CASE("D3 RSV1 is a broken rule, unless the handshake agreed on what gives it a meaning") {
    const octet_vector compressed = support::octets("C2 81 00000000 00");
    for (const bool says_yes : {true, false}) {
        basic_server<watched, agreeable> ws(connection_options{}, {says_yes});
        std::string offering = support::good_request;
        offering.insert(offering.size() - 2, "Sec-WebSocket-Extensions: x-agreeable\r\n");
        REQUIRE(hear(ws, offering) == lines{"request"});
        REQUIRE(ws.accept() == result::done);
        const std::string answer = support::drain_text(ws);
        CHECK((answer.find("x-agreeable") != std::string::npos) == says_yes);
        CHECK(hear(ws) == lines{"open"});
        const lines told = hear(ws, compressed);
        CHECK(told == (says_yes ? lines{"binary "} : lines{}));
        if (!says_yes) CHECK(support::hex(drain(ws)) == "88 02 03 EA");

        counted_keys keys;
        client_connection<counted_keys, watched, agreeable> client(keys, {}, {says_yes});
        CHECK(client.open({.host = "a"}) == result::done);
        const std::string request = support::drain_text(client);
        CHECK((request.find("x-agreeable") != std::string::npos) == says_yes);
        const std::string more =
            says_yes ? "Sec-WebSocket-Extensions: x-agreeable\r\n" : std::string();
        CHECK(hear(client, support::response_to(request, more)) == lines{"open"});
        const lines heard = hear(client, support::octets("C2 01 00"));
        CHECK(heard == (says_yes ? lines{"binary "} : lines{}));
        if (!says_yes) CHECK(client.report().fault->broken == rule::reserved_bits);
    }
}
