// head_fields.cpp -- tests of head_fields.hpp.
#include <sockless/head_fields.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/heads.hpp"

using sockless::element_reader;
using sockless::field_elements;
using sockless::field_reader;
using sockless::field_values;
using sockless::field_view;
using sockless::fields;
using sockless::octet;
using sockless::text_view;
using sockless::value_reader;
using support::literal;
using support::octets_of_text;
using support::text_of;

namespace {

static_assert(std::is_trivially_copyable_v<fields>);

constexpr auto sample =
    literal("Host: a\r\nX-List: one, two\r\nx-list:\r\nX-LIST: three\r\n\r\nHost: b");

static_assert([] {
    int lines = 0;
    for (const field_view& line : fields(field_reader(sample))) lines += line.name.empty() ? 0 : 1;
    return lines;
}() == 4);
static_assert(field_values({field_reader(sample), "HOST"}).first() == text_view{literal("a")});
static_assert(!field_values({field_reader(sample), "Hos"}).first());

std::vector<std::string> values(std::span<const octet> lines, std::string_view name) {
    std::vector<std::string> all;
    for (const text_view value : field_values({field_reader(lines), name})) {
        all.push_back(text_of(value));
    }
    return all;
}

std::vector<std::string> elements(std::span<const octet> lines, std::string_view name) {
    std::vector<std::string> all;
    const field_elements range(element_reader({field_reader(lines), name}));
    for (auto i = range.begin(); i != range.end(); ++i) all.push_back(text_of(*i));
    return all;
}

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the fields of a head come in their order, up to the empty line") {
    const support::guarded lines(sample);
    std::string log;
    const fields all{field_reader(lines.span())};
    for (auto i = all.begin(); i != all.end(); ++i) {
        log += text_of(i->name) + "=" + text_of((*i).value) + ";";
    }
    CHECK(log == "Host=a;X-List=one, two;x-list=;X-LIST=three;");
    REQUIRE(all.first());
    CHECK(text_of(all.first()->name) == "Host");
    field_reader reader(lines.span());
    field_view line;
    for (int i = 0; i < 4; ++i) CHECK(reader.next(line));
    CHECK(!reader.next(line));
    CHECK(!reader.next(line));
}

TEST_CASE("the values of one name come from all its lines, in any case") {
    const support::guarded lines(sample);
    CHECK(values(lines.span(), "x-LIST") == texts{"one, two", "", "three"});
    CHECK(values(lines.span(), "Host") == texts{"a"});
    CHECK(values(lines.span(), "Hos").empty());
    CHECK(values(lines.span(), "").empty());
    CHECK(!field_values({field_reader(lines.span()), "Hosts"}).first());
}

TEST_CASE("lists in several lines are one list") {
    const support::guarded lines(sample);
    CHECK(elements(lines.span(), "X-List") == texts{"one", "two", "three"});
    CHECK(elements(lines.span(), "Y-List").empty());
}

TEST_CASE("where there is no line, there is no field") {
    CHECK(!fields(field_reader({})).first());
    const std::vector<octet> empty = octets_of_text("\r\n");
    const support::guarded lines(empty);
    CHECK(!fields(field_reader(lines.span())).first());
}

TEST_CASE("whatever the octets are, a reader ends and stays inside") {
    const std::string text = "a: b\r\nc:d\r\n\r\n";
    for (std::size_t size = 0; size <= text.size(); ++size) {
        for (int value = 0; value < 256; ++value) {
            std::vector<octet> octets = octets_of_text(std::string_view(text).substr(0, size));
            if (size > 0) octets[size / 2] = static_cast<octet>(value);
            const support::guarded lines(octets);
            std::size_t count = 0;
            for (const field_view& line : fields(field_reader(lines.span()))) {
                CHECK(line.name.size() + line.value.size() < octets.size());
                ++count;
            }
            CHECK(count <= 2);
        }
    }
}
