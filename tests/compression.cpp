// What a connection asks of an extension that compresses: each question goes to its function.

#include <sockless/compression.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "support/catch.hpp"
#include "support/connections.hpp"
#include "support/heap_watch.hpp"
#include "support/octets.hpp"

namespace {

using namespace sockless;
using support::watched;

static_assert(!std::is_copy_constructible_v<compression>);
static_assert(!std::is_copy_assignable_v<compression>);
static_assert(!std::is_destructible_v<compression>);
static_assert(!std::is_polymorphic_v<compression>);
static_assert(!std::is_copy_constructible_v<no_compression>);
static_assert(!std::is_convertible_v<no_compression::options, no_compression>);
static_assert(std::is_empty_v<no_compression::options>);
static_assert(inflated{}.what == inflated::is::nothing && !inflated{}.more);

// Remembers what it was asked for, and answers with something of its own.
class written_down : public compression {
  public:
    constexpr written_down() noexcept : compression(table) {}

    std::string_view asked{};
    std::size_t times = 0;
    const void* place = nullptr;
    std::size_t number = 0;
    compressing how = compressing::when_long;
    compressed_piece piece{};
    std::optional<text_view> text{};

  private:
    static constexpr written_down& note(compression& self, std::string_view what) noexcept {
        auto& mine = static_cast<written_down&>(self);
        mine.asked = what;
        ++mine.times;
        return mine;
    }
    static constexpr const written_down& as_written(const compression& self) noexcept {
        return static_cast<const written_down&>(self);
    }
    static const functions table;
};

constexpr compression::functions written_down::table{
    .offer =
        [](compression& self, compression::text_room room) noexcept {
            note(self, "offer");
            room[0] = 'o';
            return std::string_view(room.data(), 1);
        },
    .agree =
        [](compression& self, std::optional<text_view> answer) noexcept {
            note(self, "agree").text = answer;
            return answer.has_value();
        },
    .answer =
        [](compression& self, const request_head& request, compression::text_room room) noexcept {
            note(self, "answer").place = &request;
            room[room.size() - 1] = 'a';
            return std::string_view(room.data() + room.size() - 1, 1);
        },
    .accept =
        [](compression& self, const request_head& request, std::span<octet> out) noexcept {
            note(self, "accept").place = &request;
            return written{result::full, out.size() + 1};
        },
    .agreed = [](const compression& self) noexcept { return as_written(self).asked == "agree"; },
    .take = [](compression& self,
               const compressed_piece& next) noexcept { note(self, "take").piece = next; },
    .inflate =
        [](compression& self, growing& message, std::size_t limit) noexcept {
            auto& mine = note(self, "inflate");
            mine.place = &message;
            mine.number = limit;
            return inflated{.what = inflated::is::message, .type = message_type::text};
        },
    .inflate_slice =
        [](compression& self, std::size_t limit) noexcept {
            note(self, "inflate_slice").number = limit;
            return inflated{.what = inflated::is::broken, .broken = rule::high_ratio};
        },
    .tell =
        [](compression& self, connection& to, event& told) noexcept {
            note(self, "tell").place = &to;
            told.kind = event::pong;
        },
    .send =
        [](compression& self, sending& to, message_type type, std::span<const octet> message,
           compressing wish) noexcept {
            auto& mine = note(self, "send");
            mine.place = &to;
            mine.piece = {message, type, false, false};
            mine.how = wish;
            return true;
        },
    .bound =
        [](compression& self, std::size_t size, compressing wish) noexcept {
            note(self, "bound").how = wish;
            return size + 7;
        },
    .deflate =
        [](compression& self, std::span<const octet> message, std::span<octet> out) noexcept {
            note(self, "deflate").place = out.data();
            out[0] = message[0];
            return message.size();
        },
    .may_lend = [](const compression&, int window_bits) noexcept { return window_bits == 11; },
    .lent = [](compression& self) noexcept { note(self, "lent"); },
    .has_memory = [](const compression& self) noexcept { return as_written(self).times % 2 == 1; },
    .release = [](compression& self) noexcept { note(self, "release"); },
    .reset = [](compression& self) noexcept { note(self, "reset"); },
};

// Each goes to the function of its name, with all that came with it, and the answer comes back.
constexpr bool goes_through() {
    written_down own;
    compression& asked = own;
    std::array<char, compression::longest_text> room{};
    bool good = asked.offer(room) == "o" && own.asked == "offer" && room[0] == 'o';
    good = good && !asked.agreed();
    const std::array<octet, 3> some{1, 2, 3};
    good = good && asked.agree(text_view{some}) && own.asked == "agree";
    good = good && own.text && own.text->octets.data() == some.data();
    good = good && asked.agreed() && !asked.agree(std::nullopt) && !own.text;
    const request_head request{};
    good = good && asked.answer(request, room) == "a" && own.asked == "answer";
    good = good && own.place == &request && room[255] == 'a';

    asked.take({some, message_type::text, true, false});
    good = good && own.asked == "take" && own.piece.octets.data() == some.data();
    good = good && own.piece.octets.size() == 3 && own.piece.type == message_type::text;
    good = good && own.piece.first && !own.piece.last;
    heap storage;
    growing message(storage, 10);
    const inflated whole = asked.inflate(message, 9);
    good = good && own.asked == "inflate" && own.place == &message && own.number == 9;
    good = good && whole.what == inflated::is::message && whole.type == message_type::text;
    const inflated slice = asked.inflate_slice(8);
    good = good && own.asked == "inflate_slice" && own.number == 8;
    good = good && slice.what == inflated::is::broken && slice.broken == rule::high_ratio;

    good = good && asked.bound(5, compressing::no) == 12 && own.asked == "bound";
    good = good && own.how == compressing::no;
    std::array<octet, 2> out{};
    good = good && asked.deflate(some, out) == 3 && own.asked == "deflate";
    good = good && own.place == out.data() && out[0] == 1;

    const written accepted = asked.accept(request, out);
    good = good && own.asked == "accept" && own.place == &request;
    good = good && accepted == written{result::full, 3};
    good = good && asked.may_lend(11) && !asked.may_lend(12);
    asked.lent();
    good = good && own.asked == "lent";

    asked.release();
    good = good && own.asked == "release" && own.times == 12 && !asked.has_memory();
    asked.reset();
    return good && own.asked == "reset" && asked.has_memory();
}
static_assert(goes_through());

// Nothing is agreed on, and nothing is done.
constexpr bool is_none() {
    no_compression none;
    std::array<char, compression::longest_text> room{};
    bool good = none.offer(room).empty() && !none.agreed();
    good = good && none.agree(std::nullopt) && none.agree(text_view{}) && !none.agreed();
    const request_head request{};
    good = good && none.answer(request, room).empty() && !none.agreed();
    const std::array<octet, 3> some{1, 2, 3};
    none.take({some, message_type::text, true, true});
    heap storage;
    growing message(storage, 10);
    good = good && none.inflate(message, 10).what == inflated::is::nothing && message.size() == 0;
    good = good && none.inflate_slice(10).what == inflated::is::nothing;
    for (const compressing how : {compressing::when_long, compressing::yes, compressing::no}) {
        good = good && none.bound(0, how) == 0 && none.bound(100'000, how) == 0;
    }
    std::array<octet, 3> out{};
    good = good && none.deflate(some, out) == 0 && out == std::array<octet, 3>{};
    none.release();
    good = good && !none.has_memory();
    none.reset();
    return good && !none.has_memory() && !none.agreed();
}
static_assert(is_none());

}  // namespace

TEST_CASE("What there is to tell and to send is asked for with the connection itself") {
    written_down own;
    compression& asked = own;
    support::server<> ws;
    event told;
    asked.tell(ws, told);
    CHECK(own.asked == "tell");
    CHECK(own.place == &static_cast<connection&>(ws));
    CHECK(told.kind == event::pong);

    no_compression none;
    watched storage;
    either_endpoint end(role::server, {});
    sending out(end, storage, 1'000, nullptr, none);
    const std::array<octet, 3> some{1, 2, 3};
    CHECK(asked.send(out, message_type::text, some, compressing::yes));
    CHECK(own.asked == "send");
    CHECK(own.place == &out);
    CHECK(own.piece.octets.data() == some.data());
    CHECK(own.piece.type == message_type::text);
    CHECK(own.how == compressing::yes);

    told = {};
    none.tell(ws, told);
    CHECK(told.kind == event::nothing);
    CHECK(!none.send(out, message_type::text, some, compressing::yes));
    CHECK(!none.may_lend(9));
    none.lent();
    CHECK(out.out().size() == 0);
}

TEST_CASE("Every question goes to its function, with all that came with it, and back") {
    CHECK(goes_through());
}

TEST_CASE("Without an extension nothing is offered, agreed on or compressed, nor taken") {
    const support::heap_watch watch;
    bool good = true;  // not a constant: that would be evaluated by the compiler
    good = is_none();
    const std::size_t allocations = watch.count();
    CHECK(good);
    CHECK(allocations == 0);
}
