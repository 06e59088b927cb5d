// What a reader of frames tells: small, and nothing unless something is said.

#include <sockless/frame_event.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "support/catch.hpp"

namespace {

using namespace sockless;

static_assert(std::is_trivially_copyable_v<frame_event> && std::is_aggregate_v<frame_event>);
static_assert(sizeof(frame_event) <= 32);
static_assert(frame_event().kind == frame_event::what::nothing && frame_event().text().empty());
static_assert(!frame_event().first && !frame_event().last && !frame_event().compressed);
static_assert(frame_event().broken == rule::none && frame_event().code == 0);
static_assert(frame_event().type == message_type::binary && frame_event().remaining == 0);

constexpr bool says(std::string_view expected) {
    std::array<octet, 2> octets{'h', 'i'};
    return frame_event{.kind = frame_event::what::slice, .payload = octets}.text() == expected;
}
static_assert(says("hi") && !says("ho") && !says("h"));

}  // namespace

TEST_CASE("an event says what its octets say") {
    CHECK(says("hi"));
    CHECK_FALSE(says("ho"));
}
