// deflate_terms.cpp -- tests of deflate_terms.hpp. Sections are those of RFC 7692.
#include <sockless/deflate_terms.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"
#include "support/linear.hpp"

using sockless::accept_deflate;
using sockless::accepted_deflate;
using sockless::deflate_terms;
using sockless::deflate_text;
using sockless::deflate_wishes;
using sockless::octet;
using sockless::octets_of;
using sockless::offer_of;
using sockless::text_view;
using sockless::verify_deflate;

namespace {

constexpr bool no = false;
constexpr bool yes = true;
using bits = std::uint8_t;

// In the tables, names are short.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> short_names{
    {{"PD", "permessage-deflate"},
     {"SN", "server_no_context_takeover"},
     {"CN", "client_no_context_takeover"},
     {"SB", "server_max_window_bits"},
     {"CB", "client_max_window_bits"}}};

// And here they are long.
class text {
  public:
    constexpr text(std::string_view shorter) {
        while (!shorter.empty()) {
            std::string_view piece(shorter.data(), 1);
            shorter.remove_prefix(1);
            for (const auto& [name, longer] : short_names) {
                if (shorter.empty() || piece.front() != name[0] || shorter.front() != name[1]) {
                    continue;
                }
                piece = longer;
                shorter.remove_prefix(1);
                break;
            }
            for (const char c : piece) put(c);
        }
    }

    constexpr operator text_view() const { return {std::span(octets_).first(size_)}; }
    constexpr operator std::string_view() const { return {chars_.data(), size_}; }
    std::string string() const { return std::string(std::string_view(*this)); }

  private:
    constexpr void put(char c) {
        octets_[size_] = static_cast<octet>(c);
        chars_[size_++] = c;
    }

    std::array<octet, 400> octets_{};
    std::array<char, 400> chars_{};
    std::size_t size_ = 0;
};

constexpr deflate_wishes any{};
constexpr deflate_wishes ours(bits most) { return {.window_bits = most}; }
constexpr deflate_wishes peers(bits most) { return {.peer_window_bits = most}; }
constexpr deflate_wishes must(bits most) { return {.peer_window_bits = most, .insists = true}; }
constexpr deflate_wishes anew{.takeover = false};
constexpr deflate_wishes peer_anew{.peer_takeover = false};
constexpr deflate_wishes both_anew{.takeover = false, .peer_takeover = false};
constexpr deflate_wishes little{9, 8, false, false, false};
constexpr deflate_wishes too_little{0, 0, false, false, true};
constexpr deflate_wishes too_much{255, 255, true, true, true};

struct offered {
    std::string_view offers;
    deflate_wishes wishes;
    std::string_view answer{};  // none: all are declined
    deflate_terms terms{};
};

