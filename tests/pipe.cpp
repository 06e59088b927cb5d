// Two connections in memory: whatever the cut and the clock, what one sends is what the other
// hears.

#include <sockless/pipe.hpp>

#include <sockless/client_connection.hpp>
#include <sockless/server_connection.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/connections.hpp"

namespace {

using namespace sockless;
using support::counted_keys;
using support::lines;
using support::octets_of_size;
using support::report_of;

// A client and a server that echoes, and what each of them hears.
template <std::size_t Size = 4'096>
struct pair {
    explicit pair(pipe_cut cut = {}, const connection_options& options = {})
        : client(keys, options), server(options), between(client, server, cut) {}

    void run() {
        between.run(
            [&](const event& e) {
                at_client.push_back(support::line_of(e));
                if (e.kind == event::what::open) {
                    CHECK(client.send_text("Hello") == result::done);
                    CHECK(client.send_binary(octets_of_size(3'000)) == result::done);
                }
            },
            [&](const event& e) {
                at_server.push_back(support::line_of(e));
                if (e.kind == event::what::request) CHECK(server.accept() == result::done);
                if (e.kind == event::what::message) {
                    CHECK(server.send(e.type, e.payload) == result::done);
                }
            });
    }

    counted_keys keys{};
    support::client<> client;
    support::server<> server;
    basic_pipe<Size> between;
    lines at_client{};
    lines at_server{};
};

const std::string large = support::summary(octets_of_size(3'000));

}  // namespace

TEST_CASE("36 a conversation in memory is the same at every cut") {
    const auto check = [](auto& both_ends) {
        CHECK(both_ends.client.open({.host = "a"}) == result::done);
        both_ends.run();
        REQUIRE(both_ends.at_server == lines{"request", "open", "text \"Hello\"", large});
        REQUIRE(both_ends.at_client == lines{"open", "text \"Hello\"", large});
        CHECK(both_ends.client.close(1000) == result::done);
        both_ends.run();
        REQUIRE(both_ends.at_server.back() == "closed 1000");
        REQUIRE(both_ends.at_client.back() == "closed 1000");
        CHECK(report_of(both_ends.client) == "closed clean, began us, sent 1000, received 1000");
        CHECK(report_of(both_ends.server) == "closed clean, began peer, sent 1000, received 1000");
        both_ends.run();  // nothing moves any more
        CHECK(both_ends.at_client.size() == 4);
        CHECK(both_ends.at_server.size() == 5);
    };
    for (const std::size_t most : {1U, 2U, 3U, 100U, 5'000U}) {
        pair<> one({.most = most});
        check(one);
        pair<64> narrow({.most = most});
        check(narrow);
    }
    for (std::uint64_t at = 0; at < 400; ++at) {
        pair<> one({.at = at});
        check(one);
    }
    pair<65'536> wide;
    check(wide);
}

TEST_CASE("The cut is where it was asked for") {
    counted_keys keys;
    support::client<> client(keys);
    connection_options slices;
    slices.slices = true;
    support::server<> sliced(slices);
    sockless::pipe between(client, sliced, {.most = 4});
    lines told;
    CHECK(client.open({.host = "a"}) == result::done);
    const auto at_server = [&](const event& e) {
        told.push_back(support::line_of(e));
        if (e.kind == event::what::request) CHECK(sliced.accept() == result::done);
    };
    between.run([](const event&) {}, at_server);
    told.clear();
    CHECK(client.send_binary(octets_of_size(4)) == result::done);  // 6 octets, and these 4
    between.run([](const event&) {}, at_server);
    CHECK(told == lines{"slice first binary 00 07, 2", "slice last binary 0E 15, 0"});
}

TEST_CASE("pass_time sets the clock at both ends") {
    pair<> both_ends;
    both_ends.between.pass_time(0);
    CHECK(both_ends.between.deadline() == 10'000);
    CHECK(both_ends.client.open({.host = "a"}) == result::done);
    both_ends.run();
    CHECK(both_ends.between.deadline() <= 30'000);
    both_ends.between.pass_time(30'000);
    CHECK(both_ends.between.now() == 30'000);
    both_ends.run();
    CHECK(both_ends.client.round_trip() == 0);
    CHECK(both_ends.server.round_trip() == 0);
    CHECK(both_ends.at_client.back() == "pong \"\\x00\\x00\\x00\\x01\"");
    both_ends.between.pass_time(1'000);
    CHECK(both_ends.between.now() == 31'000);
    both_ends.run();
    // The server is the one that waits for less.
    support::server<> waiting;
    counted_keys keys;
    support::client<> idle(keys);
    sockless::pipe both_idle(idle, waiting);
    both_idle.pass_time(5);
    CHECK(both_idle.deadline() == 10'005);
}

TEST_CASE("A peer that falls silent is found dead, at either end") {
    SECTION("the client") {
        pair<> both_ends;
        both_ends.between.pass_time(0);
        CHECK(both_ends.client.open({.host = "a"}) == result::done);
        both_ends.run();
        both_ends.between.stop_client();
        both_ends.between.pass_time(30'000);
        both_ends.run();
        both_ends.between.pass_time(20'000);
        both_ends.run();
        CHECK(both_ends.server.report().why == cause::dead_peer);
        CHECK(both_ends.at_server.back() == "closed 1006");
    }
    SECTION("the server") {
        pair<> both_ends;
        both_ends.between.pass_time(0);
        CHECK(both_ends.client.open({.host = "a"}) == result::done);
        both_ends.run();
        both_ends.between.stop_server();
        both_ends.between.pass_time(30'000);
        both_ends.run();
        both_ends.between.pass_time(20'000);
        both_ends.run();
        CHECK(both_ends.client.report().why == cause::dead_peer);
        CHECK(both_ends.at_client.back() == "closed 1006");
    }
}

TEST_CASE("The end of the stream arrives behind all octets, and once") {
    pair<> both_ends;
    CHECK(both_ends.client.open({.host = "a"}) == result::done);
    both_ends.run();
    CHECK(both_ends.client.send_text("last words") == result::done);
    CHECK(both_ends.client.close(1001, "bye") == result::done);
    both_ends.run();
    CHECK(both_ends.at_server.at(both_ends.at_server.size() - 2) == "text \"last words\"");
    CHECK(both_ends.at_server.back() == "closed 1001 \"bye\"");
    pair<> aborted;
    CHECK(aborted.client.open({.host = "a"}) == result::done);
    aborted.run();
    aborted.client.abort();
    aborted.between.run();  // without looking
    CHECK(aborted.client.finished());
    CHECK(aborted.server.finished());
    CHECK(aborted.server.report().why == cause::end_of_stream);
}

TEST_CASE("28 a server pauses, its client goes on at drained, and nothing is lost") {
    connection_options options;
    options.limit.message = 1'000;
    options.limit.high = 2'000;
    options.limit.low = 1'000;
    pair<256> both_ends({}, options);
    CHECK(both_ends.client.open({.host = "a"}) == result::done);
    std::size_t sent = 0;
    std::size_t echoed = 0;
    std::size_t heard = 0;
    const auto send_more = [&] {
        while (sent < 200 && both_ends.client.send_binary(octets_of_size(900)) == result::done) {
            ++sent;
        }
    };
    both_ends.between.run(
        [&](const event& e) {
            if (e.kind == event::what::message) ++heard;
            if (e.kind == event::what::open || e.kind == event::what::drained) send_more();
        },
        [&](const event& e) {
            if (e.kind == event::what::request) CHECK(both_ends.server.accept() == result::done);
            if (e.kind != event::what::message) return;
            CHECK(both_ends.server.send(e.type, e.payload) == result::done);
            ++echoed;
        });
    CHECK(sent == 200);
    CHECK(echoed == 200);
    CHECK(heard == 200);
}

namespace {

struct constant_keys {
    constexpr masking_key operator()() noexcept { return {{1, 2, 3, 4}}; }
};

}  // namespace

TEST_CASE("A pipe serves any storage") {
    constant_keys keys;
    client_connection<constant_keys, fixed<>> client(keys);
    basic_server<fixed<>> server;
    const auto between = std::make_unique<basic_pipe<512>>(client, server);
    lines told;
    CHECK(client.open({.host = "a"}) == result::done);
    between->run(
        [&](const event& e) {
            told.push_back(support::line_of(e));
            if (e.kind == event::what::open) CHECK(client.send_text("x") == result::done);
        },
        [&](const event& e) {
            if (e.kind == event::what::request) CHECK(server.accept() == result::done);
            if (e.kind == event::what::message) CHECK(server.close(4000) == result::done);
        });
    CHECK(told.back() == "closed 4000");
    CHECK(server.report().clean);
}
