// head_fields.hpp -- the fields of a head that was accepted (RFC 9110, 5).
//
// Readers give one thing after the other, and ranges are what a `for` makes of them. Both are views
// into the head, cost nothing to copy, and walk along its lines each time they are asked.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <sockless/header_list.hpp>
#include <sockless/http_head.hpp>
#include <sockless/octets.hpp>
#include <sockless/version.hpp>

namespace sockless::inline v0 {

// A range over `bool Reader::next(Element&)`.
template <class Reader, class Element>
class range_of {
  public:
    struct end_mark {};

    class iterator {
      public:
        constexpr explicit iterator(const Reader& reader) noexcept : reader_(reader) { ++*this; }

        constexpr const Element& operator*() const noexcept { return element_; }
        constexpr const Element* operator->() const noexcept { return &element_; }
        constexpr iterator& operator++() noexcept {
            more_ = reader_.next(element_);
            return *this;
        }
        friend constexpr bool operator==(const iterator& left, end_mark) noexcept {
            return !left.more_;
        }

      private:
        Reader reader_;
        Element element_{};
        bool more_ = false;
    };

    constexpr explicit range_of(const Reader& reader) noexcept : reader_(reader) {}

    constexpr iterator begin() const noexcept { return iterator(reader_); }
    constexpr end_mark end() const noexcept { return {}; }

    // The first, if there is one.
    constexpr std::optional<Element> first() const noexcept {
        Reader reader = reader_;
        Element element{};
        if (!reader.next(element)) return std::nullopt;
        return element;
    }

  private:
    Reader reader_;
};

// The lines of a head that was accepted, from the one behind its first.
class field_reader {
  public:
    constexpr explicit field_reader(std::span<const octet> lines) noexcept : lines_(lines) {}

    constexpr bool next(field_view& out) noexcept {
        while (at_ < lines_.size()) {
            std::size_t size = prefer_small ? 0 : line_.take_line(lines_.subspan(at_), at_);
            if (size == 0) {
                static_cast<void>(line_.take(lines_[at_], at_));
                if (line_.head_done()) break;
                size = 1;
            }
            at_ += size;
            if (!line_.line_done()) continue;
            out = line_.line(lines_);
            return true;
        }
        return false;
    }

  private:
    std::span<const octet> lines_;
    std::size_t at_ = 0;
    field_lines line_{0xFFFF};
};

// The values of all lines of one name.
class value_reader {
  public:
    constexpr value_reader(field_reader fields, std::string_view name) noexcept
        : fields_(fields), name_(name) {}

    constexpr bool next(text_view& out) noexcept {
        for (field_view line; fields_.next(line);) {
            if (!same_text(line.name, name_)) continue;
            out = line.value;
            return true;
        }
        return false;
    }

  private:
    field_reader fields_;
    std::string_view name_;
};

// The elements of the lists in all these values: 9110, 5.3 makes them one list.
class element_reader {
  public:
    constexpr explicit element_reader(value_reader values) noexcept : values_(values) {}

    constexpr bool next(text_view& out) noexcept {
        while (!list_.next(out)) {
            text_view value;
            if (!values_.next(value)) return false;
            list_ = list_reader(value);
        }
        return true;
    }

  private:
    value_reader values_;
    list_reader list_{text_view{}};
};

using fields = range_of<field_reader, field_view>;
using field_values = range_of<value_reader, text_view>;
using field_elements = range_of<element_reader, text_view>;

}  // namespace sockless::inline v0