// clang-format off
constexpr auto offers_to_a_server = std::to_array<offered>({
    // 7.1.1.1, 7.1.1.2: what was offered is said back, in the one order that we have.
    {"PD", any, "PD", {no, no, 15, 15}},
    {"PD; SN", any, "PD; SN", {yes, no, 15, 15}},
    {"PD; CN", any, "PD; CN", {no, yes, 15, 15}},
    {"PD; SN; CN", any, "PD; SN; CN", {yes, yes, 15, 15}},
    {"PD; CN; SN", any, "PD; SN; CN", {yes, yes, 15, 15}},
    // 7.1.2.1: no zlib compresses with 8.
    {"PD; SB=8", any},
    {"PD; SB=9", any, "PD; SB=9", {no, no, 9, 15}},
    {"PD; SB=10", any, "PD; SB=10", {no, no, 10, 15}},
    {"PD; SB=11", any, "PD; SB=11", {no, no, 11, 15}},
    {"PD; SB=12", any, "PD; SB=12", {no, no, 12, 15}},
    {"PD; SB=13", any, "PD; SB=13", {no, no, 13, 15}},
    {"PD; SB=14", any, "PD; SB=14", {no, no, 14, 15}},
    {"PD; SB=15", any, "PD; SB=15", {no, no, 15, 15}},
    // 7.1.2.2: a hint, with a value or without.
    {"PD; CB", any, "PD", {no, no, 15, 15}},
    {"PD; CB=8", any, "PD; CB=8", {no, no, 15, 8}},
    {"PD; CB=9", any, "PD; CB=9", {no, no, 15, 9}},
    {"PD; CB=10", any, "PD; CB=10", {no, no, 15, 10}},
    {"PD; CB=11", any, "PD; CB=11", {no, no, 15, 11}},
    {"PD; CB=12", any, "PD; CB=12", {no, no, 15, 12}},
    {"PD; CB=13", any, "PD; CB=13", {no, no, 15, 13}},
    {"PD; CB=14", any, "PD; CB=14", {no, no, 15, 14}},
    {"PD; CB=15", any, "PD", {no, no, 15, 15}},
    // All together, in any order, with any blanks.
    {"PD; CB; SB=10", any, "PD; SB=10", {no, no, 10, 15}},
    {"PD; SB=10; CB", any, "PD; SB=10", {no, no, 10, 15}},
    {"PD; SB=15; CB=15", any, "PD; SB=15", {no, no, 15, 15}},
    {"PD; SN; CN; SB=12; CB=11", any, "PD; SN; CN; SB=12; CB=11", {yes, yes, 12, 11}},
    {"PD; CB=11; SB=12; CN; SN", any, "PD; SN; CN; SB=12; CB=11", {yes, yes, 12, 11}},
    {"PD;SB=12;SN;CB=11;CN", any, "PD; SN; CN; SB=12; CB=11", {yes, yes, 12, 11}},
    {" PD\t; SB = 9 ;CB\t=\t8", any, "PD; SB=9; CB=8", {no, no, 9, 8}},
    {"PD; SN; CB", any, "PD; SN", {yes, no, 15, 15}},
    {"PD; CN; CB=9", any, "PD; CN; CB=9", {no, yes, 15, 9}},
    // 7.1.2.1: "the same or smaller value", and unasked where ours is smaller.
    {"PD", ours(12), "PD; SB=12", {no, no, 12, 15}},
    {"PD; SB=8", ours(12)},
    {"PD; SB=9", ours(12), "PD; SB=9", {no, no, 9, 15}},
    {"PD; SB=10", ours(12), "PD; SB=10", {no, no, 10, 15}},
    {"PD; SB=11", ours(12), "PD; SB=11", {no, no, 11, 15}},
    {"PD; SB=12", ours(12), "PD; SB=12", {no, no, 12, 15}},
    {"PD; SB=13", ours(12), "PD; SB=12", {no, no, 12, 15}},
    {"PD; SB=14", ours(12), "PD; SB=12", {no, no, 12, 15}},
    {"PD; SB=15", ours(12), "PD; SB=12", {no, no, 12, 15}},
    {"PD; CB", ours(12), "PD; SB=12", {no, no, 12, 15}},
    {"PD; CB=9", ours(12), "PD; SB=12; CB=9", {no, no, 12, 9}},
    {"PD", ours(14), "PD; SB=14", {no, no, 14, 15}},
    {"PD", ours(15), "PD", {no, no, 15, 15}},
    {"PD", ours(9), "PD; SB=9", {no, no, 9, 15}},
    {"PD; SB=15", ours(9), "PD; SB=9", {no, no, 9, 15}},
    {"PD; SB=8", ours(9)},
    // A wish out of range is the nearest one in it.
    {"PD", ours(8), "PD; SB=9", {no, no, 9, 15}},
    {"PD; SB=8", ours(8)},
    {"PD; SB=9", ours(8), "PD; SB=9", {no, no, 9, 15}},
    {"PD", ours(0), "PD; SB=9", {no, no, 9, 15}},
    {"PD", ours(16), "PD", {no, no, 15, 15}},
    {"PD; SB=15", ours(255), "PD; SB=15", {no, no, 15, 15}},
    // 7.1.2.2: whom we wish to limit, but cannot without an offer.
    {"PD", peers(10), "PD", {no, no, 15, 15}},
    {"PD; SN; CN; SB=15", peers(10), "PD; SN; CN; SB=15", {yes, yes, 15, 15}},
    {"PD; CB", peers(10), "PD; CB=10", {no, no, 15, 10}},
    {"PD; CB=8", peers(10), "PD; CB=8", {no, no, 15, 8}},
    {"PD; CB=9", peers(10), "PD; CB=9", {no, no, 15, 9}},
    {"PD; CB=10", peers(10), "PD; CB=10", {no, no, 15, 10}},
    {"PD; CB=11", peers(10), "PD; CB=10", {no, no, 15, 10}},
    {"PD; CB=12", peers(10), "PD; CB=10", {no, no, 15, 10}},
    {"PD; CB=15", peers(10), "PD; CB=10", {no, no, 15, 10}},
    {"PD; CB", peers(8), "PD; CB=8", {no, no, 15, 8}},
    {"PD; CB=9", peers(8), "PD; CB=8", {no, no, 15, 8}},
    {"PD; CB", peers(14), "PD; CB=14", {no, no, 15, 14}},
    {"PD; CB", peers(7), "PD; CB=8", {no, no, 15, 8}},
    {"PD; CB=15", peers(0), "PD; CB=8", {no, no, 15, 8}},
    {"PD; CB", peers(16), "PD", {no, no, 15, 15}},
    {"PD; CB=15", peers(255), "PD", {no, no, 15, 15}},
    {"PD", must(10)},
    {"PD; SN; CN; SB=10", must(10)},
    {"PD; CB", must(10), "PD; CB=10", {no, no, 15, 10}},
    {"PD; CB=9", must(10), "PD; CB=9", {no, no, 15, 9}},
    {"PD; CB=10", must(10), "PD; CB=10", {no, no, 15, 10}},
    {"PD; CB=11", must(10), "PD; CB=10", {no, no, 15, 10}},
    {"PD; CB=15", must(10), "PD; CB=10", {no, no, 15, 10}},
    {"PD, PD; CB", must(10), "PD; CB=10", {no, no, 15, 10}},
    {"PD; CN, PD; SB=9", must(10)},
    {"PD", must(14)},
    {"PD", must(15), "PD", {no, no, 15, 15}},
    {"PD", must(16), "PD", {no, no, 15, 15}},
    {"PD", must(0)},
    {"PD; CB", must(0), "PD; CB=8", {no, no, 15, 8}},
    // 7.1.1.1, 7.1.1.2: unasked.
    {"PD", anew, "PD; SN", {yes, no, 15, 15}},
    {"PD; SN", anew, "PD; SN", {yes, no, 15, 15}},
    {"PD; CN", anew, "PD; SN; CN", {yes, yes, 15, 15}},
    {"PD", peer_anew, "PD; CN", {no, yes, 15, 15}},
    {"PD; SN", peer_anew, "PD; SN; CN", {yes, yes, 15, 15}},
    {"PD; CN", peer_anew, "PD; CN", {no, yes, 15, 15}},
    {"PD", both_anew, "PD; SN; CN", {yes, yes, 15, 15}},
    {"PD; CB=9", both_anew, "PD; SN; CN; CB=9", {yes, yes, 15, 9}},
    {"PD", little, "PD; SN; CN; SB=9", {yes, yes, 9, 15}},
    {"PD; CB", little, "PD; SN; CN; SB=9; CB=8", {yes, yes, 9, 8}},
    {"PD; SB=11; CB=10", little, "PD; SN; CN; SB=9; CB=8", {yes, yes, 9, 8}},
    {"PD", too_little},
    {"PD; CB", too_little, "PD; SN; CN; SB=9; CB=8", {yes, yes, 9, 8}},
    {"PD; SB=15; CB=15", too_much, "PD; SB=15", {no, no, 15, 15}},
    // 7: no value where there is none, and the other way round.
    {"PD; SN=1", any},
    {"PD; SN=0", any},
    {"PD; SN=15", any},
    {"PD; SN=true", any},
    {"PD; SN=\"1\"", any},
    {"PD; CN=1", any},
    {"PD; CN=9", any},
    {"PD; CN=false", any},
    {"PD; CN=\"true\"", any},
    {"PD; SB", any},
    {"PD; SB; CB", any},
    // 7.1.2.1, 7.1.2.2: what is no "decimal integer" from 8 to 15.
    {"PD; SB=7", any},
    {"PD; SB=16", any},
    {"PD; SB=0", any},
    {"PD; SB=1", any},
    {"PD; SB=5", any},
    {"PD; SB=08", any},
    {"PD; SB=010", any},
    {"PD; SB=+8", any},
    {"PD; SB=+10", any},
    {"PD; SB=-10", any},
    {"PD; SB=1000", any},
    {"PD; SB=10.0", any},
    {"PD; SB=0xA", any},
    {"PD; SB=A", any},
    {"PD; SB=1e1", any},
    {"PD; SB=10x", any},
    {"PD; SB=x10", any},
    {"PD; SB=1O", any},
    {"PD; SB=:", any},
    {"PD; SB=266", any},
    {"PD; SB=65546", any},
    {"PD; SB=4294967306", any},
    {"PD; SB=18446744073709551626", any},
    {"PD; SB=\"10\"", any},
    {"PD; SB=\"15\"", any},
    {"PD; SB=\"\"", any},
    {"PD; SB=", any},
    {"PD; CB=7", any},
    {"PD; CB=16", any},
    {"PD; CB=0", any},
    {"PD; CB=1", any},
    {"PD; CB=08", any},
    {"PD; CB=015", any},
    {"PD; CB=+8", any},
    {"PD; CB=-8", any},
    {"PD; CB=1000", any},
    {"PD; CB=20", any},
    {"PD; CB=99", any},
    {"PD; CB=8x", any},
    {"PD; CB=15.", any},
    {"PD; CB=264", any},
    {"PD; CB=4294967304", any},
    {"PD; CB=\"8\"", any},
    {"PD; CB=\"15\"", any},
    {"PD; CB=\"\"", any},
    {"PD; CB=", any},
    // 7: "multiple extension parameters with the same name".
    {"PD; SN; SN", any},
    {"PD; SN; CN; SN", any},
    {"PD; CN; CN", any},
    {"PD; CN; SB=9; CN", any},
    {"PD; SB=10; SB=10", any},
    {"PD; SB=10; SB=11", any},
    {"PD; CB; CB", any},
    {"PD; CB=10; CB=10", any},
    {"PD; CB; CB=10", any},
    {"PD; CB=10; CB", any},
    // 7: "not defined for use in an offer". Names are compared letter by letter.
    {"PD; x", any},
    {"PD; x=1", any},
    {"PD; SN; x", any},
    {"PD; x; SN", any},
    {"PD; PD", any},
    {"PD; Server_no_context_takeover", any},
    {"PD; CLIENT_NO_CONTEXT_TAKEOVER", any},
    {"PD; server_max_window_Bits=10", any},
    {"PD; server_max_window_bit=10", any},
    {"PD; SBs=10", any},
    {"PD; client-max-window-bits", any},
    {"PD; no_context_takeover", any},
    {"PD; max_window_bits=10", any},
    {"PD; SNx", any},
    {"PD; xCN", any},
    // Other extensions are passed over.
    {"", any},
    {" , ", any},
    {"x", any},
    {"x; y=PD", any},
    {"x; PD", any},
    {"Permessage-Deflate", any},
    {"PERMESSAGE-DEFLATE", any},
    {"permessage-deflat", any},
    {"PDx", any},
    {"x-PD", any},
    {"deflate-frame, x-webkit-deflate-frame; no_context_takeover", any},
    {"x, PD", any, "PD", {no, no, 15, 15}},
    {"PD, x", any, "PD", {no, no, 15, 15}},
    {", ,PD,", any, "PD", {no, no, 15, 15}},
    {"x; SN, PD; CN, y; SB=9", any, "PD; CN", {no, yes, 15, 15}},
    {"permessage-bzip2; SB=9, PD; SB=12", any, "PD; SB=12", {no, no, 12, 15}},
    {"x-webkit-deflate-frame, PD; CB", ours(11), "PD; SB=11", {no, no, 11, 15}},
    // 5: the first that we can take; what is behind it only falls back.
    {"PD; CB; SB=10, PD; CB", any, "PD; SB=10", {no, no, 10, 15}},
    {"PD, PD; SN", any, "PD", {no, no, 15, 15}},
    {"PD; SN, PD", any, "PD; SN", {yes, no, 15, 15}},
    {"PD; SB=9, PD; SB=12", any, "PD; SB=9", {no, no, 9, 15}},
    {"PD; SB=8, PD", any, "PD", {no, no, 15, 15}},
    {"PD; SB=8; SN; CN; CB=9, PD", any, "PD", {no, no, 15, 15}},
    {"PD; SB=8, PD; CB", ours(12), "PD; SB=12", {no, no, 12, 15}},
    {"PD; x, PD; SN", any, "PD; SN", {yes, no, 15, 15}},
    {"PD; SN; x; CN, PD", any, "PD", {no, no, 15, 15}},
    {"PD; SB=16, PD; SB=8, PD; SB, PD; CB=12", any, "PD; CB=12", {no, no, 15, 12}},
    {"PD; SN; SN, y, PD; SB=\"9\", PD; SN", any, "PD; SN", {yes, no, 15, 15}},
    {"PD; SB=8, PD; CB=7, PD; CN=1", any},
});

