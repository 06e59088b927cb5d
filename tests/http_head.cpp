// http_head.cpp -- tests of http_head.hpp.
#include <sockless/http_head.hpp>

#include <cstddef>
#include <cstdint>
#include <regex>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/heads.hpp"

using sockless::field_lines;
using sockless::head_part;
using sockless::head_scanner;
using sockless::limits;
using sockless::octet;
using sockless::request_line;
using sockless::rule;
using sockless::status_line;
using support::head_of;
using support::literal;
using support::octets_of_text;
using support::text_of;

namespace {

static_assert(std::is_trivially_copyable_v<head_scanner<request_line>>);
static_assert(std::is_trivially_copyable_v<head_scanner<status_line>>);

constexpr bool is_request_line(std::span<const octet> text) {
    request_line line(limits{});
    for (const octet next : text) {
        if (line.done() || line.take(next) != rule::none) return false;
    }
    return line.done();
}
static_assert(is_request_line(literal("GET /chat HTTP/1.1\r\n")));
static_assert(is_request_line(literal("GET https://example.com/chat HTTP/1.1\r\n")));
static_assert(!is_request_line(literal("POST /chat HTTP/1.1\r\n")));
static_assert(!is_request_line(literal("GET /chat HTTP/1.1\n")));

constexpr std::uint16_t status_of(std::span<const octet> text) {
    status_line line(limits{});
    for (const octet next : text) {
        if (line.take(next) != rule::none) return 0;
    }
    return line.done() ? line.status() : std::uint16_t{0};
}
static_assert(status_of(literal("HTTP/1.1 101 Switching Protocols\r\n")) == 101);
static_assert(status_of(literal("HTTP/1.1 404 \r\n")) == 404);
static_assert(status_of(literal("HTTP/1.1 404\r\n")) == 0);

// What became of a line, octet by octet: how far it got, and why no further.
struct progress {
    std::size_t taken = 0;
    rule broken = rule::none;
    bool done = false;

    bool operator==(const progress&) const = default;
};

template <class Line>
progress take_all(Line line, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (line.done()) return {i, rule::none, true};
        const rule broken = line.take(static_cast<octet>(text[i]));
        if (broken != rule::none) return {i, broken, false};
    }
    return {text.size(), rule::none, line.done()};
}

progress request(std::string_view text, const limits& limit = {}) {
    return take_all(request_line(limit), text);
}
progress status(std::string_view text) { return take_all(status_line(limits{}), text); }

// Everything a scanner says about a head: the parts with their offsets, and how it ended.
template <class StartLine>
std::string scan(const std::vector<octet>& head, const std::vector<std::size_t>& sizes,
                 const limits& limit, bool scramble) {
    head_scanner<StartLine> scanner(limit);
    std::string log;
    std::size_t line_begin = 0;
    for (const std::size_t size : sizes) {
        // Only what belongs to the line that is not whole yet has to be there still.
        std::vector<octet> seen(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(size));
        for (std::size_t i = 0; scramble && i < line_begin; ++i) seen[i] = 0;
        const support::guarded piece(seen);
        while (true) {
            const head_part part = scanner.next(piece.span());
            if (part == head_part::nothing) break;
            log += std::to_string(scanner.offset());
            if (part == head_part::start_line) log += " start\n";
            if (part == head_part::end || part == head_part::broken) {
                return log + (part == head_part::end ? " end" : " broken") +
                       std::to_string(static_cast<int>(scanner.broken()));
            }
            line_begin = scanner.offset();
            if (part != head_part::field) continue;
            const sockless::field_view line = scanner.line(piece.span());
            CHECK(text_of(scanner.name().in(piece.span())) == text_of(line.name));
            CHECK(text_of(scanner.value().in(piece.span())) == text_of(line.value));
            log += " [" + text_of(line.name) + "][" + text_of(line.value) + "]\n";
        }
        CHECK(scanner.offset() == size);
    }
    return log + "more";
}

