// Octets that are put together: memory comes with them, and what cannot grow stays as it was.

#include <sockless/growing.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <random>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/heap_watch.hpp"

namespace {

using namespace sockless;
using octet_vector = std::vector<octet>;

static_assert(!std::is_copy_constructible_v<growing> && !std::is_copy_assignable_v<growing>);
static_assert(!std::is_move_constructible_v<growing> && !std::is_move_assignable_v<growing>);

// Allocations of exactly the size asked for, of which one may fail; what was taken and given back
// has to agree.
class scarce : public memory {
  public:
    explicit scarce(std::size_t failing = SIZE_MAX) noexcept : memory(table), failing_(failing) {}

    std::size_t takes() const { return sizes_.size(); }
    const std::vector<std::size_t>& sizes() const { return sizes_; }
    std::size_t held() const { return held_.size(); }
    bool agrees() const { return agrees_; }
    void fail_next() { failing_ = takes(); }

  private:
    static std::span<octet> take_one(memory& self, region which, std::size_t size) noexcept {
        auto& mine = static_cast<scarce&>(self);
        mine.agrees_ = mine.agrees_ && which == region::message && size > 0;
        mine.sizes_.push_back(size);
        if (mine.sizes_.size() - 1 == mine.failing_) return {};
        mine.held_.push_back({std::make_unique<octet[]>(size), size});
        return {mine.held_.back().first.get(), size};
    }
    static void take_back(memory& self, region which, std::span<octet> octets) noexcept {
        auto& mine = static_cast<scarce&>(self);
        const std::size_t removed = std::erase_if(mine.held_, [&](const auto& one) {
            return one.first.get() == octets.data() && one.second == octets.size();
        });
        mine.agrees_ = mine.agrees_ && which == region::message && removed == 1;
    }
    static constexpr functions table{take_one, take_back, {}};

    std::size_t failing_;
    std::vector<std::size_t> sizes_;
    std::vector<std::pair<std::unique_ptr<octet[]>, std::size_t>> held_;
    bool agrees_ = true;
};

octet_vector some(std::size_t size) {
    octet_vector octets(size);
    for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<octet>(i * 7 + i / 256);
    return octets;
}

octet_vector as_vector(std::span<const octet> octets) {
    return octet_vector(octets.begin(), octets.end());
}

template <class Storage>
constexpr bool puts_together() {
    Storage storage;
    growing text(storage, unlimited);
    if (text.has_memory() || text.size() != 0 || !text.octets().empty()) return false;
    const std::array<octet, 3> abc{'a', 'b', 'c'};
    for (int i = 0; i < 60; ++i) {
        if (!text.append(abc)) return false;
    }
    if (text.size() != 180 || text.octets()[179] != 'c' || text.octets()[177] != 'a') return false;
    const std::span<octet> tail = text.tail(2);
    if (tail.size() != 2 || text.space(2).data() != tail.data()) return false;
    tail[0] = 'd';
    tail[1] = 'e';
    text.add(2);
    if (text.size() != 182 || text.octets()[180] != 'd') return false;
    text.shrink(1);
    if (text.octets().size() != 1 || text.octets()[0] != 'a') return false;
    text.clear();
    if (text.size() != 0 || !text.has_memory()) return false;
    text.release();
    return !text.has_memory() && text.append(abc) && text.octets()[2] == 'c';
}

static_assert(puts_together<heap>());
static_assert(puts_together<fixed<>>());

}  // namespace

TEST_CASE("growing does at run time what it does in constant evaluation") {
    CHECK(puts_together<heap>());
    CHECK(puts_together<fixed<>>());
}

TEST_CASE("no memory is taken before there are octets, nor for none of them") {
    scarce storage;
    {
        growing message(storage, unlimited);
        CHECK_FALSE(message.has_memory());
        CHECK(message.octets().empty());
        CHECK(message.append({}));
        CHECK(message.tail(0).empty());
        message.clear();
        message.release();
    }
    CHECK(storage.takes() == 0);
    CHECK(storage.agrees());
}

