// Streams that many connections share: as many as there are messages at the same time.

#include <sockless/deflate_pool.hpp>

#include <array>
#include <cstddef>
#include <set>
#include <span>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/heap_watch.hpp"
#include "support/octets.hpp"

namespace {

using namespace sockless;
using octet_vector = std::vector<octet>;

static_assert(!std::is_copy_constructible_v<deflate_pool>);
static_assert(!std::is_copy_assignable_v<deflate_pool>);
static_assert(!std::is_move_constructible_v<deflate_pool>);
static_assert(!std::is_convertible_v<deflate_settings, deflate_pool>);
static_assert(std::is_nothrow_default_constructible_v<deflate_pool>);

// 7.2.3.1 and 7.2.3.2, each with its marker: the second refers to the first.
const octet_vector first = support::octets("F2 48 CD C9 C9 07 00 00 00 FF FF");
const octet_vector second = support::octets("F2 00 11 00 00 00 00 FF FF");

stream_step read(inflater& stream, std::span<const octet> octets) {
    std::array<octet, 10> out{};
    return stream.step(octets, out);
}

}  // namespace

TEST_CASE("A pool takes nothing until something is borrowed, and then it is open and fresh") {
    const support::heap_watch watch;
    {
        deflate_pool pool;
        CHECK(watch.count() == 0);
        inflater* const one = pool.borrow();
        REQUIRE(one != nullptr);
        CHECK(one->is_open());
        CHECK(read(*one, first).made == 5);
        CHECK(read(*one, second).made == 5);
        pool.give_back(one);
        // Whoever is next learns nothing of it.
        inflater* const next = pool.borrow();
        REQUIRE(next == one);
        CHECK(next->is_open());
        CHECK(read(*next, second).what == stream_step::is::broken);
        pool.give_back(next);
        inflater* const last = pool.borrow();
        REQUIRE(last == one);
        CHECK(read(*last, first).made == 5);
        pool.give_back(last);
    }
    CHECK(watch.held() == 0);
}

TEST_CASE("A borrowed stream knows the largest window, so it reads every other") {
    deflater writer;
    for (int bits = 9; bits <= 15; ++bits) {
        deflate_pool pool;
        REQUIRE(writer.open({.level = 9, .window_bits = bits}));
        octet_vector message(40'000);
        for (std::size_t i = 0; i < message.size(); ++i) {
            message[i] = static_cast<octet>(i * i / 1'000 + i % (500U << (bits - 9)) * 37);
        }
        octet_vector octets(writer.bound(message.size()));
        octet_vector back(message.size() + 1);
        const std::size_t size = writer.step(message, octets).made;
        inflater* const one = pool.borrow();
        REQUIRE(one != nullptr);
        CHECK(one->step(std::span(octets).first(size), back).made == message.size());
        back.pop_back();
        CHECK(back == message);
        pool.give_back(one);
        writer.close();
    }
}

TEST_CASE("There are as many as messages arrive at once, each of its own, and no more") {
    const support::heap_watch watch;
    {
        deflate_pool pool;
        std::vector<inflater*> borrowed;
        std::set<inflater*> different;
        for (int i = 0; i < 50; ++i) {
            borrowed.push_back(pool.borrow());
            REQUIRE(borrowed.back() != nullptr);
            different.insert(borrowed.back());
        }
        CHECK(different.size() == 50);
        // The messages do not meet.
        for (inflater* const one : borrowed) CHECK(read(*one, std::span(first).first(3)).used == 3);
        for (inflater* const one : borrowed) {
            const stream_step step = read(*one, std::span(first).subspan(3));
            CHECK(step.used == 8);
        }
        for (inflater* const one : borrowed) pool.give_back(one);
        for (int round = 0; round < 3; ++round) {
            const support::no_heap none;  // there are enough
            for (inflater*& one : borrowed) one = pool.borrow();
            CHECK(std::set<inflater*>(borrowed.begin(), borrowed.end()) == different);
            for (inflater* const one : borrowed) pool.give_back(one);
        }
    }
    CHECK(watch.held() == 0);
}

TEST_CASE("10,000 connections, one after the other, need one") {
    const support::heap_watch watch;
    {
        deflate_pool pool;
        bool all_read = true;
        for (int i = 0; i < 10'000; ++i) {
            inflater* const one = pool.borrow();
            all_read = all_read && one != nullptr && read(*one, first).made == 5;
            pool.give_back(one);
        }
        const std::size_t allocations = watch.count();
        CHECK(all_read);
        CHECK(allocations == 3);  // itself, its state and its window
    }
    CHECK(watch.held() == 0);
}

TEST_CASE("32 without memory nothing is borrowed, nothing is lost, and the next time it is") {
    const support::heap_watch watch;
    {
        deflate_pool pool;
        // For itself, its state and its window; what there is already is kept.
        for (const std::size_t given : {0U, 1U, 0U, 1U, 0U}) {
            const support::no_heap none(given, 1);
            CHECK(pool.borrow() == nullptr);
        }
        inflater* const one = pool.borrow();
        REQUIRE(one != nullptr);
        CHECK(read(*one, first).made == 5);
        {
            const support::no_heap none;
            CHECK(pool.borrow() == nullptr);
        }
        pool.give_back(one);
        const support::no_heap none;
        CHECK(pool.borrow() == one);
        pool.give_back(one);
    }
    CHECK(watch.held() == 0);
}

TEST_CASE("One deflater for all, which is the caller's to open, with the settings of the pool") {
    const support::heap_watch watch;
    {
        deflate_pool pool;
        CHECK(pool.settings().level == 2);
        CHECK(pool.settings().mem_level == 5);
        CHECK(pool.settings().window_bits == 15);
        const deflate_settings how{.level = 9, .mem_level = 2, .window_bits = 10};
        deflate_pool other(how);
        CHECK(other.settings().level == 9);
        CHECK(other.settings().mem_level == 2);
        CHECK(other.settings().window_bits == 10);
        deflater& shared = other.shared_deflater();
        CHECK_FALSE(shared.is_open());
        CHECK(&other.shared_deflater() == &shared);
        CHECK(&pool.shared_deflater() != &shared);
        REQUIRE(shared.open(other.settings()));
        octet_vector out(shared.bound(5));
        const stream_step step = shared.step(support::octets("\"Hello\""), out);
        out.resize(step.made);
        CHECK(out == first);
    }
    CHECK(watch.held() == 0);
}
