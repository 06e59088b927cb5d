// cases.hpp -- conversations as documents, read: tests/cases/README.md has the language.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <sockless/endpoint.hpp>

#include "support/octets.hpp"

namespace support {

// What the application does.
struct case_call {
    enum class verb { write, begin, pay, ping, pong, close, fail, end, control };

    verb what = verb::write;
    sockless::frame_kind frame{};                // write, begin
    std::uint64_t length = 0;                    // begin
    std::optional<std::size_t> room{};           // write: of the output, if it is small
    std::vector<octet> payload{};                // write, pay, ping, pong; close: the reason
    std::optional<int> code{};                   // close
    sockless::rule rule = sockless::rule::none;  // fail
};

// One line of a block. `text` is the line in one spelling, so that lines can be compared.
struct case_line {
    enum class what { receive, call, report, told };

    what kind = what::told;
    std::string text;
    std::vector<octet> octets{};  // receive
    case_call call{};
};

struct conversation {
    std::string file;
    std::string heading;
    bool server = true;
    bool by_hand = false;  // control() is asked only where the conversation says so
    sockless::endpoint_options options{};
    std::vector<case_line> lines{};

    // All octets received.
    std::vector<octet> stream() const {
        std::vector<octet> all;
        for (const case_line& line : lines) all = concat(all, line.octets);
        return all;
    }

    // "a-masked-text" of "A masked text!"
    std::string slug() const {
        std::string words;
        for (const char c : heading) {
            const bool upper = c >= 'A' && c <= 'Z';
            const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
            if (plain || upper) {
                words += upper ? static_cast<char>(c - 'A' + 'a') : c;
            } else if (!words.empty() && words.back() != '-') {
                words += '-';
            }
        }
        if (words.ends_with('-')) words.pop_back();
        return words;
    }
};

inline std::string received_line(std::span<const octet> octets) { return "<- " + hex(octets); }
inline std::string sent_line(std::span<const octet> octets) { return "-> " + hex(octets); }
inline std::string told_line(std::string_view words) { return "   " + std::string(words); }

namespace detail {

inline void understand(bool understood, std::string_view line) {
    if (!understood) throw std::invalid_argument("what is this? " + std::string(line));
}

template <class Number>
Number number(std::string_view digits) {
    Number value{};
    const char* const end = digits.data() + digits.size();
    const std::from_chars_result read = std::from_chars(digits.data(), end, value);
    understand(!digits.empty() && read.ec == std::errc{} && read.ptr == end, digits);
    return value;
}

// The words of a line, one by one.
class case_words {
  public:
    explicit case_words(std::string_view line) : line_(line) { skip_blanks(); }

    bool empty() const { return line_.empty(); }
    std::string_view rest() const { return line_; }

    std::string_view take() {
        const std::size_t size = std::min(line_.find(' '), line_.size());
        const std::string_view word = line_.substr(0, size);
        line_.remove_prefix(size);
        skip_blanks();
        return word;
    }
    // Takes the next word if it is this one.
    bool takes(std::string_view word) {
        case_words next = *this;
        if (next.take() != word) return false;
        *this = next;
        return true;
    }

  private:
    void skip_blanks() {
        line_.remove_prefix(std::min(line_.find_first_not_of(' '), line_.size()));
    }

