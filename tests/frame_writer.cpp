// Messages to octets: every frame is held against one that was built without the library.

#include <sockless/frame_writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/heap_watch.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"

namespace {

using namespace sockless;

using key_or_none = std::optional<masking_key>;
using octet_vector = std::vector<octet>;

constexpr masking_key rfc_key{{0x37, 0xFA, 0x21, 0x3D}};
constexpr masking_key other_key{{0x00, 0xFF, 0x80, 0x01}};
const std::array<key_or_none, 3> keys{std::nullopt, rfc_key, other_key};

constexpr frame_kind text{.type = message_type::text};
constexpr frame_kind text_begin{.type = message_type::text, .last = false};
constexpr frame_kind binary{};
constexpr frame_kind binary_begin{.last = false};

octet_vector some_payload(std::size_t size) {
    octet_vector payload(size);
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<octet>(i * 7 + i / 256);
    return payload;
}

octet_vector filled(std::size_t size, octet fill = 0xA5) { return octet_vector(size, fill); }

octet_vector as_vector(std::span<const octet> octets) {
    return octet_vector(octets.begin(), octets.end());
}

// A frame as it should be, whose header says so many octets of payload.
octet_vector expected_frame(frame_kind kind, key_or_none key, std::span<const octet> payload) {
    const int op = kind.type == message_type::text ? 1 : 2;
    return support::frame(kind.last, kind.compressed ? 4 : 0, op, key, payload);
}

octet_vector expected_header(bool fin, int op, key_or_none key, std::uint64_t length) {
    reference::masking_key plain;
    if (key) plain = key->octets;
    const std::string header = reference::build_header(
        fin, 0, op, plain, reference::shortest_length_octets(length), length);
    return octet_vector(header.begin(), header.end());
}

// ---------------------------------------------------------------------------------------------
// At compile time
// ---------------------------------------------------------------------------------------------

template <std::size_t Size>
struct sent {
    std::array<octet, Size> octets{};
    std::size_t size = 0;

