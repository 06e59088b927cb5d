// extensions.cpp -- tests of extensions.hpp.
#include <sockless/extensions.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sockless/limits.hpp>
#include <sockless/outcome.hpp>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/linear.hpp"
#include "support/octets.hpp"

using sockless::extension;
using sockless::extension_reader;
using sockless::limits;
using sockless::octet;
using sockless::octets_of;
using sockless::offers;
using sockless::parameter;
using sockless::rule;
using sockless::text_view;
using sockless::value_form;

namespace {

template <std::size_t Size>
struct literal {
    std::array<octet, Size> octets{};
    constexpr literal(const char (&text)[Size]) { sockless::copy_text({text, Size - 1}, octets); }
    constexpr operator text_view() const { return {std::span(octets).first(Size - 1)}; }
};

// As request_rules judges it.
constexpr rule judge_extensions(text_view line, std::size_t& count, const limits& limit) {
    const bool good = sockless::is_list(line, count, limit.offers, limit.parameters);
    return good ? rule::none : rule::bad_extension;
}

constexpr bool is_good(text_view line) {
    std::size_t count = 0;
    return judge_extensions(line, count, limits{}) == rule::none;
}

// RFC 6455, 9.1 and RFC 7692, 7.1.
static_assert(is_good(literal("foo")));
static_assert(is_good(literal("bar; baz=2")));
static_assert(is_good(literal("foo, bar; baz=2")));
static_assert(is_good(literal("deflate-stream")));
static_assert(is_good(literal("mux; max-channels=4; flow-control, deflate-stream")));
static_assert(is_good(literal("private-extension")));
static_assert(
    is_good(literal("permessage-deflate; client_max_window_bits; server_max_window_bits="
                    "\"10\", permessage-deflate; client_max_window_bits")));
static_assert(!is_good(literal("")) && !is_good(literal("foo;")) && !is_good(literal("a;b=\"c")));
static_assert(offers(literal("foo, bar; baz=2"), "bar"));
static_assert(!offers(literal("foo, bar; baz=2"), "baz"));
static_assert([] {
    const literal line("a; b; c=1; d=\"2\"");
    extension_reader reader(line);
    extension found;
    parameter each;
    return reader.next(found) && found.name == "a" && reader.next(each) && each.name == "b" &&
           each.form == value_form::none && reader.next(each) && each.value == "1" &&
           each.form == value_form::token && reader.next(each) && each.value == "2" &&
           each.form == value_form::quoted && !reader.next(each) && !reader.next(found);
}());

rule judge(std::string_view line, std::size_t& count, const limits& limit = {}) {
    const support::guarded end(octets_of(line));
    const support::guarded_front front(octets_of(line));
    std::size_t again = count;
    const rule broken = judge_extensions(text_view{end.span()}, count, limit);
    CHECK(judge_extensions(text_view{front.span()}, again, limit) == broken);
    CHECK(again == count);
    return broken;
}
rule judge(std::string_view line) {
    std::size_t count = 0;
    return judge(line, count);
}

// "a(b,c=1,d='2') e()"
std::string read(std::string_view line) {
    const support::guarded octets(octets_of(line));
    extension_reader reader(text_view{octets.span()});
    std::string all;
    for (extension found; reader.next(found);) {
        all += (all.empty() ? "" : " ") + std::string(std::string_view(found.name)) + '(';
        for (parameter each; reader.next(each);) {
            const std::string value(std::string_view(each.value));
            if (all.back() != '(') all += ',';
            all += std::string_view(each.name);
            if (each.form == value_form::token) all += '=' + value;
            if (each.form == value_form::quoted) all += "='" + value + '\'';
            if (each.form == value_form::none) CHECK(value.empty());
        }
        all += ')';
    }
    CHECK(all.find("( ") == std::string::npos);
    return all;
}

struct good_line {
    std::string_view line;
    std::size_t count;
    std::string_view read;
};

constexpr std::array<good_line, 24> good_lines{{
    {"a", 1, "a()"},
    {"a,b", 2, "a() b()"},
    {"a;b", 1, "a(b)"},
    {"a;b=c", 1, "a(b=c)"},
    {"a;b=\"c\"", 1, "a(b='c')"},
    {"a;b;c;d", 1, "a(b,c,d)"},
    {"a;b=1;b=2", 1, "a(b=1,b=2)"},
    {"a;b, c;d", 2, "a(b) c(d)"},
    {" \ta\t ", 1, "a()"},
    {"\ta ; b\t= c ,\td ; e = \"f\" ", 2, "a(b=c) d(e='f')"},
    {"a ;b", 1, "a(b)"},
    {"a; b", 1, "a(b)"},
    {"a;b =c", 1, "a(b=c)"},
    {"a;b= c", 1, "a(b=c)"},
    {"a;b= \"c\" ;d", 1, "a(b='c',d)"},
    {",a", 1, "a()"},
    {"a,", 1, "a()"},
    {", ,\t,a,, b,,", 2, "a() b()"},
    {"!#$%&'*+-.^_`|~;!#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~", 1,
     "!#$%&'*+-.^_`|~(!#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~)"},
    {"a;b=\"!#$%&'*+-.^_`|~\"", 1, "a(b='!#$%&'*+-.^_`|~')"},
    {"constructor; __proto__=1, toString", 2, "constructor(__proto__=1) toString()"},
    {"a;b=\"1\",c;d=\"2\"", 2, "a(b='1') c(d='2')"},
    {"permessage-deflate;server_max_window_bits=10;client_no_context_takeover", 1,
     "permessage-deflate(server_max_window_bits=10,client_no_context_takeover)"},
    {"x-webkit-deflate-frame, permessage-deflate; client_max_window_bits", 2,
     "x-webkit-deflate-frame() permessage-deflate(client_max_window_bits)"},
}};

constexpr std::array<std::string_view, 64> bad_lines{{
    "",
    " ",
    "\t",
    ",",
    " , ,",  // nothing
    ";",
    "a;",
    "a; ",
    "a;,b",
    "a;;b",
    ";b",
    "a,;b",
    "a;b;",
    "a;b; ,c",  // no parameter
    "=",
    "a=",
    "a=b",
    "=b",
    "a;=",
    "a;=b",
    "a=b;c",
    "a,b=c",  // no name for a value
    "a;b=",
    "a;b= ",
    "a;b=,c",
    "a;b=;c",
    "a;b==c",
    "a;b=c=d",
    "a;b=\"c\"=d",  // no value
    "a b",
    "a b;c",
    "a;b c",
    "a;b=c d",
    "a;b=\"c\" d",
    "a;b=\"c\"d",  // two tokens
    "\"a\"",
    "\"",
    "a;\"b\"",
    "a;b=\"\"\"x\"",
    "a;b=\"\" x",
    "a\"",
    "a;b\"c\"",
    "a;b=c\"d\"",
    "a;b=\"c\"\"d\"",  // no quotes here
    "a;b=\"",
    "a;b=\"c",
    "a;b=\"c;d",
    "a;b=\"c,d",
    "a;b=\"c,d\"",
    "a;b=\"c;d\"",
    "a;b=\"\"",
    "a;b=\" \"",
    "a;b=\" c\"",
    "a;b=\"c \"",
    "a;b=\"c d\"",  // quoted, but no token
    "a;b=\"c\\\"",
    "a;b=\"\\c\"",
    "a;b=\"c\\\"\"",
    "a;b=\\c",
    "\\a",  // backslashes
    "a;b=(c)",
    "a/1",
    "a:b",
    "a;b={c}",  // other marks
}};

}  // namespace

