// version.cpp -- tests of version.hpp.
#include <sockless/version.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include "support/catch.hpp"

#define STRING_OF(...) #__VA_ARGS__
#define VALUE_OF(macro) STRING_OF(macro)
#define JOINED(left, right) left##right
#define NAMESPACE_OF(major) JOINED(v, major)

// The inline namespace is named after the major version: neither can change without the other.
namespace of_this_version = sockless::NAMESPACE_OF(SOCKLESS_VERSION_MAJOR);

namespace {

bool is_plain_number(std::string_view text) {
    const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
    return digits && !text.empty() && (text.size() == 1 || text.front() != '0');
}

// What stands behind every #define in a header: `NAME` or `NAME(`...
std::multiset<std::string> macros_of(const std::filesystem::path& header) {
    std::multiset<std::string> names;
    std::ifstream file(header);
    REQUIRE(file.is_open());
    for (std::string line; std::getline(file, line);) {
        constexpr std::string_view define = "define ";
        const std::size_t hash = line.find_first_not_of(' ');
        const std::size_t word = hash == std::string::npos || line[hash] != '#'
                                     ? std::string::npos
                                     : line.find_first_not_of(' ', hash + 1);
        if (word == std::string::npos || line.compare(word, define.size(), define) != 0) continue;
        const std::string rest = line.substr(word + define.size());
        names.insert(rest.substr(0, rest.find_first_of(" (")));
    }
    return names;
}

}  // namespace

TEST_CASE("the version is three plain numbers") {
    CHECK(is_plain_number(VALUE_OF(SOCKLESS_VERSION_MAJOR)));
    CHECK(is_plain_number(VALUE_OF(SOCKLESS_VERSION_MINOR)));
    CHECK(is_plain_number(VALUE_OF(SOCKLESS_VERSION_PATCH)));
}

TEST_CASE("the names of the library are those of its inline namespace") {
    CHECK(&sockless::prefer_small == &of_this_version::prefer_small);
}

TEST_CASE("SOCKLESS_SMALL alone decides what is preferred") {
#ifdef SOCKLESS_SMALL
    STATIC_REQUIRE(sockless::prefer_small);
#else
    STATIC_REQUIRE_FALSE(sockless::prefer_small);
#endif
}

TEST_CASE(
    "no header defines another macro than the version's three, and what the compiler can do") {
    const std::filesystem::path headers = SOCKLESS_TEST_DIR "/../include/sockless";
    std::multiset<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(headers)) {
        found.merge(macros_of(entry.path()));
    }
    CHECK(found == std::multiset<std::string>{"SOCKLESS_AVX2", "SOCKLESS_NEON",
                                              "SOCKLESS_VERSION_MAJOR", "SOCKLESS_VERSION_MINOR",
                                              "SOCKLESS_VERSION_PATCH"});
}
