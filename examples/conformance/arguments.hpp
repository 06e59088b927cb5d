// arguments.hpp -- a command line of options with values, `--port 9001`, and without,
// `--no-deflate`.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

// Takes one option after the other. What is wrong is told in one line, and ends the program with 2.
class arguments {
  public:
    arguments(int count, char** words)
        : program_(words[0]), rest_(words + 1, static_cast<std::size_t>(count - 1)) {}

    // The next option, or nothing.
    std::optional<std::string_view> next() {
        if (rest_.empty()) return std::nullopt;
        option_ = take();
        return option_;
    }
    std::string_view value() {
        if (rest_.empty()) fail(std::string(option_) + " needs a value");
        return take();
    }
    std::size_t number(std::size_t least, std::size_t most) {
        const std::string_view text = value();
        std::size_t found = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found);
        const bool whole = error == std::errc{} && end == text.data() + text.size();
        if (!whole || found < least || found > most) {
            fail(std::string(option_) + " takes a number from " + std::to_string(least) + " to " +
                 std::to_string(most) + ", not '" + std::string(text) + "'");
        }
        return found;
    }
    [[noreturn]] void unknown() const { fail("there is no option '" + std::string(option_) + "'"); }
    [[noreturn]] void fail(const std::string& why) const {
        const std::string name(program_.substr(program_.find_last_of('/') + 1));
        std::fprintf(stderr, "%s: %s\n", name.c_str(), why.c_str());
        std::exit(2);
    }

  private:
    std::string_view take() {
        const std::string_view first = rest_.front();
        rest_ = rest_.subspan(1);
        return first;
    }

    std::string_view program_;
    std::span<char*> rest_;
    std::string_view option_;
};
