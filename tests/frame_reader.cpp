// frame_reader.cpp -- tests of frame_reader.hpp.
//
// read() of support/streams.hpp reads each stream whole, octet by octet and cut at every place,
// holds it against the reference, and watches the heap and the memory around the octets. Masked
// frames have the key 00000000 where the masking is not the point.
#include <sockless/frame_reader.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/heap_watch.hpp"
#include "support/log.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"
#include "support/streams.hpp"

using sockless::frame_event;
using sockless::frame_reader;
using sockless::limits;
using sockless::message_type;
using sockless::octet;
using sockless::role;
using sockless::rule;
using sockless::unlimited;
using sockless::violation;
using support::concat;
using support::octets;
using support::read;
using support::reader_setup;
using what = frame_event::what;

namespace {

const reader_setup server{.receiver = role::server};
const reader_setup client{.receiver = role::client};

reader_setup with_limit(limits limit, bool rsv1 = false) {
    return {.receiver = role::server, .limit = limit, .rsv1 = rsv1};
}

struct row {
    const char* stream;
    std::string log;
};

void check(const reader_setup& setup, std::initializer_list<row> rows) {
    for (const row& one : rows) {
        CAPTURE(one.stream);
        CHECK(read(setup, octets(one.stream)) == one.log);
    }
}

std::string violated(std::string_view words, std::size_t at) {
    return "violated " + std::string(words) + " at " + std::to_string(at) + "\n";
}

// How the log tells a long payload.
std::string sum(std::string_view payload) { return support::summary(octets(payload)); }

std::vector<octet> one_octet(unsigned value) { return {static_cast<octet>(value)}; }

}  // namespace

// ---- what comes out -----------------------------------------------------------------------------

TEST_CASE("the frames of RFC 6455, 5.7, are read") {
    check(client, {{"81 05 \"Hello\"", "text \"Hello\"\n"},
                   {"01 03 \"Hel\" 80 02 \"lo\"", "text \"Hello\"\n"},
                   {"89 05 \"Hello\"", "ping \"Hello\"\n"},
                   {"8A 05 \"Hello\"", "pong \"Hello\"\n"},
                   {"82 7E 0100 256*5A", "binary " + sum("256*5A") + "\n"},
                   {"82 7F 0000000000010000 65536*5A", "binary " + sum("65536*5A") + "\n"}});
    check(server, {{"81 85 37FA213D 7F9F4D5158", "text \"Hello\"\n"},
                   {"8A 85 37FA213D 7F9F4D5158", "pong \"Hello\"\n"}});
}

TEST_CASE("each first octet that may come gives its event") {
    check(client, {{"81 01 41", "text \"A\"\n"},
                   {"01 01 41", "text begin \"A\"\n"},
                   {"82 01 41", "binary 41\n"},
                   {"02 01 41", "binary begin 41\n"},
                   {"01 01 41 80 01 42", "text \"AB\"\n"},
                   {"01 01 41 00 01 42", "text begin \"AB\"\n"},
                   {"02 01 41 80 01 42", "binary 41 42\n"},
                   {"02 01 41 00 01 42", "binary begin 41 42\n"},
                   {"88 00", "close 1005 \"\"\n"},
                   {"88 02 03E8", "close 1000 \"\"\n"},
                   {"88 05 0FA0 \"bye\"", "close 4000 \"bye\"\n"},
                   {"89 00", "ping \"\"\n"},
                   {"8A 00", "pong \"\"\n"}});
}

TEST_CASE("empty frames and messages are told too") {
    check(server, {{"81 80 00000000", "text \"\"\n"},
                   {"82 80 00000000", "binary\n"},
                   {"01 80 00000000 80 80 00000000", "text \"\"\n"},
                   {"02 80 00000000 00 80 00000000 80 81 00000000 FF", "binary FF\n"},
                   {"01 81 00000000 41 80 80 00000000", "text \"A\"\n"},
                   {"01 80 00000000", "text begin \"\"\n"}});
}

TEST_CASE("messages follow each other, whole and in fragments, of both types") {
    for (const reader_setup& setup : {server, client}) {
        const auto key =
            setup.receiver == role::server ? std::optional(support::client_key) : std::nullopt;
        for (unsigned kinds = 0; kinds < 16; ++kinds) {
            std::vector<octet> stream;
            std::string log;
            for (const unsigned kind : {kinds & 3, kinds >> 2}) {
                const bool whole = (kind & 1) != 0;
                const int op = (kind & 2) != 0 ? 2 : 1;
                const std::string_view rest = whole ? "" : "b";
                stream = concat(stream, support::frame(whole, 0, op, key, "a"));
                if (!whole) stream = concat(stream, support::frame(true, 0, 0, key, rest));
                log += op == 1 ? (whole ? "text \"a\"\n" : "text \"ab\"\n")
                               : (whole ? "binary 61\n" : "binary 61 62\n");
            }
            CHECK(read(setup, stream) == log);
        }
    }
}

TEST_CASE("a message is the same in every fragmentation") {
    const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";
    for (unsigned cuts = 0; cuts < 1U << (text.size() - 1);
         cuts += support::short_effort() ? 7U : 1U) {
        std::vector<octet> stream;
        int op = 1;
        for (std::size_t from = 0; from < text.size(); op = 0) {
            std::size_t size = 1;
            while (from + size < text.size() && (cuts >> (from + size - 1) & 1) == 0) ++size;
            const bool last = from + size == text.size();
            const auto piece = support::frame(last, 0, op, std::nullopt, text.substr(from, size));
            stream = concat(stream, piece);
            from += size;
        }
        frame_reader reader(role::client);
        std::span<octet> in = stream;
        std::string whole;
        unsigned ends = 0;
        for (const frame_event& slice : reader.receive(in)) {
            REQUIRE(slice.kind == what::slice);
            CHECK(slice.type == message_type::text);
            CHECK(slice.first == whole.empty());
            whole.append(slice.payload.begin(), slice.payload.end());
            if (slice.last) ++ends;
        }
        CHECK(whole == text);
        CHECK(ends == 1);
    }
}

TEST_CASE("pings and pongs between fragments change no message, a cut code point neither") {
    check(client, {{"01 01 F0 89 01 \"p\" 00 01 9F 8A 00 00 00 00 01 98 89 00 80 01 80",
                    "text begin \"\\xF0\"\nping \"p\"\ntext more \"\\x9F\"\npong \"\"\n"
                    "text more \"\\x98\"\nping \"\"\ntext end \"\\x80\"\n"},
                   {"02 00 89 00 80 00", "binary begin\nping \"\"\nbinary end\n"},
                   {"89 00 8A 01 FF 81 01 \"x\" 89 00",
                    "ping \"\"\npong \"\\xFF\"\ntext \"x\"\nping \"\"\n"}});
}

TEST_CASE("binary messages hold all 256 octets, and need not be UTF-8 anywhere") {
    std::vector<octet> all;
    for (unsigned value = 0; value < 256; ++value) all.push_back(static_cast<octet>(value));
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{195}, all.size()}) {
        const auto head = std::span<const octet>(all).first(cut);
        const auto tail = std::span<const octet>(all).subspan(cut);
        const auto stream = concat(support::frame(false, 0, 2, support::client_key, head),
                                   support::frame(true, 0, 0, support::client_key, tail));
        CHECK(read(server, stream) == "binary " + support::summary(all) + "\n");
    }
}

