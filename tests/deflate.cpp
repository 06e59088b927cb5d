// permessage-deflate in whole connections: what is agreed on, what is inflated, what leaves, and
// what all of it takes of memory. zlib itself is the other end.

#include <sockless/deflate.hpp>

#include <sockless/client_connection.hpp>
#include <sockless/pipe.hpp>
#include <sockless/server_connection.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "support/catch.hpp"
#include "support/connections.hpp"
#include "support/heap_watch.hpp"

namespace {

using namespace sockless;
using support::client_close;
using support::counted_keys;
using support::drain;
using support::drain_text;
using support::from_client;
using support::hear;
using support::lines;
using support::octet_vector;
using support::octets_of_size;
using support::octets_of_text;
using support::report_of;
using support::wants_of;
using support::watched;

using zip_server = basic_server<watched, permessage_deflate>;
using zip_client = client_connection<counted_keys, watched, permessage_deflate>;

// ---- zlib, as the peer has it ----

class peer_deflater {
  public:
    explicit peer_deflater(int bits = 15, int level = 6, int mem_level = 8,
                           int strategy = Z_DEFAULT_STRATEGY) {
        REQUIRE(deflateInit2(&stream_, level, Z_DEFLATED, -bits, mem_level, strategy) == Z_OK);
    }
    peer_deflater(const peer_deflater&) = delete;
    peer_deflater& operator=(const peer_deflater&) = delete;
    ~peer_deflater() { deflateEnd(&stream_); }

    // Without the marker at its end, if that is one.
    octet_vector message(std::span<const octet> plain, int flush = Z_SYNC_FLUSH) {
        octet_vector out = octets(plain, flush);
        if (flush == Z_SYNC_FLUSH || flush == Z_FULL_FLUSH) out.erase(out.end() - 4, out.end());
        return out;
    }
    octet_vector message(std::string_view plain, int flush = Z_SYNC_FLUSH) {
        return message(octets_of_text(plain), flush);
    }
    octet_vector octets(std::span<const octet> plain, int flush) {
        octet_vector all;
        octet_vector in(plain.begin(), plain.end());
        stream_.next_in = in.data();
        stream_.avail_in = static_cast<uInt>(in.size());
        do {
            octet_vector piece(65'536);
            stream_.next_out = piece.data();
            stream_.avail_out = static_cast<uInt>(piece.size());
            ::deflate(&stream_, flush);
            all.insert(all.end(), piece.begin(), piece.end() - stream_.avail_out);
        } while (stream_.avail_out == 0);
        return all;
    }

    // Another stream, which still refers to this text.
    void restart_behind(std::string_view text) {
        const octet_vector known = octets_of_text(text);
        REQUIRE(deflateReset(&stream_) == Z_OK);
        REQUIRE(deflateSetDictionary(&stream_, known.data(), static_cast<uInt>(known.size())) ==
                Z_OK);
    }

  private:
    z_stream stream_{};
};

class peer_inflater {
  public:
    explicit peer_inflater(int bits = 15) { REQUIRE(inflateInit2(&stream_, -bits) == Z_OK); }
    peer_inflater(const peer_inflater&) = delete;
    peer_inflater& operator=(const peer_inflater&) = delete;
    ~peer_inflater() { inflateEnd(&stream_); }

    octet_vector message(octet_vector compressed) {
        for (const octet o : support::octets("00 00 FF FF")) compressed.push_back(o);
        octet_vector plain(std::size_t{1} << 21);
        stream_.next_in = compressed.data();
        stream_.avail_in = static_cast<uInt>(compressed.size());
        stream_.next_out = plain.data();
        stream_.avail_out = static_cast<uInt>(plain.size());
        CHECK(::inflate(&stream_, Z_SYNC_FLUSH) == Z_OK);
        CHECK(stream_.avail_in == 0);
        return {plain.begin(), plain.end() - stream_.avail_out};
    }
    void reset() { inflateReset(&stream_); }

    // Octet by octet: so zlib looks everything up in its window, and refuses what is not in it.
    octet_vector message_in_window(octet_vector compressed) {
        for (const octet o : support::octets("00 00 FF FF")) compressed.push_back(o);
        octet_vector plain;
        stream_.next_in = compressed.data();
        stream_.avail_in = static_cast<uInt>(compressed.size());
        octet next{};
        while (true) {
            stream_.next_out = &next;
            stream_.avail_out = 1;
            const int answer = ::inflate(&stream_, Z_SYNC_FLUSH);
            if (stream_.avail_out == 0) {
                plain.push_back(next);
                continue;
            }
            CHECK((answer == Z_OK || answer == Z_BUF_ERROR));
            CHECK(stream_.avail_in == 0);
            return plain;
        }
    }

  private:
    z_stream stream_{};
};

octet_vector from_client_zipped(int op, std::span<const octet> payload, bool fin = true) {
    return support::frame(fin, 4, op, support::client_key, payload);
}

// A request that offers this, to be answered.
std::string request_with(const std::string& offer) {
    std::string request = support::good_request;
    request.insert(request.size() - 2, "Sec-WebSocket-Extensions: " + offer + "\r\n");
    return request;
}

// Opens it; gives what it answers to the offer, or nothing.
template <class Server>
std::string open_with(Server& ws, const std::string& offer) {
    REQUIRE(hear(ws, request_with(offer)) == lines{"request"});
    REQUIRE(ws.accept() == result::done);
    const support::parsed_response response = support::parse_response(drain_text(ws));
    REQUIRE(response.status == 101);
    REQUIRE(hear(ws) == lines{"open"});
    const auto values = response.head.all("sec-websocket-extensions");
    REQUIRE(values.size() <= 1);
    return values.empty() ? "" : values.front();
}

constexpr std::string_view every_parameter =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

std::string words(std::size_t size, unsigned seed = 1) {
    static constexpr std::array list{
        "the ",     "quick ",     "brown ", "fox ",   "\xC3\xA9t\xC3\xA9 ",
        "{\"id\":", "0123456789", "\n",     "jumps ", "over "};
    std::mt19937 random(seed);
    std::string text;
    while (text.size() < size) text += list.at(random() % list.size());
    text.resize(size);
    while (!is_utf8(text)) text.back() = 'x';
    return text;
}

octet_vector noise(std::size_t size, unsigned seed = 1) {
    std::mt19937 random(seed);
    octet_vector all(size);
    for (octet& o : all) o = static_cast<octet>(random());
    return all;
}

// A client and a server that echoes, with a pipe between them.
struct talk {
    explicit talk(const deflate_options& client_how = {}, const deflate_options& server_how = {},
                  const connection_options& options = {}, pipe_cut cut = {})
        : client(keys, options, client_how),
          server(options, server_how),
          between(client, server, cut) {}

