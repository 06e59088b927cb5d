// head_writer.cpp -- tests of head_writer.hpp.
#include <sockless/head_writer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/heads.hpp"

using sockless::field;
using sockless::head_writer;
using sockless::is_field_of_ours;
using sockless::may_leave;
using sockless::octet;
using sockless::result;
using sockless::supplied_text;
using sockless::text_view;
using sockless::write_head;
using sockless::written;
using support::literal;
using support::text_of;

namespace {

constexpr bool writes() {
    const std::array lines{field{"A", "b"}, field{"C", ""}};
    std::array<octet, 64> out{};
    const written done = write_head(out, [&](head_writer& writer) {
        writer.put("x");
        writer.put_number(101);
        writer.put(std::span<const octet>(literal("\r\n")));
        writer.put_lines(lines);
        writer.put_credentials("Aladdin", "open sesame");
    });
    return done.what == result::done && text_view{std::span(out).first(done.octets)} ==
                                            "x101\r\nA: b\r\nC: \r\nQWxhZGRpbjpvcGVuIHNlc2FtZQ==";
}
static_assert(writes());  // the credentials are those of RFC 7617, 2
static_assert(may_leave(std::array{field{"Cookie", "a=b"}}));
static_assert(!may_leave(std::array{field{"Cookie", "a\nb"}}));
static_assert(is_field_of_ours("sec-websocket-key"));
static_assert(supplied_text("abc").view() == "abc");

std::string number(std::size_t value) {
    std::array<octet, 20> out{};
    head_writer writer(out);
    writer.put_number(value);
    return text_of({std::span(out).first(writer.size())});
}

bool one_may_leave(std::string_view name, std::string_view value) {
    return may_leave(std::array{field{name, value}});
}

}  // namespace

TEST_CASE("numbers are written in decimal digits") {
    for (const std::size_t value : {std::size_t{0}, std::size_t{9}, std::size_t{10},
                                    std::size_t{101}, std::size_t{65535}, SIZE_MAX}) {
        CHECK(number(value) == std::to_string(value));
    }
}

TEST_CASE("a head is written whole, or its size is said and nothing is written") {
    const std::string head = "one: 2\r\nuser YTpi and " + std::string(20, 'x');
    const auto compose = [](head_writer& writer) {
        writer.put_lines(std::array{field{"one", "2"}});
        writer.put("user ");
        writer.put_credentials("a", "b");
        writer.put(" and ");
        writer.put(std::span<const octet>(std::vector<octet>(20, 'x')));
    };
    for (std::size_t room = 0; room <= head.size() + 3; ++room) {
        const support::guarded out(std::vector<octet>(room, 0xA5));
        const written got = write_head(out.span(), compose);
        CAPTURE(room);
        if (room < head.size()) {
            CHECK(got == written{result::full, head.size()});
            for (const octet o : out.span()) CHECK(o == 0xA5);
        } else {
            CHECK(got == written{result::done, head.size()});
            CHECK(text_of({out.span().first(head.size())}) == head);
            for (const octet o : out.span().subspan(head.size())) CHECK(o == 0xA5);
        }
    }
}

TEST_CASE("credentials are a user, a colon and a password in base64") {
    struct row {
        std::string user;
        std::string password;
        std::string text;
    };
    for (const row& each : {row{"", "", "Og=="}, row{"a", "", "YTo="}, row{"", "b", "OmI="},
                            row{"test", "123\xC2\xA3", "dGVzdDoxMjPCow=="}}) {
        std::array<octet, 32> out{};
        head_writer writer(out);
        writer.put_credentials(each.user, each.password);
        CHECK(text_of({std::span(out).first(writer.size())}) == each.text);
        std::array<octet, 3> little{};
        head_writer counter(little);
        counter.put_credentials(each.user, each.password);
        CHECK(counter.size() == each.text.size());
        counter.put("more");
        CHECK(counter.size() == each.text.size() + 4);
    }
}

TEST_CASE("H10 every octet in a name or a value leaves only where it belongs") {
    for (int value = 0; value < 256; ++value) {
        const char c = static_cast<char>(static_cast<octet>(value));
        const bool token = support::detail::is_token_char(c);
        const bool inside = value == '\t' || (value >= ' ' && value != 0x7F);
        const bool edge = inside && value != '\t' && value != ' ';
        CAPTURE(value);
        for (const std::string& name : {std::string(1, c), "x" + std::string(1, c),
                                        std::string(1, c) + "x", "x" + std::string(1, c) + "y"}) {
            CHECK(one_may_leave(name, "v") == token);
        }
        CHECK(one_may_leave("n", "x" + std::string(1, c) + "y") == inside);
        CHECK(one_may_leave("n", std::string(1, c)) == edge);
        CHECK(one_may_leave("n", "x" + std::string(1, c)) == edge);
        CHECK(one_may_leave("n", std::string(1, c) + "x") == edge);
    }
    CHECK(!one_may_leave("", "v"));
    CHECK(one_may_leave("n", ""));
    CHECK(may_leave({}));
}

TEST_CASE("H10 fields of the handshake are not the caller's, in any case") {
    for (const std::string name :
         {"Upgrade", "Connection", "Content-Length", "Transfer-Encoding", "Sec-WebSocket-Accept",
          "Sec-WebSocket-", "Sec-WebSocket-Anything", "UPGRADE", "connection", "content-LENGTH",
          "tRANSFER-eNCODING", "SEC-WEBSOCKET-KEY"}) {
        CAPTURE(name);
        CHECK(is_field_of_ours(name));
        CHECK(!one_may_leave(name, "v"));
        CHECK(!may_leave(std::array{field{"Good", "v"}, field{name, "v"}}));
        CHECK(!may_leave(std::array{field{name, "v"}, field{"Good", "v"}}));
    }
    for (const std::string name : {"Upgrad", "Upgrades", "Sec-WebSocket", "Sec-WebSocke-", "X", "",
                                   "X-Sec-WebSocket-Key", "Set-Cookie", "Server", "Connections"}) {
        CAPTURE(name);
        CHECK(!is_field_of_ours(name));
    }
    CHECK(!sockless::begins_with({}, "a"));
    CHECK(sockless::begins_with({}, ""));
}

TEST_CASE("a list of extensions is judged before anything is asked about it") {
    const auto count = [](std::string_view line, std::string_view wrong) {
        int asked = 0;
        const std::vector<octet> octets = support::octets_of_text(line);
        const bool all = sockless::every_extension({octets}, [&](text_view name) {
            ++asked;
            return !(name == wrong);
        });
        return all ? asked : -asked;
    };
    CHECK(count("a, b; c=1, d; e; f=\"g\"", "x") == 3);
    CHECK(count("a, b; c=1, d", "b") == -2);
    CHECK(count("a", "a") == -1);
    CHECK(count("a, b;", "x") == 0);
    CHECK(count("", "x") == 0);
    CHECK(!sockless::every_extension({}, [](text_view) { return true; }));
}
