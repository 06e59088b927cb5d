// make_seeds.cpp -- the conversations of tests/cases as seeds for the fuzzers.
//
//     make_seeds CASES_DIR CORPUS_DIR
//
// writes CORPUS_DIR/reader/NAME and CORPUS_DIR/utf8/NAME for each conversation that has octets for
// them, in the layouts that reader.hpp and utf8.hpp tell; the same files for the same documents.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <sockless/frame_header.hpp>
#include <sockless/limits.hpp>
#include <sockless/masking.hpp>

#include "support/cases.hpp"
#include "support/octets.hpp"

namespace {

using support::conversation;
using support::octet;

// A fuzzer is slow with longer ones, and they have nothing more to say.
constexpr std::size_t longest_seed = 4096;

// The limits that a seed can choose from: by default, or the one of the choices that is nearest.
unsigned limits_choice(const sockless::limits& limit) {
    if (limit.message == sockless::unlimited) return 3;
    if (limit.frame != sockless::unlimited) return 2;
    return limit.message == sockless::limits{}.message ? 0 : 1;
}

octet configuration(const conversation& one) {
    return static_cast<octet>((one.server ? 1U : 0U) | (one.options.rsv1 ? 2U : 0U) |
                              limits_choice(one.options.limit) << 2U);
}

// Where the stream is cut: some number that the name alone decides.
octet cut_seed(const std::string& slug) {
    std::uint32_t sum = 0;
    for (const char c : slug) sum = sum * 31 + static_cast<octet>(c);
    return static_cast<octet>(sum >> 8 ^ sum);
}

// The payloads of all text frames, the octets that are refused among them.
std::vector<octet> texts(const conversation& one) {
    const std::vector<octet> stream = one.stream();
    const sockless::role ours = one.server ? sockless::role::server : sockless::role::client;
    std::span<const octet> rest = stream;
    std::vector<octet> all;
    bool is_text = false;
    while (true) {
        const auto header = sockless::decode_header(rest, {.receiver = ours, .rsv1 = true});
        if (header.what != decltype(header)::is::value) return all;
        rest = rest.subspan(header.used);
        const std::size_t size =
            static_cast<std::size_t>(std::min<std::uint64_t>(header.value.length, rest.size()));
        std::vector<octet> payload(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
        if (header.value.key) sockless::mask(payload, *header.value.key);
        if (header.value.op == sockless::opcode::text) is_text = !header.value.rsv1;
        if (header.value.op == sockless::opcode::binary) is_text = false;
        if (is_text && !is_control(header.value.op)) all = support::concat(all, payload);
        rest = rest.subspan(size);
    }
}

void write_seed(const std::filesystem::path& folder, const std::string& name, octet first,
                octet second, std::vector<octet> octets) {
    octets.resize(std::min(octets.size(), longest_seed));
    octets.insert(octets.begin(), {first, second});
    std::filesystem::create_directories(folder);
    std::ofstream out(folder / name, std::ios::binary);
    for (const octet o : octets) out.put(static_cast<char>(o));
    out.close();
    if (!out) throw std::runtime_error("cannot write " + (folder / name).string());
}

void make_seeds(const std::filesystem::path& cases, const std::filesystem::path& corpus) {
    std::size_t written = 0;
    for (const conversation& one : support::load_cases(cases)) {
        const std::string name = one.slug();
        const std::vector<octet> stream = one.stream();
        const std::vector<octet> text = texts(one);
        if (!stream.empty()) {
            write_seed(corpus / "reader", name, configuration(one), cut_seed(name), stream);
            ++written;
        }
        if (!text.empty()) {
            write_seed(corpus / "utf8", name, 0, cut_seed(name), text);
            ++written;
        }
    }
    std::printf("%zu seeds\n", written);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: make_seeds CASES_DIR CORPUS_DIR\n", stderr);
        return 2;
    }
    try {
        make_seeds(argv[1], argv[2]);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "make_seeds: %s\n", problem.what());
        return 1;
    }
}
