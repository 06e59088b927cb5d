// Messages from the application: what leaves is read by a reader that the library had no hand in,
// and what is refused is as if it had never been asked for.

#include <sockless/sending.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"
#include "support/heap_watch.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"

namespace {

using namespace sockless;
using octet_vector = std::vector<octet>;

static_assert(!std::is_copy_constructible_v<key_source> && !std::is_copy_assignable_v<key_source>);
static_assert(!std::is_copy_constructible_v<sending> && !std::is_copy_assignable_v<sending>);

// Every key is another, and says how many there have been.
class counted_keys : public key_source {
  public:
    constexpr counted_keys() noexcept : key_source(next) {}
    constexpr std::uint32_t drawn() const { return drawn_; }

  private:
    static constexpr masking_key next(key_source& self) noexcept {
        masking_key key;
        store_network(++static_cast<counted_keys&>(self).drawn_ * 0x9E3779B1U, key.octets);
        return key;
    }
    std::uint32_t drawn_ = 0;
};

// Allocations of exactly the size asked for; one of them may fail.
class scarce : public memory {
  public:
    scarce() noexcept : memory(table) {}

    std::size_t takes() const { return takes_; }
    void fail_at(std::size_t take) { failing_ = take; }

  private:
    static std::span<octet> take_one(memory& self, region, std::size_t size) noexcept {
        auto& mine = static_cast<scarce&>(self);
        if (mine.takes_++ == mine.failing_) return {};
        mine.held_.push_back(std::make_unique<octet[]>(size));
        return {mine.held_.back().get(), size};
    }
    static void take_back(memory& self, region, std::span<octet> octets) noexcept {
        std::erase_if(static_cast<scarce&>(self).held_,
                      [&](const auto& one) { return one.get() == octets.data(); });
    }
    static constexpr functions table{take_one, take_back, {}};

    std::vector<std::unique_ptr<octet[]>> held_;
    std::size_t takes_ = 0;
    std::size_t failing_ = SIZE_MAX;
};

octet_vector some(std::size_t size, std::size_t from = 0) {
    octet_vector octets(size);
    for (std::size_t i = 0; i < size; ++i) {
        octets[i] = static_cast<octet>((from + i) * 7 + (from + i) / 256);
    }
    return octets;
}

// Octets that are text, too.
octet_vector readable(std::size_t size) {
    octet_vector octets = some(size);
    for (octet& o : octets) o = static_cast<octet>(' ' + o % 95);
    return octets;
}

std::string text_of(std::span<const octet> octets) { return support::to_string(octets); }

octet_vector octets_in(std::string_view text) { return {text.begin(), text.end()}; }

// One end of an open connection, and what it has transmitted.
class sender {
  public:
    explicit sender(role ours, std::size_t limit = 100'000, endpoint_options options = {})
        : ours_(ours),
          end(ours, options),
          out(end, storage, limit, ours == role::client ? &keys : nullptr, none) {}

    // A frame from the peer arrives; what it calls for goes to the output if it may.
    void arrives(int op, std::string_view payload) {
        arrives_only(op, payload);
        out.move_control();
    }
    void arrives_only(int op, std::string_view payload) {
        const auto key = ours_ == role::server ? std::optional(masking_key{{1, 2, 3, 4}})
                                               : std::optional<masking_key>();
        octet_vector frame = support::frame(true, 0, op, key, payload);
        std::span<octet> in(frame);
        while (!in.empty()) static_cast<void>(end.next(in));
    }

    // Octets in the output that belong to no frame, so that so many are free.
    void fill_until(std::size_t free) {
        const octet_vector noise(out.out().limit() - out.out().own() - free, 0xA5);
        REQUIRE(out.out().reserve(noise.size()));
        out.out().append(noise);
    }

    // So many of the octets that wait are written, in runs of at most `run`.
    void write(std::size_t count, std::size_t run = SIZE_MAX) {
        while (count > 0 && out.out().size() > 0) {
            const std::span<const octet> next = out.out().offer();
            REQUIRE_FALSE(next.empty());
            const std::size_t size = std::min({next.size(), count, run});
            wire.insert(wire.end(), next.begin(), next.begin() + static_cast<long>(size));
            REQUIRE(out.out().written(size));
            out.move_control();
            count -= size;
        }
    }
    void drain() { write(SIZE_MAX); }

    // The frames in what was transmitted behind an offset: "text hello", "binary+ he" for one that
    // is not the last of its message, "pong x", "close 1000".
    std::vector<std::string> frames(std::size_t from = 0) const {
        const reference::options peer{
            .server = ours_ == role::client, .message_limit = UINT64_MAX, .empty_fragments = 0};
        const auto begin = wire.begin() + static_cast<long>(from);
        std::vector<std::string> list;
        std::string payload;
        using what = reference::happening::what;
        for (const auto& one : reference::read_all(peer, std::string(begin, wire.end()))) {
            if (one.kind == what::data) payload += one.payload;
            if (one.kind == what::ping) list.push_back("ping " + one.payload);
            if (one.kind == what::pong) list.push_back("pong " + one.payload);
            if (one.kind == what::close) list.push_back("close " + std::to_string(one.code));
            if (one.kind == what::violated) list.push_back("broken " + one.rule);
            if (one.kind != what::frame_end) continue;
            list.push_back((one.text ? "text" : "binary") + std::string(one.last ? " " : "+ ") +
                           payload);
            payload.clear();
        }
        return list;
    }

  private:
    role ours_;

  public:
    scarce storage;
    counted_keys keys;
    either_endpoint end;
    no_compression none{};
    sending out;
    octet_vector wire;
    octet_vector borrowed;  // what is lent in some tests
};

using list = std::vector<std::string>;

// What was sent, apart from the octets that have left.
traffic counted(const sender& one) {
    traffic all = one.out.sent();
    all.octets = 0;
    return all;
}

constexpr std::array both_roles{role::server, role::client};

result send(sender& one, std::string_view text) {
    return one.out.send(message_type::text, octets_in(text));
}
result append(sender& one, std::string_view text, part which) {
    return one.out.append(octets_in(text), which);
}

// ---------------------------------------------------------------------------------------------
// At compile time
// ---------------------------------------------------------------------------------------------

constexpr std::array<octet, 5> hello{'H', 'e', 'l', 'l', 'o'};

class rfc_key : public key_source {
  public:
    constexpr rfc_key() noexcept : key_source(give) {}

