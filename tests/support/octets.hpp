// octets.hpp -- octets as a person writes them: hexadecimal digits, repetitions and quoted text.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/masking.hpp>
#include <sockless/octets.hpp>

#include "support/reference.hpp"

namespace support {

using sockless::octet;

namespace detail {

class octet_notation {
  public:
    explicit octet_notation(std::string_view text) : text_(text) {}

    std::vector<octet> read() {
        while (!rest().empty()) {
            if (rest().front() == ' ' || rest().front() == '\n' || rest().front() == '|') {
                ++place_;
            } else if (rest().front() == '"') {
                needs(!half_);
                append(quoted(), 1);
            } else {
                read_digits();
            }
        }
        needs(!half_);
        return out_;
    }

  private:
    void read_digits() {
        const std::size_t digits = rest().find_first_not_of("0123456789");
        if (digits == 0 || digits >= rest().size() || rest()[digits] != '*') {
            const int high_or_low = digit();
            if (half_) out_.push_back(static_cast<octet>(*half_ << 4 | high_or_low));
            half_ = half_ ? std::nullopt : std::optional(high_or_low);
            return;
        }
        needs(!half_);
        std::size_t times = 0;
        std::from_chars(rest().data(), rest().data() + digits, times);
        place_ += digits + 1;
        needs(!rest().empty());
        append(rest().front() == '"' ? quoted() : group(), times);
    }

    std::vector<octet> group() {
        std::vector<octet> octets;
        while (!rest().empty() && rest().front() != ' ' && rest().front() != '|') {
            octets.push_back(pair());
        }
        needs(!octets.empty());
        return octets;
    }

    std::vector<octet> quoted() {
        std::vector<octet> octets;
        ++place_;
        while (true) {
            const char next = take();
            if (next == '"') return octets;
            if (next == '\\') {
                const char escaped = take();
                needs(escaped == 'x' || escaped == '"' || escaped == '\\');
                octets.push_back(escaped == 'x' ? pair() : static_cast<octet>(escaped));
            } else {
                octets.push_back(static_cast<octet>(next));
            }
        }
    }

    octet pair() {
        const int high = digit();
        return static_cast<octet>(high << 4 | digit());
    }

    int digit() {
        const char next = take();
        if (next >= '0' && next <= '9') return next - '0';
        if (next >= 'A' && next <= 'F') return next - 'A' + 10;
        needs(next >= 'a' && next <= 'f');
        return next - 'a' + 10;
    }

    char take() {
        needs(!rest().empty());
        return text_[place_++];
    }

    void append(const std::vector<octet>& octets, std::size_t times) {
        for (; times > 0; --times) out_.insert(out_.end(), octets.begin(), octets.end());
    }

    std::string_view rest() const { return text_.substr(place_); }

    void needs(bool condition) const {
        if (condition) return;
        throw std::invalid_argument("no octets at " + std::to_string(place_) +
                                    " of: " + std::string(text_));
    }

    std::string_view text_;
    std::size_t place_ = 0;
    std::vector<octet> out_;
    std::optional<int> half_;  // of an octet: its first digit
};

}  // namespace detail

// "82 FE 007E | 00000000 | 126*41" and so on: digits in any grouping, blanks and `|` between them,
// `N*` in front of what is repeated, up to the next blank, and "text" with \xNN, \" and \\ in it.
inline std::vector<octet> octets(std::string_view notation) {
    return detail::octet_notation(notation).read();
}

// "82 FE 00 7E"
inline std::string hex(std::span<const octet> octets) {
    std::string text;
    for (const octet o : octets) {
        if (!text.empty()) text += ' ';
        text += "0123456789ABCDEF"[o >> 4];
        text += "0123456789ABCDEF"[o & 0xF];
    }
    return text;
}

inline std::string to_string(std::span<const octet> octets) {
    return std::string(octets.begin(), octets.end());
}

// A frame that the library had no hand in. rsv: 4 is RSV1, 2 is RSV2, 1 is RSV3.
inline std::vector<octet> frame(bool fin, int rsv, int op, std::optional<sockless::masking_key> key,
                                std::span<const octet> payload) {
    reference::masking_key plain;
    if (key) plain = key->octets;
    const std::string all = reference::build_frame(fin, rsv, op, plain, to_string(payload));
    return std::vector<octet>(all.begin(), all.end());
}

inline std::vector<octet> frame(bool fin, int rsv, int op, std::optional<sockless::masking_key> key,
                                std::string_view payload) {
    const std::vector<octet> octets(payload.begin(), payload.end());
    return frame(fin, rsv, op, key, std::span<const octet>(octets));
}

template <class... Octets>
std::vector<octet> concat(const Octets&... parts) {
    std::vector<octet> all;
    (all.insert(all.end(), std::begin(parts), std::end(parts)), ...);
    return all;
}

}  // namespace support
