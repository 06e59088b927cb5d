// first_octet.hpp: which octets a frame may begin with.
#include <sockless/first_octet.hpp>

#include "support/catch.hpp"

using namespace sockless;

namespace {

// 5.2, 5.4 and 5.5 once more, in other words.
constexpr bool rfc_allows(unsigned first, bool rsv1, fragmentation message) {
    const unsigned op = first % 16;
    const bool begins = op == 1 || op == 2;
    if (op >= 8) return first >= 0x88 && first <= 0x8A;
    if (op > 2) return false;
    if ((first & 0x30) != 0) return false;
    if ((first & 0x40) != 0 && !(rsv1 && begins)) return false;
    return begins == (message == fragmentation::none);
}

constexpr unsigned wrong_answers() {
    unsigned wrong = 0;
    for (const bool rsv1 : {false, true}) {
        for (const fragmentation message :
             {fragmentation::none, fragmentation::text, fragmentation::binary}) {
            for (unsigned first = 0; first < 256; ++first) {
                const bool may = may_come(static_cast<octet>(first), rsv1, message);
                if (may != rfc_allows(first, rsv1, message)) ++wrong;
            }
        }
    }
    return wrong;
}
static_assert(wrong_answers() == 0);

}  // namespace

TEST_CASE("each of 256 octets may begin a frame, or may not, in each state") {
    CHECK(wrong_answers() == 0);
    CHECK(may_come(0x81, false, fragmentation::none));
    CHECK(may_come(0x80, false, fragmentation::text));
    CHECK(may_come(0x89, false, fragmentation::binary));
    CHECK(may_come(0xC1, true, fragmentation::none));
    CHECK(!may_come(0xC1, false, fragmentation::none));
    CHECK(!may_come(0x80, false, fragmentation::none));
    CHECK(!may_come(0x81, true, fragmentation::text));
}
