// prepared_deflate.hpp -- a message that is compressed once, and sent to many (RFC 7692, 7.2.1).
//
// It refers to nothing that was sent before, so everybody can inflate it whose window is as large
// as the one that it was compressed with. All others get it plain.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sockless/compression.hpp>
#include <sockless/connection.hpp>
#include <sockless/deflate_streams.hpp>
#include <sockless/frame_header.hpp>
#include <sockless/octets.hpp>
#include <sockless/opcode.hpp>
#include <sockless/outcome.hpp>
#include <sockless/prepared.hpp>
#include <sockless/server_connection.hpp>
#include <sockless/storage.hpp>

namespace sockless::inline v0 {

class prepared_deflate {
  public:
    prepared_deflate(message_type type, std::span<const octet> payload,
                     const deflate_settings& how = {}) noexcept
        : plain_(type, payload) {
        deflater stream;
        if (payload.empty() || !stream.open(how)) return;
        const std::size_t most = stream.bound(payload.size());
        if (most == 0) return;
        octets_ = new_octets(longest_header + most);
        if (octets_ == nullptr) return;
        const std::span<octet> room(octets_, longest_header + most);
        const std::size_t size = stream.message(payload, room.subspan(longest_header));
        std::array<octet, longest_header> header{};
        const std::size_t front =
            encode_header({.rsv1 = true, .op = opcode_of(type), .length = size}, header);
        // The header stands right in front of what is compressed.
        const std::span<octet> whole = room.subspan(longest_header - front, front + size);
        copy_octets(std::span(header).first(front), whole);
        compressed_ = {whole, size, static_cast<std::uint8_t>(how.window_bits)};
    }
    prepared_deflate(const prepared_deflate&) = delete;
    prepared_deflate& operator=(const prepared_deflate&) = delete;
    ~prepared_deflate() { delete[] octets_; }

    // False if there was no memory: there is nothing to send.
    explicit operator bool() const noexcept { return static_cast<bool>(plain_); }

    const prepared& plain() const noexcept { return plain_; }
    // Without octets, if there was no memory for them.
    const encoded_frame& compressed() const noexcept { return compressed_; }

  private:
    prepared plain_;
    octet* octets_ = nullptr;
    encoded_frame compressed_{};
};

// A server lends it, as it lends what is prepared.
inline result lend(server_side& to, const prepared_deflate& message) noexcept {
    const encoded_frame& compressed = message.compressed();
    const result answer = compressed.octets.empty() ? result::not_offered : to.lend(compressed);
    return answer == result::not_offered ? to.lend(message.plain()) : answer;
}

// A client masks every frame with another key, so it compresses anew, if at all.
inline result send(connection& to, const prepared_deflate& message) noexcept {
    return send(to, message.plain());
}

}  // namespace sockless::inline v0
