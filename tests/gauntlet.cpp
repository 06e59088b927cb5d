// gauntlet.cpp -- attacks that have broken other codecs, each under the id that it has in the
// gauntlet.
//
// An attack that has to fail goes through an endpoint, cut in every way: it ends with one violation
// at the octet that is told, and one Close with the code; read_endpoint() sees to it that whatever
// follows is ignored, that nothing is taken from the heap, and that no octet outside is touched.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/endpoint.hpp>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/heap_watch.hpp"
#include "support/log.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"
#include "support/streams.hpp"

#if __has_include(<pthread.h>)
#include <pthread.h>
#endif

using sockless::client_endpoint;
using sockless::frame_event;
using sockless::frame_reader;
using sockless::limits;
using sockless::longest;
using sockless::masking_key;
using sockless::message_type;
using sockless::octet;
using sockless::result;
using sockless::role;
using sockless::rule;
using sockless::server_endpoint;
using sockless::unlimited;
using sockless::violation;
using support::client_key;
using support::concat;
using support::octets;
using support::read;
using support::read_endpoint;
using support::reader_setup;
using what = frame_event::what;

namespace {

const reader_setup server{.receiver = role::server};
const reader_setup client{.receiver = role::client};

constexpr limits no_limits{.message = unlimited, .frame = unlimited, .empty_fragments = 0};

unsigned effort(unsigned full) { return support::short_effort() ? full / 10 : full; }

// The Close that leaves, as read_endpoint() logs it.
std::string close_line(role sender, unsigned code) {
    std::optional<masking_key> key;
    if (sender == role::client) key = client_key;
    const std::string body = reference::build_close(code, "");
    return "-> " + support::hex(support::frame(true, 0, 8, key, body)) + '\n';
}

struct refusal {
    rule broken;
    std::size_t at;
};

std::string line(const refusal& due) {
    return "violated " + std::string(name(due.broken)) + ' ' + std::string(section(due.broken)) +
           ' ' + std::to_string(code(due.broken)) + " at " + std::to_string(due.at) + '\n';
}

void fails(const reader_setup& setup, std::span<const octet> stream, const refusal& due,
           const std::string& before = "") {
    INFO(support::hex(stream.first(std::min<std::size_t>(stream.size(), 64))));
    CHECK(read_endpoint(setup, stream) ==
          before + line(due) + close_line(setup.receiver, code(due.broken)));
}

void fails(const reader_setup& setup, std::string_view stream, const refusal& due,
           const std::string& before = "") {
    fails(setup, octets(stream), due, before);
}

// A frame that begins, with a length and a payload that need not agree.
std::vector<octet> begun(const reader_setup& setup, bool fin, int op, std::uint64_t length,
                         const std::string& payload) {
    reference::masking_key key;
    if (setup.receiver == role::server) key = {{0, 0, 0, 0}};
    const std::string all =
        reference::build_header(fin, 0, op, key, reference::shortest_length_octets(length),
                                length) +
        payload;
    return {all.begin(), all.end()};
}

}  // namespace

// ---- lengths ------------------------------------------------------------------------------------

TEST_CASE("L1 a 64-bit length with its top bit set is refused at its first octet") {
    for (const limits& limit : {limits{}, no_limits, limits{.message = 0, .frame = 0}}) {
        const reader_setup to_server{.receiver = role::server, .limit = limit};
        const reader_setup to_client{.receiver = role::client, .limit = limit};
        for (const char* length :
             {"8000000000000000", "FFFFFFFFFFFFFFFF", "8000000000000001", "80"}) {
            const refusal due{rule::huge_length, 2};
            fails(to_server, "82 FF" + std::string(length) + "00000000 41", due);
            fails(to_client, "82 7F" + std::string(length) + "41", due);
            fails(to_client, "01 7F" + std::string(length), due);
        }
    }
}

TEST_CASE("L2 a length that is not the shortest is refused") {
    for (const limits& limit : {limits{}, no_limits, limits{.message = 0, .frame = 0}}) {
        const reader_setup setup{.receiver = role::server, .limit = limit};
        fails(setup, "82 FE 007D 00000000", {rule::padded_length, 3});
        fails(setup, "82 FE 0000 00000000", {rule::padded_length, 3});
        fails(setup, "82 FF 000000000000FFFF 00000000", {rule::padded_length, 7});
        fails(setup, "82 FF 0000000000000000 00000000", {rule::padded_length, 7});
        fails(setup, "82 FF 000000000000007D 00000000", {rule::padded_length, 7});
    }
    fails(client, "81 7E 007D", {rule::padded_length, 3});
    fails(client, "81 7F 000000000000FFFF", {rule::padded_length, 7});
}

TEST_CASE("L2 the shortest forms of the edge lengths are read") {
    for (const reader_setup& setup : {server, client}) {
        for (const std::size_t length :
             {std::size_t{125}, std::size_t{126}, std::size_t{65535}, std::size_t{65536}}) {
            const std::vector<octet> payload(length, 0x5A);
            const auto key =
                setup.receiver == role::server ? std::optional(client_key) : std::nullopt;
            const auto stream = support::frame(true, 0, 2, key, payload);
            const std::size_t header = stream.size() - length;
            CHECK(header == (length < 126 ? 2U : length < 65536 ? 4U : 10U) + (key ? 4U : 0U));
            CHECK(read(setup, stream) == "binary " + support::summary(payload) + '\n');
        }
    }
}

