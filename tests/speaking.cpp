// What the application says: what leaves, and what is a misuse that changes nothing.

#include <sockless/speaking.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "support/catch.hpp"
#include "support/connections.hpp"
#include "support/heap_watch.hpp"
#include "support/reference.hpp"

namespace {

using namespace sockless;
using support::client_close;
using support::counted_keys;
using support::drain;
using support::from_client;
using support::hear;
using support::lines;
using support::octet_vector;
using support::octets_of_size;
using support::open_client;
using support::open_server;
using support::report_of;
using support::watched;

using test_server = support::server<>;
using test_client = support::client<>;

}  // namespace

TEST_CASE("20 what leaves is what an independent builder makes of it") {
    test_server ws;
    open_server(ws);
    for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U}) {
        const octet_vector payload = octets_of_size(size);
        CHECK(ws.send_binary(payload) == result::done);
        CHECK(drain(ws) == support::frame(true, 0, 2, std::nullopt, payload));
    }
    CHECK(ws.send_text("\xC3\xA9") == result::done);
    CHECK(ws.send(message_type::text, support::octets("FF")) == result::done);  // vouched for
    CHECK(support::hex(drain(ws)) == "81 02 C3 A9 81 01 FF");
    CHECK(ws.send_text("\xC3") == result::bad_text);
    CHECK(ws.begin(message_type::text) == result::done);
    CHECK(ws.append(support::octets("41"), part::more) == result::done);
    CHECK(ws.append({}, part::more) == result::done);
    CHECK(ws.ping(support::octets("3F")) == result::done);
    CHECK(ws.append(support::octets("42"), part::more) == result::done);
    CHECK(ws.append({}, part::last) == result::done);
    CHECK(support::hex(drain(ws)) == "01 01 41 00 00 89 01 3F 00 01 42 80 00");
    CHECK(ws.begin(message_type::binary, 3) == result::done);
    CHECK(ws.append(support::octets("41"), part::more) == result::done);
    CHECK(ws.append(support::octets("42 43"), part::last) == result::done);
    CHECK(support::hex(drain(ws)) == "82 03 41 42 43");
    CHECK(ws.begin(message_type::text, 0) == result::done);
    CHECK(ws.append({}, part::last) == result::done);
    CHECK(support::hex(drain(ws)) == "81 00");
}

TEST_CASE("24 41 misuse is a result, writes nothing, changes nothing and is not sticky") {
    test_server ws;
    open_server(ws);
    octet_vector piece = octets_of_size(4);
    const std::span<octet> lent(piece);
    const auto check_refused = [&](result got, result wanted) { CHECK(got == wanted); };
    SECTION("nothing has begun") {
        check_refused(ws.append(piece, part::last), result::not_open);
        check_refused(ws.lend(lent, part::last), result::not_open);
        check_refused(ws.ping(octets_of_size(126)), result::too_large);
        check_refused(ws.pong(octets_of_size(126)), result::too_large);
        check_refused(ws.begin(message_type::text, std::uint64_t{1} << 63U), result::too_large);
        check_refused(ws.send_binary(octets_of_size(2'000'000)), result::too_large);
        check_refused(ws.send_text("\xED\xA0\x80"), result::bad_text);
        CHECK(drain(ws).empty());
    }
    SECTION("in a message of fragments") {
        CHECK(ws.begin(message_type::text) == result::done);
        check_refused(ws.begin(message_type::text), result::mid_message);
        check_refused(ws.begin(message_type::text, 5), result::mid_message);
        check_refused(ws.send_text("x"), result::mid_message);
        check_refused(ws.append(octets_of_size(2'000'000), part::last), result::too_large);
        CHECK(ws.room() == 0);
        CHECK(drain(ws).empty());
        CHECK(ws.append(piece, part::last) == result::done);
        CHECK(drain(ws).size() == 6);
    }
    SECTION("in a frame") {
        CHECK(ws.begin(message_type::binary, 6) == result::done);
        check_refused(ws.append(octets_of_size(7), part::more), result::wrong_length);
        check_refused(ws.append(octets_of_size(7), part::last), result::wrong_length);
        check_refused(ws.append(octets_of_size(5), part::last), result::wrong_length);
        check_refused(ws.lend(lent, part::last), result::wrong_length);
        check_refused(ws.send_text("x"), result::mid_message);
        check_refused(ws.begin(message_type::text), result::mid_message);
        check_refused(ws.ping(), result::mid_frame);
        check_refused(ws.pong({}), result::mid_frame);
        check_refused(ws.close(), result::mid_frame);
        CHECK(ws.append(piece, part::more) == result::done);
        check_refused(ws.append(octets_of_size(1), part::last), result::wrong_length);
        CHECK(ws.append(octets_of_size(2), part::last) == result::done);
        CHECK(support::hex(drain(ws)) == "82 06 00 07 0E 15 00 07");
    }
    SECTION("behind what is lent") {
        CHECK(ws.begin(message_type::binary) == result::done);
        CHECK(ws.lend(lent, part::more) == result::done);
        check_refused(ws.append(piece, part::last), result::lent);
        check_refused(ws.lend(lent, part::last), result::lent);
        check_refused(ws.ping(), result::lent);
        drain(ws);
        CHECK(ws.lend(lent, part::last) == result::done);
        check_refused(ws.send_text("x"), result::lent);
        check_refused(ws.begin(message_type::text), result::lent);
        check_refused(ws.begin(message_type::text, 5), result::lent);
        CHECK(support::hex(drain(ws)) == "80 04 00 07 0E 15");
    }
    SECTION("behind our Close") {
        CHECK(ws.close() == result::done);
        CHECK(drain(ws).size() == 4);
        check_refused(ws.send_text("x"), result::closing);
        check_refused(ws.begin(message_type::text), result::closing);
        check_refused(ws.begin(message_type::text, 5), result::closing);
        check_refused(ws.ping(), result::closing);
        check_refused(ws.pong({}), result::closing);
        check_refused(ws.close(), result::closing);
        CHECK(ws.room() == 0);
        CHECK(drain(ws).empty());
    }
    CHECK(ws.report().why == cause::nothing);
    CHECK(hear(ws, from_client(2, "ok")).back() == "binary 6F 6B");
}