constexpr auto offers_of_a_client = std::to_array<std::pair<deflate_wishes, std::string_view>>({
    {any, "PD; CB"},
    {ours(15), "PD; CB"},
    {ours(14), "PD; CB=14"},
    {ours(13), "PD; CB=13"},
    {ours(12), "PD; CB=12"},
    {ours(11), "PD; CB=11"},
    {ours(10), "PD; CB=10"},
    {ours(9), "PD; CB=9"},
    {ours(8), "PD; CB=9"},
    {ours(0), "PD; CB=9"},
    {ours(16), "PD; CB"},
    {ours(255), "PD; CB"},
    {peers(15), "PD; CB"},
    {peers(14), "PD; SB=14; CB, PD; CB"},
    {peers(13), "PD; SB=13; CB, PD; CB"},
    {peers(12), "PD; SB=12; CB, PD; CB"},
    {peers(11), "PD; SB=11; CB, PD; CB"},
    {peers(10), "PD; SB=10; CB, PD; CB"},
    {peers(9), "PD; SB=9; CB, PD; CB"},
    {peers(8), "PD; SB=8; CB, PD; CB"},
    {peers(7), "PD; SB=8; CB, PD; CB"},
    {peers(0), "PD; SB=8; CB, PD; CB"},
    {peers(16), "PD; CB"},
    {must(15), "PD; CB"},
    {must(14), "PD; SB=14; CB"},
    {must(8), "PD; SB=8; CB"},
    {must(1), "PD; SB=8; CB"},
    {must(255), "PD; CB"},
    {anew, "PD; CN; CB"},
    {peer_anew, "PD; SN; CB"},
    {both_anew, "PD; SN; CN; CB"},
    {little, "PD; SN; CN; SB=8; CB=9, PD; SN; CN; CB=9"},
    {{10, 12, false, false, false}, "PD; SN; CN; SB=12; CB=10, PD; SN; CN; CB=10"},
    {{10, 12, true, false, true}, "PD; SN; SB=12; CB=10"},
    {too_little, "PD; SN; CN; SB=8; CB=9"},
    {too_much, "PD; CB"},
});