    constexpr bool is(std::initializer_list<int> expected) const {
        if (size != expected.size()) return false;
        std::size_t i = 0;
        for (const int o : expected) {
            if (octets[i++] != o) return false;
        }
        return true;
    }
};

constexpr sent<16> write_text(frame_writer& writer, frame_kind kind, std::string_view payload,
                              key_or_none key) {
    std::array<octet, 16> plain{};
    for (std::size_t i = 0; i < payload.size(); ++i) plain[i] = static_cast<octet>(payload[i]);
    sent<16> out;
    out.size = writer.write(kind, std::span(plain).first(payload.size()), out.octets, key).octets;
    return out;
}

constexpr sent<longest_control_frame> hello(opcode op, key_or_none key) {
    constexpr std::array<octet, 5> payload{'H', 'e', 'l', 'l', 'o'};
    sent<longest_control_frame> out;
    out.size = write_control(op, payload, key, out.octets).octets;
    return out;
}

constexpr bool hello_at_once(key_or_none key, std::initializer_list<int> expected) {
    frame_writer writer;
    return write_text(writer, text, "Hello", key).is(expected);
}

constexpr bool hello_in_two_fragments() {
    frame_writer writer;
    const bool begun = write_text(writer, text_begin, "Hel", {}).is({0x01, 0x03, 0x48, 0x65, 0x6C});
    return begun && writer.message() == fragmentation::text &&
           write_text(writer, text, "lo", {}).is({0x80, 0x02, 0x6C, 0x6F}) &&
           writer.message() == fragmentation::none;
}

constexpr bool header_is(std::uint64_t length, std::initializer_list<int> expected) {
    frame_writer writer;
    frame_start start;
    if (writer.start(binary, length, {}, start) != result::done) return false;
    return sent<longest_header>{start.octets, start.size}.is(expected) &&
           start.view().size() == start.size && writer.owed() == length;
}

constexpr bool masks_in_two_pieces() {
    frame_writer writer;
    frame_start start;
    std::array<octet, 6> place{'H', 'e', 'l', 'l', 'o', '!'};
    if (writer.start(text, 5, rfc_key, start) != result::done) return false;
    const std::size_t first = writer.pay(std::span(place).first(3)).size();
    const std::size_t second = writer.pay(std::span(place).subspan(3)).size();
    return first == 3 && second == 2 && writer.owed() == 0 &&
           sent<6>{place, 6}.is({0x7F, 0x9F, 0x4D, 0x51, 0x58, '!'});
}

constexpr bool examples_are_written() {
    return hello_at_once({}, {0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F}) &&
           hello_at_once(rfc_key,
                         {0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58}) &&
           hello_in_two_fragments() &&
           hello(opcode::ping, {}).is({0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F}) &&
           hello(opcode::pong, rfc_key)
               .is({0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58}) &&
           header_is(256, {0x82, 0x7E, 0x01, 0x00}) &&
           header_is(65536, {0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0});
}

TEST_CASE("the examples of RFC 6455, 5.7 are written octet for octet") {
    STATIC_REQUIRE(examples_are_written());
    STATIC_REQUIRE(masks_in_two_pieces());
    CHECK(examples_are_written());
    CHECK(masks_in_two_pieces());
}

// ---------------------------------------------------------------------------------------------
// Whole frames
// ---------------------------------------------------------------------------------------------

constexpr std::array<std::size_t, 12> sizes{0,   1,   2,   63,    124,   125,
                                            126, 127, 128, 65535, 65536, 65537};

TEST_CASE("a whole frame has the shortest header, the payload behind it, and nothing else") {
    for (const std::size_t size : sizes) {
        for (const key_or_none& key : keys) {
            for (const frame_kind kind : {text, text_begin, binary, binary_begin}) {
                CAPTURE(size, key.has_value(), kind.last);
                const octet_vector payload = some_payload(size);
                const octet_vector expected = expected_frame(kind, key, payload);
                frame_writer writer;
                octet_vector out = filled(expected.size() + 3);
                const written wrote = writer.write(kind, payload, out, key);
                CHECK(wrote == written{result::done, expected.size()});
                CHECK(wrote.octets == header_size(size, key.has_value()) + size);
                CHECK(out == support::concat(expected, filled(3)));
                CHECK(writer.owed() == 0);
            }
        }
    }
}

TEST_CASE("the header takes 2, 4 or 10 octets, and 4 more with a key") {
    struct row {
        std::uint64_t length;
        std::size_t plain;
    };
    for (const row& entry : {row{0, 2}, row{125, 2}, row{126, 4}, row{65535, 4}, row{65536, 10},
                             row{sockless::longest_sent, 10}}) {
        for (const key_or_none& key : keys) {
            CAPTURE(entry.length, key.has_value());
            frame_writer writer;
            frame_start start;
            start.octets.fill(0xA5);
            REQUIRE(writer.start(binary, entry.length, key, start) == result::done);
            CHECK(start.size == entry.plain + (key ? 4 : 0));
            CHECK(as_vector(start.view()) == expected_header(true, 2, key, entry.length));
            CHECK(as_vector(std::span(start.octets).subspan(start.size)) ==
                  filled(longest_header - start.size));
            CHECK(writer.owed() == entry.length);
        }
    }
}

TEST_CASE("header and paid payload are the octets of the whole frame") {
    for (const std::size_t size : sizes) {
        for (const key_or_none& key : keys) {
            CAPTURE(size, key.has_value());
            const octet_vector payload = some_payload(size);
            const octet_vector expected = expected_frame(text, key, payload);
            frame_writer in_place;
            frame_start start;
            octet_vector lent = payload;
            REQUIRE(in_place.start(text, size, key, start) == result::done);
            CHECK(in_place.pay(std::span(lent)).size() == size);
            CHECK(support::concat(start.view(), lent) == expected);

            frame_writer copying;
            octet_vector out(size);
            REQUIRE(copying.start(text, size, key, start) == result::done);
            CHECK(copying.pay(payload, out) == size);
            CHECK(support::concat(start.view(), out) == expected);
            CHECK(copying == in_place);
        }
    }
}

TEST_CASE("M4 a frame that does not fit writes nothing, changes nothing and says what it takes") {
    for (const std::size_t size : {0U, 1U, 125U, 126U, 127U}) {
        for (const key_or_none& key : keys) {
            const octet_vector payload = some_payload(size);
            const octet_vector expected = expected_frame(text, key, payload);
            for (std::size_t room = 0; room < expected.size(); ++room) {
                CAPTURE(size, key.has_value(), room);
                frame_writer writer;
                const support::guarded out(filled(room));
                const written wrote = writer.write(text, payload, out.span(), key);
                CHECK(wrote == written{result::full, expected.size()});
                CHECK(as_vector(out.span()) == filled(room));
                CHECK(writer == frame_writer{});
            }
            frame_writer writer;
            const support::guarded out(filled(expected.size()));
            CHECK(writer.write(text, payload, out.span(), key) ==
                  written{result::done, expected.size()});
            CHECK(as_vector(out.span()) == expected);
        }
    }
}

TEST_CASE("M5 no octet of a frame comes from what was in its place before") {
    for (const key_or_none& key : keys) {
        for (const octet fill : {octet{0xA5}, octet{0x5A}}) {
            const octet_vector payload = some_payload(200);
            frame_writer writer;
            octet_vector out = filled(300, fill);
            const written wrote = writer.write(binary, payload, out, key);
            out.resize(wrote.octets);
            CHECK(out == expected_frame(binary, key, payload));

            std::array<octet, longest_control_frame> control;
            control.fill(fill);
            const std::size_t size =
                write_control(opcode::ping, std::span(payload).first(20), key, control).octets;
            CHECK(as_vector(std::span(control).first(size)) ==
                  support::frame(true, 0, 9, key, std::span(payload).first(20)));
            CHECK(as_vector(std::span(control).subspan(size)) ==
                  filled(control.size() - size, fill));
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Fragments
// ---------------------------------------------------------------------------------------------

// What is in front of the length in each frame of a message.
octet_vector first_octets(message_type type, const std::vector<bool>& compressed,
                          std::size_t payload) {
    frame_writer writer;
    octet_vector first;
    for (std::size_t i = 0; i < compressed.size(); ++i) {
        frame_start start;
        octet_vector piece(payload);
        const frame_kind kind{type, i + 1 == compressed.size(), compressed[i]};
        REQUIRE(writer.start(kind, payload, {}, start) == result::done);
        first.push_back(start.octets[0]);
        CHECK(writer.pay(std::span(piece)).size() == payload);
    }
    CHECK(writer == frame_writer{});
    return first;
}

TEST_CASE("the first frame of a message has its opcode, the others 0, and only the last one FIN") {
    for (const std::size_t payload : {0U, 1U}) {
        CHECK(first_octets(message_type::text, {false}, payload) == support::octets("81"));
        CHECK(first_octets(message_type::binary, {false}, payload) == support::octets("82"));
        CHECK(first_octets(message_type::text, {false, false}, payload) ==
              support::octets("01 80"));
        CHECK(first_octets(message_type::binary, {false, false, false, false}, payload) ==
              support::octets("02 00 00 80"));
    }
}

TEST_CASE("F5 RSV1 is set on the first frame of a compressed message only, RSV2 and RSV3 never") {
    for (const std::size_t payload : {0U, 1U}) {
        CHECK(first_octets(message_type::text, {true}, payload) == support::octets("C1"));
        CHECK(first_octets(message_type::binary, {true, true, true}, payload) ==
              support::octets("42 00 80"));
        CHECK(first_octets(message_type::text, {true, false, true}, payload) ==
              support::octets("41 00 80"));
        CHECK(first_octets(message_type::text, {false, true, true}, payload) ==
              support::octets("01 00 80"));
    }
}

TEST_CASE("the unfinished message is told between its fragments") {
    frame_writer writer;
    octet_vector out(8);
    CHECK(writer.message() == fragmentation::none);
    CHECK(writer.write(text_begin, {}, out, {}).what == result::done);
    CHECK(writer.message() == fragmentation::text);
    CHECK(writer.write(text_begin, {}, out, {}).what == result::done);
    CHECK(writer.message() == fragmentation::text);
    CHECK(writer.write(text, {}, out, {}).what == result::done);
    CHECK(writer.message() == fragmentation::none);
    CHECK(writer.write(binary_begin, {}, out, {}).what == result::done);
    CHECK(writer.message() == fragmentation::binary);
    CHECK(writer.write(binary, {}, out, {}).what == result::done);
    CHECK(writer.message() == fragmentation::none);
}

// Tries what must be refused, in every way in which a frame can be begun.
void check_refused(const frame_writer& before, frame_kind kind, std::uint64_t length,
                   result expected) {
    for (const key_or_none& key : keys) {
        frame_writer writer = before;
        frame_start start;
        start.octets.fill(0xA5);
        start.size = 77;
        CHECK(writer.start(kind, length, key, start) == expected);
        CHECK(as_vector(start.octets) == filled(longest_header));
        CHECK(start.size == 77);
        CHECK(writer == before);
    }
}

void check_write_refused(const frame_writer& before, frame_kind kind, std::size_t length,
                         result expected) {
    for (const key_or_none& key : keys) {
        for (const std::size_t room : {std::size_t{0}, length + longest_header}) {
            frame_writer writer = before;
            octet_vector out = filled(room);
            CHECK(writer.write(kind, octet_vector(length), out, key) == written{expected, 0});
            CHECK(out == filled(room));
            CHECK(writer == before);
        }
    }
}

TEST_CASE("a message of the other type is refused while one is unfinished, and changes nothing") {
    octet_vector out(8);
    frame_writer in_text;
    REQUIRE(in_text.write(text_begin, {}, out, {}).what == result::done);
    frame_writer in_binary;
    REQUIRE(in_binary.write(binary_begin, {}, out, {}).what == result::done);
    for (const std::size_t length : {0U, 1U, 200U}) {
        CAPTURE(length);
        check_refused(in_text, binary, length, result::mid_message);
        check_refused(in_text, binary_begin, length, result::mid_message);
        check_refused(in_binary, text, length, result::mid_message);
        check_refused(in_binary, text_begin, length, result::mid_message);
        check_write_refused(in_text, binary, length, result::mid_message);
        check_write_refused(in_binary, text_begin, length, result::mid_message);
    }
}

TEST_CASE("nothing is begun while a frame is owed payload") {
    for (const frame_kind open : {text, text_begin, binary, binary_begin}) {
        for (const std::uint64_t owed :
             {std::uint64_t{1}, std::uint64_t{300}, sockless::longest_sent}) {
            CAPTURE(owed);
            frame_writer writer;
            frame_start start;
            REQUIRE(writer.start(open, owed, rfc_key, start) == result::done);
            for (const frame_kind next : {text, text_begin, binary, binary_begin}) {
                check_refused(writer, next, 0, result::mid_frame);
                check_refused(writer, next, UINT64_MAX, result::mid_frame);
                check_write_refused(writer, next, 5, result::mid_frame);
            }
        }
    }
}

TEST_CASE(
    "L1 a length with its top bit set, or that no size_t counts, is too large, and one less not") {
    check_refused({}, binary, sockless::longest_sent + 1, result::too_large);
    check_refused({}, binary, std::uint64_t{1} << 63, result::too_large);
    check_refused({}, text_begin, UINT64_MAX, result::too_large);
    frame_writer writer;
    frame_start start;
    CHECK(writer.start(binary, sockless::longest_sent, rfc_key, start) == result::done);
    const bool counts_all = sizeof(std::size_t) == 8;
    CHECK(as_vector(start.view()) ==
          support::octets(counts_all ? "82 FF 7F 7*FF 37FA213D" : "82 FF 4*00 4*FF 37FA213D"));
}

// ---------------------------------------------------------------------------------------------
// Payload in pieces
// ---------------------------------------------------------------------------------------------

frame_writer started(std::uint64_t length, key_or_none key) {
    frame_writer writer;
    frame_start start;
    REQUIRE(writer.start(binary, length, key, start) == result::done);
    return writer;
}

octet_vector masked(octet_vector payload, key_or_none key) {
    const octet_vector whole = support::frame(true, 0, 2, key, payload);
    return octet_vector(whole.end() - static_cast<std::ptrdiff_t>(payload.size()), whole.end());
}

TEST_CASE("M3 payload is masked in place in pieces of any size") {
    constexpr std::size_t length = 41;
    const octet_vector payload = some_payload(length);
    for (const key_or_none& key : keys) {
        for (std::size_t first = 0; first <= length; ++first) {
            for (std::size_t step = 1; step <= length; ++step) {
                frame_writer writer = started(length, key);
                octet_vector place = payload;
                std::size_t done = writer.pay(std::span(place).first(first)).size();
                while (done < length) {
                    const std::size_t size = length - done < step ? length - done : step;
                    const std::span<octet> paid = writer.pay(std::span(place).subspan(done, size));
                    REQUIRE(paid.data() == place.data() + done);
                    REQUIRE(paid.size() == size);
                    done += size;
                    REQUIRE(writer.owed() == length - done);
                }
                CAPTURE(first, step);
                REQUIRE(place == masked(payload, key));
            }
        }
    }
}

TEST_CASE("of a piece that is larger than what is owed, the rest is given back as it was") {
    const octet_vector payload = some_payload(40);
    for (const key_or_none& key : keys) {
        for (std::size_t owed = 0; owed <= payload.size(); ++owed) {
            CAPTURE(owed, key.has_value());
            const octet_vector front(payload.begin(),
                                     payload.begin() + static_cast<std::ptrdiff_t>(owed));
            const octet_vector rest(payload.begin() + static_cast<std::ptrdiff_t>(owed),
                                    payload.end());
            frame_writer writer = started(owed, key);
            octet_vector place = payload;
            const std::span<octet> paid = writer.pay(std::span(place));
            CHECK(paid.data() == place.data());
            CHECK(paid.size() == owed);
            CHECK(writer.owed() == 0);
            CHECK(place == support::concat(masked(front, key), rest));

            frame_writer copying = started(owed, key);
            octet_vector out = filled(payload.size());
            CHECK(copying.pay(payload, out) == owed);
            CHECK(copying == writer);
            CHECK(out == support::concat(masked(front, key), filled(rest.size())));
        }
    }
}

TEST_CASE("payload is copied into spans of any size, and only as much as they hold") {
    constexpr std::size_t length = 29;
    const octet_vector payload = some_payload(length);
    for (const key_or_none& key : keys) {
        for (std::size_t room = 0; room <= length + 1; ++room) {
            for (std::size_t given = 0; given <= length + 1; ++given) {
                CAPTURE(room, given, key.has_value());
                const octet_vector piece = some_payload(given);
                const support::guarded out(filled(room));
                frame_writer writer = started(length, key);
                const std::size_t size = writer.pay(piece, out.span());
                REQUIRE(size == std::min({room, given, length}));
                REQUIRE(writer.owed() == length - size);
                const octet_vector expected = masked(some_payload(size), key);
                REQUIRE(as_vector(out.span()) == support::concat(expected, filled(room - size)));
            }
        }
    }
}

TEST_CASE("the mask goes on at any offset, in place after copying and copying after in place") {
    constexpr std::size_t length = 23;
    const octet_vector payload = some_payload(length);
    for (const key_or_none& key : keys) {
        for (std::size_t cut = 0; cut <= length; ++cut) {
            CAPTURE(cut, key.has_value());
            frame_writer writer = started(length, key);
            octet_vector out = payload;
            CHECK(writer.pay(std::span<const octet>(payload).first(cut),
                             std::span(out).first(cut)) == cut);
            CHECK(writer.pay(std::span(out).subspan(cut)).size() == length - cut);
            CHECK(out == masked(payload, key));

            frame_writer turned = started(length, key);
            octet_vector place = payload;
            CHECK(turned.pay(std::span(place).first(cut)).size() == cut);
            CHECK(turned.pay(std::span<const octet>(payload).subspan(cut),
                             std::span(place).subspan(cut)) == length - cut);
            CHECK(place == masked(payload, key));
            CHECK(turned == writer);
        }
    }
}

TEST_CASE("what is paid while nothing is owed stays as it is") {
    octet_vector place = some_payload(9);
    octet_vector out = filled(9);
    for (const key_or_none& key : keys) {
        frame_writer writer = started(0, key);
        const frame_writer before = writer;
        CHECK(writer.pay(std::span(place)).empty());
        CHECK(writer.pay(some_payload(9), out) == 0);
        CHECK(writer.pay(std::span<octet>{}).empty());
        CHECK(writer.pay(std::span<const octet>{}, {}) == 0);
        CHECK(place == some_payload(9));
        CHECK(out == filled(9));
        CHECK(writer == before);
    }
}

TEST_CASE("of a frame that is longer than memory each piece is paid whole") {
    for (const std::uint64_t owed : {sockless::longest_sent, sockless::longest_sent - 5}) {
        frame_writer writer = started(owed, rfc_key);
        octet_vector place = some_payload(100);
        CHECK(writer.pay(std::span(place)).size() == 100);
        CHECK(writer.owed() == owed - 100);
        CHECK(place == masked(some_payload(100), rfc_key));
    }
}

TEST_CASE("M6 each frame is masked with the key that it was given, or not at all") {
    frame_writer writer;
    const octet_vector payload = some_payload(21);
    for (const key_or_none& key : {keys[1], keys[0], keys[2], keys[1], keys[0]}) {
        octet_vector out(40);
        const written wrote = writer.write(binary, payload, out, key);
        out.resize(wrote.octets);
        CHECK(out == support::frame(true, 0, 2, key, payload));
    }
}

// ---------------------------------------------------------------------------------------------
// Control frames
// ---------------------------------------------------------------------------------------------

TEST_CASE("C4 a control frame has FIN and up to 125 octets of payload") {
    for (const opcode op : {opcode::close, opcode::ping, opcode::pong}) {
        for (const key_or_none& key : keys) {
            for (std::size_t size = 0; size <= longest_control_payload; ++size) {
                CAPTURE(static_cast<int>(op), size, key.has_value());
                const octet_vector payload = some_payload(size);
                const octet_vector expected =
                    support::frame(true, 0, static_cast<int>(op), key, payload);
                std::array<octet, longest_control_frame> out;
                out.fill(0xA5);
                CHECK(write_control(op, payload, key, out) ==
                      written{result::done, expected.size()});
                CHECK(as_vector(out) ==
                      support::concat(expected, filled(out.size() - expected.size())));
            }
        }
    }
}

TEST_CASE("C4 a control frame of 126 octets is too large, and nothing is written") {
    for (const opcode op : {opcode::close, opcode::ping, opcode::pong}) {
        for (const key_or_none& key : keys) {
            for (const std::size_t size : {126U, 127U, 131U, 65536U}) {
                std::array<octet, longest_control_frame> out;
                out.fill(0xA5);
                CHECK(write_control(op, some_payload(size), key, out) ==
                      written{result::too_large, 0});
                CHECK(as_vector(out) == filled(out.size()));
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Random messages
// ---------------------------------------------------------------------------------------------

class random_sender {
  public:
    random_sender(std::uint64_t seed, bool client) : random_(seed), client_(client) {}

    // A whole message, in frames and pieces of any size.
    void send() {
        const bool is_text = below(2) == 0;
        const bool compressed = below(3) == 0;
        const std::size_t count = 1 + below(4);
        for (std::size_t i = 0; i < count; ++i) {
            const frame_kind kind{is_text ? message_type::text : message_type::binary,
                                  i + 1 == count, compressed};
            const octet_vector payload = random_ascii(below(300));
            const std::size_t before = wire_.size();
            send_frame(kind, payload);
            CHECK(wire_.size() - before == header_size(payload.size(), client_) + payload.size());
            tell(kind, i == 0, payload);
        }
    }

    const std::string& wire() const { return wire_; }
    const std::string& expected() const { return expected_; }

  private:
    std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }

    octet_vector random_ascii(std::size_t size) {
        octet_vector payload(size);
        for (octet& o : payload) o = static_cast<octet>(below(128));
        return payload;
    }

    key_or_none draw() {
        if (!client_) return {};
        const auto drawn = static_cast<std::uint32_t>(random_());
        masking_key key;
        store_network(drawn, key.octets);
        return key;
    }

    void append(std::span<const octet> octets) { wire_ += support::to_string(octets); }

    void send_frame(frame_kind kind, const octet_vector& payload) {
        if (below(2) == 0) {
            octet_vector out(payload.size() + longest_header);
            const written wrote = writer_.write(kind, payload, out, draw());
            REQUIRE(wrote.what == result::done);
            append(std::span(out).first(wrote.octets));
            return;
        }
        frame_start start;
        REQUIRE(writer_.start(kind, payload.size(), draw(), start) == result::done);
        append(start.view());
        octet_vector rest = payload;
        while (writer_.owed() > 0) pay(rest);
    }

    void pay(octet_vector& rest) {
        const std::size_t size = 1 + below(rest.size() + 10);
        octet_vector out(size);
        std::size_t paid = 0;
        if (below(2) == 0) {
            paid = writer_.pay(rest, out);
            append(std::span(out).first(paid));
        } else {
            const std::size_t piece = size < rest.size() ? size : rest.size();
            paid = writer_.pay(std::span(rest).first(piece)).size();
            append(std::span(rest).first(paid));
        }
        rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(paid));
    }

    // As reference::to_string() tells it.
    void tell(frame_kind kind, bool first, const octet_vector& payload) {
        reference::happening happening;
        happening.text = kind.type == message_type::text;
        happening.compressed = kind.compressed;
        for (std::size_t i = 0; i < payload.size(); ++i) {
            happening.first = first && i == 0;
            happening.payload = std::string(1, static_cast<char>(payload[i]));
            expected_ += reference::to_string(happening) + '\n';
        }
        happening.kind = reference::happening::what::frame_end;
        happening.first = first;
        happening.last = kind.last;
        happening.payload.clear();
        expected_ += reference::to_string(happening) + '\n';
    }

    std::mt19937_64 random_;
    bool client_;
    frame_writer writer_;
    std::string wire_;
    std::string expected_;
};

TEST_CASE("invariants 17 to 20: random messages are read by an independent reader as they were") {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const bool client = seed % 2 == 0;
        random_sender sender(seed, client);
        for (int i = 0; i < 5; ++i) sender.send();
        CAPTURE(seed);
        REQUIRE(reference::log(reference::read_all({.server = client, .rsv1 = true},
                                                   sender.wire())) == sender.expected());
    }
}

// ---------------------------------------------------------------------------------------------
// The machine itself
// ---------------------------------------------------------------------------------------------

TEST_CASE("a writer copied in the middle of a frame goes on as the original does") {
    STATIC_REQUIRE(std::is_trivially_copyable_v<frame_writer>);
    frame_writer writer = started(20, rfc_key);
    octet_vector place = some_payload(20);
    CHECK(writer.pay(std::span(place).first(7)).size() == 7);
    frame_writer copy = writer;
    CHECK(copy == writer);
    octet_vector other = place;
    CHECK(writer.pay(std::span(place).subspan(7)).size() == 13);
    CHECK_FALSE(copy == writer);
    CHECK(copy.pay(std::span(other).subspan(7)).size() == 13);
    CHECK(copy == writer);
    CHECK(other == place);
}

TEST_CASE("two writers are equal only if they would write the same") {
    octet_vector out(8);
    frame_writer in_text;
    frame_writer in_binary;
    REQUIRE(in_text.write(text_begin, {}, out, {}).what == result::done);
    REQUIRE(in_binary.write(binary_begin, {}, out, {}).what == result::done);
    CHECK_FALSE(in_text == in_binary);
    CHECK_FALSE(started(5, rfc_key) == started(5, other_key));
    CHECK_FALSE(started(5, rfc_key) == started(6, rfc_key));
    CHECK_FALSE(started(5, masking_key{}) == started(5, {}));
    CHECK_FALSE(written{result::done, 5} == written{result::full, 5});
    CHECK_FALSE(written{result::done, 5} == written{result::done, 6});
}

TEST_CASE("writing takes nothing from the heap") {
    const octet_vector payload = some_payload(1000);
    octet_vector out(2000);
    frame_writer writer;
    frame_start start;
    std::array<octet, longest_control_frame> control;
    const support::heap_watch watch;
    bool done = writer.write(text_begin, payload, out, rfc_key).what == result::done;
    done = done && writer.start(text, 1000, rfc_key, start) == result::done;
    done = done && writer.pay(payload, std::span(out).first(500)) == 500;
    done = done && writer.pay(std::span(out).first(600)).size() == 500;
    done =
        done && write_control(opcode::ping, std::span(payload).first(125), rfc_key, control).what ==
                    result::done;
    const std::size_t taken = watch.count();
    CHECK(done);
    CHECK(taken == 0);
}

}  // namespace
