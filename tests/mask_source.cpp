// mask_source.cpp -- tests of mask_source.hpp.
#include <sockless/mask_source.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <set>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/octets.hpp"

using sockless::mask_source;
using sockless::masking_key;
using sockless::octet;
using sockless::detail::chacha_quarter_round;
using sockless::detail::chacha_words;

namespace {

using seed_octets = std::array<octet, 32>;

constexpr seed_octets zeros{};
constexpr seed_octets counted = [] {
    seed_octets seed{};
    for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<octet>(i);
    return seed;
}();

// ---- RFC 8439 -----------------------------------------------------------------------------------

// 2.1.1
constexpr bool quarter_round_is_right() {
    chacha_words words{0x11111111, 0x01020304, 0x9B8D6F43, 0x01234567};
    chacha_quarter_round(words, 0, 1, 2, 3);
    return words == chacha_words{0xEA2A92F4, 0xCB1CF8CE, 0x4581472E, 0x5881C4BB};
}
static_assert(quarter_round_is_right());

// 2.2.1: on words 2, 7, 8 and 13 of a state.
constexpr chacha_words state_before{
    0x879531E0, 0xC5ECF37D, 0x516461B1, 0xC9A62F8A, 0x44C20EF3, 0x3390AF7F, 0xD9FC690B, 0x2A5F714C,
    0x53372767, 0xB00A5631, 0x974C541A, 0x359E9963, 0x5C971061, 0x3D631689, 0x2098D9D6, 0x91DBD320};
constexpr chacha_words state_after{
    0x879531E0, 0xC5ECF37D, 0xBDB886DC, 0xC9A62F8A, 0x44C20EF3, 0x3390AF7F, 0xD9FC690B, 0xCFACAFD2,
    0xE46BEA80, 0xB00A5631, 0x974C541A, 0x359E9963, 0x5C971061, 0xCCC07C79, 0x2098D9D6, 0x91DBD320};
constexpr chacha_words after_quarter_round() {
    chacha_words words = state_before;
    chacha_quarter_round(words, 2, 7, 8, 13);
    return words;
}
static_assert(after_quarter_round() == state_after);

struct block_vector {
    const char* section;
    chacha_words input;
    chacha_words output;
};

// clang-format off
constexpr std::array<block_vector, 6> block_vectors{{
    {"2.3.2",
     {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, 0x03020100, 0x07060504, 0x0B0A0908, 0x0F0E0D0C,
      0x13121110, 0x17161514, 0x1B1A1918, 0x1F1E1D1C, 0x00000001, 0x09000000, 0x4A000000, 0x00000000},
     {0xE4E7F110, 0x15593BD1, 0x1FDD0F50, 0xC47120A3, 0xC7F4D1C7, 0x0368C033, 0x9AAA2204, 0x4E6CD4C3,
      0x466482D2, 0x09AA9F07, 0x05D7C214, 0xA2028BD9, 0xD19C12B5, 0xB94E16DE, 0xE883D0CB, 0x4E3C50A2}},
    {"A.1 #1",
     {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
      0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000},
     {0xADE0B876, 0x903DF1A0, 0xE56A5D40, 0x28BD8653, 0xB819D2BD, 0x1AED8DA0, 0xCCEF36A8, 0xC70D778B,
      0x7C5941DA, 0x8D485751, 0x3FE02477, 0x374AD8B8, 0xF4B8436A, 0x1CA11815, 0x69B687C3, 0x8665EEB2}},
    {"A.1 #2",
     {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
      0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000001, 0x00000000, 0x00000000, 0x00000000},
     {0xBEE7079F, 0x7A385155, 0x7C97BA98, 0x0D082D73, 0xA0290FCB, 0x6965E348, 0x3E53C612, 0xED7AEE32,
      0x7621B729, 0x434EE69C, 0xB03371D5, 0xD539D874, 0x281FED31, 0x45FB0A51, 0x1F0AE1AC, 0x6F4D794B}},
    {"A.1 #3",
     {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
      0x00000000, 0x00000000, 0x00000000, 0x01000000, 0x00000001, 0x00000000, 0x00000000, 0x00000000},
     {0x2452EB3A, 0x9249F8EC, 0x8D829D9B, 0xDDD4CEB1, 0xE8252083, 0x60818B01, 0xF38422B8, 0x5AAA49C9,
      0xBB00CA8E, 0xDA3BA7B4, 0xC4B592D1, 0xFDF2732F, 0x4436274E, 0x2561B3C8, 0xEBDD4AA6, 0xA0136C00}},
    {"A.1 #4",
     {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, 0x0000FF00, 0x00000000, 0x00000000, 0x00000000,
      0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000002, 0x00000000, 0x00000000, 0x00000000},
     {0xFB4DD572, 0x4BC42EF1, 0xDF922636, 0x327F1394, 0xA78DEA8F, 0x5E269039, 0xA1BEBBC1, 0xCAF09AAE,
      0xA25AB213, 0x48A6B46C, 0x1B9D9BCB, 0x092C5BE6, 0x546CA624, 0x1BEC45D5, 0x87F47473, 0x96F0992E}},
    {"A.1 #5",
     {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
      0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x02000000},
     {0x374DC6C2, 0x3736D58C, 0xB904E24A, 0xCD3F93EF, 0x88228B1A, 0x96A4DFB3, 0x5B76AB72, 0xC727EE54,
      0x0E0E978A, 0xF3145C95, 0x1B748EA8, 0xF786C297, 0x99C28F5F, 0x628314E8, 0x398A19FA, 0x6DED1B53}},
}};
// clang-format on

constexpr chacha_words block_of(const chacha_words& input) {
    chacha_words words{};
    sockless::detail::chacha_block(input, words);
    return words;
}
static_assert([] {
    for (const block_vector& vector : block_vectors) {
        if (block_of(vector.input) != vector.output) return false;
    }
    return true;
}());

// The first numbers of RFC 8439, A.1, "Keystream" of test vector 1, as octets.
static_assert(sockless::detail::key_of(0xADE0B876).octets ==
              std::array<octet, 4>{0x76, 0xB8, 0xE0, 0xAD});
static_assert(sockless::detail::load_little(std::array<octet, 4>{0x76, 0xB8, 0xE0, 0xAD}) ==
              0xADE0B876);

// ---- the keys -----------------------------------------------------------------------------------

// The second half of A.1, test vector 1, is what the seed of zeros gives first.
constexpr std::array<masking_key, 8> first_keys{{
    {{0xDA, 0x41, 0x59, 0x7C}},
    {{0x51, 0x57, 0x48, 0x8D}},
    {{0x77, 0x24, 0xE0, 0x3F}},
    {{0xB8, 0xD8, 0x4A, 0x37}},
    {{0x6A, 0x43, 0xB8, 0xF4}},
    {{0x15, 0x18, 0xA1, 0x1C}},
    {{0xC3, 0x87, 0xB6, 0x69}},
    {{0xB2, 0xEE, 0x65, 0x86}},
}};
static_assert([] {
    mask_source source{zeros};
    for (const masking_key& key : first_keys) {
        if (source() != key) return false;
    }
    return source() != first_keys[0];
}());

static_assert(!std::is_copy_constructible_v<mask_source>);
static_assert(!std::is_move_constructible_v<mask_source>);
static_assert(!std::is_copy_assignable_v<mask_source>);
static_assert(!std::is_move_assignable_v<mask_source>);
static_assert(!std::is_default_constructible_v<mask_source>);
static_assert(!std::is_convertible_v<seed_octets, mask_source>);
static_assert(!std::is_constructible_v<mask_source, std::array<octet, 31>>);
static_assert(!std::is_constructible_v<mask_source, std::array<octet, 33>>);
static_assert(!std::is_constructible_v<mask_source, std::span<const octet>>);
static_assert(noexcept(std::declval<mask_source&>()()));

// What OpenSSL comes to that is given, time after time, the first 32 octets of the last four blocks
// as key: `openssl enc -chacha20 -K KEY -iv 0` of 256 zeros.
struct chain {
    seed_octets seed;
    const char* begins;    // keys 0 to 59: 56 of the first four blocks, four of the next
    const char* thousand;  // key 999
};
const std::array<chain, 2> chains{{
    {zeros,
     "DA41597C5157488D7724E03FB8D84A376A43B8F41518A11CC387B669B2EE6586"
     "9F07E7BE5551387A98BA977C732D080DCB0F29A048E3656912C6533E32EE7AED"
     "29B721769CE64E43D57133B074D839D531ED1F28510AFB45ACE10A1F4B794D6F"
     "2D09A0E663266CE1AE7ED1081968A0758E718E997BD362C6B0C34634A9A0B35D"
     "012737681F7B5D0F281E3AFDE458BC1E73D2D313C9CF94C05FF3716240A248F2"
     "1320A058D7B3566BD520DAAA3ED2BF0AC5B8B120FB852773C3639734B45C91A4"
     "2DD4CB83F8840D2EEDB158131062AC3F1F2CF8FF6DCD1856E86A1E6C3167167E"
     "AFBDAD2845B93CDBB2FE6463D2FE162A",
     "AF F2 38 01"},
    {counted,
     "2B23CCE7A26023AB3F0EEF693AC87F64258235EAB1F7A32DC22762A0485B410C"
     "18B84231ADE6A6D113615C61AF434E27F8B1F3F5E1AD5B5CECF8FC122A35755C"
     "7208086DD1EE3C5D9D815824640E003C9BA0F65EDE5D59CE0D2A4A7F31955ACD"
     "42F22DDCA74A92D56CA78AEF298E723B60237F3647EABEB7F3E09C30CE80E3E2"
     "84A8021B8A5C0B2494CD3C8D5B13507EC7E7A0784DF4A3E2EA8162D261C59D23"
     "E7AB11C0F73C3B7EB0983950B3E2C4A08F843DA95FB7FCB3F13456816B51B782"
     "4DF2F9BD5613D4B4ED952FD858CD1B984ACBF8FF1FD1A7C806D81CA8E4AE3B2C"
     "2D41A59C90E41A8E7A4DCCAA1C460699",
     "F2 AE DF B0"},
}};

std::vector<masking_key> keys_of(mask_source& source, std::size_t count) {
    std::vector<masking_key> keys;
    for (std::size_t i = 0; i < count; ++i) keys.push_back(source());
    return keys;
}

// Do these octets stand in the memory of the source, in either order?
bool holds(const mask_source& source, std::span<const octet> wanted) {
    std::array<octet, sizeof(mask_source)> memory{};
    std::memcpy(memory.data(), static_cast<const void*>(&source), sizeof source);
    return std::search(memory.begin(), memory.end(), wanted.begin(), wanted.end()) !=
               memory.end() ||
           std::search(memory.begin(), memory.end(), wanted.rbegin(), wanted.rend()) !=
               memory.end();
}

}  // namespace

