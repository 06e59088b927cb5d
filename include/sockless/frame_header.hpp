// frame_header.hpp -- the layout of a frame's header, both ways (RFC 6455, 5.2).
//
//    0 1 2 3 4 5 6 7   0 1 2 3 4 5 6 7
//   +-+-+-+-+-------+ +-+-------------+ +- - - - - - - - -+ +- - - - - - -+
//   |F|R|R|R| opcode| |M| payload len | | extended length  | | masking key |
//   |I|S|S|S|  (4)  | |A|     (7)     | | 0, 2 or 8 octets | |  0 or 4     |
//   |N|V|V|V|       | |S|             | | if 126, or 127   | |  octets     |
//   | |1|2|3|       | |K|             | |                  | |             |
//   +-+-+-+-+-------+ +-+-------------+ +- - - - - - - - -+ +- - - - - - -+
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <sockless/limits.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

namespace wire {
inline constexpr octet fin = 0x80;
inline constexpr octet rsv1 = 0x40;
inline constexpr octet rsv_bits = 0x70;
inline constexpr octet opcode_bits = 0x0F;
inline constexpr octet mask = 0x80;
inline constexpr octet length_bits = 0x7F;
inline constexpr octet length16 = 126;
inline constexpr octet length64 = 127;
inline constexpr std::uint64_t longest_frame = UINT64_MAX >> 1;  // the top bit is 0
}  // namespace wire

inline constexpr std::size_t longest_header = 14;
inline constexpr std::size_t longest_control_payload = 125;  // 5.5

// What a header says. It is masked if it has a key.
struct frame_header {
    bool fin = true;
    bool rsv1 = false;
    opcode op = opcode::binary;
    std::optional<masking_key> key{};
    std::uint64_t length = 0;

    friend constexpr bool operator==(const frame_header&, const frame_header&) noexcept = default;
};

// 5.2: "the minimal number of bytes MUST be used to encode the length".
constexpr octet length_code(std::uint64_t length) noexcept {
    if (length < wire::length16) return static_cast<octet>(length);
    return length <= 0xFFFF ? wire::length16 : wire::length64;
}
constexpr std::size_t extended_length_size(octet code) noexcept {
    if (code < wire::length16) return 0;
    return code == wire::length16 ? 2 : 8;
}

constexpr std::size_t header_size(std::uint64_t length, bool masked) noexcept {
    return 2 + extended_length_size(length_code(length)) + (masked ? sizeof(masking_key) : 0);
}

namespace detail {
constexpr octet first_octet_of(bool fin, bool rsv1, opcode op) noexcept {
    return static_cast<octet>((fin ? wire::fin : 0) | (rsv1 ? wire::rsv1 : 0) |
                              static_cast<octet>(op));
}

constexpr void put_start(std::span<octet> out, octet first, bool masked, octet code) noexcept {
    out[0] = first;
    out[1] = static_cast<octet>((masked ? wire::mask : 0) | code);
}

// A header, all but its key.
constexpr std::size_t put_keyless(std::span<octet> out, octet first, bool masked,
                                  std::uint64_t length) noexcept {
    const octet code = length_code(length);
    const std::size_t extended = extended_length_size(code);
    put_start(out, first, masked, code);
    // A size that is known takes one store.
    if (!prefer_small && extended == 2) {
        store_network(length, out.subspan(2, 2));
        return 4;
    }
    if (!prefer_small && extended == 0) return 2;
    store_network(length, out.subspan(2, extended));
    return 2 + extended;
}

// The key, if any, behind so many octets. It comes apart, because a copy of one that was made just
// now would be waited for. Inlined, so that a server knows of no key.
[[gnu::always_inline]] constexpr std::size_t put_key(const std::optional<masking_key>& key,
                                                     std::span<octet> out,
                                                     std::size_t size) noexcept {
    if (!key) return size;
    // From a copy: GCC 12 warns of a read of what an optional lacks where the key is copied away.
    const masking_key copy = *key;
    for (const octet o : copy.octets) out[size++] = o;
    return size;
}

// encode_header(), where there is just room for what it takes.
[[gnu::always_inline]] constexpr std::size_t put_header(octet first, std::uint64_t length,
                                                        const std::optional<masking_key>& key,
                                                        std::span<octet> out) noexcept {
    return put_key(key, out, put_keyless(out, first, key.has_value(), length));
}
}  // namespace detail