TEST_CASE("payload is the same under every key, cut at every phase of the key") {
    const std::string_view text = "Once upon a time there was a frame.";
    for (const std::uint32_t number : {0x00000000U, 0xFFFFFFFFU, 0x37FA213DU, 0x01000080U, 0x80U}) {
        sockless::masking_key key;
        sockless::store_network(number, key.octets);
        CAPTURE(number);
        const auto stream = concat(support::frame(false, 0, 1, key, text),
                                   support::frame(true, 0, 0, key, "\xE2\x82\xAC"),
                                   support::frame(true, 0, 9, key, text));
        CHECK(read(server, stream) ==
              "text \"Once upon a time there was a frame.\\xE2\\x82\\xAC\"\n"
              "ping \"Once upon a time there was a frame.\"\n");
    }
}

TEST_CASE("control frames hold up to 125 octets, cut anywhere") {
    check(server, {{"89 FD FFFFFFFF 125*37", "ping " + sum("125*C8") + "\n"},
                   {"8A FD 00000000 125*\"7\"", "pong " + sum("125*37") + "\n"},
                   {"89 81 00000000 FF", "ping \"\\xFF\"\n"}});
    // A reason has up to 123, and no code but those that may travel in front.
    check(client, {{"88 7D 1387 123*\"r\"", "close 4999 " + sum("123*\"r\"") + "\n"},
                   {"88 03 03F6 \"!\"", "close 1014 \"!\"\n"},
                   {"88 06 0BB8 F09F9880", "close 3000 \"\\xF0\\x9F\\x98\\x80\"\n"}});
}

// ---- which rule, where --------------------------------------------------------------------------

TEST_CASE("each rule is refused at the octet that breaks it, after all that comes before") {
    const char* const hello = "text \"Hello\"\n";
    const auto refused = [&](const reader_setup& setup, const char* stream, const char* words,
                             std::size_t at) {
        CAPTURE(stream);
        const bool masked = setup.receiver == role::server;
        const auto front = octets(masked ? "81 85 00000000 \"Hello\"" : "81 05 \"Hello\"");
        // A Close that follows is not read any more, nor is anything else.
        const auto end = octets("88 80 00000000 88 00 81 01 41 FF");
        CHECK(read(setup, octets(stream)) == violated(words, at));
        CHECK(read(setup, concat(front, octets(stream), end)) ==
              hello + violated(words, at + front.size()));
    };
    refused(server, "C1", "reserved_bits 5.2 1002", 0);
    refused(server, "83", "reserved_opcode 5.2 1002", 0);
    refused(server, "09", "fragmented_control 5.5 1002", 0);
    refused(server, "80", "nothing_to_continue 5.4 1002", 0);
    refused(server, "81 00", "unmasked_frame 5.1 1002", 1);
    refused(client, "81 80", "masked_frame 5.1 1002", 1);
    refused(server, "89 FE", "long_control 5.5 1002", 1);
    refused(server, "88 81", "short_close 5.5.1 1002", 1);
    refused(server, "82 FF 80", "huge_length 5.2 1002", 2);
    refused(server, "82 FE 007D", "padded_length 5.2 1002", 3);
    refused(server, "82 FF 000000000000", "padded_length 5.2 1002", 7);
    refused(with_limit({.frame = 5}), "82 86", "large_frame 10.4 1009", 1);
    refused(with_limit({.message = 5}), "82 86", "large_message 10.4 1009", 1);
    refused(server, "81 81 00000000 FF", "bad_text 8.1 1007", 6);
    refused(server, "88 82 00000000 03ED", "bad_close_code 7.4 1002", 7);
    refused(server, "88 82 00000000 02", "bad_close_code 7.4 1002", 6);
    refused(server, "88 83 00000000 03E8 FF", "bad_reason 5.5.1 1007", 8);
    check(server,
          {{"01 80 00000000 81", "text begin \"\"\nviolated unfinished_message 5.4 1002 at 6\n"}});
    check(with_limit({.empty_fragments = 1}),
          {{"01 80 00000000 00 80", "text begin \"\"\nviolated empty_fragments 10.4 1008 at 7\n"}});
}

TEST_CASE("of several rules that an octet breaks the first in order is named") {
    const std::string reserved_bits = violated("reserved_bits 5.2 1002", 0);
    CHECK(read(server, octets("F3 7F")) == reserved_bits);
    CHECK(read(server, octets("48 7F")) == reserved_bits);
    CHECK(read(server, octets("C0")) == reserved_bits);
    const reader_setup rsv1{.rsv1 = true};
    CHECK(read(rsv1, octets("C3")) == reserved_bits);
    CHECK(read(rsv1, octets("48")) == reserved_bits);
    CHECK(read(rsv1, octets("40")) == reserved_bits);
    CHECK(read(server, octets("03")) == violated("reserved_opcode 5.2 1002", 0));
    CHECK(read(server, octets("88 7F")) == violated("unmasked_frame 5.1 1002", 1));
    CHECK(read(client, octets("88 81")) == violated("masked_frame 5.1 1002", 1));
    CHECK(read(server, octets("88 FF")) == violated("long_control 5.5 1002", 1));
    check(with_limit({.message = 3, .frame = 3, .empty_fragments = 1}),
          {{"82 FF 8000000000000000", "violated huge_length 5.2 1002 at 2\n"},
           {"82 FF 000000000000FFFF", "violated padded_length 5.2 1002 at 7\n"},
           {"82 FE 007D", "violated padded_length 5.2 1002 at 3\n"},
           {"82 84", "violated large_frame 10.4 1009 at 1\n"},
           {"01 83 00000000 4141F0 80 81",
            "text begin \"AA\\xF0\"\nviolated large_message 10.4 1009 at 10\n"}});
}

TEST_CASE("RSV1, RSV2 and RSV3 are refused at octet 0 if nothing was agreed on") {
    const std::string refused = violated("reserved_bits 5.2 1002", 0);
    for (unsigned first = 0x10; first < 0x100; ++first) {
        if ((first & 0x70) == 0) continue;
        CAPTURE(first);
        CHECK(read(server, one_octet(first)) == refused);
        CHECK(read(server, concat(one_octet(first), octets("81 00000000 41"))) == refused);
        CHECK(read(client, concat(one_octet(first), octets("01 41"))) == refused);
    }
}

TEST_CASE("RSV2 and RSV3 are refused at octet 0 whatever was agreed on") {
    const reader_setup rsv1{.rsv1 = true};
    for (const unsigned rsv : {0x10U, 0x20U, 0x30U, 0x50U, 0x60U, 0x70U}) {
        for (const unsigned first : {0x01U, 0x02U, 0x81U, 0x82U, 0x88U, 0x89U, 0x8AU}) {
            CAPTURE(rsv, first);
            CHECK(read(rsv1, concat(one_octet(first | rsv), octets("80 00000000"))) ==
                  violated("reserved_bits 5.2 1002", 0));
        }
    }
}

TEST_CASE("RSV1 that was agreed on may stand on the first frame of a message only") {
    const reader_setup rsv1{.rsv1 = true};
    const std::string empty = "text compressed";
    for (const unsigned first :
         {0x40U, 0xC0U, 0x48U, 0xC8U, 0x49U, 0xC9U, 0x4AU, 0xCAU, 0x51U, 0x62U}) {
        CAPTURE(first);
        CHECK(read(rsv1, one_octet(first)) == violated("reserved_bits 5.2 1002", 0));
        const auto begun = octets("41 80 00000000");
        CHECK(read(rsv1, concat(begun, one_octet(first))) ==
              empty + " begin\n" + violated("reserved_bits 5.2 1002", 6));
    }
    check(rsv1, {{"C1 80 00000000", "text compressed\n"},
                 {"C2 81 00000000 07", "binary compressed 07\n"},
                 {"41 81 00000000 F2 80 81 00000000 00", "text compressed F2 00\n"},
                 {"42 80 00000000 C1",
                  "binary compressed begin\nviolated unfinished_message 5.4 1002 at 6\n"}});
}

