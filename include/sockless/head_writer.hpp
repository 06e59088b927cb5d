// head_writer.hpp -- heads that leave, and what a caller may put into them (RFC 9112, 2.1, 5).
//
// What the caller supplies is judged before anything is written: nothing that could end a line, or
// be taken for another field, ever leaves.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

#include <sockless/base64.hpp>
#include <sockless/extensions.hpp>
#include <sockless/header_list.hpp>
#include <sockless/http_head.hpp>
#include <sockless/octets.hpp>
#include <sockless/outcome.hpp>

namespace sockless::inline v0 {

// Writes what fits, and counts everything.
class head_writer {
  public:
    constexpr explicit head_writer(std::span<octet> out) noexcept : out_(out) {}

    constexpr void put(std::string_view text) noexcept {
        out_ = out_.subspan(copy_text(text, out_));
        size_ += text.size();
    }
    constexpr void put(std::span<const octet> octets) noexcept {
        out_ = out_.subspan(copy_octets(octets, out_));
        size_ += octets.size();
    }

    // In decimal digits.
    constexpr void put_number(std::size_t number) noexcept {
        std::array<octet, 20> digits{};
        std::size_t begin = digits.size();
        do {
            digits[--begin] = static_cast<octet>('0' + number % 10);
            number /= 10;
        } while (number != 0);
        put(std::span<const octet>(digits).subspan(begin));
    }

    // RFC 7617, 2: in base64, the user, a colon and the password.
    constexpr void put_credentials(std::string_view user, std::string_view password) noexcept {
        base64_encoder encoder(out_);
        for (const std::string_view part : {user, std::string_view(":"), password}) {
            for (const char c : part) encoder.take(static_cast<octet>(c));
        }
        const std::size_t size = encoder.finish();
        out_ = out_.subspan(size < out_.size() ? size : out_.size());
        size_ += size;
    }

    constexpr void put_line(std::string_view name, std::string_view value) noexcept {
        put(name);
        put(": ");
        put(value);
        put("\r\n");
    }
    constexpr void put_lines(std::span<const field> lines) noexcept {
        for (const field& line : lines) put_line(line.name, line.value);
    }

    constexpr std::size_t size() const noexcept { return size_; }

  private:
    std::span<octet> out_;
    std::size_t size_ = 0;
};

// Composes a head twice: to see how much room it takes, and then to write it.
template <class Compose>
constexpr written write_head(std::span<octet> out, const Compose& compose) noexcept {
    std::size_t size = 0;
    for (const bool measured : {false, true}) {
        head_writer writer(measured ? out : std::span<octet>{});
        compose(writer);
        size = writer.size();
        if (size > out.size()) return {result::full, size};
    }
    return {result::done, size};
}

// The octets of a text that the caller supplies, in constant evaluation as well: there they are
// copied, and there may be 512 of them.
class supplied_text {
  public:
    constexpr explicit supplied_text(std::string_view text) noexcept {
        text_ = std::is_constant_evaluated()
                    ? text_view{std::span<const octet>(copy_).first(copy_text(text, copy_))}
                    : text_view{octets_of(text)};
    }

    constexpr text_view view() const noexcept { return text_; }

  private:
    text_view text_{};
    std::array<octet, 512> copy_{};
};

// The fields of a handshake, and those that say where a head or its body ends.
constexpr bool is_field_of_ours(std::string_view name) noexcept {
    const supplied_text text(name);
    for (const std::string_view ours :
         {"Upgrade", "Connection", "Content-Length", "Transfer-Encoding"}) {
        if (same_text(text.view(), ours)) return true;
    }
    return begins_with(text.view(), "Sec-WebSocket-");
}

// May the caller's fields leave beside ours?
constexpr bool may_leave(std::span<const field> lines) noexcept {
    bool all_may = true;
    for (const field& line : lines) {
        all_may = all_may && is_token(line.name) && is_field_value(line.value) &&
                  !is_field_of_ours(line.name);
    }
    return all_may;
}

// Is this a list of extensions, and is this true of the name of each?
template <class Predicate>
constexpr bool every_extension(text_view line, const Predicate& predicate) noexcept {
    std::size_t count = 0;
    if (!is_list(line, count, 0xFF, 0xFF)) return false;
    extension_reader reader(line);
    for (extension found; reader.next(found);) {
        if (!predicate(found.name)) return false;
    }
    return true;
}

}  // namespace sockless::inline v0
