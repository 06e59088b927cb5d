// header_list.cpp -- tests of header_list.hpp.
#include <sockless/header_list.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/linear.hpp"
#include "support/octets.hpp"

using sockless::has_token;
using sockless::is_blank;
using sockless::is_field_octet;
using sockless::is_field_value;
using sockless::is_token;
using sockless::is_token_octet;
using sockless::list_reader;
using sockless::lower_case;
using sockless::name_reader;
using sockless::octet;
using sockless::octets_of;
using sockless::offers;
using sockless::same_text;
using sockless::text_view;
using sockless::trim;

namespace {

using texts = std::vector<std::string>;

// A text that constant evaluation can make octets of.
template <std::size_t Size>
struct literal {
    std::array<octet, Size> octets{};
    constexpr literal(const char (&text)[Size]) { sockless::copy_text({text, Size - 1}, octets); }
    constexpr operator text_view() const { return {std::span(octets).first(Size - 1)}; }
};

static_assert(is_token("permessage-deflate") && is_token("x!#$%&'*+-.^_`|~9"));
static_assert(!is_token("") && !is_token("a b") && !is_token("a,b"));
static_assert(is_field_value("") && is_field_value("a \t b") && is_field_value("\xFF"));
static_assert(!is_field_value(" a") && !is_field_value("a\t") && !is_field_value("a\r"));
static_assert(same_text(literal("WebSocket"), "webSOCKET"));
static_assert(!same_text(literal("websocket"), literal("websockeT ")));
static_assert(trim(literal(" \ta b\t ")) == "a b");
static_assert(has_token(literal("keep-alive, Upgrade"), "upgrade"));
static_assert(!has_token(literal("keep-alive, no-upgrade"), "upgrade"));
static_assert(offers("chat, superchat", literal("superchat")));

text_view view(const support::guarded& octets) { return text_view{octets.span()}; }

// The elements, and "!" if the list is malformed. Read from memory where a step outside is noticed.
texts elements(std::string_view list) {
    const support::guarded octets(octets_of(list));
    list_reader reader(view(octets));
    texts found;
    for (text_view element; reader.next(element);) {
        CHECK_FALSE(reader.malformed());
        found.push_back(std::string(std::string_view(element)));
    }
    text_view untouched{octets.span()};
    CHECK_FALSE(reader.next(untouched));
    CHECK(untouched.octets.data() == octets.span().data());
    if (reader.malformed()) found.emplace_back("!");
    return found;
}

texts names(std::string_view list) {
    const support::guarded octets(octets_of(list));
    name_reader reader{std::string_view(view(octets))};
    texts found;
    for (std::string_view name; reader.next(name);) found.emplace_back(name);
    std::string_view untouched = "untouched";
    CHECK_FALSE(reader.next(untouched));
    CHECK(untouched == "untouched");
    return found;
}

bool has(std::string_view list, std::string_view token) {
    const support::guarded octets(octets_of(list));
    return has_token(view(octets), token);
}

}  // namespace

TEST_CASE("H5 a token has the octets of RFC 9110, 5.6.2 and no others") {
    const std::string_view marks = "!#$%&'*+-.^_`|~";
    for (unsigned i = 0; i < 256; ++i) {
        const auto o = static_cast<octet>(i);
        const char c = static_cast<char>(o);
        const bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') ||
                          (c != 0 && marks.find(c) != std::string_view::npos);
        CAPTURE(i);
        CHECK(is_token_octet(o) == good);
        for (const std::string& text : {std::string(1, c), 'a' + std::string(1, c),
                                        std::string(1, c) + 'a', 'a' + std::string(1, c) + 'a'}) {
            const support::guarded octets(octets_of(text));
            CHECK(is_token(view(octets)) == good);
            CHECK(is_token(std::string_view(text)) == good);
        }
    }
    CHECK_FALSE(is_token(""));
    CHECK_FALSE(is_token(text_view{}));
}

