// http_head.hpp -- the head of a message, scanned as it comes (RFC 9112, 2 to 5).
//
// A head lies in one piece of memory that grows, and may move. The scanner remembers how far it has
// come, and no call goes back to what another has read, however the head was cut; what cannot
// belong to a head is refused at its first octet. Only what RFC 9112 lets a sender write is
// accepted: none of its allowances for old or careless ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sockless/header_list.hpp>
#include <sockless/limits.hpp>
#include <sockless/octets.hpp>
#include <sockless/outcome.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

// A field as the caller supplies it.
struct field {
    std::string_view name;
    std::string_view value;
};

// A field as the peer sent it, without the blanks around its value.
struct field_view {
    text_view name;
    text_view value;
};

// 3: "GET" SP request-target SP "HTTP/1.1" CRLF, octet by octet.
class request_line {
  public:
    constexpr explicit request_line(const limits& limit) noexcept : most_(limit.target) {}

    // The next octet, until it is done.
    [[gnu::noinline]] constexpr rule take(octet next) noexcept {
        const bool is_target = index_ >= before_target && index_ <= whole;
        if (is_target && (index_ != whole || next != ' ')) return take_target(next);
        // 6455, 4.1: "The method of the request MUST be GET".
        if (next != static_cast<octet>(text[index_])) return rule::bad_request_line;
        ++index_;
        return rule::none;
    }

    // Takes the line, if all of it is there and nothing is wrong with it, and says its size. It
    // only ever accepts: all else is left to take(), octet by octet.
    constexpr std::size_t take_line(std::span<const octet> rest) noexcept {
        if (index_ != 0 || !starts_with(rest, "GET /")) return 0;
        const std::size_t size = detail::run_of(rest.subspan(before_target), in_target);
        const std::span<const octet> behind = rest.subspan(before_target + size);
        if (size > most_ || !starts_with(behind, " HTTP/1.1\r\n")) return 0;
        size_ = static_cast<std::uint16_t>(size);
        index_ = text.size();
        return size + around_target;
    }

    constexpr bool done() const noexcept { return index_ == text.size(); }
    constexpr std::size_t target_size() const noexcept { return size_; }
    // Octets of the line in front of the target, and besides it.
    static constexpr std::size_t before_target = 4;
    static constexpr std::size_t around_target = 15;

  private:
    // 3.2.1, 3.2.2: origin-form and absolute-form; the other two are not for GET.
    static constexpr std::string_view text = "GET http://? HTTP/1.1\r\n";
    static constexpr std::size_t host_index = 11;  // the first octet of what is behind "//"
    static constexpr std::size_t whole = 12;       // the form is clear, the target may end

    // 6455, 3: "Fragment identifiers [...] MUST NOT be used".
    static constexpr auto in_target = [](auto o) noexcept {
        return (o > octet{' '}) & (o < octet{0x7F}) & (o != octet{'#'});
    };

    constexpr rule take_target(octet next) noexcept {
        if (!in_target(next)) return rule::bad_target;
        if (size_ == most_) return rule::long_target;
        if (index_ != whole && !take_form(next)) return rule::bad_target;
        ++size_;
        return rule::none;
    }

    // What says which form it is, and the first octet of a host.
    constexpr bool take_form(octet next) noexcept {
        if (size_ == 0 && next == '/') {
            index_ = whole;
            return true;
        }
        const octet lower = next | 0x20;
        if (size_ == 4 && lower == 's') return true;  // https
        const std::size_t at = index_++;
        if (at != host_index) return lower == static_cast<octet>(text[at]);
        // 9110, 4.2.1: "A sender MUST NOT generate an "http" URI with an empty host identifier."
        return next != '/' && next != '?';
    }

    std::uint16_t most_;
    std::uint16_t size_ = 0;  // of the target so far
    std::uint8_t index_ = 0;
};

// 4: HTTP-version SP status-code SP [ reason-phrase ] CRLF, octet by octet.
class status_line {
  public:
    constexpr explicit status_line(const limits&) noexcept {}

