// A message that is encoded once, and sent to many.

#include <sockless/prepared.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/connections.hpp"

namespace {

using namespace sockless;
using support::counted_keys;
using support::drain;
using support::hear;
using support::lines;
using support::octet_vector;
using support::octets_of_size;
using support::open_client;
using support::open_server;

static_assert(!std::is_copy_constructible_v<prepared>);
static_assert(!std::is_copy_assignable_v<prepared>);
static_assert(!std::is_move_assignable_v<prepared>);
static_assert(std::is_nothrow_move_constructible_v<prepared>);

// 5.7: "Hello", unmasked.
static_assert([] {
    const std::array<octet, 5> payload{'H', 'e', 'l', 'l', 'o'};
    const prepared message(message_type::text, payload);
    const encoded_frame frame = message;
    return frame.octets.size() == 7 && frame.octets[0] == 0x81 && frame.octets[1] == 5 &&
           frame.octets[6] == 'o' && frame.payload == 5 && message.payload().size() == 5;
}());
static_assert(encoded_size(0) == 2);
static_assert(encoded_size(125) == 127);
static_assert(encoded_size(126) == 130);
static_assert(encoded_size(65'535) == 65'539);
static_assert(encoded_size(65'536) == 65'546);

}  // namespace

TEST_CASE("19 a prepared message is the frame that an independent builder makes") {
    for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U}) {
        const octet_vector payload = octets_of_size(size);
        const octet_vector wanted = support::frame(true, 0, 2, std::nullopt, payload);
        const prepared message(message_type::binary, payload);
        REQUIRE(static_cast<bool>(message));
        CHECK(message.type() == message_type::binary);
        CHECK(octet_vector(message.payload().begin(), message.payload().end()) == payload);
        const encoded_frame frame = message;
        CHECK(octet_vector(frame.octets.begin(), frame.octets.end()) == wanted);
        CHECK(frame.payload == size);
        CHECK(wanted.size() == encoded_size(size));
    }
}

TEST_CASE("20 encode_frame writes where there is room, and nothing where there is too little") {
    const octet_vector payload = octets_of_size(126);
    octet_vector out(140, 0xA5);
    const std::optional<encoded_frame> frame =
        encode_frame(message_type::text, payload, std::span(out).first(130));
    REQUIRE(frame.has_value());
    CHECK(frame->octets.data() == out.data());
    CHECK(frame->octets.size() == 130);
    CHECK(frame->payload == 126);
    CHECK(octet_vector(out.begin() + 130, out.end()) == octet_vector(10, 0xA5));
    CHECK(octet_vector(out.begin(), out.begin() + 130) ==
          support::frame(true, 0, 1, std::nullopt, payload));
    octet_vector small(129, 0xA5);
    CHECK_FALSE(encode_frame(message_type::text, payload, small).has_value());
    CHECK(small == octet_vector(129, 0xA5));
}

TEST_CASE("A prepared message is lent to many servers at once, and copied for none") {
    const octet_vector payload = octets_of_size(1'000);
    const prepared message(message_type::binary, payload);
    const encoded_frame frame = message;
    const octet_vector wanted = support::frame(true, 0, 2, std::nullopt, payload);
    std::array<support::server<>, 3> members;
    for (support::server<>& member : members) {
        open_server(member);
        CHECK(member.lend(message) == result::done);
        CHECK(member.output().data() == frame.octets.data());
        CHECK(member.lend(message) == result::lent);
    }
    for (support::server<>& member : members) {
        CHECK(drain(member) == wanted);
        CHECK(hear(member) == lines{"drained"});
        CHECK(member.lend(message) == result::done);  // the next
        CHECK(drain(member) == wanted);
        CHECK(member.counters().sent.messages == 2);
        CHECK(member.counters().sent.frames == 2);
    }
}

TEST_CASE("M6 a client masks a prepared message while it is copied, each time with another key") {
    const prepared message(message_type::text, support::octets("\"Hello\""));
    counted_keys keys;
    support::client<> client(keys);
    open_client(client);
    CHECK(send(client, message) == result::done);
    CHECK(send(client, message) == result::done);
    CHECK(drain(client) ==
          support::concat(support::frame(true, 0, 1, masking_key{{0, 0, 0, 5}}, "Hello"),
                          support::frame(true, 0, 1, masking_key{{0, 0, 0, 6}}, "Hello")));
    const encoded_frame frame = message;
    CHECK(support::hex(frame.octets) == "81 05 48 65 6C 6C 6F");
    support::server<> server;
    CHECK(send(server, message) == result::not_open);
    open_server(server);
    CHECK(send(server, message) == result::done);
    CHECK(support::hex(drain(server)) == "81 05 48 65 6C 6C 6F");
}

TEST_CASE("A message that was moved away is none, and its octets stay where they are") {
    prepared first(message_type::text, support::octets("\"Hello\""));
    const encoded_frame before = first;
    const prepared second(std::move(first));
    // NOLINTBEGIN(bugprone-use-after-move): what is left of it is defined
    CHECK_FALSE(static_cast<bool>(first));
    CHECK(first.payload().empty());
    // NOLINTEND(bugprone-use-after-move)
    CHECK(static_cast<bool>(second));
    const encoded_frame after = second;
    CHECK(after.octets.data() == before.octets.data());
    CHECK(second.type() == message_type::text);
}
