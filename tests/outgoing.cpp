// Octets to transmit: in order, within the limit, and what was offered stays where it is.

#include <sockless/outgoing.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/heap_watch.hpp"

namespace {

using namespace sockless;

static_assert(!std::is_copy_constructible_v<outgoing> && !std::is_copy_assignable_v<outgoing>);
static_assert(!std::is_move_constructible_v<outgoing> && !std::is_move_assignable_v<outgoing>);
static_assert(std::is_trivially_copyable_v<ring>);

// The octet that belongs at a place of the stream.
constexpr octet at(std::uint64_t place) { return static_cast<octet>(place * 31 + place / 251); }

constexpr void fill(std::span<octet> out, std::uint64_t place) {
    for (octet& o : out) o = at(place++);
}

constexpr bool is_stream(std::span<const octet> octets, std::uint64_t place) {
    return std::all_of(octets.begin(), octets.end(), [&](octet o) { return o == at(place++); });
}

// Allocations of exactly the size asked for. Some of them may fail; what is given back is spoilt,
// and has to be what was taken.
class scarce : public memory {
  public:
    scarce() noexcept : memory(table) {}

    std::size_t takes() const { return sizes_.size(); }
    const std::vector<std::size_t>& sizes() const { return sizes_; }
    std::size_t held() const { return held_.size(); }
    std::size_t held_octets() const {
        std::size_t sum = 0;
        for (const auto& one : held_) sum += one.second;
        return sum;
    }
    bool agrees() const { return agrees_; }
    std::size_t failures() const { return failures_; }
    // Every n-th of them fails, the next one first.
    void fail_every(std::size_t n) { every_ = n, since_ = 0; }
    void fail_none() { every_ = 0; }

  private:
    static std::span<octet> take_one(memory& self, region which, std::size_t size) noexcept {
        auto& mine = static_cast<scarce&>(self);
        mine.agrees_ = mine.agrees_ && which == region::output && size > 0;
        if (mine.every_ > 0 && mine.since_++ % mine.every_ == 0) {
            ++mine.failures_;
            return {};
        }
        mine.sizes_.push_back(size);
        mine.held_.push_back({std::make_unique<octet[]>(size), size});
        return {mine.held_.back().first.get(), size};
    }
    static void take_back(memory& self, region which, std::span<octet> octets) noexcept {
        auto& mine = static_cast<scarce&>(self);
        const std::size_t removed = std::erase_if(mine.held_, [&](const auto& one) {
            const bool found = one.first.get() == octets.data() && one.second == octets.size();
            if (found) std::fill(octets.begin(), octets.end(), octet{0xDD});
            return found;
        });
        mine.agrees_ = mine.agrees_ && which == region::output && removed == 1;
    }
    static constexpr functions table{take_one, take_back, {}};

    std::vector<std::size_t> sizes_;
    std::vector<std::pair<std::unique_ptr<octet[]>, std::size_t>> held_;
    std::size_t every_ = 0;
    std::size_t since_ = 0;
    std::size_t failures_ = 0;
    bool agrees_ = true;
};

// Appends the next octets of the stream, or says that they do not fit.
constexpr bool append(outgoing& out, std::size_t count) {
    if (!out.reserve(count)) return false;
    std::array<octet, 64> piece{};
    while (count > 0) {
        const std::span<octet> some = std::span(piece).first(std::min(count, piece.size()));
        fill(some, out.appended());
        out.append(some);
        count -= some.size();
    }
    return true;
}

// Takes all that there is, in runs; false if it is not what belongs there.
constexpr bool drain(outgoing& out) {
    while (out.size() > 0) {
        const std::span<const octet> run = out.offer();
        if (run.empty() || !is_stream(run, out.transmitted())) return false;
        if (!out.written(run.size())) return false;
    }
    return out.offer().empty() && out.appended() == out.transmitted();
}

// ---------------------------------------------------------------------------------------------
// At compile time
// ---------------------------------------------------------------------------------------------

template <class Storage>
constexpr bool goes_round() {
    Storage storage;
    outgoing out(storage, 416);
    if (out.has_memory() || out.size() != 0 || out.limit() != 416) return false;
    for (int round = 0; round < 10; ++round) {
        if (!append(out, 130)) return false;
        if (!out.written(out.offer().size())) return false;
        if (!append(out, 61)) return false;
    }
    return !append(out, 417) && drain(out) && out.transmitted() == 1910 && out.has_memory();
}

template <class Storage>
constexpr bool grows_behind_what_was_offered() {
    Storage storage;
    outgoing out(storage, 2000);
    if (!append(out, 200)) return false;
    const std::span<const octet> offered = out.offer();
    if (!append(out, 1000) || !append(out, 800) || append(out, 1)) return false;
    return is_stream(offered, 0) && out.written(200) && drain(out);
}

constexpr bool lends() {
    heap storage;
    outgoing out(storage, 300);
    std::array<octet, 5> lent{};
    fill(lent, 3);
    if (!append(out, 3)) return false;
    out.lend(lent);
    const gather both = out.offer_both();
    return both.own.size() == 3 && both.lent.data() == lent.data() && out.lent() == 5 &&
           out.written(4) && out.lent() == 4 && drain(out);
}

static_assert(goes_round<heap>());
static_assert(goes_round<fixed<>>());
static_assert(grows_behind_what_was_offered<heap>());
static_assert(grows_behind_what_was_offered<fixed<>>());
static_assert(lends());

}  // namespace