namespace {

constexpr std::uint64_t enormous[] = {0x7FFF'FFFF'FFFF'FFFF, 0x1'0000'0000, 0x8000'0000,
                                      0xFFFF'FFFC,           0xFFFF'FFFF,   0x1'0000'0001,
                                      0x4000'0000'0000'0000};

// A length that a size_t cannot hold is too large for any frame.
rule too_large(std::uint64_t length) {
    return length > longest ? rule::large_frame : rule::large_message;
}

}  // namespace

TEST_CASE("L3 a length far beyond the octets that came reads nothing beyond them") {
    for (const reader_setup& setup : {server, client}) {
        for (const std::uint64_t length : enormous) {
            CAPTURE(length);
            const auto stream = begun(setup, true, 2, length, "A");
            fails(setup, stream, {too_large(length), 9});
            reader_setup open = setup;
            open.limit = no_limits;
            if (length > longest) {
                fails(open, stream, {rule::large_frame, 9});
            } else {
                CHECK(read(open, stream) == "binary begin 41\n");
                CHECK(read_endpoint(open, stream) == "binary begin 41\n");
            }
        }
    }
}

namespace {

// Fragments of which the second is as long as what the first leaves, and one octet longer.
void check_sum(const limits& limit, std::uint64_t most, std::uint64_t first) {
    const reader_setup setup{.receiver = role::server, .limit = limit};
    const std::string payload(static_cast<std::size_t>(first), 'a');
    const auto begin = begun(setup, false, 2, first, payload);
    const auto fits = concat(begin, begun(setup, true, 0, most - first, "b"));
    const auto wraps = concat(begin, begun(setup, true, 0, most - first + 1, "b"));
    const std::string told = "binary begin " + support::hex(octets(std::to_string(first) + "*61"));
    CHECK(read_endpoint(setup, fits) == told + " 62\n");
    fails(setup, wraps, {rule::large_message, begin.size() + 9}, told + '\n');
}

}  // namespace

TEST_CASE("L4 lengths of fragments whose sum does not fit are refused at the header") {
    // The largest sum that any limit allows: half of what 64 bits hold, or all that a size_t
    // counts.
    const std::uint64_t most = std::min<std::uint64_t>(longest, sockless::wire::longest_frame);
    for (const std::uint64_t first : {1U, 60U}) {
        check_sum({.message = static_cast<std::size_t>(most)}, most, first);
        if (most == longest) check_sum(no_limits, most, first);
    }
}

TEST_CASE("L4 no sum of declared lengths wraps, whatever the limit") {
    for (const std::size_t limit : {unlimited, longest, longest - 1, unlimited / 2}) {
        for (const std::uint64_t length : enormous) {
            reader_setup setup = client;
            setup.limit = {.message = limit, .empty_fragments = 0};
            CAPTURE(limit, length);
            // 124 octets have come, and what is declared then may or may not fit: the reference
            // says.
            const auto stream = concat(begun(setup, false, 2, 62, std::string(62, 'a')),
                                       begun(setup, false, 0, 62, std::string(62, 'b')),
                                       begun(setup, true, 0, length, "c"));
            const bool fits = length <= std::min(limit, longest) - 124;
            CHECK((read(setup, stream).find("violated") == std::string::npos) == fits);
        }
    }
}

TEST_CASE("L5 a frame above the limit is refused at its length, and nothing is reserved for it") {
    fails(server, "82 FF 0000000100000000 00000000", {too_large(0x1'0000'0000), 9});
    fails(server, "82 FF 0000000000100001", {rule::large_message, 9});
    const support::heap_watch watch;
    server_endpoint endpoint;
    std::array<octet, 14> header{0x82, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    std::span<octet> in = header;
    const frame_event event = endpoint.next(in);
    CHECK(watch.count() == 0);
    CHECK(event.kind == what::violated);
    CHECK(event.code == 1009);
}

TEST_CASE("L6 a reserved opcode is refused before its length is read") {
    for (const unsigned op : {0x3U, 0x4U, 0x5U, 0x6U, 0x7U, 0xBU, 0xCU, 0xDU, 0xEU, 0xFU}) {
        for (const unsigned fin : {0x00U, 0x80U}) {
            const std::vector<octet> first{static_cast<octet>(fin | op)};
            const refusal due{rule::reserved_opcode, 0};
            fails(server, first, due);
            for (const char* length : {"80 00000000", "FD 00000000", "FE 0001", "FE FFFF 00000000",
                                       "FF 8000000000000000", "FF 0000000000000001", "00", "7F"}) {
                fails(server, concat(first, octets(length)), due);
                fails(client, concat(first, octets(length)), due);
            }
        }
    }
}

TEST_CASE("L7 without limits the same is refused, and nothing is reserved") {
    reader_setup to_server = server;
    reader_setup to_client = client;
    to_server.limit = no_limits;
    to_client.limit = no_limits;
    for (const char* length : {"8000000000000000", "FFFFFFFFFFFFFFFF"}) {
        fails(to_server, "82 FF" + std::string(length), {rule::huge_length, 2});
    }
    fails(to_server, "82 FE 007D", {rule::padded_length, 3});
    fails(to_server, "82 FF 000000000000FFFF", {rule::padded_length, 7});
    fails(to_client, "83 7F 7FFFFFFFFFFFFFFF", {rule::reserved_opcode, 0});
    fails(to_client, "89 7F 7FFFFFFFFFFFFFFF", {rule::long_control, 1});
    for (const reader_setup& setup : {to_server, to_client}) {
        for (const std::uint64_t length : enormous) {
            const auto stream = begun(setup, true, 1, length, "A");
            if (length > longest) {
                fails(setup, stream, {rule::large_frame, 9});
            } else {
                CHECK(read_endpoint(setup, stream) == "text begin \"A\"\n");
            }
        }
    }
}

// ---- masking ------------------------------------------------------------------------------------

namespace {

std::vector<octet> numbered(std::size_t size) {
    std::vector<octet> payload(size);
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<octet>(i * 7 + 3);
    return payload;
}

// What a write left in octets that were all the same.
template <class Write>
std::vector<octet> written_over(octet fill, std::size_t size, Write write) {
    std::vector<octet> out(size, fill);
    const std::size_t octets = write(std::span<octet>(out));
    REQUIRE(octets <= size);
    CHECK(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(octets), out.end(),
                      [fill](octet o) { return o == fill; }));
    out.resize(octets);
    return out;
}

// Twice, over octets that differ: nothing of what was there before is left in between.
template <class Write>
std::vector<octet> written(std::size_t size, Write write) {
    const std::vector<octet> one = written_over(0xA5, size, write);
    CHECK(one == written_over(0x5A, size, write));
    return one;
}

constexpr sockless::frame_kind text_kind{.type = message_type::text};

}  // namespace

TEST_CASE("M4 a frame that does not fit writes nothing, and the next try writes the same") {
    for (const std::size_t size : {0U, 1U, 125U, 126U, 65536U}) {
        const std::vector<octet> payload = numbered(size);
        const auto due = support::frame(true, 0, 1, client_key, payload);
        client_endpoint endpoint;
        const client_endpoint before = endpoint;
        sockless::written last;
        const auto write = [&](std::span<octet> out) -> std::size_t {
            last = endpoint.write(text_kind, payload, out, client_key);
            return last.what == result::done ? last.octets : 0;
        };
        const std::size_t step = support::short_effort() || size > 1000 ? due.size() / 40 + 1 : 1;
        for (std::size_t room = 0; room < due.size(); room += step) {
            CHECK(written_over(0xA5, room, write).empty());
            CHECK(last == sockless::written{result::full, due.size()});
            CHECK(endpoint == before);
        }
        CHECK(written_over(0x5A, due.size(), write) == due);
        CHECK(written_over(0x5A, due.size() + 9, write) == due);
    }
}

TEST_CASE("M4 a payload paid into small spans is the same as into one") {
    const std::vector<octet> payload = numbered(300);
    const auto due = support::frame(true, 0, 1, client_key, payload);
    for (const std::size_t room : {1U, 2U, 3U, 5U, 7U, 8U, 64U, 299U, 300U, 1000U}) {
        CAPTURE(room);
        client_endpoint endpoint;
        sockless::frame_start header;
        REQUIRE(endpoint.start(text_kind, payload.size(), header, client_key) == result::done);
        std::vector<octet> sent(header.view().begin(), header.view().end());
        std::span<const octet> rest = payload;
        while (endpoint.owed() > 0) {
            const auto piece = written_over(
                0xA5, room, [&](std::span<octet> out) { return endpoint.pay(rest, out); });
            CHECK(piece.size() == std::min(room, rest.size()));
            rest = rest.subspan(piece.size());
            sent.insert(sent.end(), piece.begin(), piece.end());
        }
        CHECK(sent == due);
        CHECK(endpoint.pay(payload, std::span(sent)) == 0);  // nothing is owed any more
        CHECK(sent == due);
    }
}

TEST_CASE("M5 a data frame that leaves does not depend on what was in the buffer") {
    const std::vector<octet> payload = numbered(125);
    const auto from_client = written(300, [&](std::span<octet> out) {
        return client_endpoint{}.write(text_kind, payload, out, client_key).octets;
    });
    CHECK(from_client == support::frame(true, 0, 1, client_key, payload));
    const auto from_server = written(300, [&](std::span<octet> out) {
        return server_endpoint{}.write({.last = false}, payload, out).octets;
    });
    CHECK(from_server == support::frame(false, 0, 2, std::nullopt, payload));
}

TEST_CASE("M5 a control frame that leaves does not depend on what was in the buffer") {
    const std::vector<octet> most = numbered(125);
    for (const std::size_t size : {0U, 1U, 124U, 125U}) {
        const auto payload = std::span<const octet>(most).first(size);
        const auto ping = written(131, [&](std::span<octet> out) {
            return client_endpoint{}.ping(payload, out.first<131>(), client_key).octets;
        });
        CHECK(ping == support::frame(true, 0, 9, client_key, payload));
        const auto pong = written(131, [&](std::span<octet> out) {
            return server_endpoint{}.pong(payload, out.first<131>()).octets;
        });
        CHECK(pong == support::frame(true, 0, 10, std::nullopt, payload));
    }
}

TEST_CASE("M5 a Close that leaves does not depend on what was in the buffer") {
    for (const std::size_t size : {0U, 1U, 123U}) {
        const std::string reason(size, 'r');
        client_endpoint endpoint;
        REQUIRE(endpoint.close(1001, reason) == result::done);
        const auto close = written(131, [&](std::span<octet> out) {
            return client_endpoint(endpoint).control(out.first<131>(), client_key);
        });
        CHECK(close ==
              support::frame(true, 0, 8, client_key, reference::build_close(1001, reason)));
    }
    server_endpoint endpoint;
    REQUIRE(endpoint.close() == result::done);
    const auto close = written(131, [&](std::span<octet> out) {
        return server_endpoint(endpoint).control(out.first<131>());
    });
    CHECK(close == octets("88 00"));
}

TEST_CASE("M5 a header is the same whatever was in its array") {
    for (const std::uint64_t length :
         {std::uint64_t{0}, std::uint64_t{125}, std::uint64_t{126}, std::uint64_t{65535},
          std::uint64_t{65536}, sockless::longest_sent}) {
        std::vector<octet> views[2];
        for (const bool other : {false, true}) {
            sockless::frame_start header;
            header.octets.fill(other ? 0x5A : 0xA5);
            REQUIRE(client_endpoint{}.start({}, length, header, client_key) == result::done);
            views[other ? 1 : 0].assign(header.view().begin(), header.view().end());
        }
        const std::string due = reference::build_header(
            true, 0, 2, client_key.octets, reference::shortest_length_octets(length), length);
        CHECK(views[0] == std::vector<octet>(due.begin(), due.end()));
        CHECK(views[1] == views[0]);
    }
}

TEST_CASE("M7 a server takes no frame without a mask, a client none with one") {
    for (const char* op : {"81", "82", "01", "88", "89", "8A"}) {
        for (const char* length : {"00", "01 41", "7E 0100", "7F 0000000000010000"}) {
            fails(server, std::string(op) + length, {rule::unmasked_frame, 1});
        }
        for (const char* length :
             {"80 00000000", "81 00000000 41", "FE 0100", "FF 0000000000010000"}) {
            fails(client, std::string(op) + length, {rule::masked_frame, 1});
        }
    }
    fails(server, "01 80 00000000 80 00", {rule::unmasked_frame, 7}, "text begin \"\"\n");
    fails(client, "01 00 80 80 00000000", {rule::masked_frame, 3}, "text begin \"\"\n");
}

// ---- fragments ----------------------------------------------------------------------------------

TEST_CASE("F1 a continuation needs a message, and a message ends before the next one begins") {
    for (const char* first :
         {"00", "80", "00 80 00000000", "80 81 00000000 41", "80 FF 7FFFFFFF"}) {
        fails(server, first, {rule::nothing_to_continue, 0});
    }
    fails(client, "81 01 41 80 00", {rule::nothing_to_continue, 3}, "text \"A\"\n");
    fails(client, "01 01 41 80 01 42 00 00", {rule::nothing_to_continue, 6}, "text \"AB\"\n");
    for (const char* next : {"01", "81", "02", "82", "01 01 42", "81 00", "02 00", "82 01 FF"}) {
        fails(client, "01 01 41 " + std::string(next), {rule::unfinished_message, 3},
              "text begin \"A\"\n");
        fails(client, "02 01 41 89 00 00 00 " + std::string(next), {rule::unfinished_message, 7},
              "binary begin 41\nping \"\"\n-> 8A 80 37 FA 21 3D\nbinary more\n");
    }
}

namespace {

// An endless message of equal fragments to a server, until one is refused or all have come.
struct flood {
    std::size_t taken = 0;  // whole fragments
    std::size_t calls = 0;
    std::optional<violation> fault{};
};

template <std::size_t size>
flood send_fragments(const limits& limit, std::size_t count, std::array<octet, size> fragment) {
    server_endpoint endpoint({.limit = limit});
    flood sent;
    const std::array<octet, size> copy = fragment;
    fragment[0] = 0x02;
    const support::heap_watch watch;
    for (; sent.taken < count; ++sent.taken) {
        std::span<octet> in = fragment;
        bool done = false;
        while (!in.empty()) {
            const frame_event event = endpoint.next(in);
            ++sent.calls;
            done = event.kind == what::slice && event.remaining == 0 && !event.last;
        }
        if (!done) break;
        fragment = copy;
    }
    CHECK(watch.count() == 0);
    sent.fault = endpoint.report().fault;
    return sent;
}

constexpr std::array<octet, 7> one_octet_fragment{0x00, 0x81, 0, 0, 0, 0, 0x41};
constexpr std::array<octet, 6> empty_fragment{0x00, 0x80, 0, 0, 0, 0};

}  // namespace

TEST_CASE("F2 a million fragments of one octet, and never the last, hold no memory") {
    const unsigned many = effort(1'000'000);
    const flood all = send_fragments({}, many, one_octet_fragment);
    CHECK(all.taken == many);
    CHECK(all.calls == many);
    CHECK_FALSE(all.fault);
    for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{1000}}) {
        const flood some = send_fragments({.message = limit}, many, one_octet_fragment);
        CHECK(some.taken == limit);
        CHECK(some.fault == violation{rule::large_message, 7 * limit + 1});
    }
}

