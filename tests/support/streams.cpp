// streams.cpp -- see streams.hpp for what is promised; a promise that is broken is thrown as text.

#include "support/streams.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sockless/endpoint.hpp>

#include "support/catch.hpp"
#include "support/effort.hpp"
#include "support/guarded.hpp"
#include "support/heap_watch.hpp"
#include "support/log.hpp"
#include "support/octets.hpp"
#include "support/reference.hpp"

namespace support {

namespace {

using sockless::closing;
using sockless::frame_event;
using sockless::frame_reader;
using sockless::violation;
using what = sockless::frame_event::what;

void promise(bool kept, const char* words) {
    if (!kept) throw std::logic_error(words);
}

// What came of a stream.
struct reading {
    event_log log;
    std::uint64_t offset = 0;
    std::optional<violation> fault;

    friend bool operator==(const reading&, const reading&) = default;
};

std::string describe(const reading& r) {
    std::string words = r.log.text() + "offset " + std::to_string(r.offset);
    if (!r.fault) return words;
    return words + ", fault " + std::string(name(r.fault->broken)) + " at " +
           std::to_string(r.fault->at);
}

// ---- the reference ------------------------------------------------------------------------------

reference::options reference_options(const reader_setup& setup) {
    return {.server = setup.receiver == sockless::role::server,
            .rsv1 = setup.rsv1,
            .message_limit = setup.limit.message,
            .frame_limit = setup.limit.frame,
            .empty_fragments = setup.limit.empty_fragments};
}

// Tells what the reference reader tells, as events.
class translator {
  public:
    explicit translator(reading& out) : out_(out) {}

    void add(const reference::happening& h) {
        using enum reference::happening::what;
        payload_.assign(h.payload.begin(), h.payload.end());
        if (h.kind == data || h.kind == frame_end) return add_data(h);
        frame_event event{.code = h.code, .payload = payload_};
        event.kind = h.kind == ping    ? what::ping
                     : h.kind == pong  ? what::pong
                     : h.kind == close ? what::close
                                       : what::violated;
        if (h.kind == violated) {
            event.broken = rule_named(h.rule);
            out_.fault = violation{event.broken, h.at};
        }
        ended_ = h.kind == close || h.kind == violated;
        out_.log.add(event, h.at);
    }

    bool ended() const { return ended_; }

  private:
    void add_data(const reference::happening& h) {
        const bool ends = h.kind == reference::happening::what::frame_end;
        using sockless::message_type;
        out_.log.add({.kind = what::slice,
                      .type = h.text ? message_type::text : message_type::binary,
                      .first = h.first && !(ends && has_data_),
                      .last = h.last,
                      .compressed = h.compressed,
                      .payload = payload_,
                      .remaining = ends ? 0U : 1U},
                     0);
        has_data_ = !ends;
    }

    static sockless::rule rule_named(std::string_view name) {
        for (const sockless::rule_entry& entry : sockless::rule_table) {
            if (entry.name == name) return entry.id;
        }
        throw std::logic_error("the library has no rule of the name " + std::string(name));
    }

    reading& out_;
    std::vector<octet> payload_;
    bool has_data_ = false;  // of this frame
    bool ended_ = false;
};

// The frame that answers, if nothing has been sent but Pongs.
std::optional<std::vector<octet>> reply_to(const reader_setup& setup,
                                           const reference::happening& h) {
    using enum reference::happening::what;
    reference::masking_key key;
    if (setup.receiver == sockless::role::client) key = client_key.octets;
    std::string built;
    if (h.kind == ping) {
        built = reference::build_frame(true, 0, 0xA, key, h.payload);
    } else if (h.kind == violated || (h.kind == close && h.code != 1005)) {
        built = reference::build_frame(true, 0, 0x8, key, reference::build_close(h.code, ""));
    } else if (h.kind == close) {
        built = reference::build_frame(true, 0, 0x8, key, "");
    } else {
        return std::nullopt;
    }
    return std::vector<octet>(built.begin(), built.end());
}

std::string sent_line(std::span<const octet> octets) { return "-> " + hex(octets); }

reading expected(const reader_setup& setup, std::span<const octet> stream, bool with_replies) {
    reading out;
    reference::reader reader(reference_options(setup));
    translator to_events(out);
    for (const octet o : stream) {
        for (const reference::happening& h : reader.take(o)) {
            to_events.add(h);
            const auto reply = with_replies ? reply_to(setup, h) : std::nullopt;
            if (reply) out.log.add_line(sent_line(*reply));
        }
        if (!to_events.ended()) ++out.offset;
        if (to_events.ended() && !out.fault) ++out.offset;  // the last octet of a Close counts
        if (to_events.ended()) break;
    }
    return out;
}

// ---- the library --------------------------------------------------------------------------------

// Slices of one frame count down, and begin and end with their message.
class slice_judge {
  public:
    void see(const frame_event& event) {
        if (event.kind != what::slice) return;
        promise(event.first != in_message_, "a slice is first exactly if no message is under way");
        if (left_) {
            promise(event.payload.size() + event.remaining == *left_, "`remaining` counts down");
            promise(!event.payload.empty(), "only an empty frame has an empty slice");
        }
        promise(!event.payload.empty() || event.remaining == 0, "a slice has something in it");
        promise(!event.last || event.remaining == 0, "a last slice ends its frame");
        left_ = event.remaining > 0 ? std::optional(event.remaining) : std::nullopt;
        in_message_ = !event.last;
    }

