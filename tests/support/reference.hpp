// reference.hpp -- a second reader of WebSocket frames, for the tests only: written from RFC 6455
// and the rules of the project, octet by octet, slow and obvious. It shares no code and no table
// with the library, so that the two can be held against each other. Beside it: a plain UTF-8 judge,
// builders of frames, and a generator of conversations from the other side, valid and hostile ones.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace reference {

// What was agreed with the other side, and how much is taken from it.
struct options {
    bool server = true;  // we are the server: frames must be masked; else they must not be
    bool rsv1 = false;   // an extension agreed on RSV1 (permessage-deflate)
    std::uint64_t message_limit = std::uint64_t{1} << 20;
    std::uint64_t frame_limit = UINT64_MAX;
    std::uint32_t empty_fragments = 1024;     // consecutive empty non-final fragments; 0 = no limit
    std::uint64_t length_max = SIZE_MAX - 1;  // no length above this is representable
};

// One thing that the reader tells, in order.
struct happening {
    enum class what : std::uint8_t { data, frame_end, ping, pong, close, violated };

    what kind = what::data;
    bool text = false;        // data, frame_end: of a text message
    bool first = false;       // data: first octet of the message's first frame;
                              // frame_end: first frame of its message
    bool last = false;        // frame_end: FIN
    bool compressed = false;  // data, frame_end: RSV1 stood on the message's first frame
    std::string payload;      // data: one octet; ping, pong: the whole payload; close: the reason
    std::uint16_t code = 0;   // close: the received code (1005: none); violated: the code to send
    std::string rule;         // violated: the name of the broken rule
    std::uint64_t at = 0;     // violated: offset in the stream, from 0, of the refused octet

    bool operator==(const happening&) const = default;
};

// ---------------------------------------------------------------------------------------------
// Octets and UTF-8
// ---------------------------------------------------------------------------------------------

// The lowest eight bits of a value, as std::string holds them.
inline char to_char(std::uint64_t value) {
    return static_cast<char>(static_cast<unsigned char>(value & 0xFF));
}

inline unsigned char to_octet(char c) { return static_cast<unsigned char>(c); }

// The UTF-8 of a number, by RFC 3629, section 3. (It also encodes surrogates, for hostile texts.)
inline std::string encode_utf8(std::uint32_t code_point) {
    std::string octets;
    if (code_point <= 0x7F) {
        octets += to_char(code_point);
    } else if (code_point <= 0x7FF) {
        octets += to_char(0xC0 | (code_point >> 6));
        octets += to_char(0x80 | (code_point & 0x3F));
    } else if (code_point <= 0xFFFF) {
        octets += to_char(0xE0 | (code_point >> 12));
        octets += to_char(0x80 | ((code_point >> 6) & 0x3F));
        octets += to_char(0x80 | (code_point & 0x3F));
    } else {
        octets += to_char(0xF0 | (code_point >> 18));
        octets += to_char(0x80 | ((code_point >> 12) & 0x3F));
        octets += to_char(0x80 | ((code_point >> 6) & 0x3F));
        octets += to_char(0x80 | (code_point & 0x3F));
    }
    return octets;
}

// Whether the whole string is UTF-8: each code point is decoded, judged, and encoded again, and
// must come out as it stood (anything longer than the shortest form does not).
inline bool valid_utf8(const std::string& text) {
    std::size_t place = 0;
    while (place < text.size()) {
        const std::uint32_t lead = to_octet(text[place]);
        std::size_t size = 0;
        std::uint32_t code_point = 0;
        if ((lead & 0x80) == 0x00) {
            size = 1;
            code_point = lead;
        } else if ((lead & 0xE0) == 0xC0) {
            size = 2;
            code_point = lead & 0x1F;
        } else if ((lead & 0xF0) == 0xE0) {
            size = 3;
            code_point = lead & 0x0F;
        } else if ((lead & 0xF8) == 0xF0) {
            size = 4;
            code_point = lead & 0x07;
        } else {
            return false;
        }
        if (text.size() - place < size) {
            return false;
        }
        for (std::size_t i = 1; i < size; ++i) {
            const std::uint32_t next = to_octet(text[place + i]);
            if ((next & 0xC0) != 0x80) {
                return false;
            }
            code_point = code_point * 64 + (next & 0x3F);
        }
        if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
            return false;
        }
        if (encode_utf8(code_point) != text.substr(place, size)) {
            return false;
        }
        place += size;
    }
    return true;
}

// The octets of one code point that is not complete yet, or none.
class unfinished_code_point {
  public:
    // Takes one octet more of the text; false: no valid text goes on so.
    bool take(unsigned char octet) {
        octets_.push_back(octet);
        if (!may_become_code_point()) {
            return false;
        }
        if (missing() == 0) {
            octets_.clear();
        }
        return true;
    }

    // How many octets are still needed for the code point that has begun.
    std::uint64_t missing() const {
        if (octets_.empty()) {
            return 0;
        }
        return size_by_lead(octets_.front()) - octets_.size();
    }

