// prepared.hpp -- a message that is encoded once, and sent to many (RFC 6455, 5.2).
//
// A server lends it: `ws.lend(message)`, as often as it likes and to as many as it likes, as long
// as it is there until all of them have given it back (`drained`). A client masks every frame with
// another key, so it sends the payload: send(ws, message).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include <sockless/connection.hpp>
#include <sockless/frame_header.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>
#include <sockless/server_connection.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

// How many octets encode_frame() writes.
constexpr std::size_t encoded_size(std::size_t payload) noexcept {
    return header_size(payload, false) + payload;
}

// Encodes a message in one frame, where the caller wants it; nothing if there is too little room.
// The caller vouches that text is UTF-8.
constexpr std::optional<encoded_frame> encode_frame(message_type type,
                                                    std::span<const octet> payload,
                                                    std::span<octet> out) noexcept {
    if (out.size() < encoded_size(payload.size())) return std::nullopt;
    std::array<octet, longest_header> header{};
    const std::size_t size =
        encode_header({.op = opcode_of(type), .length = payload.size()}, header);
    copy_octets(std::span(header).first(size), out);
    copy_octets(payload, out.subspan(size));
    return encoded_frame{out.first(size + payload.size()), payload.size()};
}

// The same on the heap.
class prepared {
  public:
    constexpr prepared(message_type type, std::span<const octet> payload) noexcept : type_(type) {
        const std::size_t size = encoded_size(payload.size());
        octets_ = new_octets(size);
        if (octets_ != nullptr) frame_ = *encode_frame(type, payload, {octets_, size});
    }
    constexpr prepared(prepared&& other) noexcept
        : type_(other.type_),
          octets_(std::exchange(other.octets_, nullptr)),
          frame_(std::exchange(other.frame_, {})) {}
    prepared(const prepared&) = delete;
    prepared& operator=(const prepared&) = delete;
    prepared& operator=(prepared&&) = delete;
    constexpr ~prepared() { delete[] octets_; }

    // False if there was no memory, or if it has been moved from: there is nothing to send.
    constexpr explicit operator bool() const noexcept { return octets_ != nullptr; }

    constexpr message_type type() const noexcept { return type_; }
    constexpr std::span<const octet> payload() const noexcept {
        return frame_.octets.last(frame_.payload);
    }
    constexpr operator encoded_frame() const noexcept { return frame_; }

  private:
    message_type type_;
    octet* octets_ = nullptr;
    encoded_frame frame_{};
};

constexpr result send(connection& to, const prepared& message) noexcept {
    return to.send(message.type(), message.payload());
}

}  // namespace sockless::inline v0