TEST_CASE("F2 the default limit holds for a message of fragments too") {
    const flood sent = send_fragments({}, 2'000'000, one_octet_fragment);
    CHECK(sent.taken == 1U << 20);
    CHECK(sent.fault == violation{rule::large_message, 7 * (1U << 20) + 1});
}

TEST_CASE("F3 fragments below the limit of a frame are refused above that of the message") {
    reader_setup setup = server;
    setup.limit = {.message = 10, .frame = 4};
    fails(setup, "02 84 00000000 01020304 00 84 00000000 05060708 00 83 00000000 090A0B",
          {rule::large_message, 21}, "binary begin 01 02 03 04 05 06 07 08\n");
    fails(setup, "02 84 00000000 01020304 80 85", {rule::large_frame, 11},
          "binary begin 01 02 03 04\n");
    CHECK(read_endpoint(setup,
                        octets("02 84 00000000 01020304 00 84 00000000 05060708 80 82 00000000 "
                               "090A 82 84 00000000 01020304")) ==
          "binary 01 02 03 04 05 06 07 08 09 0A\nbinary 01 02 03 04\n");
}

TEST_CASE("F4 a million empty fragments hold no memory, and are refused above their limit") {
    const unsigned many = effort(1'000'000);
    const flood all = send_fragments({.empty_fragments = 0}, many, empty_fragment);
    CHECK(all.taken == many);
    CHECK(all.calls == many);
    CHECK_FALSE(all.fault);
    const flood by_default = send_fragments({}, many, empty_fragment);
    CHECK(by_default.taken == 1024);
    CHECK(by_default.fault == violation{rule::empty_fragments, 6 * 1024 + 1});
    CHECK(code(by_default.fault->broken) == 1008);
    const flood some = send_fragments({.empty_fragments = 65535}, many, empty_fragment);
    CHECK(some.taken == 65535);
}