template <class StartLine>
std::string scan(std::string_view text, const limits& limit = {}) {
    const std::vector<octet> head = octets_of_text(text);
    const std::string wanted = scan<StartLine>(head, {head.size()}, limit, false);
    support::for_each_growth(head.size(), [&](const std::vector<std::size_t>& sizes) {
        if (scan<StartLine>(head, sizes, limit, true) != wanted) FAIL("cut at " << sizes.front());
    });
    return wanted;
}

std::string scan_lines(const std::string& lines, const limits& limit = {}) {
    std::string log = scan<request_line>("GET / HTTP/1.1\r\n" + lines, limit);
    REQUIRE(log.starts_with("16 start\n"));
    return log.substr(9);
}

std::string broken(std::size_t at, rule which) {
    return std::to_string(at) + " broken" + std::to_string(static_cast<int>(which));
}
// By octet `at` of the field lines.
std::string broken_line(std::size_t at, rule which = rule::bad_field) {
    return broken(16 + at, which);
}

}  // namespace

TEST_CASE("a request line is GET, a target and HTTP/1.1") {
    for (const std::string target :
         {"/", "/chat", "//", "/?", "/a?b=c&d=/e?f", "/%20", "/~!$&'()*+,;=:@", "/\"<>\\^`{|}",
          "http://a", "HTTP://a", "https://a", "hTTpS://example.com:8443/chat?x", "http://a?x",
          "http://[::1]/", "https://s"}) {
        const std::string line = "GET " + target + " HTTP/1.1\r\n";
        CAPTURE(line);
        CHECK(request(line) == progress{line.size(), rule::none, true});
        request_line taken(limits{});
        for (const char c : line) CHECK(taken.take(static_cast<octet>(c)) == rule::none);
        CHECK(taken.target_size() == target.size());
        CHECK(line.substr(request_line::before_target, taken.target_size()) == target);
        CHECK(line.size() == taken.target_size() + request_line::around_target);
    }
}

TEST_CASE("H8 a request line that is none is refused at its first wrong octet") {
    struct row {
        std::string line;
        std::size_t at;
        rule broken;
    };
    for (const row& each : std::vector<row>{
             {"POST / HTTP/1.1\r\n", 0, rule::bad_request_line},
             {"get / HTTP/1.1\r\n", 0, rule::bad_request_line},
             {"GEt / HTTP/1.1\r\n", 2, rule::bad_request_line},
             {"GET\t/ HTTP/1.1\r\n", 3, rule::bad_request_line},
             {"\r\nGET / HTTP/1.1\r\n", 0, rule::bad_request_line},
             {" GET / HTTP/1.1\r\n", 0, rule::bad_request_line},
             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, rule::bad_request_line},
             {std::string("\x16\x03\x01\x02\x00\x01", 6), 0, rule::bad_request_line},
             {"GET  / HTTP/1.1\r\n", 4, rule::bad_target},
             {"GET * HTTP/1.1\r\n", 4, rule::bad_target},
             {"GET chat HTTP/1.1\r\n", 4, rule::bad_target},
             {"GET ?x HTTP/1.1\r\n", 4, rule::bad_target},
             {"GET example.com:80 HTTP/1.1\r\n", 4, rule::bad_target},
             {"GET ws://a/ HTTP/1.1\r\n", 4, rule::bad_target},
             {"GET http HTTP/1.1\r\n", 8, rule::bad_target},
             {"GET http:/ HTTP/1.1\r\n", 10, rule::bad_target},
             {"GET httpss://a HTTP/1.1\r\n", 9, rule::bad_target},
             {"GET http:s//a HTTP/1.1\r\n", 9, rule::bad_target},
             {"GET http:// HTTP/1.1\r\n", 11, rule::bad_target},
             {"GET https:// HTTP/1.1\r\n", 12, rule::bad_target},
             {"GET http:/// HTTP/1.1\r\n", 11, rule::bad_target},
             {"GET http://?x HTTP/1.1\r\n", 11, rule::bad_target},
             {"GET /a#b HTTP/1.1\r\n", 6, rule::bad_target},
             {"GET /\r\n", 5, rule::bad_target},
             {"GET /\tHTTP/1.1\r\n", 5, rule::bad_target},
             {std::string("GET /\0 HTTP/1.1\r\n", 17), 5, rule::bad_target},
             {"GET /\x7F HTTP/1.1\r\n", 5, rule::bad_target},
             {"GET /\xC3\xA9 HTTP/1.1\r\n", 5, rule::bad_target},
             {"GET /  HTTP/1.1\r\n", 6, rule::bad_request_line},
             {"GET / HTTP/1.0\r\n", 13, rule::bad_request_line},
             {"GET / HTTP/1.2\r\n", 13, rule::bad_request_line},
             {"GET / HTTP/2\r\n", 11, rule::bad_request_line},
             {"GET / http/1.1\r\n", 6, rule::bad_request_line},
             {"GET / HTTP/1.1 \r\n", 14, rule::bad_request_line},
             {"GET / HTTP/1.1\n", 14, rule::bad_request_line},
             {"GET / HTTP/1.1\rX", 15, rule::bad_request_line},
         }) {
        CAPTURE(each.line);
        CHECK(request(each.line) == progress{each.at, each.broken, false});
    }
}

