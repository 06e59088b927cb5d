// request_rules.cpp -- tests of request_rules.hpp.
#include <sockless/request_rules.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/heads.hpp"

using sockless::find_request_field;
using sockless::limits;
using sockless::octet;
using sockless::request_field;
using sockless::request_rules;
using sockless::rule;
using sockless::text_view;
using support::literal;
using support::octets_of_text;

namespace {

static_assert(std::is_trivially_copyable_v<request_rules>);
static_assert(find_request_field({literal("sec-websocket-KEY")}) == request_field::key);
static_assert(find_request_field({literal("Sec-WebSocket-Ke")}) == request_field::other);

// Every name has its row, in the order of the ids.
static_assert([] {
    std::size_t row = 0;
    for (const auto& entry : sockless::request_field_table) {
        if (static_cast<std::size_t>(entry.id) != row++) return false;
    }
    return row == static_cast<std::size_t>(request_field::other);
}());

using line = std::pair<std::string, std::string>;
using lines = std::vector<line>;

// What became of a request: the rule, and the field that broke it; one behind the last: finish().
struct verdict {
    rule broken = rule::none;
    std::size_t at = 0;
    bool upgrade = false;

    bool operator==(const verdict&) const = default;
};

verdict judge(const lines& all, const limits& limit = {}) {
    request_rules rules(limit);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::vector<octet> name = octets_of_text(all[i].first);
        const std::vector<octet> value = octets_of_text(all[i].second);
        const rule broken = rules.take(find_request_field({name}), {value});
        if (broken != rule::none) return {broken, i, rules.is_upgrade()};
    }
    return {rules.finish(), all.size(), rules.is_upgrade()};
}

const lines upgrade{{"Host", "a"},
                    {"Upgrade", "websocket"},
                    {"Connection", "Upgrade"},
                    {"Sec-WebSocket-Version", "13"},
                    {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};

lines with(const std::string& name, const std::string& value) {
    lines all = upgrade;
    for (line& each : all) {
        if (each.first == name) {
            each.second = value;
            return all;
        }
    }
    all.emplace_back(name, value);
    return all;
}

lines without(const std::string& name) {
    lines all = upgrade;
    std::erase_if(all, [&](const line& each) { return each.first == name; });
    return all;
}

lines and_again(const std::string& name, const std::string& value) {
    lines all = upgrade;
    all.emplace_back(name, value);
    return all;
}

}  // namespace

TEST_CASE("names are found in any case, and whole") {
    CHECK(sockless::detail::request_field_names_size() == 152);
    for (const auto& entry : sockless::request_field_table) {
        const std::string name(entry.name);
        std::string upper = name;
        for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
        for (const std::string& each : {name, upper, support::detail::lower(name)}) {
            CHECK(find_request_field({octets_of_text(each)}) == entry.id);
            CHECK(find_request_field({octets_of_text(each + "x")}) == request_field::other);
            CHECK(find_request_field({octets_of_text(each + std::string(32, 'x'))}) ==
                  request_field::other);
            CHECK(find_request_field({octets_of_text("x" + each)}) == request_field::other);
            CHECK(find_request_field({octets_of_text(each.substr(1))}) == request_field::other);
        }
    }
    for (const std::string name : {"", "constructor", "__proto__", "toString", "Sec-WebSocket-"}) {
        CHECK(find_request_field({octets_of_text(name)}) == request_field::other);
    }
}

TEST_CASE("15 a handshake has a host, an upgrade, a version and a key") {
    CHECK(judge(upgrade) == verdict{rule::none, 5, true});
    struct row {
        std::string name;
        rule missing;
    };
    for (const row& each : {row{"Host", rule::bad_host}, row{"Connection", rule::bad_connection},
                            row{"Sec-WebSocket-Version", rule::bad_version},
                            row{"Sec-WebSocket-Key", rule::bad_key}}) {
        CAPTURE(each.name);
        CHECK(judge(without(each.name)) == verdict{each.missing, 4, true});
    }
    CHECK(judge(without("Upgrade")) == verdict{rule::none, 4, false});
    CHECK(judge({}) == verdict{rule::bad_host, 0, false});
    CHECK(judge({{"Host", "a"}}) == verdict{rule::none, 1, false});
}