    std::string_view line_;
};

inline case_call parse_data_call(case_words words) {
    case_call call;
    if (words.takes("begin")) call.what = case_call::verb::begin;
    if (words.takes("within")) call.room = number<std::size_t>(words.take());
    call.frame.last = !words.takes("fragment");
    call.frame.compressed = words.takes("compressed");
    const bool is_text = words.takes("text");
    understand(is_text || words.takes("binary"), words.rest());
    call.frame.type = is_text ? sockless::message_type::text : sockless::message_type::binary;
    if (call.what == case_call::verb::begin) {
        call.length = number<std::uint64_t>(words.rest());
    } else {
        call.payload = octets(words.rest());
    }
    return call;
}

inline case_call parse_close_call(case_words words) {
    case_call call{.what = case_call::verb::close};
    if (words.empty()) return call;
    call.code = number<int>(words.take());
    understand(sockless::may_travel(*call.code), words.rest());  // another cannot be written
    call.payload = octets(words.rest());
    return call;
}

inline case_call parse_fail_call(case_words words) {
    for (const sockless::rule_entry& entry : sockless::rule_table) {
        const bool named = entry.id != sockless::rule::none && entry.name == words.rest();
        if (named) return {.what = case_call::verb::fail, .rule = entry.id};
    }
    understand(false, words.rest());
    return {};
}

inline case_call parse_call(std::string_view line) {
    using enum case_call::verb;
    case_words words(line);
    if (words.takes("pay")) return {.what = pay, .payload = octets(words.rest())};
    if (words.takes("ping")) return {.what = ping, .payload = octets(words.rest())};
    if (words.takes("pong")) return {.what = pong, .payload = octets(words.rest())};
    if (words.takes("close")) return parse_close_call(words);
    if (words.takes("fail")) return parse_fail_call(words);
    if (line == "end") return {.what = end};
    if (line == "control") return {.what = control};
    return parse_data_call(words);
}

inline case_line parse_case_line(std::string_view line) {
    using enum case_line::what;
    case_words words(line);
    const std::string text(words.rest());
    if (line.starts_with(' ')) return {.kind = told, .text = told_line(text)};
    if (words.takes("<-")) {
        const std::vector<octet> received = octets(words.rest());
        return {.kind = receive, .text = received_line(received), .octets = received};
    }
    if (words.takes("->")) return {.kind = told, .text = sent_line(octets(words.rest()))};
    if (words.takes("=")) return {.kind = told, .text = text};
    if (words.takes("report")) return {.kind = report, .text = text};
    understand(words.takes("call"), line);
    return {.kind = call, .text = text, .call = parse_call(words.rest())};
}

inline std::size_t parse_limit(std::string_view digits) {
    return digits == "unlimited" ? sockless::unlimited : number<std::size_t>(digits);
}

inline void parse_option(std::string_view word, conversation& out) {
    sockless::limits& limit = out.options.limit;
    if (word.starts_with("message=")) {
        limit.message = parse_limit(word.substr(8));
    } else if (word.starts_with("frame=")) {
        limit.frame = parse_limit(word.substr(6));
    } else if (word.starts_with("empty=")) {
        limit.empty_fragments = number<std::uint16_t>(word.substr(6));
    } else if (word == "rsv1") {
        out.options.rsv1 = true;
    } else if (word == "no-pongs") {
        out.options.answer_pings = false;
    } else if (word == "no-closes") {
        out.options.answer_closes = false;
    } else {
        understand(word == "by-hand", word);
        out.by_hand = true;
    }
}

inline void parse_case_options(std::string_view line, conversation& out) {
    case_words words(line);
    out.server = words.takes("server");
    understand(out.server || words.takes("client"), line);
    while (!words.empty()) parse_option(words.take(), out);
}

// Reads one document, line by line.
class case_document {
  public:
    explicit case_document(std::string file) : file_(std::move(file)) {}

    void add(std::string_view line) {
        const bool fence = case_words(line).rest().starts_with("```") ||
                           case_words(line).rest().starts_with("~~~");
        if (in_block_) {
            add_to_block(line, fence);
        } else if (fence) {
            understand(line == "```conversation", line);
            understand(!heading_.empty() && has_prose_, "a block without a heading and prose");
            begin_block();
        } else if (line.starts_with('#')) {
            heading_ = line.substr(std::min(line.find_first_not_of("# "), line.size()));
            has_prose_ = false;
        } else {
            has_prose_ = has_prose_ || !case_words(line).empty();
        }
    }

    std::vector<conversation> finish() {
        understand(!in_block_, "a block without an end");
        understand(!done_.empty(), "a file without a conversation");
        return std::move(done_);
    }

  private:
    void begin_block() {
        in_block_ = true;
        has_options_ = false;
        done_.push_back({.file = file_, .heading = heading_});
    }

    void add_to_block(std::string_view line, bool fence) {
        if (!fence) {
            if (!has_options_) {
                parse_case_options(line, done_.back());
            } else {
                done_.back().lines.push_back(parse_case_line(line));
            }
            has_options_ = true;
            return;
        }
        understand(line == "```" && done_.back().lines.size() >= 2, "a block that says nothing");
        in_block_ = false;
        heading_.clear();
    }

    std::string file_;
    std::string heading_;
    bool has_prose_ = false;  // since the heading
    bool in_block_ = false;
    bool has_options_ = false;
    std::vector<conversation> done_;
};

}  // namespace detail

// Throws std::invalid_argument, with file and line, about anything that is not understood.
inline std::vector<conversation> parse_cases(const std::string& file, std::string_view text) {
    detail::case_document document(file);
    std::size_t number = 1;
    try {
        for (; !text.empty(); ++number) {
            const std::size_t size = std::min(text.find('\n'), text.size());
            document.add(text.substr(0, size));
            text.remove_prefix(std::min(size + 1, text.size()));
        }
        return document.finish();
    } catch (const std::invalid_argument& problem) {
        throw std::invalid_argument(file + ':' + std::to_string(number) + ": " + problem.what());
    }
}

// The conversations of all documents in a folder, in the order of their names.
inline std::vector<conversation> load_cases(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".md") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<conversation> all;
    for (const std::filesystem::path& file : files) {
        std::ifstream in(file, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        for (conversation& one : parse_cases(file.filename().string(), text)) {
            all.push_back(std::move(one));
        }
    }
    return all;
}

}  // namespace support