struct answered {
    std::string_view answer;
    deflate_wishes wishes;
    std::optional<deflate_terms> terms{};  // none: the client fails the connection
};

constexpr auto answers_to_a_client = std::to_array<answered>({
    {"PD", any, {{no, no, 15, 15}}},
    {"PD; SN", any, {{yes, no, 15, 15}}},
    {"PD; CN", any, {{no, yes, 15, 15}}},
    {"PD; CN; SN", any, {{yes, yes, 15, 15}}},
    {"PD; SB=8", any, {{no, no, 8, 15}}},
    {"PD; SB=9", any, {{no, no, 9, 15}}},
    {"PD; SB=10", any, {{no, no, 10, 15}}},
    {"PD; SB=11", any, {{no, no, 11, 15}}},
    {"PD; SB=12", any, {{no, no, 12, 15}}},
    {"PD; SB=13", any, {{no, no, 13, 15}}},
    {"PD; SB=14", any, {{no, no, 14, 15}}},
    {"PD; SB=15", any, {{no, no, 15, 15}}},
    {"PD; CB=8", any, {{no, no, 15, 8}}},
    {"PD; CB=9", any, {{no, no, 15, 9}}},
    {"PD; CB=10", any, {{no, no, 15, 10}}},
    {"PD; CB=11", any, {{no, no, 15, 11}}},
    {"PD; CB=12", any, {{no, no, 15, 12}}},
    {"PD; CB=13", any, {{no, no, 15, 13}}},
    {"PD; CB=14", any, {{no, no, 15, 14}}},
    {"PD; CB=15", any, {{no, no, 15, 15}}},
    {"PD; CB=9; SB=10; CN; SN", any, {{yes, yes, 10, 9}}},
    {" PD\t;SN ; SB = 8;CB\t=\t8 ", any, {{yes, no, 8, 8}}},
    {",PD,", any, {{no, no, 15, 15}}},
    // 7.1.2.2: what we said of our window, and 7.1.1.2: of our context, holds without an answer.
    {"PD", ours(12), {{no, no, 15, 12}}},
    {"PD; SB=9", ours(12), {{no, no, 9, 12}}},
    {"PD; CB=8", ours(12), {{no, no, 15, 8}}},
    {"PD; CB=9", ours(12), {{no, no, 15, 9}}},
    {"PD; CB=11", ours(12), {{no, no, 15, 11}}},
    {"PD; CB=12", ours(12), {{no, no, 15, 12}}},
    // 7.2.1: a server may ignore it.
    {"PD; CB=13", ours(12), {{no, no, 15, 12}}},
    {"PD; CB=14", ours(12), {{no, no, 15, 12}}},
    {"PD; CB=15", ours(12), {{no, no, 15, 12}}},
    {"PD; CB=15", ours(14), {{no, no, 15, 14}}},
    {"PD", ours(8), {{no, no, 15, 9}}},
    {"PD; CB=8", ours(8), {{no, no, 15, 8}}},
    {"PD; CB=9", ours(8), {{no, no, 15, 9}}},
    {"PD; CB=10", ours(8), {{no, no, 15, 9}}},
    {"PD; CB=15", ours(16), {{no, no, 15, 15}}},
    {"PD", anew, {{no, yes, 15, 15}}},
    {"PD; CN", anew, {{no, yes, 15, 15}}},
    {"PD; SN", anew, {{yes, yes, 15, 15}}},
    // 7.1.1.1: only "by including" it an offer with it is accepted.
    {"PD", peer_anew},
    {"PD; CN", peer_anew},
    {"PD; SB=9; CB=9", peer_anew},
    {"PD; SN", peer_anew, {{yes, no, 15, 15}}},
    {"PD; SN; CN", peer_anew, {{yes, yes, 15, 15}}},
    {"PD; SN", both_anew, {{yes, yes, 15, 15}}},
    {"PD; CN", both_anew},
    // 7.1.2.1: whoever insists had one offer, everybody else a second one without a window.
    {"PD", must(10)},
    {"PD; SN; CN; CB=9", must(10)},
    {"PD; SB=8", must(10), {{no, no, 8, 15}}},
    {"PD; SB=9", must(10), {{no, no, 9, 15}}},
    {"PD; SB=10", must(10), {{no, no, 10, 15}}},
    {"PD; SB=11", must(10)},
    {"PD; SB=12", must(10)},
    {"PD; SB=15", must(10)},
    {"PD", must(14)},
    {"PD; SB=14", must(14), {{no, no, 14, 15}}},
    {"PD; SB=15", must(14)},
    {"PD", must(15), {{no, no, 15, 15}}},
    {"PD; SB=15", must(15), {{no, no, 15, 15}}},
    {"PD", must(16), {{no, no, 15, 15}}},
    {"PD; SB=8", must(8), {{no, no, 8, 15}}},
    {"PD; SB=9", must(8)},
    {"PD; SB=8", must(0), {{no, no, 8, 15}}},
    {"PD; SB=9", must(0)},
    {"PD", peers(10), {{no, no, 15, 15}}},
    {"PD; SB=8", peers(10), {{no, no, 8, 15}}},
    {"PD; SB=10", peers(10), {{no, no, 10, 15}}},
    {"PD; SB=11", peers(10), {{no, no, 11, 15}}},
    {"PD; SB=15", peers(10), {{no, no, 15, 15}}},
    {"PD; SB=12", peers(8), {{no, no, 12, 15}}},
    {"PD; SN; SB=8; CB=9", little, {{yes, yes, 8, 9}}},
    {"PD; SN; SB=8; CB=9", too_little, {{yes, yes, 8, 9}}},
    {"PD; SN; SB=9; CB=9", too_little},
    {"PD; SN; SB=8; CB=10", too_little, {{yes, yes, 8, 9}}},
    {"PD; SB=15; CB=15", too_much, {{no, no, 15, 15}}},
    // RFC 6455, 4.1: nothing else was offered, and an offer is accepted once.
    {"", any},
    {" , ", any},
    {"x", any},
    {"PD, x", any},
    {"x, PD", any},
    {"PD, PD", any},
    {"PD; SB=10, PD", any},
    {"PD; SN, PD; CN", any},
    {"x; PD", any},
    {"Permessage-Deflate", any},
    {"permessage-deflat", any},
    {"PDx", any},
    // 7.1.2.2: here it has a value.
    {"PD; CB", any},
    {"PD; CB", ours(12)},
    {"PD; SN; CB", any},
    // 7: the same faults as in an offer.
    {"PD; SB", any},
    {"PD; SN=1", any},
    {"PD; CN=1", any},
    {"PD; SN=\"1\"", any},
    {"PD; SB=7", any},
    {"PD; SB=16", any},
    {"PD; SB=0", any},
    {"PD; SB=08", any},
    {"PD; SB=+8", any},
    {"PD; SB=1000", any},
    {"PD; SB=", any},
    {"PD; SB=\"10\"", any},
    {"PD; CB=7", any},
    {"PD; CB=16", any},
    {"PD; CB=0", any},
    {"PD; CB=08", any},
    {"PD; CB=+8", any},
    {"PD; CB=1000", any},
    {"PD; CB=", any},
    {"PD; CB=\"10\"", any},
    {"PD; SN; SN", any},
    {"PD; CN; CN", any},
    {"PD; SB=9; SB=9", any},
    {"PD; CB=9; CB=9", any},
    {"PD; x", any},
    {"PD; SN; x=1", any},
    {"PD; server_no_Context_takeover", any},
    {"PD; Client_max_window_bits=9", any},
});

