// inputs.hpp -- what everybody is given: payloads of each kind, and streams of masked frames.
//
// This and question.hpp are C++17, because one of the peers compiles as nothing newer.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

using octets = std::vector<unsigned char>;

// The same numbers in every run.
class dice {
  public:
    std::uint32_t below(std::uint32_t most) noexcept {
        state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        return static_cast<std::uint32_t>((state_ >> 33) * most >> 31);
    }
    unsigned char octet() noexcept { return static_cast<unsigned char>(below(256)); }

  private:
    std::uint64_t state_ = 6455;
};

// ---- payloads ----

enum class kind { binary, ascii, latin, cjk, emoji };

inline const char* name_of(kind what) {
    constexpr std::array<const char*, 5> names{"binary", "ascii", "latin", "cjk", "emoji"};
    return names[static_cast<std::size_t>(what)];
}

inline std::string code_point(std::uint32_t value) {
    const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
    if (value < 0x80) return {static_cast<char>(value)};
    if (value < 0x800) return {static_cast<char>(0xC0 | value >> 6), tail(value)};
    if (value < 0x10000) {
        return {static_cast<char>(0xE0 | value >> 12), tail(value >> 6), tail(value)};
    }
    return {static_cast<char>(0xF0 | value >> 18), tail(value >> 12), tail(value >> 6),
            tail(value)};
}

inline std::string character(kind what, dice& random) {
    const bool accent = what == kind::latin && random.below(6) == 0;  // as in French
    if (accent) return code_point(0xC0 + random.below(0x40));
    if (what == kind::cjk) return code_point(0x4E00 + random.below(0x5000));
    if (what == kind::emoji) return code_point(0x1F300 + random.below(0x300));
    return random.below(6) == 0 ? " " : code_point('a' + random.below(26));
}

// Text is whole characters; where the last one does not fit, there are full stops.
inline octets payload_of(kind what, std::size_t size, dice& random) {
    octets made;
    while (made.size() < size) {
        std::string next = what == kind::binary ? std::string(1, static_cast<char>(random.octet()))
                                                : character(what, random);
        if (made.size() + next.size() > size) next = std::string(1, '.');
        made.insert(made.end(), next.begin(), next.end());
    }
    return made;
}

// ---- streams ----

// A whole frame as a client sends it.
inline octets masked_frame(const octets& payload, bool text, dice& random) {
    const std::size_t size = payload.size();
    const unsigned extra = size < 126 ? 0 : size < 65'536 ? 2 : 8;
    octets frame{static_cast<unsigned char>(text ? 0x81 : 0x82)};
    frame.push_back(static_cast<unsigned char>(0x80 | (extra == 0   ? size
                                                       : extra == 2 ? 126
                                                                    : 127)));
    for (unsigned left = extra; left-- > 0;) {
        frame.push_back(static_cast<unsigned char>(size >> 8 * left));
    }
    std::array<unsigned char, 4> key{};
    for (unsigned char& each : key) each = random.octet();
    frame.insert(frame.end(), key.begin(), key.end());
    for (std::size_t i = 0; i < size; ++i) {
        frame.push_back(static_cast<unsigned char>(payload[i] ^ key[i % 4]));
    }
    return frame;
}

// Messages of a peer, and how they arrive: in reads of so many octets each.
struct stream {
    std::string name;
    bool text = false;
    std::vector<octets> messages{};
    std::size_t payload = 0;  // octets of all messages
    octets frames{};
    std::vector<std::size_t> reads{};
    std::size_t longest_read = 0;
    bool cut = false;  // not every read ends with a message

    void add(const octets& message, dice& random) {
        const octets frame = masked_frame(message, text, random);
        messages.push_back(message);
        payload += message.size();
        frames.insert(frames.end(), frame.begin(), frame.end());
        reads.push_back(frame.size());
    }
    // As many whole frames as fit into `most` octets arrive with one read; at least one.
    void join(std::size_t most) {
        std::vector<std::size_t> joined;
        for (const std::size_t one : reads) {
            if (!joined.empty() && joined.back() + one <= most) {
                joined.back() += one;
            } else {
                joined.push_back(one);
            }
        }
        set_reads(std::move(joined));
    }
    // Every read but the last has `size` octets.
    void cut_at(std::size_t size) {
        std::vector<std::size_t> pieces(frames.size() / size, size);
        if (frames.size() % size > 0) pieces.push_back(frames.size() % size);
        set_reads(std::move(pieces));
        cut = true;
    }