// Writes the header and says how many octets it took. The length is at most wire::longest_frame.
constexpr std::size_t encode_header(const frame_header& header,
                                    std::span<octet, longest_header> out) noexcept {
    return detail::put_header(detail::first_octet_of(header.fin, header.rsv1, header.op),
                              header.length, header.key, out);
}

// What a receiver knows of the frames to come: its own role, and whether an extension that was
// agreed on gives RSV1 a meaning.
struct expected_frames {
    role receiver = role::server;
    bool rsv1 = false;

    friend constexpr bool operator==(expected_frames, expected_frames) noexcept = default;
};

// The rules that each octet can break by itself, in the order in which they are judged.
constexpr rule judge_first_octet(octet first, expected_frames expected) noexcept {
    const auto op = static_cast<opcode>(first & wire::opcode_bits);
    // 5.2: the RSV bits "MUST be 0 unless an extension is negotiated that defines meanings for
    // non-zero values". RFC 7692, 6: RSV1 has one on the first frame of a message, and on no other.
    const bool begins = op == opcode::text || op == opcode::binary;
    const int reserved = expected.rsv1 && begins ? wire::rsv_bits & ~wire::rsv1 : wire::rsv_bits;
    if ((first & reserved) != 0) return rule::reserved_bits;
    if (is_reserved(op)) return rule::reserved_opcode;
    // 5.5: "All control frames ... MUST NOT be fragmented."
    if (is_control(op) && (first & wire::fin) == 0) return rule::fragmented_control;
    return rule::none;
}

constexpr rule judge_second_octet(octet first, octet second, expected_frames expected) noexcept {
    const auto op = static_cast<opcode>(first & wire::opcode_bits);
    const octet code = second & wire::length_bits;
    const bool masked = (second & wire::mask) != 0;
    // 5.1: "The server MUST close the connection upon receiving a frame that is not masked",
    // "A client MUST close a connection if it detects a masked frame".
    const bool should = masks(other(expected.receiver));
    if (masked != should) return should ? rule::unmasked_frame : rule::masked_frame;
    if (!is_control(op)) return rule::none;
    // 5.5: "All control frames MUST have a payload length of 125 bytes or less".
    if (code > longest_control_payload) return rule::long_control;
    // 5.5.1: a body begins with a 2-octet status code.
    if (op == opcode::close && code == 1) return rule::short_close;
    return rule::none;
}

// A frame that is arriving: as much of its header as has come, then what its payload still lacks.
class arriving_frame {
  public:
    constexpr explicit arriving_frame(role receiver) noexcept
        : end_(masks(other(receiver)) ? longest_header : key_place) {}

    // Takes the next octet of the header and judges it: the first octet that breaks a rule is the
    // last.
    constexpr rule take(octet next, const expected_frames& expected) noexcept {
        const octet place = place_++;
        if (place == 0) {
            first_ = next;
            return judge_first_octet(next, expected);
        }
        if (place == 1) {
            const octet code = next & wire::length_bits;
            length_code_ = code;
            if (code == wire::length16) place_ = length16_place;
            if (code < wire::length16) {
                left_ = code;
                place_ = key_place;
            }
            return judge_second_octet(first_, next, expected);
        }
        if (place < key_place) return take_length(place, next);
        key_ = key_.after(1);
        key_.octets[3] = next;
        return rule::none;
    }

    // Takes a whole header at once if it is a common one: all there, not a 64-bit length, and no
    // rule broken after its first octet, which has been judged. It only ever accepts; all else goes
    // to take(), which names the rule. `in` holds two octets at least. Says its size, or 0.
    constexpr std::size_t take_common(std::span<const octet> in,
                                      expected_frames expected) noexcept {
        const octet code = in[1] & wire::length_bits;
        const std::size_t extended = extended_length_size(code);
        const std::size_t size = 2 + extended + ((in[1] & wire::mask) != 0 ? sizeof key_ : 0);
        if (code == wire::length64 || in.size() < size) return 0;
        if (judge_second_octet(in[0], in[1], expected) != rule::none) return 0;
        const std::size_t length = extended == 0 ? code : load_network16(in[2], in[3]);
        if (code == wire::length16 && length < wire::length16) return 0;
        first_ = in[0];
        length_code_ = code;
        left_ = length;
        copy_octets(in.subspan(2 + extended, size - 2 - extended), key_.octets);
        place_ = end_;
        return size;
    }

