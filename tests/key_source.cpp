// Where a client's keys come from: the caller's source, and nowhere else.

#include <sockless/key_source.hpp>

#include <cstdint>
#include <span>
#include <type_traits>

#include "support/catch.hpp"
#include "support/connections.hpp"

namespace {

using namespace sockless;
using support::concat;
using support::counted_keys;
using support::drain;
using support::from_server;
using support::hear;
using support::octet_vector;
using support::octets_of_size;
using support::open_client;

using test_client = support::client<>;

static_assert(!std::is_copy_constructible_v<key_source> && !std::is_copy_assignable_v<key_source>);
static_assert(!std::is_default_constructible_v<key_source>);
static_assert(!std::is_destructible_v<key_source>);
static_assert(!std::is_polymorphic_v<key_source>);
static_assert(!std::is_copy_constructible_v<keys_of<counted_keys>>);
static_assert(!std::is_convertible_v<counted_keys&, keys_of<counted_keys>>);
static_assert(!std::is_constructible_v<keys_of<counted_keys>, counted_keys>);

struct ascending {
    octet last = 0;

    constexpr masking_key operator()() noexcept {
        ++last;
        return {{last, 0x22, 0x33, static_cast<octet>(last * 2)}};
    }
};

constexpr masking_key plain_function() noexcept { return {{9, 8, 7, 6}}; }

// What is drawn is what the source gives next, and the source is the caller's own.
constexpr bool draws() {
    ascending own;
    keys_of<ascending> keys(own);
    key_source& source = keys;
    bool good = source.draw() == masking_key{{1, 0x22, 0x33, 2}} && own.last == 1;
    good = good && source.draw() == masking_key{{2, 0x22, 0x33, 4}} && own.last == 2;
    own.last = 0x40;
    good = good && keys.draw() == masking_key{{0x41, 0x22, 0x33, 0x82}};
    keys_of<ascending> second(own);  // two of one source take turns
    good = good && second.draw().octets[0] == 0x42 && keys.draw().octets[0] == 0x43;
    keys_of<decltype(plain_function)> functions(plain_function);
    return good && functions.draw() == masking_key{{9, 8, 7, 6}};
}
static_assert(draws());

}  // namespace

TEST_CASE("A key is what the caller's source gives next, once for each that is drawn") {
    CHECK(draws());
    counted_keys own;
    keys_of<counted_keys> keys(own);
    CHECK(own.drawn == 0);
    for (std::uint32_t i = 1; i <= 300; ++i) {
        const masking_key key = keys.draw();
        REQUIRE(key.octets[3] == i % 256);
        REQUIRE(key.octets[2] == i / 256);
        REQUIRE(own.drawn == i);
    }
}

TEST_CASE("M6 5.3 a fresh key for every frame, and keys come only from the source") {
    counted_keys keys;
    test_client ws(keys);
    CHECK(keys.drawn == 0);
    open_client(ws);
    CHECK(keys.drawn == 4);  // the nonce has 16 octets
    CHECK(ws.send_text("one") == result::done);
    CHECK(ws.ping() == result::done);
    CHECK(ws.begin(message_type::binary) == result::done);
    CHECK(keys.drawn == 6);
    CHECK(ws.append(octets_of_size(3), part::more) == result::done);
    CHECK(ws.append({}, part::more) == result::done);
    CHECK(ws.append(octets_of_size(3), part::last) == result::done);
    CHECK(ws.begin(message_type::binary, 4) == result::done);
    CHECK(ws.append(octets_of_size(4), part::last) == result::done);
    CHECK(hear(ws, from_server(9, "?")).empty());
    CHECK(keys.drawn == 11);
    // What is refused uses none up.
    CHECK(ws.send_text("\xFF") == result::bad_text);
    CHECK(ws.send_binary(octets_of_size(2'000'000)) == result::too_large);
    CHECK(ws.ping(octets_of_size(126)) == result::too_large);
    CHECK(ws.append({}, part::last) == result::not_open);
    CHECK(keys.drawn == 11);
    CHECK(ws.close() == result::done);
    CHECK(keys.drawn == 12);
    const octet_vector sent = drain(ws);
    octet_vector wanted;
    std::uint32_t number = 4;
    const auto add = [&](bool fin, int op, std::span<const octet> payload) {
        masking_key key;
        store_network(++number, key.octets);
        wanted = concat(wanted, support::frame(fin, 0, op, key, payload));
    };
    add(true, 1, support::octets("\"one\""));
    add(true, 9, {});
    add(false, 2, octets_of_size(3));
    add(false, 0, {});
    add(true, 0, octets_of_size(3));
    add(true, 2, octets_of_size(4));
    add(true, 10, support::octets("3F"));
    add(true, 8, support::octets("03E8"));
    CHECK(sent == wanted);
}