  private:
    static constexpr masking_key give(key_source&) noexcept { return {{0x37, 0xFA, 0x21, 0x3D}}; }
};

constexpr bool transmits(sending& out, std::initializer_list<int> expected) {
    const std::span<const octet> run = out.out().offer();
    if (run.size() != expected.size()) return false;
    std::size_t i = 0;
    for (const int o : expected) {
        if (run[i++] != o) return false;
    }
    return out.out().written(run.size());
}

template <class Storage>
constexpr bool server_says_hello() {
    Storage storage;
    either_endpoint end(role::server, {});
    no_compression none;
    sending out(end, storage, 2304, nullptr, none);
    if (out.send(message_type::text, hello) != result::done) return false;
    if (!transmits(out, {0x81, 0x05, 'H', 'e', 'l', 'l', 'o'})) return false;
    if (out.begin(message_type::text) != result::done) return false;
    if (out.append(std::span(hello).first(3), part::more) != result::done) return false;
    if (out.append(std::span(hello).last(2), part::last) != result::done) return false;
    if (!transmits(out, {0x01, 0x03, 'H', 'e', 'l', 0x80, 0x02, 'l', 'o'})) return false;
    if (out.control(opcode::ping, hello) != result::done) return false;
    return transmits(out, {0x89, 0x05, 'H', 'e', 'l', 'l', 'o'}) && out.pending() == 0 &&
           out.sent() == traffic{.octets = 23, .frames = 3, .messages = 2, .control = 1};
}

template <class Storage>
constexpr bool client_says_hello() {
    Storage storage;
    rfc_key keys;
    either_endpoint end(role::client, {});
    no_compression none;
    sending out(end, storage, 2304, &keys, none);
    if (out.send(message_type::text, hello) != result::done) return false;
    if (!transmits(out, {0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58})) {
        return false;
    }
    if (out.begin(message_type::text, 5) != result::done || out.pending() != 11) return false;
    std::array<octet, 5> lent = hello;
    if (out.lend(lent, part::last) != result::done) return false;
    return transmits(out, {0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D}) &&
           transmits(out, {0x7F, 0x9F, 0x4D, 0x51, 0x58}) && out.out().size() == 0;
}

constexpr bool server_has_room() {
    fixed<> storage;
    either_endpoint end(role::server, {});
    no_compression none;
    sending out(end, storage, 2304, nullptr, none);
    return out.room() == 2300 && out.send(message_type::binary, hello) == result::done &&
           out.room() == 2293 && out.append(hello, part::last) == result::not_open;
}

static_assert(server_says_hello<heap>() && server_says_hello<fixed<>>());
static_assert(client_says_hello<heap>() && client_says_hello<fixed<>>());
static_assert(server_has_room());

}  // namespace

TEST_CASE("sending does at run time what it does in constant evaluation") {
    CHECK(server_says_hello<heap>());
    CHECK(server_says_hello<fixed<>>());
    CHECK(client_says_hello<heap>());
    CHECK(client_says_hello<fixed<>>());
    CHECK(server_has_room());
}

// ---------------------------------------------------------------------------------------------
// What leaves
// ---------------------------------------------------------------------------------------------

TEST_CASE("a message of any size leaves in one frame, with the shortest header") {
    for (const role ours : both_roles) {
        for (const std::size_t size : std::array<std::size_t, 11>{0, 1, 2, 124, 125, 126, 127,
                                                                  65'534, 65'535, 65'536, 65'537}) {
            for (const message_type type : {message_type::text, message_type::binary}) {
                CAPTURE(ours == role::client, size);
                sender one(ours);
                const bool text = type == message_type::text;
                const octet_vector payload = text ? readable(size) : some(size);
                REQUIRE(one.out.send(type, payload) == result::done);
                CHECK(one.out.pending() == header_size(size, masks(ours)) + size);
                CHECK(counted(one) == traffic{.frames = 1, .messages = 1});
                one.drain();
                CHECK(one.wire.size() == header_size(size, masks(ours)) + size);
                CHECK(one.frames() == list{(text ? "text " : "binary ") + text_of(payload)});
                CHECK(one.keys.drawn() == (masks(ours) ? 1 : 0));
            }
        }
    }
}

TEST_CASE("every piece of a message that was begun is a fragment, an empty one as well") {
    for (const role ours : both_roles) {
        sender one(ours);
        REQUIRE(one.out.begin(message_type::text) == result::done);
        CHECK(one.out.pending() == 0);
        CHECK(counted(one) == traffic{});
        CHECK(append(one, "Hel", part::more) == result::done);
        CHECK(counted(one) == traffic{.frames = 1});
        CHECK(append(one, "", part::more) == result::done);
        CHECK(append(one, "lo", part::more) == result::done);
        CHECK(append(one, "", part::last) == result::done);
        CHECK(counted(one) == traffic{.frames = 4, .messages = 1});
        CHECK(append(one, "!", part::last) == result::not_open);
        REQUIRE(one.out.begin(message_type::binary) == result::done);
        CHECK(append(one, "x", part::last) == result::done);
        REQUIRE(one.out.begin(message_type::binary) == result::done);
        CHECK(append(one, "", part::more) == result::done);
        CHECK(append(one, "", part::last) == result::done);
        CHECK(counted(one) == traffic{.frames = 7, .messages = 3});
        one.drain();
        CHECK(one.frames() ==
              list{"text+ Hel", "text+ ", "text+ lo", "text ", "binary x", "binary+ ", "binary "});
        CHECK(one.keys.drawn() == (masks(ours) ? 7 : 0));
    }
}

TEST_CASE("an empty piece is refused where any other is") {
    for (const role ours : both_roles) {
        for (const part which : {part::more, part::last}) {
            const auto refused = [&](sender& one, result why) {
                const std::uint64_t before = one.out.out().appended();
                CHECK(append(one, "", which) == why);
                CHECK(one.out.lend({}, which) == why);
                CHECK(one.out.out().appended() == before);
            };
            sender none(ours);
            refused(none, result::not_open);
            sender closed(ours);
            REQUIRE(closed.out.begin(message_type::text) == result::done);
            REQUIRE(closed.end.close() == result::done);
            closed.out.move_control();
            refused(closed, result::closing);
            closed.drain();
            refused(closed, result::closing);
            sender full(ours);
            REQUIRE(full.out.begin(message_type::text) == result::done);
            full.fill_until(1);
            refused(full, result::full);
        }
    }
}

TEST_CASE("octets count as sent when they have been written") {
    sender one(role::server);
    REQUIRE(send(one, "12345678") == result::done);
    CHECK(one.out.sent().octets == 0);
    one.write(3);
    CHECK(one.out.sent().octets == 3);
    one.drain();
    CHECK(one.out.sent() == traffic{.octets = 10, .frames = 1, .messages = 1});
    one.out.restart();
    CHECK(one.out.sent() == traffic{});
}

TEST_CASE("all pieces of a message whose length was announced are one frame") {
    for (const role ours : both_roles) {
        for (const std::size_t length :
             std::array<std::size_t, 6>{1, 5, 125, 126, 65'536, 90'000}) {
            CAPTURE(ours == role::client, length);
            sender one(ours);
            const octet_vector payload = some(length);
            const std::size_t header = header_size(length, masks(ours));
            REQUIRE(one.out.begin(message_type::binary, length) == result::done);
            CHECK(one.out.pending() == header + length);
            CHECK(one.out.out().size() == header);
            for (std::size_t done = 0; done < length;) {
                const std::size_t piece = std::min<std::size_t>(done / 2 + 1, length - done);
                const part which = done + piece == length ? part::last : part::more;
                REQUIRE(one.out.append(std::span(payload).subspan(done, piece), which) ==
                        result::done);
                CHECK(one.out.pending() == header + length);
                done += piece;
            }
            one.drain();
            CHECK(one.wire.size() == header + length);
            CHECK(one.frames() == list{"binary " + text_of(payload)});
            CHECK(one.keys.drawn() == (masks(ours) ? 1 : 0));
        }
    }
}

TEST_CASE("a message in one frame that was announced is counted once, when it is whole") {
    for (const role ours : both_roles) {
        sender one(ours);
        REQUIRE(one.out.begin(message_type::binary, 4) == result::done);
        CHECK(counted(one) == traffic{.frames = 1});
        REQUIRE(append(one, "ab", part::more) == result::done);
        CHECK(counted(one) == traffic{.frames = 1});
        REQUIRE(append(one, "cd", part::last) == result::done);
        CHECK(counted(one) == traffic{.frames = 1, .messages = 1});
    }
}

TEST_CASE("an announced frame of nothing is ended by a last piece of nothing") {
    for (const role ours : both_roles) {
        sender one(ours);
        REQUIRE(one.out.begin(message_type::text, 0) == result::done);
        CHECK(one.out.begin(message_type::text) == result::mid_message);
        CHECK(append(one, "x", part::more) == result::wrong_length);
        CHECK(one.out.control(opcode::ping, {}) == result::done);
        CHECK(append(one, "", part::more) == result::done);
        CHECK(append(one, "", part::last) == result::done);
        CHECK(send(one, "next") == result::done);
        one.drain();
        CHECK(one.frames() == list{"text ", "ping ", "text next"});
    }
}

TEST_CASE("an announced frame may be longer than all that may wait, piece by piece") {
    for (const role ours : both_roles) {
        sender one(ours, 1000);
        constexpr std::size_t length = 50'000;
        const octet_vector payload = some(length);
        REQUIRE(one.out.begin(message_type::binary, length) == result::done);
        std::size_t refused = 0;
        for (std::size_t done = 0; done < length;) {
            const std::size_t piece = std::min<std::size_t>(331, length - done);
            const part which = done + piece == length ? part::last : part::more;
            const result answer = one.out.append(std::span(payload).subspan(done, piece), which);
            if (answer == result::done) {
                done += piece;
                continue;
            }
            REQUIRE(answer == result::full);
            ++refused;
            one.write(500, 77);
        }
        CHECK(refused > 0);
        one.drain();
        CHECK(one.frames() == list{"binary " + text_of(payload)});
    }
}

TEST_CASE("the header of the longest frame there is leaves, and a longer one is too large") {
    for (const role ours : both_roles) {
        sender one(ours);
        CHECK(one.out.begin(message_type::binary, UINT64_MAX) == result::too_large);
        CHECK(one.out.begin(message_type::binary, longest_sent + 1) == result::too_large);
        CHECK(one.keys.drawn() == 0);
        CHECK(counted(one) == traffic{});
        REQUIRE(one.out.begin(message_type::binary, longest_sent) == result::done);
        const std::uint64_t header = masks(ours) ? 14 : 10;
        CHECK(one.out.pending() == header + longest_sent);
        one.drain();
        const std::string length =
            sizeof(std::size_t) == 8 ? "7F FF FF FF FF FF FF FF" : "00 00 00 00 FF FF FF FF";
        CHECK(support::hex(std::span(one.wire).first(10)) ==
              (masks(ours) ? "82 FF " : "82 7F ") + length);
        CHECK(one.out.append(some(90'000), part::more) == result::done);
        CHECK(one.out.pending() == longest_sent);
    }
}

TEST_CASE("C4 a control frame has at most 125 octets of payload, of any kind") {
    for (const role ours : both_roles) {
        list expected;
        sender one(ours);
        for (std::size_t size = 0; size <= 125; ++size) {
            const octet_vector payload = some(size);
            REQUIRE(one.out.control(opcode::ping, payload) == result::done);
            REQUIRE(one.out.control(opcode::pong, payload) == result::done);
            expected.push_back("ping " + text_of(payload));
            expected.push_back("pong " + text_of(payload));
        }
        const std::uint64_t before = one.out.pending();
        for (const std::size_t size : std::array<std::size_t, 4>{126, 127, 128, 65'536}) {
            CHECK(one.out.control(opcode::ping, some(size)) == result::too_large);
            CHECK(one.out.control(opcode::pong, some(size)) == result::too_large);
        }
        CHECK(one.out.pending() == before);
        CHECK(counted(one) == traffic{.control = 252});
        CHECK(one.keys.drawn() == (masks(ours) ? 252 : 0));
        one.drain();
        CHECK(one.frames() == expected);
    }
}

TEST_CASE("control frames enter between fragments, and not into a frame") {
    for (const role ours : both_roles) {
        sender one(ours);
        REQUIRE(one.out.begin(message_type::text) == result::done);
        REQUIRE(append(one, "a", part::more) == result::done);
        one.arrives(9, "first");
        REQUIRE(one.out.control(opcode::ping, hello) == result::done);
        REQUIRE(append(one, "b", part::last) == result::done);
        REQUIRE(one.out.begin(message_type::text, 2) == result::done);
        one.arrives(9, "second");
        CHECK(one.out.control(opcode::ping, hello) == result::mid_frame);
        REQUIRE(append(one, "c", part::more) == result::done);
        one.arrives(9, "third");
        REQUIRE(append(one, "d", part::last) == result::done);
        REQUIRE(send(one, "e") == result::done);
        one.drain();
        CHECK(one.frames() == list{"text+ a", "pong first", "ping Hello", "text b", "text cd",
                                   "pong third", "text e"});
    }
}

TEST_CASE("M6 every frame of a client takes a fresh key, and what is refused takes none") {
    sender one(role::client, 1000);
    std::uint32_t expected = 0;
    REQUIRE(send(one, "a") == result::done);
    CHECK(one.keys.drawn() == ++expected);
    CHECK(one.out.send(message_type::binary, some(999)) == result::too_large);
    CHECK(one.out.append(hello, part::more) == result::not_open);
    CHECK(one.out.control(opcode::ping, some(126)) == result::too_large);
    static_cast<void>(one.out.room());
    CHECK(one.keys.drawn() == expected);
    REQUIRE(one.out.begin(message_type::text) == result::done);
    CHECK(one.keys.drawn() == expected);
    REQUIRE(append(one, "b", part::more) == result::done);
    CHECK(one.keys.drawn() == ++expected);
    one.arrives(9, "c");
    CHECK(one.keys.drawn() == ++expected);
    std::array<octet, 2> lent{'d', 'e'};
    REQUIRE(one.out.lend(lent, part::last) == result::done);
    CHECK(one.keys.drawn() == ++expected);
    CHECK(send(one, "f") == result::lent);
    CHECK(one.keys.drawn() == expected);
    one.drain();
    one.fill_until(5);
    CHECK(send(one, "g") == result::full);
    CHECK(one.out.control(opcode::ping, {}) == result::full);
    CHECK(one.keys.drawn() == expected);

    const std::set<std::string> keys_seen{
        text_of(std::span(one.wire).subspan(2, 4)), text_of(std::span(one.wire).subspan(9, 4)),
        text_of(std::span(one.wire).subspan(16, 4)), text_of(std::span(one.wire).subspan(23, 4))};
    CHECK(keys_seen.size() == 4);
    CHECK(one.frames() == list{"text a", "text+ b", "pong c", "text de"});
}

// ---------------------------------------------------------------------------------------------
// Lending
// ---------------------------------------------------------------------------------------------

TEST_CASE("what is lent leaves behind our own, and before what follows") {
    for (const role ours : both_roles) {
        for (const std::size_t run : std::array<std::size_t, 4>{1, 2, 5, SIZE_MAX}) {
            CAPTURE(ours == role::client, run);
            sender one(ours);
            octet_vector lent = octets_in("lent");
            REQUIRE(send(one, "own") == result::done);
            REQUIRE(one.out.begin(message_type::text) == result::done);
            REQUIRE(one.out.lend(lent, part::more) == result::done);
            CHECK(one.out.out().lent() == 4);
            one.arrives(9, "waits");
            CHECK(one.out.sent().control == 0);
            CHECK(append(one, "x", part::last) == result::lent);
            while (one.out.out().lent() > 0) {
                CHECK(send(one, "x") == result::lent);
                one.write(1, run);
            }
            CHECK(one.out.sent().control == 1);
            REQUIRE(append(one, "end", part::last) == result::done);
            REQUIRE(send(one, "next") == result::done);
            one.drain();
            CHECK(one.frames() ==
                  list{"text own", "text+ lent", "pong waits", "text end", "text next"});
            CHECK(counted(one) == traffic{.frames = 4, .messages = 3, .control = 1});
        }
    }
}

TEST_CASE("the answer to a Close waits behind what is lent, and no Close of ours replaces it") {
    for (const role ours : {role::client, role::server}) {
        CAPTURE(ours == role::client);
        octet_vector lent = octets_in("lent");
        sender one(ours);
        REQUIRE(one.out.begin(message_type::text) == result::done);
        REQUIRE(one.out.lend(lent, part::more) == result::done);
        one.arrives(8, "\x03\xF3");
        CHECK(one.out.close(close_code(1000), {}) == result::closing);
        CHECK(one.out.close(std::nullopt, "no code, and so no reason") == result::closing);
        one.drain();
        CHECK(one.frames() == list{"text+ lent", "close 1011"});
    }
}

TEST_CASE("what is lent is not copied: a client masks it where it lies, a server leaves it alone") {
    for (const role ours : both_roles) {
        sender one(ours);
        const octet_vector payload = some(1000);
        const support::exact place(payload);
        REQUIRE(one.out.begin(message_type::binary, 1000) == result::done);
        one.drain();
        REQUIRE(one.out.lend(place.span().first(300), part::more) == result::done);
        CHECK(one.out.out().offer().data() == place.span().data());
        CHECK((text_of(place.span().first(300)) == text_of(payload).substr(0, 300)) ==
              (ours == role::server));
        CHECK(text_of(place.span().subspan(300)) == text_of(payload).substr(300));
        CHECK(one.out.pending() == 1000);
        one.drain();
        REQUIRE(one.out.append(place.span().subspan(300, 100), part::more) == result::done);
        CHECK(text_of(place.span().subspan(300)) == text_of(payload).substr(300));
        REQUIRE(one.out.lend(place.span().subspan(400), part::last) == result::done);
        one.drain();
        CHECK(one.out.pending() == 0);
        CHECK(one.frames() == list{"binary " + text_of(payload)});
    }
}

TEST_CASE("octets that must not change are lent by a server as they are") {
    sender one(role::server);
    const octet_vector piece = octets_in("constant");
    REQUIRE(one.out.begin(message_type::text) == result::done);
    REQUIRE(one.out.lend_plain(std::span(piece).first(5), part::more) == result::done);
    CHECK(one.out.out().offer().size() == 2);
    CHECK(one.out.out().offer_both().lent.data() == piece.data());
    CHECK(one.out.lend_plain(piece, part::last) == result::lent);
    one.drain();
    REQUIRE(one.out.lend_plain(std::span(piece).last(3), part::last) == result::done);
    one.drain();
    REQUIRE(one.out.begin(message_type::text, 8) == result::done);
    CHECK(one.out.lend_plain(std::span(piece).first(7), part::last) == result::wrong_length);
    REQUIRE(one.out.lend_plain(piece, part::last) == result::done);
    one.drain();
    CHECK(one.out.lend_plain(piece, part::last) == result::not_open);
    CHECK(one.frames() == list{"text+ const", "text ant", "text constant"});
    CHECK(one.out.sent().frames == 3);
}

TEST_CASE("nothing may be lent as well: it is back at once, and ends a message all the same") {
    for (const role ours : both_roles) {
        sender one(ours);
        REQUIRE(one.out.begin(message_type::text) == result::done);
        REQUIRE(one.out.lend({}, part::more) == result::done);
        CHECK(one.out.pending() == header_size(0, masks(ours)));
        CHECK(one.out.out().lent() == 0);
        REQUIRE(append(one, "a", part::more) == result::done);
        REQUIRE(one.out.lend({}, part::last) == result::done);
        CHECK(one.out.out().lent() == 0);
        REQUIRE(send(one, "b") == result::done);
        one.drain();
        CHECK(one.frames() == list{"text+ ", "text+ a", "text ", "text b"});
        CHECK(counted(one) == traffic{.frames = 4, .messages = 2});
    }
}

TEST_CASE("a frame that is encoded already is lent whole, whatever room there is") {
    for (const std::size_t size : std::array<std::size_t, 5>{0, 1, 125, 126, 70'000}) {
        sender one(role::server, 200);
        const octet_vector payload = readable(size);
        const octet_vector frame = support::frame(true, 0, 1, {}, std::span(payload));
        REQUIRE(send(one, "own") == result::done);
        REQUIRE(one.out.lend_frame(frame, size) == result::done);
        CHECK(one.out.pending() == 5 + frame.size());
        CHECK(one.out.out().offer_both().lent.data() == frame.data());
        CHECK(one.out.lend_frame(frame, size) == result::lent);
        CHECK(send(one, "x") == result::lent);
        CHECK(counted(one) == traffic{.frames = 2, .messages = 2});
        one.drain();
        REQUIRE(send(one, "next") == result::done);
        one.drain();
        CHECK(one.frames() == list{"text own", "text " + text_of(payload), "text next"});
        CHECK(counted(one) == traffic{.frames = 3, .messages = 3});
    }
}

// ---------------------------------------------------------------------------------------------
// Every command in every state
// ---------------------------------------------------------------------------------------------

namespace {

// Memory that is lent in these tests, which lasts.
octet_vector& lent_memory() {
    static octet_vector memory;
    memory = octets_in("abcdefgh");
    return memory;
}

struct command {
    std::string_view name;
    std::function<result(sender&)> call;
};

std::span<octet> lent_piece(std::size_t size) { return std::span(lent_memory()).first(size); }

const std::vector<command>& commands() {
    static const octet_vector frame = octets_in("\x81\x02hi");
    static const std::vector<command> all{
        {"send 4", [](sender& s) { return send(s, "four"); }},
        {"send 0", [](sender& s) { return send(s, ""); }},
        {"begin", [](sender& s) { return s.out.begin(message_type::text); }},
        {"begin 5", [](sender& s) { return s.out.begin(message_type::binary, 5); }},
        {"append 2", [](sender& s) { return append(s, "in", part::more); }},
        {"append 4.", [](sender& s) { return append(s, "last", part::last); }},
        {"append 0.", [](sender& s) { return append(s, "", part::last); }},
        {"lend 2", [](sender& s) { return s.out.lend(lent_piece(2), part::more); }},
        {"lend 4.", [](sender& s) { return s.out.lend(lent_piece(4), part::last); }},
        {"plain 2", [](sender& s) { return s.out.lend_plain(lent_piece(2), part::more); }},
        {"frame", [](sender& s) { return s.out.lend_frame(frame, 2); }},
        {"ping", [](sender& s) { return s.out.control(opcode::ping, hello); }},
        {"ping 126", [](sender& s) { return s.out.control(opcode::ping, some(126)); }},
    };
    return all;
}

struct state {
    std::string_view name;
    std::function<void(sender&)> reach;
    // One letter for the result of each command.
    std::string_view results;
};

char letter(result what) {
    switch (what) {
        case result::done:
            return '+';
        case result::full:
            return 'f';
        case result::not_open:
            return 'n';
        case result::closing:
            return 'c';
        case result::mid_message:
            return 'm';
        case result::mid_frame:
            return 'M';
        case result::lent:
            return 'l';
        case result::wrong_length:
            return 'w';
        case result::too_large:
            return 't';
        default:
            return '?';
    }
}

void begin_fragments(sender& s) { REQUIRE(s.out.begin(message_type::text) == result::done); }
void begin_frame(sender& s, std::size_t length) {
    REQUIRE(s.out.begin(message_type::text, length) == result::done);
}
void send_piece(sender& s, std::string_view text) {
    REQUIRE(append(s, text, part::more) == result::done);
}
void lend_some(sender& s, std::size_t size, part which) {
    s.borrowed = octets_in("LENT OCTETS");
    REQUIRE(s.out.lend(std::span(s.borrowed).first(size), which) == result::done);
}
void our_close(sender& s) {
    REQUIRE(s.end.close(1000) == result::done);
    s.out.move_control();
}

const std::vector<state>& states() {
    // clang-format off
    static const std::vector<state> all{
        //                                   send      append     lend      frame
        //                                   4 0 b b5  2 4. 0.    2 4. p    | ping ping126
        {"fresh",             [](sender&) {},                                   "++++nnnnnn++t"},
        {"output waits",      [](sender& s) { REQUIRE(send(s, "w") == result::done); },
                                                                                "++++nnnnnn++t"},
        {"begun",             [](sender& s) { begin_fragments(s); },            "mmmm++++++m+t"},
        {"between fragments", [](sender& s) { begin_fragments(s);
                                              send_piece(s, "x"); },            "mmmm++++++m+t"},
        {"frame begun",       [](sender& s) { begin_frame(s, 10); },            "mmmm+ww+w+mMt"},
        {"frame 4 owed",      [](sender& s) { begin_frame(s, 10);
                                              send_piece(s, "sixsix"); },       "mmmm++w+++mMt"},
        {"frame 1 owed",      [](sender& s) { begin_frame(s, 2);
                                              send_piece(s, "1"); },            "mmmmwwwwwwmMt"},
        {"frame paid",        [](sender& s) { begin_frame(s, 2);
                                              send_piece(s, "12"); },           "mmmmww+wwwm+t"},
        {"lent message",      [](sender& s) { begin_fragments(s);
                                              lend_some(s, 7, part::last); },   "llllnnnnnnllt"},
        {"lent fragment",     [](sender& s) { begin_fragments(s);
                                              lend_some(s, 7, part::more); },   "llllllllllllt"},
        {"lent of frame",     [](sender& s) { begin_frame(s, 11);
                                              lend_some(s, 7, part::more); },   "lllllllllllLt"},
        {"full",              [](sender& s) { s.fill_until(1); },               "ff+fnnnnnn+ft"},
        {"full begun",        [](sender& s) { begin_fragments(s);
                                              s.fill_until(1); },               "mmmmffffffmft"},
        {"full frame",        [](sender& s) { begin_frame(s, 4);
                                              s.fill_until(1); },               "mmmmffw+++mMt"},
        {"pong waits, full",  [](sender& s) { s.fill_until(1);
                                              s.arrives(9, "p"); },             "ff+fnnnnnnfft"},
        {"pong waits, full, begun",
                              [](sender& s) { begin_fragments(s);
                                              s.fill_until(1);
                                              s.arrives(9, "p"); },             "mmmmffffffmft"},
        {"pong waits, frame", [](sender& s) { begin_frame(s, 4);
                                              s.arrives(9, "p"); },             "mmmm++w+++mMt"},
        {"pong waits, lent",  [](sender& s) { begin_fragments(s);
                                              lend_some(s, 7, part::last);
                                              s.arrives(9, "p"); },             "llllnnnnnnllt"},
        {"our close waits",   [](sender& s) { s.fill_until(1);
                                              our_close(s); },                  "ccccnnnnnncct"},
        {"our close sent",    [](sender& s) { our_close(s); },                  "ccccnnnnnncct"},
        {"our close sent, begun",
                              [](sender& s) { begin_fragments(s);
                                              our_close(s); },                  "cccccccccccct"},
        {"close waits, lent", [](sender& s) { begin_fragments(s);
                                              lend_some(s, 7, part::last);
                                              our_close(s); },                  "llllnnnnnnllt"},
        {"both closes",       [](sender& s) { s.arrives(8, ""); },              "nnnnnnnnnnnnt"},
        {"both closes, begun",
                              [](sender& s) { begin_fragments(s);
                                              s.arrives(8, ""); },              "nnnnnnnnnnnnt"},
        {"answer waits, full",
                              [](sender& s) { s.fill_until(1);
                                              s.arrives(8, ""); },              "ccccnnnnnncct"},
        {"answer waits, frame",
                              [](sender& s) { begin_frame(s, 4);
                                              s.arrives(8, ""); },              "mmmm++w+++mMt"},
        {"fault, frame",      [](sender& s) { begin_frame(s, 4);
                                              s.end.fail(rule::bad_text); },    "cccc++w+++cct"},
        {"stream ended",      [](sender& s) { s.end.end_of_stream(); },         "nnnnnnnnnnnnt"},
        {"stream ended, begun",
                              [](sender& s) { begin_fragments(s);
                                              s.end.end_of_stream(); },         "nnnnnnnnnnnnt"},
        {"stream ended, frame",
                              [](sender& s) { begin_frame(s, 4);
                                              s.end.end_of_stream(); },         "nnnn++w+++nnt"},
    };
    // clang-format on
    return all;
}

// All that can be seen of a sender without changing it.
struct picture {
    std::uint64_t pending;
    std::size_t own;
    std::size_t lent;
    std::uint64_t appended;
    traffic sent;
    std::uint32_t keys;
    std::uint64_t owed;
    std::size_t takes;
    bool operator==(const picture&) const = default;
};
picture look_at(const sender& s) {
    const outgoing& out = s.out.out();
    return {s.out.pending(), out.own(),      out.lent(),   out.appended(),
            s.out.sent(),    s.keys.drawn(), s.end.owed(), s.storage.takes()};
}

// Everything leaves, and then whatever still may.
std::string future_of(sender& s) {
    std::string results;
    s.drain();
    while (s.end.owed() > 0) results += letter(append(s, "z", part::more));
    results += letter(append(s, "y", part::last));
    results += letter(append(s, "", part::last));
    results += letter(send(s, "future"));
    s.drain();
    return results + text_of(s.wire);
}

constexpr std::size_t table_limit = 400;

}  // namespace

TEST_CASE("every command in every state has the result that is written down") {
    for (const role ours : both_roles) {
        for (const state& in : states()) {
            std::string results;
            for (const command& each : commands()) {
                sender one(ours, table_limit);
                in.reach(one);
                results += letter(each.call(one));
            }
            CAPTURE(in.name, ours == role::client);
            std::string expected(in.results);
            std::replace(expected.begin(), expected.end(), 'L', 'l');
            CHECK(results == expected);
        }
    }
}

TEST_CASE("a command that is refused writes nothing and changes nothing, in every state") {
    for (const role ours : both_roles) {
        for (const state& in : states()) {
            for (const command& each : commands()) {
                sender one(ours, table_limit);
                in.reach(one);
                sender other(ours, table_limit);
                in.reach(other);
                const picture before = look_at(one);
                if (each.call(one) == result::done) continue;
                CAPTURE(in.name, each.name, ours == role::client);
                CHECK(look_at(one) == before);
                CHECK(one.end == other.end);
                CHECK(lent_memory() == octets_in("abcdefgh"));
                CHECK(future_of(one) == future_of(other));
                CHECK(one.end == other.end);
            }
        }
    }
}

TEST_CASE("a piece that is refused is not masked") {
    sender one(role::client, table_limit);
    octet_vector piece = octets_in("piece");
    CHECK(one.out.lend(piece, part::more) == result::not_open);
    begin_frame(one, 4);
    CHECK(one.out.lend(piece, part::more) == result::wrong_length);
    CHECK(one.out.lend(std::span(piece).first(3), part::last) == result::wrong_length);
    CHECK(append(one, "last", part::last) == result::done);
    begin_fragments(one);
    one.fill_until(5);
    CHECK(one.out.lend(piece, part::more) == result::full);
    one.drain();
    our_close(one);
    CHECK(one.out.lend(piece, part::more) == result::closing);
    CHECK(piece == octets_in("piece"));
}

TEST_CASE("data may follow the peer's Close as long as it has no answer") {
    for (const role ours : both_roles) {
        sender one(ours, 1000, {.answer_closes = false});
        one.arrives(8, "");
        CHECK(send(one, "still") == result::done);
        REQUIRE(one.end.close() == result::done);
        one.out.move_control();
        CHECK(send(one, "no") == result::not_open);
        one.drain();
        CHECK(one.frames() == list{"text still", "close 1005"});
    }
}

TEST_CASE("what is larger than all that may ever wait is too large, and not merely too much now") {
    for (const role ours : both_roles) {
        for (const std::size_t limit : std::array<std::size_t, 5>{131, 200, 5000, 65'540, 70'000}) {
            CAPTURE(ours == role::client, limit);
            sender one(ours, limit);
            const auto most = static_cast<std::size_t>(one.out.room());
            CHECK(one.out.send(message_type::binary, some(most + 1)) == result::too_large);
            CHECK(one.out.send(message_type::binary, some(limit)) == result::too_large);
            CHECK(one.out.send(message_type::binary, some(limit + 1)) == result::too_large);
            CHECK(one.out.send(message_type::binary, some(2 * limit)) == result::too_large);
            begin_fragments(one);
            CHECK(one.out.append(some(most + 1), part::last) == result::too_large);
            CHECK(one.out.append(some(limit + 1), part::more) == result::too_large);
            CHECK(append(one, "", part::last) == result::done);
            one.drain();
            begin_frame(one, 3 * limit);
            CHECK(one.out.append(some(limit + 1), part::more) == result::too_large);
            one.drain();
            CHECK(one.out.append(some(limit), part::more) == result::done);
            CHECK(one.out.append(some(1), part::more) == result::full);
        }
    }
    // Where not even a header fits.
    sender tiny(role::client, 5);
    CHECK(send(tiny, "") == result::too_large);
    CHECK(tiny.out.begin(message_type::text, 0) == result::too_large);
    CHECK(tiny.out.room() == 0);
    begin_fragments(tiny);
    octet_vector piece = octets_in("x");
    CHECK(tiny.out.lend(piece, part::more) == result::too_large);
    CHECK(piece == octets_in("x"));
}

// ---------------------------------------------------------------------------------------------
// Room
// ---------------------------------------------------------------------------------------------

TEST_CASE("room is exactly the largest payload that may be sent, however full the output is") {
    for (const role ours : both_roles) {
        for (const std::size_t limit : std::array<std::size_t, 5>{131, 300, 4096, 65'545, 70'000}) {
            std::set<std::size_t> levels{limit};
            for (std::size_t free = 0; free < std::min<std::size_t>(limit, 150); ++free) {
                levels.insert(free);
            }
            for (std::size_t free = 65'530; free <= std::min<std::size_t>(limit, 65'560); ++free) {
                levels.insert(free);
            }
            for (const std::size_t free : levels) {
                CAPTURE(ours == role::client, limit, free);
                sender one(ours, limit);
                one.fill_until(free);
                const picture before = look_at(one);
                const auto room = static_cast<std::size_t>(one.out.room());
                REQUIRE(look_at(one) == before);
                const octet_vector payload(room + 1, 0x42);
                const result more = one.out.send(message_type::binary, payload);
                REQUIRE((more == result::full || more == result::too_large));
                const bool header_fits = free >= header_size(0, masks(ours));
                const result most =
                    one.out.send(message_type::binary, std::span(payload).first(room));
                REQUIRE(most == (header_fits                           ? result::done
                                 : limit < header_size(0, masks(ours)) ? result::too_large
                                                                       : result::full));
                if (room > 0) REQUIRE(header_fits);
                if (free == limit) REQUIRE(room > 0);
            }
        }
    }
}

TEST_CASE("there is no room where nothing may be sent") {
    for (const role ours : both_roles) {
        for (const state& in : states()) {
            CAPTURE(in.name);
            sender one(ours, table_limit);
            in.reach(one);
            const std::uint64_t room = one.out.room();
            CHECK((room > 0) == (in.results[0] == '+'));
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Replies
// ---------------------------------------------------------------------------------------------

namespace {

// A payload of 125 octets that ends with a number.
std::string numbered(std::size_t number) {
    const std::string digits = std::to_string(number);
    return std::string(125 - digits.size(), '.') + digits;
}

// As many pongs of 125 octets as go into the output, and one that waits.
std::size_t fill_with_replies(sender& s) {
    std::size_t count = 0;
    while (true) {
        const std::uint64_t before = s.out.sent().control;
        s.arrives(9, numbered(count++));
        if (s.out.sent().control == before) return count;
    }
}

}  // namespace

TEST_CASE("C1 replies that nobody takes are at most 4 KiB, and the newest pong waits") {
    const std::size_t pings = support::short_effort() ? 20'000 : 1'000'000;
    for (const role ours : both_roles) {
        sender one(ours, 100'000);
        const auto key = ours == role::server ? std::optional(masking_key{{9, 8, 7, 6}})
                                              : std::optional<masking_key>();
        octet_vector frame = support::frame(true, 0, 9, key, numbered(0));
        const octet_vector pattern = frame;
        const std::size_t place = frame.size() - 125;
        std::size_t largest = 0;
        std::size_t takes = 0;
        for (std::size_t i = 0; i < pings; ++i) {
            frame = pattern;
            std::array<octet, 8> digits{};
            store_network(i, digits);
            for (std::size_t at = 0; at < digits.size(); ++at) frame[place + at] ^= digits[at];
            std::span<octet> in(frame);
            while (!in.empty()) static_cast<void>(one.end.next(in));
            one.out.move_control();
            largest = std::max(largest, one.out.out().size());
            if (i == 1000) takes = one.storage.takes();
        }
        CHECK(largest <= 4096);
        CHECK(largest > 4096 - 131 - 131);
        CHECK(one.storage.takes() == takes);
        const std::uint64_t sent_before = one.out.sent().control;
        CHECK(sent_before == largest / (125 + header_size(125, masks(ours))));
        one.drain();
        const list frames = one.frames();
        CHECK(frames.size() == sent_before + 1);
        // the newest one, and the oldest ones in front of it
        for (std::size_t i = 0; i < frames.size(); ++i) {
            std::string expected = numbered(0);
            std::array<octet, 8> digits{};
            store_network(i + 1 == frames.size() ? pings - 1 : i, digits);
            for (std::size_t at = 0; at < digits.size(); ++at) {
                expected[at] = static_cast<char>(static_cast<octet>(expected[at]) ^ digits[at]);
            }
            CHECK(frames[i] == "pong " + expected);
        }
    }
}

TEST_CASE("pongs go on when those in the output have left, and not before the last of them has") {
    for (const role ours : both_roles) {
        sender one(ours);
        const std::size_t count = fill_with_replies(one);
        CHECK(count == (masks(ours) ? 32 : 33));
        CHECK(one.out.sent().control == count - 1);
        one.write(one.out.out().size() - 1);
        CHECK(one.out.sent().control == count - 1);
        one.arrives(9, "newest");
        CHECK(one.out.sent().control == count - 1);
        one.write(1);
        CHECK(one.out.sent().control == count);
        one.arrives(9, "after");
        one.drain();
        const list frames = one.frames();
        REQUIRE(frames.size() == count + 1);
        CHECK(frames[count - 2] == "pong " + numbered(count - 2));
        CHECK(frames[count - 1] == "pong newest");
        CHECK(frames[count] == "pong after");
    }
}

TEST_CASE("room leaves out what a pong takes that has to leave first") {
    for (const role ours : both_roles) {
        for (std::size_t free = 0; free < 600; free += 7) {
            CAPTURE(ours == role::client, free);
            const auto held_back = [&](sender& one) {
                static_cast<void>(fill_with_replies(one));
                one.fill_until(free);
            };
            sender asked(ours, 10'000);
            held_back(asked);
            const auto room = static_cast<std::size_t>(asked.out.room());
            const std::size_t needed = header_size(125, masks(ours)) + 125 + 1;
            CHECK((room > 0) == (free >= needed + header_size(1, masks(ours))));
            sender more(ours, 10'000);
            held_back(more);
            CHECK(more.out.send(message_type::binary, some(room + 1)) == result::full);
            sender most(ours, 10'000);
            held_back(most);
            if (room > 0) {
                CHECK(most.out.send(message_type::binary, some(room)) == result::done);
            }
        }
    }
}

TEST_CASE("messages that wait do not count as replies, nor do the application's control frames") {
    for (const role ours : both_roles) {
        sender one(ours);
        REQUIRE(one.out.send(message_type::binary, some(50'000)) == result::done);
        for (int i = 0; i < 50; ++i) {
            REQUIRE(one.out.control(opcode::ping, some(125)) == result::done);
        }
        one.arrives(9, "p");
        CHECK(one.out.sent().control == 51);
        const std::size_t count = fill_with_replies(one);
        CHECK(count >= 31);
    }
}

TEST_CASE("data is not sent past a pong that waits: it goes first") {
    for (const role ours : both_roles) {
        sender one(ours);
        const std::size_t count = fill_with_replies(one);
        REQUIRE(send(one, "data") == result::done);
        CHECK(one.out.sent().control == count);
        one.drain();
        const list frames = one.frames();
        REQUIRE(frames.size() == count + 1);
        CHECK(frames[count - 1] == "pong " + numbered(count - 1));
        CHECK(frames[count] == "text data");
    }
}

TEST_CASE("a message that is refused does not move a pong that waits behind 4 KiB of them") {
    for (const role ours : both_roles) {
        for (const command& each : commands()) {
            CAPTURE(ours == role::client, each.name);
            sender one(ours);
            static_cast<void>(fill_with_replies(one));
            one.fill_until(131);
            const picture before = look_at(one);
            if (each.call(one) == result::done) continue;
            CHECK(look_at(one) == before);
        }
        sender one(ours);
        static_cast<void>(fill_with_replies(one));
        const picture before = look_at(one);
        CHECK(one.out.send(message_type::text, some(100'001)) == result::too_large);
        CHECK(look_at(one) == before);
    }
}

TEST_CASE("C1 whoever asks for the room after each ping gets no more than 4 KiB of replies") {
    for (const role ours : both_roles) {
        sender one(ours);
        for (std::size_t i = 0; i < 1000; ++i) {
            one.arrives(9, numbered(i));
            static_cast<void>(one.out.room());
        }
        CHECK(one.out.out().size() <= 4096);
    }
}

TEST_CASE("a Close does not wait behind 4 KiB of pongs, and takes the place of the one that did") {
    for (const role ours : both_roles) {
        for (const bool peer_begins : {false, true}) {
            sender one(ours);
            const std::size_t count = fill_with_replies(one);
            if (peer_begins) {
                one.arrives(8, std::string_view("\x03\xE8", 2));
            } else {
                one.end.give_up(1000);
                one.out.move_control();
            }
            CHECK_FALSE(one.end.control_due());
            one.drain();
            const list frames = one.frames();
            CHECK(frames.size() == count);
            CHECK(frames.back() == "close 1000");
        }
    }
}

TEST_CASE("what is due moves to the output when there is room, no frame is open and nothing lent") {
    for (const role ours : both_roles) {
        for (const int op : {9, 8}) {
            CAPTURE(ours == role::client, op);
            const list expected{op == 9 ? "pong " : "close 1005"};
            {
                sender one(ours, 400);
                const std::size_t room = header_size(0, masks(ours)) - 1;
                one.fill_until(room);
                one.arrives(op, "");
                CHECK(one.end.control_due());
                one.write(1);
                CHECK_FALSE(one.end.control_due());
                const std::size_t noise = 400 - room;
                one.drain();
                CHECK(one.frames(noise) == expected);
            }
            {
                sender one(ours);
                begin_frame(one, 2);
                one.arrives(op, "");
                CHECK(one.out.sent().control == 0);
                REQUIRE(append(one, "ab", part::last) == result::done);
                one.out.move_control();
                CHECK(one.out.sent().control == 1);
                one.drain();
                CHECK(one.frames() == list{"text ab", expected[0]});
            }
            {
                sender one(ours);
                begin_fragments(one);
                lend_some(one, 4, part::last);
                one.arrives(op, "");
                CHECK(one.out.sent().control == 0);
                one.drain();
                CHECK(one.out.sent().control == 1);
                CHECK(one.frames() == list{"text LENT", expected[0]});
            }
        }
        sender one(ours);
        one.out.move_control();
        CHECK(one.out.pending() == 0);
    }
}

TEST_CASE("of another connection nothing is left") {
    for (const role ours : both_roles) {
        sender one(ours);
        begin_fragments(one);
        const std::size_t count = fill_with_replies(one);
        one.out.restart();
        one.end = either_endpoint(ours, {});
        CHECK(one.out.pending() == 0);
        CHECK(counted(one) == traffic{});
        CHECK(append(one, "x", part::last) == result::not_open);
        CHECK(fill_with_replies(one) == count);
        REQUIRE(send(one, "x") == result::done);
        one.drain();
        const list frames = one.frames();
        REQUIRE(frames.size() == count + 1);
        CHECK(frames.front() == "pong " + numbered(0));
        CHECK(frames.back() == "text x");
    }
}

// ---------------------------------------------------------------------------------------------
// Memory
// ---------------------------------------------------------------------------------------------

TEST_CASE("where memory is refused a command is too much for now, and nothing has changed") {
    for (const role ours : both_roles) {
        for (const bool offered : {false, true}) {
            for (const command& each : commands()) {
                for (const char* where : {"fresh", "begun", "frame"}) {
                    CAPTURE(ours == role::client, offered, each.name, where);
                    sender one(ours, 2000);
                    if (offered) {
                        REQUIRE(one.out.send(message_type::binary, some(248)) == result::done);
                        static_cast<void>(one.out.out().offer());
                    }
                    if (std::string_view(where) == "begun") begin_fragments(one);
                    if (std::string_view(where) == "frame") {
                        begin_frame(one, 4);
                        one.drain();
                        one.out.out().release();
                    }
                    one.storage.fail_at(one.storage.takes());
                    const picture before = look_at(one);
                    const result refused = each.call(one);
                    if (one.storage.takes() == before.takes) continue;  // it needed none
                    CHECK(refused == result::full);
                    picture after = look_at(one);
                    after.takes = before.takes;
                    CHECK(after == before);
                    CHECK(each.call(one) == result::done);
                    one.drain();
                    if (one.end.owed() == 0) CHECK_FALSE(one.frames().empty());
                }
            }
        }
    }
}

TEST_CASE("a pong for which there is no memory waits") {
    for (const role ours : both_roles) {
        sender one(ours);
        one.storage.fail_at(0);
        one.arrives(9, "p");
        CHECK(one.end.control_due());
        CHECK(counted(one) == traffic{});
        one.out.move_control();
        CHECK_FALSE(one.end.control_due());
        one.drain();
        CHECK(one.frames() == list{"pong p"});
    }
}

TEST_CASE("on fixed storage nothing is taken from the heap, whatever is sent") {
    for (const role ours : both_roles) {
        const support::heap_watch watch;
        std::size_t wrong = 0;
        {
            fixed<> storage;
            counted_keys keys;
            either_endpoint end(ours, {});
            no_compression none;
            sending out(end, storage, 2304, masks(ours) ? &keys : nullptr, none);
            std::array<octet, 2000> payload{};
            for (int i = 0; i < 200; ++i) {
                const std::size_t size = static_cast<std::size_t>(i) * 10;
                wrong +=
                    out.send(message_type::binary, std::span(payload).first(size)) != result::done;
                wrong += out.control(opcode::ping, std::span(payload).first(100)) != result::done;
                wrong += out.begin(message_type::binary, 6) != result::done;
                wrong += out.append(std::span(payload).first(3), part::more) != result::done;
                wrong += out.lend(std::span(payload).first(3), part::last) != result::done;
                while (out.out().size() > 0) {
                    const std::size_t run = out.out().offer().size();
                    wrong += out.out().written(run < 100 ? run : 100) ? 0U : 1U;
                }
            }
        }
        CHECK(watch.count() == 0);
        CHECK(wrong == 0);
    }
}

// ---------------------------------------------------------------------------------------------
// Everything at once
// ---------------------------------------------------------------------------------------------

namespace {

// Calls everything at random, and writes down what has to arrive.
class chatter {
  public:
    chatter(role ours, std::size_t limit, unsigned seed) : one_(ours, limit), random_(seed) {}

    void step() {
        switch (below(10)) {
            case 0:
            case 1:
                return send_whole();
            case 2:
                return begin();
            case 3:
            case 4:
                return go_on();
            case 5:
                return ping();
            case 6:
                ++pings_;
                return one_.arrives(9, std::to_string(pings_));
            default:
                return one_.write(below(600), 1 + below(200));
        }
    }

    void finish() {
        if (unfinished_) {
            one_.drain();
            const std::size_t rest = announced_ ? left_ : 3;
            const octet_vector last = some(rest, random_());
            // a lent piece may be behind it, and more than may wait
            std::size_t done = 0;
            while (rest - done > 100) {
                REQUIRE(one_.out.append(std::span(last).subspan(done, 100), part::more) ==
                        result::done);
                one_.drain();
                done += 100;
            }
            REQUIRE(one_.out.append(std::span(last).subspan(done), part::last) == result::done);
            message_ += text_of(last);
            messages_.push_back(message_);
        }
        one_.drain();
        REQUIRE(one_.out.pending() == 0);
        check();
    }

    std::size_t messages() const { return messages_.size(); }

  private:
    std::size_t below(std::size_t end) { return random_() % end; }

    void send_whole() {
        const octet_vector payload = some(below(4) == 0 ? below(2000) : below(150), random_());
        const result answer = one_.out.send(message_type::binary, payload);
        if (answer == result::done) messages_.push_back(text_of(payload));
        if (answer == result::done) REQUIRE_FALSE(unfinished_);
        if (unfinished_) REQUIRE(answer != result::done);
    }

    void begin() {
        const std::size_t length = below(3) == 0 ? 0 : below(3000);
        announced_now_ = below(2) == 0;
        const result answer = announced_now_ ? one_.out.begin(message_type::binary, length)
                                             : one_.out.begin(message_type::binary);
        if (answer != result::done) return;
        REQUIRE_FALSE(unfinished_);
        unfinished_ = true;
        announced_ = announced_now_;
        left_ = length;
        message_.clear();
    }

    void go_on() {
        const bool last = below(4) == 0;
        const std::size_t size = announced_ && unfinished_ && (last || below(9) > 0)
                                     ? (last ? left_ : below(left_ + 1))
                                     : below(300);
        const octet_vector piece = some(size, random_());
        const part which = last ? part::last : part::more;
        const bool lends = below(2) == 0;
        result answer = result::done;
        if (lends && one_.out.out().lent() == 0) {
            lent_ = piece;
            answer = one_.out.lend(lent_, which);
            if (answer != result::done) REQUIRE(lent_ == piece);
        } else {
            answer = one_.out.append(piece, which);
        }
        if (answer != result::done) return;
        REQUIRE(unfinished_);
        message_ += text_of(piece);
        left_ -= announced_ ? size : 0;
        if (!last) return;
        REQUIRE((!announced_ || left_ == 0));
        unfinished_ = false;
        messages_.push_back(message_);
    }

    void ping() {
        const octet_vector payload = some(below(126), random_());
        if (one_.out.control(opcode::ping, payload) == result::done) {
            own_pings_.push_back("ping " + text_of(payload));
        }
    }

    void check() {
        list got;
        list pings;
        std::size_t frames = 0;
        std::size_t pong = 0;
        std::size_t pongs = 0;
        std::string message;
        for (const std::string& each : one_.frames()) {
            REQUIRE(each.rfind("broken", 0) != 0);
            if (each.rfind("ping ", 0) == 0) {
                pings.push_back(each);
            } else if (each.rfind("pong ", 0) == 0) {
                const std::size_t number = std::stoul(each.substr(5));
                REQUIRE(number > pong);
                pong = number;
                ++pongs;
            } else {
                ++frames;
                message += each.substr(each.find(' ') + 1);
                if (each.rfind("binary+", 0) == 0) continue;
                got.push_back(message);
                message.clear();
            }
        }
        CHECK(got == messages_);
        CHECK(pings == own_pings_);
        CHECK(pong == pings_);
        CHECK(one_.out.sent().frames == frames);
        CHECK(one_.out.sent().messages == messages_.size());
        CHECK(one_.out.sent().control == pings.size() + pongs);
        CHECK(one_.out.out().transmitted() == one_.wire.size());
    }

    sender one_;
    std::mt19937 random_;
    bool unfinished_ = false;
    bool announced_ = false;
    bool announced_now_ = false;
    std::size_t left_ = 0;
    std::string message_;
    list messages_;
    list own_pings_;
    std::size_t pings_ = 0;
    octet_vector lent_;
};

}  // namespace

TEST_CASE("thousands of commands at random arrive at the peer as they were given") {
    for (const role ours : both_roles) {
        for (const std::size_t limit : std::array<std::size_t, 4>{131, 500, 2304, 100'000}) {
            for (unsigned seed = 0; seed < 4; ++seed) {
                CAPTURE(ours == role::client, limit, seed);
                chatter some_chatter(ours, limit, seed);
                for (int i = 0; i < 1500; ++i) some_chatter.step();
                some_chatter.finish();
                CHECK(some_chatter.messages() > 20);
            }
        }
    }
}
