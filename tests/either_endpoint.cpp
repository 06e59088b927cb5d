// An endpoint that learns its role while the program runs is the endpoint of that role.

#include <sockless/either_endpoint.hpp>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/octets.hpp"

namespace {

using namespace sockless;
using support::to_string;

constexpr masking_key key{{1, 2, 3, 4}};
constexpr std::optional<masking_key> no_key{};

std::span<const octet> first(std::span<const octet> octets, std::size_t size) {
    return octets.first(size);
}

// What leaves one that is told its role, and the one that is made for it.
struct frames {
    std::array<octet, 200> either{};
    std::array<octet, 200> one{};
    std::size_t either_size = 0;
    std::size_t one_size = 0;

    bool same() const {
        return either_size > 0 &&
               to_string(first(either, either_size)) == to_string(first(one, one_size));
    }
};

}  // namespace

TEST_CASE("messages and control frames leave as those of the role do") {
    const std::string text = "what leaves";
    either_endpoint server(role::server, {});
    either_endpoint client(role::client, {});
    server_endpoint as_server;
    client_endpoint as_client;
    frames sent;

    sent.either_size = server.write({}, octets_of(text), sent.either, no_key).octets;
    sent.one_size = as_server.write({}, octets_of(text), sent.one).octets;
    CHECK(sent.same());
    sent.either_size = client.write({}, octets_of(text), sent.either, key).octets;
    sent.one_size = as_client.write({}, octets_of(text), sent.one, key).octets;
    CHECK(sent.same());

    const std::span<octet, longest_control_frame> mine(sent.either.data(), longest_control_frame);
    const std::span<octet, longest_control_frame> theirs(sent.one.data(), longest_control_frame);
    sent.either_size = server.send_control(opcode::ping, octets_of(text), no_key, mine).octets;
    sent.one_size = as_server.ping(octets_of(text), theirs).octets;
    CHECK(sent.same());
    sent.either_size = client.send_control(opcode::pong, octets_of(text), key, mine).octets;
    sent.one_size = as_client.pong(octets_of(text), theirs, key).octets;
    CHECK(sent.same());
}

TEST_CASE("a header is started with a key or without") {
    either_endpoint server(role::server, {});
    either_endpoint client(role::client, {});
    frame_start start;
    REQUIRE(server.start({}, 5, no_key, start) == result::done);
    CHECK(to_string(start.view()) == "\x82\x05");
    CHECK(to_string(server.pay_plain(octets_of("Hello"))) == "Hello");
    CHECK(server.owed() == 0);
    REQUIRE(client.start({}, 5, key, start) == result::done);
    CHECK(to_string(start.view()) == "\x82\x85\x01\x02\x03\x04");
    CHECK(client.owed() == 5);
    CHECK(client.may_send() == result::mid_frame);
}

TEST_CASE("a pong that is due has a size, and leaves or is dropped") {
    either_endpoint server(role::server, {});
    std::vector<octet> ping{0x89, 0x81, 0, 0, 0, 0, 'x'};
    std::array<octet, longest_control_frame> out{};
    for (const bool dropped : {false, true}) {
        std::span<octet> in = ping;
        REQUIRE(server.next(in).kind == frame_event::what::ping);
        CHECK(server.may_send() == result::control_first);
        CHECK(server.reply_size() == 1);
        if (dropped) server.drop_pong();
        CHECK(server.control_due() == !dropped);
        const std::size_t size = server.control(no_key, out);
        CHECK(to_string(first(out, size)) == (dropped ? "" : "\x8A\x01x"));
        CHECK(server.may_send() == result::done);
    }
}

TEST_CASE("what is dropped is a pong, and no Close") {
    either_endpoint server(role::server, {});
    std::array<octet, longest_control_frame> out{};
    server.drop_pong();
    CHECK_FALSE(server.control_due());
    REQUIRE(server.close(1000) == result::done);
    server.drop_pong();
    CHECK(to_string(first(out, server.control(no_key, out))) == "\x88\x02\x03\xE8");
}