TEST_CASE("any other octet anywhere in a request line is judged as the grammar says") {
    const std::regex grammar(
        "GET (/[!-\"$-~]*|[hH][tT][tT][pP][sS]?://[!-\"$-.0->@-~][!-\"$-~]*) "
        "HTTP/1\\.1\r\n");
    for (const std::string line : {"GET /a HTTP/1.1\r\n", "GET http://a/b HTTP/1.1\r\n"}) {
        for (std::size_t at = 0; at < line.size(); ++at) {
            for (int value = 0; value < 256; ++value) {
                std::string other = line;
                other[at] = static_cast<char>(static_cast<octet>(value));
                const progress got = request(other);
                CAPTURE(line, at, value);
                if (std::regex_match(other, grammar)) {
                    CHECK(got == progress{other.size(), rule::none, true});
                } else {
                    CHECK(got.broken != rule::none);
                    // Without the blank behind it, the target goes on up to the line's end.
                    const bool on = other.find(' ', 4) == std::string::npos;
                    CHECK(got.taken >= at);
                    CHECK(got.taken <= (on ? line.size() - 2 : at + 1));
                }
            }
        }
    }
}

TEST_CASE("a target may be as long as the limit, and its first octet beyond is refused") {
    limits limit;
    limit.target = 20;
    const std::string longest = "/" + std::string(19, 'a');
    CHECK(request("GET " + longest + " HTTP/1.1\r\n", limit).done);
    CHECK(request("GET " + longest + "a", limit) == progress{24, rule::long_target, false});
    const std::string absolute = "http://" + std::string(13, 'a');
    CHECK(request("GET " + absolute + " HTTP/1.1\r\n", limit).done);
    CHECK(request("GET " + absolute + "a", limit) == progress{24, rule::long_target, false});
    limit.target = 0;
    CHECK(request("GET /", limit) == progress{4, rule::long_target, false});
    CHECK(request("GET /" + std::string(4096, 'a')) == progress{4100, rule::long_target, false});
}

TEST_CASE("a status line is HTTP/1.1, three digits, and a reason that may be empty") {
    for (const std::string reason :
         {"", "OK", "Switching Protocols", "a\tb", " ", "\xC3\xA9t\xC3\xA9", "~!\"#"}) {
        const std::string line = "HTTP/1.1 207 " + reason + "\r\n";
        CAPTURE(line);
        CHECK(status(line) == progress{line.size(), rule::none, true});
        CHECK(line.substr(status_line::before_reason, reason.size()) == reason);
    }
    for (int code = 0; code < 1000; ++code) {
        std::string digits = std::to_string(code);
        while (digits.size() < 3) digits.insert(0, "0");
        const std::vector<octet> line = octets_of_text("HTTP/1.1 " + digits + " x\r\n");
        CHECK(status_of(line) == code);
    }
}