// What is wrong with a parameter, whatever stands beside it.
constexpr auto bad_parameters = std::to_array<std::string_view>({
    "SN=1", "SN=\"\"", "SN=SN", "CN=0", "CN=15", "CN=\"8\"", "SB", "SB=7", "SB=16", "SB=0", "SB=08",
    "SB=+8", "SB=1000", "SB=\"12\"", "SB=009", "SB=1", "SB=150", "CB=7", "CB=16", "CB=0", "CB=08",
    "CB=+8", "CB=1000", "CB=\"12\"", "CB=CB", "CB=-1", "CB=150", "SN;SN", "CN;CN", "SB=9;SB=9",
    "CB=9;CB=9", "CB=9;CB=8", "x", "x=8", "window_bits=9", "SB9", "server_max_window_bits8=8",
});
// clang-format on

template <std::size_t Row>
constexpr bool offered_holds = [] {
    const offered& row = offers_to_a_server[Row];
    const std::optional<accepted_deflate> accepted = accept_deflate(text(row.offers), row.wishes);
    if (!accepted) return row.answer.empty();
    return std::string_view(accepted->answer) == std::string_view(text(row.answer)) &&
           accepted->terms == row.terms;
}();
template <std::size_t Row>
constexpr bool offer_holds = std::string_view(offer_of(offers_of_a_client[Row].first)) ==
                             std::string_view(text(offers_of_a_client[Row].second));