TEST_CASE("F5 reserved bits are refused on every frame, but RSV1 on a first one if agreed on") {
    for (const bool agreed : {false, true}) {
        reader_setup setup = client;
        setup.rsv1 = agreed;
        for (unsigned rsv = 1; rsv < 8; ++rsv) {
            for (const unsigned op :
                 {0x00U, 0x01U, 0x02U, 0x80U, 0x81U, 0x82U, 0x88U, 0x89U, 0x8AU}) {
                const bool allowed = agreed && rsv == 4 && (op & 0x0F) != 0 && (op & 0x0F) < 3;
                CAPTURE(agreed, rsv, op);
                const std::vector<octet> frame{static_cast<octet>(op | rsv << 4), 0};
                if (allowed) {
                    CHECK(read_endpoint(setup, frame).find("compressed") != std::string::npos);
                    continue;
                }
                fails(setup, frame, {rule::reserved_bits, 0});
                fails(setup, concat(octets("02 01 41"), frame), {rule::reserved_bits, 3},
                      "binary begin 41\n");
            }
        }
    }
}

// ---- progress and stack -------------------------------------------------------------------------

namespace {

// Streams that have made others spin, or nest.
std::vector<std::vector<octet>> floods(std::size_t size) {
    std::vector<std::vector<octet>> all;
    for (const char* unit : {"89 80 37FA213D", "8A 80 37FA213D", "82 80 37FA213D", "00 80 37FA213D",
                             "00 81 37FA213D 41", "81 82 00000000 C3A4", "89 FD 00000000 125*41"}) {
        const std::vector<octet> one = octets(unit);
        std::vector<octet> stream;
        if (one[0] == 0x00) stream = octets("02 80 00000000");
        while (stream.size() + one.size() <= size) stream = concat(stream, one);
        all.push_back(stream);
    }
    const std::string text(65'536 + size, 'x');  // of the lengths that have 64 bits, both times
    all.push_back(support::frame(true, 0, 1, client_key, text));
    all.push_back(octets("81 82 00000000 C328 65000*81"));
    all.push_back(octets("88 80 00000000 65000*FF"));
    all.push_back(octets("82 FF 7FFFFFFFFFFFFFFF 65000*00"));
    return all;
}

}  // namespace

TEST_CASE("P3 every call consumes something, tells something, or has all it can get") {
    for (const std::vector<octet>& stream : floods(8192)) {
        for (const std::size_t piece :
             {std::size_t{1}, std::size_t{2}, std::size_t{7}, stream.size()}) {
            std::vector<octet> memory = stream;
            server_endpoint endpoint({.limit = {.empty_fragments = 0}});
            std::size_t calls = 0;
            for (std::span<octet> rest = memory; !rest.empty();) {
                std::span<octet> in = rest.first(std::min(piece, rest.size()));
                rest = rest.subspan(in.size());
                while (true) {
                    const std::size_t before = in.size();
                    const frame_event event = endpoint.next(in);
                    ++calls;
                    const bool progress = in.size() < before || event.kind != what::nothing;
                    if (!progress && before > 0) FAIL("neither consumed nor told");
                    if (event.kind == what::nothing) break;
                }
                REQUIRE(in.empty());
            }
            CHECK(calls <= stream.size() + stream.size() / piece + 3);
        }
    }
}

#if __has_include(<pthread.h>)

namespace {

// A thread on a stack that was painted before.
class painted_stack {
  public:
    // How many octets of the stack are not as they were painted, after the work.
    std::size_t depth_of(void* (*work)(void*), void* argument) {
        paint_.assign(stack_size + alignment, 0xA5);
        void* begin = paint_.data();
        std::size_t size = paint_.size();
        REQUIRE(std::align(alignment, stack_size, begin, size) != nullptr);
        pthread_attr_t attributes;
        REQUIRE(pthread_attr_init(&attributes) == 0);
        REQUIRE(pthread_attr_setstack(&attributes, begin, stack_size) == 0);
        pthread_t thread{};
        REQUIRE(pthread_create(&thread, &attributes, work, argument) == 0);
        REQUIRE(pthread_join(thread, nullptr) == 0);
        REQUIRE(pthread_attr_destroy(&attributes) == 0);
        const auto paint = std::span(static_cast<const octet*>(begin), stack_size);
        const auto touched =
            std::find_if(paint.begin(), paint.end(), [](octet o) { return o != 0xA5; });
        return static_cast<std::size_t>(paint.end() - touched);
    }