TEST_CASE("outgoing does at run time what it does in constant evaluation") {
    CHECK(goes_round<heap>());
    CHECK(goes_round<fixed<>>());
    CHECK(grows_behind_what_was_offered<heap>());
    CHECK(grows_behind_what_was_offered<fixed<>>());
    CHECK(lends());
}

// ---------------------------------------------------------------------------------------------
// The ring
// ---------------------------------------------------------------------------------------------

TEST_CASE("a ring without memory has neither octets nor room") {
    ring empty;
    CHECK(empty.size() == 0);
    CHECK(empty.room() == 0);
    CHECK(empty.front().empty());
    CHECK(empty.space().empty());
    CHECK(empty.memory().empty());
    empty.drop(0);
    empty.add(0);
    CHECK(empty.front().empty());
    CHECK(empty.space().empty());
}

TEST_CASE("a ring gives octets in the order in which they came, wherever it begins") {
    for (std::size_t capacity = 1; capacity <= 9; ++capacity) {
        std::mt19937 random(static_cast<unsigned>(capacity));
        std::vector<octet> place(capacity);
        ring some;
        CHECK(some.move_to(place).empty());
        std::uint64_t in = 0;
        std::uint64_t out = 0;
        for (int step = 0; step < 2000; ++step) {
            CAPTURE(capacity, step, in - out);
            REQUIRE(some.size() == in - out);
            REQUIRE(some.room() == capacity - some.size());
            REQUIRE(some.space().empty() == (some.room() == 0));
            REQUIRE(some.space().size() <= some.room());
            REQUIRE(some.front().empty() == (some.size() == 0));
            REQUIRE(is_stream(some.front(), out));
            // an empty ring begins where its memory does
            if (some.size() == 0) REQUIRE(some.space().data() == place.data());
            if (some.size() == 0) REQUIRE(some.space().size() == capacity);
            if (random() % 2 == 0) {
                const std::size_t count = random() % (some.space().size() + 1);
                fill(some.space().first(count), in);
                some.add(count);
                in += count;
            } else {
                const std::size_t count = random() % (some.front().size() + 1);
                some.drop(count);
                out += count;
            }
        }
    }
}

TEST_CASE("a ring may drop octets of both its parts at once") {
    std::array<octet, 8> place{};
    ring some;
    some.move_to(place);
    some.add(6);
    some.drop(5);
    some.add(6);
    CHECK(some.front().size() == 3);
    some.drop(4);
    CHECK(some.size() == 3);
    CHECK(some.front().data() == place.data() + 1);
    CHECK(some.space().data() == place.data() + 4);
    CHECK(some.space().size() == 4);
}

TEST_CASE("a ring that moves to other memory begins there, and leaves the old as it was") {
    for (std::size_t begin = 0; begin < 8; ++begin) {
        for (std::size_t size = 0; size <= 8; ++size) {
            CAPTURE(begin, size);
            std::vector<octet> place(8);
            ring some;
            some.move_to(place);
            some.add(8);
            some.drop(begin);
            for (std::size_t i = 0; i < 8; ++i) place[(begin + i) % 8] = at(i);
            if (begin > 0) some.add(begin);
            const std::vector<octet> before = place;
            ring whole = some;
            whole.drop(8 - size);
            std::vector<octet> larger(11, 0xA5);
            const std::span<octet> old = whole.move_to(larger);
            CHECK(old.data() == place.data());
            CHECK(old.size() == 8);
            CHECK(place == before);
            CHECK(whole.size() == size);
            CHECK(whole.room() == 11 - size);
            CHECK(whole.front().data() == larger.data());
            CHECK(whole.front().size() == size);
            CHECK(is_stream(whole.front(), 8 - size));
            CHECK(std::all_of(larger.begin() + static_cast<std::ptrdiff_t>(size), larger.end(),
                              [](octet o) { return o == 0xA5; }));
            CHECK(whole.memory().data() == larger.data());
        }
    }
}

// ---------------------------------------------------------------------------------------------
// What was offered
// ---------------------------------------------------------------------------------------------