    void forget() { octets_.clear(); }

  private:
    // How many octets a code point has that begins with this one; 0: none begins with it.
    static std::size_t size_by_lead(unsigned char lead) {
        if (lead <= 0x7F) {
            return 1;
        }
        if (lead >= 0xC0 && lead <= 0xDF) {
            return 2;
        }
        if (lead >= 0xE0 && lead <= 0xEF) {
            return 3;
        }
        if (lead >= 0xF0 && lead <= 0xF7) {
            return 4;
        }
        return 0;
    }

    // Whether a number stands in both stretches [a, b] and [c, d]. (One that ends before it begins
    // holds no number.)
    static bool meet(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
        return std::max(a, c) <= std::min(b, d);
    }

    // Fills the missing octets once with the lowest and once with the highest that may follow;
    // whether between the two numbers lies a code point that has this size and is no surrogate.
    bool may_become_code_point() const {
        const std::size_t size = size_by_lead(octets_.front());
        std::uint32_t smallest = 0;
        std::uint32_t largest = 0;
        std::uint32_t lead_bits = octets_.front();
        if (size == 1) {
            smallest = 0x00;
            largest = 0x7F;
        } else if (size == 2) {
            smallest = 0x80;
            largest = 0x7FF;
            lead_bits -= 0xC0;
        } else if (size == 3) {
            smallest = 0x800;
            largest = 0xFFFF;
            lead_bits -= 0xE0;
        } else if (size == 4) {
            smallest = 0x10000;
            largest = 0x10FFFF;
            lead_bits -= 0xF0;
        } else {
            return false;
        }
        std::uint32_t low = lead_bits;
        std::uint32_t high = lead_bits;
        for (std::size_t i = 1; i < size; ++i) {
            std::uint32_t low_bits = 0x00;
            std::uint32_t high_bits = 0x3F;
            if (i < octets_.size()) {
                if (octets_[i] < 0x80 || octets_[i] > 0xBF) {
                    return false;
                }
                low_bits = octets_[i] - std::uint32_t{0x80};
                high_bits = low_bits;
            }
            low = low * 64 + low_bits;
            high = high * 64 + high_bits;
        }
        return meet(low, high, smallest, std::min<std::uint32_t>(largest, 0xD7FF)) ||
               meet(low, high, std::max<std::uint32_t>(smallest, 0xE000), largest);
    }

    std::vector<unsigned char> octets_;
};

// ---------------------------------------------------------------------------------------------
// The reader
// ---------------------------------------------------------------------------------------------