TEST_CASE("H9 a status line that is none is refused at its first wrong octet") {
    struct row {
        std::string line;
        std::size_t at;
    };
    for (const row& each : std::vector<row>{
             {"HTTP/1.1 101\r\n", 12},
             {"HTTP/1.1 10 x\r\n", 11},
             {"HTTP/1.1 1010 x\r\n", 12},
             {"HTTP/1.1  101 x\r\n", 9},
             {"HTTP/1.1\t101 x\r\n", 8},
             {"HTTP/1.1 -01 x\r\n", 9},
             {"HTTP/1.1 :01 x\r\n", 9},
             {"HTTP/1.1 /01 x\r\n", 9},
             {"HTTP/2 101 x\r\n", 5},
             {"HTTP/1.2 101 x\r\n", 7},
             {"HTTP/1.9 101 x\r\n", 7},
             {"http/1.1 101 x\r\n", 0},
             {"ICY 200 OK\r\n", 0},
             {"\r\nHTTP/1.1 101 x\r\n", 0},
             {"HTTP/1.1 101 x\n", 14},
             {"HTTP/1.1 101 x\rx", 15},
             {std::string("HTTP/1.1 101 x\0\r\n", 17), 14},
             {"HTTP/1.1 101 x\x7F\r\n", 14},
             {"HTTP/1.0 101 x\r\n", 11},
         }) {
        CAPTURE(each.line);
        CHECK(status(each.line) == progress{each.at, rule::bad_status_line, false});
    }
}

TEST_CASE("H9 HTTP/1.0 may refuse, but not switch protocols") {
    CHECK(status("HTTP/1.0 503 Service Unavailable\r\n").done);
    CHECK(status("HTTP/1.0 100 \r\n").done);
    CHECK(status("HTTP/1.0 101 \r\n") == progress{11, rule::bad_status_line, false});
}

TEST_CASE("any other octet anywhere in a status line is judged as the grammar says") {
    const std::regex grammar("HTTP/1\\.(1 [0-9]{3}|0 [0-9]{3}) [\t -~\x80-\xFF]*\r\n");
    const std::string line = "HTTP/1.1 404 a b\r\n";
    for (std::size_t at = 0; at < line.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string other = line;
            other[at] = static_cast<char>(static_cast<octet>(value));
            const bool high = value >= 0x80 && at >= status_line::before_reason && at < 16;
            const bool good = high || std::regex_match(other, grammar);
            const progress got = status(other);
            CAPTURE(at, value);
            CHECK(got.done == good);
            if (!good) CHECK((got.taken == at || got.taken == at + 1));
        }
    }
}

TEST_CASE("a field line is a name, a colon, and a value without the blanks around it") {
    struct row {
        std::string line;
        std::string told;
    };
    for (const row& each : std::vector<row>{
             {"a:b", "[a][b]"},
             {"a: b", "[a][b]"},
             {"a:\t b\t ", "[a][b]"},
             {"a: b  c\td ", "[a][b  c\td]"},
             {"a:", "[a][]"},
             {"a:    \t ", "[a][]"},
             {"a:::", "[a][::]"},
             {"a:b:c", "[a][b:c]"},
             {"!#$%&'*+-.^_`|~09AZaz: x", "[!#$%&'*+-.^_`|~09AZaz][x]"},
             {"a: \x80\xFF", "[a][\x80\xFF]"},
             {"a: \"q, \\\" ;=", "[a][\"q, \\\" ;=]"},
         }) {
        CAPTURE(each.line);
        const std::string end = std::to_string(16 + each.line.size() + 2);
        const std::string last = std::to_string(16 + each.line.size() + 4);
        CHECK(scan_lines(each.line + "\r\n\r\n") == end + " " + each.told + "\n" + last + " end0");
    }
    CHECK(scan_lines("\r\n") == "18 end0");
    CHECK(scan_lines("a: b\r\nc: d\r\n\r\n") == "22 [a][b]\n28 [c][d]\n30 end0");
}

