// deflate_terms.hpp -- what both ends agree on about permessage-deflate (RFC 7692, 5 and 7.1).
//
// Lines are read as well-formed ones (see extensions.hpp). Sections are those of RFC 7692.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <sockless/extensions.hpp>
#include <sockless/head_fields.hpp>
#include <sockless/octets.hpp>

namespace sockless::inline v0 {

inline constexpr std::uint8_t full_window = 15;  // 7.1.2: the logarithm of 32,768 octets

// Agreed on. The server's window is the one that the server compresses with.
struct deflate_terms {
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    std::uint8_t server_max_window_bits = full_window;
    std::uint8_t client_max_window_bits = full_window;
    friend constexpr bool operator==(const deflate_terms&, const deflate_terms&) noexcept = default;
};

// What one end wishes. A window that is out of range is the nearest one in it.
struct deflate_wishes {
    std::uint8_t window_bits = full_window;       // ours, at most: 9 to 15, as zlib has no 8
    std::uint8_t peer_window_bits = full_window;  // the peer's, at most: 8 to 15
    bool takeover = true;                         // our window stays between messages
    bool peer_takeover = true;                    // the peer's may
    bool insists = false;  // rather no compression than a peer with a larger window
};

namespace detail {
inline constexpr std::string_view deflate_name = "permessage-deflate";
inline constexpr std::array<std::string_view, 4> deflate_parameters{
    "server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits",
    "client_max_window_bits"};
enum deflate_index : std::uint8_t { server_anew, client_anew, server_bits, client_bits };

// What an element of a list says, in the order above. 0: nothing. Without a value it is 15 here.
using deflate_element = std::array<std::uint8_t, 4>;

// 7.1.2.1: "without leading zeroes between 8 to 15, inclusive".
inline constexpr std::array<std::string_view, 16> window_texts{
    "", "", "", "", "", "", "", "", "8", "9", "10", "11", "12", "13", "14", "15"};

constexpr deflate_wishes in_range(deflate_wishes wishes) noexcept {
    if (wishes.window_bits < 9) wishes.window_bits = 9;
    if (wishes.window_bits > full_window) wishes.window_bits = full_window;
    if (wishes.peer_window_bits < 8) wishes.peer_window_bits = 8;
    if (wishes.peer_window_bits > full_window) wishes.peer_window_bits = full_window;
    return wishes;
}

// The parameters of the extension that `reader` has come to. 7: nothing, if one is not defined, has
// "an invalid value" or comes twice. 7.1.1: the first two have none. 7.1.2.2: in an offer the last
// may have one. RFC 6455, 9.1 allows quotes around it; no number needs them, and we take none.
constexpr std::optional<deflate_element> read_element(extension_reader& reader,
                                                      bool is_offer) noexcept {
    deflate_element all{};
    for (parameter said; reader.next(said);) {
        std::size_t which = 0;
        while (which < all.size() && said.name != deflate_parameters[which]) ++which;
        if (which == all.size() || all[which] != 0) return std::nullopt;
        const bool bare = said.form == value_form::none;
        const bool fits = bare ? which != server_bits && (which != client_bits || is_offer)
                               : which >= server_bits && said.form == value_form::token;
        std::uint8_t bits = full_window;
        while (!bare && bits >= 8 && said.value != window_texts[bits]) --bits;
        if (!fits || bits < 8) return std::nullopt;
        all[which] = bits;
    }
    return all;
}

constexpr deflate_terms terms_of(const deflate_element& said) noexcept {
    deflate_terms terms{said[server_anew] != 0, said[client_anew] != 0};
    if (said[server_bits] != 0) terms.server_max_window_bits = said[server_bits];
    if (said[client_bits] != 0) terms.client_max_window_bits = said[client_bits];
    return terms;
}
}  // namespace detail

// The value of a Sec-WebSocket-Extensions field, in an array of its own.
class deflate_text {
  public:
    // With a fallback, the same follows without the server's window.
    constexpr explicit deflate_text(detail::deflate_element said, bool fallback) noexcept {
        put(said);
        said[detail::server_bits] = 0;
        if (fallback) put(", ");
        if (fallback) put(said);
    }

    constexpr operator std::string_view() const noexcept { return {text_.data(), size_}; }

  private:
    constexpr void put(const detail::deflate_element& said) noexcept {
        put(detail::deflate_name);
        for (std::size_t which = 0; which < said.size(); ++which) {
            if (said[which] == 0) continue;
            put("; ");
            put(detail::deflate_parameters[which]);
            if (which != detail::server_bits && said[which] == full_window) continue;
            put("=");
            put(detail::window_texts[said[which]]);
        }
    }
    constexpr void put(std::string_view text) noexcept {
        for (const char c : text) text_[size_++] = c;
    }

