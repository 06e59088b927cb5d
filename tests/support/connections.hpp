// connections.hpp -- connections as tests use them: storage that keeps a book, keys that are
// counted, and events as lines of text.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/accept_key.hpp>
#include <sockless/client_connection.hpp>
#include <sockless/connection.hpp>
#include <sockless/server_connection.hpp>
#include <sockless/storage.hpp>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/heads.hpp"
#include "support/log.hpp"
#include "support/octets.hpp"
#include "support/streams.hpp"

namespace support {

using octet_vector = std::vector<octet>;
using lines = std::vector<std::string>;

// What all storages together have given.
struct storage_book {
    std::size_t takes = 0;
    std::size_t held = 0;              // octets
    std::size_t most_held = 0;         // ever
    std::size_t fail_from = SIZE_MAX;  // the takes from this one on get nothing,
    std::size_t fail_to = SIZE_MAX;    // up to this one
    std::map<const octet*, std::size_t> sizes{};
    bool wrong = false;  // something else was given back than was taken
};

// Storage that gives exactly what was asked for, so that AddressSanitizer sees a step outside. It
// fails when it is told to.
class watched : public sockless::memory {
  public:
    static inline storage_book all{};

    static void start() { all = {}; }

    watched() noexcept : memory(table) {}

  private:
    static std::span<octet> take_exactly(memory&, sockless::region, std::size_t size) noexcept {
        const std::size_t number = all.takes++;
        if (number >= all.fail_from && number < all.fail_to) return {};
        octet* const octets = new octet[size];
        std::fill_n(octets, size, octet{0xA5});
        all.sizes[octets] = size;
        all.held += size;
        all.most_held = std::max(all.most_held, all.held);
        return {octets, size};
    }
    static void take_back(memory&, sockless::region, std::span<octet> octets) noexcept {
        const auto found = all.sizes.find(octets.data());
        if (found == all.sizes.end() || found->second != octets.size()) {
            all.wrong = true;  // or taken before start()
        } else {
            all.held -= octets.size();
            all.sizes.erase(found);
        }
        delete[] octets.data();
    }
    static constexpr functions table{take_exactly, take_back, {}};
};

// As long as it lives, so many of the next takes get nothing.
class no_memory {
  public:
    explicit no_memory(std::size_t count = SIZE_MAX, std::size_t first = 0) {
        storage_book& book = watched::all;
        book.fail_from = book.takes + first;
        book.fail_to = count < SIZE_MAX - book.fail_from ? book.fail_from + count : SIZE_MAX;
    }
    no_memory(const no_memory&) = delete;
    no_memory& operator=(const no_memory&) = delete;
    ~no_memory() { watched::all.fail_from = SIZE_MAX; }
};

// Keys that are all different, and counted: 1, 2, 3...
struct counted_keys {
    std::uint32_t drawn = 0;