    // Sends all of these, one after the other, and gives what comes back.
    std::vector<octet_vector> echoes(const std::vector<octet_vector>& messages, compressing how) {
        std::vector<octet_vector> back;
        octet_vector at_server;
        octet_vector at_client;
        const auto send_next = [&] {
            if (back.size() == messages.size()) {
                CHECK(client.close() == result::done);
                return;
            }
            const auto& next = messages[back.size()];
            CHECK(client.send_binary(next, how) == result::done);
        };
        if (client.report().why == cause::nothing && !opened) {
            REQUIRE(client.open({.host = "a"}) == result::done);
        }
        between.run(
            [&](const event& e) {
                if (e.kind == event::open) send_next();
                if (e.kind != event::message && e.kind != event::slice) return;
                at_client.insert(at_client.end(), e.payload.begin(), e.payload.end());
                if (!e.last && e.kind == event::slice) return;
                back.push_back(at_client);
                at_client.clear();
                send_next();
            },
            [&](const event& e) {
                if (e.kind == event::request) CHECK(server.accept() == result::done);
                if (e.kind != event::message && e.kind != event::slice) return;
                at_server.insert(at_server.end(), e.payload.begin(), e.payload.end());
                if (!e.last && e.kind == event::slice) return;
                CHECK(server.send(e.type, at_server, how) == result::done);
                at_server.clear();
            });
        opened = true;
        return back;
    }

    counted_keys keys;
    zip_client client;
    zip_server server;
    basic_pipe<16'384> between;
    bool opened = false;
};

// A client and a server that agreed on this offer, and take nothing from each other by themselves.
struct both_ends {
    explicit both_ends(const std::string& offer, const deflate_options& client_how = {},
                       const deflate_options& server_how = {})
        : client(keys, {}, client_how), server({}, server_how) {
        const std::string answer = open_with(server, offer);
        REQUIRE(client.open({.host = "a"}) == result::done);
        REQUIRE(hear(client, support::response_to(
                                 drain_text(client),
                                 "Sec-WebSocket-Extensions: " + answer + "\r\n")) == lines{"open"});
    }

    connection& end(bool is_client) {
        if (is_client) return client;
        return server;
    }
    // What one of them makes of this message.
    octet_vector frame_of(bool is_client, std::span<const octet> plain) {
        CHECK(end(is_client).send_binary(plain, compressing::yes) == result::done);
        octet_vector frame = drain(end(is_client));
        REQUIRE(frame.at(0) == 0xC2);
        return frame;
    }