template <std::size_t Row>
constexpr bool answered_holds =
    verify_deflate(text(answers_to_a_client[Row].answer), answers_to_a_client[Row].wishes) ==
    answers_to_a_client[Row].terms;

static_assert([]<std::size_t... Row>(std::index_sequence<Row...>) {
    return (offered_holds<Row> && ...);
}(std::make_index_sequence<offers_to_a_server.size()>()));
static_assert([]<std::size_t... Row>(std::index_sequence<Row...>) {
    return (offer_holds<Row> && ...);
}(std::make_index_sequence<offers_of_a_client.size()>()));
static_assert([]<std::size_t... Row>(std::index_sequence<Row...>) {
    return (answered_holds<Row> && ...);
}(std::make_index_sequence<answers_to_a_client.size()>()));
static_assert(offers_to_a_server.size() + offers_of_a_client.size() + answers_to_a_client.size() >=
              300);
static_assert(deflate_terms{} != deflate_terms{.server_max_window_bits = 14});
static_assert(std::is_trivially_copyable_v<accepted_deflate>);

std::string in_words(const deflate_terms& terms) {
    return (terms.server_no_context_takeover ? "SN " : "") +
           std::string(terms.client_no_context_takeover ? "CN " : "") +
           std::to_string(terms.server_max_window_bits) + ' ' +
           std::to_string(terms.client_max_window_bits);
}

// What a server says, and both ends' terms, if they are the same.
std::string accept(const std::string& line, const deflate_wishes& wishes) {
    const support::guarded end(octets_of(line));
    const support::guarded_front front(octets_of(line));
    const auto accepted = accept_deflate(text_view{end.span()}, wishes);
    const auto again = accept_deflate(text_view{front.span()}, wishes);
    REQUIRE(accepted.has_value() == again.has_value());
    if (!accepted) return "declined";
    CHECK(std::string_view(accepted->answer) == std::string_view(again->answer));
    CHECK(accepted->terms == again->terms);
    return std::string(std::string_view(accepted->answer)) + " | " + in_words(accepted->terms);
}

