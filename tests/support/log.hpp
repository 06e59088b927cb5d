// log.hpp -- events as lines of text that do not show how the stream was cut.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/frame_reader.hpp>
#include <sockless/outcome.hpp>

#include "support/octets.hpp"

namespace support {

// "Hel\xC3" in quotes: what is not printable ASCII, and quotes and backslashes, as \xNN.
inline std::string quote(std::span<const octet> text) {
    std::string quoted = "\"";
    for (const octet o : text) {
        const bool plain = o >= 0x20 && o < 0x7F && o != '"' && o != '\\';
        quoted += plain ? std::string(1, static_cast<char>(o)) : std::string("\\x") + hex({&o, 1});
    }
    return quoted + '"';
}

// A payload of more than 64 octets: its size, and FNV-1a of it.
inline std::string summary(std::span<const octet> payload) {
    std::uint32_t sum = 0x811C9DC5;
    for (const octet o : payload) sum = (sum ^ o) * 0x01000193;
    std::array<octet, 4> octets{};
    sockless::store_network(sum, octets);
    std::string digits = hex(octets);
    std::erase(digits, ' ');
    return std::string("<") + std::to_string(payload.size()) + " octets, sum " + digits + ">";
}

// One event per line, adjacent slices of one message merged into one:
//   text "Hello"             a whole message; `text begin`, `text more` and `text end` if something
//                            came between its slices, or it has not ended
//   binary 00 FF             the same, in hexadecimal
//   text compressed C2 01    the same of a message with RSV1
//   ping "x", pong "", close 1000 "bye", close 1005 ""
//   violated reserved_bits 5.2 1002 at 0
// A payload of more than 64 octets is told as <N octets, sum HHHHHHHH>.
class event_log {
  public:
    // fault_at: of `violated`, the octet that broke the rule.
    void add(const sockless::frame_event& event, std::uint64_t fault_at) {
        using enum sockless::frame_event::what;
        switch (event.kind) {
            case nothing:
                return;
            case slice:
                return add_slice(event);
            case ping:
                return add_line("ping " + words(event.payload));
            case pong:
                return add_line("pong " + words(event.payload));
            case close:
                return add_line("close " + std::to_string(event.code) + ' ' + words(event.payload));
            case violated:
                return add_line("violated " + std::string(name(event.broken)) + ' ' +
                                std::string(section(event.broken)) + ' ' +
                                std::to_string(event.code) + " at " + std::to_string(fault_at));
        }
    }

    // Anything else that happened.
    void add_line(std::string line) { entries_.push_back({.line = std::move(line)}); }

    std::string text() const {
        std::string lines;
        for (const entry& e : entries_) lines += (e.is_slice ? slice_line(e) : e.line) + '\n';
        return lines;
    }

    // The last line, as it stands now.
    std::string last_line() const {
        if (entries_.empty()) return {};
        return entries_.back().is_slice ? slice_line(entries_.back()) : entries_.back().line;
    }

    bool empty() const { return entries_.empty(); }

    // Are they the same events, with the same frames in the messages?
    friend bool operator==(const event_log&, const event_log&) = default;

  private:
    struct entry {
        std::string line{};  // whole, but of slices
        bool is_slice = false;
        sockless::message_type type = sockless::message_type::binary;
        bool first = false;
        bool last = false;
        bool compressed = false;
        std::vector<octet> payload{};
        std::vector<std::size_t> frame_ends{};  // places in the payload

        friend bool operator==(const entry&, const entry&) = default;
    };

    void add_slice(const sockless::frame_event& event) {
        if (!goes_on(event)) {
            entries_.push_back({.is_slice = true,
                                .type = event.type,
                                .first = event.first,
                                .compressed = event.compressed});
        }
        entry& e = entries_.back();
        e.last = event.last;
        e.payload.insert(e.payload.end(), event.payload.begin(), event.payload.end());
        if (event.remaining == 0) e.frame_ends.push_back(e.payload.size());
    }

    bool goes_on(const sockless::frame_event& event) const {
        if (entries_.empty() || event.first) return false;
        const entry& e = entries_.back();
        return e.is_slice && !e.last && e.type == event.type && e.compressed == event.compressed;
    }

    static std::string slice_line(const entry& e) {
        const bool is_text = e.type == sockless::message_type::text;
        std::string line = is_text ? "text" : "binary";
        if (e.compressed) line += " compressed";
        if (!e.first || !e.last) line += e.first ? " begin" : e.last ? " end" : " more";
        const std::string payload = is_text && !e.compressed ? words(e.payload) : digits(e.payload);
        return payload.empty() ? line : line + ' ' + payload;
    }

    static constexpr std::size_t longest_payload = 64;

    static std::string words(std::span<const octet> payload) {
        return payload.size() > longest_payload ? summary(payload) : quote(payload);
    }
    static std::string digits(std::span<const octet> payload) {
        return payload.size() > longest_payload ? summary(payload) : hex(payload);
    }

    std::vector<entry> entries_;
};

}  // namespace support
