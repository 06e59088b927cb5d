// head_mutator.hpp -- changes a head line by line: what is not changed stays a head.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/head_model.hpp"
#include "fuzz/source.hpp"

namespace fuzz {

class head_mutator {
  public:
    // Changes the octets in its argument somehow.
    using scramble = void (*)(std::string& octets);

    // `known` are lines that mean something.
    head_mutator(std::uint32_t seed, std::span<const std::string_view> known, scramble any_how)
        : dice_(seed), known_(known), any_how_(any_how) {}

    std::string change(const std::string& text) {
        std::vector<std::string> lines = model::split(text, "\r\n");
        do {
            change(lines);
        } while (dice_.below(3) == 0);
        std::string changed;
        for (std::size_t i = 0; i < lines.size(); ++i) changed += (i == 0 ? "" : "\r\n") + lines[i];
        return changed;
    }

  private:
    void change(std::vector<std::string>& lines) {
        const std::size_t place = dice_.below(lines.size());
        std::string& line = lines[place];
        switch (dice_.below(9)) {
            case 0:
                if (lines.size() > 1)
                    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(place));
                break;
            case 1:
                insert(lines, std::string(line));
                break;
            case 2:
            case 3:
                insert(lines, some_line());
                break;
            case 4:
                std::swap(line, lines[dice_.below(lines.size())]);
                break;
            case 5:
                line = some_line();
                break;
            case 6:
                line.insert(std::min(line.find(':') + 1, line.size()),
                            dice_.below(2) == 0 ? "\t" : " ");
                break;
            case 7: {  // the value of another line
                const std::string other = some_line();
                line = line.substr(0, line.find(':')) +
                       other.substr(std::min(other.find(':'), other.size()));
                break;
            }
            default:
                any_how_(line);
                break;
        }
    }

    void insert(std::vector<std::string>& lines, const std::string& line) {
        const std::size_t place = std::min(lines.size(), 1 + dice_.below(lines.size()));
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(place), line);
    }

    std::string some_line() { return std::string(known_[dice_.below(known_.size())]); }

    dice dice_;
    std::span<const std::string_view> known_;
    scramble any_how_;
};

}  // namespace fuzz