TEST_CASE("octets come out as they went in, in pieces of any size") {
    std::mt19937 random(1);
    for (int round = 0; round < 50; ++round) {
        scarce storage;
        octet_vector expected;
        {
            growing message(storage, unlimited);
            while (expected.size() < 5000) {
                const octet_vector all = some(random() % 300);
                const support::exact piece(all);
                REQUIRE(message.append(piece.span()));
                expected.insert(expected.end(), all.begin(), all.end());
                REQUIRE(message.size() == expected.size());
            }
            CHECK(as_vector(message.octets()) == expected);
            CHECK(storage.held() == 1);
        }
        CHECK(storage.held() == 0);
        CHECK(storage.agrees());
    }
}

TEST_CASE("growing octet by octet takes memory a few times, each twice the one before") {
    scarce storage;
    growing message(storage, unlimited);
    const octet_vector expected = some(10'000);
    for (const octet& one : expected) REQUIRE(message.append({&one, 1}));
    CHECK(as_vector(message.octets()) == expected);
    CHECK(storage.sizes() == std::vector<std::size_t>{256, 512, 1024, 2048, 4096, 8192, 16'384});
    CHECK(storage.held() == 1);
}

TEST_CASE("there is never more memory than there may be, unless octets need it") {
    scarce storage;
    growing message(storage, 300);
    const octet_vector all = some(301);
    for (std::size_t i = 0; i < 300; ++i) REQUIRE(message.append({&all[i], 1}));
    CHECK(storage.sizes() == std::vector<std::size_t>{256, 300});
    CHECK(message.append({&all[300], 1}));
    CHECK(storage.sizes() == std::vector<std::size_t>{256, 300, 301});
    CHECK(as_vector(message.octets()) == all);
}

TEST_CASE("the tail is as long as asked, stays until octets are added, and they stay behind it") {
    scarce storage;
    growing message(storage, unlimited);
    const octet_vector all = some(700);
    REQUIRE(message.append(std::span(all).first(200)));
    const std::span<octet> tail = message.tail(56);
    CHECK(tail.size() == 56);
    CHECK(tail.data() == message.octets().data() + 200);
    CHECK(storage.takes() == 1);
    CHECK(message.tail(56).data() == tail.data());
    CHECK(message.tail(3).data() == tail.data());
    CHECK(message.tail(3).size() == 3);
    CHECK(storage.takes() == 1);
    CHECK(message.size() == 200);

    const std::span<octet> longer = message.tail(500);
    CHECK(longer.size() == 500);
    CHECK(storage.sizes() == std::vector<std::size_t>{256, 700});
    CHECK(as_vector(message.octets()) == as_vector(std::span(all).first(200)));
    std::copy(all.begin() + 200, all.end(), longer.begin());
    message.add(500);
    CHECK(as_vector(message.octets()) == all);
}

TEST_CASE("octets that were read where they belong are added without a copy") {
    heap storage;
    growing message(storage, unlimited);
    const octet_vector all = some(100);
    REQUIRE(message.append(std::span(all).first(40)));
    const std::span<octet> target = message.tail(60);
    std::copy(all.begin() + 40, all.end(), target.begin());
    const support::heap_watch watch;
    CHECK(message.append(target.first(25)));
    CHECK(message.append(target.subspan(25)));
    CHECK(watch.count() == 0);
    CHECK(as_vector(message.octets()) == all);
}

TEST_CASE("without memory nothing is different, whichever allocation fails, and it may go on") {
    const octet_vector all = some(3000);
    for (std::size_t failing = 0; failing < 5; ++failing) {
        scarce storage(failing);
        {
            growing message(storage, unlimited);
            std::size_t refused = 0;
            for (std::size_t done = 0; done < all.size();) {
                const bool had_memory = message.has_memory();
                const std::span<octet> before = message.octets();
                const std::span piece =
                    std::span(all).subspan(done, std::min<std::size_t>(100, all.size() - done));
                if (message.append(piece)) {
                    done += piece.size();
                    continue;
                }
                ++refused;
                CHECK(message.size() == done);
                CHECK(message.octets().data() == before.data());
                CHECK(message.has_memory() == had_memory);
                CHECK(std::equal(before.begin(), before.end(), all.begin()));
            }
            CHECK(refused == 1);
            CHECK(as_vector(message.octets()) == all);

            storage.fail_next();
            CHECK(message.tail(5000).empty());
            CHECK(message.tail(5000).size() == 5000);
        }
        CHECK(storage.held() == 0);
        CHECK(storage.agrees());
    }
}

TEST_CASE("what is cleared or shrunk keeps its memory, what is released gives it back once") {
    scarce storage;
    growing message(storage, unlimited);
    const octet_vector all = some(200);
    REQUIRE(message.append(all));
    const octet* const place = message.octets().data();
    message.shrink(150);
    CHECK(as_vector(message.octets()) == some(150));
    message.shrink(0);
    CHECK(message.octets().empty());
    REQUIRE(message.append(std::span(all).first(1)));
    message.clear();
    CHECK(message.has_memory());
    REQUIRE(message.append(all));
    CHECK(message.octets().data() == place);
    CHECK(as_vector(message.octets()) == all);
    CHECK(storage.takes() == 1);

    message.release();
    CHECK(storage.held() == 0);
    CHECK_FALSE(message.has_memory());
    CHECK(message.size() == 0);
    message.release();
    REQUIRE(message.append(all));
    CHECK(storage.takes() == 2);
    CHECK(as_vector(message.octets()) == all);
    CHECK(storage.agrees());
}

TEST_CASE(
    "space is what there is memory for, of at most so many, and grows only if there is none") {
    scarce storage;
    {
        growing message(storage, 1'000);
        REQUIRE(message.append(some(1)));
        CHECK(storage.sizes() == std::vector<std::size_t>{256});
        for (const std::size_t most : {0U, 1U, 254U, 255U})
            CHECK(message.space(most).size() == most);
        CHECK(message.space(256).size() == 255);
        CHECK(message.space(unlimited).size() == 255);
        CHECK(message.is_tail(message.space(7)));
        // Octets that are put there are part of it.
        copy_octets(some(255), message.space(unlimited));
        message.add(255);
        CHECK(storage.takes() == 1);
        CHECK(message.size() == 256);
        // Now there is none, so there is twice as much, and what was there came along.
        CHECK(message.space(10).size() == 10);
        CHECK(storage.sizes() == std::vector<std::size_t>{256, 512});
        CHECK(message.space(1'000).size() == 256);
        CHECK(message.octets()[0] == some(1)[0]);
        CHECK(as_vector(message.octets().subspan(1)) == some(255));
        message.add(256);
        CHECK(message.space(1'000).size() == 488);  // never more than there may be
        message.add(488);
        CHECK(message.size() == 1'000);
        message.release();
        CHECK(message.space(5).size() == 5);
        CHECK(storage.held() == 1);
    }
    CHECK(storage.held() == 0);
    CHECK(storage.agrees());
}

TEST_CASE("without memory there is no space, and nothing is different") {
    scarce storage(0);
    growing message(storage, unlimited);
    CHECK(message.space(10).empty());
    CHECK_FALSE(message.has_memory());
    REQUIRE(message.append(some(256)));
    storage.fail_next();
    CHECK(message.space(10).empty());
    CHECK(as_vector(message.octets()) == some(256));
    CHECK(message.space(10).size() == 10);
    CHECK(as_vector(message.octets()) == some(256));
    CHECK(storage.agrees());

    fixed<capacity{.message = 257, .output = 417}> small;
    growing other(small, small.most().message);
    CHECK(other.space(unlimited).size() == 257);
    CHECK(other.append(some(256)));
    CHECK(other.space(unlimited).size() == 1);
    other.add(1);
    CHECK(other.space(1).empty());
    CHECK(other.size() == 257);
}

TEST_CASE("fixed storage is filled to its last octet, refuses one more, and needs no heap") {
    const support::heap_watch watch;
    fixed<capacity{.message = 257, .output = 417}> storage;
    growing message(storage, storage.most().message);
    const std::array<octet, 258> all{1, 2, 3};
    CHECK_FALSE(message.append(all));
    CHECK_FALSE(message.has_memory());
    CHECK(message.tail(258).empty());
    CHECK(message.append(std::span(all).first(200)));
    CHECK_FALSE(message.append(std::span(all).first(58)));
    CHECK(message.tail(58).empty());
    CHECK(message.size() == 200);
    CHECK(message.append(std::span(all).first(57)));
    CHECK(message.size() == 257);
    CHECK_FALSE(message.append(std::span(all).first(1)));
    CHECK(message.append({}));
    CHECK(message.size() == 257);
    CHECK(message.octets()[256] == 0);
    CHECK(message.octets()[202] == 3);
    message.release();
    CHECK(message.append(std::span(all).first(257)));
    CHECK(watch.count() == 0);
}