TEST_CASE("H7 a field value has no control but the tab, and no blank at an end") {
    for (unsigned i = 0; i < 256; ++i) {
        const auto o = static_cast<octet>(i);
        const bool blank = i == 0x20 || i == 0x09;
        const bool good = blank || (i >= 0x21 && i <= 0x7E) || i >= 0x80;
        CAPTURE(i);
        CHECK(is_blank(o) == blank);
        CHECK(is_field_octet(o) == good);
        const std::string one(1, static_cast<char>(o));
        const auto judge = [](const std::string& text, bool expected) {
            const support::guarded octets(octets_of(text));
            CHECK(is_field_value(view(octets)) == expected);
            CHECK(is_field_value(std::string_view(text)) == expected);
        };
        judge(one, good && !blank);
        judge("a" + one, good && !blank);
        judge(one + "a", good && !blank);
        judge("a" + one + "a", good);
    }
    CHECK(is_field_value(""));
    CHECK(is_field_value(text_view{}));
}

TEST_CASE("only the letters of ASCII have a case") {
    std::size_t wrong = 0;
    for (unsigned i = 0; i < 256; ++i) {
        const auto o = static_cast<octet>(i);
        const bool upper = i >= 0x41 && i <= 0x5A;
        CAPTURE(i);
        CHECK(lower_case(o) == (upper ? i + 0x20 : i));
        for (unsigned j = 0; j < 256; ++j) {
            const std::array<octet, 2> left{octet{'x'}, o};
            const std::array<octet, 2> right{octet{'X'}, static_cast<octet>(j)};
            const bool letter = ((i | 0x20) >= 0x61 && (i | 0x20) <= 0x7A && i < 0x80);
            const bool same = i == j || (letter && (i ^ j) == 0x20);
            const std::string text{'X', static_cast<char>(static_cast<octet>(j))};
            wrong += same_text(text_view{left}, text_view{right}) == same ? 0U : 1U;
            wrong += same_text(text_view{left}, std::string_view(text)) == same ? 0U : 1U;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("texts of different length are not the same") {
    const text_view text{octets_of("upgrade")};
    for (const std::string_view other : {"", "u", "upgrad", "upgrades", "pgrade"}) {
        CHECK_FALSE(same_text(text, other));
        CHECK_FALSE(same_text(text, text_view{octets_of(other)}));
    }
    CHECK(same_text(text_view{}, ""));
    CHECK(same_text(text, "UPGRADE"));
}

TEST_CASE("blanks around a text are trimmed and none within") {
    for (const std::string_view text : {"", "a", "a b", "a \t b", "\r", "\xA0"}) {
        for (const std::string_view front : {"", " ", "\t", " \t  "}) {
            for (const std::string_view back : {"", " ", "\t", "\t \t"}) {
                const std::string whole =
                    std::string(front) + std::string(text) + std::string(back);
                const support::guarded octets(octets_of(whole));
                CHECK(trim(view(octets)) == text);
            }
        }
    }
}

TEST_CASE("elements of a list are trimmed, and empty ones are none") {
    CHECK(elements("").empty());
    CHECK(elements(" \t ").empty());
    CHECK(elements(",").empty());
    CHECK(elements(" , ,,\t, ").empty());
    CHECK(elements("a") == texts{"a"});
    CHECK(elements(",a") == texts{"a"});
    CHECK(elements("a,") == texts{"a"});
    CHECK(elements("a,b") == texts{"a", "b"});
    CHECK(elements("  a\t,\tb  ,, c d ,") == texts{"a", "b", "c d"});
    CHECK(elements("foo , ,bar,charlie") == texts{"foo", "bar", "charlie"});  // 9110, 5.6.1.2
    CHECK(elements("a;b=1, c; d") == texts{"a;b=1", "c; d"});
}

TEST_CASE("a comma in a quoted string separates nothing") {
    CHECK(elements(R"(a; x="1,2", b)") == texts{R"(a; x="1,2")", "b"});
    CHECK(elements(R"("http://example.com/a.html,foo", b)") ==
          texts{R"("http://example.com/a.html,foo")", "b"});
    CHECK(elements(R"("a\",b",c)") == texts{R"("a\",b")", "c"});
    CHECK(elements(R"("a\\",b,c)") == texts{R"("a\\")", "b", "c"});
    CHECK(elements(R"(a\,b)") == texts{R"(a\)", "b"});  // a backslash outside is only an octet
    CHECK(elements(R"(a\",b",c)") == texts{R"(a\",b")", "c"});
    CHECK(elements(R"("","")") == texts{R"("")", R"("")"});
    CHECK(elements(R"(a"b,c"d,e)") == texts{R"(a"b,c"d)", "e"});
}

TEST_CASE("a quoted string that nothing closes makes a list malformed") {
    CHECK(elements(R"(")") == texts{"!"});
    CHECK(elements(R"(a,")") == texts{"a", "!"});
    CHECK(elements(R"(a, b; x="1, c)") == texts{"a", "!"});
    CHECK(elements(R"("\)") == texts{"!"});
    CHECK(elements(R"("\")") == texts{"!"});
    CHECK(elements(R"(a,"b\\\",c)") == texts{"a", "!"});
    CHECK(elements(R"("a","b)") == texts{R"("a")", "!"});
}

TEST_CASE("a token is found whole, in any case and any place") {
    for (const std::string_view list :
         {"upgrade", "Upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade, keep-alive",
          " , upgrade\t,", "a,b,upgrade,c", "upgrade,upgrade"}) {
        CAPTURE(list);
        CHECK(has(list, "upgrade"));
        CHECK(has(list, "UpGrAdE"));
        CHECK_FALSE(has(list, "upgrad"));
        CHECK_FALSE(has(list, "upgrades"));
    }
    for (const std::string_view list :
         {"", ",", "no-upgrade", "upgrade-insecure-requests", "upgrades", "upgrad", "up grade",
          "\"upgrade\"", "upgrade;q=1", "upgrade/1", "a upgrade", "upgrade\r", "upgrade\x0B",
          "\"a, upgrade, b\"", "x\", upgrade, \"", "'upgrade'", "(upgrade)",
          "upgrade keep-alive"}) {
        CAPTURE(list);
        CHECK_FALSE(has(list, "upgrade"));
    }
    const std::string_view nul("upgrade\0", 8);
    CHECK_FALSE(has(nul, "upgrade"));
}

TEST_CASE("nothing is found in a list with a quote, for it is none of tokens") {
    CHECK_FALSE(has("\"x\", upgrade", "upgrade"));
    CHECK_FALSE(has("upgrade, \"x\"", "upgrade"));
    CHECK_FALSE(has("upgrade, \"", "upgrade"));
    CHECK_FALSE(has("\", upgrade", "upgrade"));
    CHECK_FALSE(has("upgrade, \"x\\\"", "upgrade"));
}

TEST_CASE("names of a list that we write are read without their parameters") {
    CHECK(names("").empty());
    CHECK(names("chat") == texts{"chat"});
    CHECK(names("chat, superchat") == texts{"chat", "superchat"});
    CHECK(names("chat,superchat ,\tx\t") == texts{"chat", "superchat", "x"});
    CHECK(names("a; b=1; c, d ;e") == texts{"a", "d"});
    CHECK(names("a;b,c") == texts{"a", "c"});
    CHECK(names("a b, c") == texts{"a b", "c"});
}

TEST_CASE("a name that is missing is empty") {
    CHECK(names(" ") == texts{""});
    CHECK(names(",") == texts{"", ""});
    CHECK(names("a,") == texts{"a", ""});
    CHECK(names(",a") == texts{"", "a"});
    CHECK(names("a, ,b") == texts{"a", "", "b"});
    CHECK(names(";a") == texts{""});
    CHECK(names(" ;a, ; b") == texts{"", ""});
}

TEST_CASE("what we listed is found letter by letter") {
    const std::string_view list = "chat, superchat; x=1, Chat3";
    for (const std::string_view name : {"chat", "superchat", "Chat3"}) {
        CHECK(offers(list, text_view{octets_of(name)}));
    }
    for (const std::string_view name :
         {"", "Chat", "cha", "chats", "chat3", "x", "superchat; x=1", "chat,", "super", "1"}) {
        CAPTURE(name);
        CHECK_FALSE(offers(list, text_view{octets_of(name)}));
    }
    CHECK_FALSE(offers("", text_view{}));
}

TEST_CASE("H3 twice the blanks, commas, quotes or backslashes take twice the time") {
    for (const std::string_view piece : {" ", "\t", ",", " ,", "\"", "\\", "\"\\", "\\\"", "\"\\a",
                                         "a", "a,", "a ", "\", ", ";", "b \t"}) {
        CAPTURE(piece);
        const support::repeated text(piece);
        CHECK(support::takes_linear_time([&](std::size_t size) {
            std::size_t sum = 0;
            list_reader list(text.first(size));
            for (text_view element; list.next(element);) sum += element.size();
            name_reader listed{std::string_view(text.first(size))};
            for (std::string_view name; listed.next(name);) sum += name.size();
            return sum + (has_token(text.first(size), "x") ? 1 : 0) + trim(text.first(size)).size();
        }));
    }
    const support::repeated blanks(" ", "b", "x");  // ws: "b<32000 spaces>x"
    CHECK(support::takes_linear_time([&](std::size_t size) {
        return has_token(blanks.first(size), "x") ? std::size_t{1} : std::size_t{0};
    }));
}

namespace {

// Every octet, behind every number of others that pass, in memory that ends where the text does.
template <class Test>
bool ends_runs_alike(Test test, octet other) {
    const octet* const borders = sockless::detail::borders_of<Test>.data();
    bool alike = true;
    for (std::size_t size = 0; size <= 35; ++size) {
        support::guarded text(std::vector<octet>(size, other));
        alike = alike && sockless::detail::run_of(text.span(), test) == size;
        for (std::size_t at = 0; at < size; ++at) {
            for (unsigned o = 0; o < 256; ++o) {
                text.span()[at] = static_cast<octet>(o);
                const std::size_t run = test(static_cast<octet>(o)) ? size : at;
                alike = alike && sockless::detail::run_of(text.span(), test) == run &&
                        sockless::detail::run_octets(text.span(), test) == run &&
                        sockless::detail::run_between(text.span(), borders) == run;
            }
            text.span()[at] = other;
        }
    }
    return alike;
}

}  // namespace

TEST_CASE("a run ends where it does octet by octet, and reads nothing behind its text") {
    CHECK(ends_runs_alike(sockless::detail::in_value, 'v'));
    CHECK(ends_runs_alike(sockless::detail::in_value, 0xFF));
    CHECK(ends_runs_alike(sockless::detail::in_host, 'h'));
    CHECK(ends_runs_alike(sockless::detail::is_letter, 'Z'));
}

TEST_CASE("a name ends in front of the first octet that is in none, or with its text") {
    const std::string marks = "!#$%&'*+-.^_`|~09azAZ";
    for (const std::string& text : {std::string(), std::string("name"), marks, marks + marks}) {
        for (const std::string_view rest : {"", ":", " ", "\r", "\x80name"}) {
            const support::guarded octets(octets_of(text + std::string(rest)));
            CHECK(sockless::detail::token_run(octets.span()) == text.size());
        }
    }
}

TEST_CASE("the classes of octets are what they are called") {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    constexpr std::string_view others = "0123456789-._";
    for (unsigned o = 0; o < 256; ++o) {
        CAPTURE(o);
        const auto one = static_cast<octet>(o);
        const bool is_letter = letters.find(static_cast<char>(one)) != letters.npos;
        const bool is_other = others.find(static_cast<char>(one)) != others.npos;
        CHECK(sockless::detail::is_letter(one) == is_letter);
        CHECK(sockless::detail::in_host(one) == (is_letter || is_other));
        CHECK(sockless::detail::in_value(one) == (o == '\t' || (o >= ' ' && o != 0x7F)));
    }
}

TEST_CASE("what lies between the borders of a test is what passes it") {
    const octet* const borders =
        sockless::detail::borders_of<decltype(sockless::detail::in_token)>.data();
    for (unsigned o = 0; o < 256; ++o) {
        const auto one = static_cast<octet>(o);
        CHECK(sockless::detail::is_between(one, borders) == sockless::detail::token_table[o]);
    }
}