TEST_CASE("reserved opcodes are refused at octet 0, with FIN and without, inside a message too") {
    for (const unsigned op : {0x3U, 0x4U, 0x5U, 0x6U, 0x7U, 0xBU, 0xCU, 0xDU, 0xEU, 0xFU}) {
        for (const unsigned fin : {0x00U, 0x80U}) {
            CAPTURE(op, fin);
            CHECK(read(server, one_octet(fin | op)) == violated("reserved_opcode 5.2 1002", 0));
            CHECK(read(server, concat(one_octet(fin | op), octets("81 00000000 41"))) ==
                  violated("reserved_opcode 5.2 1002", 0));
            CHECK(read(client, concat(octets("02 00"), one_octet(fin | op))) ==
                  "binary begin\n" + violated("reserved_opcode 5.2 1002", 2));
        }
    }
}

TEST_CASE("a control frame without FIN is refused at octet 0, whatever its length") {
    for (const unsigned op : {0x8U, 0x9U, 0xAU}) {
        for (const char* rest : {"", "80 00000000", "82 00000000 03E8", "FE 007E"}) {
            CAPTURE(op, rest);
            const std::string refused = violated("fragmented_control 5.5 1002", 0);
            CHECK(read(server, concat(one_octet(op), octets(rest))) == refused);
            CHECK(read(client, concat(octets("01 00"), one_octet(op), octets(rest))) ==
                  "text begin \"\"\n" + violated("fragmented_control 5.5 1002", 2));
        }
    }
}

TEST_CASE("a control frame of more than 125 octets, and half a code, are refused at octet 1") {
    for (const unsigned op : {0x88U, 0x89U, 0x8AU}) {
        for (const char* length :
             {"FE", "FF", "FE 007E 00000000", "FE 0001", "FF 8000000000000000"}) {
            CAPTURE(op, length);
            CHECK(read(server, concat(one_octet(op), octets(length))) ==
                  violated("long_control 5.5 1002", 1));
        }
    }
    CHECK(read(server, octets("88 81 00000000 03")) == violated("short_close 5.5.1 1002", 1));
    CHECK(read(client, octets("88 01")) == violated("short_close 5.5.1 1002", 1));
    CHECK(read(client, octets("89 01 03 8A 01 03")) == "ping \"\\x03\"\npong \"\\x03\"\n");
}

TEST_CASE("a message is continued by continuations, and nothing else is") {
    const std::string orphan = "violated nothing_to_continue 5.4 1002 at ";
    const std::string intruder = "violated unfinished_message 5.4 1002 at ";
    // Each of them with nothing after the octet, and with the whole frame there.
    for (const std::string rest : {"", "00", "01 41"}) {
        const auto refused = [&](const std::string& stream, const std::string& log) {
            CAPTURE(stream, rest);
            CHECK(read(client, octets(stream + rest)) == log);
        };
        refused("00", orphan + "0\n");
        refused("80", orphan + "0\n");
        refused("81 00 80", "text \"\"\n" + orphan + "2\n");
        refused("01 00 80 00 00", "text \"\"\n" + orphan + "4\n");
        refused("01 00 89 00 01", "text begin \"\"\nping \"\"\n" + intruder + "4\n");
        refused("01 00 02", "text begin \"\"\n" + intruder + "2\n");
        refused("02 00 00 00 82", "binary begin\n" + intruder + "4\n");
        refused("02 00 81", "binary begin\n" + intruder + "2\n");
        refused("02 00 01", "binary begin\n" + intruder + "2\n");
    }
}

TEST_CASE("a frame with the other side's masking is refused at octet 1, whatever it is") {
    for (const unsigned op : {0x1U, 0x2U, 0x8U, 0x9U, 0xAU}) {
        for (const unsigned code : {0U, 1U, 125U, 126U, 127U}) {
            CAPTURE(op, code);
            const auto first = one_octet(0x80 | op);
            CHECK(read(server, concat(first, one_octet(code))) ==
                  violated("unmasked_frame 5.1 1002", 1));
            CHECK(read(client, concat(first, one_octet(0x80 | code))) ==
                  violated("masked_frame 5.1 1002", 1));
        }
    }
    check(server, {{"01 80 00000000 80 7F 0000000000000000",
                    "text begin \"\"\nviolated unmasked_frame 5.1 1002 at 7\n"}});
    check(client,
          {{"01 00 80 80 00000000", "text begin \"\"\nviolated masked_frame 5.1 1002 at 3\n"}});
}

TEST_CASE("text is refused at the first octet that it cannot go on with") {
    check(server,
          {{"81 83 00000000 41 C3 28", "text begin \"A\\xC3\"\nviolated bad_text 8.1 1007 at 8\n"},
           {"81 82 00000000 80 41", "violated bad_text 8.1 1007 at 6\n"},
           {"81 84 00000000 EDA08041", "text begin \"\\xED\"\nviolated bad_text 8.1 1007 at 7\n"},
           {"81 8A 00000000 \"12345678\" FF 41",
            "text begin \"12345678\"\nviolated bad_text 8.1 1007 at 14\n"},
           {"01 81 00000000 C3 00 81 00000000 28",
            "text begin \"\\xC3\"\nviolated bad_text 8.1 1007 at 13\n"},
           {"01 81 00000000 C3 00 80 00000000 80 81 00000000 28",
            "text begin \"\\xC3\"\nviolated bad_text 8.1 1007 at 19\n"}});
}

TEST_CASE("in the last frame a code point that it cannot complete is refused at its first octet") {
    check(
        client,
        {{"81 01 C3", "violated bad_text 8.1 1007 at 2\n"},
         {"81 02 E282", "violated bad_text 8.1 1007 at 2\n"},
         {"81 02 E241", "violated bad_text 8.1 1007 at 2\n"},
         {"81 03 F09F98", "violated bad_text 8.1 1007 at 2\n"},
         {"81 04 41 F09F98", "text begin \"A\"\nviolated bad_text 8.1 1007 at 3\n"},
         {"81 04 C3A4 E282", "text begin \"\\xC3\\xA4\"\nviolated bad_text 8.1 1007 at 4\n"},
         {"81 02 C328", "text begin \"\\xC3\"\nviolated bad_text 8.1 1007 at 3\n"},
         {"81 03 F02828", "violated bad_text 8.1 1007 at 2\n"},
         {"81 03 E28228", "text begin \"\\xE2\\x82\"\nviolated bad_text 8.1 1007 at 4\n"},
         {"81 0A \"12345678\" E282", "text begin \"12345678\"\nviolated bad_text 8.1 1007 at 10\n"},
         {"01 03 F09F98 80 02 80C3",
          "text begin \"\\xF0\\x9F\\x98\\x80\"\nviolated bad_text 8.1 1007 at 8\n"},
         // Not so before: the next frame may complete it.
         {"01 01 F0", "text begin \"\\xF0\"\n"},
         {"01 03 F09F98 80 01 80", "text \"\\xF0\\x9F\\x98\\x80\"\n"}});
}