  private:
    static constexpr std::size_t stack_size = std::size_t{1} << 20;
    static constexpr std::size_t alignment = std::size_t{1} << 16;

    std::vector<octet> paint_;
};

struct stack_job {
    std::span<octet> stream;
    unsigned events = 0;
};

void* read_all(void* argument) {
    auto& job = *static_cast<stack_job*>(argument);
    server_endpoint endpoint({.limit = {.empty_fragments = 0}});
    std::array<octet, 131> out{};
    for (const frame_event& event : endpoint.receive(job.stream)) {
        ++job.events;
        if (event.kind == what::ping) static_cast<void>(endpoint.control(out));
    }
    return nullptr;
}

}  // namespace

TEST_CASE("P4 64 KiB of tiny frames in one piece need no more stack than a few of them") {
    painted_stack stack;
    const auto few = floods(262);
    const auto many = floods(65536);
    for (std::size_t i = 0; i < few.size(); ++i) {
        CAPTURE(i);
        std::vector<octet> short_stream = few[i];
        std::vector<octet> long_stream = many[i];
        stack_job warm_up{.stream = short_stream};
        static_cast<void>(stack.depth_of(read_all, &warm_up));  // the dynamic linker's part
        short_stream = few[i];
        stack_job small{.stream = short_stream};
        const std::size_t small_depth = stack.depth_of(read_all, &small);
        stack_job large{.stream = long_stream};
        const std::size_t large_depth = stack.depth_of(read_all, &large);
        CHECK(small.events > 0);
        CHECK(large.events >= small.events);
        CHECK(small_depth > 0);
        CHECK(large_depth <= small_depth);
    }
}

#endif

// ---- control frames -----------------------------------------------------------------------------

namespace {

// A Ping to a client, with its number in front.
std::array<octet, 127> numbered_ping(std::uint32_t number) {
    std::array<octet, 127> ping{0x89, 125};
    sockless::store_network(number, std::span(ping).subspan(2, 4));
    return ping;
}

}  // namespace

TEST_CASE("C1 a million pings that nobody drains leave one pong, to the last of them") {
    client_endpoint endpoint;
    const unsigned many = effort(1'000'000);
    const support::heap_watch watch;
    for (unsigned i = 0; i < many; ++i) {
        std::array<octet, 127> ping = numbered_ping(i);
        std::span<octet> in = ping;
        const frame_event event = endpoint.next(in);
        if (event.kind != what::ping || !in.empty()) FAIL(i);
    }
    std::array<octet, 131> out{};
    const std::size_t size = endpoint.control(out, client_key);
    CHECK(watch.count() == 0);
    const auto last = numbered_ping(many - 1);
    const auto pong =
        support::frame(true, 0, 10, client_key, std::span<const octet>(last).subspan(2));
    CHECK(std::vector<octet>(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)) == pong);
    CHECK(endpoint.control(out, client_key) == 0);
    CHECK(endpoint.offset() == std::uint64_t{127} * many);
}

