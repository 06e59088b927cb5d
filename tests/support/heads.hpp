// heads.hpp -- heads of HTTP messages: written, cut everywhere, and parsed by a strict parser that
// knows nothing of the library.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sockless/octets.hpp>

#include "support/effort.hpp"
#include "support/guarded.hpp"

namespace support {

using sockless::octet;

inline std::vector<octet> octets_of_text(std::string_view text) {
    return std::vector<octet>(text.begin(), text.end());
}

inline std::string text_of(sockless::text_view text) {
    return std::string(text.octets.begin(), text.octets.end());
}

// For tables in constant evaluation.
template <std::size_t Size>
constexpr std::array<octet, Size - 1> literal(const char (&text)[Size]) {
    std::array<octet, Size - 1> octets{};
    for (std::size_t i = 0; i + 1 < Size; ++i) octets[i] = static_cast<octet>(text[i]);
    return octets;
}

// A head of these lines.
inline std::string head_of(const std::vector<std::string>& lines) {
    std::string head;
    for (const std::string& line : lines) head += line + "\r\n";
    return head + "\r\n";
}

// The lines of a head, but for one of them, or with more.
inline std::vector<std::string> with(std::vector<std::string> lines, std::size_t index,
                                     const std::string& line) {
    lines[index] = line;
    return lines;
}
inline std::vector<std::string> without(std::vector<std::string> lines, std::size_t index) {
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(index));
    return lines;
}
inline std::vector<std::string> and_also(std::vector<std::string> lines,
                                         const std::vector<std::string>& more) {
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

// What RFC 9112 says a message is, character by character, and not a blank more.
struct parsed_head {
    std::string start;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;

    // The values of one name, in lower case.
    std::vector<std::string> all(std::string_view name) const {
        std::vector<std::string> values;
        for (const auto& [key, value] : fields) {
            if (key == name) values.push_back(value);
        }
        return values;
    }
    std::string one(std::string_view name) const {
        const std::vector<std::string> values = all(name);
        if (values.size() != 1) throw std::invalid_argument("not one " + std::string(name));
        return values.front();
    }
};

namespace detail {

inline void strictly(bool holds, const std::string& what) {
    if (!holds) throw std::invalid_argument(what);
}

inline std::string take_line(std::string& rest) {
    const std::size_t end = rest.find('\n');
    strictly(end != std::string::npos && end > 0 && rest[end - 1] == '\r', "a line without CR LF");
    std::string line = rest.substr(0, end - 1);
    rest.erase(0, end + 1);
    for (const char c : line) {
        const auto value = static_cast<unsigned char>(c);  // there are machines without signs
        const bool control = (value < ' ' && value != '\t') || value == 0x7F;
        strictly(!control, "a control character in a line");
    }
    return line;
}

inline bool is_token_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

inline std::string lower(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

}  // namespace detail

// Splits a message into its parts; throws where it is none.
inline parsed_head parse_head(std::string text) {
    parsed_head head;
    head.start = detail::take_line(text);
    for (std::string line = detail::take_line(text); !line.empty();
         line = detail::take_line(text)) {
        const std::size_t colon = line.find(':');
        detail::strictly(colon != std::string::npos && colon > 0, "a line without a name: " + line);
        const std::string name = line.substr(0, colon);
        detail::strictly(std::all_of(name.begin(), name.end(), detail::is_token_char),
                         "a name that is no token: " + name);
        std::string value = line.substr(colon + 1);
        // What leaves has a single blank in front of its value, and none behind.
        detail::strictly(!value.empty() && value.front() == ' ', "no blank: " + line);
        value.erase(0, 1);
        const bool padded = !value.empty() && (value.front() == ' ' || value.front() == '\t' ||
                                               value.back() == ' ' || value.back() == '\t');
        detail::strictly(!padded, "blanks around a value: " + line);
        head.fields.emplace_back(detail::lower(name), value);
    }
    head.body = text;
    return head;
}

struct parsed_response {
    int status = 0;
    std::string reason;
    parsed_head head;
};

// A response whose body is as long as it says.
inline parsed_response parse_response(const std::string& text) {
    parsed_response response{0, "", parse_head(text)};
    const std::string& start = response.head.start;
    detail::strictly(start.size() >= 13 && start.substr(0, 9) == "HTTP/1.1 ", "version: " + start);
    for (const char c : start.substr(9, 3)) {
        detail::strictly(c >= '0' && c <= '9', "status: " + start);
        response.status = response.status * 10 + (c - '0');
    }
    detail::strictly(start[12] == ' ', "no blank behind the status: " + start);
    response.reason = start.substr(13);
    const bool bodiless =
        response.status == 101 || response.status == 204 || response.status == 304;
    const std::vector<std::string> lengths = response.head.all("content-length");
    detail::strictly(lengths.size() == (bodiless ? 0U : 1U), "content-length");
    detail::strictly(response.head.all("transfer-encoding").empty(), "transfer-encoding");
    const std::string length = bodiless ? "0" : lengths.front();
    detail::strictly(length == std::to_string(response.head.body.size()), "length " + length);
    return response;
}

struct parsed_get {
    std::string target;
    parsed_head head;
};

inline parsed_get parse_get(const std::string& text) {
    parsed_get request{"", parse_head(text)};
    const std::string& start = request.head.start;
    const std::size_t end = start.size() - std::min<std::size_t>(start.size(), 9);
    detail::strictly(start.substr(0, 4) == "GET " && start.substr(end) == " HTTP/1.1", start);
    request.target = start.substr(4, end - 4);
    detail::strictly(!request.target.empty() && request.target.front() == '/', start);
    for (const char c : request.target) {
        detail::strictly(c > ' ' && c < '\x7F' && c != '#', "target: " + start);
    }
    detail::strictly(request.head.body.empty(), "a request with a body");
    return request;
}

// Calls `use` with the sizes that a head has from read to read: whole, octet by octet, and cut in
// two everywhere. The last is its whole size. With short effort a long one is cut at a sample.
inline void for_each_growth(std::size_t size,
                            const std::function<void(const std::vector<std::size_t>&)>& use) {
    use({size});
    std::vector<std::size_t> every;
    for (std::size_t i = 0; i <= size; ++i) every.push_back(i);
    use(every);
    const std::size_t step = short_effort() && size > 1000 ? size / 500 : 1;
    for (std::size_t i = 1; i < size; i += step) use({i, size});
}

// Reads a growing head with copies of `fresh`, in each of these ways, each time from other memory
// where a step outside is noticed. Gives what came of it, which has to be the same every time; and
// once it is more than "not yet", it stays.
template <class Handshake, class Read>
auto read_growing(const Handshake& fresh, std::string_view text, const Read& read) {
    const std::vector<octet> octets = octets_of_text(text);
    Handshake first = fresh;
    const auto wanted = read(first, std::span<const octet>(exact(octets).span()));
    using Outcome = std::remove_const_t<decltype(wanted)>;
    const auto same = [](const Outcome& a, const Outcome& b) {
        return a.what == b.what && a.value == b.value && a.broken == b.broken && a.used == b.used;
    };
    for_each_growth(octets.size(), [&](const std::vector<std::size_t>& sizes) {
        Handshake handshake = fresh;
        Outcome got{};
        for (const std::size_t size : sizes) {
            const guarded piece{std::span<const octet>(octets).first(size)};
            const Outcome now = read(handshake, std::span<const octet>(piece.span()));
            if (got.what != Outcome::is::not_yet && !same(now, got)) {
                throw std::logic_error("it did not stay, at " + std::to_string(size));
            }
            const bool early = now.what != Outcome::is::not_yet && size < wanted.used;
            if (early) throw std::logic_error("too early, at " + std::to_string(size));
            // The octet that breaks a rule is enough, and the last one is.
            const bool late = now.what == Outcome::is::not_yet &&
                              wanted.what != Outcome::is::not_yet &&
                              size >= wanted.used + (wanted.what == Outcome::is::broken ? 1 : 0);
            if (late) throw std::logic_error("too late, at " + std::to_string(size));
            got = now;
        }
        if (!same(got, wanted)) {
            throw std::logic_error("another outcome, cut at " + std::to_string(sizes.front()));
        }
    });
    return wanted;
}

}  // namespace support