TEST_CASE("H7 what is no field line is refused at its first wrong octet") {
    struct row {
        std::string lines;
        std::size_t at;
    };
    for (const row& each : std::vector<row>{
             {": b\r\n\r\n", 0},
             {" a: b\r\n\r\n", 0},
             {"\ta: b\r\n\r\n", 0},
             {"a : b\r\n\r\n", 1},
             {"a\t: b\r\n\r\n", 1},
             {"a\r\n\r\n", 1},
             {"a b: c\r\n\r\n", 1},
             {"a(: c\r\n\r\n", 1},
             {"\"a\": c\r\n\r\n", 0},
             {"a\xC3: c\r\n\r\n", 1},
             {"a\x7F: c\r\n\r\n", 1},
             {"\nb: c\r\n\r\n", 0},
             {"\rb: c\r\n\r\n", 1},
             {"\r\r\n", 1},
             {"a: b\n\r\n", 4},
             {"a: b\rc\r\n\r\n", 5},
             {"a: b\r\r\n\r\n", 5},
             {"a: b\x7F\r\n\r\n", 4},
             {"a: \x1F\r\n\r\n", 3},
             {std::string("a: \0\r\n\r\n", 8), 3},
             {std::string("\0: b\r\n\r\n", 8), 0},
             {"a: \x0B\r\n\r\n", 3},
         }) {
        CAPTURE(each.lines);
        CHECK(scan_lines(each.lines) == broken_line(each.at));
    }
    // obs-fold: a line that goes on with the value of the line before.
    CHECK(scan_lines("a: b\r\n c\r\n\r\n") == "22 [a][b]\n" + broken_line(6));
    CHECK(scan_lines("a:\r\n\tb\r\n\r\n") == "20 [a][]\n" + broken_line(4));
}

TEST_CASE("H7 any other octet anywhere in a field line is judged as the grammar says") {
    const std::string lines = "Ab: c d\r\n\r\n";
    for (std::size_t at = 0; at < lines.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string other = lines;
            const char c = static_cast<char>(static_cast<octet>(value));
            other[at] = c;
            const bool token = support::detail::is_token_char(c);
            const bool text = value == '\t' || (value >= ' ' && value != 0x7F);
            bool good = c == lines[at];
            if (at == 0) good = token;
            if (at == 1) good = token || c == ':';  // then the name is one letter long
            if (at >= 3 && at <= 6) good = text;
            const std::string log = scan_lines(other);
            CAPTURE(at, value, log);
            CHECK(log.ends_with("end0") == good);
            if (good) continue;
            const bool here = log.ends_with(broken_line(at));
            CHECK((here || log.ends_with(broken_line(at + 1))));
        }
    }
}

TEST_CASE(
    "H1 a head of exactly the limit passes, and another is refused by the octet that fills it") {
    const std::string head = "GET / HTTP/1.1\r\na: b\r\n\r\n";
    limits limit;
    for (std::uint16_t most = 0; most <= head.size() + 2; ++most) {
        limit.head = most;
        CAPTURE(most);
        const std::string log = scan<request_line>(head, limit);
        if (most >= head.size()) {
            CHECK(log.ends_with("24 end0"));
        } else {
            CHECK(log.ends_with(broken(most == 0 ? 0U : most - 1U, rule::large_head)));
        }
    }
    // What is wrong anyway is said first.
    limit.head = 5;
    CHECK(scan<request_line>("GET * HTTP/1.1\r\n", limit) == broken(4, rule::bad_target));
    limit.head = 0xFFFF;
    const std::string longest(0xFFFF - 16 - 3 - 4, 'v');
    CHECK(scan<request_line>("GET / HTTP/1.1\r\n\r\n", limit).ends_with("18 end0"));
    const std::vector<octet> full = octets_of_text("GET / HTTP/1.1\r\nx: " + longest + "\r\n\r\n");
    REQUIRE(full.size() == 0xFFFF);
    CHECK(scan<request_line>(full, {full.size()}, limit, false).ends_with("\n65535 end0"));
}