namespace {

std::vector<octet> drain(server_endpoint& endpoint) {
    std::array<octet, 131> out{};
    const std::size_t size = endpoint.control(out);
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
}

void receive_ping(server_endpoint& endpoint) {
    std::vector<octet> ping = octets("89 81 00000000 50");
    std::span<octet> in = ping;
    const frame_event event = endpoint.next(in);
    REQUIRE(event.kind == what::ping);
    REQUIRE(in.empty());
}

const std::vector<octet> pong_of_ping = octets("8A 01 50");

}  // namespace

TEST_CASE("C2 a ping in the middle of an incoming message is answered at once") {
    CHECK(read_endpoint(server, octets("01 81 00000000 41 89 81 00000000 50 80 81 00000000 42")) ==
          "text begin \"A\"\nping \"P\"\n-> 8A 01 50\ntext end \"B\"\n");
}

TEST_CASE("C2 a ping in the middle of an outgoing message is answered between its frames") {
    server_endpoint endpoint;
    std::vector<octet> out(20);
    const auto payload = octets("010203");
    REQUIRE(endpoint.write({.last = false}, payload, out).what == result::done);
    receive_ping(endpoint);
    CHECK(endpoint.write({.last = true}, payload, out).what == result::control_first);
    CHECK(drain(endpoint) == pong_of_ping);
    CHECK(endpoint.write({.last = true}, payload, out).what == result::done);
}

TEST_CASE("C2 a ping in the middle of an outgoing frame is answered at its end") {
    server_endpoint endpoint;
    sockless::frame_start header;
    REQUIRE(endpoint.start({}, 3, header) == result::done);
    receive_ping(endpoint);
    auto payload = octets("010203");
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK_FALSE(endpoint.control_due());
        CHECK(drain(endpoint).empty());
        std::array<octet, 131> out{};
        CHECK(endpoint.ping({}, out).what == result::mid_frame);  // nor anything else
        CHECK(endpoint.pay(std::span(payload).subspan(i, 1)).size() == 1);
    }
    CHECK(endpoint.control_due());
    CHECK(drain(endpoint) == pong_of_ping);
    CHECK(drain(endpoint).empty());
}

TEST_CASE("C2 a ping after our Close is told, and not answered") {
    server_endpoint endpoint;
    REQUIRE(endpoint.close(1000) == result::done);
    receive_ping(endpoint);
    CHECK(drain(endpoint) == octets("88 02 03E8"));
    receive_ping(endpoint);
    CHECK(drain(endpoint).empty());
}

TEST_CASE("C2 a ping whose pong is replaced by a Close leaves no second frame") {
    CHECK(read_endpoint(server, octets("89 81 00000000 50 88 80 00000000 89 81 00000000 50")) ==
          "ping \"P\"\n-> 8A 01 50\nclose 1005 \"\"\n-> 88 00\n");
    server_endpoint endpoint;
    receive_ping(endpoint);
    std::vector<octet> close = octets("88 80 00000000");
    std::span<octet> in = close;
    CHECK(endpoint.next(in).kind == what::close);
    CHECK(drain(endpoint) == octets("88 00"));
    CHECK(drain(endpoint).empty());
}

TEST_CASE("C3 pongs that nobody asked for are told, and nothing else comes of them") {
    std::vector<octet> stream;
    std::string log;
    for (unsigned i = 0; i < 40; ++i) {
        stream = concat(stream, octets("8A 81 00000000 50"));
        log += "pong \"P\"\n";
    }
    CHECK(read_endpoint(server, stream) == log);
    server_endpoint endpoint;
    const support::heap_watch watch;
    for (unsigned i = 0; i < 1000; ++i) {
        std::array<octet, 6> pong{0x8A, 0x80, 1, 2, 3, 4};
        std::span<octet> in = pong;
        if (endpoint.next(in).kind != what::pong || endpoint.control_due()) FAIL(i);
    }
    CHECK(watch.count() == 0);
}

namespace {

template <class Payload>
concept pings_with = requires(server_endpoint endpoint, Payload payload,
                              std::array<octet, 131> out) { endpoint.ping(payload, out); };

static_assert(pings_with<std::span<const octet>>);
static_assert(pings_with<std::vector<octet>>);
static_assert(!pings_with<int> && !pings_with<std::size_t> && !pings_with<const char*>);
static_assert(!pings_with<octet>);

}  // namespace

TEST_CASE("C4 a control payload of more than 125 octets is too large, and nothing is written") {
    const std::vector<octet> payload = numbered(126);
    server_endpoint endpoint;
    const server_endpoint before = endpoint;
    for (const bool ping : {true, false}) {
        sockless::written last;
        const auto nothing = written(131, [&](std::span<octet> out) -> std::size_t {
            last = ping ? endpoint.ping(payload, out.first<131>())
                        : endpoint.pong(payload, out.first<131>());
            return last.octets;
        });
        CHECK(nothing.empty());
        CHECK(last == sockless::written{result::too_large, 0});
        CHECK(endpoint == before);
    }
    CHECK(endpoint.close(1000, std::string(124, 'r')) == result::too_large);
    CHECK(endpoint == before);
    CHECK(endpoint.close(1000, std::string(123, 'r')) == result::done);
}