    counted_keys keys;
    zip_client client;
    zip_server server;
};

// The payload of a frame, unmasked.
octet_vector payload_of(std::span<const octet> frame) {
    const bool masked = (frame[1] & 128U) != 0;
    const unsigned length = frame[1] & 127U;
    frame = frame.subspan(length < 126 ? 2 : length == 126 ? 4 : 10);
    masking_key key;
    if (masked) std::copy_n(frame.begin(), 4, key.octets.begin());
    if (masked) frame = frame.subspan(4);
    octet_vector payload(frame.begin(), frame.end());
    mask(payload, key);
    return payload;
}

}  // namespace

// ---- the opening handshake ----

TEST_CASE("D10 nothing is compressed unless both ends ask for it") {
    SECTION("the server does not") {
        support::server<> ws;
        CHECK(open_with(ws, "permessage-deflate").empty());
        CHECK(hear(ws, from_client_zipped(1, support::octets("F2 48 CD C9 C9 07 00"))) == lines{});
        CHECK(report_of(ws) == "violation, began us, sent 1002, reserved_bits");
    }
    SECTION("the client does not") {
        zip_server ws;
        CHECK(open_with(ws, "x-other").empty());
        CHECK(ws.send_text(words(1'000), compressing::yes) == result::done);
        CHECK(drain(ws).size() == 1'004);
    }
    SECTION("an application that answers for itself is not answered for") {
        zip_server ws;
        REQUIRE(hear(ws, request_with("x-mine, permessage-deflate")) == lines{"request"});
        REQUIRE(ws.accept({.extensions = "x-mine"}) == result::done);
        CHECK(drain_text(ws).find("Sec-WebSocket-Extensions: x-mine\r\n") != std::string::npos);
        CHECK(ws.send_text(words(1'000), compressing::yes) == result::done);
        CHECK(drain(ws).size() == 1'004);
    }
}

TEST_CASE("What could not be accepted was not agreed on") {
    zip_server ws;
    REQUIRE(hear(ws, request_with("permessage-deflate, x-mine")) == lines{"request"});
    CHECK(ws.accept({.protocol = "none of those"}) == result::not_offered);
    CHECK(!ws.engine().terms());
    {
        const support::no_memory none;
        CHECK(ws.accept() == result::full);
    }
    CHECK(!ws.engine().terms());
    CHECK(ws.accept({.extensions = "x-mine"}) == result::done);
    drain(ws);
    CHECK(ws.send_text(words(1'000), compressing::yes) == result::done);
    CHECK(drain(ws).size() == 1'004);
    // And what was agreed on stays, whatever is tried later.
    zip_server other;
    open_with(other, "permessage-deflate");
    CHECK(other.accept() == result::not_open);
    CHECK(other.accept({.protocol = "chat"}) == result::not_open);
    CHECK(other.accept({.extensions = "permessage-deflate"}) == result::not_open);
    CHECK(other.engine().terms());
    CHECK(hear(other, from_client_zipped(1, support::octets("F2 48 CD C9 C9 07 00"))) ==
          lines{"text \"Hello\""});
}

TEST_CASE("A client that offers for itself has its answer for itself") {
    counted_keys keys;
    zip_client ws(keys);
    REQUIRE(ws.open({.host = "a", .extensions = "x-mine, permessage-deflate"}) == result::done);
    const std::string request = drain_text(ws);
    CHECK(request.find("Sec-WebSocket-Extensions: x-mine, permessage-deflate\r\n") !=
          std::string::npos);
    CHECK(hear(ws, support::response_to(request, "Sec-WebSocket-Extensions: x-mine\r\n")) ==
          lines{"open"});
    CHECK(!ws.engine().terms());
    CHECK(ws.send_text(words(1'000), compressing::yes) == result::done);
    CHECK(drain(ws).size() == 1'008);
}

TEST_CASE("A server answers the first offer that it can take") {
    zip_server ws;
    CHECK(open_with(ws, "permessage-deflate; x, permessage-deflate; server_no_context_takeover") ==
          "permessage-deflate; server_no_context_takeover");
    CHECK(ws.engine().terms() == deflate_terms{.server_no_context_takeover = true});
    zip_server other;
    REQUIRE(hear(other, request_with("permessage-deflate")) == lines{"request"});
    REQUIRE(other.accept({.protocol = "chat"}) == result::done);
    const std::string head = drain_text(other);
    CHECK(head.find("Sec-WebSocket-Extensions: permessage-deflate\r\n") != std::string::npos);
    CHECK(head.find("Sec-WebSocket-Protocol: chat\r\n") != std::string::npos);
}

TEST_CASE("D4 a client fails a connection whose answer is none of RFC 7692") {
    struct row {
        const char* answer;
        bool good;
    };
    for (const row& each : std::initializer_list<row>{
             {"permessage-deflate", true},
             {"permessage-deflate; client_max_window_bits=10", true},
             {"permessage-deflate; server_max_window_bits=8", true},
             {"permessage-deflate; client_max_window_bits", false},
             {"permessage-deflate; client_max_window_bits=16", false},
             {"permessage-deflate; server_max_window_bits=08", false},
             {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", false},
             {"permessage-deflate; x", false},
             {"permessage-deflate, permessage-deflate", false}}) {
        CAPTURE(each.answer);
        counted_keys keys;
        zip_client ws(keys);
        REQUIRE(ws.open({.host = "a"}) == result::done);
        const std::string request = drain_text(ws);
        CHECK(request.find("Sec-WebSocket-Extensions: permessage-deflate; "
                           "client_max_window_bits\r\n") != std::string::npos);
        const std::string answer = support::response_to(
            request, "Sec-WebSocket-Extensions: " + std::string(each.answer) + "\r\n");
        CHECK(!ws.engine().terms());
        if (each.good) {
            CHECK(hear(ws, answer) == lines{"open"});
            CHECK(ws.engine().terms());
        } else {
            CHECK(hear(ws, answer) == lines{"closed 1006"});
            CHECK(ws.report().fault == violation{rule::bad_extension, answer.size() - 1});
        }
    }
}

TEST_CASE("D4 a client that may use a window of 8 sends plain, and still inflates") {
    counted_keys keys;
    zip_client ws(keys);
    REQUIRE(ws.open({.host = "a"}) == result::done);
    REQUIRE(hear(ws, support::response_to(drain_text(ws),
                                          "Sec-WebSocket-Extensions: permessage-deflate; "
                                          "client_max_window_bits=8\r\n")) == lines{"open"});
    CHECK(ws.send_text(words(1'000), compressing::yes) == result::done);
    CHECK(drain(ws).size() == 1'008);
    CHECK(hear(ws,
               support::frame(true, 4, 1, std::nullopt, support::octets("F2 48 CD C9 C9 07 00"))) ==
          lines{"text \"Hello\""});
}

// ---- octets received ----

TEST_CASE("The examples of RFC 7692, 7.2.3, at every split") {
    const auto check = [](std::string_view frames, const lines& wanted) {
        CAPTURE(frames);
        octet_vector all = support::octets(frames);
        for (std::size_t cut = 0; cut <= all.size(); ++cut) {
            zip_server ws;
            open_with(ws, "permessage-deflate");
            const auto octets = std::span<const octet>(all);
            const lines front = hear(ws, octets.first(cut));
            const lines told = support::both(front, hear(ws, octets.subspan(cut)));
            CHECK(told == wanted);
            CHECK(report_of(ws) == "nothing, began nobody");
        }
    };
    const std::string hello = "text \"Hello\"";
    check("C1 87 00000000 F2 48 CD C9 C9 07 00", {hello});
    check("41 83 00000000 F2 48 CD  80 84 00000000 C9 C9 07 00", {hello});
    check("C1 87 00000000 F2 48 CD C9 C9 07 00  C1 85 00000000 F2 00 11 00 00", {hello, hello});
    check("C1 8B 00000000 00 05 00 FA FF 48 65 6C 6C 6F 00", {hello});
    check("C1 88 00000000 F3 48 CD C9 C9 07 00 00", {hello});
    check("C1 8D 00000000 F2 48 05 00 00 00 FF FF CA C9 C9 07 00", {hello});
    check("C1 81 00000000 00", {"text \"\""});
}

TEST_CASE("D5 empty messages, stored blocks, BFINAL, and what is none of these") {
    struct row {
        const char* what;
        const char* payload;
        const char* told;  // or the rule
    };
    for (const row& each : std::initializer_list<row>{
             {"empty", "00", "text \"\""},
             {"no octet at all", "", "text \"\""},
             {"final, and the octet behind it", "F3 48 CD C9 C9 07 00 00", "text \"Hello\""},
             {"final, and nothing behind it", "F3 48 CD C9 C9 07 00", "text \"Hello\""},
             {"final twice", "F3 48 CD C9 C9 07 00 F3 48 CD C9 C9 07 00 00", "text \"HelloHello\""},
             {"an empty final block", "01 00 00 FF FF", "text \"\""},
             {"an empty final block, without the marker", "01", "text \"\""},
             {"a final block that ends within the marker", "F3", "bad_compression"},
             {"garbage behind the final block", "F3 48 CD C9 C9 07 00 FF FF", "bad_compression"},
             {"a block of type 3", "06", "bad_compression"},
             {"a stored block whose length is wrong", "00 05 00 FA FE 48", "bad_compression"},
             {"in a stored block: the marker is no text", "00 09 00 F6 FF 48 65", "bad_text"},
             {"in a compressed block", "F2 48 CD", "bad_compression"},
             {"a distance in front of the beginning", "F2 00 11 00 00", "bad_compression"},
             {"half a code point", "00 01 00 FE FF C3 00", "bad_text"},
             {"no text", "00 02 00 FD FF 48 FF 00", "bad_text"}}) {
        CAPTURE(each.what);
        zip_server ws;
        open_with(ws, "permessage-deflate");
        const lines told = hear(ws, from_client_zipped(1, support::octets(each.payload)));
        const bool good = std::string_view(each.told).starts_with("text");
        if (good) {
            CHECK(told == lines{each.told});
            // The next message is not troubled by the one before.
            CHECK(hear(ws, from_client_zipped(1, support::octets("00 02 00 FD FF 6F 6B 00"))) ==
                  lines{"text \"ok\""});
        } else {
            CHECK(told.empty());
            CHECK(report_of(ws) == "violation, began us, sent 1007, " + std::string(each.told));
            CHECK(support::hex(drain(ws)) == "88 02 03 EF");
        }
    }
}

TEST_CASE("D5 the window stays behind BFINAL, from stream to stream and from message to message") {
    zip_server ws;
    open_with(ws, "permessage-deflate");
    const std::string text = words(2'000);
    peer_deflater zip;
    for (int round = 0; round < 3; ++round) {
        octet_vector payload = zip.message(text, Z_FINISH);
        if (round > 0) CHECK(payload.size() < 40);  // it is nearly all a reference
        zip.restart_behind(text);
        payload.push_back(0x00);
        CHECK(hear(ws, from_client_zipped(1, payload)) ==
              lines{support::payload_text(message_type::text, octets_of_text(text))});
    }
}

TEST_CASE("D1 a bomb is refused after the limit and one octet, in bounded memory") {
    peer_deflater zip;
    const octet_vector zeros(std::size_t{1} << 20);
    octet_vector bomb;
    for (int i = 0; i < 1'023; ++i) {
        const octet_vector piece = zip.octets(zeros, Z_NO_FLUSH);
        bomb.insert(bomb.end(), piece.begin(), piece.end());
    }
    const octet_vector end = zip.message(zeros);
    bomb.insert(bomb.end(), end.begin(), end.end());
    for (const bool slices : {false, true}) {
        CAPTURE(slices);
        watched::start();
        connection_options options;
        options.slices = slices;
        zip_server ws(options);
        open_with(ws, "permessage-deflate");
        octet_vector frame = from_client_zipped(2, bomb);
        std::size_t told = 0;
        std::span<octet> all(frame);
        while (!all.empty()) {
            std::span<octet> in = all.first(std::min<std::size_t>(all.size(), 16'384));
            all = all.subspan(in.size());
            for (const event& e : ws.receive(in)) told += e.payload.size();
        }
        CHECK(report_of(ws) == "violation, began us, sent 1009, large_message");
        CHECK(told <= (std::size_t{1} << 20));
        CHECK(told + 4'096 >= (slices ? std::size_t{1} << 20 : 0));
        CHECK(watched::all.most_held <= (std::size_t{3} << 20) / 2 + 300);
        CHECK(support::hex(drain(ws)) == "88 02 03 F1");
    }
}

TEST_CASE("D2 the limit counts what is inflated: exactly so much passes") {
    for (const bool slices : {false, true}) {
        for (const std::size_t size : {999U, 1'000U, 1'001U}) {
            CAPTURE(size, slices);
            connection_options options;
            options.limit.message = 1'000;
            options.slices = slices;
            zip_server ws(options, {.slice = 300});
            open_with(ws, "permessage-deflate");
            peer_deflater zip;
            std::size_t told = 0;
            bool ended = false;
            octet_vector frame = from_client_zipped(2, zip.message(octet_vector(size, 'a')));
            std::span<octet> in(frame);
            for (const event& e : ws.receive(in)) {
                told += e.payload.size();
                ended = ended || e.kind == event::message || e.last;
            }
            CHECK(ended == (size <= 1'000));
            if (size <= 1'000) CHECK(told == size);
            if (size > 1'000) CHECK(ws.report().fault->broken == rule::large_message);
        }
    }
    // Noise may take more octets than it has, up to what compressed_limit() says.
    connection_options options;
    options.limit.message = 1'000;
    zip_server ws(options);
    open_with(ws, "permessage-deflate");
    peer_deflater zip;
    CHECK(hear(ws, from_client_zipped(2, zip.message(noise(1'000)))).size() == 1);
    CHECK(hear(ws, from_client_zipped(2, octets_of_size(1'000 + 1'000 / 8 + 1'024 + 1))).empty());
    CHECK(ws.report().fault->broken == rule::large_message);
}

TEST_CASE("A message that inflates too far may be refused for that alone") {
    for (const bool slices : {false, true}) {
        for (const std::size_t ratio : {100U, 2'000U}) {
            connection_options options;
            options.slices = slices;
            zip_server ws(options, {.most_ratio = ratio});
            open_with(ws, "permessage-deflate");
            peer_deflater zip;
            hear(ws, from_client_zipped(2, zip.message(octet_vector(300'000, 'a'))));
            CHECK(ws.report().fault.has_value() == (ratio == 100));
            if (ratio == 100) CHECK(ws.report().fault->broken == rule::high_ratio);
            if (ratio == 100) CHECK(support::hex(drain(ws)) == "88 02 03 F1");
        }
    }
}

TEST_CASE("D3 RSV1 has its place in the first frame of a data message only") {
    for (const std::string_view frames :
         {"41 80 00000000  C0 80 00000000", "C9 80 00000000", "CA 80 00000000",
          "C8 82 00000000 03 E8", "01 80 00000000  C0 80 00000000"}) {
        CAPTURE(frames);
        zip_server ws;
        open_with(ws, "permessage-deflate");
        CHECK(hear(ws, support::octets(frames)).empty());
        CHECK(ws.report().fault->broken == rule::reserved_bits);
    }
}

TEST_CASE("D6 what stands behind a compressed message is not touched") {
    zip_server ws;
    open_with(ws, "permessage-deflate");
    octet_vector all = support::octets("C1 87 00000000 F2 48 CD C9 C9 07 00");
    const octet_vector before = all;
    octet_vector behind = from_client(1, "behind");
    const octet_vector untouched = behind;
    const std::size_t front = all.size();
    all.insert(all.end(), behind.begin(), behind.end());
    std::span<octet> in(all);
    for (const event& e : ws.receive(in)) {
        CHECK(support::line_of(e) == "text \"Hello\"");
        break;
    }
    CHECK(in.size() == behind.size());
    CHECK(std::equal(in.begin(), in.end(), untouched.begin()));
    CHECK(std::equal(before.begin(), before.end(), all.begin()));
    CHECK(all.size() == front + behind.size());
}

TEST_CASE("Text is refused at the first octet that cannot be in it, wherever it was cut") {
    const std::string text = "\xF0\x9F\x98\x80 and so on";
    for (std::size_t bad = 0; bad < text.size(); ++bad) {
        std::string wrong = text;
        wrong[bad] = '\xFF';
        for (const std::size_t slice : {0U, 1U, 3U, 100U}) {
            connection_options options;
            options.slices = slice > 0;
            zip_server ws(options, {.slice = slice});
            open_with(ws, "permessage-deflate");
            peer_deflater zip;
            octet_vector frame = from_client_zipped(1, zip.message(wrong));
            std::string told;
            std::span<octet> in(frame);
            for (const event& e : ws.receive(in)) told += support::to_string(e.payload);
            CHECK(ws.report().fault->broken == rule::bad_text);
            CHECK(told == (slice > 0 ? wrong.substr(0, bad) : ""));
        }
    }
}

TEST_CASE("Slices: each as long as there is room for, first and last marked, whatever the cut") {
    const std::string text = words(3'000);
    for (const std::size_t slice : {1U, 7U, 1'000U, 2'999U, 3'000U, 3'001U, 9'000U}) {
        for (const std::size_t step : {1U, 5U, 100'000U}) {
            CAPTURE(slice, step);
            connection_options options;
            options.slices = true;
            zip_server ws(options, {.slice = slice});
            open_with(ws, "permessage-deflate");
            peer_deflater zip;
            const octet_vector compressed = zip.message(text);
            const std::size_t half = compressed.size() / 2;
            const auto parts = std::span<const octet>(compressed);
            octet_vector all = from_client_zipped(1, parts.first(half), false);
            const octet_vector ping = from_client(9, "?");
            const octet_vector rest =
                support::frame(true, 0, 0, support::client_key, parts.subspan(half));
            all.insert(all.end(), ping.begin(), ping.end());
            all.insert(all.end(), rest.begin(), rest.end());

            std::string told;
            int firsts = 0;
            int lasts = 0;
            for (std::size_t at = 0; at < all.size(); at += step) {
                const support::exact piece{
                    std::span<const octet>(all).subspan(at, std::min(step, all.size() - at))};
                std::span<octet> in = piece.span();
                bool more = true;
                while (more) {
                    more = false;
                    // Leaving the loop early loses nothing.
                    for (const event& e : ws.receive(in)) {
                        REQUIRE(e.kind == event::slice);
                        CHECK(e.payload.size() <= slice);
                        CHECK(e.first == told.empty());
                        CHECK(lasts == 0);
                        told += support::to_string(e.payload);
                        firsts += e.first;
                        lasts += e.last;
                        more = true;
                        break;
                    }
                }
                CHECK(in.empty());
            }
            CHECK(told == text);
            CHECK(firsts == 1);
            CHECK(lasts == 1);
            CHECK(support::hex(drain(ws)) == "8A 01 3F");
        }
    }
}

TEST_CASE("wants() says that a slice is due, and nothing else is read before it") {
    connection_options options;
    options.slices = true;
    zip_server ws(options, {.slice = 10});
    open_with(ws, "permessage-deflate");
    peer_deflater zip;
    octet_vector frame = from_client_zipped(2, zip.message(octet_vector(25, 'a')));
    std::span<octet> in(frame);
    CHECK(support::line_of(ws.next(in)).starts_with("slice first"));
    CHECK(in.empty());
    CHECK(wants_of(ws) == "events");
    ws.end_of_stream();
    CHECK(wants_of(ws) == "events");
    CHECK(hear(ws).size() == 3);  // two slices, and then the end
    CHECK(ws.finished());
    CHECK(report_of(ws) == "end, began nobody, received 1006");
}

TEST_CASE("read_target is room itself while a compressed message arrives") {
    zip_server ws;
    open_with(ws, "permessage-deflate");
    std::array<octet, 100> room{};
    const octet_vector frame = from_client_zipped(2, octets_of_size(90));
    for (const std::size_t size : {6U, 7U, 50U}) {
        zip_server fresh;
        open_with(fresh, "permessage-deflate");
        hear(fresh, std::span<const octet>(frame).first(size));
        CHECK(fresh.read_target(room).data() == room.data());
        CHECK(fresh.read_target(room).size() == room.size());
    }
    hear(ws, std::span<const octet>(from_client(2, std::string(90, 'x'))).first(50));
    CHECK(ws.read_target(room).data() != room.data());
}

// ---- messages to send ----

TEST_CASE("What leaves is what zlib inflates, with and without takeover") {
    for (const bool takeover : {true, false}) {
        for (const int bits : {9, 12, 15}) {
            CAPTURE(takeover, bits);
            zip_server ws;
            const std::string answer =
                open_with(ws, "permessage-deflate; server_max_window_bits=" + std::to_string(bits) +
                                  (takeover ? "" : "; server_no_context_takeover"));
            CHECK(answer.find("server_max_window_bits=" + std::to_string(bits)) !=
                  std::string::npos);
            peer_inflater unzip(bits);
            std::size_t first = 0;
            for (const std::size_t size : {0U, 1U, 2U, 100U, 130U, 1'000U, 20'000U, 20'000U}) {
                const std::string text = words(size);
                CHECK(ws.send_text(text, compressing::yes) == result::done);
                octet_vector out = drain(ws);
                REQUIRE(out.size() >= 2);
                CHECK(out[0] == 0xC1);
                const std::size_t header = out[1] < 126 ? 2 : out[1] == 126 ? 4 : 10;
                const octet_vector payload(out.begin() + static_cast<std::ptrdiff_t>(header),
                                           out.end());
                if (!takeover) unzip.reset();
                CHECK(support::to_string(unzip.message(payload)) == text);
                if (size == 20'000 && first == 0) first = payload.size();
                if (size == 20'000 && takeover && bits == 15) {
                    CHECK(payload.size() <= first);  // the second knows the first
                }
            }
            CHECK(first < 20'000);
        }
    }
}

TEST_CASE("No end compresses, or inflates, with a window larger than agreed on") {
    for (const int client_bits : {9, 10, 11, 12, 13, 14, 15}) {
        const int server_bits = 24 - client_bits;
        // Arenas are too small for a larger window.
        std::vector<octet> server_room(inflate_memory(client_bits));
        std::vector<octet> client_room(inflate_memory(server_bits));
        both_ends ends("permessage-deflate; client_max_window_bits=" + std::to_string(client_bits) +
                           "; server_max_window_bits=" + std::to_string(server_bits),
                       {.inflate_arena = client_room}, {.inflate_arena = server_room});
        for (const bool is_client : {false, true}) {
            const int bits = is_client ? client_bits : server_bits;
            peer_inflater unzip(bits);
            const std::size_t window = std::size_t{1} << bits;
            // What comes again is in the window, or was just behind its end.
            for (const std::size_t period : {window - 300, window + 100}) {
                octet_vector plain = noise(period, static_cast<unsigned>(period));
                for (std::size_t i = 0; i < 200; ++i) plain.push_back(plain[i]);
                for (int round = 0; round < 2; ++round) {
                    CAPTURE(client_bits, is_client, period, round);
                    const octet_vector frame = ends.frame_of(is_client, plain);
                    CHECK(unzip.message_in_window(payload_of(frame)) == plain);
                    CHECK(hear(ends.end(!is_client), frame) ==
                          lines{support::payload_text(message_type::binary, plain)});
                }
            }
        }
    }
}

TEST_CASE("An end keeps its window between messages, and the other's, unless agreed otherwise") {
    const octet_vector plain = noise(1'000);
    const std::string told = support::payload_text(message_type::binary, plain);
    for (const bool is_client : {false, true}) {
        for (const bool takeover : {false, true}) {
            CAPTURE(is_client, takeover);
            const std::string end = is_client ? "client" : "server";
            both_ends ends("permessage-deflate" +
                           (takeover ? "" : "; " + end + "_no_context_takeover"));
            CHECK(ends.frame_of(is_client, plain).size() > 1'000);
            CHECK((ends.frame_of(is_client, plain).size() < 100) == takeover);
            // What refers to the message before is read, or is no message.
            connection& to = ends.end(!is_client);
            const auto key = is_client ? std::optional(support::client_key) : std::nullopt;
            peer_deflater zip;
            CHECK(hear(to, support::frame(true, 4, 2, key, zip.message(plain))) == lines{told});
            CHECK(hear(to, support::frame(true, 4, 2, key, zip.message(plain))) ==
                  (takeover ? lines{told} : lines{}));
            CHECK(report_of(to) == (takeover ? "nothing, began nobody"
                                             : "violation, began us, sent 1007, bad_compression"));
        }
    }
}

TEST_CASE("Short messages leave as they are, unless the caller says otherwise") {
    zip_server ws({}, {.threshold = 100});
    open_with(ws, "permessage-deflate");
    const auto first_octet = [&] { return drain(ws).front(); };
    CHECK(ws.send_text(std::string(99, 'a')) == result::done);
    CHECK(first_octet() == 0x81);
    CHECK(ws.send_text(std::string(100, 'a')) == result::done);
    CHECK(first_octet() == 0xC1);
    CHECK(ws.send_binary(octet_vector(100, 'a'), compressing::no) == result::done);
    CHECK(first_octet() == 0x82);
    CHECK(ws.send(message_type::binary, octet_vector(1, 'a'), compressing::yes) == result::done);
    CHECK(first_octet() == 0xC2);
    // Pieces are sent as they come.
    CHECK(ws.begin(message_type::text) == result::done);
    CHECK(ws.append(octet_vector(200, 'a'), part::last) == result::done);
    CHECK(first_octet() == 0x81);
    CHECK(ws.ping(octet_vector(125, 'a')) == result::done);
    CHECK(first_octet() == 0x89);
}

TEST_CASE("D7 compressed, plain and control frames in any order, from any zlib, at any cut") {
    std::mt19937 random(7692);
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    for (int round = 0; round < 300; ++round) {
        const bool takeover = pick(2) == 0;
        const int bits = static_cast<int>(9 + pick(7));
        const auto new_zip = [&] {
            return std::make_unique<peer_deflater>(bits, static_cast<int>(pick(10)),
                                                   static_cast<int>(1 + pick(9)),
                                                   static_cast<int>(pick(5)));
        };
        auto zip = new_zip();
        octet_vector stream;
        lines wanted;
        const auto add = [&](const octet_vector& octets) {
            stream.insert(stream.end(), octets.begin(), octets.end());
        };
        const auto add_ping = [&] { add(from_client(pick(2) == 0 ? 9 : 10, "?")); };
        for (unsigned count = 1 + pick(6); count > 0; --count) {
            while (pick(3) == 0) add_ping();
            const bool compressed = pick(3) != 0;
            const bool is_text = pick(2) == 0;
            const octet_vector plain = is_text ? octets_of_text(words(pick(3'000), pick(99)))
                                               : noise(pick(3'000), pick(99));
            octet_vector payload = plain;
            if (compressed) {
                if (!takeover) zip = new_zip();
                const int flush = pick(4) == 0 ? Z_FULL_FLUSH : Z_SYNC_FLUSH;
                // Flushed in the middle, too: that is nothing that anybody sees.
                const std::size_t half = pick(2) == 0 ? plain.size() / 2 : 0;
                payload = zip->octets(std::span(plain).first(half), flush);
                const octet_vector rest = zip->message(std::span(plain).subspan(half), flush);
                payload.insert(payload.end(), rest.begin(), rest.end());
            }
            const int op = is_text ? 1 : 2;
            std::span<const octet> left(payload);
            bool first = true;
            for (unsigned more = pick(3); more > 0; --more, first = false) {
                const std::span<const octet> piece =
                    left.first(pick(static_cast<unsigned>(left.size()) + 1));
                left = left.subspan(piece.size());
                add(support::frame(false, first && compressed ? 4 : 0, first ? op : 0,
                                   support::client_key, piece));
                while (pick(3) == 0) add_ping();
            }
            add(support::frame(true, first && compressed ? 4 : 0, first ? op : 0,
                               support::client_key, left));
            wanted.push_back(
                support::payload_text(is_text ? message_type::text : message_type::binary, plain));
        }

        zip_server ws;
        open_with(
            ws, takeover ? "permessage-deflate" : "permessage-deflate; client_no_context_takeover");
        lines told;
        const std::size_t step = pick(2) == 0 ? 1 + pick(20) : stream.size();
        for (std::size_t at = 0; at < stream.size(); at += step) {
            const std::size_t size = std::min(step, stream.size() - at);
            for (const std::string& line :
                 hear(ws, std::span<const octet>(stream).subspan(at, size))) {
                if (!line.starts_with("pong")) told.push_back(line);
            }
            drain(ws);
        }
        CAPTURE(round, takeover, bits);
        CHECK(told == wanted);
        CHECK(report_of(ws) == "nothing, began nobody");
    }
}

TEST_CASE("D7 all messages come back, in every mode, at every cut") {
    std::vector<octet_vector> messages;
    for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 1'000U, 5'000U, 0U, 1'000U}) {
        messages.push_back(octets_of_text(words(size, static_cast<unsigned>(size))));
        messages.push_back(noise(size, static_cast<unsigned>(size)));
    }
    for (const bool slices : {false, true}) {
        for (unsigned mode = 0; mode < 8; ++mode) {
            CAPTURE(slices, mode);
            deflate_pool pool;
            deflate_options how;
            how.wishes.takeover = (mode & 1U) != 0;
            how.wishes.peer_takeover = (mode & 2U) != 0;
            if ((mode & 4U) != 0) how.pool = &pool;
            connection_options options;
            options.slices = slices;
            for (const std::size_t most : {std::size_t{1}, std::size_t{13}, unlimited}) {
                const auto one = std::make_unique<talk>(how, how, options, pipe_cut{.most = most});
                CHECK(one->echoes(messages, compressing::yes) == messages);
                CHECK(one->client.report().clean);
                CHECK(one->server.report().clean);
            }
        }
    }
}

TEST_CASE("One echo of the largest message always fits, compressed or not") {
    for (const std::size_t waiting : {0U, 1U, 100U, 900U, 1'000U}) {
        connection_options options;
        options.limit.message = 1'000;
        options.limit.high = 1'000;
        options.limit.low = 10;
        basic_server<fixed<capacity{.message = 1'000, .output = 2'160}>, permessage_deflate> ws(
            options);
        open_with(ws, "permessage-deflate");
        // Wherever in the ring the free room begins.
        for (int round = 0; round < 40; ++round) {
            CHECK(ws.send_binary(noise(waiting, 7), compressing::no) == result::done);
            CHECK(ws.send_binary(noise(1'000, 8), compressing::yes) == result::done);
            drain(ws, 2'160 - static_cast<std::size_t>(round));
            hear(ws);
            drain(ws);
        }
    }
}

// ---- memory ----

TEST_CASE("D8 many connections one after the other leave nothing on the heap") {
    watched::start();
    for (int round = 0; round < 2'000; ++round) {
        zip_server ws;
        open_with(ws, "permessage-deflate");
        hear(ws, from_client_zipped(1, support::octets("F2 48 CD C9 C9 07 00")));
        if (round % 2 == 0) hear(ws, from_client_zipped(1, support::octets("F2 48"), false));
        CHECK(ws.send_text("Hello", compressing::yes) == result::done);
    }
    CHECK(watched::all.held == 0);
}

TEST_CASE("27 with arenas and fixed storage a whole conversation takes nothing from the heap") {
    std::vector<octet> inflate_room(inflate_memory(12) + deflate_memory(12, 5));
    const std::span<octet> arena(inflate_room);
    deflate_options how = low_memory();
    how.inflate_arena = arena.first(inflate_memory(12));
    how.deflate_arena = arena.subspan(inflate_memory(12));
    basic_server<fixed<>, permessage_deflate> ws({}, how);
    const std::string request = request_with("permessage-deflate; client_max_window_bits");
    std::vector<octet> head = octets_of_text(request);
    octet_vector frame = from_client_zipped(1, support::octets("F2 48 CD C9 C9 07 00"));
    const std::string text = words(1'000);
    const support::heap_watch watch;
    std::span<octet> in(head);
    for (const event& e : ws.receive(in)) {
        if (e.kind == event::request && ws.accept() != result::done) ws.abort();
    }
    while (!ws.output().empty()) ws.written(ws.output().size());
    for (int round = 0; round < 3; ++round) {
        octet_vector& copy = frame;
        in = copy;
        std::size_t told = 0;
        for (const event& e : ws.receive(in)) told += e.payload.size();
        if (round == 0 && told != 5) ws.abort();
        if (ws.send_text(text, compressing::yes) != result::done) ws.abort();
        while (!ws.output().empty()) ws.written(ws.output().size());
        // It was unmasked where it lies.
        std::copy(support::client_key.octets.begin(), support::client_key.octets.end(),
                  copy.begin() + 2);
        masking_key key = support::client_key;
        mask(std::span(copy).subspan(6), key);
    }
    CHECK(watch.count() == 0);
    CHECK(report_of(ws) == "nothing, began nobody");
}

TEST_CASE("Without memory for the streams a server agrees on nothing") {
    std::array<octet, 100> small{};
    for (const bool first : {true, false}) {
        deflate_options how;
        (first ? how.inflate_arena : how.deflate_arena) = small;
        zip_server ws({}, how);
        CHECK(open_with(ws, "permessage-deflate").empty());
        CHECK(ws.send_text("Hello", compressing::yes) == result::done);
        CHECK(support::hex(drain(ws)) == "81 05 48 65 6C 6C 6F");
    }
}

TEST_CASE("A pool whose settings zlib does not take agrees on nothing") {
    deflate_pool pool({.level = 99});
    deflate_options how;
    how.pool = &pool;
    how.wishes.takeover = how.wishes.peer_takeover = false;
    zip_server ws({}, how);
    CHECK(open_with(ws, "permessage-deflate").empty());
}

TEST_CASE("A message that zlib cannot count leaves as it is") {
    const std::vector<octet> head =
        octets_of_text(request_with("permessage-deflate; server_max_window_bits=12"));
    server_handshake handshake;
    REQUIRE(handshake.read(head).value == request_kind::upgrade);
    permessage_deflate engine;
    compression& asked = engine;
    std::array<char, compression::longest_text> room{};
    CHECK(asked.answer(handshake.request(head), room) ==
          "permessage-deflate; server_max_window_bits=12");
    CHECK(asked.bound(std::size_t{1} << 30, compressing::yes) > std::size_t{1} << 30);
    CHECK(asked.bound((std::size_t{1} << 30) + 1, compressing::yes) == 0);
}

TEST_CASE("Without memory for slices, or for the stream, a message in slices is 1011") {
    connection_options options;
    options.slices = true;
    const octet_vector hello = from_client_zipped(1, support::octets("F2 48 CD C9 C9 07 00"));
    SECTION("slices") {
        zip_server ws(options);
        open_with(ws, "permessage-deflate");
        const support::no_heap none;
        CHECK(hear(ws, hello).empty());
        CHECK(report_of(ws) == "no_memory, began us, sent 1011");
    }
    SECTION("stream") {
        deflate_options how;
        how.release_when_idle = true;
        how.wishes.peer_takeover = false;
        zip_server ws(options, how);
        open_with(ws, "permessage-deflate");
        ws.release();
        const support::no_heap none;
        CHECK(hear(ws, hello).empty());
        CHECK(report_of(ws) == "no_memory, began us, sent 1011");
    }
}

TEST_CASE("A slice that is due waits while the server pauses") {
    connection_options options;
    options.slices = true;
    options.limit.message = 100;
    options.limit.high = 200;
    options.limit.low = 50;
    zip_server ws(options, {.slice = 10});
    open_with(ws, "permessage-deflate");
    octet_vector frame = from_client_zipped(2, peer_deflater().message(octet_vector(25, 'a')));
    std::span<octet> in(frame);
    CHECK(support::line_of(ws.next(in)).starts_with("slice first"));
    CHECK(wants_of(ws) == "events");
    for (int i = 0; i < 3; ++i) {
        CHECK(ws.send_binary(octet_vector(80), compressing::no) == result::done);
    }
    CHECK(wants_of(ws) == "write");
    CHECK(hear(ws).empty());
    drain(ws);
    CHECK(hear(ws).size() == 3);  // two slices, and that there is room again
}

TEST_CASE("In slices, plain messages come as long as they arrive, but for the first slice") {
    connection_options options;
    options.slices = true;
    zip_server ws(options);
    open_with(ws, "permessage-deflate");
    octet_vector frame = from_client(2, std::string(3'000, 'x'));
    std::span<octet> in = std::span(frame).first(2'000);
    std::vector<std::size_t> sizes;
    for (const event& e : ws.receive(in)) sizes.push_back(e.payload.size());
    in = std::span(frame).subspan(2'000);
    for (const event& e : ws.receive(in)) sizes.push_back(e.payload.size());
    CHECK(sizes == std::vector<std::size_t>{504, 1'488, 1'008});
}

TEST_CASE("What can be built anew goes when a connection has been idle long enough") {
    deflate_options how;
    how.wishes.takeover = how.wishes.peer_takeover = false;
    how.release_when_idle = true;
    zip_server ws({}, how);
    open_with(ws, std::string(every_parameter));
    ws.on_time(0);
    const octet_vector hello = from_client_zipped(1, support::octets("F2 48 CD C9 C9 07 00"));
    CHECK(hear(ws, hello) == lines{"text \"Hello\""});
    CHECK(ws.deadline() == 1'000);
    const std::size_t before = support::heap_held();
    ws.on_time(1'000);
    CHECK(support::heap_held() + 2 < before);
    CHECK(hear(ws, hello) == lines{"text \"Hello\""});
}

TEST_CASE("Streams alone make a connection wait for its release, if any may go") {
    for (const bool release : {false, true}) {
        for (const bool peer_keeps : {false, true}) {
            CAPTURE(release, peer_keeps);
            deflate_options how;
            how.wishes.peer_takeover = peer_keeps;
            how.release_when_idle = release;
            zip_server ws({}, how);
            open_with(ws, "permessage-deflate");
            ws.on_time(0);
            ws.on_time(2'000);  // all has gone that may
            hear(ws, from_client(10, "x"));
            CHECK(ws.deadline() == (release && peer_keeps ? 3'000 : 32'000));
        }
    }
}

TEST_CASE("Without memory a client sends plain, and gives up on what it cannot inflate") {
    std::array<octet, 100> small{};
    deflate_options how;
    how.inflate_arena = how.deflate_arena = small;
    counted_keys keys;
    zip_client ws(keys, {}, how);
    REQUIRE(ws.open({.host = "a"}) == result::done);
    REQUIRE(hear(ws, support::response_to(drain_text(ws),
                                          "Sec-WebSocket-Extensions: permessage-deflate\r\n")) ==
            lines{"open"});
    CHECK(ws.send_text("Hello", compressing::yes) == result::done);
    CHECK(drain(ws).front() == 0x81);
    for (const bool slices : {false}) {
        CAPTURE(slices);
        CHECK(hear(ws, support::frame(true, 4, 1, std::nullopt,
                                      support::octets("F2 48 CD C9 C9 07 00")))
                  .empty());
        CHECK(report_of(ws) == "no_memory, began us, sent 1011");
    }
}

TEST_CASE("Refused memory for the message is 1011 while inflating") {
    watched::start();
    zip_server ws;
    open_with(ws, "permessage-deflate");
    ws.release();
    const support::no_memory none(1);
    peer_deflater zip;
    CHECK(hear(ws, from_client_zipped(2, zip.message(octet_vector(1'000, 'a')))).empty());
    CHECK(report_of(ws) == "no_memory, began us, sent 1011");
}

TEST_CASE("What can be built anew is given back while idle, and built anew") {
    for (const bool release : {false, true}) {
        for (const bool takeover : {false, true}) {
            CAPTURE(release, takeover);
            std::vector<octet> room(inflate_memory(15) + deflate_memory(15, 8));
            deflate_options how;
            how.release_when_idle = release;
            how.wishes.takeover = how.wishes.peer_takeover = takeover;
            zip_server ws({}, how);
            open_with(ws, "permessage-deflate");
            peer_deflater zip;
            peer_inflater unzip;
            std::size_t sizes = 0;
            for (int round = 0; round < 3; ++round) {
                const octet_vector plain = octets_of_text(words(5'000));
                const octet_vector compressed = zip.message(plain);
                if (!takeover) {
                    peer_deflater fresh;
                    const octet_vector alone = fresh.message(plain);
                    CHECK(hear(ws, from_client_zipped(2, alone)) ==
                          lines{support::payload_text(message_type::binary, plain)});
                } else {
                    CHECK(hear(ws, from_client_zipped(2, compressed)) ==
                          lines{support::payload_text(message_type::binary, plain)});
                }
                CHECK(ws.send_binary(plain) == result::done);
                octet_vector out = drain(ws);
                out.erase(out.begin(), out.begin() + 4);
                if (!takeover || release) unzip.reset();
                CHECK(unzip.message(out) == plain);
                sizes += out.size();
                ws.release();
            }
            CHECK(sizes > 0);
        }
    }
}

TEST_CASE("A connection that is used again agrees anew") {
    zip_server ws;
    CHECK(!open_with(ws, "permessage-deflate").empty());
    CHECK(hear(ws, from_client_zipped(1, support::octets("F2 48"), false)).empty());
    ws.reset();
    CHECK(open_with(ws, "x-other").empty());
    CHECK(ws.send_text(words(1'000), compressing::yes) == result::done);
    CHECK(drain(ws).size() == 1'004);
    CHECK(hear(ws, from_client_zipped(1, support::octets("F2 48 CD C9 C9 07 00"))).empty());
    CHECK(ws.report().fault->broken == rule::reserved_bits);
    ws.reset();
    CHECK(!open_with(ws, "permessage-deflate").empty());
    CHECK(hear(ws, from_client_zipped(1, support::octets("F2 48 CD C9 C9 07 00"))) ==
          lines{"text \"Hello\""});
}

TEST_CASE("10,000 connections without a context need one stream each way") {
    deflate_pool pool;
    deflate_options how;
    how.pool = &pool;
    how.wishes.takeover = how.wishes.peer_takeover = false;
    std::vector<std::unique_ptr<zip_server>> all;
    const std::string offer(every_parameter);
    for (int i = 0; i < 3; ++i) {
        all.push_back(std::make_unique<zip_server>(connection_options{}, how));
        open_with(*all.back(), offer);
    }
    const octet_vector hello = from_client_zipped(1, support::octets("F2 48 CD C9 C9 07 00"));
    for (const auto& each : all) CHECK(hear(*each, hello) == lines{"text \"Hello\""});
    const support::heap_watch watch;
    for (const auto& each : all) {
        octet_vector copy = hello;
        std::span<octet> in(copy);
        for (const event& e : each->receive(in)) CHECK(e.payload.size() == 5);
    }
    CHECK(watch.count() <= all.size() * 4);  // the test's own copies
    // Messages that arrive at the same time do not disturb each other.
    const auto zipped = support::octets("F2 48 CD C9 C9 07 00");
    const auto octets = std::span<const octet>(zipped);
    for (const auto& each : all) {
        CHECK(hear(*each, from_client_zipped(1, octets.first(3), false)).empty());
    }
    for (const auto& each : all) {
        CHECK(hear(*each, support::frame(true, 0, 0, support::client_key, octets.subspan(3))) ==
              lines{"text \"Hello\""});
    }
}

TEST_CASE("Connections that agree and say nothing hold no stream of a pool") {
    deflate_pool pool;
    deflate_options how;
    how.pool = &pool;
    how.wishes.takeover = how.wishes.peer_takeover = false;
    zip_server first({}, how);
    open_with(first, std::string(every_parameter));
    // There is a stream each way now, and the next ones do with it.
    zip_server second({}, how);
    zip_server third({}, how);
    const support::heap_watch watch;
    inflater* const lent = pool.borrow();
    CHECK(watch.count() == 0);
    pool.give_back(lent);
    for (zip_server* const each : {&second, &third}) {
        open_with(*each, std::string(every_parameter));
        inflater* const again = pool.borrow();
        CHECK(again == lent);
        pool.give_back(again);
    }
}

TEST_CASE("counters count the octets that travel, and the messages") {
    zip_server ws;
    open_with(ws, "permessage-deflate");
    const counters before = ws.counters();
    const octet_vector frame = from_client_zipped(1, support::octets("F2 48 CD C9 C9 07 00"));
    hear(ws, frame);
    CHECK(ws.counters().received.octets - before.received.octets == frame.size());
    CHECK(ws.counters().received.messages == 1);
    CHECK(ws.send_text(words(1'000)) == result::done);
    const std::size_t size = drain(ws).size();
    CHECK(size < 700);
    CHECK(ws.counters().sent.octets - before.sent.octets == size);
    CHECK(ws.counters().sent.messages == 1);
    CHECK(ws.counters().sent.frames == 1);
}
