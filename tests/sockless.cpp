// sockless.cpp -- tests of sockless.hpp: the table of contents is whole, and enough by itself.
#include <sockless/sockless.hpp>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "support/catch.hpp"

namespace {

const std::filesystem::path headers = SOCKLESS_TEST_DIR "/../include/sockless";

// The headers that a file includes, as `name.hpp`.
std::multiset<std::string> included_by(const std::filesystem::path& path) {
    constexpr std::string_view beginning = "#include <sockless/";
    std::multiset<std::string> names;
    std::ifstream file(path);
    REQUIRE(file.is_open());
    for (std::string line; std::getline(file, line);) {
        if (line.compare(0, beginning.size(), beginning) != 0) continue;
        names.insert(line.substr(beginning.size(), line.find('>') - beginning.size()));
    }
    return names;
}

std::multiset<std::string> all_headers() {
    std::multiset<std::string> names;
    // Nothing names these but who wants them.
    const std::multiset<std::string> leaves{"backoff.hpp",         "close_code_registry.hpp",
                                            "deflate.hpp",         "deflate_pool.hpp",
                                            "deflate_streams.hpp", "deflate_terms.hpp",
                                            "inflating.hpp",       "judge.hpp",
                                            "mask_source.hpp",     "pipe.hpp",
                                            "prepared.hpp",        "prepared_deflate.hpp"};
    for (const auto& entry : std::filesystem::directory_iterator(headers)) {
        const std::string name = entry.path().filename().string();
        if (!leaves.contains(name)) names.insert(name);
    }
    return names;
}

// A client says "hi" and leaves, with 1000; gives the code that comes back to it.
constexpr int talk() {
    using what = sockless::frame_event::what;
    constexpr sockless::masking_key key{{0x37, 0xFA, 0x21, 0x3D}};
    sockless::client_endpoint client;
    sockless::server_endpoint server;
    std::array<sockless::octet, sockless::longest_control_frame> wire{};
    const std::array<sockless::octet, 2> hi{'h', 'i'};

    const auto sent = client.write({.type = sockless::message_type::text}, hi, wire, key);
    std::span<sockless::octet> in = std::span(wire).first(sent.octets);
    const sockless::frame_event said = server.next(in);
    if (said.kind != what::slice || !said.last || said.text() != std::string_view("hi")) return -1;

    if (client.close(sockless::close_code(1000)) != sockless::result::done) return -2;
    in = std::span(wire).first(client.control(wire, key));
    if (server.next(in).kind != what::close) return -3;
    in = std::span(wire).first(server.control(wire));
    const sockless::frame_event left = client.next(in);
    return left.kind == what::close && client.report().clean ? left.code : -4;
}
static_assert(talk() == 1000);

}  // namespace

TEST_CASE("the table of contents lists every header once, and nothing else") {
    std::multiset<std::string> chapters = included_by(headers / "sockless.hpp");
    chapters.insert("sockless.hpp");
    CHECK(chapters == all_headers());
}

TEST_CASE("sockless.hpp alone is enough for a conversation") { CHECK(talk() == 1000); }

TEST_CASE("every machine can be copied octet by octet, in the middle of a stream") {
    STATIC_REQUIRE(std::is_trivially_copyable_v<sockless::utf8_checker>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<sockless::arriving_frame>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<sockless::frame_reader>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<sockless::frame_writer>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<sockless::server_endpoint>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<sockless::client_endpoint>);
}