TEST_CASE("C5 a control frame that is long, fragmented or half a code is refused") {
    for (const char* op : {"88", "89", "8A"}) {
        fails(server, std::string(op) + "FE 007E 00000000", {rule::long_control, 1});
        fails(server, std::string(op) + "FF 000000000000007E", {rule::long_control, 1});
        fails(client, std::string(op) + "7E 007E", {rule::long_control, 1});
    }
    for (const char* op : {"08", "09", "0A"}) {
        fails(server, std::string(op) + "80 00000000", {rule::fragmented_control, 0});
        fails(client, "01 00 " + std::string(op), {rule::fragmented_control, 2},
              "text begin \"\"\n");
    }
    fails(server, "88 81 00000000 03", {rule::short_close, 1});
    fails(client, "88 04 03E8 FFFF", {rule::bad_reason, 4});
    fails(client, "88 05 03E8 EDA080", {rule::bad_reason, 5});
    fails(client, "88 03 03E8 C3", {rule::bad_reason, 4});
}

TEST_CASE("C5 of all close codes those that may travel are echoed, the others answered with 1002") {
    unsigned echoed = 0;
    for (unsigned number = 0; number < 0x10000; ++number) {
        const bool good = (number >= 1000 && number <= 1003) ||
                          (number >= 1007 && number <= 1014) || (number >= 3000 && number <= 4999);
        std::array<octet, 8> frame{
            0x88, 0x82, 0, 0, 0, 0, static_cast<octet>(number >> 8), static_cast<octet>(number)};
        std::span<octet> in = frame;
        server_endpoint endpoint;
        const frame_event event = endpoint.next(in);
        const std::string reply = "-> " + support::hex(drain(endpoint)) + '\n';
        if (event.kind != (good ? what::close : what::violated)) FAIL(number);
        if (event.code != (good ? number : 1002)) FAIL(number);
        if (reply != close_line(role::server, good ? number : 1002)) FAIL(number);
        echoed += good ? 1U : 0U;
    }
    CHECK(echoed == 4 + 8 + 2000);
}

TEST_CASE("C6 a control frame at any place of a message changes nothing in it") {
    const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";
    for (const int op : {0x9, 0xA}) {
        for (const std::string control : {"", "p", "\xC3"}) {
            for (std::size_t place = 0; place <= text.size(); ++place) {
                auto stream = concat(support::frame(false, 0, 1, client_key, text.substr(0, place)),
                                     support::frame(true, 0, op, client_key, control),
                                     support::frame(true, 0, 0, client_key, text.substr(place)));
                static_cast<void>(read_endpoint(server, stream));
                frame_reader reader(role::server);
                std::span<octet> in = stream;
                std::string data;
                unsigned controls = 0;
                for (const frame_event& event : reader.receive(in)) {
                    if (event.kind != what::slice) ++controls;
                    if (event.kind != what::slice) continue;
                    CHECK(event.type == message_type::text);
                    data.append(event.payload.begin(), event.payload.end());
                }
                CHECK(controls == 1);
                CHECK(data == text);
                CHECK_FALSE(reader.fault());
            }
        }
    }
}

// ---- text ---------------------------------------------------------------------------------------