TEST_CASE("lend copies nothing, and a client masks in place") {
    counted_keys keys;
    test_client client(keys);
    open_client(client);
    octet_vector piece = support::octets("\"Hello\"");
    CHECK(client.begin(message_type::text) == result::done);
    const std::uint32_t drawn = keys.drawn;
    CHECK(client.lend(std::span(piece), part::last) == result::done);
    const gather runs = client.output_gather();
    CHECK(keys.drawn == drawn + 1);
    CHECK(runs.own.size() == 6);
    CHECK(runs.lent.data() == piece.data());
    const octet key = static_cast<octet>(keys.drawn);
    CHECK(piece == octet_vector{'H', 'e', 'l', static_cast<octet>('l' ^ key), 'o'});
    test_server server;
    open_server(server);
    octet_vector plain = support::octets("\"Hello\"");
    CHECK(server.begin(message_type::text, 5) == result::done);
    CHECK(server.lend(std::span(plain), part::last) == result::done);
    CHECK(plain == support::octets("\"Hello\""));
    CHECK(support::hex(drain(server)) == "81 05 48 65 6C 6C 6F");
}

TEST_CASE("While octets are owed or lent, automatic replies wait for the frame's end") {
    test_server ws;
    open_server(ws);
    octet_vector lent = octets_of_size(2);
    CHECK(ws.begin(message_type::binary, 4) == result::done);
    CHECK(hear(ws, from_client(9, "old")).empty());
    CHECK(hear(ws, from_client(9, "new")).empty());
    CHECK(support::hex(drain(ws)) == "82 04");
    CHECK(ws.append(octets_of_size(2), part::more) == result::done);
    CHECK(ws.lend(std::span(lent), part::last) == result::done);
    CHECK(hear(ws, from_client(9, "newest")).empty());
    CHECK(support::to_string(drain(ws)) == std::string("\x00\x07\x00\x07\x8A\x06newest", 12));
    CHECK(hear(ws) == lines{"drained"});
    // Between the fragments of a message they leave.
    CHECK(ws.begin(message_type::binary) == result::done);
    CHECK(ws.append(octets_of_size(1), part::more) == result::done);
    CHECK(hear(ws, from_client(9, "?")).empty());
    CHECK(ws.append(octets_of_size(1), part::last) == result::done);
    CHECK(support::hex(drain(ws)) == "02 01 00 8A 01 3F 80 01 00");
}

TEST_CASE("pending is what a browser calls bufferedAmount: own, lent and owed") {
    test_server ws;
    open_server(ws);
    CHECK(ws.pending() == 0);
    octet_vector lent(30);
    CHECK(ws.begin(message_type::binary, 100) == result::done);
    CHECK(ws.pending() == 102);
    CHECK(ws.append(octets_of_size(20), part::more) == result::done);
    CHECK(ws.pending() == 102);
    CHECK(ws.lend(std::span(lent), part::more) == result::done);
    CHECK(ws.pending() == 102);
    CHECK(drain(ws).size() == 52);
    CHECK(ws.pending() == 50);
}

