// frame_writer.hpp -- messages to octets (RFC 6455, 5.1, 6.1).
//
// A data frame is a header, which start() puts into an array of its own, and a payload of the
// length that was announced, in pieces that pay() masks in place or while copying: nothing here
// holds more than one key. write() is both at once, into one span. Control frames are whole, and
// leave between frames only.
//
// A frame with a key is masked: a client passes a fresh one for every frame, a server none (5.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <sockless/fragmentation.hpp>
#include <sockless/frame_header.hpp>
#include <sockless/masking.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>

namespace sockless::inline v0 {

// The header of a frame that has been started.
struct frame_start {
    std::array<octet, longest_header> octets{};
    std::uint8_t size = 0;

    constexpr std::span<const octet> view() const noexcept {
        return std::span<const octet>(octets).first(size);
    }
};

// What a data frame is besides its payload.
struct frame_kind {
    message_type type = message_type::binary;
    bool last = true;         // the message ends with this frame
    bool compressed = false;  // sets RSV1 on the message's first frame
};

inline constexpr std::size_t longest_control_frame =
    2 + sizeof(masking_key) + longest_control_payload;

namespace detail {
// Writes a payload, for which there is room.
[[gnu::always_inline]] constexpr void put_payload(std::span<const octet> payload,
                                                  const std::optional<masking_key>& key,
                                                  std::span<octet> out) noexcept {
    if (key) {
        mask_copy(payload, out, *key);
    } else {
        copy_octets(payload, out);
    }
}

// Writes a whole control frame, whose payload is not too large, and says its size.
constexpr std::size_t put_control(opcode op, std::span<const octet> payload,
                                  const std::optional<masking_key>& key,
                                  std::span<octet, longest_control_frame> out) noexcept {
    put_start(out, first_octet_of(true, false, op), key.has_value(),
              static_cast<octet>(payload.size()));
    const std::size_t head = put_key(key, out, 2);
    put_payload(payload, key, out.subspan(head, payload.size()));
    return head + payload.size();
}
}  // namespace detail

// Writes a whole control frame; a payload above 125 octets is too large (5.5).
constexpr written write_control(opcode op, std::span<const octet> payload,
                                const std::optional<masking_key>& key,
                                std::span<octet, longest_control_frame> out) noexcept {
    if (payload.size() > longest_control_payload) return {result::too_large, 0};
    return {result::done, detail::put_control(op, payload, key, out)};
}

// What is owed is counted in a size_t, as is what arrives.
inline constexpr std::uint64_t longest_sent =
    wire::longest_frame < SIZE_MAX ? wire::longest_frame : SIZE_MAX;

class frame_writer {
  public:
    // Starts the next frame of a message, of `length` octets. Behind a frame that was not the last
    // of its message comes a continuation, so its type has to be the same.
    constexpr result start(frame_kind frame, std::uint64_t length,
                           const std::optional<masking_key>& key, frame_start& out) noexcept {
        return owed_ > 0 ? result::mid_frame : start_next(frame, length, key, out);
    }

    // The same for who knows that no frame is open.
    constexpr result start_next(frame_kind frame, std::uint64_t length,
                                const std::optional<masking_key>& key, frame_start& out) noexcept {
        const octet first = first_octet(frame);
        const result allowed = may_start(frame.type, length);
        if (allowed != result::done) return allowed;
        owed_ = static_cast<std::size_t>(length);
        out.size = static_cast<std::uint8_t>(begin(frame, first, owed_, key, out.octets));
        masked_ = key.has_value();
        if (masked_) key_ = *key;
        return result::done;
    }

    // Masks the next octets of the frame's payload in place, if it is masked, and gives back those
    // that belong to it: all, or as many as were owed.
    constexpr std::span<octet> pay(std::span<octet> piece) noexcept {
        const std::span<octet> paid = piece.first(payable(piece.size()));
        if (masked_) key_ = mask(paid, key_);
        owed_ -= paid.size();
        return paid;
    }

    // The same for a frame that is not masked, so that its payload may be of octets that must not
    // change.
    constexpr std::span<const octet> pay_plain(std::span<const octet> piece) noexcept {
        const std::span<const octet> paid = piece.first(payable(piece.size()));
        owed_ -= paid.size();
        return paid;
    }

    // The same while copying, to where they do not overlap; says how many octets were owed, given
    // and held.
    constexpr std::size_t pay(std::span<const octet> piece, std::span<octet> out) noexcept {
        const std::size_t size = payable(piece.size() < out.size() ? piece.size() : out.size());
        if (masked_) {
            key_ = mask_copy(piece.first(size), out, key_);
        } else {
            copy_octets(piece.first(size), out);
        }
        owed_ -= size;
        return size;
    }

    // Writes a whole data frame. If `out` is too small nothing is written, and the size it takes is
    // given. `payload` and `out` do not overlap: what is to leave from where it lies is started,
    // and paid in place.
    constexpr written write(frame_kind frame, std::span<const octet> payload, std::span<octet> out,
                            const std::optional<masking_key>& key) noexcept {
        const result allowed =
            owed_ > 0 ? result::mid_frame : may_start(frame.type, payload.size());
        if (allowed != result::done) return {allowed, 0};
        const std::size_t size = header_size(payload.size(), key.has_value()) + payload.size();
        if (out.size() < size) return {result::full, size};
        const std::size_t head = begin(frame, first_octet(frame), payload.size(), key, out);
        detail::put_payload(payload, key, out.subspan(head));
        return {result::done, size};
    }

    // Octets that the open frame still lacks; 0: between frames.
    constexpr std::uint64_t owed() const noexcept { return owed_; }
    // The message that is unfinished, if any.
    constexpr fragmentation message() const noexcept { return message_; }

    friend constexpr bool operator==(const frame_writer&, const frame_writer&) noexcept = default;

  private:
    constexpr result may_start(message_type type, std::uint64_t length) const noexcept {
        const bool continues = message_ != fragmentation::none;
        if (continues && message_ != unfinished(type)) return result::mid_message;
        return length > longest_sent ? result::too_large : result::done;
    }

    // What the next frame of a message begins with.
    constexpr octet first_octet(frame_kind frame) const noexcept {
        octet first = detail::first_octet_of(frame.last, frame.compressed, opcode_of(frame.type));
        // 5.4: a continuation has no opcode; RFC 7692, 6: and no RSV1.
        if (message_ != fragmentation::none) first &= wire::fin;
        return first;
    }

    // Writes the header of the next frame of a message.
    constexpr std::size_t begin(frame_kind frame, octet first, std::size_t length,
                                const std::optional<masking_key>& key,
                                std::span<octet> out) noexcept {
        message_ = behind(frame.type, frame.last);
        return detail::put_header(first, length, key, out);
    }

    constexpr std::size_t payable(std::size_t size) const noexcept {
        return size < owed_ ? size : owed_;
    }

    std::size_t owed_ = 0;
    masking_key key_{};
    bool masked_ = false;
    fragmentation message_ = fragmentation::none;
};

}  // namespace sockless::inline v0