  private:
    void set_reads(std::vector<std::size_t>&& sizes) {
        reads = std::move(sizes);
        longest_read = *std::max_element(reads.begin(), reads.end());
    }
};

constexpr std::size_t read_size = 65'536;

inline std::string sized(std::size_t size, kind what) {
    return std::to_string(size) + " " + name_of(what);
}

// Messages of one size, about 64 KiB of them, in one read.
inline stream stream_of(kind what, std::size_t size) {
    dice random;
    stream made{sized(size, what), what != kind::binary};
    do made.add(payload_of(what, size, random), random);
    while (made.frames.size() + size + 14 <= read_size);
    made.join(read_size);
    return made;
}

// So many that no processor learns their lengths by heart, in reads of about 64 KiB.
inline stream mixed_stream(kind what, std::size_t longest) {
    dice random;
    stream made{"1.." + sized(longest, what), what != kind::binary};
    while (made.frames.size() < 8 * read_size) {
        const double exponent = random.below(1'000'000) / 1e6;
        const auto size =
            static_cast<std::size_t>(std::pow(static_cast<double>(longest + 1), exponent));
        made.add(payload_of(what, size, random), random);
    }
    made.join(read_size);
    return made;
}

// Messages of 64 KiB in reads of 16 KiB, which end anywhere.
inline stream cut_stream(kind what) {
    dice random;
    stream made{sized(65'536, what) + " in reads of 16384", what != kind::binary};
    for (int i = 0; i < 4; ++i) made.add(payload_of(what, 65'536, random), random);
    made.cut_at(16'384);
    return made;
}

// `--quick` has the first few of these.
inline const std::vector<stream>& streams(bool quick) {
    static const std::vector<stream> all = [quick] {
        std::vector<stream> list{
            stream_of(kind::ascii, 16),     stream_of(kind::binary, 1024),
            stream_of(kind::ascii, 65'536), mixed_stream(kind::ascii, 2000),
            cut_stream(kind::cjk),
        };
        if (quick) return list;
        list.push_back(stream_of(kind::binary, 0));
        list.push_back(stream_of(kind::binary, 16));
        list.push_back(stream_of(kind::cjk, 16));
        list.push_back(stream_of(kind::binary, 125));
        list.push_back(stream_of(kind::ascii, 125));
        list.push_back(stream_of(kind::cjk, 125));
        list.push_back(stream_of(kind::ascii, 1024));
        list.push_back(stream_of(kind::latin, 1024));
        list.push_back(stream_of(kind::cjk, 1024));
        list.push_back(stream_of(kind::emoji, 1024));
        list.push_back(stream_of(kind::binary, 65'536));
        list.push_back(stream_of(kind::latin, 65'536));
        list.push_back(stream_of(kind::cjk, 65'536));
        list.push_back(stream_of(kind::emoji, 65'536));
        list.push_back(mixed_stream(kind::binary, 2000));
        list.push_back(mixed_stream(kind::cjk, 2000));
        list.push_back(mixed_stream(kind::cjk, 125));
        list.push_back(cut_stream(kind::binary));
        list.push_back(cut_stream(kind::ascii));
        return list;
    }();
    return all;
}

// ---- what leaves ----

inline std::vector<std::size_t> sent_sizes(bool quick) {
    if (quick) return {16, 1024};
    return {0, 16, 125, 1024, 65'536};
}

// Octets of a header without a key.
inline std::size_t header_of(std::size_t size) { return size < 126 ? 2 : size < 65'536 ? 4 : 10; }

// About 64 KiB of messages of one size, and where their frames go: room for any header.
struct batch {
    explicit batch(std::size_t length) : size(length), count(read_size / (length + 14) + 1) {
        dice random;
        payload = payload_of(kind::binary, size * count, random);
        out.resize((size + 14) * count);
    }
    const unsigned char* message(std::size_t i) const { return payload.data() + i * size; }

    std::size_t size;
    std::size_t count;
    octets payload{};
    octets out{};
};

// ---- the opening handshake ----

// As a browser writes it: 675 octets.
constexpr const char* browser_request =
    "GET /chat/room/42?token=8f14e45fceea167a5a36dedd4bea2543 HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36\r\n"
    "DNT: 1\r\n"
    "Upgrade: websocket\r\n"
    "Origin: https://www.example.com\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8,fr;q=0.7\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes; seen=17; "
    "visit=2026-11-21T11:47\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "\r\n";
// 1.3 has this key, and what becomes of it.
constexpr const char* accepted_key = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

}  // namespace bench