    // Where the next octet stands in the longest header. A shorter length has the last of the
    // places for eight octets, or none, so that whatever is judged has one place in every header.
    constexpr std::size_t place() const noexcept { return place_; }
    // Was the octet just taken the last of the length?
    constexpr bool has_length() const noexcept { return place_ == key_place; }
    constexpr bool has_header() const noexcept { return place_ == end_; }

    constexpr bool is_final() const noexcept { return (first_ & wire::fin) != 0; }
    constexpr bool has_rsv1() const noexcept { return (first_ / wire::rsv1 & 1) != 0; }
    constexpr opcode op() const noexcept { return static_cast<opcode>(first_ & wire::opcode_bits); }
    constexpr octet length_code() const noexcept { return length_code_; }
    constexpr bool is_masked() const noexcept { return end_ == longest_header; }
    constexpr std::size_t key_size() const noexcept { return end_ - std::size_t{key_place}; }

    // The payload: how much is still to come, the key for what comes next, and "this much came".
    constexpr std::size_t left() const noexcept { return left_; }
    // And how much of the message may be.
    constexpr std::size_t room() const noexcept { return is_final() ? left_ : unlimited; }
    constexpr masking_key key() const noexcept { return key_; }
    constexpr void advance(std::size_t count, masking_key next) noexcept {
        left_ -= count;
        key_ = next;
    }

    // The same for one octet: what it is, and that it came.
    constexpr octet unmasked(octet next) const noexcept { return next ^ key_.octets[0]; }
    constexpr void advance() noexcept { advance(1, key_.after(1)); }

    // It has all come: the next octet begins another.
    constexpr void end() noexcept { place_ = 0; }

    friend constexpr bool operator==(const arriving_frame&,
                                     const arriving_frame&) noexcept = default;

  private:
    static constexpr octet key_place = longest_header - sizeof(masking_key);
    static constexpr octet length16_place = key_place - 2;

    constexpr rule take_length(octet place, octet next) noexcept {
        // A length that a size_t cannot hold stays at the value above all limits.
        left_ = (left_ > (unlimited >> 8) ? unlimited : left_ << 8) | next;
        // 5.2: "the most significant bit MUST be 0".
        if (place == 2 && next > 0x7F) return rule::huge_length;
        // 5.2: the shortest form. Six octets of zero prove a value that two octets could hold.
        const bool padded = place == 7 ? left_ == 0 : place == 9 && left_ < wire::length16;
        return padded ? rule::padded_length : rule::none;
    }

    octet first_ = 0;
    octet length_code_ = 0;
    octet place_ = 0;
    octet end_;  // the place behind the last octet
    masking_key key_{};
    std::size_t left_ = 0;
};

// Reads one header from the front of `in`. A length that a size_t cannot hold is a large frame.
constexpr outcome<frame_header> decode_header(std::span<const octet> in,
                                              expected_frames expected) noexcept {
    arriving_frame frame(expected.receiver);
    for (std::size_t i = 0; i < in.size(); ++i) {
        rule broken = frame.take(in[i], expected);
        const bool too_long = frame.has_length() && frame.left() == unlimited;
        if (broken == rule::none && too_long) broken = rule::large_frame;
        if (broken != rule::none) {
            return {.what = outcome<frame_header>::is::broken, .broken = broken, .used = i};
        }
        if (!frame.has_header()) continue;
        frame_header header{.fin = frame.is_final(),
                            .rsv1 = frame.has_rsv1(),
                            .op = frame.op(),
                            .length = frame.left()};
        if (frame.is_masked()) header.key = frame.key();
        return {.what = outcome<frame_header>::is::value, .value = header, .used = i + 1};
    }
    return {.used = in.size()};
}

}  // namespace sockless::inline v0
