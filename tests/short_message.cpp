// short_message.hpp: a whole message in one frame of up to 65,535 octets is found, or nothing is.
#include <sockless/short_message.hpp>
#include <sockless/frame_reader.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/octets.hpp"

using namespace sockless;

namespace {

using support::to_string;

std::vector<octet> frame(unsigned first, std::string_view payload, std::optional<masking_key> key) {
    const std::size_t size = payload.size();
    const bool is_long = size > 125;
    const std::size_t code = is_long ? 126 : size;
    std::vector<octet> octets{static_cast<octet>(first),
                              static_cast<octet>((key ? 0x80U : 0U) | code)};
    if (is_long) {
        octets.push_back(static_cast<octet>(size >> 8));
        octets.push_back(static_cast<octet>(size));
    }
    if (key) {
        for (const octet o : key->octets) octets.push_back(o);
    }
    for (std::size_t i = 0; i < size; ++i) {
        const octet mask = key ? key->octets[i % 4] : octet{0};
        octets.push_back(static_cast<octet>(static_cast<octet>(payload[i]) ^ mask));
    }
    return octets;
}

// Is it one, and what is in it?
bool take(std::span<octet> in, role receiver) {
    const short_message found = find_short_message(in, {receiver}, SIZE_MAX);
    if (found.size == 0) return false;
    mask(found.payload(in), found.key(in, receiver));
    const frame_event told = found.event(in);
    CHECK(told.kind == frame_event::what::slice);
    CHECK(told.first);
    CHECK(told.last);
    CHECK(told.payload.data() == found.payload(in).data());
    CHECK(told.payload.size() == found.payload(in).size());
    CHECK(told.remaining == 0);
    return true;
}

constexpr masking_key key{{0x12, 0xF3, 0x80, 0x45}};
constexpr std::optional<masking_key> no_key{};
constexpr std::size_t any = SIZE_MAX;
constexpr expected_frames for_server{role::server};
constexpr expected_frames for_client{role::client};

}  // namespace

TEST_CASE("a whole message is found, and unmasked where it lies") {
    std::vector<std::size_t> lengths{1000, 4095, 4096, 4097, 65'534, 65'535};
    for (std::size_t length = 0; length <= 300; ++length) lengths.push_back(length);
    for (const message_type type : {message_type::text, message_type::binary}) {
        for (const std::size_t length : lengths) {
            std::string payload;
            while (payload.size() < length) payload += static_cast<char>('a' + payload.size() % 26);
            for (const auto& sent : {std::optional(key), no_key}) {
                const role receiver = sent ? role::server : role::client;
                const std::vector<octet> whole =
                    frame(type == message_type::text ? 0x81 : 0x82, payload, sent);
                const support::guarded guard(whole);
                const std::span<octet> octets = guard.span();
                const short_message found = find_short_message(octets, {receiver}, any);
                CHECK(found.type(octets) == type);
                CHECK(found.head == (sent ? 6U : 2U) + (length > 125 ? 2U : 0U));
                REQUIRE(found.size == whole.size());
                CHECK(take(octets, receiver));
                CHECK(to_string(found.payload(octets)) == payload);
            }
        }
    }
}

TEST_CASE("behind a message the next may begin, and a message that lacks an octet is none") {
    std::vector<octet> two = frame(0x81, "first", key);
    const std::size_t size = two.size();
    const std::vector<octet> second = frame(0x82, "second", key);
    two.insert(two.end(), second.begin(), second.end());
    CHECK(find_short_message(two, for_server, any).size == size);
    for (std::size_t there = 0; there < size; ++there) {
        const support::guarded part(
            std::vector<octet>(two.begin(), two.begin() + static_cast<std::ptrdiff_t>(there)));
        CHECK(find_short_message(part.span(), for_server, any).size == 0);
    }
}

TEST_CASE("of all first and second octets, only those of whole messages are taken") {
    std::vector<octet> octets(1000, octet{1});  // an extended length would be 257
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            octets[0] = static_cast<octet>(first);
            octets[1] = static_cast<octet>(second);
            const bool begins = first == 0x81 || first == 0x82;
            const unsigned code = second % 128;
            const std::size_t size = code < 126 ? 2 + code : code == 126 ? 4 + 257 : 0;
            const bool masked = second >= 128;
            const std::size_t server = begins && masked && size > 0 ? size + 4 : 0;
            const std::size_t client = begins && !masked ? size : 0;
            REQUIRE(find_short_message(octets, for_server, any).size == server);
            REQUIRE(find_short_message(octets, for_client, any).size == client);
        }
    }
}