    // The next octet, until it is done.
    constexpr rule take(octet next) noexcept {
        if (!takes(next)) return rule::bad_status_line;
        if (index_ == version_index) minor_ = next;
        if (index_ != reason_index || next == '\r') ++index_;
        return rule::none;
    }

    static constexpr std::size_t take_line(std::span<const octet>) noexcept { return 0; }
    constexpr bool done() const noexcept { return index_ == text.size(); }

    constexpr std::uint16_t status() const noexcept { return status_; }
    static constexpr std::size_t before_reason = 13;

  private:
    // A 9 stands for a digit, and a blank behind the third of these for the reason.
    static constexpr std::string_view text = "HTTP/1.1 999 \r\n";
    static constexpr std::size_t version_index = 7;
    static constexpr std::size_t reason_index = before_reason;

    constexpr bool takes(octet next) noexcept {
        if (index_ == reason_index && next != '\r') return is_field_octet(next);
        // A refusal may come from something in between that speaks HTTP/1.0; an upgrade may not.
        if (index_ == version_index && next == '0') return true;
        if (text[index_] != '9') return next == static_cast<octet>(text[index_]);
        if (next < '0' || next > '9') return false;
        status_ = static_cast<std::uint16_t>(status_ * 10 + next - '0');
        return minor_ == '1' || status_ != 101;
    }

    std::uint16_t status_ = 0;
    std::uint8_t index_ = 0;
    octet minor_ = 0;
};

// A piece of a head, wherever that lies, copied as one word; no field lies at its beginning.
struct alignas(4) head_piece {
    std::uint16_t begin = 0;
    std::uint16_t end = 0;

    constexpr text_view in(std::span<const octet> head) const noexcept {
        return {head.first(end).subspan(begin)};
    }
};

// 5: field-line = field-name ":" OWS field-value OWS, and an empty line behind the last. `at` is
// the offset of an octet from wherever the caller counts.
class field_lines {
  public:
    constexpr explicit field_lines(std::uint16_t most) noexcept : left_(most) {}

    constexpr rule take(octet next, std::size_t at) noexcept {
        const auto here = static_cast<std::uint16_t>(at);
        switch (state_) {
            case state::value:
                return take_value(next, here);
            case state::begin:
                name_.begin = here;
                if (next == '\r') {
                    state_ = state::last_line_end;
                    return rule::none;
                }
                if (left_ == 0) return rule::many_fields;
                --left_;
                state_ = state::name;
                break;
            case state::name:
                if (next != ':') break;
                state_ = state::value;
                name_.end = value_.begin = value_.end = here;
                return rule::none;
            default:
                // 2.2: "A sender MUST NOT generate a bare CR". And behind the end nothing follows.
                if (next != '\n' || head_done()) return rule::bad_field;
                state_ = static_cast<state>(static_cast<std::uint8_t>(state_) + 1);
                return rule::none;
        }
        // 5.1: "No whitespace is allowed between the field name and colon"; 5.2 ends obs-fold: a
        // line begins with a name, so that none goes on with the line before it.
        return is_token_octet(next) ? rule::none : rule::bad_field;
    }

    // Takes the next line, whole or not at all, as the first one is taken.
    constexpr std::size_t take_line(std::span<const octet> rest, std::size_t at) noexcept {
        if (state_ != state::begin || left_ == 0) return 0;
        // The end comes first: then no line waits for the name in the line before it.
        std::size_t end = detail::run_of(rest, detail::in_value);
        if (!starts_with(rest.subspan(end), "\r\n")) return 0;
        const std::size_t size = end + 2;
        const std::size_t name = detail::token_run(rest);
        if (name == 0 || rest[name] != ':') return 0;
        std::size_t begin = name + 1;
        while (begin < end && is_blank(rest[begin])) ++begin;
        while (end > begin && is_blank(rest[end - 1])) --end;
        --left_;
        name_ = {static_cast<std::uint16_t>(at), static_cast<std::uint16_t>(at + name)};
        value_ = {static_cast<std::uint16_t>(at + begin), static_cast<std::uint16_t>(at + end)};
        return size;
    }

    constexpr bool line_done() const noexcept { return state_ == state::begin; }
    constexpr bool head_done() const noexcept { return state_ == state::head_end; }