TEST_CASE("a last frame too short for the unfinished code point is refused at its length") {
    const std::string begun = "text begin \"\\xF0\"\n";
    check(server,
          {{"01 81 00000000 F0 80 80", "text begin \"\\xF0\"\nviolated bad_text 8.1 1007 at 8\n"},
           {"01 81 00000000 F0 80 82 00000000 9F98",
            "text begin \"\\xF0\"\nviolated bad_text 8.1 1007 at 8\n"},
           {"01 82 00000000 F09F 80 81 00000000 98",
            "text begin \"\\xF0\\x9F\"\nviolated bad_text 8.1 1007 at 9\n"},
           {"01 81 00000000 F0 00 80 00000000 80 82",
            "text begin \"\\xF0\"\nviolated bad_text 8.1 1007 at 14\n"},
           {"01 81 00000000 F0 89 80 00000000 80 82",
            "text begin \"\\xF0\"\nping \"\"\nviolated bad_text 8.1 1007 at 14\n"},
           {"01 81 00000000 F0 80 83 00000000 9F9880", "text \"\\xF0\\x9F\\x98\\x80\"\n"},
           // Another one follows, so it may be as short as it likes.
           {"01 81 00000000 F0 00 82 00000000 9F98 80 81 00000000 80",
            "text \"\\xF0\\x9F\\x98\\x80\"\n"}});
    CHECK(read(client, octets("01 01 F0 80 02 9F98")) == begun + violated("bad_text 8.1 1007", 4));
}

TEST_CASE("the body of a Close is judged octet by octet") {
    check(client, {{"88 02 0000", "violated bad_close_code 7.4 1002 at 2\n"},
                   {"88 02 03E7", "violated bad_close_code 7.4 1002 at 3\n"},
                   {"88 02 03EC", "violated bad_close_code 7.4 1002 at 3\n"},
                   {"88 02 03EE", "violated bad_close_code 7.4 1002 at 3\n"},
                   {"88 02 03F7", "violated bad_close_code 7.4 1002 at 3\n"},
                   {"88 02 0400", "violated bad_close_code 7.4 1002 at 2\n"},
                   {"88 02 0BB7", "violated bad_close_code 7.4 1002 at 3\n"},
                   {"88 02 1388", "violated bad_close_code 7.4 1002 at 3\n"},
                   {"88 02 1400", "violated bad_close_code 7.4 1002 at 2\n"},
                   {"88 04 03E8 E241", "violated bad_reason 5.5.1 1007 at 4\n"},
                   {"88 05 03E8 \"a\" E282", "violated bad_reason 5.5.1 1007 at 5\n"},
                   {"88 04 03E8 C341", "violated bad_reason 5.5.1 1007 at 5\n"}});
    // The text of a message that a Close cuts off has nothing to do with its reason.
    check(client, {{"01 01 C3 88 04 03E8 \"ok\"", "text begin \"\\xC3\"\nclose 1000 \"ok\"\n"},
                   {"01 01 C3 88 03 03E8 A4",
                    "text begin \"\\xC3\"\nviolated bad_reason 5.5.1 1007 at 7\n"}});
}

// ---- limits -------------------------------------------------------------------------------------

TEST_CASE("a message of exactly the limit passes, and one octet more is refused at its length") {
    check(with_limit({.message = 5}),
          {{"81 85 00000000 \"Hello\"", "text \"Hello\"\n"},
           {"81 86", "violated large_message 10.4 1009 at 1\n"},
           {"01 83 00000000 \"Hel\" 80 82 00000000 \"lo\"", "text \"Hello\"\n"},
           {"01 83 00000000 \"Hel\" 80 83",
            "text begin \"Hel\"\nviolated large_message 10.4 1009 at 10\n"},
           {"01 85 00000000 \"Hello\" 00 80 00000000 80 81",
            "text begin \"Hello\"\nviolated large_message 10.4 1009 at 18\n"},
           {"82 85 00000000 5*00 82 85 00000000 5*01",
            "binary 00 00 00 00 00\nbinary 01 01 01 01 01\n"},
           {"01 83 00000000 \"Hel\" 89 84 00000000 \"ping\" 80 82 00000000 \"lo\"",
            "text begin \"Hel\"\nping \"ping\"\ntext end \"lo\"\n"}});
    check(with_limit({.message = 126}),
          {{"82 FE 007E 00000000 126*41", "binary " + sum("126*41") + "\n"},
           {"82 FE 007F", "violated large_message 10.4 1009 at 3\n"}});
    check(with_limit({.message = 65536}),
          {{"82 FF 0000000000010000 00000000 41", "binary begin 41\n"},
           {"82 FF 0000000000010001", "violated large_message 10.4 1009 at 9\n"}});
    check(with_limit({.message = 0}), {{"81 80 00000000", "text \"\"\n"},
                                       {"81 81", "violated large_message 10.4 1009 at 1\n"}});
}

TEST_CASE("a frame of exactly the limit passes, and one octet more is refused at its length") {
    check(with_limit({.frame = 3}),
          {{"01 83 00000000 \"Hel\" 80 82 00000000 \"lo\"", "text \"Hello\"\n"},
           {"81 84", "violated large_frame 10.4 1009 at 1\n"},
           {"01 83 00000000 \"Hel\" 00 84",
            "text begin \"Hel\"\nviolated large_frame 10.4 1009 at 10\n"}});
    check(with_limit({.frame = 65535}),
          {{"82 FE FFFF 00000000 41", "binary begin 41\n"},
           {"82 FF 0000000000010000", "violated large_frame 10.4 1009 at 9\n"}});
}

TEST_CASE("limits are for data: control frames pass even where no data may") {
    check(with_limit({.message = 0, .frame = 0}),
          {{"89 FD 00000000 125*\"7\"", "ping " + sum("125*37") + "\n"},
           {"88 83 00000000 03E8 41", "close 1000 \"A\"\n"}});
}

TEST_CASE("the default limits are a mebibyte for a message and for a frame") {
    check(server, {{"82 FF 0000000000100000 00000000 41", "binary begin 41\n"},
                   {"82 FF 0000000000100001", "violated large_message 10.4 1009 at 9\n"}});
}

TEST_CASE("a compressed message may have an eighth and 1024 octets more than the limit") {
    const reader_setup setup = with_limit({.message = 16}, true);  // 16 + 2 + 1024 = 0x412
    check(
        setup,
        {{"C2 FE 0412 00000000 41", "binary compressed begin 41\n"},
         {"C2 FE 0413", "violated large_message 10.4 1009 at 3\n"},
         {"42 FE 0410 00000000 1040*41 80 82 00000000 4142",
          "binary compressed " + sum("1040*41 4142") + "\n"},
         {"42 FE 0410 00000000 1040*41 80 83", "binary compressed begin " + sum("1040*41") +
                                                   "\nviolated large_message 10.4 1009 "
                                                   "at 1049\n"},
         // The next one is not compressed, and the one after that is again.
         {"C2 80 00000000 82 91", "binary compressed\nviolated large_message 10.4 1009 at 7\n"},
         {"82 90 00000000 16*41 C2 FE 0412 00000000 41",
          "binary 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41\nbinary compressed begin 41\n"}});
    check(with_limit({.message = 16, .frame = 20}, true),
          {{"C2 95", "violated large_frame 10.4 1009 at 1\n"}});
}

