// One message, compressed once, for everybody who can inflate it.

#include <sockless/prepared_deflate.hpp>

#include <sockless/deflate.hpp>

#include <cstddef>
#include <optional>
#include <string>

#include "support/catch.hpp"
#include "support/connections.hpp"
#include "support/heap_watch.hpp"

namespace {

using namespace sockless;
using support::counted_keys;
using support::drain;
using support::drain_text;
using support::hear;
using support::lines;
using support::octet_vector;
using support::octets_of_text;
using support::watched;

using zip_server = basic_server<watched, permessage_deflate>;
using zip_client = client_connection<counted_keys, watched, permessage_deflate>;

const std::string text = [] {
    std::string all;
    for (int i = 0; i < 200; ++i) all += "tick " + std::to_string(i) + "; ";
    return all;
}();

// A client and a server that have agreed.
struct joined {
    explicit joined(const deflate_options& client_how = {}, const deflate_options& server_how = {})
        : client(keys, {}, client_how), server({}, server_how) {
        REQUIRE(client.open({.host = "a"}) == result::done);
        REQUIRE(hear(server, drain_text(client)) == lines{"request"});
        REQUIRE(server.accept() == result::done);
        const std::string response = drain_text(server);
        REQUIRE(hear(server) == lines{"open"});
        REQUIRE(hear(client, response) == lines{"open"});
    }

    // What the client hears, and how many octets that took.
    std::size_t passes(const lines& wanted) {
        const octet_vector out = drain(server);
        CHECK(hear(client, out) == wanted);
        CHECK(hear(server) == lines{"drained"});
        return out.size();
    }

    counted_keys keys;
    zip_client client;
    zip_server server;
};

lines as_told(std::string_view all) {
    return {support::payload_text(message_type::text, octets_of_text(all))};
}

}  // namespace

TEST_CASE("A message that was compressed once is lent to whoever agreed on a window for it") {
    const prepared_deflate message(message_type::text, octets_of_text(text), {.window_bits = 12});
    REQUIRE(message);
    CHECK(message.compressed().octets.size() < text.size() / 2);
    CHECK(message.compressed().octets[0] == 0xC1);
    SECTION("with a window that is large enough") {
        for (const int bits : {12, 15}) {
            for (const bool takeover : {true, false}) {
                CAPTURE(bits, takeover);
                deflate_options how;
                how.wishes.peer_window_bits = static_cast<std::uint8_t>(bits);
                how.wishes.peer_takeover = takeover;
                joined both(how);
                for (int round = 0; round < 3; ++round) {
                    // Messages that know their predecessors may stand between.
                    CHECK(both.server.send_text(text) == result::done);
                    CHECK(hear(both.client, drain(both.server)) == as_told(text));
                    CHECK(lend(both.server, message) == result::done);
                    CHECK(both.passes(as_told(text)) == message.compressed().octets.size());
                }
            }
        }
    }
    SECTION("plain, where the window is too small") {
        deflate_options how;
        how.wishes.peer_window_bits = 11;
        how.wishes.insists = true;
        joined both(how);
        CHECK(both.server.lend(message.compressed()) == result::not_offered);
        CHECK(lend(both.server, message) == result::done);
        CHECK(both.passes(as_told(text)) == text.size() + 4);
    }
    SECTION("plain, where nothing was agreed on") {
        support::server<> ws;
        support::open_server(ws);
        CHECK(ws.lend(message.compressed()) == result::not_offered);
        CHECK(lend(ws, message) == result::done);
        CHECK(drain(ws).size() == text.size() + 4);
    }
    SECTION("a client compresses anew") {
        joined both;
        CHECK(send(both.client, message) == result::done);
        const octet_vector out = drain(both.client);
        CHECK(out[0] == 0xC1);
        CHECK(hear(both.server, out) == as_told(text));
    }
    SECTION("not to a connection that is closed, or has lent already") {
        zip_server closed;
        CHECK(lend(closed, message) == result::not_open);
        joined both;
        CHECK(lend(both.server, message) == result::done);
        CHECK(lend(both.server, message) == result::lent);
        both.passes(as_told(text));
    }
}

TEST_CASE("Settings that zlib does not take leave the message plain") {
    const prepared_deflate message(message_type::text, octets_of_text(text), {.level = 99});
    REQUIRE(message);
    CHECK(message.compressed().octets.empty());
    joined both;
    CHECK(lend(both.server, message) == result::done);
    CHECK(both.passes(as_told(text)) == text.size() + 4);
}

TEST_CASE(
    "Without memory for what is compressed a message is plain, and without any there is none") {
    bool was_plain = false;
    for (std::size_t after = 0; after < 12; ++after) {
        const support::no_heap none(after);
        const prepared_deflate message(message_type::text, octets_of_text(text));
        CHECK(static_cast<bool>(message) == (after > 0));
        was_plain = was_plain || (message && message.compressed().octets.empty() && after > 4);
    }
    CHECK(was_plain);
}

TEST_CASE("An empty message has nothing to compress") {
    const prepared_deflate message(message_type::binary, {});
    REQUIRE(message);
    CHECK(message.compressed().octets.empty());
    joined both;
    CHECK(lend(both.server, message) == result::done);
    CHECK(both.passes({"binary "}) == 2);
}

TEST_CASE("Compressed headers have each of their sizes") {
    for (const std::size_t size : {10U, 100'000U, 10'000'000U}) {
        octet_vector payload(size);
        std::uint32_t state = 1;
        for (octet& o : payload) {
            state = state * 1'664'525 + 1'013'904'223;
            o = static_cast<octet>(state >> 28);
        }
        const prepared_deflate message(message_type::binary, payload);
        const encoded_frame& frame = message.compressed();
        const std::size_t header = frame.octets.size() - frame.payload;
        CHECK(header == (frame.payload < 126 ? 2U : frame.payload < 65'536 ? 4U : 10U));
        CHECK(frame.octets[0] == 0xC2);
    }
}