TEST_CASE("20 room is the largest payload that send takes now") {
    for (const std::size_t waiting : {0U, 1U, 500U, 65'400U, 66'000U}) {
        for (const std::size_t message : {100U, 125U, 126U, 127U, 300U}) {
            connection_options options;
            options.limit.message = message;
            options.limit.high = 65'536;
            counted_keys keys;
            test_client ws(keys, options);
            open_client(ws);
            CHECK(ws.begin(message_type::binary, 70'000) == result::done);
            CHECK(ws.room() == 0);
            const auto fill = octets_of_size(70'000);
            octet_vector lent = fill;
            CHECK(ws.lend(std::span(lent), part::last) == result::done);
            CHECK(ws.room() == 0);  // lent
            drain(ws);
            hear(ws);
            if (waiting > 65'536 + message) continue;
            CHECK(ws.send_binary(octets_of_size(waiting)) == result::done);
            const std::uint64_t room = ws.room();
            if (room > 0) {
                const auto size = static_cast<std::size_t>(room);
                CHECK(ws.send_binary(octets_of_size(size + 1)) != result::done);
                CHECK(ws.send_binary(octets_of_size(size)) == result::done);
                CHECK(ws.room() < 126);
            } else {
                CHECK(ws.send_binary(octets_of_size(1)) == result::full);
            }
        }
    }
}

TEST_CASE("close in the middle of a frame is mid_frame") {
    test_server ws;
    open_server(ws);
    octet_vector lent(3);
    CHECK(ws.begin(message_type::binary, 10) == result::done);
    CHECK(ws.close() == result::mid_frame);
    CHECK(ws.append(octets_of_size(5), part::more) == result::done);
    CHECK(ws.close() == result::mid_frame);
    CHECK(ws.lend(std::span(lent), part::more) == result::done);
    CHECK(ws.close() == result::mid_frame);
    drain(ws);
    CHECK(ws.close() == result::mid_frame);
    CHECK(ws.append(octets_of_size(2), part::last) == result::done);
    CHECK(ws.close() == result::done);
    CHECK(support::hex(drain(ws)).substr(6) == "88 02 03 E8");
}

TEST_CASE("A Close waits behind what is lent, and nothing may follow it") {
    test_server ws;
    open_server(ws);
    octet_vector lent = octets_of_size(3);
    CHECK(ws.begin(message_type::binary) == result::done);
    CHECK(ws.lend(std::span(lent), part::more) == result::done);
    CHECK(ws.close(1001) == result::done);
    CHECK(ws.send_text("no") != result::done);
    CHECK(support::hex(drain(ws)) == "02 03 00 07 0E 88 02 03 E9");
    CHECK(ws.append(lent, part::last) == result::closing);
    CHECK(ws.close() == result::closing);
    CHECK(ws.ping() == result::closing);
    CHECK(drain(ws).empty());
    CHECK(hear(ws, client_close(1001)) == lines{"drained", "closed 1001"});
}

TEST_CASE("24 a Close that may not leave changes nothing") {
    test_server ws;
    open_server(ws);
    CHECK(ws.close(1000, std::string(124, 'x')) == result::too_large);
    CHECK(ws.close(1000, "\xFF") == result::bad_text);
    CHECK(drain(ws).empty());
    CHECK(report_of(ws) == "nothing, began nobody");
    CHECK(ws.close(1000, std::string(123, 'x')) == result::done);
    CHECK(drain(ws).size() == 127);
}

TEST_CASE("Refused memory is full while sending, and changes nothing") {
    watched::start();
    test_server ws;
    open_server(ws);
    ws.release();
    const support::no_memory none(6);
    const counters before = ws.counters();
    CHECK(ws.send_text("x") == result::full);
    CHECK(ws.send_binary(octets_of_size(1'000)) == result::full);
    CHECK(ws.ping() == result::full);
    CHECK(ws.pong({}) == result::full);
    CHECK(ws.begin(message_type::binary, 5) == result::full);
    CHECK(ws.begin(message_type::text) == result::done);
    CHECK(ws.append(octets_of_size(5), part::last) == result::full);
    CHECK(ws.counters() == before);
    CHECK(drain(ws).empty());
    CHECK(ws.append(support::octets("41"), part::last) == result::done);
    CHECK(ws.send_text("x") == result::done);
    CHECK(support::hex(drain(ws)) == "81 01 41 81 01 78");
}
