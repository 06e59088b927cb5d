// agreed.hpp -- what an opening handshake agreed on that somebody else's HTTP server received, and
// what it answers (RFC 6455, 4.2.2; 8441, 5).
//
// judge() fills it in, and a server_connection begins behind it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sockless/accept_key.hpp>
#include <sockless/http_head.hpp>
#include <sockless/octets.hpp>

namespace sockless::inline v0 {

// A longer one is never chosen.
inline constexpr std::size_t longest_protocol = 64;

// What a request and a policy agree on. It owns what it says.
struct agreed {
    bool extended = false;  // by extended CONNECT: there is no proof
    accept_value proof{};
    std::uint8_t protocol_size = 0;
    std::array<octet, longest_protocol> protocol_text{};

    constexpr text_view protocol() const noexcept {
        return {std::span<const octet>(protocol_text).first(protocol_size)};
    }
    // 101, or what RFC 8441, 5 wants: "a 2xx series status code".
    constexpr int status() const noexcept { return extended ? 200 : 101; }
};

// What to answer besides the status: views into what was agreed on.
class agreed_fields {
  public:
    explicit agreed_fields(const agreed& with) noexcept {
        if (!with.extended) {
            add("Upgrade", "websocket");
            add("Connection", "Upgrade");
            add("Sec-WebSocket-Accept", text_view{with.proof});
        }
        if (with.protocol_size != 0) add("Sec-WebSocket-Protocol", with.protocol());
    }

    const field* begin() const noexcept { return lines_.data(); }
    const field* end() const noexcept { return lines_.data() + size_; }
    std::size_t size() const noexcept { return size_; }

  private:
    void add(std::string_view name, std::string_view value) noexcept {
        lines_[size_++] = {name, value};
    }

    std::array<field, 4> lines_{};
    std::size_t size_ = 0;
};

inline agreed_fields response_fields(const agreed& with) noexcept { return agreed_fields(with); }
agreed_fields response_fields(agreed&&) = delete;  // they would point to nothing

}  // namespace sockless::inline v0