TEST_CASE("what was offered stays put while more is appended, and the memory grows behind it") {
    scarce storage;
    {
        outgoing out(storage, 100'000);
        REQUIRE(append(out, 256));
        const std::span<const octet> run = out.offer();
        REQUIRE(run.size() == 256);
        for (const std::size_t more : std::array<std::size_t, 5>{1, 255, 500, 2000, 50'000}) {
            REQUIRE(append(out, more));
            CHECK(is_stream(run, 0));
            CHECK(out.offer().data() == run.data());
            CHECK(out.offer().size() == 256);
            CHECK(storage.held() == 2);
        }
        CHECK(out.size() == 256 + 52'756);
        CHECK(storage.sizes() == std::vector<std::size_t>{256, 256, 756, 2756, 52'756});
        REQUIRE(out.written(255));
        REQUIRE(append(out, 40'000));
        CHECK(is_stream(run.subspan(255), 255));
        CHECK(out.offer().data() == run.data() + 255);
        CHECK(storage.held() == 2);
        REQUIRE(out.written(1));
        CHECK(storage.held() == 1);
        CHECK(drain(out));
        CHECK(out.transmitted() == 256 + 52'756 + 40'000);
    }
    CHECK(storage.held() == 0);
    CHECK(storage.agrees());
}

TEST_CASE("what was offered of a ring that goes round its end stays put, and what is not offered") {
    scarce storage;
    outgoing out(storage, 10'000);
    REQUIRE(append(out, 256));
    REQUIRE(out.written(out.offer().first(200).size()));
    REQUIRE(append(out, 150));
    CHECK(storage.takes() == 1);
    const std::span<const octet> run = out.offer();
    CHECK(run.size() == 56);
    REQUIRE(append(out, 50));  // into the same ring
    CHECK(storage.takes() == 1);
    REQUIRE(append(out, 1000));  // behind it
    CHECK(storage.takes() == 2);
    CHECK(is_stream(run, 200));
    REQUIRE(out.written(56));
    const std::span<const octet> second = out.offer();
    CHECK(second.size() == 200);
    REQUIRE(append(out, 3000));
    CHECK(is_stream(second, 256));
    CHECK(storage.held() == 2);
    CHECK(drain(out));
    CHECK(storage.agrees());
}

TEST_CASE("reserve_run finds one place for all, where there is some or none") {
    scarce storage;
    {
        outgoing out(storage, 1'000);
        // Nothing is there, or enough is.
        REQUIRE(out.reserve_run(10));
        CHECK(out.space().size() == 256);
        REQUIRE(append(out, 200));
        REQUIRE(out.reserve_run(56));
        CHECK(storage.takes() == 1);
        CHECK(out.space().size() == 56);
        // Not enough is: all moves, or others stand behind what was offered.
        REQUIRE(out.reserve_run(57));
        CHECK(storage.sizes() == std::vector<std::size_t>{256, 512});
        CHECK(storage.held() == 1);
        CHECK(out.offer().size() == 200);
        REQUIRE(out.reserve_run(313));
        CHECK(storage.held() == 2);
        CHECK(out.space().size() >= 313);
        CHECK(append(out, 313));
        CHECK_FALSE(out.reserve_run(488));
        CHECK(out.reserve_run(487));
        CHECK(drain(out));
    }
    CHECK(storage.held() == 0);
    CHECK(storage.agrees());
}

TEST_CASE("reserve_run in a ring that goes round its end") {
    for (const bool is_offered : {false, true}) {
        for (const bool fails : {false, true}) {
            CAPTURE(is_offered, fails);
            scarce storage;
            {
                outgoing out(storage, 1'000);
                REQUIRE(append(out, 200));
                REQUIRE(out.offer().size() == 200);
                REQUIRE(out.written(200));
                REQUIRE(append(out, 150));
                REQUIRE(out.offer().size() == 150);
                REQUIRE(out.written(150));
                // An empty ring begins where its memory does, so one octet has to stay.
                REQUIRE(append(out, 150));
                REQUIRE(out.offer().size() == 150);
                REQUIRE(append(out, 1));
                REQUIRE(out.written(150));
                REQUIRE(out.own() == 1);
                CHECK(storage.takes() == 1);
                const std::span<const octet> run =
                    is_offered ? out.offer() : std::span<const octet>{};
                REQUIRE(out.space().size() == 105);
                REQUIRE(out.reserve(255));
                CHECK(storage.takes() == 1);
                if (fails) storage.fail_every(1);
                CHECK(out.reserve_run(200) != fails);
                storage.fail_none();
                if (is_offered) CHECK(is_stream(run, 500));
                if (fails) {
                    CHECK(storage.takes() == 1);
                    CHECK(out.space().size() == 105);
                    CHECK(out.reserve_run(105));
                    CHECK(storage.takes() == 1);
                } else {
                    CHECK(storage.takes() == 2);
                    CHECK(out.space().size() >= 200);
                    CHECK(storage.held() == (is_offered ? 2 : 1));
                }
                fill(out.space().first(100), out.appended());
                out.add(100);
                CHECK(out.own() == 101);
                // As much as the limit lets, and no more.
                CHECK(out.reserve_run(899));
                CHECK(out.space().size() >= 899);
                CHECK_FALSE(out.reserve_run(900));
                CHECK_FALSE(out.reserve_run(1'001));
                CHECK(drain(out));
                CHECK(out.transmitted() == 601);
            }
            CHECK(storage.held() == 0);
            CHECK(storage.agrees());
        }
    }
}

TEST_CASE("what was not offered, or has been written, may move to larger memory") {
    scarce storage;
    outgoing out(storage, 10'000);
    REQUIRE(append(out, 200));
    REQUIRE(append(out, 200));
    CHECK(storage.held() == 1);
    REQUIRE(out.written(out.offer().size()));
    REQUIRE(append(out, 600));
    CHECK(storage.held() == 1);
    REQUIRE(append(out, 300));
    CHECK(storage.sizes() == std::vector<std::size_t>{256, 512, 1024});
    CHECK(drain(out));
    CHECK(storage.agrees());
}

TEST_CASE("a ring that goes round its end moves to larger memory in order") {
    scarce storage;
    outgoing out(storage, 10'000);
    REQUIRE(append(out, 256));
    REQUIRE(out.written(out.offer().first(10).size()));
    REQUIRE(append(out, 5));
    // 246 octets of the run are still under way
    REQUIRE(out.written(246));
    REQUIRE(append(out, 250));
    CHECK(storage.takes() == 1);
    REQUIRE(append(out, 500));
    CHECK(storage.held() == 1);
    CHECK(drain(out));
}

TEST_CASE("more than was offered is not written, and changes nothing") {
    scarce storage;
    outgoing out(storage, 10'000);
    CHECK(out.written(0));
    CHECK_FALSE(out.written(1));
    REQUIRE(append(out, 100));
    CHECK_FALSE(out.written(1));  // nobody has seen it yet
    const octet* const place = out.offer().data();
    for (const std::size_t count : {std::size_t{101}, std::size_t{1000}, SIZE_MAX}) {
        CHECK_FALSE(out.written(count));
        CHECK(out.size() == 100);
        CHECK(out.transmitted() == 0);
        CHECK(out.offer().data() == place);
    }
    REQUIRE(append(out, 20));
    CHECK_FALSE(out.written(101));  // the run that was offered had 100
    CHECK(out.written(60));
    CHECK_FALSE(out.written(41));
    CHECK(out.written(40));
    CHECK_FALSE(out.written(1));
    CHECK(out.written(0));
    CHECK(out.size() == 20);
    CHECK(out.transmitted() == 100);
    CHECK(drain(out));
}

TEST_CASE("own octets leave before those that were lent, alone or together") {
    scarce storage;
    std::vector<octet> lent(300);
    for (const bool together : {false, true}) {
        for (std::size_t first = 0; first <= 400; first += 7) {
            CAPTURE(together, first);
            outgoing out(storage, 1000);
            REQUIRE(append(out, 100));
            fill(lent, 100);
            out.lend(lent);
            CHECK(out.own() == 100);
            CHECK(out.lent() == 300);
            CHECK(out.size() == 400);
            CHECK(out.appended() == 400);
            if (together) {
                const gather both = out.offer_both();
                CHECK(is_stream(both.own, 0));
                CHECK(both.own.size() == 100);
                CHECK(both.lent.data() == lent.data());
                CHECK(both.lent.size() == 300);
                REQUIRE(out.written(first));
            } else {
                CHECK(out.offer().size() == 100);
                REQUIRE(out.written(std::min<std::size_t>(first, 100)));
                if (first > 100) CHECK(out.offer().data() == lent.data());
                if (first > 100) REQUIRE(out.written(first - 100));
            }
            CHECK(out.transmitted() == first);
            CHECK(out.own() == (first < 100 ? 100 - first : 0));
            CHECK(out.lent() == (first < 100 ? 300 : 400 - first));
            CHECK(drain(out));
        }
    }
    CHECK(storage.held() == 0);
    CHECK(storage.agrees());
}

TEST_CASE("lent octets are not offered together with half of our own") {
    scarce storage;
    outgoing out(storage, 10'000);
    std::array<octet, 9> lent{};
    REQUIRE(append(out, 256));
    REQUIRE(out.written(out.offer().first(200).size()));
    REQUIRE(append(out, 50));
    fill(lent, out.appended());
    out.lend(lent);
    CHECK(out.offer_both().own.size() == 56);
    CHECK(out.offer_both().lent.empty());
    CHECK_FALSE(out.written(57));
    REQUIRE(out.written(56));
    CHECK(out.offer_both().own.size() == 50);
    CHECK(out.offer_both().lent.data() == lent.data());
    CHECK(drain(out));

    // Half of our own lies in memory behind the first.
    REQUIRE(append(out, 10));
    static_cast<void>(out.offer());
    REQUIRE(append(out, 1000));
    CHECK(storage.held() == 2);
    fill(lent, out.appended());
    out.lend(lent);
    CHECK(out.offer_both().own.size() == 10);
    CHECK(out.offer_both().lent.empty());
    REQUIRE(out.written(10));
    CHECK(out.offer_both().own.size() == 1000);
    CHECK(out.offer_both().lent.size() == 9);
    CHECK(drain(out));
}

TEST_CASE("what was lent needs no memory, and takes none") {
    scarce storage;
    outgoing out(storage, 10);
    std::array<octet, 500> lent{};
    fill(lent, 0);
    out.lend(lent);
    CHECK(out.size() == 500);
    CHECK(out.offer().data() == lent.data());
    CHECK(out.written(499));
    CHECK(out.lent() == 1);
    CHECK(drain(out));
    CHECK(storage.takes() == 0);
}

TEST_CASE("both runs that were offered may be written, even if one of them was offered again") {
    heap storage;
    outgoing out(storage, 1000);
    std::array<octet, 5> lent{};
    REQUIRE(append(out, 10));
    fill(lent, 10);
    out.lend(lent);
    // A write of both is under way while somebody looks whether there is output.
    const gather both = out.offer_both();
    REQUIRE(both.own.size() + both.lent.size() == 15);
    CHECK(out.offer().size() == 10);
    CHECK(out.written(15));
    CHECK(out.size() == 0);
}

// ---------------------------------------------------------------------------------------------
// Limits and memory
// ---------------------------------------------------------------------------------------------

TEST_CASE("as much may wait as the limit says, and not one octet more") {
    for (const std::size_t limit : std::array<std::size_t, 6>{1, 7, 255, 256, 257, 1000}) {
        for (std::size_t before = 0; before <= limit; before += limit / 7 + 1) {
            for (const bool offered : {false, true}) {
                CAPTURE(limit, before, offered);
                scarce storage;
                outgoing out(storage, limit);
                CHECK_FALSE(out.reserve(limit + 1));
                CHECK_FALSE(out.reserve(SIZE_MAX));
                REQUIRE(append(out, before));
                if (offered) static_cast<void>(out.offer());
                CHECK_FALSE(out.reserve(limit - before + 1));
                CHECK(out.reserve(limit) == (before == 0));
                CHECK(append(out, limit - before));
                CHECK_FALSE(out.reserve(1));
                CHECK(out.reserve(0));
                CHECK(out.size() == limit);
                CHECK(storage.held_octets() <= 2 * limit);
                CHECK(drain(out));
                CHECK(out.reserve(limit));
            }
        }
    }
}

TEST_CASE("a limit of nothing takes nothing") {
    scarce storage;
    outgoing out(storage, 0);
    CHECK(out.reserve(0));
    CHECK_FALSE(out.reserve(1));
    CHECK(storage.takes() == 0);
}

TEST_CASE("what is lent is no part of the limit") {
    heap storage;
    outgoing out(storage, 100);
    const std::array<octet, 1000> lent{};
    REQUIRE(append(out, 100));
    out.lend(lent);
    CHECK(out.own() == out.limit());
    CHECK(out.size() == 1100);
}

TEST_CASE("no memory is larger than the limit, however it grew") {
    scarce storage;
    outgoing out(storage, 700);
    for (int i = 0; i < 350; ++i) REQUIRE(append(out, 1));
    static_cast<void>(out.offer());
    for (int i = 0; i < 350; ++i) REQUIRE(append(out, 1));
    for (const std::size_t size : storage.sizes()) CHECK(size <= 700);
    CHECK(drain(out));
}

TEST_CASE("octets appended one by one take memory a few times only") {
    scarce storage;
    outgoing out(storage, unlimited);
    for (int i = 0; i < 10'000; ++i) REQUIRE(append(out, 1));
    CHECK(storage.sizes() == std::vector<std::size_t>{256, 512, 1024, 2048, 4096, 8192, 16'384});
    CHECK(drain(out));
}

TEST_CASE("what is reserved is there, and reserving alone changes nothing else") {
    scarce storage;
    outgoing out(storage, 5000);
    REQUIRE(out.reserve(300));
    CHECK(out.size() == 0);
    CHECK(out.space().size() == 300);
    CHECK(out.offer().empty());
    REQUIRE(out.reserve(300));
    CHECK(storage.takes() == 1);
    fill(out.space().first(200), 0);
    out.add(200);
    fill(out.space().first(100), 200);
    out.add(100);
    CHECK(storage.takes() == 1);
    CHECK(drain(out));
}

TEST_CASE("without memory a place is refused, nothing is different, and it may be had later") {
    for (const bool offered : {false, true}) {
        for (const bool wrapped : {false, true}) {
            CAPTURE(offered, wrapped);
            scarce storage;
            {
                outgoing out(storage, 10'000);
                storage.fail_every(1);
                CHECK_FALSE(out.reserve(1));
                CHECK_FALSE(out.has_memory());
                storage.fail_none();
                REQUIRE(append(out, 256));
                if (wrapped) {
                    REQUIRE(out.written(out.offer().first(100).size()));
                    REQUIRE(out.written(156));
                    REQUIRE(append(out, 200));
                    REQUIRE(out.written(out.offer().first(150).size()));
                    REQUIRE(out.written(50));
                    REQUIRE(append(out, 256));
                }
                const std::uint64_t before = out.appended();
                const std::span<const octet> run = offered ? out.offer() : std::span<const octet>{};
                storage.fail_every(1);
                for (int i = 0; i < 3; ++i) {
                    CHECK_FALSE(out.reserve(1));
                    CHECK(out.reserve(0));
                    CHECK(out.own() == 256);
                    CHECK(out.appended() == before);
                    CHECK(storage.held() == 1);
                }
                if (offered) CHECK(out.offer().data() == run.data());
                storage.fail_none();
                REQUIRE(append(out, 300));
                CHECK(storage.held() == (offered ? 2 : 1));
                storage.fail_every(1);
                CHECK_FALSE(out.reserve(5000));
                CHECK(out.own() == 556);
                CHECK(drain(out));
            }
            CHECK(storage.failures() == 5);
            CHECK(storage.held() == 0);
            CHECK(storage.agrees());
        }
    }
}

TEST_CASE("memory is given back when none of it is needed, and not before") {
    scarce storage;
    outgoing out(storage, 10'000);
    out.release();
    CHECK_FALSE(out.has_memory());
    REQUIRE(append(out, 10));
    CHECK(out.has_memory());
    out.release();
    CHECK(storage.held() == 1);
    static_cast<void>(out.offer());
    REQUIRE(append(out, 1000));
    REQUIRE(out.written(10));
    out.release();
    CHECK(storage.held() == 1);
    CHECK(drain(out));
    CHECK(out.has_memory());
    CHECK(storage.held() == 1);
    out.release();
    CHECK(storage.held() == 0);
    CHECK_FALSE(out.has_memory());
    out.release();
    REQUIRE(append(out, 10));
    CHECK(drain(out));
    CHECK(storage.agrees());

    // What is lent, and on its way, is somebody else's memory: ours may wait no less.
    const std::array<octet, 3> lent{};
    out.lend(lent);
    static_cast<void>(out.offer());
    out.release();
    CHECK(storage.held() == 1);
    REQUIRE(out.written(3));
    out.release();
    CHECK(storage.held() == 0);
}

TEST_CASE("what is cleared was never there, but its memory stays until it is given back") {
    scarce storage;
    outgoing out(storage, 10'000);
    const std::array<octet, 3> lent{};
    REQUIRE(append(out, 256));
    REQUIRE(out.written(out.offer().first(100).size()));
    const std::span<const octet> under_way = out.offer();
    REQUIRE(append(out, 1000));
    out.lend(lent);
    out.clear();
    CHECK(is_stream(under_way, 100));
    CHECK(out.size() == 0);
    CHECK(out.own() == 0);
    CHECK(out.lent() == 0);
    CHECK(out.transmitted() == 100);
    CHECK(out.offer().empty());
    CHECK(out.offer_both().own.empty());
    CHECK(out.offer_both().lent.empty());
    CHECK_FALSE(out.written(1));
    out.release();
    CHECK(storage.held() == 0);
    REQUIRE(append(out, 20));
    CHECK(drain(out));
    out.restart();
    CHECK(out.transmitted() == 0);
    CHECK(out.appended() == 0);
    REQUIRE(append(out, 20));
    CHECK(drain(out));
    CHECK(storage.agrees());
}

TEST_CASE("what is appended after clearing leaves, also if memory had grown behind an offer") {
    scarce storage;
    outgoing out(storage, 10'000);
    REQUIRE(append(out, 200));
    static_cast<void>(out.offer());
    REQUIRE(append(out, 1000));
    CHECK(storage.held() == 2);
    out.restart();
    REQUIRE(append(out, 30));
    CHECK(out.size() == 30);
    const std::span<const octet> run = out.offer();
    CHECK(run.size() == 30);
    CHECK(is_stream(run, 0));
    CHECK(out.offer_both().own.size() == 30);
    CHECK(out.written(30));
    CHECK(out.size() == 0);
}

// ---------------------------------------------------------------------------------------------
// Everything at once
// ---------------------------------------------------------------------------------------------

namespace {

// Calls everything at random, and knows what has to come of it: the stream is counted, and every
// octet says where it belongs. Takes nothing from the heap itself.
class walk {
  public:
    walk(memory& from, std::size_t limit, unsigned seed) : out_(from, limit), random_(seed) {}

    // Memory may be refused.
    void expect_failures() { may_fail_ = true; }
    // Clears without giving back what memory there is.
    void clear_alone() { clear_alone_ = true; }
    std::uint64_t refused() const { return refused_; }
    std::uint64_t transmitted() const { return transmitted_; }

    // What is wrong, or nothing.
    const char* step() {
        const char* const wrong = act();
        if (wrong != nullptr) return wrong;
        if (out_.own() != own_) return "own()";
        if (out_.lent() != lent_) return "lent()";
        if (out_.size() != own_ + lent_) return "size()";
        if (out_.transmitted() != transmitted_) return "transmitted()";
        if (out_.appended() != transmitted_ + own_ + lent_) return "appended()";
        if (!is_stream(frozen_, transmitted_)) return "what was offered has changed";
        if (own_ > out_.limit()) return "the limit";
        return nullptr;
    }

    const char* finish() {
        while (own_ + lent_ > 0) {
            const char* wrong = offer();
            if (wrong == nullptr) wrong = write(latest_);
            if (wrong != nullptr) return wrong;
        }
        return out_.offer().empty() ? nullptr : "there is more";
    }

  private:
    std::size_t below(std::size_t end) { return random_() % end; }

    const char* act() {
        switch (below(16)) {
            case 0:
            case 1:
            case 2:
            case 3:
                return append(below(4) == 0 ? below(out_.limit() + 2) : below(60));
            case 4:
            case 5:
            case 6:
                return offer();
            case 7:
            case 8:
                return offer_both();
            case 9:
            case 10:
            case 11:
            case 12:
                return write(below(3) == 0 ? latest_ : below(latest_ + 2));
            case 13:
                return lend();
            case 14:
                out_.release();
                return own_ > 0 || most_ > 0 || !out_.has_memory() ? nullptr : "memory was kept";
            default:
                return below(20) == 0 ? clear() : nullptr;
        }
    }

    const char* append(std::size_t size) {
        if (lent_ > 0) return nullptr;
        const bool fits = size <= out_.limit() - own_;
        const bool reserved = out_.reserve(size);
        if (!fits) return reserved ? "the limit was passed" : nullptr;
        if (!reserved) {
            ++refused_;
            return may_fail_ ? nullptr : "there was no place";
        }
        for (std::uint64_t place = transmitted_ + own_; size > 0;) {
            const std::span<octet> space = out_.space();
            const std::size_t piece = std::min(size, below(3) == 0 ? 1 : space.size());
            if (piece == 0) return "less was there than was reserved";
            fill(space.first(piece), place);
            out_.add(piece);
            place += piece;
            own_ += piece;
            size -= piece;
        }
        return nullptr;
    }

    const char* offer() {
        const std::span<const octet> run = out_.offer();
        if (run.empty() != (own_ + lent_ == 0)) return "no run, or one too many";
        if (run.size() > (own_ > 0 ? own_ : lent_)) return "the run is too long";
        if (own_ == 0 && run.size() != lent_) return "the run is too short";
        return freeze(run, run.size());
    }

    const char* offer_both() {
        const gather both = out_.offer_both();
        if (both.own.empty() != (own_ == 0)) return "no run of our own";
        if (both.own.size() > own_) return "the run is too long";
        if (both.lent.size() != (both.own.size() == own_ ? lent_ : 0)) return "the lent run";
        if (!is_stream(both.lent, transmitted_ + both.own.size())) return "the lent octets";
        return freeze(both.own.empty() ? both.lent : both.own, both.own.size() + both.lent.size());
    }

    const char* freeze(std::span<const octet> run, std::size_t size) {
        if (!frozen_.empty() && frozen_.data() != run.data()) return "what was offered has moved";
        if (!is_stream(run, transmitted_)) return "the octets";
        frozen_ = run;
        latest_ = size;
        most_ = std::max(most_, latest_);
        return nullptr;
    }

    const char* write(std::size_t count) {
        if (count > latest_) count = most_ + 1;
        const bool written = out_.written(count);
        if (written != (count <= most_)) return "written()";
        if (!written) return nullptr;
        const std::size_t mine = std::min(count, own_);
        own_ -= mine;
        lent_ -= count - mine;
        transmitted_ += count;
        latest_ -= count;
        most_ -= count;
        frozen_ = count < frozen_.size() ? frozen_.subspan(count) : std::span<const octet>{};
        return nullptr;
    }

    const char* lend() {
        if (lent_ > 0) return nullptr;
        lent_ = below(lent_octets_.size() + 1);
        const std::span<octet> piece = std::span(lent_octets_).first(lent_);
        fill(piece, transmitted_ + own_);
        out_.lend(piece);
        return nullptr;
    }

    const char* clear() {
        own_ = lent_ = latest_ = most_ = 0;
        frozen_ = {};
        if (below(2) == 0) {
            out_.clear();
        } else {
            out_.restart();
            transmitted_ = 0;
        }
        if (!clear_alone_) out_.release();
        return nullptr;
    }

    outgoing out_;
    std::mt19937 random_;
    bool may_fail_ = false;
    bool clear_alone_ = false;
    std::array<octet, 700> lent_octets_{};
    std::size_t own_ = 0;
    std::size_t lent_ = 0;
    std::size_t latest_ = 0;  // octets that the last call offered and that are not written
    std::size_t most_ = 0;    // and any call
    std::uint64_t transmitted_ = 0;
    std::uint64_t refused_ = 0;
    std::span<const octet> frozen_{};
};

constexpr int steps = 4000;

// Runs all of it; what is wrong, with the step.
std::string run(walk& some) {
    for (int i = 0; i < steps; ++i) {
        const char* const wrong = some.step();
        if (wrong != nullptr) return "step " + std::to_string(i) + ": " + wrong;
    }
    const char* const wrong = some.finish();
    return wrong == nullptr ? "" : std::string("at the end: ") + wrong;
}

const std::array<std::size_t, 7> odd_limits{1, 13, 97, 255, 256, 419, 3001};

}  // namespace

TEST_CASE("thousands of calls at random give the stream as it was appended, from the heap") {
    for (const std::size_t limit : odd_limits) {
        for (unsigned seed = 0; seed < 5; ++seed) {
            CAPTURE(limit, seed);
            scarce storage;
            {
                walk some(storage, limit, seed);
                CHECK(run(some) == "");
                CHECK(some.transmitted() > 0);
                CHECK(storage.held() <= 2);
                CHECK(storage.held_octets() <= 2 * limit);
            }
            for (const std::size_t size : storage.sizes()) REQUIRE(size <= limit);
            CHECK(storage.held() == 0);
            CHECK(storage.agrees());
        }
    }
}

TEST_CASE("thousands of calls at random, and clearing among them, leave nothing behind") {
    for (const std::size_t limit : odd_limits) {
        for (unsigned seed = 0; seed < 5; ++seed) {
            CAPTURE(limit, seed);
            scarce storage;
            walk some(storage, limit, seed);
            some.clear_alone();
            CHECK(run(some) == "");
        }
    }
}

TEST_CASE("thousands of calls at random while memory is often refused lose nothing") {
    for (const std::size_t limit : odd_limits) {
        for (unsigned seed = 0; seed < 5; ++seed) {
            CAPTURE(limit, seed);
            scarce storage;
            storage.fail_every(2 + seed);
            {
                walk some(storage, limit, seed);
                some.expect_failures();
                CHECK(run(some) == "");
                CHECK(some.refused() == storage.failures());
                CHECK(some.refused() > 0);
            }
            CHECK(storage.held() == 0);
            CHECK(storage.agrees());
        }
    }
}

namespace {

template <capacity Capacity>
void walk_on_fixed_storage() {
    for (const std::size_t limit :
         {std::size_t{1}, std::size_t{31}, Capacity.output - 1, Capacity.output}) {
        for (unsigned seed = 0; seed < 5; ++seed) {
            CAPTURE(Capacity.output, limit, seed);
            const support::heap_watch watch;
            const char* wrong = nullptr;
            {
                fixed<Capacity> storage;
                walk some(storage, limit, seed);
                some.clear_alone();
                for (int i = 0; i < steps && wrong == nullptr; ++i) wrong = some.step();
                if (wrong == nullptr) wrong = some.finish();
            }
            const std::size_t allocations = watch.count();
            CHECK(allocations == 0);
            CHECK(std::string(wrong == nullptr ? "" : wrong) == "");
        }
    }
}

}  // namespace

TEST_CASE("thousands of calls at random on fixed storage of odd sizes, without one allocation") {
    walk_on_fixed_storage<capacity{.message = 256, .output = 416}>();
    walk_on_fixed_storage<capacity{.message = 256, .output = 419}>();
    walk_on_fixed_storage<capacity{.message = 257, .output = 1021}>();
}

TEST_CASE("fixed storage is a ring: as much fits as it has, wherever it begins, in one place") {
    constexpr std::size_t capacity_of = 419;
    fixed<capacity{.message = 257, .output = capacity_of}> storage;
    outgoing out(storage, capacity_of);
    for (std::size_t step = 1; step < capacity_of; step += 13) {
        REQUIRE(append(out, capacity_of));
        CHECK_FALSE(out.reserve(1));
        REQUIRE(out.written(out.offer().first(1).size()));
        CHECK(out.reserve(1));
        CHECK_FALSE(out.reserve(2));
        REQUIRE(append(out, 1));
        const std::size_t rest = out.offer().size();
        REQUIRE(out.written(rest < step ? rest : step));
        REQUIRE(append(out, out.transmitted() == 0 ? 0 : 1));
        CHECK(drain(out));
    }
}
