// replay.cpp -- the bodies of the fuzz targets, over every input that is kept in fuzz/corpus.
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"

#include "fuzz/client_head.hpp"
#include "fuzz/connection_pair.hpp"
#include "fuzz/expect.hpp"
#include "fuzz/kernels.hpp"
#include "fuzz/pair.hpp"
#include "fuzz/reader.hpp"
#include "fuzz/server_head.hpp"
#include "fuzz/utf8.hpp"
#include "fuzz/writer.hpp"

#ifdef SOCKLESS_LINKS_ZLIB
#include "fuzz/deflate_pair.hpp"
#include "fuzz/inflate.hpp"
#endif

namespace {

using sockless::octet;

using body = void (*)(std::span<const octet>);

struct target {
    const char* name;
    body run;
};

constexpr target targets[]{
    {"reader", fuzz::reader::run},
    {"writer", fuzz::writer::run},
    {"utf8", fuzz::utf8::run},
    {"kernels", fuzz::kernels::run},
    {"pair", fuzz::pair::run},
    {"server_head", fuzz::server_head::run},
    {"client_head", fuzz::client_head::run},
    {"connection_pair", fuzz::connection_pair::run},
#ifdef SOCKLESS_LINKS_ZLIB
    {"inflate", fuzz::inflate::run},
    {"deflate_pair", fuzz::deflate_pair::run},
#endif
};

void throw_broken(const char* invariant) { throw std::runtime_error(invariant); }

// What the body said of the input; nothing, if every invariant held.
std::string complaint(body run, const std::vector<octet>& input) {
    fuzz::on_broken = throw_broken;
    try {
        run(input);
    } catch (const std::runtime_error& broken) {
        return broken.what();
    }
    return {};
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    return files;
}

std::vector<octet> contents(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    REQUIRE(in.good());
    const std::vector<char> characters{std::istreambuf_iterator<char>(in), {}};
    return {characters.begin(), characters.end()};
}

}  // namespace

TEST_CASE("every input that a fuzzer has found breaks nothing any more") {
    for (const target& one : targets) {
        const auto files = files_in(std::filesystem::path(SOCKLESS_CORPUS_DIR) / one.name);
        CAPTURE(one.name);
        REQUIRE_FALSE(files.empty());
        for (const auto& file : files) {
            INFO(file.string());
            CHECK(complaint(one.run, contents(file)) == "");
        }
    }
}

TEST_CASE("no input and an input of one octet are programs too") {
    for (const target& one : targets) {
        CAPTURE(one.name);
        CHECK(complaint(one.run, {}) == "");
        for (unsigned value = 0; value < 256; ++value) {
            CAPTURE(value);
            CHECK(complaint(one.run, {static_cast<octet>(value)}) == "");
        }
    }
}

TEST_CASE("a broken invariant is noticed and named") {
    const body broken = [](std::span<const octet> input) {
        fuzz::expect(input.empty(), "invariant 0: there is no input");
    };
    CHECK(complaint(broken, {}) == "");
    CHECK(complaint(broken, {1}) == "invariant 0: there is no input");
}