TEST_CASE("H1 4 MiB of head, octet by octet, are refused at the limit, and nothing is read twice") {
    std::vector<octet> head = octets_of_text("GET / HTTP/1.1\r\nx: ");
    head.resize(std::size_t{4} << 20, 'v');
    for (const std::uint16_t most : {std::uint16_t{8192}, std::uint16_t{0xFFFF}}) {
        limits limit;
        limit.head = most;
        head_scanner<request_line> scanner(limit);
        std::size_t size = 0;
        head_part part = head_part::nothing;
        std::vector<octet> seen(head.size());
        while (size < head.size() && part != head_part::broken) {
            // Of what came before, nothing is left but the octet that is new.
            if (size > 0) seen[size - 1] = 0;
            seen[size] = head[size];
            ++size;
            part = scanner.next(std::span(seen).first(size));
        }
        CHECK(size == most);
        CHECK(scanner.broken() == rule::large_head);
        CHECK(scanner.offset() == most - 1U);
        CHECK(scanner.next(head) == head_part::broken);
        CHECK(scanner.offset() == most - 1U);
    }
}

TEST_CASE("H2 H4 the line beyond the limit is refused at its first octet") {
    for (const std::uint16_t most : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{64}}) {
        limits limit;
        limit.header_lines = most;
        std::string lines;
        for (int i = 0; i < most; ++i) lines += "a:\r\n";
        CAPTURE(most);
        CHECK(scan_lines(lines + "\r\n", limit).ends_with(" end0"));
        CHECK(scan_lines(lines + "a:\r\n\r\n", limit)
                  .ends_with(broken_line(lines.size(), rule::many_fields)));
    }
    // 0 is no special number.
    limits none;
    none.header_lines = 0;
    CHECK(scan_lines("a", none) == broken_line(0, rule::many_fields));
}

TEST_CASE("a scanner can go on with another head, which counts towards the same limit") {
    limits limit;
    limit.head = 62;
    limit.header_lines = 1;
    const std::string one = "HTTP/1.1 100 \r\na: b\r\n\r\n";
    const std::vector<octet> heads = octets_of_text(one + one + one);
    head_scanner<status_line> scanner(limit);
    for (std::size_t i = 1; i <= 2; ++i) {
        CHECK(scanner.next(heads) == head_part::start_line);
        CHECK(scanner.start().status() == 100);
        CHECK(scanner.next(heads) == head_part::field);
        CHECK(text_of(scanner.line(heads).value) == "b");
        CHECK(scanner.next(heads) == head_part::end);
        CHECK(scanner.next(heads) == head_part::end);
        CHECK(scanner.offset() == i * one.size());
        scanner.again(limit);
    }
    CHECK(scanner.next(heads) == head_part::start_line);
    CHECK(scanner.next(heads) == head_part::broken);
    CHECK(scanner.offset() == 61);
}

TEST_CASE("a rule that a layer above finds broken was broken by the last octet, for good") {
    const std::vector<octet> head = octets_of_text("GET / HTTP/1.1\r\na: b\r\n\r\n");
    head_scanner<request_line> scanner(limits{});
    CHECK(scanner.next(head) == head_part::start_line);
    CHECK(scanner.next(head) == head_part::field);
    scanner.fail(rule::none);
    CHECK(scanner.broken() == rule::none);
    scanner.fail(rule::bad_host);
    scanner.fail(rule::bad_key);
    CHECK(scanner.next(head) == head_part::broken);
    CHECK(scanner.broken() == rule::bad_host);
    CHECK(scanner.offset() == 21);

    head_scanner<request_line> whole(limits{});
    while (whole.next(head) != head_part::end) continue;
    whole.fail(rule::bad_host);
    CHECK(whole.next(head) == head_part::broken);
    CHECK(whole.offset() == head.size() - 1);
}

TEST_CASE("behind the empty line no octet belongs to the field lines") {
    field_lines lines(9);
    CHECK(lines.take('\r', 0) == rule::none);
    CHECK(!lines.head_done());
    CHECK(lines.take('\n', 1) == rule::none);
    CHECK(lines.head_done());
    CHECK(lines.take('a', 2) == rule::bad_field);
    CHECK(lines.take('\n', 2) == rule::bad_field);
    CHECK(lines.head_done());
}