    // The line that is whole.
    constexpr field_view line(std::span<const octet> head) const noexcept {
        return {name_.in(head), value_.in(head)};
    }
    constexpr head_piece name() const noexcept { return name_; }
    constexpr head_piece value() const noexcept { return value_; }

  private:
    // Where a CR has come, the LF leads to the next of these.
    enum class state : std::uint8_t { name, value, line_end, begin, last_line_end, head_end };

    constexpr rule take_value(octet next, std::uint16_t here) noexcept {
        if (next == '\r') {
            state_ = state::line_end;
            return rule::none;
        }
        if (!is_field_octet(next)) return rule::bad_field;
        if (!is_blank(next)) {
            if (value_.begin == value_.end) value_.begin = here;
            value_.end = static_cast<std::uint16_t>(here + 1);
        }
        return rule::none;
    }

    head_piece name_;
    head_piece value_;
    std::uint16_t left_;  // lines that may still come
    state state_ = state::begin;
};

enum class head_part : std::uint8_t { nothing, broken, start_line, field, end };

// Scans a head. `head` begins where it always did, and has not become shorter.
template <class StartLine>
class head_scanner {
  public:
    constexpr explicit head_scanner(const limits& limit) noexcept
        : most_(limit.head), start_(limit), lines_(limit.header_lines) {}

    constexpr head_part next(std::span<const octet> head) noexcept {
        head_part part = head_part::nothing;
        while (true) {
            if (broken_ != rule::none) return head_part::broken;
            if (lines_.head_done()) return head_part::end;
            if (part != head_part::nothing) return part;
            if constexpr (!prefer_small) part = take_line(head);
            if (part != head_part::nothing || at_ >= head.size()) return part;
            part = take(head[at_]);
            // The octet that fills the limit has to be the last.
            if (++at_ >= most_ && !lines_.head_done()) fail(rule::large_head);
        }
    }

    // The octet that was taken last broke a rule: that is final.
    constexpr void fail(rule broken) noexcept {
        broken_ = broken_ == rule::none ? broken : broken_;
    }

    constexpr rule broken() const noexcept { return broken_; }
    // Octets taken: up to the end of the part, or the octet that broke a rule.
    constexpr std::size_t offset() const noexcept {
        return at_ - (broken_ != rule::none ? 1U : 0U);
    }

    constexpr const StartLine& start() const noexcept { return start_; }
    constexpr field_view line(std::span<const octet> head) const noexcept {
        return lines_.line(head);
    }
    constexpr head_piece name() const noexcept { return lines_.name(); }
    constexpr head_piece value() const noexcept { return lines_.value(); }

    // Behind the end: another head follows, and all of it counts towards the limit on octets.
    constexpr void again(const limits& limit) noexcept {
        if (at_ >= most_) return fail(rule::large_head);
        start_ = StartLine(limit);
        lines_ = field_lines(limit.header_lines);
    }

  private:
    // Takes a whole line at a glance, but not the octet that would fill the limit.
    constexpr head_part take_line(std::span<const octet> head) noexcept {
        if (at_ >= head.size() || at_ + 1 >= most_) return head_part::nothing;
        const std::size_t end = head.size() < most_ ? head.size() : most_ - std::size_t{1};
        const std::span<const octet> rest = head.first(end).subspan(at_);
        const bool is_first = !start_.done();
        const std::size_t size = is_first ? start_.take_line(rest) : lines_.take_line(rest, at_);
        if (size == 0) return head_part::nothing;
        at_ += static_cast<std::uint16_t>(size);
        return is_first ? head_part::start_line : head_part::field;
    }

    constexpr head_part take(octet next) noexcept {
        if (!start_.done()) {
            broken_ = start_.take(next);
            return start_.done() ? head_part::start_line : head_part::nothing;
        }
        broken_ = lines_.take(next, at_);
        return lines_.line_done() ? head_part::field : head_part::nothing;
    }

    std::uint16_t most_;
    std::uint16_t at_ = 0;
    rule broken_ = rule::none;
    StartLine start_;
    field_lines lines_;
};

}  // namespace sockless::inline v0