TEST_CASE("lines as RFC 6455 has them are counted and read") {
    for (const good_line& each : good_lines) {
        CAPTURE(each.line);
        std::size_t count = 0;
        CHECK(judge(each.line, count) == rule::none);
        CHECK(count == each.count);
        CHECK(read(each.line) == each.read);
    }
}

TEST_CASE("lines with anything else are refused") {
    for (const std::string_view line : bad_lines) {
        CAPTURE(line);
        CHECK(judge(line) == rule::bad_extension);
        // Wherever they stand. (An empty element is none beside another.)
        if (line.find_first_not_of(" \t,") == std::string_view::npos) continue;
        CHECK(judge("x," + std::string(line)) == rule::bad_extension);
        CHECK(judge(std::string(line) + ",x") == rule::bad_extension);
    }
}

TEST_CASE("H5 an octet that is no token's is refused in a name and in a value") {
    for (unsigned i = 0; i < 256; ++i) {
        const std::string one(1, static_cast<char>(static_cast<octet>(i)));
        const bool token = sockless::is_token_octet(static_cast<octet>(i));
        const bool blank = i == 0x20 || i == 0x09;
        CAPTURE(i);
        CHECK((judge("a" + one + "a;b") == rule::none) == (token || one == "," || one == ";"));
        CHECK((judge("a;b" + one + "b") == rule::none) ==
              (token || one == "," || one == ";" || one == "="));
        CHECK((judge("a;b=c" + one + "c") == rule::none) == (token || one == "," || one == ";"));
        CHECK((judge("a;b=\"c" + one + "c\"") == rule::none) == token);
        CHECK((judge("a;b=\"c\"" + one) == rule::none) == (blank || one == ","));
        CHECK((judge(one + "a") == rule::none) == (token || blank || one == ","));
        CHECK((judge("a" + one) == rule::none) == (token || blank || one == ","));
    }
}

TEST_CASE("every beginning of a line is judged by what it has") {
    const std::string_view line = "a; b=\"c\" , d;e=f";
    std::string judged;
    for (std::size_t size = 1; size <= line.size(); ++size) {
        judged += judge(line.substr(0, size)) == rule::none ? 'y' : 'n';
    }
    CHECK(judged == "ynnynnnyyyyynyny");
    CHECK(judge(line.substr(0, 0)) == rule::bad_extension);
}