TEST_CASE("values that are good") {
    for (const line& each : lines{{"Host", "example.org:8080"},
                                  {"Host", "[::1]"},
                                  {"Upgrade", "WebSocket"},
                                  {"Upgrade", "h2c, websocket"},
                                  {"Upgrade", ", websocket ,"},
                                  {"Connection", "keep-alive, Upgrade"},
                                  {"Connection", "UPGRADE"},
                                  {"Connection", "upgrade,close"},
                                  {"Origin", "null"},
                                  {"Content-Length", "0"},
                                  {"Sec-WebSocket-Protocol", "chat"},
                                  {"Sec-WebSocket-Protocol", ", chat ,, superchat"},
                                  {"Sec-WebSocket-Extensions", "permessage-deflate; a=1; b=\"2\""},
                                  {"X", "\"("}}) {
        CAPTURE(each.first, each.second);
        CHECK(judge(with(each.first, each.second)).broken == rule::none);
        CHECK(judge(with(each.first, each.second)).upgrade);
    }
}

TEST_CASE("H6 H8 values that are bad") {
    struct row {
        std::string name;
        std::string value;
        rule broken;
    };
    for (const row& each : std::vector<row>{
             {"Host", "", rule::bad_host},
             {"Host", "a b", rule::bad_host},
             {"Host", "a/b", rule::bad_host},
             {"Host", "u@a", rule::bad_host},
             {"Host", "a, b", rule::bad_host},
             {"Host", "a:99999", rule::bad_host},
             {"Connection", "", rule::bad_connection},
             {"Connection", "close", rule::bad_connection},
             {"Connection", "no-upgrade", rule::bad_connection},
             {"Connection", "upgrade2", rule::bad_connection},
             {"Connection", "\"upgrade\"", rule::bad_connection},
             {"Connection", "keep-alive upgrade", rule::bad_connection},
             {"Sec-WebSocket-Version", "", rule::bad_version},
             {"Sec-WebSocket-Version", "0", rule::bad_version},
             {"Sec-WebSocket-Version", "7", rule::bad_version},
             {"Sec-WebSocket-Version", "8", rule::bad_version},
             {"Sec-WebSocket-Version", "12", rule::bad_version},
             {"Sec-WebSocket-Version", "14", rule::bad_version},
             {"Sec-WebSocket-Version", "013", rule::bad_version},
             {"Sec-WebSocket-Version", "+13", rule::bad_version},
             {"Sec-WebSocket-Version", "13.0", rule::bad_version},
             {"Sec-WebSocket-Version", "13, 8", rule::bad_version},
             {"Sec-WebSocket-Version", "13,", rule::bad_version},
             {"Sec-WebSocket-Version", "1", rule::bad_version},
             {"Sec-WebSocket-Version", "3", rule::bad_version},
             {"Sec-WebSocket-Key", "", rule::bad_key},
             {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=", rule::bad_key},
             {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ===", rule::bad_key},
             {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQAA", rule::bad_key},
             {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ-==", rule::bad_key},
             {"Content-Length", "1", rule::has_body},
             {"Content-Length", "", rule::has_body},
             {"Content-Length", "00", rule::has_body},
             {"Content-Length", "0, 0", rule::has_body},
             {"Content-Length", "-0", rule::has_body},
             {"Transfer-Encoding", "chunked", rule::has_body},
             {"Transfer-Encoding", "identity", rule::has_body},
             {"Transfer-Encoding", "0", rule::has_body},
             {"Transfer-Encoding", "", rule::has_body},
             {"Sec-WebSocket-Protocol", "", rule::bad_protocol},
             {"Sec-WebSocket-Protocol", ",", rule::bad_protocol},
             {"Sec-WebSocket-Protocol", "a b", rule::bad_protocol},
             {"Sec-WebSocket-Protocol", "a, b/c", rule::bad_protocol},
             {"Sec-WebSocket-Protocol", "\"a\"", rule::bad_protocol},
             {"Sec-WebSocket-Protocol", "a, \"", rule::bad_protocol},
             {"Sec-WebSocket-Extensions", "", rule::bad_extension},
             {"Sec-WebSocket-Extensions", "a;", rule::bad_extension},
             {"Sec-WebSocket-Extensions", "a; b=\"c d\"", rule::bad_extension},
         }) {
        CAPTURE(each.name, each.value);
        const lines all = with(each.name, each.value);
        const verdict got = judge(all);
        CHECK(got.broken == each.broken);
        // A token may still come in another line; all else is known at once.
        const bool may_come = each.name == "Connection";
        const bool at_once = got.at < all.size() && all[got.at].first == each.name;
        CHECK(at_once == !may_come);
    }
}

TEST_CASE("H6 H8 what there is one of, comes once") {
    for (const line& each : lines{{"Host", "a"},
                                  {"Sec-WebSocket-Version", "13"},
                                  {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}}) {
        const verdict got = judge(and_again(each.first, each.second));
        CAPTURE(each.first);
        CHECK(got.at == 5);
        CHECK(got.broken != rule::none);
    }
    lines twice = and_again("Origin", "http://a");
    twice.emplace_back("Origin", "http://a");
    CHECK(judge(twice) == verdict{rule::foreign_origin, 6, true});
    twice = and_again("Content-Length", "0");
    twice.emplace_back("Content-Length", "0");
    CHECK(judge(twice) == verdict{rule::has_body, 6, true});
}

TEST_CASE("lists may take several lines") {
    lines all = with("Connection", "keep-alive");
    all.emplace_back("Upgrade", "h2c");
    all.emplace_back("connection", "close, upgrade");
    all.emplace_back("Sec-WebSocket-Protocol", "a");
    all.emplace_back("Sec-WebSocket-Protocol", "b, c");
    all.emplace_back("Sec-WebSocket-Extensions", "a; b");
    all.emplace_back("Sec-WebSocket-Extensions", "a");
    CHECK(judge(all) == verdict{rule::none, all.size(), true});
}

TEST_CASE("protocols and extensions are counted over all lines") {
    limits limit;
    limit.protocols = 3;
    limit.offers = 2;
    limit.parameters = 1;
    lines all = and_again("Sec-WebSocket-Protocol", "a, b");
    all.emplace_back("Sec-WebSocket-Protocol", "c");
    CHECK(judge(all, limit).broken == rule::none);
    all.emplace_back("Sec-WebSocket-Protocol", "d");
    CHECK(judge(all, limit) == verdict{rule::bad_protocol, 7, true});
    limit.protocols = 0;
    CHECK(judge(all, limit) == verdict{rule::bad_protocol, 5, true});

    all = and_again("Sec-WebSocket-Extensions", "a; b, c");
    CHECK(judge(all, limit).broken == rule::none);
    all.emplace_back("Sec-WebSocket-Extensions", "d");
    CHECK(judge(all, limit) == verdict{rule::bad_extension, 6, true});
    CHECK(judge(and_again("Sec-WebSocket-Extensions", "a; b; c"), limit) ==
          verdict{rule::bad_extension, 5, true});
}

TEST_CASE("H8 without an upgrade nothing of the handshake matters, and the host and the body do") {
    lines all{{"Host", "a"},
              {"Sec-WebSocket-Version", "8"},
              {"Sec-WebSocket-Key", "x"},
              {"Sec-WebSocket-Key", "x"},
              {"Origin", "x"},
              {"Origin", "y"},
              {"Sec-WebSocket-Protocol", "a b"},
              {"Sec-WebSocket-Extensions", ";"},
              {"Upgrade", "h2c, websocket/13"},
              {"Upgrade", "\"websocket\""},
              {"Upgrade", "websockets"},
              {"Upgrade", ""}};
    CHECK(judge(all) == verdict{rule::none, all.size(), false});
    // Where it becomes one, the first of its faults counts, at once.
    all.emplace_back("Upgrade", "websocket");
    CHECK(judge(all) == verdict{rule::bad_version, 12, true});
    all.pop_back();
    all.emplace_back("Content-Length", "5");
    CHECK(judge(all) == verdict{rule::has_body, 12, false});
    all.back() = {"Host", "a"};
    CHECK(judge(all) == verdict{rule::bad_host, 12, false});
    all.front() = {"X", "x"};
    all.pop_back();
    CHECK(judge(all) == verdict{rule::bad_host, all.size(), false});
}

TEST_CASE("40 the order of the fields decides nothing") {
    const std::vector<lines> requests{
        upgrade,
        with("Connection", "close"),
        with("Sec-WebSocket-Version", "12"),
        without("Sec-WebSocket-Key"),
        without("Upgrade"),
        and_again("Host", "a"),
        and_again("Sec-WebSocket-Protocol", "a, ("),
        with("Sec-WebSocket-Protocol", "a, b"),
        with("Transfer-Encoding", "chunked"),
        with("Sec-WebSocket-Extensions", "x; y=z"),
    };
    for (const lines& request : requests) {
        lines order = request;
        std::sort(order.begin(), order.end());
        const rule wanted = judge(request).broken;
        std::size_t orders = 0;
        do {
            const verdict got = judge(order);
            if (got.broken != wanted) FAIL("another verdict");
            if (got.broken == rule::none && got.upgrade != judge(request).upgrade) FAIL("upgrade");
            ++orders;
        } while (std::next_permutation(order.begin(), order.end()));
        CHECK(orders >= 24);
    }
}