std::string verify(const std::string& line, const deflate_wishes& wishes) {
    const support::guarded end(octets_of(line));
    const support::guarded_front front(octets_of(line));
    const auto terms = verify_deflate(text_view{end.span()}, wishes);
    CHECK(verify_deflate(text_view{front.span()}, wishes) == terms);
    return terms ? in_words(*terms) : "failed";
}

// Is this a list of extensions, of so many at most?
bool is_list(std::string_view line, std::size_t most) {
    std::size_t elements = 0;
    return sockless::is_list(text_view{octets_of(line)}, elements, most, 4);
}

std::vector<deflate_wishes> all_wishes() {
    std::vector<deflate_wishes> all;
    for (unsigned i = 0; i < 7 * 8 * 8; ++i) {
        all.push_back({.window_bits = static_cast<bits>(9 + i / 64),
                       .peer_window_bits = static_cast<bits>(8 + i / 8 % 8),
                       .takeover = (i & 1) != 0,
                       .peer_takeover = (i & 2) != 0,
                       .insists = (i & 4) != 0});
    }
    return all;
}

// Why the two ends do not understand each other; empty if they do.
std::string_view quarrel(const deflate_wishes& client, const deflate_wishes& server) {
    const deflate_text offer = offer_of(client);
    const auto accepted = accept_deflate(text_view{octets_of(offer)}, server);
    const bool cannot = client.peer_window_bits == 8;  // of our servers, none can
    if (!accepted) return cannot && client.insists ? "" : "declined";
    if (cannot && client.insists) return "accepted";

    const std::string_view answer = accepted->answer;
    if (!is_list(answer, 1)) return "no answer";
    const deflate_terms terms = accepted->terms;
    const auto verified = verify_deflate(text_view{octets_of(answer)}, client);
    if (!verified) return "failed";
    if (*verified != terms) return "other terms";

    const bits server_most = cannot ? bits{15} : client.peer_window_bits;
    const auto least = [](bits a, bits b) { return a < b ? a : b; };
    if (terms.server_max_window_bits != least(server.window_bits, server_most)) return "server";
    if (terms.client_max_window_bits != least(client.window_bits, server.peer_window_bits)) {
        return "client";
    }
    if (terms.server_no_context_takeover == (server.takeover && client.peer_takeover)) {
        return "server's takeover";
    }
    if (terms.client_no_context_takeover == (client.takeover && server.peer_takeover)) {
        return "client's takeover";
    }
    return "";
}

constexpr sockless::field_values lines_of(text_view head) {
    return sockless::field_values(
        {sockless::field_reader(head.octets), "Sec-WebSocket-Extensions"});
}

}  // namespace

TEST_CASE("a server takes the first offer that it can, and says what RFC 7692, 7.1 has it say") {
    for (const offered& row : offers_to_a_server) {
        const text offers(row.offers);
        const std::string expected = row.answer.empty()
                                         ? "declined"
                                         : text(row.answer).string() + " | " + in_words(row.terms);
        CAPTURE(offers.string());
        CHECK(accept(offers.string(), row.wishes) == expected);
        if (!row.answer.empty()) CHECK(is_list(text(row.answer), 1));
    }
}

TEST_CASE("a client offers what it wishes, and a way out unless it insists") {
    for (const auto& [wishes, offer] : offers_of_a_client) {
        const deflate_text found = offer_of(wishes);
        CHECK(std::string_view(found) == std::string_view(text(offer)));
        CHECK(is_list(found, 2));
    }
}

TEST_CASE("a client takes no answer but one to what it offered") {
    for (const answered& row : answers_to_a_client) {
        const text answer(row.answer);
        CAPTURE(answer.string());
        CHECK(verify(answer.string(), row.wishes) == (row.terms ? in_words(*row.terms) : "failed"));
    }
}

TEST_CASE("D4 an invalid parameter spoils an offer and an answer, wherever it stands") {
    for (const std::string_view bad : bad_parameters) {
        for (const std::string_view beside : {"SN", "CN", "SB=9", "CB=9", "CN;SN;CB=11;SB=10"}) {
            const std::string name = text("PD").string() + ';';
            const std::string wrong = text(bad).string();
            const std::string right = text(beside).string();
            for (const std::string& line :
                 {name + wrong, name + wrong + ';' + right, name + right + ';' + wrong}) {
                CAPTURE(line);
                CHECK(accept(line, any) == "declined");
                CHECK(verify(line, any) == "failed");
                // Nothing but that offer is lost.
                const std::string good = text("PD; SN; CB=12").string();
                CHECK(accept(line + ',' + good, any) == good + " | SN 15 12");
                CHECK(accept("x," + line + ", " + line + ",y;z," + good + ',' + line, any) ==
                      good + " | SN 15 12");
            }
        }
    }
}