TEST_CASE("without limits every length passes that a size_t can count") {
    for (const bool rsv1 : {false, true}) {
        const reader_setup setup =
            with_limit({.message = unlimited, .frame = unlimited, .empty_fragments = 0}, rsv1);
        const std::string first = rsv1 ? "C2" : "82";
        const std::string begin = rsv1 ? "binary compressed begin 41\n" : "binary begin 41\n";
        const std::string large = violated("large_frame 10.4 1009", 9);
        CHECK(read(setup, octets(first + "FF 00000000FFFFFFFE 00000000 41")) == begin);
        const bool wide = unlimited > 0xFFFFFFFF;
        for (const char* length : {"00000000FFFFFFFF", "0000000100000000", "7FFFFFFFFFFFFFFF"}) {
            CAPTURE(length);
            const auto header = octets(first + "FF" + length);
            CHECK(read(setup, concat(header, octets("00000000 41"))) == (wide ? begin : large));
        }
        CHECK(read(setup, octets(first + "FF FFFFFFFFFFFFFFFF")) ==
              violated("huge_length 5.2 1002", 2));
    }
}

namespace {

// How many empty fragments in a row are taken; at most `most` are tried.
std::size_t empty_fragments_taken(const limits& limit, std::size_t most) {
    frame_reader reader(role::client, limit);
    for (std::size_t taken = 0; taken < most; ++taken) {
        std::array<octet, 2> frame{static_cast<octet>(taken == 0 ? 0x01 : 0x00), 0x00};
        std::span<octet> in = frame;
        const frame_event event = reader.next(in);
        if (event.kind == what::slice && event.payload.empty() && event.remaining == 0) continue;
        CHECK(event.broken == rule::empty_fragments);
        CHECK(reader.fault() == violation{rule::empty_fragments, 2 * taken + 1});
        return taken;
    }
    return most;
}

}  // namespace

