// extensions.hpp -- what a Sec-WebSocket-Extensions line says (RFC 6455, 4.3 and 9.1).
//
//     extension-list  = 1#extension
//     extension       = extension-token *( ";" extension-param )
//     extension-param = token [ "=" (token | quoted-string) ]
//
// Judging and reading are two things. A line is judged as it comes; whoever negotiates reads it
// again, and may then take it as well-formed: every comma, semicolon and "=" separates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sockless/header_list.hpp>
#include <sockless/octets.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

namespace detail {
// Where in a line its last octet leaves us.
enum class list_place : std::uint8_t {
    start,   // in front of an element
    name,    // in its name, or in a value that is a token
    ended,   // behind that, or behind a quoted value
    semi,    // behind a semicolon
    param,   // in the name of a parameter
    paused,  // behind that
    equals,  // behind "="
    opened,  // behind the first quote
    quoted,  // in a quoted value
    no,
};

// 4.3: by the "implied *LWS rule" of RFC 2616, blanks may stand around every part. 9110, 5.6.1.2:
// an element may be empty. 9.1: "the value after quoted-string unescaping MUST conform to the
// 'token' ABNF". So nothing in it needs a backslash, and we take none: a value can stay a view.
inline constexpr std::string_view list_marks = " \t,;=\"";  // and behind them, a token
inline constexpr auto list_table = [] {
    using enum list_place;
    // clang-format off
    return std::array<std::array<list_place, 7>, 9>{{
        //            SP      HTAB    ,      ;     =       "       token
        /* start  */ {start,  start,  start, no,   no,     no,     name},
        /* name   */ {ended,  ended,  start, semi, no,     no,     name},
        /* ended  */ {ended,  ended,  start, semi, no,     no,     no},
        /* semi   */ {semi,   semi,   no,    no,   no,     no,     param},
        /* param  */ {paused, paused, start, semi, equals, no,     param},
        /* paused */ {paused, paused, start, semi, equals, no,     no},
        /* equals */ {equals, equals, no,    no,   no,     opened, name},
        /* opened */ {no,     no,     no,    no,   no,     no,     quoted},
        /* quoted */ {no,     no,     no,    no,   no,     ended,  quoted},
    }};
    // clang-format on
}();

// The column of an octet; there is none for what has no place in a list.
inline constexpr std::size_t token_column = list_marks.size();
inline constexpr std::size_t no_column = token_column + 1;
constexpr std::size_t list_column(octet next) noexcept {
    if (is_token_octet(next)) return token_column;
    std::size_t column = 0;
    while (column < list_marks.size() && next != static_cast<octet>(list_marks[column])) ++column;
    return column < list_marks.size() ? column : no_column;
}
}  // namespace detail

// Judges one line. `elements` counts those of all lines so far, of which there may be `most`, each
// with `most_parameters`: with none, this is a list of tokens.
constexpr bool is_list(text_view line, std::size_t& elements, std::size_t most,
                       std::size_t most_parameters) noexcept {
    using detail::list_place;
    const std::size_t before = elements;
    std::size_t parameters = 0;
    list_place place = list_place::start;
    for (std::size_t i = 0; i <= line.size(); ++i) {
        const octet next = i < line.size() ? line.octets[i] : octet{','};
        const std::size_t column = detail::list_column(next);
        if (column == detail::no_column) return false;
        if (!prefer_small && column == detail::token_column) {  // most of the rest leaves us there
            i += detail::run_of(line.octets.subspan(i + 1), detail::in_host);
        }
        const list_place from = place;
        place = detail::list_table[static_cast<std::size_t>(from)][column];
        if (place == list_place::no) return false;
        if (from == list_place::start && place == list_place::name) {
            parameters = 0;
            ++elements;
        }
        if (from == list_place::semi && place == list_place::param) ++parameters;
        if (elements > most || parameters > most_parameters) return false;
    }
    return elements > before;  // "1#": there has to be one
}

struct extension {
    text_view name{};
};

enum class value_form : std::uint8_t { none, token, quoted };

struct parameter {
    text_view name{};
    text_view value{};  // without the quotes
    value_form form = value_form::none;
};

// The extensions of a line that is well-formed, in the order in which the peer prefers them, and
// behind each its parameters. Of other lines it makes what it can.
class extension_reader {
  public:
    constexpr explicit extension_reader(text_view line) noexcept : rest_(line) {}

    // The next extension, whether or not the parameters of the last were read.
    constexpr bool next(extension& out) noexcept {
        for (parameter skipped; next(skipped);) continue;
        while (!rest_.empty()) {
            const text_view name = take();
            if (name.empty()) continue;
            out.name = name;
            return true;
        }
        return false;
    }

    // The next parameter of this extension.
    constexpr bool next(parameter& out) noexcept {
        if (separator_ != ';') return false;
        out = {.name = take()};
        if (separator_ != '=') return true;
        out.value = take();
        out.form = value_form::token;
        const std::size_t size = out.value.size();
        if (size < 2 || out.value.octets.front() != '"') return true;
        out.value = {out.value.octets.subspan(1, size - 2)};
        out.form = value_form::quoted;
        return true;
    }

  private:
    // What stands in front of the next separator. Behind the end there is a comma.
    constexpr text_view take() noexcept {
        const std::span<const octet> all = rest_.octets;
        std::size_t size = 0;
        while (size < all.size() && !is_separator(all[size])) ++size;
        const bool at_end = size == all.size();
        separator_ = at_end ? octet{','} : all[size];
        rest_ = {all.subspan(at_end ? size : size + 1)};
        return trim({all.first(size)});
    }

    static constexpr bool is_separator(octet o) noexcept {
        return o == ',' || o == ';' || o == '=';
    }

    text_view rest_;
    octet separator_ = ',';  // in front of `rest_`
};

// Is there an extension of this name, letter by letter, in a line that is well-formed?
constexpr bool offers(text_view line, std::string_view name) noexcept {
    extension_reader reader(line);
    for (extension found; reader.next(found);) {
        if (found.name == name) return true;
    }
    return false;
}
constexpr bool offers(text_view line, text_view name) noexcept {
    extension_reader reader(line);
    for (extension found; reader.next(found);) {
        if (found.name == name) return true;
    }
    return false;
}

}  // namespace sockless::inline v0
