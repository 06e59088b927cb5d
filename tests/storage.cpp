// Memory for a connection: from the heap, or out of the object; none is an answer.

#include <sockless/storage.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/heap_watch.hpp"

// AddressSanitizer ends the program where there is no memory, unless it is asked not to.
extern "C" const char* __asan_default_options();   // NOLINT(bugprone-reserved-identifier,cert-*)
extern "C" const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier,cert-*)
    return "allocator_may_return_null=1";
}

namespace {

using namespace sockless;

static_assert(!std::is_copy_constructible_v<heap> && !std::is_copy_assignable_v<heap>);
static_assert(!std::is_copy_constructible_v<fixed<>> && !std::is_copy_assignable_v<fixed<>>);
static_assert(!std::is_move_constructible_v<heap> && !std::is_move_constructible_v<fixed<>>);
static_assert(std::is_base_of_v<memory, heap> && std::is_base_of_v<memory, fixed<>>);
static_assert(!std::is_polymorphic_v<heap>);
static_assert(sizeof(heap) == sizeof(void*));
static_assert(sizeof(fixed<>) <= 2048 + 2304 + 3 * sizeof(void*));

constexpr capacity odd{.message = 257, .output = 419};

// Keeps the sizes that it is asked for, and has none of them.
class asked_memory : public memory {
  public:
    constexpr asked_memory() noexcept : memory(table) {}

    region which = region::message;
    std::size_t size = 0;
    std::size_t times = 0;
    std::size_t given_back = 0;

  private:
    static constexpr std::span<octet> note(memory& self, region which, std::size_t size) noexcept {
        auto& mine = static_cast<asked_memory&>(self);
        mine.which = which;
        mine.size = size;
        ++mine.times;
        return {};
    }
    static constexpr void note_back(memory& self, region which, std::span<octet> octets) noexcept {
        auto& mine = static_cast<asked_memory&>(self);
        mine.which = which;
        mine.size = octets.size();
        ++mine.given_back;
    }
    static constexpr functions table{note, note_back, {.message = 7, .output = 9}};
};

constexpr std::size_t wish(std::size_t before, std::size_t size, std::size_t most) {
    asked_memory from;
    const std::span<octet> none = take_more(from, region::output, before, size, most);
    return none.empty() && from.times == 1 && from.which == region::output ? from.size : 0;
}

template <class Storage>
constexpr bool lends_and_takes_back() {
    Storage storage;
    for (int round = 0; round < 3; ++round) {
        const std::span<octet> message = storage.take(region::message, 200);
        const std::span<octet> output = storage.take(region::output, 300);
        if (message.size() < 200 || output.size() < 300) return false;
        std::fill(message.begin(), message.end(), octet{1});
        std::fill(output.begin(), output.end(), octet{2});
        if (message.front() != 1 || message.back() != 1) return false;
        storage.give_back(region::output, output);
        storage.give_back(region::message, message);
    }
    return true;
}

static_assert(lends_and_takes_back<heap>());
static_assert(lends_and_takes_back<fixed<>>());
static_assert(lends_and_takes_back<fixed<odd>>());

static_assert(heap().most().message == unlimited && heap().most().output == unlimited);
static_assert(fixed<>().most().message == 2048 && fixed<>().most().output == 2304);
static_assert(fixed<odd>().most().message == 257 && fixed<odd>().most().output == 419);

// The least that there may be.
static_assert(fixed<capacity{.message = 256, .output = 416}>().most().output == 416);

}  // namespace