// Whether a Close frame may carry this code.
inline bool code_may_travel(std::uint32_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

// The longest frame that is taken.
inline std::uint64_t largest_frame(const options& agreed) {
    return std::min(agreed.frame_limit, agreed.length_max);
}

// The longest message that is taken, as it travels.
inline std::uint64_t largest_message(const options& agreed, bool compressed) {
    std::uint64_t limit = agreed.message_limit;
    if (compressed) {
        const std::uint64_t more = limit / 8 + 1024;
        limit = more > UINT64_MAX - limit ? UINT64_MAX : limit + more;
    }
    return std::min(limit, agreed.length_max);
}

class reader {
  public:
    explicit reader(options agreed) : agreed_(agreed) {}

    // Takes the next octet of the stream; what it made happen, in order.
    std::vector<happening> take(unsigned char octet) {
        told_.clear();
        switch (stage_) {
            case stage::first_octet:
                take_first_octet(octet);
                break;
            case stage::second_octet:
                take_second_octet(octet);
                break;
            case stage::length:
                take_length(octet);
                break;
            case stage::key:
                take_key(octet);
                break;
            case stage::payload:
                take_payload(octet);
                break;
            case stage::over:
                break;
        }
        at_ += 1;
        return told_;
    }

  private:
    enum class stage : std::uint8_t { first_octet, second_octet, length, key, payload, over };

    void refuse(const std::string& rule, std::uint16_t code) {
        happening h;
        h.kind = happening::what::violated;
        h.rule = rule;
        h.code = code;
        h.at = at_;
        told_.push_back(h);
        stage_ = stage::over;
    }

    void take_first_octet(unsigned char octet) {
        const bool fin = (octet & 0x80) != 0;
        const bool rsv1 = (octet & 0x40) != 0;
        const bool rsv2 = (octet & 0x20) != 0;
        const bool rsv3 = (octet & 0x10) != 0;
        const int opcode = octet & 0x0F;
        const bool control = opcode >= 0x8;

        const bool begins = opcode == 0x1 || opcode == 0x2;
        if (rsv2 || rsv3 || (rsv1 && !(agreed_.rsv1 && begins))) {
            refuse("reserved_bits", 1002);
            return;
        }
        if ((opcode >= 0x3 && opcode <= 0x7) || opcode >= 0xB) {
            refuse("reserved_opcode", 1002);
            return;
        }
        if (control && !fin) {
            refuse("fragmented_control", 1002);
            return;
        }
        if (opcode == 0x0 && !in_message_) {
            refuse("nothing_to_continue", 1002);
            return;
        }
        if ((opcode == 0x1 || opcode == 0x2) && in_message_) {
            refuse("unfinished_message", 1002);
            return;
        }

        fin_ = fin;
        opcode_ = opcode;
        control_ = control;
        if (!control) {
            first_frame_ = opcode != 0x0;
        }
        if (opcode == 0x1 || opcode == 0x2) {
            in_message_ = true;
            text_ = opcode == 0x1;
            compressed_ = rsv1;
            message_length_ = 0;
            empty_in_a_row_ = 0;
            text_end_.forget();
        }
        stage_ = stage::second_octet;
    }

    void take_second_octet(unsigned char octet) {
        const bool masked = (octet & 0x80) != 0;
        const unsigned length_code = octet & 0x7F;

        if (agreed_.server && !masked) {
            refuse("unmasked_frame", 1002);
            return;
        }
        if (!agreed_.server && masked) {
            refuse("masked_frame", 1002);
            return;
        }
        if (control_ && length_code > 125) {
            refuse("long_control", 1002);
            return;
        }
        if (opcode_ == 0x8 && length_code == 1) {
            refuse("short_close", 1002);
            return;
        }

        length_ = 0;
        length_octets_taken_ = 0;
        if (length_code == 126) {
            length_octets_ = 2;
            stage_ = stage::length;
        } else if (length_code == 127) {
            length_octets_ = 8;
            stage_ = stage::length;
        } else {
            length_ = length_code;
            judge_length();
        }
    }

    void take_length(unsigned char octet) {
        length_ = length_ * 256 + octet;
        length_octets_taken_ += 1;
        if (length_octets_ == 2 && length_octets_taken_ == 2 && length_ < 126) {
            refuse("padded_length", 1002);
            return;
        }
        if (length_octets_ == 8 && length_octets_taken_ == 1 && (octet & 0x80) != 0) {
            refuse("huge_length", 1002);
            return;
        }
        if (length_octets_ == 8 && length_octets_taken_ == 6 && length_ == 0) {
            refuse("padded_length", 1002);
            return;
        }
        if (length_octets_taken_ == length_octets_) {
            judge_length();
        }
    }

    // At the last octet of the length, whose value is known now.
    void judge_length() {
        if (!control_) {
            if (length_ > largest_frame(agreed_)) {
                refuse("large_frame", 1009);
                return;
            }
            if (length_ > largest_message(agreed_, compressed_) - message_length_) {
                refuse("large_message", 1009);
                return;
            }
            message_length_ += length_;
            if (length_ != 0) {
                empty_in_a_row_ = 0;
            } else if (!fin_) {
                empty_in_a_row_ += 1;
                if (agreed_.empty_fragments != 0 && empty_in_a_row_ > agreed_.empty_fragments) {
                    refuse("empty_fragments", 1008);
                    return;
                }
            }
            if (fin_ && text_ && !compressed_ && length_ < text_end_.missing()) {
                refuse("bad_text", 1007);
                return;
            }
        }
        key_taken_ = 0;
        if (agreed_.server) {
            stage_ = stage::key;
        } else {
            end_header();
        }
    }

    void take_key(unsigned char octet) {
        key_.at(key_taken_) = octet;
        key_taken_ += 1;
        if (key_taken_ == 4) {
            end_header();
        }
    }

    void end_header() {
        payload_taken_ = 0;
        control_payload_.clear();
        close_code_ = 1005;
        reason_end_.forget();
        stage_ = stage::payload;
        if (length_ == 0) {
            end_frame();
        }
    }

    void take_payload(unsigned char octet) {
        if (agreed_.server) {
            octet = static_cast<unsigned char>(octet ^ key_.at(payload_taken_ % 4));
        }
        const std::uint64_t place = payload_taken_;  // of this octet in the payload
        payload_taken_ += 1;
        if (!control_) {
            take_data(octet, place);
        } else if (opcode_ == 0x8) {
            take_close(octet, place);
        } else {
            control_payload_ += to_char(octet);
        }
        if (stage_ != stage::over && payload_taken_ == length_) {
            end_frame();
        }
    }

    void take_data(unsigned char octet, std::uint64_t place) {
        if (text_ && !compressed_) {
            if (!text_end_.take(octet)) {
                refuse("bad_text", 1007);
                return;
            }
            if (fin_ && text_end_.missing() > length_ - payload_taken_) {
                refuse("bad_text", 1007);
                return;
            }
        }
        happening h;
        h.kind = happening::what::data;
        h.text = text_;
        h.first = first_frame_ && place == 0;
        h.compressed = compressed_;
        h.payload = std::string(1, to_char(octet));
        told_.push_back(h);
    }

    void take_close(unsigned char octet, std::uint64_t place) {
        if (place == 0) {
            bool some_may_travel = false;
            for (std::uint32_t low = 0; low <= 255; ++low) {
                if (code_may_travel(octet * std::uint32_t{256} + low)) {
                    some_may_travel = true;
                }
            }
            if (!some_may_travel) {
                refuse("bad_close_code", 1002);
                return;
            }
            close_code_ = octet;
        } else if (place == 1) {
            close_code_ = close_code_ * 256 + octet;
            if (!code_may_travel(close_code_)) {
                refuse("bad_close_code", 1002);
                return;
            }
        } else {
            if (!reason_end_.take(octet)) {
                refuse("bad_reason", 1007);
                return;
            }
            if (reason_end_.missing() > length_ - payload_taken_) {
                refuse("bad_reason", 1007);
                return;
            }
            control_payload_ += to_char(octet);
        }
    }

    void end_frame() {
        stage_ = stage::first_octet;
        happening h;
        if (!control_) {
            h.kind = happening::what::frame_end;
            h.text = text_;
            h.first = first_frame_;
            h.last = fin_;
            h.compressed = compressed_;
            if (fin_) {
                in_message_ = false;
            }
        } else {
            h.payload = control_payload_;
            if (opcode_ == 0x8) {
                h.kind = happening::what::close;
                h.code = static_cast<std::uint16_t>(close_code_);
                stage_ = stage::over;
            } else if (opcode_ == 0x9) {
                h.kind = happening::what::ping;
            } else {
                h.kind = happening::what::pong;
            }
        }
        told_.push_back(h);
    }

    options agreed_;
    stage stage_ = stage::first_octet;
    std::uint64_t at_ = 0;
    std::vector<happening> told_;

    // The message that is under way, if in_message_.
    bool in_message_ = false;
    bool text_ = false;
    bool compressed_ = false;
    std::uint64_t message_length_ = 0;
    std::uint64_t empty_in_a_row_ = 0;
    unfinished_code_point text_end_;

    // The frame that is under way.
    bool fin_ = false;
    int opcode_ = 0;
    bool control_ = false;
    bool first_frame_ = false;
    std::uint64_t length_ = 0;
    int length_octets_ = 0;
    int length_octets_taken_ = 0;
    std::array<unsigned char, 4> key_{};
    std::size_t key_taken_ = 0;
    std::uint64_t payload_taken_ = 0;
    std::string control_payload_;
    std::uint32_t close_code_ = 0;
    unfinished_code_point reason_end_;
};

// All that happens in a whole stream.
inline std::vector<happening> read_all(const options& agreed, const std::string& stream) {
    std::vector<happening> all;
    reader r(agreed);
    for (const char c : stream) {
        for (const happening& h : r.take(to_octet(c))) {
            all.push_back(h);
        }
    }
    return all;
}

// One happening in words, payload in hexadecimal.
inline std::string to_string(const happening& h) {
    std::string words;
    switch (h.kind) {
        case happening::what::data:
            words = "data";
            break;
        case happening::what::frame_end:
            words = "frame_end";
            break;
        case happening::what::ping:
            words = "ping";
            break;
        case happening::what::pong:
            words = "pong";
            break;
        case happening::what::close:
            words = "close " + std::to_string(h.code);
            break;
        case happening::what::violated:
            words =
                "violated " + h.rule + " " + std::to_string(h.code) + " at " + std::to_string(h.at);
            break;
    }
    words += h.text ? " text" : "";
    words += h.first ? " first" : "";
    words += h.last ? " last" : "";
    words += h.compressed ? " compressed" : "";
    if (!h.payload.empty()) {
        words += " ";
    }
    for (const char c : h.payload) {
        words += "0123456789abcdef"[to_octet(c) / 16];
        words += "0123456789abcdef"[to_octet(c) % 16];
    }
    return words;
}

// Many happenings, one in a line.
inline std::string log(const std::vector<happening>& happenings) {
    std::string lines;
    for (const happening& h : happenings) {
        lines += to_string(h) + "\n";
    }
    return lines;
}

// ---------------------------------------------------------------------------------------------
// Builders
// ---------------------------------------------------------------------------------------------

using masking_key = std::optional<std::array<unsigned char, 4>>;

// A header that says what it is told to, right or wrong. rsv: 4 = RSV1, 2 = RSV2, 1 = RSV3.
// length_octets: 0 (the length stands in the second octet), 2, or 8.
inline std::string build_header(bool fin, int rsv, int opcode, const masking_key& key,
                                int length_octets, std::uint64_t length) {
    const unsigned bits = (static_cast<unsigned>(rsv) & 7U) * 16;
    const unsigned mask_bit = key.has_value() ? 0x80 : 0x00;
    std::string octets;
    octets += to_char((fin ? 0x80U : 0x00U) | bits | (static_cast<unsigned>(opcode) & 0x0FU));
    if (length_octets == 0) {
        octets += to_char(mask_bit | (length & 0x7F));
    } else if (length_octets == 2) {
        octets += to_char(mask_bit | 126U);
    } else {
        octets += to_char(mask_bit | 127U);
    }
    for (int i = length_octets - 1; i >= 0; --i) {
        octets += to_char(length >> (8 * i));
    }
    if (key.has_value()) {
        for (const unsigned char octet : *key) {
            octets += to_char(octet);
        }
    }
    return octets;
}

// The payload as it travels (masking twice is masking not at all).
inline std::string mask(const masking_key& key, std::string payload) {
    if (key.has_value()) {
        for (std::size_t i = 0; i < payload.size(); ++i) {
            const unsigned plain = to_octet(payload[i]);
            const unsigned key_octet = (*key)[i % 4];
            payload[i] = to_char(plain ^ key_octet);
        }
    }
    return payload;
}

// How many octets beside the second one the shortest form of a length takes.
inline int shortest_length_octets(std::uint64_t length) {
    if (length <= 125) {
        return 0;
    }
    if (length <= 65535) {
        return 2;
    }
    return 8;
}

// A frame with the shortest form of its length.
inline std::string build_frame(bool fin, int rsv, int opcode, const masking_key& key,
                               const std::string& payload) {
    const int length_octets = shortest_length_octets(payload.size());
    return build_header(fin, rsv, opcode, key, length_octets, payload.size()) + mask(key, payload);
}

// The payload of a Close frame.
inline std::string build_close(std::uint32_t code, const std::string& reason) {
    return std::string(1, to_char(code >> 8)) + to_char(code) + reason;
}

// ---------------------------------------------------------------------------------------------
// Random streams
// ---------------------------------------------------------------------------------------------

// The other side, talking at random. (No std distribution: one seed gives one stream everywhere.)
class talker {
  public:
    talker(std::mt19937_64& rng, const options& agreed, bool hostile)
        : rng_(rng), agreed_(agreed), hostile_(hostile) {}

    std::string talk() {
        bool mutated = false;
        if (hostile_) {
            switch (below(4)) {
                case 0:
                    spoils_text_ = true;
                    break;
                case 1:
                    mutated = true;
                    break;
                case 2:
                    deed_after_ = below(6);
                    break;
                default:
                    deed_after_ = below(6);
                    mutated = chance(20);
                    spoils_text_ = chance(20);
                    break;
            }
        }
        const std::uint64_t turns = 1 + below(5);
        for (std::uint64_t i = 0; i < turns; ++i) {
            if (chance(20)) {
                send_control();
            } else {
                send_message();
            }
        }
        if (deed_after_.has_value()) {
            do_deed();
        }
        if (chance(40)) {
            send_close();
            if (chance(20)) {
                out_ += random_octets(below(20));
            }
        }
        if (mutated) {
            const std::uint64_t times = 1 + below(3);
            for (std::uint64_t i = 0; i < times; ++i) {
                mutate();
            }
        }
        return out_;
    }

  private:
    std::uint64_t below(std::uint64_t end) { return rng_() % end; }

    bool chance(std::uint64_t percent) { return below(100) < percent; }

    template <class T, std::size_t Count>
    T pick(const std::array<T, Count>& from) {
        return from.at(static_cast<std::size_t>(below(Count)));
    }

    char random_octet() { return to_char(below(256)); }

    std::string random_octets(std::uint64_t count) {
        std::string octets;
        for (std::uint64_t i = 0; i < count; ++i) {
            octets += random_octet();
        }
        return octets;
    }

    masking_key random_key() {
        std::array<unsigned char, 4> key{};
        for (unsigned char& octet : key) {
            octet = chance(10) ? std::uint8_t{0} : to_octet(random_octet());
        }
        return key;
    }

    // As it must be for the other side.
    masking_key right_key() {
        if (agreed_.server) {
            return random_key();
        }
        return std::nullopt;
    }

    masking_key wrong_key() {
        if (agreed_.server) {
            return std::nullopt;
        }
        return random_key();
    }

    int right_data_opcode() {
        if (in_message_) {
            return 0x0;
        }
        return chance(50) ? 0x1 : 0x2;
    }

    int random_control_opcode() { return 0x8 + static_cast<int>(below(3)); }

    int random_reserved_opcode() {
        const std::array<int, 10> reserved{3, 4, 5, 6, 7, 11, 12, 13, 14, 15};
        return pick(reserved);
    }

    // A code point of few or many octets, often the first or last of its size.
    std::string random_code_point() {
        const std::array<std::uint32_t, 10> edges{0x00,   0x7F,   0x80,   0x7FF,   0x800,
                                                  0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF};
        if (chance(15)) {
            return encode_utf8(pick(edges));
        }
        switch (below(5)) {
            case 0:
                return encode_utf8(static_cast<std::uint32_t>(0x80 + below(0x800 - 0x80)));
            case 1:
                return encode_utf8(static_cast<std::uint32_t>(0x800 + below(0xD800 - 0x800)));
            case 2:
                return encode_utf8(static_cast<std::uint32_t>(0x10000 + below(0x110000 - 0x10000)));
            default:
                return encode_utf8(static_cast<std::uint32_t>(0x20 + below(0x7F - 0x20)));
        }
    }

    // UTF-8 of exactly so many octets.
    std::string random_text(std::uint64_t size) {
        std::string text;
        while (text.size() < size) {
            const std::string one = random_code_point();
            text += one.size() <= size - text.size() ? one : std::string("x");
        }
        return text;
    }

    // Octets that no UTF-8 holds, or the beginning of a code point, which is wrong at most places.
    std::string random_bad_text() {
        const std::array<std::string, 18> bad{"\x80",
                                              "\xBF",
                                              "\xFF",
                                              "\xC0\x80",
                                              "\xC1\xBF",
                                              "\xE0\x80\x80",
                                              "\xE0\x9F\xBF",
                                              "\xED\xA0\x80",
                                              "\xED\xBF\xBF",
                                              "\xF5",
                                              "\xF4\x90\x80",
                                              "\xF8\x88\x80",
                                              "\xF0\x80\x80\x80",
                                              "\xF0\x8F\xBF\xBF",
                                              "\xC3",
                                              "\xE2\x82",
                                              "\xF0\x9F\x98",
                                              "\xF4\x8F"};
        if (chance(10)) {
            return random_octets(1 + below(4));
        }
        return pick(bad);
    }

    // A text with bad octets at its end (there they are wrong only as the last ones), or anywhere.
    std::string spoil(std::string text) {
        const std::string bad = random_bad_text();
        const std::uint64_t place = chance(40) ? text.size() : below(text.size() + 1);
        if (text.size() - place < bad.size()) {
            text.resize(text.size() < bad.size() ? 0 : text.size() - bad.size());
            return text + bad;
        }
        return text.replace(static_cast<std::size_t>(place), bad.size(), bad);
    }

    // Any size up to the largest, often at an edge.
    std::uint64_t random_size(std::uint64_t largest) {
        const std::array<std::uint64_t, 7> edges{0, 1, 2, 125, 126, 127, 128};
        const std::array<std::uint64_t, 3> big_edges{65535, 65536, 65537};
        std::uint64_t size = below(40);
        if (chance(25)) {
            size = pick(edges);
        } else if (chance(15)) {
            size = below(400);
        } else if (below(400) == 0) {
            size = pick(big_edges);
        }
        if (size > largest) {
            size = chance(50) ? largest : below(largest + 1);
        }
        return size;
    }

    void send(bool fin, int rsv, int opcode, const std::string& payload) {
        if (deed_after_.has_value()) {
            if (*deed_after_ == 0) {
                do_deed();
            } else {
                deed_after_ = *deed_after_ - 1;
            }
        }
        put(fin, rsv, opcode, shortest_length_octets(payload.size()), payload);
    }

    void send_control() {
        const std::array<std::uint64_t, 4> edges{0, 1, 124, 125};
        const std::uint64_t size = chance(30) ? pick(edges) : below(20);
        const int opcode = chance(50) ? 0x9 : 0xA;
        send(true, 0, opcode, random_octets(size));
    }

    std::uint32_t random_good_code() {
        const std::array<std::uint32_t, 10> edges{1000, 1001, 1002, 1003, 1007,
                                                  1011, 1014, 3000, 3999, 4999};
        return chance(70) ? pick(edges) : static_cast<std::uint32_t>(3000 + below(2000));
    }

    std::uint32_t random_bad_code() {
        const std::array<std::uint32_t, 14> edges{0,    999,  1004, 1005, 1006,   1015,   1016,
                                                  1024, 2999, 5000, 2816, 0x13FF, 0x1400, 65535};
        return chance(80) ? pick(edges) : static_cast<std::uint32_t>(below(65536));
    }

    std::string random_reason() { return random_text(chance(10) ? 123 : below(30)); }

    void send_close() {
        if (chance(25)) {
            send(true, 0, 0x8, "");
        } else {
            const std::uint32_t code = random_good_code();
            send(true, 0, 0x8, build_close(code, random_reason()));
        }
    }

    void send_message() {
        const bool text = chance(60) || spoils_text_;
        const bool compressed = agreed_.rsv1 && chance(spoils_text_ ? 10 : 40);
        const std::uint64_t frame_room = largest_frame(agreed_);
        std::uint64_t room = largest_message(agreed_, compressed);
        if (frame_room < 100000) {
            room = std::min(room, frame_room * 8);
        }
        const std::uint64_t size = random_size(room);
        std::string payload = text && !compressed ? random_text(size) : random_octets(size);
        if (text && spoils_text_) {
            payload = spoil(payload);
        }

        // Cut anywhere, also within code points; no piece is empty but that of an empty message.
        std::vector<std::string> pieces;
        const std::uint64_t wanted = chance(50) ? 1 : 2 + below(4);
        while (payload.size() > 1 && pieces.size() + 1 < wanted) {
            const std::uint64_t cut = std::min(1 + below(payload.size() - 1), frame_room);
            pieces.push_back(payload.substr(0, static_cast<std::size_t>(cut)));
            payload.erase(0, static_cast<std::size_t>(cut));
        }
        while (payload.size() > frame_room && frame_room > 0) {
            pieces.push_back(payload.substr(0, static_cast<std::size_t>(frame_room)));
            payload.erase(0, static_cast<std::size_t>(frame_room));
        }
        pieces.push_back(payload);

        // Empty pieces between; not more of them in a row than are taken.
        if (chance(20)) {
            put_empty_pieces(pieces, below(pieces.size() + 1));
        } else if (chance(10) && pieces.size() > 1) {
            put_empty_pieces(pieces, pieces.size());
            put_empty_pieces(pieces, 0);
        }

        int opcode = text ? 0x1 : 0x2;
        int rsv = compressed ? 4 : 0;
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            const bool fin = i + 1 == pieces.size();
            send(fin, rsv, opcode, pieces[i]);
            in_message_ = !fin;
            opcode = 0x0;
            rsv = 0;
            if (!fin && chance(15)) {
                send_control();
            }
            if (!fin && below(200) == 0) {
                send_close();
            }
        }
    }

    // Puts empty pieces before the one with this number (there is one non-empty piece at least
    // between two such places, or it is the only place); behind the last, one more, for the FIN.
    void put_empty_pieces(std::vector<std::string>& pieces, std::uint64_t before) {
        std::uint64_t most = agreed_.empty_fragments;
        if (most == 0 || most > 4) {
            most = 4;
        }
        std::uint64_t count = chance(30) ? most : 1 + below(most);
        if (before == pieces.size()) {
            if (pieces.back().empty()) {
                count -= 1;  // the one that stands there is no longer final
            }
            count += 1;
        }
        const auto place = pieces.begin() + static_cast<std::ptrdiff_t>(before);
        pieces.insert(place, static_cast<std::size_t>(count), std::string());
    }

    // A header that says what it is told to.
    void put_header(bool fin, int rsv, int opcode, const masking_key& key, int length_octets,
                    std::uint64_t length) {
        frames_.push_back(out_.size());
        out_ += build_header(fin, rsv, opcode, key, length_octets, length);
    }

    // A whole frame, with any form of its length.
    void put(bool fin, int rsv, int opcode, int length_octets, const std::string& payload) {
        const masking_key key = right_key();
        put_header(fin, rsv, opcode, key, length_octets, payload.size());
        out_ += mask(key, payload);
    }

    // One thing that the other side should not do, though it may turn out to be innocent.
    // (Whatever draws from the generator stands in a statement of its own: the order of arguments
    // is the compiler's.)
    void do_deed() {
        deed_after_.reset();
        const bool fin = chance(50);
        const bool short_form = chance(50);
        const int control_opcode = random_control_opcode();
        const int data_opcode = right_data_opcode();
        const int any_opcode = chance(50) ? control_opcode : data_opcode;
        const std::string some = random_octets(below(10));
        switch (below(16)) {
            case 0:
                frames_.push_back(out_.size());
                out_ += random_octets(1 + below(30));
                break;
            case 1:
                put(true, 1 + static_cast<int>(below(7)), any_opcode, 0, some);
                break;
            case 2:
                put(fin, 0, random_reserved_opcode(), 0, some);
                break;
            case 3:
                put(false, 0, control_opcode, 0, some);
                break;
            case 4: {
                const int rsv = agreed_.rsv1 && chance(20) ? 4 : 0;
                const int opcode = in_message_ ? 0x1 + static_cast<int>(below(2)) : 0x0;
                put(fin, rsv, opcode, 0, some);
                break;
            }
            case 5: {
                const masking_key key = wrong_key();
                put_header(true, 0, any_opcode, key, chance(20) ? 2 : 0, some.size());
                out_ += mask(key, some);
                break;
            }
            case 6: {
                const std::string payload = random_octets(chance(70) ? 126 : below(200));
                put(true, 0, control_opcode, short_form ? 2 : 8, payload);
                break;
            }
            case 7:
                put(true, 0, 0x8, 0, random_octets(1));
                break;
            case 8: {
                std::uint64_t size = below(short_form ? 127 : 300);
                if (chance(40)) {
                    size = 124 + below(4);
                }
                put(fin, 0, data_opcode, short_form ? 2 : 8, random_octets(size));
                break;
            }
            case 9: {
                const std::uint64_t length = (std::uint64_t{1} << 63) | rng_();
                put_header(fin, 0, data_opcode, right_key(), 8, length);
                break;
            }
            case 10:
                do_large_frame(fin);
                break;
            case 11:
                do_large_message();
                break;
            case 12:
                do_empty_fragments();
                break;
            case 13: {
                const std::uint32_t code = random_bad_code();
                put(true, 0, 0x8, 0, build_close(code, random_reason()));
                break;
            }
            case 14: {
                const std::uint32_t code = random_good_code();
                put(true, 0, 0x8, 0, build_close(code, spoil(random_text(below(60)))));
                break;
            }
            default:
                do_clash();
                break;
        }
    }

    // A header that promises too much, and the beginning of the payload.
    void do_large_frame(bool fin) {
        std::uint64_t length = 0;
        switch (below(4)) {
            case 0:
                length = rng_() / 2;
                length >>= below(46);
                break;
            case 1:
                length = largest_message(agreed_, false);
                length += length < UINT64_MAX ? 1 : 0;
                break;
            case 2:
                length = UINT64_MAX / 2;
                break;
            default:
                length = largest_frame(agreed_);
                length += length < UINT64_MAX ? 1 : 0;
                break;
        }
        const int opcode = right_data_opcode();
        put_header(fin, 0, opcode, right_key(), shortest_length_octets(length), length);
        out_ += random_octets(below(20));
    }

    // A message that goes beyond the limit with its last frame, which is not always the first one.
    void do_large_message() {
        const bool compressed = agreed_.rsv1 && !in_message_ && chance(50);
        const std::uint64_t room = largest_message(agreed_, compressed);
        const std::uint64_t frame_room = largest_frame(agreed_);
        if (room > 5000 || frame_room == 0 || room / frame_room > 100) {
            do_large_frame(true);
            return;
        }
        std::uint64_t left = room + (chance(80) ? 1 : 0);
        int opcode = in_message_ ? 0x0 : 0x2;
        int rsv = compressed ? 4 : 0;
        while (left > 0) {
            const std::uint64_t size = std::min(1 + below(left), frame_room);
            left -= size;
            put(left == 0, rsv, opcode, shortest_length_octets(size), random_octets(size));
            opcode = 0x0;
            rsv = 0;
        }
        in_message_ = false;
    }

    // Empty fragments, as many in a row as are taken, or one more.
    void do_empty_fragments() {
        const std::uint64_t most = agreed_.empty_fragments == 0 ? 10 : agreed_.empty_fragments;
        if (most > 2000 || (most > 100 && !chance(10))) {
            do_clash();
            return;
        }
        const std::uint64_t count = most + (chance(80) ? 1 : 0);
        for (std::uint64_t i = 0; i < count; ++i) {
            put(false, 0, right_data_opcode(), 0, "");
            in_message_ = true;
            if (chance(5)) {
                put(true, 0, 0x9, 0, "ping");
            }
        }
    }

    // A header with several things wrong at once, perhaps.
    void do_clash() {
        const bool fin = chance(50);
        int rsv = agreed_.rsv1 && chance(30) ? 4 : 0;
        if (chance(20)) {
            rsv = static_cast<int>(below(8));
        }
        const int opcode = static_cast<int>(below(chance(20) ? 16 : 11));
        const masking_key key = chance(80) ? right_key() : wrong_key();
        std::uint64_t length = below(128);
        int length_octets = 0;
        if (chance(30)) {
            length_octets = 2;
            length = below(300);
        } else if (chance(30)) {
            length_octets = 8;
            length = chance(50) ? below(70000) : rng_();
        } else if (chance(50)) {
            length = below(3);
        }
        put_header(fin, rsv, opcode, key, length_octets, length);
        out_ += random_octets(std::min<std::uint64_t>(length, 130));
    }

    // A place in the stream, in or near a header by preference.
    std::size_t random_place() {
        std::uint64_t place = below(out_.size());
        if (chance(60) && !frames_.empty()) {
            place = frames_.at(static_cast<std::size_t>(below(frames_.size()))) + below(4);
        }
        return static_cast<std::size_t>(std::min<std::uint64_t>(place, out_.size() - 1));
    }

    void mutate() {
        if (out_.empty()) {
            out_ = random_octets(1 + below(10));
            return;
        }
        const std::size_t place = random_place();
        const auto count = static_cast<std::size_t>(1 + below(6));
        switch (below(7)) {
            case 0:
            case 1:
                out_[place] = to_char(to_octet(out_[place]) ^ (std::uint64_t{1} << below(8)));
                break;
            case 2:
                out_.erase(place, chance(50) ? 1 : count);
                break;
            case 3:
                out_.insert(place, random_octets(chance(50) ? 1 : count));
                break;
            case 4:
                out_.insert(place, out_.substr(place, chance(50) ? 1 : 4 * count));
                break;
            case 5:
                out_[place] = random_octet();
                break;
            default:
                out_.resize(place);
                break;
        }
    }

    std::mt19937_64& rng_;
    options agreed_;
    bool hostile_;
    bool spoils_text_ = false;
    std::optional<std::uint64_t> deed_after_;  // frames to come before the deed
    bool in_message_ = false;
    std::string out_;
    std::vector<std::size_t> frames_;  // where frames begin in out_ (before any mutation)
};

// A conversation from the other side; hostile with this probability, else valid.
// The payload of compressed messages is octets at random, no DEFLATE.
inline std::string random_stream(std::mt19937_64& rng, const options& agreed,
                                 unsigned hostile_percent = 50) {
    const bool hostile = rng() % 100 < hostile_percent;
    return talker(rng, agreed, hostile).talk();
}

}  // namespace reference