TEST_CASE("the quarter round is that of RFC 8439, 2.1.1 and 2.2.1") {
    CHECK(quarter_round_is_right());
    CHECK(after_quarter_round() == state_after);
}

TEST_CASE("the block function gives the blocks of RFC 8439, 2.3.2 and A.1") {
    for (const block_vector& vector : block_vectors) {
        CAPTURE(vector.section);
        CHECK(block_of(vector.input) == vector.output);
    }
}

TEST_CASE("four blocks side by side are those that come one by one") {
    std::mt19937 random(8439);
    for (int round = 0; round < 1000; ++round) {
        chacha_words input{};
        for (std::uint32_t& word : input) word = static_cast<std::uint32_t>(random());
        sockless::detail::chacha_blocks one_by_one{};
        sockless::detail::chacha_blocks side_by_side{};
        sockless::detail::chacha_one_by_one(input, one_by_one);
        sockless::detail::chacha_side_by_side(input, side_by_side);
        REQUIRE(side_by_side == one_by_one);
        input[12] = 3;
        const chacha_words last = block_of(input);
        REQUIRE(std::equal(last.begin(), last.end(), one_by_one.begin() + 48));
    }
}

TEST_CASE("numbers are little-endian octets, whatever the machine has") {
    const std::array<octet, 4> octets{0x01, 0x02, 0x83, 0xF4};
    CHECK(sockless::detail::load_little(octets) == 0xF4830201);
    CHECK(sockless::detail::key_of(0xF4830201).octets == octets);
}