TEST_CASE("the heap gives as many octets as it is asked for, in one allocation each") {
    heap storage;
    std::vector<std::span<octet>> taken;
    const std::array<std::size_t, 5> sizes{1, 2, 255, 256, 100'000};
    taken.reserve(sizes.size());
    for (const std::size_t size : sizes) {
        const support::heap_watch watch;
        taken.push_back(storage.take(region::message, size));
        CHECK(watch.count() == 1);
        REQUIRE(taken.back().size() == size);
        std::fill(taken.back().begin(), taken.back().end(), static_cast<octet>(size));
    }
    for (const std::span<octet> octets : taken) {
        CHECK(octets.front() == static_cast<octet>(octets.size()));
        CHECK(octets.back() == static_cast<octet>(octets.size()));
        storage.give_back(region::message, octets);
    }
}

TEST_CASE("the heap has no octets where there is no memory, and throws nothing") {
    heap storage;
    for (const std::size_t size : {SIZE_MAX / 2 + 1, std::size_t{SIZE_MAX}}) {
        const volatile std::size_t too_many = size;  // so that no compiler warns
        const std::span<octet> none = storage.take(region::output, too_many);
        CHECK(none.data() == nullptr);
        CHECK(none.empty());
        storage.give_back(region::output, none);
    }
}

TEST_CASE("memory is asked through its table, and not at all about nothing to give back") {
    asked_memory storage;
    CHECK(storage.most().message == 7);
    CHECK(storage.most().output == 9);
    CHECK(storage.take(region::output, 11).empty());
    CHECK(storage.which == region::output);
    CHECK(storage.size == 11);

    storage.give_back(region::message, {});
    CHECK(storage.given_back == 0);
    std::array<octet, 5> some{};
    storage.give_back(region::message, some);
    CHECK(storage.given_back == 1);
    CHECK(storage.which == region::message);
    CHECK(storage.size == 5);
    storage.give_back(region::output, std::span(some).first(0));
    CHECK(storage.given_back == 2);
    CHECK(storage.which == region::output);
}

TEST_CASE("fixed storage has its octets in itself, and takes nothing from the heap") {
    const support::heap_watch watch;
    fixed<odd> storage;
    const std::span<octet> message = storage.take(region::message, 257);
    const std::span<octet> output = storage.take(region::output, 419);
    CHECK(message.size() == 257);
    CHECK(output.size() == 419);
    const std::span self = std::as_bytes(std::span(&storage, 1));
    for (const std::span<octet> region : {message, output}) {
        const std::span bytes = std::as_bytes(region);
        CHECK(bytes.data() >= self.data());
        CHECK(bytes.data() + bytes.size() <= self.data() + self.size());
    }
    CHECK((message.data() + 257 <= output.data() || output.data() + 419 <= message.data()));
    storage.give_back(region::message, message);
    storage.give_back(region::output, output);
    CHECK(watch.count() == 0);
}

TEST_CASE("a region of fixed storage is lent whole, once at a time, and never more than there is") {
    struct row {
        region which;
        std::size_t capacity;
    };
    for (const row entry : {row{region::message, 257}, row{region::output, 419}}) {
        fixed<odd> storage;
        const region other = entry.which == region::message ? region::output : region::message;
        CHECK(storage.take(entry.which, entry.capacity + 1).empty());
        CHECK(storage.take(entry.which, SIZE_MAX).empty());

        const std::span<octet> all = storage.take(entry.which, 1);
        CHECK(all.size() == entry.capacity);
        CHECK(storage.take(entry.which, 1).empty());
        CHECK(storage.take(entry.which, 0).empty());

        const std::span<octet> others = storage.take(other, 1);
        CHECK_FALSE(others.empty());
        storage.give_back(other, others);
        CHECK(storage.take(entry.which, 1).empty());

        storage.give_back(entry.which, {});  // which is nothing
        CHECK(storage.take(entry.which, 1).empty());
        storage.give_back(entry.which, all);
        const std::span<octet> again = storage.take(entry.which, entry.capacity);
        CHECK(again.data() == all.data());
        CHECK(again.size() == all.size());
    }
}

TEST_CASE("memory grows to twice what there was, 256 at least, and to what is needed in any case") {
    struct row {
        std::size_t before;
        std::size_t size;
        std::size_t most;
        std::size_t asked;
    };
    const std::vector<row> rows{
        {0, 1, unlimited, 256},     {0, 256, unlimited, 256},   {0, 257, unlimited, 257},
        {127, 128, unlimited, 256}, {128, 129, unlimited, 256}, {129, 130, unlimited, 258},
        {256, 257, unlimited, 512}, {256, 513, unlimited, 513}, {300, 301, unlimited, 600},
        {0, 1, 100, 100},           {0, 100, 100, 100},         {0, 1, 255, 255},
        {256, 257, 511, 511},       {256, 257, 512, 512},       {256, 257, 513, 512},
        {256, 257, 257, 257},       {200, 201, 300, 300},       {256, 600, 300, 600},
    };
    for (const row& entry : rows) {
        CAPTURE(entry.before, entry.size, entry.most);
        CHECK(wish(entry.before, entry.size, entry.most) == entry.asked);
    }
    STATIC_REQUIRE(wish(0, 1, unlimited) == 256);
    STATIC_REQUIRE(wish(256, 257, 300) == 300);
}

TEST_CASE("storage in constant evaluation does what it does at run time") {
    CHECK(lends_and_takes_back<heap>());
    CHECK(lends_and_takes_back<fixed<>>());
    CHECK(lends_and_takes_back<fixed<odd>>());
}