  private:
    bool in_message_ = false;
    std::optional<std::uint64_t> left_;  // of a frame that has begun
};

struct reader_under_test {
    frame_reader machine;

    explicit reader_under_test(const reader_setup& setup)
        : machine(setup.receiver, setup.limit, setup.rsv1) {}

    std::optional<violation> fault() const { return machine.fault(); }
    void after_event(event_log&) {}
};

template <class Endpoint>
struct endpoint_under_test {
    Endpoint machine;

    explicit endpoint_under_test(const reader_setup& setup)
        : machine({.limit = setup.limit, .rsv1 = setup.rsv1}) {}

    std::optional<violation> fault() const { return machine.report().fault; }

    void after_event(event_log& log) {
        const bool due = machine.control_due();
        Endpoint twin = machine;
        const std::vector<octet> sent = control(machine, 0xA5);
        promise(sent == control(twin, 0x5A), "what is sent does not depend on what was there");
        promise(machine == twin, "two machines that did the same are the same");
        promise(due == !sent.empty(), "control_due() says whether control() writes");
        promise(!machine.control_due(), "there is one reply at most");
        if (!sent.empty()) log.add_line(sent_line(sent));
    }

    static std::vector<octet> control(Endpoint& machine, octet fill) {
        std::array<octet, sockless::longest_control_frame> out{};
        out.fill(fill);
        const heap_watch watch;
        std::size_t size = 0;
        if constexpr (std::is_same_v<Endpoint, sockless::client_endpoint>) {
            size = machine.control(out, client_key);
        } else {
            size = machine.control(out);
        }
        promise(watch.count() == 0, "control() takes nothing from the heap");
        promise(size <= out.size(), "control() writes into the array");
        for (std::size_t i = size; i < out.size(); ++i) {
            promise(out[i] == fill, "control() writes nothing behind the size that it says");
        }
        return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
    }
};

template <class UnderTest>
class driver {
  public:
    explicit driver(const reader_setup& setup) : under_test_(setup) {}

    template <class Memory>
    void feed(std::span<const octet> piece) {
        const Memory memory(piece);
        const std::uint64_t begin = under_test_.machine.offset();
        std::span<octet> in = memory.span();
        std::size_t calls = 0;
        while (true) {
            const std::size_t before = in.size();
            const octet* const from = in.data();
            const frame_event event = next(in);
            promise(in.size() <= before && in.data() == from + (before - in.size()),
                    "what was consumed comes off the front");
            promise(++calls <= piece.size() + 2, "it takes few calls");
            untouched(in, piece.last(in.size()), 256);
            if (event.kind == what::nothing) break;
            take(event);
        }
        promise(in.empty(), "`nothing` means that all has been consumed");
        const auto read = static_cast<std::size_t>(under_test_.machine.offset() - begin);
        promise(read <= piece.size(), "offset() counts what has been read");
        untouched(memory.span().subspan(read), piece.subspan(read), piece.size());
    }

    // Octets behind the end change nothing; without an end there is nothing to tell of no octets.
    void finish() {
        const UnderTest before = under_test_;
        if (ended_) feed<exact>(octets("81 85 00000000 \"Hello\" 88 80 00000000 FF FF"));
        feed<exact>({});
        promise(before.machine == under_test_.machine, "nothing came, nothing changed");
        reading_.offset = under_test_.machine.offset();
        reading_.fault = under_test_.fault();
    }

    const reading& result() const { return reading_; }

  private:
    frame_event next(std::span<octet>& in) {
        const heap_watch watch;
        const frame_event event = under_test_.machine.next(in);
        promise(watch.count() == 0, "next() takes nothing from the heap");
        return event;
    }

    void take(const frame_event& event) {
        promise(!ended_, "nothing is told behind the end");
        slices_.see(event);
        const std::optional<violation> fault = under_test_.fault();
        promise(fault.has_value() == (event.kind == what::violated), "a fault is told at once");
        promise(!fault || fault->broken == event.broken, "it is the one that is told");
        reading_.log.add(event, fault ? fault->at : 0);
        ended_ = event.kind == what::violated || event.kind == what::close;
        under_test_.after_event(reading_.log);
    }

    static void untouched(std::span<const octet> now, std::span<const octet> then,
                          std::size_t most) {
        const std::size_t size = std::min(now.size(), most);
        promise(
            std::equal(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(size), then.begin()),
            "what is not consumed, or refused, or behind the end, stays as it came");
    }