TEST_CASE("RSV1 is taken where it was agreed on, and what it says is not looked at as text") {
    const std::string payload = "\xFF\xFE no text";
    for (const unsigned first : {0xC1U, 0xC2U}) {
        std::vector<octet> octets = frame(first, payload, key);
        CHECK(find_short_message(octets, for_server, any).size == 0);
        const short_message found = find_short_message(octets, {role::server, true}, any);
        REQUIRE(found.size == octets.size());
        CHECK(found.compressed(octets));
        CHECK(found.type(octets) == (first == 0xC1 ? message_type::text : message_type::binary));
        frame_reader reader(role::server, {}, true);
        std::span<octet> in = octets;
        const frame_event event = reader.next(in);
        CHECK(event.kind == frame_event::what::slice);
        CHECK(event.compressed);
        CHECK(reader.compressed());
        CHECK(to_string(event.payload) == payload);
    }
    for (const unsigned first : {0x81U, 0x82U}) {
        const std::vector<octet> octets = frame(first, "plain", key);
        CHECK_FALSE(short_message::compressed(octets));
        CHECK(find_short_message(octets, {role::server, true}, any).size == octets.size());
    }
    for (const unsigned first : {0xA1U, 0x91U, 0x41U, 0xC0U, 0xC3U, 0xC9U}) {
        const std::vector<octet> octets = frame(first, "no", key);
        CHECK(find_short_message(octets, {role::server, true}, any).size == 0);
    }
}

TEST_CASE("an extended length is not below 126, and comes whole") {
    for (std::size_t length = 0; length < 300; ++length) {
        std::vector<octet> octets(400, octet{0});
        octets[0] = 0x82;
        octets[1] = 126;
        store_network(length, std::span(octets).subspan(2, 2));
        const std::size_t size = length < 126 ? 0 : 4 + length;
        CHECK(find_short_message(octets, for_client, any).size == size);
        for (std::size_t there = 0; there < 4; ++there) {
            const std::span<const octet> front = std::span(octets).first(there);
            const support::guarded part(front);
            CHECK(find_short_message(part.span(), for_client, any).size == 0);
        }
    }
}

TEST_CASE("a message above the limit is left to the reader") {
    const std::vector<octet> octets = frame(0x81, "12345", key);
    CHECK(find_short_message(octets, for_server, 5).size == octets.size());
    CHECK(find_short_message(octets, for_server, 4).size == 0);
    CHECK(find_short_message(octets, for_server, 0).size == 0);
    CHECK(find_short_message(frame(0x81, "", key), for_server, 0).size == 6);
}

TEST_CASE("text that is not UTF-8 is told up to where it breaks, and binary may be anything") {
    struct fault {
        char octet;
        std::size_t needs;  // octets behind it, none of which comes
    };
    constexpr std::array<fault, 4> faults{{{'\xFF', 0}, {'\xC3', 1}, {'\x80', 0}, {'\xED', 2}}};
    for (std::size_t length = 1; length <= 125; ++length) {
        for (std::size_t at = 0; at < length; ++at) {
            for (const fault bad : faults) {
                std::string payload(length, 'a');
                payload[at] = bad.octet;
                // It is refused itself if there is no room for what it needs, and else what
                // follows.
                const std::size_t room = length - at - 1;
                const std::size_t good = bad.needs > 0 && bad.needs <= room ? at + 1 : at;
                for (const auto& sent : {std::optional(key), no_key}) {
                    std::vector<octet> octets = frame(0x81, payload, sent);
                    const std::size_t head = octets.size() - length;
                    const role receiver = sent ? role::server : role::client;
                    frame_reader reader(receiver);
                    std::span<octet> in = octets;
                    if (good > 0) {
                        const frame_event told = reader.next(in);
                        REQUIRE(to_string(told.payload) == payload.substr(0, good));
                    }
                    REQUIRE(reader.next(in).broken == rule::bad_text);
                    REQUIRE(reader.offset() == head + good);

                    octets = frame(0x82, payload, sent);
                    frame_reader another(receiver);
                    in = octets;
                    REQUIRE(to_string(another.next(in).payload) == payload);
                }
            }
        }
    }
}

TEST_CASE("the same in constant evaluation") {
    // RFC 6455, 5.7: a masked "Hello".
    constexpr auto hello = [] {
        std::array<octet, 11> octets{0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D,
                                     0x7F, 0x9F, 0x4D, 0x51, 0x58};
        const short_message found = find_short_message(octets, for_server, 5);
        mask(found.payload(octets), found.key(octets, role::server));
        return found.size == 11 && text_view{found.payload(octets)} == "Hello";
    }();
    static_assert(hello);
    CHECK(hello);
}
