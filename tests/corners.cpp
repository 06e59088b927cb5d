// corners.cpp -- what a caller meets rarely: names for people, empty and absent things, and the
// ends of what numbers can say.
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/client_connection.hpp>
#include <sockless/heartbeat.hpp>
#include <sockless/judge.hpp>
#include <sockless/pipe.hpp>
#include <sockless/prepared.hpp>
#include <sockless/server_connection.hpp>

#include "support/catch.hpp"

using namespace sockless;
using namespace std::string_view_literals;

namespace {

struct counting_keys {
    std::uint32_t drawn = 0;
    constexpr masking_key operator()() noexcept {
        masking_key key{};
        store_network(++drawn, key.octets);
        return key;
    }
};

struct both_ends {
    explicit both_ends(const connection_options& options = {})
        : server(options), client(keys, options), between(client, server) {
        CHECK(client.open({.host = "example.org"}) == result::done);
        run();
    }
    void run() {
        between.run([&](const event& told) { at_client.push_back(told.kind); },
                    [&](const event& told) {
                        at_server.push_back(told.kind);
                        if (told.kind == event::request) CHECK(server.accept() == result::done);
                    });
    }

    counting_keys keys;
    server_connection server;
    client_connection<counting_keys> client;
    basic_pipe<4096> between;
    std::vector<event::what> at_client;
    std::vector<event::what> at_server;
};

}  // namespace

TEST_CASE("every result and every cause has the name of its enumerator") {
    CHECK(name(result::done) == "done"sv);
    CHECK(name(result::control_first) == "control_first"sv);
    CHECK(name(result::not_offered) == "not_offered"sv);
    CHECK(name(cause::nothing) == "nothing"sv);
    CHECK(name(cause::dead_peer) == "dead_peer"sv);
    CHECK(name(cause::stalled) == "stalled"sv);
}

TEST_CASE("a connection may close without a code, which its peer sees as 1005") {
    both_ends two;
    CHECK(two.server.close_without_code() == result::done);
    two.run();
    CHECK(two.client.report().received == no_status_code);
    CHECK(two.server.report().sent == no_status_code);
    CHECK(two.client.report().clean);
    CHECK(two.server.close_without_code() == result::not_open);
}

TEST_CASE("a Close takes the place of a pong for which there is no room") {
    both_ends two(
        {.limit = {.message = 100, .high = 0}, .pause = connection_options::pausing::never_at_all});
    const std::vector<octet> some(60);
    while (two.server.room() > 60) CHECK(two.server.send_binary(some) == result::done);
    const auto rest = static_cast<std::size_t>(two.server.room());
    CHECK(two.server.send_binary(std::vector<octet>(rest)) == result::done);
    std::array<octet, 6> ping{0x89, 0x80, 0, 0, 0, 0};
    std::span<octet> in(ping);
    CHECK(two.server.next(in).kind == event::nothing);
    CHECK(two.server.close(1001) == result::done);
    two.run();
    CHECK(two.client.report().received == 1001);
    CHECK(two.client.report().clean);
    for (const event::what told : two.at_client) CHECK(told != event::pong);
}

TEST_CASE("after the end a late command starts no timer") {
    both_ends two;
    two.server.on_time(0);
    two.server.abort();
    CHECK(two.server.send_text("late") == result::not_open);
    CHECK(two.server.deadline() == never);
}

TEST_CASE("a prepared message that has been moved from is none") {
    both_ends two;
    prepared message(message_type::binary, {});
    const prepared other(std::move(message));
    CHECK(other);
    CHECK(two.server.lend(encoded_frame{}) == result::wrong_length);
    CHECK(two.server.counters().sent.frames == 0);
}

TEST_CASE("the host of an absolute target counts for more than Host, whoever has read the head") {
    const auto judged_for = [](std::string_view target) {
        const std::array<field, 6> fields{{{"Host", "a.example"},
                                           {"Upgrade", "websocket"},
                                           {"Connection", "Upgrade"},
                                           {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                           {"Sec-WebSocket-Version", "13"},
                                           {"Origin", "http://b.example"}}};
        return judge(parsed_request{.method = "GET", .target = target, .fields = fields}, {});
    };
    CHECK(judged_for("http://b.example/").with.has_value());
    CHECK(judged_for("http://a.example/").broken == rule::foreign_origin);
    CHECK(judged_for("/").broken == rule::foreign_origin);
    CHECK(judged_for("http://b.example:x/").broken == rule::bad_target);
}

TEST_CASE("an answer has no gap in its list of extensions") {
    std::string text =
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Extensions: x\r\n\r\n";
    server_connection ws;
    std::vector<octet> head(text.begin(), text.end());
    std::span<octet> in(head);
    CHECK(ws.next(in).kind == event::request);
    CHECK(ws.accept({.extensions = "x,,x"}) == result::bad_head);
    CHECK(ws.accept({.extensions = "x"}) == result::done);
}

TEST_CASE("an entry that is longer than any origin allows none") {
    const std::string entry = "https://" + std::string(400, 'a');
    const std::array<std::string_view, 1> list{entry};
    const std::string page = "https://a.example";
    CHECK_FALSE(origins(list).allow(text_view{octets_of(page)}, {}));
}

TEST_CASE("a ping that left before time had a sign is timed") {
    heartbeat beat;
    beat.fall_due();
    const std::array<octet, 4> payload = beat.payload();
    beat.sent(1);
    CHECK(beat.leaves(1, -5));
    beat.on_pong(payload, 7);
    CHECK(beat.round_trip() == 12);
}

TEST_CASE("a pipe knows the nearest deadline, and keeps what is not taken yet") {
    both_ends two({.time = {.ping = 500}});
    two.client.on_time(0);
    CHECK(two.between.deadline() == 500);
    two.server.on_time(0);
    CHECK(two.between.deadline() == 500);
    two.between.pass_time(100);
    CHECK(two.between.deadline() > 100);
    CHECK(two.between.deadline() <= 600);
}

TEST_CASE("a pipe keeps what a pausing server does not take yet") {
    counting_keys keys;
    server_connection server({.limit = {.message = 100, .high = 0}});
    client_connection<counting_keys> client(keys);
    REQUIRE(client.open({.host = "example.org"}) == result::done);
    basic_pipe<4096> between(client, server);
    int echoes = 0;
    between.run(
        [&](const event& told) {
            for (int i = 0; told.kind == event::open && i < 20; ++i) {
                CHECK(client.send_text("some words") == result::done);
            }
            if (told.kind == event::message) ++echoes;
        },
        [&](const event& told) {
            if (told.kind == event::request) CHECK(server.accept() == result::done);
            if (told.kind == event::message) {
                CHECK(server.send(told.type, told.payload) == result::done);
            }
        });
    CHECK(echoes == 20);
}

TEST_CASE("an endpoint has no reason before a Close, and gives up once") {
    server_endpoint peer;
    CHECK(peer.close_reason().empty());
    peer.end_of_stream();
    peer.give_up(1011);
    CHECK_FALSE(peer.control_due());
    CHECK(peer.close_reason().empty());
}