TEST_CASE("extensions are counted over all lines, and no more are taken than the limit") {
    limits limit;
    limit.offers = 5;
    std::size_t count = 0;
    CHECK(judge("a, b", count, limit) == rule::none);
    CHECK(judge("c;d;e, f", count, limit) == rule::none);
    CHECK(count == 4);
    std::size_t same = count;
    CHECK(judge("g", same, limit) == rule::none);
    CHECK(judge("h", same, limit) == rule::bad_extension);
    CHECK(judge("g, h", count, limit) == rule::bad_extension);
    for (unsigned most = 0; most <= 20; ++most) {
        limit.offers = static_cast<std::uint8_t>(most);
        std::string line = "x";
        for (unsigned offered = 1; offered <= 20; ++offered, line += ",x") {
            count = 0;
            CHECK((judge(line, count, limit) == rule::none) == (offered <= most));
        }
    }
}

TEST_CASE("an extension has no more parameters than the limit") {
    for (unsigned most = 0; most <= 12; ++most) {
        limits limit;
        limit.parameters = static_cast<std::uint8_t>(most);
        std::string list = "x";
        for (unsigned parameters = 0; parameters <= 12; ++parameters, list += "; p=1") {
            std::size_t count = 0;
            CAPTURE(most, parameters);
            const rule expected = parameters <= most ? rule::none : rule::bad_extension;
            CHECK(judge(list, count, limit) == expected);
            CHECK(judge(list + ", y", count, limit) == expected);
            CHECK(judge("y, " + list, count, limit) == expected);
            CHECK(judge(list + ", " + list, count, limit) == expected);
        }
    }
}

TEST_CASE("the default limits are 8 extensions of 8 parameters each") {
    std::string eight = "x;1;2;3;4;5;6;7;8";
    for (int i = 1; i < 8; ++i) eight += ",x;1;2;3;4;5;6;7;8";
    CHECK(judge(eight) == rule::none);
    CHECK(judge(eight + ",y") == rule::bad_extension);
    CHECK(judge(eight + ";9") == rule::bad_extension);
}

TEST_CASE("a line without any extension is refused even behind others") {
    std::size_t count = 3;
    CHECK(judge(" , ", count) == rule::bad_extension);
    CHECK(count == 3);
}

TEST_CASE("an extension is offered under its own name only") {
    const text_view line{octets_of("foo;x=y, Bar ; baz=\"qux\",permessage-deflate")};
    for (const std::string_view name : {"foo", "Bar", "permessage-deflate"}) {
        CAPTURE(name);
        CHECK(offers(line, name));
        CHECK(offers(line, text_view{octets_of(name)}));
    }
    for (const std::string_view name :
         {"", "fo", "fooo", "FOO", "bar", "x", "y", "baz", "qux", "permessage", "deflate",
          "foo;x=y", " foo", "\"qux\"", "foo,"}) {
        CAPTURE(name);
        CHECK_FALSE(offers(line, name));
        CHECK_FALSE(offers(line, text_view{octets_of(name)}));
    }
    CHECK_FALSE(offers(text_view{}, ""));
    CHECK_FALSE(offers(text_view{}, text_view{}));
}

TEST_CASE("parameters need not be read") {
    extension_reader reader(text_view{octets_of("a;b;c,d;e;f,g")});
    extension found;
    parameter each;
    REQUIRE(reader.next(found));
    REQUIRE(reader.next(found));
    CHECK(found.name == "d");
    REQUIRE(reader.next(each));
    CHECK(each.name == "e");
    REQUIRE(reader.next(found));
    CHECK(found.name == "g");
    CHECK_FALSE(reader.next(each));
    CHECK_FALSE(reader.next(found));
    CHECK(found.name == "g");
    CHECK(each.name == "e");
}

TEST_CASE("of lines that are malformed a reader makes what it can, within them") {
    for (const std::string_view line : bad_lines) {
        CAPTURE(line);
        const std::string all = read(line);
        CHECK(all.size() <= 4 * line.size() + 4);
    }
    CHECK(read("a;b=\"") == "a(b=\")");
    CHECK(read("a;b=\"\"") == "a(b='')");
    CHECK(read("a=b") == "a() b()");
    CHECK(read("a;") == "a()");
}

TEST_CASE("H3 an extension line of twice the length takes twice the time") {
    limits limit;
    limit.offers = limit.parameters = 0xFF;
    for (const std::string_view piece : {" ", "\t", ",", " ,", "a", "a ", ";", "=", "\"", "\\"}) {
        for (const std::string_view front : {"", "a;", "a;b=", "a;b=\"", "a;b=\"\\"}) {
            CAPTURE(piece, front);
            const support::repeated text(piece, front, "x");
            CHECK(support::takes_linear_time([&](std::size_t size) {
                std::size_t count = 0;
                const rule broken = judge_extensions(text.first(size), count, limit);
                extension_reader reader(text.first(size));
                for (extension found; reader.next(found);) {
                    for (parameter each; reader.next(each);) count += each.value.size();
                }
                return count + (broken == rule::none ? 0U : 1U);
            }));
        }
    }
}