    std::array<char, 128 + 2 + 101> text_{};  // all parameters, and without the server's window
    std::size_t size_ = 0;
};

// What a client offers. 7.1.2.1: a server need not support a limit to its window: unless we insist,
// the same follows without one. 7.1.2.2: it may limit ours only if we say so: we always do.
constexpr deflate_text offer_of(const deflate_wishes& wishes) noexcept {
    using enum detail::deflate_index;
    const deflate_wishes ours = detail::in_range(wishes);
    detail::deflate_element offer{};
    if (!ours.peer_takeover) offer[server_anew] = full_window;
    if (!ours.takeover) offer[client_anew] = full_window;
    if (ours.peer_window_bits < full_window) offer[server_bits] = ours.peer_window_bits;
    offer[client_bits] = ours.window_bits;
    return deflate_text(offer, offer[server_bits] != 0 && !ours.insists);
}

struct accepted_deflate {
    deflate_terms terms;
    deflate_text answer;
};

// What a server accepts: of the offers in a line, the first that it can take. 5: "An element
// preceding another element has higher preference." Other extensions are passed over.
constexpr std::optional<accepted_deflate> accept_deflate(text_view line,
                                                         const deflate_wishes& wishes) noexcept {
    using enum detail::deflate_index;
    const deflate_wishes ours = detail::in_range(wishes);
    const bool must_limit = ours.insists && ours.peer_window_bits < full_window;
    extension_reader reader(line);
    for (extension found; reader.next(found);) {
        const std::optional<detail::deflate_element> offer = detail::read_element(reader, true);
        if (found.name != detail::deflate_name || !offer) continue;
        detail::deflate_element said = *offer;
        // 7.1.2.1: declined "if the server doesn't support it". With 8, zlib does not compress.
        // 7.1.2.2: what was not offered the answer "MUST NOT include", and the client has 15.
        if (said[server_bits] == 8 || (must_limit && said[client_bits] == 0)) continue;
        // 7.1.1.1: accepted "by including" it, or said unasked. 7.1.1.2: so with the client's,
        // whose hint we "use": only if we say so may we forget its window (7.2.2).
        if (!ours.takeover) said[server_anew] = full_window;
        if (!ours.peer_takeover) said[client_anew] = full_window;
        // 7.1.2.1: "the same or smaller value as the offer", or unasked.
        const std::uint8_t most = detail::terms_of(said).server_max_window_bits;
        if (most > ours.window_bits) said[server_bits] = ours.window_bits;
        // 7.1.2.2: "equal to or smaller than" the offer's. Absence says "up to 32,768 bytes".
        if (said[client_bits] > ours.peer_window_bits) said[client_bits] = ours.peer_window_bits;
        if (said[client_bits] == full_window) said[client_bits] = 0;
        return accepted_deflate{detail::terms_of(said), deflate_text(said, false)};
    }
    return std::nullopt;
}

// The same of all lines of a request: request.extensions().
constexpr std::optional<accepted_deflate> accept_deflate(const field_values& lines,
                                                         const deflate_wishes& wishes) noexcept {
    for (const text_view line : lines) {
        if (const auto accepted = accept_deflate(line, wishes)) return accepted;
    }
    return std::nullopt;
}

// What a client makes of the whole answer. Nothing: 7: it "MUST _Fail the WebSocket Connection_".
constexpr std::optional<deflate_terms> verify_deflate(text_view answer,
                                                      const deflate_wishes& offered) noexcept {
    const deflate_wishes ours = detail::in_range(offered);
    extension_reader reader(answer);
    extension found;
    if (!reader.next(found) || found.name != detail::deflate_name) return std::nullopt;
    const std::optional<detail::deflate_element> said = detail::read_element(reader, false);
    if (!said || reader.next(found)) return std::nullopt;
    deflate_terms terms = detail::terms_of(*said);
    // 7.1.1.1: an offer with it is accepted "by including" it, and all of ours had it.
    if (!ours.peer_takeover && !terms.server_no_context_takeover) return std::nullopt;
    // 7.1.2.1: "the same or smaller value". But to our fallback a server may say any, or none.
    if (ours.insists && terms.server_max_window_bits > ours.peer_window_bits) return std::nullopt;
    // 7.2.1: what we said of ours is "just a hint", which a server may ignore; it holds for us. So
    // does what it leaves unsaid (7.1.1.2, too).
    if (terms.client_max_window_bits > ours.window_bits) {
        terms.client_max_window_bits = ours.window_bits;
    }
    if (!ours.takeover) terms.client_no_context_takeover = true;
    return terms;
}

}  // namespace sockless::inline v0