    UnderTest under_test_;
    reading reading_;
    slice_judge slices_;
    bool ended_ = false;
};

enum class memory { exact, guarded, guarded_front };

template <class UnderTest>
reading run(const reader_setup& setup, std::span<const octet> stream, cutting cuts, memory kind) {
    driver<UnderTest> drive(setup);
    const auto feed = [&](std::span<const octet> piece) {
        if (kind == memory::exact) drive.template feed<exact>(piece);
        if (kind == memory::guarded) drive.template feed<guarded>(piece);
        if (kind == memory::guarded_front) drive.template feed<guarded_front>(piece);
    };
    for (const std::size_t size : cuts) {
        feed(stream.first(size));
        stream = stream.subspan(size);
    }
    feed(stream);
    drive.finish();
    return drive.result();
}

std::string beginning(std::span<const octet> stream) {
    const std::size_t size = std::min<std::size_t>(stream.size(), 200);
    return hex(stream.first(size)) + (size < stream.size() ? " ..." : "");
}

std::string describe(cutting cuts, memory kind) {
    std::string words = "cut after";
    for (std::size_t i = 0; i < std::min<std::size_t>(cuts.size(), 12); ++i) {
        words += ' ' + std::to_string(cuts[i]);
    }
    constexpr std::array<const char*, 3> names{"exact", "guarded", "guarded_front"};
    return words + " ..., memory " + names[static_cast<std::size_t>(kind)];
}

// Runs one way to cut the stream, and fails the test if it does not come out as it has to.
template <class UnderTest>
void run_and_compare(const reader_setup& setup, std::span<const octet> stream, cutting cuts,
                     memory kind, const reading& wanted) {
    std::string problem;
    try {
        const reading got = run<UnderTest>(setup, stream, cuts, kind);
        if (got == wanted) return;
        problem = "expected of the reference\n" + describe(wanted) + "\n\ngot\n" + describe(got);
    } catch (const std::logic_error& broken) {
        problem = std::string("not so: ") + broken.what();
    }
    FAIL(problem << "\n\nstream " << beginning(stream) << '\n' << describe(cuts, kind));
}

template <class UnderTest>
std::string read_with(const reader_setup& setup, std::span<const octet> stream, bool with_replies) {
    const reading wanted = expected(setup, stream, with_replies);
    unsigned turn = 0;
    for_each_cutting(stream.size(), [&](cutting cuts) {
        // Whole and octet by octet from each kind of memory, then from each in turn.
        for (unsigned i = 0; i < (turn < 2 ? 3U : 1U); ++i) {
            const auto kind = static_cast<memory>((turn + i) % 3);
            run_and_compare<UnderTest>(setup, stream, cuts, kind, wanted);
        }
        ++turn;
    });
    CHECK(turn > 0);
    return wanted.log.text();
}

// ---- cutting ------------------------------------------------------------------------------------

constexpr std::size_t short_stream = 40;
constexpr std::size_t long_stream = 4096;

void cut_in_two(std::size_t size, const std::function<void(cutting)>& use) {
    const std::size_t edge = 64;
    std::size_t step = 1;
    if (size > long_stream) step = size / 32;
    if (short_effort() && size > 4 * edge) step = std::max(step, size / 64);
    for (std::size_t at = 1; at < size;) {
        use(std::array{at});
        const bool at_edge = at < edge || size - at <= edge;
        at += at_edge ? 1 : std::min(step, size - edge - at);
    }
}

void cut_in_three(std::size_t size, const std::function<void(cutting)>& use) {
    const std::size_t step = short_effort() ? 3 : 1;
    for (std::size_t first = 1; first < size; ++first) {
        for (std::size_t second = 1; first + second < size; second += step) {
            use(std::array{first, second});
        }
    }
}

void cut_at_random(std::size_t size, const std::function<void(cutting)>& use) {
    std::mt19937 random(6455);
    for (int round = 0; round < (size > long_stream ? 6 : 40); ++round) {
        const std::size_t most = std::size_t{2} << (random() % 10);
        std::vector<std::size_t> cuts;
        for (std::size_t left = size; left > 0;) {
            cuts.push_back(std::min<std::size_t>(random() % most, left));
            left -= cuts.back();
        }
        use(cuts);
    }
}

}  // namespace

void for_each_cutting(std::size_t size, const std::function<void(cutting)>& use) {
    use({});
    use(std::vector<std::size_t>(size, 1));
    cut_in_two(size, use);
    if (size <= short_stream) {
        cut_in_three(size, use);
    } else {
        cut_at_random(size, use);
    }
}

std::string read(const reader_setup& setup, std::span<const octet> stream) {
    return read_with<reader_under_test>(setup, stream, false);
}

std::string read_endpoint(const reader_setup& setup, std::span<const octet> stream) {
    if (setup.receiver == sockless::role::server) {
        return read_with<endpoint_under_test<sockless::server_endpoint>>(setup, stream, true);
    }
    return read_with<endpoint_under_test<sockless::client_endpoint>>(setup, stream, true);
}

}  // namespace support