TEST_CASE("as many empty fragments in a row are taken as the limit says") {
    for (const std::uint16_t limit :
         {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{1024}, std::uint16_t{65535}}) {
        CHECK(empty_fragments_taken({.empty_fragments = limit}, 70'000) == limit);
    }
    CHECK(empty_fragments_taken({}, 70'000) == 1024);
    CHECK(empty_fragments_taken({.empty_fragments = 0}, 140'000) == 140'000);
    check(with_limit({.empty_fragments = 2}),
          {// The last one is not counted, for no other can follow.
           {"01 80 00000000 00 80 00000000 80 80 00000000", "text \"\"\n"},
           // Octets between them, or another message, begin a new row; control frames do not.
           {"01 80 00000000 00 80 00000000 00 81 00000000 41 00 80 00000000 00 80 00000000 00 80",
            "text begin \"A\"\nviolated empty_fragments 10.4 1008 at 32\n"},
           {"01 80 00000000 00 80 00000000 80 80 00000000 01 80 00000000 00 80 00000000 00 80",
            "text \"\"\ntext begin \"\"\nviolated empty_fragments 10.4 1008 at 31\n"},
           {"01 80 00000000 00 80 00000000 89 80 00000000 00 80",
            "text begin \"\"\nping \"\"\nviolated empty_fragments 10.4 1008 at 19\n"}});
}

// ---- slices -------------------------------------------------------------------------------------

namespace {

// An event, and whether its payload is where it came.
struct seen {
    what kind = what::nothing;
    std::string payload{};
    bool first = false;
    bool last = false;
    std::uint64_t remaining = 0;

    friend bool operator==(const seen&, const seen&) = default;
};

std::ostream& operator<<(std::ostream& out, const seen& one) {
    return out << static_cast<int>(one.kind) << " \"" << one.payload << "\" " << one.first
               << one.last << ' ' << one.remaining;
}

// Takes the pieces one after the other, from the same memory.
std::vector<seen> see(frame_reader& reader, std::initializer_list<const char*> pieces) {
    std::vector<seen> all;
    for (const char* piece : pieces) {
        std::vector<octet> memory = octets(piece);
        std::span<octet> in = memory;
        for (const frame_event& e : reader.receive(in)) {
            const std::string payload(e.payload.begin(), e.payload.end());
            all.push_back({e.kind, payload, e.first, e.last, e.remaining});
        }
        CHECK(in.empty());
        std::fill(memory.begin(), memory.end(), octet{0xA5});
    }
    return all;
}

seen slice(const char* payload, bool first, bool last, std::uint64_t remaining) {
    return {what::slice, payload, first, last, remaining};
}

}  // namespace

TEST_CASE("slices say where the message begins and ends, and what the frame still lacks") {
    frame_reader reader(role::client);
    CHECK(see(reader, {"81", "05", "48", "656C", "6C", "6F"}) ==
          std::vector{slice("H", true, false, 4), slice("el", false, false, 2),
                      slice("l", false, false, 1), slice("o", false, true, 0)});
    CHECK(see(reader, {"81 05 \"Hello\"", "82 00", "", "82 02", "", "\"a\"", "", "\"b\""}) ==
          std::vector{slice("Hello", true, true, 0), slice("", true, true, 0),
                      slice("a", true, false, 1), slice("b", false, true, 0)});
}

TEST_CASE("every data frame ends with one slice that has nothing remaining, an empty one too") {
    frame_reader reader(role::client);
    CHECK(
        see(reader, {"01 00 00 00 00 03 \"a\"", "\"bc\" 89 01 \"p\" 00 01", "\"d\" 80 00 81 00"}) ==
        std::vector{slice("", true, false, 0), slice("", false, false, 0),
                    slice("a", false, false, 2), slice("bc", false, false, 0),
                    seen{what::ping, "p"}, slice("d", false, false, 0), slice("", false, true, 0),
                    slice("", true, true, 0)});
    CHECK(see(reader, {"02 02 \"a\"", "\"b\" 80 02 \"c\"", "\"d\""}) ==
          std::vector{slice("a", true, false, 1), slice("b", false, false, 0),
                      slice("c", false, false, 1), slice("d", false, true, 0)});
}

TEST_CASE("a large frame says from the first slice how much remains") {
    const bool wide = unlimited > 0xFFFFFFFF;
    frame_reader reader(role::client, {.message = unlimited});
    auto stream = octets(wide ? "82 7F 7FFFFFFFFFFFFFFF 4142" : "82 7F 00000000FFFFFFFE 4142");
    std::span<octet> in = stream;
    const frame_event event = reader.next(in);
    CHECK(event.kind == what::slice);
    CHECK(event.first);
    CHECK_FALSE(event.last);
    CHECK(event.remaining == (wide ? 0x7FFF'FFFF'FFFF'FFFDU : 0xFFFF'FFFCU));
    CHECK(event.type == message_type::binary);
}

TEST_CASE("every slice has the type of the message, and says whether it is compressed") {
    frame_reader reader(role::client, {}, true);
    auto stream = octets("01 01 41 80 01 42 02 01 43 80 01 44 41 01 80 80 01 C3 42 00 80 00 81 00");
    std::span<octet> in = stream;
    std::string kinds;
    for (const frame_event& event : reader.receive(in)) {
        REQUIRE(event.kind == what::slice);
        kinds += event.type == message_type::text ? 't' : 'b';
        kinds += event.compressed ? "c " : " ";
    }
    CHECK(kinds == "t t b b tc tc bc bc t ");
}

TEST_CASE("whether a message is compressed is known from its first header on, up to the next") {
    frame_reader reader(role::server, {}, true);
    const auto feed = [&](std::string_view notation) {
        auto stream = octets(notation);
        std::span<octet> in = stream;
        while (reader.next(in).kind != what::nothing) {
        }
        CHECK(in.empty());
        return reader.compressed();
    };
    CHECK_FALSE(reader.compressed());
    CHECK_FALSE(feed("81 82 00000000 41"));
    CHECK_FALSE(feed("41"));
    CHECK(feed("C2 82 00000000"));
    CHECK(reader.lacking() == 2);
    CHECK(feed("41 42"));
    // A fragment, a Ping in between, and the last fragment, which do not say it again.
    CHECK(feed("41 81 00000000 41"));
    CHECK(feed("89 80 00000000"));
    CHECK(feed("80 81 00000000"));
    CHECK(feed("41"));
    CHECK_FALSE(feed("01 81 00000000"));
    CHECK_FALSE(feed("41 89 80 00000000 80 80 00000000"));
    CHECK(feed("C1 80 00000000"));
}

TEST_CASE("payload is unmasked and handed out where it lies") {
    frame_reader reader(role::server);
    auto stream = octets("81 85 37FA213D 7F9F4D5158 01 82 37FA213D 7F9F 89 81 37FA213D 7F");
    const std::vector<octet> before = stream;
    std::span<octet> in = stream;
    const frame_event hello = reader.next(in);
    CHECK(hello.payload.data() == stream.data() + 6);
    CHECK(hello.text() == "Hello");
    CHECK(std::string(hello.text()) == "Hello");
    // What is not consumed yet is as it came, and in its place.
    CHECK(in.data() == stream.data() + 11);
    CHECK(in.size() == stream.size() - 11);
    CHECK(std::equal(in.begin(), in.end(), before.begin() + 11));
    const frame_event he = reader.next(in);
    CHECK(he.payload.data() == stream.data() + 17);
    CHECK(he.text() == "He");
    CHECK(in.data() == stream.data() + 19);
    CHECK(std::equal(in.begin(), in.end(), before.begin() + 19));
}

TEST_CASE("payload that nobody masked is handed out as it lies") {
    frame_reader reader(role::client);
    auto stream = octets("82 03 000102");
    const std::vector<octet> before = stream;
    std::span<octet> in = stream;
    const frame_event event = reader.next(in);
    CHECK(event.payload.data() == stream.data() + 2);
    CHECK(event.payload.size() == 3);
    CHECK(stream == before);
}

TEST_CASE("a bad octet cuts the slice, and all from there on is left as it came") {
    for (const char* payload : {"41 C3 28 424242", "\"12345678\" FF \"12345678901234567\"", "41 80",
                                "4141 E282", "\"1234567812345678\" F09F98"}) {
        CAPTURE(payload);
        const std::vector<octet> text = octets(payload);
        std::size_t good = 0;
        while (text[good] < 0x80) ++good;
        if (text[good] == 0xC3) ++good;  // the next one is bad
        auto stream = support::frame(true, 0, 1, support::client_key, text);
        const std::vector<octet> before = stream;
        frame_reader reader(role::server);
        std::span<octet> in = stream;
        const frame_event event = reader.next(in);
        CHECK(event.kind == what::slice);
        CHECK(event.payload.data() == stream.data() + 6);
        CHECK(event.payload.size() == good);
        CHECK(event.remaining == text.size() - good);
        CHECK(std::equal(event.payload.begin(), event.payload.end(), text.begin()));
        REQUIRE(in.data() == stream.data() + 6 + good);
        CHECK(in.size() == text.size() - good);
        CHECK(std::equal(in.begin(), in.end(), before.end() - std::ssize(in)));
        CHECK(reader.offset() == 6 + good);
        CHECK_FALSE(reader.fault());
        // One octet is enough to see that it is bad, and the others may not have come yet.
        const std::size_t enough = text[good] == 0xF0 || text[good] == 0xE2 ? 1 : in.size();
        std::span<octet> rest = in.first(enough);
        CHECK(reader.next(rest).broken == rule::bad_text);
        CHECK(reader.fault() == violation{rule::bad_text, 6 + good});
        CHECK(rest.empty());
    }
}

// ---- control payload ----------------------------------------------------------------------------

TEST_CASE("a control payload is whole though it came in pieces that are gone") {
    frame_reader reader(role::server);
    std::vector<seen> all =
        see(reader, {"89", "84 37FA21", "3D 47", "93", "4F5A 8A 82 00", "000000", "68", "69"});
    CHECK(all == std::vector{seen{what::ping, "ping"}, seen{what::pong, "hi"}});
    CHECK(see(reader, {"88 86 00000000 03", "E8", "62", "79 65 21 FFFF"}) ==
          std::vector{seen{what::close, "bye!"}});
}

TEST_CASE("a control payload is valid until the next event, whatever becomes of the octets") {
    frame_reader reader(role::server);
    auto begin = octets("89 84 00000000 7069");
    std::span<octet> in = begin;
    CHECK(reader.next(in).kind == what::nothing);
    std::fill(begin.begin(), begin.end(), octet{0xA5});
    auto end = octets("6E67");
    in = end;
    const frame_event ping = reader.next(in);
    CHECK(ping.kind == what::ping);
    CHECK(ping.text() == "ping");
    CHECK(ping.code == 0);
    CHECK(ping.remaining == 0);
}

TEST_CASE("a Close has its code beside its reason") {
    frame_reader reader(role::client);
    auto stream = octets("88 05 0FA1 \"bye\"");
    std::span<octet> in = stream;
    const frame_event close = reader.next(in);
    CHECK(close.kind == what::close);
    CHECK(close.code == 4001);
    CHECK(close.text() == "bye");
    CHECK(close.broken == rule::none);
}

// ---- the end ------------------------------------------------------------------------------------

namespace {

// Nothing that comes is told, everything is consumed, and nothing is counted or changed.
void check_ended(frame_reader reader) {
    const frame_reader before = reader;
    for (const char* more : {"", "81 05 \"Hello\"", "88 80 00000000", "FFFFFFFF"}) {
        auto stream = octets(more);
        const std::vector<octet> untouched = stream;
        std::span<octet> in = stream;
        CHECK(reader.next(in).kind == what::nothing);
        CHECK(in.empty());
        CHECK(in.data() == stream.data() + stream.size());
        CHECK(stream == untouched);
    }
    CHECK(reader == before);
}

// Consumes all of it.
frame_event last_event(frame_reader& reader, const char* stream) {
    auto memory = octets(stream);
    std::span<octet> in = memory;
    frame_event last;
    for (frame_event event = reader.next(in); event.kind != what::nothing;
         event = reader.next(in)) {
        last = event;
    }
    last.payload = {};  // it dies with the octets
    return last;
}

}  // namespace

TEST_CASE("after a Close everything is ignored") {
    frame_reader reader(role::client);
    auto stream = octets("88 00 81 01 41");
    std::span<octet> in = stream;
    CHECK(reader.next(in).kind == what::close);
    CHECK(reader.offset() == 2);
    CHECK_FALSE(reader.fault());
    CHECK(reader.next(in).kind == what::nothing);
    CHECK(in.empty());
    CHECK(in.data() == stream.data() + stream.size());
    CHECK(stream == octets("88 00 81 01 41"));
    CHECK(reader.offset() == 2);
    check_ended(reader);
}

TEST_CASE("after a violation everything is ignored, and the fault stays the same") {
    frame_reader reader(role::client);
    auto stream = octets("81 01 41 83 81 01 41");
    std::span<octet> in = stream;
    CHECK(reader.next(in).kind == what::slice);
    const frame_event event = reader.next(in);
    CHECK(event.kind == what::violated);
    CHECK(event.broken == rule::reserved_opcode);
    CHECK(event.code == 1002);
    CHECK(event.payload.empty());
    CHECK(in.empty());
    CHECK(in.data() == stream.data() + stream.size());
    CHECK(reader.offset() == 3);
    CHECK(reader.fault() == violation{rule::reserved_opcode, 3});
    check_ended(reader);
    reader.fail(rule::bad_text);
    CHECK(reader.fault() == violation{rule::reserved_opcode, 3});
    reader.stop();
    CHECK(reader.fault() == violation{rule::reserved_opcode, 3});
    check_ended(reader);
}

TEST_CASE("fail() ends the stream with a rule of the layer above, at what has been read") {
    for (const char* front : {"", "8", "81 01 41", "81 03 41", "02 7E", "89 02 41"}) {
        CAPTURE(front);
        const std::string hex = std::string(front) == "8" ? "81" : front;
        frame_reader reader(role::client);
        last_event(reader, hex.c_str());
        CHECK_FALSE(reader.fault());
        reader.fail(rule::large_message);
        CHECK(reader.fault() == violation{rule::large_message, octets(hex).size()});
        check_ended(reader);
        reader.fail(rule::bad_text);  // the first one stays
        CHECK(reader.fault()->broken == rule::large_message);
    }
}

TEST_CASE("fail() without a rule is nothing, and the stream goes on") {
    frame_reader reader(role::client);
    const frame_reader before = reader;
    reader.fail(rule::none);
    CHECK(reader == before);
    CHECK_FALSE(reader.fault());
    CHECK(last_event(reader, "89 00").kind == what::ping);
}

TEST_CASE("stop() ends the stream without a fault") {
    for (const char* front : {"", "81", "81 01 41", "81 03 41", "02 7E", "89 02 41"}) {
        CAPTURE(front);
        frame_reader reader(role::client);
        last_event(reader, front);
        reader.stop();
        CHECK_FALSE(reader.fault());
        CHECK(reader.offset() == octets(front).size());
        check_ended(reader);
    }
}

TEST_CASE("offset() counts the octets that have been read") {
    frame_reader reader(role::server);
    CHECK(reader.offset() == 0);
    auto stream = octets("89 81 00000000 41 81 85 00000000 \"Hel\"");
    std::span<octet> in = stream;
    CHECK(reader.next(in).kind == what::ping);
    CHECK(reader.offset() == 7);
    CHECK(reader.next(in).remaining == 2);
    CHECK(reader.offset() == 16);
    CHECK(reader.next(in).kind == what::nothing);
    CHECK(reader.offset() == 16);
    last_event(reader, "\"l\" FF 81");
    CHECK(reader.offset() == 17);
    CHECK(reader.fault() == violation{rule::bad_text, 17});
}

// ---- the range ----------------------------------------------------------------------------------

TEST_CASE("a loop over receive() takes one event after the other and may be left") {
    frame_reader reader(role::client);
    auto stream = octets("81 01 41 89 00 82 01 42");
    std::span<octet> in = stream;
    for (const frame_event& event : reader.receive(in)) {
        CHECK(event.kind == what::slice);
        break;
    }
    CHECK(in.data() == stream.data() + 3);
    auto events = reader.receive(in);
    auto event = events.begin();
    CHECK(event->kind == what::ping);
    CHECK(in.data() == stream.data() + 5);
    ++event;
    CHECK((*event).type == message_type::binary);
    CHECK_FALSE(event == events.end());
    ++event;
    CHECK(event == events.end());
    CHECK(in.empty());
    for (const frame_event& none : reader.receive(in)) FAIL(static_cast<int>(none.kind));
}

namespace {

template <class Reader, class Octets>
concept receives =
    requires(Reader reader, Octets octets) { reader.receive(static_cast<Octets>(octets)); };

static_assert(receives<frame_reader, std::span<octet>&>);
// What is not consumed yet would be lost.
static_assert(!receives<frame_reader, std::span<octet>&&>);

}  // namespace

// ---- what it is ---------------------------------------------------------------------------------

static_assert(std::is_trivially_copyable_v<frame_reader>);
static_assert(std::is_trivially_destructible_v<frame_reader>);
static_assert(sizeof(void*) != 8 || sizeof(frame_reader) <= 192);
static_assert(sizeof(void*) != 8 || sizeof(frame_event) == 32);
// All but the octets of a control frame fit into one cache line.
static_assert(sizeof(void*) != 8 ||
              (sizeof(frame_reader) - sockless::longest_control_payload) / 8 * 8 <= 64);
static_assert(noexcept(std::declval<frame_reader&>().next(std::declval<std::span<octet>&>())));
static_assert(std::is_nothrow_constructible_v<frame_reader, role, limits, bool>);
static_assert(!std::is_convertible_v<role, frame_reader>);

namespace {

using image = std::array<octet, sizeof(frame_reader)>;

image look_at(const frame_reader& reader) {
    image octets{};
    std::memcpy(octets.data(), &reader, sizeof reader);
    return octets;
}

}  // namespace

TEST_CASE("data frames change at most 64 octets of the machine that lie together") {
    frame_reader reader(role::server);
    const image before = look_at(reader);
    std::size_t from = before.size();
    std::size_t to = 0;
    auto stream =
        concat(support::frame(false, 0, 1, support::client_key, "Hell\xC3"),
               support::frame(false, 0, 0, support::client_key, ""),
               support::frame(true, 0, 0, support::client_key, "\xA4" + std::string(200, 'x')));
    for (octet& next : stream) {
        std::span<octet> in(&next, 1);
        CHECK(reader.next(in).kind != what::violated);
        const image after = look_at(reader);
        for (std::size_t i = 0; i < after.size(); ++i) {
            if (before[i] == after[i]) continue;
            from = std::min(from, i);
            to = std::max(to, i + 1);
        }
    }
    REQUIRE(from < to);
    CHECK(to - from <= 64);
}

TEST_CASE("a reader knows whether RSV1 was agreed on") {
    CHECK_FALSE(frame_reader(role::server).rsv1());
    CHECK_FALSE(frame_reader(role::client, {}, false).rsv1());
    CHECK(frame_reader(role::client, {}, true).rsv1());
}

TEST_CASE("a copy in the middle of anything has the same future") {
    const auto stream = octets(
        "01 83 37FA213D 7F9FC2 89 83 00000000 \"png\" 80 FE 007E 01020304 126*22 88 84 00000000 "
        "03E8 4141");
    for (std::size_t middle = 0; middle <= stream.size(); ++middle) {
        frame_reader original(role::server);
        std::vector<octet> first = stream;
        std::span<octet> in = std::span(first).first(middle);
        while (original.next(in).kind != what::nothing) {
        }
        frame_reader copy = original;
        CHECK(copy == original);
        std::vector<octet> second = stream;
        std::span<octet> in_first = std::span(first).subspan(middle);
        std::span<octet> in_second = std::span(second).subspan(middle);
        while (true) {
            const frame_event one = original.next(in_first);
            const frame_event other = copy.next(in_second);
            REQUIRE(one.kind == other.kind);
            CHECK(std::equal(one.payload.begin(), one.payload.end(), other.payload.begin(),
                             other.payload.end()));
            CHECK(copy == original);
            if (one.kind == what::nothing) break;
        }
    }
}

TEST_CASE("two readers are different if anything about their future is") {
    const frame_reader plain(role::server);
    CHECK(plain == frame_reader(role::server, {}, false));
    CHECK_FALSE(plain == frame_reader(role::client));
    CHECK_FALSE(plain == frame_reader(role::server, {}, true));
    CHECK_FALSE(plain == frame_reader(role::server, {.message = 7}));
    CHECK_FALSE(plain == frame_reader(role::server, {.frame = 7}));
    CHECK_FALSE(plain == frame_reader(role::server, {.empty_fragments = 7}));
    for (const char* front : {"81", "81 85", "81 80 00000000", "89 81 00000000 41", "83"}) {
        frame_reader other(role::server);
        last_event(other, front);
        CHECK_FALSE(plain == other);
    }
    frame_reader stopped = plain;
    stopped.stop();
    CHECK_FALSE(plain == stopped);
}

TEST_CASE("65,536 fragments make one message, and nothing is taken from the heap") {
    frame_reader reader(role::client);
    std::uint64_t size = 0;
    unsigned ends = 0;
    const support::heap_watch watch;
    for (unsigned i = 0; i < 65536; ++i) {
        const bool empty = i % 3 == 0;
        std::array<octet, 3> frame{static_cast<octet>(i == 0       ? 0x02
                                                      : i == 65535 ? 0x80
                                                                   : 0x00),
                                   static_cast<octet>(empty ? 0 : 1), 0xFF};
        std::span<octet> in = std::span(frame).first(empty ? 2 : 3);
        const frame_event event = reader.next(in);
        if (event.first != (i == 0) || event.last != (i == 65535) || !in.empty()) break;
        size += event.payload.size();
        ++ends;
    }
    CHECK(watch.count() == 0);
    CHECK(ends == 65536);
    CHECK(size == 65536 - 65536 / 3 - 1);
}

// ---- in constant evaluation, where nothing undefined is accepted --------------------------------

namespace {

template <class... Numbers>
constexpr std::array<octet, sizeof...(Numbers)> bytes(Numbers... numbers) {
    return {static_cast<octet>(numbers)...};
}

// A frame as it has to come out, or a violation with its offset.
struct told {
    what kind = what::slice;
    std::string_view payload = "";
    bool last = true;
    std::uint64_t code_or_offset = 0;
};

// A reader's events, data slices put together by frame, held against what they have to be.
struct constant_log {
    std::span<const told> due;
    std::size_t size = 0;
    std::array<octet, 300> payload{};

    // What has been told of a frame that a violation cuts off stands with the violation.
    constexpr bool add(const frame_event& event, std::uint64_t fault_at) {
        for (const octet next : event.payload) payload[size++] = next;
        if (event.kind == what::slice && event.remaining > 0) return !event.last;
        const sockless::text_view whole{std::span(payload).first(size)};
        size = 0;
        if (due.empty()) return false;
        const told wanted = due.front();
        due = due.subspan(1);
        const std::uint64_t number = event.kind == what::violated ? fault_at : event.code;
        return event.kind == wanted.kind && whole == wanted.payload &&
               (event.kind != what::slice || event.last == wanted.last) &&
               number == wanted.code_or_offset;
    }
};

template <std::size_t size>
constexpr bool tells(role receiver, std::array<octet, size> stream, std::size_t piece,
                     std::span<const told> due) {
    frame_reader reader(receiver);
    constant_log log{.due = due};
    for (std::span<octet> rest = stream; !rest.empty();) {
        std::span<octet> in = rest.first(piece < rest.size() ? piece : rest.size());
        rest = rest.subspan(in.size());
        for (const frame_event& event : reader.receive(in)) {
            if (!log.add(event, reader.fault() ? reader.fault()->at : 0)) return false;
        }
    }
    return log.due.empty() && log.size == 0;
}

template <std::size_t size>
constexpr bool tells(role receiver, const std::array<octet, size>& stream,
                     std::initializer_list<told> due) {
    const std::span<const told> all(due.begin(), due.size());
    return tells(receiver, stream, 1, all) && tells(receiver, stream, 2, all) &&
           tells(receiver, stream, 3, all) && tells(receiver, stream, 5, all) &&
           tells(receiver, stream, size, all);
}

constexpr auto with_header(std::array<octet, 4> header) {
    std::array<octet, 260> frame{};
    for (std::size_t i = 0; i < 4; ++i) frame[i] = header[i];
    for (std::size_t i = 4; i < 260; ++i) frame[i] = 'x';
    return frame;
}

// RFC 6455, 5.7.
static_assert(tells(role::client, bytes(0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F),
                    {{.payload = "Hello"}}));
static_assert(tells(role::server,
                    bytes(0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58),
                    {{.payload = "Hello"}}));
static_assert(tells(role::client, bytes(0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F),
                    {{.payload = "Hel", .last = false}, {.payload = "lo"}}));
static_assert(tells(role::client, bytes(0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F),
                    {{.kind = what::ping, .payload = "Hello"}}));
static_assert(tells(role::server,
                    bytes(0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58),
                    {{.kind = what::pong, .payload = "Hello"}}));
static_assert([] {
    auto stream = with_header({0x82, 0x7E, 0x01, 0x00});
    frame_reader reader(role::client);
    std::span<octet> in = stream;
    const frame_event event = reader.next(in);
    return event.last && event.payload.size() == 256 && event.payload.data() == stream.data() + 4;
}());

// A violation with its offset, and a Close, after which nothing comes.
static_assert(tells(role::client, bytes(0x81, 0x01, 0x41, 0x81, 0x02, 0xC3, 0x28, 0x41),
                    {{.payload = "A"},
                     {.kind = what::violated, .payload = "\xC3", .code_or_offset = 6}}));
static_assert(tells(role::server, bytes(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8, 0x81, 0x80),
                    {{.kind = what::close, .code_or_offset = 1000}}));
static_assert(tells(role::server, bytes(0x82, 0xFF, 0x80),
                    {{.kind = what::violated, .code_or_offset = 2}}));
static_assert(tells(role::client, bytes(0x01, 0x01, 0xF0, 0x80, 0x02),
                    {{.payload = "\xF0", .last = false},
                     {.kind = what::violated, .code_or_offset = 4}}));

// In a last frame a code point that it cannot complete.
static_assert(tells(role::client, bytes(0x81, 0x01, 0xC3),
                    {{.kind = what::violated, .code_or_offset = 2}}));
static_assert(tells(role::client, bytes(0x81, 0x04, 0x41, 0xF0, 0x9F, 0x98),
                    {{.kind = what::violated, .payload = "A", .code_or_offset = 3}}));
static_assert(tells(role::server, bytes(0x81, 0x83, 1, 2, 3, 4, 0xE3, 0x80, 0xAF),
                    {{.payload = "\xE2\x82\xAC"}}));

constexpr bool fails_as_told() {
    frame_reader reader(role::server);
    reader.fail(rule::bad_text);
    frame_reader stopped(role::server);
    stopped.stop();
    return reader.fault() == violation{rule::bad_text, 0} && !stopped.fault();
}
static_assert(fails_as_told());

}  // namespace

TEST_CASE("what was proved in constant evaluation is so at run time") {
    CHECK(tells(role::server,
                bytes(0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58),
                {{.payload = "Hello"}}));
    CHECK(tells(
        role::client, bytes(0x81, 0x01, 0x41, 0x81, 0x02, 0xC3, 0x28, 0x41),
        {{.payload = "A"}, {.kind = what::violated, .payload = "\xC3", .code_or_offset = 6}}));
    CHECK_FALSE(tells(role::client, bytes(0x89, 0x00), {{.kind = what::pong}}));
    CHECK(fails_as_told());
}
