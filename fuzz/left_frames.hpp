// left_frames.hpp -- messages: as an application says and hears them, and as a strict parser reads
// them from what has left.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/masking.hpp>

#include "fuzz/expect.hpp"
#include "fuzz/source.hpp"
#include "support/reference.hpp"

namespace fuzz::connection_pair {

using sockless::masking_key;

struct message {
    bool text = false;
    bool whole = false;
    std::string payload;
};

// Is it what has been said, from the beginning, as far as it goes?
inline bool begins(const std::vector<message>& heard, const std::vector<message>& said) {
    if (heard.size() > said.size()) return false;
    for (std::size_t i = 0; i < heard.size(); ++i) {
        const message& one = heard[i];
        if (one.text != said[i].text || (one.whole && !said[i].whole)) return false;
        if (one.whole ? one.payload != said[i].payload
                      : !said[i].payload.starts_with(one.payload)) {
            return false;
        }
        if (!one.whole && i + 1 < heard.size()) return false;
    }
    return true;
}

inline std::size_t whole_ones(const std::vector<message>& messages) {
    return static_cast<std::size_t>(std::count_if(messages.begin(), messages.end(),
                                                  [](const message& one) { return one.whole; }));
}

// ---- frames, read from what has left ----

struct left_frame {
    octet first = 0;
    std::optional<masking_key> key;
    std::string payload;
    bool whole = false;
};

// Takes a frame from the front; nothing if not even its header is whole.
inline std::optional<left_frame> take_frame(std::string_view& rest) {
    if (rest.size() < 2) return std::nullopt;
    const auto at = [&](std::size_t i) { return static_cast<octet>(rest[i]); };
    left_frame frame;
    frame.first = at(0);
    std::uint64_t length = at(1) & 0x7F;
    const std::size_t octets = length < 126 ? 0 : length == 126 ? 2 : 8;
    const std::size_t header = 2 + octets + ((at(1) & 0x80) != 0 ? 4 : 0);
    if (rest.size() < header) return std::nullopt;
    if (octets > 0) length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8 | at(2 + i);
    expect(length >= (octets == 0   ? 0U
                      : octets == 2 ? 126U
                                    : 65536U) &&
               length >> 63 == 0,
           "invariant 19: the shortest length");
    if ((at(1) & 0x80) != 0) {
        frame.key.emplace();
        for (std::size_t i = 0; i < 4; ++i) frame.key->octets[i] = at(header - 4 + i);
    }
    rest.remove_prefix(header);
    frame.whole = length <= rest.size();
    const std::size_t size = frame.whole ? static_cast<std::size_t>(length) : rest.size();
    for (std::size_t i = 0; i < size; ++i) {
        const octet mask = frame.key ? frame.key->octets[i % 4] : octet{0};
        frame.payload += static_cast<char>(at(i) ^ mask);
    }
    rest.remove_prefix(size);
    return frame;
}

struct left {
    std::vector<message> messages;
    std::vector<masking_key> keys;
    std::optional<std::uint16_t> close;  // the code of a Close; 1005 if it has none
};

inline void read_control(const left_frame& frame, left& all) {
    expect((frame.first & 0x80) != 0 && frame.payload.size() <= 125, "invariant 12: control");
    if (frame.first != 0x88 || !frame.whole) return;
    const std::string& body = frame.payload;
    expect(body.size() != 1, "5.5.1: a Close has no body, or a code");
    all.close = 1005;
    if (body.empty()) return;
    all.close =
        static_cast<std::uint16_t>(static_cast<octet>(body[0]) << 8 | static_cast<octet>(body[1]));
    expect(reference::code_may_travel(*all.close), "invariant 8: the code of a Close may travel");
    expect(reference::valid_utf8(body.substr(2)), "5.5.1: a reason is UTF-8");
}

inline left read_left(std::string_view rest, bool masked) {
    left all;
    bool within = false;
    while (const std::optional<left_frame> frame = take_frame(rest)) {
        expect(!all.close, "invariant 23: nothing leaves behind a Close");
        expect(frame->key.has_value() == masked, "invariant 13: a client masks, a server does not");
        if (masked) all.keys.push_back(*frame->key);
        expect((frame->first & 0x70) == 0, "invariant 12: reserved bits");
        expect(frame->whole || rest.empty(), "a frame ends before another begins");
        const int op = frame->first & 0x0F;
        if (op >= 8) {
            expect(op <= 10, "invariant 12: reserved opcodes");
            read_control(*frame, all);
            continue;
        }
        expect(op <= 2 && within == (op == 0), "invariant 11: fragments");
        if (op != 0) all.messages.push_back({op == 1, false, {}});
        message& last = all.messages.back();
        last.payload += frame->payload;
        last.whole = frame->whole && (frame->first & 0x80) != 0;
        within = (frame->first & 0x80) == 0;
    }
    return all;
}

}  // namespace fuzz::connection_pair