TEST_CASE("the keys are those of a chain of ChaCha20 blocks, computed by another library") {
    for (const chain& expected : chains) {
        mask_source source{expected.seed};
        const std::vector<masking_key> keys = keys_of(source, 1000);
        std::vector<octet> begins;
        for (std::size_t i = 0; i < 60; ++i) {
            begins.insert(begins.end(), keys[i].octets.begin(), keys[i].octets.end());
        }
        CHECK(begins == support::octets(expected.begins));
        CHECK(support::hex(keys[999].octets) == expected.thousand);
    }
}

TEST_CASE("M6 the keys come from the seed and from nothing else") {
    mask_source one{counted};
    mask_source same{counted};
    CHECK(keys_of(one, 100) == keys_of(same, 100));
    seed_octets gone = counted;
    mask_source kept{gone};
    gone.fill(0);
    mask_source again{counted};
    CHECK(keys_of(kept, 100) == keys_of(again, 100));
}

TEST_CASE("M6 every bit of the seed changes the keys") {
    mask_source plain{counted};
    const std::vector<masking_key> keys = keys_of(plain, 8);
    for (std::size_t bit = 0; bit < 256; ++bit) {
        seed_octets seed = counted;
        seed[bit / 8] ^= static_cast<octet>(1U << bit % 8);
        mask_source changed{seed};
        for (const masking_key& key : keys) {
            if (changed() == key) FAIL("bit " << bit);
        }
    }
}

TEST_CASE("M6 no two of 20,000 frames have the same key") {
    mask_source source{counted};
    std::set<std::array<octet, 4>> keys;
    for (int i = 0; i < 20'000; ++i) keys.insert(source().octets);
    CHECK(keys.size() == 20'000);
}

TEST_CASE("M6 a source forgets the keys that it gave, and the seed") {
    mask_source source{counted};
    REQUIRE(holds(source, std::span(counted).first(4)));
    for (int i = 0; i < 100; ++i) {
        const masking_key key = source();
        CAPTURE(i);
        CHECK_FALSE(holds(source, key.octets));
        for (std::size_t at = 0; at < counted.size(); at += 4) {
            CHECK_FALSE(holds(source, std::span(counted).subspan(at, 4)));
        }
    }
}