    sockless::masking_key operator()() noexcept {
        sockless::masking_key key;
        sockless::store_network(++drawn, key.octets);
        return key;
    }
};

template <class Storage = watched>
using client = sockless::client_connection<counted_keys, Storage>;
template <class Storage = watched>
using server = sockless::basic_server<Storage>;

// ---- events as lines ----

inline std::string payload_text(sockless::message_type type, std::span<const octet> payload) {
    if (payload.size() > 64) return summary(payload);
    return type == sockless::message_type::text ? "text " + quote(payload)
                                                : "binary " + hex(payload);
}

inline std::string line_of(const sockless::event& event) {
    using enum sockless::event::what;
    switch (event.kind) {
        case nothing:
            return "nothing";
        case plain_request:
            return "plain_request";
        case request:
            return "request";
        case refused:
            return "refused";
        case open:
            return "open";
        case message:
            return payload_text(event.type, event.payload);
        case slice:
            return std::string("slice ") + (event.first ? "first " : "") +
                   (event.last ? "last " : "") + payload_text(event.type, event.payload) + ", " +
                   std::to_string(event.remaining);
        case ping:
            return "ping " + quote(event.payload);
        case pong:
            return "pong " + quote(event.payload);
        case drained:
            return "drained";
        case closed:
            return "closed " + std::to_string(event.code) +
                   (event.payload.empty() ? "" : ' ' + quote(event.payload));
    }
    return "?";
}

// All events that there are now.
inline lines hear(sockless::connection& to, std::span<octet>& in) {
    lines told;
    for (const sockless::event& event : to.receive(in)) told.push_back(line_of(event));
    return told;
}
inline lines hear(sockless::connection& to) {
    std::span<octet> in;
    return hear(to, in);
}
// All that comes of these octets, which have to be consumed, and are gone afterwards.
inline lines hear(sockless::connection& to, std::span<const octet> octets) {
    const exact copy{octets};
    std::span<octet> in = copy.span();
    lines told = hear(to, in);
    CHECK((in.empty() || to.finished()));
    return told;
}
inline lines hear(sockless::connection& to, std::string_view text) {
    return hear(to, octets_of_text(text));
}

inline lines both(lines first, const lines& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

// ---- octets to transmit ----

// Everything, or as much as may leave now.
inline octet_vector drain(sockless::connection& from, std::size_t most = SIZE_MAX) {
    octet_vector all;
    while (all.size() < most) {
        const std::span<const octet> run = from.output();
        if (run.empty()) break;
        const std::size_t size = std::min(run.size(), most - all.size());
        all.insert(all.end(), run.begin(), run.begin() + static_cast<std::ptrdiff_t>(size));
        from.written(size);
    }
    return all;
}

inline std::string drain_text(sockless::connection& from) { return to_string(drain(from)); }

// ---- the opening handshake ----

inline const std::string good_request =
    "GET /chat?room=1 HTTP/1.1\r\n"
    "Host: example.com\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: chat, superchat\r\n"
    "\r\n";

// 4.2.2 with the key of 1.3.
inline const std::string good_response =
    "HTTP/1.1 101 Switching Protocols\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    "\r\n";

// The proof that answers a request.
inline std::string proof_for(const std::string& request) {
    const octet_vector key = octets_of_text(parse_get(request).head.one("sec-websocket-key"));
    return text_of(sockless::text_view{sockless::accept_key({key})});
}
inline std::string response_to(const std::string& request, const std::string& more = "") {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           proof_for(request) + "\r\n" + more + "\r\n";
}

// Opens it, and leaves nothing in its output.
template <class Server>
void open_server(Server& ws) {
    REQUIRE(hear(ws, good_request) == lines{"request"});
    REQUIRE(ws.accept() == sockless::result::done);
    REQUIRE(drain_text(ws) == good_response);
    const lines told = hear(ws);  // a small output may have been above its mark meanwhile
    REQUIRE((told == lines{"open"} || told == lines{"open", "drained"}));
}
template <class Client>
void open_client(Client& ws) {
    REQUIRE(ws.open({.host = "example.com"}) == sockless::result::done);
    REQUIRE(hear(ws, response_to(drain_text(ws))) == lines{"open"});
}

// ---- frames that the peer sends ----

inline octet_vector from_client(int op, std::string_view payload, bool fin = true) {
    return frame(fin, 0, op, client_key, payload);
}
inline octet_vector from_server(int op, std::string_view payload, bool fin = true) {
    return frame(fin, 0, op, std::nullopt, payload);
}
inline octet_vector client_close(int code = 1000, std::string_view reason = "") {
    return from_client(
        8, reference::build_close(static_cast<std::uint32_t>(code), std::string(reason)));
}
inline octet_vector server_close(int code = 1000, std::string_view reason = "") {
    return from_server(
        8, reference::build_close(static_cast<std::uint32_t>(code), std::string(reason)));
}

inline octet_vector octets_of_size(std::size_t size) {
    octet_vector all(size);
    for (std::size_t i = 0; i < size; ++i) all[i] = static_cast<octet>(i * 7 + i / 251);
    return all;
}

// A wants() in words: "read write events half_close".
inline std::string words_of(const sockless::wants& wants) {
    std::string words;
    const auto add = [&](bool holds, const char* word) {
        if (holds) words += (words.empty() ? "" : " ") + std::string(word);
    };
    add(wants.read, "read");
    add(wants.write, "write");
    add(wants.events, "events");
    add(wants.ending == sockless::ending::half_close, "half_close");
    add(wants.ending == sockless::ending::drop, "drop");
    return words;
}
inline std::string wants_of(const sockless::connection& ws) { return words_of(ws.wants()); }

// A report in words: "closed clean, began us, sent 1000, received 1000".
// Of a fault, the rule only.
inline std::string report_of(const sockless::connection& ws) {
    static constexpr std::array causes{"nothing",   "closed",  "violation",     "end",
                                       "aborted",   "refused", "no_memory",     "opening_timeout",
                                       "dead_peer", "idle",    "close_timeout", "stalled"};
    static constexpr std::array sides{"nobody", "us", "peer"};
    const sockless::close_report report = ws.report();
    std::string text = causes.at(static_cast<std::size_t>(report.why));
    if (report.clean) text += " clean";
    text += std::string(", began ") + sides.at(static_cast<std::size_t>(report.began));
    if (report.sent) text += ", sent " + std::to_string(*report.sent);
    if (report.received) text += ", received " + std::to_string(*report.received);
    if (report.fault) {
        text += ", " + std::string(name(report.fault->broken));
    }
    return text;
}

}  // namespace support

template <>
struct Catch::StringMaker<sockless::result> {
    static std::string convert(sockless::result value) {
        static constexpr std::array names{"done",      "full",          "not_open",    "closing",
                                          "undecided", "control_first", "mid_message", "mid_frame",
                                          "lent",      "wrong_length",  "too_large",   "bad_text",
                                          "bad_head",  "not_offered"};
        return names.at(static_cast<std::size_t>(value));
    }
};
