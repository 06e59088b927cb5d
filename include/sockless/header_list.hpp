// header_list.hpp -- field values: tokens and lists (RFC 9110, 5.5 and 5.6).
//
// Every reader goes through its text once, whatever the text is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <sockless/blocks.hpp>
#include <sockless/octets.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

namespace detail {
// What firmware carries of a test: the octets behind which its answer changes, and the last of all.
template <class Test>
inline constexpr auto borders_of = [] {
    constexpr auto passes = [](unsigned o) { return Test{}(static_cast<octet>(o)) != 0; };
    constexpr std::size_t count = [=] {
        std::size_t found = 1;
        for (unsigned o = 0; o < 255; ++o) found += std::size_t{passes(o) != passes(o + 1)};
        return found;
    }();
    std::array<octet, count> borders{};
    std::size_t found = 0;
    for (unsigned o = 0; o < 255; ++o) {
        if (passes(o) != passes(o + 1)) borders[found++] = static_cast<octet>(o);
    }
    borders[found] = 255;
    return borders;
}();
[[gnu::noinline]] constexpr bool is_between(octet o, const octet* border) noexcept {
    bool inside = false;
    for (; o > *border; ++border) inside = !inside;
    return inside;
}

// RFC 9110, 5.6.2: tchar.
inline constexpr auto token_table = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                         "abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
        table[static_cast<octet>(c)] = true;
    }
    return table;
}();
inline constexpr auto in_token = [](octet o) noexcept { return token_table[o]; };

template <class Test>
constexpr bool is_in(octet o, Test test) noexcept {
    if constexpr (prefer_small) return is_between(o, borders_of<Test>.data());
    return test(o);
}
}  // namespace detail

constexpr bool is_token_octet(octet o) noexcept { return detail::is_in(o, detail::in_token); }

constexpr bool is_blank(octet o) noexcept { return o == ' ' || o == '\t'; }

namespace detail {
// Tests of one octet, or of each in a vector. 5.5: what a field value consists of. No control but
// HTAB; above ASCII, anything.
inline constexpr auto in_value = [](auto o) noexcept {
    return ((o >= octet{' '}) & (o != octet{0x7F})) | (o == octet{'\t'});
};
// The sign makes a number of a bool: clang takes "|" between two that are called for a mistake.
inline constexpr auto is_within = [](auto o, octet first, octet last) noexcept {
    return +(static_cast<decltype(o)>(o - first) <= static_cast<octet>(last - first));
};
inline constexpr auto is_letter = [](auto o) noexcept {
    return is_within(static_cast<decltype(o)>(o | octet{0x20}), 'a', 'z');
};
// What hosts and most tokens consist of: letters, digits and three marks.
inline constexpr auto in_host = [](auto o) noexcept {
    return is_letter(o) | (is_within(o, '-', '9') & (o != octet{'/'})) | (o == octet{'_'});
};

template <class Octets, class Test>
std::size_t run_by(std::span<const octet> text, Test test) noexcept {
    std::size_t run = 0;
    for (; text.size() - run >= sizeof(Octets); run += sizeof(Octets)) {
        Octets next;
        load(text.data() + run, next);
        const std::size_t passed = first_set(~test(next));
        if (passed < sizeof next) return run + passed;
    }
    Octets last{};
    if (run < text.size()) copy_memory(text.data() + run, &last, text.size() - run);
    return run + first_set(~test(last));
}

template <class Test>
constexpr std::size_t run_octets(std::span<const octet> text, Test test) noexcept {
    std::size_t run = 0;
    while (run < text.size() && test(text[run])) ++run;
    return run;
}
constexpr std::size_t run_between(std::span<const octet> text, const octet* border) noexcept {
    std::size_t run = 0;
    while (run < text.size() && is_between(text[run], border)) ++run;
    return run;
}

// How many octets in front pass such a test, which NUL never does.
template <class Test>
constexpr std::size_t run_of(std::span<const octet> text, Test test) noexcept {
    if constexpr (prefer_small) return run_between(text, borders_of<Test>.data());
    if constexpr (sizeof(sure_octets) > 1 && !prefer_small) {
        if (!std::is_constant_evaluated()) return run_by<sure_octets>(text, test);
    }
    return run_octets(text, test);
}
}  // namespace detail

constexpr bool is_field_octet(octet o) noexcept { return detail::in_value(o); }

// 5.6.2: at least one octet.
constexpr bool is_token(std::string_view text) noexcept {
    for (const char c : text) {
        if (!is_token_octet(static_cast<octet>(c))) return false;
    }
    return !text.empty();
}

// 5.5: "A field value does not include leading or trailing whitespace." It may be empty.
constexpr bool is_field_value(std::string_view text) noexcept {
    for (const char c : text) {
        if (!is_field_octet(static_cast<octet>(c))) return false;
    }
    return text.empty() || (!is_blank(static_cast<octet>(text.front())) &&
                            !is_blank(static_cast<octet>(text.back())));
}

namespace detail {
// How many octets in front can be in a name.
constexpr std::size_t token_run(std::span<const octet> text) noexcept {
    std::size_t run = run_of(text, in_host);
    while (run < text.size() && is_token_octet(text[run])) ++run;
    return run;
}
}  // namespace detail

constexpr octet lower_case(octet o) noexcept {
    return o >= 'A' && o <= 'Z' ? static_cast<octet>(o + ('a' - 'A')) : o;
}