TEST_CASE("D4 of all numbers of up to four octets, eight are a window") {
    // Of the digits, and of what else numbers are written with.
    const std::string_view octets = "0123456789+-.xeA";
    std::string found;
    std::vector<std::string> texts{""};
    for (std::size_t size = 1; size <= 4; ++size) {
        std::vector<std::string> longer;
        for (const std::string& front : texts) {
            for (const char c : octets) longer.push_back(front + c);
        }
        texts = longer;
        for (const std::string& value : texts) {
            for (const std::string_view name : {"SB=", "CB="}) {
                const std::string line = text("PD;").string() + text(name).string() + value;
                const bool taken = verify_deflate(text_view{octets_of(line)}, any).has_value();
                const bool offer = accept_deflate(text_view{octets_of(line)}, any).has_value();
                if (taken) found += value + ' ';
                if (offer != (taken && !(value == "8" && name == "SB="))) FAIL_CHECK(line);
            }
        }
    }
    CHECK(found == "8 8 9 9 10 10 11 11 12 12 13 13 14 14 15 15 ");
}

TEST_CASE("offers come in several lines, and in their order") {
    const auto accepted = [](const std::string& head, const deflate_wishes& wishes) {
        const support::guarded octets(octets_of(head));
        const auto found = accept_deflate(lines_of(text_view{octets.span()}), wishes);
        return found ? std::string(std::string_view(found->answer)) : "declined";
    };
    const auto line = [](std::string_view value) {
        return "Sec-WebSocket-Extensions: " + text(value).string() + "\r\n";
    };
    const std::string host = "Host: a\r\n";
    const std::string end = "\r\n";
    CHECK(accepted(end, any) == "declined");
    CHECK(accepted(host + end, any) == "declined");
    CHECK(accepted(host + line("PD; SN") + end, any) == text("PD; SN").string());
    CHECK(accepted(line("x") + host + line("PD; CN") + end, any) == text("PD; CN").string());
    CHECK(accepted(line("PD; SB=9") + line("PD; SB=10") + end, any) == text("PD; SB=9").string());
    CHECK(accepted(line("PD; SB=8, x") + host + line("PD; y, PD") + end, any) ==
          text("PD").string());
    CHECK(accepted(line("PD") + line("PD; CB") + end, must(9)) == text("PD; CB=9").string());
    CHECK(accepted(line("PD; SB=8") + line("PD; SN=1") + end, any) == "declined");
    CHECK(accepted("Sec-WebSocket-Protocol: permessage-deflate\r\n" + end, any) == "declined");
}

TEST_CASE("both ends agree, whatever they wish") {
    const bool is_short = support::short_effort();
    const std::vector<deflate_wishes> all = all_wishes();
    std::size_t turn = 0;
    for (const deflate_wishes& client : all) {
        for (const deflate_wishes& server : all) {
            if (is_short && ++turn % 17 != 0) continue;
            const std::string_view why = quarrel(client, server);
            if (why.empty()) continue;
            CAPTURE(std::string(why), std::string(std::string_view(offer_of(client))));
            CAPTURE(int{server.window_bits}, int{server.peer_window_bits}, server.insists);
            CHECK(why.empty());
        }
    }
}

TEST_CASE("an octet more, less or other never makes an answer that its client refuses") {
    const std::string line = text("x;y=1, PD; SN; CN; SB=12; CB=11 ,PD; CB=9,z").string();
    std::size_t changed = 0;
    const auto check = [&](const std::string& offers) {
        const support::guarded octets(octets_of(offers));
        if (!is_list(offers, 5)) return;
        const auto accepted = accept_deflate(text_view{octets.span()}, any);
        if (!accepted) return;
        const std::string_view answer = accepted->answer;
        const auto terms = verify_deflate(text_view{octets_of(answer)}, any);
        if (!is_list(answer, 1) || terms != accepted->terms) FAIL_CHECK(offers);
        if (terms != deflate_terms{yes, yes, 12, 11}) ++changed;
    };
    for (std::size_t at = 0; at <= line.size(); ++at) {
        std::string other = line;
        if (at < line.size()) check(other.erase(at, 1));
        for (unsigned i = 0; i < 256; ++i) {
            const char c = static_cast<char>(static_cast<octet>(i));
            other = line;
            check(other.insert(at, 1, c));
            other = line;
            if (at < line.size()) other[at] = c;
            check(other);
        }
        check(line.substr(0, at));
    }
    CHECK(changed > 1000);
}

TEST_CASE("H3 offers of twice the length take twice the time") {
    for (const std::string_view piece : {"PD,", "PD;x,", "PD; SB=8, ", "x,", ",", ";", "=", " "}) {
        for (const std::string_view front : {"", "PD;", "PD; CB="}) {
            CAPTURE(piece, front);
            const support::repeated offers(text(piece).string(), text(front).string(), "x");
            CHECK(support::takes_linear_time([&](std::size_t size) {
                const auto accepted = accept_deflate(offers.first(size), too_little);
                const auto terms = verify_deflate(offers.first(size), any);
                return (accepted ? std::size_t{1} : 0) + (terms ? 1U : 0U);
            }));
        }
    }
}