namespace {

// Whether the frames are one good text, read by a client in two pieces.
bool is_good_text(std::string frames, std::size_t cut) {
    frame_reader reader(role::client);
    std::array<octet, 32> memory{};
    std::copy(frames.begin(), frames.end(), memory.begin());
    const std::span<octet> all = std::span(memory).first(frames.size());
    std::size_t ends = 0;
    for (std::span<octet> in : {all.first(cut), all.subspan(cut)}) {
        for (const frame_event& event : reader.receive(in)) ends += event.last ? 1 : 0;
    }
    return ends == 1 && !reader.fault();
}

// All ways to cut a code point, between two reads and between two frames.
bool passes_every_cut(const std::string& code_point) {
    const std::string whole = reference::build_frame(true, 0, 1, std::nullopt, code_point);
    for (std::size_t cut = 2; cut < whole.size(); ++cut) {
        if (!is_good_text(whole, cut)) return false;
    }
    for (std::size_t cut = 0; cut <= code_point.size(); ++cut) {
        const std::string frames =
            reference::build_frame(false, 0, 1, std::nullopt, code_point.substr(0, cut)) +
            reference::build_frame(true, 0, 0, std::nullopt, code_point.substr(cut));
        if (!is_good_text(frames, frames.size())) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("U2 every code point passes, cut at every place between reads and between frames") {
    const std::uint32_t step = support::short_effort() ? 61 : 1;
    std::uint32_t passed = 0;
    for (std::uint32_t point = 0; point <= 0x10FFFF; point += point < 0x800 ? 1 : step) {
        if (point >= 0xD800 && point <= 0xDFFF) continue;
        if (!passes_every_cut(reference::encode_utf8(point))) FAIL(point);
        ++passed;
    }
    CHECK((step > 1 || passed == 0x110000 - 0x800));
    CHECK_FALSE(passes_every_cut(reference::encode_utf8(0xD800)));
    CHECK_FALSE(passes_every_cut(reference::encode_utf8(0x110000)));
}

namespace {

struct bad_text {
    const char* text;
    const char* good;  // what may be delivered of it, and how much that is
    std::size_t at;
};

// In frames of either role.
void fails(const bad_text& one, bool last) {
    CAPTURE(one.text, last);
    const std::vector<octet> text = octets(one.text);
    const std::string before = one.at == 0 ? "" : "text begin " + std::string(one.good) + '\n';
    fails(client, support::frame(last, 0, 1, std::nullopt, text), {rule::bad_text, 2 + one.at},
          before);
    fails(server, support::frame(last, 0, 1, client_key, text), {rule::bad_text, 6 + one.at},
          before);
}

}  // namespace

TEST_CASE("U3 text is refused at the first octet that nothing can complete") {
    for (const char* text : {"80", "C041", "C1BF", "F5808080", "FF41"}) {
        fails(bad_text{text, "", 0}, false);
        fails(bad_text{text, "", 0}, true);
    }
    for (const bad_text& one : {bad_text{"E08041414141", "\"\\xE0\"", 1},
                                {"E09F41414141", "\"\\xE0\"", 1},
                                {"EDA041414141", "\"\\xED\"", 1},
                                {"F08041414141", "\"\\xF0\"", 1},
                                {"F08F41414141", "\"\\xF0\"", 1},
                                {"F49041414141", "\"\\xF4\"", 1},
                                {"C24141414141", "\"\\xC2\"", 1},
                                {"E28241414141", "\"\\xE2\\x82\"", 2},
                                {"F09F98414141", "\"\\xF0\\x9F\\x98\"", 3},
                                {"418041414141", "\"A\"", 1},
                                {"C3A4A4414141", "\"\\xC3\\xA4\"", 2}}) {
        fails(one, false);
        fails(one, true);
    }
}

TEST_CASE("U3 in a last frame, nothing completes a code point but what is left of it") {
    for (const bad_text& one : {bad_text{"C3", "", 0},
                                {"E2", "", 0},
                                {"E282", "", 0},
                                {"F09F98", "", 0},
                                {"F041", "", 0},
                                {"41F09F", "\"A\"", 1},
                                {"C3A4C3", "\"\\xC3\\xA4\"", 2},
                                {"4142434445464748E282", "\"ABCDEFGH\"", 8}}) {
        fails(one, true);
    }
}

namespace {

// Everything that comes of a stream, with the reader in memory that was something else before.
std::string read_in_painted_memory(octet paint, std::span<const octet> stream, frame_reader& end) {
    alignas(frame_reader) std::array<octet, sizeof(frame_reader)> memory;
    memory.fill(paint);
    frame_reader* const reader = new (memory.data()) frame_reader(role::server);
    support::event_log log;
    for (octet next : stream) {
        std::span<octet> in(&next, 1);
        for (const frame_event& event : reader->receive(in)) {
            log.add(event, reader->fault() ? reader->fault()->at : 0);
        }
    }
    end = *reader;
    return log.text();
}

}  // namespace

TEST_CASE("U4 nothing is read that was not written before") {
    for (const char* text :
         {"", "82 80 00000000", "01 81 00000000 F0 00 82 00000000 9F98", "89 83 01020304 AA",
          "88 86 00000000 03E8 E282AC41", "81 82 00000000 C328", "82 FE 01", "F0"}) {
        const auto stream = octets(text);
        frame_reader one(role::server);
        frame_reader other(role::server);
        CHECK(read_in_painted_memory(0xA5, stream, one) ==
              read_in_painted_memory(0x5A, stream, other));
        CHECK(one == other);
    }
}

// ---- streams ------------------------------------------------------------------------------------

namespace {

struct exchange {
    std::vector<octet> stream;
    std::string log;
};

// A conversation with everything in it, as one of the roles hears it.
exchange long_exchange(role receiver) {
    const auto key = receiver == role::server ? std::optional(client_key) : std::nullopt;
    const auto pong = [&](std::string_view payload) {
        const auto reply = receiver == role::client ? std::optional(client_key) : std::nullopt;
        return "-> " + support::hex(support::frame(true, 0, 10, reply, payload)) + '\n';
    };
    const std::string long_text(200, 'y');
    const std::vector<octet> long_octets(long_text.begin(), long_text.end());
    return {concat(support::frame(true, 0, 1, key, "Gr\xC3\xBC\xC3\x9F"),
                   support::frame(false, 0, 2, key, std::string_view("\x00\xFF", 2)),
                   support::frame(true, 0, 9, key, "one"), support::frame(false, 0, 0, key, ""),
                   support::frame(true, 0, 0, key, "\x01"), support::frame(true, 0, 10, key, "two"),
                   support::frame(true, 0, 1, key, long_text), support::frame(true, 0, 9, key, "")),
            "text \"Gr\\xC3\\xBC\\xC3\\x9F\"\nbinary begin 00 FF\nping \"one\"\n" + pong("one") +
                "binary end 01\npong \"two\"\ntext " + support::summary(long_octets) +
                "\nping \"\"\n" + pong("")};
}

}  // namespace

TEST_CASE("S1 a conversation is the same however its octets are cut") {
    for (const reader_setup& setup : {server, client}) {
        const exchange one = long_exchange(setup.receiver);
        CHECK(read_endpoint(setup, one.stream) == one.log);
    }
}

TEST_CASE("S2 conversations in one piece are what they are one after the other") {
    for (const reader_setup& setup : {server, client}) {
        const exchange one = long_exchange(setup.receiver);
        const auto key = setup.receiver == role::server ? std::optional(client_key) : std::nullopt;
        const auto close = support::frame(true, 0, 8, key, reference::build_close(1001, "bye"));
        CHECK(read_endpoint(setup, concat(one.stream, one.stream, close)) ==
              one.log + one.log + "close 1001 \"bye\"\n" + close_line(setup.receiver, 1001));
    }
}

TEST_CASE("S3 octets that come one by one hold no memory") {
    const unsigned size = effort(1'000'000);
    const auto header = octets("82 FF 0000000000000000 37FA213D");
    std::array<octet, 14> first{};
    std::copy(header.begin(), header.end(), first.begin());
    sockless::store_network(size, std::span(first).subspan(2, 8));
    server_endpoint endpoint;
    const support::heap_watch watch;
    std::uint64_t told = 0;
    for (octet next : first) {
        std::span<octet> in(&next, 1);
        CHECK(endpoint.next(in).kind == what::nothing);
    }
    for (unsigned i = 0; i < size; ++i) {
        octet next = client_key.octets[i % 4];
        std::span<octet> in(&next, 1);
        const frame_event event = endpoint.next(in);
        if (event.remaining != size - i - 1 || event.payload[0] != 0) FAIL(i);
        told += event.payload.size();
    }
    CHECK(watch.count() == 0);
    CHECK(told == size);
}
