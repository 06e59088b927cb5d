// make_seeds.cpp -- the conversations of tests/cases as seeds for the fuzzers, and beside them
// heads, programs and compressed messages for the opening handshake and for whole connections.
//
//     make_seeds CASES_DIR CORPUS_DIR
//
// writes CORPUS_DIR/reader/NAME and CORPUS_DIR/utf8/NAME for each conversation that has octets for
// them, and CORPUS_DIR/server_head/NAME, client_head/NAME, connection_pair/NAME, inflate/NAME and
// deflate_pair/NAME, in the layouts that reader.hpp and the others tell; the same files for the
// same documents.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sockless/frame_header.hpp>
#include <sockless/limits.hpp>
#include <sockless/masking.hpp>

#include "support/cases.hpp"
#include "support/octets.hpp"

namespace {

using support::conversation;
using support::octet;

// A fuzzer is slow with longer ones, and they have nothing more to say.
constexpr std::size_t longest_seed = 4096;

// The limits that a seed can choose from: by default, or the one of the choices that is nearest.
unsigned limits_choice(const sockless::limits& limit) {
    if (limit.message == sockless::unlimited) return 3;
    if (limit.frame != sockless::unlimited) return 2;
    return limit.message == sockless::limits{}.message ? 0 : 1;
}

octet configuration(const conversation& one) {
    return static_cast<octet>((one.server ? 1U : 0U) | (one.options.rsv1 ? 2U : 0U) |
                              limits_choice(one.options.limit) << 2U);
}

// Where the stream is cut: some number that the name alone decides.
octet cut_seed(const std::string& slug) {
    std::uint32_t sum = 0;
    for (const char c : slug) sum = sum * 31 + static_cast<octet>(c);
    return static_cast<octet>(sum >> 8 ^ sum);
}

// The payloads of all text frames, the octets that are refused among them.
std::vector<octet> texts(const conversation& one) {
    const std::vector<octet> stream = one.stream();
    const sockless::role ours = one.server ? sockless::role::server : sockless::role::client;
    std::span<const octet> rest = stream;
    std::vector<octet> all;
    bool is_text = false;
    while (true) {
        const auto header = sockless::decode_header(rest, {.receiver = ours, .rsv1 = true});
        if (header.what != decltype(header)::is::value) return all;
        rest = rest.subspan(header.used);
        const std::size_t size =
            static_cast<std::size_t>(std::min<std::uint64_t>(header.value.length, rest.size()));
        std::vector<octet> payload(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
        if (header.value.key) sockless::mask(payload, *header.value.key);
        if (header.value.op == sockless::opcode::text) is_text = !header.value.rsv1;
        if (header.value.op == sockless::opcode::binary) is_text = false;
        if (is_text && !is_control(header.value.op)) all = support::concat(all, payload);
        rest = rest.subspan(size);
    }
}

void write_file(const std::filesystem::path& folder, const std::string& name,
                const std::vector<octet>& octets) {
    std::filesystem::create_directories(folder);
    std::ofstream out(folder / name, std::ios::binary);
    for (const octet o : octets) out.put(static_cast<char>(o));
    out.close();
    if (!out) throw std::runtime_error("cannot write " + (folder / name).string());
}

void write_seed(const std::filesystem::path& folder, const std::string& name, octet first,
                octet second, std::vector<octet> octets) {
    octets.resize(std::min(octets.size(), longest_seed));
    octets.insert(octets.begin(), {first, second});
    write_file(folder, name, octets);
}

struct head_seed {
    std::string name;
    std::vector<octet> front;
    std::string_view head;
};

std::size_t write_heads(const std::filesystem::path& folder, const std::vector<head_seed>& seeds) {
    for (const head_seed& seed : seeds) {
        std::vector<octet> octets = seed.front;
        octets.insert(octets.end(), seed.head.begin(), seed.head.end());
        write_file(folder, seed.name, octets);
    }
    return seeds.size();
}

// The request of RFC 6455, 1.3 with a line more, or with another start.
std::size_t make_variants(const std::filesystem::path& folder) {
    constexpr std::string_view start = "GET /chat HTTP/1.1";
    constexpr std::string_view fields =
        "\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    const std::vector<std::string> starts{
        "GET /\x7F HTTP/1.1", "GET /# HTTP/1.1", "GET /a HTTP/1.0",      "POST / HTTP/1.1",
        "GET  HTTP/1.1",      "GET a HTTP/1.1",  "GET http:// HTTP/1.1", "GET /\x80 HTTP/1.1",
        "GET / HTTP/1.1 ",    "get / HTTP/1.1"};
    const std::vector<std::string> lines{"Host: a",
                                         "Content-Length: 1",
                                         "Content-Length: 00",
                                         "Transfer-Encoding: chunked",
                                         "Origin: https://server.example.com",
                                         "Origin: null",
                                         "Sec-WebSocket-Version: 8",
                                         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                                         "Sec-WebSocket-Protocol: \"a",
                                         "Sec-WebSocket-Protocol: a b",
                                         "Sec-WebSocket-Protocol:",
                                         "Sec-WebSocket-Extensions: a=b",
                                         "Sec-WebSocket-Extensions: a; b=\"\"",
                                         "X : y",
                                         " folded",
                                         "X: \x7F"};
    std::vector<std::string> heads;
    for (const std::string& other : starts) heads.push_back(other + std::string(fields) + "\r\n");
    for (const std::string& line : lines) {
        heads.push_back(std::string(start) + std::string(fields) + line + "\r\n\r\n");
    }
    // One line of the five is another.
    for (const auto& [good, bad] : std::vector<std::pair<std::string, std::string>>{
             {"Version: 13", "Version: 8"},
             {"Version: 13", "Version: 013"},
             {"ZQ==", "Z==="},
             {"ZQ==", "ZQ="},
             {"Upgrade: websocket", "Upgrade: websocket, \"a"},
             {"Upgrade: websocket", "Upgrade: websockets"},
             {"Connection: Upgrade", "Connection: \"a\\\", Upgrade"},
             {"Connection: Upgrade", "Connection: close"},
             {"server.example.com", "server..example.com"},
             {"server.example.com", "a:0"}}) {
        std::string head = std::string(start) + std::string(fields) + "\r\n";
        heads.push_back(head.replace(head.find(good), good.size(), bad));
    }
    std::vector<head_seed> seeds;
    for (const std::string& head : heads) {
        seeds.push_back({"variant-" + std::to_string(seeds.size()), {0, 1, 2}, head});
    }
    return write_heads(folder, seeds);
}

// Behind limits, a cut and an order of lines.
std::size_t make_requests(const std::filesystem::path& folder) {
    return write_heads(
        folder,
        {{"rfc6455",
          {0, 1, 2},
          "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"
          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
          "Origin: http://server.example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n"
          "Sec-WebSocket-Version: 13\r\n\r\n"},
         {"extensions",
          {3, 2, 1},
          "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, websocket\r\n"
          "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: a; b=\"c\" , d\r\n\r\n\x82"},
         {"absolute",
          {8, 3, 3},
          "GET http://example.org:8080/a?b HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\n"
          "Upgrade: websocket\r\nOrigin: https://example.org\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"},
         {"plain",
          {1, 4, 0},
          "GET /health?x HTTP/1.1\r\nHost: [::1]:80\r\nCookie: a=1; b=2\r\n"
          "Content-Length: 0\r\n\r\n"}});
}

// Behind limits and offers, a cut, an order of lines and a nonce.
std::size_t make_responses(const std::filesystem::path& folder) {
    return write_heads(
        folder,
        {{"open",
          {0, 1, 2, 3},
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: \x01\r\n\r\n\x82"},
         {"agreed",
          {32, 2, 1, 0},
          "HTTP/1.1 101 \r\nConnection: keep-alive, upgrade\r\nUPGRADE: WebSocket\r\n"
          "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: x; y=\"1\"\r\n"
          "Sec-WebSocket-Accept: \x01\r\n\r\n"},
         {"refused",
          {0, 3, 0, 7},
          "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.0 401 Unauthorized\r\n"
          "Content-Length: 2\r\nX: y\r\n\r\nno"}});
}

// Programs of two connections that open, and then talk. Of a call's octet the lowest bit is who
// makes it, so that 13 is a message of the server's.
std::size_t make_conversations(const std::filesystem::path& folder) {
    const std::vector<octet> calls{12, 5, 13, 200, 14, 0,  16, 2, 40, 16, 1,  10, 20, 3,
                                   21, 4, 30, 33,  2,  31, 24, 7, 25, 8,  23, 0,  36, 2,
                                   35, 6, 9,  90,  1,  11, 18, 3, 60, 10, 10, 22, 1};
    std::size_t written = 0;
    for (octet how = 0; how < 12; ++how) {
        std::vector<octet> octets;
        for (const int factor : {17, 21, 49, 37, 50, 75}) {
            octets.push_back(static_cast<octet>(how * factor));
        }
        if (how % 3 != 0) octets[5] = 64;  // it opens first
        octets.insert(octets.end(), calls.begin(), calls.end());
        write_file(folder, "talk-" + std::to_string(how), octets);
        ++written;
    }
    return written;
}

// The examples of RFC 7692, 7.2.3, and what is none, behind limits, a window and a cut. Each
// message has an octet in front that says how it travels, and its length.
std::size_t make_compressed(const std::filesystem::path& folder) {
    const std::vector<std::pair<std::string, std::string>> messages{
        {"one-block", "F2 48 CD C9 C9 07 00"},
        {"shared-window", "F2 00 11 00 00"},
        {"stored", "00 05 00 FA FF 48 65 6C 6C 6F 00"},
        {"final", "F3 48 CD C9 C9 07 00 00"},
        {"two-blocks", "F2 48 05 00 00 00 FF FF CA C9 C9 07 00"},
        {"empty", "00"},
        {"nothing", ""},
        {"ended", "03 00"},
        {"unfinished", "F2 48 CD"},
        {"reserved-block", "06"},
        {"far", "02 13 00 00"},
        {"long", "EC C1 01 01 00 00 00 80 90 FE AF EE 08 0A 00"},
    };
    std::vector<octet> all{2, 0, 5};
    for (const auto& [name, text] : messages) {
        const std::vector<octet> payload = support::octets(text);
        std::vector<octet> seed{2, 0, 5};
        for (const octet how : {octet{1}, octet{7}}) {
            const std::vector<octet> front{how, static_cast<octet>(payload.size())};
            seed = support::concat(support::concat(seed, front), payload);
            if (how == 1) all = support::concat(support::concat(all, front), payload);
        }
        write_file(folder, name, seed);
    }
    write_file(folder, "all", all);
    std::size_t written = messages.size() + 1;
    // And programs: parts of all kinds, and all flushes, one after the other.
    for (octet how = 0; how < 8; ++how) {
        std::vector<octet> seed{static_cast<octet>(128 + how * 16), static_cast<octet>(how * 11),
                                static_cast<octet>(how * 37), static_cast<octet>(how * 31 + 6)};
        for (octet one = 0; one < 6; ++one) {
            const octet end = static_cast<octet>(one % 4 * 4 + 3);
            const std::vector<octet> parts{static_cast<octet>(one * 3 + how),
                                           end,
                                           one,
                                           static_cast<octet>(how * 8 + 4),
                                           static_cast<octet>(one + how),
                                           static_cast<octet>(one + 1),
                                           20,
                                           static_cast<octet>(one + 3),
                                           static_cast<octet>(one + 2),
                                           9,
                                           static_cast<octet>(one + 4)};
            seed = support::concat(seed, parts);
        }
        write_file(folder, "zlib-" + std::to_string(how), seed);
        ++written;
    }
    return written;
}

// Programs of two ends that compress: what each of them may do, with one set of options after the
// other.
std::size_t make_compressing_pairs(const std::filesystem::path& folder) {
    const std::vector<octet> calls{
        10, 5,   90,  11, 6,  180, 42, 5,   90,  43,  9,  201, 8,   2,  10,  5,   30, 9,  74,
        2,  210, 138, 1,  20, 14,  2,  60,  148, 3,   80, 22,  4,   30, 150, 2,   7,  24, 7,
        25, 7,   44,  10, 10, 7,   31, 27,  3,   2,   99, 9,   155, 5,  1,   100, 24, 7,  12,
        5,  90,  3,   40, 5,  44,  2,  255, 10,  254, 8,  9,   255, 12, 6,   99,  11, 2,  99};
    for (octet how = 0; how < 16; ++how) {
        std::vector<octet> seed{static_cast<octet>(how * 19)};
        for (octet end = 0; end < 2; ++end) {
            const std::vector<octet> options{static_cast<octet>(how % 7 * (end + 1)),
                                             how,
                                             static_cast<octet>(how * 9 % 64),
                                             static_cast<octet>(how * (5 + end * 18)),
                                             static_cast<octet>(how * 23),
                                             static_cast<octet>(how + end)};
            seed = support::concat(seed, options);
        }
        write_file(folder, "pair-" + std::to_string(how), support::concat(seed, calls));
    }
    return 16;
}

void make_seeds(const std::filesystem::path& cases, const std::filesystem::path& corpus) {
    std::size_t written =
        make_requests(corpus / "server_head") + make_variants(corpus / "server_head") +
        make_responses(corpus / "client_head") + make_conversations(corpus / "connection_pair") +
        make_compressed(corpus / "inflate") + make_compressing_pairs(corpus / "deflate_pair");
    for (const conversation& one : support::load_cases(cases)) {
        const std::string name = one.slug();
        const std::vector<octet> stream = one.stream();
        const std::vector<octet> text = texts(one);
        if (!stream.empty()) {
            write_seed(corpus / "reader", name, configuration(one), cut_seed(name), stream);
            ++written;
        }
        if (!text.empty()) {
            write_seed(corpus / "utf8", name, 0, cut_seed(name), text);
            ++written;
        }
    }
    std::printf("%zu seeds\n", written);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: make_seeds CASES_DIR CORPUS_DIR\n", stderr);
        return 2;
    }
    try {
        make_seeds(argv[1], argv[2]);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "make_seeds: %s\n", problem.what());
        return 1;
    }
}