namespace detail {
// How many octets in front are the same in both, as far as eight at a time can tell.
template <class Char>
std::size_t same_words(std::span<const octet> a, std::span<const Char> b) noexcept {
    std::size_t same = 0;
    for (std::uint64_t first = 0, second = 0; a.size() - same >= sizeof first;
         same += sizeof first) {
        copy_memory(a.data() + same, &first, sizeof first);
        copy_memory(b.data() + same, &second, sizeof second);
        if (first != second) break;
    }
    return same;
}

template <class Char>
[[gnu::always_inline]] constexpr bool same_letters(std::span<const octet> a,
                                                   std::span<const Char> b) noexcept {
    if (a.size() != b.size()) return false;
    std::size_t i = prefer_small || std::is_constant_evaluated() ? 0 : same_words(a, b);
    for (; i < a.size(); ++i) {
        // The two cases of a letter differ in one bit.
        const int other = a[i] ^ static_cast<octet>(b[i]);
        if (other != 0 && (other != 0x20 || !is_letter(a[i]))) return false;
    }
    return true;
}
}  // namespace detail

// The same but for the case of ASCII letters.
constexpr bool same_text(text_view a, text_view b) noexcept {
    return detail::same_letters(a.octets, b.octets);
}
constexpr bool same_text(text_view a, std::string_view b) noexcept {
    if (!std::is_constant_evaluated()) return same_text(a, text_view{octets_of(b)});
    return detail::same_letters(a.octets, std::span<const char>(b));
}

// Does it begin like this, in any case?
constexpr bool begins_with(text_view text, std::string_view front) noexcept {
    return text.size() >= front.size() && same_text({text.octets.first(front.size())}, front);
}

// The same, letter by letter.
constexpr bool starts_with(std::span<const octet> text, std::string_view front) noexcept {
    return text.size() >= front.size() && text_view{text.first(front.size())} == front;
}

// Without the blanks around it.
constexpr text_view trim(text_view text) noexcept {
    std::size_t begin = 0;
    std::size_t end = text.size();
    while (begin < end && is_blank(text.octets[begin])) ++begin;
    while (end > begin && is_blank(text.octets[end - 1])) --end;
    return {text.octets.subspan(begin, end - begin)};
}

// The elements of a list, one by one. 5.6.1.2: "A recipient MUST parse and ignore a reasonable
// number of empty list elements": as many as a head has room for.
class list_reader {
  public:
    constexpr explicit list_reader(text_view value) noexcept : rest_(value) {}

    // The next element, trimmed and never empty. False: there is none, or it is malformed.
    constexpr bool next(text_view& element) noexcept {
        while (!rest_.empty()) {
            const text_view found = take();
            if (malformed_) return false;
            if (found.empty()) continue;
            element = found;
            return true;
        }
        return false;
    }

    // Did it end in a quoted string that nothing closes?
    constexpr bool malformed() const noexcept { return malformed_; }

  private:
    constexpr text_view take() noexcept {
        const std::span<const octet> all = rest_.octets;
        bool quoted = false;
        std::size_t i = 0;
        for (; i < all.size(); ++i) {
            if (all[i] == '"') quoted = !quoted;
            if (all[i] == ',' && !quoted) break;
            // 5.6.4: behind a backslash in a quoted string, even a quote is only an octet.
            if (all[i] == '\\' && quoted) ++i;
        }
        malformed_ = quoted;
        const std::size_t size = i < all.size() ? i : all.size();
        rest_ = {all.subspan(i < all.size() ? i + 1 : size)};
        return trim({all.first(size)});
    }

    text_view rest_;
    bool malformed_ = false;
};

// Is this token in a list of tokens? Whole, and in any case. Nothing in such a list is quoted, so
// one with a quote is none.
constexpr bool has_token(text_view list, std::string_view token) noexcept {
    if (!prefer_small && same_text(list, token)) return true;
    std::size_t begin = 0;  // of the element, without the blanks around it
    std::size_t end = 0;
    bool found = false;
    for (std::size_t i = 0; i <= list.size(); ++i) {
        const octet next = i < list.size() ? list.octets[i] : octet{','};
        if (next == ',') {
            found = found || same_text({list.octets.first(end).subspan(begin)}, token);
            begin = end;
        } else if (!is_blank(next)) {
            if (begin == end) begin = i;
            end = i + 1;
        }
        if (next == '"') return false;
    }
    return found;
}

// The names in a list that we write: "chat, superchat" or "a; b=1, c". What we write has no comma
// and no semicolon in a value, so nothing else needs reading. A name is empty where there is none.
class name_reader {
  public:
    constexpr explicit name_reader(std::string_view list) noexcept
        : rest_(list), more_(!list.empty()) {}

    constexpr bool next(std::string_view& name) noexcept {
        if (!more_) return false;
        std::string_view element = rest_;
        while (!element.empty() && is_blank(static_cast<octet>(element.front()))) {
            element.remove_prefix(1);
        }
        std::size_t size = 0;
        while (size < element.size() && element[size] != ',' && element[size] != ';') ++size;
        std::size_t end = size;
        while (end < element.size() && element[end] != ',') ++end;
        while (size > 0 && is_blank(static_cast<octet>(element[size - 1]))) --size;
        name = {element.data(), size};
        more_ = end < element.size();
        rest_ = element;
        rest_.remove_prefix(more_ ? end + 1 : end);
        return true;
    }

  private:
    std::string_view rest_;
    bool more_;
};

// 9110, 5.6.1.1: "A sender MUST NOT generate empty list elements".
constexpr bool has_no_gap(std::string_view list) noexcept {
    name_reader reader(list);
    for (std::string_view name; reader.next(name);) {
        if (name.empty()) return false;
    }
    return true;
}

// Did we list this name, letter by letter?
constexpr bool offers(std::string_view list, text_view name) noexcept {
    name_reader reader(list);
    for (std::string_view ours; reader.next(ours);) {
        if (name == ours) return true;
    }
    return false;
}

}  // namespace sockless::inline v0
